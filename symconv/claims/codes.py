"""The catalogue of codes: what each rule means, with an example and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from symconv.claims.finding import VERDICTS
from symconv.errors import SymconvError


@dataclass(frozen=True, slots=True)
class Code:
    """One rule.

    Args:
        code: SC001...; numbers are never reused.
        name: a short name, unique, in words joined by hyphens.
        severity: "error", "warning" or "note": what a finding has unless it says otherwise.
        line: what it says, in one line.
        explanation: why it matters and what was done to find it.
        given: definitions the example relies on, in the syntax of `--given`.
        example: a formula that gets this code, as LaTeX.
        fix: the corrected formula or directive, or what to do.
    """

    code: str
    name: str
    severity: str
    line: str
    explanation: str
    example: str
    fix: str
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.code} {self.name} ({self.severity}): {self.line}"


FORWARD = r"o_i = \sum_{j=1}^{k} w_j x_{i+j-1}"
DELTA = r"\delta_i = \frac{\partial L}{\partial o_i}"
SIZES = "o: output size; n: input size; k: kernel size; s: stride; p: padding on each side"
GRADIENT_W = r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{i+j-1}"

CODES = (
    Code("SC001", "not-understood", "note", "the formula could not be read as a claim, so nothing was decided",
         "The message says why and the caret shows where. The formula was neither confirmed nor denied; "
         "--fail-on-unchecked makes it count.",
         r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j y_{i+j-1}",
         "Declare the missing symbols by a definition or a directive.", (DELTA,)),
    Code("SC002", "directive-unreadable", "error", "a symconv directive could not be read",
         "A directive changes how formulas are read. One that is skipped in silence would change verdicts, so it is "
         "an error.",
         "<!-- symconv: stride of 2 -->", "<!-- symconv: stride s = 2 -->"),
    Code("SC010", "undeclared", "warning", "a symbol or an index is declared nowhere",
         "It is bound by no sum, stands on no left-hand side and no definition names it, so the formula has no "
         "value. Most often it is a slip.",
         r"\frac{\partial L}{\partial w_1} = \delta_3 x_e", r"\frac{\partial L}{\partial w_1} = \delta_3 x_3",
         (FORWARD, DELTA)),
    Code("SC011", "index-missing-on-the-right", "warning", "an index of the left-hand side does not occur on the right",
         "The right-hand side then has the same value for every value of that index, which is rarely meant.",
         r"o_i = \sum_{j=1}^{k} w_j x_{j}", FORWARD),
    Code("SC012", "one-letter-two-things", "warning", "one letter is used for two things, or two letters for one",
         "The same letter names two objects, or the two sides name one argument differently. The finding gives the "
         "reading that was used.",
         r"[f * g](x) = \sum_{a} f(a)\, g(i - a)", r"[f * g](i) = \sum_{a} f(a)\, g(i - a)"),
    Code("SC013", "bound-outside-the-array", "warning", "a summation bound reads outside the array",
         "With the stated bounds some terms read elements that do not exist. The formula holds only if those count as "
         "zero, which has to be said.",
         r"\frac{\partial L}{\partial x_i} = \sum_{j=1}^{k} \delta_{i-j+1} w_j",
         "<!-- symconv: zero outside -->", (FORWARD, DELTA)),
    Code("SC014", "misspelt", "warning", "a symbol appears to be misspelt for another",
         "The formula is true with the other symbol in its place.",
         r"\frac{\partial L}{\partial w_i} = \sum_j \sigma_j x_{i+j-1}", GRADIENT_W, (FORWARD, DELTA)),
    Code("SC020", "definition", "note", "the formula defines something and was taken as given",
         "Definitions are what claims are decided against; they are not decided themselves.", FORWARD,
         "Nothing to do."),
    Code("SC021", "not-a-claim", "note", "the formula asserts nothing",
         "A single symbol, a size or an expression that no definition speaks about.", "x_i", "Nothing to do."),
    Code("SC100", "proved", "note", "true for all sizes",
         "A proof for all sizes, guarded by enumeration over small ones.", GRADIENT_W, "Nothing to do.",
         (FORWARD, DELTA)),
    Code("SC101", "refuted", "error", "false: a counterexample in numbers is given",
         "The smallest sizes and contents for which the two sides differ, evaluated by an enumerator that shares no "
         "code with the reader or the engines. A correction is shown only after it has been proved.",
         r"\frac{\partial L}{\partial w_i} = \sum_j \delta_j x_{i+j}", GRADIENT_W, (FORWARD, DELTA)),
    Code("SC102", "true-under-a-condition", "warning", "true exactly when the stated condition holds, false otherwise",
         "Both directions were established: it holds under the condition, and fails whenever the condition does. "
         "State the condition beside the formula, or use the general one.",
         r"o = \frac{n + 2p - k}{s} + 1", r"o = \left\lfloor \frac{n + 2p - k}{s} \right\rfloor + 1", (SIZES,)),
    Code("SC103", "proved-for-some-sizes", "warning", "true when the stated condition holds; a counterexample outside",
         "The condition is sufficient. Some sizes outside it may be good as well, one counterexample is given.",
         r"\left\lfloor \frac{n - k}{s} \right\rfloor + 1 = \left\lceil \frac{n}{s} \right\rceil",
         "State the condition (here k = 1) beside the formula.", (SIZES,)),
    Code("SC104", "checked-not-proved", "note", "no counterexample up to small sizes, and no proof",
         "The message says up to which sizes both sides were compared and why no proof was found. It is evidence, "
         "not a proof; --fail-on-unchecked makes it count.",
         r"\frac{\partial L}{\partial x_{k i + j}} = \frac{1}{k} \frac{\partial L}{\partial y_i}, \quad 0 \le j < k",
         "Nothing to do, or split the step into smaller ones.",
         (r"y_i = \frac{1}{k} \sum_{j=0}^{k-1} x_{k i + j}",)),
    Code("SC105", "two-readings", "warning", "the formula can be read in two ways, with different verdicts",
         "The code of the verdict stays the first one; this one says that another reading leads elsewhere. A "
         "directive settles it.",
         r"\frac{\partial L}{\partial w} = \delta * x", "<!-- symconv: * is cross-correlation -->",
         ("y = x * w", r"\delta = \frac{\partial L}{\partial y}")),
    Code("SC190", "internal", "error", "a defect of symconv: the engines disagree, or the file could not be worked on",
         "Never a verdict on the formula. Please report it with the formula.", "", "Report it."),
)
BY_CODE = {c.code: c for c in CODES}
BY_VERDICT = dict(zip(VERDICTS, ("SC100", "SC102", "SC103", "SC101", "SC104", "SC001", "SC020", "SC021"), strict=True))


def find(word: str) -> Code:
    """A rule by its code or name, in any case.

    Raises:
        SymconvError: there is none; the message names the nearest.
    """
    known = dict(_names())
    found = known.get(word.strip().lower())
    if found is not None:
        return found
    near = get_close_matches(word.strip().lower(), known, 1)
    hint = f"; did you mean {known[near[0]].code}?" if near else ""
    raise SymconvError(f"there is no rule {word!r}{hint} (`symconv explain` lists all)")


def _names() -> Iterator[tuple[str, Code]]:
    for code in CODES:
        yield code.code.lower(), code
        yield code.name, code
