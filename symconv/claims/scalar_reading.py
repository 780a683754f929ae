"""Sizes as they are written: scalars, and integer polynomials where they are such."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from symconv.affine import Affine
from symconv.claims.letters import COUNTING
from symconv.claims.scope import Scope
from symconv.claims.words import described, is_function, key, not_understood
from symconv.decide.scalar import Ceil, Floor, Max, Min, Mod, Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.notation import nodes as n

ROUNDING = {"floor": Floor, "ceil": Ceil}
EXTREMES = {"max": Max, "min": Min}


def scalar_of(node: n.Node, scope: Scope, leaf: Callable[[n.Node, Scope], Scalar] | None = None) -> Scalar:
    """The scalar an expression denotes.

    Args:
        leaf: reads what is more than arithmetic; a name, a power or a call where nothing is given.

    Raises:
        NotationError: it is none.
    """
    def of(x: n.Node) -> Scalar:
        return scalar_of(x, scope, leaf)

    match node:
        case n.Number():
            return Num(Fraction(node.value))
        case n.Bracketed():
            return of(node.body)
        case n.Product():
            return Times(tuple(map(of, node.factors)))
        case n.Operation(operator="times" | "*" | "ast"):
            return Times((of(node.left), of(node.right)))
        case n.Operation(operator="mod"):
            return Mod(of(node.left), of(node.right))
        case n.Add():
            return Plus(tuple(map(of, node.terms)))
        case n.Signed() if not node.choice:
            return Times((Num(Fraction(-1)), of(node.node))) if node.negative else of(node.node)
        case n.Quotient():
            return Over(of(node.above), of(node.below))
        case n.Rounded():
            return (Ceil if node.up else Floor)(of(node.body))
    return (leaf or _named)(node, scope)


def _named(node: n.Node, scope: Scope) -> Scalar:
    if not isinstance(node, n.Name | n.Scripted | n.Call):
        raise not_understood(f"{described(node)} is not understood among sizes", node)
    if isinstance(node, n.Call):
        word = key(node.head)
        arguments = node.arguments
        if len(arguments) == 1 and isinstance(arguments[0], n.Items):
            arguments = arguments[0].entries
        if word in ROUNDING and len(arguments) == 1:
            return ROUNDING[word](scalar_of(arguments[0], scope))
        if word in EXTREMES:
            return EXTREMES[word](tuple(scalar_of(a, scope) for a in arguments))
        if word in COUNTING and len(arguments) == 1:
            return counted(arguments[0], scope)
        function = word.rstrip("'")
        if is_function(function) or function in scope.functions:
            raise not_understood("the value of a function is not understood among sizes", node)
        if node.bracket == "(" and len(arguments) == 1:
            return Times((scalar_of(node.head, scope), scalar_of(arguments[0], scope)))
    if isinstance(node, n.Scripted) and len(node.above) == 1 and isinstance(node.above[0], n.Number) \
            and not node.grouped and key(node) not in scope.roles and node.above[0].value == int(node.above[0].value):
        base = replace(node, above=()) if node.below or node.primes else node.base
        return Pow(scalar_of(base, scope), int(node.above[0].value))
    fixed = scope.settings.get(key(node))
    scope.heads.setdefault(key(node), node)
    return Num(Fraction(fixed)) if isinstance(fixed, int) else Var(key(node))


def counted(node: n.Node, scope: Scope) -> Scalar:
    """How many elements an array has.

    Raises:
        NotationError: nothing says how long it is.
    """
    name = key(node)
    array = scope.array(name)
    extents = [a.extent for a in array.axes] if array else scope.extents.get(name, ())
    if not extents or None in extents:
        raise not_understood(f"how long {name} is is not known", node)
    sizes = tuple(scalar_of_affine(e) for e in extents if e is not None)
    return sizes[0] if len(sizes) == 1 else Times(sizes)


def affine_of(e: Scalar) -> Affine | None:
    """The scalar as an integer polynomial, when it is one."""
    match e:
        case Num(value) if value.denominator == 1:
            return Affine.of(int(value))
        case Var(name):
            return Affine.of(name)
        case Plus(inner) | Times(inner):
            parts = [affine_of(x) for x in inner]
            if any(p is None for p in parts):
                return None
            total = Affine.of(0 if isinstance(e, Plus) else 1)
            for p in parts:
                assert p is not None
                total = total + p if isinstance(e, Plus) else total * p
            return total
    return None


def scalar_of_affine(e: Affine) -> Scalar:
    """The integer polynomial as a scalar."""
    found: list[Scalar] = []
    for monomial, c in sorted(e, key=lambda item: not item[0]):  # the number last
        factors: list[Scalar] = [*([Num(Fraction(c))] if c != 1 or not monomial else ()), *map(Var, monomial)]
        found.append(factors[0] if len(factors) == 1 else Times(tuple(factors)))
    return found[0] if len(found) == 1 else Plus(tuple(found)) if found else Num(Fraction(0))
