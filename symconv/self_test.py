"""A C file that travels with the kernels and tests them where they run: whole numbers, no library, a return code.

Each kernel's output on drawn integers must have the digest that the oracle's has; beside that, properties hold that
need no table: linearity, the adjoint identity, unit impulses, shifts. A property is tested where the equation has it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

import numpy as np

from symconv.c_routine import CTYPES
from symconv.c_target import CFunction, safe
from symconv.c_vector import BYTES
from symconv.derivation import Function
from symconv.drawn import digest, drawn
from symconv.equation import Tensor
from symconv.errors import LimitExceeded, NotSupported
from symconv.expected import expected, is_fractional, is_opaque, linear_groups
from symconv.reference import terms
from symconv.summands import sources
from symconv.system import System
from symconv.templating import environment
from symconv.translations import Translation, translations

EXACT = {"float32": 2**23, "float64": 2**30, "int8": 2**30}
MOST = 9
MAX_ELEMENTS = 10**7
POINTS = 8  # places of a unit impulse
POISON = {"float": "3.0e37", "double": "3.0e37", "int8_t": "-43", "int32_t": "-1431655766"}
HELPERS = ("fill", "set", "shift", "poison", "clean", "keep", "dot", "same", "moved", "digest", "whole")
WHOLE = {"keep", "dot", "same", "moved", "digest"}


@dataclass(frozen=True)
class Layer:
    """What the test is made of: the concrete equations, the C functions, and the dtype of each array."""

    stem: str
    system: System
    printed: Sequence[CFunction]
    types: Mapping[str, str]
    accumulate: bool

    @property
    def tested(self) -> tuple[CFunction, ...]:
        """Functions with exact values."""
        return tuple(c for c in self.printed if not is_opaque(c.function) and not is_fractional(c.function))

    @property
    def tensors(self) -> dict[str, Tensor]:
        return {t.name: t for c in self.tested for t in c.function.arguments}

    def ctype(self, t: Tensor) -> str:
        return CTYPES[self.types[t.name]]

    def adds(self, f: Function) -> bool:
        return self.accumulate and f.proof is not None


@dataclass(frozen=True)
class Check:
    """One thing that is tested: what, and its C."""

    what: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class SelfTest:
    """The C file, and the digest of each function's output."""

    text: str
    digests: Mapping[str, int]
    checks: tuple[Check, ...]


def self_test(stem: str, system: System, printed: Sequence[CFunction], types: Mapping[str, str], accumulate: bool,
              stamp: Sequence[str]) -> SelfTest:
    """The test of a layer's C functions.

    Raises:
        NotSupported: no function of the layer has exact values, or a sum is too long for them.
        LimitExceeded: the arrays are too large for a target.
    """
    layer = Layer(stem, system, printed, types, accumulate)
    count = sum(prod(t.extents) for c in printed for t in (*c.function.arguments, c.function.equation.output))
    if count > MAX_ELEMENTS:
        raise LimitExceeded(f"a self-test of {system.name} would hold {count} elements; the limit is {MAX_ELEMENTS}")
    if not layer.tested:
        raise NotSupported(f"{system.name} has no function with exact values to test on a target")
    most = _most(layer)
    seeds = {n: at for at, n in enumerate(layer.tensors, 1)}
    digests = {c.function.name: digest(_right(layer, c.function, seeds, most)) for c in layer.tested}
    checks = tuple({c.what: c for c in Writer(layer, seeds).checks()}.values())
    text = environment().get_template("c/self_test.c.j2").render(
        stem=stem, stamp=list(map(safe, stamp)), most=most, kinds=list(_kinds(layer, checks)), checks=checks,
        arrays=[(layer.ctype(t), n, prod(t.extents)) for n, t in layer.tensors.items()],
        points=POINTS if _uses(checks, "points") else 0,
        keeps=max(prod(c.function.equation.output.extents) for c in layer.tested) if _uses(checks, "keep_") else 0,
        left=[c.function.name for c in printed if c not in layer.tested])
    return SelfTest(text, digests, checks)


def _uses(checks: Sequence[Check], word: str) -> bool:
    return any(word in line for c in checks for line in c.lines)


