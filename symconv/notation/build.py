"""From equations to nodes.

Inside an equation indices count from 0. With base 1 every index v is printed as one that runs
from 1: v - 1 takes its place in every access and condition, and every access moves up by 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symconv.affine import Affine, Constraint, equal
from symconv.equation import Access, Equation, Tensor, Term
from symconv.jacobian import Jacobian
from symconv.notation.nodes import (
    Add,
    Apply,
    Chain,
    Element,
    Iverson,
    Node,
    Noted,
    Number,
    Outside,
    Partial,
    Product,
    Range,
    Signed,
    Sum,
    Symbol,
)
from symconv.notation.ranges import bounds, outside

LOSS = Symbol("L")


def build(equation: Equation, base: int = 1, *, code: bool = False, brackets: bool = False, notes: bool = True,
          at: Mapping[str, int] | None = None) -> Node:
    """The tree of a formula.

    Args:
        base: where printed indices start, 0 or 1.
        code: array names as kernels have them, instead of symbols and partial derivatives.
        brackets: equalities as factors [a = m] instead of conditions under the sum.
        notes: say which tensors are read as zero outside their ranges.
        at: numbers (counted from `base`) for output indices, for the formula at one element.
    """
    return Builder(equation, base, code, brackets, dict(at or {})).equation_node(notes)


def affine(e: Affine, order: Iterable[str] = ()) -> Node:
    """An index expression as authors write it: names in the given order, then sizes, constants
    last, and a positive item first if there is one."""
    place = {n: i for i, n in enumerate(order)}
    items = sorted(e, key=lambda t: (not t[0], min((place.get(n, len(place)) for n in t[0]), default=0), t[0]))
    first = next((t for t in items if t[1] > 0), None)
    if first is not None:
        items = [first, *(t for t in items if t is not first)]
    if not items:
        return Number(0)
    terms = tuple(Signed(c < 0, _monomial(abs(c), m)) for m, c in items)
    return terms[0].node if len(terms) == 1 and not terms[0].negative else Add(terms)


def _monomial(c: int, names: tuple[str, ...]) -> Node:
    factors = ((Number(c),) if c != 1 or not names else ()) + tuple(map(Symbol, names))
    return factors[0] if len(factors) == 1 else Product(factors)


def tensor_node(tensor: Tensor, indices: tuple[Node, ...] = (), code: bool = False) -> Node:
    """A tensor or one of its elements: a gradient prints as its symbol, or as a partial derivative."""
    if code:
        return Element(tensor.name, indices, role(tensor))
    if isinstance(tensor, Jacobian):
        split = len(tensor.of.shape)
        return Partial(tensor_node(tensor.of, indices[:split]), tensor_node(tensor.by, indices[split:]))
    if tensor.gradient_of and tensor.symbol == tensor.name:
        return Partial(LOSS, Element(tensor.gradient_of, indices, role(tensor)))
    return Element(tensor.symbol, indices, role(tensor))


def role(tensor: Tensor) -> str:
    """The array's name; for a gradient its symbol, or the name of the array it belongs to."""
    if not tensor.gradient_of:
        return tensor.name
    return tensor.name.removeprefix("d") if tensor.symbol == tensor.name else tensor.symbol


