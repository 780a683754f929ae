"""The figure of an arrangement with one or two sliding axes: a window that goes over the ground, step by step."""

from __future__ import annotations

from symconv.lecture.figures.arrangement import Arrangement
from symconv.lecture.figures.describe import Described
from symconv.lecture.figures.figure import Figure, document
from symconv.lecture.figures.panels import Panels
from symconv.lecture.figures.scene import Scene, strip
from symconv.lecture.figures.strip import Strip


def slide(scene: Scene, a: Arrangement, name: str, title: str, told: Described) -> Figure:
    """The window moves through the results; where there is only one, nothing moves."""
    stage: Strip | Panels = Strip(scene, a) if len(a.rulers) == 1 else Panels(scene, a)
    description = told.slide(stage.dotted)
    if len(stage.steps) == 1:
        return Figure(name, title, description, document(name, stage.frame(stage.steps[0]), title, description))
    chosen = [stage.steps[n] for n in strip(stage.steps, len(a.rulers))]
    captions = ["".join(("_" if r.kind == "s" else "") + r.text for r in scene.sum(a, at)) for at in chosen]
    frames = tuple(document(f"{name}-{n}", stage.frame(at), f"{title} ({n})", line)
                   for n, (at, line) in enumerate(zip(chosen, captions, strict=True), 1))
    drawing, motion = stage.film(name)
    return Figure(name, title, description, document(name, drawing, title, description, motion.css()), frames,
                  tuple(captions))
