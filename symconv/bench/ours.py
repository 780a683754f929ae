"""The kernels that `symconv.build` hands out: one layer of bench, with its arrays and what they give."""

from __future__ import annotations

from functools import cached_property
from math import prod

import numpy as np

from symconv.bench.layers import KERNELS, Array, Geometry, Measured, small_integers
from symconv.bench.turns import Entrant, places
from symconv.calls import CCall, Workspace
from symconv.kernels import Kernels, build

NAME = "symconv"


class Task:
    """One layer to measure: its kernels, arrays of small integers, and the results that all have to give."""

    def __init__(self, measured: Measured) -> None:
        self.measured, self.geometry = measured, Geometry.of(measured.layer)
        self.kernels: Kernels = build(measured.layer)
        slots = {s.name: s.shape for c in self.kernels.calls.values() for s in c.takes}
        outputs = min(prod(s) for s in slots.values())
        self.arrays = small_integers(slots, self.geometry.operations, outputs)

    def inputs(self, kernel: str) -> tuple[Array, ...]:
        return tuple(self.arrays[n] for n in KERNELS[kernel][:-1])

    def alternate(self, kernel: str) -> int:
        """Which input is the smallest: timing takes two copies of it in turn."""
        sizes = [a.size for a in self.inputs(kernel)]
        return sizes.index(min(sizes))

    @cached_property
    def expected(self) -> dict[str, Array]:
        """What each kernel has to give: our results, which `build` compared with the oracle, as integers."""
        return {k: np.rint(getattr(self.kernels, k)(*self.inputs(k))) for k in KERNELS}

    @cached_property
    def scale(self) -> dict[str, Array]:
        """The sums of |a||b|, which rounding errors are in proportion to."""
        return {k: np.rint(getattr(self.kernels, k)(*map(np.abs, self.inputs(k)))) for k in KERNELS}


def c_entrants(task: Task, kernel: str) -> list[Entrant]:
    """The C function itself."""
    call = task.kernels.calls[kernel]
    assert isinstance(call, CCall)
    arrays = list(task.inputs(kernel))
    out = call.new()
    held = Workspace(call.workspace)
    lent = (held.place,) if call.workspace else ()
    other = list(arrays)
    at = task.alternate(kernel)
    other[at] = arrays[at] + 1

    def result() -> Array:
        found: Array = call.checked(*arrays, out=out, workspace=held)
        return found

    sets = (*places(*arrays, out), *lent), (*places(*other, out), *lent)
    return [Entrant(NAME, "", result, place=call.at, sets=sets, keep=(task, other, out, held))]


def python_entrants(task: Task, kernel: str) -> list[Entrant]:
    """A checked call that writes into an array, and one bound to its arrays."""
    arrays, call = task.inputs(kernel), getattr(task.kernels, kernel)
    out, memory = task.kernels.calls[kernel].new(), task.kernels.workspace()
    step = task.kernels.bind(kernel, *arrays, workspace=memory)

    def checked() -> Array:
        found: Array = call(*arrays, out=out, workspace=memory)
        return found

    return [Entrant(NAME, "call", checked, checked), Entrant(NAME, "bind", step, step)]
