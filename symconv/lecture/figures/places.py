"""Where elements stand on the paper: one place after the other, and dots where many are left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

FILL = 2  # a gap of so few places is drawn rather than left out


def some(extent: int, most: int, first: int = 2, last: int = 1) -> tuple[int, ...]:
    """All of 0..extent-1, or the first and the last of them when there are more than `most`."""
    if extent <= most:
        return tuple(range(extent))
    return (*range(first), *range(extent - last, extent))


@dataclass(frozen=True)
class Places:
    """Places along one axis of the paper.

    Args:
        shown: in order, those that are drawn.
        size: of a cell, in pixels.
    """

    shown: tuple[int, ...]
    size: float

    @staticmethod
    def of(places: Iterable[int], size: float) -> Places:
        """Small gaps between the places are drawn as well."""
        found = sorted(set(places))
        full = [p for a, b in pairwise(found) if b - a <= FILL + 1 for p in range(a, b)]
        return Places(tuple(sorted({*found, *full})), size)

    @cached_property
    def at(self) -> dict[int, float]:
        """The left (or upper) edge of each place shown."""
        edges, x = dict[int, float](), 0.0
        for n, p in enumerate(self.shown):
            if n and p - self.shown[n - 1] > 1:
                x += self.dots
            edges[p] = x
            x += self.size
        return edges

    @property
    def dots(self) -> float:
        """The room that dots take."""
        return self.size * .8

    @property
    def gaps(self) -> tuple[float, ...]:
        """The middle of each place left out."""
        return tuple(self.at[b] - self.dots / 2 for a, b in pairwise(self.shown) if b - a > 1)

    @property
    def length(self) -> float:
        return self.at[self.shown[-1]] + self.size if self.shown else 0.0

    @property
    def whole(self) -> bool:
        return not self.gaps
