"""Markdown: markdown-it finds the blocks, `inline` the formulas in them.

markdown-it reports lines only. The columns come from laying the content of a block over the lines
of the source it was taken from: every line of a block is the end of its source line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from symconv.documents.collect import Collector, Formula, Note
from symconv.documents.delimiters import (
    CLOSERS,
    DISPLAYS,
    INNER,
    closing,
    comments,
    environment_step,
    names,
    open_environments,
)
from symconv.documents.inline import scan
from symconv.documents.latex import read_latex
from symconv.documents.traced import Traced, join

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_OPENER = re.compile(r"(?P<mark>\$\$|\\\\?\[)|\\begin\s*\{(?P<name>" + names(DISPLAYS + INNER) + r")\}")
_CODE_TAG = re.compile(r"\{%-?\s*(highlight|comment|end(?:highlight|comment))\b[^\n%]*%\}")
_OPTION = re.compile(r"(?:\s*:[\w-]+:[^\n]*\n)+")
_GAP = re.compile(r"\n(?:[ \t>]*\n)+[ \t>]*")


def read_markdown(text: Traced, into: Collector) -> None:
    """Collect the formulas and directives of a Markdown text."""
    text = _without_tagged_code(text)
    lines = _line_spans(text.text)
    used: dict[int, int] = {}  # how far the cells of a table's row have been taken
    before = ""
    for token in _parser().parse(text.text):
        if token.map and token.type == "inline":
            single = before in ("th_open", "td_open", "heading_open") and token.map[1] - token.map[0] == 1
            block = _cell(text, token, lines, used) if single else _laid(text, token, lines, token.map[0])
            into.define(block)
            into.add(scan(block, markdown=True))
        elif token.map and token.type == "fence":
            _fence(_laid(text, token, lines, token.map[0] + 1), token.info, into)
        elif token.map and token.type == "html_block":
            block = _laid(text, token, lines, token.map[0])
            into.add([Note(block.part(*span)) for span in comments(block.text)])
        before = token.type


def _fence(content: Traced, info: str, into: Collector) -> None:
    """```` ```math ```` is one formula; ```` ```latex ```` is one too unless it is a text with formulas."""
    language = (info.split() or [""])[0].strip("{}").lower()
    if language == "math":
        options = _OPTION.match(content.text)  # MyST's `:label: name`
        content = content.part(options.end() if options else 0, len(content.text)).strip()
    elif language not in ("latex", "tex"):
        return
    into.define(content)
    if language == "math" or not read_latex(content, into, prose=False):
        parts = [content.strip()] if language == "math" else [p.strip() for p in content.paragraphs()]
        for part in parts:
            if part.text and not re.search(r"\\(?:documentclass|usepackage|begin\{document)|[A-Za-z]{3,}(?: [a-z]+){3}",
                                           part.text):
                into.add([Formula(part, True)])


@cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.front_matter import front_matter_plugin

    parser = MarkdownIt("commonmark").enable("table").disable("reference").use(front_matter_plugin)
    parser.core.ruler.enableOnly(["block"])
    stops = {"alt": ["paragraph", "blockquote", "list"]}
    parser.block.ruler.before("table", "display", _display, stops)  # type: ignore[arg-type]
    return parser


def _display(state: StateBlock, first: int, last: int, silent: bool) -> bool:
    """A block rule: a display of several lines is one block, whatever its lines look like."""
    start = state.bMarks[first] + state.tShift[first]
    if state.src[start:start + 1] not in ("$", "\\") or state.is_code_block(first):
        return False
    opener = _OPENER.match(state.src, start, state.eMarks[first])
    line = _closing_line(state, opener, first, last) if opener else -1
    if line <= first:
        return False
    if not silent:
        content = state.getLines(first, line + 1, state.blkIndent, False)
        for kind, nesting in (("paragraph_open", 1), ("inline", 0), ("paragraph_close", -1)):
            token = state.push(kind, "p" if nesting else "", nesting)  # type: ignore[arg-type]
            token.map = [first, line + 1] if nesting >= 0 else None
            token.content = "" if nesting else content
        state.line = line + 1
    return True


def _closing_line(state: StateBlock, opener: re.Match[str], first: int, last: int) -> int:
    """The line on which the display is closed, or -1."""
    search = state.env.setdefault("symconv", _Search(state.src))
    close = search.close(opener, state.eMarks[first], state.eMarks[last - 1])
    line, indent = first, min(state.blkIndent, state.sCount[first])
    while close > state.eMarks[line]:
        line += 1
        if state.sCount[line] < indent and state.tShift[line] < state.eMarks[line] - state.bMarks[line]:
            return -1  # outside the list item
    return line if close >= 0 else -1


class _Search:
    """Looks for the ends of displays; remembers where it found none, to pass no text too often."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._gap: re.Match[str] | None = None
        self._gap_from = self._gap_to = -1
        self._failed: dict[str, int] = {}

    def close(self, opener: re.Match[str], line_end: int, stop: int) -> int:
        """The offset of the end of the display, or -1.

        A blank line ends the search, unless it stands at the edge of the display or within an environment.
        """
        here, key = opener.end(), opener[0]
        if here < self._failed.get(key, -1):
            return -1
        opened = 0 if opener["mark"] else 1
        end, _ = self._step(opener, here, line_end, opened)
        depth, seen = opened, False
        while end < 0:
            gap = self._next_gap(here)
            limit = min(gap.start() if gap else stop, stop)
            end, depth = self._step(opener, here, limit, depth)
            seen = seen or bool(self._source[here:limit].strip())
            here = gap.end() if gap else limit
            if end >= 0 or not gap or here >= stop:
                break
            if (seen and depth <= 0 and not self._source.startswith(CLOSERS.get(key, "\\end"), here)) or (
                    opener["name"] and _OPENER.match(self._source, here)):
                break
        if end < 0:
            self._failed[key] = here
        return end

    def _step(self, opener: re.Match[str], start: int, stop: int, depth: int) -> tuple[int, int]:
        """Where it ends before `stop`, or -1, and how many environments are open then."""
        if opener["name"]:
            return environment_step(self._source, start, stop, opener["name"], depth)
        end = closing(self._source, start, CLOSERS[opener[0]], stop)
        return end, depth + open_environments(self._source[start:stop])

    def _next_gap(self, here: int) -> re.Match[str] | None:
        """The next blank line or lines, with the marks of quotes."""
        if not self._gap_from <= here <= self._gap_to:
            self._gap = _GAP.search(self._source, here)
            self._gap_from, self._gap_to = here, self._gap.start() if self._gap else len(self._source)
        return self._gap


