"""The support function of a source, min over C_i of q'x: never above the exact value, whatever float64 rounds.

    1'x <= z              z min(0, min_e q_e)                    1'x = z: z min_e q_e
    0 <= x <= u           sum_e u_e min(0, q_e)
    both                  -z t + sum_e u_e min(0, q_e + t)       for t >= 0 (any t where 1'x = z), exact at the best t

The best t is -q_m (for '<=' at least 0), where q_m belongs to the edge that takes the last of z when edges are filled
in the order of q: that of rank floor(z / u), counted from 0, where all edges of a source have one u. Any other t gives
a lower bound as well, so that rounding of the rank does no harm.

Arrays: [n] of the sources of a chunk, [e] of its edges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.rounding import SMALLEST, UNIT, Float64, Terms, lowered, scaled_pairs
from harness.sources import Chunk

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True, kw_only=True, eq=False)
class Support:
    """terms [n], none above its exact value; error: by how much evaluating them at the given q may lower their sum."""

    terms: Float64
    error: float


def most_mass(chunk: Chunk) -> Float64:
    """The most that the edges of each source can hold together, [n]: what an error of q on every edge is worth."""
    limits = chunk.limits
    at_edges = limits.upper * np.maximum(chunk.degrees, 1)
    if chunk.lp.edge_upper is not None:
        at_edges = np.minimum(at_edges, chunk.total(chunk.upper) * (1 + 2 * (chunk.degrees + 2) * UNIT))
    return np.minimum(limits.at_most, at_edges)


def rounded_support(chunk: Chunk, q: Float64, underflow: float) -> Support:
    """The support at any q' >= q - 4 UNIT |q| - underflow."""
    limits = chunk.limits
    only_edges = np.isinf(limits.at_most)
    scale = np.where(only_edges, 0.0, limits.at_most)
    smallest = lowered(np.minimum(chunk.minimum(q), _LARGEST), 4, underflow)
    smallest[chunk.degrees == 0] = np.inf
    best = np.where(limits.equality, smallest, np.minimum(smallest, 0.0))
    best[scale == 0] = 0.0
    inexact = (scale != 0) & (best != 0)
    terms = np.where(inexact, lowered(scale * best, 4, SMALLEST), 0.0)
    if only_edges.any():
        terms[only_edges] = _at_edges(chunk, np.minimum(q, 0.0), underflow)[only_edges]

    both = limited_both_ways(chunk)
    if not both.any():
        return Support(terms=terms, error=0.0)
    with_threshold = _at_threshold(chunk, lowered(np.minimum(q, _LARGEST), 4, underflow), underflow)
    terms[both] = with_threshold.terms[both]
    return Support(terms=terms, error=with_threshold.error)


def exact_support(chunk: Chunk, first: Float64, second: Float64) -> list[Terms]:
    """The support at q = first + second [e], pairs that are ordered as their sums are, as numbers to be added."""
    limits = chunk.limits
    both = limited_both_ways(chunk)
    only_edges = np.isinf(limits.at_most)[chunk.source]
    scale = np.where(np.isinf(limits.at_most), 0.0, limits.at_most)
    top, rest = _smallest(chunk, first, second)
    terms: list[Terms] = []
    if both.any():
        marginal, marginal_rest = _marginal_pairs(chunk, first, second)
        terms = _below_marginal(chunk, first, second, (marginal, marginal_rest))
        top = np.where(both, marginal, top)
        rest = np.where(both, marginal_rest, rest)
    used = (limits.equality | _is_negative(top, rest)) & (chunk.degrees > 0) & (scale > 0)
    return [
        scaled_pairs(scale, np.where(used, top, 0.0), np.where(used, rest, 0.0)),
        scaled_pairs(chunk.upper[only_edges], *_negative_part(first[only_edges], second[only_edges])),
        *terms,
    ]


def limited_both_ways(chunk: Chunk) -> npt.NDArray[np.bool_]:
    """Sources whose sum and whose edges are limited, [n]."""
    return np.isfinite(chunk.limits.at_most) & np.isfinite(chunk.limits.upper)


def _at_edges(chunk: Chunk, values: Float64, underflow: float) -> Float64:
    """sum_e u_e v_e of each source, [n], from below, for values v <= 0 that may be 4 UNIT |v| + underflow too large;
    of use where u is finite.
    """
    additions = 2.0 * (chunk.degrees + 8).astype(np.float64)
    if chunk.lp.edge_upper is None:
        upper = np.where(np.isfinite(chunk.limits.upper), chunk.limits.upper, 0.0)
        saved = lowered(chunk.total(values), additions, underflow * chunk.degrees)
        return np.where((upper > 0) & (saved < 0), lowered(upper * saved, 4, SMALLEST), 0.0)

    own = np.where(np.isfinite(chunk.upper), chunk.upper, 0.0)
    used = (own > 0) & (values < 0)
    products = np.where(used, own * values, 0.0)
    lost = 2 * (underflow * chunk.total(own) + SMALLEST * chunk.total(used.astype(np.float64)))
    return lowered(chunk.total(products), additions + 4, lost)


