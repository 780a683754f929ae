"""Bilinear programs as C: exact in integers, within their bound in float32, and nothing touched outside the arrays."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from test_bilinear import LAYERS, kernels, mutated, sample, tiles_for

from symconv import Conv, Equation
from symconv.bilinear.bounds import error_bound, in_integers, run
from symconv.bilinear.c_kernel import CKernel, bilinear_kernel, c_kernel
from symconv.bilinear.c_transform import c_nested, c_transform
from symconv.bilinear.candidates import candidates
from symconv.bilinear.cost import cost
from symconv.bilinear.plan import Plan, plan
from symconv.bilinear.program import bilinear_program
from symconv.bilinear.relation import relations
from symconv.bilinear.straight_line import straight_line
from symconv.bilinear.toom_cook import toom_cook
from symconv.bilinear.verify import check_program
from symconv.calculus import eliminate
from symconv.decide.verdict import Verdict
from symconv.errors import LimitExceeded, NotSupported, ShapeError
from symconv.native import BuildFolder, Compiler, compile_library, find_compiler, load
from symconv.reference import forward
from symconv.system import System
from symconv.templating import environment

FLAGS = ("-Werror", "-ffp-contract=fast")
TYPES = {"float": np.float32, "double": np.float64}
MARGIN = 64  # elements around an array
pytestmark = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")


def margins(count: int, dtype: type) -> tuple[np.ndarray, np.ndarray]:
    """An array of NaN, and the memory it stands in."""
    memory = np.full(count + 2 * MARGIN, np.nan, dtype)
    return memory[MARGIN:MARGIN + count], memory


def run_kernel(p: Plan, k: CKernel, arrays: Mapping[str, np.ndarray], dtype: type,
               compiler: Compiler | None = None) -> np.ndarray:
    """Compile and run; arrays are laid out as the plan has them, everything else is NaN before the call."""
    folder = BuildFolder()
    library = compile_library({"k.c": k.text}, folder, FLAGS, compiler)
    held: dict[str, np.ndarray] = {}
    memories = []

    def view(tensor, flat: np.ndarray) -> np.ndarray:
        steps = [s * flat.itemsize for s in p.strides[tensor.name]]
        return np.lib.stride_tricks.as_strided(flat, tensor.extents, steps)

    for t in k.arguments:
        flat, memory = margins(int(np.prod(t.extents)), dtype)
        held[t.name] = flat
        memories.append(memory)
        if t.name in arrays:
            view(t, flat)[...] = arrays[t.name]
    (work, m1), (prepared, m2) = margins(k.workspace, dtype), margins(k.prepared, dtype)
    before = {n: held[n].copy() for n in arrays}
    signal, taps, *more, output = (held[t.name] for t in k.arguments)
    if k.prepared:
        load(library, f"{k.stem}_prepare")(taps, prepared)
    load(library, k.stem)(signal, prepared if k.prepared else taps, *more, output, work)
    for memory in (*memories, m1, m2):
        beside = np.concatenate([memory[:MARGIN], memory[-MARGIN:]])
        assert np.isnan(beside).all(), "memory beside an array was written to"
    for n, values in before.items():
        np.testing.assert_array_equal(held[n], values, err_msg="an input was written to")
    return view(k.arguments[-1], output).copy()


def channels_last(equation: Equation) -> dict[str, list[int]]:
    """Every array but the weights with its channels as the fastest axis."""
    found = {}
    for t in (*equation.reads, equation.output):
        if not t.name.endswith("w"):
            axes = range(len(t.extents))
            found[t.name] = sorted(axes, key=lambda a, t=t: t.axes[a] in "gcf")
    return found


def expected(equation: Equation, arrays: Mapping[str, np.ndarray]) -> np.ndarray:
    return forward(System((equation,)), arrays)[equation.output.name].reshape(equation.output.extents)


MORE = {
    "wide": Conv(input=(11, 14), kernel=(3, 3), channels=18, filters=21, padding=1),
    "many rows": Conv(input=(6, 7), kernel=(3, 3), channels=5, filters=40, batch=2, padding=((1, 0), (2, 2))),
    "1-D batch": Conv(input=19, kernel=5, channels=6, filters=9, batch=3, padding=2),
    "bias": Conv(input=(9, 6), kernel=(3, 3), channels=4, filters=11, padding=1, bias=True),
    "bias of groups": Conv(input=14, kernel=3, channels=4, filters=22, groups=2, bias=True, batch=2),
    "rows of groups": Conv(input=(6, 9), kernel=(3, 3), channels=6, filters=8, groups=2, padding=1),
}
SMALL = ["1-D five taps", "2-D", "2-D uneven", "3-D", "groups", "transposed"]
CASES = {**{n: LAYERS[n] for n in SMALL}, **{n: (layer, 3) for n, layer in MORE.items()}}


@pytest.mark.parametrize("last", [False, True], ids=["channels first", "channels last"])
@pytest.mark.parametrize("name", CASES)
def test_kernels_are_exact_in_integers(name, last):
    """The schedule that is shipped, with matrices scaled to integers: tolerance 0."""
    layer, count = CASES[name]
    ran = 0
    for kernel, equation in kernels(layer):
        tiles = tiles_for(equation)
        if not tiles:
            continue
        program, factor = in_integers(bilinear_program(equation, tiles))
        p = plan(program, 8 if last else 4, channels_last(program.equation) if last else None)
        ran += 1
        arrays = sample(program.equation, seed=ran)
        found = run_kernel(p, c_kernel(p, "kernel", "double"), arrays, np.float64)
        np.testing.assert_array_equal(found, factor * expected(program.equation, arrays), err_msg=kernel)
    assert ran == count


def random_conv(rng: random.Random) -> Conv:
    """A small layer of stride 1 with everything else at random."""
    rank, groups = rng.choice((1, 1, 2, 2, 2, 3)), rng.choice((1, 1, 1, 2, 3))
    most = {1: 40, 2: 13, 3: 6}[rank]
    return Conv(input=[rng.randint(1, most) for _ in range(rank)], kernel=[rng.randint(1, 4) for _ in range(rank)],
                channels=groups * rng.randint(1, 9), filters=groups * rng.randint(1, 19), groups=groups,
                batch=rng.choice((1, 1, 2, 3)), padding=[(rng.randint(0, 3), rng.randint(0, 3)) for _ in range(rank)],
                bias=rng.random() < 0.2, flip=rng.random() < 0.3, transposed=rng.random() < 0.2)


def valid_conv(rng: random.Random) -> Conv:
    while True:
        try:
            return random_conv(rng)
        except ShapeError:
            continue


@pytest.mark.parametrize("seed", range(10))
def test_random_layers(seed, monkeypatch):
    """Random tiles, lanes, orders and cache sizes: proved, and exact in integers."""
    rng = random.Random(seed)
    for kernel, equation in kernels(valid_conv(rng)):
        tiles = {r.output: (rng.randint(1, 4), rng.randint(1, 4)) for r in relations(eliminate(equation))}
        for name, limit in (("CACHE", 600_000), ("SHARED", 10**7), ("SMALL", 300_000)):
            monkeypatch.setattr(f"symconv.bilinear.plan.{name}", rng.choice((1000, limit)))
        if not tiles:
            continue
        program = bilinear_program(equation, tiles)
        assert check_program(program).proved
        program, factor = in_integers(program)
        arrays = sample(program.equation, seed)
        right = factor * expected(program.equation, arrays)
        np.testing.assert_array_equal(run(program, arrays).reshape(right.shape), right, err_msg=kernel)
        orders = channels_last(program.equation) if rng.random() < 0.5 else None
        try:
            p = plan(program, rng.choice((2, 4, 8)), orders, rng.choice((5, 12, 28)))
        except NotSupported:
            continue
        found = run_kernel(p, c_kernel(p, "kernel", "double"), arrays, np.float64)
        np.testing.assert_array_equal(found, right, err_msg=f"{kernel}: {p}")


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("name", ["wide", "bias"])
def test_float32_kernels_stay_within_their_bound(lanes, name):
    for kernel, equation in kernels(MORE[name]):
        program = bilinear_program(equation, tiles_for(equation))
        p = plan(program, lanes, channels_last(program.equation))
        rng = np.random.default_rng(lanes)
        arrays = {t.name: rng.standard_normal(t.extents).astype(np.float32) for t in equation.reads}
        found = run_kernel(p, c_kernel(p, "kernel"), arrays, np.float32)
        exact = expected(program.equation, {n: v.astype(np.float64) for n, v in arrays.items()})
        bound = error_bound(program, arrays).reshape(exact.shape)
        error = np.abs(found - exact)
        assert (error <= bound).all(), kernel
        assert (error > 0).any()


def test_rounds_are_added_up(monkeypatch):
    """Peeled loops, as in layers whose tiles do not fit the cache."""
    monkeypatch.setattr("symconv.bilinear.plan.CACHE", 10_000)
    monkeypatch.setattr("symconv.bilinear.plan.SHARED", 10_000)
    seen = set()
    for layer in (Conv(input=(25, 31), kernel=(3, 3), channels=6, filters=5, padding=1),
                  Conv(input=(9, 11), kernel=(3, 3), channels=6, filters=9, batch=3, padding=(0, 1)),
                  Conv(input=90, kernel=5, channels=7, filters=5, batch=3, padding=2)):
        for kernel, equation in kernels(layer):
            program, factor = in_integers(bilinear_program(equation, tiles_for(equation)))
            p = plan(program, 4, channels_last(program.equation))
            seen.add((bool(p.round), p.accumulates, p.by_chunk))
            arrays = sample(program.equation)
            found = run_kernel(p, c_kernel(p, "kernel", "double"), arrays, np.float64)
            np.testing.assert_array_equal(found, factor * expected(program.equation, arrays), err_msg=kernel)
    assert {(True, True, False), (True, False, True)} <= seen


def test_a_wrong_matrix_shows_in_the_kernel():
    equation = dict(kernels(MORE["wide"]))["forward"]
    program, factor = in_integers(bilinear_program(equation, {"i": (4, 3), "j": (4, 3)}))
    wrong = program.replaced([mutated(program.axes[0].form, "signal", 2, 3, 1), program.axes[1].form])
    p = plan(wrong, 4, channels_last(program.equation))
    arrays = sample(program.equation)
    found = run_kernel(p, c_kernel(p, "kernel", "double"), arrays, np.float64)
    assert (found != factor * expected(program.equation, arrays)).any()


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_other_compilers(compiler, monkeypatch):
    monkeypatch.setenv("CC", compiler)
    found = find_compiler.__wrapped__()
    if found is None or found.words != (compiler,):
        pytest.skip(f"no {compiler}")
    for kernel, equation in kernels(MORE["rows of groups"]):
        program, factor = in_integers(bilinear_program(equation, tiles_for(equation)))
        p = plan(program, 4, channels_last(program.equation))
        arrays = sample(program.equation)
        made = run_kernel(p, c_kernel(p, "kernel", "double"), arrays, np.float64, found)
        np.testing.assert_array_equal(made, factor * expected(program.equation, arrays), err_msg=kernel)


def test_a_guard_is_printed_only_where_it_is_needed():
    whole = dict(kernels(Conv(input=(10, 10), kernel=(3, 3), channels=8, filters=8)))["forward"]
    p = plan(bilinear_program(whole, {"i": (4, 3), "j": (4, 3)}), 8, channels_last(whole))
    text = c_kernel(p, "kernel").text
    assert "if (" not in text and " ? " not in text
    assert text == c_kernel(p, "kernel").text
    padded = dict(kernels(Conv(input=(8, 8), kernel=(3, 3), channels=8, filters=8, padding=1)))["forward"]
    p = plan(bilinear_program(padded, {"i": (4, 3), "j": (4, 3)}), 8, channels_last(padded))
    text = c_kernel(p, "kernel").text
    assert "if (4*i_tile >= 1 && 4*i_tile <= 3 && " in text and text.count("if (") == 1
    assert "36 products instead of 144" in text and "|error| <= gamma_" in text


def test_the_plan_says_what_it_does():
    e = dict(kernels(Conv(input=(56, 56), kernel=(3, 3), channels=64, filters=64, padding=1)))["forward"]
    p = plan(bilinear_program(e, {"i": (4, 3), "j": (4, 3)}), 16, channels_last(e))
    assert str(p) == ("36 matrix products for each i_tile: tiles of 2 x 16 of f by 14 of j_tile, sums over c; "
                      "U 580 KiB (prepared), V 128 KiB, M 65 KiB")


def test_the_cost_of_f43():
    e = dict(kernels(Conv(input=(56, 56), kernel=(3, 3), channels=64, filters=64, padding=1)))["forward"]
    found = cost(plan(bilinear_program(e, {"i": (4, 3), "j": (4, 3)}), 16, channels_last(e)))
    tiles = 14 * 14
    assert found.products == 36 * tiles * 64 * 4
    assert found.transforms == tiles * 4 * (168 + 120)
    assert found.preparation == 64 * 4 * 90
    assert found.direct == 56 * 56 * 9 * 64 * 4
    assert 3.5 < found.ratio < 4
    whole = [cost(plan(bilinear_program(e, {"i": (n, 3), "j": (n, 3)}), 16, channels_last(e))).ratio for n in (2, 4)]
    assert whole[0] < 36 / 16 < whole[1] < 4


def test_candidates_come_cheapest_first():
    for _, e in kernels(Conv(input=(28, 28), kernel=(3, 3), channels=32, filters=32, padding=1)):
        found = candidates(e, 16, channels_last(e))
        assert [max(c.tiles["i" if "i" in c.tiles else next(iter(c.tiles))]) for c in found] == [4, 3]
        assert found[0].cost.ratio > found[1].cost.ratio > 1
        assert 1 < found[1].amplification < 10 < found[0].amplification < 60
    for layer in (Conv(input=(9, 9), kernel=(3, 3), channels=4, filters=4, stride=2),
                  Conv(input=(9, 9), kernel=(1, 1), channels=4, filters=4),
                  Conv(input=(9, 9), kernel=(3, 3), channels=4, filters=4, groups=4)):
        assert all(candidates(e) == () for _, e in kernels(layer))


@pytest.mark.parametrize("name", ["wide", "rows of groups", "1-D batch"])
def test_instructions_are_counted_as_the_loops_run(name):
    """The matrix products of the plan, counted chunk by chunk."""
    for _, e in kernels(MORE[name]):
        p = plan(bilinear_program(e, tiles_for(e)), 8, channels_last(e))
        around = [*p.points, *p.outer, *p.round, *p.sums, *p.columns[:-len(p.side_by_side)]]
        calls = int(np.prod([p.extents[n] for n in around])) * -(-p.extents[p.row] // p.width) * p.vectors
        assert cost(p).products == calls * sum(p.chunks)


def test_only_proved_programs_become_kernels(monkeypatch):
    e = dict(kernels(MORE["wide"]))["forward"]
    k = bilinear_kernel(e, {"i": (4, 3), "j": (2, 3)}, "layer", 8, channels_last(e))
    assert "void layer_prepare(" in k.text and "void layer(" in k.text
    monkeypatch.setattr("symconv.bilinear.c_kernel.check_program", lambda program: Verdict("unknown", "too hard"))
    with pytest.raises(NotSupported, match="too hard"):
        bilinear_kernel(e, {"i": (4, 3)}, "layer")


def test_what_has_no_plan():
    for layer in (LAYERS["one strided axis"][0],
                  Conv(input=(8, 8), kernel=(3, 3), channels=4, filters=4, groups=4), Conv(input=9, kernel=3)):
        e = dict(kernels(layer))["forward"]
        with pytest.raises(NotSupported):
            plan(bilinear_program(e, tiles_for(e)))


def test_a_workspace_that_an_int_cannot_index():
    huge = Conv(input=(30_000, 30_000), kernel=(3, 3), channels=2, filters=2, stride=1)
    e = dict(kernels(huge))["forward"]
    program = bilinear_program(e, {"i": (4, 3), "j": (4, 3)})
    whole = replace(plan(program), round=(), columns=("i_tile", "j_tile"))
    with pytest.raises(LimitExceeded):
        c_kernel(whole, "kernel")


def compiled_transforms(shapes: Sequence[tuple[int, int]], lanes: int):
    """Each axis its own B^T, nested, as one exported function; and the matrices."""
    codes = [straight_line(toom_cook(m, r).signal) for m, r in shapes]
    names = [f"line{n}" for n in range(len(codes))]
    template = environment().from_string(
        '{% from "c/transform.c.j2" import transform, nested %}#include <stddef.h>\n'
        "typedef double vec __attribute__((vector_size({{ bytes }}), aligned(8), may_alias));\n"
        '{% for t in lines %}{{ transform(t, "double", "vec") }}{% endfor %}{{ nested(n, "double") }}'
        "void run(const double *from, double *to, const int *unused)"
        "{ (void)unused; whole(from, {{ from }}, to, {{ to }}); }\n")
    inputs, outputs = ([len(getattr(c, k)) for c in codes] for k in ("inputs", "outputs"))
    steps = {"from": strides_of(inputs, lanes + 3), "to": strides_of(outputs, lanes + 1)}
    text = template.render(lines=[c_transform(n, c, "test", "double") for n, c in zip(names, codes, strict=True)],
                           n=c_nested("whole", names, codes, lanes, "test", "double"), bytes=8 * lanes,
                           **{k: ", ".join(map(str, v)) for k, v in steps.items()})
    return text, codes, inputs, outputs, steps


def strides_of(shape: Sequence[int], apart: int) -> list[int]:
    return [apart * int(np.prod(shape[n + 1:], dtype=int)) for n in range(len(shape))]


@pytest.mark.parametrize("shapes", [[(4, 3)], [(4, 3), (2, 3)], [(2, 2), (3, 2), (2, 3)]])
def test_transforms_alone_with_strides(shapes):
    lanes = 4
    text, codes, inputs, outputs, steps = compiled_transforms(shapes, lanes)
    folder = BuildFolder()
    library = compile_library({"t.c": text}, folder, FLAGS)
    rng = np.random.default_rng(2)
    given = rng.integers(-50, 51, (*inputs, lanes))
    source, _ = margins(int(np.prod(inputs)) * (lanes + 3), np.float64)
    target, memory = margins(int(np.prod(outputs)) * (lanes + 1), np.float64)

    def view(flat, shape, by):
        return np.lib.stride_tricks.as_strided(flat, (*shape, lanes), [8 * s for s in (*by, 1)])

    view(source, inputs, steps["from"])[...] = given
    load(library, "run")(source, target, target)
    result = given
    for axis, code in enumerate(codes):
        matrix = np.array([[int(c) for c in row] for row in code.matrix.rows])
        result = np.moveaxis(np.tensordot(matrix, result, (1, axis)), 0, axis)
    np.testing.assert_array_equal(view(target, outputs, steps["to"]), result)
    gaps = [sum(s * i for s, i in zip(steps["to"], at, strict=True)) + lanes for at in product(*map(range, outputs))]
    assert np.isnan(target[gaps]).all() and np.isnan(memory[-MARGIN:]).all()
