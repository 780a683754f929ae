"""What notices a defect: every check of a battery, run on small layers that cross the family.

    python -m tests.mutation.battery     says which checks fail: none, for symconv as it is

The checks are independent of one another:

    emission     nothing comes out: an error, and no kernel that could be wrong
    proof        the prover finds a derived gradient to be the transpose of its forward
    read back    the schedule's nodes, or array operations, are proved to be the derived equation
    identity     the matrices of a bilinear algorithm, its program and the cover of its tiles are proved
    oracle       kernels against exact sums over the forward's points; poison, margins, the adjoint identity
    loops        kernels against nested loops over the arguments of the layer, and the shapes these give
    windows      the forward kernel against a dense correlation of zero-stuffed arrays
    Jacobian     gradient kernels against the forward kernel on basis vectors
    agreement    C kernels against NumPy kernels
    numbers      the schedule's nodes, run on numbers, against the oracle
    compiler     C is clean under -Wall -Wextra -Werror
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

CHECKS = ("emission", "proof", "read back", "identity", "oracle", "loops", "windows", "Jacobian",
          "agreement", "numbers", "compiler")
Report = Callable[[str, str], None]
Array = np.ndarray
MARGIN = 512


def settings() -> dict[str, tuple[Any, dict[str, Any]]]:
    """A layer, and how it is emitted. Small, and together of every feature and every kind of node."""
    from symconv import Conv, Dense, Equation, Tensor, at_least, equal, indices
    from symconv.equation import as_term

    plain = {"schedules": ("plain",)}

    def direct(isa: str, pick: int | None = None, **more: Any) -> dict[str, Any]:
        return {"schedules": ("direct",), "isa": isa, "pick": pick, "targets": ("c",), **more}

    strided = Conv((8, 9), (2, 3), 2, 3, stride=(2, 3), dilation=(1, 2), padding=(1, 0))
    up = Conv((3, 4), (3, 2), 3, 2, stride=2, padding=1, output_padding=1, transposed=True, bias=True)
    i, j, k = indices("i j k")
    w, x, b = Tensor("w", 3), Tensor("x", 13), Tensor("b", 6)
    by_hand = Equation(Tensor("y", 6)[i], [2 * (w[j] * x[3 * i - 2 * j + 4]), w[k + 2] * x[i - k],
                                          -1 * as_term(b[i]).where(at_least(i, 2))])
    u, v = Tensor("w", (5, 4)), Tensor("x", (5, 9))
    out = Tensor("y", (6, 5))[i, j]
    causal = Equation(out, (u[j, k] * v[j, i + k]).where(at_least(i, k)))
    doubled = Equation(out, 2 * (u[j, k] * v[j, i + k]))
    return {
        "equation": (by_hand, plain),
        "guard": (Equation(out, [u[j, k] * v[j, i + k], (v[j, i] * b[0]).where(at_least(i + j, 3)),
                                 (v[j, i] * b[2]).where(equal(j, 1)),
                                 (v[j, i] * b[1]).where(at_least(k, 0), at_least(2, k))]), plain),
        "three bounds": (Equation(out, (u[j, k] * v[j, i + k]).where(at_least(k, i - 3), at_least(k + j, 2))), plain),
        "condition": (causal, direct("neon", targets=("c", "numpy"))),
        "coefficient": (doubled, direct("neon", targets=("c", "numpy"))),
        "floor remainder": (Conv(9, 3, 2, 2, stride=2, padding=((0, 2),), bias=True), plain),
        "groups": (Conv((7, 6), (2, 3), 4, 2, batch=2, groups=2, stride=(2, 1), dilation=(2, 1), padding=(1, 0),
                        bias=True), plain),
        "transposed": (Conv((3, 2), (3, 2), 2, 4, batch=2, groups=2, stride=(2, 3), padding=((1, 0), (0, 0)),
                            transposed=True, output_padding=(1, 2), bias=True), plain),
        "dilation": (Conv(11, 3, stride=2, dilation=3, padding=3, flip=True), plain),
        "activation": (Conv(6, 3, padding=2, flip=True, activation="relu"), plain),
        "dense": (Dense(4, 3, batch=2, bias=True), plain),
        "added": (Conv((5, 5), (3, 3), 2, 3, stride=2, padding=1), {**plain, "accumulate": True}),
        "int8": (Conv((4, 5), (2, 2), 2, 2, padding=1, bias=True), {**plain, "dtype": "int8"}),
        "tiles": (Conv((5, 7), (3, 3), 3, 5, padding=1, bias=True), direct("neon")),
        "tiles 2": (Conv((5, 9), (3, 3), 3, 5, padding=1, bias=True), direct("avx2", 40)),
        "strided tiles": (strided, direct("neon", 21)),
        "pointwise": (Conv((3, 5), (1, 1), 5, 7, bias=True), direct("neon", 3)),
        "outputs that nothing reaches": (Conv(7, 1, 5, 5, stride=3), direct("neon", targets=("c", "numpy"))),
        "depthwise": (Conv((6, 6), (3, 3), 5, 5, groups=5, padding=1, batch=2), direct("neon")),
        "transposed tiles": (up, direct("neon")),
        "added tiles": (Conv((4, 5), (3, 3), 3, 5, padding=1), direct("neon", 11, accumulate=True)),
        "sums in vectors": (Conv((3, 9), (1, 1), 8, 4), direct("avx2", 9)),
        "Winograd": (Conv((9, 9), (3, 3), 8, 8, padding=1, bias=True), {
            "schedules": ("bilinear",), "isa": "avx2", "targets": ("c",)}),
    }


@dataclass
class Emitted:
    """A layer's kernels, to be called by name."""

    name: str
    layer: Any
    package: Any

    @cached_property
    def module(self) -> Any:
        from symconv.validate import load_numpy

        return load_numpy(self.package)

    def numpy(self, function: Any, inputs: list[Array], out: Array) -> Array:
        more = [out.copy()] if self.package.adds(function) else []
        return np.asarray(getattr(self.module, function.name)(*(a.copy() for a in inputs), *more))

    def c(self, library: Path, function: Any, inputs: list[Array], out: Array, whole: bool = False) -> Array:
        """Between margins, with a poisoned workspace."""
        from symconv.native import load

        package = self.package
        size = package.rounded[function.name].whole.routine.workspace if whole else package.workspace[function.name]
        held = [_guarded(a) for a in (*inputs, out)]
        lent = [_guarded(np.full(size, 255, np.uint8))] if size else []
        load(library, f"{package.whole_stem if whole else package.stem}_{function.name}")(
            *(a for _, a in (*held, *lent)))
        for memory, a in (*held, *lent):
            if not (memory[:MARGIN] == 255).all() or not (memory[MARGIN + a.nbytes:] == 255).all():
                raise MemoryError("written beside an array")
        if any(not np.array_equal(a, b, equal_nan=True) for a, (_, b) in zip(inputs, held, strict=False)):
            raise MemoryError("an input was written to")
        return held[-1][1]


