"""Statements about sizes: output sizes, paddings, parameter counts, plain numbers."""

from __future__ import annotations

import re
from dataclasses import replace
from fractions import Fraction

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims.examples import computed, for_its_values
from symconv.claims.finding import Shown
from symconv.claims.judge import Judgement, number
from symconv.claims.letters import scalar_like
from symconv.claims.outcome import Outcome
from symconv.claims.raw import plain as plain_index
from symconv.claims.scalar_reading import affine_of, scalar_of
from symconv.claims.scalar_truths import truths
from symconv.claims.scalar_writing import scalar_node
from symconv.claims.scope import Scope
from symconv.claims.sizes import Truth, roles, truth_of
from symconv.claims.words import key
from symconv.decide.scalar import (
    Facts,
    Num,
    Scalar,
    Var,
    decide_scalar,
    names,
    substitute,
)
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.parser import Statement


def size_chain(body: n.Chain, scope: Scope) -> bool:
    """Does it state an output size, in letters that also name arrays elsewhere?"""
    blank = Scope(roles=scope.roles, sizes=scope.sizes)
    if not all(scalar_like(i, blank) for i in body.items) or not isinstance(body.items[0], n.Name | n.Scripted):
        return False
    try:
        claimed = scalar_of(body.items[1], blank)
    except NotationError:
        return False
    return any(True for _ in truths(blank, key(body.items[0]), claimed))


def scalar_chain(scope: Scope, body: n.Chain, s: Statement, given: bool = False) -> list[Outcome]:
    """One outcome for each equality of a chain of sizes; the first may define its left-hand side."""
    before = list(scope.divides), list(scope.bounds)
    for c in s.conditions:
        if isinstance(c, n.Chain) and all(scalar_like(i, scope) for i in c.items):
            assume(scope, c)
    found = _parts(scope, body, given)
    scope.divides[:], scope.bounds[:] = before[0], before[1]
    return found


def _parts(scope: Scope, body: n.Chain, given: bool) -> list[Outcome]:
    found: list[Outcome] = []
    for part, (left, right) in enumerate(zip(body.items, body.items[1:], strict=False)):
        try:
            outcome = _part(scope, left, right, part == 0, given)
        except NotationError as e:
            outcome = Outcome("size", Judgement("not_understood", reason=e.reason), at=e.at)
        found.append(replace(outcome, part=part))
    return found


def _part(scope: Scope, left: n.Node, right: n.Node, first: bool, given: bool) -> Outcome:
    ours, theirs = scalar_of(left, scope), scalar_of(right, scope)
    facts = facts_of(scope)
    single = ours.name if isinstance(ours, Var) else ""
    if single and first and not given and not _taken(scope, {single, *names(theirs)}, single):
        written = _expanded(scope, theirs)
        found = list(truths(scope, single, written))
        if found:
            known = roles((single, *names(written), *scope.roles), scope.roles)
            unknown = [v for v in names(written) if v not in known and v not in names(found[0].value)
                       and not _known(scope, v)]
            if unknown:
                raise NotationError(f"nothing says what {', '.join(unknown)} stands for", -1)
            return _best(scope, left, found, theirs, _without(facts, single))
        inverse = _inverse(scope, single, theirs)
        if inverse is not None:
            return inverse
        if scope.roles.get(single) or "param" in single.lower():
            what = scope.roles.get(single, single)
            raise NotationError(f"no formula for the {what} is known to compare this with", -1)
    if single and first and not given and not names(theirs):
        return _valued(scope, single, theirs, facts)
    if single and first and (given or not (_known(scope, single) or _related(scope, {single, *names(theirs)})
                                           or _made_of(scope, single, theirs))):
        if not given and _moves_indices(scope, single, theirs):
            return Outcome("", Judgement("not_a_claim", reason="a substitution of indices"))
        define(scope, single, theirs)
        scope.taken_sizes |= {single} if given else set()
        scope.expansions[single] = right
        return Outcome("definition", Judgement("definition"), f"what {single} is")
    decision = decide_scalar(theirs, ours, facts)
    kind = "size" if names(ours, theirs) else "number"
    outcome = Outcome(kind, judged(decision))
    condition = outcome.judgement.condition if single and not given and isinstance(theirs, Var) else ""
    if re.fullmatch(r"\w+ = [^\W\d]\w*", condition):  # R = s
        return Outcome("", Judgement("not_a_claim", reason="a case, not a statement about all sizes"))
    return for_its_values(scope, ours, theirs, facts, outcome) if kind == "size" and not given else outcome


