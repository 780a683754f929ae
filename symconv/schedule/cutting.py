"""Regions cut into whole tiles and what is left of them."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import replace

from symconv.affine import Affine, AffineLike
from symconv.equation import Access
from symconv.schedule.packing import Lane
from symconv.schedule.regions import Range, Region, Sweep, fresh
from symconv.schedule.tiles import start_of


def in_blocks(region: Region, lane: Lane) -> Region:
    """The sums over a lane as sums over its blocks, and inside them."""
    def loops(s: Sweep) -> tuple[Range, ...]:
        blocks = {r.name: Range(lane.block, -(-r.extent // lane.size)) for r in s.loops if r.name == lane.name}
        return (*(blocks.get(r.name, r) for r in s.loops), *(Range(lane.name, lane.size) for _ in blocks))

    sweeps = tuple(replace(s, loops=loops(s)) for s in region.sweeps)
    return replace(region, sweeps=sweeps)


def depends(f: Access, name: str) -> bool:
    """Does the element move with the index?"""
    return any(e.coefficient(name) for e in f.indices)


def substituted(region: Region, put: Mapping[str, AffineLike], apart: Container[str] = ()) -> Region:
    """The region with names put in expressions, except in the reads of arrays set apart."""
    def read(f: Access) -> Access:
        return f if f.tensor.name in apart else f.substitute(put)

    sweeps = tuple(replace(s, term=replace(s.term, factors=tuple(map(read, s.term.factors)))) for s in region.sweeps)
    return replace(region, output=region.output.substitute(put), sweeps=sweeps)


def cut(extent: int, size: int) -> list[tuple[int, int, int]]:
    """(start, size, count): whole tiles, then what is left."""
    whole, rest = divmod(extent, size)
    return [(0, size, whole)] * bool(whole) + [(size * whole, rest, 1)] * bool(rest)


def cut_all(region: Region, unrolled: dict[str, int]) -> Iterator[Region]:
    """One region for each combination of whole tiles and remainders."""
    if not unrolled:
        yield region
        return
    (name, tile), *rest = unrolled.items()
    extent = next(r.extent for r in region.loops if r.name == name)
    taken = {n for r in region.loops for n in (r.name,)} | {q.name for s in region.sweeps for q in s.loops}
    block = fresh(f"{name}_block", taken)
    for start, size, count in cut(extent, tile):
        put = tile * Affine.of(block) + name if count > 1 else Affine.of(name) + start
        loops = tuple(q for r in region.loops for q in
                      ([Range(block, count)] * (count > 1) + [Range(name, size)] if r.name == name else [r]))
        yield from cut_all(replace(substituted(region, {name: put}), loops=loops), dict(rest))


def cut_sums(region: Region, written: Mapping[str, int]) -> Region:
    """Sums of which only some steps are written out go by whole blocks, then what is left."""
    taken = {n for r in region.loops for n in (r.name,)} | {q.name for s in region.sweeps for q in s.loops}

    def pieces(s: Sweep) -> Iterator[Sweep]:
        r = next((r for r in s.loops if r.extent > written.get(r.name, r.extent)), None)
        if r is None:
            yield s
            return
        block = fresh(f"{r.name}_block", taken)
        for start, size, count in cut(r.extent, written[r.name]):
            put = size * Affine.of(block) + r.name if count > 1 else Affine.of(r.name) + start
            loops = tuple(q for p in s.loops for q in
                          ([Range(block, count)] * (count > 1) + [Range(r.name, size)] if p is r else [p]))
            yield from pieces(replace(s, term=s.term.substitute({r.name: put}), loops=loops))

    return replace(region, sweeps=tuple(p for s in region.sweeps for p in pieces(s)))


def without_single_outputs(region: Region, lane: str) -> Region:
    """A loop of one step is no loop: put its index at 0, but for the lane."""
    put: dict[str, AffineLike] = {r.name: 0 for r in region.loops if r.extent == 1 and r.name != lane}
    return replace(substituted(region, put), loops=tuple(r for r in region.loops if r.name not in put))


def ordered_loops(region: Region, lane: str) -> Region:
    """Loops the vectors depend on run outermost, so that what they hold stays near while the rest goes by."""
    vectors = [f for s in start_of(region)[1] for f in s.term.factors if depends(f, lane)]

    def inside(r: Range) -> bool:
        return not any(depends(f, r.name) for f in vectors)

    return replace(region, loops=tuple(sorted(region.loops, key=inside)))
