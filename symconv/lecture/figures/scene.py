"""What all figures of one arrangement share: names, numbers, words, and which elements are shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from typing import NamedTuple

from symconv.equation import Equation, Tensor
from symconv.expand import Index, monomials
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement, Ruler
from symconv.lecture.figures.numbers import Values, written
from symconv.lecture.figures.places import Places, some
from symconv.lecture.figures.svg import Drawing, Names, Run, called, is_partial
from symconv.lecture.words import Words

CELLS = (40, 36, 32, 28)  # pixels, the largest that fits
STEPS = 12  # a figure moves through so many elements at most
STRIP = 4  # frames in print
TAPS = {1: 7, 2: 5}  # window elements shown along one axis, by the number of axes
LINES = 80  # between two rows of elements
WRITTEN = 2000  # a sum of more products is not written out


class Shown(NamedTuple):
    """The number of a result: whose it is, where its baseline's middle lies, how large it is."""

    place: tuple[int, ...]
    x: float
    y: float
    size: float
    text: str


class Part(NamedTuple):
    """Something that moves, and where it is."""

    drawing: Drawing
    x: float
    y: float


@dataclass(frozen=True)
class Scene:
    """What it takes to draw."""

    names: Names
    values: Values
    words: Words

    def role(self, tensor: Tensor) -> str:
        return self.words.text(f"figures.role.{self.names.inks[tensor.name].tone}")

    def heading(self, tensor: Tensor, hidden: Sequence[int] = ()) -> list[Run]:
        """`input x`, or `input x_{1,:,:}` where only a slice is shown."""
        tone = self.names.tone(tensor)
        runs = [Run(r.text, r.kind, tone) for r in called(tensor)]
        if hidden:
            places = [str(self.names.base) if n in hidden else ":" for n in range(len(tensor.shape))]
            runs.append(Run(",".join(places), "s", tone))
        return runs if is_partial(tensor) else [Run(f"{self.role(tensor)} ", "soft"), *runs]

    def size(self, tensor: Tensor) -> str:
        return "×".join(map(str, tensor.extents))

    def content(self, tensor: Tensor, index: Index) -> tuple[list[Run], str]:
        """What stands in the cell of an element: its name and its number."""
        return self.names.short(tensor, index), self.values.text(tensor, index)

    def sum(self, equation: Equation, at: Index) -> list[Run]:
        """One element written out; only its name where the sum is long."""
        found = [m for _, m in islice(monomials(equation, at), WRITTEN + 1)]
        if len(found) > WRITTEN:
            return self.names.full(equation.output, at)
        return written(self.names, self.values, equation.output, at, found)


def steps(a: Arrangement) -> list[tuple[int, ...]]:
    """The elements of the result that a figure goes through, in order: all, or a few that differ."""
    if prod(r.extents[OUT] for r in a.rulers) <= STEPS:
        return list(product(*(range(r.extents[OUT]) for r in a.rulers)))
    return list(product(*map(_different, a.rulers)))[:STEPS]


def _different(r: Ruler) -> list[int]:
    """The first, the first whose window holds no padding (the second, if that is the first), the last."""
    first, last = 0, r.scale * (r.extents[GROUND] - 1)
    inner = next((t for t in range(r.extents[OUT])
                  if all(first <= r.place(t, b) <= last for b in (0, r.extents[WINDOW] - 1))), r.extents[OUT] // 2)
    return sorted({0, min(inner or 1, r.extents[OUT] - 1), r.extents[OUT] - 1})


def strip(found: Sequence[tuple[int, ...]], rulers: int) -> list[int]:
    """The steps that are printed: the first ones, the first of the next row, the last."""
    if len(found) <= STRIP:
        return list(range(len(found)))
    turn = next((n for n, along in enumerate(found) if along[0] != found[0][0]), 2) if rulers > 1 else 2
    return sorted({0, 1, turn, len(found) - 1})


def taps(a: Arrangement) -> list[tuple[int, ...]]:
    """The window elements shown along each axis."""
    return [some(r.extents[WINDOW], TAPS[len(a.rulers)]) for r in a.rulers]


def outs(r: Ruler, going: Sequence[int]) -> tuple[int, ...]:
    """Result elements shown along one axis: all while there are few."""
    return tuple(sorted({*some(r.extents[OUT], 9), *going}))


def ground(r: Ruler, shown: Sequence[int], window: Sequence[int], size: float, most: int = 16) -> Places:
    """The places of the ground that are drawn: all while there are few, else what the steps touch and the ends."""
    first, last = r.hull
    if last - first < most:
        return Places.of(range(first, last + 1), size)
    touched = {r.place(t, b) for t in shown for b in window}
    return Places.of({*touched, first, last, 0, r.scale * (r.extents[GROUND] - 1)}, size)


def zero(scene: Scene, a: Arrangement, place: Sequence[int]) -> str:
    """The colour of a zero: that of its array where it was inserted between elements, none in the padding."""
    inserted = all(0 <= p <= r.scale * (r.extents[GROUND] - 1) for r, p in zip(a.rulers, place, strict=True))
    return scene.names.tone(a.ground.tensor) if inserted else "soft"


def dots(d: Drawing, x: float, y: float, upright: bool = False) -> None:
    """Three dots for what is left out."""
    for n in (-1, 0, 1):
        cx, cy = (x, y + 6 * n) if upright else (x + 6 * n, y)
        d.add(f'<circle class="d" cx="{cx:.1f}" cy="{cy:.1f}" r="1.6"/>')
