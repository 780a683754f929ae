"""Expressions without a left-hand side: matched to gradients, elements and contributions.

delta_1 w_3 + delta_2 w_2 + delta_3 w_1 says nothing by itself. With o_i = sum_j w_j x_{i+j-1}
known, it is the gradient with respect to x_3; a list of such products, one factor of them common,
is what that element contributes to the gradients of the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from symconv.affine import Affine
from symconv.claims.gradients import depends, gradients
from symconv.claims.judge import Judgement, judge
from symconv.claims.opened import Opened
from symconv.claims.outcome import Outcome, Remark
from symconv.claims.raw import Factor, Raw, Sum, plain
from symconv.claims.scope import GRADIENT, Scope
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement

if TYPE_CHECKING:
    from symconv.claims.session import Session

MOST = 40  # candidate elements tried for one expression


@dataclass(frozen=True)
class Element:
    """One element of an array, by numbers."""

    name: str
    index: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.name}_{','.join(map(str, self.index))}" if self.index else self.name


def matched(session: Session, body: n.Node, s: Statement) -> list[Outcome]:
    """What the expression is, if it is anything the definitions know."""
    if not _arithmetic(body):
        return [Outcome("", Judgement("not_a_claim", reason="a name or a list of names"))]
    opened = Opened(session.scope, 1, body)
    free = bool(opened.letters)
    if free and not isinstance(body, n.Items) and (found := free_gradient(session, opened, body)) is not None:
        return [found]
    opened.letters.clear()  # nothing on a left-hand side declares them
    reader = opened.reader()
    session.prepare(reader, body, body)
    entries = body.entries if isinstance(body, n.Items) else (body,)
    try:
        sums = [reader.value(e).terms for e in entries if not isinstance(e, n.Dots)]
    except NotationError as e:
        return [Outcome("", Judgement("not_a_claim", reason=e.reason), at=e.at)]
    remarks = tuple(Remark("SC010", str(u), u.at, end=u.end) for u in dict.fromkeys(reader.undeclared))
    if not any(gradients(t) for t in sums):
        return [Outcome("", Judgement("not_a_claim", reason="an expression without a statement about it"),
                        remarks=remarks)]
    if len(sums) > 1:
        return [contributions(session.scope, sums, remarks)]
    if remarks or free:
        return [Outcome("", Judgement("not_a_claim", reason="an expression with free indices"), remarks=remarks)]
    return [gradient_element(session.scope, sums[0])]


def _arithmetic(body: n.Node) -> bool:
    if isinstance(body, n.Items):
        return any(map(_arithmetic, body.entries))
    if isinstance(body, n.Bracketed):
        return _arithmetic(body.body)
    return isinstance(body, n.Product | n.Add | n.Sum | n.Signed | n.Quotient | n.Operation)


def free_gradient(session: Session, opened: Opened, body: n.Node) -> Outcome | None:
    """sum_j delta_j x_{i+j-1} with a free i: the gradient with respect to one array, element by element."""
    scope, reader = session.scope, opened.reader()
    session.prepare(reader, body, body)
    try:
        terms = reader.value(body).terms
    except NotationError:
        return None
    letters = opened.used(terms)
    used = gradients(terms)
    found: list[Outcome] = []
    for name, array in list(scope.arrays.items()):
        if len(array.axes) != len(letters) or name in scope.definitions or not any(
                depends(scope, u.removeprefix(GRADIENT), name) for u in used):
            continue
        here = tuple(map(Affine.of, letters))
        left = (Raw((Factor(GRADIENT + name, here),)),)
        judgement = judge(scope, left, terms, letters, elements=left[0].factors)
        if judgement.verdict in ("proved", "proved_if"):
            index = ",".join(map(plain, letters))
            found.append(Outcome("gradient", judgement, f"the gradient with respect to {name}_{index}"))
    return min(found, key=lambda o: o.verdict != "proved", default=None)


def gradient_element(scope: Scope, terms: Sum) -> Outcome:
    """The element whose gradient this is."""
    found = [(e, judge(scope, _gradient(scope, e, terms), terms, ())) for e in candidates(scope, terms)]
    for verdict in ("proved", "proved_if", "proved_for"):
        for e, j in found:
            if (j.bare or j.verdict) == verdict:
                outputs = f", where at least {len(terms)} outputs reach it" if j.verdict != "proved" else ""
                return Outcome("element", j, f"the gradient with respect to {e}{outputs}")
    return Outcome("element", Judgement("not_understood", reason="it is the gradient of no element of the "
                                        "definitions given"))


def _gradient(scope: Scope, e: Element, terms: Sum) -> Sum:
    return (Raw((Factor(GRADIENT + e.name, tuple(map(Affine.of, e.index))),)),)


def candidates(scope: Scope, terms: Sum) -> Iterator[Element]:
    """Elements of arrays that the definitions read, near the indices that occur."""
    used = {g.removeprefix(GRADIENT) for g in gradients(terms)}
    factors = {f.name for t in terms for f in t.factors}
    numbers = [e.constant for t in terms for f in t.factors for e in f.indices]
    top = max(numbers, default=0) * 2 + 1
    count = 0
    for name, array in list(scope.arrays.items()):
        if name in scope.definitions or not any(depends(scope, u, name) for u in used) or name in factors:
            continue
        if not array.axes or not array.finite or not all(a.low.is_constant for a in array.axes):
            continue
        for index in product(*(range(a.low.constant, top + 1) for a in array.axes)):
            count += 1
            if count > MOST:
                return
            yield Element(name, index)


def contributions(scope: Scope, sums: list[Sum], remarks: tuple[Remark, ...]) -> Outcome:
    """(delta_3 x_3, delta_2 x_3, delta_1 x_3): what x_3 adds to the gradients of w_1, w_2 and w_3."""
    if any(len(t) != 1 or len(t[0].factors) != 2 or t[0].indices for t in sums):
        return Outcome("contribution", Judgement("not_a_claim", reason="a list of expressions"), remarks=remarks)
    pairs = [_parted(t[0].factors) for t in sums]
    others = [o for _, o in pairs if o is not None]
    known = [o for o in others if all(e.is_constant for e in o.indices)]
    if len(others) != len(sums) or not known or len({o.name for o in others}) != 1:
        return Outcome("contribution", Judgement("not_a_claim", reason="a list of expressions"), remarks=remarks)
    common = max(set(known), key=known.count)
    of = Element(common.name, tuple(e.constant for e in common.indices))
    for name in _partners(scope, common.name, {u.name for u, _ in pairs if u}):
        targets = [_target(scope, name, u, common) for u, _ in pairs if u]
        if len(targets) == len(sums) and None not in targets:
            listed = ", ".join(map(str, targets))
            fixes = tuple(Remark(r.code, f"{r.message}; {of} is meant", r.at, str(of), r.end) for r in remarks)
            strange = [o for o in others if o != common]
            reading = f"the contributions of {of} to the gradients of ({listed})"
            if strange:
                reading += f", with {', '.join(map(_spoken, strange))} read as {of}"
            return Outcome("contribution", Judgement("proved", engines=("enumeration",)), reading, remarks=fixes)
    return Outcome("contribution", Judgement("not_understood", reason="no element of the definitions contributes "
                                             "these products"), remarks=remarks)


def _spoken(f: Factor) -> str:
    return f"{f.name}_{','.join(plain(str(e)) for e in f.indices)}"


def _parted(factors: tuple[Factor, ...]) -> tuple[Factor | None, Factor | None]:
    """The upstream factor and the other one."""
    up = [f for f in factors if f.name.startswith(GRADIENT)]
    rest = [f for f in factors if not f.name.startswith(GRADIENT)]
    return (up[0], rest[0]) if len(up) == 1 and len(rest) == 1 else (None, None)


def _partners(scope: Scope, name: str, used: set[str]) -> Iterator[str]:
    """Arrays multiplied with `name` in a definition whose gradient occurs."""
    for d in scope.definitions.values():
        if GRADIENT + d.name in used:
            for t in d.terms:
                if any(f.name == name for f in t.factors):
                    yield from (f.name for f in t.factors if f.name != name)


def _target(scope: Scope, name: str, up: Factor, common: Factor) -> Element | None:
    """The element of `name` whose gradient holds the product of both."""
    d = scope.definitions[up.name.removeprefix(GRADIENT)]
    for t in d.at(up.indices):
        f = next((x for x in t.factors if x.name == common.name), None)
        g = next((x for x in t.factors if x.name == name), None)
        if f is None or g is None or len(t.indices) != 1 or len(f.indices) != 1 or len(g.indices) != 1:
            continue
        bound = t.indices[0]
        a = f.indices[0].coefficient(bound)
        rest = common.indices[0] - f.indices[0] + a * Affine.of(bound)
        if abs(a) == 1 and rest.is_constant:
            value = g.indices[0].substitute({bound: rest * a})
            if value.is_constant:
                return Element(name, (value.constant,))
    return None


