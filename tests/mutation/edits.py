"""Mutants written by hand: defects that were published, or that kernels like ours had, put into symconv.

Each is an edit of one place of the source. Where that place has been rewritten, the mutant has to be written
again for what took its place: a test asks that every edit still applies, exactly once.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Edit:
    """In `path`, `old` becomes `new`. `group` is the kind of defect."""

    name: str
    group: str
    path: str
    old: str
    new: str

    def applied(self, text: str) -> str:
        if text.count(self.old) != 1:
            raise ValueError(f"mutant {self.name!r}: {self.path} has {text.count(self.old)} times {self.old!r}; "
                             "write it again for the code that took its place")
        return text.replace(self.old, self.new)


def _of(path: str, group: str, *edits: tuple[str, str, str]) -> list[Edit]:
    return [Edit(name, group, path, old, new) for name, old, new in edits]


LAYER, GEOMETRY, CALCULUS, BRIDGE = "layer.py", "geometry.py", "calculus.py", "sympy_bridge.py"
REGIONS, LOOPS, PACKING = "schedule/regions.py", "schedule/loops.py", "schedule/packing.py"
TILES, CUTTING, COPYING = "schedule/tiles.py", "schedule/cutting.py", "schedule/copying.py"
SHARING, CANDIDATE, FUSING = "schedule/sharing.py", "schedule/candidate.py", "schedule/fusing.py"
DIRECT, PROGRAM, ARRAYS = "schedule/direct.py", "schedule/program.py", "schedule/arrays.py"
C, VECTOR, NUMPY, EXPRESSION = "c_target.py", "c_vector.py", "numpy_target.py", "numpy_expression.py"

EDITS = [
    *_of(LAYER, "forward",
         ("stride dropped", "n.stride * Affine.of(v) +", "Affine.of(v) +"),
         ("dilation dropped", "n.dilation * Affine.of(a.tap) - n.low", "Affine.of(a.tap) - n.low"),
         ("stride and dilation exchanged", "n.stride * Affine.of(v) + n.dilation * Affine.of(a.tap)",
          "n.dilation * Affine.of(v) + n.stride * Affine.of(a.tap)"),
         ("padding of the other side", "n.dilation * Affine.of(a.tap) - n.low",
          "n.dilation * Affine.of(a.tap) - n.high"),
         ("padding added", "n.dilation * Affine.of(a.tap) - n.low", "n.dilation * Affine.of(a.tap) + n.low"),
         ("flip swapped", "if self.flip else Affine.of(a.tap)", "if not self.flip else Affine.of(a.tap)"),
         ("flip off by one", "Affine.of(a.kernel) - 1 - Affine.of(a.tap)", "Affine.of(a.kernel) - Affine.of(a.tap)"),
         ("groups and channels of transposed weights exchanged",
          "(group + chan, filt) if self.transposed", "(group + filt, chan) if self.transposed"),
         ("bias left out", "            right.append(b[tuple(map(Affine.of, group + filt))])", "            pass"),
         ("dense reads the weights transposed", 'w = Tensor("w", ("q", "p"), "W", ("m", "l"))',
          'w = Tensor("w", ("p", "q"), "W", ("m", "l"))')),
    *_of(GEOMETRY, "sizes",
         ("floor remainder counted as a window", "(self.input + self.low + self.high - self.span) // self.stride + 1",
          "-(-(self.input + self.low + self.high - self.span) // self.stride) + 1"),
         ("dilation forgotten in the span", "return self.dilation * (self.kernel - 1) + 1",
          "return (self.kernel - 1) + 1"),
         ("output padding left out", "self.low - self.high + self.span + self.extra",
          "self.low - self.high + self.span"),
         ("padding cut off once", "(self.input - 1) * self.stride - self.low - self.high",
          "(self.input - 1) * self.stride - self.low"),
         ("one window too few", "- self.span) // self.stride + 1", "- self.span) // self.stride")),
    *_of(CALCULUS, "calculus",
         ("coefficient's sign lost in solving", "return c, name, Affine.of(name) - a * c.expression",
          "return c, name, Affine.of(name) + a * c.expression"),
         ("solved with a coefficient of 2", "if c.equality and abs(a) == 1 and c.expression.is_linear_in(name):",
          "if c.equality and abs(a) in (1, 2) and c.expression.is_linear_in(name):"),
         ("conditions of the replaced index lost", "t = replace(t, constraints=rest, indices",
          "t = replace(t, constraints=(), indices"),
         ("index captured", '    mark = "\'"\n    while',
          '    names, mark = (*equation.terms[0].indices, *names)[:len(names)], ""\n    while False and'),
         ("constant terms kept in gradients", "for t in found if t.factors or t.coefficient]",
          "for t in found if len(t.factors) > 2]"),
         ("upstream with the wrong index", "loss = to_sympy(equation, upstream[equation.left.indices])",
          "loss = to_sympy(equation, upstream[tuple(e + 0 for e in equation.left.indices[::-1])])"),
         ("conditions of the output range dropped",
          "implied = {c for f in (*t.factors, left) for c in f.in_range()}",
          "implied = set(t.constraints)")),
    *_of(BRIDGE, "calculus",
         ("delta of one side", "equal(*(to_affine(a.xreplace(names)) for a in e.args))",
          "equal(to_affine(e.args[0].xreplace(names)), 0)"),
         ("bounds of a sum off by one", "else (-sp.oo, sp.oo)", "else (sp.Integer(0), sp.Integer(1))"),
         ("last tap left out of the loss", "(sp.Integer(0), from_affine(extent) - 1) if extent",
          "(sp.Integer(0), from_affine(extent) - 2) if extent"),
         ("coefficient lost", "        return Term((), coefficient=Fraction(int(e.p), int(e.q)))",
          "        return Term((), coefficient=Fraction(2))")),
    *_of(REGIONS, "runs",
         ("residue forgotten", "put = {name: period * Affine.of(name) + residue}\n                yield Region(",
          "put = {name: period * Affine.of(name)}\n                yield Region("),
         ("run one too short", "return Range(r.name, max(0, -(-(r.extent - residue) // period)))",
          "return Range(r.name, max(0, (r.extent - residue) // period))"),
         ("run one too long", "return Range(r.name, max(0, -(-(r.extent - residue) // period)))",
          "return Range(r.name, max(0, -(-r.extent // period)))"),
         ("residue of a tap forgotten", "put = {name: period * Affine.of(name) + residue}\n        yield replace(s,",
          "put = {name: period * Affine.of(name)}\n        yield replace(s,"),
         ("divisibility ignored", "fits = e.constant % a == 0", "fits = True"),
         ("period without the common divisor", "period = a // gcd(a, b)\n                if m[0] in outputs:",
          "period = max(1, a - 1)\n                if m[0] in outputs:"),
         ("guard dropped at the low end", "if value_interval(c.expression, box)[0] < 0)\n    return replace(s",
          "if value_interval(c.expression, box)[0] < -1)\n    return replace(s"),
         ("range of the index that was read off forgotten", "if q != c) + bounds,", "if q != c),"),
         ("every loop starts at 0 without its offset", "low = {n: Affine.of(n) + lo for n, (lo, _) in bounds.items()}",
          "low = {n: Affine.of(n) + max(lo, 0) for n, (lo, _) in bounds.items()}")),
    *_of(LOOPS, "loops",
         ("accumulated instead of overwritten",
          "inner = [] if accumulate and not start else [_full(lane_range, [replace(clear, add=accumulate)])]",
          "inner = [_full(lane_range, [replace(clear, add=True)])]"),
         ("overwritten instead of accumulated", 'inner.append(Store(region.output, "sum", add=accumulate))',
          'inner.append(Store(region.output, "sum"))'),
         ("not cleared", "clear = Store(region.output, start or Product(0))\n        inner = [] if accumulate and",
          "clear = Store(region.output, start or Product(0))\n        inner = [] if accumulate or"),
         ("lower bound of the wrong sign", "low.append(-rest)", "low.append(rest)"),
         ("upper bound off by one", "high.append(rest + 1)", "high.append(rest)"),
         ("the weaker of two bounds", "return _strongest(low, box, 1), _strongest(high, box, -1)",
          "return _strongest(low, box, -1), _strongest(high, box, 1)"),
         ("outputs that nothing reaches left alone", "parts = tuple(Part(p.place, tuple(_scoped(",
          "body = [p for p in body if len(p.body) != 1 or 'Product(coefficient=0, factors=())' not in str(p.body)]\n"
          "    parts = tuple(Part(p.place, tuple(_scoped("),
         ("bias added twice", "rest = [*region.sweeps[:at], *region.sweeps[at + 1:]]", "rest = [*region.sweeps]")),
    *_of(PACKING, "copies",
         ("padding not added to the index", "shifted = [e + lo for e, lo in zip(a.indices, self.low, strict=True)]",
          "shifted = list(a.indices)"),
         ("copy shifted the wrong way", "tuple(e - lo for e, lo in zip(axes, self.low, strict=True))",
          "tuple(e + lo for e, lo in zip(axes, self.low, strict=True))"),
         ("copy one element short", "high = [max(0, *(hi - n + 1 for _, hi in axis))",
          "high = [max(0, *(hi - n for _, hi in axis))"),
         ("lane of the wrong block", 'axes[self.lane_axis] = self.lane.size * Affine.of("block") + "lane"',
          'axes[self.lane_axis] = (self.lane.size - 1) * Affine.of("block") + "lane"')),
    *_of(COPYING, "copies",
         ("uninitialised edge", "return [Store(left, Product(0) if outside else Product(1, (source,)))]",
          "return [] if outside else [Store(left, Product(1, (source,)))]"),
         ("edge off by one", "edge = -(value // a) if a > 0 else value // -a + 1",
          "edge = -(value // a) + 1 if a > 0 else value // -a + 1"),
         ("last squares left out", "(squares(Affine.of(count - width)) if count % width else [])", "[]"),
         ("squares not turned", "return [Transpose(_moved(to, steps[1] * at + k), _moved(of, at + k * steps[0]), "
          "steps[1], steps[0], width)", "return [Transpose(_moved(to, steps[1] * at + k), "
          "_moved(of, at + k * steps[0]), steps[0], steps[1], width)")),
    *_of(TILES, "tiles",
         ("tail of the vector stored past the end",
          "lanes = self.width if self.summed else min(self.width, self.extents[self.lane] - u * self.width)",
          "lanes = self.width"),
         ("tile offset without its stride", "offset = sum(flat_stride(f, n) * k for n, k in at.items())",
          "offset = sum(min(1, flat_stride(f, n)) * k for n, k in at.items())"),
         ("element read as a vector", "width = tile.width if flat_stride(f, tile.lane) else 0",
          "width = tile.width"),
         ("two accumulators share a name", 'label = "_".join(map(str, (*at, u) if self.vectors > 1 or not at else at))',
          'label = "_".join(map(str, at or (u,)))'),
         ("bias counted with each vector", "body.append(Accumulator(name, tile.width, read, flat_stride(start, "
          "tile.lane) if start else 0, lanes))", "body.append(Accumulator(name, tile.width, read, 0, lanes))"),
         ("accumulation forgotten in a tile", "body += _stores(tile, accumulate)", "body += _stores(tile, False)"),
         ("buffer stored in the wrong order", "element = buffer[tuple(Affine.of(r.name) for r in (*inner, lane))]",
          "element = buffer[tuple(Affine.of(r.name) for r in (*inner[::-1], lane))]")),
    *_of(CUTTING, "tiles",
         ("remainder left out", "[(0, size, whole)] * bool(whole) + [(size * whole, rest, 1)] * bool(rest)",
          "[(0, size, whole)] * bool(whole) + [(size * whole, rest, 1)] * (rest > 1)"),
         ("remainder starts too early", "[(size * whole, rest, 1)] * bool(rest)",
          "[(size * whole - 1, rest, 1)] * bool(rest)"),
         ("blocks overlap", "put = tile * Affine.of(block) + name if count > 1",
          "put = (tile - 1) * Affine.of(block) + name if count > 1")),
    *_of(CANDIDATE, "tiles",
         ("narrow vectors start at 0", "put = {lane.block: block, lane.name: Affine.of(lane.name) + first}",
          "put = {lane.block: block, lane.name: Affine.of(lane.name)}")),
    *_of(SHARING, "copies",
         ("piece of another sample", "names = {equation.indices[k]: n for k, n in zip(",
          "names = {equation.indices[k]: 0 for k, n in zip(")),
    *_of(DIRECT, "tiles",
         ("copies made of sums with conditions", "and all(is_edge(c, s.term.factors) for c in s.constraints) for s in",
          "for s in"),
         ("coefficient ignored", "s.term.coefficient == 1 and 1 <= len(s.term.factors) <= 2",
          "1 <= len(s.term.factors) <= 2")),
    *_of(PROGRAM, "copies",
         ("workspace arrays overlap", "at += -(-prod(t.extents) // unit) * unit",
          "at += prod(t.extents) // unit * unit"),
         ("outputs that nothing reaches left alone in tiles", "zeros = [Step((r,), (Label(r.output), *zero_nest(r))) "
          "for r in p.empty if not accumulate]", "zeros: list[Step] = []")),
    *_of(C, "print",
         ("row stride of the wrong axis", 'f"({text})*{n}" if " " in text else f"{text}*{n}"',
          'f"({text})*{n - 1}" if " " in text else f"{text}*{n}"'),
         ("loop runs once too often", 'f"for (int {name} = {low}; {name} < {high}; ++{name}) {{"',
          'f"for (int {name} = {low}; {name} <= {high}; ++{name}) {{"'),
         ("minimum for maximum", '(("first", n.low, ">"), ("end", n.high, "<"))',
          '(("first", n.low, "<"), ("end", n.high, ">"))'),
         ("guard turned round", '" && ".join(f"{self.affine(c.expression)} >= 0"',
          '" && ".join(f"{self.affine(c.expression)} > 0"'),
         ("slope of relu at every z", '''"relu'": "v > 0 ? 1 : 0"''', '''"relu'": "v > 0 ? 1 : 1"'''),
         ("sums of 8 bits", 'factors[0] = f"({self.result}){factors[0]}"',
          'factors[0] = f"(int8_t)(3 * {factors[0]})"'),
         ("added instead of stored", "'+=' if n.add else '='} {value};", "'+='} {value};")),
    *_of(VECTOR, "print",
         ("memory past the tail read", "__builtin_memcpy(&{n.name}, &{start}, {n.lanes * size});",
          "__builtin_memcpy(&{n.name}, &{start}, {n.lanes});"),
         ("whole vector stored", "    if n.lanes == n.width:\n        return [f\"*({kind} *)&{to}",
          "    if n.lanes <= n.width:\n        return [f\"*({kind} *)&{to}"),
         ("transposed square", "if not lane & bit else width + lane - bit) for lane",
          "if not lane & bit else width + lane) for lane"),
         ("offset lost", 'at = f"{n.pointer} + {n.offset}" if n.offset else n.pointer', "at = n.pointer"),
         ("half of the lanes added up", "return {rest}half[0] + half[1]);", "return {rest}half[0] + half[0]);")),
    *_of(ARRAYS, "arrays",
         ("assigned twice", "found, choice = _best(region, _simplified(sweep), not done, blas)",
          "found, choice = _best(region, _simplified(sweep), True, blas)"),
         ("margin one too small", "(max(0, -lo), max(0, hi - n + 1))", "(max(0, -lo), max(0, hi - n))"),
         ("idle sums not counted", "term.coefficient * prod(r.extent for r in idle),", "term.coefficient,"),
         ("mask dropped", "return tuple(c for c in s.constraints if not implied(c))", "return ()"),
         ("turned without its shift", "put = {r.name: Affine.of(r.extent - 1) - Affine.of(r.name)}",
          "put = {r.name: Affine.of(r.extent) - Affine.of(r.name)}"),
         ("clipped one too short", "bounds[names[0]] = (max(lo, ceil(edge)), hi) if a > 0",
          "bounds[names[0]] = (max(lo, ceil(edge) + 1), hi) if a > 0")),
    *_of(EXPRESSION, "print",
         ("slice one too short", "stop = start + abs(a) * (n - 1) + 1", "stop = start + abs(a) * (n - 1)"),
         ("slice not read backwards", 'if abs(a) != 1 and n > 1 else ""), a < 0',
          'if abs(a) != 1 and n > 1 else ""), False'),
         ("window without its start", 'tail = "" if start == ZERO else f", {self.w.affine(start)}"', 'tail = ""'),
         ("axes of a product exchanged", "pair = (1, 0) if c.swapped else (0, 1)", "pair = (0, 1)")),
    *_of(NUMPY, "print",
         ("gradient overwrites", 'body += [f"{parameters[-1]} += {result}"',
          'body += [f"{parameters[-1]}[...] = {result}"'),
         ("not zeroed", 'make = "zeros" if self.plan.zeroed else "empty"', 'make = "empty"')),
    *_of("bilinear/toom_cook.py", "bilinear",
         ("point at infinity lost", "return [self.above**k * self.below**(count - 1 - k) for k in range(count)]",
          "return [self.above**k for k in range(count)]")),
    *_of("bilinear/program.py", "bilinear",
         ("tiles overlap", 'start = self.outputs * self.index("tile", self.tiles)',
          'start = (self.outputs - 1) * self.index("tile", self.tiles)'),
         ("last tile left out", "return -(-self.relation.extents[0] // self.outputs)",
          "return self.relation.extents[0] // self.outputs")),
    *_of("bilinear/c_transform.py", "bilinear",
         ("constant printed upside down", 'f"({c.numerator}.0{f}/{c.denominator}.0{f})"',
          'f"({c.denominator}.0{f}/{c.numerator}.0{f})"'),
         ("transform along the wrong axis", "free = [a for a in range(rank) if a != axis]",
          "free = [a for a in range(rank) if a != rank - 1]")),
]
