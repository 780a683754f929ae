"""The format for people: every finding with its place, its reading and its numbers, then the counts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich.cells import cell_len
from rich.console import Console

from symconv.claims.codes import BY_CODE
from symconv.claims.finding import Finding, Reading
from symconv.claims.report import Report, fails
from symconv.telling.excerpt import excerpt
from symconv.telling.numbers import contents, repeats, when, worked
from symconv.telling.plain import joined, plain, shortened
from symconv.telling.printing import STYLES, Styled, line

VERDICTS = {"proved": "proved for all sizes", "proved_if": "true exactly under a condition",
            "proved_for": "proved for some sizes, false for others", "refuted": "refuted",
            "checked": "checked, not proved", "not_understood": "not understood", "definition": "definition",
            "not_a_claim": "not a claim"}
CORRECT = "correct"
BRIEF = ("proved", "definition", "not_a_claim")
PIPE_WIDTH = 160  # cells of a source line where nobody's window sets a limit


def show_full(report: Report, console: Console, wrap: bool) -> None:
    """Print a report. `wrap` breaks long lines to the console's width, as people want and pipes do not."""
    texts: Mapping[str, str] = {o.path: o.text for o in report.outcomes}
    after_block = False
    for number, finding in enumerate(_listed(report.findings)):
        brief = _brief(finding)
        if number and (after_block or not brief):
            line(console)
        after_block = not brief
        if brief:
            _one_line(console, finding, wrap)
        else:
            _block(console, finding, texts.get(finding.path, ""), wrap)
    if report.findings:
        line(console)
    line(console, (str(report.summary()), _summary_style(report)), wrap=wrap)


def _listed(findings: Sequence[Finding]) -> list[Finding]:
    """Without names and expressions, which assert nothing and are only counted; a single finding is always told.
    Other readings are told beside the first."""
    return [f for f in findings if f.code != "SC105" and (
        f.verdict != "not_a_claim" or _relates(f.latex) or len(findings) == 1)]


def _relates(latex: str) -> bool:
    """Whether an equals sign stands outside all braces: bounds of a sum have theirs inside."""
    depth = 0
    for c in latex:
        depth += (c == "{") - (c == "}")
        if c == "=" and depth <= 0:
            return True
    return False


def _brief(finding: Finding) -> bool:
    return (finding.verdict in BRIEF and finding.severity == "note" and not finding.alternatives
            and not finding.condition)


def _said(finding: Finding) -> str:
    """The verdict; where no sizes take part, or those of an example, it is not for all of them."""
    sized = finding.message.endswith("true for all sizes") and finding.kind != "number"
    return "proved" if finding.verdict == "proved" and not sized else VERDICTS.get(finding.verdict, "")


def _summary_style(report: Report) -> str:
    return "bold red" if any(map(fails, report.findings)) else "bold green" if report.findings else "bold"


def _place(finding: Finding) -> Styled:
    return f"{plain(finding.path)}:{finding.line}:{finding.column}: ", "bold"


def _one_line(console: Console, finding: Finding, wrap: bool) -> None:
    """Place, code, verdict, formula and reading; cut to the width of a window."""
    place, style = _place(finding)
    head = f"{finding.code} {_said(finding)}: "
    room = max(20, console.width - cell_len(place + head)) if wrap else PIPE_WIDTH
    formula = shortened(finding.latex, room)
    reading = f"  ({joined(finding.reading)})" if finding.reading else ""
    if wrap and cell_len(formula + reading) > room:
        reading = ""
    line(console, (place, style), (head, "green" if finding.verdict == "proved" else "dim"), (formula, ""),
         (reading, "dim"))


def _block(console: Console, finding: Finding, text: str, wrap: bool) -> None:
    code = BY_CODE.get(finding.code)
    said = _said(finding) or (code.line if code else "")
    style = STYLES.get(finding.severity, "")
    line(console, _place(finding), (f"{finding.code} {said}", style), wrap=wrap)
    gutter = len(str(finding.end_line)) + 2
    room = max(20, (console.width if wrap else PIPE_WIDTH) - gutter - 3)
    elsewhere = finding.kind == "directive" and finding.latex not in text  # it came with --given
    for row in () if elsewhere else excerpt(finding, text, room):
        line(console, (f"{row.number or '':>{gutter}} | ", "dim"), (row.text, ""))
        if row.carets:
            line(console, (f"{'':>{gutter}} | ", "dim"), (row.carets, style))
    for label, said, shown in _facts(finding):
        # A formula to copy is left to the terminal to wrap: a line break of ours would be copied.
        line(console, (f"{label}: " if label else "", "bold"), (said, shown), indent=4, wrap=wrap and label != CORRECT)


def _facts(finding: Finding) -> Iterator[tuple[str, str, str]]:
    """(label, line, style) of everything that is said below the excerpt."""
    if finding.message and not repeats(finding):
        yield "", joined(finding.message.removeprefix(f"{VERDICTS.get(finding.verdict)}: ")), ""
    if finding.reading:
        yield "read as", joined(finding.reading), ""
    if finding.condition:
        yield when(finding.verdict), joined(finding.condition), ""
    if finding.counterexample is not None:
        yield "counterexample", worked(finding), ""
        if tensors := contents(finding):
            yield "with", "; ".join(tensors), ""
        if finding.counterexample.monomial:
            yield "the sides differ in", joined(finding.counterexample.monomial), ""
    if finding.suggestion:
        yield CORRECT, joined(finding.suggestion), "green"
    for other in finding.alternatives:
        yield "SC105 also read as", f"{joined(other.reading)}: {_verdict(other)}", ""
    if finding.engines:
        yield "decided by", joined(", ".join(finding.engines)), "dim"


def _verdict(other: Reading) -> str:
    if other.condition:
        return f"{when(other.verdict)} {joined(other.condition)}"
    return VERDICTS.get(other.verdict, joined(other.verdict))
