"""Sizes as numbers in a formula: 1/n and n as coefficients become sums that count.

A coefficient such as 1/(n - k + 1) is a scalar like any other while both sides carry it. Where they
do not, both sides are multiplied by it, and a factor n becomes a sum of n equal terms.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from symconv.affine import Affine, at_least
from symconv.claims.raw import Raw, Sum, fresh
from symconv.claims.scope import Scope


def counted(scope: Scope, sides: list[Sum]) -> list[Sum] | None:
    """Both sides without sizes as factors; None when there are none."""
    below = [Counter(f.name for f in t.factors if _size(scope, f.name, "1/") is not None) for s in sides for t in s]
    most: Counter[str] = Counter()
    for c in below:
        most |= c
    plain = any(_size(scope, f.name, "") is not None and not f.indices for s in sides for t in s for f in t.factors)
    if not most and not plain:
        return None
    return [tuple(_cleared(scope, t, most) for t in side) for side in sides]


def _size(scope: Scope, name: str, mark: str) -> Affine | None:
    """The size a scalar factor stands for, after a mark such as 1/."""
    if not name.startswith(mark):
        return None
    if name in scope.quotients:
        return scope.quotients[name] if mark else None
    inner = name.removeprefix(mark)
    return Affine.of(inner) if inner in scope.sizes and "/" not in inner else None


def _cleared(scope: Scope, t: Raw, most: Counter[str]) -> Raw:
    present = Counter(f.name for f in t.factors if f.name in most)
    sizes = [size for name, count in (most - present).items() for _ in range(count)
             if (size := _size(scope, name, "1/")) is not None]
    rest = []
    for f in t.factors:
        size = None if f.indices or f.name in most else _size(scope, f.name, "")
        if size is not None:
            sizes.append(size)
        elif f.name not in most:
            rest.append(f)
    t = replace(t, factors=tuple(rest))
    for size in sizes:
        name = fresh("r")
        t = t.over((name,), (at_least(name, 0), at_least(size - 1, name)), (name,))
    return t
