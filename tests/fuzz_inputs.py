"""Input for `fuzz_verify`: formulas grown from a loose grammar, real formulas and real documents with damage done."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from symconv.claims.finding import Finding
from symconv.claims.verify import verify, verify_claim
from symconv.errors import SymconvError

HERE = Path(__file__).parent
SOURCES = {".md": "markdown", ".tex": "latex", ".ipynb": "notebook", ".txt": "text"}


@dataclass(frozen=True)
class Input:
    """What is verified: a claim, or a document when `source` says of which kind."""

    text: str
    given: tuple[str, ...] = ()
    source: str = ""

    def run(self) -> list[Finding]:
        if not self.source:
            return [verify_claim(self.text, given=self.given)]
        try:
            return verify(self.text, given=self.given, source=self.source)
        except SymconvError:
            if self.source == "notebook":  # it is no notebook any more
                return []
            raise


# --- formulas from a grammar -------------------------------------------------------------------------

LETTERS = r"w x o y h f g K I W X V b \delta \sigma \partial L k n s p d \mathbf{W} \hat{x} \tilde{w} \mathrm{rot}"
INDICES = r"i j k m n p q 0 1 2 3 n-1 i+j-1 i-j si+dj 2i i\cdot{}s+m -i m' \ell e 10^9 99999999999 \lfloor{}i/s\rfloor"
BINARY = r"+ - * \cdot \times / \ast \star \circledast \odot \otimes \pm \mp , = \ne \le < \in \to \leftarrow \circ"
FUNCTIONS = r"\sigma \sigma' f \mathrm{flip} \mathrm{rot}_{180} \mathrm{pad} \nabla_w \text{ReLU} \max \min \log \exp"
UNUSUAL = [r"\foo", r"\begin{cases}", r"\end{cases}", "&", r"\\", r"\left(", r"\right.", "{", "}", "$", "^", "_", "'",
           r"\frac", r"\sum", r"\sqrt{2}", r"\text{ if }", r"\dots", r"\lfloor", "]", "[", "(", "|", "∑", "δ", "卷积",
           "%", "#", "~", "\x00", "😀", r"\substack{i\\j}", r"\underbrace{x}_{y}", r"\color{red}", "==", "\n", "1.5",
           r"\prod_{i=1}^{n}", r"\lim_{n\to\infty}", r"\mathbb{Z}", r"\infty", r"\mod", "!", "1e400", "0", "-1", r"\%"]


class Grower:
    """Formulas of a loose grammar, mostly well formed."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.rules: tuple[Callable[[int], str], ...] = (
            self.element, self.element, self.total, self.total, self.binary, self.binary, self.fraction, self.call,
            self.group, self.integral, self.matrix, self.derivative, self.unusual)

    def formula(self) -> str:
        """An equality, a chain, or no claim at all."""
        parts = [self.node(self.random.randrange(1, 5)) for _ in range(self.random.choice((1, 2, 2, 2, 3)))]
        text = " = ".join(parts)
        return text + self.random.choice(("", "", "", ".", r",\quad i = 1, \dots, n", r"\tag{3}", " for all $i$"))

    def node(self, depth: int) -> str:
        return self.random.choice(self.rules)(depth - 1) if depth > 0 else self.element(0)

    def element(self, depth: int) -> str:
        name = self.random.choice(LETTERS.split())
        index = ",".join(self.index(depth) for _ in range(self.random.choice((0, 1, 1, 1, 2, 2, 4))))
        style = self.random.choice(("{0}_{{{1}}}", "{0}_{{{1}}}", "{0}[{1}]", "{0}({1})", "{0}^{{({1})}}", "{0}_{1}"))
        return style.format(name, index) if index else name

    def index(self, depth: int) -> str:
        return self.random.choice(INDICES.split()) if depth < 2 or self.random.random() < 0.8 else self.node(depth - 1)

    def total(self, depth: int) -> str:
        letter = self.random.choice("ijkmnpq")
        low, high = self.random.choice(INDICES.split()), self.random.choice(INDICES.split())
        bounds = self.random.choice((
            f"_{{{letter}={low}}}^{{{high}}}", f"_{{{letter}}}", f"_{letter}", f"_{{{letter},{high}}}", "",
            rf"_{{{letter}\in\mathbb{{Z}}^d}}", rf"_{{{letter}=-\infty}}^{{\infty}}",
            rf"_{{{low}\le {letter} < {high}}}", rf"_{{\substack{{{letter}\\ {low}}}}}", f"_{{{letter}={low}}}"))
        return rf"\sum{bounds} {self.node(depth)}"

    def binary(self, depth: int) -> str:
        return f"{self.node(depth)} {self.random.choice(BINARY.split())} {self.node(depth)}"

    def fraction(self, depth: int) -> str:
        return rf"\frac{{{self.node(depth)}}}{{{self.node(depth)}}}"

    def call(self, depth: int) -> str:
        return f"{self.random.choice(FUNCTIONS.split())}({self.node(depth)})"

    def group(self, depth: int) -> str:
        first, last = self.random.choice((
            (r"\left(", r"\right)"), ("[", "]"), (r"\lfloor ", r" \rfloor"), (r"\lceil ", r"\rceil"), ("{", "}"),
            ("|", "|"), (r"\text{", "}"), ("(", "]"), (r"\{", r"\}")))
        return f"{first}{self.node(depth)}{last}{self.random.choice(('', '', '^2', '_i', '^{T}', chr(39)))}"

    def integral(self, depth: int) -> str:
        return rf"\int_{{\mathbb{{R}}}} {self.node(depth)} d{self.random.choice('xyztab')}"

    def matrix(self, depth: int) -> str:
        name = self.random.choice(("bmatrix", "cases", "aligned", "matrix", "foo"))
        cells = [self.node(depth // 2) for _ in range(self.random.randrange(1, 5))]
        return rf"\begin{{{name}}}" + self.random.choice((" & ", r" \\ ")).join(cells) + rf"\end{{{name}}}"

    def derivative(self, depth: int) -> str:
        return rf"\frac{{\partial {self.node(depth - 1)}}}{{\partial {self.element(0)}}}"

    def unusual(self, depth: int) -> str:
        return self.random.choice(UNUSUAL) + self.node(depth)


# --- real material, damaged --------------------------------------------------------------------------

TOKEN = re.compile(r"\\[A-Za-z]+|\\.|\s+|\w|.", re.S)


@cache
def real_formulas() -> list[tuple[str, tuple[str, ...]]]:
    """Formulas of the corpus with their context, and those of the parser's vectors."""
    found = []
    for path in sorted((HERE / "corpus").glob("*.toml")):
        found += [(f["latex"], tuple(f["given"])) for f in tomllib.loads(path.read_text("utf-8"))["formula"]]
    vectors = (HERE / "vectors" / "formulas.txt").read_text("utf-8").splitlines()
    return found + [(line, ()) for line in vectors if line.strip() and not line.startswith(("#", " "))]


@cache
def real_documents() -> list[tuple[str, str]]:
    """The documents of the corpus and what kind each is."""
    paths = [p for p in sorted((HERE / "corpus" / "documents").iterdir()) if p.suffix in SOURCES]
    return [(p.read_text("utf-8"), SOURCES[p.suffix]) for p in [*paths, HERE / "seed_notes.md"]]


def damaged(text: str, chance: random.Random, times: int) -> str:
    """The text with tokens deleted, doubled, swapped, or replaced by others."""
    for _ in range(times):
        tokens = TOKEN.findall(text) or [" "]
        i, j = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        way = chance.randrange(7)
        if way == 0:
            del tokens[i]
        elif way == 1:
            tokens.insert(j, tokens[i])
        elif way == 2:
            tokens[i], tokens[j] = tokens[j], tokens[i]
        elif way == 3:
            tokens[i] = chance.choice(TOKEN.findall(chance.choice(real_formulas())[0]))
        elif way == 4:
            tokens.insert(i, chance.choice(UNUSUAL))
        elif way == 5:
            tokens = tokens[:i] if chance.random() < 0.2 else tokens[:i] + tokens[i + chance.randrange(1, 6):]
        else:
            tokens[i:i] = tokens[min(i, j):min(i, j) + 8]
        text = "".join(tokens)
    return text


DIRECTIVES = """zero outside|base 0|base 1|* is cross-correlation|* is full convolution|x: n|w: k|x: input|w: kernel
delta = dL/do|stride s = 2|stride s|pad p|pad 1|dilation d|k odd|p = k - 1|o: output size|i: input size|k: kernel size
s: stride|p: padding on each side|d: dilation|transposed convolution|2d|signals|x: 0|x: -1|w: 3 x 3|x: x|o: o: o
stride 0|stride s = 999999999999|k = k + 1|n = 0|;;|:|base 7|* is *|sigma: activation|\\delta: upstream gradient
x: n x n x n x n x n|k even|k odd; k even|n >= k|bias|no bias""".replace("\n", "|").split("|")


def context(chance: random.Random) -> tuple[str, ...]:
    """What may be given along: nothing, a real context, directives, anything."""
    given = list(chance.choice(real_formulas())[1]) if chance.random() < 0.6 else []
    given += chance.sample(DIRECTIVES, chance.choice((0, 0, 1, 2, 5)))
    if chance.random() < 0.15:
        given.append(Grower(chance).formula())
    if chance.random() < 0.15:
        given = [damaged(g, chance, 1) for g in given]
    return tuple(given)


def generate(seed: int, number: int) -> Input:
    """Input `number` of the series `seed`."""
    chance = random.Random(f"{seed}/{number}")
    kind = chance.random()
    if kind < 0.4:
        return Input(Grower(chance).formula(), context(chance))
    if kind < 0.92:
        latex, given = chance.choice(real_formulas())
        return Input(damaged(latex, chance, chance.choice((1, 1, 1, 2, 4, 12))),
                     given if chance.random() < 0.8 else context(chance))
    text, source = chance.choice(real_documents())
    if chance.random() < 0.15:
        source = chance.choice(tuple(SOURCES.values()))
    given = context(chance) if chance.random() < 0.2 else ()
    return Input(damaged(text, chance, chance.choice((1, 3, 10, 40))), given, source)
