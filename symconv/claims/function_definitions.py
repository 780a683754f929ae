"""What a document says of a pointwise function: sigma(z) = 1/(1 + e^{-z}), tanh'(z) = 1 - tanh^2(z)."""

from __future__ import annotations

from collections.abc import Collection
from fractions import Fraction

from symconv.claims.activations import DERIVATIVES, LOGISTIC, known
from symconv.claims.judge import Judgement
from symconv.claims.outcome import Outcome
from symconv.claims.regroup import mapped
from symconv.claims.scope import Scope
from symconv.claims.words import is_function, key, names_in
from symconv.notation import nodes as n

SIGMOID = n.Name("sigmoid", "rm")
TRIED = (Fraction(3), Fraction(1, 5), Fraction(-2))


def activation(scope: Scope, left: n.Node, right: n.Node) -> Outcome | None:
    """sigma(z) = 1/(1 + e^{-z}) says what a function is; what is said of its derivative then follows."""
    if not is_function_of(left, scope.functions):
        return None
    assert isinstance(left, n.Call)
    name, letter = key(left.head), key(left.arguments[0])
    function = name.rstrip("'")
    if scope.array(letter) is not None or letter not in map(key, names_in(right)):
        return None
    if name == function:
        if _logistic(right, letter):
            scope.activations[function] = LOGISTIC
        return Outcome("definition", Judgement("definition"), f"what {function} is")
    if name != f"{function}'":
        return None
    values = [_value(right, function, letter, x) for x in TRIED]
    said = [kind for kind, terms in DERIVATIVES.items()
            if values == [sum(c * x**p for p, c in terms) for x in TRIED]]
    kind = known((function,), scope.activations).get(function)
    if kind and None not in values:
        holds = Judgement("proved") if kind in said else Judgement("refuted", reason=f"{function} is {kind}")
        return Outcome("identity", holds, f"{function} is {kind}")
    if said:
        scope.activations[function] = said[0]
    return Outcome("definition", Judgement("definition"), f"what {name} is")


def is_function_of(node: n.Node, functions: Collection[str] = ()) -> bool:
    """sigma(z), sigma'(z)."""
    return isinstance(node, n.Call) and node.bracket == "(" and len(node.arguments) == 1 \
        and isinstance(node.arguments[0], n.Name) \
        and (is_function(name := key(node.head).rstrip("'")) or name in functions)


def _value(node: n.Node, function: str, letter: str, value: Fraction) -> Fraction | None:
    """A polynomial in one function where that has a value; None for anything else."""
    def of(x: n.Node) -> Fraction | None:
        return _value(x, function, letter, value)

    match node:
        case n.Number():
            return Fraction(node.value)
        case n.Bracketed():
            return of(node.body)
        case n.Call(arguments=(n.Name() as inner,)) if key(inner) == letter and key(node.head) == function:
            return value
        case n.Call(head=n.Scripted(above=(n.Number() as power,)), arguments=(n.Name() as inner,)) \
                if key(inner) == letter and key(node.head.base) == function:  # type: ignore[attr-defined]
            return value ** int(power.value)
        case n.Call(arguments=(inner,)):
            a, b = of(node.head), of(inner)  # s(z) (1 - s(z))
            return None if a is None or b is None else a * b
        case n.Scripted(above=(n.Number() as power,), below=()):
            a = of(node.base)
            return None if a is None else a ** int(power.value)
        case n.Signed() if not node.choice:
            a = of(node.node)
            return None if a is None else -a if node.negative else a
        case n.Add() | n.Product():
            each = [of(x) for x in (node.terms if isinstance(node, n.Add) else node.factors)]
            if None in each:
                return None
            total = Fraction(isinstance(node, n.Product))
            for v in each:
                assert v is not None
                total = total + v if isinstance(node, n.Add) else total * v
            return total
    return None


def _logistic(node: n.Node, letter: str) -> bool:
    """sigmoid(z), as `functions` writes 1/(1 + e^{-z})."""
    if isinstance(node, n.Bracketed):
        return _logistic(node.body, letter)
    return isinstance(node, n.Call) and node.head == SIGMOID and key(node.arguments[0]) == letter


def functions(node: n.Node) -> n.Node:
    """With sigmoid(z) for 1/(1 + e^{-z})."""
    made = mapped(node, functions)
    inner = _logistic_of(made) if isinstance(made, n.Quotient) else None
    return made if inner is None else n.Call(SIGMOID, (inner,))


def _logistic_of(node: n.Quotient) -> n.Node | None:
    if not isinstance(node.above, n.Number) or node.above.value != 1:
        return None
    below = node.below.body if isinstance(node.below, n.Bracketed) else node.below
    if not isinstance(below, n.Add) or len(below.terms) != 2 or any(t.negative or t.choice for t in below.terms):
        return None
    ones = [t.node for t in below.terms if isinstance(t.node, n.Number) and t.node.value == 1]
    return next(filter(None, (_decays(t.node) for t in below.terms)), None) if len(ones) == 1 else None


def _decays(node: n.Node) -> n.Node | None:
    """z of e^{-z} or exp(-z)."""
    if isinstance(node, n.Scripted) and key(node.base) == "e" and len(node.above) == 1 and not node.below:
        inner = node.above[0]
    elif isinstance(node, n.Call) and key(node.head) == "exp" and len(node.arguments) == 1:
        inner = node.arguments[0]
    else:
        return None
    while isinstance(inner, n.Add) and len(inner.terms) == 1:
        inner = inner.terms[0]
    return inner.node if isinstance(inner, n.Signed) and inner.negative and not inner.choice else None
