"""What a plan is predicted to cost, for a choice between schedules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from math import prod

from symconv.bilinear.packing import Packed
from symconv.bilinear.plan import CACHE, SHARED, Plan
from symconv.bilinear.story import story
from symconv.equation import Access, Equation
from symconv.schedule.nodes import Loop, Node, Transpose
from symconv.schedule.regions import value_interval

# Cycles of one core, fitted to layers of image networks. Only the ratios matter, also to those of other schedules.
PRODUCT, TRANSFORM = 0.48, 0.83  # a vector instruction of the matrix products, of the transforms
PREPARED = 0.4  # of what preparing takes: weights change with every call, or never
GATHERED = 1.8  # an element between a vector and an array whose rows lie otherwise
IN_ORDER, BY_SQUARES, ONE_BY_ONE = 0.2, 0.58, 1.8  # an element of a copy
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
    for c, nest in zip(made.all, made.nests(p.lanes), strict=True):
        count = prod(c.packed.extents)
        prepared = p.prepares and c.packed in p.program.steps[0].reads
        each = IN_ORDER if not c.transposes else BY_SQUARES if _turns(nest) else ONE_BY_ONE
        total += (PREPARED if prepared else 1) * each * count
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


def _elements(p: Plan, access: Access, step: Equation, lane: str, role: str) -> float:
    """Of the tiles that a step goes through, along one lane: all, or those of a last vector that is not whole, and
    those of tiles that reach beyond the array."""
    strides = p.strides[access.tensor.name]
    vectors, whole = -(-p.extents[lane] // p.lanes), 0.0
    if sum(s * e.coefficient(lane) for s, e in zip(strides, access.indices, strict=True)) == 1:
        whole = p.extents[lane] // p.lanes * _inside(p, access, role)
    tile: int = prod(getattr(a.form, role).shape[1] for a in p.program.axes)
    return tile * (vectors - whole) * p.lanes * prod(p.extents[n] for n in step.indices if n not in (*p.points, lane))


def _inside(p: Plan, access: Access, role: str) -> float:
    """The share of tiles all of whose elements the array has."""
    share = 1.0
    for a in p.program.axes:
        place = {"taps": a.taps_place, "signal": a.signal_place, "outputs": a.output_place}[role]
        extent = a.relation.extents[("outputs", "taps", "signal").index(role)]
        size = getattr(a.form, role).shape[1]
        names = [n for n in (a.name("tile"), a.name("block")) if n in place.names]
        inner = dict.fromkeys(place.names - set(names), (0, size - 1))
        tiles = [value_interval(place.substitute(dict(zip(names, at, strict=True))), inner)
                 for at in product(*(range(p.extents[n]) for n in names))]
        share *= sum(lo >= 0 and hi < extent for lo, hi in tiles) / len(tiles)
    return share
