"""Print a loop nest as C. Python decides the meaning, templates/c/ the layout."""

from __future__ import annotations

import keyword
import re
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import Any

from symconv.affine import Affine
from symconv.bilinear.story import Story
from symconv.c_routine import CTYPES, Block, CStep, Local, Prepared, Routine, routines, shape_text
from symconv.c_vector import (
    lanes_typedef,
    shift_helper,
    total_helper,
    totals_helper,
    transpose_helper,
    vector_lines,
    vector_typedef,
)
from symconv.derivation import Function
from symconv.equation import Access, Tensor
from symconv.errors import NotSupported
from symconv.schedule.nodes import (
    Accumulator,
    Declare,
    Fetch,
    Guard,
    Keep,
    Label,
    Loop,
    Node,
    Product,
    Scope,
    Shift,
    Store,
    Total,
    Totals,
    Transpose,
)
from symconv.schedule.program import Choice, Program, Step
from symconv.templating import environment

RESERVED = frozenset(
    "auto break case char const continue default do double else enum extern float for goto if inline int long "
    "register restrict return short signed sizeof static struct switch typedef union unsigned void volatile while "
    "alignas alignof bool catch class constexpr decltype delete explicit export false friend mutable namespace new "
    "noexcept nullptr operator private protected public static_assert template this throw true try typeid typename "
    "using virtual wchar_t and or not np asm and_eq bitand bitor compl const_cast dynamic_cast not_eq or_eq "
    "reinterpret_cast static_cast thread_local xor xor_eq char16_t char32_t consteval constinit co_await co_return "
    "co_yield concept requires int8_t int32_t int64_t uint8_t uint32_t ptrdiff_t size_t "
    "sum partial tile totals turned workspace prepared relu sigmoid tanh tanhf exp expf main".split()
) | frozenset(keyword.kwlist)


@dataclass(frozen=True)
class Names:
    """Index and tensor names as C identifiers, no two alike."""

    table: Mapping[str, str]

    @staticmethod
    def of(tensors: list[str], indices: list[str]) -> Names:
        table: dict[str, str] = {}
        used = set(RESERVED) | set(tensors)
        for name in indices:
            plain = "".join(c if c.isalnum() or c == "_" else "_" for c in name)
            while plain in used:
                plain += "_"
            table[name] = plain
            used.add(plain)
        return Names(table)

    def __getitem__(self, name: str) -> str:
        return self.table[name]


@dataclass(frozen=True)
class Note:
    """What a header says of a function: its formula, and what the result is (or '')."""

    formula: str
    meaning: str


@dataclass(frozen=True)
class CFunction:
    """One C function, ready for its template.

    Args:
        routine: the function itself.
        helpers: pointwise functions in use.
        vectors: the vector types in use, and static functions on them.
        products: terms added up.
        facts: what is said of it: its operations first, besides the schedule what else there is to tell.
        prepared: where a part of it can be done beforehand.
    """

    function: Function
    choice: Choice
    routine: Routine
    helpers: tuple[str, ...]
    vectors: tuple[str, ...]
    products: int
    multiplications: int
    facts: tuple[str, ...]
    prepared: Prepared | None = None
    rounded: Rounded | None = None

    @property
    def routines(self) -> tuple[Routine, ...]:
        """In the order they are printed."""
        return ((self.prepared.prepare, self.prepared.rest) if self.prepared else ()) + (self.routine,)


@dataclass(frozen=True)
class Rounded:
    """What to hold a function to whose roundings are not those of the sum it stands for.

    Args:
        bound: of the error of each element, for arrays by their names.
        whole: the same function in double with whole constants: exact for integers, its result `factor` times larger.
        growth: how much larger than the sum of magnitudes anything can get in `whole`.
        note: the bound, in a line.
        story: how the algorithm comes about, for readers.
    """

    bound: Callable[[Mapping[str, Any]], Any]
    whole: CFunction
    factor: int
    growth: int
    note: str
    story: Story | None = None


