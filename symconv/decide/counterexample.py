"""A difference between two polynomials as a worked example: contents for the tensors, and both values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from math import prod

from symconv.decide.decision import Counterexample
from symconv.decide.enumerate import Atom, Index, Monomial, Polynomial, Work, differences
from symconv.decide.interpretations import Interpretation, Number, apply, base_name, interpretations
from symconv.decide.sizes import sizes_of
from symconv.equation import Equation, Signal, Tensor

FEW = 24  # numbers a reader takes in: tensors are filled up to this many elements
MANY = 10_000  # elements from which a tensor is told by its few values
TRIES = 40  # contents for one difference
DIFFERENCES = 12  # tried until numbers tell them apart through a function
WORK = 60_000
TOLERANCE = 1e-6  # of the sum of the absolute terms: a smaller difference of floats counts as none
Contents = dict[tuple[str, Index], int]


def smallest_difference(left: Equation, right: Equation, *,
                        among: Iterable[Mapping[str, int]] | None = None) -> Counterexample | None:
    """The first difference that numbers show, over `among` or the smallest sizes the context allows.

    None also where every difference found may lie in what a pointwise function is.

    Raises:
        NotSupported: an index has no bounds.
        LimitExceeded: the sums are too long to be written out.
    """
    tensors = tuple(dict.fromkeys((*left.reads, *right.reads)))
    tried = 0
    for sizes in sizes_of(left.context) if among is None else among:
        for index, p, q in differences(left, right, sizes, Work(WORK)):
            if tried >= DIFFERENCES:
                return None
            tried += 1
            found = counterexample(sizes, index, p, q, tensors)
            if found is not None:
                return found
    return None


def counterexample(sizes: Mapping[str, int], index: Index, claimed: Polynomial, actual: Polynomial,
                   tensors: Sequence[Tensor]) -> Counterexample | None:
    """Numbers that make the two values differ.

    None when the difference may lie in what a pointwise function is: for some function an author
    may have in mind no contents were found that tell the values apart.
    """
    apart = {m: c for m in {**claimed, **actual} if (c := claimed.get(m, Fraction(0)) - actual.get(m, Fraction(0)))}
    chosen = min(apart, key=lambda m: (len(set(m)), len(m), sum(abs(n) for _, _, i in m for n in i), m))
    functions = sorted({base_name(f)[0] for m in apart for _, f, _ in m if f})
    every = sorted({base_name(f)[0] for m in (*claimed, *actual) for _, f, _ in m if f})
    fills = list(islice(_fills(_elements(tensors, sizes), chosen, apart), TRIES))
    found: tuple[Contents, dict[str, Interpretation]] | None = None
    for meaning in interpretations(every) if functions else islice(interpretations(every), 1):
        hit = next((f for f in fills if _tells(apart, f, meaning)), None)
        if hit is None:
            return None
        found = found or (hit, meaning)
    assert found is not None
    contents, meaning = found
    ours, theirs = value(claimed, contents, meaning), value(actual, contents, meaning)
    if ours is None or theirs is None:
        return None
    return Counterexample(tuple(sizes.items()), index, _shown(tensors, sizes, contents), _plain(ours), _plain(theirs),
                          monomial_text(chosen), tuple((f, meaning[f].text) for f in every))


def value(p: Polynomial, contents: Contents, meaning: dict[str, Interpretation]) -> Number | None:
    """The polynomial in numbers; None when a function has no value there."""
    found = _terms(p, contents, meaning)
    return None if found is None else sum(found)


def _tells(apart: Polynomial, contents: Contents, meaning: dict[str, Interpretation]) -> bool:
    """Is the difference of the sides other than zero, for certain?"""
    found = _terms(apart, contents, meaning)
    if found is None:
        return False
    if any(isinstance(v, float) for v in found):
        floats = [float(v) for v in found]
        return abs(sum(floats)) > TOLERANCE * sum(map(abs, floats))
    return sum(found) != 0


def _terms(p: Polynomial, contents: Contents, meaning: dict[str, Interpretation]) -> list[Number] | None:
    found: list[Number] = []
    for monomial, c in p.items():
        v: Number = c
        for name, function, index in monomial:
            x: Number | None = contents.get((name, index), 0)
            if function and x is not None:
                x = apply(function, x, meaning)
            if x is None:
                return None
            v = v * x
        found.append(v)
    return found


def monomial_text(m: Monomial) -> str:
    """As in `w[0] * x[2]`."""
    return " * ".join(_atom_text(a) for a in m) or "1"


def _atom_text(a: Atom) -> str:
    name, function, index = a
    text = f"{name}[{', '.join(map(str, index))}]" if index else name
    return f"{function}({text})" if function else text


def _plain(v: Number) -> Number:
    return int(v) if isinstance(v, Fraction) and v.denominator == 1 else v


def _elements(tensors: Sequence[Tensor], sizes: Mapping[str, int]) -> list[tuple[str, Index]]:
    """All elements of all tensors where they are few; none where signals or large tensors take part."""
    if any(isinstance(t, Signal) for t in tensors) or sum(_count(t, sizes) for t in tensors) > FEW:
        return []
    return [(t.name, i) for t in tensors for i in product(*(range(e.evaluate(sizes)) for e in t.shape))]


def _count(t: Tensor, sizes: Mapping[str, int]) -> int:
    return prod(max(0, e.evaluate(sizes)) for e in t.shape)


def _fills(everything: Sequence[tuple[str, Index]], chosen: Monomial, apart: Polynomial) -> Iterator[Contents]:
    """Everything filled with 1, 2, 3... where it is little, else what the difference touches."""
    touched = sorted({(name, i) for m in apart for name, _, i in m})
    few = sorted({(name, i) for name, _, i in chosen})
    if everything:
        yield {e: n + 1 for elements in _grouped(everything) for n, e in enumerate(elements)}
        yield {e: n % 3 + 1 for n, e in enumerate(everything)}
        yield {e: (n * n + 3 * n) % 7 - 3 or 2 for n, e in enumerate(everything)}
    yield dict.fromkeys(few, 1)
    for numbers in product((2, 1, -1, 3, -2), repeat=min(len(few), 3)):
        yield {e: numbers[n % len(numbers)] for n, e in enumerate(few)} if few else {}
        if not few:
            return
    yield {e: n + 1 for n, e in enumerate(touched)}


def _grouped(everything: Sequence[tuple[str, Index]]) -> list[list[tuple[str, Index]]]:
    names = dict.fromkeys(n for n, _ in everything)
    return [[e for e in everything if e[0] == n] for n in names]


def _shown(tensors: Sequence[Tensor], sizes: Mapping[str, int], contents: Contents) -> tuple[tuple[str, object], ...]:
    return tuple((t.name, _nested(t, sizes, contents)) for t in tensors)


def _nested(t: Tensor, sizes: Mapping[str, int], contents: Contents) -> object:
    if isinstance(t, Signal) or _count(t, sizes) > MANY:
        return tuple(sorted((i, v) for (name, i), v in contents.items() if name == t.name and v))

    def level(index: Index) -> object:
        if len(index) == len(t.shape):
            return contents.get((t.name, index), 0)
        return tuple(level((*index, n)) for n in range(t.shape[len(index)].evaluate(sizes)))

    return level(())
