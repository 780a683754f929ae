"""A lecture as a LaTeX article, for pdflatex; kotex sets the Korean one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.lecture import blocks as b
from symconv.lecture.layout import broken
from symconv.lecture.palette import LIGHT, Ink
from symconv.lecture.words import Piece, Pieces, words
from symconv.notation.as_latex import LATEX
from symconv.notation.nodes import Node
from symconv.notation.printer import Printer
from symconv.notation.surface_latex import escaped
from symconv.templating import environment

Inked = Callable[[Node], Ink | None]
RELATIONS = {"≤": "\\le", "≥": "\\ge", "←": "\\leftarrow", "→": "\\to", "≠": "\\ne", "∈": "\\in",
             "≈": "\\approx"}
SIGNS = {"−": "$-$", "×": "$\\times$", "·": "$\\cdot$", "–": "--", "∂": "$\\partial$", "δ": "$\\delta$",
         "σ": "$\\sigma$",
         "…": "\\dots{}", "°": "$^\\circ$", "✓": "$\\checkmark$", "ᵀ": "$^{T}$", "⋯": "$\\cdots$", "≤": "$\\le$"}


class Coloured(Printer):
    """LaTeX with each tensor in its colour."""

    def __init__(self, ink: Inked) -> None:
        super().__init__(LATEX.rules)
        self.ink = ink

    def __call__(self, node: Node) -> str:
        ink = self.ink(node)
        text = super().__call__(node)
        return f"{{\\color{{tone{ink.tone}}}{text}}}" if ink else text


def article(document: b.Document, ink: Inked, stem: str) -> str:
    """The article; figures stand beside it as `stem-forward.svg`, and as PDF where someone made them."""
    writer = Writer(ink, document.language, stem)
    sections = [{"title": escape(s.title), "body": writer.blocks(s.blocks)} for s in document.sections]
    return environment().get_template("report/article.tex.j2").render(
        korean=document.language == "ko", tones={t: c[1:].upper() for t, c in LIGHT.tones.items()},
        title=writer.text(document.title), lead=writer.text(words(document.language)("page.lead")), sections=sections)


def escape(text: str) -> str:
    """Words with nothing in them that TeX would obey or lacks a letter for."""
    return "".join(SIGNS.get(c) or escaped(c) for c in text)


class Writer:
    """Blocks to LaTeX."""

    def __init__(self, ink: Inked, language: str, stem: str) -> None:
        self.math, self.words, self.stem, self.ink = Coloured(ink), words(language), stem, ink

    def text(self, pieces: Pieces) -> str:
        return "".join(map(self.piece, pieces))

    def piece(self, piece: Piece) -> str:
        return f"${self.math(piece)}$" if isinstance(piece, Node) else escape(piece)

    def blocks(self, found: tuple[b.Block, ...]) -> str:
        return "\n\n".join(RULES[type(x)](self, x) for x in found)

    def display(self, d: b.Display) -> str:
        rows = broken(d.lines)
        if len(rows) == 1 and rows[0][0] is None:
            body = self.math(rows[0][2])
        else:
            lines = [f"{self.math(left) if left else ''} &{RELATIONS.get(sign, sign)} {self.math(right)}"
                     for left, sign, right in rows]
            body = "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
        note = f" \\qquad \\text{{{self.text(d.note)}}}" if d.note else ""
        return f"\\[\n{body}{note}\n\\]"

    def steps(self, s: b.Steps) -> str:
        items = [f"\\item {self.text(i.pieces)} \\hfill{{\\footnotesize {escape(i.reason)}}}"
                 + (f"\n{self.display(i.formula)}" if i.formula else "") for i in s.items]
        return "\\begin{enumerate}\n" + "\n".join(items) + "\n\\end{enumerate}"

    def table(self, t: b.Table) -> str:
        rows = [" & ".join(map(self.text, row)) for row in (t.head, *t.rows)]
        body = f"{rows[0]} \\\\ \\hline\n" + " \\\\\n".join(rows[1:])
        columns = "l" * len(t.head)
        return f"\\begin{{center}}\n\\begin{{tabular}}{{{columns}}}\n{body}\n\\end{{tabular}}\n\\end{{center}}"

    def beside(self, s: b.Beside) -> str:
        return "\\noindent " + "\n\\quad ".join(map(self.grid, s.grids))

    def grid(self, g: b.Grid) -> str:
        cells = " \\\\\n".join(" & ".join(self._cell(node, v) for node, v in row) for row in g.cells)
        return (f"$\\displaystyle {''.join(self.math(p) if isinstance(p, Node) else escape(p) for p in g.name)} = "
                f"\\begin{{pmatrix}}\n{cells}\n\\end{{pmatrix}}$")

    def _cell(self, node: Node, value: str) -> str:
        ink = self.ink(node)
        text = value.replace("−", "-")
        return f"{{\\color{{tone{ink.tone}}}{text}}}" if ink else text

    def drawing(self, d: b.Drawing) -> str:
        f = d.figure
        return f"\\lecturefigure{{{self.stem}-{f.name}}}{{\\textbf{{{escape(f.title)}.}} {escape(f.description)}}}"


Rule = Callable[[Writer, Any], str]
RULES: dict[type[b.Block], Rule] = {
    b.Paragraph: lambda w, x: w.text(x.pieces),
    b.Display: Writer.display,
    b.Steps: Writer.steps,
    b.Table: Writer.table,
    b.Beside: Writer.beside,
    b.Drawing: Writer.drawing,
    b.Listing: lambda w, x: f"\\paragraph{{{w.text(x.caption)}}}\n\\begin{{verbatim}}\n{x.text}\n\\end{{verbatim}}",
    b.Part: lambda w, x: f"\\subsection*{{{w.text(x.title)}}}\n\n{w.blocks(x.blocks)}",
    b.Folded: lambda w, x: f"\\paragraph{{{w.text(x.title)}}}\n\n{w.blocks(x.blocks)}",
    b.Listed: lambda w, x: "\\begin{enumerate}\n" + "\n".join(f"\\item {w.blocks(i)}" for i in x.items)
    + "\n\\end{enumerate}",
}
