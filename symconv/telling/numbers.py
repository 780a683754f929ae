"""A counterexample in words and numbers."""

from __future__ import annotations

from symconv.claims.finding import Finding, Shown
from symconv.telling.plain import joined, shortened

LONGEST = 240
# By what the claim is about: what is said of the first value and of the second.
SIDES = {"gradient": ("the formula gives {}", "the derivative is {}"),
         "element": ("the formula gives {}", "the derivative is {}"),
         "contribution": ("the formula gives {}", "the contribution is {}"),
         "forward": ("the formula gives {}", "the definition gives {}"),
         "size": ("the formula gives {}", "the size is {}"),
         "update": ("the formula gives {}", "the update is {}"),
         "identity": ("one side gives {}", "the other {}")}
OTHERWISE = ("the formula gives {}", "the true value is {}")


def worked(finding: Finding) -> str:
    """`n = 3, k = 2: at i = 1 the formula gives 4, the derivative is 7`, or "" without a counterexample."""
    c = finding.counterexample
    if c is None:
        return ""
    claimed, actual = SIDES.get(finding.kind, OTHERWISE)
    said = f"{claimed.format(joined(c.claimed))}, {actual.format(joined(c.actual))}"
    return _beginning(c) + said


def _beginning(c: Shown) -> str:
    sizes = ", ".join(f"{joined(name)} = {number}" for name, number in c.sizes)
    at = ""
    if c.index and all(name.isdigit() for name, _ in c.index):
        at = f"at index {tensor(tuple(number for _, number in c.index))} "
    elif c.index:
        at = "at " + ", ".join(f"{joined(name)} = {number}" for name, number in c.index) + " "
    return f"{sizes}: {at}" if sizes else at


def contents(finding: Finding) -> tuple[str, ...]:
    """`x = (1, 2, 3)` for every tensor of the counterexample."""
    c = finding.counterexample
    return tuple(f"{joined(name)} = {shortened(tensor(value), LONGEST)}" for name, value in c.tensors) if c else ()


def tensor(value: object) -> str:
    """Nested tuples of numbers as they are written by hand, `(1, 2)`; one element keeps its parentheses."""
    return f"({', '.join(map(tensor, value))})" if isinstance(value, (tuple, list)) else joined(str(value))
