"""Expressions over integer sizes: output-size formulas, parameter counts, plain numbers.

Values, not text: whoever reads a formula builds these, and nothing here evaluates a string.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Union

ScalarLike = Union["Scalar", int, Fraction, str]


class Scalar:
    """An expression over integer names; built with `+ - * / ** // %` from names and numbers.

    >>> i, k, s = Var("i"), Var("k"), Var("s")
    >>> Floor((i - k) / s) + 1
    floor((i - k)/s) + 1
    """

    __slots__ = ()

    def __add__(self, other: ScalarLike) -> Scalar:
        return Plus((*_flat(self), *_flat(scalar(other))))

    def __radd__(self, other: ScalarLike) -> Scalar:
        return scalar(other) + self

    def __neg__(self) -> Scalar:
        match self:
            case Num(value):
                return Num(-value)
            case Times((Num(value), *rest)):
                return Times((Num(-value), *rest))
            case Times(factors):
                return Times((Num(-1), *factors))
        return Times((Num(-1), self))

    def __sub__(self, other: ScalarLike) -> Scalar:
        return self + -scalar(other)

    def __rsub__(self, other: ScalarLike) -> Scalar:
        return scalar(other) + -self

    def __mul__(self, other: ScalarLike) -> Scalar:
        return Times((*(self.factors if isinstance(self, Times) else (self,)), scalar(other)))

    def __rmul__(self, other: ScalarLike) -> Scalar:
        return Times((scalar(other), self))

    def __truediv__(self, other: ScalarLike) -> Scalar:
        return Over(self, scalar(other))

    def __rtruediv__(self, other: ScalarLike) -> Scalar:
        return Over(scalar(other), self)

    def __floordiv__(self, other: ScalarLike) -> Scalar:
        return Floor(self / other)

    def __mod__(self, other: ScalarLike) -> Scalar:
        return Mod(self, scalar(other))

    def __pow__(self, exponent: int) -> Scalar:
        return Pow(self, exponent)

    def __repr__(self) -> str:
        return _text(self, 0)

    __str__ = __repr__

    def shown(self) -> str:
        """As a function of what stands directly inside; kinds that are written otherwise say so."""
        return f"{type(self).__name__.lower()}({', '.join(_text(p, 0) for p in parts(self))})"


@dataclass(frozen=True, slots=True, repr=False)
class Num(Scalar):
    """A rational number."""

    value: Fraction | int


@dataclass(frozen=True, slots=True, repr=False)
class Var(Scalar):
    """A size, by the name its author gave it."""

    name: str


@dataclass(frozen=True, slots=True, repr=False)
class Plus(Scalar):
    """A sum of terms."""

    terms: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Times(Scalar):
    """A product of factors."""

    factors: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Over(Scalar):
    """A fraction, exact: no rounding."""

    above: Scalar
    below: Scalar


@dataclass(frozen=True, slots=True, repr=False)
class Pow(Scalar):
    """A power with an integer exponent, which may be negative."""

    base: Scalar
    exponent: int


@dataclass(frozen=True, slots=True, repr=False)
class Floor(Scalar):
    """The largest integer not above the body."""

    body: Scalar


@dataclass(frozen=True, slots=True, repr=False)
class Ceil(Scalar):
    """The smallest integer not below the body."""

    body: Scalar


@dataclass(frozen=True, slots=True, repr=False)
class Mod(Scalar):
    """`a - b*floor(a/b)`: the sign of the divisor, as in mathematics and Python."""

    a: Scalar
    b: Scalar


@dataclass(frozen=True, slots=True, repr=False)
class Max(Scalar):
    """The largest of its arguments."""

    args: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Min(Scalar):
    """The smallest of its arguments."""

    args: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the names. All of them are integers.

    Args:
        low: lower bound of a name; 1 where nothing is said.
        equal: pairs assumed equal, such as p = k - 1 or s = 2.
        at_least: pairs (a, b) with a >= b, such as n + 2p >= d(k - 1) + 1.
        odd, even: names of known parity.
        divides: pairs (a, b) where a divides b.
    """

    low: Mapping[str, int] = field(default_factory=dict)
    equal: tuple[tuple[Scalar, Scalar], ...] = ()
    at_least: tuple[tuple[Scalar, Scalar], ...] = ()
    odd: frozenset[str] = frozenset()
    even: frozenset[str] = frozenset()
    divides: tuple[tuple[Scalar, Scalar], ...] = ()

    def lowest(self, name: str) -> int:
        return self.low.get(name, 1)

    @property
    def pairs(self) -> tuple[tuple[Scalar, Scalar], ...]:
        """Every pair of expressions that some fact relates."""
        return (*self.equal, *self.at_least, *self.divides)


