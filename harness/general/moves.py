"""Moves of mass that bring a point back within the rows that it leaves: which there are, by the prices of rows.

I sources, R rows, E edges, K moves. A move takes mass of one source from an edge to another, or from an edge to none,
or to an edge from none. Per unit of mass it changes the activities by D_k = A_to - A_from and costs d_k = c_to -
c_from. With q = c + A'y for prices y[R], it gains q_from - q_to: each source offers the move that gains most. A move
is for the rows alone: where d_k < 0, that it would make the point cheaper is no gain, for no answer is to be improved.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from harness.general.layers import layers
from harness.rounding import Float64
from harness.sources import Chunk, over_chunks
from instances import MatchingLP

#: Moves kept of each row that they raise, and of each that they lower.
_PER_ROW = 2
NO_EDGE = -1
#: Costs in units of the largest q, where they only choose between moves that help alike.
_SMALL = 1e-3
_TINY = 1e-300
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Moves:
    """K moves of different sources."""

    source: Indices
    start: Indices
    """[K] the edge that gives, or NO_EDGE."""
    end: Indices
    """[K] the edge that takes, or NO_EDGE."""
    most: Float64
    """[K] the mass that can be moved."""
    cost: Float64
    """[K]: d, 0 where that is below 0."""
    gain: Float64
    """[K], by the prices at which they were chosen."""
    changes: sparse.csr_array
    """D, [K, R]."""

    @classmethod
    def together(cls, parts: Sequence[Moves]) -> Moves:
        names = ("source", "start", "end", "most", "cost", "gain")
        arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
        return cls(**arrays, changes=sparse.csr_array(sparse.vstack([part.changes for part in parts])))

    def only(self, chosen: Indices) -> Moves:
        return Moves(
            source=self.source[chosen],
            start=self.start[chosen],
            end=self.end[chosen],
            most=self.most[chosen],
            cost=self.cost[chosen],
            gain=self.gain[chosen],
            changes=self.changes[chosen],
        )

    def add(self, amount: Float64, point: Float64) -> None:
        """Move amount[K] in point[E]."""
        for edges, signed in ((self.start, -amount), (self.end, amount)):
            there = edges != NO_EDGE
            point[edges[there]] += signed[there]


@dataclass(frozen=True, kw_only=True, eq=False)
class Offer:
    """What moves are asked for."""

    lp: MatchingLP
    point: Float64
    """[E], in the polytopes."""
    least: float
    """The mass that a move must be able to take, as a share of what an edge can hold."""
    taken: npt.NDArray[np.bool_]
    """[I]: sources that have a move already."""


def best_moves(offer: Offer, price: Float64, pool: ThreadPoolExecutor, *, costs: bool) -> Moves | None:
    """The best moves for every row at price[R], inf where nothing may enter; None where none gains anything.

    Without `costs` they count in q for next to nothing: they choose between moves that help the rows alike.
    """
    of_chunks = over_chunks(offer.lp, pool, lambda chunk: _of_chunk(offer, chunk, price, costs=costs))
    found = [moves for moves in of_chunks if moves.source.size]
    if not found:
        return None
    moves = Moves.together(found)
    return moves.only(_best_of_rows(moves.gain, _rows_changed(moves.changes)))


def _of_chunk(offer: Offer, chunk: Chunk, price: Float64, *, costs: bool) -> Moves:
    x = offer.point[chunk.edges]
    q = np.zeros(x.size)
    barred = np.zeros(x.size, np.bool_)
    for layer in layers(chunk):
        closed = np.isinf(price[layer.row])
        q[layer.edges] += np.where(closed, 0.0, layer.coefficient * price[layer.row])
        barred[layer.edges] |= closed & (layer.coefficient > 0)
    weight = 1.0 if costs else _SMALL * float(np.max(np.abs(q), initial=0.0)) / max(chunk.largest_cost, _TINY)
    q += weight * chunk.c

    limits = chunk.limits
    least = _least(offer, np.minimum(limits.at_most, limits.upper))
    least_of_edge = _least(offer, np.minimum(limits.at_most[chunk.source], chunk.upper))
    room = chunk.upper - x
    gives = x > least_of_edge
    takes = (room > least_of_edge) & ~barred
    highest = -chunk.minimum(np.where(gives, -q, np.inf))
    lowest = chunk.minimum(np.where(takes, q, np.inf))
    slack = np.where(limits.equality, 0.0, limits.at_most - chunk.total(x))

    # Without an edge to take it mass may go where a sum need not be z, and come where the sum has room: both at q = 0.
    drops = ~limits.equality & (lowest > 0)
    adds = (slack > least) & (highest < 0)
    gain = np.where(drops, highest, np.where(adds, -lowest, highest - lowest))
    source = np.flatnonzero((gain > 0) & np.isfinite(gain) & ~offer.taken[chunk.first : chunk.last])
    gain, drops, adds = gain[source], drops[source], adds[source] & ~drops[source]
    start = np.where(adds, NO_EDGE, _first_edges(chunk, gives & (q == highest[chunk.source]))[source])
    end = np.where(drops, NO_EDGE, _first_edges(chunk, takes & (q == lowest[chunk.source]))[source])
    given = np.where(adds, slack[source], x[start])
    taken = np.where(drops, np.inf, room[end])
    cost = np.where(drops, 0.0, chunk.c[end]) - np.where(adds, 0.0, chunk.c[start])
    gain += weight * np.minimum(cost, 0.0)

    changes = _changes(chunk, start, end, price.size)
    chosen = _best_of_rows(gain, _rows_changed(changes))
    chosen = chosen[gain[chosen] > 0]
    first = chunk.edges.start
    moves = Moves(
        source=source + chunk.first,
        start=np.where(adds, NO_EDGE, start + first),
        end=np.where(drops, NO_EDGE, end + first),
        most=np.minimum(given, taken),
        cost=np.maximum(cost, 0.0),
        gain=gain,
        changes=changes,
    )
    return moves.only(chosen)


def _least(offer: Offer, most: Float64) -> Float64:
    """The mass that a move must be able to take from what holds `most`."""
    return offer.least * np.where(np.isfinite(most), most, 1.0)


def _first_edges(chunk: Chunk, wanted: npt.NDArray[np.bool_]) -> Indices:
    """[n] the first wanted edge of each source, counted from the first of the chunk; 0 where there is none."""
    number = np.where(wanted, np.arange(wanted.size, dtype=np.float64), np.inf)
    first = chunk.minimum(number)
    return np.where(np.isfinite(first), first, 0).astype(np.int64)


def _changes(chunk: Chunk, start: Indices, end: Indices, rows: int) -> sparse.csr_array:
    """D, [K, R]; edges counted from the first of the chunk, or NO_EDGE."""
    edges = chunk.edges.stop - chunk.edges.start
    total = sparse.csr_array((start.size, rows))
    for layer in layers(chunk):
        row = np.full(edges, -1)
        coefficient = np.zeros(edges)
        row[layer.edges] = layer.row
        coefficient[layer.edges] = layer.coefficient
        for edge, sign in ((end, 1.0), (start, -1.0)):
            there = np.flatnonzero((edge != NO_EDGE) & (row[edge] >= 0))
            entries = (sign * coefficient[edge[there]], (there, row[edge[there]]))
            total += sparse.csr_array(entries, shape=total.shape)
    return sparse.csr_array(total)


def _rows_changed(changes: sparse.csr_array) -> Iterator[tuple[Indices, Indices]]:
    """(moves, rows) of the entries that raise a row, and of those that lower one."""
    entries = changes.tocoo()
    for sign in (1.0, -1.0):
        of_sign = np.sign(entries.data) == sign
        yield entries.row[of_sign].astype(np.int64), entries.col[of_sign].astype(np.int64)


def _best_of_rows(gain: Float64, groups: Iterable[tuple[Indices, Indices]]) -> Indices:
    """The moves that gain most among those of each row."""
    chosen = np.zeros(gain.size, np.bool_)
    for moves, rows in groups:
        order = np.lexsort((-gain[moves], rows))
        sorted_rows = rows[order]
        begin = np.flatnonzero(np.r_[True, sorted_rows[1:] != sorted_rows[:-1]])
        rank = np.arange(order.size) - np.repeat(begin, np.diff(np.append(begin, order.size)))
        chosen[moves[order[rank < _PER_ROW]]] = True
    return np.flatnonzero(chosen)
