"""What a candidate costs: an estimate of processor cycles, for comparing one with another."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import ceil, prod

from symconv.equation import Access
from symconv.schedule.candidate import Candidate, Unrolled
from symconv.schedule.cutting import cut, depends
from symconv.schedule.loops import flat_stride
from symconv.schedule.packing import Packing
from symconv.schedule.regions import Region
from symconv.schedule.tile_nest import row_of
from symconv.schedule.tiles import start_of

# Cycles of one core. Only the ratios matter.
TURNED, GATHERED, COPIED = 0.5, 1.5, 0.2  # an element of a copy: by squares, one by one, in order
SCATTERED = 1.2  # an element stored through a buffer
STEP = 0.5  # a step of the innermost sum, beside its arithmetic
BROADCAST = 1.6  # fetching an element into every lane, against fetching a vector
CROSSING = 2.0  # fetching a vector of a line's size from any address, on top of that
LINE, NEAR, LINE_CYCLES = 64, 32768, 0.3  # a line of cache, how much is near, and fetching a line from beyond
TOTAL = 10.0  # adding up the lanes of a vector
LATENCY = 4.0  # from one multiply-add to the next on the same accumulator


@dataclass(frozen=True, slots=True)
class Price:
    """The cycles of a candidate on vectors of so many bytes."""

    candidate: Candidate
    vector: int

    def cycles(self, unrolled: Unrolled) -> float:
        """All copies and tiles."""
        c = self.candidate
        copying = sum(self._copy_cycles(p) * prod(p.packed.extents) for p in c.packings.values())
        return copying + sum(self._region_cycles(r, dict(unrolled)) for r in c.found)

    def _copy_cycles(self, p: Packing) -> float:
        if not p.transposes:
            return COPIED
        squares = p.source.extents[-1] >= self.candidate.lanes or not any(p.low)
        return TURNED if squares else GATHERED

    def _region_cycles(self, region: Region, unrolled: dict[str, int]) -> float:
        c = self.candidate
        extents = {r.name: r.extent for r in region.loops}
        outer = prod(n for name, n in extents.items() if name != c.lane.name and name not in unrolled)
        pieces = [[(size, count) for _, size, count in cut(extents[n], t)] for n, t in unrolled.items()]
        total = 0.0
        lane_pieces = [(1, 1, 1)] if c.lane.summed else c.lane_pieces(extents[c.lane.name])
        for size, _, count in lane_pieces:
            for combination in product(*pieces):
                at = dict(zip(unrolled, (size for size, _ in combination), strict=True))
                each = self._tile_cycles(region, size, at)
                total += each * max(count, 1) * prod(c for _, c in combination) * outer
        return total

    def _tile_cycles(self, region: Region, lane: int, at: dict[str, int]) -> float:
        c = self.candidate
        vectors, written = ceil(lane / c.lanes), prod(at.values())
        total = LATENCY
        for s in start_of(region)[1]:
            steps = prod(ceil(r.extent / c.lanes) if r.name == c.lane.name else r.extent for r in s.loops)
            fetches = lines = 0.0
            for f in s.term.factors:
                each = prod(n for name, n in at.items() if depends(f, name))
                if depends(f, c.lane.name):
                    fetches += vectors * each * self._fetch(f)
                    lines += vectors * each * self.vector / LINE
                else:
                    fetches += BROADCAST * each
            step = max(vectors * written / 2, fetches / 2, LATENCY) + STEP
            total += (step + (LINE_CYCLES * lines if lines * LINE * steps > NEAR else 0)) * steps
        if c.lane.summed:
            return total + TOTAL * written
        if flat_stride(region.output, c.lane.name) == 1:
            return total + vectors * written
        return total + (TURNED if row_of(region.output, at, c.lanes) else SCATTERED) * lane * written

    def _fetch(self, f: Access) -> float:
        """One vector, against one that is aligned."""
        packing = self.candidate.packings.get(f.tensor.name)
        return 1.0 if packing is not None and packing.lane is not None else 1 + CROSSING * self.vector / LINE
