"""Calls from Python: what is checked each time, what once, and what a bound call keeps alive."""

from __future__ import annotations

import ctypes
import gc
import re
import weakref

import numpy as np
import pytest

import symconv
from symconv.calls import CCall, Slot, Workspace
from symconv.equation import Tensor
from symconv.errors import NotSupported
from symconv.native import BuildFolder, address, compile_library, entry, find_compiler

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
TARGETS = ["numpy", pytest.param("c", marks=needs_compiler)]


class NoCtypes(np.ndarray):
    """An array that does not like the slow way to its address."""

    @property
    def ctypes(self) -> object:
        raise AssertionError("`.ctypes` was read")


def integers(seed: int, *shapes: tuple[int, ...]) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(-4, 5, shape).astype(np.float32) for shape in shapes]


@pytest.fixture(scope="module", params=TARGETS)
def kernels(request: pytest.FixtureRequest) -> symconv.Kernels:
    return symconv.build(symconv.Conv((5, 4), (3, 2), channels=2, filters=3, stride=2, padding=1), request.param)


X, W, DY = integers(0, (1, 2, 5, 4), (3, 2, 3, 2), (1, 3, 3, 3))
CALLS = {"forward": (X, W), "grad_x": (W, DY), "grad_w": (X, DY)}


@pytest.mark.parametrize("name", CALLS)
def test_out_is_overwritten_and_returned(kernels: symconv.Kernels, name: str):
    call = getattr(kernels, name)
    expected = call(*CALLS[name])
    out = np.full_like(expected, np.nan)
    assert call(*CALLS[name], out=out) is out
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("name", CALLS)
def test_a_bound_call_reads_what_its_arrays_hold_by_then(kernels: symconv.Kernels, name: str):
    first, second = (a.copy() for a in CALLS[name])
    out = np.full_like(getattr(kernels, name)(first, second), np.nan)
    step = kernels.bind(name, first, second, out=out)
    assert np.isnan(out).all(), "binding runs nothing"
    assert step() is out
    np.testing.assert_array_equal(out, getattr(kernels, name)(first, second))
    first += 1
    step()
    np.testing.assert_array_equal(out, getattr(kernels, name)(first, second))
    assert step.out is out and list(step.arrays.values())[-1] is out and step.name in repr(step)


def test_bind_makes_its_own_out(kernels: symconv.Kernels):
    step = kernels.bind("forward", X, W)
    np.testing.assert_array_equal(step(), kernels.forward(X, W))
    assert step() is step.out and not np.may_share_memory(step.out, X)


@needs_compiler
def test_a_bound_call_keeps_what_it_needs_alive():
    x, w, dy = (a.copy() for a in (X, W, DY))
    kernels = symconv.build(symconv.Conv((5, 4), (3, 2), channels=2, filters=3, stride=2, padding=1))
    expected, folder = kernels.grad_w(x, dy), kernels.calls["grad_w"].keep
    assert isinstance(folder, BuildFolder)
    path, alive = folder.path, [weakref.ref(a) for a in (x, dy)]
    step = kernels.bind("grad_w", x, dy)
    del kernels, x, w, dy, folder
    gc.collect()
    assert path.is_dir() and all(r() is not None for r in alive)
    np.testing.assert_array_equal(step(), expected)
    del step
    gc.collect()
    assert not path.exists() and all(r() is None for r in alive)


def test_the_arrays_of_a_bound_call_are_checked_like_any(kernels: symconv.Kernels):
    with pytest.raises(ValueError, match=r"forward: x must have the shape \(1, 2, 5, 4\), not \(1, 2, 5\)"):
        kernels.bind("forward", X[..., 0], W)
    with pytest.raises(ValueError, match="forward takes x, w; 1 arrays were given"):
        kernels.bind("forward", X)
    with pytest.raises(ValueError, match="grad_w: out must hold float32, not float64"):
        kernels.bind("grad_w", X, DY, out=np.zeros(W.shape))
    fixed = np.zeros_like(W)
    fixed.flags.writeable = False
    with pytest.raises(ValueError, match="grad_w: out must be writeable, not read-only"):
        kernels.bind("grad_w", X, DY, out=fixed)
    with pytest.raises(NotSupported, match="no kernel 'backward'; there are: forward, prepare, forward_prepared"):
        kernels.bind("backward", X, W)


