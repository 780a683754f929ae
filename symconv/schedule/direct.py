"""The direct schedule: copies without edges, then register tiles, for any sum of products.

It applies where every factor has, along some output index, stride 1 or none once its array is copied
with that axis innermost, and where every condition only keeps a read inside its array. Which index is
the lane, which are written out and how far is found by an estimate of processor cycles.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, prod

from symconv.affine import Affine
from symconv.equation import Access, Equation
from symconv.errors import NotSupported
from symconv.schedule.candidate import Candidate, Unrolled
from symconv.schedule.cutting import depends
from symconv.schedule.fusing import fused
from symconv.schedule.loops import flat_stride
from symconv.schedule.machine import Machine
from symconv.schedule.packing import Lane, Packing, is_edge
from symconv.schedule.pricing import Price
from symconv.schedule.regions import Range, Region, Sweep, fresh, regions
from symconv.schedule.tiles import Tile, may_start, start_of
from symconv.schedule.updates import updates_written

MOST_VECTORS = 4  # along the lane: with more, few registers are left for reuse
MOST_STEP, MOST_WRITTEN = 300, 1200  # multiply-adds that one step, and a whole function, may be written out in


@dataclass(frozen=True, slots=True)
class Shape:
    """How a region is tiled: `vectors` along the lane and so many of each unrolled index.

    written: so many steps of each of these sums are written out.
    end: what is done where the lane does not fill a vector.
    padded: arrays are copied with zeros around them; otherwise tiles are cut where arrays end.
    summed: the lane is an index of the sum.
    """

    lane: str
    vectors: int
    unrolled: Unrolled
    written: Unrolled = ()
    end: str = "part"
    padded: bool = True
    summed: bool = False

    def __repr__(self) -> str:
        vectors = f"{self.vectors} vector{'s' * (self.vectors > 1)} of {self.lane}"
        tile = " x ".join([vectors, *(f"{t} {n}" for n, t in self.unrolled)])
        taps = " x ".join(f"{t} {n}" for n, t in self.written)
        return (tile + (f", sums over {taps} written out" if taps else "") + ENDS[self.end]
                + (f", summed over {self.lane}" if self.summed else "") + ("" if self.padded else ", without padding"))


ENDS = {"part": "", "narrow": ", narrower vectors at the end", "again": ", the last vector over the one before"}


@dataclass(frozen=True, slots=True)
class Plan:
    """Copies, then tiles, and outputs that nothing reaches; `cycles` as estimated."""

    shape: Shape
    copies: tuple[Packing, ...]
    tiles: tuple[Tile, ...]
    cycles: float
    empty: tuple[Region, ...] = ()


def plan(equation: Equation, machine: Machine, element: int, ordered: bool = False,
         pick: int | None = None, accumulate: bool = False) -> Plan | None:
    """The best direct schedule of an equation; None where none applies.

    Args:
        element: bytes of one array element.
        ordered: every sum runs from its first product to its last, so that no lane adds up a part, and with the same
            zeros among them whatever the tile.
        pick: a number that stands for one of all shapes; None for the best.
        accumulate: outputs are added to, so that none may be visited again.
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
    tensors = {equation.output.name, *(t.name for t in equation.reads)}
    variants = [v for c in _candidates(found, lanes, tensors, ordered, accumulate) for v in _variants(c, machine, ordered)]
    variants = sorted(variants, key=lambda v: v.cycles) if pick is None else _from(pick, variants)
    return next((p for v in variants if (p := _planned(v, machine, empty)) is not None), None)


@dataclass(frozen=True, slots=True)
class Variant:
    """A candidate, what its tiles write out, and what that costs."""

    candidate: Candidate
    unrolled: Unrolled
    written: Unrolled
    price: Price

    @property
    def cycles(self) -> float:
        return self.price.cycles(self.unrolled, self.written)


def _from(at: int, variants: list[Variant]) -> list[Variant]:
    first = at % max(1, len(variants))
    return variants[first:] + variants[:first]


