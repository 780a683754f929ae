"""What a plan is predicted to cost, for a choice between schedules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod

from symconv.bilinear.packing import Packed
from symconv.bilinear.plan import CACHE, SHARED, Plan
from symconv.bilinear.story import story
from symconv.equation import Access, Equation
from symconv.schedule.nodes import Loop, Node, Transpose

# Cycles of one core, fitted to layers of image networks. Only the ratios matter, also to those of other schedules.
PRODUCT, TRANSFORM = 0.48, 0.83  # a vector instruction of the matrix products, of the transforms
PREPARED = 0.5  # of what preparing takes: weights change with every call, or never
GATHERED = 1.8  # an element between a vector and an array whose rows lie otherwise
COPIED_BY_SQUARES, COPIED_ONE_BY_ONE = 0.58, 1.8  # an element of a copy
FAR, FARTHER = 0.05, 0.5  # a byte of workspace beyond the second-level cache, and beyond the third on top of that
CALL = 4000.0  # what there is to do besides
LEAD = 1.1  # by which it has to win, since it rounds more


@dataclass(frozen=True, slots=True)
class Cost:
    """Vector instructions of one call, a multiplication and an addition together counted as one.

    Args:
        products: of the matrix products, rows rounded up to whole blocks.
        transforms: of everything else that every call does.
        preparation: what `prepare` does once, 0 where there is none.
        direct: what the plain sum would take, padding and rounding up not counted.
        kilobytes: of the workspace and of prepared taps.
    """

    products: int
    transforms: int
    preparation: int
    direct: int
    kilobytes: int

    @property
    def ratio(self) -> float:
        """How many times fewer instructions than the plain sum."""
        return self.direct / (self.products + self.transforms)

    def __str__(self) -> str:
        prepare = f", {self.preparation} to prepare" if self.preparation else ""
        return (f"{self.products} + {self.transforms} vector instructions for products and transforms instead of "
                f"{self.direct} (a ratio of {self.ratio:.2f}){prepare}; {self.kilobytes} KiB beside the arrays")

    __repr__ = __str__


def cost(plan: Plan, itemsize: int = 4) -> Cost:
    """Count the instructions of a plan from its extents and the code of its transforms."""
    p, program = plan, plan.program
    each = [o.fused for o in story(program).transforms]
    rows = -(-p.extents[p.row] // p.width) * p.vectors
    taps, signal, products, _ = program.steps

    def vectors(step: Equation, lane: str, count: int) -> int:
        """How many vectors a transform goes through at each point."""
        return count * prod(p.extents[n] for n in step.indices if n not in (*p.points, lane))

    own = vectors(taps, p.row, rows) * each[0]
    moved = vectors(signal, p.signal_lane, -(-p.extents[p.signal_lane] // p.lanes)) * each[1]
    moved += vectors(products, p.row, rows) * each[2]
    again = prod(p.extents[n] for n in p.outer if n not in signal.indices)  # rounds that make V anew
    multiplied = rows * prod(e for n, e in p.extents.items() if n != p.row)
    rest = prod(p.extents[n] for n in dict.fromkeys((*products.indices, *products.terms[0].indices))
                if not any(n.startswith(a.relation.output + "_") for a in program.axes))
    direct = rest * prod(a.relation.extents[0] * a.relation.extents[1] for a in program.axes) // p.lanes
    kept = p.v.size + p.m.size + p.u.size
    return Cost(multiplied, moved * again + own * (not p.prepares), own * p.prepares, direct, kept * itemsize // 1024)


def cycles(made: Packed) -> float:
    """Processor cycles of one call, on the scale of the other schedules' estimates."""
    p = made.plan
    found = cost(p)
    total = CALL + PRODUCT * found.products + TRANSFORM * (found.transforms + PREPARED * found.preparation)
    size = 1024 * found.kilobytes
    for c, nest in zip((*made.copies, *filter(None, [made.back])), made.nests(p.lanes), strict=True):
        count = prod(c.packed.extents)
        prepared = p.prepares and c.packed in p.program.steps[0].reads
        total += (PREPARED if prepared else 1) * count * (COPIED_BY_SQUARES if _turns(nest) else COPIED_ONE_BY_ONE)
        size += 4 * count
    return LEAD * (total + GATHERED * _gathered(p) + FAR * max(0, size - CACHE) + FARTHER * max(0, size - 3 * SHARED))


def _turns(nest: Iterable[Node]) -> bool:
    return any(isinstance(n, Transpose) or (isinstance(n, Loop) and _turns(n.body)) for n in nest)


def _gathered(p: Plan) -> float:
    """Elements of the callers' arrays that are moved one by one, since no vector lies along their rows."""
    taps, signal, products, result = p.program.steps
    again = prod(p.extents[n] for n in p.outer if n not in signal.indices)  # rounds that make V anew
    moves = ((taps.terms[0].factors[-1], taps, p.row, "taps", PREPARED if p.prepares else 1),
             (signal.terms[0].factors[-1], signal, p.signal_lane, "signal", again),
             (result.left, products, p.row, "outputs", 1))
    return sum(times * _elements(p, access, step, lane, role) for access, step, lane, role, times in moves)


def _elements(p: Plan, access: Access, step: Equation, lane: str, role: str) -> int:
    """Of the tiles that a step goes through, along one lane: all, or those of a last vector that is not whole."""
    strides = p.strides[access.tensor.name]
    vectors = -(-p.extents[lane] // p.lanes)
    if sum(s * e.coefficient(lane) for s, e in zip(strides, access.indices, strict=True)) == 1:
        vectors = int(p.extents[lane] % p.lanes > 0)
    tile: int = prod(getattr(a.form, role).shape[1] for a in p.program.axes)
    return tile * vectors * p.lanes * prod(p.extents[n] for n in step.indices if n not in (*p.points, lane))
