"""One array said in several statements: u[n] = 1 for n >= 0, u[n] = 0 for n < 0; w_0 = 1, w_j = 0 for j != 0."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from symconv.claims.letters import walk
from symconv.claims.regroup import mapped
from symconv.claims.words import base_of, key
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

OPPOSITE = {"<": ">=", ">=": "<", ">": "<=", "<=": ">", "=": "!=", "!=": "="}


def pieced(s: Statement) -> Statement:
    """A formula with a second one for the same left-hand side behind it, as one with cases."""
    here = _equality(s.body)
    if here is None or len(s.conditions) != 2:
        return s
    first, second = s.conditions
    other = _equality(second.body) if isinstance(second, n.Noted) and len(second.notes) == 1 else None
    if other is None or not isinstance(second, n.Noted) or other.items[0] != here.items[0] \
            or not _opposite(first, second.notes[0]):
        return s
    return _cases(s, here, ((here.items[1], first), (other.items[1], second.notes[0])))


def elsewhere(statements: list[Statement]) -> dict[int, Statement | None]:
    """What stands in the place of w_0 = 1 and of w_j = 0 for j != 0, by their places: one formula with cases."""
    found: dict[int, Statement | None] = {}
    for at, general in enumerate(statements):
        condition = general.conditions[0] if len(general.conditions) == 1 else None
        here = _equality(general.body)
        if here is None or not isinstance(condition, n.Chain) or condition.operators != ("!=",):
            continue
        element = _at(here.items[0], *condition.items)
        single = [(i, e) for i, s in enumerate(statements) if not s.conditions and (e := _equality(s.body)) is not None
                  and e.items[0] == element]
        if len(single) == 1:
            place, value = single[0]
            branches = ((value.items[1], replace(condition, operators=("=",))), (here.items[1], condition))
            found |= {place: None, at: _cases(general, here, branches)}
    return found


def indexed(statements: Iterable[Statement]) -> set[str]:
    """The names that carry letters as indices somewhere: arrays, whose elements at numbers are no sizes."""
    return {key(x) for s in statements for x in indexed_names(s.body)}


def indexed_names(node: n.Node) -> list[n.Node]:
    """The names below that carry letters as indices."""
    return [base_of(x) for x in walk(node) if isinstance(x, n.Scripted | n.Call) and literal(x) is None and _entries(x)]


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


def _equality(node: n.Node) -> n.Chain | None:
    return node if isinstance(node, n.Chain) and node.operators == ("=",) else None


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


def _cases(s: Statement, chain: n.Chain, branches: tuple[tuple[n.Node, n.Node | None], ...]) -> Statement:
    return replace(s, body=replace(chain, items=(chain.items[0], n.Cases(branches))), conditions=())


# -- every s-th element: d_{si} = delta_i, and d_t = 0 where s does not divide t; u[2p] = x[p], u[2p+1] = 0


def interleaved(statements: list[Statement]) -> dict[int, Statement | None]:
    """What stands in the place of the formulas for every s-th element and for the others: one formula with cases."""
    found: dict[int, Statement | None] = {}
    every = [(i, e, part) for i, s in enumerate(statements) if not s.conditions and (e := _equality(s.body)) is not None
             and (part := _strided(e.items[0])) is not None]
    for step, head in dict.fromkeys((p.step, p.head) for _, _, p in every):
        parts = [(i, e, p) for i, e, p in every if (p.step, p.head) == (step, head)]
        others = [i for i, s in enumerate(statements) if _elsewhere(s, step, head)]
        places = sorted(p.rest for _, _, p in parts)
        whole = isinstance(step, n.Number) and places == list(range(int(step.value)))
        if not (whole or (len(others) == 1 and places == [0])):
            continue
        at, first, part = parts[0]
        letter = part.letter
        branches = tuple((_put(e.items[1], p.letter, n.Quotient(_less(letter, p.rest), step)),
                          n.Chain((step, _less(letter, p.rest)), ("|",))) for _, e, p in parts)
        left = _put_entry(first.items[0], letter)
        found |= dict.fromkeys([i for i, _, _ in parts] + others)
        found[at] = _cases(statements[at], replace(first, items=(left, first.items[1])), branches)
    return found


@dataclass(frozen=True)
class Strided:
    """head[step * letter + rest]."""

    head: n.Node
    step: n.Node
    letter: n.Name
    rest: int


def _strided(node: n.Node) -> Strided | None:
    entries = _entries(node)
    if len(entries) != 1:
        return None
    terms = entries[0].terms if isinstance(entries[0], n.Add) else (n.Signed(False, entries[0]),)
    rest = terms[1].node if len(terms) == 2 and not terms[1].negative else n.Number(0)
    product = terms[0].node
    if len(terms) > 2 or terms[0].negative or not isinstance(rest, n.Number) or not isinstance(product, n.Product) \
            or len(product.factors) != 2:
        return None
    step, letter = product.factors
    if not isinstance(letter, n.Name) or not isinstance(step, n.Name | n.Number):
        return None
    return Strided(base_of(node), step, letter, int(rest.value))


def _elsewhere(s: Statement, step: n.Node, head: n.Node) -> bool:
    """Is it d_t = 0 where the step does not divide t?"""
    here = _equality(s.body)
    return here is not None and here.items[1] == n.Number(0) and base_of(here.items[0]) == head and len(
        s.conditions) == 1 and s.conditions[0] == n.Chain((step, *_entries(here.items[0])), ("!|",))


def _less(letter: n.Name, rest: int) -> n.Node:
    return n.Add((n.Signed(False, letter), n.Signed(True, n.Number(rest)))) if rest else letter


def _put(node: n.Node, letter: n.Name, value: n.Node) -> n.Node:
    """With an expression in the place of a letter."""
    return value if node == letter else mapped(node, lambda inner: _put(inner, letter, value))


def _put_entry(node: n.Node, letter: n.Name) -> n.Node:
    """The element at the letter alone."""
    if isinstance(node, n.Scripted):
        return replace(node, below=(letter,))
    assert isinstance(node, n.Call)
    return replace(node, arguments=(letter,))
