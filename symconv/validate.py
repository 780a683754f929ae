"""Run every emitted kernel against the oracle before it is called good; the outcome is Evidence."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.c_target import Rounded
from symconv.derivation import Function
from symconv.emit import Package
from symconv.errors import LimitExceeded, ValidationError
from symconv.expected import all_inputs, expected, is_fractional, is_opaque, linear_groups
from symconv.expected import upstream as upstream_of
from symconv.native import (
    BuildFolder,
    Call,
    Outcome,
    Preparation,
    compile_library,
    find_compiler,
    run_in_child,
    run_program,
)
from symconv.reference import magnitudes
from symconv.summands import sources, summands

Array = NDArray[Any]
EXACT = {"float32": 2**24, "float64": 2**53, "int8": 2**31 - 1}
LARGEST = {"float32": 9, "float64": 99, "int8": 127}
MANTISSA = {"float32": 2**24 - 1, "float64": 2**53 - 1}  # real data use every bit of the type
AGAIN = ("real data 2", "real data 3")  # for functions that round in a way of their own
LARGE = 10**7  # products above which one integer case has to do
MAX_PRODUCTS = 2 * 10**9


@dataclass(frozen=True)
class Case:
    """Inputs of one function, what its output must be, and how far off it may be.

    Args:
        factor: where it is run with whole constants, how much larger its result is; else 0.
        beforehand: weights are prepared by a call of its own.
    """

    function: Function
    label: str
    inputs: tuple[Array, ...]
    prepared: Array
    expected: Array
    tolerance: Array | float
    factor: int = 0
    beforehand: bool = False


@dataclass(frozen=True)
class Check:
    """One thing that was established, or not, about one kernel."""

    function: str
    target: str
    what: str
    passed: bool
    detail: str = ""

    def __str__(self) -> str:
        return f"{'ok  ' if self.passed else 'FAIL'} {self.target:<5} {self.function:<8} {self.what}" + (
            f": {self.detail}" if self.detail else "")


@dataclass(frozen=True)
class Evidence:
    """All checks of one layer's kernels, and what was not run."""

    name: str
    checks: tuple[Check, ...]
    compiler: str = ""
    not_run: tuple[str, ...] = ()
    hashes: tuple[tuple[str, str], ...] = ()

    @property
    def passed(self) -> bool:
        return all(c.passed for c in self.checks)

    def of(self, function: str, target: str) -> tuple[Check, ...]:
        return tuple(c for c in self.checks if (c.function, c.target) == (function, target))

    def require(self) -> None:
        """Raise ValidationError naming every failed check."""
        failed = [str(c) for c in self.checks if not c.passed]
        if failed:
            raise ValidationError(f"{self.name} failed its validation:\n" + "\n".join(failed))

    def to_json(self) -> str:
        checks = [{"function": c.function, "target": c.target, "check": c.what, "passed": c.passed, "detail": c.detail}
                  for c in self.checks]
        return json.dumps({"name": self.name, "compiler": self.compiler, "not_run": self.not_run,
                           "sha256": dict(self.hashes), "checks": checks}, indent=1) + "\n"

    def __str__(self) -> str:
        good = sum(c.passed for c in self.checks)
        head = f"{self.name}: {good} of {len(self.checks)} checks passed"
        failed = [f"  {c}" for c in self.checks if not c.passed]
        return "\n".join([head, *failed, *(f"  not run: {n}" for n in self.not_run)])


def validate(package: Package, seed: int = 0, library: Path | None = None) -> Evidence:
    """Run all emitted kernels of a package, the C ones from `library` when it is already compiled.

    Raises:
        LimitExceeded: checking would take more than a stated number of products.
    """
    work = max(package.additions.values(), default=0)
    if work > MAX_PRODUCTS:
        raise LimitExceeded(f"validating {package.stem} needs {work} products a kernel; the limit is {MAX_PRODUCTS}")
    cases = list(make_cases(package, np.random.default_rng(seed)))
    checks, not_run, compiler = [], [], ""
    if any(n.endswith(".py") for n in package.files):
        checks += check_outcomes(package, "numpy", cases, run_numpy(package, cases))
    if any(n.endswith(".c") for n in package.files):
        found = find_compiler()
        if found is None:
            not_run = [f"{package.stem}.c ({f.name}): no C compiler found" for f in package.functions]
        else:
            compiler = str(found)
            folder = BuildFolder()
            library = library or compile_library(_c_files(package), folder, compiler=found, exact=package.exact)
            cases = c_cases(package, cases)
            checks += check_outcomes(package, "c", cases, run_in_child(library, c_calls(package, cases)))
            checks += [_self_test(package, folder)] if package.self_test else []
    hashes = tuple((n, hashlib.sha256(t.encode()).hexdigest()) for n, t in package.files.items())
    return Evidence(package.stem, tuple(checks), compiler, tuple(not_run), hashes)


