"""Decisions on textbook claims: what is proved, under which condition, and what is refuted."""

from __future__ import annotations

import sys
import time
from fractions import Fraction

import pytest

from symconv import Tensor, indices
from symconv.affine import Affine, Constraint, at_least, equal, inside
from symconv.calculus import gradient, transpose
from symconv.decide import decide as module
from symconv.decide import isl
from symconv.decide.conditions import Atom, Formula, comparison, fitting, positive_first
from symconv.decide.decide import decide
from symconv.decide.decision import Decision, EngineDisagreement
from symconv.decide.prover import prove_equal
from symconv.decide.verdict import PROVED
from symconv.equation import Access, Context, Equation, Signal, Term, as_term
from symconv.errors import ShapeError
from symconv.layer import Conv

a, b, i, j, l, m, q, r, t = indices("a b i j l m q r t")
n, k, o, s, d, p = indices("n k o s d p")
w, x, dy, y = Tensor("w", k), Tensor("x", n), Tensor("dy", o), Tensor("y", o)
dx, dw, S = Tensor("dx", n), Tensor("dw", k), Tensor("S")
f, g, h, u = (Signal(name, 1) for name in "fghu")
f2, g2, h2, u2 = (Signal(name, 2) for name in "fghu")


def sizes(*names: str, stride: int | Affine = 1, dilation: int | Affine = 1, pad: int | Affine = 0) -> Context:
    """n, k, o and those named, o the number of windows that fit."""
    room = n + 2 * Affine.of(pad) - Affine.of(dilation) * (k - 1) - 1 - Affine.of(stride) * (o - 1)
    least = [at_least(v, 0 if v == "p" else 1) for v in ("n", "k", *names, "o")]
    return Context(("n", "k", *names, "o"), (*least, at_least(room, 0), at_least(Affine.of(stride) - 1, room)))


VALID, STRIDE2 = sizes(), sizes(stride=2)
PADDED = sizes("p", pad=p)
SYMBOLIC = sizes("s", "d", "p", stride=s, dilation=d, pad=p)


def forward(factors: Access | Term) -> Equation:
    return Equation(y[i], factors, VALID)


def grad_x(context: Context, factors: tuple[Access, ...], *where: Constraint) -> Equation:
    return Equation(dx[m], Term(factors).where(*where), context)


def grad_w(context: Context, factors: tuple[Access, ...], *where: Constraint) -> Equation:
    return Equation(dw[j], Term(factors).where(*where), context)


GX, GX2 = grad_x(VALID, (dy[m - j], w[j])), grad_x(STRIDE2, (dy[i], w[j]), equal(2 * i + j, m))
GXS = grad_x(SYMBOLIC, (dy[i], w[j]), equal(s * i + d * j - p, m))
GWS = grad_w(SYMBOLIC, (dy[i], x[s * i + d * j - p]))
GXU = grad_x(sizes("s", stride=s), (dy[i], w[j]), equal(s * i + j, m))
SQUARE = Context(("n",), (at_least(n, 1),))


def scalar(context: Context, *terms: Term) -> Equation:
    return Equation(S[()], terms, context)


