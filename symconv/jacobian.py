"""The derivative of one tensor by another, as an equation of its own: do_i/dx_m."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from symconv.affine import Affine
from symconv.equation import Equation, Sizes, Tensor


@dataclass(frozen=True, slots=True)
class Jacobian(Tensor):
    """A tensor indexed by an element of `of` and an element of `by`."""

    of: Tensor = field(kw_only=True)
    by: Tensor = field(kw_only=True)

    def __init__(self, of: Tensor, by: Tensor) -> None:
        Tensor.__init__(self, f"d{of.name}_d{by.name}", of.shape + by.shape)
        object.__setattr__(self, "of", of)
        object.__setattr__(self, "by", by)

    def at(self, sizes: Sizes) -> Jacobian:
        return Jacobian(self.of.at(sizes), self.by.at(sizes))


def jacobian(equation: Equation, by: Tensor, names: Iterable[str]) -> Equation:
    """The derivative of an equation's output by the element of `by` at fresh index names."""
    from symconv.sympy_bridge import from_access, from_sympy, to_sympy

    here = by[tuple(map(Affine.of, names))]
    found = from_sympy(to_sympy(equation).diff(from_access(here)), {t.name: t for t in equation.reads})
    left = Jacobian(equation.output, by)[equation.left.indices + here.indices]
    return Equation(left, [t for t in found if t.factors or t.constraints or t.coefficient], equation.context)


def chain_rule(equation: Equation, by: Tensor, upstream: Tensor, names: Iterable[str]) -> Equation:
    """dL/d(by) = sum over the output of upstream * Jacobian, the Jacobian left as it is."""
    here = tuple(map(Affine.of, names))
    out = equation.left.indices
    return Equation(by.gradient()[here], upstream[out] * Jacobian(equation.output, by)[out + here], equation.context)
