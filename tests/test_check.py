"""Somebody's arrays beside the exact ones: every kind of defect, simulated without the oracle, is named; and no other.

Each wrong array comes from nested loops over another layer, from NumPy, or from PyTorch: nothing here evaluates an
equation.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import nested_loops
import numpy as np
import pytest
from click.testing import CliRunner

from symconv import Conv, Dense
from symconv.check import Comparison, check, read_arrays, told
from symconv.cli import main
from symconv.drawn import digest, drawn
from symconv.errors import LimitExceeded, NotSupported, ShapeError, SymconvError
from symconv.vectors import EXACT, as_header, as_npz, make_vectors, vectors_of

Arrays = dict[str, np.ndarray]
LAYER = Conv((8, 7), (3, 2), channels=4, filters=4, batch=2, stride=2, padding=1, dilation=(2, 1), groups=2, bias=True)
SQUARE = Conv((5, 5), (3, 3), channels=3, filters=2, batch=2)
UPWARDS = Conv((3, 4), (3, 2), channels=2, filters=3, stride=2, padding=1, output_padding=1, transposed=True)
REMAINDER = Conv(9, 2, channels=2, filters=3, stride=3)


def vectors(layer: Conv | Dense, **given: int) -> Arrays:
    return dict(make_vectors(layer.system(), **given).arrays)


def outcome(layer: Conv | Dense, name: str, got: np.ndarray) -> tuple[Comparison, str]:
    _, (found,) = check(layer.system(), {name: got})
    return found, "\n".join(told(found))


def by(layer: Conv, v: Arrays, name: str) -> np.ndarray:
    """One array as nested loops over some layer give it; dy padded with zeros to that layer's output."""
    b = v.get("b", np.zeros(layer.filters, int))
    if name == "y":
        return nested_loops.forward(layer, v["x"], v["w"], b)
    dy = np.zeros(nested_loops.output_shape(layer), int)
    common = tuple(slice(min(m, n)) for m, n in zip(dy.shape, v["dy"].shape, strict=True))
    dy[common] = v["dy"][common]
    return nested_loops.gradients(layer, v["x"], v["w"], dy)[name.removeprefix("d")]


def crop(a: np.ndarray, like: np.ndarray) -> np.ndarray:
    return a[tuple(slice(n) for n in like.shape)]


# -- the vectors ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("layer", [LAYER, SQUARE, UPWARDS, REMAINDER, Conv((4, 4, 3), (2, 2, 2), 2, 2, flip=True)],
                         ids=lambda v: v.name)
def test_vectors_are_what_nested_loops_compute(layer: Conv):
    v = vectors(layer, seed=3)
    for name in ("y", "dx", "dw", *(["db"] if layer.bias else [])):
        np.testing.assert_array_equal(v[name], by(layer, v, name))


def test_vectors_of_other_layers():
    v = vectors(Dense(4, 3, batch=2, bias=True))
    np.testing.assert_array_equal(v["y"], v["x"] @ v["w"].T + v["b"])
    np.testing.assert_array_equal(v["dw"], v["dy"].T @ v["x"])
    v = vectors(Conv(6, 3, activation="relu"))
    np.testing.assert_array_equal(v["h"], np.maximum(v["z"], 0))
    np.testing.assert_array_equal(v["dz"], v["dh"] * (v["z"] > 0))
    with pytest.raises(NotSupported, match="sigmoid has no exact values"):
        vectors(Conv(6, 3, activation="sigmoid"))


def test_integers_are_small_enough_for_float32_and_never_zero():
    large = vectors(Conv((64, 64), (7, 7), channels=64, filters=2, padding=3))
    sums = [np.abs(large["x"]).max(), np.abs(large["w"]).max()]
    assert 64 * 49 * sums[0] * sums[1] < EXACT and np.abs(large["dw"]).max() < EXACT
    assert 64 * 64 * np.abs(large["x"]).max() * np.abs(large["dy"]).max() < EXACT
    assert all(np.all(large[n]) for n in ("x", "w", "dy"))
    assert not np.array_equal(vectors(SQUARE, seed=1)["x"], vectors(SQUARE, seed=2)["x"])
    with pytest.raises(LimitExceeded, match="2\\*\\*24"):
        vectors_of(SQUARE.system().concrete(), {n: 9000 * vectors(SQUARE)[n] for n in ("x", "w", "dy")})


