"""`python -m tests.exhaustive --jobs 2`: every small 1-D layer, each of its kernels on every pair of basis vectors.

    input <= 8, kernel <= 4, stride <= 3, dilation <= 2, padding 0...2 on each side, flipped or not, transposed or not

The forward kernel on a basis vector of x and one of w gives the outputs where the two meet: all of them together
are the Jacobian. It has to be what nested loops say, and each gradient kernel on basis vectors has to be what
the Jacobian says: dx from w and dy, dw from x and dy. Plain C, scheduled C and NumPy, without tolerance.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nested_loops

from symconv import Conv
from symconv.derivation import derive
from symconv.emit import Package, emit
from symconv.errors import ShapeError
from symconv.fuzz import included
from symconv.native import BuildFolder, compile_library, load
from symconv.validate import load_numpy

BATCH = 40
ISAS = ("neon", "avx2", "avx512", "generic")
Kernel = Callable[..., np.ndarray]


def cases() -> Iterator[Conv]:
    """Every layer there is."""
    for n, k, s, d, low, high, flip, transposed in product(
            range(1, 9), range(1, 5), range(1, 4), range(1, 3), range(3), range(3), (False, True), (False, True)):
        try:
            yield Conv(n, k, stride=s, dilation=d, padding=((low, high),), flip=flip, transposed=transposed)
        except ShapeError:
            continue


def expected(layer: Conv) -> np.ndarray:
    """By (output, input, tap): how often they meet, as nested loops say."""
    meet = np.zeros((nested_loops.output_shape(layer)[2], layer.input[0], layer.kernel[0]), np.float32)
    for y, w, x in nested_loops.products(layer):
        meet[y[2], x[2], w[2]] += 1
    return meet


def check(layer: Conv, kernel: Callable[[str], Kernel]) -> str:
    """What is wrong with the kernels of one target; '' for nothing."""
    meet = expected(layer)
    outputs, inputs, taps = meet.shape
    y, x, w = (np.eye(n, dtype=np.float32) for n in meet.shape)
    forward, grad_x, grad_w = map(kernel, ("forward", "grad_x", "grad_w"))
    found = np.stack([np.stack([forward(x[i], w[j]) for j in range(taps)], 1) for i in range(inputs)], 1)
    if not np.array_equal(found, meet):
        return f"forward: {_first(found, meet)}"
    for o, j in product(range(outputs), range(taps)):
        if not np.array_equal(got := grad_x(w[j], y[o]), found[o, :, j]):
            return f"grad_x for tap {j} and output {o}: {got} instead of {found[o, :, j]}"
    for o, i in product(range(outputs), range(inputs)):
        if not np.array_equal(got := grad_w(x[i], y[o]), found[o, i]):
            return f"grad_w for input {i} and output {o}: {got} instead of {found[o, i]}"
    return ""


def _first(found: np.ndarray, meet: np.ndarray) -> str:
    o, i, j = np.argwhere(found != meet)[0] if found.shape == meet.shape else (0, 0, 0)
    return f"output {o}, input {i}, tap {j}; shapes {found.shape} and {meet.shape}"


def in_numpy(p: Package) -> Callable[[str], Kernel]:
    module = load_numpy(p)
    shapes = {t.name: t.array_shape for f in p.functions for t in f.arguments}
    takes = {f.name: [shapes[t.name] for t in f.arguments] for f in p.functions}
    return lambda name: lambda *given: getattr(module, name)(
        *(a.reshape(s) for a, s in zip(given, takes[name], strict=True))).reshape(-1)


def in_c(p: Package, library: Path) -> Callable[[str], Kernel]:
    sizes = {f.name: int(np.prod(f.equation.output.array_shape)) for f in p.functions}

    def kernel(name: str) -> Kernel:
        function = load(library, f"{p.stem}_{name}")
        lent = [np.full(p.workspace[name], 255, np.uint8)] if p.workspace[name] else []

        def call(*given: np.ndarray) -> np.ndarray:
            out = np.full(sizes[name] + 2, np.nan, np.float32)
            function(*given, out[1:-1], *lent)
            if not np.isnan(out[[0, -1]]).all():
                raise MemoryError("written beside the output")
            return out[1:-1]

        return call

    return kernel


def batch(layers: list[tuple[int, Conv]]) -> tuple[Counter[str], list[str]]:
    """Kernels checked by how they were made, and what is wrong."""
    done: Counter[str] = Counter()
    wrong: list[str] = []
    made: dict[str, list[tuple[Conv, Package]]] = {"plain": [], "direct": []}
    for number, layer in layers:
        derivation = derive(layer)
        for way in made:
            more = {"isa": ISAS[number % 4], "exact": ISAS[number % 4] == "generic", "pick": number} \
                if way == "direct" else {}
            made[way].append((layer, emit(derivation, ("c", "numpy") if way == "plain" else ("c",), schedules=(way,),
                                          **more)))
    for way, packages in made.items():
        folder = BuildFolder()
        texts = {n: t for _, p in packages for n, t in p.files.items() if n.endswith((".c", ".h"))}
        parts = {n[:-1] + "inc": t for n, t in texts.items() if n.endswith(".c")}
        unit = "".join(included(n, t) for n, t in parts.items())
        headers = {n: t for n, t in texts.items() if n.endswith(".h")}
        library = compile_library({**headers, **parts, "all.c": unit}, folder, ["-O1", "-Werror"])
        for layer, p in packages:
            targets = {f"C, {way}": in_c(p, library)} | ({"NumPy": in_numpy(p)} if way == "plain" else {})
            done["kernels in vectors or tiles"] += sum("__attribute__" in t for t in p.files.values())
            for target, kernel in targets.items():
                done[target] += 1
                if said := check(layer, kernel):
                    wrong.append(f"symconv emit {layer.command()}: {target}: {said}")
    return done, wrong


def run(every: int = 1, jobs: int = 1, start: int = 0) -> tuple[int, Counter[str], list[str]]:
    """Each `every`-th layer: how many, what was checked, what is wrong."""
    found = list(enumerate(cases()))[start::every]
    batches = [found[k:k + BATCH] for k in range(0, len(found), BATCH)]
    done, wrong = Counter(), []
    if jobs > 1:
        with ProcessPoolExecutor(jobs) as pool:
            results = list(pool.map(batch, batches))
    else:
        results = list(map(batch, batches))
    for counted, said in results:
        done += counted
        wrong += said
    return len(found), done, wrong


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.exhaustive")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--start", type=int, default=0, help="with --every: the first one")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    start = time.perf_counter()
    layers, done, wrong = run(options.every, options.jobs, options.start)
    print(*wrong, sep="\n")
    print(f"{layers} layers, {', '.join(f'{n} {what}' for what, n in sorted(done.items()))}, {len(wrong)} wrong, "
          f"{time.perf_counter() - start:.0f} s")
    sys.exit(bool(wrong))
