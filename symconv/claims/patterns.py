"""Some elements written out, the others left to the reader: O_11 = X_11 F_11 + X_12 F_12 + ..., and so on."""

from __future__ import annotations

from itertools import product

from symconv.affine import Affine, inside
from symconv.claims.raw import Factor, Raw, Sum, fresh
from symconv.claims.scope import Array, Axis, Definition, Scope

Place = tuple[int, ...]
Elements = dict[Place, list[tuple[Factor, ...]]]
STRIDES = (1, 2, 3)


def continued(scope: Scope, name: str) -> bool:
    """Take the elements that are written out for those of a kernel that slides, if they are and reach to the end."""
    d = scope.definitions[name]
    elements = _elements(d)
    if elements is None or not elements:
        return False
    arrays = sorted({f.name for terms in elements.values() for t in terms for f in t if f.indices})
    for kernel, data in ((a, b) for a in arrays for b in arrays if a != b):
        found = _sliding(scope, d, elements, kernel, data)
        if found is not None:
            terms, axes = found
            scope.definitions[name] = Definition(name, d.letters, terms)
            scope.arrays[name] = Array(name, axes)
            scope.listed.discard(name)
            scope.note(f"the elements of {name} that are not written out follow those that are")
            return True
    return False


def _elements(d: Definition) -> Elements | None:
    """The products of each element that is written out; None when one is more than a sum of products."""
    found: Elements = {}
    for t in d.terms:
        at = []
        for letter in d.letters:
            fixed = [c for c in t.constraints if c.equality and letter in c.expression.names]
            if len(fixed) != 1:
                return None
            e = fixed[0].expression
            at.append(-e.constant * e.coefficient(letter))
        if t.indices or t.coefficient != 1 or any(f.function for f in t.factors):
            return None
        if not all(e.is_constant for f in t.factors for e in f.indices):
            return None
        found.setdefault(tuple(at), []).append(t.factors)
    return found


def _sliding(scope: Scope, d: Definition, elements: Elements, kernel: str,
             data: str) -> tuple[Sum, tuple[Axis, ...]] | None:
    """sum over q of kernel[q] data[stride * p + q + shift], where each element written out is of this form."""
    rank = len(d.letters)
    taps, image = scope.array(kernel), scope.array(data)
    if taps is None or image is None or len(taps.axes) != rank or len(image.axes) != rank:
        return None
    every = [_pairs(terms, kernel, data) for terms in elements.values()]
    rest = {tuple(sorted(f.name for f in t)) for terms in elements.values() for t in terms if len(t) != 2}
    if any(p is None for p in every) or len(rest) > 1:
        return None
    pairs = dict(zip(elements, every, strict=True))
    for stride in STRIDES:
        shift = _shift(pairs, stride)
        if shift is None:
            continue
        where = next(iter(pairs.values()))
        low = tuple(min(q[i] for q in where or ()) for i in range(rank))
        high = tuple(max(q[i] for q in where or ()) for i in range(rank))
        if set(where or ()) != set(product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))):
            return None
        axes = _outputs(image, elements, stride, shift, low, high)
        return (_terms(d, elements, kernel, data, stride, shift, low, high), axes) if axes else None
    return None


def _pairs(terms: list[tuple[Factor, ...]], kernel: str, data: str) -> dict[Place, Place] | None:
    """Which element of the data each tap meets."""
    found: dict[Place, Place] = {}
    for t in (t for t in terms if len(t) == 2):
        by = {f.name: tuple(e.constant for e in f.indices) for f in t}
        if set(by) != {kernel, data} or by[kernel] in found:
            return None
        found[by[kernel]] = by[data]
    return found or None


def _shift(pairs: dict[Place, dict[Place, Place] | None], stride: int) -> Place | None:
    """data index - stride * output index - tap, where that is the same for all of them."""
    shifts = {tuple(r - stride * a - b for r, a, b in zip(there, p, q, strict=True))
              for p, met in pairs.items() for q, there in (met or {}).items()}
    taps = {frozenset(met or ()) for met in pairs.values()}
    return shifts.pop() if len(shifts) == 1 and len(taps) == 1 else None


def _outputs(image: Array, elements: Elements, stride: int, shift: Place, low: Place,
             high: Place) -> tuple[Axis, ...] | None:
    """The outputs there are for data of this size, if the elements written out are among them and reach the last,
    or if the size of the data is known otherwise."""
    axes = []
    for i, a in enumerate(image.axes):
        if a.extent is None or not a.low.is_constant or not a.extent.is_constant:
            return None
        first, last = a.low.constant, a.low.constant + a.extent.constant - 1
        start, rest = divmod(first - low[i] - shift[i], stride)
        end = (last - high[i] - shift[i]) // stride
        if rest or not all(start <= p[i] <= end for p in elements):
            return None
        axes.append(Axis(Affine.of(start), Affine.of(end - start + 1)))
    return tuple(axes)


def _terms(d: Definition, elements: Elements, kernel: str, data: str, stride: int, shift: Place, low: Place,
           high: Place) -> Sum:
    names = [fresh("q") for _ in d.letters]
    taps = tuple(map(Affine.of, names))
    there = tuple(stride * Affine.of(p) + q + c for p, q, c in zip(d.letters, taps, shift, strict=True))
    limits = [c for q, a, b in zip(taps, low, high, strict=True) for c in inside(q - a, b - a + 1)]
    sliding = Raw((Factor(kernel, taps), Factor(data, there))).over(names, limits, names)
    others = [Raw(t) for t in next(iter(elements.values())) if len(t) != 2]
    return (sliding, *others)
