"""The free indices of a formula: the letters at index positions that nothing binds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from symconv.claims.scope import Scope
from symconv.claims.words import LINE_WORDS, base_of, is_function, is_transpose, is_word, key, label_below, takes_arrays
from symconv.notation import nodes as n

INDICES = frozenset("ijlmtuvxyzabcqe")  # letters that are hardly ever sizes
SIDES = frozenset(("in", "out", "h", "w", "H", "W", "D", "d", "x", "y", "c", "C", "f", "F", "k", "K", "s", "p"))
ELEMENTS = frozenset("xywohzvuabfg")  # letters of arrays, whose numbered elements are no sizes
SIGNALS, KERNELS = frozenset("XIAUFYZ"), frozenset("WKFGVH")  # X * W joins arrays, H * W sizes
COUNTING = frozenset(("length", "len", "numel", "#"))  # of the elements of an array
SHORT = frozenset("""in out pad eff max min new old tot top bot inp img ker fc sep std dir row col dw pw fft avg sum reg
    dep grp dil win""".split())
PADDINGS = frozenset(("p", "pad", "padding", "ph", "pw"))  # p_l and p_r: left and right
HEIGHTS = frozenset("HWD")  # H_o: of the output
MULTIPLIERS = frozenset("skpdncKNCPSD")


def children(node: n.Node) -> Iterator[n.Node]:
    """The nodes directly below, tables included."""
    for name in node.__dataclass_fields__:
        value = getattr(node, name)
        for item in value if isinstance(value, tuple) else (value,):
            if isinstance(item, n.Node):
                yield item
            elif isinstance(item, tuple):
                yield from (inner for inner in item if isinstance(inner, n.Node))


def walk(node: n.Node) -> Iterator[n.Node]:
    """The node and everything below it."""
    yield node
    for c in children(node):
        yield from walk(c)


def free(node: n.Node, scope: Scope) -> list[str]:
    """Free letters in the order in which they are written."""
    found: dict[str, None] = {}
    _visit(node, scope, frozenset(), found)
    return list(found)


def _visit(node: n.Node, scope: Scope, bound: frozenset[str], found: dict[str, None]) -> None:
    if isinstance(node, n.Sum | n.BigProduct):
        bound |= {key(r.index) for r in node.ranges}
        if isinstance(node, n.Sum) and node.conditions:
            inside: dict[str, None] = {}
            _visit(node.body, scope, bound, inside)
            bound |= inside.keys() & {key(x) for c in node.conditions for x in index_names(c)}
            for c in node.conditions:
                _entries(c, scope, bound, found)
    elif isinstance(node, n.Integral):
        bound |= {key(v) for v in node.variables}
    elif isinstance(node, n.Scripted):
        for entry in (*(a for a in node.above if node.grouped and key(a) in scope.examples_by), *node.below):
            _entries(entry, scope, bound, found)
        _visit(node.base, scope, bound, found)
        return
    elif isinstance(node, n.Call):
        word = key(node.head)
        if not is_function(word) and word not in {*scope.functions, *scope.unary} and not takes_arrays(node.head):
            for entry in node.arguments:
                _entries(entry, scope, bound, found)
            if isinstance(node.head, n.Scripted) and label_below(node.head):
                _visit(node.head.base, scope, bound, found)  # y_l[n]: a label, unless it is bound
                return
        else:
            for entry in node.arguments:
                _visit(entry, scope, bound, found)
        if not takes_arrays(node.head):  # pad_{k-1}(x): no index
            _visit(node.head, scope, bound, found)
        return
    if isinstance(node, n.Partial) and _loss_call(node.of, scope):
        _visit(node.by, scope, bound, found)
        return
    for child in children(node):
        _visit(child, scope, bound, found)


def _operates(entry: n.Node) -> bool:
    """Does it hold a convolution or a product of arrays? Then its names are no indices."""
    operation = isinstance(entry, n.Operation) and entry.operator not in ("times", "mod")
    return operation or any(map(_operates, children(entry)))


def _loss_call(of: n.Node, scope: Scope) -> bool:
    """f(Y), J(W, b): a loss with what it depends on."""
    return isinstance(of, n.Call) and isinstance(of.head, n.Name) and scope.array(key(of.head)) is None \
        and all(isinstance(a, n.Name) for a in of.arguments)


def _entries(entry: n.Node, scope: Scope, bound: frozenset[str], found: dict[str, None]) -> None:
    """The letters of one index entry; sizes and words are none."""
    operates = _operates(entry)
    for name in index_names(entry):
        word = key(name)
        if isinstance(name, n.Scripted) and name.above:
            continue  # f(u^{(l)}): a label
        if operates and scope.array(scope.resolve(word)) is not None:
            continue
        if word not in bound and word not in scope.sizes and word not in scope.settings and not is_word(name) \
                and word not in LINE_WORDS and not is_transpose(name) and (
                    scope.array(scope.resolve(word)) is None or (len(word) == 1 and word.islower())):
            found[word] = None


def index_names(entry: n.Node) -> Iterator[n.Node]:
    """The names of an index expression, scripted ones as a whole."""
    if isinstance(entry, n.Name | n.Scripted):
        yield entry
    elif isinstance(entry, n.Call):
        yield from index_names(entry.head)
        for a in entry.arguments:
            yield from index_names(a)
    else:
        for child in children(entry):
            yield from index_names(child)


ABOVE = re.compile(r"\^\s*\{\s*\(\s*([a-z])\s*\)\s*\}")
MOVED = re.compile(r"\^\s*\{\s*[(\[]?\s*([a-z])\s*[+-]")
RUN_OVER = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{?\s*([a-z])\b")


def numbering(text: str) -> frozenset[str]:
    """The n of x^{(n)}, where sums run over n: it numbers examples, as an index does, and is no label of a layer.

    >>> sorted(numbering(r"\\sum_{n=1}^{N} x^{(n)}_i w^{(l)}"))
    ['n']
    """
    found = set(ABOVE.findall(text)) & set(RUN_OVER.findall(text))
    return frozenset(found - set(MOVED.findall(text)) - {"l"})


def bounds(node: n.Node, running: frozenset[str] = frozenset()) -> Iterator[n.Node]:
    """The names that say where sums end, sum_{i=1}^{N}, and do not run themselves."""
    if isinstance(node, n.Sum):
        running |= {key(r.index) for r in node.ranges}
        yield from (x for r in node.ranges if r.low is not None and r.high is not None
                    for end in (r.low, r.high) for x in index_names(end)
                    if key(x) not in running and key(x) not in LINE_WORDS)
    for c in children(node):
        yield from bounds(c, running)


def scalar_like(node: n.Node, scope: Scope) -> bool:
    """Only numbers, names and labels: a statement about sizes, not about elements."""
    if isinstance(node, n.Sum | n.Partial | n.Integral | n.Matrix | n.Cases | n.Items | n.Dots | n.Iverson):
        return False
    if isinstance(node, n.Operation) and not _multiplies(node, scope):
        return False
    if isinstance(node, n.Product) and len(node.factors) == 2 and _matrices(node.factors[0], node.factors[1], scope):
        return False
    if isinstance(node, n.Name):
        return scope.is_size(key(node)) or (scope.array(scope.resolve(key(node))) is None and node.style != "bold" \
            and node.text not in ("x", "y", "z", "delta", "nabla"))
    if isinstance(node, n.Scripted):
        return _label_like(node, scope)
    if isinstance(node, n.Call):
        word = key(node.head)
        if counts(node):
            return True
        if word in ("max", "min", "floor", "ceil", "abs"):
            return all(scalar_like(a, scope) for a in node.arguments)
        if node.bracket == "[":
            return is_word(node.head) and all(isinstance(a, n.Number) for a in node.arguments)
        return scalar_like(node.head, scope) and len(node.arguments) == 1 and scalar_like(node.arguments[0], scope) \
            and (not isinstance(node.head, n.Name) or scope.is_size(word)
                 or (word in MULTIPLIERS and isinstance(node.arguments[0], n.Add)))
    return all(scalar_like(c, scope) for c in children(node))


def counts(node: n.Node) -> bool:
    """length(y), or #W."""
    return isinstance(node, n.Call) and key(node.head) in COUNTING and len(node.arguments) == 1


