"""One sentence for each outcome, and its code."""

from __future__ import annotations

from symconv.claims.finding import Finding, Shown
from symconv.claims.outcome import Outcome

CODES = {"proved": ("SC100", "note"), "refuted": ("SC101", "error"), "proved_if": ("SC102", "warning"),
         "proved_for": ("SC103", "warning"), "checked": ("SC104", "note"), "not_understood": ("SC001", "note"),
         "definition": ("SC020", "note"), "not_a_claim": ("SC021", "note")}


def coded(o: Outcome) -> tuple[str, str]:
    """The code and the severity of an outcome."""
    return CODES[o.verdict]


def sentence(o: Outcome) -> str:
    """What was found, in one sentence."""
    j = o.judgement
    match o.verdict:
        case "proved":
            return "true for all sizes" if j.sized or o.kind == "size" else "true"
        case "proved_if":
            return f"true exactly when {j.condition}"
        case "proved_for":
            return f"true when {j.condition}; {worked(j.counterexample)}"
        case "refuted":
            return f"false: {worked(j.counterexample)}" if j.counterexample else f"false: {j.reason}"
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
    return f"{others}: a directive can settle it"


def worked(shown: Shown | None) -> str:
    """The counterexample in words: the sizes, the place, both values."""
    if shown is None:
        return "a counterexample exists"
    sizes = ", ".join(f"{k} = {v}" for k, v in shown.sizes)
    place = ", ".join(f"{k} = {v}" for k, v in shown.index)
    where = " ".join(t for t in (sizes and f"for {sizes}", place and f"at {place}") if t)
    values = f"the formula gives {shown.claimed}, the truth is {shown.actual}"
    return f"{where}: {values}" if where else values
