"""Equations to SymPy and back. SymPy differentiates; nothing here calls `.doit()` on a delta.

`.doit()` resolves delta[2i, m] to i = m/2 and forgets that m must be even. Kept unevaluated,
every delta comes back as an equality constraint, with bounds and divisibility intact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import count

import sympy as sp

from symconv.affine import ZERO, Affine, Constraint, at_least, equal
from symconv.equation import Access, Equation, Tensor, Term

Names = dict[sp.Symbol, sp.Expr]  # what the summation indices of a SymPy sum are called here


class Holds(sp.Function):  # type: ignore[misc]
    """[expression >= 0]: one or zero. Opaque to SymPy, and no function of any tensor."""

    nargs = 1


@cache
def pointwise(name: str) -> type[sp.Function]:
    """An opaque function of one element whose derivative is the opaque function called name'."""
    return type(name, (sp.Function,), {
        "nargs": 1, "fdiff": lambda self, argindex=1: pointwise(name + "'")(self.args[0])})


def symbol(name: str) -> sp.Symbol:
    return sp.Symbol(name, integer=True)


def from_affine(e: Affine) -> sp.Expr:
    return sp.Add(*(c * sp.Mul(*map(symbol, m)) for m, c in e))


def to_affine(e: sp.Expr) -> Affine:
    """Raises ValueError when the expression is no integer polynomial."""
    total = ZERO
    for monomial, c in sp.expand(e).as_coefficients_dict().items():
        if not c.is_Integer:
            raise ValueError(f"not an integer index: {e}")
        product = Affine.of(int(c))
        for f in sp.Mul.make_args(monomial):
            base, power = f.as_base_exp()
            if f == 1:
                continue
            if not (base.is_Symbol and power.is_Integer and power > 0):
                raise ValueError(f"not an affine index: {e}")
            for _ in range(int(power)):
                product = product * base.name
        total = total + product
    return total


def from_access(a: Access) -> sp.Expr:
    """The element as an Indexed (a Symbol for a single number), under its pointwise function."""
    base = sp.IndexedBase(a.tensor.name)
    element = base[tuple(map(from_affine, a.indices))] if a.indices else sp.Symbol(a.tensor.name)
    return pointwise(a.function)(element) if a.function else element


def to_sympy(equation: Equation, weight: Access | None = None) -> sp.Expr:
    """The right-hand side, or, with a weight, sum over the whole output of weight * right-hand side."""
    outer = [(symbol(v), 0, from_affine(n) - 1) for v, n in zip(equation.indices, equation.output.shape, strict=True)]
    total = []
    for t in equation.terms:
        c = sp.Rational(t.coefficient.numerator, t.coefficient.denominator)
        factors = [from_access(f) for f in ((weight,) if weight else ()) + t.factors]
        marks = [sp.KroneckerDelta(*_sides(q)) if q.equality else Holds(from_affine(q.expression))
                 for q in t.constraints]
        body = sp.Mul(c, *factors, *marks)
        limits = [(symbol(v), *_range(v, t)) for v in t.indices] + (outer if weight else [])
        total.append(sp.Sum(body, *limits) if limits else body)
    return sp.Add(*total)


def _sides(q: Constraint) -> tuple[sp.Expr, sp.Expr]:
    """The two sides of an equality, both with positive coefficients."""
    right = Affine.build({m: -c for m, c in q.expression if c < 0})
    return from_affine(q.expression + right), from_affine(right)


def _range(v: str, t: Term) -> tuple[sp.Expr, sp.Expr]:
    """The natural range of a summation index: the axis it runs along alone, else unbounded."""
    extent = next((n for f in t.factors for e, n in zip(f.indices, f.tensor.shape, strict=True)
                   if e == Affine.of(v)), None)
    return (sp.Integer(0), from_affine(extent) - 1) if extent is not None else (-sp.oo, sp.oo)


def from_sympy(e: sp.Expr, tensors: Mapping[str, Tensor]) -> tuple[Term, ...]:
    """Read sums of products of tensor elements, deltas and conditions.

    Raises:
        ValueError: the expression holds something else.
    """
    return tuple(_read(e, {}, tensors, count()))


def _read(e: sp.Expr, names: Names, tensors: Mapping[str, Tensor], fresh: Iterator[int]) -> list[Term]:
    if isinstance(e, sp.Add):
        return [p for a in e.args for p in _read(a, names, tensors, fresh)]
    if isinstance(e, sp.Mul):
        product = [Term(())]
        for a in e.args:
            product = [p * q for p in product for q in _read(a, names, tensors, fresh)]
        return product
    if isinstance(e, sp.Pow) and e.exp.is_Integer and e.exp > 0:
        return _read(sp.Mul(*[e.base] * int(e.exp), evaluate=False), names, tensors, fresh)
    if isinstance(e, sp.Sum):
        return _read_sum(e, names, tensors, fresh)
    return [_leaf(e, names, tensors)]


def _read_sum(e: sp.Sum, names: Names, tensors: Mapping[str, Tensor], fresh: Iterator[int]) -> list[Term]:
    # Two sums of a product may share an index name: number every later occurrence apart.
    inner, limits, used = dict(names), [], {s.name for s in names.values()}
    for v, lo, hi in reversed(e.limits):  # SymPy lists the innermost sum first
        name = v.name
        while name in used:
            name = f"{v.name}_{next(fresh)}"
        used.add(name)
        lo, hi = lo.xreplace(inner), hi.xreplace(inner)
        inner[v] = symbol(name)
        bounds = [at_least(name, to_affine(lo)), at_least(to_affine(hi), name)] if lo.is_finite is not False else []
        limits.append((name, bounds))
    found = _read(e.function, inner, tensors, fresh)
    indices = tuple(n for n, _ in reversed(limits))
    given = tuple(c for _, b in limits for c in b)
    return [replace(t, indices=indices + t.indices, constraints=given + t.constraints) for t in found]


def _leaf(e: sp.Expr, names: Names, tensors: Mapping[str, Tensor]) -> Term:
    if isinstance(e, sp.KroneckerDelta):
        return Term((), constraints=(equal(*(to_affine(a.xreplace(names)) for a in e.args)),))
    if isinstance(e, Holds):
        return Term((), constraints=(Constraint(to_affine(e.args[0].xreplace(names))),))
    if e.is_Rational:
        return Term((), coefficient=Fraction(int(e.p), int(e.q)))
    function = ""
    if isinstance(e, sp.Function):
        function, e = e.func.__name__, e.args[0]
    if isinstance(e, sp.Indexed):
        index = tuple(to_affine(i.xreplace(names)) for i in e.indices)
        return Term((Access(tensors[e.base.name], index, function),))
    if isinstance(e, sp.Symbol) and e.name in tensors:
        return Term((Access(tensors[e.name], (), function),))
    raise ValueError(f"not part of an affine tensor sum: {e}")
