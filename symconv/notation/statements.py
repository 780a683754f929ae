"""Pieces of a row sorted into statements, their conditions and their labels."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from symconv.notation import nodes as n
from symconv.notation.lists import gathered

Places = tuple[tuple[int, int], ...]
COMPARISONS = frozenset(("<", "<=", ">", ">=", "in", "notin", "!=", "is", "subset", "|", "!|"))


@dataclass(frozen=True, slots=True)
class Statement:
    """One formula.

    Args:
        body: what it says, often Chain(items, operators).
        start, end: offsets of the body in the LaTeX, in code points.
        parts: the offsets of the items of a chain; of the body, if it is none.
        label: the prose around it.
        conditions: ranges and conditions stated after it.
        tag: its number.
    """

    body: n.Node
    start: int
    end: int
    parts: Places
    label: str = ""
    conditions: tuple[n.Node, ...] = ()
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a row: an expression or relation, or prose; and what stood before it."""

    node: n.Node
    places: Places
    before: str

    @property
    def prose(self) -> bool:
        """Is it only words?"""
        return isinstance(self.node, n.Text)


@dataclass
class Row:
    """What a row holds, sorted while it is read."""

    statements: list[Statement] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    conditions: list[Piece] = field(default_factory=list)


def row_of(pieces: list[Piece], latex: str) -> list[Statement]:
    """The statements of a row."""
    formulas = [p for p in pieces if not p.prose]
    if not formulas:
        words = [p.node.words for p in pieces if isinstance(p.node, n.Text)]
        body: n.Node = n.Name(words[0], "text") if len(words) == 1 else n.Text(" ".join(words))
        return [Statement(body, pieces[0].places[0][0], pieces[-1].places[-1][1], pieces[0].places)]
    row = Row(words=[p.node.words for p in pieces if isinstance(p.node, n.Text) and p.before != "otherwise"])
    where = False
    for run in _runs(_cases(pieces)):
        where = (where or run[0].before in ("where", "if")) and run[0].before != "colon"
        for piece in _joined(run):
            _place(row, piece, where, latex)
    if not row.statements:
        said = [p for p in row.conditions if not _limits(p.node)] or row.conditions[:1]
        row.statements = [_statement(p) for p in said]
        row.conditions = [p for p in row.conditions if p not in said]
    last = row.statements[-1]
    conditions = (*last.conditions, *(p.node for p in row.conditions))
    row.statements[-1] = replace(last, conditions=conditions)
    row.statements[0] = replace(row.statements[0], label=" ".join(w.strip(" :：") for w in row.words))
    return row.statements


def _cases(pieces: list[Piece]) -> list[Piece]:
    """The formulas of a row; `y = a if c, b otherwise` is one, with cases on its right side."""
    formulas = [p for p in pieces if not p.prose]
    other = next((at for at, p in enumerate(pieces) if p.before == "otherwise" and p.prose), 0)
    held = [p for p in pieces[:other] if not p.prose]
    if len(held) != 3 or held[1].before != "if" or isinstance(held[2].node, n.Chain):
        return formulas
    first, condition, last = held
    value = first.node.items[-1] if isinstance(first.node, n.Chain) else first.node
    cases = n.Cases(((value, condition.node), (last.node, None)))
    node = n.Chain((*first.node.items[:-1], cases), first.node.operators) if isinstance(first.node, n.Chain) else cases
    places = (*first.places[:-1], (first.places[-1][0], pieces[other].places[-1][1]))
    return [Piece(node, places, first.before), *formulas[3:]]


def _runs(pieces: list[Piece]) -> list[list[Piece]]:
    """Pieces with nothing but commas between them."""
    runs: list[list[Piece]] = []
    for piece in pieces:
        if piece.before == "comma" and runs:
            runs[-1].append(piece)
        else:
            runs.append([piece])
    return runs


def _joined(run: list[Piece]) -> list[Piece]:
    """The pieces of a run, those whose commas belong to one relation as one; a plain list as one."""
    if len(run) > 1 and not any(isinstance(p.node, n.Chain) for p in run):
        return [Piece(n.Items(tuple(p.node for p in run)), ((run[0].places[0][0], run[-1].places[-1][1]),),
                      run[0].before)]
    found, at = [], 0
    for node, count in gathered([p.node for p in run]):
        found.append(Piece(node, _covered(run[at:at + count]), run[at].before))
        at += count
    return found


