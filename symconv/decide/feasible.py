"""Does a system of integer constraints have a solution?

Equalities are solved by unimodular substitution, inequalities by Fourier-Motzkin elimination with
integer tightening (W. Pugh, The Omega test, 1991, without dark shadows). An answer of False is a
proof; True is exact; None means that a rational solution remains and nothing more is known.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import gcd

from symconv.affine import Constraint

Row = tuple[dict[str, int], int]  # sum of coefficient * name + constant
Key = tuple[tuple[str, int], ...]
BUDGET = 4000


class OutOfBudget(Exception):
    """Elimination grew past its deterministic budget."""


def row(c: Constraint) -> Row:
    """Opaque products of names become names of their own, which is sound for proofs."""
    return {"*".join(m): a for m, a in c.expression if m}, c.expression.constant


def canonical(r: Row, equality: bool) -> tuple[Key, int]:
    """Divided by the common factor, inequalities rounded down, equalities with a positive lead."""
    g = gcd(*r[0].values()) or 1
    if equality and r[1] % g:
        return tuple(sorted(r[0].items())), r[1]
    key, constant = tuple(sorted((v, a // g) for v, a in r[0].items())), r[1] // g
    if equality and key and key[0][1] < 0:
        return tuple((v, -a) for v, a in key), -constant
    return key, constant


def negated(r: Row) -> Row:
    """The integer negation of `r >= 0`: `-r - 1 >= 0`."""
    return {v: -a for v, a in r[0].items()}, -r[1] - 1


class Account:
    """Work over many systems, counted in rows read and combinations formed."""

    def __init__(self, limit: int) -> None:
        self.left = limit

    def spend(self, work: int) -> None:
        """Raises OutOfBudget when nothing is left."""
        self.left -= work
        if self.left < 0:
            raise OutOfBudget("the comparison takes more work than its budget")


def feasible(inequalities: Iterable[Row], equalities: Iterable[Row], budget: int = BUDGET,
             account: Account | None = None) -> bool | None:
    """True, False or None (see above). With an account, the work is charged to it.

    Raises:
        OutOfBudget: more than `budget` combinations were formed, or the account is empty.
    """
    low, same = list(inequalities), list(equalities)
    account = account or Account(len(low) + len(same) + budget)
    account.spend(len(low) + len(same))
    rest = _without_equalities(low, same)
    return False if rest is None else _eliminate(rest, budget, account)


def _substitute(r: Row, name: str, value: Row) -> Row:
    a = r[0].get(name)
    if not a:
        return r
    total = {v: b for v, b in r[0].items() if v != name}
    for v, b in value[0].items():
        total[v] = total.get(v, 0) + a * b
    return {v: b for v, b in total.items() if b}, r[1] + a * value[1]


def _without_equalities(inequalities: list[Row], equalities: list[Row]) -> list[Row] | None:
    """Solve the equalities over the integers; None when they have no solution."""
    # Rows may carry fresh names of an earlier call: number on from there.
    fresh = 1 + max((int(v[1:]) for r in (*inequalities, *equalities) for v in r[0] if v[0] == "$"), default=-1)
    while equalities:
        equalities.sort(key=lambda r: min(map(abs, r[0].values()), default=0))
        coefficients, constant = equalities.pop(0)
        if not coefficients:
            if constant:
                return None
            continue
        g = gcd(*coefficients.values())
        if constant % g:
            return None
        coefficients, constant = {v: a // g for v, a in coefficients.items()}, constant // g
        name = min(coefficients, key=lambda v: (abs(coefficients[v]), v))
        a = coefficients[name]
        others = {v: b for v, b in coefficients.items() if v != name}
        if abs(a) == 1:
            value: Row = {v: -a * b for v, b in others.items()}, -a * constant
        else:  # name = t - sum floor(b/a) v leaves every other coefficient smaller than a
            value = {f"${fresh}": 1, **{v: -(b // a) for v, b in others.items() if b // a}}, 0
            fresh += 1
            equalities.append((coefficients, constant))
        equalities = [_substitute(r, name, value) for r in equalities]
        inequalities = [_substitute(r, name, value) for r in inequalities]
    return inequalities


def _add(rows: dict[Key, int], r: Row) -> bool:
    """Tighten and keep the stronger of parallel rows; False when a contradiction shows."""
    coefficients, constant = {v: a for v, a in r[0].items() if a}, r[1]
    if not coefficients:
        return constant >= 0
    g = gcd(*coefficients.values())
    if g > 1:  # dividing and rounding down cuts off no integer point
        coefficients, constant = {v: a // g for v, a in coefficients.items()}, constant // g
    key = tuple(sorted(coefficients.items()))
    opposite = tuple((v, -a) for v, a in key)
    if opposite in rows and rows[opposite] + constant < 0:
        return False
    rows[key] = min(constant, rows.get(key, constant))
    return True


def _eliminate(inequalities: list[Row], budget: int, account: Account) -> bool | None:
    rows: dict[Key, int] = {}
    exact, work = True, 0
    if not all(_add(rows, r) for r in inequalities):
        return False
    while rows:
        pinned = _pinned(rows)
        if pinned is not None:
            rest = _without_equalities([(dict(k), c) for k, c in rows.items()], [pinned])
            if rest is None:
                return False
            rows = {}
            if not all(_add(rows, r) for r in rest):
                return False
            continue
        name, low, high, unit = _cheapest(rows)
        account.spend(len(low) * len(high))
        exact &= unit
        kept = {k: c for k, c in rows.items() if all(v != name for v, _ in k)}
        for lower in low:
            for upper in high:
                work += 1
                if work > budget:
                    raise OutOfBudget(f"more than {budget} combinations of inequalities")
                if not _add(kept, _combine(lower, upper, name)):
                    return False
        rows = kept
    return True if exact else None


def _pinned(rows: dict[Key, int]) -> Row | None:
    """Two opposite rows that leave exactly one value: an equality."""
    for key, constant in rows.items():
        if rows.get(tuple((v, -a) for v, a in key)) == -constant:
            return dict(key), constant
    return None


def _cheapest(rows: dict[Key, int]) -> tuple[str, list[Row], list[Row], bool]:
    """The name whose elimination adds fewest rows, exact eliminations first."""
    low: dict[str, list[Row]] = {}
    high: dict[str, list[Row]] = {}
    for key, constant in rows.items():
        one = dict(key), constant
        for v, a in key:
            (low if a > 0 else high).setdefault(v, []).append(one)

    def cost(name: str) -> tuple[bool, int, str]:
        ours, theirs = low.get(name, []), high.get(name, [])
        return not _unit(name, ours, theirs), len(ours) * len(theirs) - len(ours) - len(theirs), name

    name = min(low.keys() | high.keys(), key=cost)
    ours, theirs = low.get(name, []), high.get(name, [])
    return name, ours, theirs, _unit(name, ours, theirs)


def _unit(name: str, low: list[Row], high: list[Row]) -> bool:
    """Is the coefficient one on one side? Then the elimination is exact."""
    return all(r[0][name] == 1 for r in low) or all(r[0][name] == -1 for r in high)


def _combine(lower: Row, upper: Row, name: str) -> Row:
    a, b = lower[0][name], -upper[0][name]
    g = gcd(a, b)
    p, q = b // g, a // g
    total = {v: p * c for v, c in lower[0].items()}
    for v, c in upper[0].items():
        total[v] = total.get(v, 0) + q * c
    del total[name]
    return total, p * lower[1] + q * upper[1]
