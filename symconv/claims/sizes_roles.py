"""Which size a name stands for, by the naming conventions of books, courses and frameworks.

Dumoulin and Visin write i, k, s, p, o; cs231n W, F, S, P with K filters; deep learning courses n, f, p, s
with layers in brackets; PyTorch H_in, kernel_size[0], H_out; others OH = (H + 2P - FH)/S + 1.
A name that could be two things is left out unless the other names settle it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

KINDS = (
    "input size", "output size", "kernel size", "stride", "padding", "total padding", "padding before",
    "padding after", "dilation", "output padding", "channels in", "channels out", "groups", "batch",
)
# Words that must all occur, and the role they name; the first rule that fits counts.
WORDS = (
    ("output padding", "output padding"), ("total padding", "total padding"), ("total side", "total padding"),
    ("input channel", "channels in"), ("output channel", "channels out"), ("number filter", "channels out"),
    ("padding before", "padding before"), ("padding left", "padding before"), ("padding top", "padding before"),
    ("padding low", "padding before"), ("padding after", "padding after"), ("padding right", "padding after"),
    ("padding bottom", "padding after"), ("padding high", "padding after"),
    ("padding", "padding"), ("dilation", "dilation"), ("stride", "stride"), ("kernel", "kernel size"),
    ("filter", "kernel size"), ("window", "kernel size"), ("pool", "kernel size"), ("group", "groups"),
    ("batch", "batch"), ("output", "output size"), ("input", "input size"), ("image", "input size"),
)
SAME_WORD = {
    "pad": "padding", "pads": "padding", "paddings": "padding", "in": "input", "inputs": "input", "out": "output",
    "outputs": "output", "strides": "stride", "channels": "channel", "dilations": "dilation", "atrous": "dilation",
    "rate": "dilation", "ksize": "kernel", "kernels": "kernel", "groups": "group", "num": "number", "begin": "before",
    "end": "after", "start": "before", "filters": "filter",
    "padded": "padding", "together": "total", "sides": "side",
}
AXES = {"h": "H", "height": "H", "y": "H", "row": "H", "w": "W", "width": "W", "x": "W", "col": "W", "depth": "D"}
SIDES = {**dict.fromkeys(("l", "left", "t", "top", "begin", "before", "start"), "before"),
         **dict.fromkeys(("r", "right", "b", "bottom", "end", "after"), "after")}
SIDE_AXES = {"l": "W", "r": "W", "left": "W", "right": "W", "t": "H", "b": "H", "top": "H", "bottom": "H"}
OUTWARD, INWARD = {"out", "output", "o", "new", "next"}, {"in", "input", "i", "prev", "old", "previous"}
# One letter: the role it has unless its marks or other names say otherwise.
LETTERS = {"o": "output size", "i": "input size", "n": "input size", "w": "input size", "h": "input size",
           "l": "input size", "k": "kernel size", "f": "kernel size", "r": "kernel size", "m": "kernel size",
           "s": "stride", "p": "padding", "d": "dilation", "c": "channels in", "g": "groups"}
DIRECTED = {"input size": "output size", "channels in": "channels out"}


TRANSLATED = {  # Korean and Chinese words for the same roles
    "출력": "output", "입력": "input", "크기": "size", "필터": "filter", "커널": "kernel", "스트라이드": "stride",
    "보폭": "stride", "패딩": "padding", "채널": "channel", "높이": "height", "너비": "width", "딜레이션": "dilation",
    "输出": "output", "输入": "input", "尺寸": "size", "大小": "size", "卷积核": "kernel", "核": "kernel",
    "滤波器": "filter",
    "步长": "stride", "步幅": "stride", "填充": "padding", "通道": "channel", "高度": "height", "宽度": "width",
    "膨胀": "dilation", "空洞": "dilation", "出力": "output", "入力": "input", "サイズ": "size",
    "パディング": "padding",
    "フィルタ": "filter", "カーネル": "kernel", "ストライド": "stride", "チャネル": "channel",
    "salida": "output", "entrada": "input", "tamaño": "size", "filtro": "filter", "relleno": "padding",
    "paso": "stride",
    "núcleo": "kernel", "sortie": "output", "entrée": "input", "taille": "size", "noyau": "kernel", "filtre": "filter",
    "remplissage": "padding", "Ausgabe": "output ", "Ausgangs": "output ", "Eingabe": "input ", "Eingangs": "input ",
    "größe": " size", "Filter": "filter", "Kern": "kernel", "Schrittweite": "stride",
}


@dataclass(frozen=True, slots=True)
class Role:
    """What a name stands for; `axis` is H, W or D where the name says so."""

    kind: str
    axis: str = ""

    def __str__(self) -> str:
        return f"{self.kind} ({self.axis})" if self.axis else self.kind


@dataclass(frozen=True)
class _Spelling:
    """A name taken apart: its stem, its marks, the layer it belongs to."""

    name: str
    stem: str
    marks: tuple[str, ...]
    level: int | None
    primes: int

    @property
    def letter(self) -> str:
        return self.stem.lower() if len(self.stem) == 1 else ""


def role_named(text: str) -> Role | None:
    """The role that words name: "padding on each side", "kernel size", "output height".

    >>> role_named("padding on each side")
    Role(kind='padding', axis='')
    """
    for word, meaning in TRANSLATED.items():
        text = text.replace(word, f" {meaning} ")
    plain = re.findall(r"[a-z]+", text.lower())
    words = {SAME_WORD.get(w, w) for w in plain}
    axis = next((AXES[w] for w in plain if w in AXES), "")
    for needed, kind in WORDS:
        if set(needed.split()) <= words:
            return Role(kind, axis)
    return None


def roles(names: Iterable[str], given: Mapping[str, str] | None = None) -> dict[str, Role]:
    """The roles of scalar names; `given` (name to role in words) comes before any convention.

    >>> roles(["W", "F", "S", "P", "K"])["K"]
    Role(kind='channels out', axis='')
    """
    stated = {n: r for n, text in (given or {}).items() if (r := role_named(text)) is not None}
    names = list(dict.fromkeys(names))
    sided = any(re.fullmatch(r"[pP][hwHW]?_.*(?:\b|_)?([rR]|right)", n) for n in names)  # then l is left, no layer
    spelled = [_spelling(n, sided) for n in names if n not in stated]
    found: dict[str, Role] = {}
    for s in spelled:
        if (role := _by_words(s) if len(s.stem) > 1 else _by_letter(s, spelled)) is not None:
            found[s.name] = role
    found = _indexed_axes(found)
    _settle(found, spelled, stated)
    taken = list(stated.values())
    for n, role in found.items():
        if role not in taken and sum(r == role for r in found.values()) == 1:
            stated[n] = role
    return stated


def readings(names: Iterable[str], given: Mapping[str, str] | None = None) -> tuple[dict[str, Role], ...]:
    """The conventional roles first, then what else they may be: padding on each side or the total of both."""
    first = roles(names, given)
    unsaid = {n: r for n, r in first.items() if r.kind == "padding" and n not in (given or {})}
    other = {**first, **{n: replace(r, kind="total padding") for n, r in unsaid.items()}}
    return (first, other) if unsaid else (first,)


def _spelling(name: str, sided: bool = False) -> _Spelling:
    plain = re.sub(r"\\(math[a-z]+|text[a-z]*|operatorname|boldsymbol|rm|bf)\b", "", name)
    plain = plain.replace("^{\\prime}", "'").replace("\\prime", "'").replace("\\_", "_").replace("′", "'")
    primes = plain.count("'")
    plain = re.sub(r"[\\{}$']", "", plain)
    if len(plain) > 3:
        plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain)
    pieces = [p for p in re.split(r"[_^,\s]+|(?<=\w)(?=\[\d\]$)", plain) if p] or [name]
    stem, marks, level = pieces[0], [], None
    if pair := re.fullmatch(r"([oikfpsOIKFPSD])([hwHW])", stem):
        stem, marks = pair[1], [pair[2]]
    for mark in pieces[1:]:
        layer = re.fullmatch(r"[\[(]?([lL]|\d+)([+-]\d+)?[\])]?", mark)
        if layer and not re.fullmatch(r"\[\d\]", mark) and not (sided and stem in "pP" and mark in "lL"):
            level = (int(layer[1]) if layer[1].isdigit() else 0) + int(layer[2] or 0)
        else:
            marks.append(mark)
    return _Spelling(name, stem, tuple(marks), level, primes)


def _by_words(s: _Spelling) -> Role | None:
    index = next((m.strip("[]") for m in s.marks if re.fullmatch(r"\[\d\]", m)), "")
    role = role_named(" ".join((s.stem, *(m for m in s.marks if not m.startswith("[")))))
    return replace(role, axis=role.axis or index) if role else None


def _by_letter(s: _Spelling, spelled: list[_Spelling]) -> Role | None:
    marks = [m.lower() for m in s.marks]
    if s.letter == "p" and len(sides := [m for m in marks if m in SIDES]) == 1:
        axis = next((AXES[m] for m in marks if m in AXES), SIDE_AXES.get(sides[0], ""))
        return Role(f"padding {SIDES[sides[0]]}", axis)
    if s.letter not in LETTERS or any(m not in OUTWARD | INWARD | {"c", "d"} and m not in AXES for m in marks):
        return None
    kind, directed = LETTERS[s.letter], set(marks) & (OUTWARD | INWARD)
    # A layer index on an axis letter, or a direction, makes it a size: D_in, W_2.
    axis = next((AXES[m] for m in marks if m in AXES), "D" if "d" in marks else "")
    if s.letter in "wh" or (s.stem == "D" and directed):
        kind, axis = "input size", s.stem.upper()
    if s.letter == "n" and "c" in marks:
        kind, axis = "channels in", ""
    elif "c" in marks:
        return None
    if s.stem == "D" and s.level is not None and not directed:
        kind = "channels in"
    if kind in DIRECTED and _is_output(s, spelled):
        kind = DIRECTED[kind]
    return Role(kind, axis)


def _is_output(s: _Spelling, spelled: list[_Spelling]) -> bool:
    """By its mark, else by the prime or the later layer among names of one kind."""
    if {m.lower() for m in s.marks} & OUTWARD:
        return True
    directions = OUTWARD | INWARD
    own = {m for m in s.marks if m.lower() not in directions}
    kin = [t for t in spelled if t.stem == s.stem and {m for m in t.marks if m.lower() not in directions} == own]
    if s.level is not None and any(t.level is not None and t.level < s.level for t in kin):
        return True
    if own == set(s.marks) and s.level is None and s.letter != "i":
        marked = {m.lower() for t in kin for m in t.marks}
        if marked & INWARD and not marked & OUTWARD:
            return True
    return s.letter != "i" and s.primes > 0 and any(t.primes < s.primes for t in kin)


def _indexed_axes(found: dict[str, Role]) -> dict[str, Role]:
    """kernel_size[0] is along H of H, W, or along D of D, H, W."""
    count = max((int(r.axis) for r in found.values() if r.axis.isdigit()), default=-1)
    planar = any(r.axis in ("H", "W") for r in found.values())
    order = ("D", "H", "W") if count == 2 else ("H", "W") if count == 1 or planar else ("",)
    return {n: replace(r, axis=order[int(r.axis)] if int(r.axis) < len(order) else "") if r.axis.isdigit() else r
            for n, r in found.items()}


def _settle(found: dict[str, Role], spelled: list[_Spelling], stated: Mapping[str, Role]) -> None:
    """What letters mean beside each other; what stays undecided is dropped."""
    letters = {s.name: s for s in spelled if s.name in found and s.letter}

    def holders(kind: str, but: str = "") -> Iterator[str]:
        yield from (n for n, r in {**found, **stated}.items()
                    if r.kind == kind and (n not in letters or letters[n].letter not in but or not but))

    stems = {s.stem for s in letters.values() if found[s.name].kind == "kernel size"}
    for n, s in list(letters.items()):
        role = found[n]
        bare = not s.marks and s.level is None and not s.primes
        if role.kind == "kernel size":
            others = {t.stem + "_" * bool(t.marks) for t in letters.values() if t.name in found
                      and found[t.name].kind == "kernel size"}
            if bare and ((s.stem == "K" and "F" in others) or (s.stem == "F" and others & {"k", "k_", "K_"})):
                found[n] = Role("channels out")  # cs231n: F is their size and K their number; with k for the size, F is
            elif {"k", "f"} <= stems or (s.letter in "rm" and any(holders("kernel size", "rm"))):
                del found[n]
        elif s.letter == "n" and role.kind == "input size" and any(holders("input size", "n")):
            if s.stem == "N" and bare:
                found[n] = Role("batch")
            else:
                del found[n]
        elif s.letter in "wh" and bare and any(letters[m].letter == "i" for m in letters if m != n):
            del found[n]  # beside an input size called i, w is a weight
        elif s.stem == "D" and bare and {found[m].axis for m in letters if m in found} >= {"H", "W"}:
            del found[n]  # the third axis or the dilation
        elif s.letter == "l" and not s.marks and s.level is None and s.stem == "l":
            del found[n]  # an index of layers
