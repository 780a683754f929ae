"""Equalities of sizes: a table of formulas, their mutants, and an evaluator that shares nothing with the package."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from fractions import Fraction
from math import floor

import pytest

from symconv.decide import scalar as module
from symconv.decide.decision import Decision, EngineDisagreement
from symconv.decide.scalar import (
    Ceil,
    Facts,
    Floor,
    Max,
    Min,
    Mod,
    Num,
    Over,
    Plus,
    Pow,
    Scalar,
    Times,
    Var,
    decide_scalar,
    names,
)
from symconv.decide.scalar_roots import ALWAYS, NEVER
from symconv.decide.scalar_terms import parts, rebuilt, walk

a, c, d, g, i, k, m, n, o, p, s, t = map(Var, "acdgikmnopst")
ZERO = {"p": 0, "a": 0}
FREE = Facts(ZERO)
LAYER = Facts(ZERO, at_least=((i + 2 * p, k),))
DILATED = Facts(ZERO, at_least=((i + 2 * p, d * (k - 1) + 1),))
HALF = Facts(ZERO, equal=((p, (k - 1) / 2),))
OUT = Floor((i + 2 * p - k) / s) + 1
OUT_D = Floor((i + 2 * p - d * (k - 1) - 1) / s) + 1
UP = (i - 1) * s - 2 * p + k
TOTAL = (Ceil(i / s) - 1) * s + k - i

TABLE: list[tuple[Scalar, Scalar, Facts, str, str]] = [
    # Output sizes that are right for all sizes.
    (OUT, Floor((i - k + 2 * p + s) / s), LAYER, "proved", ""),
    (OUT, Floor((i + 2 * p - (k - 1) - 1) / s + 1), LAYER, "proved", ""),
    (OUT, Ceil((i + 2 * p - k + 1) / s), LAYER, "proved", ""),
    (Floor((i + 2 * p - k - (k - 1) * (d - 1)) / s) + 1, OUT_D, DILATED, "proved", ""),
    (Floor((i + 2 * p - d * k + d - 1) / s + 1), OUT_D, DILATED, "proved", ""),
    (Ceil(i / s), OUT, Facts(ZERO, equal=((p, (k - 1) / 2),)), "proved", ""),
    (Ceil(i / s), Floor((i - 1) / s) + 1, FREE, "proved", ""),
    (Ceil(i / s), Floor((i + s - 1) / s), FREE, "proved", ""),
    (Ceil((i - k + 1) / s), Floor((i - k) / s) + 1, FREE, "proved", ""),
    (-Ceil(i / s), Floor(-i / s), FREE, "proved", ""),
    (Floor(Floor(i / s) / t), Floor(i / (s * t)), FREE, "proved", ""),
    (Floor((Floor((i - 1) / 2) + 1) / 2), Floor((i + 1) / 4), FREE, "proved", ""),
    (i, i + 2 * p - k + 1, HALF, "proved", ""),
    (i, i + 2 * Floor(k / 2) - k + 1, Facts(odd=frozenset("k")), "proved", ""),
    (i + 1, i + 2 * Floor(k / 2) - k + 1, Facts(even=frozenset("k")), "proved", ""),
    (i + k - 1, i + 2 * p - k + 1, Facts(ZERO, equal=((p, k - 1),)), "proved", ""),
    (i, i + 2 * p - d * (k - 1), Facts(ZERO, equal=((p, d * (k - 1) / 2),)), "proved", ""),
    (Floor(i / k), Floor((i - k) / s) + 1, Facts(equal=((s, k),)), "proved", ""),
    (Floor(i / 2), Floor((i - 2) / 2) + 1, FREE, "proved", ""),
    (Floor(i / 2), OUT, Facts(ZERO, equal=((k, Num(2)), (s, Num(2)), (p, Num(0)))), "proved", ""),
    (Ceil(i / 2), OUT, Facts(ZERO, equal=((k, Num(3)), (s, Num(2)), (p, Num(1)))), "proved", ""),
    ((i + 2 * p - k) / s + 1, OUT, Facts(ZERO, divides=((s, i + 2 * p - k),)), "proved", ""),
    (o, OUT, Facts(ZERO, equal=((o, Floor((i - k + 2 * p) / s) + 1),)), "proved", ""),
    # Paddings, transposed sizes, effective kernels.
    (k + (k - 1) * (d - 1), d * (k - 1) + 1, FREE, "proved", ""),
    (s * (i - 1) + k - 2 * p, UP, FREE, "proved", ""),
    (s * i, UP, Facts(ZERO, equal=((k, s + 2 * p),)), "proved", ""),
    (i, (o - 1) * s - 2 * p + k, Facts(ZERO, equal=((o, OUT),), divides=((s, i + 2 * p - k),)), "proved", ""),
    (Max((k - s, Num(0))), Max((TOTAL, Num(0))), Facts(divides=((s, i),)), "proved", ""),
    (Max((k - Mod(i, s), Num(0))), Max((TOTAL, Num(0))), FREE, "not proved", ""),
    (k - 1, Max((TOTAL, Num(0))), Facts(equal=((s, Num(1)),)), "proved", ""),
    (Max((i, k)) + Min((i, k)), i + k, FREE, "proved", ""),
    (Max((i - k, k - i)), Max((k, i)) - Min((k, i)), FREE, "proved", ""),
    # Parameters, multiplications, receptive fields, arithmetic.
    ((k * k * c + 1) * n, k * k * c * n + n, FREE, "proved", ""),
    (Pow(k, 2) * c * n, k * c * n * k, FREE, "proved", ""),
    (k * k * c / g * n, k * k * (c / g) * n, FREE, "proved", ""),
    (1 + (k - 1) + (m - 1) * s, k + (m - 1) * s, FREE, "proved", ""),
    (Floor(k / 2) + Floor((k + 1) / 2), k, FREE, "proved", ""),
    (Floor(k / 2) + Ceil(k / 2), k, FREE, "proved", ""),
    (Floor(k / 3) + Floor((k + 1) / 3) + Floor((k + 2) / 3), k, FREE, "proved", ""),
    (i - s * Floor(i / s), Mod(i, s), FREE, "proved", ""),
    (1 / s + 1 / k, (s + k) / (s * k), FREE, "proved", ""),
    (Floor(k * (k - 1) / 2), k * (k - 1) / 2, FREE, "proved", ""),
    (Num(28) - 3 + 1, Num(26), FREE, "proved", ""),
    (Floor(Num(227 - 11) / 4) + 1, Num(55), FREE, "proved", ""),
    (Num(3) * 3 * 64 * 128 + 128, Num(73856), FREE, "proved", ""),
    # Right exactly under a condition.
    ((i - k + 2 * p) / s + 1, OUT, LAYER, "proved_if", "s divides i - k + 2p"),
    (i / s, Ceil(i / s), FREE, "proved_if", "s divides i"),
    (Floor(i / s), Ceil(i / s), FREE, "proved_if", "s divides i"),
    (Ceil((i + 2 * p - k) / s) + 1, OUT, LAYER, "proved_if", "s divides i + 2p - k"),
    (i - k + 1, i + 2 * p - k + 1, LAYER, "proved_if", "p = 0"),
    (i, i + 2 * p - k + 1, LAYER, "proved_if", "k = 2p + 1"),
    (i, i + 2 * Floor(k / 2) - k + 1, FREE, "proved_if", "k is odd"),
    (2 * Floor(k / 2), k, FREE, "proved_if", "k is even"),
    (Floor((i - k) / 2), (i - k) / 2, FREE, "proved_if", "i - k is even"),
    (Floor((k - 1) / 2), Floor(k / 2), FREE, "proved_if", "k is odd"),
    (i + k - 1, i - k + 1, FREE, "proved_if", "k = 1"),
    (k + (k - 1) * d, d * (k - 1) + 1, FREE, "proved_if", "k = 1"),
    (k * d, d * (k - 1) + 1, FREE, "proved_if", "d = 1"),
    (k * k * c * n + n, k * c * n + n, FREE, "proved_if", "k = 1"),
    (k * k * c * n + 1, k * k * c * n + n, FREE, "proved_if", "n = 1"),
    (i * p, i * p * k, FREE, "proved_if", "p = 0 or k = 1"),
    (i + p, i + p * s, FREE, "proved_if", "p = 0 or s = 1"),
    (p + s, 1 - p, FREE, "proved_if", "p = 0 and s = 1"),
    (i - 2, i - k + 1, FREE, "proved_if", "k = 3"),
    (Floor((i + 2 * p - k + 1) / s) + 1, OUT, LAYER, "proved_if", "s does not divide i + 2p - k + 1"),
    (Floor((i - k) / s) + 1, OUT, LAYER, "proved_if", "(i - k) mod s + 2p < s"),
    (TOTAL, Max((TOTAL, Num(0))), FREE, "proved_if", "(ceil(i/s) - 1)*s + k >= i"),
    ((i - k) / s + 1, OUT, LAYER, "proved_if", "s divides i - k and 2p < s"),
    # Right at least under a condition.
    (i - k + 1, OUT, LAYER, "proved_for", "p = 0 and s = 1"),
    # False for all sizes, or for some with no condition worth its name.
    ((i - k + 2 * p) / s, OUT, LAYER, "refuted", "false for all sizes"),
    (Floor((i + 2 * p - k) / s), OUT, LAYER, "refuted", "false for all sizes"),
    (i + 2 * p - k, i + 2 * p - k + 1, LAYER, "refuted", "false for all sizes"),
    (OUT + 1, OUT, LAYER, "refuted", "false for all sizes"),
    (k * k * c * n, k * k * c * n + n, FREE, "refuted", "false for all sizes"),
    (2 * i + 2 * p, 2 * i + 4 * k - 1, FREE, "refuted", "false for all sizes"),
    (i * i + k * s * m + n * c, o * k * i + m * m * s + 3, FREE, "refuted", "true for some sizes"),
    (Num(28) / 3, Num(9), FREE, "refuted", "the numbers differ"),
    (Num(60) * 26, Num(1500), FREE, "refuted", "the numbers differ"),
]


def value(e: Scalar, sizes: Mapping[str, int]) -> Fraction | None:
    """The plain meaning of an expression; None where it has none."""
    inner = [value(x, sizes) for x in parts(e)]
    if None in inner:
        return None
    v = [x for x in inner if x is not None]
    match e:
        case Num(number):
            return Fraction(number)
        case Var(name):
            return Fraction(sizes[name])
        case Plus():
            return sum(v, Fraction(0))
        case Times():
            product = Fraction(1)
            for x in v:
                product *= x
            return product
        case Over():
            return v[0] / v[1] if v[1] else None
        case Pow(_, exponent):
            return v[0] ** exponent if v[0] or exponent >= 0 else None
        case Floor():
            return Fraction(floor(v[0]))
        case Ceil():
            return Fraction(-floor(-v[0]))
        case Mod():
            return v[0] - v[1] * floor(v[0] / v[1]) if v[1] else None
        case Max():
            return max(v)
        case Min():
            return min(v)
    raise AssertionError(e)


def admissible(left: Scalar, right: Scalar, facts: Facts, count: int, seed: int = 0) -> Iterator[dict[str, int]]:
    """Random sizes on two scales that satisfy the facts; assumed values are tried, not solved for."""
    everything = [left, right, *(e for pair in facts.pairs for e in pair)]
    free = sorted({v.name for e in everything for v in walk(e) if isinstance(v, Var)})
    draw = random.Random(seed)
    for _ in range(count):
        top = draw.choice((4, 4, 40))
        sizes = {v: draw.randint(facts.lowest(v), top) for v in free}
        for x, y in facts.equal:
            if isinstance(x, Var) and (assumed := value(y, sizes)) is not None and assumed.denominator == 1:
                sizes[x.name] = int(assumed)
        if satisfied(sizes, facts):
            yield sizes


def satisfied(sizes: Mapping[str, int], facts: Facts) -> bool:
    """Do the sizes satisfy every fact about them? Facts about other names are left aside."""
    both = [[(value(x, sizes), value(y, sizes)) for x, y in pairs if set(names(x, y)) <= set(sizes)]
            for pairs in (facts.equal, facts.at_least, facts.divides)]
    if any(None in pair for pairs in both for pair in pairs) or any(b < facts.lowest(v) for v, b in sizes.items()):
        return False
    parity = all(sizes[v] % 2 == rest for rest, given in ((1, facts.odd), (0, facts.even)) for v in given if v in sizes)
    equal, ordered, whole = both
    return parity and all(x == y for x, y in equal) and all(x >= y for x, y in ordered) and \
        all(x and (y / x).denominator == 1 for x, y in whole)


def hold_to_numbers(left: Scalar, right: Scalar, facts: Facts, found: Decision, count: int = 400) -> None:
    """Raises AssertionError when a decision says anything that numbers contradict."""
    said = f"{left} = {right}: {found}"
    example = found.counterexample
    if example is not None:
        sizes = dict(example.sizes)
        assert satisfied(sizes, facts), said
        assert value(left, sizes) == example.claimed != example.actual == value(right, sizes), said
    assert (example is None) == (found.kind in ("proved", "checked", "unknown")), said
    assert (found.condition is not None) == (found.kind in ("proved_if", "proved_for")), said
    for sizes in admissible(left, right, facts, count):
        x, y = value(left, sizes), value(right, sizes)
        if x is None or y is None:
            continue
        if found.kind == "proved":
            assert x == y, f"{said} at {sizes}"
        elif found.condition is not None:
            holds = found.condition.holds(sizes)
            assert not holds or x == y, f"{said} at {sizes}"
            assert found.kind == "proved_for" or holds or x != y, f"{said} at {sizes}"
        elif found.reason.startswith("false for all sizes") and "tried" not in found.reason:
            assert x != y, f"{said} at {sizes}"


@pytest.mark.parametrize("left, right, facts, kind, said", TABLE, ids=[f"{x[0]} = {x[1]}" for x in TABLE])
def test_table(left: Scalar, right: Scalar, facts: Facts, kind: str, said: str):
    found = decide_scalar(left, right, facts)
    if kind == "not proved":
        assert found.kind in ("proved_if", "proved_for", "refuted")
    else:
        assert found.kind == kind, found
    if kind in ("proved_if", "proved_for"):
        assert str(found.condition) == said
    elif kind == "refuted":
        assert found.reason == said
    hold_to_numbers(left, right, facts, found)


@pytest.mark.parametrize("left, right, facts", [x[:3] for x in TABLE[::4]], ids=[str(x[0]) for x in TABLE[::4]])
def test_both_orders_say_the_same(left: Scalar, right: Scalar, facts: Facts):
    one, other = decide_scalar(left, right, facts), decide_scalar(right, left, facts)
    assert one.kind == other.kind
    hold_to_numbers(right, left, facts, other, 50)


def mutant(e: Scalar, draw: random.Random) -> Scalar:
    """One small mistake somewhere in the expression."""
    inner = parts(e)
    if not inner or draw.random() < 0.2:
        match e:
            case Num(number):
                return Num(number + draw.choice((-1, 1)))
            case Var():
                return draw.choice((i, k, p, s, e + 1, 2 * e))
            case Floor(body):
                return draw.choice((Ceil(body), body))
            case Ceil(body):
                return Floor(body)
            case Plus(terms):
                return Plus(terms[:-1])
            case Over(above, below):
                return draw.choice((above, Over(below, above), Over(above, below + 1)))
        return e + draw.choice((Num(1), Num(-1), p, k))
    at = draw.randrange(len(inner))
    return rebuilt(e, tuple(mutant(x, draw) if j == at else x for j, x in enumerate(inner)))


def test_mutants_are_never_misjudged():
    draw = random.Random(3)
    true = [x for x in TABLE if x[3] == "proved" and any(isinstance(v, Var) for v in walk(x[0]))]
    kinds = []
    for _ in range(250):
        left, right, facts, *_ = draw.choice(true)
        wrong = mutant(left, draw)
        found = decide_scalar(wrong, right, facts)
        hold_to_numbers(wrong, right, facts, found, 120)
        kinds.append(found.kind)
    decided = sum(kind not in ("checked", "unknown") for kind in kinds)
    assert decided >= 0.95 * len(kinds)


def test_the_counterexample_is_the_smallest():
    found = decide_scalar((i - k + 2 * p) / s + 1, OUT, LAYER)
    assert found.counterexample is not None
    assert found.counterexample.sizes == (("i", 2), ("k", 1), ("p", 0), ("s", 2))
    assert (found.counterexample.claimed, found.counterexample.actual) == (Fraction(3, 2), 1)


def test_engines_are_named_and_disagreement_is_an_error(monkeypatch: pytest.MonkeyPatch):
    assert decide_scalar(i + 0, i).engines == ("algebra", "enumeration")
    for wrong, right in ((ALWAYS, i + 1), (NEVER, i)):
        monkeypatch.setattr(module, "judge", lambda case, wrong=wrong: wrong)
        with pytest.raises(EngineDisagreement, match=r"at \{'i': 1\}"):
            decide_scalar(i, right)


def test_what_has_no_answer_is_unknown():
    assert decide_scalar(Num(1) / 0, Num(3)).kind == "unknown"
    assert decide_scalar(i, i, Facts(equal=((i, Num(2)), (i, Num(3))))).kind == "unknown"
    assert decide_scalar(Pow(Num(10), 10**9), Num(1)).kind == "unknown"
    assert decide_scalar(Max(()), i).kind == "unknown"
    deep: Scalar = i
    for _ in range(5000):
        deep = Floor(deep)
    assert decide_scalar(deep, i).kind == "unknown"
    assert decide_scalar(Plus(tuple(Var(f"x{j}") for j in range(200))), i).kind == "unknown"


def test_where_a_side_is_undefined_nothing_is_said():
    found = decide_scalar(p / p, Num(1), FREE)
    assert found.kind == "proved" and "where defined" in found.reason


def test_assumptions_that_need_integers_are_said():
    assert decide_scalar(i, i + 2 * p - k + 1, HALF).reason.endswith("the assumptions need integers: k is odd")
    odd = Facts(ZERO, equal=HALF.equal, odd=frozenset("k"))
    assert "integers" not in decide_scalar(i, i + 2 * p - k + 1, odd).reason


def test_too_high_powers_are_left_to_enumeration():
    assert decide_scalar(Pow(i, 40), Pow(i, 20) * Pow(i, 20)).kind == "checked"


@pytest.mark.parametrize("wrong", [0, 1])
def test_same_padding_gives_a_quotient_rounded_up(wrong: int):
    """TensorFlow, padding 'SAME': the proof takes i apart into a quotient by s and a remainder."""
    i, k, s = Var("i"), Var("k"), Var("s")
    total = Max(((Ceil(i / s) - 1) * s + k - i, Num(0)))
    found = decide_scalar(Floor((i + total - k) / s) + 1 + wrong * (k - 1), Ceil(i / s))
    assert found.kind == ("proved_if" if wrong else "proved")


def test_expressions_print_as_people_write():
    assert str(OUT) == "floor((i + 2p - k)/s) + 1"
    assert str(TOTAL) == "(ceil(i/s) - 1)*s + k - i"
    assert str(-i * k - 3 * (p + 1) + Pow(k, 2)) == "-i*k - 3*(p + 1) + k^2"
    assert str(Max((Mod(i, s), Num(Fraction(1, 2))))) == "max(i mod s, 1/2)"
