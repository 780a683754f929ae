"""Compile and load emitted C. The only user of subprocess and ctypes."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from symconv.errors import ToolchainError

Array = np.ndarray
FLAGS = ("-std=c99", "-O2", "-ftree-vectorize", "-Wall", "-Wextra", "-pedantic")
CHILD_SECONDS = 600


@dataclass(frozen=True)
class Compiler:
    """A C compiler as the list of words that call it."""

    words: tuple[str, ...]
    version: str

    def __str__(self) -> str:
        return f"{' '.join(self.words)} ({self.version})"


@cache
def find_compiler() -> Compiler | None:
    """$CC, cc, gcc, clang, or zig from the ziglang wheel: the first that answers."""
    candidates = [tuple(os.environ["CC"].split())] if os.environ.get("CC") else []
    candidates += [("cc",), ("gcc",), ("clang",)]
    if find_spec("ziglang"):
        candidates.append((sys.executable, "-m", "ziglang", "cc"))
    for words in candidates:
        if shutil.which(words[0]):
            try:
                answer = subprocess.run([*words, "--version"], capture_output=True, text=True, timeout=60, check=False)
            except (OSError, subprocess.TimeoutExpired):
                continue
            if answer.returncode == 0:
                return Compiler(words, (answer.stdout.splitlines() or ["unknown version"])[0])
    return None


@cache
def _native_flags(compiler: Compiler) -> tuple[str, ...]:
    """What suits this machine and the compiler takes without a word; the C itself is for any machine.

    Predictive commoning would carry elements from one step of a tile's sum to the next, and spill them.
    """
    found: tuple[str, ...] = ()
    for flag in ("-march=native", "-mprefer-vector-width=512", "-fno-predictive-commoning"):
        if _preprocessed(compiler, *found, flag) is not None:
            found += (flag,)
    return found


def _preprocessed(compiler: Compiler, *flags: str) -> str | None:
    """What the compiler defines under these flags; None where it refuses them."""
    probe = subprocess.run([*compiler.words, *flags, "-dM", "-E", "-x", "c", os.devnull], capture_output=True,
                           text=True, check=False, timeout=60)
    return probe.stdout if probe.returncode == 0 and not probe.stderr else None


ISA_MACROS = (("avx512", ("__AVX512F__",)), ("avx2", ("__AVX2__", "__FMA__")), ("neon", ("__ARM_NEON",)))


@cache
def native_isa() -> str:
    """The widest instruction set this machine has, as its compiler says; generic where there is none."""
    compiler = find_compiler()
    macros = ((compiler and _preprocessed(compiler, *_native_flags(compiler))) or "").split()
    return next((isa for isa, needed in ISA_MACROS if set(needed) <= set(macros)), "generic")


class BuildFolder:
    """A private folder (mode 0700) that is removed with this object, or kept after a failure."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="symconv-"))
        self._removal = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def keep(self) -> Path:
        """Leave a copy behind for the user to look at."""
        kept = Path(tempfile.mkdtemp(prefix="symconv-failed-"))
        shutil.copytree(self.path, kept, dirs_exist_ok=True)
        return kept


def compile_library(files: Mapping[str, str], folder: BuildFolder, extra: Sequence[str] = (),
                    compiler: Compiler | None = None, exact: bool = False) -> Path:
    """Compile the .c files among `files` into one shared library.

    Args:
        exact: a product and the sum it goes into are rounded one after the other.

    Raises:
        ToolchainError: no compiler, or it failed: its message, the command and the kept source.
    """
    compiler = compiler or find_compiler()
    if compiler is None:
        raise ToolchainError("no C compiler found (looked for $CC, cc, gcc, clang and the ziglang wheel); "
                             "install one, or: pip install 'symconv[zig]'")
    _compile(compiler, files, folder, ["-fPIC", "-shared", *extra], "kernels.so", exact)
    return folder.path / "kernels.so"


