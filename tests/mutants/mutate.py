"""One small error of the kind people make, in every place where it can be made."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

from .model import Claim, Read, Sum, Term, Test
from .poly import ONE, ZERO, Extreme, Index, Poly, Ratio, poly

Right = tuple[Term, ...]
INDICES = "ijm"  # what names of spatial indices begin with


def mutants(claim: Claim) -> dict[str, list[Right]]:
    """Every mutant by the kind of its error."""
    found = {name: list(dict.fromkeys(r for r in rule(claim) if r != claim.right and sound(r)))
             for name, rule in RULES.items()}
    return {name: rights for name, rights in found.items() if rights}


def mutate(claim: Claim, rng: random.Random, twice: float = 0.05) -> Claim:
    """A random mutant: first the kind, then the place."""
    found = mutants(claim)
    kind = rng.choices(list(found), [WEIGHTS.get(k, 10) for k in found])[0]
    wrong = claim.mutated(kind, rng.choice(found[kind]))
    if rng.random() < twice:
        again = mutate(wrong, rng, 0)
        return claim.mutated("two errors", again.right)
    return wrong


def sound(right: Right) -> bool:
    """Every summation index selects something: else how often it counts is anybody's guess."""
    return bool(right) and all(s.low is not None or any(s.name in r.names for r in t.reads)
                               for t in right for s in t.sums) and all(t.reads for t in right)


def names_of(claim: Claim) -> set[str]:
    return {n for n, _ in claim.layer.sizes}


def terms(claim: Claim) -> Iterator[tuple[Term, Callable[[Term | None], Right]]]:
    """Each term, and how to put another in its place."""
    for at, t in enumerate(claim.right):
        def put(new: Term | None, at: int = at) -> Right:
            return (*claim.right[:at], *((new,) if new is not None else ()), *claim.right[at + 1:])

        yield t, put


def entries(claim: Claim) -> Iterator[tuple[Term, Read, int, Index, Callable[[Index], Right]]]:
    """Each index of each array."""
    for t, put in terms(claim):
        for n, r in enumerate(t.reads):
            for axis, e in enumerate(r.index):
                def changed(new: Index, t: Term = t, n: int = n, r: Read = r, axis: int = axis,
                            put: Callable[[Term | None], Right] = put) -> Right:
                    index = (*r.index[:axis], new, *r.index[axis + 1:])
                    return put(_with_read(t, n, replace(r, index=index)))
                yield t, r, axis, e, changed


def _with_read(t: Term, at: int, new: Read | None) -> Term:
    return replace(t, reads=(*t.reads[:at], *((new,) if new else ()), *t.reads[at + 1:]))


def spatial(e: Index) -> bool:
    """Not the plain index of a channel, filter or sample."""
    return not (isinstance(e, Poly) and len(e.names) == 1 and next(iter(e.names)) in "cfr")


def off_by_one(c: Claim) -> Iterator[Right]:
    for _, _, _, e, put in entries(c):
        if spatial(e):
            if isinstance(e, Ratio):
                yield from (put(replace(e, over=e.over + d)) for d in (1, -1))
            else:
                yield from (put(e + d) for d in (1, -1))


def bound_off_by_one(c: Claim) -> Iterator[Right]:
    for t, put in terms(c):
        for n, s in enumerate(t.sums):
            if s.low is None or s.high is None:
                continue
            changed = [replace(s, low=s.low + 1), replace(s, low=s.low + -1), replace(s, high=s.high + 1),
                       replace(s, high=s.high + -1)]
            for end in (s.low, s.high):
                if isinstance(end, Extreme):
                    for at, item in enumerate(end.items):
                        for d in (1, -1):
                            new = Extreme(end.kind, (*end.items[:at], item + d, *end.items[at + 1:]))
                            changed.append(replace(s, low=new) if end is s.low else replace(s, high=new))
            yield from (put(_with_sum(t, n, new)) for new in changed)


def _with_sum(t: Term, at: int, new: Sum) -> Term:
    return replace(t, sums=(*t.sums[:at], new, *t.sums[at + 1:]))


def index_sign(c: Claim) -> Iterator[Right]:
    for _, _, _, e, put in entries(c):
        inner = e.over if isinstance(e, Ratio) else e
        if len(inner.terms) > 1:
            yield from (put(e.negated(n)) for n in sorted(e.names) if n[0] in INDICES)


