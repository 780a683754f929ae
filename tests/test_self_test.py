"""The C file that travels with the kernels: it passes everywhere, and fails when a kernel is wrong."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from symconv import Conv, Dense, Equation, Tensor, indices
from symconv.cli import main
from symconv.drawn import digest
from symconv.emit import Package, emit
from symconv.errors import LimitExceeded, NotSupported
from symconv.family import random_layer
from symconv.translations import Translation, translations
from symconv.validate import validate

COMPILERS = [c for c in ("gcc", "clang", "tcc") if shutil.which(c)]
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Wvla",
          "-Werror", "-ffp-contract=off"]
GROUPED = Conv((6, 5), (3, 2), 4, 4, 2, 2, 1, groups=2, bias=True)
UPWARDS = Conv((3, 4), (3, 2), 2, 3, stride=2, padding=1, output_padding=1, transposed=True, bias=True, flip=True)
LAYERS = [GROUPED, UPWARDS, Conv(9, 3, 2, 2, stride=2, dilation=2, padding=1, activation="relu"),
          Conv((4, 3, 3), (2, 2, 2), 2, 2), Dense(4, 3, 2, True)]
needs_compiler = pytest.mark.skipif(not {"gcc", "clang"} & set(COMPILERS), reason="no gcc and no clang")


def made(layer: object, **options: object) -> Package:
    return emit(layer, ("c",), self_test=True, **options)  # type: ignore[arg-type]


def built(package: Package, folder: Path, compiler: str, *flags: str, changed: str | None = None) -> str:
    """The compiler's complaint, or ''. The program is called `test`."""
    for name, text in package.files.items():
        (folder / name).write_text(text)
    if changed is not None:
        (folder / f"{package.stem}.c").write_text(changed)
    names = [n for n in package.files if n.endswith(".c")]
    result = subprocess.run([compiler, *flags, *names, "-o", "test"], cwd=folder, capture_output=True, text=True,
                            check=False)
    return result.stderr if result.returncode else ""


def ran(folder: Path) -> int:
    return subprocess.run([folder / "test"], timeout=20, check=False, capture_output=True).returncode


@needs_compiler
@pytest.mark.parametrize("layer", LAYERS, ids=lambda v: v.name)
def test_it_is_clean_and_passes(layer: Conv | Dense, tmp_path: Path):
    """All warnings errors, at two levels; vectors that the machine need not have are compiled to what it has."""
    kinds = ({}, {"dtype": "int8"}, {"accumulate": True}, {"dtype": "float64", "isa": "avx2", "exact": True},
             {"isa": "avx512", "exact": True})
    for n, kind in enumerate(kinds):
        package = made(layer, **kind)
        for compiler in sorted({"gcc", "clang"} & set(COMPILERS))[:2 if n > 2 else 1 + (n == 0)]:
            level = ("-O0", "-O1", "-Os")[n % 3]
            assert built(package, tmp_path, compiler, *STRICT, level) == "", (package.stem, compiler, kind)
            assert ran(tmp_path) == 0, (package.stem, compiler, kind)


@needs_compiler
def test_random_layers_pass_under_sanitizers(tmp_path: Path):
    flags = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    compiler = "gcc" if "gcc" in COMPILERS else "clang"
    for n in range(5):
        layer = random_layer(random.Random(f"self-test:{n}"))
        package = made(layer, accumulate=n == 2, isa="avx2" if n % 2 else "generic")
        assert built(package, tmp_path, compiler, *STRICT, *flags) == ""
        assert ran(tmp_path) == 0, layer


@needs_compiler
def test_a_winograd_kernel_is_tested_to_the_nearest_integer(tmp_path: Path):
    package = made(Conv((8, 8), (3, 3), 16, 16, padding=1), isa="avx2", schedules=("bilinear",))
    assert package.rounded
    assert built(package, tmp_path, COMPILERS[0], *STRICT, "-O1") == "" and ran(tmp_path) == 0


