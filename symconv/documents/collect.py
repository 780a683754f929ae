"""From the pieces of blocks to the spans and directives of a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from symconv.documents.macros import Definition, Expander, definitions
from symconv.documents.records import Directive, Document, Span
from symconv.documents.traced import Lines, Traced

_DIRECTIVE = re.compile(r"\s*+%*+\s*+symconv\s*+:")
_ITEM = re.compile(r"(?:\\.|[^;\n\\])+")
_EMPHASIS = re.compile(r"\*\*|__|~~")


@dataclass(frozen=True, slots=True)
class Formula:
    text: Traced
    display: bool


@dataclass(frozen=True, slots=True)
class Words:
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """What a comment says."""

    text: Traced


Piece = Formula | Words | Note


class Collector:
    """Takes a document's blocks in order; macros are known and expanded at the end."""

    def __init__(self, source: str) -> None:
        self.lines = Lines.of(source)
        self._spans: list[tuple[Formula, str, int, str]] = []
        self._directives: list[Directive] = []
        self._definitions: list[tuple[int, Definition]] = []
        self._block = 0
        self._paragraph = ""

    def define(self, text: Traced) -> None:
        """Take note of the macros that a text defines."""
        self._definitions += ((text.at[d.start], d) for d in definitions(text.text))

    def add(self, pieces: Sequence[Piece]) -> None:
        """One block: a paragraph, a list item, a cell."""
        prose = _prose(pieces)
        words = any(isinstance(p, Words) and re.search(r"\w", p.text) for p in pieces)
        if words:
            self._paragraph = prose
        self._block += 1
        before: str | None = None
        for piece in pieces:
            if isinstance(piece, Note):
                self.note(piece.text)
            elif isinstance(piece, Words):
                before = None if before is None else before + piece.text
            elif piece.display:
                self._block += 1
                self._spans.append((piece, "", self._block, self._paragraph))
                self._block, before = self._block + 1, None
            else:
                self._spans.append((piece, _tidy(before or ""), self._block, prose))
                before = ""

    def note(self, comment: Traced) -> None:
        """The directives in a comment, one for each line and between semicolons."""
        start = _DIRECTIVE.match(comment.text)
        for item in _ITEM.finditer(comment.text, start.end()) if start else ():
            again = _DIRECTIVE.match(item[0])
            text = comment.part(item.start() + (again.end() if again else 0), item.end()).strip()
            if text.text:
                self._directives.append(Directive(text.text, self.lines.place(text.at[0]), text.at[0]))

    def document(self, path: str) -> Document:
        expander = Expander(self._definitions)
        spans = []
        for formula, before, block, prose in self._spans:
            expanded = expander.expand(formula.text)
            if expanded.text.strip():
                spans.append(Span(formula.text.text, expanded.text, formula.display, before, block, prose,
                                  expanded.at, self.lines))
        return Document(path, tuple(sorted(spans, key=lambda s: s.position)),
                        tuple(sorted(self._directives, key=lambda d: d.position)))


def _prose(pieces: Iterable[Piece]) -> str:
    return _tidy("".join(p.text if isinstance(p, Words) else f"${p.text.text}$" if isinstance(p, Formula) else ""
                         for p in pieces))


def _tidy(text: str) -> str:
    return " ".join(_EMPHASIS.sub("", text).split())
