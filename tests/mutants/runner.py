"""Ask symconv about random mutants and compare."""

from __future__ import annotations

import random
import time
import traceback
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from .conditions import Unread
from .lines import LineClaim, random_line, written_line
from .model import Claim
from .mutate import mutants, mutate
from .render import written
from .sizes import SizeClaim, random_size, written_size
from .style import Style, random_style
from .truth import Case, table
from .truths import true_claim
from .verdict import impossible, wrong

VERDICTS = ("proved", "proved_if", "proved_for", "refuted", "checked", "not_understood", "definition", "not_a_claim",
            "crash")
DECIDED = VERDICTS[:4]
UNTOUCHED = 0.08
SIZES, LINES = 0.12, 0.08


@dataclass(frozen=True)
class Result:
    """One claim and what was said of it."""

    mutation: str
    kind: str
    family: str
    verdict: str
    latex: str
    given: tuple[str, ...]
    message: str = ""
    false: str = ""
    unread: bool = False
    weak: bool = False
    impossible: bool = False
    seconds: float = 0.0
    seed: str = ""


@dataclass
class Tally:
    """Results counted."""

    results: list[Result] = field(default_factory=list)

    def rows(self, by: str) -> dict[str, Counter[str]]:
        found: dict[str, Counter[str]] = {}
        for r in self.results:
            row = found.setdefault(getattr(r, by), Counter())
            row[r.verdict] += 1
            row["false"] += bool(r.false)
        return dict(sorted(found.items()))

    @property
    def decided(self) -> int:
        return sum(r.verdict in DECIDED for r in self.results)

    @property
    def false(self) -> list[Result]:
        return [r for r in self.results if r.false]


def random_claim(rng: random.Random) -> Claim:
    """A mutant, or now and then the true claim itself."""
    while True:
        claim = true_claim(rng)
        if rng.random() >= UNTOUCHED:
            if not mutants(claim):
                continue
            claim = mutate(claim, rng)
        if any(c.holds is not None for c in table(claim)):
            return claim


@dataclass(frozen=True)
class Question:
    """One claim as it is asked, and what is true of it."""

    mutation: str
    kind: str
    family: str
    given: tuple[str, ...]
    latex: str
    cases: tuple[Case, ...]
    names: dict[str, str]


def question(rng: random.Random) -> Question:
    """A random claim of any family, in a random author's notation."""
    pick = rng.random()
    if pick < SIZES + LINES:
        claim: SizeClaim | LineClaim = random_size(rng, UNTOUCHED) if pick < SIZES else random_line(rng, UNTOUCHED)
        given, latex, names = written_size(claim, rng) if isinstance(claim, SizeClaim) else written_line(claim, rng)
        return Question(claim.mutation, claim.kind, claim.family, tuple(given), latex, tuple(claim.table()), names)
    found = random_claim(rng)
    style = random_style(rng, found.layer.family.startswith("2"))
    given, latex = written(found, style, rng)
    return Question(found.mutation, found.kind, found.layer.family, tuple(given), latex, tuple(table(found)),
                    spelled(found, style))


def asked(q: Question, seed: str) -> Result:
    """One claim decided and compared."""
    from symconv.claims.verify import verify_claim

    common = (q.mutation, q.kind, q.family)
    start = time.perf_counter()
    try:
        found = verify_claim(q.latex, given=q.given)
    except Exception:
        last = traceback.format_exc().strip().splitlines()
        return Result(*common, "crash", q.latex, q.given, f"{last[-1]} {last[-3].strip()}", "crash", seed=seed)
    seconds = time.perf_counter() - start
    shown = dict(found.counterexample.sizes) if found.counterexample else None
    said = f"{found.verdict} {found.condition} | {found.message}"
    false, unread, never = "", False, False
    try:
        never = impossible(found.condition, q.cases, q.names)
        false = wrong(found.verdict, found.condition, q.cases, q.names, shown)
    except Unread as e:
        said, unread = f"{said} | unread: {e}", True
    known = [c.holds for c in q.cases if c.holds is not None]
    weak = found.verdict == "refuted" and any(known) and not all(known)
    return Result(*common, found.verdict, q.latex, q.given, said, false, unread, weak, never, seconds, seed)


def spelled(claim: Claim, style: Style) -> dict[str, str]:
    """How symconv spells the names of sizes and arrays -> canonical names."""
    label = style.superscript.strip("^{}()") if not claim.layer.activation else ""
    found = {style.letters[n]: n for n, _ in claim.layer.sizes}
    for name, _ in claim.layer.shapes:
        letter = style.letters[name].removeprefix(r"\mathbf{").strip("\\}")
        found[f"{letter}^{label}" if label else letter] = name
    return found


def run(seeds: Iterable[str]) -> Tally:
    """One claim for each seed."""
    tally = Tally()
    for seed in seeds:
        rng = random.Random(seed)
        tally.results.append(asked(question(rng), seed))
    return tally


def seeds(count: int, seed: int) -> list[str]:
    return [f"{seed}:{n}" for n in range(count)]
