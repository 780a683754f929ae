"""What became of one part of one statement, before it has a place in a file."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.claims.finding import Reading
from symconv.claims.judge import Judgement


@dataclass(frozen=True, slots=True)
class Remark:
    """Something worth saying beside the verdict.

    Args:
        code: SC010 undeclared symbol, SC011 index missing, SC012 one letter for two things,
            SC013 reads outside, SC014 misspelt.
        at: offset in the formula, -1 for the whole; end: where it ends, one further if not known.
    """

    code: str
    message: str
    at: int = -1
    suggestion: str = ""
    end: int = -1


@dataclass(frozen=True, slots=True)
class Outcome:
    """A verdict on one part.

    Args:
        kind: "gradient", "forward", "size", "identity", ... as in a finding.
    """

    kind: str
    judgement: Judgement
    reading: str = ""
    part: int = 0
    suggestion: str = ""
    alternatives: tuple[Reading, ...] = ()
    remarks: tuple[Remark, ...] = ()
    at: int = -1

    @property
    def verdict(self) -> str:
        return self.judgement.verdict
