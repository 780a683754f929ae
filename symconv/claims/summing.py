"""Sums, integrals, indicators and cases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.affine import Affine, Constraint
from symconv.claims.indexing import Indexing, is_infinite, is_line
from symconv.claims.letters import INDICES, index_names
from symconv.claims.raw import INTEGRAL, Raw, Value, fresh
from symconv.claims.sums import opened
from symconv.claims.words import key, not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader


def indicator(reader: Reader, condition: n.Node) -> Value:
    """One where the condition holds, else nothing."""
    indexing = reader.indexing()
    found = tuple(indexing.condition(condition))
    return Value.scalar((Raw((), tuple(indexing.side.indices), (*indexing.side.constraints, *found)),))


def branched(reader: Reader, node: n.Cases) -> Value:
    """Branches whose conditions are taken one by one; "otherwise" only where it gives zero."""
    found: list[Raw] = []
    for value, condition in node.branches:
        if isinstance(value, n.Number) and value.value == 0:
            continue
        if condition is None:
            raise not_understood("an 'otherwise' other than zero is not understood", value)
        indexing = reader.indexing()
        loose = [key(x) for x in index_names(condition) if key(x) in INDICES and key(x) not in reader.names]
        if loose:
            raise not_understood(f"{loose[0]} in the condition is bound nowhere", condition)
        where = indexing.condition(condition)
        side = indexing.side
        found += (t.over(side.indices, (*side.constraints, *where)) for t in reader.terms(value))
    return Value.scalar(tuple(found))


def summed(reader: Reader, node: n.Sum) -> Value:
    """A sum: the body over its ranges, where the conditions hold."""
    names: dict[str, Affine] = {}
    stated: list[str] = []
    line: list[str] = []
    ranges, conditions = opened(node, reader.scope, {*reader.names, *reader.scope.sizes, *reader.scope.settings})
    for r in ranges:
        if key(r.index) in names:
            raise not_understood(f"the index {key(r.index)} is bound twice", node)
        inside = fresh(key(r.index))
        names[key(r.index)] = Affine.of(inside)
        if r.low is not None and not (is_infinite(r.low) or is_infinite(r.high)):
            stated.append(inside)
        if (r.low is not None and is_infinite(r.low)) or (r.within is not None and is_line(r.within) is not None):
            line.append(inside)
    reader = reader.inner(names)
    indexing = reader.indexing()
    bounds: list[Constraint] = []
    for r in ranges:
        bounds += limits(reader, indexing, r)
    for condition in conditions:
        bounds += indexing.condition(condition)
    side = indexing.side
    body = reader.value(node.body)
    if not names:
        if not body.rank:
            raise not_understood("a sum without an index", node)
        every = tuple(fresh("t") for _ in range(body.rank))
        here = tuple(map(Affine.of, every))
        return Value.scalar(tuple(t.over(every) for t in body.at(here)))
    bound = [*(e.items[0][0][0] for e in names.values()), *side.indices]
    return replace(body, array="", at=lambda i: tuple(
        t.over(bound, (*side.constraints, *bounds), stated, line) for t in body.at(i)))


def limits(reader: Reader, indexing: Indexing, r: n.Range) -> list[Constraint]:
    """The constraints that the bounds of one range state."""
    here = indexing.names[key(r.index)]
    for end in (r.low, r.high):
        reader.scope.offsets -= {key(x) for x in index_names(end)} if end is not None else set()
    low = indexing.bounded(here, r.low, True) if r.low is not None else []
    high = indexing.bounded(here, r.high, False) if r.high is not None else []
    if r.within is not None and is_line(r.within) is None:
        return [*low, *high, *indexing.membership(r.index, r.within)]
    return [*low, *high]


def integrated(reader: Reader, node: n.Integral) -> Value:
    """Over all of R^d: substitutions by +-1 work as they do for sums over all integers."""
    whole_line = (node.within is not None and is_line(node.within) is not None) or (
        (node.low is None or is_infinite(node.low)) and (node.high is None or is_infinite(node.high)))
    if not whole_line:
        raise not_understood("an integral over part of the line is not understood", node)
    reader.scope.note("integral")
    names = {key(v): Affine.of(fresh(INTEGRAL + key(v))) for v in node.variables}
    body = reader.inner(names).value(node.body)
    bound = [e.items[0][0][0] for e in names.values()]
    if not body.rank:
        reader.scope.continuous |= {f.name.rstrip("'") for t in body.terms for f in t.factors}
    return replace(body, array="", at=lambda i: tuple(t.over(bound, (), (), bound) for t in body.at(i)))
