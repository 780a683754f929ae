"""How NumPy multiplies and sums a few arrays whose axes are named: product, sum, matmul or einsum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

from symconv.affine import Affine
from symconv.equation import Access

# Nanoseconds on a desktop core, one thread, arrays in cache. Only the ratios matter.
CALL = 500.0  # one NumPy call from Python
COPY = 0.15  # one float read and written
ELEMENT = 0.25  # one float read, combined and written
FAR, CACHE = 0.15, 250_000  # one float more than the cache holds, and how many that are
RUN, COPY_RUN = 2.0, 1.0  # starting a run of the innermost axis, for arithmetic and for a copy
MULTIPLY_ADD = 0.015  # inside BLAS
MULTIPLY_ADD_PLAIN = 1.0  # in matrix products without BLAS
EINSUM_RUN, EINSUM = 3.0, 0.1  # starting a run that all operands share, one product in it
EINSUM_STRIDED = 2.0  # one product when they share none
MATRIX = 100.0  # one matrix of a stack
GEMV = 0.04  # matrix element when there is nothing to reuse
PACK = 0.15  # matrix element BLAS rearranges before it multiplies


def slides(f: Access, names: frozenset[str]) -> bool:
    """The factor is no plain slice over `names`: two share an axis, or one occurs in two axes."""
    used = [n for e in f.indices for n in e.names & names]
    return len(set(used)) < len(used) or any(len(e.names & names) > 1 for e in f.indices)


def lies_whole(f: Access, extents: Mapping[str, int]) -> bool:
    """The factor reads every element of its array once, in order."""
    for e, n in zip(f.indices, f.tensor.extents, strict=True):
        names = [v for v in e.names if v in extents]
        if (e != Affine.of(names[0]) or extents[names[0]] != n) if names else (n != 1 or e != Affine.of(0)):
            return False
    return not slides(f, frozenset(extents))


def pass_cost(elements: int, run: int) -> float:
    return elements * (ELEMENT + RUN / max(run, 1))


@dataclass(frozen=True, slots=True)
class Contraction:
    """The operation, the axis order each operand is brought to, and what it is estimated to cost.

    Args:
        kind: 'product', 'sum', 'matmul' or 'einsum'.
        dims: the names along the axes of each operand, masks last.
        stack, left, inner, right: for matmul, stack+left+inner times stack+inner+right.
        turned: for matmul, which operands are laid out with their last two groups exchanged.
        swapped: for matmul, the second operand stands on the left.
    """

    kind: str
    dims: tuple[tuple[str, ...], ...]
    cost: float
    shape: tuple[int, int, int, int] = (1, 1, 1, 1)
    stack: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    right: tuple[str, ...] = ()
    turned: tuple[bool, bool] = (False, False)
    swapped: bool = False

    def __repr__(self) -> str:
        if self.kind != "matmul":
            return {"product": "multiply elementwise", "sum": "sum", "einsum": "einsum"}[self.kind]
        s, m, k, n = self.shape
        return f"{f'{s} times ' if s > 1 else ''}{m}x{k} @ {k}x{n}"


def contract(factors: Sequence[Access], masks: Sequence[tuple[str, ...]], out: tuple[str, ...],
             extents: Mapping[str, int], blas: bool) -> Contraction:
    """The cheapest way to get `out` from these factors."""
    names = frozenset(extents)
    sliding = [slides(f, names) for f in factors]
    dims = [_order(f, s, out, extents) for f, s in zip(factors, sliding, strict=True)]
    used = {n for d in (*dims, *masks) for n in d}
    everything = prod(extents[n] for n in used)
    summed = used - set(out)
    result = prod(extents[n] for n in out)
    run = extents[out[-1]] if out else 1
    if not summed:
        passes = max(1, len(dims) + len(masks) - 1)
        return Contraction("product", (*map(tuple, dims), *masks), passes * (CALL + pass_cost(result, run)))
    if len(dims) == 1 and not masks:
        return Contraction("sum", (dims[0],), 2 * CALL + pass_cost(everything, extents[dims[0][-1]]))
    plain = Contraction("einsum", (*map(tuple, dims), *masks),
                        3.5 * CALL + everything * _einsum_each((*dims, *masks), any(sliding), extents))
    if len(dims) == 2 and not masks and set(dims[0]) & set(dims[1]) - set(out):
        return min(plain, _matmul(factors, dims, sliding, out, extents, blas), key=lambda c: c.cost)
    return plain


def _einsum_each(dims: Sequence[tuple[str, ...]], sliding: bool, extents: Mapping[str, int]) -> float:
    """Nanoseconds for one product: einsum is quick along an axis that is the last one of every operand."""
    last = {d[-1] for d in dims if d}
    return EINSUM_STRIDED if sliding or len(last) != 1 else EINSUM + EINSUM_RUN / extents[last.pop()]


def _order(f: Access, sliding: bool, out: tuple[str, ...], extents: Mapping[str, int]) -> tuple[str, ...]:
    """Axes of a slice come as the array has them; a window is free to choose: sums first, then outputs."""
    own = [n for e in f.indices for n in _by_step(e) if n in extents]
    if not sliding:
        return tuple(own)
    unique = list(dict.fromkeys(own))
    return tuple([n for n in unique if n not in out] + [n for n in out if n in unique])


def _by_step(e: Affine) -> list[str]:
    return [m[0] for m, _ in e if m]


def _matmul(factors: Sequence[Access], dims: Sequence[tuple[str, ...]], sliding: Sequence[bool],
            out: tuple[str, ...], extents: Mapping[str, int], blas: bool) -> Contraction:
    own = [set(d) for d in dims]
    alone = [[n for n in d if n not in own[1 - at] and n not in out] for at, d in enumerate(dims)]
    batch = [n for n in out if n in own[0] and n in own[1]]
    free = [n for n in out if n not in batch and n in own[0] | own[1]]
    owner = {n: 0 if n in own[0] else 1 for n in free}
    runs = [n for at, n in enumerate(free) if at == 0 or owner[n] != owner[free[at - 1]]]
    ahead = free[:free.index(runs[1])] if len(runs) == 3 else []
    if prod(extents[n] for n in free if n not in ahead) < 1000:
        ahead = []
    rest = [n for n in free if n not in ahead]
    first = owner[rest[0]] if rest else 0
    stack = (*batch, *ahead)
    left = tuple(n for n in rest if owner[n] == first)
    right = tuple(n for n in rest if owner[n] != first)
    guide = dims[1] if sliding[0] else dims[0]
    inner = tuple(n for n in guide if n in own[0] & own[1] and n not in out)
    pair = (first, 1 - first)
    size = {g: prod(extents[n] for n in g) for g in (stack, left, inner, right)}
    s, m, k, n = size[stack], size[left], size[inner], size[right]
    copies, turned, orders = 0.0, [False, False], [dims[0], dims[1]]
    for side, at in enumerate(pair):
        mine = tuple(v for v in stack if v in own[at])
        last, before = (inner, left) if side == 0 else (right, inner)
        best, flip, order = min((_copy_cost(factors[at], dims[at], sliding[at], o, extents), t, o)
                                for t, o in ((False, mine + before + last), (True, mine + last + before)))
        copies += best + (CALL + ELEMENT * prod(extents[v] for v in own[at]) if alone[at] else 0)
        turned[at], orders[at] = flip, order
    ordered = (*stack, *left, *right) == tuple(n for n in out if n in stack + left + right)
    turn = 0.0 if ordered else pass_cost(s * m * n, 1)
    products = (s - 1) * MATRIX + s * _product_cost(m, k, n, blas) + _store_cost(s * m * n, max(m, n))
    cost = CALL + copies + products + turn
    return Contraction("matmul", (tuple(orders[0]), tuple(orders[1])), cost, (s, m, k, n), stack, left, inner, right,
                       (turned[0], turned[1]), first == 1)


def _store_cost(size: int, run: int) -> float:
    return size * (COPY + COPY_RUN / run + (FAR if size > CACHE else 0))


def _product_cost(m: int, k: int, n: int, blas: bool) -> float:
    if not blas:
        return MULTIPLY_ADD_PLAIN * m * k * n
    if m == 1 or n == 1:
        return GEMV * k * max(m, n)
    return MULTIPLY_ADD * m * k * n + PACK * (m * k + k * n)


def _copy_cost(f: Access, dims: tuple[str, ...], sliding: bool, order: tuple[str, ...],
               extents: Mapping[str, int]) -> float:
    """What it takes to lay an operand out in this order, nothing when it lies there like that."""
    whole = lies_whole(f, extents)
    kept = tuple(n for n in dims if n in order)
    if not sliding and whole and kept == order:
        return 0.0
    run = extents[order[-1]] if order and f.indices and f.indices[-1].coefficient(order[-1]) else 1
    return CALL + _store_cost(prod(extents[n] for n in order), run)
