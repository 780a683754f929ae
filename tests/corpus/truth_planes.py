"""True convolution forward, and gradients in two dimensions: coefficients of the loss, then compared."""

from __future__ import annotations

from fractions import Fraction
from math import floor

from .truth import Array, Conv, fact, full_convolution, full_correlation, span, valid_correlation
from .truth_lines import SMALL, K, N, fits2

# --- true convolution forward: all places where a term exists


def full_layer(n, k):
    h, x, delta = Array("h", k), Array("x", n), Array("delta", n + k - 1)
    points = [(i + j, j, i) for i in range(n) for j in range(k)]
    dh = {j: sum(delta[o] * x[a] for o, b, a in points if b == j) for j in range(k)}
    dx = {m: sum(delta[o] * h[b] for o, b, a in points if a == m) for m in range(n)}
    return h, x, delta, dh, dx


@fact("true-convolution-dh", n=N, k=K)
def _(n, k):
    _, x, delta, dh, _ = full_layer(n, k)
    return all(dh[j] == sum(delta[i] * x[i[0] - j] for i in delta) for j in dh)


@fact("true-convolution-dx", n=N, k=K)
def _(n, k):
    h, _, delta, _, dx = full_layer(n, k)
    return all(dx[m] == sum(delta[i] * h[i[0] - m] for i in delta) for m in dx)


@fact("true-convolution-dx-flipped", n=N, k=K)
def _(n, k):
    h, _, delta, _, dx = full_layer(n, k)
    return all(dx[m] == sum(delta[i] * h[m - i[0]] for i in delta) for m in dx)


def conv2_valid(x: Array, k: Array) -> Array:
    """MATLAB's conv2(x, k, 'valid')."""
    values = valid_correlation(x, k.flipped())
    y = Array("y", *(n - t + 1 for n, t in zip(x.shape, k.shape, strict=True)))
    y.changed.update(values)
    return y


@fact("bouvrie-matlab", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k), flip=True)
    turned = conv2_valid(c.x, c.delta.flipped()).flipped()
    return all(turned[j] == c.dw(j) for j in c.w)


# --- two dimensions


@fact("qiu-dw", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k), base=1, zero=False)
    return c.is_dw(lambda u, v: sum(
        c.delta[i, j] * c.x[i + u - 1, j + v - 1] for i in span(1, n - h + 1) for j in span(1, m - k + 1)))  # fmt: skip


def qiu_dx(n, m, h, k, zero):
    c = Conv((n, m), (h, k), base=1, zero=zero)
    return c.is_dx(lambda s, t: sum(
        c.w[s - i + 1, t - j + 1] * c.delta[i, j] for i in span(1, n - h + 1) for j in span(1, m - k + 1)))  # fmt: skip


@fact("qiu-dx", where=fits2, **SMALL)
def _(n, m, h, k):
    return qiu_dx(n, m, h, k, True)


@fact("qiu-dx-no-zero", where=fits2, **SMALL, zero=range(2))
def _(n, m, h, k, zero):
    return qiu_dx(n, m, h, k, zero)


@fact("jefkine-dw", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k), zero=False)
    return c.is_dw(lambda a, b: sum(
        c.delta[i, j] * c.x[i + a, j + b] for i in span(0, n - h) for j in span(0, m - k)))  # fmt: skip


