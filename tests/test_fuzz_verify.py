"""A short run of `python -m tests.fuzz_verify`, and the same questions put by hypothesis."""

from __future__ import annotations

import random

import pytest
from fuzz_inputs import SOURCES, UNUSUAL, Grower, Input, damaged, generate, real_documents
from fuzz_verify import Failure, cause, failures, run, shrunk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SHORT = settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
PIECES = [*UNUSUAL, "w_j", "x_{i+j-1}", r"\sum_{j=1}^{k}", r"\delta_i", r"\frac{\partial L}{\partial w_i}", "=", "+",
          "*", " ", r"\sigma", "(", ")", "i", "n - k", r"\leftarrow", r"\int_{\mathbb{R}}", "f(z)", "dz", r"[f * g](x)",
          "2", "^{l}"]
MARKS = ["$", "$$", r"\(", r"\)", r"\[", r"\]", "\n", "\n\n", "- ", "> ", "    ", "```math\n", "```", "word", "| a |",
         "<!-- symconv: base 1 -->", "% symconv: x: n\n", r"\begin{equation}", r"\end{equation}",
         r"\newcommand{\a}[1]{#1\a{#1}}", r"\a{x}"]
PROSE = st.lists(st.sampled_from([*MARKS, *PIECES]), max_size=25)


def assert_answered(item: Input) -> None:
    bad = [f for f in failures(item) if f.cause != "slow"]  # time is for the long run, on a quiet machine
    assert not bad, bad[0]


@SHORT
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join), st.integers(0, 10**6))
def test_any_sequence_of_pieces_is_answered(latex: str, number: int) -> None:
    assert_answered(Input(latex, generate(0, number).given))


@SHORT
@given(st.text(max_size=40))
def test_any_text_is_answered(latex: str) -> None:
    assert_answered(Input(latex))
    assert_answered(Input("a = b", (latex,)))


@SHORT
@given(PROSE.map("".join), st.sampled_from(sorted(SOURCES.values())))
def test_any_document_is_answered(text: str, source: str) -> None:
    assert_answered(Input(text, (), source))


def test_real_documents_are_answered() -> None:
    for text, source in real_documents():
        assert_answered(Input(text, (), source))


def test_a_sample_of_the_long_run() -> None:
    found = run(3, range(150))
    found.pop("slow", None)
    assert not found, found


@pytest.mark.parametrize("source", ["", *SOURCES.values()])
def test_degenerate_input(source: str) -> None:
    for text in ("", " ", "\n", "$", "$$", "$$$$", "\\", "{" * 3000, "x_" * 2000 + "x", "\\frac" * 500, "(" * 2000,
                 "=" * 999, "$" + "+".join(["w_j x_{i+j-1}"] * 300) + "$", "\ud800", "\ufeff$a$", "a\rb\r\n$c$"):
        assert_answered(Input(text, (), source))


