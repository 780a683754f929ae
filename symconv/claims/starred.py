"""Operators between arrays: products, convolutions, and operators the document defines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.affine import Affine, equal
from symconv.claims import whole
from symconv.claims.letters import index_names, kernel_second
from symconv.claims.raw import Factor, Raw, Value, fresh
from symconv.claims.scope import ENDS, FINITE, LINE, Array, Axis, Definition, Scope
from symconv.claims.stars import USUAL, canonical, is_open, meaning_of, named
from symconv.claims.words import key, not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.reader import Reader

PLAIN = ("times", "cdot")
IMPULSE = "delta"
OFFSETS = frozenset(("b", "B", "bias", "beta", "Beta"))
STARS = ("*", "ast", "star", "circledast", "otimes")


def operated(reader: Reader, node: n.Operation) -> Value:
    """Two operands and the operator between them."""
    if node.operator in PLAIN:
        return whole.product(reader.value(node.left), reader.value(node.right))
    if node.operator in ("odot", "circ"):
        return whole.elementwise(reader.value(node.left), reader.value(node.right))
    if node.operator not in STARS:
        raise not_understood(f"the operator {node.operator} is not understood here", node)
    return star(reader, node)


def star(reader: Reader, node: n.Operation) -> Value:
    """A convolution of whole arrays, or multiplication between numbers."""
    inner = replace(reader, guess=_said_rank(reader.scope, node) or reader.guess
                    or reader.scope.rank_of_operator(named(node)))
    left, right = inner.value(node.left), inner.value(node.right)
    for side in (left, right):
        if side.array == IMPULSE and side.rank:
            impulse(reader.scope, side.rank)
    if left.rank != right.rank and left.rank and right.rank:
        raise not_understood("the operands have different numbers of axes", node)
    template = reader.scope.templates.get((named(node), left.rank))
    serves = template is not None and template.serves(left, right)
    if (template is None or template.general or not serves) and _sized(reader.scope, left, right):
        left, right = inner.value(node.left), inner.value(node.right)
    if template is not None and serves:
        if template.general:  # what the operator was defined for goes on without end
            _endless(reader.scope, *(v for v in (left, right) if v.array not in reader.scope.extents))
        return template.apply(left, right)
    _known(reader, node, left, right)
    meaning, mode = meaning_of(reader.scope, node)
    template = reader.scope.templates.get((named(node), 1))
    defined = template is not None or reader.scope.stars.get(canonical(node.operator))
    functions = functional(node.left) and functional(node.right)
    if meaning != "product" and not left.rank and not right.rank and (defined or functions):
        lifted = sequences(reader, left, right)
        if lifted is not None:
            a, b, letter = lifted
            whole_line = template.apply(a, b) if template else whole.convolved(a, b, meaning, mode, 0)
            return Value.scalar(whole_line.at((Affine.of(letter),)))
        if functions or (defined and node.operator not in ("*", "ast") and all(  # X_j of channel j: an image
                any(f.indices for t in v.terms for f in t.factors) for v in (left, right))):
            raise not_understood("an operator between arrays stands between their elements", node)
    if meaning == "product" and left.rank and right.rank:
        return whole.elementwise(left, right)
    if meaning == "product" or not left.rank or not right.rank:
        return whole.product(left, right)
    return slid(reader, node, left, right)


def _known(reader: Reader, node: n.Operation, left: Value, right: Value) -> None:
    """An operator that is no template's has a meaning, and operands with few axes.

    Raises:
        NotationError: it has not.
    """
    if canonical(node.operator) not in USUAL:
        raise not_understood(f"{node.operator} was defined for other arrays", node)
    said = f"{reader.scope.stars.get(canonical(node.operator), '')} {node.label}"
    if not any(m in said for m in ("valid", "full", "same")):
        _endless(reader.scope, left, right)  # nobody says how long they are
    if (rank := max(left.rank, right.rank)) > 3:
        raise not_understood(f"the operator {node.operator} is not understood between arrays with {rank} axes", node)


def _said_rank(scope: Scope, node: n.Operation) -> int:
    """How many axes an operand has of which somebody says how long it is; 0 where nobody does."""
    return max((len(scope.extents.get(scope.resolve(key(x)), ())) for x in index_names(node)), default=0)


def _endless(scope: Scope, *operands: Value) -> None:
    """Functions on all integers, where the arrays are not known."""
    for v in operands:
        if v.array and v.rank:
            scope.line(v.array, v.rank)


def _sized(scope: Scope, left: Value, right: Value) -> bool:
    """Where somebody says how long one operand is, the other is no function on all integers either; nor is any
    operand where zeros are put around what comes of it."""
    new = [v for v in (left, right) if v.array and v.rank and scope.array(v.array) is None]
    said = any(len(scope.extents.get(v.array, ())) == v.rank for v in (left, right))
    if not new or not (said or scope.preferred.get(ENDS) == FINITE):
        return False
    for v in new:
        extents = scope.extents.setdefault(v.array, _kernel_sizes(scope, v, left if v is right else right) or tuple(
            scope.length(v.array, v.rank, axis) for axis in range(v.rank)))
        if len(extents) != v.rank:
            return False
        scope.arrays[v.array] = Array(v.array, tuple(Axis(Affine.of(scope.base or 0), e) for e in extents))
    return True


def _is_kernel(scope: Scope, v: Value) -> bool:
    return re.match("kernel|filter|weights?", scope.roles.get(v.array, "")) is not None


def _kernel_sizes(scope: Scope, v: Value, other: Value) -> tuple[Affine, ...]:
    """k x k for what is the kernel by its role or by the letters, where k is the one kernel size."""
    sizes = [size for size, role in scope.roles.items() if role == "kernel size"]
    kernel = _is_kernel(scope, v) or kernel_second(other.array, v.array)
    return (scope.size(sizes[0]),) * v.rank if kernel and len(sizes) == 1 else ()


def biased(reader: Reader, node: n.Add) -> list[Value]:
    """The terms of a sum; the bias of a convolution may be one number for all outputs."""
    values = [reader.signed(t) for t in node.terms]
    if any(not v.rank and any(t.factors for t in v.terms) for v in values):  # sum_i w_i x_i + b, or y - t
        for name in (key(t.node) for t, v in zip(node.terms, values, strict=True) if v.rank):
            if reader.scope.array(name) is None and name not in {*reader.scope.upstream, *reader.scope.extents}:
                reader.scope.ranks[name] = 0
        values = [reader.signed(t) for t in node.terms]
    rank = max(v.rank for v in values)
    slides = any(isinstance(t.node, n.Operation) and canonical(t.node.operator) in USUAL for t in node.terms)
    boundless = slides and not any(map(whole.known, (v for v in values if v.rank)))
    return [_everywhere(v, rank) if slides and _one(reader, v, boundless) else _image(reader, v, values)
            for v in values]


def _image(reader: Reader, v: Value, beside: Sequence[Value]) -> Value:
    """B_i beside images: an image as well, or one number in the place of every element."""
    image = next((x for x in beside if x.rank), v)
    factor = v.terms[0].factors[0] if not v.rank and len(v.terms) == 1 and len(v.terms[0].factors) == 1 else None
    if not image.rank or factor is None or not reader.scope.images or reader.scope.array(factor.name) is not None:
        return v
    if reader.scope.choose("bias", "an array", "a number") == "a number":
        return whole.everywhere(v, image.rank)
    ends = image.box or (None,) * image.rank
    reader.scope.images[factor.name] = tuple(Axis(e[0], e[1] - e[0] + 1) if e else LINE for e in ends)
    return Value(image.rank, lambda i: (Raw((replace(factor, indices=(*factor.indices, *i)),)),), box=image.box)


def _everywhere(v: Value, rank: int) -> Value:
    """One number in the place of every element."""
    return Value(rank, lambda i: (Raw((Factor(v.array),)),))


def _one(reader: Reader, v: Value, boundless: bool) -> bool:
    """A bias of which nobody says how many elements it has; as an array it goes as far as what it is added to."""
    if v.array.split("^")[0] not in OFFSETS or not v.rank or reader.scope.array(v.array) is not None:
        return False
    if reader.scope.choose("bias", "an array", "a number") == "an array":
        if boundless:
            reader.scope.line(v.array, v.rank)
        return False
    reader.scope.ranks[v.array] = 0
    return True


def slid(reader: Reader, node: n.Operation, left: Value, right: Value) -> Value:
    """One whole array slid over the other, as the operator's meaning here says."""
    meaning, mode = meaning_of(reader.scope, node)
    if is_open(reader.scope, node):
        operator = canonical(node.operator)
        usual = USUAL[operator]
        reader.scope.operators.add(operator)
        reader.scope.choose(operator, usual, "correlation" if usual == "convolution" else "convolution")
    sizes = {v for side in (left, right) for ends in side.box if ends for e in ends for v in e.names}
    sizes |= {v for c in reader.scope.facts for v in c.expression.names}
    return whole.convolved(left, right, meaning, mode, reader.scope.base or 0, reader.scope.context(sizes),
                           slides_last(reader, left, right, meaning), _kernel_first(reader.scope, left, right))


