"""Random mutants of true gradients: every decision is compared with brute force over small sizes.

`python tests/test_decide_mutants.py 2000 7` runs more of them and prints what was decided and how fast.
"""

from __future__ import annotations

import random
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import point_by_point

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.calculus import gradient, transpose
from symconv.decide.decide import decide
from symconv.decide.decision import Decision
from symconv.decide.prover import prove_equal
from symconv.equation import Access, Context, Equation, Tensor, Term
from symconv.layer import Conv

PLAIN = [Conv(5, 3), Conv(5, 3, padding=1), Conv(7, 2, stride=2), Conv(7, 3, stride=3, padding=(((2, 0)),)),
         Conv(7, 2, dilation=2, padding=1), Conv(5, 2, channels=2, filters=2), Conv(5, 3, batch=2, bias=True),
         Conv(4, 3, transposed=True, stride=2), Conv(5, 3, flip=True), Conv((4, 4), (2, 2)),
         Conv((4, 4), (2, 2), stride=(2, 1), padding=1), Conv((4, 4), (2, 2), channels=2, filters=2),
         Conv((4, 4), (2, 2), channels=4, filters=2, groups=2, batch=2)]


def symbolic(stride: bool, dilation: bool, padding: bool) -> Equation:
    """A layer along one axis whose stride, dilation and padding are sizes."""
    one, (s, d, p) = Affine.of(1), map(Affine.of, "sdp")
    s, d, p = s if stride else one, d if dilation else one, p if padding else 0 * one
    n, k, o, i, j = map(Affine.of, "nkoij")
    names = ["n", "k", *"s" * stride, *"d" * dilation, *"p" * padding, "o"]
    room = n + 2 * p - d * (k - 1) - 1 - s * (o - 1)
    least = [at_least(v, 0 if v == "p" else 1) for v in names]
    floor = [at_least(room, 0), at_least(s - 1, room)] if stride else [equal(room, 0)]
    x, w, y = Tensor("x", n), Tensor("w", k), Tensor("y", o)
    return Equation(y[i], w[j] * x[s * i + d * j - p], Context(tuple(names), (*least, *floor)))


def truths() -> list[Equation]:
    """Gradients, solved and as transposes, and forward equations."""
    forward = [c.system().equations[0] for c in PLAIN] + [symbolic(*f) for f in product((False, True), repeat=3)]
    found = []
    for e in forward:
        found.append(e)
        for t in e.reads:
            g = gradient(e, t, e.output.gradient())
            found += [g, transpose(e, t, e.output.gradient(), g.indices)]
    return found


def mutate(e: Equation, rng: random.Random) -> Equation:
    """One small error of the kind people make."""
    at = rng.randrange(len(e.terms))
    terms = list(e.terms)
    terms[at] = _mutated(terms[at], e, rng)
    return Equation(e.left, [t for t in terms if t.coefficient], e.context)


def _mutated(t: Term, e: Equation, rng: random.Random) -> Term:
    which = rng.choice("index index index index sign factor bound bound swap constraint flip name".split())
    if which == "sign":
        return replace(t, coefficient=-t.coefficient)
    if which == "factor":
        return replace(t, coefficient=t.coefficient * 2)
    if which == "bound" and t.indices:
        name = rng.choice(t.indices)
        return t.where(rng.choice([at_least(name, 1), at_least(rng.choice(e.context.sizes), Affine.of(name) + 1)]))
    if which == "constraint" and t.constraints:
        at = rng.randrange(len(t.constraints))
        c = t.constraints[at]
        moved = Constraint(c.expression + rng.choice((-1, 1)), c.equality)
        return replace(t, constraints=(*t.constraints[:at], moved, *t.constraints[at + 1:]))
    at = rng.randrange(len(t.factors))
    return replace(t, factors=(*t.factors[:at], _other(t.factors[at], which, e, t, rng), *t.factors[at + 1:]))


def _other(f: Access, which: str, e: Equation, t: Term, rng: random.Random) -> Access:
    at = rng.randrange(len(f.indices)) if f.indices else 0
    entries = list(f.indices)
    if not entries:
        return f
    if which == "swap" and len(entries) > 1:
        other = rng.choice([n for n in range(len(entries)) if n != at])
        entries[at], entries[other] = entries[other], entries[at]
    elif which == "flip":
        entries[at] = f.tensor.shape[at] - 1 - entries[at]
    elif which == "name":
        names = [*e.indices, *t.indices]
        entries[at] = entries[at].substitute({rng.choice(names): rng.choice(names)})
    else:
        change = rng.choice(["plus", "minus", "negate", "unit", "size"])
        names = [m for m, _ in entries[at] if m]
        if change == "negate" and names:
            m = rng.choice(names)
            entries[at] = Affine.build({q: -c if q == m else c for q, c in entries[at]})
        elif change == "unit" and names:
            m = rng.choice(names)
            entries[at] = Affine.build({q: 1 if q == m else c for q, c in entries[at]})
        elif change == "size":
            entries[at] = entries[at] + rng.choice((-1, 1)) * Affine.of(rng.choice(e.context.sizes))
        else:
            entries[at] = entries[at] + (1 if change == "plus" else -1)
    return replace(f, indices=tuple(entries))


