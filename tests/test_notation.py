"""Printed formulas: exact strings for known layers, and laws that every layer's formulas obey."""

from itertools import product

import pytest

from symconv import Conv, Dense, Equation, Tensor, derive, indices
from symconv.notation import build, code_formula, latex, text
from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.build import affine
from symconv.notation.printer import Printer
from symconv.notation.ranges import bounds

i, j = indices("i j")
W3, X20, Y5 = Tensor("w", 3), Tensor("x", 20), Tensor("y", 5)
LAYERS = {
    "notes": Conv(5, 3), "flip": Conv(5, 3, flip=True), "stride": Conv(9, 3, stride=2, padding=1),
    "dilation": Conv(9, 3, dilation=2), "both": Conv(20, 3, stride=2, dilation=3),
    "same": Conv(9, 3, padding="same"), "full": Conv(9, 3, padding="full"),
    "channels": Conv((8, 8), (3, 3), channels=2, filters=4, batch=2, stride=2, padding=1, bias=True),
    "transposed": Conv(5, 3, stride=2, transposed=True),
    "grouped": Conv((8, 8), (3, 3), channels=4, filters=4, groups=2, padding=1),
    "depthwise": Conv((8, 8), (3, 3), channels=4, filters=4, groups=4),
    "volume": Conv((8, 8, 8), (3, 3, 3), stride=2, dilation=2), "dense": Dense(4, 3, bias=True, activation="sigma"),
    "relu": Conv((8, 8), (3, 3), channels=2, activation="relu", bias=True),
}


def all_equations(layer):
    d = derive(layer)
    return [*d.system.equations, *d.grad.values()]


def test_notes_text():
    d = derive(Conv(5, 3))
    assert text(d.forward) == "o_i = sum_{j=1}^{k} w_j x_{i+j-1}"
    assert text(d.grad["x"]) == "dL/dx_m = sum_{j=1}^{k} delta_{m-j+1} w_j (delta zero outside 1..o)"
    assert text(d.grad["w"]) == "dL/dw_a = sum_{i=1}^{o} delta_i x_{a+i-1}"
    assert text(d.forward, base=0) == "o_i = sum_{j=0}^{k-1} w_j x_{i+j}"


def test_notes_latex():
    d = derive(Conv(5, 3))
    assert latex(d.forward) == r"o_{i} = \sum_{j=1}^{k} w_{j} x_{i+j-1}"
    assert latex(d.grad["w"]) == r"\frac{\partial L}{\partial w_{a}} = \sum_{i=1}^{o} \delta_{i} x_{a+i-1}"
    assert latex(d.grad["x"]) == (r"\frac{\partial L}{\partial x_{m}} = \sum_{j=1}^{k} \delta_{m-j+1} w_{j} "
                                  r"\quad (\delta = 0 \text{ outside } 1 \ldots o)")


def test_stride_and_padding():
    d = derive(LAYERS["stride"])
    assert text(d.forward) == "o_i = sum_{j=1}^{k} w_j x_{2i+j-3} (x zero outside 1..n)"
    assert text(d.grad["x"]) == "dL/dx_m = sum_{i=1}^{o} delta_i w_{m-2i+3} (w zero outside 1..k)"


def test_condition_under_the_sum():
    d = derive(LAYERS["both"])
    assert text(d.grad["x"]) == "dL/dx_m = sum_{1 <= i <= o, 1 <= j <= k: 2i + 3j = m + 4} delta_i w_j"
    assert latex(d.grad["x"]) == (
        r"\frac{\partial L}{\partial x_{m}} = "
        r"\sum_{\substack{1 \le i \le o,\ 1 \le j \le k \\ 2i + 3j = m + 4}} \delta_{i} w_{j}")


def test_transposed_and_dilated():
    assert text(derive(LAYERS["dilation"]).forward) == "o_i = sum_{j=1}^{k} w_j x_{i+2j-2}"
    d = derive(LAYERS["transposed"])
    assert text(d.forward) == "o_i = sum_{1 <= j <= k, 1 <= m <= n: j + 2m = i + 2} w_j x_m"
    assert text(d.grad["x"]) == "dL/dx_m = sum_{j=1}^{k} delta_{2m+j-2} w_j"


def test_channels():
    d = derive(LAYERS["channels"])
    sums = "sum_{c=1}^{C} sum_{p=1}^{K_H} sum_{q=1}^{K_W}"
    assert text(d.forward) == (f"o_{{s,f,i,j}} = {sums} w_{{f,c,p,q}} x_{{s,c,2i+p-3,2j+q-3}} + b_f "
                               "(x zero outside 1..H x 1..W)")
    assert latex(d.grad["b"]) == (r"\frac{\partial L}{\partial b_{f}} = \sum_{s=1}^{N} \sum_{i=1}^{O_{H}} "
                                  r"\sum_{j=1}^{O_{W}} \delta_{s,f,i,j}")
    assert "w_{g,f,c,p,q} x_{g,c,i+p-2,j+q-2}" in text(derive(LAYERS["grouped"]).forward)


