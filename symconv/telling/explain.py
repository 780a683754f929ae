"""What the rules mean, for `symconv explain`."""

from __future__ import annotations

from rich.console import Console

from symconv.claims.codes import CODES, Code
from symconv.telling.printing import STYLES, line


def show_code(code: Code, console: Console, wrap: bool) -> None:
    """One rule with its example."""
    line(console, (code.code, "bold"), (f" {code.name} ", ""), (f"({code.severity})", STYLES[code.severity]))
    line(console, (f"{code.line[0].upper()}{code.line[1:]}.", ""), wrap=wrap)
    line(console)
    line(console, (code.explanation, ""), wrap=wrap)
    line(console)
    for label, shown in (*(("Given", g) for g in code.given), ("Example", code.example), ("Fix", code.fix)):
        if shown:
            line(console, (f"{label + ':':<9}", "bold"), (shown, ""))


def show_codes(console: Console, wrap: bool) -> None:
    """All rules, one a line."""
    for code in CODES:
        line(console, (f"{code.code} ", "bold"), (f"{code.severity:<8}", STYLES[code.severity]), (code.line, ""),
             wrap=wrap)
