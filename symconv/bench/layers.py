"""The layers to measure, and what each of their kernels computes at least."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from symconv.errors import NotSupported, SymconvError
from symconv.layer import Conv, Dense
from symconv.options import layers_from_toml, named_layer

Array = NDArray[np.float32]
HERE = Path(__file__).resolve().parent
KERNELS = {"forward": ("x", "w", "y"), "grad_w": ("x", "dy", "dw"), "grad_x": ("w", "dy", "dx")}


@dataclass(frozen=True)
class Geometry:
    """A layer as a relation between a big array x, a small one y, and weights: y sums x * w over a window.

    A convolution computes y; a transposed one computes x from y. A fully connected layer has a
    window of one element. Every axis is (x extent, kernel, y extent, stride, dilation, low, high).
    """

    batch: int
    groups: int
    narrow: int  # channels of one group in x
    wide: int  # channels of one group in y
    axes: tuple[tuple[int, int, int, int, int, int, int], ...]
    transposed: bool = False

    @staticmethod
    def of(layer: Conv | Dense) -> Geometry:
        """Raises NotSupported for what peers have no part in: a bias, an activation, a flipped kernel."""
        if layer.bias or layer.activation or getattr(layer, "flip", False):
            raise NotSupported("bench compares the sums of a layer: leave bias, activation and flip out")
        if isinstance(layer, Dense):
            return Geometry(layer.batch, 1, layer.inputs, layer.outputs, ((1, 1, 1, 1, 1, 0, 0),))
        axes = []
        for a in layer.axes:
            big, small = (a.output, a.input) if a.transposed else (a.input, a.output)
            axes.append((big, a.kernel, small, a.stride, a.dilation, a.low, a.high))
        narrow, wide = layer.channels // layer.groups, layer.filters // layer.groups
        if layer.transposed:
            narrow, wide = wide, narrow
        return Geometry(layer.batch, layer.groups, narrow, wide, tuple(axes), layer.transposed)

    def column(self, n: int) -> tuple[int, ...]:
        return tuple(a[n] for a in self.axes)

    @property
    def shapes(self) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Of x, w (groups in front) and y."""
        return ((self.batch, self.groups * self.narrow, *self.column(0)),
                (self.groups, self.wide, self.narrow, *self.column(1)),
                (self.batch, self.groups * self.wide, *self.column(2)))

    @property
    def rank_of_images(self) -> bool:
        """Two or three spatial axes: where libraries know an order with the channels last."""
        return len(self.axes) > 1

    @property
    def operations(self) -> int:
        """Two for each product and its sum, as libraries count them: with those on padding."""
        return 2 * self.batch * self.groups * self.narrow * self.wide * prod(self.column(1)) * prod(self.column(2))

    @property
    def bytes(self) -> int:
        """What has to be read or written at least once, in float32; the same for all three kernels."""
        return 4 * sum(map(prod, self.shapes))


@dataclass(frozen=True)
class Measured:
    """A layer to measure, by the name to show."""

    name: str
    layer: Conv | Dense
    sets: tuple[str, ...] = ()

    @property
    def geometry(self) -> Geometry:
        return Geometry.of(self.layer)


def read_layers(path: Path | None = None, chosen: str = "all") -> list[Measured]:
    """The layers of a TOML file, or of ours; all of them or one set.

    Raises:
        SymconvError: the file cannot be read, or there is no such set.
        ShapeError: a table makes no layer; NotSupported: peers have no part in it.
    """
    found = []
    for table in layers_from_toml(path or HERE / "layers.toml"):
        layer = named_layer({k: v for k, v in table.items() if k not in ("name", "sets")})
        Geometry.of(layer)
        found.append(Measured(str(table.get("name", layer.name)), layer, tuple(table.get("sets", ()))))
    known = dict.fromkeys(s for m in found for s in m.sets)
    if chosen != "all" and chosen not in known:
        raise SymconvError(f"there is no set {chosen!r} of layers; known: {', '.join(['all', *known])}")
    return [m for m in found if chosen in ("all", *m.sets)]


def small_integers(shapes: Mapping[str, tuple[int, ...]], operations: int, outputs: int) -> dict[str, Array]:
    """Arrays whose sums of products are exact in float32."""
    most = max(1, min(9, int((2**23 * 2 * outputs / operations) ** 0.5)))
    rng = np.random.default_rng(0)
    return {n: rng.integers(-most, most, shape, endpoint=True).astype(np.float32) for n, shape in shapes.items()}
