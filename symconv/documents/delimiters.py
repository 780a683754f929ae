"""Where a formula that has been opened ends. Every search is linear in what it passes."""

from __future__ import annotations

import re
from collections.abc import Iterator

DISPLAYS = ("equation", "align", "gather", "multline", "eqnarray", "displaymath", "math", "alignat", "flalign",
            "xalignat", "xxalignat", "dmath", "IEEEeqnarray")
INNER = ("split", "aligned", "alignedat", "gathered", "cases", "array", "matrix", "pmatrix", "bmatrix", "Bmatrix",
         "vmatrix", "Vmatrix", "smallmatrix")
DOUBLED = {"\\\\(": "\\\\)", "\\\\[": "\\\\]"}  # as kramdown wants them
CLOSERS = {"$": "$", "$$": "$$", "\\(": "\\)", "\\[": "\\]", **DOUBLED}

# Text within a formula may hold formulas of its own.
_TEXT = r"\\(?:text[a-z]*|mbox)\s*\{[^{}]*\}"
_SEARCH = {
    "$": re.compile(_TEXT + r"|\\.|\$", re.DOTALL),
    "$$": re.compile(r"\\.|\$\$", re.DOTALL),
    "\\)": re.compile(r"\\.", re.DOTALL),
    "\\]": re.compile(r"\\.", re.DOTALL),
}
_ENVIRONMENT = re.compile(r"\\(begin|end)\s*\{([^{}\n]{1,40})\}")


def closing(text: str, start: int, closer: str, end: int | None = None) -> int:
    """The position of the closer of a formula whose content begins at `start`, or -1."""
    end = len(text) if end is None else end
    if closer not in _SEARCH:
        return text.find(closer, start, end)
    return next((m.start() for m in _SEARCH[closer].finditer(text, start, end) if m[0] == closer), -1)


def environment_end(text: str, start: int, name: str, end: int | None = None) -> int:
    """The offset after the `\\end` of an environment whose content begins at `start`, or -1."""
    return environment_step(text, start, len(text) if end is None else end, name, 1)[0]


def environment_step(text: str, start: int, end: int, name: str, depth: int) -> tuple[int, int]:
    """The same from within `depth` environments of that name; also how many are still open at `end`."""
    for found in _ENVIRONMENT.finditer(text, start, end):
        if found[2] == name:
            depth += 1 if found[1] == "begin" else -1
            if not depth:
                return found.end(), 0
    return -1, depth


def open_environments(text: str) -> int:
    """How many environments the text leaves open."""
    return sum(1 if m[1] == "begin" else -1 for m in _ENVIRONMENT.finditer(text))


def names(environments: tuple[str, ...]) -> str:
    """A pattern for the names, with and without star."""
    return f"(?:{'|'.join(environments)})\\*?"


def comments(text: str) -> Iterator[tuple[int, int]]:
    """Where the content of each HTML comment begins and ends."""
    end = 0
    while (start := text.find("<!--", end)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        yield start + 4, end
