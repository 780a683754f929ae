"""Derived gradients against the oracle, and the prover against brute force.

What is derived is evaluated point by point in plain Python; the oracle scatters over the forward.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from itertools import product

import numpy as np
import point_by_point
import pytest
import sympy as sp

from symconv.affine import Affine, Constraint, at_least, equal, indices, inside
from symconv.calculus import differentiate, gradient
from symconv.decide.feasible import OutOfBudget, feasible
from symconv.decide.prover import prove_equal
from symconv.derivation import derive
from symconv.equation import Context, Equation, Tensor, Term
from symconv.errors import NotSupported
from symconv.family import products, random_layer
from symconv.layer import Conv, Dense
from symconv.reference import forward, gradients
from symconv.reference_points import points
from symconv.sympy_bridge import from_access, to_sympy
from symconv.system import System, as_system

i, j, k, m, n = indices("i j k m n")


def small_layers(count: int, seed: int, most: int = 500) -> Iterator[Conv]:
    rng = random.Random(seed)
    while count:
        layer = random_layer(rng)
        if products(layer) <= most and np.prod(layer.input) * layer.channels * layer.batch <= 300:
            count -= 1
            yield layer


def inputs(system, seed=0):
    rng = np.random.default_rng(seed)
    arrays = {t.name: rng.integers(-9, 10, t.array_shape) for t in system.inputs}
    return arrays, rng.integers(-9, 10, system.output.array_shape)


def assert_gradients_agree(layer, seed=0) -> None:
    """Every derived gradient equals the oracle's, at the layer's sizes; every proof says proved."""
    derivation = derive(layer)
    system = as_system(layer).concrete()
    arrays, upstream = inputs(system, seed)
    expected = gradients(system, arrays, upstream)
    known = {**arrays, **forward(system, arrays), **{"d" + name: g for name, g in expected.items()},
             "d" + system.output.name: upstream}
    assert set(derivation.grad) == set(expected)
    for name, equation in derivation.grad.items():
        assert derivation.proofs[name].proved, f"{name} of {layer}: {derivation.proofs[name]}"
        found = point_by_point.evaluate(equation.at(dict(system.sizes)), known).reshape(expected[name].shape)
        assert (found == expected[name]).all(), f"d{name} of {layer}\n{equation}\n{found}\n{expected[name]}"


@pytest.mark.parametrize("seed", range(10))
def test_derived_gradients_equal_the_oracle_over_the_family(seed):
    for layer in small_layers(10, seed):
        assert_gradients_agree(layer, seed)


@pytest.mark.parametrize("layer", [
    Dense(4, 3, batch=2, bias=True), Dense(4, 3, activation="relu"), Conv(9, 3, activation="relu", bias=True),
    Conv((5, 4), (2, 2), 2, 3, stride=2, activation="relu"), Conv(12, 3, stride=3, dilation=2, padding=((2, 1),))])
def test_derived_gradients_equal_the_oracle_for_chosen_layers(layer):
    assert_gradients_agree(layer)


x, w, y = Tensor("x", 12), Tensor("w", 3), Tensor("y", 5)
prime = Affine.of("m'")
HAND = {
    "primed index": Equation(y[i], w[prime] * x[i + prime]),
    "primed index and an axis of that name": Equation(y[i], w[prime] * Tensor("x", 12, axes=("m",))[i + prime]),
    "axes named like the bound indices": Equation(
        y[i], Tensor("w", 3, axes=("i",))[j] * Tensor("x", 12, axes=("j",))[2 * i + j]),
    "axes that would chase one another": Equation(
        Tensor("y", (3, 4))[i, j], w[m] * Tensor("x", (11, 4), axes=("m", "n"))[2 * i + 3 * m, j]),
    "a square": Equation(y[i], x[i] * x[i]),
    "a product of one tensor": Equation(y[i], x[i + j] * x[2 * i] * w[j]),
    "an inequality": Equation(y[i], (w[j] * x[i + j]).where(Constraint(i - j))),
    "rational and several terms": Equation(y[i], (3 * (w[j] * x[2 * i - j + 2]), Term((x[i],)))),
    "a diagonal": Equation(Tensor("y", ())[()], x[i] * x[i + 1]),
}


@pytest.mark.parametrize("name", HAND)
def test_derived_gradients_of_hand_built_equations(name):
    assert_gradients_agree(HAND[name])


def test_two_equations_that_read_one_tensor():
    """Their gradients are added under one set of index names, none captured."""
    z, h = Tensor("z", 8), Tensor("h", 4)
    assert_gradients_agree(System((Equation(z[i], w[j] * x[i + j]), Equation(h[m], w[j] * z[m + j]))))
    assert_gradients_agree(System((Equation(z[m], w[j] * x[m + j]), Equation(h[i], w[m] * z[2 * i + m]))))


def test_differentiating_by_a_bound_name_would_capture_it():
    """Why names are fresh: SymPy takes w[j] under a sum over j for the w[j] asked for, and j is lost."""
    equation = Equation(y[i], w[j] * x[i + j])
    loss = to_sympy(equation, Tensor("dy", 5)[i])
    captured = loss.diff(from_access(w[j]))
    assert sp.Symbol("j", integer=True) not in captured.free_symbols
    found = differentiate(equation, w, Tensor("dy", 5))
    bound = {*equation.indices, *(v for t in equation.terms for v in t.indices)}
    assert not bound & set(found.indices)
    assert str(gradient(equation, w, Tensor("dy", 5))) == "dw[m] = sum_{i} dy[i] * x[i + m]"


def test_divisibility_by_the_stride_is_kept():
    layer = Conv(12, 2, stride=3)
    equation = derive(layer).grad["x"]
    sizes = dict(as_system(layer).sizes)
    found = point_by_point.evaluate(equation.at(sizes), {"w": np.array([2, 3]), "dy": np.ones(4, int)})
    assert found.tolist() == [2, 3, 0] * 4
    both = derive(Conv(12, 2, stride=3, dilation=2)).grad["x"]
    assert any(c.equality for t in both.terms for c in t.constraints)


def assert_proved(left, right):
    verdict = prove_equal(left, right)
    assert verdict.proved, f"{verdict}\n{left}\n{right}"


def test_renamed_and_shifted_sums_are_proved():
    for layer in small_layers(40, 50):
        for equation in (as_system(layer).equations[0], *derive(layer).grad.values()):
            bound = sorted({v for t in equation.terms for v in t.indices})
            assert_proved(equation, equation.rename({v: f"{v}_moved" for v in bound}))
            for by, sign in ((2, 1), (-1, -1)):
                moved = [t.substitute({v: sign * Affine.of(v) + by for v in bound}) for t in equation.terms]
                assert_proved(equation, Equation(equation.left, moved, equation.context))


def test_split_and_reordered_sums_are_proved():
    tall = Tensor("x", "n")
    sums = (w[j] * tall[2 * i + j])
    whole = Equation(y[i], sums)
    even_odd = [replace(sums, indices=()).substitute({"j": 2 * k + r}) for r in (0, 1)]
    assert_proved(whole, Equation(y[i], even_odd))
    assert_proved(whole, Equation(y[i], [sums.where(Constraint(i - j)), sums.where(Constraint(j - i - 1))]))
    assert_proved(whole, Equation(y[i], tall[2 * i + k] * w[k]))


MUTATIONS = ("off by one", "stride", "swapped", "missing sum", "reversed", "sign", "unconstrained", "doubled")


def mutants(equation: Equation, rng: random.Random) -> Iterator[tuple[str, Equation]]:
    """The mistakes people make, each once where the equation has a place for it."""
    for kind in MUTATIONS:
        at = rng.randrange(len(equation.terms))
        changed = mutated(kind, equation.terms[at], equation, rng)
        if changed is not None:
            yield kind, Equation(equation.left, (*equation.terms[:at], changed, *equation.terms[at + 1:]),
                                 equation.context)


def mutated(kind: str, t: Term, equation: Equation, rng: random.Random) -> Term | None:
    names = [*equation.indices, *t.indices]
    factor = rng.choice(range(len(t.factors)))
    if kind == "off by one" and t.factors[factor].indices:
        return with_index(t, factor, rng, lambda e: e + rng.choice((-1, 1)))
    if kind == "stride":
        return without_steps(t)
    if kind == "swapped" and len(names) > 1:
        a, b = rng.sample(names, 2)
        return swapped(t, factor, a, b)
    if kind == "missing sum" and t.indices:
        gone = rng.choice(t.indices)
        return replace(t.substitute({gone: 0}), indices=tuple(v for v in t.indices if v != gone))
    if kind == "reversed" and names:
        v = rng.choice(names)
        f = t.factors[factor].substitute({v: -Affine.of(v)})
        return replace(t, factors=(*t.factors[:factor], f, *t.factors[factor + 1:]))
    if kind == "unconstrained" and t.constraints:
        return replace(t, constraints=t.constraints[1:])
    if kind in ("sign", "doubled"):
        return (-1 if kind == "sign" else 2) * t
    return None


def with_index(t: Term, factor: int, rng: random.Random, change) -> Term:
    f = t.factors[factor]
    at = rng.randrange(len(f.indices))
    f = replace(f, indices=(*f.indices[:at], change(f.indices[at]), *f.indices[at + 1:]))
    return replace(t, factors=(*t.factors[:factor], f, *t.factors[factor + 1:]))


def without_steps(t: Term) -> Term | None:
    def flat(e: Affine) -> Affine:
        return Affine.build({p: (max(-1, min(1, c)) if p else c) for p, c in e})
    changed = replace(t, factors=tuple(replace(f, indices=tuple(map(flat, f.indices))) for f in t.factors),
                      constraints=tuple(Constraint(flat(c.expression), c.equality) for c in t.constraints))
    return changed if changed != t else None


def swapped(t: Term, factor: int, a: str, b: str) -> Term:
    f = t.factors[factor].substitute({a: b, b: a})
    return replace(t, factors=(*t.factors[:factor], f, *t.factors[factor + 1:]))


def differs(left: Equation, right: Equation, layer: Conv) -> bool:
    """Brute force at the layer's sizes."""
    sizes = dict(as_system(layer).sizes)
    left, right = left.at(sizes), right.at(sizes)
    rng = np.random.default_rng(1)
    arrays = {t.name: rng.integers(-99, 100, t.extents) for t in left.reads}
    return bool((point_by_point.evaluate(left, arrays) != point_by_point.evaluate(right, arrays)).any())


