"""Copies of arrays that a core reads without edges: zeros around them, the lane innermost.

A copy is an equation, `xp[c, i, j] = x[c, i - 1, j - 1]` (zero outside), so that putting it back into
the core gives the equation the kernel was derived from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from symconv.affine import Affine, Constraint
from symconv.equation import Access, Equation, Tensor
from symconv.schedule.regions import Interval, Region, box_of, value_interval


@dataclass(frozen=True, slots=True)
class Lane:
    """The index whose values fill vectors: name = size * block + inner. `summed`: it is one of a sum."""

    name: str
    size: int
    block: str
    inner: str
    summed: bool = False


@dataclass(frozen=True, slots=True)
class Packing:
    """How one array is copied.

    Args:
        low: zeros before each axis.
        lane_axis: the axis moved innermost; None keeps the order.
        lane: set when that axis is also cut into blocks, which go outermost.
    """

    source: Tensor
    packed: Tensor
    low: tuple[int, ...]
    lane_axis: int | None = None
    lane: Lane | None = None

    def read(self, a: Access) -> Access:
        """The same element, from the copy."""
        shifted = [e + lo for e, lo in zip(a.indices, self.low, strict=True)]
        if self.lane_axis is None:
            return Access(self.packed, tuple(shifted))
        own = shifted.pop(self.lane_axis)
        if self.lane is None:
            return Access(self.packed, (*shifted, own))
        return Access(self.packed, (Affine.of(self.lane.block), *shifted, Affine.of(self.lane.inner)))

    @property
    def equation(self) -> Equation:
        axes = [Affine.of(f"i{k}") for k in range(len(self.source.shape))]
        left = list(axes)
        if self.lane_axis is not None:
            own = left.pop(self.lane_axis)
            left = [*left, own]
            if self.lane is not None:
                left = [Affine.of("block"), *left[:-1], Affine.of("lane")]
                axes[self.lane_axis] = self.lane.size * Affine.of("block") + "lane"
        read = Access(self.source, tuple(e - lo for e, lo in zip(axes, self.low, strict=True)))
        return Equation(Access(self.packed, tuple(left)), read)

    @property
    def transposes(self) -> bool:
        """Does it change the order of elements?"""
        return self.lane_axis is not None and (self.lane_axis != len(self.low) - 1 or self.lane is not None)


def pack(tensor: Tensor, reads: Sequence[tuple[Access, Mapping[str, Interval]]], lane: Lane,
         name: str, padded: bool = True) -> Packing | None:
    """The copy these reads need, each given with the box its names run over; None when the array will do.

    Where the lane is an axis of its own the copy is cut into blocks of the lane's size.

    Args:
        padded: with zeros around it; otherwise only what fills the last vector.
    """
    axes = {k for a, _ in reads for k, e in enumerate(a.indices) if e.coefficient(lane.name)}
    at = axes.pop() if axes else None
    if not padded and (at is None or at == len(tensor.shape) - 1):
        return None
    ends = [[value_interval(a.indices[k], box) if padded or k == at else (0, 0) for a, box in reads]
            for k in range(len(tensor.shape))]
    low = tuple(max(0, *(-lo for lo, _ in axis)) for axis in ends)
    high = [max(0, *(hi - n + 1 for _, hi in axis)) for axis, n in zip(ends, tensor.extents, strict=True)]
    shape = [lo + n + hi for lo, n, hi in zip(low, tensor.extents, high, strict=True)]
    last = at is None or at == len(shape) - 1 or all(n == 1 for n in shape[at + 1:])
    if last:
        same = not any(low) and not any(high)
        return None if same else Packing(tensor, Tensor(name, shape), low)
    assert at is not None
    own = shape.pop(at)
    if any(a.indices[at] != Affine.of(lane.name) for a, _ in reads):
        return Packing(tensor, Tensor(name, (*shape, own)), low, at)
    return Packing(tensor, Tensor(name, (-(-own // lane.size), *shape, lane.size)), low, at, lane)


def rewritten(region: Region, packings: Mapping[str, Packing]) -> Region:
    """The region reading from copies, without the conditions their zeros stand for."""
    sweeps = []
    for s in region.sweeps:
        factors = tuple(packings[f.tensor.name].read(f) if f.tensor.name in packings else f for f in s.term.factors)
        sweeps.append(replace(s, term=replace(s.term, factors=factors, constraints=()), constraints=()))
    return replace(region, sweeps=tuple(sweeps))


def is_edge(c: Constraint, factors: tuple[Access, ...]) -> bool:
    """Does the condition only keep a read inside its array, where zeros would do?"""
    return any(c in f.in_range() for f in factors)


def boxes(region: Region, lane: str, extent: int) -> list[tuple[Access, dict[str, Interval]]]:
    """Every read of a region with the ranges of its names, the lane running up to `extent`."""
    whole = {lane: (0, extent - 1)}
    return [(f, box_of((*region.loops, *s.loops)) | whole) for s in region.sweeps for f in s.term.factors]
