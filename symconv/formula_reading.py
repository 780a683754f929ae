"""Reading formulas as definitions: every formula defines its left-hand side, and anything unclear is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from symconv.affine import Affine, Constraint, at_least
from symconv.claims.directives import directive
from symconv.claims.letters import children
from symconv.claims.opened import Opened
from symconv.claims.outcome import Outcome
from symconv.claims.raw import Raw, plain
from symconv.claims.scope import Definition, Scope
from symconv.claims.session import Session
from symconv.claims.spelling import reference
from symconv.claims.words import key
from symconv.errors import NotationError
from symconv.formula_equations import in_order
from symconv.notation import nodes as n
from symconv.notation.as_text import TEXT
from symconv.notation.parser import Statement, parse

NO_DEFINITION = "this defines no tensor; to check a claim use: symconv verify --claim"


class FormulaError(NotationError):
    """A formula that cannot be made into equations; its message shows the place."""

    def __init__(self, latex: str, reason: str, at: int = -1) -> None:
        super().__init__(reason, at)
        first = latex.rfind("\n", 0, max(at, 0)) + 1
        line = latex[first:].split("\n")[0]
        caret = "\n  " + " " * (min(at, len(latex)) - first) + "^" if at >= 0 else ""
        self.args = (f"{reason}\n  {line}{caret}",)


class _Arrays(set[str]):
    """Names written as functions, f(i, j): in what is to be computed they are arrays, and never added."""

    def add(self, name: str) -> None:
        """Leave it out."""


class _Definitions(Session):
    """A session that takes definitions and decides nothing."""

    def claim(self, opened: Opened, left: n.Node, right: n.Node, s: Statement) -> Outcome:
        """An equality that defines nothing new."""
        raise NotationError(NO_DEFINITION, -1)

    def expression(self, body: n.Node, s: Statement) -> list[Outcome]:
        """A formula without a left-hand side."""
        raise NotationError(NO_DEFINITION, -1)


@dataclass(frozen=True)
class Reading:
    """Formulas that were understood.

    Args:
        definitions: in the order they are computed; the last one is the result.
        inputs: what the definitions read and do not make, in order of first appearance.
        spelled: how the author writes names with labels and accents.
        conventions: what was taken for granted.
    """

    scope: Scope
    definitions: tuple[Definition, ...]
    inputs: tuple[str, ...]
    spelled: Mapping[str, str]
    conventions: tuple[str, ...]

    def terms(self) -> list[tuple[str, Raw]]:
        return [(d.name, t) for d in self.definitions for t in d.terms]

    @property
    def base(self) -> int:
        """Where most axes begin, 0 or 1."""
        lows = [a.low for name in dict.fromkeys(v for d in self.definitions for v in (d.name, *sorted(d.reads)))
                if (array := self.scope.array(name)) for a in array.axes]
        return 0 if lows.count(Affine.of(0)) > lows.count(Affine.of(1)) else 1


def read(texts: Sequence[str]) -> Reading:
    """Read formulas that define what they name, whatever their order; directives such as `x: n`, `zero outside`
    or `* is cross-correlation` may stand among them.

    Raises:
        FormulaError: one of them is not understood or defines nothing.
    """
    session = _Definitions(Scope(called=_Arrays()), given=True)
    said = [(text, s) for text in texts if not directive(session.scope, text) for s in _parsed(text)]
    sized = [p for p in said if session.order(p[1]) == 0]
    rest = [p for p in said if p not in sized]
    for text, s in sized:
        _take(session, text, s)
    session.scope.functions |= {word for _, s in rest for word in _functions(s.body)}
    conventions: dict[str, None] = {}
    result = ""
    for text, s in _sorted(session, rest):
        before = set(session.scope.definitions)
        _take(session, text, s)
        result = _left(session, s) or result
        _check_single(session.scope, text, s, result)
        _check_fresh(text, set(session.scope.definitions) - before - {result}, [s for _, s in rest])
        conventions |= dict.fromkeys(v for v in session.scope.notes if v != "zero")
    if not result:
        raise FormulaError(texts[-1], "no formula defines a tensor by its indices, as o_i = \\sum_j w_j x_{i+j-1} does")
    scope = session.scope
    order = list(in_order(scope.definitions, result))
    for text, s in rest:
        name = _left(session, s)
        if name and name not in order:
            raise FormulaError(text, f"{name} is defined and the last formula does not depend on it")
    made = tuple(scope.definitions[v] for v in order if v in scope.definitions)
    spelled = {k: v for _, s in rest for k, v in _spellings(s.body)}
    return Reading(scope, made, tuple(v for v in order if v not in scope.definitions), spelled, tuple(conventions))


def _parsed(text: str) -> tuple[Statement, ...]:
    try:
        return parse(text)
    except NotationError as e:
        raise FormulaError(text, e.reason, e.at) from None


def _take(session: Session, text: str, s: Statement) -> None:
    """Let the session read one statement, which has to be a definition with nothing unclear about it."""
    for o in session.statement(s):
        _accept(text, s, o)
    left = next((v for v in session.scope.notes if v.startswith("a side condition")), "")
    if left:
        raise FormulaError(text, left, s.end)
    try:
        _check_conditions(session.scope, text, s)
    except NotationError as e:
        raise FormulaError(text, e.reason, e.at) from None


def _accept(text: str, s: Statement, o: Outcome) -> None:
    if o.remarks:
        raise FormulaError(text, o.remarks[0].message, o.remarks[0].at)
    if o.verdict == "definition":
        return
    raise FormulaError(text, o.judgement.reason or NO_DEFINITION, o.at if o.at >= 0 else s.start)


def _check_conditions(scope: Scope, text: str, s: Statement) -> None:
    """Conditions give the range of single indices or facts about sizes; what restricts more is refused."""
    if not s.conditions:
        return
    opened = Opened(scope, 1, s.body)
    reader = opened.reader()
    target = _target(s)
    name = reference(reader, target).name if target else ""
    array, definition = scope.array(name), scope.definitions.get(name)
    places = {plain(v): a for v, a in zip(definition.letters, array.axes, strict=True)} if array and definition else {}
    letters = set(opened.letters.values())
    for c in opened.conditions(s, reader):
        moving = letters & c.expression.names
        if not moving:
            scope.facts.append(c)
            continue
        ranges = [at_least(v, a.low) for v in moving if (a := places.get(plain(v)))]
        ranges += [at_least(a.last, v) for v in moving if (a := places.get(plain(v))) and a.last is not None]
        if c not in ranges:
            raise FormulaError(text, f"the condition {_shown(c)} is no range of one index with two ends, such as "
                                     "i = 1, \\dots, n", s.end)


def _check_single(scope: Scope, text: str, s: Statement, name: str) -> None:
    """An index that could take one value only, because everything read has to exist, needs its range stated."""
    array, definition = scope.array(name), scope.definitions.get(name)
    if s.conditions or array is None or definition is None:
        return
    for letter, a in zip(definition.letters, array.axes, strict=True):
        if a.extent == Affine.of(1):
            raise FormulaError(text, f"only one value of {plain(letter)} lets everything exist that is read; state "
                                     f"its range after the formula, such as , \\quad {plain(letter)} = 0, \\dots, 5",
                               s.start)


def _shown(c: Constraint) -> str:
    e = Affine.build({tuple(map(plain, m)): value for m, value in c.expression})
    return f"{e} {'=' if c.equality else '>='} 0"


def _target(s: Statement) -> n.Node | None:
    return s.body.items[0] if isinstance(s.body, n.Chain) else None


def _left(session: Session, s: Statement) -> str:
    """What the statement defines, where it is a tensor."""
    target = _target(s)
    if target is None:
        return ""
    try:
        name = reference(Opened(session.scope, 1, s.body).reader(), target).name
    except NotationError:
        return ""
    return name if name not in session.scope.upstream else ""


def _sorted(session: Session, said: Sequence[tuple[str, Statement]]) -> Iterator[tuple[str, Statement]]:
    """Each definition after those it reads.

    Raises:
        FormulaError: a tensor is defined twice, or through itself.
    """
    made = [(_left(session, s), text, s) for text, s in said]
    for at, (name, text, s) in enumerate(made):
        if name and any(name == earlier for earlier, _, _ in made[:at]):
            raise FormulaError(text, f"{name} is defined twice", s.start)
    while made:
        open_ = {name for name, _, _ in made if name}
        ready = next((i for i, (name, _, s) in enumerate(made) if not _reads(session, s) & (open_ - {name})), None)
        name, text, s = made.pop(ready or 0)
        if ready is None or name in _reads(session, s):
            raise FormulaError(text, f"{name} is defined through itself", s.start)
        yield text, s


def _reads(session: Session, s: Statement) -> set[str]:
    """The names on the right, as the reader calls them."""
    if not isinstance(s.body, n.Chain):
        return set()
    opened = Opened(session.scope, 1, s.body)
    return {name for right in s.body.items[1:] if not isinstance(right, n.Partial)
            for name in _names(opened, right)}


def _names(opened: Opened, node: n.Node) -> Iterator[str]:
    if isinstance(node, n.Name | n.Scripted | n.Call):
        with suppress(NotationError):
            yield reference(opened.reader(), node).name
    for child in children(node):
        yield from _names(opened, child)


def _functions(node: n.Node) -> Iterator[str]:
    """Names applied to one argument that is no index: f(sum_j w_j x_{i+j})."""
    if isinstance(node, n.Call) and node.bracket == "(" and isinstance(node.head, n.Name) \
            and len(node.arguments) == 1 and _has_elements(node.arguments[0]):
        yield key(node.head)
    for child in children(node):
        yield from _functions(child)


def _has_elements(node: n.Node) -> bool:
    return isinstance(node, n.Sum) or (isinstance(node, n.Scripted) and bool(node.below)) \
        or any(map(_has_elements, children(node)))


def _check_fresh(text: str, made: set[str], said: Sequence[Statement]) -> None:
    """The sums inside functions get a name of their own, which no formula may use for something else."""
    used = {name for s in said for name in _written(s.body)}
    for name in sorted(made & used):
        raise FormulaError(text, f"{name} would also be the name of the sum inside the function: give that sum a "
                                 f"formula of its own, such as u_i = ...")


def _written(node: n.Node) -> Iterator[str]:
    if isinstance(node, n.Name):
        yield key(node)
    for child in children(node):
        yield from _written(child)


def _spellings(node: n.Node) -> Iterator[tuple[str, str]]:
    """How names with superscripts or accents are written, by what the reader calls them: w^l is w^{(l)}."""
    if isinstance(node, n.Scripted) and isinstance(node.base, n.Name) and node.above:
        name = key(node.base) + "^" + ",".join(map(key, node.above)) + "'" * node.primes
        yield name, TEXT(n.Scripted(node.base, (), node.above, node.primes, node.grouped, node.bracket))
    elif isinstance(node, n.Name) and node.accent:
        yield key(node), TEXT(node)
    for child in children(node):
        yield from _spellings(child)
