"""Write the lectures of the gallery: python tests/make_reports.py. A test compares them with what is committed."""

from __future__ import annotations

from html import escape
from pathlib import Path

from symconv import Conv, Dense, Formula
from symconv.lecture.html import FONT, font_bytes, page
from symconv.lecture.palette import DARK, LIGHT
from symconv.lecture.story import lecture
from symconv.lecture.subject import Subject
from symconv.lecture.words import plain, words
from symconv.system import LayerLike

FOLDER = Path(__file__).resolve().parent.parent / "generated" / "reports"
ROOM = 100_000  # characters of figures on one page: film strips only where they are small
REPORTS: dict[str, tuple[LayerLike, str]] = {
    "conv1d-ko": (Conv(5, 3), "ko"),
    "conv1d-en": (Conv(5, 3), "en"),
    "conv2d-28x28": (Conv((28, 28), (3, 3)), "en"),
    "channels": (Conv((8, 8), (3, 3), channels=3, filters=4), "en"),
    "stride": (Conv(7, 3, stride=2, padding=1), "en"),
    "dilation": (Conv(9, 3, dilation=2), "ko"),
    "transposed": (Conv(4, 3, stride=2, transposed=True), "en"),
    "depthwise": (Conv((5, 5), (3, 3), channels=2, filters=2, groups=2), "en"),
    "mlp": (Dense(4, 3, bias=True, activation="sigmoid"), "ko"),
    "formula": (Formula(r"h_i = \sigma(\sum_{j=1}^{k} V_j x_{i+j-1})", {"n": 5, "k": 3}), "en"),
}
INDEX = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>symconv: lectures</title>
<style>
body {{ font: 1rem/1.6 system-ui, "Noto Sans KR", NanumGothic, sans-serif; max-width: 46rem; margin: 0 auto;
  padding: 1.5rem 1rem; background: {light.page}; color: {light.ink}; }}
li {{ margin: .6rem 0; }} a {{ color: {light.tones[x]}; }} code {{ color: {light.soft}; overflow-wrap: anywhere; }}
@media (prefers-color-scheme: dark) {{ body {{ background: {dark.page}; color: {dark.ink}; }}
  a {{ color: {dark.tones[x]}; }} code {{ color: {dark.soft}; }} }}
</style></head><body><main>
<h1>Lectures written by symconv</h1>
<p>Each page was written by one command from sizes or a formula. The pages share <code>math.woff2</code> beside them;
those that <code>symconv report</code> writes hold it and stand alone.</p>
<ul>
{items}
</ul>
</main></body></html>
"""


def reports() -> dict[str, bytes]:
    """Every file of the gallery by its name."""
    found, items = {FONT: font_bytes()}, []
    for name, (layer, language) in REPORTS.items():
        s = Subject(layer, words(language))
        document = lecture(s, with_answers=True)
        found[f"{name}.html"] = page(document, s.mark, FONT, ROOM).encode()
        lang = f' lang="{language}"' * (language != "en")
        options = f" --lang {language}" * (language != "en") + " --answers"
        items.append(f'<li><a href="{name}.html"{lang}>{escape(plain(document.title))}</a><br>'
                     f"<code>{escape(document.command)}{options} -o {name}.html</code></li>")
    found["index.html"] = INDEX.format(items="\n".join(items), light=LIGHT, dark=DARK, x="x").encode()
    return found


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for file, data in reports().items():
        (FOLDER / file).write_bytes(data)
