"""A sample of the mutants of `tests/mutants`: no verdict contradicts brute force, and nearly all are decided.

`python -m tests.mutants --count 5000 --seed 1 --jobs 2` is the whole check, with its table.
"""

from __future__ import annotations

import random

import pytest
from mutants.conditions import Unread, holds, without_zero
from mutants.mutate import mutants
from mutants.runner import DECIDED, run, seeds
from mutants.sizes import true_size
from mutants.truth import table
from mutants.truths import true_claim
from mutants.verdict import wrong

SAMPLE = 110


def test_a_sample_gets_no_false_verdict():
    tally = run(seeds(SAMPLE, 7))
    told = [f"[{r.seed}] {r.false}\n    {r.latex}\n    given {'; '.join(r.given)}" for r in tally.false]
    assert not told, "\n".join(told)
    undecided = [f"[{r.seed}] {r.message}\n    {r.latex}" for r in tally.results if r.verdict not in DECIDED]
    assert tally.decided >= 0.95 * SAMPLE, "\n".join(undecided)


def test_what_is_called_true_is_true():
    for seed in range(60):
        claim = true_claim(random.Random(seed))
        assert claim.kind == "element, any sizes" or all(c.holds for c in table(claim)), claim
        assert all(c.holds for c in true_size(random.Random(seed)).table())


def test_most_mutants_are_false_somewhere():
    found = [table(claim.mutated(kind, right)) for seed in range(6) for claim in [true_claim(random.Random(seed))]
             for kind, rights in mutants(claim).items() for right in rights[:1]]
    assert sum(any(c.holds is False for c in cases) for cases in found) > 0.8 * len(found)


@pytest.mark.parametrize("text, true", [
    ("n >= k + 2 and k = 3", True), ("k = 1 or k = 3", True), ("k = 1 or k = 3 and n = 4", False),
    ("(k = 1 or k = 3) and n = 5", True), ("k divides n + 1", True), ("s divides n + 2p - k", True),
    ("(n - k) mod s + p < s", True), ("|x|_2 = 7", True), ("s does not divide n", True), ("(n - 1) = 4", True),
    ("floor((n - k)/s) = 1", True), ("k odd", True), ("2n = 3k + 1", True)])
def test_conditions_are_read(text, true):
    assert holds(text, {"n": 5, "k": 3, "s": 2, "p": 1, "|x|_2": 7}) == true


def test_unknown_names_are_not_compared():
    with pytest.raises(Unread):
        holds("q = 1", {"n": 5})
    assert without_zero("delta is zero outside its range and x is zero outside its range, and p = 0") == (True, "p = 0")


def test_a_false_verdict_is_seen():
    claim = true_claim(random.Random(1))
    assert wrong("refuted", "", table(claim), {})
    assert not wrong("proved", "", table(claim), {})
