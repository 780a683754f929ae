"""Pointwise functions of which more is known than their name: derivatives that are polynomials in the function."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from symconv.claims.raw import Sum
from symconv.errors import NotationError

LOGISTIC, TANH = "the logistic function", "the hyperbolic tangent"
NAMES = {LOGISTIC: "sigmoid", TANH: "tanh"}  # under which they are evaluated
NAMED = {"sigmoid": LOGISTIC, "tanh": TANH}
# The derivative by powers of the function itself: s' = s - s^2, t' = 1 - t^2.
DERIVATIVES = {LOGISTIC: ((1, 1), (2, -1)), TANH: ((0, 1), (2, -1))}
def polynomial(terms: Sum, known: Mapping[str, str]) -> Sum:
    """With s (1 - s) in place of s', for the functions whose derivative is known, under their own names."""
    found: Sum = ()
    for t in terms:
        at = next((i for i, f in enumerate(t.factors) if f.function.rstrip("'") in known), None)
        if at is None:
            found += (t,)
            continue
        f = t.factors[at]
        kind = known[f.function.rstrip("'")]
        value = replace(f, function=NAMES[kind])
        powers = {"": ((1, 1),), "'": DERIVATIVES[kind]}.get(f.function[len(f.function.rstrip("'")):])
        if powers is None:
            raise NotationError(f"second derivatives of {kind} are not understood", -1)
        others = t.factors[:at] + t.factors[at + 1:]
        rest = polynomial((replace(t, factors=others),), known)
        found += tuple(replace(r, factors=(*r.factors, *(value,) * p), coefficient=r.coefficient * c)
                       for r in rest for p, c in powers)
    return found


def known(functions: Iterable[str], said: Mapping[str, str]) -> dict[str, str]:
    """What each function is, by what a document says of it or by its name."""
    return {f: kind for f in functions if (kind := said.get(f) or NAMED.get(f.lower()))}
