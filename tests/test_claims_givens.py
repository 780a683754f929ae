"""What a person gives in words, and what a verdict rests on."""

from __future__ import annotations

import pytest

from symconv.claims.verify import claim_findings, verify_claim

LAYER = [r"y_i = \sum_{j=0}^{k-1} w_j x_{i+j}", r"\delta_i = \frac{\partial L}{\partial y_i}", "base 0"]
FULL = r"\frac{\partial L}{\partial x_m} = \sum_{j=0}^{k-1} w_j \delta_{m-j}"


@pytest.mark.parametrize("words", [
    "delta is zero outside", "zero outside", "no padding, delta is zero outside", r"\delta and w are zero outside"])
def test_arrays_that_are_zero_outside(words: str) -> None:
    assert verify_claim(FULL, given=LAYER).verdict == "proved_if"
    assert verify_claim(FULL, given=[*LAYER, words]).verdict == "proved"


def test_another_array_that_is_zero_outside() -> None:
    assert verify_claim(FULL, given=[*LAYER, "x is zero outside"]).verdict == "proved_if"


@pytest.mark.parametrize("words", [
    "x has length 4, indices 0 to 3", "x has 4 samples", "x is an arbitrary sequence", "f acts elementwise",
    "sums run over all valid indices", "stride 1, no padding", "x and w are real", "a single training example",
    r"n, k \ge 1", r"\alpha \ne 0", "at least two channels", "W is 3 x 3", "kernel k_h x k_w", "stride s, pad p",
    "grouped convolution with g groups", "x[n] = 0 \\text{ unless } 0 \\le n \\le L-1", "g is the sigmoid function"])
def test_words_that_are_read(words: str) -> None:
    assert not [f for f in claim_findings("o = i", [words]) if f.code == "SC002"]


@pytest.mark.parametrize("words", ["H has the same size as X", "all layers have width n", "as many inputs as outputs"])
def test_what_is_false_is_not_said_beside_words_that_are_not_read(words: str) -> None:
    wrong = FULL.replace("m-j", "m+j")
    assert verify_claim(wrong, given=[*LAYER, "zero outside"]).verdict == "proved_if"
    found = verify_claim(wrong, given=[*LAYER, "zero outside", words])
    assert found.verdict == "not_understood"
    assert words in found.message
    assert verify_claim(FULL, given=[*LAYER, "zero outside", words]).verdict == "proved"


@pytest.mark.parametrize(("claim", "verdict"), [
    ("N_y = N_x + N_h - 1", "proved"), ("N_y = N_x + N_h", "refuted")])
def test_the_length_of_a_convolution(claim: str, verdict: str) -> None:
    given = ["y = x * h, * is full convolution", "N_x: length of x", "N_h: length of h", "N_y: length of y"]
    assert verify_claim(claim, given=given).verdict == verdict


GROUPED = "2-D convolution layer with g groups and one bias per output channel"


@pytest.mark.parametrize(("claim", "layer", "verdict"), [
    (r"P = C_{out}(k_h k_w \frac{C_{in}}{g} + 1)", GROUPED, "proved"),
    (r"P = C_{out}(k_h k_w C_{in} + 1)", GROUPED, "proved_if"),
    (r"P = k_h k_w C_{in} C_{out}", "2-D convolution layer without bias", "proved"),
    (r"P = (C_{in} + 1) C_{out}", "dense layer with a bias per output", "proved"),
    (r"P = (C_{in} + 1) C_{out}", "depthwise separable layer", "not_understood"),
])  # fmt: skip
def test_numbers_of_parameters_of_a_layer_in_words(claim: str, layer: str, verdict: str) -> None:
    given = [f"P: number of parameters of a {layer}", "C_{in}: input channels, C_{out}: output channels",
             "kernel k_h x k_w"]
    if layer.startswith("dense"):
        given.pop()
    assert verify_claim(claim, given=given).verdict == verdict


