"""Every fact of the corpus, registered by importing the modules that state them."""

from . import (
    truth_activations,  # noqa: F401
    truth_continuous,  # noqa: F401
    truth_documents,  # noqa: F401
    truth_identities,  # noqa: F401
    truth_layers,  # noqa: F401
    truth_lines,  # noqa: F401
    truth_matrices,  # noqa: F401
    truth_mistakes,  # noqa: F401
    truth_notation,  # noqa: F401
    truth_planes,  # noqa: F401
    truth_sizes,  # noqa: F401
    truth_strides,  # noqa: F401
)
from .truth import FACTS, Fact

__all__ = ["FACTS", "Fact", "classify"]


def classify(fact: Fact) -> str:
    """ "true": holds for all sizes. "conditional": holds exactly when the fact's condition does. "false": else.

    The condition "zero outside" is met by the sizes with zero = 1: it must make the formula true, and the
    formula must fail for some sizes without it.
    """
    answers = [(sizes, all(parts)) for sizes, parts in fact.parts]
    assert answers, "no sizes in the box"
    if all(holds for _, holds in answers):
        return "true"
    if "zero" in fact.box:
        return "conditional" if all(holds for sizes, holds in answers if sizes["zero"]) else "false"
    exact = fact.when and all(holds == bool(fact.when(**sizes)) for sizes, holds in answers)
    return "conditional" if exact and any(holds for _, holds in answers) else "false"
