"""Jupyter notebooks: the cells' texts, traced to the characters of the JSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from symconv.documents.collect import Collector
from symconv.documents.markdown import read_markdown
from symconv.documents.plain import read_plain
from symconv.documents.traced import Traced, join
from symconv.errors import SymconvError

_TOKEN = re.compile(r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")|[{}\[\]:,]', re.DOTALL)
_UNIT = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL)
_PATH = (("cells", 0), ("worksheets", 0, "cells", 0))  # the second before nbformat 4; 0 stands for any number

Path = tuple[str | int, ...]


def read_notebook(text: str, into: Collector) -> None:
    """Collect the formulas and directives of the Markdown and raw cells.

    Raises:
        SymconvError: if the text is no notebook.
    """
    skipped = text.startswith("\ufeff")
    try:
        content = json.loads(text[skipped:])
    except RecursionError:
        raise SymconvError("not a notebook: its JSON is nested too deeply") from None
    except ValueError as error:
        raise SymconvError(f"not a notebook: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("cells", content.get("worksheets")), list):
        raise SymconvError("not a notebook: its JSON has no list of cells")
    for kind, source in _cells(text):
        if kind == "markdown":
            read_markdown(source, into)
        elif kind == "raw":
            read_plain(source, into)


def _cells(text: str) -> Iterator[tuple[str, Traced]]:
    """Each cell's type and source."""
    kinds: dict[Path, str] = {}
    sources: dict[Path, list[Traced]] = {}
    for path, string in _strings(text):
        for depth in (2, 4):
            shape = tuple(0 if isinstance(p, int) else p for p in path[:depth])
            if shape in _PATH and path[depth:] == ("cell_type",):
                kinds[path[:depth]] = string.text
            elif shape in _PATH and path[depth:depth + 1] == ("source",):
                sources.setdefault(path[:depth], []).append(string)
    for cell, parts in sources.items():
        source = join(parts)
        yield kinds.get(cell, ""), Traced(source.text.replace("\r", "\n").replace("\0", "\ufffd"), source.at)


def _strings(text: str) -> Iterator[tuple[Path, Traced]]:
    """The strings of valid JSON that belong to a cell's type or source, each with its path."""
    path: list[str | int] = []
    expect_key = False
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "{":
            path.append("")
            expect_key = True
        elif mark == "[":
            path.append(0)
            expect_key = False
        elif mark in "}]":
            path.pop()
            expect_key = False
        elif mark == ",":
            last = path[-1]
            expect_key = isinstance(last, str)
            path[-1] = last if isinstance(last, str) else last + 1
        elif mark != ":" and expect_key:
            path[-1] = json.loads(mark)
            expect_key = False
        elif mark != ":" and {"source", "cell_type"} & set(path[2:]):
            yield tuple(path), _decoded(text, token.start() + 1, token.end() - 1)


def _decoded(text: str, start: int, end: int) -> Traced:
    """What a JSON string says, each character traced to its escape."""
    shown, at = [], []
    for unit in _UNIT.finditer(text, start, end):
        shown.append(unit[0] if unit[0][0] != "\\" else json.loads(f'"{unit[0]}"'))
        at.append(unit.start())
    return Traced("".join(shown), (*at, end))
