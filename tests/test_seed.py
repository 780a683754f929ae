"""The lecture notes the project began from, against the committed table: places, readings, verdicts, remarks.

The notes are not part of the repository; where they are missing, seed_notes.md has the same formulas among other words.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tomllib
from itertools import product
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_corpus import predicate

from symconv.claims.finding import Finding
from symconv.claims.verify import verify, verify_claim
from symconv.notation.document import read_document

HERE = Path(__file__).parent
SEED = HERE.parent.parent / "shared" / "seed"
SPANS = tomllib.loads((HERE / "seed_expected.toml").read_text("utf-8"))["span"]
FILES = {"seed": next(SEED.glob("*.md"), None), "notes": HERE / "seed_notes.md"}
START_TO_END = 2.0  # seconds of the processor, import included


@pytest.fixture(scope="module", params=list(FILES))
def notes(request: pytest.FixtureRequest) -> SimpleNamespace:
    """One of the two files: its text, what is found in it, and the key of its places in the table."""
    path = FILES[request.param]
    if path is None:
        pytest.skip("the notes are not here")
    text = path.read_text("utf-8")
    return SimpleNamespace(key=request.param, text=text, findings=verify(text, source="markdown", path="notes.md"))


def rows(kind: str) -> list[dict]:
    return [row for span in SPANS for row in span.get(kind, ())]


def said(f: Finding) -> str:
    return f"{f.reading} | {f.message} | {f.condition}"


def test_every_span_is_found_where_it_stands(notes: SimpleNamespace) -> None:
    spans = read_document(notes.text, "markdown").spans
    assert [s.display for s in spans].count(True) == 9 and [s.display for s in spans].count(False) == 17
    for span, row in zip(spans, SPANS, strict=True):
        place = span.place(0)
        assert ([place.line, place.column], span.latex.strip(), span.display) == (
            row[notes.key], row["latex"].strip(), row["display"])  # fmt: skip


def test_every_span_has_a_verdict(notes: SimpleNamespace) -> None:
    found = [f for f in notes.findings if f.verdict]
    places = [([f.line, f.column, f.end_line, f.end_column], f.part, f.verdict) for f in found]
    assert sorted(places) == sorted((row[notes.key], row.get("part", 0), row["verdict"]) for row in rows("finding"))
    assert all(span.get("finding") or span.get("joined") for span in SPANS)


READINGS = [row for row in rows("finding") if "says" in row]


@pytest.mark.parametrize("row", READINGS, ids=[f"{row['seed'][0]}-{row['says'][0]}" for row in READINGS])
def test_reading(notes: SimpleNamespace, row: dict) -> None:
    here = [f for f in notes.findings if [f.line, f.column, f.end_line, f.end_column] == row[notes.key]
            and f.part == row.get("part", 0) and f.verdict == row["verdict"]]  # fmt: skip
    signed = [w for w in row["says"] if w.endswith(" sign")]
    (f,) = [f for f in here if all(w in f.reading for w in signed)]
    assert f.kind == row["kind"]
    missing = [word for word in row["says"] if word not in said(f)]
    assert not missing, f"{missing} not in: {said(f)}"
    if "when" in row:
        same_condition(f.condition, row["when"])


def same_condition(found: str, expected: str) -> None:
    """The two agree for all small sizes."""
    left, right = (predicate(text, {"|w|": "k", "k": "k", "|x|": "n", "n": "n"}) for text in (found, expected))
    assert left and right, found
    sizes = [{"k": k, "n": n} for k, n in product(range(1, 7), range(1, 11)) if n >= k]
    assert [left(s) for s in sizes] == [right(s) for s in sizes], found


def test_remarks_are_these_and_no_others(notes: SimpleNamespace) -> None:
    remarks = sorted((f for f in notes.findings if not f.verdict), key=lambda f: (f.line, f.column))
    expected = sorted(rows("remark"), key=lambda r: r[notes.key])
    assert [([f.line, f.column], f.code) for f in remarks] == [(r[notes.key], r["code"]) for r in expected]
    for f, row in zip(remarks, expected, strict=True):
        assert all(word in f.message for word in row["says"]), f.message
        assert f.suggestion == row.get("suggestion", f.suggestion)


def test_the_plus_sign_is_refuted_with_numbers(notes: SimpleNamespace) -> None:
    refuted = [f for f in notes.findings if f.verdict == "refuted"]
    assert len(refuted) == 2 and all("upper sign" in f.reading for f in refuted)
    for f in refuted:
        assert f.counterexample and f.counterexample.index
        ((letter, at),) = f.counterexample.index
        assert letter in f.latex
        first, second = ({i[0]: v for i, v in contents} for _, contents in f.counterexample.tensors)
        one_way = sum(v * second.get(at + a, 0) for a, v in first.items())
        other_way = sum(v * first.get(at + a, 0) for a, v in second.items())
        assert (f.counterexample.claimed, f.counterexample.actual) == (str(other_way), str(one_way))
        assert one_way != other_way


def test_corrections_are_true(notes: SimpleNamespace) -> None:
    corrected = [f for f in notes.findings if f.verdict and f.suggestion]
    assert {f.verdict for f in corrected} == {"refuted"}, "both refutations come with a correction"
    for f in corrected:
        assert verify_claim(f.suggestion).verdict == "proved", f.suggestion


def test_nothing_true_is_called_false(notes: SimpleNamespace) -> None:
    assert not [f for f in notes.findings if f.verdict in ("not_understood", "checked")]
    assert all(f.verdict == "refuted" for f in notes.findings if f.severity == "error")


def test_from_a_cold_start() -> None:
    path = FILES["seed"] or FILES["notes"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "symconv", "verify", str(path), "--format", "json"]
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", env={**os.environ, "PYTHONUTF8": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert ran.returncode == 1, ran.stderr
    assert len([f for f in json.loads(ran.stdout)["findings"] if f["verdict"]]) == len(rows("finding"))
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < START_TO_END
