"""Names defined by formulas that could not be read: what is said of them cannot be decided."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.claims.letters import children
from symconv.claims.scope import GRADIENT, Scope
from symconv.claims.words import is_function, is_transpose, is_word, key
from symconv.errors import NotationError
from symconv.notation import nodes as n


def blur(scope: Scope, left: n.Node) -> None:
    """The definition of what stands on the left was not understood; what was known before stays."""
    name = _name(left)
    if is_function(name):
        return  # sigma stays any function
    if name and name not in scope.definitions and not scope.resolve(name).startswith(GRADIENT):
        scope.blurred.add(name)


def clear(scope: Scope, nodes: tuple[n.Node, ...]) -> None:
    """Nothing is said of a name whose definition was not understood.

    Raises:
        NotationError: something is.
    """
    for node in nodes:
        for name in _named(node):
            if name in scope.blurred and name not in scope.definitions:
                raise NotationError(f"the definition of {name} was not understood", -1)


def _named(node: n.Node) -> Iterator[str]:
    """The arrays, functions and numbers that are read; what stands at index positions is none."""
    if isinstance(node, n.Name | n.Scripted | n.Call):
        yield _name(node)
    if isinstance(node, n.Scripted):
        yield from _named(node.base)
    elif isinstance(node, n.Sum):
        yield from _named(node.body)
    elif isinstance(node, n.Call) and not is_function(key(node.head)) and not any(map(_composed, node.arguments)):
        yield from _named(node.head)
    elif not isinstance(node, n.Range):
        for child in children(node):
            yield from _named(child)


def _composed(entry: n.Node) -> bool:
    """An argument that is no plain index."""
    return isinstance(entry, n.Scripted | n.Call) or any(map(_composed, children(entry)))


def _name(node: n.Node) -> str:
    """The name without its indices: y for y[n], w^l for w^l_jk."""
    if isinstance(node, n.Call):
        return _name(node.head) if node.head != node else ""
    if isinstance(node, n.Bracketed):
        return _name(node.body)
    if isinstance(node, n.Scripted):
        above = [a for a in node.above if not is_transpose(a)]
        below = [b for b in node.below if is_word(b) or (isinstance(b, n.Name) and b.text.isupper())]
        return _name(node.base) + ("^" + ",".join(map(key, above)) if above else "") + (
            "_" + ",".join(map(key, below)) if below else "")
    return key(node) if isinstance(node, n.Name) else ""
