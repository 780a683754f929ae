"""Arrays with channels, and volumes, as blocks seen at an angle: how deep a window reaches, and what it makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement, Shared
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.scene import Scene, dots
from symconv.lecture.figures.svg import Drawing, Run, letter, number

FACE, LEAST, DEEP = 150.0, 7.0, 66.0  # pixels: the longest edge of a front, the shortest edge, the deepest block
KERNEL = 42.0  # the front of a kernel at least
SLICE = 13.0  # a slice at most
TILT = (.82, -.57)  # where depth goes on paper
COPIES = 3  # kernels drawn
GRID = 16  # cells are drawn up to so many along an edge


@dataclass(frozen=True)
class Block:
    """A block on paper: its front's corner and size, and how deep it is."""

    x: float
    y: float
    w: float
    h: float
    deep: float

    def point(self, right: float, down: float, back: float) -> tuple[float, float]:
        """A point given by shares of the three edges."""
        return (self.x + right * self.w + back * self.deep * TILT[0],
                self.y + down * self.h + back * self.deep * TILT[1])

    def part(self, right: tuple[float, float], down: tuple[float, float], back: tuple[float, float]) -> Block:
        """A block inside, by shares of the edges (from, to)."""
        x, y = self.point(right[0], down[0], back[0])
        return Block(x, y, max(LEAST, (right[1] - right[0]) * self.w), max(LEAST, (down[1] - down[0]) * self.h),
                     max(3.0, (back[1] - back[0]) * self.deep))

    def face(self, *corners: tuple[float, float, float]) -> str:
        return "M" + "L".join(" ".join(map(number, self.point(*c))) for c in corners) + "z"

    def draw(self, d: Drawing, shape: str) -> None:
        """Front, top and right side."""
        for corners in (((0, 0, 0), (1, 0, 0), (1, 0, 1), (0, 0, 1)), ((1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0)),
                        ((0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0))):
            d.path(self.face(*corners), shape, *(self.point(*c) for c in corners))

    def grid(self, d: Drawing, columns: int, rows: int, slices: int) -> None:
        """The lines between cells on the three faces, while they can be told apart."""
        lines: list[tuple[tuple[float, float, float], ...]] = []
        if max(columns, rows) <= GRID:
            lines += [((n / columns, 1, 0), (n / columns, 0, 0), (n / columns, 0, 1)) for n in range(1, columns)]
            lines += [((0, n / rows, 0), (1, n / rows, 0), (1, n / rows, 1)) for n in range(1, rows)]
        if slices <= GRID:
            lines += [((0, 0, n / slices), (1, 0, n / slices), (1, 1, n / slices)) for n in range(1, slices)]
        if lines:
            d.path("".join("M" + "L".join(" ".join(map(number, self.point(*p))) for p in line) for line in lines), "h")


