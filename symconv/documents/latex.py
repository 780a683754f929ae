"""LaTeX sources: formulas in the running text, comments and verbatim left out, broken input tolerated."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from symconv.documents.collect import Collector, Formula, Piece, Words
from symconv.documents.delimiters import CLOSERS, DISPLAYS, closing, environment_end, names
from symconv.documents.macros import Definition, definitions
from symconv.documents.traced import Traced

_HIDDEN = "\x01"  # stands where a comment, a definition or verbatim text was
_VERBATIM = ("verbatim", "Verbatim", "lstlisting", "minted", "comment", "filecontents", "alltt")
_MASKED = re.compile(
    r"\\begin\s*\{(?P<name>" + names(_VERBATIM) + r")\}|(?P<iffalse>\\iffalse(?![A-Za-z]))"
    r"|\\(?:verb\*?|lstinline)(?P<bar>[^A-Za-z\s*{])[^\n]*?(?P=bar)|\\.|(?P<comment>%[^\n]*)", re.DOTALL)
_TOKEN = re.compile(
    r"\\begin\s*\{(?P<name>" + names(DISPLAYS) + r")\}|(?P<open>\\[(\[]|\$\$?)"
    r"|(?P<stop>\n[ \t]*(?=\n)|&|\\(?:item|par|(?:sub)*section|paragraph|chapter|caption)(?![A-Za-z])\*?"
    r"|\\(?:begin|end)\s*\{[^{}\n]*\})"
    r"|(?P<reference>\\(?:label|[a-zA-Z]*ref|cite[a-z]*|includegraphics|url)\*?(?:\[[^\[\]\n]*\])?\{[^{}\n]*\})"
    r"|(?P<command>\\(?:[A-Za-z@]+\*?|.))|(?P<brace>[{}]+)", re.DOTALL)
_PARAGRAPH = re.compile(r"\n[ \t]*\n")
_NEXT = re.compile(r"\\begin\s*\{" + names(DISPLAYS) + r"\}|\\[(\[]|\$|\\(?:sub)*section|\\chapter")
_DELIMITER = re.compile(r"\\begin\s*\{(" + names(DISPLAYS) + r")\}|\\end\s*\{(" + names(DISPLAYS) + r")\}")


def read_latex(text: Traced, into: Collector, prose: bool = True) -> bool:
    """Collect the formulas and directives of a LaTeX text; tells whether there was a formula.

    Args:
        prose: whether the words count if there is no formula among them.
    """
    blocks = _Reader(text, into).blocks()
    formulas = any(isinstance(p, Formula) for b in blocks for p in b)
    for block in blocks if formulas or prose else ():
        into.add(block)
    return formulas


class _Reader:
    def __init__(self, text: Traced, into: Collector) -> None:
        self._source = text
        masked = _masked(text, into)
        found = list(definitions(masked))
        into.define(Traced(masked.replace(_HIDDEN, " "), text.at))
        self._text = "".join(_hidden(masked, [(d.start, d.end) for d in found]))
        self._begins, self._ends = _delimiter_macros(found)
        self._pieces: list[Piece] = []
        self._blocks: list[list[Piece]] = []
        self._gap = -1  # the next end of a paragraph
        self._hopeless = -1  # no \\) before this offset

    def blocks(self) -> list[list[Piece]]:
        here = 0
        while token := _TOKEN.search(self._text, here):
            self._words(self._text[here:token.start()])
            here = self._take(token)
        self._words(self._text[here:])
        self._block_ends()
        return self._blocks

    def _take(self, token: re.Match[str]) -> int:
        """Take what begins at the token; returns where it ends."""
        if token["name"]:
            return self._environment(token.start(), token.end(), token["name"])
        if token["open"]:
            return self._delimited(token)
        if token["stop"]:
            self._block_ends()
            return token.end() + self._text.startswith("\n", token.end())
        command = (token["command"] or "")[1:]
        if command in self._begins:
            return self._environment(token.start(), token.end(), self._begins[command])
        if command and not command[0].isalpha():
            self._words(command if command in "$%&#_{}" else " ")
        elif token["reference"]:
            self._words(" ")
        return token.end()

    def _environment(self, opened: int, start: int, name: str) -> int:
        """A blank line in a formula is an error in TeX: accepted unless another formula begins behind it."""
        stop = self._paragraph_end(start)
        end = self._environment_end(start, name, stop)
        if end < 0 and stop < len(self._text):
            other = _NEXT.search(self._text, stop)
            end = self._environment_end(start, name, other.start() if other else len(self._text))
        end = end if end >= 0 else stop
        return self._formula(opened, end, True, end)

    def _environment_end(self, start: int, name: str, stop: int) -> int:
        end = environment_end(self._text, start, name, stop)
        if end < 0 and (macros := [re.escape(m) for m, n in self._ends.items() if n == name]):
            short = re.compile(rf"\\(?:{'|'.join(macros)})(?![A-Za-z])").search(self._text, start, stop)
            end = short.end() if short else -1
        return end

    def _delimited(self, token: re.Match[str]) -> int:
        closer, start = CLOSERS[token[0]], token.end()
        stop = self._paragraph_end(start)
        close = -1 if closer == "\\)" and start < self._hopeless else closing(self._text, start, closer, stop)
        if close >= 0:
            return self._formula(start, close, token[0] in ("$$", "\\["), close + len(closer))
        if closer == "\\)":
            self._hopeless = stop
        return start if closer in ("$", "\\)") else self._formula(start, stop, True, stop)

    def _paragraph_end(self, start: int) -> int:
        if self._gap < start:
            gap = _PARAGRAPH.search(self._text, start)
            self._gap = gap.start() if gap else len(self._text)
        return self._gap

    def _formula(self, start: int, end: int, display: bool, after: int) -> int:
        text = self._source.part(start, end).strip()
        if text.text:
            self._pieces.append(Formula(text, display))
        return after

    def _words(self, text: str) -> None:
        text = text.replace(_HIDDEN, "").replace("~", " ")
        if text:
            self._pieces.append(Words(text))

    def _block_ends(self) -> None:
        if self._pieces:
            self._blocks.append(self._pieces)
            self._pieces = []


def _masked(text: Traced, into: Collector) -> str:
    """The text with comments and verbatim hidden, every character in its place; notes directives."""
    spans, here = [], 0
    while found := _MASKED.search(text.text, here):
        here = found.end()
        if found["name"] or found["iffalse"]:
            closer = f"\\end{{{found['name']}}}" if found["name"] else "\\fi"
            end = text.text.find(closer, here)
            here = end + len(closer) if end >= 0 else here
        elif not found["comment"] and not found["bar"]:
            continue
        if found["comment"]:
            into.note(text.part(found.start(), here))
        spans.append((found.start(), here))
    return "".join(_hidden(text.text, spans))


def _hidden(text: str, spans: Iterable[tuple[int, int]]) -> Iterator[str]:
    start = 0
    for begin, end in spans:
        yield text[start:begin]
        yield re.sub(r"[^\n]", _HIDDEN, text[begin:end])
        start = end
    yield text[start:]


def _delimiter_macros(found: Iterable[Definition]) -> tuple[dict[str, str], dict[str, str]]:
    """Macros such as `\\be` and `\\ee` that only begin or only end an environment: name to environment."""
    begins, ends = {}, {}
    for definition in found:
        whole = _DELIMITER.fullmatch(definition.macro.body.strip())
        if whole and whole[1]:
            begins[definition.macro.name] = whole[1]
        elif whole:
            ends[definition.macro.name] = whole[2]
    return begins, ends