def _guarded(values: Array) -> tuple[Array, Array]:
    memory = np.full(values.nbytes + 2 * MARGIN, 255, np.uint8)
    inside = memory[MARGIN:MARGIN + values.nbytes].view(values.dtype).reshape(values.shape)
    inside[...] = values
    return memory, inside


def run(report: Report, enough: int = len(CHECKS), only: tuple[str, ...] = ()) -> None:
    """Every check; `report(check, detail)` for each that fails, until there are enough."""
    found: set[str] = set()

    def told(check: str, detail: object) -> None:
        if check not in found:
            found.add(check)
            report(check, f"{detail}"[:200])
        if len(found) >= enough:
            raise StopIteration

    try:
        _run(told, only)
    except StopIteration:
        return


def _run(told: Report, only: tuple[str, ...]) -> None:
    from symconv.derivation import derive
    from symconv.emit import emit

    listened(told)
    made = []
    for name, (layer, options) in settings().items():
        if only and name not in only:
            continue
        try:
            derivation = derive(layer)
            for wrt, proof in derivation.proofs.items():
                if not proof.proved:
                    told("proof", f"{name}: d{wrt}: {proof.reason}")
            package = emit(derivation, **options)
        except StopIteration:
            raise
        except Exception as e:
            told("emission", f"{name}: {type(e).__name__}: {e}")
            continue
        e = Emitted(name, layer, package)
        made.append(e)
        if f"{package.stem}.py" in package.files:
            compared(told, e, "numpy", e.numpy)
    library = compiled(told, made)
    for e in made if library else ():
        compared(told, e, "c", lambda *given, e=e, **more: e.c(library, *given, **more))
        if f"{e.package.stem}.py" in e.package.files:
            agreed(told, e, library)


