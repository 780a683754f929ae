"""Render plans of array operations as a Python module that needs nothing but NumPy."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symconv.affine import Affine, Constraint
from symconv.derivation import Function
from symconv.equation import Access, Tensor
from symconv.errors import NotSupported
from symconv.schedule.arrays import Plan, Step, margins, plan
from symconv.schedule.contraction import lies_whole, slides

# function -> expression on an array; {t} is its type
POINTWISE = {
    "relu": "np.maximum({x}, 0)",
    "relu'": "({x} > 0).astype({t})",
    "sigmoid": "_sigmoid({x})",
    "sigmoid'": "_sigmoid({x}) * _sigmoid(-{x})",
    "tanh": "np.tanh({x})",
    "tanh'": "1 - np.tanh({x}) ** 2",
}
WHOLE_NUMBER_FUNCTIONS = ("", "relu", "relu'")
SMALL = 2048  # below this many elements a copy does not pay for faster products
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One function, ready for the template."""

    name: str
    parameters: tuple[str, ...]
    comments: tuple[str, ...]
    doc: str
    body: tuple[str, ...]


def render(functions: Sequence[Function], types: Mapping[str, str], *, header: str,
           accumulate: bool = False) -> str:
    """The source of a module with one function for each of these, in the shapes callers use.

    Args:
        types: NumPy type name of every tensor that is read or written.
        header: text of the module's docstring.
        accumulate: functions add into a last argument and return nothing, else they return a new array.

    Raises:
        ShapeError: a size is symbolic.
        NotSupported: a function or coefficient has no meaning in the output's type.
    """
    made = [_function(f, types, accumulate) for f in functions]
    folders = [p / "templates" / "numpy" for p in (Path(__file__).parent, Path(__file__).parent.parent)]
    env = Environment(loader=FileSystemLoader(folders), undefined=StrictUndefined, trim_blocks=True,
                      lstrip_blocks=True, keep_trailing_newline=True)
    text = "\n".join(line for f in made for line in f.body)
    helpers = [env.get_template(f"{h}.py.j2").render() for h in ("window", "sigmoid") if f"_{h}(" in text]
    quoted = header.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if quoted.endswith('"'):
        quoted = quoted[:-1] + '\\"'
    return env.get_template("module.py.j2").render(header=quoted, helpers=helpers, functions=made)


def _function(f: Function, types: Mapping[str, str], accumulate: bool) -> Rendered:
    out = f.equation.output
    dtype = np.dtype(types[out.name])
    writer = _Writer(types, dtype, plan(f.equation, blas=dtype.kind == "f"))
    parameters = [writer.names.reserve(t.name) for t in f.arguments]
    target = writer.names.reserve(out.name if not accumulate else f"{out.name}_new")
    if accumulate:
        parameters.append(writer.names.reserve(out.name))
    body = writer.body(list(zip(f.arguments, parameters, strict=False)), target)
    shaped = writer.finished or (out.array_shape == out.extents and out.extents)
    result = target if shaped else f"{target}.reshape({out.array_shape})"
    body.append(f"{parameters[-1]} += {result}" if accumulate else f"return {result}")
    shapes = ", ".join(f"{t.name} {_shape(t.array_shape)}" for t in f.arguments)
    doc = f"{shapes} -> {out.name} {_shape(out.array_shape)}"
    return Rendered(f.name, tuple(parameters), (_wide(f.equation), *map(repr, writer.plan.choices)), doc, tuple(body))


def _axes_free(s: Step, at: int) -> bool:
    """The order of this factor's elements is all that the statement needs to know."""
    f = s.factors[at]
    return slides(f, frozenset(s.extents)) or (s.contraction.kind == "matmul" and _taken_whole(s, at))


def _taken_whole(s: Step, at: int) -> bool:
    f = s.factors[at]
    natural = tuple(n for e in f.indices for n in e.names if n in s.extents)
    return natural == s.contraction.dims[at] and lies_whole(f, s.extents)


def _wide(value: object) -> str:
    return " ".join(str(value).split())


def _shape(extents: Sequence[int]) -> str:
    return f"({', '.join(map(str, extents))})"


class _Names:
    """Identifiers that clash with nothing."""

    def __init__(self) -> None:
        self.taken = {"np", "range", "slice", "_window", "_sigmoid", *keyword.kwlist}
        self.given: dict[str, str] = {}

    def reserve(self, name: str) -> str:
        name = re.sub(r"\W", "_", name)
        name = f"{name}_" if keyword.iskeyword(name) else name
        free = next(n for n in chain([name], (f"{name}{i}" for i in count(2))) if n not in self.taken)
        self.taken.add(free)
        return free

    def of(self, name: str) -> str:
        if name not in self.given:
            self.given[name] = self.reserve(name)
        return self.given[name]


