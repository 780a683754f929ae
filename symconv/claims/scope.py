"""What a document has said so far: arrays and where they begin, definitions, sizes, conventions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from symconv.affine import ZERO, Affine, Constraint, at_least, equal, inside
from symconv.claims.layers import Move, kin, shifted, shifted_size, shifted_sum
from symconv.claims.raw import Factor, Index, Sum
from symconv.claims.words import axes
from symconv.decide.sequence_terms import Rules
from symconv.equation import Signal, Tensor
from symconv.errors import NotationError
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.operators import Template, Unary
    from symconv.decide.scalar import Scalar

GRADIENT = "∂"  # marks the array that holds dL/d(another)
BASE = "index base"  # the setting of a document that says where indices begin
ENDS, FINITE = "ends", "have ends"  # the choice whether arrays of which nobody says how long they are have any


def gradient_of(array: str) -> str:
    """The name of the array that holds dL/d(array)."""
    return GRADIENT + array


@dataclass(frozen=True, slots=True)
class Axis:
    """Where an array begins and how long it is; no extent stands for all integers."""

    low: Affine = ZERO
    extent: Affine | None = None

    @property
    def last(self) -> Affine | None:
        return None if self.extent is None else self.low + self.extent - 1

    def __str__(self) -> str:
        return "Z" if self.extent is None else f"{self.low}..{self.last}"


LINE = Axis()
ARRAY_ROLE = re.compile(r"(?:the )?(?:inputs?|outputs?|kernel|filter|weights?|bias|image|signal|feature map|labels?)")


@dataclass(frozen=True, slots=True)
class Array:
    """A named array or a function on the integers, in the author's coordinates."""

    name: str
    axes: tuple[Axis, ...] = ()

    @property
    def finite(self) -> bool:
        return all(a.extent is not None for a in self.axes)

    def tensor(self) -> Tensor:
        if not self.finite:
            return Signal(self.name, len(self.axes))
        return Tensor(self.name, tuple(a.extent for a in self.axes if a.extent is not None))

    def shifted(self, indices: Index) -> Index:
        """The author's indices counted from 0."""
        if not self.finite:
            return indices
        self.check(indices)
        return tuple(e - a.low for e, a in zip(indices, self.axes, strict=True))

    def check(self, indices: Index) -> None:
        """As many indices as axes.

        Raises:
            NotationError: more, or fewer.
        """
        if len(indices) != len(self.axes):
            raise NotationError(f"{self.name} has {axes(len(self.axes))} and {len(indices)} indices here", -1)

    def inside(self, indices: Index) -> tuple[Constraint, ...]:
        """What it takes for an element to exist."""
        self.check(indices)
        return tuple(c for e, a in zip(indices, self.axes, strict=True) if a.extent is not None
                     for c in inside(e - a.low, a.extent))

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.axes))})"


@dataclass(frozen=True, slots=True)
class Definition:
    """name[letters] = terms."""

    name: str
    letters: tuple[str, ...]
    terms: Sum

    def at(self, indices: Index) -> Sum:
        """The terms at these indices.

        Raises:
            NotationError: more indices, or fewer, than letters.
        """
        if len(indices) != len(self.letters):
            raise NotationError(f"{self.name} has {axes(len(self.letters))} and {len(indices)} indices here", -1)
        put = dict(zip(self.letters, indices, strict=True))
        return tuple(t.apart().substitute(put) for t in self.terms)

    @property
    def reads(self) -> frozenset[str]:
        return frozenset(f.name for t in self.terms for f in t.factors)


