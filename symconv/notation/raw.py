"""The tokens of LaTeX as pylatexenc sees them, with their places and the braces that belong together."""

from __future__ import annotations

from dataclasses import dataclass

from pylatexenc.latexwalker import LatexWalker, LatexWalkerEndOfStream, LatexWalkerError

from symconv.errors import NotationError


@dataclass(frozen=True, slots=True)
class Raw:
    """A token of LaTeX: char, macro, open, close, begin or end."""

    kind: str
    text: str
    start: int
    end: int


KINDS = {"char": "char", "macro": "macro", "brace_open": "open", "brace_close": "close",
         "begin_environment": "begin", "end_environment": "end"}


def raw_tokens(latex: str) -> list[Raw]:
    """What pylatexenc sees, without comments; ligatures of text mode as single characters."""
    walker, at, found = LatexWalker(latex), 0, []
    while True:
        try:
            token = walker.get_token(at)
        except LatexWalkerEndOfStream:
            break
        except LatexWalkerError as wrong:
            raise NotationError("not LaTeX: " + str(wrong).split("\n", 1)[0][:80], at) from None
        start, at = token.pos, token.pos + token.len
        if token.tok in KINDS:
            text = token.arg if isinstance(token.arg, str) else str(token.arg)
            if text.startswith("\\") and token.tok == "char":
                raise NotationError(f"{text} without the name of an environment", start)
            if token.tok == "macro" and token.post_space:
                at -= len(token.post_space)
            if text.strip() or token.tok == "macro":
                found.append(Raw(KINDS[token.tok], text, start, at))
        elif token.tok == "specials":
            found += [Raw("char", latex[p], p, p + 1) for p in range(start, at)]
        elif token.tok != "comment":
            found.append(Raw("dollar", latex[start:at], start, at))
    if latex.rstrip().endswith("\\") and (not found or found[-1].end < len(latex.rstrip())):
        raise NotationError("a backslash with nothing after it", len(latex.rstrip()) - 1)
    return found


class Source:
    """LaTeX with its raw tokens."""

    def __init__(self, latex: str) -> None:
        self.latex = latex
        self.raw = raw_tokens(latex)
        self.match = self._matches()

    def _matches(self) -> dict[int, int]:
        """For every opening brace the closing one."""
        stack: list[int] = []
        found = {}
        for at, token in enumerate(self.raw):
            if token.kind == "open":
                stack.append(at)
            elif token.kind == "close":
                if not stack:
                    raise NotationError("a closing brace without an opening one", token.start)
                found[stack.pop()] = at
        if stack:
            raise NotationError("an opening brace without a closing one", self.raw[stack[-1]].start)
        return found

    def argument(self, at: int) -> tuple[int, int, int]:
        """The first and last raw token of a macro's argument and the one after it, braces left out."""
        if at >= len(self.raw):
            raise NotationError("an argument is missing", len(self.latex))
        if self.raw[at].kind == "open":
            return at + 1, self.match[at], self.match[at] + 1
        return at, at + 1, at + 1

    def source(self, first: int, last: int) -> str:
        """The LaTeX between two raw tokens, spaces before the first included."""
        if first >= last:
            return self.latex[self.raw[first - 1].end:self.raw[first].start] if 0 < first < len(self.raw) else ""
        inside = first > 0 and self.raw[first - 1].kind == "open"
        start = self.raw[first - 1].end if inside else self.raw[first].start
        return self.latex[start:self.raw[last].start if inside and last < len(self.raw) else self.raw[last - 1].end]

    def after(self, end: int, at: int) -> int:
        """The first raw token that starts at an offset or later."""
        while at < len(self.raw) and self.raw[at].start < end:
            at += 1
        return at
