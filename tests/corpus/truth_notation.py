"""The formulas in other dress: the facts are those of plainer entries, or stated here."""

from __future__ import annotations

from fractions import Fraction

from .truth import Array, Conv, derivative, fact, full_correlation, span, windows
from .truth_lines import K, N, bias_gradient, fits
from .truth_sizes import I, P, S
from .truth_sizes import fits as fits_padded

WIDTH = range(1, 5)


def kernel_gradient(n, k):
    c = Conv(n, k, base=1, zero=False)
    return c.is_dw(lambda j: sum(c.delta[i] * c.x[i + j - 1] for i in span(1, n - k + 1)))


for same in ("ellipsis-dw", "upright-d", "displaystyle-limits", "unicode-dw"):
    fact(same, where=fits, n=N, k=K)(kernel_gradient)


@fact("flip-circledast", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return full_correlation(c.delta, c.w.flipped()) == {m: c.dx(m) for m in c.x}


def dense(n, m):
    """o_i = sum_j W_ij x_j with the loss sum delta o."""
    w, x, delta = Array("W", n, m), Array("x", m), Array("delta", n)
    return w, x, delta, lambda: sum((w[i, j] * x[j] * delta[i] for i, j in w), 0)


@fact("dense-transposed", n=WIDTH, m=WIDTH)
def _(n, m):
    w, x, delta, loss = dense(n, m)
    return all(derivative(loss, x, j) == sum(w[i, j] * delta[i] for i in range(n)) for j in range(m))


@fact("dense-outer", n=WIDTH, m=WIDTH)
def _(n, m):
    w, x, delta, loss = dense(n, m)
    return all(derivative(loss, w, (i, j)) == delta[i] * x[j] for i, j in w)


@fact("dense-outer-turned", when=lambda n: n == 1, n=WIDTH)
def _(n):
    w, x, delta, loss = dense(n, n)
    return all(derivative(loss, w, (i, j)) == x[i] * delta[j] for i, j in w)


@fact("coursera-db", where=lambda n, m, h, k: h <= n and k <= m, n=WIDTH, m=WIDTH, h=range(1, 3), k=range(1, 3))
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return bias_gradient(c) == sum(c.delta[i, j] for i in span(0, n - h) for j in span(0, m - k))


def step(n, k, rate, claimed_rate):
    c = Conv(n, k, base=1)
    claimed = {j: c.w[j] - claimed_rate * sum(c.delta[i] * c.x[i[0] + j[0] - 1] for i in c.delta) for j in c.w}
    return all(claimed[j] == c.w[j] - rate * c.dw(j) for j in c.w)


@fact("update-superscript-time", where=lambda n, k, rate: k <= n, n=N, k=K, rate=range(1, 4))
def _(n, k, rate):
    return step(n, k, rate, rate)


@fact("update-no-rate", where=lambda n, k, rate: k <= n, when=lambda n, k, rate: rate == 1, n=N, k=K, rate=range(1, 4))
def _(n, k, rate):
    return step(n, k, rate, 1)


def centred(n, r, claimed):
    """y_i = sum over j from -r to r of w_j x_{i+j}, as many outputs as inputs."""
    w, x, delta = Array("w", 2 * r + 1, base=-r), Array("x", n), Array("delta", n)
    true = [sum(delta[i] * w[m - i] for i in range(n) if -r <= m - i <= r) for m in range(n)]
    return all(true[m] == claimed(w, delta, m) for (m,) in x)


@fact("centred-dx", n=range(1, 6), r=range(3))
def _(n, r):
    return centred(n, r, lambda w, delta, m: sum(w[j] * delta[m - j] for j in span(-r, r)))


@fact("centred-dx-not-flipped", when=lambda n, r: r == 0 or n == 1, n=range(1, 6), r=range(3))
def _(n, r):
    return centred(n, r, lambda w, delta, m: sum(w[j] * delta[m + j] for j in span(-r, r)))


@fact("centred-dx-rewritten", n=range(1, 6), r=range(3))
def _(n, r):
    return centred(n, r, lambda w, delta, m: sum(w[-j] * delta[m + j] for j in span(-r, r)))


@fact("bounds-not-reversed", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return c.is_out(lambda i: sum(c.w[k - 1 - j] * c.x[i + j] for j in span(0, k - 1)))


@fact("bounds-reversed", where=fits, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    return c.is_out(lambda i: sum(c.w[k - 1 - j] * c.x[i + k - 1 - j] for j in span(0, k - 1)))


@fact("size-side-condition", where=lambda i, k, s, p: fits_padded(i, k, p) and (i + 2 * p - k) % s == 0,
      i=I, k=K, s=S, p=P)  # fmt: skip
def _(i, k, s, p):
    return windows(i, k, s, p) == Fraction(i + 2 * p - k, s) + 1


@fact("separable-kernel", n=range(1, 4), m=range(1, 4), h=range(1, 4), k=range(1, 4))
def _(n, m, h, k):
    u, v, x = Array("u", h), Array("v", k), Array("X", n, m)
    kernel = {(a, b): u[a] * v[b] for a in range(h) for b in range(k)}
    return all(sum(kernel[a, b] * x[i + a, j + b] for a, b in kernel)
               == sum(u[a] * sum(v[b] * x[i + a, j + b] for b in range(k)) for a in range(h))
               for i, j in x)  # fmt: skip


def squared(n, k, factor):
    """The loss factor * sum (o - t)^2, doubled to stay an integer, against twice the claim."""
    w, x, t = Array("w", k), Array("x", n), Array("t", n - k + 1)

    def error(i):
        return sum((w[j] * x[i + j] for j in range(k)), 0) + t[i] * -1

    def loss():
        return sum((error(i) * error(i) * factor for i in range(n - k + 1)), 0)

    claimed = [sum(error(i) * x[i + j] for i in range(n - k + 1)) for j in range(k)]
    return all(derivative(loss, w, j) == 2 * claimed[j] for j in range(k))


@fact("squared-loss", where=fits, n=N, k=K)
def _(n, k):
    return squared(n, k, 1)


@fact("squared-loss-factor", where=fits, n=N, k=K)
def _(n, k):
    return squared(n, k, 2)
