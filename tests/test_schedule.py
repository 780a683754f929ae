"""Laws of the schedule: regions cover each output once, and no product is lost, doubled or made up."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from itertools import product

import pytest

from symconv import Constraint, Conv, Dense, Equation, Tensor, Term, at_least, equal, indices
from symconv.derivation import derive
from symconv.errors import NotSupported, SymconvError
from symconv.family import random_layer
from symconv.schedule import loops, regions

Element = tuple[str, tuple[int, ...]]
Point = tuple[Element, object, tuple[Element, ...]]  # output element, coefficient, elements multiplied


def concrete(layer) -> list[Equation]:
    """The forward and every gradient of a layer, with numbers for all sizes."""
    d = derive(layer)
    return [f.at(dict(d.system.sizes)).equation for f in d.functions]


def element(access, at) -> Element:
    return access.tensor.name, tuple(e.evaluate(at) for e in access.indices)


def enumerated(e: Equation, reach: int | None = None) -> Counter[Point]:
    """Every product of an equation by brute force: all values of all indices, then every condition."""
    found: Counter[Point] = Counter()
    for t in e.terms:
        extents = [n for f in t.factors for n in f.tensor.extents]
        wide = reach or max([1, *extents])
        spans = [*map(range, e.output.extents), *[range(-wide, wide + 1)] * len(t.indices)]
        names = (*e.indices, *t.indices)
        conditions = t.domain()
        for values in product(*spans):
            at = dict(zip(names, values, strict=True))
            if all(c.holds(at) for c in conditions):
                factors = tuple(sorted(element(f, at) for f in t.factors))
                found[element(e.left, at), t.coefficient, factors] += 1
    return found


def swept(e: Equation) -> Counter[Point]:
    """Every product that the regions' sweeps add up."""
    found: Counter[Point] = Counter()
    for region in regions.regions(e):
        for s in region.sweeps:
            ranges = (*region.loops, *s.loops)
            count = 0
            for values in product(*(range(r.extent) for r in ranges)):
                at = dict(zip([r.name for r in ranges], values, strict=True))
                if all(c.holds(at) for c in s.constraints):
                    count += 1
                    found[element(region.output, at), s.term.coefficient,
                          tuple(sorted(element(f, at) for f in s.term.factors))] += 1
            assert count == loops.points(s, region.loops), f"points() miscounts {s} over {region.loops}"
    return found


class Walk:
    """Run a loop nest without numbers: which element each store reaches, and the products that end up in it."""

    def __init__(self, nest: loops.LoopNest) -> None:
        self.held: dict[Element, Counter[Point]] = {}
        self.stores: Counter[Element] = Counter()
        self.products = 0
        for part in nest.parts:
            self.run(part.body, {}, {})

    def run(self, body, at: dict[str, int], local: dict[str, dict[int, Counter[Point]]]) -> None:
        for n in body:
            if isinstance(n, loops.Loop):
                low, high = max(e.evaluate(at) for e in n.low), min(e.evaluate(at) for e in n.high)
                for value in range(low, high):
                    self.run(n.body, {**at, n.name: value}, {**local, "lane": n.name})
            elif isinstance(n, loops.Guard):
                if all(c.holds(at) for c in n.conditions):
                    self.run(n.body, at, local)
            elif isinstance(n, loops.Scope):
                self.run(n.body, at, dict(local))
            elif isinstance(n, loops.Declare):
                local[n.name] = {k: self.value(n.value, at) for k in range(n.extent or 1)}
            else:
                self.store(n, at, local)

    def value(self, p: loops.Product | None, at: dict[str, int]) -> Counter:
        if p is None or (not p.factors and p.coefficient == 0):
            return Counter()
        self.products += 1
        return Counter({(p.coefficient, tuple(sorted(element(f, at) for f in p.factors))): 1})

    def store(self, n: loops.Store, at: dict[str, int], local) -> None:
        lane = at[local["lane"]] if "partial" in (n.target, n.value) else 0
        if isinstance(n.value, str):
            value = Counter(local[n.value][lane if n.value == "partial" else 0])
        else:
            value = self.value(n.value, at)
        if isinstance(n.target, str):
            place, key = local[n.target], lane if n.target == "partial" else 0
        else:
            place, key = self.held, element(n.target, at)
            inside = zip(key[1], n.target.tensor.extents, strict=True)
            assert all(0 <= i < extent for i, extent in inside), f"a store to {key} outside the output"
            self.stores[key] += not n.add
        if n.add:
            assert key in place, f"{key} is added to before it holds anything"
            place[key] = place[key] + value
        else:
            place[key] = value

    def points(self) -> Counter[Point]:
        return Counter({(to, *p): n for to, made in self.held.items() for p, n in made.items()})


