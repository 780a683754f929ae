"""The loops of a copy: no condition inside, and squares of a change of order turned in registers."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from math import prod

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Tensor
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import Loop, Node, Product, Store, Transpose
from symconv.schedule.regions import Interval, value_interval

Box = Mapping[str, Interval]


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
    if not conditions and (squares := _squares(left, source, names, box, width)):
        return squares
    name, *rest = names
    nodes: list[Node] = []
    for lo, hi in _pieces(name, box, [] if outside else conditions):
        if lo == hi:  # a loop of one step is no loop
            here = {name: lo}
            nodes += copied(left.substitute(here), source.substitute(here), tuple(rest), box, width)
        else:
            inner = copied(left, source, tuple(rest), {**box, name: (lo, hi)}, width)
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


def _squares(left: Access, source: Access, names: tuple[str, ...], box: Box, width: int) -> list[Node]:
    """What is left of a copy as width x width squares, the last one overlapping the one before; [] if it is not.

    The lane is contiguous in the copy, and the loops around it, taken as one, in the source.
    """
    *columns, lane = names
    extents = {n: box[n][1] - box[n][0] + 1 for n in names}
    count = prod(extents[n] for n in columns)
    if not columns or width < 2 or count < width or extents[lane] % width or flat_stride(left, lane) != 1:
        return []
    step = 1
    for n in reversed(columns):
        if flat_stride(source, n) != step or flat_stride(left, n) != step * flat_stride(left, columns[-1]):
            return []
        step *= extents[n]
    if flat_stride(source, lane) == 1:
        return []
    column = columns[-1]
    origin = {n: box[n][0] for n in names}
    to, of = _flat(left, origin), _flat(source, origin)
    steps = flat_stride(source, lane), flat_stride(left, column)

    def squares(at: Affine) -> list[Node]:
        return [Transpose(_moved(to, steps[1] * at + k), _moved(of, at + k * steps[0]), steps[1], steps[0], width)
                for k in range(0, extents[lane], width)]

    whole = count // width
    body: list[Node] = [Loop("square", (Affine(),), (Affine.of(whole),), tuple(squares(width * Affine.of("square"))))]
    return (body if whole > 1 else squares(Affine())) + (squares(Affine.of(count - width)) if count % width else [])


def _flat(a: Access, at: Mapping[str, int]) -> Access:
    """An element by its place in memory."""
    place, stride = Affine(), 1
    for e, n in zip(reversed(a.indices), reversed(a.tensor.extents), strict=True):
        place, stride = place + stride * e.substitute(at), stride * n
    return Tensor(a.tensor.name, (stride,))[place]


def _moved(a: Access, by: Affine) -> Access:
    return Access(a.tensor, (a.indices[0] + by,))
