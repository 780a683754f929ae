"""Values a document gives to its sizes for an example, and what is claimed of the example."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

from symconv.affine import Affine, equal
from symconv.claims.judge import ANY, Judgement
from symconv.claims.letters import children
from symconv.claims.outcome import Outcome
from symconv.claims.scope import Scope
from symconv.decide.decision import Decision
from symconv.decide.scalar import Facts, Num, Scalar, Var, decide_scalar, names
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.opened import Opened
    from symconv.claims.session import Session


def computed(scope: Scope, name: str, value: Scalar, facts: Facts) -> tuple[str, Decision] | None:
    """What the document's own formula says of a value, and for which other values.

    None where no formula gives it, or where the values in force leave something open: it is then one more value.
    """
    formula = next((v for a, v in scope.equalities if a == Var(name) and names(v)), None)
    if formula is None or not set(names(formula)) <= set(scope.examples):
        return None
    used = {v: scope.examples[v] for v in names(formula)}
    fixed = tuple((Var(v), Num(Fraction(x))) for v, x in used.items())
    decision = decide_scalar(value, Var(name), replace(facts, equal=(*facts.equal, *fixed)))
    if decision.kind != "refuted" and decision.kind != "proved":
        return None  # no such layer
    if decision.kind == "refuted" and set(scope.examples) - set(used) - {name}:
        return None  # further values may be part of the example
    return _said(used), decision


def for_its_values(scope: Scope, ours: Scalar, theirs: Scalar, facts: Facts, outcome: Outcome) -> Outcome:
    """With k = 4, s = 2 and p = 1, i' = 2o: what is false in general may hold for the values at hand."""
    here = {v: x for v, x in scope.examples.items() if v in scope.at_hand}
    if not here or outcome.verdict not in ("refuted", "proved_if", "proved_for"):
        return outcome
    fixed = tuple((Var(v), Num(Fraction(x))) for v, x in here.items())
    if decide_scalar(theirs, ours, replace(facts, equal=(*facts.equal, *fixed))).kind != "proved":
        return outcome
    said = _said(here)
    return replace(outcome, reading="; ".join(filter(None, (outcome.reading, said))),
                   judgement=Judgement("proved", instance=said, engines=outcome.judgement.engines))


def for_the_example(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement,
                    outcome: Outcome) -> Outcome:
    """Elements written out one by one, x_1 = w_0 d_1 + w_1 d_0, are about the sizes the example was given."""
    scope = session.scope
    values = {v: x for v, x in scope.examples.items() if v in scope.sizes}
    if not values or session.given or outcome.verdict not in ("refuted", "proved_if", "proved_for") \
            or _sums((left, right)):
        return outcome
    before = list(scope.facts)
    scope.facts += [equal(Affine.of(v), x) for v, x in values.items()]
    scope.fixed = values
    try:
        there = session.decide(opened, left, right, s)
    except NotationError:
        return outcome
    finally:
        scope.facts[:], scope.fixed = before, {}
    if there.judgement.bare == "proved":  # the example names elements, so it has them
        there = replace(there, judgement=replace(there.judgement, verdict="proved", condition="", cases=ANY))
    if outcome.verdict == "refuted" and there.judgement.counterexample is not None:  # one that fits the example
        there = replace(there, judgement=replace(outcome.judgement, counterexample=there.judgement.counterexample))
    if there.verdict not in ("proved", "refuted"):
        return outcome
    reading = "; ".join(filter(None, (there.reading, _said(values))))
    return replace(there, reading=reading, judgement=replace(there.judgement, instance=_said(values)))


def _sums(nodes: Iterable[n.Node]) -> bool:
    return any(isinstance(x, n.Sum | n.Integral | n.Operation) or _sums(children(x)) for x in nodes)


def _said(values: dict[str, int]) -> str:
    return f"for {', '.join(f'{v} = {x}' for v, x in values.items())}"
