"""Arrays with one sliding axis: a row that lies still, a row that moves below it, and the results."""

from __future__ import annotations

from itertools import pairwise

from symconv.equation import Equation
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement
from symconv.lecture.figures.places import Places
from symconv.lecture.figures.scene import Part, Scene, Shown, dots, ground, outs, steps, taps, zero
from symconv.lecture.figures.svg import Drawing

CELL = 42
WINDOW_TOP, OUT_TOP = CELL + 14, 2 * CELL + 72


class Strip:
    """One ruler on paper."""

    def __init__(self, scene: Scene, a: Arrangement) -> None:
        self.scene, self.a, self.ruler = scene, a, a.rulers[0]
        self.steps: list[tuple[int, ...]] = steps(a)
        self.outs = outs(self.ruler, [t for t, in self.steps])
        self.taps = taps(a)[0]
        self.places: Places = ground(self.ruler, self.outs, self.taps, CELL)

    @property
    def equation(self) -> Equation:
        return self.a.equation

    @property
    def dotted(self) -> bool:
        """Is anything left out?"""
        return not self.places.whole or any(b - a > 1 for a, b in pairwise(self.outs))

    def window_at(self, t: int) -> list[float]:
        return [self.places.at[self.ruler.place(t, b)] for b in self.taps]

    def out_at(self, t: int) -> float:
        """A result stands below the middle of its window."""
        return sum(self.window_at(t)) / len(self.taps)

    def still(self) -> Drawing:
        """What never moves: the ground with its zeros, the results without their numbers, the names of the rows."""
        d = Drawing()
        for p in self.places.shown:
            self.ground_cell(d, p)
        for x in self.places.gaps:
            dots(d, x, CELL / 2)
        rows = zip((CELL / 2, WINDOW_TOP + CELL / 2, OUT_TOP + CELL / 2), (GROUND, WINDOW, OUT), strict=True)
        for y, which in rows:
            tensor = self.a.tensors[which]
            d.text(-18, y + 5, self.scene.heading(tensor, self.a.slice(which)), anchor="end")
        for t in self.outs:
            self.result(d, t)
        for t, u in pairwise(self.outs):
            if u - t > 1:
                dots(d, (self.out_at(t) + self.out_at(u) + CELL) / 2, OUT_TOP + CELL / 2)
        return d

    def ground_cell(self, d: Drawing, place: int) -> None:
        element, x = self.ruler.element(place), self.places.at[place]
        if element is None:
            d.cell(x, 0, CELL, zero(self.scene, self.a, (place,)), value="0", shape="z")
        else:
            tensor, index = self.a.ground.tensor, self.a.index(GROUND, (element,))
            d.cell(x, 0, CELL, self.scene.names.classes(tensor, index), *self.scene.content(tensor, index))

    def moving(self, t: int) -> Drawing:
        """The window and its way to the result, seen from the result's place."""
        d, x0, xs = Drawing(), self.out_at(t), self.window_at(t)
        left, right = min(xs) - x0, max(xs) - x0 + CELL
        tone = self.scene.names.tone(self.a.window.tensor)
        d.add(f'<g class="{tone}">')
        d.path(f"M{left:.1f} {WINDOW_TOP + CELL + 7}H{right:.1f}L{CELL} {OUT_TOP - 4}H0z", "f",
               (left, WINDOW_TOP + CELL), (right, OUT_TOP))
        d.rect(left - 5, -6, right - left + 10, WINDOW_TOP + CELL + 13, "w", 7)
        d.add("</g>")
        for b, x in zip(self.taps, xs, strict=True):
            tensor, index = self.a.window.tensor, self.a.index(WINDOW, (b,))
            d.cell(x - x0, WINDOW_TOP, CELL, self.scene.names.classes(tensor, index),
                   *self.scene.content(tensor, index))
        for (b, x), (c, y) in pairwise(zip(self.taps, xs, strict=True)):
            if c - b > 1:
                dots(d, (x + y + CELL) / 2 - x0, WINDOW_TOP + CELL / 2)
        d.add(f'<g class="{self.scene.names.tone(self.a.equation.output)}">')
        d.rect(-3, OUT_TOP - 3, CELL + 6, CELL + 6, "o", 5)
        d.add("</g>")
        return d

    def result(self, d: Drawing, t: int) -> None:
        tensor, index = self.a.equation.output, self.a.index(OUT, (t,))
        runs, value = self.scene.content(tensor, index)
        d.cell(self.out_at(t), OUT_TOP, CELL, self.scene.names.classes(tensor, index), runs, value and " ")

    def numbers(self) -> list[Shown]:
        """The number of each result and where it stands."""
        tensor = self.a.equation.output
        return [Shown((t,), self.out_at(t) + CELL / 2, OUT_TOP + CELL * .84, round(CELL * .34),
                      self.scene.values.text(tensor, self.a.index(OUT, (t,)))) for t in self.outs]

    def parts(self, at: tuple[int, ...]) -> dict[str, Part]:
        """What moves, and where it is."""
        return {"window": Part(self.moving(*at), self.out_at(*at), 0)}

    @property
    def below(self) -> tuple[float, float]:
        """Where sums are written."""
        return self.places.length / 2, OUT_TOP + CELL + 32
