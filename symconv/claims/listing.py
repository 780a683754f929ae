"""Definitions written element by element: O_11 = X_11 F_11 + X_12 F_12 + ..."""

from __future__ import annotations

from symconv.affine import Affine, Constraint, equal
from symconv.claims.judge import Judgement
from symconv.claims.letters import children
from symconv.claims.opened import Opened
from symconv.claims.outcome import Outcome
from symconv.claims.piecewise import number
from symconv.claims.raw import Index, Sum, fresh
from symconv.claims.reader import Reader
from symconv.claims.scope import Array, Axis, Definition, Scope
from symconv.claims.spelling import reference
from symconv.errors import NotationError
from symconv.notation import nodes as n


def define_element(opened: Opened, left: n.Node, right: n.Node, given: bool = False) -> Outcome | None:
    """Take the element into the definition of its array; None when that is defined as a whole, or when the
    indices are no numbers."""
    scope = opened.scope
    reader = opened.reader()
    ref = reference(reader, left)
    name = scope.resolve(ref.name)
    if ref.transposed or ref.power != 1 or name != ref.name:
        return None
    array = scope.array(name)
    entries = reader.indexing().entries(ref.entries, len(array.axes) if array else None)
    if not entries or not all(map(number, entries)):
        return None
    if (name in scope.definitions or not given) and array is not None and name not in scope.elements:
        return None
    at = tuple(map(reader.indexing().read, entries))
    terms = reader.value(right).terms
    if any(t.indices for t in terms) or not (given or any(f.indices for t in terms for f in t.factors)):
        return None
    old = scope.definitions.get(name)
    letters = old.letters if old else tuple(fresh("i") for _ in at)
    here = tuple(equal(letter, e) for letter, e in zip(letters, at, strict=True))
    if old and any(set(here) <= set(t.constraints) for t in old.terms):
        return None  # a second formula for it
    for f in ((name, at), *((f.name, f.indices) for t in terms for f in t.factors if f.indices)):
        _cover(scope, *f)
    scope.definitions[name] = Definition(name, letters, (*(old.terms if old else ()), *_where(terms, here)))
    if not any(f.indices for t in terms for f in t.factors):
        scope.valued.add(name)
    scope.elements[name] = scope.elements.get(name, 0) + 1
    return Outcome("forward", Judgement("definition"), f"one element of {name}")


def _where(terms: Sum, here: tuple[Constraint, ...]) -> Sum:
    return tuple(t.where(*here) for t in terms)


def _cover(scope: Scope, name: str, at: Index) -> None:
    """The array reaches at least to this element; listed arrays begin at 1, or at 0 where 0 occurs."""
    known = scope.arrays.get(name)
    if (known is not None and name not in scope.listed) or not all(e.is_constant for e in at):
        return
    if known is not None and len(known.axes) != len(at):
        raise NotationError(f"{name} is read with {len(at)} and with {len(known.axes)} indices", -1)
    scope.listed.add(name)
    axes = []
    for axis, e in enumerate(at):
        low = min(e.constant, known.axes[axis].low.constant if known else 1)
        old = known.axes[axis].last if known else None
        last = max(e.constant, old.constant if old else e.constant)
        axes.append(Axis(Affine.of(low), Affine.of(last - low + 1)))
    scope.arrays[name] = Array(name, tuple(axes))


def listed(scope: Scope, nodes: tuple[n.Node, ...]) -> list[Constraint]:
    """A column that lists x_1, x_2, x_3, or a matrix of all dL/dx_{ij}, says how long the array is."""
    found: list[Constraint] = []
    for node in nodes:
        found += listed(scope, tuple(children(node)))
        if isinstance(node, n.Matrix):
            found += _grid(scope, node)
    return found


def _grid(scope: Scope, node: n.Matrix) -> list[Constraint]:
    """The extents of an array whose elements, in order, are the entries."""
    reader = Reader(scope)
    try:
        factors = [[f for t in reader.terms(e) for f in t.factors] for r in node.rows for e in r]
    except NotationError:
        return []
    if any(len(f) != 1 or not f[0].indices for f in factors) or len({f[0].name for f in factors}) != 1:
        return []
    array = scope.array(factors[0][0].name)
    height, width = len(node.rows), len(node.rows[0])
    shape = (height, width) if array and len(array.axes) == 2 else (height * width,) if 1 in (height, width) else ()
    if array is None or not array.finite or len(array.axes) != len(shape):
        return []
    places = [(r, c) if len(shape) == 2 else (r + c,) for r in range(height) for c in range(width)]
    if any(f[0].indices != tuple(a.low + i for a, i in zip(array.axes, at, strict=True))
           for f, at in zip(factors, places, strict=True)):
        return []
    return [equal(a.extent, size) for a, size in zip(array.axes, shape, strict=True) if a.extent is not None]