def test_drawn_integers_are_those_of_the_recurrence():
    state, expected = 7, []
    for _ in range(50):
        state = (state * 1664525 + 1013904223) % 2**32
        value = (state >> 16) % 18 - 9
        expected.append(value + (value >= 0))
    found = drawn(7, {"a": (4, 5), "b": (30,)}, 9)
    assert [*found["a"].reshape(-1), *found["b"]] == expected
    assert digest(np.array([], int)) == 0x811C9DC5
    assert digest(np.frombuffer(b"foobar\0\0", "<i4")) == fnv(b"foobar\0\0")
    assert fnv(b"foobar") == 0xBF9CF968  # the published value


def fnv(data: bytes) -> int:
    found = 0x811C9DC5
    for byte in data:
        found = ((found ^ byte) * 0x01000193) & 0xFFFFFFFF
    return found


def test_the_files_hold_the_arrays(tmp_path: Path):
    v = make_vectors(LAYER.system())
    (tmp_path / "v.npz").write_bytes(as_npz(v))
    assert as_npz(v) == as_npz(make_vectors(LAYER.system()))
    for name, a in read_arrays(tmp_path / "v.npz").items():
        assert a.dtype == np.float32 and np.array_equal(a, v.arrays[name])
    text = as_header(v)
    rows = text.split(f"{LAYER.name}_dw[{v.arrays['dw'].size}]", 1)[1].split("{", 1)[1].split("}", 1)[0]
    numbers = [int(n) for n in rows.split("*/")[1].split(",")]
    np.testing.assert_array_equal(numbers, v.arrays["dw"].reshape(-1))


# -- defects ----------------------------------------------------------------------------------------------------------

LARGER = {"y": "y", "dx": "dx", "dw": "dw"}


@pytest.mark.parametrize("name", LARGER)
def test_a_missing_stride(name: str):
    v = vectors(LAYER)
    found, said = outcome(LAYER, name, crop(by(replace(LAYER, stride=1), v, name), v[name]))
    assert "the stride is missing on every axis" in said and found.explanations[0].everywhere


@pytest.mark.parametrize("name", LARGER)
def test_a_missing_dilation(name: str):
    v = vectors(LAYER)
    _, said = outcome(LAYER, name, crop(by(replace(LAYER, dilation=1), v, name), v[name]))
    assert "the dilation is missing" in said


@pytest.mark.parametrize("name", LARGER)
def test_missing_padding(name: str):
    v = vectors(LAYER)
    layer = replace(LAYER, padding=((0, 2), (0, 2)))
    _, said = outcome(LAYER, name, crop(by(layer, v, name), v[name]))
    assert "the padding is left out on every axis" in said


@pytest.mark.parametrize("name", LARGER)
def test_a_flipped_kernel(name: str):
    v = vectors(LAYER)
    _, said = outcome(LAYER, name, by(replace(LAYER, flip=True), v, name))
    assert "w is read flipped" in said


@pytest.mark.parametrize("name", LARGER)
def test_stride_and_dilation_exchanged(name: str):
    layer = Conv(11, 3, channels=2, filters=2, stride=2, dilation=3)
    v = vectors(layer)
    _, said = outcome(layer, name, crop(by(Conv(11, 3, 2, 2, stride=3, dilation=2), v, name), v[name]))
    assert "stride and dilation are exchanged" in said


def test_a_missing_stride_of_a_transposed_layer():
    v = vectors(UPWARDS)
    narrow = replace(UPWARDS, stride=1, output_padding=0, padding=((1, 0), (1, 0)))
    y = np.zeros_like(v["y"])
    part = by(narrow, v, "y")
    y[tuple(slice(n) for n in part.shape)] = crop(part, y)
    found, said = outcome(UPWARDS, "y", y)
    assert "a factor of the indices of x is missing (stride or dilation) on every axis" in said and found.tried > 40


