"""What a result is, found by comparing it with a table of named equations.

The relation between indices is read off axis by axis; that proposes the parameters of a named
equation, which is then written down from the table's own definition. The name is given only
when the prover shows the two equal for all sizes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from symconv.affine import Affine, Constraint, equal
from symconv.decide.named import CONVOLUTIONS, PRODUCTS, Convolution, Product, Size
from symconv.decide.prover import prove_equal
from symconv.decide.relation import Link, links, moved, same, settled
from symconv.equation import Access, Equation, Term

LABELS = {"s": "the batch", "c": "channels", "f": "filters", "g": "groups"}
EACH = {"g": "in each group", "s": "for each sample"}


def name_of(equation: Equation) -> str | None:
    """What the equation computes, in words, or None when no named equation is proved equal.

    Terms are named one by one; a bias reads `... plus b`.
    """
    names = []
    for t in equation.terms:
        name = _term_name(Equation(equation.left, t, equation.context), t, alone=len(equation.terms) == 1)
        if name is None:
            return None
        names.append(name)
    text = names[0] if names else None
    for name in names[1:]:
        text = f"{text}{',' * (',' in str(text))} plus {name}"
    return text


def _term_name(part: Equation, term: Term, alone: bool) -> str | None:
    if term.coefficient != 1:
        return None
    if len(term.factors) == 1:
        return _single(part, term, alone)
    if len(term.factors) != 2:
        return None
    cases = []
    for a, b in _orders(term):
        found = links(part, term, {"a": a, "b": b})
        if found is None or any(k.kind not in ("oa", "ob", "ab", "oab") for k in found):
            return None
        cases.append(Case(part, a, b, tuple(found)))
    return _convolution(cases) if cases[0].spatial else _product(cases)


def _orders(term: Term) -> tuple[tuple[Access, Access], ...]:
    """Both roles for both factors. First as data: the upstream gradient, else the factor read at a
    compound index, else the later one."""
    first, second = term.factors
    if not first.tensor.gradient_of and (_compound(second) or not _compound(first)):
        first, second = second, first
    return (first, second), (second, first)


def _compound(a: Access) -> bool:
    return any(len(e.items) > 1 for e in a.indices)


@dataclass(frozen=True)
class Case:
    """A product of two accesses, its axes related: a plays the data, b the kernel."""

    part: Equation
    a: Access
    b: Access
    links: tuple[Link, ...]

    @property
    def spatial(self) -> tuple[Link, ...]:
        return tuple(k for k in self.links if not same(k))

    @property
    def outer(self) -> tuple[Link, ...]:
        return tuple(k for k in self.links if same(k))

    def extent(self, which: str, link: Link) -> Affine:
        tensor = {"o": self.part.output, "a": self.a.tensor, "b": self.b.tensor}[which]
        return tensor.shape[link.axis(which)]

    def sums(self) -> list[str]:
        """What is summed over besides taps."""
        return [self.word(k, LABELS) for k in self.outer if "o" not in k.kind]

    def each(self) -> list[str]:
        return [self.word(k, EACH, "for each ") for k in self.outer if k.kind == "oab"]

    def word(self, link: Link, words: dict[str, str], prefix: str = "") -> str:
        name = str(self.a.indices[link.axis("a")])
        return words.get(name, prefix + name)


def shown(a: Access) -> str:
    """`delta`, `x`, `dL/dh`, `sigma'(z)`."""
    t = a.tensor
    name = f"dL/d{t.gradient_of}" if t.gradient_of and t.symbol == t.name else t.symbol
    return f"{a.function}({name})" if a.function else name


def _convolution(cases: Sequence[Case]) -> str | None:
    """The reading with least padding that is proved; of equals, one that reverses nothing, then the
    one with the likelier data, then the first row of the table."""
    readings: list[tuple[tuple[int, ...], Convolution, Case, list[Size]]] = []
    for order, case in enumerate(cases):
        if case.a.function or case.b.function:
            return None
        for place, row in enumerate(CONVOLUTIONS):
            if sizes := _read(row, case):
                rank = sum(z.p for z in sizes), int(row.signs[0] < 0), order, place
                readings.append((rank, row, case, sizes))
    for _, row, case, sizes in sorted(readings, key=lambda r: r[0]):
        if prove_equal(case.part, _written(row, case, sizes)).proved:
            return _phrase(row, case, sizes)
    return None


def _read(row: Convolution, case: Case) -> list[Size] | None:
    """The row's parameters along every spatial axis, or None where it does not fit."""
    found = []
    for link in case.spatial:
        solved = moved(link, "a" if row.data else "o")
        if solved is None or any(c * sign < 0 for c, sign in zip(solved[:2], row.signs, strict=True)):
            return None
        z = Size(case.extent("b", link), case.extent("o", link), abs(solved[0]), abs(solved[1]), 0)
        if row.unit_stride and z.s != 1:
            return None
        p = settled(row.padding(solved[2], z), case.part.context.constraints)
        if p is None or p < 0 or not _natural(row, case, link, z, p):
            return None
        z = replace(z, p=p)
        if row.cropped and _high(row, case, link, z) is None:
            return None
        found.append(z)
    return found


