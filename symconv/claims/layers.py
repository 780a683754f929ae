"""Labels that count layers: what is said of z^l holds for z^{l+1}."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from symconv.claims.raw import Sum

LABEL = re.compile(r"(?P<base>[^^]+)\^(?P<letter>[A-Za-z]+)(?P<offset>[+-]\d+)?(?P<rest>'*)")


@dataclass(frozen=True, slots=True)
class Label:
    """A layer label: z^l+1 is base z, letter l, offset 1."""
    base: str
    letter: str
    offset: int


def label_of(name: str) -> Label | None:
    """z^l+1 taken apart; None for names without such a label."""
    m = LABEL.fullmatch(name)
    return Label(m["base"] + m["rest"], m["letter"], int(m["offset"] or 0)) if m else None


@dataclass(frozen=True, slots=True)
class Move:
    """From layer to layer: by so many, or from any layer l to the last, L."""
    letter: str
    by: int
    to: str = ""


def shifted(name: str, move: Move) -> str:
    """The same name in another layer."""
    m = LABEL.fullmatch(name)
    if m is None or m["letter"] != move.letter:
        return name
    offset = int(m["offset"] or 0) + move.by
    return f"{m['base']}^{move.to or move.letter}{f'{offset:+d}' if offset else ''}{m['rest']}"


def shifted_size(name: str, move: Move) -> str:
    """|w^l|_2 in another layer."""
    return re.sub(r"\|([^|]+)\|", lambda m: f"|{shifted(m[1], move)}|", name)


def shifted_sum(terms: Sum, move: Move) -> Sum:
    """Every name in another layer."""
    return tuple(replace(t, factors=tuple(replace(f, name=shifted_gradient(f.name, move)) for f in t.factors))
                 for t in terms)


def shifted_gradient(name: str, move: Move) -> str:
    """The same for a name that may be a gradient."""
    mark = name[0] if name.startswith("∂") else ""
    return mark + shifted(name.removeprefix(mark), move)


def kin(name: str, known: Iterable[str]) -> tuple[str, Move] | None:
    """A known name of another layer, and how to get from it to this one: z^l for z^{l+1}, and for z^L."""
    own = label_of(name)
    if own is None:
        return None
    labels = [(other, label) for other in known if (label := label_of(other)) and label.base == own.base]
    for other, there in labels:
        if there.letter == own.letter and there.offset != own.offset:
            return other, Move(own.letter, own.offset - there.offset)
    for other, there in labels:
        if own.letter.isupper() and there.letter == own.letter.lower():
            return other, Move(there.letter, own.offset - there.offset, own.letter)
    return None
