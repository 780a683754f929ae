"""Letters written side by side that are one name: kh, oc, OH as frameworks call their indices and sizes.

A run of letters is a product unless the formula shows that it is none: it stands where a sum binds an
index (\\sum_{kh=0}), or several runs that frameworks use stand alone between the commas of index lists.
"""

from __future__ import annotations

from collections.abc import Iterator

from symconv.notation.tokens import Token
from symconv.notation.vocabulary import RUN

USUAL = frozenset(a + b for a in "iokfnsp" for b in "chwd") | frozenset(("icg", "ocg", "dh", "dw", "in", "out"))
CAPITALS = frozenset(a + b for a in "IOKSPDF" for b in "CHWD")


def joined(tokens: list[Token]) -> list[Token]:
    """The tokens with every run that is one name as one letter token."""
    found = list(_runs(tokens))
    bound = {text for at, end, text in found if _binds(tokens, at, end)}
    listed = {text for at, end, text in found if _alone(tokens, at, end)}
    if not bound and len(listed & USUAL) < 2:
        return tokens
    names = bound | listed | {text for *_, text in found if text in CAPITALS or text in USUAL}
    out: list[Token] = []
    last = 0
    for at, end, text in found:
        if text in names:
            out += [*tokens[last:at], Token("letter", text, tokens[at].start, tokens[end - 1].end, RUN)]
            last = end
    return out + tokens[last:]


def _runs(tokens: list[Token]) -> Iterator[tuple[int, int, str]]:
    """(first, one after the last, letters) of every run of two or more plain letters."""
    at = 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and _plain(tokens[end]) and (end == at or tokens[end].start == tokens[end - 1].end):
            end += 1
        if end - at > 1:
            yield at, end, "".join(t.text for t in tokens[at:end])
        at = max(end, at + 1)


def _plain(t: Token) -> bool:
    return t.kind == "letter" and not t.label and len(t.text) == 1 and t.text.isascii() and t.end - t.start == 1


def _before(tokens: list[Token], at: int) -> str:
    return tokens[at - 1].kind if at else ""


def _binds(tokens: list[Token], at: int, end: int) -> bool:
    """_{kh=...: the beginning of a subscript, or of a later row of it, with an equals sign after the run."""
    starts = _before(tokens, at) in ("comma", "row") or (
        _before(tokens, at) == "open" and at > 1 and tokens[at - 2].kind in ("script", "macro"))
    follows = end < len(tokens) and tokens[end].kind == "relation" and tokens[end].text == "="
    return starts and follows and _under_sum(tokens, at)


def _under_sum(tokens: list[Token], at: int) -> bool:
    """Is the group this stands in the subscript of a sum?"""
    depth = 0
    for i in range(at - 1, 0, -1):
        depth += {"close": 1, "open": -1}.get(tokens[i].kind, 0)
        if depth < 0:
            behind = [t for t in tokens[max(0, i - 3):i] if t.kind == "macro"]
            return any(t.text in ("sum", "prod", "substack") for t in behind)
    return False


def _alone(tokens: list[Token], at: int, end: int) -> bool:
    """One whole entry of a list of indices."""
    after = tokens[end].kind if end < len(tokens) else ""
    opens, closes = _before(tokens, at) in ("left", "open", "comma"), after in ("right", "close", "comma")
    return opens and closes and "comma" in (_before(tokens, at), after)
