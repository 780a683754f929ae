"""The statements of a register tile as C with the vector extension of GCC and Clang."""

from __future__ import annotations

from collections.abc import Callable

from symconv.equation import Access
from symconv.schedule.nodes import Accumulator, Buffer, Fetch, Keep, MultiplyAdd, Node, Pointer

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
    if isinstance(n, MultiplyAdd):
        return [f"{n.target} += {' * '.join(n.factors)};"]
    if isinstance(n, Accumulator):
        return _accumulator(n, vector_type(ctype, n.width), BYTES[ctype], element)
    if isinstance(n, Keep):
        return _keep(n, vector_type(ctype, n.width), BYTES[ctype], element)
    if isinstance(n, Buffer):
        size = 1
        for extent in n.tensor.extents:
            size *= extent
        return [f"{ctype} {n.tensor.name}[{size}];"]
    return None


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
