"""Which values a summation index takes, and which reads may leave their array."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symconv.affine import Affine, Constraint, at_least, inside
from symconv.decide.feasible import OutOfBudget, feasible, row
from symconv.equation import Access, Equation, Term

Bounds = tuple[Affine, Affine]


def bounds(name: str, term: Term, moving: frozenset[str]) -> tuple[Bounds | None, frozenset[Constraint]]:
    """First and last value of a summation index, and the constraints of the term that say so.

    Stated bounds go first, then the axis the index runs along alone, then an axis read at a
    fixed distance from it (`w[k - 1 - j]`). None when there is no such range.
    """
    stated = _stated(name, term, moving)
    if stated is not None:
        return stated
    entries = [(e, n) for f in term.factors for e, n in zip(f.indices, f.tensor.shape, strict=True)]
    plain = next((n for e, n in entries if e == Affine.of(name)), None)
    if plain is not None:
        return (Affine(), plain - 1), frozenset()
    for e, n in entries:
        a = e.coefficient(name)
        if abs(a) == 1 and e.names & moving == {name} and e.is_linear_in(name):
            rest = e - a * Affine.of(name)
            return ((-rest, n - 1 - rest) if a == 1 else (rest - n + 1, rest)), frozenset()
    return None, frozenset()


def _stated(name: str, term: Term, moving: frozenset[str]) -> tuple[Bounds, frozenset[Constraint]] | None:
    low: list[tuple[Affine, Constraint]] = []
    high: list[tuple[Affine, Constraint]] = []
    for c in term.constraints:
        a, e = c.expression.coefficient(name), c.expression
        if not c.equality and abs(a) == 1 and e.names & moving == {name} and e.is_linear_in(name):
            rest = e - a * Affine.of(name)
            (low if a == 1 else high).append((-rest if a == 1 else rest, c))
    if len(low) != 1 or len(high) != 1:
        return None
    return (low[0][0], high[0][0]), frozenset({low[0][1], high[0][1]})


def outside(equation: Equation, term: Term,
            given: Iterable[Constraint] = ()) -> Iterator[tuple[Access, tuple[int, ...]]]:
    """The reads that may leave their array, each with the axes along which they may.

    Known are the context, the output's range, the ranges of the sums, the term's constraints and
    what is given; an axis is left out only when the prover excludes that it is left.
    """
    moving = frozenset((*equation.indices, *term.indices))
    known = [*given, *equation.context.constraints, *equation.domain(), *term.constraints]
    for name in term.indices:
        found, _ = bounds(name, term, moving)
        if found is not None:
            known += [at_least(name, found[0]), at_least(found[1], name)]
    for f in term.factors:
        axes = tuple(a for a, (e, n) in enumerate(zip(f.indices, f.tensor.shape, strict=True))
                     if any(_possible(c, known) for c in inside(e, n)))
        if axes:
            yield f, axes


def _possible(broken: Constraint, known: Iterable[Constraint]) -> bool:
    """May `broken` fail to hold where all that is known holds?"""
    if broken.is_trivial or broken in known:
        return False
    case = Constraint(-broken.expression - 1)
    relevant = [case, *_connected(case, known)]
    try:
        return feasible([row(c) for c in relevant if not c.equality],
                        [row(c) for c in relevant if c.equality]) is not False
    except OutOfBudget:
        return True


def _connected(case: Constraint, known: Iterable[Constraint]) -> list[Constraint]:
    """The constraints that share a name with the case, directly or through others."""
    names, rest, found = set(case.expression.names), list(known), []
    while hits := [c for c in rest if c.expression.names & names]:
        found += hits
        names |= {n for c in hits for n in c.expression.names}
        rest = [c for c in rest if not c.expression.names & names]
    return found