def test_numbers_of_multiplications() -> None:
    given = ["M: number of multiplications of a 2-D convolution layer with kernel k x k and no bias",
             "C_{in}: input channels, C_{out}: output channels", r"H_{out} = \frac{H}{s}", r"W_{out} = \frac{W}{s}",
             "s divides H and W", r"s \ge 2"]
    assert verify_claim(r"M = \frac{H W}{s^2} k^2 C_{in} C_{out}", given=given).verdict == "proved"
    assert verify_claim(r"M = \frac{H W}{s} k^2 C_{in} C_{out}", given=given).verdict == "refuted"


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    ("h[n] = s[n] - s[n-1]", [r"s[n] = \sum_{k=-\infty}^{n} h[k]"], "proved"),
    ("h[n] = s[n+1] - s[n]", [r"s[n] = \sum_{k=-\infty}^{n} h[k]"], "refuted"),
    ("H = (O - 1) s + k", ["O = (H - k)/s + 1", "s divides H - k"], "proved"),
    ("H = (O - 1) s + k - 1", ["O = (H - k)/s + 1"], "refuted"),
    (r"(T^{T}u)_j = \sum_m w_m u_{j+m}", [r"T_{i,j} = w_{i-j}"], "proved"),
    (r"(T^{T}u)_j = \sum_m w_m u_{j-m}", [r"T_{i,j} = w_{i-j}"], "refuted"),
    (r"R = 1 + (k-1)(2^n - 1)", [r"R = 1 + \sum_{l=0}^{n-1} (k-1) 2^l", "R: receptive field"], "proved"),
    (r"R = 1 + (k-1) 2^n", [r"R = 1 + \sum_{l=0}^{n-1} (k-1) 2^l", "R: receptive field"], "refuted"),
])  # fmt: skip
def test_what_was_made_of_something_is_no_definition_of_it(claim: str, given: list[str], verdict: str) -> None:
    assert verify_claim(claim, given=given).verdict == verdict


@pytest.mark.parametrize(("claim", "given", "reason"), [
    (r"X[k] = \sum_{n} x[n] e^{-ikn}", [], "exponent"),
    (r"\sum_j w_j x_{|i-j|} = \sum_j w_j x_{i-j}", [], "abs"),
    (r"\sum_j w_j = \min(i, k) x_i", ["w: k"], "min"),
])  # fmt: skip
def test_functions_of_indices_are_no_arrays(claim: str, given: list[str], reason: str) -> None:
    found = verify_claim(claim, given=given)
    assert found.verdict == "not_understood"
    assert reason in found.message


def test_labels_of_several_letters() -> None:
    given = ["C_{std} = D_{K}^{2} M N D_{F}^{2}", "C_{sep} = D_{K}^{2} M D_{F}^{2} + M N D_{F}^{2}"]
    claim = r"\frac{C_{sep}}{C_{std}} = \frac{1}{N} + \frac{1}{D_{K}^{2}}"
    assert verify_claim(claim, given=given).verdict == "proved"


def test_operators_on_all_integers_have_values_everywhere() -> None:
    given = [r"(f \star g)[n] = \sum_{m} f[m] g[m+n]", r"(f * g)[n] = \sum_{m} f[m] g[n-m]", "x: 4", "h: 4"]
    assert verify_claim(r"(x \star h)[n] = (x * \mathrm{flip}(h))[n]", given=given).verdict == "refuted"
    assert verify_claim(r"(x \star h)[n] = (x * \mathrm{flip}(h))[n]", given=given[:2]).verdict == "refuted"
    assert verify_claim(r"(x \star h)[n] = (\mathrm{flip}(x) * h)[n]", given=given[:2]).verdict == "proved"


@pytest.mark.parametrize(("padding", "verdict"), [("k-1", "proved"), ("k", "refuted")])
def test_padding_gives_arrays_of_unsaid_length_ends(padding: str, verdict: str) -> None:
    given = [r"Y = X \star K", "X: input", "K: kernel", "k: kernel size"]
    claim = rf"\frac{{\partial L}}{{\partial X}} = \mathrm{{pad}}_{{{padding}}}(\frac{{\partial L}}{{\partial Y}})" \
        r" \star \mathrm{rot}_{180}(K)"
    assert verify_claim(claim, given=given).verdict == verdict


