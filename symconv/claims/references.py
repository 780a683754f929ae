"""Names with scripts: which array is meant, which entries are indices, which are labels or powers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims import whole
from symconv.claims.afresh import other_arity
from symconv.claims.calls import at_index, called
from symconv.claims.continuous import derivative
from symconv.claims.indexing import Indexing
from symconv.claims.letters import INDICES, index_names
from symconv.claims.pairs import instantiate
from symconv.claims.raw import Factor, Raw, Value
from symconv.claims.scope import GRADIENT
from symconv.claims.spelling import Reference, Undeclared, reference
from symconv.claims.words import (
    LOSSES,
    SCALARS,
    axes,
    base_of,
    is_function,
    is_transpose,
    key,
    names_in,
    not_understood,
    takes_arrays,
)
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader

BIASES = frozenset(("B", "Beta"))  # added to every row of a batch


def named_value(reader: Reader, node: n.Node) -> Value:
    """What a name denotes, with its scripts and arguments."""
    if isinstance(node, n.Call):
        special = called(reader, node)
        if special is not None:
            return special
    elif isinstance(node, n.Scripted) and (not isinstance(base_of(node), n.Name) or at_indices(node) or (isinstance(
            node.base, n.Bracketed) and any(map(is_transpose, node.above))) or (
                isinstance(node.base, n.Call) and key(node.base.head) in reader.scope.unary)):
        return scripted(reader, node)
    ref = reference(reader, node)
    value = referred(reader, ref, node)
    if ref.transposed:
        value = whole.transposed(value)
    if ref.power != 1 and value.rank:
        raise not_understood("a power of a whole array is not understood", node)
    powered = value
    for _ in range(ref.power - 1):
        powered = whole.product(powered, value)
    return powered


def at_indices(node: n.Scripted) -> bool:
    """rot180(K)_{m,n}: an element of what a function makes of an array."""
    return isinstance(node.base, n.Call) and takes_arrays(node.base.head)


def scripted(reader: Reader, node: n.Scripted) -> Value:
    """Scripts on an expression: (dL/dX)_{i,j}, (A B)^T, (W x)_i."""
    if isinstance(node.base, n.Call) and key(node.base.head) == "norm":
        return norm(reader, node)
    indexing = reader.indexing()
    entries = indexing.entries(node.below, None)
    value = replace(reader, guess=len(entries) or reader.guess, arity=len(entries)).value(node.base)
    if any(map(is_transpose, node.above)):
        value = whole.transposed(value)
    elif len(node.above) == 1 and isinstance(node.above[0], n.Number) and not value.rank and not entries:
        terms = value.terms
        for _ in range(int(node.above[0].value) - 1):
            value = whole.product(value, Value.scalar(terms))
        return value
    for _ in range(node.primes):
        value = derivative(value)
    if node.above and not any(map(is_transpose, node.above)):
        raise not_understood("a superscript on an expression is not understood", node)
    return at_index(reader, value, n.Call(node.base, tuple(entries))) if entries else value


def norm(reader: Reader, node: n.Scripted) -> Value:
    """|y - t|^2, the sum of the squares of all elements; what stands beside an array is one."""
    assert isinstance(node.base, n.Call)
    labels = {key(b) for b in node.below}
    if node.above != (n.Number(2),) or len(node.base.arguments) != 1 or not labels <= {"2", "F"}:
        raise not_understood("a norm that is not squared is not understood", node)
    (inner,) = node.base.arguments
    for x in index_names(inner):
        name = reader.scope.resolve(key(x))
        if isinstance(x, n.Name) and reader.scope.array(name) is None and x.text.islower():
            reader.scope.ranks.setdefault(name, 1)
    value = replace(reader, guess=0).value(inner)
    if not value.rank:
        raise not_understood("the norm of a number is not understood", node)
    return whole.inner(value, value)


def referred(reader: Reader, ref: Reference, node: n.Node) -> Value:
    """The array or scalar a reference names, read at its indices."""
    if ref.name in reader.names and not ref.indexed:
        raise not_understood(f"the index {ref.name} is used as a number", node)
    instantiate(reader.scope, ref.name)
    name = reader.scope.resolve(ref.name)
    if not ref.indexed:
        return unindexed(reader, name, ref, node)
    if not ref.entries:
        raise not_understood(f"{ref.name} has no index", node)
    if len(ref.entries) > 1 or not isinstance(ref.entries[0], n.Product | n.Number):
        other_arity(reader.scope, name, len(ref.entries))
    plain = name.rstrip("'")
    if reader.scope.array(name) is None and (plain in reader.scope.functions or (name != plain and is_function(plain))):
        raise not_understood(f"the function {name} has no argument", node)
    array = reader.scope.array(name)
    rank = len(array.axes) if array else None
    indexing = reader.indexing()
    images = reader.scope.images.get(name.removeprefix(GRADIENT), ())
    entries = indexing.entries(ref.entries, rank)
    if images and len(entries) != rank:
        entries = indexing.entries(ref.entries, rank and rank - len(images))
        rank = rank or len(entries) + len(images)
    if rank is not None and len(entries) != rank:
        return partial_index(reader, name, entries, rank, node)
    at = tuple(index_of(reader, e, indexing, array is not None, node) for e in entries)
    side = indexing.side
    reader.elements.append(Factor(name, at))
    reader.scope.heads.setdefault(name, node)
    return Value.scalar((Raw((Factor(name, at),), tuple(side.indices), tuple(side.constraints)),))


def partial_index(reader: Reader, name: str, entries: list[n.Node], rank: int, node: n.Node) -> Value:
    """W_i of a matrix is its row i; anything else has the wrong number of indices."""
    if not entries or len(entries) > rank:
        raise not_understood(f"{name} has {axes(rank)} and {len(entries)} indices here", node)
    indexing = reader.indexing()
    first = tuple(index_of(reader, e, indexing, True, node) for e in entries)
    side = indexing.side
    box = tuple((a.low, a.last) if a.last is not None else None
                for a in reader.scope.images.get(name.removeprefix(GRADIENT), ()))
    return Value(rank - len(entries), lambda rest: (
        Raw((Factor(name, (*first, *rest)),), tuple(side.indices), tuple(side.constraints)),), box=box)


def index_of(reader: Reader, node: n.Node, indexing: Indexing, known: bool, whole_: n.Node) -> Affine:
    """One index entry of an element; a letter nobody declared is remembered."""
    for name in index_names(node):
        word = key(name)
        if word in reader.names or word in reader.scope.sizes or word in reader.scope.settings:
            continue
        if word in INDICES or (known and isinstance(node, n.Name)):
            first, letter = names_in(whole_)[0], names_in(name)[0]
            lone = isinstance(node, n.Name)  # x_e as a whole is what is wrong
            reader.undeclared.append(Undeclared(word, first.at if lone else letter.at, letter.at + len(letter.text),
                                                key(whole_) if lone else ""))
    before = set(reader.scope.sizes)
    found = indexing.read(node)
    reader.scope.offsets |= {v for v in reader.scope.sizes - before if found.is_linear_in(v)}
    return found


def unindexed(reader: Reader, name: str, ref: Reference, node: n.Node) -> Value:
    """A name without indices: a whole array, or a number."""
    name = reader.scope.known_as(name)
    if reader.arity:
        other_arity(reader.scope, name, reader.arity)
    plain = name.rstrip("'")
    if reader.scope.array(name) is None and (plain in reader.scope.functions or (name != plain and is_function(plain))):
        raise not_understood(f"the function {name} has no argument", node)
    array = reader.scope.array(name) or reader.scope.declared(name)
    rank = len(array.axes) if array else rank_of(reader, node)
    if array is None and rank:
        reader.scope.ranks[name] = rank
    if not rank:
        return Value.scalar((Raw((Factor(name),)),))
    box = tuple((a.low, a.last) if a.last is not None else None for a in array.axes) if array else ()
    return Value(rank, lambda i: (Raw((Factor(name, i),)),), array=name, box=box,
                 row=name.removeprefix(GRADIENT) in reader.scope.rows)


def rank_of(reader: Reader, node: n.Node) -> int:
    """The rank of an array met without indices: from context, else matrices are upper-case."""
    name = key(node)
    inner = reader.scope.resolve(name).removeprefix(GRADIENT)
    if inner in reader.scope.ranks:
        return reader.scope.ranks[inner]
    if inner in reader.scope.extents:
        return len(reader.scope.extents[inner])
    first = names_in(node)[0] if names_in(node) else n.Name("")
    if reader.guess is None or name in reader.scope.sizes or (name in SCALARS and first.style != "bold") \
            or (name in LOSSES and first.style != "bold"):
        return 0
    if reader.guess:
        return reader.guess
    return 2 if first.text[:1].isupper() and first.text not in BIASES else 1
