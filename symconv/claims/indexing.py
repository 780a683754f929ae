"""Index expressions and conditions: from what is written to affine expressions and constraints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.claims.raw import fresh
from symconv.claims.scope import Scope
from symconv.claims.words import LINE_WORDS, OF_NUMBERS, described, is_word, key, not_understood
from symconv.errors import NotationError
from symconv.notation import nodes as n

QUOTIENT = "q"  # what auxiliary indices are called
Names = Mapping[str, Affine]


@dataclass
class Side:
    """Auxiliary indices that floors and divisions bring along, with what fixes them."""

    indices: list[str] = field(default_factory=list)
    constraints: list[Constraint] = field(default_factory=list)

    def quotient(self, above: Affine, below: Affine, exact: bool) -> Affine:
        """floor(above / below), or above / below where that is an integer."""
        name = fresh(QUOTIENT)
        whole = below * name
        self.indices.append(name)
        if exact:
            self.constraints.append(equal(whole, above))
        else:
            self.constraints += [at_least(above, whole), at_least(whole + below - 1, above)]
        return Affine.of(name)


@dataclass
class Indexing:
    """Reads index expressions with the names in force.

    Args:
        names: bound and free indices, author's name to internal one.
        choice: which sign a plus-minus stands for, 1 or -1.
    """

    scope: Scope
    names: Names
    side: Side = field(default_factory=Side)
    choice: int = 0

    def read(self, node: n.Node) -> Affine:
        """The affine expression.

        Raises:
            NotationError: it is none.
        """
        match node:
            case n.Number():
                if node.value != int(node.value):
                    raise not_understood(f"{node.value} cannot be an index", node)
                return Affine.of(int(node.value))
            case n.Name() | n.Scripted():
                return self.named(node)
            case n.Call() if node.bracket == "[" or key(node) in self.scope.sizes:
                return self.named(node)
            case n.Call() if key(node.head) in OF_NUMBERS:
                raise not_understood(f"{key(node.head)} cannot stand in an index", node)
            case n.Call(arguments=(inner,)):
                return self.read(node.head) * self.read(inner)
            case n.Bracketed():
                return self.read(node.body)
            case n.Product():
                total = Affine.of(1)
                for f in node.factors:
                    total = total * self.read(f)
                return total
            case n.Signed():
                if node.choice and not self.choice:
                    raise not_understood("plus-minus stands in an index", node)
                negative = node.choice * self.choice < 0 if node.choice else node.negative
                return -self.read(node.node) if negative else self.read(node.node)
            case n.Add():
                total = Affine()
                for t in node.terms:
                    total = total + self.read(t)
                return total
            case n.Quotient():
                above, below = self.read(node.above), self.read(node.below)
                return self.scope.ratio(above, below) or self.side.quotient(above, below, exact=True)
            case n.Rounded():
                return self.rounded(node)
            case n.Operation(operator="times" | "*" | "ast" | "cdot"):
                return self.read(node.left) * self.read(node.right)
            case n.Operation(operator="mod"):
                above, below = self.read(node.left), self.read(node.right)
                return above - below * self.side.quotient(above, below, exact=False)
        raise not_understood(f"{described(node)} cannot be an index", node)

    def rounded(self, node: n.Rounded) -> Affine:
        body = node.body.body if isinstance(node.body, n.Bracketed) else node.body
        part, rest = _rounded_part(node)
        if part is not None and rest:
            return sum((self.read(r) for r in rest), self.rounded(part))
        if not isinstance(body, n.Quotient):
            return self.read(body)
        above, below = self.read(body.above), self.read(body.below)
        return self.side.quotient(above + (below - 1 if node.up else 0), below, exact=False)

    def named(self, node: n.Node) -> Affine:
        name = key(node)
        if name in self.names:
            return self.names[name]
        if isinstance(node, n.Scripted) and len(node.above) == 1 and isinstance(node.above[0], n.Number):
            if not 0 <= node.above[0].value <= 8:
                raise not_understood("a power in an index is not understood", node)
            power = Affine.of(1)
            for _ in range(int(node.above[0].value)):
                power = power * self.read(n.Scripted(node.base, node.below, (), node.primes)
                                          if node.below or node.primes else node.base)
            return power
        if name in LINE_WORDS:
            raise not_understood("infinity stands where a number should", node)
        if name in self.scope.expansions and name not in self.scope.settings:
            return self.expanded(name, node)
        fixed = self.scope.settings.get(name)
        if isinstance(fixed, int | Affine):
            return Affine.of(fixed)
        return self.scope.size(name)

    def expanded(self, name: str, node: n.Node) -> Affine:
        """A name that stands for an expression.

        Raises:
            NotationError: it stands for itself.
        """
        inner = self.scope.expansions.pop(name)
        try:
            return self.read(inner)
        except NotationError as e:
            raise not_understood(f"{name}: {e.reason}", node) from None
        finally:
            self.scope.expansions[name] = inner

    def entries(self, nodes: tuple[n.Node, ...], rank: int | None) -> list[n.Node]:
        """Index entries, juxtaposed letters taken apart: `ij` is (i, j), also (i+a)(j+b), `12`."""
        if len(nodes) != 1:
            return list(nodes)
        only = nodes[0].body if isinstance(nodes[0], n.Bracketed) else nodes[0]
        if isinstance(only, n.Items):
            return list(only.entries)
        if rank == 1:
            return [only]
        if isinstance(only, n.Number) and rank and rank == len(str(only.value)) and rank > 1:
            return [n.Number(int(c)) for c in str(only.value)]
        if isinstance(only, n.Number) and rank is None and only.value > 10 and "0" not in str(only.value):
            return [n.Number(int(c)) for c in str(only.value)]
        if isinstance(only, n.Product) and self.splits(only, rank):
            return [f.body if isinstance(f, n.Bracketed) else f for f in only.factors]
        return [only]

    def splits(self, product: n.Product, rank: int | None) -> bool:
        if rank is not None:
            return rank == len(product.factors)
        if all(isinstance(f, n.Number) for f in product.factors):
            return True
        return all(isinstance(f, n.Bracketed) or key(f) in self.names or (isinstance(f, n.Number) and place > 0)
                   for place, f in enumerate(product.factors))

    def condition(self, node: n.Node) -> list[Constraint]:
        """The constraints a condition states: chains of comparisons, joined by commas."""
        match node:
            case n.Items():
                return [c for e in node.entries for c in self.condition(e)]
            case n.Bracketed():
                return self.condition(node.body)
            case n.Iverson():
                return self.condition(node.condition)
            case n.Chain():
                found: list[Constraint] = []
                for op, a, b in zip(node.operators, node.items, node.items[1:], strict=False):
                    found += self.compare(op, a, b)
                return found
        raise not_understood("this condition is not understood", node)

    def compare(self, op: str, a: n.Node, b: n.Node) -> list[Constraint]:
        if op == "in":
            return self.membership(a, b)
        if isinstance(a, n.Items) or isinstance(b, n.Items):
            if op in ("<=", "<", ">=", ">"):  # 0 <= u, v < k
                sides = [x.entries if isinstance(x, n.Items) else (x,) for x in (a, b)]
                return [c for x in sides[0] for y in sides[1] for c in self.compare(op, x, y)]
            return self.range_list(a, b)
        if op in ("=", "=="):
            return [equal(x, y) for x in self.bounds(a, "") for y in self.bounds(b, "")]
        if op == "|":
            self.side.quotient(self.read(b), self.read(a), exact=True)
            return []
        if op == ":=" and (modulo := _modulo(b)) is not None:
            self.side.quotient(self.read(a) - self.read(modulo[0]), self.read(modulo[1]), exact=True)
            return []
        if op in ("<=", "<") and not _is_bound(a) and not _is_bound(b):
            strict = op == "<"
            if _rounded_part(b)[0] is not None and not strict:
                return self.bounded(self.read(a), b, False)
            if _rounded_part(a)[0] is not None and not strict:
                return self.bounded(self.read(b), a, True)
        if op in ("<=", "<"):
            return [at_least(y - int(op == "<"), x) for x in self.bounds(a, "max") for y in self.bounds(b, "min")]
        if op in (">=", ">"):
            return self.compare("<=" if op == ">=" else "<", b, a)
        raise not_understood(f"the relation {op} is not understood here", a)

    def bounded(self, here: Affine, node: n.Node, low: bool) -> list[Constraint]:
        """here >= node, or here <= node; a rounded quotient as a bound needs no division: i <= floor(a/b)
        says b i <= a."""
        found: list[Constraint] = []
        for bound in self.several(node, "max" if low else "min"):
            rounded, rest = _rounded_part(bound)
            if rounded is None:
                found.append(at_least(here, self.read(bound)) if low else at_least(self.read(bound), here))
                continue
            quotient = rounded.body
            assert isinstance(quotient, n.Quotient)
            above, below = self.read(quotient.above), self.read(quotient.below)
            moved = (here - sum((self.read(r) for r in rest), Affine())) * below
            slack = below - 1 if rounded.up != low else Affine()
            found.append(at_least(moved + slack, above) if low else at_least(above + slack, moved))
        return found

    def several(self, node: n.Node, allowed: str) -> list[n.Node]:
        """One bound, or the several of a max or min; none for infinity."""
        if isinstance(node, n.Name | n.Scripted) and key(node) in self.scope.expansions \
                and key(node) not in self.names and key(node) not in self.scope.settings:
            inner = self.scope.expansions.pop(key(node))
            try:
                return self.several(inner, allowed)
            finally:
                self.scope.expansions[key(node)] = inner
        if is_infinite(node):
            return []
        if isinstance(node, n.Call) and key(node.head) in ("max", "min"):
            if key(node.head) != allowed:
                raise not_understood(f"a {key(node.head)} bounds from the wrong side", node)
            return list(node.arguments[0].entries if isinstance(node.arguments[0], n.Items) else node.arguments)
        return [node]

    def bounds(self, node: n.Node, allowed: str) -> list[Affine]:
        return [self.read(a) for a in self.several(node, allowed)]

    def membership(self, a: n.Node, within: n.Node) -> list[Constraint]:
        if isinstance(within, n.Items):
            return self.range_list(a, within)
        if isinstance(within, n.Bracketed) and isinstance(within.body, n.Items):
            return self.range_list(a, within.body)
        if is_line(within) is not None:
            return []
        raise not_understood(f"the set {key(within)} is not understood", within)

    def range_list(self, a: n.Node, b: n.Node) -> list[Constraint]:
        """i = 1, ..., n: from the first entry to the last, for each index on the left."""
        names = a.entries if isinstance(a, n.Items) else (a,)
        values = b.entries if isinstance(b, n.Items) else (b,)
        if any(isinstance(v, n.Dots) for v in values):
            ends = [v for v in values if not isinstance(v, n.Dots)]
            last = ends[-1] if len(ends) > 1 else n.Name("infinity")
            return [c for e in map(self.read, names)
                    for c in (*self.bounded(e, ends[0], True), *self.bounded(e, last, False))]
        if len(values) == 2 and isinstance(b, n.Items) and b.bracket == "[":
            low, high = self.read(values[0]), self.read(values[1])
            return [c for e in map(self.read, names) for c in (at_least(e, low), at_least(high, e))]
        if len(values) > 1 and all(isinstance(v, n.Number) for v in values):
            numbers = [self.read(v).constant for v in values]
            if numbers == list(range(numbers[0], numbers[0] + len(numbers))):
                return [c for e in map(self.read, names) for c in (at_least(e, numbers[0]), at_least(numbers[-1], e))]
        raise not_understood("this list of values is not understood", b)


def _modulo(node: n.Node) -> tuple[n.Node, n.Node] | None:
    """t and s of j = t (mod s)."""
    if isinstance(node, n.Operation) and node.operator == "mod":
        return node.left, node.right
    if isinstance(node, n.Call) and len(node.arguments) == 1 and isinstance(inner := node.arguments[0], n.Product) \
            and key(inner.factors[0]) == "mod" and len(inner.factors) == 2:
        return node.head, inner.factors[1]
    return None


def _is_bound(node: n.Node) -> bool:
    return is_infinite(node) or (isinstance(node, n.Call) and key(node.head) in ("max", "min"))


def _rounded_part(node: n.Node) -> tuple[n.Rounded | None, list[n.Node]]:
    """floor(a/b) + c, taken apart."""
    if isinstance(node, n.Bracketed):
        return _rounded_part(node.body)
    if isinstance(node, n.Rounded):
        body = node.body.body if isinstance(node.body, n.Bracketed) else node.body
        if isinstance(body, n.Quotient):
            return replace(node, body=body), []
        if isinstance(body, n.Add):  # floor(a/b + c) = floor(a/b) + c
            quotients = [t for t in body.terms if isinstance(t.node, n.Quotient) and not t.negative]
            if len(quotients) == 1:
                return replace(node, body=quotients[0].node), [t for t in body.terms if t is not quotients[0]]
    if isinstance(node, n.Add):
        parts = [(t, *_rounded_part(t.node)) for t in node.terms]
        found = [(t, r, rest) for t, r, rest in parts if r is not None and not t.negative]
        if len(found) == 1 and sum(r is not None for _, r, _ in parts) == 1:
            t, rounded, rest = found[0]
            return rounded, [*rest, *(x for x in node.terms if x is not t)]
    return None, []


def is_infinite(node: n.Node | None) -> bool:
    """Does it stand for infinity, with any sign?"""
    if isinstance(node, n.Chain):
        return is_infinite(node.items[-1])
    if isinstance(node, n.Signed | n.Add):
        inner = node.node if isinstance(node, n.Signed) else node.terms[0].node if len(node.terms) == 1 else None
        return is_infinite(inner)
    return isinstance(node, n.Name) and node.text in LINE_WORDS


def is_line(node: n.Node | None) -> int | None:
    """The dimension of Z^d, R^d, N as a set of all integers or reals (0 when it is a letter); None for other sets."""
    power: n.Node | None = None
    base = node
    if isinstance(node, n.Scripted) and len(node.above) == 1:
        base, power = node.base, node.above[0]
    if isinstance(base, n.Name) and base.text in ("Z", "R", "ℤ", "ℝ", "N", "ℕ") and (base.style == "blackboard"
                                                                                 or not is_word(base)):
        if isinstance(power, n.Number):
            return int(power.value)
        return 1 if power is None else 0
    return None
