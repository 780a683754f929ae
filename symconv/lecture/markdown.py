"""A lecture as Markdown for kramdown, as Jekyll reads it: formulas between dollars, figures in SVG files beside it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from symconv.lecture import blocks as b
from symconv.lecture.layout import broken
from symconv.lecture.tex import RELATIONS
from symconv.lecture.words import Piece, Pieces, plain, words
from symconv.notation.as_latex import LATEX
from symconv.notation.nodes import Node

SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|$])")


def notes(document: b.Document, stem: str) -> str:
    """The Markdown text; figures are linked as `stem-forward.svg`."""
    writer = Writer(stem)
    head = f"---\nlayout: post\ntitle: {json.dumps(plain(document.title), ensure_ascii=False)}\nmath: true\n---"
    lead = writer.text(words(document.language)("page.lead"))
    sections = [f"## {escape(s.title)}\n\n{writer.blocks(s.blocks, 3)}" for s in document.sections]
    return "\n\n".join([head, lead, *sections]) + "\n"


def escape(text: str) -> str:
    """Words with nothing in them that Markdown or HTML would obey."""
    return SPECIAL.sub(r"\\\1", text)


class Writer:
    """Blocks to Markdown."""

    def __init__(self, stem: str) -> None:
        self.stem = stem

    def text(self, pieces: Pieces) -> str:
        return "".join(map(self.piece, pieces))

    def piece(self, piece: Piece) -> str:
        return f"$${LATEX(piece)}$$" if isinstance(piece, Node) else escape(piece)

    def blocks(self, found: tuple[b.Block, ...], level: int) -> str:
        return "\n\n".join(RULES[type(x)](self, x, level) for x in found)

    def display(self, d: b.Display, level: int = 0) -> str:
        rows = broken(d.lines)
        if len(rows) == 1 and rows[0][0] is None:
            body = LATEX(rows[0][2])
        else:
            lines = [f"{LATEX(left) if left else ''} &{RELATIONS.get(sign, sign)} {LATEX(right)}"
                     for left, sign, right in rows]
            body = "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
        note = f"\n\n({self.text(d.note)})" if d.note else ""
        return f"$$\n{body}\n$$" + note

    def steps(self, s: b.Steps, level: int) -> str:
        return self._numbered([f"{self.text(i.pieces)} ({escape(i.reason)})"
                               + (f"\n\n{self.display(i.formula)}" if i.formula else "") for i in s.items])

    def _numbered(self, items: list[str]) -> str:
        return "\n\n".join(f"{n}. " + item.replace("\n", "\n   ").replace("\n   \n", "\n\n")
                           for n, item in enumerate(items, 1))

    def table(self, t: b.Table, level: int) -> str:
        rows = [f"| {' | '.join(map(self.text, row))} |" for row in (t.head, *t.rows)]
        return "\n".join([rows[0], "|" + " --- |" * len(t.head), *rows[1:]])

    def beside(self, s: b.Beside, level: int) -> str:
        return "\n\n".join(map(self.grid, s.grids))

    def grid(self, g: b.Grid) -> str:
        cells = " \\\\ ".join(" & ".join(v.replace("−", "-") for _, v in row) for row in g.cells)
        name = "".join(LATEX(p) if isinstance(p, Node) else p for p in g.name)
        return f"$$\n{name} = \\begin{{pmatrix}} {cells} \\end{{pmatrix}}\n$$"

    def drawing(self, d: b.Drawing, level: int) -> str:
        f = d.figure
        return f"![{escape(f.title)}]({self.stem}-{f.name}.svg)\n\n*{escape(f.title)}.* {escape(f.description)}"


Rule = Callable[[Writer, Any, int], str]
RULES: dict[type[b.Block], Rule] = {
    b.Paragraph: lambda w, x, level: w.text(x.pieces),
    b.Display: Writer.display,
    b.Steps: Writer.steps,
    b.Table: Writer.table,
    b.Beside: Writer.beside,
    b.Drawing: Writer.drawing,
    b.Listing: lambda w, x, level: f"```{ {'NumPy': 'python', 'C': 'c'}.get(x.language, '') }\n{x.text}\n```",
    b.Part: lambda w, x, level: f"{'#' * level} {w.text(x.title)}\n\n{w.blocks(x.blocks, level + 1)}",
    b.Folded: lambda w, x, level: w.blocks(x.blocks, level),
    b.Listed: lambda w, x, level: w._numbered([w.blocks(i, level) for i in x.items]),
}
