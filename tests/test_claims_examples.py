"""Values a document gives for an example, and what it claims of the example."""

from __future__ import annotations

import pytest

from symconv import verify

LAYER = r"$y_i = \sum_{j=0}^{k-1} w_j x_{s i+j}$ and $g_i = \partial L / \partial y_i$. "
EXAMPLE = "Take $k = 3$, $s = 2$. "


def last(text: str) -> tuple[str, str]:
    *_, found = [f for f in verify(text) if f.verdict]
    return found.verdict, found.message


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\frac{\partial L}{\partial x_2} = g_0 w_2 + g_1 w_0", "proved"),
    (r"\frac{\partial L}{\partial x_2} = g_0 w_2", "refuted"),
    (r"y_1 = w_0 x_2 + w_1 x_3 + w_2 x_4", "proved"),
    (r"y_1 = w_0 x_1 + w_1 x_2 + w_2 x_3", "refuted"),
])  # fmt: skip
def test_written_out_elements_are_of_the_example(claim: str, verdict: str) -> None:
    found, message = last(f"{LAYER}{EXAMPLE}${claim}$")
    assert found == verdict
    assert "k = 3" in message and "s = 2" in message


def test_sums_are_for_all_sizes_even_behind_an_example() -> None:
    claim = r"\frac{\partial L}{\partial x_p} = \sum_{j=0}^{k-1} g_{p-j} w_j"
    assert last(f"Elements outside count as zero. {LAYER}Take $s = 1$. ${claim}$")[0] == "proved_if"


@pytest.mark.parametrize(("text", "verdict"), [
    (r"$m = n - k + 1$. For $n = 28$, $k = 3$: $m = 26$.", "proved"),
    (r"$m = n - k + 1$. For $n = 28$, $k = 3$: $m = 25$.", "refuted"),
    (r"$m = n - k + 1$. For $n = 28$, $k = 3$, $p = 1$: $m = 28$.", "definition"),
    (r"$m = n - k + 1$. For $n = 28$: $m = 26$.", "definition"),
])  # fmt: skip
def test_values_a_formula_gives(text: str, verdict: str) -> None:
    assert last(text)[0] == verdict


def test_a_size_solved_for() -> None:
    claim = r"$o = \lfloor \frac{i-k}{s} \rfloor + 1$. Conversely $i = s(o-1) + k$."
    assert last(claim) == ("proved_if", "true exactly when s divides i - k")
