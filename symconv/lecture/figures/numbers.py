"""The numbers in cells, and sums written out: each taken from the equation's own products."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.equation import Access, Equation, Tensor
from symconv.expand import Index, Monomial, monomials
from symconv.lecture.figures.svg import Names, Run, letter

Array = NDArray[Any]
COMPUTED = 2000  # products in a sum that is not given
MOST, LETTERS = 9, 4  # products written out in one line, in numbers and in letters
Value = int | float | Fraction


class Values:
    """The numbers of a worked example: those given, and what the equations make of them.

    Args:
        given: arrays by tensor name, in the logical shape or the caller's.
        equations: by the name of what they make; an element that is not given is summed up.
    """

    def __init__(self, given: Mapping[str, Any], equations: Iterable[Equation]) -> None:
        self.given = {name: np.asarray(array) for name, array in given.items()}
        self.equations = {e.output.name: e for e in equations}
        self.known: dict[tuple[str, Index], Value | None] = {}

    def of(self, tensor: Tensor, index: Index) -> Value | None:
        """The number of one element; None where it is not known."""
        if tensor.name in self.given:
            flat: Array = self.given[tensor.name].reshape(tensor.extents)
            found: Value = flat[index].item()
            return found
        if tensor.name not in self.equations or not self.given:
            return None
        key = tensor.name, index
        if key not in self.known:
            products = [m for _, m in islice(monomials(self.equations[tensor.name], index), COMPUTED + 1)]
            self.known[key] = self.total(products) if len(products) <= COMPUTED else None
        return self.known[key]

    def product(self, m: Monomial) -> Value | None:
        """One product in numbers."""
        found: Value = m.coefficient.numerator if m.coefficient.denominator == 1 else m.coefficient
        for f, index in m.factors:
            value = None if f.function else self.of(f.tensor, index)
            if value is None:
                return None
            found = found * value
        return found

    def total(self, products: Iterable[Monomial]) -> Value | None:
        """Their sum."""
        found: Value = 0
        for m in products:
            value = self.product(m)
            if value is None:
                return None
            found = found + value
        return found

    def text(self, tensor: Tensor, index: Index) -> str:
        """What stands in a cell."""
        value = self.of(tensor, index)
        return "" if value is None else digits(value)


def digits(value: Value) -> str:
    """A number as it is read, with a real minus sign."""
    text = f"{value:.3g}" if isinstance(value, float) and not value.is_integer() else str(
        int(value) if isinstance(value, float) else value)
    return text.replace("-", "−")


def written(names: Names, values: Values, tensor: Tensor, index: Index, products: Sequence[Monomial]) -> list[Run]:
    """`o_1 = w_1 x_1 + w_2 x_2 = 1·4 + 2·1 = 6`: letters while they fit, numbers where they are known."""
    products = sorted(products, key=lambda m: (-len(m.factors), [i for _, i in _ordered(m)]))
    line = [*names.full(tensor, index), Run(" = ")]
    if not products:
        return [*line, Run("0")]
    total = values.total(products) if len(products) <= COMPUTED else values.of(tensor, index)
    letters = len(products) <= LETTERS

    def letters_of(m: Monomial) -> list[Run]:
        return _letters(names, m)

    if letters:
        line += _sum(products, letters_of)
    elif total is None or len(products) > MOST:
        line += [*_sum(products[:2], letters_of), Run(" + ⋯"), *_sum(products[-1:], letters_of, led=True)]
    if total is None:
        return line
    if len(products) <= MOST:
        line += [Run(" = ")] * letters + _sum(products, lambda m: _digits(names, values, m))
    return [*line, Run(" = "), Run(digits(total), "", names.tone(tensor))]


def spoken(line: Sequence[Run]) -> str:
    """The same as plain text: `o_1 = w_1 x_1`."""
    return "".join(("_" if r.kind == "s" else "") + r.text for r in line)


def _sum(products: Sequence[Monomial], part: Callable[[Monomial], list[Run]], led: bool = False) -> list[Run]:
    """Products with their signs between them, a positive first one without; led: it has one as well."""
    line: list[Run] = []
    for m in products:
        negative = m.coefficient < 0
        if line or led:
            line.append(Run(" − " if negative else " + "))
        elif negative:
            line.append(Run("−"))
        line += part(m)
    return line


def _ordered(m: Monomial) -> list[tuple[Access, Index]]:
    """Upstream gradient, then as the equation has them."""
    return sorted(m.factors, key=lambda p: not p[0].tensor.gradient_of)


def _lead(m: Monomial) -> list[str]:
    """The coefficient without its sign, where it has to be written."""
    size = abs(m.coefficient)
    return [digits(size)] if size != 1 or not m.factors else []


def _letters(names: Names, m: Monomial) -> list[Run]:
    out = [Run(f"{c} ") for c in _lead(m)]
    for f, index in _ordered(m):
        part = names.full(f.tensor, index)
        out += [Run(letter(f.function)), Run("("), *part, Run(")")] if f.function else part
        out.append(Run(" "))
    return out[:-1] if m.factors else out


def _digits(names: Names, values: Values, m: Monomial) -> list[Run]:
    out = [Run(c) for c in _lead(m)]
    for f, index in _ordered(m):
        value = values.of(f.tensor, index)
        assert value is not None and not f.function, "only sums of known numbers are written in numbers"
        text = digits(value)
        held = f"({text})" if text.startswith("−") else text
        out += [Run("·")] * bool(out) + [Run(held, "n", names.classes(f.tensor, index))]
    return out
