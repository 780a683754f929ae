"""Rendered NumPy kernels against plain loops over the equation's points, in exact integers."""

from __future__ import annotations

import itertools
import subprocess
import sys
from fractions import Fraction
from types import ModuleType

import numpy as np
import pytest

from symconv import numpy_target
from symconv.affine import at_least, equal, indices
from symconv.decide.verdict import PROVED
from symconv.derivation import Function, derive
from symconv.equation import Equation, Tensor, Term
from symconv.errors import NotSupported
from symconv.layer import Conv, Dense
from symconv.schedule import arrays
from symconv.schedule.arrays import plan
from symconv.schedule.regions import intervals

FUNCTIONS = {"": lambda v: v, "relu": lambda v: max(v, 0), "relu'": lambda v: int(v > 0)}


def brute_force(equation, arrays):
    """Every point of every term, one at a time."""
    held = {t.name: arrays[t.name].reshape(t.extents) for t in equation.reads}
    out = np.zeros(equation.output.extents, object)
    for place in np.ndindex(*equation.output.extents):
        at = dict(zip(equation.indices, place, strict=True))
        for t in equation.terms:
            box = intervals(t.domain(), {n: (v, v) for n, v in at.items()}, t.indices)
            for point in itertools.product(*(range(box[n][0], box[n][1] + 1) for n in t.indices)):
                here = at | dict(zip(t.indices, point, strict=True))
                if all(c.holds(here) for c in t.domain()):
                    value = t.coefficient
                    for f in t.factors:
                        entry = held[f.tensor.name][tuple(e.evaluate(here) for e in f.indices)]
                        value *= FUNCTIONS[f.function](int(entry))
                    out[place] += value
    return out.reshape(equation.output.array_shape)


def load(source):
    module = ModuleType("rendered")
    exec(compile(source, "rendered", "exec"), module.__dict__)
    return module


def check(functions, types=None, accumulate=False):
    """Render, run on small integers, compare with plain loops; inputs stay as they were."""
    types = types or {t.name: "float64" for f in functions for t in (*f.arguments, f.equation.output)}
    module = load(numpy_target.render(functions, types, header="a \"quoted\" \\ header", accumulate=accumulate))
    rng = np.random.default_rng(1)
    for f in functions:
        out = f.equation.output
        arrays = {t.name: rng.integers(-3, 4, t.array_shape).astype(types[t.name]) for t in f.arguments}
        before = {name: a.copy() for name, a in arrays.items()}
        want = brute_force(f.equation, arrays)
        if accumulate and f.proof is not None:
            got = rng.integers(-3, 4, out.array_shape).astype(types[out.name])
            want = want + got
            assert getattr(module, f.name)(*arrays.values(), got) is got
        else:
            got = getattr(module, f.name)(*arrays.values())
        assert got.dtype == types[out.name]
        assert got.shape == out.array_shape
        np.testing.assert_array_equal(got, np.asarray(want).astype(got.dtype), err_msg=f"{f.name}: {f.equation}")
        for name, a in arrays.items():
            np.testing.assert_array_equal(a, before[name])


def functions_of(layer):
    d = derive(layer)
    return [f.at(dict(d.system.sizes)) for f in d.functions]


def only(equation):
    return [Function("kernel", equation, equation.reads, PROVED)]


