"""Rules for plain text of formulas as their authors wrote them."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.printer import LIST, TERM, Rule, Show, binds, held, operands, tight

PAIRS = {"(": "()", "[": "[]", "{": "{}", "|": "||", "||": ("||", "||"), "[)": "[)", "(]": "(]", "": ("", "")}
SIGNS = {"times": "x", "circledast": "(*)", "otimes": "(x)", "odot": "(.)", "circ": "o"}

ALONE = (n.Number, n.Name, n.Scripted, n.Call, n.Bracketed, n.Rounded)


def in_brackets(text: str) -> str:
    """What text puts around an expression that would fall apart."""
    return f"({text})"


def listed(entries: tuple[n.Node, ...], show: Show, separator: str = ", ") -> str:
    """Entries with commas between them."""
    return separator.join(held(e, show, in_brackets, binds(e) == LIST and isinstance(e, n.Items)) for e in entries)


def script(mark: str, entries: tuple[n.Node, ...], show: Show) -> str:
    """A subscript or a superscript: `_i`, `_{i,j}`."""
    text = tight(",".join(_letters(e, show) or listed((e,), show) for e in entries))
    return f"{mark}{text}" if re.fullmatch(r"\w|\d+", text) else f"{mark}{{{text}}}"


def _letters(entry: n.Node, show: Show) -> str:
    """Letters side by side in a script stand close: W_{ij}."""
    if not isinstance(entry, n.Product):
        return ""
    parts = [show(f) for f in entry.factors]
    return "".join(parts) if all(len(p.rstrip("'")) == 1 for p in parts) else ""


def beside(shown: list[str], nodes: tuple[n.Node, ...], gap: str) -> str:
    """Factors side by side, a star between numbers."""
    text = shown[0]
    for before, node, one in zip(nodes, nodes[1:], shown[1:], strict=False):
        text += ("*" if isinstance(before, n.Number) and isinstance(node, n.Number) else gap) + one
    return text


def quotient(a: n.Quotient, show: Show) -> str:
    """(a + b)/c: brackets around what is more than a name or a number of the author's."""
    return "/".join(held(part, show, in_brackets, not isinstance(part, ALONE)) for part in (a.above, a.below))


def partial(a: n.Partial, show: Show) -> str:
    """dL/dw; d/dx (...) of what is more than a name."""
    alone = (*ALONE, n.Symbol, n.Element, n.Iverson)
    by = held(a.by, show, in_brackets, not isinstance(a.by, alone))
    return f"d{show(a.of)}/d{by}" if isinstance(a.of, alone) else f"d/d{by} {in_brackets(show(a.of))}"


def big(word: str, a: n.Sum | n.BigProduct, show: Show) -> str:
    """sum_{j=1}^{k} for every range with bounds; the others share one sign with the conditions."""
    alone = [r for r in a.ranges if r.low is not None or r.high is not None]
    shared = [show(r) for r in a.ranges if r.low is None and r.high is None]
    conditions = a.conditions if isinstance(a, n.Sum) else ()
    heads = [f"{word}_{{{tight(show(r.index))}{f'={tight(show(r.low))}' if r.low else ''}}}"
             + (f"^{{{tight(show(r.high))}}}" if r.high else "") for r in alone]
    if shared or conditions or not heads:
        under = ", ".join(shared) + (": " if shared and conditions else "") + ", ".join(map(show, conditions))
        heads.append(f"{word}_{{{under}}}" if under else word)
    return " ".join([*heads, held(a.body, show, in_brackets, binds(a.body) < TERM)])


def _name(a: n.Name, show: Show) -> str:
    return f"{a.accent}({a.text})" if a.accent else a.text


def _scripted(a: n.Scripted, show: Show) -> str:
    base = held(a.base, show, in_brackets, not isinstance(a.base, n.Name | n.Number | n.Bracketed | n.Call))
    below = script("_", a.below, show) if a.below else ""
    above = script("^", a.above, show) if a.above else ""
    if a.grouped:
        above = f"^{{{a.bracket}{tight(listed(a.above, show, ','))}{PAIRS[a.bracket][1]}}}"
    return base + "'" * a.primes + below + above


def _enclosed(bracket: str, text: str) -> str:
    left, right = PAIRS[bracket]
    return left + text + right


def _operation(a: n.Operation, show: Show) -> str:
    left, right = operands(a, show, in_brackets)
    return f"{left} {SIGNS.get(a.operator, a.operator)}{f'_{a.label}' if a.label else ''} {right}"


def _integral(a: n.Integral, show: Show) -> str:
    head = "int"
    if a.within is not None:
        head += script("_", (a.within,), show)
    if a.low is not None:
        head += script("_", (a.low,), show)
    if a.high is not None:
        head += script("^", (a.high,), show)
    return " ".join([head, held(a.body, show, in_brackets, binds(a.body) < TERM),
                     *(f"d{show(v)}" for v in a.variables)])


def _cases(a: n.Cases, show: Show) -> str:
    return "{" + "; ".join(f"{show(v)} {f'if {show(c)}' if c is not None else 'otherwise'}"
                           for v, c in a.branches) + "}"


SURFACE: dict[type[n.Node], Rule] = {
    n.Name: _name,
    n.Scripted: _scripted,
    n.Call: lambda a, show: show(a.head) + _enclosed(a.bracket, listed(a.arguments, show)),
    n.Bracketed: lambda a, show: _enclosed(a.bracket, show(a.body)),
    n.Operation: _operation,
    n.Rounded: lambda a, show: f"{'ceil' if a.up else 'floor'}({show(a.body)})",
    n.Integral: _integral,
    n.BigProduct: lambda a, show: big("prod", a, show),
    n.Matrix: lambda a, show: _enclosed(a.bracket, "; ".join(listed(r, show) for r in a.rows)),
    n.Cases: _cases,
    n.Items: lambda a, show: _enclosed(a.bracket, listed(a.entries, show)),
    n.Dots: lambda a, show: "...",
}
