"""A register tile: vector accumulators with names of their own, over a region that has no edges.

    sum_t_u += lanes u of A * element t of B

The lane runs along vectors, the other tiled indices are written out, and sums run inside: every vector
of A is used once for each t, every element of B once for each u.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import (
    Accumulator,
    Buffer,
    Fetch,
    Keep,
    Loop,
    MultiplyAdd,
    Node,
    Pointer,
    Product,
    Row,
    Scope,
    Store,
    Total,
    Transpose,
)
from symconv.schedule.regions import Range, Region, Sweep


@dataclass(frozen=True, slots=True)
class Tile:
    """A region whose `unrolled` output loops are written out and whose lane fills vectors.

    Args:
        region: without conditions; its outer loops stand in the order they run.
        lane: an output loop; every factor has stride 1 or 0 along it.
        width: elements of one vector.
        summed: the lane is an index of the sum instead: each output is the total of a vector.
    """

    region: Region
    lane: str
    width: int
    unrolled: tuple[str, ...]
    summed: bool = False

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



def tile_nest(tile: Tile, accumulate: bool) -> tuple[Node, ...]:
    """The loops of a tile. A term without a sum (a bias) is where its accumulators start."""
    start, sums = start_of(tile.region)
    body: list[Node] = []
    for name, lanes, at in tile.points():
        read = start.substitute(at) if start and not tile.summed else None
        body.append(Accumulator(name, tile.width, read, flat_stride(start, tile.lane) if start else 0, lanes))
    for s in sums:
        step = [*_pointers(tile, s), *_updates(tile, s)]
        loops = tuple(r for r in s.loops if r.name != tile.lane)
        body += _loops(loops, step) if loops else [Scope(tuple(step))]
    body += _stores(tile, accumulate)
    return tuple(_loops(tile.outer, body)) if tile.outer else (Scope(tuple(body)),)


def _loops(loops: tuple[Range, ...], body: list[Node]) -> list[Node]:
    for r in reversed(loops):
        body = [Loop(r.name, (Affine(),), (Affine.of(r.extent),), tuple(body))]
    return body


def start_of(region: Region) -> tuple[Access | None, list[Sweep]]:
    """What the accumulators start from, and the sums that follow: a start is the first of the sweeps."""
    if not region.sweeps or not may_start(region.sweeps[0]):
        return None, list(region.sweeps)
    return region.sweeps[0].term.factors[0], list(region.sweeps[1:])


def may_start(s: Sweep) -> bool:
    """One element for each output, there for all of them."""
    return not s.loops and not s.constraints and len(s.term.factors) == 1


def _handles(s: Sweep) -> list[tuple[str, Access]]:
    """A short name for each factor of a sum."""
    names: list[str] = []
    for f in s.term.factors:
        name = f.tensor.name
        names.append(f"{name}{len(names) + 1}" if name in names else name)
    return list(zip(names, s.term.factors, strict=True))


def _pointers(tile: Tile, s: Sweep) -> list[Node]:
    origin = dict.fromkeys((tile.lane, *tile.unrolled), 0)
    return [Pointer(f"{name}_at", f.substitute(origin)) for name, f in _handles(s)]


def _updates(tile: Tile, s: Sweep) -> Iterator[Node]:
    """Every element and vector fetched once, just before its first use."""
    fetched: dict[tuple[str, int], str] = {}
    for target, _, at in tile.points():
        names = []
        for handle, f in _handles(s):
            offset = sum(flat_stride(f, n) * k for n, k in at.items())
            if (handle, offset) not in fetched:
                count = sum(1 for h, _ in fetched if h == handle)
                fetched[handle, offset] = f"{handle}_{count}"
                width = tile.width if flat_stride(f, tile.lane) else 0
                yield Fetch(f"{handle}_{count}", f"{handle}_at", offset, width)
            names.append(fetched[handle, offset])
        yield MultiplyAdd(target, tuple(names))


def _stores(tile: Tile, accumulate: bool) -> list[Node]:
    """Whole vectors where the output is contiguous along the lane, else through a small buffer."""
    output = tile.region.output
    if tile.summed:
        start, _ = start_of(tile.region)
        return [Total(output.substitute(at), name, tile.width, start.substitute(at) if start else None, accumulate)
                for name, _, at in tile.points()]
    if flat_stride(output, tile.lane) == 1:
        return [Keep(output.substitute(at), name, tile.width, lanes, accumulate) for name, lanes, at in tile.points()]
    row = row_of(output, {n: tile.extents.get(n, 1) for n in tile.unrolled}, tile.width)
    return _turned(tile, row) if row and not accumulate else _scattered(tile, accumulate)


def row_of(output: Access, unrolled: Mapping[str, int], width: int) -> str:
    """The tiled index along which the output is contiguous, if it fills half a vector; '' for none."""
    return next((n for n, k in unrolled.items() if flat_stride(output, n) == 1 and 2 * k >= width > 1), "")


def _turned(tile: Tile, row: str) -> list[Node]:
    """Squares of the tile are turned, so that rows of the output are stored whole."""
    width, count = tile.width, tile.extents[row]
    long = -(-count // width) * width
    tensor, rows = Tensor("tile", (long, width)), Tensor("turned", (width, long))
    nodes: list[Node] = [Buffer(tensor), Buffer(rows)]
    groups: dict[tuple[tuple[str, int], ...], list[tuple[str, int, Mapping[str, int]]]] = {}
    for name, lanes, at in tile.points():
        groups.setdefault(tuple((n, k) for n, k in at.items() if n != row), []).append((name, lanes, at))
    for key, points in groups.items():
        lanes, at = points[0][1], {**dict(key), row: 0}
        held = [name for name, _, _ in points]
        held += held[-1:] * (long - count)  # rows that fill the last square and go nowhere
        nodes += [Keep(tensor[k, 0], name, width, width, False) for k, name in enumerate(held)]
        nodes += [Transpose(rows[0, k], tensor[k, 0], long, width, width) for k in range(0, long, width)]
        to = tile.region.output.substitute({**at, tile.lane: at[tile.lane] + Affine.of(tile.lane)})
        nodes += _loops((Range(tile.lane, lanes),), [Row(to, rows[Affine.of(tile.lane), 0], count)])
    return nodes


def _scattered(tile: Tile, accumulate: bool) -> list[Node]:
    """Element by element, the shortest steps through the output innermost."""
    output = tile.region.output
    inner = [r for r in tile.region.loops if r.name in tile.unrolled]
    buffer = Tensor("tile", (*(r.extent for r in inner), tile.vectors * tile.width))
    kept: list[Node] = [Buffer(buffer)]
    for name, _, at in tile.points():
        place = buffer[(*(Affine.of(at[r.name]) for r in inner), Affine.of(at[tile.lane]))]
        kept.append(Keep(place, name, tile.width, tile.width, False))
    lane = Range(tile.lane, tile.extents[tile.lane])
    order = tuple(sorted((*inner, lane), key=lambda r: -abs(flat_stride(output, r.name))))
    element = buffer[tuple(Affine.of(r.name) for r in (*inner, lane))]
    return kept + _loops(order, [Store(output, Product(1, (element,)), add=accumulate)])
