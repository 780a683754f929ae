"""A worked example in small whole numbers: drawn by a seed, computed from the derived equations, checked twice.

The oracle computes everything again from the forward equation alone, and every gradient is compared with the
difference quotient of the loss, which for a map that is affine in one element is exact: tolerance 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.derivation import Derivation
from symconv.equation import Equation, Tensor
from symconv.errors import ValidationError
from symconv.expand import Index, monomials
from symconv.reference import EXACT_FUNCTIONS, forward, gradients
from symconv.system import System

Array = NDArray[Any]
RATE = Fraction(1, 10)
NUMBERS = (-2, -1, 1, 2, 3, 4)  # that are drawn
QUOTIENTS = 60  # difference quotients for one array


@dataclass(frozen=True)
class Example:
    """Numbers for every tensor of a system, in its logical shape.

    Args:
        system: with its sizes in numbers; of an activation without whole values, the equations before it.
        values: by tensor name, gradients as `dx`; the upstream gradient is given, not computed.
        checked: numbers the oracle agrees with.
        quotients: gradients that equal a difference quotient; 0 where the map is not affine.
    """

    system: System
    gradients: Mapping[str, Equation]
    values: Mapping[str, Array]
    checked: int
    quotients: int

    @property
    def upstream(self) -> Tensor:
        return self.system.output.gradient()

    def updated(self, name: str) -> Array:
        """One step of gradient descent with the rate RATE, in fractions."""
        flat = zip(self.values[name].flat, self.values[f"d{name}"].flat, strict=True)
        found = np.array([Fraction(int(v)) - RATE * int(g) for v, g in flat], dtype=object)
        return found.reshape(self.values[name].shape)


def given(system: System, seed: int) -> dict[str, Array]:
    """Numbers for the inputs and the upstream gradient, in logical shapes; the first of an array all differ.

    Three equal weights would hide that a kernel turns around.

    Args:
        system: sizes in numbers.
    """
    rng = np.random.default_rng(seed)
    return {t.name: _drawn(rng, t.extents) for t in (*system.inputs, system.output.gradient())}


def _drawn(rng: np.random.Generator, extents: tuple[int, ...]) -> Array:
    """All numbers in some order, again and again."""
    size = prod(extents)
    rows = rng.permuted(np.tile(NUMBERS, (-(-size // len(NUMBERS)), 1)), axis=1)
    return np.asarray(rows.flat[:size].reshape(extents))


def whole(system: System) -> System:
    """The equations up to the first that has no whole values: for its function, or for a fraction in it."""
    kept = 0
    for e in system.equations:
        if any(f.function not in EXACT_FUNCTIONS for t in e.terms for f in t.factors):
            break
        if any(t.coefficient.denominator != 1 for t in e.terms):
            break
        kept += 1
    equations = system.equations[:kept]
    read = {t.name for e in equations for t in e.reads}
    return replace(system, equations=equations, inputs=tuple(t for t in system.inputs if t.name in read))


def example(derivation: Derivation, system: System, seed: int, quotients: bool = True) -> Example | None:
    """Numbers for a layer; None where its first equation has no whole values.

    Args:
        system: the derivation's equations at the sizes of the example.
        quotients: compare with difference quotients too.

    Raises:
        ValidationError: the derived equations, the oracle and the difference quotients do not agree.
    """
    sizes = dict(system.sizes)
    here = whole(system.concrete())
    if not here.equations:
        return None
    values = dict(given(here, seed))
    for e in here.equations:
        values[e.output.name] = evaluated(e, values)
    order = sorted(derivation.grad, key=lambda n: n in {t.name for t in here.inputs})
    made = {n: derivation.grad[n].at(sizes) for n in order}
    made = {n: e for n, e in made.items() if n != here.output.name
            and any(t.name == n for q in here.equations for t in q.reads)}
    for name, e in made.items():
        values[f"d{name}"] = evaluated(e, values)
    checked = _against_oracle(here, values, made)
    return Example(here, made, values, checked, _against_quotients(here, values, made) if quotients else 0)


def evaluated(equation: Equation, values: Mapping[str, Array]) -> Array:
    """Every element of an equation's output, product by product."""
    out = np.zeros(equation.output.extents, np.int64)
    for index, m in monomials(equation):
        product = m.coefficient
        for f, at in m.factors:
            product *= int(pointwise(f.function, int(values[f.tensor.name][at])))
        out[index] += int(product)
    return out


def pointwise(function: str, value: int) -> int:
    """The functions that have whole values."""
    return {"": value, "relu": max(value, 0), "relu'": int(value > 0)}[function]


def _against_oracle(system: System, values: Mapping[str, Array], made: Mapping[str, Equation]) -> int:
    inputs = {t.name: values[t.name] for t in system.inputs}
    above = values[system.output.gradient().name]
    found = {**forward(system, inputs),
             **{f"d{n}": v for n, v in gradients(system, inputs, above).items() if n in made}}
    for name, array in found.items():
        if not np.array_equal(array.reshape(-1), values[name].reshape(-1)):
            raise ValidationError(f"the worked example gives other numbers for {name} than the oracle")
    return sum(v.size for v in found.values())


def _against_quotients(system: System, values: Mapping[str, Array], made: Mapping[str, Equation]) -> int:
    """(L(v + 1) - L(v))/1 for each element v of an input, where every equation is affine in it."""
    if not _affine(system):
        return 0
    inputs: dict[str, Array] = {t.name: values[t.name] for t in system.inputs}
    above = values[system.output.gradient().name].reshape(-1)

    def loss(arrays: Mapping[str, Array]) -> int:
        return int(above @ forward(system, arrays)[system.output.name].reshape(-1))

    before, count = loss(inputs), 0
    for name in (n for n in made if n in inputs):
        for at in list(np.ndindex(*inputs[name].shape))[:QUOTIENTS]:
            moved = np.array(inputs[name])
            moved[at] += 1
            if loss({**inputs, name: moved}) - before != values[f"d{name}"][at]:
                raise ValidationError(f"dL/d{name}{list(at)} is not the difference quotient of the loss")
            count += 1
    return count


def _affine(system: System) -> bool:
    """Is the loss affine in each element: no function, no product of a tensor with itself, none that is read twice?"""
    factors = [[f.tensor.name for f in t.factors] for e in system.equations for t in e.terms]
    readers = [{t.name for t in e.reads} for e in system.equations]
    return (not any(f.function for e in system.equations for t in e.terms for f in t.factors)
            and all(len(set(names)) == len(names) for names in factors)
            and sum(map(len, readers)) == len(set().union(*readers)))


def products(equation: Equation, values: Mapping[str, Array], at: Index) -> list[tuple[int, ...]]:
    """The numbers multiplied for one element, in the order the formula writes them."""
    found = []
    for _, m in monomials(equation, at):
        factors = sorted(m.factors, key=lambda f: not f[0].tensor.gradient_of)
        numbers = tuple(pointwise(f.function, int(values[f.tensor.name][i])) for f, i in factors)
        found.append((tuple(i for f, i in m.factors), numbers, m.coefficient))
    found.sort(key=lambda item: item[0])
    return [(int(c), *numbers) if c != 1 else numbers for _, numbers, c in found]
