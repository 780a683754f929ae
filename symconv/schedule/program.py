"""A kernel as a short list of steps over named arrays: copies into a workspace, then tiles; or one plain nest."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from symconv.equation import Access, Equation, Tensor
from symconv.schedule.counting import plain_cycles
from symconv.schedule.direct import Plan, plan
from symconv.schedule.loops import loop_nest, zero_nest
from symconv.schedule.machine import MACHINES, Machine
from symconv.schedule.nodes import Label, Node
from symconv.schedule.regions import Region
from symconv.schedule.sharing import shared_nest, whole_copy

SCHEDULES = ("plain", "direct", "bilinear")
ALIGNED = 64  # bytes: every workspace array starts on such a boundary when the workspace does


@dataclass(frozen=True, slots=True)
class Step:
    """What is computed, as equations or as regions of one, and the nest that does it."""

    meaning: tuple[Equation | Region, ...]
    body: tuple[Node, ...]

    @property
    def writes(self) -> frozenset[str]:
        """The names of the arrays it computes."""
        return frozenset(m.output.name if isinstance(m, Equation) else m.output.tensor.name for m in self.meaning)


@dataclass(frozen=True, slots=True)
class Choice:
    """The schedule taken, with the cycles estimated for each that applies."""

    schedule: str
    estimates: tuple[tuple[str, float], ...]
    shape: object = None

    def __repr__(self) -> str:
        own = dict(self.estimates)[self.schedule]
        others = ", ".join(f"{name} {cycles:.3g}" for name, cycles in self.estimates if name != self.schedule)
        return (f"{self.schedule}: {'' if self.shape is None else f'{self.shape!r}, '}about {own:.3g} cycles"
                + (f" ({others})" if others else ""))


@dataclass(frozen=True, slots=True)
class Program:
    """Steps in order. `workspace` lists the arrays beside the caller's, in the order they lie in memory.

    `products` terms are added up at the cost of `multiplications`; products with padding count for nothing.
    """

    output: Access
    steps: tuple[Step, ...]
    workspace: tuple[Tensor, ...]
    products: int
    multiplications: int
    choice: Choice


def offsets(sizes: Iterable[int], element: int) -> tuple[int, ...]:
    """Where arrays of so many elements start in one piece of memory, in elements, and where the last one ends."""
    unit, found = ALIGNED // element, [0]
    for size in sizes:
        found.append(found[-1] + -(-size // unit) * unit)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a choice is made from.

    Args:
        exact: one order of summation on every machine: the direct schedule wherever it applies, without the vectors
            of this machine where it has none.
        schedules: "plain" is what is left when no other applies.
        pick: a number that stands for one of all shapes of a schedule, so that tests reach each; None for the best.
        constant: names of arrays that stay the same from call to call: copies of these are made first, and whole.
    """

    machine: Machine = MACHINES["generic"]
    exact: bool = False
    schedules: tuple[str, ...] = SCHEDULES
    pick: int | None = None
    constant: frozenset[str] = frozenset()

    @property
    def allowed(self) -> tuple[str, ...]:
        """The schedules that may be taken wherever one of them applies."""
        return ("direct",) if self.exact else self.schedules


PLAIN = Asked()
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Offer(Generic[T]):
    """A schedule that applies: the cycles it is estimated to take, its shape for readers, and how it is made."""

    schedule: str
    cycles: float
    made: Callable[[Choice], T]
    shape: object = None


def choose(offers: Iterable[Offer[T]], asked: Asked) -> T:
    """Make the cheapest of what may be taken, or of all where that is nothing."""
    offers = tuple(offers)
    best = min([o for o in offers if o.schedule in asked.allowed] or offers, key=lambda o: o.cycles)
    return best.made(Choice(best.schedule, tuple((o.schedule, o.cycles) for o in offers), best.shape))


def program(equation: Equation, accumulate: bool, element: int, asked: Asked = PLAIN) -> Program:
    """Schedule a concrete equation for a machine.

    Args:
        accumulate: add to what the output array holds instead of overwriting it.
        element: bytes of one array element.
    """
    return choose(programs(equation, accumulate, element, asked), asked)


def programs(equation: Equation, accumulate: bool, element: int, asked: Asked = PLAIN) -> Iterator[Offer[Program]]:
    """What loops over steps can do: the plain nest, which always applies, and the direct schedule."""
    nest = loop_nest(equation, accumulate)

    def made(steps: tuple[Step, ...], workspace: tuple[Tensor, ...], choice: Choice) -> Program:
        return Program(nest.output, steps, workspace, nest.products, nest.multiplications, choice)

    labels = len(nest.parts) > 1
    plain = tuple(Step((equation,), (*([Label(p.place)] if labels else []), *p.body)) for p in nest.parts)
    cycles = plain_cycles(nest.products, [n for s in plain for n in s.body])
    yield Offer("plain", cycles, lambda choice: made(plain, (), choice))
    machine = asked.machine
    if asked.exact and not machine.vector:
        machine = Machine(machine.name, element, 16)
    wanted = "direct" in asked.schedules
    direct = plan(equation, machine, element, asked.exact, asked.pick, accumulate) if wanted else None
    if direct is not None:
        yield Offer("direct", direct.cycles, lambda choice: made(
            *_direct_steps(direct, accumulate, machine.lanes(element), asked.constant), choice), direct.shape)


def _direct_steps(p: Plan, accumulate: bool, lanes: int,
                  constant: frozenset[str]) -> tuple[tuple[Step, ...], tuple[Tensor, ...]]:
    """Copies of what stays the same, outputs that nothing reaches, then all other copies with the tiles."""
    first = [c for c in p.copies if c.source.name in constant]
    later = [c for c in p.copies if c not in first]
    meaning: tuple[Equation | Region, ...] = (*(c.equation for c in later), *(t.region for t in p.tiles))
    body, workspace = shared_nest(later, p.tiles, accumulate, lanes)
    zeros = [Step((r,), (Label(r.output), *zero_nest(r))) for r in p.empty if not accumulate]
    before = [Step((c.equation,), whole_copy(c, lanes)) for c in first]
    return (*before, Step(meaning, body), *zeros), (*(c.packed for c in first), *workspace)
