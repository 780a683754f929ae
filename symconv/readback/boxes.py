"""Sums over boxes of integer points, and when two such sums are the same.

A box is a point and steps from it, each taken from 0 up to a number of times. Two sums are the same when
their difference vanishes: boxes on one line are added up as intervals, boxes that continue each other become
one. What is left is cut along its shortest step, again and again, until it vanishes or points remain.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

from symconv.errors import LimitExceeded

Vector: TypeAlias = tuple[int, ...]
Step: TypeAlias = tuple[Vector, int]
MOST = 20_000  # boxes, of one sum at a time


@dataclass(frozen=True, slots=True)
class Box:
    """base + k * direction for each step, k from 0 up to its count."""

    base: Vector
    steps: tuple[Step, ...] = ()

    @property
    def points(self) -> int:
        total = 1
        for _, n in self.steps:
            total *= n
        return total

    def range(self, k: int) -> tuple[int, int]:
        """The smallest and the largest value of coordinate k."""
        low = high = self.base[k]
        for d, n in self.steps:
            if d[k] > 0:
                high += d[k] * (n - 1)
            else:
                low += d[k] * (n - 1)
        return low, high


Sum: TypeAlias = dict[Box, Fraction]


def _moved(base: Vector, d: Vector, k: int) -> Vector:
    return tuple(b + k * e for b, e in zip(base, d, strict=True)) if k else base


def counted(box: Box) -> tuple[Box, int]:
    """The box in one form of its own, and how often it stands for each of its points."""
    times, base, steps = 1, box.base, []
    for d, n in box.steps:
        lead = next((e for e in d if e), 0)
        if not lead:
            times *= n
        elif n > 1:
            if lead < 0:
                base, d = _moved(base, d, n - 1), tuple(-e for e in d)
            steps.append((d, n))
    steps.sort()
    joined = True
    while joined:
        joined = False
        for i, (d, n) in enumerate(steps):
            far = tuple(n * e for e in d)
            j = next((j for j, (o, _) in enumerate(steps) if o == far and j != i), None)
            if j is not None:
                merged = (d, n * steps[j][1])
                steps = sorted([s for k, s in enumerate(steps) if k not in (i, j)] + [merged])
                joined = True
                break
    return Box(base, tuple(steps)), times


def add(total: Sum, box: Box, coefficient: Fraction) -> None:
    """Put one more box into a sum."""
    box, times = counted(box)
    value = total.get(box, Fraction(0)) + coefficient * times
    if value:
        total[box] = value
    else:
        total.pop(box, None)


def difference(a: Sum, b: Sum) -> Sum:
    """a - b, boxes as they are."""
    found = dict(a)
    for box, c in b.items():
        add(found, box, -c)
    return found


def resolved(box: Box, size: int) -> Iterator[Box]:
    """The part of a box where its coordinates from `size` on are 0 or more, without these.

    A condition that knows one step bounds it; of several, the shortest is taken one by one.
    """
    base, steps = box.base, list(box.steps)
    while True:
        here = Box(base, tuple(steps))
        ends = [here.range(k) for k in range(size, len(base))]
        if any(high < 0 for _, high in ends):
            return
        rows = [k for k, (low, _) in enumerate(ends, size) if low < 0]
        if not rows:
            yield Box(base[:size], tuple((d[:size], n) for d, n in steps))
            return
        knows = {k: [at for at, (d, _) in enumerate(steps) if d[k]] for k in rows}
        k = next((k for k in rows if len(knows[k]) == 1), None)
        if k is None:
            at = min({at for own in knows.values() for at in own}, key=lambda at: (steps[at][1], steps[at][0]))
            d, n = steps.pop(at)
            for value in range(n):
                yield from resolved(Box(_moved(base, d, value), tuple(steps)), size)
            return
        at = knows[k][0]
        d, n = steps[at]
        first, last = (-(base[k] // d[k]), n - 1) if d[k] > 0 else (0, base[k] // -d[k])
        base, steps[at] = _moved(base, d, first), (d, last - first + 1)
        if last < first:
            return


def swept(total: Mapping[Box, Fraction], once: bool = False) -> Sum:
    """Boxes on one line added up as intervals, along every direction there is.

    Args:
        once: a point counts once however often it is there.
    """
    found = dict(total)
    for d in sorted({d for box in total for d, _ in box.steps}):
        pivot = next(k for k, e in enumerate(d) if e)
        lines: dict[tuple[Vector, tuple[Step, ...]], list[tuple[int, int, Fraction]]] = defaultdict(list)
        for box, c in found.items():
            own = [s for s in box.steps if s[0] == d]
            steps, count = (box.steps, 1) if len(own) != 1 else (tuple(s for s in box.steps if s != own[0]), own[0][1])
            at = box.base[pivot] // d[pivot]
            lines[_moved(box.base, d, -at), steps].append((at, count, c))
        new: Sum = {}
        for (base, steps), intervals in lines.items():
            for first, count, c in _intervals(intervals, once):
                add(new, Box(_moved(base, d, first), (*steps, (d, count))), c)
        found = new
    return found


def _intervals(given: list[tuple[int, int, Fraction]], once: bool) -> Iterator[tuple[int, int, Fraction]]:
    """The longest intervals on which the sum is the same, and not zero."""
    changes: dict[int, Fraction] = defaultdict(Fraction)
    for at, n, c in given:
        changes[at] += c
        changes[at + n] -= c
    start, level = 0, Fraction(0)
    for at in sorted(changes):
        after = level + changes[at]
        if (once and after and level) or after == level:
            level = after
            continue
        if level:
            yield start, at - start, Fraction(1) if once else level
        start, level = at, after


def chained(total: Mapping[Box, Fraction]) -> Sum:
    """Boxes of one form that stand at equal distances become one."""
    groups: dict[tuple[tuple[Step, ...], Fraction], list[Vector]] = defaultdict(list)
    for box, c in total.items():
        groups[box.steps, c].append(box.base)
    found: Sum = {}
    for (steps, c), bases in groups.items():
        bases.sort()
        if len(bases) == 1:
            add(found, Box(bases[0], steps), c)
            continue
        d = tuple(b - a for a, b in zip(*bases[:2], strict=True))
        left = set(bases)
        for base in bases:
            if base in left:
                n = 0
                while _moved(base, d, n) in left:
                    left.discard(_moved(base, d, n))
                    n += 1
                add(found, Box(base, (*steps, (d, n))), c)
    return found


def interleaved(total: Mapping[Box, Fraction]) -> Sum:
    """The residues of a step, as many as it is wide, become one box of the shorter step."""
    found = dict(total)
    for wide in sorted({d for box in total for d, _ in box.steps}):
        groups: dict[tuple[tuple[Step, ...], Fraction], list[tuple[Vector, int]]] = defaultdict(list)
        for box, c in found.items():
            own = [n for d, n in box.steps if d == wide]
            if len(own) == 1:
                groups[tuple(s for s in box.steps if s[0] != wide), c].append((box.base, own[0]))
        for (rest, c), members in groups.items():
            members.sort()
            period = len(members)
            bases, counts = [b for b, _ in members], [n for _, n in members]
            if period == 1 or any(e % period for e in wide):
                continue
            d = tuple(e // period for e in wide)
            if (bases == [_moved(bases[0], d, k) for k in range(period)]
                    and counts == sorted(counts, reverse=True) and counts[0] - counts[-1] <= 1):
                for base, n in members:
                    add(found, Box(base, (*rest, (wide, n))), -c)
                add(found, Box(bases[0], (*rest, (d, sum(counts)))), c)
    return found


def gathered(total: Sum, once: bool = False) -> Sum:
    """The same sum in as few boxes as these rules find."""
    while True:
        found = interleaved(chained(swept(total, once)))
        if len(found) >= len(total):
            return found if len(found) == len(total) else total
        total = found


def vanished(total: Sum) -> Sum:
    """Nothing where the sum is zero at every point; else what is left of it, the first point included.

    Raises:
        LimitExceeded: too many boxes would have to be looked at.
    """
    total = swept(total)
    while any(box.steps for box in total):
        smaller = swept(total)
        if len(smaller) < len(total):
            total = smaller
            continue
        counts: dict[Vector, int] = {}
        for box in total:
            for d, n in box.steps:
                counts[d] = max(n, counts.get(d, 0))
        d = min(counts, key=lambda d: (counts[d], d))
        cut = list(_cut(total, d))
        if len(cut) > MOST:
            raise LimitExceeded(f"more than {MOST} boxes of products to compare")
        total = {}
        for box, c in cut:
            add(total, box, c)
    return total


def _cut(total: Mapping[Box, Fraction], d: Vector) -> Iterator[tuple[Box, Fraction]]:
    for box, c in total.items():
        at = next((k for k, s in enumerate(box.steps) if s[0] == d), None)
        if at is None:
            yield box, c
            continue
        rest = box.steps[:at] + box.steps[at + 1:]
        yield from ((Box(_moved(box.base, d, k), rest), c) for k in range(box.steps[at][1]))


def least(boxes: Iterable[Box]) -> int:
    """The smallest first coordinate."""
    return min(box.range(0)[0] for box in boxes)
