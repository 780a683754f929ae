"""Text from documents made safe to show.

A formula may hold escape sequences, direction overrides or line breaks. Every such character is shown as one
visible character, so that nothing is executed and columns keep their places.
"""

from __future__ import annotations

import unicodedata

from rich.cells import cell_len

# Control, format, surrogate, line and paragraph separator. Joiners stay: they are part of words and emoji.
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
JOINERS = frozenset("\u200c\u200d")


def plain(text: str) -> str:
    """One line of the same length without a character that a terminal or a log would act on."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(c: str) -> str:
    if c in "\t\n\r":
        return " "
    if unicodedata.category(c) not in HIDDEN or c in JOINERS:
        return c
    code = ord(c)
    return chr(0x2400 + code) if code < 0x20 else "\u2421" if code == 0x7F else "\ufffd"  # control pictures


def joined(text: str) -> str:
    """A formula of several lines on one line."""
    return " ".join(plain(text).split())


def shortened(text: str, cells: int) -> str:
    """Safe text of at most so many cells, with an ellipsis where something is left out."""
    line = joined(text)
    return line if cell_len(line) <= cells else line[:reach(line, 0, cells - 1)] + "…" if cells > 0 else ""


def reach(line: str, start: int, cells: int) -> int:
    """Where the characters from `start` that fit in so many cells end."""
    while start < len(line) and (cells := cells - cell_len(line[start])) >= 0:
        start += 1
    return start
