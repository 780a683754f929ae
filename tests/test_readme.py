"""The README is true: its Python blocks run, its consoles print what they show, its commands are the ones CI runs."""

import os
import re
import shlex
import sys
from pathlib import Path
from subprocess import run

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)
    assert found, f"the README has no {language} block"
    return found


def test_python_blocks_run_in_order() -> None:
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(compile(block, "README.md", "exec"), names)


def test_console_blocks_print_what_they_show(tmp_path: Path) -> None:
    notes, = blocks("markdown")
    (tmp_path / "notes.md").write_text(notes, encoding="utf-8")
    for block in blocks("console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, shown = part.split("\n", 1)
            words = shlex.split(command)
            assert words[0] == "symconv"
            result = run([sys.executable, "-m", *words], capture_output=True, encoding="utf-8", cwd=tmp_path,
                         env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False)
            assert result.stdout == shown
            assert result.returncode == ("refuted" in shown or "under a condition" in shown), result.stderr


def test_c_block_stands_in_the_gallery() -> None:
    emitted = (ROOT / "generated" / "conv2d_n1c1i28x28_f1k3x3_s1p0.c").read_text()
    for block in blocks("c"):
        indented = "".join(f"    {line}" for line in block.splitlines(keepends=True))
        assert indented in emitted


def test_ci_runs_the_test_command_of_the_readme() -> None:
    _, tests = blocks("sh")
    assert tests.strip() in (ROOT / ".ci" / "run").read_text()
