"""A roofline as SVG: every kernel a point under what the machine's multiply-adds and memories allow.

S. Williams, A. Waterman, D. Patterson, Roofline, Communications of the ACM 52(4), 2009.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from math import ceil, floor, log10

from symconv.bench.layers import KERNELS
from symconv.bench.machine import Machine
from symconv.bench.race import Row

WIDTH, HEIGHT = 960, 600
LEFT, RIGHT, TOP, BOTTOM = 80, 930, 60, 520
SHAPES = dict(zip(KERNELS, ("circle", "square", "triangle"), strict=True))
COLOURS = dict(zip(KERNELS, ("#0f5fa6", "#b3420b", "#217a3c"), strict=True))


class Scale:
    """From intensity and rate, both logarithmic, to places on the page."""

    def __init__(self, rows: Sequence[Row], machine: Machine) -> None:
        x = [r.operations / r.bytes for r in rows] + [machine.peak / min(machine.bandwidth.values())]
        y = [r.rate(own) for r in rows if (own := r.ours())] + [machine.peak]
        self.x0, self.x1 = floor(log10(min(x))), ceil(log10(max(x) * 1.01))
        self.y0, self.y1 = floor(log10(min(y))), ceil(log10(max(y) * 1.5))

    def x(self, intensity: float) -> float:
        return LEFT + (RIGHT - LEFT) * (log10(intensity) - self.x0) / (self.x1 - self.x0)

    def y(self, rate: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * (log10(rate) - self.y0) / (self.y1 - self.y0)


def roofline(rows: Sequence[Row], machine: Machine) -> str:
    """One SVG document. Layers are numbered; a point tells its name when pointed at."""
    scale = Scale(rows, machine)
    layers = list(dict.fromkeys(r.layer for r in rows))
    legend = BOTTOM + 60
    height = legend + 18 * ceil(len(layers) / 3) + 20
    described = (f"{len(rows)} kernels of {len(layers)} layers: operations a second against operations a byte, "
                 f"under the peak of {machine.peak:.0f} GFLOP/s and the reading rates of "
                 f"{', '.join(machine.bandwidth)}.")
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
             f'height="{height}" role="img" aria-labelledby="title desc" font-family="sans-serif" font-size="12">',
             '<title id="title">Roofline of the kernels of symconv</title>',
             f'<desc id="desc">{escape(described)}</desc>',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             f'<text x="{LEFT}" y="24" font-size="16">Roofline, one core</text>',
             f'<text x="{LEFT}" y="42" fill="#444">{escape(str(machine))}</text>',
             *_axes(scale), *_roofs(scale, machine)]
    for r in rows:
        parts += _point(scale, machine, r, layers.index(r.layer) + 1)
    for at, kernel in enumerate(KERNELS):
        x, y = LEFT + 20, TOP + 20 + 20 * at
        parts += [_marker(kernel, x, y), f'<text x="{x + 12}" y="{y + 4}">{kernel}</text>']
    for at, layer in enumerate(layers):
        x, y = LEFT + at % 3 * 290, legend + at // 3 * 18
        parts.append(f'<text x="{x}" y="{y}">{at + 1}  {escape(layer)}</text>')
    return "\n".join([*parts, "</svg>", ""])


def _axes(scale: Scale) -> Iterator[str]:
    for e in range(scale.x0, scale.x1 + 1):
        x = scale.x(10.0**e)
        yield f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{BOTTOM}" stroke="#ddd"/>'
        yield f'<text x="{x:.1f}" y="{BOTTOM + 16}" text-anchor="middle">{10.0**e:g}</text>'
    for e in range(scale.y0, scale.y1 + 1):
        y = scale.y(10.0**e)
        yield f'<line x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="#ddd"/>'
        yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10.0**e:g}</text>'
    yield (f'<text x="{(LEFT + RIGHT) / 2}" y="{BOTTOM + 34}" text-anchor="middle">'
           "operations for each byte that has to move</text>")
    middle = (TOP + BOTTOM) / 2
    yield f'<text transform="translate(24 {middle}) rotate(-90)" text-anchor="middle">GFLOP/s</text>'


def _roofs(scale: Scale, machine: Machine) -> Iterator[str]:
    y = scale.y(machine.peak)
    yield f'<line class="peak" x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}" stroke="black" stroke-width="1.5"/>'
    yield f'<text x="{RIGHT}" y="{y - 6:.1f}" text-anchor="end">peak {machine.peak:.0f} GFLOP/s</text>'
    for level, rate in machine.bandwidth.items():
        start, end = max(10.0**scale.x0, 10.0**scale.y0 / rate), machine.peak / rate
        yield (f'<line class="roof" x1="{scale.x(start):.1f}" y1="{scale.y(start * rate):.1f}" x2="{scale.x(end):.1f}" '
               f'y2="{y:.1f}" stroke="#555" stroke-dasharray="5 3"/>')
        yield (f'<text x="{scale.x(start) + 16:.1f}" y="{scale.y(start * rate) + 6:.1f}" fill="#444">'
               f"{escape(level)} {rate:.0f} GB/s</text>")


def _point(scale: Scale, machine: Machine, r: Row, layer: int) -> Iterator[str]:
    own = r.ours()
    if own is None:
        return
    rate = r.rate(own)
    x, y = scale.x(r.operations / r.bytes), scale.y(rate)
    told = (f"{r.layer}, {r.kernel}: {own.warm.median:.3g} us, {rate:.3g} GFLOP/s, "
            f"{100 * rate / machine.peak:.0f} % of peak")
    yield f'<g class="point"><title>{escape(told)}</title>{_marker(r.kernel, x, y)}'
    yield f'<text x="{x + 6:.1f}" y="{y - 4:.1f}" font-size="9" fill="{COLOURS[r.kernel]}">{layer}</text></g>'


def _marker(kernel: str, x: float, y: float) -> str:
    fill = f'fill="{COLOURS[kernel]}" fill-opacity="0.75"'
    match SHAPES[kernel]:
        case "circle":
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" {fill}/>'
        case "square":
            return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" {fill}/>'
    return f'<path d="M{x:.1f} {y - 4.5:.1f} l4.5 8 h-9 z" {fill}/>'
