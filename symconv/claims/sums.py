"""Sums as written: which names run, and over what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from symconv.claims.letters import free, index_names
from symconv.claims.scope import Scope
from symconv.claims.words import is_word, key, not_understood
from symconv.notation import nodes as n


def opened(node: n.Sum, scope: Scope, known: Collection[str]) -> tuple[list[n.Range], list[n.Node]]:
    """Ranges and conditions. Under \\substack, or in sum_{i+j=k}, the names that run are those the body
    indexes with and nothing else declares."""
    ranges, fixed = _fixed(node, known)
    conditions: list[n.Node] = []
    running = {key(r.index) for r in ranges}
    used = set(free(node.body, scope))
    for c in (*fixed, *node.conditions):
        names, rest = _listed(c)
        for name in names:
            if key(name) not in running:
                ranges.append(n.Range(name))
                running.add(key(name))
        if rest is None or _starts(rest, ranges):
            continue
        conditions.append(rest)
        for name in index_names(rest):
            word = key(name)
            if word in used and word not in running and word not in known:
                ranges.append(n.Range(name))
                running.add(word)
    return ranges, conditions


def _fixed(node: n.Sum, known: Collection[str]) -> tuple[list[n.Range], list[n.Node]]:
    """Ranges, and conditions on indices that something outside declares: in sum_{i,j: m = i + j} and in
    sum_{m = i + j} an m that stands on the left-hand side does not run.

    Raises:
        NotationError: a sum begins at an index and ends nowhere.
    """
    ranges: list[n.Range] = []
    fixed: list[n.Node] = []
    said = {key(c.items[0]) for c in node.conditions if isinstance(c, n.Chain) and c.operators == ("=",)}
    for r in node.ranges:
        moving = r.low is not None and r.high is None and r.within is None and any(
            True for x in index_names(r.low) if not is_word(x))
        if key(r.index) in known and moving:
            assert r.low is not None
            fixed.append(n.Chain((r.index, r.low), ("=",)))
        elif not (key(r.index) in known and r == n.Range(r.index) and key(r.index) in said):
            ranges.append(r)
            if moving and r.low is not None and {key(x) for x in index_names(r.low)} & set(known):
                raise not_understood(f"the sum over {key(r.index)} has no last value", r.index)
    return ranges, fixed


def _starts(c: n.Node, ranges: list[n.Range]) -> bool:
    """n = max(1, ...) below a sum with an upper bound says where n starts."""
    if not isinstance(c, n.Chain) or c.operators != ("=",):
        return False
    for place, r in enumerate(ranges):
        if r.low is None and r.high is not None and key(c.items[0]) == key(r.index):
            ranges[place] = replace(r, low=c.items[1])
            return True
    return False


def _listed(c: n.Node) -> tuple[list[n.Node], n.Node | None]:
    """Leading names of `i, j, s i + j = m`, and the condition that remains."""
    if isinstance(c, n.Name | n.Scripted):
        return [c], None
    if isinstance(c, n.Items):
        names: list[n.Node] = [e for e in c.entries if isinstance(e, n.Name | n.Scripted) and not is_word(e)]
        rest = tuple(e for e in c.entries if e not in names and not is_word(e))
        return names, n.Items(rest) if rest else None
    if isinstance(c, n.Chain) and isinstance(c.items[0], n.Items):
        entries = [e for e in c.items[0].entries if not is_word(e)]
        if entries and not all(isinstance(e, n.Name | n.Scripted) for e in entries):
            running: list[n.Node] = [e for e in entries if isinstance(e, n.Name | n.Scripted)]
            first = next(e for e in entries if e not in running)
            return running, replace(c, items=(first, *c.items[1:]))
    return [], c
