"""Operators a document defines: (f * g)(x) = sum_a f(a) g(x - a) says what `*` is from there on."""

from __future__ import annotations

from dataclasses import dataclass, replace

from symconv.affine import Affine, Constraint, at_least
from symconv.claims.afresh import other_arity
from symconv.claims.extents import alone, stated
from symconv.claims.judge import Judgement, judge
from symconv.claims.kinds import forward_name, sliding
from symconv.claims.opened import Opened
from symconv.claims.outcome import Outcome
from symconv.claims.raw import Factor, Index, Raw, Sum, Value, derivative, fresh, multiply
from symconv.claims.scope import Axis, Scope
from symconv.claims.settle import settle
from symconv.claims.stars import convolution, named
from symconv.claims.whole import Box
from symconv.claims.words import base_of, is_transpose, key, ranked
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

OPERAND = "operand"  # what an operator derived from others acts on


@dataclass(frozen=True)
class Unary:
    """An operator on one array, T x, by what it does to its argument."""

    argument: str
    letters: tuple[str, ...]
    terms: Sum
    box: Box = ()

    def at(self, names: tuple[str, ...]) -> Sum:
        """What it makes of its argument there."""
        return self.at_places(tuple(map(Affine.of, names)))

    def apply(self, a: Value) -> Value:
        return replace(_applied(self.letters, self.terms, {self.argument: a}), box=self.box)

    def adjoint(self) -> Unary:
        """What collects, for each x_j, what each (T x)_i has of it times y_i."""
        places = tuple(fresh(v) for v in self.letters)
        names = tuple(fresh(v) for v in self.letters)
        inner = derivative(self.at(names), self.argument, tuple(map(Affine.of, places)))
        there = tuple(c for v, ends in zip(names, self.box, strict=False) if ends
                      for c in (at_least(v, ends[0]), at_least(ends[1], v)))
        terms = multiply(inner, (Raw((Factor(OPERAND, tuple(map(Affine.of, names))),)),))
        return Unary(OPERAND, places, tuple(t.over(names, there, names if there else ()) for t in terms))

    def power(self, times: int) -> Unary:
        """T applied again and again."""
        result = self
        for _ in range(times - 1):
            made = self.apply(Value(len(self.letters), result.at_places))
            result = Unary(self.argument, self.letters, made.at(tuple(map(Affine.of, self.letters))), self.box)
        return result

    def at_places(self, places: Index) -> Sum:
        """What it makes of its argument at given indices."""
        return tuple(t.apart().substitute(dict(zip(self.letters, places, strict=True))) for t in self.terms)

    def depends(self, parameter: str) -> bool:
        """Is a of T_a what x_{i-a} is shifted by, and no label?"""
        return any(parameter in e.names for t in self.terms for f in t.factors for e in f.indices)

    def where(self, parameter: str, value: Affine) -> Unary:
        """T_s for T_a."""
        return replace(self, terms=tuple(t.substitute({parameter: value}) for t in self.terms))


@dataclass(frozen=True)
class Template:
    """What an operator means: its defining sum over `first` and `second`.

    Args:
        general: it serves any operands; else, with bounds of its own, those it was written for, and others in the
            place of `kernel`, whose axes the bounds are.
        box: where the result is, of the operands it was written for.
    """

    first: str
    second: str
    letters: tuple[str, ...]
    terms: Sum
    general: bool = True
    kernel: str = ""
    axes: tuple[Axis, ...] = ()
    box: Box = ()

    def serves(self, a: Value, b: Value) -> bool:
        return self.general or self.own(a, b) or self.sizes(a, b) is not None

    def own(self, a: Value, b: Value) -> bool:
        return (a.array, b.array) == (self.first, self.second)

    def sizes(self, a: Value, b: Value) -> dict[str, Affine] | None:
        """What the kernel's sizes are where another array stands in its place, which begins as it does."""
        other = a if self.kernel == self.first else b
        if not self.kernel or len(other.box) != len(self.axes):
            return None
        ends = [(x, e) for x, e in zip(self.axes, other.box, strict=True) if e is not None and x.extent is not None]
        if len(ends) != len(self.axes) or any(x.low != e[0] for x, e in ends):
            return None
        found: dict[str, Affine] = {}
        for x, (low, last) in ends:
            assert x.extent is not None
            if found.setdefault(next(iter(x.extent.names)), last - low + 1) != last - low + 1:
                return None
        return found

    def apply(self, a: Value, b: Value) -> Value:
        """The operator on other operands.

        Raises:
            NotationError: they have other numbers of axes.
        """
        if not a.rank == b.rank == len(self.letters):
            raise NotationError(f"the operator was defined for {ranked(len(self.letters))}", -1)
        own = self.own(a, b)
        sizes = {} if own or self.general else self.sizes(a, b) or {}
        terms = tuple(t.substitute(sizes) for t in self.terms) if sizes else self.terms
        made = _applied(self.letters, terms, {self.first: a, self.second: b})
        return replace(made, box=self.box) if own else made