def assert_scheduled(e: Equation, reach: int | None = None) -> None:
    expected = enumerated(e, reach)
    cover = Counter(element(r.output, dict(zip([q.name for q in r.loops], values, strict=True)))
                    for r in regions.regions(e) for values in product(*(range(q.extent) for q in r.loops)))
    whole = Counter((e.output.name, at) for at in product(*map(range, e.output.extents)))
    assert cover == whole, f"the regions of {e} do not cover each output once"
    assert swept(e) == expected, f"the sweeps of {e} do not hold its points"
    assert not any(c.equality for r in regions.regions(e) for s in r.sweeps for c in s.constraints)
    nest = loops.loop_nest(e)
    walk = Walk(nest)
    assert walk.points() == expected, f"the loop nest of {e} does not add up its points"
    assert walk.stores == whole, f"the loop nest of {e} does not store each output once"
    assert nest.products == sum(expected.values()) == walk.products
    assert nest.multiplications == sum(n * max(0, len(p[2]) - 1 + (abs(p[1]) != 1)) for p, n in expected.items())


def small(seed: int, rank: int) -> Conv:
    """A layer of the family small enough to enumerate."""
    rng = random.Random(f"schedule:{rank}:{seed}")
    while True:
        layer = random_layer(rng, rank)
        if cost(layer) < (30_000, 60_000, 60_000)[rank - 1]:
            return layer


def cost(layer: Conv) -> int:
    total = 0
    for e in concrete(layer):
        for t in e.terms:
            wide = 2 * max([1, *(n for f in t.factors for n in f.tensor.extents)]) + 1
            count = wide ** len(t.indices)
            for n in e.output.extents:
                count *= n
            total += count
    return total


@pytest.mark.parametrize("seed", range(24))
def test_random_1d_layers(seed: int):
    for e in concrete(small(seed, 1)):
        assert_scheduled(e)


@pytest.mark.parametrize("layer", [
    Conv((4, 3), (2, 2), stride=(2, 1), padding=((1, 0), (0, 1))),
    Conv((3, 3), (2, 2), stride=2, dilation=(1, 2), padding=1),
    Conv((2, 2), (2, 2), stride=(3, 2), transposed=True, output_padding=(2, 0)),
    Conv((3, 2), (2, 1), channels=2, filters=2, groups=2, flip=True, bias=True),
    Conv((2, 2), (3, 2), stride=2, dilation=(3, 1), padding=1, transposed=True),
    Dense(3, 2, batch=2, bias=True, activation="relu"),
], ids=lambda layer: layer.name)
def test_layers_of_more_axes(layer: Conv | Dense):
    for e in concrete(layer):
        assert_scheduled(e)


@pytest.mark.parametrize("rank", [2, 3])
@pytest.mark.parametrize("seed", range(12))
def test_random_layers_of_more_axes(seed: int, rank: int):
    """The same laws for large index spaces, the points taken from the walk the expanded form uses."""
    from symconv.points import points

    rng = random.Random(f"schedule:{rank}:{seed}")
    layer = random_layer(rng, rank)
    while sum(map(volume, concrete(layer))) > 12_000:
        layer = random_layer(rng, rank)
    for e in concrete(layer):
        expected: Counter[Point] = Counter()
        for t in e.terms:
            names = (*e.indices, *t.indices)
            for values in points(names, (*e.domain(), *t.domain())):
                at = dict(zip(names, values, strict=True))
                expected[element(e.left, at), t.coefficient, tuple(sorted(element(f, at) for f in t.factors))] += 1
        walk = Walk(loops.loop_nest(e))
        assert walk.points() == expected, f"{layer.command()}: {e}"
        assert swept(e) == expected, f"{layer.command()}: {e}"
        assert walk.stores == Counter((e.output.name, at) for at in product(*map(range, e.output.extents)))


