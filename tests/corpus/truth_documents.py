"""Formulas of the whole documents that no entry of the corpus states already."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

from .truth import Array, Conv, derivative, fact, sigma, span, windows
from .truth_activations import dense, dense_delta
from .truth_identities import signal
from .truth_layers import input_gradient_is, kernel_gradient_is, multichannel, rows, transposed
from .truth_lines import SMALL, D, K, N, fits, fits2
from .truth_matrices import column, times
from .truth_sizes import I, P, S
from .truth_sizes import fits as fits_padded

CHANNELS = {"b": range(1, 3), "o": range(1, 3), "c": range(1, 3), "n": range(1, 4), "k": range(1, 3)}


@fact("dx-implicit", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - i + 1] for (i,) in c.delta))


@fact("dx-swapped", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[i - m + 1] for (i,) in c.delta))


@fact("dx-plus", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m + i] for (i,) in c.delta))


@fact("dx-plane-swapped", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k), base=1)
    return c.is_dx(lambda s, t: sum(c.w[i - s + 1, j - t + 1] * c.delta[i, j] for i, j in c.delta))


@fact("missing-column-sum", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k), base=1)
    return c.is_dw(lambda u, v: sum(c.delta[i, v] * c.x[i + u - 1, v] for i in span(1, n - h + 1)))


@fact("ceil-padded", where=fits_padded, when=lambda i, k, s, p: (i + 2 * p - k) % s == 0, i=I, k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == ceil(Fraction(i + 2 * p - k, s)) + 1


@fact("n26")
def _():
    return 28 - 3 + 1 == 26


@fact("n3")
def _():
    return (5 + 2 - 3) // 2 + 1 == 3


@fact("n6")
def _():
    return 8 - 3 + 1 == 6


@fact("batch-dk-unit", where=fits, **CHANNELS)
def _(b, o, c, n, k):
    w, x, delta, points = multichannel(o, c, n, k, batch=b)

    def claimed(o, c, u, v):
        return sum(delta[e, o, h, q] * x[e, c, h + u, q + v]
                   for e in range(b) for h in rows(delta, 2) for q in rows(delta, 3))  # fmt: skip

    return kernel_gradient_is(claimed, w, x, delta, points)


@fact("batch-dx-unit", where=fits, **CHANNELS)
def _(b, o, c, n, k):
    w, x, delta, points = multichannel(o, c, n, k, batch=b)

    def claimed(e, c, i, j):
        return sum(delta[e, a, i - u, j - v] * w[a, c, u, v] for a in range(o) for u in range(k) for v in range(k))

    return input_gradient_is(claimed, w, x, delta, points)


@fact("batch-dk-not-moving", where=fits, **CHANNELS)
def _(b, o, c, n, k):
    w, x, delta, points = multichannel(o, c, n, k, batch=b)

    def claimed(o, c, u, v):
        return sum(delta[e, a, h, q] * x[e, c, u, v] for e, a, h, q in delta if a == o)

    return kernel_gradient_is(claimed, w, x, delta, points)


@fact("bp3", count=range(1, 5))
def _(count):
    delta, bias = Array("delta", count), Array("b", count)
    return all(derivative(lambda: sum((bias[i] * delta[i] for i in range(count)), 0), bias, k) == delta[k]
               for k in range(count))  # fmt: skip


@fact("bp4-sigma", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    w, z, delta = dense(rows, columns)

    def loss():
        return sum((sigma(z[j]) * w[k, j] * delta[k] for k, j in w), 0)

    return all(derivative(loss, w, (k, j)) == delta[k] * sigma(z[j]) for k, j in w)


@fact("bp2-lost", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    return dense_delta(rows, columns, lambda w, z, delta, j: sum(w[k, j] * delta[k] for k in range(rows)))


@fact("first-tap", where=fits, n=N, k=K, d=D)
def _(n, k, d):
    c = Conv(n, k, d=d)
    return c.dw(0) == sum(c.delta[i] * c.x[i] for (i,) in c.delta)


@fact(
    "second-tap", where=lambda n, k, d: k > 1 and fits(n, k, d=d), when=lambda n, k, d: d == 1, n=range(2, 10), k=K, d=D
)
def _(n, k, d):
    c = Conv(n, k, d=d)
    return c.dw(1) == sum(c.delta[i] * c.x[i + 1] for (i,) in c.delta)


@fact("toeplitz-2-4")
def _():
    c = Conv(4, 2, base=1)
    a, b = column(c.w)
    return [c.out(i) for i in c.delta] == times([[a, b, 0, 0], [0, a, b, 0], [0, 0, a, b]], column(c.x))


@fact("toeplitz-2-4-back")
def _():
    c = Conv(4, 2, base=1)
    a, b = column(c.w)
    return [c.dx(m) for m in c.x] == times([[a, 0, 0], [b, a, 0], [0, b, a], [0, 0, b]], column(c.delta))


@fact("x2-element")
def _():
    c = Conv(4, 2, base=1)
    return c.dx(2) == c.delta[1] * c.w[2] + c.delta[2] * c.w[1]


@fact("x2-not-crossed")
def _():
    c = Conv(4, 2, base=1)
    return c.dx(2) == c.delta[1] * c.w[1] + c.delta[2] * c.w[2]


@fact("commuted-forward", n=K, k=K)
def _(n, k):
    h, x = signal("h", k), signal("x", n)
    return all(sum(h[j] * x.get(i - j, 0) for j in h) == sum(x[m] * h.get(i - m, 0) for m in x) for i in span(-9, 9))


@fact("correlated-forward", n=K, k=K)
def _(n, k):
    h, x = signal("h", k), signal("x", n)
    return all(sum(h[j] * x.get(i - j, 0) for j in h) == sum(x[m] * h.get(m - i, 0) for m in x)
               for i in span(0, n + k - 2))  # fmt: skip


@fact("transposed-dw-wrong", when=lambda n, k, s: s == 1 or n == k == 1, n=K, k=K, s=S)
def _(n, k, s):
    w, x, delta, points = transposed(n, k, s)
    return kernel_gradient_is(lambda j: sum(delta[i + s * j] * x[i] for i in range(n)), w, x, delta, points)


@fact("transposed-dx-flip", n=K, k=K, s=S)
def _(n, k, s):
    w, x, delta, points = transposed(n, k, s)
    return input_gradient_is(lambda i: sum(delta[s * i - j] * w[j] for j in range(k)), w, x, delta, points)


@fact("plane-dk-chain", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))

    def chain(*j):
        return sum(c.delta[o] * sum(c.x[a] for q, b, a in c.points if q == o and b == j) for o in c.delta)

    def claimed(a, b):
        return sum(c.delta[i, j] * c.x[i + a, j + b] for i, j in c.delta)

    return c.is_dw(chain), all(chain(*j) == claimed(*j) for j in c.w)


@fact("handbook-zero", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return c.is_dx(lambda i, j: sum(c.delta[i - a, j - b] * c.w[a, b] for a, b in c.w))


@fact("plane-one-sign", where=fits2, when=lambda n, m, h, k: k == 1, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return c.is_dx(lambda i, j: sum(c.delta[i - a, j + b] * c.w[a, b] for a, b in c.w))


@fact("x5-element")
def _():
    c = Conv(5, 3, base=1)
    return c.dx(5) == c.delta[3] * c.w[3]


@fact("w1-element")
def _():
    c = Conv(5, 3, base=1)
    return c.dw(1) == c.delta[1] * c.x[1] + c.delta[2] * c.x[2] + c.delta[3] * c.x[3]


@fact("w3-element-wrong")
def _():
    c = Conv(5, 3, base=1)
    return c.dw(3) == c.delta[1] * c.x[1] + c.delta[2] * c.x[2] + c.delta[3] * c.x[3]


@fact("x2-element-5")
def _():
    c = Conv(5, 3, base=1)
    return c.dx(2) == c.delta[1] * c.w[2] + c.delta[2] * c.w[1]
