"""`symconv explain` is true: every example gives the finding it explains, and every fix removes it."""

from __future__ import annotations

import pytest

from symconv.claims.codes import CODES, Code
from symconv.claims.finding import Finding
from symconv.claims.verify import claim_findings, verify


def found(code: Code, text: str) -> set[str]:
    """The codes of everything that is said about a formula, or about a document that begins with a directive."""
    findings: list[Finding] = verify(text) if text.startswith("<!--") else claim_findings(text, code.given)
    return {f.code for f in findings}


@pytest.mark.parametrize("code", [c for c in CODES if c.example], ids=lambda c: c.code)
def test_examples_show_what_they_explain(code: Code):
    assert code.code in found(code, code.example)


@pytest.mark.parametrize("code", [c for c in CODES if "\\" in c.fix], ids=lambda c: c.code)
def test_fixes_remove_the_finding(code: Code):
    assert code.code not in found(code, code.fix)


@pytest.mark.parametrize("code", [c for c in CODES if c.fix.startswith("<!--")], ids=lambda c: c.code)
def test_directives_that_fix_are_read(code: Code):
    directive = code.fix.removeprefix("<!-- symconv: ").removesuffix(" -->")
    assert verify(code.fix) == []
    assert code.code not in {f.code for f in claim_findings(code.example, (*code.given, directive))}
