"""What was established about a claim, and no more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one decision.

    Args:
        kind: "proved", "different" (not equal for some sizes) or "unknown".
        reason: why no proof was found, or what was proved.
    """

    kind: str
    reason: str = ""

    @property
    def proved(self) -> bool:
        return self.kind == "proved"

    def __str__(self) -> str:
        return f"{self.kind}: {self.reason}" if self.reason else self.kind


PROVED = Verdict("proved")
