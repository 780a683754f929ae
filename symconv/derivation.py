"""From a layer to its derivation: gradients of every tensor it reads, proved, with their steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING

from symconv.calculus import gradient, transpose
from symconv.decide.prover import prove_equal
from symconv.decide.verdict import Verdict
from symconv.equation import Equation, Tensor
from symconv.errors import NotSupported
from symconv.system import LayerLike, System, as_system

if TYPE_CHECKING:
    from symconv.expand import Expansion
    from symconv.steps import Step


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

    `forward` is the first equation; `grad["x"]` is dL/dx for each tensor an equation reads:
    declared inputs first, in their order, then intermediate results (`z`), last computed first.
    Names, steps and the expanded form are found when they are asked for.
    """

    system: System
    grad: Mapping[str, Equation]
    proofs: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def forward(self) -> Equation:
        return self.system.equations[0]

    @property
    def functions(self) -> tuple[Function, ...]:
        """Everything there is to emit, in the order it is computed: dL/dz goes before dL/dx."""
        names = ["forward", *("activate" if i == 1 else f"activate{i}" for i in range(1, len(self.system.equations)))]
        made = [Function(n, e, self._arguments(e)) for n, e in zip(names, self.system.equations, strict=True)]
        inputs = {t.name for t in self.system.inputs}
        order = sorted(self.grad, key=lambda n: n in inputs)
        return (*made, *(Function(f"grad_{n}", self.grad[n], self._arguments(self.grad[n]), self.proofs[n])
                         for n in order))

    def _arguments(self, equation: Equation) -> tuple[Tensor, ...]:
        order = {t: i for i, t in enumerate(self.system.inputs)}
        gradients = {e.output.gradient() for e in self.system.equations}
        return tuple(sorted(equation.reads, key=lambda t: (t in gradients or t not in order, t not in gradients,
                                                           order.get(t, 0))))

    @cached_property
    def names(self) -> Mapping[str, str | None]:
        """What each result is, by the name of its array: `y`, `dx`... None where no name is proved."""
        from symconv.decide.names import name_of

        return {e.output.name: name_of(e) for e in (*self.system.equations, *self.grad.values())}

    @cached_property
    def steps(self) -> Mapping[str, tuple[Step, ...]]:
        """The steps to each result: `forward`, `activate`, then one entry for each gradient, `x`, `w`..."""
        from symconv.steps import forward_steps

        found: dict[str, tuple[Step, ...]] = {}
        for f in self.functions[:len(self.system.equations)]:
            notes = self.system.notes if f.name == "forward" else ()
            found[f.name] = forward_steps(f.equation, notes, self.names[f.equation.output.name])
        return found | {name: self._gradient_steps(name) for name in self.grad}

    def _gradient_steps(self, name: str) -> tuple[Step, ...]:
        from symconv.steps import gradient_steps, several

        total = self.grad[name]
        called = self.names[total.output.name]
        readers = [(e, t) for e in reversed(self.system.equations) for t in e.reads if t.name == name]
        if len(readers) == 1:
            equation, tensor = readers[0]
            return gradient_steps(equation, tensor, equation.output.gradient(), total, called)
        parts = tuple(gradient_steps(e, t, e.output.gradient(), gradient(e, t, e.output.gradient()))
                      for e, t in readers)
        return several(parts, total, readers[0][1], called)

    def _repr_latex_(self) -> str:
        """All formulas, for notebooks."""
        from symconv.notation.printers import latex

        lines = [latex(e).replace(" = ", " &= ", 1) for e in (*self.system.equations, *self.grad.values())]
        return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"

    def _repr_html_(self) -> str:
        """All formulas with what they are and whether they are proved, for notebooks."""
        from symconv.notation.as_mathml import MathML
        from symconv.notation.build import build

        def row(f: Function) -> str:
            said = [self.names[f.equation.output.name] or "", f"{f.proof} for all sizes" if f.proof else ""]
            words = escape("; ".join(filter(None, said)))
            return f"<tr><td>{MathML().whole(build(f.equation))}</td><td>{words}</td></tr>"
        return f"<table>{''.join(map(row, self.functions))}</table>"

    def expanded(self, wrt: str, base: int = 1) -> Expansion:
        """dL/d(wrt) element by element, from scalar derivatives of the loss written out.

        Raises:
            NotSupported: no equation reads `wrt`.
            LimitExceeded: the loss has too many terms to be written out.
        """
        from symconv.expand import expanded_gradient

        return expanded_gradient(self.system.concrete(), self.known(wrt), base)

    def check_expanded(self) -> int:
        """Compare every gradient, written out, with the scalar derivatives; the number compared.

        Raises:
            ValidationError: two disagree; names the element.
            LimitExceeded: see `expanded`.
        """
        from symconv.expand import agree

        return agree(self)

    def known(self, wrt: str) -> str:
        """The name of a tensor that has a gradient, given by its name or its symbol."""
        for t in (t for e in self.system.equations for t in e.reads):
            if wrt in (t.name, t.symbol):
                return t.name
        raise NotSupported(f"there is no gradient with respect to {wrt!r}; known: {', '.join(self.grad)}")


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
    declared = [t.name for t in system.inputs if t.name in grad]
    order = [*declared, *(n for n in grad if n not in declared)]
    return Derivation(system, {n: grad[n] for n in order}, {n: proofs[n] for n in order})
