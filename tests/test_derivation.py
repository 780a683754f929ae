"""Derivations: order of results, provable steps, and the expanded form against the indexed one."""

import time
from itertools import pairwise

import pytest

from symconv import Conv, Dense, Equation, Tensor, derive, indices
from symconv.calculus import inline
from symconv.decide.prover import prove_equal
from symconv.derivation import Derivation
from symconv.equation import Term
from symconv.errors import LimitExceeded, NotSupported, ShapeError, SymconvError, ValidationError
from symconv.expand import element, expand, expanded_gradient
from symconv.points import points
from symconv.steps import REASONS

i, j = indices("i j")
HAND = Equation(Tensor("y", 5)[i], Tensor("w", 3)[j] * Tensor("x", 20)[3 * i - 2 * j + 4])
SQUARE = Equation(Tensor("y", 5)[i], Tensor("w", 3)[j] * Tensor("x", 20)[i + j] * Tensor("x", 20)[i])
SMALL = {
    "notes": Conv(5, 3), "flip": Conv(5, 3, flip=True), "stride": Conv(9, 3, stride=2, padding=1),
    "both": Conv(12, 3, stride=2, dilation=3), "transposed": Conv(4, 3, stride=2, padding=1, transposed=True),
    "channels": Conv((4, 5), (3, 2), channels=2, filters=2, batch=2, stride=2, padding=1, bias=True),
    "grouped": Conv((3, 3), (2, 2), channels=4, filters=4, groups=2), "dense": Dense(4, 3, 2, True, "sigma"),
    "relu": Conv((4, 4), (2, 2), activation="relu", bias=True), "hand": HAND, "square": SQUARE,
}


@pytest.fixture(scope="module", params=SMALL)
def derivation(request):
    return derive(SMALL[request.param])


def test_order():
    d = derive(Conv((8, 8), (3, 3), bias=True, activation="relu"))
    assert list(d.grad) == ["x", "w", "b", "z"]
    assert [f.name for f in d.functions] == ["forward", "activate", "grad_z", "grad_x", "grad_w", "grad_b"]


def test_every_step_is_provable(derivation):
    for steps in derivation.steps.values():
        for s in steps:
            before, after = s.before, s.after
            if s.jacobian is not None:
                before = inline(before, s.jacobian)
                after = inline(after, s.jacobian) if s.reason == "chain rule" else after
            assert s.reason in REASONS
            assert prove_equal(before, after).proved, str(s)


def test_steps_follow_one_another(derivation):
    for name, equation in derivation.grad.items():
        steps = derivation.steps[name]
        assert [s.reason for s in steps[:2]] == ["definition", "chain rule"]
        assert all(a.after == b.before for a, b in pairwise(steps[1:]))
        assert steps[-1].after == equation


def test_steps_read_like_a_lecture():
    steps = derive(Conv(5, 3)).steps
    assert [s.reason for s in steps["x"]] == ["definition", "chain rule", "linearity", "delta elimination",
                                              "domain", "name"]
    assert [s.text() for s in steps["x"]][1:4] == [
        "dL/dx_m = sum_{i=1}^{o} delta_i do_i/dx_m",
        "dL/dx_m = sum_{i=1}^{o} sum_{j=1}^{k} delta_i w_j [i + j - 1 = m]",
        "dL/dx_m = sum_{j=1}^{k} delta_{m-j+1} w_j"]
    assert "i = m - j + 1" in steps["x"][3].statement
    assert str(steps["x"][-1]) == "name: This is the full correlation of delta with the flipped kernel w."
    assert steps["forward"][1].reason == "domain" and steps["forward"][1].statement.startswith("o = ")
    assert r"\frac{\partial o_{i}}{\partial x_{m}}" in steps["x"][1].latex()


def test_pointwise_and_remaining_condition():
    d = derive(Dense(4, 3, activation="sigma"))
    assert "pointwise" in [s.reason for s in d.steps["z"]]
    both = derive(Conv(20, 3, stride=2, dilation=4))
    said = [s.statement for s in both.steps["x"] if s.reason == "domain"]
    assert any("2i + 4j" in s and "where 2 does not divide, the result is zero" in s for s in said)


def test_expanded_agrees_with_indexed(derivation):
    assert derivation.check_expanded() == sum(len(derivation.expanded(n)) for n in derivation.grad)


