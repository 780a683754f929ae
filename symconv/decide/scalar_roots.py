"""When is a polynomial over sizes and floors zero? Exact conditions only; otherwise `open`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd

from symconv.decide.scalar_conditions import AtLeast, Below, Divides, Same, Test, both, either
from symconv.decide.scalar_facts import Settled
from symconv.decide.scalar_normal import Known, normal
from symconv.decide.scalar_poly import (
    ONE,
    ZERO,
    Atom,
    Monomial,
    Poly,
    Ratio,
    as_scalar,
    divide,
    exactly,
    monomial,
)
from symconv.decide.scalar_terms import Mod, Num, Over, Scalar, Times, Var, walk
from symconv.errors import LimitExceeded

LONGEST_LINEAR, LONGEST_PRODUCT = 5, 4  # terms an equation may have and still be called a condition
MOST_REMAINDERS = 32
SMALL_ROOTS = (0, 1, -1, 2, -2, 3)


@dataclass(frozen=True)
class Outcome:
    """`always`, `never`, `exactly` under the test, at least under it (`suffices`), or `open`."""

    kind: str
    test: Test | None = None
    reason: str = ""


ALWAYS, NEVER, OPEN = Outcome("always"), Outcome("never"), Outcome("open", reason="no exact condition was found")


def exactly_if(*tests: Test) -> Outcome:
    return Outcome("exactly", both(*tests)) if tests else ALWAYS


class Roots:
    """The search for zeros under settled facts; `written` are the fractions as their author wrote them."""

    def __init__(self, settled: Settled, *claims: Scalar) -> None:
        self.settled, self.known = settled, settled.known
        self.written = [e for c in claims for e in walk(c) if isinstance(e, Over)]

    def of(self, p: Poly) -> Outcome:
        """When is p = 0?"""
        if not p:
            return ALWAYS
        p = _primitive(p)
        if self.known.sign(p):
            return NEVER
        if self.known.rows and self.known.nonnegative(p) and self.known.nonnegative(p.scaled(-1)):
            return ALWAYS
        tests: list[Test] = []
        for a, _ in p.shared:
            if not self.known.sign(Poly.atom(a)):
                tests.append(self._equation(Poly.atom(a)))
        rest = exactly(p, monomial(p.shared)) or p
        floors = [a for a in rest.atoms if a.is_floor]
        found = OPEN
        if len(floors) < 3:
            found = (self._product, self._one_floor, self._two_floors)[len(floors)](rest, *floors)
        if not tests or found.kind in ("always", "open"):
            return found
        return Outcome("exactly", either(*tests, *([found.test] if found.test else [])))

    def _product(self, p: Poly) -> Outcome:
        """A product is zero exactly when a factor is; factors that cannot be are dropped."""
        tests: list[Test] = []
        for f in factors(p):
            if self.known.sign(f):
                continue
            if (test := self._at_the_bound(f)) is None:
                if len(f.terms) > (LONGEST_LINEAR if f.degree == 1 else LONGEST_PRODUCT):
                    return OPEN
                if not _has_integer_zero(f):
                    continue
                test = self._equation(f)
            tests.append(test)
        return Outcome("exactly", either(*tests)) if tests else NEVER

    def _at_the_bound(self, f: Poly) -> Test | None:
        """A sum of excesses, all counted with one sign, is zero only where each of them is."""
        above = self.known.excess(f)
        if () in above.terms or any(a.text not in self.known.low for a in above.atoms):
            return None
        if len({c > 0 for c in above.terms.values()}) > 1:
            return None
        return both(*(either(*(self._equation(Poly.atom(a) - Poly.number(self.known.low[a.text])) for a, _ in m))
                      for m in above.terms))

    def _equation(self, f: Poly) -> Test:
        shown = normal(self.settled.original(as_scalar(f)), Known({})).above if self.settled.back else f
        return equation(_primitive(shown))

    def _one_floor(self, p: Poly, a: Atom) -> Outcome:
        """floor(x) = g exactly when g is an integer and 0 <= x - g < 1."""
        split = p.coefficients(a)
        assert a.above is not None and a.below is not None, "a floor has a body"
        if max(split) > 1 or not self.known.sign(split[1]):
            return OPEN
        g = Ratio.of(split.get(0, ZERO).scaled(-1), split[1])
        gap = Ratio.of(a.above, a.below) + -g
        (above, up), (below, down) = gap.above.cleared(), gap.below.cleared()
        above, below = above.scaled(down), below.scaled(up)
        sign = self.known.sign(below)
        within = self._between(above.scaled(sign), below.scaled(sign)) if sign else OPEN
        whole = self.whole(g)
        if NEVER in (within, whole):
            return NEVER
        if OPEN in (within, whole):
            return OPEN
        return exactly_if(*(o.test for o in (whole, within) if o.test))

    def _between(self, n: Poly, d: Poly) -> Outcome:
        """0 <= n < d."""
        if self.known.positive(n.scaled(-1)) or self.known.nonnegative(n - d):
            return NEVER
        low, high = self.known.nonnegative(n), self.known.positive(d - n)
        if low and high:
            return ALWAYS
        if self.known.nonnegative(n.scaled(-1)) or d == ONE:
            return self._product(_primitive(n)) if n else ALWAYS
        if low:
            return exactly_if(Below(self._shown(n), self._shown(d)))
        return exactly_if(AtLeast(self._shown(n), Num(0))) if high else OPEN

    def whole(self, g: Ratio) -> Outcome:
        """Is g an integer?"""
        above, factor = g.above.cleared()
        below = g.below.scaled(factor)
        if not (sign := self.known.sign(below)):
            return OPEN
        _, rest = divide(above.scaled(sign), below.scaled(sign), whole=True)
        if not rest:
            return ALWAYS
        below = below.scaled(sign)
        if self.known.positive(rest) and self.known.positive(below - rest):
            return NEVER
        if (settled := _every_remainder(rest, below.constant)) is not None:
            return settled
        return exactly_if(self.divides(below, rest))

    def divides(self, below: Poly, rest: Poly, denied: bool = False) -> Test:
        """`below` divides `rest`, in the author's own terms where a fraction shows them."""
        for w in self.written:
            above, divisor = self.settled.difference(w.above, Num(0)), self.settled.difference(w.below, Num(0))
            if above is None or divisor is None or above.below != ONE or divisor != Ratio(below):
                continue
            for same in (rest, rest.scaled(-1)):  # b divides a and -a alike
                offset = above.above - same
                if offset.is_whole and not divide(offset, below, whole=True)[1]:
                    return Divides(w.below, w.above, denied)
        number = below.constant
        if number is not None:  # centred residues: 3 divides i - k, not i + 2k
            rest = Poly({m: c - number * (2 * c > number) for m, c in rest.terms.items()})
        return Divides(self._shown(below), self._shown(rest), denied)

    def _two_floors(self, p: Poly, a: Atom, b: Atom) -> Outcome:
        """floor(x/d) - floor(y/d) = e exactly when 0 <= (y mod d) + (x - y - e*d) < d."""
        one, other = p.coefficients(a).get(1, ZERO), p.coefficients(b).get(1, ZERO)
        if p.degree_in(a) > 1 or p.degree_in(b) > 1 or one + other or a.below != b.below or b in one.atoms:
            return OPEN
        assert a.above is not None and b.above is not None and a.below is not None, "a floor has a body"
        constant = p.coefficients(a)[0].coefficients(b).get(0, ZERO)
        steps = exactly(constant.scaled(-1), one)
        if not self.known.sign(one) or steps is None or not steps.is_whole:
            return OPEN
        d, y, shift = a.below, b.above, a.above - b.above - steps * a.below
        if self.known.nonnegative(shift):
            return self._carries(y, shift, d)
        if self.known.nonnegative(shift.scaled(-1)):
            return self._reaches(y, shift.scaled(-1), d)
        return OPEN

    def _carries(self, y: Poly, shift: Poly, d: Poly) -> Outcome:
        """(y mod d) + shift < d, for a shift of at least zero."""
        if self.known.nonnegative(shift - d):
            return NEVER
        if shift == ONE:
            return exactly_if(self.divides(d, y + ONE, denied=True))
        if shift == d - ONE:
            return exactly_if(self.divides(d, y))
        return exactly_if(Below(Mod(self._shown(y), self._shown(d)) + self._shown(shift), self._shown(d)))

    def _reaches(self, y: Poly, shift: Poly, d: Poly) -> Outcome:
        """(y mod d) >= shift, for a shift of at least zero."""
        if self.known.nonnegative(shift - d):
            return NEVER
        if shift == ONE:
            return exactly_if(self.divides(d, y, denied=True))
        if shift == d - ONE:
            return exactly_if(self.divides(d, y + ONE))
        return exactly_if(AtLeast(Mod(self._shown(y), self._shown(d)), self._shown(shift)))

    def _shown(self, p: Poly) -> Scalar:
        """In the author's names."""
        if not self.settled.back:
            return _factored(p)
        try:
            r = normal(self.settled.original(as_scalar(p)), Known(self.settled.low))
        except LimitExceeded:
            return self.settled.original(as_scalar(p))
        return as_scalar(r.above) if r.below == ONE else Over(as_scalar(r.above), as_scalar(r.below))


