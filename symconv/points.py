"""The integer points of a term, one by one, with numbers for every size.

Bounds come from the constraints alone: an interval for each index at first, then, with the
indices before it fixed, the tighter one that each constraint leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symconv.affine import Affine, Constraint
from symconv.errors import NotSupported

Box = dict[str, tuple[int, int]]


@dataclass(frozen=True)
class Level:
    """One index, its own constraints as (coefficient, earlier coefficients, slack of later ones)."""

    low: int
    high: int
    rows: tuple[tuple[int, tuple[tuple[int, int], ...], int], ...]


def points(names: Sequence[str], constraints: Sequence[Constraint]) -> Iterator[tuple[int, ...]]:
    """Every integer point of the names, in lexicographic order, where all constraints hold.

    Raises:
        NotSupported: an index is not bounded.
    """
    rows = [e for c in constraints for e in ((c.expression, -c.expression) if c.equality else (c.expression,))]
    if any(e.is_constant and e.constant < 0 for e in rows):
        return
    box = _box(names, rows)
    if box is None:
        return
    levels = [_level(n, names, rows, box) for n in range(len(names))]
    yield from _walk(levels, 0, [0] * len(names)) if levels else iter([()])


def _box(names: Sequence[str], rows: Sequence[Affine]) -> Box | None:
    """An interval for each name that no constraint can narrow; None when one is empty."""
    low: dict[str, int] = {}
    high: dict[str, int] = {}
    for _ in range(4 * len(names) + 4):
        before = dict(low), dict(high)
        for e in rows:
            for name in e.names:
                _narrow(e, name, low, high)
        if any(low.get(n, 0) > high.get(n, low.get(n, 0)) for n in names):
            return None
        if before == (low, high):
            break
    free = [n for n in names if n not in low or n not in high]
    if free:
        raise NotSupported(f"the index {free[0]} has no bounds, its sum cannot be written out")
    return {n: (low[n], high[n]) for n in names}


def _narrow(e: Affine, name: str, low: dict[str, int], high: dict[str, int]) -> None:
    """What `e >= 0` says of one name when the others are as helpful as their intervals allow."""
    best = e.constant
    for (other,), c in ((m, c) for m, c in e if m):
        if other != name:
            bound = (high if c > 0 else low).get(other)
            if bound is None:
                return
            best += c * bound
    a = e.coefficient(name)
    if a > 0:
        low[name] = max(low.get(name, -(best // a)), -(best // a))
    else:
        high[name] = min(high.get(name, best // -a), best // -a)


def _level(at: int, names: Sequence[str], rows: Sequence[Affine], box: Box) -> Level:
    found = []
    for e in rows:
        a = e.coefficient(names[at])
        if a:
            earlier = tuple((n, c) for n in range(at) if (c := e.coefficient(names[n])))
            later = sum(max(c * box[n][0], c * box[n][1]) for n in names[at + 1:] if (c := e.coefficient(n)))
            if earlier:
                found.append((a, earlier, e.constant + later))
    return Level(*box[names[at]], tuple(found))


def _walk(levels: Sequence[Level], at: int, point: list[int]) -> Iterator[tuple[int, ...]]:
    level = levels[at]
    low, high = level.low, level.high
    for a, earlier, constant in level.rows:
        for n, c in earlier:
            constant += c * point[n]
        if a > 0:
            low = max(low, -(constant // a))
        else:
            high = min(high, constant // -a)
    last = at == len(levels) - 1
    for value in range(low, high + 1):
        point[at] = value
        if last:
            yield tuple(point)
        else:
            yield from _walk(levels, at + 1, point)