def _moves_indices(scope: Scope, single: str, value: Scalar) -> bool:
    """u = p - i, where y_i was defined: an index is put for others."""
    indices = {plain_index(v) for d in scope.definitions.values()
               for v in (*d.letters, *(x for t in d.terms for x in t.indices))}
    lengths = {v for a in scope.arrays.values() for x in a.axes if x.extent is not None for v in x.extent.names}
    used = {single, *names(value)}
    return bool(used & indices) and not used & (lengths | set(scope.roles)) and all(
        len(v) == 1 and v.islower() for v in used)


def _inverse(scope: Scope, single: str, value: Scalar) -> Outcome | None:
    """i = s(o - 1) + k - 2p: the input size by the output size, which follows from the input size."""
    known = roles((single, *names(value), *scope.roles), scope.roles)
    outputs = [v for v in names(value) if v in known and known[v].kind == "output size"]
    if single not in known or single not in scope.roles or known[single].kind != "input size" or len(outputs) != 1:
        return None
    truth = truth_of(outputs[0], known, "convolution")
    if truth is None or any(v not in known for v in names(_expanded(scope, value))):
        return None
    facts = facts_of(scope)
    facts = replace(facts, equal=(*facts.equal, (Var(outputs[0]), truth.value)),
                    low={**truth.facts.low, **facts.low}, at_least=(*facts.at_least, *truth.facts.at_least))
    return Outcome("size", judged(decide_scalar(value, Var(single), facts)), f"{outputs[0]} is the {truth.description}")


def _expanded(scope: Scope, e: Scalar) -> Scalar:
    """With what the document has put a letter of its own for: the sizes that k' = d(k - 1) + 1 stands for."""
    for _ in range(len(scope.equalities)):
        put = {a.name: v for a, v in scope.equalities if isinstance(a, Var) and a.name not in scope.roles
               and a.name in names(e) and a.name not in names(v)}
        if not put:
            break
        e = substitute(e, put)
    return e


def _valued(scope: Scope, name: str, value: Scalar, facts: Facts) -> Outcome:
    """k = 3: a value for an example, or what a formula gives for the values of one."""
    found = computed(scope, name, value, facts)
    plain = affine_of(value)
    if plain is not None:
        scope.examples[name] = plain.constant
        scope.at_hand.add(name)
    if found is None:
        return Outcome("definition", Judgement("definition"), f"a value of {name} for an example")
    reading, decision = found
    return Outcome("number", judged(decision), reading)


def _taken(scope: Scope, used: set[str], single: str) -> bool:
    """Has somebody given a formula for the size, or one that ties it to all the others?"""
    return single in scope.taken_sizes or any(
        isinstance(a, Var) and a.name in scope.taken_sizes and used <= {a.name, *names(v)} for a, v in scope.equalities)


def _related(scope: Scope, used: set[str]) -> bool:
    """Does one equality tie all of these together already?"""
    return any(isinstance(a, Var) and used <= {a.name, *names(v)} for a, v in scope.equalities)


def _made_of(scope: Scope, single: str, value: Scalar) -> bool:
    """H_out = s(H_in - 1) + ..., where H_in was given by H_out: that follows or does not."""
    return any(isinstance(a, Var) and a.name in names(value) and single in names(v) for a, v in scope.equalities)


def _without(facts: Facts, name: str) -> Facts:
    """A size that is stated again is another one: what was said of it before no longer holds."""
    return replace(facts, equal=tuple(e for e in facts.equal if e[0] != Var(name)))


