"""The statements of a register tile as C with the vector extension of GCC and Clang."""

from __future__ import annotations

from collections.abc import Callable

from symconv.equation import Access
from symconv.schedule.nodes import (
    Accumulator,
    Buffer,
    Fetch,
    Keep,
    MultiplyAdd,
    Node,
    Pointer,
    Row,
    Shift,
    Total,
    Totals,
    Transpose,
)

BYTES = {"float": 4, "double": 8}
Element = Callable[[Access], str]


def vector_type(ctype: str, width: int) -> str:
    """`floats16`; one element is a plain `float`."""
    return f"{ctype}s{width}" if width > 1 else ctype


def vector_typedef(ctype: str, width: int) -> str:
    """Readable from any address an element may have, and through any pointer."""
    return (f"typedef {ctype} {vector_type(ctype, width)} "
            f"__attribute__((vector_size({width * BYTES[ctype]}), aligned({BYTES[ctype]}), may_alias));")


def vector_lines(n: Node, ctype: str, element: Element) -> list[str] | None:
    """The lines of one statement, `element` printing an access; None when it is none of a tile's."""
    if isinstance(n, Pointer):
        return [f"const {ctype} *const {n.name} = &{element(n.access)};"]
    if isinstance(n, Fetch):
        kind = vector_type(ctype, n.width)
        if n.width > 1:
            at = f"{n.pointer} + {n.offset}" if n.offset else n.pointer
            return [f"const {kind} {n.name} = *(const {kind} *)({at});"]
        return [f"const {ctype} {n.name} = {n.pointer}[{n.offset}];"]
    if isinstance(n, Shift):
        return [f"{vector_type(ctype, n.width)} {n.name};", f"{shift_name(n)}(&{n.source}, &{n.name});"]
    if isinstance(n, MultiplyAdd):
        return [f"{n.target} += {' * '.join(n.factors)};"]
    if isinstance(n, Accumulator):
        return _accumulator(n, vector_type(ctype, n.width), BYTES[ctype], element)
    if isinstance(n, Keep):
        return _keep(n, vector_type(ctype, n.width), BYTES[ctype], element)
    if isinstance(n, Total):
        value = f"total{n.width}(&{n.name})" if n.width > 1 else n.name
        start = f"{element(n.start)} + " if n.start else ""
        return [f"{element(n.access)} {'+=' if n.add else '='} {start}{value};"]
    if isinstance(n, Totals):
        return [f"totals{n.width}_of_{n.count}(&{element(n.source)}, &{element(n.target)});"]
    if isinstance(n, Transpose):
        return [f"transpose{n.width}(&{element(n.source)}, {n.source_step}, &{element(n.target)}, {n.target_step});"]
    if isinstance(n, Row):
        return [f"__builtin_memcpy(&{element(n.target)}, &{element(n.source)}, {n.count * BYTES[ctype]});"]
    if isinstance(n, Buffer):
        size = 1
        for extent in n.tensor.extents:
            size *= extent
        return [f"{ctype} {n.tensor.name}[{size}];"]
    return None


def shift_name(n: Shift) -> str:
    """`lanes16_1_14_from_0`: lanes 1 to 14 come from lane 0 on."""
    return f"lanes{n.width}_{n.low}_{n.high - 1}_from_{n.low + n.by}"


def shift_helper(ctype: str, n: Shift) -> str:
    """The static function that moves lanes and puts zeros around them. It takes addresses, as `total_helper` does."""
    kind = vector_type(ctype, n.width)
    lanes = ", ".join(str(k + n.by if n.low <= k < n.high else n.width + k) for k in range(n.width))
    return "\n".join([f"/* lanes {n.low} to {n.high - 1} from lane {n.low + n.by} of v on, the others zero */",
                      f"static inline void {shift_name(n)}(const {kind} *v, {kind} *to)", "{",
                      f"    const {kind} none = {{0}};",
                      "#ifdef __clang__", f"    *to = __builtin_shufflevector(*v, none, {lanes});", "#else",
                      f"    *to = __builtin_shuffle(*v, none, (lanes{n.width}){{{lanes}}});", "#endif", "}"])


def lanes_typedef(ctype: str, width: int) -> str:
    """Which lanes to take, as GCC wants them."""
    integer = {"float": "int", "double": "long long"}[ctype]
    return f"typedef {integer} lanes{width} __attribute__((vector_size({width * BYTES[ctype]})));"


