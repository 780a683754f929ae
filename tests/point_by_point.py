"""Evaluate an equation one point at a time, in plain Python: for small sizes and for any equation.

Shares nothing with symconv.reference; reads the dataclasses and Affine.evaluate only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product

import numpy as np

from symconv.equation import Access, Equation, Term

FUNCTIONS = {"": lambda v: v, "relu": lambda v: max(v, 0), "relu'": lambda v: int(v > 0)}


def evaluate(equation: Equation, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    """The result in its logical shape, as Python numbers in an object array."""
    flat = {t.name: np.asarray(arrays[t.name]).reshape(t.extents) for t in equation.reads}
    out = np.zeros(equation.output.extents, object)
    for place in product(*map(range, out.shape)):
        here = dict(zip(equation.indices, place, strict=True))
        out[place] = sum((value(t, point, flat) for t in equation.terms for point in points(t, here)), Fraction(0))
    return out


def value(t: Term, point: Mapping[str, int], flat: Mapping[str, np.ndarray]) -> Fraction:
    total = t.coefficient
    for f in t.factors:
        total *= FUNCTIONS[f.function](int(flat[f.tensor.name][tuple(e.evaluate(point) for e in f.indices)]))
    return total


def points(t: Term, known: dict[str, int]) -> Iterator[dict[str, int]]:
    """All summation points: fix one index after the other, each bounded by what is known."""
    conditions = [(c.expression, c.equality) for c in t.constraints]
    for f in t.factors:
        conditions += _inside(f)
    yield from _extend(conditions, list(t.indices), known)


def _inside(f: Access) -> list:
    return [(e, False) for e in f.indices] + [
        (extent - 1 - e, False) for e, extent in zip(f.indices, f.tensor.extents, strict=True)]


def _extend(conditions: list, names: list[str], known: dict[str, int]) -> Iterator[dict[str, int]]:
    if not names:
        if all((v == 0 if same else v >= 0) for v, same in ((e.evaluate(known), same) for e, same in conditions)):
            yield known
        return
    best = min(((n, _bounds(n, conditions, known)) for n in names), key=lambda b: b[1][1] - b[1][0])
    name, (low, high) = best
    for v in range(low, high + 1):
        yield from _extend(conditions, [n for n in names if n != name], {**known, name: v})


def _bounds(name: str, conditions: list, known: Mapping[str, int]) -> tuple[int, int]:
    """What the conditions with this one unknown say; a wide net where they say nothing."""
    low, high = -10**9, 10**9
    for e, same in conditions:
        a = e.coefficient(name)
        if a and e.names <= {*known, name}:
            rest = e.evaluate({**known, name: 0})
            for sign in (1, -1) if same else (1,):
                if sign * a > 0:
                    low = max(low, -(sign * rest // (sign * a)))
                else:
                    high = min(high, sign * rest // -(sign * a))
    return low, high
