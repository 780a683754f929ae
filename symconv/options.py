"""What users type, read into layers: command-line notation and TOML tables."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from symconv import benchdnn
from symconv.errors import LineError, ShapeError, SymconvError
from symconv.layer import Conv, Dense
from symconv.system import Layer
from symconv.torch_repr import is_torch, read_torch

F = TypeVar("F", bound=Callable[..., Any])

OPTIONS = [
    click.argument("line", required=False, metavar="[LAYER]"),
    click.option("--input", "input_", metavar="SIZE", help="Input extents, such as 28x28."),
    click.option("--kernel", metavar="SIZE", help="Kernel extents, such as 3x3; one number serves every axis."),
    click.option("--channels", type=int, help="Input channels."),
    click.option("--filters", type=int, help="Output channels."),
    click.option("--batch", type=int, help="Samples in a batch."),
    click.option("--stride", metavar="SIZE", help="Stride, one number or one an axis."),
    click.option("--pad", metavar="PAD", help="Zeros added: 1, 1x0, low:high as in 0:1x1:2, or valid, same, full."),
    click.option("--dilation", metavar="SIZE", help="Dilation, one number or one an axis."),
    click.option("--groups", type=int, help="Groups; as many as channels makes it depthwise."),
    click.option("--bias", is_flag=True, help="Add a bias."),
    click.option("--transposed", is_flag=True, help="The transposed convolution."),
    click.option("--output-pad", metavar="SIZE", help="Extra outputs of a transposed convolution."),
    click.option("--flip", is_flag=True, help="Reverse the kernel: true convolution."),
    click.option("--activation", metavar="NAME", help="relu, sigmoid, tanh, or sigma for one left open."),
    click.option("--dense", metavar="INxOUT", help="A fully connected layer instead, such as 4x3."),
    click.option("--formula", metavar="LATEX", multiple=True,
                 help=r"A formula instead, such as 'y_i = \sum_{j=1}^{k} w_j x_{i+j-1}'; repeatable."),
    click.option("--size", metavar="NAME=NUMBER", multiple=True, help="A size in the formula: n=28; repeatable."),
]
ARGUMENTS = {"input_": "input", "pad": "padding", "output_pad": "output_padding"}
SIZES = ("input", "kernel", "stride", "dilation", "output_padding")
DENSE = ("batch", "bias", "activation")
LONGEST_LINE = 1000


def layer_options(command: F) -> F:
    """What describes a layer, for any command that takes one: LAYER, a line of benchdnn or a layer as PyTorch prints
    it, and options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def layer_from(values: Mapping[str, Any]) -> Layer | None:
    """The layer the options describe; None when they describe none.

    Raises:
        ShapeError: the notation cannot be read, or the sizes make no layer.
    """
    given = {ARGUMENTS.get(k, k): v for k, v in values.items() if v is not None and v is not False and v != ()}
    if not given:
        return None
    if "line" in given:
        return _from_line(given.pop("line"), given)
    if "formula" in given or "size" in given:
        return _formula(given)
    if "dense" in given:
        extra = sorted(set(given) - {"dense", *DENSE})
        if extra:
            raise ShapeError(f"--dense does not go with --{extra[0].replace('_', '-')}")
        return _dense(given)
    for name in ("input", "kernel"):
        if name not in given:
            raise ShapeError(f"--{name} is missing; for example: --input 28x28 --kernel 3x3")
    return Conv(**_read(given))


def _read(given: Mapping[str, Any]) -> dict[str, Any]:
    return {k: _size(v, k) if k in SIZES else _padding(v) if k == "padding" else v for k, v in given.items()}


def _from_line(line: str, given: Mapping[str, Any]) -> Conv | Dense:
    """A layer in the notation of a tool; options say what the line leaves open, or the same once more."""
    if len(line) > LONGEST_LINE:
        raise ShapeError(f"a layer is described in at most {LONGEST_LINE} characters, not {len(line)}")
    extra = sorted(set(given) & {"dense", "formula", "size"})
    if extra:
        raise ShapeError(f"--{extra[0]} is a layer of its own and does not go with {line!r}")
    if is_torch(line):
        said, defaults = read_torch(line), {}
    elif benchdnn.is_benchdnn(line):
        said = benchdnn.read_benchdnn(line, bool(given.get("transposed")))
        defaults = {"batch": benchdnn.BATCH}
    else:
        raise LineError("neither a line of benchdnn (g24ic24oc24ih6oh3kh3sh2ph1) nor a layer as PyTorch prints it "
                        "(Conv2d(1, 8, kernel_size=(3, 3), stride=(1, 1)))", line, 0)
    options = _read(given)
    if "inputs" not in said and "input" not in {**said, **options}:
        raise ShapeError("PyTorch does not say how large the input is: give --input, such as --input 28x28")
    layer = named_layer({**defaults, **options, **said})
    for name in said.keys() & options.keys():
        if named_layer({**defaults, **said, **options}) != layer:
            raise ShapeError(f"{name.replace('_', ' ')} is given twice: {said[name]} in LAYER, {options[name]} "
                             "as an option")
    return layer


