"""Call kernels on arrays that end, then on arrays that start, where memory that nobody may touch begins.

Run as a program: `python guard_pages.py LIBRARY PLAN`, PLAN being JSON: a list of [symbol, sizes in bytes].
A kernel that reads or writes one byte outside dies; one that leaves other bits elsewhere is named.
"""

from __future__ import annotations

import ctypes
import json
import mmap
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE


class Guarded:
    """Memory of so many bytes, with a page on each side that may not be touched."""

    def __init__(self, size: int, at_end: bool) -> None:
        pages = -(-size // PAGE)
        self.map = mmap.mmap(-1, (pages + 2) * PAGE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        for page in (0, pages + 1):
            if LIBC.mprotect(ctypes.c_void_p(self.base + page * PAGE), ctypes.c_size_t(PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")
        self.offset = PAGE + (pages * PAGE - size if at_end else 0)
        self.size = size

    @property
    def address(self) -> int:
        return self.base + self.offset

    def fill(self, data: bytes) -> None:
        self.map[self.offset:self.offset + self.size] = data

    def bytes(self) -> bytes:
        return self.map[self.offset:self.offset + self.size]


def main(library: str, plan: str) -> None:
    kernels = ctypes.CDLL(library)
    for symbol, sizes in json.loads(plan):
        results = []
        for at_end in (True, False):
            held = [Guarded(size, at_end) for size in sizes]
            for number, g in enumerate(held):  # small positive floats, whatever their width
                g.fill((bytes([0, 0, 64 + number, 63]) * (g.size // 4 + 1))[:g.size])
            getattr(kernels, symbol)(*(ctypes.c_void_p(g.address) for g in held))
            results.append([g.bytes() for g in held])
        if [r[:len(sizes) - 1] for r in results[:1]] != [r[:len(sizes) - 1] for r in results[1:]]:
            sys.exit(f"{symbol}: the result depends on where the arrays lie")


if __name__ == "__main__":
    main(*sys.argv[1:])
