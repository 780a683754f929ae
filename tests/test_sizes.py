"""The field's size formulas against direct counting, and the roles of names as authors write them."""

from __future__ import annotations

from itertools import product

import pytest

from symconv.claims.sizes import (
    Role,
    conv_multiplies,
    conv_output,
    conv_parameters,
    dense_parameters,
    effective_kernel,
    full_output,
    full_padding,
    layer_facts,
    readings,
    role_named,
    roles,
    same_output,
    same_padding,
    total_same_padding,
    transposed_output,
    truth_of,
    valid_output,
)
from symconv.decide.scalar import Ceil, Facts, Floor, Scalar, Var, decide_scalar
from symconv.decide.scalar_values import compute

i, k, s, p, d, a, o = map(Var, "ikspdao")


def number(e: Scalar, **sizes: int) -> int:
    value = compute(e)(sizes)
    assert value.denominator == 1
    return int(value)


def starts(i: int, k: int, s: int, p: int, d: int) -> int:
    """Positions of a dilated kernel inside the padded input, counted one by one."""
    return sum(1 for x in range(0, i + 2 * p, s) if x + d * (k - 1) <= i + 2 * p - 1)


LAYERS = [x for x in product(range(1, 9), range(1, 5), range(1, 4), range(3), range(1, 4))
          if x[0] + 2 * x[3] >= x[4] * (x[1] - 1) + 1]


def test_outputs_are_the_positions_of_the_kernel():
    for values in LAYERS:
        sizes = dict(zip("ikspd", values, strict=True))
        assert number(conv_output(i, k, s, p, d), **sizes) == starts(*values)
        assert number(valid_output(i, k, s, d), **sizes) == max(starts(*values[:3], 0, values[4]), 0) or \
            sizes["i"] < sizes["d"] * (sizes["k"] - 1) + 1
        assert number(conv_output(i, effective_kernel(k, d), s, p), **sizes) == starts(*values)


def test_total_padding_may_be_odd():
    assert str(conv_output(i, k, s, total=p)) == "floor((i + p - k)/s) + 1"
    assert number(conv_output(i, k, s, total=p), i=4, k=3, s=2, p=1) == 2


def test_transposed_undoes_the_size():
    for values in LAYERS:
        sizes = dict(zip("ikspd", values, strict=True))
        rest = (sizes["i"] + 2 * sizes["p"] - sizes["d"] * (sizes["k"] - 1) - 1) % sizes["s"]
        out = starts(*values)
        back = transposed_output(Var("out"), k, s, p, d, Var("rest"))
        assert number(back, **sizes, out=out, rest=rest) == sizes["i"]


def test_same_padding_gives_the_same_size():
    for n, size, step in product(range(1, 12), range(1, 6), range(1, 5)):
        total = number(total_same_padding(i, k, s), i=n, k=size, s=step)
        positions = sum(1 for x in range(0, n + total, step) if x + size <= n + total)
        assert positions == number(same_output(i, s), i=n, s=step)


def test_full_and_half_padding():
    assert decide_scalar(conv_output(i, k, 1, full_padding(k)), full_output(i, k)).kind == "proved"
    assert decide_scalar(conv_output(i, k, 1, full_padding(k, d), d), full_output(i, k, d)).kind == "proved"
    assert decide_scalar(conv_output(i, k, 1, p), i, Facts({"p": 0}, equal=((p, same_padding(k)),))).kind == "proved"
    dilated = Facts({"p": 0}, equal=((p, same_padding(k, d)),))
    assert decide_scalar(conv_output(i, k, 1, p, d), i, dilated).kind == "proved"
    strided = Facts({"p": 0}, equal=((p, same_padding(k)),))
    assert decide_scalar(conv_output(i, k, s, p), same_output(i, s), strided).kind == "proved"


def test_parameters_are_counted():
    assert number(conv_parameters((3, 3), 64, 128)) == 3 * 3 * 64 * 128 + 128
    assert number(conv_parameters((5,), 8, 12, groups=4, bias=False)) == 5 * 2 * 12
    assert number(dense_parameters(784, 100)) == 78500
    assert number(dense_parameters(784, 100, bias=False)) == 78400
    assert number(conv_multiplies((26, 26), (3, 3), 1, 4)) == 26 * 26 * 9 * 4


@pytest.mark.parametrize("claim, kind, condition", [
    (Floor((i + 2 * p - k) / s) + 1, "proved", ""),
    ((i - k + 2 * p) / s + 1, "proved_if", "s divides i - k + 2p"),
    ((i - k + 2 * p) / s, "refuted", ""),
    (Ceil((i - k + 2 * p + 1) / s), "proved", ""),
    (Floor((i + 2 * p - k) / (s + 1)), "refuted", ""),
    (Floor((i + 2 * p - k) / s + 1), "proved", ""),
    (i - k + 1, "proved_for", "p = 0 and s = 1"),
])
def test_claims_against_the_truth(claim: Scalar, kind: str, condition: str):
    truth = truth_of("o", roles("oiksp"))
    assert truth is not None
    found = decide_scalar(claim, truth.value, truth.facts)
    assert found.kind == kind
    assert str(found.condition or "") == condition


