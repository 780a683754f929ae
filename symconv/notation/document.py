"""Formulas in documents: Markdown, LaTeX, notebooks and plain text, each formula with its exact place."""

from __future__ import annotations

from pathlib import PurePath

from symconv.documents.collect import Collector
from symconv.documents.latex import read_latex
from symconv.documents.markdown import read_markdown
from symconv.documents.notebook import read_notebook
from symconv.documents.plain import read_plain
from symconv.documents.records import Directive, Document, Span
from symconv.documents.traced import Place, Traced

__all__ = ["SOURCES", "Directive", "Document", "Place", "Span", "read_document", "source_of"]

SOURCES = ("markdown", "latex", "notebook", "text")
_EXTENSIONS = {
    ".md": "markdown", ".markdown": "markdown", ".mdx": "markdown", ".rmd": "markdown", ".qmd": "markdown",
    ".tex": "latex", ".ltx": "latex", ".sty": "latex", ".ipynb": "notebook",
}


def source_of(path: str) -> str:
    """The kind of document by its file's extension; `text` if the extension says nothing."""
    return _EXTENSIONS.get(PurePath(path).suffix.lower(), "text")


def read_document(text: str, source: str, path: str = "-") -> Document:
    """The formulas and directives of a document, in order.

    Args:
        text: the document as it stands in the file: places count in it.
        source: one of SOURCES.
        path: where it was read, for the record.

    Raises:
        SymconvError: for a notebook that is none.
        ValueError: for an unknown source.
    """
    into = Collector(text)
    if source == "notebook":
        read_notebook(text, into)
    elif source == "markdown":
        read_markdown(Traced.of(text), into)
    elif source == "latex":
        read_latex(Traced.of(text), into)
    elif source == "text":
        read_plain(Traced.of(text), into)
    else:
        raise ValueError(f"source must be one of {', '.join(SOURCES)}, not {source!r}")
    return into.document(path)
