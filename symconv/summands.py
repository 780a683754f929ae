"""How many products meet in one sum of a kernel, by the oracle's count, and how large integers make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from symconv.derivation import Function
from symconv.equation import Term
from symconv.errors import LimitExceeded
from symconv.reference import terms
from symconv.system import System

LARGEST = {"int8": 2**7, "int32": 2**31}
MOST = 2**31 - 1


def sources(system: System, f: Function) -> list[tuple[System, str]]:
    """The forward equations a function stands for, and the oracle's name of what it computes of each."""
    if f.proof is None:
        return [(System((e,)), "forward") for e in system.equations if e.output == f.equation.output]
    return [(System((e,)), f"grad_{t.name}") for e in system.equations for t in e.reads
            if t.gradient() == f.equation.output]


def summands(system: System, f: Function) -> int:
    """An upper bound on the products in one output element."""
    return sum(terms(s)[k] for s, k in sources(system, f))


def check_sums(system: System, functions: Iterable[Function], types: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """What to say of each function with integer sums: that none leaves its type.

    An array that is added to a sum as it is (a bias, or the output where a kernel accumulates) is not counted.

    Raises:
        LimitExceeded: one might.
    """
    said: dict[str, tuple[str, ...]] = {}
    for f in functions:
        if types[f.equation.output.name] != "int32":
            continue
        each = max((_largest(t, types) for t in f.equation.terms), default=0)
        count = summands(system, f)
        if each * count > MOST:
            raise LimitExceeded(f"{f.name} adds up to {count} products of integers as large as {each}: the sum may "
                                f"leave int32, which ends at {MOST}; use float64")
        if each:
            said[f.name] = (f"No sum of products leaves int32: at most {count} of them, {each * count} in all.",)
    return said


def _largest(t: Term, types: Mapping[str, str]) -> int:
    """Of a product; 0 for an array that is added as it is. A slope is at most 1."""
    values = [f for f in t.factors if not f.function.endswith("'")]
    if len(values) == 1 and types[values[0].tensor.name] == "int32":
        return 0
    size = abs(t.coefficient)
    for f in values:
        size *= LARGEST[types[f.tensor.name]]
    return -int(-size // 1)