class Blocks:
    """Ground, windows and result as blocks."""

    def __init__(self, scene: Scene, a: Arrangement, symbols: Mapping[str, tuple[str, ...]]) -> None:
        self.scene, self.a, self.symbols = scene, a, symbols
        self.plane = a.rulers[-2:]
        self.deep = self.depth()
        longest = max(e for r in self.plane for e in r.extents)
        self.unit = FACE / longest
        most = max(self.count(w) for w in (GROUND, WINDOW, OUT))
        self.slice = min(SLICE, DEEP / most)
        self.at = [r.extents[OUT] // 2 for r in a.rulers]

    def depth(self) -> dict[int, int | None]:
        """Which axis of each array goes into the paper."""
        if len(self.a.rulers) == 3:
            return dict(enumerate(self.a.rulers[0].axes))
        through = next((s for s in self.a.shared if s.axes[GROUND] is not None and s.axes[WINDOW] is not None), None)
        made = self.copies or through
        return {GROUND: through.axes[GROUND] if through else None, WINDOW: through.axes[WINDOW] if through else None,
                OUT: made.axes[OUT] if made else None}

    @property
    def copies(self) -> Shared | None:
        """The axis that counts kernels: one kernel makes one slice of the result."""
        return next((s for s in self.a.shared if s.axes[OUT] is not None and s.axes[WINDOW] is not None
                     and s.axes[GROUND] is None), None)

    @property
    def carried(self) -> Shared | None:
        """The axis all three share: every slice has a kernel of its own."""
        return next((s for s in self.a.shared if None not in s.axes), None)

    def count(self, which: int) -> int:
        """How many slices a block has."""
        axis = self.deep[which]
        if which == WINDOW and self.carried is not None and self.carried.axes[WINDOW] == axis:
            return 1
        return 1 if axis is None else self.a.tensors[which].extents[axis]

    def block(self, which: int, x: float, middle: float) -> Block:
        rows, columns = (r.extents[which] for r in self.plane)
        unit = max(self.unit, KERNEL / max(rows, columns)) if which == WINDOW else self.unit
        h, w = max(LEAST, rows * unit), max(LEAST, columns * unit)
        return Block(x, middle - h / 2, w, h, self.count(which) * self.slice)

    def touched(self, block: Block) -> Block:
        """The part of the ground that the window covers."""
        spans = []
        for r, t in zip(self.a.rulers, self.at, strict=True):
            ends = [r.place(t, b) / r.scale for b in (0, r.extents[WINDOW] - 1)]
            n = r.extents[GROUND]
            spans.append((max(0.0, min(ends) / n), min(1.0, (max(ends) + 1) / n)))
        back = spans[0] if len(spans) == 3 else (0.0, 1.0)
        if self.carried is not None and len(spans) == 2:
            back = (0.0, 1 / self.count(GROUND))
        return block.part(spans[-1], spans[-2], back)

    def made(self, block: Block) -> Block:
        """The element of the result."""
        spans = [(t / r.extents[OUT], (t + 1) / r.extents[OUT]) for r, t in zip(self.a.rulers, self.at, strict=True)]
        back = spans[0] if len(spans) == 3 else (0.0, 1 / self.count(OUT))
        return block.part(spans[-1], spans[-2], back)

    def drawing(self) -> Drawing:
        d = Drawing()
        middle = FACE / 2
        ground = self.block(GROUND, 0, middle)
        kernels = self.kernels(ground.x + ground.w + ground.deep * TILT[0] + 90, middle)
        out = self.block(OUT, kernels[0].x + kernels[0].w + kernels[0].deep * TILT[0] + 110, middle)
        self.solid(d, GROUND, ground)
        for k in kernels:
            self.solid(d, WINDOW, k)
        self.solid(d, OUT, out)
        covered, element = self.touched(ground), self.made(out)
        for tensor, part in ((self.a.window.tensor, covered), (self.a.equation.output, element)):
            d.add(f'<g class="{self.scene.names.tone(tensor)}">')
            part.draw(d, "f")
            part.draw(d, "v")
            d.add("</g>")
        for start, end in ((covered, kernels[0]), (kernels[0], element)):
            for down in (0, 1):
                (x1, y1), (x2, y2) = start.point(1, down, 0), end.point(0, down, 0)
                d.path(f"M{number(x1)} {number(y1)}L{number(x2)} {number(y2)}", "g", more=' stroke-dasharray="3 3"')
        self.words(d, ground, kernels, out)
        return d

    def kernels(self, x: float, middle: float) -> list[Block]:
        counted = self.copies or self.carried
        number_ = counted.extent if counted else 1
        shown = min(number_, COPIES)
        one = self.block(WINDOW, x, 0)
        step = one.h + one.deep * -TILT[1] + 16
        top = middle - (shown - 1) * step / 2
        return [self.block(WINDOW, x, top + n * step) for n in range(shown)]

    def solid(self, d: Drawing, which: int, block: Block) -> None:
        d.add(f'<g class="{self.scene.names.tone(self.a.tensors[which])}">')
        block.draw(d, "c")
        block.grid(d, self.plane[1].extents[which], self.plane[0].extents[which], self.count(which))
        d.add("</g>")

    def words(self, d: Drawing, ground: Block, kernels: list[Block], out: Block) -> None:
        top = d.top - 34
        for which, block in ((GROUND, ground), (WINDOW, kernels[0]), (OUT, out)):
            tensor = self.a.tensors[which]
            x = block.point(.5, 0, .5)[0]
            d.text(x, top, self.scene.heading(tensor), 16)
            d.text(x, top + 18, self.scene.size(tensor), 12, "soft")
            self.edges(d, which, block if which != WINDOW else kernels[-1])
        counted = self.copies or self.carried
        if counted and counted.extent > COPIES:
            last = kernels[-1]
            dots(d, last.x + last.w / 2, last.y + last.h + 44, upright=True)
        if counted:
            axis = counted.axes[WINDOW]
            last = kernels[-1]
            down = 72 if counted.extent > COPIES else 40
            before, after = self.scene.words.text("figures.kernels", count="\0").split("\0")
            d.text(last.x + last.w / 2, last.y + last.h + down,
                   [Run(before), *self.named(WINDOW, axis), Run(after)], 13, "soft")

    def edges(self, d: Drawing, which: int, block: Block) -> None:
        """The extents beside the edges."""
        axes = [r.axes[which] for r in self.plane]
        d.text(block.x - 8, block.y + block.h / 2 + 5, self.named(which, axes[0]), 13, "soft halo", anchor="end")
        d.text(block.x + block.w / 2, block.y + block.h + 18, self.named(which, axes[1]), 13, "soft halo")
        axis = self.deep[which]
        if axis is not None and self.count(which) > 1:
            x, y = block.point(1, 1, .5)
            d.text(x + 7, y + 12, self.named(which, axis), 13, "soft halo", anchor="start")

    def named(self, which: int, axis: int | None) -> list[Run]:
        """`H = 8`, or the number alone."""
        if axis is None:
            return []
        tensor = self.a.tensors[which]
        symbol = self.symbols.get(tensor.name, ("",) * len(tensor.shape))[axis]
        base, _, low = symbol.partition("_")
        lead = [Run(letter(base), "m"), *[Run(low, "s")] * bool(low), Run(" = ")] if symbol else []
        return [*lead, Run(str(tensor.extents[axis]))]


def blocks(scene: Scene, a: Arrangement, symbols: Mapping[str, tuple[str, ...]], name: str, title: str,
           description: str) -> Figure | None:
    """The blocks of an arrangement with channels or with three sliding axes; None for others.

    Args:
        symbols: what the sizes of each array are called, "" where they are only numbers.
    """
    if not (len(a.rulers) == 3 or (len(a.rulers) == 2 and a.shared)):
        return None
    drawing = Blocks(scene, a, symbols).drawing()
    return Figure(name, title, description, document(name, drawing, title, description))
