"""Formulas as LaTeX, as plain text and in code names."""

from __future__ import annotations

from symconv.equation import Equation
from symconv.notation.as_code import CODE
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.build import build


def latex(equation: Equation, base: int = 1) -> str:
    """The formula as LaTeX: `o_{i} = \\sum_{j=1}^{k} w_{j} x_{i+j-1}`."""
    return LATEX(build(equation, base))


def text(equation: Equation, base: int = 1) -> str:
    """The formula as plain text: `o_i = sum_{j=1}^{k} w_j x_{i+j-1}`."""
    return TEXT(build(equation, base))


def code_formula(equation: Equation) -> str:
    """The formula in array names, counted from 0, for the head of an emitted kernel."""
    return CODE(build(equation, 0, code=True))
