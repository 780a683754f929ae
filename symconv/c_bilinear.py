"""The bilinear schedule: what an equation's C function is by a proved bilinear program, and what to hold it to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod
from typing import Any

from symconv.bilinear.bounds import error_bound, in_integers
from symconv.bilinear.c_kernel import Printer, check_printable
from symconv.bilinear.candidates import Candidate, candidates
from symconv.bilinear.cost import cost, cycles
from symconv.bilinear.cover import check_cover
from symconv.bilinear.packing import Packed, packed
from symconv.bilinear.program import Program
from symconv.bilinear.story import Story, story
from symconv.bilinear.verify import check_program
from symconv.c_routine import CStep, Local, routines, shape_text
from symconv.c_target import CFunction, Rounded, printed_steps, vector_helpers
from symconv.c_vector import vector_typedef
from symconv.decide.prover import prove_equal
from symconv.derivation import Function
from symconv.equation import Tensor
from symconv.errors import LimitExceeded, NotSupported
from symconv.schedule.loops import loop_nest
from symconv.schedule.program import Asked, Choice, Offer, Step

HELD = 4  # vector registers beside the accumulators of a matrix product


@dataclass(frozen=True)
class Shape:
    """The algorithm with its tiles, and a plan of it, over copies or not."""

    candidate: Candidate
    packed: Packed

    @property
    def cycles(self) -> float:
        return cycles(self.packed)

    def __repr__(self) -> str:
        plan = self.packed.plan
        copies = [t.name for t in self.packed.tensors]
        return (f"{story(plan.program).name} along {', '.join(self.candidate.tiles)}, {plan}"
                + f"; copies {', '.join(copies)}" * bool(copies))


def bilinear_functions(function: Function, types: Mapping[str, str], accumulate: bool,
                       asked: Asked) -> Iterator[Offer[CFunction]]:
    """The cheapest proved program, in single precision, where an order of summation is not asked for."""
    single = all(types[t.name] == "float32" for t in (*function.arguments, function.equation.output))
    wanted = "bilinear" in asked.allowed and asked.machine.vector
    if not wanted or not single or accumulate:
        return
    lanes, registers = asked.machine.lanes(4), asked.machine.registers - HELD
    found = sorted((s for c in candidates(function.equation, lanes, registers=registers) for s in _shapes(c)),
                   key=lambda s: s.cycles)
    if not found:
        return
    shape = found[0 if asked.pick is None else asked.pick % len(found)]
    if _is_proved(shape, function):
        yield Offer("bilinear", shape.cycles, partial(_printed, function, shape, asked), shape)


def _shapes(c: Candidate) -> Iterator[Shape]:
    """The plan on the arrays as they are, on copies of those that do not suit it, and of those it reaches beyond."""
    seen: set[tuple[Tensor, ...]] = set()
    for over in (Packed, packed, partial(packed, edges=True)):
        try:
            found = over(c.plan)
            check_printable(found.plan)
        except (LimitExceeded, NotSupported):
            continue
        if found.tensors not in seen:
            seen.add(found.tensors)
            yield Shape(c, found)


def _is_proved(shape: Shape, function: Function) -> bool:
    """Is the program that of its equation, and that of the copies, put into each other, the function's?"""
    program = shape.packed.plan.program
    return check_program(program).proved and prove_equal(shape.packed.meaning, function.equation).proved


def _printed(function: Function, shape: Shape, asked: Asked, choice: Choice) -> CFunction:
    plan, bare = shape.packed.plan, shape.candidate.plan.program
    told = story(bare)
    program, factor = in_integers(plan.program)
    whole = _function(replace(shape.packed, plan=replace(plan, program=program)), function, "double", choice, asked)
    rounded = Rounded(partial(error_bound, bare), whole, factor, _growth(program), _note(told), told)
    made = _function(shape.packed, function, "float", choice, asked)
    checked = ("Checked against the equation: every matrix on a tile, the steps by proof; "
               f"{check_cover(plan)} pieces of its matrix products are all of them, once.")
    facts = (*made.facts, *told.lines(), str(cost(plan)), checked)
    return replace(made, facts=facts, rounded=rounded)


def _function(made: Packed, function: Function, ctype: str, choice: Choice, asked: Asked) -> CFunction:
    plan = made.plan
    printer = Printer(plan, ctype, apart=False, prefix=f"{function.name}_")
    types = dict.fromkeys((t.name for t in (*function.arguments, function.equation.output)),
                          {"float": "float32", "double": "float64"}[ctype])
    before = [Step((c.equation,), nest) for c, nest in zip(made.copies, made.nests(plan.lanes), strict=False)]
    after = [Step((e,), made.nests(plan.lanes)[-1]) for e in (made.unpacking,) if e is not None]
    moved, _ = printed_steps(function, types, [*before, *after], made.tensors)
    steps = _in_order(moved[:len(before)], _products(printer), moved[len(before):])
    local = [*(Local(t.name, prod(t.extents), shape_text(t.extents)) for t in made.tensors),
             *(Local(s.name, s.size) for s in printer.kept)]
    routine, prepared = routines(function, types, steps, local, asked.constant)
    helpers = vector_helpers([n for s in (*before, *after) for n in s.body], ctype)
    typedef = vector_typedef(ctype, plan.lanes)
    products, multiplications = loop_nest(function.equation, False).products, prod(plan.extents.values())
    count = f"{multiplications} multiplications in its matrix products, for a sum of {products} terms."
    return CFunction(function, choice, routine, (), (*dict.fromkeys((typedef, *helpers)), printer.static()),
                     products, multiplications, (count,), prepared)


def _products(printer: Printer) -> list[CStep]:
    """The taps made ready where that is done once, and the rounds."""
    plan = printer.plan
    (taps,), (signal,) = (frozenset(t.name for t in step.reads if t not in plan.program.constants)
                          for step in plan.program.steps[:2])
    more = frozenset(f.tensor.name for t in printer.more for f in t.factors)
    kept = frozenset(s.name for s in printer.kept)
    result = frozenset({plan.program.equation.output.name})
    if not plan.prepares:
        return [CStep(printer.rounds(), frozenset({taps, signal}) | more, kept | result)]
    return [CStep((printer.preparation(),), frozenset({taps}), frozenset({"U"})),
            CStep(printer.rounds(), frozenset({"U", signal}) | more, kept - {"U"} | result)]


def _in_order(copies: Sequence[CStep], products: Sequence[CStep], back: Sequence[CStep]) -> list[CStep]:
    """Each copy just before the first step that reads it: what belongs to the taps comes first."""
    found: list[CStep] = []
    for step in products:
        found += [c for c in copies if c.writes & step.reads and c not in found]
        found.append(step)
    return [*found, *back]


def _growth(program: Program) -> int:
    """How much larger than the sum of magnitudes anything in a program with whole constants can get, at most."""
    def norm(matrix: Any) -> int:
        return int(max(sum(map(abs, row)) for row in matrix.rows))

    return prod(norm(a.form.outputs.T) * norm(a.form.taps) * norm(a.form.signal) for a in program.axes)


def _note(told: Story) -> str:
    return (f"{told.name}: in float32 the error is at most gamma_{told.roundings} = {told.roundings} * 2^-24 (nearly) "
            f"times the sum of magnitudes through its transforms, which is up to {told.amplification:.1f} times "
            "that of the plain sum for values of one size.")
