"""LaTeX to statements: every formula of a display with its conditions, its label and its places.

`parse` reads what authors write around formulas too: rows, ranges after a comma, `where` and
`for`, words in front. The grammar of expressions is in `reader`, that of macros in `macros`.
"""

from __future__ import annotations

from dataclasses import replace

from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.derivatives import ratio
from symconv.notation.layout import arrange
from symconv.notation.macros import RULES
from symconv.notation.place import shown
from symconv.notation.reader import Reader
from symconv.notation.runs import joined
from symconv.notation.statements import Piece, Statement, row_of
from symconv.notation.tokens import Token, tokenise
from symconv.notation.vocabulary import ADJECTIVES

__all__ = ["Statement", "parse", "read"]

BEGINNINGS = frozenset(("letter", "number", "word", "macro", "open", "begin", "comma"))
HELD = frozenset(("row", "where", "if", "and", "colon"))
SEPARATORS = {"comma": "comma", "soft": "soft", ":": "colon", "stop": "row", "row": "row"}


def parse(latex: str) -> tuple[Statement, ...]:
    """The statements of a formula.

    Raises:
        NotationError: what was not understood, and where; nothing else, whatever the input.
    """
    statements, errors = read(latex)
    if errors:
        raise errors[0]
    return statements


def read(latex: str) -> tuple[tuple[Statement, ...], tuple[NotationError, ...]]:
    """The statements of the rows that were understood, and an error for each of the others."""
    try:
        tokens = joined(tokenise(latex))
        tags = [t for t in tokens if t.kind == "tag"]
        found = arrange([t for t in tokens if t.kind != "tag"])
    except NotationError as wrong:
        return (), (wrong,)
    end = Token("eof", "", len(latex), len(latex))
    try:
        pieces, errors = _pieces(Reader(tokens=[*found, end], rules=RULES, ratio=ratio))
    except RecursionError:
        return (), (NotationError("nested too deeply", 0),)
    rows: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.before == "row" and rows[-1]:
            rows.append([])
        rows[-1].append(piece)
    statements = [s for row in rows if row for s in row_of(row, latex)]
    return tuple(_tagged(statements, tags)), tuple(errors)


def _tagged(statements: list[Statement], tags: list[Token]) -> list[Statement]:
    """Each tag with the last statement that begins before it."""
    for tag in tags:
        at = max((i for i, s in enumerate(statements) if s.start <= tag.start), default=None)
        if at is not None:
            statements[at] = replace(statements[at], tag=tag.text)
    return statements


def _pieces(r: Reader) -> tuple[list[Piece], list[NotationError]]:
    """The formulas and the prose of all rows, each with what stands before it; rows that fail as errors."""
    found: list[Piece] = []
    errors: list[NotationError] = []
    before, first = "row", 0
    while not r.sees("eof"):
        token = r.peek
        kind = token.text if token.text == ":" else token.kind
        if kind in SEPARATORS and (kind != ":" or token.kind == "soft" or not r.colons):
            before = before if before in HELD and kind != "row" else SEPARATORS[kind]
            first = len(found) if kind == "row" else first
            r.colons = r.colons or kind in (":", "row", "stop")
            r.next()
        elif token.kind == "link":
            before = _link(r, before, found)
            r.next()
        elif token.kind == "relation" and token.text in ("=", ":=", "<-", "=>") and before == "row":
            r.next()
        elif _is_prose(r):
            r.next()
            if token.text in ADJECTIVES and r.sees("letter"):
                name = r.next()
                items = n.Name(name.text, name.label, at=name.start), n.Name(token.text, "text", at=token.start)
                found.append(Piece(n.Chain(items, ("is",)), ((name.start, name.end), (name.start, name.end)), before))
                continue
            found.append(Piece(n.Text(token.text), ((token.start, token.end),), before))
            before = before if before in ("row", "if", "where") else "soft"
        else:
            try:
                found.append(_formula(r, before))
            except NotationError as wrong:
                errors.append(wrong)
                del found[first:]
                r.skip_row()
            before = ""
    return _first_of_rows(found), errors


def _formula(r: Reader, before: str) -> Piece:
    """One expression or relation, up to what separates it from the next."""
    items, operators, places = r.relations()
    token = r.peek
    if token.kind in ("close", "right", "amp", "end"):
        raise r.wrong(f"{shown(token.kind, token.text)} without a beginning")
    colon = token.text == ":" and not r.colons
    if not r.ends() and token.kind not in ("comma", "link") and token.label != "prose" and not colon:
        raise r.wrong(f"{shown(token.kind, token.text)} is out of place")
    return Piece(n.Chain(items, operators) if operators else items[0], places, before)


def _link(r: Reader, before: str, found: list[Piece]) -> str:
    """What a word between formulas makes of the next one."""
    token = r.peek
    if token.text == "otherwise":
        found.append(Piece(n.Text(token.text), ((token.start, token.end),), "otherwise"))
        return "soft"
    if token.text == "then":
        r.colons = True
        return "row" if before == "row" else "colon"
    opens = token.text in ("if", "where", "or")
    r.colons = r.colons and token.text not in ("if", "where")
    return token.text if opens or before != "row" else before


def _first_of_rows(pieces: list[Piece]) -> list[Piece]:
    """After prose at the head of a row the formula belongs to the same row."""
    found: list[Piece] = []
    for piece in pieces:
        head = bool(found) and found[-1].prose and found[-1].before in ("row", "head") and piece.before == "row"
        found.append(replace(piece, before="head") if head else piece)
    return found


def _is_prose(r: Reader) -> bool:
    """Is the word here a remark, rather than a name in a formula?"""
    token, after = r.peek, r.look(1)
    if token.kind != "word":
        return False
    if token.label == "prose":
        return True
    alone = after.kind in ("soft", "row", "eof", "stop", "link") or after.label == "prose"
    return alone or (" " in token.text and after.kind in BEGINNINGS)


