"""A verdict against the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .conditions import holds, without_zero
from .truth import Case


def wrong(verdict: str, condition: str, cases: Sequence[Case], names: Mapping[str, str],
          shown: Mapping[str, int] | None = None) -> str:
    """Why the verdict is false, or "".

    Args:
        cases: the claim over the box.
        names: author's size or array name -> canonical name.
        shown: sizes of the counterexample, by the author's names.

    Raises:
        Unread: the condition's text could not be compared.
    """
    known = [c for c in cases if c.holds is not None]
    if verdict == "proved":
        bad = next((c for c in known if not c.holds), None)
        if bad:
            return f"proved, but false at {dict(bad.sizes)}"
        bad = next((c for c in known if c.outside), None)
        return f"proved, but reads outside at {dict(bad.sizes)} and nothing says what is there" if bad else ""
    if verdict == "checked":
        bad = next((c for c in known if not c.holds), None)
        return f"checked, but false at {dict(bad.sizes)}" if bad else ""
    if verdict == "refuted":
        return _refuted(cases, names, shown)
    if verdict in ("proved_if", "proved_for"):
        return _conditional(verdict, condition, known, names)
    return ""


def impossible(condition: str, cases: Sequence[Case], names: Mapping[str, str]) -> bool:
    """A condition that no size of the box satisfies."""
    rest = without_zero(condition)[1]
    return bool(rest) and not any(holds(rest, spoken(c, names)) for c in cases)


def _refuted(cases: Sequence[Case], names: Mapping[str, str], shown: Mapping[str, int] | None) -> str:
    """Where elements with numbers are missing from the box, it may fail beyond the box."""
    if all(c.holds for c in cases):
        return "refuted, but true everywhere"
    for c in cases:
        here = spoken(c, names)
        if shown and c.holds and all(here.get(n) == v for n, v in shown.items()) \
                and {n for n, _ in c.sizes} <= {names[n] for n in shown if n in names}:
            return f"refuted, but true at its counterexample {dict(shown)}"
    return ""


def spoken(c: Case, names: Mapping[str, str]) -> dict[str, int]:
    """The numbers under the names that conditions use: n, and |y|_2 for the second extent of y."""
    sizes, extents = dict(c.sizes), dict(c.extents)
    found = {author: sizes[n] for author, n in names.items() if n in sizes}
    for author, n in names.items():
        shape = extents.get(n, ())
        found |= {f"|{author}|" if len(shape) == 1 else f"|{author}|_{axis}": v for axis, v in enumerate(shape, 1)}
    return found


def _conditional(verdict: str, condition: str, known: Sequence[Case], names: Mapping[str, str]) -> str:
    zero, rest = without_zero(condition)
    for c in known:
        sizes = dict(c.sizes)
        here = spoken(c, names)
        told = holds(rest, here) if rest else True
        if told and not c.holds:
            return f"said to be true when {condition}, but false at {sizes}"
        if told and c.outside and not zero:
            return f"said to be true when {condition}, but reads outside at {sizes}"
        if not told and c.holds and verdict == "proved_if" and (zero or not c.outside):
            return f"said to be false unless {condition}, but true at {sizes}"
    if verdict == "proved_for" and known and not rest and all(c.holds for c in known):
        return "" if zero else "conditional, but true everywhere"
    return ""