def volume(e: Equation) -> int:
    return loops.loop_nest(e).products


i, j, k, m = indices("i j k m")
w, x, y = Tensor("w", 3), Tensor("x", 9), Tensor("y", 5)
a, b = Tensor("a", (4, 4)), Tensor("b", 4)
scalar = Tensor("s")
BY_HAND = {
    "reads that run backwards": Equation(y[i], w[j] * x[3 * i - 2 * j + 4]),
    "an equality between both indices": Equation(y[i], (w[j] * x[k]).where(equal(2 * k, 3 * i + 4 * j))),
    "an equality with no solution": Equation(y[i], (w[j] * x[k]).where(equal(2 * k, 4 * i + 2 * j + 1))),
    "an equality with gaps in the output": Equation(y[i], (w[j] * x[k]).where(equal(3 * i, 2 * k + j))),
    "two equalities": Equation(y[i], (w[j] * x[k]).where(equal(i + j, k), equal(2 * j, i))),
    "three indices in an equality": Equation(y[i], (w[j] * x[k] * b[m]).where(equal(2 * i + 3 * m, k + 5 * j - 1))),
    "an inequality between indices": Equation(b[i], Term((a[i, j], x[i + j])).where(at_least(i, j))),
    "a strict triangle": Equation(b[i], Term((a[i, j],)).where(at_least(2 * i, 3 * j + 1), at_least(j, 1))),
    "a diagonal": Equation(b[i], a[i, i]),
    "a trace": Equation(scalar[()], a[i, i]),
    "a full sum": Equation(scalar[()], a[i, j]),
    "a condition on the output alone": Equation(y[i], x[i].apply("relu") * Term((w[0],)).where(at_least(3, i))),
    "a square": Equation(y[i], x[i] * x[i + 1]),
    "coefficients and two terms": Equation(y[i], [2 * (w[j] * x[2 * i + j]), -1 * Term((x[i + 3],))]),
    "a constant that is never inside": Equation(y[i], w[j] * x[i + j + 9]),
    "an output read past both ends": Equation(y[i], x[4 * i - 5]),
    "a transposition": Equation(a[i, j], Term((Tensor("c", (4, 4))[j, i],))),
    "a long sum": Equation(scalar[()], Tensor("p", 1500)[i] * Tensor("q", 1400)[i + 50]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_equations_written_by_hand(name: str):
    e = BY_HAND[name]
    assert_scheduled(e, reach=1500 if name == "a long sum" else 12)


@pytest.mark.parametrize("name", [n for n in BY_HAND if n != "a long sum"])
def test_their_gradients(name: str):
    for e in concrete(BY_HAND[name])[1:]:
        assert_scheduled(e, reach=12)


@pytest.mark.parametrize("period", [2, 3, 4])
@pytest.mark.parametrize("seed", range(10))
def test_equalities_at_random(seed: int, period: int):
    rng = random.Random(f"{seed}:{period}")
    p, q, r = (rng.choice([-3, -2, -1, 1, 2, 3]) for _ in range(3))
    condition = equal(p * i + rng.randint(-3, 3), q * period * j + r * k)
    assert_scheduled(Equation(Tensor("y", rng.randint(1, 7))[i], (w[j] * x[k]).where(condition)), reach=12)


def test_points_counts_what_enumeration_counts():
    """points() over random boxes and constraints, coupled or not, empty or not."""
    rng = random.Random(5)
    names = ("i", "j", "k", "m")
    for _ in range(300):
        ranges = tuple(regions.Range(n, rng.randint(1, 5)) for n in names)
        constraints = []
        for _ in range(rng.randint(0, 3)):
            used = rng.sample((i, j, k, m), rng.randint(1, 3))
            expression = sum((rng.choice([-3, -2, -1, 1, 2, 3]) * n for n in used), rng.randint(-4, 6) + 0 * i)
            constraints.append(Constraint(expression))
        s = regions.Sweep(Term((), names[2:], tuple(constraints)), ranges[2:], tuple(constraints))
        counted = sum(all(c.holds(dict(zip(names, at, strict=True))) for c in constraints)
                      for at in product(*(range(r.extent) for r in ranges)))
        assert loops.points(s, ranges[:2]) == counted, (ranges, constraints)


def test_no_bound_is_left_out_and_none_is_needless():
    """Unpadded layers need no guard and no clipped bound; padded ones clip at the loop's head."""
    for layer in (Conv((8, 8), (3, 3)), Conv((9, 9), (3, 3), stride=2), Conv((8, 9), (3, 2), dilation=2)):
        forward = concrete(layer)[0]
        assert all(not s.constraints for r in regions.regions(forward) for s in r.sweeps)
    assert not any(isinstance(n, loops.Guard) for n in nodes(Conv((7, 6), (3, 3), padding=((0, 2), (1, 0)), stride=2)))


def nodes(layer: Conv) -> Iterator[loops.Node]:
    def inner(body):
        for n in body:
            yield n
            yield from inner(getattr(n, "body", ()))
    for e in concrete(layer):
        for part in loops.loop_nest(e).parts:
            yield from inner(part.body)


@pytest.mark.parametrize("seed", range(20))
def test_no_guard_is_dead_or_needless(seed: int):
    """Each condition holds somewhere and fails somewhere within the loops around it."""
    for e in concrete(random_layer(random.Random(f"guards:{seed}"))):
        for part in loops.loop_nest(e).parts:
            for guard, around in guards(part.body, ()):
                names = [n.name for n in around]
                spans = [range(n.low[0].constant, n.high[0].constant) for n in around]
                held = {all(c.holds(dict(zip(names, at, strict=True))) for c in guard.conditions)
                        for at in product(*spans)}
                assert held == {True, False}, f"{e}: {guard.conditions}"


def guards(body, around) -> Iterator[tuple[loops.Guard, tuple[loops.Loop, ...]]]:
    for n in body:
        if isinstance(n, loops.Guard):
            yield n, around
        yield from guards(getattr(n, "body", ()), (*around, n) if isinstance(n, loops.Loop) else around)


def test_strided_gradients_split_by_residue():
    """dL/dx of stride 2 by 3: one region for each residue, and no equality is left in any."""
    grad_x = concrete(Conv((8, 9), (3, 3), stride=(2, 3)))[1]
    places = [tuple(str(e) for e in r.output.indices) for r in regions.regions(grad_x)]
    assert sorted(places) == sorted((p, q) for p in ("2*m", "2*m + 1") for q in ("3*n", "3*n + 1", "3*n + 2"))


def test_accumulating_adds_and_never_overwrites():
    for e in concrete(Conv((4, 4), (2, 2), stride=2, padding=1)):
        for part in loops.loop_nest(e, accumulate=True).parts:
            stores = [n for n in walk_nodes(part.body) if isinstance(n, loops.Store) and not isinstance(n.target, str)]
            assert stores and all(n.add for n in stores)


def walk_nodes(body) -> Iterator[loops.Node]:
    for n in body:
        yield n
        yield from walk_nodes(getattr(n, "body", ()))


def test_a_sum_without_bounds_is_refused():
    with pytest.raises(NotSupported, match="the sum over j has no bounds"):
        regions.regions(Equation(y[i], x[i] * Term((x[i],), ("j",), (at_least(j, 0),))))
    assert issubclass(NotSupported, SymconvError)


def test_one_index_may_open_two_taps():
    """Both taps of p once had the same name, and the kernel summed nothing."""
    m, n, p = indices("m n p")
    dy, dw = Tensor("dy", (5, 2)), Tensor("dw", (2, 3))
    gradient = Equation(dw[m, n], Term((dy[m + 2*n - 6*p + 3, n - 3*p + 1],)).where(
        at_least(p, 0), at_least(1, p)))
    products = sum(loops.points(s, r.loops) for r in regions.regions(gradient) for s in r.sweeps)
    expected = sum(0 <= i + 2*j - 6*q + 3 < 5 and 0 <= j - 3*q + 1 < 2
                   for i in range(2) for j in range(3) for q in range(2))
    assert products == expected > 0
