"""PyTorch: channels first, channels last, and weights prepacked for oneDNN where it has them; no autograd."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from symconv.bench.layers import Array, Geometry
from symconv.bench.ours import Task
from symconv.bench.turns import Entrant
from symconv.layer import Dense

NAME = "torch"
Run = Callable[[], Any]


def missing() -> str:
    """Why this peer cannot take part; empty when it can."""
    return "" if find_spec("torch") else "torch is not installed"


def version() -> str:
    """The one installed."""
    import torch

    return str(torch.__version__)


def settle() -> None:
    """No autograd in this whole process."""
    import torch

    torch.set_grad_enabled(False)


def python_entrants(task: Task, kernel: str) -> list[Entrant]:
    """One entrant a way; none where one side is padded more than the other, which torch does in two steps."""
    import torch

    torch.set_num_threads(1)  # nor may a thread of its own be there when another process is forked
    g = task.geometry
    if any(low != high for *_, low, high in g.axes) and not g.transposed:
        return []
    t = {n: torch.from_numpy(a.copy()) for n, a in task.arrays.items()}
    if isinstance(task.measured.layer, Dense):
        runs = {"": _dense(t)[kernel]}
    else:
        runs = {"channels first": _convolution(g, t)[kernel]}
        if g.rank_of_images:
            order = {4: torch.channels_last, 5: torch.channels_last_3d}[t["x"].ndim]
            runs["channels last"] = _convolution(g, {n: a.to(memory_format=order) for n, a in t.items()})[kernel]
        prepacked = _prepacked(g, t) if kernel == "forward" else None
        if prepacked is not None:
            runs["prepacked"] = prepacked
    shape = task.expected[kernel].shape
    return [Entrant(NAME, way, lambda run=run: _array(run(), shape), run)  # type: ignore[misc]
            for way, run in runs.items()]


def _array(t: Any, shape: tuple[int, ...]) -> Array:
    found: Array = t.contiguous().numpy().reshape(shape)
    return found


def _dense(t: dict[str, Any]) -> dict[str, Run]:
    x, w, dy = t["x"], t["w"], t["dy"]
    from torch.nn.functional import linear

    return {"forward": lambda: linear(x, w), "grad_x": lambda: dy @ w, "grad_w": lambda: dy.T @ x}


def _convolution(g: Geometry, t: dict[str, Any]) -> dict[str, Run]:
    """Forward as users call it; gradients by the function that autograd itself calls."""
    import torch

    x, w, dy = t["x"], t["w"], t["dy"]
    rank = len(g.axes)
    stride, dilation, padding = list(g.column(3)), list(g.column(4)), list(g.column(5))
    extra = [0] * rank
    if g.transposed:
        spans = [d * (k - 1) + 1 for k, d in zip(g.column(1), dilation, strict=True)]
        extra = [big - ((small - 1) * s - 2 * p + span) for big, small, s, p, span
                 in zip(g.column(0), g.column(2), stride, padding, spans, strict=True)]
        convolve = getattr(torch, f"conv_transpose{rank}d")
        forward: Run = lambda: convolve(x, w, None, stride, padding, extra, g.groups, dilation)  # noqa: E731
    else:
        convolve = getattr(torch, f"conv{rank}d")
        forward = lambda: convolve(x, w, None, stride, padding, dilation, g.groups)  # noqa: E731
    back = torch.ops.aten.convolution_backward.default
    rest = (None, stride, padding, dilation, g.transposed, extra, g.groups)
    return {"forward": forward, "grad_x": lambda: back(dy, x, w, *rest, [True, False, False])[0],
            "grad_w": lambda: back(dy, x, w, *rest, [False, True, False])[1]}


def _prepacked(g: Geometry, t: dict[str, Any]) -> Run | None:
    """What torch's compiler does to inference; None where this build or this layer does not have it."""
    import torch

    available: Any = torch.backends.mkldnn.is_available
    if g.transposed or len(g.axes) != 2 or not available():
        return None
    settings = (list(g.column(5)), list(g.column(3)), list(g.column(4)), g.groups)
    x = t["x"].to(memory_format=torch.channels_last)
    try:
        packed = torch.ops.mkldnn._reorder_convolution_weight(t["w"], *settings, list(x.shape))
        run = torch.ops.mkldnn._convolution_pointwise.default
        run(x, packed, None, *settings, "none", [], "")
    except (AttributeError, RuntimeError):
        return None
    return lambda: run(x, packed, None, *settings, "none", [], "")
