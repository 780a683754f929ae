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
TURNED, GATHERED, COPIED = 0.5, 1.5, 0.2  # an element of a copy: by squares, one by one, in order
SCATTERED = 1.2  # an element stored through a buffer
PARTIAL = 4.0  # storing a part of a vector
STEP = 0.5  # a step of the innermost sum, beside its arithmetic
BROADCAST = 1.6  # fetching an element into every lane, against fetching a vector
CROSSING = 2.0  # fetching a vector of a line's size from any address, on top of that
SHIFTED = 2.0  # moving lanes, against fetching a vector
LINE, NEAR, LINE_CYCLES = 64, 32768, 0.3  # a line of cache, how much is near, and fetching a line from beyond
TOTAL = 10.0  # adding up the lanes of a vector
LATENCY = 4.0  # from one multiply-add to the next on the same accumulator


@dataclass(frozen=True)
class Price:
    """The cycles of a candidate on vectors of so many bytes."""

    candidate: Candidate
    vector: int
    registers: int
    _real: dict[tuple[int, int], float] = field(default_factory=dict)

    def cycles(self, unrolled: Unrolled, written: Unrolled = ()) -> float:
        """All copies and tiles."""
        c = self.candidate
        copying = sum(self._copy_cycles(p) * prod(p.packed.extents) for p in c.packings.values())
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
        total = LATENCY + sum(self._sum_cycles(region, s, vectors, at, written) for s in start_of(region)[1])
        if c.lane.summed:
            return total + TOTAL * points
        if flat_stride(region.output, c.lane.name) == 1:
            return total + (vectors + (PARTIAL - 1) * (lane % c.lanes > 0)) * points
        return total + (TURNED if row_of(region.output, at, c.lanes) else SCATTERED) * lane * points

    def _sum_cycles(self, region: Region, s: Sweep, vectors: int, at: dict[str, int], written: dict[str, int]) -> float:
        """One sum of one tile: the longest of what its multiply-adds, its fetches and their order take."""
        c = self.candidate
        extents = {r.name: ceil(r.extent / c.lanes) if r.name == c.lane.name else r.extent for r in s.loops}
        taps = {n: min(k, extents[n]) for n, k in written.items() if n in extents}
        steps = prod(n / taps.get(name, 1) for name, n in extents.items())
        real = self._real_share(region, s)
        products = vectors * prod(at.values()) * prod(taps.values())
        fetches, lines = self._fetches(s, vectors, {**at, **taps}, products, prod(at.values()))
        chain = LATENCY * prod(taps.values())
        step = max(products / 2 * real, fetches / 2 * real, chain * real) + STEP
        return (step + (LINE_CYCLES * lines if lines * LINE * steps > NEAR else 0)) * steps

    def _fetches(self, s: Sweep, vectors: int, at: dict[str, int], products: int, points: int) -> tuple[float, float]:
        """What is fetched in one step, in fetches of an aligned vector; and the lines of cache that takes."""
        c = self.candidate
        counts = []
        for f in s.term.factors:
            each = prod(_distinct(e, tuple(sorted((n, k) for n, k in at.items() if e.coefficient(n))))
                        for e in f.indices)
            counts.append(each * (vectors if depends(f, c.lane.name) else 1))
        held = self.registers - vectors * points - 1
        once = products == vectors * points  # a single tap: nothing is forgotten
        if len(counts) == 2 and not once and min(counts) > held:
            small = counts.index(min(counts))  # fetched again for each product
            counts[small] = products // (vectors if not depends(s.term.factors[small], c.lane.name) else 1)
        total = lines = 0.0
        for f, count in zip(s.term.factors, counts, strict=True):
            if depends(f, c.lane.name):
                total += count * self._fetch(f)
                lines += count * self.vector / LINE
            else:
                total += BROADCAST * count
        return total, lines

    def _fetch(self, f: Access) -> float:
        """One vector, against one that is aligned."""
        packing = self.candidate.packings.get(f.tensor.name)
        return 1.0 if packing is not None and packing.lane is not None else 1 + CROSSING * self.vector / LINE

    def _real_share(self, region: Region, s: Sweep) -> float:
        """How many of the products are there at all; with zeros around arrays every one is multiplied."""
        key = id(region), id(s)
        if key not in self._real:
            ranges = {r.name: r.extent for r in (*region.loops, *s.loops)}
            axes = {(e, n) for f in s.term.factors for e, n in zip(f.indices, f.tensor.extents, strict=True)
                    if not self.candidate.padded and not e.coefficient(self.candidate.lane.name)}
            self._real[key] = prod(_inside(e, n, tuple(sorted((m, ranges[m]) for m in e.names))) for e, n in axes)
        return self._real[key]


@cache
def _distinct(e: Affine, ranges: tuple[tuple[str, int], ...]) -> int:
    """How many values an index takes."""
    if len(ranges) < 2:
        return prod(n for _, n in ranges)
    return len({sum(e.coefficient(m) * v for (m, _), v in zip(ranges, at, strict=True))
                for at in product(*(range(n) for _, n in ranges))})


@cache
def _inside(e: Affine, extent: int, ranges: Sequence[tuple[str, int]]) -> float:
    """The share of all index values for which an element exists."""
    low = e.constant + sum(min(0, e.coefficient(m) * (n - 1)) for m, n in ranges)
    high = e.constant + sum(max(0, e.coefficient(m) * (n - 1)) for m, n in ranges)
    if 0 <= low and high < extent or prod(n for _, n in ranges) > 2**14:
        return 1.0
    names: Mapping[str, int] = dict(ranges)
    values = [e.constant + sum(e.coefficient(m) * v for m, v in zip(names, at, strict=True))
              for at in product(*map(range, names.values()))]
    return sum(0 <= v < extent for v in values) / len(values)
