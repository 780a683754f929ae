"""The figure of an arrangement with one or two sliding axes: a window that goes over the ground, step by step."""

from __future__ import annotations

from symconv.equation import Equation
from symconv.lecture.figures.arrangement import OUT, Arrangement
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure, Motion, again, document, held
from symconv.lecture.figures.meeting import Meeting, can_meet
from symconv.lecture.figures.numbers import spoken
from symconv.lecture.figures.panels import Panels
from symconv.lecture.figures.scene import Scene, Shown, strip
from symconv.lecture.figures.strip import Strip
from symconv.lecture.figures.svg import Drawing, Run, called


class Slide:
    """A stage, its film and its frames."""

    def __init__(self, scene: Scene, stage: Strip | Panels | Meeting, name: str) -> None:
        self.scene, self.stage, self.name = scene, stage, name
        self.steps = stage.steps
        self.still = stage.still()
        self.numbers = [n for n in stage.numbers() if n.text]

    def sum_of(self, at: tuple[int, ...]) -> list[Run]:
        """One element written out."""
        index = at if isinstance(self.stage, Meeting) else self.stage.a.index(OUT, at)
        return self.scene.sum(self.stage.equation, index)

    def sum_at(self, d: Drawing, at: tuple[int, ...]) -> None:
        d.text(*self.stage.below, self.sum_of(at))

    def results(self, d: Drawing, shown: list[tuple[Shown, str]]) -> None:
        """Numbers of results, each with its classes."""
        d.add(f'<g class="n {self.scene.names.tone(self.stage.equation.output)}">')
        for n, late in shown:
            d.text(n.x, n.y, n.text, n.size, late)
        d.add("</g>")

    def frame(self, at: tuple[int, ...], base: Drawing) -> Drawing:
        """One step, standing still on a base; results are known up to it."""
        self.results(base, [(n, "") for n in self.numbers if n.place <= at])
        for part in self.stage.parts(at).values():
            base.beside(*part)
        self.sum_at(base, at)
        return base

    def film(self) -> tuple[Drawing, Motion]:
        """All steps, one after the other."""
        d, motion = held(self.name, self.still), Motion(self.name, len(self.steps))
        self.results(d, [(n, motion.from_(next(k for k, at in enumerate(self.steps) if at >= n.place)))
                         for n in self.numbers])
        found = [self.stage.parts(at) for at in self.steps]
        for key in found[0]:
            parts = [f[key] for f in found]
            first = Drawing()
            first.beside(*parts[0])
            if all(p.drawing.parts == parts[0].drawing.parts for p in parts):
                d.inside(motion.path(key, [(p.x, p.y) for p in parts]), first)
                continue
            for n, part in enumerate(parts):
                one = Drawing()
                one.beside(*part)
                d.inside(motion.only(n), one)
        for n, at in enumerate(self.steps):
            line = Drawing()
            self.sum_at(line, at)
            d.inside(motion.only(n), line)
        return d, motion


    def figure(self, title: str, description: str, printed: list[int]) -> Figure:
        """The film with those of its steps that are printed; where there is only one step, nothing moves."""
        name = self.name
        if len(self.steps) == 1:
            drawing = self.frame(self.steps[0], self.still)
            return Figure(name, title, description, document(name, drawing, title, description))
        captions = [spoken(self.sum_of(self.steps[n])) for n in printed]
        frames = [document(f"{name}-{k}", self.frame(self.steps[n], again(name, self.still)), f"{title} ({k})", line)
                  for k, (n, line) in enumerate(zip(printed, captions, strict=True), 1)]
        drawing, motion = self.film()
        return Figure(name, title, description, document(name, drawing, title, description, motion.css()),
                      tuple(frames), tuple(captions), "".join(held(name, self.still).parts))


def slide(scene: Scene, a: Arrangement, name: str, title: str, told: Described) -> Figure:
    """The window moves through the results."""
    s = Slide(scene, Strip(scene, a) if len(a.rulers) == 1 else Panels(scene, a), name)
    return s.figure(title, told.slide(s.stage.dotted), strip(s.steps, len(a.rulers)))


def meeting(scene: Scene, equation: Equation, name: str) -> Figure | None:
    """What meets in each element of an equation that has no arrangement; None where it is too large."""
    if not can_meet(equation):
        return None
    s = Slide(scene, Meeting(scene, equation), name)
    out = "".join(r.text for r in called(equation.output))
    text = "text" if any(len(t.factors) > 1 for t in equation.terms) else "sum"
    title, text = (scene.words.text(f"figures.meeting.{key}", out=out) for key in ("title", text))
    return s.figure(title, text, strip(s.steps, len(equation.indices)))
