"""Two loops that walk two axes of every array alike are one loop over one axis: i*14 + j < 196."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.schedule.regions import Range, Region, Sweep


def fused(region: Region) -> Region:
    """The region with as few loops as its arrays allow."""
    for outer, inner in _neighbours(region):
        if (whole := _fuse(region, outer, inner)) is not None:
            return fused(whole)
    return region


def _accesses(region: Region) -> list[Access]:
    return [region.output, *(f for s in region.sweeps for f in s.term.factors)]


def _neighbours(region: Region) -> Iterator[tuple[str, str]]:
    """Names that stand alone on two axes next to each other."""
    seen = {(str(e), str(g)) for a in _accesses(region) for e, g in zip(a.indices, a.indices[1:], strict=False)}
    for loops in (region.loops, *(s.loops for s in region.sweeps)):
        names = [r.name for r in loops]
        yield from ((a, b) for a in names for b in names if (a, b) in seen)


def _fuse(region: Region, outer: str, inner: str) -> Region | None:
    """None where an array walks them differently, or a condition knows them apart."""
    both = {outer, inner}
    if any(c.expression.names & both for s in region.sweeps for c in s.constraints):
        return None
    extents = {r.name: r.extent for loops in (region.loops, *(s.loops for s in region.sweeps)) for r in loops}
    merged: dict[str, set[int | None]] = {}
    for a in _accesses(region):
        merged.setdefault(a.tensor.name, set()).add(_place(a, outer, inner, extents[inner]))
    places = {name: next(iter(at)) for name, at in merged.items()}
    if any(len(at) > 1 for at in merged.values()) or -1 in places.values():
        return None

    def seen(a: Access) -> Access:
        k = places[a.tensor.name]
        if k is None:
            return a
        shape = a.tensor.extents
        whole = Tensor(a.tensor.name, (*shape[:k], shape[k] * shape[k + 1], *shape[k + 2:]))
        return Access(whole, (*a.indices[:k + 1], *a.indices[k + 2:]), a.function)

    def joined(loops: tuple[Range, ...]) -> tuple[Range, ...]:
        return tuple(Range(outer, extents[outer] * extents[inner]) if r.name == outer else r
                     for r in loops if r.name != inner)

    def sweep(s: Sweep) -> Sweep:
        term = replace(s.term, factors=tuple(map(seen, s.term.factors)), indices=tuple(
            n for n in s.term.indices if n != inner), constraints=())
        return replace(s, term=term, loops=joined(s.loops))

    return Region(seen(region.output), joined(region.loops), tuple(map(sweep, region.sweeps)))


def _place(a: Access, outer: str, inner: str, extent: int) -> int | None:
    """The axis of `outer` where `inner` follows over the whole of its axis; None without either, -1 otherwise."""
    at = [k for k, e in enumerate(a.indices) if e.names & {outer, inner}]
    if not at:
        return None
    k = at[0]
    fits = (at == [k, k + 1] and a.indices[k] == Affine.of(outer) and a.indices[k + 1] == Affine.of(inner)
            and a.tensor.extents[k + 1] == extent)
    return k if fits else -1
