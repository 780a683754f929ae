"""Nested loops with constant extents, as an author writes them, at -O3."""

from __future__ import annotations

from symconv.bench.layers import Array
from symconv.bench.ours import Task
from symconv.bench.relation import operands
from symconv.bench.turns import Entrant, places, source
from symconv.native import BuildFolder, compile_library, load, place_of

NAME = "naive"
AXES = "ZYX"


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    return ""


def c_entrants(task: Task, kernel: str) -> list[Entrant]:
    """One entrant: the loops for this layer alone."""
    g = task.geometry
    axes = ((1, 1, 1, 1, 1, 0, 0),) * (3 - len(g.axes)) + g.axes
    macros = {"N": g.batch, "G": g.groups, "C": g.narrow, "F": g.wide}
    for letter, (big, taps, small, stride, dilation, low, _) in zip(AXES, axes, strict=True):
        macros |= {letter: big, f"K{letter}": taps, f"O{letter}": small, f"S{letter}": stride, f"D{letter}": dilation,
                   f"P{letter}": low}
    folder = BuildFolder()
    library = compile_library({"naive.c": source("naive.c")}, folder,
                              ("-O3", "-Wno-misleading-indentation", *(f"-D{n}={v}" for n, v in macros.items())))
    given = operands(task, kernel)
    order = {"correlate": ("x", "w", "y"), "scatter": ("y", "w", "x"), "weights": ("x", "y", "w")}[given.what]
    first, second = ([arrays[n] for n in order] for arrays in given.sets)
    symbol = f"naive_{given.what}"

    def result() -> Array:
        load(library, symbol)(*first)
        return given.shaped(first[-1])

    return [Entrant(NAME, "", result, place=place_of(library, symbol), sets=(places(*first), places(*second)),
                    keep=(folder, given))]
