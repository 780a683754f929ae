"""Checks before use: the matrices against the equation of a tile, the program against its equation.

Nothing here remembers what F(4, 3) looks like. A tile is cut out of the equation, written out, and every
output compared with what the matrices give as SymPy expressions; the steps are put into each other, each
sum A G B replaced by the condition it stands for, and the result handed to the prover.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import product
from typing import TYPE_CHECKING, Any

from symconv.affine import Affine, equal
from symconv.bilinear.program import Axis, Program
from symconv.bilinear.relation import bilinear_term
from symconv.bilinear.toom_cook import ROLES, Trilinear
from symconv.calculus import eliminate, inline
from symconv.decide.prover import prove_equal
from symconv.equation import Context, Equation, Tensor, Term
from symconv.errors import ValidationError
from symconv.expand import Symbols, expand

if TYPE_CHECKING:
    from symconv.decide.verdict import Verdict


def verify(form: Trilinear, equation: Equation, roles: Mapping[str, str]) -> None:
    """Compare what the matrices compute with an equation, written out in symbols.

    Args:
        equation: with sizes in numbers, of one output and two factors.
        roles: which of `outputs`, `taps` and `signal` each tensor is, by its name.

    Raises:
        ValidationError: they differ; the message names the first output element.
    """
    import sympy as sp

    symbols = Symbols(0)
    reads = {roles[t.name]: _elements(symbols, t) for t in equation.reads}
    role = roles[equation.output.name]
    found = form.solve(role, *(reads[r] for r in ROLES if r != role))
    for (index, expected), value in zip(expand(equation, 0).items(), found, strict=True):
        if sp.expand(expected - value) != 0:
            raise ValidationError(f"{form.name} gives {equation.output.name}{list(index)} = {sp.expand(value)} "
                                  f"instead of {expected}")


def _elements(symbols: Symbols, tensor: Tensor) -> list[Any]:
    return [symbols.element(tensor, index) for index in product(*map(range, tensor.extents))]


def check_identity(form: Trilinear) -> None:
    """sum_a A[a, u] G[a, v] B[a, k] is 1 where k = u + v and 0 elsewhere.

    Raises:
        ValidationError: it is not; the message names the first place.
    """
    columns = [getattr(form, role).T.rows for role in ROLES]
    for (u, a), (v, g), (k, b) in product(*map(enumerate, columns)):
        total = sum(p * q * r for p, q, r in zip(a, g, b, strict=True))
        if total != (k == u + v):
            raise ValidationError(f"{form.name}: the coefficient of output {u}, tap {v} and signal {k} is {total}")


def tile_equation(equation: Equation, axis: Axis) -> Equation:
    """One tile of the equation along one axis, everything else left out: y[u] = sum_v w[v] x[u + v].

    Which elements meet is read off the equation, at the places where the program puts the tile; it is the
    same for every tile, or their indices would remain.
    """
    term, r = bilinear_term(equation), axis.relation
    assert term is not None
    y, w, x = (Tensor(n, getattr(axis.form, role).shape[1]) for n, role in zip("ywx", ROLES, strict=True))
    u, v, k = axis.inner
    meet = (equal(term.factors[f].indices[n].substitute({r.output: axis.output_place}), place)
            for (f, n), place in ((r.taps, axis.taps_place), (r.signal, axis.signal_place)))
    pieces = Context((axis.name("tile"), axis.name("block")))
    read_off = (*term.indices, axis.name("at"))  # the equation's own sum goes first: y stays a sum over the taps
    left = y[u if u.names else Affine.of(axis.name("in"))]  # an index that is 0 still has a name on the left
    return eliminate(Equation(left, replace((w[v] * x[k]).where(*meet), indices=read_off), pieces))


def contracted(program: Program) -> Equation:
    """The steps put into each other, with k = u + v for every sum A[a, u] G[a, v] B[a, k].

    Raises:
        ValidationError: the matrices do not satisfy that identity.
    """
    taps, signal, products, result = program.steps
    for axis in program.axes:
        check_identity(axis.form)
    whole = inline(inline(inline(result, products), taps), signal)
    matrices = {t: n for a in program.axes for n, t in enumerate(a.matrices)}
    return eliminate(Equation(whole.left, [_contract(t, matrices) for t in whole.terms], whole.context))


def _contract(term: Term, matrices: Mapping[Tensor, int]) -> Term:
    groups: dict[Affine, dict[int, Affine]] = {}
    for f in term.factors:
        if f.tensor in matrices:
            groups.setdefault(f.indices[0], {})[matrices[f.tensor]] = f.indices[1]
    bounds = tuple(c for f in term.factors if f.tensor in matrices for c in f.in_range())
    sums = tuple(equal(g[0] + g[1], g[2]) for g in groups.values())
    points = {n for e in groups for n in e.names}
    kept = tuple(c for c in (*term.constraints, *bounds, *sums) if not c.expression.names & points)
    return replace(term, factors=tuple(f for f in term.factors if f.tensor not in matrices), constraints=kept,
                   indices=tuple(n for n in term.indices if n not in points))


def check_program(program: Program) -> Verdict:
    """Check the matrices against the equation of a tile along every axis, and prove the program.

    Raises:
        ValidationError: the matrices, or the places of the tiles, are wrong.
    """
    for axis in program.axes:
        verify(axis.form, tile_equation(program.equation, axis), dict(zip("ywx", ROLES, strict=True)))
    verdict = prove_equal(program.equation, contracted(program))
    if verdict.kind == "different":
        raise ValidationError(f"the steps do not compute {program.equation}: {verdict.reason}")
    return verdict
