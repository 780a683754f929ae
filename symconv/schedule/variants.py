"""Every way to tile regions that is worth an estimate: the lane, its vectors, what tiles write out, what is copied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import ceil, prod

from symconv.affine import Affine
from symconv.equation import Access
from symconv.schedule.candidate import Candidate, Unrolled
from symconv.schedule.cutting import depends
from symconv.schedule.loops import flat_stride
from symconv.schedule.machine import Machine
from symconv.schedule.packing import Lane
from symconv.schedule.pricing import Price
from symconv.schedule.regions import Range, Region, Sweep, fresh
from symconv.schedule.tiles import start_of

MOST_VECTORS = 4  # along the lane: with more, few registers are left for reuse
MOST_STEP = 300  # multiply-adds that one step of a sum may be written out in


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


def variants(found: Sequence[Region], machine: Machine, element: int, tensors: set[str], ordered: bool,
             accumulate: bool) -> Iterator[Variant]:
    """All of them, in an order that does not depend on their price.

    Args:
        tensors: names that copies cannot have.
        ordered, accumulate: as `plan` takes them.
    """
    for c in _candidates(found, machine.lanes(element), tensors, ordered, accumulate):
        price = Price(c, machine.vector, machine.registers)
        for unrolled in _unrolled(found, c, machine):
            for written in _written(c, dict(unrolled), ordered):
                yield Variant(c, unrolled, written, price)


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


def _written(c: Candidate, unrolled: dict[str, int], ordered: bool) -> Iterator[Unrolled]:
    """How many steps of which sums may be written out: none, or of those that share an axis with an output."""
    yield ()
    sums = [s for r in c.found for s in start_of(r)[1]]
    shared = _sharing(sums, set(_names(c.found[0].loops)))
    extents = {n: max(r.extent for s in sums for r in s.loops if r.name == n) for n in shared}
    windows = [n for n, outputs in shared.items() if outputs and n != c.lane.name]
    near = [n for n in windows if shared[n] & set(unrolled)]
    if c.lane.summed:
        near, windows = windows[-1:], []
    found: set[Unrolled] = set()
    for names in (near, windows):
        whole = tuple((n, extents[n]) for n in names)
        if names and c.accumulators(unrolled) * prod(n for _, n in whole) <= MOST_STEP:
            found.add(whole)
        elif c.lane.summed:
            found |= {((n, k),) for n in names for k in (2, 4, 8) if k * prod(unrolled.values()) <= MOST_STEP}
    inner = [_names(s.loops) for s in sums]
    yield from sorted(w for w in found if not ordered or all(
        names[len(names) - len(w):] == [n for n, _ in w] for names in inner))


def _sharing(sums: Sequence[Sweep], outputs: set[str]) -> dict[str, set[str]]:
    """For each index of a sum, the outputs it shares an axis with."""
    names = dict.fromkeys(n for s in sums for n in _names(s.loops))
    axes = [e.names for s in sums for f in s.term.factors for e in f.indices]
    return {n: {m for axis in axes if n in axis for m in axis} & outputs for n in names}


def _names(loops: tuple[Range, ...]) -> list[str]:
    return [r.name for r in loops]


def _extent(found: Sequence[Region], name: str) -> int:
    return max(r.extent for region in found for r in region.loops if r.name == name)


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
