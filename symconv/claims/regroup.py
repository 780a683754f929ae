"""Juxtaposition that looks like a call: y_i (T x)_i is a product, not y_i applied to T x."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import fields, replace
from fractions import Fraction
from itertools import pairwise

from symconv.claims.words import LOSSES, SIZE_WORDS, is_function, is_transpose, is_word, key, names_in
from symconv.notation import nodes as n
from symconv.notation.vocabulary import RUN

FIELD = "RF"  # a receptive field


def regrouped(node: n.Node, words: frozenset[str] = frozenset(), runs: frozenset[str] = frozenset()) -> n.Node:
    """The tree with products where an element is followed by a bracketed expression, and with the words and
    the indices of several letters that the document uses as names."""
    made = mapped(node, lambda inner: regrouped(inner, words, runs))
    if isinstance(made, n.Call) and is_word(made.head):
        made = replace(made, arguments=tuple(map(_along_axis, made.arguments)))
    if isinstance(made, n.Items) and (number := _thousands(made)) is not None:
        return number
    if isinstance(made, n.Call) and (_element_times(made) or _of_itself(made)):
        return n.Product((made.head, n.Bracketed(made.arguments[0])))
    if isinstance(made, n.Scripted) and any(map(is_transpose, made.above)) and isinstance(made.base, n.Call) \
            and _times(made.base):
        return n.Product((made.base.head, replace(made, base=n.Bracketed(made.base.arguments[0]))))
    if isinstance(made, n.Call | n.Scripted):
        inner = made.head if isinstance(made, n.Call) else made.base
        if isinstance(inner, n.Product) and isinstance(inner.factors[-1], n.Bracketed):
            end = inner.factors[-1]
            last = replace(made, head=end) if isinstance(made, n.Call) else replace(made, base=end)
            return n.Product((*inner.factors[:-1], last))
    if isinstance(made, n.Product) and any(isinstance(f, n.Product) for f in made.factors):
        made = n.Product(tuple(x for f in made.factors for x in (f.factors if isinstance(f, n.Product) else (f,))))
    if isinstance(made, n.Product) and isinstance(made.factors[0], n.Operation) \
            and made.factors[0].operator not in ("odot", "mod", "circ"):
        first = made.factors[0]  # a * b c is a * (b c)
        return replace(first, right=regrouped(n.Product((first.right, *made.factors[1:])), words, runs))
    return _worded(made, words | runs | SIZE_WORDS, runs) if isinstance(made, n.Product) else made


def gradients(node: n.Node, arrays: Collection[str]) -> n.Node:
    """nabla a_11, where a is an array and no loss: dL/da_11."""
    if isinstance(node, n.Call) and node.head == n.Name("nabla") and len(node.arguments) == 1:
        by = node.arguments[0]
        base = by.base if isinstance(by, n.Scripted) else by
        if isinstance(base, n.Name) and key(base) in arrays and key(base) not in LOSSES:
            return n.Partial(n.Name("L", at=base.at), by)
    return mapped(node, lambda inner: gradients(inner, arrays))


def framework_names(node: n.Node) -> set[str]:
    """OH, IH, KH, SH: names of two letters, where a formula uses several of the kind; RF is one alone."""
    found = set(_pairs(node))
    return found if len(found) > 1 else found & {FIELD}


def _pairs(node: n.Node) -> Iterator[str]:
    if isinstance(node, n.Product):
        for a, b in pairwise(node.factors):
            b = b.base if isinstance(b, n.Scripted) else b
            if isinstance(a, n.Name) and isinstance(b, n.Name) and b.at == a.at + 1 \
                    and ((a.text in "OIKSPDF" and b.text in "HWDC") or a.text + b.text == FIELD):
                yield a.text + b.text
    for f in fields(node):
        value = getattr(node, f.name)
        for inner in value if isinstance(value, tuple) else (value,):
            if isinstance(inner, n.Node):
                yield from _pairs(inner)


def mapped(node: n.Node, change: Callable[[n.Node], n.Node]) -> n.Node:
    """The node with every part changed."""
    def inner(value: object) -> object:
        if isinstance(value, n.Node):
            return change(value)
        return tuple(map(inner, value)) if isinstance(value, tuple) else value

    return replace(node, **{f.name: inner(getattr(node, f.name)) for f in fields(node)})


def _worded(product: n.Product, words: frozenset[str], runs: frozenset[str]) -> n.Node:
    """`s t r i d e` is a word, not a product of six letters."""
    factors = list(product.factors)
    start = 0
    while start < len(factors):
        for end in range(len(factors), start + 1, -1):
            word = "".join(map(_letter, factors[start:end]))
            if word in words and all(map(_letter, factors[start:end])) and all(
                    isinstance(f, n.Name) for f in factors[start:end - 1]):
                first, last = factors[start], factors[end - 1]
                style = RUN if word in runs else "rm"
                name = n.Name(word, style, at=first.at if isinstance(first, n.Name) else -1)
                factors[start:end] = [replace(last, base=name) if isinstance(last, n.Scripted) else
                                      replace(last, head=name) if isinstance(last, n.Call) else name]
                break
        start += 1
    return factors[0] if len(factors) == 1 else n.Product(tuple(factors))


def _letter(f: n.Node) -> str:
    """One letter of a word; the last may carry the word's scripts."""
    if isinstance(f, n.Scripted | n.Call):
        inner = f.base if isinstance(f, n.Scripted) else f.head
        return inner.text if isinstance(inner, n.Name) else ""
    return f.text if isinstance(f, n.Name) else ""


