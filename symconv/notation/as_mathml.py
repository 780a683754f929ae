"""Rules for presentation MathML, as browsers show it without a script.

Text is escaped here and nowhere else. Sums carry their limits below and above, products an invisible
times, functions an invisible application, so that a screen reader says what a reader sees.
"""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from symconv.notation import nodes as n
from symconv.notation.as_latex import LATEX
from symconv.notation.lettering import MARKS, SIGNS, lettered
from symconv.notation.printer import LIST, SUM, TERM, Printer, Rule, Show, binds, factors, held, opens, range_chain

TIMES, APPLY, COMMA = "<mo>&#x2062;</mo>", "<mo>&#x2061;</mo>", "<mo>,</mo>"
RELATIONS = {"==": "=", ":=": "≔", "<-": "←", "->": "→", "!=": "≠", "<=": "≤", ">=": "≥", "in": "∈", "~": "≈",
             "=>": "⇒", "<=>": "⇔", "prop": "∝", "notin": "∉", "subset": "⊂", "|": "∣"}
OPERATORS = {"*": "∗", "star": "⋆", "circledast": "⊛", "otimes": "⊗", "odot": "⊙", "circ": "∘", "times": "×",
             "oplus": "⊕", "bullet": "∙"}
FENCES = {"(": "()", "[": "[]", "{": "{}", "|": "||", "||": "‖‖", "[)": "[)", "(]": "(]", "": ("", "")}

Mark = Callable[[n.Node], str]


class MathML(Printer):
    """The printer; `mark` gives the CSS classes of a node, or nothing.

    >>> from symconv.notation.nodes import Element, Number
    >>> MathML()(Element("w", (Number(2),)))
    '<msub><mi>w</mi><mn>2</mn></msub>'
    """

    def __init__(self, mark: Mark = lambda node: "") -> None:
        super().__init__(RULES)
        self.mark = mark

    def __call__(self, node: n.Node) -> str:
        text, classes = super().__call__(node), self.mark(node)
        return text.replace(">", f' class="{classes}">', 1) if classes else text

    def whole(self, node: n.Node, display: bool = False) -> str:
        """A <math> element, with LaTeX as its alternative text."""
        kind = ' display="block"' if display else ""
        return f'<math{kind} alttext="{escape(LATEX(node))}">{self(node)}</math>'


def row(*parts: str) -> str:
    return f"<mrow>{''.join(parts)}</mrow>"


def sign(text: str, form: str = "") -> str:
    return f"<mo{form and f' {form}'}>{escape(text)}</mo>"


def fenced(bracket: str, inner: str) -> str:
    """The inner part between a pair of brackets that grow with it."""
    left, right = FENCES[bracket]
    return row(*([sign(left)] if left else []), inner, *([sign(right)] if right else []))


def parens(text: str) -> str:
    return around("(", text)


def around(bracket: str, inner: str) -> str:
    """The inner part between brackets, which grow only with what is higher than a letter."""
    tall = "<mfrac" in inner or "<mtable" in inner or "<munder" in inner
    left, right = FENCES[bracket]
    return fenced(bracket, inner) if tall or not left else close(left, inner, right)


def close(left: str, inner: str, right: str) -> str:
    """Brackets that stay as high as a letter."""
    return row(sign(left, 'stretchy="false"'), inner, sign(right, 'stretchy="false"'))


def _number(a: n.Number, show: Show) -> str:
    above, below = abs(a.value.numerator), a.value.denominator
    text = f"<mn>{above}</mn>" if below == 1 else f"<mfrac><mn>{above}</mn><mn>{below}</mn></mfrac>"
    return row(sign("−"), text) if a.value < 0 else text


def _word(a: n.Name, show: Show) -> str:
    letter = SIGNS.get(a.text, a.text)
    upright = a.style in ("rm", "text", "sans", "tt") and len(letter) == 1
    if letter.isdigit():
        text = f"<mn>{letter}</mn>"
    elif a.style == "bold" and len(letter) == 1 and letter.isascii() and letter.isalpha():
        text = f"<mi>{chr((0x1D400 if letter.isupper() else 0x1D41A) + ord(letter.upper()) - 65)}</mi>"
    else:
        text = f'<mi{" mathvariant=" + chr(34) + "normal" + chr(34) if upright else ""}>{escape(letter)}</mi>'
    return f'<mover accent="true">{text}{sign(MARKS[a.accent])}</mover>' if a.accent else text


