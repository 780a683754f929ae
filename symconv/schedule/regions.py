"""Split a concrete equation into regions whose sums run over boxes.

A gradient of a strided convolution holds equalities such as 2*i + 3*j == m. Splitting the output
index (m = 2*u + a) and the tap (j = 2*t + b) by their residues makes every term of the equality
divisible, so that i is read off and no kernel ever computes a modulo or a division. Residues
that do not fit contribute nothing and vanish here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, count
from math import gcd, inf, isinf

from symconv.affine import Affine, AffineLike, Constraint, equal, unique
from symconv.equation import Access, Equation, Term
from symconv.errors import NotSupported

Interval = tuple[int, int]  # both ends included


@dataclass(frozen=True, slots=True)
class Range:
    """0 <= name < extent."""

    name: str
    extent: int

    def __repr__(self) -> str:
        return f"{self.name}<{self.extent}"


@dataclass(frozen=True, slots=True)
class Sweep:
    """One term summed over a box; `constraints` are those the box does not imply."""

    term: Term
    loops: tuple[Range, ...]
    constraints: tuple[Constraint, ...] = ()

    def __repr__(self) -> str:
        where = f" where {', '.join(map(str, self.constraints))}" if self.constraints else ""
        return f"sum over {list(self.loops)} {self.term.coefficient} * {list(self.term.factors)}{where}"


@dataclass(frozen=True, slots=True)
class Region:
    """The outputs at `place` (one affine index per axis) for all values of the loops."""

    output: Access
    loops: tuple[Range, ...]
    sweeps: tuple[Sweep, ...]

    def split(self, name: str, period: int) -> Iterator[Region]:
        """One region for each residue of an output index: name = period * name + residue."""
        for residue in range(period):
            loops = tuple(_strided(r, period, residue) if r.name == name else r for r in self.loops)
            if all(r.extent > 0 for r in loops):
                put = {name: period * Affine.of(name) + residue}
                yield Region(self.output.substitute(put), loops,
                             tuple(replace(s, term=s.term.substitute(put)) for s in self.sweeps))


def _strided(r: Range, period: int, residue: int) -> Range:
    return Range(r.name, max(0, -(-(r.extent - residue) // period)))


def regions(equation: Equation) -> tuple[Region, ...]:
    """A disjoint cover of the output by regions without equalities.

    Raises:
        NotSupported: a summation index has no bounds.
    """
    loops = tuple(map(Range, equation.indices, equation.output.extents))
    sweeps = tuple(_open_taps(Sweep(t, ()), loops) for t in equation.terms)
    return tuple(tidied(r) for r in _refine(Region(equation.left, loops, sweeps)))


def split_sweep(s: Sweep, name: str, period: int) -> Iterator[Sweep]:
    """One sweep for each residue of a summation index."""
    for residue in range(period):
        put = {name: period * Affine.of(name) + residue}
        yield replace(s, term=s.term.substitute(put),
                      loops=tuple(_strided(r, period, residue) if r.name == name else r for r in s.loops))


def intervals(constraints: tuple[Constraint, ...], known: Mapping[str, Interval],
              names: tuple[str, ...]) -> dict[str, Interval]:
    """Bounds of the names that the constraints imply, by interval propagation.

    Raises:
        NotSupported: a name stays unbounded.
    """
    low: dict[str, float] = dict.fromkeys(names, -inf) | {n: lo for n, (lo, _) in known.items()}
    high: dict[str, float] = dict.fromkeys(names, inf) | {n: hi for n, (_, hi) in known.items()}
    rows = [c.expression for c in constraints] + [-c.expression for c in constraints if c.equality]
    for _ in range(2 * len(names) + 2):
        before = dict(low), dict(high)
        for e in rows:
            for n in e.names & set(names):
                _tighten(e, n, low, high)
        if before == (low, high):
            break
    for n in names:
        if isinf(low[n]) or isinf(high[n]):
            raise NotSupported(f"the sum over {n} has no bounds: no tensor is indexed by {n} alone")
    return {n: (int(low[n]), int(high[n])) for n in names}


def _tighten(e: Affine, name: str, low: dict[str, float], high: dict[str, float]) -> None:
    """From e >= 0: a * name >= -(the largest value of the rest)."""
    a = e.coefficient(name)
    rest: float = e.constant
    for m, b in e:
        if m and m != (name,):
            rest += b * (high if b > 0 else low)[m[0]]
    if isinf(rest):
        return
    if a > 0:
        low[name] = max(low[name], -(int(rest) // a))
    else:
        high[name] = min(high[name], int(rest) // -a)


def value_interval(e: Affine, box: Mapping[str, Interval]) -> Interval:
    """Smallest and largest value of an affine expression over a box."""
    low = high = e.constant
    for m, a in e:
        if m:
            ends = [a * v for v in box[m[0]]]
            low, high = low + min(ends), high + max(ends)
    return low, high


def box_of(loops: tuple[Range, ...]) -> dict[str, Interval]:
    return {r.name: (0, r.extent - 1) for r in loops}


def _open_taps(s: Sweep, outputs: tuple[Range, ...]) -> Sweep:
    """Where a sum runs over a long axis but one factor only lets few points through, sum over
    that factor's index instead: sum_i dy[i] * w[m - 2*i] has at most K points for each m."""
    t = s.term
    names = {r.name for r in outputs}
    bounds = intervals(t.domain(), box_of(outputs), t.indices)
    for f in t.factors:
        for axis, (e, extent) in enumerate(zip(f.indices, f.tensor.extents, strict=True)):
            long = [n for n in t.indices if e.coefficient(n)
                    and bounds[n][1] - bounds[n][0] + 1 > -(-extent // abs(e.coefficient(n)))]
            if not long or not e.names & names or len(e.names & set(t.indices)) != 1:
                continue
            tap = fresh(f"{long[0]}_tap", {*t.names, *t.indices, *names})
            opened = replace(f, indices=(*f.indices[:axis], Affine.of(tap), *f.indices[axis + 1:]))
            t = replace(t, factors=tuple(opened if g is f else g for g in t.factors),
                        indices=(*t.indices, tap), constraints=(*t.constraints, equal(e, tap)))
            return _open_taps(replace(s, term=t), outputs)
    low = {n: Affine.of(n) + lo for n, (lo, _) in bounds.items()}  # every loop starts at 0
    return replace(s, term=t.substitute(low),
                   loops=tuple(Range(n, max(0, bounds[n][1] - bounds[n][0] + 1)) for n in t.indices))


def fresh(name: str, taken: set[str]) -> str:
    """The name itself, or with the first number that makes it new."""
    return next(n for n in chain([name], (f"{name}{i}" for i in count(2))) if n not in taken)


def _refine(region: Region) -> Iterator[Region]:
    """Split until every equality is solved."""
    outputs = {r.name: r for r in region.loops}
    for at, s in enumerate(region.sweeps):
        hit = _pick(s)
        if hit is None:
            continue
        constraint, solved = hit
        e = constraint.expression
        a = abs(e.coefficient(solved))
        for m, b in e:
            if m and m != (solved,) and b % a:
                period = a // gcd(a, b)
                if m[0] in outputs:
                    for part in region.split(m[0], period):
                        yield from _refine(part)
                else:
                    yield from _refine(_put(region, at, tuple(split_sweep(s, m[0], period))))
                return
        fits = e.constant % a == 0
        yield from _refine(_put(region, at, (_read_off(s, constraint, solved),) if fits else ()))
        return
    yield region


def _put(region: Region, at: int, sweeps: tuple[Sweep, ...]) -> Region:
    kept = tuple(s for s in sweeps if all(r.extent > 0 for r in s.loops))
    return replace(region, sweeps=region.sweeps[:at] + kept + region.sweeps[at + 1:])


def _pick(s: Sweep) -> tuple[Constraint, str] | None:
    """An equality and the index to read off from it: the one with the longest loop."""
    extents = {r.name: r.extent for r in s.loops}
    for c in s.term.constraints:
        names = [n for n in extents if c.equality and c.expression.coefficient(n)]
        if names:
            return c, max(names, key=lambda n: extents[n])
    return None


def _read_off(s: Sweep, c: Constraint, name: str) -> Sweep:
    a = c.expression.coefficient(name)
    rest = c.expression - a * Affine.of(name)
    value: AffineLike = Affine.build({m: b // -a for m, b in rest})
    extent = next(r.extent for r in s.loops if r.name == name)
    bounds = (Constraint(Affine.of(name)), Constraint(extent - 1 - Affine.of(name)))
    t = replace(s.term, constraints=tuple(q for q in s.term.constraints if q != c) + bounds,
                indices=tuple(n for n in s.term.indices if n != name)).substitute({name: value})
    return replace(s, term=t, loops=tuple(r for r in s.loops if r.name != name))


def tidied(region: Region) -> Region:
    """Without needless constraints, and without the sweeps that no point can satisfy."""
    return replace(region, sweeps=tuple(tidy(s, region.loops) for s in region.sweeps if _may_run(s, region.loops)))


def _may_run(s: Sweep, outputs: tuple[Range, ...]) -> bool:
    box = box_of((*outputs, *s.loops))
    return all(r.extent > 0 for r in s.loops) and all(
        value_interval(c.expression, box)[1] >= 0 for c in s.term.domain())


def tidy(s: Sweep, outputs: tuple[Range, ...]) -> Sweep:
    """Keep only the constraints that the box of all loops does not imply."""
    box = box_of((*outputs, *s.loops))
    given = [q for c in s.term.domain() for q in
             ((Constraint(c.expression), Constraint(-c.expression)) if c.equality else (c,))]
    open_ = unique(c for c in given if value_interval(c.expression, box)[0] < 0)
    return replace(s, constraints=open_)