def _thousands(items: n.Items) -> n.Number | None:
    """50,331,648 as one number."""
    groups = [e.value for e in items.entries if isinstance(e, n.Number)]
    if items.bracket or not 1 < len(groups) == len(items.entries) or not all(
            (100 if place else 1) <= g < 1000 for place, g in enumerate(groups)):
        return None
    total: int | Fraction = 0
    for g in groups:
        total = total * 1000 + g
    return n.Number(total)


def _along_axis(entry: n.Node) -> n.Node:
    """N_i and C_{out_j}, the i-th example and the j-th channel, as PyTorch's documentation writes them: i and j."""
    if not isinstance(entry, n.Scripted) or key(entry.base) not in ("N", "C") or len(entry.below) != 1 or entry.above:
        return entry
    below = entry.below[0]
    if isinstance(below, n.Scripted) and is_word(below.base) and len(below.below) == 1 and not below.above:
        below = below.below[0]
    return below if isinstance(below, n.Name) and len(below.text) == 1 else entry


def _times(call: n.Call) -> bool:
    """delta^l (a^{l-1})^T: what is transposed is the bracket, and in front of it stands an array."""
    head = call.head
    array = isinstance(head, n.Scripted) and bool(head.above) and not head.below
    return len(call.arguments) == 1 and call.bracket == "(" and not is_function(key(head)) and (
        array or (isinstance(head, n.Name) and head.text in ("delta", "Delta")))


def _of_itself(call: n.Call) -> bool:
    """y (1 - y): nothing is indexed with itself."""
    return call.bracket == "(" and len(call.arguments) == 1 and isinstance(call.head, n.Name) \
        and isinstance(call.arguments[0], n.Add) and call.head.text in {x.text for x in names_in(call.arguments[0])} \
        and not is_function(key(call.head))


def _element_times(call: n.Call) -> bool:
    """An indexed name and one bracketed expression: an element times something."""
    head = call.head
    return (call.bracket == "(" and len(call.arguments) == 1 and isinstance(head, n.Scripted) and bool(head.below)
            and isinstance(head.base, n.Name) and not is_function(key(head.base))
            and key(head.base).lower() not in ("rot", "flip", "conv", "pad", "log", "max", "min")
            and not all(isinstance(b, n.Name) and len(b.text) > 1 for b in head.below)
            and isinstance(call.arguments[0], n.Product | n.Add | n.Operation | n.Sum | n.Partial | n.Scripted))
