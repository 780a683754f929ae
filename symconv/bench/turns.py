"""Timing in turns: every entrant once a round, there and back, so that all see the same machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.native import BuildFolder, address, compile_library, load, place_of

Array = NDArray[Any]
SOURCES = Path(__file__).resolve().parent / "c"
MOST_ARGUMENTS = 8
SAMPLE = 1e-3  # seconds one sample should take at least


@dataclass(frozen=True)
class Spread:
    """Microseconds: the median of all rounds, and the quartiles around it."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(seconds: Array) -> Spread:
        low, median, high = np.percentile(seconds * 1e6, [25, 50, 75])
        return Spread(float(median), float(low), float(high))

    @property
    def percent(self) -> float:
        """Half the distance between the quartiles, of the median."""
        return 50 * (self.high - self.low) / self.median if self.median else 0.0


@dataclass(frozen=True)
class Entrant:
    """One way to compute a kernel, ready to run.

    Args:
        peer, way: whose it is, and how it is called: its layout, its interface.
        result: runs it once and gives the result in the layout of the caller.
        call: a call from Python without arguments, for tables of Python calls.
        place, sets: a C function and two sets of arguments that it takes in turn, for tables of C calls.
        prepare: the same for bringing the weights into its layout, where that is a step of its own.
        keep: what has to stay alive.
    """

    peer: str
    way: str
    result: Callable[[], Array]
    call: Callable[[], object] | None = None
    place: int = 0
    sets: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    prepare: Entrant | None = None
    keep: object = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.peer} ({self.way})" if self.way else self.peer


def source(name: str) -> str:
    return (SOURCES / name).read_text(encoding="utf-8")


@cache
def _driver() -> tuple[Path, BuildFolder]:
    folder = BuildFolder()
    return compile_library({"driver.c": source("driver.c")}, folder), folder


def nothing() -> Entrant:
    """A C function that does nothing."""
    return Entrant("nothing", "", lambda: np.zeros(0), place=place_of(_driver()[0], "bench_nothing"),
                   sets=((0,), (0,)))


def run_turns(entrants: Sequence[Entrant], calls: Sequence[int], rounds: int, sweep: Array | None = None) -> Array:
    """Seconds a call of C functions, [round][entrant]. A `sweep` is what fills the caches before each sample."""
    arguments = np.zeros((len(entrants), 2, MOST_ARGUMENTS), np.int64)
    for e, row in zip(entrants, arguments, strict=True):
        for s in range(2):
            row[s, :len(e.sets[s])] = e.sets[s]
    seconds = np.zeros((rounds, len(entrants)))
    numbers = np.array([len(entrants), rounds, 0 if sweep is None else sweep.nbytes], np.int64)
    memory = np.zeros(1, np.uint8) if sweep is None else sweep
    at = np.array([e.place for e in entrants], np.int64)
    counts = np.array([len(e.sets[0]) for e in entrants], np.int64)
    load(_driver()[0], "bench_turns")(
        numbers, at, counts, arguments, np.array(calls, np.int64), memory, seconds)
    return seconds


def hopeless(entrants: Sequence[Entrant]) -> list[bool]:
    """Whose single call takes so long that more than a few would only keep the others waiting."""
    once = run_turns(entrants, [1] * len(entrants), 1)[0]
    return [bool(t > max(20 * once.min(), 1e-3)) for t in once]


def time_c(entrants: Sequence[Entrant], rounds: int) -> list[Spread]:
    """C to C, with warm caches."""
    if not entrants:
        return []
    calls = [_enough(lambda n, e=e: float(run_turns([e], [n], 1)[0, 0]) * n) for e in entrants]  # type: ignore[misc]
    return [Spread.of(column) for column in run_turns(entrants, calls, rounds).T]


def time_cold(entrants: Sequence[Entrant], rounds: int, sweep: Array) -> list[Spread]:
    """C to C, one call at a time with nothing of it in a cache; the least that reading the clock takes is taken off."""
    seconds = run_turns([nothing(), *entrants], [1] * (len(entrants) + 1), rounds, sweep)
    clock = float(seconds[:, 0].min())
    return [Spread.of(np.maximum(column - clock, 0)) for column in seconds[:, 1:].T]


def time_python(calls: Sequence[Callable[[], object]], rounds: int) -> list[Spread]:
    """Python to Python, with warm caches."""
    counts = [_enough(lambda n, c=c: _sample(c, n)) for c in calls]  # type: ignore[misc]
    seconds = np.zeros((rounds, len(calls)))
    order = list(enumerate(zip(calls, counts, strict=True)))
    for turn in range(rounds):
        for at, (call, count) in order if turn % 2 == 0 else reversed(order):
            call()
            seconds[turn, at] = _sample(call, count) / count
    return [Spread.of(column) for column in seconds.T]


def _sample(call: Callable[[], object], count: int) -> float:
    start = process_time()
    for _ in range(count):
        call()
    return process_time() - start


def _enough(sample: Callable[[int], float]) -> int:
    """How many calls one sample should have: more, until they take long enough to be told from the clock."""
    count = 1
    while (took := sample(count)) < SAMPLE / 2 and count < 2**24:
        count = max(2 * count, min(100 * count, int(count * SAMPLE / max(took, 1e-9))))
    return count


def places(*arrays: Array) -> tuple[int, ...]:
    """The addresses of arrays, as a set of arguments."""
    return tuple(map(address, arrays))
