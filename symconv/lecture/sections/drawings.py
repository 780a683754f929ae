"""The figures, each with what it shows."""

from __future__ import annotations

from symconv.lecture.blocks import Drawing, Paragraph, Section
from symconv.lecture.example import Array, given, whole
from symconv.lecture.figures import Figure, figures
from symconv.lecture.subject import READABLE, Subject, elements


def section(s: Subject) -> Section | None:
    """All figures of the layer."""
    found = drawn(s)
    if not found:
        return None
    return Section("figures", s.words.text("drawings.title"),
                   (Paragraph(s.say("drawings.intro")), *(Drawing(f) for f in found)))


def drawn(s: Subject) -> tuple[Figure, ...]:
    """The figures at the sizes asked for, with numbers in their cells: the worked example's where it has them."""
    return figures(s.derivation, s.words, _numbers(s), s.base)


def _numbers(s: Subject) -> dict[str, Array] | None:
    e = s.example
    if e is not None and not s.shrunk:
        return {t.name: e.values[t.name] for t in (*e.system.inputs, e.upstream)}
    system = whole(s.system.concrete())
    small = all(elements(t) <= READABLE for q in system.equations for t in (q.output, *q.reads))
    return given(system, s.seed) if system.equations and small else None
