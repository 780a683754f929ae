"""Compare what all compute, exactly, then time them in turns: one row a layer and kernel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

import numpy as np

from symconv.bench.layers import KERNELS, Array
from symconv.bench.ours import NAME, Task
from symconv.bench.turns import Array as AnyArray
from symconv.bench.turns import Entrant, Spread, hopeless, time_c, time_cold, time_python

FEW = 3  # rounds for an entrant that is far behind
CLOSE = 1e-4  # of sum |a||b|: rounding and transforms stay below, any other sum is far above


@dataclass(frozen=True)
class Timing:
    """What one entrant took; `exact` when its result was that of the integers to the last bit."""

    peer: str
    way: str
    warm: Spread
    exact: bool
    cold: Spread | None = None
    prepare: Spread | None = None


@dataclass(frozen=True)
class Row:
    """One kernel of one layer, with everyone who took part.

    Args:
        operations, bytes: what it computes, and has to move at least.
    """

    layer: str
    kernel: str
    operations: int
    bytes: int
    timings: tuple[Timing, ...]

    def best(self, peer: str, cold: bool = False) -> Timing | None:
        """The fastest way of one peer."""
        own = [t for t in self.timings if t.peer == peer and (t.cold if cold else t.warm)]
        return min(own, key=lambda t: (t.cold or t.warm).median if cold else t.warm.median, default=None)

    def ours(self, way: str | None = None) -> Timing | None:
        return next((t for t in self.timings if t.peer == NAME and way in (None, t.way)), None)

    def ratio(self, way: str | None = None) -> float | None:
        """The best peer's time to ours; None without peers."""
        others = [t.warm.median for t in self.timings if t.peer != NAME]
        own = self.ours(way)
        return min(others) / own.warm.median if own and others else None

    def rate(self, t: Timing) -> float:
        """GFLOP/s."""
        return self.operations / t.warm.median / 1e3


def check(entrants: Sequence[Entrant], expected: Array, scale: Array) -> tuple[list[Entrant], list[bool], list[str]]:
    """Who may take part, whether each is exact, and what is wrong with those who may not.

    Winograd's transforms round where direct sums are exact; both compute the same. Anything else is refused.
    """
    good, exact, refused = [], [], []
    for e in entrants:
        found = e.result()
        if found.shape != expected.shape:
            refused.append(f"{e} gives the shape {found.shape} instead of {expected.shape}")
            continue
        off = np.abs(found.astype(np.float64) - expected)
        if bool((off <= CLOSE * scale).all()):
            good.append(e)
            exact.append(not off.any())
        else:
            wrong = int((~(off <= CLOSE * scale)).sum())
            refused.append(f"{e} computes something else: {wrong} of {off.size} elements")
    return good, exact, refused


EntrantsOf = Callable[[Task, str], list[Entrant]]


def race_c(task: Task, entrants_of: Sequence[EntrantsOf], rounds: int, sweep: AnyArray) -> tuple[list[Row], list[str]]:
    """C to C, warm and cold, with the preparation of weights beside; and who was refused.

    Who is far behind gets a few rounds of his own, with warm caches only.
    """
    def timed(entrants: list[Entrant], exact: list[bool]) -> tuple[Timing, ...]:
        slow = hopeless(entrants)
        fast = [e for e, s in zip(entrants, slow, strict=True) if not s]
        prepared = [e.prepare for e in fast if e.prepare]
        warm = dict(zip(map(id, fast), time_c(fast, rounds), strict=True))
        cold = dict(zip(map(id, fast), time_cold(fast, rounds, sweep), strict=True))
        taken = dict(zip(map(id, prepared), time_c(prepared, rounds), strict=True))
        return tuple(Timing(e.peer, e.way, warm.get(id(e)) or time_c([e], FEW)[0], x, cold.get(id(e)),
                            taken.get(id(e.prepare))) for e, x in zip(entrants, exact, strict=True))

    return _race(task, entrants_of, timed)


def race_python(task: Task, entrants_of: Sequence[EntrantsOf], rounds: int) -> tuple[list[Row], list[str]]:
    """Python to Python, warm; and who was refused."""
    def timed(entrants: list[Entrant], exact: list[bool]) -> tuple[Timing, ...]:
        warm = time_python([e.call for e in entrants if e.call], rounds)
        return tuple(Timing(e.peer, e.way, w, x) for e, w, x in zip(entrants, warm, exact, strict=True))

    return _race(task, entrants_of, timed)


def _race(task: Task, entrants_of: Sequence[EntrantsOf],
          timed: Callable[[list[Entrant], list[bool]], tuple[Timing, ...]]) -> tuple[list[Row], list[str]]:
    rows, refused = [], []
    for kernel in KERNELS:
        entrants = [e for of in entrants_of for e in of(task, kernel)]
        good, exact, wrong = check(entrants, task.expected[kernel], task.scale[kernel])
        refused += [f"{task.measured.name}, {kernel}: {w}" for w in wrong]
        if good:
            g = task.geometry
            rows.append(Row(task.measured.name, kernel, g.operations, g.bytes, timed(good, exact)))
    return rows, refused


def geometric_mean(values: Sequence[float]) -> float:
    return exp(sum(map(log, values)) / len(values))
