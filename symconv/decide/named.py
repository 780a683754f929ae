"""The table of named equations: each row carries its own definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from symconv.affine import Affine

# One spatial axis of a named convolution, in terms of: o the result's index, i the data's, t the
# kernel's tap, K the kernel's extent, E the result's, s stride, d dilation, p padding.


@dataclass(frozen=True)
class Size:
    """What a row's definition may use besides indices."""

    K: Affine
    E: Affine
    s: int
    d: int
    p: int


Definition = Callable[[Affine, Affine, Size], Affine]


@dataclass(frozen=True)
class Convolution:
    """A sum over taps of data times kernel.

    Args:
        name: with {a} the data and {b} the kernel.
        data: index of the data in terms of (o, t), or None where `result` is given instead.
        result: index of the result in terms of (i, t): every pair that lands there is summed.
        kernel: index of the kernel in terms of its tap.
        signs: of the stride and of the dilation in the relation this row leaves between indices.
        padding: p from the rest of that relation.
        unit_stride: the row stands for stride 1 only.
        cropped: p counts what is cut off the full result, not what is added to the data.
    """

    name: str
    signs: tuple[int, int]
    padding: Callable[[Affine, Size], Affine]
    data: Definition | None = None
    result: Definition | None = None
    kernel: Callable[[Affine, Size], Affine] = lambda t, z: t
    unit_stride: bool = False
    cropped: bool = False


def _flipped(t: Affine, z: Size) -> Affine:
    return z.K - 1 - t


CONVOLUTIONS = (
    Convolution("full correlation of {a} with the flipped kernel {b}", (1, -1), lambda c, z: c,
        data=lambda o, t, z: o + z.d * t - z.d * (z.K - 1) + z.p, kernel=_flipped,
        unit_stride=True, cropped=True),
    Convolution("full correlation of {a} with {b}", (1, 1), lambda c, z: c + z.d * (z.K - 1),
        data=lambda o, t, z: o + z.d * t - z.d * (z.K - 1) + z.p, unit_stride=True, cropped=True),
    Convolution("cross-correlation of {a} with {b}", (1, 1), lambda c, z: -c,
        data=lambda o, t, z: z.s * o + z.d * t - z.p),
    Convolution("convolution of {a} with {b}", (1, -1), lambda c, z: z.d * (z.K - 1) - c,
        data=lambda o, t, z: z.s * o + z.d * t - z.p, kernel=_flipped),
    Convolution("transposed convolution of {a} with {b}", (1, 1), lambda c, z: -c,
        result=lambda i, t, z: z.s * i + z.d * t - z.p),
    Convolution("transposed convolution of {a} with the flipped kernel {b}", (1, -1), lambda c, z: z.d * (z.K - 1) - c,
        result=lambda i, t, z: z.s * i + z.d * t - z.p, kernel=_flipped),
    Convolution("flipped cross-correlation of {a} with {b}", (-1, 1), lambda c, z: z.s * (z.E - 1) - c,
        data=lambda o, t, z: z.s * (z.E - 1 - o) + z.d * t - z.p),
)


@dataclass(frozen=True)
class Product:
    """A product of two tensors by which axes they share with the result (o) and each other.

    Args:
        kinds: for each group of axes, who carries it: result, first factor a, second factor b.
        name: with {a}, {b}; {A}, {B} and {transposed} where the order of axes asks for a transpose.
        ranks: axes of a and of b.
    """

    kinds: tuple[str, ...]
    name: str
    ranks: tuple[int, int]


PRODUCTS = (
    Product(("ab", "oa"), "{transposed}matrix-vector product {A} {b}", (2, 1)),
    Product(("ab",), "inner product of {a} and {b}", (1, 1)),
    Product(("oa", "ob"), "outer product of {a} and {b}", (1, 1)),
    Product(("ab", "oa", "ob"), "matrix product of {A} and {B}", (2, 2)),
)