def flip(c: Claim) -> Iterator[Right]:
    """The taps backwards, along one axis or along all."""
    shape = c.layer.shape("w")
    for t, put in terms(c):
        for n, r in enumerate(t.reads):
            if r.array != "w" or r.of:
                continue
            flipped: list[Index] = [extent - 1 - e if isinstance(extent, Poly) and isinstance(e, Poly) and spatial(e)
                                    else e for e, extent in zip(r.index, shape, strict=True)]
            yield put(_with_read(t, n, replace(r, index=tuple(flipped))))
            for axis in range(len(r.index)):
                one = (*r.index[:axis], flipped[axis], *r.index[axis + 1:])
                yield put(_with_read(t, n, replace(r, index=one)))


def negated(c: Claim) -> Iterator[Right]:
    if c.kind == "update":
        yield tuple(replace(t, coefficient=-t.coefficient) if len(t.reads) > 1 else t for t in c.right)
        return
    yield tuple(replace(t, coefficient=-t.coefficient) for t in c.right)
    if len(c.right) > 1:
        yield from (put(replace(t, coefficient=-t.coefficient)) for t, put in terms(c))


def stride(c: Claim) -> Iterator[Right]:
    """Stride or dilation forgotten, or taken for each other."""
    def unit(e: Poly) -> Poly:
        return Poly(tuple((m, (1 if v > 0 else -1) if m and abs(v) > 1 and len(m) == 1 and m[0][0] in INDICES else v)
                          for m, v in e.terms))

    yield _everywhere(c, lambda e: e.put({"S": ONE}))
    yield _everywhere(c, lambda e: e.put({"D": ONE}))
    yield _everywhere(c, lambda e: e.put({"S": poly("D"), "D": poly("S")}) if {"S", "D"} <= names_of(c) else e)
    yield _everywhere(c, unit)
    for _, _, _, e, put in entries(c):
        if isinstance(e, Ratio):
            yield put(e.over)
        else:
            yield put(unit(e))
            for n in sorted(e.names & {n for n in e.names if n[0] in INDICES}):
                size = next((n for n in ("S", "D") if n in names_of(c)), None)
                if size and ((n,), 1) in e.terms and len(e.terms) > 1:
                    yield put(e.put({n: poly(size) * n}))


def _putting(name: str, value: Poly) -> Callable[[Poly], Poly]:
    return lambda e: e.put({name: value})


def _everywhere(c: Claim, change: Callable[[Poly], Poly]) -> Right:
    def of(e: Index) -> Index:
        if isinstance(e, Ratio):
            under = change(e.under)
            return change(e.over) if under == ONE else Ratio(change(e.over), under)
        return change(e)

    def of_test(t: Test) -> Test:
        return Test(change(t.left), change(t.right), change(t.divisor) if t.divisor else None)

    return tuple(replace(t, reads=tuple(replace(r, index=tuple(map(of, r.index))) for r in t.reads),
                         tests=tuple(x for x in map(of_test, t.tests) if x.divisor != ONE)) for t in c.right)


def swapped(c: Claim) -> Iterator[Right]:
    """Two indices of one array exchanged, or one index name for another throughout an array."""
    for t, put in terms(c):
        for n, r in enumerate(t.reads):
            if r.of:
                continue
            for a in range(len(r.index)):
                for b in range(a):
                    index = list(r.index)
                    index[a], index[b] = index[b], index[a]
                    yield put(_with_read(t, n, replace(r, index=tuple(index))))
            names = sorted(x for x in t.names if x[0] in INDICES)
            for old in sorted(x for x in r.names if x in names):
                for new in names:
                    if new != old:
                        change = {old: poly(new), new: poly(old)}
                        yield put(_with_read(t, n, replace(r, index=tuple(e.put(change) for e in r.index))))


def missing_sum(c: Claim) -> Iterator[Right]:
    """A sum dropped, and its index fixed to the first."""
    for t, put in terms(c):
        for n, s in enumerate(t.sums):
            first = {s.name: ZERO}
            reads = tuple(_put(r, first) for r in t.reads)
            if not t.tests:
                yield put(replace(t, reads=reads, sums=(*t.sums[:n], *t.sums[n + 1:])))


def _put(r: Read, values: dict[str, Poly]) -> Read:
    return replace(r, index=tuple(e.put(values) for e in r.index), of=_put(r.of, values) if r.of else None)


def index_left(c: Claim) -> Iterator[Right]:
    """A sum dropped, its index left in: a letter that nothing declares."""
    for t, put in terms(c):
        for n, s in enumerate(t.sums):
            others = [x for m, x in enumerate(t.sums) if m != n]
            if not t.tests and not any(x.low and s.name in x.low.names | x.high.names for x in others if x.high):
                yield put(replace(t, sums=tuple(others)))