def _kinds(layer: Layer, checks: Sequence[Check]) -> Iterator[dict[str, object]]:
    """The C types as the template sees them, each with the helpers that are used with it."""
    outputs = [(layer.ctype(c.function.equation.output), c) for c in layer.tested]
    for k in sorted({*(layer.ctype(t) for t in layer.tensors.values()), *(kind for kind, _ in outputs)}):
        helpers = {h for h in HELPERS if _uses(checks, f"{h}_{k}(")}
        if helpers & WHOLE:
            helpers.add("whole")
        own = [c for kind, c in outputs if kind == k]
        yield {"type": k, "poison": POISON[k], "floating": k in ("float", "double"), "helpers": helpers,
               "size": max((prod(c.function.equation.output.extents) for c in own), default=0),
               "workspace": max((c.routine.workspace for c in own), default=0) // BYTES.get(k, 1)}


def _most(layer: Layer) -> int:
    """The largest integers for which every sum, also of three such arrays, is exact in the types of the layer.

    Raises:
        NotSupported: there are none.
    """
    most = MOST
    for c in layer.tested:
        f = c.function
        weight = max([Fraction(1), *(abs(t.coefficient) for t in f.equation.terms)])
        degree = max((len(t.factors) for t in f.equation.terms), default=1)
        dtype = layer.types[f.equation.output.name]
        room = EXACT["int8" if dtype.startswith("int") else dtype]
        count = (sum(terms(s)[k] for s, k in sources(layer.system, f)) + 1) * weight
        while most and count * 3 * most**degree >= room:
            most -= 1
        while most and c.rounded and 3 * _error(layer, c, most) >= 0.5:
            most -= 1
    if not most:
        raise NotSupported(f"{layer.system.name} sums too many terms for exact integers on a target")
    return most


def _error(layer: Layer, c: CFunction, most: int) -> float:
    """The bound of what a function that rounds in a way of its own is off by on such integers."""
    assert c.rounded
    arrays = {t.name: np.full(t.array_shape, most, np.float64) for t in c.function.arguments}
    return float(np.max(c.rounded.bound(arrays)))


def _right(layer: Layer, f: Function, seeds: Mapping[str, int], most: int) -> np.ndarray:
    """What the oracle gives, added to what the array holds where the function adds."""
    def one(t: Tensor, seed: int) -> np.ndarray:
        return drawn(seed, {t.name: t.array_shape}, most)[t.name]

    output = f.equation.output
    right = expected(layer.system, f, {t.name: one(t, seeds[t.name]) for t in f.arguments})
    return right + one(output, 0) if layer.adds(f) else right


@dataclass(frozen=True)
class Writer:
    """Checks as C statements. Arrays are called `in_x`; outputs share one array for each type."""

    layer: Layer
    seeds: Mapping[str, int]

    def checks(self) -> Iterator[Check]:
        by_name = {c.function.name: c for c in self.layer.tested}
        for c in self.layer.tested:
            yield self._digest(c)
        for c in self.layer.tested:
            yield from self._linear(c)
        for c in self.layer.tested:
            yield from (self._shift(c, t) for t in translations(c.function.equation)
                        if t.tensor.name in self.seeds)
        for c in self.layer.tested:
            if c.function.proof is None:
                yield from self._adjoint(c, by_name)

    def _out(self, c: CFunction) -> tuple[str, int]:
        output = c.function.equation.output
        return self.layer.ctype(output), prod(output.extents)

    def fill(self, t: Tensor, second: bool = False, factor: int = 1, add: bool = False) -> str:
        seed = self.seeds[t.name] + (len(self.seeds) if second else 0)
        return f"fill_{self.layer.ctype(t)}(in_{t.name}, {prod(t.extents)}, {seed}u, {factor}, {int(add)});"

    def set(self, t: Tensor) -> str:
        return f"set_{self.layer.ctype(t)}(in_{t.name}, {prod(t.extents)}, 0);"

    def run(self, c: CFunction, start: str = "") -> list[str]:
        """Spoil the output, call the kernel, look beside the output."""
        kind, size = self._out(c)
        lines = [f"poison_{kind}(out_{kind}, {size});"]
        if self.layer.adds(c.function):
            lines.append(start or f"set_{kind}(out_{kind} + MARGIN, {size}, 0);")
        arguments = [f"in_{t.name}" for t in c.function.arguments] + [f"out_{kind} + MARGIN"]
        if c.routine.workspace:
            arguments.append(f"workspace_{kind}")
        call = f"{self.layer.stem}_{c.function.name}({', '.join(arguments)});"
        return [*lines, call, f"if (!clean_{kind}(out_{kind}, {size})) return 0;"]

    def _digest(self, c: CFunction) -> Check:
        kind, size = self._out(c)
        start = f"fill_{kind}(out_{kind} + MARGIN, {size}, 0u, 1, 0);"
        macro = f"{self.layer.stem}_{c.function.name}".upper() + "_DIGEST"
        return Check(f"{c.function.name}: the digest of its output on drawn integers", (
            *(self.fill(t) for t in c.function.arguments), *self.run(c, start),
            f"if (digest_{kind}(out_{kind} + MARGIN, {size}, {int(not c.rounded)}) != {macro}) return 0;"))

    def _linear(self, c: CFunction) -> Iterator[Check]:
        """f(a + 2b) = f(a) + 2 f(b)."""
        kind, size = self._out(c)
        for group in linear_groups(c.function.equation):
            lines = [self.fill(t) for t in c.function.arguments]
            lines += [*self.run(c), f"keep_{kind}(out_{kind} + MARGIN, {size}, 1, 0);"]
            lines += [self.fill(t, second=True) for t in group]
            lines += [*self.run(c), f"keep_{kind}(out_{kind} + MARGIN, {size}, 2, 1);"]
            lines += [line for t in group for line in (self.fill(t), self.fill(t, True, 2, True))]
            lines += [*self.run(c), f"if (!same_{kind}(out_{kind} + MARGIN, {size})) return 0;"]
            yield Check(f"{c.function.name}: linear in {' and '.join(t.name for t in group)}", tuple(lines))

    def _shift(self, c: CFunction, t: Translation) -> Check:
        kind, size = self._out(c)
        own = self.layer.ctype(t.tensor)
        at, to = (f"{prod(e[:k])}, {e[k]}, {prod(e[k + 1:])}" for e, k in
                  ((t.tensor.extents, t.axis), (c.function.equation.output.extents, t.output_axis)))
        name = f"in_{t.tensor.name}"
        return Check(f"{c.function.name}: {t.tensor.name} moved by {t.places} along axis {t.axis} moves the result by "
                     f"{t.moves} along axis {t.output_axis}", (
            *(self.fill(a) for a in c.function.arguments),
            f"shift_{own}({name}, {at}, {t.places}, 0);", *self.run(c),
            f"keep_{kind}(out_{kind} + MARGIN, {size}, 1, 0);",
            f"shift_{own}({name}, {at}, {t.places}, 1);", *self.run(c),
            f"if (!moved_{kind}(out_{kind} + MARGIN, {to}, {t.moves})) return 0;"))

    def _adjoint(self, c: CFunction, by_name: Mapping[str, CFunction]) -> Iterator[Check]:
        """<dy, y> = the sum of <dt, t>, and for a unit impulse in t: <dy, y> = one element of dt."""
        f = c.function
        above = f.equation.output.gradient()
        equations = self.layer.system.equations
        for group in linear_groups(f.equation):
            slopes = [by_name.get(f"grad_{t.name}") for t in group]
            once = all(sum(t in e.reads for e in equations) == 1 for t in group)
            if above.name not in self.seeds or not once or not all(slopes):
                continue
            pairs = [(t, g) for t, g in zip(group, slopes, strict=True) if g]
            fill = [self.fill(self.layer.tensors[n]) for n in self.seeds]
            lines = [*fill, *self.run(c), *self._keep(c), f"int64_t left = {self._dot(above)};", "int64_t right = 0;"]
            for t, g in pairs:
                lines += [*self.run(g), *self._keep(g), f"right += {self._dot(t)};"]
            names = " + ".join(f"<d{t.name}, {t.name}>" for t in group)
            yield Check(f"adjoint: <{above.name}, {f.equation.output.name}> = {names}",
                        (*lines, "if (left != right) return 0;"))
            for t, g in pairs:
                yield Check(f"impulse: <{above.name}, {f.equation.output.name}> for one 1 in {t.name} is that element "
                            f"of d{t.name}", tuple(self._impulse(c, g, t, above, group)))

    def _impulse(self, c: CFunction, g: CFunction, t: Tensor, above: Tensor, group: Sequence[Tensor]) -> Iterator[str]:
        kind, own, size = self._out(g)[0], self.layer.ctype(t), prod(t.extents)
        yield from (self.fill(self.layer.tensors[n]) for n in self.seeds)
        yield from self.run(g)
        yield f"for (int k = 0; k < POINTS; ++k) points[k] = whole_{kind}(out_{kind}[MARGIN + place(k, {size})]);"
        yield from (self.set(o) for o in group if o != t)
        yield "for (int k = 0; k < POINTS; ++k) {"
        inner = [f"set_{own}(in_{t.name}, {size}, 0);", f"in_{t.name}[place(k, {size})] = 1;", *self.run(c),
                 *self._keep(c), f"if ({self._dot(above)} != points[k]) return 0;"]
        yield from (f"    {line}" for line in inner)
        yield "}"

    def _keep(self, c: CFunction) -> list[str]:
        kind, size = self._out(c)
        return [f"keep_{kind}(out_{kind} + MARGIN, {size}, 1, 0);"]

    def _dot(self, t: Tensor) -> str:
        return f"dot_{self.layer.ctype(t)}(in_{t.name}, {prod(t.extents)})"
