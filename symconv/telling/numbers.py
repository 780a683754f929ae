"""A counterexample in words and numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeGuard

from symconv.claims.finding import Finding, Shown
from symconv.claims.telling import both_sides
from symconv.telling.plain import joined, shortened

LONGEST = 240


def worked(finding: Finding) -> str:
    """`n = 3, k = 2: at i = 1 the formula gives 4, the derivative is 7`, or "" without a counterexample."""
    c = finding.counterexample
    if c is None:
        return ""
    said = both_sides(replace(c, claimed=joined(c.claimed), actual=joined(c.actual)), finding.kind, finding.reading)
    return _beginning(c) + said


def _beginning(c: Shown) -> str:
    sizes = ", ".join(f"{joined(name)} = {number}" for name, number in c.sizes)
    at = ""
    if c.index and all(name.isdigit() for name, _ in c.index):
        at = f"at index {tensor(tuple(number for _, number in c.index))} "
    elif c.index:
        at = "at " + ", ".join(f"{joined(name)} = {number}" for name, number in c.index) + " "
    return f"{sizes}: {at}" if sizes else at


def repeats(finding: Finding) -> bool:
    """Whether the message holds nothing but the condition or the numbers that are told beside it."""
    c = finding.counterexample
    if c is not None and both_sides(c, finding.kind, finding.reading) in finding.message:
        return True
    return bool(finding.condition) and finding.message.endswith(f"{when(finding.verdict)} {finding.condition}")


def when(verdict: str) -> str:
    """What a condition means beside a verdict."""
    return "true exactly when" if verdict == "proved_if" else "true when"


def contents(finding: Finding) -> tuple[str, ...]:
    """`x = (1, 2, 3)` for every tensor of the counterexample, `sigma(z) = z^2` for every function."""
    c = finding.counterexample
    if c is None:
        return ()
    tensors = (f"{joined(name)} = {shortened(tensor(value) if value != () else '0 everywhere', LONGEST)}"
               for name, value in c.tensors)
    return (*tensors, *(f"{joined(name)}(z) = {joined(meaning)}" for name, meaning in c.functions))


def tensor(value: object) -> str:
    """Nested tuples of numbers as they are written by hand, `(1, 2)`; one element keeps its parentheses.

    An array without ends comes as pairs of a place and a number: `1 at 0, else 0`.
    """
    if _is_sparse(value):
        return ", ".join(f"{joined(str(v))} at {tensor(place if len(place) > 1 else place[0])}"
                         for place, v in value) + ", else 0"
    return f"({', '.join(map(tensor, value))})" if isinstance(value, (tuple, list)) else joined(str(value))


def _is_sparse(value: object) -> TypeGuard[tuple[tuple[tuple[int, ...], object], ...]]:
    return isinstance(value, tuple) and bool(value) and all(
        isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], tuple) and pair[0]
        and not isinstance(pair[1], tuple)
        for pair in value)
