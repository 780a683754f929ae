"""What paragraphs say of sizes in words, and what is claimed of the values at hand."""

from __future__ import annotations

import pytest

from symconv import verify, verify_claim
from symconv.claims.prose import said, zero_outside

POOL = r"$q_i = \frac{1}{r} \sum_{u=0}^{r-1} a_{ri+u}$, $a \in \mathbb{R}^H$. "
SUM = r"Then $\sum_{i=0}^{H-1} \frac{\partial L}{\partial a_i} = \sum_{i=0}^{H/r-1} \frac{\partial L}{\partial q_i}$."
TRANSPOSED = (r"$z_q = \sum_{t=0}^{o-1} v_t w_{q+p-st}$ for $q = 0, \dots, n-1$, with $w_j = 0$ outside "
              r"$0, \dots, k-1$. If $e_q = \partial L / \partial z_q$, and $e_q = 0$ for $q$ outside "
              r"$0, \dots, n-1$, then ")


@pytest.mark.parametrize(("words", "directives"), [
    (r"Let $r$ divide $H$", []),
    (r"where $r$ divides $H$ and $W$", ["r divides H", "r divides W"]),
    (r"$n$ is a multiple of $s$", ["s divides n"]),
    (r"设 $r$ 整除 $H$ 和 $W$,", ["r divides H", "r divides W"]),
    (r"$n$ 은 $s$ 의 배수", ["s divides n"]),
    (r"with $w_j = 0$ outside $0, \dots, k-1$", [r"w zero outside 0, \dots, k-1"]),
    (r"$x_q$ is zero for $q$ outside $1, \dots, n$", [r"x zero outside 1, \dots, n"]),
    (r"$x$ is the input, a vector of length $n$, and $w$ a kernel with $k$ taps", ["x: n", "w: k"]),
    (r"$x$ 는 길이 $n$ 의 입력, 길이 $k$ 의 커널, $b$ 는 편향", ["x: n"]),
    (r"长度为 $n$ 的输入 $x$", ["x: n"]),
    ("no one divides; $x$ is a matrix", []),
])  # fmt: skip
def test_what_words_say(words: str, directives: list[str]) -> None:
    assert said(words) == directives


def test_zero_outside_in_korean() -> None:
    assert zero_outside(r"범위를 벗어난 첨자를 가진 $\delta$ 와 $w$ 는 0으로 둡니다")
    assert not zero_outside("10으로 나눕니다. 범위를 벗어난 값은 버립니다")


@pytest.mark.parametrize(("text", "verdict"), [
    (POOL + "Let $r$ be any number. " + SUM, "proved_for"),
    ("Here $r$ divides $H$. " + POOL + SUM, "checked"),
    (TRANSPOSED + r"$\frac{\partial L}{\partial v_t} = \sum_{j=0}^{k-1} w_j e_{st+j-p}$.", "proved"),
    (TRANSPOSED + r"$\frac{\partial L}{\partial v_t} = \sum_{j=0}^{k-1} w_j e_{st-j+p}$.", "refuted"),
])  # fmt: skip
def test_it_counts_for_what_follows(text: str, verdict: str) -> None:
    *_, last = [f for f in verify(text) if f.verdict]
    assert last.verdict == verdict, last.message


UPSAMPLED = r"$m = s(o - 1) + k - 2p$. "


@pytest.mark.parametrize(("text", "verdict", "message"), [
    ("With $k = 4$, $s = 2$, $p = 1$ we have $m = 2o$.", "proved", "true for k = 4, s = 2, p = 1"),
    ("With $k = 3$, $s = 2$, $p = 1$ we have $m = 2o$.", "refuted", "false for o = 1"),
    ("With $k = 4$, $s = 2$, $p = 1$ it doubles.\n\nOf course $m = 2o$.", "refuted", "false for o = 1"),
])  # fmt: skip
def test_sizes_for_the_values_of_the_paragraph(text: str, verdict: str, message: str) -> None:
    *_, last = [f for f in verify(UPSAMPLED + "\n\n" + text) if f.verdict]
    assert last.verdict == verdict and last.message.startswith(message), last.message


def test_a_kernel_size_under_a_letter_of_its_own() -> None:
    """k' = d(k - 1) + 1 in the size of the output."""
    text = (r"$y_t = \sum_{j=0}^{k-1} w_j x_{st+dj-p}$ for $t = 0, \dots, o-1$. Put $\hat k = k + (k-1)(d-1)$. Then "
            r"$o = \lfloor (i + 2p - \hat k)/s \rfloor + 1$ and $o = \lfloor (i + 2p - dk)/s \rfloor + 1$.")
    assert [f.verdict for f in verify(text) if f.kind == "size"] == ["proved", "proved_for"]


LISTED = r"$x = (x_1, \dots, x_n)$ is the input, $w = (w_1, \dots, w_k)$ the kernel. "


