"""`symconv bench`: what is measured, in which order, and what is printed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from symconv.bench import numpy_kernels, ours, tables
from symconv.bench.layers import Measured, read_layers
from symconv.bench.machine import Machine, measure, pin
from symconv.bench.peers import naive, onednn, onnxruntime, torch
from symconv.bench.race import Row, race_c, race_python
from symconv.bench.roofline import roofline
from symconv.errors import SymconvError

if TYPE_CHECKING:
    from rich.console import Console

PEERS: dict[str, ModuleType] = {"torch": torch, "onnxruntime": onnxruntime, "onednn": onednn, "naive": naive}


@dataclass(frozen=True)
class Request:
    """What to measure, against whom, and where to draw it."""

    layers: Path | None = None
    chosen: str = ""
    target: str = "c"
    against: tuple[str, ...] = tuple(PEERS)
    repeats: int = 15
    plot: Path | None = None


def run(request: Request, console: Console) -> int:
    """Compare, time, and print the tables.

    Raises:
        SymconvError: an unknown peer or set, a file that cannot be read or written.
    """
    unknown = sorted(set(request.against) - set(PEERS))
    if unknown:
        raise SymconvError(f"unknown peer {unknown[0]!r}; known: {', '.join(PEERS)}")
    layers = read_layers(request.layers, request.chosen or _usual(request))
    core = pin()
    if request.target == "numpy":
        console.print(numpy_kernels.table(numpy_kernels.compare_numpy(layers, request.repeats)))
        return 0
    machine = measure(core)
    _line(console, str(machine))
    chosen = _present(request.against, console)
    rows_c, rows_python, refused = _race_all(layers, chosen, request, machine, console)
    _print_tables(rows_c, rows_python, chosen, machine, console)
    for line in refused:
        console.print(f"[yellow]refused:[/] {line}")
    if request.plot is not None:
        _write(request.plot, roofline(rows_c, machine))
        _line(console, f"wrote {request.plot}")
    return 0


def _usual(request: Request) -> str:
    """All of a file; of ours those that libraries are measured by, or the whole family for NumPy."""
    return "all" if request.layers else "family" if request.target == "numpy" else "speed"


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, soft_wrap=True)


def _present(against: tuple[str, ...], console: Console) -> list[ModuleType]:
    """The peers that can take part; the others are named with the reason."""
    found = []
    for name in against:
        peer = PEERS[name]
        why = peer.missing()
        if why:
            console.print(f"[yellow]{name} is skipped:[/] {why}")
        else:
            found.append(peer)
            if hasattr(peer, "settle"):
                peer.settle()
            if hasattr(peer, "version"):
                _line(console, f"{name} {peer.version()}")
    return found


def _race_all(layers: list[Measured], peers: list[ModuleType], request: Request, machine: Machine,
              console: Console) -> tuple[list[Row], list[Row], list[str]]:
    from rich.progress import Progress

    sweep = np.zeros(2 * machine.caches["L3"], np.uint8)
    in_c: list[Any] = [ours.c_entrants, *(p.c_entrants for p in peers if hasattr(p, "c_entrants"))]
    in_python: list[Any] = [ours.python_entrants, *(p.python_entrants for p in peers if hasattr(p, "python_entrants"))]
    rows_c: list[Row] = []
    rows_python: list[Row] = []
    refused: list[str] = []
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("layers", total=len(layers))
        for m in layers:
            progress.update(bar, description=m.name)
            task = ours.Task(m)
            for rows, (found, wrong) in ((rows_c, race_c(task, in_c, request.repeats, sweep)),
                                         (rows_python, race_python(task, in_python, request.repeats))):
                rows += found
                refused += wrong
            progress.advance(bar)
    return rows_c, rows_python, refused


def _print_tables(rows_c: list[Row], rows_python: list[Row], peers: list[ModuleType], machine: Machine,
                  console: Console) -> None:
    in_c = [p.NAME for p in peers if hasattr(p, "c_entrants")]
    in_python = [p.NAME for p in peers if hasattr(p, "python_entrants")]
    console.print(tables.c_table(rows_c, in_c, machine))
    console.print(tables.cold_table(rows_c, in_c))
    console.print(tables.python_table(rows_python, in_python))
    for rows, names in ((rows_c, in_c), (rows_python, in_python)):
        said = tables.ways(rows, names)
        if said:
            _line(console, said)
    _line(console, "Processor time; medians of interleaved rounds ± half the distance of the quartiles; ~ marks a "
                   "result that is rounded where sums of integers are exact.")


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as e:
        raise SymconvError(f"cannot write {path}: {e.strerror}") from e
