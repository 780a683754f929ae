"""A place in the tokens of a formula, with what is open there."""

from __future__ import annotations

from dataclasses import dataclass, field

from symconv.errors import NotationError
from symconv.notation.layout import partners
from symconv.notation.tokens import Token


@dataclass(kw_only=True)
class Place:
    """A place in the tokens of a formula.

    Args:
        tokens: the tokens, an `eof` token last.
        bars: how many | are open at this level of brackets.
        integrals: how many integrals still wait for a differential.
        primes: primes found at the end of a superscript.
        superscript: is this a superscript?
        match: for each opening bracket the place of the closing one.
        rows: the places of the row ends outside all brackets.
        lone: the places of bars that open nothing: an odd number of them is left inside their brackets.
    """

    tokens: list[Token]
    at: int = 0
    depth: int = 0
    bars: int = 0
    integrals: int = 0
    primes: int = 0
    superscript: bool = False
    match: dict[int, int] = field(default_factory=dict)
    rows: frozenset[int] = frozenset()
    lone: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.match = partners(self.tokens)
        self.lone = _lone_bars(self.tokens, self.match)
        rows, end = [], -1
        for at, token in enumerate(self.tokens):
            end = max(end, self.match.get(at, end))
            if token.kind == "row" and at > end:
                rows.append(at)
        self.rows = frozenset(rows)

    @property
    def peek(self) -> Token:
        """The token here."""
        return self.tokens[self.at]

    def look(self, ahead: int) -> Token:
        """A token further on."""
        return self.tokens[min(self.at + ahead, len(self.tokens) - 1)]

    def next(self) -> Token:
        """The token here; the place moves on."""
        token = self.tokens[self.at]
        if token.kind != "eof":
            self.at += 1
        return token

    def sees(self, kind: str, *texts: str) -> bool:
        """Is the token here of this kind, and one of these?"""
        return self.peek.kind == kind and (not texts or self.peek.text in texts)

    def accept(self, kind: str, *texts: str) -> bool:
        """Move on over such a token."""
        if self.sees(kind, *texts):
            self.at += 1
            return True
        return False

    def skip_argument(self) -> int:
        """Past one group or sign; the place where it began."""
        first = self.at
        if self.peek.kind == "open":
            self.at = self.match.get(first, first) + 1
        elif self.peek.kind in ("letter", "word", "number", "operator"):
            self.at += 1
        else:
            raise self.wrong("a script is missing")
        return first

    def expect(self, kind: str, text: str = "") -> Token:
        """Such a token, or an error that names it."""
        if not self.sees(kind, *((text,) if text else ())):
            raise self.wrong(f"{shown(kind, text)} is missing")
        return self.next()

    def wrong(self, reason: str, token: Token | None = None) -> NotationError:
        """An error at a token, or at the place."""
        return NotationError(reason, (token or self.peek).start)

    def missing(self, token: Token) -> NotationError:
        """Something else stands, or the formula ends, where an expression should be."""
        where = "at the end" if token.kind == "eof" else f"before {shown(token.kind, token.text)}"
        return self.wrong(f"an expression is missing {where}", token)

    def skip_row(self) -> None:
        """On to the end of the row, past whatever is open."""
        while not (self.sees("row") and self.at in self.rows) and not self.sees("eof"):
            self.at += 1
        self.depth = self.bars = self.integrals = self.primes = 0
        self.superscript = False


def _lone_bars(tokens: list[Token], match: dict[int, int]) -> frozenset[int]:
    """The bars after which an even number of bars follows at the same level."""
    closing = set(match.values())
    levels: list[list[int]] = [[]]
    found: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "bar":
            levels[-1].append(at)
        if at in match:
            levels.append([])
        if at in closing or token.kind == "eof":
            found += levels.pop()[::-1][::2]
    return frozenset(found)


def shown(kind: str, text: str) -> str:
    """A token in the words of an error."""
    names = {"eof": "the end", "close": "a closing brace", "open": "an opening brace", "row": "the end of a row",
             "soft": "a wide space", "amp": "&", "script": text, "comma": text, "link": f"the word {text}"}
    return names.get(kind) or (f"\\{text}" if kind == "macro" else text or kind)
