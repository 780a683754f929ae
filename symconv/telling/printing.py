"""Lines on a console: wrapped for people, never for pipes; what they hold is never read as markup."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

STYLES = {"error": "bold red", "warning": "yellow", "note": "cyan"}
Styled = tuple[str, str]


def line(console: Console, *parts: Styled, indent: int = 0, wrap: bool = False) -> None:
    """Print (text, style) parts as one line, or as several of the console's width."""
    text = Text.assemble(*parts)
    for row in text.wrap(console, max(20, console.width - indent)) if wrap else (text,):
        if wrap:
            row.rstrip()
        row.pad_left(indent)
        console.print(row, soft_wrap=True)