@dataclass
class Scope:
    """Everything a formula may rely on.

    Args:
        upstream: a letter and the array whose gradient it is: delta -> o.
        roles: what a directive calls a name: x -> input.
        stars: what an operator means: "*" -> "correlation".
        taken: choices that definitions left open, with the value used and the other one; preferred: values
            for them; operators: those among them that are meanings of operators.
        low: the least value of each size; sizes not listed are at least 1.
        zero: arrays count as zero outside, as the author says; zeros: the arrays of which that is said.
        heads: how the author wrote an element of each array, to write others the same way.
        losses: names of the loss; objectives: of what adds to it, J = L + a penalty.
        functions: names of pointwise functions; ranks: of arrays met as a whole, before their shape is known.
        impulses: names of the unit impulse; listed: arrays defined element by element; elements: how many of each.
        valued: arrays of which elements are given as numbers.
        named: names of two letters in use, OH and KW; blurred: names whose definitions were not understood.
        ratios: quotients of sizes that are said to divide each other.
        examples: sizes in an example; at_hand: those of this paragraph; fixed: under which a claim is decided.
        activations: functions of which more is known than their name; sequences: sizes from layer to layer;
        examples_by: letters that number examples, x^{(n)}.
        symmetric: arrays of which a symmetry is said, which proofs do not use.
        taken_sizes: names of sizes whose formula was given; trying: only whether a formula is proved is asked.
        images: names whose elements are images, with the images' axes; runs: letters that are one name: kh, OC.
        called: arrays written as functions, f(i, j): without bounds they live on all integers.
        ranges: of letters, said apart from any formula.
        notes: conventions used while reading the current formula.
    """

    arrays: dict[str, Array] = field(default_factory=dict)
    definitions: dict[str, Definition] = field(default_factory=dict)
    upstream: dict[str, str] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    extents: dict[str, tuple[Affine, ...]] = field(default_factory=dict)
    stars: dict[str, str] = field(default_factory=dict)
    low: dict[str, int] = field(default_factory=dict)
    sizes: set[str] = field(default_factory=set)
    facts: list[Constraint] = field(default_factory=list)
    equalities: list[tuple[Scalar, Scalar]] = field(default_factory=list)
    bounds: list[tuple[Scalar, Scalar]] = field(default_factory=list)
    divides: list[tuple[Scalar, Scalar]] = field(default_factory=list)
    operation: str = ""
    bias: bool | None = None
    signals: bool = False
    dimensions: int = 2
    settings: dict[str, object] = field(default_factory=dict)
    losses: set[str] = field(default_factory=set)
    objectives: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    ranks: dict[str, int] = field(default_factory=dict)
    called: set[str] = field(default_factory=set)
    impulses: set[str] = field(default_factory=set)
    listed: set[str] = field(default_factory=set)
    elements: dict[str, int] = field(default_factory=dict)
    valued: set[str] = field(default_factory=set)
    templates: dict[tuple[str, int], Template] = field(default_factory=dict)
    meanings: dict[str, str] = field(default_factory=dict)
    unary: dict[str, Unary] = field(default_factory=dict)
    continuous: set[str] = field(default_factory=set)
    expansions: dict[str, n.Node] = field(default_factory=dict)
    offsets: set[str] = field(default_factory=set)
    quotients: dict[str, Affine] = field(default_factory=dict)
    invented: set[str] = field(default_factory=set)
    settled: set[str] = field(default_factory=set)
    base: int | None = None
    parity: dict[str, bool] = field(default_factory=dict)
    mode: str = ""
    taken: dict[str, tuple[str, str]] = field(default_factory=dict)
    preferred: Mapping[str, str] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    padding: int = 0
    support: dict[str, list[tuple[str, Constraint]]] = field(default_factory=dict)
    examples_by: frozenset[str] = frozenset()
    named: set[str] = field(default_factory=set)
    blurred: set[str] = field(default_factory=set)
    ratios: dict[tuple[Affine, Affine], Affine] = field(default_factory=dict)
    examples: dict[str, int] = field(default_factory=dict)
    at_hand: set[str] = field(default_factory=set)
    fixed: Mapping[str, int] = field(default_factory=dict)
    activations: dict[str, str] = field(default_factory=dict)
    sequences: Rules = field(default_factory=Rules)
    symmetric: list[str] = field(default_factory=list)
    taken_sizes: set[str] = field(default_factory=set)
    trying: bool = False
    images: dict[str, tuple[Axis, ...]] = field(default_factory=dict)
    runs: set[str] = field(default_factory=set)
    assumed: set[str] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    rates: dict[str, tuple[Factor, ...]] = field(default_factory=dict)
    kernel_last: bool | None = None
    rows: set[str] = field(default_factory=set)
    ranges: dict[str, n.Node] = field(default_factory=dict)
    zero: bool = False
    zeros: set[str] = field(default_factory=set)
    heads: dict[str, n.Node] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def snapshot(self) -> dict[str, object]:
        """Everything as it is now, for `restore`."""
        return {f.name: copy(getattr(self, f.name)) for f in fields(self)}

    def restore(self, before: Mapping[str, object]) -> None:
        """Forget what was learnt since: what is not understood says nothing, but that arrays need ends."""
        ends = {ENDS: self.taken[ENDS]} if ENDS in self.taken else {}
        for name, value in before.items():
            setattr(self, name, value)
        self.taken |= ends

    def branch(self) -> Scope:
        """A copy in which operators may be defined without the rest of the document taking notice."""
        return replace(self, stars=dict(self.stars), templates=dict(self.templates), meanings=dict(self.meanings))

    def rank_of_operator(self, operator: str) -> int:
        """How many axes the operands of an operator have, unless they say so themselves."""
        ranks = {rank for op, rank in self.templates if op == operator}
        return ranks.pop() if len(ranks) == 1 else int(self.choose("axes", "1", "2"))

    def zero_where(self, name: str, letter: str, broken: Constraint) -> None:
        """x[n] = 0 for n < 0: the array counts only where the condition does not hold."""
        self.support.setdefault(name, []).append((letter, Constraint(-broken.expression - 1)))

    def supported(self, f: Factor) -> list[Constraint]:
        """What it takes for the element not to be zero by what the document says."""
        return [c.substitute({letter: f.indices[0]}) for letter, c in self.support.get(f.name, ())
                if len(f.indices) == 1]

    def line(self, name: str, rank: int) -> None:
        """A function on all integers, unless the array is known."""
        self.arrays.setdefault(name, Array(name, (LINE,) * rank))

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def array(self, name: str) -> Array | None:
        """A known array; a gradient has the axes of what it belongs to."""
        if name.startswith(GRADIENT):
            inner = self.array(name.removeprefix(GRADIENT))
            return Array(name, inner.axes) if inner else None
        plain = name.rstrip("'")
        if name != plain and name not in self.arrays and plain in self.continuous:
            return Array(name, (LINE,))
        return self.arrays.get(name)

    def declared(self, name: str) -> Array | None:
        """An array of which only the shape and the first index have been said."""
        if self.base is None or name not in self.extents:
            return None
        self.arrays[name] = Array(name, tuple(Axis(Affine.of(self.base), e) for e in self.extents[name]))
        return self.arrays[name]

    def instantiate(self, name: str, depth: int = 0) -> None:
        """What was said of the same name in another layer holds here."""
        if depth > 3 or name in self.definitions or name in self.upstream:
            return
        if found := kin(name, self.upstream):
            other, move = found
            self.upstream[name] = shifted(self.upstream[other], move)
            self.instantiate(self.upstream[name], depth + 1)
        found = kin(name, self.definitions)
        if found:
            other, move = found
            d = self.definitions[other]
            for read in sorted(d.reads):
                there = shifted(read, move)
                self.shift(read, there, move)
                self.instantiate(there, depth + 1)
            self.definitions[name] = Definition(name, d.letters, shifted_sum(d.terms, move))
            self.shift(other, name, move)

    def instantiate_readers(self, name: str) -> None:
        """What reads the same name in another layer reads it here: a^{l-1} = sigma(z^{l-1}), for z^{l-1}."""
        for d in list(self.definitions.values()):
            for read in sorted(d.reads):
                found = kin(name, (read,))
                if found:
                    self.resolve(shifted(d.name, found[1]))

    def shift(self, name: str, there: str, move: Move) -> None:
        """The array of another layer, with sizes of its own; those of an array that is known are the same."""
        if name not in self.arrays or name == there:
            return
        moved = []
        for a in self.arrays[name].axes:
            sizes = {v: shifted_size(v, move) for e in (a.low, a.extent) if e is not None for v in e.names}
            self.invented |= {v for old, v in sizes.items() if old in self.invented}
            self.sizes |= set(sizes.values())
            put = {old: Affine.of(v) for old, v in sizes.items()}
            moved.append(Axis(a.low.substitute(put), a.extent.substitute(put) if a.extent is not None else None))
        said = self.extents.get(there, ())
        if len(said) == len(moved):
            moved = [replace(a, extent=e) for a, e in zip(moved, said, strict=True)]
        self.arrays.setdefault(there, Array(there, tuple(moved)))
        self.same_lengths(there, tuple(moved))

    def same_lengths(self, name: str, axes: tuple[Axis, ...]) -> None:
        """An array that is known already is as long as is said now."""
        for a, b in zip(self.arrays[name].axes if name in self.arrays else (), axes, strict=False):
            if a.extent is not None and b.extent is not None and a.extent != b.extent:
                fact = equal(a.extent, b.extent)
                self.facts += [fact] if fact not in self.facts else []

    def known_as(self, name: str) -> str:
        """Y for the array whose elements are y_ij, and the other way round."""
        other = name.swapcase()
        return other if self.array(name) is None and len(name) == 1 and other in self.arrays else name

    def size(self, name: str) -> Affine:
        self.sizes.add(name)
        return Affine.of(name)

    def length(self, array: str, rank: int = 1, axis: int = 0) -> Affine:
        """A size nobody named: |x|, the length of x, or |W|_2 along its second axis."""
        name = f"|{array}|" + (f"_{axis + 1}" if rank > 1 else "")
        self.invented.add(name)
        return self.size(name)

    def is_size(self, name: str) -> bool:
        """Does somebody say that the name is a size?"""
        role = self.roles.get(name)
        return name in self.sizes or (role is not None and (name in "iokn" or not ARRAY_ROLE.fullmatch(role)))

    def may_end(self) -> None:
        """Leave open whether arrays of which nobody says how long they are have ends."""
        self.choose(ENDS, "go on without end", FINITE)

    def choose(self, name: str, usual: str, other: str) -> str:
        """Settle for the whole document what its definitions leave open."""
        value = self.preferred.get(name, usual)
        return self.taken.setdefault(name, (value, other if value == usual else usual))[0]

    def divide(self, below: Affine, above: Affine) -> None:
        """g | C: the quotient is a size of its own."""
        if (below, above) not in self.ratios and len(above.names) == 1 and above == Affine.of(next(iter(above.names))):
            self.ratios[below, above] = self.size(f"{above}/{below}")
            self.facts.append(equal(above, below * self.ratios[below, above]))

    def ratio(self, above: Affine, below: Affine) -> Affine | None:
        """C/g, and m C/g, where g is said to divide C."""
        if len(above.items) != 1:
            return None
        ((monomial, c),) = above.items
        for name in monomial:
            found = self.ratios.get((below, Affine.of(name)))
            if found is not None:
                rest = list(monomial)
                rest.remove(name)
                return c * Affine.build({tuple(rest): 1}) * found
        return None

    def least(self, name: str) -> int:
        """The least value of a size; what only moves indices may be 0."""
        return self.low.get(name, 0 if name in self.offsets else 1)

    def resolve(self, name: str) -> str:
        """A letter for a gradient stands for that gradient."""
        if "^" in name:
            self.instantiate(name)
        of = name.removeprefix("d")
        if of != name and (of in self.arrays or (self.ranks.get(of) == 0 and any(True for _ in self.readers(of)))) \
                and name not in {*self.arrays, *self.upstream}:
            self.upstream[name] = of
            self.note(f"{name} is taken as dL/d{of}")
        return gradient_of(self.upstream[name]) if name in self.upstream else name

    def readers(self, name: str) -> Iterable[Definition]:
        """What is made of an array, on the way to the loss: what holds a gradient comes behind that."""
        return (d for d in self.definitions.values() if name in d.reads and d.name not in self.objectives
                and not any(r.startswith(GRADIENT) for r in d.reads))

    def context(self, names: Iterable[str]) -> list[Constraint]:
        """What is known of the given sizes."""
        return [*(at_least(v, self.least(v)) for v in sorted(names)), *self.facts]

    def element(self, name: str, indices: Index) -> Factor:
        return Factor(self.resolve(name), indices)
