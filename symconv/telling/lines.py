"""One line a finding: for editors (concise) and for GitHub's annotations (workflow commands)."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.claims.codes import BY_CODE
from symconv.claims.finding import Finding
from symconv.claims.report import UNCHECKED, Report
from symconv.telling.numbers import repeats, when, worked
from symconv.telling.plain import joined, plain

COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def concise(report: Report) -> Iterator[str]:
    """`path:line:col: SC101 message` for every finding."""
    for f in report.findings:
        yield f"{plain(f.path)}:{f.line}:{f.column}: {f.code} {joined(f.message) or _title(f)}"


def github(report: Report) -> Iterator[str]:
    """An annotation for everything to be looked at, unchecked formulas included; what is proved gets none."""
    for f in report.findings:
        if f.severity == "note" and f.verdict not in UNCHECKED:
            continue
        place = {"file": plain(f.path), "line": f.line, "endLine": f.end_line}
        if f.line == f.end_line:  # GitHub takes columns within one line only
            place |= {"col": f.column, "endColumn": f.end_column}
        place["title"] = f"{f.code} {_title(f)}"
        properties = ",".join(f"{name}={_property(str(value))}" for name, value in place.items())
        yield f"::{COMMANDS.get(f.severity, 'warning')} {properties}::{_data(_message(f))}"


def _title(finding: Finding) -> str:
    code = BY_CODE.get(finding.code)
    return code.line if code else ""


def _message(f: Finding) -> str:
    lines = [joined(f.message) or _title(f)]
    if not repeats(f):
        lines += [worked(f)] if f.counterexample else []
        lines += [f"{when(f.verdict)}: {joined(f.condition)}"] if f.condition else []
    lines += [f"correct: {joined(f.suggestion)}"] if f.suggestion else []
    return "\n".join(lines)


def _data(text: str) -> str:
    """The part after `::`; a line break would end the command and could start another."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
