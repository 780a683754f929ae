"""Where templates are found and how they are rendered."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jinja2


@cache
def environment() -> jinja2.Environment:
    """The template environment; undefined names are errors."""
    import jinja2

    # Templates live beside the package in a checkout and inside it in a wheel.
    inside = Path(str(files("symconv"))) / "templates"
    folder = inside if inside.is_dir() else inside.parent.parent / "templates"
    return jinja2.Environment(loader=jinja2.FileSystemLoader(folder), trim_blocks=True, lstrip_blocks=True,
                              keep_trailing_newline=True, undefined=jinja2.StrictUndefined, autoescape=False)
