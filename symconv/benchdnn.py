"""A line of oneDNN's benchdnn, `g24ic24oc24ih6oh3kh3sh2ph1`, as the arguments of a convolution.

What a line leaves out follows the rules written beside benchdnn's parser: two samples, one group, stride 1, dilation
counted from 0, output from the input and the padding, padding from the output, and the axes that are left out
altogether like the one that is there: `ih6` alone is 6x6, `id6` alone 6x6x6, `iw6` alone one axis.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from symconv.errors import LineError
from symconv.geometry import Axis

AXES = "dhw"
ENTRIES = ("mb", "ic", "oc", *(f"{what}{a}" for what in "iokspd" for a in AXES), "g")
LEAST = {"p": 0, "d": 0}  # what else may not be zero
DEFAULT = {"s": 1, "d": 0}
MOST_DIGITS = 9
BATCH = 2  # where mb is left out


class Entry(NamedTuple):
    """A number of the line, and where it stands."""

    value: int
    at: int


def is_benchdnn(line: str) -> bool:
    """Does it start like one?"""
    return re.match(rf"_*({'|'.join(ENTRIES)})\d", line) is not None


def read_benchdnn(line: str, transposed: bool = False) -> dict[str, Any]:
    """The arguments of a convolution; without its batch and its padding where the line does not settle them.

    Args:
        transposed: it is a line for `--deconv`.

    Raises:
        LineError: with the column: an entry is unknown, given twice, missing, or contradicts the others.
    """
    entries = _entries(line)
    for name in ("ic", "oc"):
        if name not in entries:
            raise LineError(f"{name} is missing", line, len(line))
    axes = [_axis(entries, a, line, transposed) for a in _letters(entries, line)]
    columns: dict[str, list[Any]] = {"input": [a.input for a in axes], "kernel": [a.kernel for a in axes],
                                     "stride": [a.stride for a in axes], "dilation": [a.dilation for a in axes]}
    if any(n[0] in "po" and n != "oc" for n in entries):
        columns["padding"] = [(a.low, a.high) for a in axes]
    known = {"mb": "batch", "ic": "channels", "oc": "filters", "g": "groups"}
    numbers = {known[n]: e.value for n, e in entries.items() if n in known}
    extra = {"transposed": True, "output_padding": tuple(a.extra for a in axes)} if transposed else {}
    return {**numbers, **{n: tuple(v) for n, v in columns.items()}, **extra}


def _entries(line: str) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    at = 0
    while at < len(line):
        if line[at] in "_ ":
            at += 1
            continue
        if line[at] == "n":  # a name, to the end
            break
        m = re.compile(rf"({'|'.join(ENTRIES)})(\d*)").match(line, at)
        if m is None:
            raise LineError(f"an entry such as ic16 or kh3 is expected here; known: {', '.join(ENTRIES)}", line, at)
        name, digits = m.groups()
        if not 0 < len(digits) <= MOST_DIGITS:
            raise LineError(f"{name} needs a number of at most {MOST_DIGITS} digits", line, m.end(1))
        if name in found:
            raise LineError(f"{name} is given twice", line, at)
        if int(digits) < LEAST.get(name[0] if name[-1] in AXES else "", 1):
            raise LineError(f"{name} must be at least 1", line, m.end(1))
        found[name] = Entry(int(digits), at)
        at = m.end()
    return found


def _letters(entries: Mapping[str, Entry], line: str) -> str:
    """The axis whose entries each axis of the layer takes: `hh` for a square that only says its height."""
    there = "".join(a for a in AXES if any(f"{what}{a}" in entries for what in "iokspd"))
    known = {"d": "ddd", "h": "hh", "w": "w", "hw": "hw", "dh": "dhh", "dhw": "dhw"}
    if there not in known:
        reason = "id and iw are given without ih" if there else "the input is missing: ih6, or iw6 for one axis"
        raise LineError(reason, line, len(line))
    return known[there]


def _axis(entries: Mapping[str, Entry], letter: str, line: str, transposed: bool) -> Axis:
    """The numbers of one axis, the missing ones from those that are there."""
    for what in "ik":
        if what + letter not in entries:
            raise LineError(f"{what}{letter} is missing", line, len(line))

    def number(what: str) -> int:
        entry = entries.get(what + letter)
        return entry.value if entry else DEFAULT[what]

    taken = Axis(number("i"), number("k"), number("s"), number("d") + 1, 0, 0, 0, transposed)
    out, pad = entries.get(f"o{letter}"), entries.get(f"p{letter}")
    if pad is not None:
        taken = taken._replace(low=pad.value, high=pad.value)
    elif out is not None:  # what is left for it, half of it on the low side
        step = (taken.input, out.value) if transposed else (out.value, taken.input)
        total = max(0, (step[0] - 1) * taken.stride - step[1] + taken.span)
        taken = taken._replace(low=total // 2, high=total - total // 2)
    if out is None or out.value == taken.output:
        return taken
    extra = out.value - taken.output
    if transposed and 0 < extra < max(taken.stride, taken.dilation):
        return taken._replace(extra=extra)
    raise LineError(f"o{letter}{out.value} is given, but i{letter}{taken.input}, k{letter}{taken.kernel}, "
                    f"s{letter}{taken.stride}, d{letter}{taken.dilation - 1} and p{letter}{taken.low} make "
                    f"o{letter}{taken.output}{_uneven(taken, out.value, letter)}", line, out.at)


def _uneven(taken: Axis, out: int, letter: str) -> str:
    """benchdnn would pad the high side by what is missing; whoever means that can say it."""
    high = (out - 1) * taken.stride - taken.input + taken.span - taken.low
    if taken.transposed or high <= taken.high:
        return ""
    return f"; for {high} on the high side leave out p{letter} and o{letter} and give --pad {taken.low}:{high}"
