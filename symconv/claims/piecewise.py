"""One array said in several statements: u[n] = 1 for n >= 0, u[n] = 0 for n < 0; w_0 = 1, w_j = 0 for j != 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symconv.claims.letters import walk
from symconv.claims.words import base_of, key
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "!=", "!=": "="}


def pieced(s: Statement) -> Statement:
    """A formula with a second one for the same left-hand side behind it, as one with cases."""
    if not _equality(s.body) or len(s.conditions) != 2:
        return s
    first, second = s.conditions
    if not isinstance(second, n.Noted) or not _equality(second.body) or len(second.notes) != 1 \
            or second.body.items[0] != s.body.items[0] or not _opposite(first, second.notes[0]):
        return s
    return _cases(s, ((s.body.items[1], first), (second.body.items[1], second.notes[0])))


def elsewhere(statements: list[Statement]) -> dict[int, Statement | None]:
    """What stands in the place of w_0 = 1 and of w_j = 0 for j != 0, by their places: one formula with cases."""
    found: dict[int, Statement | None] = {}
    for at, general in enumerate(statements):
        condition = general.conditions[0] if len(general.conditions) == 1 else None
        if not _equality(general.body) or not isinstance(condition, n.Chain) or condition.operators != ("!=",):
            continue
        element = _at(general.body.items[0], *condition.items)
        single = [i for i, s in enumerate(statements)
                  if _equality(s.body) and not s.conditions and s.body.items[0] == element]
        if len(single) == 1:
            here = replace(condition, operators=("=",))
            value = statements[single[0]].body.items[1]
            found |= {single[0]: None, at: _cases(general, ((value, here), (general.body.items[1], condition)))}
    return found


def indexed(statements: Iterable[Statement]) -> set[str]:
    """The names that carry letters as indices somewhere: arrays, whose elements at numbers are no sizes."""
    return {key(base_of(x)) for s in statements for x in walk(s.body)
            if isinstance(x, n.Scripted | n.Call) and literal(x) is None and _entries(x)}


def literal(node: n.Node) -> n.Node | None:
    """The array of an element at numbers, w_0 or w_{-1}; None for anything else."""
    entries = _entries(node)
    return base_of(node) if entries and all(map(number, entries)) else None


def _entries(node: n.Node) -> tuple[n.Node, ...]:
    return node.below if isinstance(node, n.Scripted) else node.arguments if isinstance(node, n.Call) else ()


def number(node: n.Node) -> bool:
    """0, -1."""
    if isinstance(node, n.Add) and len(node.terms) == 1:
        return number(node.terms[0])
    return isinstance(node, n.Number) or (isinstance(node, n.Signed) and number(node.node))


def _equality(node: n.Node) -> bool:
    return isinstance(node, n.Chain) and node.operators == ("=",)


def _opposite(a: n.Node, b: n.Node) -> bool:
    """n >= 0 and n < 0."""
    return isinstance(a, n.Chain) and isinstance(b, n.Chain) and a.items == b.items and len(a.operators) == 1 \
        and b.operators == (OPPOSITE.get(a.operators[0]),)


def _at(node: n.Node, letter: n.Node, place: n.Node) -> n.Node | None:
    """The element w_0 of w_j."""
    if isinstance(node, n.Scripted) and node.below == (letter,):
        return replace(node, below=(place,))
    if isinstance(node, n.Call) and node.arguments == (letter,):
        return replace(node, arguments=(place,))
    return None


def _cases(s: Statement, branches: tuple[tuple[n.Node, n.Node | None], ...]) -> Statement:
    assert isinstance(s.body, n.Chain)
    return replace(s, body=replace(s.body, items=(s.body.items[0], n.Cases(branches))), conditions=())
