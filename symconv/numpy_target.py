"""Render plans of array operations as a Python module that needs nothing but NumPy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from symconv.derivation import Function
from symconv.equation import Access, Tensor
from symconv.errors import NotSupported
from symconv.numpy_expression import Expression, Names, Read, Scope, axes_free, subscript, trimmed
from symconv.readback.arrays import read_back_arrays
from symconv.schedule.arrays import Plan, Step, margins, plan
from symconv.templating import environment

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
        accumulate: gradients (the functions with a proof) add to the array given as last argument and
            return it; every other function returns a new array.

    Raises:
        ShapeError: a size is symbolic.
        NotSupported: a function or coefficient has no meaning in the output's type.
        Misread: the plan does not compute the equation, a defect of symconv.
    """
    made = [_function(f, types, accumulate and f.proof is not None) for f in functions]
    env = environment()
    text = "\n".join(line for f in made for line in f.body)
    helpers = [env.get_template(f"numpy/{h}.py.j2").render() for h in ("window", "sigmoid") if f"_{h}(" in text]
    quoted = header.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if quoted.endswith('"'):
        quoted = quoted[:-1] + '\\"'
    return env.get_template("numpy/module.py.j2").render(header=quoted, helpers=helpers, functions=made)


def _function(f: Function, types: Mapping[str, str], accumulate: bool) -> Rendered:
    out = f.equation.output
    dtype = np.dtype(types[out.name])
    chosen = plan(f.equation, blas=dtype.kind == "f")
    proof = read_back_arrays(f.equation, chosen.steps, chosen.zeroed)
    writer = _Writer(types, dtype, chosen)
    parameters = [writer.scope.names.reserve(t.name) for t in f.arguments]
    target = writer.scope.names.reserve(out.name if not accumulate else f"{out.name}_new")
    if accumulate:
        parameters.append(writer.scope.names.reserve(out.name))
    body = writer.body(list(zip(f.arguments, parameters, strict=False)), target)
    shaped = writer.scope.shaped or (out.array_shape == out.extents and out.extents)
    result = target if shaped else f"{target}.reshape({out.array_shape})"
    body += [f"{parameters[-1]} += {result}", f"return {parameters[-1]}"] if accumulate else [f"return {result}"]
    shapes = ", ".join(f"{t.name} {_shape(t.array_shape)}" for t in f.arguments)
    doc = f"{shapes} -> {out.name} {_shape(out.array_shape)}"
    comments = (_wide(f.equation), *map(repr, chosen.choices), str(proof))
    return Rendered(f.name, tuple(parameters), comments, doc, tuple(body))


def _wide(value: object) -> str:
    return " ".join(str(value).split())


def _shape(extents: Sequence[int]) -> str:
    return f"({', '.join(map(str, extents))})"


