"""What the layer computes, and what it reads."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.affine import Affine
from symconv.equation import Equation, Tensor
from symconv.lecture.blocks import Block, Display, Paragraph, Section, Table
from symconv.lecture.subject import Subject, elements, notes, shape, values
from symconv.notation.build import affine, build, tensor_node
from symconv.notation.nodes import Bracketed, Items, Node
from symconv.reference import terms


def section(s: Subject) -> Section:
    """The equations in words and as formulas, and a table of the arrays."""
    blocks: list[Block] = []
    for equation in s.system.equations:
        blocks += _equation(s, equation)
    blocks += [*_facts(s), _arrays(s)]
    return Section("layer", s.words.text("layer.title"), tuple(blocks))


def _equation(s: Subject, equation: Equation) -> Iterator[Block]:
    out, name = tensor_node(equation.output), s.name(equation)
    yield Paragraph(s.say("layer.named", out=out, name=name) if name else s.say("layer.unnamed", out=out))
    yield Display((s.node(equation),), tuple(p for n in notes(build(equation, s.base)) for p in s.words.value(n)))


def _facts(s: Subject) -> Iterator[Block]:
    """What the indices of the first equation say of it."""
    equation = s.system.equations[0]
    most = terms(s.system.concrete())["forward"]
    said = s.say("layer.products" if most > 1 else "layer.product", count=most, out=tensor_node(equation.output))
    for tensor in (t for t in s.system.inputs if t in equation.reads):
        if shared := _shared(equation, tensor):
            said += (" ", *s.say("layer.shared", tensor=tensor_node(tensor), indices=tuple(map(_symbol, shared))))
    yield Paragraph(said)
    if s.shrunk:
        yield Paragraph(s.say("layer.smaller", sizes=values(s.shown)))


def _shared(equation: Equation, tensor: Tensor) -> list[str]:
    """Output indices that a product does not need to know to find its element of the tensor, while others slide."""
    reads = [(t, f) for t in equation.terms for f in t.factors if f.tensor == tensor and len(t.factors) > 1]
    if not reads or len(reads) > 1:
        return []
    term, access = reads[0]
    slides = {n for f in term.factors if f != access for e in f.indices for n in e.names if len(e.names) > 1}
    slides |= {n for c in term.constraints for n in c.expression.names}
    return [i for i in equation.indices if i in slides and i not in access.names]


def _symbol(name: str) -> Node:
    return affine(Affine.of(name))


def _arrays(s: Subject) -> Table:
    here = s.system.concrete()
    tensors = [*zip(s.system.inputs, here.inputs, strict=True),
               *zip((e.output for e in s.system.equations), (e.output for e in here.equations), strict=True)]
    rows = []
    for symbolic, numbered in tensors:
        sizes = tuple(affine(e) for e in symbolic.shape)
        role = s.say(f"role.{s.inks[symbolic.name].tone}")
        form: Node | str = Bracketed(Items(sizes)) if sizes else "–"
        rows.append(((tensor_node(symbolic),), role, (form,), (shape(numbered),), (f"{elements(numbered)}",)))
    head = tuple(s.say(f"layer.head_{k}") for k in ("array", "role", "shape", "here", "count"))
    return Table(s.say("layer.arrays"), head, tuple(rows))
