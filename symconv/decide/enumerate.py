"""Both sides of a claim written out at concrete sizes: the judge of every engine.

Plain loops over bounded boxes. Nothing is shared with the engines, the parser or the emitters but the
data types: a mistake there is not repeated here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from symconv.affine import Affine
from symconv.equation import Equation, Signal, Tensor, Term
from symconv.errors import LimitExceeded, NotSupported

Index = tuple[int, ...]
Atom = tuple[str, str, Index]  # tensor, pointwise function or "", element
Monomial = tuple[Atom, ...]  # sorted
Polynomial = dict[Monomial, Fraction]
Bound = tuple[tuple[tuple[int, int], ...], int]  # ((position, coefficient), ...) and a constant: their sum >= 0
Box = list[tuple[int, int]]
DEEPEST = 5  # axes of a signal on a window
RADIUS = 2  # signals are looked at on [-RADIUS, RADIUS] along each axis, wider where constants shift them
WIDEST = 5


@dataclass
class Work:
    """What is left of a deterministic budget, counted in summation points."""

    left: int = 1_000_000

    def spend(self, points: int) -> None:
        """Raises LimitExceeded when nothing is left."""
        self.left -= points
        if self.left < 0:
            raise LimitExceeded("the sums are too long to be written out")


def evaluate(equation: Equation, sizes: Mapping[str, int], radius: int = RADIUS) -> dict[Index, Polynomial]:
    """For each output index the polynomial in the elements of the tensors, without zero coefficients.

    Raises:
        NotSupported: an index has no bounds, or is multiplied by another.
    """
    written = Written(equation, sizes, radius)
    return {index: written.at(index) for index in written.indices}


@dataclass
class Written:
    """An equation with numbers for its sizes, evaluated one output index at a time."""

    equation: Equation
    sizes: Mapping[str, int]
    radius: int = RADIUS
    work: Work = field(default_factory=Work)

    def __post_init__(self) -> None:
        self.limits = _extents(self.equation.output, self.sizes, self.radius)
        self.sums = [_Sum(t, self) for t in self.equation.terms] if all(a <= b for a, b in self.limits) else []

    @property
    def indices(self) -> Iterator[Index]:
        """Every index of the output, in lexicographic order; of a signal those near the origin first."""
        if isinstance(self.equation.output, Signal) and len(self.limits) > DEEPEST:
            raise LimitExceeded(f"more than {DEEPEST} axes of a signal are too many to write out")
        every = _points(self.limits)
        if isinstance(self.equation.output, Signal):
            return iter(sorted(every, key=lambda i: (sum(map(abs, i)), [-v for v in i])))
        return every

    def at(self, index: Index) -> Polynomial:
        """The polynomial at one index of the output.

        Raises:
            LimitExceeded: the work is used up.
        """
        total: Polynomial = {}
        for s in self.sums:
            s.add(index, total)
        return {m: c for m, c in total.items() if c}


def _points(limits: Box) -> Iterator[Index]:
    """One by one: `itertools.product` would first store a range of any length."""
    if not limits:
        yield ()
        return
    for first in range(limits[0][0], limits[0][1] + 1):
        for rest in _points(limits[1:]):
            yield (first, *rest)


def _extents(tensor: Tensor, sizes: Mapping[str, int], radius: int) -> Box:
    if isinstance(tensor, Signal):
        return [(-radius, radius)] * len(tensor.shape)
    return [(0, e.evaluate(sizes) - 1) for e in tensor.shape]


class _Sum:
    """One term: its loops, innermost last, each with the bounds that earlier values leave."""

    def __init__(self, term: Term, whole: Written) -> None:
        self.names = (*whole.equation.indices, *term.indices)
        self.first, self.work = len(whole.equation.indices), whole.work
        self.coefficient = term.coefficient
        self.bounds: list[Bound] = []
        self.factors: list[tuple[str, str, list[Bound]]] = []
        place = {n: p for p, n in enumerate(self.names)}
        for c in term.constraints:
            e = _linear(c.expression, place, whole.sizes)
            self.bounds += [e, _minus(e)] if c.equality else [e]
        for f in term.factors:
            entries = [_linear(e, place, whole.sizes) for e in f.indices]
            self.factors.append((f.tensor.name, f.function, entries))
            for e, (low, high) in zip(entries, _extents(f.tensor, whole.sizes, whole.radius), strict=True):
                self.bounds += [(e[0], e[1] - low), (_minus(e)[0], high - e[1])]
        self.box = _box(self.names, self.bounds, whole.limits)
        self.levels = [] if self.box is None else [_level(p, self.bounds, self.box) for p in range(len(self.names))]

    def add(self, index: Index, total: Polynomial) -> None:
        """Add every point of the term at one output index."""
        if self.box is None or not all(self._allows(p, index) for p in range(self.first)):
            return
        self._walk(self.first, list(index), total)

    def _allows(self, position: int, index: Index) -> bool:
        return all(a * index[position] + k + sum(c * index[p] for p, c in earlier) >= 0
                   for a, earlier, k in self.levels[position])

    def _walk(self, at: int, point: list[int], total: Polynomial) -> None:
        if at == len(self.names):
            key = tuple(sorted((name, function, tuple(sum([c * point[p] for p, c in e[0]], e[1]) for e in entries))
                               for name, function, entries in self.factors))
            total[key] = total.get(key, Fraction(0)) + self.coefficient
            return
        assert self.box is not None
        low, high = self.box[at]
        for a, earlier, k in self.levels[at]:
            for p, c in earlier:
                k += c * point[p]
            if a > 0:
                low = max(low, -(k // a))
            else:
                high = min(high, k // -a)
        self.work.spend(1 + max(0, high - low + 1))
        for value in range(low, high + 1):
            self._walk(at + 1, [*point, value], total)


def _linear(e: Affine, place: Mapping[str, int], sizes: Mapping[str, int]) -> Bound:
    """An expression with the sizes in numbers, its indices by position."""
    coefficients: dict[int, int] = {}
    constant = 0
    for monomial, c in e:
        at = None
        for name in monomial:
            if name not in place:
                c *= sizes[name]
            elif at is not None:
                raise NotSupported(f"{e} multiplies two indices")
            else:
                at = place[name]
        if at is None:
            constant += c
        else:
            coefficients[at] = coefficients.get(at, 0) + c
    return tuple((p, c) for p, c in sorted(coefficients.items()) if c), constant


def _minus(e: Bound) -> Bound:
    return tuple((p, -c) for p, c in e[0]), -e[1]


def _box(names: Sequence[str], bounds: Sequence[Bound], limits: Box) -> Box | None:
    """An interval for each name; None when nothing is inside. The first ones are given.

    Raises:
        NotSupported: an index has no bounds.
    """
    every = list(dict.fromkeys(bounds))
    for _ in range(3):
        box: list[list[int | None]] = [[a, b] for a, b in limits]
        box += [[None, None] for _ in names[len(limits):]]
        if not _propagate(every, box):
            return None
        if all(a is not None and b is not None for a, b in box):
            return [(a, b) for a, b in box if a is not None and b is not None]
        # Bounds may show only in sums of two: 0 <= i + j <= 3 and 0 <= i - j <= 3.
        every = list(dict.fromkeys([*every, *_sums(every)]))[:2000]
    free = next(n for n, b in zip(names, box, strict=True) if None in b)
    raise NotSupported(f"the sum over {free} has no bounds")


def _propagate(bounds: Sequence[Bound], box: list[list[int | None]]) -> bool:
    """Narrow every interval until nothing changes; False when one is empty."""
    for _ in range(60):
        changed = False
        for terms, constant in bounds:
            if not terms and constant < 0:
                return False
            for at, a in terms:
                best: int | None = constant
                for p, c in terms:
                    end = box[p][c > 0] if p != at else 0
                    best = None if best is None or end is None else best + c * end
                if best is None:
                    continue
                side, value = (0, -(best // a)) if a > 0 else (1, best // -a)
                old = box[at][side]
                if old is None or (value > old if a > 0 else value < old):
                    box[at][side], changed = value, True
                low, high = box[at]
                if low is not None and high is not None and low > high:
                    return False
        if not changed:
            break
    return True


def _sums(bounds: Sequence[Bound]) -> Iterator[Bound]:
    """Positive combinations of two bounds in which one index cancels."""
    for n, (p, k) in enumerate(bounds):
        for q, m in bounds[:n]:
            for at, a in p:
                b = dict(q).get(at, 0)
                if a * b < 0:
                    total = {v: abs(b) * c for v, c in p}
                    for v, c in q:
                        total[v] = total.get(v, 0) + abs(a) * c
                    kept = tuple((v, c) for v, c in sorted(total.items()) if c)
                    if len(kept) <= 2:
                        yield kept, abs(b) * k + abs(a) * m


def _level(at: int, bounds: Sequence[Bound], box: Box) -> list[tuple[int, list[tuple[int, int]], int]]:
    """What bounds say of one name: (its coefficient, earlier names, constant with the best of later ones)."""
    found = []
    for terms, constant in dict.fromkeys(bounds):
        a = dict(terms).get(at)
        if a:
            slack = sum(max(c * box[p][0], c * box[p][1]) for p, c in terms if p > at)
            found.append((a, [(p, c) for p, c in terms if p < at], constant + slack))
    return found


def radius_for(*equations: Equation) -> int:
    """How far signals are looked at: wide enough for the constants that shift them."""
    shifts = [abs(e.constant) for q in equations for t in q.terms for f in t.factors for e in f.indices
              if isinstance(f.tensor, Signal)]
    return min(WIDEST, RADIUS + max(shifts, default=0))


def differences(left: Equation, right: Equation, sizes: Mapping[str, int],
                work: Work) -> Iterator[tuple[Index, Polynomial, Polynomial]]:
    """The output indices at which the two polynomials differ, in the order of `Written.indices`.

    Raises:
        LimitExceeded: the work is used up before the end.
        NotSupported: an index has no bounds.
    """
    radius = radius_for(left, right)
    ours, theirs = (Written(e, sizes, radius, work) for e in (left, right))
    for index in ours.indices:
        work.spend(1)
        p, q = ours.at(index), theirs.at(index)
        if p != q:
            yield index, p, q
