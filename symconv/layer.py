"""Conv and Dense: sizes in, equations out. Nothing after this module knows what a layer is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.equation import Access, Context, Equation, Tensor, Term
from symconv.errors import ShapeError
from symconv.geometry import LETTERS, Axis, Letters, named_padding
from symconv.system import POINTWISE, System

Size = int | Sequence[int]
Padding = int | str | Sequence[int | Sequence[int]]
PADDINGS = ("valid", "same", "full")
PARAMETERS = ("w", "b")



def _whole(value: object, what: str, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ShapeError(f"{what} must be a whole number, not {value!r}")
    number = int(value.__index__())
    if number < least:
        raise ShapeError(f"{what} must be at least {least}, not {number}")
    return number


def _switch(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise ShapeError(f"{what} must be true or false, not {value!r}")
    return value


def _per_axis(value: Size, rank: int, what: str, least: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Iterable) else (value,) * rank
    if len(values) != rank:
        raise ShapeError(f"{what} has {len(values)} entries, the layer has {rank} spatial axes")
    return tuple(_whole(v, f"{what}[{a}]" if rank > 1 else what, least) for a, v in enumerate(values))


def _times(values: Iterable[int]) -> str:
    return "x".join(map(str, values))


def _short(values: Iterable[object], symbol: str = "x") -> str:
    """One entry when all axes agree, else one an axis."""
    texts = list(map(str, values))
    return texts[0] if len(set(texts)) == 1 else symbol.join(texts)


@dataclass(frozen=True)
class Conv:
    """A convolution layer: cross-correlation by default, as deep-learning libraries compute it.

    Shapes: x (batch, channels, *input), w (filters, channels/groups, *kernel), or, transposed,
    (channels, filters/groups, *kernel); y (batch, filters, *output).

    Args:
        input, kernel: extents of the spatial axes, one to three of them.
        padding: zeros added: an int, one int an axis, (low, high) an axis, 'valid', 'same'
            (ceil(H/S) outputs, the extra zero on the high side) or 'full' (every overlap).
        transposed: the adjoint of the convolution with the same arguments.
        output_padding: extra outputs on the high side of a transposed convolution.
        flip: reverse w along its spatial axes, the convolution of mathematics.
        activation: 'relu', 'sigmoid', 'tanh', or 'sigma' for one left unspecified.

    Raises:
        ShapeError: the sizes describe no layer.
    """

    input: Size
    kernel: Size
    channels: int = 1
    filters: int = 1
    batch: int = 1
    stride: Size = 1
    padding: Padding = 0
    dilation: Size = 1
    groups: int = 1
    bias: bool = False
    transposed: bool = False
    output_padding: Size = 0
    flip: bool = False
    activation: str | None = None

    def __post_init__(self) -> None:
        put = object.__setattr__
        lists = [tuple(v) for v in (self.input, self.kernel) if isinstance(v, Iterable)]
        rank = len(lists[0]) if lists else 1
        if rank not in LETTERS:
            raise ShapeError(f"a layer has 1, 2 or 3 spatial axes, not {rank}")
        for name, least in (("input", 1), ("kernel", 1), ("stride", 1), ("dilation", 1), ("output_padding", 0)):
            put(self, name, _per_axis(getattr(self, name), rank, name, least))
        for name in ("channels", "filters", "batch", "groups"):
            put(self, name, _whole(getattr(self, name), name, 1))
        for name in ("bias", "transposed", "flip"):
            _switch(getattr(self, name), name)
        for name in ("channels", "filters"):
            if getattr(self, name) % self.groups:
                raise ShapeError(f"groups = {self.groups} does not divide {name} = {getattr(self, name)}")
        if self.activation not in (None, *POINTWISE):
            raise ShapeError(f"unknown activation {self.activation!r}; known: {', '.join(POINTWISE)}")
        put(self, "padding", self._sides(rank))
        for axis in self.axes:
            axis.check()

    def _sides(self, rank: int) -> tuple[tuple[int, int], ...]:
        p = self.padding
        if isinstance(p, str):
            if p not in PADDINGS:
                raise ShapeError(f"unknown padding {p!r}; known: {', '.join(PADDINGS)}, or numbers")
            if self.transposed:
                raise ShapeError(f"padding {p!r} has no agreed meaning for a transposed convolution; "
                                 "give it in numbers")
            sizes = (self.input, self.kernel, self.stride, self.dilation)
            return tuple(named_padding(p, *a) for a in zip(*map(_tuple, sizes), strict=True))
        entries = tuple(p) if isinstance(p, Iterable) else (p,) * rank
        if len(entries) != rank:
            raise ShapeError(f"padding has {len(entries)} entries, the layer has {rank} spatial axes")
        return tuple(_two_sides(entry) for entry in entries)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The numbers of each spatial axis."""
        columns = zip(*map(_tuple, (self.input, self.kernel, self.stride, self.dilation, self.output_padding)),
                      self.padding, strict=True)  # type: ignore[arg-type]
        return tuple(Axis(h, k, s, d, *_two_sides(p), e, self.transposed) for h, k, s, d, e, p in columns)

    @property
    def rank(self) -> int:
        return len(self.axes)

    @property
    def output(self) -> tuple[int, ...]:
        """floor((H + P_lo + P_hi - D*(K-1) - 1)/S) + 1 along each axis;
        transposed (H-1)*S - P_lo - P_hi + D*(K-1) + output_padding + 1."""
        return tuple(axis.output for axis in self.axes)

    def system(self) -> System:
        """The layer as equations with symbolic sizes, and its numbers.

        Axes of extent 1 (a batch of 1, one channel) are left out of the formulas.
        """
        letters, axes = LETTERS[self.rank], self.axes
        numbers = {"s": self.batch, "g": self.groups, "c": self.channels // self.groups,
                   "f": self.filters // self.groups}
        sizes = {"s": "N", "g": "G", "c": "C", "f": "F"}
        batch, group, chan, filt = ([a] if numbers[a] > 1 else [] for a in "sgcf")
        used = batch + group + chan + filt

        def tensor(name: str, first: list[str], second: list[str], spatial: Iterable[tuple[str, str]],
                   symbol: str = "", gradient_symbol: str = "") -> Tensor:
            """Axes `first`, then `second` merged with the group where it leads, then (size, index) pairs."""
            outer, rest = first + second, list(spatial)
            return Tensor(name, [sizes[a] for a in outer] + [n for n, _ in rest], symbol,
                          outer + [v for _, v in rest], (len(first), len(second)) + (1,) * len(rest), gradient_symbol)

        x = tensor("x", batch, group + chan, [(a.input, a.in_gradient) for a in letters])
        leading, trailing = (group + chan, filt) if self.transposed else (group + filt, chan)
        w = tensor("w", leading, trailing, [(a.kernel, a.tap_gradient) for a in letters])
        b = Tensor("b", [sizes[a] for a in group + filt], "b", group + filt, (len(group + filt),))
        y = tensor("z" if self.activation else "y", batch, group + filt, [(a.output, a.out) for a in letters],
                   "z" if self.activation else "o", "delta")

        at_w = w[(*map(Affine.of, leading + trailing), *(self._tap(a) for a in letters))]
        near = [a.in_gradient if self.transposed else a.out for a in letters]
        far = [n.stride * Affine.of(v) + n.dilation * Affine.of(a.tap) - n.low
               for n, v, a in zip(axes, near, letters, strict=True)]
        here = tuple(Affine.of(a.out) for a in letters)
        at_x = x[(*map(Affine.of, batch + group + chan), *(map(Affine.of, near) if self.transposed else far))]
        term = at_w * at_x
        if self.transposed:
            term = term.where(*(equal(p, v) for p, v in zip(far, here, strict=True)))
        right: list[Access | Term] = [term]
        if self.bias:
            right.append(b[tuple(map(Affine.of, group + filt))])
        rules = [n.rule(a) for n, a in zip(axes, letters, strict=True)]
        context = self._context([sizes[a] for a in used], rules)
        equations = [Equation(y[(*map(Affine.of, batch + group + filt), *here)], right, context)]
        if self.activation:
            equations.append(pointwise(self.activation, equations[0]))
        known = [(sizes[a], numbers[a]) for a in used]
        known += [pair for n, a in zip(axes, letters, strict=True)
                  for pair in ((a.input, n.input), (a.kernel, n.kernel), (a.output, n.output))]
        notes = tuple((f"{a.output} = {text}", reason) for a, (_, text, reason) in zip(letters, rules, strict=True))
        return System(tuple(equations), (x, w, b) if self.bias else (x, w), tuple(known),
                      self.name, self.spec(), self.command(), notes, PARAMETERS, channels=1)

    def _tap(self, a: Letters) -> Affine:
        return Affine.of(a.kernel) - 1 - Affine.of(a.tap) if self.flip else Affine.of(a.tap)

    def _context(self, outer: list[str], rules: Sequence[tuple[list[Constraint], str, str]]) -> Context:
        letters = LETTERS[self.rank]
        spatial = [n for a in letters for n in (a.input, a.kernel, a.output)]
        facts = [at_least(n, 1) for n in outer + spatial] + [c for rule, _, _ in rules for c in rule]
        definitions = tuple((a.output, text) for a, (_, text, _) in zip(letters, rules, strict=True))
        return Context(tuple(outer + spatial), tuple(facts), definitions)

    def _pad_text(self, between: str) -> str:
        if all(a.low == a.high for a in self.axes):
            return _short(a.low for a in self.axes)
        return "x".join(f"{a.low}{between}{a.high}" for a in self.axes)

    @property
    def name(self) -> str:
        """File stem that carries every parameter that is not the default."""
        axes = self.axes
        kind = "convt" if self.transposed else "conv"
        parts = [f"{kind}{self.rank}d", f"n{self.batch}c{self.channels}i{_times(a.input for a in axes)}",
                 f"f{self.filters}k{_times(a.kernel for a in axes)}",
                 f"s{_short(a.stride for a in axes)}p{self._pad_text('_')}"]
        if any(a.dilation > 1 for a in axes):
            parts.append(f"d{_short(a.dilation for a in axes)}")
        if self.groups > 1:
            parts.append(f"g{self.groups}")
        if any(a.extra for a in axes):
            parts.append(f"op{_short(a.extra for a in axes)}")
        parts += ["flip"] * self.flip + ["bias"] * self.bias
        return "_".join([*parts, self.activation] if self.activation else parts)

    def spec(self) -> tuple[tuple[str, str], ...]:
        """The arguments, normalised, as (name, text)."""
        return (("layer", "Conv"), *((f.name, repr(getattr(self, f.name))) for f in fields(self)))

    def command(self) -> str:
        """The command-line arguments that rebuild this layer."""
        axes = self.axes
        words = [f"--input {_times(a.input for a in axes)}", f"--kernel {_times(a.kernel for a in axes)}"]
        options = [("channels", self.channels, 1), ("filters", self.filters, 1), ("batch", self.batch, 1),
                   ("stride", _short(a.stride for a in axes), "1"), ("pad", self._pad_text(":"), "0"),
                   ("dilation", _short(a.dilation for a in axes), "1"), ("groups", self.groups, 1),
                   ("output-pad", _short(a.extra for a in axes), "0"), ("activation", self.activation, None)]
        words += [f"--{name} {value}" for name, value, default in options if value != default]
        words += [f"--{flag}" for flag in ("bias", "transposed", "flip") if getattr(self, flag)]
        return " ".join(words)


def _tuple(value: Size) -> tuple[int, ...]:
    return tuple(value) if isinstance(value, Iterable) else (value,)


def _two_sides(entry: int | Sequence[int]) -> tuple[int, int]:
    low, high = entry if isinstance(entry, Sequence) and len(entry) == 2 else (entry, entry)
    return _whole(low, "padding", 0), _whole(high, "padding", 0)


def pointwise(function: str, equation: Equation) -> Equation:
    """h = function(z) for the result z of an equation."""
    z = equation.output
    h = Tensor("h", z.shape, "h", z.axes, z.merge)
    here = equation.left.indices
    return Equation(h[here], Access(z, here, function), equation.context)


@dataclass(frozen=True)
class Dense:
    """A fully connected layer, h_i = sigma(sum_j W_ij x_j + b_i).

    Shapes: x (batch, inputs), W (outputs, inputs), b (outputs,), y (batch, outputs).

    Raises:
        ShapeError: a size is not a positive whole number, or the activation is unknown.
    """

    inputs: int
    outputs: int
    batch: int = 1
    bias: bool = False
    activation: str | None = None

    def __post_init__(self) -> None:
        for name in ("inputs", "outputs", "batch"):
            object.__setattr__(self, name, _whole(getattr(self, name), name, 1))
        _switch(self.bias, "bias")
        if self.activation not in (None, *POINTWISE):
            raise ShapeError(f"unknown activation {self.activation!r}; known: {', '.join(POINTWISE)}")

    def system(self) -> System:
        batch = ["s"] * (self.batch > 1)
        shape = ["N"] * (self.batch > 1)
        merge = (len(batch), 1)
        x = Tensor("x", (*shape, "p"), "x", [*batch, "l"], merge)
        w = Tensor("w", ("q", "p"), "W", ("m", "l"))
        b = Tensor("b", ("q",), "b", ("m",))
        name, symbol = ("z", "z") if self.activation else ("y", "o")
        y = Tensor(name, (*shape, "q"), symbol, [*batch, "i"], merge, gradient_symbol="delta")
        pre = tuple(map(Affine.of, batch))
        i, j = Affine.of("i"), Affine.of("j")
        right: list[Access | Term] = [w[i, j] * x[(*pre, j)]]
        if self.bias:
            right.append(b[i])
        context = Context((*shape, "p", "q"), tuple(at_least(s, 1) for s in (*shape, "p", "q")))
        equations = [Equation(y[(*pre, i)], right, context)]
        if self.activation:
            equations.append(pointwise(self.activation, equations[0]))
        sizes = ([("N", self.batch)] if batch else []) + [("p", self.inputs), ("q", self.outputs)]
        return System(tuple(equations), (x, w, b) if self.bias else (x, w), tuple(sizes),
                      self.name, self.spec(), self.command(), parameters=PARAMETERS, channels=1)

    @property
    def name(self) -> str:
        parts = ["dense", f"n{self.batch}", f"i{self.inputs}o{self.outputs}"]
        parts += ["bias"] * self.bias
        return "_".join([*parts, self.activation] if self.activation else parts)

    def spec(self) -> tuple[tuple[str, str], ...]:
        return (("layer", "Dense"), *((f.name, repr(getattr(self, f.name))) for f in fields(self)))

    def command(self) -> str:
        words = [f"--dense {self.inputs}x{self.outputs}"]
        words += [f"--batch {self.batch}"] * (self.batch > 1) + ["--bias"] * self.bias
        return " ".join(words + [f"--activation {self.activation}"] * bool(self.activation))
