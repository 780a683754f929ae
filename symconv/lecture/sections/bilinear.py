"""The algorithm behind a kernel that multiplies less, where the emitted kernel uses one; told by its own story."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from symconv.bilinear.matrix import Matrix as Rational
from symconv.bilinear.story import Story
from symconv.errors import SymconvError
from symconv.lecture.blocks import Block, Display, Paragraph, Part, Section
from symconv.lecture.subject import Subject
from symconv.notation.nodes import (
    Add,
    Bracketed,
    Chain,
    Element,
    Items,
    Matrix,
    Name,
    Node,
    Number,
    Operation,
    Product,
    Range,
    Scripted,
    Signed,
    Sum,
    Symbol,
)


def section(s: Subject) -> Section | None:
    """One part for each function that is computed so."""
    try:
        found = {name: r.story for name, r in s.package.rounded.items() if r.story is not None}
    except SymconvError:
        return None
    parts = [Part((name,), tuple(_told(s, name, story))) for name, story in found.items()]
    return Section("bilinear", s.words.text("bilinear.title"), tuple(parts)) if parts else None


def _told(s: Subject, function: str, story: Story) -> Iterator[Block]:
    form = story.forms[0]
    result, taps, signal = map(Name, story.arrays)
    points = tuple(_point(str(p)) for p in form.points)
    yield Paragraph(s.say("bilinear.intro", function=function, name=story.name))
    yield Display((_tile(story),))
    yield Paragraph(s.say("bilinear.pairing", count=len(points), points=Items(points)))
    inner = Operation("odot", Bracketed(Product((Name("G"), taps))), Bracketed(Product((_turned("B"), signal))))
    yield Display((Chain((result, Product((_turned("A"), Bracketed(inner, "[")))), ("=",)),))
    yield Paragraph(s.say("bilinear.matrices"))
    yield Display(tuple(Chain((name, matrix(rows)), ("=",)) for name, rows in (
        (_turned("A"), form.outputs.T), (Name("G"), form.taps), (_turned("B"), form.signal))))
    yield Paragraph(s.say("bilinear.gradients"))
    yield Paragraph(s.say("bilinear.counts", products=story.products, direct=story.direct))
    yield Paragraph(s.say("bilinear.bound", bound=story.bound))


def _tile(story: Story) -> Node:
    """y_i = sum_j w_j x_{i+j} on one tile."""
    result, taps, signal = story.arrays
    i, j = Symbol("i"), Symbol("j")
    last = Number(story.forms[0].taps.shape[1] - 1)
    body = Product((Element(taps, (j,)), Element(signal, (Add((Signed(False, i), Signed(False, j))),))))
    return Chain((Element(result, (i,)), Sum((Range(j, Number(0), last),), body)), ("=",))


def _turned(name: str) -> Node:
    return Scripted(Name(name), above=(Name("T"),))


def _point(text: str) -> Node:
    return Name("infinity") if text == "oo" else Number(Fraction(text))


def matrix(rows: Rational) -> Matrix:
    """Exact fractions as a node."""
    return Matrix(tuple(tuple(Number(c if c.denominator > 1 else int(c)) for c in row) for row in rows.rows))
