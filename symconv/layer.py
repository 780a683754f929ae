"""Conv and Dense: sizes in, equations out. Nothing after this module knows what a layer is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from itertools import chain

from symconv.affine import Affine, Constraint, at_least, equal
from symconv.equation import Access, Context, Equation, Tensor
from symconv.errors import ShapeError
from symconv.system import POINTWISE, System

Size = int | Sequence[int]
Padding = int | str | Sequence[int | Sequence[int]]

# Names per rank: positions in o, w, dL/dx and dL/dw, then the sizes of x, w and o along each axis.
AXES: dict[int, tuple[str, str, str, str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    1: ("i", "j", "m", "a", ("n",), ("k",), ("o",)),
    2: ("ij", "pq", "mn", "uv", ("H", "W"), ("K_H", "K_W"), ("O_H", "O_W")),
    3: ("hij", "pqr", "lmn", "tuv", ("D", "H", "W"), ("K_D", "K_H", "K_W"), ("O_D", "O_H", "O_W")),
}
PADDINGS = ("valid", "same", "full")


def _whole(value: object, what: str, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise ShapeError(f"{what} must be a whole number, not {value!r}")
    number = int(value.__index__())
    if number < least:
        raise ShapeError(f"{what} must be at least {least}, not {number}")
    return number


def _per_axis(value: Size, rank: int, what: str, least: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, Iterable) else (value,) * rank
    if len(values) != rank:
        raise ShapeError(f"{what} has {len(values)} entries, the layer has {rank} spatial axes")
    return tuple(_whole(v, f"{what}[{a}]" if rank > 1 else what, least) for a, v in enumerate(values))


def _times(values: Iterable[int]) -> str:
    return "x".join(map(str, values))


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
        sizes = [v for v in (self.input, self.kernel) if isinstance(v, Iterable)]
        rank = len(tuple(sizes[0])) if sizes else 1
        if rank not in AXES:
            raise ShapeError(f"a layer has 1, 2 or 3 spatial axes, not {rank}")
        for name, least in (("input", 1), ("kernel", 1), ("stride", 1), ("dilation", 1), ("output_padding", 0)):
            put(self, name, _per_axis(getattr(self, name), rank, name, least))
        for name in ("channels", "filters", "batch", "groups"):
            put(self, name, _whole(getattr(self, name), name, 1))
        for name in ("channels", "filters"):
            if getattr(self, name) % self.groups:
                raise ShapeError(f"groups = {self.groups} does not divide {name} = {getattr(self, name)}")
        if self.activation not in (None, *POINTWISE):
            raise ShapeError(f"unknown activation {self.activation!r}; known: {', '.join(POINTWISE)}")
        put(self, "padding", self._sides(rank))
        self._check_output()

    def _sides(self, rank: int) -> tuple[tuple[int, int], ...]:
        p = self.padding
        if isinstance(p, str):
            if p not in PADDINGS:
                raise ShapeError(f"unknown padding {p!r}; known: {', '.join(PADDINGS)}, or numbers")
            if self.transposed:
                raise ShapeError(f"padding {p!r} has no agreed meaning for a transposed convolution; "
                                 "give it in numbers")
            return tuple(_named_padding(p, *a) for a in zip(*self._axes(), strict=True))
        entries = tuple(p) if isinstance(p, Iterable) else (p,) * rank
        if len(entries) != rank:
            raise ShapeError(f"padding has {len(entries)} entries, the layer has {rank} spatial axes")
        sides = []
        for entry in entries:
            low, high = entry if isinstance(entry, Sequence) and len(entry) == 2 else (entry, entry)
            sides.append((_whole(low, "padding", 0), _whole(high, "padding", 0)))
        return tuple(sides)

    def _axes(self) -> tuple[tuple[int, ...], ...]:
        return self.input, self.kernel, self.stride, self.dilation  # type: ignore[return-value]

    def _check_output(self) -> None:
        for h, k, s, d, (lo, hi), extra in zip(*self._axes(), self.padding, self.output_padding, strict=True):  # type: ignore[call-overload]
            if self.transposed:
                if extra >= max(s, d):
                    raise ShapeError(f"output_padding = {extra} must be smaller than max(stride, dilation) "
                                     f"= max({s}, {d}) = {max(s, d)}")
                if (h - 1) * s - lo - hi + d * (k - 1) + extra + 1 < 1:
                    raise ShapeError(
                        f"no output is left: (H - 1)*S - P_lo - P_hi + D*(K - 1) + output_padding + 1 = "
                        f"({h} - 1)*{s} - {lo} - {hi} + {d}*({k} - 1) + {extra} + 1 "
                        f"= {(h - 1) * s - lo - hi + d * (k - 1) + extra + 1} < 1")
            else:
                if extra:
                    raise ShapeError(f"output_padding = {extra} applies to a transposed convolution only")
                if h + lo + hi < d * (k - 1) + 1:
                    raise ShapeError(
                        f"the kernel is larger than the padded input: it spans D*(K - 1) + 1 = "
                        f"{d}*({k} - 1) + 1 = {d * (k - 1) + 1}, the input has H + P_lo + P_hi = "
                        f"{h} + {lo} + {hi} = {h + lo + hi}")

    @property
    def rank(self) -> int:
        return len(self.input)  # type: ignore[arg-type]

    @property
    def output(self) -> tuple[int, ...]:
        """floor((H + P_lo + P_hi - D*(K-1) - 1)/S) + 1 along each axis;
        transposed (H-1)*S - P_lo - P_hi + D*(K-1) + output_padding + 1."""
        sizes = zip(*self._axes(), self.padding, self.output_padding, strict=True)  # type: ignore[call-overload]
        if self.transposed:
            return tuple((h - 1) * s - lo - hi + d * (k - 1) + e + 1 for h, k, s, d, (lo, hi), e in sizes)
        return tuple((h + lo + hi - d * (k - 1) - 1) // s + 1 for h, k, s, d, (lo, hi), _ in sizes)

    def system(self) -> System:
        """The layer as equations with symbolic sizes, and its numbers."""
        out, ker, gx, gw, n_in, n_ker, n_out = AXES[self.rank]
        batch, group = ["s"] * (self.batch > 1), ["g"] * (self.groups > 1)
        per_group_c, per_group_f = self.channels // self.groups, self.filters // self.groups
        chan, filt = ["c"] * (per_group_c > 1), ["f"] * (per_group_f > 1)
        size = {"s": "N", "g": "G", "c": "C", "f": "F"}

        def shape(outer: list[str], axes: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(size[a] for a in outer) + axes

        def merge(*parts: list[str]) -> tuple[int, ...]:
            return tuple(map(len, parts)) + (1,) * self.rank

        x = Tensor("x", shape(batch + group + chan, n_in), "x", [*batch, *group, *chan, *gx],
                   merge(batch, group + chan))
        first, second = (group + chan, filt) if self.transposed else (group + filt, chan)
        w = Tensor("w", shape(first + second, n_ker), "w", [*first, *second, *gw], merge(first, second))
        b = Tensor("b", shape(group + filt, ()), "b", group + filt, (len(group + filt),))
        name, symbol = ("z", "z") if self.activation else ("y", "o")
        y = Tensor(name, shape(batch + group + filt, n_out), symbol, [*batch, *group, *filt, *out],
                   merge(batch, group + filt), gradient_symbol="delta")

        context, notes = self._context(size, batch + group + chan + filt)
        taps = [(Affine.of(k) - 1 - Affine.of(q)) if self.flip else Affine.of(q)
                for q, k in zip(ker, n_ker, strict=True)]
        place = [s * Affine.of(v) + d * Affine.of(q) - lo for v, q, s, d, (lo, _) in
                 zip(gx if self.transposed else out, ker, self.stride, self.dilation, self.padding, strict=True)]  # type: ignore[arg-type]
        names = {a: Affine.of(a) for a in "sgcf"}
        at_w = w[(*(names[a] for a in first + second), *taps)]
        pre_x, pre_y = [names[a] for a in batch + group + chan], [names[a] for a in batch + group + filt]
        here = [Affine.of(v) for v in out]
        if self.transposed:
            term = (at_w * x[(*pre_x, *map(Affine.of, gx))]).where(
                *(equal(p, v) for p, v in zip(place, here, strict=True)))
        else:
            term = at_w * x[(*pre_x, *place)]
        right: list[object] = [term]
        if self.bias:
            right.append(b[tuple(names[a] for a in group + filt)])
        equations = [Equation(y[(*pre_y, *here)], right, context)]  # type: ignore[arg-type]
        if self.activation:
            equations.append(pointwise(self.activation, equations[0]))
        return System(tuple(equations), (x, w, b) if self.bias else (x, w), self._sizes(size, batch, group, chan, filt),
                      self.name, self.spec(), self.command(), notes)

    def _sizes(self, size: dict[str, str], *used: list[str]) -> tuple[tuple[str, int], ...]:
        numbers = {"s": self.batch, "g": self.groups, "c": self.channels // self.groups,
                   "f": self.filters // self.groups}
        _, _, _, _, n_in, n_ker, n_out = AXES[self.rank]
        spatial = chain(zip(n_in, self.input), zip(n_ker, self.kernel), zip(n_out, self.output))  # type: ignore[arg-type]
        return (*((size[a], numbers[a]) for a in chain(*used)), *spatial)

    def _context(self, size: dict[str, str], outer: list[str]) -> tuple[Context, tuple[tuple[str, str], ...]]:
        _, _, _, _, n_in, n_ker, n_out = AXES[self.rank]
        facts: list[Constraint] = [at_least(size[a], 1) for a in outer]
        notes, definitions = [], []
        axes = zip(n_in, n_ker, n_out, *self._axes(), self.padding, self.output_padding, self.output, strict=True)  # type: ignore[call-overload]
        for h, k, o, n, kn, s, d, (lo, hi), extra, out in axes:
            facts += [at_least(h, 1), at_least(k, 1), at_least(o, 1)]
            rule, definition, reason = (_transposed_size if self.transposed else _output_size)(
                h, k, o, s, d, lo, hi, extra)
            facts += rule
            definitions.append((o, definition))
            numbers = definition.replace(h, str(n), 1) if h == "n" else definition
            notes.append((f"{o} = {definition}", f"{reason}; here {h} = {n}, {k} = {kn} give {o} = {out}"))
            del numbers
        names = [size[a] for a in outer] + [*n_in, *n_ker, *n_out]
        return Context(tuple(names), tuple(facts), tuple(definitions)), tuple(notes)

    @property
    def name(self) -> str:
        """File stem that carries every parameter that is not the default."""
        sides = self.padding
        same = all(lo == hi for lo, hi in sides)  # type: ignore[misc]
        pad = _times(lo for lo, _ in sides) if same else "x".join(f"{lo}_{hi}" for lo, hi in sides)  # type: ignore[misc]
        kind = "convt" if self.transposed else "conv"
        parts = [f"{kind}{self.rank}d", f"n{self.batch}c{self.channels}i{_times(self.input)}",  # type: ignore[arg-type]
                 f"f{self.filters}k{_times(self.kernel)}", f"s{_times(self.stride)}p{pad}"]  # type: ignore[arg-type]
        parts += [f"d{_times(self.dilation)}"] * (max(self.dilation) > 1)  # type: ignore[arg-type,type-var]
        parts += [f"g{self.groups}"] * (self.groups > 1)
        parts += [f"op{_times(self.output_padding)}"] * (max(self.output_padding) > 0)  # type: ignore[arg-type,operator,type-var]
        parts += ["flip"] * self.flip + ["bias"] * self.bias + [self.activation] * bool(self.activation)  # type: ignore[list-item]
        return "_".join(parts)

    def spec(self) -> tuple[tuple[str, str], ...]:
        return (("layer", "Conv"), *((f.name, repr(getattr(self, f.name))) for f in fields(self)))

    def command(self) -> str:
        """The command-line arguments that rebuild this layer."""
        sides = self.padding
        same = all(lo == hi for lo, hi in sides)  # type: ignore[misc]
        pad = _times(lo for lo, _ in sides) if same else "x".join(f"{lo}:{hi}" for lo, hi in sides)  # type: ignore[misc]
        words = [f"--input {_times(self.input)}", f"--kernel {_times(self.kernel)}"]  # type: ignore[arg-type]
        options = [("channels", self.channels, 1), ("filters", self.filters, 1), ("batch", self.batch, 1),
                   ("stride", _times(self.stride), _times((1,) * self.rank)),  # type: ignore[arg-type]
                   ("pad", pad, _times((0,) * self.rank)),
                   ("dilation", _times(self.dilation), _times((1,) * self.rank)),  # type: ignore[arg-type]
                   ("groups", self.groups, 1),
                   ("output-pad", _times(self.output_padding), _times((0,) * self.rank)),  # type: ignore[arg-type]
                   ("activation", self.activation, None)]
        words += [f"--{name} {value}" for name, value, default in options if value != default]
        words += [f"--{flag}" for flag in ("bias", "transposed", "flip") if getattr(self, flag)]
        return " ".join(words)


def _named_padding(name: str, h: int, k: int, s: int, d: int) -> tuple[int, int]:
    span = d * (k - 1)
    if name == "full":
        return span, span
    total = max(0, (-(-h // s) - 1) * s + span + 1 - h) if name == "same" else 0
    return total // 2, total - total // 2


def _padded(h: str, lo: int, hi: int) -> str:
    return f"{h} + {lo} + {hi}" if lo != hi else f"{h} + 2*{lo}" if lo else h


def _times_name(factor: int, text: str) -> str:
    return text if factor == 1 else f"{factor}*{text}"


def _output_size(h: str, k: str, o: str, s: int, d: int, lo: int, hi: int,
                 _extra: int) -> tuple[list[Constraint], str, str]:
    room = Affine.of(h) + (lo + hi) - d * (Affine.of(k) - 1) - 1
    last = s * (Affine.of(o) - 1)
    if s == 1:
        inner = Affine.of(h) + (lo + hi) - d * (Affine.of(k) - 1)
        rule, text = [equal(inner, o)], f"{inner}"
    else:
        rule = [at_least(room, last), at_least(last + (s - 1), room)]
        text = f"floor(({room})/{s}) + 1"
    reason = (f"the window at {o} starts at {_times_name(s, f'({o} - 1)')} and ends "
              f"{_times_name(d, f'({k} - 1)')} later; it has to end inside {_padded(h, lo, hi)} places, "
              f"so {_times_name(s, f'({o} - 1)')} <= {room}")
    return rule, text, reason


def _transposed_size(h: str, k: str, o: str, s: int, d: int, lo: int, hi: int,
                     extra: int) -> tuple[list[Constraint], str, str]:
    size = s * (Affine.of(h) - 1) + d * (Affine.of(k) - 1) + (1 - lo - hi + extra)
    reason = (f"the last input reaches {s}*({h} - 1) + {d}*({k} - 1), of which {lo} places below and {hi} "
              f"above are cut off and {extra} are added")
    return [equal(size, o)], f"{size}", reason


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
        right: list[object] = [w[i, j] * x[(*pre, j)]]
        if self.bias:
            right.append(b[i])
        context = Context((*shape, "p", "q"), tuple(at_least(s, 1) for s in (*shape, "p", "q")))
        equations = [Equation(y[(*pre, i)], right, context)]  # type: ignore[arg-type]
        if self.activation:
            equations.append(pointwise(self.activation, equations[0]))
        sizes = ([("N", self.batch)] if batch else []) + [("p", self.inputs), ("q", self.outputs)]
        return System(tuple(equations), (x, w, b) if self.bias else (x, w), tuple(sizes),
                      self.name, self.spec(), self.command())

    @property
    def name(self) -> str:
        parts = ["dense", f"n{self.batch}", f"i{self.inputs}o{self.outputs}"]
        return "_".join(parts + ["bias"] * self.bias + [self.activation] * bool(self.activation))  # type: ignore[list-item]

    def spec(self) -> tuple[tuple[str, str], ...]:
        return (("layer", "Dense"), *((f.name, repr(getattr(self, f.name))) for f in fields(self)))

    def command(self) -> str:
        words = [f"--dense {self.inputs}x{self.outputs}"]
        words += [f"--batch {self.batch}"] * (self.batch > 1) + ["--bias"] * self.bias
        return " ".join(words + [f"--activation {self.activation}"] * bool(self.activation))
