"""Sizes along one spatial axis: output extent, named paddings, and the reason for each."""

from __future__ import annotations

from typing import NamedTuple

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.errors import ShapeError


class Letters(NamedTuple):
    """What formulas call the positions along one spatial axis, and its sizes."""

    out: str
    tap: str
    in_gradient: str
    tap_gradient: str
    input: str
    kernel: str
    output: str


LETTERS = {
    1: (Letters("i", "j", "m", "a", "n", "k", "o"),),
    2: (Letters("i", "p", "m", "u", "H", "K_H", "O_H"), Letters("j", "q", "n", "v", "W", "K_W", "O_W")),
    3: (Letters("h", "p", "l", "t", "D", "K_D", "O_D"), Letters("i", "q", "m", "u", "H", "K_H", "O_H"),
        Letters("j", "r", "n", "v", "W", "K_W", "O_W")),
}


class Axis(NamedTuple):
    """The numbers of one spatial axis."""

    input: int
    kernel: int
    stride: int
    dilation: int
    low: int
    high: int
    extra: int
    transposed: bool

    @property
    def span(self) -> int:
        """Places from the first tap to the last."""
        return self.dilation * (self.kernel - 1) + 1

    @property
    def output(self) -> int:
        if self.transposed:
            return (self.input - 1) * self.stride - self.low - self.high + self.span + self.extra
        return (self.input + self.low + self.high - self.span) // self.stride + 1

    def check(self) -> None:
        """Raise ShapeError, naming the formula and the numbers, when no output is left."""
        h, k, s, d, lo, hi, extra, _ = self
        if self.transposed and extra >= max(s, d):
            raise ShapeError(f"output_padding = {extra} must be smaller than max(stride, dilation) "
                             f"= max({s}, {d}) = {max(s, d)}")
        if self.transposed and self.output < 1:
            raise ShapeError(
                f"no output is left: (H - 1)*S - P_lo - P_hi + D*(K - 1) + output_padding + 1 = "
                f"({h} - 1)*{s} - {lo} - {hi} + {d}*({k} - 1) + {extra} + 1 = {self.output} < 1")
        if not self.transposed and extra:
            raise ShapeError(f"output_padding = {extra} applies to a transposed convolution only")
        if not self.transposed and h + lo + hi < self.span:
            raise ShapeError(
                f"the kernel is larger than the padded input: it spans D*(K - 1) + 1 = "
                f"{d}*({k} - 1) + 1 = {self.span}, the input has H + P_lo + P_hi = {h} + {lo} + {hi} = {h + lo + hi}")

    def rule(self, names: Letters) -> tuple[list[Constraint], str, str]:
        """The output size as constraints on size names, as a formula, and the reason for it."""
        h, k, o = names.input, names.kernel, names.output
        n_in, n_ker, s, d, lo, hi, extra, _ = self
        here = f"; here {h} = {n_in} and {k} = {n_ker} give {o} = {self.output}"
        if self.transposed:
            size = s * (Affine.of(h) - 1) + d * (Affine.of(k) - 1) + (1 - lo - hi + extra)
            reason = (f"input {h} lands at {_scaled(s, f'({h} - 1)')} and its last tap "
                      f"{_scaled(d, f'({k} - 1)')} further; {lo} places below and {hi} above are cut off, "
                      f"{extra} added")
            return [equal(size, o)], _sizes_text(size), reason + here
        room = Affine.of(h) + (lo + hi) - d * (Affine.of(k) - 1) - 1
        last = s * (Affine.of(o) - 1)
        padded = f"{h} + {lo} + {hi}" if lo + hi else h
        reason = (f"the last window starts at {_scaled(s, f'({o} - 1)')} and ends {_scaled(d, f'({k} - 1)')} later, "
                  f"within {padded} places, so {_scaled(s, f'({o} - 1)')} <= {_sizes_text(room)}")
        if s == 1:
            return [equal(room + 1, o)], _sizes_text(room + 1), reason + here
        floor = [at_least(room, last), at_least(last + (s - 1), room)]
        return floor, f"floor(({_sizes_text(room)})/{s}) + 1", reason + here


def _scaled(factor: int, text: str) -> str:
    return text if factor == 1 else f"{factor}*{text}"


def _sizes_text(e: Affine) -> str:
    """An affine expression of sizes with the positive terms first."""
    plus = Affine.build({m: c for m, c in e if c > 0 and m})
    minus = Affine.build({m: -c for m, c in e if c < 0 and m})
    text = str(plus) + (f" - {minus}".replace(" + ", " - ") if minus.items else "")
    return text + (f" {'-' if e.constant < 0 else '+'} {abs(e.constant)}" if e.constant else "")


def named_padding(name: str, h: int, k: int, s: int, d: int) -> tuple[int, int]:
    """(low, high) for 'valid', 'same' or 'full' at input h, kernel k, stride s, dilation d."""
    span = d * (k - 1)
    if name == "full":
        return span, span
    total = max(0, (-(-h // s) - 1) * s + span + 1 - h) if name == "same" else 0
    return total // 2, total - total // 2
