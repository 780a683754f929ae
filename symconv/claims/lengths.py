"""How many outputs a layer has by its own formula: those for which everything it reads is there."""

from __future__ import annotations

from symconv.affine import Affine
from symconv.claims.extents import alone, stated
from symconv.claims.raw import Factor, Raw
from symconv.claims.scope import Axis, Definition, Scope
from symconv.claims.sizes import Truth, conv_output
from symconv.decide.scalar import Facts, Num, Plus, Scalar, Times, Var
from symconv.errors import NotationError


def length_truth(scope: Scope, output: str) -> Truth | None:
    """What m must be in y_i = sum_j w_j x_{si+dj-p} for i = 1, ..., m; None where that is not said or is more."""
    for d in scope.definitions.values():
        for letter, axis in zip(d.letters, scope.arrays[d.name].axes, strict=True):
            if axis.extent == Affine.of(output):
                found = [x for t in d.terms for f in t.factors if (x := _slid(scope, t, f, letter, axis))]
                return found[0] if len(found) == 1 else None
    return None


def _slid(scope: Scope, t: Raw, f: Factor, letter: str, outputs: Axis) -> Truth | None:
    """Of an array that is read at a stride times the letter and a dilation times a bound index, padded or not."""
    array = scope.array(f.name)
    for e, axis in zip(f.indices, array.axes if array else (), strict=True):
        taps = [(v, x) for v in t.indices if v in e.names and (x := _range(scope, t, v)) is not None]
        if letter not in e.names or len(taps) != 1 or axis.extent is None:
            continue
        (tap, (first, last)), = taps
        before = axis.low - e.substitute({letter: outputs.low, tap: first})  # the places that are padding
        p = Num(0) if before == Affine() else _scalar(before)
        step, apart, n, k = map(_scalar, (_by(e, letter), _by(e, tap), axis.extent, last - first + 1))
        if step is None or apart is None or n is None or k is None or p is None:
            return None
        facts = Facts(dict.fromkeys(before.names, 0), at_least=((n + 2 * p, apart * (k - 1) + 1),))
        return Truth(conv_output(n, k, step, p, apart), facts, "the number of outputs that read only what is there")
    return None


def _range(scope: Scope, t: Raw, index: str) -> tuple[Affine, Affine] | None:
    """Where a bound index runs: as it says, or over an axis it indexes alone."""
    if (said := stated(index, t)) is not None:
        return said
    axes = [a for f in t.factors if (array := scope.array(f.name)) for e, a in zip(f.indices, array.axes, strict=True)
            if alone(e) == index]
    return (axes[0].low, axes[0].last) if axes and axes[0].last is not None else None


def _by(e: Affine, index: str) -> Affine:
    """What the index is multiplied by."""
    return Affine.build({tuple(v for v in m if v != index): c for m, c in e if index in m})


def _scalar(e: Affine) -> Scalar | None:
    """A positive number or a size that has a name, with nothing derived in it."""
    if e.is_constant:
        return Num(e.constant) if e.constant > 0 else None
    (monomial, c), = e.items if len(e.items) == 1 else (((), 0),)
    return Var(monomial[0]) if len(monomial) == 1 and c == 1 and not {"|", "~"} & set(monomial[0]) else None


def parameters(scope: Scope, role: str) -> Truth | None:
    """How many elements the arrays have that a layer reads with plain indices: its weights and its bias.

    Raises:
        NotationError: nothing says how long one of them is.
    """
    layers = [d for d in scope.definitions.values() if _inputs(d)]
    if len(layers) != 1:
        return None
    terms, inputs = layers[0].terms, _inputs(layers[0])
    read = {f.name: f for t in terms for f in t.factors if f.name not in inputs}
    offsets = {t.factors[0].name for t in terms if len(t.factors) == 1}
    total: list[Scalar] = []
    for name, f in read.items():
        if name in offsets and role == "number of weights":
            continue
        extents = [_scalar(a.extent) if a.extent is not None else None for a in scope.arrays[name].axes] \
            if f.indices else []
        known = [e for e in extents if e is not None]
        if len(known) < len(extents):
            raise NotationError(f"how many elements {name} has is not known", -1)
        total.append(Times((Num(1), *known)))
    return Truth(Plus(tuple(total)), Facts(), f"elements of {', '.join(read)}") if total else None


def _inputs(d: Definition) -> set[str]:
    """What a layer slides over: the arrays that are read where two indices meet."""
    return {f.name for t in d.terms for f in t.factors for e in f.indices if alone(e) is None and len(e.names) > 1}


def as_written(scope: Scope, used: set[str]) -> None:
    """A dilation counted from 0, i + j (d + 1), is not the one of the usual formulas.

    Raises:
        NotationError: a layer was defined with such a dilation or stride.
    """
    for d in scope.definitions.values():
        for e in (e for t in d.terms for f in t.factors for e in f.indices):
            for v in (v for v in e.names if "~" in v):
                by = _by(e, v)
                if len(by.items) > 1 and by.names & used:
                    raise NotationError(f"{d.name} has {by} in the place of a stride or dilation", -1)
