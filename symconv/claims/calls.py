"""Names and expressions followed by brackets: elements, functions, rotations, operators at an index."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from symconv.claims import whole
from symconv.claims.functions import apply
from symconv.claims.indexing import Indexing
from symconv.claims.letters import index_names
from symconv.claims.partials import derived_value
from symconv.claims.raw import Factor, Raw, Value
from symconv.claims.scope import Scope
from symconv.claims.spelling import reference
from symconv.claims.starred import star
from symconv.claims.stars import convolution, named
from symconv.claims.words import (
    CONVOLUTIONS,
    OF_NUMBERS,
    ROTATIONS,
    SCALARS,
    is_function,
    key,
    names_in,
    not_understood,
)
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.vocabulary import RUN

if TYPE_CHECKING:
    from symconv.claims.reader import Reader

TRANSFORMS = {"hat": "hat over an expression", "widehat": "hat over an expression", "tilde": "tilde over an expression",
              "widetilde": "tilde over an expression", "bar": "bar over an expression",
              "overline": "bar over an expression", "flipud": "flip from top to bottom", "sqrt": "square root"}


def called(reader: Reader, node: n.Call) -> Value | None:
    """Calls that are no plain indexing: operators at an index, rotations, functions, products."""
    head = node.head
    if isinstance(head, n.Bracketed) and not isinstance(head.body, n.Name | n.Scripted | n.Call):
        count = len(node.arguments)
        return at_index(reader, replace(reader, guess=count, arity=count).value(head.body), node)
    if isinstance(head, n.Scripted) and head.primes and isinstance(head.base, n.Bracketed) \
            and isinstance(head.base.body, n.Operation):  # (f * g)'(t)
        count = len(node.arguments)
        return at_index(reader, replace(reader, guess=count, arity=count).value(head), node)
    if isinstance(head, n.Partial):
        return at_index(reader, derived_value(reader, head, len(node.arguments)), node)
    if isinstance(head, n.Call) or (isinstance(head, n.Scripted) and isinstance(head.base, n.Call | n.Bracketed)):
        inner = head if isinstance(head, n.Call) else head.base
        if isinstance(inner, n.Call) and called(reader, inner) is not None:
            return at_index(reader, reader.value(head), node)
    word = key(head.base if isinstance(head, n.Scripted) else head).lower().replace(" ", "")
    if (operator := reader.scope.unary.get(key(head))) is not None:
        return operator.apply(replace(reader, guess=len(operator.letters)).value(_only(node)))
    if word in TRANSFORMS:
        raise not_understood(f"a {TRANSFORMS[word]} is not understood", node)
    if word == "fliplr":
        return whole.rotated(reader.value(_only(node)), 1)
    if word in ROTATIONS or word.startswith("rot"):
        angle = re.sub(r"\D", "", key(head)) or "180"
        if angle != "180":
            raise not_understood(f"a rotation by {angle} degrees is not understood", node)
        return whole.rotated(reader.value(_only(node)))
    if word in ("transpose", "t") and len(node.arguments) == 1 and reader.scope.array(key(head)) is None:
        return whole.transposed(reader.value(_only(node)))
    if word == "inner" and len(node.arguments) == 2:
        return whole.inner(*(reader.value(a) for a in node.arguments))
    if word in ("pad", "padding", "zeropad"):
        return padded(reader, node)
    if word in CONVOLUTIONS and (found := convolved(reader, node, word)) is not None:
        return found
    return applied(reader, node)


def convolved(reader: Reader, node: n.Call, word: str) -> Value | None:
    """conv(x, w), conv2(x, w, valid) where that was defined."""
    if (operation := convolution(node)) is not None and any(op == named(operation) for op, _ in reader.scope.templates):
        return star(reader, operation)
    if len(node.arguments) != 2:
        return None
    a, b = node.arguments
    label = reader.scope.stars.get(word, "correlation" if "corr" in word else "")
    reader = replace(reader, guess=reader.guess or (2 if word.endswith(("2", "2d")) else 1))
    return star(reader, n.Operation("star" if "corr" in label else "*", a, b, label))


def padded(reader: Reader, node: n.Call) -> Value:
    """pad(x, p) or pad_p(x)."""
    head = node.head
    amount = head.below[0] if isinstance(head, n.Scripted) and head.below else node.arguments[-1]
    if len(node.arguments) + (isinstance(head, n.Scripted) and bool(head.below)) != 2:
        raise not_understood("how far it is padded is not said", node)
    value = reader.value(node.arguments[0])
    if not whole.known(value):  # a function on all integers has no place for zeros
        reader.scope.may_end()
        raise not_understood("where what is padded ends is not said", node)
    return whole.padded(value, reader.indexing().read(amount))


def applied(reader: Reader, node: n.Call) -> Value | None:
    """sigma(z_i): a function of an expression; w(i, j) is an element; K(a + b) may be a product."""
    ref = reference(reader, node.head)
    name = reader.scope.resolve(ref.name)
    if name in OF_NUMBERS and (len(node.arguments) > 1 or not is_function(name)):
        raise not_understood(f"{name} is not understood here", node)
    if reader.scope.array(name) is not None or (
            node.bracket == "[" and (ref.indexed or len(node.arguments) > 1)):
        return None
    if name in SCALARS and node.bracket == "(" and len(node.arguments) == 1 and name not in reader.scope.functions \
            and key(node.arguments[0]) not in reader.names:  # beta(i) is an element
        return whole.product(Value.scalar((Raw((Factor(name),)),)), reader.value(node.arguments[0]))
    if node.bracket == "(" and not ref.indexed and not is_function(name) and name not in reader.scope.functions \
            and len(node.arguments) == 1 and isinstance(node.arguments[0], n.Operation | n.Add) \
            and reader.guess is not None:
        return whole.product(Value.scalar((Raw((Factor(name),)),)), reader.value(node.arguments[0]))
    if is_function(key(node.head)) or name in reader.scope.functions or not index_like(reader, node):
        if len(node.arguments) != 1:
            raise not_understood("a function of several arguments is not understood", node)
        if is_function(key(node.head)) or name in reader.scope.functions or node.bracket == "(":
            return apply(reader.scope, reader.value(node.arguments[0]), key(node.head), reader.names)
    if name in reader.scope.sizes or (ref.indexed and node.bracket == "("):
        return whole.product(reader.value(node.head), reader.value(_only(node)))
    return None


def index_like(reader: Reader, node: n.Call) -> bool:
    """Do all arguments read as indices: letters that are bound, free or sizes?"""
    scripted_ = [x for a in node.arguments for x in index_names(a) if isinstance(x, n.Scripted) and not _run(x.base)]
    if any(key(b) in reader.names for x in scripted_ for e in x.below for b in index_names(e)) or any(
            x.above for x in scripted_):  # f(u^{(l)}): no index has a label above
        return False
    if not all(key(x) in reader.names or key(x) in reader.scope.sizes or reader.scope.array(key(x)) is None
               for a in node.arguments for x in names_in(a)):
        return False
    if any(reader.scope.array(reader.scope.resolve(key(x))) is not None and key(x) not in reader.names
           for a in node.arguments for x in index_names(a) if isinstance(x, n.Scripted)):
        return False  # g(Z^l) of a known array
    try:
        for a in node.arguments:
            Indexing(scratch(reader), reader.names, choice=reader.choice).read(a)
    except NotationError:
        return False
    return True


def _run(base: n.Node) -> bool:
    """oc of oc_g: letters that are one name, and the label belongs to it."""
    return isinstance(base, n.Name) and base.style == RUN


def scratch(reader: Reader) -> Scope:
    """A scope whose sizes may be added to without consequence."""
    return replace(reader.scope, sizes=set(reader.scope.sizes))


def at_index(reader: Reader, value: Value, node: n.Call) -> Value:
    """The value at the indices that stand behind it."""
    indexing = reader.indexing()
    entries = indexing.entries(node.arguments, value.rank or None)
    at = tuple(indexing.read(e) for e in entries)
    if len(at) != value.rank:
        if value.array == "" and value.rank == 1 and len(at) > 1:
            raise not_understood(f"an expression with one axis is indexed with {len(at)}", node)
        raise not_understood(f"an expression with {value.rank} axes is indexed with {len(at)}", node)
    side = indexing.side
    return Value.scalar(tuple(t.over(side.indices, side.constraints) for t in value.at(at)))


def _only(node: n.Call) -> n.Node:
    if len(node.arguments) != 1:
        raise not_understood("one argument is expected", node)
    return node.arguments[0]
