"""Toom-Cook algorithms: a short correlation with as many products as it has different inputs.

A correlation of `taps` weights g with a signal d has the outputs y_i = sum_j g_j d_{i+j}. With a third
vector it is the trilinear form sum_{i,j} y_i g_j d_{i+j}, the inner product of d with the coefficients of
the polynomial product y(x) g(x). That product has outputs + taps - 1 coefficients, so its values at as
many points determine it: evaluate both polynomials, multiply the values, interpolate. Written as

    sum_{i,j} y_i g_j d_{i+j} = sum_a (A y)_a (G g)_a (B^T d)_a

the derivative with respect to any of the three vectors is an algorithm: for y it is the correlation
y = A^T[(G g) . (B^T d)], for g and d its two gradients.

A. Toom 1963, S. Cook 1966; S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and
S. Gray, Fast Algorithms for Convolutional Neural Networks, 2016.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

from symconv.bilinear.matrix import Matrix
from symconv.errors import NotSupported

if TYPE_CHECKING:
    import sympy as sp

INFINITY = "oo"
HALF = Fraction(1, 2)
# By their number, besides 0 and infinity. Points come with their negatives, so that even and odd parts are
# shared, and with their reciprocals, which undo each other's growth: 2, -2, 1/2, -1/2 cost as much as
# 1, -1, 2, -2 and lose half as much accuracy (amplification 7.3 against 16 for F(4, 3)). With more points
# than these, float32 results would lose most of their digits.
POINTS = ((), (1,), (1, -1), (1, -1, 2), (2, -2, HALF, -HALF), (1, 2, -2, HALF, -HALF),
          (1, -1, 2, -2, HALF, -HALF))
MOST_PRODUCTS = len(POINTS) + 1
ROLES = ("outputs", "taps", "signal")
PointLike = int | Fraction | str


@dataclass(frozen=True, slots=True)
class Point:
    """x = above / below, with below = 0 for infinity."""

    above: int
    below: int

    @staticmethod
    def of(value: PointLike) -> Point:
        """Raises NotSupported for a text other than "oo"."""
        if isinstance(value, str):
            if value != INFINITY:
                raise NotSupported(f"a point is a rational number or {INFINITY!r}, not {value!r}")
            return Point(1, 0)
        number = Fraction(value)
        return Point(number.numerator, number.denominator)

    def powers(self, count: int) -> list[int]:
        """The value of 1, x, x^2... there, times below^(count - 1): at infinity only the last one counts."""
        return [self.above**k * self.below**(count - 1 - k) for k in range(count)]

    def __str__(self) -> str:
        return str(Fraction(self.above, self.below)) if self.below else INFINITY

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Trilinear:
    """sum over i, j of outputs[i] * taps[j] * signal[i + j], as a sum of fewer products of three factors.

    Each field is a matrix with one row for every product: A, G and B^T.
    """

    outputs: Matrix
    taps: Matrix
    signal: Matrix
    points: tuple[Point, ...] = ()

    @property
    def products(self) -> int:
        return len(self.outputs.rows)

    @property
    def name(self) -> str:
        return f"F({self.outputs.shape[1]}, {self.taps.shape[1]})"

    def swapped(self) -> Trilinear:
        """Outputs and taps in each other's place: F(m, r) becomes F(r, m), which is what the gradient with
        respect to the taps of F(m, r) computes."""
        return replace(self, outputs=self.taps, taps=self.outputs)

    def solve(self, role: str, first: Sequence[Any], second: Sequence[Any]) -> list[Any]:
        """The derivative with respect to one role, from the vectors of the other two in the order of ROLES:
        for `outputs` the correlation itself, A^T[(G g) . (B^T d)]."""
        one, two = (getattr(self, r) for r in ROLES if r != role)
        values = [p * q for p, q in zip(one.apply(first), two.apply(second), strict=True)]
        return getattr(self, role).T.apply(values)  # type: ignore[no-any-return]

    def nested(self, other: Trilinear) -> Trilinear:
        """This algorithm along a first axis and the other along a second, on row-major vectors."""
        kron = {r: getattr(self, r).kron(getattr(other, r)) for r in ROLES}
        return Trilinear(**kron)

    def in_integers(self) -> tuple[Trilinear, int]:
        """The same algorithm with integer matrices, and the factor by which its results grow.

        Only matrices with fractions change, so transforms without any are the very same code.
        """
        factor = prod(getattr(self, r).denominator for r in ROLES)
        return replace(self, **{r: getattr(self, r) * getattr(self, r).denominator for r in ROLES}), factor

    def __str__(self) -> str:
        at = f" at {', '.join(map(str, self.points))}" if self.points else ""
        return "\n".join([f"{self.name}: {self.products} products{at}", "A^T =", str(self.outputs.T), "G =",
                          str(self.taps), "B^T =", str(self.signal)])

    __repr__ = __str__


def toom_cook(outputs: int, taps: int, points: Iterable[PointLike] | None = None) -> Trilinear:
    """The matrices of F(outputs, taps), with integers for A and B and all fractions in G.

    Args:
        points: outputs + taps - 1 different ones; 0, infinity and small numbers by default.

    Raises:
        NotSupported: a wrong number of points, or a point twice.
    """
    import sympy as sp

    count = outputs + taps - 1
    if outputs < 1 or taps < 1:
        raise NotSupported(f"F({outputs}, {taps}) needs at least one output and one tap")
    places = tuple(map(Point.of, default_points(count) if points is None else points))
    if len(places) != count or len(set(places)) != count:
        raise NotSupported(f"F({outputs}, {taps}) needs {count} different points, not {', '.join(map(str, places))}")
    x = sp.Symbol("x")
    a, g, b = [], [], []
    for p in places:
        vanishing = [q.below * x - q.above for q in places if q != p]
        others = sp.Poly(sp.Mul(*vanishing), x)  # zero at all other points: interpolates the value at this one
        here = prod(q.below * p.above - q.above * p.below for q in places if q != p)  # its value at p
        sign = 1 if here > 0 else -1
        a.append(p.powers(outputs))
        g.append([Fraction(v, abs(here)) for v in p.powers(taps)])
        b.append([sign * c for c in _coefficients(others, count)])
    return Trilinear(Matrix.of(a), Matrix.of(g), Matrix.of(b), places)


def _coefficients(p: sp.Poly, count: int) -> list[int]:
    """Of 1, x, x^2..., filled up with zeros."""
    found = [int(c) for c in reversed(p.all_coeffs())]
    return found + [0] * (count - len(found))


def default_points(count: int) -> tuple[PointLike, ...]:
    """Raises NotSupported when float32 results would lose most of their digits."""
    if count > MOST_PRODUCTS:
        raise NotSupported(f"{count} products are too many for float32; smaller tiles lose less, or name the points")
    return (0, *POINTS[count - 2], INFINITY) if count > 1 else (INFINITY,)


def nest(forms: Sequence[Trilinear]) -> Trilinear:
    """One algorithm for each axis, as a single one on row-major vectors."""
    return reduce(Trilinear.nested, forms)


def amplification(form: Trilinear) -> Fraction:
    """The largest ratio of sum |A||G||B| to the sum of the products it replaces, when all values are 1 in size:
    what cancellation in the transforms can cost an output in accuracy."""
    g, b = ([sum(row) for row in abs(m).rows] for m in (form.taps, form.signal))
    worst = max(sum(c * p * q for c, p, q in zip(column, g, b, strict=True)) for column in abs(form.outputs).T.rows)
    return Fraction(worst) / form.taps.shape[1]
