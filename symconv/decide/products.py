"""What is known of opaque products: a stride times an index, a dilation times a size.

Elimination treats s*i as a name of its own. That s >= 1 and 0 <= i then say nothing of s*i unless they
are multiplied: (s - 1)*(i - 0) >= 0 is a row in the names s*i, i and a constant (H. Sherali and W. Adams,
reformulation-linearization, 1990, with the first factor a size).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from symconv.affine import Affine, Constraint, Monomial


def opaque(constraints: Iterable[Constraint]) -> frozenset[Monomial]:
    """The products of names that occur."""
    return frozenset(m for c in constraints for m, _ in c.expression if len(m) > 1)


def factors(context: Iterable[Constraint], products: frozenset[Monomial], least: int = 0) -> dict[str, int]:
    """The names in products that the context bounds from below, with that bound, `least` or more."""
    within = {n for m in products for n in m}
    found: dict[str, int] = {}
    for c in context:
        e = c.expression
        if len(e.names) == 1 and not c.equality:
            name = next(iter(e.names))
            if name in within and e.coefficient(name) == 1 and -e.constant >= least:
                found[name] = max(found.get(name, 0), -e.constant)
    return found


def multiplied(constraints: Iterable[Constraint], by: dict[str, int],
               products: frozenset[Monomial]) -> Iterator[Constraint]:
    """Each constraint times each factor, where that adds no product that does not occur already."""
    for c in constraints:
        for name, least in by.items():
            e = c.expression * Affine.of(name)
            if c.expression.names and all(len(m) < 2 or m in products for m, _ in e):
                yield Constraint(e if c.equality else e - least * c.expression, c.equality)
