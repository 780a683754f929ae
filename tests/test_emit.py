"""Emitted files: the same bytes everywhere, complete headers, clean C, honest counts, careful writing."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import nested_loops
import pytest
from click.testing import CliRunner

from symconv import Conv, Dense, Equation, Tensor, __version__, batch, indices
from symconv import emit as emit_module
from symconv.cli import main
from symconv.emit import Package, emit, write_files
from symconv.errors import LimitExceeded, NotSupported, ShapeError, SymconvError
from symconv.family import random_layer
from symconv.native import find_compiler
from symconv.validate import Evidence

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
ROOT = Path(__file__).resolve().parent.parent
CHOSEN = [Conv((28, 28), (3, 3), filters=8), Conv(9, 3, stride=2, padding=((1, 2),), bias=True, activation="tanh"),
          Conv((5, 4, 3), (2, 2, 2), channels=2, filters=2, groups=2, dilation=(2, 1, 1)),
          Dense(4, 3, 2, True, "sigmoid"),
          Conv((4, 4), (3, 3), stride=(2, 3), transposed=True, output_padding=1, flip=True)]


@cache
def family(count: int, seed: str = "emit") -> list[Conv]:
    return [random_layer(random.Random(f"{seed}:{n}")) for n in range(count)]


@cache
def packages() -> dict[str, Package]:
    """About forty layers over the family, dtypes, activations and accumulation, by stem."""
    made = [emit(v) for v in [*CHOSEN, *family(26)]]
    made += [emit(v, dtype="int8", accumulate=True) for v in family(4)]
    made += [emit(CHOSEN[1], dtype="float64"), emit(CHOSEN[3], accumulate=True, dtype="float64"), emit(by_hand())]
    made += [emit(Conv((4, 4), (2, 2), channels=2, bias=True, activation=a)) for a in ("relu", "sigmoid")]
    return {p.stem: p for p in made}


def by_hand() -> Equation:
    i, j = indices("i j")
    return Equation(Tensor("y", 6)[i], Tensor("w", 3)[j] * Tensor("x", 13)[3 * i - 2 * j + 4])


def sources(kind: str) -> dict[str, str]:
    return {n: t for p in packages().values() for n, t in p.files.items() if n.endswith(kind)}


def code(text: str) -> str:
    """C without its comments and preprocessor lines."""
    return re.sub(r"^#.*$", "", re.sub(r"/\*.*?\*/", " ", text, flags=re.S), flags=re.M)


def function(p: Package, name: str) -> str:
    """The body of one C function, without comments."""
    text = code(p.files[f"{p.stem}.c"])
    start = text.index(f"void {p.stem}_{name}(")
    return text[text.index("{", start):text.index("\n}\n", start)]


# -- determinism ------------------------------------------------------------------------------------------------------

DIGESTS = """
import hashlib, json
from symconv import Conv, Dense
from symconv.emit import emit
layers = eval(%r)
files = {n: t for v in layers for n, t in emit(v).files.items()}
print(json.dumps({n: hashlib.sha256(t.encode()).hexdigest() for n, t in files.items()}))
"""


def digests(files: dict[str, str]) -> dict[str, str]:
    return {n: hashlib.sha256(t.encode()).hexdigest() for n, t in files.items()}


def test_the_same_bytes_twice():
    for p in packages().values():
        again = emit(p.derivation, dtype=p.dtype, accumulate=p.accumulate)
        assert again.files == p.files


@pytest.mark.parametrize("seed", ["0", "12345"])
def test_the_same_bytes_in_another_process_locale_and_folder(seed: str, tmp_path: Path):
    layers = [*CHOSEN, *family(6)]
    env = {**os.environ, "PYTHONHASHSEED": seed, "LC_ALL": "tr_TR.UTF-8" if seed == "0" else "C", "LANG": "C",
           "PYTHONPATH": str(ROOT), "TZ": "Pacific/Chatham", "OPENBLAS_NUM_THREADS": seed[0] if seed > "0" else "2"}
    result = subprocess.run([sys.executable, "-c", DIGESTS % repr(layers)], capture_output=True, text=True,
                            cwd=tmp_path, env=env, check=False)
    assert result.returncode == 0, result.stderr
    here = {n: t for v in layers for n, t in emit(v).files.items()}
    assert json.loads(result.stdout) == digests(here)


def test_no_date_path_or_machine_in_any_file():
    found = find_compiler()
    words = [str(Path.home()), str(ROOT), os.getcwd(), socket.gethostname(), platform.machine(), platform.node(),
             sys.executable, "/tmp", *([found.version] if found else [])]
    for name, text in {**sources(".c"), **sources(".h"), **sources(".py")}.items():
        for word in filter(lambda w: len(w) > 3, words):
            assert word not in text, f"{name} holds {word!r}"
        found = re.search(r"\b20\d\d-\d\d|\b\d\d:\d\d:\d\d|0x[0-9a-f]{6,}", text)
        assert not found, f"{name} holds a date or an address: {found[0]}"


def test_files_are_tidy():
    for name, text in {**sources(".c"), **sources(".h"), **sources(".py")}.items():
        text.encode("ascii")
        assert text.endswith("\n") and not text.endswith("\n\n"), f"{name} does not end with one newline"
        lines = text.split("\n")
        assert [line for line in lines if line != line.rstrip()] == [], f"{name} has trailing blanks"
        assert "\t" not in text and "\n\n\n\n" not in text


# -- headers ----------------------------------------------------------------------------------------------------------

def test_every_file_says_where_it_came_from():
    for p in packages().values():
        for name, text in p.files.items():
            assert f"Generated by symconv {__version__}: symconv" in text, name
            digest = re.search(r"Specification sha256 ([0-9a-f]{64})\b", text)
            assert digest, name
    stamps = {re.search(r"sha256 (\w+)", t)[1] for t in sources(".c").values()}
    assert len(stamps) == len(packages()), "two different requests have one hash"


def test_every_c_function_is_documented():
    for p in packages().values():
        source, header = p.files[f"{p.stem}.c"], p.files[f"{p.stem}.h"]
        for f in p.functions:
            comment = source[:source.index(f"void {p.stem}_{f.name}(")].rsplit("/*", 1)[1]
            assert re.match(rf" {f.equation.output.name}(\[.*\])? = ", comment), f"no formula of {f.name}"
            assert (f"{p.multiplications[f.name]} multiplications, {p.additions[f.name]} additions." in comment)
            assert ("Proved for all sizes" in comment) == (f.proof is not None and f.proof.proved)
            body = source[source.index(f"void {p.stem}_{f.name}("):]
            for t in (*f.arguments, f.equation.output):
                shape = "".join(f"[{n}]" for n in t.array_shape)
                assert re.search(rf"restrict {t.name}[,)] /\* {re.escape(shape)} \*/", body), (p.stem, f.name, t.name)
                assert re.search(rf"^ \*     {t.name} *{re.escape(shape)}$", header, re.M), (p.stem, t.name)
            assert f"void {p.stem}_{f.name}(" in header


def test_gradients_of_the_family_are_proved():
    for layer in family(40):
        assert all(f.proof.proved for f in emit(layer, ("c",)).functions if f.proof is not None), layer.command()


def test_numpy_functions_are_documented():
    for p in packages().values():
        text = p.files[f"{p.stem}.py"]
        for f in p.functions:
            assert re.search(rf"^def {f.name}\(", text, re.M)
            before = text[:text.index(f"\ndef {f.name}(")].rsplit("\n\n\n", 1)[1]
            assert before.startswith(f"# {f.equation.output.name}[") and " = " in before, (p.stem, f.name)
        assert set(re.findall(r"^(?:import|from) .*", text, re.M)) == {"import numpy as np"}


def test_the_28x28_header_in_full():
    text = emit(CHOSEN[0], ("c",)).files["conv2d_n1c1i28x28_f8k3x3_s1p0.c"]
    assert "symconv emit --input 28x28 --kernel 3x3 --filters 8\n" in text
    assert re.search(r"/\* dw\[f, u, v\] = sum over 0 <= i < O_H, 0 <= j < O_W of dy\[f, i, j\] \* x\[.*u.*, .*v.*\]\n"
                     r" \* This is the cross-correlation of x with delta\.\n"
                     r" \* Proved for all sizes: the transpose of the forward equation\.\n"
                     r" \* 48672 multiplications, 48672 additions\.\n"
                     r" \* Read back and proved equal to the derived equation: 1 box; no index passes \d+\.\n \*/",
                     text), text


# -- the canonical command --------------------------------------------------------------------------------------------

@pytest.fixture
def unvalidated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Emission alone: what validation does is tested in test_validate.py."""
    monkeypatch.setattr(batch, "validate", lambda package: Evidence(package.stem, ()))


