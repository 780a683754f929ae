"""How drawings look: one style sheet, with the page's colours or with plain ones written out."""

from __future__ import annotations

from collections.abc import Mapping

from symconv.lecture.palette import DARK, LIGHT, TINT, TONES, Theme

# A page that shows figures defines these custom properties, and one colour for each class t-x, t-w...
# It lights up a term by setting --lit on it.
VARIABLES = {"page": "var(--page)", "ink": "var(--ink)", "soft": "var(--soft)", "line": "var(--line)"}

RULES = """\
.fig{font-family:system-ui,"Noto Sans KR","Noto Sans CJK KR",NanumGothic,"Malgun Gothic",sans-serif}
.fig{color:$ink;font-size:15px;text-anchor:middle}
.fig text{fill:currentColor;stroke:none}
.fig .m,.fig .s{font-family:"STIX Two Text",STIX,"Latin Modern Roman","Times New Roman",serif}
.fig .m{font-style:italic}
.fig tspan.m{font-size:1.12em}
.fig .s{font-size:.68em;font-style:normal}
.fig .n{font-variant-numeric:tabular-nums}
.fig .soft{color:$soft}
.fig .halo{paint-order:stroke;stroke:$page;stroke-width:4;stroke-linejoin:round}
.fig .c{stroke:currentColor;stroke-width:1.2}
.fig .z{fill:none;stroke:currentColor;stroke-width:1;stroke-dasharray:2.5 2.5}
.fig .p{fill:$page;stroke:currentColor;stroke-width:1.2}
.fig .w{fill:none;stroke:currentColor;stroke-width:2.4;stroke-dasharray:6 4;stroke-linejoin:round}
.fig .o{fill:none;stroke:currentColor;stroke-width:3.2}
.fig .l{fill:none;stroke:currentColor;stroke-width:2}
.fig .h{fill:none;stroke:currentColor;stroke-width:1.1;opacity:.35}
.fig .t{fill:none;stroke:currentColor}
.fig .k{fill:none;stroke:$ink;stroke-width:1.5}
.fig .faint{fill:none;stroke:$line;stroke-width:.8}
.fig .v{fill:none;stroke:currentColor;stroke-width:1.8;stroke-linejoin:round}
.fig .g{fill:none;stroke:$soft;stroke-width:1.1}
.fig .f{fill:currentColor;fill-opacity:.12;stroke:none}
.fig .e{fill:currentColor;stroke:none}
.fig .d{fill:$soft;stroke:none}
.fig .page{fill:$page;stroke:none}
"""


def style(theme: Theme | None = None) -> str:
    """The rules for figures: for a page that defines the colours, or for a file of its own in one theme."""
    if theme is None:
        return _filled(RULES, VARIABLES) + (
            f".fig .c{{fill:var(--lit,color-mix(in srgb,currentColor {TINT}%,var(--page)))}}\n"
            ".fig .p{fill:var(--lit,var(--page))}\n"
            ".fig .h{opacity:var(--lit-line,.35)}\n")
    colours = {"page": theme.page, "ink": theme.ink, "soft": theme.soft, "line": theme.line}
    tones = [f".t-{t}{{color:{theme.tones[t]}}}\n.t-{t} .c{{fill:{mixed(theme.tones[t], theme.page)}}}\n"
             for t in TONES]
    return _filled(RULES, colours) + f".fig .c{{fill:{theme.card}}}\n" + "".join(f".fig {t}" for t in "".join(tones)
                                                                              .splitlines(keepends=True))


def alone() -> str:
    """The rules for a file that stands alone: light, and dark for readers who prefer it."""
    return (f"{style(LIGHT)}svg.fig{{background:{LIGHT.page}}}\n"
            f"@media (prefers-color-scheme:dark){{\n{style(DARK)}svg.fig{{background:{DARK.page}}}\n}}\n")


def mixed(colour: str, page: str) -> str:
    """A colour as the tint that stands behind cells."""
    ends = [[int(c[i:i + 2], 16) for i in (1, 3, 5)] for c in (colour, page)]
    return "#" + "".join(f"{round((a * TINT + b * (100 - TINT)) / 100):02x}" for a, b in zip(*ends, strict=True))


def _filled(rules: str, colours: Mapping[str, str]) -> str:
    for name, value in colours.items():
        rules = rules.replace(f"${name}", value)
    return rules