def test_a_free_array_that_is_summed_with_the_outputs_is_as_long() -> None:
    given = [r"y_i = \sum_{j=0}^{k-1} w_j x_{si+j}", r"z_m = \sum_i w_{m-si} u_i", "zero outside", "base 0"]
    assert verify_claim(r"\sum_i u_i y_i = \sum_m z_m x_m", given=given).verdict == "proved"


def test_a_loss_over_numbered_outputs_says_how_many_there_are() -> None:
    given = [r"y_{i,j} = b + \sum_{a=0}^{1}\sum_{c=0}^{1} x_{i+a,j+c} w_{a,c}",
             r"L = \frac{1}{2}\sum_{i=0}^{1}\sum_{j=0}^{1} (y_{i,j} - t_{i,j})^{2}"]
    claim = r"\frac{\partial L}{\partial w_{a,c}} = \sum_{i=0}^{1}\sum_{j=0}^{1} (y_{i,j} - t_{i,j}) x_{i+a,j+c}"
    assert verify_claim(claim, given=given).verdict == "proved"


@pytest.mark.parametrize(("matrix", "verdict"), [
    ("w_{j-i}", "proved"), ("w_{i-j}", "proved_if"), ("w_{j-i+1}", "refuted")])
def test_the_matrix_of_a_layer(matrix: str, verdict: str) -> None:
    given = [r"y_i = \sum_{j=0}^{k-1} w_j x_{i+j}", "y = T x", "w_j = 0 for j < 0 and j \\ge k", "base 0"]
    assert verify_claim(f"T_{{ij}} = {matrix}", given=given).verdict == verdict


def test_examples_are_numbered_above() -> None:
    given = [r"y^{(n)}_i = \sum_{j=0}^{k-1} w_j x^{(n)}_{i+j}",
             r"\delta^{(n)}_i = \frac{\partial L}{\partial y^{(n)}_i}"]
    claim = r"\frac{\partial L}{\partial w_j} = \sum_{n=1}^{N} \sum_i \delta^{(n)}_i x^{(n)}_{i+j}"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(claim.replace("= ", r"= \frac{1}{N} "), given=given).verdict == "proved_for"
    found = verify_claim(claim.replace("{i+j}", "{i-j}"), given=given)
    assert (found.verdict, found.condition) == ("proved_if", "k = 1")


def test_ranges_belong_to_the_formula_before_them() -> None:
    given = [r"y_i = \sum_{a=1}^{2} x_{i+a-1} w_a", "i = 1, 2", "base 1"]
    claim = r"\frac{\partial L}{\partial x_3} = \frac{\partial L}{\partial y_2} w_2"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(claim, given=[given[0], "i = 1, 2, 3", "base 1"]).verdict == "refuted"


def test_a_second_formula_for_an_element() -> None:
    given = ["y_0 = d_0 g_0 + d_1 g_1", "y_1 = d_1 g_0 + d_2 g_1"]
    assert verify_claim("y_1 = d_2 g_1 + g_0 d_1", given=given).verdict == "proved"
    assert verify_claim("y_1 = d_2 g_1 - g_0 d_1", given=given).verdict == "refuted"


def test_an_index_that_nobody_numbered_begins_where_a_sum_begins() -> None:
    given = ["W_{ij} = u_i v_j", r"y_{m,n} = \sum_{i=0}^{k-1} \sum_{j=0}^{k-1} W_{ij} x_{m+i,n+j}",
             r"\delta_{m,n} = \frac{\partial L}{\partial y_{m,n}}"]
    claim = r"\frac{\partial L}{\partial u_i} = \sum_{m,n} \delta_{m,n} \sum_{j=0}^{k-1} v_j x_{m+i,n+j}"
    assert verify_claim(claim, given=given).verdict == "proved"
    found = verify_claim(claim.replace("v_j x_{m+i,n+j}", "v_i x_{m+i,n+j}"), given=given)
    assert (found.verdict, found.condition) == ("proved_if", "k = 1")


