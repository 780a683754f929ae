"""Indices made of two: Y_{c M + m} runs through blocks of M, one for each c."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from symconv.affine import Affine, Constraint, equal, inside
from symconv.claims.letters import children
from symconv.claims.raw import Raw, fresh
from symconv.claims.scope import Axis
from symconv.claims.words import key, names_in
from symconv.errors import NotationError
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader


@dataclass(frozen=True)
class Block:
    """letter = length * outer + inner, with 0 <= inner < length."""

    letter: str
    outer: str
    inner: str
    length: Affine

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return (equal(Affine.of(self.letter), self.length * self.outer + self.inner),
                *inside(Affine.of(self.inner), self.length))

    def ends(self, found: Mapping[str, Axis]) -> tuple[Affine, Affine]:
        """The first and the last place, by the range of the outer index.

        Raises:
            NotationError: nothing says what that is.
        """
        outer = found.get(self.outer)
        if outer is None or outer.extent is None or outer.low != Affine():
            raise NotationError("nothing says how many blocks there are", -1)
        return Affine(), self.length * outer.extent - 1


def block_sizes(node: n.Node) -> Iterator[str]:
    """M of c M + m, where that stands in an index: the factor in capitals."""
    entries = node.below if isinstance(node, n.Scripted) else node.arguments if isinstance(node, n.Call) else ()
    for e in entries:
        if isinstance(e, n.Add) and len(e.terms) == 2 and isinstance(e.terms[0].node, n.Product | n.Operation):
            for name in names_in(e.terms[0].node):
                if name.text[:1].isupper():
                    yield next((key(x) for x in _scripted(e.terms[0].node) if x.base == name), key(name))
    for c in children(node):
        yield from block_sizes(c)


def _scripted(node: n.Node) -> Iterator[n.Scripted]:
    if isinstance(node, n.Scripted):
        yield node
    for c in children(node):
        yield from _scripted(c)


def block_of(entry: n.Node, reader: Reader) -> Block | None:
    """The block an index entry c M + m counts in; None for any other entry."""
    if not isinstance(entry, n.Add):
        return None
    e = reader.indexing().read(entry)
    letters = {a.items[0][0][0] for a in reader.names.values()} & e.names
    inner = [v for v in letters if e.coefficient(v) == 1]
    if len(letters) != 2 or len(inner) != 1:
        return None
    (outer,) = letters - set(inner)
    length = Affine.build({tuple(v for v in m if v != outer): c for m, c in e if outer in m})
    if e != length * outer + inner[0] or len(length.items) != 1 or not all(v[:1].isupper() for v in length.names):
        return None
    return Block(fresh(inner[0]), outer, inner[0], length)


def in_blocks(t: Raw, blocks: tuple[Block | None, ...]) -> Raw:
    """The term for an index that runs through all blocks."""
    for b in filter(None, blocks):
        t = t.over((b.outer, b.inner), b.constraints, (b.inner,))
    return t
