"""Small integers drawn alike in Python and in emitted C: a linear congruential generator modulo 2**32."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
MULTIPLIER, INCREMENT = 1664525, 1013904223  # Knuth, The Art of Computer Programming, vol. 2, 3.3.4, table 1
OFFSET_BASIS, PRIME = 2166136261, 16777619  # of FNV-1a


def drawn(seed: int, shapes: Mapping[str, tuple[int, ...]], most: int) -> dict[str, Array]:
    """An array for each name, in order and from one stream: integers from -most to most without zero, so that no
    factor hides another."""
    counts = [prod(shape) for shape in shapes.values()]
    values = _whole(_states(seed, sum(counts)), most)
    parts = np.split(values, np.cumsum(counts)[:-1]) if counts else []
    return {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}


def _states(seed: int, count: int) -> Array:
    """The first so many states after the seed: a^n * seed + c * (a^0 + ... + a^(n-1)), all modulo 2**32."""
    powers = np.cumprod(np.full(count, MULTIPLIER, np.uint32), dtype=np.uint32)
    sums = np.cumsum(np.concatenate([np.ones(min(count, 1), np.uint32), powers[:-1]]), dtype=np.uint32)
    return powers * np.uint32(seed % 2**32) + sums * np.uint32(INCREMENT)


def _whole(states: Array, most: int) -> Array:
    """The upper half of a state, which is the better one, as an integer."""
    values = (states >> np.uint32(16)).astype(np.int64) % (2 * most) - most
    return values + (values >= 0)


def digest(values: Array) -> int:
    """FNV-1a over integers of 32 bits, lowest byte first: the same number on every machine."""
    found = OFFSET_BASIS
    for byte in np.ascontiguousarray(values.reshape(-1).astype("<i4")).tobytes():
        found = (found ^ byte) * PRIME % 2**32
    return found
