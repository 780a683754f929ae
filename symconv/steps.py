"""The steps of a derivation, each an equation turned into one that is equal for all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from symconv.affine import Affine, Constraint
from symconv.calculus import differentiate, eliminate
from symconv.equation import Equation, Tensor, Term
from symconv.jacobian import chain_rule, jacobian
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.build import Builder, build, tensor_node
from symconv.notation.nodes import Node, Symbol

REASONS = ("definition", "domain", "chain rule", "linearity", "pointwise", "delta elimination", "re-indexing", "name")


@dataclass(frozen=True)
class Step:
    """One step: what is done and why, and the equation before and after it.

    Args:
        reason: one of REASONS.
        before, after: equal for all sizes; the same where a step states or reads something. After
            the chain rule `after` reads the Jacobian, which is given beside it.
        jacobian: do/dx as an equation, for the steps that introduce it and put it in.
    """

    statement: str
    reason: str
    before: Equation
    after: Equation
    jacobian: Equation | None = None

    def node(self, base: int = 1) -> Node:
        """The formula reached; deltas still in place are printed as [a = m]."""
        return build(self.after, base, brackets=self.reason in ("linearity", "pointwise"), notes=self.notes)

    @property
    def notes(self) -> bool:
        return self.reason in ("definition", "domain", "name")

    def text(self, base: int = 1) -> str:
        return TEXT(self.node(base))

    def latex(self, base: int = 1) -> str:
        return LATEX(self.node(base))

    def __str__(self) -> str:
        said = f"{self.reason}: {self.statement}"
        return said if self.reason in ("domain", "name") else f"{said}\n    {self.text()}"


def forward_steps(equation: Equation, notes: tuple[tuple[str, str], ...], name: str | None) -> tuple[Step, ...]:
    """What the equation says, how large its result is, and what it is called."""
    steps = [Step(f"This is what {_name(equation.output)} stands for.", "definition", equation, equation)]
    steps += [Step(f"{size}: {why}.", "domain", equation, equation) for size, why in notes]
    return (*steps, *_named(equation, name))


def gradient_steps(equation: Equation, wrt: Tensor, upstream: Tensor, found: Equation,
                   name: str | None = None) -> tuple[Step, ...]:
    """From the equation to `found`, its gradient with respect to `wrt`."""
    raw = _fresh(differentiate(equation, wrt, upstream), equation)
    rule = chain_rule(equation, wrt, upstream, raw.indices)
    inner = jacobian(equation, wrt, raw.indices)
    solved = eliminate(raw)
    steps = [Step(f"Start from the definition of {_name(equation.output)}.", "definition", equation, equation),
             Step(_chain_statement(equation, wrt, upstream), "chain rule", rule, rule, inner),
             _inner_step(equation, wrt, rule, raw, inner)]
    if solved != raw:
        steps.append(Step(_delta_statement(raw, solved), "delta elimination", raw, solved))
    if found != solved:
        steps.append(Step(_renaming(solved, found), "re-indexing", solved, found))
    steps += [Step(words, "domain", found, found) for words in _domain_statements(found)]
    return (*steps, *_named(found, name))


def _fresh(raw: Equation, equation: Equation) -> Equation:
    """Plain names for the element differentiated by; a prime stays where the equation uses the name."""
    used = {*equation.indices, *(n for t in equation.terms for n in t.indices)}
    return raw.rename({n: n.rstrip("'") for n in raw.indices if n.rstrip("'") not in used})


def _renaming(before: Equation, after: Equation) -> str:
    moved = [f"{a} to {b}" for a, b in zip(before.indices, after.indices, strict=True) if a != b]
    return f"Rename {', '.join(moved)}." if moved else "Rename the summation indices."


def several(parts: tuple[tuple[Step, ...], ...], total: Equation, wrt: Tensor, name: str | None) -> tuple[Step, ...]:
    """The steps when more than one equation reads the tensor."""
    words = f"The loss depends on {wrt.symbol} through {len(parts)} equations; their contributions add."
    return (*(s for p in parts for s in p), Step(words, "linearity", total, total), *_named(total, name))


def _named(equation: Equation, name: str | None) -> list[Step]:
    return [Step(f"This is the {name}.", "name", equation, equation)] if name else []


def _name(tensor: Tensor) -> str:
    return TEXT(tensor_node(tensor))


def _chain_statement(equation: Equation, wrt: Tensor, upstream: Tensor) -> str:
    out = equation.output.symbol
    known = f"dL/d{out}"
    given = f" = {upstream.symbol}" if _name(upstream) != known else ""
    return (f"The loss depends on {wrt.symbol} only through {out}: add, over all elements of {out}, "
            f"{known}{given} times the derivative of that element.")


def _inner_step(equation: Equation, wrt: Tensor, rule: Equation, raw: Equation, inner: Equation) -> Step:
    here = TEXT(tensor_node(wrt, tuple(map(Symbol, raw.indices))))
    if function := next((f.function for t in equation.terms for f in t.factors if f.tensor == wrt and f.function), ""):
        words = (f"{function} acts on each element alone, so its derivative is {function}' at that element, "
                 f"and zero with respect to any other.")
        return Step(words, "pointwise", rule, raw, inner)
    at = ", ".join(raw.indices)
    value = f"one where the index is {at}, else zero, written as a bracket" if at else "one"
    words = (f"The derivative of a sum is the sum of the derivatives, and {wrt.symbol} depends on itself only: "
             f"its derivative by {here} is {value}.")
    if any(wrt not in {f.tensor for f in t.factors} for t in equation.terms):
        words += f" Terms without {wrt.symbol} drop out."
    return Step(words, "linearity", rule, raw, inner)


def _delta_statement(raw: Equation, solved: Equation) -> str:
    found: dict[str, None] = {}
    for before, after in zip(raw.terms, solved.terms, strict=True):
        found.update(dict.fromkeys(_fixed(raw, before, after)))
    if not found:
        return "The bracket holds everywhere it is asked."
    many = len(found) > 1
    kept = " The condition that remains cannot be solved for one index: both sums stay." if any(
        c.equality for t in solved.terms for c in t.constraints) else ""
    values = ", ".join(found)
    if many:
        return f"Each bracket leaves one value of an index, {values}: each of these sums keeps one term.{kept}"
    return f"The bracket leaves one value, {values}: this sum keeps one term.{kept}"


def _fixed(equation: Equation, before: Term, after: Term) -> Iterator[str]:
    """`i = m - j + 1` for every summation index that is gone."""
    show = Builder(equation, 1)
    rest = [c for c in before.constraints if c.equality and c not in after.constraints]
    for name in (n for n in before.indices if n not in after.indices):
        hit = next((c for c in rest if abs(c.expression.coefficient(name)) == 1), None)
        if hit is not None:
            rest.remove(hit)
            value = Affine.of(name) - hit.expression * hit.expression.coefficient(name)
            yield f"{name} = {TEXT(show.index(value, before.indices))}"


def _domain_statements(found: Equation) -> Iterator[str]:
    show = Builder(found, 1)
    notes = show.outside()
    if notes:
        yield (f"A read outside an array is zero ({'; '.join(map(TEXT, notes))}): "
               "only the terms inside contribute.")
    for t in found.terms:
        for c in t.constraints:
            if c.equality:
                yield f"Only the pairs with {TEXT(show.condition(c, t.indices))} contribute{_divides(c, t)}."


def _divides(c: Constraint, t: Term) -> str:
    """Stride and dilation with a common factor leave some results zero."""
    from math import gcd

    common = gcd(*(a for m, a in c.expression if set(m) & set(t.indices)))
    return f"; where {common} does not divide, the result is zero" if common > 1 else ""
