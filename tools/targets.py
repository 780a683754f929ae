"""Run the self-tests of emitted kernels on every target this machine can compile and run for.

    python tools/targets.py                  # print the matrix
    python tools/targets.py --write          # and write it to docs/targets.md; --quick takes two layers of five

A cell is one layer, one way of writing its C, one compiler, one set of flags and one machine, real or emulated; it
passes when the compiler has nothing to say under -Werror and the program returns 0. Compilers and emulators that are
not installed are named and left out. On Debian: apt-get install gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf
gcc-riscv64-linux-gnu gcc-s390x-linux-gnu gcc-i686-linux-gnu qemu-user-static tcc gcc-arm-none-eabi qemu-system-arm
(and the libc6-dev-...-cross of each).
"""

from __future__ import annotations

import argparse
import datetime
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from symconv import Conv, Dense
from symconv.emit import emit

ROOT = Path(__file__).resolve().parent.parent
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Wshadow", "-Wdouble-promotion", "-Wvla",
          "-Werror", "-ffp-contract=off")
LEVELS = ("-O0", "-O1", "-O2", "-O3", "-Os")
SANITIZE = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
LAYERS = {
    "2-D, groups, stride, floor remainder": Conv((6, 7), (3, 2), 4, 4, 2, 2, 1, groups=2, bias=True),
    "2-D, transposed, output padding, flipped": Conv((3, 4), (3, 2), 2, 3, stride=2, padding=1, output_padding=1,
                                                     transposed=True, bias=True, flip=True),
    "1-D, dilation, relu": Conv(9, 3, 2, 2, stride=2, dilation=2, padding=1, activation="relu"),
    "3-D": Conv((4, 3, 3), (2, 2, 2), 2, 2),
    "fully connected": Dense(4, 3, 2, True),
}
# How the C is written: plain loops in three types, accumulating, and in vectors the machine need not have.
WAYS: dict[str, dict[str, object]] = {
    "float32": {}, "avx512": {"isa": "avx512", "exact": True}, "int8": {"dtype": "int8"},
    "accumulating": {"accumulate": True}, "float64": {"dtype": "float64"}, "neon": {"isa": "neon", "exact": True},
    "avx2": {"isa": "avx2", "exact": True},
}
PLAIN = ("float32", "int8", "float64", "accumulating")


@dataclass(frozen=True)
class Target:
    """A compiler with its flags, and what runs its programs."""

    name: str
    compiler: str
    flags: tuple[str, ...]
    runner: tuple[str, ...] = ()
    levels: tuple[str, ...] = LEVELS
    ways: tuple[str, ...] = tuple(WAYS)
    board: Board | None = None

    @property
    def tools(self) -> tuple[str, ...]:
        return (self.compiler, *self.runner[:1])


@dataclass(frozen=True)
class Board:
    """An emulated microcontroller: where its code and its data are."""

    machine: str
    code: int
    data: int
    size: int


def emulated(name: str, triple: str, qemu: str) -> Target:
    return Target(name, f"{triple}-gcc", (*STRICT, "-static"), (f"qemu-{qemu}-static",), ("-O0", "-O2"))


def cortex(core: str, board: Board, *flags: str) -> Target:
    run = ("qemu-system-arm", "-M", board.machine, "-nographic", "-monitor", "none", "-serial", "none",
           "-semihosting-config", "enable=on,target=native", "-kernel")
    return Target(f"Cortex-{core.removeprefix('cortex-').upper()}", "arm-none-eabi-gcc",
                  (*STRICT, f"-mcpu={core}", "-mthumb", *flags, "-ffreestanding", "-nostartfiles"), run,
                  ("-Os",), PLAIN, board)


