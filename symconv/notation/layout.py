"""Rows, columns and spacing: what is left of them when only their meaning counts.

Alignment environments disappear; a row that begins or ends with a sign continues the one before
it; a wide space or a column between two complete expressions becomes a `soft` separator.
"""

from __future__ import annotations

from collections.abc import Sequence

from symconv.errors import NotationError
from symconv.notation.tokens import ENDS, Token

ALIGNMENTS = frozenset(("aligned", "align", "alignat", "alignedat", "gather", "gathered", "split", "equation",
                        "eqnarray", "multline", "multlined", "displaymath", "math", "flalign", "subequations",
                        "dmath", "empheq", "dgroup"))
TABLES = frozenset(("matrix", "array"))
MATRICES = {"matrix": "", "array": "", "smallmatrix": "", "pmatrix": "(", "bmatrix": "[", "Bmatrix": "{",
            "vmatrix": "|", "Vmatrix": "||"}
# What stands open, by how much it takes to close it: a brace closes the brackets left open inside.
OPENS = {"left": 0, "begin": 1, "open": 2}
CLOSES = {"right": 0, "end": 1, "close": 2}
CASES = frozenset(("cases", "dcases", "rcases"))
ARGUMENTS = frozenset(("array", "alignat", "alignedat", "subarray"))
CONTINUES = frozenset(("relation", "operator", "comma", "stop", "right", "script", "prime", "close"))


def arrange(tokens: Sequence[Token]) -> list[Token]:
    """The tokens of a formula without layout: rows, soft separators, and the tables that mean something."""
    found = _unfold(_plain(tokens))
    ends, outer, last = partners(found), 0, len(found) - 1
    while outer < last - outer and found[outer].kind == "open" and ends.get(outer) == last - outer:
        outer += 1
    found = found[outer:len(found) - outer]
    return _separate(_remarks(found))