def scalar(value: ScalarLike) -> Scalar:
    """A number or a name as an expression.

    Raises:
        TypeError: the value is none of these.
    """
    if isinstance(value, Scalar):
        return value
    if isinstance(value, int | Fraction) and not isinstance(value, bool):
        return Num(value)
    if isinstance(value, str):
        return Var(value)
    raise TypeError(f"a scalar is a number, a name or an expression, not {value!r}")


def parts(e: Scalar) -> tuple[Scalar, ...]:
    """The expressions directly inside."""
    match e:
        case Plus(inner) | Times(inner) | Max(inner) | Min(inner):
            return inner
        case Over(a, b) | Mod(a, b):
            return a, b
        case Pow(a, _) | Floor(a) | Ceil(a):
            return (a,)
    return ()


def rebuilt(e: Scalar, inner: tuple[Scalar, ...]) -> Scalar:
    """The same kind of expression around other parts."""
    match e:
        case Plus() | Times() | Max() | Min():
            return type(e)(inner)
        case Over() | Mod():
            return type(e)(*inner)
        case Pow(_, exponent):
            return Pow(inner[0], exponent)
        case Floor() | Ceil():
            return type(e)(*inner)
    return e


def walk(e: Scalar) -> Iterator[Scalar]:
    """Every expression inside, itself first, without recursion."""
    stack = [e]
    while stack:
        here = stack.pop()
        yield here
        stack.extend(reversed(parts(here)))


def names(*expressions: Scalar) -> tuple[str, ...]:
    """The names that occur, in the order of their first appearance."""
    return tuple(dict.fromkeys(v.name for e in expressions for v in walk(e) if isinstance(v, Var)))


def substitute(e: Scalar, values: Mapping[str, Scalar]) -> Scalar:
    """Put expressions in place of names, all at once."""
    if isinstance(e, Var):
        return values.get(e.name, e)
    inner = parts(e)
    fresh = tuple(substitute(p, values) for p in inner)
    return e if fresh == inner else rebuilt(e, fresh)


def _flat(e: Scalar) -> tuple[Scalar, ...]:
    return e.terms if isinstance(e, Plus) else (e,)


def _text(e: Scalar, tightness: int) -> str:
    """Plain text; parentheses where the surroundings bind tighter (0 sum, 1 product, 2 power)."""
    match e:
        case Num(value):
            return f"({value})" if tightness and (value < 0 or value.denominator != 1) else str(value)
        case Var(name):
            return name
        case Plus(terms):
            shown = _sum(terms)
            return f"({shown})" if tightness else shown
        case Times(factors):
            shown = _product(factors)
            return f"({shown})" if tightness > 1 or (tightness and shown.startswith("-")) else shown
        case Over(a, b):
            shown = f"{_text(a, 1)}/{_text(b, 2)}"
            return f"({shown})" if tightness > 1 or (tightness and shown.startswith("-")) else shown
        case Pow(base, exponent):
            shown = f"{_text(base, 3)}^{exponent if exponent >= 0 else f'({exponent})'}"
            return f"({shown})" if tightness > 2 else shown
        case Mod(a, b):
            shown = f"{_text(a, 2)} mod {_text(b, 2)}"
            return f"({shown})" if tightness else shown
    return e.shown()


def _sum(terms: tuple[Scalar, ...]) -> str:
    shown = ""
    for t in terms:
        one = _text(t, 0)
        if shown and one.startswith("-"):
            shown += f" - {one[1:]}"
        else:
            shown += f" + {one}" if shown else one
    return shown or "0"


def _product(factors: tuple[Scalar, ...]) -> str:
    """`2p`, `-k`, `d*(k - 1)`: a number stands next to what it multiplies, and 1 is not written."""
    if not factors:
        return "1"
    first, rest = factors[0], factors[1:]
    if not rest:
        return _text(first, 1)
    shown = "*".join(_text(f, 2) for f in rest)
    if first in (Num(1), Num(-1)):
        return "-" * (first == Num(-1)) + shown
    if isinstance(first, Num) and first.value.denominator == 1:
        return f"{first.value}{'*' if shown[0].isdigit() or shown[0] == '(' else ''}{shown}"
    return f"{_text(first, 2)}*{shown}"
