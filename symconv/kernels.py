"""build: emit, compile and validate a layer, and call its kernels with checked arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.c_routine import PREPARED, Routine, preparing
from symconv.calls import WRITE, Bound, Call, CCall, Chain, NumpyCall, Slot, Workspace
from symconv.derivation import Function
from symconv.emit import Package, emit
from symconv.equation import Tensor
from symconv.errors import NotSupported, ToolchainError
from symconv.layouts import LAYOUTS
from symconv.native import BuildFolder, compile_library, entry, find_compiler, place_of
from symconv.system import LayerLike
from symconv.validate import Evidence, load_numpy, validate

Array = NDArray[Any]


def build(layer: LayerLike, target: str = "c", dtype: str = "float32", accumulate: bool = False,
          isa: str = "native", exact: bool = False, layout: str = LAYOUTS[0]) -> Kernels:
    """Derive, emit, compile and validate; return the kernels ready to call.

    Args:
        target: "c" or "numpy".
        dtype: "float32", "float64" or "int8" (int32 results).
        accumulate: gradients take an array as their last argument, `out`, and add to it.
        isa: whose vectors the C uses: native, generic (plain loops), neon, avx2 or avx512.
        exact: the same bits on every machine.
        layout: of arrays: channels_first, or channels_last: x (N, *in, C), w (F, *k, C/groups), y (N, *out, F).

    Raises:
        ValidationError: a kernel did not compute what the derivation says.
        ToolchainError: target "c" without a working compiler.
        ShapeError, NotSupported, LimitExceeded: the request makes no kernel.
    """
    if target == "c" and find_compiler() is None:
        raise ToolchainError("no C compiler found; use target=\"numpy\", or: pip install 'symconv[zig]'")
    package = emit(layer, (target,), dtype, accumulate, isa if target == "c" else "generic", exact,
                   layout=layout)
    if target == "numpy":
        evidence, make = validate(package), _numpy_call(package)
    else:
        folder = BuildFolder()
        library = compile_library({**package.files, **package.whole}, folder, exact=exact)
        evidence, make = validate(package, library=library), _c_call(package, library, folder)
    evidence.require()
    calls = {f.name: make(f) for f in package.functions}
    if target == "c":
        calls |= dict(_prepared_calls(package, library, folder))
    return Kernels(package, evidence, calls)


def _slots(package: Package, f: Function) -> dict[str, Any]:
    output, types = f.equation.output, package.types
    return {"name": f.name, "takes": tuple(Slot.of(f.name, t, types[t.name]) for t in f.arguments),
            "gives": Slot.of(f.name, output, types[output.name], out=True), "result": output.name,
            "adds": package.adds(f)}


def _numpy_call(package: Package) -> Callable[[Function], Call]:
    module = load_numpy(package)
    return lambda f: NumpyCall(**_slots(package, f), function=getattr(module, f.name))


def _c_call(package: Package, library: Path, folder: BuildFolder) -> Callable[[Function], Call]:
    def make(f: Function) -> Call:
        size = package.workspace[f.name]
        return CCall(**_slots(package, f), **_entry(library, f"{package.stem}_{f.name}", len(f.arguments) + 1, size),
                     keep=folder)

    return make


def _entry(library: Path, symbol: str, count: int, workspace: int) -> dict[str, Any]:
    """A compiled function of so many arrays, and bytes of workspace where it takes some."""
    return {"function": entry(library, symbol, count + bool(workspace)), "workspace": workspace,
            "at": place_of(library, symbol)}


def _prepared_calls(package: Package, library: Path, folder: BuildFolder) -> Iterator[tuple[str, Call]]:
    """`prepare` and `forward_prepared`, and the like of gradients, where there are any."""
    for f in package.functions:
        for routine in package.routines(f):
            *takes, gives = (_slot(package, f, routine, n) for n in routine.arguments)
            place = _entry(library, f"{package.stem}_{routine.name}", len(routine.arguments), routine.workspace)
            adds = package.adds(f) and gives.name != PREPARED
            gives = replace(gives, name="out", flags=WRITE)
            yield routine.name, CCall(routine.name, tuple(takes), gives, routine.arguments[-1], adds, **place,
                                      keep=folder)


def _slot(package: Package, f: Function, routine: Routine, name: str) -> Slot:
    """One of the function's arrays, or what is prepared for it."""
    for t in (*f.arguments, f.equation.output):
        if t.name == name:
            return Slot.of(routine.name, t, package.types[name])
    dtype, size = np.dtype(package.types[f.equation.output.name]), package.prepared[f.name].size
    return Slot(routine.name, name, (size,), dtype, size * dtype.itemsize, lined=True)


