"""A document read from top to bottom: definitions go into the scope, claims are decided."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from symconv.affine import Affine
from symconv.claims import whole
from symconv.claims.activations import DERIVATIVES
from symconv.claims.blocks import block_sizes
from symconv.claims.blurred import blur, clear
from symconv.claims.conventions import assume_upstream
from symconv.claims.defining import defined
from symconv.claims.elements import matched
from symconv.claims.examples import for_the_example
from symconv.claims.finding import LOWER, UPPER
from symconv.claims.function_definitions import functions, is_function_of
from symconv.claims.grounds import compared, grounded
from symconv.claims.images import number_images
from symconv.claims.indexing import Indexing, is_line
from symconv.claims.judge import Judgement, judge
from symconv.claims.kinds import sliding
from symconv.claims.letters import children, counts, scalar_like
from symconv.claims.listing import listed
from symconv.claims.noticing import UnknownName, lost, outside, taken
from symconv.claims.opened import Opened
from symconv.claims.operators import operator_definition, operator_of
from symconv.claims.outcome import Outcome
from symconv.claims.piecewise import literal
from symconv.claims.raw import Factor, Value, fresh, plain
from symconv.claims.reader import Reader
from symconv.claims.readings import decide_readings
from symconv.claims.regroup import framework_names, gradients, mapped, regrouped
from symconv.claims.scalars import assume, scalar_chain, size_chain
from symconv.claims.scope import BASE, GRADIENT, LINE, Array, Definition, Scope
from symconv.claims.sequences import bounded, layered
from symconv.claims.suggest import suggestion
from symconv.claims.updates import time_step, update
from symconv.claims.words import base_of, key, names_in, ranked
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement
from symconv.notation.vocabulary import RUN

HYPOTHESES = {
    "integral": "substitution over R, for integrable functions",
    "derivative": "differentiation under the integral and integration by parts over R, for differentiable functions "
                  "that are integrable with their derivatives",
    "integers": "sums over all integers, for functions of finite support",
    "zero": "arrays count as zero outside",
}
EQUALS = ("=", ":=", "==")
UPSTREAM = ("delta", "Delta", "δ", "dout", "dy", "dz", "g")


@dataclass
class Session:
    """Decides statements one after another.

    Args:
        given: the statements are context a person gave, not the document under test.
        latest: the definition read last, and what was known before it.
        indexed: names that carry letters as indices in what was given.
        rivals: a first formula for what was then said to be made of this array, y = T x.
    """

    scope: Scope = field(default_factory=Scope)
    given: bool = False
    fixed: bool = False
    latest: tuple[Mapping[str, object], str, Statement] | None = None
    indexed: set[str] = field(default_factory=set)
    rivals: dict[str, tuple[Definition, Array]] = field(default_factory=dict)

    def words(self, body: n.Node) -> frozenset[str]:
        """Names of several letters that people write without \\mathrm: dW, stride."""
        said = (*self.scope.named, *self.scope.roles, *self.scope.upstream, *self.scope.settings)
        return frozenset({w for w in said if len(w) > 1 and w.isalpha()}
                         | {f"d{base}" for a in self.scope.arrays if (base := re.split(r"[\^_]", a)[0]).isalpha()})

    def correlates(self) -> bool:
        """Does the document's own forward formula slide the kernel as it stands?"""
        return any(sliding(d.terms, d.letters) == "correlation" for d in self.scope.definitions.values())

    def statement(self, s: Statement) -> list[Outcome]:
        """Every part's outcome. Errors of notation become outcomes of their own."""
        self.scope.notes.clear()
        self.scope.settled = set(self.scope.sizes)
        self.scope.runs |= {x.text for x in names_in(s.body) if x.style == RUN}
        self.scope.named |= framework_names(s.body)
        body = regrouped(s.body.body if isinstance(s.body, n.Noted) else s.body, self.words(s.body),
                         frozenset(self.scope.runs))
        body = functions(gradients(body, self.scope.arrays))
        for size in block_sizes(body):
            self.scope.size(size)
        self.scope.written |= {x.text for x in names_in(body)}
        latest, self.latest = self.latest, None
        if not isinstance(body, n.Chain) or _range(body, self.scope):
            self.latest = latest
        try:
            if isinstance(body, n.Chain) and (step := time_step(body, self.scope.arrays)) is not None:
                return self.update(step, s)
            if isinstance(body, n.Chain) and _range(body, self.scope):
                elements(self.scope, body)
                self.runs_over(body)
                verdict = "definition" if self.given else "not_a_claim"
                return [Outcome("", Judgement(verdict, reason="what an index runs over"))]
            if isinstance(body, n.Chain) and all(o in EQUALS for o in body.operators):
                return layered(self.scope, body, self.given) or self.chain(body, s)
            if isinstance(body, n.Chain) and body.operators[0] == "<-":
                return self.update(body, s)
            if isinstance(body, n.Chain) and body.operators == ("in",) and declared(self.scope, body):
                return [Outcome("definition", Judgement("definition"), "a shape")]
            if isinstance(body, n.Chain):
                if self.given and bounded(self.scope, body):
                    return [Outcome("definition", Judgement("definition"))]
                if self.given and all(scalar_like(i, self.scope) for i in body.items) and assume(self.scope, body):
                    return [Outcome("definition", Judgement("definition"))]
                return [Outcome("", Judgement("not_a_claim", reason="a condition, not an equality"))]
            return self.expression(body, s)
        except NotationError as e:
            return [Outcome("", Judgement("not_understood", reason=e.reason), at=e.at)]

    def runs_over(self, body: n.Chain) -> None:
        """i = 0, ..., n - k behind the definition of y_i, in the words around it: its range."""
        if self.latest is None:
            return
        before, name, s = self.latest
        said = [c for c in s.conditions if isinstance(c, n.Chain)]
        letter, d = _running(body), self.scope.definitions.get(name)
        if d is None or letter not in map(plain, d.letters) or letter in map(_running, said):
            return
        axis = self.scope.arrays[name].axes[[plain(v) for v in d.letters].index(letter)]
        endless = any(LINE in self.scope.arrays[r].axes for r in d.reads if r in self.scope.definitions)
        if axis == LINE and endless and self.given:  # a function on all integers: the claim is about some of them
            self.scope.ranges[letter] = body
            return
        self.scope.restore(before)
        self.statement(replace(s, conditions=(*s.conditions, body)))

    def ranges(self, opened: Opened, s: Statement) -> list[n.Node]:
        """What was said of the letters of a claim before it, unless it says so itself."""
        own = {_running(c) for c in s.conditions if isinstance(c, n.Chain)}
        return [c for letter, c in self.scope.ranges.items() if letter in opened.letters and letter not in own]

    # -- chains

    def chain(self, body: n.Chain, s: Statement) -> list[Outcome]:
        if (all(scalar_like(i, self.scope) for i in body.items) and not (self.given and self.element(body.items[0]))) \
                or size_chain(body, self.scope) or counts(body.items[0]):
            return scalar_chain(self.scope, body, s, self.given)
        if isinstance(body.items[-1], n.Number) and not body.items[-1].value and len(body.items) > 2:
            each = [n.Chain((item, body.items[-1]), ("=",)) for item in body.items[:-1]]  # d_0 = d_4 = 0
            return [replace(o, part=at) for at, c in enumerate(each) for o in self.parts(c, s, 1)]
        if _chooses(body):
            return [replace(o, reading=_joined(word, o.reading)) for sign, word in ((1, UPPER), (-1, LOWER))
                    for o in replace(self, scope=self.scope.branch()).parts(body, s, sign)]
        return self.parts(body, s, 1)

    def parts(self, body: n.Chain, s: Statement, choice: int) -> list[Outcome]:
        """One outcome for each equality; the first may define its left-hand side."""
        opened = Opened(self.scope, choice, body)
        found: list[Outcome] = []
        for left, right in list(zip(body.items, body.items[1:], strict=False))[1:]:
            if operator_of(left):  # y[n] = x[n] * h[n] = sum ... says what * is
                with suppress(NotationError):
                    operator_definition(opened, left, right)
        for part, (left, right) in enumerate(zip(body.items, body.items[1:], strict=False)):
            before = self.scope.snapshot()
            try:
                found.append(replace(self.part(opened, left, right, s, part), part=part))
                self.latest = (before, key(base_of(left)), s) if found[-1].kind == "forward" else None
            except NotationError as e:
                self.scope.restore(before)
                if part == 0:
                    blur(self.scope, left)
                found.append(Outcome("", Judgement("not_understood", reason=e.reason), part=part, at=e.at))
        return found

    def part(self, opened: Opened, left: n.Node, right: n.Node, s: Statement, part: int) -> Outcome:
        if part == 0 and isinstance(left, n.Partial) and isinstance(right, n.Partial) and left.by == right.by:
            operator_definition(opened, left.of, right.of)  # the same definition, derived on both sides
        number_images(opened.reader(), left, right)
        definition = defined(self, opened, left, right, s) if part == 0 else None
        return definition or self.claim(opened, left, right, s)

    # -- claims

    def order(self, s: Statement) -> int:
        """Sizes come first, then what operators mean, then what is a convolution: what follows is read with them."""
        body = s.body
        if not isinstance(body, n.Chain):
            return 3
        if body.operators == ("in",):  # shapes
            return 0
        if _range(body, self.scope):  # w = (w_0, ..., w_{k-1}), but i = 1, ..., n belongs to the formula before it
            return 0 if isinstance(body.items[1], n.Items) and isinstance(body.items[1].entries[0], n.Scripted) else 3
        if self.element(body.items[0]):
            return 3
        if all(scalar_like(i, self.scope) for i in body.items):
            return 0
        # sigma(z) = 1/(1 + e^{-z}) comes before z_i says that z is an array
        if is_function_of(body.items[0], self.scope.functions):
            return 0
        if len(body.items) == 2 and isinstance(body.items[1], n.Partial) and isinstance(
                body.items[0], n.Name | n.Scripted):  # delta = dL/dy
            return 0
        found = operator_of(body.items[0])
        return 1 if found is not None and found[1] else 2 if any(map(_operates, body.items[1:])) else 3

    def element(self, left: n.Node) -> bool:
        """w_0, where w is an array."""
        array = literal(left)
        return array is not None and key(array) in self.indexed

    def assume(self, s: Statement) -> list[Outcome]:
        """A statement somebody gave: its definitions are taken, its other equalities believed or not used."""
        return self.statement(s)

    def claim(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
        clear(self.scope, (left, right))
        try:
            outcome = decide_readings(self, opened, left, right, s)
        except UnknownName as e:
            return lost(self, e, left, right, s)
        outcome = for_the_example(self, opened, left, right, s, outcome)
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
        ours, theirs = opened.element(ours, theirs), opened.element(theirs, ours)
        ours, theirs = _same_rank(ours, theirs)
        names = tuple(fresh(c) for c in "ijkl"[:ours.rank])
        here = tuple(map(Affine.of, names))
        conditions = opened.conditions(replace(s, conditions=(*s.conditions, *self.ranges(opened, s))), reader)
        letters = (*opened.used(ours.at(here), theirs.at(here)), *names)
        box = (*(None for _ in letters[:len(letters) - len(names)]),
               *(ours.box if whole.known(ours) else theirs.box if whole.known(theirs) else ()))
        if opened.lost:
            return Outcome("", Judgement("not_understood", reason=opened.lost[0].message), remarks=remarks,
                           at=opened.lost[0].at)
        grounded(self.scope, ours.at(here), theirs.at(here))
        if not ours.at(here) and not isinstance(left, n.Number):
            raise NotationError("by the definitions the left-hand side is zero", -1)
        before = list(self.scope.facts)
        self.scope.facts += listed(self.scope, (left, right))
        judgement = judge(self.scope, ours.at(here), theirs.at(here), letters, conditions, box, elements)
        taken(self.scope, [c for c in self.scope.facts if c not in before])
        if "identity" in judgement.reason:
            judgement = self.for_a_function(judgement, lambda: judge(
                self.scope, ours.at(here), theirs.at(here), letters, conditions, box, elements))
        if judgement.verdict != "proved":
            compared(self.scope, ours.at(here), theirs.at(here))
        if self.fixed or self.given:
            self.scope.facts[:] = before
        notes = [HYPOTHESES.get(v, v) for v in (*self.scope.notes, judgement.domain)
                 if v and (v != "integral" or judgement.domain != "derivative")]
        remarks += outside(self.scope, judgement, (right, left))
        return Outcome(self.kind(left, elements), judgement, "; ".join(dict.fromkeys(notes)), remarks=remarks)

    def for_a_function(self, judgement: Judgement, again: Callable[[], Judgement]) -> Judgement:
        """What fails for some functions may hold for the logistic one, whose name is often sigma alone."""
        for function in sorted(self.scope.functions - set(self.scope.activations)):
            for kind in DERIVATIVES:
                self.scope.activations[function] = kind
                try:
                    if again().verdict == "proved":
                        return Judgement("proved_for", f"{function} is {kind}", engines=judgement.engines)
                finally:
                    del self.scope.activations[function]
        return judgement

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


def declared(scope: Scope, body: n.Chain) -> bool:
    """X in R^{H x W} says how long X is along each axis."""
    name, space = body.items
    if not isinstance(space, n.Scripted) or len(space.above) != 1 or is_line(space.base) is None \
            or not isinstance(name, n.Name | n.Scripted):
        return False
    rest = space.above[0]
    entries: list[n.Node] = []
    while isinstance(rest, n.Operation) and rest.operator == "times":
        entries.insert(0, rest.right)
        rest = rest.left
    try:
        sizes = tuple(Indexing(scope, {}).read(e) for e in (rest, *entries))
    except NotationError:
        return False
    scope.extents[key(name)] = sizes
    return True


def _range(body: n.Chain, scope: Scope) -> bool:
    """i = 1, ..., n, or 1 <= i <= n for a letter that is no size."""
    if isinstance(body.items[1], n.Items):
        return any(isinstance(x, n.Dots) for x in body.items[1].entries)
    middle = body.items[1]
    return len(body.items) == 3 and all(o in ("<", "<=") for o in body.operators) and isinstance(middle, n.Name) \
        and len(middle.text) == 1 and middle.text.islower() and not scope.is_size(middle.text)


def _running(body: n.Chain) -> str:
    """The letter that a range is about."""
    return key(body.items[len(body.items) == 3])


def elements(scope: Scope, body: n.Chain) -> None:
    """x = (x_1, ..., x_n) says how many elements x has."""
    listed = body.items[1].entries if isinstance(body.items[1], n.Items) else ()
    ends = [x for x in (listed[:1] + listed[-1:]) if isinstance(x, n.Scripted) and len(x.below) == 1 and not x.above]
    if len(ends) != 2 or not isinstance(body.items[0], n.Name) or {key(x.base) for x in ends} != {key(body.items[0])}:
        return
    with suppress(NotationError):
        first, last = (Indexing(scope, {}).read(x.below[0]) for x in ends)
        if first.is_constant and scope.base in (None, first.constant):
            scope.base = first.constant
            scope.settings[BASE] = "said"
            scope.extents[key(body.items[0])] = (last - first + 1,)


def signed(node: n.Node, choice: int) -> n.Node:
    """With every plus-minus replaced by the sign that is meant."""
    made = mapped(node, lambda inner: signed(inner, choice))
    return n.Signed(made.choice * choice < 0, made.node) if isinstance(made, n.Signed) and made.choice else made


def _operates(node: n.Node) -> bool:
    return (isinstance(node, n.Operation) and node.operator not in ("times", "odot", "mod", "circ")) \
        or any(map(_operates, children(node)))


def _same_rank(a: Value, b: Value) -> tuple[Value, Value]:
    if a.rank == b.rank:
        return a, b
    if (not a.rank and not a.terms) or (not b.rank and not b.terms):  # zero of any rank
        rank = max(a.rank, b.rank)
        return (Value(rank, lambda i: ()), b) if not a.rank else (a, Value(rank, lambda i: ()))
    hint = "" if a.rank and b.rank else ": is an index missing?"
    raise NotationError(f"the left-hand side is {ranked(a.rank)}, the right-hand side {ranked(b.rank)}{hint}", -1)


def _chooses(node: n.Node) -> bool:
    return (isinstance(node, n.Signed) and bool(node.choice)) or any(map(_chooses, children(node)))


def _joined(*texts: str) -> str:
    return "; ".join(t for t in texts if t)

