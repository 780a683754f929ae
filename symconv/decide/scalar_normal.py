"""The normal form of a scalar: a fraction of polynomials over names and floors in lowest terms.

Two scalars are equal wherever both are defined if their difference has the normal form zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import gcd

from symconv.decide.feasible import OutOfBudget, Row, feasible
from symconv.decide.scalar_poly import (
    ONE,
    ZERO,
    Atom,
    Monomial,
    Poly,
    Ratio,
    divide,
    floor_atom,
    monomial,
    name_atom,
)
from symconv.decide.scalar_terms import Ceil, Floor, Max, Min, Mod, Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.errors import LimitExceeded

HIGHEST_POWER = 16
MOST_COMBINATIONS = 300


class Known:
    """Lower bounds of names and polynomials known to be at least zero.

    Signs are proved, never guessed: `nonnegative` answers True only with a proof.
    """

    def __init__(self, low: Mapping[str, int], rows: Iterable[Poly] = ()) -> None:
        self.low = dict(low)
        self.rows = tuple(rows)
        self._answers: dict[Poly, bool] = {}
        self._shifted = [self._shift(r) for r in self.rows]

    def nonnegative(self, p: Poly) -> bool:
        """Is p >= 0 proved for all admissible sizes?"""
        if p not in self._answers:
            self._answers[p] = self._prove(p)
        return self._answers[p]

    def positive(self, p: Poly) -> bool:
        """Is p > 0 proved? Whole polynomials take integer values, so p >= 1 is the same."""
        cleared, _ = p.cleared()
        return self.nonnegative(cleared - ONE)

    def sign(self, p: Poly) -> int:
        """1 or -1 when p is proved positive or negative everywhere, else 0."""
        return 1 if self.positive(p) else -1 if self.positive(p.scaled(-1)) else 0

    @property
    def contradictory(self) -> bool:
        """Do the inequalities exclude all sizes, provably?"""
        return self._infeasible(self._shifted)

    def excess(self, p: Poly) -> Poly:
        """p in terms of how far each bounded name is above its bound (under the same names)."""
        return self._shift(p)

    def _shift(self, p: Poly) -> Poly:
        for a in p.atoms:
            if not a.is_floor and self.low.get(a.text):
                p = p.put(a, Poly.atom(a) + Poly.number(self.low[a.text]))
        return p

    def _counts_up(self, m: Monomial) -> bool:
        """Is the monomial of excesses surely at least zero?"""
        return all(e % 2 == 0 or (not a.is_floor and a.text in self.low) for a, e in m)

    def _prove(self, p: Poly) -> bool:
        target = self._shift(p.cleared()[0])
        if all(c >= 0 and self._counts_up(m) for m, c in target.terms.items()):
            return True
        if target.constant is not None:
            return False
        return self._infeasible([*self._shifted, target.scaled(-1) - ONE])

    def _infeasible(self, stated: list[Poly]) -> bool:
        floors = dict.fromkeys(a for p in stated for a in p.atoms if a.is_floor)
        stated = [*stated, *(f for a in floors for f in self._sandwich(a))]
        used = {m for q in stated for m in q.terms if m}
        rows = [_row(q) for q in stated] + [_row(monomial(m)) for m in used if self._counts_up(m)]
        try:
            return feasible(rows, [], MOST_COMBINATIONS) is False
        except OutOfBudget:
            return False

    def _sandwich(self, a: Atom) -> tuple[Poly, Poly]:
        """below*F <= above <= below*F + below - 1, for whole polynomials and a positive divisor."""
        assert a.above is not None and a.below is not None, "a floor has a body"
        reached = a.below * Poly.atom(a)
        return self._shift(a.above - reached), self._shift(reached + a.below - ONE - a.above)


def _row(p: Poly) -> Row:
    cleared, _ = p.cleared()
    terms = {"*".join(f"{a.text}^{e}" for a, e in m): int(c) for m, c in cleared.terms.items() if m}
    return terms, int(cleared.terms.get((), 0))


def normal(e: Scalar, known: Known) -> Ratio:
    """The normal form under what is known (maxima and minima have to be resolved before).

    Raises:
        ZeroDivisionError: a denominator is zero everywhere.
        LimitExceeded: more terms or higher powers than the budget.
    """
    match e:
        case Num(value):
            return Ratio(Poly.number(value))
        case Var(name):
            return Ratio(Poly.atom(name_atom(name)))
        case Plus(terms):
            result = Ratio(ZERO)
            for t in terms:
                result = result + normal(t, known)
            return result
        case Times(factors):
            result = Ratio(ONE)
            for f in factors:
                result = result * normal(f, known)
            return result
        case Over(a, b):
            return normal(a, known) / normal(b, known)
        case Pow(base, exponent):
            return _power(normal(base, known), exponent)
        case Floor(body):
            return Ratio(floor_of(normal(body, known), known))
        case Ceil(body):
            return -Ratio(floor_of(-normal(body, known), known))
        case Mod(a, b):
            x, y = normal(a, known), normal(b, known)
            return x + -(y * Ratio(floor_of(x / y, known)))
        case Max() | Min():
            raise LimitExceeded(f"{e} is not resolved")
    raise TypeError(f"not a scalar: {e!r}")


def _power(base: Ratio, exponent: int) -> Ratio:
    if abs(exponent) > HIGHEST_POWER:
        raise LimitExceeded(f"a power above {HIGHEST_POWER}")
    result, factor = Ratio(ONE), base if exponent >= 0 else Ratio(ONE) / base
    for _ in range(abs(exponent)):
        result = result * factor
    return result


def floor_of(x: Ratio, known: Known) -> Poly:
    """floor(x) in lowest terms: floor((a + c*s)/s) = c + floor(a/s), floor(floor(a/b)/c) = floor(a/(b*c)).

    A leading minus goes through floor(-a/s) = -floor((a + s - 1)/s).
    """
    above, below = _proper(x, known)
    quotient, rest = divide(above, below, whole=True)
    if rest and below.constant is None and _leading(rest) < 0:
        flipped_quotient, rest = divide(below - ONE - rest, below, whole=True)
        return quotient - flipped_quotient - _proper_floor(rest, below, known)
    return quotient + _proper_floor(rest, below, known)


def _proper(x: Ratio, known: Known) -> tuple[Poly, Poly]:
    """Whole polynomials with a divisor proved positive.

    Raises:
        LimitExceeded: the sign of the divisor is not known.
    """
    (above, up), (below, down) = x.above.cleared(), x.below.cleared()
    above, below = above.scaled(down), below.scaled(up)
    sign = known.sign(below)
    if not sign:
        raise LimitExceeded("a divisor whose sign is not known")
    above, below = above.scaled(sign), below.scaled(sign)
    g = gcd(above.content, below.content) if above else 1
    return above.scaled(Fraction(1, g)), below.scaled(Fraction(1, g))


def _leading(p: Poly) -> int | Fraction:
    """The coefficient that decides the sign: of the first non-constant term by name."""
    terms = sorted(p.terms.items(), key=lambda t: (not t[0], [(a.order, -e) for a, e in t[0]]))
    return terms[0][1]


def _proper_floor(rest: Poly, below: Poly, known: Known) -> Poly:
    """floor of what division left, where 0 <= rest < below may be provable."""
    if not rest:
        return ZERO
    for steps in (0, -1, 1):
        offset = rest - below.scaled(steps)
        if known.nonnegative(offset) and known.positive(below - offset):
            return Poly.number(steps)
    if (smaller := _reduced(rest, below)) is not None:
        return floor_of(Ratio.of(*smaller), known)
    for a in rest.atoms:
        if a.is_floor and (flat := _unnested(rest, below, a)) is not None:
            return floor_of(flat, known)
    return Poly.atom(floor_atom(rest, below))


def _reduced(rest: Poly, below: Poly) -> tuple[Poly, Poly] | None:
    """floor((g*m + c)/(g*e)) = floor((m + floor(c/g))/e), for a number g."""
    varying = Poly({m: c for m, c in rest.terms.items() if m})
    constant = int(rest.terms.get((), 0))
    g = gcd(varying.content, below.content)
    if g > 1:
        return varying.scaled(Fraction(1, g)) + Poly.number(constant // g), below.scaled(Fraction(1, g))
    return None


def _unnested(rest: Poly, below: Poly, a: Atom) -> Ratio | None:
    """floor((floor(r/d) + m)/n) = floor((r + d*m)/(d*n)) for whole m and n > 0."""
    other = rest - Poly.atom(a)
    if a in other.atoms or a.above is None or a.below is None:
        return None
    return Ratio.of(a.above + a.below * other, a.below * below)


def same(a: Scalar, b: Scalar, known: Known) -> bool:
    """Do both have one normal form?"""
    return not (normal(a, known) + -normal(b, known)).above


