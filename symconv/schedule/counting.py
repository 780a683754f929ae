"""How long plain loops are estimated to take: their products, and every loop whose bounds have to be found first."""

from __future__ import annotations

from collections.abc import Sequence

from symconv.schedule.nodes import Guard, Loop, Node, Scope

PRODUCT = 1.0  # cycles, where a compiler finds vectors by itself
BOUNDED = 8.0  # entering a loop with one bound of several


def plain_cycles(products: int, nodes: Sequence[Node]) -> float:
    """Processor cycles of a plain nest of so many products."""
    return PRODUCT * products + BOUNDED * _entered(nodes, 1.0)


def _entered(nodes: Sequence[Node], times: float) -> float:
    """How often a loop with several bounds is entered."""
    total = 0.0
    for n in nodes:
        if isinstance(n, Loop):
            total += times * (len(n.low) + len(n.high) > 2) + _entered(n.body, times * _steps(n))
        elif isinstance(n, Guard | Scope):
            total += _entered(n.body, times)
    return total


def _steps(n: Loop) -> int:
    """At most so many, as far as bounds can be compared."""
    extents = [e.constant for high in n.high for low in n.low if (e := high - low).is_constant]
    return max(0, min(extents, default=1))