TRUE = {
    "flipped kernel": (GX, grad_x(VALID, (dy[m + j - k + 1], w[k - 1 - j]))),
    "sum over outputs": (GX, grad_x(VALID, (dy[i], w[m - i]))),
    "one element": (scalar(VALID, dy[0] * w[2], dy[1] * w[1], dy[2] * w[0]), scalar(VALID, dy[i] * w[2 - i])),
    "stride 2 by a quotient": (GX2, grad_x(STRIDE2, (dy[t], w[j]), equal(2 * t, m - j))),
    "stride 2 by residues": (GX2, grad_x(STRIDE2, (dy[a - q], w[2 * q + r]), equal(m, 2 * a + r), *inside(r, 2))),
    "stride 2 by two sums": (GX2, Equation(dx[m], [
        Term((dy[a - q], w[2 * q])).where(equal(m, 2 * a)),
        Term((dy[a - q], w[2 * q + 1])).where(equal(m, 2 * a + 1))], STRIDE2)),
    "any stride by a quotient": (GXS, grad_x(SYMBOLIC, (dy[t], w[j]), equal(s * t, m + p - d * j))),
    "any stride, flipped": (GXS, grad_x(SYMBOLIC, (dy[t], w[k - 1 - j]), equal(s * t, m + p - d * (k - 1 - j)))),
    "any stride, bounds stated": (GXS, grad_x(SYMBOLIC, (dy[i], w[j]), equal(s * i + d * j - p, m), *inside(i, o))),
    "any stride, window bounds": (GXS, grad_x(SYMBOLIC, (dy[i], w[j]), equal(s * i + d * j - p, m),
                                              at_least(m + p, s * i), at_least(s * i, m + p - d * (k - 1)))),
    "any stride, dilated delta": (GXS, grad_x(SYMBOLIC, (dy[i], w[j]), equal(s * i + d * j - p, m),
                                              at_least(s * i, 0), at_least(s * (o - 1), s * i))),
    "any stride by residues": (GXU, grad_x(GXU.context, (dy[a - q], w[s * q + r]), equal(m, s * a + r), *inside(r, s))),
    "dL/dw, bounds stated": (GWS, grad_w(SYMBOLIC, (dy[i], x[s * i + d * j - p]), at_least(n - 1 + p, s * i))),
    "dL/dw backwards": (GWS, grad_w(SYMBOLIC, (dy[o - 1 - i], x[s * (o - 1 - i) + d * j - p]))),
    "commutative": (Equation(h[i], f[j] * g[i - j]), Equation(h[i], g[j] * f[i - j])),
    "commutative in the plane": (Equation(h2[i, j], f2[a, b] * g2[i - a, j - b]),
                                 Equation(h2[i, j], g2[a, b] * f2[i - a, j - b])),
    "associative": (Equation(u[i], f[j] * g[l - j] * h[i - l]), Equation(u[i], f[j] * g[l] * h[i - j - l])),
    "associative in the plane": (Equation(u2[i, j], f2[a, b] * g2[l - a, m - b] * h2[i - l, j - m]),
                                 Equation(u2[i, j], f2[a, b] * g2[l, m] * h2[i - a - l, j - b - m])),
    "adjoint": (Equation(S[()], f[j] * g[i - j] * h[i]), Equation(S[()], g[j] * f[i] * h[i + j])),
    "shift": (Equation(u[i], f[j] * g[i - j - t], Context(("t",))),
              Equation(u[i], f[j - t] * g[i - j], Context(("t",)))),
    "square of a sum": (scalar(SQUARE, x[i] * x[j]),
                        scalar(SQUARE, x[i] * x[i], 2 * (x[i] * x[j]).where(at_least(j, i + 1)))),
    "broadcast": (scalar(VALID, dy[i] * w[j]), scalar(VALID, w[i] * dy[j])),
    "repeated": (Equation(dw[a], Term((w[a],), ("j",), inside(j, k)), VALID),
                 Equation(dw[a], Term((w[a],), ("j",), (at_least(j, 1), at_least(k, j))), VALID)),
    "counted": (scalar(SQUARE, Term((), ("i",), inside(i, n))), scalar(SQUARE, Term((), ("j",), inside(j - 1, n)))),
    "twice by two terms": (scalar(SQUARE, Term((x[0],), ("j",), inside(j, 2))), scalar(SQUARE, 2 * as_term(x[0]))),
    "averages": (forward(Fraction(1, 2) * (w[j] * x[i + j])),
                 Equation(y[i], [Fraction(1, 4) * (w[j] * x[i + j])] * 2, VALID)),
    "logistic": (forward(dy[i].apply("sigmoid'") * Term(())),
                 Equation(y[i], [as_term(dy[i].apply("sigmoid")),
                                 -1 * (dy[i].apply("sigmoid") * dy[i].apply("sigmoid"))], VALID)),
    "tanh": (forward(dy[i].apply("tanh'") * Term(())),
             Equation(y[i], [Term((), (), ()), -1 * (dy[i].apply("tanh") * dy[i].apply("tanh"))], VALID)),
    "relu": (forward(dy[i].apply("relu") * Term(())), forward(dy[i] * dy[i].apply("relu'"))),
    "nothing": (Equation(y[i], [], VALID), forward(0 * (w[j] * x[i + j]))),
}


