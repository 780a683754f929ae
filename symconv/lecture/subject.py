"""What a lecture is about: a derivation, the words it is told in, and the sizes and numbers it is shown at."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

from symconv.derivation import Derivation, derive
from symconv.emit import Package, emit
from symconv.equation import Equation, Tensor
from symconv.errors import LimitExceeded
from symconv.expand import Index, monomials, written_out
from symconv.lecture.example import Example, example
from symconv.lecture.extents import small
from symconv.lecture.palette import Ink, inks
from symconv.lecture.words import Phrase, Pieces, Value, Words
from symconv.notation.build import build, tensor_node
from symconv.notation.nodes import Add, Chain, Dots, Element, Node, Noted, Number, Partial, Signed, Symbol
from symconv.system import LayerLike, System

READABLE = 600  # elements of one array that an example may have
TERMS = 8  # products written out on one line


@dataclass(frozen=True)
class Subject:
    """Everything sections are written from.

    Args:
        layer: as it was given; figures take it too.
        base: where printed indices start.
        seed: of the numbers.
        isa: whose vectors the C code uses.
        validate: compile and run the kernels that are shown.
    """

    layer: LayerLike
    words: Words
    base: int = 1
    seed: int = 0
    isa: str = "generic"
    validate: bool = False

    @cached_property
    def derivation(self) -> Derivation:
        return derive(self.layer)

    @property
    def system(self) -> System:
        return self.derivation.system

    @cached_property
    def shown(self) -> System:
        """The system at sizes at which numbers can be shown: those asked for, or smaller ones."""
        return small(self.system)

    @property
    def shrunk(self) -> bool:
        return dict(self.shown.sizes) != dict(self.system.sizes)

    @cached_property
    def example(self) -> Example | None:
        """The numbers; None where there are none to show."""
        tensors = [t for e in self.shown.concrete().equations for t in (e.output, *e.reads)]
        if any(prod(t.extents) > READABLE for t in tensors):
            return None
        return example(self.derivation, self.shown, self.seed)

    @cached_property
    def package(self) -> Package:
        """The kernels as they are emitted. Raises what `emit` raises where there are none."""
        return emit(self.derivation, isa=self.isa)

    @cached_property
    def inks(self) -> dict[str, Ink]:
        return inks(self.system)

    @cached_property
    def _roles(self) -> dict[str, Ink]:
        """The ink of a node by its role: an array's name, or the symbol of a gradient that has one."""
        gradients = [e.output.gradient() for e in self.system.equations]
        return {**self.inks, **{g.symbol: self.inks[g.name] for g in gradients if g.symbol != g.name}}

    def ink(self, node: Node) -> Ink | None:
        """The ink of an element; dL/dz of a result is the upstream gradient."""
        if isinstance(node, Partial) and isinstance(node.of, Symbol) and isinstance(node.by, Element):
            return self.inks.get(f"d{node.by.role}") if node.by.role in self._made else None
        return self._roles.get(node.role) if isinstance(node, Element) and node.role else None

    @cached_property
    def _made(self) -> frozenset[str]:
        return frozenset(e.output.name for e in self.system.equations)

    def mark(self, node: Node) -> str:
        """The CSS classes of a node."""
        ink = self.ink(node)
        if ink is None:
            return ""
        inner = node.by if isinstance(node, Partial) else node
        entries = inner.indices if isinstance(inner, Element) else ()
        numbers = tuple(int(i.value) for i in entries if isinstance(i, Number))
        return ink.element(numbers) if len(numbers) == len(entries) and entries else ink.tensor()

    def say(self, key: str, /, **values: Value) -> Pieces:
        return self.words(key, **values)

    def node(self, equation: Equation) -> Node:
        """The formula of an equation, without what is said beside it."""
        return bare(build(equation, self.base))

    def name(self, equation: Equation) -> Phrase | None:
        found = self.derivation.names.get(equation.output.name)
        return Phrase(found) if found else None

    def element(self, tensor: Tensor, at: Index) -> Node:
        """One element as a node; indices given from 0."""
        return tensor_node(tensor, tuple(Number(i + self.base) for i in at))

    def written(self, equation: Equation, at: Index, most: int = TERMS) -> Chain:
        """One element of an equation with sizes in numbers, written out; with dots where it is long."""
        found = [m for _, m in monomials(equation, at)]
        right = written_out(found, self.base)
        if isinstance(right, Add) and len(right.terms) > most:
            right = Add((*right.terms[:3], Signed(False, Dots()), right.terms[-1]))
        return Chain((self.element(equation.output, at), right), ("=",))

    def at(self, equation: Equation, system: System | None = None) -> Equation:
        """An equation with its sizes in numbers."""
        return equation.at(dict((system or self.system).sizes))


def bare(node: Node) -> Node:
    """A formula without its side conditions."""
    return node.body if isinstance(node, Noted) else node


def notes(node: Node) -> tuple[Node, ...]:
    """The side conditions of a formula."""
    return node.notes if isinstance(node, Noted) else ()


def count(equation: Equation, limit: int) -> int:
    """How many products an equation with sizes in numbers has; limit + 1 where there are more."""
    from symconv.expand import check_limit

    try:
        check_limit(equation, limit=limit)
    except LimitExceeded:
        return limit + 1
    return sum(1 for _ in monomials(equation))


def shape(tensor: Tensor) -> str:
    """`3 × 8 × 8`."""
    return " × ".join(map(str, tensor.extents)) or "1"


def elements(tensor: Tensor) -> int:
    """How many numbers a tensor with its sizes in numbers holds."""
    return prod(tensor.extents)


def values(system: System) -> tuple[Node, ...]:
    """Its sizes: n = 5, k = 3."""
    return tuple(Chain((Symbol(n), Number(v)), ("=",)) for n, v in system.sizes)


def entry(value: Any) -> str:
    """A number as it is read, with a real minus sign: -1/10 as −0.1."""
    text = f"{float(value):g}" if getattr(value, "denominator", 1) != 1 else str(int(value))
    return text.replace("-", "−")
