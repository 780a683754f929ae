"""Algebra of convolutions and forward formulas in two forms: both sides evaluated, then compared."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from .truth import Array, Conv, fact, full_convolution, span

K = range(1, 4)
TWO = range(1, 3)
PLANE = {"m": TWO, "n": TWO, "h": TWO, "k": range(1, 4)}

# Signals on Z are dictionaries of their nonzero elements; every operation follows its definition.
Signal = dict[int, int]


def signal(name: str, length: int, start: int = 0) -> Signal:
    array = Array(name, length, base=start)
    return {i: array[i] for (i,) in array}


def summed(f: Signal, g: Signal, place: Callable[[int, int], int]) -> Signal:
    """Every pair of elements f[a] g[b] is added at place(a, b)."""
    total: Signal = {}
    for a, b in product(f, g):
        total[place(a, b)] = total.get(place(a, b), 0) + f[a] * g[b]
    return total


def convolve(f: Signal, g: Signal) -> Signal:
    """sum_k f[k] g[n - k]: f[a] g[b] stands at n = a + b."""
    return summed(f, g, lambda a, b: a + b)


def correlate(f: Signal, g: Signal) -> Signal:
    """sum_k f[k] g[n + k]: f[a] g[b] stands at n = b - a."""
    return summed(f, g, lambda a, b: b - a)


def scaled(a: int, f: Signal) -> Signal:
    return {i: a * v for i, v in f.items() if a}


def shifted(f: Signal, t: int) -> Signal:
    """n -> f[n - t]."""
    return {i + t: v for i, v in f.items()}


@fact("goodfellow-9.5-commuted", **PLANE)
def _(m, n, h, k):
    image, kernel = Array("I", m, n), Array("K", h, k)
    places = list(product(range(-1, m + h), range(-1, n + k)))
    s = {(i, j): sum(image[a, b] * kernel[i - a, j - b] for a, b in image) for i, j in places}
    right = {(i, j): sum(image[i - a, j - b] * kernel[a, b] for a, b in kernel) for i, j in places}
    swapped = {p: full_convolution(kernel, image).get(p, 0) for p in places}
    return s == swapped, swapped == right


@fact("goodfellow-9.6-as-convolution", **PLANE)
def _(m, n, h, k):
    image, kernel = Array("I", m, n), Array("K", h, k)
    places = product(range(-h, m + h), range(-k, n + k))
    return all(sum(image[a, b] * kernel[i - a, j - b] for a, b in image)
               == sum(image[i + a, j + b] * kernel[a, b] for a, b in kernel) for i, j in places)  # fmt: skip


@fact("compphysics-commuted-1d", n=K, k=K, start=range(-2, 2))
def _(n, k, start):
    w, x = signal("w", k), signal("x", n, start)
    return all(sum(w[a] * x.get(i - a, 0) for a in w) == sum(x[a] * w.get(i - a, 0) for a in x) for i in span(-9, 9))


@fact("correlation-commutes", n=K, k=K, start=range(-2, 2))
def _(n, k, start):
    f, g = signal("f", k), signal("g", n, start)
    return all(sum(f[a] * g.get(i + a, 0) for a in f) == sum(f.get(i + a, 0) * g[a] for a in g) for i in span(-9, 9))


@fact("correlation-reflected", n=K, k=K, start=range(-2, 2))
def _(n, k, start):
    f, g = signal("f", k), signal("g", n, start)
    return correlate(g, f) == {-i: v for i, v in correlate(f, g).items()}


@fact("correlation-as-convolution", n=K, k=K, start=range(-2, 2))
def _(n, k, start):
    f, g = signal("f", k), signal("g", n, start)
    return correlate(f, g) == convolve({-i: v for i, v in f.items()}, g)


@fact("ickma-tau", n=K, k=K, start=range(-2, 2))
def _(n, k, start):
    f, g = signal("f", k), signal("g", n, start)
    return all(sum(f[a] * g.get(t - a, 0) for a in f) == sum(g[a] * f.get(t - a, 0) for a in g) for t in span(-9, 9))


@fact("prime-substitution-bounds", when=lambda m, n: n <= m, m=range(1, 6), n=range(1, 6))
def _(m, n):
    image, kernel = Array("I", m), Array("K", n)
    return all(sum(image[a] * kernel[i - a] for a in span(0, m - 1))
               == sum(image[i - a] * kernel[a] for a in span(0, m - 1)) for i in span(-5, 12))  # fmt: skip


def flip_is(m, n, offset):
    """K(m, n) = K'(M - offset - m, N - offset - n), K' of M x N elements, both sides of the rewritten sum."""
    image, turned = Array("I", m + 2, n + 2), Array("K'", m, n)

    def kernel(a, b):
        return turned[m - offset - a, n - offset - b]

    places = product(range(3), range(3))
    return all(sum(image[i + a, j + b] * kernel(m - 1 - a, n - 1 - b) for a, b in turned)
               == sum(image[i + a, j + b] * turned[a, b] for a, b in turned) for i, j in places)  # fmt: skip


@fact("loliot-flip", m=K, n=K)
def _(m, n):
    return flip_is(m, n, 1)


@fact("loliot-flip-off", m=K, n=K)
def _(m, n):
    return flip_is(m, n, 0)


@fact("d2l-reindexing", m=K, n=K)
def _(m, n):
    w, x = Array("W", m, n, m, n), Array("X", m, n)

    def v(i, j, a, b):
        return w[i, j, i + a, j + b]

    offsets = list(product(span(-m, m), span(-n, n)))
    return all(sum(w[i, j, k, l] * x[k, l] for k, l in x)
               == sum(v(i, j, a, b) * x[i + a, j + b] for a, b in offsets) for i, j in x)  # fmt: skip


def mask_results(a, b, size):
    """(w star f), (w * f) and (rot180(w) star f) with a mask counted from -a to a and -b to b."""
    w, f = Array("w", 2 * a + 1, 2 * b + 1), Array("f", size, size)
    taps, places = [(s, t) for s in span(-a, a) for t in span(-b, b)], list(product(span(-3, 5), span(-3, 5)))
    star = {(x, y): sum(w[s + a, t + b] * f[x + s, y + t] for s, t in taps) for x, y in places}
    conv = {(x, y): sum(w[s + a, t + b] * f[x - s, y - t] for s, t in taps) for x, y in places}
    rot = {(x, y): sum(w[a - s, b - t] * f[x + s, y + t] for s, t in taps) for x, y in places}
    return star, conv, rot


@fact("gonzalez-rot", a=range(2), b=range(3), size=range(1, 3))
def _(a, b, size):
    _, conv, rot = mask_results(a, b, size)
    return conv == rot


@fact("gonzalez-same", when=lambda a, size: a == 0, a=range(3), size=range(1, 3))
def _(a, size):
    star, conv, _ = mask_results(a, 0, size)
    return star == conv


THREE = {"l": K, "m": K, "n": K, "start": range(-1, 2)}


def three(l, m, n, start):
    return signal("f", l), signal("g", m, start), signal("h", n)


@fact("associative", **THREE)
def _(l, m, n, start):
    f, g, h = three(l, m, n, start)
    return convolve(f, convolve(g, h)) == convolve(convolve(f, g), h)


@fact("correlation-associative", **THREE)
def _(l, m, n, start):
    f, g, h = three(l, m, n, start)
    return correlate(f, correlate(g, h)) == correlate(correlate(f, g), h)


@fact("correlation-associative-mixed", **THREE)
def _(l, m, n, start):
    f, g, h = three(l, m, n, start)
    return correlate(f, correlate(g, h)) == correlate(convolve(f, g), h)


@fact("distributive", **THREE)
def _(l, m, n, start):
    x, h1, h2 = three(l, m, n, start)
    both = {i: h1.get(i, 0) + h2.get(i, 0) for i in h1 | h2}
    left, first, second = convolve(x, both), convolve(x, h1), convolve(x, h2)
    return all(left.get(i, 0) == first.get(i, 0) + second.get(i, 0) for i in span(-9, 9))


@fact("homogeneous", a=range(-2, 4), m=K, n=K)
def _(a, m, n):
    f, g = signal("f", m), signal("g", n)
    middle = convolve(scaled(a, f), g)
    return scaled(a, convolve(f, g)) == middle, middle == convolve(f, scaled(a, g))


@fact("homogeneous-twice", when=lambda a, m, n: a in (0, 1), a=range(-2, 4), m=K, n=K)
def _(a, m, n):
    f, g = signal("f", m), signal("g", n)
    return convolve(scaled(a, f), scaled(a, g)) == scaled(a, convolve(f, g))


@fact("shift-equivariance", **PLANE, d=range(-2, 3), e=range(-1, 2))
def _(m, n, h, k, d, e):
    w, x = Array("W", h, k), Array("x", m, n)

    def layer(x, i, j):
        return sum(w[u, v] * x(i + u, j + v) for u, v in w)

    places = product(span(-6, 6), span(-6, 6))
    return all(layer(lambda i, j: x[i - d, j - e], i, j) == layer(lambda i, j: x[i, j], i - d, j - e)
               for i, j in places)  # fmt: skip


@fact("shift-wrong-direction", when=lambda n, k, d: d == 0, n=K, k=K, d=range(-2, 3))
def _(n, k, d):
    w, x = signal("W", k), signal("x", n)
    left, right = correlate(w, shifted(x, d)), correlate(w, x)
    return all(left.get(i, 0) == right.get(i + d, 0) for i in span(-9, 9))


def strided(w: Signal, x: Signal, s: int, i: int, late: int = 0) -> int:
    return sum(w[u] * x.get(s * i + u - late, 0) for u in w)


@fact("strided-shift", n=range(1, 6), k=K, s=K, t=range(-2, 3))
def _(n, k, s, t):
    w, x = signal("W", k), signal("x", n)
    return all(strided(w, x, s, i, s * t) == strided(w, x, s, i - t) for i in span(-12, 12))


@fact("strided-shift-by-one", when=lambda n, k, s: s == 1, n=range(1, 6), k=K, s=K)
def _(n, k, s):
    w, x = signal("W", k), signal("x", n)
    return all(strided(w, x, s, i, 1) == strided(w, x, s, i - 1) for i in span(-12, 12))


@fact("adjoint", where=lambda n, k: k <= n, n=range(1, 7), k=range(1, 5))
def _(n, k):
    w, x, y = Array("w", k), Array("x", n), Array("y", n - k + 1)
    left = sum(y[i] * sum(w[j] * x[i + j] for j in span(0, k - 1)) for i in span(0, n - k))
    return left == sum(x[m] * sum(y[i] * w[m - i] for (i,) in y) for m in span(0, n - 1))


@fact("adjoint-written-out", where=lambda n, k: k <= n, n=range(1, 7), k=range(1, 5))
def _(n, k):
    w, x, y = Array("w", k, zero=False), Array("x", n, zero=False), Array("y", n - k + 1, zero=False)
    left = sum(y[i] * w[j] * x[i + j] for i in span(0, n - k) for j in span(0, k - 1))
    right = sum(x[m] * y[i] * w[m - i] for m in span(0, n - 1) for i in span(max(0, m - k + 1), min(m, n - k)))
    return left == right


@fact("adjoint-same-operator", n=range(1, 5), k=K)
def _(n, k):
    w, x, y = signal("w", k), signal("x", n), signal("y", n)
    tx, ty = convolve(w, x), convolve(w, y)
    return sum(y[i] * tx.get(i, 0) for i in y) == sum(x[i] * ty.get(i, 0) for i in x)


@fact("circular-bounds", n=range(1, 7))
def _(n):
    x, h = Array("x", n), Array("h", n)
    return all(sum(x[m] * h[(i - m) % n] for m in range(n)) == sum(h[m] * x[(i - m) % n] for m in range(n))
               for i in range(n))  # fmt: skip


def product_coefficient(a, b, k):
    return sum(a[i] * b[j] for (i,), (j,) in product(a, b) if i + j == k)


@fact("polynomial-product", m=range(1, 6), n=range(1, 6))
def _(m, n):
    a, b = Array("a", m, zero=False), Array("b", n, zero=False)
    return all(product_coefficient(a, b, k) == sum(a[i] * b[k - i] for i in span(max(0, k - n + 1), min(k, m - 1)))
               for k in span(0, m + n - 2))  # fmt: skip


@fact("polynomial-product-loose", m=range(1, 6), n=range(1, 6), zero=range(2))
def _(m, n, zero):
    a, b = Array("a", m, zero=zero), Array("b", n, zero=zero)
    return all(product_coefficient(a, b, k) == sum(a[i] * b[k - i] for i in span(0, k)) for k in span(0, m + n - 2))


@fact("impulse", n=range(1, 5), start=range(-3, 3))
def _(n, start):
    x = signal("x", n, start)
    return all(sum(x[k] * (i - k == 0) for k in x) == x.get(i, 0) for i in span(-9, 9))


@fact("shifted-impulse", when=lambda n, t: t == 0, n=range(1, 5), t=range(-3, 4))
def _(n, t):
    x = signal("x", n)
    return all(sum(x[k] * (i - k - t == 0) for k in x) == x.get(i + t, 0) for i in span(-9, 9))


@fact("qiu-rot-equivalence", where=lambda m, n, h, k: h <= m and k <= n, m=K, n=K, h=TWO, k=TWO)
def _(m, n, h, k):
    c = Conv((m, n), (h, k))
    full = full_convolution(c.x, c.w.flipped())
    return all(full[i + h - 1, j + k - 1] == c.out((i, j)) for i, j in c.delta)
