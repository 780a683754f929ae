"""Conditions are told as shortly as what is known of the sizes allows, and mean the same as before."""

from __future__ import annotations

from itertools import product

import pytest

from symconv import indices
from symconv.affine import Affine, AffineLike, Constraint, at_least, equal
from symconv.decide.conditions import Atom, Formula
from symconv.decide.scalar import Facts, decide_scalar
from symconv.decide.scalar_conditions import AtLeast, Both, Divides, Either, Same, both
from symconv.decide.scalar_terms import Floor, Num, Over, Var

k, n, p, s, C = indices("k n p s C")
KNOWN = (*(at_least(v, 1) for v in ("k", "n", "s", "C")), at_least(p, 0))


def atom(c: Constraint) -> Atom:
    return Atom(c)


def divides(a: AffineLike, b: AffineLike) -> Atom:
    return Atom(equal(b, 0), Affine.of(a))


def one(v: Affine) -> Atom:
    return Atom(equal(v, 1))


CASES = [
    # absorption: (C = 1 or k = 1) and C = 1 and k = 1
    (((one(C), one(C), one(k)), (one(k), one(C), one(k))), (), "C = 1 and k = 1"),
    (((one(C),), (one(C), one(k))), (), "C = 1"),
    (((one(C), one(k)), (one(k),), (one(C), one(n))), (), "k = 1 or (C = 1 and n = 1)"),
    # what sizes are anyway
    (((atom(at_least(k, 1)), one(n)),), (), "n = 1"),
    (((atom(at_least(n + p, 1)), one(k)),), (), "k = 1"),
    (((atom(at_least(n, k)), one(k)),), (), "k = 1"),
    # equations say more than bounds
    (((atom(equal(n, 3)), atom(at_least(n, 3))),), (), "n = 3"),
    (((atom(equal(n, k + 1)), atom(at_least(k, 3)), atom(at_least(n, k + 1))),), (), "n = k + 1 and k >= 3"),
    (((atom(equal(n, 5)), atom(equal(k, 3)), atom(at_least(n, k + 2)), atom(at_least(k, 3))),), (), "n = 5 and k = 3"),
    (((atom(equal(n, 5)), atom(equal(n, k + 2))),), (), "n = 5 and k = 3"),
    # two bounds that leave one value
    (((atom(at_least(k, 3)), atom(at_least(3, k))),), (), "k = 3"),
    (((atom(equal(n, 5)), atom(at_least(k, 3)), atom(at_least(n, k + 2))),), (), "n = 5 and k = 3"),
    # what the context says of the sizes
    (((atom(at_least(k, 3)), atom(at_least(n, 3))),), (at_least(n, k),), "k >= 3"),
    (((one(n), one(k)),), (at_least(n, k),), "n = 1"),
    # no sizes satisfy the first case
    (((atom(equal(k, 0)),), (one(n),)), (), "n = 1"),
    # a divisibility is proved by itself only, and proves nothing
    (((divides(s, n - k), one(k)), (divides(s, n - k), one(k), one(C))), (), "s divides n - k and k = 1"),
    (((divides(2, n), atom(equal(n, 4))),), (), "2 divides n and n = 4"),
    # where an atom fails, another case holds
    (((atom(at_least(2, k)),), (atom(at_least(k, 3)), atom(at_least(2 * k, n + 1)))), (), "k <= 2 or 2*k >= n + 1"),
    (((one(k),), (atom(at_least(k, 2)), one(n))), (), "k = 1 or n = 1"),
    # nothing to leave out
    (((one(k),), (atom(at_least(k, 3)), one(n))), (), "k = 1 or (k >= 3 and n = 1)"),
    (((one(C),), (one(k),)), (), "C = 1 or k = 1"),
    (((atom(at_least(k, 3)), atom(at_least(n, k + 2))),), (), "k >= 3 and n >= k + 2"),
]


@pytest.mark.parametrize("cases, more, text", CASES, ids=[t for *_, t in CASES])
def test_conditions_are_short_and_exact(cases: tuple[tuple[Atom, ...], ...], more: tuple[Constraint, ...], text: str):
    formula, known = Formula(cases), (*KNOWN, *more)
    short = formula.simplified(known)
    assert str(short) == text
    assert short.simplified(known) == short
    for values in product(range(6), repeat=5):
        sizes = dict(zip("knpsC", values, strict=True))
        if all(c.holds(sizes) for c in known):
            assert short.holds(sizes) == formula.holds(sizes), sizes


def test_more_constraints_in_every_case():
    formula = Formula(((one(C),), (one(k),)))
    assert str(formula.where([at_least(n, 2)])) == "(C = 1 and n >= 2) or (k = 1 and n >= 2)"
    assert str(formula.where([equal(C, 1), equal(k, 1)]).simplified(KNOWN)) == "C = 1 and k = 1"


def test_conditions_of_sizes_absorb():
    c, m = Same(Var("C"), Num(1)), Same(Var("k"), Num(1))
    assert str(both(Either((c, m)), c, m)) == "C = 1 and k = 1"
    assert both(Either((c, m)), c) == c
    assert str(both(Either((c, m)), Same(Var("n"), Num(1)))) == "(C = 1 or k = 1) and n = 1"
    assert both(c, m) == Both((c, m))


def test_conditions_of_sizes_read_well():
    room = Var("s") - 2 * Var("p") - 1
    assert str(AtLeast(room, Num(0))) == "s >= 2p + 1"
    assert str(AtLeast(Var("k"), Num(0))) == "k >= 0"
    assert str(AtLeast(-Var("k"), Num(0))) == "-k >= 0"
    assert str(Divides(Num(2), Var("k") + 1)) == "k is odd"
    assert str(Divides(Num(2), Var("k") + 1, denied=True)) == "k is even"


def test_a_divisibility_is_told_as_the_author_wrote_it():
    facts = Facts(at_least=((Var("n"), Var("k")),))
    for above in (Var("n") - Var("k"), Var("k") - Var("n")):
        found = decide_scalar(Over(above, Var("s")), Floor(Over(above, Var("s"))), facts)
        assert str(found.condition) == f"s divides {above}"
