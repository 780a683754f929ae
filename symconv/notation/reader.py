"""The grammar of expressions: relations, sums, products, factors with their scripts and arguments.

One pass without going back. What macros and tables mean is in a table of rules that the reader
is given, one function for each name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from symconv.notation import nodes as n
from symconv.notation.lists import gather
from symconv.notation.place import shown
from symconv.notation.scripts import DEEPEST, STARTS, Scripts
from symconv.notation.shapes import base_of, called, product
from symconv.notation.tokens import Token
from symconv.notation.vocabulary import ACCENT_MACROS, CLOSES, FUNCTIONS, OPERATORS, STYLE_MACROS

MOST_OPERATORS, MOST_BRACKETS = 40, 12
SIGNS = frozenset(("+", "-", "pm", "mp"))
LETTERED = frozenset((*STYLE_MACROS, *ACCENT_MACROS, "style"))
INTERVALS = {("[", ")"): "[)", ("(", "]"): "(]"}
# Operators whose value is a function of an index, so that brackets after them hold arguments.
FUNCTIONAL = frozenset(OPERATORS) - {"times", "mod", "cup", "cap", "setminus"}

Rule = Callable[["Reader", Token], n.Node]
Attempt = Callable[["Reader"], n.Node | None]


@dataclass(kw_only=True)
class Reader(Scripts):
    """A place in the tokens of a formula, and the grammar from there on.

    Args:
        rules: what to do at a macro, or at the beginning of a table.
        ratio: reads what follows the d of dz/dw, or nothing if it is no such d.
        colons: is a colon a relation here?
    """

    rules: Mapping[str, Rule]
    ratio: Attempt
    colons: bool = True

    # Relations and sums

    def entries(self) -> tuple[n.Node, ...]:
        """Chains with commas between them, up to a closing bracket."""
        found: list[n.Node] = []
        while not self.ends():
            if self.accept("link"):
                continue
            found.append(self.chain())
            if not self.accept("comma") and not self.sees("link"):
                break
        return tuple(found)

    def ends(self) -> bool:
        """Is nothing left to read at this level?"""
        return self.peek.kind in ("close", "right", "eof", "row", "amp", "end", "soft", "stop")

    def chain(self) -> n.Node:
        """a, or a = b = c."""
        items, operators, _ = self.relations()
        return n.Chain(items, operators) if operators else items[0]

    def relations(self) -> tuple[tuple[n.Node, ...], tuple[str, ...], tuple[tuple[int, int], ...]]:
        """The items of a chain, the relations between them, and the offsets of the items."""
        items: list[n.Node] = []
        operators: list[str] = []
        places: list[tuple[int, int]] = []
        while True:
            start = self.peek.start
            slice_ = self.sees("relation", ":") and not items
            items.append(n.Name(":", at=start) if slice_ else self.operand())
            if slice_:
                self.at += 1
                return tuple(items), (), ((start, start + 1),)
            places.append((start, self.tokens[self.at - 1].end))
            if not self.relates() and not (self.sees("bar", "|") and not self.bars):
                return tuple(items), tuple(operators), tuple(places)
            operators.append("|" if self.peek.kind == "bar" else self.peek.text)
            self.at += 1

    def relates(self) -> bool:
        """Is there a relation here?"""
        return self.sees("relation") and (self.colons or self.peek.text != ":")

    def operand(self) -> n.Node:
        """A sum, or first ... last."""
        first = self.add()
        if not self.sees("dots") or isinstance(first, n.Dots):
            return first
        self.at += 1
        return n.Items((first, n.Dots(), self.add()) if self.starts() or self.sees("operator") else (first, n.Dots()))

    def add(self) -> n.Node:
        """Terms with signs between them."""
        terms = [self.term(self.sees("operator", *SIGNS))]
        while self.sees("operator", *SIGNS):
            terms.append(self.term(True))
        only = terms[0]
        return only.node if len(terms) == 1 and not only.negative and not only.choice else n.Add(tuple(terms))

    def term(self, signed: bool) -> n.Signed:
        """A product behind its signs."""
        negative, choice = False, 0
        while signed and self.sees("operator", *SIGNS):
            sign = self.next().text
            negative ^= sign == "-"
            choice = {"pm": 1, "mp": -1}.get(sign, choice)
        return n.Signed(negative and not choice, self.product(), choice)

    def signed(self) -> n.Node:
        """A product that may have a sign in front, where a sum would be too much."""
        term = self.term(True)
        return n.Add((term,)) if term.negative or term.choice else term.node

    # Products

    def product(self) -> n.Node:
        """Factors and the operators between them, grouped to the left."""
        factors: list[n.Node] = []
        start, operators = self.at, 0
        while True:
            token = self.peek
            if self.superscript and factors and token.text == "\\prime":
                self.primes += 1
                self.at += 1
            elif self.differential():
                break
            elif self.continues(not factors):
                factors.append(self.factor())
            elif token.kind == "operator" and token.text not in SIGNS and factors:
                self.at += 1
                operators += token.text != "cdot"
                if operators > MOST_OPERATORS:
                    raise self.wrong("too many operators in one product", self.tokens[start])
                factors = self.operation(token, factors)
            else:
                break
        if not factors:
            raise self.missing(self.peek)
        return product(factors)

    def continues(self, first: bool) -> bool:
        """Is one more factor here, or the first? A lone bar is none after another, nor are dots between values."""
        if self.sees("dots"):
            return first or self.peek.text == "cdots"
        return self.starts() and (first or self.at not in self.lone)

    def operation(self, token: Token, factors: list[n.Node]) -> list[n.Node]:
        """The factors after one more operator and its right side."""
        label = self.label() or token.label
        negative = self.accept("operator", "-")
        right = self.factor()
        if negative:
            right = n.Add((n.Signed(True, right),))
        if token.text == "cdot":
            factors.append(right)
            return factors
        if token.text == "/":
            return [n.Quotient(product(factors), right)]
        return [n.Operation(token.text, product(factors), right, label, token.start)]

    def label(self) -> str:
        """The word on an operator: *_{full}."""
        if not self.accept("script"):
            return ""
        inside = self.tokens[self.skip_argument():self.at]
        return "".join(t.text for t in inside if t.kind not in ("open", "close"))

    def starts(self) -> bool:
        """Can a factor begin here?"""
        token = self.peek
        return (token.kind in STARTS and token.label != "prose") or (token.kind == "bar" and not self.bars)

    def differential(self) -> bool:
        """Is this the d of an integral's dx?"""
        if not self.integrals or not self.sees("letter", "d"):
            return False
        after = self.look(1)
        return after.kind in ("letter", "open") or (after.kind == "macro" and after.text in LETTERED)

    def factor(self) -> n.Node:
        """Something with its scripts and arguments."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong("nested too deeply")
        node = self.postfix(self.primary())
        base = base_of(node)
        if isinstance(base, n.Name) and base.text in FUNCTIONS and not base.accent and self.starts():
            node = n.Call(node, (self.factor(),))
        self.depth -= 1
        return node

    def primary(self) -> n.Node:
        """A letter, a number, a bracket, or what a macro stands for."""
        token = self.next()
        if token.kind == "letter" and token.text == "d":
            ratio = self.ratio(self)
            if ratio is not None:
                return ratio
        if token.kind in ("letter", "word"):
            return n.Name(token.text, token.label, at=token.start)
        if token.kind == "number":
            if token.text.startswith("0") and token.text.isdigit() and len(token.text) > 1:
                return n.Product(tuple(n.Number(int(c)) for c in token.text))  # w_{00}: digits, not a number
            value = Fraction(token.text)
            whole = value.denominator == 1
            return n.Number(int(value)) if whole else n.Quotient(n.Number(value.numerator), n.Number(value.denominator))
        if token.kind == "dots":
            return n.Dots()
        if token.kind == "open":
            return self.group(token)
        if token.kind in ("left", "bar"):
            return self.bracketed(token)
        name = token.text if token.kind == "macro" else "cases" if token.text == "cases" else "matrix"
        if token.kind in ("macro", "begin") and name in self.rules:
            return self.rules[name](self, token)
        if token.kind == "macro":
            raise self.wrong(f"\\{token.text} is not known", token)
        raise self.missing(token)

    # Brackets

    def enclosed(self) -> tuple[n.Node, ...]:
        """Entries inside brackets, where bars and integrals begin anew."""
        outer = self.bars, self.integrals, self.superscript
        self.bars, self.integrals, self.superscript = 0, 0, False
        found = self.entries()
        self.bars, self.integrals, self.superscript = outer
        return found

    def group(self, token: Token) -> n.Node:
        """What stands between braces."""
        found = self.enclosed()
        self.expect("close")
        if not found:
            raise self.wrong("nothing between braces", token)
        return found[0] if len(found) == 1 else n.Items(found)

    def bracketed(self, token: Token) -> n.Node:
        """What stands in brackets of any kind, the opening one read."""
        text = token.text
        if token.kind == "bar":
            self.bars += 1
            body = self.add()
            self.bars -= 1
            self.expect("bar", text)
            return n.Call(n.Name("norm" if text == "||" else "abs"), (body,))
        found = self.enclosed()
        if not self.sees("right") or ((text, self.peek.text) not in INTERVALS and self.peek.text != CLOSES[text]):
            raise self.wrong(f"{shown('left', text)} is not closed", token)
        bracket = INTERVALS.get((text, self.next().text), text)
        if text in ("|", "||", "<"):
            return n.Call(n.Name({"|": "abs", "||": "norm", "<": "inner"}[text]), found)
        if len(found) == 1:
            only = found[0]
            if text in ("floor", "ceil"):
                return n.Rounded(only, text == "ceil")
            if isinstance(only, n.Matrix) and not only.bracket:
                return n.Matrix(only.rows, bracket)
            if isinstance(only, n.Items) and not only.bracket:
                return n.Items(only.entries, bracket)
            return n.Iverson(only) if text == "[" and isinstance(only, n.Chain) else n.Bracketed(only, bracket)
        if text in ("floor", "ceil"):
            raise self.wrong("a floor or ceiling of several entries", token)
        return n.Items(gather(found), bracket)

    # Arguments

    def postfix(self, node: n.Node) -> n.Node:
        """Scripts, primes and arguments after a factor."""
        for _ in range(2 * MOST_BRACKETS):
            if self.scripted():
                node = self.scripts(node)
            elif self.sees("left") and self.calls(node):
                token = self.next()
                arguments = self.enclosed()
                if not self.sees("right", CLOSES[token.text]):
                    raise self.wrong(f"{shown('left', token.text)} is not closed", token)
                self.at += 1
                again = isinstance(node, n.Call) and node.bracket == token.text == "["
                node = n.Call(node.head, node.arguments + arguments, "[") if again and isinstance(node, n.Call) \
                    else called(node, arguments, token.text)
            else:
                return node
        raise self.wrong("too many brackets and scripts on one factor")

    def calls(self, node: n.Node) -> bool:
        """Do the brackets here hold arguments of this node?"""
        bracket, base = self.peek.text, base_of(node)
        if bracket not in ("(", "[", "{"):
            return False
        if isinstance(base, n.Name):
            word = len(base.text) > 1 and (base.style in ("rm", "text", "it", "tt") or base.text in FUNCTIONS)
            if bracket == "{":
                return word or base.style == "cal"
            return word or bracket == "(" or base.style == "blackboard" or not self.states()
        if isinstance(base, n.Bracketed):
            functional = isinstance(base.body, n.Operation) and base.body.operator in FUNCTIONAL
            return bracket != "{" and (functional or (bracket == "[") != (base.bracket == "["))
        if isinstance(base, n.Call):
            return bracket == "[" and not self.states() and not self.sums()
        return isinstance(base, n.Partial) and bracket == "("

    def sums(self) -> bool:
        """Does a sum stand first in the brackets here, as in u(m) [sum_n v(n) x(n)]?"""
        token = self.tokens[self.at + 1]
        return token.kind == "macro" and token.text in ("sum", "int")

    def states(self) -> bool:
        """Is there a relation in the brackets here, as in [i = j]?"""
        end = self.match.get(self.at, self.at)
        at = self.at + 1
        while at < end:
            if self.tokens[at].kind == "relation" and self.tokens[at].text != ":":
                return True
            at = self.match.get(at, at) + 1
        return False
