"""Spelling: what a written name is called, and which words name operations."""

from __future__ import annotations

import re

from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.as_text import TEXT
from symconv.notation.vocabulary import RUN

FUNCTIONS = frozenset("""sigma phi varphi psi relu sigmoid tanh softplus softmax exp log ln sin cos act elu gelu silu
    swish activation leakyrelu sgn sign sqrt""".split())
OF_NUMBERS = frozenset("min max argmin argmax abs sup inf gcd lcm det tr trace rank dim log ln exp sin cos".split())
ROTATIONS = frozenset(("rot", "rot180", "flip", "rotate", "reverse", "rev", "rotate180", "flipped"))
CONVOLUTIONS = frozenset(("conv", "conv1d", "conv2d", "conv2", "convolve", "convolution", "corr", "xcorr"))
LOSSES = frozenset(("L", "E", "J", "C", "l", "ell", "loss", "Loss", "error", "cost", "Cost", "ε", "R"))
SCALARS = frozenset("eta alpha beta gamma lambda mu epsilon varepsilon".split())  # letters of numbers
TRANSPOSES = frozenset(("T", "top", "intercal", "mathsf T", "⊤"))
LINE_WORDS = frozenset(("infinity", "∞", "infty"))
STYLED = frozenset(("rm", "text"))
LENGTH_OF = re.compile(r"(?:the )?length of (?:the )?(?:\w+ )?(\w)", re.I)  # a role, and whose length it is
SIZE_WORDS = frozenset("""stride pad padding kernel dilation filters channels groups batch size width height Loss loss
    Cost cost Error out dout""".split())


def spelled(name: n.Name) -> str:
    """A name with its accent."""
    return f"{name.accent} {name.text}" if name.accent else name.text


def is_function(name: str) -> bool:
    """Does the name usually stand for a pointwise function?"""
    return name.lower().rstrip("'") in FUNCTIONS


def takes_arrays(head: n.Node) -> bool:
    """Is what stands in its brackets an array, not an index: rot180(K), <x, y>, pad(g, k - 1)?"""
    word = key(head.base if isinstance(head, n.Scripted) else head).lower().replace(" ", "")
    return word in ROTATIONS | CONVOLUTIONS | {"inner", "norm", "pad", "padding", "zeropad", "fliplr"} or \
        word.startswith("rot")


def label_below(head: n.Node) -> tuple[n.Name, ...]:
    """The letters of y_l and r_{xy}, which stand below a name and may be part of it; none for anything else."""
    if not isinstance(head, n.Scripted) or len(head.below) != 1:
        return ()
    entry = head.below[0]
    letters = entry.factors if isinstance(entry, n.Product) else (entry,)
    return tuple(x for x in letters if isinstance(x, n.Name)) if all(
        isinstance(x, n.Name) and x.text.isalpha() for x in letters) else ()


def is_word(node: n.Node) -> bool:
    """A label, not a letter that could be an index: `in`, `out`, `kernel`."""
    return isinstance(node, n.Name) and node.style != RUN and (
        node.style in STYLED or (len(node.text) > 1 and not _greek(node.text)))


def _greek(word: str) -> bool:
    from symconv.notation.vocabulary import GREEK

    return word in GREEK or word.removeprefix("var") in GREEK or word == "ell"


def key(node: n.Node) -> str:
    """One spelling for a name with its labels: `K_H`, `w^(l+1)`, `hat x`, `i'`."""
    if isinstance(node, n.Name):
        return spelled(node)
    if isinstance(node, n.Scripted):
        below = "_" + ",".join(key(b) for b in node.below) if node.below else ""
        above = "^" + ",".join(key(a) for a in node.above) if node.above else ""
        return key(node.base) + below + above + "'" * node.primes
    if isinstance(node, n.Bracketed):
        return key(node.body)
    if isinstance(node, n.Call) and node.bracket == "[":
        return f"{key(node.head)}[{','.join(key(a) for a in node.arguments)}]"
    return TEXT(node).replace(" ", "")


WORDS: tuple[tuple[type[n.Node], str], ...] = (
    (n.Number, "a number"), (n.Name, "a name"), (n.Scripted, "a name with scripts"), (n.Call, "a function"),
    (n.Bracketed, "a bracket"), (n.Product, "a product"), (n.Add, "a sum of terms"), (n.Signed, "a sign"),
    (n.Quotient, "a fraction"), (n.Partial, "a derivative"), (n.Chain, "a relation"),
    (n.Sum, "a sum sign \\sum"), (n.BigProduct, "a product sign \\prod"), (n.Integral, "an integral sign \\int"),
    (n.Matrix, "a matrix"), (n.Cases, "a distinction of cases"), (n.Items, "a list"), (n.Dots, "an ellipsis"),
    (n.Iverson, "a condition in brackets"), (n.Text, "text"), (n.Noted, "a side condition"))


def described(node: n.Node) -> str:
    """What an author calls it: `a product sign \\prod`, `the operator *`."""
    if isinstance(node, n.Operation):
        return f"the operator {node.operator}"
    if isinstance(node, n.Rounded):
        return f"a {'ceiling' if node.up else 'floor'}"
    return next((word for kind, word in WORDS if isinstance(node, kind)), "this")


def half(size: str) -> str:
    """The name engines use for half of an even size, or of an odd one less 1."""
    return f"half {size}"


def axes(rank: int) -> str:
    """`1 axis`, `2 axes`."""
    return f"{rank} {'axis' if rank == 1 else 'axes'}"


def ranked(rank: int) -> str:
    """`a number`, `an array with 2 axes`."""
    return f"an array with {axes(rank)}" if rank else "a number"


def about_axes(reason: str) -> bool:
    """Is the reason a number of axes, or of indices, that does not fit?"""
    return re.search(r"\bax[ei]s\b", reason) is not None


def base_of(node: n.Node) -> n.Node:
    """The name below scripts and arguments."""
    while True:
        if isinstance(node, n.Scripted):
            node = node.base
        elif isinstance(node, n.Call):
            node = node.head
        elif isinstance(node, n.Bracketed) and isinstance(node.body, n.Name | n.Scripted):
            node = node.body
        else:
            return node


def is_transpose(node: n.Node) -> bool:
    """Is this superscript a transposition?"""
    return isinstance(node, n.Name) and node.text in TRANSPOSES


def names_in(node: object) -> list[n.Name]:
    """Every written name below a node, in order."""
    if isinstance(node, n.Name):
        return [node]
    if isinstance(node, tuple):
        return [found for item in node for found in names_in(item)]
    if isinstance(node, n.Node):
        return [found for f in node.__dataclass_fields__ for found in names_in(getattr(node, f))]
    return []


def not_understood(reason: str, node: object = None) -> NotationError:
    """An error that points at the first name below the node."""
    found = names_in(node)
    return NotationError(reason, found[0].at if found else -1)
