"""One claim: two sums over the same letters, decided and put into the author's terms."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from math import gcd

from symconv.affine import Affine, Constraint
from symconv.claims.activations import known, polynomial
from symconv.claims.continuous import by_parts, derivative_by
from symconv.claims.counting import counted
from symconv.claims.finding import Shown
from symconv.claims.gradients import gradients, resolved
from symconv.claims.raw import INTEGRAL, Factor, Raw, Sum, multiply, plain
from symconv.claims.scope import GRADIENT, LINE, Array, Definition, Scope
from symconv.claims.settle import Settled, existing, literals, settle
from symconv.claims.words import half
from symconv.decide.conditions import Atom, Cases, Formula
from symconv.decide.decide import decide
from symconv.decide.decision import Counterexample, Decision
from symconv.decide.feasible import feasible, row
from symconv.equation import Equation
from symconv.errors import NotationError

DEEPEST = 6
LABEL = re.compile(r"\^([\w']+(?:[+-][\w']+)+)")
TIMES = re.compile(r"\b(\d+)\*(?=[^\W\d]|\|)")
ANY = Formula(((),))  # all sizes
Elements = Sequence[tuple[Factor, tuple[Constraint, ...]]]


@dataclass(frozen=True)
class Judgement:
    """A verdict with everything a finding needs.

    Args:
        outside: arrays read where they have no elements; bare: the verdict if all elements named exist.
        domain: "integers", "integral" or "derivative" where functions on all of Z^d or R^d are compared.
        sized: sizes take part; instance: "for k = 3", where that is all that was decided.
        zero: what must count as zero, in words; cases: which sizes are good.
    """

    verdict: str
    condition: str = ""
    counterexample: Shown | None = None
    reason: str = ""
    engines: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    bare: str = ""
    domain: str = ""
    sized: bool = False
    zero: str = ""
    cases: Formula = ANY
    instance: str = ""

    @property
    def decided(self) -> bool:
        return self.verdict in ("proved", "proved_if", "proved_for", "refuted")


def followed(scope: Scope, terms: Sum, stop: Collection[str]) -> Sum:
    """With gradients and defined arrays replaced by what they are; a definition may hold gradients of its own."""
    found = inlined(scope, resolved(scope, terms, stop))
    return inlined(scope, resolved(scope, found, stop)) if gradients(found) - set(stop) else found


def inlined(scope: Scope, terms: Sum, keep: frozenset[str] = frozenset(), depth: int = 0) -> Sum:
    """With every plain read of a defined array replaced by its definition."""
    found: list[Raw] = []
    for t in terms:
        total: Sum = (replace(t, factors=()),)
        for f in t.factors:
            d = scope.definitions.get(f.name) or derived_definition(scope, f.name)
            if d is None or f.function or f.name in keep or depth > DEEPEST:
                total = multiply(total, (Raw((f,)),))
                continue
            array = scope.array(f.name)
            there = array.inside(f.indices) if array else ()
            inner = inlined(scope, d.at(f.indices), keep | {f.name}, depth + 1)
            total = multiply(total, tuple(x.where(*there) for x in inner))
        found += total
    return tuple(found)


def derived_definition(scope: Scope, name: str) -> Definition | None:
    """y'' where y is defined on R."""
    d = scope.definitions.get(name.rstrip("'"))
    if d is None or name == d.name or d.name not in scope.continuous or len(d.letters) != 1:
        return None
    terms = d.terms
    for _ in range(len(name) - len(d.name)):
        terms = derivative_by(terms, d.letters[0])
    return Definition(name, d.letters, terms)


def judge(scope: Scope, actual: Sum, claimed: Sum, letters: Sequence[str],
          conditions: Sequence[Constraint] = (), box: Sequence[tuple[Affine, Affine] | None] = (),
          elements: Sequence[Factor] = ()) -> Judgement:
    """Is what is claimed equal to what is true, wherever the letters may stand?"""
    arrays = dict(scope.arrays)
    both = settle(scope, actual, claimed, letters, conditions, box, elements)
    stop = {f.name for t in (*actual, *claimed) for f in t.factors if f.name.startswith(GRADIENT)}
    sides = [by_parts(followed(scope, side, stop), scope.continuous) for side in (actual, claimed)]
    functions = {f.function.rstrip("'") for side in sides for t in side for f in t.factors}
    sides = [polynomial(side, known(functions, scope.activations)) for side in sides]
    where = (*conditions, *existing(scope, elements, letters, both.axes))
    before = list(scope.facts)
    spoken_of = literals(scope, [Raw((f,)) for f in elements], both.left.context)
    scope.facts += [c for _, cs in spoken_of for c in cs]  # what the claim is about is there
    context = replace(both.left.context, constraints=(*both.left.context.constraints, *scope.facts[len(before):]))
    needed = () if scope.zero else literals(scope, (*claimed, *actual), context)
    scope.facts += [c for _, cs in needed for c in cs]  # the elements named exist: decide under that
    found = _decided(scope, both, sides, letters, where)
    if found.verdict != "proved" and (plain := counted(scope, sides)) is not None:
        found = _decided(scope, both, plain, letters, where)
    if found.zero and _anyway(scope, both, sides, letters, where):
        found = replace(found, zero="", outside=(), verdict="proved", condition="", cases=ANY)
    scope.facts[:] = before
    scope.arrays |= arrays  # where one claim counts from says nothing of the next
    if found.verdict in ("refuted", "proved_if", "proved_for") and (inner := _nested(scope, sides)):
        return Judgement("not_understood", reason=f"a function of {inner}, itself a function, is only compared by name")
    return _if_there(scope, found, needed, context.constraints)


def _anyway(scope: Scope, both: Settled, sides: Sequence[Sum], letters: Sequence[str],
            where: Sequence[Constraint]) -> bool:
    """Does it hold whatever stands outside the arrays that are read there? Both sides then read the same.

    It is not asked where a sum does not say its bounds: it leaves out what does not exist, and a gradient is such a
    sum over the outputs there are.
    """
    every = [t for side in sides for t in side]
    if not all(set(t.indices) <= t.stated for t in every) or any(
            f.name.startswith(GRADIENT) for t in every for f in t.factors):
        return False
    arrays = dict(scope.arrays)
    for name in both.outside:
        inner = name.removeprefix(GRADIENT)
        if inner in arrays:
            arrays[inner] = Array(inner, (LINE,) * len(arrays[inner].axes))
    try:
        return _decided(replace(scope, arrays=arrays), replace(both, outside=()), sides, letters,
                        where).verdict == "proved"
    except NotationError:
        return False


def _nested(scope: Scope, sides: Sequence[Sum]) -> str:
    """An array of function values that stands in another function: there nothing is known of it."""
    names = {f.name for side in sides for t in side for f in t.factors if f.function}
    return next((v for v in sorted(names) if v in scope.definitions and all(
        len(t.factors) == 1 and t.factors[0].function for t in scope.definitions[v].terms)), "")


def _decided(scope: Scope, both: Settled, sides: Sequence[Sum], letters: Sequence[str],
             where: Sequence[Constraint]) -> Judgement:
    ranges = [(a.low, a.last) if a.last is not None else None for a in both.axes]
    final = settle(scope, sides[0], sides[1], letters, where, ranges)
    known = final.left.context.constraints
    if feasible([row(c) for c in known if not c.equality], [row(c) for c in known if c.equality]) is False:
        return Judgement("not_understood", reason="no sizes satisfy the assumptions")
    final = replace(final, outside=both.outside, axes=both.axes)
    names = {f.name for side in sides for t in side for f in t.factors if f.indices}
    domain = "derivative" if any(v not in scope.arrays and v.rstrip("'") in scope.continuous for v in names) else ""
    if any(v.startswith(INTEGRAL) for side in sides for t in side for v in t.indices):
        measured([t for side in sides for t in side])
        domain = domain or "integral"
    if not domain and any((a := scope.array(v)) and not a.finite for v in names):
        domain = "integers"
    decision = _remembered(_plainly(final.right), _plainly(final.left), tuple(scope.fixed.items()), not scope.trying)
    return replace(judged(scope, final, decision), domain=domain, sized=bool(final.left.context.sizes))


@lru_cache(maxsize=512)
def _remembered(claimed: Equation, actual: Equation, fixed: tuple[tuple[str, int], ...], conditions: bool) -> Decision:
    """The decision; several readings of a formula often come to the same equations."""
    return decide(claimed, actual, fixed=dict(fixed), conditions=conditions)


def _plainly(e: Equation) -> Equation:
    """With indices numbered by their place, whatever they were called."""
    names = dict.fromkeys((*e.indices, *(v for t in e.terms for v in t.indices)))
    return e.rename({v: f"{v.partition('~')[0]}~{i}" for i, v in enumerate(names)})


def measured(terms: Sequence[Raw]) -> None:
    """Integrals are compared as sums are: that is right while every variable moves functions by +-1 and no
    condition cuts it.

    Raises:
        NotationError: one is cut, scaled, or moves nothing.
    """
    for t in terms:
        for v in t.indices:
            if not v.startswith(INTEGRAL):
                continue
            moved = [e for f in t.factors for e in f.indices if v in e.names]
            if not moved or any(abs(e.coefficient(v)) != 1 or not e.is_linear_in(v) for e in moved):
                raise NotationError("an integral whose substitutions change the measure is not understood", -1)
            if any(v in c.expression.names and not c.equality for c in t.constraints):
                raise NotationError("an integral over part of the line is not understood", -1)


def _if_there(scope: Scope, found: Judgement, needed: Elements, known: Sequence[Constraint]) -> Judgement:
    """True only where the elements with numbers for indices exist."""
    if not needed or found.verdict not in ("proved", "proved_if", "proved_for"):
        return found
    exist = found.cases.where([c for _, cs in needed for c in cs]).simplified(known)
    if not str(exist):
        return found
    names = ", ".join(f"{spoken_array(scope, f.name)}_{','.join(map(str, f.indices))}" for f, _ in needed)
    return replace(found, verdict="proved_if" if found.verdict == "proved" else found.verdict, cases=exist,
                   condition=_joined(found.zero, exist), reason=f"{names} must exist", bare=found.verdict)


def _joined(zero: str, cases: Formula) -> str:
    """What must count as zero, and which sizes are good."""
    sizes = spoken(str(cases))
    if zero and sizes:
        return f"{zero}, and {f'({sizes})' if len(cases.cases) > 1 else sizes}"
    return zero or sizes


def judged(scope: Scope, both: Settled, decision: Decision) -> Judgement:
    """The decision in the author's terms."""
    shown = counterexample(scope, both, decision.counterexample) if decision.counterexample else None
    cases = whole_sizes(scope, decision.condition.formula) if isinstance(decision.condition, Cases) else ANY
    zero = ""
    verdict = {"unknown": "not_understood"}.get(decision.kind, decision.kind)
    outside = () if scope.zero else tuple(v for v in both.outside if not _vanishes(scope, v))
    if outside and verdict in ("proved", "proved_if", "proved_for"):
        zero = " and ".join(f"{spoken_array(scope, a)} is zero outside its range" for a in outside)
        verdict = "proved_if" if verdict == "proved" else verdict
    return Judgement(verdict, _joined(zero, cases), shown, reasoned(scope, decision.reason), decision.engines,
                     both.outside, zero=zero, cases=cases)


