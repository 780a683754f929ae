"""Layers in the notations of other tools: what a line means, and what is said of one that means nothing."""

from __future__ import annotations

import random
from importlib.util import find_spec
from math import prod
from typing import Any

import numpy as np
import pytest

from symconv import Conv, Dense
from symconv.errors import LineError, ShapeError, SymconvError
from symconv.options import layer_from
from symconv.reference import forward

SAME = {
    "g24ic24oc24ih6oh3kh3sh2ph1": Conv((6, 6), (3, 3), 24, 24, 2, 2, 1, groups=24),
    'mb2_ic16oc16_ih7oh7kh3ph1_n"name"': Conv((7, 7), (3, 3), 16, 16, 2, padding=1),
    "mb3ic4iw9oc5kw3sw2dw1pw2": Conv(9, 3, 4, 5, 3, 2, 2, 2),
    "ic3ih227iw227_oc96oh55ow55_kh11kw11_sh4sw4ph0pw0_n\"alexnet:conv1\"": Conv((227, 227), (11, 11), 3, 96, 2, 4),
    "mb1ic2id4oc2kd3": Conv((4, 4, 4), (3, 3, 3), 2, 2),
    "mb1ic2id4ih5iw6oc2kd3kh2kw1": Conv((4, 5, 6), (3, 2, 1), 2, 2),
    "mb1ic2ih5iw6oc2kh3kw2ph1": Conv((5, 6), (3, 2), 2, 2, padding=(1, 0)),
    "ic3ih224oc32oh112kh3sh2": Conv((224, 224), (3, 3), 3, 32, 2, 2, ((0, 1), (0, 1))),  # padding is what is left
    "ic3ih6oc2oh6kh3": Conv((6, 6), (3, 3), 3, 2, 2, padding=1),
    "Conv2d(24, 24, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1), groups=24, bias=False)":
        Conv((6, 5), (3, 3), 24, 24, 1, 2, 1, groups=24),
    "(conv1): torch.nn.Conv2d(2, 3, 3, 2, padding='valid')": Conv((6, 5), (3, 3), 2, 3, 1, 2, bias=True),
    "Conv2d(2, 3, (2, 3), padding='same', dilation=(1, 2), bias=False)":
        Conv((6, 5), (2, 3), 2, 3, padding=((0, 1), (2, 2)), dilation=(1, 2)),
    "nn.ConvTranspose2d(2, 4, 3, 2, 1, 1, 2, False, 2)":
        Conv((6, 5), (3, 3), 2, 4, stride=2, padding=1, output_padding=1, groups=2, dilation=2, transposed=True),
}


@pytest.mark.parametrize("line", SAME)
def test_a_line_is_the_layer_it_says(line: str):
    given: dict[str, Any] = {} if "Conv" not in line else {"input_": "6x5"}
    assert layer_from({"line": line, **given}) == SAME[line]


def test_a_fully_connected_layer():
    assert layer_from({"line": "Linear(in_features=4, out_features=3, bias=True)"}) == Dense(4, 3, bias=True)
    assert layer_from({"line": "Linear(4, 3, bias=False)", "batch": 2}) == Dense(4, 3, 2)


def test_deconvolution_where_told():
    """An output that is larger than the smallest one by less than a stride is output padding."""
    line = {"line": "mb1ic2ih3oc4oh6kh3sh2ph1", "transposed": True}
    assert layer_from(line) == Conv((3, 3), (3, 3), 2, 4, stride=2, padding=1, output_padding=1, transposed=True)
    with pytest.raises(LineError, match="make oh5"):
        layer_from({**line, "line": "mb1ic2ih3oc4oh7kh3sh2ph1"})


def test_options_say_what_a_line_leaves_open():
    line = {"line": "ic2ih5oc3kh3", "bias": True, "activation": "relu", "batch": 4, "flip": True}
    assert layer_from(line) == Conv((5, 5), (3, 3), 2, 3, 4, bias=True, activation="relu", flip=True)
    assert layer_from({"line": "ic2ih5oc3kh3", "pad": "1"}).padding == ((1, 1), (1, 1))
    assert layer_from({"line": "ic2ih5oc3kh3", "kernel": "3", "channels": 2}) == layer_from({"line": "ic2ih5oc3kh3"})
    with pytest.raises(ShapeError, match=r"stride is given twice: \(1, 1\) in LAYER, 2 as an option"):
        layer_from({"line": "ic2ih5oc3kh3", "stride": "2"})
    with pytest.raises(ShapeError, match="--input 28x28"):
        layer_from({"line": "Conv1d(1, 1, 3)"})
    with pytest.raises(ShapeError, match="--dense is a layer of its own"):
        layer_from({"line": "ic2ih5oc3kh3", "dense": "4x3"})


