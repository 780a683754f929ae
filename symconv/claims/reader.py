"""From what is written to what it denotes: expressions over arrays, in the author's coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims import whole
from symconv.claims.ellipsis import continued
from symconv.claims.indexing import Indexing, Side
from symconv.claims.letters import index_names
from symconv.claims.partials import partial_value
from symconv.claims.raw import ONE, Factor, Raw, Sum, Value, multiply, scale
from symconv.claims.references import named_value
from symconv.claims.scope import Scope
from symconv.claims.spelling import Reference, Undeclared, reference
from symconv.claims.starred import biased, operated
from symconv.claims.summing import branched, indicator, integrated, summed
from symconv.claims.words import base_of, described, is_transpose, key, not_understood
from symconv.notation import nodes as n

if TYPE_CHECKING:
    from symconv.claims.operators import Unary

WEIGHTS = frozenset(("w", "theta", "u", "v"))  # letters of weights, matrices where they stand before a column
MOST_POWERS = 6  # an operator is applied fewer times than this
INPUTS = frozenset("XAHZ")  # letters of what a layer reads


@dataclass
class Reader:
    """Reads one formula.

    Args:
        names: the free indices (and, inside sums, the bound ones), author's name to internal one.
        choice: which of the two signs a plus-minus stands for, 1 or -1.
        undeclared: letters that stand where an index should and are none.
        guess: ranks of arrays met for the first time without indices.
        arity: how many indices stand on the expression being read, when that is written.
        elements: every element read so far.
        numbered: names that stand with several numbers, y_1 and y_2, and are arrays.
    """

    scope: Scope
    names: dict[str, Affine] = field(default_factory=dict)
    choice: int = 1
    undeclared: list[Undeclared] = field(default_factory=list)
    guess: int | None = None
    arity: int = 0
    variables: set[str] = field(default_factory=set)
    elements: list[Factor] = field(default_factory=list)
    numbered: frozenset[str] = frozenset()

    def terms(self, node: n.Node) -> Sum:
        value = self.value(node)
        if value.rank:
            raise not_understood("a whole array stands where a number should", node)
        return value.terms

    def value(self, node: n.Node) -> Value:
        """What the expression denotes.

        Raises:
            NotationError: it has no meaning here.
        """
        match node:
            case n.Number():
                return Value.scalar(scale(ONE, Fraction(node.value)))
            case n.Name() | n.Scripted() | n.Call():
                return named_value(self, node)
            case n.Bracketed(body=n.Chain() as condition) | n.Iverson(condition=condition):
                return indicator(self, condition)
            case n.Bracketed():
                return self.value(node.body)
            case n.Product():
                return self.product(node.factors)
            case n.Add():
                if any(isinstance(t.node, n.Dots) for t in node.terms):
                    return Value.scalar(continued(self, node))
                return whole.add(biased(self, node), 0 if _inputs_last(node) else 1)
            case n.Signed():
                return self.signed(node)
            case n.Quotient():
                return self.quotient(node)
            case n.Sum():
                return summed(self, node)
            case n.Partial():
                return partial_value(self, node)
            case n.Operation():
                return operated(self, node)
            case n.Cases():
                return branched(self, node)
            case n.Matrix():
                entry = replace(self, guess=None)  # entries are numbers
                return whole.matrix([[entry.value(e) for e in row] for row in node.rows])
            case n.Integral():
                return integrated(self, node)
        raise not_understood(f"{described(node)} is not understood here", node)

    def inner(self, names: Mapping[str, Affine]) -> Reader:
        return replace(self, names={**self.names, **names})

    def reference(self, node: n.Node) -> Reference:
        """A written name taken apart."""
        return reference(self, node)

    def indexing(self) -> Indexing:
        return Indexing(self.scope, self.names, Side(), self.choice)



    # -- arithmetic

    def signed(self, t: n.Signed) -> Value:
        value = self.value(t.node)
        negative = (t.choice * self.choice < 0) if t.choice else t.negative
        return replace(value, at=lambda i: scale(value.at(i), -1), array="") if negative else value

    def product(self, factors: tuple[n.Node, ...]) -> Value:
        """Factors from left to right; an operator acts on everything to its right, and a letter nobody
        knows in front of a column is a number."""
        first, rest = factors[0], factors[1:]
        if rest and isinstance(first, n.Name | n.Scripted) and (operator := self.acting(first)) is not None:
            return operator.apply(replace(self, guess=len(operator.letters)).product(rest))
        value = self.value(first)
        if not rest:
            return value
        others = self.product(rest)
        if value.rank == others.rank == 1 and not value.row and not others.row and isinstance(first, n.Name) \
                and self.scope.array(self.scope.resolve(key(first))) is None:
            value = Value.scalar((Raw((Factor(key(first)),)),))
        if value.rank == others.rank == 1 and not value.row and not others.row and isinstance(first, n.Scripted) \
                and key(first.base) in WEIGHTS and self.scope.array(value.array) is None:
            self.scope.ranks[value.array] = 2  # w^l a^{l-1}
            value = self.value(first)
        if value.rank == 1 and value.array and others.rank == 2:
            self.scope.rows.add(value.array)  # x A: whatever x was taken for, it is a row
        return whole.product(value, others)

    def acting(self, node: n.Name | n.Scripted) -> Unary | None:
        """The operator of this name, its transpose or a power of it; T_s, where T_a was said, is T_a for a = s."""
        if (found := self.scope.unary.get(key(node))) is not None or isinstance(node, n.Name):
            return found
        if len(node.above) == 1 and (inner := self.scope.unary.get(key(replace(node, above=())))) is not None:
            if is_transpose(node.above[0]):
                return inner.adjoint()
            if isinstance(node.above[0], n.Number) and node.above[0].value in range(1, MOST_POWERS):
                return inner.power(int(node.above[0].value))
        if len(node.below) != 1:
            return None
        base = f"{key(node.base)}_"
        family = [(v.removeprefix(base), u) for v, u in self.scope.unary.items() if v.startswith(base)]
        if len(family) != 1 or not family[0][1].depends(family[0][0]):
            return None
        parameter, operator = family[0]
        return operator.where(parameter, self.indexing().read(node.below[0]))

    def quotient(self, node: n.Quotient) -> Value:
        above = self.value(node.above)
        if isinstance(node.below, n.Add | n.Bracketed | n.Product | n.Operation):
            one = self.reciprocal(node.below)
            if one is not None:
                return replace(above, at=lambda i: multiply(one, above.at(i)), array="")
        below = self.terms(node.below)
        if len(below) != 1 or below[0].indices or below[0].constraints:
            raise not_understood("a quotient by a sum is not understood here", node)
        factors = tuple(replace(f, name=f.name.removeprefix("1/") if f.name.startswith("1/") else f"1/{f.name}")
                        for f in below[0].factors)
        if any(f.indices or f.function for f in below[0].factors) or not below[0].coefficient:
            raise not_understood("a quotient by an array is not understood", node)
        by = (Raw(factors, coefficient=1 / below[0].coefficient),)
        return replace(above, at=lambda i: multiply(by, above.at(i)), array="")

    def reciprocal(self, below: n.Node) -> Sum | None:
        """One over an expression in sizes, such as 1/(n - k + 1), as one scalar."""
        if not all(key(x) in self.scope.sizes for x in index_names(below)):
            return None
        size = self.indexing().read(below)
        if size.is_constant:
            return (Raw(coefficient=Fraction(1, size.constant)),) if size.constant else None
        name = f"1/({size})"
        self.scope.quotients[name] = size
        return (Raw((Factor(name),)),)


def _inputs_last(node: n.Add) -> bool:
    """W X + b: examples are columns, and the bias is added to each."""
    ends = [base_of(t.node.factors[-1]) for t in node.terms if isinstance(t.node, n.Product)]
    return any(isinstance(e, n.Name) and e.text in INPUTS for e in ends)


def _only(node: n.Call) -> n.Node:
    if len(node.arguments) != 1:
        raise not_understood("one argument is expected", node)
    return node.arguments[0]
