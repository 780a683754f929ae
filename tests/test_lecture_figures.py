"""Figures are read back as a person reads them, by where things stand on paper, and compared with the oracle."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache, cached_property
from itertools import product
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from symconv import Conv, Dense, Formula
from symconv.affine import Affine
from symconv.derivation import Derivation, derive
from symconv.equation import Access, Equation
from symconv.family import random_equation, random_layer
from symconv.lecture.figures import Figure, figures
from symconv.lecture.palette import LIGHT, Ink, inks
from symconv.lecture.words import LANGUAGES, words
from symconv.reference import forward, gradients
from symconv.reference_points import points
from symconv.system import System

NS = "{http://www.w3.org/2000/svg}"
Index = tuple[int, ...]
Place = tuple[float, float]
LARGEST = 40_000  # bytes of one figure
NAMED = {
    "1-D": Conv(5, 3), "2-D": Conv((5, 5), (3, 3)), "28x28": Conv((28, 28), (3, 3)),
    "stride, padding": Conv(7, 3, stride=2, padding=1), "2-D stride": Conv((6, 5), (3, 2), stride=2, padding=1),
    "dilation": Conv(9, 3, dilation=2), "stride, dilation": Conv(11, 2, stride=3, dilation=2),
    "transposed": Conv(4, 3, stride=2, transposed=True, padding=1),
    "2-D transposed": Conv((3, 3), (3, 3), stride=2, transposed=True, padding=1),
    "channels": Conv((8, 8), (3, 3), channels=3, filters=4, bias=True),
    "1-D channels": Conv(6, 3, channels=2, filters=2),
    "depthwise": Conv((6, 6), (3, 3), channels=4, filters=4, groups=4), "flip": Conv(6, 3, flip=True, bias=True),
    "local": Formula(r"y_i = \sum_{j=1}^{k} w_{ij} x_{i+j-1}", {"k": 3, "n": 5}),
    "three factors": Formula(r"y_i = \sum_{j=1}^{k} w_j v_j x_{i+j-1}", {"k": 3, "n": 6}),
    "two terms": Formula(r"y_i = \sum_{j=1}^{k} w_j x_{i+j-1} - 2 v_i", {"k": 3, "n": 6}),
    "matrices": Formula(r"y_{ij} = \sum_{k=1}^{p} A_{ik} B_{kj} + c_j", {"p": 3, "n_i": 2, "n_j": 4}),
    "relu": Conv(6, 3, bias=True, activation="relu"),
    "MLP": Dense(4, 3), "MLP, relu": Dense(4, 3, activation="relu"),
    "formula": Formula(r"o_i = \sum_{j=1}^{k} V_j x_{i+j-1}", {"k": 3, "n": 6}),
}
LARGE = {
    "224x224": Conv((224, 224), (7, 7), channels=3, filters=64, stride=2, padding=3),
    "long": Conv(1000, 40, stride=4), "volume": Conv((9, 12, 13), (3, 3, 3), channels=2, filters=2),
    "wide MLP": Dense(784, 10), "11x11": Conv((227, 227), (11, 11), stride=4),
    "wide": Conv((64, 64), (1, 9), dilation=3),
}


def small(seed: int, rank: int) -> Conv:
    """A random layer whose arrays are drawn whole, element by element."""
    rng = random.Random(seed)
    while True:
        layer = random_layer(rng, rank, 2)
        most = max((*(a.input for a in layer.axes), *layer.output))
        spread = max(a.stride * (layer.output[n] - 1) + a.span for n, a in enumerate(layer.axes))
        if most <= (9 if rank == 1 else 6) and spread <= 14:
            return replace(layer, activation=None)


FAMILY = {f"{rank}-D {seed}": small(seed, rank) for rank in (1, 2) for seed in range(12)}
LAYERS = {**NAMED, **FAMILY}
EQUATIONS = {f"equation {seed}": random_equation(random.Random(seed)) for seed in range(40)}


@dataclass(frozen=True)
class Case:
    """A layer with its figures, its numbers, and what the oracle makes of them."""

    derivation: Derivation
    system: System
    values: dict[str, Any]
    drawn: tuple[Figure, ...]

    @cached_property
    def inks(self) -> dict[str, Ink]:
        return inks(self.system)

    def figure(self, name: str) -> Figure | None:
        return next((f for f in self.drawn if f.name == name), None)


def numbers(system: System, seed: int) -> dict[str, Any]:
    """Inputs and the upstream gradient, in the caller's shape."""
    rng = np.random.default_rng(seed)
    given = {t.name: rng.integers(-4, 5, t.array_shape) for t in system.inputs}
    return {**given, f"d{system.output.name}": rng.integers(-4, 5, system.output.array_shape)}


