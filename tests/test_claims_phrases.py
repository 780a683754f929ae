"""What people write beside formulas to say what holds."""

from __future__ import annotations

import doctest

import pytest

from symconv.claims import phrases
from symconv.claims.verify import claim_findings, verify_claim


def test_the_examples_of_the_module() -> None:
    assert doctest.testmod(phrases).failed == 0


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    ("W_2 = (W_1 - F)/S + 1", ["W_1: input size", "F: pool size", "S: stride", "no padding", "F = S", "S divides W_1",
                               "W_2: output size"], "proved"),
    ("W_2 = (W_1 - F)/S + 1", ["W_1: input size", "F: pool size", "S: stride", "W_2: output size"], "proved_if"),
    (r"o_h = \lfloor (n_h - k_h + p_h + s_h)/s_h \rfloor",
     ["n_h: input height", "k_h: kernel height", "p_h: total number of padded rows, top and bottom together",
      "s_h: stride", "o_h: output height"], "proved"),
    (r"o = \lfloor \frac{i + p - k}{s} \rfloor + 1 = \lceil \frac{i}{s} \rceil",
     [r"p = \max((\lceil i/s \rceil - 1)s + k - i, 0)", "i: input size", "k: kernel size", "s: stride, s <= k",
      "p: both sides together", "o: output size"], "proved"),
    (r"P = F \cdot F \cdot D_1 \cdot K + K", ["K filters of size F x F", "input depth D_1", "one bias per filter",
                                              "P: number of parameters"], "proved"),
    (r"P = F \cdot F \cdot D_1 \cdot K + 1", ["K filters of size F x F", "input depth D_1", "one bias per filter",
                                              "P: number of parameters"], "proved_if"),
    (r"r_L = 1 + \sum_{l=1}^{L} (k_l - 1) \prod_{i=1}^{l-1} s_i",
     ["r_l: receptive field of layer l", "L layers, kernel sizes k_l, strides s_l"], "proved"),
    ("R = 1 + 2(k-1)(2^n - 1)", ["R: receptive field", "n residual blocks"], "not_understood"),
])  # fmt: skip
def test_sizes(claim: str, given: list[str], verdict: str) -> None:
    assert verify_claim(claim, given=given).verdict == verdict
    unread = [f.latex for f in claim_findings(claim, given) if f.code == "SC002"]
    assert unread == [g for g in given if g == "n residual blocks"]


GROUPED = [r"Y_{o,i} = \sum_{c=0}^{C/g-1}\sum_{u=0}^{k-1} W_{o,c,u}\, X_{\lfloor o g/O\rfloor C/g + c,\; i+u}",
           r"D_{o,i} = \frac{\partial L}{\partial Y_{o,i}}", "g divides C and O"]


@pytest.mark.parametrize(("channel", "verdict"), [(r"\lfloor o g/O\rfloor C/g + c", "proved"), ("c", "refuted")])
def test_groups_divide_channels(channel: str, verdict: str) -> None:
    claim = rf"\frac{{\partial L}}{{\partial W_{{o,c,u}}}} = \sum_i D_{{o,i}}\, X_{{{channel},\; i+u}}"
    found = verify_claim(claim, given=GROUPED)
    assert found.verdict == verdict
    if found.counterexample:
        sizes = dict(found.counterexample.sizes)
        assert not sizes["C"] % sizes["g"] and not sizes["O"] % sizes["g"]


@pytest.mark.parametrize(("right", "verdict"), [
    (r"\sum_i w_{j-2i} y_i", "proved"),
    (r"\sum_i w_{2j-i} y_i", "refuted"),
])  # fmt: skip
def test_the_transpose_of_an_operator(right: str, verdict: str) -> None:
    given = [r"(Cx)_i = \sum_{m=0}^{k-1} w_m x_{2i+m}", "zero outside"]
    assert verify_claim(rf"(C^{{\top}}y)_j = {right}", given=given).verdict == verdict


@pytest.mark.parametrize(("right", "verdict"), [
    (r"\mathrm{pad}(g, k-1) \star \mathrm{flip}(w)", "proved"),
    (r"\mathrm{pad}(g, k) \star \mathrm{flip}(w)", "refuted"),
])  # fmt: skip
def test_one_size_makes_both_operands_finite(right: str, verdict: str) -> None:
    given = [r"\star is cross-correlation", r"y = x \star w", "w: k", "base 0", r"g = \frac{\partial L}{\partial y}"]
    assert verify_claim(rf"\frac{{\partial L}}{{\partial x}} = {right}", given=given).verdict == verdict


def test_inner_products_of_arrays() -> None:
    given = [r"* is convolution", r"\star is cross-correlation", "signals on Z"]
    claim = r"\langle x * w,\, y\rangle = \langle x,\, {} \rangle"
    assert verify_claim(claim.replace("{}", r"y \star w"), given=given).verdict == "proved"
    assert verify_claim(claim.replace("{}", "y * w"), given=given).verdict == "refuted"


def test_a_formula_that_was_given_comes_before_conventions() -> None:
    given = [r"o = \lfloor \frac{i+2p-k}{s} \rfloor + 1", "o' = s(o-1) + k - 2p"]
    found = verify_claim("o' = i", given=given)
    assert (found.verdict, found.condition) == ("proved_if", "s divides i + 2p - k")
