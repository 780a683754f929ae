"""Formulas in different authors' notation: what they are read as, where their parts stand, what is refused."""

from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.as_code import CODE
from symconv.notation.as_latex import LATEX
from symconv.notation.as_text import TEXT
from symconv.notation.parser import Statement, parse, read

VECTORS = Path(__file__).parent / "vectors" / "formulas.txt"


def table() -> dict[str, list[str]]:
    """The committed formulas with the statements expected of each."""
    found: dict[str, list[str]] = {}
    latex = ""
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        if line.startswith("    "):
            found[latex].append(line.strip())
        elif line and not line.startswith("# "):
            latex = line
            found[latex] = []
    return found


FORMULAS = table()


def shown(statement: Statement) -> str:
    text = TEXT(statement.body)
    if statement.conditions:
        text += " | " + " & ".join(map(TEXT, statement.conditions))
    return (f"[{statement.label}] " if statement.label else "") + text + (f" #{statement.tag}" if statement.tag else "")


# The starting notes: every span, displayed and inline.
NOTES = {
    r"h_{i} = \sigma\left( \sum_{j=1}^{p} W_{ij}x_{j} \right)": ["h_i = sigma(sum_{j=1}^{p} W_{ij} x_j)"],
    r"h_{i}": ["h_i"],
    r"\mathbf{W}_{i}": ["W_i"],
    r"h_{i} = \sigma\left( \sum_{j=1}^{k}V_{j}x_{i+j-1} \right)": ["h_i = sigma(sum_{j=1}^{k} V_j x_{i+j-1})"],
    "\\begin{aligned}\n"
    "\\text{continuous} \\quad [f * g](x) = \\int_{\\mathbb{R}}f(z)g(x \\pm z)dz = \\int_{\\mathbb{R}}f(x \\pm z)g(z)dz"
    " = [g * f](x) \\\\\n"
    "\\text{discrete} \\quad [f * g](x) = \\sum_{a\\in\\mathbb{Z}^{d}}f(a)g(i \\pm a) = \\sum_{a\\in\\mathbb{Z}^{d}}"
    "f(i \\pm a)g(a) = [g * f](i) \\quad\\quad\n\\end{aligned}": [
        "[continuous] [f * g](x) = int_R f(z) g(x +- z) dz = int_R f(x +- z) g(z) dz = [g * f](x)",
        "[discrete] [f * g](x) = sum_{a in Z^d} f(a) g(i +- a) = sum_{a in Z^d} f(i +- a) g(a) = [g * f](i)"],
    r"\text{2-D Conv} \quad\quad [f * g](i, j) = \sum_{p, q}f(p, q)g(i+p, j+q)": [
        "[2-D Conv] [f * g](i, j) = sum_{p, q} f(p, q) g(i + p, j + q)"],
    "\\begin{aligned}\nO_{H} = H - K_{H} + 1 \\; \\\\ \nO_{W} = W - K_{W} + 1\n\\end{aligned}": [
        "O_H = H - K_H + 1", "O_W = W - K_W + 1"],
    r"\sum_{i=1}^{n}{K_{i} \text{Input}_{i}} \quad\quad K_{i} : \text{i-th Kernel}": [
        "[K_i : i-th Kernel] sum_{i=1}^{n} K_i Input_i"],
    "\\begin{aligned}\n\\begin{matrix}\n"
    "    \\frac{\\partial}{\\partial x}[f * g](x) &=& \\frac{\\partial}{\\partial x}"
    "\\int_{\\mathbb{R}^{d}}f(y)g(x-y) dy \\\\\n"
    "    &=& \\int_{\\mathbb{R}^{d}}f(y)\\frac{\\partial g}{\\partial x}(x - y)dy \\\\\n"
    "    &=& [f * g'](x)\n\\end{matrix}\n\\end{aligned}": [
        "d[f * g](x)/dx = d/dx (int_{R^d} f(y) g(x - y) dy) = int_{R^d} f(y) dg/dx(x - y) dy = [f * g'](x)"],
    r"o_i = \sum_{j}w_{j}x_{i+j-1}": ["o_i = sum_{j} w_j x_{i+j-1}"],
    r"x_i": ["x_i"], r"W_i": ["W_i"], r"x_3": ["x_3"], r"W_1": ["W_1"], r"W_2": ["W_2"], r"W_3": ["W_3"],
    r"\sigma": ["sigma"], r"\delta": ["delta"],
    r"\delta_1 \color{green}{w_{3}}": ["delta_1 w_3"],
    r"\delta_2 \color{blue}{w_{2}}": ["delta_2 w_2"],
    r"\delta_3 \color{red}{w_{1}}": ["delta_3 w_1"],
    r"(\color{red}{\delta_3 x_e}, \color{blue}{\delta_2 x_3}, \color{green}{\delta_1 x_3})": [
        "(delta_3 x_e, delta_2 x_3, delta_1 x_3)"],
    r"\frac{\partial L}{\partial w_i} = \sum_{j}\delta_{j}x_{i+j-1}": ["dL/dw_i = sum_{j} delta_j x_{i+j-1}"],
}
EVERY = {**NOTES, **FORMULAS}


