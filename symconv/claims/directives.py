"""Directives: what a comment or a `given` states in words rather than in a formula."""

from __future__ import annotations

import re
from collections.abc import Callable

from symconv.affine import Affine, equal
from symconv.claims.indexing import Indexing
from symconv.claims.scope import BASE, Scope
from symconv.claims.stars import canonical
from symconv.claims.words import LENGTH_OF, half, key
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import parse

Rule = tuple[re.Pattern[str], Callable[[Scope, re.Match[str]], bool]]
NAME = r"\\?[A-Za-z]\w*(?:_\{?\w+\}?)?(?:\^\{?\(?[\w+-]+\)?\}?)?"
ROLES = re.compile(r"""(input|kernel|filter|weight|bias|output|loss|activation|upstream|stride|pad|dilation|channel|
    group|batch|size|learning|image|signal|gradient|parameter|receptive|number|layer|multipl|length\ of|\bsides\b|
    total)""", re.X)
OPERATORS = {"*": "*", "\\ast": "*", "\\star": "star", "⋆": "star", "\\circledast": "circledast",
             "\\otimes": "otimes", "⊗": "otimes", "∗": "*"}


def bare(name: str) -> str:
    """A name as the reader spells it: `\\delta^{(l)}` is `delta^l`."""
    try:
        statements = parse(name)
    except NotationError:
        statements = ()
    if len(statements) == 1 and isinstance(statements[0].body, n.Name | n.Scripted | n.Call):
        return key(statements[0].body)
    return re.sub(r"[{}\\ ()]", "", name)


def directive(scope: Scope, text: str) -> bool:
    """Take one directive into the scope; False when it is none."""
    words = " ".join(text.strip().rstrip(".").split())
    return any(action(scope, m) for pattern, action in RULES if (m := pattern.fullmatch(words)))


def is_directive(text: str) -> bool:
    """Would it be read as one, without a name and a colon?"""
    words = " ".join(text.strip().rstrip(".").split())
    role = re.fullmatch(rf"{NAME}\s*:\s*([^:]+)", words)
    return any(action is not _role and pattern.fullmatch(words) for pattern, action in RULES) or (
        role is not None and ROLES.search(role[1]) is not None)


def _upstream(scope: Scope, m: re.Match[str]) -> bool:
    scope.upstream[bare(m["name"])] = bare(m["of"])
    scope.losses.add(bare(m["loss"]))
    return True


def _role(scope: Scope, m: re.Match[str]) -> bool:
    name, role = bare(m["name"]), m["role"].strip().lower()
    if re.search(r"\\times|[,=×]", m["name"]):
        return False  # k_h x k_w: no name
    if not ROLES.search(role):
        return _shape(scope, name, role_text=m["role"].strip())
    scope.roles[name] = role
    if (of := LENGTH_OF.fullmatch(m["role"].strip())) is not None:
        scope.extents[of[1]] = (scope.size(name),)
    if re.search("transposed|deconvolution", role):
        scope.operation = "transposed"
    if "loss" in role:
        scope.losses.add(name)
    elif "activation" in role or "pointwise" in role or "function" in role:
        scope.functions.add(name)
    elif ("size" not in role and "padding" in role) or role.startswith("pad"):
        scope.low[name] = 0
    sized = re.search(r"\(([^()]+)\)|of (?:size|length|shape) (.+)$", m["role"])
    if sized and "size" not in role.split("of")[0]:
        _shape(scope, name, (sized[1] or sized[2]).strip())
    return True


def _shape(scope: Scope, name: str, role_text: str) -> bool:
    between = r"\s+(?:x|by)\s+|\s*(?:[×,]|\\times)\s*|(?<=\d)x(?=\d)"
    entries = [e.strip() for e in re.split(between, _unwrapped(role_text.strip()))]
    read = [_size(scope, e) for e in entries]
    if not all(e is not None for e in read):
        return False
    scope.extents[name] = tuple(e for e in read if e is not None)
    return True


def _unwrapped(text: str) -> str:
    """Without brackets around the whole: (n, k), not (n-k+1) x (k)."""
    inner = text[1:-1]
    return inner if text[:1] in "([" and text[-1:] in ")]" and not set(inner) & set("()[]") else text


def _size(scope: Scope, text: str) -> Affine | None:
    """A number, a name, or an expression in such."""
    m = re.fullmatch(rf"(?P<name>{NAME})?\s*(?:(?P<sign>[+-]?)\s*(?P<number>\d+))?", text)
    if m is None or not text:
        return _expression(scope, text)
    total = Affine.of(int(m["number"] or 0) * (-1 if m["sign"] == "-" else 1))
    return total + scope.size(bare(m["name"])) if m["name"] else total


def _expression(scope: Scope, text: str) -> Affine | None:
    """n - k + 1."""
    try:
        statements = parse(text)
        return Indexing(scope, {}).read(statements[0].body) if len(statements) == 1 else None
    except NotationError:
        return None


def _setting(scope: Scope, m: re.Match[str]) -> bool:
    word = m["word"].lower()
    role = {"pad": "padding on each side", "padding": "padding on each side"}.get(word, word)
    name, value = m["name"], m["value"]
    if name:
        scope.roles[bare(name)] = role
        scope.size(bare(name))
        if role.startswith("pad"):
            scope.low[bare(name)] = 0
        if value:
            scope.settings[bare(name)] = int(value)
            scope.facts.append(equal(Affine.of(bare(name)), int(value)))
    elif value:
        scope.settings[word] = int(value)
    if value and role.startswith("pad"):
        scope.padding = int(value)
    if role.startswith("pad"):
        scope.zero = True
    return bool(name or value)


def _zero(scope: Scope, m: re.Match[str]) -> bool:
    scope.zero = True
    return True