@cache
def case(name: str) -> Case:
    derivation = derive({**LAYERS, **EQUATIONS}[name])
    system = derivation.system.concrete()
    given = numbers(system, len(name))
    upstream = given[f"d{system.output.name}"]
    oracle = {**given, **forward(system, given),
              **{f"d{n}": g for n, g in gradients(system, given, upstream).items()}}
    tensors = {t.name: t for e in system.equations for t in (e.output, *e.reads)}
    values = {n: np.asarray(v).reshape(tensors[n.removeprefix("d") if n not in tensors else n].extents)
              for n, v in oracle.items() if n in tensors or n.removeprefix("d") in tensors}
    known = values if system.functions else given  # a pointwise function has no numbers here
    return Case(derivation, system, values, figures(derivation, words("en"), known))


def meetings(system: System) -> dict[tuple[str, str, str], set[tuple[Index, Index, Index]]]:
    """(result, factor, factor) elements of every product of two, as the oracle enumerates them."""
    found: dict[tuple[str, str, str], set[tuple[Index, Index, Index]]] = {}
    for e in system.equations:
        for t in (t for t in e.terms if len(t.factors) == 2):
            accesses: tuple[Access, ...] = (e.left, *t.factors)
            shapes = [a.tensor.extents for a in accesses]
            here = found.setdefault((e.output.name, *(f.tensor.name for f in t.factors)), set())  # type: ignore[arg-type]
            for block in points(e, t).blocks(accesses):
                for start in block.starts:
                    for flat in zip(*(s + o for s, o in zip(start, block.offsets, strict=True)), strict=True):
                        here.add(tuple(tuple(map(int, np.unravel_index(f, s)))  # type: ignore[arg-type]
                                       for f, s in zip(flat, shapes, strict=True)))
    return found


def triples(c: Case, *names: str) -> set[tuple[Index, ...]]:
    """The elements of these arrays that meet; a gradient's element stands for its array's."""
    order = [n.removeprefix("d") if n not in {t.name for e in c.system.equations for t in (e.output, *e.reads)} else n
             for n in names]
    for key, found in meetings(c.system).items():
        if set(key) == set(order):
            return {tuple(m[key.index(n)] for n in order) for m in found}
    raise AssertionError(f"{names} never meet")


@dataclass(frozen=True)
class Mark:
    """Something on paper: its tag, its class, the terms around it, where it stands, and what it says."""

    tag: str
    kind: str
    terms: tuple[str, ...]
    at: Place
    text: str
    data: dict[str, str]


def marks(svg: str) -> list[Mark]:
    found: list[Mark] = []

    def walk(e: ElementTree.Element, dx: float, dy: float, terms: tuple[str, ...]) -> None:
        m = re.fullmatch(r"translate\((\S+) (\S+)\)", e.get("transform", ""))
        dx, dy = (dx + float(m[1]), dy + float(m[2])) if m else (dx, dy)
        classes = e.get("class", "")
        terms += tuple(re.findall(r"term-(\S+)", classes))
        x, y = e.get("x", "0").split()[0], e.get("y", "0")
        if e.tag == NS + "path" and (start := re.match(r"M(\S+) (\S+?)[hvLHC]", e.get("d", ""))):
            x, y = start[1], start[2]
        found.append(Mark(e.tag.removeprefix(NS), classes.split(" ")[0], terms, (float(x) + dx, float(y) + dy),
                          "".join(e.itertext()), dict(e.items())))
        for child in e:
            walk(child, dx, dy, terms)

    walk(ElementTree.fromstring(svg), 0, 0, ())
    return found


