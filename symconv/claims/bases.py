"""Whether a formula counts from 0 or from 1."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.affine import Affine
from symconv.claims.extents import stated
from symconv.claims.raw import Raw
from symconv.claims.scope import Scope

PADDING = frozenset(("p", "P", "pad", "padding", "p_h", "p_w", "P_h", "P_w", "p_H", "p_W", "P_H", "P_W"))


def guess_base(scope: Scope, letters: Sequence[str], terms: Sequence[Raw]) -> int:
    """0 or 1: the base at which first outputs and first taps read first elements."""
    if scope.base is not None:
        return scope.base
    for t in terms:
        for f in t.factors:
            for e in f.indices[:len(f.indices) - len(scope.images.get(f.name, ()))]:
                moving = [n for n in e.names if n in t.indices or n in letters]
                if len(moving) > 1:
                    fits = [b for b in (1, 0) if _first(letters, e, t, b) == b]
                    if len(fits) == 1:
                        scope.base = fits[0]
                        return fits[0]
    lows = [low.constant for t in terms for n in t.indices if (b := stated(n, t)) and (low := b[0]).is_constant]
    base = 1 if 1 in lows and 0 not in lows else 0 if 0 in lows else 1
    if lows:
        scope.base = base
    return base


def _first(letters: Sequence[str], e: Affine, t: Raw, base: int) -> int | None:
    values: dict[str, int] = {}
    for name in e.names:
        bounds = stated(name, t) if name in t.indices else None
        if bounds is not None:
            values[name] = bounds[0].constant if bounds[0].is_constant else 0
        elif name in t.indices or name in letters:
            values[name] = base
        else:
            values[name] = 0 if name in PADDING else 3
    return e.evaluate(values)
