"""scipy.signal: one correlation a sample and channel; where a window has neither stride nor dilation."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from symconv.bench.layers import Array, Geometry
from symconv.bench.peers.windows import Windows

NAME = "scipy.signal"


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    return "" if find_spec("scipy") else "scipy is not installed"


def ways(g: Geometry) -> list[tuple[str, Any]]:
    """One way, which chooses between products and Fourier transforms itself; none for other layers."""
    plain = all(s == d == 1 for s, d in zip(g.column(3), g.column(4), strict=True)) and max(g.column(1)) > 1
    return [("", Signals(g))] if plain else []


class Signals:
    """A correlation of (channels, *spatial) arrays that leaves one channel: the sum over channels."""

    def __init__(self, g: Geometry) -> None:
        from scipy.signal import correlate

        self.g, self.run = g, correlate
        self.places = Windows(g)
        self.sides = [(0, 0), (0, 0), *zip(g.column(5), g.column(6), strict=True)]

    def _all(self, arrays: Array, kernels: Array) -> Array:
        """(n, g, channels, *big) and (g, kernels, channels, *small) to (n, g, kernels, *places)."""
        return np.array([[[self.run(a, k, "valid")[0] for k in ks] for a, ks in zip(sample, kernels, strict=True)]
                         for sample in arrays], arrays.dtype)

    def correlate(self, x: Array, w: Array) -> Array:
        g = self.g
        padded = np.pad(x, self.sides)
        grouped = padded.reshape(g.batch, g.groups, g.narrow, *padded.shape[2:])
        return self._all(grouped, w.reshape(g.shapes[1])).reshape(g.shapes[2])

    def scatter(self, dy: Array, w: Array) -> Array:
        g = self.g
        room = np.zeros((g.batch, g.groups, g.wide, *self.places.room), dy.dtype)
        room[self.places.spread] = dy.reshape(g.batch, g.groups, g.wide, *self.places.small)[self.places.kept]
        return self._all(room, self.places.flipped(w).swapaxes(1, 2)).reshape(g.shapes[0])

    def weights(self, x: Array, dy: Array) -> Array:
        g = self.g
        padded = np.pad(x, self.sides)
        left = padded.reshape(g.batch, g.groups, g.narrow, *padded.shape[2:])
        right = dy.reshape(g.batch, g.groups, g.wide, *g.column(2))
        found = np.array([[[sum(self.run(left[n, a, c], right[n, a, f], "valid") for n in range(g.batch))
                            for c in range(g.narrow)] for f in range(g.wide)] for a in range(g.groups)], x.dtype)
        return found.reshape(-1, *g.shapes[1][2:])
