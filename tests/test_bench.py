"""Measuring: who computes what before anything is timed, whose turn it is, and what is shown. No time is asserted."""

from __future__ import annotations

import ctypes
import io
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from symconv.bench import command, numpy_kernels, ours, turns
from symconv.bench.command import Request
from symconv.bench.layers import KERNELS, Geometry, Measured, read_layers, small_integers
from symconv.bench.machine import Machine
from symconv.bench.ours import Task
from symconv.bench.peers import im2col, naive, onednn, onnxruntime, scipy, torch, windows
from symconv.bench.race import Row, Timing, check, race_c, race_python
from symconv.bench.roofline import roofline
from symconv.bench.turns import Entrant, Spread, run_turns, time_python
from symconv.errors import NotSupported, SymconvError
from symconv.layer import Conv, Dense
from symconv.native import find_compiler

needs_compiler = pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
LAYERS = {
    "strided with a floor remainder, groups": Conv((6, 7), (3, 2), 4, 2, stride=2, padding=1, groups=2, batch=2),
    "dilated, padded on one side": Conv((7, 6), (3, 3), 2, 3, padding=((0, 2), (1, 0)), dilation=(1, 2)),
    "transposed": Conv((4, 3), (3, 3), 4, 2, stride=(2, 3), padding=1, transposed=True, output_padding=1, batch=2),
    "plain": Conv((5, 6), (3, 2), 2, 3, padding=1),
    "1-D": Conv(9, 3, 2, 2),
    "3-D": Conv((4, 3, 5), (2, 3, 2), 2, 2, padding=1),
    "dense": Dense(4, 3),
    "dense, in a batch": Dense(4, 3, batch=2),
}
MACHINE = Machine("some processor", 100.0, {"L1": 200.0, "L2": 100.0, "L3": 50.0, "memory": 20.0},
                  {"L1": 2**15, "L2": 2**19, "L3": 2**20}, 0)


@pytest.fixture(scope="module", params=LAYERS)
def task(request: pytest.FixtureRequest) -> Task:
    return Task(Measured(request.param, LAYERS[request.param]))


def quiet() -> Console:
    return Console(width=200, record=True, file=io.StringIO())


# Everyone computes the same.

PEERS = [naive, onednn, torch, onnxruntime]


@needs_compiler
@pytest.mark.parametrize("peer", PEERS, ids=lambda p: p.NAME)
def test_peers_compute_what_the_kernels_compute(task: Task, peer):
    if peer.missing():
        pytest.skip(peer.missing())
    of: Callable[[Task, str], list[Entrant]] = getattr(peer, "c_entrants", None) or peer.python_entrants
    for kernel in KERNELS:
        good, exact, refused = check(of(task, kernel), task.expected[kernel], task.scale[kernel])
        assert not refused and all(exact), (kernel, refused)
        assert good or (peer is onnxruntime and kernel != "forward") or (
            peer is torch and task.measured.name == "dilated, padded on one side")


@needs_compiler
def test_our_own_entrants_compute_it_too(task: Task):
    for kernel in KERNELS:
        for e in (*ours.c_entrants(task, kernel), *ours.python_entrants(task, kernel)):
            np.testing.assert_array_equal(e.result(), task.expected[kernel])


@pytest.mark.parametrize("peer", [im2col, windows, scipy], ids=lambda p: p.NAME)
@pytest.mark.parametrize("name", LAYERS)
def test_numpy_peers_compute_what_numpy_kernels_compute(name: str, peer):
    if peer.missing():
        pytest.skip(peer.missing())
    rows = numpy_kernels.compare_numpy([Measured(name, LAYERS[name])], 1, [peer])
    assert [r.kernel for r in rows] == list(KERNELS)


@needs_compiler
def test_the_arrays_of_a_task_make_sums_exact(task: Task):
    for kernel in KERNELS:
        assert task.scale[kernel].max() < 2**24
        wide = [a.astype(np.float64) for a in task.inputs(kernel)]
        assert all((a == np.rint(a)).all() and np.abs(a).max() >= 1 for a in wide)
        assert task.expected[kernel].any()