def cells(svg: str) -> dict[str, list[tuple[Place, str]]]:
    """The cells of each term: where, and the number in it."""
    all_marks = marks(svg)
    texts = [m for m in all_marks if m.tag == "text" and plain(m.text) is not None]
    found: dict[str, list[tuple[Place, str]]] = {}
    for m in all_marks:
        if m.kind == "c" and m.terms:
            size = float(m.data.get("width") or re.findall(r"h([\d.]+)", m.data.get("d", "h0"))[0])
            inside = [t.text for t in texts if t.terms[-1:] in ((), m.terms[-1:])
                      and 0 < t.at[0] - m.at[0] < size and 0 < t.at[1] - m.at[1] < size]
            found.setdefault(m.terms[-1], []).append((m.at, inside[0] if inside else ""))
    return found


def stills(f: Figure) -> list[str]:
    """Its frames, each complete in itself."""
    return [f.file(n).split("?>", 1)[1] for n in range(len(f.frames))]


def plain(text: str) -> int | None:
    """A number as it stands in a cell."""
    return int(text.replace("−", "-")) if re.fullmatch(r"−?\d+", text) else None


def term(c: Case, name: str, index: Index) -> str:
    """`x_1_3`"""
    return c.inks[name].element(tuple(i + 1 for i in index)).split("term-")[1]


def near(a: Place, b: Place, by: float = 1.5) -> bool:
    return abs(a[0] - b[0]) < by and abs(a[1] - b[1]) < by


# Lines between rows.


def lines(svg: str, kind: str) -> set[tuple[str, str, str]]:
    """(from, to, weight) of every line of a kind."""
    found, all_marks = set(), marks(svg)
    boxes = [(m.at, m.terms[-1]) for m in all_marks if m.kind == "c" and m.terms and m.tag == "rect"]
    for m in (m for m in all_marks if m.kind == kind and "data-from" in m.data):
        x1, y1, x2, y2 = map(float, re.findall(r"-?[\d.]+", m.data["d"]))
        for x, y, key in ((x1, y1, "data-from"), (x2, y2, "data-to")) if boxes else ():
            [end] = [t for at, t in boxes if at[0] <= x <= at[0] + 44 and min(abs(y - at[1]), abs(y - at[1] - 44)) < 8]
            assert end == m.data[key], "the line ends at another cell than it says"
        found.add((m.data["data-from"], m.data["data-to"], m.terms[-1]))
    return found


def first_slices(c: Case, ground: str, out: str, window: str) -> set[tuple[str, str, str]]:
    """What lines have to show: every product between the elements that have cells, of the slices shown."""
    spatial = _shown_axes(c)
    found = set()
    for g, o, w in triples(c, ground, out, window):
        if all(all(i == 0 for n, i in enumerate(index) if n not in spatial[name])
               for name, index in ((ground, g), (out, o), (window, w))):
            found.add((term(c, ground, g), term(c, out, o), term(c, window, w)))
    return found


def _shown_axes(c: Case) -> dict[str, set[int]]:
    """The axes along which a layer with one sliding axis is shown: the last ones; all of a fully connected one."""
    spec = dict(c.system.spec)
    found: dict[str, set[int]] = {}
    for e in c.system.equations:
        for t in (e.output, e.output.gradient(), *(x for r in e.reads for x in (r, r.gradient()))):
            found[t.name] = {len(t.shape) - 1} if spec.get("layer") == "Conv" else set(range(len(t.shape)))
    return found


OTHERS = ("local", "three factors", "two terms", "matrices")  # neither a window nor a network of one layer
LINED = [n for n, layer in LAYERS.items() if n not in OTHERS and (not isinstance(layer, Conv) or layer.rank == 1)]


@pytest.mark.parametrize("name", LINED)
def test_the_lines_are_the_products_the_oracle_scatters(name: str):
    c = case(name)
    out = c.system.equations[0].output.name
    weight = next(n for n in (t.name for t in c.system.inputs) if n not in ("x", "b"))
    back, ahead = c.figure("backward-x"), c.figure("network")
    drawn = 0
    if back is not None and lines(back.svg, "h"):
        assert lines(back.svg, "h") == first_slices(c, f"d{out}", "dx", weight)
        for frame in (back.svg, *stills(back)):
            assert lines(frame, "l") <= lines(back.svg, "h")
        assert lines(back.svg, "l") == lines(back.svg, "h"), "the film goes through every line"
        drawn += 1
    if ahead is not None:
        assert {k for k in lines(ahead.svg, "t") if k[2].count("_") == _rank(c, weight)} >= first_slices(
            c, "x", out, weight)
        drawn += 1
    assert drawn or name in FAMILY


