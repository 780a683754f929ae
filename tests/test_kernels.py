"""The Python API: build a layer, call its kernels, and be told what is wrong with an array."""

from __future__ import annotations

import copy

import nested_loops
import numpy as np
import pytest

import symconv
from symconv.errors import NotSupported, ToolchainError, ValidationError
from symconv.native import find_compiler

TARGETS = ["numpy", pytest.param("c", marks=pytest.mark.skipif(find_compiler() is None, reason="no C compiler"))]
needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")

LAYERS = {
    "1-D, strided, padded on one side": symconv.Conv(9, 3, channels=2, filters=2, stride=2, padding=((0, 2),),
                                                     bias=True),
    "2-D, groups, dilation, floor remainder": symconv.Conv((7, 6), (2, 3), channels=4, filters=2, batch=2, groups=2,
                                                           stride=(2, 1), dilation=(2, 1), padding=(1, 0), bias=True),
    "2-D, transposed, output padding": symconv.Conv((3, 2), (3, 2), channels=2, filters=4, batch=2, groups=2,
                                                    stride=(2, 3), padding=((1, 0), (0, 0)), transposed=True,
                                                    output_padding=(1, 2), bias=True),
    "3-D, flipped": symconv.Conv((3, 4, 3), (2, 3, 2), channels=2, filters=2, stride=(1, 2, 1), padding="same",
                                 flip=True, bias=True),
}
SHAPES = {name: (nested_loops.input_shape(v), nested_loops.weight_shape(v), (v.filters,), nested_loops.output_shape(v))
          for name, v in LAYERS.items()}


def integers(seed: int, *shapes: tuple[int, ...], dtype: str = "float32") -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(dtype) for shape in shapes]


def assert_equal(actual: np.ndarray, expected: np.ndarray, dtype: str) -> None:
    assert actual.dtype == dtype
    np.testing.assert_array_equal(actual, expected, strict=False)
    assert actual.shape == expected.shape


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(("dtype", "result"), [("float32", "float32"), ("float64", "float64"), ("int8", "int32")])
@pytest.mark.parametrize("name", LAYERS)
def test_kernels_equal_nested_loops_exactly(name: str, dtype: str, result: str, target: str):
    layer = LAYERS[name]
    kernels = symconv.build(layer, target=target, dtype=dtype)
    x, w, b, dy = integers(1, *SHAPES[name], dtype=dtype)
    b = b.astype(result)
    held = [a.copy() for a in (x, w, b, dy)]
    wide = [a.astype(np.int64) for a in (x, w, b, dy)]
    expected = nested_loops.gradients(layer, wide[0], wide[1], wide[3])
    assert_equal(kernels.forward(x, w, b), nested_loops.forward(layer, *wide[:3]), result)
    assert_equal(kernels.grad_x(w, dy), expected["x"], result)
    assert_equal(kernels.grad_w(x, dy), expected["w"], result)
    assert_equal(kernels.grad_b(dy), expected["b"], result)
    for before, after in zip(held, (x, w, b, dy), strict=True):
        np.testing.assert_array_equal(after, before, err_msg="an input was changed")


@pytest.mark.parametrize("target", TARGETS)
def test_the_example_of_the_manual(target: str):
    layer = symconv.Conv(input=(28, 28), kernel=(3, 3), channels=1, filters=8, batch=1, stride=1, padding=0,
                         dilation=1, groups=1, bias=False, transposed=False, output_padding=0, flip=False,
                         activation=None)
    kernels = symconv.build(layer, target=target, dtype="float32")
    x, w, dy = integers(2, (1, 1, 28, 28), (8, 1, 3, 3), (1, 8, 26, 26))
    assert kernels.forward(x, w).shape == (1, 8, 26, 26)
    assert set(kernels.grad) == {"x", "w"}
    np.testing.assert_array_equal(kernels.grad["w"](x, dy), kernels.grad_w(x, dy))
    np.testing.assert_array_equal(kernels.grad["x"](w, dy), kernels.grad_x(w, dy))
    kinds = ("c", "h") if target == "c" else ("py",)
    assert set(kernels.files) == {f"conv2d_n1c1i28x28_f8k3x3_s1p0.{kind}" for kind in kinds}
    assert all(isinstance(text, str) and text.endswith("\n") for text in kernels.files.values())
    assert kernels.evidence.passed and kernels.evidence.checks and not kernels.evidence.not_run
    for f in ("forward", "grad_x", "grad_w"):
        assert kernels.evidence.of(f, target), f"no evidence for {f}"
    assert "checks passed" in repr(kernels) and "grad_w(x, dy) -> dw (8, 1, 3, 3)" in repr(kernels)


