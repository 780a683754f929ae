"""Text that remembers where each of its characters came from."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_LINE_END = re.compile(r"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Place:
    """A position people can find: line and column count from 1, columns in code points."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the lines of a file begin."""

    starts: tuple[int, ...] = (0,)

    @staticmethod
    def of(text: str) -> Lines:
        return Lines((0, *(m.end() for m in _LINE_END.finditer(text))))

    def place(self, offset: int) -> Place:
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)


@dataclass(frozen=True, slots=True)
class Traced:
    """A text, and the offset in the file of each character.

    Args:
        at: one offset more than there are characters; the last is where the text ends.
    """

    text: str
    at: Sequence[int]

    @staticmethod
    def of(text: str) -> Traced:
        """The text of a whole file with line ends as Python writes them, without a byte order mark."""
        whole = Traced(text, range(len(text) + 1)).cut([(0, 1)] if text.startswith("\ufeff") else [])
        if "\r" in text:
            whole = whole.cut([m.span() for m in re.finditer(r"\r(?=\n)", whole.text)])
        return Traced(whole.text.replace("\r", "\n").replace("\0", "\ufffd"), whole.at)

    def part(self, start: int, end: int) -> Traced:
        return Traced(self.text[start:end], self.at[start:end + 1])

    def strip(self) -> Traced:
        start = len(self.text) - len(self.text.lstrip())
        return self.part(start, max(start, len(self.text.rstrip())))

    def cut(self, spans: Iterable[tuple[int, int]]) -> Traced:
        """What is left without the given spans, which are in order and do not overlap."""
        kept, start = [], 0
        for begin, end in spans:
            kept.append(self.part(start, begin))
            start = end
        return join([*kept, self.part(start, len(self.text))]) if kept else self

    def paragraphs(self) -> Iterator[Traced]:
        """The pieces between blank lines."""
        start = 0
        for gap in re.finditer(r"\n[ \t]*(?=\n)", self.text):
            if self.text[start:gap.start()].strip():
                yield self.part(start, gap.start())
            start = gap.end()
        if self.text[start:].strip():
            yield self.part(start, len(self.text))


def join(pieces: Sequence[Traced]) -> Traced:
    """One text from several; each character keeps its origin."""
    if len(pieces) == 1:
        return pieces[0]
    at: list[int] = []
    for piece in pieces:
        at += piece.at[:len(piece.text)]
    at.append(pieces[-1].at[-1] if pieces else 0)
    return Traced("".join(p.text for p in pieces), tuple(at))
