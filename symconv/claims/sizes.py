"""What the field knows of sizes: outputs, paddings, parameters.

Sources:
- V. Dumoulin and F. Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285.
- PyTorch documentation, the shape sections of Conv2d, MaxPool2d and ConvTranspose2d.
- TensorFlow documentation, tf.nn, notes on padding ('SAME' and 'VALID').
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symconv.claims.sizes_roles import Role, readings, role_named, roles
from symconv.decide.scalar import Ceil, Facts, Floor, Max, Num, Scalar, ScalarLike, Times, Var, names, scalar

__all__ = [
    "OPERATIONS", "Role", "Truth", "conv_multiplies", "conv_output", "conv_parameters", "dense_parameters",
    "effective_kernel", "full_output", "full_padding", "layer_facts", "readings", "role_named", "roles",
    "same_output", "same_padding", "total_same_padding", "transposed_output", "truth_of", "valid_output",
]
OPERATIONS = ("convolution", "transposed", "same", "valid", "full")
ZERO, ONE = Num(0), Num(1)
AT_LEAST_ZERO = ("padding", "total padding", "padding before", "padding after", "output padding")
RELEVANT = ("input size", "kernel size", "stride", *AT_LEAST_ZERO, "dilation")
DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1}


def effective_kernel(k: ScalarLike, d: ScalarLike = 1) -> Scalar:
    """`k + (k-1)(d-1)` (Dumoulin and Visin, section 5.1); the same as `d(k-1) + 1`."""
    return scalar(k) + (scalar(k) - 1) * (scalar(d) - 1)


def _padded(i: ScalarLike, p: ScalarLike, total: ScalarLike | None) -> Scalar:
    if total is not None:
        return scalar(i) + total
    return scalar(i) if scalar(p) == ZERO else scalar(i) + 2 * scalar(p)


def _reach(k: ScalarLike, d: ScalarLike) -> Scalar:
    """From the first tap to the last: d(k-1)."""
    return scalar(k) - 1 if scalar(d) == ONE else scalar(d) * (scalar(k) - 1)


def _extent(k: ScalarLike, d: ScalarLike) -> Scalar:
    return scalar(k) if scalar(d) == ONE else _reach(k, d) + 1


def conv_output(i: ScalarLike, k: ScalarLike, s: ScalarLike = 1, p: ScalarLike = 0, d: ScalarLike = 1,
                total: ScalarLike | None = None) -> Scalar:
    """`floor((i + 2p - d(k-1) - 1)/s) + 1`, for convolution and for pooling.

    Dumoulin and Visin, relationships 6 (strides), 15 (dilation) and section 3 (pooling); PyTorch Conv2d.
    `total` is the padding of both sides together where they differ or are not halved.
    """
    padded = _padded(i, p, total)
    room = padded - scalar(k) if scalar(d) == ONE else padded - _reach(k, d) - 1
    return room + 1 if scalar(s) == ONE else Floor(room / scalar(s)) + 1


def transposed_output(i: ScalarLike, k: ScalarLike, s: ScalarLike = 1, p: ScalarLike = 0, d: ScalarLike = 1,
                      a: ScalarLike = 0) -> Scalar:
    """`(i-1)s - 2p + d(k-1) + a + 1` (PyTorch ConvTranspose2d; Dumoulin and Visin, relationship 14, with d = 1)."""
    size = (scalar(i) - 1 if scalar(s) == ONE else (scalar(i) - 1) * scalar(s)) + _extent(k, d)
    size = size if scalar(p) == ZERO else size - 2 * scalar(p)
    return size if scalar(a) == ZERO else size + scalar(a)


def same_output(i: ScalarLike, s: ScalarLike = 1) -> Scalar:
    """`ceil(i/s)` (TensorFlow, padding 'SAME')."""
    return Ceil(scalar(i) / scalar(s))


def valid_output(i: ScalarLike, k: ScalarLike, s: ScalarLike = 1, d: ScalarLike = 1) -> Scalar:
    """`ceil((i - d(k-1))/s)`, with d = 1 `ceil((i-k+1)/s)` (TensorFlow, padding 'VALID')."""
    room = scalar(i) - scalar(k) + 1 if scalar(d) == ONE else scalar(i) - _reach(k, d)
    return Ceil(room / scalar(s))


def full_output(i: ScalarLike, k: ScalarLike, d: ScalarLike = 1) -> Scalar:
    """`i + d(k-1)`, with d = 1 `i + k - 1` (Dumoulin and Visin, section 2.2.2, full padding)."""
    return scalar(i) + _reach(k, d)


def same_padding(k: ScalarLike, d: ScalarLike = 1) -> Scalar:
    """`d(k-1)/2` on each side, for odd k and stride 1 (Dumoulin and Visin, section 2.2.1, half padding)."""
    return _reach(k, d) / 2


def full_padding(k: ScalarLike, d: ScalarLike = 1) -> Scalar:
    """`d(k-1)` on each side (Dumoulin and Visin, section 2.2.2)."""
    return _reach(k, d)


def total_same_padding(i: ScalarLike, k: ScalarLike, s: ScalarLike = 1, d: ScalarLike = 1) -> Scalar:
    """`max((ceil(i/s) - 1)s + d(k-1) + 1 - i, 0)`, both sides together (TensorFlow, padding 'SAME')."""
    covered = (Ceil(scalar(i) / scalar(s)) - 1) * scalar(s) + _extent(k, d)
    return Max((covered - scalar(i), Num(0)))


def conv_parameters(kernel: Sequence[ScalarLike], c_in: ScalarLike, c_out: ScalarLike, groups: ScalarLike = 1,
                    bias: bool = True) -> Scalar:
    """`prod(k) (c_in/groups) c_out`, and c_out biases (PyTorch Conv2d, the shapes of weight and bias)."""
    weights = Times(_weights(kernel, c_in, c_out, groups))
    return weights + scalar(c_out) if bias else weights


def _weights(kernel: Sequence[ScalarLike], c_in: ScalarLike, c_out: ScalarLike,
             groups: ScalarLike) -> tuple[Scalar, ...]:
    """What their number is the product of."""
    channels = scalar(c_in) if scalar(groups) == ONE else scalar(c_in) / scalar(groups)
    return (*map(scalar, kernel), channels, scalar(c_out))


def dense_parameters(n: ScalarLike, m: ScalarLike, bias: bool = True) -> Scalar:
    """`n m`, and m biases, for n inputs and m outputs (PyTorch Linear)."""
    return scalar(n) * scalar(m) + scalar(m) if bias else scalar(n) * scalar(m)


def conv_multiplies(outputs: Sequence[ScalarLike], kernel: Sequence[ScalarLike], c_in: ScalarLike,
                    c_out: ScalarLike, groups: ScalarLike = 1) -> Scalar:
    """One multiplication for each output position and each weight (padded zeros counted)."""
    return Times((*map(scalar, outputs), *_weights(kernel, c_in, c_out, groups)))


def layer_facts(i: ScalarLike, k: ScalarLike, s: ScalarLike = 1, p: ScalarLike = 0, d: ScalarLike = 1,
                total: ScalarLike | None = None) -> Facts:
    """Sizes of at least 1, padding of at least 0, and a padded input that holds the kernel once."""
    padding = scalar(p) if total is None else scalar(total)
    return Facts(low=dict.fromkeys(names(padding), 0), at_least=((_padded(i, p, total), _extent(k, d)),))


@dataclass(frozen=True, slots=True)
class Truth:
    """What an output size must be.

    Args:
        value: the size, in the author's names.
        facts: what sizes are admissible.
        description: the convention used, in words.
    """

    value: Scalar
    facts: Facts
    description: str


def truth_of(output: str, given: Mapping[str, Role], operation: str = "convolution") -> Truth | None:
    """What the output size must be by the roles of the names in use; roles that no name has take their defaults.

    `operation` is one of OPERATIONS. None when the input or the kernel has no name, or more than one.
    """
    axis = given[output].axis if output in given else ""
    here = {kind: _named(kind, axis, given) for kind in RELEVANT if any(r.kind == kind for r in given.values())}
    sizes = {kind: Var(found) for kind, found in here.items() if found is not None}
    if len(sizes) < len(here):
        return None
    if "input size" not in sizes or ("kernel size" not in sizes and operation != "same"):
        return None
    low = {n: 0 for n, r in given.items() if r.kind in AT_LEAST_ZERO}
    value, facts = _expected(sizes, operation)
    facts = Facts(low=low, at_least=facts.at_least)
    return Truth(value, facts, _described(sizes, operation))


def _named(kind: str, axis: str, given: Mapping[str, Role]) -> str | None:
    """The one name that plays a role along an axis; an axis of its own comes before none."""
    same = [n for n, r in given.items() if r.kind == kind]
    for fits in ([n for n in same if given[n].axis == axis], [n for n in same if not given[n].axis or not axis]):
        if fits:
            return fits[0] if len(fits) == 1 else None
    return None


def _expected(sizes: Mapping[str, Scalar], operation: str) -> tuple[Scalar, Facts]:
    i, k = sizes["input size"], sizes.get("kernel size", ONE)
    s, d, p = sizes.get("stride", ONE), sizes.get("dilation", ONE), sizes.get("padding", ZERO)
    if operation == "transposed":
        value = transposed_output(i, k, s, p, d, sizes.get("output padding", ZERO))
        return value, Facts(at_least=((value, ONE),))
    if operation == "same":
        return same_output(i, s), Facts()
    if operation == "full":
        return full_output(i, k, d), Facts()
    if operation == "valid":
        return valid_output(i, k, s, d), layer_facts(i, k, s, 0, d)
    sides = [sizes[n] for n in ("padding before", "padding after", "total padding") if n in sizes]
    total = None if not sides else sides[0] if len(sides) == 1 else sides[0] + sides[1]
    return conv_output(i, k, s, p, d, total), layer_facts(i, k, s, p, d, total)



def _described(sizes: Mapping[str, Scalar], operation: str) -> str:
    said = ", ".join(f"{v}: {kind}" for kind, v in sizes.items())
    padded = any(kind in sizes for kind in AT_LEAST_ZERO) or operation in ("same", "valid", "full")
    silent = [f"{kind} {n}" for kind, n in DEFAULTS.items()
              if kind not in sizes and not (kind == "padding" and padded)]
    what = "a convolution" if operation == "convolution" else f"a {operation} convolution"
    return f"output size of {what} ({said})" + (f"; {', '.join(silent)}" if silent else "")
