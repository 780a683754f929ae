"""Mutants of symconv: every edit still applies, and a sample of `python -m tests.mutation` is noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from mutation.edits import EDITS
from mutation.operators import mutants

from symconv.native import find_compiler

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: e.name)
def test_edits_apply(edit):
    """Once, and to a module that can still be read."""
    ast.parse(edit.applied((ROOT / "symconv" / edit.path).read_text()))


def test_there_are_enough_of_every_kind():
    assert len(EDITS) >= 60 and len({e.name for e in EDITS}) == len(EDITS)
    assert {e.group for e in EDITS} == {"forward", "sizes", "calculus", "runs", "loops", "copies", "tiles", "arrays",
                                        "print", "bilinear"}


def test_mechanical_mutants_change_one_thing():
    source = "def f(a, b):\n    \"\"\"Text.\"\"\"\n    if a < 1 and b:\n        a += 2\n    return min(a, -b)\n"
    found = list(mutants("f.py", source))
    assert {m.operator for m in found} == {"condition turned", "and, or", "condition dropped", "comparison", "constant",
                                           "statement left out", "function", "sign or negation"}
    assert len({m.text for m in found}) == len(found) == 9
    assert all(ast.dump(ast.parse(m.text)) != ast.dump(ast.parse(source)) for m in found)


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
@pytest.mark.skipif(not hasattr(__import__("os"), "fork"), reason="no fork")
def test_a_sample_is_noticed_twice():
    done = subprocess.run([sys.executable, "-m", "tests.mutation", "--sample", "4", "--jobs", "1"], cwd=ROOT,
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 mutants written by hand, 0 noticed by fewer than two checks" in done.stdout
