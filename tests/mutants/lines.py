"""Identities of signals on the integers: commutativity, associativity, shifts, linearity."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

from .poly import Poly, poly
from .truth import Case

WIDE, SUPPORT = 7, 2
SHIFTS = range(3)


@dataclass(frozen=True)
class Product:
    """coefficient * the sum over every integer value of `sums` of signal[index] ..."""

    reads: tuple[tuple[str, Poly], ...]
    sums: tuple[str, ...] = ()
    coefficient: int = 1


X = poly("x")
Side = tuple[Product, ...]
Values = dict[tuple[tuple[str, int], ...], int]


@dataclass(frozen=True)
class LineClaim:
    """left = right at every x; `named` writes (f * g)[x] for the left-hand side and gives its definition."""

    family: str
    left: Side
    right: Side
    definition: Product | None = None
    at: Poly = X
    mutation: str = "none"

    kind = "identity"

    @property
    def sizes(self) -> tuple[str, ...]:
        names = {n for s in (self.left, self.right) for p in s for _, e in p.reads for n in e.names}
        return ("t",) if "t" in names or "t" in self.at.names else ()

    def table(self) -> list[Case]:
        found = []
        for shift in SHIFTS if self.sizes else (0,):
            env = {"t": shift}
            holds = all(value(self.left, {**env, "x": x}) == value(self.right, {**env, "x": x})
                        for x in range(-4, 5))
            found.append(Case(tuple((n, env[n]) for n in self.sizes), holds))
        return found


def value(side: Side, env: dict[str, int]) -> Values:
    """A side at one x, as a polynomial in the signals' values; signals vanish far out."""
    found: Values = {}
    for p in side:
        for point in points(p, env):
            at = [(s, e(point)) for s, e in p.reads]
            if all(abs(v) <= SUPPORT for _, v in at):
                key = tuple(sorted(at))
                found[key] = found.get(key, 0) + p.coefficient
    return {k: c for k, c in found.items() if c}


def points(p: Product, env: dict[str, int]) -> Iterator[dict[str, int]]:
    for values in product(range(-WIDE, WIDE + 1), repeat=len(p.sums)):
        yield {**env, **dict(zip(p.sums, values, strict=True))}


def true_line(rng: random.Random) -> LineClaim:
    x, a, b, t = map(poly, "xabt")
    convolved = Product((("f", a), ("g", x - a)), ("a",))
    slid = Product((("f", a), ("g", x + a)), ("a",))
    other = Product((("f", x - a), ("g", a)), ("a",))
    step = t if rng.random() < 0.5 else poly(rng.choice((1, 2)))

    def moved(p: Product, by: Poly) -> Product:
        return replace(p, reads=tuple((s, e.put({"x": x - by})) for s, e in p.reads))

    choices = (
        LineClaim("commutativity", (convolved,), (other,)),
        LineClaim("commutativity", (convolved,), (other,), convolved),
        LineClaim("correlation reversed", (slid,), (Product((("f", a - x), ("g", a)), ("a",)),)),
        LineClaim("correlation reversed", (slid,), (Product((("f", a - x), ("g", a)), ("a",)),), slid),
        LineClaim("shift", (moved(convolved, step),), (Product((("f", a - step), ("g", x - a)), ("a",)),)),
        LineClaim("shift", (moved(convolved, step),), (Product((("f", a - step), ("g", x - a)), ("a",)),),
                  convolved, x - step),
        LineClaim("shift of a correlation", (moved(slid, step),), (Product((("f", a), ("g", x + a - step)), ("a",)),),
                  slid, x - step),
        LineClaim("associativity", (Product((("f", a), ("g", b), ("h", x - a - b)), ("a", "b")),),
                  (Product((("f", b), ("g", a - b), ("h", x - a)), ("a", "b")),)),
        LineClaim("sum", (Product((("f", a), ("g", x - a)), ("a",)), Product((("f", a), ("h", x - a)), ("a",))),
                  (Product((("f", x - a), ("g", a)), ("a",)), Product((("f", x - a), ("h", a)), ("a",)))))
    return rng.choice(choices)