def test_no_wrong_gradient_is_ever_proved():
    rng, seen = random.Random(9), dict.fromkeys(MUTATIONS, 0)
    for layer in small_layers(45, 7, most=200):
        for equation in derive(layer).grad.values():
            for kind, wrong in mutants(equation, rng):
                if not bounded(wrong, layer):
                    continue
                verdict = prove_equal(wrong, equation)
                if differs(wrong, equation, layer):
                    seen[kind] += 1
                    assert not verdict.proved, f"{kind} in {layer}\n{wrong}\nproved equal to\n{equation}"
    assert sum(seen.values()) >= 500 and min(seen.values()) >= 3, seen


def bounded(equation: Equation, layer: Conv) -> bool:
    """A mutation may leave a sum without bounds; brute force cannot evaluate it."""
    concrete = equation.at(dict(as_system(layer).sizes))
    try:
        found = [points(concrete, t) for t in concrete.terms]
    except NotSupported:
        return False
    return all(np.prod([p.extent(v) for v in p.box]) < 20_000 for p in found)


def scalar(term: Term) -> Equation:
    return Equation(Tensor("s")[()], term)


def squares(first: int, second: int) -> Equation:
    """Sum over i < first and j < second of x[2i] * x[2j + 2]: floors in every monomial."""
    return scalar((x[2 * i] * x[2 * j + 2]).where(*inside(i, first), *inside(j, second)))


