"""Numbers that go from layer to layer: k_l, sums and products over layers, powers, and what is known of them.

They are scalars like others, `+ - * /` included; what is new stands for an element, a series and a symbolic power.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from symconv.affine import Affine
from symconv.decide import scalar_terms
from symconv.decide.scalar_terms import Num, Plus, Scalar, Times, Var


@dataclass(frozen=True, slots=True, repr=False)
class At(Scalar):
    """An element of a sequence: k_l."""

    name: str
    index: Affine

    def shown(self) -> str:
        return f"{self.name}[{self.index}]"


@dataclass(frozen=True, slots=True, repr=False)
class Total(Scalar):
    """The sum or product of a body for index = low, ..., high; empty when high < low."""

    index: str
    low: Affine
    high: Affine
    body: Scalar
    product: bool = False

    def shown(self) -> str:
        return f"{'prod' if self.product else 'sum'}_{{{self.index}={self.low}}}^{{{self.high}}} ({self.body})"


@dataclass(frozen=True, slots=True, repr=False)
class Power(Scalar):
    """A power whose exponent may hold the number of layers."""

    base: Scalar
    exponent: Affine

    def shown(self) -> str:
        return f"({self.base})^({self.exponent})"


@dataclass(frozen=True, slots=True)
class Step:
    """name[letter] = body, for every letter that is not among the first ones."""

    letter: str
    body: Scalar


@dataclass(frozen=True)
class Rules:
    """What is known of sequences.

    Args:
        starts: first elements by name and index; steps: what later ones are; plain: what numbers with a name are.
        low: the least value of a sequence's elements; 1 where nothing is said.
        back: what earlier elements are, by later ones, from the last one on, whose index and value `ends` has.
    """

    starts: Mapping[str, Mapping[int, Scalar]] = field(default_factory=dict)
    steps: Mapping[str, Step] = field(default_factory=dict)
    plain: Mapping[str, Scalar] = field(default_factory=dict)
    low: Mapping[str, int] = field(default_factory=dict)
    back: Mapping[str, Step] = field(default_factory=dict)
    ends: Mapping[str, tuple[Affine, Scalar]] = field(default_factory=dict)


def parts(t: Scalar) -> tuple[Scalar, ...]:
    """The terms directly below."""
    return (t.body,) if isinstance(t, Total) else (t.base,) if isinstance(t, Power) else scalar_terms.parts(t)


def rebuilt(t: Scalar, inner: tuple[Scalar, ...]) -> Scalar:
    """The same kind of term with other terms directly below."""
    if isinstance(t, Total):
        return replace(t, body=inner[0])
    return replace(t, base=inner[0]) if isinstance(t, Power) else scalar_terms.rebuilt(t, inner)


def walk(t: Scalar) -> Iterator[Scalar]:
    """The term and everything below."""
    yield t
    for p in parts(t):
        yield from walk(p)


def put(t: Scalar, values: Mapping[str, Affine]) -> Scalar:
    """With expressions for letters; a letter stands for a number where it is not an index."""
    match t:
        case Var(name) if name in values:
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


def moved(t: Scalar) -> Scalar:
    """With the elements of the next layer in place of each."""
    return At(t.name, t.index + 1) if isinstance(t, At) else rebuilt(t, tuple(map(moved, parts(t))))


def value_of(e: Affine) -> Scalar:
    return Plus(tuple(Times((Num(c), *map(Var, m))) for m, c in e))


def letters_of(t: Scalar) -> set[str]:
    """The letters that say which element, how many terms, or which power: those that are free."""
    match t:
        case At(index=e):
            return set(e.names)
        case Total():
            return set(t.low.names | t.high.names) | (letters_of(t.body) - {t.index})
        case Power(base, e):
            return letters_of(base) | set(e.names)
    return set().union(*map(letters_of, parts(t)))
