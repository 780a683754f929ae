"""Emitted NumPy kernels against im2col plus matrix product, timed in turns in one process.

BLAS has to run on one thread for the comparison to mean anything: start Python with
OPENBLAS_NUM_THREADS=1 (it is read when NumPy loads), as `python -m symconv.bench` does itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import exp, log
from statistics import median
from time import process_time
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from symconv import numpy_target
from symconv.derivation import derive
from symconv.errors import SymconvError
from symconv.layer import Conv, Dense

Array = NDArray[np.float32]
Kernel = Callable[..., Array]
KERNELS = ("forward", "grad_x", "grad_w")


@dataclass(frozen=True, slots=True)
class Row:
    """Median microseconds of processor time of one kernel and of its peer."""

    layer: str
    kernel: str
    ours: float
    peer: float

    @property
    def speedup(self) -> float:
        return self.peer / self.ours


def default_layers() -> list[Conv | Dense]:
    """From a lecture's first example to the layers of image networks."""
    return [
        Conv(32, 3),
        Conv((28, 28), (3, 3), filters=8),
        Conv((8, 8), (3, 3), 8, 16),
        Conv((28, 28), (5, 5), 1, 6, padding=2),
        Conv((14, 14), (5, 5), 6, 16),
        Conv((32, 32), (3, 3), 16, 16, padding=1),
        Conv((32, 32), (3, 3), 16, 32, stride=2, padding=1),
        Conv((25, 5), (3, 3), 64, 64, padding=1, groups=64),
        Conv((14, 14), (3, 3), 512, 512, padding=1, groups=512),
        Conv((25, 5), (1, 1), 64, 64),
        Conv((14, 14), (1, 1), 512, 512),
        Conv((56, 56), (3, 3), 64, 64, padding=1),
        Conv((28, 28), (3, 3), 128, 128, padding=1),
        Conv((224, 224), (7, 7), 3, 64, stride=2, padding=3),
        Conv((28, 28), (3, 3), 64, 64, padding=1, groups=4),
        Conv((32, 32), (3, 3), 16, 32, padding=2, dilation=2),
        Conv((8, 16, 16), (3, 3, 3), 8, 16, padding=1),
        Conv((14, 14), (4, 4), 64, 32, stride=2, padding=1, transposed=True),
        Conv((28, 28), (3, 3), 16, 32, padding=1, batch=8),
        Conv(1000, 9, 16, 16, padding=4),
        Dense(784, 100),
        Dense(784, 100, batch=32),
    ]


def _whole(value: Any) -> tuple[int, ...]:
    return tuple(int(v) for v in value)