@pytest.mark.parametrize(("left", "right"), [
    (scalar((x[2 * i] * Term(())).where(*inside(i, 5))), scalar((x[2 * i + 2] * Term(())).where(*inside(i, 3)))),
    (squares(3, 3), squares(3, 4)),
    (scalar((x[2 * i] * Term(())).where(*inside(i, 3))), scalar((x[3 * i] * Term(())).where(*inside(i, 2)))),
    (scalar((x[i] * w[j]).where(equal(2 * i, 3 * j))), scalar((x[i] * w[j]).where(equal(2 * i, 3 * j + 1)))),
], ids=["shifted floors", "a repeated tensor", "two steps", "two remainders"])
def test_floors_of_two_sums_are_kept_apart(left, right):
    """Two sums may both call an index i; what i stands for differs (once these were proved)."""
    assert not prove_equal(left, right).proved
    assert prove_equal(left, left).proved and prove_equal(right, right).proved


def test_nothing_is_proved_where_no_sizes_are_left():
    """A valid and a full convolution relate the same size names differently: no sizes fit both."""
    valid, full = (as_system(Conv(8, 3, padding=p)).equations[0] for p in ("valid", "full"))
    verdict = prove_equal(valid, full)
    assert verdict.kind == "unknown" and "no sizes" in verdict.reason


