"""What a claim rests on: the definitions without which it cannot be decided."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

from symconv.claims.gradients import depends
from symconv.claims.noticing import UnknownName
from symconv.claims.patterns import continued
from symconv.claims.raw import Factor, Sum
from symconv.claims.scope import GRADIENT, Scope
from symconv.claims.words import SCALARS
from symconv.errors import NotationError


def grounded(scope: Scope, ours: Sum, theirs: Sum) -> None:
    """A gradient follows from definitions alone: with an array that has none it cannot be decided.

    Raises:
        NotationError: there is such an array, or one of which only some elements are defined.
    """
    for f in _read((*ours, *theirs)):
        for name in scope.valued:
            if depends(scope, f.name, name) and not complete(scope, name):
                raise NotationError(f"only some elements of {name} are known", -1)
    if not any(f.name.startswith(GRADIENT) for t in ours for f in t.factors):
        _related(scope, ours, theirs)
        return
    for f in _read((*ours, *theirs)):
        name = f.name.removeprefix(GRADIENT)
        if scope.array(name) is None:
            raise UnknownName(name)
    for f in (f for t in ours for f in t.factors if f.name.startswith(GRADIENT)):
        name = f.name.removeprefix(GRADIENT)
        if not any(True for _ in scope.readers(name)):
            scope.instantiate_readers(name)
        readers = list(scope.readers(name))
        if not readers and not any(g.name == f.name for u in theirs for g in u.factors):
            raise NotationError(f"nothing says how the loss depends on {name}", -1)
        for d in list(scope.definitions.values()):
            through = d.name in scope.listed and d.name != name and depends(scope, d.name, name)
            if through and not complete(scope, d.name) and not continued(scope, d.name):
                raise NotationError(f"only some elements of {d.name} are defined", -1)


def _read(terms: Sum) -> Iterator[Factor]:
    return (f for t in terms for f in t.factors if f.indices)


def _related(scope: Scope, ours: Sum, theirs: Sum) -> None:
    """Both sides speak of arrays that something ties together."""
    loose = [{f.name.rstrip("'") for f in _read(side) if f.name not in scope.definitions} for side in (ours, theirs)]
    if all(loose) and not loose[0] & loose[1] and not any(
            f.name in scope.definitions for t in (*ours, *theirs) for f in t.factors):
        raise NotationError(f"nothing says how {', '.join(sorted(loose[0]))} and {', '.join(sorted(loose[1]))} "
                            "are related", -1)


def compared(scope: Scope, ours: Sum, theirs: Sum) -> None:
    """A difference counts only where both sides speak of the same things.

    Raises:
        NotationError: one side is a number of an example, or speaks of an array that nothing ties to the other.
    """
    for one, other in ((ours, theirs), (theirs, ours)):
        entries = {t.coefficient for t in one} if any(t.constraints for t in one) else {sum(t.coefficient for t in one)}
        if all(not t.factors and not t.indices for t in one) and not entries <= {0, 1} and any(
                f.indices for t in other for f in t.factors):
            raise NotationError("values of an example are not compared", -1)
    used = {f.name for t in (*ours, *theirs) for f in t.factors}
    defined = [scope.definitions[v] for v in (u.removeprefix(GRADIENT) for u in used) if v in scope.definitions]
    used |= {v for d in defined for v in d.reads}
    if said := sorted(used & set(scope.symmetric)):
        raise NotationError(f"it may rest on the symmetry of {said[0]}, which proofs do not use", -1)
    strange = {f.name for t in ours for f in t.factors if not f.indices} ^ {
        f.name for t in theirs for f in t.factors if not f.indices}
    strange = {v.removeprefix("1/") for v in strange - set(scope.quotients) if not v.startswith(GRADIENT)}
    strange -= {*scope.sizes, *scope.definitions, *SCALARS}
    if lost := sorted(v for v in strange if not any(True for _ in scope.readers(v)) and "/" not in v):
        raise NotationError(f"nothing says what {', '.join(lost)} is", -1)
    loose = [{f.name for f in _read(side) if f.name not in scope.definitions and not f.name.startswith(GRADIENT)}
             for side in (ours, theirs)]
    alone_ = loose[0] or loose[1]
    if not (loose[0] and loose[1]) and alone_ and not any(True for v in alone_ for _ in scope.readers(v)) \
            and all(f.name in alone_ or not f.indices or f.name in scope.definitions for f in _read((*ours, *theirs))):
        raise NotationError(f"nothing says what {', '.join(sorted(alone_))} is", -1)


def complete(scope: Scope, name: str) -> bool:
    """Is every element of an array that is defined element by element defined?"""
    extents = [a.extent for a in scope.arrays[name].axes]
    sizes = [e.constant for e in extents if e is not None and e.is_constant]
    return len(sizes) == len(extents) and prod(sizes) <= scope.elements.get(name, 0)
