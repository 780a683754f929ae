"""Scalars in numbers: evaluation and the sizes to try, independent of the algebra it checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor

from symconv.decide.scalar_terms import (
    Ceil,
    Facts,
    Floor,
    Max,
    Min,
    Mod,
    Num,
    Over,
    Plus,
    Pow,
    Scalar,
    Times,
    Var,
    names,
)

Sizes = Mapping[str, int]
Value = int | Fraction
Compute = Callable[[Sizes], Value]
TRIES, POINTS, LARGE = 2500, 700, 100
LONGEST_NUMBER = 4000  # bits; beyond, a number is refused before it is computed


class Undefined(Exception):
    """A division by zero, or a number too long to compute."""


def compute(e: Scalar) -> Compute:
    """A function from sizes to the exact value.

    Raises:
        Undefined: when called where the expression has no value.
    """
    match e:
        case Num(value):
            return lambda sizes: value
        case Var(name):
            return lambda sizes: sizes[name]
        case Plus(terms):
            adders = [compute(t) for t in terms]
            return lambda sizes: sum([f(sizes) for f in adders])
        case Times(factors):
            return _product([compute(f) for f in factors])
        case Over(above, below):
            return _ratio(compute(above), compute(below))
        case Pow(base, exponent):
            return _power(compute(base), exponent)
        case Floor(body):
            inner = compute(body)
            return lambda sizes: floor(inner(sizes))
        case Ceil(body):
            lower = compute(body)
            return lambda sizes: -floor(-lower(sizes))
        case Mod(a, b):
            return _remainder(compute(a), compute(b))
        case Max(args) | Min(args):
            choices, best = [compute(a) for a in args], max if isinstance(e, Max) else min
            return lambda sizes: best([f(sizes) for f in choices])
    raise TypeError(f"not a scalar: {e!r}")


def _product(factors: list[Compute]) -> Compute:
    def product(sizes: Sizes) -> Value:
        total: Value = 1
        for f in factors:
            total = total * f(sizes)
        if max(abs(total.numerator), total.denominator).bit_length() > LONGEST_NUMBER:
            raise Undefined("a number too long")
        return total
    return product


def _ratio(above: Compute, below: Compute) -> Compute:
    def ratio(sizes: Sizes) -> Value:
        a, b = above(sizes), below(sizes)
        if not b:
            raise Undefined("a division by zero")
        return a // b if a % b == 0 else Fraction(a) / b
    return ratio


def _power(base: Compute, exponent: int) -> Compute:
    def power(sizes: Sizes) -> Value:
        b = base(sizes)
        if exponent < 0 and not b:
            raise Undefined("a division by zero")
        if max(abs(b.numerator), b.denominator).bit_length() * abs(exponent) > LONGEST_NUMBER and abs(b) != 1 and b:
            raise Undefined("a number too long")
        return b**exponent if exponent >= 0 else Fraction(1) / b**-exponent
    return power


def _remainder(a: Compute, b: Compute) -> Compute:
    def remainder(sizes: Sizes) -> Value:
        divisor = b(sizes)
        if not divisor:
            raise Undefined("a division by zero")
        return a(sizes) % divisor
    return remainder


@dataclass(frozen=True)
class Point:
    """Admissible sizes and the values of both sides there."""

    sizes: dict[str, int]
    left: Value
    right: Value

    @property
    def equal(self) -> bool:
        return self.left == self.right

    @property
    def order(self) -> tuple[int, tuple[int, ...]]:
        return sum(self.sizes.values()), tuple(self.sizes.values())


@dataclass(frozen=True)
class Trial:
    """Both sides on every size that was tried; `exhaustive` up to that sum of excesses over the bounds."""

    points: tuple[Point, ...]
    undefined: bool

    @property
    def differing(self) -> Point | None:
        """The smallest sizes at which the sides differ."""
        return min((p for p in self.points if not p.equal), key=lambda p: p.order, default=None)


def trial(left: Scalar, right: Scalar, facts: Facts) -> Trial:
    """Evaluate both sides on small admissible sizes, all of them in order, and on some larger ones."""
    sides, found, undefined = (compute(left), compute(right)), [], False
    search = _Search.of(left, right, facts)
    for sizes in search.admissible():
        try:
            found.append(Point(sizes, sides[0](sizes), sides[1](sizes)))
        except Undefined:
            undefined = True
    seen = {tuple(p.sizes.items()): p for p in found}
    return Trial(tuple(seen.values()), undefined)


@dataclass
class _Search:
    """Names that vary freely, names that follow from them, and what admissible sizes satisfy."""

    free: list[str]
    follow: list[tuple[str, Compute]]
    low: dict[str, int]
    holds: list[Callable[[Sizes], bool]]

    @staticmethod
    def of(left: Scalar, right: Scalar, facts: Facts) -> _Search:
        involved = connected(left, right, facts)
        low = {n: facts.lowest(n) for n in involved}
        for a, b in facts.at_least:
            if isinstance(a, Var) and isinstance(b, Num) and a.name in low:
                low[a.name] = max(low[a.name], -floor(-b.value))
        rules: dict[str, Scalar] = {}
        for a, b in (*facts.equal, *((b, a) for a, b in facts.equal)):
            if isinstance(a, Var) and a.name in low and a.name not in rules and a.name not in _reach(b, rules):
                rules[a.name] = b
        order: list[str] = []
        while len(order) < len(rules):
            order += [n for n in rules if n not in order and all(m in order or m not in rules for m in names(rules[n]))]
        used = [p for p in facts.pairs if set(names(*p)) & set(involved)]
        holds = [_equal(*p) for p in facts.equal if p in used] + [_ordered(*p) for p in facts.at_least if p in used]
        holds += [_divides(*p) for p in facts.divides if p in used]
        holds += [_parity(n, 1) for n in involved if n in facts.odd]
        holds += [_parity(n, 0) for n in involved if n in facts.even]
        return _Search([n for n in involved if n not in rules], [(n, compute(rules[n])) for n in order], low, holds)

    def admissible(self) -> Iterator[dict[str, int]]:
        """Small sizes by the sum of their excess over the lower bounds, then scattered larger ones."""
        found = 0
        for tries, excess in enumerate(_excesses(len(self.free))):
            if tries >= TRIES or found >= POINTS:
                break
            if (sizes := self.complete(excess)) is not None:
                found += 1
                yield sizes
        if self.free:
            for excess in _scattered(len(self.free)):
                if (sizes := self.complete(excess)) is not None:
                    yield sizes

    def complete(self, excess: tuple[int, ...]) -> dict[str, int] | None:
        """The sizes these excesses stand for, with those that follow; None when they are not admissible."""
        sizes = {n: self.low[n] + x for n, x in zip(self.free, excess, strict=True)}
        try:
            for n, follows in self.follow:
                value = follows(sizes)
                if value.denominator != 1 or value < self.low[n]:
                    return None
                sizes[n] = int(value)
            if not all(h(sizes) for h in self.holds):
                return None
        except Undefined:
            return None
        return {n: sizes[n] for n in self.low}


def connected(left: Scalar, right: Scalar, facts: Facts) -> tuple[str, ...]:
    """The names of both sides and those that facts tie to them."""
    found = dict.fromkeys(names(left, right))
    more = True
    while more:
        more = False
        for pair in facts.pairs:
            here = names(*pair)
            if set(here) & set(found) and not set(here) <= set(found):
                found |= dict.fromkeys(here)
                more = True
    return tuple(found)


def _reach(e: Scalar, rules: Mapping[str, Scalar]) -> set[str]:
    found: set[str] = set()
    stack = list(names(e))
    while stack:
        n = stack.pop()
        if n not in found:
            found.add(n)
            stack += names(rules[n]) if n in rules else ()
    return found


def _equal(a: Scalar, b: Scalar) -> Callable[[Sizes], bool]:
    x, y = compute(a), compute(b)
    return lambda sizes: x(sizes) == y(sizes)


def _ordered(a: Scalar, b: Scalar) -> Callable[[Sizes], bool]:
    x, y = compute(a), compute(b)
    return lambda sizes: x(sizes) >= y(sizes)


def _divides(a: Scalar, b: Scalar) -> Callable[[Sizes], bool]:
    x = _ratio(compute(b), compute(a))
    return lambda sizes: x(sizes).denominator == 1


def _parity(name: str, rest: int) -> Callable[[Sizes], bool]:
    return lambda sizes: sizes[name] % 2 == rest


def _excesses(count: int) -> Iterator[tuple[int, ...]]:
    """Tuples of natural numbers by their sum, without end (one tuple when there is nothing to vary)."""
    if not count:
        yield ()
        return
    total = 0
    while True:
        yield from _compositions(total, count)
        total += 1


def _compositions(total: int, count: int) -> Iterator[tuple[int, ...]]:
    if count == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, count - 1):
            yield (first, *rest)


def _scattered(count: int) -> Iterator[tuple[int, ...]]:
    """Larger excesses on three scales, from a fixed linear congruential sequence."""
    state = 12345
    for _ in range(LARGE):
        entry = []
        for _ in range(count):
            state = (1103515245 * state + 12345) % 2**31
            entry.append((state >> 12) % (4, 30, 300)[(state >> 24) % 3])
        yield tuple(entry)
