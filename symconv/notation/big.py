"""Sums, products and integrals: what runs under and over their signs, and how far they reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from symconv.notation import nodes as n
from symconv.notation.lists import gather
from symconv.notation.reader import Reader, Rule
from symconv.notation.shapes import base_of, mentions
from symconv.notation.tokens import Token

Read = tuple[tuple[n.Range, ...], tuple[n.Node, ...]]
INTEGRALS = {"int": 1, "iint": 2, "iiint": 3}
MOST_VARIABLES = 9
RISING, FALLING = frozenset(("<", "<=")), frozenset((">", ">="))


def summation(r: Reader, token: Token) -> n.Node:
    """A sum; sums that follow one another directly are one."""
    ranges, conditions = _bounds(r, token)
    body = r.signed()
    if isinstance(body, n.Sum):
        return n.Sum(ranges + body.ranges, body.body, conditions + body.conditions)
    return n.Sum(ranges, body, conditions)


def big_product(r: Reader, token: Token) -> n.Node:
    """A product over ranges."""
    ranges, conditions = _bounds(r, token)
    if conditions:
        raise r.wrong("a condition under a product", token)
    body = r.signed()
    if isinstance(body, n.BigProduct):
        return n.BigProduct(ranges + body.ranges, body.body)
    return n.BigProduct(ranges, body)


def _bounds(r: Reader, token: Token) -> Read:
    """What stands under and over the sign."""
    under: tuple[n.Node, ...] = ()
    over: tuple[n.Node, ...] = ()
    while r.sees("script"):
        if r.next().text == "_":
            if under:
                raise r.wrong("two subscripts")
            under = _under(r)
        else:
            over += r.script()
    ranges, conditions = read_ranges(under)
    if not over:
        return ranges, conditions
    open_ = [at for at, one in enumerate(ranges) if one.high is None and one.within is None]
    if not open_ or len(over) not in (1, len(open_)):
        raise r.wrong("a last value that belongs to no index", token)
    found = list(ranges)
    for place, at in enumerate(open_):
        found[at] = n.Range(ranges[at].index, ranges[at].low, over[place if len(over) > 1 else 0])
    return tuple(found), conditions


def _under(r: Reader) -> tuple[n.Node, ...]:
    """The entries under a sign; the rows of a \\substack are entries."""
    if not r.sees("open") and not r.sees("macro", "substack"):
        return (r.bare(r.peek),)
    braces = r.accept("open")
    if not r.accept("macro", "substack"):
        found = gather(r.entries())
    else:
        r.expect("open")
        found = gather(r.entries())
        while r.accept("row"):
            found += gather(r.entries())
        r.expect("close")
    if braces:
        r.expect("close")
    return found


def read_ranges(entries: Iterable[n.Node]) -> Read:
    """The indices that entries under a sum introduce, with their ranges, and the conditions left over.

    Entries that name an index plainly go first; a relation introduces one only if it contains none.
    """
    ranges: dict[n.Node, n.Range] = {}
    conditions: list[n.Node] = []
    later: list[n.Chain] = []
    for entry in _split(entries):
        if isinstance(entry, n.Chain) and not _plainly(entry):
            later.append(entry)
            continue
        found, left = _entry(entry)
        known = mentions(entry) & set(ranges)
        if isinstance(entry, n.Chain) and entry.operators == ("=",) and known:
            found, left = tuple(map(n.Range, indices(entry.items[0]))), (entry,)
        for one in found:
            ranges[one.index] = _merged(ranges.get(one.index), one)
        conditions += left
    for entry in later:
        found, left = ((), (entry,)) if mentions(entry) & set(ranges) else _entry(entry)
        ranges |= {one.index: one for one in found}
        conditions += left
    return tuple(ranges.values()), tuple(conditions)


def _plainly(entry: n.Chain) -> bool:
    """i = ..., i in ..., a <= i <= b: what stands for an index is beyond doubt."""
    if entry.operators in (("=",), ("in",)):
        return bool(indices(entry.items[0])) and not mentions(entry.items[0]) & mentions(entry.items[1])
    return len(entry.items) == 3 and set(entry.operators) <= RISING | FALLING and bool(indices(entry.items[1]))


def _merged(known: n.Range | None, new: n.Range) -> n.Range:
    if known is None:
        return new
    return n.Range(known.index, known.low or new.low, known.high or new.high, None, known.within or new.within)


def _split(entries: Iterable[n.Node]) -> Iterable[n.Node]:
    """Indices before a colon or a bar and the condition after it, one by one."""
    for entry in entries:
        if isinstance(entry, n.Chain) and entry.operators[0] in (":", "|") and len(entry.operators) > 1:
            yield entry.items[0]
            yield n.Chain(entry.items[1:], entry.operators[1:])
        else:
            yield entry


def indices(node: n.Node) -> tuple[n.Node, ...]:
    """The names in i, in (i, j), in "i, j" and in ij; none for anything else."""
    if isinstance(base_of(node), n.Name):
        return (node,)
    parts = node.factors if isinstance(node, n.Product) else node.entries if isinstance(node, n.Items) else ()
    return parts if all(isinstance(base_of(p), n.Name) for p in parts) else ()


def _entry(entry: n.Node) -> Read:
    if not isinstance(entry, n.Chain):
        found = indices(entry)
        return tuple(map(n.Range, found)), () if found else (entry,)
    first, last = entry.items[0], entry.items[-1]
    if entry.operators == ("=",) and indices(first) and not mentions(first) & mentions(last):
        return _values(first, last)
    if entry.operators == ("in",) and indices(first):
        if isinstance(first, n.Items) and first.bracket:
            return (n.Range(first, within=last),), ()
        if isinstance(last, n.Items) and last.bracket == "{" and any(isinstance(e, n.Dots) for e in last.entries):
            return _values(first, last)
        return tuple(n.Range(i, within=last) for i in indices(first)), ()
    if set(entry.operators) <= RISING:
        return _between(entry, entry.items, entry.operators)
    if set(entry.operators) <= FALLING:
        mirrored = tuple("<" if o == ">" else "<=" for o in reversed(entry.operators))
        return _between(entry, entry.items[::-1], mirrored)
    return tuple(map(n.Range, indices(first))) if isinstance(base_of(first), n.Name) else (), (entry,)


def _values(first: n.Node, last: n.Node) -> Read:
    """i = 1, i = 1, ..., n and i = 0, 1, 2."""
    if isinstance(last, n.Items):
        dotted = len(last.entries) > 2 and isinstance(last.entries[-2], n.Dots)
        if dotted:
            return tuple(n.Range(i, last.entries[0], last.entries[-1]) for i in indices(first)), ()
        return tuple(n.Range(i, within=n.Items(last.entries, "{")) for i in indices(first)), ()
    return tuple(n.Range(i, last) for i in indices(first)), ()


def _between(entry: n.Chain, items: tuple[n.Node, ...], operators: tuple[str, ...]) -> Read:
    """Bounds in rising order: a <= i < b, a <= i, i < b."""
    if len(items) == 3 and indices(items[1]):
        low, high = shifted(items[0], operators[0] == "<"), shifted(items[2], -(operators[1] == "<"))
        return tuple(n.Range(i, low, high) for i in indices(items[1])), ()
    if len(items) == 2 and indices(items[0]) and isinstance(base_of(items[1]), n.Name):
        return tuple(map(n.Range, indices(items[0]))), (entry,)
    if len(items) == 2 and indices(items[0]):
        return tuple(n.Range(i, None, shifted(items[1], -(operators[0] == "<"))) for i in indices(items[0])), ()
    if len(items) == 2 and indices(items[1]) and not mentions(items[0]):
        return tuple(n.Range(i, shifted(items[0], operators[0] == "<")) for i in indices(items[1])), ()
    inner = [i for item in items[1:-1] for i in indices(item)]
    return tuple(map(n.Range, inner)), (entry,)


def shifted(node: n.Node, by: int) -> n.Node:
    """The node plus a small number, joined to the number it ends with."""
    if not by:
        return node
    if isinstance(node, n.Number):
        value = node.value + by
        return n.Number(value) if value >= 0 else n.Add((n.Signed(True, n.Number(-value)),))
    terms = node.terms if isinstance(node, n.Add) else (n.Signed(False, node),)
    end = terms[-1].node
    if len(terms) > 1 and isinstance(end, n.Number) and not terms[-1].choice:
        by += -end.value if terms[-1].negative else end.value  # type: ignore[assignment]
        terms = terms[:-1]
    if by:
        terms = (*terms, n.Signed(by < 0, n.Number(abs(by))))
    return terms[0].node if len(terms) == 1 and not terms[0].negative else n.Add(terms)


def integral(r: Reader, token: Token) -> n.Node:
    """An integral, its differentials before the body or after it.

    Signs that follow one another share the differentials: the innermost takes the first. Inside
    the body of another integral, one takes as many as it has signs and leaves the rest.
    """
    signs = [_sign(r, token)]
    while r.sees("macro", *INTEGRALS):
        signs.append(_sign(r, r.next()))
    least = sum(count for count, _ in signs)
    most = least if r.integrals else MOST_VARIABLES
    r.integrals += 1
    variables = _differentials(r, most)
    body = r.signed()
    variables += _differentials(r, most - len(variables))
    r.integrals -= 1
    if len(variables) < least and len(variables) < len(signs):
        raise r.wrong("an integral without dx", token)
    for at, (count, bounds) in enumerate(reversed(signs)):
        own = len(variables) if at == len(signs) - 1 else count
        body, variables = replace(bounds, body=body, variables=variables[:own]), variables[own:]
    return body


def _sign(r: Reader, token: Token) -> tuple[int, n.Integral]:
    """How many variables a sign asks for, and an integral with its bounds."""
    found: dict[str, n.Node] = {}
    while r.sees("script"):
        mark = r.next().text
        entries = r.script()
        if len(entries) != 1:
            raise r.wrong("an integral with several bounds", token)
        found[mark] = entries[0]
    low, high = found.get("_"), found.get("^")
    if high is not None:
        return INTEGRALS[token.text], n.Integral((), n.Dots(), low, high)
    within = low.items[1] if isinstance(low, n.Chain) and low.operators == ("in",) else low
    return INTEGRALS[token.text], n.Integral((), n.Dots(), within=within)


def _differentials(r: Reader, most: int) -> tuple[n.Node, ...]:
    found: list[n.Node] = []
    while len(found) < most and r.differential():
        r.next()
        found.append(r.factor())
    return tuple(found)


RULES: dict[str, Rule] = {"sum": summation, "prod": big_product, **dict.fromkeys(INTEGRALS, integral)}
