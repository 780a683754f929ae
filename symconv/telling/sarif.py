"""SARIF 2.1.0, the interchange format of analysis tools (OASIS, 2020)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote

from symconv import __version__
from symconv.claims.codes import CODES, Code
from symconv.claims.finding import Finding
from symconv.claims.report import Outcome, Report
from symconv.telling.as_json import dumped, finding_json
from symconv.telling.numbers import worked
from symconv.telling.plain import joined

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
# What is no problem is told as such (section 3.27.9), and then has level "none". What was not decided keeps its note.
KINDS = {"proved": "pass", "definition": "informational", "not_a_claim": "informational"}
EXTRA = ("latex", "part", "kind", "verdict", "condition", "counterexample", "suggestion", "reading", "alternatives",
         "engines")
RULES = {c.code: n for n, c in enumerate(CODES)}


def as_sarif(report: Report) -> str:
    """A log with one run."""
    return dumped({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(report)]})


def _run(report: Report) -> dict[str, Any]:
    return {"tool": {"driver": {"name": "symconv", "semanticVersion": __version__, "rules": [_rule(c) for c in CODES]}},
            "columnKind": "unicodeCodePoints",
            "artifacts": [{"location": location(o.path)} for o in report.outcomes],
            "invocations": [{"executionSuccessful": not report.unreadable,
                             "toolExecutionNotifications": [
                                 {"level": "error", "message": _message(o.unreadable),
                                  "locations": [{"physicalLocation": {"artifactLocation": location(o.path)}}]}
                                 for o in report.unreadable]}],
            "results": [result for outcome in report.outcomes for result in _results(outcome)]}


def _message(text: str) -> dict[str, str]:
    """Braces mark placeholders in messages and are doubled to stand for themselves (section 3.11.5)."""
    return {"text": text.replace("{", "{{").replace("}", "}}")}


def _rule(code: Code) -> dict[str, Any]:
    told = [("Given", given) for given in code.given] + [("Example", code.example), ("Fix", code.fix)]
    lines = [code.explanation, *(f"{label}: {line}" for label, line in told if line)]
    return {"id": code.code, "name": code.name, "shortDescription": _message(code.line),
            "fullDescription": _message(code.explanation), "help": _message("\n".join(lines)),
            "defaultConfiguration": {"level": code.severity}}


def location(path: str) -> dict[str, str]:
    """Relative to where symconv runs for files below it, else absolute; percent-encoded."""
    if path == "-":
        return {"uri": "stdin"}
    here = Path.cwd()
    absolute = here / path
    try:
        inside = PurePosixPath(absolute.resolve().relative_to(here.resolve()).as_posix())
    except ValueError:
        return {"uri": absolute.resolve().as_uri()}
    return {"uri": quote(str(inside), safe="/", errors="surrogateescape"), "uriBaseId": "%SRCROOT%"}


def _results(outcome: Outcome) -> Iterator[dict[str, Any]]:
    """The results of one file. A fingerprint is of the formula, so that it stays when lines above it move."""
    seen: Counter[str] = Counter()
    claims = Counter(_place(f) for f in outcome.findings if f.verdict)
    for f in outcome.findings:
        identity = "\0".join((f.code, str(f.part), " ".join(f.latex.split())))
        seen[identity] += 1
        digest = hashlib.sha256(f"{identity}\0{seen[identity]}".encode("utf-8", "surrogatepass")).hexdigest()
        result = _result(f) | {"partialFingerprints": {"formula/v1": digest[:32]}}
        # A suggestion for one part of a chain must not replace the whole of it.
        fix = _fix(f, outcome.text) if claims[_place(f)] == 1 else None
        yield result | {"fixes": [fix]} if fix else result


def _place(f: Finding) -> tuple[int, int, int, int]:
    return f.line, f.column, f.end_line, f.end_column


def _result(f: Finding) -> dict[str, Any]:
    lines = [joined(f.message) or f.code, worked(f), f.suggestion and f"Correct: {joined(f.suggestion)}"]
    kind = KINDS.get(f.verdict) if f.severity == "note" else None
    values = finding_json(f)
    result: dict[str, Any] = {
        "ruleId": f.code, "level": "none" if kind else f.severity, "message": _message("\n".join(filter(None, lines))),
        "locations": [{"physicalLocation": {"artifactLocation": location(f.path), "region": _region(f)}}],
        "properties": {name: values[name] for name in EXTRA if values[name] not in ("", None, [])}}
    if f.code in RULES:
        result["ruleIndex"] = RULES[f.code]
    return result | {"kind": kind} if kind else result


def _region(f: Finding) -> dict[str, Any]:
    return dict(zip(("startLine", "startColumn", "endLine", "endColumn"), _place(f), strict=True))


def _fix(f: Finding, text: str) -> dict[str, Any] | None:
    """The replacement, where the place holds the formula letter for letter; else it would damage the file."""
    there = _slice(f, text)
    if not f.suggestion or not f.latex or there.count(f.latex) != 1:
        return None
    content = there.replace(f.latex, f.suggestion)
    return {"description": _message("Use the formula that was proved."),
            "artifactChanges": [{"artifactLocation": location(f.path), "replacements": [
                {"deletedRegion": _region(f), "insertedContent": {"text": content}}]}]}


def _slice(f: Finding, text: str) -> str:
    """What stands between the two positions of a finding."""
    lines = text.split("\n")[f.line - 1:f.end_line]
    if len(lines) != f.end_line - f.line + 1:
        return ""
    lines[-1] = lines[-1][:f.end_column - 1]
    lines[0] = lines[0][f.column - 1:]
    return "\n".join(lines)
