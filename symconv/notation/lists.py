"""Lists with commas: which of them belong to one relation."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.notation import nodes as n
from symconv.notation.shapes import base_of, mentions


def gather(entries: Sequence[n.Node]) -> tuple[n.Node, ...]:
    """Entries whose commas belong to one relation, together: i, j = 1, ..., n and 1 <= i, j <= n."""
    return tuple(node for node, _ in gathered(entries))


def gathered(entries: Sequence[n.Node]) -> list[tuple[n.Node, int]]:
    """What `gather` finds, each with the number of entries it is made of."""
    found: list[n.Node] = []
    counts: list[int] = []
    for at, entry in enumerate(entries):
        ends = isinstance(entry, n.Dots) and (at + 1 == len(entries) or isinstance(entries[at + 1], n.Chain))
        last, count = found[-1] if found else None, 1
        if isinstance(last, n.Chain) and not ends and _lists(last, entry):
            values = last.items[-1]
            listed = values.entries if isinstance(values, n.Items) and not values.bracket else (values,)
            found[-1] = n.Chain((*last.items[:-1], n.Items((*listed, entry))), last.operators)
            counts[-1] += 1
            continue
        if isinstance(last, n.Chain) and isinstance(entry, n.Chain) and _between(last, entry):
            both = n.Items((last.items[-1], entry.items[0]))
            found[-1] = n.Chain((*last.items[:-1], both, *entry.items[1:]), (*last.operators, *entry.operators))
            counts[-1] += 1
            continue
        if isinstance(entry, n.Chain) and entry.operators[0] in ("=", "in") and _indexed(entry.items[0]):
            names, inside = [entry.items[0]], mentions(entry)
            fits = _indexed if entry.operators[0] == "in" else _plain
            while found and found[-1] not in inside and fits(found[-1]):
                names.insert(0, found.pop())
                count += counts.pop()
            left = names[0] if len(names) == 1 else n.Items(tuple(names))
            entry = n.Chain((left, *entry.items[1:]), entry.operators)
        found.append(entry)
        counts.append(count)
    return list(zip(found, counts, strict=True))


def _plain(node: n.Node) -> bool:
    """Could this be an index?"""
    return isinstance(node, n.Name) or (isinstance(node, n.Scripted) and not node.below + node.above)


def _indexed(node: n.Node) -> bool:
    """A name, with scripts or without."""
    return isinstance(base_of(node), n.Name)


def _lists(last: n.Chain, entry: n.Node) -> bool:
    """Does a value after a comma go on with the values of the relation before it?"""
    if last.operators[-1] != "=" or isinstance(entry, n.Chain):
        return False
    values = last.items[-1]
    listed = values.entries if isinstance(values, n.Items) else (values,)
    if isinstance(entry, n.Dots) or any(isinstance(v, n.Dots) for v in listed[-2:]):
        return not (len(listed) > 1 and isinstance(listed[-2], n.Dots))
    return isinstance(entry, n.Number) and isinstance(listed[-1], n.Number)


def _between(last: n.Chain, entry: n.Chain) -> bool:
    """1 <= i and j <= n, with a comma between: both indices have both bounds."""
    small, large = ("<=", "<"), (">=", ">")
    return (_plain(last.items[-1]) and _plain(entry.items[0]) and not _plain(last.items[0])
            and any(last.operators[-1] in way and entry.operators[0] in way for way in (small, large)))
