"""The direct schedule: copies without edges, then register tiles, for any sum of products.

It applies where every factor has, along some output index, stride 1 or none once its array is copied
with that axis innermost, and where every condition only keeps a read inside its array. Which index is
the lane, which are written out and how far is found by an estimate of processor cycles.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from symconv.equation import Equation
from symconv.errors import NotSupported
from symconv.schedule.candidate import Unrolled
from symconv.schedule.fusing import fused
from symconv.schedule.machine import Machine
from symconv.schedule.packing import Packing, is_edge
from symconv.schedule.regions import Region, regions
from symconv.schedule.tiles import Tile, may_start
from symconv.schedule.updates import written_in
from symconv.schedule.variants import Variant, variants

MOST_WRITTEN = 800  # multiply-adds that a whole function may be written out in


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
    tensors = {equation.output.name, *(t.name for t in equation.reads)}
    all_ = list(variants(found, machine, element, tensors, ordered, accumulate))
    all_ = sorted(all_, key=lambda v: v.cycles) if pick is None else _from(pick, all_)
    return next((p for v in all_ if (p := _planned(v, machine, empty)) is not None), None)


def _from(at: int, found: list[Variant]) -> list[Variant]:
    first = at % max(1, len(found))
    return found[first:] + found[:first]


def _planned(v: Variant, machine: Machine, empty: tuple[Region, ...]) -> Plan | None:
    """The tiles of a variant; None where edges would cut them into too many, or too long ones."""
    c = v.candidate
    shape = Shape(c.lane.name, c.lane.size // c.lanes, v.unrolled, v.written, c.end, c.padded, c.lane.summed)
    try:
        tiles = c.tiles(v.unrolled, v.written, machine.registers)
        lines = 0
        for t in tiles if v.written or not c.padded else ():
            lines += written_in(t)
            if lines > MOST_WRITTEN:
                return None
    except NotSupported:
        return None
    return Plan(shape, tuple(c.packings.values()), tiles, v.cycles, empty)


def _start_first(region: Region) -> Region:
    return replace(region, sweeps=tuple(sorted(region.sweeps, key=lambda s: not may_start(s))))


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
