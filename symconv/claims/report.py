"""What came out of one run: findings by file, counted, and the exit code they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from symconv.claims.finding import LOWER, VERDICTS, Finding

FAILING = ("refuted", "proved_if", "proved_for")
UNCHECKED = ("not_understood", "checked")
# What the summary calls each verdict, in the order of the line.
WORDS = {"proved": "proved", "refuted": "refuted", "proved_if": "true under a condition",
         "proved_for": "proved for some sizes", "checked": "checked but not proved",
         "not_understood": "not understood", "definition": "definition", "not_a_claim": "not a claim"}
PLURALS = {"definition": "definitions", "not_a_claim": "not claims"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One file: its text, what was found, and why it could not be read, if so."""

    path: str
    text: str = field(default="", repr=False)
    findings: tuple[Finding, ...] = ()
    unreadable: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts of a report.

    Args:
        files: how many were read.
        formulas: a chain a = b = c is one formula.
        parts: verdicts given; a chain has one for each equality.
        verdicts: each of VERDICTS to its count.
        remarks: findings without a verdict.
        severities: "error", "warning", "note" to their counts, over all findings.
    """

    files: int
    formulas: int
    parts: int
    verdicts: Mapping[str, int]
    remarks: int
    severities: Mapping[str, int]

    def __str__(self) -> str:
        counts = [f"{n} {PLURALS.get(verdict, word) if n > 1 else word}" for verdict, word in WORDS.items()
                  if (n := self.verdicts[verdict])]
        parts = f" in {self.parts} parts" if self.parts != self.formulas else ""
        files = f" in {self.files} files" if self.files > 1 else ""
        formulas = f"{self.formulas or 'no'} formula{'' if self.formulas == 1 else 's'}{parts}{files}"
        said = f"{formulas}: {', '.join(counts)}" if counts else formulas
        return f"{said}; {self.remarks} remark{'' if self.remarks == 1 else 's'}" if self.remarks else said


@dataclass(frozen=True, slots=True)
class Report:
    """The outcomes of a run, in the order the files were named."""

    outcomes: tuple[Outcome, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        return tuple(f for o in self.outcomes for f in o.findings)

    @property
    def unreadable(self) -> tuple[Outcome, ...]:
        return tuple(o for o in self.outcomes if o.unreadable)

    def summary(self) -> Summary:
        decided = Counter(f.verdict for f in self.findings)
        severities = Counter(f.severity for f in self.findings)
        return Summary(
            files=len(self.outcomes) - len(self.unreadable),
            formulas=sum(1 for o in self.outcomes for _ in _starts(o.findings)),
            parts=sum(decided[v] for v in VERDICTS),
            verdicts={v: decided[v] for v in VERDICTS},
            remarks=sum(n for v, n in decided.items() if v not in VERDICTS),
            severities={s: severities[s] for s in ("error", "warning", "note")})

    def exit_code(self, fail_on_unchecked: bool = False, exit_zero: bool = False) -> int:
        """2 when a file could not be read, 1 when something is to be looked at, else 0."""
        if self.unreadable:
            return 2
        return int(not exit_zero and any(fails(f, fail_on_unchecked) for f in self.findings))


def fails(finding: Finding, fail_on_unchecked: bool = False) -> bool:
    """Whether this finding makes the exit code 1."""
    return (finding.severity == "error" or finding.verdict in FAILING
            or (fail_on_unchecked and finding.verdict in UNCHECKED))


def _starts(findings: tuple[Finding, ...]) -> Iterator[Finding]:
    """The first part of every formula: later parts of a chain have larger numbers, and a formula with a
    plus-minus is one, however it is read."""
    before = None
    for f in findings:
        if f.verdict in VERDICTS and not f.reading.startswith(LOWER):
            if before is None or f.part <= before.part:
                yield f
            before = f
