"""Random layers of the whole family and random equations: all kernels against the oracle, exactly."""

from __future__ import annotations

import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from symconv.emit import Package, emit
from symconv.equation import Equation
from symconv.errors import SymconvError, ToolchainError
from symconv.family import crossings, random_equation, random_layer
from symconv.layer import Conv
from symconv.layouts import LAYOUTS
from symconv.native import BuildFolder, Outcome, compile_library, find_compiler, run_in_child
from symconv.peer_torch import available, run_torch
from symconv.schedule.machine import MACHINES
from symconv.validate import Case, c_calls, c_cases, check_outcomes, make_cases, run_numpy

ISAS = ("generic", *(m for m in MACHINES if m != "generic"))
BATCH = 40  # layers compiled as one translation unit


@dataclass(frozen=True)
class Job:
    """A package with its cases, where it came from, and how to see it again."""

    package: Package
    cases: list[Case]
    layer: Conv | Equation
    again: str
    layout: str = LAYOUTS[0]


@dataclass
class Tally:
    """What a run covered: layers per crossing, kernels checked, and every failure with its command."""

    layers: int = 0
    equations: int = 0
    checks: int = 0
    torch: int = 0
    crossings: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.layers += other.layers
        self.equations += other.equations
        self.checks += other.checks
        self.torch += other.torch
        self.crossings += other.crossings
        self.failures += other.failures


def run(count: int, seed: int = 0, workers: int | None = None) -> Iterator[Tally]:
    """Check `count` random layers, and an equation for every four; yields the running tally by batch."""
    batches = [(seed, start, min(BATCH, count - start)) for start in range(0, count, BATCH)]
    total = Tally()
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        for tally in pool.map(_batch, batches):
            total.add(tally)
            yield total


def _batch(task: tuple[int, int, int]) -> Tally:
    seed, start, count = task
    tally = Tally()
    work: list[Job] = []
    for number in range(start, start + count):
        layer = random_layer(random.Random(f"{seed}:{number}"), channels=(3, 3, 40)[number % 3])
        tally.layers += 1
        tally.crossings.update(crossings(layer))
        _emit(tally, work, layer, f"symconv emit {layer.command()}", [seed, number], ISAS[number % len(ISAS)])
        if number % 4 == 0:  # beside the layers, equations that are none
            key = f"{seed}:{number}:equation"
            equation = random_equation(random.Random(key))
            tally.equations += 1
            again = f"random_equation(Random({key!r})) {equation}"
            _emit(tally, work, equation, again, [seed, number], ISAS[number // 4 % len(ISAS)])
    for job in work:
        _count(tally, job, "numpy", job.cases, run_numpy(job.package, job.cases))
        if available() and isinstance(job.layer, Conv) and not job.package.accumulate and job.layout == LAYOUTS[0]:
            _against_torch(tally, job, job.layer)
    if find_compiler() is not None:
        try:
            _check_c(tally, work)
        except ToolchainError as e:
            tally.failures.append(str(e))
    return tally


def _emit(tally: Tally, work: list[Job], layer: Conv | Equation, again: str, seed: list[int], isa: str) -> None:
    """Plain loops for three of seven, else any shape of a schedule wherever one applies: what is estimated to pay is
    beside the point here."""
    pick = None if seed[1] % 5 == 0 else random.Random(f"{seed}").randrange(10**6)
    accumulate = isinstance(layer, Conv) and seed[1] % 3 == 0
    wanted = ("plain",) if seed[1] % 7 < 3 else ("direct", "bilinear")[:1 + (seed[1] % 4 > 0)]
    layout = LAYOUTS[isinstance(layer, Conv) and seed[1] % 4 == 1]
    again += f" (isa {isa}, {' or '.join(wanted)}, pick {pick}{', accumulating' if accumulate else ''}, {layout})"
    try:
        exact = isa == "generic" and seed[1] % 2 == 0 and wanted != ("plain",)
        made = (emit(layer, accumulate=accumulate, isa=isa, exact=exact, schedules=(schedule,), pick=pick,
                     layout=layout)
                for schedule in wanted)
        package, *_ = sorted(made, key=lambda p: not p.rounded)  # bilinear wherever there is such an algorithm
        if any(package.stem == job.package.stem for job in work):  # drawn twice: two files cannot have one name
            return
        work.append(Job(package, list(make_cases(package, np.random.default_rng(seed))), layer, again, layout))
    except (SymconvError, ArithmeticError, LookupError, TypeError, ValueError) as e:
        tally.failures.append(f"{again}: {type(e).__name__}: {e}")


def _check_c(tally: Tally, work: list[Job]) -> None:
    """All kernels of a batch as one translation unit: one compiler run, one child process."""
    texts = {n: t for job in work for n, t in (*job.package.files.items(), *job.package.whole.items())}
    parts = {n[:-1] + "inc": t for n, t in texts.items() if n.endswith(".c")}
    headers = {n: t for n, t in texts.items() if n.endswith(".h")}
    unit = "".join(included(n, t) for n, t in parts.items())
    folder = BuildFolder()
    library = compile_library({**headers, **parts, "all.c": unit}, folder, ["-O1", "-Werror"])
    cases = [c_cases(job.package, job.cases) for job in work]
    calls = [c_calls(job.package, own) for job, own in zip(work, cases, strict=True)]
    outcomes = run_in_child(library, [call for own in calls for call in own])
    for job, own in zip(work, cases, strict=True):
        mine, outcomes = outcomes[:len(own)], outcomes[len(own):]
        _count(tally, job, "c", own, mine)


def included(name: str, text: str) -> str:
    """One emitted file as a line that includes it, its static functions and types kept apart from the other files'."""
    static = re.findall(r"^(?:typedef [\w ]+?|static [^(]*?)(\w+)(?: __attribute__|\()", text, re.MULTILINE)
    before = "".join(f"#define {f} {name.removesuffix('.inc')}_{f}\n" for f in static)
    return f'{before}#include "{name}"\n' + "".join(f"#undef {f}\n" for f in static)


def _count(tally: Tally, job: Job, target: str, cases: list[Case], outcomes: list[Outcome]) -> None:
    for c in check_outcomes(job.package, target, cases, outcomes):
        tally.checks += 1
        if not c.passed:
            tally.failures.append(f"{job.again}: {c}")


def _against_torch(tally: Tally, job: Job, layer: Conv) -> None:
    """What the kernels were held to, held to PyTorch in turn."""
    exact = [c for c in job.cases if c.label == "integers 1"]
    given = {t.name: a for c in exact for t, a in zip(c.function.arguments, c.inputs, strict=True)}
    upstream = given.pop("dy")
    theirs = run_torch(layer, given, upstream)
    for c in exact:
        tally.torch += 1
        if not np.array_equal(theirs[c.function.equation.output.name], c.expected):
            tally.failures.append(f"{job.again}: {c.function.name} differs from PyTorch")
