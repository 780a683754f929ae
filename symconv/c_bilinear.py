"""The bilinear schedule: what an equation's C function is by a proved bilinear program, and what to hold it to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

from symconv.bilinear.bounds import error_bound, in_integers
from symconv.bilinear.c_kernel import Printer, check_printable
from symconv.bilinear.candidates import Candidate, candidates
from symconv.bilinear.cost import cost, cycles
from symconv.bilinear.plan import Plan
from symconv.bilinear.program import Program
from symconv.bilinear.story import Story, story
from symconv.bilinear.verify import check_program
from symconv.c_target import CFunction, Rounded, parameters
from symconv.c_vector import BYTES, vector_typedef
from symconv.derivation import Function
from symconv.errors import LimitExceeded, NotSupported
from symconv.schedule.loops import loop_nest
from symconv.schedule.program import Asked, Choice, Offer

HELD = 4  # vector registers beside the accumulators of a matrix product


@dataclass(frozen=True)
class Shape:
    """The algorithm, how far its error bound is beyond that of the plain sum, and the plan."""

    candidate: Candidate

    def __repr__(self) -> str:
        plan = self.candidate.plan
        return f"{story(plan.program).name} along {', '.join(self.candidate.tiles)}, {plan}"


def bilinear_functions(function: Function, types: Mapping[str, str], accumulate: bool,
                       asked: Asked) -> Iterator[Offer[CFunction]]:
    """The cheapest proved program, in single precision, where an order of summation is not asked for."""
    single = all(types[t.name] == "float32" for t in (*function.arguments, function.equation.output))
    wanted = "bilinear" in asked.allowed and asked.machine.vector
    if not wanted or not single or accumulate:
        return
    lanes, registers = asked.machine.lanes(4), asked.machine.registers - HELD
    found = sorted(candidates(function.equation, lanes, registers=registers), key=lambda c: cycles(c.plan))
    if not found:
        return
    candidate = found[0 if asked.pick is None else asked.pick % len(found)]
    try:
        check_printable(candidate.plan)
    except (LimitExceeded, NotSupported):
        return
    if check_program(candidate.plan.program).proved:
        yield Offer("bilinear", cycles(candidate.plan), partial(_printed, function, candidate), Shape(candidate))


def _printed(function: Function, candidate: Candidate, choice: Choice) -> CFunction:
    plan, told = candidate.plan, story(candidate.plan.program)
    program, factor = in_integers(plan.program)
    whole = _function(replace(plan, program=program), function, "double", choice)
    bound = partial(error_bound, plan.program)
    rounded = Rounded(bound, whole, factor, _growth(program), _note(told), told)
    made = _function(plan, function, "float", choice)
    checked = "Checked against the equation: every matrix on a tile, the steps by proof."
    facts = (*made.facts, *told.lines(), str(cost(plan)), checked)
    return replace(made, facts=facts, rounded=rounded)


def _function(plan: Plan, function: Function, ctype: str, choice: Choice) -> CFunction:
    printer = Printer(plan, ctype, apart=False, prefix=f"{function.name}_")
    lent = printer.workspace
    types = dict.fromkeys((t.name for t in (*function.arguments, function.equation.output)),
                          {"float": "float32", "double": "float64"}[ctype])
    unread = tuple(t.name for t in function.arguments if t not in plan.program.equation.reads)
    typedef = vector_typedef(ctype, plan.lanes)
    products, multiplications = loop_nest(function.equation, False).products, prod(plan.extents.values())
    count = f"{multiplications} multiplications in its matrix products, for a sum of {products} terms."
    return CFunction(function, choice, parameters(function, types, lent), (), (printer.main("").body,), (),
                     (typedef, printer.static()), unread, lent * BYTES[ctype],
                     products, multiplications, (count,))


def _growth(program: Program) -> int:
    """How much larger than the sum of magnitudes anything in a program with whole constants can get, at most."""
    def norm(matrix: Any) -> int:
        return int(max(sum(map(abs, row)) for row in matrix.rows))

    return prod(norm(a.form.outputs.T) * norm(a.form.taps) * norm(a.form.signal) for a in program.axes)


def _note(told: Story) -> str:
    return (f"{told.name}: in float32 the error is at most gamma_{told.roundings} = {told.roundings} * 2^-24 (nearly) "
            f"times the sum of magnitudes through its transforms, which is up to {told.amplification:.1f} times "
            "that of the plain sum for values of one size.")
