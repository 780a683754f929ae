"""What the words around formulas say that formulas do not."""

from __future__ import annotations

import re

NEAR = r"[^.;。；]{0,60}"
NOTHING = (r"(?:\b(?:zero|zeros|z\W?[eé]ros?|null|nul|nulle|nuls|cero|ceros|ноль|нул\w*|vanish\w*)\b|"
           r"(?<![\w.])0(?![\w.])|零|ゼロ|영(?=으|이|로))")
BEYOND = (r"(?:outside|out[ -]of[ -](?:range|bounds)|beyond|elsewhere|hors\b|en dehors|"
          r"au\W{0,2}(?:ß|\\?ss)?\W{0,2}erhalb|\bextended\b|\bprolong\w+|fortgesetzt|fuera|\bвне\b|за пределами|"
          r"범위 밖|범위를 벗어|바깥|밖의|範囲外|外側|范围外|范围之外|之外|越界|边界外|超出)")
OUTSIDE = re.compile(f"{NOTHING}{NEAR}{BEYOND}|{BEYOND}{NEAR}{NOTHING}", re.I)


def zero_outside(prose: str) -> bool:
    """Do the words say that what lies outside an array counts as zero?"""
    return OUTSIDE.search(prose) is not None