@pytest.mark.usefixtures("unvalidated")
def test_the_stamped_command_writes_the_same_files(tmp_path: Path):
    runner = CliRunner()
    count = 0
    for p in packages().values():
        said = re.search(r"Generated by symconv \S+: (.*)", p.files[f"{p.stem}.c"])[1]
        if p.stem.startswith("equation_"):
            assert said == "symconv.build(equation) in Python"
            continue
        command = said.removeprefix("symconv ")
        count += 1
        out = tmp_path / p.stem
        result = runner.invoke(main, [*shlex.split(command), "--out", str(out)])
        assert result.exit_code == 0, f"{command}: {result.output}"
        written = {f.name: f.read_text() for f in out.iterdir() if not f.name.endswith(".evidence.json")}
        assert written == dict(p.files), command
    assert count >= 35


def test_the_command_rebuilds_the_layer():
    import click

    from symconv.options import layer_from, layer_options

    @click.command()
    @layer_options
    def read(**values: object) -> None:
        seen.append(layer_from(values))

    seen: list[Conv | Dense | None] = []
    layers = [*family(300), *CHOSEN]
    for layer in layers:
        read.main(shlex.split(layer.command()), standalone_mode=False)
    assert seen == layers


def test_names_are_unique():
    layers = {repr(v): v for v in [*family(300, "names"), *family(300), *CHOSEN]}
    names: dict[str, str] = {}
    for spelled, layer in layers.items():
        name = layer.name
        assert name not in names, f"{name} stands for {names[name]} and {spelled}"
        names[name] = spelled
        assert re.fullmatch(r"[a-z][a-z0-9_]*", name) and len(name) < 200
    assert len(names) > 550