def test_a_wrong_gradient_is_caught():
    d = derive(Conv(5, 3))
    g = d.grad["x"]
    delta, w = g.terms[0].factors
    wrong = Equation(g.left, Term((delta.tensor[delta.indices[0] + 1], w)), g.context)
    with pytest.raises(ValidationError, match=r"dL/dx\[1\]"):
        Derivation(d.system, {"x": wrong}, d.proofs).check_expanded()


def test_notes_example():
    d = derive(Conv(5, 3))
    assert str(d.expanded("x")[(3,)]) == "delta_1*w_3 + delta_2*w_2 + delta_3*w_1"
    assert element(d, "x[3]").text() == ("dL/dx_3 = sum_{j=1}^{3} delta_{4-j} w_j\n"
                                         "dL/dx_3 = delta_1 w_3 + delta_2 w_2 + delta_3 w_1")
    assert element(d, "x[2]", base=0).text().splitlines()[1] == (
        "dL/dx_2 = delta_0 w_2 + delta_1 w_1 + delta_2 w_0")
    assert element(d, "x[1]").text().splitlines()[0].endswith("(delta zero outside 1..3)")
    assert str(expand(d.forward.at(dict(d.system.sizes)))[(1,)]) == "w_1*x_1 + w_2*x_2 + w_3*x_3"


def test_squares_and_functions():
    assert str(expanded_gradient(SQUARE, "x")[(1,)]) == "2*dL/dy_1*w_1*x_1 + dL/dy_1*w_2*x_2 + dL/dy_1*w_3*x_3"
    d = derive(Dense(4, 3, activation="sigma"))
    assert element(d, "z[2]").text().splitlines()[1] == "delta_2 = dL/dh_2 sigma'(z_2)"
    assert element(d, "W[2, 3]").text().splitlines()[1] == "dL/dW_{2,3} = delta_2 x_3"


@pytest.mark.parametrize("which, error, words", [
    ("x[1,2]", ShapeError, "needs 1 index"), ("x", ShapeError, "0 given"), ("x[6]", ShapeError, r"outside 1\.\.5"),
    ("x[0]", ShapeError, r"outside 1\.\.5"), ("v[1]", NotSupported, "known: x, w"), ("x[", NotSupported, r"x\[3\]"),
    ("x[1];import os", NotSupported, "expected"),
])
def test_element_errors(which, error, words):
    with pytest.raises(error, match=words) as caught:
        element(derive(Conv(5, 3)), which)
    assert isinstance(caught.value, SymconvError)


def test_limits_come_before_the_work():
    d = derive(Conv((224, 224), (7, 7), channels=3, filters=64, stride=2, padding=3, batch=32))
    start = time.process_time()
    with pytest.raises(LimitExceeded, match="200000"):
        d.expanded("x")
    assert time.process_time() - start < 5
    assert element(d, "x[1,1,100,100]").terms in range(64 * 9, 64 * 16 + 1)


def test_28_by_28_takes_seconds():
    d = derive(Conv((28, 28), (3, 3)))
    start = time.process_time()
    assert len(d.expanded("x")) + len(d.expanded("w")) == 793
    assert time.process_time() - start < 10  # 2.3 s on the machine this was written on


def test_large_layers_derive_quickly():
    layer = Conv((224, 224), (7, 7), channels=3, filters=64, batch=256, stride=2, padding=3, bias=True,
                 activation="relu")
    assert derive(Conv(5, 3)).steps
    start = time.process_time()
    d = derive(layer)
    assert d.names and d.steps and all(v.proved for v in d.proofs.values())
    assert time.process_time() - start < 2  # 0.2 s


def test_points_are_the_integer_points():
    from itertools import product

    from symconv import at_least, equal
    rules = [at_least(2 * i + 3 * j, 1), at_least(9, i + j), at_least(i, 0), at_least(j, -2), at_least(5, i),
             equal(i, 2 * j + "k")]
    rules += [at_least("k", -1), at_least(3, "k")]
    names = ("i", "j", "k")
    expected = [p for p in product(range(-9, 10), repeat=3)
                if all(c.holds(dict(zip(names, p, strict=True))) for c in rules)]
    assert list(points(names, rules)) == expected


def test_derivations_show_themselves_in_notebooks():
    d = derive(Conv(5, 3, bias=True))
    assert d._repr_latex_().count(" &= ") == 4 and "\\delta_{m-j+1} w_{j}" in d._repr_latex_()
    shown = d._repr_html_()
    assert shown.count("<math") == 4 and shown.count("proved for all sizes") == 3 and "cross-correlation" in shown
