"""Rules for LaTeX, in ASCII, with nothing in a name that TeX would obey."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.printer import Printer, Show, chain, factors, noted, range_chain, signed, summands, tight
from symconv.notation.surface_latex import SURFACE, group, product, sums
from symconv.notation.vocabulary import ACCENTS, GREEK, RELATIONS

ACCENTED = re.compile(rf"(?P<accent>{'|'.join(ACCENTS)})\((?P<base>\w+)\)(?P<primes>'*)")
SUPERSCRIPT = re.compile(r"(?P<base>[^^]+)\^\{?(?P<open>[(\[]?)(?P<label>[-+,\w]+)(?P<close>[)\]]?)\}?")


def _letters(name: str) -> str:
    """A name as LaTeX, in ASCII and with nothing in it that TeX would obey: hat(x)^{(l)} and w_in are taken apart."""
    m = SUPERSCRIPT.fullmatch(name)
    if m:
        return f"{_letters(m['base'])}^{{{m['open']}{_above(m['label'])}{m['close']}}}"
    m = ACCENTED.fullmatch(name)
    if m:
        return f"{ACCENTS[m['accent']]}{{{_letters(m['base'])}}}{m['primes']}"
    primes = name[len(name.rstrip("'")):]
    base, _, below = name.rstrip("'").partition("_")
    if not base:
        base, below = name.rstrip("'"), ""
    if base in GREEK:
        text = f"\\{base}"
    elif re.fullmatch(r"[A-Za-z]", base):
        text = base
    else:
        text = f"\\mathit{{{_safe(base)}}}"
    if below:
        text += f"_{{{below}}}" if re.fullmatch(r"[A-Za-z]|[0-9]+", below) else f"_{{\\mathrm{{{_safe(below)}}}}}"
    return text + primes


def _above(label: str) -> str:
    """A superscript: letters, numbers and sums of them, such as l-1."""
    plain = re.compile(r"[-+,]|[0-9]*")
    return "".join(p if plain.fullmatch(p) else _letters(p) for p in re.split(r"([-+,])", label))


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "\\_" if c == "_" else "." if c == "." else f"u{ord(c):x}"
                   for c in name)


def _latex_element(a: n.Element, show: Show) -> str:
    name = _letters(a.symbol)
    if not a.indices:
        return name
    return f"{f'{{{name}}}' if '_' in name else name}_{{{','.join(tight(show(i)) for i in a.indices)}}}"


def _latex_function(name: str) -> str:
    base = name.rstrip("'")
    known = f"\\{base}" if base in GREEK or base == "tanh" else f"\\operatorname{{{_safe(base)}}}"
    return known + name[len(base):]


def _latex_product(a: n.Product, show: Show) -> str:
    shown = factors(a.factors, show, group)
    if isinstance(a.factors[0], n.Number) and a.factors[1:] and isinstance(a.factors[1], n.Symbol):
        return shown[0] + " ".join(shown[1:])
    return product(tuple(shown), a.factors)


def _latex_sum(a: n.Sum, show: Show) -> str:
    if a.conditions and all(r.low is not None for r in a.ranges) and a.ranges:
        over = ",\\ ".join(show(range_chain(r)) for r in a.ranges)
        where = ",\\ ".join(map(show, a.conditions))
        return f"\\sum_{{\\substack{{{over} \\\\ {where}}}}} {show(a.body)}"
    return sums("\\sum", a, show)


def _latex_number(a: n.Number, show: Show) -> str:
    return f"\\frac{{{a.value.numerator}}}{{{a.value.denominator}}}" if a.value.denominator != 1 else str(a.value)


def _latex_text(a: n.Text, show: Show) -> str:
    special = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}
    safe = "".join(special.get(c, f"\\{c}" if c in "#$%&_{}" else c if c.isascii() else "?") for c in a.words)
    return f"\\text{{{safe}}}"


LATEX = Printer({
    n.Number: _latex_number,
    n.Symbol: lambda a, show: _letters(a.name),
    n.Element: _latex_element,
    n.Product: _latex_product,
    n.Signed: signed,
    n.Add: summands({1: "\\pm", -1: "\\mp"}, group),
    n.Quotient: lambda a, show: f"\\frac{{{show(a.above)}}}{{{show(a.below)}}}",
    n.Partial: lambda a, show: f"\\frac{{\\partial {show(a.of)}}}{{\\partial {show(a.by)}}}",
    n.Apply: lambda a, show: f"{_latex_function(a.function)}({show(a.argument)})",
    n.Chain: chain(RELATIONS, group),
    n.Iverson: lambda a, show: f"[{show(a.condition)}]",
    n.Range: lambda a, show: show(range_chain(a)),
    n.Sum: _latex_sum,
    n.Outside: lambda a, show: f"{show(a.tensor)} = 0 \\text{{ outside }} "
                               + " \\times ".join(f"{show(low)} \\ldots {show(high)}" for low, high in a.ranges),
    n.Text: _latex_text,
    n.Noted: noted(" \\quad "),
    **SURFACE,
})