def partners(tokens: Sequence[Token]) -> dict[int, int]:
    """For each opening brace, bracket or environment the place of its end; loose ones are left out."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind in OPENS:
            stack.append(at)
        elif token.kind in CLOSES:
            rank = CLOSES[token.kind]
            while stack and OPENS[tokens[stack[-1]].kind] < rank:
                stack.pop()
            if stack and OPENS[tokens[stack[-1]].kind] == rank:
                found[stack.pop()] = at
    return found


def _plain(tokens: Sequence[Token]) -> list[Token]:
    """Braces around a sign alone go, as do empty ones; 28x28 is a product of sizes."""
    found: list[Token] = []
    fractions = any(t.kind == "over" for t in tokens)
    for at, token in enumerate(tokens):
        found.append(token)
        if token.kind == "close" and len(found) > 2 and found[-3].kind == "open":
            inner = found[-2]
            before = found[-4] if len(found) > 3 else None
            sign = inner.kind in ("relation", "operator") or (inner.kind == "macro" and inner.text in ("sum", "prod"))
            if sign and (before is None or before.kind not in ("script", "macro")):
                found[-3:] = [inner]
        elif token.kind == "close" and len(found) > 1 and found[-2].kind == "open":
            after = tokens[at + 1] if at + 1 < len(tokens) else None
            before = found[-3] if len(found) > 2 else None
            if before is not None and before.kind == "script":
                del found[-3:]
            elif (after is not None and after.kind == "script") or before is None or before.kind in (
                    "amp", "relation", "operator", "row", "begin", "soft", "wide", "left"):
                del found[-2:]
        if token.kind == "close" and fractions:
            _over(found)
        elif _is_size(found):
            found[-2] = Token("operator", "times", found[-2].start, found[-2].end)
    return found


def _is_size(found: list[Token]) -> bool:
    """Does 28x28 end here?"""
    kinds = [t.kind for t in found[-3:]]
    return (kinds == ["number", "letter", "number"] and found[-2].text in "xX" and not found[-2].label
            and (len(found) < 4 or found[-4].kind != "script"))


def _over(found: list[Token]) -> None:
    """The group that ends here, if it is {a \\over b}, as a fraction."""
    depth, bar, at = 0, 0, len(found) - 1
    while at > 0:
        at -= 1
        kind = found[at].kind
        if kind == "over" and not depth:
            bar = at
        if kind == "open" and not depth:
            break
        depth += (kind == "close") - (kind == "open")
    if bar and found[at].kind == "open":
        start, middle, end = found[at], found[bar], found[-1]
        found[at:] = [start, Token("macro", "frac", start.start, start.end), start, *found[at + 1:bar],
                      Token("close", "}", middle.start, middle.start), Token("open", "{", middle.end, middle.end),
                      *found[bar + 1:], Token("close", "}", end.start, end.end)]


def _unfold(tokens: list[Token]) -> list[Token]:
    """Without alignment environments and the arguments of the others."""
    ends = partners(tokens)
    stop = {ends[at]: at for at in ends if tokens[at].kind == "begin"}
    gone: set[int] = set()
    kinds: dict[int, str] = {}
    for at, token in enumerate(tokens):
        if token.kind == "begin":
            if at not in ends:
                raise NotationError(f"\\begin{{{token.text}}} has no end", token.start)
            _arguments(tokens, at, ends, gone)
            kinds[at] = _environment(tokens, at, ends, gone)
        elif token.kind == "end":
            if at not in stop or tokens[stop[at]].text != token.text:
                raise NotationError(f"\\end{{{token.text}}} has no beginning", token.start)
            kinds[at] = kinds[stop[at]]
    found = []
    for at, token in enumerate(tokens):
        if at in gone or token.kind == "null" or kinds.get(at) == "":
            continue
        found.append(Token(token.kind, kinds[at], token.start, token.end) if at in kinds else token)
    return found


def _arguments(tokens: list[Token], at: int, ends: dict[int, int], gone: set[int]) -> None:
    """Marks [t] and {ll} after \\begin for removal."""
    first = at + 1
    three = [t.text for t in tokens[first:first + 3]]
    if len(three) == 3 and three[0] == "[" and three[1] in ("t", "b", "c", "l") and three[2] == "]":
        gone.update(range(first, first + 3))
        first += 3
    if tokens[at].text.rstrip("*") in ARGUMENTS and tokens[first].kind == "open":
        gone.update(range(first, ends[first] + 1))


def _environment(tokens: list[Token], at: int, ends: dict[int, int], gone: set[int]) -> str:
    """What an environment is: "" for an alignment, "cases", or the bracket of a matrix after "matrix"."""
    name, last = tokens[at].text.rstrip("*"), ends[at]
    before = tokens[at - 1] if at else None
    after = tokens[last + 1] if last + 1 < len(tokens) else None
    if name in ALIGNMENTS | TABLES and before and after and before.text == "{" and before.kind == "left" \
            and after.kind == "null":
        gone.update((at - 1, last + 1))
        name = "cases"
    if name in ALIGNMENTS:
        return ""
    inside = _own(tokens, at, ends)
    relation = any(t.kind == "relation" for t in inside)
    if name in TABLES and relation and (before is None or before.kind != "left"):
        return ""
    if name in CASES:
        system = relation and not any(t.kind in ("relation", "letter", "number") for t in tokens[:at])
        first_row = next((i for i, t in enumerate(inside) if t.kind in ("row", "amp", "link")), len(inside))
        return "" if system and any(t.kind == "relation" for t in inside[:first_row]) else "cases"
    if name in MATRICES:
        return f"matrix{MATRICES[name]}"
    raise NotationError(f"the environment {name} is not known", tokens[at].start)


def _own(tokens: list[Token], at: int, ends: dict[int, int]) -> list[Token]:
    """The tokens of an environment at its own level."""
    found, last = [], ends[at]
    at += 1
    while at < last:
        if at in ends:
            at = ends[at]
        else:
            found.append(tokens[at])
        at += 1
    return found


def _remarks(tokens: list[Token]) -> list[Token]:
    """A soft separator before parentheses that close a formula with its range: x_i (i = 1, ..., n)."""
    ends, found, skip = partners(tokens), [], -1
    for at, token in enumerate(tokens):
        if token.kind in ("left", "open", "begin") and at > skip and at in ends:
            after = tokens[ends[at] + 1].kind if ends[at] + 1 < len(tokens) else "row"
            last = after in ("row", "stop", "comma", "tag")
            if at and token.text == "(" and last and tokens[at - 1].kind in ENDS - {"word"} and any(
                    t.kind == "relation" and t.text not in (":", "|") for t in _own(tokens, at, ends)):
                found.append(Token("soft", "(", token.start, token.start))
            skip = ends[at]
        found.append(token)
    return found


def _separate(tokens: list[Token]) -> list[Token]:
    """Keep rows, columns and wide spaces only where they separate."""
    ends = partners(tokens)
    closing = {ends[at] for at in ends}
    following = _following(tokens)
    found: list[Token] = []
    stack: list[str] = []
    for at, token in enumerate(tokens):
        if at in ends:
            table = token.kind == "begin" or (at > 0 and tokens[at - 1].text == "substack")
            stack.append((token.text or "table") if table else "")
        elif at in closing:
            stack.pop()
        where = stack[-1] if stack else "top"
        if token.kind not in ("amp", "soft", "wide", "row"):
            found.append(token)
        elif where == "top":
            _at_top(tokens, at, following[at], found)
        elif where and (token.kind in ("amp", "row") or (token.kind == "soft" and where == "cases")):
            found.append(token)
    return found


def _following(tokens: list[Token]) -> list[Token | None]:
    """For each token the next that is no column or space."""
    found: list[Token | None] = []
    after: Token | None = None
    for token in reversed(tokens):
        found.append(after)
        after = after if token.kind in ("amp", "soft", "wide") else token
    return found[::-1]


def _at_top(tokens: list[Token], at: int, after: Token | None, found: list[Token]) -> None:
    """A separator outside all brackets: kept when complete expressions stand on both sides."""
    token = tokens[at]
    if found and found[-1].kind == "relation" and found[-1].text == ":":
        found[-1] = Token("soft", ":", found[-1].start, found[-1].end)
    before = found[-1] if found else None
    if token.kind == "wide" and tokens[at - 1].kind not in ("wide", "soft"):
        return
    if before is None or after is None or after.kind in CONTINUES:
        return
    if before.kind in ("relation", "operator", "left", "soft", "row") or before.text in ("sum", "prod", "int"):
        return
    if token.kind != "row" and before.kind in ("comma", "stop", "link"):
        return
    if token.kind == "row" and after.kind == "row":
        return
    found.append(token if token.kind == "row" else Token("soft", token.text, token.start, token.end))
