"""What a forward formula is called, from the way its indices move."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.claims.raw import Sum
from symconv.claims.scope import Scope

DEEPEST = 4  # activations of activations that are named


def sliding(terms: Sum, letters: Sequence[str]) -> str:
    """How a bound index runs beside an output letter: "correlation" with it, "convolution" against it."""
    found = set()
    for t in terms:
        for f in t.factors:
            for e in f.indices:
                moving = [n for n in e.names if n in letters]
                bound = [n for n in e.names if n in t.indices]
                for b in bound:
                    for m in moving:
                        forward = _sign(e, b) * _sign(e, m) * _alone(t.factors, b)
                        found.add("correlation" if forward > 0 else "convolution")
    return found.pop() if len(found) == 1 else ""


def _sign(e: object, name: str) -> int:
    return next((1 if c > 0 else -1 for m, c in e if name in m), 1)  # type: ignore[attr-defined]


def _alone(factors: Sequence[object], name: str) -> int:
    """The sign with which the other operand reads the index."""
    for f in factors:
        for e in f.indices:  # type: ignore[attr-defined]
            if e.names == {name}:
                return _sign(e, name)
    return 1


def forward_name(scope: Scope, terms: Sum, letters: Sequence[str], depth: int = 0) -> str:
    """cross-correlation, convolution, a fully connected layer, or nothing."""
    kind = sliding(terms, letters)
    if kind:
        return "cross-correlation" if kind == "correlation" else "convolution"
    inner = [f.name for t in terms for f in t.factors if f.function]
    if inner and inner[0] in scope.definitions and depth < DEEPEST:
        d = scope.definitions[inner[0]]
        return f"an activation of {forward_name(scope, d.terms, d.letters, depth + 1) or 'a sum'}"
    if any(len(t.factors) == 2 and t.indices for t in terms):
        return "a matrix product"
    return ""
