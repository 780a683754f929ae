"""Images with numbers: Y_i = sum_j X_j * K_ij slides images over each other, whose own axes nobody writes."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.affine import Affine
from symconv.claims.letters import INDICES, children
from symconv.claims.reader import Reader
from symconv.claims.scope import LINE, Axis
from symconv.claims.spelling import Reference, reference
from symconv.claims.stars import USUAL, canonical, meaning_of, named
from symconv.claims.words import names_in, takes_arrays
from symconv.notation import nodes as n

MODES = ("valid", "full", "same")


def number_images(reader: Reader, *nodes: n.Node) -> None:
    """Remember of which names each element is an image: the operands of a convolution that stand with plain letters.

    Where a mode is named, full or valid, the images have ends; else they are functions on all integers.
    """
    scope = reader.scope
    for node in (x for y in nodes for x in _convolutions(reader, y)):
        sides = [_operand(reader, x) for x in (node.left, node.right)]
        if None in sides or not any(_numbered(r) for r in sides if r) or _of_time(sides):
            continue
        rank = scope.rank_of_operator(named(node))
        ended = any(m in f"{scope.stars.get(canonical(node.operator), '')} {node.label}" for m in MODES)
        for r in sides:
            if r is None or not _numbered(r) or (name := scope.resolve(r.name)) in scope.images or scope.array(name):
                continue
            scope.images[name] = tuple(
                Axis(Affine.of(scope.base or 0), scope.size(f"|{name}|" + (f"_{axis + 1}" if rank > 1 else "")))
                if ended else LINE for axis in range(rank))


def _convolutions(reader: Reader, node: n.Node) -> Iterator[n.Operation]:
    """Below, every operator that is said to be a convolution, or that is no sign of multiplication."""
    if isinstance(node, n.Operation) and (operator := canonical(node.operator)) in USUAL:
        said = operator in reader.scope.stars or node.label or any(op == operator for op, _ in reader.scope.templates)
        if (said or operator != "*") and meaning_of(reader.scope, node)[0] != "product":
            yield node
    for c in children(node):
        yield from _convolutions(reader, c)


def _operand(reader: Reader, node: n.Node) -> Reference | None:
    """The array an operand is, or is a gradient or a rotation of; None for anything else."""
    if isinstance(node, n.Bracketed):
        return _operand(reader, node.body)
    if isinstance(node, n.Partial):
        return _operand(reader, node.by)
    if isinstance(node, n.Call) and takes_arrays(node.head):
        return _operand(reader, node.arguments[0])
    if not isinstance(node, n.Name | n.Scripted | n.Call) or (isinstance(node, n.Call) and len(node.arguments) < 2):
        return None
    found = reference(reader, node)
    return found if all(map(_plain, found.entries)) else None


def _plain(entry: n.Node) -> bool:
    """A letter or a number, N_i included, or such side by side; no i + j."""
    if isinstance(entry, n.Product):
        return all(map(_plain, entry.factors))
    return isinstance(entry, n.Name | n.Number | n.Scripted)


def _numbered(r: Reference) -> bool:
    """K_{ij}, not h_1 or f_X, which are names."""
    return any(x.text in INDICES for e in r.entries for x in names_in(e))


def _of_time(sides: list[Reference | None]) -> bool:
    """x_n * h_n, x[n] * h[n]: the letter is where both are read."""
    entries = [r.entries for r in sides if r]
    return entries[0] == entries[1]
