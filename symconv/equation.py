"""The affine tensor sum: the one representation of formulas, gradients and kernels.

    out[i...] = sum over integer points of coefficient * product of tensor[affine index...]

Reading a tensor outside its shape gives zero. That single rule is padding, the bounds of a
gradient and the guards of a kernel; no range is written anywhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import count

from symconv.affine import Affine, AffineLike, Constraint, inside, unique
from symconv.errors import ShapeError

Sizes = Mapping[str, AffineLike]


@dataclass(frozen=True, slots=True)
class Tensor:
    """A named array. `x[i, j]` gives an Access, so equations can be written as they are read.

    Args:
        name: identifier, used in emitted code.
        shape: extents, each an integer, a size name or an Affine.
        symbol: what formulas print, when not the name (`o` for the array called `y`).
        axes: index names a result over this tensor would use.
        merge: how many of these axes make up each axis of the caller's array; 0 stands for an
            axis of extent 1 that the equation leaves out, 2 for (group, channel) seen as one.
        gradient_symbol: what formulas print for dL/d(this), when not the partial derivative.
    """

    name: str
    shape: tuple[Affine, ...]
    symbol: str = field(default="", compare=False)
    axes: tuple[str, ...] = field(default=(), compare=False)
    merge: tuple[int, ...] = field(default=(), compare=False)
    gradient_symbol: str = field(default="", compare=False)
    gradient_of: str = field(default="", compare=False)

    def __init__(self, name: str, shape: AffineLike | Iterable[AffineLike] = (), symbol: str = "",
                 axes: Iterable[str] = (), merge: Iterable[int] | None = None,
                 gradient_symbol: str = "", gradient_of: str = "") -> None:
        extents = (shape,) if isinstance(shape, Affine | int | str) else tuple(shape)
        put = object.__setattr__
        put(self, "name", name)
        put(self, "shape", tuple(Affine.of(e) for e in extents))
        put(self, "symbol", symbol or name)
        put(self, "axes", tuple(axes))
        put(self, "merge", (1,) * len(extents) if merge is None else tuple(merge))
        put(self, "gradient_symbol", gradient_symbol)
        put(self, "gradient_of", gradient_of)
        if sum(self.merge) != len(self.shape):
            raise ShapeError(f"{name}: merge {self.merge} does not cover the {len(self.shape)} axes")

    def __getitem__(self, index: AffineLike | tuple[AffineLike, ...]) -> Access:
        entries = index if isinstance(index, tuple) else (index,)
        return Access(self, tuple(Affine.of(e) for e in entries))

    def gradient(self) -> Tensor:
        """The tensor that holds dL/d(this)."""
        return Tensor("d" + self.name, self.shape, self.gradient_symbol, self.axes, self.merge,
                      gradient_of=self.symbol)

    def at(self, sizes: Sizes) -> Tensor:
        put = tuple(e.substitute(sizes) for e in self.shape)
        return Tensor(self.name, put, self.symbol, self.axes, self.merge,
                      self.gradient_symbol, self.gradient_of)

    @property
    def extents(self) -> tuple[int, ...]:
        """The shape in numbers. Raises ShapeError while a size is symbolic."""
        if not all(e.is_constant for e in self.shape):
            raise ShapeError(f"{self.name} has the symbolic shape ({', '.join(map(str, self.shape))}); "
                             "give its sizes first")
        return tuple(e.constant for e in self.shape)

    @property
    def size_names(self) -> frozenset[str]:
        """The names its shape depends on."""
        return frozenset().union(*(e.names for e in self.shape))

    def in_range(self, index: tuple[Affine, ...]) -> tuple[Constraint, ...]:
        """What it takes for an index to lie inside the shape."""
        return tuple(c for e, n in zip(index, self.shape, strict=True) for c in inside(e, n))

    @property
    def array_shape(self) -> tuple[int, ...]:
        """The caller's shape: axes merged, left-out axes of extent 1 restored."""
        rest, shape = list(self.extents), []
        for together in self.merge:
            extent = 1
            for _ in range(together):
                extent *= rest.pop(0)
            shape.append(extent)
        return tuple(shape)

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.shape))})"


