"""Sizes, names and equations of layers against brute counting and nested loops."""

from __future__ import annotations

import math
import random
import shlex
from itertools import product

import nested_loops
import numpy as np
import point_by_point
import pytest

from symconv.errors import ShapeError
from symconv.family import random_layer
from symconv.geometry import LETTERS
from symconv.layer import Conv, Dense
from symconv.system import as_system


def test_28_by_28_with_3_by_3_gives_26_by_26():
    assert Conv((28, 28), (3, 3)).output == (26, 26)
    assert as_system(Conv((28, 28), (3, 3), filters=8)).concrete().output.array_shape == (1, 8, 26, 26)


def test_output_size_counts_windows():
    for h, k, s, d, lo, hi in product((1, 4, 5, 9), (1, 2, 3), (1, 2, 3), (1, 2), (0, 1, 2), (0, 1, 3)):
        count = nested_loops.windows(h, k, s, d, lo, hi)
        if count:
            assert Conv(h, k, stride=s, dilation=d, padding=((lo, hi),)).output == (count,)
        else:
            with pytest.raises(ShapeError, match="the kernel is larger than the padded input"):
                Conv(h, k, stride=s, dilation=d, padding=((lo, hi),))


def test_transposed_size_counts_places():
    for h, k, s, d, lo, hi, e in product((1, 2, 4), (1, 3), (1, 2, 3), (1, 3), (0, 1), (0, 2), (0, 1, 2)):
        options = {"stride": s, "dilation": d, "padding": ((lo, hi),), "transposed": True, "output_padding": e}
        count = nested_loops.transposed_places(h, k, s, d, lo, hi, e)
        if e >= max(s, d):
            with pytest.raises(ShapeError, match="must be smaller than max"):
                Conv(h, k, **options)
        elif count < 1:
            with pytest.raises(ShapeError, match="no output is left"):
                Conv(h, k, **options)
        else:
            assert Conv(h, k, **options).output == (count,)


def test_transposed_undoes_the_size_of_a_convolution():
    """For some output padding below the stride the transposed layer gives back the input size."""
    for h, k, s, d, p in product((5, 6, 7, 8), (1, 3), (1, 2, 3), (1, 2), (0, 1)):
        below = Conv(h, k, stride=s, dilation=d, padding=p).output
        assert h in [Conv(below, (k,), stride=s, dilation=d, padding=p, transposed=True, output_padding=e).output[0]
                     for e in range(s)]


