"""Lectures: every number again from the oracle, every word in every language, the gallery as it is today."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from make_reports import FOLDER, REPORTS, reports

import symconv
from symconv.family import random_equation, random_layer
from symconv.lecture import blocks as b
from symconv.lecture.example import RATE
from symconv.lecture.extents import at_sizes, extents, fits, small
from symconv.lecture.html import page
from symconv.lecture.sections.bilinear import section as bilinear
from symconv.lecture.sections.code import section as code
from symconv.lecture.sections.elements import toeplitz
from symconv.lecture.sections.numbers import section as numbers
from symconv.lecture.sections.sizes import parameters
from symconv.lecture.story import lecture
from symconv.lecture.subject import Subject
from symconv.lecture.words import HOLE, LANGUAGES, Words, words
from symconv.notation.as_mathml import MathML
from symconv.notation.nodes import Add, Bracketed, Chain, Dots, Element, Node, Number, Partial, Product
from symconv.reference import forward, gradients

UPDATE = "python tests/make_reports.py"


@pytest.fixture(scope="module")
def written() -> dict[str, bytes]:
    return reports()


def subject(name: str) -> Subject:
    layer, language = REPORTS[name]
    return Subject(layer, words(language))


def test_the_gallery_is_what_is_written_today(written: dict[str, bytes]) -> None:
    assert {p.name for p in FOLDER.iterdir()} == set(written), f"update with: {UPDATE}"
    changed = [name for name, data in written.items() if (FOLDER / name).read_bytes() != data]
    assert not changed, f"{', '.join(changed)}: update with: {UPDATE}"


def test_the_gallery_is_small(written: dict[str, bytes]) -> None:
    assert sum(map(len, written.values())) < 2_000_000


@pytest.mark.parametrize("layer", [
    symconv.Conv((224, 224), (7, 7), channels=3, filters=64, stride=2, padding=3),
    symconv.Conv((8, 8), (3, 3), channels=3, filters=4, padding="same", bias=True)])
def test_a_page_alone_is_small(layer: symconv.Conv) -> None:
    s = Subject(layer, words("ko"))
    assert len(page(lecture(s), s.mark).encode()) < 400_000


def oracle(s: Subject) -> dict[str, np.ndarray]:
    """Every number of the worked example from the forward equations alone, in logical shapes."""
    e = s.example
    assert e is not None
    given = {t.name: e.values[t.name] for t in e.system.inputs}
    above = e.values[e.upstream.name]
    found = {**given, e.upstream.name: above, **forward(e.system, given),
             **{f"d{n}": v for n, v in gradients(e.system, given, above).items()}}
    return {n: v.reshape(e.values[n].shape) for n, v in found.items() if n in e.values}


def grids(section: b.Section) -> list[b.Grid]:
    return [g for x in b.flat(section.blocks) if isinstance(x, b.Beside) for g in x.grids]


def value(node: Node, s: Subject, known: dict[str, np.ndarray]) -> int | None:
    """A formula of elements and numbers in numbers; None where dots stand for some of it."""
    if isinstance(node, Number):
        return int(node.value)
    if isinstance(node, Bracketed):
        return value(node.body, s, known)
    if isinstance(node, Dots):
        return None
    if isinstance(node, Element | Partial):
        inner = node.by if isinstance(node, Partial) else node
        assert isinstance(inner, Element)
        name = f"d{inner.role}" if isinstance(node, Partial) else s.example.upstream.name \
            if inner.symbol == s.example.upstream.symbol else inner.role  # type: ignore[union-attr]
        return int(known[name][tuple(int(i.value) - 1 for i in inner.indices)])  # type: ignore[attr-defined]
    if isinstance(node, Product):
        parts = [value(f, s, known) for f in node.factors]
        return None if None in parts else int(np.prod(parts))  # type: ignore[arg-type]
    assert isinstance(node, Add), node
    terms = [(-1 if t.negative else 1, value(t.node, s, known)) for t in node.terms]
    return None if any(v is None for _, v in terms) else sum(k * v for k, v in terms)  # type: ignore[misc]


@pytest.mark.parametrize("name", REPORTS)
def test_every_number_of_the_worked_example_is_the_oracles(name: str) -> None:
    s = subject(name)
    known, e, section = oracle(s), s.example, numbers(s)
    assert e is not None
    learnt = [t.name for t in e.system.inputs if s.inks[t.name].tone != "x"]
    updated = {n: known[n] - float(RATE) * known[f"d{n}"] for n in learnt}
    shown = [[float(v.replace("−", "-")) for row in g.cells for _, v in row] for g in grids(section)]
    expected = [*e.system.inputs, *(q.output for q in e.system.equations), e.upstream,
                *(q.output for q in e.gradients.values())]
    panels = [p for t in expected for p in slices(known[t.name])] + [p for n in learnt for p in slices(updated[n])]
    assert len(shown) == len(panels)
    for have, want in zip(shown, panels, strict=True):
        np.testing.assert_allclose(have, want.reshape(-1), rtol=1e-5)


def slices(array: np.ndarray) -> list[np.ndarray]:
    """What is shown of an array: its last two axes, at the first four places along the others."""
    outer = array.shape[:-2]
    return [array[lead] for lead in list(product(*map(range, outer)))[:4]]


@pytest.mark.parametrize("name", REPORTS)
def test_every_sum_shown_in_numbers_is_right(name: str) -> None:
    s = subject(name)
    known, compared = oracle(s), 0
    for block in b.flat(numbers(s).blocks):
        for line in block.lines if isinstance(block, b.Display) else ():
            if isinstance(line, Chain) and set(line.operators) == {"="}:
                found = [v for item in line.items if (v := value(item, s, known)) is not None]
                assert len(set(found)) == 1, (line, found)
                compared += 1
    assert compared >= len(s.example.gradients) + 1  # type: ignore[union-attr]


@pytest.mark.parametrize("name", REPORTS)
def test_elements_written_out_are_right(name: str) -> None:
    """With the numbers of the example put in, both sides agree; sums with dots are left to the figures' tests."""
    s = subject(name)
    if len(s.example.system.equations) < len(s.system.equations):  # type: ignore[union-attr]
        pytest.skip("the activation has no whole values")
    known, found = oracle(s), lecture(s)
    section = next(x for x in found.sections if x.slug == "elements")
    for block in b.flat(section.blocks):
        for line in block.lines if isinstance(block, b.Display) else ():
            sides = [v for item in line.items if (v := value(item, s, known)) is not None]  # type: ignore[attr-defined]
            assert len(set(sides)) == 1, line


