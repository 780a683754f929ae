"""A constant matrix as a short list of assignments, with its operations counted.

Rows that belong to the points p and -p are even + odd and even - odd: the even and the odd part are
computed once. Columns that agree up to sign are added and subtracted once. SymPy's `cse` finds what else
is shared. Multiples alone are not shared: a processor that multiplies and adds in one step gets them free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import combinations
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from symconv.bilinear.matrix import Matrix

if TYPE_CHECKING:
    import sympy as sp

Terms = dict[str, Fraction]  # a linear combination of names


@dataclass(frozen=True, slots=True)
class Operations:
    """Counted apart, and as instructions when a multiplication and an addition are one (`fused`)."""

    additions: int
    multiplications: int
    fused: int

    def __str__(self) -> str:
        return f"{self.additions} additions, {self.multiplications} multiplications ({self.fused} fused instructions)"

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Assignment:
    """name = sum of coefficient * operand, added from left to right."""

    name: str
    terms: tuple[tuple[Fraction, str], ...]

    @property
    def operations(self) -> Operations:
        scaled = sum(abs(c) != 1 for c, _ in self.terms)
        added = max(0, len(self.terms) - 1)
        alone = scaled > 0 and scaled == len(self.terms)  # a product no addition can take in
        return Operations(added, scaled, added + alone)

    def __str__(self) -> str:
        text = ""
        for c, name in self.terms:
            size = name if abs(c) == 1 else f"{abs(c)}*{name}"
            text += (" - " if c < 0 else " + ") + size if text else "-" * (c < 0) + size
        return f"{self.name} = {text or '0'}"

    __repr__ = __str__


@dataclass(frozen=True)
class StraightLine:
    """Assignments from `inputs` to `outputs`, each name assigned once and before its use."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    steps: tuple[Assignment, ...]

    @property
    def operations(self) -> Operations:
        each = [s.operations for s in self.steps]
        return Operations(sum(o.additions for o in each), sum(o.multiplications for o in each),
                          sum(o.fused for o in each))

    @cached_property
    def matrix(self) -> Matrix:
        """What the assignments compute."""
        return self._matrix(lambda c: c)

    @cached_property
    def absolute(self) -> Matrix:
        """The sums of the magnitudes that pass through: |matrix| when no two of them cancel."""
        return self._matrix(abs)

    def _matrix(self, size: Any) -> Matrix:
        known = {n: {n: Fraction(1)} for n in self.inputs}
        for s in self.steps:
            known[s.name] = _total((size(c) * v, n) for c, name in s.terms for n, v in known[name].items())
        return Matrix.of([known[o].get(n, Fraction(0)) for n in self.inputs] for o in self.outputs)

    @cached_property
    def roundings(self) -> int:
        """The most roundings on a way from an input to an output, without fused instructions.

        A sum rounds once for each addition, a product once unless its coefficient is a power of two,
        and a coefficient that no binary number equals once more.
        """
        depth = dict.fromkeys(self.inputs, 0)
        for s in self.steps:
            later = len(s.terms) - 1
            depth[s.name] = max((depth[name] + roundings_of(c) + min(later, len(s.terms) - max(at, 1))
                                 for at, (c, name) in enumerate(s.terms)), default=0)
        return max(depth[o] for o in self.outputs)

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))

    __repr__ = __str__


def straight_line(matrix: Matrix, inputs: str = "d", outputs: str = "v") -> StraightLine:
    """Assignments for matrix times vector: d0, d1... to v0, v1...

    Raises:
        ArithmeticError: the assignments do not compute the matrix (never seen; checked every time).
    """
    names = tuple(f"{inputs}{n}" for n in range(matrix.shape[1]))
    results = tuple(f"{outputs}{n}" for n in range(matrix.shape[0]))
    rows = [{n: c for n, c in zip(names, row, strict=True) if c} for row in matrix.rows]
    steps: dict[str, Terms] = {}
    rows = _pair_columns(rows, names, steps)
    rows = _pair_rows(rows, steps)
    steps |= dict(zip(results, rows, strict=True))
    found = StraightLine(names, results, _assignments(_shared(steps, names), results))
    if found.matrix != matrix:
        raise ArithmeticError(f"the assignments compute\n{found.matrix}\ninstead of\n{matrix}")
    return found


def _total(terms: Any) -> Terms:
    total: Terms = {}
    for c, n in terms:
        total[n] = total.get(n, Fraction(0)) + c
    return {n: c for n, c in total.items() if c}


def roundings_of(c: Fraction) -> int:
    """How often a product with a coefficient rounds: not at all for a power of two, twice where no binary
    number equals the coefficient."""
    def power_of_two(n: int) -> bool:
        return n & (n - 1) == 0

    exact = power_of_two(c.denominator)
    return 0 if exact and power_of_two(abs(c.numerator)) else 1 if exact else 2