def nest_function(function: Function, types: Mapping[str, str], made: Program,
                  constant: Collection[str] = ()) -> CFunction:
    """Print the steps of a program as one function.

    Args:
        constant: names of arguments that stay the same from call to call.

    Raises:
        NotSupported: the type cannot hold the result (a fraction or an exponential in integers).
    """
    steps, helpers = printed_steps(function, types, made.steps, made.workspace)
    vectors = vector_helpers([n for s in made.steps for n in s.body], CTYPES[types[function.equation.output.name]])
    local = [Local(t.name, prod(t.extents), shape_text(t.extents)) for t in made.workspace]
    routine, prepared = routines(function, types, steps, local, constant)
    return CFunction(function, made.choice, routine, helpers, vectors, made.products, made.multiplications,
                     (f"{made.multiplications} multiplications, {made.products} additions.",), prepared)


def printed_steps(function: Function, types: Mapping[str, str], steps: Sequence[Step],
                  workspace: Sequence[Tensor]) -> tuple[list[CStep], tuple[str, ...]]:
    """Steps as C, and the pointwise functions they need."""
    output = function.equation.output
    ctype = CTYPES[types[output.name]]
    flat = [m for s in steps for m in _flat(s.body)]
    indices = dict.fromkeys(m.name for m in flat if isinstance(m, Loop))
    indices |= dict.fromkeys(n for m in flat if isinstance(m, Label) for n in sorted(m.place.names))
    arrays = [*(t.name for t in (*function.arguments, output)), *(t.name for t in workspace)]
    local = (*(t.name for t in workspace), "tile", "totals", "turned")
    all_types = {**types, **dict.fromkeys(local, types[output.name])}
    helpers: dict[str, str] = {}
    names, found = Names.of(arrays, list(indices)), []
    for s in steps:
        printer = Printer(names, all_types, ctype, helpers, set())
        body = tuple(b for n in s.body for b in printer.node(n))
        writes = s.writes if body else frozenset[str]()
        found.append(CStep(body, frozenset(printer.read & set(arrays)) - writes, writes))
    return found, tuple(sorted(helpers.values()))


def vector_helpers(nodes: Sequence[Node], ctype: str) -> tuple[str, ...]:
    """The vector types in use, and the functions that turn squares of them."""
    flat = _flat(nodes)
    widths = {n.width for n in flat if isinstance(n, Fetch | Accumulator | Keep | Transpose) and n.width > 1}
    squares = sorted({n.width for n in flat if isinstance(n, Transpose)})
    totals = [2**k for k in range(1, max([0, *(n.width for n in flat if isinstance(n, Total))]).bit_length())]
    shifts = dict.fromkeys(shift_helper(ctype, n) for n in flat if isinstance(n, Shift))
    moved = sorted({n.width for n in flat if isinstance(n, Shift | Totals | Transpose)})
    several = sorted({(n.width, n.count) for n in flat if isinstance(n, Totals)})
    return (*(vector_typedef(ctype, w) for w in sorted(widths.union(totals))),
            *(lanes_typedef(ctype, w) for w in moved), *(total_helper(ctype, w) for w in totals),
            *(totals_helper(ctype, w, n) for w, n in several), *(transpose_helper(ctype, w) for w in squares), *shifts)


def _flat(nodes: Sequence[Node]) -> list[Node]:
    """All nodes, at any depth."""
    return [m for n in nodes for m in (n, *(_flat(n.body) if isinstance(n, Loop | Guard | Scope) else ()))]


