"""The figures, each with what it shows."""

from __future__ import annotations

from symconv.lecture.blocks import Drawing, Paragraph, Section
from symconv.lecture.figures import Figure, figures
from symconv.lecture.subject import Subject


def section(s: Subject) -> Section | None:
    """All figures of the layer."""
    found = drawn(s)
    if not found:
        return None
    return Section("figures", s.words.text("drawings.title"),
                   (Paragraph(s.say("drawings.intro")), *(Drawing(f) for f in found)))


def drawn(s: Subject) -> tuple[Figure, ...]:
    """The figures, with the worked example's numbers in their cells where its sizes are those asked for."""
    e = s.example
    numbers = {t.name: e.values[t.name] for t in (*e.system.inputs, e.upstream)} if e and not s.shrunk else None
    return figures(s.derivation, s.words, numbers, s.base)