WRONG = {
    "g24ic24oc24ih6oh4kh3sh2ph1": (15, "oh4 is given, but ih6, kh3, sh2, dh0 and ph1 make oh3"),
    "ic3ih6oc4kh3sh2q1": (16, "an entry such as ic16 or kh3 is expected"),
    "ic3ih6oc4kh3ih7": (13, "ih is given twice"),
    "ic3ih6oc4kh": (12, "kh needs a number"),
    "ic3ih6oc4kh0": (12, "kh must be at least 1"),
    "ic3ih60000000000oc4kh3": (6, "kh|ih needs a number of at most 9 digits"),
    "ic3ih6kh3": (10, "oc is missing"),
    "ic3ih6oc4iw6kh3": (16, "kw is missing"),
    "ic3oc4id6iw6kd3kw3": (19, "id and iw are given without ih"),
    "ic3oc4": (7, "the input is missing"),
    "Conv2d(24, 24, kernel_size=(3, 3), padding_mode='reflect')": (36, "only zeros are padded"),
    "Conv2d(24, 24, 3, padding='same', stride=2)": (19, "stride 1 only"),
    "Conv2d(24, 24, 3, color=2)": (19, "unknown argument color"),
    "Conv2d(24, 24, 3, stride=2, 3)": (29, "an argument with its name"),
    "Conv2d(24, 24, kernel_size=(3, 3, 3))": (16, "kernel_size has 3 entries"),
    "Conv2d(24, 24, 3": (17, ", or ) is expected"),
    "Conv2d(24, 24)": (15, "kernel_size is missing"),
    "Conv2d(24, 24, 3) + 1": (19, "'+' has no place here"),
    "Conv2d(24, 24, 3)(4)": (18, "nothing is expected after the layer"),
    "Conv2d(24, 24, __import__('os'))": (26, "= is expected"),
    "Conv2d(24, 24, )": (17, "kernel_size is missing"),
    "Conv2d(24, 24, =)": (16, "a number, a tuple"),
    "Conv2d(24, 24, 3, padding=most)": (19, "'same' or 'valid'"),
    "Conv2d(24, 24, 3, padding_mode=circular)": (19, "only zeros are padded"),
    "Conv2d(24, True, 3)": (12, "out_channels is a number"),
    "Conv2d(24, 24, 3, bias=1)": (19, "bias is True or False"),
    "BatchNorm2d(24)": (1, "no layer known"),
    "hello": (1, "neither a line of benchdnn"),
}


@pytest.mark.parametrize("line", WRONG)
def test_what_is_wrong_is_named_with_its_column(line: str):
    column, says = WRONG[line]
    with pytest.raises(LineError) as e:
        layer_from({"line": line, "input_": "28x28"} if "(" in line else {"line": line})
    assert e.value.at + 1 == column, str(e.value)
    first, shown, caret = str(e.value).splitlines()
    assert any(s in first for s in says.split("|")) and shown == f"  {line}" and caret.index("^") == column + 1


def test_strange_lines_end_in_an_answer():
    """Random cuts and changes of good lines: a layer, or an error meant to be read."""
    rng = random.Random(0)
    read = 0
    for _ in range(3000):
        line = list(rng.choice(list(SAME)))
        for _ in range(rng.randint(0, 3)):
            at = rng.randrange(len(line))
            put = rng.choice(["", "(", ")", ",", "9", "kh3", "\x1b[31m", "=", "'", "ß", "_"])
            line[at:at + rng.randint(0, 2)] = put
        try:
            layer_from({"line": "".join(line), **({"input_": "6x5"} if rng.random() < 0.5 else {})})
            read += 1
        except SymconvError as e:
            assert "\x1b" not in str(e)
    assert read > 100
    with pytest.raises(ShapeError, match="1000 characters"):
        layer_from({"line": "ic1" * 1000})


@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_what_pytorch_prints_is_what_pytorch_computes():
    import torch

    rng = random.Random(1)
    made = 0
    while made < 40:
        rank, transposed, groups = rng.randint(1, 3), rng.random() < 0.4, rng.choice((1, 1, 2))
        sizes = {n: tuple(rng.randint(low, 3) for _ in range(rank))
                 for n, low in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1))}
        extra = {"output_padding": tuple(rng.randrange(2) for _ in range(rank))} if transposed else {}
        if not transposed and rng.random() < 0.3:
            sizes |= {"padding": "same", "stride": 1}
        kind = getattr(torch.nn, f"Conv{'Transpose' * transposed}{rank}d")
        module = kind(2 * groups, groups, **sizes, **extra, groups=groups, bias=rng.random() < 0.5)
        extents = tuple(rng.randint(4, 7) for _ in range(rank))
        given = {"line": repr(module), "input_": "x".join(map(str, extents)), "batch": 2}
        rng_arrays = np.random.default_rng(made)
        x = rng_arrays.integers(-4, 5, (2, 2 * groups, *extents))
        parts = {n: rng_arrays.integers(-4, 5, tuple(p.shape)) for n, p in module.named_parameters()}
        try:
            with torch.no_grad():
                for n, p in module.named_parameters():
                    p.copy_(torch.tensor(parts[n]))
                expected = module(torch.tensor(x, dtype=torch.float32)).numpy()
        except RuntimeError:  # sizes PyTorch refuses
            with pytest.raises(ShapeError):
                layer_from(given)
            continue
        system = layer_from(given).system().concrete()
        values = {"x": x, "w": parts["weight"], **({"b": parts["bias"]} if "bias" in parts else {})}
        got = forward(system, values)["y"]
        assert prod(got.shape) and np.array_equal(got, expected), repr(module)
        made += 1