@pytest.mark.parametrize("name", REPORTS)
def test_the_matrix_and_its_transpose_are_the_layer_and_its_gradient(name: str) -> None:
    s = subject(name)
    found = toeplitz(s)
    if found is None:
        return
    matrix, equation, x = found
    known = oracle(s)
    numbers_ = np.array([[value(c, s, known) for c in row] for row in matrix.rows])
    out = known[equation.output.name].reshape(-1)
    added = known["b"].reshape(-1) if "b" in known else 0
    np.testing.assert_array_equal(numbers_ @ known[x].reshape(-1) + added, out)
    upstream = known[equation.output.gradient().name].reshape(-1)
    np.testing.assert_array_equal(numbers_.T @ upstream, known[f"d{x}"].reshape(-1))


@pytest.mark.parametrize("layer", [
    symconv.Conv(5, 3), symconv.Conv((9, 12), (3, 2), stride=2, padding=1), symconv.Conv(20, 3, stride=3, dilation=2),
    symconv.Conv(4, 3, stride=2, transposed=True), symconv.Conv(9, 4, padding=((1, 2),), stride=4),
    symconv.Conv((4, 4), (3, 3), transposed=True, stride=2, padding=1, output_padding=1)])
def test_output_sizes_and_their_reasons_hold_at_every_size_nearby(layer: symconv.Conv) -> None:
    """The last place is the largest that any product reaches, and one more output would leave the room."""
    system = layer.system()
    equation = system.equations[0]
    for e in extents(equation):
        free = {n: v for n, v in system.sizes if n not in {x.size for x in extents(equation)}}
        for more in range(6):
            here = at_sizes(system, {n: v + more * (n in e.over.names) for n, v in free.items()})
            sizes = dict(here.sizes)
            assert fits(here) and sizes[e.size] == e.over.evaluate(sizes) // e.by + 1
            if not e.scatters:
                assert e.last.evaluate(sizes) <= e.room.evaluate(sizes)
                assert e.last.evaluate({**sizes, e.size: sizes[e.size] + 1}) > e.room.evaluate(sizes)
    assert tuple(dict(at_sizes(system, free).sizes)[e.size] for e in extents(equation)) == layer.output


def test_parameters_are_those_of_the_arrays() -> None:
    assert parameters(Subject(symconv.Conv((28, 28), (3, 3)), words("en"))) == (9, 784 * 676)
    layer = symconv.Conv((8, 8), (3, 3), channels=3, filters=4, batch=5, padding=1, bias=True)
    assert parameters(Subject(layer, words("en"))) == (4 * 3 * 9 + 4, 192 * 256 + 256)
    assert parameters(Subject(symconv.Dense(4, 3, bias=True, batch=7), words("en"))) == (15, 15)


def test_smaller_sizes_keep_what_the_layer_is() -> None:
    layer = symconv.Conv((224, 224), (7, 7), channels=3, filters=64, stride=2, padding=3)
    found = small(layer.system())
    assert fits(found) and dict(found.sizes)["H"] < 8 and found.equations == layer.system().equations
    assert small(symconv.Conv(5, 3).system()) == symconv.Conv(5, 3).system()



