"""A printer: one rule per node type, and the rules that printers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.notation import nodes as n

Show = Callable[[n.Node], str]
Rule = Callable[[Any, Show], str]
Wrap = Callable[[str], str]
LOOSE = (n.Chain, n.Noted)
OPEN = (n.Sum, n.BigProduct, n.Integral)


class Printer:
    """A table of rules, complete by construction."""

    def __init__(self, rules: dict[type[n.Node], Rule]) -> None:
        missing = set(n.KINDS) - set(rules)
        assert not missing, f"no rule for {', '.join(sorted(m.__name__ for m in missing))}"
        self.rules = rules

    def __call__(self, node: n.Node) -> str:
        return self.rules[type(node)](node, self)


def summands(signs: dict[int, str], wrap: Wrap) -> Rule:
    """A rule for sums: the terms with their signs between them.

    Args:
        signs: how plus-minus (1) and minus-plus (-1) look.
        wrap: puts a term that would fall apart in brackets.
    """
    def rule(a: n.Add, show: Show) -> str:
        text = ""
        for t in a.terms:
            sign = signs[t.choice] if t.choice else "-" if t.negative else "+"
            lead = f" {sign} " if text else sign + " " * bool(t.choice) if sign != "+" else ""
            text += lead + held(t.node, show, wrap, binds(t.node) < TERM)
        return text
    return rule


# How tightly a node holds together: what may stand beside it without brackets.
LIST, SUM, TERM, FACTOR = range(4)


def binds(node: n.Node) -> int:
    """Where a node may stand: as a list or relation, a sum, a term, a factor."""
    if isinstance(node, LOOSE) or (isinstance(node, n.Items) and not node.bracket):
        return LIST
    if isinstance(node, n.Add | n.Signed):
        return SUM
    return TERM if isinstance(node, (n.Product, n.Operation, *OPEN)) else FACTOR


def opens(node: n.Node) -> bool:
    """Does it take in every factor written after it, as a sum does?"""
    if isinstance(node, n.Product):
        return opens(node.factors[-1])
    return isinstance(node, OPEN) or (isinstance(node, n.Operation) and opens(node.right))


def held(node: n.Node, show: Show, wrap: Wrap, when: bool) -> str:
    """The node, in brackets where it would not hold together."""
    return wrap(show(node)) if when else show(node)


def factors(nodes: tuple[n.Node, ...], show: Show, wrap: Wrap) -> list[str]:
    """The factors of a product; a sum or an operation among them stays in one piece."""
    found = []
    for at, node in enumerate(nodes):
        last, first = at == len(nodes) - 1, at == 0
        loose = binds(node) < TERM or (opens(node) and not last)
        loose = loose or (isinstance(node, n.Operation) and not first) or isinstance(node, n.Product)
        found.append(held(node, show, wrap, loose))
    return found


def operands(a: n.Operation, show: Show, wrap: Wrap) -> tuple[str, str]:
    """Both sides of an operator; operators of this kind group to the left."""
    loose = binds(a.left) < TERM or opens(a.left)
    right = binds(a.right) < FACTOR and not isinstance(a.right, OPEN)
    return held(a.left, show, wrap, loose), held(a.right, show, wrap, right)


def tight(text: str) -> str:
    """Inside a subscript: `i+j-1`."""
    return text.replace(" + ", "+").replace(" - ", "-")


def number_rule(a: n.Number, show: Show) -> str:
    return str(a.value)


def signed(a: n.Signed, show: Show) -> str:
    return ("-" if a.negative else "") + show(a.node)


def noted(separator: str) -> Rule:
    return lambda a, show: f"{show(a.body)}{separator}({'; '.join(map(show, a.notes))})"


def chain(operators: dict[str, str], wrap: Wrap) -> Rule:
    """A rule for chains a = b = c, given what each relation looks like."""
    def rule(a: n.Chain, show: Show) -> str:
        parts = [held(item, show, wrap, binds(item) == LIST) for item in a.items]
        text = parts[0]
        for op, item in zip(a.operators, parts[1:], strict=True):
            text += f" {operators.get(op, op)} {item}"
        return text
    return rule


def range_chain(r: n.Range) -> n.Node:
    """1 <= i <= o, i in S, or the index alone."""
    if r.within is not None:
        return n.Chain((r.index, r.within), ("in",))
    if r.low is None or r.high is None:
        return r.index if r.low is None else n.Chain((r.index, r.low), ("=",))
    return n.Chain((r.low, r.index, r.high), ("<=", "<="))
