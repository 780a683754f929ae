"""`python -m tests.mutation`: the mutants written by hand, and who noticed each.

    --mechanical 300 --seed 1   beside them, so many of those made from the syntax tree, and the survivors
    --twice                     stop at the second check that notices
    --sample 3                  three mutants, on a few layers
    --one NAME                  one mutant, with what each check said
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterable, Sequence
from multiprocessing import get_context

from .battery import CHECKS
from .edits import EDITS, Edit
from .operators import Mechanical, mutants
from .runner import PACKAGE, Outcome, outcome, preload

MECHANICAL = ("calculus.py", "schedule/regions.py", "schedule/loops.py", "schedule/tiles.py", "schedule/cutting.py",
              "schedule/packing.py", "schedule/copying.py", "schedule/sharing.py", "schedule/fusing.py",
              "schedule/candidate.py", "schedule/direct.py", "schedule/program.py", "schedule/arrays.py",
              "c_function.py", "c_target.py", "c_vector.py", "numpy_target.py", "numpy_expression.py", "emit.py")
SHORT = dict(zip(CHECKS, ("emit", "proof", "read", "ident", "oracle", "loops", "wind", "Jacob", "agree", "nodes",
                          "comp"), strict=True))


# Settings that notice every edit a sample draws from, twice.
QUICK = ("equation", "floor remainder", "dilation", "strided tiles")
QUICK_GROUPS = ("forward", "runs")


def hand_written(edit: Edit) -> Outcome:
    return outcome(edit.path, edit.applied((PACKAGE / edit.path).read_text()))


def twice(edit: Edit) -> Outcome:
    return outcome(edit.path, edit.applied((PACKAGE / edit.path).read_text()), enough=2)


def quick(edit: Edit) -> Outcome:
    return outcome(edit.path, edit.applied((PACKAGE / edit.path).read_text()), 2, QUICK)


def mechanical(mutant: Mechanical) -> Outcome:
    """A few layers first: most mutants go no further."""
    few = outcome(mutant.path, mutant.text, 1, QUICK)
    return few if few.checks else outcome(mutant.path, mutant.text, 1)


def drawn(count: int, seed: int) -> list[Mechanical]:
    every = [m for path in MECHANICAL for m in mutants(path, (PACKAGE / path).read_text())]
    return sorted(random.Random(seed).sample(every, min(count, len(every))), key=lambda m: (m.path, m.line))


def noticed(o: Outcome) -> list[str]:
    """The checks that failed; an end of the process counts as one of its own."""
    return [c for c in (*CHECKS, "crash", "time") if c in o.checks]


def alone(o: Outcome) -> bool:
    """Fewer than two checks noticed; where nothing came out, there is nothing more to notice."""
    return len(noticed(o)) < 2 and "emission" not in o.checks


def table(edits: Sequence[Edit], outcomes: Iterable[Outcome]) -> int:
    """One line a mutant; the number that fewer than two checks noticed."""
    print(f"{'mutant':<58}" + "".join(f"{SHORT[c]:>7}" for c in CHECKS) + f"{'s':>6}")
    weak, totals = 0, dict.fromkeys(CHECKS, 0)
    for e, o in zip(edits, outcomes, strict=True):
        weak += alone(o)
        for c in CHECKS:
            totals[c] += c in o.checks
        end = "".join(f"  {c}" for c in ("crash", "time") if c in o.checks)
        print(f"{f'{e.group}: {e.name}'[:57]:<58}" + "".join(f"{'x' if c in o.checks else '.':>7}" for c in CHECKS)
              + f"{o.seconds:>6.1f}{end}" + ("  <-- fewer than two" if alone(o) else ""), flush=True)
    print(f"{'noticed':<58}" + "".join(f"{totals[c]:>7}" for c in CHECKS))
    return weak


def survivors(found: Sequence[Mechanical], outcomes: Iterable[Outcome]) -> int:
    alive = 0
    for m, o in zip(found, outcomes, strict=True):
        if not noticed(o):
            alive += 1
            print(f"survived: {m.name}", flush=True)
    return alive


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("--mechanical", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--sample", type=int)
    parser.add_argument("--twice", action="store_true")
    parser.add_argument("--only-mechanical", action="store_true")
    parser.add_argument("--one")
    options = parser.parse_args()
    preload()
    start = time.perf_counter()
    if options.one:
        for e in (e for e in EDITS if options.one in e.name):
            print(e.group, e.name, e.path)
            for check, detail in hand_written(e).checks.items():
                print(f"    {check}: {detail}")
        return 0
    unchanged = outcome("errors.py", (PACKAGE / "errors.py").read_text(), only=QUICK if options.sample else ())
    if unchanged.checks:
        print(f"symconv as it is does not pass: {unchanged.checks}")
        return 1
    edits, way = EDITS, twice if options.twice else hand_written
    if options.sample:
        some = [e for e in EDITS if e.group in QUICK_GROUPS and "dense" not in e.name and "transposed" not in e.name]
        edits, way = random.Random(options.seed).sample(some, options.sample), quick
    with get_context("fork").Pool(options.jobs) as pool:
        if options.only_mechanical:
            edits = []
        weak = table(edits, pool.imap(way, edits))
        print(f"{len(edits)} mutants written by hand, {weak} noticed by fewer than two checks")
        if options.mechanical:
            found = drawn(options.mechanical, options.seed)
            alive = survivors(found, pool.imap(mechanical, found))
            print(f"{len(found)} mechanical mutants (seed {options.seed}), {alive} survived")
    print(f"{time.perf_counter() - start:.0f} s")
    return bool(weak)


if __name__ == "__main__":
    sys.exit(main())
