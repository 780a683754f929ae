"""From sums in the author's coordinates to equations the engines compare."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from symconv.affine import Affine, AffineLike, Constraint, at_least, inside, unique
from symconv.claims.axes import CLAIM, Axes
from symconv.claims.extents import without
from symconv.claims.raw import Factor, Raw, Sum
from symconv.claims.scope import Array, Axis, Scope
from symconv.claims.words import axes
from symconv.decide.feasible import OutOfBudget, feasible, negated, row
from symconv.decide.isl import possible
from symconv.decide.sizes import sizes_of
from symconv.equation import Access, Context, Equation, Signal, Tensor, Term
from symconv.errors import NotationError, NotSupported
from symconv.points import points

RESULT = "result"
ELIMINATIONS = 300  # combinations of bounds formed to see that no point lies outside
NEARBY = 60  # choices of sizes among which a point outside is looked for


@dataclass(frozen=True)
class Settled:
    """Both sides over one output, counted from 0.

    Args:
        letters: the output's indices; axes: where each begins in the author's coordinates.
        outside: arrays that stated bounds read outside their range.
    """

    left: Equation
    right: Equation
    letters: tuple[str, ...]
    axes: tuple[Axis, ...]
    outside: tuple[str, ...] = ()


def settle(scope: Scope, left: Sum, right: Sum, letters: Sequence[str],
           conditions: Sequence[Constraint] = (), box: Sequence[tuple[Affine, Affine] | None] = (),
           elements: Sequence[Factor] = (), target: str = CLAIM) -> Settled:
    """Equations for both sides of a claim.

    Args:
        elements: what the left-hand side names and therefore takes to exist.
        target: the array that is defined, where it is no claim.
    """
    names = tuple(letters)
    elements = [f for f in elements if all(v in names for e in f.indices for v in e.names if "~" in v)]
    axes = Axes(scope, names, target)
    for letter, ends in zip(names, box, strict=False):
        if ends is not None:
            axes.given(letter, ends)
    axes.infer((*(Raw((f,)) for f in elements), *left, *right))
    scope.facts += [c for c in axes.facts if c not in scope.facts]
    ranges = tuple(axes.outputs[n] for n in names)
    domain = [*conditions, *existing(scope, elements, names, ranges)]
    finite = all(r.extent is not None for r in ranges)
    if not finite:
        domain += [c for n, r in zip(names, ranges, strict=True) if r.extent is not None
                   for c in inside(Affine.of(n) - r.low, r.extent)]
    maker = _Maker(scope, names, ranges if finite else (), unique(domain))
    context = maker.context([*left, *right], scope)
    output = Tensor(RESULT, tuple(r.extent for r in ranges if r.extent is not None)) if finite \
        else Signal(RESULT, len(names))
    both = [Equation(output[tuple(map(Affine.of, names))], [maker.term(t) for t in side], context)
            for side in (left, right)]
    outside = _outside(scope, (*left, *right), names, [*domain, *_boxes(names, ranges), *context.constraints],
                       context)
    return Settled(both[0], both[1], names, ranges, outside)


def existing(scope: Scope, elements: Iterable[Factor], names: Sequence[str],
             ranges: Sequence[Axis]) -> list[Constraint]:
    """The elements named on the left exist: where their indices are not plain letters, that restricts those."""
    found: list[Constraint] = []
    for f in elements:
        array = scope.array(f.name)
        if array is None or any("~" in v and v not in names for e in f.indices for v in e.names):
            continue
        for e, axis, inner in zip(f.indices, array.axes, _pairs(array.inside(f.indices), array), strict=True):
            plain = next((r for n, r in zip(names, ranges, strict=True) if e == Affine.of(n)), None)
            if plain != axis:
                found += inner
    return found


def _pairs(constraints: Sequence[Constraint], array: Array) -> list[tuple[Constraint, ...]]:
    """Two for each finite axis, none for the others."""
    rest = list(constraints)
    found: list[tuple[Constraint, ...]] = []
    for a in array.axes:
        found.append((rest.pop(0), rest.pop(0)) if a.extent is not None else ())
    return found


def literals(scope: Scope, terms: Iterable[Raw], context: Context) -> tuple[tuple[Factor, tuple[Constraint, ...]], ...]:
    """Elements at numbers or sizes, x_3 or w_{k-2}, that need not exist, and what it takes."""
    found: dict[Factor, tuple[Constraint, ...]] = {}
    low = [row(c) for c in context.constraints if not c.equality]
    same = [row(c) for c in context.constraints if c.equality]
    for t in terms:
        for f in t.factors:
            array = scope.array(f.name)
            if array is None or not f.indices or f in found or any("~" in v for e in f.indices for v in e.names):
                continue
            open_ = tuple(c for c in array.inside(f.indices) if not c.is_trivial
                          and feasible([*low, negated(row(c))], same) is not False)
            if open_:
                found[f] = open_
    return tuple(found.items())


def _boxes(names: Sequence[str], ranges: Sequence[Axis]) -> list[Constraint]:
    return [c for n, r in zip(names, ranges, strict=True) if r.extent is not None
            for c in inside(Affine.of(n) - r.low, r.extent)]


@dataclass
class _Maker:
    """Turns raw terms into terms over tensors, indices counted from 0."""

    scope: Scope
    letters: tuple[str, ...]
    ranges: tuple[Axis, ...]
    domain: tuple[Constraint, ...]

    def term(self, t: Raw) -> Term:
        shift: dict[str, AffineLike] = {n: Affine.of(n) + r.low for n, r in zip(self.letters, self.ranges, strict=False)
                                        if r.low != Affine()} if self.ranges else {}
        moved = t.substitute(shift)
        moved = moved.where(*(c for f in moved.factors if (a := self.scope.array(f.name)) and not a.finite
                              for c in a.inside(f.indices)))
        moved = moved.where(*(c for f in moved.factors for c in self.scope.supported(f)))
        moved = self.without_twins(moved)
        extra = tuple(c.substitute(shift) for c in self.domain)
        return Term(tuple(map(self.access, moved.factors)), moved.indices,
                    unique((*moved.constraints, *extra)), moved.coefficient)

    def without_twins(self, t: Raw) -> Raw:
        """One index for two that the same equality fixes: t/s read twice."""
        for c in (c for c in t.constraints if c.equality):
            for index in c.expression.names & set(t.indices):
                for other in t.indices:
                    if other != index and c.substitute({index: other}) in t.constraints and self.fixes(c, index):
                        merged = replace(t, indices=tuple(v for v in t.indices if v != index))
                        return self.without_twins(merged.substitute({index: other}))
        return t

    def fixes(self, c: Constraint, index: str) -> bool:
        """Is there one value of the index only? Its coefficient is a number, or a product of sizes of at least 1."""
        inside = [m for m, _ in c.expression if index in m]
        return len(inside) == 1 and inside[0].count(index) == 1 and all(
            v == index or (v in self.scope.sizes and self.scope.least(v) >= 1) for v in inside[0])

    def access(self, f: Factor) -> Access:
        array = self.scope.array(f.name) or Array(f.name)
        if len(array.axes) != len(f.indices):
            raise NotationError(f"{f.name} has {axes(len(array.axes))} and {len(f.indices)} indices here", -1)
        return Access(array.tensor(), array.shifted(f.indices), f.function)

    def context(self, terms: Iterable[Raw], scope: Scope) -> Context:
        """The sizes that occur, directly or through what is known of them."""
        bound = {n for t in terms for n in t.indices} | set(self.letters)
        names: set[str] = set()
        for t in terms:
            names |= {n for c in t.constraints for n in c.expression.names}
            for f in t.factors:
                names |= {n for e in f.indices for n in e.names}
                array = scope.array(f.name)
                names |= {n for a in (array.axes if array else ()) for e in (a.low, a.extent) if e for n in e.names}
        names |= {n for c in self.domain for n in c.expression.names}
        names |= {n for r in self.ranges for e in (r.low, r.extent) if e for n in e.names}
        names -= bound
        facts = list(scope.facts)
        while True:
            more = {n for c in facts if c.expression.names & names for n in c.expression.names} - names
            if not more:
                break
            names |= more
        used = [c for c in facts if c.expression.names <= names]
        used += [at_least(r.extent, 1) for r in self.ranges if r.extent is not None and r.extent.names
                 and not any("~" in n for n in r.extent.names)]
        return Context(tuple(sorted(names)), unique((*(at_least(n, scope.least(n)) for n in sorted(names)), *used)))


def _outside(scope: Scope, terms: Iterable[Raw], letters: Sequence[str], known: Sequence[Constraint],
             context: Context) -> tuple[str, ...]:
    """Arrays that are read where they have no elements, by sums whose bounds are stated (or by no sum)."""
    found: dict[str, None] = {}
    for t in terms:
        here: dict[str, tuple[Constraint, ...]] = {}
        for f in (*t.factors, *t.reads):
            array = scope.array(f.name)
            if array is None or f.name in here or f.name in scope.support:
                continue
            inside = array.inside(f.indices)
            own = set(letters) | ({n for e in f.indices for n in e.names} if f in t.reads else set(t.indices))
            stated = [c for c in without(t.constraints, inside if f in t.reads else ())
                      if {n for n in c.expression.names if "~" in n} <= own]
            for e, limits in zip(f.indices, _pairs(inside, array), strict=True):
                moving = {n for n in e.names if "~" in n}
                if moving and moving <= {*t.stated, *letters} and any(
                        _reachable([*known, *stated], c, (*letters, *t.indices), context) for c in limits):
                    here[f.name] = inside
        found |= dict.fromkeys(_leading(here, [*known, *t.constraints], (*letters, *t.indices), context))
    return tuple(found)


def _leading(outside: dict[str, tuple[Constraint, ...]], known: Sequence[Constraint], names: Sequence[str],
             context: Context) -> list[str]:
    """One factor that is zero is enough: without arrays that are outside only where another one is."""
    kept = dict(outside)
    for name, limits in outside.items():
        if any(other != name and not any(_reachable([*known, *there], c, names, context) for c in limits)
               for other, there in kept.items()):
            del kept[name]
    return list(kept)


def _connected(start: Constraint, others: Sequence[Constraint]) -> set[str]:
    """The names that bear on a constraint: other axes have sizes of their own."""
    found = set(start.expression.names)
    while more := {v for c in others if c.expression.names & found for v in c.expression.names} - found:
        found |= more
    return found


def _reachable(known: Sequence[Constraint], inside: Constraint, names: Sequence[str], context: Context) -> bool:
    """Can the point lie outside? An engine says whether, or small sizes show where."""
    broken = Constraint(-inside.expression - 1)
    found = possible([*known, broken])
    if found is not None:
        return found
    low = [row(c) for c in known if not c.equality]
    same = [row(c) for c in known if c.equality]
    try:
        if feasible([*low, negated(row(inside))], same, ELIMINATIONS) is False:
            return False
    except OutOfBudget:
        pass
    window = [c for v in names for c in (at_least(v, -3), at_least(9, v))]
    involved = _connected(inside, (*known, *context.constraints))
    known = [c for c in known if c.expression.names & involved]
    part = Context(tuple(s for s in context.sizes if s in involved),
                   tuple(c for c in context.constraints if c.expression.names <= involved & {*context.sizes}))
    for sizes in sizes_of(part, NEARBY):
        here = [c.substitute(sizes) for c in (*known, broken)]
        used = [n for n in names if any(n in c.expression.names for c in here)]
        here += [c for c in window if c.expression.names <= set(used)]
        try:
            if next(points(used, here), None) is not None:
                return True
        except (NotSupported, ValueError):
            return False
    return False
