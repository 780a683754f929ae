"""How a bilinear program runs: which index is the vector lane, what is kept in memory, in which order.

The products are, for each of the algorithm's points, a matrix product whose rows are the indices only U
and M have, whose columns are those only V and M have, and whose sums run over the rest. A block of rows is
a few vectors; a few columns are unrolled; the outermost indices are peeled, so that what they leave of U,
V and M stays in the cache.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symconv.affine import Affine
from symconv.bilinear.program import Program
from symconv.equation import Access, Tensor, Term
from symconv.errors import NotSupported

CACHE = 600_000  # bytes that stay in a second-level cache beside everything else
SHARED = 6_000_000  # bytes that stay in a third-level cache
SMALL = 300_000  # bytes that may be read again and again beside all that
LINE = 16  # floats in a line of the cache
REGISTERS = 28  # of 32 vector registers, accumulators
Order = Sequence[int]  # the axes of an array from the slowest to the fastest


@dataclass(frozen=True, slots=True)
class Stored:
    """A workspace array: how many elements, and how far apart they are along each index.

    The index cut into vectors advances by whole blocks; within a block elements are neighbours.
    """

    name: str
    strides: tuple[tuple[str, int], ...]
    size: int

    def stride(self, index: str) -> int:
        """0 for an index it does not keep."""
        return dict(self.strides).get(index, 0)

    def offset(self, indices: Iterable[str]) -> Affine:
        return sum((self.stride(n) * Affine.of(n) for n in indices), Affine())


def _stored(name: str, entries: Sequence[tuple[str, int, int]], block: int, point: str) -> Stored:
    """Row-major over (index, how often it advances, by how much), a block of neighbours innermost.

    Points lie an odd number of cache lines apart: a tile is stored at all of them at once, and at a power of
    two they would all fall into the same few lines of the cache.
    """
    strides, size = [], block
    for n, count, step in reversed(entries):
        if n == point and size // LINE % 2 == 0:
            size += LINE
        strides.append((n, size // step))
        size *= count
    return Stored(name, tuple(strides), size)


def in_order(tensor: Tensor, order: Order | None) -> tuple[int, ...]:
    """The stride of each axis of a caller's array whose axes stand in this order, row-major by default."""
    strides, step = [0] * len(tensor.extents), 1
    for axis in reversed(order or range(len(tensor.extents))):
        strides[axis] = step
        step *= tensor.extents[axis]
    return tuple(strides)


