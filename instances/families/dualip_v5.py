"""Family `dualip-v5`: the generator of DuaLip 5.0.1 bit for bit, in float64 (the peer then rounds A, c, b to float32).

Draws of numpy.random.default_rng(seed) in this order: Z(J), s(J), v(J), u(I), K_j = min(Poisson(p_j I), I); then for
each j with K_j > 0 its sources choice(I, K_j, replace=False) and its noise LogNormal(0, 0.5); last rho(J).

The peer knows simplices <= 1 only. Another polytope is put on the same numbers as they are: budgets do not scale with
the radius, and nothing makes a '=' instance feasible.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from instances.families.base import Float64, WholeFamily
from instances.greedy import best_edges
from instances.matching import MatchingLP
from instances.recipe import Recipe


def _build(spec: Recipe) -> MatchingLP:
    rng = np.random.default_rng(spec.seed)
    I, J = spec.sources, spec.destinations  # noqa: E741 - the letters of the literature
    breadth = rng.lognormal(0.0, 1.0, J)
    scale = rng.lognormal(0.0, 1.0, J)
    v = rng.lognormal(-4.0, 0.75, J)
    u = rng.lognormal(0.0, 0.5, I)
    counts = np.minimum(rng.poisson(breadth / breadth.sum() * spec.degree * I), I)
    source, noise = _draw_rows(rng, counts, I)
    rho = rng.uniform(0.5, 1.0, J)
    destination = np.repeat(np.arange(J, dtype=np.int32), counts)
    value = np.minimum(v[destination] * u[source] * noise, 0.5)
    order = np.argsort(source, kind="stable")
    source = source[order]
    destination = destination[order]
    value = value[order]
    a = scale[destination] * value
    best = best_edges(source, a)
    load = np.bincount(destination[best], weights=a[best], minlength=J)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(np.bincount(source, minlength=I)))),
        destination=destination,
        a=a,
        c=-value,
        b=rho * (load + 1e-8),
        polytope=spec.polytope,
    )


def _draw_rows(
    rng: np.random.Generator, counts: npt.NDArray[np.int64], sources: int
) -> tuple[npt.NDArray[np.int64], Float64]:
    """Sources and noise of the edges, row after row."""
    ends = np.cumsum(counts)
    source = np.empty(ends[-1], dtype=np.int64)
    noise = np.empty(ends[-1])
    for count, end in zip(counts, ends, strict=True):
        if count:
            source[end - count : end] = rng.choice(sources, count, replace=False)
            noise[end - count : end] = rng.lognormal(0.0, 0.5, count)
    return source, noise


FAMILY = WholeFamily(
    name="dualip-v5",
    title="the generator of DuaLip 5.0.1 bit for bit (float64, sequential)",
    build=_build,
    edge_bytes=20,
    peak=3.0,
)
