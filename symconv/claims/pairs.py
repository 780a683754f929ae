"""Arrays named after what they are made of: what is said of r_{xy} holds for r_{yx} and r_{xx}."""

from __future__ import annotations

import re
from dataclasses import replace

from symconv.claims.scope import Array, Definition, Scope

PAIR = re.compile(r"(?P<base>[^_^]+)_(?P<first>[A-Za-z])(?P<second>[A-Za-z])")


def instantiate(scope: Scope, name: str) -> None:
    """Define r_{ab} like r_{xy}, on all integers, where nothing else says what it is."""
    own = PAIR.fullmatch(name)
    if own is None or scope.array(name) is not None:
        return
    for d in list(scope.definitions.values()):
        other = PAIR.fullmatch(d.name)
        if other is None or other["base"] != own["base"] or scope.arrays[d.name].finite:
            continue
        if not {other["first"], other["second"]} <= d.reads or (
                other["first"] == other["second"] and own["first"] != own["second"]):
            continue
        put = {other["first"]: own["first"], other["second"]: own["second"]}
        for old, new in put.items():
            scope.arrays.setdefault(new, Array(new, scope.arrays[old].axes))
        terms = tuple(replace(t, factors=tuple(replace(f, name=put.get(f.name, f.name)) for f in t.factors))
                      for t in d.terms)
        scope.definitions[name] = Definition(name, d.letters, terms)
        scope.arrays[name] = Array(name, scope.arrays[d.name].axes)
        scope.note(f"{name} is read as {d.name} is defined")
        return


def paired(scope: Scope, name: str) -> bool:
    """Is it defined by what is said of another pair?"""
    instantiate(scope, name)
    own = PAIR.fullmatch(name)
    return own is not None and name in scope.definitions and any(
        d != name and (other := PAIR.fullmatch(d)) is not None and other["base"] == own["base"]
        for d in scope.definitions)
