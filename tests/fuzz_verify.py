"""Strange input for `symconv verify`: whatever it is, there is an answer, in time, and no traceback.

    python -m tests.fuzz_verify --count 20000 --seed 1

Input number i of a seed is always the same (`--first i --count 1`); `fuzz_inputs` makes it.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from symconv.claims.finding import VERDICTS, Finding

sys.path.insert(0, str(Path(__file__).parent))  # run as `python -m tests.fuzz_verify`
from fuzz_inputs import TOKEN, Input, generate

SLOW, HANG = 2.0, 20  # seconds of the processor; seconds
SHRINKING = 20.0  # seconds spent on making one failing input smaller


@dataclass(frozen=True)
class Failure:
    """What went wrong: `cause` is the same for inputs that fail in the same way."""

    cause: str
    input: Input
    detail: str = ""
    seconds: float = 0.0


class Hang(BaseException):
    """The time of one input is over."""


def failures(item: Input) -> Iterator[Failure]:
    """What is wrong with the answer to one input."""
    start = time.process_time()
    try:
        with_alarm = signal.signal(signal.SIGALRM, _hang)
        signal.alarm(HANG)
        try:
            findings = item.run()
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, with_alarm)
    except Hang as e:
        where = traceback.extract_tb(e.__traceback__)[-2]  # the last frame is the alarm's
        yield Failure(f"hang in {Path(where.filename).stem}", item, "no answer", time.process_time() - start)
        return
    except Exception as e:
        yield Failure(cause(e), item, "".join(traceback.format_exception(e)[-4:]))
        return
    seconds = time.process_time() - start
    if seconds > SLOW:
        yield Failure("slow", item, seconds=seconds)
    for f in findings:
        if problem := malformed(f, item):
            yield Failure(problem, item, str(f)[:600])


def _hang(number: int, frame: object) -> None:
    raise Hang


def cause(e: BaseException) -> str:
    """The kind of exception and where it came from, without line numbers that change with every edit."""
    frames = traceback.extract_tb(e.__traceback__)
    places = [f"{Path(f.filename).stem}.{f.name}" for f in frames]
    kept = [max(sorted(set(places)), key=places.count)] if isinstance(e, RecursionError) else places[-2:]
    return f"{type(e).__name__} in {' > '.join(kept)}"


def malformed(f: Finding, item: Input) -> str:
    """Why a finding cannot be one, or ""."""
    if f.code == "SC190":
        return "SC190: " + re.sub(r"\d+|'.*|:.*", "", f.message.removeprefix("internal: "))[:60]
    if f.verdict not in (*VERDICTS, "") or (not f.verdict and not f.code):
        return "a finding without verdict or code"
    if f.verdict in ("proved_if", "proved_for") and not f.condition:
        return "a conditional verdict without condition"
    if not (1 <= f.line <= f.end_line and f.column >= 1 and (f.line, f.column) <= (f.end_line, f.end_column)):
        return "a place that ends before it starts"
    if item.source in ("markdown", "latex", "text"):
        lines = re.split(r"\r\n|\r|\n", item.text)
        if f.end_line > len(lines) or f.column > len(lines[f.line - 1]) + 1:
            return "a place outside the document"
    return ""


def shrunk(failure: Failure) -> Failure:
    """A smaller input with the same cause, found by leaving pieces out for a bounded time."""
    until = time.perf_counter() + SHRINKING
    if failure.cause.startswith(("hang", "slow")):
        return failure
    best = failure
    for i in reversed(range(len(failure.input.given))):
        best = _same(replace(best.input, given=(*best.input.given[:i], *best.input.given[i + 1:])), best)
    best = _shorter(best, best.input.text, lambda item, text: replace(item, text=text), until)
    for i, given in enumerate(best.input.given):
        best = _shorter(best, given, lambda item, text, i=i: replace(
            item, given=(*item.given[:i], text, *item.given[i + 1:])), until)  # fmt: skip
    return best


def _shorter(best: Failure, text: str, put: Callable[[Input, str], Input], until: float) -> Failure:
    """Leave out ever smaller runs of tokens of one text of the input."""
    tokens = TOKEN.findall(text)
    size = len(tokens) // 2
    while size:
        start, before = 0, best
        while start < len(tokens) and time.perf_counter() < until:
            left = tokens[:start] + tokens[start + size:]
            shorter = _same(put(best.input, "".join(left)), best)
            best, tokens, start = (shorter, left, start) if shorter is not best else (best, tokens, start + size)
        if best is before:
            size //= 2
    return best


def _same(candidate: Input, best: Failure) -> Failure:
    return next((f for f in failures(candidate) if f.cause == best.cause), best)


def run(seed: int, numbers: range, report: Callable[[Failure], None] = lambda f: None) -> dict[str, list[Failure]]:
    """The failures of a series by cause; `report` is called with the first of each cause, made small."""
    found: dict[str, list[Failure]] = {}
    for number in numbers:
        for failure in failures(generate(seed, number)):
            known = found.setdefault(failure.cause, [])
            known.append(failure)
            if len(known) == 1:
                report(shrunk(failure))
        if sys.stderr.isatty() and not number % 50:
            print(f"\r{number} of {numbers.stop}, {sum(map(len, found.values()))} failures", end="", file=sys.stderr)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    asked = parser.parse_args()
    start = time.perf_counter()
    found = run(asked.seed, range(asked.first, asked.first + asked.count), show)
    print(f"{asked.count} inputs in {time.perf_counter() - start:.0f} s, {len(found)} kinds of failure")
    for cause_, several in sorted(found.items(), key=lambda item: -len(item[1])):
        longest = max(f.seconds for f in several)
        print(f"{len(several):6} {cause_}" + (f", at most {longest:.1f} s" if longest else ""))
    return 1 if found else 0


def show(failure: Failure) -> None:
    seconds = f" ({failure.seconds:.1f} s)" if failure.seconds else ""
    made = json.dumps(vars(failure.input), ensure_ascii=False)
    print(f"--- {failure.cause}{seconds}\n{made}\n{failure.detail}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