@fact("jefkine-dw-rot", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return all(conv2_valid(c.x, c.delta.flipped())[j] == c.dw(j) for j in c.w)


@fact("jefkine-rot-of-a-scalar", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return c.is_dx(lambda i, j: sum(c.delta[i + a, j + b] * c.w[a, b] for a, b in c.w))


@fact("stackexchange-floor-bounds", where=fits2, **SMALL, s=range(1, 3), zero=range(2))
def _(n, m, h, k, s, zero):
    c = Conv((n, m), (h, k), s, base=1, zero=zero)
    return c.is_dx(lambda p, q: sum(
        c.delta[i, j] * c.w[p - (i - 1) * s, q - (j - 1) * s]
        for i in span(floor(Fraction(p - h, s) + 1), floor(Fraction(p - 1, s) + 1))
        for j in span(floor(Fraction(q - k, s) + 1), floor(Fraction(q - 1, s) + 1))
    ))  # fmt: skip


@fact("chapter-strided-dx", where=fits2, **SMALL, s=range(1, 4))
def _(n, m, h, k, s):
    c = Conv((n, m), (h, k), s)

    def chain(i, j):
        return sum(c.delta[o] * sum(c.w[b] for q, b, a in c.points if q == o and a == (i, j)) for o in c.delta)

    def claimed(i, j):
        return sum(c.delta[o] * c.w[i - o[0] * s, j - o[1] * s] for o in c.delta)

    return c.is_dx(chain), all(chain(*a) == claimed(*a) for a in c.x)


@fact("chapter-rot-doubled", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    middle = full_convolution(c.delta, c.w.flipped())
    return middle == {a: c.dx(a) for a in c.x}, middle == full_correlation(c.delta, c.w)


@fact("chapter-pad-rot", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return c.is_dx(lambda i, j: sum(
        c.delta[i + u - h + 1, j + v - k + 1] * c.w[h - 1 - u, k - 1 - v] for u, v in c.w))  # fmt: skip


@fact("chapter-rot-without-pad", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return c.is_dx(lambda i, j: sum(c.delta[i + u, j + v] * c.w[h - 1 - u, k - 1 - v] for u, v in c.w))


@fact("handbook-unit-stride-dx", where=fits2, **SMALL, zero=range(2))
def _(n, m, h, k, zero):
    c = Conv((n, m), (h, k), zero=zero)
    return c.is_dx(lambda r, q: sum(c.delta[r - a, q - b] * c.w[a, b] for a, b in c.w))


@fact("handbook-full-rot", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return full_convolution(c.delta, c.w.flipped()) == {a: c.dx(a) for a in c.x}


@fact("exam-full-rot", where=lambda n, m, k: k <= n and k <= m, n=range(1, 5), m=range(1, 5), k=range(1, 4))
def _(n, m, k):
    c = Conv((n, m), (k, k))
    return full_correlation(c.delta, c.w.flipped()) == {a: c.dx(a) for a in c.x}


@fact("chinese-notes-dk", where=fits2, **SMALL)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return valid_correlation(c.x, c.delta) == {j: c.dw(j) for j in c.w}


@fact("transpose-is-not-rot", where=lambda n, m, k: k <= n and k <= m, n=range(1, 5), m=range(1, 5), k=range(1, 4))
def _(n, m, k):
    c = Conv((n, m), (k, k))
    transposed = Array("transposed", k, k)
    transposed.changed.update({(b, a): c.w[a, b] for a, b in c.w})
    return full_correlation(c.delta, transposed) == {a: c.dx(a) for a in c.x}


@fact("medium-filter-element")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    g, x = c.delta, c.x
    return c.dw((1, 1)) == g[1, 1] * x[1, 1] + g[1, 2] * x[1, 2] + g[2, 1] * x[2, 1] + g[2, 2] * x[2, 2]


@fact("medium-input-element")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    g, f = c.delta, c.w
    return c.dx((2, 2)) == g[1, 1] * f[2, 2] + g[1, 2] * f[2, 1] + g[2, 1] * f[1, 2] + g[2, 2] * f[1, 1]


@fact("medium-input-element-typo")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    return c.dx((1, 2)) == c.delta[1, 1] * c.w[1, 2] + c.delta[1, 2] * c.w[1, 2]


@fact("ratsgo-dw11")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    d, x = c.delta, c.x
    return c.dw((1, 1)) == x[1, 1] * d[1, 1] + x[1, 2] * d[1, 2] + x[2, 1] * d[2, 1] + x[2, 2] * d[2, 2]


@fact("gonzalez-odd-mask-dw", n=range(1, 4), m=range(1, 4), a=range(2), b=range(3))
def _(n, m, a, b):
    w, f, delta = Array("w", 2 * a + 1, 2 * b + 1), Array("f", n, m), Array("delta", n, m)
    points = [(g, (s, t), (g[0] + s, g[1] + t)) for g in delta for s in span(-a, a) for t in span(-b, b)]

    def true(place):
        return sum(delta[g] * w[s + a, t + b] for g, (s, t), at in points if at == place)

    return all(true((x, y)) == sum(w[s + a, t + b] * delta[x - s, y - t] for s in span(-a, a) for t in span(-b, b))
               for x, y in f)  # fmt: skip