def _compile(compiler: Compiler, files: Mapping[str, str], folder: BuildFolder, extra: Sequence[str], out: str,
             exact: bool) -> None:
    """Run the compiler on the .c files. Raises ToolchainError when it fails."""
    for name, text in files.items():
        (folder.path / name).write_text(text, encoding="utf-8")
    sources = [name for name in files if name.endswith(".c")]
    command = [*compiler.words, *FLAGS, *_native_flags(compiler), f"-ffp-contract={'off' if exact else 'fast'}",
               *extra, *sources, "-o", out, "-lm"]
    result = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ToolchainError(f"the compiler failed:\n{result.stderr.strip()}\ncommand: {' '.join(command)}\n"
                             f"source kept in {folder.keep()}")


def compile_object(files: Mapping[str, str], source: str, folder: BuildFolder, compiler: Compiler) -> bytes:
    """One source as an object of small code, each function in a section of its own.

    Raises:
        ToolchainError: the compiler failed.
    """
    for name, text in files.items():
        (folder.path / name).write_text(text, encoding="utf-8")
    command = [*compiler.words, "-std=c99", "-Os", "-ffunction-sections", "-c", source, "-o", "small.o"]
    result = subprocess.run(command, cwd=folder.path, capture_output=True, text=True, check=False)
    if result.returncode:
        raise ToolchainError(f"the compiler failed:\n{result.stderr.strip()}")
    return (folder.path / "small.o").read_bytes()


def run_program(files: Mapping[str, str], folder: BuildFolder, exact: bool = False) -> str:
    """Compile a program and run it: '' when it returns 0, else what happened.

    Raises:
        ToolchainError: no compiler, or it failed.
    """
    compiler = find_compiler()
    if compiler is None:
        raise ToolchainError("no C compiler found")
    _compile(compiler, files, folder, [], "program", exact)
    try:
        result = subprocess.run([folder.path / "program"], capture_output=True, text=True, timeout=CHILD_SECONDS,
                                check=False)
    except subprocess.TimeoutExpired:
        return f"did not end within {CHILD_SECONDS} s"
    code = result.returncode
    return "" if code == 0 else _death(code, "") if code < 0 else f"it returned {code}, the number of a failed check"


def load(library: Path, symbol: str) -> Callable[..., None]:
    """A compiled kernel as a function of arrays: it gets the address of each, and no check is made."""
    function = entry(library, symbol)

    def call(*arrays: Array) -> None:
        function(*(ctypes.c_void_p(address(a)) for a in arrays))

    return call


def entry(library: Path, symbol: str, count: int = 0) -> Callable[..., None]:
    """A compiled function of `count` addresses, given as integers."""
    function = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)((symbol, _open(library)))
    return function


def fixed(function: Callable[..., None], addresses: Sequence[int]) -> Callable[[], None]:
    """A compiled function on addresses converted once: the fastest call there is from Python."""
    return partial(function, *map(ctypes.c_void_p, addresses))


def place_of(library: Path, symbol: str) -> int:
    """The address of a compiled function, for compiled code that calls it."""
    return ctypes.cast(_open(library)[symbol], ctypes.c_void_p).value or 0


@cache
def _open(library: Path) -> ctypes.CDLL:
    return ctypes.CDLL(str(library))


_HEAD = object.__basicsize__  # NumPy's C interface fixes what follows an object's head: the address of its data
_read_address = ctypes.c_void_p.from_address


def _address_in_object(a: Array) -> int:
    return _read_address(id(a) + _HEAD).value or 0


def _address_asked_for(a: Array) -> int:
    return int(a.ctypes.data)


def _reads_well() -> bool:
    """Does the short way agree with NumPy's own answer here? It does wherever CPython's objects are as in C."""
    if sys.implementation.name != "cpython":
        return False
    probe = np.zeros(24, np.uint8)
    return all(_address_in_object(a) == a.ctypes.data for a in (probe, probe[5:], probe.reshape(2, 3, 4), probe[::2]))


