"""The source lines of a finding with carets under the part it speaks about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rich.cells import cell_len

from symconv.claims.finding import Finding
from symconv.telling.plain import plain, reach

MOST_LINES = 6


@dataclass(frozen=True, slots=True)
class Line:
    """A source line cut to the width, and the caret line below it; number 0 stands for lines left out."""

    number: int
    text: str
    carets: str = ""


def excerpt(finding: Finding, text: str, width: int) -> tuple[Line, ...]:
    """The lines the finding covers, or its formula alone when the text does not have that place.

    Args:
        text: the whole source; lines end at a line feed, as columns are counted.
        width: cells for the source line. Longer lines are cut around the part.
    """
    if not finding.latex and (finding.line, finding.column) == (finding.end_line, finding.end_column):
        return ()  # about the document as a whole
    lines = text.split("\n")
    if not (0 < finding.line <= finding.end_line <= len(lines) and finding.column > 0) or _escaped(finding, lines):
        lines = finding.latex.strip("\n").split("\n")
        rows = [Line(n, _cut(plain(line), 0, 0, width)[0]) for n, line in enumerate(lines, finding.line)]
    else:
        rows = list(_marked(finding, lines, width))
    if len(rows) > MOST_LINES:
        rows = [*rows[:MOST_LINES - 2], Line(0, f"… {len(rows) - MOST_LINES + 1} more lines"), rows[-1]]
    return tuple(rows)


def _escaped(finding: Finding, lines: list[str]) -> bool:
    """Whether the place holds the formula in another spelling, as a notebook's JSON does."""
    there = "\n".join(lines[finding.line - 1:finding.end_line])
    first = finding.latex.strip().split("\n")[0].strip()
    return first not in there and first.replace("\\", "\\\\") in there


def _marked(finding: Finding, lines: list[str], width: int) -> Iterator[Line]:
    for number in range(finding.line, finding.end_line + 1):
        line = lines[number - 1].rstrip()
        start = finding.column - 1 if number == finding.line else len(line) - len(line.lstrip())
        end = finding.end_column - 1 if number == finding.end_line else len(line)
        if number > finding.line and end <= start:
            continue  # a blank line, or one that only closes the formula
        start = min(start, len(line))
        end = max(start, min(end, len(line)))
        shown, skipped = _cut(plain(line), start, end, width)
        moved = bool(skipped) - skipped  # an ellipsis stands for what is left out
        before = cell_len(shown[:start + moved])
        under = cell_len(shown[start + moved:end + moved])
        yield Line(number, shown, " " * before + "^" * max(1, under))


def _cut(line: str, start: int, end: int, width: int) -> tuple[str, int]:
    """A window `width` cells wide on the part from `start` to `end`; and how many characters it leaves out in front."""
    if cell_len(line) <= width:
        return line, 0
    skipped = 0
    if cell_len(line[:end]) >= width:
        skipped = start
        while (skipped > max(0, start - width) and cell_len(line[skipped - 1:start]) <= width // 4
               and cell_len(line[skipped - 1:end]) <= width - 2):
            skipped -= 1
    head = "…" if skipped else ""
    stop = reach(line, skipped, width - 1 - len(head))
    return head + line[skipped:stop] + ("…" if stop < len(line) else ""), skipped
