"""How an author writes: letters, base, brackets, sums, derivatives."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

ARRAYS = (("o", "w", "x"), ("y", "w", "x"), ("y", "h", "x"), ("Y", "W", "X"), ("O", "F", "X"), ("z", "w", "a"),
          ("y", "w", "u"), (r"\mathbf{y}", r"\mathbf{w}", r"\mathbf{x}"), ("S", "K", "I"), ("out", "w", "in"))
INDICES = ("ijmnpquvabt", "tsurqpvh", "mnpqabuv")
LINES = (("n", "k"), ("N", "K"), ("n", "m"), ("T", "K"), ("L", "r"), ("n_i", "n_w"))
PLANES = (("H", "K_h", "W", "K_w"), ("n_1", "k_1", "n_2", "k_2"), ("N", "U", "M", "V"), ("H", "R", "T", "Q"))


@dataclass(frozen=True)
class Style:
    """Choices of one author.

    Args:
        letters: canonical name of an array or a size -> LaTeX.
        base: what indices count from.
        bracket: "plain" w_{ij}, "comma" w_{i,j}, "square" w[i,j], "round" w(i,j).
        delta: the letter for the upstream gradient; "" writes the derivative out.
        layer: "" or the superscript that every array carries.
        cases: a divisibility is written as cases after the sum, not below it.
    """

    letters: dict[str, str] = field(compare=False)
    base: int = 0
    bracket: str = "comma"
    delta: str = r"\delta"
    loss: str = "L"
    layer: str = ""
    dot: str = " "
    one_sum: bool = False
    shuffled: bool = False
    slash: bool = False
    folded: bool = True
    cases: bool = False

    @property
    def superscript(self) -> str:
        return {"": "", "l": "^{l}", "(l)": "^{(l)}"}[self.layer]


def random_style(rng: random.Random, planar: bool) -> Style:
    """Letters that do not clash."""
    out, kernel, read = rng.choice(ARRAYS[:-1])
    arrays = {out, kernel, read, "C", "F", "B"}
    sizes = rng.choice([z for z in (PLANES if planar else LINES) if not arrays & set(z)])
    letters = {"o": out, "w": kernel, "x": read, "b": r"\beta"}
    if planar:
        letters |= dict(zip(("N1", "K1", "N2", "K2"), sizes, strict=True))
    else:
        letters |= dict(zip(("N1", "K1"), sizes, strict=True)) | {"M1": "M" if sizes[0] != "M" else "h"}
    letters |= {"S": "s", "D": "d", "P": "p", "C": "C", "F": "G" if out == "O" else "F", "B": "B",
                "eta": r"\eta"}
    taken = {v.strip("\\") for v in letters.values()} | {"s", "d", "p", "l", "L", "E", "J"}
    delta = rng.choices((r"\delta", "", "g", r"\Delta"), (60, 30, 6, 4))[0]
    taken.add(delta)
    taken |= {x.lower() for x in taken}
    pool = [c for c in rng.choice(INDICES) + "ijmnpquvatrszxyhk" if c not in taken]
    letters |= _index_letters(list(dict.fromkeys(pool)), rng)
    return Style(letters, rng.choice((0, 1)), rng.choices(("plain", "comma", "square", "round"), (38, 36, 14, 12))[0],
                 delta, rng.choices(("L", "E", "J", r"\mathcal{L}"), (70, 12, 10, 8))[0],
                 rng.choices(("", "l", "(l)"), (88, 6, 6))[0], rng.choice((" ", r" \cdot ", r"\,", " ")),
                 rng.random() < 0.4, rng.random() < 0.3, rng.random() < 0.08, rng.random() < 0.7, rng.random() < 0.25)


def _index_letters(pool: list[str], rng: random.Random) -> dict[str, str]:
    """i, j, m for each axis, and c, f, r."""
    found = {"c": "c", "f": "f", "r": rng.choice("be")}
    pool = [p for p in pool if p not in ("c", "f", "b")]
    names = ["i1", "j1", "m1", "i2", "j2", "m2"]
    if rng.random() < 0.3:
        head = pool[:6]
        rng.shuffle(head)
        pool[:6] = head
    pool = [p for p in pool if p != "e"]
    return found | dict(zip(names, pool, strict=False))
