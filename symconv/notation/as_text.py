"""Rules for plain text: `dL/dx_m = sum_{j=1}^{k} delta_{m-j+1} w_j`."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.printer import (
    Printer,
    Show,
    chain,
    factors,
    noted,
    number_rule,
    range_chain,
    signed,
    summands,
    tight,
)
from symconv.notation.surface_text import SURFACE, beside, big, in_brackets, partial, quotient


def _text_element(a: n.Element, show: Show) -> str:
    inner = ",".join(tight(show(i)) for i in a.indices)
    if not inner:
        return a.symbol
    return f"{a.symbol}_{inner}" if re.fullmatch(r"\w|\d+", inner) else f"{a.symbol}_{{{inner}}}"


def _text_product(a: n.Product, show: Show) -> str:
    shown = factors(a.factors, show, in_brackets)
    number = shown[0] if isinstance(a.factors[0], n.Number) and len(shown) > 1 else ""
    rest = a.factors[1:] if number else a.factors
    sizes = all(isinstance(f, n.Symbol) for f in rest)
    near = sizes or (isinstance(rest[0], n.Name | n.Scripted) and not shown[-len(rest)][0].isdigit())
    gap = "" if near and number.isdigit() else "*" if isinstance(rest[0], n.Number) else " "
    return (number + gap if number else "") + beside(shown[1:] if number else shown, rest, "*" if sizes else " ")


def _text_sum(a: n.Sum, show: Show) -> str:
    if a.conditions and all(r.low is not None for r in a.ranges):
        over = ", ".join(show(range_chain(r)) for r in a.ranges)
        return f"sum_{{{over}{': ' if over else ''}{', '.join(map(show, a.conditions))}}} {show(a.body)}"
    return big("sum", a, show)


TEXT = Printer({
    n.Number: number_rule,
    n.Symbol: lambda a, show: a.name,
    n.Element: _text_element,
    n.Product: _text_product,
    n.Signed: signed,
    n.Add: summands({1: "+-", -1: "-+"}, in_brackets),
    n.Quotient: quotient,
    n.Partial: partial,
    n.Apply: lambda a, show: f"{a.function}({show(a.argument)})",
    n.Chain: chain({"==": "="}, in_brackets),
    n.Iverson: lambda a, show: f"[{show(a.condition)}]",
    n.Range: lambda a, show: show(range_chain(a)),
    n.Sum: _text_sum,
    n.Outside: lambda a, show: f"{show(a.tensor)} zero outside "
                               + " x ".join(f"{show(low)}..{show(high)}" for low, high in a.ranges),
    n.Text: lambda a, show: a.words,
    n.Noted: noted(" "),
    **SURFACE,
})