def listened(told: Report) -> None:
    """Proofs that stop emission are reported, and emission goes on, so that the other checks have their say."""
    from symconv import c_bilinear, c_function, numpy_target
    from symconv.decide.verdict import Verdict
    from symconv.errors import ValidationError
    from symconv.readback.check import Proof

    def passing(check: str, right: Callable[..., Any], instead: Any) -> Callable[..., Any]:
        def call(*given: Any, **more: Any) -> Any:
            try:
                found = right(*given, **more)
            except ValidationError as e:
                told(check, e)
                return instead
            if isinstance(found, Verdict) and not found.proved:
                told(check, found.reason)
                return instead
            return found
        return call

    c_function.read_back = passing("read back", c_function.read_back, Proof(0))
    numpy_target.read_back_arrays = passing("read back", numpy_target.read_back_arrays, Proof(0))
    c_bilinear.check_program = passing("identity", c_bilinear.check_program, Verdict("proved"))
    c_bilinear.check_cover = passing("identity", c_bilinear.check_cover, 0)
    numbers_too(told, c_function)


def numbers_too(told: Report, c_function: Any) -> None:
    """Beside reading nodes back, run them."""
    import run_nodes

    from symconv.reference import forward
    from symconv.system import System

    right = c_function.read_back

    def call(equation: Any, bodies: Any, workspace: Any = (), starts: Any = (), accumulate: bool = False) -> Any:
        whole = all(t.coefficient.denominator == 1 for t in equation.terms)
        if whole and not any(f.function for t in equation.terms for f in t.factors):
            rng = np.random.default_rng(1)
            given = {t.name: rng.integers(1, 99, t.array_shape) for t in equation.reads}
            before = rng.integers(1, 99, equation.output.array_shape) if accumulate else None
            expected = forward(System((equation,)), given)[equation.output.name].reshape(-1)
            memory = {n: a.reshape(-1).tolist() for n, a in given.items()}
            memory[equation.output.name] = [None] * expected.size if before is None else before.reshape(-1).tolist()
            try:
                run_nodes.run(bodies, memory, workspace)
                wanted = expected if before is None else expected + before.reshape(-1)
                if memory[equation.output.name] != wanted.tolist():
                    told("numbers", f"{equation}: other sums")
            except StopIteration:
                raise
            except Exception as e:
                told("numbers", f"{equation}: {type(e).__name__}: {e}")
        return right(equation, bodies, workspace, starts, accumulate)

    c_function.read_back = call


def compiled(told: Report, made: list[Emitted]) -> Path | None:
    from symconv.errors import ToolchainError
    from symconv.native import BuildFolder, compile_library

    files = {f"{n[:-2]}{k}{n[-2:]}" if n.endswith(".c") else n: t for k, e in enumerate(made)
             for n, t in (*e.package.files.items(), *e.package.whole.items()) if n.endswith((".c", ".h"))}
    global KEEP
    KEEP = BuildFolder()
    for flags in (["-O0", "-Werror"], ["-O0"]):
        try:
            return compile_library(files, KEEP, flags)
        except ToolchainError as e:
            told("compiler", e)
    return None


def compared(told: Report, e: Emitted, target: str, call: Callable[..., Array]) -> None:
    """One target's kernels with everything that says what they must be."""
    for check, compare in (("oracle", by_oracle), ("loops", by_loops), ("windows", by_windows),
                           ("Jacobian", by_jacobian)):
        if check != "oracle" and e.package.accumulate:
            continue
        rounded = check != "oracle" and bool(e.package.rounded)  # sums of integers, with a small error
        try:
            for detail in compare(e, target, (lambda *given: np.rint(call(*given))) if rounded else call):
                told(check, f"{e.name}, {target}: {detail}")
        except StopIteration:
            raise
        except Exception as error:
            told(check, f"{e.name}, {target}: {type(error).__name__}: {error}")


