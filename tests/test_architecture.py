"""The shape of the source: which room may import which, how large rooms are, and what none may do."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "symconv"

# Each line may import from the lines above it and from its own line, nothing below.
ROOMS = (
    ("errors", "decide.verdict"),
    ("affine",),
    ("equation", "bilinear.matrix", "readback.boxes"),
    ("bilinear.toom_cook", "bilinear.straight_line"),
    ("points", "reference_points", "sympy_bridge", "decide.feasible", "decide.products", "decide.relation", "system"),
    ("calculus", "jacobian", "geometry", "decide.named", "decide.prover", "schedule.regions", "schedule.machine",
     "schedule.nodes", "bilinear.relation", "bilinear.program", "readback.terms"),
    ("readback.records",),
    ("readback.walk", "readback.overlaps"),
    ("readback.check",),
    ("readback.arrays",),
    # Deciding: values and sizes, the enumerator, the engines; and algebra for formulas about sizes.
    ("decide.decision", "decide.sizes", "decide.interpretations", "decide.identities"),
    ("decide.enumerate", "decide.conditions"),
    ("decide.isl", "decide.necessity", "decide.counterexample"),
    ("decide.decide",),
    ("decide.scalar_terms", "decide.scalar_poly", "decide.scalar_values", "decide.scalar_normal"),
    ("decide.scalar_conditions", "decide.scalar_facts", "decide.scalar_roots", "decide.scalar_cases"),
    ("decide.scalar", "decide.sequence_terms"),
    ("decide.sequence_values",),
    ("decide.sequences",),
    # Printing, kernels and their oracle.
    ("layer", "decide.names", "reference", "schedule.loops", "schedule.contraction", "notation.vocabulary",
     "notation", "notation.nodes", "notation.ranges", "notation.build", "notation.printer", "notation.as_code",
     "notation.as_latex", "notation.as_text", "notation.surface_text", "notation.surface_latex", "notation.printers",
     "notation.lettering", "notation.as_mathml"),
    ("lecture.words", "lecture.palette"),
    ("schedule.tiles", "schedule.packing", "schedule.copying", "schedule.fusing", "schedule.reads"),
    ("schedule.updates", "schedule.counting"),
    ("schedule.tile_nest",),
    ("schedule.cutting", "schedule.sharing", "schedule.edges"),
    ("schedule.candidate",),
    ("schedule.pricing",),
    ("schedule.variants",),
    ("schedule.direct",),
    ("schedule.program",),
    ("schedule.arrays", "steps", "expand", "native", "sections", "templating", "family", "peer_torch"),
    ("child", "derivation", "numpy_expression", "bilinear.verify", "bilinear.bounds"),
    ("summands",),
    ("lecture.figures.svg", "lecture.figures.places", "lecture.figures.style", "lecture.figures.arrangement"),
    ("lecture.figures.figure", "lecture.figures.numbers"),
    ("lecture.figures.scene",),
    ("lecture.figures.rows", "lecture.figures.strip", "lecture.figures.panels",
     "lecture.figures.describe", "lecture.figures.meeting"),
    ("lecture.figures.slide", "lecture.figures.gather", "lecture.figures.toeplitz", "lecture.figures.network",
     "lecture.figures.blocks", "lecture.figures.adding", "lecture.figures.outer"),
    ("lecture.figures",),
    ("bilinear.story", "bilinear.plan", "bilinear.c_transform"),
    ("bilinear.cover",),
    ("bilinear.packing", "c_vector"),
    ("c_routine",),
    ("c_target", "numpy_target"),
    ("bilinear.cost", "bilinear.candidates", "bilinear.c_tiles", "bilinear.c_kernel"),
    ("c_bilinear",),
    ("c_function",),
    # Documents to formulas, with every place kept.
    ("documents.traced", "documents.delimiters", "documents.records"),
    ("documents.macros", "documents.collect"),
    ("documents.inline", "documents.latex"),
    ("documents.markdown", "documents.plain"),
    ("documents.notebook",),
    ("notation.document",),
    # Formulas to nodes.
    ("notation.raw",),
    ("notation.tokens", "notation.layout", "notation.place"),
    ("notation.runs",),
    ("notation.shapes", "notation.lists", "notation.scripts", "notation.statements"),
    ("notation.reader",),
    ("notation.big", "notation.derivatives", "notation.tables", "notation.macros"),
    ("notation.parser",),
    # Nodes to what they mean in their document, to claims, to findings.
    ("claims.finding", "claims.raw", "claims.layers", "claims.whole", "claims.continuous", "claims.activations"),
    ("claims.scope", "claims.words", "claims.stars", "claims.letters", "claims.sums", "claims.kinds",
     "claims.blocks", "claims.counting", "claims.patterns", "claims.prose", "claims.blurred",
     "claims.choices"),
    ("claims.afresh", "claims.axes", "claims.bases", "claims.extents", "claims.gradients", "claims.indexing",
     "claims.regroup", "claims.spans"),
    ("claims.piecewise",),
    ("claims.settle",),
    ("claims.judge", "claims.outcome"),
    ("claims.ellipsis", "claims.examples", "claims.functions", "claims.partials", "claims.pairs", "claims.spelling",
     "claims.starred", "claims.summing"),
    ("claims.calls", "claims.references"),
    ("claims.reader",),
    ("claims.opened", "claims.images", "claims.conventions", "claims.directives", "claims.readings",
     "claims.sizes_roles", "claims.sizes", "claims.lengths", "claims.scalar_writing", "claims.scalar_reading",
     "claims.scalar_truths", "claims.scalars",
     "claims.writing"),
    ("claims.sequences", "claims.function_definitions", "claims.phrases"),
    ("claims.defining", "claims.elements", "claims.listing", "claims.noticing", "claims.operators", "claims.suggest",
     "claims.updates", "claims.grounds"),
    ("claims.session",),
    ("claims.telling", "claims.codes", "claims.report"),
    ("claims.verify",),
    ("claims.files",),
    # A formula in the place of a layer.
    ("identifiers",),
    ("formula_equations", "formula_sizes"),
    ("formula_reading",),
    ("formula",),
    ("layouts",),
    ("benchdnn", "torch_repr"),
    ("drawn", "expected", "translations"),
    ("self_test",),
    ("options", "emit", "vectors"),
    ("defects",),
    ("check",),
    ("validate", "footprint"),
    ("calls",),
    ("kernels", "batch", "fuzz", "show"),
    # A lecture: what it says, section by section, then in which format.
    ("lecture.blocks", "lecture.example", "lecture.extents", "lecture.layout"),
    ("lecture.subject",),
    ("lecture.sections.layer", "lecture.sections.sizes", "lecture.sections.drawings", "lecture.sections.derivation",
     "lecture.sections.elements", "lecture.sections.numbers", "lecture.sections.bilinear", "lecture.sections.code"),
    ("lecture.sections.exercises",),
    ("lecture.story", "lecture.html", "lecture.tex"),
    ("lecture.markdown",),
    ("lecture.command",),
    # Measuring beside others.
    ("bench.layers", "bench.turns"),
    ("bench.machine", "bench.ours"),
    ("bench.relation", "bench.race"),
    ("bench.peers.im2col", "bench.peers.windows", "bench.peers.scipy", "bench.peers.naive", "bench.peers.onednn",
     "bench.peers.onnxruntime", "bench.peers.torch", "bench.tables", "bench.roofline"),
    ("bench.numpy_kernels",),
    ("bench.command",),
    ("telling.plain", "telling.printing"),
    ("telling.excerpt", "telling.numbers", "telling.explain"),
    ("telling.full", "telling.lines", "telling.as_json", "telling.sarif"),
    ("telling.command",),
    ("cli",),
    ("__main__",),
)
# Packages without content, and the version.
ANYWHERE = {"decide", "schedule", "readback", "bilinear", "documents", "claims", "telling", "bench", "bench.peers",
            "lecture", "lecture.sections", ""}
# Rooms that must not know each other although the order above would let them.
APART = {
    "schedule": ("layer", "derivation", "notation", "steps", "system", "calculus", "decide", "reference"),
    "bilinear": ("layer", "derivation", "decide.decide", "notation", "emit"),
    "decide": ("calculus", "notation", "system", "layer", "schedule", "sympy_bridge", "documents", "claims", "telling"),
    "calculus": ("decide", "notation", "system", "layer"),
    "notation": ("layer", "system", "schedule", "derivation", "claims", "telling"),
    "documents": ("affine", "equation", "decide", "notation", "claims", "telling"),
    "claims": ("calculus", "sympy_bridge", "system", "layer", "schedule", "derivation", "emit", "formula", "telling"),
    "telling": ("affine", "equation", "decide", "documents", "notation", "layer"),
    "reference": ("schedule", "calculus", "sympy_bridge", "points", "notation", "derivation", "layer", "decide"),
    "reference_points": ("schedule", "calculus", "sympy_bridge", "points", "notation", "derivation", "layer", "decide"),
    "c_target": ("numpy_target", "layer", "notation", "system"),
    "numpy_target": ("c_target", "layer", "notation", "system"),
    "native": ("equation", "derivation", "emit"),
}
ONE_ROOM = {"subprocess": {"native"}, "ctypes": {"native"}, "torch": {"peer_torch", "bench.peers.torch"},
            "onnxruntime": {"bench.peers.onnxruntime"}, "onnx": {"bench.peers.onnxruntime"},
            "scipy": {"bench.peers.scipy"}, "tomllib": {"options", "lecture.words"},
            "jinja2": {"templating", "numpy_target"}, "pylatexenc": {"notation.raw"}, "islpy": {"decide.isl"},
            "markdown_it": {"documents.markdown"}, "mdit_py_plugins": {"documents.markdown"}}
# Judges share nothing with what they judge: whatever they import, and what that imports, is in these lists.
# The enumerator confirms what engines and parser found; the reader of schedules sees their nodes alone.
STANDS_ON = {
    "decide.enumerate": {"affine", "equation", "errors", "decide.sizes"},
    "decide.sizes": {"affine", "equation", "errors"},
    "readback.arrays": {"affine", "equation", "errors", "schedule.nodes", "readback.boxes", "readback.terms",
                        "readback.records", "readback.walk", "readback.overlaps", "readback.check"},
}
KNOW_LAYERS = {"layer", "options", "family", "peer_torch", "fuzz", "__init__", "bench.layers",
               "bench.peers.torch", "bench.peers.onnxruntime"}
MOST_LINES, MOST_FUNCTION, LONG_FUNCTION, MOST_LONG = 400, 60, 40, 3


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the package by its dotted name below symconv."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__") if name != "__init__" else name] = ast.parse(path.read_text(), str(path))
    return found


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """What stands below `if TYPE_CHECKING`."""
    return {inner for node in ast.walk(tree) if isinstance(node, ast.If)
            and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING" for inner in ast.walk(node)}


def imports(tree: ast.Module) -> Iterator[tuple[str, tuple[str, ...]]]:
    """(module, names) of every import that runs, at the top or inside a function."""
    skipped = for_types_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the direction"
            yield node.module or "", tuple(alias.name for alias in node.names)


def own(name: str) -> Iterator[str]:
    """The symconv modules one module imports."""
    for module, names in imports(modules()[name]):
        if module == "symconv" or module.startswith("symconv."):
            room = module.removeprefix("symconv").removeprefix(".")
            inner = [f"{room}.{n}".strip(".") for n in names]
            deeper = [n for n in inner if n in modules()]
            yield from deeper or [room]


def test_every_module_has_a_room():
    placed = [name for line in ROOMS for name in line]
    assert len(placed) == len(set(placed))
    assert set(placed) | ANYWHERE - {""} | {"__init__"} == set(modules())


@pytest.mark.parametrize("name", [n for n in modules() if n not in ANYWHERE | {"__init__"}])
def test_imports_point_upwards(name: str):
    level = {room: i for i, line in enumerate(ROOMS) for room in line}
    for other in own(name):
        if other not in ANYWHERE:
            assert level[other] <= level[name], f"{name} imports {other}, which stands below it"
        for room, apart in APART.items():
            if name == room or name.startswith(room + "."):
                assert not any(other == a or other.startswith(a + ".") for a in apart), f"{name} imports {other}"


def test_imports_have_no_cycle():
    graph = {name: {o for o in own(name) if o in modules()} for name in modules() if name != "__init__"}
    done: set[str] = set()
    while len(done) < len(graph):
        ready = {n for n, needs in graph.items() if n not in done and needs - {n} <= done | {""}}
        assert ready, f"a cycle among {sorted(set(graph) - done)}"
        done |= ready


@pytest.mark.parametrize("name", STANDS_ON)
def test_judges_share_nothing_with_what_they_judge(name: str):
    reached, found = set(own(name)), {name}
    while reached - found:
        found |= reached
        reached |= {other for n in found & set(modules()) for other in own(n)}
    assert reached <= STANDS_ON[name], f"{name} reaches {reached - STANDS_ON[name]}"


@pytest.mark.parametrize("library", ONE_ROOM)
def test_some_libraries_have_one_room(library: str):
    users = {n for n, tree in modules().items() for module, _ in imports(tree) if module.split(".")[0] == library}
    assert users <= ONE_ROOM[library], f"{users - ONE_ROOM[library]} import {library}"


def test_nothing_after_a_layer_knows_what_it_is():
    """No schedule, printer or derivation can branch on a class it never sees."""
    for name in set(modules()) - KNOW_LAYERS:
        for module, names in imports(modules()[name]):
            assert module != "symconv.layer" and not {"Conv", "Dense"} & set(names), f"{name} imports layers"
        words = {n.id for n in ast.walk(modules()[name]) if isinstance(n, ast.Name)}
        assert not {"Conv", "Dense"} & words, f"{name} names a layer"


def test_sympy_is_loaded_at_the_top_of_one_module_only():
    for name, tree in modules().items():
        top = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        found = [a.name if isinstance(n, ast.Import) else n.module for n in top for a in n.names]
        sympy = [m for m in found if m and m.split(".")[0] == "sympy"]
        assert not sympy or name == "sympy_bridge", f"{name} imports sympy at module level"
        if name != "sympy_bridge":
            assert "symconv.sympy_bridge" not in found, f"{name} loads sympy through the bridge at module level"


def test_public_names_hide_no_module():
    """`import symconv.claims` and the like must never replace a public function by a module of the same name."""
    import symconv

    assert not set(symconv.__all__) & set(modules())


def test_nothing_evaluates_text():
    """No expression is read back from a string. Emitted modules are executed in one place."""
    for name, tree in modules().items():
        used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        used |= {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        used |= {a for _, names in imports(tree) for a in names}
        forbidden = {"eval", "sympify", "parse_expr", "lambdify", "__import__"} & used
        assert not forbidden, f"{name} uses {forbidden}"
        assert "exec" not in used or name == "validate", f"{name} executes text"


def test_derivative_deltas_are_never_left_to_doit():
    for name, tree in modules().items():
        assert not any(isinstance(n, ast.Attribute) and n.attr == "doit" for n in ast.walk(tree)), name


def test_files_are_small():
    for path in PACKAGE.rglob("*.py"):
        lines = len(path.read_text().splitlines())
        assert lines <= MOST_LINES, f"{path.relative_to(PACKAGE)} has {lines} lines"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    yield from (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef))


def test_functions_are_small():
    lengths = {f"{name}.{f.name}": (f.end_lineno or 0) - f.lineno + 1
               for name, tree in modules().items() for f in functions(tree)}
    most = max(lengths, key=lambda n: lengths[n])
    assert lengths[most] <= MOST_FUNCTION, f"{most} has {lengths[most]} lines"
    long = {n: size for n, size in lengths.items() if size > LONG_FUNCTION}
    assert len(long) <= MOST_LONG, long


def public(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            yield node


def says_itself(node: ast.AST) -> bool:
    """A function of one statement and three lines at most: its name and types say it all."""
    return isinstance(node, ast.FunctionDef) and len(node.body) == 1 and (node.end_lineno or 0) - node.lineno < 3


@pytest.mark.parametrize("name", list(modules()))
def test_public_things_are_documented(name: str):
    tree = modules()[name]
    assert ast.get_docstring(tree), f"{name} has no docstring"
    for node in public(tree):
        assert ast.get_docstring(node) or says_itself(node) or is_plain_record(node), f"{name}.{node.name}"


def is_plain_record(node: ast.AST) -> bool:
    """A class of fields only."""
    return isinstance(node, ast.ClassDef) and all(isinstance(n, ast.AnnAssign) for n in node.body)


def test_everything_is_annotated():
    for name, tree in modules().items():
        for f in functions(tree):
            arguments = [*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs]
            bare = [a.arg for a in arguments if a.annotation is None and a.arg not in ("self", "cls")]
            assert not bare and f.returns is not None, f"{name}.{f.name} lacks types: {bare}"


def test_templates_hold_layout_and_no_meaning():
    """No template branches on a kind of layer, on a type or on a size."""
    folder = PACKAGE.parent / "templates"
    for path in folder.rglob("*.j2"):
        text = path.read_text()
        for word in ("conv", "dense", "stride", "float32", "int8", "dilation"):
            assert word not in text.lower().replace("symconv", ""), f"{path.name} mentions {word}"
        assert len(text.splitlines()) <= 80
