"""What was measured, as tables for a terminal: one row a layer and kernel, microseconds, ratios, % of peak."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.table import Table

from symconv.bench.layers import KERNELS
from symconv.bench.machine import Machine
from symconv.bench.ours import NAME
from symconv.bench.race import Row, Timing, geometric_mean


def number(value: float) -> str:
    """Three digits, or all before the point."""
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 \
        else f"{value:,.0f}"


def time_text(t: Timing | None) -> str:
    """The median, the spread of the rounds, and ~ where the result is rounded."""
    return "-" if t is None else f"{'' if t.exact else '~'}{number(t.warm.median)} ±{t.warm.percent:.0f}%"


def ratio_text(value: float | None) -> str:
    """Green from 1 on, red below 0.95."""
    if value is None:
        return "-"
    return f"[{'green' if value >= 1 else 'yellow' if value >= 0.95 else 'red'}]{value:.2f}[/]"


def c_table(rows: Sequence[Row], peers: Sequence[str], machine: Machine) -> Table:
    """C to C, warm caches: our time, plain and with prepared weights, each peer's best way, the ratios of the best of
    them to ours."""
    table = Table("layer", "kernel", "symconv", "prepared", *peers, "best / ours", "best / prepared", "GFLOP/s",
                  "% of peak",
                  title="C to C, warm caches, microseconds", caption=_caption(rows, Row.ratio))
    for r in rows:
        own = r.ours()
        assert own is not None
        table.add_row(*head(r), time_text(own), time_text(r.ours("prepared")), *(time_text(r.best(p)) for p in peers),
                      ratio_text(r.ratio()), ratio_text(r.ratio("prepared")),
                      f"{r.rate(own):.1f}", f"{100 * r.rate(own) / machine.peak:.0f}")
    return table


def cold_table(rows: Sequence[Row], peers: Sequence[str]) -> Table:
    """C to C, cold caches, each one's best way, and what its weights cost to prepare."""
    def cold(t: Timing | None) -> str:
        return "-" if t is None or t.cold is None else f"{number(t.cold.median)} ±{t.cold.percent:.0f}%"

    table = Table("layer", "kernel", "symconv", *peers, "preparing weights, warm",
                  title="C to C, cold caches, microseconds")
    for r in rows:
        prepared = [f"{p} {number(b.prepare.median)}" for p in (NAME, *peers) if (b := r.best(p)) and b.prepare]
        table.add_row(*head(r), cold(r.best(NAME, True)), *(cold(r.best(p, True)) for p in peers),
                      ", ".join(prepared) or "-")
    return table


def python_table(rows: Sequence[Row], peers: Sequence[str]) -> Table:
    """Python to Python: a checked call, a bound one and a checked one with prepared weights, each peer's best way, and
    the ratios."""
    table = Table("layer", "kernel", "symconv call", "bind", "prepared", *peers, "best / call", "best / bind",
                  "best / prepared",
                  title="Python to Python, warm caches, microseconds",
                  caption=_caption(rows, lambda r: r.ratio("call")))
    for r in rows:
        table.add_row(*head(r), time_text(r.ours("call")), time_text(r.ours("bind")),
                      time_text(r.ours("prepared")), *(time_text(r.best(p)) for p in peers),
                      *(ratio_text(r.ratio(way)) for way in ("call", "bind", "prepared")))
    return table


def head(r: Row) -> tuple[str, str]:
    """The layer, named once, and the kernel."""
    return (r.layer if r.kernel == next(iter(KERNELS)) else "", r.kernel)


def _caption(rows: Sequence[Row], ratio: Callable[[Row], float | None]) -> str:
    """The geometric mean of the ratios, a kernel at a time, and the worst layer."""
    parts = []
    for kernel in KERNELS:
        found = {r.layer: v for r in rows if r.kernel == kernel and (v := ratio(r)) is not None}
        if found:
            worst = min(found, key=lambda n: found[n])
            parts.append(f"{kernel} {geometric_mean(list(found.values())):.2f} (worst {found[worst]:.2f}, {worst})")
    return f"geometric mean of best / ours: {'; '.join(parts)}" if parts else "nobody to compare with"


def ways(rows: Sequence[Row], peers: Sequence[str]) -> str:
    """How often which way of a peer was its fastest."""
    lines = []
    for p in peers:
        best = [b.way for r in rows if (b := r.best(p)) and b.way]
        counts = ", ".join(f"{w} {best.count(w)}" for w in dict.fromkeys(sorted(best)))
        if counts:
            lines.append(f"{p}, fastest way: {counts}")
    return "\n".join(lines)
