"""The solver `blockpdhg`: the adapter of solvers/halpern.py."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Answer, Availability, Settings, Vector, parse_options
from solvers.engine.certificate import largest_objective
from solvers.engine.costs import eased
from solvers.engine.job import Job, ShardedSolver, SharedKernel
from solvers.engine.kernel import make_kernel
from solvers.engine.setup import (
    answer_dtype,
    answer_without_edges,
    available,
    cpu_threads,
    inverse_row_norm,
    limited,
    made_layout,
    rehearse,
    room_for,
    unserved,
    warm_up,
    whole,
    working,
)
from solvers.halpern import HalpernRun
from solvers.halpern_state import Options, State
from solvers.proximal.compile import compile_loops


class BlockPDHG(ShardedSolver):
    """The tolerance is the certified gap, proved in float64 before a run ends as solved."""

    id = "blockpdhg"
    title = "Block-projected restarted Halpern PDHG"
    citation = "Applegate et al., PDLP, NeurIPS 2021; Lu and Yang, Restarted Halpern PDHG, 2024"
    devices = ("cpu", "cuda")
    bytes_per_edge: ClassVar[float] = 25.0
    streams = True
    Options: ClassVar[type[Any]] = Options

    def available(self) -> Availability:
        return available()

    def prepare(self, lp: MatchingLP, settings: Settings, job: Job | None = None) -> State | Answer:
        """Layout, upload and compilation. Tolerances below 1e-7 work in float64 whatever the settings.

        The answer itself where there are no edges.
        """
        options, job = parse_options(Options, settings), job or Job()
        lp = limited(lp, job)
        if job.group.size == 1 and lp.edges == 0:
            return answer_without_edges(lp)
        costs = eased(lp, job.group)
        settings = working(settings, costs.lp, job)
        room = room_for(lp, settings, options.memory, job, self.id, vectors=2)
        newton = options.finish == "newton" and settings.device == "cpu" and not room.on_disk
        with cpu_threads(settings.threads):
            warm_up(costs.lp, settings, options.kernel)
            if newton:
                compile_loops(costs.lp, settings.dtype)
            layout = whole(made_layout(costs.lp, settings, room), job.group)
            kernel = SharedKernel(make_kernel(layout, settings, options.kernel), job, settings)
            if kernel.device != "cpu":
                rehearse(kernel, answer_dtype(settings, equality=layout.has_equality))
            (most_edges,) = job.group.max(np.array([lp.edges]))
            return State(
                lp=lp,
                settings=settings,
                options=options,
                job=job,
                eased=costs,
                layout=layout,
                kernel=kernel,
                scale=inverse_row_norm(layout),
                hopeless_above=largest_objective(lp, job.group) if layout.has_equality else math.inf,
                newton=newton,
                most_edges=int(most_edges),
            )

    def warm_start(self, state: State, x: Vector, dual: npt.NDArray[np.float64]) -> State:
        """`state`, starting from x[E] and dual float64[J] >= 0 in the order and units of the instance."""
        return dataclasses.replace(state, start=(x, np.maximum(0.0, np.asarray(dual, dtype=np.float64))))

    def run(self, state: State | Answer) -> Answer:
        if isinstance(state, Answer):
            return state
        if state.layout.hopeless:
            return unserved(state.lp)
        with cpu_threads(state.settings.threads, tensors=state.kernel.name == "reference"):
            return HalpernRun(state).solve()
