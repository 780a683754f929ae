"""The process that runs compiled kernels: `python -m symconv.child FOLDER` (see native.run_in_child)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from symconv.native import Array, load

MARGIN = 4096  # bytes on each side of an array
FILL = 0xFF  # NaN when read as a float, -1 as an integer


class Guarded(NamedTuple):
    """An array between two margins: what is read there spoils a result, what is written there shows."""

    memory: Array
    array: Array

    @staticmethod
    def of(values: Array) -> Guarded:
        memory = np.full(values.nbytes + 2 * MARGIN, FILL, np.uint8)
        inside = memory[MARGIN:MARGIN + values.nbytes].view(values.dtype).reshape(values.shape)
        inside[...] = values
        return Guarded(memory, inside)

    @property
    def intact(self) -> bool:
        """Are the margins as they were?"""
        size = self.array.nbytes
        return bool((self.memory[:MARGIN] == FILL).all() and (self.memory[MARGIN + size:] == FILL).all())


def main(folder: Path) -> None:
    """Run each planned call and write its output as soon as it is there."""
    plan = json.loads((folder / "plan.json").read_text())
    with np.load(folder / "in.npz", allow_pickle=False) as data:
        arrays = {name: data[name] for name in data.files}
    for number, call in enumerate(plan["calls"]):
        given = [arrays.pop(f"{number}_{j}") for j in range(call["count"])]
        held = [Guarded.of(a) for a in given]
        error = _run(Path(plan["library"]), call, held) or _error(given, held)
        np.savez(folder / f"out_{number}.npz", output=held[-1].array, error=np.array(error))


def _run(library: Path, call: dict[str, Any], held: list[Guarded]) -> str:
    """Call a function, and what prepares for it; which memory but that of its arrays was written to."""
    *inputs, output = held
    first, made = call["first"], []
    if first:
        made = [Guarded.of(np.full(first["size"], FILL, np.uint8))]
        if error := _lending(library, first, [*(inputs[n] for n in first["reads"]), *made]):
            return error
        before = made[0].array.tobytes()
        inputs = [(inputs + made)[n] for n in first["arguments"]]
    error = _lending(library, call, [*inputs, output])
    if made and (made[0].array.tobytes() != before or not made[0].intact):
        return "what was prepared, or memory beside it, was written to"
    return error


def _lending(library: Path, call: dict[str, Any], held: list[Guarded]) -> str:
    """Call one function with the workspace it takes, if any."""
    lent = [Guarded.of(np.full(call["workspace"], FILL, np.uint8))] if call["workspace"] else []
    load(library, call["symbol"])(*(g.array for g in (*held, *lent)))
    return "" if all(g.intact for g in lent) else "memory beside the workspace was written to"


def _error(given: list[Array], held: list[Guarded]) -> str:
    """Which memory a call wrote to that was not its output; empty when there is none."""
    *inputs, _ = zip(given, held, strict=True)
    for number, (before, after) in enumerate(inputs, 1):
        if before.tobytes() != after.array.tobytes():
            return f"input {number} was written to"
    names = [*(f"input {n}" for n in range(1, len(held))), "the output"]
    outside = [name for name, g in zip(names, held, strict=True) if not g.intact]
    return f"memory beside {outside[0]} was written to" if outside else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
