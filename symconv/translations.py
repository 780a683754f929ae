"""Where an equation moves along with what it reads: shift one tensor, and the result is the same, shifted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from symconv.affine import Affine
from symconv.equation import Equation, Tensor

FARTHEST = 3


@dataclass(frozen=True)
class Translation:
    """`tensor` moved by `places` along `axis` moves the output by `moves` along `output_axis`."""

    tensor: Tensor
    axis: int
    places: int
    output_axis: int
    moves: int


def translations(e: Equation) -> Iterator[Translation]:
    """One for each tensor and output axis that has any, the shortest.

    Proved on the equation: when the output index and at most one summation index take a step, every access but
    those of the tensor stays, and so does every condition; those of the tensor move alike, along one axis.
    """
    summed = list(dict.fromkeys(n for t in e.terms for n in t.indices))
    for tensor in e.reads:
        for output_axis, i in enumerate(e.indices):
            steps = ({i: moves, **({n: 1} if n else {})} for moves in range(1, FARTHEST + 1) for n in ("", *summed))
            found = next((t for s in steps if (t := _moved(e, tensor, s, output_axis, s[i]))), None)
            if found and e.output.extents[output_axis] > found.moves and (
                    tensor.extents[found.axis] > found.places):
                yield found


def _moved(e: Equation, tensor: Tensor, step: Mapping[str, int], output_axis: int, moves: int) -> Translation | None:
    """What the step moves, when it is one tensor along one axis and upwards."""
    found: set[tuple[int, int]] = set()
    for t in e.terms:
        if any(_change(c.expression, step) for c in t.constraints):
            return None
        for f in t.factors:
            changes = [(axis, d) for axis, i in enumerate(f.indices) if (d := _change(i, step))]
            if (f.tensor != tensor and changes) or (f.tensor == tensor and (len(changes) != 1 or f.function)):
                return None
            found |= set(changes)
    if len(found) != 1:
        return None
    (axis, places), = found
    return Translation(tensor, axis, places, output_axis, moves) if places > 0 else None


def _change(i: Affine, step: Mapping[str, int]) -> int:
    return sum(i.coefficient(n) * d for n, d in step.items())
