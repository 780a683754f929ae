"""Pointwise functions of sums: the sum becomes an array of its own, the one it already is if any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from symconv.affine import Affine
from symconv.claims.axes import INSIDE
from symconv.claims.indexing import QUOTIENT
from symconv.claims.raw import Factor, Raw, Sum, Value, plain
from symconv.claims.scope import Array, Definition, Scope
from symconv.claims.settle import settle
from symconv.decide.prover import prove_equal
from symconv.errors import NotationError

INNER = "z"
SAME = 20_000  # work spent on seeing that a sum is one the document has named


def apply(scope: Scope, value: Value, function: str, names: Mapping[str, Affine]) -> Value:
    """The function of every element.

    Raises:
        NotationError: the argument is already a function's value.
    """
    scope.functions.add(function.rstrip("'"))
    return replace(value, at=lambda i: _applied(scope, value.at(i), function), array="")


def _applied(scope: Scope, terms: Sum, function: str) -> Sum:
    if len(terms) == 1 and len(terms[0].factors) == 1 and terms[0].coefficient == 1 and all(
            plain(n) == QUOTIENT for n in terms[0].indices):  # an index that a quotient fixes is no sum
        f = terms[0].factors[0]
        if f.function:
            raise NotationError("a function of a function is not understood", -1)
        return (replace(terms[0], factors=(replace(f, function=function),)),)
    if not any(f.indices for t in terms for f in t.factors):
        raise NotationError(f"{function} of a number is not understood", -1)
    if any(f.function for t in terms for f in t.factors):
        raise NotationError("a function of a sum of functions is not understood", -1)
    letters = _letters(scope, terms)
    name = _same(scope, terms, letters) or _new(scope, terms, letters)
    return (Raw((Factor(name, tuple(map(Affine.of, letters)), function),)),)


def _letters(scope: Scope, terms: Sum) -> tuple[str, ...]:
    """The free indices, in the order in which they are written."""
    order: dict[str, None] = {}
    for t in terms:
        for f in t.factors:
            for e in f.indices:
                order |= dict.fromkeys(n for m, _ in e for n in m
                                       if n not in t.indices and n not in scope.sizes)
    return tuple(order)


def _same(scope: Scope, terms: Sum, letters: tuple[str, ...]) -> str | None:
    """The array whose definition is this sum, for all sizes."""
    here = tuple(map(Affine.of, letters))
    for d in scope.definitions.values():
        if len(d.letters) != len(letters) or {f.name for t in terms for f in t.factors} != set(d.reads):
            continue
        both = settle(scope, d.at(here), terms, letters)
        if prove_equal(both.left, both.right, work=SAME).proved:
            return d.name
    return None


def _new(scope: Scope, terms: Sum, letters: tuple[str, ...]) -> str:
    taken = {*scope.arrays, *scope.definitions, *scope.upstream, *scope.written}
    name = next(n for k in range(len(taken) + 1) if (n := INNER + "'" * k if k else INNER) not in taken)
    both = settle(scope, terms, (), letters, target=INSIDE)
    scope.arrays[name] = Array(name, both.axes)
    scope.definitions[name] = Definition(name, letters, terms)
    return name
