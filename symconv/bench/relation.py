"""A kernel of a layer as the relation of its geometry: which of x, w and y is computed from the other two.

The forward pass of a convolution and grad_x of a transposed one are the same sum; peers need know
three sums only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from symconv.bench.layers import KERNELS, Array
from symconv.bench.ours import Task


@dataclass(frozen=True)
class Operands:
    """The arrays of one kernel by their role in the relation.

    Args:
        what: "correlate" (y is computed), "scatter" (x) or "weights" (w).
        sets: x, w and y twice; the second time with another copy of the input `alternates`.
        shape: of the result, for the caller.
    """

    what: str
    sets: tuple[dict[str, Array], dict[str, Array]]
    alternates: str
    shape: tuple[int, ...]

    @property
    def result(self) -> str:
        return {"correlate": "y", "scatter": "x", "weights": "w"}[self.what]

    def shaped(self, a: Array) -> Array:
        return a.reshape(self.shape)


def operands(task: Task, kernel: str) -> Operands:
    """The operands of a kernel, with an array of its own for the result."""
    g = task.geometry
    roles = {"x": "y", "w": "w", "y": "x"} if g.transposed else {"x": "x", "w": "w", "y": "y"}
    names = [n.removeprefix("d") for n in KERNELS[kernel]]
    *given, result = (roles[n] for n in names)
    shapes = dict(zip("xwy", g.shapes, strict=True))
    values = {role: a.reshape(shapes[role]) for role, a in zip(given, task.inputs(kernel), strict=True)}
    values[result] = np.full(shapes[result], np.nan, np.float32)
    alternates = given[task.alternate(kernel)]
    what = {"y": "correlate", "x": "scatter", "w": "weights"}[result]
    return Operands(what, (values, {**values, alternates: values[alternates] + 1}), alternates,
                    task.expected[kernel].shape)
