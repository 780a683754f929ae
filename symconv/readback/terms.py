"""What a kernel or an equation adds to an array: products of elements by their places in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor, inf, isinf, prod
from typing import TypeAlias

from symconv.affine import Affine, AffineLike, Constraint
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import NotSupported
from symconv.readback.boxes import Box, Sum, add

ONE = Fraction(1)
Key: TypeAlias = tuple[str, ...]  # what is multiplied


@dataclass(frozen=True, slots=True)
class Form:
    """What the coordinates of a box stand for, behind those of the target."""

    factors: Key
    inside: tuple[tuple[str, int], ...]
    rows: int


Sums: TypeAlias = dict[Form, Sum]


@dataclass(frozen=True, slots=True)
class Span:
    """A name that takes `count` values from `low` on."""

    name: str
    low: int
    count: int


@dataclass(frozen=True, slots=True)
class Place:
    """An element of an array by its place in memory; `function` is what its value goes through."""

    array: str
    at: Affine
    function: str = ""

    def substitute(self, values: Mapping[str, AffineLike]) -> Place:
        return replace(self, at=self.at.substitute(values))


@dataclass(frozen=True, slots=True)
class Addend:
    """coefficient * product of reads, summed over spans where every row is 0 or more.

    Args:
        inside: (what, expression, extent) of what has to lie in 0...extent - 1 wherever the rows hold.
    """

    coefficient: Fraction
    reads: tuple[Place, ...] = ()
    spans: tuple[Span, ...] = ()
    rows: tuple[Affine, ...] = ()
    inside: tuple[tuple[str, Affine, int], ...] = ()

    def substitute(self, values: Mapping[str, AffineLike]) -> Addend:
        return replace(self, reads=tuple(r.substitute(values) for r in self.reads),
                       rows=tuple(e.substitute(values) for e in self.rows),
                       inside=tuple((what, e.substitute(values), n) for what, e, n in self.inside))

    def within(self, spans: Iterable[Span], rows: Iterable[Affine] = ()) -> Addend:
        """Summed over more."""
        return replace(self, spans=(*spans, *self.spans), rows=(*rows, *self.rows))


def digits(at: Affine, extents: Sequence[int], spans: Sequence[Span]) -> list[Affine] | None:
    """The index along every axis of a place in memory; None where its terms do not tell."""
    found, strides = [Affine() for _ in extents], [prod(extents[k + 1:]) for k in range(len(extents))]
    axes = [k for k, n in enumerate(extents) if n > 1]
    for names, c in at:
        rest, sign = abs(c), 1 if c > 0 else -1
        for k in axes:
            own, rest = divmod(rest, strides[k])
            found[k] += sign * own * (Affine.of(names[0]) if names else Affine.of(1))
    inside = all(lo >= 0 and hi < n for e, n in zip(found, extents, strict=True) for lo, hi in [ends(e, spans)])
    return found if inside else None


def flat(a: Access) -> Affine:
    """The place of an element, row-major."""
    total = Affine()
    for e, n in zip(a.indices, a.tensor.extents, strict=True):
        total = n * total + e
    return total


def size(t: Tensor) -> int:
    """How many elements."""
    total = 1
    for n in t.extents:
        total *= n
    return total


def box(coordinates: Sequence[Affine], spans: Iterable[Span]) -> Box:
    """The values that expressions take together."""
    steps, low = [], {}
    for s in spans:
        low[s.name] = s.low
        steps.append((tuple(e.coefficient(s.name) for e in coordinates), s.count))
    return Box(tuple(e.evaluate(low) for e in coordinates), tuple(steps))


def put(sums: Sums, target: Sequence[Affine], addend: Addend) -> None:
    """Collect an addend, its rows and what has to be inside as further coordinates."""
    addend = _narrowed(addend)
    if not addend.coefficient or any(s.count <= 0 for s in addend.spans):
        return
    reads = sorted(addend.reads, key=lambda r: (r.array, r.function))
    key = tuple(f"{r.function}({r.array})" if r.function else r.array for r in reads)
    form = Form(key, tuple((what, extent) for what, _, extent in addend.inside), len(addend.rows))
    coordinates = (*target, *(r.at for r in reads), *(e for _, e, _ in addend.inside), *addend.rows)
    add(sums.setdefault(form, {}), box(coordinates, addend.spans), addend.coefficient)


def _narrowed(a: Addend) -> Addend:
    """The same with every row that knows a single name, or none, in the span of that name."""
    spans: dict[str, Span] = {s.name: s for s in a.spans}
    rows: list[Affine] = []
    if len(spans) < len(a.spans):
        raise ValueError(f"two sums of {a} have one name")
    for e in a.rows:
        if len(e.names) > 1:
            rows.append(e)
        elif not e.names:
            spans |= {} if e.constant >= 0 else {"never": Span("never", 0, 0)}
        else:
            (name,) = e.names
            s, c = spans[name], e.coefficient(name)
            low = max(s.low, -(e.constant // c)) if c > 0 else s.low
            high = s.low + s.count if c > 0 else min(s.low + s.count, e.constant // -c + 1)
            spans[name] = Span(name, low, high - low)
    return replace(a, spans=tuple(spans.values()), rows=tuple(rows))


def of_equation(equation: Equation) -> list[tuple[Access, Addend]]:
    """Every term of an equation with sizes in numbers: the element it goes to, and what it adds.

    Raises:
        NotSupported: a summation index has no bounds.
    """
    return [made for t in equation.terms if (made := _term(equation, t)) is not None]


def _term(equation: Equation, t: Term) -> tuple[Access, Addend] | None:
    domain = [*t.domain(), *equation.domain()]
    values = _solved(domain, (*equation.indices, *t.indices))
    rows = [e for c in domain for e in _inequalities(c.substitute(values))]
    found = _ends(rows, [n for n in (*equation.indices, *t.indices) if n not in values])
    if any(lo > hi for lo, hi in found.values()) or any(e.is_constant and e.constant < 0 for e in rows):
        return None
    for e, n in ((e, n) for f in t.factors for e, n in zip(f.indices, f.tensor.extents, strict=True)):
        e = e.substitute(values)
        name = next((m for m in sorted(e.names) if abs(e.coefficient(m)) == 1 and m in found
                     and found[m][1] - found[m][0] + 1 > n), None)
        if name is not None and len(e.names) > 1:  # few of its values meet this axis: count along the axis instead
            put = {name: Affine.of(name) - e.coefficient(name) * (e - Affine.of(f"along {name}"))}
            values = {**{m: Affine.of(v).substitute(put) for m, v in values.items()}, **put}
            rows = [r.substitute(put) for r in rows]
            found = {m: ends for m, ends in found.items() if m != name} | {f"along {name}": (0, n - 1)}
    spans = tuple(Span(n, lo, hi - lo + 1) for n, (lo, hi) in found.items())
    reads = tuple(Place(f.tensor.name, flat(f), f.function).substitute(values) for f in t.factors)
    open_ = tuple(e for e in dict.fromkeys(rows) if lowest(e, spans) < 0)
    return equation.left.substitute(values), Addend(t.coefficient, reads, spans, open_)


def _solved(domain: Sequence[Constraint], names: Sequence[str]) -> dict[str, AffineLike]:
    """A name in terms of the others for every equality that has one with coefficient 1 or -1."""
    values: dict[str, AffineLike] = {}
    for c in (c for c in domain if c.equality):
        e = c.expression.substitute(values)
        name = next((n for n in names if abs(e.coefficient(n)) == 1), None)
        if name is not None:
            put = {name: Affine.of(name) - e.coefficient(name) * e}
            values = {**{n: Affine.of(v).substitute(put) for n, v in values.items()}, **put}
    return values


def _inequalities(c: Constraint) -> tuple[Affine, ...]:
    return (c.expression, -c.expression) if c.equality else (c.expression,)


def _ends(rows: Sequence[Affine], names: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Smallest and largest values of names that the rows leave, found one from the others."""
    low: dict[str, float] = dict.fromkeys(names, -inf)
    high: dict[str, float] = dict.fromkeys(names, inf)
    for _ in range(2 * len(names) + 2):
        before = dict(low), dict(high)
        for e in rows:
            for n in e.names:
                a = e.coefficient(n)
                rest = sum((b * (high if b > 0 else low)[m[0]] for m, b in e if m and m != (n,)), float(e.constant))
                if isinf(rest):
                    continue
                if a > 0:
                    low[n] = max(low[n], ceil(Fraction(-int(rest), a)))
                else:
                    high[n] = min(high[n], floor(Fraction(int(rest), -a)))
        if (low, high) == before:
            break
    loose = [n for n in names if isinf(low[n]) or isinf(high[n])]
    if loose:
        raise NotSupported(f"the sum over {loose[0]} has no bounds")
    return {n: (int(low[n]), int(high[n])) for n in names}


def ends(e: Affine, spans: Iterable[Span]) -> tuple[int, int]:
    """The smallest and the largest value of an expression."""
    known = {s.name: s for s in spans}
    return box((e,), (known[n] for n in e.names)).range(0)


def lowest(e: Affine, spans: Iterable[Span]) -> int:
    """The smallest value of an expression."""
    return ends(e, spans)[0]

