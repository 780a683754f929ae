"""The sizes of the sections of an ELF object, read as the format says: no tool is called."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

ALLOCATED, NO_BITS = 0x2, 8  # SHF_ALLOC, SHT_NOBITS


class Section(NamedTuple):
    name: str
    size: int
    loaded: bool
    executable: bool


def sections(data: bytes) -> tuple[Section, ...]:
    """Every section of an object file, 32 or 64 bits, of either byte order; none where it is no ELF file."""
    if data[:4] != b"\x7fELF" or len(data) < 64:
        return ()
    return tuple(_sections(data))


def _sections(data: bytes) -> Iterator[Section]:
    wide, order = data[4] == 2, "<" if data[5] == 1 else ">"
    start, = struct.unpack_from(order + ("Q" if wide else "I"), data, 0x28 if wide else 0x20)
    each, count, names_at = struct.unpack_from(order + "HHH", data, 0x3A if wide else 0x2E)
    layout = order + ("IIQQQQ" if wide else "IIIIII")
    rows = [struct.unpack_from(layout, data, start + k * each) for k in range(count)]
    names = rows[names_at][4]
    for name, kind, flags, _, _, size in rows:
        text = data[names + name:data.index(b"\0", names + name)].decode("ascii", "replace")
        yield Section(text, size, bool(flags & ALLOCATED) and kind != NO_BITS, bool(flags & 0x4))
