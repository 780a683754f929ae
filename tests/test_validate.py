"""Validation catches faults: each test breaks an emitted kernel and asks which check says so, and where."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from symconv import Conv, Dense, Equation, Tensor, indices, validate
from symconv.emit import Package, emit
from symconv.errors import LimitExceeded, ToolchainError, ValidationError
from symconv.native import BuildFolder, Call, compile_library, find_compiler, run_in_child
from symconv.validate import Evidence, compare, make_cases

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
LAYER = Conv(9, 3, channels=2, filters=2, stride=2, padding=1, bias=True)


@pytest.fixture(scope="module")
def package() -> Package:
    return emit(LAYER)


def only(package: Package, kind: str) -> Package:
    kinds = (".c", ".h") if kind == "c" else (".py",)
    return replace(package, files={n: t for n, t in package.files.items() if n.endswith(kinds)})


def mutated(package: Package, kind: str, function: str, pattern: str, replacement: str) -> Package:
    """The package with one place of one function changed."""
    name = f"{package.stem}.{kind}"
    text = package.files[name]
    start = text.index(f"{package.stem}_{function}(" if kind == "c" else f"def {function}(")
    end = text.index("\n}\n", start) + 3 if kind == "c" else (text + "\n\n\n").index("\n\n\n", start) + 1
    changed, count = re.subn(pattern, replacement, text[start:end], count=1)
    assert count == 1, f"{pattern!r} does not occur in:\n{text[start:end]}"
    assert changed != text[start:end], "the mutation changes nothing"
    return replace(only(package, kind), files={**only(package, kind).files, name: text[:start] + changed + text[end:]})


def assert_caught(evidence: Evidence, function: str, target: str, says: str = r"first at \[\d+") -> None:
    """This function's runs failed, no other function's; the report says what and where."""
    assert not evidence.passed
    runs = [c for c in evidence.checks if not c.what.startswith("adjoint")]
    assert runs, "nothing was run"
    assert {c.function for c in runs if not c.passed} == {function}
    failed = [c for c in runs if not c.passed]
    assert all(c.target == target and c.detail for c in failed)
    assert any(re.search(says, c.detail) for c in failed), [c.detail for c in failed]
    with pytest.raises(ValidationError, match=rf"(?s){evidence.name} failed its validation.*FAIL.*{function}"):
        evidence.require()
    assert function in str(evidence) and "FAIL" in str(evidence)


def test_the_unchanged_package_passes(package: Package):
    evidence = validate.validate(package)
    evidence.require()
    assert {c.function for c in evidence.checks} == {"forward", "grad_x", "grad_w", "grad_b"}
    assert all(c.detail == "" for c in evidence.checks)


C_FAULTS = {
    "a tap dropped": ("forward", r"(for \(int \w+ = )0(; \w+ < 2; \+\+\w+\) \{\s+(?:const|for))", r"\g<1>1\g<2>"),
    "a sum that stops early": ("grad_b", r"< 5;", "< 4;"),
    "an offset off by one": ("grad_x", r"dy\[(.+?)\] \*", r"dy[\1 + 1] *"),
    "a sign": ("grad_w", r"\+= dy", "+= -dy"),
    "= instead of +=": ("grad_w", r"\+= ", "= "),
    "+= instead of =": ("grad_b", r"db\[(\w+)\] = ", r"db[\1] += "),
    "+= where zeros are stored": ("grad_w", r"\] = 0\.0f;", "] += 0.0f;"),
    "a scaled product": ("grad_x", r"\+= dy", "+= 1.0001f * dy"),
    "a small absolute error": ("forward", r"\n\}\n", "\n    y[7] += 0.5f;\n}\n"),
    "the wrong weight": ("forward", r"w\[", "w[1 + "),
}


@needs_compiler
@pytest.mark.parametrize("fault", C_FAULTS)
def test_c_faults_are_caught(package: Package, fault: str):
    function, pattern, replacement = C_FAULTS[fault]
    evidence = validate.validate(mutated(package, "c", function, pattern, replacement))
    assert_caught(evidence, function, "c")


@needs_compiler
def test_the_first_wrong_index_and_both_values_are_named(package: Package):
    evidence = validate.validate(mutated(package, "c", "grad_w", r"\n\}\n", "\n    dw[1*6 + 0*3 + 2] = 1000.0f;\n}\n"))
    assert_caught(evidence, "grad_w", "c", r"1 of 12 elements differ, first at \[1, 0, 2\]: 1000\.0 instead of -?\d")


@needs_compiler
@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_an_element_that_is_never_written_is_caught(dtype: str):
    """The output holds a value no kernel computes, so that what was not stored is seen."""
    package = emit(LAYER, ("c",), dtype)
    evidence = validate.validate(mutated(package, "c", "grad_b", r"< 2;", "< 1;"))
    assert_caught(evidence, "grad_b", "c", r"1 of 2 elements differ, first at \[1\]")


@needs_compiler
@pytest.mark.parametrize("fault", ["+=", "="])
def test_accumulation_is_checked_from_a_start_value(fault: str):
    package = emit(LAYER, ("c",), accumulate=True)
    if fault == "=":
        broken = mutated(package, "c", "grad_b", r"\] \+= sum", "] = sum")
        assert_caught(validate.validate(broken), "grad_b", "c")
    else:
        broken = mutated(package, "c", "grad_x", r"\+= ", "= ")
        assert_caught(validate.validate(broken), "grad_x", "c")


@needs_compiler
def test_writing_to_an_input_is_caught(package: Package):
    body = "\n    ((float *)w)[3] = 7.0f;\n}\n"
    evidence = validate.validate(mutated(package, "c", "grad_x", r"\n\}\n", body))
    assert_caught(evidence, "grad_x", "c", "input 1 was written to")


@needs_compiler
@pytest.mark.parametrize("place", ["dx[18]", "dx[-1]", "dx[300]"])
def test_writing_beside_the_output_is_caught(package: Package, place: str):
    evidence = validate.validate(mutated(package, "c", "grad_x", r"\n\}\n", f"\n    {place} = 1.0f;\n}}\n"))
    assert_caught(evidence, "grad_x", "c", "memory beside the output was written to")


@needs_compiler
def test_writing_beside_an_input_is_caught(package: Package):
    body = "\n    ((float *)dy)[10] = 7.0f;\n}\n"
    evidence = validate.validate(mutated(package, "c", "grad_b", r"\n\}\n", body))
    assert_caught(evidence, "grad_b", "c", "memory beside input 1 was written to")


@needs_compiler
def test_reading_beside_an_input_spoils_the_result(package: Package):
    body = "\n    db[1] += 0.0f * dy[10];\n}\n"
    evidence = validate.validate(mutated(package, "c", "grad_b", r"\n\}\n", body))
    assert_caught(evidence, "grad_b", "c", r"first at \[1\]: nan instead of")


@needs_compiler
@pytest.mark.parametrize("crash", ["*(volatile float *)0 = 1.0f;", "__builtin_trap();"])
def test_a_crash_is_a_failed_check(package: Package, crash: str):
    evidence = validate.validate(mutated(package, "c", "grad_w", r"\n\{\n", f"\n{{\n    {crash}\n"))
    assert not evidence.passed
    runs = [c for c in evidence.checks if not c.what.startswith("adjoint")]
    first = next(c for c in runs if not c.passed)
    assert first.function == "grad_w"
    assert re.search(r"the process died with signal \d+", first.detail)
    after = runs[runs.index(first) + 1:]
    assert all(not c.passed and "not run" in c.detail and "grad_w" in c.detail for c in after)
    assert all(c.passed for c in runs[:runs.index(first)]), "what ended before the crash keeps its result"


@needs_compiler
def test_a_child_that_does_not_end_is_a_failed_check(monkeypatch: pytest.MonkeyPatch):
    folder = BuildFolder()
    library = compile_library({"k.c": "void k(float *y) { volatile int go = 1; while (go) y[0] = 1.0f; }\n"}, folder)
    monkeypatch.setattr("symconv.native.CHILD_SECONDS", 2)
    outcome, = run_in_child(library, [Call("k", (), np.zeros(1, np.float32))])
    assert outcome.output is None and "did not end within 2 s" in outcome.error


@needs_compiler
def test_a_missing_function_is_a_failed_check(package: Package):
    name = f"{package.stem}.c"
    text = package.files[name].replace(f"{package.stem}_grad_b(", "another_name(")
    evidence = validate.validate(replace(only(package, "c"), files={**only(package, "c").files, name: text}))
    first = next(c for c in evidence.checks if not c.passed)
    assert first.function == "grad_b" and "undefined symbol" in first.detail


@needs_compiler
def test_the_adjoint_check_sees_a_scaled_gradient(package: Package):
    """<dy, y> = <dw, w> + <db, b> does not hold once a gradient is scaled, whatever the oracle says."""
    broken = mutated(package, "c", "grad_w", r"\n\}\n", "\n    for (int t = 0; t < 12; ++t) dw[t] *= 2.0f;\n}\n")
    adjoint = [c for c in validate.validate(broken).checks if c.what.startswith("adjoint")]
    assert [c.what for c in adjoint if not c.passed] == ["adjoint: <dy, y> = <db, b> + <dw, w>"]
    assert [c.what for c in adjoint if c.passed] == ["adjoint: <dy, y> = <db, b> + <dx, x>"]
    assert all(re.search(r"-?\d+ against -?\d+", c.detail) for c in adjoint if not c.passed)


def test_the_adjoint_check_needs_no_oracle(package: Package, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(validate, "compare", lambda output, case: "")
    broken = mutated(package, "py", "grad_x", r"return dx", "return 2 * dx")
    evidence = validate.validate(broken)
    assert [c.what for c in evidence.checks if not c.passed] == ["adjoint: <dy, y> = <db, b> + <dx, x>"]


NUMPY_FAULTS = {
    "a scaled result": ("forward", r"return (.+)", r"return \1 * 2", r"first at \[0, 0, 0\]"),
    "an element changed": ("grad_w", r"return (.+)", r"dw = \1; dw = dw.copy(); dw[1, 0, 2] += 1; return dw",
                           r"1 of 12 elements differ, first at \[1, 0, 2\]"),
    "an element not written": ("grad_b", r"return (.+)", r"db = \1; db[1] = np.nan; return db", r"first at \[1\]: nan"),
    "the wrong shape": ("grad_x", r"return (.+)", r"return (\1).ravel()", r"shape \(18,\), expected \(1, 2, 9\)"),
    "the wrong dtype": ("grad_x", r"return (.+)", r"return (\1).astype(np.float64)", "dtype float64, expected float32"),
    "an input written to": ("grad_x", r"return (.+)", r"w[0] = 9; return \1", "an input was written to"),
    "an exception": ("grad_w", r"return (.+)", r"raise IndexError('too far')", "IndexError: too far"),
    "nothing returned": ("forward", r"return (.+)", r"pass", "shape"),
    "an off-by-one shift": ("grad_w", r"return (.+)", r"return np.roll(\1, 1, axis=2)", r"first at \["),
}


@pytest.mark.parametrize("fault", NUMPY_FAULTS)
def test_numpy_faults_are_caught(package: Package, fault: str):
    function, pattern, replacement, says = NUMPY_FAULTS[fault]
    evidence = validate.validate(mutated(package, "py", function, pattern, replacement))
    assert_caught(evidence, function, "numpy", says)


@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_a_wrong_slope_is_caught(activation: str):
    package = emit(Conv(6, 3, activation=activation), ("numpy",), "float64")
    assert_caught(validate.validate(mutated(package, "py", "grad_z", r"return (.+)", r"return (\1) * (1 + 1e-9)")),
                  "grad_z", "numpy")
    assert_caught(validate.validate(mutated(package, "py", "activate", r"return (.+)", r"return (\1) * (1 + 1e-9)")),
                  "activate", "numpy")


def test_real_data_are_held_to_the_rounding_bound(package: Package):
    """A relative error of a few hundred roundings passes no check; the kernel's own roundings pass all."""
    cases = [c for c in make_cases(package, np.random.default_rng(0)) if c.label == "real data"]
    assert {c.function.name for c in cases} == {"forward", "grad_x", "grad_w", "grad_b"}
    for c in cases:
        good = c.expected.astype(np.float32)
        assert compare(good, c) == ""
        assert compare(good * np.float32(1 + 3e-5), c) != ""
        whole = [np.abs(a - np.rint(a)).max() for a in c.inputs]
        assert max(whole) > 0.01, "real data are no integers"