@pytest.mark.parametrize("name", TRUE)
def test_true_for_all_sizes(name: str):
    left, right = TRUE[name]
    for one, other in ((left, right), (right, left)):
        decision = decide(one, other)
        assert decision.kind == "proved" and "enumeration" in decision.engines, decision


LAYERS = [
    Conv(9, 3), Conv(9, 3, padding=1, stride=2), Conv(9, 3, stride=3, dilation=2),
    Conv(9, 2, channels=2, filters=3, batch=2),
    Conv(5, 3, transposed=True, stride=2, bias=True), Conv((7, 6), (3, 2), stride=(2, 1), padding=1),
    Conv((7, 6), (3, 2), channels=4, filters=4, groups=2, batch=2, stride=2, dilation=(1, 2), flip=True),
    Conv((5, 5, 5), (2, 2, 2), channels=4, filters=4, groups=2, batch=2, stride=2, padding=1, bias=True)]


@pytest.mark.parametrize("layer", LAYERS, ids=lambda c: c.name)
def test_gradients_of_layers(layer: Conv):
    forward = layer.system().equations[0]
    for tensor in forward.reads:
        found = gradient(forward, tensor, forward.output.gradient())
        decision = decide(found, transpose(forward, tensor, forward.output.gradient(), found.indices))
        assert decision == Decision("proved", engines=("embedded", "isl", "enumeration"))


CONDITIONAL = {
    "k = 1": (grad_x(VALID, (dy[m + j - k + 1], w[j])), GX),
    "p = 0": (grad_x(PADDED, (dy[i], w[m - i])), grad_x(PADDED, (dy[i], w[m + p - i]))),
    "n = 1": (grad_x(STRIDE2, (dy[t], w[j]), at_least(m - j, 2 * t), at_least(2 * t + 1, m - j)), GX2),
    "2 divides n - k": (scalar(STRIDE2, Term((x[n - 1],))), scalar(STRIDE2, Term((x[2 * o + k - 3],)))),
    "k <= 2": (scalar(VALID, w[0] * Term(()), w[1] * Term(())), scalar(VALID, Term((w[j],)))),
    "k >= 3 and o >= 3": (scalar(VALID, dy[2] * w[2]),
                          scalar(VALID, dy[2] * w[2], Term(()), -1 * Term(()).where(at_least(o, 3), at_least(k, 3)))),
    "o = 1": (grad_w(SYMBOLIC.at({"p": 0}), (dy[o - 1 - i], x[s * i + d * j])),
              grad_w(SYMBOLIC.at({"p": 0}), (dy[i], x[s * i + d * j]))),
    "s = 1 or o = 1": (grad_w(sizes("s", stride=s), (dy[i], x[i + j])),
                       grad_w(sizes("s", stride=s), (dy[i], x[s * i + j]))),
}


@pytest.mark.parametrize("text", CONDITIONAL)
def test_true_exactly_under_a_condition(text: str):
    decision = decide(*CONDITIONAL[text])
    assert decision.kind == "proved_if" and str(decision.condition) == text, decision
    example = decision.counterexample
    assert example is not None and decision.condition is not None
    assert not decision.condition.holds(dict(example.sizes)) and example.claimed != example.actual


def test_false_for_all_sizes():
    decision = decide(forward(2 * (w[j] * x[i + j])), forward(w[j] * x[i + j]))
    assert (decision.kind, decision.condition, decision.reason) == ("refuted", None, "false for all sizes")
    assert decision.counterexample is not None and dict(decision.counterexample.sizes) == {"n": 1, "k": 1, "o": 1}
    assert decision.counterexample.monomial == "w[0] * x[0]"


def test_true_for_a_stride_and_for_more_sizes_without_a_plain_condition():
    decision = decide(grad_w(SYMBOLIC, (dy[i], x[i + d * j - p])), GWS)
    assert decision.kind == "proved_for" and str(decision.condition) == "s = 1"
    assert decision.counterexample is not None and dict(decision.counterexample.sizes)["s"] > 1


def test_true_for_some_sizes_without_a_plain_condition():
    decision = decide(grad_w(SYMBOLIC, (dy[i], x[s * i + d * j - p + 1])), GWS)
    assert decision.kind == "refuted" and decision.counterexample is not None