@pytest.mark.parametrize(("text", "verdict"), [
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+j-1}, \quad i = 1, \dots, m$, has $m = n - k + 1$ elements.", "proved"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+j-1}, \quad i = 1, \dots, m$, has $m = n - k$ elements.", "refuted"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+j-1}$ for $i = 1, \dots, m$ with $m = n - k$.", "refuted"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{s(i-1)+j}, \quad i = 1, \dots, m$, and "
     r"$m = \lfloor (n-k)/s \rfloor + 1$.", "proved"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{s(i-1)+j}, \quad i = 1, \dots, m$, and $m = n/s$.", "proved_if"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+j-p-1}, \quad i = 1, \dots, m$, and $m = n + 2p - k + 1$.", "proved"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+d(j-1)}, \quad i = 1, \dots, m$, and $m = n - d(k-1)$.", "proved"),
    (LISTED + r"$y_i = \sum_{j=1}^{k} w_j x_{i+d(j-1)}, \quad i = 1, \dots, m$, and $m = n - dk + 1$.", "proved_if"),
])  # fmt: skip
def test_the_number_of_outputs_follows_from_the_layer(text: str, verdict: str) -> None:
    *_, last = [f for f in verify(text) if f.verdict]
    assert last.verdict == verdict, last.message


def test_what_holds_for_one_example_is_not_taken_for_the_loss_of_all() -> None:
    text = (r"$y_{n,i} = \sum_j w_j x_{n,i+j} + b$ and $L = \frac{1}{N} \sum_{n=1}^{N} \ell_n$. With "
            r"$h_{n,i} = \frac{\partial \ell_n}{\partial y_{n,i}}$, "
            r"$\frac{\partial L}{\partial b} = \sum_{n,i} h_{n,i}$.")
    *_, last = [f for f in verify(text) if f.verdict]
    assert last.verdict == "not_understood"


def test_correlations_are_named_after_their_signals() -> None:
    text = (r"$r_{xy}[\ell] = \sum_{n=-\infty}^{\infty} x[n] y[n-\ell]$, so $r_{yx}[\ell] = r_{xy}[-\ell]$, but "
            r"$r_{yx}[\ell] = r_{xy}[\ell]$ is wrong.")
    assert [f.verdict for f in verify(text) if f.verdict][-2:] == ["proved", "refuted"]


LAYER = r"O(i,j) = \sum_{u=1}^{p} \sum_{v=1}^{q} I(i+u-1, j+v-1) K(u,v)"
RANGES = [r"1 \le i \le m-p+1", r"1 \le j \le n-q+1"]
GRADIENT = r"dO(i,j) = \frac{\partial L}{\partial O(i,j)}"


@pytest.mark.parametrize(("shift", "verdict"), [("-1", "proved"), ("", "refuted")])
def test_ranges_that_are_given_apart_belong_to_the_layer(shift: str, verdict: str) -> None:
    claim = (r"\frac{\partial L}{\partial K(u,v)} = \sum_{i=1}^{m-p+1} \sum_{j=1}^{n-q+1} dO(i,j) "
             rf"I(i+u{shift}, j+v{shift})")
    found = verify_claim(claim, given=[LAYER, *RANGES, GRADIENT, "base 1"])
    assert found.verdict == verdict, found.message


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\frac{\partial L}{\partial z_i} = \frac{\partial L}{\partial a_i} a_i (1 - a_i)", "proved"),
    (r"\frac{\partial L}{\partial z_i} = \frac{\partial L}{\partial a_i} a_i (1 + a_i)", "refuted"),
])  # fmt: skip
def test_a_logistic_function_without_a_name(claim: str, verdict: str) -> None:
    assert verify_claim(claim, given=[r"a_i = \frac{1}{1 + e^{-z_i}}"]).verdict == verdict
    assert verify_claim(claim, given=[r"a_i = \frac{1}{1 + \exp(-z_i)}"]).verdict == verdict


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\frac{\partial L}{\partial w_j} = \frac{2}{N} \sum_{i=1}^{N} (y_i - t_i) x_{i+j-1}", "proved"),
    (r"\frac{\partial L}{\partial w_j} = \frac{1}{N} \sum_{i=1}^{N} (y_i - t_i) x_{i+j-1}", "refuted"),
])  # fmt: skip
def test_the_mean_of_squares(claim: str, verdict: str) -> None:
    """N stands before the sum that says what it counts."""
    given = [r"y_i = \sum_{j=1}^{k} w_j x_{i+j-1}", r"L = \frac{1}{N} \sum_{i=1}^{N} (y_i - t_i)^2"]
    assert verify_claim(claim, given=given).verdict == verdict


def test_the_square_of_a_norm() -> None:
    given = [r"z = W a + b", r"h = \sigma(z)", r"J = \frac{1}{2} \| h - t \|^2"]
    assert verify_claim(r"\frac{\partial J}{\partial z} = (h - t) \odot \sigma'(z)", given=given).verdict == "proved"
    assert verify_claim(r"\frac{\partial J}{\partial z} = (t - h) \odot \sigma'(z)", given=given).verdict == "refuted"