def test_integer_cases_are_exact_and_nonzero(package: Package):
    for dtype, most in (("float32", 2**24), ("float64", 2**53), ("int8", 2**31 - 1)):
        for c in make_cases(emit(LAYER, ("numpy",), dtype), np.random.default_rng(1)):
            if not c.label.startswith("integers"):
                continue
            assert c.tolerance == 0
            assert np.abs(c.expected).max() <= most
            assert all((a != 0).all() and (a == np.rint(a)).all() for a in c.inputs), "a zero would hide its partner"


@pytest.mark.parametrize("kind", ["float", "int"])
def test_compare_finds_every_kind_of_difference(kind: str):
    package = emit(LAYER, ("numpy",), "float32" if kind == "float" else "int8")
    case = next(make_cases(package, np.random.default_rng(0)))
    right = case.expected.astype(case.prepared.dtype)
    assert compare(right, case) == ""
    assert "first at [0, 0, 0]" in compare(case.prepared, case), "an untouched output is no result"
    assert compare(None, case) == "no output"
    for value in ([np.nan, np.inf, -np.inf] if kind == "float" else [np.iinfo(np.int32).max, np.iinfo(np.int32).min]):
        wrong = right.copy()
        wrong[0, 1, 2] = value
        assert "1 of 10 elements differ, first at [0, 1, 2]" in compare(wrong, case)