def _rank(c: Case, name: str) -> int:
    return len(next(t for t in c.system.inputs if t.name == name).shape)


def test_each_frame_shows_all_lines_into_its_element():
    c = case("1-D")
    back = c.figure("backward-x")
    for frame in stills(back):
        into = {t for _, t, _ in lines(frame, "l")}
        assert len(into) == 1
        assert lines(frame, "l") == {k for k in lines(back.svg, "h") if k[1] in into}


def test_the_flipped_order_is_seen():
    """Of x_3 in the notes: delta_1, delta_2, delta_3 from left to right bring w_3, w_2, w_1."""
    c = case("1-D")
    frame = next(f for f in stills(c.figure("backward-x")) if ("d_1", "x_3", "w_3") in lines(f, "l"))
    pills = sorted((m.at[0], m.terms[-1]) for m in marks(frame) if m.kind == "p")
    assert [t for _, t in pills] == ["w_3", "w_2", "w_1"]


def test_a_wrong_gradient_is_seen():
    """The comparison can fail: with the kernel the wrong way round the lines are others."""
    d = derive(Conv(5, 3))
    wrong = d.grad["x"].terms[0]
    m, j = Affine.of("m"), Affine.of("j")
    turned = Equation(d.grad["x"].left, wrong.factors[0].tensor[m + j - 2] * wrong.factors[1].tensor[j],
                      d.grad["x"].context)
    drawn = figures(replace(d, grad={**d.grad, "x": turned}), words("en"))
    back = next(f for f in drawn if f.name == "backward-x")
    assert lines(back.svg, "h") != first_slices(case("1-D"), "dy", "dx", "w")


# Windows on paper.


SLIDES = [(n, kind) for n in LAYERS if n not in OTHERS for kind in ("forward", "dx", "dw")]


def slide_of(c: Case, kind: str) -> tuple[Figure, tuple[str, str, str]] | None:
    """The sliding figure of the forward or of a gradient, and the arrays in it: (ground, window, result)."""
    e = c.system.equations[0]
    inputs = [t.name for t in e.reads if t.name != "b"]
    weight = next(n for n in inputs if n != "x")
    out = e.output.name
    arrays = {"forward": ("x", weight, out), "dx": (f"d{out}", weight, "dx"),
              "dw": ("x", f"d{out}", f"d{weight}")}[kind]
    tail = {"forward": "forward", "dx": "backward-x", "dw": f"backward-{weight}"}[kind]
    for name in ("dilated-delta", f"{tail}-slide", tail) if kind == "dx" else (f"{tail}-slide", tail):
        found = c.figure(name)
        if found is not None and found.frames and any(m.kind == "w" for m in marks(stills(found)[0])):
            return found, arrays
    return None


@pytest.mark.parametrize("name, kind", SLIDES)
def test_what_lies_on_each_other_is_what_meets(name: str, kind: str):
    c = case(name)
    found = slide_of(c, kind)
    if found is None:
        assert not isinstance(LAYERS[name], Conv) or name in FAMILY
        return
    figure, (ground, window, out) = found
    if len(cells(stills(figure)[0]).get(term(c, ground, (0,) * _dims(c, ground)), ())) == 0:
        return
    met = {(ground, window): triples(c, ground, window, out), (window, ground): triples(c, window, ground, out)}
    for frame in stills(figure):
        computed, seen = overlaps(c, frame, ground, window, out)
        g, w = ground, window
        if computed is None:
            g, w = window, ground
            computed, seen = overlaps(c, frame, g, w, out)
        assert computed is not None
        boxes, over = cells(frame), window_terms(frame)
        shown = {(term(c, g, a), term(c, w, b)) for a, b, o in met[g, w] if term(c, out, o) == computed}
        shown = {(a, b) for a, b in shown if a in boxes and b in over}
        assert seen == shown
        assert seen or not shown or bare(frame)


def _dims(c: Case, name: str) -> int:
    return c.values[name].ndim


def bare(frame: str) -> bool:
    """Is a window of so many elements drawn as an outline only?"""
    return not any(m.kind == "f" and m.terms for m in marks(frame)) and sum(m.kind == "w" for m in marks(frame)) == 1


