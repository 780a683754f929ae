"""Fractions, partial derivatives and gradients, in each of the forms they are written in."""

from __future__ import annotations

from symconv.notation import nodes as n
from symconv.notation.reader import Reader, Rule
from symconv.notation.tokens import Token

LOSS = n.Name("L")


def fraction(r: Reader, token: Token) -> n.Node:
    """A quotient, or a derivative when d stands above and below."""
    if _derives(r):
        return _derivative(r, token)
    above = r.argument()
    return n.Quotient(above, r.argument())


def _is_d(token: Token) -> bool:
    return (token.kind == "macro" and token.text == "partial") or (token.kind == "letter" and token.text == "d")


def _derives(r: Reader) -> bool:
    """Does d or \\partial begin both halves of the fraction here?"""
    if not r.sees("open") or r.at not in r.match:
        return False
    below = r.match[r.at] + 1
    if r.tokens[below].kind != "open":
        return False
    first, second = r.tokens[r.at + 1], r.tokens[below + 1]
    if not (_is_d(first) and _is_d(second) and first.text == second.text):
        return False
    if first.text == "partial":
        return True
    ends = ("letter", "macro", "word", "left", "close")
    after, by = r.tokens[r.at + 2], r.tokens[below + 2]
    return after.kind in ends and by.kind in ends[:3]


def _derivative(r: Reader, token: Token) -> n.Node:
    """The halves of a fraction of differentials, and the operand after it where none is above."""
    outer, r.integrals = r.integrals, 0
    of = _half(r)
    by = _half(r)
    r.integrals = outer
    if by is None:
        raise r.wrong("a derivative by nothing", token)
    if of is None:
        of = _operand(r, token)
    return n.Partial(of, by)


def _half(r: Reader) -> n.Node | None:
    """What follows the d in braces; None when it stands alone."""
    r.expect("open")
    r.next()
    if r.sees("script"):
        raise r.wrong("derivatives of higher order are not read")
    if r.accept("close"):
        return None
    found = r.product()
    r.expect("close")
    return found


def _operand(r: Reader, token: Token) -> n.Node:
    """What an operator d/dx is applied to: the product that follows."""
    if not r.starts():
        raise r.wrong("a derivative of nothing", token)
    return r.product()


def partial(r: Reader, token: Token) -> n.Node:
    """\\partial L / \\partial w, \\partial_w L, or a differential alone."""
    if r.sees("script"):
        return nabla(r, token)
    of = r.factor()
    if not (r.sees("operator", "/") and r.look(1).text == "partial"):
        return n.Call(n.Name("partial"), (of,))
    r.at += 2
    return n.Partial(of, r.factor())


def nabla(r: Reader, token: Token) -> n.Node:
    """\\nabla_w L; with nothing after it, the gradient of the loss."""
    if not r.sees("script", "_"):
        return n.Call(n.Name("nabla"), (r.factor(),)) if r.starts() else n.Name("nabla", at=token.start)
    r.next()
    found = r.script()
    if r.sees("script", "^"):
        raise r.wrong("derivatives of higher order are not read")
    by = found[0] if len(found) == 1 else n.Items(found)
    return n.Partial(r.factor() if r.starts() else LOSS, by)


def ratio(r: Reader) -> n.Node | None:
    """dz/dw in letters, the first d just read; None where it is something else."""
    after = _past_operand(r, r.at)
    if after is None or not (r.tokens[after].text == "/" and _is_d(r.tokens[after + 1])):
        return None
    if r.tokens[after + 2].kind not in ("letter", "macro", "word"):
        return None
    of = r.factor()
    r.at += 2
    return n.Partial(of, r.factor())


def _past_operand(r: Reader, at: int) -> int | None:
    """The place after one letter and its scripts and brackets."""
    token = r.tokens[at]
    if token.kind == "macro" and token.text == "style":
        at += 1
        if at not in r.match:
            return None
        at = r.match[at] + 1
    elif token.kind in ("letter", "word"):
        at += 1
    else:
        return None
    while r.tokens[at].kind in ("script", "prime", "left"):
        if r.tokens[at].kind == "script":
            at += 1
        at = r.match.get(at, at) + 1
        if at >= len(r.tokens):
            return None
    return at


RULES: dict[str, Rule] = {**dict.fromkeys(("frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"), fraction),
                          "partial": partial, "nabla": nabla}