class _Writer:
    """The statements of one function."""

    def __init__(self, types: Mapping[str, str], dtype: np.dtype[np.generic], plan_: Plan) -> None:
        self.types, self.dtype, self.plan = types, dtype, plan_
        self.names = _Names()
        self.only: Step | None = None  # the one statement that makes the whole output
        self.finished = False  # the output has the caller's shape already
        self.lines: list[str] = []
        self.margins = margins(plan_.steps)
        self.arrays: dict[tuple[Tensor, str, bool], str] = {}
        self.unshaped: dict[str, tuple[int, ...]] = {}  # arrays still in the caller's shape

    @property
    def type(self) -> str:
        return f"np.{self.dtype.name}"

    def body(self, arguments: Sequence[tuple[Tensor, str]], target: str) -> list[str]:
        out = self.plan.output
        for t, name in arguments:
            self._argument(t, name)
        self.arrays[out, "", False] = target
        steps = self.plan.steps
        own = [s for s in steps if s.place.tensor == out]
        direct = own[0] if own and self._is_direct(own[0]) else None
        self.only = direct if len(own) == 1 else None
        if direct is None or len(own) == 0:
            make = "zeros" if self.plan.zeroed else "empty"
            self.lines.append(f"{target} = np.{make}({out.extents}, {self.type})")
        for s in steps:
            if s.place.tensor != out:
                self.arrays[s.place.tensor, "", False] = self.names.reserve(s.place.tensor.name.rstrip("'"))
            self._step(s, s is direct or s.place.tensor != out)
        return self.lines

    def _is_direct(self, s: Step) -> bool:
        dims = {n for d in s.contraction.dims for n in d}
        return bool(s.loops) and s.assign and s.covers_output and dims >= {r.name for r in s.loops}

    def _argument(self, t: Tensor, name: str) -> None:
        if np.dtype(self.types[t.name]) != self.dtype:
            self.lines.append(f"{name} = {name}.astype({self.type})")
        self.arrays[t, "", False] = name
        if t.array_shape != t.extents:
            self.unshaped[name] = t.extents

    def _array(self, f: Access, padded: bool, shaped: bool) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
        """Name, extents and low margins of the array this factor is read from, made at first use.

        `shaped`: with the tensor's own axes, else the order of its elements is enough."""
        none = ((0, 0),) * len(f.tensor.extents)
        margins = self.margins.get((f.tensor, f.function), none) if padded else none
        source = self._applied(f)
        if margins == none:
            if shaped and source in self.unshaped:
                self.lines.append(f"{source} = {source}.reshape({self.unshaped.pop(source)})")
            return source, f.tensor.extents, (0,) * len(none)
        extents = tuple(lo + n + hi for n, (lo, hi) in zip(f.tensor.extents, margins, strict=True))
        key = (f.tensor, f.function, True)
        if key not in self.arrays:
            name = self.arrays[key] = self.names.reserve(f"{source}_pad")
            inside = [f"{lo or ''}:{lo + n if hi else ''}"
                      for n, (lo, hi) in zip(f.tensor.extents, margins, strict=True)]
            text = f"{source}.reshape({self.unshaped[source]})" if source in self.unshaped else source
            self.lines.append(f"{name} = np.zeros({extents}, {self.type})")
            self.lines.append(f"{name}[{', '.join(_trim(inside))}] = {text}")
        return self.arrays[key], extents, tuple(lo for lo, _ in margins)

    def _applied(self, f: Access) -> str:
        """The array this factor's pointwise function has been applied to."""
        key = (f.tensor, f.function, False)
        if key not in self.arrays:
            if f.function not in POINTWISE or (self.dtype.kind != "f" and f.function not in WHOLE_NUMBER_FUNCTIONS):
                raise NotSupported(f"the function {f.function!r} has no NumPy form for {self.dtype.name}")
            plain = self.arrays[f.tensor, "", False]
            name = self.names.reserve(f"{plain}_{f.function.replace(chr(39), '_slope')}")
            self.lines.append(f"{name} = {POINTWISE[f.function].format(x=plain, t=self.type)}")
            self.arrays[key] = name
            if plain in self.unshaped:
                self.unshaped[name] = self.unshaped[plain]
        return self.arrays[key]

    def shape_of(self, name: str, extents: tuple[int, ...]) -> tuple[int, ...]:
        """The shape an array has at this point; () when it is still the caller's."""
        return () if name in self.unshaped else extents

    def _step(self, s: Step, fresh: bool) -> None:
        reads = [self._array(f, s.padded, not _axes_free(s, at)) for at, f in enumerate(s.factors)]
        indent = ""
        body: list[str] = []
        text = _Expression(self, s, reads, body).text()
        text, sign = self._scaled(text, s)
        alias = s.contraction.kind == "product" and len(s.factors) + len(s.masks) <= 1 and text[0].isalpha()
        name = self.arrays[s.place.tensor, "", False]
        if fresh:
            plain = alias and not any(f.function for f in s.factors) and "*" not in text
            body.append(f"{name} = np.array({text})" if plain else f"{name} = {'-' * (sign < 0)}{text}")
        else:
            place = self._place(s, name)
            verb = "= " + "-" * (sign < 0) if s.assign else "+= " if sign > 0 else "-= "
            place = place if "[" in place or not s.assign else f"{place}[...]"
            body.append(f"{place} {verb}{text}")
        for r in s.taps:
            self.lines.append(f"{indent}for {self.names.of(r.name)} in range({r.extent}):")
            indent += "    "
        self.lines += [indent + line for line in body]

    def _scaled(self, text: str, s: Step) -> tuple[str, int]:
        c = s.coefficient
        sign, size = (-1 if c < 0 else 1), abs(c)
        if self.dtype.kind != "f" and size.denominator != 1:
            raise NotSupported(f"the coefficient {c} has no meaning in {self.dtype.name}")
        if text == "1":
            return _number(size), sign
        if size != 1:
            text = f"{_number(size)} * {text}"
        elif sign < 0 and s.assign and " " in text:
            text = f"({text})"
        return text, sign

    def _place(self, s: Step, name: str) -> str:
        extents = {r.name: r.extent for r in s.loops}
        entries = [self._entry(e, n, extents)[0] for e, n in zip(s.place.indices, s.place.tensor.extents, strict=True)]
        return _subscript(name, entries)

    def _entry(self, e: Affine, full: int, extents: Mapping[str, int]) -> tuple[str, bool]:
        """One axis of a slice, ascending, and whether it is then read backwards."""
        names = [n for n in e.names if n in extents]
        if not names:
            return self.affine(e), False
        a, n = e.coefficient(names[0]), extents[names[0]]
        rest = e - a * Affine.of(names[0])
        start = rest if a > 0 else rest + a * (n - 1)
        stop = start + abs(a) * (n - 1) + 1
        low = "" if start == Affine.of(0) else self.affine(start)
        high = "" if stop == Affine.of(full) else self.affine(stop)
        return f"{low}:{high}" + (f":{abs(a)}" if abs(a) != 1 and n > 1 else ""), a < 0

    def affine(self, e: Affine) -> str:
        return str(e.substitute({n: self.names.of(n) for n in e.names}))


