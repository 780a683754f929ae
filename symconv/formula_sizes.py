"""The sizes of a formula: what to call those its author leaves unnamed, and their numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

from symconv.affine import Affine, Constraint, unique
from symconv.claims.directives import bare
from symconv.claims.extents import alone
from symconv.claims.raw import Raw, plain
from symconv.claims.scope import Array, Scope
from symconv.errors import ShapeError
from symconv.identifiers import spelled
from symconv.notation.as_text import TEXT
from symconv.notation.build import affine

MOST = 10**9
LONG = "nNHW"  # letters of sizes an example takes to be long


@dataclass(frozen=True, slots=True)
class Sizes:
    """The sizes of a formula by the names it is printed with.

    Args:
        arrays: every array and its extents, inputs first.
        derived: sizes of results that nobody named; they follow from the others.
        numbers: those that are known.
    """

    arrays: tuple[tuple[str, tuple[Affine, ...]], ...]
    facts: tuple[Constraint, ...]
    least: Mapping[str, int]
    derived: frozenset[str]
    numbers: Mapping[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """Every size, in the order of the arrays it is an extent of."""
        shaped = [v for _, shape in self.arrays for e in shape for v in sorted(e.names)]
        return tuple(dict.fromkeys([*shaped, *sorted(self.least)]))

    def given(self, numbers: Mapping[str, int]) -> Sizes:
        """With numbers for some sizes, and for all that follow from them.

        Raises:
            ShapeError: a size the formula does not have, or numbers that leave an array without elements.
        """
        found = dict(self.numbers)
        for name, number in numbers.items():
            known = name if name in self.names else bare(name)
            if known not in self.names:
                has = ", ".join(map(self.described, self.open())) or "none to give"
                raise ShapeError(f"the formula has no size {name!r}; its sizes: {has}")
            if isinstance(number, bool) or not isinstance(number, int) or not self.least[known] <= number <= MOST:
                raise ShapeError(f"{known} must be a whole number from {self.least[known]} on, not {number!r}")
            found[known] = number
        found = dict(self.following(found))
        self.check(found)
        return Sizes(self.arrays, self.facts, self.least, self.derived, found)

    def following(self, numbers: Mapping[str, int]) -> Mapping[str, int]:
        """The numbers, and those of the sizes that the facts then leave one value."""
        found = dict(numbers)
        while True:
            rest = [c.substitute(found) for c in self.facts]
            fixed = {v: low for v in self.names if v not in found and (low := _only_value(v, rest)) is not None}
            if not fixed:
                return found
            found |= fixed

    def check(self, numbers: Mapping[str, int]) -> None:
        """Raises ShapeError where an array would have no elements or a fact does not hold."""
        for name, shape in self.arrays:
            for e in shape:
                length = e.substitute(numbers)
                if length.is_constant and length.constant < 1:
                    said = "" if e.is_constant else f"{TEXT(affine(e))} = "
                    raise ShapeError(f"{name} would have {said}{length} elements along an axis"
                                     f"{self._with(e.names, numbers)}")
        for c in self.facts:
            rest = c.substitute(numbers).expression
            if rest.is_constant and (rest.constant != 0 if c.equality else rest.constant < 0):
                raise ShapeError(f"these sizes do not fit together: {c} does not hold"
                                 f"{self._with(c.expression.names, numbers)}")

    def _with(self, names: Iterable[str], numbers: Mapping[str, int]) -> str:
        said = [f"{v} = {numbers[v]}" for v in self.names if v in set(names) and v in numbers]
        return f" with {' and '.join(said)}" if said else ""

    def open(self) -> list[str]:
        """The sizes to ask for: no number, and none that follows."""
        rest = [v for v in self.names if v not in self.numbers and v not in self.derived]
        for v in reversed(rest):
            known = {*rest, *self.numbers} - {v}
            if any(c.equality and abs(c.expression.coefficient(v)) == 1 and c.expression.names - {v} <= known
                   for c in self.facts):
                rest.remove(v)
        return rest

    @property
    def needs(self) -> str:
        """What is missing before kernels can be made, in a sentence; empty when nothing is."""
        missing = self.open() or [v for v in self.names if v not in self.numbers]
        if not missing:
            return ""
        options = " ".join(f"--size {v}={28 if v[0] in LONG else 3}" for v in missing)
        return f"the formula needs {_and([self.described(v) for v in missing])}; give {options}"

    def described(self, name: str) -> str:
        """n (the length of x)."""
        for array, shape in self.arrays:
            for axis, e in enumerate(shape, 1):
                if e == Affine.of(name):
                    return f"{name} (the length of {array})" if len(shape) == 1 else f"{name} (axis {axis} of {array})"
        return name


def _and(texts: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(texts[:-1]), texts[-1]]))


def _only_value(name: str, facts: Iterable[Constraint]) -> int | None:
    """The one value the facts leave the name when all others are numbers."""
    low, high = None, None
    for e in (e for c in facts for e in ((c.expression, -c.expression) if c.equality else (c.expression,))):
        if e.names != {name} or not e.is_linear_in(name):
            continue
        a, rest = e.coefficient(name), e.constant
        if a > 0:
            low = -(rest // a) if low is None else max(low, -(rest // a))
        else:
            high = rest // -a if high is None else min(high, rest // -a)
    return low if low is not None and low == high else None


def conventional(scope: Scope, reads: Sequence[tuple[str, Raw]], results: Sequence[str]) -> dict[str, str]:
    """Names for the sizes the author left unnamed: n for what a kernel slides over, k for the kernel,
    o for a result, n_i for the number of values an index i takes; numbered where there are several.

    Args:
        reads: (result, term) for every term of the formula.
        results: the arrays that are computed.
    """
    roles: dict[str, str] = {}
    for name, array in _by_appearance(scope, reads, results):
        for axis, a in enumerate(array.axes):
            size = alone(a.extent) if a.extent is not None else None
            if size in scope.invented:
                roles.setdefault(size, _role(name, axis, reads, name in results))
    for v in sorted(scope.invented - set(roles)):
        roles[v] = "size"
    used = (scope.sizes - scope.invented) | set(scope.arrays) | {
        plain(v) for _, t in reads for f in t.factors for e in f.indices for v in e.names}
    together = defaultdict(list)
    for v, role in roles.items():
        together[role].append(v)
    found: dict[str, str] = {}
    for role, members in together.items():
        plainest = [role, role.upper()] if len(members) == 1 else []
        names = chain(plainest, (f"{role}_{number}" for number in count(1)))
        for v in members:
            found[v] = next(c for c in names if c not in used)
            used.add(found[v])
    return found


def _by_appearance(scope: Scope, reads: Sequence[tuple[str, Raw]], results: Sequence[str]
                   ) -> Iterator[tuple[str, Array]]:
    names = dict.fromkeys([*(f.name for _, t in reads for f in t.factors), *results])
    for name in sorted(names, key=lambda v: v in results):
        array = scope.array(name)
        if array is not None:
            yield name, array


def _role(name: str, axis: int, reads: Sequence[tuple[str, Raw]], result: bool) -> str:
    """What an axis is for, from how it is read."""
    if result:
        return "o"
    entries = [(t, f.indices[axis]) for _, t in reads for f in t.factors if f.name == name]
    for t, e in entries:
        letter = alone(e)
        moved = [g for f in t.factors for g in f.indices if letter in g.names and g != e]
        if any(g.coefficient(v) < 0 for g in (e, *moved) for v in t.indices):
            return f"n_{spelled(name)}"
        if letter is not None:
            return "k" if moved and letter in t.indices else f"n_{spelled(plain(letter))}"
    return "n"


def of_scope(scope: Scope, reads: Sequence[tuple[str, Raw]], results: Sequence[str]) -> tuple[Sizes, dict[str, str]]:
    """The sizes of a formula that was read, and the new names of those without one."""
    names = conventional(scope, reads, results)
    arrays = tuple((name, tuple(a.extent.substitute(names) for a in array.axes if a.extent is not None))
                   for name, array in _by_appearance(scope, reads, results))
    facts = unique(c.substitute(names) for c in scope.facts)
    least = {names.get(v, v): scope.least(v) for v in scope.sizes}
    inputs = {v for name, shape in arrays if name not in results for e in shape for v in e.names}
    derived = frozenset(new for old, new in names.items() if new not in inputs)
    sizes = Sizes(arrays, facts, least, derived, {})
    return sizes.given({}), names