@pytest.mark.parametrize("latex", NOTES)
def test_the_starting_notes(latex: str):
    assert [shown(s) for s in parse(latex)] == NOTES[latex]


@pytest.mark.parametrize("latex", FORMULAS)
def test_formulas_of_many_authors(latex: str):
    assert [shown(s) for s in parse(latex)] == FORMULAS[latex]


def test_there_are_enough_of_them():
    assert len(FORMULAS) > 150


@pytest.mark.parametrize("latex", EVERY)
def test_printed_and_read_again_gives_the_same_tree(latex: str):
    for statement in parse(latex):
        again = parse(LATEX(statement.body))
        assert [s.body for s in again] == [statement.body], LATEX(statement.body)
        for condition in statement.conditions:
            if not isinstance(condition, n.Noted):
                assert [s.body for s in parse(LATEX(condition))] == [condition]
        assert CODE(statement.body)


@pytest.mark.parametrize("latex", EVERY)
def test_places_lie_in_order_inside_the_formula(latex: str):
    for statement in parse(latex):
        assert 0 <= statement.start < statement.end <= len(latex)
        assert statement.parts[0][0] == statement.start and statement.parts[-1][1] == statement.end
        assert all(a < b for a, b in statement.parts)
        assert all(a[1] <= b[0] for a, b in zip(statement.parts, statement.parts[1:], strict=False))
        if isinstance(statement.body, n.Chain) and len(statement.parts) > 1:
            assert len(statement.parts) == len(statement.body.items)


def texts(latex: str) -> list[list[str]]:
    return [[latex[a:b] for a, b in s.parts] for s in parse(latex)]


def test_places_are_code_points_of_the_source():
    assert texts(r"o_i = \left\lfloor 수 \right\rfloor \quad \text{단 } i = 1, \dots, n") == [
        ["o_i", r"\left\lfloor 수 \right\rfloor"]]
    assert texts(r"\begin{aligned} a &= b \\ &= c \tag{1} \\ d &= \big( e \big) \end{aligned}") == [
        ["a", "b", "c"], ["d", r"\big( e \big)"]]
    assert texts(r"k, s = 3, 1 \quad 1 \le i, j \le n") == [["k, s", "3, 1"]]
    name = parse(r"\hat{w} + \mathbf{x}")[0].body.terms[1].node
    assert (name.text, name.style, name.at) == ("x", "bold", 18)


