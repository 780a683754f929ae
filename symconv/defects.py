"""Known defects of kernels as hypotheses: what an output would be if the kernel had the defect, computed exactly.

A defect of a sum is another equation: a factor of an index dropped, an index turned round, a condition added. The
oracle evaluates it, gradients included, for a wrong gradient is the gradient of a wrong forward equation. A defect of
an array is a function of the right array: axes exchanged, added twice, a tail left as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.equation import Access, Equation, Tensor, Term
from symconv.errors import SymconvError
from symconv.reference import forward, gradients
from symconv.system import System
from symconv.vectors import Vectors

Array = NDArray[Any]
Edit = Callable[[Affine], Affine]
SHIFTS = (1, -1, 2, -2, 3, -3)


@dataclass(frozen=True)
class Defect:
    """What is wrong, and the array that comes of it."""

    what: str
    array: Array


def defects(v: Vectors, name: str) -> Iterator[Defect]:
    """Every known defect that would change the array called `name`."""
    right = v.arrays[name]
    seen: set[bytes] = set()
    for what, make in (*_of_equations(v, name), *_of_inputs(v, name), *_of_arrays(v, name)):
        try:
            array = make()
        except SymconvError:  # the other equation has no exact value on these integers
            continue
        if array is None or array.shape != right.shape or np.array_equal(array, right):
            continue
        key = what.encode() + np.ascontiguousarray(array, np.float64).tobytes()
        if key not in seen:
            seen.add(key)
            yield Defect(what, array)


Named = tuple[str, Callable[[], Array | None]]


def _of_equations(v: Vectors, name: str) -> Iterator[Named]:
    for at, e in enumerate(v.system.equations):
        for what, changed in wrong_equations(e):
            system = replace(v.system, equations=(*v.system.equations[:at], changed, *v.system.equations[at + 1:]))
            yield what, lambda s=system: _evaluate(s, v, name, v.arrays)  # type: ignore[misc]


def _evaluate(system: System, v: Vectors, name: str, arrays: Mapping[str, Array]) -> Array | None:
    values = {t.name: arrays[t.name] for t in system.inputs}
    if name in (e.output.name for e in system.equations):
        return forward(system, values)[name]
    found = gradients(system, values, arrays[v.system.output.gradient().name])
    return next((a for t in v.tensors.values() if t.gradient().name == name
                 for n, a in found.items() if n == t.name), None)


# -- other equations --------------------------------------------------------------------------------------------------

def wrong_equations(e: Equation) -> Iterator[tuple[str, Equation]]:
    """The equation with one thing wrong, along one axis or along all, and what it is."""
    yield from _factors(e)
    yield from _turned(e)
    yield from _starts(e)
    yield from _offsets(e)
    yield from _ranges(e)
    yield from _terms(e)


def _windows(e: Equation) -> list[Affine]:
    """Index expressions and conditions in which several indices meet, or one with a factor."""
    found = [i for t in e.terms for f in t.factors for i in f.indices]
    found += [c.expression for t in e.terms for c in t.constraints if c.equality]
    return list(dict.fromkeys(w for w in found if len(w.names) > 1 or any(abs(c) > 1 for m, c in w if m)))


def _rewritten(e: Equation, edits: Mapping[Affine, Affine]) -> Equation:
    """Some index expressions and conditions replaced by others."""
    def access(a: Access) -> Access:
        return replace(a, indices=tuple(edits.get(i, i) for i in a.indices))

    def constraint(c: Constraint) -> Constraint:
        return replace(c, expression=edits.get(c.expression, c.expression)) if c.equality else c

    terms = [replace(t, factors=tuple(map(access, t.factors)), constraints=tuple(map(constraint, t.constraints)))
             for t in e.terms]
    return Equation(e.left, terms, e.context)


def _each_and_all(e: Equation, what: str, edits: Mapping[Affine, Affine]) -> Iterator[tuple[str, Equation]]:
    """One equation for each window that changes, and one for all of them."""
    edits = {w: new for w, new in edits.items() if w != new}
    for w, new in edits.items():
        yield f"{what}: {new} in place of {w}", _rewritten(e, {w: new})
    if len(edits) > 1:
        each = ", ".join(f"{new} in place of {w}" for w, new in edits.items())
        yield f"{what} on every axis: {each}", _rewritten(e, edits)


def _factors(e: Equation) -> Iterator[tuple[str, Equation]]:
    """Stride and dilation: the factors of output and of summation indices."""
    def without(w: Affine, which: Iterable[str]) -> Affine:
        return Affine.build({m: (c > 0) - (c < 0) if m and m[0] in which else c for m, c in w})

    def exchanged(w: Affine) -> Affine:
        names = [m for m, _ in w if m]
        if len(names) != 2:
            return w
        a, b = (w.coefficient(m[0]) for m in names)
        return Affine.build({**dict(w.items), names[0]: b * _sign(a, b), names[1]: a * _sign(a, b)})

    windows = _windows(e)
    outer = frozenset(e.indices)
    inner = frozenset(n for t in e.terms for n in t.indices)
    conditions = {c.expression for t in e.terms for c in t.constraints}
    yield from _each_and_all(e, "the stride is missing",
                             {w: without(w, outer) for w in windows if w not in conditions})
    yield from _each_and_all(e, "the dilation is missing",
                             {w: without(w, inner) for w in windows if w not in conditions})
    for t in e.reads:  # a condition's indices belong to the tensor they walk: strides to one, dilations to another
        walked = {n for term in e.terms for f in term.factors if f.tensor == t for i in f.indices for n in i.names}
        yield from _each_and_all(e, f"a factor of the indices of {t.name} is missing (stride or dilation)",
                                 {w: without(w, walked) for w in windows if w in conditions})
    yield from _each_and_all(e, "stride and dilation are exchanged", {w: exchanged(w) for w in windows})


def _sign(a: int, b: int) -> int:
    return 1 if a * b > 0 else -1


def _turned(e: Equation) -> Iterator[tuple[str, Equation]]:
    """A kernel read backwards: an index that walks a tensor alone and takes part in a window elsewhere."""
    in_windows = frozenset(n for w in _windows(e) for n in w.names)
    found: dict[Tensor, dict[int, Affine]] = {}
    for a in (a for t in e.terms for a in t.factors):
        for axis, i in enumerate(a.indices):
            if len(i.names) == 1 and not i.names.isdisjoint(in_windows - set(e.indices)) and abs(
                    i.coefficient(*i.names)) == 1:
                found.setdefault(a.tensor, {})[axis] = a.tensor.shape[axis] - 1 - i
    for tensor, axes in found.items():
        for some in [*([a] for a in axes), *([list(axes)] if len(axes) > 1 else [])]:
            new = {a: axes[a] for a in some}
            where = ", ".join(f"{i} along axis {a}" for a, i in new.items())
            yield f"{tensor.name} is read flipped: {where}", _reindexed(e, tensor, new)


def _reindexed(e: Equation, tensor: Tensor, new: Mapping[int, Affine]) -> Equation:
    """Another index on some axes of one tensor."""
    def access(a: Access) -> Access:
        if a.tensor != tensor:
            return a
        return replace(a, indices=tuple(new.get(axis, i) for axis, i in enumerate(a.indices)))

    return Equation(e.left, [replace(t, factors=tuple(map(access, t.factors))) for t in e.terms], e.context)


def _starts(e: Equation) -> Iterator[tuple[str, Equation]]:
    """Padding left out, and windows that start elsewhere: by one, or by what the stride leaves over."""
    windows = _windows(e)
    yield from _each_and_all(e, "the padding is left out", {w: w - w.constant for w in windows})
    over = {w: _left_over(e, w) for w in windows}
    yield from _each_and_all(e, "windows are counted from the far end, off by the floor remainder",
                             {w: w + r for w, r in over.items()})
    yield from _each_and_all(e, "the dilation is forgotten in the output padding", {
        w: w + sum((abs(c) - 1) * (_extent(e, m[0]) - 1) for m, c in w if m and m[0] not in e.indices)
        for w in windows})
    for w in windows:
        step = max(abs(c) for m, c in w if m)
        widest = max(step, *(abs(c) * (_extent(e, m[0]) - 1) for m, c in w if m and m[0] not in e.indices), 1)
        for t in sorted({*SHIFTS, *(s * b for b in (step, widest) for s in (1, -1))}, key=lambda t: (abs(t), -t)):
            if abs(t) <= max(3, widest):
                yield from _each_and_all(e, f"windows start {abs(t)} {'further' if t > 0 else 'before'}", {w: w + t})
    if len(windows) > 1:
        for t in SHIFTS:
            every = {w: w + t for w in windows}
            yield f"windows start {abs(t)} {'further' if t > 0 else 'before'} on every axis", _rewritten(e, every)


def _left_over(e: Equation, w: Affine) -> int:
    """Elements of the array behind the last window, where the window is an index of it."""
    for a in (a for t in e.terms for a in t.factors if w in a.indices):
        last = w.constant + sum(c * (_extent(e, m[0]) - 1) for m, c in w if m and c > 0)
        return max(0, a.tensor.extents[a.indices.index(w)] - 1 - last)
    return 0


def _extent(e: Equation, name: str) -> int:
    """How many values an index takes: the extent of an axis it walks alone; 1 when there is none."""
    for a in (e.left, *(a for t in e.terms for a in t.factors)):
        for i, n in zip(a.indices, a.tensor.extents, strict=True):
            if i.names == {name} and abs(i.coefficient(name)) == 1:
                return n
    return 1


def _offsets(e: Equation) -> Iterator[tuple[str, Equation]]:
    """An index taken as 0 in one tensor: every group reads the first one's channels, every sample the first sample."""
    for a in dict.fromkeys(a for t in e.terms for a in t.factors):
        for axis, i in enumerate(a.indices):
            if i.names and len(i.names) == 1 and a.tensor.extents[axis] > 1:
                new = Affine.of(0)
                shown = _reindexed_access(a, {axis: new})
                yield (f"the offset of {i} in {a.tensor.name} is forgotten: {shown} in place of {a}",
                       _reindexed(e, a.tensor, {axis: new}))