OPERATOR = [r"C(x)_i = \sum_{j=0}^{k-1} w_j x_{si+j}", "(T_a x)_i = x_{i-a}", "zero outside"]


@pytest.mark.parametrize(("claim", "verdict"), [
    ("C(x + y)_i = C(x)_i + C(y)_i", "proved"),
    ("C(T_s x) = T_1 C(x)", "proved"),
    ("C(T_1 x)_i = C(x)_{i-1}", "proved_if"),
    ("C(T_s x)_i = C(x)_{i+1}", "refuted"),
])  # fmt: skip
def test_operators_in_front_of_an_array(claim: str, verdict: str) -> None:
    assert verify_claim(claim, given=OPERATOR).verdict == verdict


@pytest.mark.parametrize(("mirrored", "verdict"), [("x", "proved"), ("h", "refuted")])
def test_what_flip_does_may_be_said(mirrored: str, verdict: str) -> None:
    given = [r"(f \star g)[n] = \sum_{m} f[m] g[m+n]", r"(f * g)[n] = \sum_{m} f[m] g[n-m]",
             r"\mathrm{flip}(h)[n] = h[-n]"]
    sides = [rf"\mathrm{{flip}}({v})" if v == mirrored else v for v in "xh"]
    assert verify_claim(rf"(x \star h)[n] = ({' * '.join(sides)})[n]", given=given).verdict == verdict


def test_an_operator_defined_for_a_kernel_serves_others_of_its_kind() -> None:
    given = [r"(W \otimes X)_{i,j} = \sum_{u=1}^{U} \sum_{v=1}^{V} w_{uv} x_{i+u-1,j+v-1}",
             r"(W * X)_{i,j} = \sum_{u=1}^{U} \sum_{v=1}^{V} w_{uv} x_{i-u+1,j-v+1}", "base 1"]
    claim = r"(W \otimes X)_{i,j} = (\mathrm{rot}_{180}(W) * X)_{i+U-1,j+V-1}"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(claim.replace("i+U-1", "i+U"), given=given).verdict == "refuted"


def test_the_range_of_an_operator_is_where_its_result_turns() -> None:
    given = [r"z_i = \sum_{u=0}^{k-1} W_u a_{i+k-1-u}", r"\delta_i = \frac{\partial J}{\partial z_i}",
             r"(a \star \delta)_u = \sum_i a_{u+i} \delta_i, \quad 0 \le u \le k-1", "base 0"]
    claim = r"\frac{\partial J}{\partial W} = \mathrm{rot}_{180}(a \star \delta)"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(r"\frac{\partial J}{\partial W} = a \star \delta", given=given).verdict == "proved_if"


def test_taps_say_how_far_the_input_is_read() -> None:
    given = [r"y_i = \sum_u x_{is+u} w_u", r"\delta_i = \frac{\partial L}{\partial y_i}", r"i = 0, \dots, N-1"]
    claim = r"\frac{\partial L}{\partial w_u} = \sum_{i=0}^{N-1} \delta_i x_{is+u}"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(claim.replace("N-1", "N-2"), given=given).verdict == "refuted"


@pytest.mark.parametrize(("slope", "verdict"), [("y (1 - y)", "proved"), ("(1 - y)", "refuted")])
def test_a_single_neuron(slope: str, verdict: str) -> None:
    given = [r"\sigma(z) = \frac{1}{1 + e^{-z}}", r"y = \sigma(\sum_i w_i x_i + b)"]
    claim = rf"\frac{{\partial y}}{{\partial w_i}} = {slope} x_i"
    assert verify_claim(claim, given=given).verdict == verdict