TREES = [
    (r"\mathrm{rot}_{180^\circ}\{w\}", n.Call(n.Scripted(n.Name("rot"), (n.Number(180),)), (n.Name("w"),), "{")),
    (r"\mathrm{rot}_{180}(w)", n.Call(n.Scripted(n.Name("rot"), (n.Number(180),)), (n.Name("w"),))),
    (r"W_{ij}", n.Scripted(n.Name("W"), (n.Product((n.Name("i"), n.Name("j"))),))),
    (r"W_{i,j}", n.Scripted(n.Name("W"), (n.Name("i"), n.Name("j")))),
    (r"z^{(l)}", n.Scripted(n.Name("z"), above=(n.Name("l"),), grouped=True)),
    (r"z^{[l]}", n.Scripted(n.Name("z"), above=(n.Name("l"),), grouped=True, bracket="[")),
    (r"z^{l\,\prime}", n.Scripted(n.Name("z"), above=(n.Name("l"),), primes=1)),
    (r"m^{\prime}", n.Scripted(n.Name("m"), primes=1)),
    (r"H''", n.Scripted(n.Name("H"), primes=2)),
    (r"x^\top", n.Scripted(n.Name("x"), above=(n.Name("T"),))),
    (r"\hat{w}", n.Name("w", accent="hat")),
    (r"w[a][b]", n.Call(n.Name("w"), (n.Name("a"), n.Name("b")), "[")),
    (r"f * g * h", n.Operation("*", n.Operation("*", n.Name("f"), n.Name("g")), n.Name("h"))),
    (r"f *_{\text{full}} g", n.Operation("*", n.Name("f"), n.Name("g"), "full")),
    (r"\frac{\partial L}{\partial w}", n.Partial(n.Name("L"), n.Name("w"))),
    (r"\partial L/\partial w", n.Partial(n.Name("L"), n.Name("w"))),
    (r"dL/dw", n.Partial(n.Name("L"), n.Name("w"))),
    (r"\nabla_w", n.Partial(n.Name("L"), n.Name("w"))),
    (r"\nabla_w E", n.Partial(n.Name("E"), n.Name("w"))),
    (r"a/b c", n.Product((n.Quotient(n.Name("a"), n.Name("b")), n.Name("c")))),
    (r"x \pm z", n.Add((n.Signed(False, n.Name("x")), n.Signed(False, n.Name("z"), 1)))),
    (r"-x", n.Add((n.Signed(True, n.Name("x")),))),
    (r"\sum_{0 \le j < k} w_j", n.Sum((n.Range(n.Name("j"), n.Number(0), n.Add((
        n.Signed(False, n.Name("k")), n.Signed(True, n.Number(1))))),), n.Scripted(n.Name("w"), (n.Name("j"),)))),
    (r"\sum_{a \in \mathbb{Z}} a", n.Sum((n.Range(n.Name("a"), within=n.Name("Z")),), n.Name("a"))),
    (r"\lfloor a \rfloor", n.Rounded(n.Name("a"))),
    (r"\operatorname{ceil}(a)", n.Rounded(n.Name("a"), True)),
    (r"\delta_{i}[i = j]", n.Product((n.Scripted(n.Name("delta"), (n.Name("i"),)),
                                      n.Iverson(n.Chain((n.Name("i"), n.Name("j")), ("=",)))))),
    (r"3(a)", n.Product((n.Number(3), n.Bracketed(n.Name("a"))))),
    (r"k(a)", n.Call(n.Name("k"), (n.Name("a"),))),
    (r"0.5", n.Quotient(n.Number(1), n.Number(2))),
]


@pytest.mark.parametrize(("latex", "tree"), TREES)
def test_trees(latex: str, tree: n.Node):
    assert parse(latex)[0].body == tree


@pytest.mark.parametrize(("latex", "operator"), [
    ("=", "="), (":=", ":="), (r"\triangleq", ":="), (r"\coloneqq", ":="), (r"\overset{\text{def}}{=}", ":="),
    (r"\stackrel{def}{=}", ":="), (r"\overset{(a)}{=}", "="), (r"\leftarrow", "<-"), (r"\gets", "<-"), (r"\to", "->"),
    (r"\neq", "!="), ("<", "<"), (r"\leq", "<="), (r"\ge", ">="), ("≥", ">="), (r"\in", "in"), (r"\approx", "~"),
    (r"\Rightarrow", "=>"), (r"\propto", "prop"), ("<=", "<="), ("<- ", "<-")])
def test_relations_have_one_name_each(latex: str, operator: str):
    assert parse(f"a {latex} b")[0].body == n.Chain((n.Name("a"), n.Name("b")), (operator,))