def by_oracle(e: Emitted, target: str, call: Callable[..., Array]) -> Iterator[str]:
    from symconv.native import Outcome
    from symconv.validate import c_cases, check_outcomes, make_cases

    cases = list(make_cases(e.package, np.random.default_rng(0)))
    cases = c_cases(e.package, cases) if target == "c" else cases
    outcomes = []
    for c in cases:
        more = {"whole": True} if c.factor else {}
        try:
            outcomes.append(Outcome(call(c.function, list(c.inputs), c.prepared, **more), ""))
        except Exception as error:
            outcomes.append(Outcome(None, f"{type(error).__name__}: {error}"))
    yield from (str(c) for c in check_outcomes(e.package, target, cases, outcomes) if not c.passed)


def given(e: Emitted) -> dict[str, Array]:
    """Small integers for every array, by name; none is zero, so that no factor hides another."""
    rng, package = np.random.default_rng(5), e.package
    tensors = {t.name: t for f in package.functions for t in f.arguments}
    return {n: rng.choice((-3, -2, -1, 1, 2, 3), t.array_shape).astype(package.types[n]) for n, t in tensors.items()}


def bias(e: Emitted, arrays: Mapping[str, Array]) -> Array | None:
    """What the layer adds, whether or not its kernels take it."""
    count = e.layer.filters if hasattr(e.layer, "filters") else e.layer.outputs
    return arrays.get("b", np.ones(count)).astype(np.int64) if e.layer.bias else None


def empty(e: Emitted, function: Any) -> Array:
    output = function.equation.output
    kind = np.dtype(e.package.types[output.name])
    return np.full(output.array_shape, np.nan if kind.kind == "f" else 77, kind)


def by_loops(e: Emitted, target: str, call: Callable[..., Array]) -> Iterator[str]:
    import nested_loops

    arrays, dense = given(e), not hasattr(e.layer, "stride")
    if not hasattr(e.layer, "batch") or e.layer.activation:
        return
    wide = {n: a.astype(np.int64) for n, a in arrays.items()}
    forward, gradients = (nested_loops.dense, nested_loops.dense_gradients) if dense else \
        (nested_loops.forward, nested_loops.gradients)
    y = forward(e.layer, wide["x"], wide["w"], bias(e, arrays))
    upstream = np.random.default_rng(6).integers(1, 4, y.shape)
    if "dy" in arrays and arrays["dy"].shape != y.shape:
        yield f"the output has the shape {arrays['dy'].shape}, {y.shape} windows fit"
        return
    arrays["dy"] = upstream.astype(arrays["dy"].dtype)
    expected = {"forward": y, **{f"grad_{n}": g for n, g in
                                 gradients(e.layer, wide["x"], wide["w"], upstream).items()}}
    for f in e.package.functions:
        got = call(f, [arrays[t.name] for t in f.arguments], empty(e, f))
        if not np.array_equal(got, expected[f.name]):
            yield f"{f.name} differs"


