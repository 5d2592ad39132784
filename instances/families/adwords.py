"""Family `adwords`: many queries of few keywords, so that nearly everything ties.

Workload: selling ads beside queries (the AdWords problem, as its teaching data state it: bidder_dataset.csv with
advertisers, keywords, bids and budgets, and queries.txt). There are J advertisers and J - 1 keywords, each with
`degree` bids; a source is a query, of a keyword that is as likely as any other, and has the bids of its keyword as
edges. a_e = -c_e is the bid, in whole cents; x_i in {x >= 0, 1'x <= 1}; all budgets are equal, together 90 % of what
the queries bring when each goes to its best bid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from instances.families.base import Block, BlockFamily, Float32, Float64
from instances.families.budget import SHORT_ARRAYS, short_rows
from instances.greedy import UNITS, Load, even_shares, greedy_shares, load_on, loads_of, radius_loads
from instances.recipe import Recipe
from instances.rows import RaggedRows, Rows
from instances.sampling import family_generator, starts_of

#: Budgets of all advertisers, in parts of what the best bids bring.
_BUDGET = 0.9
#: Bids in dollars: from 0.01, and no keyword has a price.
_MOST_CENTS = 300


@dataclass(frozen=True, kw_only=True, eq=False)
class Bids:
    """The bids of each of K keywords, one keyword after another."""

    starts: npt.NDArray[np.int64]
    """int64[K + 1]."""
    advertiser: npt.NDArray[np.int64]
    """int64[B], rising within a keyword."""
    bid: Float32
    """float32[B] > 0, dollars."""
    budget: Float64
    """float64[J], as a multiple of the equal one: 1 on the first day."""


class Adwords(BlockFamily[Bids]):
    name = "adwords"
    title = "queries of few keywords with equal bids (a = -c, nearly everything ties), equal budgets"
    arrays = SHORT_ARRAYS

    def draw(self, spec: Recipe) -> Bids:
        """Keywords with the whole degree, and as many with one bid more as its fraction asks for."""
        rng = family_generator(spec)
        keywords = max(1, spec.destinations - 1)
        count = np.floor(spec.degree + rng.random(keywords)).astype(np.int64)
        count = np.clip(count, max(1, spec.least_edges), spec.destinations)
        advertiser = [np.sort(rng.choice(spec.destinations, bids, replace=False)) for bids in count]
        return Bids(
            starts=starts_of(count),
            advertiser=np.concatenate(advertiser),
            bid=(rng.integers(1, _MOST_CENTS + 1, count.sum()) / 100).astype(np.float32),
            budget=np.ones(spec.destinations),
        )

    def moved(self, drawn: Bids, factor: Float64) -> Bids:
        return replace(drawn, budget=drawn.budget * factor)

    def block(self, spec: Recipe, drawn: Bids, rng: np.random.Generator, sources: int) -> Block:
        keyword = rng.integers(0, drawn.starts.size - 1, sources)
        degree = np.diff(drawn.starts)[keyword]
        offsets = starts_of(degree)
        source = np.repeat(np.arange(sources), degree)
        edge = drawn.starts[keyword][source] + np.arange(source.size) - offsets[source]
        advertiser, bid = drawn.advertiser[edge], drawn.bid[edge]

        best = load_on((0, advertiser, bid), x=greedy_shares(spec.polytope, source, bid), source=source)
        even = np.ceil(bid * (even_shares(spec.polytope, source) * UNITS)).astype(np.int64)
        return Block(
            arrays={"offsets": offsets, "destination": advertiser.astype(np.int32), "a": bid, "c": -bid},
            load=[best, Load(advertiser, even, source)][: loads_of(spec.polytope)],
        )

    def rows(self, spec: Recipe, drawn: Bids, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        """For '=' sources the budget has room for every query spread evenly: a known feasible point."""
        loads = radius_loads(spec.polytope, load)
        b = drawn.budget * (_BUDGET * loads[0].sum() / spec.destinations)
        return [short_rows(b if len(loads) == 1 else np.maximum(b, loads[1].max()))]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return loads_of(spec.polytope), spec.destinations

    def edges_per_source(self, spec: Recipe, drawn: Bids) -> float:  # noqa: ARG002 - the contract of every family
        return float(np.diff(drawn.starts).max())


FAMILY = Adwords()
