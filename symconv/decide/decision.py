"""What was decided about a claim, with the evidence: the answer every engine contributes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from symconv.errors import SymconvError

KINDS = ("proved", "proved_if", "proved_for", "refuted", "checked", "unknown")


class EngineDisagreement(SymconvError):
    """Two engines, or an engine and the enumeration, contradict each other: a defect of symconv."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on sizes, such as `p = 0 or k = 1`.

    Args:
        text: what people read, in plain text with the size names of the context.
        holds: decides it for given sizes.
    """

    text: str
    holds: Callable[[Mapping[str, int]], bool] = field(compare=False, repr=False)

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Counterexample:
    """The smallest case in which the two sides differ.

    Args:
        sizes: every size of the context, in numbers.
        index: the output index at which they differ, counted from 0.
        tensors: integer contents for every tensor read: nested tuples, or, for a signal on Z^d
            and for very large tensors, (index, value) pairs of what is not zero. All are filled
            where that is few numbers, else they are zero but where it matters.
        claimed, actual: the two values there: the left-hand and the right-hand expression.
        monomial: the product whose coefficients differ, as `w[0] * x[2]`, or "".
        functions: (name, text) of what each pointwise function stands for in these values.
    """

    sizes: tuple[tuple[str, int], ...] = ()
    index: tuple[int, ...] = ()
    tensors: tuple[tuple[str, object], ...] = ()
    claimed: int | Fraction | float = 0
    actual: int | Fraction | float = 0
    monomial: str = ""
    functions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome of one claim, and no more than was established.

    Args:
        kind: `proved` for all sizes; `proved_if` exactly under `condition`; `proved_for` sizes that
            satisfy `condition`, with a counterexample outside; `refuted`: false for every size, or
            false somewhere with no condition found; `checked` up to the sizes `reason` names, no proof; `unknown`.
        reason: why no proof was found, or which rule proved it.
        engines: what contributed, of "embedded", "isl", "enumeration", "algebra".
    """

    kind: str
    condition: Condition | None = None
    counterexample: Counterexample | None = None
    reason: str = ""
    engines: tuple[str, ...] = ()