def _multiplies(node: n.Operation, scope: Scope) -> bool:
    """Is the operator multiplication? A star is, between numbers and names of sizes."""
    if node.operator in ("times", "mod"):
        return True
    if node.operator not in ("*", "ast"):
        return False
    names = [key(x) for x in index_names(node.left)] + [key(x) for x in index_names(node.right)]
    plain = isinstance(node.left, n.Name) and isinstance(node.right, n.Name)
    if plain and not any(map(scope.is_size, names)) and _joins(*names):
        return False
    return all(scope.is_size(x) or x in scope.settings or (not scope.stars and x not in ELEMENTS) for x in names)


def _matrices(a: n.Node, b: n.Node, scope: Scope) -> bool:
    """X W, W^[1] X, x A^T: a product of an input and weights."""
    names = [base.text if isinstance(base := base_of(x), n.Name) else "" for x in (a, b)]
    return not any(scope.is_size(key(x)) for x in (a, b)) and _joins(*names)


def _joins(a: str, b: str) -> bool:
    """X * W, I * K: an image and a kernel."""
    return (a in SIGNALS and b in KERNELS) or (b in SIGNALS and a in KERNELS)


def kernel_second(a: str, b: str) -> bool | None:
    """X * W, not W * X; None where the letters do not tell which of the two arrays is the kernel."""
    first, second = a[:1].upper(), b[:1].upper()
    return second in KERNELS if _joins(first, second) else None


