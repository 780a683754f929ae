"""Emit one layer, or many in parallel: files, evidence and a table of what came out."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symconv.emit import Package, write_files
from symconv.emit import emit as emit_package
from symconv.errors import SymconvError
from symconv.footprint import footprints
from symconv.layouts import LAYOUTS
from symconv.notation.printers import text
from symconv.system import LayerLike
from symconv.validate import Evidence, validate

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Request:
    """What to write, and where."""

    targets: tuple[str, ...]
    dtype: str
    accumulate: bool
    out: Path
    isa: str = "generic"
    exact: bool = False
    self_test: bool = False
    layout: str = LAYOUTS[0]


def _make(layer: LayerLike, request: Request) -> tuple[Package, Evidence]:
    """Emit, validate, and write; files appear only once their kernels are good, or could not be run."""
    package = emit_package(layer, request.targets, request.dtype, request.accumulate, request.isa,
                           request.exact, layout=request.layout, self_test=request.self_test)
    evidence = validate(package)
    if evidence.passed:
        texts = {**package.files, f"{package.stem}.evidence.json": evidence.to_json()}
        write_files(texts, request.out)
    return package, evidence


def emit_one(console: Console, layer: LayerLike, request: Request) -> int:
    """Print the derivation's results and a table of kernels; 0 when all passed, else 1."""
    package, evidence = _make(layer, request)
    show_results(console, package)
    console.print(_table(package, evidence))
    for line in evidence.not_run:
        console.print(f"[yellow]not run:[/] {line}")
    if not evidence.passed:
        console.print(f"[red]nothing was written:[/] {evidence}", markup=True)
        return 1
    if package.isa == "generic" and "c" in request.targets:
        table, constants = _memory(package)
        console.print(table)
        console.print(constants, markup=False, style="dim")
    if package.self_test and not evidence.not_run:
        console.print(f"{package.self_test}: returns 0 here", markup=False)
    console.print(f"wrote {', '.join(package.files)} to {request.out}/", markup=False)
    return 0


def show_results(console: Console, package: Package) -> None:
    """Each formula, what it is, and its proof."""
    d = package.derivation
    for size, why in d.system.notes:
        console.print(f"{size}: {why}", markup=False, style="dim")
    for f in d.functions:
        console.print(text(f.equation), markup=False, soft_wrap=True)
        name = d.names.get(f.equation.output.name)
        proof = "" if f.proof is None else "proved for all sizes" if f.proof.proved else f"not proved: {f.proof.reason}"
        said = "; ".join(filter(None, [name, proof]))
        if said:
            console.print(f"    {said}", markup=False, style="green" if proof else "dim")


def _memory(package: Package) -> tuple[Any, str]:
    """What each function needs, in bytes, and what they share."""
    from rich.table import Table

    rows, constants, said = footprints(package)
    table = Table("function", "code", "workspace", "arrays", title="bytes", title_justify="left")
    for column in table.columns[1:]:
        column.justify = "right"
    for r in rows:
        table.add_row(r.function, "?" if r.code is None else f"{r.code:,}", f"{r.workspace:,}", f"{r.arrays:,}")
    return table, said if constants is None else f"{said}; {constants:,} bytes of constants"


def _table(package: Package, evidence: Evidence) -> Any:
    from rich.table import Table

    columns = ("function", "multiplications", "terms added", "file", "evidence")
    table = Table(*columns, title=package.stem, title_justify="left")
    for f in package.functions:
        for name in package.files:
            target = {".c": "c", ".py": "numpy"}.get(Path(name).suffix)
            if target is None or name == package.self_test:
                continue
            checks = evidence.of(f.name, target)
            good = sum(c.passed for c in checks)
            said = f"{good} of {len(checks)} checks passed" if checks else "not run"
            style = "red" if good < len(checks) else "green" if checks else "yellow"
            table.add_row(f.name, f"{package.multiplications[f.name]:,}", f"{package.additions[f.name]:,}", name,
                          f"[{style}]{said}[/]")
    return table


def emit_many(console: Console, tables: Sequence[Mapping[str, Any]],
              read: Callable[[Mapping[str, Any]], LayerLike], request: Request) -> int:
    """Many layers in parallel; a layer that fails is named and stops no other."""
    from rich.progress import Progress

    failed, wrong = [], False
    with Progress(console=console, transient=True) as progress, ProcessPoolExecutor(os.cpu_count()) as pool:
        bar = progress.add_task("layers", total=len(tables))
        jobs = {pool.submit(_job, table, read, request): number for number, table in enumerate(tables, 1)}
        for job in as_completed(jobs):
            progress.advance(bar)
            stem, error, invalid = job.result()
            wrong |= invalid
            if error:
                failed.append((jobs[job], stem, error))
    for number, stem, error in sorted(failed):
        console.print(f"[red]layer {number}[/]{f' ({stem})' if stem else ''}: ", end="")
        console.print(error, markup=False)
    console.print(f"{len(tables) - len(failed)} of {len(tables)} layers emitted to {request.out}/", markup=False)
    return 1 if wrong else 2 if failed else 0


def _job(table: Mapping[str, Any], read: Callable[[Mapping[str, Any]], LayerLike],
         request: Request) -> tuple[str, str, bool]:
    """(stem, error, failed validation), in a worker process."""
    try:
        package, evidence = _make(read(table), request)
    except SymconvError as e:
        return "", str(e), False
    except Exception as e:  # a defect of ours in one layer must not cost the others
        return "", f"internal error: {type(e).__name__}: {e}", False
    return package.stem, "" if evidence.passed else str(evidence), not evidence.passed