def _dense(given: Mapping[str, Any]) -> Dense:
    sizes = _size(given["dense"], "dense")
    if isinstance(sizes, int) or len(sizes) != 2:
        raise ShapeError(f"--dense takes inputs x outputs, such as 4x3, not {given['dense']!r}")
    return Dense(*sizes, **{k: given[k] for k in DENSE if k in given})


def _formula(given: Mapping[str, Any]) -> Layer:
    from symconv.formula import Formula

    if "formula" not in given:
        raise ShapeError("--size gives a size of a --formula; layers take --input and --kernel")
    extra = sorted(set(given) - {"formula", "size"})
    if extra:
        raise ShapeError(f"--formula does not go with --{extra[0].replace('_', '-')}: the formula says it")
    sizes: dict[str, int] = {}
    for text in given.get("size", ()):
        m = re.fullmatch(r"\s*(.+?)\s*=\s*(\d{1,9})\s*", text)
        if m is None:
            raise ShapeError(f"--size takes a name and a number, such as n=28, not {text!r}")
        if sizes.setdefault(m[1], int(m[2])) != int(m[2]):
            raise ShapeError(f"--size gives {m[1]} two numbers, {sizes[m[1]]} and {m[2]}")
    return Formula(given["formula"], sizes)


def _size(text: str, name: str) -> int | tuple[int, ...]:
    if not re.fullmatch(r"-?\d{1,9}(x-?\d{1,9})*", text):
        raise ShapeError(f"--{name.replace('_', '-')} takes numbers such as 28x28, not {text!r}")
    numbers = tuple(map(int, text.split("x")))
    return numbers[0] if len(numbers) == 1 else numbers


def _padding(text: str) -> int | str | tuple[Any, ...]:
    if re.fullmatch(r"[a-z]+", text):
        return text
    if not re.fullmatch(r"\d{1,9}(:\d{1,9})?(x\d{1,9}(:\d{1,9})?)*", text):
        raise ShapeError(f"--pad takes 1, 1x0, 0:1x1:2 or a name, not {text!r}")
    sides = tuple(tuple(map(int, part.split(":"))) for part in text.split("x"))
    if len(sides) == 1 and len(sides[0]) == 1:
        return sides[0][0]
    return tuple((s[0], s[-1]) for s in sides)


def layers_from_toml(path: Path) -> list[dict[str, Any]]:
    """The `[[layer]]` tables of a file, each a set of arguments of Conv (or Dense), or a formula and its sizes.

    Raises:
        SymconvError: the file is missing, no TOML, or has no such tables.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8")).get("layer")
    except OSError as e:
        raise SymconvError(f"cannot read {path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SymconvError(f"{path} is not valid TOML: {e}") from e
    if not isinstance(tables, list) or not tables or not all(isinstance(t, dict) for t in tables):
        raise SymconvError(f"{path} has no [[layer]] tables")
    return tables


def layer_from_table(table: Mapping[str, Any]) -> Layer:
    """A layer or a formula from its Python arguments. Raises ShapeError on unknown or missing names."""
    if "formula" not in table:
        return named_layer(table)
    from symconv.formula import Formula

    unknown = sorted(set(table) - {"formula", "sizes"})
    if unknown:
        raise ShapeError(f"unknown argument {unknown[0]!r} beside a formula; known: sizes")
    return Formula(table["formula"], table.get("sizes", {}))


def named_layer(table: Mapping[str, Any]) -> Conv | Dense:
    """A layer from the arguments of Conv or Dense. Raises ShapeError on unknown or missing names."""
    kind = Dense if "inputs" in table else Conv
    known = {f.name for f in fields(kind)}
    unknown = sorted(set(table) - known)
    if unknown:
        raise ShapeError(f"unknown argument {unknown[0]!r} of {kind.__name__}; known: {', '.join(sorted(known))}")
    try:
        return kind(**table)
    except TypeError as e:
        raise ShapeError(str(e).replace("__init__() ", "")) from e
