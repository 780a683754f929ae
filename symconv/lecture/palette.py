"""One colour for each tensor, the same in formulas, figures and tables; here alone it is chosen.

Every pair reaches WCAG AA (4.5:1) on the page, on cards and on its own tint, in light and in dark, and the
five stay apart under protanopia, deuteranopia and tritanopia: they differ in lightness, not in hue alone.
Letters and indices always stand beside a colour, which never carries a meaning of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from symconv.equation import Equation, Tensor
from symconv.system import System


@dataclass(frozen=True)
class Theme:
    """Colours of one scheme as CSS writes them; `tones` by tensor: x, w, d (delta), o (results), b (added)."""

    page: str
    card: str
    ink: str
    soft: str
    line: str
    mark: str
    tones: Mapping[str, str]


LIGHT = Theme("#ffffff", "#f6f7f9", "#16181d", "#4a5160", "#d5d9e0", "#ffe27a",
              {"x": "#1b609e", "w": "#a20428", "d": "#9d5415", "o": "#165103", "b": "#4b2065"})
DARK = Theme("#14171d", "#1b1f27", "#e8eaee", "#b3bac6", "#3a404c", "#6b5200",
             {"x": "#5aa2ff", "w": "#ff5f57", "d": "#edb836", "o": "#a5f4b2", "b": "#c778ae"})
TONES = tuple(LIGHT.tones)
TINT = 14  # per cent of a tone on the page, behind cells


@dataclass(frozen=True)
class Ink:
    """How a tensor is drawn: its tone, and the key its elements share in formulas, figures and tables."""

    tone: str
    key: str

    def tensor(self) -> str:
        """CSS class of anything in this colour: `t-w`."""
        return f"t-{self.tone}"

    def element(self, indices: tuple[int, ...]) -> str:
        """CSS classes of one element, indices as printed: `t-w term-w_2`."""
        return f"t-{self.tone} {term_class(self.key, indices)}"


def term_class(key: str, indices: tuple[int, ...]) -> str:
    """`term-w_2`, `term-x_1_3`; a minus becomes `m`."""
    return "_".join([f"term-{key}", *(str(i).replace("-", "m") for i in indices)])


def inks(system: System) -> dict[str, Ink]:
    """The ink of every tensor of a system by its name, and of every gradient by the gradient's name.

    A gradient with respect to an input has the input's ink, so that dL/dx_3 lights up with x_3;
    a gradient with respect to a result is the upstream gradient, d.
    """
    tones = {t.name: _tone(t, system) for t in system.inputs}
    made = {e.output.name: "o" for e in system.equations}
    found: dict[str, Ink] = {}
    taken: set[str] = set()
    for name, tone in {**tones, **made, **{f"d{name}": "d" for name in made}}.items():
        key = tone if tone not in taken else "".join(c for c in name if c.isalnum() and c.isascii()) or "v"
        taken.add(key)
        found[name] = Ink(tone, key)
    return found | {f"d{name}": found[name] for name in tones}


def _tone(tensor: Tensor, system: System) -> str:
    """x is what is multiplied by weights w; b is what is added alone."""
    if tensor == data(system):
        return "x"
    return "b" if all(len(t.factors) == 1 for e in system.equations for t in e.terms
                      if tensor in (f.tensor for f in t.factors)) else "w"


def data(system: System) -> Tensor | None:
    """The input that weights are applied to: called x, or read at a sum of indices, or the one with fewer axes."""
    multiplied = [t for t in system.inputs if any(_beside_another(t, e) for e in system.equations)] or system.inputs
    ranked = sorted(multiplied, key=lambda t: (t.symbol.lower() != "x", not _slides(t, system), len(t.shape)))
    return ranked[0] if ranked else None


def _beside_another(tensor: Tensor, equation: Equation) -> bool:
    return any(len(t.factors) > 1 and tensor in (f.tensor for f in t.factors) for t in equation.terms)


def _slides(tensor: Tensor, system: System) -> bool:
    return any(f.tensor == tensor and any(len(e.names) > 1 for e in f.indices)
               for q in system.equations for t in q.terms for f in t.factors)