def test_the_matrices_of_a_bilinear_kernel_compute_the_form_they_stand_for() -> None:
    """y_i = sum_j w_j x_{i+j} from the matrices as they are shown, in exact fractions."""
    s = Subject(symconv.Conv((56, 56), (3, 3), channels=32, filters=32, padding=1), words("ko"), isa="avx512")
    found = bilinear(s)
    assert found is not None and bilinear(Subject(s.layer, s.words)) is None
    for part in found.blocks:
        lines = [x.lines for x in b.flat((part,)) if isinstance(x, b.Display)]
        shown = [[[Fraction(c.value) for c in row] for row in line.items[1].rows] for line in lines[2]]  # type: ignore
        outputs, taps, signal = (np.array(m, dtype=object) for m in shown)
        rng = np.random.default_rng(1)
        w, x = (rng.integers(-9, 9, m.shape[1]).astype(object) for m in (taps, signal))
        direct = [sum(w[j] * x[i + j] for j in range(len(w))) for i in range(len(outputs))]
        assert list(outputs @ ((taps @ w) * (signal @ x))) == direct


@pytest.mark.parametrize("name", REPORTS)
def test_formulas_are_well_formed(name: str) -> None:
    for text in re.findall(r"<math.*?</math>", (FOLDER / f"{name}.html").read_text(), re.S):
        ET.fromstring(text.replace("&nbsp;", " "))


def test_names_cannot_break_out_of_a_page() -> None:
    node = Element('<script>"&', (Number(1),))
    assert "<script>" not in MathML().whole(node) and ET.fromstring(MathML().whole(node)) is not None


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_have_the_same_keys_and_holes(language: str) -> None:
    ours, english = ({k: v for k, v in words(n).table.items() if not k.startswith("names.")}
                     for n in (language, "en"))
    assert set(ours) == set(english)
    assert {k for k in ours if set(HOLE.findall(ours[k])) != set(HOLE.findall(english[k]))} == set()


@pytest.mark.parametrize(("text", "said"), [("w", "w를"), ("n", "n을"), ("δ", "δ를"), ("커널", "커널을"), ("3", "3을"),
                                            ("2", "2를")])
def test_korean_particles_follow_the_sound_before_them(text: str, said: str) -> None:
    assert Words("ko", {"k": "{x}을(를)"}).text("k", x=text) == said


def test_no_english_is_left_on_a_korean_page() -> None:
    for name in (n for n, (_, language) in REPORTS.items() if language == "ko"):
        skipped = r"(?s)<style>.*?</style>|<math.*?</math>|<pre.*?</pre>|<svg.*?</svg>|<code>.*?</code>|<[^>]*>"
        text = re.sub(skipped, " ", (FOLDER / f"{name}.html").read_text())
        left = set(re.findall(r"[A-Za-z]{4,}", text)) - set(
            "symconv Math STIX SIL Open Font License NumPy full emit input kernel dilation dense bias activation sigma "
            "forward grad activate delta sigmoid".split())
        assert not left, (name, left)


def test_help_imports_no_sympy() -> None:
    code = "import sys, symconv.cli as c\ntry: c.main(['report', '--help'])\nexcept SystemExit: pass\n" \
           "assert 'sympy' not in sys.modules and 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_page_is_the_same_every_time_and_the_seed_changes_it() -> None:
    def made(seed: int) -> str:
        s = Subject(symconv.Conv(5, 3), words("en"), seed=seed)
        return page(lecture(s), s.mark)
    assert made(1) == made(1) != made(2)


def test_a_page_says_whether_its_kernels_were_run() -> None:
    layer = symconv.Conv(5, 3)
    assert "were written but not run" in str(code(Subject(layer, words("en"))).blocks[0])
    ran = code(Subject(layer, words("en"), validate=True)).blocks[0]
    assert isinstance(ran, b.Paragraph) and ran.tone == "proved" and "checks passed" in str(ran.pieces)


def test_every_sentence_of_the_catalogue_is_used() -> None:
    root = Path(symconv.__file__).parent
    text = "\n".join(p.read_text() for p in [*root.glob("lecture/**/*.py"), root / "steps.py"])
    used = set(re.findall(r"[\"']([a-z_.]+?)[\"']", text))
    built = ("role.", "reason.", "layer.head_", "sizes.head_", "names.", "figures.")  # keys put together
    missing = {k for k in words("en").table if not k.startswith(built) and k not in used
               and k.removeprefix("steps.") not in used and k.removeprefix("page.") not in used}
    assert missing - {"sizes.gather", "sizes.scatter"} == set()


@pytest.mark.parametrize("seed", range(12))
def test_any_layer_and_any_equation_has_a_page(seed: int) -> None:
    """Nothing is shown that its own checks refuse: the example raises where the oracle disagrees."""
    rng = Random(seed)
    layer = random_equation(rng) if seed % 3 == 0 else random_layer(rng)
    s = Subject(layer, words(LANGUAGES[seed % 2]), base=seed % 2, seed=seed)
    assert len(page(lecture(s, with_answers=True), s.mark).encode()) < 450_000


def test_a_loss_that_is_not_affine_is_not_compared_with_difference_quotients() -> None:
    x, y = symconv.Tensor("x", 3), symconv.Tensor("y", 3)
    i, = symconv.indices("i")
    found = Subject(symconv.Equation(y[i], x[i] * x[i]), words("en")).example
    assert found is not None and found.quotients == 0 and found.checked == 6
