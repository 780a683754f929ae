"""A claim and its context as LaTeX in an author's style."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace

from .model import Claim, Read, Sum, Term, Test
from .poly import Bound, Extreme, Index, Poly, poly
from .style import Style

SIZES = frozenset(("N1", "N2", "K1", "K2", "M1", "C", "F", "B", "S", "D", "P"))


class Writer:
    """Writes one claim."""

    def __init__(self, claim: Claim, style: Style, rng: random.Random) -> None:
        self.claim, self.style, self.rng = claim, style, rng
        self.written = style.superscript if not claim.layer.activation else ""

    def formula(self) -> str:
        c = self.claim
        right = self.sum_of(c.right)
        if c.how == "update":
            return f"{self.array(c.left)} {self.rng.choice((chr(92) + 'leftarrow', chr(92) + 'gets'))} {right}"
        return f"{self.left()} = {right}"

    def left(self) -> str:
        c = self.claim
        if c.how == "forward":
            return self.array(c.left)
        if c.how == "local":
            assert c.left.of
            return self.fraction(self.array(Read(c.left.array, c.left.index)), self.array(c.left.of))
        return self.fraction(self.style.loss, self.array(c.left))

    def fraction(self, over: str, under: str) -> str:
        if self.style.slash:
            return rf"\partial {over} / \partial {under}"
        return rf"\frac{{\partial {over}}}{{\partial {under}}}"

    def given(self) -> list[str]:
        """Definitions and directives."""
        layer, style = self.claim.layer, self.style
        hidden = Read("o", layer.output.index)
        ranges = "".join(rf", \quad {self.name(n)} = {style.base}, \dots, {self.bound(e)}" for n, e in layer.ranges)
        found = [f"{self.array(hidden)} = {self.sum_of(layer.terms)}{ranges}"]
        if layer.activation:
            found.append(rf"{self.upstream_array(layer.output.index)} = \sigma({self.array(hidden)})")
        if style.delta:
            delta = self.indexed(style.delta, layer.output.index)
            found.append(f"{delta} = {self.fraction(style.loss, self.upstream_array(layer.output.index))}")
        used = [r.array for t in layer.terms for r in t.reads]
        if self.claim.how == "update":
            w = self.array(self.claim.left)
            found.append(rf"{w} \leftarrow {w} - {self.name('eta')} {self.fraction(style.loss, w)}")
        for name, shape in layer.shapes:
            if shape and name in used:
                found.append(f"{self.array(Read(name))}: {' x '.join(map(self.plain, shape))}")
        found += [g.format(**style.letters) for g in layer.given]
        if self.claim.zero:
            found.append("zero outside")
        return [*found, f"base {style.base}"]

    def upstream_array(self, index: tuple[Index, ...]) -> str:
        """What delta is the gradient of: the output, or h after the activation."""
        if not self.claim.layer.activation:
            return self.array(Read("o", index))
        return self.indexed("q" if self.style.letters["w"] == "h" else "h", index)

    # -- sums and products

    def sum_of(self, terms: Iterable[Term]) -> str:
        out = ""
        for t in terms:
            sign = "-" if t.coefficient < 0 else "+" if out else ""
            out += f" {sign} {self.term(t)}" if out else f"{sign}{self.term(t)}"
        return out

    def term(self, t: Term) -> str:
        reads = list(t.reads)
        if self.style.shuffled:
            self.rng.shuffle(reads)
        size = abs(t.coefficient)
        number = "" if size == 1 else str(size.numerator) if size.denominator == 1 else \
            rf"\frac{{{size.numerator}}}{{{size.denominator}}} "
        scalar = [r for r in reads if r.array == "eta"]
        product = self.style.dot.join(self.factor(r) for r in reads if r.array != "eta")
        front = "".join(self.name("eta") + " " for _ in scalar)
        if self.style.cases and t.tests and all(x.divisor for x in t.tests):
            told = r" \text{ and } ".join(map(self.test, t.tests))
            product = rf"\begin{{cases}} {product} & \text{{if }} {told} \\ 0 & \text{{otherwise}} \end{{cases}}"
            t = replace(t, tests=())
        return f"{number}{front}{self.sums(t)}{product}"

    def factor(self, r: Read) -> str:
        if r.function:
            return rf"\sigma'({self.array(Read(r.array, r.index))})"
        if r.of:
            return self.fraction(self.array(Read(r.array, r.index)), self.array(r.of))
        if r.array == "delta":
            if self.style.delta:
                return self.indexed(self.style.delta, r.index)
            return self.fraction(self.style.loss, self.upstream_array(r.index))
        return self.array(r)

    def sums(self, t: Term) -> str:
        if not t.sums:
            return ""
        if t.tests:
            names = ",".join(self.name(s.name) for s in t.sums)
            rest = r" \\ ".join(map(self.test, t.tests))
            return rf"\sum_{{\substack{{{names} \\ {rest}}}}} "
        plain = [s for s in t.sums if s.low is None]
        bounded = [s for s in t.sums if s.low is not None]
        out = "".join(self.bounded(s) for s in bounded)
        if self.style.one_sum and len(plain) > 1:
            return out + rf"\sum_{{{','.join(self.name(s.name) for s in plain)}}} "
        return out + "".join(rf"\sum_{{{self.name(s.name)}}} " for s in plain)

    def bounded(self, s: Sum) -> str:
        assert s.low is not None and s.high is not None
        return rf"\sum_{{{self.name(s.name)}={self.bound(s.low)}}}^{{{self.bound(s.high)}}} "

    def test(self, x: Test) -> str:
        if x.divisor:
            return rf"{self.polynomial(self.based(x.divisor))} \mid {self.polynomial(self.based(x.left))}"
        left, right = (self.based(e) + self.style.base for e in (x.left, x.right))
        return f"{self.polynomial(left)} = {self.polynomial(right)}"

    # -- arrays

    def name(self, canonical: str) -> str:
        return self.style.letters[canonical]

    def array(self, r: Read) -> str:
        return self.indexed(self.name(r.array), r.index)

    def indexed(self, letter: str, index: tuple[Index, ...]) -> str:
        name = letter + self.written
        if not index:
            return name
        entries = [self.index(e) for e in index]
        if self.style.bracket == "square":
            return f"{name}[{', '.join(entries)}]"
        if self.style.bracket == "round":
            return f"{name}({', '.join(entries)})"
        plain = self.style.bracket == "plain" and all(len(e) == 1 for e in entries)
        inside = ("" if plain else ",").join(entries)
        return f"{name}_{inside}" if len(inside) == 1 else f"{name}_{{{inside}}}"

    # -- expressions

    def based(self, e: Poly) -> Poly:
        """Index names of the author's base; the value still counts from 0."""
        return e.put({n: poly(n) - self.style.base for n in e.names - SIZES})

    def index(self, e: Index) -> str:
        return self.value(e, self.style.base)

    def bound(self, e: Bound) -> str:
        return self.value(e, self.style.base)

    def value(self, e: Bound, shift: int) -> str:
        if isinstance(e, Extreme):
            return rf"\{e.kind}({', '.join(self.value(x, shift) for x in e.items)})"
        if isinstance(e, Poly):
            return self.polynomial(self.based(e) + shift)
        opening, closing = {"down": (r"\lfloor ", r" \rfloor"), "up": (r"\lceil ", r" \rceil"),
                            "exact": ("", "")}[e.rounding]
        ratio = rf"\frac{{{self.polynomial(self.based(e.over))}}}{{{self.polynomial(self.based(e.under))}}}"
        if e.rounding == "exact" and not self.style.folded:
            ratio = f"({self.polynomial(self.based(e.over))})/{self.polynomial(self.based(e.under))}"
        return f"{opening}{ratio}{closing}" + (f" + {shift}" if shift > 0 else f" - {-shift}" if shift else "")

    def plain(self, e: Bound) -> str:
        """A size in a directive."""
        assert isinstance(e, Poly)
        return self.polynomial(e)

    def polynomial(self, e: Poly) -> str:
        """Products with s and d as s(i - 1)."""
        pieces: list[tuple[int, str]] = []
        rest = list(e.terms)
        for size in ("S", "D"):
            mine = [(m, c) for m, c in rest if size in m]
            if any(len(m) > 1 for m, _ in mine):
                rest = [t for t in rest if t not in mine]
                inner = Poly(tuple(sorted((_without(m, size), c) for m, c in mine)))
                sign = -1 if all(c < 0 for _, c in inner.terms) or inner.terms[-1][1] < 0 else 1
                text = self.polynomial(inner if sign > 0 else -inner)
                alone = len(inner.terms) == 1 and len(inner.terms[0][0]) == 1 and abs(inner.terms[0][1]) == 1
                pieces.append((sign, f"{self.name(size)} {text}" if alone else f"{self.name(size)}({text})"))
        numbers = [(m, c) for m, c in rest if not m]
        for m, c in sorted((t for t in rest if t[0]), key=lambda t: (t[0][0] in SIZES, t[0])):
            text = " ".join(map(self.name, m))
            pieces.append((1 if c > 0 else -1, text if abs(c) == 1 else f"{abs(c)}{text}"))
        pieces.sort(key=lambda p: -p[0])
        pieces += [(1 if c > 0 else -1, str(abs(c))) for _, c in numbers]
        out = ""
        for sign, text in pieces:
            out += ("-" if sign < 0 else "+" if out else "") + text
        return out or "0"


def _without(m: tuple[str, ...], size: str) -> tuple[str, ...]:
    names = list(m)
    names.remove(size)
    return tuple(names)


def written(claim: Claim, style: Style, rng: random.Random) -> tuple[list[str], str]:
    """The context and the claim."""
    writer = Writer(claim, style, rng)
    return writer.given(), writer.formula()