@pytest.mark.parametrize("target", TARGETS)
def test_dense(target: str):
    layer = symconv.Dense(4, 3, batch=2, bias=True)
    kernels = symconv.build(layer, target=target)
    x, w, b, dy = integers(3, (2, 4), (3, 4), (3,), (2, 3))
    expected = nested_loops.dense_gradients(layer, x, w, dy)
    assert_equal(kernels.forward(x, w, b), nested_loops.dense(layer, x, w, b), "float32")
    assert_equal(kernels.grad_x(w, dy), expected["x"], "float32")
    assert_equal(kernels.grad_w(x, dy), expected["w"], "float32")
    assert_equal(kernels.grad_b(dy), expected["b"], "float32")
    assert symconv.build(symconv.Dense(4, 3), target=target).forward(x[:1], w).shape == (1, 3)


@pytest.mark.parametrize("target", TARGETS)
def test_an_equation_written_by_hand(target: str):
    """y[i] = sum_j w[j] x[3i - 2j + 4], reads outside x being zero: no convolution layer at all."""
    i, j = symconv.indices("i j")
    w, x, y = symconv.Tensor("w", 3), symconv.Tensor("x", 13), symconv.Tensor("y", 6)
    kernels = symconv.build(symconv.Equation(y[i], w[j] * x[3 * i - 2 * j + 4]), target=target)
    vw, vx, dy = integers(4, (3,), (13,), (6,))
    ey, ew, ex = np.zeros(6), np.zeros(3), np.zeros(13)
    for a in range(6):
        for c in range(3):
            at = 3 * a - 2 * c + 4
            if 0 <= at < 13:
                ey[a] += vw[c] * vx[at]
                ew[c] += dy[a] * vx[at]
                ex[at] += dy[a] * vw[c]
    assert_equal(kernels.forward(vw, vx), ey, "float32")
    assert_equal(kernels.grad_w(vx, dy), ew, "float32")
    assert_equal(kernels.grad_x(vw, dy), ex, "float32")


@pytest.mark.parametrize("target", TARGETS)
def test_a_locally_connected_layer(target: str):
    i, j = symconv.indices("i j")
    w, x, y = symconv.Tensor("w", (5, 3)), symconv.Tensor("x", 7), symconv.Tensor("y", 5)
    kernels = symconv.build(symconv.Equation(y[i], w[i, j] * x[i + j]), target=target)
    vw, vx, dy = integers(5, (5, 3), (7,), (5,))
    windows = np.lib.stride_tricks.sliding_window_view(vx, 3)
    assert_equal(kernels.forward(vw, vx), (vw * windows).sum(1), "float32")
    assert_equal(kernels.grad_w(vx, dy), dy[:, None] * windows, "float32")
    ex = np.zeros(7)
    for a in range(5):
        ex[a:a + 3] += dy[a] * vw[a]
    assert_equal(kernels.grad_x(vw, dy), ex, "float32")


