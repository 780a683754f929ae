"""The right-hand side of one NumPy statement: slices, windows and the operation that joins them."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, count
from math import prod

from symconv.affine import Affine, Constraint
from symconv.schedule.arrays import Step
from symconv.schedule.contraction import lies_whole, slides

SMALL = 2048  # below this many elements a copy does not pay for faster products
LONG = 40  # operands of more characters than this get a name
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
ZERO = Affine.of(0)


@dataclass(frozen=True, slots=True)
class Read:
    """The array a factor is read from: its name, extents and the margin of zeros below each axis."""

    name: str
    extents: tuple[int, ...]
    low: tuple[int, ...]


class Names:
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


@dataclass(slots=True)
class Scope:
    """What the expressions of one function share.

    Args:
        type: the output's type as source text.
        names: every identifier in use.
        unshaped: arrays still in the caller's shape, with their extents.
        whole: the one statement that makes the whole output, and the caller's shape it may take at once.
        shaped: that statement has given the output the caller's shape.
    """

    type: str
    names: Names
    unshaped: dict[str, tuple[int, ...]] = field(default_factory=dict)
    whole: tuple[Step, tuple[int, ...]] | None = None
    shaped: bool = False

    def entry(self, e: Affine, full: int, extents: Mapping[str, int]) -> tuple[str, bool]:
        """One axis of a slice, ascending, and whether it is then read backwards."""
        names = [n for n in e.names if n in extents]
        if not names:
            return self.affine(e), False
        a, n = e.coefficient(names[0]), extents[names[0]]
        rest = e - a * Affine.of(names[0])
        start = rest if a > 0 else rest + a * (n - 1)
        stop = start + abs(a) * (n - 1) + 1
        low = "" if start == ZERO else self.affine(start)
        high = "" if stop == Affine.of(full) else self.affine(stop)
        return f"{low}:{high}" + (f":{abs(a)}" if abs(a) != 1 and n > 1 else ""), a < 0

    def affine(self, e: Affine) -> str:
        return str(e.substitute({n: self.names.of(n) for n in e.names}))


def trimmed(entries: Sequence[str]) -> list[str]:
    """Without the full slices at the end."""
    kept = list(entries)
    while len(kept) > 1 and kept[-1] == ":":
        kept.pop()
    return kept


def subscript(name: str, entries: Sequence[str]) -> str:
    """The array with its index in brackets, or alone when the index takes all of it."""
    kept = trimmed(entries)
    return name if not kept or kept == [":"] else f"{name}[{', '.join(kept)}]"


def axes_free(s: Step, at: int) -> bool:
    """The order of this factor's elements is all that the statement needs to know."""
    f = s.factors[at]
    return slides(f, frozenset(s.extents)) or (s.contraction.kind == "matmul" and taken_whole(s, at))


def taken_whole(s: Step, at: int) -> bool:
    """Does the factor enter whole, its axes in their own order?"""
    f = s.factors[at]
    natural = tuple(n for e in f.indices for n in e.names if n in s.extents)
    return natural == s.contraction.dims[at] and lies_whole(f, s.extents)


