"""Sizes to try: every assignment that a context allows, smallest first.

Sizes that others determine (o by n - k + 1 = o, or by the two bounds of a floor) are computed; the free
ones grow in the order of their sum. Shares nothing with the engines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count

from symconv.affine import Affine, Constraint, Monomial
from symconv.equation import Context

CANDIDATES = 6000  # assignments looked at, allowed or not: a deterministic bound on the work
Assignment = dict[str, int]
Terms = dict[Monomial, int]
Limits = tuple[int | None, int | None]  # both ends included, None where there is none


def sizes_of(context: Context, limit: int = 60) -> list[Assignment]:
    """The first `limit` assignments, by the sum of the free sizes, then in the order of the names.

    Fewer when the context allows fewer, or when allowed ones are rarer than one in a hundred.
    """
    return [dict(found) for found in _sizes_of(context.sizes, context.constraints, limit)[0]]


def are_all(context: Context, limit: int) -> bool:
    """Are the assignments that `sizes_of` gives all there are?"""
    return _sizes_of(context.sizes, context.constraints, limit)[1]


@lru_cache(maxsize=256)
def _sizes_of(names: tuple[str, ...], constraints: tuple[Constraint, ...],
              limit: int) -> tuple[tuple[tuple[tuple[str, int], ...], ...], bool]:
    extra = sorted({n for c in constraints for n in c.expression.names} - set(names))
    plan = _plan((*names, *extra), frozenset(extra), constraints)
    found: dict[tuple[tuple[str, int], ...], None] = {}
    finite = not extra and all(None not in plan.limits[n] for n in plan.free)
    for seen, free in enumerate(_growing([plan.limits[n] for n in plan.free])):
        if seen >= CANDIDATES or len(found) >= limit:
            finite = False
            break
        for full in _complete(dict(zip(plan.free, free, strict=True)), plan.steps):
            if all(c.holds(full) for c in constraints):
                found[tuple((n, full[n]) for n in names)] = None
    return tuple(found)[:limit], finite and len(found) <= limit


@dataclass(frozen=True)
class _Step:
    """A size computed from known ones: the value its bounds leave, if there is one."""

    name: str
    bounds: tuple[tuple[Terms, Terms], ...]  # coefficient of the name, and the rest, of what is >= 0


@dataclass(frozen=True)
class _Plan:
    free: tuple[str, ...]
    limits: Mapping[str, Limits]
    steps: tuple[_Step, ...]


def _plan(names: Sequence[str], extra: frozenset[str], constraints: Sequence[Constraint]) -> _Plan:
    """Which names are computed, auxiliary ones first, then the last declared."""
    steps: list[_Step] = []
    pending = [*(n for n in names if n in extra), *reversed([n for n in names if n not in extra])]
    computed: list[tuple[str, list[tuple[Terms, Terms]], frozenset[str]]] = []
    for name in pending:
        for needs, bounds in _determining(name, constraints):
            if not _circular(name, needs, computed):
                computed.append((name, bounds, needs))
                break
    done = {n for n in names if n not in {c[0] for c in computed}}
    while len(steps) < len(computed):
        name, bounds, _ = next(c for c in computed if c[0] not in done and c[2] <= done)
        steps.append(_Step(name, tuple(bounds)))
        done.add(name)
    free = tuple(n for n in names if n not in {c[0] for c in computed})
    return _Plan(free, _limits(free, constraints), tuple(steps))


def _determining(name: str, constraints: Sequence[Constraint]) -> Iterator[
        tuple[frozenset[str], list[tuple[Terms, Terms]]]]:
    """Equalities on the name, and pairs of bounds that leave less room than its coefficient."""
    ranked = [c for c in constraints if name in c.expression.names]
    for c in ranked:
        if c.equality and (parts := _parted(c.expression, name)):
            opposite = _parted(-c.expression, name)
            assert opposite is not None
            yield c.expression.names - {name}, [parts, opposite]
    for c in ranked:
        for d in ranked:
            room = c.expression + d.expression
            if not c.equality and not d.equality and name not in room.names:
                one, other = _parted(c.expression, name), _parted(d.expression, name)
                if one and other and _fills(Affine.build(one[0]) - room - 1):
                    yield (c.expression.names | d.expression.names) - {name}, [one, other]


def _fills(gap: Affine) -> bool:
    """Is there at most one multiple of the coefficient in the room? `gap` is coefficient - room - 1."""
    return gap.is_constant and gap.constant >= 0


def _parted(e: Affine, name: str) -> tuple[Terms, Terms] | None:
    """The coefficient of a name, possibly symbolic, and the rest; None when the name is squared."""
    inner: Terms = {}
    rest: Terms = {}
    for monomial, c in e:
        if monomial.count(name) > 1:
            return None
        if name in monomial:
            inner[tuple(n for n in monomial if n != name)] = c
        else:
            rest[monomial] = c
    return inner, rest


def _circular(name: str, needs: frozenset[str], computed: Sequence[tuple[str, object, frozenset[str]]]) -> bool:
    """Would computing the name need the name itself?"""
    by_name = {n: more for n, _, more in computed}
    seen, work = set[str](), list(needs)
    while work:
        n = work.pop()
        if n == name:
            return True
        if n not in seen:
            seen.add(n)
            work.extend(by_name.get(n, ()))
    return False


def _limits(names: Sequence[str], constraints: Sequence[Constraint]) -> dict[str, Limits]:
    """What the constraints on these names alone say of each, by way of the limits of the others."""
    found: dict[str, Limits] = dict.fromkeys(names, (None, None))
    rows = [e for c in constraints if c.expression.names and c.expression.names <= set(names)
            for e in ((c.expression, -c.expression) if c.equality else (c.expression,))]
    for _ in range(len(names) + 1):
        for e in rows:
            for n in e.names if all(len(m) < 2 for m, _ in e) else ():
                found[n] = _narrowed(e, n, found)
    return found


def _narrowed(e: Affine, name: str, limits: Mapping[str, Limits]) -> Limits:
    low, high = limits[name]
    best, a = e.constant, e.coefficient(name)
    for m, c in e:
        if m and m != (name,):
            end = limits[m[0]][c > 0]
            if end is None:
                return low, high
            best += c * end
    if a > 0:
        return (-(best // a) if low is None else max(low, -(best // a))), high
    return low, (best // -a if high is None else min(high, best // -a))


def _growing(limits: Sequence[Limits]) -> Iterator[tuple[int, ...]]:
    """All points within the limits, by the sum of the distances from the least ones, which start at the
    value nearest to zero."""
    starts = [max(low, 0) if low is not None else 0 if high is None else min(high, 0) for low, high in limits]
    starts = [s if high is None else min(s, high) for s, (_, high) in zip(starts, limits, strict=True)]
    rooms = [None if low is None or high is None else max(high - s, s - low)
             for s, (low, high) in zip(starts, limits, strict=True)]
    if any(low is not None and high is not None and low > high for low, high in limits):
        return
    farthest = None if None in rooms else sum(r for r in rooms if r is not None)
    for total in count() if farthest is None else range(farthest + 1):
        for distances in _compositions(total, rooms):
            yield from _signed(distances, starts, limits)


def _compositions(total: int, rooms: Sequence[int | None]) -> Iterator[tuple[int, ...]]:
    """Ways to write a total as a sum of numbers from 0, each at most as large as its room."""
    if not rooms:
        if total == 0:
            yield ()
        return
    first = rooms[0]
    if len(rooms) == 1:
        if first is None or total <= first:
            yield (total,)
        return
    for value in range((total if first is None else min(total, first)) + 1):
        for rest in _compositions(total - value, rooms[1:]):
            yield (value, *rest)


def _signed(distances: Sequence[int], starts: Sequence[int],
            limits: Sequence[Limits]) -> Iterator[tuple[int, ...]]:
    """Up from the start, and down where the limits leave room."""
    points: list[tuple[int, ...]] = [()]
    for d, start, (low, high) in zip(distances, starts, limits, strict=True):
        values = [start + d, start - d][:2 if d else 1]
        kept = [v for v in values if (low is None or v >= low) and (high is None or v <= high)]
        points = [(*p, v) for p in points for v in kept]
    yield from points


def _complete(known: Assignment, steps: Sequence[_Step]) -> Iterator[Assignment]:
    if not steps:
        yield known
        return
    step = steps[0]
    low: int | None = None
    high: int | None = None
    for inner, rest in step.bounds:
        a, k = _value(inner, known), _value(rest, known)
        if a == 0:
            return  # a stride of zero determines nothing
        if a > 0:
            low = -(k // a) if low is None else max(low, -(k // a))
        else:
            high = k // -a if high is None else min(high, k // -a)
    if low is None or high is None:
        return
    for value in range(low, high + 1):
        yield from _complete({**known, step.name: value}, steps[1:])


def _value(terms: Terms, known: Mapping[str, int]) -> int:
    total = 0
    for monomial, c in terms.items():
        for name in monomial:
            c *= known[name]
        total += c
    return total
