"""What an operator between arrays means: cross-correlation, convolution, or multiplication."""

from __future__ import annotations

from symconv.claims.scope import Scope
from symconv.claims.words import CONVOLUTIONS, key
from symconv.notation import nodes as n

MODES = ("full", "valid", "same")
CANONICAL = {"*": "*", "ast": "*", "star": "star", "circledast": "circledast", "otimes": "otimes"}
USUAL = {"*": "convolution", "star": "correlation", "circledast": "correlation", "otimes": "correlation"}


def canonical(operator: str) -> str:
    """One name for the spellings of an operator."""
    return CANONICAL.get(operator, operator)


def named(node: n.Operation) -> str:
    """The operator with a label that makes it another one: *_l, but not *_full."""
    label = node.label.strip().lower()
    own = canonical(node.operator) not in USUAL or not any(w in label for w in (*MODES, "corr", "conv"))
    return canonical(node.operator) + (f"_{label}" if label and own else "")


def convolution(node: n.Node) -> n.Operation | None:
    """conv2(A, B, valid) as an operator of that name between the two; None for anything else."""
    if not isinstance(node, n.Call) or len(node.arguments) not in (2, 3):
        return None
    word = key(node.head).lower().replace(" ", "")
    mode = key(node.arguments[2]).strip("'`\"").lower() if len(node.arguments) == 3 else ""
    if word not in CONVOLUTIONS or (mode and mode not in MODES):
        return None
    return n.Operation(word, node.arguments[0], node.arguments[1], mode)


def is_open(scope: Scope, node: n.Operation) -> bool:
    """Has nobody said what the operator means?"""
    name = canonical(node.operator)
    said = name in scope.stars or f"{name}_{node.label.lower()}" in scope.stars or _told_apart(scope, name)
    return not said and not any(op == name for op, _ in scope.templates) and not any(
        w in node.label for w in ("conv", "corr"))


def _told_apart(scope: Scope, operator: str) -> bool:
    """Who says that * is convolution means another thing by a star."""
    usual = USUAL.get(operator)
    return any(op in USUAL and op != operator and USUAL[op] != usual and USUAL[op] in said
               for op, said in scope.stars.items())


def meaning_of(scope: Scope, node: n.Operation) -> tuple[str, str]:
    """(meaning, mode): what the document says, else what is usual; a label on the operator decides the mode.

    The mode left open is "" for the caller to choose by shape.
    """
    operator = canonical(node.operator)
    label = node.label.lower().strip()
    words = f"{scope.stars.get(f'{operator}_{label}', scope.stars.get(operator, ''))} {label}".lower()
    meaning = "correlation" if "corr" in words else "product" if "product" in words or "multipl" in words \
        else "convolution" if "conv" in words else ""
    if not meaning:
        usual = scope.preferred.get(operator, USUAL[operator])
        meaning = scope.taken[operator][0] if operator in scope.taken else usual
    mode = next((m for m in MODES if m in node.label.lower()), "") \
        or next((m for m in MODES if m in words), "") or scope.mode
    return meaning, mode or "valid"
