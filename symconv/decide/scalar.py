"""Equality of two scalars for all admissible integer sizes, with exact conditions and counterexamples.

Two engines: algebra (a normal form and the zeros of a difference) and enumeration (numbers only).
Whatever the algebra says is checked on every size that was tried, in both directions.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.decide.decision import Condition, Counterexample, Decision, EngineDisagreement
from symconv.decide.scalar_cases import Case, judge, quotients, sufficient, taken_for_granted
from symconv.decide.scalar_conditions import condition
from symconv.decide.scalar_roots import Outcome
from symconv.decide.scalar_terms import (
    Ceil,
    Facts,
    Floor,
    Max,
    Min,
    Mod,
    Num,
    Over,
    Plus,
    Pow,
    Scalar,
    ScalarLike,
    Times,
    Var,
    names,
    parts,
    scalar,
    substitute,
)
from symconv.decide.scalar_values import Point, Trial, Undefined, compute, connected, trial
from symconv.errors import LimitExceeded

__all__ = [
    "Ceil", "Facts", "Floor", "Max", "Min", "Mod", "Num", "Over", "Plus", "Pow", "Scalar", "ScalarLike", "Times",
    "Var", "decide_scalar", "names", "scalar", "substitute",
]
ENGINES = ("algebra", "enumeration")
MOST_NODES, DEEPEST, MOST_NAMES = 600, 60, 40


def decide_scalar(left: Scalar, right: Scalar, facts: Facts | None = None) -> Decision:
    """Does `left = right` hold for all integer sizes that satisfy the facts?

    Sizes where a side is undefined (a division by zero) make no statement; the reason mentions them.
    Of a counterexample, `claimed` is the left value and `actual` the right one.

    Raises:
        EngineDisagreement: algebra and enumeration contradict each other (a bug, not a verdict).
    """
    facts = facts or Facts()
    if (excess := _too_large(left, right, facts)) is not None:
        return Decision("unknown", reason=excess)
    involved = connected(left, right, facts)
    if len(involved) > MOST_NAMES:
        return Decision("unknown", reason=f"more than {MOST_NAMES} names")
    if not involved:
        return _numbers(left, right)
    tried = trial(left, right, facts)
    if not tried.points:
        return Decision("unknown", reason="no sizes that satisfy the assumptions were found", engines=ENGINES[1:])
    outcome = _algebra(left, right, facts, tried)
    granted = " and ".join(map(str, taken_for_granted(Case(left, right, facts))))
    found = _decision(outcome, tried, left, right)
    return replace(found, reason=f"{found.reason}; the assumptions need integers: {granted}") if granted else found


def _too_large(left: Scalar, right: Scalar, facts: Facts) -> str | None:
    """Refuse what recursion or exact arithmetic should not meet, without recursion."""
    stack = [(e, 0) for e in (left, right, *(x for pair in facts.pairs for x in pair))]
    nodes = 0
    while stack:
        e, depth = stack.pop()
        nodes += 1
        if nodes > MOST_NODES or depth > DEEPEST:
            return f"an expression of more than {MOST_NODES} parts or {DEEPEST} levels"
        if isinstance(e, Max | Min) and not e.args:
            return "a maximum of nothing"
        stack += [(p, depth + 1) for p in parts(e)]
    return None


def _numbers(left: Scalar, right: Scalar) -> Decision:
    try:
        a, b = compute(left)({}), compute(right)({})
    except Undefined as e:
        return Decision("unknown", reason=str(e), engines=ENGINES[1:])
    if a == b:
        return Decision("proved", reason=f"both are {a}", engines=ENGINES[1:])
    return Decision("refuted", counterexample=Counterexample(claimed=a, actual=b), reason="the numbers differ",
                    engines=ENGINES[1:])


def _algebra(left: Scalar, right: Scalar, facts: Facts, tried: Trial) -> Outcome:
    case = Case(left, right, facts)
    try:
        found = judge(case)
        if found.kind != "always" and tried.differing is None:
            apart = (o for c in quotients(case) if (o := judge(c)).kind == "always")
            return next(apart, found)
        if found.kind == "open" and tried.differing is not None:
            better = sufficient(case, tried.points)
            return better if better.kind != "open" else found
        return found
    except LimitExceeded as e:
        return Outcome("open", reason=str(e))


def _decision(outcome: Outcome, tried: Trial, left: Scalar, right: Scalar) -> Decision:
    stated = condition(outcome.test) if outcome.test is not None else None
    _agree(outcome, stated, tried, f"{left} = {right}")
    worst, count = tried.differing, len(tried.points)
    note = "; where defined" if tried.undefined else ""
    example = _example(worst) if worst is not None else None
    if worst is None:
        if outcome.kind == "always":
            return Decision("proved", reason=f"both sides have one normal form{note}", engines=ENGINES)
        reason = f"equal for all {count} sizes tried; {outcome.reason or f'proved where {stated}'}{note}"
        return Decision("checked", reason=reason, engines=ENGINES)
    some = any(p.equal for p in tried.points)
    if stated is None or not any(stated.holds(p.sizes) for p in tried.points):
        reason = "true for some sizes" if some else \
            "false for all sizes" if outcome.kind == "never" else "false for all sizes tried"
        return Decision("refuted", counterexample=example, reason=reason + note, engines=ENGINES)
    kind, reason = ("proved_if", "true exactly") if outcome.kind == "exactly" else ("proved_for", "true at least")
    return Decision(kind, stated, example, f"{reason} when {stated}{note}", ENGINES)


def _agree(outcome: Outcome, stated: Condition | None, tried: Trial, claim: str) -> None:
    """Every size that was tried must bear out what the algebra says.

    Raises:
        EngineDisagreement: one does not.
    """
    for p in tried.points:
        holds = stated is not None and stated.holds(p.sizes)
        wrong = {"always": not p.equal, "never": p.equal, "exactly": holds != p.equal,
                 "suffices": holds and not p.equal}.get(outcome.kind, False)
        if wrong:
            said = f"{outcome.kind} {stated or ''}".strip()
            raise EngineDisagreement(f"algebra says '{said}' of {claim}, and at {p.sizes} the sides are "
                                     f"{p.left} and {p.right}")


def _example(p: Point) -> Counterexample:
    return Counterexample(sizes=tuple(p.sizes.items()), claimed=p.left, actual=p.right)