def window_terms(frame: str) -> set[str]:
    return {m.terms[-1] for m in marks(frame) if m.terms and m.kind in ("f", "c")}


def overlaps(c: Case, frame: str, ground: str, window: str, out: str) -> tuple[str | None, set[tuple[str, str]]]:
    """(the ringed element, which ground cell lies on which window cell), read from places alone."""
    all_marks = marks(frame)
    ring = next(m.at for m in all_marks if m.kind == "o")
    key = {n: c.inks[n].key for n in (ground, window, out)}
    boxes = [(m.terms[-1], m.at) for m in all_marks if m.kind == "c" and m.terms]
    computed = next((t for t, at in boxes if near(at, ring, 3.5) and t.startswith(key[out] + "_")), None)
    panels = [(m.terms[-1], m.at) for m in all_marks if m.kind == "f" and m.terms]
    below = [(t, at) for t, at in boxes if t.startswith(key[window] + "_")]
    if not panels:
        dashed = next(m for m in all_marks if m.kind == "w")
        assert abs(dashed.at[0] + float(dashed.data["width"]) / 2 - ring[0] - 24) < 22, "a result is below its window"
    if panels:
        if not panels[0][0].startswith(key[window] + "_"):
            return None, set()
        pairs = {(t, w) for w, at in panels for t, place in boxes
                 if near(place, at) and t.startswith(key[ground] + "_")}
        return computed, pairs
    row = [(t, at) for t, at in boxes if t.startswith(key[ground] + "_") and abs(at[1]) < 1]
    under = [(t, at) for t, at in below if 40 < at[1] < 80]
    if not row or not under:
        return None, set()
    return computed, {(t, w) for t, a in row for w, b in under if abs(a[0] - b[0]) < 1.5}


def is_meeting(f: Figure) -> bool:
    """Are elements marked where they stand, with no window moved over them?"""
    found = marks(stills(f)[0]) if f.frames else []
    return any(m.kind == "o" for m in found) and not any(m.kind in ("w", "h") for m in found)


def meets(c: Case, wrt: str, at: Index) -> set[str]:
    """Terms of all elements in the products of one element, forward or scattered back, as the oracle enumerates."""
    found: set[str] = set()
    for e in c.system.equations:
        for t in e.terms:
            accesses: tuple[Access, ...] = (e.left, *t.factors)
            for block in points(e, t).blocks(accesses):
                for start in block.starts:
                    for flat in zip(*(s + o for s, o in zip(start, block.offsets, strict=True)), strict=True):
                        here = [tuple(map(int, np.unravel_index(f, a.tensor.extents))) if a.tensor.shape else ()
                                for f, a in zip(flat, accesses, strict=True)]
                        for n, (a, index) in enumerate(zip(accesses, here, strict=True)):
                            if (a.tensor.name, index) == (wrt, at):
                                names = ["d" * (n > 0) + e.output.name, *(f.tensor.name for f in t.factors)]
                                found |= {term(c, m, i) for k, (m, i) in enumerate(zip(names, here, strict=True))
                                          if k != n or a.function}  # f'(x) reads x as well
    return found


@pytest.mark.parametrize("name", [*LAYERS, *EQUATIONS])
def test_marked_elements_are_those_that_meet(name: str):
    c = case(name)
    for f in filter(is_meeting, c.drawn):
        wrt = f.name.removeprefix("backward-") if "backward" in f.name else c.system.equations[0].output.name
        for frame in stills(f):
            rings = [m.at for m in marks(frame) if m.kind == "o"]
            boxes = [(t, at) for t, found in cells(frame).items() for at, _ in found]
            marked = [next(t for t, at in reversed(boxes) if near(at, ring)) for ring in rings]
            assert "backward" not in f.name or marked[-1].startswith(c.inks[wrt].key)
            index = tuple(int(i) - 1 for i in marked[-1].split("_")[1:])
            assert set(marked[:-1]) == meets(c, wrt, index)


def test_equations_of_other_kinds_are_drawn_too():
    assert {n for n in NAMED if any(map(is_meeting, case(n).drawn))} >= {"local", "three factors", "two terms"}


# Numbers.


