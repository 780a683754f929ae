"""The kernels that `symconv.build` hands out: one layer of bench, with its arrays and what they give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from math import prod

import numpy as np

from symconv.bench.layers import KERNELS, Array, Geometry, Measured, small_integers
from symconv.bench.turns import Entrant, places
from symconv.c_routine import preparing
from symconv.calls import CCall, Workspace
from symconv.kernels import Kernels, build

NAME = "symconv"


class Task:
    """One layer to measure: its kernels, arrays of small integers, and the results that all have to give."""

    def __init__(self, measured: Measured) -> None:
        self.measured, self.geometry = measured, Geometry.of(measured.layer)
        self.kernels: Kernels = build(measured.layer)
        slots = {s.name: s.shape for k in KERNELS for s in self.kernels.calls[k].takes}
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
    """The C function itself, and where weights can be prepared the one that takes them like that."""
    arrays, calls = task.inputs(kernel), task.kernels.calls
    found = [_c_entrant(task, "", kernel, arrays, task.alternate(kernel))]
    first, last = preparing(kernel)
    if first in calls:
        w = KERNELS[kernel].index("w")
        prepared = calls[first].checked(arrays[w])
        prepare = _c_entrant(task, "weights", first, (arrays[w],), 0, prepared)
        given = (*arrays[:w], prepared, *arrays[w + 1:])
        found.append(replace(_c_entrant(task, "prepared", last, given, 1 - w), prepare=prepare))
    return found


def _c_entrant(task: Task, way: str, name: str, arrays: tuple[Array, ...], alternate: int,
               out: Array | None = None) -> Entrant:
    """A C function on arrays, one of which has a second copy with other values."""
    call = task.kernels.calls[name]
    assert isinstance(call, CCall)
    result = call.new() if out is None else out
    held = Workspace(call.workspace)
    lent = (held.place,) if call.workspace else ()
    other = list(arrays)
    other[alternate] = arrays[alternate] + 1

    def run() -> Array:
        found: Array = call.checked(*arrays, out=result, workspace=held)
        return found

    sets = (*places(*arrays, result), *lent), (*places(*other, result), *lent)
    return Entrant(NAME, way, run, place=call.at, sets=sets, keep=(task, arrays, other, result, held))


def python_entrants(task: Task, kernel: str) -> list[Entrant]:
    """A checked call that writes into an array, one bound to its arrays, and a checked one with prepared weights."""
    arrays, kernels = task.inputs(kernel), task.kernels
    out, memory = kernels.calls[kernel].new(), kernels.workspace()
    step = kernels.bind(kernel, *arrays, workspace=memory)

    def checked(call: Callable[..., Array], given: tuple[Array, ...]) -> Callable[[], Array]:
        return lambda: call(*given, out=out, workspace=memory)

    found: list[tuple[str, Callable[[], Array]]] = [
        ("call", checked(getattr(kernels, kernel), arrays)), ("bind", step)]
    first, last = preparing(kernel)
    if first in kernels.calls:
        w = KERNELS[kernel].index("w")
        given = (*arrays[:w], getattr(kernels, first)(arrays[w]), *arrays[w + 1:])
        found.append(("prepared", checked(getattr(kernels, last), given)))
    return [Entrant(NAME, way, run, run) for way, run in found]
