"""Weight updates: w <- w - eta dL/dw."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims.gradients import differential
from symconv.claims.judge import Judgement, judge
from symconv.claims.opened import Opened
from symconv.claims.outcome import Outcome
from symconv.claims.raw import Factor, Raw, Sum, fresh, multiply, scale
from symconv.claims.regroup import mapped
from symconv.claims.scope import gradient_of
from symconv.claims.spelling import reference
from symconv.claims.words import key
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.session import Session


STEPS = frozenset(("t+1", "k+1", "n+1", "i+1", "new", "next", "τ+1", "tau+1", "neu", "s+1"))


def time_step(body: n.Chain, arrays: Collection[str] = ()) -> n.Chain | None:
    """w^{(t+1)} = w^{(t)} - ..., w := w - ... or w \\to w - ..., as the update it is; None for other chains.

    Args:
        arrays: known names; where w^t is one, the label is part of the name.
    """
    if len(body.items) != 2:
        return None
    left, right = body.items
    if body.operators[0] in (":=", "=", "->") and isinstance(right, n.Add) and right.terms[0].node == left \
            and not right.terms[0].negative:
        return n.Chain(body.items, ("<-",))
    if body.operators[0] not in (":=", "="):
        return None
    if not isinstance(left, n.Scripted) or len(left.above) != 1 or key(left.above[0]) not in STEPS:
        return None
    first = right.terms[0].node if isinstance(right, n.Add) else right
    if isinstance(first, n.Scripted) and first.base == left.base \
            and f"{key(first.base)}^{','.join(map(key, first.above))}" in arrays:
        return n.Chain((first, right), ("<-",))
    bare = n.Scripted(left.base, left.below) if left.below else left.base
    old = {key(left.above[0]).removesuffix("+1"), "old", "t", ""}

    def stripped(node: n.Node) -> n.Node:
        if isinstance(node, n.Scripted) and node.base == left.base and len(node.above) == 1 \
                and key(node.above[0]) in old:
            return n.Scripted(node.base, node.below) if node.below else node.base
        return mapped(node, stripped)

    return n.Chain((bare, stripped(right)), ("<-",)) if isinstance(right, n.Add) else None


def update(session: Session, body: n.Chain, s: Statement) -> list[Outcome]:
    """Does the step go against the gradient, by one common rate?"""
    scope = session.scope
    left, right = body.items[0], body.items[1]
    opened = Opened(session.scope, 1, body)
    reader = opened.reader()
    session.prepare(reader, left, right)
    name = session.scope.resolve(reference(reader, left).name)
    if session.scope.array(name) is None and name not in session.scope.ranks:
        return [Outcome("update", Judgement("definition"), "an update of an array that nothing defines")]
    ours, theirs = reader.value(left), reader.value(right)
    names = tuple(fresh(c) for c in "ijkl"[:ours.rank])
    here = tuple(map(Affine.of, names))
    old, new = ours.at(here), theirs.at(here)
    remarks = opened.remarks(reader)
    if len(old) != 1 or len(old[0].factors) != 1:
        raise NotationError("an update changes one array", -1)
    parameter = old[0].factors[0]
    steps = [t for t in new if [f.name for f in t.factors] != [parameter.name]]
    rate = scope.rates.get(parameter.name) or _rate(steps)
    if session.given:
        scope.rates[parameter.name] = rate
    gradient: Sum = (Raw((Factor(gradient_of(parameter.name), parameter.indices),)),)
    penalised = [differential(scope, scope.definitions[j].terms, parameter.name, parameter.indices)
                 for j in scope.objectives]  # descent on J = L + a penalty, if J is what is meant
    judgements = [judge(scope, (*old, *scale(multiply((Raw(rate),), g), -1)), new, (*opened.used(old, new), *names))
                  for g in (gradient, *penalised)]
    judgement = next((j for j in judgements if j.verdict == "proved"), judgements[0])
    return [Outcome("update", judgement, f"one step of gradient descent for {parameter.name}", remarks=remarks)]


def _rate(steps: list[Raw]) -> tuple[Factor, ...]:
    """The scalars that every term of the step has in common."""
    if not steps:
        raise NotationError("the step has no gradient in it", -1)
    return tuple(dict.fromkeys(f for f in steps[0].factors if not f.indices and not f.function
                               and all(f in t.factors for t in steps)))
