"""The oracle against nested loops, against PyTorch's numbers, and against its own linearity."""

from __future__ import annotations

import json
import random
import time
from fractions import Fraction
from pathlib import Path

import nested_loops
import numpy as np
import point_by_point
import pytest

from symconv.affine import at_least, equal, indices, inside
from symconv.equation import Equation, Tensor, Term
from symconv.errors import LimitExceeded, NotSupported, ShapeError
from symconv.family import crossings, random_layer
from symconv.layer import Conv, Dense
from symconv.reference import forward, gradients, magnitudes, terms
from symconv.system import System, as_system

VECTORS = json.loads((Path(__file__).parent / "vectors" / "torch.json").read_text(encoding="utf-8"))
FORMS = ("stride", "groups", "floor remainder", "dilation", "asymmetric padding", "transposed", "bias", "flip")
i, j, k, m = indices("i j k m")


def draw(rng, shape, most=9):
    return rng.integers(-most, most + 1, shape)


def inputs(system, seed=0, most=9):
    rng = np.random.default_rng(seed)
    return {t.name: draw(rng, t.array_shape, most) for t in system.inputs}, draw(rng, system.output.array_shape, most)


def assert_same(found, expected, about=""):
    expected = np.asarray(expected)
    assert found.shape == expected.shape, about
    assert (found == expected).all(), f"{about}\nfound\n{found}\nexpected\n{expected}"


@pytest.mark.parametrize("seed", range(16))
def test_agrees_with_nested_loops_over_the_family(seed):
    rng = random.Random(seed)
    for _ in range(12):
        layer = random_layer(rng)
        system = as_system(layer).concrete()
        arrays, dy = inputs(system, seed)
        chunk = rng.choice((7, 100, 2**18))
        assert_same(forward(system, arrays, chunk)["y"], nested_loops.forward(layer, **arrays), layer.command())
        expected = nested_loops.gradients(layer, arrays["x"], arrays["w"], dy)
        found = gradients(system, arrays, dy, chunk)
        assert set(found) == set(expected)
        for name, gradient in expected.items():
            assert found[name].dtype == np.int64
            assert_same(found[name], gradient, f"d{name} of {layer.command()}")


@pytest.mark.parametrize("at", range(len(VECTORS)))
def test_agrees_with_torch(at):
    vector = VECTORS[at]
    layer = Conv(**vector["layer"])
    system = as_system(layer).concrete()
    arrays = {t.name: np.array(vector[t.name]).reshape(t.array_shape) for t in system.inputs}
    y = forward(system, arrays)["y"]
    assert list(y.shape) == vector["shape"]
    assert_same(y.reshape(-1), vector["y"], layer.command())
    found = gradients(system, arrays, np.array(vector["dy"]).reshape(y.shape))
    for t in system.inputs:
        assert_same(found[t.name].reshape(-1), vector["d" + t.name], f"d{t.name} of {layer.command()}")


def test_vectors_cover_every_pair_of_features():
    seen = {c for v in VECTORS for c in crossings(Conv(**v["layer"]))}
    pairs = {f"{a} x {b}" for n, a in enumerate(FORMS) for b in FORMS[n + 1:]} - {"floor remainder x transposed"}
    assert len(VECTORS) >= 60
    assert pairs | {f"{r} x {f}" for r in ("1-D", "2-D", "3-D") for f in FORMS} <= seen
    assert "stride x groups x floor remainder x dilation" in seen


def test_torch_says_the_same_where_it_is_installed():
    pytest.importorskip("torch")
    from make_vectors import vector
    for layer in [random_layer(random.Random(seed)) for seed in range(5)]:
        made = vector(layer, random.Random(1))
        system = as_system(layer).concrete()
        arrays = {t.name: np.array(made[t.name]).reshape(t.array_shape) for t in system.inputs}
        assert_same(forward(system, arrays)["y"].reshape(-1), made["y"], layer.command())


@pytest.mark.parametrize("layer", [Dense(5, 4), Dense(3, 2, batch=4, bias=True), Dense(1, 1)])
def test_dense(layer):
    system = as_system(layer).concrete()
    arrays, dy = inputs(system)
    full = {n: v.reshape(layer.batch, -1) if n == "x" else v for n, v in arrays.items()}
    expected = nested_loops.dense(layer, **full)
    assert_same(forward(system, arrays)["y"], expected.reshape(system.output.array_shape))
    found = gradients(system, arrays, dy)
    wanted = nested_loops.dense_gradients(layer, full["x"], full["w"], dy.reshape(layer.batch, -1))
    for name, gradient in wanted.items():
        assert_same(found[name], gradient.reshape(arrays[name].shape), name)