def _c_files(package: Package) -> dict[str, str]:
    return {n: t for n, t in (*package.files.items(), *package.whole.items())
            if n.endswith((".c", ".h")) and n != package.self_test}


def _self_test(package: Package, folder: BuildFolder) -> Check:
    """Run the test that travels with the kernels, here."""
    files = {n: t for n, t in package.files.items() if n.endswith((".c", ".h"))}
    failure = run_program(files, folder, exact=package.exact)
    return Check("self-test", "c", "the program that travels with the kernels", not failure, failure)


def c_cases(package: Package, cases: Sequence[Case]) -> list[Case]:
    """The same cases for C: where a function rounds otherwise than its sum, integers go to its build with whole
    constants, which has to be exact, and real data to the build that is shipped, within the bound of its own.
    Where weights can be prepared, each case once more like that."""
    found = [_rounded_case(package.rounded[c.function.name], c) if c.function.name in package.rounded else c
             for c in cases]
    return found + [replace(c, label=f"{c.label}, prepared", beforehand=True) for c in found
                    if c.function.name in package.prepared]


def _rounded_case(rounded: Rounded, c: Case) -> Case:
    if not c.label.startswith("real"):
        wide = tuple(a.astype(np.float64) for a in c.inputs)
        return replace(c, inputs=wide, prepared=_poison(c.prepared.shape, np.dtype(np.float64)),
                       expected=rounded.factor * c.expected, factor=rounded.factor)
    given = {t.name: a for t, a in zip(c.function.arguments, c.inputs, strict=True)}
    return replace(c, tolerance=rounded.bound(given).reshape(c.expected.shape))


def c_calls(package: Package, cases: Sequence[Case]) -> list[Call]:
    """How `c_cases` are run."""
    return [_c_call(package, c) for c in cases]


def _c_call(package: Package, c: Case) -> Call:
    name = c.function.name
    stem, prepared, workspace = package.stem, package.prepared.get(name), package.workspace[name]
    if c.factor:
        whole = package.rounded[name].whole
        stem, prepared, workspace = package.whole_stem, whole.prepared, whole.routine.workspace
    if not c.beforehand:
        return Call(f"{stem}_{name}", c.inputs, c.prepared, workspace)
    assert prepared is not None
    names = [t.name for t in c.function.arguments]
    first, rest = prepared.prepare, prepared.rest
    places = tuple(names.index(n) if n in names else -1 for n in rest.arguments[:-1])
    return Call(f"{stem}_{rest.name}", c.inputs, c.prepared, rest.workspace, Preparation(
        f"{stem}_{first.name}", tuple(map(names.index, first.arguments[:-1])), prepared.size * c.prepared.itemsize,
        first.workspace, places))


def load_numpy(package: Package) -> ModuleType:
    """The emitted NumPy module, from its text."""
    module = ModuleType(package.stem)
    exec(compile(package.files[f"{package.stem}.py"], f"{package.stem}.py", "exec"), module.__dict__)
    return module


def run_numpy(package: Package, cases: Sequence[Case]) -> list[Outcome]:
    """Run each case on copies of its arrays; an exception is an outcome, not an end."""
    module = load_numpy(package)
    outcomes = []
    for c in cases:
        given, held = [a.copy() for a in c.inputs], c.prepared.copy()
        adds = package.adds(c.function)
        try:
            result = getattr(module, c.function.name)(*given, *([held] if adds else []))
        except Exception as e:  # whatever an emitted kernel raises is its failure, not ours
            outcomes.append(Outcome(None, f"{type(e).__name__}: {e}"))
            continue
        changed = any(a.tobytes() != b.tobytes() for a, b in zip(given, c.inputs, strict=True))
        outcomes.append(Outcome(held if adds else np.asarray(result), "an input was written to" if changed else ""))
    return outcomes


