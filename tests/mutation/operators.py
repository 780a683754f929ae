"""Mutants made mechanically: one operator, constant, condition or statement of the syntax tree changed."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass

COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
           ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
ARITHMETIC = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.Mod: ast.FloorDiv,
              ast.Div: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "True": "False", "False": "True"}


@dataclass(frozen=True)
class Mechanical:
    """One node of one file, changed by one operator."""

    path: str
    line: int
    operator: str
    before: str
    after: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.path}:{self.line} {self.operator}: {self.before} -> {self.after}"


def mutants(path: str, source: str) -> Iterator[Mechanical]:
    """Every mutant of one file. What only describes (docstrings, annotations, messages, reprs) is left alone."""
    tree = ast.parse(source)
    for number, node in enumerate(nodes(tree)):
        for operator, new in changes(node):
            whole = copy.deepcopy(tree)
            target = list(nodes(whole))[number]
            before = _short(ast.unparse(target))
            replaced = _Put(target, new).visit(whole)
            yield Mechanical(path, node.lineno, operator, before, _short(ast.unparse(new)) if new else "nothing",
                             ast.unparse(ast.fix_missing_locations(replaced)))


def _short(text: str) -> str:
    return " ".join(text.split())[:70]


def nodes(tree: ast.AST) -> list[ast.AST]:
    """Expressions and statements that do something, in order."""
    found: list[ast.AST] = []

    def visit(node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "decorator_list"):
                continue
            for child in value if isinstance(value, list) else [value]:
                if not isinstance(child, ast.AST) or _describes(child):
                    continue
                if isinstance(child, ast.expr | ast.stmt):
                    found.append(child)
                visit(child)

    visit(tree)
    return found


def _describes(node: ast.AST) -> bool:
    return (isinstance(node, ast.Raise | ast.JoinedStr | ast.Import | ast.ImportFrom)
            or (isinstance(node, ast.FunctionDef) and node.name in ("__repr__", "__str__"))
            or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
            or (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"))


def changes(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """What one operator makes of a node; None to leave it out."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        new = copy.deepcopy(node)
        new.ops[0] = COMPARE[type(node.ops[0])]()
        yield "comparison", new
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        new = copy.deepcopy(node)
        new.op = ARITHMETIC[type(node.op)]()
        yield "arithmetic", new
    elif isinstance(node, ast.BoolOp):
        new = copy.deepcopy(node)
        new.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "and, or", new
        yield "condition dropped", copy.deepcopy(node.values[0])
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        yield "sign or negation", copy.deepcopy(node.operand)
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield "constant", ast.Constant(not node.value)
    elif isinstance(node, ast.Constant) and isinstance(node.value, int):
        yield "constant", ast.Constant(node.value + 1)
    elif isinstance(node, ast.IfExp):
        new = copy.deepcopy(node)
        new.body, new.orelse = new.orelse, new.body
        yield "branches exchanged", new
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
        new = copy.deepcopy(node)
        new.func = ast.Name(NAMES[node.func.id], ast.Load())
        yield "function", new
    elif isinstance(node, ast.If):
        new = copy.deepcopy(node)
        new.test = ast.UnaryOp(ast.Not(), new.test)
        yield "condition turned", new
    elif isinstance(node, ast.AugAssign):
        yield "statement left out", None


class _Put(ast.NodeTransformer):
    """A tree with one node in the place of another."""

    def __init__(self, old: ast.AST, new: ast.AST | None) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        if node is self.old:
            return self.new if self.new is not None else ast.Pass()
        return self.generic_visit(node)
