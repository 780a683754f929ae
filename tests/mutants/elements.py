"""Single elements with numbers for indices: every product is written out."""

from __future__ import annotations

import random
from dataclasses import replace

from .layers import Shape
from .model import Claim, Layer, Read, Term
from .poly import Bound, Poly, poly
from .truth import World

MOST_PRODUCTS = 6


def with_numbers(s: Shape, rng: random.Random) -> Claim | None:
    """dL/dw_2 = delta_1 x_2 + delta_2 x_3 for arrays whose sizes are numbers."""
    if s.layer.activation:
        return None
    env = {n: rng.choice(v[1:] or v) for n, v in s.layer.sizes}
    if any(e(env) < 1 for _, shape in s.layer.shapes for e in shape):
        return None
    if len(s.axes) == 2 and max(env[a.name("N")] for a in s.axes) > 3:
        return None
    world = World(s.layer, env)
    # For all sizes: the claim then has a condition, or is true where its elements exist.
    layer = fixed(s.layer, env) if len(s.axes) == 2 or rng.random() < 0.6 else s.layer
    name = rng.choice(("x", "w", "o"))
    index = tuple(rng.randrange(n) for n in world.shapes[name])
    value = world.gradient((name, "", index)) if name != "o" else world.forward[index]
    if not 1 <= len(value) <= MOST_PRODUCTS:
        return None
    how = "forward" if name == "o" else "gradient"
    right = tuple(Term(tuple(Read(e[0], tuple(map(poly, e[2]))) for e in m), coefficient=c) for m, c in value.items())
    kind = "element" if layer is not s.layer else "element, any sizes"
    return Claim(kind, layer, how, Read(name, tuple(map(poly, index))), right, s.axes[0].padded)


def fixed(layer: Layer, env: dict[str, int]) -> Layer:
    """The layer with numbers for sizes."""
    put = {n: poly(v) for n, v in env.items()}

    def number(e: Bound) -> Poly:
        return poly(e(env))

    def term(t: Term) -> Term:
        reads = tuple(Read(r.array, tuple(e.put(put) for e in r.index)) for r in t.reads)
        sums = tuple(replace(x, low=x.low and x.low.put(put), high=x.high and x.high.put(put)) for x in t.sums)
        return replace(t, reads=reads, sums=sums)

    shapes = tuple((a, tuple(number(e) for e in s)) for a, s in layer.shapes)
    given = tuple(g.format(**{n: env.get(n) for n in "SDP"}) for g in layer.given)
    return replace(layer, terms=tuple(map(term, layer.terms)), shapes=shapes, sizes=(), given=given,
                   ranges=tuple((n, number(e)) for n, e in layer.ranges))
