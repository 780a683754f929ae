"""Read a document, decide every formula in it, report findings with their places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from symconv.claims.choices import under_each_choice
from symconv.claims.directives import directive
from symconv.claims.finding import Finding
from symconv.claims.judge import Judgement
from symconv.claims.letters import numbering, walk
from symconv.claims.outcome import Outcome, Remark
from symconv.claims.phrases import simpler
from symconv.claims.piecewise import elsewhere, indexed, indexed_names, interleaved, pieced
from symconv.claims.prose import said, wordy, zero_outside
from symconv.claims.raw import number_afresh
from symconv.claims.scope import Scope
from symconv.claims.session import Session
from symconv.claims.spans import Formula, formulas
from symconv.claims.telling import coded, doubtful, sentence
from symconv.claims.words import base_of, key, names_in
from symconv.decide.decision import EngineDisagreement
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.document import Document, Place, read_document
from symconv.notation.parser import Statement, parse, read


def verify(text: str, *, given: Sequence[str] = (), source: str = "markdown", path: str = "-") -> list[Finding]:
    """Every formula of a document with its verdict, and every remark, in the order of the document.

    Args:
        given: LaTeX definitions and directives that hold before the document begins.
        source: "markdown", "latex", "notebook" or "text".

    Raises:
        SymconvError: the notebook is no notebook.
    """
    document = read_document(text, source, path)
    return told(under_each_choice(lambda choices: _verified(document, given, choices)))


def _verified(document: Document, given: Sequence[str], choices: Mapping[str, str],
              zero: bool = False) -> tuple[list[Finding], Scope]:
    """The findings on a document, with what it leaves open settled by choices."""
    number_afresh()
    session = Session(Scope(preferred=choices))
    session.scope.examples_by = numbering("\n".join(s.expanded for s in document.spans))
    session.scope.zero = zero or any(zero_outside(s.prose) for s in document.spans)
    found = take_given(session, given)
    found += take(session, [(d.text, d.place) for d in document.directives], document.path)
    before, read = session.scope.zero, set[str]()
    for formula in formulas(document):
        for prose in (span.prose for _, span in formula.pieces if span is not None and span.prose not in read):
            read.add(prose)
            session.scope.at_hand.clear()
            take(session, [(text, Place(1, 1)) for text in said(prose)], document.path)
        found += of_formula(session, formula, document)
        found += mistaken(session, formula, document)
    if session.scope.zero and not before:  # `where g[n] = 0 for n < 0` stands behind the formula it is about
        return _verified(document, given, choices, zero=True)
    return found, session.scope


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
    def run(choices: Mapping[str, str]) -> tuple[list[Finding], Scope]:
        number_afresh()
        session = Session(Scope(preferred=choices), fixed=True)
        session.scope.examples_by = numbering("\n".join((*given, latex)))
        context = take_given(session, given)
        found = of_formula(session, Formula.alone(latex), Document("-", (), ()))
        return context + [spoken_of(resting(f, context), context, session.scope) for f in found], session.scope

    return told(under_each_choice(run))


def resting(f: Finding, context: Sequence[Finding]) -> Finding:
    """What is false, or holds under a condition only, may hold by what was said and not understood."""
    unread_ = [g.latex for g in context if g.code == "SC002" and not _differ(g.latex, f)]
    rests = f.verdict in ("refuted", "proved_if", "proved_for") or f.reading.endswith("that nothing defines") or (
        f.kind == "size" and f.reading != "")  # by a formula of the field, which is about a layer as it usually is
    return withdrawn(f, f"it may rest on what was not understood: {unread_[0]}") if unread_ and rests else f


def spoken_of(f: Finding, context: Sequence[Finding], scope: Scope) -> Finding:
    """What a person has said something of in words is not defined by the formula: N counts the outputs."""
    name = defined_name(f.latex) if f.verdict == "definition" else ""
    token = re.compile(rf"(?<![\w']){re.escape(name)}(?![\w'])")
    said = [g.latex for g in context if g.code == "SC002" and token.search(re.sub(r"[\\{}$]", "", g.latex))]
    if scope.roles.get(name) and name not in scope.arrays:
        said.append(scope.roles[name])
    said += [f"{d.name} is made of it" for d in scope.definitions.values() if name in d.reads]
    return withdrawn(f, f"how {name} follows is not understood: {said[0]}") if name and said else f


def defined_name(latex: str) -> str:
    """What stands on the left, without indices."""
    statements, _ = read(latex)
    body = statements[0].body if statements else None
    return key(base_of(body.items[0])) if isinstance(body, n.Chain) else ""


def withdrawn(f: Finding, reason: str) -> Finding:
    """The finding without a verdict."""
    o = Outcome(f.kind, Judgement("not_understood", reason=reason))
    code, severity = coded(o)
    return Finding(f.latex, o.verdict, code, severity, sentence(o), f.kind, f.path, f.line, f.column, f.end_line,
                   f.end_column, f.part, reading=f.reading)


def _differ(text: str, f: Finding) -> bool:
    """Does the counterexample fit M \\ne N?"""
    m = re.fullmatch(r"(\S+) *\\neq? *(\S+)", text)
    sizes = dict(f.counterexample.sizes) if f.counterexample else {}
    return m is not None and {m[1], m[2]} <= sizes.keys() and sizes[m[1]] != sizes[m[2]]


FOR = re.compile(r"(?<=[\s}\])])(for|if)(?=\s)")  # beside a formula, outside of \text
WORD = re.compile(r"\\[A-Za-z]+|.", re.S)
GRADIENTS = re.compile("gradient|derivative|error signal|미분|기울기|그래디언트|오차|梯度|导数|误差|勾配", re.I)
WEIGHT = {"refuted": 8, "proved_for": 7, "proved_if": 6, "checked": 5, "not_understood": 4, "proved": 3,
          "definition": 2, "not_a_claim": 1}


def take_given(session: Session, given: Sequence[str]) -> list[Finding]:
    """Read the context a person gave; what cannot be read is a finding."""
    parts = [p for text in given for p in (text.split(";") if "\\" not in text else (text,)) if p.strip()]
    return take(session, [(p, Place(1, 1)) for p in parts], "-")


def take(session: Session, texts: Sequence[tuple[str, Place]], path: str) -> list[Finding]:
    """Directives, and formulas that stand where directives do; what says nothing is a finding."""
    found: list[Finding] = []
    session.given = True
    statements: list[tuple[str, Place, Statement]] = []
    for text, place in [(part, place) for whole, place in texts for part in simpler(whole)]:
        if directive(session.scope, text):
            continue
        if wordy(text):
            found.append(unread(text, path, place))
            continue
        try:
            statements += ((text, place, s) for s in with_conditions(parse(FOR.sub(r"\\text{ \1 }", text))))
        except NotationError as e:
            found.append(unread(text, path, place, e.reason))
    plain = [s for _, _, s in statements]
    instead = elsewhere(plain) | interleaved(plain)
    statements = [(text, place, whole) for i, (text, place, s) in enumerate(statements)
                  if (whole := instead.get(i, s)) is not None]
    session.indexed |= indexed(s for _, _, s in statements)
    for text, place, s in elements_first(sorted(statements, key=lambda p: session.order(p[2]))):
        if not isinstance(s.body, n.Chain | n.Noted):
            found.append(unread(text, path, place))
            continue
        try:
            outcomes = session.assume(s)
        except EngineDisagreement as e:
            outcomes = [Outcome("", Judgement("not_understood", reason=f"internal: {e}"))]
        if outcomes and all(o.verdict in ("not_understood", "not_a_claim") for o in outcomes):
            reason = outcomes[0].judgement.reason if isinstance(s.body, n.Chain) else ""
            found.append(unread(text, path, place, reason))
    session.given = False
    return found


def elements_first(statements: list[tuple[str, Place, Statement]]) -> list[tuple[str, Place, Statement]]:
    """y = C x behind C_{ij} = c_{i-j}, whatever comes first: an array that is said element by element has a shape."""
    chains = [(i, s.body) for i, (_, _, s) in enumerate(statements) if isinstance(s.body, n.Chain)]
    said = {base_of(c.items[0]): i for i, c in chains if isinstance(c.items[0], n.Scripted | n.Call)}
    places = {}
    for i, c in chains:
        if isinstance(c.items[0], n.Name) and not isinstance(c.items[1], n.Partial):
            read = [said[x] for x in names_in(c.items[1]) if x in said and said[x] > i]
            if not read and any(isinstance(x, n.Call) for x in walk(c.items[1])):  # x = f(z), for x_{i+j} behind it
                read = [j for j, other in chains if j > i and c.items[0] in indexed_names(other)][:1]
            places[i] = max(read, default=i)
    return [statements[i] for i in sorted(range(len(statements)), key=lambda i: (places.get(i, i), i in places))]


def unread(text: str, path: str, place: Place, reason: str = "") -> Finding:
    """The finding for a directive that could not be read."""
    message = f"this directive is not understood: {text.strip()}" + (f" ({reason})" if reason else "")
    return Finding(text.strip(), "", "SC002", "error", message, "directive", path, place.line, place.column,
                   place.line, place.column + len(text))


def of_formula(session: Session, formula: Formula, document: Document) -> list[Finding]:
    """Findings for every part of one formula."""
    statements, errors = read(formula.latex)
    found = [finding(Outcome("", Judgement("not_understood", reason=e.reason), at=e.at), formula, document,
                     (0, len(formula.latex)), 0) for e in errors]
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
            for f in (remarked(r, formula, document, span, o.part) for r in o.remarks):
                said = f.code, f.message, f.line, f.column
                if not any(said == (g.code, g.message, g.line, g.column) for g in found):
                    found.append(f)
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
            found.append(pieced(s))
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
        start, end = o.at, word_end(formula.latex, o.at)
    first = formula.place(start)
    last = max(first, formula.place(end), key=lambda p: (p.line, p.column))
    j = o.judgement
    return Finding(formula.text(span), o.verdict, code, severity, sentence(o), o.kind, document.path, first.line,
                   first.column, last.line, last.column, part, j.condition, j.counterexample, o.suggestion,
                   o.reading, o.alternatives, j.engines)


def word_end(latex: str, at: int) -> int:
    """Where the word of TeX that begins at an offset ends: past all of `\\delta`, past one other sign."""
    word = WORD.match(latex, at)
    return word.end() if word else at + 1


def told(findings: Sequence[Finding]) -> list[Finding]:
    """With a remark where another reading first leads to another verdict: one directive settles what follows, too."""
    found: list[Finding] = []
    seen: set[str] = set()
    for f in findings:
        found.append(f)
        others = {r.reading for r in f.alternatives} - seen
        if others:
            seen |= others
            found.append(replace(f, verdict="", code="SC105", severity="warning", kind="symbol", message=doubtful(f),
                                 condition="", counterexample=None, suggestion="", reading="", alternatives=(),
                                 engines=()))
    return found


def remarked(r: Remark, formula: Formula, document: Document, span: tuple[int, int], part: int) -> Finding:
    """One remark with its place in the file."""
    start, end = (r.at, max(r.end, word_end(formula.latex, r.at))) if r.at >= 0 else span
    first = formula.place(start)
    last = max(first, formula.place(end), key=lambda p: (p.line, p.column))
    return Finding(formula.text(span), "", r.code, "warning", r.message, "symbol", document.path, first.line,
                   first.column, last.line, last.column, part, suggestion=r.suggestion)
