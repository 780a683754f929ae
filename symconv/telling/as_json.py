"""The JSON document; docs/verify.md tells its keys, docs/verify.schema.json their types."""

from __future__ import annotations

import json
from dataclasses import asdict
from fractions import Fraction
from math import isfinite
from typing import Any

from symconv.claims.finding import Finding, Shown
from symconv.claims.report import Report

KEYS = ("path", "line", "column", "end_line", "end_column", "latex", "part", "kind", "verdict", "code", "severity",
        "message", "condition", "counterexample", "suggestion", "reading", "alternatives", "engines")


def as_json(report: Report) -> str:
    """The whole document. Only ASCII, everything else escaped: safe to print and to pipe."""
    return dumped({"findings": [finding_json(f) for f in report.findings], "summary": summary_json(report)})


def dumped(document: Any) -> str:
    """JSON as this package writes it."""
    return json.dumps(document, indent=2, ensure_ascii=True, allow_nan=False)


def finding_json(f: Finding) -> dict[str, Any]:
    """The stable keys, all of them in every finding: what does not apply is "", null or []."""
    values = {name: getattr(f, name) for name in KEYS}
    values["counterexample"] = None if f.counterexample is None else shown_json(f.counterexample)
    values["alternatives"] = [asdict(r) for r in f.alternatives]
    values["engines"] = list(f.engines)
    return values


def shown_json(c: Shown) -> dict[str, Any]:
    """Sizes, index and tensors as objects, contents as nested lists of numbers."""
    return {"sizes": dict(c.sizes), "index": dict(c.index), "tensors": {name: _plain(v) for name, v in c.tensors},
            "claimed": c.claimed, "actual": c.actual, "monomial": c.monomial, "functions": dict(c.functions)}


def _plain(value: object) -> object:
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else str(value)
    return value if isinstance(value, (int, str)) or (isinstance(value, float) and isfinite(value)) else str(value)


def summary_json(report: Report) -> dict[str, Any]:
    return {**asdict(report.summary()), "unreadable": [{"path": o.path, "reason": o.unreadable}
                                                       for o in report.unreadable]}
