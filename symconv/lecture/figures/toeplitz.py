"""The layer as a matrix, and its transpose beside it: read along a row of the transpose, the kernel runs backwards."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from symconv.equation import Equation, Tensor
from symconv.expand import Index, monomials
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.numbers import written
from symconv.lecture.figures.scene import Scene
from symconv.lecture.figures.svg import Drawing, Run, called, number

SIDES, ENTRIES = 40, 140  # rows and columns together, and entries, of a matrix with its elements; larger ones bare
SQUARES, MOST = 500, 700  # of a pattern: cells, or else diagonals
WIDE, PATTERN = 810, 300
Entry = tuple[int, int, Index]  # row, column, window element


class Toeplitz:
    """The matrix of an arrangement: a row for each result, a column for each element of the ground."""

    def __init__(self, scene: Scene, a: Arrangement, back: Equation) -> None:
        self.scene, self.a, self.back = scene, a, back
        self.outs = [r.extents[OUT] for r in a.rulers]
        self.grounds = [r.extents[GROUND] for r in a.rulers]

    @property
    def rows(self) -> int:
        return prod(self.outs)

    @property
    def columns(self) -> int:
        return prod(self.grounds)

    def entries(self) -> list[Entry]:
        return [(row, _flat(a, self.grounds), b) for row, t in enumerate(product(*map(range, self.outs)))
                for a, b in self.a.pairs(t)]

    @property
    def count(self) -> int:
        """How many entries are not zero."""
        return prod(sum(r.element(r.place(t, b)) is not None for t in range(r.extents[OUT])
                        for b in range(r.extents[WINDOW])) for r in self.a.rulers)

    @property
    def lines(self) -> int:
        """How many straight lines the pattern consists of."""
        return prod(self.outs[:-1]) * prod(r.extents[WINDOW] for r in self.a.rulers)

    def cells(self) -> Drawing:
        """Both products, element by element."""
        size = min(38.0, (WIDE - 150) / (self.rows + self.columns + 4))
        size = float(int(size))
        entries = self.entries()
        per_column = [[e for e in entries if e[1] == c] for c in range(self.columns)]
        most = max(map(len, per_column))
        full = [c for c, found in enumerate(per_column) if len(found) == most]
        chosen = full[len(full) // 2]
        out, ground, _ = self.a.tensors
        tall = self.columns * size
        d = Drawing()
        x = self.vector(d, 0, tall, out, OUT, size)
        x = self.sign(d, x, tall)
        left = x
        x = self.matrix(d, x, tall, entries, (self.rows, self.columns), size, [Run("T", "m")])
        self.ring(d, left + chosen * size, (tall - self.rows * size) / 2, size, self.rows * size)
        x = self.vector(d, x + 12, tall, ground, GROUND, size)
        for t in self.a.added:
            runs = [Run("+ "), *(Run(r.text, r.kind, self.scene.names.tone(t)) for r in called(t))]
            d.text(x + 26, tall / 2 + 6, runs, 16)
            x += 40
        x = self.vector(d, x + 46, tall, self.back.output, GROUND, size)
        x = self.sign(d, x, tall)
        self.matrix(d, x, tall, [(c, r, b) for r, c, b in entries], (self.columns, self.rows), size,
                    [Run("T", "m"), Run("ᵀ")])
        self.ring(d, x, chosen * size, self.rows * size, size)
        x = self.vector(d, x + self.rows * size + 24, tall, out.gradient(), OUT, size)
        self.caption(d, x / 2, tall + 56, chosen)
        return d

    def caption(self, d: Drawing, x: float, y: float, chosen: int) -> None:
        """The row of the transpose written out, from the derived gradient."""
        at = self.a.index(GROUND, _unflat(chosen, self.grounds))
        found = [m for _, m in monomials(self.back, at)]
        if len(found) <= 9:
            d.text(x, y, written(self.scene.names, self.scene.values, self.back.output, at, found))

    def vector(self, d: Drawing, x: float, tall: float, tensor: Tensor, which: int, size: float) -> float:
        """A column of elements; returns where it ends."""
        extents = self.outs if which == OUT else self.grounds
        y = (tall - prod(extents) * size) / 2
        for n, place in enumerate(product(*map(range, extents))):
            index = self.a.index(which, place)
            name = self.name(tensor, index, place, size)
            d.cell(x, y + n * size, size, self.scene.names.classes(tensor, index), name, square=True)
        tone = self.scene.names.tone(tensor)
        d.text(x + size / 2, y - 10, [Run(r.text, r.kind, tone) for r in called(tensor)], 16)
        return x + size

    def name(self, tensor: Tensor, index: Index, place: Sequence[int], size: float) -> list[Run]:
        if size >= 28:
            return self.scene.names.short(tensor, index)
        return [Run(",".join(str(p + self.scene.names.base) for p in place))]

    def sign(self, d: Drawing, x: float, tall: float) -> float:
        d.text(x + 16, tall / 2 + 6, "=", 18)
        return x + 40

    def matrix(self, d: Drawing, x: float, tall: float, entries: Sequence[Entry], shape: tuple[int, int], size: float,
               name: list[Run]) -> float:
        rows, columns = shape
        y, w, h = (tall - rows * size) / 2, columns * size, rows * size
        grid = "".join(f"M{number(x)} {number(y + n * size)}h{number(w)}" for n in range(rows + 1))
        grid += "".join(f"M{number(x + n * size)} {number(y)}v{number(h)}" for n in range(columns + 1))
        d.path(grid, "faint", (x, y), (x + w, y + h))
        for r, c, b in entries:
            index = self.a.index(WINDOW, b)
            tensor = self.a.window.tensor
            d.cell(x + c * size, y + r * size, size, self.scene.names.classes(tensor, index),
                   self.name(tensor, index, b, size), square=True)
        for side, hook in ((x - 5, 5), (x + w + 5, -5)):
            d.path(f"M{number(side + hook)} {number(y - 4)}h{-hook}v{number(h + 8)}h{hook}", "k",
                   (side, y - 4), (side, y + h + 4))
        tone = self.scene.names.tone(self.a.window.tensor)
        d.text(x + w / 2, y - 12, [*(Run(r.text, r.kind, tone) for r in name), Run(f"  {rows}×{columns}", "soft")], 16)
        return x + w

    def ring(self, d: Drawing, x: float, y: float, w: float, h: float) -> None:
        d.add(f'<g class="{self.scene.names.tone(self.a.ground.tensor)}">')
        d.rect(x - 1, y - 1, w + 2, h + 2, "o", 4)
        d.add("</g>")

    def pattern(self) -> Drawing:
        """Where the two matrices are not zero: one straight line for each window element and row of results."""
        scale = PATTERN / max(self.rows, self.columns)
        d = Drawing()
        tone = self.scene.names.tone(self.a.window.tensor)
        for x, turned in ((0.0, False), (PATTERN + 110, True)):
            rows, columns = (self.columns, self.rows) if turned else (self.rows, self.columns)
            w, h = columns * scale, rows * scale
            d.add(f'<g class="{tone}">')
            if self.count <= SQUARES:
                d.path(self.squares(x, scale, turned), "e", (x, 0), (x + w, h))
            else:
                wide = f' stroke-width="{max(.7, scale * .6):.2f}"'
                d.path(self.segments(x, scale, turned), "t", (x, 0), (x + w, h), more=wide)
            d.add("</g>")
            for side, hook in ((x - 5, 5), (x + w + 5, -5)):
                d.path(f"M{number(side + hook)} -4h{-hook}v{number(h + 8)}h{hook}", "k", (side, -4), (side, h + 4))
            d.text(x + w / 2, -14, [Run("T", "m", tone), *[Run("ᵀ", "", tone)] * turned,
                                    Run(f"  {rows}×{columns}", "soft")], 16)
        return d

    def squares(self, x: float, scale: float, turned: bool) -> str:
        size = number(scale * .86)
        places = [(r, c) if turned else (c, r) for r, c, _ in self.entries()]
        return "".join(f"M{number(x + h * scale)} {number(v * scale)}h{size}v{size}h-{size}z" for h, v in places)

    def segments(self, x: float, scale: float, turned: bool) -> str:
        last, out = self.a.rulers[-1], []
        for t in product(*map(range, self.outs[:-1])):
            for b in product(*(range(r.extents[WINDOW]) for r in self.a.rulers)):
                before = [r.element(r.place(v, n)) for r, v, n in zip(self.a.rulers, t, b, strict=False)]
                inside = [p for p in before if p is not None]
                reached = [(v, a) for v in range(last.extents[OUT])
                           if (a := last.element(last.place(v, b[-1]))) is not None]
                if len(inside) < len(before) or not reached:
                    continue
                ends = []
                for v, a in (reached[0], reached[-1]):
                    row, column = _flat((*t, v), self.outs), _flat((*inside, a), self.grounds)
                    ends.append((row, column) if turned else (column, row))
                (x1, y1), (x2, y2) = ends
                out.append(f"M{x + (x1 + .1) * scale:.1f} {(y1 + .1) * scale:.1f}"
                           f"L{x + (x2 + .9) * scale:.1f} {(y2 + .9) * scale:.1f}")
        return "".join(out)


def _flat(index: Sequence[int], extents: Sequence[int]) -> int:
    found = 0
    for i, n in zip(index, extents, strict=True):
        found = found * n + i
    return found


def _unflat(n: int, extents: Sequence[int]) -> Index:
    found: list[int] = []
    for extent in reversed(extents):
        n, i = divmod(n, extent)
        found.insert(0, i)
    return tuple(found)


def toeplitz(scene: Scene, a: Arrangement, back: Equation, name: str, told: Described) -> Figure | None:
    """T and its transpose; None for a layer without sliding axes, or one too large for its pattern to be seen.

    Args:
        back: the gradient with respect to the ground.
    """
    t = Toeplitz(scene, a, back)
    if not a.rulers or t.rows * t.columns == 1:
        return None
    small = t.rows + t.columns <= SIDES and t.count <= ENTRIES
    if not small and min(t.count - SQUARES, t.lines - MOST) > 0:
        return None
    turned = all(r.spread > 0 for r in a.rulers)
    more = ["toeplitz.turned" if turned else "toeplitz.straight"]
    more += ["toeplitz.pattern"] * (not small) + ["toeplitz.slice"] * bool(a.shared)
    title, text = told.title("toeplitz" if turned else "matrix"), told.text("toeplitz", *map(told.say, more))
    return Figure(name, title, text, document(name, t.cells() if small else t.pattern(), title, text))
