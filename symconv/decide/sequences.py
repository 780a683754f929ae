"""Sizes that go from layer to layer: r_l = r_{l-1} + (k_l - 1) prod_{i<l} s_i, and closed forms of such.

A claim in one letter L, the number of layers, is proved by induction: as a polynomial in k_1, s_1, ... for
the first few L, and by the step from L - 1 to L beyond. A counterexample is found by evaluating both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from operator import add, mul

from symconv.affine import Affine
from symconv.decide.decision import Decision, EngineDisagreement
from symconv.decide.scalar_poly import ONE, ZERO, Atom, Poly
from symconv.decide.scalar_terms import Num, Over, Plus, Pow, Scalar, Times, Var
from symconv.decide.sequence_terms import (
    At,
    Power,
    Rules,
    Step,
    Total,
    letters_of,
    moved,
    parts,
    put,
    rebuilt,
    value_of,
    walk,
)
from symconv.decide.sequence_values import FARTHEST, LAYERS, differing
from symconv.errors import LimitExceeded, NotSupported

MOST_UNFOLDED, LONGEST, BEHIND = 400, 12, 4
START, INNER = 3, "#"  # the first layer that is not written out, and the index of what stands for the rest


def decide_sequences(left: Scalar, right: Scalar, rules: Rules) -> Decision:
    """Does `left = right` hold for every number of layers, and every value of the sequences that are free?

    Of a counterexample, `claimed` is the left value and `actual` the right one.

    Raises:
        NotSupported: more than one letter, or an index that is not a letter and a number.
        EngineDisagreement: the proof and the evaluation contradict each other.
    """
    said, started, rules = (left, right), rules.starts, _closed(rules)
    left, right = (_defined(t, rules) for t in said)
    letters = letters_of(left) | letters_of(right)
    letters |= {v for t in (left, right) for x in walk(t) if isinstance(x, At) and x.name in rules.ends
                for v in rules.ends[x.name][0].names}
    if len(letters) > 1:
        raise NotSupported(f"{' and '.join(sorted(letters))} both number layers")
    letter = min(letters, default="")
    if endless := {x.name for t in said for x in walk(t) if isinstance(x, At)} & set(rules.back) - set(rules.ends):
        raise NotSupported(f"nothing says where {min(endless)} ends")
    first = _first(letter, (*said, left, right), replace(rules, starts=started))
    try:
        example = differing(left, right, letter, first, rules)
    except LimitExceeded as e:
        return Decision("unknown", reason=str(e))
    try:
        proved = _proved(left, right, letter, first, rules)
    except (NotSupported, LimitExceeded) as e:
        proved, reason = False, str(e)
    else:
        reason = "the step from one layer to the next could not be shown"
    if example is not None:
        if proved:
            raise EngineDisagreement(f"induction proves {left} = {right}, which is false for {example.sizes}")
        return Decision("refuted", counterexample=example, engines=("enumeration",))
    if proved:
        return Decision("proved", reason="by induction on the number of layers", engines=("algebra", "enumeration"))
    return Decision("checked", reason=f"equal for up to {first + LAYERS} layers; no proof was found: {reason}",
                    engines=("enumeration",))


# -- what is known, in place of names

def _closed(rules: Rules) -> Rules:
    """a_l = a_{l-1} b_l is a product, a_l = a_{l-1} + b_l a sum, from the first element on."""
    steps, starts = dict(rules.steps), dict(rules.starts)
    for name, step in rules.steps.items():
        start = rules.starts.get(name, {})
        found = _total(name, step, start) if len(start) == 1 else None
        if found is not None:
            steps[name] = found
            del starts[name]  # it begins the total
    rules = replace(rules, steps=steps, starts=starts)
    return replace(rules, starts={name: {i: _defined(t, rules) for i, t in start.items()}
                                  for name, start in starts.items()},
                   steps={name: replace(step, body=_defined(step.body, rules)) for name, step in steps.items()})


def _total(name: str, step: Step, start: Mapping[int, Scalar]) -> Step | None:
    ((at, value),) = start.items()
    before = At(name, Affine.of(step.letter) - 1)
    product = isinstance(step.body, Times)
    inner = parts(step.body) if isinstance(step.body, Times | Plus) else ()
    rest = tuple(x for x in inner if x != before)
    if len(rest) != len(inner) - 1 or any(isinstance(x, At) and x.name == name for t in rest for x in walk(t)):
        return None
    body: Scalar = Times(rest) if product else Plus(rest)
    index = f"{step.letter}~"
    total = Total(index, Affine.of(at + 1), Affine.of(step.letter),
                  put(body, {step.letter: Affine.of(index)}), product)
    return Step(step.letter, Times((value, total)) if product else Plus((value, total)))


def _defined(t: Scalar, rules: Rules, depth: int = 0) -> Scalar:
    """With what does not refer to itself in place of its name."""
    if depth > LONGEST:
        raise NotSupported("the definitions refer to each other")
    match t:
        case Var(name) if name in rules.plain:
            return _defined(rules.plain[name], rules, depth + 1)
        case At(name, index) if index.is_constant and index.constant in rules.starts.get(name, {}):
            return _defined(rules.starts[name][index.constant], rules, depth + 1)
        case At(name, index) if name in rules.steps:
            step = rules.steps[name]
            if name in rules.starts or any(isinstance(x, At) and x.name == name for x in walk(step.body)):
                return t
            return _defined(put(step.body, {step.letter: index}), rules, depth + 1)
    return rebuilt(t, tuple(_defined(x, rules, depth + 1) for x in parts(t)))


def _first(letter: str, sides: tuple[Scalar, ...], rules: Rules) -> int:
    """The least number of layers for which everything named exists."""
    lows = [1]
    for side in sides:
        for t in walk(side):
            start = rules.starts.get(t.name, {}) if isinstance(t, At) else {}
            if isinstance(t, At) and t.index.names == {letter} and (start or t.name not in rules.steps):
                lows.append(min(start, default=1) - t.index.constant)
    if max(lows) > LONGEST:
        raise NotSupported("an element too far behind")
    return max(lows)


# -- proof: a polynomial in the elements, for numbers of layers and for the letter itself

@dataclass
class _Unfold:
    """Terms as polynomials in elements counted from a letter (None: every index is a number)."""

    rules: Rules
    letter: str | None
    work: int = 0

    def of(self, t: Scalar) -> Poly:
        self.work += 1
        if self.work > MOST_UNFOLDED * 10:
            raise LimitExceeded("too many terms")
        match t:
            case Num(value):
                return Poly.number(value)
            case Var(name):
                return _atom(name)
            case At():
                return self.element(t)
            case Total():
                return self.total(t)
            case Power(base, exponent):
                return self.power(self.of(base), exponent)
            case Plus(terms):
                return reduce(lambda a, b: a + b, map(self.of, terms), ZERO)
            case Times(factors):
                return reduce(mul, map(self.of, factors), ONE)
            case Pow(base, exponent):
                return self.power(self.of(base), Affine.of(exponent))
            case Over(above, Num(value)) if value:
                return self.of(above) * Poly.number(1 / Fraction(value))
            case Over(above, below):
                return self.of(above) * _atom(f"1/({_shown(self.of(below))})")
        raise NotSupported(f"{t} among sizes of layers")

    def offset(self, e: Affine) -> int:
        """How far behind the letter."""
        if self.letter is None:
            if not e.is_constant:
                raise NotSupported(f"{e} is no number")
            return e.constant
        if e.names == {self.letter} and e.coefficient(self.letter) == 1 and e.is_linear_in(self.letter):
            return e.constant
        raise NotSupported(f"{e} is not {self.letter} and a number")

    def element(self, t: At) -> Poly:
        start = self.rules.starts.get(t.name, {})
        if t.index.is_constant:
            at = t.index.constant
            if at in start:
                return self.of(start[at])
            if t.name in self.rules.steps and at > max(start, default=0):
                step = self.rules.steps[t.name]
                return self.of(put(step.body, {step.letter: t.index}))
            if t.name in self.rules.back:
                return self.earlier(t)
            return _atom(f"{t.name}_{at}")
        behind = self.offset(t.index)
        step_ = self.rules.steps.get(t.name)
        if step_ is not None and behind > -BEHIND:
            return self.of(put(step_.body, {step_.letter: t.index}))
        return _atom(f"{t.name}_{{{t.index}}}")

    def earlier(self, t: At) -> Poly:
        """An element of what goes back from a last one with a number."""
        last, value = self.rules.ends.get(t.name, (Affine.of("?"), t))
        if not last.is_constant or not 0 <= last.constant - t.index.constant <= LONGEST:
            raise NotSupported(f"{t} goes back from layer {last}")
        step = self.rules.back[t.name]
        return self.of(value if t.index == last else put(step.body, {step.letter: t.index}))

    def total(self, t: Total) -> Poly:
        if t.index not in letters_of(t.body) and not any(isinstance(x, Var) and x.name == t.index
                                                         for x in walk(t.body)):
            body, many = self.of(t.body), t.high - t.low + 1
            if many.is_constant:
                many = Affine.of(max(many.constant, 0))
            elif not t.low.is_constant or self.offset(t.high) < -BEHIND:
                raise NotSupported(f"a sum or product from {t.low} to {t.high} may be empty")
            return self.power(body, many) if t.product else body * self.of(value_of(many))
        if not t.low.is_constant:
            raise NotSupported(f"the first index {t.low} is no number")
        if t.high.is_constant:
            return self.joined(t, map(Affine.of, range(t.low.constant, t.high.constant + 1)))
        t = _aligned(t)
        if self.offset(t.high) < -BEHIND:
            raise NotSupported("an index too far behind")
        if self.letter is not None and self.letter in letters_of(t.body) - {t.index}:
            raise NotSupported(f"{self.letter} stands in a sum over layers")
        start, end = _start(t), Affine.of(self.letter or "") - BEHIND
        first = self.joined(t, map(Affine.of, range(t.low.constant, start)))
        last = self.joined(t, [end + i for i in range(1, self.offset(t.high) + BEHIND + 1)])
        between = self.between(t, start, end)
        return first * between * last if t.product else first + between + last

    def joined(self, t: Total, where: Iterable[Affine]) -> Poly:
        """What the index adds or multiplies there."""
        terms = [self.of(put(t.body, {t.index: e})) for e in where]
        if len(terms) > MOST_UNFOLDED:
            raise LimitExceeded("too many layers")
        return reduce(mul, terms, ONE) if t.product else reduce(add, terms, ZERO)

    def between(self, t: Total, start: int, end: Affine) -> Poly:
        """The layers from start to end, as atoms: the same for bodies that are the same polynomial in elements
        counted from the bound index. What does not depend on that stands in front of a sum."""
        body = _Unfold(self.rules, INNER).of(put(t.body, {t.index: Affine.of(INNER)}))
        if t.product:
            return _atom(f"prod from {start}: {_shown(body)}")
        found = ZERO
        for m, c in body.terms.items():
            own = tuple((a, e) for a, e in m if INNER in a.text)
            total = _atom(f"sum from {start}: {_shown(Poly({own: 1}))}") if own else self.of(value_of(end - start + 1))
            found = found + total * Poly({tuple((a, e) for a, e in m if INNER not in a.text): c})
        return found

    def power(self, base: Poly, exponent: Affine) -> Poly:
        if exponent.is_constant:
            if not 0 <= exponent.constant <= (LONGEST if len(base.terms) > 1 else FARTHEST):
                raise NotSupported(f"a power of {exponent}")
            return base**exponent.constant
        if base == ONE:
            return ONE
        behind = self.offset(exponent) + BEHIND
        if not 0 <= behind <= LONGEST:
            raise NotSupported(f"a power of {exponent}")
        known = _atom(f"({_shown(base)})^({self.letter}-{BEHIND})")
        return base**behind * known


def _atom(text: str) -> Poly:
    return Poly.atom(Atom(False, text))


def _shown(p: Poly) -> str:
    return " + ".join(sorted(f"{c}*{'*'.join(f'{a.text}^{e}' for a, e in m)}" for m, c in p.terms.items()))


def _aligned(t: Total) -> Total:
    """With an index that the earliest element read has: sum_{l=1}^{L-1} k_{l+1} is sum_{l=2}^{L} k_l."""
    ahead = [x.index - t.index for x in walk(t.body) if isinstance(x, At) and x.index.names == {t.index}]
    ahead = ahead or [x.high - t.index for x in walk(t.body) if isinstance(x, Total) and x.high.names == {t.index}]
    by = min((e.constant for e in ahead if e.is_constant), default=0)
    return replace(t, low=t.low + by, high=t.high + by, body=put(t.body, {t.index: Affine.of(t.index) - by}))


def _start(t: Total) -> int:
    """From which layer on it is not written out: where what its body holds is an atom and some elements already."""
    return max(t.low.constant, START + 2 * BEHIND * _nesting(t.body))


def _nesting(t: Scalar) -> int:
    inner = max(map(_nesting, parts(t)), default=0)
    return inner + (isinstance(t, Total) and not t.high.is_constant)


def _proved(left: Scalar, right: Scalar, letter: str, first: int, rules: Rules) -> bool:
    """Induction: the difference vanishes for the first numbers of layers, and does not change from then on."""
    for one, other in ((left, right), (right, left)):
        if letter and isinstance(one, At) and one.name in rules.back and not one.index.names:
            return _proved_back(one, other, letter, rules)
    left, right = _cleared(left, right)
    if not letter:
        return not _Unfold(rules, None).of(left) - _Unfold(rules, None).of(right)
    beyond = max(first, _latest_start((left, right), rules)) + 2 * BEHIND  # all that is an atom holds a layer by then
    for layers in range(first, beyond + 1):
        here = {letter: Affine.of(layers)}
        if _Unfold(rules, None).of(put(left, here)) - _Unfold(rules, None).of(put(right, here)):
            return False
    before = {letter: Affine.of(letter) - 1}
    for one, other in ((left, right), (right, left)):
        if isinstance(one, At) and one.name in rules.steps and one.index == Affine.of(letter):
            step = rules.steps[one.name]  # what holds before goes into the recurrence
            stepped = _instead(put(step.body, {step.letter: Affine.of(letter)}), one.name, letter, put(other, before))
            if not _Unfold(rules, letter).of(stepped) - _Unfold(rules, letter).of(other):
                return True
    now = _Unfold(rules, letter).of(left) - _Unfold(rules, letter).of(right)
    then = _Unfold(rules, letter).of(put(left, before)) - _Unfold(rules, letter).of(put(right, before))
    return not now - then


def _proved_back(first: At, claimed: Scalar, letter: str, rules: Rules) -> bool:
    """r_0 by later elements, from r_L on: what is claimed holds without layers, and a layer put in front changes it
    as the recurrence says. The layers behind that one are any layers, so no more may be known of them."""
    last, value = rules.ends.get(first.name, (Affine(), first))
    if first.index != Affine() or last != Affine.of(letter) or rules.steps or rules.starts or any(
            isinstance(x, At) and x.name in rules.back for x in walk(claimed)):
        raise NotSupported(f"{first} goes back from layer {last}")
    empty = _Unfold(rules, None)
    if empty.of(put(claimed, {letter: Affine()})) - empty.of(value):
        return False
    step = rules.back[first.name]
    behind = moved(put(claimed, {letter: Affine.of(letter) - 1}))
    grown = _replaced(put(step.body, {step.letter: Affine()}), At(first.name, Affine.of(1)), behind)
    return _proved(claimed, grown, letter, 1, rules)


def _replaced(t: Scalar, old: Scalar, new: Scalar) -> Scalar:
    return new if t == old else rebuilt(t, tuple(_replaced(x, old, new) for x in parts(t)))


def _instead(t: Scalar, name: str, letter: str, value: Scalar) -> Scalar:
    """With a value for name[letter - 1]."""
    if t == At(name, Affine.of(letter) - 1):
        return value
    return t if isinstance(t, Total) else rebuilt(t, tuple(_instead(x, name, letter, value) for x in parts(t)))


def _cleared(left: Scalar, right: Scalar) -> tuple[Scalar, Scalar]:
    """Both sides times their denominators: the same where those are not 0."""
    (a, b), (c, d) = _fraction(left), _fraction(right)
    return (left, right) if b == d == Num(1) else (Times((a, d)), Times((c, b)))


def _fraction(t: Scalar) -> tuple[Scalar, Scalar]:
    """Numerator and denominator; a sum over layers keeps what it holds."""
    match t:
        case Over(_, Num()):
            return t, Num(1)
        case Over(above, below):
            (a, b), (c, d) = _fraction(above), _fraction(below)
            return Times((a, d)), Times((b, c))
        case Plus(terms) if any(isinstance(x, Over) for x in walk(t)):
            split = [_fraction(x) for x in terms]
            below = Times(tuple(b for _, b in split))
            return Plus(tuple(Times((a, *(b for j, (_, b) in enumerate(split) if j != i)))
                              for i, (a, _) in enumerate(split))), below
        case Times(factors) if any(isinstance(x, Over) for x in walk(t)):
            split = [_fraction(x) for x in factors]
            return Times(tuple(a for a, _ in split)), Times(tuple(b for _, b in split))
    return t, Num(1)


def _latest_start(sides: tuple[Scalar, ...], rules: Rules) -> int:
    said = (*sides, *(step.body for step in rules.steps.values()))
    lows = [_start(t) for side in said for t in walk(side) if isinstance(t, Total) and t.low.is_constant]
    return max([0, *lows, *(i for start in rules.starts.values() for i in start)])
