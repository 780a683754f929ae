"""What a tile reads: each element and vector once, zeros shifted in where an array ends inside a vector."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod

from symconv.equation import Access
from symconv.errors import NotSupported
from symconv.schedule.loops import flat_stride
from symconv.schedule.nodes import Fetch, Node, Pointer, Shift
from symconv.schedule.regions import Interval, value_interval


@dataclass(frozen=True, slots=True)
class Read:
    """Elements of one factor for given values of all that is written out, by their place in memory.

    Args:
        element: the first that counts, as an access; `place` is where it lies.
        first: the lane it goes to; lanes before it are zero, and those from `end` on.
        start: where the vector to fetch starts.
    """

    element: Access
    place: int
    first: int
    end: int
    start: int
    width: int

    @property
    def by(self) -> int:
        """How far lanes move from where they are fetched."""
        return self.place - self.first - self.start

    @property
    def shifted(self) -> bool:
        """Is it another vector than the one fetched?"""
        return self.width > 0 and (self.by, self.first, self.end) != (0, 0, self.width)


@dataclass(frozen=True)
class Factor:
    """A factor of a sum inside the loops of its tile.

    Args:
        box: of all names that are not written out.
        width: of a vector; 0 where the factor is one element for all lanes.
    """

    handle: str
    access: Access
    lane: str
    width: int
    box: Mapping[str, Interval]
    known: dict[tuple[int, ...], Read | None] = field(default_factory=dict)

    def read(self, at: Mapping[str, int], lanes: int) -> Read | None:
        """What is read there, `lanes` of a vector being needed; None where all of it lies outside the array.

        Raises:
            NotSupported: whether it does depends on a loop, or no vector inside the array holds it.
        """
        key = (lanes, *(at[n] for n in sorted(at) if any(e.coefficient(n) for e in self.access.indices)))
        if key not in self.known:
            self.known[key] = self._read(at, lanes)
        return self.known[key]

    def _read(self, at: Mapping[str, int], lanes: int) -> Read | None:
        low, high, along = 0, lanes if self.width else 1, 0
        for e, n in zip(self.access.indices, self.access.tensor.extents, strict=True):
            first, last = value_interval(e, {**self.box, **{k: (v, v) for k, v in at.items()}})
            if self.width and e.coefficient(self.lane):
                if first < 0 or last + lanes > n:
                    if first != last:
                        raise NotSupported("where a vector ends depends on a loop")
                    low, high, along = max(low, -first), min(high, n - first), max(first, 0)
            elif last < 0 or first >= n:
                return None
            elif first < 0 or last >= n:
                raise NotSupported("whether an element exists depends on a loop")
        return self._placed(at, low, high, lanes, along) if low < high else None

    def _placed(self, at: Mapping[str, int], low: int, high: int, lanes: int, along: int) -> Read:
        """`along`: where the first element lies on its axis, counted when the vector leaves the axis."""
        element = self.access.substitute({**at, self.lane: at[self.lane] + low} if self.width else at)
        place = flat_place(element)
        if not self.width:
            return Read(element, place, 0, 1, place, 0)
        steps = [flat_stride(element, n) * hi for n, (_, hi) in self.box.items()]
        least, most = -sum(min(0, s) for s in steps), prod(element.tensor.extents) - self.width
        most -= sum(max(0, s) for s in steps)
        whole = (low, high) == (0, lanes)
        for start in (place,) if whole else (place - along % self.width, place):
            start = max(min(start, most), least)
            by = place - low - start
            if start <= most and -low <= by <= self.width - high:
                return Read(element, place, low, self.width if whole and not by else high, start, self.width)
        raise NotSupported("no vector inside the array holds these elements")


def flat_place(a: Access) -> int:
    """Where an element lies in memory with every loop at its start."""
    place = 0
    for e, n in zip(a.indices, a.tensor.extents, strict=True):
        place = place * n + e.constant
    return place


@dataclass
class Fetches:
    """Statements that fetch, each read once as long as it is remembered."""

    names: dict[tuple[str, int, int, int, int], str] = field(default_factory=dict)
    origins: dict[str, int] = field(default_factory=dict)
    pointers: dict[str, Node] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def get(self, f: Factor, r: Read) -> Iterator[Node]:
        """The statements that make `name(f, r)` hold what is read; none when it does already."""
        if f.handle not in self.pointers:
            self.pointers[f.handle] = Pointer(f"{f.handle}_at", r.element)
            self.origins[f.handle] = r.place
        vector = (f.handle, r.start, 0, 0, r.width)
        if vector not in self.names:
            self.names[vector] = self._new(f)
            yield Fetch(self.names[vector], f"{f.handle}_at", r.start - self.origins[f.handle], r.width)
        if (own := self._key(f, r)) not in self.names:
            self.names[own] = self._new(f)
            yield Shift(self.names[own], self.names[vector], r.width, r.by, r.first, r.end)

    def name(self, f: Factor, r: Read) -> str:
        return self.names[self._key(f, r)]

    def forget(self, f: Factor, but: Collection[int] = ()) -> None:
        """What this factor read is not kept, but for vectors from some places."""
        self.names = {k: n for k, n in self.names.items() if k[0] != f.handle or k[1] in but}

    def _key(self, f: Factor, r: Read) -> tuple[str, int, int, int, int]:
        return (f.handle, r.start, r.by if r.shifted else 0, r.first, r.end if r.shifted else r.width)

    def _new(self, f: Factor) -> str:
        count = self.counts.get(f.handle, 0)
        self.counts[f.handle] = count + 1
        return f"{f.handle}_{count}"
