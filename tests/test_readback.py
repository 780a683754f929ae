"""Schedules read back: what is right is proved, and every change of a node that matters is found."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from itertools import product
from math import prod

import numpy as np
import pytest
import run_nodes

import symconv
from symconv import c_function
from symconv.affine import Affine
from symconv.derivation import derive
from symconv.emit import emit
from symconv.equation import Equation
from symconv.errors import LimitExceeded
from symconv.family import random_equation, random_layer
from symconv.readback.arrays import read_back_arrays
from symconv.readback.boxes import Box, add, gathered, resolved, swept, vanished
from symconv.readback.check import read_back
from symconv.readback.records import Misread
from symconv.readback.terms import size
from symconv.schedule import nodes
from symconv.schedule.arrays import plan
from symconv.schedule.machine import MACHINES
from symconv.schedule.program import Asked, Program, offsets, program
from symconv.summands import check_sums
from symconv.validate import load_numpy


def functions(layer) -> list[tuple[Equation, bool]]:
    """The equations of a layer, and whether each is a gradient."""
    d = derive(layer)
    return [(f.at(dict(d.system.sizes)).equation, f.proof is not None) for f in d.functions]


def proved(e: Equation, p: Program, accumulate: bool = False) -> int:
    starts = offsets((prod(t.extents) for t in p.workspace), 4)
    return read_back(e, [s.body for s in p.steps], p.workspace, starts, accumulate).boxes


@pytest.mark.parametrize("seed", range(40))
def test_schedules_of_the_whole_family_are_proved(seed: int):
    rng = random.Random(f"readback:{seed}")
    layer = random_layer(rng, channels=(3, 3, 20)[seed % 3]) if seed % 4 else random_equation(rng)
    for e, gradient in functions(layer):
        adds = gradient and seed % 5 == 0
        for schedule in ("plain", "direct"):
            asked = Asked(list(MACHINES.values())[seed % 4], seed % 7 == 0, (schedule,), seed if seed % 3 else None)
            assert proved(e, program(e, adds, 4, asked), adds) >= 0
        chosen = plan(e, seed % 2 == 0)
        assert read_back_arrays(e, chosen.steps, chosen.zeroed).boxes >= 0


def test_large_layers_take_few_boxes():
    layer = symconv.Conv((56, 56), (3, 3), 64, 64, padding=1)
    for e, _ in functions(layer):
        assert proved(e, program(e, False, 4, Asked(MACHINES["avx512"]))) <= 100


# Changes of nodes.


def changed(value: object) -> Iterator[object]:
    """A value with one small error in it, in each of the places there are."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value - 1)
    elif isinstance(value, Affine):
        yield from (value + 1, value - 1)
        yield from (value + Affine.of(n) for n in sorted(value.names))
    elif isinstance(value, tuple):
        if len(value) > 1 and all(isinstance(v, nodes.Loop | nodes.Store | nodes.MultiplyAdd) for v in value):
            yield value[::-1]
        for k, v in enumerate(value):
            if isinstance(v, nodes.Node) and not isinstance(v, nodes.Label | nodes.Declare | nodes.Accumulator
                                                            | nodes.Pointer | nodes.Fetch | nodes.Shift
                                                            | nodes.Buffer):
                yield (*value[:k], *value[k + 1:])  # left out
            for w in changed(v):
                yield (*value[:k], w, *value[k + 1:])
    elif is_dataclass(value) and not isinstance(value, symconv.Tensor):
        for f in fields(value):
            if f.name not in ("name", "tensor", "function", "equality", "pointer", "place", "value") or \
                    (isinstance(value, nodes.Store) and f.name == "value"):
                for w in changed(getattr(value, f.name)):
                    yield replace(value, **{f.name: w})


CHANGED = {
    "plain": (symconv.Conv(5, 2, 2, padding=1), "generic", ("plain",)),
    "strided, plain": (symconv.Conv(7, 3, stride=2, dilation=3, padding=3), "generic", ("plain",)),
    "tiles": (symconv.Conv(6, 2, 3, 5, bias=True, padding=1), "neon", ("direct",)),
    "squares": (symconv.Conv((3, 4), (1, 1), 5, 6), "neon", ("direct",)),
    "strided tiles": (symconv.Conv(9, 3, 2, 4, stride=2, padding=1), "neon", ("direct",)),
}


def numbers(e: Equation, p: Program) -> list[int | None]:
    """The output of a program, run on numbers of which no two sums are alike."""
    rng = random.Random(str(e))
    memory: run_nodes.Memory = {t.name: [rng.randrange(10**6) for _ in range(size(t))] for t in e.reads}
    memory[e.output.name] = [None] * size(e.output)
    run_nodes.run([s.body for s in p.steps], memory, p.workspace)
    return memory[e.output.name]


@pytest.mark.parametrize("name", CHANGED)
def test_every_change_of_a_node_that_matters_is_found(name: str):
    """A wrong number anywhere, or an access outside, has to be noticed without running anything."""
    layer, isa, schedules = CHANGED[name]
    found = 0
    for e, _ in functions(layer):
        p = program(e, False, 4, Asked(MACHINES[isa], schedules=schedules))
        right = numbers(e, p)
        for k, s in enumerate(p.steps):
            for body in changed(s.body):
                wrong = replace(p, steps=(*p.steps[:k], replace(s, body=body), *p.steps[k + 1:]))
                try:
                    proved(e, wrong)
                except Misread:
                    found += 1
                else:
                    assert numbers(e, wrong) == right, body
    assert found > 100


