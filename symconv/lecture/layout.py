"""Where long formulas break: the same places in every format."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.notation.as_mathml import RELATIONS
from symconv.notation.as_text import TEXT
from symconv.notation.nodes import Chain, Node

WIDE = 46  # characters of plain text that fit a line
Row = tuple[Node | None, str, Node]


def broken(lines: tuple[Node, ...]) -> list[Row]:
    """Rows of (left side, sign, right side). One formula that fits its line is a single row without a left side."""
    if len(lines) == 1 and (not isinstance(lines[0], Chain) or len(TEXT(lines[0])) <= WIDE):
        return [(None, "", lines[0])]
    return [row for line in lines for row in _rows(line)]


def _rows(line: Node) -> Iterator[Row]:
    if not isinstance(line, Chain):
        yield None, "", line
        return
    left: Node | None = line.items[0]
    signs = [RELATIONS.get(o, o) for o in line.operators]
    held: list[Node] = []
    for n, item in enumerate(line.items[1:]):
        width = len(TEXT(item)) + sum(len(TEXT(h)) + 3 for h in held) + len(TEXT(line.items[0]))
        if held and width > WIDE:
            yield left, signs[n - len(held)], _joined(held, line.operators[n - len(held) + 1:n])
            left, held = None, []
        held.append(item)
    last = len(line.items) - 1
    yield left, signs[last - len(held)], _joined(held, line.operators[last - len(held) + 1:last])


def _joined(items: list[Node], operators: tuple[str, ...]) -> Node:
    return items[0] if len(items) == 1 else Chain(tuple(items), operators)


