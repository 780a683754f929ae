"""NumPy with views: `sliding_window_view`, then einsum or tensordot. grad_x spreads dy and correlates it in full."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from symconv.bench.layers import Array, Geometry

NAME = "windows"


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    return ""


def ways(g: Geometry) -> list[tuple[str, Any]]:
    """einsum always; tensordot where there is one group."""
    return [("einsum", Windows(g)), *([("tensordot", Products(g))] if g.groups == 1 else [])]


class Windows:
    """Windows as a view of the padded array, (batch, group, channel, *small, *kernel), summed by einsum."""

    def __init__(self, g: Geometry) -> None:
        self.g = g
        self.big, self.kernel, self.small, self.stride, self.dilation, self.low, self.high = map(g.column, range(7))
        self.spans = tuple(d * (k - 1) + 1 for d, k in zip(self.dilation, self.kernel, strict=True))
        rank = len(g.axes)
        self.o, self.k = "opq"[:rank], "uvw"[:rank]
        self.taps: Any = (..., *(slice(None, None, d) for d in self.dilation))
        self.steps: Any = (..., *(slice(None, None, s) for s in self.stride), *self.taps[1:])
        self.reverse: Any = (..., *(slice(None, None, -1),) * rank)
        starts = [span - 1 - lo for span, lo in zip(self.spans, self.low, strict=True)]
        self.room = tuple(b + span - 1 for b, span in zip(self.big, self.spans, strict=True))
        spread = list(zip(starts, self.stride, self.small, self.room, strict=True))
        self.spread: Any = (..., *(slice(max(0, -(-max(0, -at) // s) * s + at), min(room, at + s * (n - 1) + 1), s)
                                   for at, s, n, room in spread))
        self.kept: Any = (..., *(slice(-(-max(0, -at) // s), (min(room, at + s * (n - 1) + 1) - 1 - at) // s + 1)
                                 for at, s, n, room in spread))

    def windows(self, x: Array) -> Array:
        sides = [(0, 0), (0, 0), *zip(self.low, self.high, strict=True)]
        if any(map(any, sides)):
            x = np.pad(x, sides)
        view = sliding_window_view(x, self.spans, tuple(range(2, x.ndim)))[self.steps]
        n, _, *rest = view.shape
        count = len(self.small)  # a floor remainder leaves windows over
        found: Array = view.reshape(n, self.g.groups, self.g.narrow, *rest)[
            (slice(None),) * 3 + tuple(slice(o) for o in self.small) + (slice(None),) * count]
        return found

    def correlate(self, x: Array, w: Array) -> Array:
        g, o, k = self.g, self.o, self.k
        found: Array = np.einsum(f"ngc{o}{k},gfc{k}->ngf{o}", self.windows(x),
                                 w.reshape(g.shapes[1]), optimize=True)
        return found.reshape(g.shapes[2])

    def weights(self, x: Array, dy: Array) -> Array:
        g, o, k = self.g, self.o, self.k
        found: Array = np.einsum(f"ngc{o}{k},ngf{o}->gfc{k}", self.windows(x),
                                 dy.reshape(g.batch, g.groups, g.wide, *self.small), optimize=True)
        return found.reshape(-1, *g.shapes[1][2:])

    def spread_windows(self, dy: Array) -> Array:
        """Windows of dy with zeros between and around, so that a flipped kernel over them gives dx."""
        g = self.g
        room = np.zeros((g.batch, g.groups, g.wide, *self.room), dy.dtype)
        room[self.spread] = dy.reshape(g.batch, g.groups, g.wide, *self.small)[self.kept]
        view: Array = sliding_window_view(room, self.spans, tuple(range(3, room.ndim)))[self.taps]
        return view

    def flipped(self, w: Array) -> Array:
        found: Array = w.reshape(self.g.shapes[1])[self.reverse]
        return found

    def scatter(self, dy: Array, w: Array) -> Array:
        o, k = self.o, self.k
        found: Array = np.einsum(f"ngf{o}{k},gfc{k}->ngc{o}", self.spread_windows(dy), self.flipped(w), optimize=True)
        return found.reshape(self.g.shapes[0])


class Products(Windows):
    """The same windows with tensordot, for one group."""

    def __init__(self, g: Geometry) -> None:
        super().__init__(g)
        rank = len(g.axes)
        self.inner, self.outer = tuple(range(1 + rank, 1 + 2 * rank)), tuple(range(2, 2 + rank))
        self.of_w = tuple(range(2, 2 + rank))

    def correlate(self, x: Array, w: Array) -> Array:
        view, w = self.windows(x)[:, 0], w.reshape(self.g.shapes[1])[0]
        axes = (1, *(1 + a for a in self.inner))
        return np.moveaxis(np.tensordot(view, w, (axes, (1, *self.of_w))), -1, 1)

    def weights(self, x: Array, dy: Array) -> Array:
        view, rank = self.windows(x)[:, 0], len(self.kernel)
        found = np.tensordot(dy, view, ((0, *self.outer), (0, *range(2, 2 + rank))))
        return found

    def scatter(self, dy: Array, w: Array) -> Array:
        view, w = self.spread_windows(dy)[:, 0], self.flipped(w)[0]
        axes = (1, *(1 + a for a in self.inner))
        return np.moveaxis(np.tensordot(view, w, (axes, (0, *self.of_w))), -1, 1)
