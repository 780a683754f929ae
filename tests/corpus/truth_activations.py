"""Activations and fully connected layers: derivatives of the loss by dual numbers, then compared."""

from __future__ import annotations

from .truth import Array, Conv, derivative, fact, full_correlation, sigma, sigma_prime, valid_correlation
from .truth_layers import TWO, fits

# --- activations: the loss is sum delta * z of the next layer, differentiated with dual numbers

PLANE = {"n": range(1, 4), "m": range(1, 4), "h": TWO, "k": TWO}


def plane_fits(n, m, h, k):
    return h <= n and k <= m


def before(n, m, h, k):
    """Pre-activations z, the next layer's kernel w and delta, and dL/dz from the definition."""
    c = Conv((n, m), (h, k))

    def loss():
        return sum((sigma(c.x[a]) * (c.delta[o] * c.w[b]) for o, b, a in c.points), 0)

    return c, {place: derivative(loss, c.x, place) for place in c.x}


def over_kernel(c, i, j):
    return sum(c.delta[i - a, j - b] * c.w[a, b] for a, b in c.w)


@fact("loliot-delta", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c, true = before(n, m, h, k)
    middle = {(i, j): sum(c.delta[x, y] * c.w[i - x, j - y] for x, y in c.delta) * sigma_prime(c.x[i, j])
              for i, j in c.x}  # fmt: skip
    return true == middle, all(middle[i, j] == over_kernel(c, i, j) * sigma_prime(c.x[i, j]) for i, j in c.x)


@fact("loliot-bias", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    bias = Array("b", *c.outs)

    def loss():
        return sum(((bias[o] + c.out(o)) * c.delta[o] for o in c.delta), 0)

    true = {o: derivative(loss, bias, o) for o in c.delta}
    chain = {o: sum(c.delta[q] * (q == o) for q in c.delta) for o in c.delta}
    return true == chain, all(chain[o] == c.delta[o] for o in c.delta)


@fact("jefkine-delta", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c, true = before(n, m, h, k)
    return all(true[i, j] == over_kernel(c, i, j) * sigma_prime(c.x[i, j]) for i, j in c.x)


@fact("jefkine-delta-no-derivative", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c, true = before(n, m, h, k)
    return all(true[i, j] == over_kernel(c, i, j) for i, j in c.x)


@fact("pinard-delta", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c, true = before(n, m, h, k)
    spread = full_correlation(c.delta, c.w.flipped())
    return true == {a: spread[a] * sigma_prime(c.x[a]) for a in c.x}


@fact("pinard-db", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c, bias = Conv((n, m), (h, k)), Array("b", 1)
    true = derivative(lambda: sum(((bias[0] + c.out(o)) * c.delta[o] for o in c.delta), 0), bias, 0)
    return true == sum(c.delta[u, v] for u, v in c.delta)


@fact("pinard-dw-rot", where=plane_fits, **PLANE)
def _(n, m, h, k):
    c = Conv((n, m), (h, k))
    return valid_correlation(c.x, c.delta.flipped()) == {j: c.dw(j) for j in c.w}


@fact("nielsen-convolutional-dw", n=range(5, 8), m=range(5, 7))
def _(n, m):
    c = Conv((n, m), (5, 5))
    return c.is_dw(lambda l, q: sum(c.delta[j, k] * c.x[j + l, k + q] for j, k in c.delta))


def dense(rows, columns):
    """z_k = sum_j w_kj f(a_j): weights, inputs and the gradient of what comes out."""
    return Array("w", rows, columns), Array("a", columns), Array("delta", rows)


def dense_delta(rows, columns, claimed):
    w, z, delta = dense(rows, columns)

    def loss():
        return sum((sigma(z[j]) * (w[k, j] * delta[k]) for k, j in w), 0)

    return all(derivative(loss, z, j) == claimed(w, z, delta, j) for j in range(columns))


@fact("nielsen-bp2", rows=range(1, 5), columns=range(1, 5))
def _(rows, columns):
    return dense_delta(rows, columns, lambda w, z, delta, j: sum(
        w[k, j] * delta[k] * sigma_prime(z[j]) for k in range(rows)))  # fmt: skip


@fact("nielsen-bp2-transposed", when=lambda n: n == 1, n=range(1, 6))
def _(n):
    return dense_delta(n, n, lambda w, z, delta, j: sum(w[j, k] * delta[k] * sigma_prime(z[j]) for k in range(n)))


@fact("nielsen-bp4", rows=range(1, 5), columns=range(1, 5))
def _(rows, columns):
    w, a, delta = dense(rows, columns)
    return all(derivative(lambda: sum((a[k] * w[j, k] * delta[j] for j, k in w), 0), w, place)
               == a[place[1]] * delta[place[0]] for place in w)  # fmt: skip


@fact("ufldl-delta", rows=range(1, 5), columns=range(1, 5))
def _(rows, columns):
    return dense_delta(rows, columns, lambda w, z, delta, i: sum(
        w[j, i] * delta[j] for j in range(rows)) * sigma_prime(z[i]))  # fmt: skip


def activated(points, count, w, x, g):
    """L = sum_i g_i sigma(z_i), z_i the sum over the points of output i; the loss and the z."""

    def z(i):
        return sum((w[b] * x[a] for o, b, a in points if o == i), 0)

    return (lambda: sum((sigma(z(i)) * g[i] for i in range(count)), 0)), z


@fact("mlp-dx", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    w, x, g = dense(rows, columns)
    loss, z = activated([(i, (i, j), j) for i, j in w], rows, w, x, g)
    return all(derivative(loss, x, j) == sum(g[i] * sigma_prime(z(i)) * w[i, j] for i in range(rows))
               for j in range(columns))  # fmt: skip


@fact("mlp-dw-no-derivative", rows=range(1, 4), columns=range(1, 4))
def _(rows, columns):
    w, x, g = dense(rows, columns)
    loss, _ = activated([(i, (i, j), j) for i, j in w], rows, w, x, g)
    return all(derivative(loss, w, place) == g[place[0]] * x[place[1]] for place in w)


@fact("conv-activation-dv", where=fits, n=range(1, 6), k=range(1, 4))
def _(n, k):
    v, x, g = Array("v", k), Array("x", n), Array("g", n - k + 1)
    loss, z = activated([(i, j, i + j) for i in range(n - k + 1) for j in range(k)], n - k + 1, v, x, g)
    return all(derivative(loss, v, j) == sum(g[i] * sigma_prime(z(i)) * x[i + j] for i in range(n - k + 1))
               for j in range(k))  # fmt: skip
