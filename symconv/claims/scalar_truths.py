"""What a size must be by its role, by a layer's own formula or by the arrays it is the length of."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

from symconv.claims.lengths import as_written, length_truth, parameters
from symconv.claims.scalar_reading import scalar_of_affine
from symconv.claims.scope import Scope
from symconv.claims.sizes import Role, Truth, conv_multiplies, conv_parameters, roles, truth_of
from symconv.claims.words import LENGTH_OF
from symconv.decide.scalar import Facts, Num, Scalar, names

OTHER = re.compile(r"depth-?wise|separable|stack|network|recurrent|pool|attention|block|layers|two |three ")


def truths(scope: Scope, output: str, claimed: Scalar) -> Iterable[Truth]:
    """What the left-hand side must be, by the roles of the names; a transposed layer when only that fits."""
    own = length_truth(scope, output) if output not in scope.roles else _length(scope, scope.roles[output])
    if own is not None:
        yield own
    said = (v for v, x in scope.settings.items() if isinstance(x, int) and len(v) == 1)  # k = 3
    used = dict.fromkeys((output, *names(claimed), *scope.roles, *said))
    known = roles(used, scope.roles)
    for word in ("stride", "padding", "dilation"):  # `stride 2` names no letter
        if word in scope.settings and not any(r.kind == word for r in known.values()):
            known[word] = Role(word)
    role = scope.roles.get(output, output.lower())
    if OTHER.search(role):
        return
    if re.search("param|weights|매개변수|파라미터|参数", role):
        if (own := parameters(scope, role)) is not None:
            yield own
            return
        given = (False,) if role == "number of weights" else (True, False) if scope.bias is None else (scope.bias,)
        yield from (truth for bias in given if (truth := _parameters(scope, known, bias)))
        return
    if role in ("number of multiplications", "number of macs"):
        more = (v for e in scope.equalities for v in names(*e))
        yield from _multiplications(scope, roles((*used, *more), scope.roles))
        return
    if output not in known or known[output].kind != "output size":
        return
    as_written(scope, {output, *names(claimed)})
    transposed = any(r.kind == "output padding" for r in known.values())
    first = scope.operation or ("transposed" if transposed else "convolution")
    kinds = {r.kind for r in known.values()}
    other = () if scope.operation or ("dilation" in kinds and "stride" not in kinds) else ("transposed",)
    for operation in dict.fromkeys((first, *other)):  # i + k - 1 is the full length; i + d(k-1) is a lost sign
        truth = truth_of(output, known, operation)
        if truth is None and operation == "convolution":
            truth = truth_of(output, known, "same")
        if truth is not None:
            yield truth


def _length(scope: Scope, role: str) -> Truth | None:
    """Of "length of y", where y was made of arrays whose lengths are known."""
    m = LENGTH_OF.fullmatch(role)
    d = scope.definitions.get(m[1]) if m else None
    axes = scope.arrays[d.name].axes if d is not None else ()
    if len(axes) != 1 or axes[0].extent is None:
        return None
    facts = Facts(at_least=tuple((scalar_of_affine(c.expression), Num(Fraction(0))) for c in scope.facts
                                 if not c.equality and c.expression.names <= axes[0].extent.names))
    return Truth(scalar_of_affine(axes[0].extent), facts, f"length of {d.name}" if d else "")


def _multiplications(scope: Scope, known: dict[str, Role]) -> Iterator[Truth]:
    outputs, layer = [v for v, r in known.items() if r.kind == "output size"], _layer(scope, known)
    if layer is not None and outputs:
        sides = outputs if len(outputs) > 1 else outputs * scope.dimensions
        yield Truth(conv_multiplies(sides, *layer), Facts(), "one multiplication for each output and weight")


def _parameters(scope: Scope, known: dict[str, Role], bias: bool) -> Truth | None:
    layer = _layer(scope, known)
    if layer is None:
        return None
    what = "fully connected layer" if scope.operation == "dense" else "convolution"
    return Truth(conv_parameters(*layer, bias), Facts(),
                 f"the parameters of a {what} {'with' if bias else 'without'} bias")


def _layer(scope: Scope, known: dict[str, Role]) -> tuple[list[str], str | int, str | int, str | int] | None:
    """Kernel sizes, channels in and out, groups, by the names that have these roles."""
    kinds: dict[str, list[str]] = {}
    for name, role in known.items():
        kinds.setdefault(role.kind, []).append(name)
    kernel, inward, outward = (kinds.get(k, []) for k in ("kernel size", "channels in", "channels out"))
    dense = scope.operation == "dense"
    if not (kernel or dense) or len(inward) > 1 or len(outward) > 1 or not (inward or outward):
        return None
    sides = [] if dense else kernel if len(kernel) > 1 else kernel * scope.dimensions
    one: tuple[list[str | int], ...] = tuple([*found, 1] for found in (inward, outward, kinds.get("groups", [])))
    return sides, one[0][0], one[1][0], one[2][0]
