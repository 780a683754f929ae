"""Published mistakes, and formulas that only look mistaken: evaluated like the others."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

from .truth import Array, Conv, derivative, fact, sigma, sigma_prime, span, valid_correlation, windows
from .truth_continuous import PAIR, convolution, pair, reflected
from .truth_matrices import column, times
from .truth_sizes import fits, footprint, smallest_input, transposable, weights

N, K, S, P = range(1, 7), range(1, 5), range(1, 4), range(4)


def inside(n: int, k: int, **_: int) -> bool:
    return k <= n


@fact("size-minus-one", where=fits, i=range(1, 9), k=K, s=S, p=P)
def _(i, k, s, p):
    return windows(i, k, s, p) == (i - k + 2 * p) // s - 1


@fact("keras-transposed-length", when=lambda i, k, s: k >= s, i=range(1, 6), k=K, s=range(1, 6))
def _(i, k, s):
    return smallest_input(i, k, s, 0) == i * s + max(k - s, 0)


@fact("transposed-minus-one", where=transposable, i=range(1, 6), k=K, s=S, p=range(3))
def _(i, k, s, p):
    return smallest_input(i, k, s, p) == s * (i - 1) + k - 2 * p - 1


@fact("number-same-padding")
def _():
    return Fraction(32 - 5 + 2 * 2, 1) + 1 == 31


@fact("number-mnist")
def _():
    return (28 - 3 + 1) * (28 - 3 + 1) == 26 * 26


@fact("receptive-linear", k=K, n=range(1, 5))
def _(k, n):
    return footprint((k,) * n, (1,) * n) == 1 + n * k


@fact("parameters-no-bias", k=K, c=K, o=K)
def _(k, c, o):
    return weights(o, c, k) + o == k * k * c * o


@fact("dw-negative", where=inside, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda j: -sum(c.delta[i] * c.x[i + j - 1] for (i,) in c.delta))


@fact("dw-kept-weight", where=inside, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dw(lambda j: sum(c.delta[i] * c.w[j] * c.x[i + j - 1] for (i,) in c.delta))


@fact("dx-of-itself", where=inside, n=N, k=K)
def _(n, k):
    c = Conv(n, k, base=1)
    return c.is_dx(lambda m: sum(c.delta[i] * c.x[m - i + 1] for (i,) in c.delta))


@fact("dw-rotated", where=inside, n=N, k=K)
def _(n, k):
    c = Conv(n, k)
    valid = valid_correlation(c.x, c.delta)
    return all(valid[(k - 1 - j,)] == c.dw(j) for (j,) in c.w)


@fact("strided-dx-base-mixed", where=inside, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)
    return c.is_dx(lambda m: sum(c.delta[i] * c.w[m - s * i + 1] for (i,) in c.delta))


@fact("strided-too-many-zeros", where=inside, when=lambda n, k, s: n - k < s, n=N, k=K, s=S)
def _(n, k, s):
    c = Conv(n, k, s)

    def spread(t):
        return c.delta[t // (s + 1)] if t % (s + 1) == 0 else 0

    return c.is_dx(lambda m: sum(spread(m - j) * c.w[j] for j in span(0, k - 1)))


@fact("filter-element-wrong-patch")
def _():
    c = Conv((3, 3), (2, 2), base=1)
    return c.dw((1, 2)) == sum(c.delta[i, j] * c.x[i, j] for i in (1, 2) for j in (1, 2))


@fact("bp2-wrong-layer", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    w, z, delta = Array("w", rows, columns), Array("z", columns), Array("delta", rows)
    later = [sum(w[k, j] * sigma(z[j]) for j in range(columns)) for k in range(rows)]

    def loss():
        return sum((sigma(z[j]) * (w[k, j] * delta[k]) for k, j in w), 0)

    return all(derivative(loss, z, j) == sum(w[k, j] * delta[k] * sigma_prime(later[k]) for k in range(rows))
               for j in range(columns))  # fmt: skip


@fact("bp4-no-input", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    w, a, delta = Array("w", rows, columns), Array("a", columns), Array("delta", rows)

    def loss():
        return sum((w[j, k] * a[k] * delta[j] for j, k in w), 0)

    return all(derivative(loss, w, (j, k)) == delta[j] for j, k in w)


def plane(m, n, h, k, form):
    image, kernel = Array("I", m, n), Array("K", h, k)
    wide = list(product(span(-5, 5), span(-5, 5)))
    return all(sum(image[a, b] * kernel[i - a, j - b] for a, b in image)
               == sum(form(image, kernel, i, j, *t) for t in wide)
               for i, j in product(span(-1, 4), span(-1, 4)))  # fmt: skip


PLANE = {"m": range(1, 3), "n": range(1, 3), "h": range(1, 3), "k": range(1, 3)}


@fact("one-index-substituted", **PLANE)
def _(m, n, h, k):
    return plane(m, n, h, k, lambda image, kernel, i, j, a, b: image[i - a, b] * kernel[a, j - b])


@fact("one-index-correlated", **PLANE)
def _(m, n, h, k):
    return plane(m, n, h, k, lambda image, kernel, i, j, a, b: image[i - a, j + b] * kernel[a, b])


@fact("circular-plus", when=lambda n: n <= 2, n=range(1, 7))
def _(n):
    x, h = Array("x", n), Array("h", n)
    return all(sum(x[m] * h[(i - m) % n] for m in range(n)) == sum(x[m] * h[(i + m) % n] for m in range(n))
               for i in range(n))  # fmt: skip


@fact("continuous-reflected-argument", **PAIR)
def _(f, g):
    p, q = pair(f, g)
    return convolution(p, q) == convolution(p, reflected(q))


@fact("toeplitz-gradient-not-transposed")
def _():
    c = Conv(3, 2, base=1)
    a, b = column(c.w)
    return [c.dx(m) for m in c.x] == times([[b, 0], [a, b], [0, a]], column(c.delta))