def _at_threshold(chunk: Chunk, q: Float64, underflow: float) -> Support:
    """-z t + sum u_e min(0, q + t) at a threshold t near the best; of use where both limits are finite."""
    limits = chunk.limits
    upper = np.where(np.isfinite(limits.upper), limits.upper, 0.0)
    at_most = np.where(np.isfinite(limits.at_most), limits.at_most, 0.0)
    marginal = _marginal_edge(chunk, q)
    threshold = -np.where(marginal >= 0, q[np.maximum(marginal, 0)] if q.size else 0.0, 0.0)
    threshold = np.where(limits.equality, threshold, np.maximum(threshold, 0.0))

    at_edges = _at_edges(chunk, np.minimum(q + threshold[chunk.source], 0.0), underflow)
    at_sum = np.where((at_most > 0) & (threshold != 0), lowered(-at_most * threshold, 4, SMALLEST), 0.0)
    # Where t < 0 the two cancel, so what they round is no share of their sum.
    magnitude = np.abs(at_edges) + np.abs(at_sum)
    error = (4.0 * chunk.degrees + 64) * UNIT * magnitude + upper * underflow * chunk.degrees
    products = 1 if chunk.lp.edge_upper is None else chunk.degrees
    # Products that underflow round by no share of themselves.
    error += np.where(magnitude > 0, 4 * SMALLEST * products, 0.0)
    both = limited_both_ways(chunk)
    terms = lowered(at_edges + at_sum, 4)
    return Support(terms=terms, error=float(np.sum(error, where=both)))


def _marginal_edge(chunk: Chunk, *keys: Float64) -> npt.NDArray[np.intp]:
    """The edge of each source that takes the last of z in the rising order of q, [n]; keys: q, or both parts of pairs.

    -1 where the source has fewer edges and none is at the margin; '=' then takes the last.
    """
    order = np.lexsort((*reversed(keys), chunk.source))
    starts = np.cumsum(chunk.degrees) - chunk.degrees
    limits = chunk.limits
    last = chunk.degrees - 1
    if chunk.lp.edge_upper is None:
        rank = np.floor(limits.at_most / np.where(limits.upper > 0, limits.upper, np.inf))
        beyond = limits.at_most >= limits.upper * chunk.degrees
    else:
        rank = _filled_edges(chunk, order, starts)
        beyond = rank >= chunk.degrees
    rank = np.where(np.isfinite(limits.at_most), np.minimum(rank, last), 0)
    missing = (chunk.degrees == 0) | (beyond & ~limits.equality)
    at = np.where(missing, 0, starts + np.maximum(rank, 0).astype(np.intp))
    return np.where(missing, -1, order[at] if order.size else -1)


def _filled_edges(chunk: Chunk, order: npt.NDArray[np.intp], starts: npt.NDArray[np.int64]) -> Float64:
    """How many edges of each source together hold less than z, each at its u_e and in `order`, [n]."""
    z = chunk.limits.at_most[chunk.source]
    share = np.ones(z.size)
    limited = np.isfinite(z) & (chunk.upper < z)  # as shares of z, so that no source's numbers blur another's
    np.divide(chunk.upper, z, out=share, where=limited)
    held = np.append(0.0, np.cumsum(share[order]))
    return chunk.total((held[1:] - held[starts][chunk.source] < 1).astype(np.float64))


def _marginal_pairs(chunk: Chunk, first: Float64, second: Float64) -> tuple[Float64, Float64]:
    """q of the marginal edge of each source, [n]; for '<=' not above 0, and 0 where no edge is at the margin."""
    if not first.size:
        return np.zeros(chunk.degrees.size), np.zeros(chunk.degrees.size)
    edge = _marginal_edge(chunk, first, second)
    none = edge < 0
    edge = np.maximum(edge, 0)
    pair = (np.where(none, 0.0, first[edge]), np.where(none, 0.0, second[edge]))
    kept = chunk.limits.equality | _is_negative(*pair)
    return np.where(kept, pair[0], 0.0), np.where(kept, pair[1], 0.0)


def _below_marginal(chunk: Chunk, first: Float64, second: Float64, marginal: tuple[Float64, Float64]) -> list[Terms]:
    """u_e (q_e - q_m) of the edges with q_e < q_m, as numbers to be added."""
    top, rest = (part[chunk.source] for part in marginal)
    below = (first < top) | ((first == top) & (second < rest))
    below &= limited_both_ways(chunk)[chunk.source]
    upper = chunk.upper[below]
    return [
        scaled_pairs(upper, first[below], second[below]),
        scaled_pairs(upper, -top[below], -rest[below]),
    ]


def _smallest(chunk: Chunk, first: Float64, second: Float64) -> tuple[Float64, Float64]:
    """The smallest pair of each source."""
    smallest = chunk.minimum(first)
    smallest_second = chunk.minimum(np.where(first == smallest[chunk.source], second, np.inf))
    return smallest, smallest_second


def _negative_part(first: Float64, second: Float64) -> tuple[Float64, Float64]:
    """min(0, first + second) of ordered pairs."""
    negative = _is_negative(first, second)
    return np.where(negative, first, 0.0), np.where(negative, second, 0.0)


def _is_negative(first: Float64, second: Float64) -> npt.NDArray[np.bool_]:
    """first + second < 0 of ordered pairs."""
    negative: npt.NDArray[np.bool_] = (first < 0) | ((first == 0) & (second < 0))
    return negative
