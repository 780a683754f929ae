"""A figure: one drawing, with the words that stand for it where it cannot be seen, and its steps for print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from symconv.lecture.figures.style import alone, style
from symconv.lecture.figures.svg import MARGIN, Drawing, number
from symconv.lecture.palette import Theme

HOLD, MOVE = 1.6, 0.5  # seconds a step stands, and takes to reach
SVG = '<svg xmlns="http://www.w3.org/2000/svg" '


@dataclass(frozen=True)
class Figure:
    """One drawing of an equation.

    Args:
        name: slug, `forward`, `backward-x`; its ids begin with it.
        title, description: in the language of the lecture.
        svg: for a page that holds `style()` and the palette; it moves where something moves.
        frames: its steps, each a drawing that stands still; empty where nothing moves.
        captions: one line of text for each frame.
        still: the markup that the frames share; the svg holds it, they refer to it, so that a page has it once.
    """

    name: str
    title: str
    description: str
    svg: str
    frames: tuple[str, ...] = ()
    captions: tuple[str, ...] = ()
    still: str = field(default="", repr=False)

    @property
    def moves(self) -> bool:
        return bool(self.frames)

    def file(self, frame: int | None = None, theme: Theme | None = None) -> str:
        """The figure, or one frame of it, as the text of an SVG file.

        Args:
            theme: plain colours of one theme, for tools that know neither variables nor media; None for
                a file that follows the reader's preference.
        """
        text = self.svg if frame is None else self.frames[frame].replace(_use(self.name), self.still)
        head, rest = text.split(">", 1)
        rules = alone() if theme is None else style(theme)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>\n{rules}</style>{rest}\n'

    def save(self, path: Path, frame: int | None = None, theme: Theme | None = None) -> None:
        """Write the file; see `file`."""
        path.write_text(self.file(frame, theme), encoding="utf-8")


def _use(name: str) -> str:
    return f'<use href="#{name}-still"/>'


def held(name: str, still: Drawing) -> Drawing:
    """What does not move, in a group that frames can refer to."""
    d = Drawing()
    d.inside(f'<g id="{name}-still" class="fig">', still)
    return d


def again(name: str, still: Drawing) -> Drawing:
    """The same once more, by reference."""
    return Drawing([_use(name)], still.left, still.top, still.right, still.bottom)


def document(name: str, drawing: Drawing, title: str, description: str, rules: str = "") -> str:
    """A drawing as one svg element with its title and description."""
    w, h = drawing.size
    inner = f"<style>{rules}</style>" if rules else ""
    return (f'{SVG}class="fig" id="{name}" viewBox="{drawing.view}" width="{number(w + 2 * MARGIN)}" '
            f'height="{number(h + 2 * MARGIN)}" role="img" aria-labelledby="{name}-title {name}-desc">'
            f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
            f'{inner}{"".join(drawing.parts)}</svg>')


class Motion:
    """The rules that move parts of one figure, without script: held where less motion is wanted, and in print."""

    def __init__(self, name: str, steps: int) -> None:
        self.name, self.steps = name, steps
        self.rules: list[str] = []

    @property
    def seconds(self) -> float:
        return self.steps * (HOLD + MOVE)

    def _at(self, step: int, held: bool) -> str:
        return f"{number(100 * (step + held * HOLD / (HOLD + MOVE)) / self.steps)}%"

    def path(self, part: str, places: Sequence[tuple[float, float]]) -> str:
        """Open a group that goes from place to place; returns its tag."""
        x0, y0 = places[0]
        keys = "".join(f"{self._at(n, False)},{self._at(n, True)}{{transform:translate({number(x - x0)}px,"
                       f"{number(y - y0)}px)}}" for n, (x, y) in enumerate(places))
        self._rule(part, f"{keys}100%{{transform:none}}", "ease-in-out")
        return f'<g class="{self.name}-{part} moving">'

    def only(self, step: int) -> str:
        """Open a group that is seen during one step, and where nothing moves during the first."""
        last = number(100 / self.steps * (HOLD + MOVE / 2) / (HOLD + MOVE))
        if not any(r.startswith(f"@keyframes {self.name}-only") for r in self.rules):
            edge = 100 - float(number(100 / self.steps * MOVE / 2 / (HOLD + MOVE)))
            self._rule("only", f"0%,{last}%{{opacity:1}}{float(last) + .1:.1f}%,{edge - .1:.1f}%{{opacity:0}}"
                               f"{edge:.1f}%,100%{{opacity:1}}", "linear")
        delay = number(step * (HOLD + MOVE) - self.seconds)
        return f'<g class="{self.name}-only moving" style="animation-delay:{delay}s" opacity="{int(step == 0)}">'

    def from_(self, step: int) -> str:
        """The classes of what appears with a step."""
        keys = (f"0%,{self._at(step, False)}{{opacity:0}}{float(self._at(step, False)[:-1]) + .5:.1f}%,99%{{opacity:1}}"
                "100%{opacity:0}")
        if step == 0:
            keys = "0%,100%{opacity:1}"
        self._rule(f"from{step}", keys, "linear")
        return f"{self.name}-from{step} moving"

    def _rule(self, part: str, keys: str, timing: str) -> None:
        name = f"{self.name}-{part}"
        self.rules.append(f"@keyframes {name}{{{keys}}}"
                          f".{name}{{animation:{name} {number(self.seconds)}s {timing} infinite}}")

    def css(self) -> str:
        still = f"#{self.name} .moving{{animation:none!important}}"
        paused = f"#{self.name}:hover .moving{{animation-play-state:paused!important}}"
        return (f"{''.join(dict.fromkeys(self.rules))}{paused}"
                f"@media (prefers-reduced-motion:reduce){{{still}}}@media print{{{still}}}")
