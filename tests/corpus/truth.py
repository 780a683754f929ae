"""What is true of each formula of the corpus: both sides evaluated with plain loops on integers.

Every `fact` transcribes one formula by hand, next to what it is about, taken from first principles: the
derivative is the coefficient of an element in sum delta * o, collected by walking the summation points
of the forward formula; an output size is the number of windows that fit. Nothing here reads symconv.

Array contents are large pseudo-random integers, so two multilinear expressions that agree on them agree
as polynomials. Reading outside an array gives 0, or other pseudo-random integers where `zero=False`: that
is how "true if zero outside" is told from "true".
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product

Sizes = dict[str, int]
Verdict = bool | tuple[bool, ...]


@dataclass(frozen=True)
class Fact:
    """How one formula is decided: whether it `holds` for given sizes, over a box; a conditional one exactly `when`."""

    holds: Callable[..., Verdict]
    box: dict[str, tuple[int, ...]]
    where: Callable[..., bool] | None
    when: Callable[..., bool] | None

    def sizes(self) -> Iterator[Sizes]:
        """Every choice of sizes in the box that the formula is about."""
        for values in product(*self.box.values()):
            sizes = dict(zip(self.box, values, strict=True))
            if self.where is None or self.where(**sizes):
                yield sizes

    @cached_property
    def parts(self) -> list[tuple[Sizes, tuple[bool, ...]]]:
        """For all sizes whether it holds, one answer per equality of a chain."""
        answers = ((sizes, self.holds(**sizes)) for sizes in self.sizes())
        return [(sizes, a if isinstance(a, tuple) else (a,)) for sizes, a in answers]


FACTS: dict[str, Fact] = {}


def fact(
    name: str, *, where: Callable[..., bool] | None = None, when: Callable[..., bool] | None = None, **box: range | int
) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Register what decides the formula called `name`; `box` gives a range of every size."""

    def register(holds: Callable[..., Verdict]) -> Callable[..., Verdict]:
        assert name not in FACTS, f"two facts for {name}"
        ranges = {k: (v,) if isinstance(v, int) else tuple(v) for k, v in box.items()}
        FACTS[name] = Fact(holds, ranges, where, when)
        return holds

    return register


class Array:
    """Integers on a box of indices that starts at `base`; elements can be replaced by dual numbers."""

    def __init__(self, name: str, *shape: int, base: int = 0, zero: bool = True) -> None:
        self.name, self.shape, self.base, self.zero = name, shape, base, bool(zero)
        self.changed: dict[tuple[int, ...], object] = {}

    def __getitem__(self, index: int | tuple[int, ...]):
        index = index if isinstance(index, tuple) else (index,)
        assert len(index) == len(self.shape), f"{self.name} has {len(self.shape)} indices"
        if index in self.changed:
            return self.changed[index]
        return 0 if self.zero and index not in self else content(self.name, index)

    def __contains__(self, index: int | tuple[int, ...]) -> bool:
        index = index if isinstance(index, tuple) else (index,)
        return all(self.base <= i < self.base + n for i, n in zip(index, self.shape, strict=True))

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        return product(*(range(self.base, self.base + n) for n in self.shape))

    def flipped(self) -> Array:
        """The same elements in opposite order along every axis."""
        turned = Array(self.name, *self.shape, base=self.base, zero=self.zero)
        last = [2 * self.base + n - 1 for n in self.shape]
        turned.changed = {i: self[tuple(e - a for e, a in zip(last, i, strict=True))] for i in self}
        return turned


@cache
def content(name: str, index: tuple[int, ...]) -> int:
    """The element of an array: always the same, unlike any other."""
    return random.Random(f"{name}{index}").randrange(1, 1 << 40)


@dataclass(frozen=True)
class Dual:
    """a + b e with e * e = 0: the derivative of any polynomial, exactly."""

    a: int
    b: int = 0

    def __add__(self, other):
        other = lift(other)
        return Dual(self.a + other.a, self.b + other.b)

    def __mul__(self, other):
        other = lift(other)
        return Dual(self.a * other.a, self.a * other.b + self.b * other.a)

    __radd__, __rmul__ = __add__, __mul__

    def __sub__(self, other):
        return self + lift(other) * -1


def lift(value) -> Dual:
    return value if isinstance(value, Dual) else Dual(value)


def derivative(loss: Callable[[], object], array: Array, index: int | tuple[int, ...]) -> int:
    """d loss / d array[index] for a loss that is a polynomial of its elements."""
    index = index if isinstance(index, tuple) else (index,)
    array.changed[index] = Dual(array[index], 1)
    try:
        return lift(loss()).b
    finally:
        del array.changed[index]