CONVOLVED = (r"(I * K)(i,j) = \sum_m \sum_n I(m,n) K(i-m,j-n)",)
FAILED_ONCE = [
    Input(""), Input("x()()"), Input("[i]w[]"), Input(r"\frac1.5"), Input("(af)*(ag)=a(f*g)"),
    Input("(I*K)", CONVOLVED),
    Input(r"{n}\begin{bmatrix}(i)\end{bmatrix}"), Input("[(n)]={x}{y}x[(m)]", ("x: N",)), Input(r"\sum{m}=\{d_+d\}"),
    Input(r"\frac{\partial b}{\partial b_{0}}{{R}}{}_{}"), Input(r"\sum_{m=1}I(mj)K(M)=\sum_{m=0}^{M}I(m,n)K(m)"),
    Input("", (r"y_i = \sum_{j=0}^{k-1} w_j x_{s i + j}", "k = k + 1")),
    Input("", (r"(V_{j})^2={}{{w}^{}},i=\dots,n",)),
    Input(r"{}{(s{1}]^2}=\max(g{3})\quad i=\dots,n"), Input("x_{k^{99999999}} = 1"),
    Input(r"f \mp K = I_{m',q,2i,i+j-1} \circ \mathbf{W}_{10^9,3,s+m,10^9},\quad i = 1, \dots, n", ("x: input",)),
    Input(r"\delta^l_{i}=\delta^{l+1}_{x,y}()^{l}\sigma(l_{})=\delta"),
    Input(r"\hat{x}(e0)=0\text{if}\begin{matrix}\delta\end{matrix}[]", (r"{i}\sigma({j}x_{j})",)),
    Input("\\newcommand{\\pd}[2]{{#1}}$\\pd_{}$", source="latex"),
    Input("\\newcommand{\\pd}[2]{{#2}}\\[\\pd{}{w_j}{j}", source="latex"),
    Input(r"{}{{l}}\operatorname{\text}"), Input("", ("l:receptive", "l_0=l_0=1")),
    Input(r"r_l = \sum_{} 2^{l}", ("r: receptive field",)), Input("a_0 = b_0", ("b_0 = a_0", "S_l = a_l + b_l")),
    Input("$h_{}=(\\sum_{j=1}{}_{}x{1})$\\begin{matrix}\\frac{\\partial x}[)=\\frac{\\partial}{\\partial x}{δ{}^{}}=(y)"
          "\\frac{\\partial g}{\\partial x}()\\end{matrix}$$o_i=\\sum{j}_{}x{1}$$$\n{}{}{}\\delta_x{1}\n$",
          source="markdown"),
    Input("\\begin{equation}(f*g)=\\sum_{k=-y}^{}f[k]g[n-k]\\end{equation}", source="latex"),
    Input(r"$$h_{i}=\sigma(\sum_{j=1}^{p} W_{ij}x_{j})$$ $$h_{i} = \sigma(\sum_{j=1}^{k}V_{j}x_{ij-1})$$",
          source="markdown"),
    Input(r"w_{ij}=w_{{2}}\frac{\partial J}{\partial w_{ij}}"), Input(r"w_{j}=w_{j}{\partial w_{j}}"),
    Input(r"y\ast_{\text}"), Input(r"wx+\dots+w_kx_k"),
    Input("$y_gy=\\sum_mx_{i-m}$", source="markdown"),
    Input("$\no_i={}w_jox_{i} $$\\frac{\\partial L}{\\partial w_i}=x_{i}$", source="markdown"),
    Input("$\nh_{i}=(\\sum_{j=1}{p}_{j})\n$$\\delta_3\\color{}{w_{1}}$", source="markdown"),
    Input("$o=\\sum_{j=0}\\sum_{j=1}w_j{i}$$\\frac{\\partial L}{\\partial w_j}={}\\delta_{j}$", source="markdown"),
]  # fmt: skip


@pytest.mark.parametrize("item", FAILED_ONCE, ids=range(len(FAILED_ONCE)))
def test_what_once_failed_is_answered(item: Input) -> None:
    assert_answered(item)


def test_the_same_number_is_the_same_input() -> None:
    assert generate(1, 5) == generate(1, 5) != generate(2, 5)
    assert Grower(random.Random(4)).formula() == Grower(random.Random(4)).formula()
    assert damaged("w_j x_i", random.Random(1), 3) == damaged("w_j x_i", random.Random(1), 3)


class Broken(Input):
    """Fails on every text with a q in it."""

    def run(self) -> list:
        if "q" in self.text:
            raise KeyError("q")
        return []


def test_failures_are_made_small() -> None:
    (failure,) = failures(Broken("a + b + q + c + d", ("x: n",)))
    assert failure.cause == "KeyError in fuzz_verify.failures > test_fuzz_verify.run"
    small = shrunk(failure)
    assert (small.input.text, small.input.given) == ("q", ())
    assert isinstance(small, Failure) and cause(ValueError()) == "ValueError in "
