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


def shifted(name: str, letter: str, by: int) -> str:
    """The same name `by` layers later."""
    m = LABEL.fullmatch(name)
    if m is None or m["letter"] != letter:
        return name
    offset = int(m["offset"] or 0) + by
    return f"{m['base']}^{letter}{f'{offset:+d}' if offset else ''}{m['rest']}"


def shifted_size(name: str, letter: str, by: int) -> str:
    """|w^l|_2 some layers later."""
    return re.sub(r"\|([^|]+)\|", lambda m: f"|{shifted(m[1], letter, by)}|", name)


def shifted_sum(terms: Sum, letter: str, by: int) -> Sum:
    """Every name some layers later."""
    return tuple(replace(t, factors=tuple(replace(f, name=shifted_gradient(f.name, letter, by)) for f in t.factors))
                 for t in terms)


def shifted_gradient(name: str, letter: str, by: int) -> str:
    """The same for a name that may be a gradient."""
    mark = name[0] if name.startswith("∂") else ""
    return mark + shifted(name.removeprefix(mark), letter, by)


def kin(name: str, known: Iterable[str]) -> tuple[str, str, int] | None:
    """A known name of another layer: (that name, the letter, how many layers further `name` is)."""
    own = label_of(name)
    if own is None:
        return None
    for other in known:
        there = label_of(other)
        if there and (there.base, there.letter) == (own.base, own.letter) and there.offset != own.offset:
            return other, own.letter, own.offset - there.offset
    return None
