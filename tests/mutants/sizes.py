"""Output-size formulas: written as trees, true by counting windows."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product

from .truth import Case

Values = Mapping[str, int]


@dataclass(frozen=True)
class Node:
    """kind: "name", "number", "sum", "product", "ratio", "floor", "ceil"; `signs` belong to a sum."""

    kind: str
    items: tuple[Node, ...] = ()
    text: str = ""
    signs: tuple[int, ...] = ()

    def value(self, env: Values) -> Fraction:
        if self.kind == "name":
            return Fraction(env[self.text])
        if self.kind == "number":
            return Fraction(self.text)
        values = [x.value(env) for x in self.items]
        if self.kind == "sum":
            return sum((s * v for s, v in zip(self.signs, values, strict=True)), Fraction(0))
        if self.kind == "product":
            return values[0] * values[1]
        if self.kind == "ratio":
            return values[0] / values[1]
        return Fraction(values[0] // 1 if self.kind == "floor" else -(-values[0] // 1))

    def latex(self, letters: Mapping[str, str], slash: bool) -> str:
        parts = [x.latex(letters, slash) for x in self.items]
        if self.kind in ("name", "number"):
            return letters.get(self.text, self.text)
        if self.kind == "sum":
            parts = [f"({p})" if x.kind == "sum" else p for x, p in zip(self.items, parts, strict=True)]
            text = "".join(f" {'+' if s > 0 else '-'} {p}" for s, p in zip(self.signs, parts, strict=True))
            return "-" + text[3:] if text.startswith(" - ") else text.removeprefix(" + ")
        if self.kind == "product":
            first, second = (f"({p})" if x.kind == "sum" else p for x, p in zip(self.items, parts, strict=True))
            between = r" \cdot " if len(letters["i"]) > 1 else "" if second[0] == "(" else " "
            return first + between + second
        if self.kind == "ratio":
            if slash:
                under = f"({parts[1]})" if self.items[1].kind == "sum" else parts[1]
                return f"({parts[0]}) / {under}"
            return rf"\frac{{{parts[0]}}}{{{parts[1]}}}"
        return rf"\left\l{self.kind} {parts[0]} \right\r{self.kind}"


def name(text: str) -> Node:
    return Node("name", (), text)


def number(value: int) -> Node:
    return Node("number", (), str(value))


def total(*items: tuple[int, Node]) -> Node:
    return Node("sum", tuple(x for _, x in items), "", tuple(s for s, _ in items))


@dataclass(frozen=True)
class SizeClaim:
    """o = formula, for a convolution or its transpose with the given parameters."""

    formula: Node
    uses: frozenset[str]
    transposed: bool = False
    mutation: str = "none"

    kind = "output size"

    @property
    def family(self) -> str:
        words = ["strided"] * ("s" in self.uses) + ["padded"] * ("p" in self.uses) + ["dilated"] * ("d" in self.uses)
        return " ".join(["size of a transposed" if self.transposed else "size of a convolution", *words])

    def table(self) -> list[Case]:
        ranges = {"i": range(1, 9), "k": range(1, 5), "s": range(1, 4), "p": range(3), "d": range(1, 4), "a": range(2)}
        names = sorted(self.uses)
        found = []
        for values in product(*(ranges[n] for n in names)):
            env = {"s": 1, "p": 0, "d": 1, "a": 0, **dict(zip(names, values, strict=True))}
            size = count(env, self.transposed)
            if size >= 1 and (not self.transposed or env["a"] < env["s"]):
                used = tuple((n, env[n]) for n in names)
                found.append(Case(used, self.holds(env, size), False, (("o", (size,)),)))
        return found

    def holds(self, env: Values, size: int) -> bool | None:
        """None where the formula divides by zero."""
        try:
            return self.formula.value(env) == size
        except ZeroDivisionError:
            return None


def count(env: Values, transposed: bool) -> int:
    """Windows that fit, or the cells that inputs reach."""
    i, k, s, p, d = (env[n] for n in "iksp" "d")
    if transposed:
        return max(s * x + d * t for x in range(i) for t in range(k)) + 1 - 2 * p + env["a"]
    return sum(1 for start in range(0, i + 2 * p, s) if start + d * (k - 1) < i + 2 * p)


def true_size(rng: random.Random) -> SizeClaim:
    """A random true formula."""
    uses = {"i", "k"} | {n for n in "spd" if rng.random() < (0.7 if n in "sp" else 0.4)}
    span: list[tuple[int, Node]] = [(-1, name("k"))]
    if "d" in uses:
        span = [(-1, Node("product", (name("d"), total((1, name("k")), (-1, number(1)))))), (-1, number(1))]
    pad = [(1, Node("product", (number(2), name("p"))))] if "p" in uses else []
    if rng.random() < 0.25:
        uses |= {"a"} if "s" in uses and rng.random() < 0.4 else set()
        first = total((1, name("i")), (-1, number(1)))
        step = Node("product", (name("s"), first)) if "s" in uses else first
        formula = total((1, step), *((-s, x) for s, x in span), *((-s, x) for s, x in pad),
                        *[(1, name("a"))] * ("a" in uses))
        return SizeClaim(formula, frozenset(uses), True)
    over = [(1, name("i")), *pad, *span]
    if "s" not in uses:
        return SizeClaim(total(*over, (1, number(1))), frozenset(uses))
    if rng.random() < 0.25:  # 1 inside the floor
        ratio = Node("ratio", (total(*over), name("s")))
        return SizeClaim(Node("floor", (total((1, ratio), (1, number(1))),)), frozenset(uses))
    floor = Node("floor", (Node("ratio", (total(*over), name("s"))),))
    return SizeClaim(total((1, floor), (1, number(1))), frozenset(uses))


# -- mutants


def nodes(n: Node) -> Iterator[tuple[Node, Callable[[Node], Node]]]:
    """Every node below, and how to put another in its place."""
    yield n, lambda new: new
    for at, item in enumerate(n.items):
        for inner, put in nodes(item):
            def placed(new: Node, at: int = at, put: Callable[[Node], Node] = put) -> Node:
                return replace(n, items=(*n.items[:at], put(new), *n.items[at + 1:]))

            yield inner, placed


def without_item(n: Node, at: int) -> Node:
    return replace(n, items=n.items[:at] + n.items[at + 1:], signs=n.signs[:at] + n.signs[at + 1:])


def size_mutants(c: SizeClaim) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}

    def note(kind: str, new: Node) -> None:
        if new != c.formula:
            found.setdefault(kind, []).append(new)

    for n, put in nodes(c.formula):
        if n.kind == "floor":
            note("floor dropped", put(n.items[0]))
            note("ceiling for floor", put(replace(n, kind="ceil")))
        if n.kind == "sum":
            for at, (sign, item) in enumerate(zip(n.signs, n.items, strict=True)):
                if item.kind == "number":
                    note("+ 1 or - 1 dropped", put(without_item(n, at)))
                elif len(n.items) > 1:
                    note("term lost", put(without_item(n, at)))
                note("sign", put(replace(n, signs=(*n.signs[:at], -sign, *n.signs[at + 1:]))))
            note("off by one", put(total(*zip(n.signs, n.items, strict=True), (1, number(1)))))
            note("off by one", put(total(*zip(n.signs, n.items, strict=True), (-1, number(1)))))
        if n.kind == "product":
            note("factor lost", put(n.items[1]))
            if n.items[0].kind == "number":
                note("p counted once", put(n.items[1]))
        if n.kind == "ratio":
            note("stride lost", put(n.items[0]))
            note("stride off by one", put(replace(n, items=(n.items[0], total((1, n.items[1]), (1, number(1)))))))
        if n.kind == "name":
            for other in sorted(c.uses - {n.text, "a"}):
                note("wrong size", put(name(other)))
    return found


def random_size(rng: random.Random, untouched: float) -> SizeClaim:
    claim = true_size(rng)
    if rng.random() < untouched:
        return claim
    found = size_mutants(claim)
    kind = rng.choice(sorted(found))
    return replace(claim, formula=rng.choice(found[kind]), mutation=kind)


LETTERS = ({"o": "o", "i": "i", "k": "k", "s": "s", "p": "p", "d": "d", "a": "a"},
           {"o": "O", "i": "N", "k": "K", "s": "S", "p": "P", "d": "D", "a": "A"},
           {"o": "H_{out}", "i": "H_{in}", "k": "K", "s": "S", "p": "P", "d": "D", "a": "A"},
           {"o": "o", "i": "n", "k": "f", "s": "s", "p": "p", "d": "d", "a": "a"},
           {"o": "O", "i": "W", "k": "F", "s": "S", "p": "P", "d": "D", "a": "A"},
           {"o": "n_{out}", "i": "n_{in}", "k": "k", "s": "s", "p": "p", "d": "d", "a": "a"})
ROLES = {"o": "output size", "i": "input size", "k": "kernel size", "s": "stride", "p": "padding on each side",
         "d": "dilation", "a": "output padding"}


def written_size(c: SizeClaim, rng: random.Random) -> tuple[list[str], str, dict[str, str]]:
    """The context, the claim, and the author's names -> canonical names."""
    letters = rng.choice(LETTERS)
    names = ["o", *(n for n in "ikspda" if n in c.uses)]
    given = [f"{letters[n]}: {ROLES[n]}" for n in names]
    if c.transposed:
        given.append("transposed convolution")
    spelled = {letters[n].replace("{", "").replace("}", ""): n for n in names}
    return given, f"{letters['o']} = {c.formula.latex(letters, rng.random() < 0.3)}", spelled