@dataclass(frozen=True)
class Plan:
    """The decisions for one program.

    Args:
        lanes, vectors: elements in a vector, vectors in a block of rows.
        registers: vector accumulators of a matrix product, at most.
        row: the index whose blocks are the rows of the matrix products.
        points: the indices over the algorithm's products, a matrix product for each of their values.
        columns, sums: the other indices of a matrix product.
        outer, round: peeled indices, in loops around it: those that more than V depends on, and those that
            are peeled to keep V small. V (and U, where it is made in every round) holds one round.
        prepares: do the transformed taps serve all tiles? Then they are made apart, once.
        signal_lane: the index along which the signal is transformed in vectors.
        strides: of the callers' arrays, for each axis.
    """

    program: Program
    lanes: int
    vectors: int
    registers: int
    row: str
    points: tuple[str, ...]
    columns: tuple[str, ...]
    sums: tuple[str, ...]
    outer: tuple[str, ...]
    round: tuple[str, ...]
    prepares: bool
    signal_lane: str
    extents: Mapping[str, int]
    strides: Mapping[str, tuple[int, ...]]

    @property
    def width(self) -> int:
        return self.lanes * self.vectors

    @property
    def accumulates(self) -> bool:
        """Are the rounds added up in M?"""
        return not self.prepares and bool(self.round)

    @property
    def by_chunk(self) -> bool:
        """Is each chunk of columns finished for all points, so that M is small, at the price of reading U again?"""
        again = 4 * self.width * prod(self.extents[n] for n in (*self.points, *self.sums))
        return not self.accumulates and len(self.columns) == 1 and again <= SMALL

    def _entries(self, names: Iterable[str]) -> list[tuple[str, int, int]]:
        return [(n, self.extents[n], 1) for n in names]

    @property
    def _rows(self) -> tuple[str, int, int]:
        return self.row, -(-self.extents[self.row] // self.width), self.width

    @property
    def u(self) -> Stored:
        """Prepared once and whole, or made in every round."""
        kept = () if not self.prepares else tuple(n for n in self.outer if n in self.program.steps[0].indices)
        return _stored("U", [*self._entries(kept), self._rows, *self._entries((*self.points, *self.sums))], self.width,
                       self.points[-1])

    @property
    def v(self) -> Stored:
        inner = [n for n in (*self.columns, *self.sums) if n != self.signal_lane]
        blocks = (self.signal_lane, -(-self.extents[self.signal_lane] // self.lanes), self.lanes)
        return _stored("V", [*self._entries((*self.points, *inner)), blocks], self.lanes, self.points[-1])

    @property
    def m(self) -> Stored:
        """All rows where the rounds are added up, else one block of them, and where it can be one chunk."""
        rows = [self._rows] if self.accumulates else []
        columns = [(self.columns[0], max(self.chunks), 1)] if self.by_chunk else self._entries(self.columns)
        return _stored("M", [*rows, *self._entries(self.points), *columns], self.width, self.points[-1])

    @property
    def side_by_side(self) -> tuple[str, ...]:
        """The last columns, those that follow each other in V at one distance: chunks are cut from these."""
        first = len(self.columns) - 1
        while first and self.v.stride(self.columns[first - 1]) == \
                self.v.stride(self.columns[first]) * self.extents[self.columns[first]]:
            first -= 1
        return self.columns[first:]

    @property
    def chunks(self) -> tuple[int, ...]:
        """All columns side by side in pieces of nearly one size, as many as the registers hold."""
        total = prod(self.extents[n] for n in self.side_by_side)
        count = -(-total // (self.registers // self.vectors))
        return tuple(total // count + (n < total % count) for n in range(count))

    def __str__(self) -> str:
        u, v, m = (s.size * 4 // 1024 for s in (self.u, self.v, self.m))
        count = prod(self.extents[p] for p in self.points)
        tile = f"{self.vectors} x {self.lanes} of {self.row} by {' or '.join(map(str, sorted(set(self.chunks))))} of "
        return (f"{count} matrix products for each {', '.join((*self.outer, *self.round)) or 'call'}: tiles of {tile}"
                f"{'*'.join(self.columns)}, sums over {', '.join(self.sums)}; U {u} KiB"
                f"{' (prepared)' * self.prepares}, V {v} KiB, M {m} KiB")

    __repr__ = __str__


def plan(program: Program, lanes: int = 16, orders: Mapping[str, Order] | None = None,
         registers: int = REGISTERS) -> Plan:
    """Decide how a program runs with vectors of `lanes` elements and the given orders of the callers' axes.

    Raises:
        NotSupported: no index is left for rows, columns or sums, or what is added besides is more than
            one element for each tile.
    """
    taps, signal, products, result = program.steps
    term = products.terms[0]
    u, v, m = (dict(zip(s.indices, s.output.extents, strict=True)) for s in (taps, signal, products))
    plain = all(e == Affine.of(n) for f, known in zip(term.factors, (u, v), strict=True)
                for e, n in zip(f.indices, known, strict=True))
    rest = result.terms[1:]
    if term.constraints or not plain or len(rest) > 1 or not all(_is_constant_on_tiles(t, program) for t in rest):
        raise NotSupported(f"no plan for {program.equation}: further terms, conditions or places in {products}")
    points = tuple(a.name("point") for a in program.axes)
    rows = [n for n in m if n not in v]
    columns = [n for n in m if n not in u]
    arrays = (*program.equation.reads, program.equation.output)
    strides = {t.name: in_order(t, (orders or {}).get(t.name)) for t in arrays}
    sums = [n for n in v if n in u and n not in m]
    if not rows or not columns or not sums or len(sums) < len(term.indices):
        raise NotSupported(f"no matrix product in {products}")
    outer = [n for n in m if n in u and n in v and n not in points] + rows[:-1]
    lane = _fast_index(signal.terms[0].factors[-1], strides, [*columns, *sums], v)
    columns.sort(key=lambda n: n == lane)  # vectors of columns are neighbours
    prepares = all(a.blocks == 1 for a in program.axes)
    extents = {**u, **v, **m}
    every = 4 * extents[lane] * prod(extents[p] for p in points)
    reused = 4 * prod(extents[n] for n in (*points, rows[-1], *sums))
    if not prepares:  # rounds are added up, and going through M again costs more than a third-level cache
        peeled = _peeled(sums, lane, extents, every, SHARED)
    else:  # in vain where U, which every round reads again, would not stay in the cache itself
        peeled = _peeled(columns, lane, extents, every, CACHE) if reused <= CACHE else []
    return Plan(program, lanes, 2 if extents[rows[-1]] > lanes else 1, registers, rows[-1], points,
                tuple(n for n in columns if n not in peeled), tuple(n for n in sums if n not in peeled),
                tuple(outer), tuple(peeled), prepares, lane, extents, strides)


def _is_constant_on_tiles(term: Term, program: Program) -> bool:
    """Is a further term one plain element, the same for a whole tile (a bias)?"""
    tiled = {a.relation.output for a in program.axes}
    return (len(term.factors) == 1 and not term.indices and not term.constraints
            and not term.factors[0].function and not term.names & tiled)


def _fast_index(read: Access, strides: Mapping[str, tuple[int, ...]], names: Sequence[str],
                extents: Mapping[str, int]) -> str:
    """The index along which the caller's array is contiguous, else the one that comes nearest."""
    own = {e.items[0][0][0]: strides[read.tensor.name][axis] for axis, e in enumerate(read.indices)
           if len(e.items) == 1 and e.items[0][0][:1] and e == Affine.of(e.items[0][0][0])}
    known = [n for n in names if n in own]
    if not known:
        raise NotSupported(f"no index of {read} is left to be a vector")
    return min(known, key=lambda n: (own[n], -extents[n]))


def _peeled(candidates: Sequence[str], lane: str, extents: Mapping[str, int], every: int, room: int) -> list[str]:
    """Outermost indices first, until the bytes of V that one round keeps fit the room; never the last one.

    Args:
        every: bytes for each value of the candidates.
    """
    peeled: list[str] = []
    rest = [n for n in candidates if n != lane]
    for n in rest[:-1]:
        if every * prod(extents[k] for k in rest if k not in peeled) <= room:
            break
        peeled.append(n)
    return peeled
