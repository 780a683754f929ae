"""The command `symconv report`: which files a lecture becomes, by the name asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from symconv.emit import write_files
from symconv.errors import NotSupported
from symconv.lecture.blocks import Document
from symconv.lecture.html import page
from symconv.lecture.markdown import notes
from symconv.lecture.story import lecture
from symconv.lecture.subject import Subject
from symconv.lecture.tex import article
from symconv.lecture.words import words
from symconv.system import LayerLike


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Args:
        out: a file, whose suffix chooses the format, or with `figures_only` a folder.
        base: where printed indices start.
    """

    out: Path
    language: str = "en"
    seed: int = 0
    exercises: int = 4
    answers: bool = False
    figures_only: bool = False
    base: int = 1
    isa: str = "generic"
    validate: bool = False


Files = Mapping[str, str]
Format = Callable[[Document, Subject, str], Files]
FORMATS: dict[str, Format] = {
    ".html": lambda document, s, stem: {f"{stem}.html": page(document, s.mark)},
    ".md": lambda document, s, stem: {f"{stem}.md": notes(document, stem), **_beside(document, stem)},
    ".tex": lambda document, s, stem: {f"{stem}.tex": article(document, s.ink, stem), **_beside(document, stem)},
}


def _beside(document: Document, stem: str) -> Files:
    """The figures of formats that link them."""
    return {f"{stem}-{f.name}.svg": f.file() for f in document.figures()}



def run(layer: LayerLike, request: Request) -> list[Path]:
    """Write the lecture; returns the paths that changed.

    Raises:
        NotSupported: an unknown format or language.
        ShapeError: a size has no number.
        SymconvError: the folder cannot be written.
    """
    subject = Subject(layer, words(request.language), request.base, request.seed, request.isa,
                      request.validate)
    if request.figures_only:
        return write_files(figure_files(subject), request.out)
    suffix = request.out.suffix.lower()
    if suffix not in FORMATS:
        raise NotSupported(f"a report is written as {', '.join(FORMATS)}, by the end of the file's name; "
                           f"not {request.out.name!r}")
    document = lecture(subject, request.exercises, request.answers)
    return write_files(FORMATS[suffix](document, subject, request.out.stem), request.out.parent)


def figure_files(subject: Subject) -> Files:
    """Every figure as an SVG file: moving, and where it moves each step beside it."""
    from symconv.lecture.sections.drawings import drawn

    found = {}
    for f in drawn(subject):
        found[f"{f.name}.svg"] = f.file()
        found |= {f"{f.name}-{n}.svg": f.file(n - 1) for n in range(1, len(f.frames) + 1)}
    return found
