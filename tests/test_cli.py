"""The command line: what it prints, what it writes, and how it says no."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symconv import __version__, batch, validate
from symconv.cli import main
from symconv.native import find_compiler
from symconv.validate import Check, Evidence


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def good(*words: str) -> str:
    result = run(*words)
    assert result.exit_code == 0, result.output
    return result.stdout


# -- derive -----------------------------------------------------------------------------------------------------------

def test_one_element():
    assert good("derive", "--input", "5", "--kernel", "3", "--wrt", "x[3]").splitlines() == [
        "dL/dx_3 = sum_{j=1}^{3} delta_{4-j} w_j",
        "dL/dx_3 = delta_1 w_3 + delta_2 w_2 + delta_3 w_1"]


def test_one_element_counted_from_zero():
    assert good("derive", "--input", "5", "--kernel", "3", "--wrt", "x[2]", "--base", "0").splitlines()[-1] == \
        "dL/dx_2 = delta_0 w_2 + delta_1 w_1 + delta_2 w_0"


def test_one_element_at_the_border():
    assert good("derive", "--input", "5", "--kernel", "3", "--wrt", "x[1]").splitlines()[-1] == "dL/dx_1 = delta_1 w_1"


def test_the_whole_derivation():
    text = good("derive", "--input", "5", "--kernel", "3")
    lines = [line.strip() for line in text.splitlines()]
    assert "o_i = sum_{j=1}^{k} w_j x_{i+j-1}" in lines
    assert "dL/dw_a = sum_{i=1}^{o} delta_i x_{a+i-1}" in lines
    for reason in ("(definition)", "(chain rule)", "(linearity)", "(delta elimination)", "(domain)", "(name)"):
        assert reason in text
    assert "full correlation of delta with the flipped kernel w" in text
    assert text.count("proved for all sizes: the transpose of the forward equation") == 2
    assert "5" in text and "give o = 3" in text


def test_one_gradient_without_steps():
    text = good("derive", "--input", "5", "--kernel", "3", "--wrt", "w", "--no-steps")
    assert text.splitlines()[0] == "dL/dw_a = sum_{i=1}^{o} delta_i x_{a+i-1}"
    assert "dL/dx" not in text and "chain rule" not in text


def test_expanded():
    lines = good("derive", "--input", "5", "--kernel", "3", "--expand", "--no-steps").splitlines()
    stripped = [line.strip() for line in lines]
    for row in ("dL/dx_1 = delta_1 w_1", "dL/dx_3 = delta_1 w_3 + delta_2 w_2 + delta_3 w_1", "dL/dx_5 = delta_3 w_3",
                "dL/dw_1 = delta_1 x_1 + delta_2 x_2 + delta_3 x_3"):
        assert row in stripped
    assert sum(row.startswith("dL/dx_") and "sum" not in row for row in stripped) == 5
    assert sum(row.startswith("dL/dw_") and "sum" not in row for row in stripped) == 3


def test_dense_with_an_activation():
    text = good("derive", "--dense", "4x3", "--bias", "--activation", "sigma", "--base", "0", "--no-steps")
    assert "sum_{j=0}^{p-1} W_{i,j} x_j + b_i" in text
    assert "sigma'(z_i)" in text and "dL/dW_{m,l} = delta_m x_l" in text


def test_latex():
    lines = good("derive", "--input", "5", "--kernel", "3", "--format", "latex").splitlines()
    assert len(lines) == 3
    assert all(line.count("{") == line.count("}") for line in lines)
    assert r"\delta" in lines[1] and r"\sum" in lines[1] and r"\partial" in lines[1]


def test_json():
    data = json.loads(good("derive", "--input", "6x5", "--kernel", "3x2", "--bias", "--format", "json", "--base", "0"))
    assert data["base"] == 0 and data["sizes"]["H"] == 6 and data["sizes"]["O_W"] == 4
    assert set(data["gradients"]) == {"x", "w", "b"}
    for g in data["gradients"].values():
        assert g["proof"] == "proved" and g["steps"] and g["text"] and g["latex"]
        assert {"reason", "statement", "text", "latex"} == set(g["steps"][0])


def test_json_expanded():
    data = json.loads(good("derive", "--input", "4", "--kernel", "2", "--wrt", "w", "--expand", "--format", "json"))
    assert data["gradients"]["w"]["elements"][0] == "dL/dw_1 = delta_1 x_1 + delta_2 x_2 + delta_3 x_3"


# -- emit -------------------------------------------------------------------------------------------------------------

def test_emit_writes_validated_kernels(tmp_path: Path):
    out = tmp_path / "kernels"
    text = good("emit", "--input", "28x28", "--kernel", "3x3", "--out", str(out))
    stem = "conv2d_n1c1i28x28_f1k3x3_s1p0"
    assert {p.name for p in out.iterdir()} == {f"{stem}.{kind}" for kind in ("c", "h", "py", "evidence.json")}
    for word in ("forward", "grad_x", "grad_w", "cross-correlation of x with w", "proved for all sizes", "6,084",
                 f"{stem}.c", "checks passed", f"wrote {stem}.h, {stem}.c, {stem}.py"):
        assert word in text, word
    evidence = json.loads((out / f"{stem}.evidence.json").read_text())
    assert evidence["checks"] and all(c["passed"] for c in evidence["checks"])
    assert set(evidence["sha256"]) == {f"{stem}.{kind}" for kind in ("c", "h", "py")}
    before = {p.name: p.stat().st_mtime_ns for p in out.iterdir()}
    good("emit", "--input", "28x28", "--kernel", "3x3", "--out", str(out))
    assert {p.name: p.stat().st_mtime_ns for p in out.iterdir()} == before, "nothing changed, nothing is written"


@pytest.mark.parametrize(("target", "kinds"), [("c", {".c", ".h", ".json"}), ("numpy", {".py", ".json"}),
                                               ("numpy, c", {".c", ".h", ".py", ".json"})])
def test_emit_one_target(target: str, kinds: set[str], tmp_path: Path):
    good("emit", "--dense", "4x3", "--target", target, "--dtype", "int8", "--accumulate", "--out", str(tmp_path))
    assert {p.suffix for p in tmp_path.iterdir()} == kinds
    assert all(p.name.startswith("dense_n1_i4o3_int8_acc.") for p in tmp_path.iterdir())


def test_a_kernel_that_fails_exits_with_1_and_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    failed = Check("grad_w", "numpy", "integers 1: equal", False, "first at [0, 0, 1]: 2.0 instead of 3.0")
    monkeypatch.setattr(batch, "validate", lambda p: Evidence(p.stem, (failed,)))
    result = run("emit", "--input", "5", "--kernel", "3", "--target", "numpy", "--out", str(tmp_path / "k"))
    assert result.exit_code == 1
    assert "grad_w" in result.stdout and "first at [0, 0, 1]: 2.0 instead of 3.0" in result.stdout
    assert "nothing was written" in result.stdout and "wrote conv" not in result.stdout
    assert not (tmp_path / "k").exists()


def test_without_a_compiler_emit_says_what_was_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(validate, "find_compiler", lambda: None)
    text = good("emit", "--input", "5", "--kernel", "3", "--out", str(tmp_path))
    stem = "conv1d_n1c1i5_f1k3_s1p0"
    for f in ("forward", "grad_x", "grad_w"):
        assert f"not run: {stem}.c ({f}): no C compiler found" in text
    assert (tmp_path / f"{stem}.c").is_file()


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_a_failing_compiler_exits_with_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    import re
    import shutil

    monkeypatch.setattr("symconv.native.FLAGS", ("--no-such-flag",))
    result = run("emit", "--input", "5", "--kernel", "3", "--out", str(tmp_path / "k"))
    assert result.exit_code == 2 and "the compiler failed" in result.stderr and "command: " in result.stderr
    assert not (tmp_path / "k").exists()
    shutil.rmtree(re.search(r"source kept in (\S+)", result.stderr)[1])


CONV = ("--input", "8", "--kernel", "3")
BAD = {
    "kernel larger than input": (("--input", "3", "--kernel", "5"), "the kernel is larger than the padded input"),
    "groups do not divide": ((*CONV, "--channels", "3", "--filters", "4", "--groups", "2"),
                             "groups = 2 does not divide channels = 3"),
    "a size of zero": (("--input", "0", "--kernel", "3"), "input must be at least 1, not 0"),
    "a negative size": (("--input", "8", "--kernel", "-3"), "kernel must be at least 1, not -3"),
    "stride zero": ((*CONV, "--stride", "0"), "stride must be at least 1, not 0"),
    "no filters": ((*CONV, "--filters", "0"), "filters must be at least 1, not 0"),
    "a negative batch": ((*CONV, "--batch", "-2"), "batch must be at least 1, not -2"),
    "output padding too large": ((*CONV, "--transposed", "--stride", "2", "--output-pad", "2"),
                                 "output_padding = 2 must be smaller than max(stride, dilation)"),
    "output padding without transposed": ((*CONV, "--output-pad", "1"), "applies to a transposed convolution only"),
    "transposed leaves nothing": (("--input", "2", "--kernel", "1", "--transposed", "--pad", "3"), "no output is left"),
    "unknown padding": ((*CONV, "--pad", "reflect"), "unknown padding 'reflect'; known: valid, same, full"),
    "named padding transposed": ((*CONV, "--transposed", "--pad", "same"), "no agreed meaning"),
    "padding that cannot be read": ((*CONV, "--pad", "1:2:3"), "--pad takes 1, 1x0, 0:1x1:2 or a name, not '1:2:3'"),
    "too many strides": ((*CONV, "--stride", "1x2"), "stride has 2 entries, the layer has 1 spatial axes"),
    "four axes": (("--input", "5x5x5x5", "--kernel", "2"), "a layer has 1, 2 or 3 spatial axes, not 4"),
    "unknown activation": ((*CONV, "--activation", "gelu"), "unknown activation 'gelu'; known: relu, sigmoid, tanh"),
    "unreadable size": (("--input", "8,8", "--kernel", "3"), "--input takes numbers such as 28x28, not '8,8'"),
    "no kernel": (("--input", "8"), "--kernel is missing"),
    "no input": (("--kernel", "8"), "--input is missing"),
    "unreadable dense": (("--dense", "4"), "--dense takes inputs x outputs, such as 4x3, not '4'"),
    "dense with a kernel": (("--dense", "4x3", "--kernel", "3"), "--dense does not go with --kernel"),
    "nothing": ((), ""),
}


@pytest.mark.parametrize("command", ["derive", "emit"])
@pytest.mark.parametrize("name", BAD)
def test_bad_layers_exit_with_2_and_write_nothing(name: str, command: str, tmp_path: Path):
    words, says = BAD[name]
    out = ("--out", str(tmp_path / "k")) if command == "emit" else ()
    result = run(command, *words, *out)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize(("words", "says"), [
    (("--dtype", "float16"), "unknown dtype 'float16'; known: float32, float64, int8"),
    (("--target", "cuda"), "unknown target 'cuda'; known: c, numpy"),
    (("--target", ""), "no target is given; known: c, numpy"),
    (("--activation", "sigma"), "sigma is a name without a rule"),
    (("--activation", "tanh", "--dtype", "int8"), "tanh has no integer kernel"),
    (("--filters", "900000000"), "a kernel indexes at most"),
    (("--frobnicate",), "No such option"),
    (("--layers", "no-such-file.toml"), "describe one layer"),
])
def test_bad_requests_exit_with_2(words: tuple[str, ...], says: str, tmp_path: Path):
    result = run("emit", *CONV, "--out", str(tmp_path / "k"), *words)
    assert result.exit_code == 2, result.output
    assert says in result.stderr
    assert not (tmp_path / "k").exists()


def test_an_unwritable_folder_exits_with_2(tmp_path: Path):
    (tmp_path / "file").write_text("kept")
    result = run("emit", *CONV, "--target", "numpy", "--out", str(tmp_path / "file" / "k"))
    assert result.exit_code == 2 and f"cannot write to {tmp_path / 'file' / 'k'}" in result.stderr
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize(("wrt", "says"), [
    ("q", "there is no gradient with respect to 'q'; known: x, w"),
    ("x[9]", "x"), ("x[0]", "x"), ("x[1,2]", "x"), ("x[", "x["), ("x[a]", "x[a]")])
def test_bad_elements_exit_with_2(wrt: str, says: str):
    result = run("derive", *CONV, "--wrt", wrt)
    assert result.exit_code == 2, result.output
    assert says in result.stderr and "Traceback" not in result.output


# -- many layers ------------------------------------------------------------------------------------------------------

LAYERS = """
[[layer]]
input = [6, 6]
kernel = [3, 3]
padding = [[0, 1], [1, 1]]

