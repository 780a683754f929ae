"""Facts put to use: equalities, parities and divisibilities eliminate names, inequalities bound them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction

from symconv.decide.scalar_conditions import Test, replaced
from symconv.decide.scalar_normal import Known, normal
from symconv.decide.scalar_poly import ONE, Poly, Ratio, as_scalar, name_atom
from symconv.decide.scalar_terms import Facts, Num, Scalar, Var, names, substitute
from symconv.errors import LimitExceeded

Pair = tuple[Scalar, Scalar]


@dataclass
class Settled:
    """Names that were eliminated, in order, what stands for them, and what is known of the others.

    Args:
        put: name and the expression in its place; apply them in order.
        back: for names introduced here, what they mean in the author's names.
    """

    low: dict[str, int]
    put: list[tuple[str, Scalar]] = field(default_factory=list)
    back: dict[str, Scalar] = field(default_factory=dict)
    rows: list[Poly] = field(default_factory=list)
    known: Known = field(default_factory=lambda: Known({}))

    def apply(self, e: Scalar) -> Scalar:
        """The expression in the names that are left."""
        for name, value in self.put:
            e = substitute(e, {name: value})
        return e

    def returned(self, t: Test) -> Test:
        """A condition in the author's names."""
        for name, meaning in reversed(self.back.items()):
            t = replaced(t, {name: meaning})
        return t

    def original(self, e: Scalar) -> Scalar:
        for name, meaning in reversed(self.back.items()):
            e = substitute(e, {name: meaning})
        return e

    def fresh(self, stem: str) -> str:
        return f"{stem}'{len(self.back)}'"

    def eliminate(self, name: str, value: Scalar) -> None:
        """Put `value` for a name; its lower bound stays as an inequality."""
        self.put.append((name, value))
        bound = self.low.pop(name, None)
        self.know()
        if bound is not None:
            self.bound(value, Num(bound))

    def bound(self, a: Scalar, b: Scalar) -> None:
        """Learn a >= b, if it can be read as a polynomial inequality."""
        if (difference := self.difference(a, b)) is None:
            return
        if sign := self.known.sign(difference.below):
            self.rows.append(difference.above.scaled(sign))
            self.know()

    def difference(self, a: Scalar, b: Scalar) -> Ratio | None:
        try:
            return normal(self.apply(a), self.known) + -normal(self.apply(b), self.known)
        except (LimitExceeded, ZeroDivisionError):
            return None

    def know(self) -> None:
        """Take up what was learned. Older inequalities are read again in the names that are left."""
        again = [p for r in self.rows if (p := self._reread(r)) is not None]
        self.known = Known(self.low, again)

    def _reread(self, r: Poly) -> Poly | None:
        try:
            again = normal(self.apply(as_scalar(r)), Known(self.low))
        except (LimitExceeded, ZeroDivisionError):
            return None
        return again.above if again.below == ONE else None


def settle(facts: Facts, involved: Iterable[str]) -> Settled:
    """Eliminate what the facts determine."""
    names_here = tuple(involved)
    known = Settled({n: facts.lowest(n) for n in names_here})
    known.know()
    for n in names_here:
        for rest, given in ((1, facts.odd), (0, facts.even)):
            if n in given:
                _halve(known, n, rest)
    pending = [p for p in facts.equal if set(names(*p)) & set(names_here)]
    while pending:
        solved = next(((p, hit) for p in pending if (hit := _solution(known, *p)) is not None), None)
        if solved is None:
            break
        pending.remove(solved[0])
        known.eliminate(*solved[1])
    for a, b in (*facts.at_least, *pending, *((b, a) for a, b in pending)):
        if set(names(a, b)) <= set(names_here):
            known.bound(a, b)
    for a, b in facts.divides:
        if set(names(a, b)) <= set(names_here):
            _multiple(known, a, b)
    return known


def _halve(known: Settled, name: str, rest: int) -> None:
    half = known.fresh(name)
    bound = known.low[name]
    known.low[half] = -((rest - bound) // 2)
    known.back[half] = (Var(name) - rest) / 2
    known.eliminate(name, 2 * Var(half) + rest)


def _solution(known: Settled, a: Scalar, b: Scalar) -> tuple[str, Scalar] | None:
    """A name the equality determines: as an integer expression of others, else as a fraction of one."""
    a, b = known.apply(a), known.apply(b)
    for v, other in ((a, b), (b, a)):
        if isinstance(v, Var) and v.name in known.low and v.name not in names(other):
            value = known.difference(other, Num(0))
            if value is not None and value.below == ONE and value.above.is_whole:
                return v.name, other
    difference = known.difference(a, b)
    if difference is None:
        return None
    return next(_solved(known, difference.above), None) or next(_solved(known, difference.above, unit=False), None)


def _solved(known: Settled, p: Poly, unit: bool = True) -> Iterator[tuple[str, Scalar]]:
    """p = 0 solved for names that occur once, with coefficient 1 or -1 if `unit`, else any number."""
    cleared, _ = p.cleared()
    cleared = cleared.scaled(1) if not cleared else _primitive(cleared)
    inside = set(names(*(as_scalar(Poly.atom(a)) for a in cleared.atoms if a.is_floor)))
    for a in cleared.atoms:
        split = cleared.coefficients(a)
        if a.is_floor or a.text in inside or a.text not in known.low or max(split) > 1:
            continue
        number = split[1].constant
        if number is not None and (number in (1, -1) or not unit):
            yield a.text, as_scalar(split.get(0, Poly({})).scaled(Fraction(-1) / number))


def _primitive(p: Poly) -> Poly:
    varying = Poly({m: c for m, c in p.terms.items() if m})
    g = varying.content
    return p if any(int(c) % g for c in p.terms.values()) else Poly({m: int(c) // g for m, c in p.terms.items()})


def _multiple(known: Settled, a: Scalar, b: Scalar) -> None:
    """Where a divides b: b = a*t with a new integer t, solved for a name of b."""
    left, body = known.apply(a), known.difference(b, Num(0))
    if body is None or body.below != ONE or not body.above.is_whole:
        return
    factor = known.fresh("t")
    for name, value in _solved(known, body.above - Poly.atom(name_atom(factor))):
        if name in names(left):
            continue
        signs = known.difference(left, Num(0))
        positive = signs is not None and signs.below == ONE and known.known.positive(signs.above)
        if positive and known.known.nonnegative(body.above):
            known.low[factor] = int(known.known.positive(body.above))
        known.back[factor] = b / a
        known.eliminate(name, substitute(value, {factor: left * Var(factor)}))
        return
