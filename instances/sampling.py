"""Random draws of the block-addressable families: destinations, and the edges of a block of sources.

I sources, J destinations; a block has n sources and E edges. Block k draws from its own generator, seeded by (seed, k)
alone, so its bytes do not depend on who asks, in which order or in which process.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from instances.recipe import Recipe

_DESTINATIONS, _BLOCKS, _FAMILY, _DAYS, _LIMITS = range(5)  # first part of the spawn key

#: Sources of a block; a change changes every instance (raise spec.GENERATOR_VERSION).
BLOCK_SOURCES = 16_384

#: A pair is never certain: lambda = -log(1 - p) must stay finite.
MAX_PROBABILITY = 0.999


@dataclass(frozen=True, kw_only=True, eq=False)
class Destinations:
    """What is drawn once for each destination, float64[J], and the table that draws destinations of edges.

    scale s ~ LogNormal(0, 1), value v ~ LogNormal(-4, 0.75) kept as log v, rho ~ U(0.5, 1), probability p of an edge.
    chance, alias: see `alias_table`; rate = sum lambda_j, the Poisson mean of the draws of a source.
    """

    probability: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    log_value: npt.NDArray[np.float64]
    rho: npt.NDArray[np.float64]
    rate: float
    chance: npt.NDArray[np.float64]
    alias: npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class BlockGraph:
    """Edges of a block: source int64[E], non-decreasing; destination int64[E], increasing within a source."""

    sources: int
    source: npt.NDArray[np.int64]
    destination: npt.NDArray[np.int64]

    @property
    def edges(self) -> int:
        return int(self.source.size)

    @property
    def offsets(self) -> npt.NDArray[np.int64]:
        """int64[n + 1]: where the edges of each source start, and the end."""
        return starts_of(np.bincount(self.source, minlength=self.sources))


def starts_of(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where each of some groups starts, and the end, from their sizes."""
    return np.concatenate(([0], np.cumsum(counts)))


def block_generator(spec: Recipe, block: int) -> np.random.Generator:
    return _generator(spec.seed, _BLOCKS, block)


def family_generator(spec: Recipe) -> np.random.Generator:
    """The generator of what a family draws once for all blocks, beside the destinations."""
    return _generator(spec.seed, _FAMILY)


def day_generator(spec: Recipe, day: int, block: int) -> np.random.Generator:
    """The generator of what changes in a block on that day."""
    return _generator(spec.seed, _DAYS, day, block)


def limits_generator(spec: Recipe, day: int) -> np.random.Generator:
    """The generator of what changes in the limits on that day."""
    return _generator(spec.seed, _LIMITS, day)


def draw_destinations(spec: Recipe) -> Destinations:
    """p_j = min(Z_j / sum Z * degree, MAX_PROBABILITY) with breadth Z ~ LogNormal(0, 1).

    Where the cap binds (destinations few against the degree), the mean degree falls below nominal.
    """
    rng = _generator(spec.seed, _DESTINATIONS)
    J = spec.destinations
    breadth = np.exp(rng.standard_normal(J))
    scale = np.exp(rng.standard_normal(J))
    log_value = -4.0 + 0.75 * rng.standard_normal(J)
    rho = rng.uniform(0.5, 1.0, J)
    drawn = _graph_of(breadth, spec.degree)
    return Destinations(scale=scale, log_value=log_value, rho=rho, **drawn)


def with_breadth(destinations: Destinations, breadth: npt.NDArray[np.float64], degree: float) -> Destinations:
    """The same destinations with edges in proportion to another breadth, float64[J]."""
    return replace(destinations, **_graph_of(breadth, degree))


def _graph_of(breadth: npt.NDArray[np.float64], degree: float) -> dict[str, Any]:
    """The fields of Destinations that determine the edges."""
    probability = np.minimum(breadth / math.fsum(breadth) * degree, MAX_PROBABILITY)
    weight = -np.log1p(-probability)
    chance, alias = alias_table(weight)
    return {"probability": probability, "rate": math.fsum(weight), "chance": chance, "alias": alias}


