"""From regions to an explicit loop nest: which index runs innermost, what every loop's bounds are.

The innermost loop is a *lane*: an index along which the arrays are contiguous, so that a compiler
can vectorise it. When the lane is an output index, its row of the output is the accumulator; when
it is a summation index, partial sums are kept per lane and added up at the end.

Constraints become loop bounds, computed once at the head of the loop they bound. Where a bound
would need a division, an outer index is split by its residue instead; only a condition that
involves no loop of the sum is left as a guard.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from math import gcd

from symconv.affine import Affine, Constraint, at_least
from symconv.equation import Access, Equation
from symconv.schedule.nodes import Declare, Guard, Loop, Node, Product, Scope, Store
from symconv.schedule.regions import (
    Interval,
    Range,
    Region,
    Sweep,
    box_of,
    fresh,
    regions,
    split_sweep,
    tidied,
    tidy,
    value_interval,
)

MAX_PIECES = 64  # beyond this many residue pieces a guard is the smaller evil
LANES = 256  # partial sums kept on the stack
WIDE = 16  # a lane longer than this gains nothing more


@dataclass(frozen=True, slots=True)
class Part:
    """The outputs at `place`, each written once."""

    place: Access
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class LoopNest:
    """Everything one kernel does: `products` terms are added up, at the cost of `multiplications`."""

    output: Access
    parts: tuple[Part, ...]
    products: int
    multiplications: int


def loop_nest(equation: Equation, accumulate: bool = False) -> LoopNest:
    """Schedule a concrete equation as plain loops.

    Args:
        accumulate: add to what the output array holds instead of overwriting it.
    """
    body: list[Part] = []
    products = multiplications = 0
    for whole in regions(equation):
        lane = _choose_lane(whole)
        for region in map(_without_single_steps, _exact(whole, lane)):
            counts = [points(s, region.loops) for s in region.sweeps]
            region = replace(region, sweeps=tuple(s for s, n in zip(region.sweeps, counts, strict=True) if n))
            body.append(Part(region.output, tuple(_region(region, lane, accumulate))))
            for s, n in zip(region.sweeps, filter(None, counts), strict=True):
                products += n
                multiplications += n * max(0, len(s.term.factors) - 1 + (abs(s.term.coefficient) != 1))
    parts = tuple(Part(p.place, tuple(_scoped(list(p.body), len(body) > 1))) for p in body if p.body)
    return LoopNest(equation.left, parts, products, multiplications)


def zero_nest(region: Region) -> tuple[Node, ...]:
    """Zeros for outputs that nothing reaches."""
    body: list[Node] = [Store(region.output, Product(0))]
    for r in reversed(region.loops):
        body = [_full(r, body)]
    return tuple(body)


def flat_stride(a: Access, name: str) -> int:
    """How far the element moves in memory when the index goes up by one."""
    stride, total = 1, 0
    for e, n in zip(reversed(a.indices), reversed(a.tensor.extents), strict=True):
        total += stride * e.coefficient(name)
        stride *= n
    return total


def _choose_lane(region: Region) -> str:
    """The index whose steps are shortest in every array, long loops before short; '' for none."""
    candidates: dict[str, float] = {}
    for r in region.loops:
        factors = [f for s in region.sweeps for f in s.term.factors]
        candidates[r.name] = _worth(r, [region.output, *factors])
    for s in region.sweeps:
        for r in s.loops:
            # partial sums pay only when several products fall on each lane
            reused = any(q.extent > 1 for q in s.loops if q != r) or r.extent >= 2 * WIDE
            worth = _worth(r, s.term.factors) * (0.9 if reused else 0.3)
            candidates[r.name] = max(candidates.get(r.name, 0), worth)
    best = max(candidates, key=lambda n: candidates[n], default="")
    return best if best and candidates[best] > 1 else ""


def _worth(r: Range, accesses: Iterable[Access]) -> float:
    """How many vector elements a step along this index serves: fewer, the further it jumps."""
    jumps = sum(max(0, abs(flat_stride(a, r.name)) - 1) for a in accesses)
    return min(r.extent, WIDE) / (1 + jumps)


def _order(region: Region, s: Sweep, lane: str) -> list[str]:
    names = [r.name for r in (*region.loops, *s.loops)]
    return [n for n in names if n != lane] + [lane] * (lane in names)


def _exact(region: Region, lane: str, budget: int = MAX_PIECES) -> Iterator[Region]:
    """Split by residues until every bound is an exact affine expression."""
    outputs = {r.name for r in region.loops}
    for at, s in enumerate(region.sweeps):
        hit = _inexact(region, s, lane) if budget > 1 else None
        if hit is None:
            continue
        name, period = hit
        if name in outputs:
            for part in region.split(name, period):
                yield from _exact(tidied(part), lane, budget // period)
        else:
            parts = tuple(p for p in split_sweep(s, name, period) if all(r.extent for r in p.loops))
            yield from _exact(tidied(replace(region, sweeps=region.sweeps[:at] + parts + region.sweeps[at + 1:])),
                              lane, budget // period)
        return
    yield region


def _without_single_steps(region: Region) -> Region:
    """A loop of one step is no loop: put its index at 0."""
    def zero(loops: tuple[Range, ...]) -> dict[str, int]:
        return {r.name: 0 for r in loops if r.extent == 1}

    def rest(loops: tuple[Range, ...]) -> tuple[Range, ...]:
        return tuple(r for r in loops if r.extent != 1)

    put = zero(region.loops)
    sweeps = tuple(replace(s, loops=rest(s.loops), term=s.term.substitute(put | zero(s.loops))) for s in region.sweeps)
    return tidied(Region(region.output.substitute(put), rest(region.loops), sweeps))


def _bounded(region: Region, s: Sweep, c: Constraint, lane: str) -> str:
    """The loop of the sweep that a constraint can bound: the innermost one it mentions."""
    outputs = {r.name for r in region.loops} - {lane}
    names = [n for n in _order(region, s, lane) if n in c.expression.names]
    return names[-1] if names and names[-1] not in outputs else ""


def _inexact(region: Region, s: Sweep, lane: str) -> tuple[str, int] | None:
    for c in s.constraints:
        bounded = _bounded(region, s, c, lane)
        a = abs(c.expression.coefficient(bounded)) if bounded else 1
        for m, b in c.expression:
            if m and m != (bounded,) and b % a:
                return m[0], a // gcd(a, b)
    return None


def _region(region: Region, lane: str, accumulate: bool) -> list[Node]:
    """The nest of one region: outer output loops around an accumulator and its sweeps."""
    rows = [r for r in region.loops if r.name != lane]
    lane_range = next((r for r in region.loops if r.name == lane), None)
    if accumulate and not region.sweeps:
        return []
    start, sweeps = _start(region)
    inner: list[Node]
    if lane_range:
        clear = Store(region.output, start or Product(0))
        inner = [] if accumulate and not start else [_full(lane_range, [replace(clear, add=accumulate)])]
        inner += [n for s in sweeps for n in _scoped(_sweep(region, s, lane, region.output), len(sweeps) > 1)]
    else:
        inner = [Declare("sum", value=start)]
        inner += [n for s in sweeps for n in _scoped(_sweep(region, s, lane, "sum"), len(sweeps) > 1)]
        inner.append(Store(region.output, "sum", add=accumulate))
    for r in reversed(rows):
        inner = [_full(r, inner)]
    return inner


def _scoped(body: list[Node], needed: bool) -> list[Node]:
    """In a scope of its own, unless a single loop already is one."""
    alone = len(body) == 1 and (not isinstance(body[0], Loop) or max(len(body[0].low), len(body[0].high)) == 1)
    return [Scope(tuple(body))] if needed and not alone else body


def _start(region: Region) -> tuple[Product | None, list[Sweep]]:
    """A term without a sum (a bias) is where the accumulator starts."""
    for at, s in enumerate(region.sweeps):
        if not s.loops and not s.constraints:
            rest = [*region.sweeps[:at], *region.sweeps[at + 1:]]
            return Product(s.term.coefficient, s.term.factors), rest
    return None, list(region.sweeps)


def _full(r: Range, body: list[Node]) -> Loop:
    return Loop(r.name, (Affine(),), (Affine.of(r.extent),), tuple(body))


def _sweep(region: Region, s: Sweep, lane: str, target: Access | str) -> list[Node]:
    partial = any(r.name == lane for r in s.loops)
    if partial and next(r.extent for r in s.loops if r.name == lane) > 2 * LANES:
        s = _strip_mined(s, lane, region.loops)
    ranges = {r.name: r for r in (*region.loops, *s.loops)}
    bounds = {n: _bounds(region, s, ranges[n], lane) for n in ranges}
    into: Access | str = "partial" if partial else target
    body: list[Node] = [Store(into, Product(s.term.coefficient, s.term.factors), add=True)]
    guards = _guards(region, s, lane)
    inner = [n for n in _order(region, s, lane) if n == lane or all(n != r.name for r in region.loops)]
    for n in reversed(inner):
        body = [Loop(n, *bounds[n], tuple(_guarded(guards.get(n), body)))]
    if partial:
        body = [Declare("partial", ranges[lane].extent), *body,
                _full(ranges[lane], [Store(target, "partial", add=True)])]
    return _guarded(guards.get(""), body)


def _guards(region: Region, s: Sweep, lane: str) -> dict[str, tuple[Constraint, ...]]:
    """The conditions no loop bound expresses, by the loop inside which they can be decided."""
    found: dict[str, tuple[Constraint, ...]] = {}
    for c in s.constraints:
        if not _is_bound(region, s, c, lane):
            name = _bounded(region, s, c, lane)
            found[name] = (*found.get(name, ()), c)
    return found


def _guarded(conditions: tuple[Constraint, ...] | None, body: list[Node]) -> list[Node]:
    return [Guard(conditions, tuple(body))] if conditions else body


def _is_bound(region: Region, s: Sweep, c: Constraint, lane: str) -> bool:
    name = _bounded(region, s, c, lane)
    a = c.expression.coefficient(name) if name else 0
    return bool(a) and all(b % a == 0 for m, b in c.expression if m)


def _strip_mined(s: Sweep, lane: str, outputs: tuple[Range, ...]) -> Sweep:
    """lane = LANES * block + lane, so that partial sums fit on a small stack."""
    extent = next(r.extent for r in s.loops if r.name == lane)
    block = fresh(f"{lane}_block", {r.name for r in (*s.loops, *outputs)})
    put = LANES * Affine.of(block) + lane
    loops = tuple(q for r in s.loops for q in
                  ((Range(block, -(-extent // LANES)), Range(lane, LANES)) if r.name == lane else (r,)))
    term = s.term.substitute({lane: put}).where(at_least(extent - 1, put))
    return tidy(replace(s, term=term, loops=loops), outputs)


def _bounds(region: Region, s: Sweep, r: Range, lane: str) -> tuple[tuple[Affine, ...], tuple[Affine, ...]]:
    low, high = [Affine()], [Affine.of(r.extent)]
    for c in s.constraints:
        if _bounded(region, s, c, lane) == r.name and _is_bound(region, s, c, lane):
            a = c.expression.coefficient(r.name)
            rest = Affine.build({m: b // abs(a) for m, b in c.expression if m != (r.name,)})
            if a > 0:
                low.append(-rest)
            else:
                high.append(rest + 1)
    box = box_of((*region.loops, *s.loops))
    return _strongest(low, box, 1), _strongest(high, box, -1)


def _strongest(bounds: list[Affine], box: dict[str, Interval], sign: int) -> tuple[Affine, ...]:
    """Without the bounds that another one implies over the whole box."""
    kept: list[Affine] = []
    for e in dict.fromkeys(bounds):
        if not any(value_interval(sign * (k - e), box)[0] >= 0 for k in kept):
            kept = [k for k in kept if value_interval(sign * (e - k), box)[0] < 0] + [e]
    return tuple(kept)


def points(s: Sweep, outputs: tuple[Range, ...]) -> int:
    """How many products a sweep sums over the whole region, exactly."""
    ranges = {r.name: r.extent for r in (*outputs, *s.loops)}
    total = 1
    for group in _coupled(s, list(ranges)):
        *outer, last = sorted(group, key=lambda n: ranges[n])
        rows = [c.expression for c in s.constraints if c.expression.names <= group]
        total *= sum(_count(rows, last, ranges[last], dict(zip(outer, at, strict=True)))
                     for at in product(*(range(ranges[n]) for n in outer))) if rows else ranges[last]
    return total if all(c.expression.names or c.expression.constant >= 0 for c in s.constraints) else 0


def _coupled(s: Sweep, names: list[str]) -> list[set[str]]:
    groups = [{n} for n in names]
    for c in s.constraints:
        joined = [g for g in groups if g & c.expression.names]
        groups = [g for g in groups if g not in joined] + ([set().union(*joined)] if joined else [])
    return groups


def _count(rows: list[Affine], name: str, extent: int, at: dict[str, int]) -> int:
    low, high = 0, extent - 1
    for e in rows:
        a, rest = e.coefficient(name), (e - e.coefficient(name) * Affine.of(name)).evaluate(at)
        if a > 0:
            low = max(low, -(rest // a))
        elif a < 0:
            high = min(high, rest // -a)
        elif rest < 0:
            return 0
    return max(0, high - low + 1)
