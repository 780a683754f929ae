"""Conditions on sizes: how they read, when they hold, and the simplest one that fits known cases.

A condition is an `or` of cases, a case an `and` of atoms; an atom is a constraint or a divisibility.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from operator import and_, or_

from symconv.affine import Affine, AffineLike, Constraint, at_least, equal
from symconv.decide.decision import Condition
from symconv.decide.feasible import OutOfBudget, feasible, row
from symconv.equation import Context

MOST_ATOMS = 4
MOST_TRIED = 30  # atoms of which combinations are formed
Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Atom:
    """`constraint`, or, with a divisor, "divisor divides the expression of the constraint".

    A divisibility may also carry `meaning`: a constraint equivalent to it where the context holds,
    which engines use in its place.
    """

    constraint: Constraint
    divisor: Affine | None = None
    meaning: Constraint | None = None

    def holds(self, sizes: Sizes) -> bool:
        if self.divisor is None:
            return self.constraint.holds(sizes)
        d, v = self.divisor.evaluate(sizes), self.constraint.expression.evaluate(sizes)
        return v % d == 0 if d else v == 0

    def __str__(self) -> str:
        if self.divisor is None:
            return comparison(self.constraint)
        return f"{self.divisor} divides {positive_first(self.constraint.expression)}"


Case = tuple[Atom, ...]


@dataclass(frozen=True)
class Formula:
    """An `or` of cases."""

    cases: tuple[Case, ...]

    def holds(self, sizes: Sizes) -> bool:
        return any(all(a.holds(sizes) for a in case) for case in self.cases)

    @property
    def atoms(self) -> int:
        return sum(map(len, self.cases))

    def outside(self) -> list[list[Constraint]] | None:
        """The sizes that do not satisfy it, as an `or` of `and`s; None when that is no constraint."""
        regions: list[list[Constraint]] = [[]]
        for case in self.cases:
            denied: list[Constraint] = []
            for a in case:
                c = a.meaning or a.constraint
                if a.divisor is not None and a.meaning is None:
                    return None
                denied.append(Constraint(-c.expression - 1))
                denied += [Constraint(c.expression - 1)] * c.equality
            regions = [[*r, d] for r in regions for d in denied]
        return regions

    def condition(self) -> Cases:
        return Cases(str(self), self.holds, self)

    def where(self, constraints: Sequence[Constraint]) -> Formula:
        """Every case with more constraints."""
        more = tuple(map(Atom, constraints))
        return Formula(tuple((*case, *more) for case in self.cases))

    def simplified(self, known: Sequence[Constraint]) -> Formula:
        """The same sizes among those that are known, without atoms and cases that the others imply."""
        cases = [_lean(case, known) for case in self.cases]
        kept = [c for c in dict.fromkeys(cases) if not _impossible(c, known)] or cases[:1]
        for case in sorted(kept, key=lambda c: (-len(c), -kept.index(c))):
            others = [c for c in kept if c is not case]
            if any(all(_implied(a, case, known) for a in other) for other in others):
                kept = others
        return Formula(tuple(dict.fromkeys(_without_opposites(case, kept, known) for case in kept)))

    def __str__(self) -> str:
        texts = [" and ".join(map(str, case)) for case in self.cases]
        several = len(texts) > 1
        return " or ".join(f"({t})" if several and " and " in t else t for t in texts)


@dataclass(frozen=True, slots=True)
class Cases(Condition):
    """A condition that can be joined with others."""

    formula: Formula = field(default=Formula(()), compare=False, repr=False)


def _lean(case: Case, known: Sequence[Constraint]) -> Case:
    """Without atoms that the others imply; a bound goes before an equation does, and two bounds that leave
    one value are an equation."""
    kept = _fixed(tuple(dict.fromkeys(case)))
    for n, a in enumerate(kept):
        tight = Atom(Constraint(a.constraint.expression, equality=True))
        if a.divisor is None and _implied(tight, tuple(kept), known):
            kept[n] = tight
    kept = list(dict.fromkeys(_fixed(kept)))
    for a in sorted(kept, key=lambda a: (a.divisor is not None or a.constraint.equality, -kept.index(a))):
        others = tuple(b for b in kept if b is not a)
        if _implied(a, others, known):
            kept = list(others)
    return tuple(kept)


def _without_opposites(case: Case, cases: Sequence[Case], known: Sequence[Constraint]) -> Case:
    """k <= 2 or n = 5 for k <= 2 or (k >= 3 and n = 5): where the atom fails, another case holds anyway."""
    for a in case:
        rest = tuple(b for b in case if b is not a)
        if rest and a.divisor is None and all(
                any(all(_implied(b, rest, [*known, d]) for b in other) for other in cases if other is not case)
                for d in _denied(a.constraint)):
            return _without_opposites(rest, [rest if c is case else c for c in cases], known)
    return case


def _denied(c: Constraint) -> list[Constraint]:
    return [Constraint(-c.expression - 1), *[Constraint(c.expression - 1)] * c.equality]


def _fixed(case: Sequence[Atom]) -> list[Atom]:
    """With the numbers that some atoms give for sizes put into the others: n = 5 and k = 3 for n = 5 and n = k + 2."""
    values: dict[str, AffineLike] = {}
    own = set()
    for a in case:
        e = a.constraint.expression
        name = next(iter(e.names), "")
        if a.divisor is None and a.constraint.equality and len(e.names) == 1 and abs(e.coefficient(name)) == 1 \
                and name not in values:
            values[name] = -e.constant * e.coefficient(name)
            own.add(a)
    return [a if a in own or a.divisor is not None else Atom(a.constraint.substitute(values)) for a in case]


def _implied(a: Atom, case: Case, known: Sequence[Constraint]) -> bool:
    """Does the case prove the atom? A divisibility without a constraint of its own only proves itself."""
    if a in case:
        return True
    if a.divisor is not None and a.meaning is None:
        return False
    return all(_impossible(case, [*known, d]) for d in _denied(a.meaning or a.constraint))


def _impossible(case: Case, known: Sequence[Constraint]) -> bool:
    """Is it proved that no sizes satisfy the case?"""
    every = [*known, *(a.meaning or a.constraint for a in case if a.divisor is None or a.meaning)]
    try:
        return feasible([row(c) for c in every if not c.equality], [row(c) for c in every if c.equality]) is False
    except OutOfBudget:
        return False


def narrowed(case: Case) -> tuple[dict[str, AffineLike], list[Constraint]] | None:
    """A case as values for sizes and constraints; None when a divisibility has no constraint for it."""
    values: dict[str, AffineLike] = {}
    constraints = []
    for a in case:
        c = a.meaning or a.constraint
        if a.divisor is not None and a.meaning is None:
            return None
        names = sorted(c.expression.names)
        if c.equality and len(names) == 1 and abs(c.expression.coefficient(names[0])) == 1:
            values[names[0]] = -c.expression.constant * c.expression.coefficient(names[0])
        elif len(case) == 1 and c.equality and abs(c.expression.coefficient(names[0])) == 1 \
                and c.expression.is_linear_in(names[0]):  # s = d: products with them become the same
            values[names[0]] = Affine.of(names[0]) - c.expression.coefficient(names[0]) * c.expression
        else:
            constraints.append(c)
    return values, constraints


def comparison(c: Constraint) -> str:
    """Positive terms on the left, the others on the right: `n >= k + 2`, `k <= 3`, `p = 0`."""
    e = c.expression
    if c.equality and _leads_negative(e):
        e = -e
    plus, minus = _split(e)
    left, right, sign = (plus, minus, "=" if c.equality else ">=")
    if not left.names:  # 3 >= k reads k <= 3
        left, right, sign = minus, plus, "=" if c.equality else "<="
    return f"{left - left.constant} {sign} {right - left.constant}"


def positive_first(e: Affine) -> str:
    """With the positive terms first: `n - k`, not `-k + n`."""
    ordered = sorted(((m, c) for m, c in e if m), key=lambda t: t[1] < 0)
    text = str(Affine.build(dict(ordered[:1])))
    for m, c in ordered[1:]:
        text += f" {'-' if c < 0 else '+'} {Affine.build({m: abs(c)})}"
    return text + (f" {'-' if e.constant < 0 else '+'} {abs(e.constant)}" if e.constant else "")


def _leads_negative(e: Affine) -> bool:
    signs = [c for m, c in e if m]
    return sum(c > 0 for c in signs) == 0 or (signs and min(signs) < -1 and max(signs) == 1) is True


def _split(e: Affine) -> tuple[Affine, Affine]:
    return (Affine.build({m: c for m, c in e if c > 0}), Affine.build({m: -c for m, c in e if c < 0}))


def fitting(context: Context, known: Sequence[tuple[Sizes, bool]]) -> Iterator[Formula]:
    """Conditions that agree with every known case, the simplest first.

    Single atoms, then `or` of up to three of them, then `and` of up to three.
    """
    goal = sum(1 << n for n, (_, true) in enumerate(known) if true)
    every = (1 << len(known)) - 1
    seen: dict[int, Atom] = {}
    for a in _candidates(context):
        mask = sum(1 << n for n, (sizes, _) in enumerate(known) if a.holds(sizes))
        if mask and mask != every:
            if mask == goal:
                yield Formula(((a,),))
            seen.setdefault(mask, a)
    inner = [(m, a) for m, a in seen.items() if m & ~goal == 0]
    outer = [(m, a) for m, a in seen.items() if goal & ~m == 0]
    for count in (2, 3):
        for chosen in _covers(inner[:MOST_TRIED], goal, count, or_, 0):
            yield Formula(tuple((a,) for a in chosen))
        for chosen in _covers(outer[:MOST_TRIED], goal, count, and_, every):
            yield Formula((chosen,))


def _covers(masks: Sequence[tuple[int, Atom]], goal: int, count: int, joined: Callable[[int, int], int],
            start: int) -> Iterator[Case]:
    """So many atoms that make up the goal together, and would not with one left out."""
    for chosen in combinations(masks, count):
        alone = [m for m, _ in chosen]
        if reduce(joined, alone, start) == goal and not any(
                reduce(joined, alone[:n] + alone[n + 1:], start) == goal for n in range(count)):
            yield tuple(a for _, a in chosen)


def _candidates(context: Context) -> Iterator[Atom]:
    """Conditions of the kinds that formulas come with, the plain ones first."""
    names = context.sizes
    pairs = list(combinations(names, 2))
    yield from (Atom(equal(n, value)) for n in names for value in (0, 1))
    yield from _tight(context)
    yield from (Atom(equal(a, b)) for a, b in pairs)
    for n in names:
        for bound in (2, 3, 4):
            yield Atom(at_least(n, bound))
        for bound in (2, 3):
            yield Atom(equal(n, bound))
            yield Atom(at_least(bound, n))
        yield Atom(at_least(1, n))
        yield Atom(equal(n, 0), Affine.of(2))
        yield Atom(equal(n, -1), Affine.of(2))
    for a, b in pairs:
        for p, q in ((a, b), (b, a)):
            yield Atom(equal(p, Affine.of(q) - 1))
            yield Atom(equal(p, 2 * Affine.of(q)))
            yield Atom(equal(p, 2 * Affine.of(q) + 1))
            yield Atom(at_least(p, q))
            yield Atom(at_least(p, Affine.of(q) + 1))


def plain_values(names: Sequence[str]) -> Iterator[Atom]:
    """One is 0 or 1, or two are equal."""
    yield from (Atom(equal(n, value)) for n in names for value in (0, 1))
    yield from (Atom(equal(a, b)) for a, b in combinations(names, 2))


def _tight(context: Context) -> Iterator[Atom]:
    """A floor without a remainder: the divisor divides what was divided."""
    bounds = [c for c in context.constraints if not c.equality]
    for c in bounds:
        for d in bounds:
            room = c.expression + d.expression + 1
            for name in sorted(c.expression.names - room.names):
                if not c.expression.coefficient(name) and not any(name in m for m, _ in c.expression):
                    continue
                quotient = Affine.build({m: k for m, k in c.expression if name in m})
                if quotient == -(room * Affine.of(name)) and room != Affine.of(1):
                    rest = _reduced(c.expression - quotient, room)
                    yield Atom(equal(rest, 0), room, Constraint(c.expression, equality=True))


def _reduced(e: Affine, divisor: Affine) -> Affine:
    """Without multiples of the divisor in the constant and in symbolic terms."""
    if divisor.is_constant:
        return e - e.constant + e.constant % divisor.constant
    return Affine.build({m: c for m, c in e if m != divisor.items[0][0]}) if len(divisor.items) == 1 else e