def _natural(row: Convolution, case: Case, link: Link, z: Size, p: int) -> bool:
    """With sizes in numbers almost any reading fits with enough padding: keep those in which the
    kernel overlaps the data everywhere, and of padding and cropping the smaller."""
    data = case.extent("a", link)
    if not z.K.is_constant or not data.is_constant:
        return True
    full = z.d * (z.K.constant - 1)
    if row.cropped:
        return 2 * p < full or (2 * p == full and bool(case.a.tensor.gradient_of))
    return p <= full and (row.data is None or full < data.constant + 2 * p)


def _written(row: Convolution, case: Case, sizes: Sequence[Size]) -> Equation:
    """The row's definition with these parameters, as an equation over the same tensors."""
    index: dict[str, list[Affine]] = {
        "o": [Affine()] * len(case.part.indices), "a": [Affine()] * len(case.a.indices),
        "b": [Affine()] * len(case.b.indices)}
    conditions: list[Constraint] = []
    for n, link in enumerate(case.outer):
        for which, axis in link.axes:
            index[which][axis] = Affine.of(f"v{n}")
    for n, (link, z) in enumerate(zip(case.spatial, sizes, strict=True)):
        o, i, t = (Affine.of(f"{v}{n}") for v in "oit")
        index["o"][link.axis("o")] = o
        index["b"][link.axis("b")] = row.kernel(t, z)
        index["a"][link.axis("a")] = row.data(o, t, z) if row.data else i
        if row.result:
            conditions.append(equal(o, row.result(i, t, z)))
    factors = (replace(case.a, indices=tuple(index["a"])), replace(case.b, indices=tuple(index["b"])))
    return Equation(case.part.output[tuple(index["o"])], Term(factors, constraints=tuple(conditions)),
                    case.part.context)


def _phrase(row: Convolution, case: Case, sizes: Sequence[Size]) -> str:
    high = [_high(row, case, link, z) for link, z in zip(case.spatial, sizes, strict=True)]
    dilated = bool(case.b.tensor.gradient_of) and any(z.d > 1 for z in sizes)
    kernel = shown(case.b) + (f" dilated by {_each(z.d for z in sizes)}" if dilated else "")
    text = row.name.format(a=shown(case.a), b=kernel)
    details = [f"stride {_each(z.s for z in sizes)}"] * any(z.s > 1 for z in sizes)
    details += [f"dilation {_each(z.d for z in sizes)}"] * (not dilated and any(z.d > 1 for z in sizes))
    sides = [(z.p, z.p if h is None else h) for z, h in zip(sizes, high, strict=True)]
    extra = [lo - hi for lo, hi in sides] if row.result else []
    if any(e > 0 for e in extra):
        sides = [(lo, max(lo, hi)) for lo, hi in sides]
    amount = _each(str(lo) if lo == hi else f"({lo}, {hi})" for lo, hi in sides)
    used = any(lo or hi for lo, hi in sides)
    details += [f"padding {amount}"] * (used and not row.cropped)
    details += [f"output padding {_each(max(e, 0) for e in extra)}"] * any(e > 0 for e in extra)
    if None in high:
        details.append(f"output size {' x '.join(str(z.E) for z in sizes)}")
    text += f" ({', '.join(details)})" if details else ""
    text += f", cropped by {amount}" if used and row.cropped else ""
    text += f", summed over {' and '.join(case.sums())}" if case.sums() else ""
    return ", ".join([text, *case.each()])


