"""The embedded prover: two affine tensor sums are equal when, for every output index, the
multisets of their monomials agree.

Each term becomes the set of pairs (output index, monomial coordinates) it produces. Summation
indices are solved for in terms of the coordinates, so a term is a set of conditions on them; a
case split over which sets a point belongs to leaves systems of integer constraints, and the
claim is proved when every case with a nonzero total coefficient is infeasible.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import groupby, pairwise, permutations, product

from symconv.affine import Affine, AffineLike, Constraint, at_least, equal
from symconv.decide.feasible import OutOfBudget, Row, canonical, feasible, negated, row
from symconv.decide.verdict import PROVED, Verdict
from symconv.equation import Access, Equation

Signature = tuple[tuple[str, int], ...]


CASES = 5000  # of the split over which pieces a point belongs to: a deterministic bound on the work


class Undetermined(Exception):
    """A summation index that the monomial does not fix: its multiplicity is not bounded."""


@dataclass(frozen=True)
class Piece:
    """The points one term contributes: `conditions` decide membership, `facts` define floors."""

    coefficient: Fraction
    conditions: tuple[Constraint, ...]
    facts: tuple[Constraint, ...]

    @cached_property
    def inequalities(self) -> tuple[Row, ...]:
        return tuple(row(c) for c in self.conditions if not c.equality)

    @cached_property
    def equalities(self) -> tuple[Row, ...]:
        return tuple(row(c) for c in self.conditions if c.equality)

    @cached_property
    def membership(self) -> frozenset[tuple[bool, tuple[tuple[str, int], ...], int]]:
        """The conditions in canonical form: pieces with the same one contribute at the same points."""
        return frozenset((c.equality, *canonical(row(c), c.equality)) for c in (*self.conditions, *self.facts))

    @cached_property
    def given(self) -> tuple[Row, ...]:
        return tuple(row(c) for c in self.facts)


def prove_equal(left: Equation, right: Equation) -> Verdict:
    """Are the two sums equal at every index, for all sizes their contexts allow?

    "different" is said only when no opaque product takes part and the feasibility test is exact.
    """
    if len(left.indices) != len(right.indices):
        return Verdict("different", "the results have different numbers of axes")
    if (apart := _shapes_apart(left, right)) is not False:
        return Verdict("different" if apart else "unknown", "the results have different shapes")
    try:
        return _compare(left, right)
    except Undetermined as e:
        return Verdict("unknown", str(e))
    except OutOfBudget as e:
        return Verdict("unknown", str(e))


def _shapes_apart(left: Equation, right: Equation) -> bool | None:
    """False when every extent agrees for all sizes; True or None when one may not, as `feasible` says."""
    sizes = [*left.context.constraints, *right.context.constraints]
    low, same = [row(c) for c in sizes if not c.equality], [row(c) for c in sizes if c.equality]
    answers = [feasible([*low, row(at_least(a, b + 1))], same)
               for p, q in zip(left.output.shape, right.output.shape, strict=True) if p != q
               for a, b in ((p, q), (q, p))]
    return False if all(a is False for a in answers) else True if True in answers else None


def _compare(left: Equation, right: Equation) -> Verdict:
    sizes = [*left.context.constraints, *right.context.constraints]
    if feasible([row(c) for c in sizes if not c.equality], [row(c) for c in sizes if c.equality]) is False:
        return Verdict("unknown", "no sizes satisfy the contexts of both, so there is nothing to compare")
    # Canonical coordinates: '@0', '@1'... for output indices, '#0'... for monomial entries.
    outputs = [f"@{i}" for i in range(len(left.indices))]
    ours, theirs = _pieces(left, outputs, "l"), _pieces(right, outputs, "r")
    context = [*sizes, *left.rename(dict(zip(left.indices, outputs, strict=True))).domain()]
    # Opaque functions may satisfy identities that the comparison of monomials cannot see.
    applied = any(f.function for e in (left, right) for t in e.terms for f in t.factors)
    for signature in sorted(set(ours) | set(theirs)):
        cases = [*ours.get(signature, []),
                 *(replace(p, coefficient=-p.coefficient) for p in theirs.get(signature, []))]
        answer = _cancel(_without_twins(cases), context)
        if answer is not True:
            what = " * ".join(name for name, _ in signature) or "1"
            stated = (*context, *(c for p in cases for c in (*p.conditions, *p.facts)))
            opaque = applied or any(len(m) > 1 for c in stated for m, _ in c.expression)
            if answer is False and not opaque:
                return Verdict("different", f"the coefficients of {what} disagree")
            return Verdict("unknown", f"the coefficients of {what} could not be compared")
    return PROVED


def _pieces(equation: Equation, outputs: list[str], side: str) -> dict[Signature, list[Piece]]:
    """Every piece has summation indices of its own: two pieces may define floors under one name."""
    found: dict[Signature, list[Piece]] = {}
    for number, t in enumerate(equation.terms):
        names = dict(zip(equation.indices, outputs, strict=True))
        names |= {n: f"{n}|{number}" for n in t.indices}
        inner = replace(t.substitute(names), indices=tuple(names[n] for n in t.indices))
        factors = sorted(inner.factors, key=_key)
        signature = tuple((_key(f), len(f.indices)) for f in factors)
        for which, (order, ties) in enumerate(_orders(factors)):
            entries = [e for f in order for e in f.indices]
            here = tuple(equal(Affine.of(f"#{i}"), e) for i, e in enumerate(entries))
            own: dict[str, AffineLike] = {n: f"{n}.{which}{side}" for n in inner.indices}
            apart = tuple(c.substitute(own) for c in (*inner.domain(), *ties, *here))
            found.setdefault(signature, []).append(_solve(inner.coefficient, [*map(str, own.values())], apart))
    return found


def _key(f: Access) -> str:
    return f"{f.function}({f.tensor.name})" if f.function else f.tensor.name


def _orders(factors: list[Access]) -> Iterator[tuple[list[Access], tuple[Constraint, ...]]]:
    """Each way to sort repeated tensors by their index, with the constraints that say so."""
    groups = [list(g) for _, g in groupby(factors, key=_key)]
    for choice in product(*([list(p) for p in permutations(range(len(g)))] for g in groups)):
        alternatives: list[tuple[Constraint, ...]] = [()]
        for group, order in zip(groups, choice, strict=True):
            for a, b in pairwise(order):
                steps = _before(group[a].indices, group[b].indices, ties=a < b)
                alternatives = [x + y for x in alternatives for y in steps]
        sequence = [group[i] for group, order in zip(groups, choice, strict=True) for i in order]
        yield from ((sequence, extra) for extra in alternatives)


def _before(a: tuple[Affine, ...], b: tuple[Affine, ...], ties: bool) -> list[tuple[Constraint, ...]]:
    same = [equal(p, q) for p, q in zip(a, b, strict=True)]
    less = [(*same[:d], at_least(b[d] - 1, a[d])) for d in range(len(a))]
    return less + [tuple(same)] * ties


def _solve(coefficient: Fraction, pending: list[str], constraints: tuple[Constraint, ...]) -> Piece:
    """Express every pending summation index through the coordinates."""
    rest = list(constraints)
    while (hit := _unit(rest, pending)) is not None:
        constraint, name, value = hit
        rest.remove(constraint)
        pending.remove(name)
        rest = [c.substitute({name: value}) for c in rest]
    facts: list[Constraint] = []
    while pending:
        fixed = _determined(rest, pending, facts)
        if fixed is None:
            raise Undetermined(f"the sum over {', '.join(n.split('|')[0] for n in pending)} repeats the same monomial")
        pending.remove(fixed)
    return Piece(coefficient, tuple(c for c in rest if not c.is_trivial), tuple(facts))


def _unit(constraints: list[Constraint], pending: list[str]) -> tuple[Constraint, str, Affine] | None:
    for c in constraints:
        if c.equality:
            for name in pending:
                a = c.expression.coefficient(name)
                if abs(a) == 1 and c.expression.is_linear_in(name):
                    return c, name, Affine.of(name) - a * c.expression
    return None


def _determined(rest: list[Constraint], pending: list[str], facts: list[Constraint]) -> str | None:
    """A pending index fixed by a*v == e, or by 0 <= e - a*v < a; its floor goes to the facts."""
    for name in pending:
        for c in rest:
            a = c.expression.coefficient(name)
            if not a or c.expression.names & set(pending) != {name} or not c.expression.is_linear_in(name):
                continue
            if c.equality:
                size, e = abs(a), (c.expression - a * Affine.of(name)) * (-1 if a > 0 else 1)
            else:
                size, e = -a, c.expression - a * Affine.of(name)
                if size < 2 or Constraint(size * Affine.of(name) + (size - 1) - e) not in rest:
                    continue
            low, high = at_least(e, size * Affine.of(name)), at_least(size * Affine.of(name) + (size - 1), e)
            facts += [low, high]
            if not c.equality:
                rest.remove(low)
                rest.remove(high)
            return name
    return None


def _without_twins(pieces: list[Piece]) -> list[Piece]:
    """Pieces with the same conditions are one piece with the sum of their coefficients."""
    merged: dict[object, Piece] = {}
    for p in pieces:
        twin = merged.get(p.membership)
        merged[p.membership] = replace(p, coefficient=p.coefficient + twin.coefficient) if twin else p
    return [p for p in merged.values() if p.coefficient]


def _cancel(pieces: list[Piece], context: list[Constraint]) -> bool | None:
    """True: coefficients cancel at every point. False: they do not, exactly. None: not known."""
    start = [row(c) for c in context if not c.equality]
    fixed = [row(c) for c in context if c.equality]
    worst: bool | None = True
    count = [0]

    def visit(at: int, low: list[Row], same: list[Row], total: Fraction) -> None:
        nonlocal worst
        if worst is not True:
            return
        count[0] += 1
        if count[0] > CASES:
            raise OutOfBudget(f"more than {CASES} cases")
        if at == len(pieces):
            if total and (answer := feasible(low, same)) is not False:
                worst = False if answer else None
            return
        if at and feasible(low, same) is False:
            return
        p = pieces[at]
        low = [*low, *p.given]
        visit(at + 1, [*low, *p.inequalities], [*same, *p.equalities], total + p.coefficient)
        for r in p.equalities:  # outside the piece: some condition fails, those before it hold
            visit(at + 1, [*low, negated(r)], same, total)
            visit(at + 1, [*low, (r[0], r[1] - 1)], same, total)
            same = [*same, r]
        for r in p.inequalities:
            visit(at + 1, [*low, negated(r)], same, total)
            low = [*low, r]

    visit(0, start, fixed, Fraction(0))
    return worst
