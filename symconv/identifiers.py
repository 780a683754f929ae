"""Names of formulas as identifiers: readable, valid in C and Python, no two alike."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable
from itertools import chain, count

from symconv.c_target import RESERVED

TAKEN = RESERVED | frozenset(keyword.kwlist) | frozenset(("range", "slice", "EOF", "INFINITY", "NAN", "NULL"))
WORDS = {"'": "_prime", "+": "_plus_", "-": "_minus_", "*": "_times_", "/": "_over_"}
LONGEST = 40


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """An identifier for each array name: `w^l` is w_l, `hat x` x_hat, `x'` x_prime, `o` o_ (do is a word of C).

    The name of the gradient, the identifier with a d in front, is kept free too.
    """
    table: dict[str, str] = {}
    used: set[str] = set(TAKEN)
    for name in dict.fromkeys(names):
        plain = spelled(name)
        table[name] = found = next(c for c in chain((plain, f"{plain}_"), (f"{plain}_{n}" for n in count(2)))
                                   if used.isdisjoint((c, f"d{c}")))
        used |= {found, f"d{found}"}
    return table


def spelled(name: str) -> str:
    """A name in letters, digits and underscores, as close to its spelling as these allow."""
    accent, _, rest = name.rpartition(" ")
    base, mark, scripts = rest.partition("^")
    for sign, word in WORDS.items():
        base, scripts = base.replace(sign, word), scripts.replace(sign, word)
    text = "".join(c if c.isascii() and c.isalnum() else f"_u{ord(c):x}_" if c.isalnum() else "_"
                   for c in f"{base}_{accent}{mark}{scripts}")
    text = re.sub("_+", "_", text).strip("_")[:LONGEST].rstrip("_")
    return text if re.match("[A-Za-z]", text) else f"t_{text}".rstrip("_")
