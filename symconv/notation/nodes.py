"""The only mathematical syntax tree: frozen values that every printer reads."""

from __future__ import annotations

from dataclasses import dataclass, field
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
    """A summand: its sign, and what is added or subtracted.

    Args:
        choice: 1 for plus-minus and -1 for minus-plus, where `negative` says nothing.
    """

    negative: bool
    node: Node
    choice: int = 0


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
    """A summation index; where its range is stated, its first value, its last and the one after, or
    the set it runs over."""

    index: Node
    low: Node | None = None
    high: Node | None = None
    stop: Node | None = None
    within: Node | None = None


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


# What authors write, before anyone has decided what it means: the parser's output.


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A letter or a word: `w`, `delta` for \\delta, `out` for \\text{out}.

    Args:
        style: "bold", "rm", "sans", "cal", "text", "blackboard" or "".
        accent: "hat", "tilde", "bar", "vec", "dot" or "".
        at: offset in the LaTeX it was read from.
    """

    text: str
    style: str = field(default="", compare=False)
    accent: str = ""
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Scripted(Node):
    """A base with subscripts, superscripts and primes: w_{m,n}^{(l)}, k^2, x^T.

    Entries are separated by commas; `W_{ij}` has one entry, the Product of i and j.

    Args:
        grouped: the superscript stood in parentheses, as in z^{(l)}, or in square brackets.
        bracket: which of them, where it did.
    """

    base: Node
    below: tuple[Node, ...] = ()
    above: tuple[Node, ...] = ()
    primes: int = 0
    grouped: bool = False
    bracket: str = "("


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A name with arguments in brackets: f(i, j), x[i+j-1], sigma(z); or a product that looks so."""

    head: Node
    arguments: tuple[Node, ...]
    bracket: str = "("


@dataclass(frozen=True, slots=True)
class Bracketed(Node):
    """An expression in brackets of its own: (a + b), [f * g], {a}."""

    body: Node
    bracket: str = "("


@dataclass(frozen=True, slots=True)
class Operation(Node):
    """Two operands and an operator that has more than one meaning: "*", "star", "circledast",
    "otimes", "odot", "circ", "times", "mod".

    Args:
        label: a word on the operator, as `full` in *_{full}.
    """

    operator: str
    left: Node
    right: Node
    label: str = ""
    at: int = field(default=-1, compare=False)


@dataclass(frozen=True, slots=True)
class Rounded(Node):
    """A floor, or a ceiling."""

    body: Node
    up: bool = False


@dataclass(frozen=True, slots=True)
class Integral(Node):
    """The integral of `body` over the variables, with bounds or a set where they are stated."""

    variables: tuple[Node, ...]
    body: Node
    low: Node | None = None
    high: Node | None = None
    within: Node | None = None


@dataclass(frozen=True, slots=True)
class BigProduct(Node):
    """A product over ranges."""

    ranges: tuple[Range, ...]
    body: Node


@dataclass(frozen=True, slots=True)
class Matrix(Node):
    rows: tuple[tuple[Node, ...], ...]
    bracket: str = "["


@dataclass(frozen=True, slots=True)
class Cases(Node):
    """Values and the conditions under which they hold; None for "otherwise"."""

    branches: tuple[tuple[Node, Node | None], ...]


@dataclass(frozen=True, slots=True)
class Items(Node):
    """Entries separated by commas: (a, b, c), or the range 1, ..., n."""

    entries: tuple[Node, ...]
    bracket: str = ""


@dataclass(frozen=True, slots=True)
class Dots(Node):
    """An ellipsis."""


KINDS = tuple(v for v in tuple(globals().values()) if isinstance(v, type) and issubclass(v, Node) and v is not Node)
