"""The summation points of one term, as the oracle enumerates them: NumPy blocks of flat offsets.

All names, output and summation alike, run over boxes worked out from the shapes. An index that an
equality fixes with coefficient 1 or -1 is computed instead of enumerated. Conditions that the boxes do
not imply are masks. An index no mask depends on only shifts the offsets of a block, so the block's
points are found once and reused for all its values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import product
from math import prod
from operator import add

import numpy as np
from numpy.typing import NDArray

from symconv.affine import Affine
from symconv.equation import Access, Equation, Term
from symconv.errors import NotSupported

CHUNK = 2**18
Row = tuple[dict[str, int], int]  # sum of coefficient * name + constant
Box = dict[str, tuple[int, int]]  # both ends included
Offsets = NDArray[np.intp]


@dataclass(frozen=True)
class Block:
    """Points that occur together: element `start[a] + offsets[a]` of access a, for each start."""

    offsets: tuple[Offsets, ...]
    starts: Iterator[tuple[int, ...]]


@dataclass(frozen=True)
class Points:
    """The points of a term: `box` of the enumerated names, `solved` names, conditions not yet implied."""

    box: Box
    solved: dict[str, Row]
    inequalities: tuple[Row, ...]
    equalities: tuple[Row, ...]

    @property
    def empty(self) -> bool:
        return any(hi < lo for lo, hi in self.box.values())

    def extent(self, name: str) -> int:
        lo, hi = self.box[name]
        return hi - lo + 1

    def fibre(self, access: Access) -> int:
        """An upper bound on the points that meet in one element of the access.

        Each independent index of the access fixes one name; the others run freely.
        """
        if self.empty:
            return 0
        free, rows = set(self.box), [self._row(e) for e in access.indices]
        pending = [{n: Fraction(c) for n, c in r[0].items()} for r in (*rows, *self.equalities)]
        while pending:
            row = {n: c for n, c in pending.pop(0).items() if c}
            if row:
                pivot = max(row, key=lambda n: (self.extent(n), n))
                free.discard(pivot)
                pending = [_without(r, row, pivot) for r in pending]
        return prod(map(self.extent, free))

    def blocks(self, accesses: Sequence[Access], chunk: int = CHUNK) -> Iterator[Block]:
        """Every point once, in blocks of at most `chunk` candidates."""
        if self.empty:
            return
        tight = {n for r in (*self.inequalities, *self.equalities) for n in r[0]}
        length = self._lengths([*(n for n in self.box if n in tight), *(n for n in self.box if n not in tight)], chunk)
        shifting = [n for n in self.box if n not in tight and length[n] == 1]
        cut = [n for n in self.box if n not in shifting]
        flats = [self._flat_row(a) for a in accesses]
        for starts in product(*(range(self.box[n][0], self.box[n][1] + 1, length[n]) for n in cut)):
            part = {n: (s, min(s + length[n] - 1, self.box[n][1])) for n, s in zip(cut, starts, strict=True)}
            keep = self._mask(part)
            if keep is not None and not keep.size:
                continue
            found = [_values(f, part, keep) for f in flats]
            low = [int(v.min()) for v in found]
            yield Block(tuple(v - m for v, m in zip(found, low, strict=True)), self._starts(flats, shifting, low))

    def _lengths(self, order: list[str], chunk: int) -> dict[str, int]:
        """How much of each name's range a block holds."""
        room, length = chunk, {}
        for n in order:
            length[n] = min(self.extent(n), max(1, room))
            room //= length[n]
        return length

    def _starts(self, flats: list[Row], shifting: list[str], low: list[int]) -> Iterator[tuple[int, ...]]:
        steps = [[f[0].get(n, 0) for f in flats] for n in shifting]
        for place in product(*(range(self.box[n][0], self.box[n][1] + 1) for n in shifting)):
            start = low
            for v, step in zip(place, steps, strict=True):
                start = [s + v * k for s, k in zip(start, step, strict=True)]
            yield tuple(start)

    def _mask(self, part: Box) -> Offsets | None:
        """Positions of the points of a part that meet every condition; None for all of them."""
        conditions = [_open(r, part) >= 0 for r in self.inequalities if _range(r, part)[0] < 0]
        conditions += [_open(r, part) == 0 for r in self.equalities]
        if not conditions:
            return None
        keep = np.ones(_shape(part), np.bool_)
        for c in conditions:
            keep &= c
        return np.flatnonzero(keep)

    def _row(self, e: Affine) -> Row:
        return _reduce(_read(e), self.solved)

    def _flat_row(self, access: Access) -> Row:
        """The position in the flat array, row-major."""
        total: Row = {}, 0
        for e, extent in zip(access.indices, access.tensor.extents, strict=True):
            total = _plus(_scaled(total, extent), self._row(e))
        return total


