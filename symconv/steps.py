"""The steps of a derivation, each an equation turned into one that is equal for all sizes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

from symconv.affine import Affine
from symconv.calculus import differentiate, eliminate
from symconv.equation import Equation, Tensor, Term
from symconv.jacobian import chain_rule, jacobian
from symconv.lecture.words import Phrase, Said, Value, plain, words
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.build import LOSS, Builder, build, tensor_node
from symconv.notation.nodes import Chain, Node, Partial, Symbol

REASONS = ("definition", "domain", "chain rule", "linearity", "pointwise", "delta elimination", "re-indexing", "name")


@dataclass(frozen=True)
class Step:
    """One step: what is done and why, and the equation before and after it.

    Args:
        said: the sentences, in whatever language there are words of.
        reason: one of REASONS.
        before, after: equal for all sizes; the same where a step states or reads something. After
            the chain rule `after` reads the Jacobian, which is given beside it.
        jacobian: do/dx as an equation, for the steps that introduce it and put it in.
    """

    said: tuple[Said, ...]
    reason: str
    before: Equation
    after: Equation
    jacobian: Equation | None = None

    @property
    def statement(self) -> str:
        """What is done, in English."""
        return " ".join(plain(s.pieces(words("en"))) for s in self.said)

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


def say(key: str, **values: Value) -> tuple[Said, ...]:
    """One sentence of the catalogues' [steps]."""
    return (Said(f"steps.{key}", values),)


def forward_steps(equation: Equation, notes: tuple[tuple[str, str], ...], name: str | None) -> tuple[Step, ...]:
    """What the equation says, how large its result is, and what it is called."""
    steps = [Step(say("stands", tensor=tensor_node(equation.output)), "definition", equation, equation)]
    steps += [Step(say("size", size=size, reason=why), "domain", equation, equation) for size, why in notes]
    return (*steps, *_named(equation, name))


def gradient_steps(equation: Equation, wrt: Tensor, upstream: Tensor, found: Equation,
                   name: str | None = None) -> tuple[Step, ...]:
    """From the equation to `found`, its gradient with respect to `wrt`."""
    raw = _fresh(differentiate(equation, wrt, upstream), equation)
    rule = chain_rule(equation, wrt, upstream, raw.indices)
    inner = jacobian(equation, wrt, raw.indices)
    solved = eliminate(raw)
    steps = [Step(say("start", tensor=tensor_node(equation.output)), "definition", equation, equation),
             Step(_chain_statement(equation, wrt, upstream), "chain rule", rule, rule, inner),
             _inner_step(equation, wrt, rule, raw, inner)]
    if solved != raw:
        steps.append(Step(_delta_statement(raw, solved), "delta elimination", raw, solved))
    if found != solved:
        steps.append(Step(_renaming(solved, found), "re-indexing", solved, found))
    steps += [Step(said, "domain", found, found) for said in _domain_statements(found)]
    return (*steps, *_named(found, name))


def _fresh(raw: Equation, equation: Equation) -> Equation:
    """Plain names for the element differentiated by; a prime stays where the equation uses the name."""
    used = {*equation.indices, *(n for t in equation.terms for n in t.indices)}
    return raw.rename({n: n.rstrip("'") for n in raw.indices if n.rstrip("'") not in used})


def _renaming(before: Equation, after: Equation) -> tuple[Said, ...]:
    moved = tuple(Chain((Symbol(a), Symbol(b)), ("->",))
                  for a, b in zip(before.indices, after.indices, strict=True) if a != b)
    return say("rename", moved=moved) if moved else say("rename_sums")


def several(parts: tuple[tuple[Step, ...], ...], total: Equation, wrt: Tensor, name: str | None) -> tuple[Step, ...]:
    """The steps when more than one equation reads the tensor."""
    said = say("several", wrt=tensor_node(wrt), count=len(parts))
    return (*(s for p in parts for s in p), Step(said, "linearity", total, total), *_named(total, name))


def _named(equation: Equation, name: str | None) -> list[Step]:
    return [Step(say("name", name=Phrase(name)), "name", equation, equation)] if name else []


def _chain_statement(equation: Equation, wrt: Tensor, upstream: Tensor) -> tuple[Said, ...]:
    out, above = tensor_node(equation.output), tensor_node(upstream)
    known = Partial(LOSS, out)
    given = above if above == known else Chain((known, above), ("=",))
    return say("chain", wrt=tensor_node(wrt), out=out, upstream=given)


def _inner_step(equation: Equation, wrt: Tensor, rule: Equation, raw: Equation, inner: Equation) -> Step:
    name, here = tensor_node(wrt), tensor_node(wrt, tuple(map(Symbol, raw.indices)))
    if function := next((f.function for t in equation.terms for f in t.factors if f.tensor == wrt and f.function), ""):
        said = say("pointwise", function=Symbol(function), derivative=Symbol(f"{function}'"))
        return Step(said, "pointwise", rule, raw, inner)
    at = tuple(map(Symbol, raw.indices))
    said = say("linear", wrt=name, element=here, at=at) if at else say("linear_scalar", wrt=name, element=here)
    if any(wrt not in {f.tensor for f in t.factors} for t in equation.terms):
        said += say("drop", wrt=name)
    return Step(said, "linearity", rule, raw, inner)


def _delta_statement(raw: Equation, solved: Equation) -> tuple[Said, ...]:
    found: dict[Node, None] = {}
    for before, after in zip(raw.terms, solved.terms, strict=True):
        found.update(dict.fromkeys(_fixed(raw, before, after)))
    if not found:
        return say("everywhere")
    kept = say("stay") if any(c.equality for t in solved.terms for c in t.constraints) else ()
    return say("many" if len(found) > 1 else "one", values=tuple(found)) + kept


def _fixed(equation: Equation, before: Term, after: Term) -> Iterator[Node]:
    """`i = m - j + 1` for every summation index that is gone."""
    show = Builder(equation, 1)
    rest = [c for c in before.constraints if c.equality and c not in after.constraints]
    for name in (n for n in before.indices if n not in after.indices):
        hit = next((c for c in rest if abs(c.expression.coefficient(name)) == 1), None)
        if hit is not None:
            rest.remove(hit)
            value = Affine.of(name) - hit.expression * hit.expression.coefficient(name)
            yield Chain((Symbol(name), show.index(value, before.indices)), ("=",))


def _domain_statements(found: Equation) -> Iterator[tuple[Said, ...]]:
    show = Builder(found, 1)
    if notes := show.outside():
        yield say("outside", ranges=notes)
    for t in found.terms:
        for c in (c for c in t.constraints if c.equality):
            # Stride and dilation with a common factor leave some results zero.
            common = gcd(*(a for m, a in c.expression if set(m) & set(t.indices)))
            condition = show.condition(c, t.indices)
            yield (say("pairs_divide", condition=condition, divisor=common) if common > 1
                   else say("pairs", condition=condition))
