"""The lectures of the gallery in a real browser. Skipped where there is no Chromium."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import CHROMIUM, Browser

import symconv
from symconv.lecture.html import page
from symconv.lecture.story import lecture
from symconv.lecture.subject import Subject
from symconv.lecture.words import words

GALLERY = Path(__file__).resolve().parent.parent / "generated" / "reports"
PAGES = sorted(p.name for p in GALLERY.glob("*.html"))
ROOT = Path(__file__).resolve().parent.parent
AXE = Path(os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))  # npm install axe-core
# The parts that are wider than the page and do not scroll in a box of their own.
OVERFLOW = """[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll, .beside, .display, pre') &&
  !e.closest('svg *') && e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 120)).concat(document.documentElement.scrollWidth > innerWidth + 1 ? ['page'] : [])"""

pytestmark = pytest.mark.skipif(CHROMIUM is None or sys.platform != "linux", reason="no Chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    b = Browser()
    yield b
    b.close()


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page as the command writes it, away from the gallery."""
    s = Subject(symconv.Conv(5, 3, bias=True), words("ko"))
    path = tmp_path_factory.mktemp("report") / "conv1d.html"
    path.write_text(page(lecture(s, with_answers=True), s.mark))
    return path


def test_a_page_asks_for_nothing_but_itself(browser: Browser, alone: Path) -> None:
    browser.open(alone)
    assert [u for u in browser.requests() if not u.startswith("data:")] == [alone.as_uri()]
    assert browser.run("document.fonts.check('16px \"SC Math\"')") and not browser.complaints()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [400, 1200])
def test_nothing_overflows_and_nothing_is_complained_about(browser: Browser, name: str, width: int) -> None:
    browser.open(GALLERY / name, width)
    assert all(u.startswith((GALLERY.as_uri(), "data:")) for u in browser.requests())
    assert not browser.complaints() and browser.run(OVERFLOW) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_formula_and_figure_says_what_it_is(browser: Browser, name: str) -> None:
    browser.open(GALLERY / name)
    bare = "e => !(e.getAttribute('alttext') || '').trim()"
    assert browser.run(f"[...document.querySelectorAll('math')].filter({bare}).length") == 0
    assert browser.run("[...document.querySelectorAll('svg')].filter(e => e.getAttribute('role') !== 'img' || "
                       "!(e.getAttribute('aria-labelledby') || '').split(' ').every("
                       "i => document.getElementById(i)?.textContent.trim())).length") == 0
    assert browser.run("[...document.querySelectorAll('[id]')].map(e => e.id)"
                       ".filter((i, n, all) => all.indexOf(i) !== n)") == []
    assert browser.run("document.scripts.length") == 0


def lit(browser: Browser) -> set[str]:
    """The terms that are lit up."""
    return set(browser.run("[...document.querySelectorAll('[class*=\"term-\"]')].filter(e => "
                           "getComputedStyle(e).getPropertyValue('--lit').trim())"
                           ".map(e => [...e.classList].find(c => c.startsWith('term-')))"))


@pytest.mark.parametrize("term", ["term-w_2", "term-x_3", "term-d_1"])
def test_pointing_at_a_term_lights_it_up_everywhere_and_nothing_else(browser: Browser, term: str) -> None:
    browser.open(GALLERY / "conv1d-ko.html")
    browser.point(1, 1)
    assert lit(browser) == set()
    for place in (f".legend .{term}", f"math[display] .{term}", f"svg .{term}", f"td.{term}"):
        found = browser.run(f"(() => {{ const e = document.querySelector('{place}'); if (!e) return null; "
                            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); "
                            "return [r.x + r.width / 2, r.y + r.height / 2] })()")
        assert found, place
        browser.point(*found)
        assert lit(browser) == {term}, place
        whole = browser.run(f"[...document.querySelectorAll('.{term}')].every(e => "
                            "getComputedStyle(e).getPropertyValue('--lit').trim())")
        assert whole, place


def test_the_tab_key_lights_up_too(browser: Browser) -> None:
    browser.open(GALLERY / "conv1d-ko.html")
    browser.point(1, 1)
    browser.call("Input.dispatchKeyEvent", type="rawKeyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)
    assert lit(browser) == {"term-w_1"}


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: npm install axe-core")
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_no_serious_violation(browser: Browser, name: str, dark: bool) -> None:
    browser.open(GALLERY / name, dark=dark)
    browser.run(AXE.read_text() + ";1")
    found = browser.run("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.filter(v => "
                        "['serious', 'critical'].includes(v.impact)).map(v => [v.id, v.nodes.length, "
                        "v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))")
    assert found == []
