"""A written name taken apart: what it is called, where it is read, what stands on it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from symconv.claims.letters import index_names
from symconv.claims.words import is_transpose, is_word, key, label_below, names_in, not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader


@dataclass(frozen=True, slots=True)
class Reference:
    """A written array or scalar: its name with labels, its index entries, and what else stands on it."""

    name: str
    entries: tuple[n.Node, ...]
    primes: int = 0
    power: int = 1
    transposed: bool = False
    indexed: bool = False


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A letter that stands where an index should and is none.

    Args:
        at, end: offsets of the letter, or of the whole element where the letter is its only index.
        element: that element, or "".
    """

    letter: str
    at: int
    end: int
    element: str = ""

    def __str__(self) -> str:
        head, _, below = self.element.partition("_")
        of = f"{head}_{{{below}}}: " if "," in below else f"{self.element}: " if self.element else ""
        return f"{of}the index {self.letter} is declared nowhere"


def labelled(reader: Reader, head: n.Node) -> n.Node:
    """y_l[n], r_{xy}[n]: letters below a name that has indices of its own are part of the name, unless one is
    an index."""
    letters = label_below(head)
    if not letters or any(key(x) in reader.names or key(x) in reader.scope.sizes for x in letters):
        return head
    assert isinstance(head, n.Scripted)
    return replace(head, below=(replace(letters[0], text="".join(x.text for x in letters), style="rm"),))


def reference(reader: Reader, node: n.Node) -> Reference:
    """Take a name apart into what it is called and where it is read."""
    if isinstance(node, n.Name):
        return Reference(key(node), ())
    if isinstance(node, n.Bracketed):
        return reference(reader, node.body)
    if isinstance(node, n.Call):
        inner = reference(reader, labelled(reader, node.head))
        reader.scope.called.add(inner.name)
        return replace(inner, entries=(*inner.entries, *node.arguments), indexed=True)
    if not isinstance(node, n.Scripted):
        raise not_understood("this cannot be indexed", node)
    if node.above and isinstance(node.base, n.Name) and key(node.base) in reader.names and not node.below:
        raise not_understood(f"a power of the index {key(node.base)} is not understood", node)
    if isinstance(node.base, n.Bracketed) and _indexed(reader, node.base.body):  # (delta_j)_{uv}
        node = replace(node, base=node.base.body, below=tuple(reader.indexing().entries(node.below, None)))
    labels, extra, power, transposed = superscripts(reader, node)
    name = key(node.base) + ("^" + ",".join(labels) if labels else "")
    below, words = subscripts(reader, node, name)
    if words:
        name += "_" + ",".join(words)
    indexed = bool(below or extra)
    if isinstance(node.base, n.Call | n.Scripted):
        inner = reference(reader, node.base)
        return replace(inner, entries=(*inner.entries, *below, *extra), indexed=inner.indexed or indexed,
                       primes=node.primes, power=power, transposed=transposed)
    return Reference(name + "'" * node.primes, (*extra, *below), node.primes, power, transposed, indexed)


def _indexed(reader: Reader, node: n.Node) -> bool:
    """x_j of an array that is known, where j is an index; else x_j may be a name."""
    if not isinstance(node, n.Scripted) or not any(key(b) in reader.names for b in node.below):
        return False
    return reader.scope.array(reader.scope.resolve(reference(reader, replace(node, below=())).name)) is not None


def superscripts(reader: Reader, node: n.Scripted) -> tuple[list[str], list[n.Node], int, bool]:
    """Labels, indices, a power, a transposition."""
    labels, extra, power, transposed = [], [], 1, False
    for entry in (e for a in node.above for e in _parts(a)):
        if is_transpose(entry):
            transposed = True
        elif key(entry) in reader.names:
            if not node.below and not node.grouped and reader.scope.array(reader.scope.resolve(key(node.base))) is None:
                raise not_understood(f"whether {key(node.base)}^{key(entry)} is a power is not said", node)
            extra.append(entry)
        elif isinstance(entry, n.Number) and not node.grouped and entry.value == int(entry.value) \
                and 2 <= entry.value <= 4 and f"{key(node.base)}^{entry.value}" not in reader.scope.arrays:
            power = int(entry.value)
        elif any(key(x) in reader.names for x in index_names(entry)):
            if not node.grouped:  # e^{-ikn}, not x^{(i+1)}
                raise not_understood(f"a power with {key(entry)} in the exponent is not understood", node)
            extra.append(entry)
        else:
            labels.append(key(entry))
    return labels, extra, power, transposed


def _parts(entry: n.Node) -> tuple[n.Node, ...]:
    """[1]T and (l)\\top: a layer and a transposition."""
    if isinstance(entry, n.Product) and len(entry.factors) == 2 and is_transpose(entry.factors[1]):
        return entry.factors
    return (entry,)


def subscripts(reader: Reader, node: n.Scripted, name: str) -> tuple[list[n.Node], list[str]]:
    """Index entries, and words that are part of the name."""
    resolved = reader.scope.resolve(name)
    known = reader.scope.array(resolved)
    numbered = all(isinstance(b, n.Number) or is_word(b) for b in node.below)
    if reader.guess and numbered and (known is None or not known.finite):
        return [], [key(b) for b in node.below]
    if known is not None or reader.scope.ranks.get(resolved):
        return list(node.below), []
    if not node.below:
        return [], []
    labelled = [key(b) for b in node.below]
    if reader.scope.array(f"{name}_{','.join(labelled)}") is not None:
        return [], labelled
    if any(is_word(b) for b in node.below):
        return [b for b in node.below if not is_word(b)], [key(b) for b in node.below if is_word(b)]
    if numbered and name in reader.numbered:
        return list(node.below), []
    if reader.guess is not None and known is None and numbered:
        return [], labelled
    if any(key(x) in reader.names for b in node.below for x in names_in(b)) or (all(
            isinstance(b, n.Number) for b in node.below) and f"{name}_{labelled[0]}" not in reader.scope.sizes):
        return list(node.below), []
    if f"{name}_{','.join(labelled)}" in reader.scope.sizes or reader.guess is not None:
        return [], labelled
    return list(node.below), []