def test_names_differ_by_type_and_accumulation():
    stems = {emit(CHOSEN[0], ("c",), d, acc).stem for d in ("float32", "float64", "int8") for acc in (False, True)}
    assert len(stems) == 6


# -- C ----------------------------------------------------------------------------------------------------------------

def run(command: list[str], cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{shlex.join(command[:12])}: {result.stderr[:4000]}"
    return result.stdout


@pytest.fixture(scope="module")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every package compiled by one command, with every warning an error."""
    found = find_compiler()
    if found is None:
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("objects")
    for name, text in {**sources(".c"), **sources(".h")}.items():
        (folder / name).write_text(text)
    names = sorted(sources(".c"))
    assert len(names) >= 38
    run([*found.words, "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wshadow", "-Wconversion", "-Wno-sign-conversion",
         "-Wstrict-prototypes", "-Wmissing-prototypes", "-Werror", "-O1", "-c", *names], folder)
    return folder


def test_c_is_clean(objects: Path):
    assert len(list(objects.glob("*.o"))) == len(sources(".c"))


def test_objects_need_nothing(objects: Path):
    """Freestanding: memset and memcpy, which any compiler may call for itself, and libm where it is said."""
    if shutil.which("nm") is None:
        pytest.skip("no nm")
    own = {"memset", "memcpy", "_GLOBAL_OFFSET_TABLE_"}
    libm = {"expf", "exp", "tanhf", "tanh"}
    for path in sorted(objects.glob("*.o")):
        needed = {line.split()[-1] for line in run(["nm", "-u", path.name], objects).splitlines() if line.strip()}
        allowed = own | (libm if re.search(r"_(sigmoid|tanh)\b|_(sigmoid|tanh)_", path.stem) else set())
        assert needed <= allowed, f"{path.name} needs {needed - allowed}"
        kept = [line for line in run(["nm", path.name], objects).splitlines() if line.split()[-2] in "BbDdCc"]
        assert not kept, f"{path.name} has state: {kept}"


def test_headers_are_cpp11_and_c99(objects: Path):
    headers = sorted(sources(".h"))
    unit = "".join(f'#include "{n}"\n' for n in headers * 2) + "int main(void) { return 0; }\n"
    for name, words in (("all.c", [*find_compiler().words, "-std=c99"]), ("all.cpp", ["g++", "-std=c++11"])):
        if shutil.which(words[0]) is None:
            continue
        (objects / name).write_text(unit)
        run([*words, "-fsyntax-only", "-Wall", "-Wextra", "-pedantic", "-Werror", name], objects)


def test_cpp_programs_can_link_the_kernels(objects: Path):
    if shutil.which("g++") is None:
        pytest.skip("no g++")
    stem = "conv2d_n1c1i28x28_f8k3x3_s1p0"
    (objects / "use.cpp").write_text(
        f'#include "{stem}.h"\nstatic float x[784], w[72], y[5408];\n'
        f"int main() {{ x[0] = 2; w[0] = 3; {stem}_forward(x, w, y); return y[0] == 6 ? 0 : 1; }}\n")
    run(["g++", "-std=c++11", "use.cpp", f"{stem}.o", "-o", "use"], objects)
    run([str(objects / "use")], objects)


def test_loops_have_no_modulo_and_no_division():
    strided = 0
    for p in packages().values():
        for f in p.functions:
            body = function(p, f.name)
            assert "%" not in body, f"{p.stem}_{f.name}"
            assert "/" not in body, f"{p.stem}_{f.name}"
        strided += bool(re.search(r"_s\d*[23]", p.stem))
    assert strided >= 8


def test_strided_grad_x_is_split_into_residue_runs():
    p = emit(Conv((28, 28), (3, 3), channels=2, filters=2, stride=2, padding=1), ("c",))
    text = p.files[f"{p.stem}.c"]
    for place in ("dx[c][2*m][2*n]", "dx[c][2*m][2*n + 1]", "dx[c][2*m + 1][2*n]", "dx[c][2*m + 1][2*n + 1]"):
        assert f"/* {place} */" in text
    assert not re.search(r"[%/]|\bif\b", function(p, "grad_x"))


def test_unpadded_layers_have_no_guard():
    """Forward and grad_w never; grad_x, which overhangs by nature, has loop bounds instead of conditions
    unless stride and dilation leave a single tap to an output."""
    rng = random.Random("guards")
    layers = [Conv((9, 8), (3, 2)), Conv((11, 9), (3, 3), stride=2), Conv((9, 9), (2, 3), dilation=2, stride=(2, 1)),
              Conv(12, 5, stride=3, bias=True), Conv((4, 3), (3, 3), stride=2, transposed=True), Dense(5, 4)]
    while len(layers) < 40:
        layer = random_layer(rng)
        if not any(side for sides in layer.padding for side in sides):
            layers.append(layer)
    for layer in layers:
        p = emit(layer, ("c",))
        for f in p.functions:
            if f.name != "grad_x" or layers.index(layer) < 6:
                body = function(p, f.name)
                assert not re.search(r"\bif\b", body), f"{layer.command()}: {f.name} has a guard:\n{body}"
        stride = getattr(layer, "stride", (1,))
        if set(stride) == {1} and not getattr(layer, "transposed", False):
            assert "?" not in function(p, "forward"), f"{layer.command()}: a bound is clipped without padding"
            assert "?" not in function(p, "grad_w"), f"{layer.command()}: a bound is clipped without padding"


def test_extents_are_constants_and_pointers_are_restrict():
    for p in packages().values():
        text = code(p.files[f"{p.stem}.c"])
        assert not re.search(r"\b(malloc|calloc|realloc|free|alloca|printf|static (?!inline))\b", text)
        for f in p.functions:
            start = text.index(f"void {p.stem}_{f.name}(")
            signature = text[start:text.index(")", start)]
            assert signature.count("restrict") == len(f.arguments) + 1
            assert signature.count("const") == len(f.arguments)


# -- operation counts -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", range(14))
def test_counts_equal_a_count_by_hand(number: int):
    layer = random_layer(random.Random(f"counts:{number}"))
    p = emit(layer, ("c",))
    count = sum(1 for _ in nested_loops.products(layer))
    outputs = layer.batch * layer.filters
    for n in layer.output:
        outputs *= n
    expected = {"forward": count, "grad_x": count, "grad_w": count} | ({"grad_b": 0} if layer.bias else {})
    assert dict(p.multiplications) == expected, layer.command()
    sums = {"forward": count + outputs * layer.bias, "grad_x": count, "grad_w": count}
    assert dict(p.additions) == sums | ({"grad_b": outputs} if layer.bias else {}), layer.command()


def test_counts_of_other_equations():
    assert emit(Dense(4, 3, batch=2), ("c",)).multiplications == {"forward": 24, "grad_x": 24, "grad_w": 24}
    i, j = indices("i j")
    p = emit(Equation(Tensor("y", 3)[i], 2 * (Tensor("w", (3, 4))[i, j] * Tensor("x", 4)[j])), ("c",))
    assert p.multiplications["forward"] == 24, "the coefficient is a multiplication too"


# -- limits and bad requests ------------------------------------------------------------------------------------------

def test_limits_hold_before_the_work(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(emit_module, "c_function", lambda *_: pytest.fail("work was started"))
    for layer, name in ((Conv((60000, 60000), (3, 3)), "x"), (Dense(70000, 70000), "w"),
                        (Conv(9, 3, 70000, 70000), "w")):
        with pytest.raises(LimitExceeded, match=rf"{name} has \d+ elements; a kernel indexes at most 2147483647"):
            emit(layer)


def test_large_layers_are_emitted_without_enumerating_them():
    """ResNet-size layers, padded and strided, and a sum far too long to walk: the text depends on no extent."""
    import time

    start = time.process_time()
    for layer in (Conv((224, 224), (7, 7), 3, 64, batch=32, stride=2, padding=3), Conv((56, 56), 3, 64, 64, padding=1),
                  Conv((14, 14), (3, 3), 512, 512, stride=2, padding=1), Dense(40000, 50000),
                  Conv(2_000_000_000, 3, padding=1)):
        emit(layer)
    assert time.process_time() - start < 20


def test_requests_that_make_no_kernel():
    i, = indices("i")
    with pytest.raises(NotSupported, match="unknown dtype 'half'; known: float32, float64, int8"):
        emit(CHOSEN[0], dtype="half")
    with pytest.raises(NotSupported, match="unknown target 'cuda'; known: c, numpy"):
        emit(CHOSEN[0], ("cuda",))
    with pytest.raises(ShapeError, match="no number is given for the size n"):
        emit(Equation(Tensor("y", "n")[i], Tensor("x", "n")[i]))
    with pytest.raises(NotSupported, match="is no integer; use a floating-point dtype"):
        from fractions import Fraction
        x = Tensor("x", 4)
        emit(Equation(Tensor("y", 4)[i], Fraction(1, 2) * (x[i] * Tensor("w", 4)[i])), ("c",), "int8")


def test_text_cannot_leave_a_comment():
    from symconv.c_target import comment

    for text in ("a */ b", "a /* b", "end \\", "*" + "/" * 3, "long " * 60 + "*/"):
        lines = comment(text)
        assert all("*/" not in line and "/*" not in line and not line.endswith("\\") for line in lines)
        assert all(len(line) <= 110 for line in lines)


@needs_compiler
def test_indices_may_be_words_of_c_and_arrays_may_not():
    from symconv.validate import validate

    loop, other = indices("for int")
    x, y = Tensor("x", 7), Tensor("out", 5)
    validate(emit(Equation(y[loop], Tensor("w", 3)[other] * x[loop + other]), ("c",))).require()
    for name in ("sum", "int", "a b", "x;y", "_x"):
        with pytest.raises(NotSupported, match="cannot have an array called"):
            emit(Equation(y[loop], Tensor(name, 3)[other] * x[loop + other]))


# -- writing ----------------------------------------------------------------------------------------------------------

def test_files_are_written_only_when_changed(tmp_path: Path):
    folder = tmp_path / "a" / "b"
    assert [p.name for p in write_files({"x.c": "one\n", "y.c": "two\n"}, folder)] == ["x.c", "y.c"]
    os.utime(folder / "x.c", (1, 1))
    assert write_files({"x.c": "one\n", "y.c": "new\n"}, folder) == [folder / "y.c"]
    assert (folder / "x.c").stat().st_mtime == 1
    assert (folder / "y.c").read_text() == "new\n"
    assert sorted(p.name for p in folder.iterdir()) == ["x.c", "y.c"], "no temporary file stays"
    assert (folder / "x.c").stat().st_mode & 0o444 == 0o444 & ~current_umask()


def current_umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("name", ["../out.c", "a/b.c", "/tmp/out.c", "..", ".", ""])
def test_nothing_is_written_outside_the_folder(name: str, tmp_path: Path):
    folder = tmp_path / "in"
    with pytest.raises(SymconvError, match="would leave the folder"):
        write_files({"good.c": "x\n", name: "x\n"}, folder)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [], "names are looked at before anything is written"


def test_a_link_is_replaced_not_followed(tmp_path: Path):
    (tmp_path / "outside").write_text("old\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "k.c").symlink_to(tmp_path / "outside")
    write_files({"k.c": "new\n"}, tmp_path / "in")
    assert (tmp_path / "outside").read_text() == "old\n" and (tmp_path / "in" / "k.c").read_text() == "new\n"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_files({"k.c": "old\n"}, tmp_path)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(SymconvError, match=f"cannot write to {tmp_path}: No space left on device"):
        write_files({"k.c": "new\n"}, tmp_path)
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"k.c": "old\n"}


def test_an_unwritable_folder_is_an_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(SymconvError, match=f"cannot write to {folder}"):
            write_files({"k.c": "x\n"}, folder)
