"""Tiles of every shape, run statement by statement: inside their arrays, exact, and without products with padding."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import product

import nested_loops
import numpy as np
import pytest
from node_machine import UNWRITTEN, NodeMachine

import symconv
from symconv.derivation import Function, derive
from symconv.emit import emit
from symconv.errors import NotSupported
from symconv.native import find_compiler
from symconv.schedule.direct import Shape, plan
from symconv.schedule.edges import decided
from symconv.schedule.machine import Machine
from symconv.schedule.program import Asked, program
from symconv.schedule.regions import Region, regions
from symconv.schedule.tiles import start_of
from symconv.schedule.updates import order_of
from symconv.validate import validate

TWO_LANES, FOUR_LANES = Machine("two lanes", 8, 12), Machine("four lanes", 16, 12)
LAYERS = {
    "padding": symconv.Conv((5, 7), (3, 3), 2, 4, padding=1),
    "stride, dilation": symconv.Conv((8, 9), (2, 3), 2, 4, stride=(2, 3), dilation=(1, 2), padding=(1, 0)),
    "depthwise": symconv.Conv((6, 9), (3, 3), 4, 4, groups=4, padding=1),
    "transposed": symconv.Conv((3, 4), (3, 2), 2, 2, stride=2, padding=1, transposed=True),
    "1-D, even kernel": symconv.Conv(9, 4, 1, 2, padding=2),
    "rows of several vectors": symconv.Conv((3, 18), (2, 3), 1, 1, padding=1),
}


def functions(layer: symconv.Conv) -> Iterator[Function]:
    d = derive(layer)
    return (f.at(dict(d.system.sizes)) for f in d.functions)


def expected(layer: symconv.Conv, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Whole numbers for every array, and the results by nested loops."""
    x, w = (rng.integers(-4, 5, s) for s in (nested_loops.input_shape(layer), nested_loops.weight_shape(layer)))
    y = nested_loops.forward(layer, x, w)
    dy = rng.integers(-4, 5, y.shape)
    grads = nested_loops.gradients(layer, x, w, dy)
    return {"x": x, "w": w, "dy": dy}, {"forward": y, "grad_x": grads["x"], "grad_w": grads["w"]}


@pytest.mark.parametrize("machine", [TWO_LANES, FOUR_LANES], ids=lambda m: m.name)
@pytest.mark.parametrize("name", LAYERS)
def test_statements_of_any_shape_are_exact_and_stay_inside(name: str, machine: Machine):
    arrays, results = expected(LAYERS[name], np.random.default_rng(5))
    rng, shapes = random.Random(name), []
    for f in functions(LAYERS[name]):
        for pick in (None, *rng.sample(range(10**5), 6)):
            made = program(f.equation, False, 4, Asked(machine, schedules=("direct",), pick=pick))
            out = f.equation.output.name
            run = NodeMachine({t.name: arrays[t.name].ravel() for t in f.arguments}
                              | {t.name: np.full(int(np.prod(t.extents)), UNWRITTEN) for t in made.workspace}
                              | {out: np.full(int(np.prod(f.equation.output.extents)), UNWRITTEN)})
            for step in made.steps:
                run.run(step.body)
            np.testing.assert_array_equal(run.arrays[out], results[f.name].ravel(), err_msg=f"{f.name} {made.choice}")
            shapes.append(made.choice.shape)
    found = [s for s in shapes if isinstance(s, Shape)]
    assert {s.padded for s in found} == {True, False} and any(s.written for s in found)


