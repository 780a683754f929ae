"""Loops cut where arrays end, so that inside each piece every read is known to lie inside its array or outside."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from symconv.affine import Affine, AffineLike
from symconv.errors import NotSupported
from symconv.schedule.regions import Interval, Range, Region, Sweep, box_of, value_interval

MOST_PIECES = 24  # of one region: beyond these, zeros in a copy read better


def decided(region: Region, fixed: Collection[str]) -> Iterator[Region]:
    """Pieces of a region in which no loop but those of `fixed` decides whether an element exists.

    Raises:
        NotSupported: there would be too many.
    """
    pieces: list[Region] = []
    open_ = [region]
    while open_:
        if len(pieces) + len(open_) > MOST_PIECES:
            raise NotSupported(f"edges cut {region} into too many pieces")
        part = open_.pop()
        cuts = _cut(part, fixed)
        if cuts is None:
            pieces.append(part)
        else:
            open_ += reversed(cuts)
    yield from pieces


def _cut(region: Region, fixed: Collection[str]) -> list[Region] | None:
    """The region in pieces along one loop; None when nothing is left to cut."""
    outputs = {r.name: r.extent for r in region.loops}
    for at, s in enumerate(region.sweeps):
        box = box_of((*region.loops, *s.loops))
        for e, n in _axes(s):
            name = next((m for m in (*outputs, *(r.name for r in s.loops)) if e.coefficient(m) and m not in fixed), "")
            ends = value_interval(e, box)
            if not name or (ends[0] >= 0 and ends[1] < n) or ends[1] < 0 or ends[0] >= n:
                continue
            pieces = _pieces(e, n, name, box)
            if name in outputs:
                return [_output_piece(region, name, *p) for p in pieces]
            cut = tuple(_sum_piece(s, name, *p) for p in pieces)
            return [replace(region, sweeps=(*region.sweeps[:at], *cut, *region.sweeps[at + 1:]))]
    return None


def _axes(s: Sweep) -> Iterator[tuple[Affine, int]]:
    for f in s.term.factors:
        yield from zip(f.indices, f.tensor.extents, strict=True)


def _pieces(e: Affine, n: int, name: str, box: Mapping[str, Interval]) -> list[Interval]:
    """The values of one loop: those for which the element is there whatever the other names are, the others singly."""
    a = e.coefficient(name)
    low, high = value_interval(e - a * Affine.of(name), box)
    values = range(box[name][1] + 1)
    inside = [v for v in values if a * v + low >= 0 and a * v + high < n]
    if not inside:
        return [(v, v) for v in values]
    first, last = inside[0], inside[-1]
    return [*((v, v) for v in values if v < first), (first, last), *((v, v) for v in values if v > last)]


def _moved(r: Range, low: int, high: int) -> tuple[tuple[Range, ...], AffineLike]:
    """What is left of a loop, and what stands in its place."""
    return ((), low) if low == high else ((Range(r.name, high - low + 1),), Affine.of(r.name) + low)


def _output_piece(region: Region, name: str, low: int, high: int) -> Region:
    r = next(r for r in region.loops if r.name == name)
    left, value = _moved(r, low, high)
    loops = tuple(q for p in region.loops for q in (left if p is r else (p,)))
    sweeps = tuple(replace(s, term=s.term.substitute({name: value})) for s in region.sweeps)
    return Region(region.output.substitute({name: value}), loops, sweeps)


def _sum_piece(s: Sweep, name: str, low: int, high: int) -> Sweep:
    r = next(r for r in s.loops if r.name == name)
    left, value = _moved(r, low, high)
    loops = tuple(q for p in s.loops for q in (left if p is r else (p,)))
    return replace(s, term=s.term.substitute({name: value}), loops=loops)