def _scripts(base: str, below: str, above: str) -> str:
    if below and above:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    return f"<msub>{base}{below}</msub>" if below else f"<msup>{base}{above}</msup>" if above else base


def _listed(nodes: tuple[n.Node, ...], show: Show) -> str:
    parts = [held(e, show, parens, isinstance(e, n.Items) and binds(e) == LIST) for e in nodes]
    return parts[0] if len(parts) == 1 else row(COMMA.join(parts))


def _element(a: n.Element, show: Show) -> str:
    base = lettered(a.symbol)
    if not a.indices:
        return show(base)
    if isinstance(base, n.Scripted) and not base.below:
        return _scripts(show(base.base), _listed(a.indices, show),
                        _above(n.Scripted(base.base, above=base.above, primes=base.primes, grouped=base.grouped,
                                          bracket=base.bracket), show))
    return _scripts(show(base), _listed(a.indices, show), "")


def _above(a: n.Scripted, show: Show) -> str:
    primes = [sign("′" * a.primes)] if a.primes else []
    inner = [fenced(a.bracket, _listed(a.above, show)) if a.grouped else _listed(a.above, show)] if a.above else []
    return "".join(primes or inner) if len(primes + inner) == 1 else row(*primes, *inner) if primes + inner else ""


def _scripted(a: n.Scripted, show: Show) -> str:
    whole = (n.Name, n.Number, n.Bracketed, n.Call, n.Rounded, n.Matrix)
    base = held(a.base, show, parens, not isinstance(a.base, whole))
    return _scripts(base, _listed(a.below, show) if a.below else "", _above(a, show))


def _product(a: n.Product, show: Show) -> str:
    parts = factors(a.factors, show, parens)
    text = parts[0]
    for before, node, part in zip(a.factors, a.factors[1:], parts[1:], strict=False):
        inner = node.body if isinstance(node, n.Bracketed) else node
        dot = isinstance(inner, n.Number | n.Dots) or isinstance(before, n.Dots) \
            or (isinstance(before, n.Number) and binds(node) < TERM)
        text += (sign("⋅") if dot else TIMES) + part
    return row(text)


def _add(a: n.Add, show: Show) -> str:
    text = ""
    for t in a.terms:
        mark = {1: "±", -1: "∓"}.get(t.choice, "−" if t.negative else "+")
        text += sign(mark) if text or mark != "+" else ""
        text += held(t.node, show, parens, binds(t.node) < TERM)
    return row(text)


def _signed(a: n.Signed, show: Show) -> str:
    return row(sign("−"), show(a.node)) if a.negative else show(a.node)


def _partial(a: n.Partial, show: Show) -> str:
    alone = (n.Name, n.Scripted, n.Call, n.Bracketed, n.Symbol, n.Element, n.Iverson)
    over = "<mi>∂</mi>"
    by = row(over, show(a.by))
    if isinstance(a.of, alone):
        return f"<mfrac>{row(over, show(a.of))}{by}</mfrac>"
    return row(f"<mfrac>{over}{by}</mfrac>", parens(show(a.of)))


def _apply(a: n.Apply, show: Show) -> str:
    return row(show(lettered(a.function)), APPLY, around("(", show(a.argument)))


def _chain(a: n.Chain, show: Show) -> str:
    parts = [held(item, show, parens, binds(item) == LIST) for item in a.items]
    found = [parts[0]]
    for operator, part in zip(a.operators, parts[1:], strict=True):
        found += [sign(RELATIONS.get(operator, operator)), part]
    return row(*found)


