"""Copies and tiles inside the loops they share: one sample, one group at a time.

A piece is read while it is near, and the workspace holds one piece instead of all.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.schedule.copying import copied
from symconv.schedule.nodes import Label, Loop, Node
from symconv.schedule.packing import Packing
from symconv.schedule.regions import Range, value_interval
from symconv.schedule.tile_nest import tile_nest
from symconv.schedule.tiles import Tile


@dataclass(frozen=True, slots=True)
class Piece:
    """A copy without the axes its `names` run over in loops outside it."""

    packing: Packing
    names: tuple[str, ...]
    axes: tuple[int, ...]

    @property
    def tensor(self) -> Tensor:
        whole = self.packing.packed
        return Tensor(whole.name, [n for k, n in enumerate(whole.extents) if k not in self.axes])

    def read(self, a: Access) -> Access:
        return Access(self.tensor, tuple(e for k, e in enumerate(a.indices) if k not in self.axes))

    def nest(self, extents: dict[str, int], width: int) -> tuple[Node, ...]:
        """The loops of this copy."""
        equation = self.packing.equation
        (term,) = equation.terms
        names = {equation.indices[k]: n for k, n in zip(self.axes, self.names, strict=True)}
        box = {n: (0, extent - 1) for n, extent in zip(equation.indices, equation.output.extents, strict=True)}
        box |= {n: (0, extents[n] - 1) for n in self.names}
        inner = tuple(n for n in equation.indices if n not in names)
        left, source = self.read(equation.left), term.factors[0].substitute(names)
        return (Label(left, source), *copied(left, source, inner, box, width))


def whole_copy(c: Packing, width: int) -> tuple[Node, ...]:
    """A copy on its own."""
    return Piece(c, (), ()).nest({}, width)


def shared_nest(copies: Sequence[Packing], tiles: Sequence[Tile], accumulate: bool,
                width: int) -> tuple[tuple[Node, ...], tuple[Tensor, ...]]:
    """All copies and tiles as one nest, and the workspace they need."""
    owned = {c.packed.name: _owned(c, tiles) for c in copies}
    outer = tiles[0].outer
    loops = sorted((r for r in outer if any(r.name in own for own in owned.values())),
                   key=lambda r: -sum(r.name in own for own in owned.values()))
    extents = {r.name: r.extent for r in loops}
    pieces = {c.packed.name: _piece(c, owned[c.packed.name], loops) for c in copies}

    def level(depth: int) -> tuple[Node, ...]:
        made = [n for p in pieces.values() if len(p.names) == depth for n in p.nest(extents, width)]
        if depth < len(loops):
            r = loops[depth]
            return (*made, Loop(r.name, (Affine(),), (Affine.of(r.extent),), level(depth + 1)))
        inner = [_without(_reading(t, pieces), extents) for t in tiles]
        return (*made, *_together(inner, accumulate))

    return level(0), tuple(p.tensor for p in pieces.values())


def _together(tiles: Sequence[Tile], accumulate: bool) -> list[Node]:
    """Tiles after each other, inside one loop where they begin with the same."""
    nodes: list[Node] = []
    for r, run in groupby(tiles, lambda t: t.outer[0] if t.outer else None):
        alike = tuple(run)
        if r is None or len(alike) == 1:
            nodes += [n for t in alike for n in (Label(t.region.output), *tile_nest(t, accumulate))]
        else:
            inner = _together([_without(t, {r.name}) for t in alike], accumulate)
            nodes.append(Loop(r.name, (Affine(),), (Affine.of(r.extent),), tuple(inner)))
    return nodes


def _owned(c: Packing, tiles: Sequence[Tile]) -> dict[str, int]:
    """The outer loops that run over an axis of this copy, without zeros, wherever it is read; with that axis."""
    reads = [f for t in tiles for s in t.region.sweeps for f in s.term.factors if f.tensor.name == c.packed.name]
    equation = c.equation
    box = {n: (0, extent - 1) for n, extent in zip(equation.indices, equation.output.extents, strict=True)}
    zeros = {n for q in equation.terms[0].domain() if value_interval(q.expression, box)[0] < 0
             for n in q.expression.names}
    names = set.intersection(*({r.name for r in t.outer if r in tiles[0].outer} for t in tiles))
    found = {}
    for k, n in enumerate(c.packed.extents):
        at = {a.indices[k] for a in reads}
        for r in tiles[0].outer:
            elsewhere = any(e.coefficient(r.name) for a in reads for j, e in enumerate(a.indices) if j != k)
            whole = r.name in names and r.extent == n and equation.indices[k] not in zeros
            if whole and at == {Affine.of(r.name)} and not elsewhere:
                found[r.name] = k
    return found


def _piece(c: Packing, owned: dict[str, int], loops: Sequence[Range]) -> Piece:
    """As many of the outermost loops as run over its axes."""
    names: list[str] = []
    for r in loops:
        if r.name not in owned:
            break
        names.append(r.name)
    return Piece(c, tuple(names), tuple(owned[n] for n in names))


def _reading(t: Tile, pieces: dict[str, Piece]) -> Tile:
    """The tile reading from pieces."""
    def read(f: Access) -> Access:
        return pieces[f.tensor.name].read(f) if f.tensor.name in pieces else f

    sweeps = tuple(replace(s, term=replace(s.term, factors=tuple(map(read, s.term.factors))))
                   for s in t.region.sweeps)
    return replace(t, region=replace(t.region, sweeps=sweeps))


def _without(t: Tile, names: Container[str]) -> Tile:
    """The tile inside some of its loops."""
    inner, outer = (tuple(r for r in t.region.loops if (r.name in names) == around) for around in (False, True))
    return replace(t, region=replace(t.region, loops=inner), around=(*t.around, *outer))
