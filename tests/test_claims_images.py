"""Images with numbers: Y_i = sum_j X_j * K_ij, as textbooks and documentation write layers with channels."""

from __future__ import annotations

import pytest

from symconv import verify_claim

CHANNELS = (r"Y_i = B_i + \sum_{j=1}^{n} X_j \star K_{ij}",)
ENDED = (*CHANNELS, r"\star is cross-correlation (valid)", r"\underset{\text{full}}{*} is full convolution")
LAYERS = (r"x_j^l = f(u_j^l)", r"u_j^l = \sum_{i} x_i^{l-1} * k_{ij}^l + b_j^l", "* is convolution",
          r"\delta_j^l = \frac{\partial E}{\partial u_j^l}")  # as in J. Bouvrie, Notes on CNNs, 2006
PYTORCH = (r"\text{out}(N_i, C_{\text{out}_j}) = \text{bias}(C_{\text{out}_j}) + \sum_{k = 0}^{C_{\text{in}} - 1} "
           r"\text{weight}(C_{\text{out}_j}, k) \star \text{input}(N_i, k)",)  # torch.nn.Conv2d
DX, DK = r"\frac{\partial E}{\partial X_j} = ", r"\frac{\partial E}{\partial K_{ij}} = "
UP = r"\sum_{i=1}^{d} \frac{\partial E}{\partial Y_i} "
DKIJ = r"\frac{\partial E}{\partial k_{ij}^l} = "
DEEPER = r"\frac{\partial E}{\partial x_i^{l-1}} = \sum_j "


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    (DX + UP + r"\underset{\text{full}}{*} K_{ij}", CHANNELS, "proved"),
    (DX + UP + r"\star K_{ij}", CHANNELS, "refuted"),
    (DX + UP + r"\underset{\text{full}}{*} K_{ij}", ENDED, "proved"),
    (DX + UP + r"\star K_{ij}", ENDED, "proved_if"),
    (DX + UP + r"\underset{\text{full}}{*} K_{ji}", ENDED, "proved_if"),
    (DK + r"X_j \star \frac{\partial E}{\partial Y_i}", CHANNELS, "proved"),
    (DK + r"X_j \star \frac{\partial E}{\partial Y_i}", ENDED, "proved"),
    (DK + r"X_i \star \frac{\partial E}{\partial Y_j}", ENDED, "proved_if"),
    (r"\frac{\partial E}{\partial B_i} = \frac{\partial E}{\partial Y_i}", ENDED, "proved"),
    (DKIJ + r"\mathrm{rot180}(x_i^{l-1} * \mathrm{rot180}(\delta_j^l))", LAYERS, "proved"),
    (DKIJ + r"\mathrm{rot180}(x_i^{l-1} * \delta_j^l)", LAYERS, "refuted"),
    (r"\frac{\partial E}{\partial b_j^l} = \sum_{u,v} (\delta_j^l)_{uv}", LAYERS, "proved"),
    (DEEPER + r"\delta_j^l * \mathrm{rot180}(k_{ij}^l)", LAYERS, "proved"),
    (DEEPER + r"\delta_j^l * k_{ij}^l", LAYERS, "refuted"),
    (DEEPER + r"\delta_j^l * \mathrm{rot180}(k_{ji}^l)", LAYERS, "proved_if"),
    (r"\frac{\partial L}{\partial \text{weight}(C_{\text{out}_j}, k)} = \sum_i \frac{\partial L}"
     r"{\partial \text{out}(N_i, C_{\text{out}_j})} \star \text{input}(N_i, k)", PYTORCH, "proved"),
    (r"\frac{\partial L}{\partial \text{weight}(C_{\text{out}_j}, k)} = \sum_i \frac{\partial L}"
     r"{\partial \text{out}(N_i, C_{\text{out}_j})} \star \text{input}(k, N_i)", PYTORCH, "refuted"),
])  # fmt: skip
def test_gradients(claim: str, given: tuple[str, ...], verdict: str) -> None:
    found = verify_claim(claim, given=given)
    assert found.verdict == verdict, found.message


@pytest.mark.parametrize("definition", [CHANNELS[0], PYTORCH[0], LAYERS[1]])
def test_layers_are_definitions(definition: str) -> None:
    assert verify_claim(definition).verdict == "definition"


def test_names_with_numbers_are_no_images() -> None:
    """x * h_1 convolves whole signals, and x_n * h_n is written where both are read."""
    assert verify_claim("(x * h_1) * h_2 = x * (h_1 * h_2)").verdict == "proved"
    assert verify_claim("y_n = x_n * h_n", given=[r"(x * h)[n] = \sum_k x[k] h[n-k]"]).verdict == "definition"
