"""Cases of a claim: which argument a maximum takes, remainders of names, and sufficient conditions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import lcm

from symconv.decide.scalar_conditions import AtLeast, Below, Divides, Same, Test, both, condition, either, size
from symconv.decide.scalar_facts import Settled, settle
from symconv.decide.scalar_normal import normal
from symconv.decide.scalar_poly import ONE, Poly, as_scalar, name_atom
from symconv.decide.scalar_roots import ALWAYS, NEVER, OPEN, Outcome, Roots
from symconv.decide.scalar_terms import Facts, Max, Min, Num, Over, Scalar, Var, names, parts, rebuilt, walk
from symconv.decide.scalar_values import Point, connected
from symconv.errors import LimitExceeded

Pairs = tuple[tuple[Scalar, Scalar], ...]
MOST_BRANCHES, MOST_CLASSES, MOST_TESTS, MOST_PROOFS, MOST_ALTERNATIVES = 4, 64, 4, 6, 2
FEWEST_VALUES = 3  # a condition under which the claim only ever states one or two numbers explains nothing


@dataclass(frozen=True)
class Case:
    """Both sides of a claim and what is assumed."""

    left: Scalar
    right: Scalar
    facts: Facts

    def where(self, old: Scalar, new: Scalar, learned: Pairs) -> Case:
        """The case with an expression replaced throughout and more inequalities."""
        def put(e: Scalar) -> Scalar:
            return new if e == old else rebuilt(e, tuple(put(p) for p in parts(e)))
        def put_all(pairs: Pairs) -> Pairs:
            return tuple((put(a), put(b)) for a, b in pairs)

        facts = replace(self.facts, equal=put_all(self.facts.equal), divides=put_all(self.facts.divides),
                        at_least=(*put_all(self.facts.at_least), *learned))
        return Case(put(self.left), put(self.right), facts)

    def settled(self) -> Settled:
        return settle(self.facts, connected(self.left, self.right, self.facts))


def judge(case: Case, depth: int = 0) -> Outcome:
    """When do both sides agree? Maxima are resolved by cases, then differences are searched for zeros."""
    pairs = [e for p in case.facts.pairs for e in p]
    inner = [e for top in (case.left, case.right, *pairs) for e in walk(top) if isinstance(e, Max | Min)]
    chosen = next((e for e in inner if not any(isinstance(x, Max | Min) for a in e.args for x in walk(a))), None)
    if chosen is None:
        return _plain(case)
    if depth >= MOST_BRANCHES:
        return OPEN
    found = []
    for branch, test in _branches(case, chosen):
        settled = branch.settled()
        if not settled.known.contradictory:
            found.append((judge(branch, depth + 1), test))
    return _joined(found)


def taken_for_granted(case: Case) -> tuple[Test, ...]:
    """What the assumptions ask of integers: p = (k - 1)/2 is one only for odd k."""
    others = replace(case.facts, equal=())
    settled = settle(others, connected(case.left, case.right, case.facts))
    stated = [other for a, b in case.facts.equal for v, other in ((a, b), (b, a)) if isinstance(v, Var)]
    roots, found = Roots(settled, *stated), list[Test]()
    for e in stated:
        value = settled.difference(e, Num(0))
        outcome = OPEN if value is None else roots.whole(value)
        if outcome.test is not None:
            found.append(outcome.test)
    return tuple(dict.fromkeys(found))


def _branches(case: Case, e: Max | Min) -> Iterator[tuple[Case, Test]]:
    """One case for each argument that may be taken; of equal ones, the first."""
    for j, arg in enumerate(e.args):
        learned, tests = [], list[Test]()
        for o, other in enumerate(e.args):
            if o == j:
                continue
            high, low = (arg, other) if isinstance(e, Max) else (other, arg)
            strict = o < j and _is_whole(case, high - low)
            learned.append((high, low + 1 if strict else low))
            tests.append(Below(low, high) if strict else AtLeast(high, low))
        yield case.where(e, arg, tuple(learned)), both(*tests) if tests else AtLeast(arg, arg)


def _is_whole(case: Case, e: Scalar) -> bool:
    value = case.settled().difference(e, Num(0))
    return value is not None and value.below == ONE and value.above.is_whole


def _joined(found: list[tuple[Outcome, Test]]) -> Outcome:
    """The cases together: each case contributes its own condition where it applies."""
    kinds = {o.kind for o, _ in found}
    if kinds <= {"always"}:
        return ALWAYS
    if kinds <= {"never"}:
        return NEVER
    tests = [t if o.test is None else both(t, o.test) for o, t in found if o.kind not in ("never", "open")]
    if not tests:
        return OPEN
    if all(o.test == found[0][0].test for o, _ in found) and found[0][0].test is not None and len(kinds) == 1:
        return found[0][0]
    test = either(*tests)
    if size(test) > MOST_TESTS:
        return OPEN
    return Outcome("suffices" if kinds & {"open", "suffices"} else "exactly", test)


def _plain(case: Case) -> Outcome:
    settled = case.settled()
    left, right = settled.apply(case.left), settled.apply(case.right)
    try:
        difference = (normal(left, settled.known) + -normal(right, settled.known)).above
        found = Roots(settled, case.left, case.right).of(difference)
        if found.kind == "open":
            found = _by_remainder(case, settled, difference)
    except (LimitExceeded, ZeroDivisionError) as e:
        return Outcome("open", reason=str(e))
    return found


def _by_remainder(case: Case, settled: Settled, difference: Poly) -> Outcome:
    """Floors of numeric divisors: every remainder of the names inside is a case without floors."""
    floors = [a for a in difference.atoms if a.is_floor and a.below is not None and a.below.constant is not None]
    inside = sorted({n for a in floors for n in names(as_scalar(Poly.atom(a)))})
    step = lcm(*(int(a.below.constant or 1) for a in floors if a.below is not None))
    if not floors or step ** len(inside) > MOST_CLASSES:
        return OPEN
    outcomes = {}
    for rests in product(range(step), repeat=len(inside)):
        outcomes[rests] = _with_remainders(settled, difference, dict(zip(inside, rests, strict=True)), step)
    kinds = {o.kind for o in outcomes.values()}
    if kinds <= {"always", "never"}:
        if len(kinds) == 1:
            return ALWAYS if kinds == {"always"} else NEVER
        good = {r for r, o in outcomes.items() if o.kind == "always"}
        test = _congruence(good, inside, step)
        return Outcome("exactly", settled.returned(test)) if test else OPEN
    tests = {o.test for o in outcomes.values()}
    if kinds == {"exactly"} and len(tests) == 1:
        return next(iter(outcomes.values()))
    return OPEN


def _with_remainders(settled: Settled, difference: Poly, rests: dict[str, int], step: int) -> Outcome:
    """The difference where each name leaves a given remainder: n = step*m + rest."""
    low = {n: b for n, b in settled.low.items() if n not in rests}
    inner = Settled(dict(low), back=dict(settled.back), rows=list(settled.rows))
    for n, rest in rests.items():
        quotient = f"{n}|{step}"
        if n in settled.low:
            inner.low[quotient] = -((rest - settled.low[n]) // step)
        inner.put.append((n, step * Var(quotient) + rest))
        inner.back[quotient] = (Var(n) - rest) / step
    inner.know()
    fresh = normal(inner.apply(as_scalar(difference)), inner.known)
    return Roots(inner).of(fresh.above)


def quotients(case: Case) -> Iterator[Case]:
    """The same with a name taken apart by a size it is divided by: n = q*s + r + 1 with 0 <= r < s."""
    every = [x for e in (case.left, case.right, *(e for p in case.facts.pairs for e in p)) for x in walk(e)]
    found = dict.fromkeys((n, e.below.name) for e in every if isinstance(e, Over) and isinstance(e.below, Var)
                          for n in names(e.above) if n != e.below.name and case.facts.lowest(e.below.name) >= 1)
    for n, by in found:
        quotient, rest = Var(f"{n}|{by}"), Var(f"{n}%{by}")
        made = case.where(Var(n), quotient * Var(by) + rest + case.facts.lowest(n), ((Var(by), rest + 1),))
        low = {v: b for v, b in made.facts.low.items() if v != n} | {quotient.name: 0, rest.name: 0}
        if not {n} & (case.facts.odd | case.facts.even):
            yield replace(made, facts=replace(made.facts, low=low))


def _congruence(good: set[tuple[int, ...]], inside: list[str], step: int) -> Test | None:
    """The remainders as one condition m | form, with a name or a sum of names with signs as the form."""
    signs = [s for s in product((0, 1, -1), repeat=len(inside)) if next((x for x in s if x), 0) == 1]
    every = list(product(range(step), repeat=len(inside)))
    for divisor in (m for m in range(2, step + 1) if step % m == 0):
        for s in sorted(signs, key=lambda s: (sum(map(abs, s)), -sum(s))):
            for constant in range(divisor):
                for denied in (False, True):
                    fits = {r for r in every
                            if (sum(a * b for a, b in zip(s, r, strict=True)) + constant) % divisor == 0}
                    if (set(every) - fits if denied else fits) == good:
                        form = Poly.number(constant - divisor * (2 * constant > divisor))
                        for name, sign in zip(inside, s, strict=True):
                            form = form + Poly.atom(name_atom(name)).scaled(sign)
                        return Divides(Num(divisor), as_scalar(form), denied)
    return None


def sufficient(case: Case, points: tuple[Point, ...]) -> Outcome:
    """Names at their lower bounds, fractions without remainder, parities: proved enough, fewest first.

    The points only choose what is worth proving.
    """
    agree = sum(1 << n for n, p in enumerate(points) if p.equal)
    if not agree:
        return OPEN
    basic = []
    for test, facts in _simple_tests(case):
        holds = condition(test).holds
        basic.append((test, facts, sum(1 << n for n, p in enumerate(points) if holds(p.sizes))))
    proofs = 0
    for count in (1, 2, 3):
        found: list[tuple[Test, int]] = []
        for chosen in combinations(basic, count):
            mask = (1 << len(points)) - 1
            for _, _, m in chosen:
                mask &= m
            if not mask or mask & ~agree or proofs >= MOST_PROOFS or len(found) >= MOST_ALTERNATIVES:
                continue
            if len({p.left for n, p in enumerate(points) if mask >> n & 1}) < FEWEST_VALUES:
                continue
            if any(mask & ~m == 0 for _, m in found):
                continue
            proofs += 1
            if judge(replace(case, facts=_together(case.facts, *(f for _, f, _ in chosen)))).kind == "always":
                found = [(t, m) for t, m in found if m & ~mask] + [(both(*(t for t, _, _ in chosen)), mask)]
        if found:
            return Outcome("suffices", either(*(t for t, _ in found)))
    return OPEN


def _simple_tests(case: Case) -> Iterator[tuple[Test, Facts]]:
    here = names(case.left, case.right)
    for n in here:
        low = Num(case.facts.lowest(n))
        yield Same(Var(n), low), Facts(equal=((Var(n), low),))
    fractions = dict.fromkeys(e for side in (case.left, case.right) for e in walk(side) if isinstance(e, Over))
    for f in fractions:
        if names(f):
            yield Divides(f.below, f.above), Facts(divides=((f.below, f.above),))
    for n in here:
        yield Divides(Num(2), Var(n) - 1), Facts(odd=frozenset({n}))
        yield Divides(Num(2), Var(n)), Facts(even=frozenset({n}))


def _together(facts: Facts, *more: Facts) -> Facts:
    for m in more:
        facts = replace(facts, equal=(*m.equal, *facts.equal), divides=(*facts.divides, *m.divides),
                        odd=facts.odd | m.odd, even=facts.even | m.even)
    return facts
