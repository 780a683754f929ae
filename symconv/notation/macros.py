"""What single macros stand for: roots, accents, styles, functions."""

from __future__ import annotations

from dataclasses import replace

from symconv.notation import big, derivatives, tables
from symconv.notation import nodes as n
from symconv.notation.reader import Reader, Rule
from symconv.notation.tokens import Token
from symconv.notation.vocabulary import ACCENT_MACROS, FUNCTION_MACROS, STYLE_MACROS


def accent(r: Reader, token: Token) -> n.Node:
    """A letter with an accent; over anything else the accent is a function."""
    body, name = r.argument(), ACCENT_MACROS[token.text]
    if isinstance(body, n.Name) and not body.accent:
        return replace(body, accent=name)
    if isinstance(body, n.Scripted) and isinstance(body.base, n.Name) and not body.base.accent:
        return replace(body, base=replace(body.base, accent=name))
    return n.Call(n.Name(name), (body,))


def style(r: Reader, token: Token) -> n.Node:
    """A letter or a word in a style; more than one letter makes a word, except for two bold ones."""
    name = STYLE_MACROS.get(token.text, token.label)
    word = _word(r, name)
    if word is not None:
        return word
    return _styled(r.argument(), name)


def _word(r: Reader, name: str) -> n.Node | None:
    """A group of letters or of digits only, as one name."""
    if not r.sees("open"):
        if r.sees("number") and name in ("blackboard", "bold") and len(r.peek.text) == 1:
            token = r.next()
            return n.Name(token.text, name, at=token.start)
        return None
    if r.at not in r.match:
        return None
    inside = r.tokens[r.at + 1:r.match[r.at]]
    plain = all(t.kind in ("letter", "number") and not t.label and len(t.text) == t.end - t.start for t in inside)
    letters = sum(t.end - t.start for t in inside)
    if not inside or not plain or (letters == 2 and name == "bold") or (letters > 1 and name == "blackboard"):
        return None
    r.at = r.match[r.at] + 1
    return n.Name("".join(t.text for t in inside), name, at=inside[0].start)


def _styled(node: n.Node, name: str) -> n.Node:
    """The same expression with its letters in a style."""
    if isinstance(node, n.Name):
        return replace(node, style=name)
    if isinstance(node, n.Scripted):
        return replace(node, base=_styled(node.base, name))
    if isinstance(node, n.Product):
        return n.Product(tuple(_styled(f, name) for f in node.factors))
    return node


def root(r: Reader, token: Token) -> n.Node:
    """A square root."""
    if r.sees("left", "["):
        raise r.wrong("roots other than square roots are not read", token)
    return n.Call(n.Name("sqrt"), (r.argument(),))


def function(r: Reader, token: Token) -> n.Node:
    """A function with a macro of its own."""
    return n.Name(token.text, "rm", at=token.start)


def braced(r: Reader, token: Token) -> n.Node:
    """What stands over or under a brace; the remark on the brace goes."""
    body = r.argument()
    while r.sees("script"):
        r.next()
        r.skip_argument()
    return body


RULES: dict[str, Rule] = {
    **big.RULES, **derivatives.RULES, **tables.RULES, **dict.fromkeys(ACCENT_MACROS, accent),
    **dict.fromkeys(STYLE_MACROS, style), "style": style, **dict.fromkeys(FUNCTION_MACROS, function), "sqrt": root,
    "underbrace": braced, "overbrace": braced, "underbracket": braced, "overbracket": braced}
