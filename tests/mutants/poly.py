"""Integer polynomials in index and size names, and the few expressions around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Env = Mapping[str, int]
Monomial = tuple[str, ...]


@dataclass(frozen=True)
class Poly:
    """A sum of coefficient * product of names; the empty product is the constant."""

    terms: tuple[tuple[Monomial, int], ...] = ()

    def __call__(self, env: Env) -> int:
        total = 0
        for names, c in self.terms:
            for n in names:
                c *= env[n]
            total += c
        return total

    def __add__(self, other: Poly | int | str) -> Poly:
        return build([*self.terms, *poly(other).terms])

    __radd__ = __add__

    def __neg__(self) -> Poly:
        return Poly(tuple((m, -c) for m, c in self.terms))

    def __sub__(self, other: Poly | int | str) -> Poly:
        return self + -poly(other)

    def __rsub__(self, other: Poly | int | str) -> Poly:
        return poly(other) - self

    def __mul__(self, other: Poly | int | str) -> Poly:
        return build([(tuple(sorted(a + b)), c * d) for a, c in self.terms for b, d in poly(other).terms])

    __rmul__ = __mul__

    @property
    def names(self) -> frozenset[str]:
        return frozenset(n for m, _ in self.terms for n in m)

    def put(self, values: Mapping[str, Poly]) -> Poly:
        """With names replaced by polynomials."""
        total = Poly()
        for m, c in self.terms:
            product = poly(c)
            for n in m:
                product = product * values.get(n, poly(n))
            total = total + product
        return total

    def negated(self, name: str) -> Poly:
        return self.put({name: -poly(name)})


def build(terms: list[tuple[Monomial, int]]) -> Poly:
    found: dict[Monomial, int] = {}
    for m, c in terms:
        found[m] = found.get(m, 0) + c
    return Poly(tuple(sorted((m, c) for m, c in found.items() if c)))


def poly(value: Poly | int | str) -> Poly:
    if isinstance(value, Poly):
        return value
    if isinstance(value, str):
        return Poly((((value,), 1),))
    return Poly((((), value),)) if value else Poly()


NOWHERE = -10**9  # stands for an index that is no integer: it selects nothing


@dataclass(frozen=True)
class Ratio:
    """over / under, rounded `down`, `up`, or `exact`: NOWHERE if the division leaves a remainder."""

    over: Poly
    under: Poly
    rounding: str = "exact"

    def __call__(self, env: Env) -> int:
        a, b = self.over(env), self.under(env)
        if self.rounding == "up":
            return -(-a // b)
        return a // b if self.rounding == "down" or a % b == 0 else NOWHERE

    @property
    def names(self) -> frozenset[str]:
        return self.over.names | self.under.names

    def put(self, values: Mapping[str, Poly]) -> Ratio:
        return Ratio(self.over.put(values), self.under.put(values), self.rounding)

    def __add__(self, other: int) -> Ratio:
        return Ratio(self.over + self.under * other, self.under, self.rounding)

    def negated(self, name: str) -> Ratio:
        return Ratio(self.over.negated(name), self.under, self.rounding)


@dataclass(frozen=True)
class Extreme:
    """max or min of several expressions."""

    kind: str
    items: tuple[Poly | Ratio, ...]

    def __call__(self, env: Env) -> int:
        values = [e(env) for e in self.items]
        return max(values) if self.kind == "max" else min(values)

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(e.names for e in self.items))

    def put(self, values: Mapping[str, Poly]) -> Extreme:
        return Extreme(self.kind, tuple(e.put(values) for e in self.items))

    def __add__(self, other: int) -> Extreme:
        return Extreme(self.kind, tuple(e + other for e in self.items))


ZERO, ONE = poly(0), poly(1)
Index = Poly | Ratio
Bound = Poly | Ratio | Extreme
