"""What a lecture says, one catalogue a language: `en.toml`, `ko.toml`; a further language is one more file.

Patterns hold {names}; a value is text, a number, or a math node, which a renderer prints as a formula.
Korean particles are written in both forms, as in "{x}을(를)", and chosen after the sound before them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from symconv.errors import NotSupported
from symconv.notation.as_text import TEXT
from symconv.notation.lettering import SIGNS
from symconv.notation.nodes import Chain, Dots, Items, Node, Number, Operation, Outside, Symbol

Piece = str | Node
Pieces = tuple[Piece, ...]
LANGUAGES = ("en", "ko")
GREEK = re.compile(rf"(?<![A-Za-z])({'|'.join(SIGNS)})(?![A-Za-z])")  # also before a Korean particle
HOLE = re.compile(r"\{(\w+)\}")
PARTICLE = re.compile(r"(은\(는\)|이\(가\)|을\(를\)|과\(와\)|\(으\)로|\(이\)라|\(이\)다)")
CLOSED_LETTERS, CLOSED_DIGITS = "lmnrLMNR", "013678"  # names that end in a consonant when read aloud


@dataclass(frozen=True)
class Phrase:
    """What a result is, as `decide.names` says it in English; put into words by the patterns of [names]."""

    text: str


Value = str | int | Node | Phrase | tuple["Value", ...]


@dataclass(frozen=True)
class Said:
    """One sentence in no language yet: a key of the catalogues, and the values its pattern takes."""

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)

    def pieces(self, language: Words) -> Pieces:
        return language(self.key, **self.values)


@dataclass(frozen=True)
class Words:
    """The catalogue of one language."""

    language: str
    table: Mapping[str, str] = field(repr=False)

    def __call__(self, key: str, /, **values: Value) -> Pieces:
        """The pattern of a key, its values put in; text and math nodes in order.

        Raises:
            KeyError: the catalogue has no such key, or the pattern a value that is not given.
        """
        parts = HOLE.split(self.table[key])
        return tuple(_spoken(joined(p for n, part in enumerate(parts)
                                    for p in ((part,) if n % 2 == 0 else self.value(values[part])))))

    def value(self, value: Value) -> Pieces:
        """What stands for a value: several are separated by commas, an Outside is said in words."""
        if isinstance(value, tuple):
            return tuple(p for n, v in enumerate(value) for p in (*((", ",) if n else ()), *self.value(v)))
        if isinstance(value, Outside):
            zero = Chain((value.tensor, Number(0)), ("=",))
            return self("formula.outside", tensor=zero, ranges=_ranges(value))
        if isinstance(value, Phrase):
            parts = GREEK.split(self.named(value.text))
            return tuple(Symbol(p) if n % 2 else p for n, p in enumerate(parts))
        return (value if isinstance(value, Node) else str(value),)

    def named(self, name: str) -> str:
        """The name of a result in this language; what no pattern fits stays as it is."""
        for pattern, holes, said in self.patterns:
            if m := pattern.fullmatch(name):
                given = dict(zip(holes, map(self.named, m.groups()), strict=True))
                return self.text(said, **given)
        return name

    @cached_property
    def patterns(self) -> tuple[tuple[re.Pattern[str], tuple[str, ...], str], ...]:
        """The English patterns of [names], in their order."""
        keys = [k for k in self.table if k.startswith("names.")]
        return tuple((re.compile("(.+?)".join(map(re.escape, HOLE.split(k.removeprefix("names."))[::2]))),
                      tuple(HOLE.findall(k)), k) for k in keys)

    def text(self, key: str, /, **values: Value) -> str:
        """The same as plain text."""
        return plain(self(key, **values))

    def __contains__(self, key: str) -> bool:
        return key in self.table


def plain(pieces: Pieces) -> str:
    """Words and formulas as plain text."""
    return "".join(TEXT(p) if isinstance(p, Node) else p for p in pieces)


@cache
def words(language: str) -> Words:
    """The catalogue of a language.

    Raises:
        NotSupported: there is none.
    """
    if language not in LANGUAGES:
        raise NotSupported(f"no words for the language {language!r}; known: {', '.join(LANGUAGES)}")
    text = files("symconv.lecture.words").joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, dict(_flat(tomllib.loads(text))))


def joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Neighbouring texts made one, empty ones left out."""
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, str) and found and isinstance(found[-1], str):
            found[-1] += piece
        elif piece != "":
            found.append(piece)
    return found


def _ranges(a: Outside) -> Node:
    sets: list[Node] = [Items((low, Dots(), high), "{") for low, high in a.ranges]
    whole = sets[0]
    for one in sets[1:]:
        whole = Operation("times", whole, one)
    return whole


def _flat(table: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _spoken(pieces: list[Piece]) -> Iterator[Piece]:
    said = ""
    for piece in pieces:
        if isinstance(piece, str):
            piece = _particles(piece, said)
            yield piece
            said = piece or said
        else:
            yield piece
            said = TEXT(piece)


def _particles(text: str, before: str) -> str:
    """Each particle in the form that follows the sound before it: 커널을, x를, 3으로."""
    def form(match: re.Match[str]) -> str:
        closed, liquid = _sound(before + text[:match.start()])
        found = match[1]
        if found == "(으)로":
            return "으로" if closed and not liquid else "로"
        if found.startswith("(이)"):
            return "이" * closed + found[3:]
        return found[0] if closed else found[2]
    return PARTICLE.sub(form, text)


def _sound(text: str) -> tuple[bool, bool]:
    """Does the last thing said end in a consonant, and is that an l?"""
    last = next((c for c in reversed(text) if c.isalnum()), "")
    if "가" <= last <= "힣":
        final = (ord(last) - ord("가")) % 28
        return final != 0, final == 8
    return last in CLOSED_LETTERS + CLOSED_DIGITS, last in "lrLR178"