def _zero_outside(scope: Scope, m: re.Match[str]) -> bool:
    scope.zeros.add(bare(m["name"]))
    return True


def _range(scope: Scope, m: re.Match[str]) -> bool:
    """x is there from a first to a last place, and counts as zero outside."""
    low, high = _expression(scope, m["low"]), _expression(scope, m["high"])
    if low is None or high is None or not low.is_constant or scope.base not in (None, low.constant):
        return False
    scope.extents[bare(m["name"])] = (high - low + 1,)
    scope.base = low.constant
    scope.settings[BASE] = "said"
    scope.zero = True
    return True


def _base(scope: Scope, m: re.Match[str]) -> bool:
    scope.base = int(m["base"] or m["base2"])
    scope.settings[BASE] = "said"
    return True


def _star(scope: Scope, m: re.Match[str]) -> bool:
    meaning = _meaning(m["meaning"].lower())
    if not meaning or re.fullmatch("[A-Za-z]", m["operator"]):  # N is the number of multiplications
        return False
    if order := re.search("(first|second|last) (?:operand )?slides|kernel (first|second|last)", m["meaning"].lower()):
        value = "first" if "first" in order[0] else "second"
        scope.taken["slides"] = (value, value)
    written = re.fullmatch(r"(.*?)_\{?(?:\\(?:text|mathrm|textrm)\{)?(\w+)\}*", m["operator"])
    sign, label = (written[1], written[2].lower()) if written else (m["operator"], "")
    operator = OPERATORS.get(sign, bare(sign))
    operator = re.sub(r"^(?:text|mathrm|operatorname|texttt)", "", operator)
    scope.stars[canonical(operator) + (f"_{label}" if label else "")] = meaning
    return True


def _meaning(words: str) -> str:
    """cross-correlation, convolution or multiplication, with the mode if one is named; "" for anything else."""
    mode = next((f"{m} " for m in ("full", "valid", "same") if m in words), "")
    if re.search("correlation|(?:not|n't|without|no) (?:being )?(?:flip|mirror)|unflipped|not flipped", words) \
            and not re.search("not (?:a )?(?:cross-?)?correlation", words):
        return f"{mode}cross-correlation"
    if re.search("conv|flipped", words):
        return f"{mode}convolution"
    return "product" if re.search("product|multipl|hadamard", words) else ""


def _impulse(scope: Scope, m: re.Match[str]) -> bool:
    scope.impulses.add(bare(m["name"]))
    return True


def _nothing(scope: Scope, m: re.Match[str]) -> bool:
    """What is taken for granted anyway."""
    return True


def _operation(scope: Scope, m: re.Match[str]) -> bool:
    scope.operation = m["operation"]
    return True


def _bias(scope: Scope, m: re.Match[str]) -> bool:
    scope.bias = not m["no"]
    return True


def _dimensions(scope: Scope, m: re.Match[str]) -> bool:
    scope.dimensions = int(m["dimensions"])
    return True


def _signals(scope: Scope, m: re.Match[str]) -> bool:
    scope.signals = True
    return True


def _parity(scope: Scope, m: re.Match[str]) -> bool:
    name, odd = bare(m["name"]), m["parity"] == "odd"
    scope.parity[name] = odd
    scope.low[half(name)] = 0
    scope.facts.append(equal(scope.size(name), 2 * scope.size(half(name)) + int(odd)))
    return True


RULES: tuple[Rule, ...] = tuple((re.compile(p, re.I if "(?i)" in p else 0), a) for p, a in (
    (rf"(?P<name>{NAME})\s*(?:=|is)\s*d(?P<loss>\\?[A-Za-z]+?)\s*/\s*d(?P<of>{NAME})", _upstream),
    (rf"(?P<name>{NAME}) zero outside (?P<low>[^,]+), ?\\l?dots, ?(?P<high>[^,]+)", _range),
    (rf"(?P<name>{NAME}) zero outside", _zero_outside),
    (r"(?:arrays? (?:are|is) )?zero (?:outside|padding|padded)(?: .*)?", _zero),
    (r"(?:index )?base (?P<base>[01])|indices? from (?P<base2>[01])", _base),
    (r"(?P<word>stride|pad|padding|dilation)\s*(?P<name>[A-Za-z]\w*)?"
     r"(?:(?(name)\s*=|\s*=?)\s*(?P<value>\d+))?", _setting),
    (r"(?P<name>\\?\w+)(?:\[\w+\]|\(\w+\))?\s*(?:is|:)\s*(?:the |a )?(?:unit )?impulse", _impulse),
    (r"[\w, \\]+?(?: are| is)?(?: real,?)?(?: and)? finite", _nothing),
    (r"(?P<operator>\S+) (?:is|means|denotes|=|:) (?P<meaning>[\w\s(),-]+)", _star),
    (rf"(?P<operator>{'|'.join(map(re.escape, OPERATORS))}): (?P<meaning>[\w\s(),-]+)", _star),
    (r"\w+ (?P<operator>\S+) \w+\s*(?:is|means|denotes|:) (?P<meaning>[\w\s(),-]+)", _star),
    (r"(?P<name>\S+) (?:is )?(?P<parity>odd|even)", _parity),
    (r"(?P<operation>transposed|full|valid|same|dense)(?: (?:layer|convolution|padding|(?:cross-)?correlation))?",
     _operation),
    (r"(?P<no>no |without )?(?:a )?bias(?:es)?", _bias),
    (r"(?P<dimensions>[123])-?[dD](?: convolution)?", _dimensions),
    (r"infinite signals?|signals? on Z|finite support", _signals),
    (r"(?P<name>[^:=]+?)\s*:\s*(?P<role>[^:]+)", _role),
))