def test_integers_are_smaller_where_sums_are_longer():
    few = small_integers({"x": (100,)}, 200, 100)["x"]
    many = small_integers({"x": (100,)}, 2 * 2**20 * 100, 100)["x"]
    assert np.abs(few).max() == 9 and 1 <= np.abs(many).max() <= 2


# A peer that computes something else is refused, before anything is timed.

def wrong_peer(change: Callable[[np.ndarray], np.ndarray]):
    def entrants(task: Task, kernel: str) -> list[Entrant]:
        def result() -> np.ndarray:
            return change(task.expected[kernel])

        def call() -> None:
            pytest.fail("it was timed")

        return [Entrant("liar", "quickly", result, call)]

    return entrants


@needs_compiler
@pytest.mark.parametrize("change", [lambda y: y + 1, lambda y: np.full_like(y, np.nan), lambda y: y[..., :-1],
                                    lambda y: y * 1.001], ids=["off by one", "nan", "another shape", "a thousandth"])
def test_a_peer_that_computes_something_else_is_refused(change):
    task = Task(Measured("plain", LAYERS["plain"]))
    rows, refused = race_python(task, [ours.python_entrants, wrong_peer(change)], 1)
    assert len(refused) == len(KERNELS) and all("liar (quickly)" in r for r in refused)
    assert all(t.peer == "symconv" for r in rows for t in r.timings)


@needs_compiler
def test_a_rounded_result_takes_part_and_is_marked():
    task = Task(Measured("plain", LAYERS["plain"]))
    near = task.expected["forward"] + 1e-6 * task.scale["forward"]
    good, exact, refused = check([Entrant("winograd", "", lambda: near)], task.expected["forward"],
                                 task.scale["forward"])
    assert len(good) == 1 and exact == [False] and not refused


def test_a_numpy_peer_that_computes_something_else_ends_the_comparison():
    made = SimpleNamespace(NAME="liar", missing=lambda: "", ways=lambda g: [("", SimpleNamespace(
        correlate=lambda x, w: np.zeros(g.shapes[2]), scatter=None, weights=None))])
    with pytest.raises(SymconvError, match="plain, forward: liar computes something else"):
        numpy_kernels.compare_numpy([Measured("plain", LAYERS["plain"])], 1, [made])


# Turns.

def recorder(log: list[tuple[str, int]], name: str, first: int, second: int) -> Entrant:
    """A C function, as far as the driver can tell, that writes down who was called with what."""
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    function = kind(lambda a: log.append((name, a)))
    return Entrant(name, "", lambda: np.zeros(0), place=ctypes.cast(function, ctypes.c_void_p).value or 0,
                   sets=((first,), (second,)), keep=function)


@needs_compiler
def test_the_driver_goes_there_and_back_and_changes_inputs():
    log: list[tuple[str, int]] = []
    a, b = recorder(log, "a", 1, 2), recorder(log, "b", 3, 4)
    seconds = run_turns([a, b], [3, 2], 2)
    warm = [("a", 1)]  # one call ahead of each sample
    there, back = [("a", 1), ("a", 2), ("a", 1)], [("b", 3), ("b", 4)]
    assert log == [*warm, *there, ("b", 3), *back, ("b", 3), *back, *warm, *there]
    assert seconds.shape == (2, 2) and (seconds >= 0).all()


@needs_compiler
def test_cold_samples_follow_a_walk_over_memory_and_one_call():
    log: list[tuple[str, int]] = []
    sweep = np.zeros(640, np.uint8)
    run_turns([recorder(log, "a", 1, 2)], [1], 3, sweep)
    assert log == [("a", 1)] * 3, "no call comes ahead of a cold one"
    assert (sweep[::64] == 3).all() and sweep.sum() == 30, "every line was touched before every sample"


@needs_compiler
def test_two_sets_of_arguments_differ_in_the_smallest_input():
    task = Task(Measured("plain", LAYERS["plain"]))
    for kernel in KERNELS:
        for of in (ours.c_entrants, naive.c_entrants):
            e, = of(task, kernel)
            differ = [a != b for a, b in zip(*e.sets, strict=True)]
            assert sum(differ) == 1 and not differ[2], "one input, never the result"