def factors(p: Poly) -> Iterator[Poly]:
    """Factors whose product is p up to a number: names, differences of small degree, what is left."""
    for a, power in p.shared:
        yield from [Poly.atom(a)] * power
    p = _primitive(exactly(p, monomial(p.shared)) or p)
    if p.constant is not None:
        return
    if (part := _factor(p)) is None:
        yield p
        return
    yield from factors(part)
    yield from factors(exactly(p, part) or ONE)


def _factor(p: Poly) -> Poly | None:
    """A proper factor: one that divides every coefficient of a name, or a root in one name."""
    if p.degree < 2:
        return None
    for a in p.atoms:
        split = list(p.coefficients(a).values())
        if len(split) > 1 and p.degree_in(a):
            smallest = min(split, key=lambda c: len(c.terms))
            for f in factors(smallest):
                if f.constant is None and all(exactly(c, f) is not None for c in split):
                    return f
    for a in p.atoms:
        if p.degree_in(a) > 1:
            others = [Poly.atom(b).scaled(s) for b in p.atoms if b != a for s in (1, -1)]
            for root in [*(Poly.number(c) for c in SMALL_ROOTS), *others]:
                if not p.put(a, root):
                    return Poly.atom(a) - root
    return None


def _primitive(p: Poly) -> Poly:
    """Integer coefficients without a common divisor."""
    cleared, _ = p.cleared()
    return Poly({m: int(c) // cleared.content for m, c in cleared.terms.items()})


def _has_integer_zero(p: Poly) -> bool:
    """False when a common divisor of the other coefficients does not divide the constant."""
    varying = [int(c) for m, c in p.terms.items() if m]
    return int(p.terms.get((), 0)) % (gcd(*varying) or 1) == 0


def _every_remainder(p: Poly, divisor: int | Fraction | None) -> Outcome | None:
    """Does a number divide p whatever the remainders of its names, or for none of them?"""
    if divisor is None or any(a.is_floor for a in p.atoms) or divisor ** len(p.atoms) > MOST_REMAINDERS:
        return None
    found = set()
    for rests in product(range(int(divisor)), repeat=len(p.atoms)):
        value = p
        for a, rest in zip(p.atoms, rests, strict=True):
            value = value.put(a, Poly.number(rest))
        found.add((value.constant or 0) % divisor == 0)
    return None if len(found) == 2 else ALWAYS if found == {True} else NEVER


def _factored(p: Poly) -> Scalar:
    """(d - 1)*(k - 1), not d*k - d - k + 1."""
    found = [] if len(p.terms) < 2 or any(a.is_floor for a in p.atoms) else list(factors(p))
    if len(found) < 2:
        return as_scalar(p)
    number = p
    for f in found:
        number = exactly(number, f) or ZERO
    signs = number.constant or 0
    return Times((*((Num(signs),) if signs != 1 else ()), *map(as_scalar, found)))


def equation(f: Poly) -> Test:
    """f = 0, solved for a name with coefficient 1 where there is one, else without minus signs."""
    best: tuple[int, str, Test] | None = None
    for m, c in f.terms.items():
        if abs(c) == 1 and len(m) == 1 and m[0][1] == 1 and f.degree_in(m[0][0]) == 1 and _alone(f, m):
            rest = Poly({n: -b * c for n, b in f.terms.items() if n != m})
            rank = sum(b < 0 for b in rest.terms.values())
            if best is None or (rank, m[0][0].text) < best[:2]:
                best = rank, m[0][0].text, Same(Var(m[0][0].text), as_scalar(rest))
    if best is not None:
        return best[2]
    plus = Poly({m: c for m, c in f.terms.items() if c > 0})
    return Same(as_scalar(plus), as_scalar(plus - f))


def _alone(f: Poly, m: Monomial) -> bool:
    return not m[0][0].is_floor and sum(m[0][0] in dict(n) for n in f.terms) == 1
