"""Operations on whole arrays: products, transposes, rotations, convolutions.

A Value is a number at every index; each operation makes a new one. Of two finite operands the
longer is read and the shorter slides: counted from 0, output m reads x[m + j] (cross-correlation)
or x[m + k - 1 - j] (convolution) with w[j], and k - 1 places earlier in full mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims.raw import Index, Sum, Value, fresh, multiply
from symconv.decide.feasible import feasible, negated, row
from symconv.errors import NotationError

Box = tuple[tuple[Affine, Affine] | None, ...]


def known(value: Value) -> bool:
    """Are the ends of every axis known?"""
    return len(value.box) == value.rank and all(b is not None for b in value.box)


def product(a: Value, b: Value) -> Value:
    """a b: scalar multiples, matrix products, inner and outer products.

    Raises:
        NotationError: the ranks do not fit.
    """
    if not a.rank or not b.rank:
        inner, outer = (a, b) if not a.rank else (b, a)
        scaled = replace(outer, at=lambda i: multiply(inner.terms, outer.at(i)), array="")
        return scaled
    if a.rank == 1 and b.rank == 1:
        if a.row and not b.row:
            return Value.scalar(contract(a, b, (), ()))
        if b.row and not a.row:
            return Value(2, lambda i: multiply(a.at(i[:1]), b.at(i[1:])), box=(*a.box[:1], *b.box[:1]))
        raise NotationError("a product of two columns has no meaning", -1)
    if a.rank == 1 and not a.row and b.rank == 2:
        a = replace(a, row=True)  # x A is a row, whatever x was taken for
    if a.rank > 2 or b.rank > 2:
        raise NotationError("a product of arrays with more than two axes needs indices", -1)
    rank = a.rank + b.rank - 2
    return Value(rank, lambda i: contract(a, b, i[:a.rank - 1], i[a.rank - 1:]),
                 row=a.rank == 1, box=(*a.box[:a.rank - 1], *b.box[1:]))


def contract(a: Value, b: Value, left: Index, right: Index) -> Sum:
    """Summed over the last axis of a and the first of b."""
    name = fresh("t")
    both = multiply(a.at((*left, Affine.of(name))), b.at((Affine.of(name), *right)))
    return tuple(t.over((name,)) for t in both)


def inner(a: Value, b: Value) -> Value:
    """<a, b>: the sum of all products of elements at the same index."""
    if a.rank != b.rank:
        raise NotationError("the two sides of an inner product have different numbers of axes", -1)
    names = tuple(fresh("t") for _ in range(a.rank))
    here = tuple(map(Affine.of, names))
    there = [c for v in (a, b) if not v.array for name, ends in zip(names, v.box, strict=False) if ends
             for c in (at_least(name, ends[0]), at_least(ends[1], name))]
    return Value.scalar(tuple(t.over(names, there) for t in multiply(a.at(here), b.at(here))))


def elementwise(a: Value, b: Value) -> Value:
    """The product of elements at the same index."""
    if not a.rank or not b.rank:
        return product(a, b)
    if a.rank != b.rank:
        raise NotationError("an elementwise product of arrays with different numbers of axes has no meaning", -1)
    return Value(a.rank, lambda i: multiply(a.at(i), b.at(i)), row=a.row and b.row, box=a.box if known(a) else b.box)


def add(values: list[Value], along: int = 1) -> Value:
    """The sum of arrays of the same rank; a vector is added to every row of a matrix, along axis 0 to every column."""
    ranks = {v.rank for v in values}
    if len(ranks) == 2 and 0 in ranks and all(not t.factors for v in values if not v.rank for t in v.terms):
        rank = max(ranks)  # 1 - a: the number stands in every place
        values = [v if v.rank else everywhere(v, rank) for v in values]
        ranks = {rank}
    if ranks == {1, 2}:
        values = [v if v.rank == 2 else _spread(v, along) for v in values]
        ranks = {2}
    if len(ranks) > 1:
        raise NotationError("arrays with different numbers of axes cannot be added", -1)
    box = next((v.box for v in values if known(v)), ())
    return Value(ranks.pop(), lambda i: tuple(t for v in values for t in v.at(i)),
                 row=any(v.row for v in values), box=box)


def everywhere(number: Value, rank: int) -> Value:
    """A number in the place of every element."""
    return Value(rank, lambda i: number.terms)


def _spread(a: Value, axis: int) -> Value:
    """A vector as every column (axis 0) or every row (axis 1) of a matrix."""
    return Value(2, lambda i: a.at((i[axis],)))


def transposed(a: Value) -> Value:
    """Rows for columns; a vector becomes a row."""
    if a.rank == 2:
        return Value(2, lambda i: a.at((i[1], i[0])), box=tuple(reversed(a.box)))
    if a.rank > 2:
        raise NotationError("an array with more than two axes has no transpose", -1)
    return replace(a, row=not a.row, array="")


def rotated(a: Value, axes: int = 2) -> Value:
    """Turned by 180 degrees over the last axes; a function on the integers is mirrored at 0."""
    first = max(0, a.rank - axes)

    def turn(axis: int, e: Affine) -> Affine:
        ends = a.box[axis] if len(a.box) == a.rank else None
        return e if axis < first else ends[0] + ends[1] - e if ends else -e

    return Value(a.rank, lambda i: a.at(tuple(turn(axis, e) for axis, e in enumerate(i))), box=a.box)


def padded(a: Value, amount: Affine) -> Value:
    """With zeros around: index 0 of the result is that many places before the first element."""
    box = tuple((low, high + 2 * amount) if b else None for b in a.box for low, high in [b or (amount, amount)])
    return Value(a.rank, lambda i: a.at(tuple(e - amount for e in i)), box=box)


def convolved(a: Value, b: Value, meaning: str, mode: str, base: int, known_sizes: Sequence[Constraint] = (),
              kernel_last: bool = False, swap: bool = False) -> Value:
    """a * b.

    Args:
        meaning: "convolution" or "correlation"; of two finite operands the second slides over the
            first, except where the first is the smaller one.
        mode: "valid" or "full".
        base: where the result's indices start.
        known_sizes: what is known of the sizes, to tell the longer operand.
        kernel_last: on all integers, the second operand slides over the first.
        swap: of finite operands neither of which is known to be the shorter, the first slides.
    """
    if a.rank != b.rank:
        raise NotationError("the operands have different numbers of axes", -1)
    if not a.rank:
        return product(a, b)
    if not (known(a) and known(b)):
        sign = -1 if meaning == "convolution" else 1
        if kernel_last:
            return _sliding(a, b, lambda axis, m, j: (m + sign * j, j), ())
        return _sliding(a, b, lambda axis, m, j: (j, m + sign * j), ())
    if _shorter(a, b, known_sizes) or (swap and not _shorter(b, a, known_sizes)):
        a, b = b, a
    spans = [(x, y) for x, y in zip(a.box, b.box, strict=True) if x and y]

    starts = [x[0] if x[0].is_constant else Affine.of(base) for x, _ in spans]

    def places(axis: int, m: Affine, j: Affine) -> tuple[Affine, Affine]:
        (low, _), (first, last) = spans[axis]
        count = last - first  # one less than the extent of the shorter
        start = low + m - starts[axis] - (count if mode == "full" else 0)
        return start + (count - j if meaning == "convolution" else j), first + j

    lengths = [(x[1] - x[0], y[1] - y[0]) for x, y in spans]
    box = tuple((b, b + (p + q if mode == "full" else p - q)) for b, (p, q) in zip(starts, lengths, strict=True))
    return _sliding(a, b, places, box)


def _sliding(a: Value, b: Value, places: Callable[[int, Affine, Affine], tuple[Affine, Affine]], box: Box) -> Value:
    def at(index: Index) -> Sum:
        names = tuple(fresh("t") for _ in index)
        pairs = [places(axis, m, Affine.of(j)) for axis, (m, j) in enumerate(zip(index, names, strict=True))]
        both = multiply(a.at(tuple(p for p, _ in pairs)), b.at(tuple(q for _, q in pairs)))
        return tuple(t.over(names) for t in both)

    return Value(a.rank, at, box=box)


def _shorter(a: Value, b: Value, known_sizes: Sequence[Constraint]) -> bool:
    """Is a surely no longer than b, along every axis, and not of the same length?"""
    gaps = [(y[1] - y[0]) - (x[1] - x[0]) for x, y in zip(a.box, b.box, strict=True) if x and y]
    low = [row(c) for c in known_sizes if not c.equality]
    same = [row(c) for c in known_sizes if c.equality]
    return any(g != Affine() for g in gaps) and all(
        feasible([*low, negated(row(Constraint(g)))], same) is False for g in gaps)


def matrix(rows: list[list[Value]]) -> Value:
    """A matrix of scalars, indices from 1; one column or one row is a vector."""
    height, width = len(rows), len(rows[0])
    if any(len(r) != width for r in rows):
        raise NotationError("the rows of the matrix have different lengths", -1)
    entries: list[tuple[int, int, Sum]] = [(r + 1, c + 1, v.terms) for r, line in enumerate(rows)
                                           for c, v in enumerate(line)]
    one = Affine.of(1)
    ends = ((one, Affine.of(height)), (one, Affine.of(width)))
    if width == 1 or height == 1:
        along = 0 if width == 1 else 1
        return Value(1, lambda i: tuple(t.where(equal(i[0], (r, c)[along])) for r, c, terms in entries for t in terms),
                     row=along == 1, box=(ends[along],))
    return Value(2, lambda i: tuple(t.where(equal(i[0], r), equal(i[1], c)) for r, c, terms in entries for t in terms),
                 box=ends)