def test_groups_that_read_the_first_channels():
    v = vectors(LAYER)
    x = np.concatenate([v["x"][:, :2]] * 2, axis=1)
    _, said = outcome(LAYER, "y", by(LAYER, {**v, "x": x}, "y"))
    assert "the offset of g in x is forgotten" in said
    _, said = outcome(LAYER, "dw", by(LAYER, {**v, "x": x}, "dw"))
    assert "the offset of g in x is forgotten" in said


def test_windows_counted_from_the_far_end():
    """The floor remainder: 9 inputs, windows of 2 every 3 places leave one behind the last window."""
    v = vectors(REMAINDER)
    layer = Conv(8, 2, channels=2, filters=3, stride=3)
    _, said = outcome(REMAINDER, "y", by(layer, {**v, "x": v["x"][..., 1:]}, "y"))
    assert "off by the floor remainder" in said
    dx = np.zeros_like(v["dx"])
    dx[..., 1:] = by(layer, {**v, "x": v["x"][..., 1:]}, "dx")
    found, said = outcome(REMAINDER, "dx", dx)
    assert "off by the floor remainder" in said and found.wrong


def test_dilation_forgotten_in_the_output_padding():
    layer = Conv(9, 3, channels=2, filters=2, stride=2, dilation=2, padding=1)
    v = vectors(layer)
    right = by(replace(layer, padding=((1, 3),)), v, "dx")
    shifted = np.zeros_like(right)
    shifted[..., 2:] = right[..., :-2]
    x = np.zeros((1, 2, 13), int)
    x[..., 2:11] = v["x"]
    late = nested_loops.gradients(Conv(13, 3, 2, 2, stride=2, dilation=2, padding=((1, 0),)), x, v["w"],
                                  np.pad(v["dy"], ((0, 0), (0, 0), (0, 6)))[..., :5])["x"]
    _, said = outcome(layer, "dx", late[..., 2:11] if late.any() else shifted)
    assert "windows start" in said or "the dilation is forgotten in the output padding" in said


def test_transposed_axes():
    v = vectors(SQUARE)
    _, said = outcome(SQUARE, "y", by(SQUARE, {**v, "x": v["x"].swapaxes(2, 3)}, "y"))
    assert "x is read with axes m and n in the other order" in said
    _, said = outcome(SQUARE, "dx", v["dx"].swapaxes(2, 3))
    assert "axes m and n are in the other order in memory" in said
    last = np.ascontiguousarray(np.moveaxis(v["y"], 1, -1)).reshape(v["y"].shape)
    _, said = outcome(SQUARE, "y", last)
    assert "axis f stands last in memory" in said
    found, said = outcome(SQUARE, "y", np.moveaxis(v["y"], 1, -1))
    assert "exact, with the axes in the order" in said and not found.passed


def test_bias_defects():
    v = vectors(LAYER)
    _, said = outcome(LAYER, "y", by(LAYER, {**v, "b": 0 * v["b"]}, "y"))
    assert "the term b (the bias) is missing" in said
    _, said = outcome(LAYER, "y", by(LAYER, {**v, "b": 2 * v["b"]}, "y"))
    assert "the term b (the bias) is added twice" in said
    _, said = outcome(LAYER, "y", by(LAYER, {**v, "b": np.full(4, v["b"][0])}, "y"))
    assert "b" in said and "none of" in said  # its group and its filter are two indices
    _, said = outcome(LAYER, "db", by(LAYER, {**v, "dy": v["dy"] * np.array([0, 1]).reshape(2, 1, 1, 1)}, "db"))
    assert "only the last s counts" in said


