"""Sums with an ellipsis: w_1 x_i + w_2 x_{i+1} + ... + w_k x_{i+k-1}."""

from __future__ import annotations

from typing import TYPE_CHECKING

from symconv.affine import Affine, at_least
from symconv.claims.raw import Factor, Raw, Sum, fresh
from symconv.claims.words import not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader


def continued(reader: Reader, node: n.Add) -> Sum:
    """The sum whose first terms and last term are written down.

    Raises:
        NotationError: they follow no common pattern.
    """
    place = next(i for i, t in enumerate(node.terms) if isinstance(t.node, n.Dots))
    if place < 1 or place != len(node.terms) - 2:
        raise not_understood("an ellipsis must stand between the first terms and the last one", node)
    terms = [reader.signed(t).terms for t in node.terms if not isinstance(t.node, n.Dots)]
    if any(len(t) != 1 or t[0].indices for t in terms):
        raise not_understood("the terms around the ellipsis are no products of elements", node)
    first, last, rest = terms[0][0], terms[-1][0], [t[0] for t in terms[1:-1]]
    steps = _steps(first, rest[0] if rest else None, last)
    count = None if steps is None else _count(first, last, steps)
    if steps is None or count is None or any(_moved(first, steps, Affine.of(k + 1)) != t.factors
                                             for k, t in enumerate(rest)):
        raise not_understood("the terms around the ellipsis follow no common pattern", node)
    name = fresh("r")
    start = next((e for f, row in zip(first.factors, steps, strict=True) for e, step in zip(f.indices, row, strict=True)
                  if step == 1 and e.is_constant), Affine())
    term = Raw(_moved(first, steps, Affine.of(name) - start), (), first.constraints, first.coefficient)
    return (term.over((name,), (at_least(name, start), at_least(count + start, name)), (name,)),)


def _steps(first: Raw, second: Raw | None, last: Raw) -> list[list[int]] | None:
    """By how much each index moves from term to term."""
    if _kind(first) != _kind(last):
        return None
    if second is None:
        return [[int(a != b) for a, b in zip(f.indices, g.indices, strict=True)]
                for f, g in zip(first.factors, last.factors, strict=True)]
    if _kind(first) != _kind(second):
        return None
    gaps = [[b - a for a, b in zip(f.indices, g.indices, strict=True)]
            for f, g in zip(first.factors, second.factors, strict=True)]
    return [[g.constant for g in row] for row in gaps] if all(g.is_constant for row in gaps for g in row) else None


def _kind(t: Raw) -> list[tuple[str, int]]:
    """Which arrays, with how many indices: w x and w_k x_k are not alike."""
    return [(f.name, len(f.indices)) for f in t.factors]


def _count(first: Raw, last: Raw, steps: list[list[int]]) -> Affine | None:
    """How many terms come after the first: the same for every index that moves."""
    found = set()
    for f, g, row in zip(first.factors, last.factors, steps, strict=True):
        for a, b, step in zip(f.indices, g.indices, row, strict=True):
            if abs(step) == 1:
                found.add((b - a) * step)
            elif not step and a != b:
                return None
    return found.pop() if len(found) == 1 else None


def _moved(t: Raw, steps: list[list[int]], by: Affine) -> tuple[Factor, ...]:
    return tuple(type(f)(f.name, tuple(e + by * step for e, step in zip(f.indices, row, strict=True)), f.function)
                 for f, row in zip(t.factors, steps, strict=True))