def test_without_a_compiler_numpy_runs_and_the_rest_is_named(package: Package, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(validate, "find_compiler", lambda: None)
    evidence = validate.validate(package)
    assert evidence.passed and {c.target for c in evidence.checks} == {"numpy"}
    assert len(evidence.not_run) == 4
    for f in ("forward", "grad_x", "grad_w", "grad_b"):
        assert f"{package.stem}.c ({f}): no C compiler found" in evidence.not_run
    assert str(evidence).count("not run: ") == 4
    assert f"{package.stem}.c" in package.files, "C is emitted all the same"
    assert json.loads(evidence.to_json())["not_run"] == list(evidence.not_run)


@needs_compiler
def test_a_failing_compiler_is_reported_in_full(package: Package):
    with pytest.raises(ToolchainError) as caught:
        validate.validate(mutated(package, "c", "grad_x", r"\n\{\n", "\n{\n    this is no C;\n"))
    message = str(caught.value)
    assert "error" in message and f"{package.stem}.c" in message, "the compiler's own message"
    assert re.search(r"command: .*-std=c99.* -o ", message)
    kept = Path(re.search(r"source kept in (\S+)", message)[1])
    assert "this is no C" in (kept / f"{package.stem}.c").read_text()
    assert (kept / f"{package.stem}.h").is_file()
    shutil.rmtree(kept)


@needs_compiler
def test_build_folders_are_private_and_go_away(package: Package):
    folder = BuildFolder()
    assert folder.path.stat().st_mode & 0o077 == 0
    compile_library({"k.c": "void k(float *y);\nvoid k(float *y) { y[0] = 1.0f; }\n"}, folder)
    path = folder.path
    assert path.is_dir()
    del folder
    assert not path.exists()


def test_evidence_as_json(package: Package):
    import hashlib

    evidence = validate.validate(only(package, "py"))
    data = json.loads(evidence.to_json())
    assert data["name"] == package.stem and data["compiler"] == ""
    text = package.files[f"{package.stem}.py"]
    assert data["sha256"] == {f"{package.stem}.py": hashlib.sha256(text.encode()).hexdigest()}
    assert len(data["checks"]) == len(evidence.checks)
    assert all(set(c) == {"function", "target", "check", "passed", "detail"} and c["passed"] for c in data["checks"])


def test_the_same_seed_gives_the_same_evidence(package: Package):
    assert validate.validate(only(package, "py")) == validate.validate(only(package, "py"))


def test_too_much_work_is_refused_before_it_starts(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(validate, "make_cases", lambda *_: pytest.fail("work was started"))
    package = emit(Conv((512, 512), (9, 9), channels=64, filters=64), ("c",))
    with pytest.raises(LimitExceeded, match=r"needs \d+ products a kernel; the limit is \d+"):
        validate.validate(package)


@pytest.mark.parametrize("layer", [Dense(3, 2, bias=True, activation="tanh"), Conv((4, 4), 3, padding="same")])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layers_without_faults_pass(layer: Conv | Dense, dtype: str):
    validate.validate(emit(layer, dtype=dtype)).require()


def test_equations_with_several_reads_of_one_tensor_are_validated():
    i, = indices("i")
    x, y = Tensor("x", 6), Tensor("y", 5)
    package = emit(Equation(y[i], [x[i] * x[i + 1], x[i]]))
    validate.validate(package).require()
    broken = mutated(package, "py", "grad_x", r"return (.+)", r"return (\1) * 2")
    assert_caught(validate.validate(broken), "grad_x", "numpy")