def extra_sum(c: Claim) -> Iterator[Right]:
    """Summed over what the left-hand side fixes."""
    if c.left.of:
        return
    for t, put in terms(c):
        for e, extent in zip(c.left.index, c.layer.shape(c.left.array), strict=True):
            name = next(iter(e.names), "")
            if name and name in t.names and not t.tests:
                yield put(replace(t, sums=(*t.sums, Sum(name, ZERO, extent + -1))))


def wrong_array(c: Claim) -> Iterator[Right]:
    rank = {a: len(s) for a, s in c.layer.shapes}
    rank["delta"] = rank["o"]
    for t, put in terms(c):
        for n, r in enumerate(t.reads):
            for other in ("x", "w", "delta"):
                if r.array in ("x", "w", "delta") and other != r.array and rank[other] == rank[r.array] and not r.of:
                    yield put(_with_read(t, n, replace(r, array=other)))


def factor(c: Claim) -> Iterator[Right]:
    """A factor lost or doubled, a term lost or counted twice."""
    for t, put in terms(c):
        yield put(replace(t, coefficient=t.coefficient * 2))
        yield put(replace(t, coefficient=t.coefficient / 2))
        if len(c.right) > 1:
            yield put(None)
        for n, r in enumerate(t.reads):
            if len(t.reads) > 1:
                yield put(_with_read(t, n, None))
            if not r.of and r.array in ("x", "w", "delta", "eta"):
                yield put(replace(t, reads=(*t.reads[:n], r, r, *t.reads[n + 1:])))


def bound_name(c: Claim) -> Iterator[Right]:
    """One size for another in a bound."""
    names = sorted(n for n in names_of(c) if n not in "SDP")
    for t, put in terms(c):
        for n, s in enumerate(t.sums):
            if s.low is None or s.high is None:
                continue
            for old in sorted((s.low.names | s.high.names) & {"P", *names}):
                for new in (ZERO, *(poly(v) for v in names if v != old and old != "P")):
                    yield put(_with_sum(t, n, replace(s, low=s.low.put({old: new}))))
                    yield put(_with_sum(t, n, replace(s, high=s.high.put({old: new}))))


def padding(c: Claim) -> Iterator[Right]:
    """Padding forgotten, doubled, or with the wrong sign."""
    if "P" in names_of(c):
        for change in (ZERO, -poly("P"), 2 * poly("P")):
            yield _everywhere(c, _putting("P", change))


def condition(c: Claim) -> Iterator[Right]:
    """What stands below the sum."""
    for t, put in terms(c):
        for n, x in enumerate(t.tests):
            others = (*t.tests[:n], *t.tests[n + 1:])
            if x.divisor:
                yield put(replace(t, tests=others))
            for d in (1, -1):
                yield put(replace(t, tests=(*others, replace(x, left=x.left + d))))
            for name in sorted(v for v in x.left.names if v[0] in INDICES):
                yield put(replace(t, tests=(*others, replace(x, left=x.left.negated(name)))))


def substituted(c: Claim) -> Iterator[Right]:
    """A summation index shifted or reversed, its bounds left as they were."""
    for t, put in terms(c):
        for s in t.sums:
            if s.name[0] not in INDICES:
                continue
            v = poly(s.name)
            for new in (v + 1, v - 1, -v):
                tests = tuple(Test(x.left.put({s.name: new}), x.right.put({s.name: new}), x.divisor) for x in t.tests)
                yield put(replace(t, reads=tuple(_put(r, {s.name: new}) for r in t.reads), tests=tests))


def literal(c: Claim) -> Iterator[Right]:
    """An element with the wrong numbers: one index of two elements exchanged."""
    if not c.kind.startswith("element"):
        return
    for a in range(len(c.right)):
        for b in range(a):
            rights = list(c.right)
            ra, rb = rights[a].reads[0], rights[b].reads[0]
            rights[a] = _with_read(rights[a], 0, rb)
            rights[b] = _with_read(rights[b], 0, ra)
            yield tuple(rights)


RULES: dict[str, Callable[[Claim], Iterator[Right]]] = {
    "index off by one": off_by_one, "bound off by one": bound_off_by_one, "sign of an index": index_sign,
    "flip": flip, "sign": negated, "stride or dilation": stride, "indices exchanged": swapped,
    "sum missing": missing_sum, "sum missing, index left": index_left, "sum too many": extra_sum,
    "wrong array": wrong_array, "factor lost or doubled": factor, "wrong size in a bound": bound_name,
    "padding": padding, "condition": condition, "substitution, old bounds": substituted,
    "elements exchanged": literal}
WEIGHTS = {"index off by one": 16, "sum missing, index left": 1, "sign": 6, "factor lost or doubled": 9,
           "sum too many": 5, "flip": 12, "stride or dilation": 12}
