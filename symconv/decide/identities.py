"""Identities of named pointwise functions: their derivatives in terms of themselves.

sigmoid' = sigmoid - sigmoid^2, tanh' = 1 - tanh^2, exp' = exp, softplus' = sigmoid, relu(z) = z relu'(z).
After this rewriting two sides that differ by such an identity have the same monomials.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.equation import Access, Equation, Term

# What a function becomes: (coefficient, functions of the same element); "" is the element itself.
RULES: dict[str, tuple[tuple[int, tuple[str, ...]], ...]] = {
    "sigmoid'": ((1, ("sigmoid",)), (-1, ("sigmoid", "sigmoid"))),
    "tanh'": ((1, ()), (-1, ("tanh", "tanh"))),
    "exp'": ((1, ("exp",)),),
    "softplus'": ((1, ("sigmoid",)),),
    "relu": ((1, ("", "relu'")),),
}


def rewritten(equation: Equation) -> Equation:
    """Without the functions that a rule replaces."""
    if not any(f.function in RULES for t in equation.terms for f in t.factors):
        return equation
    return Equation(equation.left, [u for t in equation.terms for u in _expanded(t)], equation.context)


def with_meaning(equation: Equation, function: str) -> Equation:
    """Every function replaced by the named one, derivative marks kept."""
    def named(f: Access) -> Access:
        return f.apply(function + "'" * (len(f.function) - len(f.function.rstrip("'")))) if f.function else f
    terms = [replace(t, factors=tuple(map(named, t.factors))) for t in equation.terms]
    return Equation(equation.left, terms, equation.context)


def _expanded(t: Term) -> list[Term]:
    at = next((n for n, f in enumerate(t.factors) if f.function in RULES), None)
    if at is None:
        return [_once(t)]
    f, others = t.factors[at], t.factors[:at] + t.factors[at + 1:]
    found = []
    for c, functions in RULES[f.function]:
        new = tuple(f.apply(name) for name in functions)
        # The element is read inside its tensor, also where the factor itself goes away.
        found += _expanded(replace(t, factors=others + new, coefficient=t.coefficient * c,
                                   constraints=(*t.constraints, *f.in_range())))
    return found


def _once(t: Term) -> Term:
    """relu' is 0 or 1: its powers are itself."""
    steps: dict[Access, None] = {}
    kept = []
    for f in t.factors:
        if f.function != "relu'" or f not in steps:
            kept.append(f)
        if f.function == "relu'":
            steps[f] = None
    return replace(t, factors=tuple(kept))
