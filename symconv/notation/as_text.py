"""Rules for plain text: `dL/dx_m = sum_{j=1}^{k} delta_{m-j+1} w_j`."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.printer import Printer, Show, chain, noted, number_rule, range_chain, signed, sum_of, tight


def _text_element(a: n.Element, show: Show) -> str:
    inner = ",".join(tight(show(i)) for i in a.indices)
    if not inner:
        return a.symbol
    return f"{a.symbol}_{inner}" if re.fullmatch(r"\w|\d+", inner) else f"{a.symbol}_{{{inner}}}"


def _text_product(a: n.Product, show: Show) -> str:
    number = show(a.factors[0]) if isinstance(a.factors[0], n.Number) else ""
    rest = a.factors[1:] if number else a.factors
    sizes = all(isinstance(f, n.Symbol) for f in rest)
    gap = "" if sizes and number.isdigit() else " "
    return (number + gap if number else "") + ("*" if sizes else " ").join(map(show, rest))


def _text_sum(a: n.Sum, show: Show) -> str:
    if a.conditions:
        over = ", ".join(show(range_chain(r)) for r in a.ranges)
        return f"sum_{{{over}: {', '.join(map(show, a.conditions))}}} {show(a.body)}"
    heads = [f"sum_{{{show(r.index)}={tight(show(r.low))}}}^{{{tight(show(r.high))}}}" if r.low and r.high
             else f"sum_{{{show(r.index)}}}" for r in a.ranges]
    return " ".join([*heads, show(a.body)])


TEXT = Printer({
    n.Number: number_rule,
    n.Symbol: lambda a, show: a.name,
    n.Element: _text_element,
    n.Product: _text_product,
    n.Signed: signed,
    n.Add: sum_of,
    n.Quotient: lambda a, show: f"({show(a.above)})/({show(a.below)})",
    n.Partial: lambda a, show: f"d{show(a.of)}/d{show(a.by)}",
    n.Apply: lambda a, show: f"{a.function}({show(a.argument)})",
    n.Chain: chain({"=": "=", "==": "=", "<=": "<=", ">=": ">="}),
    n.Iverson: lambda a, show: f"[{show(a.condition)}]",
    n.Range: lambda a, show: show(range_chain(a)),
    n.Sum: _text_sum,
    n.Outside: lambda a, show: f"{show(a.tensor)} zero outside "
                               + " x ".join(f"{show(low)}..{show(high)}" for low, high in a.ranges),
    n.Text: lambda a, show: a.words,
    n.Noted: noted(" "),
})
