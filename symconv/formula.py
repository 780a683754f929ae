"""A formula as an input: LaTeX in its author's notation, read into the equations kernels are made from."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from symconv.affine import Affine
from symconv.claims.raw import Factor
from symconv.equation import Equation, Tensor
from symconv.errors import NotationError, NotSupported, ShapeError
from symconv.formula_equations import Writer
from symconv.formula_reading import FormulaError, Reading, read
from symconv.formula_sizes import Sizes, of_scope
from symconv.identifiers import spelled
from symconv.system import System


@dataclass(frozen=True, slots=True)
class FormulaSystem(System):
    """The equations of a formula.

    Args:
        needs: which sizes it takes to make kernels, empty when all are known.
    """

    needs: str = ""

    def concrete(self) -> System:
        """With every size in numbers. Raises ShapeError, naming what is missing."""
        if self.needs:
            raise ShapeError(self.needs)
        return System.concrete(self)


@dataclass(frozen=True)
class Formula:
    r"""One or several formulas in LaTeX, wherever a layer is accepted.

    >>> import symconv
    >>> f = symconv.Formula(r"h_i = \sigma(\sum_{j=1}^{k} V_j x_{i+j-1})", sizes={"k": 3, "n": 28})
    >>> f.needs
    ''

    The tensors are the names on the right, in the order of their first appearance; their shapes follow
    from the ranges of the indices. The last formula is the result, unless another one reads it.

    Args:
        latex: formulas, several of them separated by two backslashes or given one by one.
        sizes: numbers for the names of sizes; without them gradients are derived and proved for all sizes.

    Raises:
        FormulaError: a formula was not understood, with the place.
        ShapeError: sizes the formula does not have, or that leave no output.
        NotSupported: it is understood and has no kernel.
    """

    latex: str | Sequence[str]
    sizes: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        texts = tuple(self.latex) if isinstance(self.latex, list | tuple) else (self.latex,)
        if not texts or not all(isinstance(t, str) for t in texts):
            raise NotSupported("a formula is a string of LaTeX, or several of them")
        if not isinstance(self.sizes, Mapping) or not all(isinstance(v, str) for v in self.sizes):
            raise ShapeError(f"sizes are numbers by name, such as {{'n': 28}}, not {self.sizes!r}")
        object.__setattr__(self, "latex", texts[0] if len(texts) == 1 else texts)
        object.__setattr__(self, "sizes", dict(self.sizes))
        self.system()  # what is wrong with a formula is said when it is made

    @property
    def texts(self) -> tuple[str, ...]:
        return (self.latex,) if isinstance(self.latex, str) else tuple(self.latex)

    def system(self) -> System:
        """The equations, with the numbers that are known."""
        return self._system

    @property
    def needs(self) -> str:
        """The sizes that are missing, in a sentence; empty when kernels can be made."""
        return self._system.needs

    @property
    def base(self) -> int:
        """Where the author's indices start, 0 or 1."""
        return self._reading.base

    @cached_property
    def _reading(self) -> Reading:
        return read(self.texts)

    @cached_property
    def _system(self) -> FormulaSystem:
        reading = self._reading
        known, names = of_scope(reading.scope, reading.terms(), [d.name for d in reading.definitions])
        numbered = known.given(self.sizes)
        writer = Writer(reading.scope, reading.definitions, names, numbered.numbers, reading.spelled,
                        reading.base)
        inputs = [v for v in reading.inputs if not writer.is_size(Factor(v))]
        try:
            tensors = writer.tensors(inputs)
            equations = tuple(writer.equation(d, tensors) for d in reading.definitions)
        except NotationError as e:
            raise FormulaError(self.texts[-1], e.reason, e.at) from None
        fixed = {v: numbered.numbers[v] for v in writer.sizes_as_factors()}
        return FormulaSystem(
            tuple(e.at(fixed) for e in equations), tuple(tensors[v].at(fixed) for v in inputs),
            tuple((v, numbered.numbers[v]) for v in numbered.names if v in numbered.numbers), self._name(equations[-1]),
            (("formula", repr(self.texts)), ("sizes", repr(sorted(self.sizes.items())))), self._command(),
            tuple(_notes(reading, numbered, tensors)), needs=numbered.needs)

    def _command(self) -> str:
        words = [f"--formula {shlex.quote(t)}" for t in self.texts]
        return " ".join([*words, *(f"--size {shlex.quote(f'{v}={number}')}" for v, number in self.sizes.items())])

    def _name(self, last: Equation) -> str:
        digest = hashlib.sha256(repr((self.texts, sorted(self.sizes.items()))).encode()).hexdigest()[:8]
        numbers = [f"{spelled(v)}{number}" for v, number in self.sizes.items()]
        return "_".join(["formula", last.output.name.strip("_"), *numbers, digest])


def _notes(reading: Reading, sizes: Sizes, tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, str]]:
    """Derived sizes, arrays that begin elsewhere than the others, and conventions, for readers."""
    for v in sizes.names:
        if v in sizes.derived and v in sizes.numbers:
            yield f"{v} = {sizes.numbers[v]}", "as many places as everything the formula reads allows"
    for name, tensor in tensors.items():
        array = reading.scope.array(name)
        lows = [a.low for a in array.axes] if array else []
        if any(low != Affine.of(reading.base) for low in lows):
            yield (f"{tensor.symbol}_{{{','.join([str(reading.base)] * len(lows))}}}",
                   f"the first element, which the formula calls {tensor.symbol}_{{{','.join(map(str, lows))}}}")
    for text in reading.conventions:
        yield text, "a convention the formula leaves open"
