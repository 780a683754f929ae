"""The plan of a NumPy kernel: which array operations compute an equation, and why these.

Three ways are weighed for each sum, by coefficients and extents alone:

    window    see the operand through an overlapping window, copy that once, multiply matrices
    taps      one shifted slice for each point of the short loops, multiplied and added
    project   multiply matrices first, for all taps at once, and add the shifted results: two equations

A sum in which no index slides needs no window: it is a matrix product, an outer product or a sum.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from math import ceil, floor, prod

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Equation, Tensor, Term
from symconv.schedule.contraction import CALL, COPY, Contraction, contract, pass_cost, slides
from symconv.schedule.regions import Range, Region, Sweep, box_of, regions, value_interval

UNROLL = 27  # taps written out one by one; beyond that they become a Python loop over padded arrays


@dataclass(frozen=True, slots=True)
class Step:
    """One array statement: `place` gets a product of factors, summed over `sums`.

    Args:
        loops: the output loops the arrays span, in the order of the output's axes.
        sums: the summation loops the arrays span.
        taps: loops run in Python around the statement.
        masks: conditions on the point that neither slices nor zero margins express.
        assign: this is the first value these outputs get.
        padded: factors are read with a margin of zeros, else every read is inside.
    """

    place: Access
    loops: tuple[Range, ...]
    sums: tuple[Range, ...]
    factors: tuple[Access, ...]
    coefficient: Fraction
    contraction: Contraction
    taps: tuple[Range, ...] = ()
    masks: tuple[Constraint, ...] = ()
    assign: bool = False
    padded: bool = False

    @property
    def extents(self) -> dict[str, int]:
        return {r.name: r.extent for r in (*self.loops, *self.sums)}

    @property
    def cost(self) -> float:
        """Nanoseconds, roughly."""
        run = self.loops[-1].extent if self.loops else 1
        written = 0.0 if self.assign else CALL + pass_cost(prod(r.extent for r in self.loops), run)
        return (self.contraction.cost + written) * prod(r.extent for r in self.taps) + self._margin_cost

    @property
    def _margin_cost(self) -> float:
        """Copying arrays into zeros, once."""
        total = 0.0
        for key, sides in margins((self,)).items():
            if any(lo or hi for lo, hi in sides):
                total += 2 * CALL + COPY * prod(lo + n + hi for n, (lo, hi) in zip(key[0].extents, sides, strict=True))
        return total

    @property
    def covers_output(self) -> bool:
        """It writes every output once, in order."""
        plain = tuple(Affine.of(r.name) for r in self.loops)
        return (self.place.indices == plain and not self.taps and self.place.tensor.extents
                == tuple(r.extent for r in self.loops))


@dataclass(frozen=True, slots=True)
class Choice:
    """The way taken for one sum, with the estimates for every way considered, in microseconds."""

    way: str
    estimates: tuple[tuple[str, float], ...]
    detail: str

    def __repr__(self) -> str:
        others = ", ".join(f"{way} {ns / 1000:.3g} us" for way, ns in self.estimates if way != self.way)
        own = dict(self.estimates)[self.way] / 1000
        return f"{self.way}: {self.detail}, about {own:.3g} us" + (f" ({others})" if others else "")


@dataclass(frozen=True, slots=True)
class Plan:
    """Statements in order. `zeroed`: the output has to start from zeros."""

    output: Tensor
    steps: tuple[Step, ...]
    choices: tuple[Choice, ...]
    zeroed: bool

    @property
    def cost(self) -> float:
        clear = CALL + COPY * prod(self.output.extents) if self.zeroed else 0.0
        return sum(s.cost for s in self.steps) + clear


Margins = dict[tuple[Tensor, str], tuple[tuple[int, int], ...]]


def margins(steps: Sequence[Step]) -> Margins:
    """Zeros each padded array, through its function, needs below and above each axis."""
    found: Margins = {}
    for s in steps:
        box = box_of((*s.loops, *s.sums, *s.taps))
        for f in s.factors if s.padded else ():
            ends = [value_interval(e, box) for e in f.indices]
            need = [(max(0, -lo), max(0, hi - n + 1)) for (lo, hi), n in zip(ends, f.tensor.extents, strict=True)]
            key = (f.tensor, f.function)
            old = found.get(key, ((0, 0),) * len(need))
            found[key] = tuple((max(a, c), max(b, d)) for (a, b), (c, d) in zip(old, need, strict=True))
    return found


def plan(equation: Equation, blas: bool = True) -> Plan:
    """Choose array operations for a concrete equation; `blas`: matrix products are fast for its type.

    Raises:
        ShapeError: a size is symbolic.
        NotSupported: a summation index has no bounds.
    """
    whole = _by_region(equation, blas)
    for made, rest in _projections(equation):
        first, then = plan(made, blas), plan(rest, blas)
        parted = replace(then, steps=first.steps + then.steps)
        if parted.cost < whole.cost:
            estimates = (("project", parted.cost), ("unprojected", whole.cost))
            choice = Choice("project", estimates, _detail(parted.steps))
            return replace(parted, choices=(choice, *(c for c in then.choices if c.way != "taps")))
    return whole


def _by_region(equation: Equation, blas: bool) -> Plan:
    steps: list[Step] = []
    choices: list[Choice] = []
    zeroed = False
    for region in regions(equation) if prod(equation.output.extents) else ():
        done: list[Step] = []
        for sweep in region.sweeps:
            if all(r.extent > 0 for r in sweep.loops):
                found, choice = _best(region, _simplified(sweep), not done, blas)
                done += found
                choices.append(choice)
        zeroed = zeroed or not _starts_everywhere(done, region)
        steps += done
    return Plan(equation.output, tuple(steps), tuple(dict.fromkeys(choices)), zeroed or not steps)


def _starts_everywhere(steps: Sequence[Step], region: Region) -> bool:
    written = sum(prod(r.extent for r in (*s.loops, *s.taps)) for s in steps
                  if s.assign and s.place.tensor == region.output.tensor)
    return written == prod(r.extent for r in region.loops)


def _simplified(s: Sweep) -> Sweep:
    """Run a summation loop backwards where it slides backwards, so that x[m - p] becomes x[m + p - 2];
    drop loops of one point."""
    once = {r.name: 0 for r in s.loops if r.extent == 1}
    s = Sweep(s.term.substitute(once), tuple(r for r in s.loops if r.name not in once),
              tuple(c.substitute(once) for c in s.constraints))
    for r in s.loops:
        signs = [e.coefficient(r.name) for f in s.term.factors for e in f.indices
                 if len(e.names) > 1 and e.coefficient(r.name)]
        if signs and all(c < 0 for c in signs):
            put = {r.name: Affine.of(r.extent - 1) - Affine.of(r.name)}
            s = replace(s, term=s.term.substitute(put), constraints=tuple(c.substitute(put) for c in s.constraints))
    return s


def _best(region: Region, sweep: Sweep, first: bool, blas: bool) -> tuple[list[Step], Choice]:
    ways = {"window": _window(region, sweep, first, blas)}
    if any(slides(f, _names(region.loops, sweep.loops)) for f in sweep.term.factors) or sweep.constraints:
        ways["taps"] = _taps(region, sweep, first, blas)
    else:
        ways = {"direct": ways["window"]}
    estimates = tuple((way, sum(s.cost for s in steps)) for way, steps in ways.items())
    way = min(estimates, key=lambda e: e[1])[0]
    return ways[way], Choice(way, estimates, _detail(ways[way]))


def _detail(steps: Sequence[Step]) -> str:
    if not steps:
        return "nothing falls inside"
    count = sum(prod(r.extent for r in s.taps) for s in steps)
    kinds = " then ".join(dict.fromkeys(repr(s.contraction) for s in steps[:2]))
    return f"{kinds}" + (f" in {count} statements" if count > 1 else "")


def _names(*loops: Sequence[Range]) -> frozenset[str]:
    return frozenset(r.name for rs in loops for r in rs)


def _step(place: Access, loops: Sequence[Range], sums: Sequence[Range], term: Term, blas: bool,
          masks: tuple[Constraint, ...] = (), taps: Sequence[Range] = (), assign: bool = False,
          padded: bool = False) -> Step:
    """A statement; loops that no factor uses only count how often the same value is added."""
    used = frozenset().union(*(f.names for f in term.factors), *(c.expression.names for c in masks))
    idle = [r for r in sums if r.name not in used]
    sums = tuple(r for r in sums if r not in idle)
    extents = {r.name: r.extent for r in (*loops, *sums)}
    tapped = _names(taps)
    dims = [tuple(n for n in extents if n in c.expression.names - tapped) for c in masks]
    out = tuple(r.name for r in loops)
    chosen = contract(term.factors, dims, out, extents, blas)
    return Step(place, tuple(loops), sums, term.factors, term.coefficient * prod(r.extent for r in idle),
                chosen, tuple(taps), masks, assign, padded)


def _window(region: Region, s: Sweep, first: bool, blas: bool) -> list[Step]:
    """All loops at once, on arrays with a margin of zeros."""
    masks = _unmet(s, region)
    return [_step(region.output, region.loops, s.loops, s.term, blas, masks, assign=first, padded=True)]


def _unmet(s: Sweep, region: Region) -> tuple[Constraint, ...]:
    """The constraints that zero margins do not already stand for."""
    box = box_of((*region.loops, *s.loops))
    kept = [c for f in s.term.factors for c in f.in_range()]

    def implied(c: Constraint) -> bool:
        return any(value_interval(c.expression - k.expression, box)[0] >= 0 for k in kept)
    return tuple(c for c in s.constraints if not implied(c))


def _taps(region: Region, s: Sweep, first: bool, blas: bool) -> list[Step]:
    """Loop in Python over the shortest indices, until every axis is a plain slice."""
    extents = {r.name: r.extent for r in (*region.loops, *s.loops)}
    tapped = _tapped(s, extents)
    outer = [r for r in region.loops if r.name in tapped]
    inner = [r for r in s.loops if r.name in tapped]
    loops = tuple(r for r in region.loops if r not in outer)
    sums = tuple(r for r in s.loops if r not in inner)
    if prod(r.extent for r in (*outer, *inner)) > UNROLL:
        return [_step(region.output, loops, sums, s.term, blas, _unmet(s, region), (*outer, *inner),
                      first and not inner, padded=True)]
    steps: list[Step] = []
    for here in _points(outer):
        cut = [c for tap in _points(inner) if (c := _clip(region.output, loops, sums, s.term, {**here, **tap}, blas))]
        cut.sort(key=lambda c: not _full(c, loops))
        if first and cut and _full(cut[0], loops):
            cut[0] = replace(cut[0], assign=True)
        steps += cut
    return steps


def _full(step: Step, loops: Sequence[Range]) -> bool:
    return [r.extent for r in step.loops] == [r.extent for r in loops]


def _tapped(s: Sweep, extents: Mapping[str, int]) -> frozenset[str]:
    tapped: frozenset[str] = frozenset()
    while True:
        free = [e.names & extents.keys() - tapped for e in (
            *(e for f in s.term.factors for e in f.indices), *(c.expression for c in s.constraints))]
        crowded = [names for names in free if len(names) > 1]
        crowded += [frozenset((n,)) for f in s.term.factors for n in f.names & extents.keys() - tapped
                    if sum(n in e.names for e in f.indices) > 1]
        if not crowded:
            return tapped
        tapped |= {min(sorted(crowded[0]), key=lambda n: extents[n])}


def _points(ranges: Sequence[Range]) -> Iterator[dict[str, int]]:
    for values in product(*(range(r.extent) for r in ranges)):
        yield {r.name: v for r, v in zip(ranges, values, strict=True)}


def _clip(place: Access, loops: Sequence[Range], sums: Sequence[Range], term: Term, at: Mapping[str, int],
          blas: bool) -> Step | None:
    """The statement of one tap on exactly the points where every read is inside."""
    fixed = term.substitute(at)
    bounds = {r.name: (0, r.extent - 1) for r in (*loops, *sums)}
    for c in fixed.domain():
        for d in (c, Constraint(-c.expression)) if c.equality else (c,):
            names = [n for n in bounds if d.expression.coefficient(n)]
            if not names:
                if d.expression.constant < 0:
                    return None
                continue
            a, (lo, hi) = d.expression.coefficient(names[0]), bounds[names[0]]
            edge = Fraction(-d.expression.constant, a)
            bounds[names[0]] = (max(lo, ceil(edge)), hi) if a > 0 else (lo, min(hi, floor(edge)))
    if any(hi < lo for lo, hi in bounds.values()):
        return None
    shift = {n: Affine.of(n) + lo for n, (lo, _) in bounds.items() if lo}

    def cut(rs: Sequence[Range]) -> list[Range]:
        return [Range(r.name, bounds[r.name][1] - bounds[r.name][0] + 1) for r in rs]
    return _step(place.substitute(at).substitute(shift), cut(loops), cut(sums),
                 replace(fixed, constraints=()).substitute(shift), blas)


def _projections(equation: Equation) -> Iterator[tuple[Equation, Equation]]:
    """The equation as two, where what does not slide is contracted first, for all taps at once:

    dx[c, m] = sum w[f, c, p] * dy[f, m - p]  ->  wdy[c, p, a] = sum w[f, c, p] * dy[f, a]
                                                  dx[c, m] = sum wdy[c, p, m - p]
    """
    for at, t in enumerate(equation.terms):
        if len(t.factors) == 2 and (hit := _projection(equation, t)):
            made, read = hit
            then = replace(t, factors=(read,), coefficient=Fraction(1))
            terms = [*equation.terms[:at], then, *equation.terms[at + 1:]]
            yield made, Equation(equation.left, terms, equation.context)


def _projection(equation: Equation, t: Term) -> tuple[Equation, Access] | None:
    """The product contracted over its joint indices, and how the equation reads it."""
    extents = dict(zip(equation.indices, equation.output.extents, strict=True))
    plain = [_plain_axes(f, extents) for f in t.factors]
    bound = {n for c in t.constraints for n in c.expression.names}
    joint = {n for n in plain[0].keys() & plain[1].keys() if n not in extents} - bound
    spread = {n for f in t.factors for e in f.indices if len(e.names) > 1 for n in e.names}
    if not joint or not (spread or t.constraints):
        return None
    kept = [n for n in extents if (n in plain[0] or n in plain[1]) and n not in spread]
    named = {Affine.of(n) for n in (*joint, *kept)}

    def loose(f: Access) -> int:
        return prod(n for e, n in zip(f.indices, f.tensor.extents, strict=True) if e.names and e not in named)
    axes: dict[str, tuple[Affine, int]] = {n: (Affine.of(n), extents[n]) for n in kept}
    factors = sorted(t.factors, key=loose)
    for which, f in enumerate(factors):
        mine = list(f.indices)
        for at, (e, n) in enumerate(zip(f.indices, f.tensor.extents, strict=True)):
            if e.names and e not in named:
                name = f"{f.tensor.name}.{which}.{at}"
                axes[name], mine[at] = (e, n), Affine.of(name)
        factors[which] = replace(f, indices=tuple(mine))
    held = Tensor("_".join(f.tensor.name for f in factors) + "'", tuple(n for _, n in axes.values()))
    made = Equation(held[tuple(Affine.of(n) for n in axes)], Term(tuple(factors), coefficient=t.coefficient))
    return made, held[tuple(e for e, _ in axes.values())]


def _plain_axes(f: Access, outputs: Mapping[str, int]) -> dict[str, int]:
    """Indices that run over one whole axis of this factor and occur nowhere else in it."""
    lone = {n: size for e, size in zip(f.indices, f.tensor.extents, strict=True) for n in e.names if e == Affine.of(n)}
    return {n: size for n, size in lone.items()
            if sum(n in e.names for e in f.indices) == 1 and outputs.get(n, size) == size}