@pytest.mark.parametrize("bound", [False, True])
def test_out_may_touch_an_input_but_not_overlap_it(kernels: symconv.Kernels, bound: bool):
    memory = np.zeros(W.size + X.size, np.float32)
    w = memory[:W.size].reshape(W.shape)
    w[...] = W
    beside = memory[W.size:].reshape(X.shape)
    run = (lambda out: kernels.bind("grad_x", w, DY, out=out)()) if bound else \
        (lambda out: kernels.grad_x(w, DY, out=out))
    np.testing.assert_array_equal(run(beside), kernels.grad_x(W, DY))
    np.testing.assert_array_equal(w, W)
    with pytest.raises(ValueError, match="grad_x: out shares memory with an input, w"):
        run(memory[W.size - 1:-1].reshape(X.shape))


def test_no_call_asks_an_array_for_ctypes(kernels: symconv.Kernels):
    """Reading `.ctypes.data` costs more than everything else a call does."""
    x, w, out = (a.copy().view(NoCtypes) for a in (X, W, DY))
    with pytest.raises(AssertionError):
        _ = x.ctypes
    kernels.forward(x, w, out=out)
    np.testing.assert_array_equal(np.asarray(out), kernels.forward(X, W))
    out[...] = 0
    kernels.bind("forward", x, w, out=out)()
    np.testing.assert_array_equal(np.asarray(out), kernels.forward(X, W))


def test_a_bound_call_looks_at_no_array_again(kernels: symconv.Kernels, monkeypatch: pytest.MonkeyPatch):
    step = kernels.bind("forward", X, W)
    monkeypatch.setattr("symconv.calls.address", lambda a: pytest.fail("an address was looked up"))
    if isinstance(kernels.calls["forward"], CCall):
        monkeypatch.setattr(np, "empty", lambda *a: pytest.fail("an array was made"))
    step()


@pytest.mark.parametrize("a", [X, X[0, 1:], X[..., ::2], np.zeros((), np.int8), np.zeros(3)[3:], X.T,
                               np.ma.ones(3), np.broadcast_to(np.float32(1), (4, 4))], ids=str)
def test_addresses_are_those_numpy_tells(a: np.ndarray):
    assert address(a) == a.ctypes.data


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("accumulate", [False, True])
def test_a_chain_can_be_bound(target: str, accumulate: bool):
    """dz = dh * sigma'(z) is computed anew on each call, whether or not gradients add to their output."""
    kernels = symconv.build(symconv.Conv(6, 3, channels=2, filters=2, activation="relu"), target, accumulate=accumulate)
    x, w, dh = integers(1, (1, 2, 6), (2, 2, 3), (1, 2, 4))
    forward = kernels.bind("forward", x, w)
    h, z = kernels.forward(x, w, return_z=True)
    np.testing.assert_array_equal(forward(), h)
    np.testing.assert_array_equal(forward.arrays["z"], z)
    step = kernels.bind("grad_w", x, dh, forward.arrays["z"])
    for times in (1, 2, 3):
        found = step()
        np.testing.assert_array_equal(found, (times if accumulate else 1) * kernels.grad_w(x, dh, z))
    with pytest.raises(ValueError, match="grad_x: out shares memory with an input, z"):
        kernels.bind("grad_x", w, np.ones((1, 2, 4), np.float32), z, out=z)
    with pytest.raises(ValueError, match="grad_x takes w, dh, z; 2 arrays were given"):
        kernels.bind("grad_x", w, dh)


NEEDY = """
void needy(const float *x, float *y, unsigned char *workspace)
{
    for (int i = 0; i < 4; ++i) ((float *)workspace)[i] = 2 * x[i];
    for (int i = 0; i < 4; ++i) y[i] = ((float *)workspace)[i] + 1;
}
"""


@pytest.fixture(scope="module")
def needy() -> CCall:
    """A kernel that needs 16 bytes beside its arrays."""
    folder = BuildFolder()
    library = compile_library({"needy.c": NEEDY}, folder)
    x, y = Tensor("x", 4), Tensor("y", 4)
    return CCall("needy", (Slot.of("needy", x, "float32"),), Slot.of("needy", y, "float32", out=True), "y", False,
                 entry(library, "needy", 3), 16, folder)


def inside(workspace: Workspace) -> np.ndarray:
    """What a workspace holds."""
    return np.ctypeslib.as_array((ctypes.c_float * 4).from_address(workspace.place))


