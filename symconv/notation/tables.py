"""Cases and matrices."""

from __future__ import annotations

from symconv.notation import nodes as n
from symconv.notation.lists import gather
from symconv.notation.reader import Reader, Rule
from symconv.notation.tokens import Token


def cases(r: Reader, token: Token) -> n.Node:
    """Values, each with its condition."""
    branches: list[tuple[n.Node, n.Node | None]] = []
    while not r.sees("end"):
        if r.accept("row") or r.accept("amp"):
            continue
        value = _cell(r)
        while r.accept("comma") or r.accept("amp") or r.accept("soft"):
            pass
        branches.append((value, _condition(r)))
    r.expect("end")
    if not branches:
        raise r.wrong("cases without rows", token)
    return n.Cases(tuple(branches))


def _cell(r: Reader) -> n.Node:
    if r.peek.kind in ("amp", "end", "row"):
        raise r.wrong("an empty cell")
    outer = r.bars, r.integrals, r.superscript
    r.bars, r.integrals, r.superscript = 0, 0, False
    found = r.chain()
    r.bars, r.integrals, r.superscript = outer
    return found


def _condition(r: Reader) -> n.Node | None:
    """The condition of a row: None for "otherwise", or where there is none."""
    found: list[n.Node] = []
    either = False
    while r.peek.kind not in ("end", "row", "eof"):
        token = r.peek
        if r.accept("link", "otherwise"):
            _prose(r)
            return None
        if r.accept("link") or r.accept("comma") or r.accept("soft") or r.accept("amp") or r.accept("stop"):
            either = either or (token.kind == "link" and token.text == "or")
        elif token.kind == "word" and token.label == "prose":
            r.next()
        else:
            found.append(_cell(r))
    parts = gather(tuple(found))
    if not parts:
        return None
    if either:
        return n.Call(n.Name("or"), parts)
    return parts[0] if len(parts) == 1 else n.Items(parts)


def _prose(r: Reader) -> None:
    while r.peek.kind not in ("end", "row", "eof"):
        r.next()


def matrix(r: Reader, token: Token) -> n.Node:
    """Rows of cells; an empty cell is an empty text."""
    rows: list[tuple[n.Node, ...]] = []
    row: list[n.Node] = []
    cell: n.Node = n.Text("")
    filled = False
    while True:
        if r.sees("amp") or r.sees("comma"):
            row, cell = [*row, cell], n.Text("")
        elif r.sees("row") or r.sees("end"):
            if row or filled:
                rows.append((*row, cell))
            row, cell, filled = [], n.Text(""), False
            if r.sees("end"):
                break
        else:
            cell, filled = _cell(r), True
            continue
        r.next()
    r.expect("end")
    if not rows:
        raise r.wrong("a matrix without rows", token)
    return n.Matrix(tuple(rows), token.text.removeprefix("matrix"))


RULES: dict[str, Rule] = {"cases": cases, "matrix": matrix}
