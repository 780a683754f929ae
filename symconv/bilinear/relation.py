"""Where a bilinear algorithm applies: an output index and two factors whose coordinates add up.

In y[i] = sum_j w[j] x[i + j - p] the coordinates of x, y and w along one axis satisfy x = y + w - p; in a
gradient the same three play other parts. Such a relation, with unit coefficients and indices that occur
nowhere else, is all that is asked of an equation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from symconv.affine import Affine
from symconv.equation import Access, Equation, Term

Place = tuple[int, int]  # factor, axis


@dataclass(frozen=True, slots=True)
class Relation:
    """signal coordinate = output_sign * output coordinate + taps_sign * taps coordinate + constant.

    Args:
        output: the output index.
        taps, signal: the factor and its axis.
        extents: how many outputs, taps and signal elements there are.
    """

    output: str
    taps: Place
    signal: Place
    output_sign: int
    taps_sign: int
    constant: int
    extents: tuple[int, int, int]

    def exchanged(self) -> Relation:
        """The same relation with the two factors in each other's place."""
        outputs, taps, signal = self.extents
        return Relation(self.output, self.signal, self.taps, -self.taps_sign * self.output_sign, self.taps_sign,
                        -self.taps_sign * self.constant, (outputs, signal, taps))

    def __str__(self) -> str:
        signs = {1: "+", -1: "-"}
        return (f"signal = {signs[self.output_sign]}{self.output} {signs[self.taps_sign]} taps "
                f"{self.constant:+d} (outputs, taps, signal: {self.extents})")

    __repr__ = __str__


def bilinear_term(equation: Equation) -> Term | None:
    """The one term with two plain factors of different tensors, if there is just one."""
    found = [t for t in equation.terms if len(t.factors) == 2 and not any(f.function for f in t.factors)
             and t.factors[0].tensor != t.factors[1].tensor]
    return found[0] if len(found) == 1 else None


def relations(equation: Equation) -> tuple[Relation, ...]:
    """One relation for each output index that has one; the factor with more elements along them is the signal.

    Args:
        equation: with sizes in numbers and equalities eliminated where they can be.
    """
    term = bilinear_term(equation)
    found = [r for n in equation.indices if term and (r := _relation(equation, term, n))]
    size = [1, 1]
    for r in found:
        size[r.taps[0]] *= r.extents[1]
        size[r.signal[0]] *= r.extents[2]
    if not found or size[0] == size[1]:  # as long as each other: what is written as the sum stays it
        return tuple(r if r.signal[0] == found[0].signal[0] else r.exchanged() for r in found)
    return tuple(r if size[r.signal[0]] > size[r.taps[0]] else r.exchanged() for r in found)


def _relation(equation: Equation, term: Term, output: str) -> Relation | None:
    where = list(_places(term, output))
    if len(where) != 1 or output in _constrained(term):
        return None
    (factor, axis), e = where[0]
    for tap in sorted(e.names & set(term.indices)):
        others = [p for p in _places(term, tap) if p[0] != (factor, axis)]
        if len(others) != 1 or others[0][0][0] == factor or tap in _constrained(term):
            continue
        place, alone = others[0]
        a, b, c = e.coefficient(output), e.coefficient(tap), alone.coefficient(tap)
        if e.names == {output, tap} and alone.names == {tap} and abs(a) == abs(b) == abs(c) == 1:
            taps, signal = (term.factors[f].tensor.extents[n] for f, n in (place, (factor, axis)))
            mine = equation.output.extents[equation.indices.index(output)]
            return Relation(output, place, (factor, axis), a, b * c, e.constant - b * c * alone.constant,
                            (mine, taps, signal))
    return None


def _places(term: Term, name: str) -> Iterator[tuple[Place, Affine]]:
    for f, access in enumerate(term.factors):
        yield from (((f, axis), e) for axis, e in enumerate(access.indices) if name in e.names)


def _constrained(term: Term) -> frozenset[str]:
    return frozenset().union(*(c.expression.names for c in term.constraints))


def others(access: Access, places: Sequence[Place], factor: int) -> list[int]:
    """The axes of a factor that no relation is about."""
    taken = {axis for f, axis in places if f == factor}
    return [axis for axis in range(len(access.indices)) if axis not in taken]