@needs_compiler
def test_a_workspace_can_be_given_again_and_again(needy: CCall):
    x, expected = np.arange(4, dtype=np.float32), np.array([1, 3, 5, 7], np.float32)
    np.testing.assert_array_equal(needy.checked(x), expected, err_msg="without one it makes its own")
    given = Workspace(16)
    assert given.place % 64 == 0 and given.size == 16
    np.testing.assert_array_equal(needy.checked(x, workspace=given), expected)
    np.testing.assert_array_equal(inside(given), 2 * x, err_msg="the one given is used")
    step = needy.bind((x,), workspace=given)
    inside(given)[...] = 0
    np.testing.assert_array_equal(step(), expected)
    np.testing.assert_array_equal(inside(given), 2 * x)
    own = needy.bind((x,))
    gc.collect()
    np.testing.assert_array_equal(own(), expected, err_msg="its own workspace stays alive")


@needs_compiler
@pytest.mark.parametrize(("wrong", "said"), [(Workspace(15), "have 16 bytes, not 15"),
                                             (np.zeros(64, np.uint8), "be what workspace() returns, not ndarray")])
def test_a_wrong_workspace_is_refused(needy: CCall, wrong: object, said: str):
    x = np.arange(4, dtype=np.float32)
    for call in (lambda: needy.checked(x, workspace=wrong), lambda: needy.bind((x,), workspace=wrong)):
        with pytest.raises(ValueError, match=re.escape(f"needy: workspace must {said}")):
            call()


def test_kernels_without_a_need_ignore_the_workspace(kernels: symconv.Kernels):
    np.testing.assert_array_equal(kernels.forward(X, W, workspace=kernels.workspace()), kernels.forward(X, W))


# Weights prepared once.

WIDE = symconv.Conv((8, 8), (3, 3), 24, 40, padding=1, groups=2, batch=2, bias=True, activation="relu")


@needs_compiler
@pytest.mark.parametrize("isa", ["native", "generic"])
def test_prepared_weights_give_the_same_result(isa: str):
    """Compiled kernels may have work to do beforehand; where they have none, a copy of the weights will do."""
    kernels = symconv.build(WIDE, isa=isa)
    x, w, b, dh = integers(1, (2, 24, 8, 8), (40, 12, 3, 3), (40,), (2, 40, 8, 8))
    h, z = kernels.forward(x, w, b, return_z=True)
    dx = kernels.grad_x(w, dh, z)
    prepared, backward = kernels.prepare(w), kernels.prepare_grad_x(w)
    w[...] = 0  # nobody looks at it again
    memory = kernels.workspace()
    np.testing.assert_array_equal(kernels.forward_prepared(x, prepared, b, workspace=memory), h)
    np.testing.assert_array_equal(kernels.grad_x_prepared(backward, dh, z), dx)
    step = kernels.bind("forward_prepared", x, prepared, b)
    np.testing.assert_array_equal(step(), h)
    assert list(kernels.grad) == ["x", "w", "b", "z"]


@needs_compiler
def test_prepared_weights_are_checked_like_any_array():
    kernels = symconv.build(symconv.Conv((8, 8), (3, 3), 40, 40, padding=1, stride=2))
    x, w = integers(1, (1, 40, 8, 8), (40, 40, 3, 3))
    prepared = kernels.prepare(w)
    again = kernels.prepare(w, out=np.zeros_like(prepared))
    np.testing.assert_array_equal(kernels.forward_prepared(x, again), kernels.forward(x, w))
    with pytest.raises(ValueError, match="forward_prepared: prepared must have the shape "):
        kernels.forward_prepared(x, prepared[:-1])
    if "prepare" in kernels.calls:
        assert address(prepared) % 64 == 0
        with pytest.raises(ValueError, match=r"prepared must have the shape .*, not \(40, 40, 3, 3\)"):
            kernels.forward_prepared(x, w)
    with pytest.raises(ValueError, match="forward_prepared takes x, prepared; 1 arrays were given"):
        kernels.forward_prepared(x)


def test_an_equation_without_weights_has_nothing_to_prepare():
    i, j = symconv.indices("i j")
    w, x, y = Tensor("w", 3), Tensor("x", 7), Tensor("y", 5)
    kernels = symconv.build(symconv.Equation(y[i], w[j] * x[i + j]), target="numpy")
    with pytest.raises(AttributeError, match="no kernel 'prepare'; there are: forward, grad_w, grad_x"):
        kernels.prepare  # noqa: B018