def test_gradients_are_difference_quotients():
    """L is linear in each tensor, so (L(t + e) - L(t)) / 1 is its gradient, exactly."""
    rng = random.Random(5)
    for _ in range(6):
        layer = random_layer(rng)
        system = as_system(layer).concrete()
        arrays, dy = inputs(system, 3)
        found, base = gradients(system, arrays, dy), (forward(system, arrays)["y"] * dy).sum()
        for name in arrays:
            for at in rng.sample(list(np.ndindex(arrays[name].shape)), min(6, arrays[name].size)):
                moved = {n: v.copy() for n, v in arrays.items()}
                moved[name][at] += 1
                assert (forward(system, moved)["y"] * dy).sum() - base == found[name][at]


@pytest.mark.parametrize("function", ["sigmoid", "tanh", "relu"])
def test_activations_chain(function):
    system = as_system(Conv((5, 5), (2, 2), bias=True, activation=function)).concrete()
    arrays, dy = inputs(system, 1, most=1)
    found = gradients(system, arrays, dy)
    z = forward(system, arrays)["z"]
    slope = {"relu": (z > 0) * 1, "tanh": 1 - np.tanh(z) ** 2,
             "sigmoid": 1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z)))}[function]
    np.testing.assert_allclose(found["z"], dy * slope, rtol=1e-14)
    plain = as_system(Conv((5, 5), (2, 2), bias=True)).concrete()
    below = gradients(plain, arrays, found["z"])
    for name in ("x", "w", "b"):
        np.testing.assert_allclose(found[name], below[name], rtol=1e-13, atol=1e-13)


def test_relu_has_slope_zero_at_zero_and_stays_exact():
    z, h = Tensor("z", 3), Tensor("h", 3)
    system = System((Equation(h[i], z[i].apply("relu")),))
    found = gradients(system, {"z": np.array([-2, 0, 5])}, np.array([7, 7, 7]))
    assert_same(found["z"], [0, 0, 7])
    assert found["z"].dtype == np.int64


def test_sigma_has_no_values():
    system = as_system(Conv(5, 2, activation="sigma")).concrete()
    arrays, _ = inputs(system)
    with pytest.raises(NotSupported, match="sigma"):
        forward(system, arrays)


HAND = {
    "a product of one tensor": lambda x, w, y: Equation(y[i], x[i] * x[i + 1] * x[2 * i]),
    "inequalities": lambda x, w, y: Equation(y[i], (w[j] * x[i + j]).where(at_least(i, j))),
    "an equality no index is read off from": lambda x, w, y: Equation(
        y[i], (w[j] * x[k]).where(equal(2 * j + 3 * k, 2 * i + 1))),
    "an equality that cannot hold": lambda x, w, y: Equation(y[i], (w[j] * x[k]).where(equal(2 * j + 4 * k, 1))),
    "a constant contradiction": lambda x, w, y: Equation(y[i], (w[i] * x[i]).where(equal(1, 0))),
    "negative steps": lambda x, w, y: Equation(y[i], w[2 - j] * x[9 - 2 * i - j]),
    "a diagonal": lambda x, w, y: Equation(y[i], (w[j] * x[k]).where(equal(j, k), equal(j, i))),
    "several terms": lambda x, w, y: Equation(y[i], (3 * (w[j] * x[i + j]), Term((x[i],)), -2 * (w[j] * w[i]))),
    "a constant": lambda x, w, y: Equation(y[i], (Term(()), Term((x[i],)))),
    "an empty sum": lambda x, w, y: Equation(y[i], w[j + 5] * x[i]),
    "no terms": lambda x, w, y: Equation(y[i], ()),
}


@pytest.mark.parametrize("name", HAND)
@pytest.mark.parametrize("chunk", [1, 3, 2**18])
def test_hand_built_equations(name, chunk):
    equation = HAND[name](Tensor("x", 10), Tensor("w", 3), Tensor("y", 5))
    system = System((equation,))
    arrays, dy = inputs(system, 4)
    assert_same(forward(system, arrays, chunk)["y"], point_by_point.evaluate(equation, arrays))
    found = gradients(system, arrays, dy, chunk)
    for tensor, gradient in found.items():  # quadratic and cubic: central differences of a line through t
        for at in range(gradient.size):
            assert slope(system, arrays, dy, tensor, at) == gradient[at]


def slope(system, arrays, dy, tensor, at):
    """The derivative of a polynomial of degree at most 4, from five of its values."""
    weights = {-2: 1, -1: -8, 1: 8, 2: -1}
    total = 0
    for step, weight in weights.items():
        moved = {n: v.copy() for n, v in arrays.items()}
        moved[tensor][at] += step
        total += weight * int((forward(system, moved)["y"] * dy).sum())
    return Fraction(total, 12)


