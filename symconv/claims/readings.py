"""A formula that can be read in more than one way: every reading is decided, and differences are said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.claims.finding import Reading
from symconv.claims.letters import children, index_names
from symconv.claims.outcome import Outcome
from symconv.claims.stars import canonical, is_open
from symconv.claims.words import CONVOLUTIONS, key
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.opened import Opened
    from symconv.claims.session import Session

ORDER = ("proved", "proved_if", "proved_for", "refuted", "checked", "not_understood")


def decide_readings(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
    """The outcome under what the document fixes; where it leaves an operator open, the reading under
    which the formula holds comes first and the others are alternatives."""
    scope = opened.scope
    found = {canonical(o.operator) for o in _operators((left, right)) if is_open(scope, o)}
    open_operators = sorted(found - set(scope.taken))
    modes = ("",) if scope.mode or not any(True for _ in _operators((left, right))) else ("valid", "full")
    if not open_operators and len(modes) == 1:
        return _either_side(session, opened, left, right, s)
    gradient = isinstance(left, n.Partial) or any(isinstance(x, n.Partial) for x in children(left))
    context = gradient or any(scope.array(key(x)) is not None for x in index_names(left))
    first = session.correlates() if context else open_operators == ["star"]
    meanings = ["correlation", "convolution"] if first else ["convolution", "correlation"]
    outcomes: list[tuple[str, str, Outcome]] = []
    error: NotationError | None = None
    for meaning in meanings if open_operators else ("",):
        for mode in modes:
            before = dict(scope.stars), scope.mode, list(scope.notes)
            scope.stars |= dict.fromkeys(open_operators, meaning) if meaning else {}
            scope.mode = mode
            try:
                outcomes.append((meaning, mode, _either_side(session, opened, left, right, s)))
            except NotationError as e:
                error = error or e
            finally:
                scope.stars, scope.mode, scope.notes[:] = before[0], before[1], before[2]
    if not outcomes:
        assert error is not None
        raise error
    return _best(outcomes, open_operators, any(o.kind == "gradient" for _, _, o in outcomes))


def _either_side(session: Session, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
    """f star g correlates on one side or the other, by author: the side on which the formula holds."""
    first = session.decide(opened, left, right, s)
    if first.verdict in ("proved", "definition") or not any(True for _ in _operators((left, right))):
        return first
    scope = opened.scope
    for last in (True, False):
        scope.kernel_last = last
        try:
            other = session.decide(opened, left, right, s)
        except NotationError:
            continue
        finally:
            scope.kernel_last = None
        if other.verdict == "proved":
            return other
    return first


def _best(outcomes: list[tuple[str, str, Outcome]], operators: list[str], gradient: bool) -> Outcome:
    """Gradients are read as they hold, for authors leave the operator to the reader; of identities the usual
    meaning comes first."""
    fitting = [o for o in outcomes if not o[2].judgement.reason.startswith("shape")] or outcomes
    first = fitting[0][0]
    ranked = sorted(fitting, key=lambda o: (not gradient and o[0] != first,
                                            ORDER.index(o[2].verdict) if o[2].verdict in ORDER else len(ORDER)))
    meaning, _, best = ranked[0]
    name = " and ".join(operators)
    said = f"{name} is {'cross-correlation' if meaning == 'correlation' else meaning}" if operators and meaning else ""
    others = {m: o for m, _, o in reversed(ranked) if m != meaning and o.verdict != best.verdict
              and all(x.verdict == o.verdict for y, _, x in fitting if y == m)}
    alternatives = tuple(Reading(f"{name} is {'cross-correlation' if m == 'correlation' else m}", o.verdict,
                                 o.judgement.condition) for m, o in others.items())
    if not alternatives and operators:
        said = said if any(o.verdict != best.verdict for _, _, o in fitting) else ""
    return replace(best, reading="; ".join(t for t in (best.reading, said) if t), alternatives=alternatives)


def _operators(nodes: tuple[n.Node, ...]) -> Iterator[n.Operation]:
    for node in nodes:
        if isinstance(node, n.Operation) and canonical(node.operator) in ("*", "star", "circledast", "otimes"):
            yield node
        if isinstance(node, n.Call) and len(node.arguments) == 2 and key(node.head) in CONVOLUTIONS:
            yield n.Operation("*", *node.arguments)
        yield from _operators(tuple(children(node)))
