"""Projected subgradient ascent on the dual: the simplest solver of a matching LP."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from instances import Kind, MatchingLP
from solvers import Answer, Availability, Settings, Solver, Status, parse_options


@dataclass(frozen=True, kw_only=True)
class Options:
    """step: length of the first step. iterations: where no iteration limit is given."""

    step: float = 1.0
    iterations: int = 1000


class Subgradient(Solver):
    """It cannot tell when it is done, so it never claims a tolerance."""

    id = "subgradient"
    title = "Projected subgradient"
    citation = "Shor, Minimization Methods for Non-Differentiable Functions, 1985"
    bytes_per_edge = 50.0
    polytopes = frozenset({Kind.SIMPLEX})
    Options = Options

    def available(self) -> Availability:
        return Availability(ok=True, version="1")

    def prepare(self, lp: MatchingLP, settings: Settings) -> Any:
        return lp, settings, parse_options(Options, settings), lp.source_of_edge()

    def run(self, state: Any) -> Answer:
        lp, settings, options, source = state
        occupied, began = np.flatnonzero(lp.degrees()), time.perf_counter()
        dual, mean, radius = np.zeros(lp.destinations), np.zeros(lp.edges), lp.per_source.radius[source]
        status = Status.ITERATION_LIMIT
        for k in range(1, (settings.iteration_limit or options.iterations) + 1):
            q = lp.c + lp.a * dual[lp.destination]  # reduced costs
            least = np.full(lp.sources, np.inf)
            least[occupied] = np.minimum.reduceat(q, lp.offsets[occupied])
            x = radius * ((q == least[source]) & (q < 0))  # each source spends all it has on its cheapest edge
            gradient = np.bincount(lp.destination, lp.a * x, lp.destinations) - lp.b
            dual = np.maximum(0.0, dual + options.step / np.sqrt(k) * gradient / (np.linalg.norm(gradient) + 1e-300))
            mean += (x - mean) / k  # the mean of the answers converges, the answers do not
            if settings.time_limit and time.perf_counter() - began > settings.time_limit:
                status = Status.TIME_LIMIT
                break
        return Answer(x=mean, dual=dual, status=status, iterations=k)