LAYERS = [
    Conv(7, 3, bias=True),
    Conv((5, 6), (3, 2), 2, 3, padding=1, batch=2),
    Conv((5, 6), (3, 2), 2, 4, stride=(2, 3), padding=((0, 2), (1, 0)), bias=True, activation="relu"),
    Conv((7, 6), (2, 3), 2, 2, dilation=2, stride=3, padding=2),
    Conv((5, 4), (3, 3), 4, 6, groups=2, padding="same", flip=True),
    Conv((5, 4), (3, 3), 4, 4, groups=4, padding=1),
    Conv((5, 3), (1, 1), 4, 3),
    Conv((4, 3), (3, 3), 4, 2, stride=2, padding=1, groups=2, transposed=True, output_padding=1, batch=2),
    Conv(6, 3, 2, 2, stride=2, dilation=3, transposed=True, padding=2, bias=True),
    Conv((3, 4, 4), (2, 3, 2), 2, 2, stride=(1, 2, 1), padding="full"),
    Conv(3, 1, stride=4, padding=3),
    Conv(40, 30, padding=3),
    Dense(5, 4, bias=True, activation="relu"),
    Dense(5, 4, batch=3, bias=True),
]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)
@pytest.mark.parametrize("accumulate", [False, True])
def test_layers_and_their_gradients(layer, accumulate):
    check(functions_of(layer), accumulate=accumulate)


@pytest.mark.parametrize("layer", LAYERS[:6], ids=lambda layer: layer.name)
def test_whole_numbers_are_widened(layer):
    functions = functions_of(layer)
    names = {t.name for f in functions for t in (*f.arguments, f.equation.output)}
    check(functions, {n: "int8" if n in "xw" else "int32" for n in names})


i, j, k, s, p = indices("i j k s p")
w, x, y = Tensor("w", 3), Tensor("x", 20), Tensor("y", 5)
A, B, grid, one = Tensor("A", (4, 4)), Tensor("B", (4, 4)), Tensor("grid", (4, 5)), Tensor("one", ())
local = Tensor("lambda", (5, 3))
BY_HAND = {
    "two slopes": Equation(y[i], w[j] * x[3 * i - 2 * j + 4]),
    "locally connected": Equation(y[i], local[i, j] * x[i + j]),
    "square": Equation(y[i], x[i + j] * x[i + j] * w[j]),
    "same tensor shifted": Equation(y[i], x[i] * x[i + 1]),
    "diagonal": Equation(y[i], A[i, i] * x[i + 2]),
    "trace": Equation(one[()], Term((A[i, i],))),
    "matrix product": Equation(B[i, j], A[i, k] * Tensor("C", (4, 4))[k, j]),
    "three factors": Equation(B[i, j], A[i, k] * Tensor("C", (4, 4))[k, j] * x[i + 2 * k]),
    "outer product": Equation(grid[i, j], w[i] * x[3 * j - 1]),
    "turned": Equation(B[i, j], Term((A[j, i],))),
    "backwards": Equation(y[i], Term((x[-i + 2],))),
    "broadcast": Equation(grid[i, j], Term((w[i - 1],))),
    "unused output index": Equation(grid[i, j], w[k] * x[k]),
    "scalar": Equation(one[()], w[i] * x[2 * i]),
    "from a scalar": Equation(y[i], one[()] * x[i]),
    "constant": Equation(y[i], Term((), coefficient=Fraction(3))),
    "nothing inside": Equation(y[i], Term((x[i + 30],))),
    "rational": Equation(y[i], [Fraction(1, 2) * (w[j] * x[i + j]), Fraction(-3) * Term((x[i],))]),
    "minus": Equation(y[i], Fraction(-1) * (w[j] * x[i + j])),
    "triangle": Equation(y[i], (x[j] * x[j + 1]).where(at_least(i, j))),
    "parity": Equation(Tensor("y", 9)[i], (w[j] * x[k]).where(equal(i, j + 3 * k))),
    "one output only": Equation(y[i], Term((x[i],)).where(equal(i, 3))),
    "summed alone": Equation(y[i], Term((x[i],)).where(at_least(p, 0), at_least(2, p))),
    "relu twice": Equation(y[i], x[i].apply("relu") * x[i - 1].apply("relu'")),
    "padded function": Equation(y[i], [Term((x[i - 2].apply("relu"),)), Term((x[i],))]),
    "overlapping views": Equation(grid[i, j], [Term((x[i + j],)), Term((x[i + 2],))]),
    "function read twice": Equation(y[i], [Term((x[i].apply("relu"),)), Term((x[i + 1].apply("relu"),))]),
    "empty": Equation(Tensor("y", 0)[i], w[j] * x[i + j]),
}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("accumulate", [False, True])
def test_equations_written_by_hand(name, accumulate):
    check(only(BY_HAND[name]), accumulate=accumulate)


