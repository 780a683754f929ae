"""The bilinear schedule in `emit`: chosen by an estimate, exact in whole numbers, within its bound as shipped."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from test_bilinear_kernel import valid_conv
from test_program import GUARDS, compiled, guarded_calls

import symconv
from symconv.bilinear.candidates import candidates
from symconv.bilinear.packing import packed
from symconv.decide.prover import prove_equal
from symconv.decide.verdict import Verdict
from symconv.derivation import derive
from symconv.emit import Package, emit
from symconv.fuzz import Job, Tally, _check_c, _emit
from symconv.native import BuildFolder, find_compiler, run_in_child
from symconv.validate import c_calls, c_cases, make_cases, validate

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
LAYERS = {
    "2-D, bias": symconv.Conv((9, 7), (3, 3), 18, 21, padding=1, bias=True),
    "groups, batch": symconv.Conv((6, 9), (3, 3), 6, 8, groups=2, batch=2, padding=1),
    "1-D, flipped": symconv.Conv(19, 5, 6, 9, padding=2, flip=True),
    "transposed": symconv.Conv((5, 4), (3, 2), 4, 5, padding=1, transposed=True),
    "activation": symconv.Conv((8, 8), (3, 3), 4, 5, padding=1, activation="relu"),
}


def made(layer: symconv.Conv, **options) -> Package:
    return emit(layer, ("c",), schedules=("bilinear",), **{"isa": "avx512", **options})


@needs_compiler
@pytest.mark.parametrize("isa, pick", [("neon", None), ("avx2", 1), ("avx512", 0)])
@pytest.mark.parametrize("name", LAYERS)
def test_kernels_are_exact_in_whole_numbers_and_within_their_bound_as_shipped(name: str, isa: str, pick: int | None):
    package = made(LAYERS[name], isa=isa, pick=pick)
    assert {"forward", "grad_x", "grad_w"} <= set(package.rounded) | {"activate"}
    evidence = validate(package)
    evidence.require()
    for f in package.rounded:
        what = [c.what for c in evidence.of(f, "c")]
        times = f": {package.rounded[f].factor} times the oracle, in whole numbers"
        ways = ("", ", prepared") if f in package.prepared else ("",)
        assert {f"integers {k}{way}{times}" for k in (1, 2) for way in ways} <= set(what)
        assert sum("within the bound of its own" in w for w in what) == 3 * len(ways)


def changed(package: Package, of: str, old: str, new: str) -> Package:
    """The first place of a text after the forward function's first static function."""
    files = dict(getattr(package, of))
    name = next(n for n in files if n.endswith(".c"))
    at = files[name].index(old, files[name].index("forward_"))
    files[name] = files[name][:at] + new + files[name][at + len(old):]
    return replace(package, **{of: files})


@needs_compiler
def test_a_wrong_constant_is_caught_in_either_build():
    package = next(p for p in (made(LAYERS["2-D, bias"], pick=k) for k in (0, 1)) if p.rounded["forward"].factor > 4)
    for of, old, new, label in (("files", "(1.0f/30.0f)", "(1.0f/29.0f)", "real"),
                                ("whole", "17.0*", "18.0*", "integers")):
        failed = [c for c in validate(changed(package, of, old, new)).checks if not c.passed]
        assert failed and all(c.what.startswith((label, "adjoint")) for c in failed), of


@needs_compiler
def test_the_bound_is_no_wider_than_it_is_said_to_be():
    """There are errors to see, and the bound is a small part of the sum of magnitudes."""
    package = made(LAYERS["2-D, bias"])
    most = 18 * 9 + 1  # terms of a sum, each at most 4 times 4
    cases, folder = c_cases(package, list(make_cases(package, np.random.default_rng(5)))), BuildFolder()
    library = compiled(replace(package, files={**package.files, **package.whole}), folder)
    for c, o in zip(cases, run_in_child(library, c_calls(package, cases)), strict=True):
        if c.function.name in package.rounded and c.label.startswith("real"):
            assert o.output is not None
            error = np.abs(o.output.astype(np.float64) - c.expected)
            assert error.max() > 0 and (error <= c.tolerance).all() and np.max(c.tolerance) < 1e-4 * 16 * most


def test_it_applies_where_it_may():
    layer = LAYERS["2-D, bias"]
    assert made(layer).rounded
    for options in ({"isa": "generic"}, {"exact": True}, {"dtype": "float64"}, {"dtype": "int8"}):
        assert not made(layer, **options).rounded, options
    assert set(made(layer, accumulate=True).rounded) == {"forward"}
    assert not emit(layer, ("c",), isa="avx512", schedules=("plain", "direct")).rounded
    strided, pointwise = symconv.Conv((9, 9), (3, 3), 4, 4, stride=2), symconv.Conv((9, 9), (1, 1), 4, 4)
    for other in (strided, pointwise, symconv.Dense(9, 4)):
        assert not made(other).rounded


