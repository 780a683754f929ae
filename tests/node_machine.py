"""Statements of scheduled programs run on whole numbers, one by one: what an emitted kernel does, without its text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod

import numpy as np

from symconv.equation import Access
from symconv.schedule.nodes import (
    Accumulator,
    Buffer,
    Fetch,
    Keep,
    Label,
    Loop,
    MultiplyAdd,
    Node,
    Pointer,
    Product,
    Row,
    Scope,
    Shift,
    Store,
    Total,
    Totals,
    Transpose,
)

UNWRITTEN = -(10**9)


@dataclass
class NodeMachine:
    """Flat arrays by name; a read or a write outside of one is an error. `multiplied` counts multiply-adds."""

    arrays: dict[str, np.ndarray]
    multiplied: int = 0
    at: dict[str, int] = field(default_factory=dict)
    values: dict[str, np.ndarray] = field(default_factory=dict)
    pointers: dict[str, tuple[str, int]] = field(default_factory=dict)

    def run(self, nodes: Sequence[Node]) -> None:
        for n in nodes:
            self.do(n)

    def place(self, a: Access) -> int:
        flat = 0
        for e, n in zip(a.indices, a.tensor.extents, strict=True):
            flat = flat * n + e.evaluate(self.at)
        return flat

    def load(self, name: str, start: int, count: int, step: int = 1) -> np.ndarray:
        array, last = self.arrays[name], start + step * (count - 1)
        assert start >= 0 and last < array.size, f"{name}: {start} to {last} of {array.size}"
        return array[start:last + 1:step].copy()

    def save(self, name: str, start: int, values: np.ndarray, add: bool = False) -> None:
        old = self.load(name, start, len(values))
        self.arrays[name][start:start + len(values)] = old + values if add else values

    def read(self, a: Access, count: int = 1) -> np.ndarray:
        return self.load(a.tensor.name, self.place(a), count)

    def write(self, a: Access, values: np.ndarray, add: bool = False) -> None:
        self.save(a.tensor.name, self.place(a), values, add)

    def product(self, p: Product) -> np.ndarray:
        found = np.array([int(str(p.coefficient))])
        for f in p.factors:
            found = found * self.read(f)
        return found

    @singledispatchmethod
    def do(self, n: Node) -> None:
        raise NotImplementedError(n)

    @do.register
    def _(self, n: Loop) -> None:
        first, end = max(e.evaluate(self.at) for e in n.low), min(e.evaluate(self.at) for e in n.high)
        for k in range(first, end):
            self.at[n.name] = k
            self.run(n.body)
        self.at.pop(n.name, None)

    @do.register
    def _(self, n: Scope) -> None:
        self.run(n.body)

    @do.register
    def _(self, n: Label) -> None:
        pass

    @do.register
    def _(self, n: Store) -> None:
        assert isinstance(n.target, Access) and isinstance(n.value, Product)
        self.write(n.target, self.product(n.value), n.add)

    @do.register
    def _(self, n: Pointer) -> None:
        self.pointers[n.name] = n.access.tensor.name, self.place(n.access)
        self.read(n.access)

    @do.register
    def _(self, n: Fetch) -> None:
        array, start = self.pointers[n.pointer]
        self.values[n.name] = self.load(array, start + n.offset, max(n.width, 1))

    @do.register
    def _(self, n: Shift) -> None:
        source, moved = self.values[n.source], np.zeros(n.width, np.int64)
        for k in range(n.low, n.high):
            assert 0 <= k + n.by < n.width
            moved[k] = source[k + n.by]
        self.values[n.name] = moved

    @do.register
    def _(self, n: MultiplyAdd) -> None:
        factors = [self.values[f] for f in n.factors]
        self.values[n.target] = self.values[n.target] + np.prod(np.broadcast_arrays(*factors), axis=0)
        self.multiplied += 1

    @do.register
    def _(self, n: Accumulator) -> None:
        self.values[n.name] = np.zeros(max(n.width, 1), np.int64)
        if n.start is not None:
            self.values[n.name][:n.lanes] += self.read(n.start, n.lanes if n.stride else 1)

    @do.register
    def _(self, n: Keep) -> None:
        self.write(n.access, self.values[n.name][:n.lanes], n.add)

    @do.register
    def _(self, n: Total) -> None:
        start = self.read(n.start)[0] if n.start else 0
        self.write(n.access, np.array([self.values[n.name].sum() + start]), n.add)

    @do.register
    def _(self, n: Totals) -> None:
        found = np.zeros(n.width, np.int64)
        for k in range(n.count):
            found[k] = self.load(n.source.tensor.name, self.place(n.source) + k * n.width, n.width).sum()
        self.write(n.target, found)

    @do.register
    def _(self, n: Transpose) -> None:
        source, target = self.place(n.source), self.place(n.target)
        rows = [self.load(n.source.tensor.name, source + k * n.source_step, n.width) for k in range(n.width)]
        for k, column in enumerate(np.array(rows).T):
            self.save(n.target.tensor.name, target + k * n.target_step, column)

    @do.register
    def _(self, n: Row) -> None:
        self.write(n.target, self.read(n.source, n.count))

    @do.register
    def _(self, n: Buffer) -> None:
        self.arrays[n.tensor.name] = np.full(int(np.prod(n.tensor.extents)), UNWRITTEN)