def _vanishes(scope: Scope, name: str) -> bool:
    """Is it said that this array is zero outside, in this layer or in all of them?"""
    said = spoken_array(scope, name).replace("{", "").replace("}", "")
    return bool({said, said.partition("^")[0]} & scope.zeros)


def whole_sizes(scope: Scope, cases: Formula) -> Formula:
    """In k where the engines speak of half of an even or odd k."""
    def told(a: Atom) -> Atom:
        e = a.constraint.expression
        for name, odd in scope.parity.items():
            c = e.coefficient(half(name))
            if a.divisor is None and c:
                e = 2 * (e - c * Affine.of(half(name))) + c * (Affine.of(name) - int(odd))
        common = gcd(*(c for _, c in e)) or 1
        return a if e == a.constraint.expression else Atom(
            Constraint(Affine.build({m: c // common for m, c in e}), a.constraint.equality))

    return Formula(tuple(tuple(dict.fromkeys(map(told, case))) for case in cases.cases))


def counterexample(scope: Scope, both: Settled, found: Counterexample) -> Shown:
    """Indices from the author's base, arrays under the author's names."""
    sizes = dict(found.sizes)
    lows = [a.low.evaluate({**dict.fromkeys(a.low.names, 0), **sizes}) for a in both.axes]
    shift = lows if all(a.extent is not None for a in both.axes) else [0] * len(lows)
    index = tuple((plain(n), i + low) for n, i, low in zip(both.letters, found.index, shift, strict=False))
    tensors = tuple((spoken_array(scope, n), v) for n, v in found.tensors)
    return Shown(_needed(found.sizes, both), index, tensors, number(found.claimed), number(found.actual),
                 monomial(scope, found.monomial, sizes), found.functions)


def _needed(sizes: Sequence[tuple[str, int]], both: Settled) -> tuple[tuple[str, int], ...]:
    """Without lengths |x| of arrays that have a name of their own among the sizes."""
    known = dict(sizes)
    same = [c.expression for c in both.left.context.constraints if c.equality]
    named = {v for v in known if "|" in v and any(
        abs(e.coefficient(v)) == 1 and e.names <= set(known) and not any("|" in o for o in e.names - {v})
        for e in same if v in e.names)}
    return tuple((spoken(v), value) for v, value in sizes if v not in named and not v.startswith(half("")))


def monomial(scope: Scope, text: str, sizes: Mapping[str, int]) -> str:
    """w_1 delta_2 for w[0] * d[1]: the author's names and the author's base."""
    def element(m: re.Match[str]) -> str:
        array = scope.array(m[1])
        index = [int(v) for v in m[2].split(",") if v.strip()]
        if array is not None and array.finite and len(array.axes) == len(index):
            index = [v + a.low.evaluate({**dict.fromkeys(a.low.names, 0), **sizes})
                     for v, a in zip(index, array.axes, strict=True)]
        at = ",".join(map(str, index))
        if m[1] in scope.called:
            return f"{spoken_array(scope, m[1])}({at})"
        return f"{spoken_array(scope, m[1])}_" + (at if at.isdigit() and len(at) == 1 else f"{{{at}}}")

    return re.sub(r"([^\s*()\[\]]+)\[([-\d, ]*)\]", element, spoken(text)).replace(" * ", " ")


def number(value: int | Fraction | float) -> str:
    """A value in words of one line."""
    return str(value) if not isinstance(value, float) else f"{value:.6g}"


def spoken_array(scope: Scope, name: str) -> str:
    """delta for the gradient it stands for, dL/dw for one without a letter."""
    if name.startswith(GRADIENT):
        inner = name.removeprefix(GRADIENT)
        letter = next((a for a, of in scope.upstream.items() if of == inner), None)
        return labelled(letter or _in_layer(scope, inner) or f"dL/d{inner}")
    return labelled(name)


def _in_layer(scope: Scope, inner: str) -> str:
    """delta^l+1 for the gradient of z^l+1, where delta^l is that of z^l."""
    here, _, label = inner.partition("^")
    for a, of in scope.upstream.items():
        letter, _, own = a.partition("^")
        if label and own and of == f"{here}^{own}":
            return f"{letter}^{label}"
    return ""


def reasoned(scope: Scope, text: str) -> str:
    """With the author's names for gradients."""
    return re.sub(rf"{GRADIENT}[^\W_]+(?:\^[\w+-]+)?", lambda m: spoken_array(scope, m[0]), spoken(text))


def spoken(text: str) -> str:
    """Without the marks that keep bound indices apart; 2k for 2*k."""
    out, skip = [], False
    for c in text:
        if c == "~":
            skip = True
        elif skip and c.isdigit():
            continue
        else:
            skip = False
            out.append(c)
    return labelled(TIMES.sub(r"\1", "".join(out)))


def labelled(text: str) -> str:
    """w^{l+1} for w^l+1."""
    return LABEL.sub(r"^{\1}", text)


def values(shown: Mapping[str, int]) -> str:
    """Names and their values in one line."""
    return ", ".join(f"{k} = {v}" for k, v in shown.items())
