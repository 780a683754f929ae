"""From a derivation to source files: types, stamp, names, templates. Emission is deterministic to the byte."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from symconv import __version__
from symconv.c_function import c_function
from symconv.c_routine import Prepared, Routine
from symconv.c_target import RESERVED, CFunction, Note, Rounded
from symconv.c_target import render as render_c
from symconv.derivation import Derivation, Function, derive
from symconv.errors import LimitExceeded, NotSupported, SymconvError
from symconv.layouts import LAYOUTS, arranged
from symconv.native import native_isa
from symconv.notation.printers import code_formula
from symconv.schedule.machine import machine_named
from symconv.schedule.program import SCHEDULES, Asked
from symconv.self_test import self_test as make_test
from symconv.summands import check_sums
from symconv.system import LayerLike, System, as_system

TARGETS = ("c", "numpy")
DTYPES = ("float32", "float64", "int8")
MAX_ELEMENTS = 2**31 - 1  # of one array: an index has to fit a C int
MAX_PRODUCTS = 10**11


@dataclass(frozen=True)
class Package:
    """The emitted files of one layer, and what is needed to run and check them.

    Args:
        files: {file name: text}.
        functions: with their sizes in numbers.
        types: array dtype for each tensor name.
        multiplications, additions: for each function, as the plain sum or its tiles do them, zeros around arrays
            not counted; of a bilinear function those of its matrix products, and the terms of the sum it stands for.
        workspace: bytes that each C function takes as its last argument; 0 for none.
        isa: whose vectors the C uses.
        exact: sums run in one order on every machine, products and sums rounded apart.
        prepared: what of those functions can be done beforehand, and how.
        rounded: what those functions are held to that round in another way than their sum.
        whole: files with such functions in whole numbers, for validation.
        self_test: the file among them that tests the C where it runs; '' for none.
    """

    stem: str
    derivation: Derivation
    system: System
    functions: tuple[Function, ...]
    types: Mapping[str, str]
    dtype: str
    accumulate: bool
    files: Mapping[str, str]
    multiplications: Mapping[str, int]
    additions: Mapping[str, int]
    workspace: Mapping[str, int]
    isa: str = "generic"
    exact: bool = False
    prepared: Mapping[str, Prepared] = field(default_factory=dict)
    rounded: Mapping[str, Rounded] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    self_test: str = ""

    @property
    def whole_stem(self) -> str:
        return f"{self.stem}_whole"

    def routines(self, function: Function) -> tuple[Routine, ...]:
        """What prepares for a function and the rest of it, where there are such."""
        found = self.prepared.get(function.name)
        return (found.prepare, found.rest) if found else ()

    def adds(self, function: Function) -> bool:
        """Does this function add to its output array instead of overwriting it?"""
        return self.accumulate and function.proof is not None


def emit(layer: LayerLike | System | Derivation, targets: Iterable[str] = TARGETS, dtype: str = "float32",
         accumulate: bool = False, isa: str = "generic", exact: bool = False,
         schedules: Iterable[str] = SCHEDULES, pick: int | None = None, layout: str = LAYOUTS[0],
         self_test: bool = False) -> Package:
    """Derive a layer and write the source of its kernels.

    Args:
        accumulate: gradients add to their output array, for mini-batches.
        isa: generic (plain loops), neon, avx2, avx512, or native for this machine's: vectors in C, wherever they
            are estimated to pay.
        exact: the same bits on every machine, when compiled with contraction off.
        schedules: which the choice is made from.
        pick: a number that stands for one of all shapes of a schedule, for tests; None for the best.
        layout: channels_first, or channels_last.
        self_test: add a C file that tests the kernels where they run.

    Raises:
        NotSupported: unknown target or dtype, or a function the dtype cannot express.
        LimitExceeded: an array or the work is larger than a kernel can index, or an integer sum may leave its type.
        Misread: a schedule does not compute its equation, a defect of symconv.
        ShapeError: a size has no number.
    """
    targets = tuple(targets)
    _check_asked(targets, dtype, self_test)
    given = layer.system if isinstance(layer, Derivation) else as_system(layer)
    system = arranged(given, layout)
    derivation = layer if isinstance(layer, Derivation) and system is given else derive(system)
    system = derivation.system.concrete()
    _check_limits(system)
    sizes = dict(derivation.system.sizes)
    functions = tuple(f.at(sizes) for f in derivation.functions)
    _check_names(functions)
    types = array_types(system, functions, dtype)
    stem = system.name + (f"_{dtype}" if dtype != "float32" else "") + ("_acc" if accumulate else "")
    text: dict[str, str] = {}
    machine = machine_named(native_isa() if isa == "native" else isa)
    asked = Asked(machine, exact, tuple(schedules), pick, frozenset(system.parameters))
    printed = _printed(system, functions, types, accumulate, asked)
    head, lines = title(derivation), stamp(derivation.system, dtype, accumulate, machine.name, exact, self_test)
    if "c" in targets:
        test = make_test(stem, system, printed, types, accumulate, lines) if self_test else None
        text |= render_c(stem, printed, types, head, lines, notes(derivation), test.digests if test else {})
        text |= {name_of_test(stem): test.text} if test else {}
    rounded = {c.function.name: c.rounded for c in printed if c.rounded}
    whole = render_c(f"{stem}_whole", [r.whole for r in rounded.values()], dict.fromkeys(types, "float64"), head,
                     lines, notes(derivation)) if rounded else {}
    if "numpy" in targets:
        from symconv.numpy_target import render
        text[f"{stem}.py"] = render(functions, types, header="\n".join([head, "", *lines]), accumulate=accumulate)
    return Package(stem, derivation, system, functions, types, dtype, accumulate, text,
                   {c.function.name: c.multiplications for c in printed},
                   {c.function.name: c.products for c in printed},
                   {c.function.name: c.routine.workspace for c in printed}, machine.name, exact,
                   {c.function.name: c.prepared for c in printed if c.prepared}, rounded, whole,
                   name_of_test(stem) if self_test and "c" in targets else "")


def _check_asked(targets: Sequence[str], dtype: str, self_test: bool) -> None:
    if not targets:
        raise NotSupported(f"no target is given; known: {', '.join(TARGETS)}")
    if self_test and "c" not in targets:
        raise NotSupported("a self-test is a C file: it needs the target c")
    for value, known, what in ((targets, TARGETS, "target"), ((dtype,), DTYPES, "dtype")):
        for v in value:
            if v not in known:
                raise NotSupported(f"unknown {what} {v!r}; known: {', '.join(known)}")


def _printed(system: System, functions: Iterable[Function], types: Mapping[str, str], accumulate: bool,
             asked: Asked) -> list[CFunction]:
    """Every function as C, its integer sums bounded."""
    functions = tuple(functions)
    bounds = check_sums(system, functions, types)
    printed = [c_function(f, types, accumulate and f.proof is not None, asked) for f in functions]
    work = max(c.products for c in printed)
    if work > MAX_PRODUCTS:
        raise LimitExceeded(f"a kernel of {system.name} would add {work} products; the limit is {MAX_PRODUCTS}")
    return [replace(c, facts=(*c.facts, *bounds.get(c.function.name, ()))) for c in printed]


def name_of_test(stem: str) -> str:
    return f"{stem}_self_test.c"


def _check_names(functions: Iterable[Function]) -> None:
    """Array names become identifiers as they are, so they have to be some."""
    for t in (t for f in functions for t in (*f.arguments, f.equation.output)):
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]{0,62}", t.name) or t.name in RESERVED:
            raise NotSupported(f"a kernel cannot have an array called {t.name!r}: use letters, digits and _, "
                               "and no word of C, C++ or Python")


def _check_limits(system: System) -> None:
    for t in (*system.inputs, *(e.output for e in system.equations)):
        count = 1
        for n in t.extents:
            count *= n
        if count > MAX_ELEMENTS:
            raise LimitExceeded(f"{t.name} has {count} elements; a kernel indexes at most {MAX_ELEMENTS}")


def array_types(system: System, functions: Iterable[Function], dtype: str) -> dict[str, str]:
    """The dtype of every array. Integers: what is multiplied is int8; sums, and what is added to
    a sum on its own (a bias), are int32; so are gradients, while upstream gradients are int8."""
    forward = [e.output for e in system.equations]
    tensors = {t.name: t for f in functions for t in (*f.arguments, f.equation.output)}
    if dtype != "int8":
        return dict.fromkeys(tensors, dtype)
    wide = {t.name for t in forward}
    wide |= {t.factors[0].tensor.name for e in system.equations for t in e.terms if len(t.factors) == 1}
    wide |= {f.equation.output.name for f in functions} - {t.gradient().name for t in forward}
    return {name: "int32" if name in wide else "int8" for name in tensors}


def notes(derivation: Derivation) -> dict[str, Note]:
    """The formula and the meaning of each function."""
    names = derivation.names
    return {f.name: Note(code_formula(f.equation), names.get(f.equation.output.name) or "")
            for f in derivation.functions}


def title(derivation: Derivation) -> str:
    return f"{derivation.system.name}: forward and gradient kernels."


def stamp(system: System, dtype: str, accumulate: bool, isa: str = "generic", exact: bool = False,
          self_test: bool = False) -> list[str]:
    """Who wrote the file, how to write it again, and a hash of what was asked for: no date, no machine."""
    options = (f" --dtype {dtype}" * (dtype != "float32") + " --accumulate" * accumulate
               + f" --isa {isa}" * (isa != "generic") + " --exact" * exact + " --self-test" * self_test)
    spec = repr((system.spec, dtype, accumulate, *((isa, exact) if (isa, exact) != ("generic", False) else ())))
    again = f"symconv emit {system.command}{options}" if system.command else "symconv.build(equation) in Python"
    digest = hashlib.sha256(spec.encode()).hexdigest()
    return [f"Generated by symconv {__version__}: {again}", f"Specification sha256 {digest}"]


def write_files(texts: Mapping[str, str | bytes], folder: Path) -> list[Path]:
    """Write each text whole or not at all, only where it changed; returns the paths that changed.

    Raises:
        SymconvError: the folder cannot be written, or a name would leave it.
    """
    for name in texts:
        if name in ("", "..") or Path(name).name != name:
            raise SymconvError(f"the file name {name!r} would leave the folder {folder}")
    changed = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            path, data = folder / name, text.encode() if isinstance(text, str) else text
            if path.is_file() and path.read_bytes() == data:
                continue
            handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
            try:
                with os.fdopen(handle, "wb") as f:
                    f.write(data)
                os.chmod(temporary, 0o666 & ~_umask())
                os.replace(temporary, path)
            except BaseException:
                Path(temporary).unlink(missing_ok=True)
                raise
            changed.append(path)
    except OSError as e:
        raise SymconvError(f"cannot write to {folder}: {e.strerror or e}") from e
    return changed


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
