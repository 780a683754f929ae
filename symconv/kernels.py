"""build: emit, compile and validate a layer, and call its kernels with checked arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.derivation import Function
from symconv.emit import Package, emit
from symconv.equation import Tensor
from symconv.errors import NotSupported, ToolchainError
from symconv.native import BuildFolder, compile_library, find_compiler, load
from symconv.system import LayerLike
from symconv.validate import Evidence, load_numpy, validate

Array = NDArray[Any]


def build(layer: LayerLike, target: str = "c", dtype: str = "float32", accumulate: bool = False,
          isa: str = "native", exact: bool = False) -> Kernels:
    """Derive, emit, compile and validate; return the kernels ready to call.

    Args:
        target: "c" or "numpy".
        dtype: "float32", "float64" or "int8" (int32 results).
        accumulate: gradients take an array as their last argument, `out`, and add to it.
        isa: whose vectors the C uses: native, generic (plain loops), neon, avx2 or avx512.
        exact: the same bits on every machine.

    Raises:
        ValidationError: a kernel did not compute what the derivation says.
        ToolchainError: target "c" without a working compiler.
        ShapeError, NotSupported, LimitExceeded: the request makes no kernel.
    """
    if target == "c" and find_compiler() is None:
        raise ToolchainError("no C compiler found; use target=\"numpy\", or: pip install 'symconv[zig]'")
    package = emit(layer, (target,), dtype, accumulate, isa if target == "c" else "generic", exact)
    if target == "numpy":
        evidence, runners = validate(package), _numpy_runners(package)
    else:
        folder = BuildFolder()
        library = compile_library(package.files, folder, exact=exact)
        evidence, runners = validate(package, library=library), _c_runners(package, library, folder)
    evidence.require()
    return Kernels(package, evidence, runners)


Runner = Callable[[list[Array], Array], Array]


def _numpy_runners(package: Package) -> dict[str, Runner]:
    module = load_numpy(package)

    def run(name: str, adds: bool, arrays: list[Array], out: Array) -> Array:
        function = getattr(module, name)
        if adds:
            function(*arrays, out)
        return out if adds else np.asarray(function(*arrays), order="C")

    return {f.name: partial(run, f.name, package.adds(f)) for f in package.functions}


def _c_runners(package: Package, library: Path, folder: BuildFolder) -> dict[str, Runner]:
    def run(call: Callable[..., None], lent: int, _keep: BuildFolder, arrays: list[Array], out: Array) -> Array:
        call(*arrays, out, *([np.empty(lent, np.uint8)] if lent else []))
        return out

    return {f.name: partial(run, load(library, f"{package.stem}_{f.name}"), package.workspace[f.name], folder)
            for f in package.functions}


@dataclass(frozen=True, repr=False)
class Kernels:
    """Validated kernels of one layer.

    `forward(*inputs)` and `grad[name](...)`, alias `grad_name(...)`, take the tensors their equation
    reads, declared inputs first, then the upstream gradient (`dy`), then z when there is an
    activation. Arrays have the caller's shapes: x (N, C, *in), w (F, C/groups, *k), transposed
    w (C, F/groups, *k), dy (N, F, *out).

    Raises, on a call:
        ValueError: an array has another shape, dtype or memory order than the kernel was made for.
    """

    package: Package
    evidence: Evidence
    runners: Mapping[str, Runner] = field(repr=False)

    @property
    def files(self) -> Mapping[str, str]:
        return self.package.files

    @property
    def grad(self) -> dict[str, Callable[..., Array]]:
        return {f.name.removeprefix("grad_"): partial(self._gradient, f) for f in self.package.functions
                if f.proof is not None}

    def forward(self, *arrays: Array, return_z: bool = False) -> Any:
        """The result; with return_z=True, (result, z, ...) with everything computed on the way to it, which
        gradients take."""
        made = [f for f in self.package.functions if f.proof is None]
        values = self._named("forward", self.package.system.inputs, arrays)
        for f in made:
            values[f.equation.output.name] = self._run(f, tuple(values[t.name] for t in f.arguments))
        *between, result = (values[f.equation.output.name] for f in made)
        if return_z and not between:
            raise NotSupported("there is no activation, so there is no z to return")
        return (result, *between) if return_z else result

    def __getattr__(self, name: str) -> Callable[..., Array]:
        if name.startswith("grad_") and name.removeprefix("grad_") in self.grad:
            return self.grad[name.removeprefix("grad_")]
        raise AttributeError(f"no kernel {name!r}; there are: {', '.join(vars(self).get('runners', ()))}")

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

    def _named(self, name: str, tensors: tuple[Tensor, ...], arrays: tuple[Array, ...]) -> dict[str, Array]:
        if len(arrays) != len(tensors):
            raise ValueError(f"{name} takes {', '.join(t.name for t in tensors)}; {len(arrays)} arrays were given")
        return {t.name: a for t, a in zip(tensors, arrays, strict=True)}

    def _gradient(self, f: Function, *arrays: Array, out: Array | None = None) -> Array:
        """Compose with the gradients of the equations after this one."""
        return self._composed(f, self._named(f.name, self.takes(f), arrays), out)

    def _composed(self, f: Function, values: dict[str, Array], out: Array | None = None) -> Array:
        made_by = self._made_by(f)
        for t in f.arguments:
            if t.name not in values:
                values[t.name] = self._composed(made_by[t], values)
        return self._run(f, tuple(values[t.name] for t in f.arguments), out)

    def _run(self, f: Function, arrays: tuple[Array, ...], out: Array | None = None) -> Array:
        if len(arrays) != len(f.arguments):
            names = ", ".join(t.name for t in f.arguments)
            raise ValueError(f"{f.name} takes {names}; {len(arrays)} arrays were given")
        checked = [self._checked(f, t, a) for t, a in zip(f.arguments, arrays, strict=True)]
        target = f.equation.output
        if out is None:
            make = np.zeros if self.package.adds(f) else np.empty
            out = make(target.array_shape, self.package.types[target.name])
        elif not self.package.adds(f):
            raise ValueError(f"{f.name} returns a new array; build with accumulate=True to add to out")
        elif isinstance(out, np.ndarray) and any(np.may_share_memory(out, a) for a in checked):
            raise ValueError(f"{f.name}: out shares memory with an input")
        return self.runners[f.name](checked, self._checked(f, target, out, "out"))

    def _checked(self, f: Function, t: Tensor, a: Array, name: str = "") -> Array:
        dtype, name = self.package.types[t.name], name or t.name
        if not isinstance(a, np.ndarray):
            raise ValueError(f"{f.name}: {name} must be a NumPy array, not {type(a).__name__}")
        if a.shape != t.array_shape:
            raise ValueError(f"{f.name}: {name} must have the shape {t.array_shape}, not {a.shape}")
        if a.dtype != dtype:
            raise ValueError(f"{f.name}: {name} must hold {dtype}, not {a.dtype}")
        if not a.flags.c_contiguous or not a.flags.aligned:
            raise ValueError(f"{f.name}: {name} must be C-contiguous and aligned, not a view with the strides "
                             f"{a.strides}; pass numpy.array({name}, order=\"C\")")
        if name == "out" and not a.flags.writeable:
            raise ValueError(f"{f.name}: out must be writeable, not read-only")
        return a

    def __repr__(self) -> str:
        calls = "\n".join(f"  {f.name}({', '.join(t.name for t in f.arguments)}) -> "
                          f"{f.equation.output.name} {f.equation.output.array_shape}" for f in self.package.functions)
        return f"Kernels {self.package.stem} [{self.package.dtype}]\n{calls}\n  {self.evidence}"
