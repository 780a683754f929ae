"""generated/ is what the emitter writes today, no more and no less."""

from pathlib import Path

import pytest

from symconv.emit import emit
from symconv.options import layer_from_table, layers_from_toml

GALLERY = Path(__file__).resolve().parent.parent / "generated"
UPDATE = "symconv emit --layers generated/layers.toml --out generated"


@pytest.fixture(scope="module")
def emitted() -> dict[str, str]:
    tables = layers_from_toml(GALLERY / "layers.toml")
    return {name: text for t in tables for name, text in emit(layer_from_table(t)).files.items()}


def test_every_committed_file_is_emitted_and_every_emitted_file_is_committed(emitted: dict[str, str]) -> None:
    committed = {p.name for p in GALLERY.iterdir() if p.suffix in (".c", ".h", ".py")}
    assert committed == set(emitted), f"update with: {UPDATE}"


def test_texts_are_equal_to_the_byte(emitted: dict[str, str]) -> None:
    changed = [n for n, text in emitted.items() if (GALLERY / n).read_bytes() != text.encode()]
    assert not changed, f"{', '.join(changed)}: update with: {UPDATE}"


def test_the_gallery_is_small() -> None:
    assert sum(p.stat().st_size for p in GALLERY.iterdir()) < 2_000_000
