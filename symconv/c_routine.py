"""The routines of a C function: one, or three where its first steps read nothing but arrays that stay the same.

Then `prepare` does these steps once, `..._prepared` the others as often as wanted, and the function itself is
a call of one after the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from symconv.c_vector import BYTES
from symconv.derivation import Function
from symconv.equation import Tensor
from symconv.schedule.program import offsets

CTYPES = {"float32": "float", "float64": "double", "int8": "int8_t", "int32": "int32_t"}
PREPARED, WORKSPACE = "prepared", "workspace"


@dataclass(frozen=True)
class Block:
    """A piece of code as the template sees it: lines before a head, and an indented body."""

    setup: tuple[str, ...]
    head: str
    body: tuple[Block, ...] = ()


@dataclass(frozen=True)
class Parameter:
    declaration: str
    prototype: str
    shape: str


@dataclass(frozen=True)
class CStep:
    """Statements, the arrays they read that somebody else wrote, and the arrays they write."""

    body: tuple[Block, ...]
    reads: frozenset[str]
    writes: frozenset[str]


@dataclass(frozen=True)
class Local:
    """An array beside the caller's: so many elements, and its shape for readers."""

    name: str
    size: int
    shape: str = ""


@dataclass(frozen=True)
class Routine:
    """One C function as its template sees it.

    Args:
        name: what follows the stem of the layer.
        arguments: the arrays it takes in order, the one it writes to last, without its workspace.
        unread: arguments that nothing is done with.
        arrays: declarations of arrays in the workspace, or in what was prepared.
        parts: the statements.
        workspace: in bytes, 0 for none.
        calls: instead of statements, other routines with their arguments.
        note: what it does, where it does a part of what the function does.
    """

    name: str
    arguments: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    unread: tuple[str, ...]
    arrays: tuple[str, ...]
    parts: tuple[tuple[Block, ...], ...]
    workspace: int
    calls: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Prepared:
    """The routine that prepares, the one that takes what it made, and the elements of that."""

    prepare: Routine
    rest: Routine
    size: int


def shape_text(shape: tuple[int, ...]) -> str:
    return "".join(f"[{n}]" for n in shape) or "[1]"


@dataclass(frozen=True)
class _Writer:
    """What all routines of a function have in common."""

    function: Function
    types: Mapping[str, str]
    ctype: str

    def routine(self, name: str, arguments: Sequence[str], output: str, steps: Sequence[CStep],
                placed: Sequence[tuple[str, Sequence[Local]]], prepared: int = 0) -> Routine:
        """Steps with the arrays in each piece of memory they were given."""
        used = frozenset().union(*(s.reads | s.writes for s in steps))
        arrays, workspace = [], 0
        for memory, local in placed:
            constant = "const " * (memory == PREPARED and output != PREPARED)
            offsets = self.offsets(local)
            arrays += [f"{constant}{self.ctype} *const {a.name} = {memory}{f' + {at}' if at else ''};"
                       + f" /* {a.shape} */" * bool(a.shape) for a, at in zip(local, offsets, strict=False)]
            workspace = offsets[-1] if memory == WORKSPACE else workspace
        unread = tuple(n for n in (*arguments, output) if n not in used | {PREPARED})
        return Routine(name, (*arguments, output), self.parameters([*arguments, output], workspace, prepared), unread,
                       tuple(arrays), tuple(s.body for s in steps), workspace * BYTES.get(self.ctype, 1))

    def offsets(self, local: Sequence[Local]) -> tuple[int, ...]:
        return offsets((a.size for a in local), BYTES.get(self.ctype, 1))

    def parameters(self, names: Sequence[str], workspace: int, prepared: int = 0) -> tuple[Parameter, ...]:
        tensors: dict[str, Tensor] = {t.name: t for t in (*self.function.arguments, self.function.equation.output)}

        def parameter(name: str, constant: str) -> Parameter:
            if name in tensors:
                ctype, shape = CTYPES[self.types[name]], shape_text(tensors[name].array_shape)
            else:
                ctype, shape = self.ctype, f"[{prepared}]"
            return Parameter(f"{constant}{ctype} *restrict {name}", f"{constant}{ctype} *{name}", shape)

        found = [*(parameter(n, "const ") for n in names[:-1]), parameter(names[-1], "")]
        if workspace:
            found.append(Parameter(f"{self.ctype} *restrict {WORKSPACE}", f"{self.ctype} *{WORKSPACE}",
                                   f"[{workspace}]"))
        return tuple(found)


def routines(function: Function, types: Mapping[str, str], steps: Sequence[CStep], local: Sequence[Local],
             constant: Collection[str]) -> tuple[Routine, Prepared | None]:
    """The routine of a function, and what it is made of where some of it can be done beforehand.

    Args:
        constant: names of arguments that stay the same from call to call.
    """
    output = function.equation.output.name
    write, names = _Writer(function, types, CTYPES[types[output]]), [t.name for t in function.arguments]
    first = _leading(steps, constant, output)
    if not first:
        return write.routine(function.name, names, output, steps, [(WORKSPACE, local)]), None
    rest = steps[len(first):]
    made, needed = _union(s.writes for s in first), _union(s.reads | s.writes for s in rest)
    own = _union(s.reads for s in first) & set(names)
    kept = [a for a in local if a.name in made & needed]
    scratch = [a for a in local if a.name in made - needed]
    others = [a for a in local if a.name in needed - made]
    size = write.offsets(kept)[-1]
    first_name, last_name = preparing(function.name)
    prepare = write.routine(first_name, [n for n in names if n in own], PREPARED, first,
                            [(PREPARED, kept), (WORKSPACE, scratch)], size)
    at = min(names.index(n) for n in own)  # what was prepared stands where the first of what it replaces did
    after = [n for n in (*names[:at], PREPARED, *names[at:]) if n not in own - needed]
    last = write.routine(last_name, after, output, rest, [(PREPARED, kept), (WORKSPACE, others)],
                         size)
    prepare = replace(prepare, note=f"What depends on {' and '.join(prepare.arguments[:-1])} alone, once.")
    last = replace(last, note="The rest, as often as wanted.")
    bytes_ = BYTES.get(write.ctype, 1)
    beside = max(prepare.workspace, last.workspace) // bytes_
    calls = tuple((r.name, ", ".join([*(WORKSPACE if n == PREPARED else n for n in r.arguments),
                                      *[f"{WORKSPACE} + {size}"] * bool(r.workspace)])) for r in (prepare, last))
    whole = Routine(function.name, (*names, output), write.parameters([*names, output], size + beside), (), (), (),
                    (size + beside) * bytes_, calls, "Both.")
    return whole, Prepared(prepare, last, size)


def preparing(function: str) -> tuple[str, str]:
    """The names of what prepares for a function, and of the rest: `prepare` and `forward_prepared`."""
    return "prepare" if function == "forward" else f"prepare_{function}", f"{function}_{PREPARED}"


def _leading(steps: Sequence[CStep], constant: Collection[str], output: str) -> Sequence[CStep]:
    """The first steps that read what stays, or what such a step made of it, and do not write the result yet."""
    known = frozenset(constant)
    for count, s in enumerate(steps):
        if not s.reads or not s.reads <= known or output in s.writes:
            return steps[:count]
        known |= s.writes
    return steps


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
