"""Indices made of two: c M + m, as groups and multipliers are written."""

from __future__ import annotations

import pytest

from symconv.claims.verify import verify_claim

DEPTHWISE = [r"Y_{c M + m, i} = \sum_{u} W_{c,m,u} X_{c,i+u}", r"G_{o,i} = \frac{\partial L}{\partial Y_{o,i}}",
             "base 0", "zero outside"]
GROUPED = [r"\operatorname{dst}(n, g \cdot OC_G + oc_g, oh) = \sum_{ic_g=0}^{IC_G-1}\sum_{kh=0}^{KH-1} "
           r"\operatorname{src}(n, g \cdot IC_G + ic_g, oh + kh) \cdot \operatorname{weights}(g, oc_g, ic_g, kh)"]


@pytest.mark.parametrize(("claim", "verdict"), [
    (r"\frac{\partial L}{\partial W_{c,m,u}} = \sum_{i} G_{cM+m,i} X_{c,i+u}", "proved"),
    (r"\frac{\partial L}{\partial W_{c,m,u}} = \sum_{i} G_{c+m,i} X_{c,i+u}", "proved_if"),
    (r"\frac{\partial L}{\partial X_{c,p}} = \sum_{m=0}^{M-1}\sum_u G_{cM+m,p-u} W_{c,m,u}", "proved"),
    (r"\frac{\partial L}{\partial X_{c,p}} = \sum_u G_{cM,p-u} W_{c,0,u}", "proved_if"),
])  # fmt: skip
def test_a_multiplier(claim: str, verdict: str) -> None:
    found = verify_claim(claim, given=DEPTHWISE)
    assert found.verdict == verdict
    if verdict == "proved_if":
        assert "M = 1" in found.condition


@pytest.mark.parametrize(("channel", "verdict"), [(r"g \cdot IC_G + ic_g", "proved"), ("ic_g", "proved_if")])
def test_groups_as_frameworks_write_them(channel: str, verdict: str) -> None:
    claim = (r"\frac{\partial L}{\partial \operatorname{weights}(g, oc_g, ic_g, kh)} = \sum_{n} \sum_{oh} "
             r"\frac{\partial L}{\partial \operatorname{dst}(n, g \cdot OC_G + oc_g, oh)} \cdot "
             rf"\operatorname{{src}}(n, {channel}, oh + kh)")
    assert verify_claim(claim, given=GROUPED).verdict == verdict


def test_overlapping_blocks_are_none() -> None:
    """y_{s i + j} = x_i w_j would say that every output is one product: a transposed layer adds them up."""
    found = verify_claim(r"\frac{\partial L}{\partial x_i} = \sum_j w_j \frac{\partial L}{\partial y_{si+j}}",
                         given=["y_{si+j} = x_i w_j", "stride s"])
    assert found.verdict == "not_understood"
