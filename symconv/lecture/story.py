"""A lecture from a layer: its sections in order."""

from __future__ import annotations

from itertools import product

from symconv.lecture.blocks import Document, Paragraph, Section
from symconv.lecture.sections import bilinear, code, derivation, drawings, elements, exercises, layer, numbers, sizes
from symconv.lecture.subject import Subject, values
from symconv.lecture.words import Pieces
from symconv.notation.nodes import Element

LEGEND = 40  # elements offered to be lit up


def lecture(s: Subject, questions: int = 4, with_answers: bool = False) -> Document:
    """The lecture on a layer or a formula.

    Args:
        questions: how many exercises.
        with_answers: end with their answers.

    Raises:
        ShapeError: a size has no number.
    """
    s.system.concrete()
    asked = exercises.exercises(s, questions)
    found: list[Section | None] = [
        layer.section(s), sizes.section(s), drawings.section(s), derivation.section(s), elements.section(s),
        elements.turned(s), bilinear.section(s), numbers.section(s), code.section(s),
        exercises.section(s, asked), exercises.answers(s, asked) if with_answers else None]
    sections = tuple(x for x in found if x is not None)
    lead = (Paragraph(s.say("page.lead")), Paragraph(s.say("page.colours")))
    command = f"symconv report {s.system.command}" if s.system.command else ""
    return Document(_title(s), lead, sections, s.words.language, _legend(s), command, name=s.system.name)


def _title(s: Subject) -> Pieces:
    name = s.name(s.system.equations[0])
    return s.say("page.title" if name else "page.title_unnamed", name=name or "", sizes=values(s.system))


def _legend(s: Subject) -> tuple[Element, ...]:
    """Elements of every tensor at the sizes shown, few of each."""
    here = s.shown.concrete()
    first = here.equations[0]
    tensors = [*first.reads, first.output, first.output.gradient()]
    each = max(3, LEGEND // len(tensors))
    nodes = [s.element(t, i) for t in tensors for i in list(product(*map(range, t.extents)))[:each]]
    return tuple(n for n in nodes if isinstance(n, Element) and n.indices)