def assignments(context: Context, most: int, limit: int) -> list[dict[str, int]]:
    """By brute force: all sizes up to `most` that the context allows, with the derived ones solved."""
    derived = [n for n in context.sizes if n.lower().startswith("o")]
    free = [n for n in context.sizes if n not in derived]
    bounds = {n: range(most + 1) if n == "p" else range(1, most + 1) for n in free}
    found = []
    for values in sorted(product(*bounds.values()), key=sum):
        known = dict(zip(free, values, strict=True))
        for name in derived:
            fits = [v for v in range(1, 5 * most) if all(
                c.holds({**known, name: v}) for c in context.constraints if c.expression.names <= {*known, name})]
            if len(fits) == 1:
                known[name] = fits[0]
        if len(known) == len(context.sizes) and all(c.holds(known) for c in context.constraints):
            found.append({n: known[n] for n in context.sizes})
        if len(found) >= limit:
            break
    return found


def same(left: Equation, right: Equation, sizes: dict[str, int]) -> bool:
    """Equal at random contents too large for a coincidence?"""
    rng = random.Random(5)
    a, b = left.at(sizes), right.at(sizes)
    tensors = dict.fromkeys((*a.reads, *b.reads))
    arrays = {}
    for t in tensors:
        flat = np.array([rng.randrange(1, 1 << 60) for _ in range(int(np.prod(t.extents, dtype=int)))], object)
        arrays[t.name] = flat.reshape(t.extents)
    return bool(np.all(point_by_point.evaluate(a, arrays) == point_by_point.evaluate(b, arrays)))


def check(decision: Decision, left: Equation, right: Equation, most: int = 4, limit: int = 45) -> None:
    """Raise AssertionError when brute force contradicts the decision."""
    if decision.kind == "unknown":
        return
    table = [(s, same(left, right, s)) for s in assignments(left.context, most, limit)]
    what = f"{decision}\n{left}\n{right}\n{left.context}"
    if decision.kind in ("proved", "checked"):
        assert all(true for _, true in table), what
    if decision.kind in ("proved_if", "proved_for"):
        assert decision.condition is not None
        for s, true in table:
            holds = decision.condition.holds(s)
            assert true if holds else (not true or decision.kind == "proved_for"), f"{s} {what}"
    if decision.kind in ("proved_if", "proved_for", "refuted"):
        example = decision.counterexample
        assert example is not None
        sizes = dict(example.sizes)
        a, b = left.at(sizes), right.at(sizes)
        arrays = {name: np.array(value, object).reshape(t.extents) for name, value in example.tensors
                  for t in (*a.reads, *b.reads) if t.name == name}
        values = tuple(point_by_point.evaluate(e, arrays)[example.index] for e in (a, b))
        assert values == (example.claimed, example.actual) and values[0] != values[1], f"{values} {what}"
        first = next((s for s, true in table if not true), None)
        free = [n for n in sizes if not n.lower().startswith("o")]
        if first is not None:
            assert sum(sizes[n] for n in free) <= sum(first[n] for n in free), f"{first} {what}"
    if decision.kind == "refuted" and decision.reason.startswith("false for all"):
        assert not any(true for _, true in table), what


def run(count: int, seed: int, verbose: bool = False) -> tuple[Counter[str], list[float]]:
    """Decide random mutants, check each; how many there were of each kind, and the times."""
    rng = random.Random(seed)
    pool = truths()
    kinds: Counter[str] = Counter()
    times = []
    for _ in range(count):
        true = rng.choice(pool)
        wrong = mutate(true, rng)
        if rng.random() < 0.2:
            wrong = mutate(wrong, rng)
        start = time.perf_counter()
        decision = decide(wrong, true)
        times.append(time.perf_counter() - start)
        kinds[decision.kind] += 1
        # The embedded prover is not asked about what enumeration refutes; here it is.
        assert decision.kind == "proved" or not prove_equal(wrong, true).proved, f"{wrong}\n{true}"
        if verbose and (decision.kind not in ("proved", "proved_if", "refuted") or times[-1] > 0.3):
            print(f"{times[-1] * 1e3:.0f} ms {decision}\n   {wrong}\n   {true}")
        check(decision, wrong, true)
    return kinds, times


def test_mutants_get_no_false_verdict():
    kinds, times = run(300, 1)
    decided = sum(kinds[k] for k in ("proved", "proved_if", "proved_for", "refuted"))
    assert decided >= 0.95 * sum(kinds.values()), kinds
    assert statistics.median(times) < 0.2


if __name__ == "__main__":
    arguments = [int(a) for a in sys.argv[1:3]]
    found, seconds = run(*(arguments or [300, 1]), verbose=True)
    ordered = sorted(seconds)
    print(found, f"median {statistics.median(ordered) * 1e3:.1f} ms, "
          f"95 % {ordered[int(len(ordered) * 0.95)] * 1e3:.0f} ms, most {ordered[-1] * 1e3:.0f} ms")
