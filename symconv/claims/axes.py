"""Where arrays begin and end, inferred from how a formula reads them.

Authors write o_i = sum_j w_j x_{i+j-1} and leave the ranges to the reader. What they do say comes
first (bounds of sums, sizes given, arrays defined before); the rest follows two conventions, and
the scope notes each when it is used: arrays begin at the base that makes the first output read
the first element, and outputs exist where everything they read does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims.bases import PADDING, guess_base
from symconv.claims.extents import alone, common, held, paired, stated, without
from symconv.claims.raw import Factor, Raw
from symconv.claims.scope import BASE, GRADIENT, LINE, Array, Axis, Scope
from symconv.claims.words import axes
from symconv.errors import NotationError

LARGEST = 100_000  # numbers in an index or a bound
CLAIM = "claim"  # the target of what defines nothing
INSIDE = "inside"  # the target of a sum inside a function, which gets no name of the author's


@dataclass
class Axes:
    """The inference for one formula.

    Args:
        letters: free indices of the formula, internal names.
        target: the array that is defined, for the name of its size.
        outputs: the range of each letter, once known.
        stated: ranges the author gave for letters.
    """

    scope: Scope
    letters: tuple[str, ...]
    target: str = CLAIM
    outputs: dict[str, Axis] = field(default_factory=dict)
    found: dict[str, Axis] = field(default_factory=dict)
    facts: list[Constraint] = field(default_factory=list)

    def infer(self, terms: Iterable[Raw], names: Iterable[str] = ()) -> None:
        """Settle every array read by the terms, and the range of every letter."""
        everything = list(terms)
        self.check_ranks(everything)
        unknown = {f.name: len(f.indices) for t in everything for f in t.factors
                   if f.indices and self.scope.array(f.name) is None and not f.name.startswith(GRADIENT)}
        for t in everything:
            for f in t.factors:
                if not f.indices:
                    self.scope.ranks.setdefault(f.name, 0)
        self.base = guess_base(self.scope, self.letters, everything)
        for t in everything:
            self.indices_of(t, everything)
        self.reach(everything)
        waiting = {name for name in unknown if self.leads(name, everything)}
        order = {name: at for at, name in enumerate(unknown)}
        moved = {f.name for t in everything for f in t.factors for e in f.indices if alone(e) is None}
        for name in sorted(unknown.keys() - waiting, key=lambda v: (v in moved and bool(self.outputs), order[v])):
            self.scope.arrays[name] = self.settled(name, unknown[name], everything)  # taps say how far x is read
        for name in waiting:
            self.bound_axes(name, unknown[name], everything)
        for letter in self.letters:
            if letter not in self.outputs and waiting:
                found = self.output(letter, everything)
                if found != LINE:
                    self.outputs[letter] = found
        for name in waiting:
            self.scope.arrays[name] = self.settled(name, unknown[name], everything)
        for letter in self.letters:
            if letter not in self.outputs:
                self.outputs[letter] = self.output(letter, everything)

    def reach(self, terms: list[Raw]) -> None:
        """sum_{m=1}^{k} w_m says where w ends, of which only T_{ij} = w_{i-j} has been said."""
        for name in {f.name for t in terms for f in t.factors if f.indices} if self.target == CLAIM else ():
            array, reads = self.scope.array(name), [(t, f) for t in terms for f in t.factors if f.name == name]
            by = [d for d in self.scope.definitions.values() if name in d.reads]
            if array is None or any(a != LINE for a in array.axes) or not by or name in self.scope.definitions \
                    or self.scope.signals or name in self.scope.called or not self.spanned(reads) \
                    or any(t.indices for d in by for t in d.terms):
                continue
            spans = next(f for t, f in reads if all(alone(e) in t.stated for e in f.indices))
            axes = tuple(self.found[alone(e) or ""] for e in spans.indices)
            if all(a.low in (Affine(), Affine.of(1)) for a in axes):
                self.scope.arrays[name] = Array(name, axes)

    def bound_axes(self, name: str, rank: int, terms: list[Raw]) -> None:
        """The ranges of bound indices that stand alone in an array whose other axes are still open."""
        reads = [(t, f) for t in terms for f in t.factors if f.name == name]
        for axis in range(rank):
            if any(a in t.indices for t, f in reads if (a := alone(f.indices[axis]))):
                self.axis(name, axis, reads, None)

    def check_ranks(self, terms: list[Raw]) -> None:
        """Every array is read with one number of indices.

        Raises:
            NotationError: one is not, or its indices hold numbers no array has.
        """
        ranks: dict[str, int] = {}
        for t in terms:
            for f in (*t.factors, *t.reads):
                known = self.scope.array(f.name)
                expected = len(known.axes) if known else ranks.setdefault(f.name, len(f.indices))
                if len(f.indices) != expected:
                    raise NotationError(f"{f.name} has {axes(expected)} and {len(f.indices)} indices here", -1)
                if any(abs(c) > LARGEST for e in f.indices for _, c in e):
                    raise NotationError(f"an index of {f.name} is larger than any array", -1)
            if any(abs(v) > LARGEST for c in t.constraints for _, v in c.expression):
                raise NotationError("a bound is larger than any array", -1)

    def leads(self, name: str, terms: list[Raw]) -> bool:
        """Is it indexed by a letter alone that says nothing of its range yet? Then others come first."""
        letters = {a for t in terms for f in t.factors if f.name == name for e in f.indices if (a := alone(e))}
        moving = {n for t in terms for f in t.factors for e in f.indices if len(e.names) > 1 for n in e.names}
        return any(a in self.letters and a not in self.outputs and a in moving for a in letters)

    def given(self, letter: str, ends: tuple[Affine, Affine]) -> None:
        """A range somebody else knows."""
        self.outputs[letter] = Axis(ends[0], ends[1] - ends[0] + 1)

    def stated(self, conditions: Sequence[Constraint]) -> None:
        """Ranges of letters that side conditions state: i = 1, ..., n."""
        term = Raw(constraints=tuple(conditions), indices=self.letters)
        for letter in self.letters:
            bounds = stated(letter, term)
            if bounds:
                self.given(letter, bounds)

    # -- bound indices

    def moves(self, letter: str, terms: list[Raw]) -> bool:
        """Does it also stand in an index with something else, as in x_i + x_{i+1}?"""
        return any(letter in e.names and alone(e) is None for t in terms for f in t.factors for e in f.indices)

    def indices_of(self, t: Raw, everything: list[Raw]) -> None:
        """The range of each bound index: stated, or that of an array it indexes alone."""
        exist = [c for f in t.reads if (a := self.scope.array(f.name)) for c in a.inside(f.indices)]
        written = replace(t, constraints=without(t.constraints, exist))
        for name in t.indices:
            if name in t.line:
                self.found[name] = LINE
                continue
            bounds = stated(name, written)
            if bounds:
                low, high = bounds
                extent = high - low + 1
                self.found[name] = Axis(low, extent)
                if not any("~" in n for n in extent.names) and (extent.constant > 0 or any(
                        c != 1 for m, c in extent if m)) and self.letters:
                    for size in extent.names - self.scope.settled:
                        self.scope.low.setdefault(size, 0)
                    if self.target != CLAIM:
                        self.facts.append(at_least(extent, 1))
        for f in t.factors:
            array = self.scope.array(f.name)
            for axis, e in enumerate(f.indices) if array else ():
                single = alone(e)
                if array is None or single is None:
                    continue
                if single in t.stated and single in self.found:
                    derived = f.name.startswith(GRADIENT) or f.name in self.scope.definitions
                    self.same(self.found[single], array.axes[axis], derived)
                if single in self.letters and (self.target == CLAIM or not self.moves(single, everything)):
                    self.outputs.setdefault(single, array.axes[axis])
                elif single in t.indices and self.found.setdefault(single, array.axes[axis]) != array.axes[axis]:
                    self.facts += paired(self.scope, t, single) if self.target == CLAIM else ()

    def same(self, written: Axis, known: Axis, derived: bool) -> None:
        """A sum over a whole axis says how long it is: H_out for what was only derived so far, or a new
        name for what nobody named."""
        if known.extent is None and written.extent is not None and written.extent.names - self.scope.settled:
            self.scope.may_end()  # sum_{a=0}^{k-1} V_a: nobody but the sum says how long V is
        if written.extent is None or known.extent is None:
            return
        by = written.low - known.low
        if by != Affine() and not (by.is_constant and abs(by.constant) == 1 and self.recounted(known, by)):
            return
        if not derived and (written.extent.names & self.scope.settled or not known.extent.names <= self.scope.invented):
            return
        single = alone(written.extent)
        gap = written.extent - known.extent
        numbered = self.target != CLAIM and derived and written.extent.is_constant and gap.names <= self.scope.invented
        if not gap.names or any("~" in n for n in gap.names):
            return
        used = {n for a in self.scope.arrays.values() for x in a.axes for e in (x.low, x.extent) if e for n in e.names}
        fresh = {n for n in gap.names if n not in self.scope.settled or n not in used}
        renamed = len(fresh) == len(gap.names & self.scope.invented) == 1 == len(gap.items) - 1 and not gap.constant
        if renamed or numbered or single in fresh:
            fact = equal(written.extent, known.extent)
            if fact not in self.scope.facts:
                self.facts.append(fact)

    def recounted(self, known: Axis, by: Affine) -> bool:
        """sum_{o=1}^{O} over an axis of which nobody has said where it begins: from there on it begins with 1."""
        if BASE in self.scope.settings or known.extent is None or alone(known.extent) not in self.scope.invented:
            return False
        places = {(a.name, i) for a in self.scope.arrays.values() for i, x in enumerate(a.axes) if x == known}
        if any(alone(f.indices[i]) is None for d in self.scope.definitions.values() for t in d.terms
               for f in t.factors for name, i in places if f.name == name):
            return False
        for name in {name for name, _ in places}:
            axes = tuple(Axis(x.low + by, x.extent) if x == known else x for x in self.scope.arrays[name].axes)
            self.scope.arrays[name] = Array(name, axes)
        return True

    def settled(self, name: str, rank: int, terms: list[Raw]) -> Array:
        """The array with its axes.

        Raises:
            NotationError: an axis depends on an index.
        """
        axes = self.axes(name, rank, terms)
        if any("~" in v for a in axes for e in (a.low, a.extent) if e is not None for v in e.names):
            raise NotationError(f"the range of {name} depends on an index", -1)
        return Array(name, axes)

    def axes(self, name: str, rank: int, terms: list[Raw]) -> tuple[Axis, ...]:
        given = known if len(known := self.scope.extents.get(name, ())) == rank else None
        reads = [(t, f) for t in terms for f in t.factors if f.name == name]
        if images := self.scope.images.get(name, ()):
            return (*(self.axis(name, axis, reads, None) for axis in range(rank - len(images))), *images)
        if given is None and not self.spanned(reads) and any(self.on_line(t, e) for t, f in reads for e in f.indices):
            return (LINE,) * rank
        if given is None and self.scope.signals:
            return (LINE,) * rank
        if given is None and name in self.scope.called and not self.along(terms, reads) and not any(
                alone(e) in t.stated or held(e, t) is not None for t, f in reads for e in f.indices):
            return (LINE,) * rank
        if given is None and self.reindexed(terms, name):
            return (LINE,) * rank
        return tuple(self.axis(name, axis, reads, given[axis] if given and axis < len(given) else None)
                     for axis in range(rank))

    def spanned(self, reads: list[tuple[Raw, Factor]]) -> bool:
        """Does a sum with bounds run over each axis? Then they are those of the array."""
        return any(all((a := alone(e)) in t.stated and self.found.get(a or "", LINE) != LINE for e in f.indices)
                   for t, f in reads)

    def along(self, terms: list[Raw], reads: list[tuple[Raw, Factor]]) -> bool:
        """bias(oc) beside a sum with bounds: it has an element for each output, as other arrays have."""
        plain = {alone(e) for _, f in reads for e in f.indices}
        others = {alone(e) for t in terms for f in t.factors if f.name != reads[0][1].name for e in f.indices}
        return plain <= others & set(self.letters) and any(t.stated for t in terms)

    def reindexed(self, terms: list[Raw], name: str) -> bool:
        """V_{a,b} = W_{a+b}: no sum says where anything ends."""
        return bool(self.letters) and not any(t.indices for t in terms) and any(
            len(set(self.letters) & e.names) > 1 for t in terms for f in t.factors for e in f.indices)

    def on_line(self, t: Raw, e: Affine) -> bool:
        return any(n in t.line or self.found.get(n) == LINE or self.outputs.get(n) == LINE for n in e.names)

    def axis(self, name: str, axis: int, reads: list[tuple[Raw, Factor]], given: Affine | None) -> Axis:
        singles = [alone(f.indices[axis]) for _, f in reads]
        covered = self.covered(name, axis, reads) if given is None and None in singles else None
        if covered is not None:
            return covered
        for single in singles:
            if single is not None and single in self.found:
                known = self.found[single]
                return Axis(known.low, given) if given is not None else known
            if single is not None and single in self.outputs:
                return self.outputs[single]
        found = next((h for t, f in reads if (h := held(f.indices[axis], t)) is not None), None)
        if found is not None and given is None:
            return Axis(Affine(), found)
        rank = len(reads[0][1].indices)
        extent = given if given is not None else self.scope.length(name, rank, axis)
        made = Axis(Affine.of(self.base), extent)
        moving = {v for _, f in reads for v in f.indices[axis].names if alone(f.indices[axis]) is None}
        for single in singles:
            if single is not None and (single not in self.letters or single not in moving):  # x_i + x_{i+1} has less
                (self.outputs if single in self.letters else self.found).setdefault(single, made)
        return made

    def covered(self, name: str, axis: int, reads: list[tuple[Raw, Factor]]) -> Axis | None:
        """What is read of it, when every index that moves has a known range: outputs were stated."""
        low: Affine | None = None
        high: Affine | None = None
        for t, f in reads:
            e = f.indices[axis]
            if not all(n in self.outputs for n in e.names if n in self.letters):
                return None
            ends = [self.extreme(e, replace(t, indices=(*t.indices, *self.letters)), sign) for sign in (-1, 1)]
            first, last = ends
            if first is None or last is None or any("~" in n for n in first.names | last.names):
                return None
            low = first if low is None or ((low - first).is_constant and (low - first).constant > 0) else low
            high = last if high is None or ((last - high).is_constant and (last - high).constant > 0) else high
        if low is None or high is None:
            return None
        return Axis(low, high - low + 1)

    # -- outputs

    def output(self, letter: str, terms: list[Raw]) -> Axis:
        """Where the formula has a value: where everything it reads is there, or all integers."""
        if self.target == CLAIM and (self.scope.zero or self.everywhere(letter, terms)):
            return LINE  # what is not there is zero
        found: Axis | None = None
        for t in terms:
            for f in t.factors:
                array = self.scope.array(f.name)
                if array is not None and len(array.axes) != len(f.indices):
                    raise NotationError(f"{f.name} has {axes(len(array.axes))} and {len(f.indices)} indices here", -1)
                for axis, e in enumerate(f.indices):
                    floored = _floored(letter, e, t, array.axes[axis]) if array is not None else None
                    if array is not None and (letter in e.names or floored):
                        here = floored or self.window(letter, e, t, array.axes[axis])
                        found = here if found is None else common(found, here)
        return found or LINE

    def everywhere(self, letter: str, terms: list[Raw]) -> bool:
        """Is it read in sums without bounds only, which leave out what is not there?"""
        reads = [(t, e) for t in terms for f in t.factors for e in f.indices if letter in e.names]
        return bool(reads) and all(e.names & (set(t.indices) - t.stated) for t, e in reads)

    def window(self, letter: str, e: Affine, t: Raw, axis: Axis) -> Axis:
        if axis.extent is None:
            return LINE
        if any(n in t.indices and n not in self.found and n.startswith("q~") for n in e.names):
            return axis  # a remainder: one period
        step = Affine.build({tuple(n for n in m if n != letter): c for m, c in e if letter in m})
        rest = Affine.build({m: c for m, c in e if letter not in m})
        low, high = self.extreme(rest, t, -1), self.extreme(rest, t, 1)
        if low is None or high is None or any("~" in v for v in low.names | high.names | step.names):
            return LINE  # an index times an index: no length follows from that
        if step == Affine.of(-1):
            return Axis(high - (axis.last or axis.low), axis.extent - (high - low))
        pads = [n for n in rest.names if n in PADDING or self.scope.roles.get(n, "").startswith("padding")]
        numeric = 0 if pads else self.scope.padding
        starts = (axis.low - low - numeric).substitute(dict.fromkeys(pads, 0))  # outputs that read what is there
        against = any(c < 0 and set(m) & set(t.indices) for m, c in e)
        if against and step == Affine.of(1) and starts != Affine.of(self.base):
            self.scope.note("zero")
            return Axis(axis.low - high, axis.extent + (high - low))
        grown = axis.extent
        if numeric:
            grown = grown + 2 * numeric
            self.scope.note("zero")
        for p in pads:
            grown = grown + 2 * Affine.of(p)
            self.scope.low.setdefault(p, 0)
            self.scope.note("zero")
        if self.scope.zero and not pads and step == Affine.of(1) and low != high and self.centred(low, high):
            return axis
        if step == Affine.of(1):
            if not pads and self.late(starts, axis):
                starts, grown = starts + 1, grown - 1
            extent = grown - (high - low)
            self.facts.append(at_least(extent, 1))
            return Axis(starts, extent)
        place = self.letters.index(letter)
        size = self.scope.length(self.target, len(self.letters), place)
        self.facts += [at_least(grown - 1, step * (size - 1) + (high - low)),
                       at_least(step * size + (high - low), grown), at_least(size, 1)]
        return Axis(Affine.of(self.base), size)

    def late(self, starts: Affine, axis: Axis) -> bool:
        """Whether outputs that could start at 0, over arrays that start at 1, start at 1: x_1 is then never read."""
        return starts == Affine() and self.base == 1 and axis.low == Affine.of(1) \
            and self.target not in (CLAIM, INSIDE) and self.scope.choose("outputs", "0", "1") == "1"

    def centred(self, low: Affine, high: Affine) -> bool:
        return low + high == Affine()

    def extreme(self, rest: Affine, t: Raw, sign: int) -> Affine | None:
        """The least or greatest value over the bound indices; products with a stride included."""
        total = rest
        for name in t.indices:
            if name not in rest.names:
                continue
            axis = self.found.get(name) or self.outputs.get(name)
            if axis is None or axis.extent is None or axis.last is None:
                return None
            coefficient = sum(c for m, c in rest if name in m)
            total = total.substitute({name: axis.last if coefficient * sign > 0 else axis.low})
        return total


def _floored(letter: str, e: Affine, t: Raw, axis: Axis) -> Axis | None:
    """Where x_{floor(n/s)} is there: s places for each element."""
    inner = alone(e)
    if inner is None or not inner.startswith("q~") or axis.extent is None:
        return None
    for c in t.constraints:
        rest = Affine.of(letter) - c.expression  # n - s q >= 0
        size = Affine.build({tuple(v for v in m if v != inner): k for m, k in rest if inner in m})
        if not c.equality and rest == size * Affine.of(inner) and Constraint(size - 1 - c.expression) in t.constraints:
            return Axis(size * axis.low, size * axis.extent)
    return None
