"""What is shipped: a wheel that holds the templates and works away from the source, and the checkout itself."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = sorted(str(p.relative_to(ROOT / "templates")) for p in (ROOT / "templates").rglob("*.j2"))
CHECK = """
import symconv, symconv.emit, sys
from symconv.templating import environment
print(symconv.__file__)
print(environment().loader.searchpath[0])
files = symconv.emit.emit(symconv.Conv((5, 4), (3, 2), stride=2, bias=True)).files
assert len(files) == 3 and all(files.values())
sys.stdout.write("".join(files.values()))
"""


def run(words: list[str], cwd: Path, path: str = "") -> str:
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | ({"PYTHONPATH": path} if path else {})
    result = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{words}: {result.stdout}\n{result.stderr}"
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from this tree, without a network."""
    if find_spec("hatchling") is None or find_spec("pip") is None:
        pytest.skip("hatchling or pip is missing")
    out = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
         "--disable-pip-version-check", "--wheel-dir", str(out), str(ROOT)], out)
    found, = out.glob("symconv-*.whl")
    return found


def test_the_wheel_holds_what_is_needed(wheel: Path):
    with zipfile.ZipFile(wheel) as z:
        names = set(z.namelist())
        meta = z.read(next(n for n in names if n.endswith(".dist-info/METADATA"))).decode()
        entry = z.read(next(n for n in names if n.endswith("entry_points.txt"))).decode()
    assert TEMPLATES, "the checkout has no templates"
    for name in TEMPLATES:
        assert f"symconv/templates/{name}" in names
    modules = {str(p.relative_to(ROOT)) for p in (ROOT / "symconv").rglob("*.py")}
    assert modules <= names and "symconv/py.typed" in names
    data = {str(p.relative_to(ROOT)) for p in (ROOT / "symconv" / "bench").rglob("*") if p.suffix in (".c", ".toml")}
    assert len(data) == 5 and data <= names
    assert not [n for n in names if n.startswith(("tests/", "templates/", "generated/"))]
    assert any(n.endswith("licenses/LICENSE") for n in names)
    for name in ("sympy", "numpy", "jinja2", "click", "rich", "pylatexenc", "markdown-it-py", "mdit-py-plugins",
                 "islpy"):
        assert f"Requires-Dist: {name}" in meta
    assert "Requires-Python: >=3.11" in meta and "symconv = symconv.cli:main" in entry


def test_the_wheel_works_away_from_the_source(wheel: Path, tmp_path: Path):
    target = tmp_path / "site"
    run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-compile",
         "--disable-pip-version-check", "--target", str(target), str(wheel)], tmp_path)
    module, templates, *text = run([sys.executable, "-c", CHECK], tmp_path, str(target)).splitlines()
    assert Path(module).parent == target / "symconv"
    assert Path(templates) == target / "symconv" / "templates"
    words = [sys.executable, "-m", "symconv", "emit", "--input", "5x4", "--kernel", "3x2", "--stride", "2", "--bias",
             "--target", "numpy", "--out", "kernels"]
    assert "checks passed" in run(words, tmp_path, str(target))
    assert (tmp_path / "kernels" / "conv2d_n1c1i5x4_f1k3x2_s2p0_bias.py").is_file()
    assert text == run([sys.executable, "-c", CHECK], tmp_path, str(ROOT)).splitlines()[2:], "wheel and checkout differ"


def test_the_checkout_finds_the_templates_at_its_top(tmp_path: Path):
    module, templates, *_ = run([sys.executable, "-c", CHECK], tmp_path, str(ROOT)).splitlines()
    assert Path(module) == ROOT / "symconv" / "__init__.py"
    assert Path(templates) == ROOT / "templates"


def test_an_emitted_module_needs_only_numpy(tmp_path: Path):
    from symconv import Conv
    from symconv.emit import emit

    files = emit(Conv((5, 4), (3, 2), channels=2, bias=True, activation="sigmoid"), ("numpy",)).files
    (name, text), = files.items()
    (tmp_path / name).write_text(text)
    code = (f"import sys; sys.modules['symconv'] = None; import {name.removesuffix('.py')} as m; import numpy as np; "
            "x = np.ones((1, 2, 5, 4), np.float32); w = np.ones((1, 2, 3, 2), np.float32); "
            "print(m.forward(x, w, np.ones(1, np.float32))[0, 0, 0, 0])")
    assert run([sys.executable, "-c", code], tmp_path).strip() == "13.0"


def test_no_file_holds_a_merge_that_was_not_finished():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    marks = ("<" * 7 + " ", ">" * 7 + " ")
    held = [name for name in listed.stdout.splitlines() if name.endswith((".md", ".py", ".toml", ".j2"))
            and any(line.startswith(marks) for line in (ROOT / name).read_text(encoding="utf-8").splitlines())]
    assert not held