def test_scalars():
    a, b, c = Tensor("a"), Tensor("b", 4), Tensor("c")
    system = System((Equation(c[()], a[()] * b[j]),))
    arrays = {"a": np.array(3), "b": np.arange(4)}
    assert_same(forward(system, arrays)["c"], 18)
    found = gradients(system, arrays, np.array(2))
    assert_same(found["a"], 12)
    assert_same(found["b"], [6] * 4)


def test_rational_coefficients():
    x, y = Tensor("x", 4), Tensor("y", 2)
    mean = System((Equation(y[i], Fraction(1, 2) * (x[2 * i + j] * Term(())).where(*inside(j, 2))),))
    assert_same(forward(mean, {"x": np.array([1, 3, -4, 2])})["y"], [2, -1])
    with pytest.raises(ShapeError, match="denominator 2"):
        forward(mean, {"x": np.array([1, 2, 0, 0])})
    assert_same(forward(mean, {"x": np.array([1.0, 2, 0, 0])})["y"], [1.5, 0])


def test_a_tensor_read_by_two_equations_gets_both_contributions():
    x, w, z, h = Tensor("x", 6), Tensor("w", 3), Tensor("z", 4), Tensor("h", 2)
    system = System((Equation(z[i], w[j] * x[i + j]), Equation(h[m], w[j] * z[m + j])))
    arrays, dh = inputs(system)
    found = gradients(system, arrays, dh)
    values = forward(system, arrays)
    dz = np.convolve(dh, arrays["w"])
    assert_same(found["z"], dz)
    assert_same(found["w"], np.correlate(arrays["x"], dz) + np.correlate(values["z"], dh))


def test_large_integers_stay_exact_or_are_refused():
    x, y = Tensor("x", 3), Tensor("y", 1)
    square = System((Equation(y[i], x[j] * x[j]),))
    big = 2**29 + 1
    assert int(forward(square, {"x": np.array([big, 1, 1])})["y"][0]) == big**2 + 2
    with pytest.raises(LimitExceeded, match="past 2"):
        forward(square, {"x": np.array([2**31, 1, 1])})


def test_what_is_refused():
    x, y = Tensor("x", 3), Tensor("y", 1)
    system = System((Equation(y[i], x[j] * x[j]),))
    with pytest.raises(ShapeError, match=r"x has the shape \(4,\), expected \(3,\)"):
        forward(system, {"x": np.arange(4)})
    with pytest.raises(ShapeError, match="no array is given for x"):
        forward(system, {})
    with pytest.raises(ShapeError, match="complex128"):
        forward(system, {"x": np.zeros(3, complex)})
    free = System((Equation(y[i], (x[i] * x[i]).where(at_least(k, 0))),))
    with pytest.raises(NotSupported, match="the sum over k has no bounds"):
        forward(free, {"x": np.arange(3)})


def test_terms_bound_the_sums():
    for seed in range(40):
        layer = random_layer(random.Random(seed))
        system = as_system(layer).concrete()
        ones = {t.name: np.ones(t.array_shape, np.int64) for t in system.inputs}
        most, up = terms(system), np.ones(system.output.array_shape, np.int64)
        assert forward(system, ones)["y"].max() <= most["forward"]
        for name, gradient in gradients(system, ones, up).items():
            assert gradient.max() <= most[f"grad_{name}"]
    assert terms(as_system(Conv((28, 28), (3, 3), filters=8)).concrete()) == {
        "forward": 9, "grad_w": 676, "grad_x": 72}


def test_magnitudes_are_sums_of_absolute_products():
    layer = Conv((6, 6), (3, 3), 2, 2, stride=2, padding=1, bias=True)
    system = as_system(layer).concrete()
    arrays, dy = inputs(system)
    positive = {n: abs(v) for n, v in arrays.items()}
    found = magnitudes(system, {n: v.astype(np.float32) for n, v in arrays.items()}, dy)
    assert_same(found["forward"], forward(system, positive)["y"])
    for name, gradient in gradients(system, positive, abs(dy)).items():
        assert_same(found[f"grad_{name}"], gradient)
    active = as_system(Conv(6, 3, activation="relu")).concrete()
    arrays, dy = inputs(active)
    names = {"forward", "activate", "grad_x", "grad_w", "grad_z"}
    assert set(magnitudes(active, arrays, dy)) == names == set(terms(active))
    assert set(magnitudes(active, arrays)) == {"forward", "activate"}


def test_fast_enough_for_real_sizes():
    system = as_system(Conv((28, 28), (3, 3), 16, 16, padding=1)).concrete()
    arrays, dy = inputs(system)
    start = time.perf_counter()
    gradients(system, arrays, dy)
    assert time.perf_counter() - start < 5
