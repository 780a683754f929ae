"""The enumerator: sums written out, sizes to try, and worked counterexamples."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import point_by_point
import pytest

from symconv import Tensor, indices
from symconv.affine import Affine, Constraint, at_least, equal, inside
from symconv.calculus import gradient
from symconv.decide.counterexample import smallest_difference
from symconv.decide.enumerate import Work, Written, evaluate
from symconv.decide.sizes import are_all, sizes_of
from symconv.equation import Context, Equation, Signal, Term
from symconv.errors import LimitExceeded, NotSupported
from symconv.layer import Conv

i, j, m = indices("i j m")
n, k, o, s, p = indices("n k o s p")
f, g, h = (Signal(name, 1) for name in "fgh")
VALID = Context(("n", "k", "o"), (at_least(n, 1), at_least(k, 1), at_least(o, 1), equal(o, n - k + 1)))


def test_polynomials_of_a_small_layer():
    y = Equation(Tensor("y", o)[i], Tensor("w", k)[j] * Tensor("x", n)[i + j], VALID)
    assert evaluate(y, {"n": 2, "k": 2, "o": 1}) == {
        (0,): {(("w", "", (0,)), ("x", "", (0,))): Fraction(1), (("w", "", (1,)), ("x", "", (1,))): Fraction(1)}}


@pytest.mark.parametrize("layer", [
    Conv(7, 3, stride=2, padding=1), Conv(6, 2, dilation=3), Conv((4, 3), (2, 2), channels=2, filters=4, groups=2),
    Conv(4, 3, transposed=True, stride=2), Conv((3, 3, 3), (2, 2, 2), padding=1, stride=2)])
def test_polynomials_give_the_values_of_another_evaluator(layer: Conv):
    rng = np.random.default_rng(1)
    system = layer.system()
    sizes, forward = dict(system.sizes), system.equations[0]
    for e in (forward, *(gradient(forward, t, forward.output.gradient()) for t in forward.reads)):
        concrete = e.at(sizes)
        arrays = {t.name: rng.integers(-99, 99, t.extents).astype(object) for t in concrete.reads}
        expected = point_by_point.evaluate(concrete, arrays)
        for index, polynomial in evaluate(e, sizes).items():
            value = sum(c * np.prod([arrays[name][at] for name, _, at in mono]) for mono, c in polynomial.items())
            assert value == expected[index]


def test_signals_are_written_out_on_a_window():
    y = Equation(h[i], f[j] * g[i - j])
    found = evaluate(y, {}, radius=1)
    assert sorted(found) == [(-1,), (0,), (1,)]
    assert set(found[(1,)]) == {(("f", "", (0,)), ("g", "", (1,))), (("f", "", (1,)), ("g", "", (0,)))}


def test_bounds_that_show_only_in_sums():
    y = Equation(Tensor("S")[()], f[i + j] * g[i - j])
    brute = {(a + b, a - b) for a, b in product(range(-9, 10), repeat=2) if abs(a + b) <= 2 and abs(a - b) <= 2}
    assert {(mono[0][2][0], mono[1][2][0]) for mono in evaluate(y, {})[()]} == brute


def test_an_unbounded_sum_and_a_long_one_are_refused():
    x = Tensor("x", 3)
    endless = Equation(Tensor("y", 3)[i], Term((x[i],), (), (at_least(j, 0),)))
    with pytest.raises(NotSupported, match="no bounds"):
        evaluate(endless, {})
    long = Equation(Tensor("y", 1)[i], Term((x[0],), (), inside(j, 10**6)))
    with pytest.raises(LimitExceeded):
        Written(long, {}, work=Work(1000)).at((0,))


CONTEXTS = [
    VALID, Conv(7, 3, stride=3, padding=1).system().equations[0].context,
    Context(("n", "k", "s", "p", "o"), (at_least(n, 1), at_least(k, 1), at_least(s, 1), at_least(p, 0), at_least(o, 1),
                                        at_least(n + 2 * p - k, s * (o - 1)), at_least(s * o - 1, n + 2 * p - k))),
    Context(("k", "p"), (at_least(k, 1), equal(2 * p, k - 1))),
    Context(("a", "b"), (at_least(3, "a"), at_least("b", "a"))),
    Context(("a",), ()), Context((), ())]


@pytest.mark.parametrize("context", CONTEXTS, ids=str)
def test_sizes_are_those_of_brute_force(context: Context):
    found = sizes_of(context, 40)
    assert all(c.holds(v) for v in found for c in context.constraints)
    assert len({tuple(v.items()) for v in found}) == len(found)
    free = [v for v in context.sizes if v != "o" and not (v == "p" and len(context.sizes) == 2)]
    box = [v for v in product(range(-6, 7), repeat=len(context.sizes))
           if all(c.holds(dict(zip(context.sizes, v, strict=True))) for c in context.constraints)]
    for v in box:
        full = dict(zip(context.sizes, v, strict=True))
        smaller = sum(abs(full[a]) for a in free) < sum(abs(found[-1][a]) for a in free)
        if all(full[a] >= 0 for a in free) and smaller and len(found) == 40:
            assert full in found


def test_finitely_many_sizes_are_known_to_be_all():
    finite = Context(("n", "k"), (at_least(n, 1), at_least(4, n), at_least(k, 1), at_least(n, k)))
    assert len(sizes_of(finite, 60)) == 4 + 3 + 2 + 1 and are_all(finite, 60) and not are_all(finite, 5)
    assert not are_all(Context(("n", "k"), finite.constraints[:3]), 60)
    assert are_all(Context(), 60) and not are_all(VALID, 60)


def test_a_worked_counterexample():
    w, d = Tensor("w", k), Tensor("d", o)
    true = Equation(Tensor("dx", n)[m], w[j] * d[m - j], VALID)
    wrong = Equation(Tensor("dx", n)[m], w[j] * d[m + j - k + 1], VALID)
    found = smallest_difference(wrong, true)
    assert found is not None
    assert dict(found.sizes) == {"n": 2, "k": 2, "o": 1} and found.index == (0,)
    assert dict(found.tensors) == {"w": (1, 2), "d": (1,)} and (found.claimed, found.actual) == (2, 1)
    assert found.monomial == "d[0] * w[0]"
    assert smallest_difference(true, true) is None


def test_a_signal_shows_its_few_values():
    found = smallest_difference(Equation(h[i], f[j] * g[i + j]), Equation(h[i], g[j] * f[i + j]))
    assert found is not None and found.index == (1,)
    assert dict(found.tensors) == {"f": (((-1,), 1),), "g": (((0,), 1),)} and (found.claimed, found.actual) == (1, 0)


def test_counterexamples_hold_in_numbers():
    rng = random.Random(4)
    x, w = Tensor("x", n), Tensor("w", k)
    context = Context(("n", "k"), (at_least(n, 1), at_least(k, 1)))

    def term() -> Term:
        a, b = (rng.choice([i + j, i - j, 2 * i, j, i, n - 1 - i, k - 1 - j, Affine.of(0)]) for _ in range(2))
        extra: tuple[Constraint, ...] = (*inside(i, n), *inside(j, k))
        factors = (x[a], rng.choice((w[b], x[b])))
        return Fraction(rng.choice((1, -1, 2)), rng.choice((1, 2))) * Term(factors).where(*extra)

    told = 0
    for _ in range(150):
        left, right = (Equation(Tensor("y", ())[()], [term() for _ in range(rng.choice((1, 2)))], context)
                       for _ in range(2))
        found = smallest_difference(left, right)
        if found is None:
            continue
        told += 1
        sizes = dict(found.sizes)
        arrays = {name: np.array(v, object) for name, v in found.tensors}
        values = [point_by_point.evaluate(e.at(sizes), arrays)[()] for e in (left, right)]
        assert values == [found.claimed, found.actual] and values[0] != values[1]
    assert told > 100
