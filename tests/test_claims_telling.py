"""What is said beside a verdict, and how: remarks, directives, counts, wording."""

from __future__ import annotations

import re

import pytest

from symconv.claims.finding import Finding
from symconv.claims.report import Outcome, Report
from symconv.claims.verify import claim_findings, verify
from symconv.notation import nodes as n
from symconv.telling.numbers import contents

FORWARD, DELTA = r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}", r"\delta_i = \frac{\partial L}{\partial o_i}"
LAYER = (FORWARD, DELTA)
GRADIENT_W, GRADIENT_X = r"\frac{\partial L}{\partial w_i} = ", r"\frac{\partial L}{\partial x_m} = "
SIZES = "o: output size; n: input size; k: kernel size; p: padding on each side"


def said(latex: str, *given: str) -> dict[str, Finding]:
    return {f.code: f for f in claim_findings(latex, given)}


def written(latex: str, f: Finding) -> str:
    """What the carets stand under."""
    return latex[f.column - 1:f.end_column - 1]


def test_reads_outside_are_a_remark_at_the_element():
    latex = GRADIENT_X + r"\sum_{j=1}^{k} \delta_{m-j+1} w_j"
    found = said(latex, *LAYER)
    assert set(found) == {"SC102", "SC013"}
    assert "elements of delta" in found["SC013"].message
    assert written(latex, found["SC013"]) == r"\delta"
    assert set(said(latex, *LAYER, "zero outside")) == {"SC100"}
    assert set(said(GRADIENT_X + r"\sum_j \delta_{m-j+1} w_j", *LAYER)) == {"SC100"}


def test_one_factor_that_is_zero_is_enough():
    found = said(r"o_i = \sum_{j=0}^{k} w_j x_{i+j-1}", FORWARD)
    assert found["SC102"].condition == "w is zero outside its range"
    assert "elements of w" in found["SC013"].message


def test_a_name_that_another_one_makes_true_is_misspelt():
    latex = GRADIENT_W + r"\sum_j \sigma_j x_{i+j-1}"
    found = said(latex, *LAYER)
    assert set(found) == {"SC001", "SC014"}
    assert found["SC014"].suggestion == r"\delta"
    assert {written(latex, f) for f in found.values()} == {r"\sigma"}
    assert set(said(GRADIENT_W + r"\sum_j \sigma_j x_{i+j}", *LAYER)) == {"SC001"}


