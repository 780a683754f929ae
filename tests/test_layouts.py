"""Layouts rename the axes of arrays and nothing else: kernels, proofs and names are those of the same equation."""

from __future__ import annotations

import numpy as np
import pytest

import symconv
from symconv.derivation import derive
from symconv.emit import emit
from symconv.errors import NotSupported
from symconv.layouts import arranged
from symconv.native import find_compiler
from symconv.reference import forward, gradients
from symconv.system import as_system

LAYERS = {
    "groups, batch": symconv.Conv((8, 7), (3, 2), 4, 6, padding=1, bias=True, groups=2, batch=2, stride=2),
    "transposed": symconv.Conv((5, 6), (3, 3), 3, 4, padding=1, transposed=True, output_padding=0),
    "1-D": symconv.Conv(9, 3, 5, 18, padding=1),
    "3-D, one channel": symconv.Conv((3, 4, 5), (2, 2, 3), 1, 2, batch=3),
    "fully connected": symconv.Dense(5, 4, batch=2, bias=True),
    "dilated": symconv.Conv((9, 8), (3, 2), 17, 3, dilation=(2, 1), padding=((1, 0), (2, 1)), flip=True),
}


def last(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.moveaxis(a, 1, -1)) if a.ndim > 1 else a


@pytest.mark.parametrize("target", ["numpy", pytest.param("c", marks=pytest.mark.skipif(
    find_compiler() is None, reason="no C compiler"))])
@pytest.mark.parametrize("name", LAYERS)
def test_channels_last_gives_what_channels_first_gives_rearranged(name: str, target: str):
    """Held to the oracle of the layer as it is written."""
    rng = np.random.default_rng(2)
    system = derive(LAYERS[name]).system.concrete()
    arrays = {t.name: rng.integers(-3, 4, t.array_shape) for t in system.inputs}
    dy = rng.integers(-3, 4, system.output.array_shape)
    expected = {"forward": forward(system, arrays)[system.output.name]}
    expected |= {f"grad_{n}": g for n, g in gradients(system, arrays, dy).items()}
    given = {n: last(a).astype(np.float32) for n, a in {**arrays, "dy": dy}.items()}
    kernels = symconv.build(LAYERS[name], target, layout="channels_last", exact=True)
    for f in kernels.package.functions:
        found = getattr(kernels, f.name)(*(given[t.name] for t in f.arguments))
        np.testing.assert_array_equal(found, last(expected[f.name].reshape(first_shape(system, f))), err_msg=f.name)


def first_shape(system, f) -> tuple[int, ...]:
    tensors = (system.output, *(t.gradient() for t in system.inputs))
    return next(t for t in tensors if t.name == f.equation.output.name).array_shape


def test_everything_said_of_an_equation_stays():
    layer = LAYERS["groups, batch"]
    first, then = (derive(arranged(as_system(layer), order)) for order in ("channels_first", "channels_last"))
    assert dict(first.names) == dict(then.names) and all(v.proved for v in then.proofs.values())
    package = emit(layer, layout="channels_last")
    assert package.stem.endswith("_channels_last")
    assert f"symconv emit {layer.command()} --layout channels_last" in package.files[f"{package.stem}.h"]
    assert "x [2][8][7][4]" in package.files[f"{package.stem}.h"]


def test_vectors_lie_along_channels_so_that_nothing_is_turned():
    package = emit(symconv.Conv((28, 28), (3, 3), 64, 64, padding=1), ("c",), isa="avx512", layout="channels_last")
    source = package.files[f"{package.stem}.c"]
    body = source[source.index("_forward_prepared("):source.index("_forward(")]
    assert "forward" in package.rounded and "transpose" not in body and "y_packed" not in body


def test_what_has_no_channels_has_one_layout():
    i, j = symconv.indices("i j")
    e = symconv.Equation(symconv.Tensor("y", 4)[i], symconv.Tensor("w", (4, 3))[i, j] * symconv.Tensor("x", 3)[j])
    with pytest.raises(NotSupported, match="channels_last is for layers"):
        emit(e, layout="channels_last")
    with pytest.raises(NotSupported, match="unknown layout 'NHWC'; known: channels_first, channels_last"):
        emit(symconv.Conv(5, 3), layout="NHWC")
