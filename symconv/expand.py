"""Formulas written out for given sizes: one expression for each element, in SymPy's symbols.

Gradients are obtained here a second time, from the loss written out, with scalar derivatives and
without the indexed formulas: L = delta_1 o_1 + delta_2 o_2 + ..., then dL/dx_3. The two must agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product
from typing import TYPE_CHECKING, Any

from symconv.affine import Affine, equal
from symconv.equation import Access, Equation, Tensor
from symconv.errors import LimitExceeded, NotSupported, ShapeError, ValidationError
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.build import build, tensor_node
from symconv.notation.nodes import Add, Apply, Chain, Node, Number, Product, Signed
from symconv.points import points
from symconv.system import System

if TYPE_CHECKING:
    from symconv.derivation import Derivation

LIMIT = 200_000  # products written out
Index = tuple[int, ...]
Expansion = dict[Index, Any]
Collected = dict[tuple[tuple[Access, Index], ...], list[Any]]


@dataclass(frozen=True)
class Monomial:
    """One product of the expanded form, indices counted from 0."""

    coefficient: Fraction
    factors: tuple[tuple[Access, Index], ...]


def monomials(equation: Equation, at: Index | None = None) -> Iterator[tuple[Index, Monomial]]:
    """Every product of an equation with sizes in numbers, with the output element it adds to."""
    count = len(equation.indices)
    for t in equation.terms:
        names = (*equation.indices, *t.indices)
        known = [*t.domain(), *equation.domain()]
        if at is not None:
            known += [equal(n, v) for n, v in zip(equation.indices, at, strict=True)]
        entries = [(f, [_compiled(e, names) for e in f.indices]) for f in t.factors]
        for p in points(names, known):
            yield p[:count], Monomial(t.coefficient, tuple(
                (f, tuple(c + sum(a * p[n] for n, a in row) for c, row in rows)) for f, rows in entries))


def _compiled(e: Affine, names: tuple[str, ...]) -> tuple[int, list[tuple[int, int]]]:
    return e.constant, [(n, a) for n, name in enumerate(names) if (a := e.coefficient(name))]


def check_limit(equation: Equation, at: Index | None = None, limit: int = LIMIT) -> None:
    """Count the products first, and stop counting at the limit.

    Raises:
        LimitExceeded: there are more than `limit`.
        ShapeError: a size has no number.
    """
    for tensor in (equation.output, *equation.reads):
        assert tensor.extents is not None
    if sum(1 for _ in islice(monomials(equation, at), limit + 1)) > limit:
        raise LimitExceeded(f"{equation.output.name} written out has more than {limit} products; choose smaller sizes")


def expand(equation: Equation, base: int = 1, limit: int = LIMIT) -> Expansion:
    """One SymPy expression for each output element, keyed by its index counted from `base`.

    Raises:
        LimitExceeded: more than `limit` products.
    """
    import sympy as sp

    check_limit(equation, limit=limit)
    symbols = Symbols(base)
    found: dict[Index, list[Any]] = {i: [] for i in product(*map(range, equation.output.extents))}
    for index, m in monomials(equation):
        found[index].append(symbols.product(m))
    return {_based(i, base): sp.Add(*terms) for i, terms in found.items()}


class Symbols:
    """One SymPy symbol for each element, named as formulas print it: `x_3`, `x_{1,2}`, `delta_2`."""

    def __init__(self, base: int) -> None:
        self.base = base
        self.known: dict[tuple[str, Index], Any] = {}
        self.owners: dict[str, str] = {}

    def element(self, tensor: Tensor, index: Index) -> Any:
        import sympy as sp

        key = tensor.name, index
        if key not in self.known:
            name = TEXT(tensor_node(tensor, tuple(map(Number, _based(index, self.base)))))
            if self.owners.setdefault(name, tensor.name) != tensor.name:  # two tensors with one symbol
                name = f"{tensor.name}:{name}"
            self.known[key] = sp.Symbol(name)
        return self.known[key]

    def factor(self, f: Access, index: Index) -> Any:
        from symconv.sympy_bridge import pointwise

        element = self.element(f.tensor, index)
        return pointwise(f.function)(element) if f.function else element

    def product(self, m: Monomial, *more: Any) -> Any:
        import sympy as sp

        factors = [self.factor(f, i) for f, i in m.factors]
        return sp.Mul(sp.Rational(m.coefficient.numerator, m.coefficient.denominator), *more, *factors)


def expanded_gradient(source: System | Equation, wrt: str, base: int = 1, limit: int = LIMIT) -> Expansion:
    """dL/d(wrt) for every element, by scalar derivatives of the loss written out.

    The loss is a sum of products. For each variable only the products that hold it count; they are
    collected as (what holds the variable) * (sum of the rest) and differentiated by SymPy.
    Sizes have to be in numbers (`System.concrete`).

    Raises:
        NotSupported: nothing reads `wrt`.
        LimitExceeded: the loss has more than `limit` products.
    """
    equations = source.equations if isinstance(source, System) else (source,)
    readers = [e for e in equations if any(t.name == wrt for t in e.reads)]
    if not readers:
        raise NotSupported(f"nothing reads {wrt!r}")
    tensor = next(t for e in readers for t in e.reads if t.name == wrt)
    symbols, loss = Symbols(base), dict[Index, Collected]()
    for e in readers:
        check_limit(e, limit=limit)
        upstream = e.output.gradient()
        for index, m in monomials(e):
            for i in {i for f, i in m.factors if f.tensor.name == wrt}:
                held, rest = _split(m, wrt, i)
                coefficient = symbols.product(rest, symbols.element(upstream, index))
                loss.setdefault(i, {}).setdefault(held, []).append(coefficient)
    return {_based(i, base): _derivative(loss.get(i, {}), symbols.element(tensor, i), symbols)
            for i in product(*map(range, tensor.extents))}


def _split(m: Monomial, wrt: str, index: Index) -> tuple[tuple[tuple[Access, Index], ...], Monomial]:
    """The factors that hold one element, and the product of the others."""
    held = tuple((f, i) for f, i in m.factors if f.tensor.name == wrt and i == index)
    return held, Monomial(m.coefficient, tuple(f for f in m.factors if f not in held))


def _derivative(collected: Collected, variable: Any, symbols: Symbols) -> Any:
    import sympy as sp

    one = Fraction(1)
    part = sp.Add(*(symbols.product(Monomial(one, held), sp.Add(*rest)) for held, rest in collected.items()))
    found = part.diff(variable)
    return found if found.is_Add and len(collected) == 1 and found.args[0].is_Mul else found.expand()


def agree(derivation: Derivation, base: int = 1) -> int:
    """Compare every derived gradient, written out, with the scalar derivatives of the loss.

    Returns:
        the number of derivatives compared.
    Raises:
        ValidationError: two disagree; the message names the first element.
    """
    sizes, system, count = dict(derivation.system.sizes), derivation.system.concrete(), 0
    for wrt, equation in derivation.grad.items():
        indexed, scalar = expand(equation.at(sizes), base), expanded_gradient(system, wrt, base)
        for index, value in indexed.items():
            if value != scalar[index] and (value - scalar[index]).expand() != 0:
                raise ValidationError(f"dL/d{wrt}{list(index)}: the derived formula gives {value}, "
                                      f"the scalar derivative of the loss {scalar[index]}")
        count += len(indexed)
    return count


def _based(index: Index, base: int) -> Index:
    return tuple(i + base for i in index)


@dataclass(frozen=True)
class Element:
    """The gradient with respect to one element: the indexed formula there, and written out."""

    formula: Node
    expanded: Node
    terms: int

    def text(self) -> str:
        return f"{TEXT(self.formula)}\n{TEXT(self.expanded)}"

    def latex(self) -> tuple[str, str]:
        return LATEX(self.formula), LATEX(self.expanded)

    __str__ = text


def element(derivation: Derivation, which: str, base: int = 1, limit: int = LIMIT) -> Element:
    """The gradient with respect to one element, given as `x[3]` or `x[1,2,3]`, counted from `base`.

    Raises:
        NotSupported: not of that form, or no such tensor.
        ShapeError: a wrong number of indices, or one out of range.
        LimitExceeded: more than `limit` products.
    """
    match = re.fullmatch(r"\s*([^\W\d]\w*'*)\s*(?:\[\s*(-?\d+(?:\s*,\s*-?\d+)*)?\s*\])?\s*", which)
    if match is None:
        raise NotSupported(f"expected an element such as x[3] or x[1,2], got {which!r}")
    name = derivation.known(match[1])
    equation = derivation.grad[name].at(dict(derivation.system.sizes))
    index = tuple(int(v) for v in (match[2] or "").split(",") if v.strip())
    _check_index(equation.output, match[1], index, base)
    here = tuple(i - base for i in index)
    check_limit(equation, here, limit)
    found = [m for _, m in monomials(equation, here)]
    left = tensor_node(equation.output, tuple(map(Number, index)))
    formula = build(equation, base, at=dict(zip(equation.indices, index, strict=True)))
    return Element(formula, Chain((left, written_out(found, base)), ("=",)), len(found))


def _check_index(tensor: Tensor, name: str, index: Index, base: int) -> None:
    extents = tensor.extents
    if len(index) != len(extents):
        needs = f"needs {len(extents)} ind{'ex' if len(extents) == 1 else 'ices'}" if extents else "takes no index"
        shape = f" (its shape is {' x '.join(map(str, extents))})" * bool(extents)
        raise ShapeError(f"{name} {needs}{shape}, {len(index)} given")
    for at, (i, n) in enumerate(zip(index, extents, strict=True), start=1):
        if not base <= i < base + n:
            which = "index" if len(extents) == 1 else f"index {at}"
            raise ShapeError(f"{which} of {name} is {i}, outside {base}..{base + n - 1}")


def written_out(found: list[Monomial], base: int = 1) -> Node:
    """Products in the order authors give them: upstream gradient first, sorted by its index."""
    ordered = [Monomial(m.coefficient, tuple(sorted(m.factors, key=lambda f: not f[0].tensor.gradient_of)))
               for m in found]
    ordered.sort(key=lambda m: tuple(i for _, i in m.factors))
    terms = tuple(Signed(m.coefficient < 0, _monomial_node(m, base)) for m in ordered)
    if not terms:
        return Number(0)
    return terms[0].node if len(terms) == 1 and not terms[0].negative else Add(terms)


def _monomial_node(m: Monomial, base: int) -> Node:
    parts: list[Node] = []
    for f, index in m.factors:
        node = tensor_node(f.tensor, tuple(map(Number, _based(index, base))))
        parts.append(Apply(f.function, node) if f.function else node)
    size = abs(m.coefficient)
    if size != 1 or not parts:
        parts.insert(0, Number(size.numerator if size.denominator == 1 else size))
    return parts[0] if len(parts) == 1 else Product(tuple(parts))
