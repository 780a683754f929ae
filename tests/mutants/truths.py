"""True claims about a layer, in the forms authors give them."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from .layers import Axis, Shape, convolution, dense, transposed
from .model import Claim, Read, Sum, Term, Test
from .poly import ONE, ZERO, Bound, Extreme, Index, Poly, Ratio, poly

Piece = tuple[list[Sum], Index, Index, list[Test]]  # sums, the index of delta, the index of the other array, tests


def true_claim(rng: random.Random) -> Claim:
    """A random true claim about a random layer."""
    pick = rng.random()
    if pick < 0.09:
        return of_dense(dense(rng), rng)
    if pick < 0.17:
        return of_transposed(transposed(rng), rng)
    shape = convolution(rng)
    kinds: list[tuple[Callable[[Shape, random.Random], Claim | None], int]] = [
        (by_kernel, 30), (by_input, 36), (by_bias, 12 * shape.bias), (local, 7), (chained, 6),
        (element, 11), (update, 6)]
    while True:
        found = rng.choices([k for k, _ in kinds], [w for _, w in kinds])[0](shape, rng)
        if found is not None:
            return found


def sigma(s: Shape, index: tuple[Index, ...]) -> tuple[Read, ...]:
    return (Read("o", index, "sigma'"),) if s.layer.activation else ()


def extra(s: Shape, *names: tuple[str, str, bool], bounded: bool) -> list[Sum]:
    """Sums over channels, filters and batch, each 0..size - 1."""
    return [Sum(n, *((ZERO, poly(size) - 1) * bounded)) for n, size, there in names if there]


def by_kernel(s: Shape, rng: random.Random) -> Claim:
    bounded = rng.random() < 0.4
    zero = s.axes[0].padded or rng.random() < 0.3
    at = [poly(a.name("i")) for a in s.axes]
    j = [poly(a.name("j")) for a in s.axes]
    sums = extra(s, ("r", "B", s.batch), bounded=bounded)
    sums += [Sum(a.name("i"), ZERO, a.last) if bounded else Sum(a.name("i")) for a in s.axes]
    x = Read("x", s.inputs([a.position(*ij) for a, ij in zip(s.axes, zip(at, j, strict=True), strict=True)]))
    if not bounded and all(a.unit and a.mode != "flipped" for a in s.axes) and rng.random() < 0.15:
        # Summed over the inputs: delta carries the difference.
        at = [poly(a.name("m")) + a.padding - a.dilation * a.name("j") if a.mode != "full"
              else poly(a.name("m")) + a.name("j") for a in s.axes]
        x = Read("x", s.inputs([poly(a.name("m")) for a in s.axes]))
        sums = [*sums[:len(sums) - len(s.axes)], *(Sum(a.name("m")) for a in s.axes)]
    term = Term((Read("delta", s.out([*at])), *sigma(s, s.out([*at])), x), tuple(sums))
    return Claim("dL/dw", s.layer, "gradient", Read("w", s.taps([*j])), (term,), zero)


def by_bias(s: Shape, rng: random.Random) -> Claim:
    bounded = rng.random() < 0.5
    sums = extra(s, ("r", "B", s.batch), bounded=bounded)
    sums += [Sum(a.name("i"), ZERO, a.last) if bounded else Sum(a.name("i")) for a in s.axes]
    out = s.out([poly(a.name("i")) for a in s.axes])
    term = Term((Read("delta", out), *sigma(s, out)), tuple(sums))
    return Claim("dL/db", s.layer, "gradient", Read("b", s.lead("f", s.filters)), (term,),
                 s.axes[0].padded or rng.random() < 0.3)


def by_input(s: Shape, rng: random.Random) -> Claim:
    a = s.axes[0]
    forms = [outputs_implicit, pairs]
    if a.unit:
        forms += [taps_implicit, taps_bounded, *([taps_extreme, taps_flipped] if a.mode == "correlation" else [])]
    else:
        forms += [divisible, divisible]
    if a.dilation == ONE and a.mode != "full":
        forms += [outputs_extreme, outputs_bounded]
    form = rng.choice([f for f in forms if not (f in (outputs_implicit,) and a.dilation != ONE)])
    pieces = [form(b) for b in s.axes]
    bounded = all(x.low is not None for p in pieces for x in p[0])
    sums = extra(s, ("f", "F", s.filters), bounded=bounded) + [x for p in pieces for x in p[0]]
    out = s.out([p[1] for p in pieces])
    reads = (Read("delta", out), *sigma(s, out), Read("w", s.taps([p[2] for p in pieces])))
    term = Term(reads, tuple(sums), tuple(t for p in pieces for t in p[3]))
    left = Read("x", s.inputs([poly(b.name("m")) for b in s.axes]))
    zero = rng.random() < (0.7 if form in (taps_bounded, outputs_bounded) else 0.25)
    return Claim("dL/dx", s.layer, "gradient", left, (term,), zero or a.padded)


def tap(a: Axis, i: Poly | str) -> Poly:
    """The tap that takes input m to output i, for dilation 1."""
    t = poly(a.name("m")) + a.padding - a.stride * i if a.mode != "full" else poly(i) - a.name("m")
    return a.kernel - 1 - t if a.mode == "flipped" else t


def outputs_implicit(a: Axis) -> Piece:
    return [Sum(a.name("i"))], poly(a.name("i")), tap(a, a.name("i")), []


def outputs_bounded(a: Axis) -> Piece:
    return [Sum(a.name("i"), ZERO, a.last)], poly(a.name("i")), tap(a, a.name("i")), []


def outputs_extreme(a: Axis) -> Piece:
    at = poly(a.name("m")) + a.padding
    first, last = at - a.kernel + 1, at
    low: Bound = first if a.unit else Ratio(first, a.stride, "up")
    high: Bound = last if a.unit else Ratio(last, a.stride, "down")
    s = Sum(a.name("i"), Extreme("max", (ZERO, low)), Extreme("min", (a.last, high)))  # type: ignore[arg-type]
    return [s], poly(a.name("i")), tap(a, a.name("i")), []


def output_of(a: Axis) -> Poly:
    """The output that tap j takes input m to, for stride 1."""
    j = poly(a.name("j"))
    if a.mode == "full":
        return poly(a.name("m")) + j
    return poly(a.name("m")) + a.padding - a.dilation * (a.kernel - 1 - j if a.mode == "flipped" else j)


def taps_implicit(a: Axis) -> Piece:
    return [Sum(a.name("j"))], output_of(a), poly(a.name("j")), []


def taps_bounded(a: Axis) -> Piece:
    return [Sum(a.name("j"), ZERO, a.kernel - 1)], output_of(a), poly(a.name("j")), []


def taps_extreme(a: Axis) -> Piece:
    if a.dilation != ONE:
        return taps_bounded(a)
    at = poly(a.name("m")) + a.padding
    s = Sum(a.name("j"), Extreme("max", (ZERO, at - a.room)), Extreme("min", (a.kernel - 1, at)))
    return [s], output_of(a), poly(a.name("j")), []


def taps_flipped(a: Axis) -> Piece:
    back = a.kernel - 1 - a.name("j")
    return [Sum(a.name("j"))], poly(a.name("m")) + a.padding - a.dilation * back, back, []


def divisible(a: Axis) -> Piece:
    j = poly(a.name("j"))
    over = poly(a.name("m")) + a.padding - a.dilation * (a.kernel - 1 - j if a.mode == "flipped" else j)
    return [Sum(a.name("j"))], Ratio(over, a.stride), j, [Test(over, divisor=a.stride)]


def pairs(a: Axis) -> Piece:
    i, j = poly(a.name("i")), poly(a.name("j"))
    return [Sum(a.name("i")), Sum(a.name("j"))], i, j, [Test(a.position(i, j), poly(a.name("m")))]


def local(s: Shape, rng: random.Random) -> Claim | None:
    """d o / d w, or d o / d x."""
    if s.layer.activation:
        return None
    i, j = [poly(a.name("i")) for a in s.axes], [poly(a.name("j")) for a in s.axes]
    zero = s.axes[0].padded or rng.random() < 0.4
    out = Read("o", s.out([*i]))
    if rng.random() < 0.6:
        x = Read("x", s.inputs([a.position(p, q) for a, p, q in zip(s.axes, i, j, strict=True)]))
        return Claim("local", s.layer, "local", Read("o", out.index, of=Read("w", s.taps([*j]))), (Term((x,)),), zero)
    if s.axes[0].dilation != ONE or s.batch:
        return None
    x = Read("x", s.inputs([poly(a.name("m")) for a in s.axes]))
    w = Read("w", s.taps([tap(a, a.name("i")) for a in s.axes]))
    return Claim("local", s.layer, "local", Read("o", out.index, of=x), (Term((w,)),), True)


def chained(s: Shape, rng: random.Random) -> Claim | None:
    """dL/dw = sum over the outputs of delta times d o / d w."""
    if s.layer.activation:
        return None
    i, j = [poly(a.name("i")) for a in s.axes], [poly(a.name("j")) for a in s.axes]
    bounded = rng.random() < 0.4
    left = rng.choice((Read("w", s.taps([*j])), Read("x", s.inputs([poly(a.name("m")) for a in s.axes]))))
    wide = (("r", "B", s.batch and left.array == "w"), ("f", "F", s.filters and left.array == "x"))
    sums = extra(s, *wide, bounded=bounded)
    sums += [Sum(a.name("i"), ZERO, a.last) if bounded else Sum(a.name("i")) for a in s.axes]
    out = s.out([*i])
    reads = (Read("delta", out), Read("o", out, of=left))
    return Claim("chain rule", s.layer, "gradient", left, (Term(reads, tuple(sums)),), s.axes[0].padded)


def update(s: Shape, rng: random.Random) -> Claim:
    found = by_kernel(s, rng)
    step = Term((Read("eta"), *found.right[0].reads), found.right[0].sums, (), Fraction(-1))
    return Claim("update", s.layer, "update", found.left, (Term((found.left,)), step), found.zero)


def element(s: Shape, rng: random.Random) -> Claim | None:
    """One element with every product written out, for sizes in numbers or for all that are large enough."""
    from .elements import with_numbers

    return with_numbers(s, rng)


def of_dense(s: Shape, rng: random.Random) -> Claim:
    i, j = poly("i1"), poly("j1")
    weight = s.layer.terms[0].reads[0]
    delta = (Read("delta", (i,)), *sigma(s, (i,)))
    kind = rng.choice(("w", "w", "x", "x") + ("b",) * s.bias)
    zero = rng.random() < 0.3
    if kind == "w":
        return Claim("dense", s.layer, "gradient", weight, (Term((*delta, Read("x", (j,)))),), zero)
    if kind == "b":
        return Claim("dense", s.layer, "gradient", Read("b", (i,)), (Term(delta),), zero)
    sums = (Sum("i1", *((ZERO, poly("M1") - 1) * (rng.random() < 0.5))),)
    return Claim("dense", s.layer, "gradient", Read("x", (j,)), (Term((*delta, weight), sums),), zero)


def of_transposed(s: Shape, rng: random.Random) -> Claim:
    step, (i, j, m) = s.axes[0].stride, map(poly, ("i1", "j1", "m1"))
    bounded = rng.random() < 0.5
    if rng.random() < 0.5:
        sums = (Sum("j1", *((ZERO, poly("K1") - 1) * bounded)),)
        return Claim("transposed", s.layer, "gradient", Read("x", (i,)),
                     (Term((Read("delta", (step * i + j,)), Read("w", (j,))), sums),), True)
    sums = (Sum("i1", *((ZERO, poly("N1") - 1) * bounded)),)
    if rng.random() < 0.25:
        term = Term((Read("delta", (m,)), Read("w", (m - step * i,))), (Sum("m1"),))
        return Claim("transposed", s.layer, "gradient", Read("x", (i,)), (term,), True)
    return Claim("transposed", s.layer, "gradient", Read("w", (j,)),
                 (Term((Read("delta", (step * i + j,)), Read("x", (i,))), sums),), True)

