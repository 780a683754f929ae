"""Statements about sizes: output sizes, paddings, parameter counts, plain numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims.examples import computed, for_its_values
from symconv.claims.finding import Shown
from symconv.claims.judge import Judgement, number
from symconv.claims.lengths import length_truth
from symconv.claims.letters import scalar_like
from symconv.claims.outcome import Outcome
from symconv.claims.raw import plain as plain_index
from symconv.claims.scalar_writing import scalar_node
from symconv.claims.scope import Scope
from symconv.claims.sizes import Role, Truth, conv_parameters, roles, truth_of
from symconv.claims.words import described, is_function, key, not_understood
from symconv.decide.scalar import (
    Ceil,
    Facts,
    Floor,
    Max,
    Min,
    Mod,
    Num,
    Over,
    Plus,
    Pow,
    Scalar,
    Times,
    Var,
    decide_scalar,
    names,
    substitute,
)
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.parser import Statement

ROUNDING = {"floor": Floor, "ceil": Ceil}
EXTREMES = {"max": Max, "min": Min}


def scalar_of(node: n.Node, scope: Scope, leaf: Callable[[n.Node, Scope], Scalar] | None = None) -> Scalar:
    """The scalar an expression denotes.

    Args:
        leaf: reads what is more than arithmetic; a name, a power or a call where nothing is given.

    Raises:
        NotationError: it is none.
    """
    def of(x: n.Node) -> Scalar:
        return scalar_of(x, scope, leaf)

    match node:
        case n.Number():
            return Num(Fraction(node.value))
        case n.Bracketed():
            return of(node.body)
        case n.Product():
            return Times(tuple(map(of, node.factors)))
        case n.Operation(operator="times" | "*" | "ast"):
            return Times((of(node.left), of(node.right)))
        case n.Operation(operator="mod"):
            return Mod(of(node.left), of(node.right))
        case n.Add():
            return Plus(tuple(map(of, node.terms)))
        case n.Signed() if not node.choice:
            return Times((Num(Fraction(-1)), of(node.node))) if node.negative else of(node.node)
        case n.Quotient():
            return Over(of(node.above), of(node.below))
        case n.Rounded():
            return (Ceil if node.up else Floor)(of(node.body))
    return (leaf or _named)(node, scope)


def _named(node: n.Node, scope: Scope) -> Scalar:
    if not isinstance(node, n.Name | n.Scripted | n.Call):
        raise not_understood(f"{described(node)} is not understood among sizes", node)
    if isinstance(node, n.Call):
        word = key(node.head)
        arguments = node.arguments
        if len(arguments) == 1 and isinstance(arguments[0], n.Items):
            arguments = arguments[0].entries
        if word in ROUNDING and len(arguments) == 1:
            return ROUNDING[word](scalar_of(arguments[0], scope))
        if word in EXTREMES:
            return EXTREMES[word](tuple(scalar_of(a, scope) for a in arguments))
        function = word.rstrip("'")
        if is_function(function) or function in scope.functions:
            raise not_understood("the value of a function is not understood among sizes", node)
        if node.bracket == "(" and len(arguments) == 1:
            return Times((scalar_of(node.head, scope), scalar_of(arguments[0], scope)))
    if isinstance(node, n.Scripted) and len(node.above) == 1 and isinstance(node.above[0], n.Number) \
            and not node.grouped and key(node) not in scope.roles and node.above[0].value == int(node.above[0].value):
        base = replace(node, above=()) if node.below or node.primes else node.base
        return Pow(scalar_of(base, scope), int(node.above[0].value))
    fixed = scope.settings.get(key(node))
    scope.heads.setdefault(key(node), node)
    return Num(Fraction(fixed)) if isinstance(fixed, int) else Var(key(node))


def size_chain(body: n.Chain, scope: Scope) -> bool:
    """Does it state an output size, in letters that also name arrays elsewhere?"""
    blank = Scope(roles=scope.roles, sizes=scope.sizes)
    if not all(scalar_like(i, blank) for i in body.items) or not isinstance(body.items[0], n.Name | n.Scripted):
        return False
    try:
        claimed = scalar_of(body.items[1], blank)
    except NotationError:
        return False
    return any(True for _ in _truths(blank, key(body.items[0]), claimed))


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
        truths = list(_truths(scope, single, written))
        if truths:
            known = roles((single, *names(written), *scope.roles), scope.roles)
            unknown = [v for v in names(written) if v not in known and v not in names(truths[0].value)
                       and not _known(scope, v)]
            if unknown:
                raise NotationError(f"nothing says what {', '.join(unknown)} stands for", -1)
            return _best(scope, left, truths, theirs, _without(facts, single))
        inverse = _inverse(scope, single, theirs)
        if inverse is not None:
            return inverse
        if scope.roles.get(single) or "param" in single.lower():
            what = scope.roles.get(single, single)
            raise NotationError(f"no formula for the {what} is known to compare this with", -1)
    if single and first and not given and not names(theirs):
        return _valued(scope, single, theirs, facts)
    if single and first and (given or not (_known(scope, single) or _related(scope, {single, *names(theirs)}))):
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


def affine_of(e: Scalar) -> Affine | None:
    """The scalar as an integer polynomial, when it is one."""
    match e:
        case Num(value) if value.denominator == 1:
            return Affine.of(int(value))
        case Var(name):
            return Affine.of(name)
        case Plus(inner) | Times(inner):
            parts = [affine_of(x) for x in inner]
            if any(p is None for p in parts):
                return None
            total = Affine.of(0 if isinstance(e, Plus) else 1)
            for p in parts:
                assert p is not None
                total = total + p if isinstance(e, Plus) else total * p
            return total
    return None


def facts_of(scope: Scope) -> Facts:
    """What a document says of its sizes."""
    padding = {name: 0 for name, role in scope.roles.items() if "pad" in role}
    fixed = tuple((Var(v), Num(Fraction(x))) for v, x in scope.settings.items() if isinstance(x, int))
    fixed += tuple((Var(v), Num(Fraction(x))) for word, x in scope.settings.items() if isinstance(x, int)
                   for v, role in scope.roles.items() if v not in scope.settings and role.startswith(word))
    return Facts({**padding, **scope.low}, (*scope.equalities, *fixed), tuple(scope.bounds),
                 frozenset(k for k, odd in scope.parity.items() if odd),
                 frozenset(k for k, odd in scope.parity.items() if not odd), tuple(scope.divides))


def _truths(scope: Scope, output: str, claimed: Scalar) -> Iterable[Truth]:
    """What the left-hand side must be, by the roles of the names; a transposed layer when only that fits."""
    own = length_truth(scope, output) if output not in scope.roles else None
    if own is not None:
        yield own
    used = dict.fromkeys((output, *names(claimed), *scope.roles))
    known = roles(used, scope.roles)
    for word in ("stride", "padding", "dilation"):  # `stride 2` names no letter
        if word in scope.settings and not any(r.kind == word for r in known.values()):
            known[word] = Role(word)
    role = scope.roles.get(output, output.lower())
    if re.search("param|weights|매개변수|파라미터|参数", role):
        for bias in (True, False) if scope.bias is None else (scope.bias,):
            truth = _parameters(scope, known, bias)
            if truth:
                yield truth
        return
    if output not in known or known[output].kind != "output size":
        return
    transposed = any(r.kind == "output padding" for r in known.values())
    first = scope.operation or ("transposed" if transposed else "convolution")
    kinds = {r.kind for r in known.values()}
    other = () if scope.operation or ("dilation" in kinds and "stride" not in kinds) else ("transposed",)
    for operation in dict.fromkeys((first, *other)):  # i + k - 1 is the full length; i + d(k-1) is a lost sign
        truth = truth_of(output, known, operation)
        if truth is None and operation == "convolution":
            truth = truth_of(output, known, "same")
        if truth is not None:
            yield truth


def _parameters(scope: Scope, known: dict[str, Role], bias: bool) -> Truth | None:
    kinds: dict[str, list[str]] = {}
    for name, role in known.items():
        kinds.setdefault(role.kind, []).append(name)
    kernel, inward, outward = (kinds.get(k, []) for k in ("kernel size", "channels in", "channels out"))
    if not kernel or len(inward) > 1 or len(outward) > 1 or not (inward or outward):
        return None
    sides = kernel if len(kernel) > 1 else kernel * scope.dimensions
    groups = kinds.get("groups", [])
    value = conv_parameters(sides, inward[0] if inward else 1, outward[0] if outward else 1,
                            groups[0] if groups else 1, bias)
    return Truth(value, Facts(), f"the parameters of a convolution {'with' if bias else 'without'} bias")


def _best(scope: Scope, left: n.Node, truths: list[Truth], claimed: Scalar, facts: Facts) -> Outcome:
    """The first reading, unless only a later one makes the formula true."""
    outcomes = []
    for t in truths:
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
