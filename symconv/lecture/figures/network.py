"""A layer as a network: one line for each product, those with the same weight alike; beside it every line a weight."""

from __future__ import annotations

from itertools import pairwise

from symconv.affine import Affine
from symconv.equation import Equation, Tensor
from symconv.lecture.figures.arrangement import GROUND, OUT, arrange
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.rows import Line, Rows, rows
from symconv.lecture.figures.scene import LINES, Scene, dots
from symconv.lecture.figures.svg import Drawing, number, width

RADIUS, DEEP, WIDE = 19, 130, 390
# Strokes that tell weights apart without colour: (dashes, width).
STROKES = (("", 2.2), ("7 4", 2.2), ("1.5 4", 2.6), ("12 3 2 3", 2.0), ("", 1.1), ("4 2", 1.1), ("9 5", 3.2))


class Network:
    """Inputs above, results below."""

    def __init__(self, scene: Scene, found: Rows) -> None:
        self.scene, self.rows, self.a = scene, found, found.arrangement
        self.lines = [line for t in found.below for line in found.lines(t) if line.a in found.above]
        columns = max(*found.above.values(), *found.below.values()) + 1
        self.pitch = min(58.0, max(WIDE / columns, 2 * RADIUS + 4))
        self.weights = list(dict.fromkeys(sorted(line.window for line in self.lines)))

    @property
    def shared(self) -> bool:
        """Does one weight stand on several lines?"""
        return len(self.weights) < len(self.lines)

    def x(self, ends: dict[int, float], n: int) -> float:
        return ends[n] * self.pitch + RADIUS

    def line(self, d: Drawing, line: Line) -> None:
        x1, x2 = self.x(self.rows.above, line.a), self.x(self.rows.below, line.t)
        names, tensor = self.scene.names, self.a.window.tensor
        dashes, wide = STROKES[self.weights.index(line.window) % len(STROKES)] if self.shared else ("", 1.0)
        more = f' stroke-width="{wide}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
        more += (f' data-from="{names.term(self.a.ground.tensor, self.rows.index(GROUND, line.a))}"'
                 f' data-to="{names.term(self.a.equation.output, self.rows.index(OUT, line.t))}"')
        d.add(f'<g class="{names.classes(tensor, line.window)}">')
        d.path(f"M{number(x1)} {RADIUS}L{number(x2)} {DEEP}", "t", (x1, 0), (x2, DEEP), more=more)
        d.add("</g>")

    def nodes(self, d: Drawing) -> None:
        for y, which, ends in ((0, GROUND, self.rows.above), (DEEP, OUT, self.rows.below)):
            tensor = self.a.tensors[which]
            for n in ends:
                index, x = self.rows.index(which, n), self.x(ends, n)
                d.grow(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS)
                d.add(f'<g class="{self.scene.names.classes(tensor, index)}">'
                      f'<circle class="page" cx="{number(x)}" cy="{y}" r="{RADIUS}"/>'
                      f'<circle class="c" cx="{number(x)}" cy="{y}" r="{RADIUS}"/>')
                d.text(x, y + 5, self.scene.names.short(tensor, index), 15)
                d.add("</g>")
            shown = list(ends)
            for m, n in pairwise(shown):
                if n - m > 1:
                    dots(d, (self.x(ends, m) + self.x(ends, n)) / 2, y)

    def legend(self, d: Drawing, x: float, y: float) -> None:
        """Each stroke and its weight."""
        tensor = self.a.window.tensor
        shown = self.weights[:len(STROKES)]
        step = 52 + width(self.scene.names.short(tensor, shown[0]), 15)
        left = x - (len(shown) * step - 18) / 2
        for n, index in enumerate(shown):
            dashes, wide = STROKES[n]
            more = f' stroke-width="{wide}"' + (f' stroke-dasharray="{dashes}"' if dashes else "")
            d.add(f'<g class="{self.scene.names.classes(tensor, index)}">')
            d.path(f"M{number(left)} {number(y)}h26", "t", (left, y), more=more)
            d.text(left + 32, y + 5, self.scene.names.short(tensor, index), 15, anchor="start")
            d.add("</g>")
            left += step

    def drawing(self, note: str, legend: bool) -> Drawing:
        d = Drawing()
        for line in self.lines:
            self.line(d, line)
        self.nodes(d)
        middle = (max(*self.rows.above.values(), *self.rows.below.values()) * self.pitch + 2 * RADIUS) / 2
        d.text(middle, DEEP + RADIUS + 28, note, 14, "soft")
        if legend:
            self.legend(d, middle, DEEP + RADIUS + 54)
        return d


def network(scene: Scene, found: Rows, name: str, told: Described) -> Figure | None:
    """The layer, and where weights are shared the fully connected layer of the same sizes beside it; None where
    the lines would be too many to follow."""
    own = Network(scene, found)
    if len(own.lines) > LINES:
        return None
    d = Drawing()
    note = scene.words.text("figures.network.shared" if own.shared else "figures.network.each",
                            count=_weights(found, own.shared))
    d.beside(own.drawing(note, own.shared), 0, 0)
    beside = _connected(scene, found) if own.shared and not found.arrangement.shared else None
    if beside is not None:
        other = Network(scene, beside)
        note = scene.words.text("figures.network.each", count=_weights(beside, False))
        right = other.drawing(note, False)
        d.beside(right, d.right - right.left + 70, 0)
    kind = "alike" if beside else "strokes" if own.shared else "own"
    title, text = told.title("network"), told.text("network", told.say(f"network.{kind}"))
    return Figure(name, title, text, document(name, d, title, text))


def _weights(found: Rows, shared: bool) -> int:
    """How many different weights the slices shown have."""
    a = found.arrangement
    if a.rulers:
        return a.rulers[0].extents[2]
    count = 1
    for s in a.shared:
        count *= s.extent if s.axes[2] is not None else 1
    return count


def _connected(scene: Scene, found: Rows) -> Rows | None:
    """The same inputs and results with a weight for each pair."""
    a = found.arrangement
    n, m = a.rulers[0].extents[GROUND], a.rulers[0].extents[OUT]
    i, j = Affine.of("i"), Affine.of("j")
    inputs, results = Tensor(a.ground.tensor.name, n, a.ground.tensor.symbol), a.equation.output
    weights = Tensor(a.window.tensor.name, (m, n), a.window.tensor.symbol)
    made = Equation(Tensor(results.name, m, results.symbol)[i], weights[i, j] * inputs[j])
    other = arrange(made, scene.names.inks)
    return rows(other) if other else None


