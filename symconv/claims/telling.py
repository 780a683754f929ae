"""One sentence for each outcome, and its code."""

from __future__ import annotations

import re

from symconv.claims.finding import Finding, Shown
from symconv.claims.outcome import Outcome
from symconv.claims.scope import GRADIENT

CODES = {"proved": ("SC100", "note"), "refuted": ("SC101", "error"), "proved_if": ("SC102", "warning"),
         "proved_for": ("SC103", "warning"), "checked": ("SC104", "note"), "not_understood": ("SC001", "note"),
         "definition": ("SC020", "note"), "not_a_claim": ("SC021", "note")}

# By what the claim is about: what is said of the first value and of the second.
SIDES = {"gradient": ("the formula gives {}", "the derivative is {}"),
         "element": ("the formula gives {}", "the derivative is {}"),
         "contribution": ("the formula gives {}", "the contribution is {}"),
         "forward": ("the formula gives {}", "the definition gives {}"),
         "size": ("the formula gives {}", "the size is {}"),
         "update": ("the formula gives {}", "the update is {}"),
         "number": ("the formula says {}", "the value is {}"),
         "identity": ("one side gives {}", "the other {}")}
OTHERWISE = ("the formula gives {}", "the true value is {}")


def coded(o: Outcome) -> tuple[str, str]:
    """The code and the severity of an outcome."""
    return CODES[o.verdict]


def sentence(o: Outcome) -> str:
    """What was found, in one sentence; of an expression, also what it was compared with."""
    said = _said(o).replace(GRADIENT, "dL/d")
    return f"{o.reading}: {said}" if o.kind == "element" and o.judgement.decided and o.reading else said


def _said(o: Outcome) -> str:
    j = o.judgement
    match o.verdict:
        case "proved":
            if j.instance:
                return f"true {j.instance}"
            return "true for all sizes" if j.sized or o.kind == "size" else "true"
        case "proved_if":
            return f"true exactly when {j.condition}"
        case "proved_for":
            return f"true when {j.condition}, but not{worked(o) if j.counterexample else ' for every function'}"
        case "refuted":
            return f"false{worked(o)}" if j.counterexample else f"false: {j.reason}"
        case "checked":
            return f"no difference found: {j.reason}"
        case "definition":
            return f"a definition: {o.reading}" if o.reading else "a definition"
        case "not_a_claim":
            return j.reason or "no claim"
    return f"not understood: {j.reason}"


def doubtful(f: Finding) -> str:
    """What else the formula may mean, and what follows from that."""
    said = {"proved": "true", "proved_if": "true exactly when ", "proved_for": "true when ", "refuted": "false",
            "checked": "not decided", "not_understood": "not understood"}
    others = "; ".join(f"if {r.reading}, the formula is {said.get(r.verdict, r.verdict)}{r.condition}"
                       for r in f.alternatives)
    operators = all(re.match(r"\S+ (?:and \S+ )*is ", r.reading) for r in f.alternatives)
    return f"{others}: a directive can settle it" if operators else others


def worked(o: Outcome) -> str:
    """The counterexample in words: the sizes, the place, both values."""
    shown = o.judgement.counterexample
    if shown is None:
        return " for all sizes"
    numbers = [(k, v) for k, v in shown.tensors if not isinstance(v, tuple)]
    sizes = ", ".join(f"{k} = {v}" for k, v in (*shown.sizes, *numbers))
    place = ", ".join(f"{k} = {v}" for k, v in shown.index)
    where = (f" for {sizes}" if sizes else "") + (f" at {place}" if place else "")
    return f"{where}: {both_sides(shown, o.kind, o.reading)}"


def both_sides(shown: Shown, kind: str, reading: str) -> str:
    """`the formula gives 4, the derivative is 7`. A size that nobody said what it should be is one of two sides."""
    claimed, actual = SIDES.get("identity" if kind == "size" and not reading else kind, OTHERWISE)
    return f"{claimed.format(shown.claimed)}, {actual.format(shown.actual)}"