def test_accumulated_and_overwritten():
    v = vectors(LAYER)
    _, said = outcome(LAYER, "dw", 2 * v["dw"])
    assert "accumulated, never cleared" in said
    _, said = outcome(LAYER, "dw", v["dw"] + 5)
    assert "added to what was there" in said
    half = {**v, "dy": v["dy"] * np.array([0, 1]).reshape(2, 1, 1, 1)}
    _, said = outcome(LAYER, "dw", by(LAYER, half, "dw"))
    assert "only the last s counts: sums are overwritten" in said
    _, said = outcome(LAYER, "dw", v["dw"] / np.float32(2))
    assert "divided by 2" in said and "a mean" in said


def test_loops_one_too_short():
    v = vectors(LAYER)
    short = v["w"].copy()
    short[..., -1, :] = 0
    _, said = outcome(LAYER, "y", by(LAYER, {**v, "w": short}, "y"))
    assert "the last p is left out" in said


def test_what_was_never_written():
    v = vectors(LAYER)
    got = v["dx"].astype(float)
    got[..., 6] = np.nan
    found, said = outcome(LAYER, "dx", got)
    assert found.where[3] == "axis 3: 6 of 0..6"
    assert "the last 1 of 7 along axis 3, which are NaN" in said
    got = v["dx"].reshape(-1).astype(float)
    got[-11:] = 0
    _, said = outcome(LAYER, "dx", got.reshape(v["dx"].shape))
    assert "elements in memory, which are 0, as if never computed" in said
    _, said = outcome(LAYER, "dx", np.full(v["dx"].shape, np.nan))
    assert "every element is NaN" in said


def test_other_precisions():
    small = {n: vectors(SQUARE)[n] * (9 if n == "x" else 1) for n in ("x", "w", "dy")}
    y = by(SQUARE, small, "y")
    _, (found,) = check(SQUARE.system(), {**small, "y": y.astype(np.float16)})
    assert np.abs(y).max() > 2048 and found.explanations[0].what == "the values are rounded to half precision"
    if find_spec("torch"):
        import torch

        low = torch.tensor(y, dtype=torch.float32).bfloat16().float().numpy()
        _, (found,) = check(SQUARE.system(), {**small, "y": low})
        assert found.explanations[0].what == "the values are rounded to bfloat16"


def test_a_defect_on_some_elements_only():
    """An edge path that forgot the stride: named by the elements that are wrong."""
    v = vectors(LAYER)
    wrong = crop(by(replace(LAYER, stride=(2, 1)), v, "y"), v["y"])
    got = v["y"].copy()
    got[..., 2:] = wrong[..., 2:]
    found, said = outcome(LAYER, "y", got)
    assert "the stride is missing" in said and not found.explanations[0].everywhere
    assert f"reproduces the {found.wrong} wrong elements" in said
    assert found.where[3] == "axis 3: 2 to 3 of 0..3"


def test_residue_classes_are_named():
    v = vectors(LAYER)
    got = v["dx"].copy()
    got[:, :, 1::2] += 1
    found, _ = outcome(LAYER, "dx", got)
    assert found.where[2] == "axis 2: those with index mod 2 = 1" and found.first == (0, 0, 1, 0)


def test_nothing_is_said_without_evidence():
    """Noise on an array is explained by no defect: across seeds, never a false name for it."""
    rng = np.random.default_rng(0)
    for name in ("y", "dx", "dw", "db"):
        v = vectors(LAYER)
        found, said = outcome(LAYER, name, v[name] + rng.integers(1, 50, v[name].shape))
        assert found.explanations == () and f"none of {found.tried} known defects explains it" in said
        assert found.tried >= 30


def test_right_arrays_pass_in_any_type():
    v = vectors(LAYER)
    results = {n: v[n] for n in ("y", "dx", "dw", "db")}
    for kind in (np.float32, np.float64, np.int64):
        _, found = check(LAYER.system(), {n: a.astype(kind) for n, a in results.items()})
        assert [c.name for c in found] == list(results) and all(c.passed for c in found)


