"""Subscripts, superscripts and primes, and the arguments of macros."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from symconv.notation import nodes as n
from symconv.notation.lists import gather
from symconv.notation.place import Place
from symconv.notation.shapes import body_of
from symconv.notation.tokens import Token

DEEPEST = 32
STARTS = frozenset(("letter", "number", "word", "left", "open", "begin", "macro"))


@dataclass(kw_only=True)
class Scripts(Place, ABC):
    """Reads what stands below and above a factor, given how to read entries and single signs."""

    @abstractmethod
    def entries(self) -> tuple[n.Node, ...]:
        """Relations with commas between them, up to a closing bracket."""

    @abstractmethod
    def primary(self) -> n.Node:
        """One sign or group."""

    def scripted(self) -> bool:
        """Does a script follow? A \\prime inside a superscript belongs to what the superscript stands on."""
        return self.sees("script") or (self.sees("prime") and not (self.superscript and self.peek.text == "\\prime"))

    def scripts(self, node: n.Node) -> n.Node:
        """A node with all the scripts that follow it, in any order."""
        below: tuple[n.Node, ...] = ()
        above: tuple[n.Node, ...] = ()
        primes, grouped, bracket = 0, False, "("
        while self.scripted():
            token = self.next()
            if token.kind == "prime":
                primes += 1
            elif token.text == "_":
                below += self.script()
            elif above:
                raise self.wrong("two superscripts", token)
            else:
                hold, self.primes = self.primes, 0
                grouped, bracket = self.grouping()
                above = self.script(not grouped)
                primes, self.primes = primes + self.primes, hold
                if grouped and len(above) == 1:
                    inner = above[0]
                    above = inner.entries if isinstance(inner, n.Items) else (body_of(inner),)
        if not below and not above and not primes:
            return node
        return n.Scripted(node, below, above, primes, grouped, bracket)

    def grouping(self) -> tuple[bool, str]:
        """Does the superscript stand in brackets of its own?"""
        at = self.at + (self.peek.kind == "open")
        token = self.tokens[at]
        if token.kind != "left" or token.text not in "([" or at not in self.match:
            return False, "("
        whole = at == self.at or self.match.get(self.at) == self.match[at] + 1
        return whole, token.text if whole else "("

    def script(self, superscript: bool = False) -> tuple[n.Node, ...]:
        """The entries of one subscript or superscript."""
        token, group = self.peek, self.peek.kind == "open"
        inner = self.look(1) if group else token
        if inner.kind == "prime" and superscript:
            self.at += group
            while self.accept("prime"):
                self.primes += 1
            if group:
                self.expect("close")
            return ()
        if inner.kind == "operator" and (not group or self.look(2).kind == "close"):
            self.at += 3 if group else 1
            return () if inner.text == "circ" else (n.Name(inner.text, at=inner.start),)
        if not group:
            return (self.bare(token),)
        self.at += 1
        outer = self.bars, self.integrals, self.superscript
        self.bars, self.integrals, self.superscript = 0, 0, superscript
        found = self.entries()
        self.bars, self.integrals, self.superscript = outer
        self.expect("close")
        if not found:
            raise self.wrong("an empty script", token)
        return gather(found)

    def argument(self) -> n.Node:
        """An argument of a macro: a group, or one sign; of a number the first digit."""
        token = self.peek
        if token.kind == "number" and len(token.text) > 1 and token.text[0].isdigit() and token.text[1].isdigit():
            self.tokens[self.at] = replace(token, text=token.text[1:], start=token.start + 1)
            return n.Number(int(token.text[0]))
        return self.bare(token)

    def bare(self, token: Token) -> n.Node:
        """A script without braces: TeX takes one sign."""
        if token.kind == "number" and len(token.text) > 1:
            raise self.wrong(f"braces are missing around {token.text}: TeX takes one digit", token)
        if token.kind not in STARTS:
            raise self.wrong("a script is missing", token)
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.wrong("nested too deeply")
        node = self.primary()
        self.depth -= 1
        return node
