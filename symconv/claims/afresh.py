"""A letter used again for something else: another example, or a function with another number of arguments."""

from __future__ import annotations

from symconv.claims.scope import Scope


def start_afresh(scope: Scope, reads: set[str]) -> None:
    """A new formula over inputs that only earlier, unrelated formulas read: the same letters, another example."""
    inputs = {r for r in reads if r in scope.arrays and r not in scope.definitions and r not in scope.extents}
    if reads & set(scope.definitions):
        return
    stale = {d.name for r in inputs for d in scope.readers(r)}
    while more := {d.name for d in scope.definitions.values() if d.reads & stale} - stale:
        stale |= more
    for name in stale:
        del scope.definitions[name]
        scope.arrays.pop(name, None)
    for letter in [a for a, of in scope.upstream.items() if of in stale]:
        del scope.upstream[letter]
        scope.assumed.discard(letter)
    for name in inputs:
        del scope.arrays[name]


def other_arity(scope: Scope, name: str, rank: int) -> None:
    """A function with another number of arguments is another function under the same letter."""
    known = scope.arrays.get(name)
    if known is not None and not known.finite and len(known.axes) != rank \
            and name not in scope.definitions and name not in scope.images:
        del scope.arrays[name]
