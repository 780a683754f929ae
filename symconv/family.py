"""Random small layers over the whole family, the features a layer crosses, and random equations."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import combinations
from math import prod

from symconv.affine import Affine, Constraint, inside
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import ShapeError
from symconv.layer import Conv

RANKS = ("1-D", "2-D", "3-D")
FEATURES = ("stride", "groups", "floor remainder", "dilation", "asymmetric padding", "transposed",
            "depthwise", "output padding", "batch", "bias", "flip")
USEFUL = (("stride", "dilation", "floor remainder"), ("stride", "groups", "floor remainder", "dilation"),
          ("stride", "dilation", "asymmetric padding"), ("stride", "dilation", "transposed"),
          ("groups", "transposed", "output padding"), ("dilation", "transposed", "output padding"),
          ("stride", "groups", "dilation", "transposed", "asymmetric padding"))
MOST_PRODUCTS = 20_000


def random_layer(rng: random.Random, rank: int | None = None, channels: int = 3) -> Conv:
    """A valid layer of at most 20,000 multiply-adds, or in proportion more with more channels; features drawn
    independently.

    Strides and dilations differ per axis, padding per side; named paddings occur.

    Args:
        channels: at most so many channels, and filters, in a group.
    """
    rank = rank or rng.choice((1, 2, 3))
    transposed = rng.random() < 0.45
    while True:
        try:
            layer = _draw(rng, rank, transposed, channels)
        except ShapeError:
            continue
        if products(layer) <= MOST_PRODUCTS * channels // 3:
            return layer


def products(layer: Conv) -> int:
    """Multiply-adds of the forward, padding counted."""
    pairs = layer.channels * layer.filters // layer.groups
    return layer.batch * pairs * prod(a.kernel * (a.input if layer.transposed else a.output) for a in layer.axes)


def _draw(rng: random.Random, rank: int, transposed: bool, most: int) -> Conv:
    groups, channels, filters = _channels(rng, most)
    kernel = tuple(rng.randint(1, 4 if rank < 3 else 3) for _ in range(rank))
    stride = _per_axis(rng, rank, 0.6)
    dilation = _per_axis(rng, rank, 0.55)
    padding = _padding(rng, rank, kernel, dilation, transposed)
    extra: tuple[int, ...] = (0,) * rank
    if transposed and rng.random() < 0.9:
        extra = tuple(rng.randrange(max(s, d)) for s, d in zip(stride, dilation, strict=True))
    if transposed:
        extents = tuple(rng.randint(1, (7, 4, 3)[rank - 1]) for _ in range(rank))
    else:
        extents = _input(rng, kernel, stride, dilation, padding)
    return Conv(extents, kernel, channels, filters, batch=rng.choice((1, 1, 2, 3)), stride=stride, padding=padding,
                dilation=dilation, groups=groups, bias=rng.random() < 0.5, transposed=transposed,
                output_padding=extra, flip=rng.random() < 0.4)


def _channels(rng: random.Random, most: int) -> tuple[int, int, int]:
    """(groups, channels, filters); about a third of the layers with groups are depthwise."""
    kind = rng.random()
    groups = 1 if kind < 0.4 else rng.randint(2, 3)
    if kind < 0.7:
        return groups, groups * rng.randint(1 if groups == 1 else 2, most), groups * rng.randint(1, most)
    return groups, groups, groups * rng.randint(1, 2)


def _per_axis(rng: random.Random, rank: int, chance: float) -> tuple[int, ...]:
    """All 1, or 1 to 3 on each axis and above 1 on one axis at least."""
    if rng.random() >= chance:
        return (1,) * rank
    values = [rng.randint(1, 3) for _ in range(rank)]
    values[rng.randrange(rank)] = rng.randint(2, 3)
    return tuple(values)


def _padding(rng: random.Random, rank: int, kernel: tuple[int, ...], dilation: tuple[int, ...],
             transposed: bool) -> str | tuple[tuple[int, int], ...]:
    if not transposed and rng.random() < 0.25:
        return rng.choice(("same", "full", "valid"))
    most = [min(3, d * (k - 1) + 1) for k, d in zip(kernel, dilation, strict=True)]
    if rng.random() < 0.35:
        return tuple((p, p) for p in (rng.randint(0, m) for m in most))
    return tuple((rng.randint(0, m), rng.randint(0, m)) for m in most)


def _input(rng: random.Random, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...],
           padding: str | tuple[tuple[int, int], ...]) -> tuple[int, ...]:
    """Extents that give a few outputs, often with a remainder left by the stride."""
    sides = ((0, 0),) * len(kernel) if isinstance(padding, str) else padding
    extents = []
    for k, s, d, (lo, hi) in zip(kernel, stride, dilation, sides, strict=True):
        left = rng.randint(1, s - 1) if s > 1 and rng.random() < 0.8 else 0
        extents.append(max(1, s * rng.randint(0, (7, 3, 2)[len(kernel) - 1]) + d * (k - 1) + 1 + left - lo - hi))
    return tuple(extents)


def crossings(layer: Conv) -> tuple[str, ...]:
    """The features the layer has, every pair of them, and the larger crossings of `USEFUL`.

    >>> crossings(Conv(9, 2, stride=3, dilation=2))[:5]
    ('1-D', 'stride', 'dilation', '1-D x stride', '1-D x dilation')
    """
    has = [f for f, there in _features(layer).items() if there]
    single = [RANKS[layer.rank - 1], *has]
    larger = [c for c in USEFUL if set(c) <= set(has)]
    return tuple(map(" x ".join, (*((f,) for f in single), *combinations(single, 2), *larger)))


def _features(layer: Conv) -> dict[str, bool]:
    axes = layer.axes
    remainder = any((a.input + a.low + a.high - a.span) % a.stride for a in axes)
    return dict(zip(FEATURES, (
        any(a.stride > 1 for a in axes), layer.groups > 1, remainder and not layer.transposed,
        any(a.dilation > 1 for a in axes), any(a.low != a.high for a in axes), layer.transposed,
        layer.groups == layer.channels > 1, any(a.extra for a in axes),
        layer.batch > 1, layer.bias, layer.flip), strict=True))


def random_equation(rng: random.Random) -> Equation:
    """A small affine tensor sum that is no layer: any coefficients, repeated and scalar tensors,
    several terms, extra conditions, reads far outside their arrays."""
    outputs, sums = list("ijh"[:rng.randint(0, 3)]), list("pqr"[:rng.randint(0, 3)])
    extents = {n: rng.randint(1, 5) for n in outputs + sums}
    tensors: dict[str, Tensor] = {}
    terms = []
    for _ in range(rng.randint(1, 3)):
        factors = tuple(_random_read(rng, outputs + sums, tensors) for _ in range(rng.randint(1, 3)))
        conditions = [c for s in sums for c in inside(s, extents[s])]
        if outputs + sums and rng.random() < 0.3:
            conditions.append(Constraint(_random_affine(rng, outputs + sums), equality=rng.random() < 0.3))
        terms.append(Term(factors, (), tuple(conditions), Fraction(rng.choice((1, 1, 1, -1, 2)))))
    left = Tensor("y", [extents[o] for o in outputs])[tuple(map(Affine.of, outputs))]
    return Equation(left, terms)


def _random_affine(rng: random.Random, names: list[str]) -> Affine:
    total = Affine.of(rng.randint(-2, 3))
    for n in rng.sample(names, min(len(names), rng.randint(0, 2))):
        total = total + rng.choice((1, 1, 1, 2, 3, -1, -2)) * Affine.of(n)
    return total


def _random_read(rng: random.Random, names: list[str], tensors: dict[str, Tensor]) -> Access:
    index = tuple(_random_affine(rng, names) for _ in range(rng.randint(0, 3)))
    name = f"{rng.choice('xwv')}{len(index)}"
    if name not in tensors:
        tensors[name] = Tensor(name, [rng.randint(1, 6) for _ in index])
    return Access(tensors[name], index, "relu" if rng.random() < 0.08 else "")