class Signal(Tensor):
    """A function on all of Z^rank that is zero outside some finite set: no index is out of range.

    Args:
        name: as for a Tensor.
        rank: the number of axes.
    """

    __slots__ = ()

    def __init__(self, name: str, rank: int, symbol: str = "") -> None:
        Tensor.__init__(self, name, ("oo",) * rank, symbol)

    def at(self, sizes: Sizes) -> Tensor:
        return self

    def gradient(self) -> Tensor:
        return Signal("d" + self.name, len(self.shape))

    @property
    def size_names(self) -> frozenset[str]:
        return frozenset()

    @property
    def extents(self) -> tuple[int, ...]:
        """Raises ShapeError: a signal is defined everywhere."""
        raise ShapeError(f"{self.name} is defined on all integers and has no extents")

    def in_range(self, index: tuple[Affine, ...]) -> tuple[Constraint, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Access:
    """One element of a tensor, as is or through a pointwise function (`relu`, `relu'`)."""

    tensor: Tensor
    indices: tuple[Affine, ...]
    function: str = ""

    def __post_init__(self) -> None:
        if len(self.indices) != len(self.tensor.shape):
            raise ShapeError(f"{self.tensor!r} has {len(self.tensor.shape)} axes "
                             f"and is indexed with {len(self.indices)}")

    def apply(self, function: str) -> Access:
        return replace(self, function=function)

    def substitute(self, values: Mapping[str, AffineLike]) -> Access:
        return replace(self, indices=tuple(e.substitute(values) for e in self.indices))

    def in_range(self) -> tuple[Constraint, ...]:
        return self.tensor.in_range(self.indices)

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(e.names for e in self.indices))

    def __mul__(self, other: Access | Term) -> Term:
        return Term((self,)) * other

    def __add__(self, other: Access | Term) -> tuple[Term, ...]:
        return (Term((self,)), as_term(other))

    def __str__(self) -> str:
        text = f"{self.tensor.name}[{', '.join(map(str, self.indices))}]"
        return f"{self.function}({text})" if self.function else text

    __repr__ = __str__


@dataclass(frozen=True, slots=True)
class Term:
    """coefficient * product of factors, summed over `indices` where the constraints hold.

    Only what the shapes do not already say stands in `constraints`; `domain()` gives all.
    """

    factors: tuple[Access, ...]
    indices: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    coefficient: Fraction = Fraction(1)

    def __mul__(self, other: Access | Term) -> Term:
        o = as_term(other)
        return Term(self.factors + o.factors, self.indices + o.indices,
                    self.constraints + o.constraints, self.coefficient * o.coefficient)

    def __rmul__(self, number: int | Fraction) -> Term:
        return replace(self, coefficient=self.coefficient * number)

    def __add__(self, other: Access | Term) -> tuple[Term, ...]:
        return (self, as_term(other))

    def where(self, *constraints: Constraint) -> Term:
        return replace(self, constraints=self.constraints + constraints)

    def domain(self) -> tuple[Constraint, ...]:
        """Every constraint on a summation point: those given and those the shapes imply."""
        return unique((*self.constraints, *(c for f in self.factors for c in f.in_range())))

    def substitute(self, values: Mapping[str, AffineLike]) -> Term:
        return replace(self, factors=tuple(f.substitute(values) for f in self.factors),
                       constraints=unique(c.substitute(values) for c in self.constraints))

    @property
    def names(self) -> frozenset[str]:
        return frozenset().union(*(f.names for f in self.factors),
                                 *(c.expression.names for c in self.constraints))

    def __str__(self) -> str:
        text = " * ".join(map(str, self.factors)) or "1"
        if self.coefficient != 1:
            text = f"{self.coefficient} * {text}"
        where = f" : {' and '.join(map(str, self.constraints))}" if self.constraints else ""
        return f"sum_{{{','.join(self.indices)}{where}}} {text}" if self.indices or where else text

    __repr__ = __str__


