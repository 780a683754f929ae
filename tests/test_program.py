"""Programs of steps: copies and tiles mean the derived equation, on every instruction set, inside their arrays."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

import symconv
from symconv.derivation import derive
from symconv.emit import Package, emit
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import NotSupported
from symconv.family import random_layer
from symconv.native import BuildFolder, compile_library, find_compiler, native_isa, run_in_child
from symconv.schedule.direct import plan
from symconv.schedule.machine import MACHINES, Machine
from symconv.schedule.program import Asked, program
from symconv.schedule.regions import Region
from symconv.validate import c_calls, make_cases, validate

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
GUARDS = Path(__file__).resolve().parent / "guard_pages.py"
ISAS = ("generic", "neon", "avx2", "avx512")
TWO_LANES = Machine("two lanes", 8, 12)  # blocks, remainders and narrow ends on the smallest layers

LAYERS = {
    "padding": symconv.Conv((5, 7), (3, 3), 3, 5, padding=1, bias=True),
    "stride, dilation, remainder": symconv.Conv((8, 9), (2, 3), 2, 3, stride=(2, 3), dilation=(1, 2), padding=(1, 0)),
    "groups, batch": symconv.Conv(9, 3, 4, 6, groups=2, batch=2, padding=1),
    "depthwise": symconv.Conv((6, 6), (3, 3), 5, 5, groups=5, padding=1, batch=2),
    "pointwise": symconv.Conv((3, 5), (1, 1), 5, 7),
    "transposed": symconv.Conv((3, 4), (3, 2), 3, 2, stride=2, padding=1, output_padding=1, transposed=True, bias=True),
    "outputs that nothing reaches": symconv.Conv(7, 1, 2, 2, stride=3),
    "3-D, flipped": symconv.Conv((3, 4, 3), (2, 2, 3), 2, 3, padding="same", flip=True),
    "fully connected": symconv.Dense(5, 3, batch=3, bias=True),
}


def element(a: Access, at: dict[str, int], arrays: dict[str, np.ndarray]) -> int:
    """One element, zero outside its array."""
    array = arrays[a.tensor.name].reshape(a.tensor.extents)
    index = tuple(e.evaluate(at) for e in a.indices)
    return int(array[index]) if all(0 <= k < n for k, n in zip(index, array.shape, strict=True)) else 0


def value(t: Term, at: dict[str, int], arrays: dict[str, np.ndarray]) -> int:
    return int(t.coefficient) * int(np.prod([element(f, at, arrays) for f in t.factors]))


def run_region(r: Region, arrays: dict[str, np.ndarray]) -> None:
    """Put every output of a region in its place; one that is written again has to be the same."""
    out = arrays[r.output.tensor.name].reshape(r.output.tensor.extents)
    for point in product(*(range(q.extent) for q in r.loops)):
        at = dict(zip([q.name for q in r.loops], point, strict=True))
        total = sum(value(s.term, at | dict(zip([q.name for q in s.loops], inner, strict=True)), arrays)
                    for s in r.sweeps for inner in product(*(range(q.extent) for q in s.loops)))
        index = tuple(e.evaluate(at) for e in r.output.indices)
        assert out[index] in (UNWRITTEN, total), f"{r.output} is written twice at {index}"
        out[index] = total


def run_copy(e: Equation, arrays: dict[str, np.ndarray]) -> None:
    (term,) = e.terms
    made = np.zeros(e.output.extents, np.int64)
    for point in product(*map(range, e.output.extents)):
        made[point] = value(term, dict(zip(e.indices, point, strict=True)), arrays)
    arrays[e.output.name] = made


UNWRITTEN = -(10**9)


@pytest.mark.parametrize("machine", [TWO_LANES, MACHINES["avx2"]], ids=lambda m: m.name)
@pytest.mark.parametrize("name", LAYERS)
def test_the_steps_say_what_the_equation_says(name: str, machine: Machine):
    """Every copy, then every tile, evaluated as the equations they are, point by point."""
    rng = np.random.default_rng(1)
    d = derive(LAYERS[name])
    direct = 0
    for f in (f.at(dict(d.system.sizes)) for f in d.functions):
        arrays = {t.name: rng.integers(1, 9, t.extents) for t in f.arguments}
        given = dict(arrays)
        made = program(f.equation, False, 4, Asked(machine, schedules=("direct",)))
        arrays[f.equation.output.name] = np.full(f.equation.output.extents, UNWRITTEN)
        if made.choice.schedule != "direct":
            continue
        direct += 1
        for meaning in (m for s in made.steps for m in s.meaning):
            run_copy(meaning, arrays) if isinstance(meaning, Equation) else run_region(meaning, arrays)
        np.testing.assert_array_equal(arrays[f.equation.output.name], evaluated(f.equation, given), err_msg=f.name)
    assert direct >= 2, "nothing was scheduled"


def evaluated(e: Equation, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """An equation, by going through every point of a box that holds its domain."""
    out = np.zeros(e.output.extents, np.int64)
    most = max(n for t in (e.output, *e.reads) for n in t.extents) + 8
    for point in product(*map(range, e.output.extents)):
        for t in e.terms:
            out[point] += sum_of(t, dict(zip(e.indices, point, strict=True)), arrays, most)
    return out


def sum_of(t: Term, at: dict[str, int], arrays: dict[str, np.ndarray], most: int, bound: int = 0) -> int:
    """The sum over the indices from the `bound`-th on, leaving a branch as soon as a condition on it fails."""
    known = {c for c in t.domain() if c.expression.names <= set(at)}
    if not all(c.holds(at) for c in known):
        return 0
    if bound == len(t.indices):
        return value(t, at, arrays)
    return sum(sum_of(t, at | {t.indices[bound]: k}, arrays, most, bound + 1) for k in range(most))


def compiled(package: Package, folder: BuildFolder, exact: bool = False) -> Path:
    return compile_library({n: t for n, t in package.files.items() if n[-1] in "ch"}, folder, ["-Werror"], exact=exact)


@needs_compiler
@pytest.mark.parametrize("isa", ISAS[1:])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_schedule_that_applies_is_exact(isa: str, dtype: str):
    for accumulate, (name, layer) in zip((False, True) * len(LAYERS), LAYERS.items(), strict=False):
        package = emit(layer, ("c",), dtype, accumulate, isa, schedules=("direct",))
        assert "Schedule direct" in package.files[f"{package.stem}.c"], name
        validate(package).require()


@needs_compiler
def test_exact_kernels_give_the_same_bits_on_every_isa():
    layers = [*LAYERS.values(), *(random_layer(random.Random(f"bits {k}"), channels=20) for k in range(4))]
    for layer in layers:
        found = []
        for isa in ISAS:
            package, folder = emit(layer, ("c",), isa=isa, exact=True), BuildFolder()
            cases = [c for c in make_cases(package, np.random.default_rng(3)) if c.label == "real data"]
            outcomes = run_in_child(compiled(package, folder, exact=True), c_calls(package, cases))
            found.append([o.output.tobytes() for o in outcomes if o.output is not None])
            assert len(found[-1]) == len(cases)
        assert all(f == found[0] for f in found), layer


def guarded_calls(package: Package) -> list[tuple[str, list[int]]]:
    """Every function in single precision with the bytes of its arrays, for guard_pages."""
    calls = []
    for f in package.functions:
        sizes = {t.name: 4 * int(np.prod(t.array_shape)) for t in (*f.arguments, f.equation.output)}
        calls.append((f.name, [*sizes.values()], package.workspace[f.name]))
        if f.name in package.prepared:
            sizes["prepared"] = 4 * package.prepared[f.name].size
            calls += [(r.name, [sizes[n] for n in r.arguments], r.workspace) for r in package.routines(f)]
    return [(f"{package.stem}_{name}", sizes + [lent] * bool(lent)) for name, sizes, lent in calls]


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect of the C library")
@pytest.mark.parametrize("isa", ["generic", "native"])
def test_kernels_touch_nothing_outside_their_arrays(isa: str):
    """Every array lies against a page that may not be touched, first with its end, then with its start."""
    drawn = [random_layer(random.Random(f"guard {k}"), channels=(3, 40)[k % 2]) for k in range(10)]
    layers = [*LAYERS.values(), *drawn]
    for layer in layers:
        package, folder = emit(layer, ("c",), isa=isa, schedules=("direct",)), BuildFolder()
        command = [sys.executable, str(GUARDS), str(compiled(package, folder)), json.dumps(guarded_calls(package))]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        assert result.returncode == 0, f"{layer}: {result.returncode} {result.stderr}"


def test_the_workspace_is_a_constant_in_the_header():
    package = emit(symconv.Conv((28, 28), (3, 3), 8, 16, padding=1), ("c",), isa="avx2")
    header, source = (package.files[f"{package.stem}.{kind}"] for kind in "hc")
    assert package.workspace["forward"] > 0
    assert f"#define {package.stem.upper()}_FORWARD_WORKSPACE {package.workspace['forward']} " in header
    assert f"/* [{package.workspace['forward'] // 4}] */" in source
    plain = emit(symconv.Conv((28, 28), (3, 3), 8, 16, padding=1), ("c",))
    assert not any(plain.workspace.values()) and "workspace" not in plain.files[f"{plain.stem}.c"]


def test_what_reads_weights_only_is_a_function_of_its_own():
    """Whole copies of weights, and nothing of anything else, go into `prepare`."""
    layer = symconv.Conv((12, 12), (3, 3), 32, 32, groups=2, batch=3, padding=1)
    package = emit(layer, ("c",), isa="avx2", schedules=("direct",))
    header, source = (package.files[f"{package.stem}.{kind}"] for kind in "hc")
    assert {"forward", "grad_x"} == set(package.prepared)
    for name, (first, rest) in {"forward": (("w",), ("x", "prepared")), "grad_x": (("w",), ("prepared", "dy"))}.items():
        p = package.prepared[name]
        assert p.prepare.arguments == (*first, "prepared") and p.rest.arguments[:-1] == rest
        assert p.size == 32 * 16 * 9 and p.prepare.workspace == 0
        assert f"#define {package.stem.upper()}_{name.upper()}_PREPARED {p.size} " in header
        assert f"void {package.stem}_{p.prepare.name}(const float *w, float *prepared);" in header
        assert f"{package.stem}_{p.rest.name}({', '.join(rest).replace('prepared', 'workspace')}" in source
    i, j = symconv.indices("i j")
    bare = Equation(Tensor("y", 40)[i], Tensor("w", (40, 40))[i, j] * Tensor("x", 40)[j])
    assert not emit(bare, ("c",), isa="avx2", schedules=("direct",)).prepared  # nobody said what stays


def test_samples_and_groups_share_a_piece_of_workspace():
    """A copy is made inside the loops over samples and groups, so that it need not hold all of them."""
    one, many = (emit(symconv.Conv((12, 12), (3, 3), 8, 8, batch=n, groups=g, padding=1), ("c",), isa="avx2",
                      exact=True).workspace["forward"] for n, g in ((1, 8), (4, 8)))
    assert 0 < one == many


def test_the_choice_tells_its_reasons():
    e = derive(symconv.Conv((28, 28), (3, 3), 32, 32, padding=1)).system.concrete().equations[0]
    choice = program(e, False, 4, Asked(MACHINES["avx512"])).choice
    assert choice.schedule == "direct" and dict(choice.estimates).keys() == {"plain", "direct"}
    assert " of " in repr(choice) and "cycles (plain" in repr(choice)
    assert program(e, False, 4).choice.schedule == "plain"
    assert plan(e, MACHINES["generic"], 4) is None


def test_what_a_tile_cannot_express_keeps_its_plain_nest():
    """A pointwise function, a fraction and a condition that no zero of an array stands for."""
    i, j = symconv.indices("i j")
    w, x, y = Tensor("w", 40), Tensor("x", 80), Tensor("y", 40)
    below = symconv.affine.at_least(i, j)
    for term in (Term((w[j], x[i + j].apply("relu"))), (w[j] * x[i + j]).where(below)):
        assert plan(Equation(y[i], term), MACHINES["avx2"], 4) is None
    assert plan(Equation(y[i], w[j] * x[i + j]), MACHINES["avx2"], 4) is not None


def test_an_unknown_isa_is_named():
    with pytest.raises(NotSupported, match="unknown isa 'sse9'; known: native, generic, neon, avx2, avx512"):
        emit(symconv.Conv(5, 3), isa="sse9")


@needs_compiler
def test_built_kernels_use_the_vectors_of_this_machine():
    layer = symconv.Conv((20, 20), (3, 3), 16, 16, padding=1, stride=2)
    kernels = symconv.build(layer)
    assert kernels.package.isa == native_isa()
    rng = np.random.default_rng(0)
    x, w = (rng.integers(-4, 5, s).astype(np.float32) for s in ((1, 16, 20, 20), (16, 16, 3, 3)))
    np.testing.assert_array_equal(kernels.forward(x, w), symconv.build(layer, isa="generic").forward(x, w))
