"""Whole documents against their tables: every formula at its exact place, each verdict of the class the table says.

A formula that no row lists is no claim: the only verdicts allowed there are those that assert nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from symconv.claims.finding import Finding
from symconv.claims.verify import verify
from symconv.notation.document import source_of

TABLES = sorted((Path(__file__).parent / "corpus" / "documents").glob("*.toml"))
CLASSES = {
    "definition": {"definition"},
    "true": {"proved"},
    "false": {"refuted", "proved_if", "proved_for"},
    "conditional": {"proved_if", "proved_for"},
}
# What may stand behind the formula proper inside one span: punctuation, and the range of a free index.
BEHIND = re.compile(r"(?:\s|\\[,;:! ]|[.,;])*(?:\\q?quad\s*\w\s*=[^=]*)?")
NOTHING_SAID = {"not_a_claim", "definition", "not_understood"}

# (document, line) to the verdict that is given instead, and why that is right as well.
EXCEPTIONS = {
    ("korean_notes", 30): ("proved", "the update rule is among the claims to decide; descent along the gradient"),
    ("signals", 16): ("refuted", "a is a number, not a size: for most it is false, and one is shown"),
    ("true_convolution", 24): ("definition", "a name with another formula in the same document is another example"),
    ("signals", 20): ("proved", "convolution over R by its usual definition: as true as it is a definition"),
}  # fmt: skip


def document(table: Path) -> Path:
    (path,) = (p for p in table.parent.glob(table.stem + ".*") if p.suffix != ".toml")
    return path


@cache
def findings(table: Path) -> tuple[Finding, ...]:
    path = document(table)
    return tuple(verify(path.read_text("utf-8"), source=source_of(str(path)), path=path.name))


def rows(table: Path) -> list[dict]:
    return tomllib.loads(table.read_text("utf-8"))["formula"]


def of_row(table: Path, row: dict) -> list[Finding]:
    """The findings with a verdict that begin in the row's span."""
    if "cell" not in row:
        first, last = (row["line"], row["column"]), (row["end_line"], row["end_column"])
    else:
        first, last = in_the_file(table, row)
    return [f for f in findings(table) if f.verdict and first <= (f.line, f.column) < last]


def in_the_file(table: Path, row: dict) -> tuple[tuple[int, int], tuple[int, int]]:
    """Where a formula of a notebook's cell stands in the file, escaped as JSON strings are."""
    path = document(table)
    cells = json.loads(path.read_text("utf-8"))["cells"]
    lines = path.read_text("utf-8").split("\n")
    starts = [i for i, line in enumerate(lines) if re.match(r'\s*"source": \[\s*$', line)]
    assert len(starts) == len(cells)
    line = starts[row["cell"]] + row["line"]
    source = cells[row["cell"]]["source"][row["line"] - 1]
    quote = lines[line].index('"') + 1
    escaped = quote + len(json.dumps(source[: row["column"] - 1], ensure_ascii=False)) - 2
    length = len(json.dumps(row["latex"], ensure_ascii=False)) - 2
    return (line + 1, escaped + 1), (line + 1, escaped + 1 + length)


CASES = [(table, row) for table in TABLES for row in rows(table)]
NAMES = [f"{table.stem}-{row.get('cell', '')}-{row['line']}-{row['column']}" for table, row in CASES]


@pytest.mark.parametrize(("table", "row"), CASES, ids=NAMES)
def test_row(table: Path, row: dict) -> None:
    found = of_row(table, row)
    assert found, "nothing was found there"
    said = worst(found)
    instead, _ = EXCEPTIONS.get((table.stem, row["line"]), ("", ""))
    allowed = {instead} if instead else CLASSES[row["verdict"]]
    assert said in allowed, f"{row['verdict']} -> {[(f.verdict, f.condition, f.message) for f in found]}"
    exact(table, row, found)


def worst(found: list[Finding]) -> str:
    """Of a chain, what is wrong with any of its parts."""
    order = ("refuted", "proved_for", "proved_if", "checked", "not_understood", "proved", "definition", "not_a_claim")
    return min((f.verdict for f in found), key=order.index)


def exact(table: Path, row: dict, found: list[Finding]) -> None:
    """The parts cover the row's formula from its first character to its last, punctuation aside."""
    first, last = in_the_file(table, row) if "cell" in row else (
        (row["line"], row["column"]), (row["end_line"], row["end_column"]))  # fmt: skip
    assert min((f.line, f.column) for f in found) == first
    ends = max((f.end_line, f.end_column) for f in found)
    assert ends <= last
    left = between(document(table).read_text("utf-8").split("\n"), ends, last)
    assert BEHIND.fullmatch(left), f"not covered: {left!r}"


