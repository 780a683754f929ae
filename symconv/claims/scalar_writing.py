"""Scalars written back as formulas, with the author's spelling of each name."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from symconv.decide.scalar import Ceil, Floor, Max, Min, Mod, Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.notation import nodes as n


def scalar_node(e: Scalar, heads: Mapping[str, n.Node]) -> n.Node:
    """The formula of a scalar; names nobody wrote keep their plain spelling."""
    def show(inner: Scalar) -> n.Node:
        return scalar_node(inner, heads)

    match e:
        case Num(value):
            return _number(value)
        case Var(name):
            return heads.get(name, n.Name(name))
        case Plus(terms):
            return n.Add(tuple(_signed(t, heads) for t in terms))
        case Times(factors):
            shown = [n.Bracketed(show(f)) if isinstance(f, Plus) else show(f) for f in factors if f != Num(Fraction(1))]
            return shown[0] if len(shown) == 1 else n.Product(tuple(shown))
        case Over(above, below):
            return n.Quotient(show(above), show(below))
        case Pow(base, exponent):
            return n.Scripted(show(base), (), (n.Number(exponent),))
        case Floor(body):
            return n.Rounded(show(body))
        case Ceil(body):
            return n.Rounded(show(body), up=True)
        case Mod(a, b):
            return n.Operation("mod", show(a), show(b))
        case Max(args) | Min(args):
            return n.Call(n.Name("max" if isinstance(e, Max) else "min", "rm"), tuple(map(show, args)))
    raise TypeError(f"no formula for {e!r}")


def _number(value: Fraction | int) -> n.Node:
    whole = value.denominator == 1
    return n.Number(int(value)) if whole else n.Quotient(n.Number(value.numerator), n.Number(value.denominator))


def _signed(t: Scalar, heads: Mapping[str, n.Node]) -> n.Signed:
    if isinstance(t, Num) and t.value < 0:
        return n.Signed(True, _number(-t.value))
    if isinstance(t, Times) and isinstance(t.factors[0], Num) and t.factors[0].value < 0:
        rest = Times((Num(-t.factors[0].value), *t.factors[1:]))
        return n.Signed(True, scalar_node(rest, heads))
    return n.Signed(False, scalar_node(t, heads))
