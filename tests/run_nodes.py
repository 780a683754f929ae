"""Run the nodes of a kernel on numbers, one statement after the other: memory in, memory out. Shares no code with
what reads them back or prints them."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from symconv.equation import Access, Tensor
from symconv.schedule import nodes

Memory = dict[str, list[int | None]]  # None: nobody has written there
Frame = dict[str, object]


class Outside(Exception):
    """An element that no array has, or that nobody has written to."""


def run(bodies: Sequence[Sequence[nodes.Node]], memory: Memory, workspace: Sequence[Tensor]) -> None:
    """Every step in turn; what they write is in `memory` afterwards."""
    memory |= {t.name: [None] * prod(t.extents) for t in workspace}
    for body in bodies:
        _body(body, memory, {}, {}, "")


def place(a: Access, at: dict[str, int]) -> int:
    total = 0
    for e, n in zip(a.indices, a.tensor.extents, strict=True):
        total = total * n + e.evaluate(at)
    return total


def get(memory: Memory, name: str, at: int) -> int | None:
    if not 0 <= at < len(memory[name]):
        raise Outside(f"{name}[{at}]")
    return memory[name][at]


def put(memory: Memory, name: str, at: int, value: int | None, add: bool = False) -> None:
    before = get(memory, name, at)
    memory[name][at] = before + value if add else value  # type: ignore[operator]


def _body(body: Sequence[nodes.Node], memory: Memory, at: dict[str, int], local: Frame, lane: str) -> None:
    for n in body:
        if isinstance(n, nodes.Loop):
            for v in range(max(e.evaluate(at) for e in n.low), min(e.evaluate(at) for e in n.high)):
                _body(n.body, memory, {**at, n.name: v}, _Below(local), n.name)
        elif isinstance(n, nodes.Guard):
            if all(c.holds(at) for c in n.conditions):
                _body(n.body, memory, at, _Below(local), lane)
        elif isinstance(n, nodes.Scope):
            _body(n.body, memory, at, _Below(local), lane)
        elif isinstance(n, nodes.Buffer):
            memory[n.tensor.name] = [None] * prod(n.tensor.extents)
        elif not isinstance(n, nodes.Label):
            _statement(n, memory, at, local, lane)


class _Below(dict):
    """Names of a scope; those of the scopes around are seen and changed through it."""

    def __init__(self, above: Frame) -> None:
        self.above = above

    def __missing__(self, name: str) -> object:
        return self.above[name]


def _product(p: nodes.Product, memory: Memory, at: dict[str, int]) -> int | None:
    total = p.coefficient
    for f in p.factors:
        v = get(memory, f.tensor.name, place(f, at))
        total = None if v is None or total is None else total * v
    return total


def _statement(n: nodes.Node, memory: Memory, at: dict[str, int], local: Frame, lane: str) -> None:
    if isinstance(n, nodes.Declare):
        local[n.name] = [0] * n.extent if n.extent else [_product(n.value, memory, at) if n.value else 0]
    elif isinstance(n, nodes.Store):
        if isinstance(n.value, str):
            value = local[n.value][at[lane] if n.value == "partial" else 0]
        else:
            value = _product(n.value, memory, at)
        if isinstance(n.target, str):
            here = at[lane] if n.target == "partial" else 0
            if not 0 <= here < len(local[n.target]):
                raise Outside(n.target)
            local[n.target][here] = local[n.target][here] + value if n.add else value
        else:
            put(memory, n.target.tensor.name, place(n.target, at), value, n.add)
    elif isinstance(n, nodes.Pointer):
        local[n.name] = (n.access.tensor.name, place(n.access, at))
    elif isinstance(n, nodes.Fetch):
        name, start = local[n.pointer]
        local[n.name] = [get(memory, name, start + n.offset + k) for k in range(n.width or 1)]
    elif isinstance(n, nodes.Shift):
        source = local[n.source]
        if n.low < 0 or n.low + n.by < 0 or n.high > n.width or n.high + n.by > len(source) or n.width != len(source):
            raise Outside(n.source)
        local[n.name] = [source[k + n.by] if n.low <= k < n.high else 0 for k in range(n.width)]
    elif isinstance(n, nodes.MultiplyAdd):
        held = local[n.target]
        for k in range(len(held)):
            total = 1
            for f in n.factors:
                v = local[f][k if len(local[f]) > 1 else 0]
                total = None if v is None or total is None else total * v
            held[k] = None if total is None or held[k] is None else held[k] + total
    else:
        _vector(n, memory, at, local)


def _vector(n: nodes.Node, memory: Memory, at: dict[str, int], local: Frame) -> None:
    if isinstance(n, nodes.Accumulator):
        local[n.name] = [0] * n.width
        if n.start is not None:
            name, start = n.start.tensor.name, place(n.start, at)
            for k in range(n.lanes if n.stride else n.width):
                local[n.name][k] = get(memory, name, start + n.stride * k)
    elif isinstance(n, nodes.Keep):
        for k in range(n.lanes):
            put(memory, n.access.tensor.name, place(n.access, at) + k, local[n.name][k], n.add)
    elif isinstance(n, nodes.Total):
        start = get(memory, n.start.tensor.name, place(n.start, at)) if n.start else 0
        put(memory, n.access.tensor.name, place(n.access, at), start + sum(local[n.name][:n.width]), n.add)
    elif isinstance(n, nodes.Totals):
        source, target = place(n.source, at), place(n.target, at)
        for k in range(n.width):
            row = [get(memory, n.source.tensor.name, source + k * n.width + j) for j in range(n.width * (k < n.count))]
            put(memory, n.target.tensor.name, target + k, None if None in row or not row else sum(row))
    elif isinstance(n, nodes.Transpose):
        source, target = place(n.source, at), place(n.target, at)
        square = [[get(memory, n.source.tensor.name, source + k * n.source_step + j) for j in range(n.width)]
                  for k in range(n.width)]
        for j in range(n.width):
            for k in range(n.width):
                put(memory, n.target.tensor.name, target + j * n.target_step + k, square[k][j])
    elif isinstance(n, nodes.Row):
        for k in range(n.count):
            value = get(memory, n.source.tensor.name, place(n.source, at) + k)
            put(memory, n.target.tensor.name, place(n.target, at) + k, value)
    else:
        raise AssertionError(f"no rule for {n}")