def test_correlation_does_not_commute():
    decision = decide(Equation(h[i], f[j] * g[i + j]), Equation(h[i], g[j] * f[i + j]))
    assert decision.kind == "refuted" and decision.counterexample is not None
    assert (decision.counterexample.claimed, decision.counterexample.actual) == (1, 0)


def test_a_difference_beyond_the_sizes_that_are_tried():
    """isl names the sizes, enumeration confirms them."""
    left = scalar(SQUARE, Term((x[i],)))
    decision = decide(scalar(SQUARE, Term((x[i],)).where(at_least(90, i))), left)
    assert decision.kind == "proved_if" and str(decision.condition) == "n <= 91"
    assert decision.counterexample is not None and dict(decision.counterexample.sizes) == {"n": 92}


def test_given_sizes():
    decision = decide(grad_w(SYMBOLIC, (dy[i], x[i + d * j - p])), GWS, fixed={"s": 2, "d": 1})
    assert decision.kind == "proved_if" and str(decision.condition) == "o = 1"
    assert decision.counterexample is not None and dict(decision.counterexample.sizes)["s"] == 2
    large = decide(GX, grad_x(VALID, (dy[m + j - k + 1], w[k - 1 - j])), fixed={"n": 784, "k": 5})
    assert large.kind == "proved"


ACT = Context(("n", "o"), (at_least(n, 1), at_least(o, 1)))
z, dh, dW = Tensor("z", o), Tensor("dh", o), Tensor("dW", (o, n))


def layer_gradient(*factors: Access) -> Equation:
    return Equation(dW[i, j], Term(factors), ACT)


def test_functions():
    true = layer_gradient(dh[i], z[i].apply("sigma'"), x[j])
    assert decide(layer_gradient(x[j], dh[i], z[i].apply("sigma'")), true).kind == "proved"
    lost = decide(layer_gradient(dh[i], x[j]), true)
    assert lost.kind == "refuted" and lost.counterexample is not None
    assert dict(lost.counterexample.functions) == {"sigma": "z^2"}
    # An index that is wrong for every function; the condition under which it is right is only sufficient.
    moved = decide(layer_gradient(dh[i], z[j].apply("sigma'"), x[j]), true)
    assert moved.kind == "proved_for" and moved.counterexample is not None


@pytest.mark.parametrize("left,right", [
    ([as_term(z[i].apply("sigma'"))],
     [as_term(z[i].apply("sigma")), -1 * (z[i].apply("sigma") * z[i].apply("sigma"))]),  # logistic
    ([as_term(z[i].apply("sigma"))], [z[i] * z[i].apply("sigma'")]),  # rectified
    ([as_term(z[i].apply("sigma'"))], [2 * as_term(z[i])]),  # a square
    ([as_term(z[i].apply("tau"))], [as_term(z[i].apply("sigma"))]),
])
def test_identities_of_functions_are_not_refuted(left: list[Term], right: list[Term]):
    decision = decide(Equation(dh[i], left, ACT), Equation(dh[i], right, ACT))
    assert decision.kind == "unknown" and "identity" in decision.reason


def test_what_is_not_decided():
    endless = Equation(S[()], Term((x[0],), (), (at_least(j, 0),)), SQUARE)
    assert decide(endless, endless).kind == "unknown"
    never = Context(("n",), (at_least(n, 1), at_least(0, n)))
    assert decide(scalar(never, as_term(x[0])), scalar(never, as_term(x[0]))).kind == "unknown"
    wider = Equation(Tensor("y", n)[i], w[j] * x[i + j], VALID)
    assert decide(wider, forward(w[j] * x[i + j])).kind == "unknown"
    with pytest.raises(ShapeError):
        decide(wider, scalar(VALID, w[j] * x[j]))
    # n(n + 1)/2 points against another count of as many: nothing here sums polynomials
    pairs = scalar(SQUARE, Term((x[0],), ("i", "j"), (*inside(i, n), *inside(j, i + 1))))
    other = scalar(SQUARE, Term((x[0],), ("i", "j"), (*inside(i, n), at_least(j, i), at_least(n - 1, j))))
    decision = decide(pairs, other)
    assert decision.kind in ("checked", "proved")