class _Writer:
    """The statements of one function."""

    def __init__(self, types: Mapping[str, str], dtype: np.dtype[np.generic], plan_: Plan) -> None:
        self.types, self.dtype, self.plan = types, dtype, plan_
        self.scope = Scope(f"np.{dtype.name}", Names())
        self.lines: list[str] = []
        self.margins = margins(plan_.steps)
        self.arrays: dict[tuple[Tensor, str, bool], str] = {}

    def body(self, arguments: Sequence[tuple[Tensor, str]], target: str) -> list[str]:
        out = self.plan.output
        for t, name in arguments:
            self._argument(t, name)
        self.arrays[out, "", False] = target
        steps = self.plan.steps
        own = [s for s in steps if s.place.tensor == out]
        direct = own[0] if own and self._is_direct(own[0]) else None
        self.scope.whole = (direct, out.array_shape) if direct and len(own) == 1 else None
        if direct is None or len(own) == 0:
            make = "zeros" if self.plan.zeroed else "empty"
            self.lines.append(f"{target} = np.{make}({out.extents}, {self.scope.type})")
        for s in steps:
            if s.place.tensor != out:
                self.arrays[s.place.tensor, "", False] = self.scope.names.reserve(s.place.tensor.name.rstrip("'"))
            self._step(s, s is direct or s.place.tensor != out)
        return self.lines

    def _is_direct(self, s: Step) -> bool:
        dims = {n for d in s.contraction.dims for n in d}
        return bool(s.loops) and s.assign and s.covers_output and dims >= {r.name for r in s.loops}

    def _argument(self, t: Tensor, name: str) -> None:
        if np.dtype(self.types[t.name]) != self.dtype:
            self.lines.append(f"{name} = {name}.astype({self.scope.type})")
        self.arrays[t, "", False] = name
        if t.array_shape != t.extents:
            self.scope.unshaped[name] = t.extents

    def _array(self, f: Access, padded: bool, shaped: bool) -> Read:
        """Name, extents and low margins of the array this factor is read from, made at first use.

        `shaped`: with the tensor's own axes, else the order of its elements is enough."""
        none = ((0, 0),) * len(f.tensor.extents)
        sides = self.margins.get((f.tensor, f.function), none) if padded else none
        source = self._applied(f)
        if sides == none:
            if shaped and source in self.scope.unshaped:
                self.lines.append(f"{source} = {source}.reshape({self.scope.unshaped.pop(source)})")
            return Read(source, f.tensor.extents, (0,) * len(none))
        extents = tuple(lo + n + hi for n, (lo, hi) in zip(f.tensor.extents, sides, strict=True))
        key = (f.tensor, f.function, True)
        if key not in self.arrays:
            name = self.arrays[key] = self.scope.names.reserve(f"{source}_pad")
            inside = [f"{lo or ''}:{lo + n if hi else ''}"
                      for n, (lo, hi) in zip(f.tensor.extents, sides, strict=True)]
            text = f"{source}.reshape({self.scope.unshaped[source]})" if source in self.scope.unshaped else source
            self.lines.append(f"{name} = np.zeros({extents}, {self.scope.type})")
            self.lines.append(f"{name}[{', '.join(trimmed(inside))}] = {text}")
        return Read(self.arrays[key], extents, tuple(lo for lo, _ in sides))

    def _applied(self, f: Access) -> str:
        """The array this factor's pointwise function has been applied to."""
        key = (f.tensor, f.function, False)
        if key not in self.arrays:
            if f.function not in POINTWISE or (self.dtype.kind != "f" and f.function not in WHOLE_NUMBER_FUNCTIONS):
                raise NotSupported(f"the function {f.function!r} has no NumPy form for {self.dtype.name}")
            plain = self.arrays[f.tensor, "", False]
            name = self.scope.names.reserve(f"{plain}_{f.function.replace(chr(39), '_slope')}")
            self.lines.append(f"{name} = {POINTWISE[f.function].format(x=plain, t=self.scope.type)}")
            self.arrays[key] = name
            if plain in self.scope.unshaped:
                self.scope.unshaped[name] = self.scope.unshaped[plain]
        return self.arrays[key]

    def _step(self, s: Step, fresh: bool) -> None:
        reads = [self._array(f, s.padded, not axes_free(s, at)) for at, f in enumerate(s.factors)]
        indent = ""
        body: list[str] = []
        text = Expression(self.scope, s, reads, body).text()
        text, sign = self._scaled(text, s)
        name = self.arrays[s.place.tensor, "", False]
        if fresh:
            body.append(f"{name} = {'-' * (sign < 0)}{text}" if not self._is_view(s) else f"{name} = np.array({text})")
        else:
            place = self._place(s, name)
            verb = "= " + "-" * (sign < 0) if s.assign else "+= " if sign > 0 else "-= "
            place = place if "[" in place or not s.assign else f"{place}[...]"
            body.append(f"{place} {verb}{text}")
        for r in s.taps:
            self.lines.append(f"{indent}for {self.scope.names.of(r.name)} in range({r.extent}):")
            indent += "    "
        self.lines += [indent + line for line in body]

    def _is_view(self, s: Step) -> bool:
        """The expression would share memory with an array that others see."""
        mine = self.scope.whole and s.factors and s.factors[0].function
        return (s.contraction.kind == "product" and len(s.factors) + len(s.masks) == 1
                and s.coefficient == 1 and not mine)

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
        axes = zip(s.place.indices, s.place.tensor.extents, strict=True)
        return subscript(name, [self.scope.entry(e, n, extents)[0] for e, n in axes])


def _number(value: Fraction) -> str:
    return str(value) if value.denominator == 1 else f"({value})"
