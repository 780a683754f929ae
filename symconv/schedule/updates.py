"""The multiply-adds of one step of a tile's sum, in an order that reads little and keeps little."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, product, zip_longest

from symconv.equation import Access
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import MultiplyAdd, Node
from symconv.schedule.reads import Factor, Fetches, Read
from symconv.schedule.regions import Sweep, box_of
from symconv.schedule.tiles import Tile, start_of


@dataclass(frozen=True, slots=True)
class Update:
    """target += product of what is read at the values of all that is written out; `tap`: those of the sums."""

    target: str
    tap: tuple[int, ...]
    at: Mapping[str, int]
    reads: tuple[Read, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """Updates in groups; what a group reads is forgotten after it, but for the factors that are kept.

    streamed: the factor of which each group reads one element or vector.
    """

    groups: tuple[tuple[Update, ...], ...]
    kept: tuple[bool, ...]
    streamed: int = -1

    @staticmethod
    def of(updates: Sequence[Update], own: Callable[[Update], Hashable], held: int, streamed: int = -1) -> Order:
        groups = tuple(tuple(g) for _, g in groupby(updates, own))
        count = len(updates[0].reads) if updates else 0
        distinct = [len({u.reads[k] for u in updates}) for k in range(count)]
        return Order(groups, tuple(n <= held or len(groups) == 1 for n in distinct), streamed)

    @property
    def reads(self) -> int:
        """How often something is fetched."""
        return sum(len({u.reads[k] for g in self.groups for u in g}) if kept else
                   sum(len({u.reads[k] for u in g}) for g in self.groups) for k, kept in enumerate(self.kept))


def step_of(tile: Tile, s: Sweep) -> list[Node]:
    """Everything one step of a sum does; nothing where all of it lies outside the arrays.

    Raises NotSupported where a loop would decide what lies outside.
    """
    factors, order = _factors(tile, s), order_of(tile, s)
    fetches = Fetches()
    body: list[Node] = []
    for group, following in zip_longest(order.groups, order.groups[1:], fillvalue=()):
        for u in group:
            for f, r in zip(factors, u.reads, strict=True):
                body += fetches.get(f, r)
            body.append(MultiplyAdd(u.target, tuple(map(fetches.name, factors, u.reads))))
        for k, f in enumerate(factors):
            if not order.kept[k]:
                fetches.forget(f, {u.reads[k].start for u in following} if k == order.streamed else ())
    return [*fetches.pointers.values(), *body]


def written_in(tile: Tile) -> int:
    """How many multiply-adds and sums stand in the code of a tile. Raises as `step_of` does."""
    sums = sum(1 for _ in tile.points())
    return sums + sum(1 for s in start_of(tile.region)[1] for _ in _updates(tile, s, _factors(tile, s)))


def _factors(tile: Tile, s: Sweep) -> tuple[Factor, ...]:
    """The factors by short names, with the ranges of all that is not written out."""
    fixed = {tile.lane, *tile.unrolled, *tile.written}
    box = box_of(tuple(r for r in (*tile.around, *tile.region.loops, *s.loops) if r.name not in fixed))
    found: list[Factor] = []
    for f in s.term.factors:
        name = f.tensor.name
        handle = f"{name}{len(found) + 1}" if name in [other.handle for other in found] else name
        found.append(Factor(handle, f, tile.lane, tile.width if flat_stride(f, tile.lane) else 0, box))
    return tuple(found)


def _updates(tile: Tile, s: Sweep, factors: Sequence[Factor]) -> Iterator[Update]:
    """Every product inside the arrays, tap by tap."""
    written = [r for r in s.loops if r.name in tile.written]
    points = tuple(tile.points())
    for tap in product(*(range(r.extent) for r in written)):
        taps = dict(zip([r.name for r in written], tap, strict=True))
        for target, lanes, at in points:
            reads = [f.read({**at, **taps}, lanes) for f in factors]
            if None not in reads:
                yield Update(target, tap, {**at, **taps}, tuple(r for r in reads if r))


def order_of(tile: Tile, s: Sweep) -> Order:
    """Tap by tap, or everything that one element or vector is good for at once: whatever reads less.

    Every sum runs through its taps in their order all the same, so that its roundings do not depend on the tile.
    """
    updates = tuple(_updates(tile, s, _factors(tile, s)))
    orders = [Order.of(updates, lambda u: u.tap, tile.held)]
    for k, f in enumerate(s.term.factors if tile.written else ()):
        streamed = tuple(sorted(updates, key=lambda u, f=f: _walk(f, u.at, tile.written)))  # type: ignore[misc]
        if _in_taps_order(streamed):
            orders.append(Order.of(streamed, lambda u, k=k: u.reads[k], tile.held, k))  # type: ignore[misc]
    return min(orders, key=lambda o: o.reads)


def _walk(f: Access, at: Mapping[str, int], written: Sequence[str]) -> tuple[int, ...]:
    """Where an element stands when axes are walked the way the taps go."""
    signs = [-1 if any(e.coefficient(n) < 0 for n in written) else 1 for e in f.indices]
    return tuple(sign * sum(e.coefficient(n) * k for n, k in at.items())
                 for sign, e in zip(signs, f.indices, strict=True))


def _in_taps_order(updates: Sequence[Update]) -> bool:
    last: dict[str, tuple[int, ...]] = {}
    for u in updates:
        if u.tap < last.get(u.target, ()):
            return False
        last[u.target] = u.tap
    return True
