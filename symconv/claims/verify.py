"""Read a document, decide every formula in it, report findings with their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from symconv.claims.directives import directive
from symconv.claims.finding import Finding
from symconv.claims.judge import Judgement
from symconv.claims.outcome import Outcome, Remark
from symconv.claims.session import Session
from symconv.claims.spans import Formula, formulas
from symconv.claims.telling import coded, sentence
from symconv.decide.decision import EngineDisagreement
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.document import Document, Place, read_document
from symconv.notation.parser import Statement, parse


def verify(text: str, *, given: Sequence[str] = (), source: str = "markdown", path: str = "-") -> list[Finding]:
    """Every formula of a document with its verdict, and every remark, in the order of the document.

    Args:
        given: LaTeX definitions and directives that hold before the document begins.
        source: "markdown", "latex", "notebook" or "text".

    Raises:
        SymconvError: the notebook is no notebook.
    """
    document = read_document(text, source, path)
    session = Session()
    found = take_given(session, given)
    found += [f for d in document.directives
              if (f := unread(d.text, document.path, d.place)) and not directive(session.scope, d.text)]
    for formula in formulas(document):
        found += of_formula(session, formula, document)
        found += mistaken(session, formula, document)
    return found


def mistaken(session: Session, formula: Formula, document: Document) -> list[Finding]:
    """A letter that is a function elsewhere and is called a derivative here: sigma written for delta."""
    span = formula.pieces[0][1]
    name = formula.latex.strip().removeprefix("\\")
    if span is None or name not in session.scope.functions or not GRADIENTS.search(span.before[-16:]):
        return []
    meant = "\\delta" if any("\\delta" in s.latex for s in document.spans) else ""
    message = f"{name} is a function in this document and is called a derivative here"
    return [remarked(Remark("SC012", message + (f": {meant} is meant" if meant else ""), suggestion=meant), formula,
                     document, (0, len(formula.latex)), 0)]


def verify_claim(latex: str, *, given: Sequence[str] = ()) -> Finding:
    """The verdict on one formula; of a chain, the verdict that needs most attention.

    Args:
        latex: the claim, without delimiters.
        given: LaTeX definitions and directives it relies on.
    """
    nothing = Finding(latex, "not_a_claim", "SC021", "note", "there is no formula here")
    verdicts = [f for f in claim_findings(latex, given) if f.verdict]
    return max(verdicts, key=lambda f: WEIGHT.get(f.verdict, 0), default=nothing)


def claim_findings(latex: str, given: Sequence[str] = ()) -> list[Finding]:
    """Every finding on one formula, what could not be read of the context first."""
    verdicts = _claimed(latex, given, 1)
    if all(f.verdict in ("", "not_understood") for f in verdicts) and any(" axes" in f.message for f in verdicts):
        planar = _claimed(latex, given, 2)  # arrays named as a whole may be images
        verdicts = planar if any(f.verdict not in ("", "not_understood") for f in planar) else verdicts
    return verdicts


def _claimed(latex: str, given: Sequence[str], rank: int) -> list[Finding]:
    session = Session(fixed=True)
    session.scope.usual_rank = rank
    found = take_given(session, given)
    return found + of_formula(session, Formula.alone(latex), Document("-", (), ()))


GRADIENTS = re.compile("gradient|derivative|error signal|미분|기울기|그래디언트|오차|梯度|导数|误差|勾配", re.I)
WEIGHT = {"refuted": 8, "proved_for": 7, "proved_if": 6, "checked": 5, "not_understood": 4, "proved": 3,
          "definition": 2, "not_a_claim": 1}


def take_given(session: Session, given: Sequence[str]) -> list[Finding]:
    """Read the context a person gave; what cannot be read is a finding."""
    found: list[Finding] = []
    session.given = True
    formulas_: list[str] = []
    for text in given:
        for part in text.split(";") if "\\" not in text else (text,):
            if part.strip() and not directive(session.scope, part):
                formulas_.append(part)
    statements: list[tuple[str, Statement]] = []
    for latex in formulas_:
        try:
            statements += ((latex, s) for s in with_conditions(parse(latex)))
        except NotationError as e:
            found.append(unread(latex, "-", Place(1, 1), e.reason))
    for latex, s in sorted(statements, key=lambda p: session.order(p[1])):
        try:
            outcomes = session.assume(s)
        except EngineDisagreement as e:
            outcomes = [Outcome("", Judgement("not_understood", reason=f"internal: {e}"))]
        if outcomes and all(o.verdict == "not_understood" for o in outcomes):
            found.append(unread(latex, "-", Place(1, 1), outcomes[0].judgement.reason))
    session.given = False
    return found


def unread(text: str, path: str, place: Place, reason: str = "") -> Finding:
    """The finding for a directive that could not be read."""
    message = f"this directive is not understood: {text.strip()}" + (f" ({reason})" if reason else "")
    return Finding(text.strip(), "", "SC002", "error", message, "directive", path, place.line, place.column,
                   place.line, place.column + len(text))


def of_formula(session: Session, formula: Formula, document: Document) -> list[Finding]:
    """Findings for every part of one formula."""
    try:
        statements = parse(formula.latex)
    except NotationError as e:
        refused = Outcome("", Judgement("not_understood", reason=e.reason), at=e.at)
        return [finding(refused, formula, document, (0, len(formula.latex)), 0)]
    found: list[Finding] = []
    for s in with_conditions(statements):
        try:
            outcomes = session.statement(s)
        except EngineDisagreement as e:
            found.append(internal(str(e), formula, document, (s.start, s.end)))
            continue
        for o in outcomes:
            span = s.parts[o.part] if o.part < len(s.parts) else (s.start, s.end)
            if o.part + 1 < len(s.parts):
                span = (s.parts[o.part][0], s.parts[o.part + 1][1])
            found.append(finding(o, formula, document, span, o.part))
            found += [f for r in o.remarks if (f := remarked(r, formula, document, span, o.part)) not in found]
    return found


def with_conditions(statements: Sequence[Statement]) -> list[Statement]:
    """`i, j = 1, 2` behind a formula is its side condition, not a formula of its own."""
    found: list[Statement] = []
    for s in statements:
        body = s.body
        if found and isinstance(body, n.Chain) and body.operators == ("=",) and isinstance(body.items[1], n.Items) \
                and not isinstance(body.items[0], n.Call):
            found[-1] = replace(found[-1], conditions=(*found[-1].conditions, body))
        else:
            found.append(s)
    return found


def internal(message: str, formula: Formula, document: Document, span: tuple[int, int]) -> Finding:
    """Two engines contradict each other: a bug in symconv, and no verdict."""
    first, last = formula.place(span[0]), formula.place(span[1])
    return Finding(formula.text(span), "not_understood", "SC190", "error", f"internal: {message}", "", document.path,
                   first.line, first.column, last.line, last.column)


def finding(o: Outcome, formula: Formula, document: Document, span: tuple[int, int], part: int) -> Finding:
    """One outcome with its place in the file."""
    code, severity = coded(o)
    start, end = span
    if o.at >= 0 and o.verdict == "not_understood":
        start, end = o.at, max(o.at + 1, min(end, o.at + 1))
    first = formula.place(start)
    last = max(first, formula.place(end), key=lambda p: (p.line, p.column))
    j = o.judgement
    return Finding(formula.text(span), o.verdict, code, severity, sentence(o), o.kind, document.path, first.line,
                   first.column, last.line, last.column, part, j.condition, j.counterexample, o.suggestion,
                   o.reading, o.alternatives, j.engines)


def remarked(r: Remark, formula: Formula, document: Document, span: tuple[int, int], part: int) -> Finding:
    """One remark with its place in the file."""
    start, end = (r.at, max(r.end, r.at + 1)) if r.at >= 0 else span
    first, last = formula.place(start), formula.place(end)
    return Finding(formula.text(span), "", r.code, "warning", r.message, "symbol", document.path, first.line,
                   first.column, last.line, last.column, part, suggestion=r.suggestion)