@pytest.mark.parametrize(("roles", "verdict"), [(["x: input", "w: kernel of length k"], "proved"), ([], "proved")])
def test_the_kernel_slides_on_either_side_of_the_star(roles: list[str], verdict: str) -> None:
    given = [*roles, "w: k", "* is cross-correlation", "base 0", r"o_i = (w \ast x)_{2i}"]
    assert verify_claim(r"o_i = \sum_{j=0}^{k-1} w_j x_{2i+j}", given=given).verdict == verdict


def test_prose_is_no_product_of_letters() -> None:
    given = [r"o_i = \sum_{j=0}^{k-1} w_j x_{i+j}", r"T_{i,t} = w_{t-i} with w zero outside 0..k-1", "base 0"]
    claim = r"\frac{\partial L}{\partial x} = T^{\top} \frac{\partial L}{\partial o}"
    assert verify_claim(claim, given=given).verdict == "not_understood"
    assert claim_findings(claim, given)[0].code == "SC002"


def test_a_product_of_sizes_is_no_name() -> None:
    given = ["P: number of parameters of a 2-D grouped convolution with bias", r"k_h \times k_w: kernel size",
             "C_{in}: input channels, C_{out}: output channels, g: groups"]
    claim = r"P = C_{out} (\frac{C_{in}}{g} k_h k_w + 1)"
    assert verify_claim(claim, given=given).verdict == "proved"
    assert verify_claim(claim.replace("k_h k_w", "k_h k_h"), given=given).verdict == "proved_if"


@pytest.mark.parametrize(("claim", "verdict"), [("o = 2 i - 1", "proved"), ("o = 2 i", "refuted")])
def test_values_are_sizes_of_the_layer(claim: str, verdict: str) -> None:
    given = ["o: output size of a transposed convolution", "i: input size", "k = 3", "stride s = 2", "p = 1",
             "output padding 0", "d = 1"]
    assert verify_claim(claim, given=given).verdict == verdict


def test_a_gradient_is_as_long_as_what_it_belongs_to() -> None:
    """Its axes exchanged are not made equal by the formula that exchanges them."""
    given = [r"o_{a,u} = \sum_{n=1}^{R} \sum_{m=1}^{Q} w_{n,m} x_{2a+n-2,2u+m-2}", "x: H x T", "w: R x Q", "stride 2",
             r"\delta_{a,u} = \frac{\partial L}{\partial o_{a,u}}"]
    claim = r"\frac{\partial L}{\partial w_{n,m}} = \sum_a \sum_u \delta_{u,a} x_{2a+n-2,2u+m-2}"
    found = verify_claim(claim, given=given)
    assert (found.verdict, found.condition) == ("proved_if", "|o|_1 = 1 and |o|_2 = 1")


UPDATE = r"\hat w_j = w_j - \eta \frac{\partial L}{\partial w_j}"
FORWARD = (r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}", r"\delta_i = \frac{\partial L}{\partial o_i}")
SLID = r"(Ax)_i = \sum_{j=0}^{k-1} w_j x_{si+j}, \quad 0 \le i < m"
CENTRAL = r"(Dx)_i = \frac{x_{i+1} - x_{i-1}}{2}"
UNIT_STEP = r"u[n] = 1 \text{ for } n \ge 0, \quad u[n] = 0 \text{ for } n < 0"
STEP_RESPONSE = (r"y[n] = \sum_{k=0}^{M} h[k] x[n-k]", UNIT_STEP, r"s[n] = \sum_{k=0}^{M} h[k] u[n-k]",
                 r"0 \le n \le M")
