"""How findings are told: codes, formats for people and for tools, untrusted text."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from dataclasses import fields, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from symconv.claims.codes import BY_CODE, BY_VERDICT, CODES, find
from symconv.claims.finding import VERDICTS, Finding, Reading, Shown
from symconv.claims.report import Outcome, Report
from symconv.errors import SymconvError
from symconv.telling.as_json import KEYS, as_json
from symconv.telling.excerpt import excerpt
from symconv.telling.full import show_full
from symconv.telling.lines import concise, github
from symconv.telling.numbers import contents, tensor, worked
from symconv.telling.plain import plain
from symconv.telling.sarif import as_sarif, location

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "verify.md").read_text(encoding="utf-8")
WRONG = r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{i+j}"
RIGHT = r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{i+j-1}"
TEXT = f"# 합성곱\n\n커널의 기울기는 ${WRONG}$ 이다.\n그리고 $o_i$ 는 출력이다.\n"
REFUTED = Finding(
    latex=WRONG, verdict="refuted", code="SC101", severity="error", kind="gradient", path="notes.md", line=3,
    column=11, end_line=3, end_column=11 + len(WRONG), message="x is read one place too late",
    counterexample=Shown((("n", 3), ("k", 2)), (("i", 1),), (("x", (1, 2, 3)), ("delta", (1, 1))), "5", "3",
                         r"\delta_1 x_1"),
    suggestion=RIGHT, reading="delta_i = dL/do_i", engines=("embedded", "isl", "enumeration"))
PROVED = Finding(latex=RIGHT, verdict="proved", code="SC100", severity="note", kind="gradient", path="notes.md",
                 message="true for all sizes", reading="delta_i = dL/do_i")
REMARK = Finding(latex="x_e", verdict="", code="SC010", severity="warning", kind="symbol", path="notes.md", line=4,
                 column=5, end_line=4, end_column=8, message="x_e is declared nowhere; did you mean x_3?")


def of_verdict(verdict: str, **values: Any) -> Finding:
    code = BY_CODE[BY_VERDICT[verdict]]
    return Finding(latex=f"{verdict}", verdict=verdict, code=code.code, severity=code.severity, message="said",
                   path="notes.md", **values)


def report(*findings: Finding, text: str = TEXT, path: str = "notes.md") -> Report:
    return Report((Outcome(path, text, findings),))


def full(r: Report, width: int = 0) -> str:
    """The full format as a pipe gets it, or wrapped to a width."""
    console = Console(file=io.StringIO(), width=width or 200, color_system=None, highlight=False)
    show_full(r, console, wrap=bool(width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def validated(document: str, schema: Path) -> Any:
    """The parsed document; checked against a schema where jsonschema is installed."""
    data = json.loads(document)
    jsonschema = pytest.importorskip("jsonschema")
    rules = json.loads(schema.read_text(encoding="utf-8"))
    kind = jsonschema.validators.validator_for(rules)
    kind.check_schema(rules)
    errors = [f"{list(e.absolute_path)}: {e.message}" for e in
              kind(rules, format_checker=kind.FORMAT_CHECKER).iter_errors(data)]
    assert errors == []
    return data


# -- codes ------------------------------------------------------------------------------------------------------------

def test_codes_are_one_table():
    assert len({c.code for c in CODES}) == len({c.name for c in CODES}) == len(CODES)
    assert [c.code for c in CODES] == sorted(c.code for c in CODES)
    for c in CODES:
        assert re.fullmatch(r"SC\d{3}", c.code) and c.severity in ("error", "warning", "note")
        assert c.line and not c.line.endswith(".") and c.explanation.endswith(".") and c.fix
        assert c.example or c.code == "SC190"
    assert set(BY_VERDICT) == set(VERDICTS)
    assert BY_CODE[BY_VERDICT["refuted"]].severity == "error"


def test_every_code_is_documented():
    for c in CODES:
        assert f"| {c.code} `{c.name}` | {c.severity} | {c.line} |" in DOCS
    assert set(re.findall(r"SC\d{3}", DOCS)) == set(BY_CODE)


@pytest.mark.parametrize("word", ["SC101", "sc101", " refuted ", "REFUTED"])
def test_codes_are_found(word: str):
    assert find(word).code == "SC101"


@pytest.mark.parametrize(("word", "near"), [("SC1O1", "SC101"), ("SC11", "SC101"), ("refutd", "SC101"), ("?", "")])
def test_an_unknown_code_names_the_nearest(word: str, near: str):
    with pytest.raises(SymconvError, match=f"did you mean {near}" if near else "lists all") as e:
        find(word)
    assert bool(near) == ("did you mean" in str(e.value))


# -- counting and exit codes ------------------------------------------------------------------------------------------

def test_the_summary_counts_every_verdict():
    r = report(*(of_verdict(v) for v in VERDICTS), of_verdict("definition"), PROVED, REMARK)
    assert str(r.summary()) == (
        "10 formulas: 2 proved, 1 refuted, 1 true under a condition, 1 proved for some sizes, "
        "1 checked but not proved, 1 not understood, 2 definitions, 1 not a claim; 1 remark")
    assert str(report().summary()) == "no formulas"


def test_a_chain_is_one_formula():
    parts = [replace(PROVED, part=n) for n in range(3)]
    two = Report((Outcome("a", "", tuple(parts)), Outcome("b", "", (*parts[:2], PROVED))))
    assert str(report(*parts).summary()) == "1 formula in 3 parts: 3 proved"
    assert str(two.summary()) == "3 formulas in 6 parts in 2 files: 6 proved"


@pytest.mark.parametrize("verdict", VERDICTS)
def test_exit_codes(verdict: str):
    r = report(replace(of_verdict(verdict), severity="note"))
    assert r.exit_code() == (verdict in ("refuted", "proved_if", "proved_for"))
    assert r.exit_code(fail_on_unchecked=True) == (r.exit_code() or verdict in ("not_understood", "checked"))
    assert r.exit_code(fail_on_unchecked=True, exit_zero=True) == 0


def test_remarks_fail_as_errors_only():
    assert report(REMARK).exit_code() == 0
    assert report(replace(REMARK, severity="error")).exit_code() == 1
    assert Report((Outcome("x", unreadable="no"),)).exit_code(exit_zero=True) == 2


# -- full -------------------------------------------------------------------------------------------------------------

def test_full_says_everything():
    assert full(report(REFUTED)).splitlines() == [
        "notes.md:3:11: SC101 refuted",
        f"  3 | 커널의 기울기는 ${WRONG}$ 이다.",
        "    | " + " " * cell_len("커널의 기울기는 $") + "^" * len(WRONG),
        "    x is read one place too late",
        "    read as: delta_i = dL/do_i",
        "    counterexample: n = 3, k = 2: at i = 1 the formula gives 5, the derivative is 3",
        "    with: x = (1, 2, 3); delta = (1, 1)",
        r"    the sides differ in: \delta_1 x_1",
        f"    correct: {RIGHT}",
        "    decided by: embedded, isl, enumeration",
        "",
        "1 formula: 1 refuted"]


def test_proved_formulas_take_one_line():
    lines = full(report(PROVED, of_verdict("definition"), of_verdict("not_a_claim"))).splitlines()
    assert lines[0] == f"notes.md:1:1: SC100 proved for all sizes: {RIGHT}  (delta_i = dL/do_i)"
    assert lines[1:3] == ["notes.md:1:1: SC020 definition: definition", ""]
    assert len(lines) == 4
    assert all(cell_len(line) <= 80 for line in full(report(PROVED), 80).splitlines())


def test_what_asserts_nothing_is_counted_and_not_listed():
    name, relation = of_verdict("not_a_claim"), replace(of_verdict("not_a_claim"), latex="x = y")
    name = replace(name, latex=r"\sum_{i=1}^{n} x_i")
    assert full(report(name, name, PROVED)).splitlines()[1:] == ["", "3 formulas: 1 proved, 2 not claims"]
    assert full(report(name)).splitlines()[0] == rf"notes.md:1:1: SC021 not a claim: {name.latex}"
    assert "notes.md:1:1: SC021 not a claim: x = y" in full(report(relation, PROVED)).splitlines()


def test_nothing_is_said_twice():
    conditional = replace(of_verdict("proved_if", condition="k = 1"), message="true exactly when k = 1")
    assert [line.strip() for line in full(report(conditional)).splitlines()].count("true exactly when: k = 1") == 1
    assert "true exactly when k = 1" not in full(report(conditional))
    assert "false" not in full(report(replace(REFUTED, message="false: the formula gives 5, the derivative is 3")))


def test_a_directive_from_the_command_line_has_no_line_to_show():
    unread = replace(REMARK, code="SC002", latex="base 7", kind="directive", line=1, column=1, message="base 7?")
    assert [line.strip() for line in full(report(unread)).splitlines()[1:3]] == ["base 7?", ""]


def test_a_proof_that_needs_more_words_gets_them():
    other = Reading("* is full convolution", "proved_if", "k = 1")
    lines = full(report(replace(PROVED, alternatives=(other,)))).splitlines()
    assert "    SC105 also read as: * is full convolution: true exactly when k = 1" in lines
    assert "    true when: n >= 5" in full(report(replace(PROVED, condition="n >= 5"))).splitlines()
    assert "    true exactly when: k = 1" in full(report(of_verdict("proved_if", condition="k = 1"))).splitlines()


def test_long_lines_wrap_for_people_only():
    said = replace(REFUTED, message="a long sentence " * 20)
    assert all(cell_len(line) <= 80 for line in full(report(said), 80).splitlines())
    assert max(map(len, full(report(said)).splitlines())) > 200
    assert f"    correct: {RIGHT}\n" in full(report(said), 40), "a formula to copy is not broken"


@pytest.mark.parametrize(("width", "before"), [(40, 3), (40, 300), (90, 100), (90, 24)])
def test_the_caret_stands_under_the_part(width: int, before: int):
    line = "가a\u0301" * before + f"${WRONG}$" + "나" * 200
    column = len("가a\u0301" * before) + 2
    finding = replace(REFUTED, line=1, end_line=1, column=column, end_column=column + len(WRONG))
    row, = excerpt(finding, line, width)
    assert cell_len(row.text) <= width
    start, cells = len(row.carets) - len(row.carets.lstrip()), row.carets.count("^")
    place = row.text.index(WRONG[:10])
    assert cell_len(row.text[:place]) == start
    if width == 90:
        assert WRONG in row.text and cells == len(WRONG)


def test_lines_of_a_displayed_formula():
    text = "$$\n\\begin{aligned}\n  a &= b \\\\\n\n    &= c\n\\end{aligned}\n$$\n"
    finding = replace(REFUTED, line=1, column=3, end_line=7, end_column=1, latex=text[2:-3])
    rows = excerpt(finding, text, 100)
    assert [(r.number, r.text, r.carets) for r in rows] == [
        (1, "$$", "  ^"), (2, r"\begin{aligned}", "^" * 15), (3, r"  a &= b \\", "  " + "^" * 9),
        (5, "    &= c", "    ^^^^"), (6, r"\end{aligned}", "^" * 13)]
    many = replace(finding, end_line=21)
    assert [r.number for r in excerpt(many, "x\n" * 30, 100)] == [1, 2, 3, 4, 0, 20]
    assert excerpt(many, "x\n" * 30, 100)[4].text == "… 15 more lines"


@pytest.mark.parametrize("text", ["", "short\n", ('["$' + WRONG.replace("\\", "\\\\") + '$"]\n') * 3])
def test_without_its_place_the_formula_is_shown(text: str):
    row, = excerpt(REFUTED, text, 100)
    assert (row.number, row.text, row.carets) == (3, WRONG, "")


def test_a_remark_on_the_whole_document_has_no_excerpt():
    assert excerpt(Finding(latex="", verdict="", code="SC190", severity="error", message="no"), "text", 80) == ()


@pytest.mark.parametrize(("kind", "said"), [
    ("size", "at i = 1 the formula gives 5, the size is 3"), ("identity", "at i = 1 one side gives 5, the other 3"),
    ("number", "at i = 1 the formula says 5, the value is 3"),
    ("", "at i = 1 the formula gives 5, the true value is 3")])
def test_counterexamples_in_words(kind: str, said: str):
    assert worked(replace(REFUTED, kind=kind)) == f"n = 3, k = 2: {said}"


def test_counterexamples_without_sizes_or_names():
    assert worked(Finding("", "refuted", "SC101", "error", "", counterexample=Shown(claimed="1", actual="2"))) == \
        "the formula gives 1, the true value is 2"
    shown = Shown(index=(("1", 2), ("2", 3)), claimed="1", actual="2", tensors=(("W", ((1, 0), (0, 1))),))
    finding = replace(REFUTED, counterexample=shown)
    assert worked(finding) == "at index (2, 3) the formula gives 1, the derivative is 2"
    assert contents(finding) == ("W = ((1, 0), (0, 1))",)
    assert tensor((((-1,), 2), ((0,), 1))) == "2 at -1, 1 at 0, else 0"
    assert tensor((((0, 1), 2),)) == "2 at (0, 1), else 0"
    assert tensor(tuple(range(3))) == "(0, 1, 2)" and worked(PROVED) == "" and contents(PROVED) == ()


# -- one line each ----------------------------------------------------------------------------------------------------

def test_concise():
    assert list(concise(report(REFUTED, PROVED, replace(REMARK, message="two\nlines")))) == [
        "notes.md:3:11: SC101 x is read one place too late", "notes.md:1:1: SC100 true for all sizes",
        "notes.md:4:5: SC010 two lines"]


def test_github_annotations():
    finding = replace(REFUTED, path="a,b:c%.md", message="100 % wrong\n::error::injected")
    line, = github(report(finding, PROVED))
    assert line == (
        f"::error file=a%2Cb%3Ac%25.md,line=3,endLine=3,col=11,endColumn={11 + len(WRONG)},title=SC101 false%3A a "
        "counterexample in numbers is given::100 %25 wrong ::error::injected%0A"
        f"n = 3, k = 2: at i = 1 the formula gives 5, the derivative is 3%0Acorrect: {RIGHT}")
    spread, = github(report(replace(REMARK, end_line=5)))
    assert spread.startswith("::warning file=notes.md,line=4,endLine=5,title=") and "col=" not in spread
    assert [line.split()[0] for line in github(report(of_verdict("checked"), of_verdict("not_understood")))] == \
        ["::notice", "::notice"]


# -- JSON -------------------------------------------------------------------------------------------------------------

def test_json_against_its_schema():
    other = Reading("* is full convolution", "proved_if", "k = 1")
    r = Report((Outcome("notes.md", TEXT, (REFUTED, replace(PROVED, alternatives=(other,)), REMARK)),
                Outcome("broken.ipynb", unreadable="no JSON")))
    data = validated(as_json(r), ROOT / "docs" / "verify.schema.json")
    first, second, third = data["findings"]
    assert first["counterexample"] == {
        "sizes": {"n": 3, "k": 2}, "index": {"i": 1}, "tensors": {"x": [1, 2, 3], "delta": [1, 1]}, "claimed": "5",
        "actual": "3", "monomial": r"\delta_1 x_1", "functions": {}}
    assert second["alternatives"] == [{"reading": other.reading, "verdict": "proved_if", "condition": "k = 1"}]
    assert third["verdict"] == "" and third["counterexample"] is None
    assert data["summary"]["unreadable"] == [{"path": "broken.ipynb", "reason": "no JSON"}]
    assert data["summary"]["formulas"] == 2 and data["summary"]["verdicts"]["refuted"] == 1


def test_json_keys_are_the_documented_ones():
    assert set(KEYS) == {f.name for f in fields(Finding)}
    assert list(json.loads(as_json(report(PROVED)))["findings"][0]) == list(KEYS)
    for key in (*KEYS, *(f.name for f in fields(Shown)), "formulas", "unreadable", "remarks"):
        assert f"`{key}`" in DOCS


def test_json_numbers():
    shown = Shown(tensors=(("x", (Fraction(4, 2), Fraction(1, 2), float("nan"), True)),))
    found, = json.loads(as_json(report(replace(REFUTED, counterexample=shown))))["findings"]
    assert found["counterexample"]["tensors"]["x"] == [2, "1/2", "nan", True]


# -- SARIF ------------------------------------------------------------------------------------------------------------

# The OASIS schema in its draft-07 form, as the npm package @datadog/datadog-ci-plugin-sarif 5.25.0 carries it.
SARIF = ROOT / "tests" / "vectors" / "sarif-schema-2.1.0.json"


def test_sarif_against_the_schema():
    findings = (REFUTED, PROVED, REMARK, *map(of_verdict, VERDICTS))
    r = Report((Outcome("notes.md", TEXT, findings), Outcome("broken.ipynb", unreadable="no {JSON}")))
    run, = validated(as_sarif(r), SARIF)["runs"]
    assert run["columnKind"] == "unicodeCodePoints" and len(run["results"]) == len(findings)
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [c.code for c in CODES]
    for result, finding in zip(run["results"], findings, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"] == finding.code
        assert (result["level"] == "none") == ("kind" in result) == (
            finding.verdict in ("proved", "definition", "not_a_claim"))
    assert run["results"][0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 11, "endLine": 3, "endColumn": 11 + len(WRONG)}
    assert r"\frac{{\partial L}}{{\partial w_i}}" in run["results"][0]["message"]["text"]
    assert not run["invocations"][0]["executionSuccessful"]
    assert run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"] == "no {{JSON}}"


def results(*findings: Finding, text: str = TEXT) -> list[Any]:
    run, = json.loads(as_sarif(report(*findings, text=text)))["runs"]
    return list(run["results"])


def applied(fix: Any, text: str) -> str:
    """The text after one replacement within a line."""
    change, = fix["artifactChanges"]
    replacement, = change["replacements"]
    region, lines = replacement["deletedRegion"], text.split("\n")
    assert region["startLine"] == region["endLine"]
    line = lines[region["startLine"] - 1]
    lines[region["startLine"] - 1] = (line[:region["startColumn"] - 1] + replacement["insertedContent"]["text"]
                                      + line[region["endColumn"] - 1:])
    return "\n".join(lines)


def test_a_fix_replaces_the_formula_and_nothing_else():
    (fix,) = results(REFUTED)[0]["fixes"]
    assert applied(fix, TEXT) == TEXT.replace(WRONG, RIGHT)
    around = replace(REFUTED, column=10, end_column=REFUTED.end_column + 1)
    (fix,) = results(around)[0]["fixes"]
    assert applied(fix, TEXT) == TEXT.replace(WRONG, RIGHT), "the dollars stay"


@pytest.mark.parametrize("finding", [
    replace(REFUTED, suggestion=""), replace(REFUTED, column=12), replace(REFUTED, line=9, end_line=9),
    replace(REFUTED, latex="")])
def test_no_fix_where_it_would_damage_the_file(finding: Finding):
    assert "fixes" not in results(finding)[0]
    assert all("fixes" not in r for r in results(REFUTED, replace(REFUTED, part=1))), "one part is not the chain"


def test_fingerprints_stay_when_lines_move():
    def prints(*findings: Finding) -> list[str]:
        return [r["partialFingerprints"]["formula/v1"] for r in results(*findings)]

    moved = replace(REFUTED, line=30, end_line=30, message="said otherwise")
    assert prints(REFUTED) == prints(moved)
    assert len(set(prints(REFUTED, PROVED, REFUTED, replace(REFUTED, part=1)))) == 4


@pytest.mark.parametrize(("path", "uri"), [
    ("notes.md", "notes.md"), ("./a/../b/노트 1.md", "b/%EB%85%B8%ED%8A%B8%201.md"), ("a:b#c?.md", "a%3Ab%23c%3F.md")])
def test_locations_are_relative_and_encoded(path: str, uri: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert location(path) == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert location(str(tmp_path / path)) == location(path)
    assert location("-") == {"uri": "stdin"}
    assert location("../other dir/x.md") == {"uri": (tmp_path.parent / "other dir" / "x.md").as_uri()}


# -- untrusted text ---------------------------------------------------------------------------------------------------

EVIL = "\x1b]0;title\x07\x1b[31mred\x9b2J\r\n::error::x\u202egnp.md\u2028[bold]b[/bold]:smile:\x00\ud800"


def test_plain_keeps_places():
    shown = plain(EVIL)
    assert len(shown) == len(EVIL) and shown.startswith("␛]0;title␇␛[31mred\ufffd2J  ")
    assert plain("한글 α 👨\u200d👩 e\u0301") == "한글 α 👨\u200d👩 e\u0301"


def everywhere(evil: str) -> Finding:
    """A finding with the text wherever a document's text can come."""
    shown = Shown(((evil, 1),), ((evil, 2),), ((evil, (1, 2)),), evil, evil, evil)
    return Finding(latex=evil, verdict="refuted", code="SC101", severity="error", message=evil, kind="gradient",
                   path=evil.replace("\0", ""), end_column=2, condition=evil, counterexample=shown, suggestion=evil,
                   reading=evil, alternatives=(Reading(evil, "refuted", evil),), engines=(evil,))


def hidden(text: str) -> set[str]:
    return {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")} - set("\n\u200c\u200d")


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_nothing_hidden_reaches_a_terminal(evil: str):
    for text in (evil, EVIL + evil):
        finding = everywhere(text)
        r = report(finding, replace(finding, verdict="proved", severity="note"), text=text * 3, path=finding.path)
        told = list(concise(r))
        assert len(told) == 2
        assert all(line.startswith("::error ") and "\n" not in line for line in github(r))
        for shown in (full(r), full(r, 50), "\n".join(told), "\n".join(github(r)), as_json(r)):
            assert hidden(shown) == set()
        assert as_json(r).isascii() and json.loads(as_json(r))


def test_markup_is_shown_not_read():
    assert "[bold]b[/bold]:smile:" in full(report(replace(REFUTED, message="[bold]b[/bold]:smile:")))
    assert "[red]x[/]" in full(report(replace(REFUTED, latex="[red]x[/]", line=99, end_line=99)))