def test_the_smallest_wrong_index_is_named():
    (e, _), *_ = functions(symconv.Conv(9, 3))
    p = program(e, False, 4)
    first, *rest = p.steps[0].body
    short = replace(p, steps=(replace(p.steps[0], body=(replace(first, high=(Affine.of(6),)), *rest)),))
    with pytest.raises(Misread, match=r"internal error, nothing is emitted: y\[6\] is never set"):
        proved(e, short)
    with pytest.raises(Misread, match=r"y\[0\] gets w\[0\] \* x\[0\] 1 time too often"):
        other = Equation(e.left, [replace(t, factors=(t.factors[0], t.factors[1].substitute({"i": Affine.of("i") + 1})))
                                  for t in e.terms])
        proved(other, p)


def test_a_schedule_that_is_wrong_is_not_emitted(monkeypatch: pytest.MonkeyPatch):
    right = c_function.programs

    def wrong(*arguments: object) -> Iterator[object]:
        for offer in right(*arguments):
            made = offer.made
            yield replace(offer, made=lambda c, made=made: replace(made(c), steps=made(c).steps[:0]))

    monkeypatch.setattr(c_function, "programs", wrong)
    with pytest.raises(Misread, match=r"y\[0, 0\] is never set"):
        emit(symconv.Conv((4, 4), (2, 2)), ("c",))


# Boxes.


def points(b: Box) -> Counter[tuple[int, ...]]:
    found: Counter[tuple[int, ...]] = Counter()
    for ks in product(*(range(n) for _, n in b.steps)):
        moves = [[k * c for c in d] for k, (d, _) in zip(ks, b.steps, strict=True)]
        found[tuple(map(sum, zip(b.base, *moves, strict=True)))] += 1
    return found


def total(boxes: dict[Box, Fraction]) -> dict[tuple[int, ...], Fraction]:
    found: dict[tuple[int, ...], Fraction] = {}
    for b, c in boxes.items():
        for p, n in points(b).items():
            found[p] = found.get(p, Fraction(0)) + c * n
    return {p: c for p, c in found.items() if c}


@pytest.mark.parametrize("seed", range(60))
def test_sums_of_boxes_keep_their_value(seed: int):
    rng = random.Random(seed)

    def box() -> Box:
        return Box((rng.randint(-3, 3), rng.randint(-3, 3)), tuple(
            ((rng.randint(-3, 3), rng.randint(-3, 3)), rng.randint(1, 4)) for _ in range(rng.randint(0, 3))))

    made: dict[Box, Fraction] = {}
    value: dict[tuple[int, ...], Fraction] = {}
    for _ in range(rng.randint(1, 6)):
        b, c = box(), Fraction(rng.choice((1, 1, -1, 2)))
        add(made, b, c)
        for p, n in points(b).items():
            value[p] = value.get(p, Fraction(0)) + c * n
    value = {p: c for p, c in value.items() if c}
    assert total(made) == total(swept(made)) == total(gathered(made)) == total(vanished(made)) == value
    assert bool(vanished(made)) == bool(value)
    b = Box((*box().base, rng.randint(-2, 4)), tuple(((*d, rng.randint(-2, 2)), n) for d, n in box().steps))
    inside = Counter()
    for part in resolved(b, 2):
        inside += points(part)
    expected: Counter[tuple[int, ...]] = Counter()
    for p, n in points(b).items():
        if p[2] >= 0:
            expected[p[:2]] += n
    assert inside == expected


# What integers hold.


def test_an_index_beyond_int_is_refused():
    """Every array has fewer than 2^31 elements; i + j - 5 may pass that on the way."""
    layer = symconv.Conv(2**31 - 10, 3, padding=5)
    with pytest.raises(LimitExceeded, match="a C int ends at 2147483647"):
        emit(layer, ("c",))


def test_sums_that_may_leave_int32_are_refused():
    fits = emit(symconv.Conv(1, 1, 131071), ("c",), "int8")
    assert "No sum of products leaves int32: at most 131071 of them, 2147467264 in all." in fits.files[f"{fits.stem}.c"]
    with pytest.raises(LimitExceeded, match="forward adds up to 131072 products of integers as large as 16384"):
        emit(symconv.Conv(1, 1, 131072), ("c",), "int8")
    emit(symconv.Conv(1, 1, 131072), ("c",))


def test_the_largest_integers_fill_the_bound_and_no_more():
    """-128 everywhere: the sum is what the header says."""
    p = emit(symconv.Conv(3, 3, 5, padding=1), ("numpy",), "int8")
    module = load_numpy(p)
    arrays = {t.name: np.full(t.array_shape, -128, p.types[t.name]) for f in p.functions for t in f.arguments}
    bounds = check_sums(p.system, p.functions, p.types)
    for f in p.functions:
        largest = np.abs(getattr(module, f.name)(*(arrays[t.name] for t in f.arguments)).astype(np.int64)).max()
        assert f"{largest} in all" in bounds[f.name][0]
