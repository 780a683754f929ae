"""Bilinear algorithms: exact matrices, programs that are proved, and figures that are known from the literature."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from symconv import Conv, Equation, Tensor, indices
from symconv.bilinear.bounds import codes, error_bound, in_integers, roundings, run
from symconv.bilinear.matrix import Matrix
from symconv.bilinear.program import bilinear_program
from symconv.bilinear.relation import relations
from symconv.bilinear.story import story
from symconv.bilinear.straight_line import straight_line
from symconv.bilinear.toom_cook import ROLES, Trilinear, amplification, nest, toom_cook
from symconv.bilinear.verify import check_identity, check_program, contracted, tile_equation, verify
from symconv.calculus import eliminate, gradient
from symconv.derivation import derive
from symconv.errors import NotSupported, ValidationError
from symconv.reference import forward
from symconv.system import System

HALF = Fraction(1, 2)
SIZES = [(1, 1), (1, 3), (2, 1), (2, 2), (2, 3), (3, 2), (3, 3), (4, 3), (3, 4), (5, 3), (6, 3), (2, 5), (4, 5), (2, 7)]


def tile(outputs: int, taps: int) -> Equation:
    i, j = indices("i j")
    y, w, x = Tensor("y", outputs), Tensor("w", taps), Tensor("x", outputs + taps - 1)
    return Equation(y[i], w[j] * x[i + j])


def tile_gradients(outputs: int, taps: int) -> list[tuple[Equation, dict[str, str]]]:
    """The tile and its derived gradients, each with the role of every tensor."""
    e = tile(outputs, taps)
    dy = e.output.gradient()
    return [(e, {"y": "outputs", "w": "taps", "x": "signal"}),
            (gradient(e, e.reads[0], dy), {"dy": "outputs", "dw": "taps", "x": "signal"}),
            (gradient(e, e.reads[1], dy), {"dy": "outputs", "w": "taps", "dx": "signal"})]


def mutated(form: Trilinear, role: str, r: int, c: int, by: Fraction) -> Trilinear:
    rows = [list(row) for row in getattr(form, role).rows]
    rows[r][c] += by
    return Trilinear(**{k: Matrix.of(rows) if k == role else getattr(form, k) for k in ROLES})


@pytest.mark.parametrize("outputs, taps", SIZES)
def test_the_matrices_compute_the_correlation_and_its_derived_gradients(outputs, taps):
    form = toom_cook(outputs, taps)
    check_identity(form)
    for equation, roles in tile_gradients(outputs, taps):
        verify(form, equation, roles)
    assert form.products == outputs + taps - 1
    assert form.outputs.denominator == form.signal.denominator == 1, "all fractions belong into G"


@pytest.mark.parametrize("points", [(0, 1, -1, 2, -2, "oo"), (0, 1, -1, 2, -2, 3),
                                    (5, "oo", -HALF, Fraction(2, 3), 1, 7)])
def test_any_different_points_will_do(points):
    for equation, roles in tile_gradients(4, 3):
        verify(toom_cook(4, 3, points), equation, roles)


def test_f43_at_the_usual_points():
    """A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks, section 4.3, up to signs of rows."""
    form = toom_cook(4, 3, (0, 1, -1, 2, -2, "oo"))
    assert form.outputs.T.rows == ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))
    assert abs(form.signal).rows == ((4, 0, 5, 0, 1, 0), (0, 4, 4, 1, 1, 0), (0, 4, 4, 1, 1, 0), (0, 2, 1, 2, 1, 0),
                                     (0, 2, 1, 2, 1, 0), (0, 4, 0, 5, 0, 1))
    assert [max(row) for row in form.taps.rows] == [Fraction(1, n) for n in (4, 6, 6, 6, 6, 1)]


@pytest.mark.parametrize("points", [(0, 1, -1), (0, 1, 1, "oo"), (0, 1, -1, 2, "oo"), (0, 1, -1, "x")])
def test_points_that_will_not_do(points):
    with pytest.raises(NotSupported):
        toom_cook(2, 3, points)


@pytest.mark.parametrize("outputs, taps", [(2, 3), (4, 3), (3, 2)])
def test_a_wrong_entry_anywhere_is_caught(outputs, taps):
    form = toom_cook(outputs, taps)
    equations = tile_gradients(outputs, taps)
    for role in ROLES:
        rows, columns = getattr(form, role).shape
        for r, c in product(range(rows), range(columns)):
            wrong = mutated(form, role, r, c, Fraction((-1) ** r, 7))
            with pytest.raises(ValidationError):
                check_identity(wrong)
            for equation, roles in equations[:1] if c else equations:
                with pytest.raises(ValidationError, match="instead of"):
                    verify(wrong, equation, roles)


def test_one_algorithm_inside_another():
    form = nest([toom_cook(2, 3), toom_cook(3, 2)])
    u, v, k = Tensor("y", (2, 3)), Tensor("w", (3, 2)), Tensor("x", (4, 4))
    i, j, p, q = indices("i j p q")
    e = Equation(u[i, j], v[p, q] * k[i + p, j + q])
    verify(form, e, {"y": "outputs", "w": "taps", "x": "signal"})
    verify(form, gradient(e, v, u.gradient()), {"dy": "outputs", "dw": "taps", "x": "signal"})
    with pytest.raises(ValidationError):
        verify(nest([toom_cook(3, 2), toom_cook(2, 3)]), e, {"y": "outputs", "w": "taps", "x": "signal"})


@pytest.mark.parametrize("outputs, taps", SIZES)
def test_straight_line_code_computes_its_matrix_without_cancellation(outputs, taps):
    form = toom_cook(outputs, taps)
    for matrix in (form.signal, form.taps, form.outputs.T, form.taps.T, form.outputs, form.signal.T):
        code = straight_line(matrix)
        assert code.matrix == matrix
        assert code.absolute == abs(matrix), f"{code}\nloses accuracy that the bound does not know of"
        dense = sum(sum(1 for c in row if c) - 1 for row in matrix.rows)
        assert code.operations.additions <= dense
        assigned = [s.name for s in code.steps]
        assert len(set(assigned)) == len(assigned) and set(code.outputs) <= set(assigned)


def test_straight_line_code_of_any_matrix():
    rng = random.Random(4)
    for _ in range(60):
        rows, columns = rng.randint(1, 5), rng.randint(1, 5)
        entries = [[Fraction(rng.choice((0, 0, 1, 1, -1, 2, -2, 3)), rng.choice((1, 1, 2))) for _ in range(columns)]
                   for _ in range(rows)]
        assert straight_line(Matrix.of(entries)).matrix == Matrix.of(entries)


@pytest.mark.parametrize("form, signal, taps, result", [
    (toom_cook(2, 3), 32, 28, 24),  # Lavin and Gray, section 4.1
    (toom_cook(4, 3, (0, 1, -1, 2, -2, "oo")), 156, 90, 100),  # theirs: 156, 72 and 90
    (toom_cook(4, 3), 168, 90, 120)])
def test_operations_of_nested_transforms(form, signal, taps, result):
    def twice(matrix: Matrix) -> int:
        code = straight_line(matrix)
        return code.operations.fused * (matrix.shape[0] + matrix.shape[1])

    assert twice(form.signal) <= signal
    assert twice(form.taps) <= taps
    assert twice(form.outputs.T) <= result


def test_default_points_lose_less_than_the_usual_ones():
    assert amplification(toom_cook(4, 3)) < amplification(toom_cook(4, 3, (0, 1, -1, 2, -2, "oo"))) / 2


LAYERS = {
    "1-D": (Conv(input=11, kernel=3, padding=1), 3),
    "1-D full": (Conv(input=10, kernel=3, padding="full", channels=2), 3),
    "1-D five taps": (Conv(input=13, kernel=5, padding=2, channels=2, filters=2), 3),
    "2-D": (Conv(input=(7, 9), kernel=(3, 3), channels=3, filters=2, batch=2, padding=1), 3),
    "2-D uneven": (Conv(input=(6, 5), kernel=(3, 2), channels=2, filters=2, padding=((0, 2), (3, 0))), 3),
    "2-D no padding": (Conv(input=(9, 8), kernel=(3, 3), filters=3, bias=True), 3),
    "2-D seven taps": (Conv(input=(9, 8), kernel=(7, 3), padding=(3, 1)), 3),
    "3-D": (Conv(input=(4, 5, 3), kernel=(3, 3, 3), channels=2, filters=2, padding=1), 3),
    "groups": (Conv(input=(6, 6), kernel=(3, 3), channels=4, filters=6, groups=2, padding=1), 3),
    "depthwise": (Conv(input=(5, 6), kernel=(3, 3), channels=3, filters=3, groups=3, padding=1), 3),
    "transposed": (Conv(input=(5, 6), kernel=(3, 3), channels=2, filters=3, padding=1, transposed=True), 3),
    "flipped": (Conv(input=(8, 7), kernel=(3, 3), padding=1, flip=True), 3),
    "one strided axis": (Conv(input=(9, 8), kernel=(3, 3), channels=2, filters=3, stride=(2, 1), padding=1), 2),
    "one dilated axis": (Conv(input=(9, 8), kernel=(3, 3), channels=2, filters=2, dilation=(2, 1), padding=1), 2),
}


def kernels(layer: Conv):
    """The forward and every gradient that has a relation, with numbers for sizes."""
    d = derive(layer)
    for f in d.functions:
        e = f.at(dict(d.system.sizes)).equation
        if f.name != "grad_b":
            yield f.name, e


def tiles_for(equation: Equation, long: int = 4) -> dict[str, tuple[int, int]]:
    found = {}
    for r in relations(eliminate(equation)):
        outputs, taps, _ = r.extents
        found[r.output] = (long, min(taps, 3)) if taps <= outputs else (min(outputs, 3), long)
    return found


def sample(equation: Equation, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {t.name: rng.integers(-3, 4, t.extents) for t in equation.reads}


@pytest.mark.parametrize("name", LAYERS)
def test_programs_are_proved_and_exact(name):
    layer, count = LAYERS[name]
    seen = 0
    for kernel, equation in kernels(layer):
        tiles = tiles_for(equation)
        if not tiles:
            continue
        seen += 1
        program = bilinear_program(equation, tiles)
        assert check_program(program).proved, f"{kernel}: {check_program(program)}"
        whole, factor = in_integers(program)
        arrays = sample(equation)
        expected = forward(System((equation,)), arrays)[equation.output.name]
        np.testing.assert_array_equal(run(whole, arrays), factor * expected, err_msg=kernel)
    assert seen >= count


@pytest.mark.parametrize("name", ["1-D", "2-D uneven", "flipped", "transposed"])
@pytest.mark.parametrize("long", [1, 2, 3])
def test_other_tiles(name, long):
    for kernel, equation in kernels(LAYERS[name][0]):
        program = bilinear_program(equation, tiles_for(equation, long))
        assert check_program(program).proved
        whole, factor = in_integers(program)
        arrays = sample(equation)
        expected = forward(System((equation,)), arrays)[equation.output.name]
        np.testing.assert_array_equal(run(whole, arrays), factor * expected, err_msg=kernel)


@pytest.mark.parametrize("name", ["1-D", "1-D five taps", "2-D no padding", "transposed"])
def test_steps_with_numbers_are_the_same_steps(name):
    for kernel, equation in kernels(LAYERS[name][0]):
        program, _ = in_integers(bilinear_program(equation, tiles_for(equation, 2)))
        assert not any(f.tensor in program.constants for e in program.plain for t in e.terms for f in t.factors)
        arrays = sample(equation)
        plain = forward(System(program.plain), arrays)[equation.output.name]
        np.testing.assert_array_equal(plain, run(program, arrays), err_msg=kernel)


def test_one_axis_may_be_enough():
    equation = dict(kernels(LAYERS["2-D"][0]))["forward"]
    program = bilinear_program(equation, {"j": (4, 3)})
    assert check_program(program).proved
    assert [len(e.output.shape) for e in program.steps[:3]] == [4, 5, 5]


def test_where_no_algorithm_applies():
    strided = dict(kernels(Conv(input=(9, 9), kernel=(3, 3), stride=2)))
    for equation in strided.values():
        assert relations(eliminate(equation)) == ()
        with pytest.raises(NotSupported, match="no bilinear algorithm"):
            bilinear_program(equation, {"i": (4, 3)})
    y, x = Tensor("y", 5), Tensor("x", 8)
    i, j = indices("i j")
    assert relations(Equation(y[i], x[j] * x[i + j])) == ()
    w = Tensor("w", (4, 4))
    assert relations(Equation(y[i], w[j, j] * x[i + j])) == ()
    assert relations(Equation(y[i], w[j, i] * x[i + j])) == ()
    assert relations(Equation(y[i], Tensor("v", 4)[j] * x[i + 2 * j])) == ()


def test_the_tile_is_cut_out_of_the_equation():
    equation = dict(kernels(LAYERS["2-D"][0]))["grad_x"]
    program = bilinear_program(equation, {"m": (4, 3), "n": (4, 3)})
    assert str(tile_equation(program.equation, program.axes[0])) == "y[m_in] = sum_{m_tap} w[m_tap] * x[m_in + m_tap]"


def test_a_program_with_a_wrong_matrix_or_a_wrong_place_is_refused():
    equation = dict(kernels(LAYERS["2-D uneven"][0]))["forward"]
    program = bilinear_program(equation, {"i": (4, 3), "j": (2, 2)})
    one, two = (a.form for a in program.axes)
    with pytest.raises(ValidationError):
        check_program(program.replaced([mutated(one, "taps", 1, 2, Fraction(1, 120)), two]))
    with pytest.raises(ValidationError):
        contracted(program.replaced([one, mutated(two, "signal", 0, 0, Fraction(-1))]))
    taps, signal, products, result = program.steps
    shifted = signal.terms[0].factors[-1]
    moved = Equation(signal.left, signal.terms[0].factors[0] * signal.terms[0].factors[1]
                     * shifted.substitute({"i_at": indices("i_at")[0] + 1}))
    wrong = type(program)(program.equation, program.axes, (taps, moved, products, result))
    with pytest.raises(ValidationError, match="do not compute"):
        check_program(wrong)
    assert check_program(program).proved


def in_float32(program, arrays: dict[str, np.ndarray]) -> np.ndarray:
    """The four steps in float32, each transform by its straight-line code."""
    taps, signal, result = codes(program)

    def transform(code_by_axis, values: np.ndarray) -> np.ndarray:
        for axis, code in enumerate(code_by_axis):
            known = dict(zip(code.inputs, np.moveaxis(values, axis, 0), strict=True))
            for s in code.steps:
                parts = [np.float32(c.numerator / c.denominator) * known[n] for c, n in s.terms]
                known[s.name] = sum(parts[1:], parts[0])
            values = np.moveaxis(np.stack([known[o] for o in code.outputs]), 0, axis)
        assert values.dtype == np.float32
        return values

    # Eight channels of one tile: every element that the tile reads is there.
    u = transform(taps, np.moveaxis(arrays["w"], 0, -1))
    v = transform(signal, np.moveaxis(arrays["x"], 0, -1))
    m = np.zeros(u.shape[:-1], np.float32)
    for c in range(u.shape[-1]):
        m = m + u[..., c] * v[..., c]
    return transform(result, m)


@pytest.mark.parametrize("outputs, taps", [(2, 3), (4, 3), (2, 5), (6, 3)])
def test_float32_stays_within_the_bound(outputs, taps):
    n = outputs + taps - 1
    layer = Conv(input=(n, n), kernel=(taps, taps), channels=8)
    equation = dict(kernels(layer))["forward"]
    program = bilinear_program(equation, {"i": (outputs, taps), "j": (outputs, taps)})
    rng = np.random.default_rng(1)
    used = 0.0
    for _ in range(20):
        arrays = {t.name: rng.standard_normal(t.extents).astype(np.float32) for t in equation.reads}
        wide = {k: v.astype(np.float64) for k, v in arrays.items()}
        exact = forward(System((equation,)), wide)["y"].reshape(outputs, outputs)
        bound = error_bound(program, arrays).reshape(outputs, outputs)
        error = np.abs(in_float32(program, arrays) - exact)
        assert (error <= bound).all()
        used = max(used, float((error / bound).max()))
    assert used > 1e-3, "a bound a thousand times too wide tells nothing"


def test_roundings_are_counted_in_the_code():
    equation = dict(kernels(Conv(input=(8, 8), kernel=(3, 3), channels=5, padding=1)))["forward"]
    program = bilinear_program(equation, {"i": (2, 3), "j": (2, 3)})
    # G: add twice, halve exactly; B: add once; A: add twice; each along two axes; one product, 5 summands.
    assert roundings(program) == 2 * 2 + 2 * 1 + 2 * 2 + 1 + 4


def test_the_story_of_f43():
    equation = dict(kernels(Conv(input=(8, 8), kernel=(3, 3), channels=5, padding=1)))["forward"]
    told = story(bilinear_program(equation, {"i": (4, 3), "j": (4, 3)}))
    assert (told.name, told.products, told.direct) == ("F(4x4, 3x3)", 36, 144)
    assert told.identity == "y = A^T [(G w G^T) . (B^T x B)] A"
    assert "A tile takes 36 products instead of 144" in str(told)
    assert "|A|^T [(|G| |w| |G|^T) . (|B|^T |x| |B|)] |A|" in told.bound
    biased = dict(kernels(Conv(input=8, kernel=3, filters=5, bias=True)))["forward"]
    told = story(bilinear_program(biased, {"i": (4, 3)}))
    assert told.identity == "y = A^T [(G w) . (B^T x)] + b"
    assert "(|A|^T [(|G| |w|) . (|B|^T |x|)] + |b|)" in told.bound


def test_the_derivation_for_a_lecture():
    equation = dict(kernels(Conv(input=8, kernel=3, channels=2)))["forward"]
    steps = story(bilinear_program(equation, {"i": (2, 3)})).steps()
    said = {why: what for what, why in steps}
    assert said["4 products instead of 6"] == r"y = \frac{\partial L}{\partial \delta} = A^T [(G w) \odot (B^T x)]"
    assert any(r"t = 0, 1, -1, \infty" in what for what, _ in steps)
    matrices = next(what for what, _ in steps if what.startswith("A^T"))
    assert r"\begin{bmatrix} 1 & 1 & 1 & 0 \\ 0 & 1 & -1 & 1 \end{bmatrix}" in matrices
    assert r"\tfrac{1}{2} & -\tfrac{1}{2} & \tfrac{1}{2}" in matrices
