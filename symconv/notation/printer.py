"""A printer: one rule per node type, and the rules that printers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symconv.notation import nodes as n

Show = Callable[[n.Node], str]
Rule = Callable[[Any, Show], str]
class Printer:
    """A table of rules, complete by construction."""

    def __init__(self, rules: dict[type[n.Node], Rule]) -> None:
        missing = set(n.KINDS) - set(rules)
        assert not missing, f"no rule for {', '.join(sorted(m.__name__ for m in missing))}"
        self.rules = rules

    def __call__(self, node: n.Node) -> str:
        return self.rules[type(node)](node, self)


def sum_of(a: n.Add, show: Show) -> str:
    """The terms with their signs between them."""
    text = ""
    for t in a.terms:
        sign = (" - " if t.negative else " + ") if text else ("-" if t.negative else "")
        text += sign + show(t.node)
    return text


def tight(text: str) -> str:
    """Inside a subscript: `i+j-1`."""
    return text.replace(" + ", "+").replace(" - ", "-")


def number_rule(a: n.Number, show: Show) -> str:
    return str(a.value)


def signed(a: n.Signed, show: Show) -> str:
    return ("-" if a.negative else "") + show(a.node)


def noted(separator: str) -> Rule:
    return lambda a, show: f"{show(a.body)}{separator}({'; '.join(map(show, a.notes))})"


def chain(operators: dict[str, str]) -> Rule:
    """A rule for chains a = b = c, given what each relation looks like."""
    def rule(a: n.Chain, show: Show) -> str:
        text = show(a.items[0])
        for op, item in zip(a.operators, a.items[1:], strict=True):
            text += f" {operators[op]} {show(item)}"
        return text
    return rule


def range_chain(r: n.Range) -> n.Node:
    """1 <= i <= o, or the index alone."""
    return r.index if r.low is None or r.high is None else n.Chain((r.low, r.index, r.high), ("<=", "<="))
