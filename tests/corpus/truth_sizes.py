"""Sizes, receptive fields, parameter counts and numbers: counted, then compared."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil, floor, prod

from .truth import fact, windows

I, K, S, P, D = range(1, 9), range(1, 5), range(1, 4), range(4), range(1, 4)


def fits(i: int, k: int, p: int = 0, d: int = 1, **_: int) -> bool:
    return d * (k - 1) + 1 <= i + 2 * p


def smallest_input(o: int, k: int, s: int, p: int, d: int = 1) -> int:
    """The smallest i whose convolution has o outputs: what a transposed convolution gives back."""
    return next(i for i in range(1, 99) if windows(i, k, s, p, d) == o)


def transposable(i: int, k: int, p: int, s: int = 1, d: int = 1, a: int = 0) -> bool:
    """The transposed output has at least one cell, and `a` cells can be left over."""
    return (i - 1) * s + d * (k - 1) + 1 - 2 * p >= 1 and a < s


def footprint(kernels: tuple[int, ...], strides: tuple[int, ...]) -> int:
    """How many inputs one output sees, by walking back through the layers."""
    seen = {0}
    for k, s in zip(reversed(kernels), reversed(strides), strict=True):
        seen = {s * i + j for i in seen for j in range(k)}
    return max(seen) - min(seen) + 1


def weights(c_out: int, c_in: int, k: int, groups: int = 1) -> int:
    """Count the distinct weights of a square 2-D layer one by one."""
    per_group = c_in // groups
    return len(set(product(range(c_out), range(per_group), range(k), range(k))))


@fact("dumoulin-unit-stride", where=fits, i=I, k=K)
def _(i, k):
    return windows(i, k) == (i - k) + 1


@fact("dumoulin-padded", where=fits, i=I, k=K, p=P)
def _(i, k, p):
    return windows(i, k, p=p) == (i - k) + 2 * p + 1


@fact("dumoulin-half-padding", i=I, k=range(1, 10, 2))
def _(i, k):
    o, e = windows(i, k, p=k // 2), i + 2 * (k // 2) - (k - 1)
    return o == e, e == i


@fact("dumoulin-half-padding-any-k", when=lambda i, k: k % 2, i=I, k=range(1, 8))
def _(i, k):
    return windows(i, k, p=k // 2) == i


@fact("dumoulin-full-padding", i=I, k=range(1, 8))
def _(i, k):
    e = i + 2 * (k - 1) - (k - 1)
    return windows(i, k, p=k - 1) == e, e == i + (k - 1)


@fact("dumoulin-strided", where=fits, i=range(1, 15), k=K, s=range(1, 5))
def _(i, k, s):
    return windows(i, k, s) == floor(Fraction(i - k, s)) + 1


@fact("dumoulin-strided-padded", where=fits, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == floor(Fraction(i + 2 * p - k, s)) + 1


@fact("dumoulin-dilated", where=fits, i=I, k=K, s=S, p=P, d=D)
def _(i, k, s, p, d):
    return windows(i, k, s, p, d) == floor(Fraction(i + 2 * p - k - (k - 1) * (d - 1), s)) + 1


@fact("dumoulin-transposed-unit", where=transposable, i=I, k=K, p=P)
def _(i, k, p):
    return smallest_input(i, k, 1, p) == i + (k - 1) - 2 * p


@fact("dumoulin-transposed-strided", where=transposable, i=range(1, 6), k=K, s=S, p=range(3), a=range(3))
def _(i, k, s, p, a):
    return smallest_input(i, k, s, p) + a == s * (i - 1) + a + k - 2 * p


@fact("pytorch-conv2d", where=fits, i=I, k=K, s=S, p=P, d=D)
def _(i, k, s, p, d):
    return windows(i, k, s, p, d) == floor(Fraction(i + 2 * p - d * (k - 1) - 1, s) + 1)


@fact("pytorch-conv-transpose2d", where=transposable, i=range(1, 5), k=range(1, 4), s=S, p=range(2), d=D, a=range(3))
def _(i, k, s, p, d, a):
    return smallest_input(i, k, s, p, d) + a == (i - 1) * s - 2 * p + d * (k - 1) + a + 1


@fact("gist-transposed-star", where=transposable, i=range(1, 6), k=K, s=S, p=range(3), a=range(3))
def _(i, k, s, p, a):
    return smallest_input(i, k, s, p) + a == (i - 1) * s - 2 * p + k + a


@fact(
    "gist-dilated-slash",
    where=fits, when=lambda i, k, s, p, d: (i + 2 * p - k - (k - 1) * (d - 1)) % s == 0, i=I, k=K, s=S, p=range(3), d=D,
)  # fmt: skip
def _(i, k, s, p, d):
    return windows(i, k, s, p, d) == Fraction(i + 2 * p - k - (k - 1) * (d - 1), s) + 1


@fact("cs231n-no-floor", where=fits, when=lambda i, k, s, p: (i - k + 2 * p) % s == 0, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == Fraction(i - k + 2 * p, s) + 1


@fact("cs231n-same", i=I, k=range(1, 10, 2))
def _(i, k):
    return windows(i, k, p=(k - 1) // 2) == i


@fact("coursera-layer", where=fits, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == floor(Fraction(i + 2 * p - k, s) + 1)


@fact("coursera-assignment", where=fits, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == floor(Fraction(i - k + 2 * p, s)) + 1


@fact("d2l-total-padding", where=lambda i, k, s, p: k <= i + p, i=I, k=K, s=S, p=range(6))
def _(i, k, s, p):
    return windows(i + p, k, s) == floor(Fraction(i - k + p + s, s))


@fact("d2l-read-per-side", where=fits, when=lambda i, k, p: p == 0, i=I, k=K, p=P)
def _(i, k, p):
    return windows(i, k, p=p) == i - k + p + 1


@fact("tensorflow-valid", where=fits, i=range(1, 15), k=K, s=range(1, 5))
def _(i, k, s):
    return windows(i, k, s) == ceil(Fraction(i - k + 1, s))


@fact("tensorflow-same", i=range(1, 12), k=range(1, 8, 2), s=range(1, 5))
def _(i, k, s):
    return windows(i, k, s, (k - 1) // 2) == ceil(Fraction(i, s))


@fact("boostcamp-height", where=fits, i=I, k=K)
def _(i, k):
    return windows(i, k) == i - k + 1


@fact("notes-missing-plus-one", where=fits, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == floor(Fraction(i - k + 2 * p, s))


@fact("notes-stride-plus-one", where=fits, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == floor(Fraction(i - k + 2 * p, s + 1))


@fact("notes-single-padding", where=fits, when=lambda i, k, p: p == 0, i=I, k=K, p=P)
def _(i, k, p):
    return windows(i, k, p=p) == i + p - k + 1


@fact("notes-dilation-forgets-one", where=fits, when=lambda i, k, d: d == 1, i=range(1, 12), k=K, d=D)
def _(i, k, d):
    return windows(i, k, d=d) == i - d * k + 1


@fact("notes-transposed-sign", where=transposable, when=lambda i, k, s, p: p == 0, i=range(1, 6), k=K, s=S, p=range(3))
def _(i, k, s, p):
    return smallest_input(i, k, s, p) == (i - 1) * s + k + 2 * p


@fact("vsipl-minimum-support", where=fits, i=I, k=K, s=S)
def _(i, k, s):
    return windows(i, k, s) == (i - 1) // s - (k - 1) // s + 1


@fact("full-length", i=I, k=K)
def _(i, k):
    reached = {a + b for a in range(i) for b in range(k)}
    return len(reached) == i + k - 1


@fact("backward-padding", where=fits, i=I, k=K)
def _(i, k):
    left, middle = windows(i, k) + 2 * (k - 1) - k + 1, (i - k + 1) + 2 * (k - 1) - k + 1
    return left == middle, middle == i


@fact("swapped-roles-ceil", where=fits, when=lambda i, k, s: (i - k) % s == 0, i=I, k=K, s=S)
def _(i, k, s):
    return windows(i, k, s) == ceil(Fraction(i - k, s)) + 1


LAYERS = {"k1": K, "k2": K, "k3": K, "s1": S, "s2": S, "s3": S}


@fact("csdn-receptive-field", **LAYERS)
def _(k1, k2, k3, s1, s2, s3):
    k, s = (k1, k2, k3), (s1, s2, s3)
    return all(footprint(k[:n], s[:n]) == footprint(k[:n - 1], s[:n - 1]) + (k[n - 1] - 1) * prod(s[:n - 1])
               for n in (1, 2, 3))  # fmt: skip


@fact("blog-receptive-field-one-stride", **LAYERS)
def _(k1, k2, k3, s1, s2, s3):
    k, s = (k1, k2, k3), (s1, s2, s3)
    return all(footprint(k[:n], s[:n]) == footprint(k[:n - 1], s[:n - 1]) + (k[n - 1] - 1) * s[n - 2]
               for n in (2, 3))  # fmt: skip


@fact("distill-receptive-field", **LAYERS)
def _(k1, k2, k3, s1, s2, s3):
    k, s = (k1, k2, k3), (s1, s2, s3)
    return all(footprint(k[:n], s[:n]) == sum((k[m] - 1) * prod(s[:m]) for m in range(n)) + 1 for n in (1, 2, 3))


@fact("stacked-receptive-field", k=range(1, 6), n=range(1, 6))
def _(k, n):
    return footprint((k,) * n, (1,) * n) == 1 + n * (k - 1)


@fact("cs231n-weights", k=K, c=range(1, 5), o=range(1, 5))
def _(k, c, o):
    return weights(o, c, k) + o == (k * k * c) * o + o


@fact("parameters-grouped-factor", k=K, c=range(1, 5), o=range(1, 5))
def _(k, c, o):
    return weights(o, c, k) + o == (k * k * c + 1) * o


@fact("parameters-one-bias", when=lambda k, c, o: o == 1, k=K, c=range(1, 5), o=range(1, 5))
def _(k, c, o):
    return weights(o, c, k) + o == k**2 * c * o + 1


@fact("parameters-groups", where=lambda k, c, o, g: c % g == o % g == 0, k=K, c=range(1, 7), o=range(1, 7), g=S)
def _(k, c, o, g):
    return weights(o, c, k, g) == o * Fraction(c, g) * k**2


@fact("mobilenet-depthwise-ratio", k=K, m=K, n=K, f=K)
def _(k, m, n, f):
    cost = Fraction(k * k * m * f * f + m * n * f * f, k * k * m * n * f * f)
    return cost == Fraction(1, n) + Fraction(1, k**2)


@fact("mobilenet-ratio-wrong-channel", when=lambda k, m, n: m == n, k=K, m=K, n=K)
def _(k, m, n):
    return Fraction(k**2 * m + m * n, k**2 * m * n) == Fraction(1, m) + Fraction(1, k**2)


@fact("alexnet-first-layer")
def _():
    return Fraction(227 - 11, 4) + 1 == 55


@fact("alexnet-first-layer-paper")
def _():
    return Fraction(224 - 11, 4) + 1 == 55


@fact("cs231n-not-an-integer")
def _():
    w, f, p, s = 10, 3, 0, 2
    middle = Fraction(10 - 3 + 0, 2) + 1
    return Fraction(w - f + 2 * p, s) + 1 == middle, middle == Fraction("4.5")


@fact("d2l-corner")
def _():
    return 0 * 0 + 1 * 1 + 3 * 2 + 4 * 3 == 19


@fact("patch-sum")
def _():
    return 1 + 0 - 3 + 6 + 0 - 8 + 11 + 0 - 13 == -6


@fact("receptive-number-chain")
def _():
    return 26 + (2 - 1) * 1 * 2 * 1 * 2 * 1 * 1 == 30


@fact("parameters-number")
def _():
    return (3 * 3 * 3 + 1) * 10 == 28 * 10, 28 * 10 == 280


@fact("parameters-number-wrong")
def _():
    return (5 * 5 * 3 + 1) * 32 == 76 * 32, 76 * 32 == 2400
