"""The direct schedule: copies without edges, then register tiles, for any sum of products.

It applies where every factor has, along some output index, stride 1 or none once its array is copied
with that axis innermost, and where every condition only keeps a read inside its array. Which index is
the lane, which are written out and how far is found by an estimate of processor cycles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, prod

from symconv.affine import Affine, AffineLike
from symconv.equation import Access, Equation
from symconv.schedule.fusing import fused
from symconv.schedule.loops import flat_stride
from symconv.schedule.machine import Machine
from symconv.schedule.packing import Lane, Packing, boxes, is_edge, pack, rewritten
from symconv.schedule.regions import Range, Region, fresh, regions
from symconv.schedule.tiles import Tile, may_start, row_of, start_of

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
class Shape:
    """How a region is tiled: `vectors` along the lane and so many of each unrolled index.

    narrow: what does not fill a vector is done with narrower ones, else with zeros in the copy.
    """

    lane: str
    vectors: int
    unrolled: tuple[tuple[str, int], ...]
    narrow: bool = False

    def __repr__(self) -> str:
        tile = " x ".join([f"{self.vectors} vectors of {self.lane}", *(f"{t} {n}" for n, t in self.unrolled)])
        return tile + (", narrower vectors at the end" if self.narrow else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """Copies, then tiles, and outputs that nothing reaches; `cycles` as estimated."""

    shape: Shape
    copies: tuple[Packing, ...]
    tiles: tuple[Tile, ...]
    cycles: float
    empty: tuple[Region, ...] = ()


def plan(equation: Equation, machine: Machine, element: int, ordered: bool = False) -> Plan | None:
    """The best direct schedule of an equation; None where none applies.

    Args:
        element: bytes of one array element.
        ordered: every sum runs from its first product to its last, so that no lane adds up a part.
    """
    if not machine.vector:
        return None
    found = tuple(map(_without_single_sums, regions(equation)))
    found = (fused(found[0]),) if len(found) == 1 else found
    filled = tuple(_start_first(r) for r in found if r.sweeps)
    if not filled or not all(map(_fits, filled)):
        return None
    empty, found = tuple(r for r in found if not r.sweeps), filled
    lanes = machine.lanes(element)
    taken = {n for r in found for n in (*_names(r.loops), *(q.name for s in r.sweeps for q in s.loops))}
    tensors = {equation.output.name, *(t.name for t in equation.reads)}
    planners = [_Planner(found, Lane(lane, size * lanes, fresh(f"{lane}_block", taken), lane), narrow, lanes,
                         machine.vector, tensors)
                for lane in _names(found[0].loops) if _may_be_lane(found, lane)
                for size in range(1, min(4, ceil(_extent(found, lane) / lanes)) + 1) for narrow in (False, True)]
    planners += [_Planner(found, Lane(lane, lanes, fresh(f"{lane}_block", taken), lane, True), False, lanes,
                          machine.vector, tensors) for lane in _summed_lanes(found, lanes) if not ordered]
    shapes = [(p, unrolled) for p in planners for unrolled in _unrolled(found, p, machine)]
    if not shapes:
        return None
    best, unrolled = min(shapes, key=lambda s: s[0].cycles(s[1]))
    return replace(best.plan(unrolled), empty=empty)


def _start_first(region: Region) -> Region:
    return replace(region, sweeps=tuple(sorted(region.sweeps, key=lambda s: not may_start(s))))


def _names(loops: tuple[Range, ...]) -> list[str]:
    return [r.name for r in loops]


def _extent(found: Sequence[Region], name: str) -> int:
    return max(r.extent for region in found for r in region.loops if r.name == name)


def _without_single_sums(region: Region) -> Region:
    """A sum over one value is no sum: put its index at 0."""
    sweeps = []
    for s in region.sweeps:
        put = {r.name: 0 for r in s.loops if r.extent == 1}
        sweeps.append(replace(s, term=s.term.substitute(put), loops=tuple(r for r in s.loops if r.extent > 1),
                              constraints=tuple(c.substitute(put) for c in s.constraints)))
    return replace(region, sweeps=tuple(sweeps))


def _fits(region: Region) -> bool:
    """Sums of at most two factors as they are, with no condition but edges."""
    return all(
        s.term.coefficient == 1 and 1 <= len(s.term.factors) <= 2 and not any(f.function for f in s.term.factors)
        and all(is_edge(c, s.term.factors) for c in s.constraints) for s in region.sweeps)


def _may_be_lane(found: Sequence[Region], name: str) -> bool:
    """Is this index alone on one axis of every array that knows it, and known to every sum?"""
    axes: dict[str, set[tuple[int, ...]]] = {}
    starts = set()
    for region in found:
        start, sums = start_of(region)
        if start is not None:
            starts.add(start.tensor.name)
            if flat_stride(start, name) not in (0, 1):
                return False
        for s in sums:
            seen = [tuple(k for k, e in enumerate(f.indices) if e.coefficient(name)) for f in s.term.factors]
            if not any(seen):
                return False
            for f, at in zip(s.term.factors, seen, strict=True):
                if any(f.indices[k].coefficient(name) != 1 for k in at):
                    return False
                axes.setdefault(f.tensor.name, set()).add(at)
    return not starts & set(axes) and all(len(at) == 1 and len(next(iter(at))) <= 1 for at in axes.values())


def _summed_lanes(found: Sequence[Region], lanes: int) -> list[str]:
    """Indices of every sum, alone on one axis of every factor; beyond their range one factor has to be zero."""
    sums = [s for region in found for s in start_of(region)[1]]
    return [r.name for r in (sums[0].loops if sums else ())
            if all(_may_be_summed(s, r, lanes) for s in sums) and _may_be_lane(found, r.name)]


def _may_be_summed(s: Sweep, r: Range, lanes: int) -> bool:
    def ends(f: Access) -> bool:
        return any(e == Affine.of(r.name) and n == r.extent for e, n in zip(f.indices, f.tensor.extents, strict=True))

    return (r in s.loops and all(_depends(f, r.name) for f in s.term.factors)
            and (r.extent % lanes == 0 or any(map(ends, s.term.factors))))


Unrolled = tuple[tuple[str, int], ...]


def _unrolled(found: Sequence[Region], p: _Planner, machine: Machine) -> Iterator[Unrolled]:
    """What may be written out beside the lane, as far as the registers go; single indices first: they win a tie."""
    names = [n for n in reversed(_names(found[0].loops)) if n != p.lane.name and _extent(found, n) > 1]
    sizes = {n: _even(_extent(found, n), machine.registers) for n in names}
    pairs = [(n, m) for k, n in enumerate(names) for m in names[k + 1:]]
    for several in ((), *((n,) for n in names), *pairs):
        for counts in product(*(sizes[n] for n in several)):
            if p.registers(dict(zip(several, counts, strict=True))) <= machine.registers:
                yield tuple(zip(several, counts, strict=True))


def _even(extent: int, most: int) -> list[int]:
    """Tile sizes above 1 that cut an extent into pieces as even as they can be."""
    return sorted({ceil(extent / ceil(extent / t)) for t in range(2, min(extent, most) + 1)} & set(range(2, most + 1)))


class _Planner:
    """Everything that follows from the lane: the copies, and the price of a tile."""

    def __init__(self, found: Sequence[Region], lane: Lane, narrow: bool, lanes: int, size: int,
                 tensors: set[str]) -> None:
        self.found, self.lane, self.narrow, self.lanes, self.bytes = found, lane, narrow, lanes, size
        self.packings = dict(self._packings(tensors))
        self.copying = sum(self._copy_cycles(p) * prod(p.packed.extents) for p in self.packings.values())

    def _packings(self, tensors: set[str]) -> Iterator[tuple[str, Packing]]:
        reads: dict[str, list[tuple[Access, dict[str, tuple[int, int]]]]] = {}
        for region in self.found:
            start, _ = start_of(region)
            extent = self._lane_extent(region)
            for access, box in boxes(region, self.lane.name, extent if self.narrow else self._whole(extent)):
                if access is not start:
                    reads.setdefault(access.tensor.name, []).append((access, box))
        for name, seen in reads.items():
            found = pack(seen[0][0].tensor, seen, self.lane, fresh(f"{name}_packed", tensors))
            if found is not None:
                yield name, found

    def registers(self, at: Mapping[str, int]) -> int:
        """Accumulators, vectors held while they are used again, and one for what is used once."""
        vectors, written = self.lane.size // self.lanes, prod(at.values())
        held = 0
        for s in (s for region in self.found for s in start_of(region)[1]):
            reads = [[n for n in at if _depends(f, n)] for f in s.term.factors if _depends(f, self.lane.name)]
            kept = [prod(at[n] for n in names) for names in reads if len(names) < len(at) or len(s.term.factors) == 1]
            held = max(held, vectors * min(kept) if kept and len(kept) == len(reads) else 0)
        return vectors * written + held + 1

    def _copy_cycles(self, p: Packing) -> float:
        if not p.transposes:
            return COPIED
        return TURNED if p.source.extents[-1] >= self.lanes or not any(p.low) else GATHERED

    def _lane_extent(self, region: Region) -> int:
        loops = [r for s in region.sweeps for r in s.loops] if self.lane.summed else region.loops
        return next((r.extent for r in loops if r.name == self.lane.name), 1)

    def _whole(self, extent: int) -> int:
        return -(-extent // self.lanes) * self.lanes

    def cycles(self, unrolled: Unrolled) -> float:
        """An estimate of processor cycles."""
        return self.copying + sum(self._region_cycles(r, dict(unrolled)) for r in self.found)

    def _region_cycles(self, region: Region, unrolled: dict[str, int]) -> float:
        extents = {r.name: r.extent for r in region.loops}
        outer = prod(n for name, n in extents.items() if name != self.lane.name and name not in unrolled)
        pieces = [[(size, count) for _, size, count in _cut(extents[n], t)] for n, t in unrolled.items()]
        total = 0.0
        for size, _, count in [(1, 1, 1)] if self.lane.summed else self._lane_pieces(extents[self.lane.name]):
            for combination in product(*pieces):
                at = dict(zip(unrolled, (size for size, _ in combination), strict=True))
                each = self._tile_cycles(region, size, at)
                total += each * max(count, 1) * prod(c for _, c in combination) * outer
        return total

    def _tile_cycles(self, region: Region, lane: int, at: dict[str, int]) -> float:
        vectors, written = ceil(lane / self.lanes), prod(at.values())
        total = 0.0
        _, sums = start_of(region)
        for s in sums:
            steps = prod(ceil(r.extent / self.lanes) if r.name == self.lane.name else r.extent for r in s.loops)
            fetches = lines = 0.0
            for f in s.term.factors:
                each = prod(n for name, n in at.items() if _depends(f, name))
                if _depends(f, self.lane.name):
                    fetches += vectors * each * self._fetch(f)
                    lines += vectors * each * self.bytes / LINE
                else:
                    fetches += BROADCAST * each
            step = max(vectors * written / 2, fetches / 2, LATENCY) + STEP
            total += (step + (LINE_CYCLES * lines if lines * LINE * steps > NEAR else 0)) * steps
        if self.lane.summed:
            return total + TOTAL * written + LATENCY
        contiguous = flat_stride(region.output, self.lane.name) == 1
        if contiguous:
            return total + vectors * written + LATENCY
        return total + (TURNED if row_of(region.output, at, self.lanes) else SCATTERED) * lane * written + LATENCY

    def _fetch(self, f: Access) -> float:
        """One vector, against one that is aligned."""
        packing = self.packings.get(f.tensor.name)
        return 1.0 if packing is not None and packing.lane is not None else 1 + CROSSING * self.bytes / LINE

    def _lane_pieces(self, extent: int) -> list[tuple[int, int, int]]:
        """(elements, vector width, how many blocks or 0 for what is left after them)."""
        whole, rest = divmod(extent, self.lane.size)
        pieces = [(self.lane.size, self.lanes, whole)] if whole else []
        if not self.narrow or rest % self.lanes == 0:
            return pieces + ([(rest, self.lanes, 0)] if rest else [])
        full = rest // self.lanes * self.lanes
        pieces += [(full, self.lanes, 0)] if full else []
        rest -= full
        return pieces + [(w, w, 0) for w in (2**k for k in reversed(range(10))) if rest & w]

    def plan(self, unrolled: Unrolled) -> Plan:
        tiles = [t for r in self.found for t in self._tiles(r, dict(unrolled))]
        shape = Shape(self.lane.name, self.lane.size // self.lanes, unrolled, self.narrow)
        return Plan(shape, tuple(self.packings.values()), tuple(tiles), self.cycles(unrolled))

    def _tiles(self, region: Region, unrolled: dict[str, int]) -> Iterator[Tile]:
        lane = self.lane
        extent = self._lane_extent(region)
        moved = {lane.name: lane.size * Affine.of(lane.block) + lane.name}
        region = substituted(rewritten(region, self.packings), moved, {p.packed.name for p in self.packings.values()
                                                                       if p.lane is not None})
        if lane.summed:
            yield from (replace(t, summed=True) for t in self._parts(_blocked(region, lane), self.lanes, unrolled))
            return
        first = 0
        for size, width, count in self._lane_pieces(extent):
            block = extent // lane.size if not count else Affine.of(lane.block) if count > 1 else 0
            put = {lane.block: block, lane.name: Affine.of(lane.name) + first}
            first += 0 if count else size
            loops = tuple(q for r in region.loops for q in
                          (([Range(lane.block, count)] if count > 1 else []) + [Range(lane.name, size)]
                           if r.name == lane.name else [r]))
            piece = replace(substituted(region, put), loops=loops)
            yield from self._parts(piece, width, unrolled)

    def _parts(self, region: Region, width: int, unrolled: dict[str, int]) -> Iterator[Tile]:
        lane = self.lane.name
        for part in _cut_all(region, unrolled):
            yield Tile(_ordered(_without_single_outputs(part, lane), lane), lane, width, tuple(unrolled))


def _blocked(region: Region, lane: Lane) -> Region:
    """The sums over a lane as sums over its blocks."""
    def loops(s: Sweep) -> tuple[Range, ...]:
        return tuple(Range(lane.block, -(-r.extent // lane.size)) if r.name == lane.name else r for r in s.loops)

    sweeps = tuple(replace(s, loops=loops(s)) for s in region.sweeps)
    return replace(region, sweeps=sweeps)


def _depends(f: Access, name: str) -> bool:
    return any(e.coefficient(name) for e in f.indices)


def substituted(region: Region, put: Mapping[str, AffineLike], apart: frozenset[str] | set[str] = frozenset()) -> Region:
    """The region with names put in expressions, except in the reads of arrays set apart."""
    def read(f: Access) -> Access:
        return f if f.tensor.name in apart else f.substitute(put)

    sweeps = tuple(replace(s, term=replace(s.term, factors=tuple(map(read, s.term.factors)))) for s in region.sweeps)
    return replace(region, output=region.output.substitute(put), sweeps=sweeps)


def _cut(extent: int, size: int) -> list[tuple[int, int, int]]:
    """(start, size, count): whole tiles, then what is left."""
    whole, rest = divmod(extent, size)
    return [(0, size, whole)] * bool(whole) + [(size * whole, rest, 1)] * bool(rest)


def _cut_all(region: Region, unrolled: dict[str, int]) -> Iterator[Region]:
    """One region for each combination of whole tiles and remainders."""
    if not unrolled:
        yield region
        return
    (name, tile), *rest = unrolled.items()
    extent = next(r.extent for r in region.loops if r.name == name)
    taken = {n for r in region.loops for n in (r.name,)} | {q.name for s in region.sweeps for q in s.loops}
    block = fresh(f"{name}_block", taken)
    for start, size, count in _cut(extent, tile):
        put = tile * Affine.of(block) + name if count > 1 else Affine.of(name) + start
        loops = tuple(q for r in region.loops for q in
                      ([Range(block, count)] * (count > 1) + [Range(name, size)] if r.name == name else [r]))
        yield from _cut_all(replace(substituted(region, {name: put}), loops=loops), dict(rest))


def _without_single_outputs(region: Region, lane: str) -> Region:
    put: dict[str, AffineLike] = {r.name: 0 for r in region.loops if r.extent == 1 and r.name != lane}
    return replace(substituted(region, put), loops=tuple(r for r in region.loops if r.name not in put))


def _ordered(region: Region, lane: str) -> Region:
    """Loops the vectors depend on run outermost, so that what they hold stays near while the rest goes by."""
    vectors = [f for s in start_of(region)[1] for f in s.term.factors if _depends(f, lane)]
    def inside(r: Range) -> bool:
        return not any(_depends(f, r.name) for f in vectors)
    return replace(region, loops=tuple(sorted(region.loops, key=inside)))
