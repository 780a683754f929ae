"""What a pointwise function may stand for, with its derivatives, to tell numbers apart.

A formula that writes sigma means some function its author has in mind, or any. It is called wrong only
when it is wrong for each of these; a name that belongs to one function stands for that one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

Number = int | Fraction | float


@dataclass(frozen=True)
class Interpretation:
    """A function and its derivatives, the function itself first."""

    text: str
    derivatives: tuple[Callable[[Number], Number], ...]


def _logistic(z: Number) -> float:
    return 1 / (1 + math.exp(-float(z))) if z > -700 else 0.0


def _logistic1(z: Number) -> float:
    return _logistic(z) * (1 - _logistic(z))


def _logistic2(z: Number) -> float:
    return _logistic1(z) * (1 - 2 * _logistic(z))


def _tanh1(z: Number) -> float:
    return 1 - math.tanh(z) ** 2


def _tanh2(z: Number) -> float:
    return -2 * math.tanh(z) * _tanh1(z)


def _softplus(z: Number) -> float:
    return max(float(z), 0.0) + math.log1p(math.exp(-abs(float(z))))


SQUARE = Interpretation("z^2", (lambda z: z * z, lambda z: 2 * z, lambda z: 2))
CUBIC = Interpretation("z^3 + z", (lambda z: z * z * z + z, lambda z: 3 * z * z + 1, lambda z: 6 * z))
RELU = Interpretation("max(z, 0)", (lambda z: max(z, 0), lambda z: int(z > 0), lambda z: 0))
SIGMOID = Interpretation("1/(1 + exp(-z))", (_logistic, _logistic1, _logistic2))
TANH = Interpretation("tanh(z)", (math.tanh, _tanh1, _tanh2))
SOFTPLUS = Interpretation("log(1 + exp(z))", (_softplus, _logistic, _logistic1))
EXP = Interpretation("exp(z)", (math.exp, math.exp, math.exp))
LOG = Interpretation("log(z)", (math.log, lambda z: 1 / z, lambda z: -1 / (z * z)))
# The identity is not among them: who writes sigma does not mean it, and every lost factor sigma'
# would pass for true with it.
GENERAL = (SQUARE, CUBIC, RELU, SIGMOID, TANH, SOFTPLUS)
SPECIFIC = {"relu": RELU, "sigmoid": SIGMOID, "tanh": TANH, "softplus": SOFTPLUS, "exp": EXP, "log": LOG,
            "ln": LOG}


def interpretations(functions: Sequence[str]) -> Iterator[dict[str, Interpretation]]:
    """What the functions may stand for together: each combination of two, beyond that shifted lists.

    `functions` are names without derivative marks.
    """
    general = [f for f in functions if f.lower() not in SPECIFIC]
    fixed = {f: SPECIFIC[f.lower()] for f in functions if f.lower() in SPECIFIC}
    rest = range(len(GENERAL)) if len(general) > 1 else range(1)
    for i in range(len(GENERAL)) if general else range(1):
        for j in rest:
            yield fixed | {f: GENERAL[(i + n * j) % len(GENERAL)] for n, f in enumerate(general)}


@lru_cache(maxsize=4096)
def base_name(function: str) -> tuple[str, int]:
    """A function's name without its derivative marks, and how many there were."""
    base = function.rstrip("'")
    return base, len(function) - len(base)


def apply(function: str, value: Number, meaning: dict[str, Interpretation]) -> Number | None:
    """The value of a function or of its derivative; None when the order of the derivative is too high."""
    base, order = base_name(function)
    known = meaning[base].derivatives
    try:
        return known[order](value) if order < len(known) else None
    except (OverflowError, ValueError, ZeroDivisionError):
        return None
