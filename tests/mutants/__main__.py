"""`python -m tests.mutants --count 5000 --seed 1 --jobs 2`: the table by kind of mutation and of claim."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor

from .runner import DECIDED, VERDICTS, Result, Tally, run, seeds

COLUMNS = (*VERDICTS, "false")


def printed(tally: Tally, by: str) -> None:
    print(f"{by:<28}" + "".join(f"{c[:13]:>15}" for c in COLUMNS) + f"{'decided':>10}")
    for name, row in tally.rows(by).items():
        total = sum(row[v] for v in VERDICTS)
        share = sum(row[v] for v in DECIDED) / total
        print(f"{name[:60]:<28}" + "".join(f"{row[c]:>15}" for c in COLUMNS) + f"{share:>10.1%}")
    print()


def shown(r: Result) -> None:
    print(f"  [{r.seed}] {r.mutation} / {r.kind} / {r.family}: {r.false or r.message}")
    print(f"      {r.latex}")
    for g in r.given:
        print(f"        given {g}")
    print(f"      {r.message}")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--count", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many false, undecided and unread ones to print")
    parser.add_argument("--one", help="only this seed, as printed: 1:42")
    options = parser.parse_args()
    todo = [options.one] if options.one else seeds(options.count, options.seed)
    start = time.perf_counter()
    if options.jobs > 1:
        with ProcessPoolExecutor(options.jobs) as pool:
            parts = list(pool.map(run, [todo[n::options.jobs * 8] for n in range(options.jobs * 8)]))
        tally = Tally([r for p in parts for r in p.results])
    else:
        tally = run(todo)
    report(tally, options.show)
    print(f"{time.perf_counter() - start:.0f} s")
    return 1 if tally.false else 0


def report(tally: Tally, most: int) -> None:
    results = tally.results
    for by in ("mutation", "kind", "family"):
        printed(tally, by)
    groups = {"FALSE": tally.false, "UNDECIDED": [r for r in results if r.verdict not in DECIDED and not r.false],
              "CONDITION NOT COMPARED": [r for r in results if r.unread],
              "CONDITION THAT HOLDS NOWHERE IN THE BOX": [r for r in results if r.impossible],
              "REFUTED, TRUE FOR SOME SIZES": [r for r in results if r.weak]}
    for title, group in groups.items():
        print(f"{title}: {len(group)}")
        for r in sorted(group, key=lambda r: len(r.latex) + sum(map(len, r.given)))[:most]:
            shown(r)
    print("SLOWEST")
    for r in sorted(results, key=lambda r: -r.seconds)[:3]:
        print(f"{r.seconds:.1f} s", end="")
        shown(r)
    times = sorted(r.seconds for r in results)
    print(f"{len(results)} claims, decided {tally.decided / len(results):.2%}, false {len(tally.false)}, median "
          f"{statistics.median(times) * 1e3:.0f} ms, 95 % {times[int(len(times) * 0.95)] * 1e3:.0f} ms, "
          f"most {times[-1] * 1e3:.0f} ms")


if __name__ == "__main__":
    sys.exit(main())
