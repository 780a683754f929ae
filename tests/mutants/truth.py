"""Both sides of a claim by brute force: exact polynomials in the array elements, for every small size.

An element is (array, function, index); a polynomial maps a sorted tuple of elements to a coefficient.
Nothing here knows LaTeX, symconv, or how gradients of convolutions look: the forward points are scattered.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from itertools import product

from .model import Claim, Layer, Read, Sum, Term
from .poly import Poly, Ratio

Element = tuple[str, str, tuple[int, ...]]  # array, function, index
Polynomial = dict[tuple[Element, ...], Fraction]
MOST_SIZES = 48
FAR = 9


@dataclass(frozen=True)
class Case:
    """One choice of sizes.

    Args:
        holds: both sides agree, arrays being zero outside; None: an element with numbers does not exist.
        outside: something is read outside by stated bounds.
        extents: the shape of every array.
    """

    sizes: tuple[tuple[str, int], ...]
    holds: bool | None
    outside: bool = False
    extents: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Missing(Exception):
    """An element named with numbers does not exist."""


@dataclass
class World:
    """A layer at given sizes."""

    layer: Layer
    env: Mapping[str, int]

    def __post_init__(self) -> None:
        self.shapes = {a: tuple(e(self.env) for e in s) for a, s in self.layer.shapes}
        self.shapes["eta"] = ()
        self.shapes["delta"] = self.shapes[self.layer.output.array]
        self.forward = self._forward()

    def inside(self, array: str, index: tuple[int, ...]) -> bool:
        return all(0 <= v < n for v, n in zip(index, self.shapes[array], strict=True))

    def _forward(self) -> dict[tuple[int, ...], Polynomial]:
        """Every output element as a polynomial."""
        names = [next(iter(e.names)) for e in self.layer.output.index]
        found = {}
        for index in product(*map(range, self.shapes[self.layer.output.array])):
            total: Polynomial = {}
            for t in self.layer.terms:
                add(total, self.value(t, {**self.env, **dict(zip(names, index, strict=True))})[0])
            found[index] = total
        return found

    def derivative(self, out: tuple[int, ...], element: Element) -> Polynomial:
        """d output[out] / d element."""
        found: Polynomial = {}
        for factors, c in self.forward[out].items():
            count = factors.count(element)
            if count:
                rest = list(factors)
                rest.remove(element)
                add(found, {tuple(rest): c * count})
        return found

    def gradient(self, element: Element) -> Polynomial:
        """dL / d element: every output that reads it, times its delta."""
        found: Polynomial = {}
        for out in self.forward:
            upstream: tuple[Element, ...] = (("delta", "", out),)
            if self.layer.activation:
                upstream += ((self.layer.output.array, "sigma'", out),)
            add(found, multiplied(self.derivative(out, element), {tuple(sorted(upstream)): Fraction(1)}))
        return found

    def read(self, r: Read, env: Mapping[str, int]) -> Polynomial | None:
        """The element, None where it does not exist."""
        index = tuple(e(env) for e in r.index)
        if not self.inside(r.array, index):
            return None
        if r.of is None:
            return {((r.array, r.function, index),): Fraction(1)}
        by = tuple(e(env) for e in r.of.index)
        if not self.inside(r.of.array, by):
            return None
        return self.derivative(index, (r.of.array, "", by))

    def value(self, t: Term, env: Mapping[str, int]) -> tuple[Polynomial, bool]:
        """A term where its free letters have values, and whether stated bounds read outside."""
        total: Polynomial = {}
        outside = False
        implicit = {s.name for s in t.sums if s.low is None}
        bound = {s.name for s in t.sums}
        for point in self.points(t, {n: v for n, v in env.items() if n not in bound}):
            if not all((x.left(point) % x.divisor(point) == 0) if x.divisor else x.left(point) == x.right(point)
                       for x in t.tests):
                continue
            found: Polynomial = {(): t.coefficient}
            for r in t.reads:
                value = self.read(r, point)
                if value is None and not r.names & implicit:
                    if not r.names:
                        raise Missing
                    outside = True
                found = multiplied(found, value or {})
            add(total, found)
        return total, outside

    def points(self, t: Term, env: dict[str, int]) -> Iterator[dict[str, int]]:
        """Values for every summation index, bounded ones first."""
        left = [s for s in t.sums if s.name not in env]
        if not left:
            yield env
            return
        names = {s.name for s in left}
        for s in left:
            if s.low is not None and s.high is not None and not (s.low.names | s.high.names) & names:
                values = range(s.low(env), s.high(env) + 1)
                break
        else:
            s, values = self._window(t, env, [s for s in left if s.low is None] or left)
        for v in values:
            yield from self.points(t, {**env, s.name: v})

    def _window(self, t: Term, env: Mapping[str, int], left: list[Sum]) -> tuple[Sum, range]:
        """An index without bounds, and where the arrays it selects can exist."""
        for s in left:
            for r in t.reads:
                for e, extent in zip(r.index, self.shapes[r.array], strict=True):
                    window = _solved(e, s.name, extent, env)
                    if window is not None:
                        return s, window
        return left[0], range(-FAR, FAR + 1)


def _solved(e: object, name: str, extent: int, env: Mapping[str, int]) -> range | None:
    """The values of `name` that keep e in 0..extent - 1, when all else is known."""
    scale = 1
    if isinstance(e, Ratio):
        if not e.under.names <= set(env):
            return None
        scale = e.under(env)
        e = e.over
    assert isinstance(e, Poly)
    if name not in e.names or not e.names - {name} <= set(env):
        return None
    at0, at1 = e({**env, name: 0}), e({**env, name: 1})
    step = at1 - at0
    if not step:
        return None
    ends = sorted(((0 - at0) / step, ((extent - 1) * scale - at0) / step))
    return range(int(ends[0] // 1), int(-(-ends[1] // 1)) + 1)


def add(total: Polynomial, more: Polynomial) -> None:
    for m, c in more.items():
        total[m] = total.get(m, Fraction(0)) + c


def multiplied(a: Polynomial, b: Polynomial) -> Polynomial:
    found: Polynomial = {}
    for m, c in a.items():
        for n, d in b.items():
            key = tuple(sorted(m + n))
            found[key] = found.get(key, Fraction(0)) + c * d
    return found


def clean(p: Polynomial) -> Polynomial:
    return {m: c for m, c in p.items() if c}


@cache
def boxes(layer: Layer) -> tuple[tuple[tuple[str, int], ...], ...]:
    """The small sizes at which the layer has an output: the smallest and a sample of the others."""
    names = [n for n, _ in layer.sizes]
    found = []
    for values in product(*(v for _, v in layer.sizes)):
        env = dict(zip(names, values, strict=True))
        if all(e(env) >= 1 for _, s in layer.shapes for e in s):
            found.append(tuple(env.items()))
    found.sort(key=lambda s: sum(v for _, v in s))
    rest = found[MOST_SIZES // 3:]
    random.Random(1).shuffle(rest)
    return tuple(found[:MOST_SIZES // 3] + rest[:MOST_SIZES - MOST_SIZES // 3])


@lru_cache(200)
def world(layer: Layer, sizes: tuple[tuple[str, int], ...]) -> World:
    return World(layer, dict(sizes))


def table(claim: Claim) -> list[Case]:
    """Whether the claim holds, for every choice of sizes in the box."""
    return [c for sizes in boxes(claim.layer) if (c := case(claim, sizes)) is not None]


def case(claim: Claim, sizes: tuple[tuple[str, int], ...]) -> Case | None:
    """The claim at given sizes; None where its left-hand side does not exist."""
    w = world(claim.layer, sizes)
    env = dict(sizes)
    free, left_shape = [], []
    targets = (claim.left, claim.left.of) if claim.left.of else (claim.left,)
    for r in targets:
        for e, extent in zip(r.index, w.shapes[r.array], strict=True):
            if e.names:
                free.append(next(iter(e.names)))
                left_shape.append(range(extent))
            elif not 0 <= e({}) < extent:
                return None
    loose = sorted({n for t in claim.right for n in t.names if not t.summed(n)} - set(free) - set(env))
    holds, outside, extents = True, False, tuple(w.shapes.items())
    try:
        for values in product(*left_shape, *(range(-FAR, FAR) for _ in loose)):
            here = {**env, **dict(zip((*free, *loose), values, strict=True))}
            if loose and not _loose_inside(w, claim, here, set(loose)):
                continue
            actual = actual_value(w, claim, here)
            claimed: Polynomial = {}
            for t in claim.right:
                value, out = w.value(t, here)
                add(claimed, value)
                outside |= out
            holds = holds and clean(actual) == clean(claimed)
            if not holds:
                break
    except Missing:
        return Case(sizes, None, False, extents)
    return Case(sizes, holds, outside and not claim.zero, extents)


def _loose_inside(w: World, claim: Claim, env: Mapping[str, int], loose: set[str]) -> bool:
    """A letter that nothing declares stands for whatever keeps plain reads inside."""
    return all(0 <= e(env) < n for t in claim.right for r in t.reads
               for e, n in zip(r.index, w.shapes[r.array], strict=True)
               if e.names & loose and e.names <= set(env))


def actual_value(w: World, claim: Claim, env: Mapping[str, int]) -> Polynomial:
    index = tuple(e(env) for e in claim.left.index)
    element: Element = (claim.left.array, "", index)
    if claim.how == "gradient":
        return w.gradient(element)
    if claim.how == "forward":
        return w.forward[index]
    if claim.how == "local":
        assert claim.left.of
        by = tuple(e(env) for e in claim.left.of.index)
        return w.derivative(index, (claim.left.of.array, "", by))
    step = multiplied(w.gradient(element), {(("eta", "", ()),): Fraction(-1)})
    add(step, {(element,): Fraction(1)})
    return step
