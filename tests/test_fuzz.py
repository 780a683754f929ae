"""A sample of `symconv fuzz`: random layers and equations, both targets, against the oracle."""

import random

from symconv.family import crossings, random_layer
from symconv.fuzz import run

FEATURES = ("stride", "groups", "floor remainder", "dilation", "asymmetric padding", "transposed")


def test_random_layers_and_equations_match_the_oracle() -> None:
    *_, tally = run(160, seed=2024)
    assert not tally.failures, "\n".join(tally.failures[:3])
    assert (tally.layers, tally.equations) == (160, 40)
    assert tally.checks > 2000


def test_two_thousand_draws_give_every_crossing_a_hundred_times() -> None:
    seen: dict[str, int] = {}
    for number in range(2000):
        for name in crossings(random_layer(random.Random(f"0:{number}"))):
            seen[name] = seen.get(name, 0) + 1
    ranks = ("1-D", "2-D", "3-D")
    pairs = [f"{a} x {b}" for i, a in enumerate(FEATURES) for b in FEATURES[i + 1:]
             if {a, b} != {"floor remainder", "transposed"}]  # a transposed output size has no floor
    few = {n: seen.get(n, 0) for n in (*FEATURES, *pairs, *(f"{r} x {f}" for r in ranks for f in FEATURES))
           if seen.get(n, 0) < 100}
    assert not few
