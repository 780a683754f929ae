"""Formulas in documents: which ones are found, where exactly, and what surrounds them."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import SymconvError
from symconv.notation.document import Document, Span, read_document, source_of

SEED = Path(__file__).resolve().parents[2] / "shared" / "seed"

# The formulas of the starting notes in their surroundings, the words shortened; · stands for a space at a line's end.
NOTES = r"""---
layout: post
title: "CNN 첫걸음 $no$"
math: true
---
# AI Math : CNN 첫걸음

---

### 1. MLP

$$
h_{i} = \sigma\left( \sum_{j=1}^{p} W_{ij}x_{j} \right)
$$·

- 각 성분 $h_{i}$에 대응하는 가중치 행 $\mathbf{W}_{i}$가 필요
    - 크기가 너무 크다

![](/image/conv.png){: w="450"}

$$
h_{i} = \sigma\left( \sum_{j=1}^{k}V_{j}x_{i+j-1} \right)
$$·

- **국소적으로 증폭 또는 감소**하여

$$
\begin{aligned}
\text{continuous} \quad [f * g](x) = \int_{\mathbb{R}}f(z)g(x \pm z)dz = [g * f](x) \\
\text{discrete} \quad [f * g](x) = \sum_{a\in\mathbb{Z}^{d}}f(a)g(i \pm a) = [g * f](i) \quad\quad
\end{aligned}
$$··

$$
\text{2-D Conv} \quad\quad [f * g](i, j) = \sum_{p, q}f(p, q)g(i+p, j+q)
$$··

- 다음은 \[1, 2, 4, 5 \] 와 커널의 element-wise 값을 계산한다.

$$
\begin{aligned}
O_{H} = H - K_{H} + 1 \; \\·
O_{W} = W - K_{W} + 1
\end{aligned}
$$

$$
\sum_{i=1}^{n}{K_{i} \text{Input}_{i}} \quad\quad K_{i} : \text{i-th Kernel}
$$··