def _each(values: Iterator[object] | Sequence[object]) -> str:
    """`2`, or `2x1` where axes differ."""
    words = [str(v) for v in values]
    return words[0] if len(set(words)) == 1 else "x".join(words)


def _high(row: Convolution, case: Case, link: Link, z: Size) -> int | None:
    """Padding (or cropping) at the far end, where the result's extent settles it for all sizes."""
    known, data = case.part.context.constraints, case.extent("a", link)
    span = z.d * (z.K - 1)
    if row.result:
        high = settled(z.s * (data - 1) + span + 1 - z.p - z.E, known)
        return None if high is None or z.p - high >= max(z.s, z.d, 2) else high
    if row.cropped:
        high = settled(data + span - z.p - z.E, known)
        return None if high is None or high < 0 else high
    room = data + z.p - span - 1 - z.s * (z.E - 1)
    least = settled(-room, known)
    if least is not None:  # with a stride, several paddings give the same extent
        choice = z.p if least <= z.p < least + z.s else max(least, 0)
        return choice if choice < least + z.s else None
    return next((r.constant for c in known if not c.equality
                 and (r := c.expression - room).is_constant and r.constant >= 0
                 and Constraint(-c.expression + (z.s - 1)) in known), None)


def _product(cases: Sequence[Case]) -> str | None:
    """Products without taps: every index is carried as it is."""
    if not prove_equal(cases[0].part, _written(CONVOLUTIONS[0], cases[0], ())).proved:
        return None
    if all(k.kind == "oab" for k in cases[0].links):
        a, b = cases[0].part.terms[0].factors
        return f"pointwise product of {shown(a)} and {shown(b)}"
    named = (_product_phrase(row, case) for row in PRODUCTS for case in cases)
    return next(filter(None, named), None) or _contraction(cases[0])


def _product_phrase(row: Product, case: Case) -> str | None:
    """The row's name where the factors, in this order, share axes as it says."""
    ranks = len(case.a.indices), len(case.b.indices)
    first = next((k.kind for k in case.links if "o" in k.kind), "oa")
    if tuple(sorted(k.kind for k in case.links)) != row.kinds or ranks != row.ranks or first != "oa":
        return None
    shared = next((k for k in case.links if k.kind == "ab"), None)
    turned_a = shared is not None and ranks[0] == 2 and shared.axis("a") == 0
    turned_b = shared is not None and ranks[1] == 2 and shared.axis("b") == 1
    a, b = shown(case.a), shown(case.b)
    return row.name.format(a=a, b=b, A=a + "^T" * turned_a, B=b + "^T" * turned_b,
                           transposed="transposed " * turned_a)


def _contraction(case: Case) -> str:
    a, b = case.part.terms[0].factors
    over = f" over {' and '.join(case.sums())}" if case.sums() else ""
    what = "contraction" if over else "tensor product"
    return ", ".join([f"{what} of {shown(a)} and {shown(b)}{over}", *case.each()])


def _single(part: Equation, term: Term, alone: bool) -> str | None:
    """One tensor: copied, spread out, mapped or summed."""
    a = term.factors[0]
    found = links(part, term, {"a": a})
    if found is None or not all(map(same, found)) or any(k.kind not in ("oa", "o", "a") for k in found):
        return None
    case = Case(part, a, a, tuple(found))
    summed = [str(a.indices[k.axis("a")]) for k in found if k.kind == "a"]
    index = {which: [Affine()] * n for which, n in (("o", len(part.indices)), ("a", len(a.indices)))}
    for n, link in enumerate(found):
        for which, axis in link.axes:
            index[which][axis] = Affine.of(f"v{n}")
    candidate = Equation(part.output[tuple(index["o"])], replace(a, indices=tuple(index["a"])), part.context)
    if not prove_equal(part, candidate).proved:
        return None
    if summed:
        return f"sum of {shown(case.a)} over {', '.join(LABELS.get(n, n) for n in summed)}"
    if a.function and alone:
        return f"{a.function} of each element of {shown(replace(a, function=''))}"
    return f"copy of {shown(a)}" if alone else shown(a)
