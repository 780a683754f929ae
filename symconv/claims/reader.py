"""From what is written to what it denotes: expressions over arrays, in the author's coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from symconv.affine import Affine, at_least
from symconv.claims import whole
from symconv.claims.continuous import derivative, derivative_by
from symconv.claims.ellipsis import continued
from symconv.claims.functions import apply
from symconv.claims.gradients import differential
from symconv.claims.indexing import Indexing, Side, is_infinite, is_line, not_understood
from symconv.claims.letters import index_names
from symconv.claims.raw import ONE, Factor, Raw, Sum, Value, fresh, multiply, scale
from symconv.claims.scope import GRADIENT, Scope, gradient_of
from symconv.claims.sums import opened
from symconv.claims.words import LOSSES, ROTATIONS, base_of, is_function, is_transpose, is_word, key, names_in
from symconv.errors import NotationError
from symconv.notation import nodes as n

INDICES = frozenset("ijlmtuvxyzabcqe")  # letters that are hardly ever sizes
SCALARS = frozenset("eta alpha beta gamma lambda mu epsilon varepsilon".split())
PLAIN = ("times", "cdot")
STARS = ("*", "ast", "star", "circledast", "otimes")


@dataclass(frozen=True, slots=True)
class Reference:
    """A written array or scalar: its name with labels, its index entries, and what else stands on it."""

    name: str
    entries: tuple[n.Node, ...]
    primes: int = 0
    power: int = 1
    transposed: bool = False
    indexed: bool = False


@dataclass
class Reader:
    """Reads one formula.

    Args:
        names: the free indices (and, inside sums, the bound ones), author's name to internal one.
        choice: which of the two signs a plus-minus stands for, 1 or -1.
        undeclared: names that stand where an index should and are none: (name, offset).
        guess: ranks of arrays met for the first time without indices.
        elements: every element read so far.
    """

    scope: Scope
    names: dict[str, Affine] = field(default_factory=dict)
    choice: int = 1
    undeclared: list[tuple[str, int]] = field(default_factory=list)
    guess: int | None = None
    variables: set[str] = field(default_factory=set)
    elements: list[Factor] = field(default_factory=list)

    def terms(self, node: n.Node) -> Sum:
        value = self.value(node)
        if value.rank:
            raise not_understood("a whole array stands where a number should", node)
        return value.terms

    def value(self, node: n.Node) -> Value:
        """What the expression denotes.

        Raises:
            NotationError: it has no meaning here.
        """
        match node:
            case n.Number():
                return Value.scalar(scale(ONE, Fraction(node.value)))
            case n.Name() | n.Scripted() | n.Call():
                return self.named(node)
            case n.Bracketed(body=n.Chain() as condition):
                return self.iverson(condition)
            case n.Iverson():
                return self.iverson(node.condition)
            case n.Bracketed():
                return self.value(node.body)
            case n.Product():
                return self.product(node.factors)
            case n.Add():
                if any(isinstance(t.node, n.Dots) for t in node.terms):
                    return Value.scalar(continued(self, node))
                return whole.add([self.signed(t) for t in node.terms])
            case n.Signed():
                return self.signed(node)
            case n.Quotient():
                return self.quotient(node)
            case n.Sum():
                return self.sum(node)
            case n.Partial():
                return self.partial(node)
            case n.Operation():
                return self.operation(node)
            case n.Cases():
                return self.cases(node)
            case n.Matrix():
                return whole.matrix([[self.value(e) for e in row] for row in node.rows])
            case n.Integral():
                return self.integral(node)
        raise not_understood(f"a {type(node).__name__.lower()} is not understood here", node)

    def inner(self, names: Mapping[str, Affine]) -> Reader:
        return replace(self, names={**self.names, **names})

    def indexing(self) -> Indexing:
        return Indexing(self.scope, self.names, Side(), self.choice)

    # -- names

    def named(self, node: n.Node) -> Value:
        if isinstance(node, n.Call):
            special = self.special(node)
            if special is not None:
                return special
        elif isinstance(node, n.Scripted) and not isinstance(base_of(node), n.Name):
            return self.scripted(node)
        ref = self.reference(node)
        value = self.referred(ref, node)
        if ref.transposed:
            value = whole.transposed(value)
        if ref.power != 1 and value.rank:
            raise not_understood("a power of a whole array", node)
        powered = value
        for _ in range(ref.power - 1):
            powered = whole.product(powered, value)
        return powered

    def scripted(self, node: n.Scripted) -> Value:
        """Scripts on an expression: (dL/dX)_{i,j}, (A B)^T, (W x)_i."""
        indexing = self.indexing()
        entries = indexing.entries(node.below, None)
        value = replace(self, guess=len(entries) or self.guess).value(node.base)
        if any(map(is_transpose, node.above)):
            value = whole.transposed(value)
        elif len(node.above) == 1 and isinstance(node.above[0], n.Number) and not value.rank and not entries:
            terms = value.terms
            for _ in range(int(node.above[0].value) - 1):
                value = whole.product(value, Value.scalar(terms))
            return value
        for _ in range(node.primes):
            value = derivative(value)
        if node.above and not any(map(is_transpose, node.above)):
            raise not_understood("a superscript on an expression is not understood", node)
        return self.at(value, n.Call(node.base, tuple(entries))) if entries else value

    def referred(self, ref: Reference, node: n.Node) -> Value:
        if ref.name in self.names and not ref.indexed:
            raise not_understood(f"the index {ref.name} is used as a number", node)
        name = self.scope.resolve(ref.name)
        if not ref.indexed:
            return self.unindexed(name, ref, node)
        if len(ref.entries) > 1 or not isinstance(ref.entries[0], n.Product | n.Number):
            self.scope.other_arity(name, len(ref.entries))
        array = self.scope.array(name)
        rank = len(array.axes) if array else None
        indexing = self.indexing()
        entries = indexing.entries(ref.entries, rank)
        if rank is not None and len(entries) != rank:
            return self.partial_index(name, entries, rank, node)
        at = tuple(self.index(e, indexing, array is not None) for e in entries)
        side = indexing.side
        self.elements.append(Factor(name, at))
        return Value.scalar((Raw((Factor(name, at),), tuple(side.indices), tuple(side.constraints)),))

    def partial_index(self, name: str, entries: list[n.Node], rank: int, node: n.Node) -> Value:
        """W_i of a matrix is its row i; anything else has the wrong number of indices."""
        if not entries or len(entries) > rank:
            raise not_understood(f"{name} has {rank} axes and is indexed with {len(entries)}", node)
        indexing = self.indexing()
        first = tuple(self.index(e, indexing, True) for e in entries)
        side = indexing.side
        return Value(rank - len(entries), lambda rest: (
            Raw((Factor(name, (*first, *rest)),), tuple(side.indices), tuple(side.constraints)),))

    def index(self, node: n.Node, indexing: Indexing, known: bool) -> Affine:
        """One index entry; a letter nobody declared is remembered."""
        for name in index_names(node):
            word = key(name)
            if word in self.names or word in self.scope.sizes or word in self.scope.settings:
                continue
            if word in INDICES or (known and isinstance(node, n.Name)):
                self.undeclared.append((word, names_in(name)[0].at))
        before = set(self.scope.sizes)
        found = indexing.read(node)
        self.scope.offsets |= {v for v in self.scope.sizes - before if found.is_linear_in(v)}
        return found

    def unindexed(self, name: str, ref: Reference, node: n.Node) -> Value:
        name = self.scope.known_as(name)
        if self.guess:
            self.scope.other_arity(name, self.guess)
        array = self.scope.array(name)
        rank = len(array.axes) if array else self.rank_of(node)
        if array is None and rank:
            self.scope.ranks[name] = rank
        if not rank:
            return Value.scalar((Raw((Factor(name),)),))
        box = tuple((a.low, a.last) if a.last is not None else None for a in array.axes) if array else ()
        return Value(rank, lambda i: (Raw((Factor(name, i),)),), array=name, box=box, row=name in self.scope.rows)

    def rank_of(self, node: n.Node) -> int:
        """The rank of an array met without indices: from context, else matrices are upper-case."""
        name = key(node)
        inner = self.scope.resolve(name).removeprefix(GRADIENT)
        if inner in self.scope.ranks:
            return self.scope.ranks[inner]
        if self.guess is None or name in self.scope.sizes or name in SCALARS:
            return 0
        if self.guess:
            return self.guess
        letter = names_in(node)[0].text if names_in(node) else ""
        return 2 if letter[:1].isupper() else 1

    def reference(self, node: n.Node) -> Reference:
        """Take a name apart into what it is called and where it is read."""
        if isinstance(node, n.Name):
            return Reference(key(node), ())
        if isinstance(node, n.Bracketed):
            return self.reference(node.body)
        if isinstance(node, n.Call):
            inner = self.reference(node.head)
            self.scope.called.add(inner.name)
            return replace(inner, entries=(*inner.entries, *node.arguments), indexed=True)
        if not isinstance(node, n.Scripted):
            raise not_understood("this cannot be indexed", node)
        labels, extra, power, transposed = self.superscripts(node)
        name = key(node.base) + ("^" + ",".join(labels) if labels else "")
        below, words = self.subscripts(node, name)
        if words:
            name += "_" + ",".join(words)
        indexed = bool(below or extra)
        if isinstance(node.base, n.Call | n.Scripted):
            inner = self.reference(node.base)
            return replace(inner, entries=(*inner.entries, *below, *extra), indexed=inner.indexed or indexed,
                           primes=node.primes, power=power, transposed=transposed)
        return Reference(name + "'" * node.primes, (*extra, *below), node.primes, power, transposed, indexed)

    def superscripts(self, node: n.Scripted) -> tuple[list[str], list[n.Node], int, bool]:
        """Labels, indices, a power, a transposition."""
        labels, extra, power, transposed = [], [], 1, False
        for entry in node.above:
            if is_transpose(entry):
                transposed = True
            elif key(entry) in self.names:
                extra.append(entry)
            elif isinstance(entry, n.Number) and not node.grouped and entry.value == int(entry.value) \
                    and 2 <= entry.value <= 4 and f"{key(node.base)}^{entry.value}" not in self.scope.arrays:
                power = int(entry.value)
            else:
                labels.append(key(entry))
        return labels, extra, power, transposed

    def subscripts(self, node: n.Scripted, name: str) -> tuple[list[n.Node], list[str]]:
        """Index entries, and words that are part of the name."""
        resolved = self.scope.resolve(name)
        known = self.scope.array(resolved)
        numbered = all(isinstance(b, n.Number) or is_word(b) for b in node.below)
        if self.guess and numbered and (known is None or not known.finite):
            return [], [key(b) for b in node.below]
        if known is not None or self.scope.ranks.get(resolved):
            return list(node.below), []
        if not node.below:
            return [], []
        labelled = [key(b) for b in node.below]
        if self.scope.array(f"{name}_{','.join(labelled)}") is not None:
            return [], labelled
        if any(is_word(b) for b in node.below):
            return [b for b in node.below if not is_word(b)], [key(b) for b in node.below if is_word(b)]
        if self.guess is not None and known is None and numbered:
            return [], labelled
        if any(key(x) in self.names for b in node.below for x in names_in(b)) or all(
                isinstance(b, n.Number) for b in node.below) and f"{name}_{labelled[0]}" not in self.scope.sizes:
            return list(node.below), []
        if f"{name}_{','.join(labelled)}" in self.scope.sizes or self.guess is not None:
            return [], labelled
        return list(node.below), []

    # -- calls

    def special(self, node: n.Call) -> Value | None:
        """Calls that are no plain indexing: operators at an index, rotations, functions, products."""
        head = node.head
        if isinstance(head, n.Bracketed) and not isinstance(head.body, n.Name | n.Scripted | n.Call):
            return self.at(replace(self, guess=len(node.arguments)).value(head.body), node)
        if isinstance(head, n.Partial):
            return self.at(self.derived(head, len(node.arguments)), node)
        if isinstance(head, n.Call) or (isinstance(head, n.Scripted) and isinstance(head.base, n.Call | n.Bracketed)):
            inner = head if isinstance(head, n.Call) else head.base
            if isinstance(inner, n.Call) and self.special(inner) is not None:
                return self.at(self.value(head), node)
        word = key(head.base if isinstance(head, n.Scripted) else head).lower().replace(" ", "")
        if key(head) in self.scope.unary:
            return self.scope.unary[key(head)].apply(self.value(_only(node)))
        if word in ROTATIONS or word.startswith("rot"):
            return whole.rotated(self.value(_only(node)))
        if word in ("transpose", "t") and len(node.arguments) == 1 and self.scope.array(key(head)) is None:
            return whole.transposed(self.value(_only(node)))
        if word == "inner" and len(node.arguments) == 2:
            return whole.inner(*(self.value(a) for a in node.arguments))
        if word in ("pad", "padding", "zeropad"):
            amount = head.below[0] if isinstance(head, n.Scripted) and head.below else node.arguments[-1]
            if len(node.arguments) + (isinstance(head, n.Scripted) and bool(head.below)) == 2:
                return whole.padded(self.value(node.arguments[0]), self.indexing().read(amount))
        if word in ("conv", "conv1d", "conv2d", "conv2", "convolve", "convolution", "corr", "xcorr") and len(node.arguments) == 2:
            a, b = node.arguments
            label = self.scope.stars.get(word, "correlation" if "corr" in word else "")
            reader = replace(self, guess=self.guess or (2 if word.endswith(("2", "2d")) else 1))
            return reader.star(n.Operation("star" if "corr" in label else "*", a, b, label))
        return self.applied(node)

    def applied(self, node: n.Call) -> Value | None:
        """sigma(z_i): a function of an expression; w(i, j) is an element; K(a + b) may be a product."""
        ref = self.reference(node.head)
        name = self.scope.resolve(ref.name)
        if self.scope.array(name) is not None or ref.indexed and node.bracket == "[":
            return None
        if node.bracket == "(" and not ref.indexed and not is_function(name) and name not in self.scope.functions \
                and len(node.arguments) == 1 and isinstance(node.arguments[0], n.Operation | n.Add) \
                and self.guess is not None:
            return whole.product(Value.scalar((Raw((Factor(name),)),)), self.value(node.arguments[0]))
        if is_function(key(node.head)) or name in self.scope.functions or not self.index_like(node):
            if len(node.arguments) != 1:
                raise not_understood("a function of several arguments is not understood", node)
            if is_function(key(node.head)) or name in self.scope.functions or node.bracket == "(":
                return apply(self.scope, self.value(node.arguments[0]), key(node.head), self.names)
        if name in self.scope.sizes or (ref.indexed and node.bracket == "("):
            return whole.product(self.value(node.head), self.value(_only(node)))
        return None

    def index_like(self, node: n.Call) -> bool:
        """Do all arguments read as indices: letters that are bound, free or sizes?"""
        if any(isinstance(x, n.Scripted) and any(key(b) in self.names for e in x.below for b in index_names(e))
               for a in node.arguments for x in index_names(a)):
            return False
        if not all(key(x) in self.names or key(x) in self.scope.sizes or self.scope.array(key(x)) is None
                   for a in node.arguments for x in names_in(a)):
            return False
        try:
            for a in node.arguments:
                Indexing(self.scope_copy(), self.names, choice=self.choice).read(a)
        except NotationError:
            return False
        return True

    def scope_copy(self) -> Scope:
        return replace(self.scope, sizes=set(self.scope.sizes))

    def at(self, value: Value, node: n.Call) -> Value:
        indexing = self.indexing()
        entries = indexing.entries(node.arguments, value.rank or None)
        at = tuple(indexing.read(e) for e in entries)
        if len(at) != value.rank:
            if value.array == "" and value.rank == 1 and len(at) > 1:
                raise not_understood(f"an expression with one axis is indexed with {len(at)}", node)
            raise not_understood(f"an expression with {value.rank} axes is indexed with {len(at)}", node)
        side = indexing.side
        return Value.scalar(tuple(t.over(side.indices, side.constraints) for t in value.at(at)))

    # -- arithmetic

    def signed(self, t: n.Signed) -> Value:
        value = self.value(t.node)
        negative = (t.choice * self.choice < 0) if t.choice else t.negative
        return replace(value, at=lambda i: scale(value.at(i), -1), array="") if negative else value

    def product(self, factors: tuple[n.Node, ...]) -> Value:
        """Factors from left to right; an operator acts on everything to its right, and a letter nobody
        knows in front of a column is a number."""
        first, rest = factors[0], factors[1:]
        if rest and isinstance(first, n.Name | n.Scripted) and key(first) in self.scope.unary:
            return self.scope.unary[key(first)].apply(self.product(rest))
        value = self.value(first)
        if not rest:
            return value
        others = self.product(rest)
        if value.rank == others.rank == 1 and not value.row and not others.row and isinstance(first, n.Name) \
                and self.scope.array(self.scope.resolve(key(first))) is None:
            value = Value.scalar((Raw((Factor(key(first)),)),))
        return whole.product(value, others)

    def quotient(self, node: n.Quotient) -> Value:
        above = self.value(node.above)
        if isinstance(node.below, n.Add | n.Bracketed | n.Product | n.Operation):
            by = self.reciprocal(node.below)
            if by is not None:
                return replace(above, at=lambda i: multiply(by, above.at(i)), array="")
        below = self.terms(node.below)
        if len(below) != 1 or below[0].indices or below[0].constraints:
            raise not_understood("a quotient by a sum is not understood here", node)
        factors = tuple(replace(f, name=f.name.removeprefix("1/") if f.name.startswith("1/") else f"1/{f.name}")
                        for f in below[0].factors)
        if any(f.indices or f.function for f in below[0].factors) or not below[0].coefficient:
            raise not_understood("a quotient by an array is not understood", node)
        by = (Raw(factors, coefficient=1 / below[0].coefficient),)
        return replace(above, at=lambda i: multiply(by, above.at(i)), array="")

    def reciprocal(self, below: n.Node) -> Sum | None:
        """One over an expression in sizes, such as 1/(n - k + 1), as one scalar."""
        if not all(key(x) in self.scope.sizes for x in index_names(below)):
            return None
        size = self.indexing().read(below)
        if size.is_constant:
            return (Raw(coefficient=Fraction(1, size.constant)),) if size.constant else None
        name = f"1/({size})"
        self.scope.quotients[name] = size
        return (Raw((Factor(name),)),)

    def iverson(self, condition: n.Node) -> Value:
        indexing = self.indexing()
        found = tuple(indexing.condition(condition))
        return Value.scalar((Raw((), tuple(indexing.side.indices), (*indexing.side.constraints, *found)),))

    def cases(self, node: n.Cases) -> Value:
        """Branches whose conditions are taken one by one; "otherwise" only where it gives zero."""
        found: list[Raw] = []
        for value, condition in node.branches:
            if isinstance(value, n.Number) and value.value == 0:
                continue
            if condition is None:
                raise not_understood("an 'otherwise' that is not zero", value)
            indexing = self.indexing()
            where = indexing.condition(condition)
            side = indexing.side
            found += (t.over(side.indices, (*side.constraints, *where)) for t in self.terms(value))
        return Value.scalar(tuple(found))

    # -- sums

    def sum(self, node: n.Sum) -> Value:
        names: dict[str, Affine] = {}
        stated: list[str] = []
        line: list[str] = []
        ranges, conditions = opened(node, self.scope, {*self.names, *self.scope.sizes, *self.scope.settings})
        for r in ranges:
            inside = fresh(key(r.index))
            names[key(r.index)] = Affine.of(inside)
            if r.low is not None and not (is_infinite(r.low) or is_infinite(r.high)):
                stated.append(inside)
            if (r.low is not None and is_infinite(r.low)) or (r.within is not None and is_line(r.within) is not None):
                line.append(inside)
        reader = self.inner(names)
        indexing = reader.indexing()
        limits = []
        for r in ranges:
            limits += self.limits(indexing, r)
        for condition in conditions:
            limits += indexing.condition(condition)
        side = indexing.side
        body = reader.value(node.body)
        bound = [*(e.items[0][0][0] for e in names.values()), *side.indices]
        return replace(body, array="", at=lambda i: tuple(
            t.over(bound, (*side.constraints, *limits), stated, line) for t in body.at(i)))

    def limits(self, indexing: Indexing, r: n.Range) -> list[Constraint]:
        here = indexing.names[key(r.index)]
        for end in (r.low, r.high):
            self.scope.offsets -= {key(x) for x in index_names(end)} if end is not None else set()
        low = indexing.bounded(here, r.low, True) if r.low is not None else []
        high = indexing.bounded(here, r.high, False) if r.high is not None else []
        if r.within is not None and is_line(r.within) is None:
            return [*low, *high, *indexing.membership(r.index, r.within)]
        return [*low, *high]

    def integral(self, node: n.Integral) -> Value:
        """Over all of R^d: substitutions by +-1 work as they do for sums over all integers."""
        whole_line = (node.within is not None and is_line(node.within) is not None) or (
            (node.low is None or is_infinite(node.low)) and (node.high is None or is_infinite(node.high)))
        if not whole_line:
            raise not_understood("an integral over part of the line is not understood", node)
        self.scope.note("integral")
        names = {key(v): Affine.of(fresh(key(v))) for v in node.variables}
        body = self.inner(names).value(node.body)
        bound = [e.items[0][0][0] for e in names.values()]
        if not body.rank:
            self.scope.continuous |= {f.name.rstrip("'") for t in body.terms for f in t.factors}
        return replace(body, array="", at=lambda i: tuple(t.over(bound, (), (), bound) for t in body.at(i)))

    # -- operators and derivatives

    def operation(self, node: n.Operation) -> Value:
        if node.operator in PLAIN:
            return whole.product(self.value(node.left), self.value(node.right))
        if node.operator in ("odot", "circ"):
            return whole.elementwise(self.value(node.left), self.value(node.right))
        if node.operator not in STARS:
            raise not_understood(f"the operator {node.operator} is not understood here", node)
        return self.star(node)

    def star(self, node: n.Operation) -> Value:
        """A convolution of whole arrays, or multiplication between numbers."""
        from symconv.claims.stars import canonical, meaning_of, named

        reader = replace(self, guess=self.guess or self.scope.usual_rank)
        left, right = reader.value(node.left), reader.value(node.right)
        if left.rank != right.rank and left.rank and right.rank:
            raise not_understood("the operands have different numbers of axes", node)
        template = self.scope.templates.get((named(node), left.rank))
        if template is not None and template.serves(left, right):
            return template.apply(left, right)
        meaning, mode = meaning_of(self.scope, node)
        if meaning != "product" and not left.rank and not right.rank and self.scope.stars.get(canonical(node.operator)):
            lifted = self.sequences(left, right)
            if lifted is not None:
                a, b, letter = lifted
                return Value.scalar(whole.convolved(a, b, meaning, mode, 0).at((Affine.of(letter),)))
        if meaning == "product" or not left.rank or not right.rank:
            return whole.product(left, right)
        sizes = {v for side in (left, right) for ends in side.box if ends for e in ends for v in e.names}
        sizes |= {v for c in self.scope.facts for v in c.expression.names}
        return whole.convolved(left, right, meaning, mode, self.scope.base or 0, self.scope.context(sizes),
                               self.scope.kernel_last if self.scope.kernel_last is not None else
                               self.guess == 0 or any(d.letters for d in self.scope.definitions.values()))

    def sequences(self, left: Value, right: Value) -> tuple[Value, Value, str] | None:
        """x[n - a] * h[n] written with the index means the two as functions of n."""
        moving = [{v for t in side.terms for f in t.factors for e in f.indices for v in e.names if "~" in v}
                  for side in (left, right)]
        shared = moving[0] & moving[1] & {v for e in self.names.values() for v in e.names}
        if len(shared) != 1:
            return None
        letter = shared.pop()

        def along(side: Value) -> Value:
            return Value(1, lambda i: tuple(t.apart().substitute({letter: i[0]}) for t in side.terms))

        return along(left), along(right), letter

    def partial(self, node: n.Partial) -> Value:
        by = self.scope.resolve(key(node.by)) if isinstance(node.by, n.Name) else ""
        if by in self.names or by in self.variables:
            return self.derived(node, None)
        target = self.value(node.by)
        if self.is_loss(node.of):
            return self.renamed(target, node)
        at = self.element(target, node)
        of = self.value(node.of)
        return replace(of, array="", at=lambda i: differential(self.scope, of.at(i), at.name, at.indices))

    def renamed(self, target: Value, node: n.Partial) -> Value:
        """dL/dw_i: the gradient's element at the same place."""
        def at(i: tuple[Affine, ...]) -> Sum:
            return tuple(replace(t, factors=tuple(
                replace(f, name=gradient_of(f.name), function="") for f in t.factors)) for t in target.at(i))

        probe = target.at(tuple(Affine.of(f"?{k}") for k in range(target.rank)))
        if len(probe) != 1 or len(probe[0].factors) != 1 or probe[0].factors[0].name.startswith(GRADIENT):
            raise not_understood("a derivative by something that is no single element", node)
        return replace(target, at=at, array="")

    def element(self, target: Value, node: n.Partial) -> Factor:
        terms = target.terms if not target.rank else ()
        if len(terms) != 1 or len(terms[0].factors) != 1 or terms[0].indices:
            raise not_understood("a derivative by something that is no single element", node)
        return terms[0].factors[0]

    def is_loss(self, of: n.Node) -> bool:
        if isinstance(of, n.Call) and isinstance(of.head, n.Name) and self.scope.array(key(of.head)) is None \
                and (of.head.text in LOSSES or key(of.head) in self.scope.losses or self.whole_arguments(of)):
            return True
        name = key(of)
        array = self.scope.array(name)
        if name in self.scope.losses:
            return True
        if array is not None and array.axes or name in self.names:
            return False
        return isinstance(of, n.Name | n.Scripted) and names_in(of)[0].text in LOSSES or is_word(of)

    def whole_arguments(self, of: n.Call) -> bool:
        """f(Y): a function of whole arrays is a scalar of which derivatives are taken."""
        return all(isinstance(a, n.Name) and key(a) not in self.names for a in of.arguments)

    def derived(self, node: n.Partial, rank: int | None) -> Value:
        """d/dx of a function of x: every function contributes its derivative at its argument."""
        letter = self.names[key(node.by)].items[0][0][0] if key(node.by) in self.names else ""
        if rank is not None:
            name = key(node.of) + "'"
            self.scope.continuous.add(key(node.of))
            return Value(rank, lambda i: (Raw((Factor(name, i),)),))
        value = self.value(node.of)
        return replace(value, array="", at=lambda i: derivative_by(value.at(i), letter))


def _only(node: n.Call) -> n.Node:
    if len(node.arguments) != 1:
        raise not_understood("one argument was expected", node)
    return node.arguments[0]
