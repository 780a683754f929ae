"""The macros a document defines: collected where they stand, expanded where they are used.

Work is bounded in depth, uses and length, so that a macro that calls itself stops; the formula
then stays as it was written.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from symconv.documents.traced import Traced, join

MOST_DEPTH, MOST_USES, MOST_LENGTH = 25, 1_000, 20_000  # for one formula
MOST_WORK = 2_000_000  # characters written for one document
MOST_BODY = 1_000

_DEFINITION = re.compile(
    r"\\(?:(?P<new>(?:re)?newcommand|providecommand)\*?|(?P<operator>DeclareMathOperator)\*?|(?P<def>[egx]?def)|(?P<let>let))"
    r"(?![A-Za-z@])")
_NAME = re.compile(r"\s*(?:\{\s*\\([A-Za-z@]+|[^A-Za-z\s])\s*\}|\\([A-Za-z@]+|[^A-Za-z\s]))\s*")
_COUNT = re.compile(r"\[\s*([0-9])\s*\]\s*")
_OPTIONAL = re.compile(r"\s*\[([^\[\]]{0,200})\]\s*")
_NUMBERED = re.compile(r"((?:#[1-9])*)\s*(?=\{)")
_LET = re.compile(r"=?\s*(\\(?:[A-Za-z@]+|[^A-Za-z\s]))")
_COMMAND = re.compile(r"\\([A-Za-z@]+|.)", re.DOTALL)
_TOKEN = re.compile(r"\s*(\\(?:[A-Za-z@]+|.)|[^\\{}])", re.DOTALL)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_COMMENT = re.compile(r"\\.|(%[^\n]*)(?=\n)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Macro:
    """`\\name` with so many arguments, the first optional if it has a default."""

    name: str
    body: str
    arguments: int = 0
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Definition:
    """A macro and where it is defined.

    Args:
        start, end: the span of the definition in the text it was found in.
        weak: `\\providecommand`, which yields to a definition that is already there.
    """

    macro: Macro
    start: int
    end: int
    weak: bool = False


class _Runaway(Exception):
    """An expansion that does not end within its bounds."""


def definitions(text: str) -> Iterator[Definition]:
    """Every definition in the text, in order; what cannot be read as one is passed over."""
    end = 0
    for found in _DEFINITION.finditer(text):
        if found.start() < end:
            continue  # inside the body of another one
        read = _macro(text, found)
        if read:
            end = read[1]
            yield Definition(read[0], found.start(), end, found["new"] == "providecommand")


def _macro(text: str, found: re.Match[str]) -> tuple[Macro, int] | None:
    name = _NAME.match(text, found.end())
    if not name:
        return None
    word, here, count, default = name[1] or name[2], name.end(), 0, None
    if found["let"]:
        other = _LET.match(text, here)
        return (Macro(word, other[1]), other.end()) if other else None
    if found["def"]:
        numbered = _NUMBERED.match(text, here)
        if not numbered:
            return None
        here, count = numbered.end(), len(numbered[1]) // 2
    elif found["new"] and (number := _COUNT.match(text, here)):
        here, count = number.end(), int(number[1])
        if count and (optional := _OPTIONAL.match(text, here)):
            here, default = optional.end(), optional[1]
    end = group_end(text, here, MOST_BODY)
    if end < 0:
        return None
    body = text[here + 1:end - 1]
    return Macro(word, f"\\operatorname{{{body}}}" if found["operator"] else body, count, default), end


def group_end(text: str, start: int, most: int = MOST_LENGTH) -> int:
    """Where the group that opens at `start` has closed, or -1."""
    if not text.startswith("{", start):
        return -1
    depth = 0
    for brace in _BRACE.finditer(text, start, start + most):
        depth += {"{": 1, "}": -1}.get(brace[0], 0)
        if depth == 0:
            return brace.end()
    return -1


def without_comments(text: Traced) -> Traced:
    """A formula without the comments that end with its inner lines."""
    if "%" not in text.text:
        return text
    return text.cut(m.span(1) for m in _COMMENT.finditer(text.text) if m[1])


class Expander:
    """Expands a document's macros; each formula sees the definitions that stand before it.

    A macro that is only defined later is taken from there: authors collect them at the end, too.
    """

    def __init__(self, found: Iterable[tuple[int, Definition]]) -> None:
        self._known: dict[str, list[tuple[int, Macro]]] = {}
        self._work = 0
        self._uses = 0
        for position, definition in sorted(found, key=lambda f: f[0]):
            versions = self._known.setdefault(definition.macro.name, [])
            if not versions or not definition.weak:
                versions.append((position, definition.macro))

    def expand(self, formula: Traced) -> Traced:
        """The formula without comments, definitions and macros; without macros only, if they run away."""
        plain = without_comments(formula)
        if not self._known:
            return plain
        plain = plain.cut((d.start, d.end) for d in definitions(plain.text)).strip()
        self._uses = 0
        try:
            return self._expand(plain, 0)
        except _Runaway:
            return plain

    def _expand(self, text: Traced, depth: int) -> Traced:
        kept: list[Traced] = []
        start = here = 0
        while command := _COMMAND.search(text.text, here):
            here = command.end()
            macro = self._version(command[1], text.at[command.start()])
            read = macro and _arguments(text, here, macro)
            if not macro or not read:
                continue
            self._uses += 1
            if depth == MOST_DEPTH or self._uses > MOST_USES:
                raise _Runaway
            arguments, here = read
            kept += text.part(start, command.start()), self._expand(
                self._substitute(macro, arguments, text.at[command.start()]), depth + 1)
            start = here
        return self._bounded([*kept, text.part(start, len(text.text))]) if kept else text

    def _version(self, name: str, position: int) -> Macro | None:
        versions = self._known.get(name)
        if not versions:
            return None
        return versions[max(0, bisect_right(versions, position, key=lambda v: v[0]) - 1)][1]

    def _substitute(self, macro: Macro, arguments: list[Traced], use: int) -> Traced:
        """The body with its arguments; characters of the body come from the use of the macro."""
        pieces = []
        for i, part in enumerate(re.split(r"#([1-9])", macro.body)):
            if i % 2 == 0:
                pieces.append(Traced(part, (use,) * (len(part) + 1)))
            elif int(part) <= len(arguments):
                pieces.append(arguments[int(part) - 1])
        return self._bounded(pieces)

    def _bounded(self, pieces: list[Traced]) -> Traced:
        length = sum(len(p.text) for p in pieces)
        self._work += length
        if length > MOST_LENGTH or self._work > MOST_WORK:
            raise _Runaway
        return _apart(pieces)


def _apart(pieces: list[Traced]) -> Traced:
    """Pieces joined so that a command and a letter after it stay two tokens."""
    joined: list[Traced] = []
    for piece in (p for p in pieces if p.text):
        before = joined[-1].text[-40:] if joined else ""
        if piece.text[0].isalpha() and re.search(r"\\[A-Za-z@]+\Z", before):
            joined.append(Traced(" ", (piece.at[0],) * 2))
        joined.append(piece)
    if pieces and (not joined or joined[-1] is not pieces[-1]):
        joined.append(pieces[-1])  # empty, yet it says where the text ends
    return join(joined)


def _arguments(text: Traced, here: int, macro: Macro) -> tuple[list[Traced], int] | None:
    """The arguments after a use, without their braces, and where they end; None if they are missing."""
    found: list[Traced] = []
    if macro.default is not None:
        optional = _OPTIONAL.match(text.text, here)
        at = text.at[here]
        found.append(text.part(*optional.span(1)) if optional else
                     Traced(macro.default, (at,) * (len(macro.default) + 1)))
        here = optional.end() if optional else here
    while len(found) < macro.arguments:
        token = _TOKEN.match(text.text, here)
        if token:
            found.append(text.part(*token.span(1)))
            here = token.end()
            continue
        here += len(text.text[here:here + 200]) - len(text.text[here:here + 200].lstrip())
        end = group_end(text.text, here)
        if end < 0:
            return None
        found.append(text.part(here + 1, end - 1))
        here = end
    return found, here
