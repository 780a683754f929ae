"""A layer as a short ordered list of equations, with its sizes and its declared inputs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from symconv.equation import Equation, Tensor
from symconv.errors import NotSupported, ShapeError

POINTWISE = ("relu", "sigmoid", "tanh", "sigma")


@runtime_checkable
class Layer(Protocol):
    """Anything that can say which equations it stands for."""

    def system(self) -> System: ...


LayerLike = Layer | Equation


@dataclass(frozen=True, slots=True)
class System:
    """Equations in the order they are computed, and the numbers for their sizes.

    Args:
        equations: each may read what an earlier one wrote; the last one is the result.
        inputs: the tensors the caller provides, in the order kernels take them.
        sizes: (name, number) for each size that has one.
        name: file stem for what is emitted.
        spec: canonical (key, value) pairs the layer can be rebuilt from.
        command: canonical command-line arguments, empty when the layer has none.
        notes: (statement, text) about derived sizes, for derivations.
        parameters: names of inputs that stay the same from call to call (weights), so that kernels may prepare them.
        channels: which axis of the callers' arrays holds channels, where they have that many; None for no such thing.
    """

    equations: tuple[Equation, ...]
    inputs: tuple[Tensor, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    name: str = "equation"
    spec: tuple[tuple[str, str], ...] = ()
    command: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    parameters: tuple[str, ...] = ()
    channels: int | None = None

    def __post_init__(self) -> None:
        made = {e.output for e in self.equations}
        if len(made) != len(self.equations):
            raise ShapeError("two equations of a system define the same tensor")
        if not self.inputs:
            read = dict.fromkeys(t for e in self.equations for t in e.reads)
            object.__setattr__(self, "inputs", tuple(t for t in read if t not in made))
        names = [t.name for t in (*self.inputs, *made)]
        if len(set(names)) != len(names):
            raise ShapeError(f"one name stands for two tensors: {', '.join(names)}")

    @property
    def output(self) -> Tensor:
        return self.equations[-1].output

    @property
    def functions(self) -> tuple[str, ...]:
        """The pointwise functions applied anywhere, without derivative marks."""
        return tuple(dict.fromkeys(f.function.rstrip("'") for e in self.equations
                                   for t in e.terms for f in t.factors if f.function))

    def concrete(self) -> System:
        """The same system with every size in numbers.

        Raises:
            ShapeError: a size has no number.
        """
        sizes = dict(self.sizes)
        free = sorted({s for e in self.equations for s in e.context.sizes} - set(sizes))
        if free:
            raise ShapeError(f"no number is given for the size{'s' * (len(free) > 1)} {', '.join(free)}")
        return replace(self, equations=tuple(e.at(sizes) for e in self.equations),
                       inputs=tuple(t.at(sizes) for t in self.inputs))


def as_system(layer: LayerLike | System) -> System:
    """The equations behind a Conv, a Dense, an Equation or a System.

    Raises:
        NotSupported: it is none of these, or uses a pointwise function without a kernel.
    """
    if isinstance(layer, System):
        system = layer
    elif isinstance(layer, Equation):
        spec = (("equation", str(layer)), *((repr(t), "") for t in (layer.output, *layer.reads)))
        digest = hashlib.sha256(repr(spec).encode()).hexdigest()[:8]
        system = System((layer,), name=f"equation_{digest}", spec=spec)
    elif isinstance(layer, Layer):
        system = layer.system()
    else:
        raise NotSupported(f"expected a Conv, a Dense or an Equation, got {type(layer).__name__}")
    unknown = [f for f in system.functions if f not in POINTWISE]
    if unknown:
        raise NotSupported(f"unknown pointwise function {unknown[0]!r}; known: {', '.join(POINTWISE)}")
    return system
