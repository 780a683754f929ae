"""Formulas about sizes from layer to layer: receptive fields, jumps, products of strides."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from symconv.affine import Affine
from symconv.claims.indexing import Indexing
from symconv.claims.judge import Judgement
from symconv.claims.letters import children
from symconv.claims.outcome import Outcome
from symconv.claims.scalar_reading import scalar_of
from symconv.claims.scalars import judged
from symconv.claims.scope import Scope
from symconv.claims.words import described, is_word, key, not_understood
from symconv.decide.scalar_terms import Num, Plus, Scalar, Times, Var
from symconv.decide.sequence_terms import At, Power, Step, Total, letters_of, put, walk
from symconv.decide.sequences import decide_sequences
from symconv.errors import NotationError, NotSupported
from symconv.notation import nodes as n

LAYERED = re.compile("receptive|of (?:a |the |each )?layer|jump")
RECURRENT = frozenset(("r", "R", "RF", "rf", "j", "J", "S"))  # usual letters of receptive fields and jumps
OF_LAYERS = frozenset("kKfFsSdD")  # of kernel sizes, strides and dilations
NUMBERS = frozenset(("l", "ell", "L"))  # letters that number layers
ONE = Num(Fraction(1))


def layered(scope: Scope, body: n.Chain, given: bool) -> list[Outcome] | None:
    """An outcome for each equality of a chain that speaks of layers, None when it does not."""
    if not _speaks_of_layers(scope, body):
        return None
    try:
        items = [term_of(scope, i) for i in body.items]
    except NotationError as e:
        heads = {h for i in body.items for x in _below(i) if (h := _sequence(x))}
        return [Outcome("size", Judgement("not_understood", reason=e.reason), at=e.at)] \
            if any(_known(scope, h) for h in heads) else None
    found = []
    for part, (left, right) in enumerate(pairwise(items)):
        try:
            _clear(scope, (left, right))
            outcome = _part(scope, left, right, part == 0, given)
        except (NotationError, NotSupported) as e:
            reason = e.reason if isinstance(e, NotationError) else str(e)
            if part == 0 and isinstance(left, At) and left.name not in scope.sequences.steps:
                scope.blurred.add(left.name)
            outcome = Outcome("size", Judgement("not_understood", reason=reason))
        found.append(replace(outcome, part=part))
    return found


def _clear(scope: Scope, sides: tuple[Scalar, ...]) -> None:
    """Nothing is said of a sequence whose recurrence was not understood.

    Raises:
        NotationError: something is.
    """
    rules = scope.sequences
    read = {x.name for t in sides for x in walk(t) if isinstance(x, At)} - {*rules.steps, *rules.back}
    if lost := sorted(read & scope.blurred):
        raise NotationError(f"the definition of {lost[0]} was not understood", -1)


def bounded(scope: Scope, body: n.Chain) -> bool:
    """k_l >= 2: the least value of every element."""
    if len(body.items) != 2 or body.operators[0] not in (">", ">=") or not isinstance(body.items[1], n.Number):
        return False
    head = _sequence(body.items[0])
    if head is None or not _known(scope, head):
        return False
    low = int(body.items[1].value) + (body.operators[0] == ">")
    scope.sequences = replace(scope.sequences, low={**scope.sequences.low, head: low})
    return True


# -- which formulas these are

def _speaks_of_layers(scope: Scope, body: n.Chain) -> bool:
    nodes = [x for i in body.items for x in _below(i)]
    if any(isinstance(x, n.Partial | n.Integral | n.Matrix | n.Rounded) for x in nodes):
        return False
    heads = {h for x in nodes if (h := _sequence(x))}
    names = {key(x) for x in nodes if isinstance(x, n.Name)}
    if any(scope.array(h) is not None for h in heads):
        return False
    rules, left = scope.sequences, body.items[0]
    return any(isinstance(x, n.BigProduct) for x in nodes) or any(_known(scope, h) for h in heads) \
        or not names.isdisjoint(rules.plain) or "receptive" in scope.roles.get(key(left), "") \
        or _recurs(left, nodes) or _over_layers(nodes) or _of_layers(body)


def _known(scope: Scope, head: str) -> bool:
    """Does a directive or a formula say that these are numbers of layers?"""
    rules = scope.sequences
    return head in rules.steps or head in rules.starts or head in rules.back or any(
        base == head and LAYERED.search(role) for base, role in _roles(scope, {head}))


def _roles(scope: Scope, heads: set[str]) -> Iterator[tuple[str, str]]:
    """Roles of names with a subscript, by what the subscript belongs to; of sequences also without one."""
    return ((base, role) for name, role in scope.roles.items()
            if (base := name.partition("_")[0]) != name or base in heads)


def _sequence(node: n.Node) -> str | None:
    """The name of which this is an element: k of k_l."""
    if isinstance(node, n.Scripted) and isinstance(node.base, n.Name) and len(node.below) == 1 and not node.primes:
        inside = list(_below(node.below[0]))
        names = [x for x in inside if isinstance(x, n.Name)]
        if len(names) <= 1 and not any(is_word(x) or (len(x.text) > 1 and x.text != "ell") for x in names) and all(
                isinstance(x, n.Name | n.Number | n.Add | n.Signed | n.Bracketed | n.Product) for x in inside):
            return key(node.base)
    return None


def _recurs(left: n.Node, nodes: list[n.Node]) -> bool:
    """r_l = r_{l-1} + ..., and r_0 = 1 where it starts."""
    head = _sequence(left)
    return head in RECURRENT and (isinstance(left.below[0], n.Number)  # type: ignore[attr-defined]
                                  or sum(_sequence(x) == head for x in nodes) > 1)


def _over_layers(nodes: list[n.Node]) -> bool:
    """A sum over l of numbers that each layer has, or of powers by l."""
    sums = [x for x in nodes if isinstance(x, n.Sum) and x.ranges and all(key(r.index) in NUMBERS for r in x.ranges)]
    if any(isinstance(y, n.Scripted) and not y.below and any(z == x.ranges[0].index for e in y.above for z in _below(e))
           for x in sums for y in _below(x.body)):
        return not any(_sequence(y) not in (None, *OF_LAYERS) for x in sums for y in _below(x.body))
    return any(isinstance(x, n.Sum) and all(key(r.index) in NUMBERS for r in x.ranges)
               and any(_sequence(y) for y in _below(x.body))
               and all(h in OF_LAYERS for y in _below(x.body) if (h := _sequence(y))) for x in nodes)


def _of_layers(body: n.Chain) -> bool:
    """d_l = 2^{l-1}, k_l = 3: what each layer has."""
    left = body.items[0]
    if len(body.items) != 2 or _sequence(left) not in OF_LAYERS:
        return False
    index = left.below[0]  # type: ignore[attr-defined]
    return isinstance(index, n.Name) and index.text in "lmij" and not any(_sequence(x) for x in _below(body.items[1]))


def _below(node: n.Node) -> Iterator[n.Node]:
    yield node
    for c in children(node):
        yield from _below(c)


# -- reading

def term_of(scope: Scope, node: n.Node) -> Scalar:
    """The number an expression denotes.

    Raises:
        NotationError: it denotes none.
    """
    return scalar_of(node, scope, _of_layer)


def _of_layer(node: n.Node, scope: Scope) -> Scalar:
    """What is more than arithmetic: a sum or product over layers, k_l, or a power."""
    match node:
        case n.Call(bracket="(", arguments=(inner,)):
            return Times((term_of(scope, node.head), term_of(scope, inner)))  # L(k - 1)
        case n.Sum() | n.BigProduct():
            return _total(scope, node)
        case n.Name() if not is_word(node) or node.text in RECURRENT:
            value = scope.settings.get(key(node))
            return Num(Fraction(value)) if isinstance(value, int) else Var(key(node))
        case n.Scripted():
            return _scripted(scope, node)
    raise not_understood(f"{described(node)} is not understood among sizes of layers", node)


def _total(scope: Scope, node: n.Sum | n.BigProduct) -> Scalar:
    if isinstance(node, n.Sum) and node.conditions:
        raise not_understood("a sum over a condition is not understood among sizes of layers", node)
    body = term_of(scope, node.body)
    for r in reversed(node.ranges):
        if r.low is None or (r.high is None and r.stop is None):
            raise not_understood("nothing says where the sum ends", node)
        high = _index(scope, r.high) if r.high is not None else _index(scope, r.stop) - 1  # type: ignore[arg-type]
        body = Total(key(r.index), _index(scope, r.low), high, body, isinstance(node, n.BigProduct))
    return body


def _scripted(scope: Scope, node: n.Scripted) -> Scalar:
    head = _sequence(node)
    inner: Scalar
    if head is not None:
        inner = At(head, _index(scope, node.below[0]))
    elif not node.below and not node.primes:
        inner = term_of(scope, node.base)
    else:
        raise not_understood(f"{described(node)} is not understood among sizes of layers", node)
    if not node.above:
        return inner
    if len(node.above) != 1 or node.grouped:
        raise not_understood(f"{described(node)} is not understood among sizes of layers", node)
    return Power(inner, _index(scope, node.above[0]))


def _index(scope: Scope, node: n.Node) -> Affine:
    return Indexing(replace(scope, sizes=set(scope.sizes)), {}).read(node)  # a letter for layers is no size


# -- deciding

def _part(scope: Scope, left: Scalar, right: Scalar, first: bool, given: bool) -> Outcome:
    reading = ""
    if first:
        assumed = None if given else _truth(scope, left, right)
        if assumed is not None:
            left, reading = assumed
        elif not given and isinstance(left, At | Var) and not _ruled(scope, left.name) and (
                role := _role(scope, left.name)):
            raise NotationError(f"nothing says which layers {left.name} is the receptive field of"
                                if "receptive" in role else f"no formula for the {role} is known", -1)
        elif (said := _defines(scope, left, right)) is not None:
            return Outcome("definition", Judgement("definition"), said)
    loose = {left.name} if isinstance(left, At) else set[str]()
    if loose - {*scope.sequences.steps, *scope.sequences.starts, *scope.sequences.back, *OF_LAYERS} - {
            x.name for x in walk(right) if isinstance(x, At)}:
        raise NotationError(f"nothing says what {min(loose)} is", -1)
    notes = _started(scope, (left, right))
    known = {v: Num(Fraction(x)) for v, x in scope.settings.items() if isinstance(x, int)}
    rules = replace(scope.sequences, plain={**scope.sequences.plain, **known})
    decision = decide_sequences(right, left, rules)
    valued = any(not letters_of(t) and all(not isinstance(x, At | Var) for x in walk(t)) for t in (left, right))
    if valued and decision.counterexample is not None and decision.counterexample.sizes:
        raise NotationError("values of an example are not compared", -1)
    outcome = Outcome("size", judged(decision))
    return replace(outcome, reading="; ".join(filter(None, (reading, *notes))))


def _defines(scope: Scope, left: Scalar, right: Scalar) -> str | None:
    """Take what says how a sequence starts or goes on; None for a claim about one that is known."""
    rules = scope.sequences
    if isinstance(left, Var):
        if left.name in rules.plain or left.name in letters_of(right):
            return None
        scope.sequences = replace(rules, plain={**rules.plain, left.name: right})
        return f"what {left.name} is"
    if not isinstance(left, At):
        return None
    if left.index.is_constant:
        return _begins(scope, left, right)
    if left.name in rules.steps or len(left.index.names) != 1 or left.name in rules.ends:
        return None
    (letter,) = left.index.names
    behind = left.index - letter
    if not behind.is_constant:
        raise NotationError(f"an element at {left.index} cannot be defined", -1)
    if left.name in RECURRENT and not letters_of(right) and letter.isupper() \
            and Var(letter) not in walk(right):  # r_L = 1
        return _ends(scope, left, right)
    if left.name in rules.back:
        return None
    body = put(right, {letter: Affine.of(letter) - behind})
    if other := letters_of(body) - {letter}:
        raise NotationError(f"the index {min(other)} is declared nowhere", -1)
    own = {x.index - letter for x in walk(body) if isinstance(x, At) and x.name == left.name}
    if own == {Affine.of(1)}:
        scope.sequences = replace(rules, back={**rules.back, left.name: Step(letter, body)})
        return f"how {left.name} goes back from layer to layer"
    if any(e.constant >= 0 for e in own):
        raise NotationError(f"a recurrence for {left.name} that goes back and forth is not understood", -1)
    scope.sequences = replace(rules, steps={**rules.steps, left.name: Step(letter, body)})
    return f"how {left.name} goes from layer to layer" if own else f"what {left.name} is"


def _begins(scope: Scope, left: At, right: Scalar) -> str | None:
    """r_0 = 1 says where a sequence starts, or where one ends that goes back."""
    rules, at = scope.sequences, left.index.constant
    starts = rules.starts.get(left.name, {})
    if left.name in rules.back:
        known = left.name in rules.ends or letters_of(right) or any(isinstance(x, At) for x in walk(right))
        if not known and at < 1:
            raise NotationError(f"where {left.name} ends is not understood: it goes back, and is given at {at}", -1)
        return None if known else _ends(scope, left, right)
    if letters_of(right) or at in starts or (left.name in rules.steps and (starts or at > 1)):
        return None
    scope.sequences = replace(rules, starts={**rules.starts, left.name: {**starts, at: right}})
    return f"where {left.name} starts"


def _ends(scope: Scope, left: At, right: Scalar) -> str:
    rules = scope.sequences
    scope.sequences = replace(rules, ends={**rules.ends, left.name: (left.index, right)})
    return f"where {left.name} ends"


def _truth(scope: Scope, left: Scalar, right: Scalar) -> tuple[Scalar, str] | None:
    """The receptive field that a directive says the left-hand side is: r_l = r_{l-1} + (k_l - 1) prod_{i<l} s_i,
    r_0 = 1 (A. Araujo, W. Norris and J. Sim, Computing receptive fields, Distill, 2019)."""
    rules = scope.sequences
    name = left.name if isinstance(left, At | Var) else ""
    said = _role(scope, name)
    if "receptive" not in said or _ruled(scope, name):
        return None
    terms = [left, right, *(s.body for s in rules.steps.values())]
    heads = {x.name for t in terms for x in walk(t) if isinstance(x, At)}

    def each(kind: str, index: Affine) -> list[Scalar]:
        """The kernel size or stride of a layer; one name without a subscript is that of every layer."""
        named = dict.fromkeys(v.partition("_")[0] for v, role in scope.roles.items() if kind in role)
        return [At(v, index) if v in heads or v not in scope.roles else Var(v) for v in named]

    l, i = Affine.of("l"), Affine.of("i")
    kernels, strides = each("kernel size", l), each("stride", i)
    layers = isinstance(left, At) and ("layer" in said or len(left.index.names) == 1)
    index = left.index if isinstance(left, At) and layers else _last_layer(scope, right)
    if index is None or len(kernels) != 1 or len(strides) > 1:
        return None
    factors: list[Scalar] = [Plus((kernels[0], Num(Fraction(-1)))), *each("dilation", l)]
    factors += [Total("i", Affine.of(1), l - 1, s, True) for s in strides]
    name = name if layers else f"{name}~"
    step = Step("l", Plus((At(name, l - 1), Times(tuple(factors)))))
    scope.sequences = replace(rules, steps={**rules.steps, name: step}, starts={
        **rules.starts, name: rules.starts.get(name, {0: ONE})})
    return At(name, index), "the receptive field of layers on top of each other"


def _ruled(scope: Scope, name: str) -> bool:
    """Has a formula for it been given?"""
    rules = scope.sequences
    return name in rules.steps or name in rules.plain or name in rules.back


def _role(scope: Scope, name: str) -> str:
    """What a directive calls the name, or an element of it."""
    return next((role for v, role in scope.roles.items() if v.partition("_")[0] == name), "")


def _last_layer(scope: Scope, right: Scalar) -> Affine | None:
    """L of sum_{l=1}^{L}, or the number of layers by its role."""
    said = [v for v, role in scope.roles.items() if "number of layers" in role]
    if len(said) == 1:
        return Affine.of(said[0])
    return next((t.high for t in walk(right) if isinstance(t, Total) and t.high.names), None)


def _started(scope: Scope, sides: tuple[Scalar, ...]) -> list[str]:
    """Where recurrences start whose authors do not say: with 1 before the first layer.

    Raises:
        NotationError: one that is neither a receptive field nor a jump.
    """
    rules, notes = scope.sequences, []
    bodies = [*sides, *(s.body for s in rules.steps.values()), *rules.plain.values()]
    for name in sorted({x.name for t in bodies for x in walk(t) if isinstance(x, At)} & set(rules.steps)):
        recurs = any(isinstance(x, At) and x.name == name for x in walk(rules.steps[name].body))
        if not recurs or name in rules.starts:
            continue
        if name not in RECURRENT:
            raise NotationError(f"nothing says where {name} starts", -1)
        rules = replace(rules, starts={**rules.starts, name: {0: ONE}})
        notes.append(f"{name}_0 is taken as 1")
    scope.sequences = rules
    return notes