def _reindexed_access(a: Access, new: Mapping[int, Affine]) -> Access:
    return replace(a, indices=tuple(new.get(axis, i) for axis, i in enumerate(a.indices)))


def _ranges(e: Equation) -> Iterator[tuple[str, Equation]]:
    """A loop one too short, at either end, or one whose every step overwrites the sum."""
    for name in dict.fromkeys([n for t in e.terms for n in t.indices] + list(e.indices)):
        n = _extent(e, name)
        if n < 2:
            continue
        for what, c in ((f"the last {name} is left out", at_least(n - 2, name)),
                        (f"the first {name} is left out", at_least(name, 1)),
                        (f"only the last {name} counts: sums are overwritten", equal(name, n - 1)),
                        (f"only the first {name} counts", equal(name, 0))):
            terms = [t.where(c) if name in t.names or name in e.indices else t for t in e.terms]
            yield what, Equation(e.left, terms, e.context)


def _terms(e: Equation) -> Iterator[tuple[str, Equation]]:
    """A term without its place in the sum (a bias), counted twice or with the other sign; a function left out."""
    def with_term(at: int, new: list[Term]) -> Equation:
        return Equation(e.left, [*e.terms[:at], *new, *e.terms[at + 1:]], e.context)

    for at, t in enumerate(e.terms):
        read = " * ".join(f.tensor.name for f in t.factors)
        bias = " (the bias)" if len(t.factors) == 1 and len(e.terms) > 1 else ""
        if len(e.terms) > 1:
            yield f"the term {read}{bias} is missing", with_term(at, [])
            yield f"the term {read}{bias} is added twice", with_term(at, [2 * t])
        yield f"the term {read}{bias} has the other sign", with_term(at, [-1 * t])
        for f in t.factors:
            if f.function:
                plain = replace(t, factors=tuple(replace(g, function="") if g == f else g for g in t.factors))
                yield f"{f.function} is left out", with_term(at, [plain])


