"""What one formula says of one index or one axis."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.affine import Affine, Constraint, equal
from symconv.claims.raw import Raw
from symconv.claims.scope import GRADIENT, Axis, Scope


def without(constraints: Sequence[Constraint], once: Sequence[Constraint]) -> tuple[Constraint, ...]:
    """Without one of each that says that a derived element exists: what the author wrote may say the same again."""
    left = list(constraints)
    for c in once:
        if c in left:
            left.remove(c)
    return tuple(left)


def common(a: Axis, b: Axis) -> Axis:
    """Where both are, if that can be told without knowing the sizes; else the first."""
    if a.extent is None or b.extent is None or a.last is None or b.last is None:
        return a
    low, last = b.low - a.low, a.last - b.last
    if not (low.is_constant and last.is_constant):
        return a
    start, end = (b.low if low.constant > 0 else a.low), (b.last if last.constant > 0 else a.last)
    return Axis(start, end - start + 1)


def held(e: Affine, t: Raw) -> Affine | None:
    """The extent of what a remainder indexes: the conditions of the term hold it in 0..extent-1."""
    if Constraint(e) not in t.constraints:
        return None
    for c in t.constraints:
        extent = c.expression + e + 1
        if not any("~" in n for n in extent.names) and not c.equality and c.expression != e:
            return extent
    return None


def alone(e: Affine) -> str | None:
    """The name, when the expression is one index and nothing else."""
    return e.items[0][0][0] if len(e.items) == 1 and e.items[0][1] == 1 and len(e.items[0][0]) == 1 else None


def stated(name: str, t: Raw) -> tuple[Affine, Affine] | None:
    """First and last value of a bound index, where both are written down and no other index moves them."""
    low = high = None
    for c in t.constraints:
        a = c.expression.coefficient(name)
        rest = c.expression - a * Affine.of(name)
        if c.equality or abs(a) != 1 or rest.names & set(t.indices) or name in rest.names:
            continue
        if a == 1 and low is None:
            low = -rest
        elif a == -1 and high is None:
            high = rest
    return (low, high) if low is not None and high is not None else None


def paired(scope: Scope, t: Raw, index: str) -> list[Constraint]:
    """sum_i u_i y_i pairs u with the outputs y: where nobody says how long u is, it is as long as y."""
    along = [(f.name, x.low, x.extent) for f in t.factors if (a := scope.array(f.name))
             for e, x in zip(f.indices, a.axes, strict=True) if alone(e) == index and x.extent is not None]
    made = [found for found in along if found[0] in scope.definitions]
    free = [found for found in along if found[0] not in scope.definitions and not found[0].startswith(GRADIENT)
            and found[2].names <= scope.invented]  # a gradient is as long as what it belongs to
    return [equal(long, outputs) for name, low, long in free for made_, first, outputs in made
            if low == first and name not in scope.definitions[made_].reads]
