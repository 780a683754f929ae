"""A lecture from a layer: its sections in order."""

from __future__ import annotations

from itertools import product

from symconv.lecture.blocks import Document, Paragraph, Section
from symconv.lecture.sections import bilinear, code, derivation, drawings, elements, exercises, layer, numbers, sizes
from symconv.lecture.subject import Subject
from symconv.lecture.words import Pieces, words
from symconv.notation.nodes import Element
from symconv.system import LayerLike

LEGEND = 40  # elements offered to be lit up


def lecture(source: LayerLike, language: str = "en", seed: int = 0, questions: int = 4, with_answers: bool = False,
            base: int = 1, isa: str = "generic", evidence: str = "") -> Document:
    """The lecture on a layer or a formula.

    Args:
        language: which catalogue of words.
        seed: of the example's and the exercises' numbers.
        questions: how many exercises.
        with_answers: end with their answers.
        base: where printed indices start, 0 or 1.
        isa: whose vectors the C code uses.
        evidence: what was checked of the kernels, where they were.

    Raises:
        NotSupported: an unknown language, or a layer of no known kind.
        ShapeError: a size has no number.
    """
    s = Subject(source, words(language), base, seed)
    s.system.concrete()
    asked = exercises.exercises(s, questions)
    found: list[Section | None] = [
        layer.section(s), sizes.section(s), drawings.section(s), derivation.section(s), elements.section(s),
        elements.turned(s), bilinear.section(s, isa), numbers.section(s), code.section(s, isa, evidence),
        exercises.section(s, asked), exercises.answers(s, asked) if with_answers else None]
    sections = tuple(x for x in found if x is not None)
    lead = (Paragraph(s.say("page.lead")), Paragraph(s.say("page.colours")))
    command = f"symconv report {s.system.command}" if s.system.command else ""
    return Document(_title(s), lead, sections, language, _legend(s), command, name=s.system.name)


def _title(s: Subject) -> Pieces:
    name = s.name(s.system.equations[0])
    sizes_ = " × ".join(str(n) for n in s.system.concrete().inputs[0].extents)
    return s.say("page.title" if name else "page.title_unnamed", name=name or "", sizes=sizes_)


def _legend(s: Subject) -> tuple[Element, ...]:
    """Elements of every tensor at the sizes shown, few of each."""
    here = s.shown.concrete()
    first = here.equations[0]
    tensors = [*first.reads, first.output, first.output.gradient()]
    each = max(3, LEGEND // len(tensors))
    nodes = [s.element(t, i) for t in tensors for i in list(product(*map(range, t.extents)))[:each]]
    return tuple(n for n in nodes if isinstance(n, Element) and n.indices)
