"""The formulas of a document as they are to be read: spans that prose joins with an operator are one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from symconv.notation.document import Document, Place, Span

RANGED = re.compile(r"[\s,(]*(?:for|where|with|for all|für|avec|对|其中|단)?[\s,(]*", re.I)
NAMES = r"[a-z](?:_\w|')?\s*(?:,\s*[a-z](?:_\w|')?\s*)*"
RANGE = re.compile(rf"\s*(?:{NAMES}(?:=[^=]*(?:,|\\[lc]?dots)|\\in\b|\\leq?\b)|[\w+-]+\s*\\leq?\b)")
JOINT = re.compile(r"\s*(?:\+|-|−|=)\s*")


@dataclass(frozen=True)
class Formula:
    """One or several spans read together.

    Args:
        pieces: (offset in latex, span) of each.
    """

    latex: str
    pieces: tuple[tuple[int, Span | None], ...]

    @staticmethod
    def alone(latex: str) -> Formula:
        return Formula(latex, ((0, None),))

    def place(self, offset: int) -> Place:
        """Where in the file an offset of the formula is."""
        start, span = next(p for p in reversed(self.pieces) if p[0] <= max(offset, 0) or p is self.pieces[0])
        if span is None:
            before = self.latex[:offset]
            return Place(before.count("\n") + 1, len(before) - before.rfind("\n"))
        return span.place(min(max(offset - start, 0), len(span.expanded)))

    def text(self, span: tuple[int, int]) -> str:
        return self.latex[span[0]:span[1]].strip()


def formulas(document: Document) -> Iterator[Formula]:
    """Spans in order; `$a$ + $b$` in one block is one formula."""
    group: list[Span] = []
    for span in document.spans:
        joint = group and span.block == group[-1].block and (JOINT.fullmatch(span.before) or (
            RANGED.fullmatch(span.before) and RANGE.match(span.latex)))
        if group and not (joint and not span.display):
            yield _joined(group)
            group = []
        group.append(span)
    if group:
        yield _joined(group)


def _joined(group: list[Span]) -> Formula:
    latex, pieces = "", []
    for span in group:
        if latex:
            latex += f" {span.before.strip()} " if JOINT.fullmatch(span.before) else r", \quad "
        pieces.append((len(latex), span))
        latex += span.expanded
    return Formula(latex, tuple(pieces))