@pytest.mark.parametrize(("latex", "reason", "at"), [
    (r"a + \foo{x}", r"\foo is not known", 4),
    (r"x_{", "an opening brace without a closing one", 2),
    ("(a + b", "( is not closed", 0),
    ("a + b)", ") without a beginning", 5),
    ("a = ", "an expression is missing at the end", 4),
    ("x_12", "braces are missing around 12: TeX takes one digit", 2),
    (r"\frac{\partial^2 L}{\partial w^2}", "derivatives of higher order are not read", 14),
    (r"\begin{aligned} a", r"\begin{aligned} has no end", 0),
    (r"\begin{tikz} a \end{tikz}", "the environment tikz is not known", 0),
    (r"\int f(x)", "an integral without dx", 0),
    ("a $ b", "a math delimiter inside the formula", 2),
    ("x^{2}^{3}", "two superscripts", 5),
    ("a \\", "a backslash with nothing after it", 2),
    ("{" * 100 + "x" + "}" * 100 + "+ 1", "nested too deeply", 32),
    ("a" * 20_001, "longer than 20000 characters", 20_000),
])
def test_errors_say_what_and_where(latex: str, reason: str, at: int):
    with pytest.raises(NotationError) as wrong:
        parse(latex)
    assert (wrong.value.reason, wrong.value.at) == (reason, at)


def test_rows_that_are_not_understood_leave_the_others():
    statements, errors = read(r"a = b \\ c = \foo \\ d = e")
    assert [TEXT(s.body) for s in statements] == ["a = b", "d = e"]
    assert [(e.reason, e.at) for e in errors] == [(r"\foo is not known", 13)]


def test_nothing_is_no_statement():
    assert parse("") == () and parse(r" % nothing") == () and parse(r"\label{a}") == ()


SIGNS = [*r"{ } ( ) [ ] _ ^ ' , ; : . & \\ = < | d x i 12 3 + - * / ~ .. ∑ δ ₁ ² 한 $ %".split(),
         *r"\sum \int \frac \partial \nabla \hat \mathbf \mathrm \mathbb \rm \overset \quad \dots \cdot \pm".split(),
         *r"\{ \} \| \left \right \left. \lfloor \rfloor \langle \max \sqrt \substack \tag \color \underbrace".split(),
         *r"\prime \; \mod \pmod \forall \over \text{$ \text{if} \text{a} \begin{cases} \end{cases}".split(),
         *r"\begin{aligned} \end{aligned} \begin{bmatrix} \end{bmatrix}".split()]


def only_notation_errors(latex: str) -> None:
    """Statements or a NotationError, in bounded time; what is read can be printed in every form."""
    start = process_time()
    try:
        for statement in parse(latex):
            assert 0 <= statement.start <= statement.end <= len(latex)
            for show in (TEXT, LATEX, CODE):
                show(statement.body)
    except NotationError as wrong:
        assert 0 <= wrong.at <= len(latex)
    assert process_time() - start < 1


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(SIGNS), max_size=30))
def test_any_sequence_of_signs_is_read_or_refused(signs: list[str]):
    only_notation_errors(" ".join(signs))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_mutated_formulas_are_read_or_refused(data: st.DataObject):
    latex = data.draw(st.sampled_from(sorted(EVERY)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(latex)))
        cut = data.draw(st.integers(0, 4))
        latex = latex[:at] + data.draw(st.sampled_from(["", *SIGNS])) + latex[at + cut:]
    only_notation_errors(latex)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(latex: str):
    only_notation_errors(latex)


@pytest.mark.parametrize("sign", ["{", "(", r"\frac{", "x_{", r"\sum_", r"\int ", "|", "d", "x*", "x(", "x[1]", "& ",
                                  r"\sqrt", r"\overset{", "a/", "i=1,", r"\begin{cases}", r"\left(", "a=b\\\\"])
def test_long_repetitions_stay_fast(sign: str):
    only_notation_errors((sign * 8000)[:8000])


def test_an_ordinary_formula_takes_little_time():
    latex = r"\frac{\partial L}{\partial w_i} = \sum_{j=1}^{o}\delta_{j}x_{i+j-1}"
    best = min(_seconds(latex) for _ in range(5))
    assert best < 0.005


def _seconds(latex: str) -> float:
    start = process_time()
    parse(latex)
    return process_time() - start
