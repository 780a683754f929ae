"""Numbers that go from layer to layer: k_l, sums and products over layers, powers, and what is known of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symconv.affine import Affine


@dataclass(frozen=True, slots=True)
class Number:
    value: Fraction


@dataclass(frozen=True, slots=True)
class Size:
    """A number with a name: k, or the number of layers itself."""

    name: str


@dataclass(frozen=True, slots=True)
class At:
    """An element of a sequence: k_l."""

    name: str
    index: Affine


@dataclass(frozen=True, slots=True)
class Total:
    """The sum or product of a body for index = low, ..., high; empty when high < low."""

    index: str
    low: Affine
    high: Affine
    body: Term
    product: bool = False


@dataclass(frozen=True, slots=True)
class Power:
    base: Term
    exponent: Affine


@dataclass(frozen=True, slots=True)
class Added:
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Multiplied:
    factors: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Ratio:
    above: Term
    below: Term


Term = Number | Size | At | Total | Power | Added | Multiplied | Ratio


UNIT = Multiplied(())


@dataclass(frozen=True, slots=True)
class Step:
    """name[letter] = body, for every letter that is not among the first ones."""

    letter: str
    body: Term


@dataclass(frozen=True)
class Rules:
    """What is known of sequences.

    Args:
        starts: first elements by name and index; steps: what later ones are; plain: what numbers with a name are.
        low: the least value of a sequence's elements; 1 where nothing is said.
    """

    starts: Mapping[str, Mapping[int, Term]] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)
    plain: Mapping[str, Term] = field(default_factory=dict)
    low: Mapping[str, int] = field(default_factory=dict)


def parts(t: Term) -> tuple[Term, ...]:
    """The terms directly below."""
    match t:
        case Total(body=body) | Power(base=body):
            return (body,)
        case Added(inner) | Multiplied(inner):
            return inner
        case Ratio(above, below):
            return above, below
    return ()


def rebuilt(t: Term, inner: tuple[Term, ...]) -> Term:
    """The same kind of term with other terms directly below."""
    match t:
        case Total():
            return replace(t, body=inner[0])
        case Power():
            return replace(t, base=inner[0])
        case Added():
            return Added(inner)
        case Multiplied():
            return Multiplied(inner)
        case Ratio():
            return Ratio(*inner)
    return t


def walk(t: Term) -> Iterator[Term]:
    """The term and everything below."""
    yield t
    for p in parts(t):
        yield from walk(p)


def put(t: Term, values: Mapping[str, Affine]) -> Term:
    """With expressions for letters; a letter stands for a number where it is not an index."""
    match t:
        case Size(name) if name in values:
            return value_of(values[name])
        case At(name, index):
            return At(name, index.substitute(values))
        case Total():
            if t.index in {v for e in values.values() for v in e.names}:  # another index of the same name
                other = f"{t.index}~"
                t = replace(t, index=other, body=put(t.body, {t.index: Affine.of(other)}))
            inner = {v: e for v, e in values.items() if v != t.index}
            return replace(t, low=t.low.substitute(values), high=t.high.substitute(values), body=put(t.body, inner))
        case Power(base, exponent):
            return Power(put(base, values), exponent.substitute(values))
    return rebuilt(t, tuple(put(x, values) for x in parts(t)))


def value_of(e: Affine) -> Term:
    return Added(tuple(Multiplied((Number(Fraction(c)), *map(Size, m))) for m, c in e))


def letters_of(t: Term) -> set[str]:
    """The letters that say which element, how many terms, or which power: those that are free."""
    match t:
        case At(index=e):
            return set(e.names)
        case Total():
            return set(t.low.names | t.high.names) | (letters_of(t.body) - {t.index})
        case Power(base, e):
            return letters_of(base) | set(e.names)
    return set().union(*map(letters_of, parts(t)))