# -- other arrays -----------------------------------------------------------------------------------------------------

def _of_inputs(v: Vectors, name: str) -> Iterator[Named]:
    """A tensor read with two axes in the wrong order, as it lies in memory."""
    for given in v.given:
        t = v.tensors[given]
        for a, b in combinations([k for k, n in enumerate(t.extents) if n > 1], 2):
            def other(given: str = given, t: Tensor = t, a: int = a, b: int = b) -> Array | None:
                axes = list(range(len(t.extents)))
                axes[a], axes[b] = b, a
                shape = [t.extents[k] for k in axes]
                turned = v.arrays[given].reshape(shape).transpose(np.argsort(axes)).reshape(t.array_shape)
                return _evaluate(v.system, v, name, {**v.arrays, given: turned})

            yield f"{given} is read with axes {t.axes[a]} and {t.axes[b]} in the other order" if t.axes else (
                f"{given} is read with axes {a} and {b} in the other order"), other


def _of_arrays(v: Vectors, name: str) -> Iterator[Named]:
    right, t = v.arrays[name], v.tensors[name]
    label = dict(enumerate(t.axes or map(str, range(len(t.extents)))))
    logical = right.reshape(t.extents)
    large = [k for k, n in enumerate(t.extents) if n > 1]
    for a, b in combinations(large, 2):
        yield (f"axes {label[a]} and {label[b]} are in the other order in memory",
               lambda a=a, b=b: logical.swapaxes(a, b).reshape(right.shape))  # type: ignore[misc]
    for a in large:
        for to in (large[0], large[-1]):
            if abs(a - to) > 1:
                yield (f"axis {label[a]} stands {'last' if to > a else 'first'} in memory",
                       lambda a=a, to=to: np.moveaxis(logical, a, to).reshape(right.shape))  # type: ignore[misc]
    for some in [*([a] for a in large), *([list(s) for s in combinations(large, 2)])]:
        yield (f"the result is reversed along {' and '.join(label[a] for a in some)}",
               lambda s=some: np.flip(logical, s).reshape(right.shape))  # type: ignore[misc]
    for n in (2, 3):
        yield f"the result is added to itself: {n} times the right values (accumulated, never cleared)", (
            lambda n=n: n * right)  # type: ignore[misc]
    counts = {n: f"the extent of {x.axes[k] if x.axes else k} in {x.name}" for x in v.tensors.values()
              for k, n in enumerate(x.extents) if n > 1}
    for n, why in counts.items():
        yield f"the result is divided by {n}, {why}: a mean, not a sum", (
            lambda n=n: (right / n).astype(np.float32))  # type: ignore[misc]
    yield "the values are rounded to half precision", lambda: right.astype(np.float16).astype(np.float64)
    yield "the values are rounded to bfloat16", lambda: _bfloat16(right)
    for other, array in v.arrays.items():
        if other != name and array.shape == right.shape:
            yield f"it holds {other}", lambda array=array: array  # type: ignore[misc]


def _bfloat16(values: Array) -> Array:
    """To the nearest number with 8 significant bits, ties to even."""
    bits = values.astype(np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + ((bits >> np.uint64(16)) & np.uint64(1))) & np.uint64(0xFFFF0000)
    return rounded.astype(np.uint32).view(np.float32).astype(np.float64)
