"""One formula being read: its letters, and what is wrong with them."""

from __future__ import annotations

from symconv.affine import Affine, Constraint
from symconv.claims.letters import INDICES, bounds, children, free
from symconv.claims.outcome import Remark
from symconv.claims.raw import Sum, Value, fresh
from symconv.claims.reader import Reader
from symconv.claims.scope import GRADIENT, Scope
from symconv.claims.words import key, names_in
from symconv.errors import NotationError
from symconv.notation import nodes as n
from symconv.notation.parser import Statement


class Opened:
    """One formula being read: its letters, and what is wrong with them."""

    def __init__(self, scope: Scope, choice: int, body: n.Node) -> None:
        self.scope, self.choice = scope, choice
        first = body.items[0] if isinstance(body, n.Chain) else body
        written = free(first, scope)
        if not written and isinstance(body, n.Chain) and len(body.items) > 1 and not _whole(first):
            written = [x for i in body.items[1:] for x in free(i, scope)]
        for x in bounds(body):
            first = x.base if isinstance(x, n.Scripted) and all(isinstance(b, n.Number) for b in x.below) else x
            if isinstance(first, n.Name) and first.text.isupper() and key(x) not in written \
                    and scope.array(key(first)) is None:
                scope.size(key(x))
        self.letters = {name: fresh(name) for name in dict.fromkeys(written)}
        self.lost: list[Remark] = []
        self.noticed: list[Remark] = []
        if isinstance(body, n.Chain) and written:
            self.compare_letters(body, scope, isinstance(first, n.Call) and key(first.head) != "abs")

    def compare_letters(self, body: n.Chain, scope: Scope, argument: bool) -> None:
        """[f * g](x) = sum f(a) g(i - a): the one strange letter stands for the one that is missing."""
        rest = list(dict.fromkeys(x for i in body.items[1:] for x in free(i, scope)))
        missing = [x for x in self.letters if x not in rest]
        strange = [x for x in rest if x not in self.letters and x in INDICES]
        if argument and len(missing) == 1 and len(strange) == 1:
            at = next((x.at for i in body.items[1:] for x in names_in(i) if x.text == strange[0]), -1)
            self.letters[strange[0]] = self.letters[missing[0]] = fresh(strange[0])
            self.noticed.append(Remark("SC012", f"the left-hand side has the index {missing[0]}, the right-hand "
                                       f"side {strange[0]} in its place: one of them is meant", at))
        elif (missing := _unused(missing, body.items[1])) and len(body.items) == 2 and (rest or _sums(body.items[1])):
            places = {x.text: x.at for x in reversed(names_in(body.items[0]))}
            self.noticed += [Remark("SC011", f"the index {x} on the left does not occur on the right",
                                    places.get(x, -1)) for x in missing]

    def reader(self) -> Reader:
        names = {name: Affine.of(inner) for name, inner in self.letters.items()}
        return Reader(self.scope, names, self.choice)

    def remarks(self, reader: Reader) -> tuple[Remark, ...]:
        """Letters nobody declared: the formula cannot be decided with them."""
        found = tuple(Remark("SC010", str(u), u.at, end=u.end) for u in dict.fromkeys(reader.undeclared))
        self.lost = list(found)
        noticed, self.noticed = tuple(self.noticed), []
        return (*noticed, *found)

    def element(self, value: Value, other: Value) -> Value:
        """In y[n] = x * h the whole array stands for its element at the indices of the other side."""
        if other.rank or not value.rank or value.rank != len(self.letters) or of_images(self.scope, value):
            return value
        return Value.scalar(value.at(tuple(map(Affine.of, self.letters.values()))))

    def conditions(self, s: Statement, reader: Reader) -> list[Constraint]:
        """Side conditions of the statement; those that are none of ours are left out with a note."""
        found: list[Constraint] = []
        for c in s.conditions:
            try:
                indexing = reader.indexing()
                stated = indexing.condition(c)
                if indexing.side.indices:
                    raise NotationError("it holds a quotient", -1)
                found += stated
            except NotationError as e:
                self.scope.note(f"a side condition was not understood: {e.reason}")
        return found

    def used(self, *sums: Sum) -> tuple[str, ...]:
        """The letters that occur, in the order in which they are written."""
        seen = {n for terms in sums for t in terms for e in (*(x for f in t.factors for x in f.indices),
                                                            *(c.expression for c in t.constraints)) for n in e.names}
        return tuple(inner for inner in dict.fromkeys(self.letters.values()) if inner in seen)


def of_images(scope: Scope, value: Value) -> bool:
    """Is it made of images that have numbers? Then its axes are theirs."""
    probe = value.at(tuple(map(Affine.of, "uvw"[:value.rank])))
    return any(f.name.removeprefix(GRADIENT) in scope.images for t in probe for f in t.factors)


def _unused(letters: list[str], node: n.Node) -> list[str]:
    """Letters that stand nowhere in an expression, or are bound there by a sum."""
    written = {x.text for x in names_in(node)} - _bound(node)
    return [x for x in letters if x.rstrip("'") not in written and x.rstrip("'").isalpha()]


def _bound(node: n.Node) -> set[str]:
    """Indices of the sums below; letters side by side may be one name, di."""
    names = [x for r in node.ranges for x in names_in(r.index)[:1]] if isinstance(node, n.Sum) else []
    places = {x.at for x in names}
    own = {x.text for x in names if not places & {x.at - 1, x.at + 1}}
    return own.union(*map(_bound, children(node)))


def _sums(node: n.Node) -> bool:
    """Does it add up elements?"""
    return isinstance(node, n.Sum) or any(map(_sums, children(node)))


def _whole(node: n.Node) -> bool:
    """An array named without indices, or an operation on such."""
    return isinstance(node, n.Name | n.Operation | n.Partial)
