"""A plan of array operations read back: every statement as the sum it stands for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import gcd
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.equation import Access, Equation
from symconv.readback.check import Proof, check_writes
from symconv.readback.records import Frame, Misread, Write
from symconv.readback.terms import Addend, Place, Span, ends, flat

if TYPE_CHECKING:
    from symconv.schedule.arrays import Step


def read_back_arrays(equation: Equation, steps: Sequence[Step], zeroed: bool) -> Proof:
    """Prove that array operations compute an equation with sizes in numbers.

    Args:
        zeroed: the output starts from zeros.

    Raises:
        Misread: they do not.
        LimitExceeded: that would take too many boxes.
    """
    made: dict[str, Step] = {}
    writes: list[Write] = []
    for s in steps:
        name = s.place.tensor.name
        if name == equation.output.name:
            writes += [_write(s, made)]
        elif name in made or not s.covers_output or len({str(e) for e in s.place.indices}) < len(s.place.indices):
            raise Misread(f"{name} is not made by one statement")
        else:
            made[name] = s
    _check_assigned(steps, equation.output.name)
    if zeroed:
        writes = [_zeros(equation), *(replace(w, adds=True) for w in writes)]
    return Proof(check_writes(equation, writes, False))


def _zeros(equation: Equation) -> Write:
    spans = [Frame(Span(f"zero {n}", 0, extent)) for n, extent in enumerate(equation.output.extents)]
    here = Access(equation.output, tuple(Affine.of(f"zero {n}") for n in range(len(spans))))
    return Write(equation.output.name, flat(here), False, (), tuple(spans))


def _check_assigned(steps: Sequence[Step], output: str) -> None:
    """Nothing was there before a statement that overwrites: it shares no place with what came earlier."""
    own = [s for s in steps if s.place.tensor.name == output]
    for number, s in enumerate(own):
        clash = next((t for t in own[:number] if s.assign and not _apart(s, t)), None)
        if clash is not None:
            raise Misread(f"{s.place} overwrites what {clash.place} got")


def _apart(a: Step, b: Step) -> bool:
    """On one axis the places have no common range, or no common residue."""
    spans = [[Span(r.name, 0, r.extent) for r in (*s.loops, *s.taps)] for s in (a, b)]
    for e, f in zip(a.place.indices, b.place.indices, strict=True):
        (low, high), (first, last) = ends(e, spans[0]), ends(f, spans[1])
        step = gcd(*(c for g in (e, f) for m, c in g if m))
        if high < first or last < low or (step and (low - first) % step):
            return True
    return False


def _write(s: Step, made: dict[str, Step]) -> Write:
    frames = tuple(Frame(Span(r.name, 0, r.extent)) for r in (*s.taps, *s.loops))
    outer = {r.name for r in (*s.taps, *s.loops)}
    addend = _sum(s, made)
    inner = tuple(p for p in addend.spans if p.name not in outer)
    return Write(s.place.tensor.name, flat(s.place), not s.assign, (replace(addend, spans=inner),), frames)


def _sum(s: Step, made: dict[str, Step]) -> Addend:
    """The sum of one statement over all its loops."""
    spans = tuple(Span(r.name, 0, r.extent) for r in (*s.taps, *s.loops, *s.sums))
    rows = tuple(e for c in s.masks for e in ((c.expression, -c.expression) if c.equality else (c.expression,)))
    total = Addend(s.coefficient, (), spans, rows)
    for f in s.factors:
        edges = tuple(c.expression for c in f.in_range())
        inside = tuple((f"axis {k} of {f.tensor.name}", e, n) for k, (e, n) in
                       enumerate(zip(f.indices, f.tensor.extents, strict=True)))
        if s.padded:
            total = replace(total, rows=(*total.rows, *edges))
        else:
            total = replace(total, inside=(*total.inside, *inside))
        if f.tensor.name in made:
            total = _inlined(total, f, made[f.tensor.name], made)
        else:
            total = replace(total, reads=(*total.reads, Place(f.tensor.name, flat(f), f.function)))
    return total


def _inlined(total: Addend, read: Access, step: Step, made: dict[str, Step]) -> Addend:
    """The read of an array in the place of which its statement stands."""
    if read.function:
        raise Misread(f"{read} goes through a function of a sum")
    inner = _sum(step, made)
    axes = {str(e): index for e, index in zip(step.place.indices, read.indices, strict=True)}
    names = {p.name: f"{p.name} of {step.place.tensor.name}" for p in inner.spans if p.name not in axes}
    here = inner.substitute({**names, **axes})
    return Addend(total.coefficient * here.coefficient, (*total.reads, *here.reads),
                  (*total.spans, *(replace(p, name=names[p.name]) for p in inner.spans if p.name in names)),
                  (*total.rows, *here.rows), (*total.inside, *here.inside))
