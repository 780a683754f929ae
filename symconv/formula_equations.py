"""From definitions in the author's coordinates to equations whose arrays are identifiers counted from 0."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fractions import Fraction

from symconv.affine import Affine
from symconv.claims.raw import Factor, Raw, plain
from symconv.claims.scope import Definition, Scope
from symconv.claims.settle import settle
from symconv.equation import Access, Context, Equation, Tensor, Term
from symconv.errors import NotationError, NotSupported
from symconv.identifiers import identifiers
from symconv.system import POINTWISE

SPARE = "mnuvtabcdefghijklpqrs"


@dataclass(frozen=True)
class Writer:
    """Writes the definitions of a scope as equations.

    Args:
        definitions: in the order they are computed.
        sizes: new names for some sizes.
        numbers: for sizes that stand as factors.
        spelled: how the author writes a name, where that differs.
        base: where the author's indices start.
    """

    scope: Scope
    definitions: tuple[Definition, ...]
    sizes: Mapping[str, str]
    numbers: Mapping[str, int]
    spelled: Mapping[str, str]
    base: int

    def tensors(self, inputs: Iterable[str]) -> dict[str, Tensor]:
        """Every array: inputs in their order, then results.

        Raises:
            NotationError: an array of unknown length, or an index without a range.
        """
        names = [*inputs, *(d.name for d in self.definitions)]
        known = identifiers(names)
        return {name: self._tensor(name, known[name]) for name in names}

    def _tensor(self, name: str, identifier: str) -> Tensor:
        array = self.scope.array(name)
        axes = array.axes if array else ()
        shape = []
        letters = next((map(plain, d.letters) for d in self.definitions if d.name == name), iter(()))
        for a in axes:
            letter = next(letters, "")
            if letter and a.extent is None:
                raise NotationError(f"nothing says which values {letter} takes; state its range after the formula, "
                                    f"such as , \\quad {letter} = 1, \\dots, 5", -1)
            moving = next((v for e in (a.low, a.extent) if e is not None for v in sorted(e.names) if "~" in v), "")
            if a.extent is None or moving:
                why = f": it seems to depend on {plain(moving)}" if moving else ""
                raise NotationError(f"nothing says how long {name} is{why}; give it as a formula of its own, "
                                    f"such as {name}: {' x '.join('NMPQRS'[:len(axes)])}", -1)
            shape.append(a.extent.substitute(self.sizes))
        upstream = next((letter for letter, of in self.scope.upstream.items() if of == name), "")
        return Tensor(identifier, shape, self.spelled.get(name, name), self._axes(name, len(shape)),
                      gradient_symbol=self.spelled.get(upstream, upstream))

    def _axes(self, name: str, rank: int) -> tuple[str, ...]:
        """What the gradient's indices are called: as the author indexes the array, else spare letters."""
        defined = next((d for d in self.definitions if d.name == name), None)
        if defined:
            return tuple(self._letters(defined).values())
        first = next((f for d in self.definitions for t in d.terms for f in t.factors if f.name == name), Factor(name))
        found: list[str] = []
        used = {*(plain(v) for d in self.definitions for v in d.letters), *map(unprimed, self.all_sizes)}
        spare = (v for v in SPARE if v not in used)
        for e in first.indices:
            alone = plain(next(iter(e.names))) if len(e.names) == 1 and e == Affine.of(next(iter(e.names))) else ""
            known = alone and alone not in found and alone not in map(unprimed, self.all_sizes)
            found.append(alone if known else next(v for v in spare if v not in found))
        return tuple(found) if len(found) == rank else ()

    def equation(self, d: Definition, tensors: Mapping[str, Tensor]) -> Equation:
        """One definition as an equation.

        Raises:
            NotSupported: a size as a factor, without a number.
        """
        array = self.scope.array(d.name)
        assert array is not None  # a definition makes its array known
        box = [(a.low, last) for a in array.axes if (last := a.last) is not None]
        right = settle(self.scope, (), self._valued(d.terms), d.letters, box=box).right
        outer = self._letters(d)
        context = Context(tuple(sorted(self.all_sizes)),  # all, so that no index takes the name of any
                          tuple(c.substitute(self.sizes) for c in right.context.constraints))
        terms = [self._term(t, outer, tensors) for t in right.terms]
        return Equation(tensors[d.name][tuple(map(Affine.of, outer.values()))], terms, context)

    @property
    def all_sizes(self) -> frozenset[str]:
        """Every size of the formula, by its final name."""
        return frozenset(self.sizes.get(v, v) for v in self.scope.sizes)

    def _letters(self, d: Definition) -> dict[str, str]:
        """The author's names of the output's indices, except where another formula uses one for a size."""
        return _inner(d.letters, self.all_sizes)

    def _valued(self, terms: Sequence[Raw]) -> tuple[Raw, ...]:
        """Sizes that stand as factors become part of the coefficient."""
        return tuple(Raw(tuple(f for f in t.factors if self._size(f) is None), t.indices, t.constraints,
                         self._coefficient(t), t.stated, t.line) for t in terms)

    def _size(self, f: Factor) -> Affine | None:
        if f.indices or self.scope.array(f.name) is not None:
            return None
        name = f.name.removeprefix("1/")
        size = self.scope.quotients.get(f.name) or (Affine.of(name) if name in self.scope.sizes else None)
        return None if size is None else size.substitute(self.sizes)

    def _coefficient(self, t: Raw) -> Fraction:
        total = t.coefficient
        for f in t.factors:
            size = self._size(f)
            if size is None:
                continue
            value = size.substitute(self.numbers)
            if not value.is_constant:
                raise NotSupported(f"{f.name} stands as a factor, which needs a number for "
                                   f"{' and '.join(sorted(value.names))}: give --size {min(value.names)}=3")
            number = Fraction(value.constant)
            total *= 1 / number if f.name.startswith("1/") else number
        return total

    def is_size(self, f: Factor) -> bool:
        """Does a size, or one over a size, stand here as a factor?"""
        return self._size(f) is not None

    def sizes_as_factors(self) -> frozenset[str]:
        """The sizes that stand as factors."""
        return frozenset(v for d in self.definitions for t in d.terms for f in t.factors
                         if (size := self._size(f)) is not None for v in size.names)

    def _term(self, t: Term, outer: Mapping[str, str], tensors: Mapping[str, Tensor]) -> Term:
        """With the author's names, summation indices counted from 0 as those of the arrays are, and without
        the bounds that shapes imply."""
        names = _inner(t.indices, {*outer.values(), *self.all_sizes})
        first = {v: Affine.of(new) + self._first(t, v) for v, new in names.items()}
        moved = t.substitute(first).substitute({**outer, **self.sizes})
        factors = tuple(Access(tensors[f.tensor.name], f.indices, _function(f.function)) for f in moved.factors)
        self._check_products(factors)
        implied = {c for f in factors for c in f.in_range()}
        return Term(factors, tuple(names.values()), tuple(c for c in moved.constraints if c not in implied),
                    t.coefficient)

    def _check_products(self, factors: Iterable[Access]) -> None:
        """An index such as cj is two indices without a comma, and no product of them.

        Raises:
            NotationError: two indices stand side by side.
        """
        for f in factors:
            for m, _ in (item for e in f.indices for item in e):
                moving = [v for v in m if v not in self.all_sizes]
                if len(moving) > 1:
                    raise NotationError(f"{f.tensor.symbol} is indexed with the product of {' and '.join(moving)}; "
                                        "put a comma between indices", -1)

    def _first(self, t: Term, name: str) -> Affine:
        """Where a summation index begins: with the axis that it walks along alone, else at the base."""
        rests = (Affine.of(name) - e for f in t.factors for e in f.indices if e.coefficient(name) == 1)
        return next((rest for rest in rests if rest.names <= self.scope.sizes), Affine.of(self.base))


def _inner(indices: Iterable[str], used: AbstractSet[str]) -> dict[str, str]:
    """The author's names for the indices of one term, no two alike and none of them used."""
    found: dict[str, str] = {}
    for v in indices:
        taken = {*used, *found.values()}
        found[v] = next(c for c in (plain(v), *SPARE, *(f"{plain(v)}_{n}" for n in range(1, 99))) if c not in taken)
    return found


def unprimed(name: str) -> str:
    """Derivations mark indices with primes: the name that would get into the way of m' is m."""
    return name.rstrip("'")


def _function(name: str) -> str:
    known = name.lower()
    return known if known.rstrip("'") in POINTWISE else name


def in_order(definitions: Mapping[str, Definition], result: str) -> Iterator[str]:
    """Everything the result needs, each after what it reads; inputs where they are first read."""
    done: set[str] = set()

    def visit(name: str) -> Iterator[str]:
        if name in done:
            return
        done.add(name)
        if name in definitions:
            for read in dict.fromkeys(f.name for t in definitions[name].terms for f in t.factors):
                yield from visit(read)
        yield name

    yield from visit(result)
