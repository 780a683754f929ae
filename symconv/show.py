"""What the commands print."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symconv.derivation import Derivation
from symconv.errors import LimitExceeded
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.nodes import Node
from symconv.notation.printers import latex, text
from symconv.system import Layer, as_system

if TYPE_CHECKING:
    from rich.console import Console


def show_derivation(console: Console, d: Derivation, wrt: str | None, expand: bool, steps: bool, base: int,
                    format_: str) -> None:
    """A derivation as text, LaTeX or JSON, whole or for one gradient or element."""
    if wrt is not None and "[" in wrt:
        _show_element(console, d, wrt, base, format_)
        return
    chosen = [d.known(wrt)] if wrt is not None else list(d.grad)
    if format_ == "json":
        console.print_json(json.dumps(_as_json(d, chosen, expand, base)))
    elif format_ == "latex":
        for e in ([] if wrt else d.system.equations):
            _line(console, latex(e, base))
        for n in chosen:
            _line(console, latex(d.grad[n], base))
            for row in written_elements(d, n, base) if expand else ():
                _line(console, LATEX(row))
    else:
        _show_text(console, d, chosen, expand, steps, base, whole=wrt is None)


def _line(console: Console, line: str, style: str = "") -> None:
    console.print(line, markup=False, soft_wrap=True, style=style)


def _show_text(console: Console, d: Derivation, chosen: list[str], expand: bool, steps: bool, base: int,
               whole: bool) -> None:
    made = [f.name for f in d.functions if f.proof is None]
    for name in [*(made if whole else []), *chosen]:
        equation = d.grad[name] if name in d.grad else next(f.equation for f in d.functions if f.name == name)
        _line(console, f"\n{text(equation, base)}" if steps else text(equation, base), "bold")
        if steps:
            shown = ""
            for number, step in enumerate(d.steps[name], 1):
                _line(console, f"  {number}. {step.statement}  ({step.reason})")
                if step.text(base) != shown:
                    shown = step.text(base)
                    _line(console, f"       {shown}", "cyan")
        if name in d.proofs:
            _line(console, f"  {d.proofs[name]} for all sizes: the transpose of the forward equation"
                  if d.proofs[name].proved else f"  {d.proofs[name]}", "green")
        if expand and name in d.grad:
            for row in written_elements(d, name, base):
                _line(console, f"  {TEXT(row)}")


def written_elements(d: Derivation, name: str, base: int) -> Iterator[Node]:
    """Every element of a gradient written out, after the scalar derivatives of the loss agreed with all."""
    from symconv.expand import element

    d.check_expanded()
    extents = d.grad[name].at(dict(d.system.sizes)).output.extents
    for index in product(*(range(base, base + n) for n in extents)):
        yield element(d, f"{name}[{','.join(map(str, index))}]", base).expanded


def _show_element(console: Console, d: Derivation, wrt: str, base: int, format_: str) -> None:
    from symconv.expand import element

    found = element(d, wrt, base)
    if format_ == "json":
        console.print_json(json.dumps({"wrt": wrt, "text": found.text(), "latex": found.latex()[1]}))
    else:
        _line(console, "\n".join(found.latex()) if format_ == "latex" else found.text())


def _as_json(d: Derivation, chosen: list[str], expand: bool, base: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "layer": dict(d.system.spec), "sizes": dict(d.system.sizes), "base": base,
        "forward": [{"text": text(e, base), "latex": latex(e, base), "name": d.names[e.output.name]}
                    for e in d.system.equations], "gradients": {}}
    for n in chosen:
        e = d.grad[n]
        result["gradients"][n] = {
            "text": text(e, base), "latex": latex(e, base), "name": d.names[e.output.name], "proof": d.proofs[n].kind,
            "steps": [{"reason": s.reason, "statement": s.statement, "text": s.text(base), "latex": s.latex(base)}
                      for s in d.steps[n]]}
        if expand:
            result["gradients"][n]["elements"] = [TEXT(row) for row in written_elements(d, n, base)]
    return result


def show_vectors(console: Console, layer: Layer, seed: int, folder: Path) -> None:
    """Write the vectors of a layer and say what they hold."""
    from symconv.emit import write_files
    from symconv.vectors import as_header, as_npz, make_vectors

    v = make_vectors(as_system(layer), seed)
    files: dict[str, str | bytes] = {f"{v.system.name}_vectors.npz": as_npz(v)}
    try:
        files[f"{v.system.name}_vectors.h"] = as_header(v)
    except LimitExceeded as e:
        _line(console, f"no C header: {e}", "yellow")
    write_files(files, folder)
    for n, a in v.arrays.items():
        _line(console, f"  {n:<3} {'given' if n in v.given else 'exact'} {a.shape}, {a.min()} to {a.max()}")
    _line(console, f"wrote {', '.join(files)} to {folder}/")


def show_check(console: Console, layer: Layer, path: Path, seed: int) -> int:
    """Compare somebody's arrays with the exact ones; 1 when one is wrong."""
    from symconv.check import check, read_arrays, told

    vectors, found = check(as_system(layer), read_arrays(path), seed)
    _line(console, vectors.system.name, "bold")
    for c in found:
        for line in told(c):
            _line(console, line, "green" if c.passed else "")
    left = [n for n in vectors.results if n not in {c.name for c in found}]
    if left:
        _line(console, f"not in the file, not checked: {', '.join(left)}", "dim")
    return 0 if all(c.passed for c in found) else 1


def show_doctor(console: Console) -> None:
    """Versions, the compiler, and what is missing with the command that gets it."""
    from symconv.native import find_compiler

    _line(console, f"symconv {version('symconv')}, Python {platform.python_version()} on {platform.machine()} "
          f"{platform.system()} ({sys.executable})")
    for name in ("sympy", "numpy", "jinja2", "click", "rich", "pylatexenc", "markdown-it-py", "mdit-py-plugins"):
        _line(console, f"  {name} {version(name)}")
    compiler = find_compiler()
    if compiler:
        _line(console, f"  C compiler: {compiler}")
    else:
        _line(console, "  C compiler: none; C is emitted but not run. Get one: pip install 'symconv[zig]'", "yellow")
    for name, use in (("islpy", "verify decides with a second engine"), ("torch", "fuzz also compares with PyTorch"),
                      ("ziglang", "a C compiler from a wheel"), ("hypothesis", "the tests")):
        try:
            _line(console, f"  {name} {version(name)} ({use})")
        except PackageNotFoundError:
            _line(console, f"  {name} is not installed ({use}): pip install {name}", "dim")


def show_fuzz(console: Console, count: int, seed: int) -> int:
    """Run the family check with a progress bar; a table of crossings; 1 when anything failed."""
    from rich.progress import Progress
    from rich.table import Table

    from symconv.fuzz import Tally, run

    tally = Tally()
    with Progress(console=console, transient=True) as progress:
        bar = progress.add_task("layers", total=count)
        for tally in run(count, seed):
            progress.update(bar, completed=tally.layers)
    table = Table("crossing", "layers", title=f"{tally.layers} random layers, seed {seed}", title_justify="left")
    for name, number in sorted(tally.crossings.items(), key=lambda item: (item[0].count(" x "), item[0])):
        table.add_row(name, str(number))
    console.print(table)
    for failure in tally.failures:
        _line(console, failure, "red")
    peer = f", {tally.torch} results equal to PyTorch's" if tally.torch else ", PyTorch not installed"
    _line(console, f"{tally.layers} layers and {tally.equations} equations, {tally.checks} checks{peer}, "
          f"{len(tally.failures)} failures")
    return 1 if tally.failures else 0