def _number(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"({value})"


def _trim(entries: Sequence[str]) -> list[str]:
    kept = list(entries)
    while len(kept) > 1 and kept[-1] == ":":
        kept.pop()
    return kept


def _subscript(name: str, entries: Sequence[str]) -> str:
    kept = _trim(entries)
    return name if not kept or kept == [":"] else f"{name}[{', '.join(kept)}]"


class _Expression:
    """The right-hand side of one statement; operands worth a name become lines before it."""

    def __init__(self, writer: _Writer, step: Step,
                 reads: Sequence[tuple[str, tuple[int, ...], tuple[int, ...]]], lines: list[str]) -> None:
        self.w, self.s, self.reads, self.lines = writer, step, reads, lines
        self.extents = step.extents
        self.out = tuple(r.name for r in step.loops)

    def text(self) -> str:
        return {"product": self._product, "sum": self._sum, "einsum": self._einsum,
                "matmul": self._matmul}[self.s.contraction.kind]()

    def _views(self) -> list[str]:
        """Every operand with the axes the contraction names for it."""
        dims = self.s.contraction.dims
        views = [self._view(at, dims[at])[0] for at in range(len(self.s.factors))]
        return views + [self._mask(c, d) for c, d in zip(self.s.masks, dims[len(views):], strict=True)]

    def _view(self, at: int, order: tuple[str, ...], spread: bool = False) -> tuple[str, bool]:
        """A factor with its axes in this order (None for missing outputs when `spread`); whether a window."""
        f, (name, shape, low) = self.s.factors[at], self.reads[at]
        indices = [e + lo for e, lo in zip(f.indices, low, strict=True)]
        if slides(f, frozenset(self.extents)):
            text = self._windowed(name, shape, indices, order)
            return self._aligned(text, order) if spread else text, True
        pairs = [self.w._entry(e, n, self.extents) for e, n in zip(indices, shape, strict=True)]
        own = [next((n for n in e.names if n in self.extents), "") for e in indices]
        natural = tuple(n for n in own if n)
        entries = [entry for entry, _ in pairs]
        if spread and natural == order:
            entries = self._with_none(entries, own)
        text = _subscript(name, entries)
        if any(flip for _, flip in pairs):
            backwards = iter([flip for (_, flip), n in zip(pairs, own, strict=True) if n])
            flips = ["::-1" if entry != "None" and next(backwards) else ":" for entry in entries
                     if entry == "None" or ":" in entry]
            text += f"[{', '.join(_trim(flips))}]"
        if natural != order:
            axes = tuple(natural.index(n) for n in order)
            text += ".T" if axes == (1, 0) else f".transpose{axes}"
            text = self._aligned(text, order) if spread else text
        return text, False

    def _with_none(self, entries: Sequence[str], own: Sequence[str]) -> list[str]:
        """Entries with a None for each output axis this factor lacks, except in front."""
        found, rest = [], list(self.out)
        for entry, n in zip(entries, own, strict=True):
            while n and rest[0] != n:
                if found:
                    found.append("None")
                rest.pop(0)
            if n:
                rest.pop(0)
            found.append(entry)
        return found + ["None"] * len(rest)

    def _aligned(self, text: str, order: tuple[str, ...]) -> str:
        if not order:
            return text
        tail = self.out[self.out.index(order[0]):]
        if tail == order:
            return text
        return f"{text}[{', '.join(':' if n in order else 'None' for n in tail)}]"

    def _windowed(self, name: str, shape: Sequence[int], indices: Sequence[Affine], order: Sequence[str]) -> str:
        place, stride = Affine.of(0), 1
        for e, n in zip(reversed(indices), reversed(shape), strict=True):
            place, stride = place + stride * e, stride * n
        steps = tuple(place.coefficient(n) for n in order)
        start = place - sum((place.coefficient(n) * Affine.of(n) for n in order), Affine.of(0))
        tail = "" if start == Affine.of(0) else f", {self.w.affine(start)}"
        return f"_window({name}, {tuple(self.extents[n] for n in order)}, {steps}{tail})"

    def _mask(self, c: Constraint, dims: tuple[str, ...]) -> str:
        parts = []
        for at, n in enumerate(dims):
            a = c.expression.coefficient(n)
            spread = f"[:{', None' * (len(dims) - 1 - at)}]" if at < len(dims) - 1 else ""
            parts.append(f"{'' if a == 1 else f'{a} * '}np.arange({self.extents[n]}){spread}")
        rest = c.expression - sum((c.expression.coefficient(n) * Affine.of(n) for n in dims), Affine.of(0))
        return f"({' + '.join(parts) or '0'} >= {self.w.affine(-rest)}).astype({self.w.type})" if parts else \
            f"{self.w.type}({self.w.affine(rest)} >= 0)"

    def _product(self) -> str:
        dims = self.s.contraction.dims
        views = []
        for at in range(len(self.s.factors)):
            order = tuple(n for n in self.out if n in dims[at])
            views.append(self._view(at, order, spread=True)[0])
        for c, d in zip(self.s.masks, dims[len(views):], strict=True):
            order = tuple(n for n in self.out if n in d)
            views.append(self._aligned(self._mask(c, order), order))
        return " * ".join(views) or "1"

    def _sum(self) -> str:
        (dims,) = self.s.contraction.dims
        text = f"{self._view(0, dims)[0]}.sum({_axes(dims, self.out)}, {self.w.type})"
        return self._ordered(text, tuple(n for n in dims if n in self.out))

    def _ordered(self, text: str, have: tuple[str, ...]) -> str:
        """An operand with these axes, brought to the output's axes."""
        want = tuple(n for n in self.out if n in have)
        if want != have:
            text = f"{text}.transpose{tuple(have.index(n) for n in want)}"
        return self._aligned(text, want)

    def _einsum(self) -> str:
        dims = self.s.contraction.dims
        letter = {n: LETTERS[at] for at, n in enumerate(dict.fromkeys(n for d in dims for n in d))}
        if all(len(n) == 1 and n.isascii() and n.isalpha() for n in letter):
            letter = {n: n for n in letter}
        want = tuple(n for n in self.out if n in letter)
        spec = ",".join("".join(letter[n] for n in d) for d in dims) + "->" + "".join(letter[n] for n in want)
        return self._aligned(f'np.einsum("{spec}", {", ".join(self._views())})', want)

    def _matmul(self) -> str:
        c = self.s.contraction
        pair = (1, 0) if c.swapped else (0, 1)
        sides = [self._operand(at, *((c.left, c.inner) if side == 0 else (c.inner, c.right)))
                 for side, at in enumerate(pair)]
        have = (*c.stack, *c.left, *c.right)
        made = [self.extents[n] for n in c.stack]
        made += [_size(g, self.extents) for g in (c.left, c.right) if g or c.stack]
        shape = [self.extents[n] for n in have]
        text = f"{sides[0]} @ {sides[1]}"
        if self.s is self.w.only and have == self.out:
            shape, self.w.finished = list(self.w.plan.output.array_shape), True
        text = text if shape == made else f"({text}).reshape({tuple(shape)})"
        text = f"({text})" if self.out != have and not text.endswith(")") or (self.out != have and shape == made) else text
        return self._ordered(text, have)

    def _operand(self, at: int, rows: tuple[str, ...], cols: tuple[str, ...]) -> str:
        c, f = self.s.contraction, self.s.factors[at]
        order = c.dims[at]
        turned = c.turned[at]
        groups = (cols, rows) if turned else (rows, cols)
        shape = self._stack_shape(order) + [_size(g, self.extents) for g in groups if g or c.stack]
        moves = slides(f, frozenset(self.extents))
        natural = tuple(n for e in f.indices for n in e.names if n in self.extents)
        if _taken_whole(self.s, at) and self.reads[at][1] == f.tensor.extents:
            text = self.reads[at][0]
            if tuple(shape) != self.w.shape_of(text, f.tensor.extents):
                text += f".reshape({tuple(shape)})"
        else:
            text = self._laid_out(at, order, natural, moves, shape)
        if moves or len(text) > 40:
            name = self.w.names.reserve(f"{self.reads[at][0]}_{'cols' if moves else 'rows'}")
            self.lines.append(f"{name} = {text}")
            text = name
        if turned and len(shape) > 1:
            text += ".T" if len(shape) == 2 else ".swapaxes(-1, -2)"
        return text

    def _laid_out(self, at: int, order: tuple[str, ...], natural: tuple[str, ...], moves: bool,
                  shape: Sequence[int]) -> str:
        """An operand of a matrix product, indices that only it has summed, axes ordered and merged."""
        f = self.s.factors[at]
        alone = tuple(n for n in self.extents if n in f.names and n not in order)
        full = order + alone if moves else natural
        text, _ = self._view(at, full)
        if alone:
            text += f".sum({_axes(full, order)}, {self.w.type})"
            natural = tuple(n for n in full if n in order)
        if not moves and natural != order:
            axes = tuple(natural.index(n) for n in order)
            text += ".T" if axes == (1, 0) else f".transpose{axes}"
        if shape != [self.extents[n] for n in order]:
            return f"{text}.reshape({tuple(shape)})"
        rough = self._rough(at, order) and _size(order, self.extents) > SMALL
        return f"np.ascontiguousarray({text})" if rough else text

    def _stack_shape(self, order: tuple[str, ...]) -> list[int]:
        """Extents of the stack axes, 1 where this operand lacks one that another precedes."""
        stack = self.s.contraction.stack
        own = [n for n in stack if n in order]
        return [self.extents[n] if n in own else 1 for n in stack[stack.index(own[0]):]] if own else []

    def _rough(self, at: int, order: tuple[str, ...]) -> bool:
        """Neither of the last two axes runs through memory one by one, or they overlap."""
        f, place, stride = self.s.factors[at], Affine.of(0), 1
        for e, n in zip(reversed(f.indices), reversed(self.reads[at][1]), strict=True):
            place, stride = place + stride * e, stride * n
        return slides(f, frozenset(self.extents)) or not any(place.coefficient(n) == 1 for n in order[-2:])


def _size(names: Sequence[str], extents: Mapping[str, int]) -> int:
    size = 1
    for n in names:
        size *= extents[n]
    return size


def _axes(dims: Sequence[str], kept: Sequence[str]) -> str:
    axes = tuple(at for at, n in enumerate(dims) if n not in kept)
    return str(axes[0]) if len(axes) == 1 else str(axes)
