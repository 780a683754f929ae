"""Colours can be read by everyone, and every tensor has one."""

from itertools import combinations

import pytest

import symconv
from symconv.lecture.palette import DARK, LIGHT, TINT, TONES, Ink, Theme, inks

# Machado, Oliveira and Fernandes 2009, severity 1, on linear RGB.
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((.152286, 1.052583, -.204868), (.114503, .786281, .099216), (-.003882, -.048116, 1.051998)),
    "deuteranopia": ((.367322, .860646, -.227968), (.280085, .672501, .047413), (-.011820, .042940, .968881)),
    "tritanopia": ((1.255528, -.076749, -.178779), (-.078411, .930809, .147602), (.004733, .691367, .303900)),
}


def channels(colour: str) -> list[float]:
    return [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]


def linear(colour: str) -> list[float]:
    return [c / 12.92 if c <= .04045 else ((c + .055) / 1.055) ** 2.4 for c in channels(colour)]


def contrast(a: str, b: str) -> float:
    low, high = sorted(sum(k * c for k, c in zip((.2126, .7152, .0722), linear(v), strict=True)) for v in (a, b))
    return (high + .05) / (low + .05)


def tinted(tone: str, page: str) -> str:
    mixed = [TINT / 100 * a + (1 - TINT / 100) * b for a, b in zip(channels(tone), channels(page), strict=True)]
    return "#" + "".join(f"{round(255 * c):02x}" for c in mixed)


def oklab(colour: str, matrix: tuple[tuple[float, ...], ...]) -> list[float]:
    def apply(m: tuple[tuple[float, ...], ...], v: list[float]) -> list[float]:
        return [sum(a * b for a, b in zip(row, v, strict=True)) for row in m]
    seen = [min(1, max(0, c)) for c in apply(matrix, linear(colour))]
    cones = apply(((.41222, .53633, .05145), (.21190, .68070, .10740), (.08830, .28172, .62998)), seen)
    return apply(((.21045, .79362, -.00407), (1.97800, -2.42859, .45059), (.02590, .78277, -.80868)),
                 [c ** (1 / 3) for c in cones])


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_text_reaches_wcag_aa_on_everything_behind_it(theme: Theme) -> None:
    for tone in theme.tones.values():
        for behind in (theme.page, theme.card, tinted(tone, theme.page)):
            assert contrast(tone, behind) >= 4.5, (tone, behind)
    for text in (theme.ink, theme.soft):
        assert contrast(text, theme.page) >= 4.5 and contrast(text, theme.card) >= 4.5
    assert contrast(theme.ink, theme.mark) >= 4.5


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("kind", BLINDNESS)
def test_no_two_tones_are_confused(theme: Theme, kind: str) -> None:
    for a, b in combinations(TONES, 2):
        p, q = (oklab(theme.tones[t], BLINDNESS[kind]) for t in (a, b))
        assert sum((u - v) ** 2 for u, v in zip(p, q, strict=True)) ** .5 >= .07, (a, b)


def test_every_tensor_has_an_ink_and_no_two_share_their_terms() -> None:
    found = inks(symconv.Conv(5, 3, bias=True, activation="sigma").system())
    assert found["x"] == found["dx"] == Ink("x", "x")
    assert found["w"].element((2, 1)) == "t-w term-w_2_1"
    assert found["b"].tone == "b" and found["dz"] == Ink("d", "d") and found["z"].tone == found["h"].tone == "o"
    assert len({found[n].key for n in ("x", "w", "b", "z", "h", "dz", "dh")}) == 7


@pytest.mark.parametrize(("latex", "data"), [
    (r"h_i = \sigma(\sum_{j=1}^{k} V_j x_{i+j-1})", "x"), (r"y_i = \sum_j v_j u_{i+j}", "u"),
    (r"y_i = \sum_j A_{ij} v_j", "v")])
def test_the_data_of_a_formula_is_found_by_how_it_is_read(latex: str, data: str) -> None:
    found = inks(symconv.Formula(latex).system())
    assert [n for n, ink in found.items() if ink.key == "x" and n == data] == [data]
