"""The limits of one core, measured: multiply-adds and reading from each level of memory."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from symconv.bench.turns import Entrant, places, run_turns, source
from symconv.native import BuildFolder, compile_library, place_of

TIMES = 100_000
SIZES = {"L1": ("SC_LEVEL1_DCACHE_SIZE", 2**15), "L2": ("SC_LEVEL2_CACHE_SIZE", 2**19),
         "L3": ("SC_LEVEL3_CACHE_SIZE", 2**24)}
LARGEST = 2**29  # bytes to read from memory at most


@dataclass(frozen=True)
class Machine:
    """One core.

    Args:
        peak: GFLOP/s in float32, by the best of three vector widths.
        bandwidth: GB/s of reading, from `L1`, `L2`, `L3` and `memory`.
        core: the one this process is pinned to; None where the system cannot.
    """

    name: str
    peak: float
    bandwidth: dict[str, float]
    caches: dict[str, int]
    core: int | None

    def __str__(self) -> str:
        reads = ", ".join(f"{level} {rate:.0f}" for level, rate in self.bandwidth.items())
        where = f"core {self.core}" if self.core is not None else "not pinned"
        return f"{self.name}, {where}: {self.peak:.0f} GFLOP/s in float32; reads GB/s: {reads}"


def pin() -> int | None:
    """Keep this process, and the threads of every library it will load, on one core."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def measure(core: int | None = None, rounds: int = 9) -> Machine:
    """Compile and run the loops that nothing can beat."""
    folder = BuildFolder()
    library = compile_library({"machine.c": source("machine.c")}, folder, ("-O2", "-ffp-contract=fast"))
    caches = {level: _cache(*asked) for level, asked in SIZES.items()}
    values, result = np.ones(32, np.float32), np.zeros(16, np.float32)
    values[:16] = 0.5
    times = np.array([TIMES], np.int64)
    peak = 0.0
    for width in (4, 8, 16):
        e = _entrant(library, f"bench_multiply_adds_vector{width}", times, values, result)
        peak = max(peak, TIMES * 12 * width * 2 / float(np.median(run_turns([e], [10], rounds))) / 1e9)
    bandwidth = {}
    for level, size in {**{n: s // 2 for n, s in caches.items()}, "memory": min(LARGEST, 4 * caches["L3"])}.items():
        count = np.array([size // 512 * 128], np.int64)
        memory = np.ones(int(count[0]), np.float32)
        e = _entrant(library, "bench_read", count, memory, result)
        seconds = float(np.median(run_turns([e], [max(1, 2**24 // size)], rounds)))
        bandwidth[level] = 4 * int(count[0]) / seconds / 1e9
    return Machine(_processor(), peak, bandwidth, caches, core)


def _entrant(library: Path, symbol: str, *arrays: np.ndarray) -> Entrant:
    return Entrant("machine", symbol, lambda: arrays[-1], place=place_of(library, symbol),
                   sets=(places(*arrays), places(*arrays)), keep=arrays)


def _cache(name: str, otherwise: int) -> int:
    known = getattr(os, "sysconf_names", {})
    return max(os.sysconf(name), 0) or otherwise if name in known else otherwise


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
