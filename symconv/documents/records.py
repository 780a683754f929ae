"""What is read from a document: its formulas and its directives, each with its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from symconv.documents.traced import Lines, Place


@dataclass(frozen=True, slots=True)
class Span:
    """One formula.

    Args:
        latex: as written, without delimiters; an environment keeps its `\\begin` and `\\end`.
        expanded: without comments and definitions, the document's macros expanded.
        display: set apart from the text.
        before: the words between the previous formula of the same block and this one; "" for the first.
        block: number of the paragraph, list item, table cell or display it stands in.
        prose: the words of that block, formulas between dollars; for a display those of the
            paragraph around it, or of the nearest one above.
        origin: the offset in the file of each character of `expanded`, and of its end.
        lines: the lines of the file.
    """

    latex: str
    expanded: str
    display: bool = True
    before: str = ""
    block: int = 0
    prose: str = ""
    origin: Sequence[int] = field(default=(), repr=False)
    lines: Lines = field(default=Lines(), repr=False, compare=False)

    @property
    def position(self) -> int:
        """The offset of the formula in the file."""
        return self.origin[0] if self.origin else 0

    def place(self, offset: int) -> Place:
        """Where a character of `expanded` comes from: in the body of a macro, where the macro is used."""
        offset = min(max(offset, 0), len(self.expanded))
        return self.lines.place(self.origin[offset] if self.origin else offset)


@dataclass(frozen=True, slots=True)
class Directive:
    """One instruction to symconv from a comment, without the word `symconv:`.

    Args:
        position: its offset in the file, to compare with that of spans.
    """

    text: str
    place: Place
    position: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """A document's formulas and directives, each in the order of the file."""

    path: str
    spans: tuple[Span, ...] = ()
    directives: tuple[Directive, ...] = ()
