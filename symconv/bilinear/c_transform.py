"""Straight-line transforms as C text: one function for each matrix, on vectors, and their nesting along axes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from symconv.bilinear.straight_line import Assignment, StraightLine

SUFFIX = {"float": "f", "double": ""}


@dataclass(frozen=True)
class CTransform:
    """to = matrix * from, for vectors `from_step` and `to_step` elements apart."""

    name: str
    comment: tuple[str, ...]
    inputs: tuple[str, ...]
    steps: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True)
class CNested:
    """The transforms of all axes, one after the other, through buffers of their own."""

    name: str
    comment: tuple[str, ...]
    parameters: tuple[str, ...]
    buffers: tuple[tuple[str, int], ...]
    passes: tuple[tuple[tuple[str, ...], str], ...]


def c_transform(name: str, code: StraightLine, meaning: str, ctype: str = "float") -> CTransform:
    """One matrix as a C function; `meaning` is the first line of its comment."""
    steps = tuple(f"{s.name} = {_sum(s, ctype, code.inputs[0])}" for s in code.steps)
    return CTransform(name, (meaning, str(code.operations)), code.inputs, steps, code.outputs)


def _sum(s: Assignment, ctype: str, other: str) -> str:
    text = ""
    for c, name in s.terms:
        size = name if abs(c) == 1 else f"{number(abs(c), ctype)}*{name}"
        text += (" - " if c < 0 else " + ") + size if text else "-" * (c < 0) + size
    return text or f"{other} - {other}"  # a row of zeros


def number(c: Fraction, ctype: str) -> str:
    """A rational constant; a fraction stays a quotient, which compilers divide out."""
    f = SUFFIX[ctype]
    return f"{c.numerator}.0{f}" if c.denominator == 1 else f"({c.numerator}.0{f}/{c.denominator}.0{f})"


def c_nested(name: str, transforms: Sequence[str], codes: Sequence[StraightLine], lanes: int, meaning: str,
             ctype: str = "float", vector: str = "floats16", more: bool = False) -> CNested:
    """The transforms along axes 0, 1...: steps of the first array and of the second, one for each axis.

    With `more`, a vector that is added to every result in the end.
    """
    shape, rank = [len(c.inputs) for c in codes], len(codes)
    steps = [f"from_step{a}" for a in range(rank)]
    source, buffers, passes = "from", [], []
    for axis, (call, code) in enumerate(zip(transforms, codes, strict=True)):
        last = axis == rank - 1
        shape[axis] = len(code.outputs)
        target = "to" if last else f"part{axis}"
        to = [f"to_step{a}" for a in range(rank)] if last else \
            [str(lanes * prod(shape[a + 1:])) for a in range(rank)]
        if not last:
            buffers.append((target, lanes * prod(shape)))
        free = [a for a in range(rank) if a != axis]
        loops = tuple(f"for (int a{a} = 0; a{a} < {shape[a]}; ++a{a})" for a in free)
        read, write = (" + ".join([array, *(f"a{a}*{by[a]}" for a in free)]) for array, by in
                       ((source, steps), (target, to)))
        passes.append((loops, f"{call}({read}, {steps[axis]}, {write}, {to[axis]});"))
        source, steps = target, to
    first, second = (", ".join(f"ptrdiff_t {w}_step{a}" for a in range(rank)) for w in ("from", "to"))
    parameters = [f"const {ctype} *from", first, f"{ctype} *to", second]
    if more:
        parameters.append(f"const {ctype} *more")
        places = " + ".join(["to", *(f"a{a}*to_step{a}" for a in range(rank))])
        loops = tuple(f"for (int a{a} = 0; a{a} < {shape[a]}; ++a{a})" for a in range(rank))
        passes.append((loops, f"*({vector} *)({places}) += *(const {vector} *)more;"))
    return CNested(name, (meaning,), tuple(parameters), tuple(buffers), tuple(passes))
