"""Formulas, words and comments within one block of Markdown or of plain text."""

from __future__ import annotations

import re
from bisect import bisect_left

from symconv.documents.collect import Formula, Note, Piece, Words
from symconv.documents.delimiters import CLOSERS, DISPLAYS, INNER, closing, environment_end, names
from symconv.documents.traced import Traced

_MATH = (r"(?P<begin>\\begin\s*\{(?P<name>" + names(DISPLAYS + INNER) + r")\})"
         r"|(?P<bracket>\\\\?[(\[])|(?P<escape>\\.)|(?P<dollars>\$\$?)|(?P<comment><!--)")
_ATTRIBUTE = r"""\s+[\w:@.-]+(?:\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'=<>`]+))?"""
_TOKEN = {
    False: re.compile(_MATH, re.DOTALL),
    True: re.compile(
        _MATH + r"|(?P<code>`+)|(?P<skip></?[A-Za-z][\w-]*(?:" + _ATTRIBUTE + r")*\s*/?>"
        r"|<?https?://[^\s<>)\]$]*>?|\{%[^\n%]*%\}|\{:[^{}\n]*\})|(?P<link>\]\([^\s()]*)", re.DOTALL),
}
_TEX = re.compile(r"\\[A-Za-z\\]|[_^=]")
_NESTED = {opener: re.compile(r"(?<!\\)" + re.escape(opener)) for opener in CLOSERS}
_WORD = re.compile(r"[^\W\d_]{2,}")


def scan(text: Traced, markdown: bool) -> list[Piece]:
    """The pieces of a block in order.

    Args:
        text: one block, without the marks of quotes and lists.
        markdown: whether code, HTML, links and template tags hide what looks like a formula.
    """
    return _Scanner(text, markdown).pieces()


class _Scanner:
    def __init__(self, block: Traced, markdown: bool) -> None:
        self._block = block
        self._text = block.text
        self._token = _TOKEN[markdown]
        self._pieces: list[Piece] = []
        self._words: list[str] = []
        self._hopeless: set[str] = set()  # environments that nothing closes from here on
        self._closes: dict[str, int] = {}  # the last answer for each delimiter; -1: nothing closes it from here on
        self._ticks: dict[int, list[int]] | None = None

    def pieces(self) -> list[Piece]:
        here = 0
        while token := self._token.search(self._text, here):
            self._words.append(self._text[here:token.start()])
            here = self._read(token)
        self._words.append(self._text[here:])
        self._flush()
        return self._pieces

    def _read(self, token: re.Match[str]) -> int:
        """Take what begins at the token; returns where it ends."""
        kind = token.lastgroup
        if token["begin"]:
            return self._environment(token)
        if kind == "bracket":
            return self._bracketed(token)
        if kind == "dollars":
            return self._double(token) if token[0] == "$$" else self._single(token)
        if kind == "comment":
            return self._comment(token)
        if kind == "code":
            return self._code(token)
        if kind == "escape":
            self._words.append(token[0][1:])
        elif kind == "skip":
            self._words.append(" ")
        return token.end()

    def _environment(self, token: re.Match[str]) -> int:
        end = -1 if token[0] in self._hopeless else environment_end(self._text, token.end(), token["name"])
        if end < 0:
            return self._stray(token)
        return self._formula(token.start(), token.start(), end, end, True)

    def _bracketed(self, token: re.Match[str]) -> int:
        closer = CLOSERS[token[0]]
        close = self._closing(token, closer)
        nested = close >= 0 and _NESTED[token[0]].search(self._text, token.end(), close)
        inner = "" if close < 0 or nested else self._text[token.end():close].strip()
        # An escaped bracket is also how Markdown writes a bracket: words and numbers are none.
        likely = inner and (_TEX.search(inner) or (not _WORD.search(inner) and (
            token[0].endswith("(") or self._alone(token.start(), close + len(closer)))))
        if not likely:
            if len(token[0]) == 3:  # two backslashes: the first one escapes the second
                return token.start() + 2
            return token.end()
        end = close + len(closer)
        return self._formula(token.start(), token.end(), close, end, token[0].endswith("["))

    def _double(self, token: re.Match[str]) -> int:
        close = self._closing(token, "$$")
        if close < 0 or not self._text[token.end():close].strip():
            return self._stray(token)
        display = self._alone(token.start(), close + 2)
        return self._formula(token.start(), token.end(), close, close + 2, display)

    def _single(self, token: re.Match[str]) -> int:
        """Pandoc's rule: no space within the dollars, no digit after them. Spaces at both ends pass
        if the content is TeX beyond doubt."""
        start = token.end()
        if self._text.startswith("`", start) and (close := self._closing(token, "`$", 1)) > 0:  # as on GitHub
            return self._formula(token.start(), start + 1, close, close + 2, False)
        close = self._closing(token, "$")
        inner = self._text[start:max(close, 0)]
        if close < 0 or not inner.strip() or self._text[close + 1:close + 2].isdigit():
            return self._stray(token)
        price = inner[0].isdigit() and re.match("[A-Za-z]", self._text[token.start() - 1:token.start()])
        spaces = inner[0].isspace() + inner[-1].isspace()
        if price or spaces == 1 or (spaces and not _TEX.search(inner)):
            return self._stray(token)
        return self._formula(token.start(), start, close, close + 1, False)

    def _comment(self, token: re.Match[str]) -> int:
        end = self._closing(token, "-->")
        if end < 0:
            return self._stray(token)
        self._flush()
        self._pieces.append(Note(self._block.part(token.end(), end)))
        return end + 3

    def _code(self, token: re.Match[str]) -> int:
        """Code ends at the next run of as many backticks."""
        if self._ticks is None:
            self._ticks = {}
            for run in re.finditer("`+", self._text):
                self._ticks.setdefault(len(run[0]), []).append(run.start())
        same = self._ticks.get(len(token[0]), [])
        later = bisect_left(same, token.end())
        if later == len(same):
            return self._stray(token)
        self._words.append(self._text[token.end():same[later]])
        return same[later] + len(token[0])

    def _closing(self, token: re.Match[str], closer: str, skip: int = 0) -> int:
        start = token.end() + skip
        known = self._closes.get(closer, 0)
        if 0 <= known < start:
            known = self._closes[closer] = closing(self._text, start, closer)
        return known

    def _stray(self, token: re.Match[str]) -> int:
        if token["begin"]:
            self._hopeless.add(token[0])
        self._words.append(token[0])
        return token.end()

    def _formula(self, opened: int, start: int, end: int, closed: int, display: bool) -> int:
        self._flush()
        self._pieces.append(Formula(self._block.part(start, end).strip(), display))
        return closed

    def _flush(self) -> None:
        words = "".join(self._words)
        self._words.clear()
        if words:
            self._pieces.append(Words(words))

    def _alone(self, start: int, end: int) -> bool:
        """Whether nothing but marks stands beside it on its lines."""
        before = self._text[self._text.rfind("\n", 0, start) + 1:start]
        stop = self._text.find("\n", end)
        after = self._text[end:stop if stop >= 0 else len(self._text)]
        return not re.search(r"[^\W_]|\$", before + re.sub(r"\{[:%#][^}]*\}|\([\w.*-]+\)", "", after))
