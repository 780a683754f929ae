"""Sums as authors write them: affine tensor sums in the author's own coordinates, before shapes are known.

A `Raw` term is a Term without tensors: factors name their array and keep the author's indices, so
that x[i+j-1] stays what was written until `axes` knows where x begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

from symconv.affine import Affine, AffineLike, Constraint, equal
from symconv.errors import NotationError

Index = tuple[Affine, ...]
INTEGRAL = "∫"  # marks the variables of integrals
_numbers: ContextVar[Iterator[int]] = ContextVar("numbers")


def number_afresh() -> None:
    """Indices count from 1 again: what is decided of a document does not depend on what was read before it."""
    _numbers.set(count(1))


def fresh(name: str) -> str:
    """A bound index that no other sum uses; `plain` gives back what the author called it."""
    mark = INTEGRAL if name.startswith(INTEGRAL) else ""
    if _numbers.get(None) is None:
        number_afresh()
    return f"{mark}{plain(name)}~{next(_numbers.get())}"


def plain(name: str) -> str:
    """What the author calls an index."""
    return name.split("~")[0].removeprefix(INTEGRAL)


@dataclass(frozen=True, slots=True)
class Factor:
    """One element of an array, as is or through a pointwise function."""

    name: str
    indices: Index = ()
    function: str = ""

    def substitute(self, values: Mapping[str, AffineLike]) -> Factor:
        return replace(self, indices=tuple(e.substitute(values) for e in self.indices))

    def __str__(self) -> str:
        text = f"{self.name}[{', '.join(map(str, self.indices))}]" if self.indices else self.name
        return f"{self.function}({text})" if self.function else text


@dataclass(frozen=True, slots=True)
class Raw:
    """coefficient * product of factors, summed over `indices` where the constraints hold.

    Args:
        stated: the indices whose bounds the author wrote down; for the others, terms that read
            outside an array are understood to be left out.
        line: the indices that run over all integers, as the author says.
        reads: further elements the author names, as o_j in do_j/dw_i.
    """

    factors: tuple[Factor, ...] = ()
    indices: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    coefficient: Fraction = Fraction(1)
    stated: frozenset[str] = frozenset()
    line: frozenset[str] = frozenset()
    reads: tuple[Factor, ...] = ()

    def substitute(self, values: Mapping[str, AffineLike]) -> Raw:
        return replace(self, factors=tuple(f.substitute(values) for f in self.factors),
                       constraints=tuple(c.substitute(values) for c in self.constraints),
                       reads=tuple(f.substitute(values) for f in self.reads))

    def apart(self) -> Raw:
        """The same term with bound indices of its own."""
        names = {n: fresh(n) for n in self.indices}
        moved = self.substitute(names)
        return replace(moved, indices=tuple(names.values()), stated=frozenset(names.get(n, n) for n in self.stated),
                       line=frozenset(names.get(n, n) for n in self.line))

    def where(self, *constraints: Constraint) -> Raw:
        return replace(self, constraints=self.constraints + constraints)

    def over(self, names: Iterable[str], constraints: Iterable[Constraint] = (), stated: Iterable[str] = (),
             line: Iterable[str] = ()) -> Raw:
        """Summed over further indices."""
        return replace(self, indices=(*self.indices, *names), constraints=(*self.constraints, *constraints),
                       stated=self.stated | frozenset(stated), line=self.line | frozenset(line))

    def __str__(self) -> str:
        body = " * ".join(map(str, self.factors)) or "1"
        body = body if self.coefficient == 1 else f"{self.coefficient} * {body}"
        where = f" : {' and '.join(map(str, self.constraints))}" if self.constraints else ""
        return f"sum_{{{','.join(self.indices)}{where}}} {body}" if self.indices or where else body


Sum = tuple[Raw, ...]
ONE: Sum = (Raw(),)


def scale(terms: Sum, number: Fraction | int) -> Sum:
    """Every term times a number."""
    return tuple(replace(t, coefficient=t.coefficient * number) for t in terms) if number else ()


def multiply(left: Sum, right: Sum) -> Sum:
    """Every product of two terms, bound indices kept apart."""
    found = []
    for a in left:
        for b in right:
            other = b.apart() if set(a.indices) & set(b.indices) else b
            found.append(Raw(a.factors + other.factors, a.indices + other.indices,
                             a.constraints + other.constraints, a.coefficient * other.coefficient,
                             a.stated | other.stated, a.line | other.line, a.reads + other.reads))
    return tuple(found)


def derivative(terms: Sum, name: str, at: Index) -> Sum:
    """d(terms)/d(name[at]) by the product rule; a pointwise function contributes its derivative."""
    found = []
    for t in terms:
        for place, f in enumerate(t.factors):
            if f.name != name:
                continue
            if len(f.indices) != len(at):
                raise NotationError(f"{name} is read with {len(f.indices)} and with {len(at)} indices", -1)
            rest = t.factors[:place] + t.factors[place + 1:]
            if f.function:
                rest += (replace(f, function=f.function + "'"),)
            here = tuple(equal(a, b) for a, b in zip(f.indices, at, strict=True))
            found.append(replace(t, factors=rest, constraints=t.constraints + here))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression denotes: a number at every index of a box or of Z^rank.

    Args:
        rank: how many indices it takes.
        at: its terms at given indices, in the author's coordinates.
        array: the array's name, when it is one as a whole.
        row: a transposed vector.
        box: (first, last) along each axis, where that is known.
    """

    rank: int
    at: Callable[[Index], Sum]
    array: str = ""
    row: bool = False
    box: tuple[tuple[Affine, Affine] | None, ...] = ()

    @staticmethod
    def scalar(terms: Sum) -> Value:
        return Value(0, lambda _: terms)

    @property
    def terms(self) -> Sum:
        if self.rank:
            raise NotationError("a whole array stands where a number should", -1)
        return self.at(())
