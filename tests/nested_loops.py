"""Convolution and dense layers as nested loops over a layer's arguments, in plain Python integers.

No equation is read and nothing of symconv but the arguments of Conv and Dense: a second, independent
statement of what a layer computes. Gradients scatter inside the very loops of the forward.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np


def windows(size: int, kernel: int, stride: int, dilation: int, low: int, high: int) -> int:
    """How many windows fit: count their starts."""
    padded, span = low + size + high, dilation * (kernel - 1) + 1
    return sum(1 for start in range(0, padded, stride) if start + span <= padded)


def transposed_places(size: int, kernel: int, stride: int, dilation: int, low: int, high: int, extra: int) -> int:
    """The places the inputs reach, less what is cut off, plus what is added."""
    last = max(stride * v + dilation * q for v in range(size) for q in range(kernel))
    return last + 1 - low - high + extra


def output_shape(layer) -> tuple[int, ...]:
    axes = zip(layer.input, layer.kernel, layer.stride, layer.dilation, layer.padding, layer.output_padding,
               strict=True)
    if layer.transposed:
        spatial = [transposed_places(h, k, s, d, lo, hi, e) for h, k, s, d, (lo, hi), e in axes]
    else:
        spatial = [windows(h, k, s, d, lo, hi) for h, k, s, d, (lo, hi), _ in axes]
    return (layer.batch, layer.filters, *spatial)


def input_shape(layer) -> tuple[int, ...]:
    return (layer.batch, layer.channels, *layer.input)


def weight_shape(layer) -> tuple[int, ...]:
    rows, columns = (layer.channels, layer.filters) if layer.transposed else (layer.filters, layer.channels)
    return (rows, columns // layer.groups, *layer.kernel)


def products(layer) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """(place in y, place in w, place in x) of every product the layer adds up."""
    per_c, per_f = layer.channels // layer.groups, layer.filters // layer.groups
    from_shape = layer.input if layer.transposed else output_shape(layer)[2:]
    limits = output_shape(layer)[2:] if layer.transposed else layer.input
    ranges = [range(layer.batch), range(layer.groups), range(per_c), range(per_f)]
    for n, g, c, f in product(*ranges):
        channel, filter_ = g * per_c + c, g * per_f + f
        pair = (channel, f) if layer.transposed else (filter_, c)
        for start, tap in product(product(*map(range, from_shape)), product(*map(range, layer.kernel))):
            place = tuple(v * s + q * d - lo for v, q, s, d, (lo, _) in
                          zip(start, tap, layer.stride, layer.dilation, layer.padding, strict=True))
            if any(p < 0 or p >= limit for p, limit in zip(place, limits, strict=True)):
                continue
            if layer.flip:
                tap = tuple(k - 1 - q for q, k in zip(tap, layer.kernel, strict=True))
            x, y = (start, place) if layer.transposed else (place, start)
            yield (n, filter_, *y), (*pair, *tap), (n, channel, *x)


def forward(layer, x, w, b=None) -> np.ndarray:
    y = np.zeros(output_shape(layer), np.int64)
    for to, at_w, at_x in products(layer):
        y[to] += w[at_w] * x[at_x]
    return y if b is None else y + b.reshape(1, -1, *[1] * layer.rank)


def gradients(layer, x, w, dy) -> dict[str, np.ndarray]:
    dx, dw = np.zeros(input_shape(layer), np.int64), np.zeros(weight_shape(layer), np.int64)
    for to, at_w, at_x in products(layer):
        dx[at_x] += w[at_w] * dy[to]
        dw[at_w] += x[at_x] * dy[to]
    found = {"x": dx, "w": dw}
    if layer.bias:
        found["b"] = np.array([dy[:, f].sum() for f in range(layer.filters)])
    return found


def dense(layer, x, w, b=None) -> np.ndarray:
    y = np.zeros((layer.batch, layer.outputs), np.int64)
    for n, i, j in product(range(layer.batch), range(layer.outputs), range(layer.inputs)):
        y[n, i] += w[i, j] * x[n, j]
    return y if b is None else y + b


def dense_gradients(layer, x, w, dy) -> dict[str, np.ndarray]:
    dx, dw = np.zeros((layer.batch, layer.inputs), np.int64), np.zeros((layer.outputs, layer.inputs), np.int64)
    for n, i, j in product(range(layer.batch), range(layer.outputs), range(layer.inputs)):
        dx[n, j] += w[i, j] * dy[n, i]
        dw[i, j] += x[n, j] * dy[n, i]
    return {"x": dx, "w": dw} | ({"b": dy.sum(axis=0)} if layer.bias else {})