@dataclass(frozen=True, repr=False)
class Kernels:
    """Validated kernels of one layer.

    `forward(*inputs)` and `grad[name](...)`, alias `grad_name(...)`, take the tensors their equation
    reads, declared inputs first, then the upstream gradient (`dy`), then z when there is an
    activation. Arrays have the caller's shapes: x (N, C, *in), w (F, C/groups, *k), transposed
    w (C, F/groups, *k), dy (N, F, *out).

    `forward(..., return_z=True)` gives (result, z, ...), with everything computed on the way to it.
    `out=` is an array to write the result into (to add to, after `build(..., accumulate=True)`),
    `workspace=` one that `workspace()` returned, for kernels that need some; without them each call
    makes its own. `bind` fixes all of them.

    For inference `prepared = prepare(w)` does once what depends on the weights alone, and
    `forward_prepared(x, prepared)` takes the result in their place; the same for a gradient that reads
    weights: `prepare_grad_x(w)` and `grad_x_prepared(prepared, dy)`.

    Raises, on a call:
        ValueError: an array has another shape, dtype or memory order than the kernel was made for,
            or `out` shares memory with an input.
    """

    package: Package
    evidence: Evidence
    calls: Mapping[str, Call] = field(repr=False)
    forward: Callable[..., Any] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Put the calls among the attributes, where Python finds them soonest."""
        vars(self).update({name: way.checked for name, way in self._ways.items()})

    @property
    def files(self) -> Mapping[str, str]:
        return self.package.files

    @property
    def grad(self) -> dict[str, Callable[..., Array]]:
        return {n: self._ways[f"grad_{n}"].checked for n in self.package.derivation.grad}

    @cached_property
    def _ways(self) -> dict[str, Call | Chain]:
        """What each name calls: one kernel, or several where results in between are computed on the way."""
        made = tuple(f.name for f in self.package.functions if f.proof is None)
        given = {"forward": self.package.system.inputs}
        orders = {"forward": made}
        for f in (f for f in self.package.functions if f.proof is not None):
            given[f.name], orders[f.name] = self.takes(f), self._order(f)
        found: dict[str, Call | Chain] = {}
        for f in (f for f in self.package.functions if f.name in given):
            found[f.name] = self._way(f.name, tuple(t.name for t in given[f.name]), orders[f.name])
            found |= self._prepared_ways(f, tuple(t.name for t in given[f.name]), orders[f.name])
        return found

    def _way(self, name: str, names: tuple[str, ...], order: tuple[str, ...]) -> Call | Chain:
        calls = tuple(self.calls[n] for n in order)
        return calls[0] if len(calls) == 1 and calls[0].reads == names else Chain(name, names, calls)

    def _prepared_ways(self, f: Function, names: tuple[str, ...], order: tuple[str, ...]) -> dict[str, Call | Chain]:
        """`prepare` and what takes its result, for a kernel that reads weights. Where the compiled one has nothing to
        do beforehand, what is prepared is a copy of them."""
        first, last = preparing(f.name)
        own = next((n for n in self.package.system.parameters if n in self.calls[f.name].reads), None)
        if own is None:
            return {}
        if first in self.calls:
            prepare, rest = self.calls[first], self.calls[last]
        else:
            whole = self.calls[f.name]
            slot = next(s for s in whole.takes if s.name == own)
            prepare = NumpyCall(first, (replace(slot, function=first),),
                                replace(slot, function=first, name="out", flags=WRITE), PREPARED, False, np.copy)
            rest = replace(whole, name=last, takes=tuple(
                replace(s, function=last, name=PREPARED if s.name == own else s.name) for s in whole.takes))
        gone = set(prepare.reads) - set(rest.reads)
        at = min(names.index(n) for n in prepare.reads)
        reads = tuple(n for n in (*names[:at], PREPARED, *names[at:]) if n not in gone)
        calls = tuple(rest if n == f.name else self.calls[n] for n in order)
        way = calls[0] if len(calls) == 1 and calls[0].reads == reads else Chain(last, reads, calls)
        return {first: prepare, last: way}

    def bind(self, name: str, *arrays: Array, out: Array | None = None, workspace: Workspace | None = None) -> Bound:
        """A kernel on fixed arrays: `step = kernels.bind("grad_w", x, dy, out=dw)`, then `step()` as often as you like.

        The arrays are checked here and never again; `step()` reads what they hold by then, and returns `out`.
        Raises NotSupported for an unknown name, ValueError as a call does.
        """
        if name not in self._ways:
            raise NotSupported(f"no kernel {name!r}; there are: {', '.join(self._ways)}")
        return self._ways[name].bind(arrays, out, workspace)

    def workspace(self) -> Workspace:
        """Memory for any one of these kernels at a time; give it to calls to save them making their own."""
        return Workspace(max(c.workspace for c in self.calls.values()))

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"no kernel {name!r}; there are: {', '.join(vars(self).get('calls', ()))}")

    def takes(self, f: Function) -> tuple[Tensor, ...]:
        """What a gradient is called with: declared inputs, the gradient of the result, what forward computed on
        the way. Gradients in between (dz = dh * sigma'(z)) are composed from these."""
        made_by = self._made_by(f)
        found = dict.fromkeys(inner for t in f.arguments
                              for inner in (self.takes(made_by[t]) if t in made_by else (t,)))
        order = {t: at for at, t in enumerate(self.package.system.inputs)}
        return tuple(sorted(found, key=lambda t: (t not in order, not t.gradient_of, order.get(t, 0))))

    def _made_by(self, f: Function) -> dict[Tensor, Function]:
        return {g.equation.output: g for g in self.package.functions if g.proof and g.equation.output in f.arguments}

    def _order(self, f: Function) -> tuple[str, ...]:
        before = dict.fromkeys(n for g in self._made_by(f).values() for n in self._order(g))
        return (*before, f.name)

    def __repr__(self) -> str:
        calls = "\n".join(f"  {f.name}({', '.join(t.name for t in f.arguments)}) -> "
                          f"{f.equation.output.name} {f.equation.output.array_shape}" for f in self.package.functions)
        return f"Kernels {self.package.stem} [{self.package.dtype}]\n{calls}\n  {self.evidence}"
