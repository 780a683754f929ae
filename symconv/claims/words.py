"""Spelling: what a written name is called, and which words name operations."""

from __future__ import annotations

from symconv.notation import nodes as n
from symconv.notation.as_text import TEXT

FUNCTIONS = frozenset("""sigma phi varphi psi relu sigmoid tanh softplus softmax exp log ln sin cos act elu gelu silu
    swish activation leakyrelu sgn sign sqrt""".split())
ROTATIONS = frozenset(("rot", "rot180", "flip", "rotate", "reverse", "rev", "rotate180", "flipped"))
LOSSES = frozenset(("L", "E", "J", "C", "l", "ell", "loss", "Loss", "error", "cost", "Cost", "ε", "R"))
TRANSPOSES = frozenset(("T", "top", "intercal", "mathsf T", "⊤"))
LINE_WORDS = frozenset(("infinity", "∞", "infty"))
STYLED = frozenset(("rm", "text"))
SIZE_WORDS = frozenset("""stride pad padding kernel dilation filters channels groups batch size width height Loss loss
    Cost cost Error""".split())


def spelled(name: n.Name) -> str:
    """A name with its accent."""
    return f"{name.accent} {name.text}" if name.accent else name.text


def is_function(name: str) -> bool:
    """Does the name usually stand for a pointwise function?"""
    return name.lower().rstrip("'") in FUNCTIONS


def is_word(node: n.Node) -> bool:
    """A label, not a letter that could be an index: `in`, `out`, `kernel`."""
    return isinstance(node, n.Name) and (node.style in STYLED or (len(node.text) > 1 and not _greek(node.text)))


def _greek(word: str) -> bool:
    from symconv.notation.vocabulary import GREEK

    return word in GREEK or word.removeprefix("var") in GREEK or word == "ell"


def key(node: n.Node) -> str:
    """One spelling for a name with its labels: `K_H`, `w^(l+1)`, `hat x`, `i'`."""
    if isinstance(node, n.Name):
        return spelled(node)
    if isinstance(node, n.Scripted):
        below = "_" + ",".join(key(b) for b in node.below) if node.below else ""
        above = "^" + ",".join(key(a) for a in node.above) if node.above else ""
        return key(node.base) + below + above + "'" * node.primes
    if isinstance(node, n.Bracketed):
        return key(node.body)
    if isinstance(node, n.Call) and node.bracket == "[":
        return f"{key(node.head)}[{','.join(key(a) for a in node.arguments)}]"
    return TEXT(node).replace(" ", "")


def base_of(node: n.Node) -> n.Node:
    """The name below scripts and arguments."""
    while True:
        if isinstance(node, n.Scripted):
            node = node.base
        elif isinstance(node, n.Call):
            node = node.head
        elif isinstance(node, n.Bracketed) and isinstance(node.body, n.Name | n.Scripted):
            node = node.body
        else:
            return node


def is_transpose(node: n.Node) -> bool:
    """Is this superscript a transposition?"""
    return isinstance(node, n.Name) and node.text in TRANSPOSES


def names_in(node: object) -> list[n.Name]:
    """Every written name below a node, in order."""
    if isinstance(node, n.Name):
        return [node]
    if isinstance(node, tuple):
        return [found for item in node for found in names_in(item)]
    if isinstance(node, n.Node):
        return [found for f in node.__dataclass_fields__ for found in names_in(getattr(node, f))]
    return []
