"""Gradients in one dimension, counted from 0: stride, dilation, padding and whole-array forms."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import ceil, floor

from .truth import Conv, fact, full_convolution, full_correlation, span, valid_correlation
from .truth_lines import D, K, N, P, S, fits


@fact("strided-dw", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[s * i + j] for (i,) in c.delta))


@fact("strided-dw-forgotten", where=fits, when=lambda n, k, s: s == 1 or n - k < s, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j] for (i,) in c.delta))


@fact("strided-dx-implicit", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - s * i] for (i,) in c.delta))


@fact("strided-dx-substack", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[j] for (i,), (j,) in product(c.delta, c.w) if s * i + j == m))


@fact("strided-dx-bounds", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s, zero=False)
    return c.is_dx(lambda m: sum(
        c.delta[i] * c.w[m - s * i]
        for i in span(max(0, ceil(Fraction(m - k + 1, s))), min(floor(Fraction(n - k, s)), floor(Fraction(m, s))))
    ))  # fmt: skip


@fact("strided-dx-loose-bounds", where=fits, n=N, k=K, s=S, zero=range(2))
def _(n, k, s, zero):
    c = Conv(n, k, s, zero=zero)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - s * i] for i in span(ceil(Fraction(m - k + 1, s)), m // s)))


@fact("strided-dilated-delta", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)

    def dilated(t):
        return c.delta[t // s] if t % s == 0 else 0

    return c.is_dx(lambda m: sum(dilated(m - j) * c.w[j] for j in span(0, k - 1)))


@fact("strided-residue-class", where=fits, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dx(lambda m: sum(c.delta[m // s - t] * c.w[s * t + m % s] for t in span(-9, 9)))


@fact("stride-two-even", where=fits, n=range(1, 9), k=range(1, 6))
def _(n, k):
    c = Conv(n, k, 2)
    return all(c.dx(2 * m) == sum(c.w[2 * t] * c.delta[m - t] for t in span(-9, 9)) for m in span(0, (n - 1) // 2))


@fact("stride-two-odd-wrong", where=fits, n=range(1, 9), k=range(1, 6))
def _(n, k):
    c = Conv(n, k, 2)
    return all(c.dx(2 * m + 1) == sum(c.w[2 * t] * c.delta[m - t] for t in span(-9, 9)) for m in span(0, n // 2 - 1))


@fact("dilated-dw", where=fits, n=range(1, 9), k=K, d=D)
def _(n, k, d):
    c = Conv(n, k, d=d)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + d * j] for (i,) in c.delta))


@fact("dilated-dx", where=fits, n=range(1, 9), k=K, d=D)
def _(n, k, d):
    c = Conv(n, k, d=d)
    return c.is_dx(lambda m: sum(c.delta[m - d * j] * c.w[j] for j in span(0, k - 1)))


@fact("dilated-dx-forgotten", where=fits, when=lambda n, k, d: d == 1 or k == 1, n=range(1, 9), k=K, d=D)
def _(n, k, d):
    c = Conv(n, k, d=d)
    return c.is_dx(lambda m: sum(c.delta[m - j] * c.w[j] for j in span(0, k - 1)))


def one_output_and_tap(n, k, s, d):
    return s == d or (k == 1 and n - 1 < s)


@fact("strided-dilated-dw", where=fits, when=one_output_and_tap, n=range(1, 9), k=range(1, 4), s=S, d=D)
def _(n, k, s, d):
    c = Conv(n, k, s, d)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i * d + j * s] for (i,) in c.delta))


@fact("padded-dw", where=fits, n=range(1, 5), k=K, p=P)
def _(n, k, p):
    c = Conv(n, k, p=p)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j - p] for (i,) in c.delta))


@fact("padded-dx", where=fits, n=range(1, 5), k=K, p=P)
def _(n, k, p):
    c = Conv(n, k, p=p)
    return c.is_dx(lambda m: sum(c.delta[m + p - j] * c.w[j] for j in span(0, k - 1)))


@fact("padded-dx-wrong-sign", where=fits, when=lambda n, k, p: p == 0, n=range(1, 5), k=K, p=P)
def _(n, k, p):
    c = Conv(n, k, p=p)
    return c.is_dx(lambda m: sum(c.delta[m - p - j] * c.w[j] for j in span(0, k - 1)))


@fact("padded-dw-forgotten", where=fits, when=lambda n, k, p: p == 0, n=range(1, 5), k=K, p=P)
def _(n, k, p):
    c = Conv(n, k, p=p)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j] for (i,) in c.delta))


@fact("brackets-dw", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j] for (i,) in c.delta))


@fact("nabla-dw", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return valid_correlation(c.x, c.delta) == {j: c.dw(j) for j in c.w}


@fact("dx-full-convolution", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return full_convolution(c.delta, c.w) == {m: c.dx(m) for m in c.x}


@fact("dx-double-flip", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return full_convolution(c.delta, c.w.flipped()) == {m: c.dx(m) for m in c.x}


@fact("dx-rot-correlation", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return full_correlation(c.delta, c.w.flipped()) == {m: c.dx(m) for m in c.x}
