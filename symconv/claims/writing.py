"""Sums written back in the author's own notation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fractions import Fraction

from symconv.affine import Affine, Constraint
from symconv.claims.raw import Factor, Raw, Sum, plain
from symconv.claims.regroup import mapped
from symconv.claims.scope import GRADIENT, Scope
from symconv.notation import nodes as n
from symconv.notation.build import affine
from symconv.notation.vocabulary import RUN

SPARE = "jiklmnpqrstuv"


def written(scope: Scope, terms: Sum, letters: Mapping[str, str]) -> n.Node | None:
    """The sum as nodes; None where a condition or an array has no plain form.

    Args:
        letters: free indices, internal name to author's.
    """
    parts = [_term(scope, t, letters) for t in _collected(map(solved, terms))]
    if not parts or any(p is None for p in parts):
        return None
    signed = tuple(p for p in parts if p is not None)
    made = signed[0].node if len(signed) == 1 and not signed[0].negative else n.Add(signed)
    return _side_by_side(made, scope) if scope.runs else made


def _collected(terms: Iterable[Raw]) -> list[Raw]:
    """Terms that differ in their coefficients only, as one."""
    found: dict[Raw, Fraction] = {}
    for t in terms:
        alike = replace(t, factors=tuple(sorted(t.factors, key=str)), coefficient=Fraction(1), stated=frozenset(),
                        line=frozenset(), reads=())
        found[alike] = found.get(alike, Fraction(0)) + t.coefficient
    return [replace(t, coefficient=c) for t, c in found.items() if c]


def _side_by_side(node: n.Node, scope: Scope) -> n.Node:
    """kh as the author writes it, not as a word."""
    if isinstance(node, n.Symbol) and node.name in scope.runs:
        return n.Name(node.name, RUN)
    return mapped(node, lambda inner: _side_by_side(inner, scope))


def solved(t: Raw) -> Raw:
    """With every index that an equality fixes put in its place, sums over outputs first."""
    for c in t.constraints:
        for name in reversed(t.indices):
            a = c.expression.coefficient(name)
            if c.equality and abs(a) == 1 and c.expression.is_linear_in(name):
                value = Affine.of(name) - a * c.expression
                rest = replace(t, constraints=tuple(x for x in t.constraints if x is not c),
                               indices=tuple(v for v in t.indices if v != name))
                return solved(rest.substitute({name: value}))
    return t


def _term(scope: Scope, t: Raw, letters: Mapping[str, str]) -> n.Signed | None:
    conditions = [c for c in t.constraints if c.equality and not c.is_trivial]  # ranges are those of the arrays
    if any(c.expression.is_constant for c in conditions):
        return None
    names = _names(t, letters)
    factors = [_factor(scope, f, names) for f in sorted(t.factors, key=lambda f: not f.name.startswith(GRADIENT))]
    if any(f is None for f in factors):
        return None
    number = abs(t.coefficient)
    body: list[n.Node] = [n.Number(number)] if number != 1 or not factors else []
    body += [f for f in factors if f is not None]
    product: n.Node = body[0] if len(body) == 1 else n.Product(tuple(body))
    if t.indices:
        ranges = tuple(n.Range(n.Symbol(names[v])) for v in t.indices)
        product = n.Sum(ranges, product, tuple(_condition(c, names) for c in conditions))
    elif conditions:
        return None
    return n.Signed(t.coefficient < 0, product)


def _names(t: Raw, letters: Mapping[str, str]) -> dict[str, str]:
    """Author's names for all indices, bound ones kept apart from the free."""
    names = dict(letters)
    for v in t.indices:
        name = plain(v)
        if name in names.values():
            name = next(c for c in SPARE if c not in names.values())
        names[v] = name
    return names


def _condition(c: Constraint, names: Mapping[str, str]) -> n.Node:
    e = c.expression.substitute({k: Affine.of(v) for k, v in names.items()})
    left = Affine.build({m: v for m, v in e if v > 0})
    return n.Chain((affine(left), affine(left - e)), ("=",))


def _factor(scope: Scope, f: Factor, names: Mapping[str, str]) -> n.Node | None:
    entries = tuple(affine(e.substitute({k: Affine.of(v) for k, v in names.items()})) for e in f.indices)
    node = element(scope, f.name, entries)
    if node is None or not f.function:
        return node
    primes = len(f.function) - len(f.function.rstrip("'"))
    name = n.Name(f.function.rstrip("'"))
    return n.Call(n.Scripted(name, primes=primes) if primes else name, (node,))


def element(scope: Scope, name: str, entries: tuple[n.Node, ...]) -> n.Node | None:
    """An element written as the author writes elements of that array."""
    if name.startswith(GRADIENT) and name not in scope.heads:
        inner = name.removeprefix(GRADIENT)
        of = element(scope, inner, entries)
        loss = next(iter(sorted(scope.losses, key=lambda v: v != "L")), "L")
        return n.Partial(n.Name(loss), of) if of is not None else None
    head = scope.heads.get(name)
    if not entries:
        return head or n.Name(name)
    if isinstance(head, n.Call):
        return replace(head, arguments=entries)
    if isinstance(head, n.Scripted):
        return replace(head, below=entries)
    return None
