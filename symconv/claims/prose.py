"""What the words around formulas say that formulas do not."""

from __future__ import annotations

import re

NEAR = r"[^.;。；]{0,60}"
NOTHING = (r"(?:\b(?:zero|zeros|z\W?[eé]ros?|null|nul|nulle|nuls|cero|ceros|ноль|нул\w*|vanish\w*)\b|"
           r"(?<![\w.])0(?![A-Za-z0-9_.])|零|ゼロ|영(?=으|이|로))")
BEYOND = (r"(?:outside|out[ -]of[ -](?:range|bounds)|beyond|elsewhere|otherwise|hors\b|en dehors|"
          r"au\W{0,2}(?:ß|\\?ss)?\W{0,2}erhalb|\bextended\b|\bprolong\w+|fortgesetzt|fuera|\bвне\b|за пределами|"
          r"범위 밖|범위를 벗어|바깥|밖의|範囲外|外側|范围外|范围之外|之外|越界|边界外|超出)")
OUTSIDE = re.compile(f"{NOTHING}{NEAR}{BEYOND}|{BEYOND}{NEAR}{NOTHING}", re.I)


def zero_outside(prose: str) -> bool:
    """Do the words say that what lies outside an array counts as zero?"""
    return OUTSIDE.search(prose) is not None


WORDY = re.compile(r"(?<=[\s}])(?:with|where|is|are|the|has|have|that)(?=\s)")
IN_WORDS = re.compile(r"\\(?:text|mathrm|mbox|textrm|operatorname)\{[^{}]*\}")


def wordy(formula: str) -> bool:
    """Does prose stand around or in it? Its letters are then no product."""
    return WORDY.search(IN_WORDS.sub("", formula)) is not None


N = r"\$(\\?[A-Za-z]\w*(?:_\{?\w+\}?)?'?)\$"
ELEMENT = r"\$(\\?[A-Za-z]+'?)(?:_\{?\w\}?|\[\w\])"
RUNS = r"\$\\?\{?([^$]+?), ?\\l?dots, ?([^$]+?)\\?\}?\$"
AND = r"(?: ?(?:and|und|et|y|和|与|、|와|과|,) ?"
DIVISION = tuple((re.compile(p, re.I), by, of) for p, by, of in (
    (rf"{N} divides (?:both )?{N}{AND}{N})?", 1, (2, 3)),
    (rf"{N}{AND}{N})? (?:is|are) (?:both )?(?:divisible by|(?:a |integer )?multiples? of) {N}", 3, (1, 2)),
    (rf"{N} ?能?整除 ?{N}{AND}{N})?", 1, (2, 3)),
    (rf"{N}{AND}{N})? ?[都均]?[能可]?被 ?{N} ?整除", 3, (1, 2)),
    (rf"{N} ?{AND}{N} ?)?(?:은|는|이|가|을|를) ?(?:모두 )?{N} ?(?:의 배수|으?로 나누어)", 3, (1, 2)),
))
NAMED = r"[$`](\\?[A-Za-z](?:_\w)?'?)[$`]"
BRIEF = r"[^.;$`。]{0,40}?"
LENGTH = tuple((re.compile(p, re.I), name, size) for p, name, size in (
    (rf"{NAMED}{BRIEF} of length {N}", 1, 2),
    (rf"{NAMED}{BRIEF} with {N} (?:taps|samples|elements|entries|coefficients)\b", 1, 2),
    (rf"{NAMED} ?(?:은|는|이|가) 길이(?:가)? ?{N}", 1, 2),
    (rf"길이(?:가)? ?{N} ?(?:의|인) [^.;,$`]{{0,12}}{NAMED}", 2, 1),
    (rf"{NAMED} ?[是为]?长度为 ?{N}", 1, 2),
    (rf"长度为 ?{N} ?的[^.;$`。,，]{{0,10}}{NAMED}", 2, 1),
))
VANISHING = (
    re.compile(rf"{ELEMENT}\$ (?:is|are|be|=) (?:\w+ )?(?:zero|\$?0\$?)(?: for \$\w\$)? outside {RUNS}", re.I),
    re.compile(rf"{ELEMENT} *= *0\$(?: for \$\w\$)? outside {RUNS}", re.I),
)


def said(prose: str) -> list[str]:
    """What a paragraph says of sizes, as directives say it.

    >>> said("Let $r$ divide $H$; $n$ is a multiple of $s$, and $w_j = 0$ outside $0, \\\\dots, k-1$.")
    ['s divides n', 'w zero outside 0, \\\\dots, k-1']
    """
    words = " ".join(prose.split())
    found = [f"{m[by]} divides {m[at]}" for pattern, by, of in DIVISION for m in pattern.finditer(words)
             for at in of if m[at]]
    found += [f"{m[name]}: {m[size]}" for pattern, name, size in LENGTH for m in pattern.finditer(words)]
    return found + [f"{m[1]} zero outside {m[2]}, \\dots, {m[3]}" for p in VANISHING for m in p.finditer(words)]
