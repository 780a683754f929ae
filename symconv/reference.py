"""The oracle: forward equations evaluated point by point, gradients by scattering over the same points.

It never reads a derived equation. Every summation point of a *forward* equation says which elements
meet in one product; the forward adds that product to the output element, the gradient with respect to
a factor adds (upstream * the other factors) to that factor's element. Bounds, index arithmetic and
zero padding are worked out here from the shapes alone and shared with no kernel generator.

Integer arrays give exact integers (or an error), floating arrays give float64. `sigmoid` and `tanh`
are evaluated in float64, and what follows from them too.

    system = as_system(layer).concrete()
    y = forward(system, {"x": x, "w": w})["y"]
    dx = gradients(system, {"x": x, "w": w}, dy)["x"]

Arrays come in the logical shape of their tensor or in `Tensor.array_shape`, the caller's shape;
results are in `Tensor.array_shape`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import lcm, prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import LimitExceeded, NotSupported, ShapeError
from symconv.reference_points import CHUNK, points
from symconv.system import System

Array = NDArray[Any]
EXACT_FLOAT, EXACT_INT = 2**53, 2**62
EXACT_FUNCTIONS = ("", "relu", "relu'")


def _sigmoid(v: Array) -> Array:
    e = np.exp(-np.abs(v))
    return np.where(v >= 0, 1 / (1 + e), e / (1 + e))


FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "": lambda v: v,
    "relu": lambda v: np.maximum(v, 0),
    "relu'": lambda v: (v > 0).astype(v.dtype),
    "sigmoid": _sigmoid,
    "sigmoid'": lambda v: _sigmoid(v) * (1 - _sigmoid(v)),
    "tanh": lambda v: np.tanh(v),
    "tanh'": lambda v: 1 - np.tanh(v) ** 2,
}


def forward(system: System, arrays: Mapping[str, Array], chunk: int = CHUNK) -> dict[str, Array]:
    """Every equation's result, by tensor name, in order.

    Raises:
        ShapeError: an array is missing or has another shape, or a rational sum is no integer.
        LimitExceeded: the sums could leave the exactly representable integers.
        NotSupported: a sum without bounds, or a pointwise function without values.
    """
    return _shaped(system, _forward(_flat_inputs(system, arrays), chunk, system.equations))


def gradients(system: System, arrays: Mapping[str, Array], upstream: Array, chunk: int = CHUNK) -> dict[str, Array]:
    """dL/dt for every tensor t an equation reads, by tensor name, for dL/d(the last result) = upstream.

    relu'(0) is 0. Raises as `forward` does.
    """
    above = _flat(system.output, upstream)
    return _shaped(system, _gradients(system, _flat_inputs(system, arrays), above, chunk))


def terms(system: System) -> dict[str, int]:
    """For each kernel (`forward`, `activate`, `grad_x`...) an upper bound on the products in one sum.

    Integers up to m in size keep float32 sums of two-factor products exact while bound * m**2 <= 2**24.
    """
    found = {name: _terms(_jobs(e)) for name, e in _kernels(system)}
    for e in system.equations:
        for tensor in e.reads:
            name = f"grad_{tensor.name}"
            found[name] = found.get(name, 0) + _terms(_jobs(e, tensor))
    return found


def _terms(jobs: list[_Job]) -> int:
    return sum(points(j.equation, j.term).fibre(j.target) for j in jobs)


def magnitudes(system: System, arrays: Mapping[str, Array], upstream: Array | None = None,
               chunk: int = CHUNK) -> dict[str, Array]:
    """For each kernel sum |a||b| in float64, the scale of its rounding error: |err| <= gamma_n * sum |a||b|.

    Each kernel is taken by itself: what an earlier kernel computed enters with its true value.
    Gradients are included when `upstream` is given.
    """
    inputs = {n: v.astype(np.float64) for n, v in _flat_inputs(system, arrays).items()}
    values = {**inputs, **_forward(inputs, chunk, system.equations)}
    found = {name: _shape(e.output, _sum(e.output, _jobs(e), values, chunk, absolute=True))
             for name, e in _kernels(system)}
    if upstream is None:
        return found
    above = _flat(system.output, upstream).astype(np.float64)
    grads = {**_gradients(system, inputs, above, chunk), system.output.name: above}
    for e in system.equations:
        delta = grads.get(e.output.name, np.zeros(prod(e.output.extents)))
        for tensor in e.reads:
            name = f"grad_{tensor.name}"
            part = _shape(tensor, _sum(tensor, _jobs(e, tensor), values, chunk, delta, absolute=True))
            found[name] = found[name] + part if name in found else part
    return found


@dataclass(frozen=True)
class _Job:
    """Add coefficient * product of factors (* upstream) to the target, at every point of the term."""

    equation: Equation
    term: Term
    target: Access
    factors: tuple[Access, ...]


def _jobs(equation: Equation, wrt: Tensor | None = None) -> list[_Job]:
    """The forward sum, or the product rule: for each occurrence of `wrt`, the factors beside it."""
    if wrt is None:
        return [_Job(equation, t, equation.left, t.factors) for t in equation.terms]
    jobs = []
    for t in equation.terms:
        for at, f in enumerate(t.factors):
            if f.tensor == wrt:
                own = (Access(f.tensor, f.indices, f.function + "'"),) if f.function else ()
                jobs.append(_Job(equation, t, f, t.factors[:at] + t.factors[at + 1:] + own))
    return jobs


def _kernels(system: System) -> Iterator[tuple[str, Equation]]:
    for number, e in enumerate(system.equations):
        yield ("forward" if number == 0 else "activate" if number == 1 else f"activate{number}"), e


def _forward(flat: Mapping[str, Array], chunk: int, equations: tuple[Equation, ...]) -> dict[str, Array]:
    made: dict[str, Array] = {}
    for e in equations:
        made[e.output.name] = _sum(e.output, _jobs(e), {**flat, **made}, chunk)
    return made


def _gradients(system: System, flat: Mapping[str, Array], upstream: Array, chunk: int) -> dict[str, Array]:
    values = {**flat, **_forward(flat, chunk, system.equations[:-1])}
    found: dict[str, Array] = {}
    last = system.equations[-1]
    for e in reversed(system.equations):
        delta = upstream if e is last else found.get(e.output.name, np.zeros(prod(e.output.extents), np.int64))
        for tensor in e.reads:
            part = _sum(tensor, _jobs(e, tensor), values, chunk, delta)
            found[tensor.name] = _added(found[tensor.name], part) if tensor.name in found else part
    return found


def _added(a: Array, b: Array) -> Array:
    if a.dtype.kind == b.dtype.kind == "i" and _largest(a) + _largest(b) >= EXACT_INT:
        raise LimitExceeded("the sum of two gradients leaves the 64-bit integers")
    return np.asarray(a + b)


def _largest(a: Array) -> int:
    return max(abs(int(a.max())), abs(int(a.min()))) if a.size else 0


def _sum(target: Tensor, jobs: list[_Job], values: Mapping[str, Array], chunk: int,
         upstream: Array | None = None, absolute: bool = False) -> Array:
    """All jobs added up over a flat array: exact integers where everything is integer, else float64."""
    sources = [[_apply(f.function, values[f.tensor.name]) for f in j.factors] for j in jobs]
    if upstream is not None:
        sources = [[upstream, *s] for s in sources]
    if absolute:
        sources = [[np.abs(v) for v in s] for s in sources]
    exact = all(v.dtype.kind == "i" for s in sources for v in s)
    scale = lcm(*(j.term.coefficient.denominator for j in jobs)) if exact else 1
    coefficients = [j.term.coefficient * scale for j in jobs]
    if absolute:
        coefficients = [abs(c) for c in coefficients]
    kind = _kind(jobs, sources, coefficients, target) if exact else np.float64
    out = np.zeros(prod(target.extents), kind)
    for j, c, s in zip(jobs, coefficients, sources, strict=True):
        _scatter(out, j, kind(c), [v.astype(kind) for v in s], upstream is not None, chunk)
    return _unscaled(out, scale, target) if exact else out


def _apply(function: str, values: Array) -> Array:
    if function not in FUNCTIONS:
        raise NotSupported(f"the pointwise function {function!r} has no values; known: "
                           f"{', '.join(f for f in FUNCTIONS if f)}")
    return FUNCTIONS[function](values if function in EXACT_FUNCTIONS else values.astype(np.float64))


def _kind(jobs: list[_Job], sources: list[list[Array]], coefficients: list[Fraction], target: Tensor) -> type[Any]:
    """float64 while every partial sum stays exact in it, else int64."""
    bound = sum(abs(int(c)) * prod(map(_largest, s)) * points(j.equation, j.term).fibre(j.target)
                for j, c, s in zip(jobs, coefficients, sources, strict=True))
    parts = max((_largest(v) for s in sources for v in s), default=0)
    if max(bound, parts) >= EXACT_INT:
        raise LimitExceeded(f"the sums for {target.name} may reach {bound}, past 2**62")
    return np.float64 if max(bound, parts) < EXACT_FLOAT else np.int64


def _scatter(out: Array, job: _Job, coefficient: Any, sources: list[Array], with_upstream: bool, chunk: int) -> None:
    above = (job.equation.left,) if with_upstream else ()
    for block in points(job.equation, job.term).blocks((job.target, *above, *job.factors), chunk):
        to, *offsets = block.offsets
        span = int(to.max()) + 1
        for start, *places in block.starts:
            product = np.full(len(to), coefficient)
            for values, at, o in zip(sources, places, offsets, strict=True):
                product *= values[at:].take(o)
            if out.dtype.kind == "f":
                out[start:start + span] += np.bincount(to, product, span)
            else:
                np.add.at(out[start:start + span], to, product)


def _unscaled(out: Array, scale: int, target: Tensor) -> Array:
    whole = out.astype(np.int64)  # floats here are whole and below 2**53
    if scale > 1 and np.any(whole % scale):
        raise ShapeError(f"{target.name} is no integer with these integer arrays (denominator {scale}); "
                         "give floating arrays")
    return whole // scale


def _flat_inputs(system: System, arrays: Mapping[str, Array]) -> dict[str, Array]:
    missing = [t.name for t in system.inputs if t.name not in arrays]
    if missing:
        raise ShapeError(f"no array is given for {', '.join(missing)}")
    return {t.name: _flat(t, arrays[t.name]) for t in system.inputs}


def _flat(tensor: Tensor, array: Array) -> Array:
    array = np.asarray(array)
    if array.shape not in (tensor.extents, tensor.array_shape):
        raise ShapeError(f"{tensor.name} has the shape {array.shape}, expected {tensor.array_shape}")
    if array.dtype.kind not in "iufb":
        raise ShapeError(f"{tensor.name} holds {array.dtype}, expected integers or floats")
    if array.dtype.kind == "u" and _largest(array) >= EXACT_INT:
        raise LimitExceeded(f"{tensor.name} holds integers of 2**62 and more")
    return array.astype(np.float64 if array.dtype.kind == "f" else np.int64).reshape(-1)


def _shape(tensor: Tensor, flat: Array) -> Array:
    return flat.reshape(tensor.array_shape)


def _shaped(system: System, flat: Mapping[str, Array]) -> dict[str, Array]:
    tensors = {t.name: t for e in system.equations for t in (e.output, *e.reads)}
    return {n: _shape(tensors[n], v) for n, v in flat.items()}
