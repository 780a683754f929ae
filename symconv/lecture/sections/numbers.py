"""The worked example: the numbers of `lecture.example`, shown as they were computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any

from symconv.equation import Equation, Tensor
from symconv.expand import Index, monomials
from symconv.lecture.blocks import Beside, Block, Display, Grid, Paragraph, Part, Section
from symconv.lecture.example import RATE, Example, products
from symconv.lecture.subject import TERMS, Subject, entry
from symconv.notation.build import tensor_node
from symconv.notation.nodes import Add, Bracketed, Chain, Dots, Element, Node, Number, Partial, Product, Signed, Symbol

PANELS = 4  # channels shown of one array


def section(s: Subject) -> Section:
    """Forward, upstream gradient, gradients and one update, in numbers."""
    title = s.words.text("numbers.title")
    e = s.example
    if e is None:
        return Section("numbers", title, (Paragraph(s.say("numbers.none")),))
    given = [Paragraph(s.say("numbers.intro", seed=s.seed)), grids(s, e, [*e.system.inputs])]
    parts = [Part(s.say("numbers.forward"), tuple(b for q in e.system.equations for b in made(s, e, q))),
             Part(s.say("numbers.upstream"), (Paragraph(s.say("numbers.loss", delta=tensor_node(e.upstream))),
                                              grids(s, e, [e.upstream]))),
             *(Part(s.say("numbers.gradient", left=tensor_node(q.output)), tuple(made(s, e, q)))
               for q in e.gradients.values())]
    return Section("numbers", title, (*given, *parts, *_update(s, e), *_checked(s, e)))


def made(s: Subject, e: Example, equation: Equation) -> Iterator[Block]:
    """One element computed, and all of them."""
    at = most_products(equation)
    yield Display((computed(s, e.values, equation, at),))
    yield grids(s, e, [equation.output])


def most_products(equation: Equation) -> Index:
    """The first element that the most products add to."""
    counts: dict[Index, int] = {}
    for index, _ in monomials(equation):
        counts[index] = counts.get(index, 0) + 1
    return max(sorted(counts), key=lambda i: counts[i]) if counts else tuple(0 for _ in equation.indices)


def computed(s: Subject, values: Mapping[str, Any], equation: Equation, at: Index) -> Chain:
    """`o_1 = w_1 x_1 + w_2 x_2 = 1*4 + 2*1 = 6`."""
    written = s.written(equation, at)
    numbers = products(equation, values, at)
    total = Number(int(values[equation.output.name][at]))
    shown = _sum_of(numbers)
    items = (*written.items, *((shown,) if shown != total else ()), total)
    return Chain(items, ("=",) * (len(items) - 1))


def _sum_of(numbers: list[tuple[int, ...]]) -> Node:
    """Products of numbers, negative ones in brackets; with dots where there are many."""
    terms = [Signed(False, _product(n, first=k == 0)) for k, n in enumerate(numbers)]
    if len(terms) > TERMS:
        terms = [*terms[:3], Signed(False, Dots()), terms[-1]]
    if not terms:
        return Number(0)
    if len(terms) == 1:
        return terms[0].node
    return Add(tuple(terms))


def _product(numbers: tuple[int, ...], first: bool) -> Node:
    factors = [Number(v) if v >= 0 or (first and k == 0) else Bracketed(Number(v)) for k, v in enumerate(numbers)]
    return factors[0] if len(factors) == 1 else Product(tuple(factors))


def grids(s: Subject, e: Example, tensors: list[Tensor]) -> Beside:
    """Arrays as tables, the last two axes of each in rows and columns."""
    return Beside(tuple(g for t in tensors for g in grid(s, t, e.values[t.name])))


def grid(s: Subject, tensor: Tensor, values: Any) -> Iterator[Grid]:
    """One table for each place along all axes but the last two."""
    shape = tensor.extents
    outer, inner = shape[:-2], shape[-2:]
    for lead in list(product(*map(range, outer)))[:PANELS]:
        rows = []
        for up in product(*map(range, inner[:-1])):
            along = range(inner[-1]) if inner else [None]
            at = [(*lead, *up, *(() if j is None else (j,))) for j in along]
            rows.append(tuple((_inner(s.element(tensor, i)), entry(values[i])) for i in at))
        yield Grid(_name(s, tensor, lead, prod(outer)), tuple(rows))


def _inner(node: Node) -> Node:
    """What a number lights up with: dL/dx_3 with x_3."""
    return node.by if isinstance(node, Partial) and not isinstance(node.of, Element) else node


def _name(s: Subject, tensor: Tensor, lead: Index, panels: int) -> tuple[Node | str, ...]:
    if not lead or panels == 1:
        return (tensor_node(tensor),)
    rest = tuple(Symbol("·") for _ in tensor.extents[len(lead):])
    return (tensor_node(tensor, (*(Number(i + s.base) for i in lead), *rest)),)


def _update(s: Subject, e: Example) -> Iterator[Block]:
    """One step of gradient descent for everything that is learnt."""
    learnt = [t for t in e.system.inputs if s.inks[t.name].tone != "x" and t.name in e.gradients]
    if not learnt:
        return
    eta = Symbol("eta")
    rules = tuple(Chain((tensor_node(t), Add((Signed(False, tensor_node(t)),
                                              Signed(True, Product((eta, tensor_node(t.gradient()))))))), ("<-",))
                  for t in learnt)
    found = Beside(tuple(g for t in learnt for g in grid(s, t, e.updated(t.name))))
    rate = Chain((eta, Number(Fraction(RATE))), ("=",))
    yield Part(s.say("numbers.update"), (Paragraph(s.say("numbers.rate", rate=rate)), Display(rules), found))


def _checked(s: Subject, e: Example) -> Iterator[Block]:
    yield Paragraph(s.say("numbers.oracle", count=e.checked), "proved")
    if e.quotients:
        yield Paragraph(s.say("numbers.quotients", count=e.quotients), "proved")
    if len(e.system.equations) < len(s.system.equations):
        yield Paragraph(s.say("numbers.before", out=tensor_node(e.system.output)), "aside")

