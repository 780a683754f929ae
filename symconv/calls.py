"""Calls of validated kernels: arrays checked on each call in well under a microsecond, or bound once and for all.

The fast test of an array only says yes or no; what is wrong with it is found out afterwards.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import prod
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from symconv.equation import Tensor
from symconv.errors import NotSupported
from symconv.native import address, fixed, placing

Array = NDArray[Any]
READ = 0x1 | 0x100  # NPY_ARRAY_C_CONTIGUOUS, NPY_ARRAY_ALIGNED
WRITE = READ | 0x400  # NPY_ARRAY_WRITEABLE
LINE = 64  # bytes a workspace is aligned to


@dataclass(frozen=True, slots=True)
class Slot:
    """What one array of a call must be. A new one is `lined` up with the lines of the cache where a kernel gains
    by it: where it reads the array again and again."""

    function: str
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    size: int  # in bytes
    flags: int = READ
    lined: bool = False

    @staticmethod
    def of(function: str, tensor: Tensor, dtype: str, out: bool = False) -> Slot:
        """What a kernel reads as this tensor, or writes when it is its `out`."""
        kind, shape = np.dtype(dtype), tensor.array_shape
        return Slot(function, "out" if out else tensor.name, shape, kind, prod(shape) * kind.itemsize,
                    WRITE if out else READ)

    def new(self, zeros: bool = False) -> Array:
        """Such an array."""
        if not self.lined:
            return (np.zeros if zeros else np.empty)(self.shape, self.dtype)
        memory = np.empty(self.size + LINE, np.uint8)
        start = -address(memory) % LINE
        return memory[start:start + self.size].view(self.dtype).reshape(self.shape)

    def placing(self) -> Callable[[Array], int]:
        """A function from an array to where its elements are. It raises ValueError, naming the array, when the
        kernel must not read or write there."""
        return placing(self.shape, self.dtype, self.flags, self._refuse)

    def _refuse(self, a: Array) -> NoReturn:
        raise ValueError(f"{self.function}: {self.name} must {self._wish(a)}")

    def _wish(self, a: Array) -> str:
        if not isinstance(a, np.ndarray):
            return f"be a NumPy array, not {type(a).__name__}"
        if a.shape != self.shape:
            return f"have the shape {self.shape}, not {a.shape}"
        if a.dtype != self.dtype:
            return f"hold {self.dtype}, not {a.dtype}"
        if a.flags.num & READ != READ:
            return (f"be C-contiguous and aligned, not a view with the strides {a.strides}; "
                    f"pass numpy.array({self.name}, order=\"C\")")
        return "be writeable, not read-only"


class Workspace:
    """Memory for one kernel at a time, on a multiple of 64 bytes. Nobody else sees it, so no array overlaps it."""

    __slots__ = ("_memory", "place", "size")

    def __init__(self, size: int) -> None:
        self._memory = np.empty(size + LINE, np.uint8)
        self.size, self.place = size, -(-address(self._memory) // LINE) * LINE

    def __repr__(self) -> str:
        return f"Workspace of {self.size} bytes"


class Bound:
    """A kernel on fixed arrays: `bound()` runs it and returns `out`, without looking at the arrays again.

    `arrays` holds what is read and written by name, results in between (z) included. They, the
    library and its folder live as long as this does. One thread at a time may call it.
    """

    __slots__ = ("_keep", "_run", "arrays", "name", "out")

    def __init__(self, name: str, run: Callable[[], object], arrays: Mapping[str, Array], out: Array,
                 keep: object) -> None:
        self.name, self.arrays, self.out = name, arrays, out
        self._run, self._keep = run, keep

    def __call__(self) -> Array:
        self._run()
        return self.out

    def __repr__(self) -> str:
        return f"Bound {self.name} of {', '.join(f'{n} {a.shape}' for n, a in self.arrays.items())}"


@dataclass(frozen=True)
class Call(ABC):
    """One kernel, called with arrays that are checked each time.

    Args:
        takes: what it reads; each slot has its tensor's name.
        gives: the slot of `out`; `result` is its tensor's name.
        adds: it adds to `out` instead of overwriting it.
        workspace: the bytes it needs beside its arrays.
    """

    name: str
    takes: tuple[Slot, ...]
    gives: Slot
    result: str
    adds: bool
    function: Callable[..., Any] = field(repr=False)
    workspace: int = 0
    keep: object = field(default=None, repr=False)

    @property
    def reads(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.takes)

    @property
    @abstractmethod
    def checked(self) -> Callable[..., Array]:
        """The kernel as a function of arrays, `out`, `workspace` and `return_z`; see Kernels. A closure, since
        finding attributes would take as long as the checks."""

    def bind(self, arrays: Sequence[Array], out: Array | None = None, workspace: Workspace | None = None) -> Bound:
        """Check once; the result is a call without arguments."""
        if len(arrays) != len(self.takes):
            self._refuse(arrays)
        places = self._places(*arrays)
        if out is None:
            out = self.new()
        place = self._place(out)
        self._apart(places, place)
        run, held = self._fixed(arrays, (*places, place), out, workspace)
        return Bound(self.name, run, dict(zip((*self.reads, self.result), (*arrays, out), strict=True)), out,
                     (self.keep, held))

    def new(self) -> Array:
        """An array for the result; of zeros when the kernel adds to it."""
        return self.gives.new(self.adds)

    @cached_property
    def _places(self) -> Callable[..., tuple[int, ...]]:
        return _all_places([s.placing() for s in self.takes])

    def _refuse(self, arrays: Sequence[Array]) -> NoReturn:
        if len(arrays) != len(self.takes):
            raise ValueError(_count(self.name, self.reads, arrays))
        raise NotSupported("there is no activation, so there is no z to return")

    @cached_property
    def _place(self) -> Callable[[Array], int]:
        return self.gives.placing()

    def _apart(self, places: tuple[int, ...], place: int) -> None:
        """Raise ValueError when the result, at `place`, overlaps an input."""
        for slot, at in zip(self.takes, places, strict=True):
            if place < at + slot.size and at < place + self.gives.size:
                raise ValueError(f"{self.name}: out shares memory with an input, {slot.name}")

    @abstractmethod
    def _fixed(self, arrays: Sequence[Array], places: tuple[int, ...], out: Array,
               workspace: Workspace | None) -> tuple[Callable[[], object], object]:
        """The run on these arrays as a call without arguments, and what has to stay alive for it."""


def _all_places(places: Sequence[Callable[[Array], int]]) -> Callable[..., tuple[int, ...]]:
    """From as many arrays to their places. Written out for up to three: a loop costs as much as its checks."""
    match places:
        case [p]:
            return lambda a: (p(a),)
        case [p, q]:
            return lambda a, b: (p(a), q(b))
        case [p, q, r]:
            return lambda a, b, c: (p(a), q(b), r(c))
    return lambda *arrays: tuple(p(a) for p, a in zip(places, arrays, strict=True))


@dataclass(frozen=True)
class CCall(Call):
    """A compiled kernel: `function` takes addresses, that of its workspace last; `at` is where the function is."""

    at: int = 0

    @cached_property
    def checked(self) -> Callable[..., Array]:
        function, places_of, place_of = self.function, self._places, self._place
        lent, needs, lined, any_new = self._lent, self.workspace, self.gives.lined, self.new
        new, shape, dtype = np.zeros if self.adds else np.empty, self.gives.shape, self.gives.dtype
        size, sizes, count = self.gives.size, [s.size for s in self.takes], len(self.takes)

        def call(*arrays: Array, out: Array | None = None, workspace: Workspace | None = None,
                 return_z: bool = False) -> Array:
            if len(arrays) != count or return_z:
                self._refuse(arrays)
            places = places_of(*arrays)
            if out is None:
                out = any_new() if lined else new(shape, dtype)
                place = address(out)
            else:
                place = place_of(out)
                for at, length in zip(places, sizes):  # noqa: B905 -- both have `count`
                    if place < at + length and at < place + size:
                        self._apart(places, place)
            if needs:
                held = lent(workspace)
                function(*places, place, held.place)
            else:
                function(*places, place)
            return out

        return call

    def _fixed(self, arrays: Sequence[Array], places: tuple[int, ...], out: Array,
               workspace: Workspace | None) -> tuple[Callable[[], object], object]:
        if not self.workspace:
            return fixed(self.function, places), None
        held = self._lent(workspace)
        return fixed(self.function, (*places, held.place)), held

    def _lent(self, workspace: Workspace | None) -> Workspace:
        """The workspace given, or one of our own: kernels may run in several threads."""
        if workspace is None:
            return Workspace(self.workspace)
        if not isinstance(workspace, Workspace):
            raise ValueError(f"{self.name}: workspace must be what workspace() returns, not "
                             f"{type(workspace).__name__}")
        if workspace.size < self.workspace:
            raise ValueError(f"{self.name}: workspace must have {self.workspace} bytes, not {workspace.size}")
        return workspace


class NumpyCall(Call):
    """A kernel of an emitted NumPy module: `function` takes arrays, and `out` where it adds to it."""

    @cached_property
    def checked(self) -> Callable[..., Array]:
        def call(*arrays: Array, out: Array | None = None, workspace: Workspace | None = None,
                 return_z: bool = False) -> Array:
            if len(arrays) != len(self.takes) or return_z:
                self._refuse(arrays)
            places = self._places(*arrays)
            if out is not None:
                place = self._place(out)
                self._apart(places, place)
            return self._run(arrays, out)

        return call

    def _run(self, arrays: Sequence[Array], out: Array | None) -> Array:
        if self.adds:
            out = self.new() if out is None else out
            self.function(*arrays, out)
        elif out is None:
            return np.asarray(self.function(*arrays), order="C")
        else:
            np.copyto(out, self.function(*arrays))
        return out

    def _fixed(self, arrays: Sequence[Array], places: tuple[int, ...], out: Array,
               workspace: Workspace | None) -> tuple[Callable[[], object], object]:
        return partial(self._run, arrays, out), None


@dataclass(frozen=True)
class Chain:
    """Calls one after the other, each fed by name with what was given and what came before it.

    The result is that of the last; results on the way are made anew each time.
    """

    name: str
    reads: tuple[str, ...]
    calls: tuple[Call, ...]

    def checked(self, *arrays: Array, out: Array | None = None, workspace: Workspace | None = None,
                return_z: bool = False) -> Any:
        """Check the arrays and run; with `return_z` the result and everything computed on the way to it."""
        values = self._named(arrays)
        *before, last = self.calls
        for c in before:
            values[c.result] = c.checked(*(values[n] for n in c.reads), workspace=workspace)
        self._apart(arrays, out)
        result = last.checked(*(values[n] for n in last.reads), out=out, workspace=workspace)
        return (result, *(values[c.result] for c in before)) if return_z else result

    def bind(self, arrays: Sequence[Array], out: Array | None = None, workspace: Workspace | None = None) -> Bound:
        """Check once; what is computed on the way is in `arrays` of the result."""
        values, steps, kept = self._named(arrays), [], []
        self._apart(arrays, out)
        for c in self.calls:
            between = c is not self.calls[-1]
            part = c.bind([values[n] for n in c.reads], None if between else out, workspace)
            values[c.result] = part.out
            steps += [partial(part.out.fill, 0)] * (between and c.adds) + [part]
            kept.append(part)

        def run() -> None:
            for step in steps:
                step()

        return Bound(self.name, run, values, kept[-1].out, kept)

    def _named(self, arrays: Sequence[Array]) -> dict[str, Array]:
        if len(arrays) != len(self.reads):
            raise ValueError(_count(self.name, self.reads, arrays))
        return dict(zip(self.reads, arrays, strict=True))

    def _apart(self, arrays: Sequence[Array], out: Array | None) -> None:
        for n, a in zip(self.reads, arrays, strict=True):
            if isinstance(a, np.ndarray) and isinstance(out, np.ndarray) and np.may_share_memory(out, a):
                raise ValueError(f"{self.name}: out shares memory with an input, {n}")


def _count(name: str, reads: Sequence[str], arrays: Sequence[Array]) -> str:
    return f"{name} takes {', '.join(reads)}; {len(arrays)} arrays were given"
