"""Family `volume`: messages under caps of campaigns, of all sends and of all complaints, with a floor of engagement.

Workload: choosing which e-mails to send, so that sessions are above and complaints below a target (LinkedIn: Gupta et
al., "Email Volume Optimization at LinkedIn", KDD 2016). A source is a user, a destination a campaign, an edge a message
worth v_e that brings a session with probability s_e and a complaint with probability k_e; x_i in {x >= 0, 1'x <= 1}:

    campaign    sum of x over its edges <= upper_j
    sends       sum of x                <= upper          one row for all edges
    complaints  sum of k_e x_e          <= upper          one row for all edges
    engagement  sum of s_e x_e          >= lower          one row for all edges

Feasible: t H, where H gives every user the message with the largest s_e - 10 k_e, and t is 1/2, or 1 for '=' sources.
The three sums over all edges are those of t H but for 2 %; a campaign has room for t H, and for t rho_j of what it gets
when every user takes the message that is worth most.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from instances.families.base import NO_COEFFICIENT, NO_ROW, Block, BlockFamily, Float64
from instances.greedy import greedy_shares, load_on, loads_of, radius_loads
from instances.recipe import Recipe, Sizes
from instances.rows import RaggedRows, Rows
from instances.sampling import Destinations, draw_destinations, edges_per_source, lognormal_values, sample_graph

#: Sessions that one complaint outweighs in H.
_PER_COMPLAINT = np.float32(10.0)
#: t where a source may stay below its radius.
_SENT = 0.5
#: What the sums over all edges leave beyond t H.
_ROOM = 0.02


class Volume(BlockFamily[Destinations]):
    name = "volume"
    title = "messages under caps of campaigns, of all sends and of all complaints, with a floor of engagement"
    arrays = MappingProxyType({"c": "f4", "row_0": "i4", "coefficient_2": "f4", "coefficient_3": "f4"})

    def draw(self, spec: Recipe) -> Destinations:
        return draw_destinations(spec)

    def moved(self, drawn: Destinations, factor: Float64) -> Destinations:
        return replace(drawn, rho=drawn.rho * factor)

    def block(self, spec: Recipe, drawn: Destinations, rng: np.random.Generator, sources: int) -> Block:
        graph = sample_graph(rng, drawn, sources, least_edges=spec.least_edges)
        value = lognormal_values(rng, graph, drawn)
        session = np.minimum(np.exp(-2.0 + 0.5 * rng.standard_normal(graph.edges)), 1.0).astype(np.float32)
        complaint = np.minimum(np.exp(-5.0 + 0.8 * rng.standard_normal(graph.edges)), 1.0).astype(np.float32)

        J, campaign = spec.destinations, graph.destination
        of_all = ((J, None, 1.0), (J + 1, None, complaint), (J + 2, None, session))
        wanted = greedy_shares(spec.polytope, graph.source, value)
        known = greedy_shares(spec.polytope, graph.source, session - _PER_COMPLAINT * complaint)
        return Block(
            arrays={
                "offsets": graph.offsets,
                "c": -value,
                "row_0": campaign.astype(np.int32),
                "coefficient_2": complaint,
                "coefficient_3": session,
            },
            load=[
                load_on((0, campaign, 1.0), x=wanted, source=graph.source),
                load_on((0, campaign, 1.0), *of_all, x=known, source=graph.source),
            ],
        )

    def rows(self, spec: Recipe, drawn: Destinations, load: npt.NDArray[np.int64]) -> list[Rows | RaggedRows]:
        loads, J = radius_loads(spec.polytope, load), spec.destinations
        if loads_of(spec.polytope) == 1:
            loads *= _SENT
        wanted, known = loads
        campaign = np.maximum(1.0, np.ceil(np.maximum(drawn.rho * wanted[:J], known[:J])))
        sends, complaints, sessions = known[J:]
        return [
            Rows("campaign", row=NO_ROW, upper=campaign),
            Rows("sends", upper=np.ceil((1 + _ROOM) * sends)),
            Rows("complaints", coefficient=NO_COEFFICIENT, upper=(1 + _ROOM) * complaints),
            Rows("engagement", coefficient=NO_COEFFICIENT, lower=(1 - _ROOM) * sessions),
        ]

    def load_shape(self, spec: Recipe) -> tuple[int, int]:
        return 2, spec.destinations + 3

    def limits(self, spec: Sizes) -> int:
        return spec.destinations + 3

    def edges_per_source(self, spec: Recipe, drawn: Destinations) -> float:
        return edges_per_source(spec, drawn)


FAMILY = Volume()
