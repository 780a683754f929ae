"""How many outputs there are, and how many parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from symconv.lecture.blocks import Block, Display, Paragraph, Part, Section, Table
from symconv.lecture.extents import Extent, extents
from symconv.lecture.palette import data
from symconv.lecture.subject import Subject, elements
from symconv.notation.build import affine, tensor_node
from symconv.notation.nodes import Add, Chain, Node, Number, Product, Quotient, Rounded, Signed, Symbol


def section(s: Subject) -> Section:
    """Output sizes with their derivation, and parameters beside those of a fully connected layer."""
    found = extents(s.system.equations[0])
    blocks: list[Block] = [Part(s.say("sizes.along", index=Symbol(e.index)), tuple(_derived(s, e))) for e in found]
    if not found:
        out = s.system.equations[0].output
        blocks.append(Paragraph(s.say("sizes.given", out=tensor_node(out), sizes=tuple(map(affine, out.shape)))))
    return Section("sizes", s.words.text("sizes.title"), (*blocks, *_parameters(s)))


def _derived(s: Subject, e: Extent) -> Iterator[Block]:
    at = tuple(Chain((Symbol(n), affine(v)), ("=",)) for n, v in e.lasts)
    kind = "scatter" if e.scatters else "gather"
    array, last = tensor_node(e.array.tensor), affine(e.last)
    yield Paragraph(s.say(f"sizes.{kind}", array=array, last=last, at=at, index=Symbol(e.index), size=Symbol(e.size)))
    if e.scatters:
        if e.spare:
            yield Paragraph(s.say("sizes.more" if e.spare > 0 else "sizes.cut", count=abs(e.spare)))
    else:
        room: Node = affine(e.array.tensor.shape[e.axis])
        key = "sizes.room_padded" if e.spare > 0 else "sizes.room_unread" if e.spare < 0 else "sizes.room"
        yield Paragraph(s.say(key, room=room, spare=abs(e.spare), array=array))
        yield Display((Chain((last, affine(e.room)), ("<=",)),))
        yield Paragraph(s.say("sizes.largest" if e.by > 1 else "sizes.solve", size=Symbol(e.size)))
    formula, numbers = size_formula(e), dict(s.system.sizes)
    value = Number(numbers[e.size])
    yield Display((Chain((Symbol(e.size), formula, substituted(formula, numbers), value), ("=",) * 3),))


def size_formula(e: Extent) -> Node:
    """o = n - k + 1, or floor((n - k)/s) + 1."""
    if e.by == 1:
        return affine(e.over + 1)
    floor = Rounded(Quotient(affine(e.over), Number(e.by)))
    return Add((Signed(False, floor), Signed(False, Number(1))))


def substituted(node: Node, numbers: Mapping[str, int]) -> Node:
    """The same formula with numbers for its sizes, not worked out."""
    if isinstance(node, Symbol):
        return Number(numbers[node.name]) if node.name in numbers else node
    if isinstance(node, Add):
        return Add(tuple(replace(t, node=substituted(t.node, numbers)) for t in node.terms))
    if isinstance(node, Product):
        return Product(tuple(substituted(f, numbers) for f in node.factors))
    if isinstance(node, Quotient):
        return Quotient(substituted(node.above, numbers), substituted(node.below, numbers))
    return Rounded(substituted(node.body, numbers), node.up) if isinstance(node, Rounded) else node


def parameters(s: Subject) -> tuple[int, int]:
    """Of the layer, and of the fully connected layer with the same inputs and outputs."""
    here = s.system.concrete()
    x = data(here)
    first = here.equations[0]
    own = sum(elements(t) for t in here.inputs if t != x)
    added = sum(len(t.factors) == 1 for t in first.terms)
    batch = 1
    if x is not None:  # what x and the result share and no weight has is a sample's place in the batch
        symbolic = data(s.system)
        common = {str(n) for n in (symbolic.shape if symbolic else ())} & {str(n) for n in s.system.output.shape}
        common -= {str(n) for t in s.system.inputs if t != symbolic for n in t.shape}
        sizes = dict(s.system.sizes)
        for name in common & set(sizes):
            batch *= sizes[name]
    read = elements(x) // batch if x is not None else 0
    out = elements(first.output) // batch
    return own, read * out + (out if added else 0)


def _parameters(s: Subject) -> Iterator[Block]:
    here = s.system.concrete()
    x = data(here)
    own, dense = parameters(s)
    if not own:
        return
    rows = [((tensor_node(t),), (" · ".join(map(str, t.extents)) or "1",), (str(elements(t)),))
            for t in here.inputs if t != x]
    yield Part(s.say("sizes.parameters"), (
        Table(s.say("sizes.parameters_caption"), tuple(s.say(f"sizes.head_{k}") for k in ("array", "product", "count")),
              tuple(rows)),
        Paragraph(s.say("sizes.same" if own == dense else "sizes.dense", own=f"{own:,}", dense=f"{dense:,}",
                        ratio=f"{dense / own:,.3g}" if dense / own < 1000 else f"{round(dense / own):,}"))))
