"""Random forward formulas: correlation and convolution along one or two axes, dense and transposed layers."""

from __future__ import annotations

import random
from dataclasses import dataclass

from .model import Layer, Read, Sum, Term, Test
from .poly import ONE, ZERO, Bound, Index, Poly, Ratio, poly

MODES = ("correlation", "flipped", "full")


@dataclass(frozen=True)
class Axis:
    """One spatial axis: which input an output and a tap meet at, and how many outputs there are.

    Args:
        mode: "correlation" reads x[S i + D j - P]; "flipped" takes the taps backwards; "full" reads x[i - j].
    """

    number: int
    mode: str = "correlation"
    stride: Poly = ONE
    dilation: Poly = ONE
    padding: Poly = ZERO

    def name(self, letter: str) -> str:
        return f"{letter}{self.number}"

    @property
    def input(self) -> Poly:
        return poly(self.name("N"))

    @property
    def kernel(self) -> Poly:
        return poly(self.name("K"))

    def position(self, i: Poly | str, j: Poly | str) -> Poly:
        """The input that output i and tap j meet at."""
        if self.mode == "full":
            return poly(i) - j
        tap = poly(j) if self.mode == "correlation" else self.kernel - 1 - j
        return self.stride * i + self.dilation * tap - self.padding

    @property
    def room(self) -> Poly:
        return self.input + 2 * self.padding - self.dilation * (self.kernel - 1) - 1

    @property
    def last(self) -> Bound:
        """The last output."""
        if self.mode == "full":
            return self.input + self.kernel - 2
        return self.room if self.stride == ONE else Ratio(self.room, self.stride, "down")

    @property
    def outputs(self) -> Bound:
        return self.last + 1

    @property
    def unit(self) -> bool:
        return self.stride == ONE

    @property
    def padded(self) -> bool:
        return self.padding != ZERO


@dataclass(frozen=True)
class Shape:
    """What a claim needs to know of a convolution: its axes and which extra indices its arrays carry."""

    layer: Layer
    axes: tuple[Axis, ...] = ()
    batch: bool = False
    channels: bool = False
    filters: bool = False
    bias: bool = False

    def out(self, at: list[Index]) -> tuple[Index, ...]:
        return (*self.lead("r", self.batch), *self.lead("f", self.filters), *at)

    def inputs(self, at: list[Index]) -> tuple[Index, ...]:
        return (*self.lead("r", self.batch), *self.lead("c", self.channels), *at)

    def taps(self, at: list[Index]) -> tuple[Index, ...]:
        return (*self.lead("f", self.filters), *self.lead("c", self.channels), *at)

    def lead(self, name: str, there: bool) -> tuple[Index, ...]:
        return (poly(name),) if there else ()


def convolution(rng: random.Random) -> Shape:
    """A random convolution layer."""
    planar = rng.random() < 0.45
    axes = _axes(rng, 2 if planar else 1)
    many = rng.random() < (0.5 if planar else 0.3)
    channels, filters = many, many and rng.random() < 0.8
    batch = rng.random() < (0.3 if many else 0.08)
    bias = rng.random() < 0.25
    shape = Shape(EMPTY, axes, batch, channels, filters, bias)
    i, j = [poly(a.name("i")) for a in axes], [poly(a.name("j")) for a in axes]
    sums = [Sum("c", ZERO, poly("C") - 1)] * channels + [Sum(a.name("j"), ZERO, a.kernel - 1) for a in axes]
    at = [a.position(p, q) for a, p, q in zip(axes, i, j, strict=True)]
    reads = (Read("w", shape.taps([*j])), Read("x", shape.inputs([*at])))
    implicit = any(a.mode == "full" for a in axes) or rng.random() < 0.15
    terms = [Term(reads, tuple(Sum(s.name) for s in sums) if implicit else tuple(sums))]
    if bias:
        terms.append(Term((Read("b", shape.lead("f", filters)),)))
    activation = rng.random() < 0.12
    layer = Layer(_family(axes, many, batch), Read("o", shape.out([*i])), tuple(terms), _shapes(shape),
                  _sizes(shape), activation, tuple(_given(axes)), _ranges(axes, implicit, rng))
    return Shape(layer, axes, batch, channels, filters, bias)


def _ranges(axes: tuple[Axis, ...], implicit: bool, rng: random.Random) -> tuple[tuple[str, Bound], ...]:
    """How far the outputs go is said where a sum leaves it open, and now and then elsewhere."""
    told = axes[0].mode == "full" or (axes[0].mode == "flipped" and implicit) or rng.random() < 0.12
    return tuple((a.name("i"), a.last) for a in axes) if told else ()


EMPTY = Layer("", Read("o"), (), (), ())