@pytest.mark.parametrize("latex, missing", [
    (r"o_i = \sum_{j=1}^{k} w_j x_{j}", "i"), (r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_j", "i"),
    (r"b_i = \sum_i x_i", "i"), (r"y_i = x_i", ""), (r"w_i = 3", ""),
    (r"\frac{\partial L}{\partial x_m} = \sum_{j : s \mid m-j} \delta_{(m-j)/s} w_j", ""),
    (r"y[i] = \sum_{di} v[di] u[s \cdot i + di]", ""), (r"y_{i'} = \sum_m v_m u_{i'+m}", ""),
    (r"a_j = \sum_{j'} u_{j'}", "j")])
def test_an_index_that_does_not_occur_on_the_right(latex: str, missing: str):
    found = said(latex, *LAYER).get("SC011")
    assert (written(latex, found) if found else "") == missing


def test_other_readings_are_one_remark_for_a_document():
    text = r"$y = x * w$, $\delta = \frac{\partial L}{\partial y}$. $\frac{\partial L}{\partial w} = \delta * x$. " \
        r"$\frac{\partial L}{\partial w} = x * \delta$."
    found = verify(text)
    assert [f.code for f in found if f.alternatives] == ["SC100", "SC100"]
    assert [f.message for f in found if f.code == "SC105"] == [
        "if * is convolution, the formula is false: a directive can settle it"]
    assert "SC105" not in {f.code for f in verify("<!-- symconv: * is cross-correlation -->\n\n" + text)}


def test_directives_in_comments_may_be_formulas():
    text = f"<!-- symconv: {SIZES}; p = k - 1 -->\n\n$o = n + k - 1$"
    assert [f.code for f in verify(text)] == ["SC100"]
    assert [f.code for f in verify(text.replace("; p = k - 1", ""))] == ["SC102"]


@pytest.mark.parametrize("directive", [
    "bogus directive", "stride of 2", "stride q q q", "stride s 2", r"\frac{", "x_i"])
def test_directives_that_say_nothing_are_errors(directive: str):
    assert [f.code for f in claim_findings(FORWARD, [directive])] == ["SC002", "SC020"]
    (found,) = verify(f"Text.\n\n<!-- symconv: {directive} -->", path="a.md")
    assert (found.code, found.path, found.line, found.column) == ("SC002", "a.md", 3, 15)


@pytest.mark.parametrize("directive", ["stride 2", "stride = 2", "stride s", "stride s = 2", "pad p", "padding = 1"])
def test_directives_of_settings(directive: str):
    assert [f.code for f in claim_findings(FORWARD, [directive])] == ["SC020"]


def test_both_signs_are_one_formula():
    text = r"$[f * g](x) = \int_{\mathbb{R}} f(z) g(x \pm z) dz = \int_{\mathbb{R}} f(x \pm z) g(z) dz$ and $x = x$"
    summary = Report((Outcome("-", text, tuple(verify(text))),)).summary()
    assert (summary.formulas, summary.parts) == (2, 5)


@pytest.mark.parametrize("latex, given, words", [
    (r"\sum_i x_i \prod_j x_j = 3", (), r"a product sign \prod is not understood"),
    (r"y_{i} = x_{\sum_j j}", (), r"a sum sign \sum cannot be an index"),
    (r"o_{i,j} = w_i", LAYER, "o has 1 axis and 2 indices here"),
    (r"\frac{\partial L}{\partial w_1} = \delta", LAYER, "is a number, the right-hand side an array with 1 axis"),
    (r"x = ", (), "an expression is missing at the end"),
    (r"\sqrt{x} = 3", (), "a square root")])
def test_reasons_are_in_the_words_of_lecturers(latex: str, given: tuple[str, ...], words: str):
    (found,) = [f for f in claim_findings(latex, given) if f.verdict]
    assert found.verdict == "not_understood"
    assert words in found.message


def test_no_reason_shows_the_name_of_a_node():
    classes = {v.__name__.lower() for v in vars(n).values() if isinstance(v, type) and issubclass(v, n.Node)}
    shown = ("iverson", "bigproduct", "rounded", "bracketed", "scripted", "noted")
    assert set(shown) <= classes
    for latex in (r"[a>b] = \prod_i \lfloor x \rfloor", r"\lfloor x_i \rfloor = x_i", r"\{a\} = [b = c]", r"(a,b) = c"):
        for f in claim_findings(latex):
            assert not re.search("|".join(shown), f.message), f.message


def test_counterexamples_are_in_the_notation_of_the_author():
    found = said(r"f \star g = g \star f", r"(f \star g)[n] = \sum_m f[m] g[n+m]")["SC101"]
    assert found.counterexample is not None
    assert re.fullmatch(r"[fg](\(-?\d\)|_\{?-?\d\}?) [fg](\(-?\d\)|_\{?-?\d\}?)", found.counterexample.monomial)
    found = said(r"\delta^l_j = \sum_k w^{l+1}_{kj} \delta^{l+1}_k", r"z^l_j = \sum_k w^l_{jk} \sigma(z^{l-1}_k)",
                 r"\delta^l_j = \frac{\partial L}{\partial z^l_j}")["SC101"]
    assert found.counterexample is not None
    assert found.counterexample.monomial == "w^{l+1}_{0,0} delta^{l+1}_0"


def test_numbers_of_a_counterexample_are_all_told():
    found = said(GRADIENT_W + r"\sum_j \delta_j x_{i+j-1} + \lambda w_i", *LAYER)["SC101"]
    assert "lambda = 1" in found.message


def test_what_is_assumed_is_said():
    assert said(GRADIENT_W + r"\sum_{j=1}^{m} \delta_j x_{i+j-1}", *LAYER)["SC100"].reading == \
        "m is taken as |x| - k + 1"
    assert said(GRADIENT_W + r"\sum_j \delta_j x_{i+j-1}", FORWARD)["SC100"].reading == "delta is taken as dL/do"


@pytest.mark.parametrize("parity, condition", [("k odd", "k = 3"), ("k even", "k = 2")])
def test_parities_speak_of_the_size_itself(parity: str, condition: str):
    size = int(condition[-1])
    latex = "o_1 = " + " + ".join(f"w_{i} x_{i}" for i in range(1, size + 1))
    found = said(latex, FORWARD, parity)["SC102"]
    assert found.condition == condition
    assert found.counterexample is not None
    assert {name for name, _ in found.counterexample.sizes} == {"k", "|x|"}


def test_lengths_are_no_indices():
    assert "SC012" not in said("|o| = |x| - k + 1", FORWARD)


def test_expressions_say_what_they_were_compared_with():
    found = said(r"\delta_1 w_3 + \delta_2 w_2 + \delta_3 w_1", *LAYER)["SC102"]
    assert found.message == f"{found.reading}: true exactly when {found.condition}"
    assert found.reading.startswith("the gradient with respect to x_3")


def test_counterexamples_say_what_functions_stand_for():
    found = said(r"\frac{\partial L}{\partial w_j} = \sum_i g_i x_{i+j-1}", FORWARD, r"h_i = \sigma(o_i)",
                 r"g_i = \frac{\partial L}{\partial h_i}")["SC101"]
    assert found.counterexample is not None
    assert found.counterexample.functions == (("sigma", "z^2"),)
    assert contents(found)[-1] == "sigma(z) = z^2"


def test_lengths_in_directives_may_be_expressions():
    latex = r"\sum_{i=0}^{n-k} y_i = \sum_{i=0}^{n-k} y_i"
    assert [f.code for f in claim_findings(latex, ["y: n - k + 1", "x: 2n x k"])] == ["SC100"]
    assert "SC002" in said("x_i = 1", r"y: \frac{")
