"""A bilinear algorithm as a program of four equations.

    U = taps transformed       U[a] = sum_v G[a, v] taps[v]
    V = signal transformed     V[a] = sum_k B[a, k] signal[offset + k]
    M = products added up      M[a] = sum over everything that is left of U[a] V[a]
    the result transformed     y[m*tile + u] = sum_a A[a, u] M[a]

along one axis or several. Nothing in it knows which of the arrays are weights: the same program is made
from the relations of a forward equation and of its gradients. Zero padding and the tiles that reach past
the end need no case of their own: reading outside an array gives zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from symconv.affine import Affine, AffineLike, equal
from symconv.bilinear.matrix import Matrix
from symconv.bilinear.relation import Relation, bilinear_term, relations
from symconv.bilinear.toom_cook import PointLike, Trilinear, toom_cook
from symconv.calculus import eliminate
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import NotSupported

Tiles = Mapping[str, tuple[int, int]]  # outputs and taps of a tile, by output index


@dataclass(frozen=True, slots=True)
class Axis:
    """One relation with its algorithm, its tiles and the names of its indices."""

    relation: Relation
    form: Trilinear
    matrices: tuple[Tensor, Tensor, Tensor]  # A, G, B of this axis, products along the first axis

    @property
    def outputs(self) -> int:
        return self.form.outputs.shape[1]

    @property
    def taps(self) -> int:
        return self.form.taps.shape[1]

    @property
    def tiles(self) -> int:
        return -(-self.relation.extents[0] // self.outputs)

    @property
    def blocks(self) -> int:
        """Into how many pieces the taps are cut, each with the products of its own."""
        return -(-self.relation.extents[1] // self.taps)

    def name(self, what: str) -> str:
        return f"{self.relation.output}_{what}"

    def index(self, what: str, count: int) -> Affine:
        """An index of the program; 0 when there is nothing to count."""
        return Affine.of(self.name(what)) if count > 1 else Affine()

    @property
    def inner(self) -> tuple[Affine, Affine, Affine]:
        """The places of output, tap and signal within a tile, each a name or 0."""
        return self.index("in", self.outputs), self.index("tap", self.taps), self.index("at", self.form.products)

    @property
    def output_place(self) -> Affine:
        """The output coordinate, by tile and place in it, from the far end where the relation has a minus."""
        start = self.outputs * self.index("tile", self.tiles)
        return start + _along(self.inner[0], self.outputs, self.relation.output_sign)

    @property
    def taps_place(self) -> Affine:
        start = self.taps * self.index("block", self.blocks)
        return start + _along(self.inner[1], self.taps, self.relation.taps_sign)

    @property
    def signal_place(self) -> Affine:
        """Where the sum of place and tap is the place in the signal."""
        r = self.relation
        put: dict[str, AffineLike] = {self.name("in"): 0, self.name("tap"): 0}
        first = r.output_sign * self.output_place + r.taps_sign * self.taps_place + r.constant
        return first.substitute(put) + self.inner[2]


def _along(place: Affine, extent: int, sign: int) -> Affine:
    return place if sign > 0 else extent - 1 - place


@dataclass(frozen=True)
class Program:
    """Steps that compute `equation`, reading the matrices in `constants`.

    `steps` are the transform of the taps, of the signal, the products and the result, in this order.
    """

    equation: Equation
    axes: tuple[Axis, ...]
    steps: tuple[Equation, Equation, Equation, Equation]

    @property
    def constants(self) -> dict[Tensor, Matrix]:
        return {t: m for a in self.axes
                for t, m in zip(a.matrices, (a.form.outputs, a.form.taps, a.form.signal), strict=True)}

    @property
    def plain(self) -> tuple[Equation, ...]:
        """The steps with numbers in the place of the matrices."""
        return tuple(with_numbers(s, self.constants) for s in self.steps)

    def replaced(self, forms: Sequence[Trilinear]) -> Program:
        """The same steps with other matrices of the same shapes."""
        axes = tuple(replace(a, form=f) for a, f in zip(self.axes, forms, strict=True))
        return replace(self, axes=axes)

    def __str__(self) -> str:
        return "\n".join([f"{self.equation}", *(f"  {s}" for s in self.steps),
                          *(f"  along {a.relation.output}: {a.form.name}" for a in self.axes)])

    __repr__ = __str__


def bilinear_program(equation: Equation, tiles: Tiles, points: Sequence[PointLike] | None = None) -> Program:
    """The program with the given tiles, (outputs, taps) for each output index that gets them.

    Fractions go to the shorter of output and taps: where the output is, the algorithm is that of the
    equation with the two exchanged, transposed.

    Raises:
        NotSupported: the equation has no bilinear term, or no relation for one of these indices.
    """
    equation = eliminate(equation)
    term = bilinear_term(equation)
    known = {r.output: r for r in relations(equation)}
    missing = [n for n in tiles if n not in known]
    if term is None or missing or not tiles:
        raise NotSupported(f"no bilinear algorithm along {', '.join(missing) or 'no index'} of {equation}")
    taken = {t.name for t in (equation.output, *equation.reads)}
    named: dict[Trilinear, tuple[Tensor, Tensor, Tensor]] = {}
    axes = []
    for output, (outputs, taps) in tiles.items():
        few_taps = known[output].extents[1] <= known[output].extents[0]
        form = toom_cook(outputs, taps, points) if few_taps else toom_cook(taps, outputs, points).swapped()
        if form not in named:
            shapes = (form.outputs.shape, form.taps.shape, form.signal.shape)
            named[form] = tuple(Tensor(_fresh(n, taken), s) for n, s in zip("AGB", shapes, strict=True))  # type: ignore[assignment]
        axes.append(Axis(known[output], form, named[form]))
    rest = [t for t in equation.terms if t is not term]
    return Program(equation, tuple(axes), _steps(equation, term, rest, tuple(axes), taken))


def _fresh(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _steps(equation: Equation, term: Term, rest: list[Term], axes: tuple[Axis, ...],
           taken: set[str]) -> tuple[Equation, Equation, Equation, Equation]:
    points = [(a.name("point"), a.form.products) for a in axes]
    tiles = [(a.name("tile"), a.tiles) for a in axes if a.tiles > 1]
    blocks = [(a.name("block"), a.blocks) for a in axes if a.blocks > 1]
    factor = axes[0].relation.taps[0]
    taps, read_taps = _transform(term.factors[factor], [a.relation.taps[1] for a in axes],
                                 [a.taps_place for a in axes], [a.matrices[1] for a in axes],
                                 [a.inner[1] for a in axes], points, blocks, _fresh("U", taken))
    signal, read_signal = _transform(term.factors[1 - factor], [a.relation.signal[1] for a in axes],
                                     [a.signal_place for a in axes], [a.matrices[2] for a in axes],
                                     [a.inner[2] for a in axes], points, tiles + blocks, _fresh("V", taken))
    extents = dict(zip(equation.indices, equation.output.extents, strict=True))
    other = [(n, extents[n]) for n in equation.indices if all(n != a.relation.output for a in axes)]
    left = _tensor(_fresh("M", taken), [*points, *other, *tiles])
    products = Equation(left, (read_taps * read_signal).where(*term.constraints))
    back = Term((*(a.matrices[0][a.name("point"), a.inner[0]] for a in axes), left), coefficient=term.coefficient)
    back = back.where(*(equal(a.relation.output, a.output_place) for a in axes))
    return taps, signal, products, eliminate(Equation(equation.left, [back, *rest], equation.context))


def _tensor(name: str, named: Sequence[tuple[str, int]]) -> Access:
    """A tensor over named extents, read at these names."""
    return Tensor(name, [n for _, n in named])[tuple(Affine.of(n) for n, _ in named)]


def _transform(read: Access, along: list[int], places: list[Affine], matrices: list[Tensor], inner: list[Affine],
               points: list[tuple[str, int]], pieces: list[tuple[str, int]], name: str) -> tuple[Equation, Access]:
    """One factor transformed along some axes: the equation, and how the products read its result."""
    names = {axis: _own_name(read, axis) for axis in range(len(read.indices)) if axis not in along}
    left = _tensor(name, [*points, *((n, read.tensor.extents[axis]) for axis, n in names.items()), *pieces])
    at = dict(zip(along, places, strict=True))
    indices = tuple(at[axis] if axis in at else Affine.of(names[axis]) for axis in range(len(read.indices)))
    factors = [m[p, i] for m, (p, _), i in zip(matrices, points, inner, strict=True)]
    made = Equation(left, Term((*factors, replace(read, indices=indices))))
    put: dict[str, AffineLike] = {n: read.indices[axis] for axis, n in names.items()}
    return made, left.substitute(put)


def _own_name(read: Access, axis: int) -> str:
    """What a transformed array calls an axis that stays: as the equation does where it is one plain index."""
    e = read.indices[axis]
    name = next(iter(e.names), "")
    plain = e == Affine.of(name) and all(name not in o.names for n, o in enumerate(read.indices) if n != axis)
    return name if name and plain else f"{read.tensor.name}_axis{axis}"


def with_numbers(equation: Equation, constants: Mapping[Tensor, Matrix]) -> Equation:
    """Every read of a constant matrix written out: one term for each entry that is not zero."""
    terms: list[Term] = []
    for t in equation.terms:
        reads = [f for f in t.factors if f.tensor in constants]
        data = tuple(f for f in t.factors if f.tensor not in constants)
        entries = [[(r, c, v) for r, row in enumerate(constants[f.tensor].rows) for c, v in enumerate(row) if v]
                   for f in reads]
        for chosen in product(*entries):
            part = replace(t, factors=data)
            for f, (r, c, v) in zip(reads, chosen, strict=True):
                part = (part * Term((), coefficient=v)).where(equal(f.indices[0], r), equal(f.indices[1], c))
            terms.append(part)
    return eliminate(Equation(equation.left, terms, equation.context))
