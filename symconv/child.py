"""The process that runs compiled kernels: `python -m symconv.child FOLDER` (see native.run_in_child)."""

import ctypes
import json
import sys
from pathlib import Path

import numpy as np

from symconv.native import load


def main(folder: Path) -> None:
    """Run each planned call and write its output as soon as it is there."""
    plan = json.loads((folder / "plan.json").read_text())
    with np.load(folder / "in.npz", allow_pickle=False) as data:
        arrays = {name: np.ascontiguousarray(data[name]) for name in data.files}
    for number, call in enumerate(plan["calls"]):
        mine = [arrays[f"{number}_{j}"] for j in range(call["count"])]
        before = [a.copy() for a in mine[:-1]]
        load(Path(plan["library"]), call["symbol"])(*(ctypes.c_void_p(a.ctypes.data) for a in mine))
        changed = [j for j, (a, b) in enumerate(zip(mine[:-1], before, strict=True)) if a.tobytes() != b.tobytes()]
        np.savez(folder / f"out_{number}.npz", output=mine[-1], changed=np.array(changed, dtype=int))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
