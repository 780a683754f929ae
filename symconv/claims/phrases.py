"""What people write beside formulas to say what holds, in the words that directives know."""

from __future__ import annotations

import re
from collections.abc import Callable

from symconv.claims.directives import is_directive

N = r"\\?[A-Za-z]\w*(?:_\{[^{}]*\}|_\w+)?'*"
A = rf"{N}(?:\^\{{?\(?[\w+-]+\)?\}}?)?"  # with the label of a layer
NAMES = rf"{A}(?:, {A})*(?:,? and {A})?"
SEVERAL = rf"{A}(?:, {A})*(?:,? and |, ){A}"
BY = r"\s*(?:x|×|by|\\times)\s*"
RELATED = r"[^,;]*(?:<=|>=|<|>|=|\\le|\\ge|\\mid|divides)[^,;]*"
Rewriting = Callable[[re.Match[str]], list[str] | None]  # None: it says something else


def simpler(text: str) -> list[str]:
    """The same in directives and formulas that are known, or the text itself. What stands between commas is read
    for itself where all of it can be.

    >>> simpler("K filters of size F x F")
    ['K: number of filters', 'F: kernel size']
    >>> simpler("g divides C and O")
    ['g \\\\mid C', 'g \\\\mid O']
    """
    words = " ".join(text.strip().rstrip(".").split())
    if (found := _said(words)) is not None:
        return found
    parts = _clauses(words)
    if len(parts) > 1 and all(_said(p) is not None or is_directive(p) or (p is parts[0] and "=" in p) for p in parts):
        return [s for p in parts for s in simpler(p)]
    return [text]


def _said(words: str) -> list[str] | None:
    """What one of the phrases comes to."""
    for pattern, said in PHRASES:
        if (m := pattern.fullmatch(words)) is not None and (found := said(m)) is not None:
            return [s for part in found for s in simpler(part)]
    return None


def _clauses(words: str) -> list[str]:
    """Between commas; names alone belong to what follows them: f, g real."""
    found: list[str] = []
    names = ""
    for part in words.split(", "):
        names = f"{names}, {part}" if names else part
        if not re.fullmatch(A, part):
            found, names = [*found, names], ""
    return [*found, names] if names else found


def _each(template: str) -> Callable[[re.Match[str]], list[str]]:
    """The same of several names; other groups of the pattern by their own names."""
    def said(m: re.Match[str]) -> list[str]:
        groups = {k: v or "" for k, v in m.groupdict().items()}
        return [template.format(name=name, **groups) for name in re.split(r",? and |, ", m["of"])]

    return said


def _long(m: re.Match[str]) -> list[str]:
    return [*_each("{name}: {is}")(m), *([f"base {m['low']}"] if m["low"] else [])]


def _kernel(m: re.Match[str]) -> list[str]:
    if m["high"] == m["wide"]:
        return [f"{m['high']}: kernel size"]
    return [f"{m['high']}: kernel height", f"{m['wide']}: kernel width"]


def _divides(m: re.Match[str]) -> list[str]:
    return [f"{m['by']} \\mid {of}" for of in re.split(r", | and ", m["of"])]


def _filters(m: re.Match[str]) -> list[str]:
    return [f"{m['count']}: number of filters", *(f"{size}: kernel size" for size in dict.fromkeys(
        re.split(r"\s*(?:x|×|\\times)\s*", m["size"])) if not size.isdigit())]


def _layers(m: re.Match[str]) -> list[str]:
    return [f"{m['name']}: {m['kind']} of layer {m['name'].rpartition('_')[2].strip('{}')}"]


def _count(m: re.Match[str]) -> list[str] | None:
    """The number of parameters of a layer that is described: its description as directives of their own."""
    rest, said = m["rest"], []
    for pattern, directives in PARTS:
        for part in re.finditer(pattern, rest, re.I):
            said += [d.format(*part.groups()) for d in directives]
        rest = re.sub(pattern, " ", rest, flags=re.I)
    unknown = set(re.findall(r"[^\W\d_]+|\S", rest.lower())) - PLAIN
    return None if unknown else [f"{m['name']}: number of {m['what']}", *said]


