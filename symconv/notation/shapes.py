"""Nodes put together and taken apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

from symconv.notation import nodes as n


def product(factors: Sequence[n.Node]) -> n.Node:
    """Factors side by side, without products among them."""
    flat = tuple(f for factor in factors for f in (factor.factors if isinstance(factor, n.Product) else (factor,)))
    return flat[0] if len(flat) == 1 else n.Product(flat)


def base_of(node: n.Node) -> n.Node:
    """What stands under scripts."""
    return node.base if isinstance(node, n.Scripted) else node


def body_of(node: n.Node) -> n.Node:
    """What stands in brackets."""
    return node.body if isinstance(node, n.Bracketed) else node.condition if isinstance(node, n.Iverson) else node


def called(head: n.Node, arguments: tuple[n.Node, ...], bracket: str) -> n.Node:
    """A call; floor and ceil in words are what their signs are."""
    if isinstance(head, n.Name) and head.text.lower() in ("floor", "ceil") and len(arguments) == 1 and bracket != "[":
        return n.Rounded(arguments[0], head.text.lower() == "ceil")
    return n.Call(head, arguments, bracket)


def mentions(node: n.Node) -> set[n.Node]:
    """The names and scripted names inside a node."""
    found: set[n.Node] = set()
    stack: list[object] = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple):
            stack += part
        elif isinstance(part, n.Node):
            if isinstance(base_of(part), n.Name):
                found.add(part)
            stack += [getattr(part, f.name) for f in fields(part)]
    return found