def total_helper(ctype: str, width: int) -> str:
    """The static function that adds up the lanes of a vector, in halves.

    It takes an address: a vector as an argument is passed otherwise wherever the machine has no such registers.
    """
    kind, half = vector_type(ctype, width), vector_type(ctype, width // 2)
    rest = f"total{width // 2}(&sum)" if width > 2 else "sum"
    return (f"static inline {ctype} total{width}(const {kind} *v)\n{{\n    {half} half[2];\n"
            f"    __builtin_memcpy(half, v, sizeof half);\n    const {half} sum = half[0] + half[1];\n"
            f"    return {rest};\n}}")


def totals_helper(ctype: str, width: int, count: int) -> str:
    """The static function that adds up the lanes of several vectors at once.

    In turn for 1, 2, 4... the sums of neighbouring lanes of two vectors share one, until a single one holds all.
    """
    kind = vector_type(ctype, width)
    lines = [*CHOSEN, f"/* element k of `to` is the sum of the k-th of {count} vectors */",
             f"static inline void totals{width}_of_{count}(const {ctype} *from, {ctype} *to)", "{"]
    left = {k: f"v{k}" for k in range(count)}
    lines += [f"    const {kind} v{k} = *(const {kind} *)(from + {k * width});" for k in left]
    bit = 1
    while bit < width:
        low, high = _exchange(width, bit)
        merged = {}
        for k in (k for k in left if not k & bit):
            a, b, name = left[k], left.get(k + bit, left[k]), f"v{bit}_{k}"
            lines += [f"    const {kind} {name} = CHOSEN(lanes{width}, {a}, {b}, {low})",
                      f"        + CHOSEN(lanes{width}, {a}, {b}, {high});"]
            merged[k] = name
        left, bit = merged, 2 * bit
    return "\n".join([*lines, f"    *({kind} *)to = {left[0]};", "}", "#undef CHOSEN"])


CHOSEN = ("#ifdef __clang__", "#define CHOSEN(type, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)", "#else",
          "#define CHOSEN(type, a, b, ...) __builtin_shuffle(a, b, (type){__VA_ARGS__})", "#endif")


def _exchange(width: int, bit: int) -> tuple[str, str]:
    """Which lanes of two vectors go together where one bit of a lane's number is exchanged."""
    low = ", ".join(str(lane if not lane & bit else width + lane - bit) for lane in range(width))
    high = ", ".join(str(lane + bit if not lane & bit else width + lane) for lane in range(width))
    return low, high


def transpose_helper(ctype: str, width: int) -> str:
    """The static function that turns a square of width x width elements in registers.

    In turn for 1, 2, 4... it swaps the lanes whose number has that bit set, of every row without it, with those
    that have it not, of the row so much further down.
    """
    kind = vector_type(ctype, width)
    lines = [*CHOSEN,
             f"static inline void transpose{width}(const {ctype} *from, int from_step, {ctype} *to, int to_step)", "{"]
    lines += [f"    {kind} r0_{k} = *(const {kind} *)(from + {k} * from_step);" for k in range(width)]
    bit, stage = 1, 0
    while bit < width:
        low, high = _exchange(width, bit)
        for k in (k for k in range(width) if not k & bit):
            pair = f"r{stage}_{k}, r{stage}_{k + bit}"
            lines += [f"    {kind} r{stage + 1}_{k} = CHOSEN(lanes{width}, {pair}, {low});",
                      f"    {kind} r{stage + 1}_{k + bit} = CHOSEN(lanes{width}, {pair}, {high});"]
        bit, stage = 2 * bit, stage + 1
    lines += [f"    *({kind} *)(to + {k} * to_step) = r{stage}_{k};" for k in range(width)]
    return "\n".join([*lines, "}", "#undef CHOSEN"])


def _accumulator(n: Accumulator, kind: str, size: int, element: Element) -> list[str]:
    if n.start is None:
        return [f"{kind} {n.name} = {'{0}' if n.width > 1 else '0'};"]
    start = element(n.start)
    if n.width == 1:
        return [f"{kind} {n.name} = {start};"]
    if n.stride == 0:
        return [f"{kind} {n.name} = {start} + ({kind}){{0}};"]
    if n.lanes == n.width:
        return [f"{kind} {n.name} = *(const {kind} *)&{start};"]
    return [f"{kind} {n.name} = {{0}};", f"__builtin_memcpy(&{n.name}, &{start}, {n.lanes * size});"]


def _keep(n: Keep, kind: str, size: int, element: Element) -> list[str]:
    to = element(n.access)
    if n.width == 1:
        return [f"{to} {'+=' if n.add else '='} {n.name};"]
    if n.lanes == n.width:
        return [f"*({kind} *)&{to} {'+=' if n.add else '='} {n.name};"]
    before = [f"{kind} {n.name}_before = {{0}};", f"__builtin_memcpy(&{n.name}_before, &{to}, {n.lanes * size});",
              f"{n.name} += {n.name}_before;"] if n.add else []
    return [*before, f"__builtin_memcpy(&{to}, &{n.name}, {n.lanes * size});"]
