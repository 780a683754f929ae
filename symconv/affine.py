"""Integer affine expressions over index and size names, and constraints on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Union

Monomial = tuple[str, ...]
AffineLike = Union["Affine", int, str]


@dataclass(frozen=True, slots=True)
class Affine:
    """An integer polynomial of degree one in the indices, kept in canonical order.

    Products of names (a symbolic stride times an index) are carried as opaque monomials:
    they can be added, compared and substituted, and nothing is concluded from their factors.

    >>> i, j = Affine.of("i"), Affine.of("j")
    >>> 2 * i + j - 1
    2*i + j - 1
    """

    items: tuple[tuple[Monomial, int], ...] = ()

    @staticmethod
    def build(coefficients: Mapping[Monomial, int]) -> Affine:
        return Affine(tuple(sorted((m, c) for m, c in coefficients.items() if c)))

    @staticmethod
    def of(value: AffineLike) -> Affine:
        """Read an integer or a name as an affine expression.

        Raises:
            TypeError: the value is neither.
        """
        if isinstance(value, Affine):
            return value
        if isinstance(value, int) and not isinstance(value, bool):
            return Affine((((), value),)) if value else ZERO
        if isinstance(value, str):
            return Affine((((value,), 1),))
        raise TypeError(f"an index expression is an integer, a name or an Affine, not {value!r}")

    def __add__(self, other: AffineLike) -> Affine:
        total = dict(self.items)
        for monomial, c in Affine.of(other).items:
            total[monomial] = total.get(monomial, 0) + c
        return Affine.build(total)

    def __neg__(self) -> Affine:
        return Affine(tuple((m, -c) for m, c in self.items))

    def __sub__(self, other: AffineLike) -> Affine:
        return self + -Affine.of(other)

    def __rsub__(self, other: AffineLike) -> Affine:
        return Affine.of(other) - self

    def __mul__(self, other: AffineLike) -> Affine:
        product: dict[Monomial, int] = {}
        for m1, c1 in self.items:
            for m2, c2 in Affine.of(other).items:
                m = tuple(sorted(m1 + m2))
                product[m] = product.get(m, 0) + c1 * c2
        return Affine.build(product)

    __radd__, __rmul__ = __add__, __mul__

    def __iter__(self) -> Iterator[tuple[Monomial, int]]:
        return iter(self.items)

    @property
    def names(self) -> frozenset[str]:
        return frozenset(n for m, _ in self.items for n in m)

    @property
    def constant(self) -> int:
        return self.items[0][1] if self.items and not self.items[0][0] else 0

    @property
    def is_constant(self) -> bool:
        return not self.items or (len(self.items) == 1 and not self.items[0][0])

    def coefficient(self, name: str) -> int:
        """The integer in front of `name` alone (opaque products not counted)."""
        return next((c for m, c in self.items if m == (name,)), 0)

    def is_linear_in(self, name: str) -> bool:
        return all(name not in m or len(m) == 1 for m, _ in self.items)

    def substitute(self, values: Mapping[str, AffineLike]) -> Affine:
        if not values or self.names.isdisjoint(values):
            return self
        total = ZERO
        for monomial, c in self.items:
            product = Affine.of(c)
            for name in monomial:
                product = product * values.get(name, name)
            total = total + product
        return total

    def evaluate(self, values: Mapping[str, int]) -> int:
        total = 0
        for monomial, c in self.items:
            for name in monomial:
                c *= values[name]
            total += c
        return total

    def __str__(self) -> str:
        ordered = [t for t in self.items if t[0]] + [t for t in self.items if not t[0]]
        text = ""
        for monomial, c in ordered:
            name = "*".join(monomial)
            size = name if name and abs(c) == 1 else f"{abs(c)}*{name}" if name else str(abs(c))
            text += (" - " if c < 0 else " + ") + size if text else ("-" if c < 0 else "") + size
        return text or "0"

    __repr__ = __str__


ZERO = Affine()


def indices(names: str) -> tuple[Affine, ...]:
    """Index variables for writing equations by hand: `i, j = indices("i j")`."""
    return tuple(Affine.of(n) for n in names.split())


@dataclass(frozen=True, slots=True)
class Constraint:
    """`expression >= 0`, or `expression == 0` when `equality` is set."""

    expression: Affine
    equality: bool = False

    def substitute(self, values: Mapping[str, AffineLike]) -> Constraint:
        return Constraint(self.expression.substitute(values), self.equality)

    def holds(self, values: Mapping[str, int]) -> bool:
        v = self.expression.evaluate(values)
        return v == 0 if self.equality else v >= 0

    @property
    def is_trivial(self) -> bool:
        """True when it holds whatever the names stand for."""
        e = self.expression
        return e.is_constant and (e.constant == 0 if self.equality else e.constant >= 0)

    def __str__(self) -> str:
        return f"{self.expression} {'==' if self.equality else '>='} 0"

    __repr__ = __str__


def at_least(a: AffineLike, b: AffineLike) -> Constraint:
    return Constraint(Affine.of(a) - b)


def equal(a: AffineLike, b: AffineLike) -> Constraint:
    return Constraint(Affine.of(a) - b, equality=True)


def inside(value: AffineLike, extent: AffineLike) -> tuple[Constraint, Constraint]:
    """0 <= value < extent."""
    return at_least(value, 0), Constraint(Affine.of(extent) - value - 1)


def unique(constraints: Iterable[Constraint]) -> tuple[Constraint, ...]:
    """Without duplicates and without those that hold always, first occurrence first."""
    return tuple(dict.fromkeys(c for c in constraints if not c.is_trivial))
