"""Bytes of a layer's kernels, from the object file, beside what the tools of the compiler say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from symconv import Conv
from symconv.emit import emit
from symconv.footprint import footprints
from symconv.native import find_compiler
from symconv.sections import sections

LAYER = Conv((6, 6), (3, 3), 2, 4, 2, 2, 1, bias=True)
CROSS = [c for c in ("gcc", "i686-linux-gnu-gcc", "s390x-linux-gnu-gcc", "arm-none-eabi-gcc") if shutil.which(c)]


@pytest.mark.parametrize("compiler", CROSS)
def test_sections_are_those_objdump_lists(compiler: str, tmp_path: Path):
    """32 and 64 bits, both byte orders."""
    objdump = compiler.removesuffix("gcc") + "objdump"
    if shutil.which(objdump) is None:
        pytest.skip(f"no {objdump}")
    (tmp_path / "a.c").write_text("static int z[9]; const int c[5] = {1}; int f(int i) { return z[i] + c[i]; }\n"
                                  "int g(void) { return 3; }\n")
    subprocess.run([compiler, "-Os", "-ffunction-sections", "-c", "a.c"], cwd=tmp_path, check=True)
    said = subprocess.run([objdump, "-h", "a.o"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    listed = {m[1]: int(m[2], 16) for m in re.finditer(r"^\s+\d+ (\S+)\s+([0-9a-f]{8})", said, re.MULTILINE)}
    found = {s.name: s.size for s in sections((tmp_path / "a.o").read_bytes())}
    assert listed.keys() <= found.keys() and all(found[n] == size for n, size in listed.items())
    assert {".text.f", ".text.g"} <= {s.name for s in sections((tmp_path / "a.o").read_bytes()) if s.executable}


def test_bytes_of_arrays_and_workspace():
    rows, constants, said = footprints(emit(LAYER, ("c",)))
    by_name = {r.function: r for r in rows}
    x, w, b, y = 2 * 2 * 36, 4 * 2 * 9, 4, 2 * 4 * 9
    assert {n: r.arrays for n, r in by_name.items()} == {
        "forward": 4 * (x + w + b + y), "grad_x": 4 * (w + y + x), "grad_w": 4 * (x + y + w), "grad_b": 4 * (y + b)}
    assert all(r.workspace == 0 for r in rows)
    if find_compiler() is not None and sections(Path("/proc/self/exe").read_bytes()):
        assert constants == 0 and "-Os" in said and all(r.code and 16 < r.code < 4000 for r in rows)


def test_no_elf_file_has_no_sections():
    assert sections(b"") == () and sections(b"MZ" + bytes(100)) == ()
    package = emit(LAYER, ("c",))
    assert {r.code is None for r in footprints(package)[0]} <= {True, False}


def test_without_a_compiler_the_rest_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symconv.footprint.find_compiler", lambda: None)
    rows, constants, said = footprints(emit(LAYER, ("c",)))
    assert constants is None and "no C compiler" in said and {r.code for r in rows} == {None}
