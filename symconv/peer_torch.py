"""The same layer in PyTorch, where it is installed: a peer to compare with, never a dependency."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from symconv.layer import Conv

Array = NDArray[Any]


def available() -> bool:
    return find_spec("torch") is not None


def run_torch(layer: Conv, arrays: Mapping[str, Array], upstream: Array) -> dict[str, Array]:
    """y, dx, dw (and db) in float64, by PyTorch's functional convolutions and autograd.

    Asymmetric padding and output padding go through `F.pad`, a flipped kernel through `flip`.
    """
    import torch
    from torch.nn import functional as F

    tensors = {n: torch.tensor(np.asarray(a, np.float64), requires_grad=True) for n, a in arrays.items()}
    axes = layer.axes
    w = tensors["w"].flip(tuple(range(2, 2 + layer.rank))) if layer.flip else tensors["w"]
    settings = {"stride": [a.stride for a in axes], "dilation": [a.dilation for a in axes], "groups": layer.groups}
    kind = "conv_transpose" if layer.transposed else "conv"
    convolve = getattr(F, f"{kind}{layer.rank}d")
    if layer.transposed:  # negative padding cuts off
        sides = [p for a in reversed(axes) for p in (-a.low, a.extra - a.high)]
        y = F.pad(convolve(tensors["x"], w, **settings), sides)
    else:
        y = convolve(F.pad(tensors["x"], [p for a in reversed(axes) for p in (a.low, a.high)]), w, **settings)
    if layer.bias:
        y = y + tensors["b"].reshape(1, -1, *[1] * layer.rank)
    torch.autograd.backward([y], [torch.tensor(np.asarray(upstream, np.float64))])
    found = {f"d{n}": t.grad.numpy() if t.grad is not None else np.zeros(t.shape) for n, t in tensors.items()}
    return {"y": y.detach().numpy(), **found}
