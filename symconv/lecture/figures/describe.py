"""What a figure shows, in words: put together from its arrangement, for those who cannot see it and those who can."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.equation import Tensor
from symconv.lecture.figures.arrangement import GROUND, OUT, Arrangement
from symconv.lecture.figures.scene import Scene, steps
from symconv.lecture.figures.svg import called


@dataclass(frozen=True)
class Described:
    """Titles and descriptions for the figures of one arrangement."""

    scene: Scene
    a: Arrangement

    def named(self, tensor: Tensor) -> str:
        return "".join(r.text for r in called(tensor))

    @property
    def values(self) -> dict[str, str | int]:
        """What the patterns may speak of."""
        out, ground, window = map(self.named, self.a.tensors)
        sizes = dict(zip(("outs", "grounds", "windows"), map(self.scene.size, self.a.tensors), strict=True))
        added = "".join(f" + {self.named(t)}" for t in self.a.added)
        return {"product": f"T {ground}{added}", "added": added.removeprefix(" + "),
                "out": out, "ground": ground, "window": window, **sizes}

    def say(self, key: str, **more: str | int) -> str:
        return self.scene.words.text(f"figures.{key}", **self.values, **more)

    def title(self, kind: str) -> str:
        return self.say(f"{kind}.title")

    def text(self, kind: str, *more: str) -> str:
        """The sentence of this kind of figure, then `more`."""
        return " ".join([self.say(f"{kind}.text"), *more])

    def slide(self, dotted: bool) -> str:
        """What is to be seen while a window slides: only what these rulers have.

        Args:
            dotted: dots stand for cells that are left out.
        """
        rulers, found = self.a.rulers, list[str]()
        found.append(self.say("slide.step", step=_each([abs(r.step) for r in rulers])))
        if self.a.added:
            found.append(self.say("slide.added"))
        if self.turned:
            found.append(self.say("slide.turned"))
        if any(abs(r.spread) > 1 for r in rulers):
            found.append(self.say("slide.spread", spread=_each([abs(r.spread) for r in rulers])))
        if self.inserted:
            found.append(self.say("slide.inserted", zeros=_each([r.scale - 1 for r in rulers])))
        if any(r.is_padded for r in rulers):
            found.append(self.say("slide.padded"))
        if any(self.a.slice(which) for which in (OUT, GROUND)):
            found.append(self.say("slide.slice"))
        if len(steps(self.a)) < self.elements:
            found.append(self.say("slide.some"))
        if dotted:
            found.append(self.say("slide.dotted"))
        return self.text("slide", *found)

    def gather(self) -> str:
        """What lines show, and in which order their weights come."""
        if not self.a.rulers:
            return self.text("gather", self.say("gather.dense"))
        return self.text("gather", self.say("gather.turned" if self.turned else "gather.straight"))

    @property
    def turned(self) -> bool:
        """Does the window lie on the ground backwards?"""
        return any(r.spread < 0 for r in self.a.rulers)

    @property
    def inserted(self) -> bool:
        """Do zeros stand between the elements of the ground?"""
        return any(r.scale > 1 for r in self.a.rulers)

    @property
    def elements(self) -> int:
        found = 1
        for r in self.a.rulers:
            found *= r.extents[OUT]
        return found


def _each(numbers: list[int]) -> str:
    """`2`, or `2×1` where the axes differ."""
    return str(numbers[0]) if len(set(numbers)) == 1 else "×".join(map(str, numbers))
