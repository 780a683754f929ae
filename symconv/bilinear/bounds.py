"""What a bilinear program costs in accuracy, and its build in integers, which costs none.

Rounding errors of the program are bounded, element by element, by

    gamma_m * |A|^T ( |G||g||G|^T . |B|^T|d||B| ) |A|,     gamma_m = m u / (1 - m u)

summed over channels and tiles, with m the roundings on the longest way through the code and u half the
distance from 1 to the next number (N. Higham, Accuracy and Stability of Numerical Algorithms, ch. 3). The
sum is the program itself, run on the magnitudes of its matrices and arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.bilinear.matrix import Matrix
from symconv.bilinear.program import Program
from symconv.bilinear.straight_line import StraightLine, roundings_of, straight_line
from symconv.equation import Equation, Tensor
from symconv.reference import forward
from symconv.system import System

Array = NDArray[Any]


@cache
def codes(program: Program) -> tuple[tuple[StraightLine, ...], ...]:
    """The straight-line code of the three transforms, taps, signal and result, for each axis."""
    forms = [a.form for a in program.axes]
    return (tuple(straight_line(f.taps, "g", "u") for f in forms),
            tuple(straight_line(f.signal, "d", "v") for f in forms),
            tuple(straight_line(f.outputs.T, "m", "y") for f in forms))


def added(program: Program) -> int:
    """The most products in one element of M."""
    products = program.steps[2]
    loops = {n: e for f in products.terms[0].factors
             for i, e in zip(f.indices, f.tensor.extents, strict=True) for n in i.names}
    return prod(loops[n] for n in products.terms[0].indices)


def roundings(program: Program) -> int:
    """m: the most roundings on a way from an array element to a result, counted in the straight-line code."""
    transforms = sum(code.roundings for kind in codes(program) for code in kind)
    last = sum(roundings_of(t.coefficient) for t in program.steps[3].terms[:1])
    return transforms + 1 + (added(program) - 1) + last + (len(program.steps[3].terms) - 1)


def gamma(m: int, dtype: str = "float32") -> float:
    """m u / (1 - m u)."""
    u = float(np.finfo(dtype).eps) / 2
    return m * u / (1 - m * u)


def error_bound(program: Program, arrays: Mapping[str, Array], dtype: str = "float32") -> Array:
    """The bound for each element of the result, given the arrays the equation reads."""
    taps, signal, result = codes(program)
    sizes: dict[Tensor, Matrix] = {}
    for a, g, b, y in zip(program.axes, taps, signal, result, strict=True):
        sizes |= dict(zip(a.matrices, (y.absolute.T, g.absolute, b.absolute), strict=True))
    magnitudes = {n: np.abs(np.asarray(v, np.float64)) for n, v in arrays.items()}
    one, two, three, four = map(_positive, program.steps)
    positive = replace(program, steps=(one, two, three, four))
    return gamma(roundings(program), dtype) * run(positive, magnitudes, sizes)


def _positive(e: Equation) -> Equation:
    return Equation(e.left, [replace(t, coefficient=abs(t.coefficient)) for t in e.terms], e.context)


def run(program: Program, arrays: Mapping[str, Array], constants: Mapping[Tensor, Matrix] | None = None) -> Array:
    """Evaluate the four steps one after the other with the oracle: exact for integer arrays and matrices."""
    found = constants or program.constants
    exact = all(np.asarray(v).dtype.kind in "iub" for v in arrays.values())
    kind = np.int64 if exact and all(m.denominator == 1 for m in found.values()) else np.float64
    matrices = {t.name: np.array([[kind(c) for c in row] for row in m.rows]) for t, m in found.items()}
    system = System(program.steps)
    return forward(system, {**arrays, **matrices})[program.equation.output.name]


def in_integers(program: Program) -> tuple[Program, int]:
    """The same program with integer matrices, and the factor by which its result grows.

    Transforms without fractions keep their very code; the others differ in constants only.
    """
    scaled = [a.form.in_integers() for a in program.axes]
    factor = prod(f for _, f in scaled)
    result = program.steps[3]
    first, *rest = result.terms
    grown = Equation(result.left, [first, *(factor * t for t in rest)], result.context)
    return replace(program.replaced([form for form, _ in scaled]), steps=(*program.steps[:3], grown)), factor