@pytest.mark.parametrize("target", TARGETS)
def test_other_equations(target: str):
    """A matrix product, a scalar result, a coefficient: nothing here is a convolution either."""
    i, j, k = symconv.indices("i j k")
    a, b, c = symconv.Tensor("a", (3, 4)), symconv.Tensor("b", (4, 2)), symconv.Tensor("c", (3, 2))
    va, vb, dc = integers(6, (3, 4), (4, 2), (3, 2))
    kernels = symconv.build(symconv.Equation(c[i, k], 2 * (a[i, j] * b[j, k])), target=target)
    assert_equal(kernels.forward(va, vb), 2 * va @ vb, "float32")
    assert_equal(kernels.grad_a(vb, dc), 2 * dc @ vb.T, "float32")
    assert_equal(kernels.grad_b(va, dc), 2 * va.T @ dc, "float32")

    p, q, dot = symconv.Tensor("p", 5), symconv.Tensor("q", 5), symconv.Tensor("dot")
    vp, vq = integers(7, (5,), (5,))
    kernels = symconv.build(symconv.Equation(dot[()], p[i] * q[i]), target=target)
    assert_equal(kernels.forward(vp, vq), np.array(vp @ vq), "float32")
    assert_equal(kernels.grad_p(vq, np.array(3, np.float32)), 3 * vq, "float32")


@needs_compiler
@pytest.mark.parametrize("seed", range(3))
def test_both_targets_agree_exactly_on_integers(seed: int):
    layer = symconv.Conv((6, 5), (3, 2), channels=3, filters=2, batch=2, stride=(2, 1), dilation=(1, 2), padding=1,
                         bias=True)
    shapes = (nested_loops.input_shape(layer), nested_loops.weight_shape(layer), (2,), nested_loops.output_shape(layer))
    x, w, b, dy = integers(seed, *shapes)
    c, numpy = (symconv.build(layer, target=t) for t in ("c", "numpy"))
    for name, arrays in (("forward", (x, w, b)), ("grad_x", (w, dy)), ("grad_w", (x, dy)), ("grad_b", (dy,))):
        np.testing.assert_array_equal(getattr(c, name)(*arrays), getattr(numpy, name)(*arrays), err_msg=name)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "tanh"])