def mutants(text: str, rng: random.Random, count: int) -> list[tuple[str, str]]:
    """(what, text): one number, sign or operator of the code changed."""
    found = []
    for m in re.finditer(r"(?<![\w.])\d+(?![\w.])| \+= | = |0\.0f| - | \+ | < | \* ", text):
        line = text[text.rfind("\n", 0, m.start()) + 1:text.find("\n", m.end())]
        if text.rfind("/*", 0, m.start()) > text.rfind("*/", 0, m.start()) or line.startswith("#"):
            continue
        was = m[0]
        new = {" += ": " = ", " = ": " += ", "0.0f": "1.0f", " - ": " + ", " + ": " - ", " < ": " <= ",
               " * ": " + "}.get(was) or str(int(was) + rng.choice((1, -1)))
        if was == " = " and ("const" in line or "for (" in line):
            continue
        found.append((f"{line.strip()}: {was!r} to {new!r}", text[:m.start()] + new + text[m.end():]))
    return rng.sample(found, min(count, len(found)))


@needs_compiler
@pytest.mark.parametrize("layer", [GROUPED, UPWARDS], ids=lambda v: v.name)
def test_it_fails_when_a_kernel_is_wrong(layer: Conv, tmp_path: Path):
    """Numbers, signs and operators of the emitted C changed at random; what is not seen must compute the same.

    Without the digests the properties alone see most of them.
    """
    package = made(layer)
    text = package.files[f"{package.stem}.c"]
    compiler = "tcc" if "tcc" in COMPILERS else COMPILERS[0]
    flags = ["-std=c99"] if compiler == "tcc" else ["-std=c99", "-O0", "-w"]
    without = re.sub(r"!= \w+_DIGEST", "== 0u", package.files[package.self_test])
    seen = by_properties = tried = 0
    survivors = []
    for what, changed in mutants(text, random.Random(layer.name), 45):
        if built(package, tmp_path, compiler, *flags, changed=changed):
            continue
        tried += 1
        killed = failed(tmp_path)
        seen += killed
        if not killed:
            survivors.append((what, changed))
        elif tried % 2:
            (tmp_path / package.self_test).write_text(without)
            names = [f"{package.stem}.c", package.self_test]
            subprocess.run([compiler, *flags, *names, "-o", "test"], cwd=tmp_path, check=True, capture_output=True)
            by_properties += failed(tmp_path)
    assert tried >= 35
    for what, changed in survivors:
        assert same_function(package, changed), what
    assert by_properties >= 0.8 * (tried // 2 - len(survivors)), (by_properties, tried)


def failed(folder: Path) -> bool:
    try:
        return ran(folder) != 0
    except subprocess.TimeoutExpired:
        return True


def same_function(package: Package, changed: str) -> bool:
    from dataclasses import replace

    files = {n: changed if n == f"{package.stem}.c" else t for n, t in package.files.items() if n != package.self_test}
    return validate(replace(package, files=files, self_test=""), seed=5).passed


def test_digests_are_the_oracles():
    """The header's digest, from nested loops over the same integers, drawn here once more."""
    import nested_loops

    package = made(GROUPED)
    header = package.files[f"{package.stem}.h"]
    seeds = {t.name: n for n, t in enumerate(dict.fromkeys(t for f in package.functions for t in f.arguments), 1)}
    values = {t.name: drawn_here(seeds[t.name], t.array_shape) for f in package.functions for t in f.arguments}
    y = nested_loops.forward(GROUPED, values["x"], values["w"], values["b"])
    slopes = nested_loops.gradients(GROUPED, values["x"], values["w"], values["dy"])
    for name, array in {"FORWARD": y, "GRAD_X": slopes["x"], "GRAD_W": slopes["w"]}.items():
        assert f"{package.stem.upper()}_{name}_DIGEST 0x{digest(array):08x}u" in header


def drawn_here(state: int, shape: tuple[int, ...], most: int = 9) -> np.ndarray:
    values = []
    for _ in range(int(np.prod(shape))):
        state = (state * 1664525 + 1013904223) % 2**32
        v = (state >> 16) % (2 * most) - most
        values.append(v + (v >= 0))
    return np.array(values).reshape(shape)


def test_translations_follow_from_the_equation():
    i, j = indices("i j")
    w, x, y = Tensor("w", 3), Tensor("x", 20), Tensor("y", 6)
    assert list(translations(Equation(y[i], w[j] * x[3 * i - 2 * j + 4]))) == [Translation(x, 0, 3, 0, 1)]
    assert list(translations(Equation(y[i], w[i] * x[3 * i]))) == []
    assert list(translations(Equation(y[i], x[i] * x[i + 1]))) == [Translation(x, 0, 1, 0, 1)]
    assert list(translations(Equation(y[i], x[i] * x[2 * i]))) == []


def test_functions_without_exact_values_are_left_out(tmp_path: Path):
    package = made(Conv(6, 3, activation="sigmoid"))
    text = package.files[package.self_test]
    assert "Without exact values, and not tested here: activate, grad_z." in text
    with pytest.raises(NotSupported, match="no function with exact values"):
        i, = indices("i")
        made(Equation(Tensor("y", 5)[i], Tensor("x", 5)[i].apply("tanh")))


@needs_compiler
def test_the_command(tmp_path: Path):
    words = ["emit", "ic2ih4oc2kh2", "--self-test", "--target", "c", "--out", str(tmp_path)]
    run = CliRunner().invoke(main, words)
    assert run.exit_code == 0 and "_self_test.c: returns 0 here" in run.output, run.output
    header, = tmp_path.glob("*.h")
    assert "--self-test" in header.read_text() and header.read_text().count("_DIGEST 0x") == 3


@needs_compiler
@pytest.mark.parametrize("isa", ["generic", "avx2", "avx512"])
def test_objects_need_no_library(isa: str, tmp_path: Path):
    """Kernels and their test call memory functions at most, and runtime helpers; headers are C++11 too."""
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    for layer in (GROUPED, Conv((6, 16), (2, 3), 2, 16)):
        package = made(layer, isa=isa)
        for name, text in package.files.items():
            (tmp_path / name).write_text(text)
        for source in (f"{package.stem}.c", package.self_test):
            subprocess.run([COMPILERS[0], *STRICT, "-O2", "-c", source, "-o", "a.o"], cwd=tmp_path, check=True)
            said = subprocess.run(["nm", "-u", "a.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
            needed = {line.split()[-1] for line in said.splitlines()} - {"_GLOBAL_OFFSET_TABLE_"}
            own = {f"{package.stem}_{f.name}" for f in package.functions} if source == package.self_test else set()
            assert {n for n in needed if not n.startswith("__")} <= own | {"memcpy", "memset", "memmove", "memcmp"}
        if shutil.which("g++"):
            (tmp_path / "a.cpp").write_text(f'#include "{package.stem}.h"\n')
            subprocess.run(["g++", "-std=c++11", "-pedantic", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "a.cpp"],
                           cwd=tmp_path, check=True)


@pytest.mark.parametrize("name", ["with", "xor", "static_cast", "size_t", "async"])
def test_arrays_bear_no_word_of_c_cpp_or_python(name: str):
    i, = indices("i")
    with pytest.raises(NotSupported, match="no word of"):
        emit(Equation(Tensor("y", 5)[i], Tensor(name, 5)[i]))


def test_a_formula_cannot_leave_a_comment_of_the_test():
    from symconv.formula import Formula

    layer = Formula(r"y_i = \sum_{j=1}^{k} w_j x_{i+j-1} % */ int evil; /*", {"n": 6, "k": 2})
    try:
        package = made(layer)
    except Exception as e:
        assert type(e).__module__ == "symconv.errors"
        return
    assert "*/ int evil" not in package.files[package.self_test]


def test_a_test_needs_the_c_target():
    with pytest.raises(NotSupported, match="needs the target c"):
        emit(GROUPED, ("numpy",), self_test=True)


def test_a_test_too_large_for_any_target_is_refused():
    with pytest.raises(LimitExceeded, match="a self-test of"):
        made(Conv((4000, 4000), (1, 1), stride=4000))
