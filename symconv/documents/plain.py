"""Plain text: formulas between dollars, or one to a line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symconv.documents.collect import Collector, Formula, Piece, Words
from symconv.documents.delimiters import comments
from symconv.documents.inline import scan
from symconv.documents.latex import read_latex
from symconv.documents.macros import definitions
from symconv.documents.traced import Traced

_LATEX_FILE = re.compile(r"\\(?:documentclass|begin\s*\{document\})")
_MATH = re.compile(r"=|\\[A-Za-z]|[\u2190-\u21ff\u2200-\u22ff\u2a00-\u2aff]")
_DIRECTIVE = re.compile(r"^[ \t]*(%+[ \t]*symconv[ \t]*:.*)$", re.MULTILINE)
# A list's mark, or words that end in a colon.
_LEAD = re.compile(r"\s*(?:(?:[-*•]|\(?\d+[.)])[ \t]+)?(?:[^\W\d_][^\W_]{2,}[^=\\:$]{0,80}:[ \t]+)?")
_GOES_ON = re.compile(r"(?:[=+*/,(&<>-]|\\\\|\\(?:cdot|times|leq?|geq?|approx|quad|qquad))\s*\Z")
_GOES_BACK = re.compile(r"\s*(?:[=+*/)&<>]|\\(?:cdot|times|leq?|geq?|approx|quad|qquad|end)(?![A-Za-z]))")


def read_plain(text: Traced, into: Collector) -> None:
    """Collect the formulas and directives of a plain text."""
    if _LATEX_FILE.search(text.text):
        read_latex(text, into)
        return
    lines = [m.span(1) for m in _DIRECTIVE.finditer(text.text)]
    html = list(comments(text.text))
    for start, end in lines + html:
        into.note(text.part(start, end))
    into.define(text)
    text = _without([*lines, *((a - 4, b + 3) for a, b in html),
                     *((d.start, d.end) for d in definitions(text.text))], text)
    paragraphs = [(p, scan(p, markdown=False)) for p in text.paragraphs()]
    dollars = any(isinstance(p, Formula) and not p.display for _, pieces in paragraphs for p in pieces)
    for paragraph, pieces in paragraphs:
        if dollars or any(isinstance(p, Formula) for p in pieces):
            into.add(pieces)
        else:
            for line in _statements(paragraph):
                into.add(_line(line))


def _without(spans: list[tuple[int, int]], text: Traced) -> Traced:
    """The text with some spans made blank, its lines kept."""
    shown = list(text.text)
    for start, end in spans:
        shown[start:end] = re.sub(r"[^\n]", " ", text.text[start:end])
    return Traced("".join(shown), text.at)


def _statements(paragraph: Traced) -> Iterator[Traced]:
    """The lines, each with those that carry it on: in an open group, or beside an operator."""
    start = end = depth = 0
    for line in re.finditer(r"[^\n]+", paragraph.text):
        carried = depth > 0 or _GOES_BACK.match(line[0]) or _GOES_ON.search(paragraph.text, max(start, end - 20), end)
        if end and not carried:
            yield paragraph.part(start, end)
            start, depth = line.start(), 0
        depth += len(re.findall(r"(?<!\\)\{", line[0])) - len(re.findall(r"(?<!\\)\}", line[0]))
        end = line.end()
    yield paragraph.part(start, end)


def _line(line: Traced) -> list[Piece]:
    if not _MATH.search(line.text):
        return [Words(line.text)]
    lead = _LEAD.match(line.text)
    start = lead.end() if lead else 0
    if not _MATH.search(line.text, start):
        start = 0
    return [Words(line.text[:start]), Formula(line.part(start, len(line.text)).strip(), True)]


