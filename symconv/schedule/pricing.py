"""What a candidate costs: an estimate of processor cycles, for comparing one with another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from math import ceil, prod

from symconv.affine import Affine
from symconv.equation import Access
from symconv.schedule.candidate import Candidate, Unrolled
from symconv.schedule.cutting import cut, depends
from symconv.schedule.loops import flat_stride
from symconv.schedule.packing import Packing
from symconv.schedule.regions import Region, Sweep
from symconv.schedule.tile_nest import row_of
from symconv.schedule.tiles import start_of

# Cycles of one core. Only the ratios matter.
TURNED, GATHERED, COPIED = 0.4, 0.8, 1.2  # an element of a copy: by squares, one by one, in order
COPY, ROW = 40.0, 0.1  # a copy, as stores are waited for that fetches do not match; a row of one
SCATTERED, SPREAD = 1.0, 0.4  # an element stored through a buffer, and a run of neighbours among them
PART, PARTIAL = 6.0, 1.0  # storing parts of vectors, and each of them
BESIDE = 0.05  # a fetch beside arithmetic that takes longer
STEP = 0.35  # a step of the innermost sum, beside its arithmetic
BROADCAST = 1.0  # fetching an element into every lane, against fetching a vector
CROSSING = 1.4  # fetching a vector of a line's size from any address, on top of that
SHIFTED = 1.4  # moving lanes, against fetching a vector
LINE, NEAR, LINE_CYCLES = 64, 32768, 0.56  # a line of cache, how much is near, and fetching a line from beyond
APART = 8.0  # times that where edges part a sum, so that each piece walks through an array again
TOTAL = 6.0  # adding up the lanes of a vector; several share most of it
LATENCY = 5.6  # from one multiply-add to the next on the same accumulator
WINDOW = 140  # instructions in flight: a tile of fewer does not wait for its own
TILE = 0.15  # beginning a tile


Axis = tuple[tuple[str, int], ...]  # an index of an array: how far each name moves it


@dataclass(frozen=True, slots=True)
class Source:
    """One factor of a sum.

    Args:
        along: it runs along the lane.
        fetch: what one element or vector costs.
        shifted: the share of its vectors that are moved within a row, and read together when taps are written out.
        taps: the axis of the lane, without the lane.
    """

    along: bool
    fetch: float
    axes: tuple[Axis, ...]
    shifted: float = 0.0
    taps: Axis = ()

    def count(self, vectors: int, at: Mapping[str, int]) -> int:
        """How many different elements or vectors are used while these indices run so far."""
        each = prod(_distinct(tuple((a, at[n]) for n, a in axis if n in at)) for axis in self.axes)
        return each * (vectors if self.along else 1)

    def cost(self, count: int, at: Mapping[str, int]) -> float:
        """Fetching and moving so many."""
        together = _distinct(tuple((a, at[n]) for n, a in self.taps if n in at))
        return count * (self.fetch * (1 - self.shifted + self.shifted / together) + SHIFTED * self.shifted)


@dataclass(frozen=True)
class Price:
    """The cycles of a candidate on vectors of so many bytes."""

    candidate: Candidate
    vector: int
    registers: int
    _known: dict[int, tuple[float, set[str], tuple[Source, ...]]] = field(default_factory=dict)

    def cycles(self, unrolled: Unrolled, written: Unrolled = ()) -> float:
        """All copies and tiles."""
        c = self.candidate
        copying = sum(COPY + self._copy_cycles(p) * prod(p.packed.extents) + ROW * prod(p.packed.extents[:-1])
                      for p in c.packings.values())
        return copying + sum(self._region_cycles(r, dict(unrolled), dict(written)) for r in c.found)

    def _copy_cycles(self, p: Packing) -> float:
        if not p.transposes:
            return COPIED
        squares = p.source.extents[-1] >= self.candidate.lanes or not any(p.low)
        return TURNED if squares else GATHERED

    def _region_cycles(self, region: Region, unrolled: dict[str, int], written: dict[str, int]) -> float:
        c = self.candidate
        extents = {r.name: r.extent for r in region.loops}
        outer = prod(n for name, n in extents.items() if name != c.lane.name and name not in unrolled)
        pieces = [[(size, count) for _, size, count in cut(extents[n], t)] for n, t in unrolled.items()]
        total = 0.0
        lane_pieces = [(0, 1, 1, 1)] if c.lane.summed else c.lane_pieces(extents[c.lane.name])
        for _, size, _, count in lane_pieces:
            for combination in product(*pieces):
                at = dict(zip(unrolled, (size for size, _ in combination), strict=True))
                each = self._tile_cycles(region, size, at, written)
                total += each * max(count, 1) * prod(c for _, c in combination) * outer
        return total

    def _tile_cycles(self, region: Region, lane: int, at: dict[str, int], written: dict[str, int]) -> float:
        c = self.candidate
        vectors, points = ceil(lane / c.lanes), prod(at.values())
        total = TILE + sum(self._sum_cycles(region, s, vectors, at, written) for s in start_of(region)[1])
        if c.lane.summed:
            return total + TOTAL * min(points, 2 + points / 4)
        if flat_stride(region.output, c.lane.name) == 1:
            part = lane % c.lanes > 0
            return total + PART * part + (vectors + (PARTIAL - 1) * part) * points
        if row_of(region.output, at, c.lanes):
            return total + TURNED * lane * points
        return total + (SCATTERED + SPREAD / _run(region.output, at)) * lane * points

    def _sum_cycles(self, region: Region, s: Sweep, vectors: int, at: dict[str, int], written: dict[str, int]) -> float:
        """One sum of one tile: the longest of what its multiply-adds, its fetches and their order take."""
        c = self.candidate
        extents = {r.name: ceil(r.extent / c.lanes) if r.name == c.lane.name else r.extent for r in s.loops}
        taps = {n: min(k, extents[n]) for n, k in written.items() if n in extents}
        steps = prod(n / taps.get(name, 1) for name, n in extents.items())
        real, cut, sources = self._about(region, s)
        products = vectors * prod(at.values()) * prod(taps.values())
        fetches, lines = self._fetches(sources, vectors, {**at, **taps}, products, prod(at.values()))
        chain = LATENCY * prod(taps.values()) * min(1, steps * (products + fetches) * real / WINDOW)
        step = max(products / 2, fetches / 2, chain) * real + BESIDE * fetches * real + STEP
        apart = 1 if cut <= set(taps) else APART
        far = lines * LINE * steps > NEAR or (c.lane.summed and self._bytes(s) > 4 * NEAR)
        return (step + (LINE_CYCLES * apart * lines if far else 0)) * steps

    def _bytes(self, s: Sweep) -> int:
        """Of the largest array: where the lane is summed, tile after tile goes through all of it."""
        return max(prod(f.tensor.extents) for f in s.term.factors) * self.vector // self.candidate.lanes

    def _fetches(self, sources: Sequence[Source], vectors: int, at: Mapping[str, int], products: int,
                 points: int) -> tuple[float, float]:
        """What is fetched in one step, in fetches of an aligned vector; and the lines of cache that takes."""
        counts = [f.count(vectors, at) for f in sources]
        once = products == vectors * points  # a single tap: nothing is forgotten
        if len(counts) == 2 and not once and min(counts) > self.registers - vectors * points - 1:
            small = counts.index(min(counts))  # fetched again for each product
            counts[small] = products // (1 if sources[small].along else vectors)
        lines = sum(n for f, n in zip(sources, counts, strict=True) if f.along) * self.vector / LINE
        return sum(f.cost(n, at) for f, n in zip(sources, counts, strict=True)), lines

    def _about(self, region: Region, s: Sweep) -> tuple[float, set[str], tuple[Source, ...]]:
        """The share of the products that are there at all, the sums that edges cut, and the factors."""
        if id(s) not in self._known:
            ranges = {r.name: r.extent for r in (*region.loops, *s.loops)}
            share, names = self._real_share(s, ranges)
            sources = tuple(self._source(f, ranges) for f in s.term.factors)
            self._known[id(s)] = share, names & {r.name for r in s.loops}, sources
        return self._known[id(s)]

    def _source(self, f: Access, ranges: Mapping[str, int]) -> Source:
        axes = tuple(tuple((n, e.coefficient(n)) for n in sorted(e.names)) for e in f.indices)
        if not depends(f, self.candidate.lane.name):
            return Source(False, BROADCAST, axes)
        packing = self.candidate.packings.get(f.tensor.name)
        if packing is not None and packing.lane is not None:
            return Source(True, 1.0, axes)
        e, n = next((e, n) for e, n in zip(f.indices, f.tensor.extents, strict=True)
                    if e.coefficient(self.candidate.lane.name))
        taps = tuple((m, e.coefficient(m)) for m in sorted(e.names) if m != self.candidate.lane.name)
        inside = self.candidate.padded or _inside(e, n, tuple(sorted((m, ranges[m]) for m in e.names))) == 1
        row = 2 * self.candidate.lanes / ranges[self.candidate.lane.name]  # the vectors at both ends of a row
        return Source(True, 1 + CROSSING * self.vector / LINE, axes, 0.0 if inside else min(1.0, row), taps)

    def _real_share(self, s: Sweep, ranges: Mapping[str, int]) -> tuple[float, set[str]]:
        """With zeros around arrays every product is multiplied; otherwise, the short loops that decide which."""
        axes = {(e, n) for f in s.term.factors for e, n in zip(f.indices, f.tensor.extents, strict=True)
                if not self.candidate.padded and not e.coefficient(self.candidate.lane.name)}
        shares = [(_inside(e, n, tuple(sorted((m, ranges[m]) for m in e.names))), e.names) for e, n in axes]
        short = {min(sorted(names), key=lambda n: ranges[n]) for share, names in shares if share < 1}
        return prod(share for share, _ in shares), short


def _run(output: Access, at: Mapping[str, int]) -> int:
    """How many outputs of a tile lie side by side in memory."""
    run = 1
    for stride, count in sorted((abs(flat_stride(output, n)), count) for n, count in at.items()):
        run *= count if stride == run else 1
    return run


@cache
def _distinct(ranges: tuple[tuple[int, int], ...]) -> int:
    """How many values a sum of so many steps of so far takes."""
    if len(ranges) < 2:
        return prod(n for _, n in ranges)
    return len({sum(at) for at in product(*(range(0, a * n, a) for a, n in ranges))})


@cache
def _inside(e: Affine, extent: int, ranges: Axis) -> float:
    """The share of all index values for which an element exists."""
    low = e.constant + sum(min(0, e.coefficient(m) * (n - 1)) for m, n in ranges)
    high = e.constant + sum(max(0, e.coefficient(m) * (n - 1)) for m, n in ranges)
    if (low >= 0 and high < extent) or prod(n for _, n in ranges) > 2**14:
        return 1.0
    values = [e.constant + sum(e.coefficient(m) * v for (m, _), v in zip(ranges, at, strict=True))
              for at in product(*(range(n) for _, n in ranges))]
    return sum(0 <= v < extent for v in values) / len(values)
