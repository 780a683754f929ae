"""Run the nodes of a kernel in symbols: what every store adds to which element, and in which order.

Nothing here comes from the schedule. A loop is a name with bounds; a register, a vector or a small buffer is
what was added to it; a copy is what its label says, which is proved of its stores before anything reads it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product

from symconv.affine import Affine
from symconv.equation import Access, Tensor
from symconv.readback.records import LANE, NEXT, ROW, Buffer, Copy, Frame, Held, Misread, Reach, Write
from symconv.readback.terms import Addend, Place, Span, ends, flat, size
from symconv.schedule import nodes


@dataclass
class Walk:
    """The state of a reading.

    Args:
        workspace: the arrays that are neither given nor results.
        sizes: of the other arrays, in elements.
        proved: called with a copy and the writes to it, before it is first read.
    """

    workspace: Mapping[str, Tensor]
    sizes: Mapping[str, int]
    proved: Callable[[Copy, Sequence[Write]], None]
    frames: tuple[Frame, ...] = ()
    names: dict[str, Affine] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    pointers: dict[str, Access] = field(default_factory=dict)
    buffers: dict[str, Buffer] = field(default_factory=dict)
    fetched: dict[str, tuple[Place, tuple[Affine, ...], int]] = field(default_factory=dict)
    copies: dict[str, Copy] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    writes: list[Write] = field(default_factory=list)
    filled: dict[str, list[Write]] = field(default_factory=dict)
    loops: int = 0
    reach: Reach = field(default_factory=Reach)

    def run(self, body: Sequence[nodes.Node]) -> None:
        """Every statement of a body, in its order."""
        for n in body:
            getattr(self, f"_{type(n).__name__.lower()}")(n)

    def finish(self, copies: Iterable[str]) -> None:
        """Prove those copies that nothing read."""
        for name in copies:
            if name in self.filled:
                self._copied(name)

    # Loops, conditions, scopes.

    def _inside(self, frame: Frame, body: Sequence[nodes.Node]) -> None:
        outer = replace(self, frames=(*self.frames, frame), names=dict(self.names), held=dict(self.held),
                        pointers=dict(self.pointers), buffers=dict(self.buffers), fetched=dict(self.fetched),
                        copies=dict(self.copies))
        outer.run(body)
        outer.finish(n for n in outer.copies if n not in self.copies)
        self.loops = outer.loops
        for name, held in outer.held.items():
            if name in self.held and held.depth == self.held[name].depth:
                self.held[name] = held

    def _loop(self, n: nodes.Loop) -> None:
        self.loops += 1
        name = f"{n.name} {self.loops}"
        low, high = ([e.substitute(self.names) for e in bounds] for bounds in (n.low, n.high))
        spans = self.spans
        for e in (*low, *high):
            self.reach.see(e, spans)
        first = max(ends(e, spans)[0] for e in low)
        last = min(ends(e, spans)[1] for e in high) - 1
        own = Affine.of(name)
        rows = (*(own - e for e in low if not e.is_constant), *(e - 1 - own for e in high if not e.is_constant))
        saved, self.names = self.names, {**self.names, n.name: own}
        self._inside(Frame(Span(name, first, last - first + 1), rows, self.loops), n.body)
        self.names = saved

    def _guard(self, n: nodes.Guard) -> None:
        rows = tuple(e for c in n.conditions for e in
                     ((c.expression, -c.expression) if c.equality else (c.expression,)))
        self._inside(Frame(None, tuple(e.substitute(self.names) for e in rows)), n.body)

    def _scope(self, n: nodes.Scope) -> None:
        self._inside(Frame(None), n.body)

    @property
    def spans(self) -> tuple[Span, ...]:
        return tuple(f.span for f in self.frames if f.span)

    # Reading.

    def _read(self, a: Access) -> tuple[Place, tuple[Affine, ...]]:
        return self._element(a.substitute(self.names), 0, 1)

    def _element(self, a: Access, offset: int, lanes: int) -> tuple[Place, tuple[Affine, ...]]:
        """The element so many places behind an access, or a vector of them, and where it is not a zero."""
        self.reach.access(a, self.spans, lanes)
        self.reach.most = max(self.reach.most, abs(offset) + lanes)  # a pointer and a constant: no sum of ints
        lane = Affine.of(LANE) if lanes > 1 else Affine()
        name = a.tensor.name
        if name not in self.workspace:
            if lanes > 1:  # also the lanes that nothing is made of are read
                low, high = ends(flat(a) + offset, self.spans)
                if low < 0 or high + lanes > self.sizes.get(name, 0):
                    raise Misread(f"a vector of {lanes} reaches element {high + lanes - 1} of {name}, which has "
                                  f"{self.sizes.get(name, 0)}")
            return Place(name, flat(a) + offset + lane, a.function), ()
        copy = self._copied(a.tensor.name)
        whole = self.workspace[a.tensor.name]
        if a.function or whole.extents != a.tensor.extents:
            raise Misread(f"{a} is read otherwise than {whole} is made")
        at = dict(zip((str(e) for e in copy.left.indices), self._digits(a, offset, lane, lanes), strict=True))
        source = copy.value.substitute({**copy.names, **at})
        return (Place(source.tensor.name, flat(source), source.function),
                tuple(c.expression for c in source.in_range()))

    def _digits(self, a: Access, offset: int, lane: Affine, lanes: int) -> list[Affine]:
        """The index along every axis of what lies so many places behind an access, all inside the array."""
        spans, found = (*self.spans, Span(LANE, 0, lanes)), []
        for e, n in reversed(list(zip(a.indices, a.tensor.extents, strict=True))):
            here, lane = (e + lane, Affine()) if n > 1 else (e, lane)  # neighbours differ in the last axis that counts
            low, high = ends(here, spans)
            digit = offset % n
            digit -= n if digit > n - 1 - high else 0
            if low + digit < 0 or high + digit >= n:
                raise Misread(f"{a} with {offset} elements added leaves its array")
            found.append(here + digit)
            offset = (offset - digit) // n
        if offset:
            raise Misread(f"{a} leaves its array by {offset} times its first axis")
        return found[::-1]

    def _copied(self, name: str) -> Copy:
        if name not in self.copies:
            raise Misread(f"{name} is read where nothing says what it holds")
        if name not in self.known:
            self.known.add(name)
            self.proved(self.copies[name], self.filled.pop(name, []))
        if name in self.filled:
            raise Misread(f"{name} is written to after it was read")
        return self.copies[name]

    def _product(self, p: nodes.Product) -> Addend:
        reads = [self._read(f) for f in p.factors]
        return Addend(Fraction(p.coefficient), tuple(r for r, _ in reads),  # type: ignore[call-overload]
                      rows=tuple(e for _, rows in reads for e in rows))

    # Plain statements.

    def _label(self, n: nodes.Label) -> None:
        if n.value is not None:
            name = n.place.tensor.name
            self.copies[name] = Copy(n.place, n.value, self.frames, dict(self.names))
            self.known.discard(name)
            if name in self.filled:
                raise Misread(f"{name} is filled twice before it is read")
            self.filled[name] = []

    def _declare(self, n: nodes.Declare) -> None:
        start = (self._product(n.value),) if n.value is not None else ()
        self.held[n.name] = Held(len(self.frames), n.extent, start)

    def _store(self, n: nodes.Store) -> None:
        if isinstance(n.target, str):
            addends = self._held(n.value) if isinstance(n.value, str) else (self._product(n.value),)
            return self._keep_adding(n.target, addends, n.add)
        if isinstance(n.value, nodes.Product) and len(n.value.factors) == 1:
            source = n.value.factors[0]
            if source.tensor.name in self.buffers:
                if n.value.coefficient != 1 or source.function:
                    raise Misread(f"{source} is not moved as it is")
                return self._from_buffer(n.target, source, n.add)
        addends = self._held(n.value) if isinstance(n.value, str) else (self._product(n.value),)
        self._write(n.target, n.add, addends)
        return None

    def _keep_adding(self, name: str, addends: Sequence[Addend], adds: bool) -> None:
        held = self.held[name]
        if not adds:
            raise Misread(f"{name} is overwritten")
        between = self.frames[held.depth:]
        if held.partial:  # partial sums: the innermost loop says which
            lane = next(f.span for f in reversed(between) if f.span)
            if lane.low < 0 or lane.low + lane.count > held.partial:
                raise Misread(f"{name} has {held.partial} elements, and {lane} is written to")
            outer = tuple(f for f in between if f.span != lane)
            put = {lane.name: Affine.of(LANE)}
            bounds = (Affine.of(LANE) - lane.low, lane.low + lane.count - 1 - Affine.of(LANE))
            more = [self._closed(a, outer).substitute(put) for a in addends]
            rows = [e.substitute(put) for f in between if f.span == lane for e in f.rows]
            more = [a.within((), (*bounds, *rows)) for a in more]
        else:
            more = [self._closed(a, between) for a in addends]
        self.held[name] = replace(held, addends=(*held.addends, *more))

    @staticmethod
    def _closed(a: Addend, frames: Sequence[Frame]) -> Addend:
        return a.within((f.span for f in frames if f.span), (e for f in frames for e in f.rows))

    def _held(self, name: str) -> tuple[Addend, ...]:
        held = self.held[name]
        if not held.partial:
            if any(f.span for f in self.frames[held.depth:]):
                raise Misread(f"{name} is stored in a loop that it is summed outside of")
            return held.addends
        lane = next(f.span for f in reversed(self.frames) if f.span)
        if (lane.low, lane.count) != (0, held.partial):
            raise Misread(f"{name} has {held.partial} elements, and {lane} are added up")
        return tuple(a.substitute({LANE: Affine.of(lane.name)}) for a in held.addends)

    def _write(self, target: Access, adds: bool, addends: Sequence[Addend], lanes: int = 1, step: int = 1) -> None:
        """To `lanes` elements, `step` apart."""
        at = flat(target).substitute(self.names) + step * Affine.of(LANE)
        self.reach.access(target.substitute(self.names), self.spans, step * lanes)
        self._record(target.tensor.name, at, adds, addends, (*self.frames, Frame(Span(LANE, 0, lanes))))

    def _record(self, array: str, at: Affine, adds: bool, addends: Sequence[Addend], frames: tuple[Frame, ...]) -> None:
        made = Write(array, at, adds, tuple(a for a in addends if a.coefficient), frames)
        if array not in self.workspace:
            self.writes.append(made)
        elif array in self.filled and not adds:
            self.filled[array].append(made)
        else:
            raise Misread(f"{array} is written to where nothing says what it will hold")

    # Vectors.

    def _pointer(self, n: nodes.Pointer) -> None:
        self.pointers[n.name] = n.access.substitute(self.names)

    def _fetch(self, n: nodes.Fetch) -> None:
        lanes = max(n.width, 1)
        if n.width < 0:
            raise Misread(f"{n.name} has {n.width} lanes")
        self.fetched[n.name] = (*self._element(self.pointers[n.pointer], n.offset, lanes), lanes)

    def _shift(self, n: nodes.Shift) -> None:
        place, rows, lanes = self.fetched[n.source]
        if lanes != n.width or n.low < 0 or n.high > lanes or n.low + n.by < 0 or n.high + n.by > lanes:
            raise Misread(f"lanes {n.low} to {n.high - 1} of {n.width} do not lie {n.by} further in {n.source}, "
                          f"which has {lanes}")
        moved, lane = {LANE: Affine.of(LANE) + n.by}, Affine.of(LANE)
        self.fetched[n.name] = (place.substitute(moved), (lane - n.low, n.high - 1 - lane,
                                                          *(e.substitute(moved) for e in rows)), lanes)

    def _multiplyadd(self, n: nodes.MultiplyAdd) -> None:
        reads = [self.fetched[f] for f in n.factors]
        one = Addend(Fraction(1), tuple(r for r, _, _ in reads), rows=tuple(e for _, rows, _ in reads for e in rows))
        held = self.held[n.target]
        if any(lanes not in (1, held.width) for _, _, lanes in reads):
            raise Misread(f"vectors of different widths meet in {n.target}")
        between = self.frames[held.depth:]
        self.held[n.target] = replace(held, addends=(*held.addends, self._closed(one, between)))

    def _accumulator(self, n: nodes.Accumulator) -> None:
        start = []
        if n.start is not None:
            if n.stride not in (0, 1):
                raise Misread(f"{n.start} is read with the stride {n.stride}")
            place, rows = self._element(n.start.substitute(self.names), 0, n.lanes if n.stride else 1)
            start = [Addend(Fraction(1), (place,), rows=rows)]
        lanes = n.lanes if start and n.stride else n.width
        self.held[n.name] = Held(len(self.frames), 0, tuple(start), lanes, n.width)

    def _keep(self, n: nodes.Keep) -> None:
        name, held = n.access.tensor.name, self.held[n.name]
        if n.width != held.width or n.lanes > n.width:
            raise Misread(f"{n.lanes} of {n.width} lanes of {n.name} are stored, which has {held.width}")
        if name in self.buffers:
            at = flat(n.access)
            if not at.is_constant or n.add or self.buffers[name].depth != len(self.frames):
                raise Misread(f"{n.access} is no fixed place of a buffer")
            self._fill(self.buffers[name], at.constant, 1, min(n.lanes, held.lanes), self._held(n.name))
        elif n.lanes > held.lanes:
            raise Misread(f"{n.lanes} lanes of {n.name} are stored, {held.lanes} are set")
        else:
            self._write(n.access, n.add, self._held(n.name), n.lanes)

    @staticmethod
    def _fill(buffer: Buffer, at: int, step: int, count: int, addends: tuple[Addend, ...]) -> None:
        if at < 0 or at + step * (count - 1) >= buffer.size:
            raise Misread(f"elements {at} and after are outside of a buffer of {buffer.size}")
        buffer.pieces.pop((at, step), None)
        if any(step == d and (at - b) % d == 0 and max(at, b) <= min(at + step * (count - 1), b + d * (lanes - 1))
               for (b, d), (lanes, _) in buffer.pieces.items()):
            raise Misread(f"elements {at} and after of a buffer are written to twice")
        buffer.pieces[at, step] = (count, addends)

    def _total(self, n: nodes.Total) -> None:
        if n.width != self.held[n.name].lanes:
            raise Misread(f"{n.width} lanes of {n.name} are added up, which has {self.held[n.name].lanes}")
        addends = self._added_up(self._held(n.name), n.width)
        if n.start is not None:
            place, rows = self._read(n.start)
            addends.append(Addend(Fraction(1), (place,), rows=rows))
        self._write(n.access, n.add, addends)

    @staticmethod
    def _added_up(addends: Sequence[Addend], lanes: int) -> list[Addend]:
        return [a.substitute({LANE: Affine.of("total")}).within((Span("total", 0, lanes),)) for a in addends]

    def _totals(self, n: nodes.Totals) -> None:
        to, of = self.buffers[n.target.tensor.name], self.buffers[n.source.tensor.name]
        at, base = flat(n.target).constant, flat(n.source).constant
        if to.pieces or to.depth != len(self.frames) or at < 0 or at + n.width > to.size or n.count > n.width:
            raise Misread(f"{n.count} totals of {n.width} lanes do not go to an empty buffer of {to.size}")
        for k in range(n.count):
            sums = [a for _, lanes, some in of.runs(base + k * n.width, 1, n.width)
                    for a in self._added_up(some, lanes)]
            self._fill(to, at + k, 1, 1, tuple(sums))

    def _buffer(self, n: nodes.Buffer) -> None:
        self.buffers[n.tensor.name] = Buffer(size(n.tensor), len(self.frames))

    def _transpose(self, n: nodes.Transpose) -> None:
        to, of = n.target.tensor.name, n.source.tensor.name
        if to in self.buffers:
            start, base = flat(n.target).constant, flat(n.source).constant
            for k in range(n.width):
                here = base + k * n.source_step
                if here < 0 or here + n.width > self.buffers[of].size:
                    raise Misread(f"elements {here} and after are outside of a buffer of {self.buffers[of].size}")
                for first, lanes, row in self.buffers[of].runs(here, 1, n.width, holes=True):
                    self._fill(self.buffers[to], start + k + first * n.target_step, n.target_step, lanes, row)
            return
        place, rows = self._read(n.source)
        self.reach.most = max(self.reach.most, n.width * n.source_step, n.width * n.target_step)
        self.reach.access(n.target.substitute(self.names), self.spans)
        if rows:
            raise Misread(f"a square of {of} is turned where it has no edge to stand for")
        moved = Addend(Fraction(1), (replace(place, at=place.at + n.source_step * Affine.of(ROW) + Affine.of(LANE)),))
        at = flat(n.target).substitute(self.names) + Affine.of(ROW) + n.target_step * Affine.of(LANE)
        square = (Frame(Span(ROW, 0, n.width)), Frame(Span(LANE, 0, n.width)))
        self._record(to, at, False, [moved], (*self.frames, *square))

    def _row(self, n: nodes.Row) -> None:
        self._from_buffer(n.target, n.source, False, n.count)

    def _from_buffer(self, target: Access, source: Access, adds: bool, count: int = 0) -> None:
        """Elements of a buffer, over the loops that say which: all but the one that runs along its lanes are
        written out. With a count, that many neighbours."""
        buffer = self.buffers[source.tensor.name]
        at, to = flat(source).substitute(self.names), flat(target).substitute(self.names)
        self.reach.access(target.substitute(self.names), self.spans, count)
        frames = self.frames
        if count:
            at, to, frames = at + NEXT, to + NEXT, (*frames, Frame(Span(NEXT, 0, count)))
        spans = [f.span for f in frames if f.span and f.span.name in at.names]
        steps = {d for _, d in buffer.pieces}
        lane = next((s for s in spans if at.coefficient(s.name) in steps), Span("", 0, 1))
        rest = [s for s in spans if s != lane]
        kept = tuple(f for f in frames if f.span not in (*rest, lane))
        for values in product(*(range(s.low, s.low + s.count) for s in rest)):
            here: dict[str, Affine | int] = {s.name: v for s, v in zip(rest, values, strict=True)}
            place = at.substitute({**here, lane.name: lane.low})
            step = at.coefficient(lane.name) or min(steps, default=1)
            for first, lanes, addends in buffer.runs(place.constant, step, lane.count):
                there = to.substitute({**here, lane.name: Affine.of(LANE) + lane.low + first})
                self._record(target.tensor.name, there, adds, addends, (*kept, Frame(Span(LANE, 0, lanes))))