NAMES = [
    ("o i k s p", "output size, input size, kernel size, stride, padding"),
    ("o i k s p d", "output size, input size, kernel size, stride, padding, dilation"),
    ("O W K P S", "output size, input size (W), kernel size, padding, stride"),
    ("W F S P K", "input size (W), kernel size, stride, padding, channels out"),
    ("W_2 W_1 F P S", "output size (W), input size (W), kernel size, padding, stride"),
    ("H_2 H_1 D_1 D_2 K F", "output size (H), input size (H), channels in, , , kernel size"),
    ("O_H H K_H P S", "output size (H), input size (H), kernel size (H), padding, stride"),
    ("H_{out} H_{in} kernel\\_size[0] stride[0]", "output size (H), input size (H), kernel size (H), stride (H)"),
    ("kernel_size[0] kernel_size[1] padding[1]", "kernel size (H), kernel size (W), padding (W)"),
    ("D_{out} D_{in} kernel_size[0] dilation[2]", "output size (D), input size (D), kernel size (D), dilation (W)"),
    ("n^{[l]} n^{[l-1]} f^{[l]} p^{[l]} s^{[l]}", "output size, input size, kernel size, padding, stride"),
    ("n_H^{[l]} n_H^{[l-1]} n_C^{[l]} n_C^{[l-1]}", "output size (H), input size (H), channels out, channels in"),
    ("n_H n_{H_{prev}} f pad stride", "output size (H), input size (H), kernel size, padding, stride"),
    ("OH H FH P S", "output size (H), input size (H), kernel size (H), padding, stride"),
    ("OW W FW", "output size (W), input size (W), kernel size (W)"),
    ("n f p s", "input size, kernel size, padding, stride"),
    ("o n m", "output size, input size, kernel size"),
    ("n_h k_h p_h s_h", "input size (H), kernel size (H), padding (H), stride (H)"),
    ("H' H K", "output size (H), input size (H), kernel size"),
    ("H^{\\prime} H k", "output size (H), input size (H), kernel size"),
    ("L_{out} L_{in} k s", "output size, input size, kernel size, stride"),
    ("C_{in} C_{out} k_h k_w", "channels in, channels out, kernel size (H), kernel size (W)"),
    ("N C H W K H_out W_out",
     "batch, channels in, input size (H), input size (W), kernel size, output size (H), output size (W)"),
    ("N F S O", "input size, kernel size, stride, output size"),
    ("O I K P S D", "output size, input size, kernel size, padding, stride, dilation"),
    ("O_{width} W_{in} kernelWidth strideWidth",
     "output size (W), input size (W), kernel size (W), stride (W)"),
    ("k F c", "kernel size, channels out, channels in"),
    ("\\mathrm{stride} \\text{pad} \\text{out\\_channels}", "stride, padding, channels out"),
    ("k f", ", "),
    ("w i k", ", input size, kernel size"),
    ("x y z theta", ", , , "),
]


@pytest.mark.parametrize("names, expected", NAMES, ids=[x[0] for x in NAMES])
def test_roles_of_names(names: str, expected: str):
    found = roles(names.split())
    assert [str(found.get(n, "")) for n in names.split()] == expected.split(", ")


def test_names_in_words():
    assert roles(["output size", "input size", "filter size"]) == {
        "output size": Role("output size"), "input size": Role("input size"), "filter size": Role("kernel size")}
    assert role_named("padding on each side") == Role("padding")
    assert role_named("total padding") == Role("total padding")
    assert role_named("kernel height") == Role("kernel size", "H")
    assert role_named("number of filters") == Role("channels out")
    assert role_named("learning") is None


def test_given_roles_come_first():
    found = roles(["q", "m", "K"], {"q": "output size", "m": "input size"})
    assert found == {"q": Role("output size"), "m": Role("input size"), "K": Role("kernel size")}
    assert roles(["i", "n"], {"n": "input size"}) == {"n": Role("input size")}


def test_padding_may_be_the_total():
    first, second = readings(["o", "n", "k", "p", "s"])
    per_side, both = truth_of("o", first), truth_of("o", second)
    assert per_side is not None and both is not None
    assert str(per_side.value) == "floor((n + 2p - k)/s) + 1"
    assert str(both.value) == "floor((n + p - k)/s) + 1"
    assert len(readings(["o", "n", "k", "p", "s"], {"p": "padding on each side"})) == 1


def test_truths_follow_the_operation():
    given = roles("oiksp") | {"a": Role("output padding")}
    shown = {operation: str(truth.value) for operation in ("transposed", "same", "valid", "full")
             if (truth := truth_of("o", given, operation)) is not None}
    assert shown == {"transposed": "(i - 1)*s + k - 2p + a", "same": "ceil(i/s)",
                     "valid": "ceil((i - k + 1)/s)", "full": "i + k - 1"}


def test_a_truth_says_its_conventions():
    truth = truth_of("o", roles(["o", "i", "k"]))
    assert truth is not None
    assert str(truth.value) == "i - k + 1"
    assert truth.description == "output size of a convolution (i: input size, k: kernel size); " \
                                "stride 1, padding 0, dilation 1"
    assert truth_of("o", roles(["o", "s", "p"])) is None
    two = truth_of("H_out", roles(["H_out", "W_out", "H", "W", "k"]))
    assert two is not None and str(two.value) == "H - k + 1"


def test_facts_of_a_layer():
    facts = layer_facts(i, k, s, p, d)
    assert facts.low == {"p": 0}
    assert [f"{x} >= {y}" for x, y in facts.at_least] == ["i + 2p >= d*(k - 1) + 1"]
    assert layer_facts(i, k).at_least == ((i, k),)
    assert str(transposed_output(i, k)) == "i - 1 + k"
