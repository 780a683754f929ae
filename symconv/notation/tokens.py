"""LaTeX to tokens that say what a sign does: letter, relation, operator, bracket, word.

pylatexenc finds the tokens of LaTeX and their places. Here macros, Unicode signs and ASCII
sequences that mean the same become the same token, and formatting disappears.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace

from symconv.errors import NotationError
from symconv.notation import vocabulary as v
from symconv.notation.raw import Raw, Source

MOST_CHARACTERS, DEEPEST = 20_000, 30
IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9]{0,40}(?:\\_[A-Za-z0-9]+)+")
NUMBER = re.compile(r"[0-9]+(?:(?:\{,\}[0-9]{3})+(?![0-9]))?(?:\.[0-9]+)?")
FOREIGN = re.compile(r"[^\W\d_A-Za-z\u0370-\u03ff\u2070-\u218f\U0001d400-\U0001d7ff\u1d00-\u1dff\u00aa-\u02ff]+")
SPELLED = re.compile(r"[A-Za-z]{3,12}[0-9]{0,3}[dD]?(?=\s*(?:\\left\s*)?\()|(?<=\{)[A-Za-z]{3,12}[0-9]{0,3}(?=\})")
SIGNS = re.compile(r"\.\.\.?|:=|<=|>=|!=|==|->|=>|<-(?=\s)")
SEQUENCES = (("number", NUMBER), ("word", IDENTIFIER), ("spelled", SPELLED), ("sign", SIGNS), ("word", FOREIGN))
TEXT_MACRO = re.compile(r"\\([A-Za-z]+|.)\*?(?:\{\})?|[{}~]", re.DOTALL)
SWITCHED = re.compile(r"[A-Za-z0-9]")
WORD = re.compile(r"(?:[A-Za-z0-9 .\-]|\\_)*")


@dataclass(frozen=True, slots=True)
class Token:
    """One sign of a formula.

    Args:
        kind: letter, number, word, relation, operator, left, right, bar, script, prime, comma, stop, dots,
            open, close, begin, end, amp, row, soft, link, tag, or macro for what the grammar knows by name.
        text: what it stands for, by the names of `nodes`.
        start, end: offsets in the LaTeX.
        label: a word on an operator, or the style of a letter or word.
    """

    kind: str
    text: str
    start: int
    end: int
    label: str = ""


def tokenise(latex: str) -> list[Token]:
    """The tokens of a formula.

    Raises:
        NotationError: a macro that is not known, braces that do not match, a formula too long.
    """
    if len(latex) > MOST_CHARACTERS:
        raise NotationError(f"longer than {MOST_CHARACTERS} characters", MOST_CHARACTERS)
    return Scanner(latex).tokens()


class Scanner(Source):
    """One pass over the LaTeX tokens of a formula."""

    def __init__(self, latex: str) -> None:
        super().__init__(latex)
        self.depth = 0
        self.sized = -1

    def tokens(self) -> list[Token]:
        """All tokens of the formula."""
        return self.scan(0, len(self.raw))

    def scan(self, at: int, stop: int) -> list[Token]:
        """The tokens of part of the formula."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise NotationError("nested too deeply", self.raw[at].start if at < stop else 0)
        found: list[Token] = []
        while at < stop:
            token = self.raw[at]
            if token.kind == "char":
                at = self.character(at, found)
            elif token.kind == "macro":
                at = self.macro(token.text, at, found)
            elif token.kind == "dollar":
                raise NotationError("a math delimiter inside the formula", token.start)
            else:
                found.append(Token(token.kind, token.text, token.start, token.end))
                at += 1
        self.depth -= 1
        return found

    def start(self, raw: Raw) -> int:
        """Where a sign begins: at the \\left in front of it, if there is one."""
        start, self.sized = self.sized if self.sized >= 0 else raw.start, -1
        return start

    # Characters

    def character(self, at: int, found: list[Token]) -> int:
        """One character, or the number, identifier or sign that starts with it."""
        raw = self.raw[at]
        for kind, pattern in SEQUENCES:
            hit = pattern.match(self.latex, raw.start)
            if hit and (kind != "spelled" or hit.group().lower() in v.SPELLED):
                self._sequence(kind, hit.group(), raw.start, hit.end(), found)
                return self.after(hit.end(), at)
        text = unicodedata.normalize("NFKC", raw.text) if raw.text not in v.UNICODE else raw.text
        for table, mark in ((v.SUBSCRIPTS, "_"), (v.SUPERSCRIPTS, "^")):
            if raw.text in table:
                return self._raised(at, table, mark, found)
        if len(text) == 1 and text in v.UNICODE:
            return self.macro(v.UNICODE[text], at, found)
        found += self._single(text, raw)
        return at + 1

    def _sequence(self, kind: str, text: str, start: int, end: int, found: list[Token]) -> None:
        if kind == "sign":
            name = "dots" if text[0] == "." else "relation"
            found.append(Token(name, text if text == "<-" else v.RELATION_SIGNS.get(text, text), start, end))
        elif kind == "word" and not text.isascii():
            found += self.words(text, start, end, "text", True)
        elif kind == "spelled":
            found.append(Token("word", text, start, end, "rm"))
        else:
            found.append(Token(kind, text.replace("{,}", "").replace("\\_", "_"), start, end))

    def _raised(self, at: int, table: dict[str, str], mark: str, found: list[Token]) -> int:
        """Unicode subscripts and superscripts in a row, as a group."""
        found += [Token("script", mark, self.raw[at].start, self.raw[at].start)]
        found += [Token("open", "{", self.raw[at].start, self.raw[at].start)]
        while at < len(self.raw) and self.raw[at].text in table:
            found += self._single(table[self.raw[at].text], self.raw[at])
            at += 1
        found.append(Token("close", "}", self.raw[at - 1].end, self.raw[at - 1].end))
        return at

    def _single(self, c: str, raw: Raw) -> list[Token]:
        start, end = raw.start, raw.end
        kinds = {"_": "script", "^": "script", "'": "prime", "|": "bar", ",": "comma", ";": "comma", "、": "comma",
                 "。": "stop", ".": "stop", "&": "amp"}
        if c in kinds:
            return [Token(kinds[c], c, start, end)]
        if c == "~":
            return [Token("wide", c, start, end)]
        if c in v.LEFT or c in v.RIGHT:
            return [Token("left" if c in v.LEFT else "right", c, self.start(raw), end)]
        if c in v.RELATION_SIGNS:
            return [Token("relation", v.RELATION_SIGNS[c], start, end)]
        if c in v.OPERATOR_SIGNS:
            return [Token("operator", v.OPERATOR_SIGNS[c], start, end)]
        if c.isdigit() and c.isascii():
            return [Token("number", c, start, end)]
        if c.isalpha() and c.isascii():
            return [Token("letter", c, start, end, "bold" if "BOLD" in unicodedata.name(raw.text[0], "") else "")]
        if c in ("°", " ", "\u200b", ""):
            return []
        raise NotationError(f"{raw.text!r} has no meaning here", start)

    # Macros

    def macro(self, name: str, at: int, found: list[Token]) -> int:
        """One macro, with its arguments where they are words or formatting."""
        raw = self.raw[at]
        tables: tuple[tuple[str, dict[str, str]], ...] = (
            ("letter", v.LETTER_MACROS), ("relation", v.RELATION_MACROS), ("operator", v.OPERATOR_MACROS),
            ("left", v.LEFT), ("right", v.RIGHT))
        for kind, table in tables:
            if name in table:
                style = "blackboard" if name in v.BLACKBOARD_MACROS else ""
                found.append(Token(kind, table[name], self.start(raw), raw.end, style))
                return at + 1
        if name in v.SILENT:
            return self._silent(name, at, found)
        if name in v.SOFT or name in v.WIDE:
            found.append(Token("soft" if name in v.SOFT else "wide", name, raw.start, raw.end))
            return self.argument(at + 1)[2] if v.SOFT.get(name) else at + 1
        if name in v.DOTS:
            found.append(Token("dots", name, raw.start, raw.end))
            return at + 1
        if name == "\\" or name in ("newline", "cr"):
            return self._row(at, found)
        special = {"tag": self._tag, "tag*": self._tag, "overset": self._stacked, "underset": self._stacked,
                   "stackrel": self._stacked, **dict.fromkeys(v.TEXT_MACROS, self._text),
                   **dict.fromkeys(v.SWITCHES, self._switch)}
        if name in special:
            return special[name](name, at, found)
        found.append(Token(*PLAIN.get(name, ("macro", name)), raw.start, raw.end))
        return at + 1

    def _silent(self, name: str, at: int, found: list[Token]) -> int:
        start, at = self.raw[at].start, at + 1
        if name in ("left", "right", "middle") and at < len(self.raw):
            if self.raw[at].text == ".":
                found.append(Token("null", name, start, self.raw[at].end))
                return at + 1
            if self.raw[at].text in ("|", "∣", "‖", "vert", "Vert") and name != "middle":
                double = self.raw[at].text in ("‖", "Vert") or (self.raw[at].kind, self.raw[at].text) == ("macro", "|")
                found.append(Token(name, "||" if double else "|", start, self.raw[at].end))
                return at + 1
        if name in SIZES and at < len(self.raw):
            self.sized = start
        if v.SILENT[name] and at < len(self.raw) and self.raw[at].text == "[":
            while at < len(self.raw) and self.raw[at].text != "]":
                at += 1
            at += 1
        for _ in range(v.SILENT[name]):
            at = self.argument(at)[2]
        return at

    def _row(self, at: int, found: list[Token]) -> int:
        """The end of a row; a length in brackets goes with it."""
        found.append(Token("row", "", self.raw[at].start, self.raw[at].end))
        hit = re.compile(r"\*?\s*(?:\[\s*-?[\d.]+\s*\\?[a-z]+\s*\])?").match(self.latex, self.raw[at].end)
        return self.after(hit.end() if hit else self.raw[at].end, at + 1)

    def _tag(self, name: str, at: int, found: list[Token]) -> int:
        first, last, after = self.argument(at + 1 + self._is(at + 1, "*"))
        found.append(Token("tag", self.source(first, last).strip(), self.raw[at].start, self.raw[after - 1].end))
        return after

    def _switch(self, name: str, at: int, found: list[Token]) -> int:
        """\\rm and its like: the letters up to the next sign are one word."""
        first = last = at + 1
        while last < len(self.raw) and self.raw[last].kind == "char" and SWITCHED.fullmatch(self.raw[last].text):
            last += 1
        if last > first:
            text = "".join(t.text for t in self.raw[first:last])
            kind = "number" if text.isdigit() else "word" if len(text) > 1 else "letter"
            found.append(Token(kind, text, self.raw[first].start,
                               self.raw[last - 1].end, v.SWITCHES[name]))
        return last

    def _stacked(self, name: str, at: int, found: list[Token]) -> int:
        """A sign over or under another: a label on an operator, a definition, or a script."""
        a, b, after = self.argument(at + 1)
        first, last, end = self.argument(after)
        over, base = self.scan(a, b), self.scan(first, last)
        words = "".join(t.text for t in over if t.kind in ("letter", "word", "number"))
        if len(base) == 1 and base[0].kind == "operator":
            found.append(replace(base[0], label=words))
        elif len(base) == 1 and base[0].kind == "relation":
            defines = base[0].text == "=" and words.lower() in DEFINES
            found.append(replace(base[0], text=":=" if defines else base[0].text))
        else:
            mark = "_" if name == "underset" else "^"
            start, stop = self.raw[at].start, self.raw[end - 1].end
            found += [*base, Token("script", mark, start, start), Token("open", "{", start, start), *over,
                      Token("close", "}", stop, stop)]
        return end

    def _text(self, name: str, at: int, found: list[Token]) -> int:
        """Words; formulas between dollars inside them are formulas."""
        first, last, after = self.argument(at + 1 + (self._is(at + 1, "*") or self._is(at + 1, "limits")))
        source, start, end = self.source(first, last), self.raw[at].start, self.raw[after - 1].end
        prose = name in v.PROSE_MACROS
        if not prose and not WORD.fullmatch(source):
            found.append(Token("macro", "style", start, self.raw[at].end, v.TEXT_MACROS[name]))
            return at + 1
        dollars = [i for i in range(first, last) if self.raw[i].kind == "dollar"] if prose else []
        if len(dollars) % 2:
            raise NotationError("a math delimiter without its partner", self.raw[dollars[-1]].start)
        for one, other in zip(dollars[::2], dollars[1::2], strict=True):
            stop = self.raw[one].start
            self._words(self.latex[self.raw[first - 1].end:stop], start, stop, name, found)
            found += self.scan(one + 1, other)
            first, start = other + 1, self.raw[other].end
        self._words(self.source(first, last) if dollars else source, start, end, name, found)
        return after

    def _words(self, source: str, start: int, end: int, name: str, found: list[Token]) -> None:
        follows = bool(found) and found[-1].kind in ENDS and not self._is_script(found)
        found += self.words(source, start, end, v.TEXT_MACROS[name], name in v.PROSE_MACROS, follows)

    def _is(self, at: int, text: str) -> bool:
        return at < len(self.raw) and self.raw[at].text == text

    @staticmethod
    def _is_script(found: list[Token]) -> bool:
        return len(found) > 1 and found[-2].kind == "script"

    def words(self, source: str, start: int, end: int, style: str, prose: bool, follows: bool = False) -> list[Token]:
        """What words do: name something, join formulas, open conditions."""
        text = " ".join(TEXT_MACRO.sub(_in_text, source).split())
        text = text.lstrip(",，;；.。、 ") or text
        first, _, rest = text.partition(" ")
        rest_words = [w for w in rest.split() if w not in v.FILLERS]
        if not text:
            return []
        if text in (",", ";", "."):
            return [Token("comma" if text != "." else "stop", text, start, end)]
        if text.lower() in v.LINKS or (prose and first.lower().strip(",") in v.LINKS):
            link = v.LINKS.get(text.lower(), v.LINKS.get(first.lower().strip(","), ""))
            if prose or link == "otherwise" or follows:
                more = " ".join(rest_words) if text.lower() not in v.LINKS else ""
                return [Token("link", link, start, end), *([Token("word", more, start, end, "prose")] if more else [])]
        if follows and (first in ("is", "are") or text in v.ADJECTIVES):
            name = rest if first in ("is", "are") else text
            return [Token("relation", "is", start, end), *([Token("word", name, start, end, "text")] if name else [])]
        if follows and text == "mod":
            return [Token("operator", "mod", start, end)]
        if prose and (text.endswith((":", "：")) or text.startswith("(")):
            return [Token("word", text, start, end, "prose")]
        if text.isascii() and text.isdigit():
            return [Token("number", text, start, end)]
        return [Token("letter" if len(text) == 1 and text.isalpha() else "word", text, start, end, style)]


def _in_text(macro: re.Match[str]) -> str:
    """What a macro prints inside words."""
    name = macro.group(1) or ""
    return v.TEXT_SIGNS.get(name, name if name in "#$%&_{}" else " ")


PLAIN = {"minus": ("operator", "-"), "prime": ("prime", "\\prime"), "apostrophe": ("prime", "'"),
         "forall": ("link", "if"), "over": ("over", ""),
         "land": ("link", "and"), "wedge": ("link", "and"), "lor": ("link", "or"), "vee": ("link", "or"),
         "vert": ("bar", "|"), "|": ("bar", "||"), "Vert": ("bar", "||"), "lt": ("relation", "<"),
         "gt": ("relation", ">"), "_": ("letter", "_"), "&": ("amp", "&")}
DEFINES = frozenset(("def", "def.", "triangle", "Delta", "delta", "definition", "?", "!", "정의", "定义"))
SIZES = frozenset(name for name in v.SILENT if name in ("left", "right") or name.lower().startswith("big"))
ENDS = frozenset(("letter", "number", "word", "close", "right", "prime", "end"))
