"""One lane to schedule by: the copies it needs, the tiles it makes, the registers they take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

from symconv.affine import Affine
from symconv.equation import Access
from symconv.schedule.cutting import (
    cut_all,
    cut_sums,
    depends,
    in_blocks,
    ordered_loops,
    substituted,
    without_single_outputs,
)
from symconv.schedule.edges import decided
from symconv.schedule.packing import Lane, Packing, boxes, pack, rewritten
from symconv.schedule.regions import Interval, Range, Region, fresh
from symconv.schedule.tiles import Tile, start_of

Unrolled = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Regions, and the index whose values fill vectors.

    Args:
        end: what is done where the lane does not fill a vector: "part" of one is kept, or "narrow" ones are taken,
            or the last one begins earlier, "again" over outputs of the one before.
        lanes: elements of a vector.
        padded: arrays are read from copies with zeros around; otherwise tiles are cut where arrays end.
        packings: by the name of the array copied.
    """

    found: tuple[Region, ...]
    lane: Lane
    end: str
    lanes: int
    padded: bool
    packings: Mapping[str, Packing]

    @staticmethod
    def of(found: Sequence[Region], lane: Lane, end: str, lanes: int, padded: bool, tensors: set[str]) -> Candidate:
        """`tensors` are the names that copies cannot have."""
        bare = Candidate(tuple(found), lane, end, lanes, padded, {})
        return replace(bare, packings=dict(bare._packings(tensors)))

    @property
    def applies(self) -> bool:
        """Is there such an end? The last vector cannot begin earlier where that is inside a block of a copy."""
        extents = [self.lane_extent(r) for r in self.found]
        if self.end == "part" or not any(n % self.lanes for n in extents):
            return self.end == "part"
        return self.end == "narrow" or (not any(p.lane for p in self.packings.values()) and all(
            self._whole(n % self.lane.size) <= n for n in extents))

    def _packings(self, tensors: set[str]) -> Iterator[tuple[str, Packing]]:
        reads: dict[str, list[tuple[Access, dict[str, Interval]]]] = {}
        for region in self.found:
            start, _ = start_of(region)
            extent = self.lane_extent(region)
            for access, box in boxes(region, self.lane.name, self._whole(extent) if self.end == "part" else extent):
                if access is not start:
                    reads.setdefault(access.tensor.name, []).append((access, box))
        for name, seen in reads.items():
            found = pack(seen[0][0].tensor, seen, self.lane, fresh(f"{name}_packed", tensors), self.padded)
            if found is not None:
                yield name, found

    def accumulators(self, at: Mapping[str, int]) -> int:
        """Vectors that sums are kept in."""
        return self.lane.size // self.lanes * prod(at.values())

    def registers(self, at: Mapping[str, int]) -> int:
        """Accumulators, vectors held while they are used again, and one for what is used once."""
        vectors, held = self.lane.size // self.lanes, 0
        for s in (s for region in self.found for s in start_of(region)[1]):
            reads = [[n for n in at if depends(f, n)] for f in s.term.factors if depends(f, self.lane.name)]
            kept = [prod(at[n] for n in names) for names in reads if len(names) < len(at) or len(s.term.factors) == 1]
            held = max(held, vectors * min(kept) if kept and len(kept) == len(reads) else 0)
        return self.accumulators(at) + held + 1

    def lane_extent(self, region: Region) -> int:
        """The range of the lane in a region."""
        loops = [r for s in region.sweeps for r in s.loops] if self.lane.summed else region.loops
        return next((r.extent for r in loops if r.name == self.lane.name), 1)

    def _whole(self, extent: int) -> int:
        return -(-extent // self.lanes) * self.lanes

    def lane_pieces(self, extent: int) -> list[tuple[int, int, int, int]]:
        """(first element, elements, vector width, how many blocks or 0 for what is left after them)."""
        whole, rest = divmod(extent, self.lane.size)
        pieces = [(0, self.lane.size, self.lanes, whole)] if whole else []
        if self.end == "again" and rest:
            return [*pieces, (extent - self._whole(rest), self._whole(rest), self.lanes, 0)]
        if self.end == "part" or rest % self.lanes == 0:
            return pieces + ([(extent - rest, rest, self.lanes, 0)] if rest else [])
        full = rest // self.lanes * self.lanes
        pieces += [(extent - rest, full, self.lanes, 0)] if full else []
        rest -= full
        return pieces + [(extent - rest % (2 * w), w, w, 0) for w in (2**k for k in reversed(range(10))) if rest & w]

    def tiles(self, unrolled: Unrolled, written: Unrolled, registers: int) -> tuple[Tile, ...]:
        """Every region as tiles.

        Raises NotSupported where edges would cut it into too many.
        """
        held = registers - self.accumulators(dict(unrolled)) - 1
        return tuple(replace(t, held=held) for r in self.found for t in self._tiles(r, dict(unrolled), dict(written)))

    def _tiles(self, region: Region, unrolled: dict[str, int], written: dict[str, int]) -> Iterator[Tile]:
        lane = self.lane
        extent = self.lane_extent(region)
        moved = {lane.name: lane.size * Affine.of(lane.block) + lane.name}
        region = substituted(rewritten(region, self.packings), moved, {p.packed.name for p in self.packings.values()
                                                                       if p.lane is not None})
        if lane.summed:
            whole = in_blocks(region, lane)
            yield from (replace(t, summed=True) for t in self._parts(whole, self.lanes, unrolled, written))
            return
        for first, size, width, count in self.lane_pieces(extent):
            block = Affine.of(lane.block) if count > 1 else first // lane.size
            put = {lane.block: block, lane.name: Affine.of(lane.name) + first % lane.size}
            loops = tuple(q for r in region.loops for q in
                          (([Range(lane.block, count)] if count > 1 else []) + [Range(lane.name, size)]
                           if r.name == lane.name else [r]))
            piece = replace(substituted(region, put), loops=loops)
            yield from self._parts(piece, width, unrolled, written)

    def _parts(self, region: Region, width: int, unrolled: dict[str, int], written: dict[str, int]) -> Iterator[Tile]:
        lane, fixed = self.lane.name, {self.lane.name, *unrolled, *written}
        for whole in cut_all(region, unrolled):
            for part in (cut_sums(whole, written),) if self.padded else decided(cut_sums(whole, written), fixed):
                loops = ordered_loops(without_single_outputs(part, lane), lane)
                yield Tile(loops, lane, width, tuple(unrolled), written=tuple(written), cut=not self.padded)
