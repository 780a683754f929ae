"""Random layers over the whole family: every kernel of both targets against the oracle, exactly."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from symconv.emit import Package, emit
from symconv.errors import SymconvError, ToolchainError
from symconv.family import crossings, random_layer
from symconv.layer import Conv
from symconv.native import BuildFolder, Outcome, compile_library, find_compiler, run_in_child
from symconv.peer_torch import available, run_torch
from symconv.validate import Case, c_calls, check_outcomes, make_cases, run_numpy

BATCH = 40  # layers compiled as one translation unit
Job = tuple[Package, list[Case], Conv]


@dataclass
class Tally:
    """What a run covered: layers per crossing, kernels checked, and every failure with its command."""

    layers: int = 0
    checks: int = 0
    torch: int = 0
    crossings: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.layers += other.layers
        self.checks += other.checks
        self.torch += other.torch
        self.crossings += other.crossings
        self.failures += other.failures


def run(count: int, seed: int = 0, workers: int | None = None) -> Iterator[Tally]:
    """Check `count` random layers, yielding the running tally after each batch."""
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
        layer = random_layer(random.Random(f"{seed}:{number}"))
        tally.layers += 1
        tally.crossings.update(crossings(layer))
        try:
            package = emit(layer)
            cases = list(make_cases(package, np.random.default_rng([seed, number])))
            work.append((package, cases, layer))
        except (SymconvError, ArithmeticError, LookupError, TypeError, ValueError) as e:
            tally.failures.append(f"symconv emit {layer.command()}: {type(e).__name__}: {e}")
    for package, cases, layer in work:
        _count(tally, package, "numpy", cases, run_numpy(package, cases))
        if available():
            _against_torch(tally, package, cases, layer)
    if find_compiler() is not None:
        try:
            _check_c(tally, work)
        except ToolchainError as e:
            tally.failures.append(str(e))
    return tally


def _check_c(tally: Tally, work: list[Job]) -> None:
    """All layers of a batch as one translation unit: one compiler run, one child process."""
    texts = {n: t for p, _, _ in work for n, t in p.files.items()}
    parts = {n[:-1] + "inc": t for n, t in texts.items() if n.endswith(".c")}
    headers = {n: t for n, t in texts.items() if n.endswith(".h")}
    unit = "".join(f'#include "{n}"\n' for n in parts)
    folder = BuildFolder()
    library = compile_library({**headers, **parts, "all.c": unit}, folder, ["-O1", "-Werror"])
    outcomes = run_in_child(library, [call for p, cases, _ in work for call in c_calls(p, cases)])
    for package, cases, _ in work:
        mine, outcomes = outcomes[:len(cases)], outcomes[len(cases):]
        _count(tally, package, "c", cases, mine)


def _count(tally: Tally, package: Package, target: str, cases: list[Case], outcomes: list[Outcome]) -> None:
    for c in check_outcomes(package, target, cases, outcomes):
        tally.checks += 1
        if not c.passed:
            tally.failures.append(f"symconv emit {package.derivation.system.command}: {c}")


def _against_torch(tally: Tally, package: Package, cases: list[Case], layer: Conv) -> None:
    """What the kernels were held to, held to PyTorch in turn."""
    exact = [c for c in cases if c.label == "integers 1"]
    given = {t.name: a for c in exact for t, a in zip(c.function.arguments, c.inputs, strict=True)}
    upstream = given.pop("dy")
    theirs = run_torch(layer, given, upstream)
    for c in exact:
        name = c.function.equation.output.name
        tally.torch += 1
        if not np.array_equal(theirs[name], c.expected):
            tally.failures.append(f"symconv emit {package.derivation.system.command}: "
                                  f"{c.function.name} differs from PyTorch")
