"""The emitted kernels, each function under the formula it computes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symconv.derivation import Function
from symconv.emit import Package
from symconv.errors import SymconvError
from symconv.lecture.blocks import Block, Display, Folded, Listing, Paragraph, Part, Section
from symconv.lecture.subject import Subject
from symconv.validate import validate

LONGEST = 90  # lines of one function


def section(s: Subject) -> Section:
    """NumPy and C for every function, and what was checked of them.

    Raises:
        ValidationError: a kernel was run and did not compute what its equation says.
    """
    title = s.words.text("code.title")
    try:
        package = s.package
    except SymconvError as e:
        return Section("code", title, (Paragraph(s.say("code.none", reason=str(e))),))
    parts = (_function(s, package, f) for f in package.derivation.functions)
    return Section("code", title, (*_status(s, package), *parts))


def _status(s: Subject, package: Package) -> Iterator[Block]:
    if not s.validate:
        yield Paragraph(s.say("code.unchecked", command=f"symconv emit {s.system.command}"), "open")
        return
    evidence = validate(package)
    evidence.require()
    yield Paragraph(s.say("code.checked", count=len(evidence.checks)), "proved")
    if evidence.not_run:
        yield Paragraph(s.say("code.not_run", what="; ".join(evidence.not_run)), "open")


def _function(s: Subject, package: Package, f: Function) -> Part:
    blocks: list[Block] = [Display((s.node(f.equation),))]
    for language, suffix in (("NumPy", ".py"), ("C", ".c")):
        text = source(package.files.get(f"{package.stem}{suffix}", ""), package.stem, f.name, language)
        if text:
            blocks.append(_listing(s, language, text))
    return Part(s.say("code.kernel", name=f.name), tuple(blocks))


def _listing(s: Subject, language: str, text: str) -> Block:
    lines = text.splitlines()
    listing = Listing((language,), language, text)
    if len(lines) <= LONGEST:
        return listing
    return Folded(s.say("code.long", language=language, lines=len(lines)), (listing,))


def source(text: str, stem: str, name: str, language: str) -> str:
    """The lines of one function with the comment above it, as it stands in the file."""
    starts = re.compile(r"(?m)^(?:# |/\* )" if language == "C" else r"(?m)^# ")
    head = rf"(?m)^(?:static )?[\w ]*\b{stem}_{name}\(" if language == "C" else rf"(?m)^def {name}\("
    found = re.search(head, text)
    if not found:
        return ""
    above = [m.start() for m in starts.finditer(text) if m.start() < found.start()]
    begin = above[-1] if above else found.start()
    while language != "C" and text[:begin].rstrip("\n").rpartition("\n")[2].startswith("#"):
        begin = text.rstrip("\n").rfind("\n", 0, begin - 1) + 1
    ends = re.compile(r"(?m)^}\n" if language == "C" else r"\n\n\n|\Z")
    end = ends.search(text, found.end())
    return text[begin:end.end() if end else len(text)].rstrip()

