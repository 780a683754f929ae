"""The cover of tiles of bilinear plans: what is right passes, and every piece that is missing or doubled is found."""

from __future__ import annotations

from dataclasses import replace

import pytest

import symconv
from symconv.bilinear.candidates import candidates
from symconv.bilinear.cover import check_cover
from symconv.bilinear.plan import Plan, Stored
from symconv.derivation import derive
from symconv.errors import ValidationError


def plans() -> list[Plan]:
    layers = (symconv.Conv((9, 7), (3, 3), 20, 24, padding=1, batch=2), symconv.Conv(23, 5, 17, 9, padding=2))
    return [c.plan for layer in layers for d in [derive(layer)] for f in d.functions
            for c in candidates(f.at(dict(d.system.sizes)).equation, 8, registers=12)]


def test_plans_cover_everything_once():
    found = plans()
    assert len(found) > 4 and all(check_cover(p) > 0 for p in found)


@pytest.mark.parametrize("name", ["u", "v", "m"])
@pytest.mark.parametrize("change", ["stride", "size"])
def test_places_that_are_shared_are_found(name: str, change: str, monkeypatch: pytest.MonkeyPatch):
    found = plans()
    right = {id(p): getattr(p, name) for p in found}

    def wrong(p: Plan) -> Stored:
        stored: Stored = right[id(p)]
        if change == "size":
            return replace(stored, size=max(n for _, n in stored.strides) - 1)
        strides = tuple((n, s // 2) if s == max(s for _, s in stored.strides) else (n, s) for n, s in stored.strides)
        return replace(stored, strides=strides)

    monkeypatch.setattr(Plan, name, property(wrong))
    for p in found:
        count = dict(right[id(p)].strides)
        if change == "size" or p.extents[max(count, key=lambda n: count[n])] > 1:
            with pytest.raises(ValidationError, match=r"share places|are used|do not follow"):
                check_cover(p)


def test_columns_left_out_are_found(monkeypatch: pytest.MonkeyPatch):
    p, *_ = plans()
    chunks = p.chunks
    for wrong in (chunks[:-1], (*chunks, 1), (*chunks[:-1], chunks[-1] - 1)):
        monkeypatch.setattr(Plan, "chunks", property(lambda self, wrong=wrong: wrong))
        with pytest.raises(ValidationError, match=r"columns, of|pieces of"):
            check_cover(p)
