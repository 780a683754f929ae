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

from symconv.affine import Affine, AffineLike, Constraint, Monomial, at_least, equal
from symconv.decide.feasible import Account, OutOfBudget, Row, canonical, feasible, negated, row
from symconv.decide.products import factors, multiplied, opaque
from symconv.decide.verdict import PROVED, Verdict
from symconv.equation import Access, Equation, Term

Signature = tuple[tuple[str, int], ...]


REPEATS = 5  # of one tensor in a product: their orders grow with the factorial
PIECES = 400  # of one side: terms times the orders of repeated tensors
WORK = 400_000  # rows and combinations over all cases of one signature
CASES = 5000  # of the split over which pieces a point belongs to: a deterministic bound on the work


@dataclass(frozen=True)
class Piece:
    """The points one term contributes: `conditions` decide membership, `facts` define floors.

    `implied` follows from the conditions. `free` indices are fixed by nothing: a point is then told
    apart by their values, too, which is enough for a proof and not for a difference.
    """

    coefficient: Fraction
    conditions: tuple[Constraint, ...]
    facts: tuple[Constraint, ...]
    implied: tuple[Constraint, ...] = ()
    free: tuple[str, ...] = ()

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

    @cached_property
    def inside(self) -> tuple[list[Row], list[Row]]:
        """Inequalities and equalities that hold where the piece contributes."""
        low, same = list(self.inequalities), list(self.equalities)
        for c in self.implied:
            (same if c.equality else low).append(row(c))
        return low, same


def prove_equal(left: Equation, right: Equation, *, work: int = WORK) -> Verdict:
    """Are the two sums equal at every index, for all sizes their contexts allow?

    "different" is said only when no opaque product takes part and the feasibility test is exact.
    """
    if len(left.indices) != len(right.indices):
        return Verdict("different", "the results have different numbers of axes")
    if (apart := shapes_apart(left, right)) is not False:
        return Verdict("different" if apart else "unknown", "the results have different shapes")
    try:
        return _compare(left, right, work)
    except OutOfBudget as e:
        return Verdict("unknown", str(e))


def shapes_apart(left: Equation, right: Equation) -> bool | None:
    """False when every extent agrees for all sizes; True or None when one may not, as `feasible` says."""
    sizes = [*left.context.constraints, *right.context.constraints]
    low, same = [row(c) for c in sizes if not c.equality], [row(c) for c in sizes if c.equality]
    answers = [feasible([*low, row(at_least(a, b + 1))], same)
               for p, q in zip(left.output.shape, right.output.shape, strict=True) if p != q
               for a, b in ((p, q), (q, p))]
    return False if all(a is False for a in answers) else True if True in answers else None


def _compare(left: Equation, right: Equation, work: int) -> Verdict:
    sizes = [*left.context.constraints, *right.context.constraints]
    if feasible([row(c) for c in sizes if not c.equality], [row(c) for c in sizes if c.equality]) is False:
        return Verdict("unknown", "no sizes satisfy the contexts of both, so there is nothing to compare")
    # Canonical coordinates: '@0', '@1'... for output indices, '#0'... for monomial entries.
    outputs = [f"@{i}" for i in range(len(left.indices))]
    positive = frozenset(factors(sizes, opaque(d for e in (left, right) for t in e.terms for d in t.domain()), 1))
    ours, theirs = pieces(left, outputs, "l", positive), pieces(right, outputs, "r", positive)
    context = [*sizes, *left.rename(dict(zip(left.indices, outputs, strict=True))).domain()]
    # Opaque functions may satisfy identities that the comparison of monomials cannot see.
    applied = any(f.function for e in (left, right) for t in e.terms for f in t.factors)
    free = next((p.free for found in (*ours.values(), *theirs.values()) for p in found if p.free), ())
    for signature in sorted(set(ours) | set(theirs)):
        cases = [*ours.get(signature, []),
                 *(replace(p, coefficient=-p.coefficient) for p in theirs.get(signature, []))]
        answer = _cancel(_without_twins(cases), context, work)
        products = opaque((*context, *(c for p in cases for c in (*p.conditions, *p.facts))))
        if answer is not True and products:
            answer = _cancel(*_with_products(_without_twins(cases), context, products), work)
        if answer is not True:
            if free:
                return Verdict("unknown", f"the sum over {', '.join(free)} repeats the same monomial")
            what = " * ".join(name for name, _ in signature) or "1"
            if answer is False and not applied and not products:
                return Verdict("different", f"the coefficients of {what} disagree")
            return Verdict("unknown", f"the coefficients of {what} could not be compared")
    return PROVED


