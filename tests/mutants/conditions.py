"""Condition texts such as `k = 1 or (n >= k + 2 and s divides n - k)`, read without symconv."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

TOKENS = re.compile(r"\s*(>=|<=|!=|[=<>()+\-*/]|\d+|\|[^|]+\|(?:_\d+)?|[A-Za-z][A-Za-z_0-9']*)")
ZERO = re.compile(r"^(?:\S+ is zero outside its range(?: and |, and |$))+")


class Unread(Exception):
    """The text is beyond this grammar, or names something unknown."""


def without_zero(text: str) -> tuple[bool, str]:
    """Whether it asks for zeros outside, and the rest."""
    m = ZERO.match(text)
    return bool(m), text[m.end():] if m else text


class Condition:
    """or of and of comparisons and divisibilities, over sizes."""

    def __init__(self, text: str, sizes: Mapping[str, int]) -> None:
        self.tokens: list[str] = []
        at = 0
        text = text.strip()
        while at < len(text):
            m = TOKENS.match(text, at)
            if m is None:
                raise Unread(text)
            self.tokens.append(m[1])
            at = m.end()
        self.at, self.sizes = 0, sizes

    def holds(self) -> bool:
        value = self._any()
        if self.at != len(self.tokens):
            raise Unread(self.peek())
        return value

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def _any(self) -> bool:
        value = self._all()
        while self.peek() == "or":
            self.take()
            value = self._all() or value
        return value

    def _all(self) -> bool:
        value = self._one()
        while self.peek() == "and":
            self.take()
            value = self._one() and value
        return value

    def _one(self) -> bool:
        start = self.at
        if self.peek() == "(":
            self.take()
            try:
                value = self._any()
                if self.take() == ")" and self.peek() in ("", "and", "or", ")"):
                    return value
            except Unread:
                pass
            self.at = start
        left = self._sum()
        word = self.take()
        denied = word == "does"
        if (denied and (self.take(), self.take()) == ("not", "divide")) or word == "divides":
            right = self._sum()
            return (right % left == 0 if left else right == 0) != denied
        if word in ("odd", "even") or word == "is":
            word = self.take() if word == "is" else word
            return left % 2 == (word == "odd")
        if word not in COMPARE:
            raise Unread(word)
        value = True
        while word in COMPARE:
            right = self._sum()
            value = value and COMPARE[word](left, right)
            left, word = right, self.peek()
            if word in COMPARE:
                self.take()
        return value

    def _sum(self) -> int:
        value = self._product()
        while self.peek() in ("+", "-"):
            value += self._product() if self.take() == "+" else -self._product()
        return value

    def _product(self) -> int:
        value = self._atom()
        while True:
            word = self.peek()
            if word == "*":
                self.take()
                value *= self._atom()
            elif word == "mod":
                self.take()
                value %= self._atom()
            elif word == "(" or (word and (word[0].isalpha() or word[0] == "|") and word not in WORDS):
                value *= self._atom()
            else:
                return value

    def _atom(self) -> int:
        word = self.take()
        if word == "-":
            return -self._atom()
        if word == "(":
            value = self._sum()
            if self.take() != ")":
                raise Unread("(")
            return value
        if word.isdigit():
            return int(word)
        if word == "floor" and self.peek() == "(":
            return self._quotient()
        if word not in self.sizes:
            raise Unread(word)
        return self.sizes[word]

    def _quotient(self) -> int:
        """floor(a/b)."""
        self.take()
        over = self._sum()
        if self.take() != "/":
            raise Unread("floor")
        under = self._sum()
        if self.take() != ")":
            raise Unread("floor")
        return over // under


WORDS = ("and", "or", "divides", "does", "mod", "odd", "even", "is")
COMPARE: dict[str, Callable[[int, int], bool]] = {
    "=": lambda a, b: a == b, "!=": lambda a, b: a != b, "<": lambda a, b: a < b, ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b, ">=": lambda a, b: a >= b}


def holds(text: str, sizes: Mapping[str, int]) -> bool:
    """Is the condition true at these sizes?

    Raises:
        Unread: the text is beyond the grammar.
    """
    return Condition(text, sizes).holds()
