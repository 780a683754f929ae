"""The algorithm behind a kernel that multiplies less, where the emitted kernel uses one."""

from __future__ import annotations

from symconv.lecture.blocks import Section
from symconv.lecture.subject import Subject


def section(s: Subject, isa: str) -> Section | None:
    return None