def _kernel_first(scope: Scope, left: Value, right: Value) -> bool:
    """W * X: by what is said of the arrays, or by their letters, the first one slides, however long it is."""
    if scope.kernel_last is not None:
        return not scope.kernel_last
    said = [_is_kernel(scope, v) for v in (left, right)]
    return said[0] if said[0] != said[1] else kernel_second(_name(left), _name(right)) is False


def functional(node: n.Node) -> bool:
    """x[n], h_1(t) + h_2(t): functions written with their argument."""
    if isinstance(node, n.Bracketed):
        return functional(node.body)
    if isinstance(node, n.Add):
        return all(functional(t.node) for t in node.terms)
    if isinstance(node, n.Product):
        return functional(node.factors[-1])
    return isinstance(node, n.Call)


def slides_last(reader: Reader, left: Value, right: Value, meaning: str) -> bool:
    """Of two functions on all integers, does the second operand slide over the first?"""
    scope = reader.scope
    if scope.kernel_last is not None:
        return scope.kernel_last
    if (second := kernel_second(_name(left), _name(right))) is not None:
        return second
    if meaning == "convolution" or (whole.known(left) and whole.known(right)):
        return True
    usual = "second" if reader.guess == 0 or any(d.letters for d in scope.definitions.values()) else "first"
    return scope.choose("slides", usual, "first" if usual == "second" else "second") == "second"


