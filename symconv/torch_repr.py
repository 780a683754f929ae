"""A layer as PyTorch prints it, `Conv2d(24, 24, kernel_size=(3, 3), stride=(2, 2))`, as arguments of a layer.

The text is read by a parser of its own: a name, numbers, tuples, strings, True, False and None. Nothing is evaluated.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from symconv.errors import LineError

CONV = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "dilation", "groups", "bias",
        "padding_mode")
CONV_TRANSPOSE = ("in_channels", "out_channels", "kernel_size", "stride", "padding", "output_padding", "groups",
                  "bias", "dilation", "padding_mode")
LINEAR = ("in_features", "out_features", "bias")
NAMES = {"in_channels": "channels", "out_channels": "filters", "kernel_size": "kernel", "in_features": "inputs",
         "out_features": "outputs"}
WORDS = {"True": True, "False": False, "None": None}
TOKEN = re.compile(r"""\s*(?:(?P<number>\d{1,9})(?!\w)|(?P<word>[A-Za-z_]\w*)|(?P<text>'\w*'|"\w*")"""
                   r"""|(?P<sign>[(),=]))""")
START = re.compile(r"\s*(?:\(\w+\):\s*)?(?:\w+\.)*(?P<kind>[A-Za-z]\w*)\s*(?=\()")


class Value(NamedTuple):
    """What an argument is given, and where it stands."""

    value: Any
    at: int


@dataclass
class Reader:
    """The text and how far it is read."""

    line: str
    at: int

    def next(self) -> tuple[str, str, int]:
        """(kind, text, place) of the next token; kind is '' at the end."""
        m = TOKEN.match(self.line, self.at)
        if m is None:
            place = len(self.line) - len(self.line[self.at:].lstrip())
            if place < len(self.line):
                raise LineError(f"{self.line[place]!r} has no place here", self.line, place)
            return "", "", place
        self.at = m.end()
        kind = m.lastgroup or ""
        return kind, m[kind], m.start(kind)

    def peek(self) -> str:
        at, (_, text, _) = self.at, self.next()
        self.at = at
        return text

    def expect(self, *texts: str) -> str:
        _, text, place = self.next()
        if text not in texts:
            raise LineError(f"{' or '.join(texts)} is expected here", self.line, place)
        return text

    def value(self) -> Any:
        """A number, a name, True or False, or numbers in parentheses."""
        kind, text, place = self.next()
        if kind == "number":
            return int(text)
        if kind == "text":
            return text[1:-1]
        if kind == "word":  # PyTorch prints padding=same without quotes
            return WORDS.get(text, text)
        if text != "(":
            raise LineError("a number, a tuple of numbers, a name, True or False is expected here",
                            self.line, place)
        numbers: list[int] = []
        while self.peek() != ")":
            kind, text, place = self.next()
            if kind != "number":
                raise LineError("a number is expected here", self.line, place)
            numbers.append(int(text))
            if self.peek() != ")":
                self.expect(",")
        self.expect(")")
        return tuple(numbers)

    def arguments(self, order: tuple[str, ...]) -> dict[str, Value]:
        """Those in order, then those by name."""
        self.expect("(")
        found: dict[str, Value] = {}
        named = False
        while self.peek() != ")":
            here = self.at
            kind, name, place = self.next()
            if kind == "word" and name not in WORDS:
                self.expect("=")
                named = True
            elif named or len(found) >= len(order):
                raise LineError("an argument with its name is expected here" if named else
                                f"only {len(order)} arguments are known", self.line, place)
            else:
                self.at = here
                name = order[len(found)]
            if name not in order:
                raise LineError(f"unknown argument {name}; known: {', '.join(order)}", self.line, place)
            if name in found:
                raise LineError(f"{name} is given twice", self.line, place)
            found[name] = Value(self.value(), place)
            if self.peek() != ")":
                self.expect(",", ")")
        self.expect(")")
        kind, text, place = self.next()
        if kind:
            raise LineError(f"nothing is expected after the layer, but {text!r} stands here", self.line, place)
        return found


def is_torch(line: str) -> bool:
    """Does it start like a call?"""
    return START.match(line) is not None


def read_torch(line: str) -> dict[str, Any]:
    """The arguments of a convolution (without its input, which PyTorch does not say) or of a fully connected layer.

    Raises:
        LineError: with the column: no layer of these, or an argument that is missing, unknown or not answered.
    """
    m = START.match(line)
    assert m is not None
    conv = re.fullmatch(r"(Lazy)?Conv(Transpose)?([123])d", m["kind"])
    if (conv and conv[1]) or (not conv and m["kind"] != "Linear"):
        raise LineError(f"{m['kind']} is no layer known here; known: Conv1d to Conv3d, ConvTranspose1d to "
                        "ConvTranspose3d, Linear", line, m.start("kind"))
    order = LINEAR if conv is None else CONV_TRANSPOSE if conv[2] else CONV
    found = Reader(line, m.end()).arguments(order)
    for name in order[:2 if conv is None else 3]:
        if name not in found:
            raise LineError(f"{name} is missing", line, len(line))
    if not isinstance(found.setdefault("bias", Value(True, 0)).value, bool):
        raise LineError("bias is True or False", line, found["bias"].at)
    made = _spatial(found, line, int(conv[3])) if conv else found
    read = {NAMES.get(n, n): v.value for n, v in made.items()}
    return {**read, "transposed": True} if conv and conv[2] else read


def _spatial(found: dict[str, Value], line: str, rank: int) -> dict[str, Value]:
    """One entry an axis, and what symconv does not answer refused."""
    mode = found.pop("padding_mode", Value("zeros", 0))
    if mode.value != "zeros":
        raise LineError(f"padding_mode {mode.value!r} is not supported: only zeros are padded", line, mode.at)
    padding = found.get("padding", Value(0, 0))
    if isinstance(padding.value, str):
        if padding.value not in ("same", "valid"):
            raise LineError("padding is a number, one an axis, 'same' or 'valid'", line, padding.at)
        stride = found.get("stride", Value(1, 0))
        if padding.value == "same" and set(_each(stride, rank, "stride", line)) != {1}:
            raise LineError("PyTorch has padding='same' for stride 1 only", line, padding.at)
    for name in ("kernel_size", "stride", "padding", "output_padding", "dilation"):
        if name in found and not isinstance(found[name].value, str):
            found[name] = Value(_each(found[name], rank, name, line), found[name].at)
    for name in ("in_channels", "out_channels", "groups"):
        if name in found and (isinstance(found[name].value, bool) or not isinstance(found[name].value, int)):
            raise LineError(f"{name} is a number", line, found[name].at)
    return found


def _each(given: Value, rank: int, name: str, line: str) -> tuple[int, ...]:
    """One number an axis."""
    if isinstance(given.value, bool) or not isinstance(given.value, int | tuple):
        raise LineError(f"{name} is a number, or one an axis", line, given.at)
    entries = given.value if isinstance(given.value, tuple) else (given.value,) * rank
    if len(entries) != rank:
        raise LineError(f"{name} has {len(entries)} entries, the layer has {rank} "
                        f"spatial ax{'es' if rank > 1 else 'is'}", line, given.at)
    return entries
