"""What can go wrong, said in the user's terms."""


class SymconvError(Exception):
    """Base of every error symconv raises on purpose; its message is meant to be read."""


class ShapeError(SymconvError, ValueError):
    """Sizes that describe no layer or no tensor."""


class NotSupported(SymconvError):
    """A valid request that symconv does not answer (yet, or by design)."""


class NotationError(SymconvError):
    """A formula that was not understood: why, and at which code point of its LaTeX.

    Args:
        reason: what stands in the way, for people.
        at: offset of the place, from 0.
    """

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(f"{reason} (at {at})")
        self.reason = reason
        self.at = at


class LineError(SymconvError):
    """A layer in the notation of some tool that was not understood: why, and at which column.

    Args:
        reason: what stands in the way, for people.
        line: what was given.
        at: offset of the place, from 0.
    """

    def __init__(self, reason: str, line: str, at: int) -> None:
        shown = "".join(c if c.isprintable() else "?" for c in line)
        super().__init__(f"column {at + 1}: {reason}\n  {shown}\n  {' ' * at}^")
        self.reason = reason
        self.at = at


class LimitExceeded(SymconvError):
    """Work that would pass a stated limit, refused before it starts."""


class ToolchainError(SymconvError):
    """A compiler that is missing or that failed; carries its message and the kept source."""


class ValidationError(SymconvError):
    """An emitted kernel that did not compute what the derivation says."""
