"""Operations on equations: differentiate, eliminate deltas, transpose, inline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symconv.affine import Affine, AffineLike, Constraint, equal, unique
from symconv.equation import Access, Context, Equation, Tensor, Term
from symconv.errors import NotSupported

SPARE = "mnuvtabcdefghijklpqrs"


def differentiate(equation: Equation, wrt: Tensor, upstream: Tensor) -> Equation:
    """dL/d(wrt) with deltas still in place, from SymPy's derivative of L = sum of upstream * equation.

    Every delta stands as an equality constraint between a fresh index and an affine expression.

    Raises:
        NotSupported: the equation does not read `wrt`.
    """
    from symconv.sympy_bridge import from_access, from_sympy, to_sympy

    if wrt not in equation.reads:
        raise NotSupported(f"{equation} does not read {wrt.name}")
    here = _fresh_access(wrt, equation)
    loss = to_sympy(equation, upstream[equation.left.indices])
    tensors = {t.name: t for t in (*equation.reads, upstream)}
    found = from_sympy(loss.diff(from_access(here)), tensors)
    target = wrt.gradient()
    left = target[here.indices]
    terms = [_drop_implied(t, left) for t in found if t.factors or t.coefficient]
    return Equation(left, [_in_order(t, upstream, equation) for t in terms], equation.context)


def _fresh_access(tensor: Tensor, equation: Equation) -> Access:
    """tensor[m', n', ...]: names that nothing in the equation binds, so that none is captured."""
    names = tensor.axes or _spare_names(len(tensor.shape), equation)
    mark = "'"
    while {n + mark for n in names} & {*equation.indices, *(n for t in equation.terms for n in t.indices)}:
        mark += "'"
    return tensor[tuple(Affine.of(n + mark) for n in names)]


def _spare_names(count: int, equation: Equation) -> tuple[str, ...]:
    used = {*equation.indices, *(n for t in equation.terms for n in t.indices), *equation.context.sizes}
    return tuple([n for n in SPARE if n not in used][:count])


def _in_order(t: Term, upstream: Tensor, equation: Equation) -> Term:
    """As authors write it: upstream gradient first, sums over the output before sums over the taps."""
    order = {n: i for i, n in enumerate(equation.indices)}
    return replace(t, factors=tuple(sorted(t.factors, key=lambda f: f.tensor != upstream)),
                   indices=tuple(sorted(t.indices, key=lambda n: order.get(n, len(order)))))


def _drop_implied(t: Term, left: Access) -> Term:
    """Without the constraints that the shapes of the factors and of the result imply."""
    implied = {c for f in (*t.factors, left) for c in f.in_range()}
    return replace(t, constraints=tuple(c for c in t.constraints if c not in implied))


def eliminate(equation: Equation) -> Equation:
    """Use every equality that fixes a summation index (coefficient 1 or -1) to replace it.

    Equalities no index can be read off from (stride and dilation both above 1) stay: their
    divisibility condition is part of the meaning.
    """
    return Equation(equation.left, [_drop_implied(_solve(t), equation.left) for t in equation.terms],
                    equation.context)


def _solve(t: Term) -> Term:
    while (hit := _solvable(t)) is not None:
        constraint, name, value = hit
        rest = tuple(c for c in t.constraints if c != constraint)
        t = replace(t, constraints=rest, indices=tuple(v for v in t.indices if v != name)).substitute({name: value})
    return t


def _solvable(t: Term) -> tuple[Constraint, str, Affine] | None:
    """The first index that can be read off: sums over the output go before sums over the taps."""
    for name in t.indices:
        for c in t.constraints:
            a = c.expression.coefficient(name)
            if c.equality and abs(a) == 1 and c.expression.is_linear_in(name):
                return c, name, Affine.of(name) - a * c.expression
    return None


def settle_names(equation: Equation) -> Equation:
    """Rename fresh indices (m') to plain ones where nothing else bears the name."""
    bound = {n for t in equation.terms for n in t.indices}
    plain = {n: n.rstrip("'") for n in equation.indices}
    taken = {n for n in plain.values() if n in bound}
    spare = [n for n in _spare_names(len(SPARE), equation) if n not in plain.values()]
    return equation.rename({**dict(zip(sorted(taken), spare, strict=False)), **plain})


def gradient(equation: Equation, wrt: Tensor, upstream: Tensor) -> Equation:
    """dL/d(wrt), deltas eliminated, in plain index names."""
    return settle_names(eliminate(differentiate(equation, wrt, upstream)))


def transpose(equation: Equation, wrt: Tensor, upstream: Tensor, names: Iterable[str]) -> Equation:
    """The transpose of a linear equation applied to upstream, written down without any calculus.

    result[names] = sum over all output and summation points with wrt's index equal to `names`.
    Pointwise factors contribute their opaque derivative. The prover compares derived gradients
    with this.
    """
    left = wrt.gradient()[tuple(Affine.of(n) for n in names)]
    clash = set(names)
    equation = equation.rename({n: n + "^" for t in equation.terms for n in (*equation.indices, *t.indices)
                                if n in clash})
    terms = []
    for t in equation.terms:
        for at, f in enumerate(t.factors):
            if f.tensor != wrt:
                continue
            kept = t.factors[:at] + t.factors[at + 1:]
            if f.function:
                kept += (f.apply(f.function + "'"),)
            here = tuple(equal(a, b) for a, b in zip(f.indices, left.indices, strict=True))
            terms.append(replace(t, factors=(upstream[equation.left.indices], *kept),
                                 indices=t.indices + equation.indices, constraints=t.constraints + here))
    return Equation(left, terms, equation.context)


def inline(equation: Equation, definition: Equation) -> Equation:
    """Replace every plain read of definition.output by its right-hand side.

    Raises:
        NotSupported: the definition is read through a pointwise function.
    """
    terms, work, round_ = [], list(equation.terms), 0
    while work:
        t = work.pop(0)
        at = next((i for i, f in enumerate(t.factors) if f.tensor == definition.output), None)
        if at is None:
            terms.append(t)
            continue
        access, rest = t.factors[at], t.factors[:at] + t.factors[at + 1:]
        if access.function:
            raise NotSupported(f"{access} is a pointwise function of a sum and stays an equation of its own")
        round_ += 1
        for d in definition.terms:
            names = {n: f"{n}.{round_}" for n in d.indices}
            put: dict[str, AffineLike] = {**names, **dict(zip(definition.indices, access.indices, strict=True))}
            inner = d.substitute(put)
            work.append(Term(rest + inner.factors, t.indices + tuple(names.values()),
                             unique(t.constraints + inner.constraints + access.in_range()),
                             t.coefficient * d.coefficient))
    return Equation(equation.left, terms, Context(
        tuple(dict.fromkeys(equation.context.sizes + definition.context.sizes)),
        unique(equation.context.constraints + definition.context.constraints)))
