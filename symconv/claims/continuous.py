"""Functions on R: derivatives under the integral sign, and integration by parts.

Over all of R^d the substitutions z -> x - z and z -> z - x change no integral, just as they change
no sum over Z^d, so integrals are compared as such sums are. Derivatives are arrays of their own,
f' beside f, and integration by parts moves them to one factor before anything is compared.
Hypotheses: the functions are integrable and so are their derivatives, which vanish at infinity.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symconv.affine import Affine
from symconv.claims.raw import Factor, Raw, Sum, Value, fresh, scale
from symconv.errors import NotationError


def derivative_by(terms: Sum, letter: str) -> Sum:
    """d/dx under the integral sign: f(a x + b) contributes a f'(a x + b)."""
    found: list[Raw] = []
    for t in terms:
        for place, f in enumerate(t.factors):
            inner = [e.coefficient(letter) for e in f.indices if letter in e.names]
            if not inner:
                continue
            if len(f.indices) != 1:
                raise NotationError("a derivative of a function of several variables is not understood", -1)
            rest = (*t.factors[:place], replace(f, name=f.name + "'"), *t.factors[place + 1:])
            found += scale((replace(t, factors=rest),), inner[0])
    return tuple(found)


def derivative(value: Value) -> Value:
    """The derivative of a function of one variable."""
    if value.rank != 1:
        raise NotationError("a prime on an expression with several axes is not understood", -1)

    def at(index: tuple[Affine, ...]) -> Sum:
        letter = fresh("x")
        terms = derivative_by(value.at((Affine.of(letter),)), letter)
        return tuple(t.substitute({letter: index[0]}) for t in terms)

    return Value(1, at)


def by_parts(terms: Sum, functions: Collection[str]) -> Sum:
    """Every derivative of one of the functions moved to the first factor, in the order of names, that shares
    the variable."""
    return tuple(_moved(t) if all(f.name.rstrip("'") in functions for f in t.factors) else t for t in terms)


def _moved(t: Raw) -> Raw:
    factors = sorted(t.factors, key=lambda f: (f.name.rstrip("'"), f.name))
    for variable in t.indices:
        there = [i for i, f in enumerate(factors) if any(variable in e.names for e in f.indices)]
        if len(there) != 2:
            continue
        first, second = there
        a, b = (factors[i].indices[0].coefficient(variable) for i in there)
        primes = len(factors[second].name) - len(factors[second].name.rstrip("'"))
        if not primes or abs(b) != 1 or any(len(factors[i].indices) != 1 for i in there):
            continue
        factors[first] = _primed(factors[first], primes)
        factors[second] = replace(factors[second], name=factors[second].name.rstrip("'"))
        t = replace(t, coefficient=t.coefficient * (-a * b) ** primes)
    return replace(t, factors=tuple(factors))


def _primed(f: Factor, count: int) -> Factor:
    return replace(f, name=f.name + "'" * count)
