"""How a product of two tensors ties its result's index to theirs, read off axis by axis."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.affine import Affine, Constraint, equal
from symconv.equation import Access, Equation, Term

Axis = tuple[str, int]  # "o", "a" or "b", and the axis of the result or of a factor


def label(axis: Axis) -> str:
    return f"{axis[0]}#{axis[1]}"


@dataclass(frozen=True)
class Link:
    """Axes that belong together, and the equalities between them (names are the labels)."""

    axes: tuple[Axis, ...]
    relations: tuple[Affine, ...]

    @property
    def kind(self) -> str:
        """Which of result and factors take part: `oa`, `ab`, `oab`..."""
        return "".join(sorted((a[0] for a in self.axes), key="oab".index))

    def axis(self, which: str) -> int:
        return next(n for w, n in self.axes if w == which)


def links(equation: Equation, term: Term, factors: dict[str, Access]) -> list[Link] | None:
    """Eliminate the summation indices; group the axes of `o`, `a`, `b` that stay related.

    None when a summation index cannot be eliminated: the product has another form.
    """
    axes = {("o", n): Affine.of(v) for n, v in enumerate(equation.indices)}
    axes |= {(w, n): e for w, f in factors.items() for n, e in enumerate(f.indices)}
    put = {v: label(("o", n)) for n, v in enumerate(equation.indices)}
    rest = [equal(label(a), e.substitute(put)) for a, e in axes.items() if a[0] != "o"]
    rest += [c.substitute(put) for c in term.constraints if c.equality]
    if any(not c.equality for c in term.constraints):
        return None
    for name in term.indices:
        hit = next((c for c in rest if abs(c.expression.coefficient(name)) == 1), None)
        if hit is None:
            return None
        rest.remove(hit)
        value = Affine.of(name) - hit.expression.coefficient(name) * hit.expression
        rest = [c.substitute({name: value}) for c in rest]
    rest = [c for c in rest if not c.is_trivial]
    if any(c.expression.is_constant for c in rest):  # contradictory: the term contributes nothing
        return None
    return _grouped(list(axes), rest)


def _grouped(axes: list[Axis], relations: list[Constraint]) -> list[Link]:
    groups = [({a}, []) for a in axes]  # type: list[tuple[set[Axis], list[Affine]]]
    for c in relations:
        touched = [g for g in groups if any(label(a) in c.expression.names for a in g[0])]
        joined = (set().union(*(g[0] for g in touched)), [r for g in touched for r in g[1]] + [c.expression])
        groups = [g for g in groups if g not in touched] + [joined]
    order = {a: i for i, a in enumerate(axes)}
    found = [Link(tuple(sorted(g, key=lambda a: order[a])), tuple(r)) for g, r in groups]
    return sorted(found, key=lambda k: order[k.axes[0]])


def same(link: Link) -> bool:
    """Do all axes of the link carry one index?"""
    if len(link.relations) != len(link.axes) - 1:
        return False
    return all(sorted(c for _, c in r) == [-1, 1] and all(len(m) == 1 for m, _ in r) for r in link.relations)


def moved(link: Link, isolate: str) -> tuple[int, int, Affine] | None:
    """Solve a link of one relation for one axis: its coefficients of the other two (in the order
    o, a, b) and the rest. None when that axis has no unit coefficient."""
    if link.kind != "oab" or len(link.relations) != 1:
        return None
    e = link.relations[0]
    names = {w: label((w, link.axis(w))) for w in "oab"}
    sign = e.coefficient(names[isolate])
    if abs(sign) != 1 or any(len(m) > 1 for m, _ in e):
        return None
    value = Affine.of(names[isolate]) - sign * e
    first, second = (value.coefficient(names[w]) for w in "oab" if w != isolate)
    rest = value - first * Affine.of(next(names[w] for w in "oab" if w != isolate))
    rest = rest - second * Affine.of([names[w] for w in "oab" if w != isolate][1])
    return (first, second, rest) if first and second else None


def settled(e: Affine, known: tuple[Constraint, ...]) -> int | None:
    """The number an expression always equals, by what is known of the sizes; None if it is none."""
    if e.is_constant:
        return e.constant
    for c in known:
        if c.equality:
            for candidate in (e - c.expression, e + c.expression):
                if candidate.is_constant:
                    return candidate.constant
    return None
