"""Arrays with one sliding axis: a row that lies still, a row that moves below it, and the results."""

from __future__ import annotations

from itertools import pairwise

from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement
from symconv.lecture.figures.figure import Motion
from symconv.lecture.figures.places import Places
from symconv.lecture.figures.scene import Scene, dots, ground, outs, steps, taps, zero
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
    def dotted(self) -> bool:
        """Is anything left out?"""
        return not self.places.whole or any(b - a > 1 for a, b in pairwise(self.outs))

    def window_at(self, t: int) -> list[float]:
        return [self.places.at[self.ruler.place(t, b)] for b in self.taps]

    def out_at(self, t: int) -> float:
        """A result stands below the middle of its window."""
        return sum(self.window_at(t)) / len(self.taps)

    def still(self) -> Drawing:
        """What never moves: the ground with its zeros, and the names of the rows."""
        d = Drawing()
        for p in self.places.shown:
            self.ground_cell(d, p)
        for x in self.places.gaps:
            dots(d, x, CELL / 2)
        rows = zip((CELL / 2, WINDOW_TOP + CELL / 2, OUT_TOP + CELL / 2), (GROUND, WINDOW, OUT), strict=True)
        for y, which in rows:
            tensor = self.a.tensors[which]
            d.text(-18, y + 5, self.scene.heading(tensor, self.a.slice(which)), anchor="end")
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

    def result(self, d: Drawing, t: int, known: bool = True, late: str = "") -> None:
        tensor, index = self.a.equation.output, self.a.index(OUT, (t,))
        runs, value = self.scene.content(tensor, index)
        d.cell(self.out_at(t), OUT_TOP, CELL, self.scene.names.classes(tensor, index), runs,
               value if known else value and " ", late=late)

    def result_gaps(self, d: Drawing) -> None:
        for a, b in pairwise(self.outs):
            if b - a > 1:
                dots(d, (self.out_at(a) + self.out_at(b) + CELL) / 2, OUT_TOP + CELL / 2)

    def middle(self) -> float:
        return self.places.length / 2

    def frame(self, at: tuple[int, ...]) -> Drawing:
        """One step, standing still; results are known up to it."""
        d, (t,) = self.still(), at
        for s in self.outs:
            self.result(d, s, s <= t)
        self.result_gaps(d)
        d.beside(self.moving(t), self.out_at(t), 0)
        d.text(self.middle(), OUT_TOP + CELL + 32, self.scene.sum(self.a, at))
        return d

    def film(self, name: str) -> tuple[Drawing, Motion]:
        """All steps, one after the other."""
        d, motion = self.still(), Motion(name, len(self.steps))
        for s in self.outs:
            self.result(d, s, late=motion.from_(next(n for n, (t,) in enumerate(self.steps) if t >= s)))
        self.result_gaps(d)
        parts = [self.moving(t) for t, in self.steps]
        if all(p.parts == parts[0].parts for p in parts):
            whole = Drawing()
            whole.beside(parts[0], self.out_at(*self.steps[0]), 0)
            d.inside(motion.path("window", [(self.out_at(t), 0) for t, in self.steps]), whole)
        else:
            for n, ((t,), part) in enumerate(zip(self.steps, parts, strict=True)):
                one = Drawing()
                one.beside(part, self.out_at(t), 0)
                d.inside(motion.only(n), one)
        for n, at in enumerate(self.steps):
            line = Drawing()
            line.text(self.middle(), OUT_TOP + CELL + 32, self.scene.sum(self.a, at))
            d.inside(motion.only(n), line)
        return d, motion

