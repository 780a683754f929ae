"""The loops of a copy: no condition inside, and squares of a change of order turned in registers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from math import prod

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Tensor
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import Loop, Node, Product, Store, Transpose
from symconv.schedule.regions import Interval, value_interval

Box = Mapping[str, Interval]
WRITTEN_OUT = 4  # strips of a copy; with more, a loop


def copied(left: Access, source: Access, names: tuple[str, ...], box: Box, width: int) -> list[Node]:
    """left = source over the box, with loops over `names`: zeros where the source has no element.

    The outermost range that decides whether it has is cut, until none is left to decide.

    Args:
        width: of the vectors that turn squares, where the copy changes the order.
    """
    conditions = [c for c in source.in_range() if value_interval(c.expression, box)[0] < 0]
    outside = any(value_interval(c.expression, box)[1] < 0 for c in conditions)
    if not names:
        return [Store(left, Product(0) if outside else Product(1, (source,)))]
    if not conditions:
        for size in _sizes(width):  # what is too narrow for one square may hold a smaller one
            if squares := _squares(left, source, names, box, size):
                return squares
    name, *rest = names
    nodes: list[Node] = []
    pieces = _pieces(name, box, [] if outside else conditions)
    for lo, hi in pieces:
        if lo == hi:  # a loop of one step is no loop
            here = {name: lo}
            nodes += copied(left.substitute(here), source.substitute(here), tuple(rest), box, width)
        elif len(pieces) > 1:
            nodes += copied(left, source, names, {**box, name: (lo, hi)}, width)
        else:
            inner = copied(left, source, tuple(rest), box, width)
            nodes.append(Loop(name, (Affine.of(lo),), (Affine.of(hi + 1),), tuple(inner)))
    return nodes


def _pieces(name: str, box: Box, conditions: list[Constraint]) -> list[Interval]:
    """The range of a name, cut where a condition starts or stops to hold whatever the other names are."""
    low, high = box[name]
    cuts = {low, high + 1}
    for c in conditions:
        a = c.expression.coefficient(name)
        if a:
            for value in value_interval(c.expression - a * Affine.of(name), box):  # a * name + value >= 0
                edge = -(value // a) if a > 0 else value // -a + 1
                cuts.add(min(max(edge, low), high + 1))
    ends = sorted(cuts)
    return [(lo, hi - 1) for lo, hi in itertools.pairwise(ends)]


def _sizes(width: int) -> list[int]:
    """Of squares: whole vectors, then halves and quarters."""
    return [w for w in (width, width // 2, width // 4) if w > 2 or w == width > 1]


def _squares(left: Access, source: Access, names: tuple[str, ...], box: Box, width: int) -> list[Node]:
    """What is left of a copy as width x width squares, the last ones overlapping those before; [] if it is not.

    Taken as one, the last loops are contiguous in the copy, and the loops around them in the source.
    """
    extents = {n: box[n][1] - box[n][0] + 1 for n in names}
    for at in range(1, len(names)):
        columns, rows = names[:at], names[at:]
        across, down = _as_one(left, columns, extents), _as_one(source, rows, extents)
        counts = [prod(extents[n] for n in group) for group in (columns, rows)]
        if (_as_one(source, columns, extents) == _as_one(left, rows, extents) == 1 and down not in (None, 1)
                and across is not None and min(counts) >= width):
            break
    else:
        return []
    assert across is not None and down is not None
    origin = {n: box[n][0] for n in names}
    to, of, steps = _flat(left, origin), _flat(source, origin), (across, down)

    def square(column: Affine, row: Affine) -> list[Node]:
        return [Transpose(_moved(to, steps[0] * column + row), _moved(of, column + steps[1] * row), *steps, width)]

    return _strips("square", counts[0], width, lambda column: _strips(
        "part", counts[1], width, lambda row: square(column, row)))


def _as_one(a: Access, names: tuple[str, ...], extents: Mapping[str, int]) -> int | None:
    """The stride of loops taken as one; None where they are more than that."""
    own = flat_stride(a, names[-1])
    step = own
    for n in reversed(names):
        if flat_stride(a, n) != step:
            return None
        step *= extents[n]
    return own


def _strips(name: str, count: int, width: int, body: Callable[[Affine], list[Node]]) -> list[Node]:
    """All strips of a width, from where each starts; the last one overlaps the one before."""
    whole, rest = divmod(count, width)
    last = body(Affine.of(count - width)) if rest else []
    if whole <= WRITTEN_OUT:
        return [n for k in range(whole) for n in body(Affine.of(k * width))] + last
    return [Loop(name, (Affine(),), (Affine.of(whole),), tuple(body(width * Affine.of(name)))), *last]


def _flat(a: Access, at: Mapping[str, int]) -> Access:
    """An element by its place in memory."""
    place, stride = Affine(), 1
    for e, n in zip(reversed(a.indices), reversed(a.tensor.extents), strict=True):
        place, stride = place + stride * e.substitute(at), stride * n
    return Tensor(a.tensor.name, (stride,))[place]


def _moved(a: Access, by: Affine) -> Access:
    return Access(a.tensor, (a.indices[0] + by,))
