"""Copies around a bilinear program, where its vectors would be gathered: the lane innermost, room for whole tiles.

    x_packed[i, j, c] = x[c, i - 1, j - 1]      zero outside
    y_packed[i, j, f] = the equation, of the copies
    y[f, i, j] = y_packed[i, j, f]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from symconv.affine import Affine
from symconv.bilinear.plan import Plan, plan
from symconv.bilinear.program import bilinear_program
from symconv.calculus import eliminate, inline
from symconv.equation import Access, Equation, Tensor
from symconv.errors import NotSupported
from symconv.schedule.copying import copied
from symconv.schedule.nodes import Label, Node
from symconv.schedule.packing import Packing
from symconv.schedule.regions import fresh, value_interval


@dataclass(frozen=True)
class Packed:
    """A plan over copies.

    Args:
        copies: made before it.
        back: how its result is a copy of the output: the output is read from there in the end.
    """

    plan: Plan
    copies: tuple[Packing, ...] = ()
    back: Packing | None = None

    @property
    def all(self) -> tuple[Packing, ...]:
        """The copies, and the way back where there is one."""
        return (*self.copies, *filter(None, [self.back]))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The arrays copied to, or back from."""
        return tuple(p.packed for p in self.all)

    @property
    def unpacking(self) -> Equation | None:
        """The output, from its copy."""
        if self.back is None:
            return None
        output = self.back.source[tuple(Affine.of(f"i{k}") for k in range(len(self.back.source.shape)))]
        return Equation(output, self.back.read(output))

    @property
    def meaning(self) -> Equation:
        """The copies and the equation of the plan put into each other."""
        whole = self.plan.program.equation
        if self.unpacking is not None:
            whole = inline(self.unpacking, whole)
        for p in self.copies:
            whole = inline(whole, p.equation)
        return eliminate(whole)

    def nests(self, width: int) -> tuple[tuple[Node, ...], ...]:
        """The loops of the copies, and of the way back where there is one."""
        made = [self._nest(p.equation, p.equation.indices, width) for p in self.copies]
        if self.back is not None and self.unpacking is not None:
            made.append(self._nest(self.unpacking, self._order(self.back), width))
        return tuple(made)

    @staticmethod
    def _nest(e: Equation, order: tuple[str, ...], width: int) -> tuple[Node, ...]:
        box = {n: (0, extent - 1) for n, extent in zip(e.indices, e.output.extents, strict=True)}
        return (Label(e.left), *copied(e.left, e.terms[0].factors[0], order, box, width))

    @staticmethod
    def _order(back: Packing) -> tuple[str, ...]:
        """Innermost the last axes of the output that lie together in the copy too, around them its lane."""
        assert back.lane_axis is not None
        count, extents = len(back.source.shape), back.packed.extents
        together = count - 1
        while together - 1 > back.lane_axis and extents[together - 1] == back.source.extents[together]:
            together -= 1
        names = [f"i{k}" for k in range(count)]
        inner = [n for n in names[together:] if n != names[back.lane_axis]]
        outer = [n for n in names if n not in inner and n != names[back.lane_axis]]
        return (*outer, names[back.lane_axis], *inner)


def packed(bare: Plan, edges: bool = False) -> Packed:
    """The plan over copies of all arrays that do not lie along its vectors; without copies where all do.

    Args:
        edges: copy also what lies along them, where tiles reach beyond it.

    Raises:
        NotSupported: the program of the copies is not the same one.
    """
    equation = bare.program.equation
    taken = {equation.output.name, *(t.name for t in equation.reads)}
    found = {p.source.name: p for p in _packings(bare, taken, edges)}
    back = found.pop(equation.output.name, None)

    def read(a: Access) -> Access:
        return found[a.tensor.name].read(a) if a.tensor.name in found else a

    terms = [replace(t, factors=tuple(map(read, t.factors))) for t in equation.terms]
    left = equation.left if back is None else back.read(equation.left)
    core = bilinear_program(Equation(left, terms, equation.context),
                            {a.relation.output: (a.outputs, a.taps) for a in bare.program.axes})
    if [a.form for a in core.axes] != [a.form for a in bare.program.axes]:
        raise NotSupported(f"another algorithm for the copies: {core}")
    made = plan(core, bare.lanes, _orders(bare, {*found, equation.output.name} if back else set(found)), bare.registers)
    return Packed(made, tuple(found.values()), back)


def _orders(bare: Plan, copied: set[str]) -> dict[str, list[int]]:
    """The order of axes of those arrays that stay as they are."""
    kept = {n: s for n, s in bare.strides.items() if n not in copied}
    return {n: [k for _, k in sorted((-step, k) for k, step in enumerate(s))] for n, s in kept.items()}


def _packings(p: Plan, taken: set[str], edges: bool) -> Iterator[Packing]:
    taps, signal, _, result = p.program.steps
    axes = p.program.axes
    output = result.left.substitute({a.relation.output: a.output_place for a in axes})
    rows = -(-p.extents[p.row] // p.width) * p.width
    for access, lane, extent, inner in (
            (taps.terms[0].factors[-1], p.row, rows, [(a.inner[1], a.taps) for a in axes]),
            (signal.terms[0].factors[-1], p.signal_lane, p.extents[p.signal_lane],
             [(a.inner[2], a.form.products) for a in axes]),
            (output, p.row, rows, [(a.inner[0], a.outputs) for a in axes])):
        known = {n: (0, e - 1) for n, e in p.extents.items()} | {lane: (0, extent - 1)}
        known |= {n: (0, count - 1) for e, count in inner for n in e.names}
        own = [k for k, e in enumerate(access.indices) if e == Affine.of(lane)]
        ends = [value_interval(e, known) for e in access.indices]
        low = tuple(max(0, -lo) for lo, _ in ends)
        shape = [lo + max(n, hi + 1) for lo, n, (_, hi) in zip(low, access.tensor.extents, ends, strict=True)]
        beyond = edges and tuple(shape) != access.tensor.extents
        if len(own) == 1 and (beyond or p.strides[access.tensor.name][own[0]] != 1):
            shape.append(shape.pop(own[0]))
            yield Packing(access.tensor, Tensor(fresh(f"{access.tensor.name}_packed", taken), shape), low, own[0])
