"""Make tests/vectors/torch.json: integer results of PyTorch for layers of every kind.

Run by hand where torch is installed, from the root of the repository:

    PYTHONPATH=. python tests/make_vectors.py

Deterministic: the layers are the listed ones and draws from symconv.family with a fixed seed, arrays
come from Python's random. PyTorch computes in float64, where sums of these integers are exact. What
PyTorch has no argument for is said in its own terms: different padding below and above through
F.pad before a convolution and through cutting after a transposed one, a flipped kernel through
w.flip. Gradients are PyTorch's autograd.
"""

from __future__ import annotations

import json
import random
from math import prod
from pathlib import Path

import torch
import torch.nn.functional as F
from nested_loops import input_shape, output_shape, weight_shape

from symconv.family import crossings, random_layer
from symconv.layer import Conv

HERE = Path(__file__).parent
MOST_NUMBERS = 420
LISTED = [
    Conv(8, 3), Conv(8, 3, padding="same"), Conv(8, 4, padding="same"), Conv(8, 3, padding="full"),
    Conv(9, 3, stride=2), Conv(10, 3, stride=2), Conv(11, 2, stride=3, dilation=2, padding=((2, 1),)),
    Conv(10, 3, 4, 6, groups=2, stride=3, dilation=2, padding=2), Conv(7, 3, flip=True, bias=True),
    Conv(5, 3, 2, 2, stride=2, transposed=True, output_padding=1, padding=1),
    Conv(5, 3, 2, 4, groups=2, stride=2, dilation=3, transposed=True, padding=((1, 2),), output_padding=2),
    Conv((6, 6), (3, 3)), Conv((6, 7), (3, 2), 2, 3, batch=2, bias=True), Conv((7, 7), (3, 3), padding="same"),
    Conv((7, 8), (3, 3), stride=2, padding="same"), Conv((6, 6), (2, 4), padding="same", dilation=(2, 1)),
    Conv((8, 8), (3, 3), 4, 4, groups=4, stride=2, padding=1), Conv((9, 8), (3, 3), stride=(2, 3)),
    Conv((8, 9), (2, 3), 4, 2, groups=2, stride=(3, 2), dilation=(2, 1), padding=((0, 1), (2, 0))),
    Conv((4, 4), (3, 3), 2, 2, stride=2, padding=1, output_padding=1, transposed=True, bias=True),
    Conv((3, 4), (2, 3), 2, 4, groups=2, stride=(3, 2), dilation=(1, 2), padding=((1, 0), (2, 1)),
         output_padding=(2, 1), transposed=True),
    Conv((4, 4), (3, 3), transposed=True, flip=True, padding=1), Conv((4, 4, 4), (2, 2, 2)),
    Conv((4, 5, 3), (2, 3, 2), 2, 2, stride=(2, 1, 2), padding=1, bias=True),
    Conv((5, 4, 4), (2, 2, 2), 2, 2, groups=2, stride=2, dilation=(2, 1, 1), padding=((0, 1), (1, 0), (0, 0))),
    Conv((2, 3, 2), (2, 2, 2), 2, 2, stride=(2, 1, 2), transposed=True, output_padding=(1, 0, 1)),
]


def numbers(layer: Conv) -> int:
    return sum(map(prod, (input_shape(layer), weight_shape(layer), output_shape(layer))))


def layers() -> list[Conv]:
    """The listed layers, then draws as long as a crossing has been seen less than five times."""
    rng, seen, chosen = random.Random(20), dict[str, int](), list(LISTED)
    for layer in LISTED:
        for c in crossings(layer):
            seen[c] = seen.get(c, 0) + 1
    for _ in range(4000):
        layer = random_layer(rng)
        if numbers(layer) <= MOST_NUMBERS and min(seen.get(c, 0) for c in crossings(layer)) < 5:
            chosen.append(layer)
            for c in crossings(layer):
                seen[c] = seen.get(c, 0) + 1
    return chosen


def sides(pairs) -> list[int]:
    """F.pad takes the last axis first."""
    return [v for pair in reversed(pairs) for v in pair]


def compute(layer: Conv, x: torch.Tensor, w: torch.Tensor, b: torch.Tensor | None) -> torch.Tensor:
    if layer.flip:
        w = w.flip(*range(2, 2 + layer.rank))
    same = all(lo == hi for lo, hi in layer.padding)
    low = [lo for lo, _ in layer.padding]
    options = {"stride": layer.stride, "dilation": layer.dilation, "groups": layer.groups}
    if not layer.transposed:
        run = (F.conv1d, F.conv2d, F.conv3d)[layer.rank - 1]
        return run(x, w, b, padding=low, **options) if same else run(F.pad(x, sides(layer.padding)), w, b, **options)
    run = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[layer.rank - 1]
    if same:
        return run(x, w, b, padding=low, output_padding=layer.output_padding, **options)
    cut = [(-lo, e - hi) for (lo, hi), e in zip(layer.padding, layer.output_padding, strict=True)]
    y = F.pad(run(x, w, None, **options), sides(cut))
    return y if b is None else y + b.reshape(1, -1, *[1] * layer.rank)


def vector(layer: Conv, rng: random.Random) -> dict[str, object]:
    def draw(shape) -> torch.Tensor:
        values = [rng.randint(-9, 9) for _ in range(prod(shape))]
        return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()

    arrays = {"x": draw(input_shape(layer)), "w": draw(weight_shape(layer))}
    if layer.bias:
        arrays["b"] = draw((layer.filters,))
    y = compute(layer, arrays["x"], arrays["w"], arrays.get("b"))
    arrays["dy"] = draw(y.shape).detach()
    y.backward(arrays["dy"])
    found = {n: whole(t) for n, t in arrays.items()} | {"y": whole(y), "shape": list(y.shape)}
    found |= {"d" + n: whole(t.grad) for n, t in arrays.items() if n != "dy"}
    return {"layer": arguments(layer), **found}


def whole(t: torch.Tensor) -> list[int]:
    flat = t.detach().reshape(-1)
    assert torch.equal(flat, flat.round())
    return [int(v) for v in flat]


def arguments(layer: Conv) -> dict[str, object]:
    """Arguments that differ from the default, padding in numbers."""
    plain = Conv((1,) * layer.rank, (1,) * layer.rank)
    return {n: v for n, v in vars(layer).items() if n in ("input", "kernel") or v != getattr(plain, n)}


def main() -> None:
    rng = random.Random(21)
    torch.manual_seed(0)
    made = [json.dumps(vector(layer, rng), separators=(",", ":")) for layer in layers()]
    (HERE / "vectors" / "torch.json").write_text("[\n" + ",\n".join(made) + "\n]\n", encoding="utf-8")
    print(f"{len(made)} vectors made with torch {torch.__version__}")


if __name__ == "__main__":
    main()