def _known(scope: Scope, name: str) -> bool:
    return any(isinstance(a, Var) and a.name == name for a, _ in scope.equalities)


def define(scope: Scope, name: str, value: Scalar) -> None:
    """Take an equality between sizes for granted, for sums as well."""
    scope.equalities.append((Var(name), value))
    whole = affine_of(value)
    if isinstance(value, Num) and value.value.denominator == 1:
        scope.settings[name] = int(value.value)
        scope.low.setdefault(name, min(1, int(value.value)))
    if whole is not None:
        scope.size(name)
        scope.facts.append(equal(Affine.of(name), whole))
        for other in whole.names:
            scope.size(other)


def assume(scope: Scope, body: n.Chain) -> bool:
    """n >= k, g | C: a condition somebody gave. A range 0 <= n < N of a letter is none: it says what n runs over."""
    middle = body.items[1]
    if len(body.items) == 3 and isinstance(middle, n.Name) and len(middle.text) == 1 and middle.text.islower() \
            and not scope.is_size(key(middle)):
        return True
    found: list[Constraint] = []
    for op, left, right in zip(body.operators, body.items, body.items[1:], strict=False):
        a, b = scalar_of(left, scope), scalar_of(right, scope)
        if op == "|":
            scope.divides.append((a, b))
            divisor, divided = affine_of(a), affine_of(b)
            if divisor is not None and divided is not None:
                scope.divide(divisor, divided)
            continue
        if op in ("<", "<="):
            a, b, op = b, a, op.replace("<", ">")
        if op not in (">", ">="):
            return False
        low = b + 1 if op == ">" else b
        scope.bounds.append((a, low))
        whole = affine_of(a - low)
        if whole is not None:
            found.append(at_least(whole, 0))
            for name in whole.names:
                scope.size(name)
    scope.facts += found
    return True


def facts_of(scope: Scope) -> Facts:
    """What a document says of its sizes."""
    padding = {name: 0 for name, role in scope.roles.items() if "pad" in role}
    fixed = tuple((Var(v), Num(Fraction(x))) for v, x in scope.settings.items() if isinstance(x, int))
    fixed += tuple((Var(v), Num(Fraction(x))) for word, x in scope.settings.items() if isinstance(x, int)
                   for v, role in scope.roles.items() if v not in scope.settings and role.startswith(word))
    return Facts({**padding, **scope.low}, (*scope.equalities, *fixed), tuple(scope.bounds),
                 frozenset(k for k, odd in scope.parity.items() if odd),
                 frozenset(k for k, odd in scope.parity.items() if not odd), tuple(scope.divides))


def _best(scope: Scope, left: n.Node, readings: list[Truth], claimed: Scalar, facts: Facts) -> Outcome:
    """The first reading, unless only a later one makes the formula true."""
    outcomes = []
    for t in readings:
        both = replace(facts, low={**t.facts.low, **facts.low}, at_least=(*facts.at_least, *t.facts.at_least))
        better = LATEX(n.Chain((left, scalar_node(t.value, scope.heads)), ("=",)))
        judgement = judged(decide_scalar(claimed, t.value, both))
        outcomes.append(Outcome("size", judgement, t.description,
                                suggestion="" if judgement.verdict == "proved" else better))
        if outcomes[-1].verdict == "proved":
            scope.equalities[:] = [e for e in scope.equalities if e[0] != Var(key(left))]
            define(scope, key(left), claimed)  # what follows may use it
            return outcomes[-1]
    return outcomes[0]


def judged(decision: object) -> Judgement:
    """A decision on sizes as a judgement."""
    from symconv.decide.decision import Decision

    assert isinstance(decision, Decision)
    shown = None
    if decision.counterexample is not None:
        c = decision.counterexample
        shown = Shown(c.sizes, (), (), number(c.claimed), number(c.actual))
    verdict = "not_understood" if decision.kind == "unknown" else decision.kind
    return Judgement(verdict, decision.condition.text if decision.condition else "", shown, decision.reason,
                     decision.engines)
