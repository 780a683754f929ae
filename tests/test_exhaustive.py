"""A sample of `python -m tests.exhaustive`."""

from __future__ import annotations

import exhaustive
import pytest

from symconv.native import find_compiler


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
def test_a_sample_of_all_small_layers():
    layers, done, wrong = exhaustive.run(every=97)
    assert not wrong, "\n".join(wrong[:3])
    assert layers > 50 and done["C, plain"] == done["C, direct"] == done["NumPy"] == layers


def test_a_wrong_kernel_is_named():
    layer = next(c for c in exhaustive.cases() if c.kernel == (2,) and c.input == (4,))
    meet = exhaustive.expected(layer)

    def kernel(name):
        if name == "forward":
            return lambda x, w: meet @ w @ x
        return lambda a, b: meet[0, :, 0]

    assert exhaustive.check(layer, kernel).startswith("grad_x for tap 1 and output 0")