def _applied(letters: tuple[str, ...], terms: Sum, operands: dict[str, Value]) -> Value:
    """The defining sum with other arrays in the places of its own."""
    def at(index: Index) -> Sum:
        found: list[Raw] = []
        for t in terms:
            if len(index) != len(letters):
                raise NotationError(f"the operator was defined for {ranked(len(letters))}", -1)
            here = t.apart().substitute(dict(zip(letters, index, strict=True)))
            total: Sum = (replace(here, factors=()),)
            for f in here.factors:
                total = multiply(total, operands[f.name].at(f.indices) if f.name in operands else (Raw((f,)),))
            found += total
        return tuple(found)

    return Value(len(letters), at)


def operator_of(left: n.Node) -> tuple[n.Operation, tuple[n.Node, ...]] | None:
    """The operation and the indices it stands at."""
    entries: tuple[n.Node, ...] = ()
    while True:
        if (found := convolution(left)) is not None:
            return found, entries
        if isinstance(left, n.Call):
            entries, left = (*left.arguments, *entries), left.head
        elif isinstance(left, n.Scripted):
            entries, left = (*left.below, *entries), left.base
        elif isinstance(left, n.Bracketed):
            left = left.body
        else:
            break
    if not isinstance(left, n.Operation):
        return None
    a, b = left.left, left.right
    if not entries and isinstance(a, n.Call) and isinstance(b, n.Call) and a.arguments == b.arguments:
        return replace(left, left=a.head, right=b.head), a.arguments  # x[n] * h[n] for (x * h)[n]
    return left, entries


def operator_definition(opened: Opened, left: n.Node, right: n.Node, s: Statement | None = None) -> Outcome | None:
    """The outcome when the equality says what the operator is; None when that is known already."""
    found = operator_of(left)
    if found is None or not _explicit(right):
        return None
    node, entries = found
    scope, op = opened.scope, named(node)
    if op in scope.stars or not entries or (op, len(entries)) in scope.templates:
        return None
    if not all(isinstance(side, n.Name | n.Scripted) for side in (node.left, node.right)):
        return None
    reader = opened.reader()
    names = [scope.resolve(key(node.left)), scope.resolve(key(node.right))]
    for name in names:
        other_arity(scope, name, len(entries))
    terms = reader.value(right).terms
    letters = opened.used(terms)
    meaning = sliding(terms, letters)
    bounded = any(t.stated for t in terms)
    used = {f.name for t in terms for f in t.factors}
    if used == {v.swapcase() for v in names}:  # (W * X)_i = sum_j w_j x_{i-j}
        names = [v.swapcase() for v in names]
    if used != set(names) or (bounded and len(terms) != 1):
        if meaning:
            scope.stars[op] = meaning
        return Outcome("forward", Judgement("definition"), f"{op} is {forward_name(scope, terms, letters)}",
                       remarks=opened.remarks(reader))
    if bounded:
        settle(scope, terms, (), letters)
    for name in names:
        scope.line(name, len(letters))
    kernel = _kernel(scope, names, terms) if bounded else ""
    scope.templates[op, len(letters)] = Template(
        names[0], names[1], letters, terms, not bounded, kernel, scope.arrays[kernel].axes if kernel else (),
        _stated_box(opened.conditions(s, reader), letters) if s else ())
    if bounded and meaning:
        scope.stars[op] = meaning
    if meaning:
        scope.meanings[op] = meaning
    return Outcome("forward", Judgement("definition"), f"{op} is {forward_name(scope, terms, letters)}",
                   remarks=opened.remarks(reader))