def sigma(z):
    """Any polynomial that is not special stands for an activation."""
    return z * z * z * 3 + z * z * 5 + z * 7


def sigma_prime(z):
    return z * z * 9 + z * 10 + 7


def span(first: int, last: int) -> range:
    """first, ..., last as a sum's bounds mean it: empty when last < first."""
    return range(first, last + 1)


def windows(i: int, k: int, s: int = 1, p: int = 0, d: int = 1) -> int:
    """How many windows of k taps, d apart, fit into p + i + p cells, starting every s cells."""
    count, start = 0, 0
    while start + d * (k - 1) <= i + 2 * p - 1:
        count, start = count + 1, start + s
    return count


Point = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]


class Conv:
    """The summation points (output, kernel, input) of a cross-correlation, and what follows from them.

    Args: extents n and k an axis each, stride s, dilation d, padding p for all axes; indices from `base`.
    `flip` makes it a true convolution: the kernel's last tap meets the window's first cell.
    """

    def __init__(self, n, k, s=1, d=1, p=0, base=0, flip=False, zero=True) -> None:
        ns, ks = (n, k) if isinstance(n, tuple) else ((n,), (k,))
        self.outs = tuple(windows(a, b, s, p, d) for a, b in zip(ns, ks, strict=True))
        self.x, self.w = Array("x", *ns, base=base, zero=zero), Array("w", *ks, base=base, zero=zero)
        self.delta, self.base = Array("delta", *self.outs, base=base, zero=zero), base
        self.points: list[Point] = []
        for o in product(*map(range, self.outs)):
            for t in product(*map(range, ks)):
                a = tuple(s * i + d * j - p + base for i, j in zip(o, t, strict=True))
                tap = tuple(e - 1 - j if flip else j for e, j in zip(ks, t, strict=True))
                if a in self.x:
                    self.points.append((tuple(i + base for i in o), tuple(j + base for j in tap), a))

    def out(self, index) -> int:
        return sum(self.w[b] * self.x[a] for o, b, a in self.points if o == as_index(index))

    def dw(self, index) -> int:
        """The coefficient of w[index] in sum delta * o."""
        return sum(self.delta[o] * self.x[a] for o, b, a in self.points if b == as_index(index))

    def dx(self, index) -> int:
        """The coefficient of x[index] in sum delta * o."""
        return sum(self.delta[o] * self.w[b] for o, b, a in self.points if a == as_index(index))

    def is_dw(self, claimed: Callable[..., int]) -> bool:
        return all(claimed(*j) == self.dw(j) for j in self.w)

    def is_dx(self, claimed: Callable[..., int]) -> bool:
        return all(claimed(*m) == self.dx(m) for m in self.x)

    def is_out(self, claimed: Callable[..., int]) -> bool:
        return all(claimed(*i) == self.out(i) for i in self.delta)


def as_index(index: int | tuple[int, ...]) -> tuple[int, ...]:
    return index if isinstance(index, tuple) else (index,)


def valid_correlation(x: Array, w: Array) -> dict[tuple[int, ...], int]:
    """(x star w)(a) = sum_t x(a + t) w(t) where the window lies inside x; base 0."""
    places = product(*(range(n - k + 1) for n, k in zip(x.shape, w.shape, strict=True)))
    return {a: sum(x[add(a, t)] * w[t] for t in w) for a in places}


def full_convolution(x: Array, w: Array) -> dict[tuple[int, ...], int]:
    """(x * w)(a) = sum_t x(a - t) w(t) wherever a term exists; base 0."""
    places = product(*(range(n + k - 1) for n, k in zip(x.shape, w.shape, strict=True)))
    return {a: sum(x[sub(a, t)] * w[t] for t in w) for a in places}


def full_correlation(x: Array, w: Array) -> dict[tuple[int, ...], int]:
    """Slide w over x with k - 1 zeros on each side; base 0."""
    edge = tuple(k - 1 for k in w.shape)
    places = product(*(range(n + k - 1) for n, k in zip(x.shape, w.shape, strict=True)))
    return {a: sum(x[sub(add(a, t), edge)] * w[t] for t in w) for a in places}


def add(a, b):
    return tuple(i + j for i, j in zip(a, b, strict=True))


def sub(a, b):
    return tuple(i - j for i, j in zip(a, b, strict=True))