@dataclass(frozen=True)
class Printer:
    """Nodes to C text. `helpers` collects the pointwise functions used, `read` the tensors read."""

    names: Names
    types: Mapping[str, str]
    result: str
    helpers: dict[str, str]
    read: set[str]

    def node(self, n: Node, lane: str = "") -> list[Block]:
        if isinstance(n, Loop):
            return [self._loop(n)]
        if isinstance(n, Guard):
            test = " && ".join(f"{self.affine(c.expression)} >= 0" for c in n.conditions)
            return [Block((), f"if ({test}) {{", tuple(b for m in n.body for b in self.node(m)))]
        if isinstance(n, Scope):
            return [Block((), "{", tuple(b for m in n.body for b in self.node(m)))]
        if isinstance(n, Declare):
            return [Block((f"{self.result} {n.name}[{n.extent}] = {{0}};" if n.extent else
                           f"{self.result} {n.name} = {self.product(n.value) if n.value else self.zero};",), "")]
        if isinstance(n, Label):
            return [Block((f"/* {self.place(n.place)} */",), "")]
        if (lines := vector_lines(n, self.result, self.seen)) is not None:
            return [Block(tuple(lines), "")]
        assert isinstance(n, Store)
        target = n.target if isinstance(n.target, str) else self.element(n.target)
        value = n.value if isinstance(n.value, str) else self.product(n.value)
        target, value = (f"{t}[{lane}]" if t == "partial" else t for t in (target, value))
        if self.result == "int8_t":  # C computes in int, and what is stored says so
            return [Block((f"{target} = (int8_t)({f'{target} + ' if n.add else ''}{value});",), "")]
        return [Block((f"{target} {'+=' if n.add else '='} {value};",), "")]

    def _loop(self, n: Loop) -> Block:
        name = self.names[n.name]
        setup: list[str] = []
        low, high = (self._edge(f"{name}_{what}", self._bound(bounds, better), len(bounds) > 1, setup)
                     for what, bounds, better in (("first", n.low, ">"), ("end", n.high, "<")))
        body = tuple(b for m in n.body for b in self.node(m, name))
        return Block(tuple(setup), f"for (int {name} = {low}; {name} < {high}; ++{name}) {{", body)

    def _edge(self, name: str, value: str, hoist: bool, setup: list[str]) -> str:
        """The bound itself, or the name of a constant before the loop that holds it."""
        if not hoist:
            return value
        setup.append(f"const int {name} = {value};")
        return name

    def _bound(self, bounds: tuple[Affine, ...], better: str) -> str:
        """The largest (better is '>') or smallest of the bounds, as nested conditionals."""
        first, *rest = sorted(bounds, key=lambda e: e.is_constant)
        if not rest:
            return self.affine(first)
        other = self._bound(tuple(rest), better)
        if len(rest) > 1:
            other = f"({other})"
        return f"{self.affine(first)} {better} {other} ? {self.affine(first)} : {other}"

    @property
    def zero(self) -> str:
        return {"float": "0.0f", "double": "0.0"}.get(self.result, "0")

    def affine(self, e: Affine) -> str:
        text = ""
        plus = [t for t in e if t[0] and t[1] > 0]
        minus, constant = [t for t in e if t[0] and t[1] < 0], [t for t in e if not t[0]]
        for m, c in plus + minus + constant if plus or e.constant <= 0 else constant + minus:
            size = str(abs(c)) if not m else self.names[m[0]] if abs(c) == 1 else f"{abs(c)}*{self.names[m[0]]}"
            text += (f" {'-' if c < 0 else '+'} " if text else "-" * (c < 0)) + size
        return text or "0"

    def element(self, a: Access) -> str:
        """Row-major, in Horner form: x[(c*28 + i + p)*28 + j + q]."""
        text = ""
        for e, n in zip(a.indices, a.tensor.extents, strict=True):
            own = self.affine(e)
            if text in ("", "0"):
                text = own
                continue
            scaled = text if n == 1 else f"({text})*{n}" if " " in text else f"{text}*{n}"
            text = scaled if own == "0" else scaled + (f" - {own[1:]}" if own.startswith("-") else f" + {own}")
        return self._apply(a, f"{a.tensor.name}[{text or '0'}]")

    def seen(self, a: Access) -> str:
        """An element, remembered as read."""
        self.read.add(a.tensor.name)
        return self.element(a)

    def place(self, a: Access) -> str:
        return f"{a.tensor.name}{''.join(f'[{self.affine(e)}]' for e in a.indices)}"

    def _apply(self, a: Access, element: str) -> str:
        if not a.function:
            return element
        name, text = pointwise_helper(a.function, CTYPES[self.types[a.tensor.name]])
        self.helpers[name] = text
        return f"{name}({element})"

    def product(self, p: Product) -> str:
        if not p.factors:
            return self.zero if p.coefficient == 0 else self.number(p.coefficient)  # type: ignore[arg-type]
        factors = [self.element(f) for f in p.factors]
        self.read.update(f.tensor.name for f in p.factors)
        if self.result == "int32_t" and any(CTYPES[self.types[f.tensor.name]] != self.result for f in p.factors):
            factors[0] = f"({self.result}){factors[0]}"
        text = " * ".join(factors)
        if p.coefficient == 1:
            return text
        return f"-{text}" if p.coefficient == -1 else f"{self.number(p.coefficient)} * {text}"  # type: ignore[arg-type]

    def number(self, value: Fraction) -> str:
        if self.result.startswith("int"):
            if value.denominator != 1:
                raise NotSupported(f"the coefficient {value} is no integer; use a floating-point dtype")
            return str(value.numerator)
        suffix = "f" if self.result == "float" else ""
        text = f"{value.numerator}.0{suffix}"
        return text if value.denominator == 1 else f"({text} / {value.denominator}.0{suffix})"