def _name(v: Value) -> str:
    """What it is called, where it is an array or an image that has a number."""
    terms = v.at(tuple(map(Affine.of, "uvw"[:v.rank])))
    return v.array or (terms[0].factors[0].name if len(terms) == 1 and len(terms[0].factors) == 1 else "")


def impulse(scope: Scope, rank: int) -> None:
    """A delta nobody declared, beside an operator between functions, is the unit impulse."""
    if IMPULSE in scope.arrays or IMPULSE in scope.upstream:
        return
    letters = tuple(fresh("i") for _ in range(rank))
    scope.line(IMPULSE, rank)
    scope.definitions[IMPULSE] = Definition(IMPULSE, letters, (Raw(constraints=tuple(equal(v, 0) for v in letters)),))
    scope.note("delta is the unit impulse")


def sequences(reader: Reader, left: Value, right: Value) -> tuple[Value, Value, str] | None:
    """x[n - a] * h[n] written with the index means the two as functions of n."""
    moving = [{v for t in side.terms for e in (*(x for f in t.factors for x in f.indices),
                                              *(c.expression for c in t.constraints)) for v in e.names if "~" in v}
              for side in (left, right)]
    plain = {v for name, e in reader.names.items() if "_" not in name for v in e.names}  # n_0 is a shift
    shared = moving[0] & moving[1] & plain
    if len(shared) != 1:
        return None
    letter = shared.pop()

    def along(side: Value) -> Value:
        return Value(1, lambda i: tuple(t.apart().substitute({letter: i[0]}) for t in side.terms))

    return along(left), along(right), letter
