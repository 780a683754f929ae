"""Run the battery on a mutant: a copy of the package with one file changed, in a child process of its own.

The child is forked from a process that has loaded NumPy and SymPy but nothing of symconv.
"""

from __future__ import annotations

import json
import os
import resource
import select
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PACKAGE = ROOT / "symconv"
SECONDS, PROCESSOR = 600, 40  # for a mutant that does not end


@dataclass(frozen=True)
class Outcome:
    """Who noticed, with what they said; an empty table is a mutant that survived."""

    checks: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def preload() -> None:
    """What every child needs and no mutant touches."""
    import ctypes  # noqa: F401
    import subprocess  # noqa: F401

    import jinja2  # noqa: F401
    import numpy  # noqa: F401
    import sympy  # noqa: F401

    assert not any(n.split(".")[0] == "symconv" for n in sys.modules), "a mutant would share modules with its judge"


def outcome(path: str, text: str, enough: int = 99, only: tuple[str, ...] = ()) -> Outcome:
    """The battery on a package in which `path` has this text.

    Args:
        enough: so many checks that fail, and it ends.
    """
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        skip = shutil.ignore_patterns("__pycache__", "claims", "documents", "telling", "bench")
        shutil.copytree(PACKAGE, folder / "symconv", ignore=skip)
        if not (PACKAGE / "templates").exists():
            shutil.copytree(ROOT / "templates", folder / "templates")
        (folder / "symconv" / path).write_text(text)
        checks = _child(folder, enough, only)
    return Outcome(checks, time.perf_counter() - start)


def _child(folder: Path, enough: int, only: tuple[str, ...]) -> dict[str, str]:
    read, write = os.pipe()
    process = os.fork()
    if not process:
        os.close(read)
        _battery(folder, write, enough, only)
    os.close(write)
    text, end, ended = b"", time.monotonic() + SECONDS, False
    while not ended and time.monotonic() < end:
        if select.select([read], [], [], 1.0)[0]:
            part = os.read(read, 65536)
            ended, text = not part, text + part
    os.close(read)
    if not ended:
        os.killpg(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    checks = dict(json.loads(line) for line in text.decode().splitlines())
    if not ended or (os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)):
        checks["time"] = "does not end"
    elif status:
        checks["crash"] = f"the process ended with {status}"
    return checks


def _battery(folder: Path, pipe: int, enough: int, only: tuple[str, ...]) -> None:
    """In the child: never returns."""
    os.setpgid(0, 0)
    code = 0
    try:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR, PROCESSOR))
        nothing = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nothing, 1)
        os.dup2(nothing, 2)
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        sys.path[:0] = [str(folder), str(ROOT / "tests"), str(Path(__file__).resolve().parent)]
        import battery

        def report(check: str, detail: str) -> None:
            os.write(pipe, (json.dumps([check, detail]) + "\n").encode())

        try:
            battery.run(report, enough, only)
        except Exception as e:
            report("crash", f"{type(e).__name__}: {e}"[:200])
    except BaseException:
        code = 1
    finally:
        os._exit(code)
