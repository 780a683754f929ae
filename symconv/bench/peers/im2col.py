"""NumPy as most write it: unfold the windows into columns (im2col), then one matrix product."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import Any

import numpy as np

from symconv.bench.layers import Array, Geometry

NAME = "im2col"


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    return ""


def ways(g: Geometry) -> list[tuple[str, Any]]:
    """What computes y, x and w from the others; where x is one window there is a matrix product and no more."""
    return [("matmul", Matmul(g))] if g.shapes[0][2:] == g.shapes[1][3:] == (1,) else [("", Im2col(g))]


class Matmul:
    """A fully connected layer."""

    def __init__(self, g: Geometry) -> None:
        self.x, self.w, self.y = (g.batch, -1), (g.wide, g.narrow), (g.batch, -1)

    def correlate(self, x: Array, w: Array) -> Array:
        found: Array = x.reshape(self.x) @ w.reshape(self.w).T
        return found

    def scatter(self, dy: Array, w: Array) -> Array:
        found: Array = dy.reshape(self.y) @ w.reshape(self.w)
        return found

    def weights(self, x: Array, dy: Array) -> Array:
        found: Array = dy.reshape(self.y).T @ x.reshape(self.x)
        return found


class Im2col:
    """The usual implementation: unfold once, then matrix products; grad_x folds back by slices.

    Where a window is one element there is nothing to unfold.
    """

    def __init__(self, g: Geometry) -> None:
        big, kernel, small, stride, dilation, low, high = map(g.column, range(7))
        n, narrow, wide, k = g.batch, g.groups * g.narrow, g.groups * g.wide, prod(kernel)
        sides = list(zip(low, high, strict=True))
        self.padded: tuple[int, ...] = (n, narrow, *(lo + h + hi for h, (lo, hi) in zip(big, sides, strict=True)))
        self.inside: Any = (..., *(slice(lo, lo + h) for h, (lo, _) in zip(big, sides, strict=True)))
        self.pads = any(lo or hi for lo, hi in sides)
        self.unfolds = k > 1 or max(stride) > 1 or self.pads
        self.taps: list[tuple[Any, Any]] = [((slice(None), slice(None), *tap), (..., *(
            slice(d * t, d * t + s * (o - 1) + 1, s) for t, s, d, o in zip(tap, stride, dilation, small, strict=True))))
            for tap in product(*map(range, kernel))]
        self.cols = (n, narrow, *kernel, *small)
        self.flat = (n, g.groups, g.narrow * k, prod(small))
        self.y, self.w = (n, g.groups, g.wide, self.flat[-1]), (g.groups, g.wide, g.narrow * k)
        self.y_shape, self.w_shape = (n, wide, *small), (wide, g.narrow, *kernel)

    def unfold(self, x: Array) -> Array:
        if not self.unfolds:
            return x.reshape(self.flat)
        if self.pads:
            padded = np.zeros(self.padded, x.dtype)
            padded[self.inside] = x
            x = padded
        cols = np.empty(self.cols, x.dtype)
        for tap, place in self.taps:
            cols[tap] = x[place]
        return cols.reshape(self.flat)

    def correlate(self, x: Array, w: Array) -> Array:
        found: Array = w.reshape(self.w) @ self.unfold(x)
        return found.reshape(self.y_shape)

    def scatter(self, dy: Array, w: Array) -> Array:
        cols = w.reshape(self.w).swapaxes(-1, -2) @ dy.reshape(self.y)
        if not self.unfolds:
            return cols.reshape(self.padded)
        cols = cols.reshape(self.cols)
        dx: Array = np.zeros(self.padded, dy.dtype)
        for tap, place in self.taps:
            dx[place] += cols[tap]
        found: Array = dx[self.inside]
        return found

    def weights(self, x: Array, dy: Array) -> Array:
        each = dy.reshape(self.y) @ self.unfold(x).swapaxes(-1, -2)
        total: Array = each[0] if len(each) == 1 else each.sum(0)
        return total.reshape(self.w_shape)