def _kernel(scope: Scope, names: list[str], terms: Sum) -> str:
    """The operand whose axes the bounds of the sum are: nothing of the other occurs in them."""
    bounds = {v for t in terms for c in t.constraints for v in c.expression.names}
    sizes = [{v for a in scope.arrays[n].axes if a.extent for v in a.extent.names} for n in names]
    found = [n for n, own, other in zip(names, sizes, reversed(sizes), strict=True) if own and own <= bounds
             and not other & bounds and all(alone(a.extent) for a in scope.arrays[n].axes if a.extent)]
    return found[0] if len(found) == 1 else ""


def _stated_box(conditions: list[Constraint], letters: tuple[str, ...]) -> Box:
    """Where the result is, by 0 <= u < k behind the formula."""
    term = Raw(constraints=tuple(conditions), indices=letters)
    ends = tuple(stated(letter, term) for letter in letters)
    return ends if all(ends) else ()


def unary_definition(opened: Opened, left: n.Product, entries: tuple[n.Node, ...], right: n.Node, s: Statement,
                     given: bool) -> Outcome | None:
    """(T x)[i] = x[i - a] says what the operator T does."""
    factors = left.factors
    if len(factors) != 2 or not all(isinstance(f, n.Name | n.Scripted) for f in factors):
        return None
    scope, name, argument = opened.scope, key(factors[0]), opened.scope.resolve(key(factors[1]))
    matrix = scope.resolve(key(base_of(factors[0])))
    if scope.array(name) is not None or scope.array(matrix) is not None:
        return None  # (A^T y)_j of a matrix that is known
    reader = opened.reader()
    head = factors[0]
    assert isinstance(head, n.Name | n.Scripted)
    known = None if name in scope.unary and given else reader.acting(head)
    if known is not None and (not given or not _turned(factors[0])):
        return None if name in scope.unary else _claimed(opened, known, argument, entries, right)
    reader.names = {v: e for v, e in reader.names.items() if v in {key(x) for x in entries}}
    letters = tuple(e.items[0][0][0] for e in reader.names.values())
    terms = reader.value(right).terms
    scope.unary[name] = Unary(argument, letters, terms, _stated_box(opened.conditions(s, reader), letters))
    return Outcome("definition", Judgement("definition"), f"what {name} does to an array",
                   remarks=opened.remarks(reader))


def _turned(node: n.Node) -> bool:
    """T^T: a transpose a person defined stands as it was defined."""
    return isinstance(node, n.Scripted) and any(map(is_transpose, node.above))


def _claimed(opened: Opened, operator: Unary, argument: str, entries: tuple[n.Node, ...], right: n.Node) -> Outcome:
    """(T^T y)_j = ..., (T^2 x)_i = ... are no definitions once T is known."""
    scope, reader = opened.scope, opened.reader()
    reader.names = {v: e for v, e in reader.names.items() if v in {key(x) for x in entries}}
    scope.line(argument, len(operator.letters))
    claimed = reader.value(right).terms
    places = tuple(reader.names.values())
    truth = operator.apply(Value(len(places), lambda i: (Raw((Factor(argument, i),)),))).at(places)
    letters = tuple(e.items[0][0][0] for e in places)
    return Outcome("identity", judge(scope, truth, claimed, letters), "what the operator does follows",
                   remarks=opened.remarks(reader))


def _explicit(node: n.Node) -> bool:
    """A sum or an integral, not another operator."""
    from symconv.claims.letters import children

    if isinstance(node, n.Sum | n.Integral):
        return True
    return any(map(_explicit, children(node)))