def points(equation: Equation, term: Term) -> Points:
    """The summation points of a term of a concrete equation.

    Raises:
        ShapeError: a size is still symbolic.
        NotSupported: an index has no bounds, or an expression is not affine.
    """
    names = (*equation.indices, *term.indices)
    inequalities, equalities = _conditions(equation, term)
    both = (*equalities, *(_scaled(r, -1) for r in equalities))
    box = _boxes(names, (*inequalities, *both))
    solved: dict[str, Row] = {}
    while (hit := _readable(equalities, box, solved)) is not None:
        row, name = hit
        value = _without_name(row, name)
        solved = {n: _reduce(r, {name: value}) for n, r in solved.items()} | {name: value}
        equalities = [_reduce(r, solved) for r in equalities if r is not row]
    equalities = [r for r in equalities if r[0] or r[1]]
    rest = {n: b for n, b in box.items() if n not in solved}
    if any(not r[0] for r in equalities):
        rest["false"] = 0, -1
    kept = tuple(r for r in (_reduce(r, solved) for r in inequalities) if _range(r, rest)[0] < 0)
    return Points(rest, solved, kept, tuple(equalities))


def _conditions(equation: Equation, term: Term) -> tuple[list[Row], list[Row]]:
    """Everything a point satisfies: each access inside its tensor, and the stated constraints."""
    inequalities = []
    for access in (equation.left, *term.factors):
        for e, extent in zip(access.indices, access.tensor.extents, strict=True):
            row = _read(e)
            inequalities += [row, _plus(_scaled(row, -1), ({}, extent - 1))]
    inequalities += [_read(c.expression) for c in term.constraints if not c.equality]
    return inequalities, [_read(c.expression) for c in term.constraints if c.equality]


def _read(e: Affine) -> Row:
    coefficients, constant = {}, 0
    for monomial, c in e:
        if len(monomial) > 1:
            raise NotSupported(f"{e} is not affine in its indices")
        if monomial:
            coefficients[monomial[0]] = c
        else:
            constant = c
    return coefficients, constant


def _plus(a: Row, b: Row) -> Row:
    total = {n: a[0].get(n, 0) + b[0].get(n, 0) for n in {**a[0], **b[0]}}
    return {n: c for n, c in total.items() if c}, a[1] + b[1]


def _scaled(a: Row, by: int) -> Row:
    return {n: c * by for n, c in a[0].items()}, a[1] * by


def _reduce(a: Row, values: dict[str, Row]) -> Row:
    total: Row = {n: c for n, c in a[0].items() if n not in values}, a[1]
    return reduce(_plus, (_scaled(values[n], c) for n, c in a[0].items() if n in values), total)


def _without_name(equality: Row, name: str) -> Row:
    """The value of a name of coefficient 1 or -1."""
    rest: Row = {n: c for n, c in equality[0].items() if n != name}, equality[1]
    return _scaled(rest, -equality[0][name])


def _without(row: dict[str, Fraction], by: dict[str, Fraction], pivot: str) -> dict[str, Fraction]:
    factor = row.get(pivot, Fraction(0)) / by[pivot]
    return {n: row.get(n, Fraction(0)) - factor * by.get(n, Fraction(0)) for n in {**row, **by} if n != pivot}


def _readable(equalities: list[Row], box: Box, solved: dict[str, Row]) -> tuple[Row, str] | None:
    """The equality that spares the longest loop."""
    found = [(box[n][1] - box[n][0], r, n) for r in equalities for n, c in r[0].items()
             if abs(c) == 1 and n not in solved]
    return max(found, key=lambda f: f[0])[1:] if found else None


def _boxes(names: Sequence[str], rows: Sequence[Row]) -> Box:
    """Bounds of every name, by repeatedly bounding each name of a row by the others."""
    low: dict[str, int | None] = dict.fromkeys(names)
    high: dict[str, int | None] = dict.fromkeys(names)
    for _ in range(3 * len(names) + 3):
        before = dict(low), dict(high)
        for coefficients, constant in rows:
            for name, a in coefficients.items():
                others = [(b, (high if b > 0 else low)[n]) for n, b in coefficients.items() if n != name]
                room = _total(constant, others)  # a * name >= -room
                if room is None:
                    continue
                if a > 0:
                    low[name] = max(-(room // a), -(room // a) if low[name] is None else low[name])  # type: ignore[type-var]
                else:
                    high[name] = min(room // -a, room // -a if high[name] is None else high[name])  # type: ignore[type-var]
        if before == (low, high):
            break
    box = {}
    for n in names:
        lo, hi = low[n], high[n]
        if lo is None or hi is None:
            raise NotSupported(f"the sum over {n} has no bounds")
        box[n] = lo, hi
    return box


def _total(constant: int, parts: list[tuple[int, int | None]]) -> int | None:
    for b, v in parts:
        if v is None:
            return None
        constant += b * v
    return constant


def _range(r: Row, box: Box) -> tuple[int, int]:
    """Smallest and largest value over a box."""
    ends = [sorted((c * box[n][0], c * box[n][1])) for n, c in r[0].items()]
    return r[1] + sum(e[0] for e in ends), r[1] + sum(e[1] for e in ends)


def _shape(part: Box) -> tuple[int, ...]:
    return tuple(hi - lo + 1 for lo, hi in part.values())


def _open(r: Row, part: Box) -> Offsets:
    """The row's values on an open mesh; names outside the part count as 0."""
    axes = [(r[0][n] * np.arange(lo, hi + 1)).reshape([-1 if m == n else 1 for m in part])
            for n, (lo, hi) in part.items() if r[0].get(n)]
    return reduce(add, axes, np.full((1,) * len(part), r[1], np.intp))


def _values(r: Row, part: Box, keep: Offsets | None) -> Offsets:
    mesh = np.broadcast_to(_open(r, part), _shape(part)).reshape(-1)
    return mesh if keep is None else mesh[keep]
