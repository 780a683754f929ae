"""What one function of a layer must give on whole numbers: the oracle, asked for that function alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.derivation import Function
from symconv.equation import Equation, Tensor
from symconv.reference import forward, gradients
from symconv.summands import sources
from symconv.system import System

Array = NDArray[Any]


def expected(system: System, f: Function, values: Mapping[str, Array]) -> Array:
    """What the function gives for the arrays it takes. Raises as the oracle does."""
    first, *rest = (oracle(s, kernel, values) for s, kernel in sources(system, f))
    return sum(rest, first)


def oracle(system: System, kernel: str, values: Mapping[str, Array]) -> Array:
    """One kernel of one equation by the oracle: `forward`, `grad_x`..."""
    if kernel == "forward":
        return forward(system, values)[system.output.name]
    return gradients(system, all_inputs(system, values), upstream(system, values))[kernel.removeprefix("grad_")]


def upstream(system: System, values: Mapping[str, Array]) -> Array:
    """Zeros where a gradient is zero whatever comes from above, so that its kernel takes nothing."""
    return values.get(system.output.gradient().name, np.zeros(system.output.array_shape, np.int64))


def all_inputs(system: System, values: Mapping[str, Array]) -> dict[str, Array]:
    """What a gradient kernel does not take cannot matter to it; the oracle gets zeros there."""
    return {t.name: values.get(t.name, np.zeros(t.array_shape, np.int64)) for t in system.inputs}


def is_opaque(f: Function) -> bool:
    """Does it go through a function that has no exact value?"""
    return any(a.function.rstrip("'") not in ("", "relu") for t in f.equation.terms for a in t.factors)


def is_fractional(f: Function) -> bool:
    """Does it multiply by a fraction, which no binary type holds exactly?"""
    return any(t.coefficient.denominator != 1 for t in f.equation.terms)


def linear_groups(e: Equation) -> list[tuple[Tensor, ...]]:
    """Sets of tensors of which every term has exactly one: the equation is linear in each set."""
    if any(a.function or t.coefficient.denominator != 1 for t in e.terms for a in t.factors):
        return []
    groups = []
    for tensor in e.reads:
        others = [t.factors[0].tensor for t in e.terms if len(t.factors) == 1 and t.factors[0].tensor != tensor]
        group = tuple(dict.fromkeys([tensor, *others]))
        if all(sum(a.tensor in group for a in t.factors) == 1 for t in e.terms):
            groups.append(group)
    return list(dict.fromkeys(tuple(sorted(g, key=lambda t: t.name)) for g in groups))
