"""How the arrays of an equation lie against each other: read from its accesses, axis by axis.

Where a sum reads two arrays, each axis of the result belongs to one of few kinds. Sliding: element t of the
result meets element b of one array where  scale * a = step * t + spread * b + offset  holds for element a of the
other. Stride, padding, dilation, flips and the zeros a strided gradient inserts are these four numbers, whatever
the equation is called. Carried: an index that the result shares with a factor. Summed: one that two factors share.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import gcd, lcm

from symconv.affine import Affine, equal
from symconv.equation import Access, Equation, Tensor, Term
from symconv.expand import Index, Monomial, monomials
from symconv.lecture.palette import Ink

OUT, GROUND, WINDOW = range(3)
Axes = tuple[int | None, int | None, int | None]  # of result, ground and window


@dataclass(frozen=True)
class Ruler:
    """One sliding axis: scale * ground = step * result + spread * window + offset."""

    axes: tuple[int, int, int]
    extents: tuple[int, int, int]
    scale: int
    step: int
    spread: int
    offset: int

    def place(self, t: int, b: int) -> int:
        """Where window element b lies on the ground, in ground places of 1/scale, when t is computed."""
        return self.step * t + self.spread * b + self.offset

    def element(self, place: int) -> int | None:
        """The ground element at a place; None for padding and for an inserted zero."""
        a, rest = divmod(place, self.scale)
        return a if not rest and 0 <= a < self.extents[GROUND] else None

    @property
    def hull(self) -> tuple[int, int]:
        """First and last place that the ground has or that a window touches."""
        ends = [self.place(t, b) for t in (0, self.extents[OUT] - 1) for b in (0, self.extents[WINDOW] - 1)]
        return min(0, *ends), max(self.scale * (self.extents[GROUND] - 1), *ends)

    @property
    def is_padded(self) -> bool:
        return self.hull != (0, self.scale * (self.extents[GROUND] - 1))


@dataclass(frozen=True)
class Shared:
    """An axis that is no ruler: one index, and which of result, ground and window have it as an axis."""

    axes: Axes
    extent: int

    @property
    def summed(self) -> bool:
        return self.axes[OUT] is None


@dataclass(frozen=True)
class Arrangement:
    """Two factors of an equation, one to lie still and one to be moved over it."""

    equation: Equation
    term: Term
    ground: Access
    window: Access
    rulers: tuple[Ruler, ...]
    shared: tuple[Shared, ...]

    @property
    def tensors(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.equation.output, self.ground.tensor, self.window.tensor

    def index(self, which: int, along: Sequence[int], others: Sequence[int] | None = None) -> Index:
        """An index of result, ground or window from its places along rulers and along shared axes."""
        found = [0] * len(self.tensors[which].shape)
        for r, v in zip(self.rulers, along, strict=True):
            found[r.axes[which]] = v
        for s, v in zip(self.shared, others or (0,) * len(self.shared), strict=True):
            if (axis := s.axes[which]) is not None:
                found[axis] = v
        return tuple(found)

    @property
    def added(self) -> tuple[Tensor, ...]:
        """Arrays that are added to the sum of products: a bias."""
        return tuple(t.factors[0].tensor for t in self.equation.terms if t is not self.term)

    def products_at(self, index: Index) -> list[Monomial]:
        """Every product that adds to one element of the result, those of other terms among them."""
        return [m for _, m in monomials(self.equation, index)]

    def meetings(self, at: Index, tap: Sequence[int] | None = None) -> list[tuple[Index, Index]]:
        """(ground element, window element) of the products of this pair that add to one element of the result.

        Args:
            tap: those at one window element only, with summed indices at 0.
        """
        term = self.term
        if tap is not None:
            term = term.where(*(equal(e, v) for e, v in zip(self.window.indices, self.index(WINDOW, tap), strict=True)))
            term = term.where(*(equal(self.ground.indices[axis], 0) for s in self.shared
                                if s.summed and (axis := s.axes[GROUND]) is not None))
        alone = Equation(self.equation.left, term, self.equation.context)
        place = term.factors.index(self.ground)
        return [(m.factors[place][1], m.factors[1 - place][1]) for _, m in monomials(alone, at)]

    def pairs(self, along: Sequence[int]) -> list[tuple[Index, Index]]:
        """(ground element, window element) that meet in one element of the result, in places along the rulers."""
        found: list[tuple[Index, Index]] = [((), ())]
        for r, t in zip(self.rulers, along, strict=True):
            here = [(a, b) for b in range(r.extents[WINDOW]) if (a := r.element(r.place(t, b))) is not None]
            found = [((*p, a), (*q, b)) for p, q in found for a, b in here]
        return found

    def slice(self, which: int) -> list[int]:
        """Axes of an array along which only the first slice is shown."""
        return [axis for s in self.shared if (axis := s.axes[which]) is not None]

    def agrees(self, along: Sequence[int]) -> bool:
        """Do the rulers say of this element what the equation says, at the window's corners and its middle?"""
        for tap in product(*({0, r.extents[WINDOW] // 2, r.extents[WINDOW] - 1} for r in self.rulers)):
            elements = [r.element(r.place(t, b)) for r, t, b in zip(self.rulers, along, tap, strict=True)]
            inside = [e for e in elements if e is not None]
            said = [(self.index(GROUND, inside), self.index(WINDOW, tap))] if len(inside) == len(elements) else []
            if self.meetings(self.index(OUT, along), tap) != said:
                return False
        return True


def arrange(equation: Equation, inks: dict[str, Ink]) -> Arrangement | None:
    """The arrangement of an equation with sizes in numbers; None where its accesses are of another kind."""
    pairs = [t for t in equation.terms if len(t.factors) == 2]
    plain = all(t.coefficient == 1 and not f.function for t in equation.terms for f in t.factors)
    if len(pairs) != 1 or not plain or pairs[0].factors[0].tensor == pairs[0].factors[1].tensor:
        return None
    if any(len(t.factors) != 1 for t in equation.terms if t is not pairs[0]):
        return None
    ways = [found for g, w in (pairs[0].factors, pairs[0].factors[::-1])
            if (found := _arranged(equation, pairs[0], g, w)) is not None]
    return next((a for a in sorted(ways, key=lambda a: _strangeness(a, inks)) if _agrees(a)), None)


def _strangeness(a: Arrangement, inks: dict[str, Ink]) -> tuple[bool, int, int]:
    """Weights are moved over the rest; an upstream gradient over data, but where zeros had to be inserted for it."""
    tones = [inks[f.tensor.name].tone for f in (a.ground, a.window)]
    return tones[0] == "w", sum(r.scale for r in a.rulers), "xodbw".index(tones[0])


def _arranged(equation: Equation, term: Term, ground: Access, window: Access) -> Arrangement | None:
    found = Arrangement(equation, term, ground, window, (), ())
    rulers: list[Ruler] = []
    shared: list[Shared] = []
    for group in _groups(found):
        kind = _ruler(group, found) or _shared(group, found)
        if kind is None:
            return None
        if isinstance(kind, Ruler):
            rulers.append(kind)
        else:
            shared.append(kind)
    rulers.sort(key=lambda r: r.axes)
    return Arrangement(equation, term, ground, window, tuple(rulers), tuple(shared))


def _agrees(a: Arrangement) -> bool:
    """Does it say what the equation says, at the first element of the result, one in the middle and the last?"""
    return all(map(a.agrees, ([0] * len(a.rulers), [r.extents[OUT] // 2 for r in a.rulers],
                              [r.extents[OUT] - 1 for r in a.rulers])))


@dataclass(frozen=True)
class _Group:
    """Axes whose index expressions hang together: (which array, axis, expression), and conditions."""

    axes: tuple[tuple[int, int, Affine], ...]
    equalities: tuple[Affine, ...]

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(e.names for _, _, e in self.axes), *(e.names for e in self.equalities))


def _groups(a: Arrangement) -> Iterator[_Group]:
    accesses = (a.equation.left, a.ground, a.window)
    groups = [_Group(((w, n, e),), ()) for w, access in enumerate(accesses) for n, e in enumerate(access.indices)]
    groups += [_Group((), (c.expression,)) for c in a.term.constraints if c.equality]
    while groups:
        first, rest = groups[0], groups[1:]
        while touching := [g for g in rest if g.names & first.names]:
            first = _Group(sum((g.axes for g in touching), first.axes),
                           sum((g.equalities for g in touching), first.equalities))
            rest = [g for g in rest if g not in touching]
        groups = rest
        yield first


def _ruler(group: _Group, a: Arrangement) -> Ruler | None:
    if sorted(w for w, _, _ in group.axes) != [OUT, GROUND, WINDOW]:
        return None
    axes = sorted(group.axes, key=lambda x: x[0])
    found = _relations([e for _, _, e in axes] + list(group.equalities), sorted(group.names))
    if len(found) != 1 or not all(found[0][:3]):
        return None
    t, g, w = found[0][:3]
    constant = sum(c * e.constant for c, e in zip(found[0], [e for _, _, e in axes] + list(group.equalities),
                                                   strict=True))
    sign = 1 if g > 0 else -1
    numbers = (axes[0][1], axes[1][1], axes[2][1])
    extents = tuple(x.extents[n] for x, n in zip(a.tensors, numbers, strict=True))
    return Ruler(numbers, (extents[0], extents[1], extents[2]), abs(g), -t * sign, -w * sign, constant * sign)


def _relations(rows: Sequence[Affine], names: Sequence[str]) -> list[tuple[int, ...]]:
    """Every independent way to combine the expressions into a constant, in coprime integers."""
    size = len(rows)
    table = [[Fraction(e.coefficient(n)) for n in names] + [Fraction(i == k) for k in range(size)]
             for i, e in enumerate(rows)]
    for column in range(len(names)):
        pivot = next((r for r in table if r[column]), None)
        if pivot is not None:
            table = [[v - r[column] / pivot[column] * p for v, p in zip(r, pivot, strict=True)]
                     for r in table if r is not pivot]
    return [_whole(r[len(names):]) for r in table]


def _whole(values: Sequence[Fraction]) -> tuple[int, ...]:
    together = lcm(*(v.denominator for v in values))
    numbers = [int(v * together) for v in values]
    common = gcd(*numbers)
    return tuple(n // common for n in numbers)


def _shared(group: _Group, a: Arrangement) -> Shared | None:
    expressions = {e for _, _, e in group.axes}
    where = [w for w, _, _ in group.axes]
    if group.equalities or len(expressions) != 1 or len(set(where)) != len(where):
        return None
    e = expressions.pop()
    if len(e.items) != 1 or e.items[0][1] != 1 or len(e.items[0][0]) != 1:
        return None
    axes = {w: n for w, n, _ in group.axes}
    extent = min(a.tensors[w].extents[n] for w, n in axes.items())
    return Shared((axes.get(OUT), axes.get(GROUND), axes.get(WINDOW)), extent)
