"""What is reported about one formula, or about one part of a chain a = b = c."""

from __future__ import annotations

from dataclasses import dataclass

VERDICTS = ("proved", "proved_if", "proved_for", "refuted", "checked", "not_understood", "definition", "not_a_claim")
UPPER, LOWER = "with the upper sign", "with the lower sign"  # how readings of a plus-minus begin


@dataclass(frozen=True, slots=True)
class Shown:
    """A counterexample in the author's terms: indices count from the author's base.

    Args:
        sizes: size name to number.
        index: where the sides differ: index name or position to number, or () for a scalar claim.
        tensors: tensor name to its contents (nested tuples of integers).
        claimed: the value of what was claimed; `actual`: the true one, both as text.
        monomial: the product whose coefficients differ, in the author's notation, or "".
        functions: what each pointwise function stands for in these values, as an expression in z.
    """

    sizes: tuple[tuple[str, int], ...] = ()
    index: tuple[tuple[str, int], ...] = ()
    tensors: tuple[tuple[str, object], ...] = ()
    claimed: str = ""
    actual: str = ""
    monomial: str = ""
    functions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to read a formula and what follows from it, when another reading gives another verdict."""

    reading: str
    verdict: str
    condition: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One verdict or one remark, with its place.

    Args:
        path: the file, or "-" for text from elsewhere.
        line, column, end_line, end_column: 1-based, columns in code points, end exclusive.
        latex: the formula as written.
        part: which equality of a chain, from 0.
        kind: what it is about: "gradient", "forward", "size", "identity", "element", "contribution",
            "update", "number", "definition", or for remarks "symbol", "index", "directive".
        verdict: one of VERDICTS, "" for remarks (undeclared symbol, letter clash).
        code: SC001..., see `codes`.
        severity: "error", "warning" or "note".
        message: one sentence for people.
        condition: when it is true, in plain text, or "".
        suggestion: the corrected formula as LaTeX in the author's notation, proved, or "".
        reading: how it was understood and which convention was used.
        alternatives: other readings that lead to other verdicts.
        engines: what decided it.
    """

    latex: str
    verdict: str
    code: str
    severity: str
    message: str
    kind: str = ""
    path: str = "-"
    line: int = 1
    column: int = 1
    end_line: int = 1
    end_column: int = 1
    part: int = 0
    condition: str = ""
    counterexample: Shown | None = None
    suggestion: str = ""
    reading: str = ""
    alternatives: tuple[Reading, ...] = ()
    engines: tuple[str, ...] = ()
