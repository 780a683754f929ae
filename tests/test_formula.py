"""Formulas as inputs: what they mean is checked against loops written by hand in the author's coordinates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

import symconv
from symconv import Formula, derive
from symconv.batch import Request, emit_many
from symconv.cli import console, main
from symconv.emit import emit
from symconv.errors import NotSupported, ShapeError
from symconv.formula_reading import FormulaError
from symconv.identifiers import TAKEN, identifiers
from symconv.notation.printers import latex, text
from symconv.options import layer_from_table
from symconv.reference import forward, gradients
from symconv.system import as_system
from symconv.validate import validate

Array = np.ndarray[Any, Any]


class At:
    """An array read as its author indexes it: from `low` on, zero outside."""

    def __init__(self, array: Array, *low: int) -> None:
        self.array, self.low = array, low

    def __call__(self, *index: int) -> int:
        at = tuple(i - low for i, low in zip(index, self.low, strict=True))
        inside = all(0 <= i < n for i, n in zip(at, self.array.shape, strict=True))
        return int(self.array[at]) if inside else 0


def tabulated(value: Callable[..., int], *ranges: range) -> Array:
    """The values at every point of the ranges."""
    found = np.zeros([len(r) for r in ranges], np.int64)
    for at in np.ndindex(*found.shape):
        found[at] = value(*(r[i] for r, i in zip(ranges, at, strict=True)))
    return found


def relu(v: int) -> int:
    return max(v, 0)


# name: (formulas, sizes, first index of each input and of the output, the result written out as loops)
CASES: dict[str, tuple[tuple[str, ...], dict[str, int], Mapping[str, tuple[int, ...]], Callable[..., Array]]] = {
    "1-D": ((r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}",), {"n": 9, "k": 3}, {"w": (1,), "x": (1,)},
            lambda w, x: tabulated(lambda i: sum(w(j) * x(i + j - 1) for j in range(1, 4)), range(1, 8))),
    "2-D": ((r"O_{m,n} = \sum_{p}\sum_{q} K_{p,q} x_{m+p,n+q}",), {"k_1": 2, "k_2": 3, "n_1": 5, "n_2": 6},
            {"K": (0, 0), "x": (0, 0)},
            lambda K, x: tabulated(lambda m, n: sum(K(p, q) * x(m + p, n + q) for p in range(2) for q in range(3)),
                                   range(4), range(4))),
    "stride 2": ((r"y_i = \sum_{j=0}^{k-1} w_j x_{2i+j}",), {"k": 3, "n": 10}, {"w": (0,), "x": (0,)},
                 lambda w, x: tabulated(lambda i: sum(w(j) * x(2 * i + j) for j in range(3)), range(4))),
    "named stride and dilation": (
        (r"y_i = \sum_{j=0}^{k-1} w_j x_{s i + d j}",), {"k": 3, "n": 12, "s": 3, "d": 2}, {"w": (0,), "x": (0,)},
        lambda w, x: tabulated(lambda i: sum(w(j) * x(3 * i + 2 * j) for j in range(3)), range(3))),
    "dilation": ((r"y_i = \sum_{j=1}^{k} w_j x_{i+2(j-1)}",), {"k": 3, "n": 9}, {"w": (1,), "x": (1,)},
                 lambda w, x: tabulated(lambda i: sum(w(j) * x(i + 2 * j - 2) for j in range(1, 4)), range(1, 6))),
    "padding": ((r"y_i = \sum_{j=1}^{k} w_j x_{i+j-p-1}",), {"k": 3, "n": 5, "p": 1}, {"w": (1,), "x": (1,)},
                lambda w, x: tabulated(lambda i: sum(w(j) * x(i + j - 2) for j in range(1, 4)), range(1, 6))),
    "channels, bias and batch": (
        (r"y_{b,f,i} = \sum_{c=1}^{C} \sum_{j=1}^{k} w_{f,c,j} x_{b,c,i+j-1} + \beta_f",),
        {"C": 2, "k": 2, "n_f": 3, "n_b": 2, "n": 5}, {"w": (1, 1, 1), "x": (1, 1, 1), "beta": (1,)},
        lambda w, x, beta: tabulated(lambda b, f, i: beta(f) + sum(
            w(f, c, j) * x(b, c, i + j - 1) for c in (1, 2) for j in (1, 2)), range(1, 3), range(1, 4), range(1, 5))),
    "dense": ((r"h_i = \mathrm{ReLU}\left(\sum_j W_{ij} x_j + b_i\right)",), {"n_i": 3, "n_j": 4},
              {"W": (1, 1), "x": (1,), "b": (1,)},
              lambda W, x, b: tabulated(lambda i: relu(b(i) + sum(W(i, j) * x(j) for j in range(1, 5))), range(1, 4))),
    "a gate whose letter the inner sum could have had": (
        (r"h_i = \mathrm{ReLU}\left(\sum_j W_{ij} x_j\right) z_i",), {"n_i": 3, "n_j": 4},
        {"W": (1, 1), "x": (1,), "z": (1,)},
        lambda W, x, z: tabulated(lambda i: relu(sum(W(i, j) * x(j) for j in range(1, 5))) * z(i), range(1, 4))),
    "locally connected": ((r"y_i = \sum_{j=1}^{k} w_{i,j} x_{i+j-1}",), {"n": 6, "k": 3}, {"w": (1, 1), "x": (1,)},
                          lambda w, x: tabulated(lambda i: sum(w(i, j) * x(i + j - 1) for j in range(1, 4)),
                                                 range(1, 5))),
    "a signal with itself": (("x: n", r"r_k = \sum_{i=1}^{n-k} x_i x_{i+k}, \quad k = 0, \dots, m"),
                             {"n": 6, "m": 3}, {"x": (1,)},
                             lambda x: tabulated(lambda k: sum(x(i) * x(i + k) for i in range(1, 7 - k)), range(4))),
    "a signal with itself, zero outside": (
        (r"r_k = \sum_{i=1}^{n} x_i x_{i+k}, \quad -m \le k \le m",), {"n": 5, "m": 2}, {"x": (1,)},
        lambda x: tabulated(lambda k: sum(x(i) * x(i + k) for i in range(1, 6)), range(-2, 3))),
    "transposed": ((r"y_m = \sum_i x_i w_{m-2i}",), {"n_x": 4, "n_w": 3}, {"x": (0,), "w": (0,)},
                   lambda x, w: tabulated(lambda m: sum(x(i) * w(m - 2 * i) for i in range(4)), range(9))),
    "true convolution": ((r"y_i = \sum_{j=1}^{k} w_j x_{i-j+1}",), {"k": 3, "n_x": 5}, {"w": (1,), "x": (1,)},
                         lambda w, x: tabulated(lambda i: sum(w(j) * x(i - j + 1) for j in range(1, 4)), range(1, 8))),
    "centred": ((r"y_i = \sum_{j=-p}^{p} w_j x_{i+j}",), {"p": 1, "n": 6}, {"w": (-1,), "x": (1,)},
                lambda w, x: tabulated(lambda i: sum(w(j) * x(i + j) for j in (-1, 0, 1)), range(2, 6))),
    "circular": ((r"y_i = \sum_{j=0}^{k-1} w_j x_{(i+j) \bmod n}",), {"k": 3, "n": 5}, {"w": (0,), "x": (0,)},
                 lambda w, x: tabulated(lambda i: sum(w(j) * x((i + j) % 5) for j in range(3)), range(5))),
    "stated range": ((r"y_i = \sum_{j=1}^{3} w_j x_{2i+j-2}, \quad i = 1, \dots, 4",), {}, {"w": (1,), "x": (1,)},
                     lambda w, x: tabulated(lambda i: sum(w(j) * x(2 * i + j - 2) for j in range(1, 4)), range(1, 5))),
    "functions and brackets": ((r"y(i,j) = \sum_m \sum_n I(i+m, j+n) K(m,n)",),
                               {"k_1": 2, "k_2": 2, "n_1": 4, "n_2": 3}, {"I": (0, 0), "K": (0, 0)},
                               lambda I, K: tabulated(lambda i, j: sum(
                                   I(i + m, j + n) * K(m, n) for m in (0, 1) for n in (0, 1)), range(3), range(2))),
    "a scalar result": ((r"L = \sum_i (y_i - t_i)^2",), {"n_i": 4}, {"y": (1,), "t": (1,)},
                        lambda y, t: np.asarray(sum((y(i) - t(i)) ** 2 for i in range(1, 5)))),
    "a system": ((r"z_i = \sum_{j=1}^{k} w_j x_{i+j-1} + b \\ h_i = \mathrm{relu}(z_i)",), {"n": 7, "k": 2},
                 {"w": (1,), "x": (1,), "b": ()},
                 lambda w, x, b: tabulated(lambda i: relu(b() + sum(w(j) * x(i + j - 1) for j in (1, 2))),
                                           range(1, 7))),
    "a network, last layer first": (
        (r"y_i = \sum_j B_{ij} v_j + c_i", r"v_i = \mathrm{relu}(u_i)", r"u_i = \sum_j A_{ij} x_j"),
        {"n_i_1": 3, "n_j": 4, "n_i_2": 2}, {"B": (1, 1), "A": (1, 1), "x": (1,), "c": (1,)},
        lambda B, A, x, c: tabulated(lambda i: c(i) + sum(B(i, j) * relu(sum(A(j, m) * x(m) for m in range(1, 5)))
                                                          for j in range(1, 4)), range(1, 3))),
    "gated": ((r"u_i = \sum_{j} w_j x_{i+j} \\ h_i = \mathrm{relu}(u_i) g_i",), {"k": 2, "n": 5},
              {"w": (0,), "x": (0,), "g": (0,)},
              lambda w, x, g: tabulated(lambda i: relu(sum(w(j) * x(i + j) for j in (0, 1))) * g(i), range(4))),
    "numbers in the text": ((r"k = 3 \\ y_i = 2 \sum_{j=1}^{k} w_j x_{i+j-1} - 3 \beta",), {"n": 6},
                            {"w": (1,), "x": (1,), "beta": ()},
                            lambda w, x, beta: tabulated(lambda i: 2 * sum(w(j) * x(i + j - 1) for j in (1, 2, 3))
                                                         - 3 * beta(), range(1, 5))),
}


def drawn(formula: Formula, seed: int = 0) -> dict[str, Array]:
    rng = np.random.default_rng(seed)
    return {t.name: rng.integers(-5, 6, t.array_shape) for t in formula.system().concrete().inputs}


@pytest.mark.parametrize("name", CASES)
def test_the_equations_mean_what_the_author_wrote(name: str):
    latex, sizes, lows, loops = CASES[name]
    formula = Formula(latex, sizes)
    arrays = drawn(formula)
    assert set(arrays) == set(lows)
    system = formula.system().concrete()
    expected = loops(**{v: At(a, *lows[v]) for v, a in arrays.items()})
    found = forward(system, arrays)[system.output.name]
    assert found.shape == expected.shape
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("name", [n for n, case in CASES.items() if "relu" not in "".join(case[0]).lower()])
def test_gradients_are_the_finite_differences_of_the_loops(name: str):
    """Central differences of a polynomial are exact up to degree two."""
    latex, sizes, lows, loops = CASES[name]
    formula = Formula(latex, sizes)
    arrays = drawn(formula, 1)
    system = formula.system().concrete()
    upstream = np.random.default_rng(2).integers(-5, 6, system.output.array_shape)
    found = gradients(system, arrays, upstream)

    def loss(moved: Mapping[str, Array]) -> int:
        return int(np.sum(upstream * loops(**{v: At(a, *lows[v]) for v, a in moved.items()})))

    for v, a in arrays.items():
        for at in list(np.ndindex(*a.shape))[:12]:
            step = np.zeros_like(a)
            step[at] = 1
            assert loss({**arrays, v: a + step}) - loss({**arrays, v: a - step}) == 2 * found[v][at], (v, at)


@pytest.mark.parametrize("name", CASES)
def test_kernels_are_validated_exactly_in_both_targets(name: str):
    latex, sizes, _, _ = CASES[name]
    package = emit(Formula(latex, sizes))
    evidence = validate(package)
    evidence.require()
    for f in package.functions:
        assert evidence.of(f.name, "numpy")
        assert evidence.not_run or evidence.of(f.name, "c")


@pytest.mark.parametrize("name", [n for n in CASES if n not in ("circular",)])
def test_gradients_are_proved_for_all_sizes(name: str):
    d = derive(Formula(CASES[name][0]))
    assert d.proofs and all(p.proved for p in d.proofs.values())


def test_arguments_come_in_the_order_of_the_right_hand_side():
    d = derive(Formula(r"y_i = \sum_j u_j t_{i+j} + \mathrm{relu}(\sum_j c_j a_{i+j}) + b_i"))
    assert [t.name for t in d.system.inputs] == ["u", "t", "c", "a", "b"]


def test_printed_formulas_keep_the_symbols_of_the_author():
    f = Formula(r"z^{(l)}_i = \sum_{\alpha} w^{(l)}_\alpha \hat{x}_{i+\alpha} + \text{bias}")
    d = derive(f)
    assert text(d.forward, f.base) == \
        "z^{(l)}_i = sum_{alpha=0}^{k-1} w^{(l)}_{alpha} hat(x)_{i+alpha} + bias"
    assert text(d.grad["w_l"], f.base) == "dL/dw^{(l)}_{alpha} = sum_{i=0}^{n-k} dL/dz^{(l)}_i hat(x)_{alpha+i}"
    assert [t.name for t in d.system.inputs] == ["w_l", "x_hat", "bias"]


def test_the_letter_for_the_upstream_gradient_is_kept():
    f = Formula(r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1} \\ \delta_i = \frac{\partial L}{\partial o_i}")
    assert text(derive(f).grad["w"], f.base) == "dL/dw_j = sum_{i=1}^{n-k+1} delta_i x_{j+i-1}"


def test_the_base_is_that_of_the_author():
    assert Formula(r"o_i = \sum_{j=0}^{k-1} w_j x_{i+j}").base == 0
    assert Formula(r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}").base == 1


NAMES = ["w^l", "w_l", "w^l+1", "w^l-1", "hat x", "x hat", "x_hat", "x'", "x''", "x_prime", "lambda", "o", "y", "dy",
         "ddy", "int", "for", "np", "range", "입력", "é", "w^1", "w_1", "1", "_", "__", "'", "Input", "x,y", "x y",
         "e f", "a" * 80, "a" * 79, "w_in,out", "do", "NULL", "sum", "K_H", "K^H", "relu"]


def test_names_become_identifiers_one_to_one():
    table = identifiers(NAMES)
    found = list(table.values())
    assert len(set(found)) == len(NAMES)
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,61}", v) and v not in TAKEN for v in found)
    assert all(f"d{v}" not in TAKEN and f"d{v}" not in found for v in found)
    assert [table[v] for v in ("w^l", "hat x", "x'", "lambda", "o", "y")] == \
        ["w_l", "x_hat", "x_prime", "lambda_", "o_", "y"]
    assert identifiers(["x_prime", "x'"]) == {"x_prime": "x_prime", "x'": "x_prime_"}


@pytest.mark.parametrize("latex", [
    r"\mathrm{Out}_i = \sum_j \text{int}_j \text{range}_{i+j}", r"o_i = \sum_j \lambda_j \delta_{i+j}",
    r"y_i = \sum_j x'_j x_{i+j} + \hat{x}_i", r"O_i = \sum_m K_m \text{Input}_{i+m}",
    r"o_i = x_{\lfloor i/2 \rfloor}",
    r"\mathbf{y}_i = \sum_j \mathbf{W}_{i,j} \mathbf{x}_j", r"y_i = \sum_j w_{\text{in},j} w_{\text{out},i+j}"])
def test_odd_names_make_kernels_that_pass(latex: str):
    sizes = {v: 5 if v.startswith("n") else 2 for v in re.findall(r"--size (\S+)=", Formula(latex).needs)}
    validate(emit(Formula(latex, sizes))).require()


@pytest.mark.parametrize(("latex", "sizes"), [
    # a size of one formula bears the name an index has, or would get, in another
    ((r"u_m = \sum_j w_j x_{m+j}", r"y_i = \sum_{j=0}^{m-1} v_j u_{i+j}"), {"k": 2, "n": 8, "m": 3}),
    ((r"r_k = \sum_{i=1}^{n} x_i x_{i+k}, \quad k = 0, \dots, 2", r"y_i = \sum_{j=0}^{m-1} v_j r_{i+j}"),
     {"n": 5, "m": 2}),
    ((r"y_i = \sum_{j=0}^{k-1} w_j x_{(i+j+j') \bmod n}",), {"k": 2, "n": 5, "j'": 2}),
    ((r"y_i = \sum_{j=0}^{m'-1} w_j x_{i+j}",), {"n": 6, "m'": 3})])
def test_no_index_takes_the_name_of_a_size(latex: tuple[str, ...], sizes: dict[str, int]):
    validate(emit(Formula(latex, sizes))).require()


def test_missing_sizes_are_named():
    f = Formula(r"o_i = \sum_{j=1}^{k} w_j x_{2i+j-2}", {"k": 3})
    assert f.needs == "the formula needs n (the length of x); give --size n=28"
    with pytest.raises(ShapeError, match=re.escape(f.needs)):
        emit(f)
    assert derive(f).proofs["w"].proved
    assert dict(Formula(f.latex, {"k": 3, "n": 10}).system().sizes) == {"k": 3, "n": 10, "O": 4}


@pytest.mark.parametrize(("sizes", "message"), [
    ({"q": 3}, "has no size 'q'; its sizes: k (the length of w), n (the length of x)"),
    ({"n": 2, "k": 3}, "o would have n - k + 1 = 0 elements"), ({"n": 0}, "n must be a whole number from 1 on"),
    ({"n": 2.5}, "whole number"), ({"n": True}, "whole number")])
def test_sizes_that_make_no_formula(sizes: dict[str, int], message: str):
    with pytest.raises(ShapeError, match=re.escape(message)):
        Formula(r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}", sizes)


@pytest.mark.parametrize(("latex", "message", "under"), [
    (r"h_i = \sigma(\sum_{j=1}^{k} V_j x_{i+j-1", "brace", "{i+j-1"),
    (r"o_i = \sum_j w_j x_{i+e}", "the index e is declared nowhere", "e}"),
    (r"o_{i,m} = \sum_j w_j x_{i+j}", "m", ""),
    (r"y_i = y_{i-1} + x_i", "defined through itself", "y_i"),
    (r"y_i = x_i \\ y_i = 2 x_i", "defined twice", "y_i = 2"),
    (r"y_i = x_i \\ t_i = 2 x_i", "does not depend on it", ""),
    (r"r_k = \sum_i x_i x_{i+k}", "only one value of k", "r_k"),
    (r"r_k = \sum_{i=1}^{n-k} x_i x_{i+k}, \quad 0 \le k \le m", "depend", ""),
    (r"o_i = \sum_j w_j x_{i+j}, \quad i \ge 3", "no range of one index", ""),
    (r"\frac{\partial L}{\partial w_j} = x_j", "no formula defines a tensor", ""),
    (r"y_{f,i} = \sum_{c=1}^{C} \sum_{j=1}^{k} w_{f,cj,} x_{c,i+j-1}", "the product of c and j", ""),
    (r"a + b", "defines no tensor", "a + b"),
    (r"k = 3", "no formula defines a tensor", ""), ("", "no formula defines a tensor", ""),
    (r"o_i = \sum_j w_j x_{i+j} = y_i", "defines no tensor", "o_i"),
    (r"h_i = \sigma(\sigma(x_i))", "function of a function", "")])
def test_what_cannot_be_understood_says_where(latex: str, message: str, under: str):
    with pytest.raises(FormulaError, match=re.escape(message)) as caught:
        Formula(latex)
    lines = str(caught.value).splitlines()
    if under:
        assert lines[-1].strip() == "^"
        assert lines[-2][lines[-1].index("^"):].startswith(under)


@pytest.mark.parametrize(("latex", "sizes"), [(3, {}), ([], {}), ([3], {}), ("y_i = x_i", 3), ("y_i = x_i", {3: 3})])
def test_what_is_no_formula_at_all(latex: Any, sizes: Any):
    with pytest.raises((NotSupported, ShapeError)):
        Formula(latex, sizes)


def test_functions_without_a_rule_stay_out_of_kernels():
    with pytest.raises(NotSupported, match="sigma is a name without a rule"):
        emit(Formula(r"h_i = \sigma(\sum_j w_j x_{i+j})", {"k": 2, "n": 5}))
    with pytest.raises(NotSupported, match="unknown pointwise function 'phi'"):
        as_system(Formula(r"h_i = \phi(\sum_j w_j x_{i+j})"))


def test_build_calls_the_kernels():
    k = symconv.build(Formula(r"h_i = \mathrm{relu}(\sum_{j=1}^{k} V_j x_{i+j-1})", sizes={"n": 6, "k": 3}), "numpy")
    v, x = np.array([1, -2, 3], np.float32), np.arange(6, dtype=np.float32)
    h, z = k.forward(v, x, return_z=True)
    assert np.array_equal(z, np.convolve(x, v[::-1], "valid"))
    assert np.array_equal(h, np.maximum(z, 0))
    assert np.array_equal(k.grad_V(x, np.ones(4, np.float32), z), np.correlate(x, (z > 0).astype(np.float32), "valid"))


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


FORMULA = r"h_i = \tanh(\sum_{j=1}^{k} V_j x_{i+j-1})"


def test_the_command_line_derives():
    code, out = run("derive", "--formula", r"h_i = \sigma(\sum_{j=1}^{k} V_j x_{i+j-1})", "--no-steps")
    assert code == 0
    assert "z_i = sum_{j=1}^{k} V_j x_{i+j-1}\nh_i = sigma(z_i)\n" in out
    assert "dL/dV_j = sum_{i=1}^{n-k+1} dL/dz_i x_{j+i-1}" in out
    assert out.count("proved for all sizes") == 3
    code, out = run("derive", "--formula", r"o_i = \sum_{j=0}^{k-1} w_j x_{i+j}", "--format", "json")
    assert json.loads(out)["base"] == 0
    code, out = run("derive", "--formula", FORMULA, "--size", "n=4", "--size", "k=2", "--wrt", "x[3]")
    assert (code, "dL/dz_2 V_2 + dL/dz_3 V_1" in out or "dL/dz_3 V_1 + dL/dz_2 V_2" in out) == (0, True), out


def test_the_command_line_emits(tmp_path: Path):
    code, out = run("emit", "--formula", FORMULA, "--size", "n=28", "--size", "k=3", "--out", str(tmp_path))
    assert code == 0, out
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".c", ".h", ".json", ".py"]
    source = next(tmp_path.glob("*.c")).read_text()
    assert re.search(r"_forward\(\n    const float \*restrict V, .*\n    const float \*restrict x, ", source)
    assert "--size n=28 --size k=3" in source


@pytest.mark.parametrize(("arguments", "message"), [
    (["--formula", FORMULA], "needs k (the length of V) and n (the length of x); give --size k=3 --size n=28"),
    (["--formula", FORMULA, "--size", "n"], "--size takes a name and a number"),
    (["--formula", FORMULA, "--size", "n=3", "--size", "n=4"], "two numbers"),
    (["--formula", FORMULA, "--input", "5"], "--formula does not go with --input"),
    (["--size", "n=3"], "--size gives a size of a --formula")])
def test_the_command_line_says_what_is_wrong(arguments: list[str], message: str):
    code, out = run("emit", *arguments)
    assert code == 2
    assert message in out


def test_batches_take_formulas(tmp_path: Path):
    tables = [{"formula": FORMULA, "sizes": {"n": 9, "k": 3}},
              {"formula": [r"z_i = \sum_j W_{ij} x_j", r"h_i = \mathrm{relu}(z_i)"], "sizes": {"n_i": 2, "n_j": 3}}]
    assert emit_many(console(), tables, layer_from_table, Request(("numpy",), "float32", False, tmp_path)) == 0
    assert len(list(tmp_path.glob("*.py"))) == 2
    with pytest.raises(ShapeError, match="unknown argument 'size' beside a formula"):
        layer_from_table({"formula": FORMULA, "size": {}})


def test_names_of_files_tell_formulas_apart():
    first, second = Formula(FORMULA, {"n": 9, "k": 3}).system(), Formula(FORMULA, {"n": 8, "k": 3}).system()
    assert first.name != second.name
    assert first.name.startswith("formula_h_n9_k3_")
    assert first.command == f"--formula '{FORMULA}' --size n=9 --size k=3"


SKIP = (r"y_i = \sum_j B_{ij} v_j + x_i", r"v_i = \mathrm{relu}(u_i)", r"u_i = \sum_j A_{ij} x_j")


def test_a_tensor_read_by_two_equations():
    f = Formula(SKIP, {"n_i": 3, "n_j": 4})
    validate(emit(f)).require()
    s = f.system().concrete()
    rng = np.random.default_rng(0)
    arrays = {t.name: rng.integers(-5, 6, t.array_shape) for t in s.inputs}
    dy = rng.integers(-5, 6, s.output.array_shape)
    for target in ("c", "numpy"):
        k = symconv.build(f, target, "float64")
        a = {n: v.astype(float) for n, v in arrays.items()}
        y, u, v = k.forward(*(a[t.name] for t in s.inputs), return_z=True)
        assert np.array_equal(y, forward(s, arrays)["y"])
        found = gradients(s, arrays, dy)
        have = {**a, "dy": dy.astype(float), "u": u, "v": v}
        for g in k.package.functions:
            if g.proof:
                takes = k.takes(g)
                assert np.array_equal(getattr(k, g.name)(*(have[t.name] for t in takes)), found[g.name[5:]]), g.name


def test_mean_pooling():
    validate(emit(Formula(r"y_i = \frac{1}{k} \sum_{j=1}^{k} x_{i+j-1}", {"n": 9, "k": 3}))).require()


def test_latex_keeps_the_symbols():
    f = Formula(r"z^{(l)}_i = \sum_j w^{(l)}_j \hat{x}_{i+j} + a^{(l-1)}_i")
    shown = latex(derive(f).forward, f.base)
    assert shown == r"z^{(l)}_{i} = \sum_{j=0}^{k-1} w^{(l)}_{j} \hat{x}_{i+j} + a^{(l-1)}_{i}"


def test_command_can_be_run_again():
    p = emit(Formula(r"h_i = \tanh(\sum_{j=1}^{k} V_j x_{i+j-1})", {"n": 9, "k": 3}))
    source = next(t for n, t in p.files.items() if n.endswith(".c"))
    assert r"--formula 'h_i = \tanh(\sum_{j=1}^{k} V_j x_{i+j-1})'" in source
