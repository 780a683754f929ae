"""What a claim says, without notation. Every index counts from 0; `render` shifts it to the author's base."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from .poly import ZERO, Bound, Index, Poly


@dataclass(frozen=True)
class Read:
    """An element of an array; `of`, with an index of its own, makes it the derivative d array / d of."""

    array: str
    index: tuple[Index, ...] = ()
    function: str = ""
    of: Read | None = None

    @property
    def names(self) -> frozenset[str]:
        inner = self.of.names if self.of else frozenset()
        return inner.union(*(e.names for e in self.index))


@dataclass(frozen=True)
class Sum:
    """A summation index; without bounds it runs wherever everything it selects exists."""

    name: str
    low: Bound | None = None
    high: Bound | None = None


@dataclass(frozen=True)
class Test:
    """What stands below the sum: `left = right`, or `divisor divides left`."""

    left: Poly
    right: Poly = ZERO
    divisor: Poly | None = None

    @property
    def names(self) -> frozenset[str]:
        return self.left.names | self.right.names | (self.divisor.names if self.divisor else frozenset())


@dataclass(frozen=True)
class Term:
    """coefficient * sum of a product."""

    reads: tuple[Read, ...]
    sums: tuple[Sum, ...] = ()
    tests: tuple[Test, ...] = ()
    coefficient: Fraction = Fraction(1)

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(r.names for r in self.reads), *(t.names for t in self.tests))

    def summed(self, name: str) -> bool:
        return any(s.name == name for s in self.sums)


@dataclass(frozen=True)
class Layer:
    """A forward formula.

    Args:
        shapes: extents of every array. The output's may be a Ratio of sizes.
        sizes: names with the numbers they take in the box.
        activation: h = sigma(output) follows, and delta is dL/dh.
        given: directives in canonical names, `{S}` for a name.
        ranges: output indices and the last value of each, to be stated after the formula.
    """

    family: str
    output: Read
    terms: tuple[Term, ...]
    shapes: tuple[tuple[str, tuple[Bound, ...]], ...]
    sizes: tuple[tuple[str, tuple[int, ...]], ...]
    activation: bool = False
    given: tuple[str, ...] = ()
    ranges: tuple[tuple[str, Bound], ...] = ()

    def shape(self, array: str) -> tuple[Bound, ...]:
        return dict(self.shapes)[array]


@dataclass(frozen=True)
class Claim:
    """left = right.

    Args:
        kind: "dw", "dx", "db", "local", "chain", "element", "update", "identity": for the table.
        left: the derivative of the loss by this element ("gradient"), an element's own formula
            ("forward"), a local derivative ("local"), an updated array ("update").
        zero: the author says that arrays are zero outside.
    """

    kind: str
    layer: Layer
    how: str
    left: Read
    right: tuple[Term, ...]
    zero: bool = False
    mutation: str = "none"

    def mutated(self, mutation: str, right: tuple[Term, ...]) -> Claim:
        return replace(self, mutation=mutation, right=right)
