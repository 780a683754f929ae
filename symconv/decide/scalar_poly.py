"""Polynomials with rational coefficients over names and floors, and fractions of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import gcd, lcm

from symconv.decide.scalar_terms import Floor, Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.errors import LimitExceeded

Coefficient = int | Fraction
MOST_TERMS = 400


@dataclass(frozen=True, slots=True)
class Atom:
    """A name, or floor(above/below); `text` tells them apart, the sort order is by text."""

    is_floor: bool
    text: str
    above: Poly | None = field(default=None, compare=False)
    below: Poly | None = field(default=None, compare=False)

    @property
    def order(self) -> tuple[bool, str]:
        return self.is_floor, self.text


Monomial = tuple[tuple[Atom, int], ...]


class Poly:
    """A polynomial; an immutable value."""

    def __init__(self, terms: Mapping[Monomial, Coefficient]) -> None:
        self.terms = {m: c for m, c in terms.items() if c}
        if len(self.terms) > MOST_TERMS:
            raise LimitExceeded(f"an expression of more than {MOST_TERMS} terms")

    @staticmethod
    def number(value: Coefficient) -> Poly:
        return Poly({(): _whole(value)})

    @staticmethod
    def atom(a: Atom) -> Poly:
        return Poly({((a, 1),): 1})

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Poly) and self.terms == other.terms

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __add__(self, other: Poly) -> Poly:
        total = dict(self.terms)
        for m, c in other.terms.items():
            total[m] = _whole(total.get(m, 0) + c)
        return Poly(total)

    def __sub__(self, other: Poly) -> Poly:
        return self + other.scaled(-1)

    def __mul__(self, other: Poly) -> Poly:
        total: dict[Monomial, Coefficient] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                product = times(m, n)
                total[product] = _whole(total.get(product, 0) + c * d)
        return Poly(total)

    def scaled(self, factor: Coefficient) -> Poly:
        return Poly({m: _whole(c * factor) for m, c in self.terms.items()})

    def __pow__(self, exponent: int) -> Poly:
        total = ONE
        for _ in range(exponent):
            total = total * self
        return total

    @cached_property
    def atoms(self) -> tuple[Atom, ...]:
        return tuple(sorted({a for m in self.terms for a, _ in m}, key=lambda a: a.order))

    @property
    def constant(self) -> Coefficient | None:
        """The number this is, if it is one."""
        return self.terms.get((), 0) if all(not m for m in self.terms) else None

    @property
    def is_whole(self) -> bool:
        """Integer coefficients: an integer wherever the atoms are."""
        return all(c.denominator == 1 for c in self.terms.values())

    @property
    def degree(self) -> int:
        return max((sum(e for _, e in m) for m in self.terms), default=0)

    def degree_in(self, a: Atom) -> int:
        return max((e for m in self.terms for b, e in m if b == a), default=0)

    def coefficients(self, a: Atom) -> dict[int, Poly]:
        """As a polynomial in one atom: power to coefficient."""
        split: dict[int, dict[Monomial, Coefficient]] = {}
        for m, c in self.terms.items():
            power = dict(m).get(a, 0)
            split.setdefault(power, {})[tuple(x for x in m if x[0] != a)] = c
        return {power: Poly(terms) for power, terms in split.items()}

    def put(self, a: Atom, value: Poly) -> Poly:
        """The polynomial with `value` in place of an atom."""
        total = ZERO
        for power, coefficient in self.coefficients(a).items():
            total = total + coefficient * value**power
        return total

    def cleared(self) -> tuple[Poly, int]:
        """Integer coefficients, and the positive number this was multiplied with."""
        factor = lcm(*(c.denominator for c in self.terms.values())) if self.terms else 1
        return self.scaled(factor), factor

    @property
    def content(self) -> int:
        """The greatest common divisor of integer coefficients."""
        return gcd(*(int(c) for c in self.terms.values())) or 1

    @property
    def shared(self) -> Monomial:
        """The largest monomial that divides every term."""
        all_terms = [dict(m) for m in self.terms]
        common = {a: min(m.get(a, 0) for m in all_terms) for a in (all_terms[0] if all_terms else {})}
        return tuple((a, e) for a, e in sorted(common.items(), key=lambda x: x[0].order) if e)


ZERO, ONE = Poly({}), Poly({(): 1})


def _whole(c: Coefficient) -> Coefficient:
    return c if isinstance(c, int) else c.numerator if c.denominator == 1 else c


def times(m: Monomial, n: Monomial) -> Monomial:
    """The product of two monomials."""
    if not m or not n:
        return m or n
    total = dict(m)
    for a, e in n:
        total[a] = total.get(a, 0) + e
    return tuple(sorted(total.items(), key=lambda x: x[0].order))


def _less(m: Monomial, n: Monomial) -> Monomial | None:
    """m divided by n, if n divides it."""
    total = dict(m)
    for a, e in n:
        left = total.get(a, 0) - e
        if left < 0:
            return None
        total[a] = left
    return tuple((a, e) for a, e in total.items() if e)


def divide(n: Poly, d: Poly, whole: bool) -> tuple[Poly, Poly]:
    """Quotient and remainder, by the lexicographically leading term of the divisor.

    With `whole` the quotient has integer coefficients (rounded down), otherwise rational ones.
    """
    atoms = tuple(sorted({*n.atoms, *d.atoms}, key=lambda a: a.order))

    def height(m: Monomial) -> tuple[int, ...]:
        powers = dict(m)
        return tuple(powers.get(a, 0) for a in atoms)

    top = max(d.terms, key=height)
    rest, quotient, remainder = dict(n.terms), dict[Monomial, Coefficient](), dict[Monomial, Coefficient]()
    while rest:
        m = max(rest, key=height)
        c, q = rest[m], _less(m, top)
        share = 0 if q is None else c // d.terms[top] if whole else _whole(Fraction(c) / d.terms[top])
        if q is not None and share:
            quotient[q] = share
            for e, b in d.terms.items():
                product = times(q, e)
                rest[product] = _whole(rest.get(product, 0) - share * b)
        if left := rest.pop(m, 0):
            remainder[m] = left
        rest = {k: v for k, v in rest.items() if v}
    return Poly(quotient), Poly(remainder)


def exactly(n: Poly, d: Poly) -> Poly | None:
    """The quotient, if d divides n over the rationals."""
    quotient, remainder = divide(n, d, whole=False)
    return None if remainder else quotient


def monomial(m: Monomial) -> Poly:
    return Poly({m: 1})


@dataclass(frozen=True)
class Ratio:
    """A fraction of polynomials; zero exactly when `above` is, wherever it is defined."""

    above: Poly
    below: Poly = ONE

    @staticmethod
    def of(above: Poly, below: Poly) -> Ratio:
        """Cancel numbers, monomials and exact divisors.

        Raises:
            ZeroDivisionError: the denominator is zero everywhere.
        """
        if not below:
            raise ZeroDivisionError("a division by zero")
        if (number := below.constant) is not None:
            return Ratio(above.scaled(Fraction(1) / number))
        if (quotient := exactly(above, below)) is not None:
            return Ratio(quotient)
        common = tuple((a, min(e, dict(below.shared)[a])) for a, e in above.shared if a in dict(below.shared))
        if common:
            return Ratio.of(_sure(above, monomial(common)), _sure(below, monomial(common)))
        if above.constant is None and (inverse := exactly(below, above)) is not None:
            return Ratio.of(ONE, inverse)
        cleared, factor = below.cleared()
        lead = cleared.content
        return Ratio(above.scaled(Fraction(factor, lead)), cleared.scaled(Fraction(1, lead)))

    def __add__(self, other: Ratio) -> Ratio:
        if self.below == other.below:
            return Ratio.of(self.above + other.above, self.below)
        for a, b in ((self, other), (other, self)):
            if (factor := exactly(a.below, b.below)) is not None:
                return Ratio.of(a.above + b.above * factor, a.below)
        return Ratio.of(self.above * other.below + other.above * self.below, self.below * other.below)

    def __neg__(self) -> Ratio:
        return Ratio(self.above.scaled(-1), self.below)

    def __mul__(self, other: Ratio) -> Ratio:
        return Ratio.of(self.above * other.above, self.below * other.below)

    def __truediv__(self, other: Ratio) -> Ratio:
        return Ratio.of(self.above * other.below, self.below * other.above)


def _sure(n: Poly, d: Poly) -> Poly:
    quotient = exactly(n, d)
    assert quotient is not None, "a common monomial divides"
    return quotient


def as_scalar(p: Poly) -> Scalar:
    """For conditions: positive terms first, constants last."""
    def rank(term: tuple[Monomial, Coefficient]) -> tuple[bool, bool, int, list[tuple[bool, str]]]:
        m, c = term
        return not m, c < 0, -sum(e for _, e in m), [a.order for a, _ in m]

    terms = [_term(m, c) for m, c in sorted(p.terms.items(), key=rank)]
    return Plus(tuple(terms)) if len(terms) > 1 else terms[0] if terms else Num(0)


def _term(m: Monomial, c: Coefficient) -> Scalar:
    factors: list[Scalar] = [] if c == 1 and m else [Num(c)]
    factors += [_of_atom(a) if e == 1 else Pow(_of_atom(a), e) for a, e in m]
    return factors[0] if len(factors) == 1 else Times(tuple(factors))


def _of_atom(a: Atom) -> Scalar:
    if a.above is None or a.below is None:
        return Var(a.text)
    below = as_scalar(a.below)
    return Floor(as_scalar(a.above) if below == Num(1) else Over(as_scalar(a.above), below))


def floor_atom(above: Poly, below: Poly) -> Atom:
    """floor(above/below) as an indeterminate."""
    shown = Floor(Over(as_scalar(above), as_scalar(below)))
    return Atom(True, str(shown), above, below)


def name_atom(name: str) -> Atom:
    return Atom(False, name)

