"""A lecture as one HTML page: no script, no network, MathML and SVG inline."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable
from html import escape
from importlib.resources import files
from typing import Any

from symconv import __version__
from symconv.lecture import blocks as b
from symconv.lecture.figures import style
from symconv.lecture.layout import broken
from symconv.lecture.palette import DARK, LIGHT, TINT, TONES, Theme
from symconv.lecture.words import Piece, Pieces, plain, words
from symconv.notation.as_latex import LATEX
from symconv.notation.as_mathml import Mark, MathML
from symconv.notation.nodes import Node
from symconv.templating import environment

FONT = "math.woff2"
MOST_TERMS = 160  # elements that light up
ROOM = 140_000
TERM = re.compile(r"\bterm-\w+")


def page(document: b.Document, mark: Mark, font: str = "", room: int = ROOM) -> str:
    """The page.

    Args:
        room: characters of figures; beyond it they are printed without their steps.
        mark: CSS classes of formula nodes.
        font: where the font is, from the page's place; without it, it is embedded.
    """
    writer = Writer(mark, document.language, room - sum(len(f.svg) for f in document.figures()))
    say = words(document.language)
    sections = [{"slug": s.slug, "title": escape(s.title), "body": writer.blocks(s.blocks)} for s in document.sections]
    lead, legend = writer.blocks(document.lead), "".join(map(writer.chip, document.terms))
    body = lead + legend + "".join(s["body"] for s in sections)
    command = f"<code>{escape(document.command)}</code>" if document.command else ""
    return environment().get_template("report/page.html.j2").render(
        language=document.language, plain_title=escape(plain(document.title)), title=writer.text(document.title),
        lead=lead, legend=legend, sections=sections, light=_colours(LIGHT), dark=_colours(DARK),
        font=font or f"data:font/woff2;base64,{embedded()}", css=_css(body),
        words={**{k: escape(say.text(f"page.{k}")) for k in ("contents", "legend", "math_font")},
               "generated": escape(say.text("page.generated", version=__version__)),
               "again": escape(say.text("page.again", command="\0")).replace("\0", command) if command else ""})


def embedded() -> str:
    """The font in base64."""
    return b64encode(font_bytes()).decode()


def font_bytes() -> bytes:
    return files("symconv.lecture").joinpath("font", FONT).read_bytes()


def _colours(theme: Theme) -> dict[str, str]:
    return {"page": theme.page, "card": theme.card, "ink": theme.ink, "soft": theme.soft, "line": theme.line,
            "mark": theme.mark, **theme.tones}


def _css(body: str) -> str:
    return environment().get_template("report/style.css.j2").render(
        tones=TONES, tint=TINT, figures=style(), terms=_lights(body))


def _lights(body: str) -> list[str]:
    """For each element that stands at least twice on the page, the rule that lights it up."""
    counts: dict[str, int] = {}
    for term in TERM.findall(body):
        counts[term] = counts.get(term, 0) + 1
    often = sorted((t for t in counts if counts[t] > 1), key=lambda t: (-counts[t], t))[:MOST_TERMS]
    return [f"body:has(.{t}:is(:hover,:focus-visible)) .{t}{{--lit:var(--mark);--lit-line:1}}" for t in sorted(often)]


class Writer:
    """Blocks to HTML."""

    def __init__(self, mark: Mark, language: str, room: int) -> None:
        self.math, self.words = MathML(mark), words(language)
        self.mark, self.room = mark, room
        self.layout: Any = environment().get_template("report/blocks.html.j2").module

    def text(self, pieces: Pieces) -> str:
        """Words, escaped, and formulas within the line."""
        return "".join(map(self.piece, pieces))

    def piece(self, piece: Piece) -> str:
        return self.math.whole(piece) if isinstance(piece, Node) else escape(piece)

    def chip(self, node: Node) -> str:
        """An element of the legend, which the Tab key reaches."""
        return f'<span tabindex="0" class="{self.mark(node)}">{MathML().whole(node)}</span>'

    def blocks(self, found: tuple[b.Block, ...]) -> str:
        return "".join(RULES[type(x)](self, x) for x in found)

    def display(self, d: b.Display) -> str:
        rows = broken(d.lines)
        if len(rows) == 1 and rows[0][0] is None:
            math = self.math.whole(d.lines[0], display=True)
        else:
            cells = "".join(f"<mtr><mtd>{self.math(left) if left else ''}</mtd><mtd>"
                            f"<mrow><mo>{escape(sign)}</mo>{self.math(right)}</mrow></mtd></mtr>"
                            for left, sign, right in rows)
            alt = escape(" \\\\ ".join(map(LATEX, d.lines)))
            math = (f'<math display="block" alttext="{alt}"><mtable class="aligned" displaystyle="true">'
                    f"{cells}</mtable></math>")
        return str(self.layout.display(math, self.text(d.note)))

    def steps(self, s: b.Steps) -> str:
        items = [{"text": self.text(i.pieces), "reason": escape(i.reason),
                  "formula": self.display(i.formula) if i.formula else ""} for i in s.items]
        return str(self.layout.steps(items))

    def table(self, t: b.Table) -> str:
        return str(self.layout.table(self.text(t.caption), [self.text(h) for h in t.head],
                                     [[self.text(c) for c in r] for r in t.rows]))

    def beside(self, s: b.Beside) -> str:
        return str(self.layout.beside([
            {"name": self.text(g.name), "rows": [[{"classes": self.mark(n), "text": escape(v)} for n, v in r]
                                                 for r in g.cells]} for g in s.grids]))

    def drawing(self, d: b.Drawing) -> str:
        f = d.figure
        room = sum(map(len, f.frames)) <= self.room
        self.room -= sum(map(len, f.frames)) if room else 0
        frames = f.frames if room else ()
        return str(self.layout.drawing({"name": f.name, "svg": f.svg, "frames": frames, "title": escape(f.title),
                                        "description": escape(f.description),
                                        "still": escape(self.words.text("page.still"))}))


Rule = Callable[[Writer, Any], str]
RULES: dict[type[b.Block], Rule] = {
    b.Paragraph: lambda w, x: str(w.layout.paragraph(w.text(x.pieces), x.tone)),
    b.Display: Writer.display,
    b.Steps: Writer.steps,
    b.Table: Writer.table,
    b.Beside: Writer.beside,
    b.Drawing: Writer.drawing,
    b.Listing: lambda w, x: str(w.layout.listing(w.text(x.caption), escape(x.language), escape(x.text))),
    b.Part: lambda w, x: str(w.layout.part(w.text(x.title), w.blocks(x.blocks))),
    b.Folded: lambda w, x: str(w.layout.folded(w.text(x.title), w.blocks(x.blocks))),
    b.Listed: lambda w, x: str(w.layout.listed([w.blocks(i) for i in x.items])),
}
