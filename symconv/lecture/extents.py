"""Sizes: how many outputs there are and why, and smaller sizes at which everything can be written out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Equation
from symconv.lecture.palette import data
from symconv.system import System

SMALL = {1: 6, 2: 5, 3: 3}  # places along an axis of the input, by how many such axes there are
Lasts = tuple[tuple[str, Affine], ...]
FEW = 36  # elements that are still read one by one


@dataclass(frozen=True)
class Extent:
    """How many outputs an axis has.

    Args:
        index, size: of the output axis.
        array, axis: what the last product reads, or what it writes.
        last: where, counted from 1, at the last value of every index.
        lasts: those values.
        room: how far `last` may go: to the end of the array, and over the zeros behind it.
        spare: of these, the places behind the array.
        scatters: `last` is written, not read; the output ends `spare` places behind it.
        over, by: size = floor(over/by) + 1.
    """

    index: str
    size: str
    array: Access
    axis: int
    last: Affine
    lasts: Lasts
    room: Affine
    spare: int
    scatters: bool
    over: Affine
    by: int


def extents(equation: Equation) -> tuple[Extent, ...]:
    """The output axes whose extent follows from those of the inputs."""
    given = {n for t in equation.reads for e in t.shape for n in e.names}
    found = []
    for index, shape in zip(equation.indices, equation.output.shape, strict=True):
        name = str(shape)
        limit = _limit(equation, name)
        if name not in given and name in equation.context.sizes and limit is not None:
            found.append(_extent(equation, index, name, limit))
    return tuple(f for f in found if f is not None)


def _limit(equation: Equation, size: str) -> Affine | None:
    """An expression that is at least 0, with the size in it negative: as many outputs as fit."""
    for c in equation.context.constraints:
        e = -c.expression if c.equality and c.expression.coefficient(size) > 0 else c.expression
        if e.coefficient(size) < 0:
            return e
    return None


def _extent(equation: Equation, index: str, size: str, limit: Affine) -> Extent | None:
    by = -limit.coefficient(size)
    over = limit + by * Affine.of(size) - by
    for t in equation.terms:
        for f in t.factors:
            for axis, e in enumerate(f.indices):
                if index in e.names and len(e.names) > 1 and e.coefficient(index) > 0:
                    last, lasts = _at_last(e, equation, t.factors)
                    spare = limit - (f.tensor.shape[axis] - last)
                    if spare.is_constant:
                        room = f.tensor.shape[axis] + spare.constant
                        return Extent(index, size, f, axis, last, lasts, room, spare.constant, False, over, by)
        for c in (c for c in t.constraints if c.equality and index in c.expression.names):
            sign = 1 if c.expression.coefficient(index) > 0 else -1
            reached = Affine.of(index) - sign * c.expression
            last, lasts = _at_last(reached, equation, t.factors)
            axis = equation.indices.index(index)
            spare = over + 1 - last
            if spare.is_constant:
                room = last + spare.constant
                return Extent(index, size, equation.left, axis, last, lasts, room, spare.constant, True, over, by)
    return None


def _at_last(e: Affine, equation: Equation, factors: tuple[Access, ...]) -> tuple[Affine, Lasts]:
    """The expression, counted from 1, with every index at its last value."""
    ends = dict(zip(equation.indices, equation.output.shape, strict=True))
    for f in factors:
        ends |= {str(i): n for i, n in zip(f.indices, f.tensor.shape, strict=True) if i == Affine.of(str(i))}
    used = {n: v for n, v in ends.items() if n in e.names}
    return e.substitute({n: v - 1 for n, v in used.items()}) + 1, tuple(used.items())


def at_sizes(system: System, free: Mapping[str, int]) -> System:
    """The system with other numbers for the sizes of its inputs; sizes that follow are worked out again."""
    numbers = dict(free)
    for e in system.equations:
        for size in (s for s in e.context.sizes if s not in numbers):
            limit = _limit(e, size)
            if limit is not None and limit.names <= {*numbers, size}:
                rest = limit + -limit.coefficient(size) * Affine.of(size)
                numbers[size] = rest.evaluate(numbers) // -limit.coefficient(size)
    return replace(system, sizes=tuple(numbers.items()))


def fits(system: System) -> bool:
    """Do the numbers satisfy everything known of the sizes, and leave every array an element?"""
    numbers = dict(system.sizes)
    known: list[Constraint] = [c for e in system.equations for c in e.context.constraints]
    if not all(c.expression.names <= set(numbers) and c.holds(numbers) for c in known):
        return False
    return all(n > 0 for e in system.concrete().equations for t in (e.output, *e.reads) for n in t.extents)


def small(system: System) -> System:
    """The same equations at sizes that can be read: those asked for where they are small, else the smallest that show
    every part of it: kernels of at most 3, few channels, an input that leaves some outputs."""
    here = system.concrete()
    if all(prod(t.extents) <= FEW for e in here.equations for t in (e.output, *e.reads)):
        return system
    x = data(system)
    derived = {e.size for q in system.equations for e in extents(q)}
    free = {n: v for n, v in system.sizes if n not in derived}
    inner = {str(s) for s in (x.shape if x else ())}
    outer = {str(s) for t in system.inputs if t != x for s in t.shape}
    sliding = [n for n in free if n in inner - outer]
    caps = {n: 2 if n in inner & outer else 3 if n in outer else SMALL.get(len(sliding), 3) for n in free}
    numbers = {n: min(v, caps[n]) for n, v in free.items()}
    while True:
        found = at_sizes(system, numbers)
        if fits(found) and all(dict(found.sizes)[d] > 1 or dict(system.sizes)[d] == 1 for d in derived):
            return found
        if all(numbers[n] == free[n] for n in sliding):
            return system
        numbers |= {n: min(free[n], numbers[n] + 1) for n in sliding}
