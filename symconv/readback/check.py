"""A kernel read back and compared with its equation: nothing is printed that is not proved equal.

Every output is set to one value, everything is added to it after that, every product of the equation is there as
often as the equation has it, and every element lies inside its array.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from symconv.affine import Affine
from symconv.equation import Equation, Tensor
from symconv.errors import LimitExceeded
from symconv.readback.boxes import MOST, Box, Sum, add, counted, difference, gathered, least, resolved, vanished
from symconv.readback.overlaps import Layer, layers_of, whole
from symconv.readback.records import Copy, Misread, Write
from symconv.readback.terms import ONE, Addend, Key, Place, Span, Sums, box, flat, of_equation, put, size
from symconv.readback.walk import Walk
from symconv.schedule.nodes import Node

MOST_INT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Proof:
    """That a schedule computes its equation: so many boxes of products, no index beyond `largest`."""

    boxes: int
    largest: int = 0

    def __str__(self) -> str:
        index = f"; no index passes {self.largest}" if self.largest else ""
        return f"Read back and proved equal to the derived equation: {self.boxes} box{'es' * (self.boxes != 1)}{index}."


def read_back(equation: Equation, bodies: Iterable[Sequence[Node]], workspace: Sequence[Tensor] = (),
              starts: Sequence[int] = (), accumulate: bool = False) -> Proof:
    """Prove that nodes compute an equation with sizes in numbers.

    Args:
        bodies: of the steps, in their order.
        starts: of the workspace arrays in their memory, in elements, and of what follows them.
        accumulate: they add to the output instead of setting it.

    Raises:
        Misread: they do not; names the smallest wrong index.
        LimitExceeded: that would take too many boxes, or an index might not fit a C int.
    """
    for t, at, end in zip(workspace, starts, starts[1:], strict=False):
        if at + size(t) > end:
            raise Misread(f"{t.name} reaches into what lies behind it in the workspace")
    arrays = {t.name: size(t) for t in (*equation.reads, equation.output)}
    walk = Walk({t.name: t for t in workspace}, arrays, lambda copy, writes: _check_copy(copy, writes, arrays))
    for body in bodies:
        walk.run(body)
    walk.finish(walk.copies)
    if walk.filled:
        raise Misread(f"nothing says what {', '.join(walk.filled)} holds")
    boxes = check_writes(equation, walk.writes, accumulate)
    if not accumulate:
        _check_order(equation.output, walk.writes)
    largest, name = walk.reach.most, equation.output.name
    if largest > MOST_INT:
        raise LimitExceeded(f"an index in the kernel of {name} may get to {largest}; a C int ends at {MOST_INT}")
    return Proof(boxes, largest)


def check_writes(equation: Equation, writes: Sequence[Write], accumulate: bool) -> int:
    """Compare what is written to the output, in a right order, with the equation; the number of boxes."""
    output = equation.output
    arrays = {t.name: size(t) for t in (*equation.reads, output)}
    stray = next((w.array for w in writes if w.array != output.name), None)
    if stray is not None:
        raise Misread(f"{stray} is written to, which is not {output.name}")
    layers = None if accumulate else layers_of(output, writes)
    if layers is None:
        _check_set_once(output, [w for w in writes if not w.adds], accumulate)
        layers = [whole(output, writes)]
    return sum(_check_layer(equation, layer, arrays) for layer in layers)


def _check_layer(equation: Equation, layer: Layer, arrays: Mapping[str, int]) -> int:
    """Where the layer writes, it writes what the equation has there; the number of boxes."""
    output = equation.output
    derived: Sums = {}
    for left, addend in of_equation(equation):
        for rows in layer.conditions(left):
            put(derived, [flat(left)], addend.within((), rows))
    found: Sums = {}
    for w in layer.writes:
        for addend in w.addends:
            put(found, [w.at], addend.within(w.spans, w.rows))
    limits = [(output.name, arrays[output.name])]
    expected, actual = settled(derived, limits, arrays), settled(found, limits, arrays)
    for key in sorted({*expected, *actual}):
        left_over = vanished(difference(expected.get(key, {}), actual.get(key, {})))
        if left_over:
            raise Misread(_told(output, key, left_over, expected.get(key, {})))
    return sum(map(len, actual.values()))


def _told(output: Tensor, key: Key, left: Sum, expected: Sum) -> str:
    at = min(left, key=lambda b: b.base)
    times = left[at]
    product = " * ".join(f"{name}[{place}]" for name, place in zip(key, at.base[1:], strict=True)) or "the constant"
    what = f"{abs(times)} time{'s' * (abs(times) != 1)} too {'seldom' if times > 0 else 'often'}"
    return f"{_named(output, least(left))} gets {product} {what}"


def _named(t: Tensor, place: int) -> str:
    index: list[str] = []
    for n in reversed(t.extents):
        place, digit = divmod(place, n)
        index.insert(0, str(digit))
    return f"{t.name}[{', '.join(index)}]"


def settled(sums: Sums, target: Sequence[tuple[str, int]], arrays: Mapping[str, int],
            once: bool = False) -> dict[Key, Sum]:
    """Boxes without conditions, by what is multiplied, with every place in them inside its array.

    Args:
        target: name and extent of the first coordinates.
    """
    found: dict[Key, Sum] = {}
    for form, total in sums.items():
        limits = [*target, *((n, arrays.get(_array(n), 0)) for n in form.factors), *form.inside]
        count = len(target) + len(form.factors)
        own = found.setdefault(form.factors, {})
        for piece, c in gathered(total, once).items():
            for part in resolved(piece, len(limits)):
                _check_inside(part, limits)
                add(own, Box(part.base[:count], tuple((d[:count], n) for d, n in part.steps)), c)
                if len(own) > MOST:
                    raise LimitExceeded(f"more than {MOST} boxes of products")
    return found


def _array(factor: str) -> str:
    return factor[factor.index("(") + 1:-1] if "(" in factor else factor


def _check_inside(part: Box, limits: Sequence[tuple[str, int]]) -> None:
    for k, (name, extent) in enumerate(limits):
        low, high = part.range(k)
        if low < 0 or high >= extent:
            raise Misread(f"element {low if low < 0 else max(extent, low)} of {name} is used, which has {extent}")


def _places(writes: Iterable[Write], lead: Sequence[Affine] = ()) -> Sums:
    sums: Sums = {}
    for w in writes:
        put(sums, [*lead, w.at], Addend(ONE, spans=w.spans, rows=w.rows))
    return sums


def _whole(extent: int) -> Sum:
    total: Sum = {}
    if extent:
        add(total, Box((0,), (((1,), extent),)), ONE)
    return total


def _check_set_once(output: Tensor, writes: Sequence[Write], accumulate: bool) -> None:
    if accumulate and writes:
        raise Misread(f"{output.name} is overwritten where it should be added to")
    if accumulate:
        return
    places = settled(_places(writes), [(output.name, size(output))], {})
    left = vanished(difference(_whole(size(output)), places.get((), {})))
    if left:
        at = min(left, key=lambda b: b.base)
        raise Misread(f"{_named(output, at.base[0])} is {'never set' if left[at] > 0 else 'set more than once'}")


def _check_order(output: Tensor, writes: Sequence[Write]) -> None:
    """What is added to goes to an element that was set before, in the same turn of all loops they share."""
    for number, w in enumerate(writes):
        if w.adds and not any(_sets_before(s, w) for s in writes[:number] if not s.adds):
            raise Misread(f"{_named(output, max(0, box((w.at,), w.spans).range(0)[0]))} and others may be added to "
                          "before they are set")


def _sets_before(first: Write, later: Write) -> bool:
    shared = 0
    for a, b in zip(first.frames, later.frames, strict=False):
        if a != b:
            break
        shared += 1
    if any(f.rows for f in first.frames[shared:]):
        return False
    names = {f.span.name for f in first.frames[:shared] if f.span and f.span.count > 1}
    if any(first.at.coefficient(n) != later.at.coefficient(n) for n in names):
        return False
    here = {f.span.name: f.span.low if f.span.count == 1 else 0 for f in first.frames[:shared] if f.span}
    mine, theirs = ([f.span for f in w.frames[shared:] if f.span] for w in (first, later))
    return contains(box((first.at.substitute(here),), mine), box((later.at.substitute(here),), theirs))


def contains(outer: Box, inner: Box) -> bool:
    """Is every place of a box, on one axis, a place of the other? Said only where that has no holes or like steps."""
    whole, _ = counted(outer)
    if [d for d, _ in whole.steps] in ([], [(1,)]):
        (low, high), (first, last) = whole.range(0), inner.range(0)
        return low <= first and last <= high
    rest = inner.range(0)[0] - outer.range(0)[0]
    known: dict[int, int] = {}
    for d, n in inner.steps:
        if d[0] and n > 1:
            known[abs(d[0])] = known.get(abs(d[0]), 1) + n - 1
    for step, n in sorted(((abs(d[0]), n) for d, n in outer.steps if d[0] and n > 1), reverse=True):
        k, rest = divmod(rest, step)
        if k < 0 or k + known.pop(step, 1) > n:
            return False
    return not known and rest == 0


# Copies.


def _check_copy(copy: Copy, writes: Sequence[Write], arrays: Mapping[str, int]) -> None:
    """The stores of a copy make what its label says: the values, and zeros everywhere else."""
    left, depth = copy.left.tensor, len(copy.frames)
    if any(w.frames[:depth] != copy.frames for w in writes):
        raise Misread(f"{left.name} is filled outside of the loops its label stands in")
    if any(len(w.addends) > 1 or a.coefficient != 1 for w in writes for a in w.addends):
        raise Misread(f"{left.name} gets something else than elements")
    outer = [f.span for f in copy.frames if f.span]
    lead = [Affine.of(s.name) for s in outer]
    target = [*((s.name, s.low + s.count) for s in outer), (left.name, size(left))]
    names = [str(e) for e in copy.left.indices]
    spans = (*outer, *(Span(n, 0, extent) for n, extent in zip(names, left.extents, strict=True)))
    source = copy.value.substitute({n: e for n, e in copy.names.items() if n not in names})
    rows = tuple(c.expression for c in source.in_range())
    read = Place(source.tensor.name, flat(source), source.function)
    around = tuple(e for f in copy.frames for e in f.rows)
    said: Sums = {}
    put(said, [*lead, flat(copy.left)], Addend(ONE, (read,), spans, (*rows, *around)))
    made: Sums = {}
    for w in writes:
        for a in w.addends:
            put(made, [*lead, w.at], a.within(w.spans, w.rows))
    expected, actual = settled(said, target, arrays), settled(made, target, arrays, once=True)
    graph = expected.get((source.tensor.name,), {})
    if set(actual) > set(expected) or vanished(difference(graph, actual.get((source.tensor.name,), {}))):
        raise Misread(f"the copy does not make {copy.left} = {copy.value}")
    count = len(target)
    whole: Sums = {}
    put(whole, [*lead, flat(copy.left)], Addend(ONE, (), spans, around))
    left_over = settled(whole, target, arrays)[()]
    zeros = settled(_places([w for w in writes if not w.addends], lead), target, arrays).get((), {})
    for found, c in (*graph.items(), *zeros.items()):
        add(left_over, Box(found.base[:count], tuple((d[:count], n) for d, n in found.steps)), -c)
    if vanished(left_over):
        raise Misread(f"elements of {left.name} are set more than once or never")