def make_cases(package: Package, rng: np.random.Generator) -> Iterator[Case]:
    """Integer cases with tolerance 0, and real data held to gamma_n * sum |a||b|.

    One draw gives every function of the layer the same arrays, so that outputs can be compared
    across functions (the adjoint identity).
    """
    large = max(package.additions.values(), default=0) > LARGE
    labels = ["integers 1"] if large else ["integers 1", "integers 2"]
    if package.dtype != "int8":
        labels += ["real data"]
    labels += AGAIN[:1 if large else 2] if package.rounded else []
    for label in labels:
        values = _draw(package, rng, real=label.startswith("real data"))
        for f in (f for f in package.functions if label not in AGAIN or f.name in package.rounded):
            yield _case(package, f, rng, label, values)


def _draw(package: Package, rng: np.random.Generator, real: bool) -> dict[str, Array]:
    """Values for every array: nonzero integers small enough to stay exact, or such on a fine grid."""
    tensors = {t.name: t for f in package.functions for t in f.arguments}
    through = {a.tensor.name for f in package.functions for t in f.equation.terms for a in t.factors if a.function}
    most = MANTISSA[package.dtype] if real else min(_largest(package, f) for f in package.functions)
    drawn = {n: _random(rng, t.array_shape, most, zero=n in through) for n, t in tensors.items()}
    return {n: v * (4.0 / most) for n, v in drawn.items()} if real else drawn


def _count(package: Package, f: Function) -> int:
    """An upper bound on the products in one output element, the start value included."""
    return summands(package.system, f) + 1


def _largest(package: Package, f: Function) -> int:
    """The largest magnitude for which max|a| * max|b| * terms stays exactly representable."""
    weight = max([Fraction(1), *(abs(t.coefficient) for t in f.equation.terms)])
    degree = max((len(t.factors) for t in f.equation.terms), default=1)
    room = EXACT[package.dtype] / 2
    if f.name in package.rounded:
        room = min(room, EXACT["float64"] / 2 / package.rounded[f.name].growth)
    room = room / _count(package, f) / float(weight)
    most = int(room ** (1 / max(1, degree)))
    if most < 1:
        raise LimitExceeded(f"{f.name} sums {_count(package, f)} terms, too many to be exact in {package.dtype}")
    return min(LARGEST[package.dtype], most)


def _case(package: Package, f: Function, rng: np.random.Generator, label: str, values: Mapping[str, Array]) -> Case:
    output = f.equation.output
    result = np.dtype(package.types[output.name])
    inputs = tuple(np.asarray(values[t.name], package.types[t.name], order="C") for t in f.arguments)
    rounds = label.startswith("real data") or is_fractional(f)
    seen = {t.name: a.astype(np.float64 if a.dtype.kind == "f" and rounds else np.int64)
            for t, a in zip(f.arguments, inputs, strict=True)}
    right = expected(package.system, f, seen)
    prepared = _poison(output.array_shape, result)
    if package.adds(f):
        prepared = np.asarray(_random(rng, output.array_shape, 9), result)  # an array, also without axes
        right = right + prepared.astype(right.dtype)
    inexact = label.startswith("real data") or is_opaque(f) or is_fractional(f)
    tolerance = _tolerance(package, f, seen) if inexact else 0.0
    return Case(f, label, inputs, prepared, right, tolerance)


def _random(rng: np.random.Generator, shape: tuple[int, ...], most: int, zero: bool = False) -> Array:
    """Integers from -most to most; without zero, so that no factor hides another."""
    values = rng.integers(-most, most, size=shape, endpoint=zero)
    return values if zero else values + (values >= 0)