def test_python_calls_take_turns():
    log: list[str] = []
    slow = {"a": 1, "b": 1}

    def call(name: str) -> Callable[[], None]:
        def run() -> None:
            log.append(name)
            slow[name] = sum(range(20_000))

        return run

    time_python([call("a"), call("b")], 2)
    order = [n for n, before in zip(log, ["", *log], strict=False) if n != before]
    assert order[-3:] == ["a", "b", "a"], "two rounds, the second the other way round"


@needs_compiler
def test_a_race_times_each_kernel_warm_and_cold():
    task = Task(Measured("plain", LAYERS["plain"]))
    rows, refused = race_c(task, [ours.c_entrants, naive.c_entrants], 2, np.zeros(2**16, np.uint8))
    assert not refused and [r.kernel for r in rows] == list(KERNELS)
    for r in rows:
        assert [t.peer for t in r.timings] == ["symconv", "naive"]
        assert all(t.warm.median > 0 and t.cold is not None and t.exact for t in r.timings)


# What is told.

def some_rows() -> list[Row]:
    rows = []
    for number, layer in enumerate(["3x3 <64> & more", "second"], 1):
        for kernel in KERNELS:
            own = Timing("symconv", "", Spread(2.0 * number, 1.9, 2.1), True)
            other = Timing("oneDNN", "any layout", Spread(3.0, 2.9, 3.1), False, Spread(9.0, 8, 10), Spread(1, 1, 1))
            rows.append(Row(layer, kernel, 10_000, 1000 * number, (own, other)))
    return rows


def test_a_row_knows_its_ratio_and_rate():
    row = some_rows()[0]
    assert row.ratio() == 1.5 and row.rate(row.timings[0]) == 5.0
    assert replace(row, timings=row.timings[:1]).ratio() is None
    slower = replace(row.timings[1], way="channels first", warm=Spread(4.0, 4, 4))
    assert replace(row, timings=(*row.timings, slower)).best("oneDNN") is row.timings[1]


def test_the_plot_holds_a_point_for_each_kernel():
    rows = some_rows()
    root = ElementTree.fromstring(roofline(rows, MACHINE))
    svg = "{http://www.w3.org/2000/svg}"
    assert root.find(f"{svg}title").text and "6 kernels of 2 layers" in root.find(f"{svg}desc").text
    points = [g for g in root.iter(f"{svg}g") if g.get("class") == "point"]
    told = [p.find(f"{svg}title").text for p in points]
    assert len(points) == len(rows) and len(set(told)) == len(rows)
    assert told[0] == "3x3 <64> & more, forward: 2 us, 5 GFLOP/s, 5 % of peak"
    lines = [e.get("class") for e in root.iter(f"{svg}line")]
    assert lines.count("peak") == 1 and lines.count("roof") == len(MACHINE.bandwidth)


def test_points_stand_where_they_belong():
    """Twice the rate is higher, twice the intensity further right, and a kernel at the peak on the roof."""
    base = some_rows()[0]
    at = {}
    for name, time, moved in (("base", 2.0, 1000), ("peak", 0.1, 1000), ("denser", 2.0, 500)):
        own = Timing("symconv", "", Spread(time, time, time), True)
        at[name] = replace(base, layer=name, bytes=moved, timings=(own,))
    root = ElementTree.fromstring(roofline(list(at.values()), MACHINE))
    svg = "{http://www.w3.org/2000/svg}"
    circles = {g.find(f"{svg}title").text.split(",")[0]: g.find(f"{svg}circle") for g in root.iter(f"{svg}g")
               if g.get("class") == "point"}
    x, y = ({n: float(c.get(k)) for n, c in circles.items()} for k in ("cx", "cy"))
    peak, = (float(e.get("y1")) for e in root.iter(f"{svg}line") if e.get("class") == "peak")
    assert x["base"] == x["peak"] < x["denser"] and y["base"] == y["denser"] > y["peak"] == peak


