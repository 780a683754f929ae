"""The derivation of a bilinear program as data: for the comment of a header, and for a lecture."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

from symconv.bilinear.bounds import codes, roundings
from symconv.bilinear.program import Program
from symconv.bilinear.straight_line import Operations, StraightLine
from symconv.bilinear.toom_cook import Trilinear, amplification

FORMULAS = {1: "{A}^T [({G} {w}) . ({B}^T {x})]", 2: "{A}^T [({G} {w} {G}^T) . ({B}^T {x} {B})] {A}"}
NESTED = "(({A} x {A} x ...)^T) [(({G} x {G} x ...) {w}) . (({B} x {B} x ...)^T {x})]"


@dataclass(frozen=True)
class Story:
    """What the algorithm is, why it is right, what it saves and what it costs.

    Args:
        name: `F(4x4, 3x3)`.
        arrays: the names of output, taps and signal.
        added: the names of arrays that are added to the result.
        forms, codes: for each axis the algorithm, and the code of its three transforms.
        products, direct: multiplications of data by data in a tile, with and without the algorithm.
        transforms: of taps, signal and result, the operations for one tile.
        roundings: m in the error bound.
        amplification: how much larger the rest of that bound is than sum |taps||signal|, at most, for
            values that are all of one size.
    """

    name: str
    arrays: tuple[str, str, str]
    added: tuple[str, ...]
    forms: tuple[Trilinear, ...]
    codes: tuple[tuple[StraightLine, ...], ...]
    products: int
    direct: int
    transforms: tuple[Operations, ...]
    roundings: int
    amplification: float

    @property
    def identity(self) -> str:
        """The algorithm as a formula of its matrices."""
        return f"{self.arrays[0]} = {' + '.join([self._formula('{}'), *self.added])}"

    @property
    def bound(self) -> str:
        """The error bound as a formula."""
        size = " + ".join([self._formula("|{}|"), *(f"|{a}|" for a in self.added)])
        return (f"|error| <= gamma_{self.roundings} {f'({size})' if self.added else size}, "
                f"gamma_m = m u/(1 - m u), u = 2^-24 in float32")

    def _formula(self, mark: str) -> str:
        names = dict(zip("AGBwx", ("A", "G", "B", *self.arrays[1:]), strict=True))
        return FORMULAS.get(len(self.forms), NESTED).format(**{k: mark.format(n) for k, n in names.items()})

    def steps(self, axis: int = 0) -> list[tuple[str, str]]:
        """The derivation along one axis for a lecture: (statement in LaTeX, reason).

        With delta = dL/dy the trilinear form is the loss itself, so its three derivatives are the
        correlation and both gradients.
        """
        form = self.forms[axis]
        m, r = form.outputs.shape[1], form.taps.shape[1]
        points = ", ".join({"oo": r"\infty"}.get(str(p), str(p)) for p in form.points)
        bar, taps, signal = r"(A \delta)", "(G w)", "(B^T x)"
        return [
            (rf"y_i = \sum_{{j=0}}^{{{r - 1}}} w_j x_{{i+j}}, \quad 0 \le i < {m}", "one tile of the equation"),
            (r"L = \sum_i \delta_i y_i = \sum_{i,j} \delta_i w_j x_{i+j} = \sum_k x_k [t^k]\, \delta(t) w(t)",
             "the loss pairs x with the coefficients of a product of two polynomials"),
            (rf"\deg \delta(t) w(t) = {m + r - 2}, \quad t = {points}",
             f"its values at {m + r - 1} points determine it; infinity stands for the leading coefficient"),
            (rf"L = \sum_a {bar}_a {taps}_a {signal}_a",
             "evaluate both polynomials, multiply the values, interpolate"),
            (rf"A^T = {form.outputs.T.latex}, \quad G = {form.taps.latex}, \quad B^T = {form.signal.latex}",
             "rows are powers of the points, and polynomials that vanish at all others; "
             "their denominators are divided out on one side"),
            (rf"y = \frac{{\partial L}}{{\partial \delta}} = A^T [{taps} \odot {signal}]",
             f"{form.products} products instead of {m * r}"),
            (rf"\frac{{\partial L}}{{\partial w}} = G^T [{bar} \odot {signal}], \quad "
             rf"\frac{{\partial L}}{{\partial x}} = B [{bar} \odot {taps}]",
             "the same form differentiated: both gradients with the same matrices"),
        ]

    def lines(self) -> list[str]:
        """For a comment."""
        found = [f"{self.name}: {self.identity} on each tile."]
        for form in dict.fromkeys(self.forms):
            for letter, matrix in (("A^T", form.outputs.T), ("G", form.taps), ("B^T", form.signal)):
                rows = str(matrix).splitlines()
                found += [f"{letter + ' =' if n == 0 else '':<6}{row}" for n, row in enumerate(rows)]
            found.append(f"Points {', '.join(map(str, form.points))}: a product of polynomials by its values there.")
        found.append(f"A tile takes {self.products} products instead of {self.direct}, and its transforms:")
        found += [f"  {what}: {count}" for what, count in
                  zip(("taps (G)", "signal (B^T)", "result (A^T)"), self.transforms, strict=True)]
        more = (f"The direct sum has gamma_n |{self.arrays[1]}||{self.arrays[2]}|; for values of one size this is "
                f"at most {self.amplification:.1f} times that, apart from m and n.")
        return [*found, self.bound, more, "An infinity or NaN in an input spoils every tile it is part of."]

    def __str__(self) -> str:
        return "\n".join(self.lines())

    __repr__ = __str__


def story(program: Program) -> Story:
    """The derivation of a program."""
    forms = tuple(a.form for a in program.axes)
    outputs, taps = ("x".join(str(getattr(f, role).shape[1]) for f in forms) for role in ("outputs", "taps"))
    direct = prod(f.outputs.shape[1] * f.taps.shape[1] for f in forms)
    each = tuple(_nested(kind) for kind in codes(program))
    taps_name, signal_name = (next(t.name for t in e.reads if t not in program.constants) for e in program.steps[:2])
    added = tuple(f.tensor.name for t in program.steps[3].terms[1:] for f in t.factors)
    return Story(f"F({outputs}, {taps})", (program.equation.output.name, taps_name, signal_name), added, forms,
                 codes(program), prod(f.products for f in forms), direct, each, roundings(program),
                 float(prod(map(amplification, forms))))


def _nested(axes: tuple[StraightLine, ...]) -> Operations:
    """One axis after the other: each code runs once for every line of what the codes before it left."""
    shape = [len(c.inputs) for c in axes]
    total = [0, 0, 0]
    for n, code in enumerate(axes):
        lines = prod(shape[:n] + shape[n + 1:])
        each = code.operations
        total = [t + lines * c for t, c in zip(total, (each.additions, each.multiplications, each.fused), strict=True)]
        shape[n] = len(code.outputs)
    return Operations(*total)
