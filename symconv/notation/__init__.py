"""Mathematical notation: one tree of nodes, built from equations, printed as LaTeX, text or code."""

from symconv.notation.build import build
from symconv.notation.printers import code_formula, latex, text

__all__ = ["build", "code_formula", "latex", "text"]