WEIGHTS = r"W \in \mathbb{R}^{F \times C \times k \times k}"


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    # What is defined with a gradient comes behind the loss.
    (r"\hat w_j = w_j - \eta \sum_i \delta_i x_{i+j-1}", (*FORWARD, UPDATE), "proved"),
    (r"\hat w_j = w_j - \eta \sum_i \delta_i x_{i+j}", (*FORWARD, UPDATE), "refuted"),
    # Transposes and powers of an operator.
    (r"\langle Ax, y \rangle = \langle x, A^\top y \rangle", (SLID, "zero outside", "base 0"), "proved"),
    (r"(A^\top y)_t = \sum_{i=0}^{m-1} w_{t-si} y_i", (SLID, "zero outside", "base 0"), "proved"),
    (r"(A^\top y)_t = \sum_{i=0}^{m-1} w_{t+si} y_i", (SLID, "zero outside", "base 0"), "proved_if"),
    (r"(D^2 x)_i = \frac{x_{i+2} - 2 x_i + x_{i-2}}{4}", (CENTRAL,), "proved"),
    (r"(D^2 x)_i = x_{i+1} - 2 x_i + x_{i-1}", (CENTRAL,), "refuted"),
    # An array in pieces, or element by element.
    (r"h[n] = s[n] - s[n-1]", STEP_RESPONSE, "proved"),
    (r"h[n] = s[n+1] - s[n]", STEP_RESPONSE, "refuted"),
    ("o_i = x_i", (r"o_i = \sum_{j=-r}^{r} w_j x_{i-j}", "w_0 = 1", r"w_j = 0 \text{ for } j \neq 0"), "proved"),
    ("o_i = x_i", (r"o_i = \sum_{j=0}^{1} w_j x_{i+j}", "w_0 = 1", "w_1 = 0"), "proved"),
    ("o_i = x_i", (r"o_i = \sum_{j=0}^{1} w_j x_{i+j}", "w_0 = 1"), "not_understood"),
    # Numbers of elements.
    (r"\mathrm{length}(y) = N + M - 1", ("x: N", "h: M", "* is full convolution", "y = x * h"), "proved"),
    (r"\mathrm{length}(y) = N + M", ("x: N", "h: M", "* is full convolution", "y = x * h"), "refuted"),
    (r"P = F (C k^2 + 1)", (WEIGHTS, r"b \in \mathbb{R}^F", r"P = \#W + \#b"), "proved"),
    # What nobody says how long it is, is as long as the sum over it; what was described is not defined.
    (r"H_{i,j} = \sum_{a=0}^{k-1} \sum_{b=0}^{k-1} V_{a,b} X_{i+a,j+b}",
     ("X: input", "V: kernel", "H = X * V", "* is cross-correlation", "base 0"), "proved"),
    (r"H_{i,j} = \sum_{a=0}^{k-1} \sum_{b=0}^{k-1} V_{a,b} X_{i-a,j-b}",
     ("X: input", "V: kernel", "H = X * V", "* is cross-correlation", "base 0"), "refuted"),
    ("N = H W", ("N is the number of multiplications when the sum is evaluated literally",), "not_understood"),
    # Residue classes.
    (r"\frac{\partial L}{\partial x_t} = \sum_{\substack{0 \le j < k \\ j \equiv t \pmod s}} w_j \delta_{(t-j)/s}",
     (r"o_i = \sum_{j=0}^{k-1} w_j x_{si+j}", r"\delta_i = \frac{\partial L}{\partial o_i}", "s: stride",
      "zero outside", "base 0"), "proved"),
])  # fmt: skip
def test_what_is_given_is_used(claim: str, given: tuple[str, ...], verdict: str) -> None:
    found = verify_claim(claim, given=given)
    assert found.verdict == verdict, found.message


CHANNELS = (r"Y_{d,i} = b_d + \sum_{c=1}^{C} \sum_{u=1}^{F} W_{d,c,u} X_{c,i+u-1}", r"1 \le d \le D", "C \\ge 2")
DILATED = (r"y_i = \sum_{j=0}^{k-1} x_{i + j (d + 1)} w_j", "o: output size", "i: input size", "k: kernel size",
           "d: dilation")
SPREAD = (r"y_m = \sum_{j=0}^{k-1} w_j x_{sm+j}", r"\delta_m = \frac{\partial L}{\partial y_m}",
          r"\tilde\delta_{sm} = \delta_m", r"\tilde\delta_n = 0 \text{ for } s \nmid n", "zero outside", r"s \ge 2",
          r"k \ge 2")