@pytest.mark.parametrize("way", ["window", "taps"])
@pytest.mark.parametrize("unroll", [0, 27])
def test_every_way_computes_the_same(monkeypatch, way, unroll):
    """Whatever the estimates say, each way on its own is right."""
    monkeypatch.setattr(arrays, "UNROLL", unroll)
    monkeypatch.setattr(arrays, "_best", lambda region, sweep, first, blas: (
        {"window": arrays._window, "taps": arrays._taps}[way](region, sweep, first, blas),
        arrays.Choice(way, ((way, 0.0),), "")))
    for equation in BY_HAND.values():
        check(only(equation))
    for layer in LAYERS[:8]:
        check(functions_of(layer))


def test_a_long_triangle_uses_a_mask():
    n = 60
    equation = Equation(Tensor("y", n)[i], (Tensor("a", n)[j] * Tensor("b", n)[j]).where(at_least(i, j)))
    types = dict.fromkeys("aby", "float64")
    assert "np.arange" in numpy_target.render(only(equation), types, header="")
    check(only(equation))


@pytest.mark.parametrize("function", ["sigmoid", "tanh"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_smooth_functions_keep_the_type_and_stay_finite(function, dtype):
    z = np.array([-1000, -2, 0, 3, 1000], dtype)
    exact = {"sigmoid": lambda v: 0.5 * (1 + np.tanh(v / 2)), "tanh": np.tanh}[function]
    slope = {"sigmoid": lambda v: exact(v) * (1 - exact(v)), "tanh": lambda v: 1 - np.tanh(v) ** 2}[function]
    for applied, want in ((function, exact), (function + "'", slope)):
        f = only(Equation(Tensor("h", 5)[i], Tensor("z", 5)[i].apply(applied)))
        got = load(numpy_target.render(f, {"h": dtype, "z": dtype}, header="")).kernel(z)
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want(z.astype("float64")), atol=1e-6)


def test_what_has_no_meaning_is_refused():
    half = Equation(y[i], Fraction(1, 2) * Term((x[i],)))
    with pytest.raises(NotSupported, match="1/2"):
        numpy_target.render(only(half), {"x": "int32", "y": "int32"}, header="")
    sigma = Equation(y[i], x[i].apply("sigma"))
    with pytest.raises(NotSupported, match="sigma"):
        numpy_target.render(only(sigma), {"x": "float32", "y": "float32"}, header="")


def test_the_module_imports_alone(tmp_path):
    layer = Conv((9, 9), (3, 3), 2, 4, stride=2, padding=1, bias=True, activation="sigmoid")
    functions = functions_of(layer)
    types = {t.name: "float32" for f in functions for t in (*f.arguments, f.equation.output)}
    (tmp_path / "kernel.py").write_text(numpy_target.render(functions, types, header=layer.name))
    code = "import sys, kernel; assert not {'symconv', 'sympy', 'jinja2'} & set(sys.modules); print(kernel.forward)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env={"PYTHONPATH": ""}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()


def test_slices_and_reasons_are_readable():
    text = numpy_target.render(functions_of(Conv((32, 32), (3, 3), 16, 32, padding=1, stride=2)),
                               dict.fromkeys(("x", "w", "y", "dy", "dx", "dw"), "float32"), header="")
    assert "# window: 32x144 @ 144x256" in text
    assert "# project: 144x32 @ 32x256" in text
    assert "dx[:, 1:30:2, 1:30:2] += w_dy[:, 0, 0, 1:, 1:]" in text
    assert max(map(len, text.splitlines())) < 160


def test_a_choice_explains_itself():
    choice = plan(Conv(32, 3).system().concrete().equations[0]).choices[0]
    assert repr(choice).startswith("window: 30x3 @ 3x1, about ") and "(taps " in repr(choice)
