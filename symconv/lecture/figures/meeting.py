"""Any small equation: its arrays side by side, and in each the elements that meet in one element of the result."""

from __future__ import annotations

from itertools import product

from symconv.equation import Equation, Tensor
from symconv.expand import Index, monomials
from symconv.lecture.figures.scene import CELLS, STEPS, Part, Scene, Shown
from symconv.lecture.figures.svg import Drawing, number, width

MOST, WIDE, BETWEEN = 10, 800, 48  # extents; pixels


def _shape(tensor: Tensor) -> tuple[int, int]:
    """Rows and columns; an array with one axis is a column."""
    rows, columns, *_ = (*tensor.extents, 1, 1)
    return rows, columns


def can_meet(equation: Equation) -> bool:
    """Is everything small enough to be drawn, and is there more to see than one element made of its like?"""
    tensors = (equation.output, *equation.reads)
    flat = all(len(t.shape) <= 2 and max(_shape(t)) <= MOST and min(_shape(t)) > 0 for t in tensors)
    same = all(f.indices == equation.left.indices for t in equation.terms for f in t.factors)
    return flat and not same and bool(equation.reads)


class Meeting:
    """The arrays on paper, the result last."""

    def __init__(self, scene: Scene, equation: Equation) -> None:
        self.scene, self.equation, self.output = scene, equation, equation.output
        self.tensors = [*equation.reads, equation.output]
        every = list(product(*map(range, self.output.extents)))
        apart = -(-len(every) // STEPS)
        self.steps: list[Index] = [*every[:-1:apart], every[-1]]
        heads = [width(scene.heading(t), 16) for t in self.tensors]
        for self.cell in CELLS:
            wide = [max(h, _shape(t)[1] * self.cell) for h, t in zip(heads, self.tensors, strict=True)]
            if sum(wide) + BETWEEN * len(wide) <= WIDE:
                break
        self.tall = max(_shape(t)[0] for t in self.tensors) * self.cell
        self.corner: dict[str, tuple[float, float]] = {}
        x = 0.0
        for t, room in zip(self.tensors, wide, strict=True):
            rows, columns = _shape(t)
            self.corner[t.name] = x + (room - columns * self.cell) / 2, (self.tall - rows * self.cell) / 2
            x += room + BETWEEN
        self.right = x - BETWEEN

    @property
    def dotted(self) -> bool:
        return False

    def at(self, tensor: Tensor, index: Index) -> tuple[float, float]:
        """The upper left corner of an element."""
        x, y = self.corner[tensor.name]
        row, column = (*index, 0, 0)[:2]
        return x + column * self.cell, y + row * self.cell

    def still(self) -> Drawing:
        """The arrays; the result without its numbers."""
        d = Drawing()
        for t in self.tensors:
            x, y = self.corner[t.name]
            for index in product(*map(range, t.extents)):
                runs, value = self.scene.content(t, index)
                left, top = self.at(t, index)
                d.cell(left, top, self.cell, self.scene.names.classes(t, index), [] if value else runs,
                       value if t is not self.output else "", square=True)
            d.text(x + _shape(t)[1] * self.cell / 2, y - 12, self.scene.heading(t), 16)
        x = self.corner[self.output.name][0] - BETWEEN / 2
        d.path(f"M{number(x - 10)} {number(self.tall / 2)}h18m-6 -5l6 5l-6 5", "g")
        return d

    def numbers(self) -> list[Shown]:
        """The number of each result and where it stands."""
        found = []
        for index in product(*map(range, self.output.extents)):
            x, y = self.at(self.output, index)
            text = self.scene.values.text(self.output, index)
            found.append(Shown(index, x + self.cell / 2, y + self.cell * .62, round(self.cell * .36, 1), text))
        return found

    def parts(self, at: Index) -> dict[str, Part]:
        """Marks around what meets, and around what it makes."""
        d = Drawing()
        met = dict.fromkeys((f.tensor, i) for _, m in monomials(self.equation, at) for f, i in m.factors)
        for t, index in [*met, (self.output, at)]:
            x, y = self.at(t, index)
            d.add(f'<g class="{self.scene.names.tone(t)}">')
            d.rect(x, y, self.cell, self.cell, "o", 3)
            d.add("</g>")
        return {"marks": Part(d, 0, 0)}

    @property
    def below(self) -> tuple[float, float]:
        """Where sums are written."""
        return self.right / 2, self.tall + 34
