"""Layers with channels, batches and groups, transposed ones: coefficients of the loss, then compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product

from .truth import Array, Conv, fact, span

TWO = range(1, 3)
Points = list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]


def coefficient(points: Points, slot: int, place: tuple[int, ...], first: Array, second: Array) -> int:
    """The factor of one element in the loss: `slot` says which of (output, kernel, input) it is in the points."""
    others = [i for i in range(3) if i != slot]
    return sum(first[p[others[0]]] * second[p[others[1]]] for p in points if p[slot] == place)


def multichannel(c_out, c_in, n, k, s=1, base=0, batch=1) -> tuple[Array, Array, Array, Points]:
    """Kernel (o, c, u, v), input (b, c, i, j), delta (b, o, i, j), square, valid, and the summation points."""
    m = (n - k) // s + 1
    w, x = Array("w", c_out, c_in, k, k, base=base), Array("x", batch, c_in, n, n, base=base)
    delta = Array("delta", batch, c_out, m, m, base=base)
    points = [
        ((b, o, i, j), (o, c, u, v), (b, c, (i - base) * s + u, (j - base) * s + v))
        for b, o, i, j in delta for _, c, u, v in product((0,), *(range(base, base + e) for e in (c_in, k, k)))
    ]  # fmt: skip
    return w, x, delta, points


def kernel_gradient_is(claimed: Callable[..., int], w: Array, x: Array, delta: Array, points: Points) -> bool:
    return all(claimed(*j) == coefficient(points, 1, j, delta, x) for j in w)


def input_gradient_is(claimed: Callable[..., int], w: Array, x: Array, delta: Array, points: Points) -> bool:
    return all(claimed(*a) == coefficient(points, 2, a, delta, w) for a in x)


def rows(array: Array, axis: int) -> Iterable[int]:
    return range(array.base, array.base + array.shape[axis])


CHANNELS = {"o": TWO, "c": TWO, "n": range(1, 4), "k": TWO}


def fits(n: int, k: int, **_: int) -> bool:
    return k <= n


@fact("goodfellow-9.11", where=fits, **CHANNELS, s=TWO)
def _(o, c, n, k, s):
    w, v, g, points = multichannel(o, c, n, k, s, base=1)

    def claimed(i, j, a, b):
        return sum(g[1, i, m, q] * v[1, j, (m - 1) * s + a, (q - 1) * s + b] for m in rows(g, 2) for q in rows(g, 3))

    return kernel_gradient_is(claimed, w, v, g, points)


@fact("goodfellow-9.13", where=fits, **CHANNELS, s=TWO)
def _(o, c, n, k, s):
    w, v, g, points = multichannel(o, c, n, k, s, base=1)

    def claimed(_, i, j, a):
        first = [(r, m) for r in rows(g, 2) for m in rows(w, 2) if (r - 1) * s + m == j]
        second = [(t, p) for t in rows(g, 3) for p in rows(w, 3) if (t - 1) * s + p == a]
        return sum(w[q, i, m, p] * g[1, q, r, t] for (r, m), (t, p) in product(first, second) for q in rows(g, 1))

    return input_gradient_is(claimed, w, v, g, points)


@fact("goodfellow-9.11-no-stride", where=fits, when=lambda o, c, n, k, s: s == 1 or n - k < s, **CHANNELS, s=TWO)
def _(o, c, n, k, s):
    w, v, g, points = multichannel(o, c, n, k, s, base=1)

    def claimed(i, j, a, b):
        return sum(g[1, i, m, q] * v[1, j, m + a - 1, q + b - 1] for m in rows(g, 2) for q in rows(g, 3))

    return kernel_gradient_is(claimed, w, v, g, points)


@fact("goodfellow-9.13-swapped", where=fits, **CHANNELS)
def _(o, c, n, k):
    w, v, g, points = multichannel(o, c, n, k, base=1)

    def claimed(_, i, j, a):
        return sum(w[i, q, m, p] * g[1, q, j - m + 1, a - p + 1]
                   for m in rows(w, 2) for p in rows(w, 3) for q in rows(w, 1))  # fmt: skip

    return input_gradient_is(claimed, w, v, g, points)


@fact("chapter-batch-dk", where=fits, **CHANNELS, s=TWO, batch=TWO)
def _(o, c, n, k, s, batch):
    w, x, delta, points = multichannel(o, c, n, k, s, batch=batch)

    def claimed(co, ci, u, v):
        return sum(delta[b, co, h, q] * x[b, ci, h * s + u, q * s + v]
                   for b in range(batch) for h in rows(delta, 2) for q in rows(delta, 3))  # fmt: skip

    return kernel_gradient_is(claimed, w, x, delta, points)


def batch_bias(o, n, k, batch, claimed):
    _, _, delta, _ = multichannel(o, 1, n, k, batch=batch)
    true = [sum(delta[place] for place in delta if place[1] == channel) for channel in range(o)]
    return all(true[channel] == claimed(delta, channel) for channel in range(o))


@fact("chapter-batch-db", where=fits, o=TWO, n=range(1, 4), k=TWO, batch=range(1, 4))
def _(o, n, k, batch):
    return batch_bias(o, n, k, batch, lambda d, c: sum(
        d[b, c, h, w] for b in span(0, batch - 1) for h in span(0, n - k) for w in span(0, n - k)))  # fmt: skip


@fact("batch-db-one-example", where=fits, when=lambda o, n, k, batch: batch == 1,
      o=TWO, n=range(1, 4), k=TWO, batch=range(1, 4))  # fmt: skip
def _(o, n, k, batch):
    return batch_bias(o, n, k, batch, lambda d, c: sum(
        d[0, c, h, w] for h in span(0, n - k) for w in span(0, n - k)))  # fmt: skip


@fact("practice-dx", where=fits, **CHANNELS)
def _(o, c, n, k):
    w, x, g, points = multichannel(o, c, n, k)

    def claimed(_, c, h, q):
        return sum(g[0, o, i, j] * w[o, c, u, v] for _, o, i, j in g for u in rows(w, 2) for v in rows(w, 3)
                   if i + u == h and j + v == q)  # fmt: skip

    return input_gradient_is(claimed, w, x, g, points)


@fact("practice-dw", where=fits, **CHANNELS)
def _(o, c, n, k):
    w, x, g, points = multichannel(o, c, n, k)
    return kernel_gradient_is(lambda o, c, u, v: sum(
        g[0, o, i, j] * x[0, c, i + u, j + v] for i in rows(g, 2) for j in rows(g, 3)), w, x, g, points)  # fmt: skip


@fact("practice-dx-one-channel", where=fits, when=lambda o, c, n, k: o == 1, **CHANNELS)
def _(o, c, n, k):
    w, x, g, points = multichannel(o, c, n, k)
    return input_gradient_is(lambda _, c, h, q: sum(
        g[0, 0, h - u, q - v] * w[0, c, u, v] for u in rows(w, 2) for v in rows(w, 3)), w, x, g, points)  # fmt: skip


@fact("exam-same-padding-dw", where=lambda o, c, n, k, p: k <= n + 2 * p, **CHANNELS, p=range(3))
def _(o, c, n, k, p):
    m = n + 2 * p - k + 1
    w, x, g = Array("w", o, c, k, k), Array("x", 1, c, n, n), Array("g", 1, o, m, m)
    points = [((0, a, i, j), (a, b, u, v), (0, b, i + u - p, j + v - p)) for _, a, i, j in g
              for b, u, v in product(range(c), range(k), range(k)) if (0, b, i + u - p, j + v - p) in x]  # fmt: skip
    return kernel_gradient_is(lambda o, c, u, v: sum(
        g[0, o, i, j] * x[0, c, i + u - p, j + v - p] for i in range(m) for j in range(m)),
        w, x, g, points)  # fmt: skip


@fact("prague-slides-dk", where=fits, **CHANNELS, s=TWO)
def _(o, c, n, k, s):
    w, x, g, points = multichannel(o, c, n, k, s)
    return kernel_gradient_is(lambda o, c, m, q: sum(
        g[0, o, i, j] * x[0, c, i * s + m, j * s + q] for i in rows(g, 2) for j in rows(g, 3)),
        w, x, g, points)  # fmt: skip


@fact("prague-slides-di", where=fits, **CHANNELS)
def _(o, c, n, k):
    w, x, g, points = multichannel(o, c, n, k)
    return input_gradient_is(lambda _, c, i, j: sum(
        g[0, a, i - m, j - q] * w[a, c, m, q] for m in range(k) for q in range(k) for a in range(o)),
        w, x, g, points)  # fmt: skip


CUBE = {"n": TWO, "m": TWO, "l": range(1, 4), "a": TWO, "b": TWO, "c": TWO}


def cube_fits(n, m, l, a, b, c):
    return a <= n and b <= m and c <= l


@fact("three-d-dw", where=cube_fits, **CUBE)
def _(n, m, l, a, b, c):
    q = Conv((n, m, l), (a, b, c))
    return q.is_dw(lambda u, v, w: sum(q.delta[t, i, j] * q.x[t + u, i + v, j + w] for t, i, j in q.delta))


@fact("three-d-dx-mixed", where=cube_fits, when=lambda n, m, l, a, b, c: c == 1, **CUBE)
def _(n, m, l, a, b, c):
    q = Conv((n, m, l), (a, b, c))
    return q.is_dx(lambda u, v, w: sum(q.w[i, j, k] * q.delta[u - i, v - j, w + k] for i, j, k in q.w))


def depthwise(channels, n, k) -> tuple[Array, Array, Array, Points]:
    w, x, delta = (Array(name, e, e, channels, base=1) for name, e in (("w", k), ("x", n), ("delta", n - k + 1)))
    points = [((p, q, m), (i, j, m), (p + i - 1, q + j - 1, m)) for p, q, m in delta
              for i, j in product(span(1, k), span(1, k))]  # fmt: skip
    return w, x, delta, points


@fact("depthwise-dw", where=fits, channels=range(1, 4), n=range(1, 4), k=range(1, 4))
def _(channels, n, k):
    w, f, delta, points = depthwise(channels, n, k)
    return kernel_gradient_is(lambda i, j, m: sum(
        delta[p, q, m] * f[p + i - 1, q + j - 1, m] for p in rows(delta, 0) for q in rows(delta, 1)),
        w, f, delta, points)  # fmt: skip


@fact("depthwise-dw-channel-sum", where=fits, when=lambda channels, n, k: channels == 1,
      channels=range(1, 4), n=range(1, 4), k=range(1, 4))  # fmt: skip
def _(channels, n, k):
    w, f, delta, points = depthwise(channels, n, k)
    return kernel_gradient_is(lambda i, j, m: sum(
        delta[p, q, r] * f[p + i - 1, q + j - 1, r] for p, q, r in delta), w, f, delta, points)  # fmt: skip


GROUPS = {"g": TWO, "o": TWO, "c": TWO, "n": range(1, 5), "k": range(1, 4)}


def grouped(g, o, c, n, k) -> tuple[Array, Array, Array, Points]:
    w, x, delta = Array("w", g, o, c, k), Array("x", g, c, n), Array("delta", g, o, n - k + 1)
    points = [((a, b, i), (a, b, e, j), (a, e, i + j)) for a, b, i in delta for e in range(c) for j in range(k)]
    return w, x, delta, points


@fact("grouped-dx", where=fits, **GROUPS)
def _(g, o, c, n, k):
    w, x, delta, points = grouped(g, o, c, n, k)
    return input_gradient_is(lambda a, e, m: sum(
        delta[a, b, m - j] * w[a, b, e, j] for b in range(o) for j in range(k)), w, x, delta, points)  # fmt: skip


@fact("grouped-dw-crossed", where=fits, **GROUPS)
def _(g, o, c, n, k):
    w, x, delta, points = grouped(g, o, c, n, k)
    return kernel_gradient_is(lambda a, b, e, j: sum(
        delta[a, e, i] * x[a, b, i + j] for i in rows(delta, 2)), w, x, delta, points)  # fmt: skip


def pointwise(o, c, n) -> tuple[Array, Array, Array, Points]:
    w, x, delta = Array("w", o, c), Array("x", c, n, n), Array("delta", o, n, n)
    return w, x, delta, [((a, i, j), (a, b), (b, i, j)) for a, i, j in delta for b in range(c)]


@fact("pointwise-dw", o=range(1, 4), c=range(1, 4), n=range(1, 4))
def _(o, c, n):
    w, x, delta, points = pointwise(o, c, n)
    return kernel_gradient_is(lambda a, b: sum(
        delta[a, i, j] * x[b, i, j] for i in range(n) for j in range(n)), w, x, delta, points)  # fmt: skip


@fact("pointwise-dx", o=range(1, 4), c=range(1, 4), n=range(1, 4))
def _(o, c, n):
    w, x, delta, points = pointwise(o, c, n)
    return input_gradient_is(lambda b, i, j: sum(w[a, b] * delta[a, i, j] for a in range(o)), w, x, delta, points)


@fact("csdn-multichannel", where=fits, **CHANNELS)
def _(o, c, n, k):
    w, x, g, points = multichannel(o, c, n, k)
    return kernel_gradient_is(lambda a, b, u, v: sum(
        g[0, a, i, j] * x[0, b, i + u, j + v] for i in rows(g, 2) for j in rows(g, 3)), w, x, g, points)  # fmt: skip


def unshared(n, k) -> tuple[Array, Array, Array, Points]:
    m = n - k + 1
    w, v, g = Array("w", m, m, k, k, base=1), Array("v", n, n, base=1), Array("g", m, m, base=1)
    return w, v, g, [((i, j), (i, j, a, b), (i + a - 1, j + b - 1)) for i, j, a, b in w]


@fact("locally-connected-dw", where=fits, n=range(1, 5), k=range(1, 4))
def _(n, k):
    w, v, g, points = unshared(n, k)
    return kernel_gradient_is(lambda i, j, a, b: g[i, j] * v[i + a - 1, j + b - 1], w, v, g, points)


@fact("locally-connected-shared-sum", where=fits, when=lambda n, k: n == k, n=range(1, 5), k=range(1, 4))
def _(n, k):
    w, v, g, points = unshared(n, k)
    return kernel_gradient_is(lambda i, j, a, b: sum(
        g[p, q] * v[p + a - 1, q + b - 1] for p, q in g), w, v, g, points)  # fmt: skip


# --- transposed convolution: input i and tap j meet in output s i + j


def transposed(n, k, s) -> tuple[Array, Array, Array, Points]:
    x, w, delta = Array("x", n), Array("w", k), Array("delta", s * (n - 1) + k)
    return w, x, delta, [((s * i + j,), (j,), (i,)) for i in range(n) for j in range(k)]


@fact("transposed-dx", n=range(1, 5), k=range(1, 5), s=range(1, 4))
def _(n, k, s):
    w, x, delta, points = transposed(n, k, s)
    return input_gradient_is(lambda i: sum(delta[s * i + j] * w[j] for j in span(0, k - 1)), w, x, delta, points)


@fact("transposed-dw", n=range(1, 5), k=range(1, 5), s=range(1, 4))
def _(n, k, s):
    w, x, delta, points = transposed(n, k, s)
    return kernel_gradient_is(lambda j: sum(delta[s * i + j] * x[i] for i in range(n)), w, x, delta, points)


@fact("transposed-dx-strides-delta-wrong", when=lambda n, k, s: s == 1 or n == k == 1,
      n=range(1, 5), k=range(1, 5), s=range(1, 4))  # fmt: skip
def _(n, k, s):
    w, x, delta, points = transposed(n, k, s)
    return input_gradient_is(lambda i: sum(delta[i + s * j] * w[j] for j in span(0, k - 1)), w, x, delta, points)