def between(lines: list[str], first: tuple[int, int], last: tuple[int, int]) -> str:
    here = lines[first[0] - 1 : last[0]]
    here[-1] = here[-1][: last[1] - 1]
    here[0] = here[0][first[1] - 1 :]
    return "\n".join(here)


@pytest.mark.parametrize("table", TABLES, ids=[t.stem for t in TABLES])
def test_nothing_else_is_claimed(table: Path) -> None:
    listed = {id(f) for row in rows(table) for f in of_row(table, row)}
    other = [f for f in findings(table) if f.verdict and id(f) not in listed]
    assert not [f for f in other if f.verdict not in NOTHING_SAID], other


def test_exceptions_are_still_needed() -> None:
    for (name, line), (instead, _) in EXCEPTIONS.items():
        ((table, row),) = [(t, r) for t, r in CASES if t.stem == name and r["line"] == line]
        assert instead not in CLASSES[row["verdict"]] and worst(of_row(table, row)) == instead


LAYER = r"$y_i = \sum_{j=0}^{k-1} w_j x_{i+j}$ and $g_i = \partial L / \partial y_i$. "
SIZES = r"Let $x \in \mathbb{R}^n$ and $w \in \mathbb{R}^k$. "
PASSAGES = {
    "two signs": r"Correlation is $(f \star g)(t) = \sum_a f(a)\, g(t+a)$. Convolution commutes: $f * g = g * f$.",
    "flipped": r"Put $(f \star g)(t) = \sum_a f(a)\, g(t+a)$ and $\tilde{f}(t) = f(-t)$. "
               r"So $f \star g = \tilde{f} * g$.",
    "another operand": LAYER + "Convolution commutes, $f * g = g * f$.",
    "declared sizes": SIZES + LAYER + r"So $\frac{\partial L}{\partial w_j} = \sum_{i=0}^{n-k} g_i x_{i+j}$.",
    "chain rule": SIZES + LAYER + r"$\frac{\partial L}{\partial w_j} = "
                  r"\sum_{i=0}^{n-k} \frac{\partial L}{\partial y_i} \frac{\partial y_i}{\partial w_j}$.",
    "declared range": r"$y_i = \sum_{j=0}^{k-1} w_j x_{i+j}, \quad 0 \le i \le n-k$, and "
                      r"$g_i = \partial L / \partial y_i$. "
                      r"So $\frac{\partial L}{\partial w_j} = \sum_{i=0}^{n-k} g_i x_{i+j}$.",
    "zero in prose": LAYER + r"Outside its range $g$ is zero. "
                     r"So $\frac{\partial L}{\partial x_m} = \sum_{j=0}^{k-1} g_{m-j} w_j$.",
    "a later setting": LAYER + r"For example $k = 5$. Now take $k = 3$: $y_0 = w_0 x_0 + w_1 x_1 + w_2 x_2$.",
    "kernel first": r"$Y_{i,j} = \sum_{u,v} K_{u,v} X_{i+u,j+v}$, so (full correlation) "
                    r"$\frac{\partial L}{\partial X} = \mathrm{rot180}(K) * \frac{\partial L}{\partial Y}$.",
    "padded": r"$Y_{i,j} = \sum_{u,v} K_{u,v} X_{i+u,j+v}$, so after padding "
              r"$\frac{\partial L}{\partial X} = \text{pad}(\frac{\partial L}{\partial Y}) * \mathrm{rot180}(K)$.",
}  # fmt: skip


@pytest.mark.parametrize("name", PASSAGES)
def test_nothing_true_is_called_false(name: str) -> None:
    *_, last = [f for f in verify(PASSAGES[name]) if f.verdict]
    said = {"padded": "not_understood"}.get(name, "proved")  # nothing says how far it is padded
    assert last.verdict == said, (last.verdict, last.message)
    assert not [f for f in verify(PASSAGES[name]) if f.verdict == "refuted"]


def test_a_proof_for_one_number_says_so() -> None:
    *_, last = verify(LAYER + r"For $k = 3$ that is $y_i = w_0 x_i + w_1 x_{i+1} + w_2 x_{i+2}$.")
    assert (last.verdict, last.message) == ("proved", "true for k = 3")