def _with_products(cases: list[Piece], context: list[Constraint],
                   products: frozenset[Monomial]) -> tuple[list[Piece], list[Constraint]]:
    """With what follows for the opaque products from the bounds of their factors."""
    by = factors(context, products)
    richer = [replace(p, facts=(*p.facts, *multiplied(p.facts, by, products)),
                      implied=tuple(multiplied(p.conditions, by, products))) for p in cases]
    return richer, [*context, *multiplied(context, by, products)]


def pieces(equation: Equation, outputs: list[str], side: str,
            positive: frozenset[str]) -> dict[Signature, list[Piece]]:
    """Every piece has summation indices of its own: two pieces may define floors under one name."""
    found: dict[Signature, list[Piece]] = {}
    for number, t in enumerate(equation.terms):
        names = dict(zip(equation.indices, outputs, strict=True))
        names |= {n: f"{n}|{number}" for n in t.indices}
        inner = _pinned(replace(t.substitute(names), indices=tuple(names[n] for n in t.indices)))
        factors = sorted(inner.factors, key=_key)
        signature = tuple((_key(f), len(f.indices)) for f in factors)
        for which, (order, ties) in enumerate(_orders(factors)):
            entries = [e for f in order for e in f.indices]
            here = tuple(equal(Affine.of(f"#{i}"), e) for i, e in enumerate(entries))
            own: dict[str, AffineLike] = {n: f"{n}.{which}{side}" for n in inner.indices}
            apart = tuple(c.substitute(own) for c in (*inner.domain(), *ties, *here))
            piece = _solve(inner.coefficient, [*map(str, own.values())], apart, positive)
            repeated = tuple(("~", 0) for _ in piece.free)
            found.setdefault(signature + repeated, []).append(piece)
            if sum(map(len, found.values())) > PIECES:
                raise OutOfBudget(f"more than {PIECES} orders of repeated tensors")
    return found


