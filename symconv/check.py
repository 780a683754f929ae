"""Compare somebody's arrays with the exact vectors of a layer: the first wrong index, where, and the likely defect."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.defects import defects
from symconv.equation import Tensor
from symconv.errors import ShapeError, SymconvError
from symconv.system import System
from symconv.vectors import Vectors, make_vectors, read_given, vectors_of

Array = NDArray[Any]
MOST_BYTES = 2**31
FEW = 3  # explanations shown, and elements below which a match may be a coincidence


@dataclass(frozen=True)
class Explanation:
    """A defect whose exact result is what was found: everywhere, or on every wrong element."""

    what: str
    everywhere: bool


@dataclass(frozen=True)
class Comparison:
    """One array beside what it should be.

    Args:
        wrong: how many elements differ.
        first: the first of them.
        where: the indices of the wrong ones along each axis, in words.
        explanations: those that hold everywhere first.
        tried: known defects that would change this array.
    """

    name: str
    shape: tuple[int, ...]
    wrong: int = 0
    first: tuple[int, ...] = ()
    got: float = 0.0
    expected: float = 0.0
    largest: float = 0.0
    where: tuple[str, ...] = ()
    explanations: tuple[Explanation, ...] = ()
    tried: int = 0
    shape_note: str = ""

    @property
    def passed(self) -> bool:
        return not self.wrong and not self.shape_note


def read_arrays(path: Path) -> dict[str, Array]:
    """The arrays of an .npz file; pickled objects are not loaded.

    Raises:
        SymconvError: it cannot be read, is no such file, or unpacks to more than 2 GiB.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > MOST_BYTES:
            raise SymconvError(f"{path} unpacks to {size} bytes; at most {MOST_BYTES} are read")
        with np.load(path, allow_pickle=False) as data:
            arrays = {name: data[name] for name in data.files}
    except OSError as e:
        raise SymconvError(f"cannot read {path}: {e.strerror or e}") from e
    except (ValueError, zipfile.BadZipFile, EOFError, KeyError, NotImplementedError) as e:
        raise SymconvError(f"{path} is no .npz file of arrays: {e}") from e
    for name, a in arrays.items():
        if a.dtype.kind not in "iufb":
            raise ShapeError(f"{name} holds {a.dtype}, expected numbers")
    return arrays


def check(system: System, arrays: Mapping[str, Array], seed: int = 0) -> tuple[Vectors, tuple[Comparison, ...]]:
    """Compare each result among the arrays with the exact one, for the inputs among them or those of the seed.

    Raises:
        ShapeError: no array has a known name, or the inputs given are no integers of the layer's shapes.
    """
    system = system.concrete()
    given = read_given(system, arrays)
    vectors = make_vectors(system, seed) if given is None else vectors_of(system, given)
    unknown = sorted(set(arrays) - set(vectors.arrays))
    if unknown:
        raise ShapeError(f"no array of this layer is called {unknown[0]!r}; there are: {', '.join(vectors.arrays)}")
    names = [n for n in vectors.results if n in arrays]
    if not names:
        raise ShapeError(f"there is no result to check; there are: {', '.join(vectors.results)}")
    return vectors, tuple(compare(vectors, n, arrays[n]) for n in names)


def compare(v: Vectors, name: str, got: Array) -> Comparison:
    """One array of the vectors beside somebody's."""
    right = v.arrays[name]
    shape_note = ""
    if got.shape != right.shape:
        got, shape_note = _in_shape(got, right)
        if got.shape != right.shape:
            return Comparison(name, right.shape, shape_note=shape_note)
    values = got.astype(np.float64)
    wrong = ~(values == right)
    if not wrong.any():
        return Comparison(name, right.shape, shape_note=shape_note)
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    largest = float(np.max(np.abs(values[wrong] - right[wrong])))
    found, tried = _explained(v, name, values, wrong)
    return Comparison(name, right.shape, int(wrong.sum()), first, float(values[first]), float(right[first]), largest,
                      tuple(_where(v, v.tensors[name], wrong)), found, tried, shape_note)


def _in_shape(got: Array, right: Array) -> tuple[Array, str]:
    """The array in the right shape where that is only a matter of axes, and what is said of it."""
    said = f"the shape is {got.shape}, expected {right.shape}"
    squeezed = tuple(n for n in right.shape if n > 1)
    if tuple(n for n in got.shape if n > 1) == squeezed:
        return got.reshape(right.shape), ""
    if got.ndim == right.ndim:
        for order in permutations(range(right.ndim)):
            turned = np.transpose(got, np.argsort(order))
            if turned.shape == right.shape and np.array_equal(turned, right):
                return turned, f"{said}: exact, with the axes in the order {list(order)}"
        common = tuple(slice(min(a, b)) for a, b in zip(got.shape, right.shape, strict=True))
        if got[common].size and np.array_equal(got[common], right[common]):
            more = [f"{a - b:+d} along axis {k}" for k, (a, b) in
                    enumerate(zip(got.shape, right.shape, strict=True)) if a != b]
            return got, f"{said} ({', '.join(more)}); the elements they have in common are exact"
    if got.size == right.size and np.array_equal(got.reshape(-1), right.reshape(-1)):
        return got.reshape(right.shape), f"{said}: exact, element by element in memory"
    return got, said


