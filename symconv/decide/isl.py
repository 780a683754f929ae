"""The second engine: integer sets in isl (through islpy), for everything affine.

Each term is the set of pairs (output index, elements of its monomial) it produces, with the sizes as
parameters. Where the coefficients of the two sides differ is again such a set; its projection on the
sizes says exactly when the claim holds (S. Verdoolaege, isl: an integer set library, 2010).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby, pairwise, permutations, product
from math import lcm
from typing import TYPE_CHECKING, Any

from symconv.affine import Affine, AffineLike, Constraint, at_least, equal
from symconv.decide.conditions import MOST_ATOMS, Atom, Formula
from symconv.equation import Access, Equation, Term

if TYPE_CHECKING:
    import islpy

OPERATIONS = 400_000  # of isl for one comparison, one condition, one smallest point
REPEATS = 5  # of one tensor in a product: their orders grow with the factorial
LAYERS = 4  # how often one monomial may come out of one term
Signature = tuple[str, ...]
Piece = tuple[int, Any]  # scaled coefficient, isl.Set of (output index, elements)


class _Unanswered(Exception):
    """Not affine, unbounded multiplicity, or no islpy."""


@dataclass(frozen=True)
class Answer:
    """What isl says of two equations.

    Args:
        kind: "proved", "different" (for some sizes, exactly) or "unknown".
        reason: why it is unknown.
        names: sizes, in the order of the parameters of the sets.
        context, bad: sizes that are allowed, and those for which the sides differ.
    """

    kind: str
    reason: str = ""
    names: tuple[str, ...] = ()
    context: Any = None
    bad: Any = None

    def smallest(self) -> dict[str, int] | None:
        """Sizes with the least sum for which the sides differ; None over budget."""
        found: dict[str, int] | None = _bounded(lambda: _smallest(self.bad, self.names))
        return found

    def is_exactly(self, formula: Formula) -> bool:
        """Do the sides agree for the sizes of the formula, and for no others?"""
        return bool(_bounded(lambda: self.context.subtract(self.bad).is_equal(
            _formula_set(formula, self.names).intersect(self.context))))

    def never(self) -> bool:
        """Do the sides differ for all allowed sizes?"""
        return bool(_bounded(lambda: self.context.is_subset(self.bad)))

    def simplified(self) -> Formula | None:
        """The sizes for which the sides agree, in few words; None when it takes many."""
        found: Formula | None = _bounded(lambda: _simplified(self.context.subtract(self.bad), self.context, self.names))
        return found


def compare(left: Equation, right: Equation) -> Answer:
    """Are the two sums equal at every index of the left one, and if not, for which sizes?"""
    try:
        import islpy  # noqa: F401
    except ImportError:
        return Answer("unknown", "islpy is not installed")
    try:
        names = _parameters(left, right)
        answer: Answer | None = _bounded(lambda: _compare(left, right, names))
    except _Unanswered as e:
        return Answer("unknown", str(e))
    return answer or Answer("unknown", "isl needs more operations than its budget")


def possible(constraints: Sequence[Constraint]) -> bool | None:
    """Is there an integer point, whatever the names stand for? None where isl does not answer."""
    try:
        import islpy  # noqa: F401
    except ImportError:
        return None
    if any(len(m) > 1 for c in constraints for m, _ in c.expression):
        return None
    names = tuple(sorted({v for c in constraints for v in c.expression.names}))
    found: bool | None = _bounded(lambda: not _set(
        f"{_head(names)} {{ : {_conjunction(constraints, _naming(names))} }}").is_empty())
    return found


def _compare(left: Equation, right: Equation, names: tuple[str, ...]) -> Answer:
    allowed = _conjunction((*left.context.constraints, *right.context.constraints), _naming(names))
    context = _set(f"{_head(names)} {{ : {allowed} }}")
    scale = lcm(*(t.coefficient.denominator for e in (left, right) for t in e.terms), 1)
    found: dict[Signature, list[Piece]] = {}
    for equation, sign in ((left, 1), (right, -1)):
        outer = {n: f"o{i}" for i, n in enumerate(equation.indices)}
        domain = (*equation.domain(), *equation.context.constraints)
        for t in equation.terms:
            for signature, piece in _images(t, domain, outer, names):
                found.setdefault(signature, []).append((int(sign * scale * t.coefficient), piece))
    bad = None
    for signature in sorted(found):
        where = _nonzero(_without_twins(found[signature]))
        if where is not None and not where.is_empty():
            bad = where.params() if bad is None else bad.union(where.params())
    if bad is None:
        return Answer("proved")
    return Answer("different", "", names, context, bad.intersect(context).coalesce())


def _parameters(left: Equation, right: Equation) -> tuple[str, ...]:
    """Sizes and auxiliary names of the contexts.

    Raises:
        _Unanswered: something is not affine.
    """
    used = {n: None for e in (left, right) for n in e.context.sizes}
    used |= {n: None for e in (left, right) for c in e.context.constraints for n in sorted(c.expression.names)}
    every = [c.expression for e in (left, right) for c in (*e.context.constraints, *e.domain())]
    every += [a for e in (left, right) for t in e.terms
              for a in (*(c.expression for c in t.domain()), *(i for f in t.factors for i in f.indices))]
    if product_of_names := next((m for a in every for m, _ in a if len(m) > 1), None):
        raise _Unanswered(f"{'*'.join(product_of_names)} is a product of sizes")
    return tuple(used)


def _images(t: Term, domain: Sequence[Constraint], outer: dict[str, str],
            names: tuple[str, ...]) -> Iterator[tuple[Signature, Any]]:
    """The sets of a term: one for each layer of points that give the same monomial."""
    factors = sorted(t.factors, key=_label)
    inner = {n: f"i{i}" for i, n in enumerate(t.indices)}
    naming = _naming(names) | outer | inner
    stated = [*t.domain(), *domain]
    points = ",".join((*outer.values(), *inner.values()))
    for order, ties in _orders(factors):
        entries = [e for f in order for e in f.indices]
        image = ",".join((*outer.values(), *(_text(e, naming) for e in entries)))
        where = " or ".join(f"({_conjunction([*stated, *tie], naming)})" for tie in ties)
        signature = tuple(f"{_label(f)}/{len(f.indices)}" for f in order)
        for layer in _layers(_map(f"{_head(names)} {{ [{points}] -> [{image}] : {where} }}"), bool(inner)):
            yield signature, layer


def _label(f: Access) -> str:
    return f"{f.function}({f.tensor.name})" if f.function else f.tensor.name


def _orders(factors: Sequence[Access]) -> Iterator[tuple[list[Access], list[list[Constraint]]]]:
    """Every order of equal tensors, with the alternatives in which their indices are sorted so."""
    groups = [list(g) for _, g in groupby(factors, key=_label)]
    if max(map(len, groups), default=0) > REPEATS:
        raise _Unanswered(f"a tensor is repeated more than {REPEATS} times in a product")
    for choice in product(*(list(permutations(range(len(g)))) for g in groups)):
        ties: list[list[Constraint]] = [[]]
        for group, order in zip(groups, choice, strict=True):
            for a, b in pairwise(order):
                p, q = group[a].indices, group[b].indices
                steps = [[*(equal(u, v) for u, v in zip(p[:d], q[:d], strict=True)), at_least(q[d] - 1, p[d])]
                         for d in range(len(p))]
                if a < b:
                    steps.append([equal(u, v) for u, v in zip(p, q, strict=True)])
                ties = [x + y for x in ties for y in steps]
        if ties:  # two equal numbers have one order only
            yield [g[i] for g, order in zip(groups, choice, strict=True) for i in order], ties


def _layers(points: Any, inner: bool) -> Iterator[Any]:
    """Split a map into injective ones and give their images."""
    for _ in range(LAYERS):
        if points.is_empty():
            return
        if not inner or points.is_injective():
            yield points.range()
            return
        first = points.reverse().lexmin()
        yield first.domain()
        points = points.subtract(first.reverse())
    if not points.is_empty():
        raise _Unanswered("a sum repeats the same monomial more often than isl can count")


def _without_twins(pieces: list[Piece]) -> list[Piece]:
    """Equal sets are one, with the sum of the coefficients."""
    merged: list[Piece] = []
    for c, s in pieces:
        at = next((i for i, (_, other) in enumerate(merged) if other.is_equal(s)), None)
        if at is None:
            merged.append((c, s))
        else:
            merged[at] = merged[at][0] + c, s
    return [(c, s) for c, s in merged if c]


def _nonzero(pieces: list[Piece]) -> Any:
    """Where the coefficients do not cancel; None when nothing is left."""
    if len(pieces) == 2 and pieces[0][0] == -pieces[1][0]:
        (_, a), (_, b) = pieces
        return a.subtract(b).union(b.subtract(a))
    import islpy

    total = None
    for c, s in pieces:
        value = islpy.PwAff.val_on_domain(s, islpy.Val.int_from_si(_context(), c))
        total = value if total is None else total.union_add(value)
    return None if total is None else total.non_zero_set()


def _smallest(bad: Any, names: tuple[str, ...]) -> dict[str, int] | None:
    import islpy

    count = len(names)
    if bad.is_empty():
        return None
    sizes = bad.move_dims(islpy.dim_type.set, 0, islpy.dim_type.param, 0, count).insert_dims(islpy.dim_type.set, 0, 1)
    total = islpy.Constraint.alloc_equality(islpy.LocalSpace.from_space(sizes.get_space()))
    total = total.set_coefficient_val(islpy.dim_type.set, 0, islpy.Val.int_from_si(_context(), -1))
    for n in range(count):
        total = total.set_coefficient_val(islpy.dim_type.set, n + 1, islpy.Val.int_from_si(_context(), 1))
    point = sizes.add_constraint(total).lexmin().sample_point()
    found = [point.get_coordinate_val(islpy.dim_type.set, n + 1).to_python() for n in range(count)]
    return dict(zip(names, map(int, found), strict=True))


def _simplified(good: Any, context: Any, names: tuple[str, ...]) -> Formula | None:
    cases = []
    for piece in good.coalesce().gist(context).coalesce().get_basic_sets():
        atoms = [_atom(c, context, names) for c in piece.get_constraints()]
        if not atoms or any(a is None for a in atoms):
            return None
        cases.append(tuple(a for a in atoms if a is not None))
    formula = Formula(tuple(sorted(cases, key=lambda case: (len(case), str(Formula((case,)))))))
    if not 0 < formula.atoms <= MOST_ATOMS:
        return None
    same = _formula_set(formula, names).intersect(context).is_equal(good)
    return formula if same else None


def _atom(c: Any, context: Any, names: tuple[str, ...]) -> Atom | None:
    """One constraint of a set; with a division, a divisibility. None when it is more than that."""
    import islpy

    e = Affine.of(int(c.get_constant_val().to_python()))
    for i, n in enumerate(names):
        e = e + int(c.get_coefficient_val(islpy.dim_type.param, i).to_python()) * Affine.of(n)
    divisions = [int(c.get_coefficient_val(islpy.dim_type.div, i).to_python())
                 for i in range(c.dim(islpy.dim_type.div))]
    used = [d for d in divisions if d]
    if used:
        divisor = abs(used[0])
        return Atom(equal(_least(e, divisor), 0), Affine.of(divisor)) if len(used) == 1 and c.is_equality() else None
    if c.is_equality():
        return Atom(equal(e, 0))
    # k <= 1 reads k = 1 where sizes start at 1
    tight = Formula(((Atom(at_least(e, 1)),),))
    if context.intersect(_formula_set(tight, names)).is_empty():
        return Atom(equal(e, 0))
    return Atom(at_least(e, 0))


def _least(e: Affine, divisor: int) -> Affine:
    """The residues nearest to zero, the first name positive."""
    small = Affine.build({m: (c + (divisor - 1) // 2) % divisor - (divisor - 1) // 2 for m, c in e})
    first = next((c for m, c in small if m), 1)
    return small if first > 0 else Affine.build({m: (-c + (divisor - 1) // 2) % divisor - (divisor - 1) // 2
                                                 for m, c in small})


def _formula_set(formula: Formula, names: tuple[str, ...]) -> Any:
    naming = _naming(names)
    cases = [" and ".join(_atom_text(a, naming) for a in case) for case in formula.cases]
    return _set(f"{_head(names)} {{ : {' or '.join(f'({c})' for c in cases)} }}")


def _atom_text(a: Atom, naming: dict[str, str]) -> str:
    if a.divisor is None:
        return _conjunction([a.constraint], naming)
    return f"(exists e: {_text(a.constraint.expression, naming)} = {_text(a.divisor, naming)}*e)"


@lru_cache(maxsize=1)
def _context() -> islpy.Context:
    import islpy

    return islpy.Context()


def _bounded(work: Any) -> Any:
    """Run with a deterministic budget; None when it is used up."""
    import islpy

    context = _context()
    context.reset_operations()
    context.set_max_operations(OPERATIONS)
    try:
        return work()
    except islpy.Error:
        return None
    finally:
        context.reset_operations()
        context.set_max_operations(0)


def _set(text: str) -> Any:
    import islpy

    return islpy.Set.read_from_str(_context(), text)


def _map(text: str) -> Any:
    import islpy

    return islpy.Map.read_from_str(_context(), text)


def _naming(names: tuple[str, ...]) -> dict[str, str]:
    """Names of our own: a size may be called like one of isl's words."""
    return {n: f"p{i}" for i, n in enumerate(names)}


def _head(names: tuple[str, ...]) -> str:
    return f"[{','.join(_naming(names).values())}] ->"


def _conjunction(constraints: Sequence[Constraint], naming: dict[str, str]) -> str:
    return " and ".join(dict.fromkeys(f"{_text(c.expression, naming)} {'=' if c.equality else '>='} 0"
                                      for c in constraints)) or "0 = 0"


def _text(e: Affine, naming: dict[str, str]) -> str:
    put: dict[str, AffineLike] = dict(naming)
    return str(e.substitute(put))
