"""What a document leaves open while it defines things, settled so that most of its formulas hold.

`Y = X * W` does not say whether the kernel is flipped, nor y_i = sum_{j=1}^{k} w_j x_{i+j} whether
the first output is y_0 or y_1. Such a choice holds for a whole document: it is read under each, the
reading in which least is false counts, and a formula that depends on it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from symconv.claims.finding import Finding, Reading
from symconv.claims.scope import Scope

Run = Callable[[Mapping[str, str]], tuple[list[Finding], Scope]]
MOST = 6  # readings of one document
SETTLED = ("", "definition", "not_a_claim")
WORDED = {"correlation": "cross-correlation"}
AXES = {"1": "1 axis", "2": "2 axes"}
SENTENCES = {"slides": "the {} operand of a cross-correlation slides", "outputs": "outputs count from {}",
             "ends": "arrays {}",
             "bias": "the bias of a convolution is {}", "axes": "arrays named as a whole have {}"}


def under_each_choice(run: Run) -> list[Finding]:
    """The findings under the choices that fit best.

    Args:
        run: reads everything, with values for choices by name.
    """
    first, scope = run({})
    usual = _open(first, scope)
    if not usual or all(f.verdict in SETTLED for f in first):
        return first
    readings: list[tuple[dict[str, str], list[Finding]]] = [({}, first)]
    waiting = [{name: scope.taken[name][1]} for name in usual]
    while waiting and len(readings) < MOST:
        choice = waiting.pop(0)
        found, scope = run(choice)
        if len(_verdicts(found)) == len(_verdicts(first)):
            readings.append((choice, found))
        usual = _open(found, scope, choice) | usual
        further = [choice | {name: scope.taken[name][1]} for name in _open(found, scope, choice)]
        waiting += [c for c in further if c not in waiting and c not in [r for r, _ in readings]]
    best = _best([found for _, found in readings])
    chosen, found = readings.pop(best)
    others = [(usual | c, iter(_verdicts(f))) for c, f in readings]
    return [_told(f, usual | chosen, [(c, next(rest)) for c, rest in others]) if f.verdict else f for f in found]


def _open(found: Sequence[Finding], scope: Scope, chosen: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """The choices that a reading left open, with their usual values; what only some formulas need is no question
    where all of them hold."""
    return {name: value for name, (value, _) in scope.taken.items() if name not in chosen
            and (name in scope.operators or disputed(found) > (0, 0))}


def _verdicts(findings: Sequence[Finding]) -> list[Finding]:
    """Without the remarks, which differ from reading to reading."""
    return [f for f in findings if f.verdict]


def disputed(findings: Sequence[Finding]) -> tuple[int, int]:
    """How many formulas are false or hold under a condition only, and how many are not decided."""
    verdicts = [f.verdict for f in findings]
    return (sum(v in ("refuted", "proved_for", "proved_if") for v in verdicts),
            sum(v in ("checked", "not_understood") for v in verdicts))


def _best(readings: Sequence[Sequence[Finding]]) -> int:
    """The reading in which least is false, of those in which more holds than in the usual one: to understand less
    is no improvement. Where the usual one decides nothing, any that decides something."""
    holds = [sum(f.verdict == "proved" for f in found) for found in readings]
    better = [i for i, count in enumerate(holds) if count > holds[0]]
    if not better and all(f.verdict in (*SETTLED, "checked", "not_understood") for f in readings[0]):
        better = [i for i, found in enumerate(readings) if disputed(found)[0]]
    return min(better, key=lambda i: disputed(readings[i]), default=0)


def _told(f: Finding, chosen: dict[str, str], others: list[tuple[dict[str, str], Finding]]) -> Finding:
    """The finding with the choices its verdict depends on, and what the nearest other choice makes of it."""
    nearest = sorted(others, key=lambda o: sum(chosen[n] != v for n, v in o[0].items()))
    differing = [(c, g) for c, g in nearest if g.verdict not in (f.verdict, "not_understood")]
    if not differing:
        return f
    other, g = differing[0]
    names = [n for n in chosen if chosen[n] != other[n]]
    said = "; ".join(_sentence(n, chosen[n]) for n in names)
    instead = "; ".join(_sentence(n, other[n]) for n in names)
    return replace(f, reading="; ".join(t for t in (f.reading, said) if t),
                   alternatives=(*f.alternatives, Reading(instead, g.verdict, g.condition)))


def _sentence(name: str, value: str) -> str:
    if name in SENTENCES:
        return SENTENCES[name].format(AXES[value] if name == "axes" else value)
    return f"{name} is {WORDED.get(value, value)}"