def test_shapes():
    v = vectors(REMAINDER)
    more = np.concatenate([v["y"], np.ones((1, 3, 1), int)], -1)
    found, said = outcome(REMAINDER, "y", more)
    assert not found.passed and "(+1 along axis 2); the elements they have in common are exact" in said
    assert outcome(REMAINDER, "y", v["y"][0])[0].passed  # an axis of extent 1 left out
    assert not outcome(REMAINDER, "y", np.zeros((4, 4)))[0].passed


def test_inputs_of_ones_own():
    own = {n: a + 2 for n, a in vectors(SQUARE, seed=9).items() if n in ("x", "w", "dy")}
    right = by(SQUARE, own, "dw")
    _, (found,) = check(SQUARE.system(), {**own, "dw": right})
    assert found.passed
    _, (found,) = check(SQUARE.system(), {**own, "dw": right + 1})
    assert found.wrong == right.size
    with pytest.raises(ShapeError, match="x is given without w, dy"):
        check(SQUARE.system(), {"x": own["x"], "dw": right})
    with pytest.raises(ShapeError, match="other numbers than whole ones"):
        check(SQUARE.system(), {**own, "x": own["x"] + 0.5, "dw": right})
    with pytest.raises(ShapeError, match="called 'grad'; there are: x, w, dy, y, dx, dw"):
        check(SQUARE.system(), {"grad": right})
    with pytest.raises(ShapeError, match="no result to check"):
        check(SQUARE.system(), own)


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_pytorch_passes_and_a_wrong_use_of_it_is_named():
    import torch
    from torch.nn import functional as F

    v = vectors(LAYER)
    x, w, b = (torch.tensor(v[n], dtype=torch.float32, requires_grad=True) for n in "xwb")
    y = F.conv2d(x, w, b, 2, 1, (2, 1), 2)
    y.backward(torch.tensor(v["dy"], dtype=torch.float32))
    theirs = {"y": y, "dx": x.grad, "dw": w.grad, "db": b.grad}
    _, found = check(LAYER.system(), {n: t.detach().numpy() for n, t in theirs.items()})
    assert all(c.passed for c in found) and len(found) == 4
    cut = crop(F.conv2d(x, w, b, 1, 1, (2, 1), 2).detach().numpy(), v["y"])
    assert "the stride is missing on every axis" in outcome(LAYER, "y", cut)[1]


# -- the commands -----------------------------------------------------------------------------------------------------

def test_the_commands(tmp_path: Path):
    line = "mb1g2ic4oc4ih6kh3sh2ph1"
    run = CliRunner().invoke(main, ["vectors", line, "--bias", "--out", str(tmp_path), "--seed", "5"])
    assert run.exit_code == 0, run.output
    file, = tmp_path.glob("*.npz")
    same = CliRunner().invoke(main, ["check", line, "--bias", "--got", str(file)])  # its inputs are in the file
    assert same.exit_code == 0 and "dw: exact, 72 elements" in same.output
    arrays = read_arrays(file)
    np.savez(tmp_path / "out.npz", dw=arrays["dw"][..., ::-1])
    wrong = CliRunner().invoke(main, ["check", line, "--bias", "--seed", "5", "--got", str(tmp_path / "out.npz")])
    assert wrong.exit_code == 1 and "w is read flipped" in wrong.output
    assert "not in the file, not checked: y, dx, db" in wrong.output
    assert "symconv vectors" in next(tmp_path.glob("*.h")).read_text()


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_files_that_are_none(data: bytes, tmp_path: Path):
    (tmp_path / "bad.npz").write_bytes(data)
    with pytest.raises(SymconvError, match="is no "):
        read_arrays(tmp_path / "bad.npz")


def test_pickled_objects_are_not_loaded(tmp_path: Path):
    np.savez(tmp_path / "objects.npz", y=np.array([{"a": 1}], dtype=object))
    with pytest.raises(SymconvError, match="is no "):
        read_arrays(tmp_path / "objects.npz")
    with pytest.raises(SymconvError, match="cannot read"):
        read_arrays(tmp_path / "missing.npz")
