"""Conditions on sizes as values: they print themselves and decide numbers, apart from the algebra."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symconv.decide.decision import Condition
from symconv.decide.scalar_terms import Num, Plus, Scalar, Times, substitute
from symconv.decide.scalar_values import Compute, Sizes, Undefined, compute

Holds = Callable[[Sizes], bool]


@dataclass(frozen=True, slots=True)
class Same:
    """`a = b`."""

    a: Scalar
    b: Scalar

    def __str__(self) -> str:
        return f"{self.a} = {self.b}"


@dataclass(frozen=True, slots=True)
class AtLeast:
    """`a >= b`."""

    a: Scalar
    b: Scalar

    def __str__(self) -> str:
        a, b = _apart(self.a, self.b)
        return f"{a} >= {b}"


@dataclass(frozen=True, slots=True)
class Below:
    """`a < b`."""

    a: Scalar
    b: Scalar

    def __str__(self) -> str:
        return f"{self.a} < {self.b}"


@dataclass(frozen=True, slots=True)
class Divides:
    """`a` divides `b`, or `denied`, does not."""

    a: Scalar
    b: Scalar
    denied: bool = False

    def __str__(self) -> str:
        if self.a == Num(2):
            return _parity(self.b, self.denied)
        return f"{self.a} does not divide {self.b}" if self.denied else f"{self.a} divides {self.b}"


@dataclass(frozen=True, slots=True)
class Both:
    """Every one of the conditions."""

    tests: tuple[Test, ...]

    def __str__(self) -> str:
        return " and ".join(f"({t})" if isinstance(t, Either) else str(t) for t in self.tests)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the conditions."""

    tests: tuple[Test, ...]

    def __str__(self) -> str:
        return " or ".join(f"({t})" if isinstance(t, Both) else str(t) for t in self.tests)


Test = Same | AtLeast | Below | Divides | Both | Either


def both(*tests: Test) -> Test:
    """The conjunction, flat, without repetition and without what another test covers."""
    flat = dict.fromkeys(u for t in tests for u in (t.tests if isinstance(t, Both) else (t,)))
    kept = [t for t in flat if not (isinstance(t, Either) and any(u in flat for u in t.tests))]
    return kept[0] if len(kept) == 1 else Both(tuple(kept))


def either(*tests: Test) -> Test:
    """The disjunction, flat, without repetition and without what another test covers."""
    flat = dict.fromkeys(u for t in tests for u in (t.tests if isinstance(t, Either) else (t,)))
    kept = [t for t in flat if not (isinstance(t, Both) and any(u in flat for u in t.tests))]
    return kept[0] if len(kept) == 1 else Either(tuple(kept))


def replaced(t: Test, values: Mapping[str, Scalar]) -> Test:
    """The condition with expressions in place of names."""
    match t:
        case Both(tests) | Either(tests):
            return type(t)(tuple(replaced(u, values) for u in tests))
        case Divides(a, b, denied):
            return Divides(substitute(a, values), substitute(b, values), denied)
    return type(t)(substitute(t.a, values), substitute(t.b, values))


def size(t: Test) -> int:
    """How many simple conditions it is made of."""
    return sum(map(size, t.tests)) if isinstance(t, Both | Either) else 1


def condition(t: Test) -> Condition:
    """For reports: the text, and a function that decides it for numbers."""
    decides = _compiled(t)

    def holds(sizes: Sizes) -> bool:
        try:
            return decides(sizes)
        except Undefined:
            return False

    return Condition(str(t), holds)


def _compiled(t: Test) -> Holds:
    if isinstance(t, Both | Either):
        inner, combine = [_compiled(u) for u in t.tests], all if isinstance(t, Both) else any
        return lambda sizes: combine([h(sizes) for h in inner])
    return _simple(t, compute(t.a), compute(t.b))


def _simple(t: Test, a: Compute, b: Compute) -> Holds:
    match t:
        case Same():
            return lambda sizes: a(sizes) == b(sizes)
        case AtLeast():
            return lambda sizes: a(sizes) >= b(sizes)
        case Below():
            return lambda sizes: a(sizes) < b(sizes)
        case Divides(denied=denied):
            return lambda sizes: _multiple(a(sizes), b(sizes)) != denied
    raise TypeError(f"not a simple condition: {t}")


def _multiple(a: int | object, b: int | object) -> bool:
    if not a:
        raise Undefined("a division by zero")
    return b % a == 0  # type: ignore[operator]


def _apart(a: Scalar, b: Scalar) -> tuple[Scalar, Scalar]:
    """s and 2p + 1 for s - 2p - 1 and 0: what is subtracted goes to the other side."""
    taken = [m for t in a.terms if (m := _minus(t)) is not None] if isinstance(a, Plus) and b == Num(0) else []
    left = tuple(t for t in a.terms if _minus(t) is None) if isinstance(a, Plus) else ()
    if not taken or not left:
        return a, b
    return left[0] if len(left) == 1 else Plus(left), taken[0] if len(taken) == 1 else Plus(tuple(taken))


def _minus(t: Scalar) -> Scalar | None:
    """The term without its minus sign, None when it has none."""
    if isinstance(t, Num):
        return Num(-t.value) if t.value < 0 else None
    first = t.factors[0] if isinstance(t, Times) and t.factors else None
    if not isinstance(t, Times) or not isinstance(first, Num) or first.value >= 0:
        return None
    rest = t.factors[1:] if first.value == -1 else (Num(-first.value), *t.factors[1:])
    return rest[0] if len(rest) == 1 else Times(rest)


def _parity(e: Scalar, denied: bool) -> str:
    """`k is odd` for 2 | k - 1: constants go into the word."""
    terms = e.terms if isinstance(e, Plus) else (e,)
    constant = sum(t.value for t in terms if isinstance(t, Num))
    rest = tuple(t for t in terms if not isinstance(t, Num))
    if constant == int(constant) and rest:
        shown = rest[0] if len(rest) == 1 else Plus(rest)
        odd = (constant % 2 == 1) != denied
        return f"{shown} is {'odd' if odd else 'even'}"
    return f"{e} is {'odd' if denied else 'even'}"