def _axes(rng: random.Random, count: int) -> tuple[Axis, ...]:
    mode = rng.choices(MODES, (80, 10, 10))[0]
    if mode == "full":
        return tuple(Axis(n + 1, mode) for n in range(count))
    stride = rng.choices(("", "2", "3", "S"), (62, 11, 5, 22))[0]
    dilation = rng.choices(("", "2", "D"), (84, 6, 10))[0]
    padding = rng.choices(("", "1", "P"), (75, 8, 17))[0]
    if count == 2:
        dilation = dilation if stride == "" else ""
    values = [poly(int(v)) if v.isdigit() else poly(v) if v else poly(z)
              for v, z in ((stride, 1), (dilation, 1), (padding, 0))]
    return tuple(Axis(n + 1, mode, *values) for n in range(count))


def _family(axes: tuple[Axis, ...], many: bool, batch: bool) -> str:
    a = axes[0]
    words = [f"{len(axes)}-D", a.mode] + ["strided"] * (not a.unit) + ["dilated"] * (a.dilation != ONE)
    return " ".join(words + ["padded"] * a.padded + ["channels"] * many + ["batch"] * batch)


def _shapes(s: Shape) -> tuple[tuple[str, tuple[Bound, ...]], ...]:
    r, c, f = [poly("B")] * s.batch, [poly("C")] * s.channels, [poly("F")] * s.filters
    return (("x", (*r, *c, *(a.input for a in s.axes))), ("w", (*f, *c, *(a.kernel for a in s.axes))),
            ("b", tuple(f)), ("o", (*r, *f, *(a.outputs for a in s.axes))))


def _sizes(s: Shape) -> tuple[tuple[str, tuple[int, ...]], ...]:
    planar = len(s.axes) == 2
    found: list[tuple[str, tuple[int, ...]]] = []
    names = frozenset().union(*(p.names for a in s.axes for p in (a.stride, a.dilation, a.padding)))
    for a in s.axes:
        longest = (4 if a.unit else 5) if planar else (6 if a.unit else 7)
        found.append((a.name("N"), tuple(range(1, longest + 1))))
        found.append((a.name("K"), (1, 2) if planar else (1, 2, 3)))
    found += [("B", (1, 2))] * s.batch + [("C", (1, 2))] * s.channels + [("F", (1, 2))] * s.filters
    found += [(n, (0, 1, 2) if n == "P" else (1, 2, 3)) for n in sorted(names)]
    return tuple(found)


def _given(axes: tuple[Axis, ...]) -> list[str]:
    a, found = axes[0], []
    if not a.unit:
        found.append("stride {S}" if "S" in a.stride.names else f"stride {a.stride({})}")
    if a.dilation != ONE:
        found.append("dilation {D}" if "D" in a.dilation.names else f"dilation {a.dilation({})}")
    if a.padded:
        found.append("pad {P}" if "P" in a.padding.names else f"pad {a.padding({})}")
    return found


def transposed(rng: random.Random) -> Shape:
    """y_m = sum of x_i w_j over S i + j = m, along one axis."""
    s = poly(rng.choice((1, 2, 3, "S", "S")))
    i, j, m, n, k = map(poly, ("i1", "j1", "m1", "N1", "K1"))
    if rng.random() < 0.5:
        term = Term((Read("x", (i,)), Read("w", (m - s * i,))), (Sum("i1"),))
    else:
        term = Term((Read("x", (i,)), Read("w", (j,))), (Sum("i1"), Sum("j1")), (Test(s * i + j, m),))
    shapes = (("x", (n,)), ("w", (k,)), ("o", (s * (n - 1) + k,)))
    sizes = [("N1", (1, 2, 3, 4)), ("K1", (1, 2, 3))] + [("S", (1, 2, 3))] * ("S" in s.names)
    given = [] if s == ONE else ["stride {S}"] if s.names else [f"stride {s({})}"]
    layer = Layer("transposed", Read("o", (m,)), (term,), shapes, tuple(sizes), given=tuple(given),
                  ranges=(("m1", s * (n - 1) + k - 1),))
    return Shape(layer, (Axis(1, "transposed", s),))


def dense(rng: random.Random) -> Shape:
    """z_i = sum_j W_ij x_j + b_i, mostly followed by h = sigma(z)."""
    i, j = poly("i1"), poly("j1")
    weight = (i, j) if rng.random() < 0.7 else (j, i)
    bias = rng.random() < 0.6
    over = Sum("j1", ZERO, poly("N1") - 1) if rng.random() < 0.5 else Sum("j1")
    terms = [Term((Read("w", weight), Read("x", (j,))), (over,))]
    if bias:
        terms.append(Term((Read("b", (i,)),)))
    extents = {"i1": poly("M1"), "j1": poly("N1")}
    shapes = (("x", (poly("N1"),)), ("w", tuple(extents[next(iter(e.names))] for e in weight)), ("b", (poly("M1"),)),
              ("o", (poly("M1"),)))
    layer = Layer("dense", Read("o", (i,)), tuple(terms), shapes, (("M1", (1, 2, 3)), ("N1", (1, 2, 3))),
                  rng.random() < 0.7)
    return Shape(layer, bias=bias)