POINTWISE_C = {
    "relu": "v > 0 ? v : 0",
    "relu'": "v > 0 ? 1 : 0",
    "sigmoid": "1 / (1 + exp{f}(-v))",
    "sigmoid'": "sigmoid(v) * (1 - sigmoid(v))",
    "tanh": "tanh{f}(v)",
    "tanh'": "1 - tanh{f}(v) * tanh{f}(v)",
}


def pointwise_helper(function: str, ctype: str) -> tuple[str, str]:
    """The C name of a pointwise function and the static function that computes it."""
    base, slope = function.rstrip("'"), function.endswith("'")
    if function not in POINTWISE_C:
        raise NotSupported(f"{base} is a name without a rule; a kernel needs relu, sigmoid or tanh")
    if ctype.startswith("int") and base != "relu":
        raise NotSupported(f"{base} has no integer kernel; use float32 or float64")
    name = f"{base}_slope" if slope else {"tanh": "hyperbolic_tangent"}.get(base, base)
    f = "f" if ctype == "float" else ""
    body = POINTWISE_C[function].replace("{f}", f)
    text = f"static inline {ctype} {name}({ctype} v) {{ return {body}; }}"
    if "sigmoid(" in body:
        text = f"{pointwise_helper('sigmoid', ctype)[1]}\n{text}"
    return name, text


def render(stem: str, functions: Sequence[CFunction], types: Mapping[str, str], title: str,
           stamp: Sequence[str], notes: Mapping[str, Note], digests: Mapping[str, int] | None = None) -> dict[str, str]:
    """The .h and .c file of one layer; `notes` holds what to say about each function, `digests` what its output in
    the self-test has."""
    tensors = {t.name: t for c in functions for t in (*c.function.arguments, c.function.equation.output)}
    helpers = list(dict.fromkeys(line for c in functions for h in c.helpers for line in h.splitlines()))
    vectors = sorted(dict.fromkeys(line for c in functions for line in c.vectors),
                     key=lambda line: not line.startswith("typedef"))  # types, then what uses them
    width = max(map(len, tensors))
    values = {"stem": stem, "title": safe(title), "stamp": list(map(safe, stamp)),
              "functions": [_view(c, notes[c.function.name], (digests or {}).get(c.function.name)) for c in functions],
              "guard": f"SYMCONV_{stem.upper()}_H", "helpers": helpers, "vectors": vectors,
              "offsets": any("ptrdiff_t" in v for v in vectors),
              "math": any("exp" in h or "tanh" in h for h in helpers),
              "integers": any(t.startswith("int") for t in types.values()),
              "shapes": [(n.ljust(width), shape_text(t.array_shape)) for n, t in tensors.items()]}
    return {f"{stem}.{kind}": environment().get_template(f"c/kernel.{kind}.j2").render(values) for kind in "hc"}


def _view(c: CFunction, note: Note, digest: int | None) -> dict[str, object]:
    """A function as its template sees it."""
    f = c.function
    facts = [f"This is the {note.meaning}."] if note.meaning else []
    if f.proof is not None:
        facts.append("Proved for all sizes: the transpose of the forward equation." if f.proof.proved else
                     f"Not proved in general ({f.proof.reason}); validated for these sizes.")
    count, *story = c.facts
    facts += [count, *([f"Schedule {c.choice!r}."] if c.vectors else []), *story]
    return {"name": f.name, "formula": comment(note.formula), "facts": [line for t in facts for line in comment(t)],
            "routines": c.routines, "bound": comment(c.rounded.note) if c.rounded else [],
            "prepared": c.prepared, "kept": _kept(c.prepared) if c.prepared else "",
            "digest": None if digest is None else f"0x{digest:08x}u"}


def _kept(p: Prepared) -> str:
    """What is prepared, in words."""
    return " and ".join(p.prepare.arguments[:-1])


def safe(text: str) -> str:
    """Text that can neither end a C comment nor continue a line."""
    return re.sub(r"\\(?=\s|$)", "/", text.replace("*/", "* /").replace("/*", "/ *"))


def comment(text: str) -> list[str]:
    """Safe text wrapped for a comment."""
    return textwrap.wrap(safe(text), 104, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)
