"""What people write beside formulas to say what holds, in the words that directives know."""

from __future__ import annotations

import re
from collections.abc import Callable

N = r"\\?[A-Za-z]\w*(?:_\{[^{}]*\}|_\w+)?'*"
RELATED = r"[^,;]*(?:<=|>=|<|>|=|\\le|\\ge|\\mid|divides)[^,;]*"
Rewriting = Callable[[re.Match[str]], list[str]]


def simpler(text: str) -> list[str]:
    """The same in directives and formulas that are known, or the text itself.

    >>> simpler("K filters of size F x F")
    ['K: number of filters', 'F: kernel size']
    >>> simpler("g divides C and O")
    ['g \\\\mid C', 'g \\\\mid O']
    """
    words = " ".join(text.strip().rstrip(".").split())
    for pattern, said in PHRASES:
        if (m := pattern.fullmatch(words)) is not None:
            return [s for part in said(m) for s in simpler(part)]
    return [text]


def _divides(m: re.Match[str]) -> list[str]:
    return [f"{m['by']} \\mid {of}" for of in re.split(r", | and ", m["of"])]


def _filters(m: re.Match[str]) -> list[str]:
    return [f"{m['count']}: number of filters", *(f"{size}: kernel size" for size in dict.fromkeys(
        re.split(r"\s*(?:x|×|\\times)\s*", m["size"])) if not size.isdigit())]


def _layers(m: re.Match[str]) -> list[str]:
    return [f"{m['name']}: {m['kind']} of layer {m['name'].rpartition('_')[2].strip('{}')}"]


def _valued(m: re.Match[str]) -> list[str]:
    role = m["role"]
    return [f"{role} {m['name']} = {m['value']}"] if role in ("stride", "dilation") else \
        [f"{m['name']}: {role}", f"{m['name']} = {m['value']}"]


PHRASES: tuple[tuple[re.Pattern[str], Rewriting], ...] = tuple((re.compile(p), f) for p, f in (
    (rf"(?P<by>{N}) divides (?P<of>{N}(?:(?:, | and ){N})*)", _divides),
    (rf"(?P<count>{N}) (?:filters|kernels) of size (?P<size>\w+(?:\s*(?:x|×|\\times)\s*\w+)*)", _filters),
    (rf"(?P<size>{N}) ?(?:x|×|\\times) ?(?P=size) (?:kernels?|filters?)", lambda m: [f"{m['size']}: kernel size"]),
    (rf"kernel (?:size )?(?P<name>{N})", lambda m: [f"{m['name']}: kernel size"]),
    (rf"input depth (?P<name>{N})(?: > \d+)?", lambda m: [f"{m['name']}: input channels"]),
    (rf"(?P<name>{N}) groups", lambda m: [f"{m['name']}: groups"]),
    (rf"(?P<name>{N}) layers", lambda m: [f"{m['name']}: number of layers"]),
    (rf"(?P<kind>kernel size|stride|dilation)s (?P<name>{N})", _layers),
    (r"(?:one|a) bias (?:per|for each|for every) (?:filter|output|output channel|channel|unit)", lambda m: ["bias"]),
    (rf"(?P<name>{N}) ?= ?(?P<value>\d+): (?P<role>[a-z ]+)", _valued),
    (r"no padding|(?:symbols|notation|names) as in .*|holds for (?:all|every|any) .*|.* integrable", lambda m: []),
    (rf"{N} ?= ?[^,]+, ?\\l?dots, ?[^,]+", lambda m: []),  # what an index runs over
    (r"indices (?:over|on|run over) all integers", lambda m: ["signals on Z"]),
    (rf"(?P<first>[^,:]+:[^,:=<>\\]+), (?P<rest>{RELATED})", lambda m: [m["first"], m["rest"]]),
    (rf"(?P<first>{N} (?:groups|layers)|kernel sizes {N}), (?P<rest>.+)", lambda m: [m["first"], m["rest"]]),
))