@pytest.mark.parametrize("name", LAYERS)
def test_every_number_is_the_oracle_s(name: str):
    c, seen = case(name), 0
    upstream = [f"d{e.output.name}" for e in c.system.equations]
    by_key = {c.inks[n].key: n for n in c.values if n in c.inks and not _is_gradient(c, n)}
    by_key |= {c.inks[n].key: n for n in upstream}
    for f in c.drawn:
        wrt = f.name.split("-")[1] if f.name.startswith("backward-") else "x" if f.name == "dilated-delta" else ""
        for svg in (f.svg, *stills(f)):
            for t, places in cells(svg).items():
                key, *index = t.split("_")
                array = by_key[key]
                if array == wrt:
                    array = f"d{wrt}"
                for _, text in places:
                    if text:
                        assert plain(text) == c.values[array][tuple(int(i) - 1 for i in index)], (f.name, t, array)
                        seen += 1
    assert seen > 3


def _is_gradient(c: Case, name: str) -> bool:
    return name.startswith("d") and name.removeprefix("d") in c.values


@pytest.mark.parametrize("name", LAYERS)
def test_every_sum_written_out_is_right(name: str):
    """`o_1 = w_1 x_1 + w_2 x_2 = 2·1 + 3·(−1) = −1`: every part has the value of the last, and so says the oracle."""
    c, seen = case(name), 0
    for f in c.drawn:
        for caption in f.captions:
            left, *parts = caption.split(" = ")
            result = parts[-1]
            m = re.fullmatch(r"(∂L/∂)?([^\W\d]+)(?:_([\d,]+))?", left)
            assert m, caption
            tensor = next(t for e in c.system.equations for t in (e.output, *e.reads)
                          if t.symbol == m[2] or t.name == m[2])
            array = c.values[("d" if m[1] else "") + tensor.name]
            assert plain(result) == array[tuple(int(i) - 1 for i in (m[3] or "").split(",") if i)], caption
            for part in parts[:-1]:
                if re.fullmatch(r"[−\d·()+/ ]+", part):
                    assert eval_sum(part) == plain(result), caption
                    seen += 1
    assert seen or not any(f.captions for f in c.drawn) or name in FAMILY


def eval_sum(text: str) -> Fraction:
    total, items = Fraction(0), re.findall(r"(^−?| \+ | − )([^ ]+)", text)
    assert "".join(sign + item for sign, item in items) == text
    for sign, item in items:
        value = Fraction(-1 if "−" in sign else 1)
        for factor in item.split("·"):
            value *= Fraction(factor.strip("()").replace("−", "-"))
        total += value
    return total


def test_no_sum_is_written_with_numbers_nobody_gave():
    d = derive(NAMED["three factors"])
    given = {"x": [1, 2, 3, 4, 5, 6], "w": [1, 2, 3], "y": [9, 9, 9, 9], "dy": [1, 1, 1, 1]}
    right = [caption.split(" = ", 1)[1] for f in figures(d, words("en"), given) for caption in f.captions]
    unknown = [text for text in right if "v_" in text]
    assert unknown and not any(re.search(r"\d·|·\d|= −?\d", text) for text in unknown)


@pytest.mark.parametrize("name", ["channels", "1-D channels", *(n for n in FAMILY)])
def test_the_channels_add_up(name: str):
    c = case(name)
    f = c.figure("accumulation")
    if f is None:
        return
    parts = [plain(m.text) for m in marks(f.svg)
             if m.tag == "text" and not m.terms and plain(m.text) is not None and m.data.get("font-size") == "17"]
    out = c.system.output.name
    key = c.inks[out].key
    [[(_, total)]] = [p for t, p in cells(f.svg).items() if t.startswith(key + "_")]
    added = sum(plain(p[0][1]) or 0 for t, p in cells(f.svg).items() if t.split("_")[0] == "b")
    assert len(parts) > 1
    assert sum(p for p in parts if p is not None) + added == plain(total)


# Matrices.


