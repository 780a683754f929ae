"""Decide whether two affine tensor sums are equal: engines prove, enumeration guards and refutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import count

from symconv.affine import AffineLike, Constraint, unique
from symconv.decide import isl
from symconv.decide.conditions import Case, Formula, fitting, narrowed, plain_values
from symconv.decide.counterexample import smallest_difference
from symconv.decide.decision import Condition, Counterexample, Decision, EngineDisagreement
from symconv.decide.enumerate import Work, differences
from symconv.decide.identities import rewritten, with_meaning
from symconv.decide.interpretations import SPECIFIC
from symconv.decide.necessity import necessary
from symconv.decide.prover import prove_equal, shapes_apart
from symconv.decide.sizes import are_all, sizes_of
from symconv.decide.verdict import Verdict
from symconv.equation import Context, Equation, Signal, Tensor
from symconv.errors import LimitExceeded, NotSupported, ShapeError

NONE: Mapping[str, int] = {}
TRIED, WORK = 60, 2_500  # assignments of sizes, and summation points over all of them
FAR, FAR_WORK = 600, 25_000  # the same where no engine answers
ONE_WORK = 60_000  # points at the one assignment an engine points to
WINDOW = 2  # sizes below which signals are compared as a whole: the enumerator's smallest window
CONDITIONS = 8  # candidates put to the engines
HINT = 24  # terms of sides that are compared to say more than that they differ


def decide(left: Equation, right: Equation, *, fixed: Mapping[str, int] = NONE, conditions: bool = True) -> Decision:
    """Are the two sums equal at every output index, for all sizes their context allows?

    Args:
        left, right: equations for one output, over one context. The left one is what is claimed.
        fixed: numbers for sizes that are given.
        conditions: where it is false, look for the sizes for which it is true.

    Raises:
        ShapeError: the outputs differ in rank.
        EngineDisagreement: two engines contradict each other, or one contradicts the enumeration.
    """
    if len(left.indices) != len(right.indices):
        raise ShapeError(f"{left.left} and {right.left} have different numbers of axes")
    case = _Case(*_aligned(rewritten(left), rewritten(right), fixed), fixed, left.context.sizes, conditions)
    try:
        return case.decide()
    except (NotSupported, LimitExceeded) as e:
        return Decision("unknown", reason=str(e))


def _aligned(left: Equation, right: Equation, fixed: Mapping[str, int]) -> tuple[Equation, Equation]:
    """Both with the left one's index names, over what both contexts say, given sizes in numbers."""
    context = Context(tuple(dict.fromkeys((*left.context.sizes, *right.context.sizes))),
                      unique((*left.context.constraints, *right.context.constraints)))
    right = right.rename(dict(zip(right.indices, left.indices, strict=True)))
    ours, theirs = (_over(e, context).at(fixed) for e in (left, right))
    return ours, theirs


def _over(e: Equation, context: Context) -> Equation:
    """In a larger context: a summation index that bears the name of a size there gets another one."""
    taken = {*e.indices, *context.sizes, *(n for t in e.terms for n in t.indices)}
    clash = {n for t in e.terms for n in t.indices} & set(context.sizes)
    names = {n: next(f"{n}{k}" for k in count(2) if f"{n}{k}" not in taken) for n in sorted(clash)}
    return Equation(e.left, e.rename(names).terms, context)


@dataclass(frozen=True)
class _Row:
    """What enumeration says for one assignment of sizes; None where the sums are too long."""

    sizes: Mapping[str, int]
    equal: bool | None