def test_activation():
    d = derive(LAYERS["dense"])
    assert [text(e) for e in d.system.equations] == ["z_i = sum_{j=1}^{p} W_{i,j} x_j + b_i", "h_i = sigma(z_i)"]
    assert text(d.grad["z"]) == "delta_i = dL/dh_i sigma'(z_i)"
    assert latex(d.grad["z"]) == r"\delta_{i} = \frac{\partial L}{\partial h_{i}} \sigma'(z_{i})"
    assert text(d.grad["w"]) == "dL/dW_{m,l} = delta_m x_l"


def test_by_hand():
    e = Equation(Y5[i], W3[j] * X20[3 * i - 2 * j + 4])
    assert text(e) == "y_i = sum_{j=1}^{3} w_j x_{3i-2j+4}"
    assert text(derive(e).grad["w"]) == "dL/dw_m = sum_{i=1}^{5} dL/dy_i x_{3i-2m+4}"
    local = Equation(Tensor("y", 5)[i], X20[i + j] * Tensor("w", (5, 3))[i, j])
    assert text(local) == "y_i = sum_{j=1}^{3} w_{i,j} x_{i+j-1}"
    assert text(Equation(Y5[i], ())) == "y_i = 0"


def test_coefficients_and_signs():
    from fractions import Fraction
    half = Fraction(1, 2) * (W3[j] * X20[i + j])
    e = Equation(Y5[i], (half, -1 * (Y5.gradient()[i] * X20[i])))
    assert text(e) == "y_i = sum_{j=1}^{3} 1/2 w_j x_{i+j-1} - dL/dy_i x_i"
    assert r"\frac{1}{2} w_{j}" in latex(e)


def test_code():
    d = derive(Conv(5, 3))
    assert code_formula(d.grad["x"].at({"n": 5, "k": 3, "o": 3})) == (
        "dx[m] = sum over 0 <= j < 3 of dy[m - j] * w[j] (dy is zero outside)")
    assert code_formula(d.forward) == "y[i] = sum over 0 <= j < k of w[j] * x[i + j]"
    both = derive(LAYERS["both"])
    assert code_formula(both.grad["x"].at(dict(both.system.sizes))) == (
        "dx[m] = sum over 0 <= i < 7, 0 <= j < 3 with 2*i + 3*j == m of dy[i] * w[j]")
    assert code_formula(derive(LAYERS["dense"]).forward) == "z[i] = b[i] + sum over 0 <= j < p of w[i, j] * x[j]"


@pytest.mark.parametrize("name", LAYERS)
def test_latex_is_well_formed(name):
    for e in all_equations(LAYERS[name]):
        for formula in (latex(e), latex(e, 0), LATEX(build(e, brackets=True))):
            assert formula.isascii()
            depth = 0
            for at, c in enumerate(formula):
                depth += (c == "{") - (c == "}") if formula[at - 1] != "\\" else 0
                assert depth >= 0
            assert depth == 0
            assert "+ -" not in formula and "_{}" not in formula


@pytest.mark.parametrize("name", LAYERS)
def test_a_note_stands_exactly_where_a_read_can_leave(name):
    """By going through every printed point at the layer's own sizes."""
    d = derive(LAYERS[name])
    for e in (f.equation.at(dict(d.system.sizes)) for f in d.functions):
        tree = build(e, code=True)
        noted = {o.tensor.symbol for o in tree.notes} if isinstance(tree, n.Noted) else set()
        assert noted == {a.tensor.name for t in e.terms for a in reads_outside(e, t)}


def reads_outside(e, t):
    moving = frozenset((*e.indices, *t.indices))
    axes = [range(x) for x in e.output.extents]
    for v in t.indices:
        (low, high), _ = bounds(v, t, moving)
        axes.append(range(low.constant, high.constant + 1))
    for p in product(*axes):
        values = dict(zip((*e.indices, *t.indices), p, strict=True))
        if all(c.holds(values) for c in t.constraints):
            yield from (f for f in t.factors if not all(c.holds(values) for c in f.in_range()))


def test_names_are_harmless():
    bad = Tensor("x", 4, symbol=r"x\input{a}")
    e = Equation(Tensor("foo_out", 4, axes=("i",))[i], bad[i])
    assert latex(e) == r"{\mathit{foo}_{\mathrm{out}}}_{i} = \mathit{xu5cinputu7bau7d}_{i}"
    assert LATEX(n.Text("50% {of} $x_1$")) == r"\text{50\% \{of\} \$x\_1\$}"
    assert LATEX(n.Symbol("m'")) == "m'" and LATEX(n.Symbol("alpha")) == r"\alpha"


def test_affine_order():
    assert TEXT(affine(2 * i + j - 1, "ij")) == "2i + j - 1"
    assert TEXT(affine(4 - j, "ij")) == "4 - j"
    assert TEXT(affine(-1 * j, "j")) == "-j"
    assert TEXT(affine(i - i, "ij")) == "0"


def test_term_ids():
    assert n.Element("w", (n.Number(3),), "w").term == "w_3"
    assert n.Element("x", (n.Number(1), n.Number(2))).term == "x_1_2"
    assert n.Element("x", (n.Symbol("i"),)).term == "x"
    delta = build(derive(Conv(5, 3)).grad["w"]).items[1].body.factors[0]
    assert (delta.symbol, delta.role) == ("delta", "delta")


def test_tables_are_complete():
    with pytest.raises(AssertionError, match="no rule for"):
        Printer({n.Number: lambda a, show: str(a.value)})