def test_finitely_many_sizes_are_decided_by_writing_them_out():
    some = Context(("n",), (at_least(n, 1), at_least(6, n)))
    many = Term((x[0],), ("j",), inside(j, n))
    decision = decide(scalar(some, many), scalar(some, 3 * as_term(x[0])))
    assert decision.kind == "proved_if" and str(decision.condition) == "n = 3"


def test_without_isl(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "islpy", None)
    assert isl.compare(GX, GX).kind == "unknown"
    assert decide(GX, grad_x(VALID, (dy[i], w[m - i]))) == Decision("proved", engines=("embedded", "enumeration"))
    flipped = decide(*CONDITIONAL["k = 1"])
    assert flipped.kind == "proved_if" and str(flipped.condition) == "k = 1"


def test_disagreement_is_an_error(monkeypatch: pytest.MonkeyPatch):
    false, true = CONDITIONAL["k = 1"]
    monkeypatch.setattr(module.isl, "compare", lambda *_: isl.Answer("proved"))
    with pytest.raises(EngineDisagreement):
        decide(false, true)
    monkeypatch.undo()
    different = isl.compare(false, true)
    monkeypatch.setattr(module.isl, "compare", lambda *_: different)
    monkeypatch.setattr(module, "prove_equal", lambda *_: PROVED)
    with pytest.raises(EngineDisagreement):
        decide(true, true)


def test_contexts_may_differ():
    """An index of one side that is a size of the other keeps its meaning."""
    sum_over_k = Equation(S[()], Term((x[k],), ("k",)), SQUARE)
    assert decide(sum_over_k, scalar(VALID, Term((x[i],)))).kind == "proved"


def test_work_is_bounded():
    start = time.perf_counter()
    many = Term(tuple(x[v] for v in indices("a b c d e f g h")))
    assert decide(scalar(SQUARE, many), scalar(SQUARE, many.where(at_least(n, 1)))).kind in ("checked", "proved")
    far = scalar(SQUARE, Term((x[i],)).where(at_least(10**9, i)))
    assert decide(far, scalar(SQUARE, Term((x[i],)))).kind in ("proved_if", "unknown")
    assert time.perf_counter() - start < 5


def test_decisions_are_repeatable():
    for left, right in CONDITIONAL.values():
        one, other = decide(left, right), decide(left, right)
        assert one == other and str(one.condition) == str(other.condition)


def test_conditions_read_well():
    texts = {"k >= 3": at_least(k, 3), "k <= 3": at_least(3, k), "p = 0": equal(p, 0),
             "2*p = k - 1": equal(2 * p, k - 1),
             "n >= k + 2": at_least(n, k + 2), "n = k": equal(n - k, 0), "k = 1": equal(1 - k, 0)}
    assert [comparison(c) for c in texts.values()] == list(texts)
    assert positive_first(n - k) == "n - k" and positive_first(3 - k) == "-k + 3"
    half = Atom(equal(n - k, 0), Affine.of(2))
    assert str(half) == "2 divides n - k" and half.holds({"n": 5, "k": 3}) and not half.holds({"n": 4, "k": 3})
    both = Formula(((Atom(equal(k, 1)),), (Atom(equal(o, 1)), half)))
    assert str(both) == "k = 1 or (o = 1 and 2 divides n - k)"


def test_the_simplest_condition_comes_first():
    table = [({"n": u, "k": v}, v == 1 or u == v) for u in range(1, 6) for v in range(1, u + 1)]
    first = next(fitting(Context(("n", "k"), (at_least(n, 1), at_least(k, 1))), table))
    assert str(first) == "k = 1 or n = k"


def test_products_of_sizes_help_the_prover():
    for name in ("any stride, window bounds", "any stride, dilated delta", "dL/dw, bounds stated"):
        assert prove_equal(*TRUE[name]).proved


def test_a_multiplicity_is_never_called_a_difference():
    left, right = TRUE["twice by two terms"]
    assert prove_equal(left, right).kind == "unknown"


def test_decisions_are_fast():
    start = time.perf_counter()
    for left, right in TRUE.values():
        decide(left, right)
    assert time.perf_counter() - start < 0.2 * len(TRUE)