M3 = Board("mps2-an385", 0x0, 0x20000000, 4 << 20)
TARGETS = (
    Target("x86-64", "gcc", STRICT), Target("x86-64", "clang", STRICT),
    Target("x86-64, sanitizers", "gcc", STRICT, levels=(" ".join(SANITIZE),)),
    Target("x86-64, sanitizers", "clang", STRICT, levels=(" ".join(SANITIZE),)),
    Target("x86-64, its own vectors", "gcc", (*STRICT, "-march=native"), levels=("-O3",)),
    Target("x86-64, its own vectors", "clang", (*STRICT, "-march=native"), levels=("-O3",)),
    Target("x86-64", "tcc", ("-std=c99", "-Wall", "-Werror"), levels=("",), ways=PLAIN),
    Target("x86, 32 bits", "i686-linux-gnu-gcc", (*STRICT, "-static"), levels=("-O0", "-O2")),
    Target("x86, 32 bits, x87", "i686-linux-gnu-gcc", (*STRICT, "-static", "-mfpmath=387"), levels=("-O2",),
           ways=PLAIN),
    emulated("aarch64", "aarch64-linux-gnu", "aarch64"), emulated("armhf", "arm-linux-gnueabihf", "arm"),
    emulated("riscv64", "riscv64-linux-gnu", "riscv64"), emulated("s390x, big-endian", "s390x-linux-gnu", "s390x"),
    cortex("cortex-m0", Board("microbit", 0x0, 0x20000000, 16 << 10)), cortex("cortex-m3", M3),
    cortex("cortex-m4", Board("mps2-an386", 0x0, 0x20000000, 4 << 20), "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
    cortex("cortex-m7", Board("mps2-an500", 0x0, 0x20000000, 4 << 20), "-mfloat-abi=hard", "-mfpu=fpv5-d16"),
    cortex("cortex-m33", Board("mps2-an505", 0x10000000, 0x38000000, 4 << 20)),
    cortex("cortex-m55", Board("mps3-an547", 0x0, 0x20000000, 512 << 10), "-mfloat-abi=hard"),
)


@dataclass(frozen=True)
class Cell:
    layer: str
    way: str
    target: Target
    level: str
    failure: str


def programs() -> dict[tuple[str, str], dict[str, str]]:
    """The files of each program: a self-test for every layer and way, and a training step."""
    made = {(name, way): dict(emit(layer, ("c",), self_test=True, **options).files)  # type: ignore[arg-type]
            for name, layer in LAYERS.items() for way, options in WAYS.items()}
    step = (ROOT / "tools" / "cortex_m" / "sgd_step.c").read_text()
    learning = emit(Conv((8, 8), (3, 3), 2, 4, stride=2, padding=1, bias=True), ("c",)).files
    return {("a training step", "float32"): {**learning, "sgd_step.c": step}, **made}


def check(files: dict[str, str], target: Target, level: str) -> str:
    """Compile and run one program; '' when nothing is to be said."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, text in files.items():
            (folder / file).write_text(text)
        sources = [n for n in files if n.endswith(".c")]
        extra: list[str] = []
        if target.board is not None:
            extra = startup(target.board, folder)
        command = [target.compiler, *target.flags, *level.split(), *sources, *extra, "-o", "program", "-lm"]
        said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if said.returncode:
            return said.stderr.strip().splitlines()[0][:200] if said.stderr else "the compiler failed"
        try:
            code = subprocess.run([*target.runner, str(folder / "program")], cwd=folder, timeout=20, check=False,
                                  stdin=subprocess.DEVNULL, capture_output=True).returncode
        except subprocess.TimeoutExpired:
            return "it does not end"
        return "" if code == 0 else f"returned {code}"


def startup(board: Board, folder: Path) -> list[str]:
    """A vector table, a start and an end for a microcontroller, and where its memory is."""
    here = ROOT / "tools" / "cortex_m"
    (folder / "start.c").write_text((here / "start.c").read_text())
    script = (here / "memory.ld").read_text()
    for word, value in (("CODE", board.code), ("DATA", board.data), ("SIZE", board.size)):
        script = script.replace(f"@{word}@", hex(value))
    (folder / "memory.ld").write_text(script)
    return ["start.c", "-T", "memory.ld"]


def cells(made: dict[tuple[str, str], dict[str, str]]) -> Iterator[Cell]:
    there = [t for t in TARGETS if all(map(shutil.which, t.tools))]
    work = [(layer, way, t, level) for layer, way in made for t in there for level in t.levels if way in t.ways]
    pool = ThreadPoolExecutor(2)
    try:
        failures = pool.map(lambda job: check(made[job[0], job[1]], job[2], job[3]), work)
        for job, failure in zip(work, failures, strict=True):
            yield Cell(*job, failure)
    finally:
        pool.shutdown(cancel_futures=True)


def version(tool: str) -> str:
    said = subprocess.run([tool, "-v" if tool == "tcc" else "--version"], capture_output=True, text=True, check=False)
    line = (said.stdout or said.stderr).splitlines()[0]
    found = re.search(r"\d+\.\d+[.\d]*", line)
    return f"{tool} {found[0] if found else line}"


def table(found: list[Cell]) -> str:
    """Markdown: a row for each target, compiler and level."""
    rows = ["| target | compiler | flags | programs | passed |", "|---|---|---|---|---|"]
    for t in TARGETS:
        for level in t.levels:
            own = [c for c in found if c.target is t and c.level == level]
            if own:
                good = sum(not c.failure for c in own)
                rows.append(f"| {t.name} | {t.compiler}{' under ' + t.runner[0] if t.runner else ''} | "
                            f"`{level or 'none'}` | {len(own)} | {good} |")
    failed = [f"- {c.target.name}, {c.target.compiler} {c.level}, {c.layer}, {c.way}: {c.failure}"
              for c in found if c.failure]
    return "\n".join([*rows, *(["", "Failed:", "", *failed] if failed else [])])


def document(found: list[Cell], missing: list[str]) -> str:
    tools = sorted({tool for c in found for tool in c.target.tools})
    passed = sum(not c.failure for c in found)
    left = f"\n\nNot installed, and left out: {', '.join(missing)}." if missing else ""
    return f"""# Targets

Written by `python tools/targets.py {' '.join(sys.argv[1:])}` on {datetime.date.today().isoformat()}:
{passed} of {len(found)} programs pass. Each is the self-test of one layer (`symconv emit --self-test`), compiled with
`{' '.join(STRICT)}`,
and passes when the compiler is silent and the program returns 0: the digests of its outputs are those of the oracle,
the same on every target, and the properties hold. One more for each target trains a layer
(`tools/cortex_m/sgd_step.c`).

Layers: {'; '.join(dict.fromkeys(c.layer for c in found))}.
Ways of writing each: {', '.join(dict.fromkeys(c.way for c in found))}; tcc and microcontrollers
take plain loops. Vectors that a machine does not have are compiled to what it has.

{table(found)}

With {'; '.join(map(version, tools))}.{left}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="write docs/targets.md")
    parser.add_argument("--only", default="", help="targets whose name or compiler holds this")
    parser.add_argument("--minutes", type=float, default=180, help="stop after so many")
    parser.add_argument("--quick", action="store_true", help="the first two layers only")
    arguments = parser.parse_args()
    global TARGETS, LAYERS
    LAYERS = dict(list(LAYERS.items())[:2 if arguments.quick else None])
    TARGETS = tuple(t for t in TARGETS if arguments.only in t.name or arguments.only in t.compiler)
    missing = sorted({tool for t in TARGETS for tool in t.tools if not shutil.which(tool)})
    found: list[Cell] = []
    limit = time.monotonic() + 60 * arguments.minutes
    for c in cells(programs()):
        found.append(c)
        if time.monotonic() > limit:
            break
        print(f"{len(found)}: {c.target.name}, {c.target.compiler} {c.level}, {c.layer}, {c.way}:",
              c.failure or "passed", file=sys.stderr, flush=True)
    text = document(found, missing)
    print(text)
    if arguments.write:
        (ROOT / "docs" / "targets.md").write_text(text)
    return 1 if any(c.failure for c in found) else 0


if __name__ == "__main__":
    raise SystemExit(main())
