"""The loops and statements of a register tile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import (
    Accumulator,
    Buffer,
    Keep,
    Loop,
    Node,
    Product,
    Row,
    Scope,
    Store,
    Total,
    Totals,
    Transpose,
)
from symconv.schedule.regions import Range, Sweep
from symconv.schedule.tiles import Tile, start_of
from symconv.schedule.updates import step_of

FEW = 4  # totals that are as quick one by one


def tile_nest(tile: Tile, accumulate: bool) -> tuple[Node, ...]:
    """The loops of a tile. A term without a sum (a bias) is where its accumulators start."""
    start, sums = start_of(tile.region)
    body: list[Node] = []
    for name, lanes, at in tile.points():
        read = start.substitute(at) if start and not tile.summed else None
        body.append(Accumulator(name, tile.width, read, flat_stride(start, tile.lane) if start else 0, lanes))
    fixed = {tile.lane, *tile.written}
    body += _sums(tile, [(tuple(r for r in s.loops if r.name not in fixed), s) for s in sums])
    body += _stores(tile, accumulate)
    return tuple(_loops(tile.outer, body)) if tile.outer else (Scope(tuple(body)),)


def _sums(tile: Tile, sums: Sequence[tuple[tuple[Range, ...], Sweep]]) -> list[Node]:
    """Sums inside their loops, pieces of one taking turns inside those they share."""
    nodes: list[Node] = []
    for r, run in groupby(sums, lambda pair: pair[0][0] if pair[0] and tile.cut else None):
        alike = tuple(run)
        if r is not None and len(alike) > 1:
            inner = _sums(tile, [(loops[1:], s) for loops, s in alike])
            nodes += _loops((r,), inner) if inner else []
            continue
        for loops, s in alike:
            if step := step_of(tile, s):
                nodes += _loops(loops, step) if loops else [Scope(tuple(step))]
    return nodes


def _loops(loops: tuple[Range, ...], body: list[Node]) -> list[Node]:
    for r in reversed(loops):
        body = [Loop(r.name, (Affine(),), (Affine.of(r.extent),), tuple(body))]
    return body


def _stores(tile: Tile, accumulate: bool) -> list[Node]:
    """Whole vectors where the output is contiguous along the lane, else through a small buffer."""
    output = tile.region.output
    if tile.summed:
        points = [(name, at) for name, _, at in tile.points()]
        return [n for k in range(0, len(points), tile.width) for n in
                _totals(tile, points[k:k + tile.width], accumulate)]
    if flat_stride(output, tile.lane) == 1:
        return [Keep(output.substitute(at), name, tile.width, lanes, accumulate) for name, lanes, at in tile.points()]
    row = row_of(output, {n: tile.extents.get(n, 1) for n in tile.unrolled}, tile.width)
    return _turned(tile, row) if row and not accumulate else _scattered(tile, accumulate)


def _totals(tile: Tile, points: Sequence[tuple[str, Mapping[str, int]]], accumulate: bool) -> list[Node]:
    """The totals of some accumulators, of several at once through a small buffer."""
    output, (start, _) = tile.region.output, start_of(tile.region)
    if len(points) < FEW or tile.width < FEW:
        return [Total(output.substitute(at), name, tile.width, start.substitute(at) if start else None, accumulate)
                for name, at in points]
    vectors, totals = Tensor("tile", (len(points), tile.width)), Tensor("totals", (tile.width,))
    nodes: list[Node] = [Buffer(vectors), Buffer(totals)]
    nodes += [Keep(vectors[k, 0], name, tile.width, tile.width, False) for k, (name, _) in enumerate(points)]
    nodes.append(Totals(totals[0], vectors[0, 0], len(points), tile.width))
    for k, (_, at) in enumerate(points):
        to = output.substitute(at)
        nodes += [Store(to, Product(1, (start.substitute(at),)), add=accumulate)] if start else []
        nodes.append(Store(to, Product(1, (totals[k],)), add=accumulate or start is not None))
    return [Scope(tuple(nodes))]


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
