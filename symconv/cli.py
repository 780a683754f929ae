"""The command line: derive | emit | report | vectors | check | verify | explain | bench | fuzz | doctor.

Heavy modules load in the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from symconv import __version__
from symconv.errors import SymconvError, ValidationError
from symconv.options import layer_from, layer_options

if TYPE_CHECKING:
    from rich.console import Console

    from symconv.system import Layer


class Group(click.Group):
    """Errors symconv raises on purpose become one readable line and an exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ValidationError as e:
            click.echo(f"error: {e}", err=True)
            ctx.exit(1)
        except SymconvError as e:
            click.echo(f"error: {e}", err=True)
            ctx.exit(2)


def console() -> Console:
    """A console that wraps for people and never for pipes."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else 200)


def required(values: Mapping[str, Any], example: str) -> Layer:
    """The layer that is described; a usage error where there is none."""
    layer = layer_from(values)
    if layer is None:
        raise click.UsageError(f"no layer is described; for example: symconv {example}")
    return layer


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
def main() -> None:
    """Derive the gradients of a convolution, prove them, and emit checked kernels.

    \b
    symconv derive --input 5 --kernel 3 --wrt 'x[3]'
    symconv emit --input 28x28 --kernel 3x3 --filters 8 --out kernels
    symconv emit 'Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1))' --input 28x28
    symconv derive g24ic24oc24ih6oh3kh3sh2ph1
    symconv derive --formula 'h_i = \\sigma(\\sum_{j=1}^{k} V_j x_{i+j-1})'
    symconv verify notes.md
    """


@main.command()
@layer_options
@click.option("--wrt", metavar="NAME", help="Only this gradient, or one element of it: x, w, 'x[3]'.")
@click.option("--expand", is_flag=True, help="Write every element out for these sizes.")
@click.option("--steps/--no-steps", default=True, help="Show the steps, or the results only.")
@click.option("--base", type=click.IntRange(0, 1), default=None,
              help="Where indices start: 1, or as in the formula.")
@click.option("--format", "format_", type=click.Choice(["text", "latex", "json"]), default="text")
def derive(wrt: str | None, expand: bool, steps: bool, base: int | None, format_: str, **values: Any) -> None:
    """Derive the gradient of everything a layer or a formula reads, step by step.

    LAYER is a line of benchdnn or a layer as PyTorch prints it; or options describe one.
    """
    from symconv.derivation import derive as derive_layer
    from symconv.show import show_derivation

    layer = required(values, "derive --input 5 --kernel 3")
    if base is None:
        base = getattr(layer, "base", 1)
    show_derivation(console(), derive_layer(layer), wrt, expand, steps, base, format_)


@main.command()
@layer_options
@click.option("--layers", type=click.Path(path_type=Path), help="A TOML file with [[layer]] tables.")
@click.option("--target", default="c,numpy", show_default=True, help="What to write: c, numpy or both.")
@click.option("--dtype", default="float32", show_default=True, help="float32, float64 or int8.")
@click.option("--accumulate", is_flag=True, help="Gradients add to their output array.")
@click.option("--isa", default="generic", show_default=True,
              help="Vectors in C: native (this machine's), avx512, avx2, neon; generic for plain loops.")
@click.option("--exact", is_flag=True, help="C that gives the same bits on every machine.")
@click.option("--layout", default="channels_first", show_default=True, help="Of arrays; or channels_last.")
@click.option("--self-test", is_flag=True, help="Add a C file that tests the kernels where they run.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("kernels"), show_default=True,
              help="Folder to write to.")
def emit(layers: Path | None, target: str, dtype: str, accumulate: bool, isa: str, exact: bool, layout: str,
         self_test: bool,
         out: Path, **values: Any) -> None:
    """Derive, emit, compile and validate kernels.

    LAYER is a line of benchdnn or a layer as PyTorch prints it; or options describe one.
    Exit code 1 when a kernel fails its validation, 2 when the input makes no layer.
    """
    from symconv import batch
    from symconv.options import layer_from_table, layers_from_toml

    targets = tuple(dict.fromkeys(t.strip() for t in target.split(",") if t.strip()))
    layer = layer_from(values)
    if (layer is None) == (layers is None):
        raise click.UsageError("describe one layer (--input 28x28 --kernel 3x3) or give --layers FILE")
    request = batch.Request(targets, dtype, accumulate, out, isa, exact, self_test, layout)
    if layers is not None:
        tables = layers_from_toml(layers)
        sys.exit(batch.emit_many(console(), tables, layer_from_table, request))
    assert layer is not None
    sys.exit(batch.emit_one(console(), layer, request))


@main.command()
@layer_options
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Which integers.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("vectors"), show_default=True,
              help="Folder to write to.")
def vectors(seed: int, out: Path, **values: Any) -> None:
    """Write exact test vectors of a layer, to test other libraries with: x, w, b, dy and y, dx, dw, db.

    All are whole numbers whose sums are exact in float32 in any order; as .npz and as a C header.
    """
    from symconv.show import show_vectors

    show_vectors(console(), required(values, "vectors g24ic24oc24ih6oh3kh3sh2ph1"), seed, out)


@main.command()
@layer_options
@click.option("--got", type=click.Path(path_type=Path), required=True, metavar="FILE",
              help="An .npz with results to check: y, dx, dw, db; with x, w, dy too when they are your own.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True,
              help="That of the vectors, where the file has no inputs.")
def check(got: Path, seed: int, **values: Any) -> None:
    """Compare the arrays of another library with the exact vectors, and name the likely defect of a wrong one.

    A defect is named only when its equation, evaluated exactly, gives the array that was found. Exit code 1 when
    an array is wrong.
    """
    from symconv.show import show_check

    sys.exit(show_check(console(), required(values, "check g24ic24oc24ih6oh3kh3sh2ph1 --got out.npz"), got, seed))


@main.command()
@layer_options
@click.option("-o", "--out", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True,
              help="File to write; its suffix chooses the format: .html, .md or .tex.")
@click.option("--lang", type=click.Choice(["en", "ko"]), default="en", show_default=True, help="Language.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the numbers in examples and exercises.")
@click.option("--exercises", type=click.IntRange(0, 50), default=4, show_default=True, help="How many exercises.")
@click.option("--answers", is_flag=True, help="End with the answers to the exercises.")
@click.option("--figures-only", is_flag=True, help="Write each figure as an SVG file into the folder --out names.")
@click.option("--base", type=click.IntRange(0, 1), default=None, help="Where indices start: 1, or as in the formula.")
@click.option("--isa", default="generic", show_default=True, help="Vectors in the C shown, as in emit.")
@click.option("--validate", is_flag=True, help="Compile and run the kernels shown, and say so on the page.")
def report(out: Path, lang: str, seed: int, exercises: int, answers: bool, figures_only: bool, base: int | None,
           isa: str, validate: bool, **values: Any) -> None:
    """Write a lecture: derivation, figures, a worked example, exercises and code on one page."""
    from symconv.lecture.command import Request, run

    layer = layer_from(values)
    if layer is None:
        raise click.UsageError("no layer is described; for example: symconv report --input 5 --kernel 3 -o conv1d.html")
    base = getattr(layer, "base", 1) if base is None else base
    changed = run(layer, Request(out, lang, seed, exercises, answers, figures_only, base, isa, validate))
    for path in changed:
        click.echo(path)


@main.command()
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--claim", metavar="LATEX", help="One formula instead of files.")
@click.option("--given", multiple=True, metavar="LATEX", help="A definition or directive to start from; repeatable.")
@click.option("--format", "format_", type=click.Choice(["full", "concise", "json", "sarif", "github"]), default="full",
              show_default=True, help="For people, editors, programs, code scanning, annotations.")
@click.option("--source", type=click.Choice(["markdown", "latex", "notebook", "text"]), default=None,
              help="How to read the text; by default after the file's name, Markdown for standard input.")
@click.option("--fail-on-unchecked", is_flag=True, help="Formulas not understood, or checked without proof, count.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever is found.")
def verify(paths: tuple[str, ...], claim: str | None, given: tuple[str, ...], format_: str, source: str | None,
           fail_on_unchecked: bool, exit_zero: bool) -> None:
    """Find the convolution formulas in notes and decide each: proved, true under a condition, or refuted.

    PATH is a Markdown, LaTeX, notebook or text file, a folder of them, or - for standard input.
    Exit code 1 when a formula is refuted or holds under a condition only, 2 when something cannot be read.
    """
    from symconv.telling.command import Request, run

    if claim is not None and paths:
        raise click.UsageError("--claim takes the place of files: give one of them")
    if claim is None and not paths and sys.stdin.isatty():
        raise click.UsageError("nothing to verify; for example: symconv verify notes.md")
    request = Request(paths or ("-",), claim, given, source or "", format_, fail_on_unchecked, exit_zero)
    sys.exit(run(request, console()))


@main.command()
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what a code such as SC101 means, with an example; without one, list all."""
    from symconv.claims.codes import find
    from symconv.telling.explain import show_code, show_codes

    if code is None:
        show_codes(console(), sys.stdout.isatty())
    else:
        show_code(find(code), console(), sys.stdout.isatty())


