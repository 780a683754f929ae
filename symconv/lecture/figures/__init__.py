"""Figures of a layer or a formula, every cell, line and number taken from its equations.

A page that shows them holds `style()` once, one rule for each tone (`.t-x { color: ... }`, then w, d, o, b) and the
custom properties --page, --ink, --soft and --line. Elements bear the classes of the palette, `t-w term-w_2`; a page
lights one up by setting on it --lit, the colour behind it, and --lit-line, the opacity of faint lines. What moves
has the class `moving`, stands while the pointer is on its figure, in print, and where less motion is wanted; then
the frames show it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from symconv.derivation import Derivation, derive
from symconv.equation import Equation
from symconv.lecture.figures.adding import adding
from symconv.lecture.figures.arrangement import Arrangement, arrange
from symconv.lecture.figures.blocks import blocks
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure
from symconv.lecture.figures.gather import gather
from symconv.lecture.figures.network import network
from symconv.lecture.figures.numbers import Values
from symconv.lecture.figures.outer import outer
from symconv.lecture.figures.rows import rows
from symconv.lecture.figures.scene import Scene
from symconv.lecture.figures.slide import meeting, slide
from symconv.lecture.figures.style import style
from symconv.lecture.figures.svg import Names
from symconv.lecture.figures.toeplitz import toeplitz
from symconv.lecture.palette import inks
from symconv.lecture.words import Words
from symconv.system import LayerLike, System

__all__ = ["Figure", "figures", "style"]

Symbols = Mapping[str, tuple[str, ...]]


def figures(layer: LayerLike | System | Derivation, words: Words, numbers: Mapping[str, Any] | None = None,
            base: int = 1) -> tuple[Figure, ...]:
    """Every figure that shows something of a layer.

    Args:
        layer: a derivation saves deriving it again.
        words: the language.
        numbers: arrays of a worked example by tensor name, `dy` for the upstream gradient among them; what
            follows from them and is not given is computed. Without them cells bear names alone.
        base: where printed indices begin.

    Raises:
        ShapeError: a size has no number.
    """
    derivation = layer if isinstance(layer, Derivation) else derive(layer)
    system = derivation.system.concrete()
    sizes = dict(derivation.system.sizes)
    gradients = {name: e.at(sizes) for name, e in derivation.grad.items()}
    scene = Scene(Names(inks(system), base), Values(numbers or {}, (*system.equations, *gradients.values())), words)
    symbols = {t.name: tuple("" if e.is_constant else str(e) for e in t.shape)
               for e in derivation.system.equations for t in (e.output, *e.reads)}
    return (*_forward(scene, system, gradients, symbols), *_backward(scene, gradients))


def _forward(scene: Scene, system: System, gradients: Mapping[str, Equation], symbols: Symbols) -> Iterator[Figure]:
    """What an equation shows by itself: the sliding window, blocks, the network, the matrix."""
    for number, equation in enumerate(system.equations):
        a, more = arrange(equation, scene.names.inks), f"-{number + 1}" * bool(number)
        if a is None:
            yield from filter(None, [meeting(scene, equation, f"forward{more}")])
            continue
        told = Described(scene, a)
        if len(a.rulers) in (1, 2):
            yield slide(scene, a, f"forward{more}", told.title("forward"), told)
        if found := blocks(scene, a, symbols, f"channels{more}", told.title("channels"), told.text("channels")):
            yield found
        if found := adding(scene, a, f"accumulation{more}", told.title("accumulation"), told.text("accumulation")):
            yield found
        if (pair := rows(a)) and (found := network(scene, pair, f"network{more}", told)):
            yield found
        if found := toeplitz(scene, a, gradients[a.ground.tensor.name], f"toeplitz{more}", told):
            yield found


def _backward(scene: Scene, gradients: Mapping[str, Equation]) -> Iterator[Figure]:
    """What reaches each element: lines where the weights are on them, and the sliding window."""
    for wrt, equation in gradients.items():
        a = arrange(equation, scene.names.inks)
        if a is None:
            yield from filter(None, [meeting(scene, equation, f"backward-{wrt}")])
            continue
        told, pair = Described(scene, a), rows(a) if _weighted(scene, a) else None
        lines = gather(scene, pair, f"backward-{wrt}", told.title("gather"), told.gather()) if pair else None
        if lines:
            yield lines
        if found := outer(scene, a, f"backward-{wrt}", told.title("outer"), told.text("outer")):
            yield found
        if len(a.rulers) in (1, 2):
            kind = "inserted" if told.inserted else "turned" if told.turned else "backward"
            name = f"backward-{wrt}" if lines is None else "dilated-delta" if told.inserted else f"backward-{wrt}-slide"
            yield slide(scene, a, name, told.title(kind), told)


def _weighted(scene: Scene, a: Arrangement) -> bool:
    return scene.names.inks[a.window.tensor.name].tone == "w"
