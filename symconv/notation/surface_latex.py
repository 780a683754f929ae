"""Rules for LaTeX of formulas as their authors wrote them: read again, they give the same tree."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.printer import LIST, SUM, TERM, Rule, Show, binds, held, opens, operands, tight
from symconv.notation.vocabulary import ACCENTS, GREEK, OPERATORS, RUN, STYLES

PAIRS = {"(": ("(", ")"), "[": ("[", "]"), "{": ("\\{", "\\}"), "|": ("\\lvert ", "\\rvert"),
         "||": ("\\lVert ", "\\rVert"), "[)": ("[", ")"), "(]": ("(", "]"), "": ("", "")}
MATRIX = {"(": "pmatrix", "[": "bmatrix", "{": "Bmatrix", "|": "vmatrix", "||": "Vmatrix", "": "matrix"}
LETTERS = {**{name: f"\\{name}" for name in GREEK}, "infinity": "\\infty", "ell": "\\ell", "top": "\\top"}
SPECIAL = {"\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}"}

JUXTAPOSED = re.compile(r"(?<=(?<![\\A-Za-z])[A-Za-z]) (?=[A-Za-z](?![A-Za-z]))")  # the space in C_{i n}


def group(text: str) -> str:
    """What LaTeX puts around an expression that would fall apart."""
    return f"{{{text}}}"


def escaped(words: str) -> str:
    """Words with nothing in them that TeX would obey; letters of any script stay."""
    return "".join(SPECIAL.get(c, f"\\{c}" if c in "#$%&_{}" else c if c.isprintable() else " ") for c in words)


def _name(a: n.Name, show: Show) -> str:
    style = STYLES.get(a.style, "") if a.style != "blackboard" or len(a.text) == 1 else "\\mathrm"
    if a.text in LETTERS:
        text = LETTERS[a.text] if style in ("", "\\mathrm", "\\text") else f"\\boldsymbol{{{LETTERS[a.text]}}}"
    elif len(a.text) == 1 and a.text.isascii() and not a.text.isalnum():
        text = f"\\{a.text}" if a.text in "#$%&_{}" else a.text
    elif a.text.isascii() and a.text.isalnum():
        plain = a.style == RUN or (len(a.text) == 1 and a.text.isalpha())
        text = a.text if plain and not style else (style or "\\mathrm") + group(a.text)
    else:
        text = f"\\text{{{escaped(a.text)}}}"
    return f"{ACCENTS[a.accent]}{{{text}}}" if a.accent else text


def entries(nodes: tuple[n.Node, ...], show: Show, separator: str = ",") -> str:
    """Entries with commas between them."""
    return separator.join(held(e, show, group, isinstance(e, n.Items) and binds(e) == LIST) for e in nodes)


def _scripted(a: n.Scripted, show: Show) -> str:
    whole = (n.Name, n.Number, n.Bracketed, n.Call, n.Rounded, n.Matrix)
    text = held(a.base, show, group, not isinstance(a.base, whole)) + "'" * a.primes
    if a.below:
        text += f"_{{{JUXTAPOSED.sub('', tight(entries(a.below, show)))}}}"
    if a.above:
        above = tight(entries(a.above, show))
        left, right = PAIRS[a.bracket] if a.grouped else ("", "")
        text += f"^{{{left}{above}{right}}}"
    return text


def enclosed(bracket: str, text: str) -> str:
    """The text between a pair of brackets."""
    left, right = PAIRS[bracket]
    return left + text + right


def sums(macro: str, a: n.Sum | n.BigProduct, show: Show) -> str:
    """One sign for each range; conditions stand under the last."""
    under, over = [], []
    for r in a.ranges:
        under.append(show(r) if r.within is not None else show(r.index) + (f"={tight(show(r.low))}" if r.low else ""))
        over.append(f"^{{{tight(show(r.high))}}}" if r.high else "")
    if isinstance(a, n.Sum) and a.conditions:
        stack = " \\\\ ".join([*under[-1:], *map(show, a.conditions)])
        under, over = [*under[:-1], f"\\substack{{{stack}}}"], over or [""]
    heads = [f"{macro}_{{{low}}}{high}" for low, high in zip(under, over, strict=True)] or [macro]
    return " ".join([*heads, held(a.body, show, group, binds(a.body) < TERM)])


def product(nodes: tuple[str, ...], parts: tuple[n.Node, ...]) -> str:
    """Factors side by side, with a dot where they would read as one thing."""
    text = nodes[0]
    for before, part, shown in zip(parts, parts[1:], nodes[1:], strict=False):
        dot = shown[:1] in "([" or shown.startswith(("\\{", "...")) or shown[:1].isdigit()
        dot = dot or isinstance(before, n.Dots) or isinstance(part, n.Dots)
        text += (" \\cdot " if dot else " ") + shown
    return text


def _operation(a: n.Operation, show: Show) -> str:
    left, right = operands(a, show, group)
    label = f"_{{\\text{{{escaped(a.label)}}}}}" if a.label else ""
    return f"{left} {OPERATORS[a.operator]}{label} {right}"


def _integral(a: n.Integral, show: Show) -> str:
    low = a.within if a.within is not None else a.low
    bounds = (f"_{{{show(low)}}}" if low is not None else "") + (f"^{{{show(a.high)}}}" if a.high is not None else "")
    body = held(a.body, show, group, binds(a.body) <= SUM or opens(a.body))
    return "".join([f"\\int{bounds} {body}", *(f" \\, d{show(v) if isinstance(v, n.Name) else group(show(v))}"
              for v in a.variables)])


def _matrix(a: n.Matrix, show: Show) -> str:
    cells = " \\\\ ".join(" & ".join("" if c == n.Text("") else show(c) for c in row) for row in a.rows)
    name = MATRIX[a.bracket]
    return f"\\begin{{{name}}} {cells} \\end{{{name}}}"


def _cases(a: n.Cases, show: Show) -> str:
    rows = (f"{held(v, show, group, binds(v) == LIST)} & "
            + (f"\\text{{if }} {show(c)}" if c is not None else "\\text{otherwise}")
            for v, c in a.branches)
    return "\\begin{cases} " + " \\\\ ".join(rows) + " \\end{cases}"


SURFACE: dict[type[n.Node], Rule] = {
    n.Name: _name,
    n.Scripted: _scripted,
    n.Call: lambda a, show: show(a.head) + enclosed(a.bracket, entries(a.arguments, show, ", ")),
    n.Bracketed: lambda a, show: enclosed(a.bracket, show(a.body)),
    n.Operation: _operation,
    n.Rounded: lambda a, show: (f"\\lceil {show(a.body)} \\rceil" if a.up else f"\\lfloor {show(a.body)} \\rfloor"),
    n.Integral: _integral,
    n.BigProduct: lambda a, show: sums("\\prod", a, show),
    n.Matrix: _matrix,
    n.Cases: _cases,
    n.Items: lambda a, show: enclosed(a.bracket, entries(a.entries, show, ", ")),
    n.Dots: lambda a, show: "\\dots",
}
