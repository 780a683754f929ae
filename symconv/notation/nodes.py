"""The only mathematical syntax tree: frozen values that every printer reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Node:
    """Base of everything that can be printed."""


@dataclass(frozen=True, slots=True)
class Number(Node):
    value: int | Fraction


@dataclass(frozen=True, slots=True)
class Symbol(Node):
    """An index, a size, or L."""

    name: str


@dataclass(frozen=True, slots=True)
class Element(Node):
    """One element of a tensor.

    Args:
        symbol: what is printed, `x` or `delta`.
        indices: none for a tensor named as a whole.
        role: which tensor of the layer it is, for colour: `x`, `w`, `y`, or `delta`...
    """

    symbol: str
    indices: tuple[Node, ...] = ()
    role: str = ""

    @property
    def term(self) -> str:
        """The id that ties one element across formulas and figures: `w_3`, `x_1_2`; with letters
        among the indices, the symbol alone."""
        numbers = [i.value for i in self.indices if isinstance(i, Number)]
        return "_".join([self.symbol, *map(str, numbers)]) if len(numbers) == len(self.indices) else self.symbol


@dataclass(frozen=True, slots=True)
class Product(Node):
    """Factors side by side; a leading Number is the coefficient."""

    factors: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Signed(Node):
    """A summand: its sign, and what is added or subtracted."""

    negative: bool
    node: Node


@dataclass(frozen=True, slots=True)
class Add(Node):
    terms: tuple[Signed, ...]


@dataclass(frozen=True, slots=True)
class Quotient(Node):
    above: Node
    below: Node


@dataclass(frozen=True, slots=True)
class Partial(Node):
    """The partial derivative of one element (or of L) by another element."""

    of: Node
    by: Node


@dataclass(frozen=True, slots=True)
class Apply(Node):
    """A pointwise function of one element: `sigma`, `sigma'`."""

    function: str
    argument: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """`a = b`, `1 <= i <= n`: one operator between consecutive items: `=` defines, `==`, `<=` and `>=` compare."""

    items: tuple[Node, ...]
    operators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Iverson(Node):
    """[condition]: one where it holds, else zero."""

    condition: Node


@dataclass(frozen=True, slots=True)
class Range(Node):
    """A summation index; where its range is stated, its first value, its last and the one after."""

    index: Symbol
    low: Node | None = None
    high: Node | None = None
    stop: Node | None = None


@dataclass(frozen=True, slots=True)
class Sum(Node):
    """The sum of `body` over the points of the ranges at which every condition holds."""

    ranges: tuple[Range, ...]
    body: Node
    conditions: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Outside(Node):
    """A tensor counts as zero outside the given ranges."""

    tensor: Node
    ranges: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class Text(Node):
    words: str


@dataclass(frozen=True, slots=True)
class Noted(Node):
    """A formula followed by its side conditions."""

    body: Node
    notes: tuple[Node, ...]


KINDS = tuple(v for v in tuple(globals().values()) if isinstance(v, type) and issubclass(v, Node) and v is not Node)
