"""What a layer's plain kernels need: code, constants, workspace and arrays, in bytes."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from symconv.emit import Package
from symconv.errors import ToolchainError
from symconv.native import BuildFolder, compile_object, find_compiler
from symconv.sections import sections


@dataclass(frozen=True)
class Footprint:
    """One function's bytes; `code` is None where no compiler is there to say."""

    function: str
    code: int | None
    workspace: int
    arrays: int


def footprints(package: Package) -> tuple[tuple[Footprint, ...], int | None, str]:
    """Each function's bytes, the constants of all, and who compiled them for what."""
    code: dict[str, int] = {}
    constants, said = None, "no C compiler to say how much code"
    compiler = find_compiler()
    if compiler is not None:
        files = {n: t for n, t in package.files.items() if n.endswith((".c", ".h")) and n != package.self_test}
        try:
            found = sections(compile_object(files, f"{package.stem}.c", BuildFolder(), compiler))
        except ToolchainError:
            found = ()
        code = {s.name: s.size for s in found if s.loaded and s.executable}
        if code:
            constants = sum(s.size for s in found if s.name.startswith((".rodata", ".data")))
            said = f"code by {compiler.words[0]} -Os for this machine"
    rows = tuple(Footprint(f.name, code.get(f".text.{package.stem}_{f.name}"), package.workspace[f.name],
                           sum(prod(t.array_shape) * np.dtype(package.types[t.name]).itemsize
                               for t in (*f.arguments, f.equation.output))) for f in package.functions)
    return rows, constants, said
