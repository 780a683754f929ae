"""Sizes from layer to layer: induction against evaluation."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from symconv.affine import Affine
from symconv.claims.verify import verify_claim
from symconv.decide.scalar_terms import Num, Plus, Scalar, Times, Var
from symconv.decide.sequence_terms import At, Power, Rules, Step, Total, put
from symconv.decide.sequences import decide_sequences

L, LOWER, I = Affine.of("L"), Affine.of("l"), Affine.of("i")
ONE, MINUS = Num(Fraction(1)), Num(Fraction(-1))
TAPS = Plus((At("k", LOWER), MINUS))
STRIDES = Total("i", Affine.of(1), LOWER - 1, At("s", I), True)
FIELD = Rules({"r": {0: ONE}}, {"r": Step("l", Plus((At("r", LOWER - 1), Times((TAPS, STRIDES)))))})
CLOSED = Plus((ONE, Total("l", Affine.of(1), L, Times((TAPS, STRIDES)))))


def test_a_recurrence_and_its_closed_form() -> None:
    assert decide_sequences(CLOSED, At("r", L), FIELD).kind == "proved"


def test_a_stride_too_many() -> None:
    wrong = Total("i", Affine.of(1), LOWER, At("s", I), True)
    claim = Plus((ONE, Total("l", Affine.of(1), L, Times((TAPS, wrong)))))
    found = decide_sequences(claim, At("r", L), FIELD)
    assert found.kind == "refuted" and found.counterexample is not None
    assert dict(found.counterexample.sizes) == {"L": 1, "k_1": 2, "s_1": 2}
    assert (found.counterexample.claimed, found.counterexample.actual) == (3, 2)


def footprint(kernels: list[int], strides: list[int]) -> int:
    """The inputs one output reaches, counted: the truth, without any formula."""
    reached = {0}
    for k, s in reversed(list(zip(kernels, strides, strict=True))):
        reached = {s * o + j for o in reached for j in range(k)}
    return len(range(min(reached), max(reached) + 1))


def test_the_closed_form_counts_the_inputs_an_output_reaches() -> None:
    draw = random.Random(7)
    for _ in range(50):
        layers = draw.randint(1, 4)
        k, s = ([draw.randint(1, 4) for _ in range(layers)] for _ in "ks")
        known = {"k": {i + 1: Num(Fraction(v)) for i, v in enumerate(k)},
                 "s": {i + 1: Num(Fraction(v)) for i, v in enumerate(s)}}
        rules = Rules({**FIELD.starts, **known}, FIELD.steps)
        assert decide_sequences(Num(Fraction(footprint(k, s))), At("r", Affine.of(layers)), rules).kind == "proved"


def test_what_is_proved_holds_for_random_claims() -> None:
    """Random pairs of nested sums and products: a proof is never contradicted by evaluation (that would raise), and
    the mutated side of a proved pair is."""
    draw = random.Random(3)
    proved = 0
    for _ in range(300):
        left = term(draw, 3)
        right = shuffled(draw, left)
        found = decide_sequences(right, left, FIELD)
        assert found.kind in ("proved", "checked"), (left, right, found)
        proved += found.kind == "proved"
        wrong = Plus((right, Times((At("k", L), Num(Fraction(draw.choice((-1, 1))))))))
        assert decide_sequences(wrong, left, FIELD).kind == "refuted"
    assert proved > 250


def term(draw: random.Random, depth: int, index: Affine = L) -> Scalar:
    kind = draw.randrange(7 if depth else 4)
    if kind < 2:
        return At(draw.choice("ks"), index)
    if kind == 2:
        return Num(Fraction(draw.randint(1, 3)))
    if kind == 3:
        return draw.choice((Power(Num(Fraction(2)), index), Var("a")))
    if kind == 4:
        return Plus((term(draw, depth - 1, index), term(draw, depth - 1, index)))
    if kind == 5:
        return Times((term(draw, depth - 1, index), term(draw, depth - 1, index)))
    name = f"i{depth}"
    return Total(name, Affine.of(1), index - draw.randint(0, 1), term(draw, depth - 1, Affine.of(name)),
                 depth == 1 and draw.random() < 0.5)


def shuffled(draw: random.Random, t: Scalar) -> Scalar:
    """The same number written otherwise: turned round, bound indices renamed, the last term split off."""
    match t:
        case Plus((a, b)):
            return Plus((shuffled(draw, b), shuffled(draw, a)))
        case Times((a, b)):
            return Times((shuffled(draw, b), shuffled(draw, a)))
        case Total(product=False) if not t.high.constant:  # from 1 to L: there is a last term
            return Plus((Total(t.index, t.low, t.high - 1, t.body), last(t)))
    return t


def last(t: Total) -> Scalar:
    return put(t.body, {t.index: t.high})


BACK = [r"r_{l-1} = s_l r_l + (k_l - s_l)"]  # from the last layer, as in Computing receptive fields, Distill, 2019


@pytest.mark.parametrize(("claim", "given", "verdict"), [
    (r"r_L = 1 + (k-1) \frac{s^L - 1}{s - 1}", [r"r_l = r_{l-1} + (k-1) s^{l-1}", "r_0 = 1"], "proved"),
    (r"r_L = 1 + (k-1) \frac{s^L - 1}{s}", [r"r_l = r_{l-1} + (k-1) s^{l-1}", "r_0 = 1"], "refuted"),
    (r"\mathrm{RF}_L = 2^{L+1} - 1", [r"\mathrm{RF}_l = \mathrm{RF}_{l-1} + (K_l - 1) \prod_{m=1}^{l-1} s_m",
                                      r"\mathrm{RF}_0 = 1", "K_l = 3", "s_m = 2"], "proved"),
    (r"r_l = r_{l-1} + (k_l - 1) j_{l-1}", ["r: receptive field", "k: kernel size", "s: stride",
                                            "j_l = j_{l-1} s_l", "j_0 = 1"], "proved"),
    (r"r_l = r_{l-1} + (k_l - 1) s_l", ["r: receptive field", "k: kernel size", "s: stride"], "refuted"),
    (r"r_l = 2^{999999999}", ["r_l = r_{l-1} + k_l"], "not_understood"),
    (r"r_3 = 9", [r"r_n = 1 + \sum_{l=1}^{n} (k_l - 1)"], "not_understood"),
    (r"r_3 = k_1 + k_2 + k_3 - 2", [r"r_n = 1 + \sum_{l=1}^{n} (k_l - 1)"], "proved"),
    (r"r_L = \sum_{l=1}^{L} \frac{k_l - 1}{s_l}", [r"r_l = r_{l-1} + \frac{k_l - 1}{s_l}", "r_0 = 0"], "proved"),
    (r"r_L = \sum_{l=1}^{L} \frac{k_l - 1}{s_l + 1}", [r"r_l = r_{l-1} + \frac{k_l - 1}{s_l}", "r_0 = 0"], "refuted"),
    (r"r_L = \prod_{l=1}^{L} \frac{1}{s_l}", [r"r_l = r_{l-1} \frac{1}{s_l}", "r_0 = 1"], "proved"),
    (r"r_0 = 1 + \sum_{l=1}^{L} (k_l - 1) \prod_{i=1}^{l-1} s_i", [*BACK, "r_L = 1"], "proved"),
    (r"r_0 = 1 + \sum_{l=1}^{L} (k_l - 1) \prod_{i=1}^{l} s_i", [*BACK, "r_L = 1"], "refuted"),
    (r"r_0 = 1 + (k-1) \frac{s^L - 1}{s - 1}", [r"r_{l-1} = s r_l + (k - s)", "r_L = 1"], "proved"),
    (r"r_0 = k_1 + s_1 (k_2 - 1)", [*BACK, "r_2 = 1"], "proved"),
    (r"r_0 = k_1 + s_1 (k_2 - 1)", BACK, "not_understood"),
    (r"r_3 = k_1", [*BACK, "r_2 = 1"], "not_understood"),
    ("r_L = 1 + 2 L", [r"r_{l-1} = r_l - 2", "r_0 = 1"], "not_understood"),
    (r"P_0 = \sum_{l=1}^{L} p_l \prod_{i=1}^{l-1} s_i", [r"P_{l-1} = s_l P_l + p_l"], "not_understood"),
    (r"r_L = 2^{-L}", [r"r_l = \frac{r_{l-1}}{2}", "r_0 = 1"], "checked"),
])  # fmt: skip
def test_as_authors_write_it(claim: str, given: list[str], verdict: str) -> None:
    assert verify_claim(claim, given=given).verdict == verdict


def test_a_sum_that_is_empty_for_few_layers_is_not_its_number_of_terms() -> None:
    """sum_{l=1}^{L-30} 1 is 0, not L - 30, below 30 layers."""
    ones = [Total("l", Affine.of(1), L - n, ONE) for n in (30, 31)]
    assert decide_sequences(ones[0], Plus((ones[1], ONE)), FIELD).kind in ("checked", "refuted")


def test_the_first_element_of_a_sequence_is_what_is_said() -> None:
    """j_0 = 3 although j_l = s otherwise."""
    rules = Rules({"j": {0: Num(Fraction(3))}}, {"j": Step("l", Var("s"))})
    assert decide_sequences(Var("s"), At("j", L - 1), rules).kind == "refuted"
    assert decide_sequences(Var("s"), At("j", L), rules).kind == "proved"


def test_a_start_inside_a_recurrence_counts_among_the_first_layers() -> None:
    """The sum begins at 20 layers; what holds before need not hold after."""
    late = Total("i", Affine.of(20), LOWER, At("s", I))
    rules = Rules({"r": {0: ONE}}, {"r": Step("l", Plus((At("r", LOWER - 1), Times((late, At("k", LOWER))))))})
    assert decide_sequences(ONE, At("r", L), rules).kind != "proved"


def test_letters_that_number_layers_stay_letters() -> None:
    from symconv import verify

    text = (r"$r_l = r_{l-1} + (k_l - 1) \prod_{i=1}^{l-1} s_i$ and $z_i = \sum_j W_{ij} x_j$, so "
            r"$\frac{\partial L}{\partial x_j} = \sum_i W_{ij} \frac{\partial L}{\partial z_i}$.")
    assert [f.verdict for f in verify(text) if f.verdict] == ["definition", "definition", "proved"]