def _poison(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    return np.full(shape, np.nan if dtype.kind == "f" else np.iinfo(dtype).min + 85, dtype)


def _tolerance(package: Package, f: Function, values: Mapping[str, Array]) -> Array:
    """gamma_n * sum |a||b| with n = terms + 1 (N. Higham, Accuracy and Stability, ch. 3); doubled for
    float64 only, where the oracle's own sums round alike."""
    eps, n = float(np.finfo(package.dtype).eps), _count(package, f) + package.adds(f)
    if is_opaque(f):  # sigmoid, tanh and their slopes are at most 1, with a few units of error
        plain = {a.tensor.name for t in f.equation.terms for a in t.factors if not a.function}
        return np.asarray(8 * eps * n * float(np.prod([max(1.0, np.abs(values[p]).max()) for p in plain])))
    scale: Array = np.asarray(9.0 if package.adds(f) else 0.0)
    for system, kernel in sources(package.system, f):
        upstream = None if kernel == "forward" else upstream_of(system, values)
        scale = scale + magnitudes(system, all_inputs(system, values), upstream)[kernel]
    bound = (n * eps / 2) / (1 - n * eps / 2) * scale
    return 2 * bound if package.dtype == "float64" else bound


def check_outcomes(package: Package, target: str, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> list[Check]:
    """Compare each outcome with its case, then the outputs with one another (the adjoint identity)."""
    checks = []
    for c, o in zip(cases, outcomes, strict=True):
        detail = o.error or compare(o.output, c)
        exact = "within the rounding bound of the oracle"
        if isinstance(c.tolerance, float) and c.tolerance == 0:
            exact = f"{c.factor} times the oracle, in whole numbers" if c.factor else "equal to the oracle"
        elif target == "c" and c.function.name in package.rounded:
            exact = "within the bound of its own of the oracle"
        checks.append(Check(c.function.name, target, f"{c.label}: {exact}", not detail, detail))
    return checks + _adjoint(package, target, cases, outcomes)


def compare(output: Array | None, c: Case) -> str:
    """Empty when the output is right, else the first wrong index with both values."""
    if output is None:
        return "no output"
    if output.shape != c.expected.shape:
        return f"shape {output.shape}, expected {c.expected.shape}"
    if output.dtype != c.prepared.dtype:
        return f"dtype {output.dtype}, expected {c.prepared.dtype}"
    wide = np.float64 if output.dtype.kind == "f" or c.expected.dtype.kind == "f" else np.int64
    with np.errstate(invalid="ignore"):
        wrong = ~(np.abs(output.astype(wide) - c.expected.astype(wide)) <= c.tolerance)
    if not wrong.any():
        return ""
    at = tuple(int(i) for i in np.argwhere(wrong)[0])
    return (f"{int(wrong.sum())} of {wrong.size} elements differ, first at {list(at)}: "
            f"{output[at]} instead of {c.expected[at]}")


def _adjoint(package: Package, target: str, cases: Sequence[Case], outcomes: Sequence[Outcome]) -> list[Check]:
    """<dy, y> = <dx, x> + <db, b>: exact in integers, for every set of tensors that meets each term once."""
    runs = {c.function.name: (c, o.output if o.output is not None and o.output.shape == c.expected.shape else None)
            for c, o in zip(cases, outcomes, strict=True) if c.label == "integers 1"}
    arrays = {t.name: a for c, _ in runs.values() for t, a in zip(c.function.arguments, c.inputs, strict=True)}
    checks = []
    for f in (f for f in package.functions if f.proof is None):
        upstream = f.equation.output.gradient().name
        for group in linear_groups(f.equation):
            if any(sum(t in e.reads for e in package.system.equations) > 1 for t in group):
                continue  # its gradient also collects what the other equations contribute
            pairs = [(upstream, f.name), *((t.name, f"grad_{t.name}") for t in group)]
            if any(runs[k][1] is None for _, k in pairs) or upstream not in arrays:
                continue
            left, *right = (_inner(arrays[n], runs[k], package.adds(runs[k][0].function)) for n, k in pairs)
            names = " + ".join(f"<d{t.name}, {t.name}>" for t in group)
            detail = "" if left == sum(right) else f"{left} against {sum(right)}"
            checks.append(Check(f.name, target, f"adjoint: <{upstream}, {f.equation.output.name}> = {names}",
                                not detail, detail))
    return checks


def _inner(a: Array, run: tuple[Case, Array | None], adds: bool) -> int:
    case, b = run
    assert b is not None
    if not np.isfinite(b).all():
        return -1
    whole, rest = np.divmod(b.astype(np.int64), max(1, case.factor))
    if rest.any():  # no multiple of the factor: wrong already
        return -1
    return int(np.sum(a.astype(np.int64) * (whole - (case.prepared.astype(np.int64) if adds else 0))))
