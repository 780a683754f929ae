"""Small exact matrices. SymPy builds them; here they are values that can be compared, nested and printed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from math import lcm
from operator import add
from typing import Any


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of exact rationals.

    >>> Matrix.of([[1, 0], [1, 2]]).T
    [1  1]
    [0  2]
    """

    rows: tuple[tuple[Fraction, ...], ...]

    @staticmethod
    def of(rows: Iterable[Iterable[int | Fraction]]) -> Matrix:
        return Matrix(tuple(tuple(map(Fraction, row)) for row in rows))

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.rows), len(self.rows[0])

    @property
    def T(self) -> Matrix:
        return Matrix(tuple(zip(*self.rows, strict=True)))

    @property
    def denominator(self) -> int:
        """The least positive integer that makes every entry an integer."""
        return lcm(*(c.denominator for row in self.rows for c in row))

    def __abs__(self) -> Matrix:
        return Matrix(tuple(tuple(map(abs, row)) for row in self.rows))

    def __mul__(self, factor: int | Fraction) -> Matrix:
        return Matrix(tuple(tuple(c * factor for c in row) for row in self.rows))

    def kron(self, other: Matrix) -> Matrix:
        """The Kronecker product: this matrix along a first axis, the other along a second."""
        return Matrix(tuple(tuple(a * b for a in r for b in s) for r in self.rows for s in other.rows))

    def apply(self, vector: Sequence[Any]) -> list[Any]:
        """Matrix times vector, for anything that adds and takes integer or rational factors."""
        return [reduce(add, (c * v for c, v in zip(row, vector, strict=True) if c), 0 * vector[0])
                for row in self.rows]

    @property
    def latex(self) -> str:
        """As a bmatrix."""
        rows = r" \\ ".join(" & ".join(map(_latex, row)) for row in self.rows)
        return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"

    def __str__(self) -> str:
        widths = [max(len(str(c)) for c in column) for column in zip(*self.rows, strict=True)]
        return "\n".join(f"[{'  '.join(str(c).rjust(w) for c, w in zip(row, widths, strict=True))}]"
                         for row in self.rows)

    __repr__ = __str__


def _latex(c: Fraction) -> str:
    size = str(abs(c)) if c.denominator == 1 else rf"\tfrac{{{abs(c.numerator)}}}{{{c.denominator}}}"
    return "-" * (c < 0) + size