CONV2 = r"\mathrm{conv2}(A,B,\text{full})_{r,c} = \sum_{a,b} A_{a,b} B_{r-a+1,c-b+1}"


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    # Parameters are the elements of what a layer reads; a dilation counted from 0 is not that of the usual formula.
    ("N = D (C F + 1)", (*CHANNELS, "N: number of parameters"), "proved"),
    ("N = D (F + 1)", (*CHANNELS, "N: number of parameters"), "refuted"),
    ("o = i - d (k - 1)", DILATED, "not_understood"),
    # A logistic function, wherever that is said; so many inputs there are as outputs that read them.
    (r"\frac{\partial L}{\partial w_j} = \sum_{i=0}^{m-1} \frac{\partial L}{\partial o_i} o_i (1 - o_i) x_{i+j}",
     (r"z_i = b + \sum_{j=0}^{k-1} w_j x_{i+j}", r"o_i = \sigma(z_i)", r"\sigma(z) = \frac{1}{1+e^{-z}}",
      r"0 \le i < m"), "proved"),
    # Each element of an upsampled array stands for a block.
    ("y_{2m+1} = w_0 x_m + (w_1 + w_2) x_{m+1}",
     (r"u_n = x_{\lfloor n/2 \rfloor}", "y_n = w_0 u_n + w_1 u_{n+1} + w_2 u_{n+2}"), "proved"),
    ("y_{2m+1} = (w_0 + w_1) x_m + w_2 x_{m+1}",
     (r"u_n = x_{\lfloor n/2 \rfloor}", "y_n = w_0 u_n + w_1 u_{n+1} + w_2 u_{n+2}"), "refuted"),
    # Gradients named from the right; shapes, wherever they are said.
    (r"\frac{\partial L}{\partial x_i} = \sum_{j=0}^{k-1} w_j g_{i-j}",
     (r"y_i = \sum_{j=0}^{k-1} w_j x_{i+j}", r"\frac{\partial L}{\partial y_i} = g_i", "zero outside"), "proved"),
    (r"\frac{\partial L}{\partial A} = \delta^T x", ("y = x A^T + b", r"x \in \mathbb{R}^{N \times d}",
     r"A \in \mathbb{R}^{m \times d}", r"\delta = \frac{\partial L}{\partial y}"), "proved"),
    # conv2 as the notes define it.
    (r"\frac{\partial E}{\partial x} = \mathrm{conv2}(\delta, K, \text{full})",
     (r"u_{r,c} = \sum_{a=1}^{k} \sum_{b=1}^{k} x_{r+a-1,c+b-1} K_{a,b}", r"\delta = \frac{\partial E}{\partial u}",
      CONV2, "zero outside", "base 1"), "proved"),
    (r"\frac{\partial E}{\partial x} = \mathrm{conv2}(\delta, \mathrm{rot180}(K), \text{full})",
     (r"u_{r,c} = \sum_{a=1}^{k} \sum_{b=1}^{k} x_{r+a-1,c+b-1} K_{a,b}", r"\delta = \frac{\partial E}{\partial u}",
      CONV2, "zero outside", "base 1"), "proved_if"),
    # Every s-th element, and zeros between.
    (r"\frac{\partial L}{\partial x_n} = \sum_{j=0}^{k-1} w_j \tilde\delta_{n-j}", SPREAD, "proved"),
    (r"\frac{\partial L}{\partial x_n} = \sum_{j=0}^{k-1} w_j \tilde\delta_{n+j}", SPREAD, "refuted"),
    (r"(u * h)[p] = \sum_n h[p-2n] x[n]", ("u[2p] = x[p]", "u[2p+1] = 0", "* is full convolution"), "proved"),
    ("b' = b - 1", (r"y_i = \sum_j w_j x_{i+j} + b", r"z_i = \sum_j w_j x_{i+j} + b'"), "not_understood"),
])  # fmt: skip
def test_what_a_layer_says_comes_before_what_is_usual(claim: str, given: tuple[str, ...], verdict: str) -> None:
    found = verify_claim(claim, given=given)
    assert found.verdict == verdict, found.message