def _covered(pieces: list[Piece]) -> Places:
    """The places of a relation made of several pieces."""
    chains = [p.places for p in pieces if isinstance(p.node, n.Chain)] or [pieces[0].places]
    places = list(chains[0])
    for more in chains[1:]:
        places[-1:] = [(places[-1][0], more[0][1]), *more[1:]]
    places[0] = (pieces[0].places[0][0], places[0][1])
    places[-1] = (places[-1][0], pieces[-1].places[-1][1])
    return tuple(places)


def _place(row: Row, piece: Piece, where: bool, latex: str) -> None:
    """A piece becomes a statement, a condition of the last one, or part of its label."""
    node = piece.node
    if isinstance(node, n.Chain) and node.operators[0] == ":" and row.statements:
        row.words.append(_plain(latex[piece.places[0][0]:piece.places[-1][1]]))
    elif where:
        _condition(row, piece)
    elif piece.before == "or" and row.statements:
        last = row.statements[-1]
        row.statements[-1] = replace(last, body=n.Call(n.Name("or"), (last.body, node)), end=piece.places[-1][1],
                                     parts=((last.start, piece.places[-1][1]),))
    elif not row.statements:
        row.statements.append(_statement(piece))
    elif _limits(node) and not _limits(row.statements[-1].body):
        row.conditions.append(piece)
    elif isinstance(node, n.Bracketed) and isinstance(node.body, n.Number):
        row.statements[-1] = replace(row.statements[-1], tag=str(node.body.value))
    elif _remark(node):
        row.conditions += [replace(piece, node=e) for e in _inside(node)]
    elif _equates(node) and _limits(row.statements[-1].body):
        first = row.statements.pop()
        row.conditions.append(Piece(first.body, first.parts, ""))
        row.statements.append(_statement(piece))
    else:
        row.statements.append(_statement(piece))


def _condition(row: Row, piece: Piece) -> None:
    """One more condition: alone, as an alternative to the last one, or as what the last one holds for."""
    said = row.conditions[-1] if row.conditions else None
    node = piece.node
    if said is None:
        row.conditions.append(piece)
    elif piece.before == "or":
        row.conditions[-1] = replace(said, node=_either(said.node, node))
    elif piece.before == "if" and _equates(said.node):
        row.conditions[-1] = replace(said, node=n.Noted(said.node, (node,)))
    elif isinstance(said.node, n.Noted) and _limits(node):
        row.conditions[-1] = replace(said, node=n.Noted(said.node.body, (*said.node.notes, node)))
    else:
        row.conditions.append(piece)


def _either(one: n.Node, other: n.Node) -> n.Node:
    """One condition or the other."""
    if isinstance(one, n.Noted):
        return n.Noted(one.body, (*one.notes[:-1], _either(one.notes[-1], other)))
    return n.Call(n.Name("or"), (one, other))


def _statement(piece: Piece) -> Statement:
    return Statement(piece.node, piece.places[0][0], piece.places[-1][1], piece.places)


def _limits(node: n.Node) -> bool:
    """Does a relation state a range: comparisons only, or values with dots between them?"""
    if not isinstance(node, n.Chain):
        return False
    last = node.items[-1]
    ranges = isinstance(last, n.Items) and any(isinstance(e, n.Dots) for e in last.entries[1:-1])
    return ranges or set(node.operators) <= COMPARISONS


def _equates(node: n.Node) -> bool:
    """A relation that is no range."""
    return isinstance(node, n.Chain) and not _limits(node)


def _inside(node: n.Node) -> tuple[n.Node, ...]:
    if isinstance(node, n.Items):
        return node.entries
    return (node.body,) if isinstance(node, n.Bracketed) else (node.condition,) if isinstance(node, n.Iverson) else ()


def _remark(node: n.Node) -> bool:
    """Brackets around relations alone."""
    inner = _inside(node)
    return bool(inner) and all(isinstance(e, n.Chain) for e in inner)


def _plain(latex: str) -> str:
    """LaTeX as the words of a label."""
    return latex.replace("\\text", "").replace("{", "").replace("}", "").strip()