@main.command()
@click.option("--layers", type=click.Path(path_type=Path), help="A TOML file with [[layer]] tables of your own.")
@click.option("--set", "chosen", default="", help="Which of our layers: quick, tiny, large, speed, family or all.")
@click.option("--target", type=click.Choice(["c", "numpy"]), default="c", show_default=True,
              help="C kernels against libraries, or NumPy kernels against other NumPy.")
@click.option("--against", default="torch,onnxruntime,onednn,naive", show_default=True, metavar="NAMES",
              help="Whom to compare C kernels with; who is not installed is skipped.")
@click.option("--repeats", type=click.IntRange(1), default=15, show_default=True, help="Rounds to take medians over.")
@click.option("--plot", type=click.Path(path_type=Path), metavar="FILE", help="Draw a roofline of C kernels as SVG.")
def bench(layers: Path | None, chosen: str, target: str, against: str, repeats: int, plot: Path | None) -> None:
    """Measure kernels beside those of others: compared exactly first, then timed in turns on one core.

    C to C with warm and cold caches, Python to Python, and % of the peak measured on this machine.
    """
    for library in ("OPENBLAS", "MKL", "OMP"):  # read when NumPy and its like load, which is below
        os.environ[f"{library}_NUM_THREADS"] = "1"
    from symconv.bench.command import Request, run

    names = tuple(dict.fromkeys(n.strip() for n in against.split(",") if n.strip()))
    sys.exit(run(Request(layers, chosen, target, names, repeats, plot), console()))


@main.command()
@click.option("--count", type=click.IntRange(1), default=200, show_default=True, help="Random layers to check.")
@click.option("--seed", type=int, default=0, show_default=True)
def fuzz(count: int, seed: int) -> None:
    """Check random layers of the whole family, all kernels, exactly, against the oracle (and PyTorch)."""
    from symconv.show import show_fuzz

    sys.exit(show_fuzz(console(), count, seed))


@main.command()
def doctor() -> None:
    """Say what is installed, which compiler is used, and how to get what is missing."""
    from symconv.show import show_doctor

    show_doctor(console())
