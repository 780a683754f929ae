"""Two rows of elements and the lines between them: which of one row reaches which of the other, through what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from symconv.expand import Index
from symconv.lecture.figures.arrangement import GROUND, OUT, WINDOW, Arrangement, Shared
from symconv.lecture.figures.places import some
from symconv.lecture.figures.scene import ground, outs, steps

Ends = dict[int, float]


class Line(NamedTuple):
    """Element `a` of the ground goes into element `t` of the result, times one element of the window."""

    a: int
    t: int
    window: Index


@dataclass(frozen=True)
class Rows:
    """The one axis of ground and result that is shown, as places on paper.

    Args:
        above, below: left edge of each element of the ground and of the result, in cells.
        steps: the elements of the result to go through.
    """

    arrangement: Arrangement
    above: Ends
    below: Ends
    steps: tuple[int, ...]

    def index(self, which: int, n: int) -> Index:
        """The whole index of an element of a row."""
        a = self.arrangement
        if a.rulers:
            return a.index(which, (n,))
        return a.index(which, (), [n if _shown(s, which) else 0 for s in a.shared])

    def hidden(self, which: int) -> list[int]:
        """Axes of which only the first slice is shown."""
        a = self.arrangement
        return [axis for s in a.shared if (axis := s.axes[which]) is not None
                and (bool(a.rulers) or not _shown(s, which))]

    def lines(self, t: int) -> list[Line]:
        """What goes into one element of the result, from the equation; first slices only."""
        a = self.arrangement
        found = [Line(self.along(here), t, window) for here, window in a.meetings(self.index(OUT, t))]
        if not a.rulers:
            return found
        shown = {a.index(WINDOW, (b,)) for b in range(a.rulers[0].extents[WINDOW])}
        return [line for line in found if line.window in shown]

    def along(self, here: Index) -> int:
        """Where in its row an element of the ground stands."""
        if self.arrangement.rulers:
            return here[self.arrangement.rulers[0].axes[GROUND]]
        return next(here[axis] for s in self.arrangement.shared if s.summed and (axis := s.axes[GROUND]) is not None)


def _shown(s: Shared, which: int) -> bool:
    """Without rulers: is this the axis that a row shows?"""
    return s.axes[which] is not None and s.axes[OUT + GROUND - which] is None


def rows(a: Arrangement, most: int = 9) -> Rows | None:
    """Two rows for an arrangement with one axis on each side; None for others."""
    if len(a.rulers) == 1:
        return _along_ruler(a, most)
    over = [s for s in a.shared if s.axes[OUT] is not None and s.axes[GROUND] is None]
    summed = [s for s in a.shared if s.axes[OUT] is None and s.axes[GROUND] is not None]
    if a.rulers or len(over) != 1 or len(summed) != 1:
        return None
    below, above = some(over[0].extent, most, 3, 2), some(summed[0].extent, most, 3, 2)
    wide = max(_width(below), _width(above))
    return Rows(a, _spread(above, wide), _spread(below, wide), below)


def _along_ruler(a: Arrangement, most: int) -> Rows:
    r = a.rulers[0]
    going = [t for t, in steps(a)]
    shown = outs(r, going) if r.extents[OUT] <= most else tuple(sorted({*going, *some(r.extents[OUT], most, 4, 2)}))
    places = ground(r, shown, range(r.extents[WINDOW]), 1.0, most)
    at = {t: [places.at[p] for b in range(r.extents[WINDOW]) if (p := r.place(t, b)) in places.at] for t in shown}
    above = {e: places.at[p] for p in places.shown if (e := r.element(p)) is not None}
    below = {t: sum(found) / len(found) for t, found in at.items()}
    return Rows(a, above, below, shown)


def _width(shown: Sequence[int]) -> float:
    return len(shown) + sum(b - a > 1 for a, b in pairwise(shown)) * .8


def _spread(shown: Sequence[int], wide: float) -> Ends:
    x, found = (wide - _width(shown)) / 2, dict[int, float]()
    for n, element in enumerate(shown):
        x += .8 * (n > 0 and element - shown[n - 1] > 1)
        found[element] = x
        x += 1
    return found