$$
\begin{aligned}
\begin{matrix}
    \frac{\partial}{\partial x}[f * g](x) &=& \frac{\partial}{\partial x}\int_{\mathbb{R}^{d}}f(y)g(x-y) dy \\
    &=& [f * g'](x)
\end{matrix}
\end{aligned}
$$··

$$
o_i = \sum_{j}w_{j}x_{i+j-1}
$$

- 값들의 연산이다.··
결국 특정 입력($x_i$)과 특정 가중치 ($W_i$)를 활용해야한다.

- $x_3$은 커널 $W_1$, $W_2$, $W_3$을 거치게 된다. 물론 $x_3$과 미분값 $\sigma$를 곱한 것은 $x_3$이 기여한 결과이다.··
- $\delta_1 \color{green}{w_{3}}$ + $\delta_2 \color{blue}{w_{2}}$ + $\delta_3 \color{red}{w_{1}}$

- 미분값 $\delta$와 해당 값 $x_i$의 곱연산을 활용한다.
- 커널의 gradient update : $(\color{red}{\delta_3 x_e}, \color{blue}{\delta_2 x_3}, \color{green}{\delta_1 x_3})$

$$
\frac{\partial L}{\partial w_i} = \sum_{j}\delta_{j}x_{i+j-1}
$$

- 합이 된다. ~~걍나 헷갈린다.~~""".replace("·", " ")

PLACES = [(13, 1), (16, 9), (16, 29), (22, 1), (28, 1), (35, 1), (41, 1), (48, 1), (52, 1), (61, 1),
          (65, 11), (65, 27), (67, 4), (67, 14), (67, 21), (67, 28), (67, 46), (67, 57), (67, 73),
          (68, 4), (68, 38), (68, 71), (70, 8), (70, 23), (71, 26), (74, 1)]
SEED_PLACES = [(18, 1), (21, 51), (21, 71), (29, 1), (37, 1), (52, 1), (67, 1), (77, 1), (87, 1), (102, 1),
               (106, 43), (106, 59), (115, 4), (115, 14), (115, 21), (115, 28), (115, 50), (115, 101), (115, 123),
               (116, 4), (116, 38), (116, 71), (120, 56), (120, 82), (122, 26), (125, 1)]


def found(text: str, source: str = "markdown") -> list[str]:
    return [s.latex for s in read_document(text, source).spans]


def places(document: Document) -> list[tuple[int, int]]:
    return [(s.place(0).line, s.place(0).column) for s in document.spans]


def stands_there(text: str, span: Span) -> None:
    """The source, read from the reported places, is the formula."""
    lines = text.split("\n")
    for offset, character in enumerate(span.expanded):
        place = span.place(offset)
        shown = (lines[place.line - 1] + "\n")[place.column - 1]
        assert shown == character, (span, offset, place)


def test_the_notes():
    document = read_document(NOTES, "markdown")
    assert places(document) == PLACES
    assert sum(s.display for s in document.spans) == 9
    for span in document.spans:
        stands_there(NOTES, span)
        start = len("\n".join(NOTES.split("\n")[:span.place(0).line - 1])) + span.place(0).column
        assert NOTES[start:].startswith(span.latex) or NOTES[start - 1:].startswith(span.latex)


def test_formulas_joined_in_prose():
    spans = read_document(NOTES, "markdown").spans
    first, second, third = spans[19:22]
    assert (first.before, second.before, third.before) == ("", "+", "+")
    assert first.block == second.block == third.block
    assert spans[18].block != first.block != spans[22].block
    assert spans[13].before == "은 커널"
    assert "기여한 결과" in spans[13].prose and "증폭" in spans[4].prose and spans[9].display


@pytest.mark.skipif(not SEED.exists(), reason="the whole notes are not part of the project")
def test_the_whole_notes():
    text = next(SEED.glob("*.md")).read_text(encoding="utf-8")
    document = read_document(text, "markdown")
    assert places(document) == SEED_PLACES
    assert sum(s.display for s in document.spans) == 9
    began = time.perf_counter()
    read_document(text, "markdown")
    assert time.perf_counter() - began < 0.5  # about 3 ms; the rest is for busy machines


@pytest.mark.parametrize(("text", "formulas"), [
    ("a $x_i$ b", ["x_i"]),
    ("$x$은 $y$", ["x", "y"]),
    ("$$a=b$$", ["a=b"]),
    ("where $$x$$ and $$y$$ are", ["x", "y"]),
    ("$a$$b$", ["a", "b"]),
    (r"\(x\) and \\(y\\)", ["x", "y"]),
    ("\\[\na=b\n\\]", ["a=b"]),
    ("\\\\[\na \\\\\\\\[2pt] b\n\\\\]", ["a \\\\\\\\[2pt] b"]),
    ("\\[ a \\\\[2pt] b_i \\]", ["a \\\\[2pt] b_i"]),
    ("\\begin{align*}\na &= b \\\\\n\nc &= d\n\\end{align*}",
     ["\\begin{align*}\na &= b \\\\\n\nc &= d\n\\end{align*}"]),
    ("text\n\\begin{cases} a \\end{cases}", ["\\begin{cases} a \\end{cases}"]),
    ("```math\na = b\n```", ["a = b"]),
    ("```{math}\n:label: one\na = b\n```", ["a = b"]),
    ("~~~tex\na = \\frac{b}{c}\n~~~", ["a = \\frac{b}{c}"]),
    ("```latex\nText $x$ here\n```", ["x"]),
    ("$`a_b`$", ["a_b"]),
    ("$$\na\n\n$$", ["a"]),
    ("text\n$$\na\n- b\n= c\n$$ and $d$", ["a\n- b\n= c", "d"]),
    ("> $$\n> a\n> + b\n> $$", ["a\n+ b"]),
    ("1. one\n   $$\n   a\n   $$\n2. $b$", ["a", "b"]),
    ("|a|b|\n|-|-|\n|$x$|$x$ \\| $z$|", ["x", "x", "z"]),
    (r"$a \text{ if $b$ holds}$", [r"a \text{ if $b$ holds}"]),
    ("{% raw %}$$ a = b $${% endraw %}", ["a = b"]),
    ("<details>\n\n$x$\n\n</details>", ["x"]),
    ("$ x_i $ with spaces", ["x_i"]),
    ("[^1]: $x$", ["x"]),
    ("Heading $x$\n===", ["x"]),
    ("## $x$ and $x$ ##", ["x", "x"]),
    ("$$\na = b\n$$ {#eq:one}", ["a = b"]),
    ("unclosed $$ and $x$", ["x"]),
])
def test_what_is_a_formula(text: str, formulas: list[str]):
    document = read_document(text, "markdown")
    assert [s.latex for s in document.spans] == formulas
    if "\\|" not in text:
        for span in document.spans:
            stands_there(text, span)


@pytest.mark.parametrize("text", [
    "costs $5 and $6", "costs \\$x and \\$y", "US$5 and CA$7", "5$ or 6$", "a $ b $ c", "`$x$`", "`` $x$ ` ``",
    "```\n$x$\n```", "```python\n$x$\n```", "    $x$", "<div>$x$</div>", "<!-- $x$ -->", '<a b="$x$">',
    '![](a.png){: w="$x$"}', "[a](b$c$)", "---\na: $x$\n---", "{% highlight c %}\n$x$\n{% endhighlight %}",
    "\\[1, 2\\] and \\(see below\\)", "$$$$", "$x", "```latex\n\\documentclass{a}\n\\usepackage{b}\n```",
    "{% include a.html b=$x$ %}",
])
def test_what_is_none(text: str):
    assert found(text) == []


def test_a_display_in_a_paragraph():
    first, display, last = read_document("We zero-pad $x$ by\n$$ a = b $$\nwhere $c$ holds", "markdown").spans
    assert display.display and not first.display
    assert len({first.block, display.block, last.block}) == 3
    assert display.before == last.before == ""
    assert display.prose == "We zero-pad $x$ by $a = b$ where $c$ holds"


def test_a_display_takes_the_words_above():
    spans = read_document("The **full convolution**:\n\n$$\na\n$$\n\n$$\nb\n$$", "markdown").spans
    assert [s.prose for s in spans] == ["The full convolution:"] * 2


def test_directives():
    text = "$a$ <!-- symconv: delta = dL/do; x: n;\n  base 1 --> $b$\n\n<!-- symconv:\n  w: k\n-->\n<!-- other -->"
    document = read_document(text, "markdown")
    assert [(d.text, d.place.line, d.place.column) for d in document.directives] == [
        ("delta = dL/do", 1, 19), ("x: n", 1, 34), ("base 1", 2, 3), ("w: k", 5, 3)]
    a, b = document.spans
    assert a.position < document.directives[0].position < document.directives[2].position < b.position
    latex = read_document("% symconv: a = b; c\n%% symconv: d\n50\\% symconv: no $x$", "latex")
    assert [(d.text, d.place.line, d.place.column) for d in latex.directives] == [("a = b", 1, 12), ("c", 1, 19),
                                                                                  ("d", 2, 13)]
    plain = read_document("% symconv: a\n<!-- symconv: b -->\ny = x", "text")
    assert [d.text for d in plain.directives] == ["a", "b"] and [s.latex for s in plain.spans] == ["y = x"]


LATEX = r"""\documentclass{article}
\newcommand{\be}{\begin{equation}} \newcommand{\ee}{\end{equation}}
\newcommand{\dd}[2][x]{\frac{\partial #2}{\partial #1}} % $no$
\DeclareMathOperator{\rot}{rot}
\begin{document}
We have $x_i$, \emph{cross-correlation} \verb|$no$|, \(y\), 5\% and \$5.
\be
 \dd{L} = \rot(w)
\ee
\begin{lstlisting}
$no$ \begin{equation}
\end{lstlisting}
\begin{subequations}
\begin{align*} % $no$
a &= b \\ % c
c &= \text{if $d$}
\end{align*}
\end{subequations}
\[ a = b \] \begin{itemize}
\item $i$ + $j$ \item $k$ & $l$
\end{itemize}
\begin{displaymath}
z

\end{displaymath}
$$ open

then $m$ \begin{equation} n

\( stray, $p$
"""


def test_latex():
    document = read_document(LATEX, "latex")
    assert [s.latex for s in document.spans] == [
        "x_i", "y", "\\be\n \\dd{L} = \\rot(w)\n\\ee",
        "\\begin{align*} % $no$\na &= b \\\\ % c\nc &= \\text{if $d$}\n\\end{align*}", "a = b", "i", "j", "k", "l",
        "\\begin{displaymath}\nz\n\n\\end{displaymath}", "open", "m", "\\begin{equation} n", "p"]
    spans = dict(zip("xyEAaijkldomnp", document.spans, strict=True))
    assert spans["E"].expanded == ("\\begin{equation}\n \\frac{\\partial L}{\\partial x} = \\operatorname{rot}(w)"
                                   "\n\\end{equation}")
    assert "%" not in spans["A"].expanded and spans["A"].place(0).line == 14
    assert spans["i"].block == spans["j"].block != spans["k"].block != spans["l"].block
    assert spans["j"].before == "+"
    assert "cross-correlation" in spans["E"].prose and "no" not in spans["E"].prose.split()


@pytest.mark.parametrize(("definitions", "use", "expanded"), [
    (r"\newcommand{\R}{\mathbb{R}}", r"\R^d", r"\mathbb{R}^d"),
    (r"\newcommand\b[1]{\mathbf#1}", r"\b x", r"\mathbf x"),
    (r"\newcommand{\d}[2][x]{\frac{#2}{#1}}", r"\d{a}\d[b]{c}", r"\frac{a}{x}\frac{c}{b}"),
    (r"\def\f#1#2{\frac{#1}{#2}}", r"\f a\alpha", r"\frac{a}{\alpha}"),
    (r"\DeclareMathOperator*{\rot}{rot}", r"\rot_{180} w", r"\operatorname{rot}_{180} w"),
    (r"\let\s\sigma", r"\s(x)", r"\sigma(x)"),
    (r"\newcommand{\a}{\b}\newcommand{\b}{c}", r"\a", "c"),
    (r"\newcommand{\a}{b}\renewcommand{\a}{c}\providecommand{\a}{d}", r"\a", "c"),
    (r"\newcommand{\a}{x\a}", r"\a y", r"\a y"),
    (r"\newcommand{\a}{\a}", r"\a y", r"\a y"),
    (r"\def\a{\b\b}\def\b{\c\c}\def\c{\d\d}\def\d{\e\e}\def\e{\f\f}\def\f{\g\g}\def\g{\h\h}\def\h{\i\i}\def\i{\j\j}"
     r"\def\j{\k\k}\def\k{x}", r"\a", r"\a"),
    (r"\newcommand{\a}[1]{<#1>}", r"\a{\a{\a{x}}}", "<<<x>>>"),
    (r"\newcommand{\a}[2]{#1}", r"\a", r"\a"),
    (r"\newcommand{\broken", r"x", "x"),
])
def test_macros(definitions: str, use: str, expanded: str):
    for text, source in ((f"{definitions}\n\n${use}$", "latex"), (f"${definitions}$ then ${use}$", "markdown"),
                         (f"{definitions}\n\n${use}$", "markdown"), (f"{definitions}\n\n${use}$", "text")):
        span = read_document(text, source).spans[-1]
        assert (span.latex, span.expanded) == (use, expanded)


def test_places_in_expanded_text():
    text = "\\newcommand{\\d}[2]{\\frac{\\partial #1}{\\partial #2}}\n\nSee $a = \\d{L}{w_i} + b$"
    span = read_document(text, "latex").spans[0]
    column = {part: span.place(span.expanded.index(part)).column for part in ("a", "\\frac", "L", "w_i", "+")}
    use = text.split("\n")[2]
    assert column == {"a": 6, "\\frac": use.index("\\d") + 1, "L": use.index("L") + 1, "w_i": use.index("w_i") + 1,
                      "+": use.index("+") + 1}
    assert span.place(len(span.expanded)).column == len(use)


def test_comments_in_a_definition_vanish():
    text = "\\newcommand{\\a}{% why\n  x} % \\newcommand{\\a}{y}\n$\\a$"
    assert [s.expanded.strip() for s in read_document(text, "latex").spans] == ["x"]


def test_the_definition_before_the_formula_counts():
    text = "\\def\\a{x} $\\a$ \\def\\a{y} $\\a$"
    assert [s.expanded for s in read_document(text, "latex").spans] == ["x", "y"]


def notebook(*cells: tuple[str, str | list[str]], **options: bool) -> str:
    return json.dumps({"cells": [{"cell_type": kind, "metadata": {"source": "$no$"}, "source": source}
                                 for kind, source in cells], "nbformat": 4}, indent=1, **options)


@pytest.mark.parametrize("escaped", [True, False])
def test_notebooks(escaped: bool):
    text = notebook(("markdown", ["# 한국어 \U0001d465 $h$\n", "\n", "$$\n", "\\frac{a}{é} = b\n", "$$"]),
                    ("code", "$no$"), ("markdown", "\t한 $x_i$ \"and\" $y$\n- $\\R$ <!-- symconv: base 1 -->"),
                    ("raw", "z = 1"), ("markdown", "$\\newcommand{\\R}{r}$"), ensure_ascii=escaped)
    document = read_document(text, "notebook")
    assert [s.latex for s in document.spans] == ["h", "\\frac{a}{é} = b", "\\R", "z = 1"]
    lines = text.split("\n")
    for span in document.spans:
        rest = lines[span.place(0).line - 1][span.place(0).column - 1:]
        written = json.dumps(span.latex, ensure_ascii=escaped)[1:-1]
        assert rest.startswith(written)
        end = span.place(len(span.expanded))
        assert end.line == span.place(0).line and end.column == span.place(0).column + len(written)
    assert document.directives[0].text == "base 1"
    assert lines[document.directives[0].place.line - 1][document.directives[0].place.column - 1:].startswith("base 1")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "{}", '{"cells": 3}', "[" * 100_000,
                                  '{"cells": [{"source": "\\q"}]}'])
def test_no_notebook(text: str):
    with pytest.raises(SymconvError, match="not a notebook"):
        read_document(text, "notebook")


@pytest.mark.parametrize("text", ['{"cells": [3, {"source": 4}, {"source": [{"source": "a"}], "cell_type": []}, {}]}',
                                  '{"worksheets": [{"cells": [{"cell_type": "markdown", "source": ["$x$"]}]}]}'])
def test_strange_notebooks(text: str):
    assert found(text, "notebook") in ([], ["x"])


@pytest.mark.parametrize(("text", "formulas"), [
    ("o_i = \\sum_j w_j x_{i+j-1}", ["o_i = \\sum_j w_j x_{i+j-1}"]),
    ("Notes about it.\n- Forward pass: o = w * x\n2. a ≤ b\nEnd.", ["o = w * x", "a ≤ b"]),
    ("y_i =\n  \\sum_j w_j\nz = \\frac{\na}{b}\n+ c\n\nno", ["y_i =\n  \\sum_j w_j", "z = \\frac{\na}{b}\n+ c"]),
    ("text = no, $x$ yes", ["x"]),
    ("\\begin{align}\na &= b\n\\end{align}\n\nc = d", ["\\begin{align}\na &= b\n\\end{align}", "c = d"]),
    ("\\[ a = b \\]", ["a = b"]),
    ("\\documentclass{a}\n\\begin{document}\n$x$ a = b\n\\end{document}", ["x"]),
    ("no formula here", []),
    ("", []),
])
def test_plain_text(text: str, formulas: list[str]):
    document = read_document(text, "text")
    assert [s.latex for s in document.spans] == formulas
    for span in document.spans:
        stands_there(text, span)


def test_other_line_ends():
    text = "\ufeffa\r\n\r\n$$\r\nb\r\n= c\r\n$$\r\n\r\nd $e$"
    spans = read_document(text, "markdown").spans
    assert [s.latex for s in spans] == ["b\n= c", "e"]
    assert [(s.place(0).line, s.place(0).column) for s in spans] == [(4, 1), (8, 4)]
    assert spans[0].place(len(spans[0].expanded)).line == 5


@pytest.mark.parametrize(("path", "source"), [
    ("a.md", "markdown"), ("b/A.MD", "markdown"), ("a.qmd", "markdown"), ("a.tex", "latex"), ("a.ipynb", "notebook"),
    ("a.rst", "text"), ("a", "text"), ("-", "text")])
def test_source_of(path: str, source: str):
    assert source_of(path) == source


def test_unknown_source():
    with pytest.raises(ValueError, match="source must be one of"):
        read_document("", "word")


PIECES = ["$", "$$", "\\(", "\\)", "\\[", "\\]", "\\\\(", "\\\\]", "\\begin{align}", "\\end{align}", "\\begin{aligned}",
          "\\begin{verbatim}", "{", "}", "`", "```", "```math\n", "<!--",
          "-->", "<a b=\"", "%", "\n", "\n\n", "> ", "- ",
          "    ", "\t", "|", "|a|b|\n|-|-|\n",
          "\\newcommand{\\a}", "\\def\\a#1", "\\a", "[1]", "#1", "x_i", " = ", "한",
          "5", " ", "---\n", "{% raw %}", "{: .x}", "\\", "\r\n", "\\verb|", "&", "symconv: a;", "\0", "\u2028", "\x0c"]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=60).map("".join), st.sampled_from(["markdown", "latex", "text"]))
def test_any_text_is_read(text: str, source: str):
    check(read_document(text, source), text)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([(NOTES, "markdown"), (LATEX, "latex"), (LATEX, "markdown"), (NOTES, "text")]))
def test_mutated_documents_are_read(data: st.DataObject, original: tuple[str, str]):
    text, source = original
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.sampled_from([0, 1, 2, 5, 80]))
        text = text[:start] + data.draw(st.sampled_from(["", *PIECES])) + text[end:]
    check(read_document(text, source), text)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), st.integers(0, 500), st.booleans())
def test_notebooks_are_read_or_refused(cell: str, cut: int, whole: bool):
    text = notebook(("markdown", cell), ("raw", cell.splitlines(keepends=True)))
    text = text if whole else text[:cut]
    try:
        document = read_document(text, "notebook")
    except SymconvError:
        return
    check(document, text)


def check(document: Document, text: str) -> None:
    lines = Lengths(text)
    assert list(document.spans) == sorted(document.spans, key=lambda s: s.position)
    for span in document.spans:
        assert span.latex.strip() and len(span.origin) == len(span.expanded) + 1
        for offset in (0, len(span.expanded) // 2, len(span.expanded)):
            lines.holds(span.place(offset).line, span.place(offset).column)


class Lengths:
    """The lines of a text, to see whether a place exists."""

    def __init__(self, text: str) -> None:
        self.lines = text.replace("\r\n", "\n ").replace("\r", "\n").split("\n")

    def holds(self, line: int, column: int) -> None:
        assert 1 <= line <= len(self.lines) and 1 <= column <= len(self.lines[line - 1]) + 3


@pytest.mark.parametrize("piece", ["$", "$$\n", "\\[", "\\[ a\n", "\\begin{align}\n", "\\begin{cases}\n\n\\end{align}",
                                   "<!--", "{:", "`$ ", "\\newcommand{\\a}{", "\\def\\a{\\a\\a}$\\a$ ", "> $$\n",
                                   "$$x$$\n", "{"])
@pytest.mark.parametrize("source", ["markdown", "latex", "text"])
def test_hostile_repetition_takes_linear_time(piece: str, source: str):
    began = time.perf_counter()
    read_document(piece * (20_000 // len(piece)), source)
    assert time.perf_counter() - began < 5  # under 0.4 s; quadratic searches took 5 s and more
