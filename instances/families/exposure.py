"""Family `exposure`: items with caps, and creators of several items each who are promised some exposure.

Workload: recommendations that are fair to both sides (Patro et al., "FairRec: Two-Sided Fairness for Personalized
Recommendations in Two-Sided Platforms", WWW 2020, where producers are guaranteed a least exposure). A source is a user,
a destination an item; J / 5 creators have items, some many and most few; x_i in {x >= 0, 1'x <= 1}:

    item       sum of x over its edges                   <= upper_j
    creator    sum of x over the edges of all its items  >= lower_k, hard

Feasible: every user spread evenly over its edges. Each item has room for that, and for rho_j of what it gets when every
user takes the item that is worth most; a creator is promised 0.8 of its even exposure.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_ROW, Block, BlockFamily, Float64
from instances.greedy import even_shares, greedy_shares, load_on, radius_loads
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import (
    Destinations,
    draw_destinations,
    edges_per_source,
    family_generator,
    lognormal_values,
    sample_graph,
)

#: Items of a creator in the mean.
_ITEMS = 5
#: Part of its even exposure that a creator is promised.
_PROMISED = 0.8


@dataclass(frozen=True, kw_only=True, eq=False)
class Items:
    """What is drawn once for each item."""

    destinations: Destinations
    creator: npt.NDArray[np.int64]
    """int64[J] in 0..K-1."""


class Exposure(BlockFamily[Items]):
    name = "exposure"
    title = "items with caps, and creators of several items with hard floors of exposure"
    arrays = MappingProxyType({"c": "f4", "row_0": "i4", "row_1": "i4"})

    def draw(self, spec: Recipe) -> Items:
        skewed = family_generator(spec).random(spec.destinations) ** 2  # few creators have most of the items
        return Items(
            destinations=draw_destinations(spec),
            creator=(skewed * _creators(spec)).astype(np.int64),
        )

    def moved(self, drawn: Items, factor: Float64) -> Items:
        destinations = drawn.destinations
        return replace(drawn, destinations=replace(destinations, rho=destinations.rho * factor))

    def block(self, spec: Recipe, drawn: Items, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn.destinations, sources, least_edges=spec.least_edges)
        value = lognormal_values(rng, graph, drawn.destinations)
        points = (greedy_shares(spec.polytope, graph.source, value), even_shares(spec.polytope, graph.source))
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": -value,
                "row_0": graph.destination.astype(np.int32),
                "row_1": drawn.creator[graph.destination].astype(np.int32),
            },
            load=[load_on((0, graph.destination, 1.0), x=x, source=graph.source) for x in points],
        )

    def rows(self, spec: Recipe, drawn: Items, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        wanted, even = radius_loads(spec.polytope, load)
        promised = _PROMISED * np.bincount(drawn.creator, even, _creators(spec))
        return [
            Rows("item", row=NO_ROW, upper=np.maximum(1.0, np.ceil(np.maximum(drawn.destinations.rho * wanted, even)))),
            Rows("creator", row=NO_ROW, lower=promised),
        ]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 2, spec.destinations

    def limits(self, spec: Sizes) -> int:
        return spec.destinations + _creators(spec)

    def edges_per_source(self, spec: Recipe, drawn: Items) -> float:
        return edges_per_source(spec, drawn.destinations)


def _creators(spec: Sizes) -> int:
    return max(1, spec.destinations // _ITEMS)


FAMILY = Exposure()