def _planned(v: Variant, machine: Machine, empty: tuple[Region, ...]) -> Plan | None:
    """The tiles of a variant; None where edges would cut them into too many, or too long ones."""
    c = v.candidate
    shape = Shape(c.lane.name, c.lane.size // c.lanes, v.unrolled, v.written, c.end, c.padded, c.lane.summed)
    try:
        tiles = c.tiles(v.unrolled, v.written, machine.registers)
        lines = sum(updates_written(t) for t in tiles) if v.written or not c.padded else 0
    except NotSupported:
        return None
    return Plan(shape, tuple(c.packings.values()), tiles, v.cycles, empty) if lines <= MOST_WRITTEN else None


def _candidates(found: Sequence[Region], lanes: int, tensors: set[str], ordered: bool,
                accumulate: bool) -> Iterator[Candidate]:
    """Every index that may be the lane, so many vectors of it in a tile."""
    taken = {n for r in found for n in (*_names(r.loops), *(q.name for s in r.sweeps for q in s.loops))}
    ends = ("part", "narrow") if accumulate else ("part", "narrow", "again")
    paddings = (True,) if ordered else (True, False)

    def lane(name: str, vectors: int, summed: bool = False) -> Lane:
        return Lane(name, vectors * lanes, fresh(f"{name}_block", taken), name, summed)

    def every() -> Iterator[Candidate]:
        for name in filter(lambda n: _may_be_lane(found, n), _names(found[0].loops)):
            for vectors in range(1, min(MOST_VECTORS, ceil(_extent(found, name) / lanes)) + 1):
                for end, padded in product(ends, paddings):
                    yield Candidate.of(found, lane(name, vectors), end, lanes, padded, tensors)
        for name in () if ordered else _summed_lanes(found, lanes):
            for padded in paddings:
                yield Candidate.of(found, lane(name, 1, summed=True), "part", lanes, padded, tensors)

    return filter(lambda c: c.applies, every())


def _variants(c: Candidate, machine: Machine, ordered: bool) -> Iterator[Variant]:
    price = Price(c, machine.vector, machine.registers)
    for unrolled in _unrolled(c.found, c, machine):
        for written in _written(c, dict(unrolled), ordered):
            yield Variant(c, unrolled, written, price)


def _written(c: Candidate, unrolled: dict[str, int], ordered: bool) -> Iterator[Unrolled]:
    """Which sums may be written out: those that share an axis with what is, or with any output."""
    yield ()
    outputs = set(_names(c.found[0].loops))
    sums = [s for r in c.found for s in start_of(r)[1]]
    shared = {n: {m for s in sums for f in s.term.factors for e in f.indices if e.coefficient(n) for m in e.names} & outputs
              for n in dict.fromkeys(n for s in sums for n in _names(s.loops))}
    extents = {n: max(r.extent for s in sums for r in s.loops if r.name == n) for n in shared}
    windows = [n for n, m in shared.items() if m and n != c.lane.name]
    near = [n for n in windows if shared[n] & set(unrolled)]
    if c.lane.summed:
        near, windows = windows[-1:], []
    found: set[Unrolled] = set()
    for names in (near, windows):
        whole = tuple((n, extents[n]) for n in names)
        if names and prod(unrolled.values()) * prod(n for _, n in whole) * c.lane.size // c.lanes <= MOST_STEP:
            found.add(whole)
        elif c.lane.summed:
            found |= {((n, k),) for n in names for k in (2, 4, 8) if k * prod(unrolled.values()) <= MOST_STEP}
    last = [_names(s.loops) for s in sums]
    yield from sorted(w for w in found if not ordered or all(
        names[len(names) - len(w):] == [n for n, _ in w] for names in last))


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

    return (r in s.loops and all(depends(f, r.name) for f in s.term.factors)
            and (r.extent % lanes == 0 or any(map(ends, s.term.factors))))


def _unrolled(found: Sequence[Region], c: Candidate, machine: Machine) -> Iterator[Unrolled]:
    """What may be written out beside the lane, as far as the registers go; single indices first: they win a tie."""
    names = [n for n in reversed(_names(found[0].loops)) if n != c.lane.name and _extent(found, n) > 1]
    sizes = {n: _even(_extent(found, n), machine.registers) for n in names}
    pairs = [(n, m) for k, n in enumerate(names) for m in names[k + 1:]]
    for several in ((), *((n,) for n in names), *pairs):
        for counts in product(*(sizes[n] for n in several)):
            if c.registers(dict(zip(several, counts, strict=True))) <= machine.registers:
                yield tuple(zip(several, counts, strict=True))


def _even(extent: int, most: int) -> list[int]:
    """Tile sizes above 1 that cut an extent into pieces as even as they can be."""
    return sorted({ceil(extent / ceil(extent / t)) for t in range(2, min(extent, most) + 1)} & set(range(2, most + 1)))