def by_windows(e: Emitted, target: str, call: Callable[..., Array]) -> Iterator[str]:
    """Stride, dilation, padding and transposition as zeros put between and around, then one dense correlation."""
    layer, arrays = e.layer, given(e)
    if not hasattr(layer, "batch") or layer.activation:
        return
    if not hasattr(layer, "stride"):
        yield from _same(e, call, arrays, arrays["x"] @ arrays["w"].T + bias(e, arrays))
        return
    x, w = arrays["x"].astype(np.int64), arrays["w"].astype(np.int64)
    if layer.flip:
        w = w[(..., *[slice(None, None, -1)] * layer.rank)]
    if layer.transposed:  # a correlation of the stuffed input with the kernel turned round, its channels exchanged
        per = layer.channels // layer.groups
        w = np.concatenate([w[g * per:(g + 1) * per].swapaxes(0, 1) for g in range(layer.groups)])
        w = w[(..., *[slice(None, None, -1)] * layer.rank)]
        x = stuffed(x, layer.stride)
    w = stuffed(w, layer.dilation)
    sides = [(k - 1 - lo, k - 1 - hi + extra) if layer.transposed else (lo, hi) for k, (lo, hi), extra in
             zip(w.shape[2:], layer.padding, layer.output_padding, strict=True)]
    x = np.pad(x, [(0, 0), (0, 0), *((max(0, a), max(0, b)) for a, b in sides)])
    x = x[(..., *(slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape[2:], sides, strict=True)))]
    steps = (1,) * layer.rank if layer.transposed else layer.stride
    axes = tuple(range(2, 2 + layer.rank))
    seen = np.lib.stride_tricks.sliding_window_view(x, w.shape[2:], axes)[(..., *[slice(None)] * layer.rank)]
    seen = seen[(slice(None), slice(None), *(slice(None, None, s) for s in steps))]
    parts = zip(np.split(seen, layer.groups, 1), np.split(w, layer.groups, 0), strict=True)
    letters = "hij"[:layer.rank], "pqr"[:layer.rank]
    y = np.concatenate([np.einsum(f"nc{letters[0]}{letters[1]},fc{letters[1]}->nf{letters[0]}", a, b)
                        for a, b in parts], 1)
    b = bias(e, arrays)
    y = y if b is None else y + b.reshape(1, -1, *[1] * layer.rank)
    yield from _same(e, call, arrays, y)


def _same(e: Emitted, call: Callable[..., Array], arrays: Mapping[str, Array], y: Array) -> Iterator[str]:
    f = e.package.functions[0]
    got = call(f, [arrays[t.name] for t in f.arguments], empty(e, f))
    if got.shape != y.shape or not np.array_equal(got, y):
        yield f"forward differs, shapes {got.shape} and {y.shape}"


def stuffed(a: Array, steps: tuple[int, ...]) -> Array:
    """With zeros between the elements along the last axes."""
    wide = np.zeros((*a.shape[:2], *((n - 1) * s + 1 for n, s in zip(a.shape[2:], steps, strict=True))), a.dtype)
    wide[(..., *(slice(None, None, s) for s in steps))] = a
    return wide


def by_jacobian(e: Emitted, target: str, call: Callable[..., Array]) -> Iterator[str]:
    """d(sum of upstream * y) by an element of an array is what the forward makes of that basis vector."""
    arrays, functions = given(e), {f.name: f for f in e.package.functions}
    f = functions["forward"]
    if "dy" not in arrays or max(a.size for a in arrays.values()) > 400:
        return

    def forward(values: Mapping[str, Array]) -> Array:
        return call(f, [values[t.name] for t in f.arguments], empty(e, f)).astype(np.int64).reshape(-1)

    for name in (n for n in ("x", "w", "b") if f"grad_{n}" in functions):
        g = functions[f"grad_{name}"]
        zero = {**arrays, name: np.zeros_like(arrays[name])}
        base = forward(zero)
        upstream = arrays["dy"].astype(np.int64).reshape(-1)
        expected = np.zeros(arrays[name].size, np.int64)
        for k in range(arrays[name].size):
            basis = np.zeros(arrays[name].size, arrays[name].dtype)
            basis[k] = 1
            expected[k] = (forward({**zero, name: basis.reshape(arrays[name].shape)}) - base) @ upstream
        got = call(g, [arrays[t.name] for t in g.arguments], empty(e, g))
        if not np.array_equal(got.reshape(-1), expected):
            yield f"grad_{name} is not the transpose of the forward kernel"


def agreed(told: Report, e: Emitted, library: Path) -> None:
    arrays = given(e)
    for f in e.package.functions:
        inputs, out = [arrays[t.name] for t in f.arguments], empty(e, f)
        out = np.ones_like(out) if e.package.adds(f) else out
        try:
            a, b = e.numpy(f, inputs, out), e.c(library, f, inputs, out)
        except Exception as error:
            told("agreement", f"{e.name}: {f.name}: {type(error).__name__}: {error}")
            continue
        if not np.array_equal(a, b):
            told("agreement", f"{e.name}: {f.name}: C and NumPy differ")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    failures: list[tuple[str, str]] = []
    run(lambda check, detail: failures.append((check, detail)))
    print(*failures or ["nothing fails"], sep="\n")
    sys.exit(bool(failures))
