"""A gradient with two axes, each of one factor: a table with one factor along its rows, the other along its columns."""

from __future__ import annotations

from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement, Shared
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.places import Places, some
from symconv.lecture.figures.scene import Scene, dots
from symconv.lecture.figures.svg import Drawing

CELL, GAP, MOST = 46, 12, 8


def _of(a: Arrangement, which: int, axis: int) -> Shared | None:
    """The shared axis that is this axis of the result, if it belongs to one factor alone."""
    return next((s for s in a.shared if s.axes[OUT] == axis and s.axes[which] is not None
                 and s.axes[GROUND + WINDOW - which] is None), None)


def outer(scene: Scene, a: Arrangement, name: str, title: str, description: str) -> Figure | None:
    """The table of an outer product; None for everything else."""
    if a.rulers or len(a.shared) != 2:
        return None
    rows_of = GROUND if _of(a, GROUND, 0) else WINDOW
    sides = _of(a, rows_of, 0), _of(a, GROUND + WINDOW - rows_of, 1)
    if sides[0] is None or sides[1] is None:
        return None
    d = _table(scene, a, rows_of, (sides[0], sides[1]))
    return Figure(name, title, description, document(name, d, title, description))


def _table(scene: Scene, a: Arrangement, rows_of: int, sides: tuple[Shared, Shared]) -> Drawing:
    d, columns_of = Drawing(), GROUND + WINDOW - rows_of
    rows, columns = (Places.of(some(s.extent, MOST, 3), CELL) for s in sides)
    names, left = scene.names, CELL + GAP

    def cell(which: int, r: int, c: int, x: float, y: float) -> None:
        tensor = a.tensors[which]
        index = a.index(which, (), [r if s is sides[0] else c for s in a.shared])
        d.cell(x, y, CELL, names.classes(tensor, index), *scene.content(tensor, index))

    for r, y in rows.at.items():
        cell(rows_of, r, 0, 0, left + y)
        for c, x in columns.at.items():
            cell(OUT, r, c, left + x, left + y)
    for c, x in columns.at.items():
        cell(columns_of, 0, c, left + x, 0)
    for x in columns.gaps:
        dots(d, left + x, left + rows.length / 2)
    for y in rows.gaps:
        dots(d, left + columns.length / 2, left + y, upright=True)
    d.text(left + columns.length + 14, CELL / 2 + 5, scene.heading(a.tensors[columns_of]), anchor="start")
    d.text(-14, left + rows.length / 2 + 5, scene.heading(a.tensors[rows_of]), anchor="end")
    d.text(left + columns.length + 14, left + rows.length / 2 + 5, scene.heading(a.equation.output), anchor="start")
    return d