class Expression:
    """The right-hand side of one statement; operands worth a name become lines before it."""

    def __init__(self, scope: Scope, step: Step, reads: Sequence[Read], lines: list[str]) -> None:
        self.w, self.s, self.reads, self.lines = scope, step, reads, lines
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
        f, read = self.s.factors[at], self.reads[at]
        name, shape, low = read.name, read.extents, read.low
        indices = [e + lo for e, lo in zip(f.indices, low, strict=True)]
        if slides(f, frozenset(self.extents)):
            text = self._windowed(name, shape, indices, order)
            return self._aligned(text, order) if spread else text, True
        pairs = [self.w.entry(e, n, self.extents) for e, n in zip(indices, shape, strict=True)]
        own = [next((n for n in e.names if n in self.extents), "") for e in indices]
        natural = tuple(n for n in own if n)
        entries = [entry for entry, _ in pairs]
        if spread and natural == order:
            entries = self._with_none(entries, own)
        text = subscript(name, entries)
        if any(flip for _, flip in pairs):
            backwards = iter([flip for (_, flip), n in zip(pairs, own, strict=True) if n])
            flips = ["::-1" if entry != "None" and next(backwards) else ":" for entry in entries
                     if entry == "None" or ":" in entry]
            text += f"[{', '.join(trimmed(flips))}]"
        if natural != order:
            axes = tuple(natural.index(n) for n in order)
            text += ".T" if axes == (1, 0) else f".transpose{axes}"
            text = self._aligned(text, order) if spread else text
        return text, False

    def _with_none(self, entries: Sequence[str], own: Sequence[str]) -> list[str]:
        """Entries with a None for each output axis this factor lacks, except in front."""
        found: list[str] = []
        rest = list(self.out)
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
        place, stride = ZERO, 1
        for e, n in zip(reversed(indices), reversed(shape), strict=True):
            place, stride = place + stride * e, stride * n
        steps = tuple(place.coefficient(n) for n in order)
        start = place - sum((place.coefficient(n) * Affine.of(n) for n in order), ZERO)
        tail = "" if start == ZERO else f", {self.w.affine(start)}"
        return f"_window({name}, {tuple(self.extents[n] for n in order)}, {steps}{tail})"

    def _mask(self, c: Constraint, dims: tuple[str, ...]) -> str:
        parts = []
        for at, n in enumerate(dims):
            a = c.expression.coefficient(n)
            spread = f"[:{', None' * (len(dims) - 1 - at)}]" if at < len(dims) - 1 else ""
            parts.append(f"{'' if a == 1 else f'{a} * '}np.arange({self.extents[n]}){spread}")
        rest = c.expression - sum((c.expression.coefficient(n) * Affine.of(n) for n in dims), ZERO)
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
        made += [self._size(g) for g in (c.left, c.right) if g or c.stack]
        shape = [self.extents[n] for n in have]
        text = f"{sides[0]} @ {sides[1]}"
        if self.w.whole and self.s is self.w.whole[0] and have == self.out:
            shape, self.w.shaped = list(self.w.whole[1]), True
        if shape != made:
            text = f"({text}).reshape({tuple(shape)})"
        elif have != self.out:
            text = f"({text})"
        return self._ordered(text, have)

    def _operand(self, at: int, rows: tuple[str, ...], cols: tuple[str, ...]) -> str:
        c, f = self.s.contraction, self.s.factors[at]
        order = c.dims[at]
        turned = c.turned[at]
        groups = (cols, rows) if turned else (rows, cols)
        shape = self._stack_shape(order) + [self._size(g) for g in groups if g or c.stack]
        moves = slides(f, frozenset(self.extents))
        natural = tuple(n for e in f.indices for n in e.names if n in self.extents)
        if taken_whole(self.s, at) and self.reads[at].extents == f.tensor.extents:
            text = self.reads[at].name
            if text in self.w.unshaped or tuple(shape) != f.tensor.extents:
                text += f".reshape({tuple(shape)})"
        else:
            text = self._laid_out(at, order, natural, moves, shape)
        if moves or len(text) > LONG:
            name = self.w.names.reserve(f"{self.reads[at].name}_{'cols' if moves else 'rows'}")
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
        rough = self._rough(at, order) and self._size(order) > SMALL
        return f"np.ascontiguousarray({text})" if rough else text

    def _size(self, names: Sequence[str]) -> int:
        return prod(self.extents[n] for n in names)

    def _stack_shape(self, order: tuple[str, ...]) -> list[int]:
        """Extents of the stack axes, 1 where this operand lacks one that another precedes."""
        stack = self.s.contraction.stack
        own = [n for n in stack if n in order]
        return [self.extents[n] if n in own else 1 for n in stack[stack.index(own[0]):]] if own else []

    def _rough(self, at: int, order: tuple[str, ...]) -> bool:
        """Neither of the last two axes runs through memory one by one, or they overlap."""
        f, place, stride = self.s.factors[at], ZERO, 1
        for e, n in zip(reversed(f.indices), reversed(self.reads[at].extents), strict=True):
            place, stride = place + stride * e, stride * n
        return slides(f, frozenset(self.extents)) or not any(place.coefficient(n) == 1 for n in order[-2:])


def _axes(dims: Sequence[str], kept: Sequence[str]) -> str:
    axes = tuple(at for at, n in enumerate(dims) if n not in kept)
    return str(axes[0]) if len(axes) == 1 else str(axes)
