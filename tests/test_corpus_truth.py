"""Every label of the corpus, and of the documents' tables, agrees with enumeration over small sizes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from corpus.facts import FACTS, classify

CORPUS = Path(__file__).parent / "corpus"
TRUTHS = {"true", "false", "conditional", "definition"}
KINDS = {"forward", "gradient", "element", "contribution", "size", "parameters", "identity", "update", "matrix",
         "continuous", "number", "definition"}  # fmt: skip
FORMULAS = [f for path in sorted(CORPUS.glob("*.toml")) for f in tomllib.loads(path.read_text("utf-8"))["formula"]]
CLAIMS = [f for f in FORMULAS if f["truth"] != "definition"]
TABLES = sorted((CORPUS / "documents").glob("*.toml"))


@pytest.mark.parametrize("formula", CLAIMS, ids=[f["id"] for f in CLAIMS])
def test_label_agrees_with_enumeration(formula: dict) -> None:
    fact = FACTS[formula["id"]]
    assert classify(fact) == formula["truth"]
    answers = [parts for _, parts in fact.parts]
    if formula["truth"] == "false":
        assert formula["fails"] == ("somewhere" if any(all(parts) for parts in answers) else "everywhere")
    if "parts" in formula:
        assert [t == "true" for t in formula["parts"]] == [all(part) for part in zip(*answers, strict=True)]
    if formula.get("condition") == "zero outside":
        assert "zero" in fact.box
    if formula["truth"] == "conditional":
        assert fact.when or "zero" in fact.box, "a condition needs a predicate"


def test_the_corpus_is_well_formed() -> None:
    names = [f["id"] for f in FORMULAS]
    used = {f["id"] for f in CLAIMS} | {row.get("fact") for table in TABLES for row in rows(table)} - {None}
    assert len(names) == len(set(names)) >= 130
    assert used == set(FACTS), "a fact without a formula or the other way round"
    for formula in FORMULAS:
        assert formula["truth"] in TRUTHS and formula["kind"] in KINDS, formula["id"]
        assert formula["source"] and formula["latex"] and formula["reading"], formula["id"]
        assert (formula["truth"] == "conditional") == bool(formula.get("condition")), formula["id"]
        assert (formula["truth"] == "false") == ("fails" in formula), formula["id"]


def test_the_mix_is_that_of_published_formulas() -> None:
    share = {t: sum(f["truth"] == t for f in CLAIMS) / len(CLAIMS) for t in TRUTHS}
    assert share["true"] > 0.5 and share["false"] > 0.2 and share["conditional"] > 0.1


def rows(table: Path) -> list[dict]:
    return tomllib.loads(table.read_text("utf-8"))["formula"]


def texts(table: Path) -> list[list[str]]:
    """The lines of the document, of each cell for a notebook."""
    (document,) = (p for p in table.parent.glob(table.stem + ".*") if p.suffix != ".toml")
    text = document.read_text("utf-8")
    cells = ["".join(c["source"]) for c in json.loads(text)["cells"]] if document.suffix == ".ipynb" else [text]
    return [cell.split("\n") for cell in cells]


@pytest.mark.parametrize("table", TABLES, ids=[t.stem for t in TABLES])
def test_document_table(table: Path) -> None:
    assert 5 <= len(rows(table)) <= 15
    cells = texts(table)
    for row in rows(table):
        lines = cells[row.get("cell", 0)][row["line"] - 1 : row["end_line"]]
        lines[-1] = lines[-1][: row["end_column"] - 1]
        lines[0] = lines[0][row["column"] - 1 :]
        assert "\n".join(lines) == row["latex"]
        assert row["verdict"] == "definition" or row["verdict"] == classify(FACTS[row["fact"]]), row["fact"]