def test_our_layers_are_layers_and_have_names_of_their_own():
    layers = read_layers()
    assert len({m.name for m in layers}) == len(layers)
    assert len(read_layers(chosen="speed")) == 20 and 0 < len(read_layers(chosen="quick")) < 10
    with pytest.raises(SymconvError, match="there is no set 'huge' of layers; known: all, speed, quick"):
        read_layers(chosen="huge")


def test_layers_of_a_file_need_no_names(tmp_path: Path):
    path = tmp_path / "own.toml"
    path.write_text("[[layer]]\ninput = [5, 5]\nkernel = [3, 3]\n\n[[layer]]\nname = 'mine'\ninputs = 4\noutputs = 2\n")
    assert [m.name for m in read_layers(path)] == ["conv2d_n1c1i5x5_f1k3x3_s1p0", "mine"]
    path.write_text("[[layer]]\ninput = [5, 5]\nkernel = [3, 3]\nbias = true\n")
    with pytest.raises(NotSupported, match="leave bias, activation and flip out"):
        read_layers(path)


def test_the_work_of_a_layer_is_counted_as_libraries_do():
    g = Geometry.of(Conv((56, 56), (3, 3), 64, 64, padding=1))
    assert g.operations == 2 * 64 * 64 * 9 * 56 * 56 and g.bytes == 4 * (2 * 64 * 56 * 56 + 64 * 64 * 9)
    assert Geometry.of(Dense(784, 100, batch=32)).operations == 2 * 784 * 100 * 32
    assert Geometry.of(LAYERS["transposed"]).operations == 2 * 2 * 4 * 2 * 9 * 4 * 3


def test_who_is_missing_is_named_and_skipped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch, "find_spec", lambda name: None)
    console = quiet()
    assert command._present(("torch", "naive"), console) == [naive]
    assert "torch is skipped: torch is not installed" in console.export_text()
    with pytest.raises(SymconvError, match="unknown peer 'cudnn'; known: torch, onnxruntime, onednn, naive"):
        command.run(Request(against=("cudnn",)), console)


@needs_compiler
def test_the_command_prints_tables_and_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(command, "pin", lambda: None)
    monkeypatch.setattr(command, "measure", lambda core: MACHINE)
    monkeypatch.setattr(turns, "SAMPLE", 1e-5)
    path = tmp_path / "own.toml"
    path.write_text("[[layer]]\nname = 'mine'\ninput = 9\nkernel = 3\n")
    console = quiet()
    plot = tmp_path / "roof.svg"
    assert command.run(Request(path, against=("naive",), repeats=2, plot=plot), console) == 0
    text = console.export_text()
    for part in ("some processor, core 0: 100 GFLOP/s", "C to C, warm", "C to C, cold", "Python to Python", "mine",
                 "geometric mean", "grad_w"):
        assert part in text
    assert ElementTree.fromstring(plot.read_text()).tag.endswith("svg")
    assert command.run(Request(path, target="numpy", repeats=1), console) == 0
    assert "NumPy kernels" in console.export_text()


@needs_compiler
def test_who_is_far_behind_is_timed_a_few_times_and_still_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("symconv.bench.race.hopeless", lambda entrants: [e.peer == "naive" for e in entrants])
    task = Task(Measured("plain", LAYERS["plain"]))
    rows, _ = race_c(task, [ours.c_entrants, naive.c_entrants], 2, np.zeros(2**16, np.uint8))
    for r in rows:
        own, other = r.timings
        assert own.cold and other.cold is None and other.warm.median > 0


@needs_compiler
def test_an_old_onednn_is_told_from_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onednn, "_homes", lambda: iter([tmp_path]))
    monkeypatch.setattr(onednn, "_library", onednn._library.__wrapped__)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where a failed build is kept
    assert onednn.missing() == onednn.ABSENT
    header = tmp_path / "include" / "oneapi" / "dnnl" / "dnnl.h"
    header.parent.mkdir(parents=True)
    header.write_text("#define DNNL_VERSION_MAJOR 2\n")
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "libdnnl.so").write_text("")
    assert onednn.missing() == onednn.OLD