def as_term(value: Access | Term) -> Term:
    return Term((value,)) if isinstance(value, Access) else value


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the sizes: their names and the constraints they satisfy.

    `definitions` says how derived sizes come about, as (name, text) for readers; their meaning
    stands in the constraints, as the two inequalities that characterise a floor.
    """

    sizes: tuple[str, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    definitions: tuple[tuple[str, str], ...] = ()

    def at(self, sizes: Sizes) -> Context:
        return Context(tuple(s for s in self.sizes if s not in sizes),
                       unique(c.substitute(sizes) for c in self.constraints))


@dataclass(frozen=True, slots=True)
class Equation:
    """out[indices] = sum of terms, for every index inside the output's shape.

    >>> from symconv import Equation, Tensor, indices
    >>> i, j = indices("i j")
    >>> w, x, y = Tensor("w", 3), Tensor("x", 20), Tensor("y", 5)
    >>> Equation(y[i], w[j] * x[3*i - 2*j + 4])
    y[i] = sum_{j} w[j] * x[3*i - 2*j + 4]

    Summation indices are the names that are neither output indices nor sizes.

    Raises:
        ShapeError: an output index is not a plain name or occurs twice.
    """

    output: Tensor
    indices: tuple[str, ...]
    terms: tuple[Term, ...]
    context: Context = Context()

    def __init__(self, left: Access, right: Access | Term | Iterable[Access | Term],
                 context: Context | None = None) -> None:
        names = tuple(_plain_name(e, left) for e in left.indices)
        if len(set(names)) != len(names):
            raise ShapeError(f"{left} repeats an output index")
        given = (right,) if isinstance(right, Access | Term) else tuple(right)
        terms = tuple(as_term(t) for t in given)
        known = frozenset().union(left.tensor.size_names, *(f.tensor.size_names for t in terms for f in t.factors))
        context = context or Context(tuple(sorted(known)))
        fixed = known | set(context.sizes) | set(names)
        put = object.__setattr__
        put(self, "output", left.tensor)
        put(self, "indices", names)
        put(self, "terms", tuple(_with_indices(t, fixed) for t in terms))
        put(self, "context", context)

    @property
    def left(self) -> Access:
        return self.output[tuple(Affine.of(n) for n in self.indices)]

    @property
    def reads(self) -> tuple[Tensor, ...]:
        """The tensors on the right, in order of first appearance."""
        return tuple(dict.fromkeys(f.tensor for t in self.terms for f in t.factors))

    def domain(self) -> tuple[Constraint, ...]:
        return unique(self.left.in_range())

    def at(self, sizes: Sizes) -> Equation:
        """The same equation with sizes put in numbers."""
        def fix(a: Access) -> Access:
            return replace(a, tensor=a.tensor.at(sizes)).substitute(sizes)
        terms = [replace(t.substitute(sizes), factors=tuple(map(fix, t.factors))) for t in self.terms]
        return Equation(fix(self.left), terms, self.context.at(sizes))

    def rename(self, names: Mapping[str, str]) -> Equation:
        """The same equation with output and summation indices renamed.

        A summation index that bears one of the new names already moves out of its way.
        """
        bound = {n for t in self.terms for n in t.indices}
        used = bound | {*self.indices, *self.context.sizes, *names.values()}
        for n in sorted((bound & set(names.values())) - set(names)):
            free = next(f"{n}{k}" for k in count(2) if f"{n}{k}" not in used)
            used.add(free)
            names = {**names, n: free}
        terms = [replace(t.substitute(names), indices=tuple(names.get(n, n) for n in t.indices))
                 for t in self.terms]
        return Equation(self.left.substitute(names), terms, self.context)

    def __str__(self) -> str:
        return f"{self.left} = {' + '.join(map(str, self.terms)) or '0'}"

    __repr__ = __str__


def _plain_name(e: Affine, left: Access) -> str:
    if len(e.items) == 1 and len(e.items[0][0]) == 1 and e.items[0][1] == 1:
        return e.items[0][0][0]
    raise ShapeError(f"the left side {left} must be indexed by plain names, not {e}")


def _with_indices(t: Term, fixed: frozenset[str]) -> Term:
    """The declared summation indices that occur, then the others in order of appearance."""
    seen = [n for f in t.factors for e in f.indices for m, _ in e for n in m]
    seen += [n for c in t.constraints for m, _ in c.expression for n in m]
    found = tuple(n for n in dict.fromkeys(seen) if n not in fixed)
    declared = tuple(n for n in t.indices if n in found)
    return replace(t, indices=declared + tuple(n for n in found if n not in declared),
                   constraints=unique(t.constraints))