PARTS = (
    (rf"({N}){BY}({N}) (?:kernels?|filters?)", ("{0}: kernel height", "{1}: kernel width")),
    (rf"(?:kernels?|filters?)(?: of size)? ({N}){BY}({N})", ("{0}: kernel height", "{1}: kernel width")),
    (rf"({N}) groups", ("{0}: groups",)), (r"([123])-?D\b", ("{0}-D",)),
    (rf"({N}) (?:input channels|inputs)", ("{0}: input channels",)),
    (rf"({N}) (?:output channels|outputs|filters)", ("{0}: output channels",)),
    (r"\b(?:no|without(?: a)?) bias(?:es)?", ("no bias",)), (r"\bbias(?:es)?\b", ("bias",)),
    (r"\b(?:linear|fully[- ]connected|dense)\b", ("dense layer",)),
)
PLAIN = frozenset("""of a an the layer convolution convolutional conv with and in per output channel unit neuron for
    each weights parameters plus one all together groups kernel filter , ( )""".split())


def _valued(m: re.Match[str]) -> list[str]:
    role = m["role"]
    return [f"{role} {m['name']} = {m['value']}"] if role in ("stride", "dilation") else \
        [f"{m['name']}: {role}", f"{m['name']} = {m['value']}"]


GENERIC = (r"(?:,? (?:an?|and|arbitrary|any|generic|random|real|real-valued|complex|smooth|rapidly decreasing|finite|"
           r"nonzero|non-zero|not identically zero|differentiable|continuous|(?:absolutely )?integrable|sequences?|"
           r"signals?|functions?|arrays?|vectors?|integers?|numbers?))")
HARMLESS = (rf"{NAMES} \\in \\mathbb\{{Z\}}(?:\^\w)?|"
            rf"{NAMES} \\in (?:C|L|S|H|W|\\mathcal\{{[CLSD]\}}|\\mathscr\{{[SD]\}})[^()]*\(\\mathbb\{{R\}}(?:\^\w)?\)|"
            rf"{NAMES} \\in \\mathbb\{{R\}}|"
            rf"{NAMES} (?:acts?|(?:is|are) (?:applied|taken)) element-?wise|valid positions only(?: in .*)?|"
            rf"sums? (?:(?:run|runs|are|is|go|goes) )?(?:taken )?over all (?:valid )?(?:indices|positions)|"
            rf"(?:no output padding|output padding =? ?0)|(?:a single|one) (?:training )?example|"
            rf"{N} is (?:the|a) (?:batch|time|layer|channel|spatial|output|hidden) ?(?:index|layer|step)?|"
            rf"{A}: (?:impulse|step|frequency) response(?: \(.*\))?|{A} \\neq? 0|generic|"
            r"no dilation|sums over .* run over all .*|gradients are column vectors|the claim is for all .*|"
            r"the (?:dilated )?kernel fits .*|\w \\in \\mathbb\{Z\}|"
            r"(?:.* (?:has|have) |there are )?at least \w+ \w+(?: channels?| layers?)?|"
            r"(?:the|each|every) \w+ (?:is|has) (?:larger|more) than .*|(?:max|average) pooling(?:, .*)?|"
            r".*rot.* (?:turns|rotates) .* by 180 degrees|each output channel sees .* input channels")

