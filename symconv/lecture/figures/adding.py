"""One element of the result, slice by slice: what each channel adds to it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from symconv.expand import Index
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement, Shared
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.numbers import Values, digits
from symconv.lecture.figures.places import some
from symconv.lecture.figures.scene import Scene, dots
from symconv.lecture.figures.svg import Drawing, Run, number

CELL, BETWEEN, MOST = 30, 34, 5  # MOST: of a window along an axis


class Adding:
    """The products of one element, ordered by the one index both arrays are summed over."""

    def __init__(self, scene: Scene, a: Arrangement, over: Shared) -> None:
        self.scene, self.a, self.over = scene, a, over
        self.at = tuple(r.extents[OUT] // 2 for r in a.rulers)
        self.index = a.index(OUT, self.at)
        self.taps = [range(r.extents[WINDOW]) for r in a.rulers]

    def others(self, c: int) -> list[int]:
        return [c if s is self.over else 0 for s in self.a.shared]

    def products(self, c: int) -> list[tuple[Index, Index]]:
        """(ground element, window element) of one slice, from the equation."""
        axis = self.over.axes[WINDOW]
        assert axis is not None
        return [pair for pair in self.a.meetings(self.index) if pair[1][axis] == c]

    def part(self, c: int) -> str:
        """What the slice adds, in numbers; empty where they are not known."""
        values: Values = self.scene.values
        found = 0
        for here, window in self.products(c):
            one, two = values.of(self.a.ground.tensor, here), values.of(self.a.window.tensor, window)
            if one is None or two is None:
                return ""
            found += self.a.term.coefficient.numerator * one * two  # type: ignore[assignment]
        return digits(found)

    def grids(self, d: Drawing, c: int, y: float) -> float:
        """The ground below the window, and the window; returns where they end."""
        rows, columns = (self.taps if len(self.taps) == 2 else [range(1), *self.taps])
        x = 0.0
        for which in (GROUND, WINDOW):
            tensor = self.a.tensors[which]
            for p, q in product(range(len(rows)), range(len(columns))):
                index = self.element(which, ((p, q) if len(self.taps) == 2 else (q,)), c)
                at = x + q * CELL, y + p * CELL
                if index is None:
                    d.cell(*at, CELL, "soft", value="0", shape="z", square=True)
                else:
                    runs, value = self.scene.content(tensor, index)
                    classes = self.scene.names.classes(tensor, index)
                    d.cell(*at, CELL, classes, [] if value else runs, value, square=True)
            x += len(columns) * CELL
            sign = "⊙" if which == GROUND else "="
            d.text(x + BETWEEN / 2, y + len(rows) * CELL / 2 + 6, sign, 17)
            x += BETWEEN
        return x

    def element(self, which: int, tap: Sequence[int], c: int) -> Index | None:
        """What stands at a place of the window, in the order of the ground."""
        order = [n if r.spread > 0 else r.extents[WINDOW] - 1 - n for r, n in zip(self.a.rulers, tap, strict=True)]
        if which == WINDOW:
            return self.a.index(WINDOW, order, self.others(c))
        found = [r.element(r.place(t, b)) for r, t, b in zip(self.a.rulers, self.at, order, strict=True)]
        return None if None in found else self.a.index(GROUND, [f for f in found if f is not None], self.others(c))

    def drawing(self) -> Drawing:
        d = Drawing()
        shown = some(self.over.extent, 4)
        tall = (len(self.taps[0]) if len(self.taps) == 2 else 1) * CELL
        y, right, lines = 0.0, 0.0, []
        for n, c in enumerate(shown):
            if n and c - shown[n - 1] > 1:
                dots(d, 60, y + 8, upright=True)
                y += 34
            right = self.grids(d, c, y)
            tone = self.scene.names.tone(self.a.equation.output)
            d.text(right + 22, y + tall / 2 + 6, [Run(self.part(c) or "Σ", "n", tone)], 17)
            lines.append(y + tall / 2)
            y += tall + 16
        self.total(d, right + 52, lines)
        for which, x in ((GROUND, 0.0), (WINDOW, len(self.taps[-1]) * CELL + BETWEEN)):
            d.text(x + len(self.taps[-1]) * CELL / 2, -12, self.scene.heading(self.a.tensors[which]))
        return d

    def total(self, d: Drawing, x: float, lines: Sequence[float]) -> None:
        """The lines from the parts to the element."""
        middle, size = (lines[0] + lines[-1]) / 2, 52
        for y in lines:
            d.path(f"M{number(x)} {number(y)}C{number(x + 40)} {number(y)} {number(x + 30)} {number(middle)} "
                   f"{number(x + 66)} {number(middle)}", "g", (x, y), (x + 66, middle))
        d.text(x + 82, middle + 7, "+", 20)
        more = self.scene.values
        tensor = self.a.equation.output
        rest = [m for m in self.a.products_at(self.index) if len(m.factors) == 1]
        left = x + 102
        for m in rest:
            f, index = m.factors[0]
            classes = self.scene.names.classes(f.tensor, index)
            d.cell(left, middle - 18, 36, classes, *self.scene.content(f.tensor, index))
            left += 46
        d.text(left + 6, middle + 6, "=", 18)
        d.cell(left + 24, middle - size / 2, size, self.scene.names.classes(tensor, self.index),
               self.scene.names.short(tensor, self.index), more.text(tensor, self.index))


def adding(scene: Scene, a: Arrangement, name: str, title: str, description: str) -> Figure | None:
    """What each channel adds to one element; None where nothing is summed beside the window, or the window is large."""
    over = [s for s in a.shared if s.summed and s.extent > 1]
    if len(over) != 1 or len(a.rulers) not in (1, 2) or any(r.extents[WINDOW] > MOST for r in a.rulers):
        return None
    drawing = Adding(scene, a, over[0]).drawing()
    return Figure(name, title, description, document(name, drawing, title, description))
