"""Derivatives through a document's definitions, by the product rule and the chain rule."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symconv.affine import Affine, Constraint
from symconv.claims.raw import Factor, Index, Raw, Sum, derivative, fresh, multiply
from symconv.claims.scope import GRADIENT, Definition, Scope, gradient_of
from symconv.errors import NotationError

DEEPEST = 8


def depends(scope: Scope, name: str, on: str, depth: int = 0) -> bool:
    """Does the array called `name`, through its definition, read `on`?"""
    if name == on:
        return True
    found = scope.definitions.get(name)
    return found is not None and depth < DEEPEST and any(depends(scope, r, on, depth + 1) for r in found.reads)


def differential(scope: Scope, terms: Sum, name: str, at: Index, depth: int = 0) -> Sum:
    """d(terms)/d(name[at]), definitions followed."""
    if depth > DEEPEST:
        raise NotationError("the definitions refer to each other", -1)
    found = list(derivative(terms, name, at))
    for t in terms:
        for place, f in enumerate(t.factors):
            inner = scope.definitions.get(f.name)
            if inner is None and f.name in scope.losses and not f.indices:
                rest = t.factors[:place] + t.factors[place + 1:]
                found.append(replace(t, factors=(*rest, Factor(gradient_of(name), at))))
            if f.name == name or inner is None or not depends(scope, f.name, name):
                continue
            rest = t.factors[:place] + t.factors[place + 1:]
            if f.function:
                rest += (replace(f, function=f.function + "'"),)
            outer: Sum = (replace(t, factors=rest, constraints=t.constraints + _exists(scope, f)),)
            found += multiply(outer, differential(scope, inner.at(f.indices), name, at, depth + 1))
    return tuple(found)


def _exists(scope: Scope, f: Factor) -> tuple[Constraint, ...]:
    """The element of a defined array is there: its own definition says nothing outside."""
    array = scope.array(f.name)
    return array.inside(f.indices) if array else ()


def upstream(scope: Scope, name: str, at: Index, stop: Collection[str], depth: int = 0) -> Sum:
    """dL/d(name[at]), expressed through the gradients in `stop` or those nearest the loss."""
    readers = [d for d in scope.readers(name) if d.name != name]
    goals = [s.removeprefix(GRADIENT) for s in stop]
    leading = [d for d in readers if any(depends(scope, g, d.name) for g in goals)]
    readers = leading or readers
    if not readers or depth > DEEPEST:
        return (Raw((Factor(gradient_of(name), at),)),)
    found: list[Raw] = []
    for d in readers:
        names = tuple(fresh(v) for v in d.letters)
        here = tuple(map(Affine.of, names))
        inner = derivative(d.at(here), name, at)
        outer = _gradient(scope, d, here, stop, depth)
        found += (t.over(names) for t in multiply(outer, inner))
    return tuple(found)


def _gradient(scope: Scope, d: Definition, here: Index, stop: Collection[str], depth: int) -> Sum:
    if d.name in scope.losses:
        return (Raw(),)
    if gradient_of(d.name) in stop:
        return (Raw((Factor(gradient_of(d.name), here),)),)
    return upstream(scope, d.name, here, stop, depth + 1)


def gradients(terms: Sum) -> set[str]:
    """The names of the gradients that occur."""
    return {f.name for t in terms for f in t.factors if f.name.startswith(GRADIENT)}


def resolved(scope: Scope, terms: Sum, stop: Collection[str]) -> Sum:
    """With every gradient that others in `stop` determine expressed through those."""
    found: list[Raw] = []
    for t in terms:
        total: Sum = (replace(t, factors=()),)
        for f in t.factors:
            name = f.name.removeprefix(GRADIENT)
            inner: Sum = (Raw((f,)),)
            if f.name.startswith(GRADIENT) and _determined(scope, name, stop):
                inner = upstream(scope, name, f.indices, [s for s in stop if s != f.name])
            total = multiply(total, inner)
        found += total
    return tuple(found)


def _determined(scope: Scope, name: str, stop: Collection[str]) -> bool:
    """Is dL/d(name) to be expanded: does anything defined read it, nearer the loss than `stop` asks?"""
    others = [s.removeprefix(GRADIENT) for s in stop if s != gradient_of(name)]
    if any(depends(scope, o, name) for o in others):
        return True
    return not others and any(True for _ in scope.readers(name))
