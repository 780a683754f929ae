"""What a name in a formula looks like, taken apart: `K_H`, `hat(x)^{(l)}`, `delta`, `w_in`."""

from __future__ import annotations

import re

from symconv.notation import nodes as n
from symconv.notation.vocabulary import ACCENTS

ACCENTED = re.compile(rf"(?P<accent>{'|'.join(ACCENTS)})\((?P<base>\w+)\)(?P<primes>'*)")
SUPERSCRIPT = re.compile(r"(?P<base>[^^]+)\^\{?(?P<open>[(\[]?)(?P<label>[-+,\w]+)(?P<close>[)\]]?)\}?")
SIGNS = {**dict(zip(("alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho varsigma "
                     "sigma tau upsilon phi chi psi omega").split(), "αβγδεζηθικλμνξοπρςστυϕχψω", strict=True)),
         **dict(zip("Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split(), "ΓΔΘΛΞΠΣΥΦΨΩ", strict=True)),
         "varepsilon": "ε", "vartheta": "ϑ", "varphi": "φ", "varrho": "ρ", "varpi": "π", "infinity": "∞", "ell": "ℓ",
         "top": "⊤", "emptyset": "∅", "hbar": "ℏ"}
MARKS = {"hat": "ˆ", "tilde": "˜", "bar": "¯", "vec": "→", "dot": "˙", "ddot": "¨", "check": "ˇ", "breve": "˘"}


def lettered(name: str) -> n.Name | n.Scripted:
    """A name of an equation as the nodes its author would have written."""
    if m := SUPERSCRIPT.fullmatch(name):
        return n.Scripted(lettered(m["base"]), above=(n.Name(m["label"]),), grouped=bool(m["open"]),
                          bracket=m["open"] or "(")
    if m := ACCENTED.fullmatch(name):
        word = n.Name(m["base"], accent=m["accent"])
        return n.Scripted(word, primes=len(m["primes"])) if m["primes"] else word
    base, _, below = name.rstrip("'").partition("_")
    if not base:
        base, below = name.rstrip("'"), ""
    primes = len(name) - len(name.rstrip("'"))
    if not below and not primes:
        return n.Name(base)
    return n.Scripted(n.Name(base), (n.Name(below),) if below else (), primes=primes)
