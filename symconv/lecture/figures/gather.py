"""Backward through one layer as lecturers draw it: every delta that reaches an x, with the w on its way."""

from __future__ import annotations

from itertools import pairwise

from symconv.lecture.figures.arrangement import GROUND, OUT
from symconv.lecture.figures.figure import Figure, Motion, again, document, held
from symconv.lecture.figures.numbers import spoken, written
from symconv.lecture.figures.rows import Line, Rows
from symconv.lecture.figures.scene import LINES, Scene, dots
from symconv.lecture.figures.svg import Drawing, Run, number, width

CELL, DEEP, PILL = 44, 118, 22  # of a cell, between the rows, of a label on a line
MOST = 9  # lines that reach one element
LABEL_AT = .36  # of the way, where labels keep apart


class Gather:
    """Two rows on paper."""

    def __init__(self, scene: Scene, rows: Rows) -> None:
        self.scene, self.rows, self.a = scene, rows, rows.arrangement
        self.lines = {t: [line for line in rows.lines(t) if line.a in rows.above] for t in rows.below}
        widest = max((width(self.label(line), 14) for found in self.lines.values() for line in found), default=0)
        self.pitch = max(CELL + 12, (widest + 16) / (1 - LABEL_AT))

    def label(self, line: Line) -> list[Run]:
        return self.scene.names.short(self.a.window.tensor, line.window)

    def above(self, n: int) -> float:
        return self.rows.above[n] * self.pitch

    def below(self, n: int) -> float:
        return self.rows.below[n] * self.pitch

    def still(self) -> Drawing:
        d = Drawing()
        for t in self.rows.below:
            for line in self.lines[t]:
                self.line(d, line, "h")
        for y, which, ends in ((0, GROUND, self.rows.above), (CELL + DEEP, OUT, self.rows.below)):
            tensor = self.a.tensors[which]
            for n, x in ends.items():
                index = self.rows.index(which, n)
                d.cell(x * self.pitch, y, CELL, self.scene.names.classes(tensor, index),
                       *self.scene.content(tensor, index))
            shown = list(ends)
            for m, n in pairwise(shown):
                if n - m > 1:
                    dots(d, (ends[m] + ends[n]) / 2 * self.pitch + CELL / 2, y + CELL / 2)
            d.text(min(*self.rows.above.values(), *self.rows.below.values()) * self.pitch - 18, y + CELL / 2 + 5,
                   self.scene.heading(tensor, self.rows.hidden(which)), anchor="end")
        return d

    def ends(self, line: Line) -> tuple[float, float, float, float]:
        x1, x2 = self.above(line.a) + CELL / 2, self.below(line.t) + CELL / 2
        return x1, CELL + 2, x2 + (x1 - x2) * .06, CELL + DEEP - 5

    def line(self, d: Drawing, line: Line, shape: str) -> None:
        x1, y1, x2, y2 = self.ends(line)
        names, tensors = self.scene.names, self.a.tensors
        way = (f' data-from="{names.term(tensors[GROUND], self.rows.index(GROUND, line.a))}"'
               f' data-to="{names.term(tensors[OUT], self.rows.index(OUT, line.t))}"')
        d.add(f'<g class="{names.classes(self.a.window.tensor, line.window)}">')
        d.path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", shape, (x1, y1), (x2, y2), more=way)
        if shape == "l":
            self.arrow(d, x1, y1, x2, y2)
        d.add("</g>")

    def arrow(self, d: Drawing, x1: float, y1: float, x2: float, y2: float) -> None:
        """A head that points along the line."""
        dx, dy = x2 - x1, y2 - y1
        long = (dx * dx + dy * dy) ** .5
        ux, uy = dx / long * 9, dy / long * 9
        d.path(f"M{number(x2 + ux / 3)} {number(y2 + uy / 3)}L{number(x2 - ux - uy / 2)} {number(y2 - uy + ux / 2)}"
               f"L{number(x2 - ux + uy / 2)} {number(y2 - uy - ux / 2)}z", "e")

    def step(self, t: int) -> Drawing:
        """The lines into one element, each with its weight, and the sum they make."""
        d = Drawing()
        for line in self.lines[t]:
            self.line(d, line, "l")
        for line in self.lines[t]:
            x1, y1, x2, y2 = self.ends(line)
            x, y = x1 + (x2 - x1) * LABEL_AT, y1 + (y2 - y1) * LABEL_AT
            wide = width(self.label(line), 14) + 10
            d.add(f'<g class="{self.scene.names.classes(self.a.window.tensor, line.window)}">')
            d.rect(x - wide / 2, y - PILL / 2, wide, PILL, "p", 5)
            d.text(x, y + 4, self.label(line), 14)
            d.add("</g>")
        d.add(f'<g class="{self.scene.names.tone(self.a.equation.output)}">')
        d.rect(self.below(t) - 3, CELL + DEEP - 3, CELL + 6, CELL + 6, "o", 5)
        d.add("</g>")
        middle = (min(map(self.above, self.rows.above)) + max(map(self.above, self.rows.above)) + CELL) / 2
        d.text(middle, 2 * CELL + DEEP + 34, self.sum_of(t))
        return d

    def sum_of(self, t: int) -> list[Run]:
        """One element written out."""
        tensor, index = self.a.equation.output, self.rows.index(OUT, t)
        return written(self.scene.names, self.scene.values, tensor, index, self.a.products_at(index))


def gather(scene: Scene, found: Rows, name: str, title: str, description: str) -> Figure | None:
    """The lines into each element in turn; it begins with one that all weights reach. None where there
    are none, or too many to follow."""
    g = Gather(scene, found)
    most = max(len(lines) for lines in g.lines.values())
    if not 0 < most <= MOST or sum(map(len, g.lines.values())) > LINES:
        return None
    full = [t for t in found.steps if len(g.lines[t]) == most]
    first = full[len(full) // 2]
    order = [first, *(t for t in found.steps if t > first), *(t for t in found.steps if t < first)]
    still, motion = g.still(), Motion(name, len(order))
    film = held(name, still)
    for n, t in enumerate(order):
        film.inside(motion.only(n), g.step(t))
    frames, texts = [], []
    for n, t in enumerate(sorted({found.steps[0], first, found.steps[-1]}), 1):
        one = again(name, still)
        one.inside("<g>", g.step(t))
        texts.append(spoken(g.sum_of(t)))
        frames.append(document(f"{name}-{n}", one, f"{title} ({n})", texts[-1]))
    return Figure(name, title, description, document(name, film, title, description, motion.css()), tuple(frames),
                  tuple(texts), "".join(held(name, still).parts))