@dataclass
class _Case:
    """One claim with what each engine says of it."""

    left: Equation
    right: Equation
    fixed: Mapping[str, int]
    names: tuple[str, ...]
    conditions: bool = True

    def decide(self) -> Decision:
        if self.left.output.shape != self.right.output.shape and shapes_apart(self.left, self.right) is not False:
            return Decision("unknown", reason="the two sides have different shapes")
        if not self.rows:
            return Decision("unknown", reason="no sizes were found that satisfy the assumptions")
        if self.rows_apart:
            return self._false(self.rows_apart)
        if self.isl.kind == "different":
            return self._false([self._pointed_out()])
        if "proved" in (self.isl.kind, self.embedded.kind):
            return self._proved()
        return self._undecided()

    @cached_property
    def context(self) -> Context:
        return self.left.context

    @cached_property
    def rows(self) -> list[_Row]:
        return list(self._tried(sizes_of(self.context, TRIED), WORK))

    @cached_property
    def conclusive(self) -> list[_Row]:
        """Rows that say something of their sizes: on a window, equality of signals shows only for small ones."""
        if not any(isinstance(t, Signal) for t in (self.left.output, *self._tensors)):
            return self.rows
        return [r for r in self.rows if r.equal is False or all(v < WINDOW for v in r.sizes.values())]

    @cached_property
    def rows_apart(self) -> list[_Row]:
        return [r for r in self.rows if r.equal is False]

    @cached_property
    def isl(self) -> isl.Answer:
        return isl.compare(self.left, self.right)

    @cached_property
    def embedded(self) -> Verdict:
        return prove_equal(self.left, self.right)

    def _tried(self, assignments: Sequence[Mapping[str, int]], points: int) -> Iterator[_Row]:
        """Until the work is used up; the assignment at which that happens is not decided."""
        left = points
        for sizes in assignments:
            work = Work(left)
            try:
                hit = next(differences(self.left, self.right, sizes, work), None)
            except LimitExceeded:
                yield _Row(sizes, None)
                return
            left = work.left
            yield _Row(sizes, hit is None)

    def _proved(self) -> Decision:
        answers = {"isl": self.isl.kind, "embedded": self.embedded.kind}
        if "different" in answers.values():
            raise EngineDisagreement(f"one engine proves, the other refutes: {answers} for {self._text()}")
        engines = [n for n, kind in answers.items() if kind == "proved"]
        return Decision("proved", engines=(*sorted(engines), "enumeration"))

    def _pointed_out(self) -> _Row:
        """The smallest sizes isl names, which the enumeration has to confirm."""
        if self.embedded.proved:
            raise EngineDisagreement(f"the embedded prover proves, isl refutes {self._text()}")
        sizes = self.isl.smallest()
        if sizes is None:
            raise NotSupported("isl finds a difference, but no smallest sizes within its budget")
        found = next(self._tried([{n: sizes[n] for n in self.context.sizes}], ONE_WORK))
        if found.equal and any(isinstance(t, Signal) for t in (self.left.output, *self._tensors)):
            raise NotSupported("isl finds a difference beyond the window that was written out")
        if found.equal:
            raise EngineDisagreement(f"isl says that the sides differ at {sizes}, enumeration does not: {self._text()}")
        if found.equal is None:
            raise NotSupported("isl finds a difference at sizes too large to be written out")
        return found

    def _undecided(self) -> Decision:
        far = list(self._tried(sizes_of(self.context, FAR), FAR_WORK))
        if apart := [r for r in far if r.equal is False]:
            return self._false(apart)
        if self.embedded.kind == "different":
            return Decision("unknown", reason="the prover finds a difference, but no sizes small enough to show it",
                            engines=("embedded", "enumeration"))
        done = [r for r in far if r.equal]
        if self._exhausted(far, FAR):  # none is unequal here
            return Decision("proved", reason="all sizes there are were written out", engines=("enumeration",))
        why = "; ".join(dict.fromkeys(r for r in (self.embedded.reason, self.isl.reason) if r))
        if not done:
            return Decision("unknown", reason=f"{why}; too long to be written out even for the smallest sizes")
        last = ", ".join(f"{n} = {v}" for n, v in self._sizes(done[-1].sizes).items())
        where = f"for the {len(done)} smallest choices of sizes, up to {last}" if last else "around the origin"
        return Decision("checked", reason=f"equal {where}; no proof was found: {why}", engines=("enumeration",))

    def _false(self, apart: Sequence[_Row]) -> Decision:
        if not self.conditions:
            return Decision("refuted", engines=("enumeration",))
        if self.isl.kind == "proved":
            raise EngineDisagreement(f"isl proves what enumeration refutes at {apart[0].sizes}: {self._text()}")
        example = self._example(apart)
        if example is None:
            why = "the sides differ unless the pointwise function satisfies an identity" + self._identity()
            return Decision("unknown", reason=why, engines=("enumeration",))
        engines = ("enumeration", "isl") if self.isl.kind == "different" else ("enumeration",)
        return replace(self._conditional(), counterexample=example, engines=engines)

    def _conditional(self) -> Decision:
        """Under which condition is it true? Without counterexample and engines."""
        true = [r for r in self.conclusive if r.equal]
        if self.isl.kind == "different" and self.isl.never():
            if true:
                raise EngineDisagreement(f"isl says never, yet it is true at {true[0].sizes}: {self._text()}")
            everywhere = self.context.sizes and not self._functions
            return Decision("refuted", reason="false for all sizes" if everywhere else "")
        if self.isl.kind == "different":
            formula = self._exact()
            if formula is not None:
                return Decision("proved_for" if self._functions else "proved_if", self._told(formula))
        elif true:
            formula = next((f for f in self._candidates() if self._sufficient(f)), None)
            if formula is not None and not self._functions and self._necessary(formula):
                return Decision("proved_if", self._told(formula))
            if formula is not None:
                return Decision("proved_for", self._told(formula), reason="whether it is necessary was only enumerated")
        if true and (formula := next(filter(self._sufficient, self._parameters()), None)) is not None:
            return Decision("proved_for", formula.condition(), reason="it is not necessary")
        return Decision("refuted", reason="true for some sizes; no simple condition" if true else "")

    def _parameters(self) -> Iterator[Formula]:
        """Plain values of strides, dilations and paddings, names that are no axis's length, that give no difference."""
        lengths = {n for t in (self.left.output, *self._tensors) if not isinstance(t, Signal)
                   for e in t.shape for n in e.names}
        for a in plain_values([n for n in self.context.sizes if n not in lengths]):
            if {r.equal for r in self.rows if a.holds(r.sizes)} == {True}:
                yield Formula(((a,),))

    def _told(self, formula: Formula) -> Condition:
        """As short as what is known of the sizes allows; the sizes written out agree."""
        short = formula.simplified(self.context.constraints)
        if any(short.holds(r.sizes) != formula.holds(r.sizes) for r in self.rows):
            raise EngineDisagreement(f"{formula} was shortened to {short}: {self._text()}")
        return short.condition()

    def _exhausted(self, rows: Sequence[_Row], limit: int) -> bool:
        """Do the rows decide every size there is, completely?"""
        if any(isinstance(t, Signal) for t in (self.left.output, *self._tensors)):
            return False
        return all(r.equal is not None for r in rows) and are_all(self.context, limit)

    def _candidates(self) -> list[Formula]:
        known = [(r.sizes, r.equal) for r in self.conclusive if r.equal is not None]
        return [f for f, _ in zip(fitting(self.context, known), range(CONDITIONS), strict=False)]

    def _exact(self) -> Formula | None:
        """The condition isl confirms: a plain one that fits, else isl's own."""
        found = next((f for f in self._candidates() if self.isl.is_exactly(f)), None) or self.isl.simplified()
        if found is not None:
            for r in self.conclusive:
                if r.equal is not None and r.equal != found.holds(r.sizes):
                    raise EngineDisagreement(f"isl's condition {found} fails at {r.sizes}: {self._text()}")
        return found

    def _sufficient(self, formula: Formula) -> bool:
        """Is the claim proved in every case of the condition?"""
        return all(self._holds_in(case) for case in formula.cases)

    def _necessary(self, formula: Formula) -> bool:
        return self._exhausted(self.rows, TRIED) or necessary(
            self.left, self.right, formula, [r.sizes for r in self.rows_apart])

    def _holds_in(self, case: Case) -> bool:
        given = narrowed(case)
        if given is None:
            return False
        values, constraints = given
        sides = [_where(e, constraints, values) for e in (self.left, self.right)]
        return prove_equal(*sides).proved or isl.compare(*sides).kind == "proved"

    @cached_property
    def _functions(self) -> bool:
        return any(f.function for e in (self.left, self.right) for t in e.terms for f in t.factors)

    @cached_property
    def _tensors(self) -> tuple[Tensor, ...]:
        return tuple(dict.fromkeys((*self.left.reads, *self.right.reads)))

    def _example(self, apart: Sequence[_Row]) -> Counterexample | None:
        found = smallest_difference(self.left, self.right, among=[r.sizes for r in apart])
        return found and replace(found, sizes=tuple(self._sizes(dict(found.sizes)).items()))

    def _identity(self) -> str:
        """Which function would make the sides equal, in words, or ""."""
        several = len({f.function.rstrip("'") for e in (self.left, self.right) for t in e.terms for f in t.factors
                       if f.function}) > 1
        for meaning in SPECIFIC:
            named = [with_meaning(e, meaning) for e in (self.left, self.right)]
            sides = [rewritten(e) for e in named]
            says = several or sides != named  # a name alone makes nothing equal
            if says and sum(len(e.terms) for e in sides) <= HINT and prove_equal(*sides).proved:
                return f"; they are equal where that is {meaning}"
        return ""

    def _sizes(self, sizes: Mapping[str, int]) -> dict[str, int]:
        """With the given ones, in the order of the context."""
        every = {**sizes, **self.fixed}
        return {n: every[n] for n in (*self.names, *sizes) if n in every}

    def _text(self) -> str:
        return f"[{self.left}] and [{self.right}]"


def _where(e: Equation, constraints: Sequence[Constraint], values: Mapping[str, AffineLike]) -> Equation:
    context = replace(e.context, constraints=unique((*e.context.constraints, *constraints)))
    return Equation(e.left, e.terms, context).at(values)
