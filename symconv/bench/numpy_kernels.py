"""Emitted NumPy kernels against the best of what authors write with NumPy and SciPy, in turns on one thread.

BLAS has to run on one thread for the comparison to mean anything: start Python with
OPENBLAS_NUM_THREADS=1 (it is read when NumPy loads), as `symconv bench` does itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from time import process_time
from types import ModuleType
from typing import Any

import numpy as np
from rich.table import Table

from symconv.bench.layers import KERNELS, Array, Geometry, Measured, small_integers
from symconv.bench.peers import im2col, scipy, windows
from symconv.bench.race import Row, Timing, check, geometric_mean
from symconv.bench.tables import head, ratio_text, time_text
from symconv.bench.turns import Entrant, time_python
from symconv.emit import emit
from symconv.errors import SymconvError
from symconv.validate import load_numpy

NAME = "symconv"
PEERS: tuple[ModuleType, ...] = (im2col, windows, scipy)
HOPELESS = 8  # a peer whose first call takes so many times the fastest one's is not timed further


def compare_numpy(layers: Iterable[Measured], repeats: int = 15, peers: Sequence[ModuleType] = PEERS) -> list[Row]:
    """Time forward, grad_w and grad_x of every layer, after checking that all agree.

    Small integers make sums in float32 exact; only Fourier transforms (scipy) round them.

    Raises:
        SymconvError: a peer computes something else.
    """
    present = [p for p in peers if not p.missing()]
    return [row for m in layers for row in _compare(m, repeats, present)]


def _compare(m: Measured, repeats: int, peers: Sequence[ModuleType]) -> list[Row]:
    package, g = emit(m.layer, ("numpy",)), Geometry.of(m.layer)
    module = load_numpy(package)
    functions = {f.name: f for f in package.functions if f.name in KERNELS}
    tensors = {t.name: t.array_shape for f in functions.values() for t in f.arguments}
    arrays = small_integers(tensors, g.operations, min(int(np.prod(s)) for s in tensors.values()))
    rows = []
    for name in KERNELS:
        inputs = [arrays[t] for t in KERNELS[name][:-1]]
        entrants = [_entrant(NAME, "", getattr(module, name), inputs)]
        expected = np.asarray(entrants[0].result())
        images = [a.reshape(_image(g, t)) for a, t in zip(inputs, KERNELS[name], strict=False)]
        for p in peers:
            entrants += [_entrant(p.NAME, way, _role(made, name, g.transposed), images, expected.shape)
                         for way, made in p.ways(g)]
        _, exact, wrong = check(entrants, expected, np.asarray(getattr(module, name)(*map(np.abs, inputs))))
        if wrong:
            raise SymconvError(f"{m.name}, {name}: {wrong[0]}")
        fit = _fit(entrants)
        timings = time_python([e.call for e in fit if e.call], repeats)
        taken = tuple(Timing(e.peer, e.way, s, exact[entrants.index(e)]) for e, s in zip(fit, timings, strict=True))
        rows.append(Row(m.name, name, g.operations, g.bytes, taken))
    return rows


def _role(made: Any, kernel: str, transposed: bool) -> Callable[[Array, Array], Array]:
    """A kernel of the layer from the three sums of its relation; arguments in the layer's order."""
    known: dict[str, Callable[[Array, Array], Array]]
    if transposed:
        known = {"forward": made.scatter, "grad_x": lambda w, dy: made.correlate(dy, w),
                 "grad_w": lambda x, dy: made.weights(dy, x)}
    else:
        known = {"forward": made.correlate, "grad_x": lambda w, dy: made.scatter(dy, w), "grad_w": made.weights}
    return known[kernel]


def _image(g: Geometry, tensor: str) -> tuple[int, ...]:
    """The shape of a tensor with a spatial axis, which a fully connected layer leaves out."""
    small, big = g.shapes[2], g.shapes[0]
    x, y = (small, big) if g.transposed else (big, small)
    return {"x": x, "dy": y, "w": (-1, *g.shapes[1][2:])}[tensor]


def _entrant(peer: str, way: str, function: Callable[..., Array], inputs: list[Array],
             shape: tuple[int, ...] | None = None) -> Entrant:
    def call() -> Array:
        return function(*inputs)

    return Entrant(peer, way, lambda: call() if shape is None else call().reshape(shape), call)


def _fit(entrants: list[Entrant]) -> list[Entrant]:
    """Those that could be the fastest; ours always."""
    first = []
    for e in entrants:
        start = process_time()
        e.result()
        first.append(process_time() - start)
    return [e for e, took in zip(entrants, first, strict=True)
            if e.peer == NAME or took < HOPELESS * max(min(first[1:], default=0.0), 1e-4)]


def summary(rows: Sequence[Row]) -> str:
    """Geometric mean and worst layer of the best peer's time over ours."""
    found = {(r.layer, r.kernel): v for r in rows if (v := r.ratio()) is not None}
    worst = min(found, key=lambda k: found[k])
    below = sum(v < 0.9 for v in found.values())
    return (f"best / ours: geometric mean {geometric_mean(list(found.values())):.2f}, worst {found[worst]:.2f} "
            f"({', '.join(worst)}); {below} of {len(found)} below 0.9")


def table(rows: Sequence[Row]) -> Table:
    """For a terminal, with the geometric mean and the worst row below."""
    names = [p.NAME for p in PEERS if not p.missing()]
    shown = Table("layer", "kernel", "symconv", *names, "best / ours", title="NumPy kernels, one thread, microseconds",
                  caption=summary(rows))
    for r in rows:
        shown.add_row(*head(r), *(time_text(r.best(n)) for n in (NAME, *names)), ratio_text(r.ratio()))
    return shown
