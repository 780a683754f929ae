"""Is a condition necessary? Proved by a witness: one output element and one monomial, both affine in the
sizes, whose coefficients differ for all sizes outside the condition.

Witnesses are summation points at the ends of their axes. This serves where isl cannot: with a symbolic
stride or dilation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, product

from symconv.affine import Affine, AffineLike, Constraint
from symconv.decide.conditions import Formula
from symconv.decide.enumerate import Index, Work, Written
from symconv.decide.feasible import OutOfBudget, feasible, row
from symconv.decide.products import factors, multiplied, opaque
from symconv.decide.prover import Piece, pieces
from symconv.equation import Equation, Signal, Term
from symconv.errors import LimitExceeded

CORNERS, WITNESSES = 200, 8  # points looked at in a term, and tried as a proof for each region
ROWS = 8  # assignments of sizes at which a witness has to show the difference first
WORK = 20_000
Sizes = Mapping[str, int]


def necessary(left: Equation, right: Equation, formula: Formula, apart: Sequence[Sizes]) -> bool:
    """Do the sides differ for all sizes that do not satisfy the formula? False when no proof was found."""
    regions = formula.outside()
    if regions is None:
        return False
    try:
        return all(_Region(left, right, r, apart).differs() for r in regions)
    except (OutOfBudget, LimitExceeded):
        return False


@dataclass(frozen=True)
class _Witness:
    """An output index, and for each element of the monomial its label and coordinates."""

    index: tuple[Affine, ...]
    elements: tuple[tuple[str, tuple[Affine, ...]], ...]

    def at(self, sizes: Sizes) -> tuple[Index, tuple[tuple[str, Index], ...]]:
        return (tuple(e.evaluate(sizes) for e in self.index),
                tuple((label, tuple(e.evaluate(sizes) for e in entries)) for label, entries in self.elements))


class _Region:
    """The sizes of one region, with what is known of them."""

    def __init__(self, left: Equation, right: Equation, region: Sequence[Constraint], apart: Sequence[Sizes]) -> None:
        self.left, self.right = left, right
        self.known = [*left.context.constraints, *region]
        self.seen: dict[object, dict[tuple[tuple[str, Index], ...], Fraction]] = {}
        self.rows = [s for s in apart if all(c.holds(s) for c in region)]

    def differs(self) -> bool:
        if self._impossible([]):
            return True
        if not self.rows:
            return False
        return any(self._shows(w) for w in islice(self._witnesses(), WITNESSES))

    def _witnesses(self) -> Iterator[_Witness]:
        """Summation points of the terms whose coefficients differ for every row of the region."""
        for e in (self.left, self.right):
            for t in e.terms:
                labels = [_label(f.tensor.name, f.function) for f in t.factors]
                if len(set(labels)) == len(labels):
                    for put in islice(_corners(e, t), CORNERS):
                        w = _witness(e, t, put)
                        if all(self._differs_at(w, s) for s in self.rows[:ROWS]):
                            yield w

    def _differs_at(self, w: _Witness, sizes: Sizes) -> bool:
        index, elements = w.at(sizes)
        inside = self.left.output.in_range(tuple(map(Affine.of, index)))
        if not all(c.holds(sizes) for c in inside):
            return False
        a, b = (self._written(e, sizes, index).get(elements, 0) for e in (self.left, self.right))
        return a != b

    def _written(self, e: Equation, sizes: Sizes, index: Index) -> dict[tuple[tuple[str, Index], ...], Fraction]:
        """The polynomial of one side at one output index, its monomials by label."""
        key = (e is self.left, tuple(sizes.values()), index)
        if key not in self.seen:
            found = Written(e, sizes, work=Work(WORK)).at(index)
            self.seen[key] = {tuple(sorted((_label(name, f), i) for name, f, i in m)): c for m, c in found.items()}
        return self.seen[key]

    def _shows(self, w: _Witness) -> bool:
        """Is the witness inside the output, and are its coefficients known and different?"""
        put: dict[str, AffineLike] = {f"@{n}": e for n, e in enumerate(w.index)}
        put |= {f"#{n}": e for n, e in enumerate(e for _, entries in w.elements for e in entries)}
        inside = [c.substitute(dict(zip(self.left.indices, w.index, strict=True))) for c in self.left.domain()]
        if not all(self._implied(c, []) for c in inside):
            return False
        total = Fraction(0)
        signature = tuple((label, len(entries)) for label, entries in w.elements)
        positive = frozenset(factors(self.known, opaque(c for e in (self.left, self.right)
                                                        for t in e.terms for c in t.domain()), 1))
        for equation, side in ((self.left, 1), (self.right, -1)):
            outputs = [f"@{n}" for n in range(len(w.index))]
            for key, found in pieces(equation, outputs, "lr"[side < 0], positive).items():
                for p in found if key[:len(key) - len(found[0].free)] == signature else ():
                    member = None if p.free else self._member(p, put)
                    if member is None:
                        return False
                    total += side * p.coefficient * member
        return total != 0

    def _member(self, p: Piece, put: Mapping[str, AffineLike]) -> bool | None:
        """Does the piece contribute at the witness: for all sizes, for none, or neither?"""
        facts = [c.substitute(put) for c in p.facts]
        conditions = [c.substitute(put) for c in p.conditions]
        if self._impossible([*conditions, *facts]):
            return False
        return True if all(self._implied(c, facts) for c in conditions) else None

    def _implied(self, c: Constraint, facts: Sequence[Constraint]) -> bool:
        sides = [Constraint(-c.expression - 1), *[Constraint(c.expression - 1)] * c.equality]
        return all(self._impossible([*facts, s]) for s in sides)

    def _impossible(self, more: Sequence[Constraint]) -> bool:
        every = [*self.known, *more]
        products = opaque(every)
        every += multiplied(every, factors(every, products), products)
        return feasible([row(c) for c in every if not c.equality], [row(c) for c in every if c.equality]) is False


def _corners(e: Equation, t: Term) -> Iterator[dict[str, AffineLike]]:
    """Points of a term at the ends of its axes: each index 0, 1 or the last, where no equality fixes it."""
    names, solved = [*e.indices, *t.indices], dict[str, Affine]()
    for c in t.constraints:
        expression = c.expression.substitute(dict(solved))
        for name in names if c.equality else ():
            a = expression.coefficient(name)
            if name not in solved and abs(a) == 1 and expression.is_linear_in(name):
                value = Affine.of(name) - a * expression
                solved = {n: v.substitute({name: value}) for n, v in solved.items()} | {name: value}
                break
    free = [n for n in names if n not in solved]
    for values in product(*([Affine.of(0), *_ends(n, e, t), Affine.of(1)] for n in free)):
        put: dict[str, AffineLike] = dict(zip(free, values, strict=True))
        yield put | {n: v.substitute(put) for n, v in solved.items()}


def _ends(name: str, e: Equation, t: Term) -> list[Affine]:
    """The last place of every axis that the name runs over."""
    found = [n - 1 for f in (e.left, *t.factors) if not isinstance(f.tensor, Signal)
             for v, n in zip(f.indices, f.tensor.shape, strict=True) if v == Affine.of(name)]
    return list(dict.fromkeys(found))


def _witness(e: Equation, t: Term, put: Mapping[str, AffineLike]) -> _Witness:
    elements = [(_label(f.tensor.name, f.function), f.substitute(put).indices) for f in t.factors]
    return _Witness(e.left.substitute(put).indices, tuple(sorted(elements, key=lambda x: x[0])))


def _label(name: str, function: str) -> str:
    return f"{function}({name})" if function else name
