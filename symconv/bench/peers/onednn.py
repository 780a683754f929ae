"""oneDNN through its C API: persistent primitives, in any layout it likes, channels first or last.

Installed by `pip install 'symconv[bench]'` or by a system package of version 3; DNNLROOT may name a place.
"""

from __future__ import annotations

import os
import sys
import weakref
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np

from symconv.bench.layers import Array
from symconv.bench.ours import Task
from symconv.bench.relation import Operands, operands
from symconv.bench.turns import Entrant, source
from symconv.errors import ToolchainError
from symconv.native import BuildFolder, compile_library, entry, load, place_of

NAME = "oneDNN"
LAYOUTS = ("any layout", "channels first", "channels last")
ABSENT = "its header and library are not installed (pip install 'symconv[bench]')"
OLD = "oneDNN 3 or newer is needed"  # as its C file says to the compiler
WHAT = ("correlate", "scatter", "weights")


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    try:
        _library()
    except ToolchainError as e:
        said = str(e)
        if ABSENT in said or OLD in said:
            return ABSENT if ABSENT in said else OLD
        return "its C API does not compile here"
    return ""


def _homes() -> Iterator[Path]:
    """Where headers and library may be."""
    if os.environ.get("DNNLROOT"):
        yield Path(os.environ["DNNLROOT"])
    yield from (Path(sys.prefix), Path("/usr/local"), Path("/usr"))


@cache
def _library() -> tuple[Path, BuildFolder]:
    for home in _homes():
        header = home / "include" / "oneapi" / "dnnl" / "dnnl.h"
        found = sorted(p for d in ("lib", "lib64") if (home / d).is_dir() for p in (home / d).rglob("libdnnl.so*"))
        if header.is_file() and found:
            folder = BuildFolder()
            flags = ("-I", str(home / "include"), "-Wl,--no-as-needed", str(found[0]),
                     f"-Wl,-rpath,{found[0].parent}")
            return compile_library({"onednn.c": source("onednn.c")}, folder, flags), folder
    raise ToolchainError(ABSENT)


def version() -> str:
    """The one installed."""
    found = np.zeros(2, np.int64)
    load(_library()[0], "onednn_version")(found)
    return f"{found[0]}.{found[1]}"


class Operation:
    """One primitive with its memory, freed with this object."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        weakref.finalize(self, _call, "onednn_free", handle)


def _call(symbol: str, handle: int) -> None:
    """Call one of the functions that take the operation itself."""
    entry(_library()[0], symbol, 1)(handle)


def c_entrants(task: Task, kernel: str) -> list[Entrant]:
    """One entrant a layout; those oneDNN has no primitive for are left out."""
    found = []
    for number, layout in enumerate(LAYOUTS):
        given = operands(task, kernel)
        operation = _make(task, given, number)
        if operation is not None:
            found.append(_entrant(operation, given, layout))
    return found


def _make(task: Task, given: Operands, layout: int) -> Operation | None:
    g = task.geometry
    first, second = given.sets
    w = g.shapes[1] if g.groups > 1 else g.shapes[1][1:]
    numbers = [WHAT.index(given.what), layout, len(g.axes), g.groups, *g.shapes[0], *w, *g.shapes[2],
               *(v for n in (3, 4, 5, 6) for v in g.column(n)), "xwy".index(given.alternates)]
    handle = np.zeros(1, np.int64)
    load(_library()[0], "onednn_make")(np.array(numbers, np.int64), first["x"], first["w"], first["y"],
                                       second[given.alternates], handle)
    return Operation(int(handle[0])) if handle[0] else None


def _entrant(operation: Operation, given: Operands, layout: str) -> Entrant:
    library = _library()[0]
    argument = (operation.handle,)

    def result() -> Array:
        _call("onednn_result", operation.handle)
        return given.shaped(given.sets[0][given.result])

    prepare = None if given.result == "w" else Entrant(
        NAME, f"weights to {layout}", result, place=place_of(library, "onednn_prepare"), sets=(argument, argument))
    return Entrant(NAME, layout, result, place=place_of(library, "onednn_run"), sets=(argument, argument),
                   prepare=prepare, keep=(operation, given))