PHRASES: tuple[tuple[re.Pattern[str], Rewriting], ...] = tuple((re.compile(p), f) for p, f in (
    (rf"(?P<name>{A}): (?:the |total )?number of (?:learnable |trainable )?"
     r"(?P<what>parameters|weights|multiplications|MACs)(?P<rest>(?: |, ).+)", _count),
    (rf"(?P<by>{N}) divides (?P<of>{N}(?:(?:, | and ){N})*)", _divides),
    (rf"(?P<count>{N}) (?:filters|kernels) of size (?P<size>\w+(?:\s*(?:x|×|\\times)\s*\w+)*)", _filters),
    (rf"(?P<high>{N}){BY}(?P<wide>{N}) (?:kernels?|filters?)", _kernel),
    (rf"(?:kernels?|filters?)(?: of size| size)? (?P<high>{N}){BY}(?P<wide>{N})", _kernel),
    (rf"(?P<high>{N}){BY}(?P<wide>{N}): (?:kernel|filter) size", _kernel),
    (rf"(?P<of>{NAMES}) of (?:size|shape) (?P<is>[^\s,;]+(?:{BY}[^\s,;]+)+|\([^()]+\))", _each("{name}: {is}")),
    (rf"(?P<high>{N}), (?P<wide>{N}): (?P<of>[a-z ]*?)height and width",
     lambda m: [f"{m['high']}: {m['of']}height", f"{m['wide']}: {m['of']}width"]),
    (r"(?:every|each) layer: (?P<rest>.+)", lambda m: [m["rest"]]),
    (rf"(?P<rest>(?:kernel size|stride|dilation) {N}) in (?:every|each) layer", lambda m: [m["rest"]]),
    (rf"layers? \w = 1, ?\\l?dots, ?(?P<count>{N})(?: with (?P<rest>.+))?",
     lambda m: [f"{m['count']}: number of layers", *([m["rest"]] if m["rest"] else [])]),
    (rf"(?P<first>(?:kernel size|stride|dilation) {N}) and (?P<rest>(?:kernel size|stride|dilation) {N})",
     lambda m: [m["first"], m["rest"]]),
    (r"(?P<kind>kernel size|stride|dilation) (?P<name>\w_\{?l\}?)", _layers),
    (r"(?P<kind>kernel size|stride|dilation) (?P<name>\w_\{?l\}?) ?= ?(?P<is>.+)",
     lambda m: [*_layers(m), f"{m['name']} = {m['is']}"]),
    (rf"(?P<name>{N})(?:\[n\])?(?:: | is )(?:the )?unit step.*",
     lambda m: [rf"{m['name']}[n] = \begin{{cases}} 1 & n \ge 0 \\ 0 & n < 0 \end{{cases}}"]),
    (rf"(?P<name>{N})(?:\[\w\]|_\w) *= *0 for \w *< *(?P<low>[^\s,]+) (?:and|or) (?:for )?\w *(?:\\geq?|>=) *"
     r"(?P<high>.+)", lambda m: [f"{m['name']} zero outside {m['low']}, \\dots, {m['high']}-1"]),
    (rf"{NAMES} ?: ?\\mathbb\{{Z\}}(?:\^\w)? \\to \\mathbb\{{[RC]\}}.*", lambda m: ["finite support"]),
    (rf"(?P<of>{NAMES}):?(?: (?:is|are))?{GENERIC}+ on \w = (?P<low>\d)(?:, \d)*, (?P<high>\d)",
     _each(r"{name} zero outside {low}, \dots, {high}")),
    (rf"(?P<of>{NAMES}) ?= ?(?P<low>\d+)(?:, ?\d+)*, ?(?P<high>\d+)",
     _each(r"{name} = {low}, \dots, {high}")),
    (rf"(?P<of>{NAMES}) (?:has|have) (?:length|size|shape) (?P<is>[^,;]+?)"
     r"(?:,? (?:with )?(?:indices|indexed)(?: from)? (?P<low>[01])(?: to | through |\.\.)[^,;]+)?", _long),
    (rf"(?P<of>{NAMES}) (?:has|have) (?P<is>\S+) (?:taps|samples|elements|entries|coefficients)",
     _each("{name}: {is}")),
    (rf"(?P<of>{NAMES}) (?:is|are)(?: an?)? (?P<is>[^\s,;]+(?:{BY}[^\s,;]+)+)"
     r"(?: (?:array|image|input|kernel|matrix)e?s?)?", _each("{name}: {is}")),
    (rf"(?P<name>{A}): (?P<role>[a-z ]+?),? (?P<is>[^\s,;]+(?:{BY}[^\s,;]+)+)",
     lambda m: [f"{m['name']}: {m['role']}", f"{m['name']}: {m['is']}"]),
    (rf"(?P<of>{NAMES}) (?:is|are|be) (?:taken (?:as|to be) )?(?:zero|0) outside(?: .*)?",
     _each("{name} zero outside")),
    (rf"(?P<of>{NAMES}) (?:has|have) support (?P<low>[^,.]+?)(?:\.\.+| to )(?P<high>[^,.]+)",
     _each(r"{name} zero outside {low}, \dots, {high}")),
    (r"zero outside, for .+ too", lambda m: ["zero outside"]),
    (rf"grouped convolution with (?P<name>{N}) groups", lambda m: [f"{m['name']}: groups"]),
    (rf"(?P<of>{SEVERAL}) (?P<is>(?:\\geq?|\\leq?|>=?|<=?) [^,;]+)", _each("{name} {is}")),
    (rf"(?P<low>[^,;]+) (?P<first>\\leq?|<=?) (?P<of>{SEVERAL}) (?P<is>(?:\\leq?|<=?) [^,;]+)",
     _each("{low} {first} {name} {is}")),
    (r"sums? (?:(?:run|runs|are|is|go|goes) )?(?:taken )?over (?:all|every) (?:the )?integers",
     lambda m: ["signals on Z"]),
    (r"(?:transposed|full|valid|same) convolution in [1-3]-[dD]", lambda m: m[0].split(" in ")),
    (rf"(?P<of>{NAMES}) (?:has|have|with) (?:a )?finite support", lambda m: ["finite support"]),
    (rf"(?P<of>{NAMES}):?(?: (?:is|are))?{GENERIC}+,? (?:on Z|on the integers|(?:of|with) finite support)"
     r"(?: on the integers)?(?:,.*)?", lambda m: ["finite support"]),
    (rf"(?P<of>{NAMES}):?(?: (?:is|are))?{GENERIC}+(?: on R| with compact support)*|{HARMLESS}", lambda m: []),
    (rf"(?P<name>{N})(?:\[\w\]|_\w) *= *0 *\\text\{{ ?(?:unless|except(?: for| where)?|outside) ?\}} *"
     r"(?P<low>[^,<]+?) \\leq? \w \\leq? (?P<high>[^,]+)",
     lambda m: [f"{m['name']} zero outside {m['low']}, \\dots, {m['high']}"]),
    (rf"(?P<name>{N}) (?:is|denotes|=) (?:a |the )?(?P<function>(?:logistic )?sigmoid|logistic|tanh|ReLU)(?: function)?"
     r"(?:,? (?:applied )?element-?wise)?", lambda m: [f"{m['name']}: {m['function']} function"]),
    (rf"kernel (?:size )?(?P<name>{N})", lambda m: [f"{m['name']}: kernel size"]),
    (rf"input depth (?P<name>{N})(?: > \d+)?", lambda m: [f"{m['name']}: input channels"]),
    (rf"(?P<name>{N}) groups", lambda m: [f"{m['name']}: groups"]),
    (rf"(?P<name>{N}) layers", lambda m: [f"{m['name']}: number of layers"]),
    (rf"(?P<kind>kernel size|stride|dilation)s (?P<name>{N})", _layers),
    (r"(?:one|a) bias (?:per|for each|for every) (?:filter|output|output channel|channel|unit)", lambda m: ["bias"]),
    (rf"(?P<name>{N}) ?= ?(?P<value>\d+): (?P<role>[a-z ]+)", _valued),
    (r"no padding|(?:symbols|notation|names) as in .*|holds for (?:all|every|any) .*|.* integrable", lambda m: []),
    (r"indices (?:over|on|run over) all integers", lambda m: ["signals on Z"]),
    (rf"(?P<first>[^,:]+:[^,:=<>\\]+), (?P<rest>{RELATED})", lambda m: [m["first"], m["rest"]]),
    (rf"(?P<first>{N} (?:groups|layers)|kernel sizes {N}), (?P<rest>.+)", lambda m: [m["first"], m["rest"]]),
))
