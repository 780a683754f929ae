"""Elements written out one by one, with the rest left to the reader."""

from __future__ import annotations

import random
from itertools import product

import pytest

from symconv import verify


def name(letter: str, at: tuple[int, ...]) -> str:
    return f"{letter}_{{{''.join(map(str, at))}}}"


def element(at: tuple[int, ...], taps: int, stride: int) -> str:
    places = product(range(1, taps + 1), repeat=len(at))
    return " + ".join(f"{name('x', tuple(stride * (p - 1) + q for p, q in zip(at, tap, strict=True)))}{name('w', tap)}"
                      for tap in places)


def gradient(by: str, at: tuple[int, ...], taps: int, stride: int, outputs: int) -> list[str]:
    """The products of dL/d(by)_at, found by going through all outputs and taps."""
    found = []
    for p in product(range(1, outputs + 1), repeat=len(at)):
        for tap in product(range(1, taps + 1), repeat=len(at)):
            there = tuple(stride * (a - 1) + q for a, q in zip(p, tap, strict=True))
            met, other = (there, name("w", tap)) if by == "x" else (tap, name("x", there))
            if met == at:
                found.append(f"g_{{{''.join(map(str, p))}}}{other}")
    return found


@pytest.mark.parametrize("seed", range(12))
def test_the_rest_follows_the_pattern(seed: int) -> None:
    draw = random.Random(seed)
    rank, taps, stride, outputs = draw.choice((1, 2)), 2, draw.choice((1, 2)), draw.choice((2, 3))
    shown = [(1,) * rank, (outputs,) * rank]  # the first and the last say how many there are
    text = ", ".join(f"${name('y', at)} = {element(at, taps, stride)}$" for at in shown)
    text += r", $g = \frac{\partial L}{\partial y}$. "
    by = draw.choice("xw")
    at = tuple(draw.randint(1, taps) for _ in range(rank))
    right = gradient(by, at, taps, stride, outputs)
    draw.shuffle(right)
    claim = rf"\frac{{\partial L}}{{\partial {name(by, at)}}} = "
    assert said(f"{text} ${claim}{' + '.join(right)}$") == "proved"
    wrong = [*right[1:], right[0].replace("g_", "2 g_")]
    assert said(f"{text} ${claim}{' + '.join(wrong)}$") == "refuted"


def said(text: str) -> str:
    *_, last = [f for f in verify(text) if f.verdict]
    return last.verdict


def test_elements_without_a_pattern_are_left_alone() -> None:
    text = (r"$y_1 = w_1 x_1 + w_2 x_2$, $y_3 = w_1 x_4 + w_2 x_3$. "
            r"$\frac{\partial L}{\partial x_2} = \frac{\partial L}{\partial y_1} w_2$")
    assert said(text) == "not_understood"


def test_nabla_of_an_element_is_its_gradient() -> None:
    text = (r"$z_{11} = a_{11}w_{11} + a_{12}w_{12} + a_{21}w_{21} + a_{22}w_{22}$, "
            r"$z_{22} = a_{22}w_{11} + a_{23}w_{12} + a_{32}w_{21} + a_{33}w_{22}$. $\nabla a_{12} = ")
    assert said(text + r"\delta_{11}w_{12} + \delta_{12}w_{11}$") == "proved"
    assert said(text + r"\delta_{11}w_{11} + \delta_{12}w_{12}$") == "refuted"
