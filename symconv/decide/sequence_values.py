"""Both sides in numbers: the fewest layers and the smallest elements for which they differ.

Nothing here is shared with the proof.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import reduce
from itertools import count, islice
from operator import mul

from symconv.decide.decision import Counterexample
from symconv.decide.scalar_terms import Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.decide.sequence_terms import At, Power, Rules, Total
from symconv.errors import LimitExceeded, NotSupported

TRIED, LAYERS, FARTHEST = 400, 4, 60


def _small(number: int) -> int:
    if abs(number) > FARTHEST:
        raise LimitExceeded(f"more than {FARTHEST} layers")
    return number


def _evaluate(t: Scalar, values: Mapping[str, int], rules: Rules, elements: Mapping[str, int]) -> Fraction:
    def of(x: Scalar, more: Mapping[str, int]) -> Fraction:
        match x:
            case Num(value):
                return Fraction(value)
            case Var(name):
                return Fraction(more[name] if name in more else elements[name])
            case At(name, index):
                at = _small(index.evaluate(more))
                start = rules.starts.get(name, {})
                if at in start:
                    return of(start[at], values)
                if name in rules.steps and at > max(start, default=0):
                    step = rules.steps[name]
                    return of(step.body, {**values, step.letter: at})
                if name in rules.back and name in rules.ends and at <= (last := rules.ends[name][0].evaluate(values)):
                    ends = at == last
                    return of(*((rules.ends[name][1], values) if ends else (
                        rules.back[name].body, {**values, rules.back[name].letter: at})))
                if name in rules.back:
                    raise NotSupported(f"{name} is not said beyond its last layer")
                return Fraction(elements[f"{name}_{at}"])
            case Total():
                run = range(_small(x.low.evaluate(more)), _small(x.high.evaluate(more)) + 1)
                every = [of(x.body, {**more, x.index: i}) for i in run]
                return reduce(mul, every, Fraction(1)) if x.product else sum(every, Fraction(0))
            case Power(base, exponent):
                return of(base, more) ** _small(exponent.evaluate(more))
            case Plus(terms):
                return sum((of(y, more) for y in terms), Fraction(0))
            case Times(factors):
                return reduce(mul, (of(y, more) for y in factors), Fraction(1))
            case Over(above, below):
                return of(above, more) / of(below, more)
            case Pow(base, n):
                return of(base, more) ** n
        raise NotSupported(f"{x} among sizes of layers")

    return of(t, values)


class _Needs(dict[str, int]):
    """Elements as they are asked for, each the least it can be or the one after."""

    def __init__(self, low: Mapping[str, int], more: int) -> None:
        super().__init__()
        self.low, self.more = low, more

    def __missing__(self, name: str) -> int:
        self[name] = least(name, self.low) + self.more
        return self[name]


def least(name: str, low: Mapping[str, int]) -> int:
    """Of an element, k_2, or of a number, k."""
    return low.get(name.rpartition("_")[0] or name, 1)


def differing(left: Scalar, right: Scalar, letter: str, first: int, rules: Rules) -> Counterexample | None:
    """The fewest layers and the smallest elements for which the sides differ; not where one has no value."""
    for layers in range(first, first + LAYERS + 1) if letter else (0,):
        values = {letter: layers} if letter else {}
        names = _asked((left, right), values, rules)
        for excess in islice(_excesses(len(names)), TRIED):
            elements = {v: least(v, rules.low) + e for v, e in zip(names, excess, strict=True)}
            try:
                a, b = (_evaluate(side, values, rules, elements) for side in (left, right))
            except ZeroDivisionError:
                continue
            if a != b:
                return Counterexample(tuple({**values, **elements}.items()), claimed=a, actual=b)
    return None


def _asked(sides: tuple[Scalar, Scalar], values: Mapping[str, int], rules: Rules) -> list[str]:
    """The elements both sides read; a division by zero, s - 1 at s = 1, hides none at s = 2."""
    found: dict[str, None] = {}
    for more in (0, 1):
        needs = _Needs(rules.low, more)
        for side in sides:
            with suppress(ZeroDivisionError):
                _evaluate(side, values, rules, needs)
        found |= dict.fromkeys(needs)
    return list(found)


def _excesses(length: int) -> Iterator[tuple[int, ...]]:
    """All tuples of naturals, by their sum."""
    if not length:
        yield ()
        return
    for total in count():
        yield from _with_sum(length, total)


def _with_sum(length: int, total: int) -> Iterator[tuple[int, ...]]:
    if length == 1:
        yield (total,)
        return
    for last in range(total + 1):
        for rest in _with_sum(length - 1, total - last):
            yield *rest, last
