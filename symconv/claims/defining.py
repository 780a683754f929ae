"""The first equality of a chain: does it define its left-hand side, and what?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.affine import Affine, Constraint, at_least
from symconv.claims.afresh import start_afresh
from symconv.claims.axes import Axes
from symconv.claims.blocks import block_of, in_blocks
from symconv.claims.blurred import clear
from symconv.claims.extents import alone
from symconv.claims.function_definitions import activation
from symconv.claims.gradients import depends
from symconv.claims.judge import Judgement, judge, spoken_array
from symconv.claims.kinds import forward_name
from symconv.claims.letters import children
from symconv.claims.listing import define_element
from symconv.claims.opened import Opened, of_images
from symconv.claims.operators import operator_definition, unary_definition
from symconv.claims.outcome import Outcome
from symconv.claims.pairs import paired
from symconv.claims.partials import is_loss, one_of_many
from symconv.claims.raw import INTEGRAL, Factor, Index, Sum, Value, fresh
from symconv.claims.reader import Reader
from symconv.claims.references import at_indices
from symconv.claims.scope import GRADIENT, LINE, Array, Axis, Definition, Scope
from symconv.claims.spelling import reference
from symconv.claims.stars import convolution
from symconv.claims.words import LOSSES, about_axes, base_of, key, ranked
from symconv.decide.feasible import feasible, row
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.session import Session


def defined(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome | None:
    """The outcome when the equality defines its left-hand side, None when it claims something."""
    if isinstance(left, n.Bracketed):
        left = left.body
    if session.given and isinstance(left, n.Partial) and isinstance(right, n.Name | n.Scripted | n.Call):
        left, right = right, left  # dL/dy_n = g_n
    left = _applied(left)
    _counts(session, left)
    if (function := activation(session.scope, left, right)) is not None:
        return function
    if isinstance(left, n.Call | n.Operation | n.Scripted) and _starred(left):
        return operator_definition(opened, left, right, s)
    if not isinstance(left, n.Name | n.Scripted | n.Call):
        return None
    inner = left.head if isinstance(left, n.Call) else left.base if isinstance(left, n.Scripted) else left
    if (acting := _acting(inner, right)) is not None:
        entries = left.arguments if isinstance(left, n.Call) else left.below if isinstance(left, n.Scripted) else ()
        return unary_definition(opened, acting, reader_entries(opened, entries), right, s, session.given)
    if not isinstance(base_of(left), n.Name) or (isinstance(left, n.Scripted) and at_indices(left)):
        return None
    if not _plain(left, opened):
        zero = isinstance(right, n.Number) and not right.value and not (session.given and session.element(left))
        return vanishing(session, opened, left, right, s) if zero else \
            define_element(opened, left, right, session.given)
    return _plainly(session, opened, left, right, s)


def _plainly(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome | None:
    """Of a name, alone or with plain letters for indices."""
    if session.fixed:
        clear(session.scope, (left,))
    reader = opened.reader()
    ref = reference(reader, left)
    if ref.transposed or ref.power != 1:
        return None
    if isinstance(right, n.Number) and not right.value and ref.indexed:
        return vanishing(session, opened, left, right, s)
    if ref.name not in session.scope.definitions and ref.name.rstrip("'") in session.scope.definitions \
            and ref.name.rstrip("'") in session.scope.continuous:
        return None  # the derivative of what is defined
    if isinstance(right, n.Partial) and names_gradient(session, opened, ref.name, right):
        return Outcome("definition", Judgement("definition"), f"{ref.name} is dL/d{session.scope.upstream[ref.name]}")
    if session.scope.resolve(ref.name).startswith(GRADIENT):
        return None
    ref = replace(ref, name=session.scope.known_as(ref.name) if not ref.indexed else ref.name)
    if paired(session.scope, ref.name):
        return session.claim(opened, left, right, s)
    if ref.name in session.scope.definitions and not session.given:
        return restated(session, opened, left, right, s, ref.name)
    heads = {session.scope.resolve(key(base_of(x))) for x in index_heads(right)} - {ref.name}
    if ref.indexed and any(depends(session.scope, v, ref.name) for v in heads):
        return None  # h[n] = s[n] - s[n-1], where s was made of h
    if ref.name in session.rivals and not session.given:
        return _fitting(session, opened, left, right, s, session.rivals[ref.name])
    old, array, known = (session.scope.definitions.get(ref.name), session.scope.arrays.get(ref.name),
                         set(session.scope.arrays))
    outcome = define(session, opened, left, right, s)
    if old is not None and array is not None and len(old.letters) == len(session.scope.definitions[ref.name].letters):
        session.rivals |= dict.fromkeys(session.scope.definitions[ref.name].reads - known, (old, array))
    return outcome


def _fitting(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement,
             known: tuple[Definition, Array]) -> Outcome:
    """T_{ij} = w_{j-i}, where y_i = sum_j w_j x_{i+j} and y = T x were given: both must be the same."""
    scope, (old, array) = session.scope, known
    box = [(a.low, a.last) if a.last is not None else None for a in array.axes]
    define(session, opened, left, right, s)
    letters = tuple(fresh(v.partition("~")[0]) for v in old.letters)
    here = tuple(map(Affine.of, letters))
    judgement = judge(scope, old.at(here), scope.definitions[old.name].at(here), letters, box=box)
    return Outcome("identity", judgement, f"both formulas for {old.name} must agree")


def _counts(session: Session, left: n.Node) -> None:
    """A number of parameters is no definition: it is right or wrong, and nothing says of what."""
    if not session.given and re.search("param|매개변수|参数", session.scope.roles.get(key(left), "")):
        raise NotationError(f"nothing says what {key(left)} counts", -1)


def vanishing(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
    """x[n] = 0 for n < 0 says where an array is zero; for any n, or for n of which there is no element, that it
    counts as zero outside."""
    scope, reader = session.scope, opened.reader()
    ref = reference(reader, left)
    name = scope.resolve(ref.name)
    conditions = opened.conditions(s, reader)
    letters = list(opened.letters.values())
    if len(conditions) < len(s.conditions):
        raise NotationError("where it is zero is not understood", -1)
    if len(letters) == 1 and len(conditions) == 1 and not conditions[0].equality:
        scope.zero_where(name, letters[0], conditions[0])
        return Outcome("definition", Judgement("definition"), f"where {name} is zero")
    array = scope.array(name)
    if letters and name in scope.definitions:
        return session.claim(opened, left, right, s)
    if letters or (array is not None and ref.entries and _missing(scope, array, tuple(
            map(reader.indexing().read, reader.indexing().entries(ref.entries, len(array.axes)))))):
        scope.zero = True
        return Outcome("definition", Judgement("definition"), f"{spoken_array(scope, name)} counts as zero outside")
    raise NotationError("that an element is zero follows from nothing", -1)


def _missing(scope: Scope, array: Array, at: Index) -> bool:
    """Is there surely no such element, or for some sizes none?"""
    there = [row(c) for c in (*array.inside(at), *scope.facts) if not c.equality]
    return not all(c.is_trivial for c in array.inside(at)) and (
        feasible(there, []) is False or any(len(e.names) for e in at) or any(e.constant > 1 for e in at))


def names_gradient(session: Session, opened: Opened, name: str, right: n.Partial) -> bool:
    """delta_i = dL/do_i gives a letter to a gradient."""
    reader = opened.reader()
    if not is_loss(reader, right.of) or one_of_many(reader, right) or session.scope.array(name) is not None:
        return False
    by = reference(reader, right.by).name
    if by == name or by in session.scope.upstream:
        return False
    session.scope.losses.add(key(right.of))
    session.scope.upstream[name] = by
    return True


def restated(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement, name: str) -> Outcome:
    """A second formula for what is defined: the same again, or a new definition."""
    old, known = session.scope.definitions[name], set(session.scope.arrays)
    try:
        outcome = session.claim(opened, left, right, s)
    except NotationError:
        if session.fixed:  # what was given stands
            raise
        outcome = None
    if outcome is not None and (session.fixed or outcome.verdict == "proved"):
        return outcome
    array = session.scope.arrays.pop(name)
    del session.scope.definitions[name]
    try:
        outcome = define(session, opened, left, right, s)
        new = session.scope.definitions.get(name)
        if new is None and outcome.verdict == "definition":  # y = ..., where Y is known: another array
            session.scope.arrays[name], session.scope.definitions[name] = array, old
            return outcome
        if new is None:  # a symmetry of it
            raise NotationError(outcome.judgement.reason, -1)
        if len(new.letters) != len(old.letters):  # y = T(w) x for y_i = sum ...
            if unknown := new.reads - known:
                raise NotationError(f"nothing says what {min(unknown)} is", -1)
            if name in session.scope.extents:
                raise NotationError(f"{name} is {ranked(len(old.letters))}, this is {ranked(len(new.letters))}", -1)
    except NotationError:
        session.scope.arrays[name], session.scope.definitions[name] = array, old
        raise
    return outcome


def define(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
    """Take the equality as the definition of an array or of a scalar."""
    reader = opened.reader()
    ref = reference(reader, left)
    indexing = reader.indexing()
    entries = indexing.entries(ref.entries, None)
    blocks = tuple(block_of(e, reader) for e in entries)
    letters = tuple(b.letter if b else _letter(e, reader) for e, b in zip(entries, blocks, strict=True))
    if len(set(letters)) != len(letters) or "" in letters:
        raise NotationError("the left-hand side is no name with plain indices", -1)
    if not letters:
        return define_whole(session, opened, ref.name, right)
    value = opened.element(_read(session, reader, right), Value.scalar(()))
    remarks = opened.remarks(reader)
    if value.rank and not of_images(session.scope, value):
        raise NotationError("the right-hand side is a whole array, the left-hand side an element", -1)
    inner = tuple(fresh(c) for c in "uvw"[:value.rank])  # of an image that has a number
    terms = tuple(in_blocks(t, blocks) for t in value.at(tuple(map(Affine.of, inner))))
    if [[f.name for f in t.factors] for t in terms] == [[ref.name]]:  # w(s,t) = w(-s,-t)
        session.scope.symmetric.append(ref.name)
        return Outcome("", Judgement("not_understood", reason=f"a symmetry of {ref.name} is not used in proofs"))
    if not (session.given or session.fixed) and any(t.indices and len(t.factors) > 1 for t in terms):
        start_afresh(session.scope, {f.name for t in terms for f in t.factors})
    axes = Axes(session.scope, letters, ref.name)
    conditions = opened.conditions(s, reader)
    axes.stated(conditions)
    for b in filter(None, blocks):
        first = Axes(session.scope.branch(), letters, ref.name)
        first.infer(terms)
        axes.given(b.letter, b.ends(first.found))
    axes.letters = letters = (*letters, *inner)
    _over_whole(axes, inner, value, terms)
    if any(axes.outputs[v] == LINE for c in conditions for v in set(letters) & c.expression.names):
        raise NotationError("it is defined for some indices only", -1)
    if inner:
        session.scope.images[ref.name] = tuple(axes.outputs[v] for v in inner)
    _keep(session.scope, ref.name, axes, terms)
    return Outcome("forward", Judgement("definition"), forward_name(session.scope, terms, letters), remarks=remarks)


def _keep(scope: Scope, name: str, axes: Axes, terms: Sum) -> None:
    """Remember what was defined."""
    _has_outputs(scope, axes)
    scope.facts += [c for c in _read_there(scope, axes, terms) if c not in scope.facts]
    _known_as(scope, name, tuple(axes.outputs[v] for v in axes.letters))
    scope.definitions[name] = Definition(name, axes.letters, terms)
    if any(v.startswith(INTEGRAL) for t in terms for v in t.indices):
        scope.continuous |= {name, *(f.name.rstrip("'") for t in terms for f in t.factors)}


def _read_there(scope: Scope, axes: Axes, terms: Sum) -> list[Constraint]:
    """o_i = sigma(z_i) for 0 <= i < m: so many z_i there are, however that follows for z."""
    found = []
    for f in (f for t in terms for f in t.factors if f.name in scope.definitions):
        for e, a in zip(f.indices, scope.arrays[f.name].axes, strict=True):
            outputs = axes.outputs.get(alone(e) or "", LINE)
            if outputs.last is not None and a.last is not None and outputs != a:
                found += [at_least(outputs.low, a.low), at_least(a.last, outputs.last)]
    return [c for c in found if not c.expression.is_constant and not any("~" in v for v in c.expression.names)]


def _over_whole(axes: Axes, letters: tuple[str, ...], value: Value, terms: Sum) -> None:
    """Ranges where the letters run over a whole array, whose ends may be known."""
    for letter, ends in zip(letters, value.box, strict=False):
        if ends is not None:
            axes.given(letter, ends)
    axes.infer(terms)


def _has_outputs(scope: Scope, axes: Axes) -> None:
    """Who writes a layer down has at least one output."""
    axes.facts += [at_least(a.extent, 1) for a in axes.outputs.values() if a.extent and not a.extent.is_constant
                   and not any("~" in v for v in a.extent.names)]
    scope.facts += [c for c in axes.facts if c not in scope.facts]


def _known_as(scope: Scope, name: str, axes: tuple[Axis, ...]) -> None:
    """The array with its axes; where another layer has read it, what comes out of this one goes in there."""
    if "^" in name:
        scope.same_lengths(name, axes)
    scope.arrays[name] = Array(name, axes)


def _read(session: Session, reader: Reader, right: n.Node) -> Value:
    """The right-hand side; in a document, letters that had another number of axes before start afresh."""
    try:
        return reader.value(right)
    except NotationError as e:
        if session.given or session.fixed or not about_axes(e.reason):
            raise
        start_afresh(session.scope, {session.scope.resolve(key(base_of(x))) for x in index_heads(right)})
        return reader.value(right)


def index_heads(node: n.Node) -> Iterator[n.Node]:
    """Everything below that carries indices."""
    if isinstance(node, n.Scripted | n.Call):
        yield node
    for child in children(node):
        yield from index_heads(child)


def define_whole(session: Session, opened: Opened, name: str, right: n.Node) -> Outcome:
    """h = W x + b, without indices; a loss; or a letter for an expression."""
    reader = opened.reader()
    known = session.scope.array(name) if name not in session.scope.definitions else None
    reader.guess = len(known.axes) if known else 0
    reader.numbered = _numbered(right) if name in LOSSES else frozenset()
    value = reader.value(right)
    letters = tuple(fresh(c) for c in "ijkl"[:value.rank])
    terms = value.at(tuple(map(Affine.of, letters)))
    axes = Axes(session.scope, letters, name)
    _over_whole(axes, letters, value, terms)
    _has_outputs(session.scope, axes)
    made = tuple(axes.outputs[v] for v in letters)
    if known:
        session.scope.same_lengths(name, made)
    _known_as(session.scope, name, made)
    session.scope.definitions[name] = Definition(name, letters, terms)
    if any(v.startswith(INTEGRAL) for t in terms for v in t.indices):
        session.scope.continuous.add(name)
    if value.row:
        session.scope.rows.add(name)
    if not letters:
        _objective(session, name, {f for t in terms for f in t.factors})
    return Outcome("forward", Judgement("definition"), "")


def _numbered(node: n.Node) -> frozenset[str]:
    """What has several numbers below: a loss of y_1 and y_2 is one of their elements."""
    found: dict[str, set[object]] = {}
    for x in index_heads(node):
        if isinstance(x, n.Scripted) and len(x.below) == 1 and isinstance(x.below[0], n.Number):
            found.setdefault(key(x.base), set()).add(x.below[0].value)
    return frozenset(v for v, numbers in found.items() if len(numbers) > 1)


def _objective(session: Session, name: str, factors: set[Factor]) -> None:
    """A scalar is a loss; one that is made of another loss is an objective, whose gradient has more terms."""
    scope = session.scope
    inner = {f.name for f in factors if f.name in scope.losses or (
        f.name.split("^")[0] in LOSSES and f.name not in {*scope.definitions, *scope.arrays, *scope.sizes})}
    if not inner:
        scope.losses.add(name)
        return
    if any(f.indices for f in factors if f.name in inner):
        raise NotationError("a sum of losses is not understood", -1)
    scope.objectives.add(name)
    scope.losses |= inner


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


def _acting(head: n.Node, right: n.Node) -> n.Product | None:
    """T x of (T x)_i, and C x of C(x)_i = sum_j w_j x_{i+j}: an operator in front of an array."""
    if isinstance(head, n.Bracketed) and isinstance(head.body, n.Product):
        return head.body
    if isinstance(head, n.Call) and isinstance(head.head, n.Name) and len(head.arguments) == 1 and isinstance(
            head.arguments[0], n.Name) and key(head.arguments[0]) in {key(base_of(x)) for x in index_heads(right)}:
        return n.Product((head.head, head.arguments[0]))
    return None


def reader_entries(opened: Opened, entries: tuple[n.Node, ...]) -> tuple[n.Node, ...]:
    """Index entries, juxtaposed letters taken apart."""
    return tuple(opened.reader().indexing().entries(entries, None))


def _plain(left: n.Node, opened: Opened) -> bool:
    """Only letters stand at the index positions: a pattern that can be defined, not a single element."""
    reader = opened.reader()
    ref = reference(reader, left)
    array = opened.scope.array(opened.scope.resolve(ref.name))
    entries = reader.indexing().entries(ref.entries, len(array.axes) if array else None)
    blocks = [block_of(e, reader) if array is None else None for e in entries]
    letters = [b.letter if b else _letter(e, reader) for e, b in zip(entries, blocks, strict=True)]
    return "" not in letters and len(set(letters)) == len(letters)


def _starred(node: n.Node) -> bool:
    """An operator at an index or alone: [f * g](x), (f * g)_i, f * g."""
    while isinstance(node, n.Call | n.Scripted | n.Bracketed):
        if convolution(node) is not None:
            return True
        node = node.head if isinstance(node, n.Call) else node.base if isinstance(node, n.Scripted) else node.body
    return isinstance(node, n.Operation) and node.operator not in ("times", "odot", "mod", "circ")