class Im2col:
    """The usual implementation: unfold once, then matrix products; grad_x folds back by slices.

    A transposed convolution is the same with x and y in each other's place.
    """

    def __init__(self, layer: Conv) -> None:
        kernel, stride, dilation = _whole(layer.kernel), _whole(layer.stride), _whole(layer.dilation)
        small, big = _whole(layer.output), _whole(layer.input)
        small, big = (big, small) if layer.transposed else (small, big)
        narrow, wide = (layer.filters, layer.channels) if layer.transposed else (layer.channels, layer.filters)
        n, g, k = layer.batch, layer.groups, int(np.prod(kernel))
        sides: list[tuple[int, int]] = [tuple(side) for side in layer.padding]  # type: ignore[arg-type,union-attr]
        self.padded: tuple[int, ...] = (n, narrow, *(lo + h + hi for h, (lo, hi) in zip(big, sides, strict=True)))
        self.inside: Any = (..., *(slice(lo, lo + h) for h, (lo, _) in zip(big, sides, strict=True)))
        self.pads = any(lo or hi for lo, hi in sides)
        self.unfolds = k > 1 or max(stride) > 1 or self.pads
        self.taps: list[tuple[Any, Any]] = [((slice(None), slice(None), *tap), (..., *(
            slice(d * t, d * t + s * (o - 1) + 1, s) for t, s, d, o in zip(tap, stride, dilation, small, strict=True))))
            for tap in product(*map(range, kernel))]
        self.cols = (n, narrow, *kernel, *small)
        self.flat = (n, g, narrow // g * k, int(np.prod(small)))
        self.y, self.w = (n, g, wide // g, self.flat[-1]), (g, wide // g, narrow // g * k)
        self.y_shape, self.w_shape = (n, wide, *small), (wide, narrow // g, *kernel)

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

    def grad_w(self, x: Array, dy: Array) -> Array:
        each = dy.reshape(self.y) @ self.unfold(x).swapaxes(-1, -2)
        total: Array = each[0] if len(each) == 1 else each.sum(0)
        return total.reshape(self.w_shape)


def peers(layer: Conv | Dense) -> dict[str, Kernel]:
    """forward(x, w), grad_x(w, dy) and grad_w(x, dy) as a careful author writes them by hand."""
    if isinstance(layer, Dense):
        return {"forward": lambda x, w: x @ w.T, "grad_x": lambda w, dy: dy @ w, "grad_w": lambda x, dy: dy.T @ x}
    made = Im2col(layer)
    if layer.transposed:
        return {"forward": made.scatter, "grad_x": lambda w, dy: made.correlate(dy, w),
                "grad_w": lambda x, dy: made.grad_w(dy, x)}
    return {"forward": made.correlate, "grad_x": lambda w, dy: made.scatter(dy, w), "grad_w": made.grad_w}


def compare_numpy(layers: Iterable[Conv | Dense], repeats: int = 15) -> list[Row]:
    """Time forward, grad_x and grad_w of every layer, after checking that both agree exactly.

    Raises:
        SymconvError: a kernel and its peer differ on small integers, where float32 is exact.
    """
    return [row for layer in layers for row in _compare(layer, repeats)]


def _compare(layer: Conv | Dense, repeats: int) -> list[Row]:
    d = derive(layer)
    functions = [f.at(dict(d.system.sizes)) for f in d.functions if f.name in KERNELS]
    tensors = {t.name: t for f in functions for t in (*f.arguments, f.equation.output)}
    source = numpy_target.render(functions, dict.fromkeys(tensors, "float32"), header=d.system.name)
    module = ModuleType(d.system.name)
    exec(compile(source, d.system.name, "exec"), module.__dict__)  # our own text, rendered above
    rng = np.random.default_rng(0)
    arrays = {name: rng.integers(-3, 4, t.array_shape).astype(np.float32) for name, t in tensors.items()}
    other = peers(layer)
    rows = []
    for f in functions:
        arguments = [arrays[t.name] for t in f.arguments]
        pair = getattr(module, f.name), other[f.name]
        if not np.array_equal(pair[0](*arguments), pair[1](*arguments)):
            raise SymconvError(f"{f.name} of {layer} differs from im2col")
        ours, peer = _time(pair, arguments, repeats)
        rows.append(Row(d.system.name, f.name, ours, peer))
    return rows


def _time(kernels: Sequence[Kernel], arguments: Sequence[Array], repeats: int) -> list[float]:
    """Median microseconds of processor time of each, called in turns so that both see the same machine."""
    start = process_time()
    for k in kernels:
        k(*arguments)
    calls = max(1, int(0.004 / max(process_time() - start, 1e-6)))
    times: list[list[float]] = [[] for _ in kernels]
    for turn in range(repeats):
        order = list(enumerate(kernels))
        for at, k in order if turn % 2 else reversed(order):
            start = process_time()
            for _ in range(calls):
                k(*arguments)
            times[at].append((process_time() - start) / calls * 1e6)
    return [median(t) for t in times]


def geometric_mean(rows: Sequence[Row]) -> float:
    return exp(sum(log(r.speedup) for r in rows) / len(rows))


def table(rows: Sequence[Row]) -> Table:
    """For a terminal, with the geometric mean and the worst row below."""
    worst = min(rows, key=lambda r: r.speedup)
    shown = Table("layer", "kernel", "ours, us", "im2col, us", "speed-up", title="NumPy kernels, one thread",
                  caption=f"geometric mean {geometric_mean(rows):.2f}, worst {worst.speedup:.2f} "
                          f"({worst.layer}, {worst.kernel})")
    for r in rows:
        shown.add_row(r.layer, r.kernel, f"{r.ours:.1f}", f"{r.peer:.1f}", f"{r.speedup:.2f}")
    return shown
