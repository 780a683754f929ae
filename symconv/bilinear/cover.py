"""The cover of tiles: what a plan stores has a place of its own, and its pieces are everything, once.

That the matrices and the four equations are right is proved elsewhere; this is about how the plan walks through
them. Only the extents and places of the plan are looked at, as boxes.
"""

from __future__ import annotations

from math import prod

from symconv.bilinear.plan import Plan, Stored
from symconv.errors import ValidationError
from symconv.readback.boxes import Box, counted


def check_cover(plan: Plan) -> int:
    """Check the arrays of a plan and the pieces of its matrix products; the number of pieces.

    Raises:
        ValidationError: two elements share a place, one lies outside, or the pieces do not add up.
    """
    for stored, lane, block in ((plan.u, plan.row, plan.width), (plan.v, plan.signal_lane, plan.lanes),
                                (plan.m, plan.row, plan.width)):
        _check_places(plan, stored, lane, block)
    side, last = plan.side_by_side, plan.columns[-1]
    columns = Box((0,), tuple(((plan.v.stride(n),), plan.extents[n]) for n in side))
    total = prod(plan.extents[n] for n in side)
    if counted(columns)[0] != counted(Box((0,), (((plan.v.stride(last),), total),)))[0]:
        raise ValidationError(f"the columns {', '.join(side)} do not follow each other in V")
    if sum(plan.chunks) != total or min(plan.chunks) < 1:
        raise ValidationError(f"pieces of {plan.chunks} columns, of {total}")
    for a in plan.program.axes:
        outputs, taps, *_ = a.relation.extents
        for what, pieces, size, extent in (("tiles", a.tiles, a.outputs, outputs), ("blocks", a.blocks, a.taps, taps)):
            if not (pieces - 1) * size < extent <= pieces * size:
                raise ValidationError(f"{pieces} {what} of {size} along {a.relation.output}, of {extent}")
    blocks = -(-plan.extents[plan.row] // plan.width)
    return blocks * len(plan.chunks) * prod(plan.extents[n] for n in (*plan.points, *plan.columns[:-len(side)]))


def _check_places(plan: Plan, stored: Stored, lane: str, block: int) -> None:
    """Of each element, by the indices that the array keeps: its lane in blocks, the others one by one."""
    steps = [(stride * block, -(-plan.extents[n] // block)) if n == lane else (stride, _count(plan, stored, n))
             for n, stride in stored.strides]
    end = block  # the first place behind everything that is smaller
    for step, count in sorted(s for s in steps if s[1] > 1):
        if step < end:
            raise ValidationError(f"elements of {stored.name} share places: a step of {step} within {end}")
        end += step * (count - 1)
    if end > stored.size:
        raise ValidationError(f"{stored.name} has {stored.size} elements, and {end} are used")


def _count(plan: Plan, stored: Stored, name: str) -> int:
    """How many values of an index are there at a time: those of a piece, where M holds one piece only."""
    of_a_piece = stored.name == "M" and plan.by_chunk and name == plan.columns[0]
    return max(plan.chunks) if of_a_piece else plan.extents[name]