def _pinned(t: Term) -> Term:
    """An index with one value left is a number: its products with a symbolic stride become plain."""
    for name in t.indices:
        low: list[int] = []
        high: list[int] = []
        for c in t.domain():
            a, k = c.expression.coefficient(name), c.expression.constant
            if c.expression.names == {name} and c.expression.is_linear_in(name):
                if a > 0 or c.equality:
                    low.append(-(k // a) if a > 0 else -(-k // -a))
                if a < 0 or c.equality:
                    high.append(k // -a if a < 0 else -k // a)
        if low and high and max(low) == min(high):
            rest = tuple(n for n in t.indices if n != name)
            return _pinned(replace(t.substitute({name: max(low)}), indices=rest))
    return t


def _key(f: Access) -> str:
    return f"{f.function}({f.tensor.name})" if f.function else f.tensor.name


def _orders(factors: list[Access]) -> Iterator[tuple[list[Access], tuple[Constraint, ...]]]:
    """Each way to sort repeated tensors by their index, with the constraints that say so."""
    groups = [list(g) for _, g in groupby(factors, key=_key)]
    if max(map(len, groups), default=0) > REPEATS:
        raise OutOfBudget(f"a tensor is repeated more than {REPEATS} times in a product")
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


def _solve(coefficient: Fraction, pending: list[str], constraints: tuple[Constraint, ...],
           positive: frozenset[str]) -> Piece:
    """Express every pending summation index through the coordinates."""
    rest = list(constraints)
    while (hit := _unit(rest, pending)) is not None:
        constraint, name, value = hit
        rest.remove(constraint)
        pending.remove(name)
        rest = [_divided(c.substitute({name: value}), positive) for c in rest]
    facts: list[Constraint] = []
    while pending and (fixed := _determined(rest, pending, facts, positive)) is not None:
        name, floor = fixed
        pending.remove(name)
        rest, facts = ([c.substitute({name: floor}) for c in found] for found in (rest, facts))
    free = tuple(n.split("|")[0] for n in pending)
    while pending:
        rest = _counted(rest, pending, len(free) - len(pending))
    return Piece(coefficient, tuple(c for c in rest if not c.is_trivial), tuple(facts), free=free)


def _divided(c: Constraint, positive: frozenset[str]) -> Constraint:
    """s*q + s*r == 0 says that q + r == 0, for a size s that is at least 1."""
    shared = set(positive).intersection(*(m for m, _ in c.expression)) if c.expression.items else ()
    for name in sorted(shared):
        c = replace(c, expression=Affine.build({_without(m, name): k for m, k in c.expression}))
    return c


def _without(m: Monomial, name: str) -> Monomial:
    """The product without one of its factors."""
    at = m.index(name)
    return (*m[:at], *m[at + 1:])


def _counted(rest: list[Constraint], pending: list[str], number: int) -> list[Constraint]:
    """Make a coordinate of an index that nothing fixes, counted from its lower bound where it has one."""
    bounds = [(name, c.expression) for name in pending for c in rest if not c.equality
              and c.expression.coefficient(name) == 1 and c.expression.names & set(pending) == {name}]
    name, above = bounds[0] if bounds else (pending[0], Affine.of(pending[0]))
    pending.remove(name)
    return [c.substitute({name: Affine.of(f"~{number}") + name - above}) for c in rest]


def _unit(constraints: list[Constraint], pending: list[str]) -> tuple[Constraint, str, Affine] | None:
    for c in constraints:
        if c.equality:
            for name in pending:
                a = c.expression.coefficient(name)
                if abs(a) == 1 and c.expression.is_linear_in(name):
                    return c, name, Affine.of(name) - a * c.expression
    return None


def _determined(rest: list[Constraint], pending: list[str], facts: list[Constraint],
                positive: frozenset[str]) -> tuple[str, str] | None:
    """A pending index fixed by a*v == e, or by 0 <= e - a*v < a; its floor goes to the facts.

    The factor a is a number or a size that is at least 1. The floor is called by what it is of: the same
    floor in two pieces is one number.
    """
    for name in pending:
        for c in rest:
            if c.expression.names & set(pending) != {name} or (parts := _factored(c, name, positive)) is None:
                continue
            size, e = parts
            low, high = at_least(e, size * Affine.of(name)), at_least(size * Affine.of(name) + size - 1, e)
            if not c.equality:
                if size == Affine.of(1) or c != low or high not in rest:
                    continue
                rest.remove(low)
                rest.remove(high)
            facts += [low, high]
            return name, f"[({e})/({size})]"
    return None


def _factored(c: Constraint, name: str, positive: frozenset[str]) -> tuple[Affine, Affine] | None:
    """(a, e) of a*name == e, or of e - a*name >= 0, with a at least 1; None when c has another form."""
    inner = [(m, k) for m, k in c.expression if name in m]
    if len(inner) != 1 or inner[0][0].count(name) > 1:
        return None
    (monomial, k), others = inner[0], [n for n in inner[0][0] if n != name]
    if len(others) > 1 or not positive.issuperset(others) or (k > 0 and not c.equality):
        return None
    size = abs(k) * Affine.of(others[0]) if others else Affine.of(abs(k))
    rest = c.expression - Affine.build({monomial: k})
    return size, -rest if k > 0 else rest


def _without_twins(cases: list[Piece]) -> list[Piece]:
    """Pieces with the same conditions are one piece with the sum of their coefficients."""
    merged: dict[object, Piece] = {}
    for p in cases:
        twin = merged.get(p.membership)
        merged[p.membership] = replace(p, coefficient=p.coefficient + twin.coefficient) if twin else p
    return [p for p in merged.values() if p.coefficient]


def _cancel(cases: list[Piece], context: list[Constraint], work: int) -> bool | None:
    """True: coefficients cancel at every point. False: they do not, exactly. None: not known."""
    start = [row(c) for c in context if not c.equality]
    fixed = [row(c) for c in context if c.equality]
    worst: bool | None = True
    count, account = [0], Account(work)

    def visit(at: int, low: list[Row], same: list[Row], total: Fraction) -> None:
        nonlocal worst
        if worst is not True:
            return
        count[0] += 1
        if count[0] > CASES:
            raise OutOfBudget(f"more than {CASES} cases")
        if at == len(cases):
            if total and (answer := feasible(low, same, account=account)) is not False:
                worst = False if answer else None
            return
        if at and feasible(low, same, account=account) is False:
            return
        p = cases[at]
        low = [*low, *p.given]
        visit(at + 1, [*low, *p.inside[0]], [*same, *p.inside[1]], total + p.coefficient)
        for r in p.equalities:  # outside the piece: some condition fails, those before it hold
            visit(at + 1, [*low, negated(r)], same, total)
            visit(at + 1, [*low, (r[0], r[1] - 1)], same, total)
            same = [*same, r]
        for r in p.inequalities:
            visit(at + 1, [*low, negated(r)], same, total)
            low = [*low, r]

    visit(0, start, fixed, Fraction(0))
    return worst
