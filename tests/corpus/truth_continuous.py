"""Convolution over R, on polynomials times exp(-x^2): their integrals are exact, so both sides compare exactly.

The convolution of p exp(-x^2) and q exp(-x^2) is r exp(-x^2/2) times sqrt(pi/2), r a polynomial with
rational coefficients; functions of that kind are refutations where they differ. Where they agree, the rule
named in the corpus is the proof.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import zip_longest
from math import comb

from .truth import fact

Poly = tuple[Fraction, ...]
HALF = Fraction(1, 2)
FUNCTIONS: list[Poly] = [tuple(map(Fraction, p)) for p in ((1,), (0, 1), (2, 3), (-1, 2, 5), (0, 0, 1, 4))]
PAIR = {"f": range(len(FUNCTIONS)), "g": range(len(FUNCTIONS))}


def trimmed(p: Poly) -> Poly:
    while p and p[-1] == 0:
        p = p[:-1]
    return p


def plus(p: Poly, q: Poly, sign: int = 1) -> Poly:
    return trimmed(tuple(a + sign * b for a, b in zip_longest(p, q, fillvalue=Fraction(0))))


def slope(p: Poly, rate: int) -> Poly:
    """The polynomial of the derivative of p exp(-rate x^2 / 2): p' - rate x p."""
    return plus(tuple(i * a for i, a in enumerate(p))[1:], (Fraction(0), *(rate * a for a in p)), -1)


def moment(n: int, width: Fraction) -> Fraction:
    """The mean of u^n under a normal density with variance `width`."""
    result = Fraction(n % 2 == 0)
    for odd in range(1, n, 2):
        result *= odd * width
    return result


def convolution(p: Poly, q: Poly) -> Poly:
    """r from the integral over y of p(y) q(x - y) exp(-y^2 - (x - y)^2), with y = x/2 + u."""
    r = [Fraction(0)] * (len(p) + len(q) - 1)
    for a, left in enumerate(p):
        for b, right in enumerate(q):
            for i in range(a + 1):
                for j in range(b + 1):
                    rest = a - i + b - j
                    r[rest] += left * right * comb(a, i) * comb(b, j) * (-1) ** j * HALF**rest * moment(i + j, HALF**2)
    return trimmed(tuple(r))


def reflected(p: Poly) -> Poly:
    return tuple(a * (-1) ** i for i, a in enumerate(p))


def correlation(p: Poly, q: Poly) -> Poly:
    """The integral over y of f(y) g(x + y): y -> -y turns it into a convolution."""
    return convolution(reflected(p), q)


def negative(p: Poly) -> Poly:
    return tuple(-a for a in p)


def pair(f: int, g: int) -> tuple[Poly, Poly]:
    return FUNCTIONS[f], FUNCTIONS[g]


@fact("continuous-commutes", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return convolution(p, q) == convolution(q, p)


@fact("continuous-commutes-plus", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return correlation(p, q) == correlation(q, p)


@fact("continuous-sign-lost", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return convolution(p, q) == negative(convolution(q, p))


@fact("continuous-derivative", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return slope(convolution(p, q), 1) == convolution(p, slope(q, 2))


@fact("continuous-derivative-either", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    middle = convolution(slope(p, 2), q)
    return slope(convolution(p, q), 1) == middle, middle == convolution(p, slope(q, 2))


@fact("continuous-leibniz", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return slope(convolution(p, q), 1) == plus(convolution(slope(p, 2), q), convolution(p, slope(q, 2)))


@fact("continuous-both-derivatives", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return slope(convolution(p, q), 1) == convolution(slope(p, 2), slope(q, 2))


def value(p: Poly, x: Fraction) -> Fraction:
    return sum((a * x**i for i, a in enumerate(p)), Fraction(0))


def around(p: Poly, x: Fraction, sign: int) -> Poly:
    """The coefficients of u -> p(x + sign u)."""
    out = [Fraction(0)] * len(p)
    for i, a in enumerate(p):
        for j in range(i + 1):
            out[j] += a * comb(i, j) * x ** (i - j) * sign**j
    return tuple(out)


@fact("continuous-shift", **PAIR, t=range(-2, 3), late=range(-2, 3))
def _(f, g, t, late):
    """At y = (t + late)/2 + u the exponent is -2u^2 - (t - late)^2/2: integrate p(y - late) q(t - y) over u."""
    p, q = pair(f, g)
    middle = Fraction(t + late, 2)
    left, right = around(p, middle - late, 1), around(q, t - middle, -1)
    terms = ((a * b, i + j) for i, a in enumerate(left) for j, b in enumerate(right))
    integral = sum((c * moment(n, HALF**2) for c, n in terms), Fraction(0))
    return integral == value(convolution(p, q), Fraction(t - late))


@fact("continuous-correlation-derivative", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return slope(correlation(p, q), 1) == negative(correlation(slope(p, 2), q))


def area(p: Poly, variance: Fraction) -> Fraction:
    """The integral of p times a Gaussian of this variance, without its constant."""
    return sum((a * moment(i, variance) for i, a in enumerate(p)), Fraction(0))


@fact("continuous-area", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    # The constants agree: sqrt(pi/2) sqrt(2 pi) on the left, sqrt(pi) sqrt(pi) on the right.
    return area(convolution(p, q), Fraction(1)) == area(p, HALF) * area(q, HALF)
