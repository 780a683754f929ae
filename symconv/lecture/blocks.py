"""What a lecture consists of, before it is HTML, LaTeX, Markdown or Typst: frozen values that every format reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from symconv.lecture.words import Pieces
from symconv.notation.nodes import Element, Node

if TYPE_CHECKING:
    from symconv.lecture.figures import Figure


@dataclass(frozen=True)
class Block:
    """Base of everything a section holds."""


@dataclass(frozen=True)
class Paragraph(Block):
    """Words with formulas in them.

    Args:
        tone: "" for plain text, "proved" or "open" for what is or is not established.
    """

    pieces: Pieces
    tone: str = ""


@dataclass(frozen=True)
class Display(Block):
    """Formulas on lines of their own; of several the first relations stand in one column."""

    lines: tuple[Node, ...]
    note: Pieces = ()


@dataclass(frozen=True)
class Step:
    """One step of a derivation: what is done, why, and the formula it reaches where that is a new one."""

    pieces: Pieces
    reason: str
    formula: Display | None


@dataclass(frozen=True)
class Steps(Block):
    items: tuple[Step, ...]


@dataclass(frozen=True)
class Table(Block):
    """Rows under a head; the first entry of each row names it."""

    caption: Pieces
    head: tuple[Pieces, ...]
    rows: tuple[tuple[Pieces, ...], ...]


@dataclass(frozen=True)
class Grid(Block):
    """The numbers of an array of one or two axes, each an element of `tensor`.

    Args:
        name: what stands above it.
        cells: rows of (the element, its number).
    """

    name: Pieces
    cells: tuple[tuple[tuple[Element | Node, str], ...], ...]


@dataclass(frozen=True)
class Beside(Block):
    """Grids side by side, as many as the page is wide."""

    grids: tuple[Grid, ...]


@dataclass(frozen=True)
class Drawing(Block):
    figure: Figure


@dataclass(frozen=True)
class Listing(Block):
    """Source code, with what it computes above it."""

    caption: Pieces
    language: str
    text: str


@dataclass(frozen=True)
class Part(Block):
    """Blocks under a heading of their own."""

    title: Pieces
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Folded(Block):
    """Blocks that are shown when asked for, and always in print."""

    title: Pieces
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Listed(Block):
    """Numbered blocks: exercises, or their answers."""

    items: tuple[tuple[Block, ...], ...]


@dataclass(frozen=True)
class Section:
    """A numbered section.

    Args:
        slug: what links point to.
    """

    slug: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """A whole lecture.

    Args:
        language: en, ko...
        terms: the elements a legend offers to light up.
        command: how to write it again; "" where no command can.
    """

    title: Pieces
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]
    language: str
    terms: tuple[Element, ...] = ()
    command: str = ""
    name: str = field(default="report", kw_only=True)

    def figures(self) -> Iterator[Figure]:
        """Every figure, in order."""
        for section in self.sections:
            yield from (b.figure for b in flat(section.blocks) if isinstance(b, Drawing))


def flat(blocks: tuple[Block, ...]) -> Iterator[Block]:
    """All blocks, those inside parts and lists too."""
    for b in blocks:
        yield b
        if isinstance(b, Part | Folded):
            yield from flat(b.blocks)
        elif isinstance(b, Listed):
            yield from flat(tuple(x for item in b.items for x in item))