def test_without_padding_no_product_with_a_zero_is_left():
    """Where the lane is no axis of the image, every multiply-add is one of the sum's products."""
    layer, seen = symconv.Conv((5, 7), (3, 3), 2, 4, padding=1), 0
    real = sum(1 for _ in nested_loops.products(layer))
    arrays, _ = expected(layer, np.random.default_rng(0))
    (forward, *_) = functions(layer)
    for pick in range(0, 1200, 29):
        made = program(forward.equation, False, 4, Asked(TWO_LANES, schedules=("direct",), pick=pick))
        s = made.choice.shape
        if isinstance(s, Shape) and s.lane == "f" and s.vectors == 1:
            run = NodeMachine({t.name: arrays[t.name].ravel() for t in forward.arguments}
                              | {t.name: np.zeros(int(np.prod(t.extents)), int) for t in made.workspace}
                              | {"y": np.zeros(4 * 5 * 7, int)})
            for step in made.steps:
                run.run(step.body)
            assert (2 * run.multiplied == real) == (not s.padded), s
            seen |= 1 + s.padded
    assert seen == 3


def test_sums_run_through_their_taps_in_order():
    """So that roundings do not depend on the tile."""
    rng, reordered = random.Random(3), 0
    for f in (f for name in ("padding", "depthwise", "transposed") for f in functions(LAYERS[name])):
        for pick in rng.sample(range(10**5), 6):
            p = plan(f.equation, TWO_LANES, 4, pick=pick)
            for t in p.tiles if p else ():
                for s in start_of(t.region)[1]:
                    updates = [u for g in order_of(t, s).groups for u in g]
                    for target in {u.target for u in updates}:
                        taps = [u.tap for u in updates if u.target == target]
                        assert taps == sorted(set(taps))
                    reordered += [u.tap for u in updates] != sorted(u.tap for u in updates)
    assert reordered


def places(r: Region) -> list[tuple[tuple[int, ...], ...]]:
    """Every product of a region whose elements all exist: where its output and its elements are."""
    found = []
    for s in r.sweeps:
        loops = (*r.loops, *s.loops)
        for point in product(*(range(q.extent) for q in loops)):
            at = dict(zip([q.name for q in loops], point, strict=True))
            reads = [tuple(e.evaluate(at) for e in f.indices) for f in s.term.factors]
            if all(0 <= k < n for f, i in zip(s.term.factors, reads, strict=True)
                   for k, n in zip(i, f.tensor.extents, strict=True)):
                found.append((tuple(e.evaluate(at) for e in r.output.indices), *reads))
    return sorted(found)


@pytest.mark.parametrize("name", ["padding", "transposed", "1-D, even kernel"])
def test_pieces_between_edges_hold_every_product_once(name: str):
    cut = 0
    for f in functions(LAYERS[name]):
        for region in regions(f.equation):
            names = [r.name for r in region.loops]
            for fixed in ((), names[-1:], names[-2:]):
                pieces = tuple(decided(region, fixed))
                cut += len(pieces) > 1
                assert sorted(q for p in pieces for q in places(p)) == places(region)
                for p in pieces:
                    check_decided(p, fixed)
    assert cut


def check_decided(p: Region, fixed: list[str] | tuple[str, ...]) -> None:
    """Whatever the fixed names are, an element is there for all values of the others, or for none."""
    for s in p.sweeps:
        extents = {r.name: r.extent for r in (*p.loops, *s.loops)}
        for e, n in ((e, n) for f in s.term.factors for e, n in zip(f.indices, f.tensor.extents, strict=True)):
            own, others = [m for m in fixed if m in extents], [m for m in e.names if m not in fixed]
            for point in product(*(range(extents[m]) for m in own)):
                at = dict(zip(own, point, strict=True))
                there = {0 <= e.evaluate(at | dict(zip(others, q, strict=True))) < n
                         for q in product(*(range(extents[m]) for m in others))}
                assert not others or len(there) == 1, f"{e} in {p}"


def test_too_many_pieces_are_refused():
    (forward, *_) = functions(symconv.Conv((9, 9), (9, 9), padding=4))
    with pytest.raises(NotSupported, match="too many pieces"):
        tuple(decided(regions(forward.equation)[0], ()))


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("name", ["padding", "depthwise", "rows of several vectors"])
def test_compiled_tiles_of_any_shape_are_exact(name: str):
    validate(emit(LAYERS[name], ("c",), isa="avx2", schedules=("direct",), pick=sum(map(ord, name)))).require()