@dataclass
class Builder:
    """What stays the same while one equation is turned into nodes."""

    equation: Equation
    base: int
    code: bool = False
    brackets: bool = False
    at: dict[str, int] = field(default_factory=dict)

    def equation_node(self, notes: bool) -> Node:
        terms = [self.term(t) for t in self.equation.terms]
        right: Node = Number(0)
        if terms:
            right = terms[0].node if len(terms) == 1 and not terms[0].negative else Add(tuple(terms))
        body = Chain((self.access(self.equation.left, ()), right), ("=",))
        side = self.outside() if notes else ()
        return Noted(body, side) if side else body

    def shifted(self, e: Affine, names: Iterable[str]) -> Affine:
        """The expression in printed indices, output indices in numbers where they are given."""
        out = {n: self.at.get(n, Affine.of(n)) - self.base for n in self.equation.indices}
        return e.substitute({**out, **{n: Affine.of(n) - self.base for n in names}})

    def access(self, a: Access, names: tuple[str, ...]) -> Node:
        entries = tuple(self.index(e, names) for e in a.indices)
        node = tensor_node(a.tensor, entries, self.code)
        return Apply(a.function, node) if a.function else node

    def term(self, t: Term) -> Signed:
        body = [self.access(f, t.indices) for f in sorted(t.factors, key=_written)]
        moving = frozenset((*self.equation.indices, *t.indices))
        said: set[Constraint] = set()
        ranges = []
        for name in t.indices:
            found, used = bounds(name, t, moving)
            said |= used
            values = tuple(map(self.plain, (*found, found[1] + 1))) if found else ()
            ranges.append(Range(Symbol(name), *values))
        conditions = [c for c in t.constraints if c not in said]
        factor = [c for c in conditions if self.brackets or not c.expression.names & set(t.indices)]
        under = [c for c in conditions if c not in factor]
        body += [Iverson(self.bracket(c, t.indices)) for c in factor]
        size = abs(t.coefficient)
        if size != 1 or not body:
            body.insert(0, Number(size.numerator if size.denominator == 1 else Fraction(size)))
        node = body[0] if len(body) == 1 else Product(tuple(body))
        return Signed(t.coefficient < 0, self.sums(t, ranges, under, node))

    def index(self, e: Affine, names: tuple[str, ...] = ()) -> Node:
        """The value of an index, counted from the base."""
        return affine(self.shifted(e, names) + self.base, (*self.equation.indices, *names))

    def plain(self, e: Affine) -> Node:
        return affine(e + self.base, self.equation.indices)

    def sums(self, t: Term, ranges: list[Range], under: list[Constraint], body: Node) -> Node:
        """The indices that conditions tie together share one sum, below the others."""
        tied = {n for c in under for n in c.expression.names}
        inner = tuple(r for r in ranges if isinstance(r.index, Symbol) and r.index.name in tied)
        if inner:
            body = Sum(inner, body, tuple(self.condition(c, t.indices) for c in under))
        outer = tuple(r for r in ranges if r not in inner)
        return Sum(outer, body) if outer else body

    def condition(self, c: Constraint, names: tuple[str, ...]) -> Node:
        """Both sides with positive coefficients, the summation indices on the left if they agree."""
        e = self.shifted(c.expression, names)
        if c.equality and next((e.coefficient(n) for n in names if e.coefficient(n)), 1) < 0:
            e = -e
        left = Affine.build({m: v for m, v in e if v > 0})
        return self.relation(left, left - e, c.equality, names)

    def bracket(self, c: Constraint, names: tuple[str, ...]) -> Node:
        """Solved for an output index where one stands alone: [i + j - 1 = m]."""
        e = self.shifted(c.expression, names)
        for n in reversed(self.equation.indices):
            if c.equality and abs(e.coefficient(n)) == 1 and n not in self.at:
                right = Affine.of(n)
                return self.relation(right - e * e.coefficient(n), right, True, names)
        return self.condition(c, names)

    def relation(self, left: Affine, right: Affine, equality: bool, names: tuple[str, ...]) -> Node:
        order = (*self.equation.indices, *names)
        return Chain((affine(left, order), affine(right, order)), ("==" if equality else ">=",))

    def outside(self) -> tuple[Node, ...]:
        found: dict[Tensor, set[int]] = {}
        given = [equal(n, v - self.base) for n, v in self.at.items()]
        for t in self.equation.terms:
            for access, axes in outside(self.equation, t, given):
                found.setdefault(access.tensor, set()).update(axes)
        return tuple(Outside(tensor_node(tensor, code=self.code),
                             tuple((Number(self.base), self.plain(tensor.shape[a] - 1)) for a in sorted(axes)))
                     for tensor, axes in found.items())


def _written(f: Access) -> tuple[bool, bool, bool]:
    """Upstream gradient first, elements at a plain index before those at a compound one, sigma' last."""
    return not f.tensor.gradient_of, bool(f.function), any(len(e.items) > 1 for e in f.indices)
