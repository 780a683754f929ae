"""What a reading keeps: loops around a statement, what was written where, and what registers and buffers hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from symconv.affine import Affine
from symconv.equation import Access
from symconv.errors import ValidationError
from symconv.readback.terms import Addend, Span

LANE, NEXT, ROW = "lane of a vector", "next in a row", "row of a square"  # no loop has a name with blanks


class Misread(ValidationError):
    """A schedule that does not compute its equation: a defect of symconv. Nothing is emitted."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"internal error, nothing is emitted: {reason}")


@dataclass(frozen=True, slots=True)
class Frame:
    """A loop or a condition around what is read: a name with its range, and what has to be 0 or more."""

    span: Span | None
    rows: tuple[Affine, ...] = ()
    number: int = 0


@dataclass(frozen=True, slots=True)
class Write:
    """`at` gets, or gets added, the sum of `addends`, at every point of the frames."""

    array: str
    at: Affine
    adds: bool
    addends: tuple[Addend, ...]
    frames: tuple[Frame, ...]

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(f.span for f in self.frames if f.span)

    @property
    def rows(self) -> tuple[Affine, ...]:
        return tuple(e for f in self.frames for e in f.rows)


@dataclass(frozen=True, slots=True)
class Held:
    """A register: declared below so many frames; `lanes` of a vector count. With `partial`, so many sums."""

    depth: int
    partial: int = 0
    addends: tuple[Addend, ...] = ()
    lanes: int = 1
    width: int = 1


@dataclass
class Buffer:
    """A small array: pieces by (first place, distance of lanes), each with its lanes and what they hold."""

    size: int
    depth: int
    pieces: dict[tuple[int, int], tuple[int, tuple[Addend, ...]]] = field(default_factory=dict)

    def runs(self, at: int, step: int, count: int, holes: bool = False
             ) -> Iterator[tuple[int, int, tuple[Addend, ...]]]:
        """Elements from `at` on, `step` apart: the number of the first of some, how many, and what they hold by lane.
        With holes, what was not written is left out."""
        done = 0
        while done < count:
            here = at + done * step
            base, lanes, addends = next(((base, lanes, addends) for (base, d), (lanes, addends) in self.pieces.items()
                                         if d == step and (here - base) % d == 0 and 0 <= here - base < d * lanes),
                                        (0, 0, ()))
            if not lanes and holes:
                done += 1
                continue
            if not lanes:
                raise Misread(f"element {here} of a buffer is read and was not written")
            first = (here - base) // step
            some = min(lanes - first, count - done)
            yield done, some, tuple(a.substitute({LANE: Affine.of(LANE) + first}) for a in addends)
            done += some


@dataclass(frozen=True, slots=True)
class Copy:
    """left = value, zero where the value lies outside its array, for names that run over the axes of left."""

    left: Access
    value: Access
    frames: tuple[Frame, ...]
    names: Mapping[str, Affine]


@dataclass
class Reach:
    """The largest magnitude that index arithmetic can get to, in any order of its operations."""

    most: int = 0

    def see(self, e: Affine, spans: Iterable[Span], before: int = 0, extent: int = 1) -> int:
        """Of before * extent + e."""
        known = {s.name: (s.low, s.low + s.count) for s in spans}
        above = below = before * extent  # some of the terms together lie between all that are below 0 and all above
        for m, c in e:
            values = [c * v for v in known[m[0]]] if m else [c]
            above, below = above + max(0, *values), below - min(0, *values)
        here = max(above, below)
        self.most = max(self.most, here)
        return here

    def access(self, a: Access, spans: Sequence[Span], beyond: int = 0) -> None:
        """Of an element as C finds it, row by row, and so far beyond."""
        here = 0
        for e, n in zip(a.indices, a.tensor.extents, strict=True):
            here = self.see(e, spans, here, n)
        self.most = max(self.most, here + beyond)
