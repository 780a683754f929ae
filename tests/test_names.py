"""What results are called, and that nothing gets a name it does not deserve."""

import pytest

from symconv import Conv, Dense, Equation, Tensor, derive, equal, indices
from symconv.decide.names import name_of

i, j, k, m = indices("i j k m")
W3, X20, Y5 = Tensor("w", 3), Tensor("x", 20), Tensor("y", 5)

EXPECTED = [
    (Conv(5, 3), {"y": "cross-correlation of x with w", "dw": "cross-correlation of x with delta",
                  "dx": "full correlation of delta with the flipped kernel w"}),
    (Conv(5, 3, flip=True), {"y": "convolution of x with w", "dx": "full correlation of delta with w",
                             "dw": "flipped cross-correlation of x with delta"}),
    (Conv(9, 3, padding="same"), {"y": "cross-correlation of x with w (padding 1)",
                                  "dx": "full correlation of delta with the flipped kernel w, cropped by 1",
                                  "dw": "cross-correlation of x with delta (padding 1)"}),
    (Conv(9, 4, padding="same"), {"y": "cross-correlation of x with w (padding (1, 2))",
                                  "dx": "full correlation of delta with the flipped kernel w, cropped by (1, 2)"}),
    (Conv(9, 3, stride=2, padding=1), {
        "y": "cross-correlation of x with w (stride 2, padding 1)",
        "dx": "transposed convolution of delta with w (stride 2, padding 1, output size n)",
        "dw": "cross-correlation of x with delta dilated by 2 (padding 1, output size k)"}),
    (Conv(9, 3, dilation=2), {"y": "cross-correlation of x with w (dilation 2)",
                              "dx": "full correlation of delta with the flipped kernel w (dilation 2)",
                              "dw": "cross-correlation of x with delta (stride 2)"}),
    (Conv(20, 3, stride=2, dilation=3), {
        "dx": "transposed convolution of delta with w (stride 2, dilation 3, output size n)",
        "dw": "cross-correlation of x with delta dilated by 2 (stride 3, output size k)"}),
    (Conv(9, 3, stride=2, padding=1, transposed=True, output_padding=1), {
        "y": "transposed convolution of x with w (stride 2, padding 1, output padding 1)",
        "dx": "cross-correlation of delta with w (stride 2, padding 1)"}),
    (Conv((8, 9), (3, 3), channels=2, filters=4, batch=2, stride=(1, 2), padding=1, bias=True), {
        "y": "cross-correlation of x with w (stride 1x2, padding 1), summed over channels, plus b",
        "dx": "transposed convolution of delta with w (stride 1x2, padding 1, output size H x W), summed over filters",
        "dw": "cross-correlation of x with delta dilated by 1x2 (padding 1, output size K_H x K_W), "
              "summed over the batch",
        "db": "sum of delta over the batch, i, j"}),
    (Conv((8, 8), (3, 3), channels=4, filters=4, groups=2, padding=1), {
        "dx": "full correlation of delta with the flipped kernel w, cropped by 1, summed over filters, in each group",
        "dw": "cross-correlation of x with delta (padding 1), in each group"}),
    (Dense(4, 3, bias=True, activation="sigma"), {
        "z": "matrix-vector product W x plus b", "h": "sigma of each element of z",
        "dx": "transposed matrix-vector product W^T delta", "dw": "outer product of delta and x",
        "db": "copy of delta", "dz": "pointwise product of dL/dh and sigma'(z)"}),
    (Dense(4, 3, batch=2), {"y": "matrix product of x and W^T", "dx": "matrix product of delta and W",
                            "dw": "matrix product of delta^T and x"}),
]


@pytest.mark.parametrize("layer, expected", EXPECTED, ids=lambda v: getattr(v, "name", ""))
def test_names(layer, expected):
    found = derive(layer).names
    assert {key: found[key] for key in expected} == expected


@pytest.mark.parametrize("layer", [Conv(5, 3), Conv(5, 3, flip=True), Conv(9, 3, padding="same")],
                         ids=lambda v: v.name)
def test_names_with_sizes_in_numbers(layer):
    d = derive(layer)
    for e in (f.equation for f in d.functions):
        assert name_of(e.at(dict(d.system.sizes))) == name_of(e)


def test_by_hand_without_any_layer():
    flipped = Equation(Y5[i], W3[j] * X20[3 * i - 2 * j + 4])
    assert name_of(flipped) == "convolution of x with w (stride 3, dilation 2, output size 5)"
    e = Equation(Tensor("c", "q")[m], Tensor("a", "n")[m - i] * Tensor("b", "k")[i])
    assert name_of(e) == "transposed convolution of a with b (output size q)"
    assert name_of(Equation(Tensor("s", ())[()], Tensor("a", 4)[i] * Tensor("b", 4)[i])) == "inner product of b and a"


def test_renaming_indices_changes_no_name():
    d = derive(Conv(9, 3, padding=1))
    for e in (f.equation for f in d.functions):
        names = {v: f"r{v}" for v in (*e.indices, *(n for t in e.terms for n in t.indices))}
        assert name_of(e.rename(names)) == name_of(e)


@pytest.mark.parametrize("shift", [-2, -1, 1, 2])
@pytest.mark.parametrize("layer", [Conv(9, 3), Conv(9, 3, padding=1), Conv(9, 3, stride=2, padding=1)],
                         ids=lambda v: v.name)
def test_an_off_by_one_is_not_called_by_the_right_name(layer, shift):
    d = derive(layer)
    for f in d.functions:
        t = f.equation.terms[0]
        for at, a in enumerate(t.factors):
            if len(a.indices[0].items) == 1:
                continue
            moved = a.tensor[a.indices[0] + shift]
            wrong = Equation(f.equation.left,
                             type(t)((*t.factors[:at], moved, *t.factors[at + 1:]), constraints=t.constraints),
                             f.equation.context)
            assert name_of(wrong) != name_of(f.equation)


@pytest.mark.parametrize("equation", [
    Equation(Y5[i], 2 * (W3[j] * X20[i + j])),
    Equation(Y5[i], Tensor("w", (5, 3))[i, j] * X20[i + j]),
    Equation(Y5[i], X20[i] * X20[i] * X20[i]),
    Equation(Y5[i], (W3[j] * X20[2 * i]).where(equal(i, j + k))),
    Equation(Y5[i], ()),
    Equation(Y5[i], W3[j] * X20[i + j + 1]),
], ids=str)
def test_no_name(equation):
    assert name_of(equation) is None


def test_a_contradictory_term_has_no_name():
    x, w, y = Tensor("x", 4), Tensor("w", 3), Tensor("y", 2)
    i, j = indices("i j")
    assert name_of(Equation(y[i], (w[j] * x[i + j]).where(equal(1, 0)))) is None
