"""Lectures as Markdown and LaTeX: the same sections and formulas, and files that other programs read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import symconv
from symconv.errors import NotSupported
from symconv.lecture import blocks as b
from symconv.lecture.command import Request, run
from symconv.lecture.story import lecture
from symconv.lecture.subject import Subject
from symconv.lecture.tex import escape
from symconv.lecture.words import words
from symconv.notation.as_latex import LATEX

LAYERS = {"bias": symconv.Conv(5, 3, bias=True),
          "stride": symconv.Conv((5, 5), (3, 3), channels=2, filters=2, stride=2, padding=1, activation="relu"),
          "dense": symconv.Dense(4, 3, activation="sigmoid")}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_markdown_holds_every_formula_and_links_every_figure(name: str, language: str, tmp_path: Path) -> None:
    run(LAYERS[name], Request(tmp_path / "notes.md", language, answers=True))
    text = (tmp_path / "notes.md").read_text()
    linked = set(re.findall(r"!\[.*?\]\((.*?)\)", text))
    assert linked == {p.name for p in tmp_path.glob("*.svg")} and linked
    document = lecture(Subject(LAYERS[name], words(language)), with_answers=True)
    for section in document.sections:
        assert f"## {section.title}" in text
        for block in b.flat(section.blocks):
            for line in block.lines if isinstance(block, b.Display) and len(block.lines) == 1 else ():
                left = LATEX(line).split(" = ")[0]
                assert left in text
    assert text.count("$$") % 2 == 0
    for line in (x for x in text.splitlines() if x.startswith("|")):
        assert len(re.findall(r"(?<!\\)\|", line)) >= 4


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("language", ["en", "ko"])
def test_articles_compile(name: str, language: str, tmp_path: Path) -> None:
    if language == "ko" and subprocess.run(["kpsewhich", "kotex.sty"], capture_output=True).returncode:
        pytest.skip("no kotex")
    run(LAYERS[name], Request(tmp_path / "article.tex", language, answers=True))
    found = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "article.tex"], cwd=tmp_path,
                           capture_output=True, timeout=100)
    assert found.returncode == 0, found.stdout.decode(errors="replace")[-1500:]
    assert "Missing character" not in (tmp_path / "article.log").read_text(errors="replace")


def test_nothing_in_a_text_is_obeyed_by_tex() -> None:
    assert escape("a_b $x$ \\input{y} 50% δ −1") == ("a\\_b \\$x\\$ \\textbackslash{}input\\{y\\} 50\\% $\\delta$ $-$1")


def test_figures_alone(tmp_path: Path) -> None:
    changed = run(LAYERS["bias"], Request(tmp_path / "figures", figures_only=True))
    names = {p.name for p in changed}
    assert {"forward.svg", "forward-1.svg", "backward-x.svg", "toeplitz.svg"} <= names
    assert run(LAYERS["bias"], Request(tmp_path / "figures", figures_only=True)) == []


def test_an_unknown_format_is_named() -> None:
    with pytest.raises(NotSupported, match=r"\.html, \.md, \.tex.*'a\.docx'"):
        run(LAYERS["bias"], Request(Path("a.docx")))
