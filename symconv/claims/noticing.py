"""What is worth saying beside a verdict: elements that do not exist, names that look misspelt."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from symconv.affine import Affine, Constraint
from symconv.claims.judge import Judgement, spoken, spoken_array
from symconv.claims.outcome import Outcome, Remark
from symconv.claims.regroup import mapped
from symconv.claims.scope import GRADIENT, Scope
from symconv.claims.suggest import proved
from symconv.claims.words import key, names_in
from symconv.decide.conditions import positive_first
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.session import Session

TRIED = 8  # names put in the place of one that nothing declares


class UnknownName(NotationError):
    """A formula speaks of an array that nothing defines."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing says what {name} is", -1)
        self.name = name


def outside(scope: Scope, judgement: Judgement, sides: tuple[n.Node, ...]) -> tuple[Remark, ...]:
    """A remark for each array that stated bounds read where it has no elements."""
    if scope.zero or not judgement.decided:
        return ()
    names = [spoken_array(scope, a) for a in judgement.outside]
    return tuple(Remark("SC013", f"elements of {name} are read that do not exist: say that they count as zero, or "
                        "change the bounds", place(name, sides)) for name in names)


def taken(scope: Scope, facts: Iterable[Constraint]) -> None:
    """A size that only this formula names is what makes its sum run over a whole axis: that is said."""
    for c in facts:
        new = [v for v in c.expression.names - scope.settled if "|" not in v and abs(c.expression.coefficient(v)) == 1]
        if c.equality and len(new) == 1:
            value = Affine.of(new[0]) - c.expression.coefficient(new[0]) * c.expression
            scope.note(f"{new[0]} is taken as {spoken(positive_first(value))}")


def place(name: str, sides: tuple[n.Node, ...]) -> int:
    """Where a name is written first, -1 for nowhere."""
    letter = name.rpartition("/d")[2].split("^")[0].split("_")[0]
    found = [x for x in names_in(sides) if x.text in (name, letter)]
    return found[0].at if found else -1


def lost(session: Session, e: UnknownName, left: n.Node, right: n.Node, s: Statement) -> Outcome:
    """Not understood for want of a declaration; where another name makes the formula true, that one is named."""
    at = place(e.name, (right, left))
    remarks: tuple[Remark, ...] = ()
    if not session.given and (meant := _meant(session, e.name, n.Chain((left, right), ("=",)), s)):
        message = f"{e.name} is declared nowhere; with {meant} in its place the formula is true"
        remarks = (Remark("SC014", message, at, LATEX(n.Name(meant))),)
    return Outcome("", Judgement("not_understood", reason=e.reason), remarks=remarks, at=at)


def _meant(session: Session, name: str, body: n.Chain, s: Statement) -> str:
    """A declared name that does not occur in the formula and makes it true."""
    used = {key(x) for x in names_in(body)}
    known = [a for a in dict.fromkeys((*session.scope.upstream, *session.scope.arrays))
             if a.isalpha() and a not in used and not a.startswith(GRADIENT)]
    return next((a for a in islice(known, TRIED) if proved(session, LATEX(_renamed(body, name, a)), s)), "")


def _renamed(node: n.Node, name: str, other: str) -> n.Node:
    if isinstance(node, n.Name):
        return n.Name(other) if node.text == name else node
    return mapped(node, lambda inner: _renamed(inner, name, other))
