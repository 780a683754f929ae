"""A register tile: an output region of which a piece is written out, so that its sums stay in registers.

    sum_t_u += lanes u of A * element t of B

The lane runs along vectors, the other tiled indices are written out, and sums run inside: every vector
of A is used once for each t, every element of B once for each u.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from symconv.equation import Access
from symconv.schedule.regions import Range, Region, Sweep


@dataclass(frozen=True, slots=True)
class Tile:
    """A region whose `unrolled` output loops are written out and whose lane fills vectors.

    Args:
        region: without conditions; its outer loops stand in the order they run.
        lane: an output loop; every factor has stride 1 or 0 along it.
        width: elements of one vector.
        summed: the lane is an index of the sum instead: each output is the total of a vector.
        written: indices of the sums that are written out too.
        held: how many values read may be kept while others go by.
        cut: edges cut its sums into pieces, which may take turns.
        around: loops outside the tile that its region does not name any more.
    """

    region: Region
    lane: str
    width: int
    unrolled: tuple[str, ...]
    summed: bool = False
    written: tuple[str, ...] = ()
    held: int = 0
    cut: bool = False
    around: tuple[Range, ...] = ()

    @property
    def outer(self) -> tuple[Range, ...]:
        return tuple(r for r in self.region.loops if r.name != self.lane and r.name not in self.unrolled)

    @property
    def extents(self) -> dict[str, int]:
        return {r.name: r.extent for r in self.region.loops}

    @property
    def vectors(self) -> int:
        return -(-self.extents.get(self.lane, 1) // self.width)

    def points(self) -> Iterator[tuple[str, int, Mapping[str, int]]]:
        """Each accumulator: its name, how many of its lanes count, and where it stands."""
        names = [n for n in self.unrolled if n in self.extents]
        for at in product(*(range(self.extents[n]) for n in names)):
            for u in range(self.vectors):
                lanes = self.width if self.summed else min(self.width, self.extents[self.lane] - u * self.width)
                label = "_".join(map(str, (*at, u) if self.vectors > 1 or not at else at))
                yield f"sum_{label}", lanes, {**dict(zip(names, at, strict=True)), self.lane: u * self.width}


def start_of(region: Region) -> tuple[Access | None, list[Sweep]]:
    """What the accumulators start from, and the sums that follow: a start is the first of the sweeps."""
    if not region.sweeps or not may_start(region.sweeps[0]):
        return None, list(region.sweeps)
    return region.sweeps[0].term.factors[0], list(region.sweeps[1:])


def may_start(s: Sweep) -> bool:
    """One element for each output, there for all of them."""
    return not s.loops and not s.constraints and len(s.term.factors) == 1
