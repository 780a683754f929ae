"""A bilinear program as C, by its plan. Every loop, place and guard is read off the four equations."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from math import prod

from symconv.affine import Affine, AffineLike
from symconv.bilinear.bounds import codes
from symconv.bilinear.c_tiles import Tile, lines, loop
from symconv.bilinear.c_transform import CTransform, c_nested, c_transform, number
from symconv.bilinear.cost import cost
from symconv.bilinear.plan import REGISTERS, Order, Plan, Stored, plan
from symconv.bilinear.program import Tiles, bilinear_program
from symconv.bilinear.story import story
from symconv.bilinear.toom_cook import PointLike
from symconv.bilinear.verify import check_program
from symconv.c_routine import Block
from symconv.c_target import RESERVED, comment
from symconv.c_vector import vector_type, vector_typedef
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import LimitExceeded, NotSupported
from symconv.templating import environment

OWN = frozenset("tile lane part column point first end more from to U V M".split()) | RESERVED
NUMBERED = r"(sum\d+_|[uv])\d+"
MATRICES = {"taps": "G", "signal": "B^T", "result": "A^T"}
MOST = 2**31 - 1  # elements of one array: an index has to fit a C int


@dataclass(frozen=True)
class CKernel:
    """Emitted C.

    Args:
        text: the file. It has `<stem>(signal, taps, more, output, workspace)`, `more` where a further array is
            added; where the taps are prepared, they are what `<stem>_prepare(taps, prepared)` made of the caller's.
        arguments: the callers' arrays in the order signal, taps, more, output.
        prepared, workspace: elements of these arrays, 0 for no preparation.
    """

    stem: str
    text: str
    arguments: tuple[Tensor, ...]
    prepared: int
    workspace: int


@dataclass(frozen=True)
class CFunction:
    """What the template prints of one function."""

    name: str
    comment: list[str]
    parameters: tuple[str, ...]
    body: tuple[Block, ...]
    public: bool = False


def bilinear_kernel(equation: Equation, tiles: Tiles, stem: str, lanes: int = 16,
                    orders: Mapping[str, Order] | None = None, points: Sequence[PointLike] | None = None,
                    registers: int = REGISTERS) -> CKernel:
    """A proved program of an equation with sizes in numbers, as C in float32.

    Args:
        tiles: (outputs, taps) by output index.
        orders: by array, its axes from the slowest to the fastest; row-major by default.

    Raises:
        NotSupported: no bilinear algorithm applies, or it could not be proved to compute the equation.
    """
    program = bilinear_program(equation, tiles, points)
    verdict = check_program(program)
    if not verdict.proved:
        raise NotSupported(f"not proved to compute {equation}: {verdict.reason}")
    return c_kernel(plan(program, lanes, orders, registers), stem)


def c_kernel(chosen: Plan, stem: str, ctype: str = "float") -> CKernel:
    """Print a chosen.

    Raises:
        NotSupported: a name is no identifier, or the equation has a coefficient.
        LimitExceeded: an array of the workspace has more elements than an int can count.
    """
    program = chosen.program
    check_printable(chosen)
    printer = Printer(chosen, ctype)
    main = printer.main(stem)
    text = environment().get_template("c/bilinear.c.j2").render(
        title=f"{stem}: {program.equation}", story=[part for t in story(program).lines() for part in comment(t)],
        facts=[*comment(str(chosen)), *comment(str(cost(chosen)))], vector=vector_typedef(ctype, chosen.lanes),
        static=printer.static(stem), main=main)
    arguments = (_data(program.steps[1]).tensor, _data(program.steps[0]).tensor,
                 *(f.tensor for t in printer.more for f in t.factors), program.equation.output)
    return CKernel(stem, text, arguments, chosen.u.size if chosen.prepares else 0, printer.workspace)


def check_printable(chosen: Plan) -> None:
    """Raises NotSupported or LimitExceeded where c_kernel does."""
    program = chosen.program
    _check_names([*chosen.extents, *(t.name for t in (program.equation.output, *program.equation.reads))])
    if program.steps[3].terms[0].coefficient != 1:
        raise NotSupported(f"no C for a bilinear program with a coefficient: {program.steps[3]}")
    if max(s.size for s in (chosen.u, chosen.v, chosen.m)) > MOST:
        raise LimitExceeded(f"the workspace of {program.equation} has more than {MOST} elements")


def _check_names(names: Iterable[str]) -> None:
    wrong = [n for n in names if not re.fullmatch(r"[A-Za-z]\w*", n) or n in OWN or re.fullmatch(NUMBERED, n)]
    if wrong:
        raise NotSupported(f"{wrong[0]!r} cannot be a name in this kernel")


def _data(step: Equation) -> Access:
    """What a transform reads: the factor that is no matrix."""
    return step.terms[0].factors[-1]


@dataclass(frozen=True)
class Printer:
    """The functions of a plan.

    Args:
        apart: the taps are prepared by a function of its own where one preparation serves all tiles.
        prefix: of the names of static functions.
    """

    plan: Plan
    ctype: str
    apart: bool = True
    prefix: str = ""

    def static(self, stem: str = "") -> str:
        """The text of everything but the function that is called."""
        chosen, ctype, kind_of = self.plan, self.ctype, self.vector
        transforms: dict[str, CTransform] = {}
        nested = []
        for kind, each in zip(MATRICES, codes(chosen.program), strict=True):
            names = [f"{self.prefix}{kind}_line{'' if len(set(each)) == 1 else n}" for n in range(len(each))]
            transforms |= {n: c_transform(n, c, f"{MATRICES[kind]} on vectors of {chosen.lanes}.", ctype)
                           for n, c in zip(names, each, strict=True)}
            nested.append(c_nested(f"{self.prefix}{kind}_tile", names, each, chosen.lanes,
                                   f"{MATRICES[kind]} along every axis.", ctype, kind_of,
                                   kind == "result" and bool(self.more)))
        functions = [self.taps(stem), self.signal(), *self.products(), self.result()]
        return environment().get_template("c/static.c.j2").render(
            ctype=ctype, vector=kind_of, transforms=transforms.values(), nesteds=nested, functions=functions).strip()

    @property
    def vector(self) -> str:
        """The name of the vector type."""
        return vector_type(self.ctype, self.plan.lanes)

    @property
    def prepares(self) -> bool:
        """Does the caller hand over prepared taps?"""
        return self.apart and self.plan.prepares

    @property
    def workspace(self) -> int:
        """In elements."""
        return sum(s.size for s in self.kept)

    @property
    def kept(self) -> tuple[Stored, ...]:
        """What stands in the workspace, in this order."""
        p = self.plan
        return (p.v, p.m) if self.prepares else (p.v, p.m, p.u)

    @property
    def more(self) -> tuple[Term, ...]:
        """What is added to the result: nothing, or one element for each tile."""
        return self.plan.program.steps[3].terms[1:]

    @property
    def _more_parameters(self) -> tuple[str, ...]:
        return tuple(f"const {self.ctype} *restrict {f.tensor.name}" for t in self.more for f in t.factors)

    def _around(self, step: Equation) -> list[str]:
        """The indices of the peeled loops that a step depends on: parameters of its function."""
        return [n for n in (*self.plan.outer, *self.plan.round) if n in step.indices]

    def _loops(self, names: Iterable[str], body: Sequence[Block]) -> tuple[Block, ...]:
        for n in reversed(tuple(names)):
            body = [loop(n, self.plan.extents[n], body)]
        return tuple(body)

    def _parameters(self, read: str, written: str, indices: Iterable[str]) -> tuple[str, ...]:
        return (f"const {self.ctype} *restrict {read}", f"{self.ctype} *restrict {written}",
                *(f"int {n}" for n in indices))

    # The transforms: from the callers' arrays to U and V, from M to the callers' array.

    def taps(self, stem: str) -> CFunction:
        """`prepare`, or what every round does to the taps."""
        p, step = self.plan, self.plan.program.steps[0]
        around = [] if p.prepares else self._around(step)
        free = [n for n in step.indices if n not in (*around, *p.points, p.row)]
        body = self._loops(free, self._parts(self._forward(step, "taps", p.u, p.row, p.width)))
        return CFunction(f"{stem}_prepare" if self.prepares else f"{self.prefix}taps_transform", comment(str(step)),
                         self._parameters(_data(step).tensor.name, "U", around),
                         (loop(p.row, p.extents[p.row], body, p.width),), self.prepares)

    def signal(self) -> CFunction:
        """What every round does to the signal."""
        p, step = self.plan, self.plan.program.steps[1]
        around = self._around(step)
        free = [n for n in step.indices if n not in (*around, *p.points, p.signal_lane)]
        body = self._forward(step, "signal", p.v, p.signal_lane, p.lanes)
        body = (loop(p.signal_lane, p.extents[p.signal_lane], body, p.lanes),)
        return CFunction(f"{self.prefix}signal_transform", comment(str(step)),
                         self._parameters(_data(step).tensor.name, "V", around), self._loops(free, body))

    def _parts(self, body: Sequence[Block]) -> tuple[Block, ...]:
        """For each vector of a block of rows."""
        return (loop("part", self.plan.width, body, self.plan.lanes),) if self.plan.vectors > 1 else tuple(body)

    def _part(self, step: int) -> AffineLike:
        return "part" if step > self.plan.lanes else 0

    def _forward(self, step: Equation, kind: str, to: Stored, lane: str, width: int) -> tuple[Block, ...]:
        matrices = step.terms[0].factors[:-1]
        tile = self._tile(_data(step), [f.indices[1] for f in matrices], [f.tensor.extents[1] for f in matrices],
                          lane, width)
        target = to.offset(n for n in step.indices if n not in self.plan.points) + self._part(width)
        steps = ", ".join(str(to.stride(n)) for n in self.plan.points)
        return tile.moved(f"{self.prefix}{kind}_tile({{tile}}, {to.name} + {target}, {steps});", load=True)

    def result(self) -> CFunction:
        """From M to the output; what lies outside the output is cut off."""
        p, step = self.plan, self.plan.program.steps[3]
        axes = p.program.axes
        here = step.left.substitute({a.relation.output: a.output_place for a in axes})
        tile = self._tile(here, [a.inner[0] for a in axes], [a.outputs for a in axes], p.row, p.width)
        source = p.m.offset([*p.columns, *([p.row] if p.accumulates else [])]) + self._part(p.width)
        if p.by_chunk:
            source = source - p.m.stride(p.columns[0]) * Affine.of("first")
        steps = ", ".join(str(p.m.stride(n)) for n in p.points)
        call = f"{self.prefix}result_tile(M + {source}, {steps}, {{tile}}{', more' if self.more else ''});"
        body = self._parts((*self._gathered_more(), *tile.moved(call, load=False)))
        body = (loop(p.columns[0], "end", body, first="first"),) if p.by_chunk else self._loops(p.columns, body)
        indices = [*self._around(p.program.steps[2]), p.row, *(("first", "end") if p.by_chunk else ())]
        return CFunction(f"{self.prefix}result_transform", comment(str(step)),
                         (*self._more_parameters, *self._parameters("M", here.tensor.name, indices)), body)

    def _gathered_more(self) -> list[Block]:
        found = []
        for t in self.more:
            tile = self._tile(t.factors[0], [], [], self.plan.row, self.plan.width)
            factor = "" if t.coefficient == 1 else f"{number(t.coefficient, self.ctype)}*"
            tile = replace(tile, name="more", factor=factor)
            found += [tile.buffer, tile.elements(load=True)]
        return found

    def _tile(self, access: Access, inner: Sequence[Affine], shape: Sequence[int], lane: str, width: int) -> Tile:
        """The tile that one call transforms; `lane` advances by `width` around it."""
        p = self.plan
        names = tuple("".join(e.names) for e in inner)
        box = {n: (0, e - 1) for n, e in (*p.extents.items(), *zip(names, shape, strict=True))}
        box |= {lane: (0, (p.extents[lane] - 1) // width * width), "part": (0, width - p.lanes),
                "lane": (0, p.lanes - 1)}
        place = Affine.of(lane) + "lane" + self._part(width)
        return Tile(access.substitute({lane: place}), names, tuple(shape), p.strides[access.tensor.name], box,
                    p.lanes, self.ctype)

    # The matrix products.

    def products(self) -> list[CFunction]:
        """One function for each number of columns, for a single point."""
        return [self._product(n) for n in sorted(set(self.plan.chunks))]

    def _product(self, count: int) -> CFunction:
        p = self.plan
        kind, vectors, apart = self.vector, range(p.vectors), p.v.stride(p.columns[-1])
        u, v = p.u.offset(p.sums), p.v.offset(p.sums)

        def at(column: int, vector: int) -> str:
            return f"*({kind} *)(M + {column * p.width + vector * p.lanes})"

        start, end = [], []
        body = [f"const {kind} u{r} = *(const {kind} *)(U + {u + r * p.lanes});" for r in vectors]
        for c in range(count):
            first = (f"sum{r}_{c} = {at(c, r) if p.accumulates else '{0}'}" for r in vectors)
            start.append(f"{kind} {', '.join(first)};")
            body.append(f"const {self.ctype} v{c} = V[{v + c * apart}];")
            body.append(" ".join(f"sum{r}_{c} += u{r} * v{c};" for r in vectors))
            end.append(" ".join(f"{at(c, r)} = sum{r}_{c};" for r in vectors))
        what = f"{p.width} of {p.row} by {count} of {'*'.join(p.side_by_side)} at one point, over {', '.join(p.sums)}."
        parameters = (f"const {self.ctype} *restrict U", *self._parameters("V", "M", ()))
        return CFunction(f"{self.prefix}products_{count}", comment(what), parameters,
                         (lines(*start), *self._loops(p.sums, (lines(*body),)), lines(*end)))

    # The order of everything.

    def main(self, stem: str) -> CFunction:
        """Everything, with what is kept in a workspace."""
        p = self.plan
        x, y = _data(p.program.steps[1]).tensor.name, p.program.equation.output.name
        offsets = [f"{self.ctype} *restrict {s.name} = workspace + {sum(t.size for t in self.kept[:n])};"
                   for n, s in enumerate(self.kept)]
        first = [self.preparation()] if p.prepares and not self.apart else []
        given = "U" if self.prepares else _data(p.program.steps[0]).tensor.name
        read, written = self._parameters(given, y, ())
        parameters = (f"const {self.ctype} *restrict {x}", read, *self._more_parameters, written,
                      f"{self.ctype} *restrict workspace")
        what = f"{p.program.equation}; the workspace has {self.workspace} elements"
        return CFunction(stem, comment(what), parameters, (lines(*offsets), *first, *self.rounds()), True)

    def preparation(self) -> Block:
        """What is done once with the taps."""
        return lines(f"{self.prefix}taps_transform({_data(self.plan.program.steps[0]).tensor.name}, U);")

    def rounds(self) -> tuple[Block, ...]:
        """Rounds of transforms and products, and the result at the end of each, or of all."""
        p = self.plan
        taps, signal, products, result = p.program.steps
        x, y = _data(signal).tensor.name, result.output.name
        more = [f.tensor.name for t in self.more for f in t.factors]

        def call(step: Equation, name: str, arrays: Sequence[str], *indices: str) -> Block:
            return lines(f"{self.prefix}{name}({', '.join([*arrays, *self._around(step), *indices])});")

        begin = [call(signal, "signal_transform", [x, "V"])]
        if not p.prepares:
            begin.append(call(taps, "taps_transform", [_data(taps).tensor.name, "U"]))

        def finish(*chunk: str) -> Block:
            return call(products, "result_transform", [*more, "M", y], p.row, *chunk)

        def rows(body: Sequence[Block]) -> Block:
            return loop(p.row, p.extents[p.row], body, p.width)

        if p.by_chunk:
            body = self._chunks(lambda work, first, end: [self._points([work]), finish(first, end)])
        else:
            over = p.columns[:-len(p.side_by_side)]
            body = [self._points(self._loops(over, self._chunks(lambda work, first, end: [work])))]
        if p.accumulates:
            clear = lines(f"__builtin_memset(M, 0, {p.m.size} * sizeof *M);")
            whole = (clear, *self._loops(p.round, [*begin, rows(body)]), rows([finish()]))
        else:
            whole = self._loops(p.round, [*begin, rows(body if p.by_chunk else [*body, finish()])])
        return self._loops(p.outer, whole)

    def _points(self, body: Sequence[Block]) -> Block:
        return loop("point", prod(self.plan.extents[n] for n in self.plan.points), body)

    def _chunks(self, around: Callable[[Block, str, str], list[Block]]) -> list[Block]:
        """All columns: the products of each chunk at one point, within what `around` puts around them."""
        p, last = self.plan, self.plan.points[-1]
        u, v, m = (s.stride(last) * Affine.of("point") for s in (p.u, p.v, p.m))
        u = u + p.u.offset([*p.outer, p.row])
        over = p.columns[:-len(p.side_by_side)]
        v = v + p.v.offset(over)
        m = m + p.m.offset([*([p.row] if p.accumulates else []), *over])
        blocks, first = [], 0
        for size, same in groupby(p.chunks):
            times = len(list(same))
            column = Affine.of("column" if times > 1 else first)
            to = m if p.by_chunk else m + p.width * column
            start = v + p.v.stride(p.columns[-1]) * column
            work = lines(f"{self.prefix}products_{size}(U + {u}, V + {start}, M + {to});")
            made = around(work, str(column), str(column + size))
            blocks += [loop("column", first + times * size, made, size, first)] if times > 1 else made
            first += times * size
        return blocks
