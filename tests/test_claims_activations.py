"""Functions of which a document says more than the name, layers up to the last, and updates."""

from __future__ import annotations

import pytest

from symconv import verify
from symconv.claims.verify import verify_claim

LAYER = (r"z_i = \sum_{j} W_{ij} x_j", r"a_i = \sigma(z_i)", r"L = \frac12 \sum_i (a_i - y_i)^2")
LOGISTIC = r"\sigma(z) = \frac{1}{1+e^{-z}}"


@pytest.mark.parametrize(("right", "given", "verdict"), [
    ("(a_i - y_i) a_i (1 - a_i)", (), "proved_for"),
    ("(a_i - y_i) a_i (1 - a_i)", (LOGISTIC,), "proved"),
    ("(a_i - y_i) a_i (1 + a_i)", (LOGISTIC,), "refuted"),
    ("(a_i - y_i) a_i (1 + a_i)", (), "refuted"),
    (r"(a_i - y_i) \sigma'(z_i)", (LOGISTIC,), "proved"),
    (r"(a_i - y_i)", (LOGISTIC,), "refuted"),
])  # fmt: skip
def test_the_logistic_function(right: str, given: tuple[str, ...], verdict: str) -> None:
    found = verify_claim(rf"\frac{{\partial L}}{{\partial z_i}} = {right}", given=[*given, *LAYER])
    assert found.verdict == verdict
    if verdict == "proved_for":
        assert found.condition == "sigma is the logistic function"


@pytest.mark.parametrize(("text", "verdict"), [
    (rf"${LOGISTIC}$, so $\sigma'(z) = \sigma(z)(1-\sigma(z))$.", "proved"),
    (rf"${LOGISTIC}$, so $\sigma'(z) = \sigma(z)(1+\sigma(z))$.", "refuted"),
    (r"$\tanh'(x) = 1 - \tanh^2(x)$", "proved"),
    (r"$\sigma'(z) = \sigma(z)(1-\sigma(z))$", "definition"),
    (rf"${LOGISTIC}$, so $\sigma'(0) = 1/4$.", "not_understood"),
])  # fmt: skip
def test_its_derivative(text: str, verdict: str) -> None:
    *_, last = [f for f in verify(text) if f.verdict]
    assert last.verdict == verdict


def test_a_function_of_a_function_is_not_called_false() -> None:
    """dC/dz = a - y holds for cross-entropy behind the logistic function only, which takes an identity of both."""
    given = (r"z_j = \sum_k w_{jk} x_k", r"a_j = \sigma(z_j)",
             r"C = -\sum_j \left[ y_j \ln a_j + (1-y_j) \ln (1-a_j) \right]")
    assert verify_claim(r"\frac{\partial C}{\partial z_j} = a_j - y_j", given=given).verdict == "not_understood"


NIELSEN = (r"z^l_j = \sum_k w^l_{jk} a^{l-1}_k + b^l_j", r"a^l_j = \sigma(z^l_j)",
           r"C = \frac{1}{2} \sum_j (y_j - a^L_j)^2", r"\delta^l_j = \frac{\partial C}{\partial z^l_j}")


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\delta^L = (a^L - y) \odot \sigma'(z^L)", "proved"),
    (r"\delta^L = (y - a^L) \odot \sigma'(z^L)", "refuted"),
    (r"\delta^l = ((w^{l+1})^T \delta^{l+1}) \odot \sigma'(z^l)", "proved"),
    (r"\frac{\partial C}{\partial w^L_{jk}} = a^{L-1}_k \delta^L_j", "proved"),
    (r"\frac{\partial C}{\partial w^L_{jk}} = a^{L}_k \delta^L_j", "refuted"),
])  # fmt: skip
def test_the_last_layer_is_a_layer(claim: str, verdict: str) -> None:
    found = verify_claim(claim, given=NIELSEN).verdict
    assert found == verdict or (verdict == "refuted" and found in ("proved_if", "proved_for"))


FORWARD = (r"y_i = \sum_{j=0}^{k-1} w_j x_{i+j}", r"g_i = \frac{\partial L}{\partial y_i}")


@pytest.mark.parametrize("arrow", ["=", r"\to", r"\rightarrow", r"\leftarrow", ":=", r"\mapsto"])
def test_an_update_however_it_is_written(arrow: str) -> None:
    right = r"\eta \sum_i g_i x_{i+j}"
    assert verify_claim(rf"w_j {arrow} w_j - {right}", given=FORWARD).verdict == "proved"
    assert verify_claim(rf"w_j {arrow} w_j + {right}", given=FORWARD).verdict == "refuted"


def test_elements_said_to_be_zero() -> None:
    text = (r"$y_i = w_1 x_i + w_2 x_{i+1} \quad (i=1,2,3)$, $d_i = \frac{\partial L}{\partial y_i}$. "
            r"With $d_0 = d_4 = 0$: $\frac{\partial L}{\partial x_j} = \sum_{k=1}^{2} w_k\, d_{j-k+1}$")
    *_, last = [f for f in verify(text) if f.verdict]
    assert last.verdict == "proved"


def test_an_element_of_a_greek_array_is_no_product() -> None:
    given = [r"O(i) = \sum_{n} F(i, n) X(n) + \beta(i)", "X: T", "F: M x T", r"\beta: M"]
    claim = r"\frac{\partial L}{\partial \beta(i)} = \frac{\partial L}{\partial O(i)}"
    assert verify_claim(claim, given=given).verdict == "proved"