def _heads(big: str, a: n.Sum | n.BigProduct, show: Show) -> str:
    """One sign for each range with its limits; ranges tied by conditions share one, conditions below them."""
    over = f'<mo movablelimits="false">{big}</mo>'
    conditions = a.conditions if isinstance(a, n.Sum) else ()
    if conditions:
        lines = [*(range_chain(r) for r in a.ranges), *conditions]
        rows = "".join(f"<mtr><mtd>{show(c)}</mtd></mtr>" for c in lines)
        return f'<munder>{over}<mtable class="under">{rows}</mtable></munder>'
    text = ""
    for r in a.ranges:
        low = show(range_chain(n.Range(r.index, r.low, within=r.within)))
        text += f"<munderover>{over}{low}{show(r.high)}</munderover>" if r.high else f"<munder>{over}{low}</munder>"
    return text or over


def _big(symbol: str) -> Rule:
    return lambda a, show: row(_heads(symbol, a, show), held(a.body, show, parens, binds(a.body) < TERM))


def _integral(a: n.Integral, show: Show) -> str:
    low = a.within if a.within is not None else a.low
    head = _scripts(sign("∫"), show(low) if low is not None else "", show(a.high) if a.high is not None else "")
    body = held(a.body, show, parens, binds(a.body) <= SUM or opens(a.body))
    return row(head, body, *(f'<mspace width="0.17em"/><mi>d</mi>{show(v)}' for v in a.variables))


def _operation(a: n.Operation, show: Show) -> str:
    left = held(a.left, show, parens, binds(a.left) < TERM or opens(a.left))
    right = held(a.right, show, parens, binds(a.right) <= TERM and not isinstance(a.right, n.Sum | n.Integral))
    mark = sign(OPERATORS.get(a.operator, a.operator))
    return row(left, f"<msub>{mark}<mtext>{escape(a.label)}</mtext></msub>" if a.label else mark, right)


def _table(rows: tuple[tuple[str, ...], ...], kind: str) -> str:
    cells = "".join("<mtr>" + "".join(f"<mtd>{c}</mtd>" for c in r) + "</mtr>" for r in rows)
    return f'<mtable class="{kind}">{cells}</mtable>'


def _cases(a: n.Cases, show: Show) -> str:
    rows = tuple((show(v), row("<mtext>if&nbsp;</mtext>", show(c)) if c is not None else "<mtext>otherwise</mtext>")
                 for v, c in a.branches)
    return row(sign("{"), _table(rows, "cases"))


def _outside(a: n.Outside, show: Show) -> str:
    spans = [row(show(low), sign("…"), show(high)) for low, high in a.ranges]
    return row(show(a.tensor), sign("="), "<mn>0</mn>", "<mtext>&nbsp;outside&nbsp;</mtext>", sign("×").join(spans))


def _noted(a: n.Noted, show: Show) -> str:
    return row(show(a.body), '<mspace width="1em"/>', close("(", sign(";").join(map(show, a.notes)), ")"))


RULES: dict[type[n.Node], Rule] = {
    n.Number: _number,
    n.Symbol: lambda a, show: show(lettered(a.name)),
    n.Element: _element,
    n.Product: _product,
    n.Signed: _signed,
    n.Add: _add,
    n.Quotient: lambda a, show: f"<mfrac>{show(a.above)}{show(a.below)}</mfrac>",
    n.Partial: _partial,
    n.Apply: _apply,
    n.Chain: _chain,
    n.Iverson: lambda a, show: close("[", show(a.condition), "]"),
    n.Range: lambda a, show: show(range_chain(a)),
    n.Sum: _big("∑"),
    n.Outside: _outside,
    n.Text: lambda a, show: f"<mtext>{escape(a.words)}</mtext>",
    n.Noted: _noted,
    n.Name: _word,
    n.Scripted: _scripted,
    n.Call: lambda a, show: row(show(a.head), APPLY, fenced(a.bracket, _listed(a.arguments, show))),
    n.Bracketed: lambda a, show: around(a.bracket, show(a.body)),
    n.Operation: _operation,
    n.Rounded: lambda a, show: row(sign("⌈⌊"[not a.up]), show(a.body), sign("⌉⌋"[not a.up])),
    n.Integral: _integral,
    n.BigProduct: _big("∏"),
    n.Matrix: lambda a, show: fenced(a.bracket, _table(tuple(tuple(map(show, r)) for r in a.rows), "matrix")),
    n.Cases: _cases,
    n.Items: lambda a, show: around(a.bracket, _listed(a.entries, show)),
    n.Dots: lambda a, show: sign("…"),
}
