"""The C function of an equation, by the schedule that is estimated to be the fastest. A schedule is a row of ROWS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import prod

from symconv.c_bilinear import bilinear_functions
from symconv.c_routine import CTYPES
from symconv.c_target import CFunction, nest_function
from symconv.c_vector import BYTES
from symconv.derivation import Function
from symconv.readback.check import read_back
from symconv.schedule.program import PLAIN, Asked, Choice, Offer, Program, choose, offsets, programs

Row = Callable[[Function, Mapping[str, str], bool, Asked], Iterator[Offer[CFunction]]]


def c_function(function: Function, types: Mapping[str, str], accumulate: bool = False,
               asked: Asked = PLAIN) -> CFunction:
    """Schedule and print one function.

    Raises:
        NotSupported: the type cannot hold the result (a fraction or an exponential in integers).
        Misread: the schedule does not compute the equation, a defect of symconv.
        LimitExceeded: an index might not fit a C int, or showing that all is right would take too long.
    """
    tensors = (*function.arguments, function.equation.output)
    ctypes = {CTYPES[types[t.name]] for t in tensors}
    asked = asked if len(ctypes) == 1 and ctypes <= set(BYTES) else PLAIN
    return choose((o for row in ROWS for o in row(function, types, accumulate, asked)), asked)


def _nests(function: Function, types: Mapping[str, str], accumulate: bool, asked: Asked) -> Iterator[Offer[CFunction]]:
    """Loops over steps."""
    element = BYTES.get(CTYPES[types[function.equation.output.name]], 1)

    def printed(made: Callable[[Choice], Program], choice: Choice) -> CFunction:
        p = made(choice)
        proof = read_back(function.equation, [s.body for s in p.steps], p.workspace,
                          offsets((prod(t.extents) for t in p.workspace), element), accumulate)
        text = nest_function(function, types, p, asked.constant)
        return replace(text, facts=(*text.facts, str(proof)))

    for o in programs(function.equation, accumulate, element, asked):
        yield Offer(o.schedule, o.cycles, partial(printed, o.made), o.shape)


ROWS: tuple[Row, ...] = (_nests, bilinear_functions)
