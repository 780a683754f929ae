"""Marks on a drawing that grows with them: cells, words, lines; and how elements are called in it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from typing import NamedTuple

from symconv.equation import Tensor
from symconv.lecture.palette import Ink
from symconv.notation.lettering import SIGNS, lettered
from symconv.notation.nodes import Name, Scripted

ACCENT = {"hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308",
          "check": "\u030c", "breve": "\u0306"}  # combining
READABLE = 6.5, 8.0  # names of a smaller size are left out; those with a subscript
SUB = 3.5  # how far a subscript hangs below, in pixels
MARGIN = 6


class Run(NamedTuple):
    """Words in one style: `kind` is "" (upright), "m" (a mathematical letter) or "s" (a subscript)."""

    text: str
    kind: str = ""
    ink: str = ""


def number(v: float) -> str:
    """A coordinate, without the digits nobody sees."""
    text = f"{v:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def letter(symbol: str) -> str:
    """`delta` as the Greek letter, `hat(x)'` with its marks; an index that is part of a name stays out."""
    node = lettered(symbol)
    primes = "′" * node.primes if isinstance(node, Scripted) else ""
    name = node.base if isinstance(node, Scripted) else node
    assert isinstance(name, Name | Scripted)
    if isinstance(name, Scripted):
        return letter(symbol.partition("^")[0]) + primes
    return SIGNS.get(name.text, name.text) + ACCENT.get(name.accent, "") + primes


def below(symbol: str) -> str:
    """The index that is part of a name: `in` of w_in."""
    node = lettered(symbol)
    return node.below[0].text if isinstance(node, Scripted) and node.below and isinstance(node.below[0], Name) else ""


def called(tensor: Tensor) -> list[Run]:
    """An array as a whole; a gradient without a symbol of its own as a partial derivative."""
    if is_partial(tensor):
        return [Run("∂L/∂"), Run(letter(tensor.gradient_of), "m")]
    return [Run(letter(tensor.symbol), "m")]


def is_partial(tensor: Tensor) -> bool:
    """Is it printed as a partial derivative of the loss?"""
    return bool(tensor.gradient_of) and tensor.symbol == tensor.name


@dataclass(frozen=True)
class Names:
    """How elements are called: inks by tensor name, and where printed indices begin."""

    inks: dict[str, Ink]
    base: int

    def printed(self, index: Iterable[int]) -> tuple[int, ...]:
        return tuple(i + self.base for i in index)

    def tone(self, tensor: Tensor) -> str:
        return self.inks[tensor.name].tensor()

    def classes(self, tensor: Tensor, index: Iterable[int]) -> str:
        """`t-w term-w_2`"""
        return self.inks[tensor.name].element(self.printed(index))

    def term(self, tensor: Tensor, index: Iterable[int]) -> str:
        """`w_2`, the key one element has everywhere."""
        return self.classes(tensor, index).split("term-")[1]

    def short(self, tensor: Tensor, index: Iterable[int], ink: bool = False) -> list[Run]:
        """An element inside its cell, where the title says what the array is: a gradient by its variable."""
        symbol = tensor.gradient_of if is_partial(tensor) else tensor.symbol
        classes = self.classes(tensor, index) if ink else ""
        sub = ",".join(filter(None, [below(symbol), *map(str, self.printed(index))]))
        return [Run(letter(symbol), "m", classes), *([Run(sub, "s", classes)] if sub else [])]

    def full(self, tensor: Tensor, index: Iterable[int]) -> list[Run]:
        """An element in a formula, in its colour."""
        index = tuple(index)
        found = self.short(tensor, index, ink=True)
        if is_partial(tensor):
            classes = found[0].ink
            return [Run("∂L/∂", "", classes), *found]
        return found


def width(runs: Iterable[Run] | str, size: float) -> float:
    """About how wide words come out."""
    parts = [Run(runs)] if isinstance(runs, str) else runs
    return sum(size * {"s": 0.66, "m": 1.12}.get(r.kind, 1) * sum(_advance(c) for c in r.text) for r in parts)


def _advance(c: str) -> float:
    return 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.36 if c in " .,;:'|il()·" else 0.64


def spans(runs: Iterable[Run]) -> str:
    """Words as markup; a subscript hangs below and what follows comes up again."""
    out, low = [], 0.0
    for r in runs:
        want = SUB if r.kind == "s" else 0.0
        attributes = f' dy="{number(want - low)}"' if want != low else ""
        classes = " ".join(filter(None, (r.kind, r.ink)))
        attributes += f' class="{classes}"' if classes else ""
        out.append(f"<tspan{attributes}>{escape(r.text)}</tspan>" if attributes else escape(r.text))
        low = want
    return "".join(out)


@dataclass
class Drawing:
    """Markup and the rectangle it fills."""

    parts: list[str] = field(default_factory=list)
    left: float = 0
    top: float = 0
    right: float = 0
    bottom: float = 0
    size_now: float = 15  # what words have that say nothing else

    def grow(self, x: float, y: float, w: float = 0, h: float = 0) -> None:
        self.left, self.top = min(self.left, x), min(self.top, y)
        self.right, self.bottom = max(self.right, x + w), max(self.bottom, y + h)

    def add(self, markup: str) -> None:
        self.parts.append(markup)

    def rect(self, x: float, y: float, w: float, h: float, classes: str, radius: float = 0) -> None:
        self.grow(x, y, w, h)
        round_ = f' rx="{number(radius)}"' if radius else ""
        self.add(f'<rect class="{classes}" x="{number(x)}" y="{number(y)}" width="{number(w)}" '
                 f'height="{number(h)}"{round_}/>')

    def text(self, x: float, y: float, runs: Iterable[Run] | str, size: float = 15, classes: str = "",
             anchor: str = "middle") -> None:
        """Words on a baseline."""
        runs = [Run(runs)] if isinstance(runs, str) else list(runs)
        wide = width(runs, size)
        self.grow({"middle": x - wide / 2, "start": x, "end": x - wide}[anchor], y - size, wide, size * 1.3)
        math = runs[0].kind == "m" and all(r.kind in ("m", "s") and not r.ink for r in runs)
        shown = [Run(r.text, "s" if r.kind == "s" else "") for r in runs] if math else runs
        names = " ".join(filter(None, [classes, "m" * math]))
        attributes = f' class="{names}"' if names else ""
        attributes += f' font-size="{number(size)}"' if size != self.size_now else ""
        attributes += "" if anchor == "middle" else f' text-anchor="{anchor}"'
        self.add(f'<text x="{number(x)}" y="{number(y)}"{attributes}>{spans(shown)}</text>')

    def path(self, d: str, classes: str, *ends: tuple[float, float], more: str = "") -> None:
        for x, y in ends:
            self.grow(x, y)
        self.add(f'<path class="{classes}" d="{d}"{more}/>')

    def cell(self, x: float, y: float, size: float, classes: str, runs: Iterable[Run] = (), value: str = "",
             shape: str = "c", square: bool = False, high: bool = False) -> None:
        """A cell with the name of its element, its number, or both.

        Args:
            high: the name leaves room for a window's below it.
        """
        runs = list(runs)
        self.add(f'<g class="{classes}">' if classes else "<g>")
        if square:
            self.grow(x, y, size, size)
            self.add(f'<path class="{shape}" d="M{number(x)} {number(y)}h{number(size)}v{number(size)}H{number(x)}z"/>')
        else:
            self.rect(x, y, size, size, shape, 3)
        middle = x + size / 2
        if runs and value:
            self.text(middle, y + size * .42, runs, round(size * .36))
            self.text(middle, y + size * .84, value, round(size * .34), "n")
        elif runs:
            wide = max(1.0, width(runs, size * .4) / (size - 5))
            if size * .4 / wide >= READABLE[any(r.kind == "s" for r in runs)]:
                self.text(middle - high, y + size * (.45 if high else .6), runs, round(size * .4 / wide, 1))
        elif value:
            self.value(x, y, size, value)
        self.add("</g>")

    @contextmanager
    def sized(self, size: float) -> Iterator[None]:
        """Words in here are numbers of one size, said once."""
        self.add(f'<g class="n" font-size="{number(size)}">')
        before, self.size_now = self.size_now, size
        yield
        self.size_now = before
        self.add("</g>")

    def value(self, x: float, y: float, size: float, value: str) -> None:
        """A number alone in a cell."""
        wide = max(1.0, width(value, size * .4) / (size - 4))
        self.text(x + size / 2, y + size * .62, value, round(size * .4 / wide, 1), "n" * (self.size_now == 15))

    def inside(self, markup: str, other: Drawing) -> None:
        """A group with the parts of another drawing."""
        self.parts += [markup, *other.parts, "</g>"]
        if other.parts:
            self.grow(other.left, other.top, other.right - other.left, other.bottom - other.top)

    def beside(self, other: Drawing, x: float, y: float) -> None:
        """Another drawing, moved."""
        self.parts += [f'<g transform="translate({number(x)} {number(y)})">', *other.parts, "</g>"]
        self.grow(other.left + x, other.top + y, other.right - other.left, other.bottom - other.top)

    @property
    def size(self) -> tuple[float, float]:
        return self.right - self.left, self.bottom - self.top

    @property
    def view(self) -> str:
        w, h = self.size
        return " ".join(map(number, (self.left - MARGIN, self.top - MARGIN, w + 2 * MARGIN, h + 2 * MARGIN)))