@pytest.mark.parametrize("name", LAYERS)
def test_copies_and_the_program_of_the_copies_mean_the_equation(name: str):
    """What is put into each other is proved; a copy that starts one element off is not."""
    ran = 0
    d = derive(LAYERS[name])
    for f in (f.at(dict(d.system.sizes)) for f in d.functions):
        for c in candidates(f.equation):
            assert prove_equal(packed(c.plan, edges=True).meaning, f.equation).proved, f.name
            found = packed(c.plan)
            assert prove_equal(found.meaning, f.equation).proved, f.name
            assert found.back is not None and len(found.copies) == 2
            for n, p in enumerate(found.copies):
                shifted = replace(p, low=(*p.low[:-1], p.low[-1] + 1))
                wrong = replace(found, copies=(*found.copies[:n], shifted, *found.copies[n + 1:]))
                assert not prove_equal(wrong.meaning, f.equation).proved, (f.name, p)
            ran += 1
    assert ran >= 3


@needs_compiler
@pytest.mark.parametrize("shape, channels, isa", [((14, 14), (16, 17), "avx512"), ((5, 19), (33, 4), "avx2"),
                                                  ((8, 5), (20, 16), "neon")])
def test_copies_by_squares_of_any_size_are_exact(shape: tuple[int, int], channels: tuple[int, int], isa: str):
    """Rows and channels that fill whole squares, smaller ones, or none."""
    package = made(symconv.Conv(shape, (3, 3), *channels, padding=1, batch=2), isa=isa)
    assert "_packed" in package.files[f"{package.stem}.c"]
    validate(package).require()


@needs_compiler
@pytest.mark.parametrize("name, isa, pick", [("2-D, bias", "avx2", 0), ("groups, batch", "neon", 1),
                                             ("2-D, bias", "avx512", 3), ("transposed", "avx2", None)])
def test_channels_last(name: str, isa: str, pick: int | None):
    """Copied for its edges, or read where it lies."""
    package = made(LAYERS[name], isa=isa, pick=pick, layout="channels_last")
    assert package.rounded
    validate(package).require()


def test_only_what_is_proved_is_offered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symconv.c_bilinear.check_program", lambda program: Verdict("unknown", "too hard"))
    assert not made(LAYERS["2-D, bias"]).rounded


def test_the_choice_and_the_bound_are_told():
    package = emit(symconv.Conv((56, 56), (3, 3), 64, 64, padding=1), ("c",), isa="avx512")
    header, source = (package.files[f"{package.stem}.{kind}"] for kind in "hc")
    assert {"forward", "grad_x"} <= set(package.rounded)
    assert source.count("Schedule bilinear: F(4x4, 3x3)") == 2 and "|error| <= gamma_" in source
    assert "the error is at most gamma_" in header and f"_FORWARD_WORKSPACE {package.workspace['forward']} " in header
    assert not emit(symconv.Conv((8, 8), (3, 3), 8, 16, padding=1), ("c",), isa="avx512").rounded


@needs_compiler
@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect of the C library")
@pytest.mark.parametrize("name", LAYERS)
def test_kernels_touch_nothing_outside_their_arrays(name: str):
    package, folder = made(LAYERS[name]), BuildFolder()
    assert "forward" in package.prepared
    command = [sys.executable, str(GUARDS), str(compiled(package, folder)), json.dumps(guarded_calls(package))]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{result.returncode} {result.stderr}"


@needs_compiler
@pytest.mark.parametrize("seed", range(6))
def test_random_layers(seed: int):
    """As the fuzz does, for layers of stride 1, which most of its own are not."""
    rng = random.Random(seed)
    while not (package := made(valid_conv(rng), isa=rng.choice(("neon", "avx2", "avx512")), pick=rng.randrange(9),
                               accumulate=rng.random() < 0.2)).rounded:
        continue
    validate(package, seed).require()


def test_the_fuzz_reaches_such_kernels():
    tally = Tally()
    work: list[Job] = []
    for layer, seed in (("2-D, bias", 3), ("1-D, flipped", 4), ("transposed", 7)):
        _emit(tally, work, LAYERS[layer], "again", [0, seed], "avx2")
    assert [bool(job.package.rounded) for job in work] == [True, False, False] and not tally.failures
    _check_c(tally, work)
    assert tally.checks > 20 and not tally.failures