def _label_like(node: n.Scripted, scope: Scope) -> bool:
    if node.above and scope.array(scope.resolve(f"{key(node.base)}^{','.join(map(key, node.above))}")) is not None:
        return False
    if scope.array(scope.resolve(key(node.base))) is not None or any(map(is_transpose, node.above)):
        return False
    if scope.is_size(key(node)):
        return True
    if isinstance(node.base, n.Name) and node.below and all(isinstance(b, n.Number) for b in node.below) and (
            node.base.text in ELEMENTS or node.below[0].value > 9):  # type: ignore[attr-defined]
        return False
    return isinstance(node.base, n.Name | n.Scripted) and scalar_like(node.base, scope) and all(
        is_word(b) or isinstance(b, n.Number) or key(b) in SIDES or (isinstance(b, n.Name) and b.text.isupper())
        or _label(b) or (isinstance(b, n.Name) and b.text in ("delta", "sigma"))
        or (key(node.base).lower() in PADDINGS and key(b) in "lrtbLRTB")
        or (key(node.base) in HEIGHTS and key(b) in ("i", "o")) for b in node.below)


def _label(entry: n.Node) -> bool:
    """in, out, a layer l or l-1: nothing that runs over the elements of an array."""
    if isinstance(entry, n.Product) and all(isinstance(f, n.Name) for f in entry.factors):
        word = key(entry)  # letters that spell a word
        return len(word) > 3 or word in SHORT
    if isinstance(entry, n.Scripted) and key(entry.base) in SIDES and all(map(_label, entry.below)):
        return True  # n_{H_{prev}}
    if isinstance(entry, n.Add) and all(isinstance(t.node, n.Product) for t in entry.terms):
        return all(_label(t.node) for t in entry.terms)  # row+col
    names = list(index_names(entry))
    return bool(names) and all(key(x) in ("l", "L", "ell", "t") for x in names)
