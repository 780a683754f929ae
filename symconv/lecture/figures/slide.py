"""The figure of an arrangement with one or two sliding axes: a window that goes over the ground, step by step."""

from __future__ import annotations

from symconv.lecture.figures.arrangement import Arrangement
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure, Motion, again, document, held
from symconv.lecture.figures.numbers import spoken
from symconv.lecture.figures.panels import Panels
from symconv.lecture.figures.scene import Scene, Shown, strip
from symconv.lecture.figures.strip import Strip
from symconv.lecture.figures.svg import Drawing


class Slide:
    """A stage, its film and its frames."""

    def __init__(self, scene: Scene, a: Arrangement, name: str) -> None:
        self.scene, self.a, self.name = scene, a, name
        self.stage: Strip | Panels = Strip(scene, a) if len(a.rulers) == 1 else Panels(scene, a)
        self.steps = self.stage.steps
        self.still = self.stage.still()
        self.numbers = [n for n in self.stage.numbers() if n.text]

    def sum_at(self, d: Drawing, at: tuple[int, ...]) -> None:
        d.text(*self.stage.below, self.scene.sum(self.a, at))

    def results(self, d: Drawing, shown: list[tuple[Shown, str]]) -> None:
        """Numbers of results, each with its classes."""
        d.add(f'<g class="n {self.scene.names.tone(self.a.equation.output)}">')
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


def slide(scene: Scene, a: Arrangement, name: str, title: str, told: Described) -> Figure:
    """The window moves through the results; where there is only one, nothing moves."""
    s = Slide(scene, a, name)
    description = told.slide(s.stage.dotted)
    if len(s.steps) == 1:
        return Figure(name, title, description, document(name, s.frame(s.steps[0], s.still), title, description))
    chosen = [s.steps[n] for n in strip(s.steps, len(a.rulers))]
    captions = [spoken(scene.sum(a, at)) for at in chosen]
    frames = [document(f"{name}-{n}", s.frame(at, again(name, s.still)), f"{title} ({n})", line)
              for n, (at, line) in enumerate(zip(chosen, captions, strict=True), 1)]
    drawing, motion = s.film()
    return Figure(name, title, description, document(name, drawing, title, description, motion.css()), tuple(frames),
                  tuple(captions), "".join(held(name, s.still).parts))