def test_named_paddings():
    for h, k, s, d in product(range(1, 12), range(1, 6), (1, 2, 3), (1, 2)):
        same = Conv(h, k, stride=s, dilation=d, padding="same")
        (low, high), = same.padding
        assert same.output == (-(-h // s),)
        assert high - low in (0, 1)
        if low or high:  # no smaller padding would do
            assert nested_loops.windows(h, k, s, d, 0, low + high - 1) < -(-h // s)
        full = Conv(h, k, dilation=d, padding="full")
        meets = {o for o in range(-50, 50) if any(0 <= o + d * q < h for q in range(k))}
        assert full.output == (max(meets) - min(meets) + 1,)
        assert full.padding == ((-min(meets),) * 2,)
    assert Conv(7, 3, padding="valid") == Conv(7, 3)


MESSAGES = [
    ({"input": 3, "kernel": 3, "dilation": 2}, "D*(K - 1) + 1 = 2*(3 - 1) + 1 = 5", "H + P_lo + P_hi = 3 + 0 + 0 = 3"),
    ({"input": 2, "kernel": 2, "padding": ((0, 1),), "dilation": 3}, "3*(2 - 1) + 1 = 4", "2 + 0 + 1 = 3"),
    ({"input": 2, "kernel": 1, "transposed": True, "padding": 1}, "no output is left",
     "(H - 1)*S - P_lo - P_hi + D*(K - 1) + output_padding + 1 = (2 - 1)*1 - 1 - 1 + 1*(1 - 1) + 0 + 1 = 0 < 1"),
    ({"input": 4, "kernel": 3, "stride": 2, "transposed": True, "output_padding": 2}, "output_padding = 2",
     "max(stride, dilation) = max(2, 1) = 2"),
    ({"input": 4, "kernel": 3, "output_padding": 1}, "output_padding = 1", "transposed convolution only"),
    ({"input": 4, "kernel": 3, "channels": 4, "groups": 3}, "groups = 3 does not divide channels = 4"),
    ({"input": 4, "kernel": 3, "channels": 3, "filters": 4, "groups": 3}, "groups = 3 does not divide filters = 4"),
    ({"input": 0, "kernel": 1}, "input must be at least 1, not 0"),
    ({"input": (4, 4), "kernel": (3, 0)}, "kernel[1] must be at least 1, not 0"),
    ({"input": (4, 4), "kernel": (3, 3, 3)}, "kernel has 3 entries, the layer has 2 spatial axes"),
    ({"input": (4, 4), "kernel": 3, "stride": 0}, "stride[0] must be at least 1, not 0"),
    ({"input": 4, "kernel": 3, "stride": 1.5}, "stride must be a whole number, not 1.5"),
    ({"input": 4, "kernel": 3, "padding": -1}, "padding must be at least 0, not -1"),
    ({"input": 4, "kernel": 3, "padding": (1, 1)}, "padding has 2 entries, the layer has 1 spatial axes"),
    ({"input": 4, "kernel": 3, "padding": "reflect"}, "'reflect'", "valid, same, full"),
    ({"input": 4, "kernel": 3, "padding": "same", "transposed": True}, "'same'", "give it in numbers"),
    ({"input": 4, "kernel": 3, "activation": "gelu"}, "'gelu'", "relu, sigmoid, tanh"),
    ({"input": (2, 2, 2, 2), "kernel": 1}, "1, 2 or 3 spatial axes, not 4"),
    ({"input": 4, "kernel": 3, "batch": True}, "batch must be a whole number, not True"),
]


@pytest.mark.parametrize("case", MESSAGES, ids=lambda c: c[1][:40])
def test_messages_name_the_sizes_and_the_formula(case):
    arguments, *parts = case
    with pytest.raises(ShapeError) as caught:
        Conv(**arguments)
    for part in parts:
        assert part in str(caught.value)


@pytest.mark.parametrize("arguments", [{"inputs": 0, "outputs": 1}, {"inputs": 2, "outputs": 2, "activation": "gelu"}])
def test_dense_refuses(arguments):
    with pytest.raises(ShapeError):
        Dense(**arguments)


def drawn(count, seed=0):
    rng = random.Random(seed)
    return [random_layer(rng) for _ in range(count)]


def test_names_and_commands_are_unique():
    layers = set(drawn(1500)) | {Conv((6, 6), (3, 3), activation=a) for a in (None, "relu", "tanh")}
    assert len({layer.name for layer in layers}) == len(layers)
    assert len({layer.command() for layer in layers}) == len(layers)
    assert len({layer.spec() for layer in layers}) == len(layers)
    assert all(layer.name.replace("_", "").isalnum() for layer in layers)


def rebuilt(command: str) -> Conv:
    """A reader of commands written from their description alone."""
    words, options = shlex.split(command), {}
    for at, word in enumerate(words):
        if word.startswith("--"):
            flag = at + 1 == len(words) or words[at + 1].startswith("--")
            options[word[2:].replace("output-pad", "output_padding")] = True if flag else words[at + 1]
    numbers = {n: tuple(map(int, options[n].split("x"))) for n in
               ("input", "kernel", "stride", "dilation", "output_padding") if n in options}
    numbers |= {n: int(options[n]) for n in ("channels", "filters", "batch", "groups") if n in options}
    if "pad" in options:
        sides = [tuple(map(int, side.split(":"))) for side in options["pad"].split("x")]
        numbers["padding"] = tuple(s if len(s) == 2 else s * 2 for s in sides)
    rank = len(numbers["input"])
    numbers = {n: v * rank if isinstance(v, tuple) and len(v) == 1 else v for n, v in numbers.items()}
    rest = {n: options[n] for n in ("activation", "bias", "transposed", "flip") if n in options}
    return Conv(**numbers, **rest)


def test_commands_and_specs_rebuild_the_layer():
    for layer in [*drawn(300, 1), Conv(5, 2, activation="relu", bias=True)]:
        assert rebuilt(layer.command()) == layer
        values = {n: eval(text) for n, text in layer.spec()[1:]}
        assert Conv(**values) == layer


def test_equations_at_the_sizes_agree_with_nested_loops():
    """The equations themselves, point by point in plain Python."""
    rng = np.random.default_rng(0)
    for layer in [x for x in drawn(200, 2) if np.prod(nested_loops.output_shape(x)) <= 150][:60]:
        system = as_system(layer)
        equation = system.equations[0].at(dict(system.sizes))
        arrays = {t.name: rng.integers(-9, 10, t.array_shape) for t in system.concrete().inputs}
        found = point_by_point.evaluate(equation, arrays).reshape(nested_loops.output_shape(layer))
        assert (found == nested_loops.forward(layer, **arrays)).all(), layer.command()


def test_sizes_satisfy_their_context():
    for layer in drawn(200, 3):
        system = as_system(layer)
        sizes = dict(system.sizes)
        for c in system.equations[0].context.constraints:
            assert c.holds(sizes), (layer.command(), c)
        outputs = [axis.output for axis in LETTERS[layer.rank]]
        assert tuple(sizes[o] for o in outputs) == layer.output
        if not layer.transposed:  # and no other output size does
            for o in outputs:
                for wrong in (-1, 1):
                    moved = {**sizes, o: sizes[o] + wrong}
                    assert not all(c.holds(moved) for c in system.equations[0].context.constraints)


def test_notes_state_definitions_that_give_the_output():
    for layer in drawn(200, 4):
        system = as_system(layer)
        sizes = {n: v for n, v in system.sizes if n not in (a.output for a in LETTERS[layer.rank])}
        for (statement, _), value in zip(system.notes, layer.output, strict=True):
            name, definition = statement.split(" = ")
            assert name in dict(system.sizes)
            assert eval(definition, {"floor": math.floor}, sizes) == value, statement