def _pair_columns(rows: list[Terms], names: Sequence[str], steps: dict[str, Terms]) -> list[Terms]:
    """Two inputs that every row takes with the same or the opposite coefficient: their sum and difference."""
    rows, free = [dict(r) for r in rows], list(names)
    for a, b in combinations(names, 2):
        if a not in free or b not in free:
            continue
        same = [r for r in rows if a in r and r[a] == r.get(b)]
        opposite = [r for r in rows if a in r and r[a] == -r.get(b, Fraction(0))]
        users = [r for r in rows if a in r or b in r]
        kinds = [k for k in (same, opposite) if k]
        if len(same) + len(opposite) < len(users) or len(users) <= len(kinds):
            continue
        free = [n for n in free if n not in (a, b)]
        for kind, sign, word in ((same, 1, "sum"), (opposite, -1, "difference")):
            if kind:
                name = _label(word, a, b)
                steps[name] = {a: Fraction(1), b: Fraction(sign)}
                for r in kind:
                    r[name] = r.pop(a)
                    del r[b]
    return rows


def _pair_rows(rows: list[Terms], steps: dict[str, Terms]) -> list[Terms]:
    """Two rows that are even + odd and even - odd with parts that share no input."""
    rows, free = list(rows), list(range(len(rows)))
    for i, j in combinations(range(len(rows)), 2):
        if i not in free or j not in free or set(rows[i]) != set(rows[j]) or len(rows[i]) < 3:
            continue
        even = {n: c for n, c in rows[i].items() if rows[j][n] == c}
        odd = {n: c for n, c in rows[i].items() if rows[j][n] == -c}
        if not even or not odd or len(even) + len(odd) < len(rows[i]):
            continue
        free = [n for n in free if n not in (i, j)]
        (e, p), (o, q) = (_part(part, f"{word}{i}_{j}", steps) for part, word in ((even, "even"), (odd, "odd")))
        if abs(e) != 1 and abs(o) != 1:  # one of the two factors goes into the part, so that it is applied once
            p, e = f"even{i}_{j}", Fraction(1)
            steps[p] = even
        rows[i], rows[j] = {p: e, q: o}, {p: e, q: -o}
    return rows


def _label(word: str, a: str, b: str) -> str:
    return f"{word}{a.lstrip('abcdefghijklmnopqrstuvwxyz')}_{b.lstrip('abcdefghijklmnopqrstuvwxyz')}"


def _part(part: Terms, name: str, steps: dict[str, Terms]) -> tuple[Fraction, str]:
    """A sum under its name, without the factor its coefficients have in common."""
    if len(part) == 1:
        (n, c), = part.items()
        return c, n
    values = list(part.values())
    below = lcm(*(c.denominator for c in values))
    common = Fraction(gcd(*(int(c * below) for c in values)), below)
    steps[name] = {n: c / common for n, c in part.items()}
    return common, name


def _shared(steps: Mapping[str, Terms], inputs: Sequence[str]) -> dict[str, Terms]:
    """Sums that occur in several steps, found by SymPy, as steps of their own."""
    import sympy as sp

    symbols = {n: sp.Symbol(n) for n in (*inputs, *steps)}
    sums = [sp.Add(*(sp.Rational(c.numerator, c.denominator) * symbols[n] for n, c in t.items()))
            for t in steps.values()]
    fresh = (sp.Symbol(f"t{n}") for n in range(10**6))
    replaced, reduced = sp.cse(sums, symbols=fresh, order="none")
    multiples: dict[sp.Symbol, sp.Expr] = {}  # of one name: put back where they are used
    found: dict[str, Terms] = {}
    for name, e in [*replaced, *zip(map(sp.Symbol, steps), reduced, strict=True)]:
        terms = _read(e.xreplace(multiples))
        if len(terms) == 1 and name.name not in steps:
            multiples[name] = e.xreplace(multiples)
        else:
            found[name.name] = terms
    return found


def _read(e: sp.Expr) -> Terms:
    return {s.name: Fraction(int(c.p), int(c.q)) for s, c in e.expand().as_coefficients_dict().items() if s.is_Symbol}


def _assignments(steps: Mapping[str, Terms], outputs: Sequence[str]) -> tuple[Assignment, ...]:
    """In the order of the outputs, what is needed first; positive terms lead."""
    placed: dict[str, Assignment] = {}

    def place(name: str) -> None:
        if name in steps and name not in placed:
            for n in steps[name]:
                place(n)
            ordered = sorted(steps[name].items(), key=lambda item: (item[1] < 0, item[0]))
            placed[name] = Assignment(name, tuple((c, n) for n, c in ordered))

    for o in outputs:
        place(o)
    return tuple(placed.values())