def _without_tagged_code(text: Traced) -> Traced:
    """Liquid's code and comments made blank, line by line."""
    spans, opened, start = [], "", 0
    for tag in _CODE_TAG.finditer(text.text):
        if not opened and not tag[1].startswith("end"):
            opened, start = tag[1], tag.end()
        elif opened and tag[1] == "end" + opened:
            spans.append((start, tag.start()))
            opened = ""
    if not spans:
        return text
    pieces: list[str] = []
    end = 0
    for begin, stop in spans:
        pieces += text.text[end:begin], re.sub(r"[^\n]", " ", text.text[begin:stop])
        end = stop
    return Traced("".join(pieces) + text.text[end:], text.at)


def _line_spans(text: str) -> list[tuple[int, int]]:
    """Where each line begins and ends."""
    spans, start = [], 0
    for line in text.split("\n"):
        spans.append((start, start + len(line)))
        start += len(line) + 1
    return spans


def _laid(text: Traced, token: Token, lines: list[tuple[int, int]], first: int) -> Traced:
    """The content of a block laid over the source lines from `first`."""
    return join(list(_laid_lines(text, token.content.removesuffix("\n").split("\n"), lines, first)))


def _laid_lines(text: Traced, content: list[str], lines: list[tuple[int, int]], first: int) -> Iterator[Traced]:
    for number, line in enumerate(content, first):
        start, end = lines[min(number, len(lines) - 1)]
        source = text.text[start:end]
        trimmed = source.rstrip()
        # A tab cut by an indentation comes back as spaces: then only the text itself is found again.
        for shown, host in ((line, source), (line, trimmed), (line.strip(), trimmed)):
            if host.endswith(shown):
                begin = start + len(host) - len(shown)
                yield text.part(begin, begin + len(shown))
                break
        if number - first < len(content) - 1:
            yield Traced("\n", (text.at[end], text.at[min(end + 1, len(text.text))]))


def _cell(text: Traced, token: Token, lines: list[tuple[int, int]], used: dict[int, int]) -> Traced:
    """A cell of a table or a heading within its line; a cell's escaped bars are bars."""
    start, end = lines[token.map[0] if token.map else 0]
    pattern = re.escape(token.content).replace(r"\|", r"\\?\|")
    found = re.compile(pattern).search(text.text, max(start, used.get(start, 0)), end)
    if not found:
        return text.part(start, start)
    used[start] = found.end()
    cell = text.part(*found.span())
    return cell.cut(m.span() for m in re.finditer(r"\\(?=\|)", cell.text)) if "|" in token.content else cell