def test_an_activation_composes(activation: str, target: str):
    layer = symconv.Conv(6, 3, channels=2, filters=2, bias=True, activation=activation)
    kernels = symconv.build(layer, target=target, dtype="float64")
    x, w, b, dh = integers(8, (1, 2, 6), (2, 2, 3), (2,), (1, 2, 4), dtype="float64")
    x /= 8
    h, z = kernels.forward(x, w, b, return_z=True)
    np.testing.assert_array_equal(kernels.forward(x, w, b), h)
    plain = symconv.build(symconv.Conv(6, 3, channels=2, filters=2, bias=True), target=target, dtype="float64")
    np.testing.assert_allclose(z, plain.forward(x, w, b), rtol=1e-14)
    value, slope = {"relu": (np.maximum(z, 0), (z > 0) * 1.0),
                    "sigmoid": (1 / (1 + np.exp(-z)), np.exp(-z) / (1 + np.exp(-z)) ** 2),
                    "tanh": (np.tanh(z), 1 / np.cosh(z) ** 2)}[activation]
    np.testing.assert_allclose(h, value, rtol=1e-13, atol=1e-14)
    dz = dh * slope
    np.testing.assert_allclose(kernels.grad["z"](dh, z), dz, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(kernels.grad_x(w, dh, z), plain.grad_x(w, dz), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kernels.grad_w(x, dh, z), plain.grad_w(x, dz), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(kernels.grad_b(dh, z), plain.grad_b(dz), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("target", TARGETS)
def test_relu_has_slope_zero_at_zero(target: str):
    kernels = symconv.build(symconv.Conv(3, 1, activation="relu"), target=target)
    z = np.array([[[-1, 0, 2]]], np.float32)
    np.testing.assert_array_equal(kernels.grad["z"](np.ones((1, 1, 3), np.float32), z), [[[0, 0, 1]]])


def test_return_z_needs_an_activation():
    kernels = symconv.build(symconv.Conv(5, 3), target="numpy")
    x, w = integers(9, (1, 1, 5), (1, 1, 3))
    with pytest.raises(NotSupported, match="no z to return"):
        kernels.forward(x, w, return_z=True)


@pytest.mark.parametrize("target", TARGETS)
def test_accumulate_adds_to_out(target: str):
    layer = symconv.Conv((5, 5), (3, 3), channels=2, filters=2, stride=2, padding=1, bias=True)
    kernels = symconv.build(layer, target=target, accumulate=True)
    plain = symconv.build(layer, target=target)
    x, w, dy = integers(10, (1, 2, 5, 5), (2, 2, 3, 3), (1, 2, 3, 3))
    total = np.zeros((2, 2, 3, 3), np.float32)
    for _ in range(3):
        assert kernels.grad_w(x, dy, out=total) is total
    np.testing.assert_array_equal(total, 3 * plain.grad_w(x, dy))
    dx, db = np.ones((1, 2, 5, 5), np.float32), np.full(2, 7, np.float32)
    np.testing.assert_array_equal(kernels.grad_x(w, dy, out=dx), 1 + plain.grad_x(w, dy))
    np.testing.assert_array_equal(kernels.grad_b(dy, out=db), 7 + plain.grad_b(dy))
    np.testing.assert_array_equal(kernels.grad_w(x, dy), plain.grad_w(x, dy), err_msg="without out it starts at zero")
    assert plain.grad_w(x, dy, out=total) is total
    np.testing.assert_array_equal(total, plain.grad_w(x, dy), err_msg="built without accumulate, out is overwritten")


@pytest.mark.parametrize("target", TARGETS)
def test_accumulate_adds_to_a_single_number(target: str):
    x, w, y = symconv.Tensor("x", (5,)), symconv.Tensor("w", ()), symconv.Tensor("y", (5,))
    scaled = symconv.Equation(y["i"], [symconv.Term((w[()], x["i"]), (), ())], symconv.Context((), ()))
    kernels = symconv.build(scaled, target=target, accumulate=True)
    a, dy, out = np.arange(5, dtype=np.float32), np.ones(5, np.float32), np.array(7, np.float32)
    assert kernels.grad_w(a, dy, out=out) == 17


@pytest.mark.parametrize("target", TARGETS)
def test_accumulate_through_an_activation(target: str):
    layer = symconv.Conv(5, 3, activation="relu")
    kernels, plain = symconv.build(layer, target, accumulate=True), symconv.build(layer, target)
    x, w, dh = integers(11, (1, 1, 5), (1, 1, 3), (1, 1, 3))
    _, z = kernels.forward(x, w, return_z=True)
    total = np.full((1, 1, 3), 5, np.float32)
    np.testing.assert_array_equal(kernels.grad_w(x, dh, z, out=total), 5 + plain.grad_w(x, dh, z))


@pytest.fixture(scope="module", params=TARGETS)
def adding(request: pytest.FixtureRequest) -> symconv.Kernels:
    return symconv.build(symconv.Conv((4, 4), (3, 3), channels=2, filters=2, bias=True), request.param, accumulate=True)


GOOD = {"x": np.ones((1, 2, 4, 4), np.float32), "w": np.ones((2, 2, 3, 3), np.float32), "b": np.ones(2, np.float32),
        "dy": np.ones((1, 2, 2, 2), np.float32)}


def misaligned(shape: tuple[int, ...]) -> np.ndarray:
    size = int(np.prod(shape))
    return np.zeros(4 * size + 1, np.uint8)[1:].view(np.float32).reshape(shape)


@pytest.mark.parametrize(("name", "wrong", "expected", "given"), [
    ("x", np.ones((1, 2, 4, 5), np.float32), "(1, 2, 4, 4)", "(1, 2, 4, 5)"),
    ("x", np.ones((2, 4, 4), np.float32), "(1, 2, 4, 4)", "(2, 4, 4)"),
    ("x", np.ones((1, 2, 4, 4)), "float32", "float64"),
    ("x", np.ones((1, 2, 4, 4), ">f4"), "float32", ">f4"),
    ("x", np.ones((1, 2, 4, 4), np.int8), "float32", "int8"),
    ("x", np.ones((1, 4, 4, 2), np.float32).transpose(0, 3, 1, 2), "C-contiguous", "(128, 4, 32, 8)"),
    ("x", misaligned((1, 2, 4, 4)), "aligned", "view"),
    ("x", [[1.0]], "NumPy array", "list"),
    ("w", np.ones((2, 2, 3, 2), np.float32), "(2, 2, 3, 3)", "(2, 2, 3, 2)"),
    ("w", np.ones((2, 2, 3, 6), np.float32)[..., ::2], "C-contiguous", "strides"),
    ("w", np.asfortranarray(GOOD["w"]), "C-contiguous", "strides"),
    ("b", np.ones(3, np.float32), "(2,)", "(3,)"),
    ("b", np.ones(2, np.float16), "float32", "float16"),
])
def test_a_wrong_array_is_named(adding: symconv.Kernels, name: str, wrong: object, expected: str, given: str):
    arrays = [wrong if n == name else GOOD[n] for n in ("x", "w", "b")]
    with pytest.raises(ValueError) as caught:
        adding.forward(*arrays)
    for part in (f"forward: {name} must", expected, given):
        assert part in str(caught.value), f"{part!r} is not in {caught.value!s}"


@pytest.mark.parametrize(("wrong", "expected"), [
    (np.zeros((2, 2, 3, 4), np.float32), "out must have the shape (2, 2, 3, 3), not (2, 2, 3, 4)"),
    (np.zeros((2, 2, 3, 3)), "out must hold float32, not float64"),
    (np.zeros((3, 3, 2, 2), np.float32).T, "out must be C-contiguous"),
    ([0.0], "out must be a NumPy array, not list"),
])
def test_a_wrong_out_is_named(adding: symconv.Kernels, wrong: np.ndarray, expected: str):
    with pytest.raises(ValueError) as caught:
        adding.grad_w(GOOD["x"], GOOD["dy"], out=wrong)
    assert f"grad_w: {expected}" in str(caught.value)


def test_out_is_never_written_where_it_must_not(adding: symconv.Kernels):
    fixed = np.zeros((2, 2, 3, 3), np.float32)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="out must be writeable"):
        adding.grad_w(GOOD["x"], GOOD["dy"], out=fixed)
    assert not fixed.any()
    memory = np.ones(32 + 18, np.float32)
    with pytest.raises(ValueError, match="out shares memory with an input"):
        adding.grad_x(memory[:36].reshape(2, 2, 3, 3), GOOD["dy"], out=memory[18:50].reshape(1, 2, 4, 4))
    assert (memory == 1).all()


def test_the_wrong_number_of_arrays_is_named(adding: symconv.Kernels):
    with pytest.raises(ValueError, match="forward takes x, w, b; 2 arrays were given"):
        adding.forward(GOOD["x"], GOOD["w"])
    with pytest.raises(ValueError, match="grad_w takes x, dy; 3 arrays were given"):
        adding.grad_w(GOOD["x"], GOOD["w"], GOOD["dy"])
    activated = symconv.build(symconv.Conv(5, 3, activation="relu"), target="numpy")
    with pytest.raises(ValueError, match="grad_x takes w, dh, z; 2 arrays were given"):
        activated.grad_x(np.ones((1, 1, 3), np.float32), np.ones((1, 1, 3), np.float32))


def test_read_only_inputs_are_good(adding: symconv.Kernels):
    fixed = {n: a.copy() for n, a in GOOD.items()}
    for a in fixed.values():
        a.flags.writeable = False
    np.testing.assert_array_equal(adding.forward(fixed["x"], fixed["w"], fixed["b"]), np.full((1, 2, 2, 2), 19))


def test_results_are_the_callers_own(adding: symconv.Kernels):
    first = adding.forward(GOOD["x"], GOOD["w"], GOOD["b"])
    first[...] = -1
    np.testing.assert_array_equal(adding.forward(GOOD["x"], GOOD["w"], GOOD["b"]), np.full((1, 2, 2, 2), 19))
    assert not any(np.may_share_memory(first, a) for a in GOOD.values())


@pytest.mark.parametrize("target", TARGETS)
def test_an_identity_returns_no_view_of_its_input(target: str):
    """dL/dx of y = x is dy itself; the result must be an array of its own all the same."""
    i, = symconv.indices("i")
    x, y = symconv.Tensor("x", 4), symconv.Tensor("y", 4)
    kernels = symconv.build(symconv.Equation(y[i], x[i]), target=target)
    given = np.arange(4, dtype=np.float32)
    result = kernels.forward(given)
    np.testing.assert_array_equal(result, given)
    assert not np.may_share_memory(result, given)
    assert result.flags.writeable and result.flags.c_contiguous


@pytest.mark.parametrize("target", TARGETS)
def test_results_can_be_given_on(target: str):
    """Every result has the layout the next kernel asks for."""
    layer = symconv.Conv((5, 4), (3, 2), channels=2, filters=3, batch=2, stride=(2, 1), padding=1)
    kernels = symconv.build(layer, target=target)
    x, w, dy = integers(12, (2, 2, 5, 4), (3, 2, 3, 2), nested_loops.output_shape(layer))
    for result in (kernels.forward(x, w), kernels.grad_x(w, dy), kernels.grad_w(x, dy)):
        assert result.flags.c_contiguous and result.flags.writeable and result.flags.aligned
    kernels.grad_w(kernels.grad_x(w, kernels.forward(x, w)), kernels.forward(x, w))


def test_unknown_names_are_refused():
    layer = symconv.Conv(5, 3)
    with pytest.raises(NotSupported, match="unknown target 'fortran'; known: c, numpy"):
        symconv.build(layer, target="fortran")
    with pytest.raises(NotSupported, match="unknown dtype 'float16'; known: float32, float64, int8"):
        symconv.build(layer, target="numpy", dtype="float16")
    with pytest.raises(NotSupported, match="expected a Conv, a Dense or an Equation, got int"):
        symconv.build(3, target="numpy")
    with pytest.raises(NotSupported, match="sigma is a name without a rule"):
        symconv.build(symconv.Conv(5, 3, activation="sigma"), target="numpy")
    with pytest.raises(NotSupported, match="sigmoid has no integer kernel"):
        symconv.build(symconv.Conv(5, 3, activation="sigmoid"), target="numpy", dtype="int8")
    kernels = symconv.build(layer, target="numpy")
    with pytest.raises(AttributeError, match="no kernel 'grad_b'; there are: forward, grad_x, grad_w"):
        _ = kernels.grad_b


def test_kernels_can_be_copied():
    kernels = symconv.build(symconv.Conv(5, 3), target="numpy")
    x, w = integers(13, (1, 1, 5), (1, 1, 3))
    np.testing.assert_array_equal(copy.copy(kernels).forward(x, w), kernels.forward(x, w))


def test_without_a_compiler_c_is_refused_with_advice(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symconv.kernels.find_compiler", lambda: None)
    with pytest.raises(ToolchainError, match=r"no C compiler found.*numpy.*symconv\[zig\]"):
        symconv.build(symconv.Conv(5, 3), target="c")


def test_a_kernel_that_fails_is_not_handed_out(monkeypatch: pytest.MonkeyPatch):
    from symconv import validate

    monkeypatch.setattr(validate, "compare", lambda output, case: "first at [0]: 1 instead of 2")
    with pytest.raises(ValidationError, match="conv1d_n1c1i5_f1k3_s1p0 failed its validation") as caught:
        symconv.build(symconv.Conv(5, 3), target="numpy")
    assert "grad_w" in str(caught.value) and "1 instead of 2" in str(caught.value)
