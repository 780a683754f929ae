"""What the field takes for granted when a document does not say: whose gradient delta is."""

from __future__ import annotations

from collections.abc import Iterable

from symconv.claims.reader import Reader
from symconv.claims.scope import Definition, Scope
from symconv.claims.spelling import reference
from symconv.claims.starred import impulse
from symconv.claims.words import base_of
from symconv.notation import nodes as n

LETTERS = frozenset(("delta", "Delta", "dout", "grad", "varepsilon", "epsilon"))


def assume_upstream(scope: Scope, reader: Reader, nodes: Iterable[n.Node]) -> None:
    """A delta nobody defined is dL/d(output) of the forward formula."""
    for node in _references(nodes):
        first = base_of(node)
        if not isinstance(first, n.Name) or first.text not in LETTERS or first.accent:
            continue
        ref = reference(reader, node)
        if ref.name in scope.assumed:
            scope.note(f"{ref.name} is taken as dL/d{scope.upstream[ref.name]}")
        if ref.name in scope.upstream or ref.name in scope.arrays or ref.name in scope.definitions:
            continue
        if _impulse(scope, node):
            impulse(scope, len(ref.entries) or 1)
            continue
        d = output(scope, ref.name, len(ref.entries))
        if d is not None:
            scope.upstream[ref.name] = d.name
            scope.assumed.add(ref.name)
            scope.note(f"{ref.name} is taken as dL/d{d.name}")


def _impulse(scope: Scope, node: n.Node) -> bool:
    """delta[n - a] beside sequences, where no derivative has been named: the unit impulse."""
    if getattr(base_of(node), 'text', '') in scope.impulses:
        return True
    return isinstance(node, n.Call | n.Name) and not scope.upstream and not scope.losses and bool(scope.arrays) \
        and not any(a.finite for a in scope.arrays.values())


def _references(nodes: Iterable[n.Node]) -> Iterable[n.Node]:
    from symconv.claims.letters import children

    for node in nodes:
        if isinstance(node, n.Scripted | n.Call | n.Name):
            yield node
        yield from _references(children(node))


def output(scope: Scope, name: str, rank: int) -> Definition | None:
    """The forward formula delta belongs to: the one of the same layer, else the last linear one."""
    label = name.partition("^")[2]
    linear = [d for d in scope.definitions.values()
              if d.letters and not any(f.function for t in d.terms for f in t.factors)]
    linear = [d for d in linear if any(t.indices or len(t.factors) > 1 for t in d.terms)] or [
        d for d in linear if len(d.letters) == len(scope.extents.get(name, d.letters))]  # T_{ij} = w_{i-j} is a matrix
    same = [d for d in linear if d.name.partition("^")[2] == label]
    fitting = [d for d in (same or linear) if rank in (0, len(d.letters))] or same or linear
    return fitting[-1] if fitting else None
