"""symconv: derive the gradients of a convolution, prove them, emit checked kernels, and verify formulas in notes.

Names load on first use, so that importing the package (and `symconv --help`) costs no SymPy.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "Affine": "affine", "Constraint": "affine", "indices": "affine", "at_least": "affine", "equal": "affine",
    "Access": "equation", "Context": "equation", "Equation": "equation", "Tensor": "equation", "Term": "equation",
    "System": "system", "Conv": "layer", "Dense": "layer", "Formula": "formula",
    "Derivation": "derivation", "derive": "derivation", "build": "kernels", "Kernels": "kernels",
    "verify": "claims.verify", "verify_claim": "claims.verify", "Finding": "claims.finding",
}
__all__ = [*_HOME, "__version__"]

if TYPE_CHECKING:
    from symconv.affine import Affine, Constraint, at_least, equal, indices
    from symconv.claims.finding import Finding
    from symconv.claims.verify import verify, verify_claim
    from symconv.derivation import Derivation, derive
    from symconv.equation import Access, Context, Equation, Tensor, Term
    from symconv.formula import Formula
    from symconv.kernels import Kernels, build
    from symconv.layer import Conv, Dense
    from symconv.system import System


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'symconv' has no attribute {name!r}")
    return getattr(import_module(f"symconv.{_HOME[name]}"), name)
