"""The gradients step by step, as the derivation itself tells them."""

from __future__ import annotations

from collections.abc import Iterator

from symconv.derivation import Function
from symconv.lecture.blocks import Block, Display, Paragraph, Part, Section, Step, Steps
from symconv.lecture.subject import Subject, bare, notes, values
from symconv.lecture.words import Pieces
from symconv.notation.nodes import Node
from symconv.steps import Step as Derived


def section(s: Subject) -> Section:
    """Every gradient, the upstream ones first."""
    d = s.derivation
    parts = [Part(_title(s, f), tuple(_gradient(s, f))) for f in d.functions if f.proof is not None]
    return Section("derivation", s.words.text("derivation.title"),
                   (Paragraph(s.say("derivation.intro", count=len(parts))), *parts))


def _title(s: Subject, f: Function) -> Pieces:
    left = s.node(f.equation)
    head: Node = left.items[0] if hasattr(left, "items") else left
    name = s.name(f.equation)
    return s.say("derivation.part", left=head, name=name) if name else (head,)


def _gradient(s: Subject, f: Function) -> Iterator[Block]:
    yield Steps(tuple(_steps(s, s.derivation.steps[f.name.removeprefix("grad_")])))
    yield Paragraph(_proof(s, f), "proved" if f.proof and f.proof.proved else "open")
    yield Display((s.node(s.at(f.equation)),), s.say("derivation.at", sizes=values(s.system)))


def _proof(s: Subject, f: Function) -> Pieces:
    if f.proof is not None and f.proof.proved:
        return s.say("derivation.proved")
    return s.say("derivation.open", reason=str(f.proof))


def _steps(s: Subject, steps: tuple[Derived, ...]) -> Iterator[Step]:
    """Each with its formula, where that differs from the one before."""
    shown: Node | None = None
    for step in steps:
        whole = step.node(s.base)
        formula, said = bare(whole), tuple(p for n in notes(whole) for p in s.words.value(n))
        new = formula != shown
        shown = formula
        display = Display((formula,), said if step.reason == "definition" else ()) if new else None
        yield Step(_said(s, step), s.words.text(f"reason.{step.reason}"), display)


def _said(s: Subject, step: Derived) -> Pieces:
    found: list[str | Node] = []
    for sentence in step.said:
        found += [*([" "] if found else []), *sentence.pieces(s.words)]
    return tuple(found)


