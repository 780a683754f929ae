"""A document read from top to bottom: definitions go into the scope, claims are decided."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims import whole
from symconv.claims.axes import Axes
from symconv.claims.conventions import assume_upstream
from symconv.claims.elements import matched
from symconv.claims.judge import Judgement, judge
from symconv.claims.kinds import forward_name, sliding
from symconv.claims.letters import children, scalar_like
from symconv.claims.listing import define_element
from symconv.claims.opened import Opened
from symconv.claims.operators import operator_definition, unary_definition
from symconv.claims.outcome import Outcome
from symconv.claims.partials import is_loss
from symconv.claims.raw import Factor, Sum, Value, fresh
from symconv.claims.reader import Reader
from symconv.claims.readings import decide_readings
from symconv.claims.regroup import mapped, regrouped
from symconv.claims.scalars import assume, scalar_chain, size_chain
from symconv.claims.scope import GRADIENT, Array, Definition, Scope
from symconv.claims.spelling import reference
from symconv.claims.suggest import suggestion
from symconv.claims.updates import time_step, update
from symconv.claims.words import base_of, key
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

HYPOTHESES = {
    "integral": "substitutions and integration by parts over R, for integrable functions",
    "integers": "sums over all integers, for functions of finite support",
    "zero": "arrays count as zero outside",
}
EQUALS = ("=", ":=", "==", "~")
UPSTREAM = ("delta", "Delta", "δ", "dout", "dy", "dz", "g")


@dataclass
class Session:
    """Decides statements one after another.

    Args:
        given: the statements are context a person gave, not the document under test.
    """

    scope: Scope = field(default_factory=Scope)
    given: bool = False
    fixed: bool = False

    def words(self) -> frozenset[str]:
        """Names of several letters that people write without \\mathrm: dW, stride."""
        said = (*self.scope.roles, *self.scope.upstream, *self.scope.settings)
        return frozenset({w for w in said if len(w) > 1 and w.isalpha()}
                         | {f"d{a}" for a in self.scope.arrays if a.isalpha()})

    def correlates(self) -> bool:
        """Does the document's own forward formula slide the kernel as it stands?"""
        return any(sliding(d.terms, d.letters) == "correlation" for d in self.scope.definitions.values())

    def statement(self, s: Statement) -> list[Outcome]:
        """Every part's outcome. Errors of notation become outcomes of their own."""
        self.scope.notes.clear()
        self.scope.settled = set(self.scope.sizes)
        body = regrouped(s.body.body if isinstance(s.body, n.Noted) else s.body, self.words())
        try:
            if isinstance(body, n.Chain) and (step := time_step(body)) is not None:
                return self.update(step, s)
            if isinstance(body, n.Chain) and all(o in EQUALS for o in body.operators):
                return self.chain(body, s)
            if isinstance(body, n.Chain) and body.operators[0] == "<-":
                return self.update(body, s)
            if isinstance(body, n.Chain):
                if self.given and all(scalar_like(i, self.scope) for i in body.items) and assume(self.scope, body):
                    return [Outcome("definition", Judgement("definition"))]
                return [Outcome("", Judgement("not_a_claim", reason="a condition, not an equality"))]
            return self.expression(body, s)
        except NotationError as e:
            return [Outcome("", Judgement("not_understood", reason=e.reason), at=e.at)]

    # -- chains

    def chain(self, body: n.Chain, s: Statement) -> list[Outcome]:
        if all(scalar_like(i, self.scope) for i in body.items) or size_chain(body, self.scope):
            return scalar_chain(self.scope, body, s, self.given)
        if _chooses(body):
            return [replace(o, reading=_joined(f"with the {word} sign", o.reading))
                    for sign, word in ((1, "upper"), (-1, "lower"))
                    for o in replace(self, scope=self.scope.branch()).parts(body, s, sign)]
        return self.parts(body, s, 1)

    def parts(self, body: n.Chain, s: Statement, choice: int) -> list[Outcome]:
        """One outcome for each equality; the first may define its left-hand side."""
        opened = Opened(self.scope, choice, body)
        found: list[Outcome] = []
        for part, (left, right) in enumerate(zip(body.items, body.items[1:], strict=False)):
            try:
                found.append(replace(self.part(opened, left, right, s, part), part=part))
            except NotationError as e:
                found.append(Outcome("", Judgement("not_understood", reason=e.reason), part=part, at=e.at))
        return found

    def part(self, opened: Opened, left: n.Node, right: n.Node, s: Statement, part: int) -> Outcome:
        if part == 0 and isinstance(left, n.Partial) and isinstance(right, n.Partial) and left.by == right.by:
            operator_definition(opened, left.of, right.of)  # the same definition, derived on both sides
        defined = self.definition(opened, left, right, s) if part == 0 else None
        return defined or self.claim(opened, left, right, s)

    # -- definitions

    def definition(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome | None:
        """The outcome when the equality defines its left-hand side, None when it claims something."""
        if isinstance(left, n.Bracketed):
            left = left.body
        left = _applied(left)
        if isinstance(left, n.Call | n.Operation | n.Scripted) and _starred(left):
            return operator_definition(opened, left, right)
        if not isinstance(left, n.Name | n.Scripted | n.Call):
            return None
        inner = left.head if isinstance(left, n.Call) else left.base if isinstance(left, n.Scripted) else left
        if isinstance(inner, n.Bracketed) and isinstance(inner.body, n.Product):
            entries = left.arguments if isinstance(left, n.Call) else left.below if isinstance(left, n.Scripted) else ()
            return unary_definition(opened, inner.body, reader_entries(opened, entries), right)
        if not isinstance(base_of(left), n.Name):
            return None
        if not _plain(left, opened):
            return define_element(opened, left, right)
        reader = opened.reader()
        ref = reference(reader, left)
        if ref.transposed or ref.power != 1:
            return None
        if isinstance(right, n.Partial) and self.upstream(opened, ref.name, right):
            return Outcome("definition", Judgement("definition"), f"{ref.name} is dL/d{self.scope.upstream[ref.name]}")
        if self.scope.resolve(ref.name).startswith(GRADIENT):
            return None
        ref = replace(ref, name=self.scope.known_as(ref.name) if not ref.indexed else ref.name)
        known = ref.name in self.scope.definitions
        if known and self.given:
            known = False
        if known:
            return self.restated(opened, left, right, s, ref.name)
        if self.scope.arrays.get(ref.name) and not self.given and self.scope.readers(ref.name):
            pass
        return self.define(opened, left, right, s)

    def upstream(self, opened: Opened, name: str, right: n.Partial) -> bool:
        """delta_i = dL/do_i gives a letter to a gradient."""
        reader = opened.reader()
        if not is_loss(reader, right.of) or self.scope.array(name) is not None:
            return False
        by = reference(reader, right.by).name
        if by == name or by in self.scope.upstream:
            return False
        self.scope.losses.add(key(right.of))
        self.scope.upstream[name] = by
        return True

    def restated(self, opened: Opened, left: n.Node, right: n.Node, s: Statement, name: str) -> Outcome:
        """A second formula for what is defined: the same again, or a new definition."""
        old = self.scope.definitions[name]
        try:
            outcome = self.claim(opened, left, right, s)
        except NotationError:
            outcome = None
        if (outcome and outcome.verdict == "proved") or self.strict_restatement(outcome):
            assert outcome is not None
            return outcome
        array = self.scope.arrays.pop(name)
        del self.scope.definitions[name]
        try:
            return self.define(opened, left, right, s)
        except NotationError:
            self.scope.arrays[name], self.scope.definitions[name] = array, old
            raise

    def strict_restatement(self, outcome: Outcome | None) -> bool:
        """What was given stands: another formula for it is a claim."""
        return outcome is not None and self.fixed and outcome.judgement.decided

    def define(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
        reader = opened.reader()
        ref = reference(reader, left)
        indexing = reader.indexing()
        entries = indexing.entries(ref.entries, None)
        letters = tuple(_letter(e, reader) for e in entries)
        if len(set(letters)) != len(letters) or "" in letters:
            raise NotationError("the left-hand side is no name with plain indices", -1)
        if not letters:
            return self.define_whole(opened, ref.name, right)
        value = reader.value(right)
        remarks = opened.remarks(reader)
        if value.rank:
            raise NotationError("the right-hand side is a whole array, the left-hand side an element", -1)
        terms = value.terms
        if not (self.given or self.fixed) and any(t.indices and len(t.factors) > 1 for t in terms):
            self.scope.start_afresh({f.name for t in terms for f in t.factors})
        axes = Axes(self.scope, letters, ref.name)
        conditions = opened.conditions(s, reader)
        axes.stated(conditions)
        axes.infer(terms)
        axes.facts += [at_least(a.extent, 1) for a in axes.outputs.values() if a.extent and not a.extent.is_constant
                       and not any("~" in v for v in a.extent.names)]
        self.scope.facts += [c for c in axes.facts if c not in self.scope.facts]
        self.scope.arrays[ref.name] = Array(ref.name, tuple(axes.outputs[v] for v in letters))
        self.scope.definitions[ref.name] = Definition(ref.name, letters, terms)
        return Outcome("forward", Judgement("definition"), forward_name(self.scope, terms, letters), remarks=remarks)

    def define_whole(self, opened: Opened, name: str, right: n.Node) -> Outcome:
        """h = W x + b, without indices; a loss; or a letter for an expression."""
        reader = opened.reader()
        reader.guess = 0
        value = reader.value(right)
        letters = tuple(fresh(c) for c in "ijkl"[:value.rank])
        terms = value.at(tuple(map(Affine.of, letters)))
        axes = Axes(self.scope, letters, name)
        for letter, ends in zip(letters, value.box, strict=False):
            if ends is not None:
                axes.given(letter, ends)
        axes.infer(terms)
        self.scope.facts += [c for c in axes.facts if c not in self.scope.facts]
        self.scope.arrays[name] = Array(name, tuple(axes.outputs[v] for v in letters))
        self.scope.definitions[name] = Definition(name, letters, terms)
        if value.row:
            self.scope.rows.add(name)
        if not letters:
            self.scope.losses.add(name)
        return Outcome("forward", Judgement("definition"), "")

    # -- claims

    def about_sizes(self, s: Statement) -> bool:
        """Sizes come first: what follows is read with them."""
        body = s.body
        return isinstance(body, n.Chain) and all(scalar_like(i, self.scope) for i in body.items)

    def assume(self, s: Statement) -> list[Outcome]:
        """A statement somebody gave: its definitions are taken, its other equalities believed or not used."""
        return self.statement(s)

    def claim(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
        outcome = decide_readings(self, opened, left, right, s)
        if self.given or outcome.verdict not in ("refuted", "proved_if", "proved_for") or outcome.suggestion:
            return outcome
        sides = signed(left, opened.choice), signed(right, opened.choice)
        return replace(outcome, suggestion=suggestion(self, sides[0], sides[1], s))

    def decide(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
        """One reading of one equality."""
        reader = opened.reader()
        if not opened.letters:
            reader.guess = 1 if _operates(left) or _operates(right) else 0
        self.prepare(reader, left, right)
        ours = reader.value(left)
        elements = [f for f in reader.elements if f.indices]
        theirs = reader.value(right)
        remarks = opened.remarks(reader)
        ours, theirs = _same_rank(ours, theirs)
        names = tuple(fresh(c) for c in "ijkl"[:ours.rank])
        here = tuple(map(Affine.of, names))
        conditions = opened.conditions(s, reader)
        letters = (*opened.used(ours.at(here), theirs.at(here)), *names)
        box = (*(None for _ in letters[:len(letters) - len(names)]),
               *(ours.box if whole.known(ours) else theirs.box if whole.known(theirs) else ()))
        if opened.lost:
            return Outcome("", Judgement("not_understood", reason=opened.lost[0].message), remarks=remarks,
                           at=opened.lost[0].at)
        self.known(ours.at(here), theirs.at(here))
        if not ours.at(here) and not isinstance(left, n.Number):
            raise NotationError("the left-hand side does not depend on anything it names", -1)
        before = list(self.scope.facts)
        self.scope.facts += listed(self.scope, (left, right))
        judgement = judge(self.scope, ours.at(here), theirs.at(here), letters, conditions, box, elements)
        if self.fixed or self.given:
            self.scope.facts[:] = before
        notes = [HYPOTHESES.get(v, v) for v in (*self.scope.notes, judgement.domain) if v]
        return Outcome(self.kind(left, elements), judgement, "; ".join(dict.fromkeys(notes)), remarks=remarks)

    def known(self, ours: Sum, theirs: Sum) -> None:
        """A gradient follows from definitions alone: with an array that has none it cannot be decided.

        Raises:
            NotationError: there is such an array.
        """
        if not any(f.name.startswith(GRADIENT) for t in ours for f in t.factors):
            return
        for f in (f for t in (*ours, *theirs) for f in t.factors if f.indices):
            name = f.name.removeprefix(GRADIENT)
            if self.scope.array(name) is None:
                raise NotationError(f"nothing says what {name} is", -1)
        for t in ours:
            for f in t.factors:
                name = f.name.removeprefix(GRADIENT)
                if f.name.startswith(GRADIENT) and not any(True for _ in self.scope.readers(name)) \
                        and not any(g.name == f.name for u in theirs for g in u.factors):
                    raise NotationError(f"nothing says how the loss depends on {name}", -1)

    def prepare(self, reader: Reader, left: n.Node, right: n.Node) -> None:
        """Letters such as delta that nobody defined stand for the gradient of the last output."""
        assume_upstream(self.scope, reader, (left, right))

    def kind(self, left: n.Node, elements: Sequence[Factor]) -> str:
        if isinstance(left, n.Partial) or any(f.name.startswith(GRADIENT) for f in elements):
            return "gradient"
        return "identity"

    def update(self, body: n.Chain, s: Statement) -> list[Outcome]:
        return update(self, body, s)

    def expression(self, body: n.Node, s: Statement) -> list[Outcome]:
        return matched(self, body, s)


def _letter(entry: n.Node, reader: Reader) -> str:
    """The internal name of an index entry that is one free letter, else nothing."""
    here = reader.names.get(key(entry))
    return here.items[0][0][0] if here is not None and len(here.items) == 1 else ""


def _applied(left: n.Node) -> n.Node:
    """(T x)(i) reads as a product of two brackets; on the left it is T x at i."""
    if isinstance(left, n.Product) and len(left.factors) == 2 and all(isinstance(f, n.Bracketed) for f in left.factors):
        first, second = left.factors
        if isinstance(first, n.Bracketed) and isinstance(first.body, n.Product) and isinstance(second, n.Bracketed):
            return n.Call(first, (second.body,))
    return left


def reader_entries(opened: Opened, entries: tuple[n.Node, ...]) -> tuple[n.Node, ...]:
    return tuple(opened.reader().indexing().entries(entries, None))


def signed(node: n.Node, choice: int) -> n.Node:
    """With every plus-minus replaced by the sign that is meant."""
    made = mapped(node, lambda inner: signed(inner, choice))
    return n.Signed(made.choice * choice < 0, made.node) if isinstance(made, n.Signed) and made.choice else made


def _operates(node: n.Node) -> bool:
    return (isinstance(node, n.Operation) and node.operator not in ("times", "odot", "mod", "circ")) \
        or any(map(_operates, children(node)))


def _plain(left: n.Node, opened: Opened) -> bool:
    """Only letters stand at the index positions: a pattern that can be defined, not a single element."""
    reader = opened.reader()
    ref = reference(reader, left)
    array = opened.scope.array(opened.scope.resolve(ref.name))
    entries = reader.indexing().entries(ref.entries, len(array.axes) if array else None)
    letters = [_letter(e, reader) for e in entries]
    return "" not in letters and len(set(letters)) == len(letters)


def listed(scope: Scope, nodes: tuple[n.Node, ...]) -> list[Constraint]:
    """A column that lists x_1, ..., x_3 says that x has three elements."""
    found: list[Constraint] = []
    for node in nodes:
        found += listed(scope, tuple(children(node)))
        if not isinstance(node, n.Matrix) or min(len(node.rows), len(node.rows[0])) != 1:
            continue
        entries = [e for r in node.rows for e in r]
        reader = Reader(scope)
        try:
            factors = [reader.terms(e)[0].factors for e in entries]
        except (NotationError, IndexError):
            continue
        names = {f[0].name for f in factors if len(f) == 1 and len(f[0].indices) == 1}
        array = scope.array(names.pop()) if len(names) == 1 else None
        if array and array.finite and [f[0].indices[0] for f in factors if f] == [
                array.axes[0].low + i for i in range(len(entries))]:
            assert array.axes[0].extent is not None
            found.append(equal(array.axes[0].extent, len(entries)))
    return found


def _same_rank(a: Value, b: Value) -> tuple[Value, Value]:
    if a.rank == b.rank:
        return a, b
    if (not a.rank and not a.terms) or (not b.rank and not b.terms):  # zero of any rank
        rank = max(a.rank, b.rank)
        return (Value(rank, lambda i: ()), b) if not a.rank else (a, Value(rank, lambda i: ()))
    raise NotationError(f"the left-hand side has {a.rank} axes and the right-hand side {b.rank}", -1)


def _chooses(node: n.Node) -> bool:
    return (isinstance(node, n.Signed) and bool(node.choice)) or any(map(_chooses, children(node)))


def _starred(node: n.Node) -> bool:
    """An operator at an index or alone: [f * g](x), (f * g)_i, f * g."""
    while isinstance(node, n.Call | n.Scripted | n.Bracketed):
        node = node.head if isinstance(node, n.Call) else node.base if isinstance(node, n.Scripted) else node.body
    return isinstance(node, n.Operation) and node.operator not in ("times", "odot", "mod", "circ")


def _joined(*texts: str) -> str:
    return "; ".join(t for t in texts if t)