def edges_per_source(spec: Recipe, destinations: Destinations) -> float:
    """An upper bound on the mean edges a source of `sample_graph`, including the draws for `least_edges`."""
    least = math.exp(-destinations.rate) + max(0, spec.least_edges - 1)
    return math.fsum(destinations.probability) + least


def alias_table(weight: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """(chance[J], alias[J]): column j of J equal columns yields j with chance[j], else alias[j] (Walker 1977).

    Filled in rounds: in each, every column above the mean fills one below.
    """
    chance = weight * (weight.size / math.fsum(weight))
    alias = np.arange(weight.size)
    small = np.flatnonzero(chance < 1)
    large = np.flatnonzero(chance >= 1)
    while small.size and large.size:
        pairs = min(small.size, large.size)
        taker = small[:pairs]
        giver = large[:pairs]
        alias[taker] = giver
        chance[giver] -= 1 - chance[taker]
        exhausted = chance[giver] < 1
        small = np.concatenate((small[pairs:], giver[exhausted]))
        large = np.concatenate((giver[~exhausted], large[pairs:]))
    chance[small] = 1.0  # what is left differs from 1 by rounding only
    chance[large] = 1.0
    return chance, alias


def sample_graph(
    rng: np.random.Generator, destinations: Destinations, sources: int, *, least_edges: int = 0
) -> BlockGraph:
    """Each pair is an edge with probability exactly p_j, independently of all others.

    A source draws Poisson(sum lambda) destinations from lambda / sum lambda and repeated ones count once; the counts
    are then independent Poisson(lambda_j), and one is positive with probability 1 - exp(-lambda_j) = p_j.
    A source gets `least_edges` draws at least, and where repeated ones leave it fewer edges, further destinations at
    random, each as likely as any other.
    """
    draws = rng.poisson(destinations.rate, sources)
    if least_edges:
        np.maximum(draws, least_edges, out=draws)
    J = destinations.chance.size
    narrow: Any = np.uint32 if sources * J <= 2**32 else np.uint64  # a narrow key sorts faster; the order is the same
    key = np.repeat(np.arange(sources, dtype=narrow) * narrow(J), draws)
    key += _draw_destination(rng, destinations, key.size).astype(narrow)
    key = _sorted_once(key)
    while least_edges > 1:
        lacking = least_edges - np.bincount((key // narrow(J)).astype(np.int64), minlength=sources)
        if lacking.max() <= 0:
            break
        further = np.repeat(np.arange(sources, dtype=narrow) * narrow(J), np.maximum(lacking, 0))
        further += rng.integers(0, J, further.size).astype(narrow)
        key = _sorted_once(np.concatenate((key, further)))
    source = key // narrow(J)
    return BlockGraph(
        sources=sources, source=source.astype(np.int64), destination=(key - source * narrow(J)).astype(np.int64)
    )


def _sorted_once(key: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The distinct entries of `key`, rising; `key` is sorted in place."""
    key.sort()
    first = np.empty(key.size, dtype=np.bool_)
    first[:1] = True
    np.not_equal(key[1:], key[:-1], out=first[1:])
    return key[first]


def lognormal_values(
    rng: np.random.Generator, graph: BlockGraph, destinations: Destinations
) -> npt.NDArray[np.float32]:
    """w_e = min(v_j u_i eps_e, 0.5) with affinity u_i ~ LogNormal(0, 0.5) and noise eps_e ~ LogNormal(0, 0.5).

    Computed in float64 and rounded once: the last bit of exp, which differs between machines, rarely remains.
    """
    affinity = rng.standard_normal(graph.sources)
    exponent = rng.standard_normal(graph.edges)
    exponent += affinity[graph.source]
    exponent *= 0.5
    exponent += destinations.log_value[graph.destination]
    np.exp(exponent, out=exponent)
    return np.minimum(exponent, 0.5, out=exponent).astype(np.float32)


def _draw_destination(rng: np.random.Generator, destinations: Destinations, size: int) -> npt.NDArray[np.int64]:
    position = rng.random(size)
    position *= destinations.chance.size
    column = position.astype(np.int64)
    position -= column
    return np.where(position < destinations.chance[column], column, destinations.alias[column])


def _generator(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(seed, spawn_key=key)))