[[layer]]
input = 2
kernel = 5

[[layer]]
inputs = 4
outputs = 3
bias = true
"""


def toml(tmp_path: Path, text: str) -> str:
    path = tmp_path / "layers.toml"
    path.write_text(text)
    return str(path)


def test_a_failing_layer_stops_no_other(tmp_path: Path):
    result = run("emit", "--layers", toml(tmp_path, LAYERS), "--out", str(tmp_path / "k"))
    assert result.exit_code == 2
    assert "layer 2: the kernel is larger than the padded input" in result.stdout
    assert f"2 of 3 layers emitted to {tmp_path / 'k'}/" in result.stdout.replace("\n", "")
    stems = {p.name.split(".")[0] for p in (tmp_path / "k").iterdir()}
    assert stems == {"conv2d_n1c1i6x6_f1k3x3_s1p0_1x1_1", "dense_n1_i4o3_bias"}


def test_many_layers(tmp_path: Path):
    text = "".join(f"[[layer]]\ninput = {n}\nkernel = 3\n" for n in range(3, 7))
    assert "4 of 4 layers emitted" in good("emit", "--layers", toml(tmp_path, text), "--target", "numpy",
                                           "--out", str(tmp_path / "k"))
    assert len(list((tmp_path / "k").glob("*.py"))) == 4


def test_a_defect_in_one_layer_stops_no_other(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    request = batch.Request(("numpy",), "float32", False, tmp_path)
    stem, error, invalid = batch._job({}, lambda table: 1 // 0, request)
    assert (stem, invalid) == ("", False) and "ZeroDivisionError" in error


@pytest.mark.parametrize(("text", "says"), [
    ("[[layer]\ninput = 3", "is not valid TOML"),
    ("title = 'none'", "has no [[layer]] tables"),
    ("layer = 3", "has no [[layer]] tables"),
    ("layer = [3]", "has no [[layer]] tables"),
])
def test_bad_toml_exits_with_2(text: str, says: str, tmp_path: Path):
    result = run("emit", "--layers", toml(tmp_path, text), "--out", str(tmp_path / "k"))
    assert result.exit_code == 2 and says in result.stderr
    assert not (tmp_path / "k").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("[[layer]]\ninput = 5\nkernel = 3\npad = 1", "unknown argument 'pad' of Conv; known: activation, batch"),
    ("[[layer]]\ninput = 5", "missing 1 required positional argument: 'kernel'"),
    ("[[layer]]\ninputs = 5\noutputs = 3\nkernel = 3", "unknown argument 'kernel' of Dense"),
    ("[[layer]]\ninput = 5\nkernel = 2.5", "kernel must be a whole number, not 2.5"),
    ("[[layer]]\ninput = 'big'\nkernel = 3", "input"),
    ("[[layer]]\ninput = 5\nkernel = 3\npadding = [[1, 2, 3]]", "padding"),
    ("[[layer]]\ninput = 5\nkernel = 3\nbias = 'no'", "bias must be true or false, not 'no'"),
    ("[[layer]]\ninput = 5\nkernel = 3\nactivation = 3", "unknown activation 3"),
])
def test_bad_tables_are_named(text: str, says: str, tmp_path: Path):
    result = run("emit", "--layers", toml(tmp_path, text), "--target", "numpy", "--out", str(tmp_path / "k"))
    assert result.exit_code == 2, result.output
    assert "layer 1: " in result.stdout and says in result.stdout
    assert "0 of 1 layers emitted" in result.stdout.replace("\n", "")
    assert not (tmp_path / "k").exists()


def test_a_missing_toml_file_exits_with_2(tmp_path: Path):
    result = run("emit", "--layers", str(tmp_path / "none.toml"))
    assert result.exit_code == 2 and "cannot read" in result.stderr


# -- the rest ---------------------------------------------------------------------------------------------------------

def test_doctor():
    text = good("doctor")
    assert f"symconv {__version__}" in text and "Python 3" in text
    for name in ("sympy", "numpy", "jinja2", "click", "rich", "C compiler", "torch", "hypothesis"):
        assert name in text


def test_doctor_says_how_to_get_a_compiler(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symconv.native.find_compiler", lambda: None)
    assert "C compiler: none" in good("doctor") and "pip install 'symconv[zig]'" in good("doctor")


def test_fuzz_checks_and_counts():
    text = good("fuzz", "--count", "3", "--seed", "1")
    assert "3 random layers, seed 1" in text and "0 failures" in text


def test_help_and_version():
    text = good("--help")
    assert all(word in text for word in ("derive", "emit", "bench", "fuzz", "doctor"))
    assert __version__ in good("--version")
    for command in ("derive", "emit", "bench", "fuzz", "doctor"):
        assert good(command, "--help").startswith("Usage: ")


LAZY = """
import sys
before = set(sys.modules)
{action}
heavy = [m for m in ("sympy", "numpy", "jinja2", "rich", "symconv.emit", "symconv.kernels") if m in sys.modules]
print("heavy:", heavy)
"""
HELP = "from symconv.cli import main\ntry:\n    main(['--help'])\nexcept SystemExit as e:\n    assert not e.code"


@pytest.mark.parametrize("action", ["import symconv", HELP, HELP.replace("'--help'", "'emit', '--help'")])
def test_nothing_heavy_is_loaded_for_help(action: str):
    result = subprocess.run([sys.executable, "-c", LAZY.format(action=action)], capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "heavy: []"


def test_python_m_symconv(tmp_path: Path):
    result = subprocess.run([sys.executable, "-m", "symconv", "--help"], capture_output=True, text=True, cwd=tmp_path,
                            check=False)
    assert result.returncode == 0 and result.stdout.startswith("Usage: symconv [OPTIONS] COMMAND")
    result = subprocess.run([sys.executable, "-m", "symconv", "emit", "--input", "3", "--kernel", "5"],
                            capture_output=True, text=True, cwd=tmp_path, check=False)
    assert result.returncode == 2 and result.stderr.startswith("error: the kernel is larger")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_emit_in_vectors(tmp_path: Path):
    words = ["emit", "--input", "12x12", "--kernel", "3x3", "--channels", "8", "--filters", "8", "--target", "c"]
    assert run(*words, "--isa", "avx2", "--exact", "--out", str(tmp_path)).exit_code == 0
    source, = (p.read_text() for p in tmp_path.glob("*.c"))
    assert "--isa avx2 --exact" in source and "vector_size(32)" in source
    assert run(*words, "--isa", "mmx", "--out", str(tmp_path)).exit_code == 2