SIZES = ["o: output size", "i: input size", "k: kernel size", "s: stride", "p: padding on each side"]


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    ("i = s(o-1) + k - 2p", SIZES, "proved_if"),
    (r"i = s(o-1) + k - 2p + a", [*SIZES, r"a = (i + 2p - k) \bmod s"], "proved"),
    ("i = s o + k - 2p", SIZES, "refuted"),
    ("L_y = L_x + L_h", ["L_x: length of x", "L_h: length of h", "L_y: length of y"], "not_understood"),
])  # fmt: skip
def test_the_input_by_the_output(claim: str, given: list[str], verdict: str) -> None:
    """Relationship 14 of V. Dumoulin and F. Visin, arXiv:1603.07285."""
    found = verify_claim(claim, given=given)
    assert found.verdict == verdict and (verdict != "proved_if" or found.condition == "s divides i + 2p - k")


def test_a_step_of_descent_with_the_time_on_the_weights() -> None:
    given = [r"y_i = \sum_{j=0}^{k-1} w_j^{(t)} x_{i+j}", r"\delta_i = \frac{\partial L}{\partial y_i}"]
    step = r"w_j^{(t+1)} = w_j^{(t)} - \eta \sum_{i} \delta_i x_{i+j}"
    assert verify_claim(step, given=given).verdict == "proved"
    assert verify_claim(step.replace("- ", "+ "), given=given).verdict == "refuted"


def test_two_operators_mean_two_things() -> None:
    """Where * is convolution, a star is not: the kernel turned round is then wrong."""
    claim = r"\frac{\partial L}{\partial X} = \delta * \mathrm{rot}_{180}(K)"
    given = [r"Z = X \star K", r"\delta = \frac{\partial L}{\partial Z}", "X: input", "K: kernel"]
    assert verify_claim(claim, given=[*given, "* is full convolution"]).verdict == "refuted"
    assert verify_claim(claim.replace(r"\mathrm{rot}_{180}(K)", "K"),
                        given=[*given, "* is full convolution"]).verdict == "proved"


CHANNELS = [r"y_{o,i} = \sum_{c=1}^{C} \sum_{a=0}^{k-1} W_{o,c,a} x_{c,i+a}",
            r"\delta_{o,i} = \frac{\partial L}{\partial y_{o,i}}", "zero outside"]
DX = r"\frac{\partial L}{\partial x_{c,p}} = \sum_{o=%s} \sum_{a=0}^{k-1} W_{o,c,a} \delta_{o,p-a}"


@pytest.mark.parametrize(("outputs", "given", "verdict"), [
    ("1}^{O", CHANNELS, "proved"), ("0}^{O-1", CHANNELS, "proved"),
    ("1}^{O", [*CHANNELS, "base 0"], "refuted"), ("1}^{O-1", CHANNELS, "proved_if"),
])  # fmt: skip
def test_channels_nobody_numbered_count_from_where_the_sum_begins(outputs: str, given: list[str], verdict: str) -> None:
    found = verify_claim(DX % outputs, given=given)
    assert found.verdict == verdict, found.message


def test_a_matrix_defined_behind_its_use() -> None:
    given = ["y = Cx", r"C_{ij} = c_{(i-j) \bmod n}", "base 0", r"\delta = dL/dy"]
    claim = r"\frac{\partial L}{\partial x_j} = \sum_{i=0}^{n-1} c_{(i-j) \bmod n} \delta_i"
    assert verify_claim(claim, given=given).verdict == "proved"


def test_padding_that_is_given_as_a_number() -> None:
    assert verify_claim(r"o = \lceil (i - k + 1)/s \rceil", given=[*SIZES, "pad 0"]).verdict == "proved"
    assert verify_claim(r"o = \lceil (i - k + 1)/s \rceil", given=SIZES).verdict == "proved_if"


def test_the_derivative_of_a_convolution_at_a_point() -> None:
    given = [r"(f*g)(t) = \int_{-\infty}^{\infty} f(\tau) g(t-\tau) d\tau"]
    assert verify_claim("(f * g)'(t) = (f' * g)(t)", given=given).verdict == "proved"
    assert verify_claim("(f * g)'(t) = (f' * g)(t) + (f * g')(t)", given=given).verdict == "refuted"


def test_each_claim_counts_channels_from_where_it_says() -> None:
    text = (r"$y_{o,i} = \sum_{c=1}^{C} \sum_{a=0}^{k-1} W_{o,c,a} x_{c,i+a}$, "
            r"$\delta_{o,i} = \frac{\partial L}{\partial y_{o,i}}$, zero outside. "
            + " ".join(f"${DX % o}$." for o in ("1}^{O", "0}^{O-1", "1}^{O")))
    assert [f.verdict for f in verify(text) if f.verdict][-3:] == ["proved"] * 3
