"""Elements written out, and why the kernel turns around."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from symconv.equation import Equation, Tensor
from symconv.errors import LimitExceeded
from symconv.expand import Index, monomials
from symconv.lecture.blocks import Block, Display, Paragraph, Section, Table
from symconv.lecture.palette import data
from symconv.lecture.subject import Subject, count, elements
from symconv.notation.build import Builder, tensor_node
from symconv.notation.nodes import Chain, Matrix, Node, Number, Product

ALL, MATRIX, COMPARED = 9, 60, 400


def section(s: Subject) -> Section:
    """Every result element by element, where there are few; else some at the border and in the middle."""
    d = s.derivation
    blocks: list[Block] = [Paragraph(s.say("elements.intro"))]
    for f in d.functions:
        equation = s.at(f.equation, s.shown)
        places = chosen(equation)
        lines = tuple(s.written(equation, at) for at in places)
        blocks.append(Display(lines))
        if len(places) < elements(equation.output):
            blocks.append(Paragraph(s.say("elements.some", count=len(places), all=elements(equation.output)), "aside"))
    blocks += _compared(s)
    return Section("elements", s.words.text("elements.title"), tuple(blocks))


def chosen(equation: Equation) -> list[Index]:
    """All elements, or the first, the second, a middle one and the last."""
    shape = equation.output.extents
    if elements(equation.output) <= ALL:
        return list(product(*map(range, shape)))
    picked = [tuple(0 for _ in shape), tuple(min(1, n - 1) for n in shape), tuple(n // 2 for n in shape),
              tuple(n - 1 for n in shape)]
    return list(dict.fromkeys(picked))


def _compared(s: Subject) -> Iterator[Block]:
    """The same gradients a second time, from the loss written out."""
    if count(s.at(s.system.equations[0]), COMPARED) > COMPARED:
        return
    try:
        yield Paragraph(s.say("elements.compared", count=s.derivation.check_expanded()), "proved")
    except LimitExceeded:
        return


def turned(s: Subject) -> Section | None:
    """Why the kernel is read backwards, twice: by the indices, and as the transpose of a matrix."""
    x = data(s.system)
    forward = s.system.equations[0]
    if x is None or x.name not in s.derivation.grad or len(forward.terms[0].factors) != 2:
        return None
    gradient = s.derivation.grad[x.name]
    blocks = [*_by_indices(s, x, gradient), *_by_matrix(s, x.name)]
    if not blocks:
        return None
    flips = _flips(gradient)
    return Section("turned", s.words.text("turned.title" if flips else "turned.title_transpose"), tuple(blocks))


def _flips(gradient: Equation) -> bool:
    """Is something read at a place that falls while a summation index rises?"""
    return any(e.coefficient(n) < 0 for t in gradient.terms for n in t.indices for f in t.factors for e in f.indices)


def _by_indices(s: Subject, x: Tensor, gradient: Equation) -> Iterator[Block]:
    step = next((p for p in s.derivation.steps[gradient.output.name.removeprefix("d")]
                 if p.reason == "delta elimination"), None)
    if step is None or not _flips(gradient):
        return
    show = Builder(step.before, s.base)
    term = step.before.terms[0]
    brackets = [show.bracket(c, term.indices) for c in term.constraints if c.equality and len(c.expression.names) > 2]
    if not brackets:
        return
    here = s.at(gradient, s.shown)
    at = max(product(*map(range, here.output.extents)), key=lambda i: (sum(1 for _ in monomials(here, i)),
                                                                      -sum(i), i))
    found = [m for _, m in monomials(here, at)][:6]
    if not found or any(len(m.factors) != 2 for m in found):
        return
    delta, other = found[0].factors[0][0].tensor, found[0].factors[1][0].tensor
    if not delta.gradient_of:
        delta, other = other, delta
    rows = []
    for m in found:
        index = {f.tensor.name: i for f, i in m.factors}
        rows.append(((s.element(delta, index[delta.name]),), (s.element(other, index[other.name]),),
                     (Product((s.element(delta, index[delta.name]), s.element(other, index[other.name]))),)))
    head = ((tensor_node(delta),), (tensor_node(other),), s.say("turned.product"))
    yield Paragraph(s.say("turned.indices", conditions=tuple(brackets), x=tensor_node(x)))
    yield Table(s.say("turned.table", element=s.element(here.output, at)), head, tuple(rows))
    yield Paragraph(s.say("turned.falls"))


def toeplitz(s: Subject) -> tuple[Matrix, Equation, str] | None:
    """The first equation as a matrix of weights that is applied to x, where it is small."""
    x = data(s.system)
    equation = s.at(s.system.equations[0], s.shown)
    here = next((t for t in equation.reads if x is not None and t.name == x.name), None)
    if here is None or elements(here) * elements(equation.output) > MATRIX:
        return None
    cells: dict[tuple[Index, Index], Node] = {}
    for out, m in monomials(equation):
        others = [(f, i) for f, i in m.factors if f.tensor != here]
        inner = [i for f, i in m.factors if f.tensor == here]
        if inner:
            if len(others) != 1 or m.coefficient != 1 or (out, inner[0]) in cells:
                return None
            cells[out, inner[0]] = s.element(others[0][0].tensor, others[0][1])
    rows = tuple(tuple(cells.get((o, i), Number(0)) for i in product(*map(range, here.extents)))
                 for o in product(*map(range, equation.output.extents)))
    return Matrix(rows), equation, here.name


def _by_matrix(s: Subject, name: str) -> Iterator[Block]:
    found = toeplitz(s)
    if found is None:
        yield Paragraph(s.say("turned.matrix_large"))
        return
    matrix, equation, _ = found
    here = next(t for t in equation.reads if t.name == name)
    delta = equation.output.gradient()
    turned_ = Matrix(tuple(zip(*matrix.rows, strict=True)))
    yield Paragraph(s.say("turned.matrix", out=tensor_node(equation.output), x=tensor_node(here)))
    added = len(equation.terms) > 1
    yield Display((Chain((_column(s, equation.output), Product((matrix, _column(s, here)))), ("=",)),),
                  s.say("turned.without_bias") if added else ())
    yield Paragraph(s.say("turned.transposed"))
    yield Display((Chain((_column(s, here.gradient()), Product((turned_, _column(s, delta)))), ("=",)),))


def _column(s: Subject, tensor: Tensor) -> Matrix:
    return Matrix(tuple((s.element(tensor, i),) for i in product(*map(range, tensor.extents))))