# Where an array's elements are: 0.1 us in place of the 1 to 3 us that `.ctypes.data` takes on each call.
address: Callable[[Array], int] = _address_in_object if _reads_well() else _address_asked_for


@dataclass(frozen=True)
class Preparation:
    """A function to call first, on some of the inputs, given by their numbers: what it makes, so many bytes, stands
    at -1 among the `arguments` of the call itself."""

    symbol: str
    reads: tuple[int, ...]
    size: int
    workspace: int
    arguments: tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call for the child process: read-only inputs, then an output prepared by the caller, then so many
    bytes of workspace where there are any."""

    symbol: str
    inputs: tuple[Array, ...]
    output: Array
    workspace: int = 0
    first: Preparation | None = None


@dataclass(frozen=True)
class Outcome:
    """What a call left behind; `error` names a crash or a changed input."""

    output: Array | None
    error: str = ""


def run_in_child(library: Path, calls: Sequence[Call]) -> list[Outcome]:
    """Run compiled kernels in a process of their own, so that a crash is an outcome, not an end."""
    with tempfile.TemporaryDirectory(prefix="symconv-run-") as name:
        folder = Path(name)
        arrays = {f"{i}_{j}": a for i, c in enumerate(calls) for j, a in enumerate((*c.inputs, c.output))}
        np.savez(folder / "in.npz", **arrays)  # type: ignore[arg-type]
        plan = [{"symbol": c.symbol, "count": len(c.inputs) + 1, "workspace": c.workspace,
                 "first": c.first and asdict(c.first)} for c in calls]
        (folder / "plan.json").write_text(json.dumps({"library": str(library), "calls": plan}))
        try:
            command = [sys.executable, "-m", "symconv.child", str(folder)]
            result = subprocess.run(command, capture_output=True, text=True, timeout=CHILD_SECONDS, check=False,
                                    env={**os.environ, "PYTHONPATH": _path()})
            failure = "" if result.returncode == 0 else _death(result.returncode, result.stderr)
        except subprocess.TimeoutExpired:
            failure = f"did not end within {CHILD_SECONDS} s"
        return _outcomes(folder, calls, failure)


def _path() -> str:
    here = str(Path(__file__).resolve().parent.parent)
    return os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])


def _death(code: int, stderr: str) -> str:
    last = (stderr.strip().splitlines() or [""])[-1]
    return f"the process died with signal {-code}" if code < 0 else f"the process failed: {last}"


def _outcomes(folder: Path, calls: Sequence[Call], failure: str) -> list[Outcome]:
    """What each call left; the first that left nothing is where the process ended."""
    found: list[Outcome] = []
    for number, call in enumerate(calls):
        path = folder / f"out_{number}.npz"
        if path.is_file():
            with np.load(path, allow_pickle=False) as data:
                found.append(Outcome(data["output"], str(data["error"])))
            continue
        found.append(Outcome(None, failure or "the process ended without a result"))
        failure = f"not run: {call.symbol} ended the process before" if not failure.startswith("not run") else failure
    return found


def placing(shape: tuple[int, ...], dtype: np.dtype[Any], flags: int,
            refuse: Callable[[Array], NoReturn]) -> Callable[[Array], int]:
    """A function that gives an array's address, or hands it to `refuse` when it is another array than it should be.

    It runs for every array of every call, so the short way to the address is written out in it.
    """
    array, read, head = np.ndarray, _read_address, _HEAD

    def place(a: Array) -> int:
        if isinstance(a, array) and a.shape == shape and a.dtype == dtype and a.flags.num & flags == flags:
            return read(id(a) + head).value or 0
        refuse(a)

    def place_elsewhere(a: Array) -> int:
        if isinstance(a, array) and a.shape == shape and a.dtype == dtype and a.flags.num & flags == flags:
            return address(a)
        refuse(a)

    return place if address is _address_in_object else place_elsewhere
