"""Exact test vectors of a layer, for people who test other libraries."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv import __version__
from symconv.c_target import safe
from symconv.drawn import drawn
from symconv.equation import Tensor
from symconv.errors import LimitExceeded, NotSupported, ShapeError
from symconv.reference import EXACT_FUNCTIONS, forward, gradients, magnitudes, terms
from symconv.system import System
from symconv.templating import environment

Array = NDArray[Any]
EXACT = 2**24  # sums of magnitudes below it are exact in float32, in any order
LARGEST = (9, 4, 2, 1)
MAX_PRODUCTS = 2 * 10**9
MAX_ELEMENTS = 10**8
MAX_IN_HEADER = 10**5


@dataclass(frozen=True)
class Vectors:
    """Inputs and an upstream gradient, small integers, with what comes out of them.

    Args:
        arrays: by name, in the caller's shapes: x, w, b, dy, then y, dx, dw, db.
        given: the names of those that are chosen; the others follow from them.
        tensors: the tensor of each.
    """

    system: System
    seed: int
    arrays: Mapping[str, Array]
    given: tuple[str, ...]
    tensors: Mapping[str, Tensor]

    @property
    def results(self) -> tuple[str, ...]:
        return tuple(n for n in self.arrays if n not in self.given)


def make_vectors(system: System, seed: int = 0) -> Vectors:
    """Draw integers whose float32 sums are exact in any order, and evaluate the layer on them.

    Raises:
        NotSupported: the layer has no exact values.
        LimitExceeded: there is too much to evaluate, or no integers are small enough.
    """
    system = system.concrete()
    check_exact(system)
    shapes = {t.name: t.array_shape for t in given_tensors(system)}
    for most in LARGEST:
        try:
            return vectors_of(system, drawn(seed, shapes, most), seed)
        except LimitExceeded:
            if most == LARGEST[-1]:
                raise
    raise AssertionError


def given_tensors(system: System) -> tuple[Tensor, ...]:
    """What is chosen: the inputs and the upstream gradient."""
    return (*system.inputs, system.output.gradient())


def check_exact(system: System) -> None:
    """Raises NotSupported or LimitExceeded: no exact values, or too many products."""
    for name in system.functions:
        if name not in EXACT_FUNCTIONS:
            raise NotSupported(f"{name} has no exact values: leave the activation out")
    count = sum(prod(t.extents) for t in (*system.inputs, *(e.output for e in system.equations)))
    if count > MAX_ELEMENTS:
        raise LimitExceeded(f"the arrays of {system.name} have {count} elements; the limit is {MAX_ELEMENTS}")
    output = system.equations[0].output
    work = terms(system)["forward"] * prod(output.extents)
    if work > MAX_PRODUCTS:
        raise LimitExceeded(f"evaluating {system.name} exactly takes {work} products; the limit is {MAX_PRODUCTS}")


def vectors_of(system: System, given: Mapping[str, Array], seed: int = 0) -> Vectors:
    """Evaluate a layer on integers.

    Raises:
        LimitExceeded: a sum may leave the integers that float32 holds exactly.
    """
    upstream = system.output.gradient()
    values = {t.name: given[t.name] for t in system.inputs}
    most = max(float(np.max(m)) for m in magnitudes(system, values, given[upstream.name]).values() if m.size)
    if most >= EXACT:
        raise LimitExceeded(f"a sum of {system.name} may reach {most:.0f}, past the 2**24 that float32 counts to: "
                            "give a smaller layer")
    results = forward(system, values)
    by_tensor = gradients(system, values, given[upstream.name])
    made = {e.output.name: e.output for e in system.equations}
    slopes = {t.name: t for e in system.equations for t in e.reads}
    arrays = {**given, **{n: results[n] for n in made}, **{slopes[n].gradient().name: g for n, g in by_tensor.items()}}
    tensors = {t.name: t for t in (*given_tensors(system), *made.values(), *(t.gradient() for t in slopes.values()))}
    order = (*given, *made, *(t.gradient().name for t in system.inputs))
    names = [*order, *(n for n in arrays if n not in order)]
    return Vectors(system, seed, {n: arrays[n] for n in names if n in arrays}, tuple(given), tensors)


def as_npz(v: Vectors) -> bytes:
    """float32 arrays under their names; the same bytes every time."""
    file = io.BytesIO()
    np.savez(file, **{n: a.astype(np.float32) for n, a in v.arrays.items()})  # type: ignore[arg-type]
    return file.getvalue()


def as_header(v: Vectors) -> str:
    """The arrays as a C header.

    Raises:
        LimitExceeded: the arrays are too large for a file that people compile.
    """
    count = sum(a.size for a in v.arrays.values())
    if count > MAX_IN_HEADER:
        raise LimitExceeded(f"a C header holds at most {MAX_IN_HEADER} elements, these are {count}")
    arrays = [{"name": n, "size": a.size, "shape": "".join(f"[{e}]" for e in a.shape) or "[1]",
               "rows": _rows(a.reshape(-1))} for n, a in v.arrays.items()]
    return environment().get_template("c/vectors.h.j2").render(
        stem=v.system.name, arrays=arrays, again=safe(again(v)), version=__version__,
        given=", ".join(v.given), results=", ".join(v.results))


def again(v: Vectors) -> str:
    """The command that writes them."""
    return f"symconv vectors {v.system.command} --seed {v.seed}" if v.system.command else f"seed {v.seed}"


def _rows(values: Array) -> list[str]:
    return [", ".join(str(int(e)) for e in values[at:at + 24]) for at in range(0, values.size, 24)]


def read_given(system: System, arrays: Mapping[str, Array]) -> dict[str, Array] | None:
    """The inputs and upstream gradient among somebody's arrays, as integers; None when they are not there.

    Raises:
        ShapeError: only some are there, or one has another shape, or holds other numbers than integers.
    """
    found = {}
    for t in given_tensors(system):
        if t.name not in arrays:
            continue
        a = arrays[t.name]
        if a.shape != t.array_shape:
            raise ShapeError(f"{t.name} has the shape {a.shape}, the layer's is {t.array_shape}")
        if not np.isfinite(a).all() or np.any(a != np.rint(a)) or np.any(np.abs(a) > EXACT):
            raise ShapeError(f"{t.name} holds other numbers than whole ones, which no exact comparison is made with")
        found[t.name] = a.astype(np.int64)
    missing = [t.name for t in given_tensors(system) if t.name not in found]
    if found and missing:
        raise ShapeError(f"{', '.join(found)} is given without {', '.join(missing)}: give all of them, or none for the "
                         "vectors of `symconv vectors`")
    return found or None
