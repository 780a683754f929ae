"""The bilinear programs worth considering for an equation, with what each is predicted to cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import prod

from symconv.bilinear.cost import Cost, cost
from symconv.bilinear.plan import REGISTERS, Order, Plan, plan
from symconv.bilinear.program import Tiles, bilinear_program
from symconv.bilinear.relation import relations
from symconv.bilinear.toom_cook import MOST_PRODUCTS, amplification
from symconv.calculus import eliminate
from symconv.equation import Equation
from symconv.errors import NotSupported

LONG = (2, 4)  # outputs or taps of a tile, beside the whole of what is short


@dataclass(frozen=True)
class Candidate:
    """Tiles for an equation, the plan made from them, and its cost.

    `amplification` bounds how much larger the error bound is than that of the plain sum, but for roundings.
    """

    tiles: Tiles
    plan: Plan
    cost: Cost

    @property
    def amplification(self) -> float:
        return float(prod(amplification(a.form) for a in self.plan.program.axes))

    def __str__(self) -> str:
        names = ", ".join(f"F({m}, {r}) along {n}" for n, (m, r) in self.tiles.items())
        return f"{names}: {self.cost}; error bound up to {self.amplification:.1f} times wider"

    __repr__ = __str__


def candidates(equation: Equation, lanes: int = 16, orders: Mapping[str, Order] | None = None,
               registers: int = REGISTERS) -> tuple[Candidate, ...]:
    """Plans with different tiles, those with the fewest predicted instructions first; none where none applies.

    Args:
        equation: with sizes in numbers.
        orders: by array, its axes from the slowest to the fastest; row-major by default.
    """
    found = []
    for tiles in _tiles(eliminate(equation)):
        try:
            made = plan(bilinear_program(equation, tiles), lanes, orders, registers)
        except NotSupported:
            continue
        found.append(Candidate(tiles, made, cost(made)))
    return tuple(sorted(found, key=lambda c: c.cost.products + c.cost.transforms))


def _tiles(equation: Equation) -> Iterator[dict[str, tuple[int, int]]]:
    """The short one of outputs and taps whole, the other in pieces, along every axis where that saves anything."""
    for long in LONG:
        tiles: dict[str, tuple[int, int]] = {}
        for r in relations(equation):
            outputs, taps, _ = r.extents
            short = min(outputs, taps)
            if 2 <= short <= MOST_PRODUCTS + 1 - long and max(outputs, taps) >= 2:
                tiles[r.output] = (long, taps) if taps <= outputs else (outputs, long)
        if tiles:
            yield tiles
