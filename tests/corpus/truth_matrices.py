"""Convolution as a matrix product, for small sizes: every entry as printed."""

from __future__ import annotations

from collections.abc import Callable

from .truth import Array, Conv, fact, span


def times(matrix: list[list[int]], vector: list[int]) -> list[int]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def column(array: Array) -> list[int]:
    return [array[i] for i in array]


@fact("toeplitz-valid")
def _():
    c = Conv(5, 3, base=1)
    a, b, d = column(c.w)
    return [c.out(i) for i in c.delta] == times([[a, b, d, 0, 0], [0, a, b, d, 0], [0, 0, a, b, d]], column(c.x))


@fact("toeplitz-flipped")
def _():
    c = Conv(4, 3, base=1)
    a, b, d = column(c.w)
    return [c.out(i) for i in c.delta] == times([[d, b, a, 0], [0, d, b, a]], column(c.x))


@fact("toeplitz-transpose-gradient")
def _():
    c = Conv(4, 3, base=1)
    a, b, d = column(c.w)
    return [c.dx(m) for m in c.x] == times([[a, 0], [b, a], [d, b], [0, d]], column(c.delta))


@fact("toeplitz-full")
def _():
    h, x = Array("h", 2, base=1), Array("x", 3, base=1)
    y = [sum(h[j] * x[i - j + 1] for j in span(1, 2)) for i in span(1, 4)]
    return y == times([[h[1], 0, 0], [h[2], h[1], 0], [0, h[2], h[1]], [0, 0, h[2]]], column(x))


@fact("im2col-weights")
def _():
    c = Conv(4, 2, base=1)
    a, b, d, e = column(c.x)
    return [c.dw(j) for j in c.w] == times([[a, b, d], [b, d, e]], column(c.delta))


@fact("im2col-row")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    x = c.x
    rows = [[x[1, 1], x[1, 2], x[2, 1], x[2, 2]], [x[1, 2], x[1, 3], x[2, 2], x[2, 3]],
            [x[2, 1], x[2, 2], x[3, 1], x[3, 2]], [x[2, 2], x[2, 3], x[3, 2], x[3, 3]]]  # fmt: skip
    return [c.out(i) for i in c.delta] == times(rows, column(c.w))


@fact("im2col-row-order")
def _():
    c = Conv((2, 3), (2, 2), base=1)
    x = c.x
    rows = [[x[1, 1], x[1, 2], x[2, 1], x[2, 2]], [x[1, 2], x[2, 2], x[1, 3], x[2, 3]]]
    return [c.out(i) for i in c.delta] == times(rows, column(c.w))


def circular(matrix: Callable[[int, int, int], list[list[int]]]) -> bool:
    c, x = column(Array("c", 3)), column(Array("x", 3))
    return [sum(c[(n - m) % 3] * x[m] for m in range(3)) for n in range(3)] == times(matrix(*c), x)


@fact("circulant")
def _():
    return circular(lambda a, b, d: [[a, d, b], [b, a, d], [d, b, a]])


@fact("circulant-transposed")
def _():
    return circular(lambda a, b, d: [[a, b, d], [d, a, b], [b, d, a]])
