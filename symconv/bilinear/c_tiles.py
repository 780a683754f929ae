"""How a tile gets from an array into vectors and back: in place where it is whole, else element by element.

Which elements exist is decided by intervals, from the accesses of the equation: a condition that always
holds is not printed, and where it never holds the other way is the only one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symconv.affine import Affine
from symconv.c_routine import Block
from symconv.equation import Access
from symconv.schedule.regions import Interval, value_interval


@dataclass(frozen=True)
class Tile:
    """A vector of elements for each place of a tile.

    Args:
        access: the element, by the indices of the loops around, the places in the tile and "lane".
        inner: the names of the places along each axis of the tile, "" where there is one place only.
        shape: how many places.
        strides: of the array, for each of its axes, in elements.
        box: what each index may be.
        lanes, ctype: of a vector.
        name, factor: of the buffer, and what is put before an element that is loaded into it.
    """

    access: Access
    inner: tuple[str, ...]
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    box: Mapping[str, Interval]
    lanes: int
    ctype: str
    name: str = "tile"
    factor: str = ""

    @property
    def offset(self) -> Affine:
        """Of an element in its array."""
        return sum((s * e for s, e in zip(self.strides, self.access.indices, strict=True)), Affine())

    @property
    def places(self) -> Sequence[tuple[str, int, int]]:
        """Name, extent and distance in the buffer along each axis."""
        near = (self.lanes * prod(self.shape[n + 1:]) for n in range(len(self.shape)))
        return list(zip(self.inner, self.shape, near, strict=True))

    @property
    def buffer(self) -> Block:
        """Memory for the tile."""
        return lines(f"{self.ctype} {self.name}[{self.lanes * prod(self.shape)}] __attribute__((aligned(64)));")

    def moved(self, call: str, load: bool) -> tuple[Block, ...]:
        """Blocks around a call such as `f({tile}, to, 1, 2);`, with where the tile starts and its steps put in.

        A load fills the buffer before the call with zeros outside the array; else the call fills it, and
        what lies outside is dropped.
        """
        near = ", ".join([self.name, *(str(step) for _, _, step in self.places)])
        through = lines(call.format(tile=near))

        def by_element(guarded: bool) -> tuple[Block, ...]:
            moved = self.elements(load, guarded)
            return (self.buffer, moved, through) if load else (self.buffer, through, moved)

        tests = self._whole()
        if tests is None:
            return by_element(True)
        inside = by_element(False)
        if self.offset.coefficient("lane") == 1:  # a vector is what lies side by side
            start = self.offset.substitute({"lane": 0, **{n: 0 for n in self.inner if n}})
            steps = (str(self.offset.coefficient(n)) if n else "0" for n in self.inner)
            inside = (lines(call.format(tile=", ".join([f"{self.access.tensor.name} + {start}", *steps]))),)
        if not tests:
            return inside
        return (Block((), f"if ({_all(tests)}) {{", inside), Block((), "else {", by_element(True)))

    def _whole(self) -> list[Affine] | None:
        """What it takes for every element of the tile to exist; None when it never does."""
        ends = {n: self.box[n] for n in ("lane", *self.inner) if n}
        tests = [e.substitute({n: lo if e.coefficient(n) > 0 else hi for n, (lo, hi) in ends.items()})
                 for e in self._tests()]
        open_ = [e for e in dict.fromkeys(tests) if value_interval(e, self.box)[0] < 0]
        return None if any(value_interval(e, self.box)[1] < 0 for e in open_) else open_

    def _tests(self) -> list[Affine]:
        """What is not known to be at least 0 for an element inside the array."""
        found = (c.expression for c in self.access.in_range())
        return list(dict.fromkeys(e for e in found if value_interval(e, self.box)[0] < 0))

    def elements(self, load: bool, guarded: bool = True) -> Block:
        """Every element between the array and the buffer: zeros from outside the array, nothing to there.

        Without guards, for a tile that is known to lie inside.
        """
        spot = sum((step * Affine.of(name) for name, _, step in self.places if name), Affine.of("lane"))
        element, test = f"{self.access.tensor.name}[{self.offset}]", _all(self._tests() if guarded else ())
        if load:
            value = f"{test} ? {self.factor}{element} : 0" if test else self.factor + element
            body = lines(f"{self.name}[{spot}] = {value};")
        else:
            store = lines(f"{element} = {self.name}[{spot}];")
            body = Block((), f"if ({test}) {{", (store,)) if test else store
        loops = [*((name, extent) for name, extent, _ in self.places if name), ("lane", self.lanes)]
        for name, extent in sorted(loops, key=lambda n: abs(self.offset.coefficient(n[0]))):  # as memory goes
            body = loop(name, extent, (body,))
        return body


def _all(tests: Sequence[Affine]) -> str:
    """That all are at least 0, as people write it: i + p >= 1 && i + p <= 56."""
    texts = []
    for e in tests:
        names = e - e.constant
        up = any(c > 0 for _, c in names)
        texts.append(f"{names} >= {-e.constant}" if up else f"{-names} <= {e.constant}")
    return " && ".join(texts)


def loop(name: str, end: int | str, body: Sequence[Block], step: int = 1, first: int | str = 0) -> Block:
    """for name from first up to, not including, end."""
    move = f"++{name}" if step == 1 else f"{name} += {step}"
    return Block((), f"for (int {name} = {first}; {name} < {end}; {move}) {{", tuple(body))


def lines(*text: str) -> Block:
    """Statements, one a line."""
    return Block(text, "")
