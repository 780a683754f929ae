"""Rules for the code names of kernels: `dx[m] = sum over 0 <= j < 3 of dy[m - j] * w[j]`."""

from __future__ import annotations

from symconv.notation import nodes as n
from symconv.notation.printer import Printer, Show, chain, noted, number_rule, signed
from symconv.notation.surface_text import SURFACE, in_brackets


def _code_sum(a: n.Sum, show: Show) -> str:
    over, body = list(a.ranges), a.body
    conditions = list(a.conditions)
    while isinstance(body, n.Sum):
        over, conditions, body = [*over, *body.ranges], [*conditions, *body.conditions], body.body
    where = f" with {' and '.join(map(show, conditions))}" if conditions else ""
    return f"sum over {', '.join(map(show, over))}{where} of {show(body)}"


def _code_range(a: n.Range, show: Show) -> str:
    return f"{show(a.low)} <= {show(a.index)} < {show(a.stop)}" if a.low and a.stop else f"all {show(a.index)}"


def _add(a: n.Add, show: Show) -> str:
    """Sums last, and in parentheses where more follows: `sum over j of` reaches to the end."""
    terms = sorted(a.terms, key=lambda t: isinstance(t.node, n.Sum))
    text = ""
    for at, t in enumerate(terms):
        body = show(t.node)
        if isinstance(t.node, n.Sum) and at < len(terms) - 1:
            body = f"({body})"
        text += (" - " if t.negative else " + ") + body if text else ("-" if t.negative else "") + body
    return text


CODE = Printer({
    n.Number: number_rule,
    n.Symbol: lambda a, show: a.name,
    n.Element: lambda a, show: a.symbol + (f"[{', '.join(map(show, a.indices))}]" if a.indices else ""),
    n.Product: lambda a, show: " * ".join(map(show, a.factors)) if not isinstance(a.factors[-1], n.Symbol)
    else "*".join(map(show, a.factors)),
    n.Signed: signed,
    n.Add: _add,
    n.Quotient: lambda a, show: f"({show(a.above)})/({show(a.below)})",
    n.Partial: lambda a, show: f"d{show(a.of)}/d{show(a.by)}",
    n.Apply: lambda a, show: f"{a.function}({show(a.argument)})",
    n.Chain: chain({}, in_brackets),
    n.Iverson: lambda a, show: f"[{show(a.condition)}]",
    n.Range: _code_range,
    n.Sum: _code_sum,
    n.Outside: lambda a, show: f"{show(a.tensor)} is zero outside",
    n.Text: lambda a, show: a.words,
    n.Noted: noted(" "),
    **SURFACE,
})
