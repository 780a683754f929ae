"""The corrected formula in the author's notation, shown only after it has been proved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from itertools import islice
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims.gradients import gradients, resolved
from symconv.claims.opened import Opened
from symconv.claims.raw import plain
from symconv.claims.regroup import regrouped
from symconv.claims.writing import written
from symconv.errors import NotationError, SymconvError
from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.parser import Statement, parse

if TYPE_CHECKING:
    from symconv.claims.session import Session

EDITS = 24  # single changes tried


def suggestion(session: Session, left: n.Node, right: n.Node, s: Statement) -> str:
    """LaTeX of a formula for the same left-hand side that is proved, or ""."""
    candidates = derived(session, left, right)
    if candidates is None:
        candidates = edited(right, False)
    for node in islice(candidates, EDITS):
        latex = LATEX(n.Chain((left, node), ("=",)))
        if proved(session, latex, s):
            return latex
    return ""


def proved(session: Session, latex: str, s: Statement) -> bool:
    """Is what people will read, read again, true?"""
    before = list(session.scope.facts), list(session.scope.notes), set(session.scope.sizes)
    session.scope.trying = True
    try:
        read = parse(latex)[0].body
        body = regrouped(read, session.words(read))
        if not isinstance(body, n.Chain):
            return False
        opened = Opened(session.scope, 1, body)
        return session.decide(opened, body.items[0], body.items[1], s).verdict == "proved"
    except SymconvError:
        return False
    finally:
        session.scope.trying = False
        session.scope.facts[:], session.scope.notes[:], session.scope.sizes = before


def derived(session: Session, left: n.Node, right: n.Node) -> Iterator[n.Node] | None:
    """The gradient itself, where the left-hand side is one."""
    opened = Opened(session.scope, 1, n.Chain((left, right), ("=",)))
    reader = opened.reader()
    try:
        ours = reader.value(left)
        theirs = reader.value(right)
    except NotationError:
        return None
    if ours.rank or theirs.rank or not gradients(ours.terms):
        return None
    stop = gradients(ours.terms) | gradients(theirs.terms)
    letters = {e.items[0][0][0]: plain(name) for name, e in reader.names.items()}
    node = written(session.scope, resolved(session.scope, ours.terms, stop), letters)
    return iter(()) if node is None else iter((node,))


def edited(node: n.Node, index: bool) -> Iterator[n.Node]:
    """The node with one change: an offset in an index or a bound, or a sign."""
    if isinstance(node, n.Add):
        yield from _offsets(node) if index else ()
        for place, t in enumerate(node.terms):
            if not t.choice and not isinstance(t.node, n.Number):
                flipped = replace(t, negative=not t.negative)
                yield replace(node, terms=(*node.terms[:place], flipped, *node.terms[place + 1:]))
    for f in fields(node):
        value = getattr(node, f.name)
        inside = index or f.name in ("below", "low", "high") or (f.name == "arguments" and isinstance(node, n.Call))
        if isinstance(value, n.Node):
            yield from (replace(node, **{f.name: v}) for v in edited(value, inside))
        elif isinstance(value, tuple):
            for place, item in enumerate(value):
                if isinstance(item, n.Node):
                    for v in edited(item, inside):
                        made = (*value[:place], v, *value[place + 1:])
                        yield replace(node, **{f.name: made})


def _offsets(node: n.Add) -> Iterator[n.Node]:
    """One more, one less."""
    rest = tuple(t for t in node.terms if not isinstance(t.node, n.Number))
    constant = Affine()
    for t in node.terms:
        if isinstance(t.node, n.Number) and t.node.value == int(t.node.value):
            constant = constant + int(t.node.value) * (-1 if t.negative else 1)
    for step in (1, -1):
        value = constant.constant + step
        yield n.Add((*rest, n.Signed(value < 0, n.Number(abs(value))))) if value else (
            rest[0].node if len(rest) == 1 and not rest[0].negative else n.Add(rest))
