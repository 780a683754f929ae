"""Derivatives as written: of the loss by an element, of one element by another, by a variable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims.continuous import derivative, derivative_by
from symconv.claims.gradients import differential
from symconv.claims.raw import INTEGRAL, Factor, Raw, Sum, Value
from symconv.claims.scope import GRADIENT, gradient_of
from symconv.claims.words import LOSSES, is_word, key, names_in, not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader


VARIABLES = frozenset(("t", "x", "u", "s", "tau"))


def partial_value(reader: Reader, node: n.Partial) -> Value:
    """A derivative as it is written: of the loss, of an element, or by a variable."""
    by = reader.scope.resolve(key(node.by)) if isinstance(node.by, n.Name) else ""
    if by in reader.names or by in reader.variables:
        return derived_value(reader, node, None)
    if isinstance(node.by, n.Name) and node.by.text in VARIABLES and whole_function(reader, node.of):
        return derivative(reader.value(node.of))
    target = reader.value(node.by)
    if key(node.of) in reader.scope.objectives:
        return by_terms(reader, target, reader.scope.definitions[key(node.of)].terms, node)
    if is_loss(reader, node.of) and not one_of_many(reader, node):
        return renamed(reader, target, node)
    at = element_of(reader, target, node)
    of = reader.value(node.of)
    for f in (f for t in of.at(tuple(Affine.of(f"?{k}") for k in range(of.rank))) for f in t.factors):
        given = f.name in reader.scope.definitions or f.name == at.name or f.name.startswith(GRADIENT)
        if not given and (f.name.split("^")[0] in LOSSES or at.name in reader.scope.definitions):
            raise not_understood(f"nothing says how {f.name} depends on {at.name}", node)

    def derived(i: tuple[Affine, ...]) -> Sum:
        terms = of.at(i)
        named = tuple(f for t in terms if not t.indices for f in t.factors if f.indices)
        return tuple(replace(t, reads=t.reads + named) for t in differential(reader.scope, terms, at.name, at.indices))

    return replace(of, array="", at=derived)


def whole_function(reader: Reader, of: n.Node) -> bool:
    """f, or f * g: functions on R that are written without their argument."""
    of = of.body if isinstance(of, n.Bracketed) else of
    if isinstance(of, n.Operation):
        return whole_function(reader, of.left) and whole_function(reader, of.right)
    return isinstance(of, n.Name) and (key(of) in reader.scope.continuous or (
        reader.scope.array(key(of)) is None and any(v.startswith(INTEGRAL) for x in reader.scope.templates.values()
                                                    for t in x.terms for v in t.indices)))


def renamed(reader: Reader, target: Value, node: n.Partial) -> Value:
    """dL/dw_i: the gradient's element at the same place."""
    def at(i: tuple[Affine, ...]) -> Sum:
        return tuple(replace(t, factors=tuple(
            replace(f, name=gradient_of(f.name), function="") for f in t.factors)) for t in target.at(i))

    probe = target.at(tuple(Affine.of(f"?{k}") for k in range(target.rank)))
    if len(probe) != 1 or len(probe[0].factors) != 1 or probe[0].factors[0].name.startswith(GRADIENT):
        raise not_understood("a derivative by something other than a name or an element is not understood", node)
    return replace(target, at=at, array="")


def by_terms(reader: Reader, target: Value, terms: Sum, node: n.Partial) -> Value:
    """dJ/dw where J is a loss and more: term by term."""
    one = renamed(reader, target, node)

    def at(i: tuple[Affine, ...]) -> Sum:
        return tuple(d for t in one.at(i) for f in t.factors
                     for d in differential(reader.scope, terms, f.name.removeprefix(GRADIENT), f.indices))

    return replace(one, at=at)


def element_of(reader: Reader, target: Value, node: n.Partial) -> Factor:
    """The one element a derivative is taken by."""
    terms = target.terms if not target.rank else ()
    if len(terms) != 1 or len(terms[0].factors) != 1 or terms[0].indices:
        raise not_understood("a derivative by something other than a name or an element is not understood", node)
    return terms[0].factors[0]


def is_loss(reader: Reader, of: n.Node) -> bool:
    """Is this what derivatives are taken of: a scalar the document calls its loss, or usually called so?"""
    if isinstance(of, n.Call) and isinstance(of.head, n.Name) and reader.scope.array(key(of.head)) is None \
            and (of.head.text in LOSSES or key(of.head) in reader.scope.losses or whole_arguments(reader, of)):
        return True
    name = key(of)
    array = reader.scope.array(name)
    if name in reader.scope.losses:
        return True
    if (array is not None and array.axes) or name in reader.names:
        return False
    names = names_in(of) if isinstance(of, n.Name | n.Scripted) else []
    return is_word(of) or (bool(names) and names[0].text in LOSSES)


def one_of_many(reader: Reader, node: n.Partial) -> bool:
    """dl_n/dy_n: the loss of one example, and what follows for the loss of all is not said by that."""
    indices = [{key(x) for e in (*side.below, *(side.above if side.grouped else ())) for x in names_in(e)}
               if isinstance(side, n.Scripted) else set[str]() for side in (node.of, node.by)]
    return bool(indices[0] & indices[1] & set(reader.names))


def whole_arguments(reader: Reader, of: n.Call) -> bool:
    """f(Y): a function of whole arrays is a scalar of which derivatives are taken."""
    return all(isinstance(a, n.Name) and key(a) not in reader.names for a in of.arguments)


def derived_value(reader: Reader, node: n.Partial, rank: int | None) -> Value:
    """d/dx of a function of x: every function contributes its derivative at its argument."""
    letter = reader.names[key(node.by)].items[0][0][0] if key(node.by) in reader.names else ""
    if rank is not None:
        name = key(node.of) + "'"
        reader.scope.continuous.add(key(node.of))
        return Value(rank, lambda i: (Raw((Factor(name, i),)),))
    value = reader.value(node.of)
    return replace(value, array="", at=lambda i: derivative_by(value.at(i), letter))
