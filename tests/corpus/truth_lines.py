"""Gradients, elements and updates of layers with one channel: coefficients of the loss, then compared."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from .truth import Conv, fact, span

N, K, S, D, P = range(1, 7), range(1, 5), range(1, 4), range(1, 4), range(4)
SMALL = {"n": range(1, 4), "m": range(1, 4), "h": range(1, 4), "k": range(1, 3)}


def fits(n: int, k: int, p: int = 0, d: int = 1, **_: int) -> bool:
    return d * (k - 1) + 1 <= n + 2 * p


def fits2(n: int, m: int, h: int, k: int, **_: int) -> bool:
    return h <= n and k <= m


# --- one dimension, counted from 1


@fact("boostcamp-dw", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda i: sum(c.delta[j] * c.x[i + j[0] - 1] for j in c.delta))


@fact("dw-explicit-bounds", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1, zero=False)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j - 1] for i in span(1, n - k + 1)))


@fact("dw-chain-rule", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    inner = {(i, j): sum(c.x[a] for o, b, a in c.points if o == i and b == j) for i in c.delta for j in c.w}

    def chain(j):
        return sum(c.delta[i] * inner[i, (j,)] for i in c.delta)

    return c.is_dw(chain), all(chain(j) == sum(c.delta[i] * c.x[i[0] + j - 1] for i in c.delta) for (j,) in c.w)


@fact("dw-bound-is-kernel", where=fits, when=lambda n, k: n <= 2 * k - 1, n=range(1, 9), k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda i: sum(c.delta[j] * c.x[i + j - 1] for j in span(1, k)))


@fact("dw-minus", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda i: sum(c.delta[j] * c.x[j[0] - i + 1] for j in c.delta))


@fact("dw-shifted", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda i: sum(c.delta[j] * c.x[i + j[0]] for j in c.delta))


@fact("dw-delta-outside-the-sum", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda i: sum(c.delta[i] * c.x[i + j[0] - 1] for j in c.delta))


def dx_over_kernel(n, k, zero):
    c = Conv(n, k, base=1, zero=zero)
    return c.is_dx(lambda i: sum(c.delta[i - j + 1] * c.w[j] for j in span(1, k)))


@fact("dx-explicit-no-zero", where=fits, n=N, k=K, zero=range(2))
def _(n, k, zero):
    return dx_over_kernel(n, k, zero)


@fact("dx-explicit-zero", where=fits, n=N, k=K)
def _(n, k):
    return dx_over_kernel(n, k, True)


@fact("dx-max-min", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1, zero=False)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - i + 1] for i in span(max(1, m - k + 1), min(m, n - k + 1))))


@fact("dx-max-min-short", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1, zero=False)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - i + 1] for i in span(max(1, m - k + 1), min(m, n - k))))


@fact("dx-not-flipped", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda i: sum(c.w[j] * c.delta[i + j[0] - 1] for j in c.w))


@fact("dx-flipped-kernel-explicit", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda m: sum(c.w[k - j + 1] * c.delta[m - k + j] for j in span(1, k)))


@fact("dx-flipped-kernel-off", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda m: sum(c.w[k - j] * c.delta[m - k + j] for j in span(1, k)))


@fact("do-dw", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return all(sum(c.x[a] for o, b, a in c.points if o == (i,) and b == (j,)) == c.x[i + j - 1]
               for (i,), (j,) in product(c.delta, c.w))  # fmt: skip


def inner_dx(n, k, zero, claimed):
    c = Conv(n, k, base=1, zero=zero)
    return all(sum(c.w[b] for o, b, a in c.points if o == (i,) and a == (m,)) == claimed(c.w, i, m)
               for (i,), (m,) in product(c.delta, c.x))  # fmt: skip


@fact("do-dx", where=fits, n=N, k=K)
def _(n, k):
    return inner_dx(n, k, True, lambda w, i, m: w[m - i + 1])


@fact("do-dx-no-zero", where=fits, n=N, k=K, zero=range(2))
def _(n, k, zero):
    return inner_dx(n, k, zero, lambda w, i, m: w[m - i + 1])


@fact("do-dx-swapped", where=fits, n=N, k=K)
def _(n, k):
    return inner_dx(n, k, True, lambda w, i, m: w[i - m + 1])


@fact("output-element")
def _():
    c = Conv(5, 3, base=1)
    return c.out(2) == c.w[1] * c.x[2] + c.w[2] * c.x[3] + c.w[3] * c.x[4]


@fact("x3-gradient")
def _():
    c = Conv(5, 3, base=1)
    return c.dx(3) == c.delta[1] * c.w[3] + c.delta[2] * c.w[2] + c.delta[3] * c.w[1]


@fact("x3-gradient-any-n", when=lambda n: n >= 5, n=range(3, 10))
def _(n):
    c = Conv(n, 3, base=1, zero=False)
    return c.dx(3) == c.delta[1] * c.w[3] + c.delta[2] * c.w[2] + c.delta[3] * c.w[1]


@fact("x3-gradient-not-crossed")
def _():
    c = Conv(5, 3, base=1)
    return c.dx(3) == c.delta[1] * c.w[1] + c.delta[2] * c.w[2] + c.delta[3] * c.w[3]


@fact("corner-element", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1, zero=False)
    return c.dx(1) == c.delta[1] * c.w[1]


@fact("contribution-of-o3")
def _():
    c = Conv(5, 3, base=1)
    return c.delta[3] * sum(c.w[b] for o, b, a in c.points if o == a == (3,)) == c.delta[3] * c.w[1]


@fact("contribution-to-w2")
def _():
    c = Conv(5, 3, base=1)
    local = sum(c.x[a] for o, b, a in c.points if o == (1,) and b == (2,))
    return c.delta[1] * local == c.delta[1] * c.x[1]


def bias_gradient(c: Conv) -> int:
    """The bias stands in every output once."""
    return sum(c.delta[o] * 1 for o in c.delta)


@fact("bias-sum", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return bias_gradient(c) == sum(c.delta[i] for i in span(1, n - k + 1))


@fact("bias-mean", where=fits, when=lambda n, k: n == k, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return bias_gradient(c) == Fraction(1, n - k + 1) * sum(c.delta[i] for i in span(1, n - k + 1))


def step(n, k, sign):
    c, eta = Conv(n, k, base=1), 7
    claimed = {j: c.w[j] + sign * eta * sum(c.delta[i] * c.x[i[0] + j[0] - 1] for i in c.delta) for j in c.w}
    return all(claimed[j] == c.w[j] - eta * c.dw(j) for j in c.w)


@fact("update-written-out", where=fits, n=N, k=K)
def _(n, k):
    return step(n, k, -1)


@fact("update-ascent", where=fits, n=N, k=K)
def _(n, k):
    return step(n, k, +1)
