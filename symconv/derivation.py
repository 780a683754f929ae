"""From a layer to its derivation: gradients of every tensor it reads, proved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from symconv.calculus import gradient, transpose
from symconv.decide.prover import prove_equal
from symconv.decide.verdict import Verdict
from symconv.equation import Equation, Tensor
from symconv.system import LayerLike, System, as_system


@dataclass(frozen=True)
class Function:
    """One function to emit: an equation and the arrays it takes.

    Args:
        name: `forward`, `activate`, `grad_x`...
        equation: sizes symbolic, for readers and proofs.
        arguments: the tensors read: declared inputs first, then upstream gradients and results.
        proof: that the derived gradient is the transpose of the forward, for all sizes.
    """

    name: str
    equation: Equation
    arguments: tuple[Tensor, ...]
    proof: Verdict | None = None

    def at(self, sizes: Mapping[str, int]) -> Function:
        return replace(self, equation=self.equation.at(sizes), arguments=tuple(t.at(sizes) for t in self.arguments))


@dataclass(frozen=True)
class Derivation:
    """A layer's equations and the gradients derived from them.

    `forward` is the first equation; `grad["x"]` is dL/dx for each tensor an equation reads.
    """

    system: System
    grad: Mapping[str, Equation]
    proofs: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def forward(self) -> Equation:
        return self.system.equations[0]

    @property
    def functions(self) -> tuple[Function, ...]:
        """Everything there is to emit, in the order it is computed."""
        names = ["forward", *("activate" if i == 1 else f"activate{i}" for i in range(1, len(self.system.equations)))]
        made = [Function(n, e, self._arguments(e)) for n, e in zip(names, self.system.equations, strict=True)]
        return (*made, *(Function(f"grad_{n}", e, self._arguments(e), self.proofs[n]) for n, e in self.grad.items()))

    def _arguments(self, equation: Equation) -> tuple[Tensor, ...]:
        order = {t: i for i, t in enumerate(self.system.inputs)}
        gradients = {e.output.gradient() for e in self.system.equations}
        return tuple(sorted(equation.reads, key=lambda t: (t in gradients or t not in order, t not in gradients,
                                                           order.get(t, 0))))


def derive(layer: LayerLike | System) -> Derivation:
    """Derive the gradient of a loss with respect to every tensor the layer reads.

    Equations are taken in reverse order, each with dL/d(its output) as upstream gradient; a
    tensor that several equations read gets the sum of their contributions.

    Raises:
        NotSupported: the layer is of no known kind.
    """
    system = as_system(layer)
    grad: dict[str, Equation] = {}
    proofs: dict[str, Verdict] = {}
    for equation in reversed(system.equations):
        upstream = equation.output.gradient()
        for tensor in equation.reads:
            found = gradient(equation, tensor, upstream)
            verdict = prove_equal(found, transpose(equation, tensor, upstream, found.indices))
            if tensor.name in grad:
                earlier = grad[tensor.name].rename(dict(zip(grad[tensor.name].indices, found.indices, strict=True)))
                found = Equation(found.left, (*earlier.terms, *found.terms), found.context)
                verdict = verdict if proofs[tensor.name].proved else proofs[tensor.name]
            grad[tensor.name], proofs[tensor.name] = found, verdict
    return Derivation(system, grad, proofs)