def random_rows(rng: random.Random, names: str, box: int) -> tuple[list, list]:
    inequalities = [row for v in names for row in (({v: 1}, box), ({v: -1}, box))]
    equalities = []
    for _ in range(rng.randint(1, 4)):
        c = {v: a for v in names if (a := rng.randint(-4, 4))}
        constant, kind = rng.randint(-6, 6), rng.random()
        if kind < 0.4:
            equalities.append((c, constant))
        else:
            inequalities.append((c, constant))
            if kind < 0.75:  # as a pair that leaves one or two values
                inequalities.append(({v: -a for v, a in c.items()}, rng.randint(0, 1) - constant))
    rng.shuffle(inequalities)
    return inequalities, equalities


def test_feasible_is_right_whenever_it_answers():
    """Against enumeration of a box (pinned pairs once reused the name of an earlier parameter)."""
    rng, answered = random.Random(1), 0
    for _ in range(2500):
        names, box = "abcd"[:rng.randint(2, 4)], rng.randint(1, 3)
        inequalities, equalities = random_rows(rng, names, box)
        try:
            answer = feasible(inequalities, equalities)
        except OutOfBudget:
            continue
        if answer is not None:
            answered += 1
            assert answer == has_point(inequalities, equalities, names, box), (inequalities, equalities)
    assert answered > 1500


def has_point(inequalities: list, equalities: list, names: str, box: int) -> bool:
    mesh = np.meshgrid(*[np.arange(-box, box + 1)] * len(names), indexing="ij")
    at = dict(zip(names, mesh, strict=True))
    good = np.ones(mesh[0].shape, bool)
    for rows, test in ((inequalities, np.greater_equal), (equalities, np.equal)):
        for c, constant in rows:
            good &= test(sum(a * at[v] for v, a in c.items()) + constant, 0)
    return bool(good.any())


def test_different_is_said_only_of_what_differs():
    """All pairs of a small set of concrete sums, against brute force."""
    variants = [scalar((x[a * i + b] * Term(())).where(*inside(i, count)))
                for a, b, count in product((1, 2, -1), (0, 2, 4), (2, 3))]
    values = np.random.default_rng(3).integers(-10**6, 10**6, 12)
    results = [point_by_point.evaluate(e, {"x": values})[()] for e in variants]
    for (e, a), (f, b) in product(zip(variants, results, strict=True), repeat=2):
        verdict = prove_equal(e, f)
        assert verdict.kind == ("proved" if a == b else "different"), f"{verdict}\n{e}\n{f}"


def test_extents_are_compared_by_what_they_are():
    """n - k + 1 and o are one extent where the context says so, and two where it does not."""
    i, j = indices("i j")
    w, x = Tensor("w", "k"), Tensor("x", "n")
    sizes = (at_least("n", 1), at_least("k", 1), equal(indices("n")[0] - "k" + 1, "o"))
    here, there = Tensor("y", "o"), Tensor("y", indices("n")[0] - "k" + 1)

    def verdict(constraints: tuple[Constraint, ...]) -> str:
        context = Context(("n", "k", "o"), constraints)
        left, right = (Equation(y[i], w[j] * x[i + j], context) for y in (here, there))
        return prove_equal(left, right).kind

    assert verdict(sizes) == "proved"
    assert verdict(sizes[:2]) == "different"


def test_functions_are_never_called_different():
    i, = indices("i")
    x, y = Tensor("x", 4), Tensor("y", 4)
    left = Equation(y[i], x[i].apply("relu"))
    right = Equation(y[i], x[i].apply("relu'") * x[i])
    assert prove_equal(left, right).kind == "unknown"
