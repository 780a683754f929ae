"""Exercises with fresh numbers, and their answers: computed as the worked example is, and checked as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import numpy as np

from symconv.affine import Affine
from symconv.equation import Equation, Term
from symconv.expand import monomials
from symconv.lecture.blocks import Beside, Block, Display, Listed, Paragraph, Section
from symconv.lecture.example import Example, evaluated, example
from symconv.lecture.extents import at_sizes, extents, fits
from symconv.lecture.sections.numbers import computed, grid
from symconv.lecture.sections.sizes import size_formula, substituted
from symconv.lecture.subject import Subject
from symconv.notation.nodes import Chain, Node, Number, Symbol

FRESH = 1_000_003  # what is added to the seed, so that no exercise repeats the worked example


@dataclass(frozen=True)
class Exercise:
    """A question and its answer."""

    question: tuple[Block, ...]
    answer: tuple[Block, ...]


def section(s: Subject, exercises: tuple[Exercise, ...]) -> Section | None:
    """The questions."""
    if not exercises:
        return None
    return Section("exercises", s.words.text("exercises.title"), (Listed(tuple(e.question for e in exercises)),))


def answers(s: Subject, exercises: tuple[Exercise, ...]) -> Section | None:
    """The answers, in the same order."""
    if not exercises:
        return None
    return Section("answers", s.words.text("exercises.answers"), (Listed(tuple(e.answer for e in exercises)),))


def exercises(s: Subject, number: int) -> tuple[Exercise, ...]:
    """So many exercises; their kinds take turns, each with numbers of its own."""
    rng = Random(f"{s.seed}:{dict(s.system.spec)}")
    found: list[Exercise] = []
    failed = 0
    while len(found) < number and failed < len(KINDS):
        kind = KINDS[(len(found) + failed) % len(KINDS)]
        made = kind(s, rng, s.seed + FRESH + len(found))
        failed = 0 if made else failed + 1
        found += [made] if made else []
    return tuple(found)


def _fresh(s: Subject, seed: int) -> Example | None:
    return example(s.derivation, s.shown, seed, quotients=False) if s.example is not None else None


def _element_of(s: Subject, e: Example, equation: Equation, rng: Random, given: list[str]) -> Exercise | None:
    """Compute one element; None where every product reads outside an array."""
    counts: dict[tuple[int, ...], int] = {}
    for index, _ in monomials(equation):
        counts[index] = counts.get(index, 0) + 1
    good = [i for i in sorted(counts) if 1 < counts[i] <= 9] or sorted(counts)
    if not good:
        return None
    at = rng.choice(good)
    tensors = [t for t in equation.reads if t.name in given]
    boxes = Beside(tuple(g for t in tensors for g in grid(s, t, e.values[t.name])))
    asked = Paragraph(s.say("exercises.compute", element=s.element(equation.output, at)))
    return Exercise((asked, boxes), (Display((computed(s, e.values, equation, at),)),))


def _output(s: Subject, rng: Random, seed: int) -> Exercise | None:
    e = _fresh(s, seed)
    if e is None:
        return None
    equation = e.system.equations[0]
    return _element_of(s, e, equation, rng, [t.name for t in equation.reads])


def _gradient(tone: str) -> Callable[[Subject, Random, int], Exercise | None]:
    def make(s: Subject, rng: Random, seed: int) -> Exercise | None:
        e = _fresh(s, seed)
        names = [n for n in e.gradients if s.inks[n].tone == tone] if e else []
        if e is None or not names:
            return None
        equation = e.gradients[names[0]]
        return _element_of(s, e, equation, rng, [t.name for t in equation.reads])
    return make


def _size(s: Subject, rng: Random, seed: int) -> Exercise | None:
    """The number of outputs at other sizes."""
    found = extents(s.system.equations[0])
    if not found:
        return None
    e = rng.choice(found)
    derived = {x.size for x in found}
    free = {n: v for n, v in s.system.sizes if n not in derived}
    for _ in range(40):
        numbers = {n: v + rng.randrange(1, 8) if n in e.over.names and v > 1 else v for n, v in free.items()}
        system = at_sizes(s.system, numbers)
        if fits(system):
            break
    else:
        return None
    known = dict(system.sizes)
    given = tuple(Chain((Symbol(n), Number(known[n])), ("=",)) for n in sorted(e.over.names))
    formula = size_formula(e)
    value = Chain((Symbol(e.size), formula, substituted(formula, known), Number(known[e.size])), ("=",) * 3)
    return Exercise((Paragraph(s.say("exercises.size", size=Symbol(e.size), given=given)),), (Display((value,)),))


def _wrong(s: Subject, rng: Random, seed: int) -> Exercise | None:
    """A gradient with one index wrong: which, and where does it show?"""
    e = _fresh(s, seed)
    if e is None:
        return None
    for name in rng.sample(sorted(e.gradients), len(e.gradients)):
        right = s.derivation.grad[name]
        for wrong in rng.sample(list(_slips(right)), len(list(_slips(right)))):
            numbers = evaluated(wrong.at(dict(s.shown.sizes)), e.values)
            off = [i for i in np.ndindex(*numbers.shape) if numbers[i] != e.values[f"d{name}"][i]]
            if off:
                return _told(s, e, name, wrong, int(numbers[off[0]]), off[0])
    return None


def _told(s: Subject, e: Example, name: str, wrong: Equation, value: int, at: tuple[int, ...]) -> Exercise:
    right = s.derivation.grad[name]
    question = (Paragraph(s.say("exercises.wrong")), Display((s.node(wrong),)))
    element = s.element(e.gradients[name].output, at)
    values: dict[str, Node] = {"is": Number(int(e.values[f"d{name}"][at])), "says": Number(value)}
    return Exercise(question, (Display((s.node(right),)),
                               Paragraph(s.say("exercises.shows", element=element, **values)),
                               Display((computed(s, e.values, e.gradients[name], at),))))


def _slips(equation: Equation) -> Iterator[Equation]:
    """The same equation with one index turned around: m - j + 1 as m + j - 1, a + i - 1 as i - a + 1."""
    for n, t in enumerate(equation.terms):
        for k, f in enumerate(t.factors):
            for axis, e in enumerate(f.indices):
                inner = sorted(e.names & set(t.indices))
                if len(e.names) > 1 and inner:
                    turned = e - 2 * e.coefficient(inner[0]) * Affine.of(inner[0])
                    moved = replace(f, indices=(*f.indices[:axis], turned, *f.indices[axis + 1:]))
                    term = Term((*t.factors[:k], moved, *t.factors[k + 1:]), t.indices, t.constraints, t.coefficient)
                    terms = (*equation.terms[:n], term, *equation.terms[n + 1:])
                    yield Equation(equation.left, terms, equation.context)


KINDS = (_output, _size, _gradient("x"), _gradient("w"), _wrong)