def line_mutants(c: LineClaim) -> dict[str, list[Side]]:
    found: dict[str, list[Side]] = {}

    def note(kind: str, at: int, new: Product) -> None:
        if new != c.right[at]:
            found.setdefault(kind, []).append((*c.right[:at], new, *c.right[at + 1:]))

    for at, p in enumerate(c.right):
        note("sign", at, replace(p, coefficient=-p.coefficient))
        note("factor lost or doubled", at, replace(p, coefficient=2 * p.coefficient))
        for n, (s, e) in enumerate(p.reads):
            def put(new: Poly, signal: str = s, n: int = n, p: Product = p) -> Product:
                return replace(p, reads=(*p.reads[:n], (signal, new), *p.reads[n + 1:]))

            for d in (1, -1):
                note("index off by one", at, put(e + d))
            for v in sorted(e.names):
                if len(e.names) > 1:
                    note("sign of an index", at, put(e.negated(v)))
            for other in "fgh":
                if other != s and any(r[0] == other for q in (*c.left, *c.right) for r in q.reads):
                    note("wrong array", at, put(e, other))
        if len(p.reads) > 1:
            (first, one), (second, two), *rest = p.reads
            note("indices exchanged", at, replace(p, reads=((first, two), (second, one), *rest)))
        for v in p.sums:
            for new in (poly(v) + 1, -poly(v), poly(v) + "x"):
                reads = tuple((s, e.put({v: new})) for s, e in p.reads)
                note("substitution, old bounds", at, replace(p, reads=reads))
    return found


def random_line(rng: random.Random, untouched: float) -> LineClaim:
    claim = true_line(rng)
    if rng.random() < untouched:
        return claim
    found = line_mutants(claim)
    kind = rng.choice(sorted(found))
    return replace(claim, right=rng.choice(found[kind]), mutation=kind)


def written_line(c: LineClaim, rng: random.Random) -> tuple[list[str], str, dict[str, str]]:
    """The context, the claim, and the author's names -> canonical names."""
    signals = dict(zip("fgh", rng.choice(("fgh", "xhq", "uwv")), strict=True))
    letters = rng.choice(({"x": "n", "a": "m", "b": "k", "t": "t"}, {"x": "i", "a": "j", "b": "k", "t": "c"},
                          {"x": "t", "a": "a", "b": "b", "t": "r"}))
    brackets = rng.choice(("[]", "()", "_"))
    under = rng.choice((r"\in \mathbb{Z}", r"=-\infty", ""))

    def index(e: Poly) -> str:
        out = ""
        for m, k in sorted(e.terms, key=lambda q: (not q[0], q[1] < 0, q[0])):
            text = "".join(letters[v] for v in m)
            body = text if m and abs(k) == 1 else f"{abs(k)}{text}"
            out += ("-" if k < 0 else "+" if out else "") + body
        return out or "0"

    def element(s: str, e: Poly) -> str:
        inside = index(e)
        return f"{signals[s]}_{{{inside}}}" if brackets == "_" else f"{signals[s]}{brackets[0]}{inside}{brackets[1]}"

    def one(p: Product) -> str:
        above = r"^{\infty}" if "infty" in under else ""
        sums = "".join(rf"\sum_{{{letters[v]}{under}}}{above} " for v in p.sums)
        size = "" if abs(p.coefficient) == 1 else str(abs(p.coefficient))
        return size + sums + r" \, ".join(element(s, e) for s, e in p.reads)

    def side(s: Side) -> str:
        out = ""
        for p in s:
            out += ("-" if p.coefficient < 0 else "" if not out else "+") + " " + one(p) + " "
        return out.strip()

    given = ["signals on Z"]
    left = side(c.left)
    if c.definition:
        head = f"({signals['f']} * {signals['g']})"
        opening, closing = ("_{", "}") if brackets == "_" else (brackets[0], brackets[1])
        given.append(f"{head}{opening}{letters['x']}{closing} = {one(c.definition)}")
        left = f"{head}{opening}{index(c.at)}{closing}"
    return given, f"{left} = {side(c.right)}", {letters["t"]: "t"}
