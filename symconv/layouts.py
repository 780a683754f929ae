"""The order in which arrays keep their axes: the same equations, every access permuted."""

from __future__ import annotations

from dataclasses import replace
from itertools import accumulate, pairwise

from symconv.equation import Access, Equation, Tensor
from symconv.errors import NotSupported
from symconv.system import System

LAYOUTS = ("channels_first", "channels_last")


def arranged(system: System, layout: str) -> System:
    """A layer whose arrays keep their channels first, as it is written: x (N, C, *in), w (F, C/groups, *k); or last:
    x (N, *in, C), w (F, *k, C/groups), as PyTorch's channels_last has them in memory.

    Raises:
        NotSupported: an unknown layout, or a system that does not say which axis holds channels.
    """
    if layout not in LAYOUTS:
        raise NotSupported(f"unknown layout {layout!r}; known: {', '.join(LAYOUTS)}")
    if layout == "channels_first":
        return system
    if system.channels is None:
        raise NotSupported(f"{layout} is for layers; an equation says itself in which order its axes stand")
    at = system.channels
    return replace(system, equations=tuple(_equation(e, at) for e in system.equations),
                   inputs=tuple(_tensor(t, at) for t in system.inputs), name=f"{system.name}_{layout}",
                   spec=(*system.spec, ("layout", layout)), command=f"{system.command} --layout {layout}")


def _equation(e: Equation, at: int) -> Equation:
    terms = [replace(t, factors=tuple(_access(f, at) for f in t.factors)) for t in e.terms]
    return Equation(_access(e.left, at), terms, e.context)


def _access(a: Access, at: int) -> Access:
    return Access(_tensor(a.tensor, at), tuple(a.indices[k] for k in _order(a.tensor, at)), a.function)


def _tensor(t: Tensor, at: int) -> Tensor:
    order = _order(t, at)
    merge = (*t.merge[:at], *t.merge[at + 1:], *t.merge[at:at + 1])
    return Tensor(t.name, [t.shape[k] for k in order], t.symbol, [t.axes[k] for k in order] if t.axes else (), merge,
                  t.gradient_symbol, t.gradient_of)


def _order(t: Tensor, at: int) -> list[int]:
    """Its axes, with those that make up axis `at` of the caller's array moved to the end."""
    groups = [list(range(a, b)) for a, b in pairwise((0, *accumulate(t.merge)))]
    return [k for group in (*groups[:at], *groups[at + 1:], *groups[at:at + 1]) for k in group]
