"""Arrays with two sliding axes: a grid that lies still, a window that moves over it, and the grid of results."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from symconv.equation import Equation
from symconv.expand import Index
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement
from symconv.lecture.figures.places import Places
from symconv.lecture.figures.scene import CELLS, Part, Scene, Shown, dots, ground, outs, steps, taps, zero
from symconv.lecture.figures.svg import Drawing, number, width

WIDE, BETWEEN = 800, 52
MANY = 110  # cells of one grid that are drawn one by one
SHEET = 6  # how far a slice behind another one sticks out
Pair = tuple[int, ...]  # a row and a column


@dataclass(frozen=True)
class Grid:
    """Two axes of paper and where they lie."""

    rows: Places
    columns: Places
    left: float
    top: float

    def at(self, place: Pair) -> tuple[float, float]:
        """The upper left corner of a cell."""
        return self.left + self.columns.at[place[1]], self.top + self.rows.at[place[0]]

    @property
    def cells(self) -> Iterator[Pair]:
        return product(self.rows.shown, self.columns.shown)

    @property
    def right(self) -> float:
        return self.left + self.columns.length

    @property
    def bottom(self) -> float:
        return self.top + self.rows.length


class Panels:
    """Two rulers on paper: ground, window, result from left to right."""

    def __init__(self, scene: Scene, a: Arrangement) -> None:
        self.scene, self.a = scene, a
        self.steps: list[tuple[int, ...]] = steps(a)
        self.taps = taps(a)
        going = [[s[n] for s in self.steps] for n in (0, 1)]
        shown = [outs(r, g) for r, g in zip(a.rulers, going, strict=True)]
        if len(shown[0]) * len(shown[1]) > 64:
            shown = [tuple(sorted(set(g))) for g in going]
        self.cell = CELLS[-1]
        for self.cell in CELLS:
            sheets = [ground(r, t, b, self.cell) for r, t, b in zip(a.rulers, shown, self.taps, strict=True)]
            kernel = [Places.of(t, self.cell) for t in self.taps]
            results = [Places.of(t, self.cell) for t in shown]
            wide = [max(s[1].length, width(scene.heading(t, a.slice(n)), 16))
                    for n, (s, t) in enumerate(zip((results, sheets, kernel), a.tensors, strict=True))]
            if sum(wide) + 2 * BETWEEN <= WIDE:
                break
        middle = max(s[0].length for s in (sheets, kernel, results)) / 2
        left, grids = 0.0, []
        for (rows, columns), room in zip((sheets, kernel, results), (*wide[1:], wide[0]), strict=True):
            grids.append(Grid(rows, columns, left + (room - columns.length) / 2, middle - rows.length / 2))
            left += room + BETWEEN
        self.ground, self.kernel, self.results = grids

    @property
    def equation(self) -> Equation:
        return self.a.equation

    @property
    def dotted(self) -> bool:
        """Is anything left out?"""
        grids = (self.ground, self.kernel, self.results)
        return not all(g.rows.whole and g.columns.whole for g in grids)

    def element(self, which: int, place: Pair) -> Index | None:
        """The element that stands at a place; None for a zero."""
        if which != GROUND:
            return self.a.index(which, place)
        found = [r.element(p) for r, p in zip(self.a.rulers, place, strict=True)]
        return None if None in found else self.a.index(GROUND, [f for f in found if f is not None])

    def sheet(self, d: Drawing, which: int, grid: Grid) -> None:
        """One array: slices behind it, its cells, dots for what is left out, its name and size."""
        tensor = self.a.tensors[which]
        behind = min(3, max([1, *(tensor.extents[n] for n in self.a.slice(which))]) - 1)
        d.add(f'<g class="{self.scene.names.tone(tensor)}">')
        for n in range(behind, 0, -1):
            d.rect(grid.left + SHEET * n, grid.top - SHEET * n, grid.columns.length, grid.rows.length, "p", 3)
        if behind:
            d.rect(grid.left, grid.top, grid.columns.length, grid.rows.length, "p", 3)
        d.add("</g>")
        with d.sized(round(self.cell * .4, 1)):
            self.cells(d, which, grid)
        for x in grid.columns.gaps:
            dots(d, grid.left + x, (grid.top + grid.bottom) / 2)
        for y in grid.rows.gaps:
            dots(d, (grid.left + grid.right) / 2, grid.top + y, upright=True)
        middle = (grid.left + grid.right + SHEET * behind) / 2
        d.text(middle, grid.top - 26 - SHEET * behind, self.scene.heading(tensor, self.a.slice(which)), 16)
        d.text(middle, grid.top - 9 - SHEET * behind, self.scene.size(tensor), 12, "soft")
        if which == WINDOW and any(r.spread < 0 for r in self.a.rulers):
            d.text(middle, grid.bottom + 20, f"↻ {self.scene.words.text('figures.flipped')}", 12, "soft")

    def cells(self, d: Drawing, which: int, grid: Grid) -> None:
        """The elements, those that are there; zeros together, and all together where they are many."""
        found = [(place, self.element(which, place)) for place in grid.cells]
        nothing = [(zero(self.scene, self.a, place), place) for place, index in found if index is None]
        for tone in dict.fromkeys(tone for tone, _ in nothing):
            self.together(d, grid, [p for t, p in nothing if t == tone], tone, "z", "0" * (len(found) <= MANY))
        tensor = self.a.tensors[which]
        if len(found) > MANY:
            self.together(d, grid, [p for p, index in found if index is not None], self.scene.names.tone(tensor), "c")
            return
        for place, index in found:
            if index is not None:
                runs, value = self.scene.content(tensor, index)
                x, y = grid.at(place)
                d.cell(x, y, self.cell, self.scene.names.classes(tensor, index), [] if value else runs,
                       value if which != OUT else "", square=True, high=which == GROUND)

    def together(self, d: Drawing, grid: Grid, places: list[Pair], tone: str, shape: str, sign: str = "") -> None:
        """Cells of one kind in one path; the same sign in each."""
        corners = [grid.at(p) for p in places]
        d.add(f'<g class="{tone}">')
        size = number(self.cell)
        d.path("".join(f"M{number(x)} {number(y)}h{size}v{size}h-{size}z" for x, y in corners), shape, *corners)
        for y in dict.fromkeys(y for _, y in corners) if sign else ():
            row = [x + self.cell / 2 for x, at in corners if at == y]
            d.add(f'<text x="{" ".join(map(number, row))}" y="{number(y + self.cell * .62)}">{sign * len(row)}</text>')
        d.add("</g>")

    def corners(self, at: Pair) -> list[tuple[Pair, tuple[float, float]]]:
        """Each window element shown, and the corner of the ground cell it covers."""
        return [((p, q), self.ground.at((self.a.rulers[0].place(at[0], p), self.a.rulers[1].place(at[1], q))))
                for p, q in product(*self.taps)]

    def window(self, at: Pair) -> tuple[Drawing, tuple[float, float]]:
        """The window over the ground, seen from its upper left corner, and that corner."""
        found = self.corners(at)
        x0, y0 = min(x for _, (x, _) in found), min(y for _, (_, y) in found)
        right, bottom = max(x for _, (x, _) in found) + self.cell - x0, max(y for _, (_, y) in found) + self.cell - y0
        d, tensor = Drawing(right=right, bottom=bottom), self.a.window.tensor
        many = len(found) > 49 or max(len(list(g.cells)) for g in (self.ground, self.kernel)) > MANY
        for place, (x, y) in [] if many else found:
            index = self.a.index(WINDOW, place)
            runs, value = self.scene.content(tensor, index)
            d.add(f'<g class="{self.scene.names.classes(tensor, index)}">')
            d.rect(x - x0, y - y0, self.cell, self.cell, "f")
            d.text(x - x0 + self.cell - 3, y - y0 + self.cell - (3 if value else 5), value or runs,
                   round(self.cell * .27), "n" if value else "", anchor="end")
            d.add("</g>")
        d.add(f'<g class="{self.scene.names.tone(tensor)}">')
        d.rect(0, 0, right, bottom, "w", 4)
        d.add("</g>")
        return d, (x0, y0)

    def ring(self) -> Drawing:
        """Around the result that is computed."""
        d = Drawing()
        d.add(f'<g class="{self.scene.names.tone(self.a.equation.output)}">')
        d.rect(0, 0, self.cell, self.cell, "o", 4)
        d.add("</g>")
        return d

    def still(self) -> Drawing:
        """What does not move; results without their numbers."""
        d = Drawing()
        self.sheet(d, GROUND, self.ground)
        self.sheet(d, WINDOW, self.kernel)
        self.sheet(d, OUT, self.results)
        middle = (self.ground.top + self.ground.bottom) / 2
        x = (self.kernel.right + self.results.left) / 2
        d.path(f"M{number(x - 12)} {number(middle)}h20m-6 -5l6 5l-6 5", "g")
        return d

    def numbers(self) -> list[Shown]:
        """The number of each result and where it stands."""
        tensor, found = self.a.equation.output, []
        for place in self.results.cells:
            x, y = self.results.at(place)
            text = self.scene.values.text(tensor, self.a.index(OUT, place))
            wide = max(1.0, width(text, self.cell * .4) / (self.cell - 4))
            found.append(Shown(place, x + self.cell / 2, y + self.cell * .62, round(self.cell * .4 / wide, 1), text))
        return found

    def parts(self, at: Pair) -> dict[str, Part]:
        """What moves, and where it is."""
        window, corner = self.window(at)
        return {"window": Part(window, *corner), "ring": Part(self.ring(), *self.results.at(at))}

    @property
    def below(self) -> tuple[float, float]:
        """Where sums are written."""
        return self.results.right / 2, max(g.bottom for g in (self.ground, self.kernel, self.results)) + 34
