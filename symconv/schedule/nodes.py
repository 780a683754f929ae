"""What a kernel is made of before it is text: loops, conditions, stores, and the few statements of vectors."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Tensor


@dataclass(frozen=True, slots=True)
class Loop:
    """for name from max(low) up to, not including, min(high): body."""

    name: str
    low: tuple[Affine, ...]
    high: tuple[Affine, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Guard:
    """Do the body only where every condition holds."""

    conditions: tuple[Constraint, ...]
    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """coefficient * product of elements; an empty product is the coefficient."""

    coefficient: object
    factors: tuple[Access, ...] = ()


@dataclass(frozen=True, slots=True)
class Store:
    """target = value, or target += value; a target without an access is the running sum."""

    target: Access | str
    value: Product | str
    add: bool = False


@dataclass(frozen=True, slots=True)
class Declare:
    """A running sum, or with an extent the partial sums of a lane, all zero or starting at value."""

    name: str
    extent: int = 0
    value: Product | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A body with names of its own."""

    body: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Pointer:
    """name = &access, constant inside the loop it stands in."""

    name: str
    access: Access


@dataclass(frozen=True, slots=True)
class Fetch:
    """name = width elements at pointer + offset; one element when width is 0."""

    name: str
    pointer: str
    offset: int
    width: int


@dataclass(frozen=True, slots=True)
class Shift:
    """Lane k of `name` is lane k + by of `source` for low <= k < high, and zero elsewhere."""

    name: str
    source: str
    width: int
    by: int
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class MultiplyAdd:
    """target += product of factors."""

    target: str
    factors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accumulator:
    """A vector that starts at zero, or at `start` read along the lane with `stride` 0 or 1 (`lanes` of it)."""

    name: str
    width: int
    start: Access | None
    stride: int
    lanes: int


@dataclass(frozen=True, slots=True)
class Keep:
    """access... = the first lanes of a vector."""

    access: Access
    name: str
    width: int
    lanes: int
    add: bool


@dataclass(frozen=True, slots=True)
class Total:
    """access = start + the sum of a vector's lanes."""

    access: Access
    name: str
    width: int
    start: Access | None
    add: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """Element k at `target` = the sum of the k-th of `count` vectors at `source`; those from there to `width` are
    written too, with what nobody may read."""

    target: Access
    source: Access
    count: int
    width: int


@dataclass(frozen=True, slots=True)
class Transpose:
    """Rows of a width x width square at `source` become columns at `target`; rows are `step` elements apart."""

    target: Access
    source: Access
    target_step: int
    source_step: int
    width: int


@dataclass(frozen=True, slots=True)
class Label:
    """What the loops that follow compute; for a copy also of what: `value`, zero outside its array."""

    place: Access
    value: Access | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """`count` elements from `source` on go to `target` and after."""

    target: Access
    source: Access
    count: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """A small local array, not initialised."""

    tensor: Tensor


Node = (Loop | Guard | Store | Declare | Scope | Label
        | Pointer | Fetch | Shift | MultiplyAdd | Accumulator | Keep | Total | Totals | Transpose | Row | Buffer)
