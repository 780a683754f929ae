"""Outputs that are set more than once, as by a last vector that begins inside the one before it.

The writes are parted into layers, in none of which an element is set twice; each layer is held to the equation on
the elements it sets, so that every write of an element holds the same sum, whichever comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import gcd, prod
from typing import TypeAlias

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.readback.boxes import Box, gathered
from symconv.readback.records import Write
from symconv.readback.terms import ONE, Addend, Sums, digits, ends, flat, put, size

Part: TypeAlias = tuple[tuple[int, int], ...]  # first and last index along every axis
MOST_PARTS = 64


@dataclass(frozen=True, slots=True)
class Layer:
    """Writes, and the parts of the output they set, each element once; `cuts` as in `_joined`."""

    writes: tuple[Write, ...]
    parts: tuple[Part, ...]
    cuts: tuple[int, ...]

    def conditions(self, left: Access) -> list[tuple[Affine, ...]]:
        """For each part, what has to be 0 or more for an element to lie in it."""
        axes = _joined(left, self.cuts)
        return [tuple(row for (e, n), (low, high) in zip(axes, p, strict=True) if (low, high) != (0, n - 1)
                      for row in (e - low, high - e)) for p in self.parts]


def whole(output: Tensor, writes: Sequence[Write]) -> Layer:
    """All writes, of which each element is known to be set once."""
    return Layer(tuple(writes), (((0, size(output) - 1),),), ())


def _joined(a: Access, cuts: Sequence[int]) -> list[tuple[Affine, int]]:
    """Index and extent along every axis, with those between two cuts taken as one."""
    found = []
    for first, end in pairwise((0, *cuts, len(a.indices))):
        one = Tensor(a.tensor.name, a.tensor.extents[first:end])
        found.append((flat(Access(one, a.indices[first:end])), size(one)))
    return found


def _decoded(output: Tensor, writes: Sequence[Write]) -> tuple[tuple[int, ...], list[list[Affine]]] | None:
    """Indices for every write, with as few axes taken as one as there may be: a vector can go over the end of a row."""
    first = output[(Affine(),) * len(output.shape)]
    for count in reversed(range(len(output.shape))):
        for cuts in combinations(range(1, len(output.shape)), count):
            extents = [n for _, n in _joined(first, cuts)]
            places = []
            for w in writes:
                if (at := digits(w.at, extents, w.spans)) is None:
                    break
                places.append(at)
            else:
                return cuts, places
    return None


def layers_of(output: Tensor, writes: Sequence[Write]) -> list[Layer] | None:
    """Layers that set all of the output where there are more writes than elements; None if none are found."""
    if any(w.rows or w.adds for w in writes) or sum(prod(s.count for s in w.spans) for w in writes) <= size(output):
        return None
    decoded = _decoded(output, writes)
    if decoded is None:
        return None
    cuts, places = decoded
    groups: list[list[int]] = []
    kinds = [[(*ends(e, w.spans), gcd(*(c for m, c in e if m))) for e in at]
             for w, at in zip(writes, places, strict=True)]
    for k, kind in enumerate(kinds):
        own = next((g for g in groups if all(_apart(kind, kinds[other]) for other in g)), None)
        if own is None:
            groups.append([k])
        else:
            own.append(k)
    found = []
    for g in groups:
        parts = _parts([(places[k], writes[k]) for k in g])
        if parts is None:
            return None
        found.append(Layer(tuple(writes[k] for k in g), parts, cuts))
    return found if _covered(p for layer in found for p in layer.parts) == size(output) else None


def _apart(a: Sequence[tuple[int, int, int]], b: Sequence[tuple[int, int, int]]) -> bool:
    """On one axis they have no common range, or no common residue."""
    return any(high < first or last < low or (gcd(s, t) and (low - first) % gcd(s, t))
               for (low, high, s), (first, last, t) in zip(a, b, strict=True))


def _parts(writes: Iterable[tuple[list[Affine], Write]]) -> tuple[Part, ...] | None:
    """What is set, as parts without a common element; None where that is not seen."""
    sums: Sums = {}
    for at, w in writes:
        put(sums, at, Addend(ONE, spans=w.spans))
    parts: list[Part] = []
    for total in sums.values():
        for box, times in gathered(total).items():
            parts += _rectangles(box)
            if times != 1 or len(parts) > MOST_PARTS:
                return None
    if any(_meet(a, b) for k, a in enumerate(parts) for b in parts[:k]):
        return None
    return tuple(parts)


def _rectangles(b: Box) -> list[Part]:
    """A box cut along every step that does not go to the next element of an axis of its own."""
    seen: set[int] = set()
    for at, (d, n) in enumerate(b.steps):
        axes = [k for k, e in enumerate(d) if e]
        if len(axes) != 1 or abs(d[axes[0]]) != 1 or axes[0] in seen:
            rest = b.steps[:at] + b.steps[at + 1:]
            cut = [Box(tuple(x + k * e for x, e in zip(b.base, d, strict=True)), rest) for k in range(n)]
            return [p for c in cut[:MOST_PARTS + 1] for p in _rectangles(c)]
        seen.add(axes[0])
    return [tuple(b.range(k) for k in range(len(b.base)))]


def _meet(a: Part, b: Part) -> bool:
    return all(low <= last and first <= high for (low, high), (first, last) in zip(a, b, strict=True))


def _covered(parts: Iterable[Part]) -> int:
    """How many elements lie in one part or more."""
    done: list[Part] = []
    for part in parts:
        new = [part]
        for other in done:
            new = [q for p in new for q in _without(p, other)]
        done += new
    return sum(prod(high - low + 1 for low, high in p) for p in done)


def _without(a: Part, b: Part) -> list[Part]:
    if not _meet(a, b):
        return [a]
    left: list[Part] = []
    for k, ((low, high), (first, last)) in enumerate(zip(a, b, strict=True)):
        if low < first:
            left.append((*a[:k], (low, first - 1), *a[k + 1:]))
        if last < high:
            left.append((*a[:k], (last + 1, high), *a[k + 1:]))
        a = (*a[:k], (max(low, first), min(high, last)), *a[k + 1:])
    return left