@pytest.mark.parametrize("name", LAYERS)
def test_the_matrix_is_the_layer(name: str):
    """T read cell by cell from paper, and its transpose: the elements that the oracle multiplies with each other."""
    c = case(name)
    f = c.figure("toeplitz")
    if name in OTHERS or f is None or not any(m.kind == "faint" for m in marks(f.svg)):
        return
    e = c.system.equations[0]
    weight = next(t.name for t in e.reads if t.name not in ("x", "b"))
    found = cells(f.svg)
    corners = [m for m in marks(f.svg) if m.kind == "faint"]
    keys = {n: c.inks[n].key + "_" for n in ("x", e.output.name, weight, f"d{e.output.name}")}
    size = min(abs(a[1] - b[1]) for t, p in found.items() if t.startswith(keys["x"]) for a, _ in p
               for u, q in found.items() if u.startswith(keys["x"]) and u != t for b, _ in q) if sum(
                   t.startswith(keys["x"]) for t in found) > 1 else 38.0
    xs = sorted((t for t in found if t.startswith(keys["x"])), key=lambda t: found[t][0][0][1])
    for corner, rows_key, turned in zip(corners, (keys[e.output.name], keys["x"]), (False, True), strict=True):
        heads = {round(p[-1 if turned else 0][0][1]): t for t, p in found.items() if t.startswith(rows_key)}
        columns = xs if not turned else sorted((t for t in found if t.startswith(keys[f"d{e.output.name}"])),
                                               key=lambda t: found[t][0][0][1])
        seen = set()
        for t, places in found.items():
            for (x, y), _ in places if t.startswith(keys[weight]) else ():
                column = round((x - corner.at[0]) / size)
                if corner.at[0] - 1 < x and 0 <= column < len(columns) and (turned or x < corners[1].at[0] - size):
                    seen.add((heads[round(y)], columns[column], t))
        meant = {(term(c, "x", a), term(c, f"d{e.output.name}", o), term(c, weight, b)) if turned else
                 (term(c, e.output.name, o), term(c, "x", a), term(c, weight, b))
                 for a, o, b in triples(c, "x", e.output.name, weight)}
        shown = {m for m in meant if m[0] in found and m[1] in found and m[2] in found}
        assert seen == shown


# Files.


@cache
def in_language(name: str, language: str) -> tuple[Figure, ...]:
    return figures({**NAMED, **LARGE}[name], words(language))


@pytest.mark.parametrize("name, language", list(product({**NAMED, **LARGE}, LANGUAGES)))
def test_figures_are_sound_files(name: str, language: str):
    drawn = in_language(name, language)
    assert drawn
    ids: list[str] = []
    for f in drawn:
        assert f.title and f.description and "{" not in f.title + f.description
        assert len(f.captions) == len(f.frames)
        for svg in (f.svg, *f.frames):
            assert len(svg.encode()) <= LARGEST, f.name
            root = ElementTree.fromstring(svg)
            assert root.get("role") == "img"
            named = (root.get("aria-labelledby") or "").split()
            inner = {e.get("id"): e.text for e in root.iter() if e.get("id")}
            assert len(named) == 2 and all(inner[n] for n in named)
            ids += [i for i in inner if i]
            assert "nan" not in svg and "<script" not in svg and "None" not in svg
    assert len(ids) == len(set(ids)), "one page holds all figures"
    assert len({f.name for f in drawn}) == len(drawn)


def test_a_file_stands_alone(tmp_path):
    f = case("1-D").figure("forward")
    f.save(tmp_path / "moving.svg")
    f.save(tmp_path / "still.svg", frame=0, theme=LIGHT)
    moving, still = ((tmp_path / n).read_text(encoding="utf-8") for n in ("moving.svg", "still.svg"))
    for text in (moving, still):
        ElementTree.fromstring(text.encode())
        assert "var(" not in text and LIGHT.tones["x"] in text
    assert "@keyframes" in moving and "prefers-reduced-motion" in moving and "prefers-color-scheme" in moving
    assert "@" not in still.split("</style>")[0] and "animation" not in still


@pytest.mark.parametrize("name", LARGE)
def test_numbers_do_not_make_large_figures_larger(name: str):
    layer = LARGE[name]
    given = numbers(derive(layer).system.concrete(), 1)
    assert all(len(f.svg.encode()) <= LARGEST for f in figures(layer, words("ko"), given))


def test_indices_can_begin_with_zero():
    drawn = figures(Conv(5, 3), words("en"), base=0)
    assert ("d_0", "x_2", "w_2") in lines(next(f for f in drawn if f.name == "backward-x").svg, "h")