def _explained(v: Vectors, name: str, got: Array, wrong: Array) -> tuple[tuple[Explanation, ...], int]:
    """The known defects that reproduce the array, and how many were evaluated."""
    found = list(_left_alone(v.tensors[name], got, v.arrays[name], wrong))
    tried = len(found)
    for d in defects(v, name):
        tried += 1
        if np.array_equal(d.array, got):
            found.append(Explanation(d.what, True))
        elif np.array_equal(d.array[wrong], got[wrong]):
            found.append(Explanation(d.what, False))
    return tuple(sorted(found, key=lambda e: not e.everywhere)), tried


def _left_alone(t: Tensor, got: Array, right: Array, wrong: Array) -> Iterator[Explanation]:
    """Elements that nothing was written to, and sums that started from something."""
    here = got[wrong]
    if wrong.all() and np.unique(got - right).size == 1 and np.isfinite(here).all():
        yield Explanation(f"every element is larger by {float((got - right).flat[0]):g}: added to what was there", True)
    nan = bool(np.isnan(here).all())
    if not nan and np.unique(here).size > 1:
        return
    value = "NaN, as if never written" if nan else f"{float(here[0]):g}, as if never computed"
    if wrong.all() or (not nan and here.size < FEW):
        if wrong.all():
            yield Explanation(f"every element is {value}", True)
        return
    same = np.isnan(got) if nan else got == here[0]
    flat = same.reshape(-1)
    tail = int(wrong.reshape(-1).argmax())
    if flat[tail:].all():
        yield Explanation(f"all is right but the last {flat.size - tail} elements in memory, which are {value}", True)
    for axis, n in enumerate(wrong.shape):
        start = int(np.moveaxis(wrong, axis, 0).reshape(n, -1).any(1).argmax())
        if start > 0 and np.moveaxis(same, axis, 0)[start:].all():
            last = f"the last {n - start} of {n} along axis {axis}"
            yield Explanation(f"all is right but {last}, which are {value}", True)
    if nan:
        yield Explanation(f"all is right but {here.size} elements, which are {value}", True)


def _where(v: Vectors, t: Tensor, wrong: Array) -> Iterator[str]:
    """The wrong indices along each axis with more than one: a residue class, a range, or a list."""
    steps = sorted({abs(c) for e in v.system.equations for term in e.terms
                    for w in (*(i for f in term.factors for i in f.indices), *(c.expression for c in term.constraints))
                    for m, c in w if m and abs(c) > 1})
    for axis, n in enumerate(wrong.shape):
        hit = np.flatnonzero(np.moveaxis(wrong, axis, 0).reshape(n, -1).any(1))
        if n == 1:
            continue
        yield f"axis {axis}: {_indices(hit, n, steps)}"


def _indices(hit: Array, n: int, steps: list[int]) -> str:
    if hit.size == n:
        return f"all {n}"
    for s in steps:
        residues = sorted({int(i) % s for i in hit})
        if s < n and len(residues) < s and hit.size == sum(1 for i in range(n) if i % s in residues):
            return f"those with index mod {s} = {' or '.join(map(str, residues))}"
    low, high = int(hit[0]), int(hit[-1])
    if hit.size == high - low + 1:
        return f"{low} of 0..{n - 1}" if low == high else f"{low} to {high} of 0..{n - 1}"
    shown = ", ".join(map(str, hit[:8]))
    return f"{shown}{', ...' if hit.size > 8 else ''} of 0..{n - 1}"


def told(c: Comparison) -> Iterator[str]:
    """What is said of a comparison, line by line."""
    if c.passed:
        yield f"{c.name}: exact, {int(np.prod(c.shape))} elements"
        return
    if c.shape_note:
        yield f"{c.name}: {c.shape_note}"
    if not c.wrong:
        return
    most = f", by up to {c.largest:g}" if np.isfinite(c.largest) else ""
    yield f"{c.name}: {c.wrong} of {int(np.prod(c.shape))} elements are wrong{most}"
    yield f"  first at {list(c.first)}: {c.got:g} instead of {c.expected:g}"
    yield f"  wrong along {'; '.join(c.where)}" if c.where else "  it has one element"
    if not c.explanations:
        yield f"  none of {c.tried} known defects explains it"
        return
    for e in c.explanations[:FEW]:
        extent = f"reproduces all {int(np.prod(c.shape))} elements" if e.everywhere else (
            f"reproduces the {c.wrong} wrong elements"
            + (", which are few: may be a coincidence" if c.wrong < FEW else ""))
        yield f"  likely: {e.what} ({extent})"
    more = len(c.explanations) - FEW
    if more > 0:
        yield f"  {more} more of {c.tried} known defects give the same here; a layer with other sizes tells them apart"
