"""What a schedule has to know of a processor: how wide its vectors are and how many it holds."""

from __future__ import annotations

from dataclasses import dataclass

from symconv.errors import NotSupported


@dataclass(frozen=True, slots=True)
class Machine:
    """An instruction set. `vector` is in bytes; 0 means plain loops, which any C99 compiler takes."""

    name: str
    vector: int = 0
    registers: int = 0

    def lanes(self, element: int) -> int:
        """Elements of so many bytes in one vector."""
        return self.vector // element


MACHINES = {m.name: m for m in (
    Machine("generic"), Machine("neon", 16, 32), Machine("avx2", 32, 16), Machine("avx512", 64, 32))}


def machine_named(name: str) -> Machine:
    """Raises NotSupported when the name is none of MACHINES."""
    if name not in MACHINES:
        raise NotSupported(f"unknown isa {name!r}; known: native, {', '.join(MACHINES)}")
    return MACHINES[name]
