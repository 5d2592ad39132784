"""The solver `blockpdhg`: the adapter of solvers/halpern.py."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from instances import MatchingLP
from solvers.base import Answer, Availability, Settings, Vector, parse_options
from solvers.engine.availability import available
from solvers.engine.context import SolveContext
from solvers.engine.costs import eased
from solvers.engine.instance import answer_without_edges, infeasible_answer, tightened
from solvers.engine.kernel import make_kernel
from solvers.engine.placement import choose_storage
from solvers.engine.precision import answer_dtype, with_working_dtype
from solvers.engine.rays import objective_upper_bound
from solvers.engine.shared import SharedKernel
from solvers.engine.shared_layout import inverse_row_norm, make_layout, reduce_norms
from solvers.engine.threads import cpu_threads
from solvers.engine.warm_up import rehearse, warm_up
from solvers.halpern import HalpernRun
from solvers.halpern_state import Options, State
from solvers.proximal.compile import compile_loops
from solvers.sharded import ShardedSolver


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

    def prepare(self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None) -> State | Answer:
        """Layout, upload and compilation. Tolerances below 1e-7 work in float64 whatever the settings.

        The answer itself where there are no edges.
        """
        options, context = parse_options(Options, settings), context or SolveContext()
        lp = tightened(lp, context)
        if context.group.size == 1 and lp.edges == 0:
            return answer_without_edges(lp)
        costs = eased(lp, context.group)
        settings = with_working_dtype(settings, costs.lp, context)
        storage = choose_storage(lp, settings, options.memory, context, self.id, vectors=2)
        newton = options.finish == "newton" and settings.device == "cpu" and not storage.on_disk
        with cpu_threads(settings.threads):
            warm_up(costs.lp, settings, options.kernel)
            if newton:
                compile_loops(costs.lp, settings.dtype)
            layout = reduce_norms(make_layout(costs.lp, settings, storage), context.group)
            kernel = SharedKernel(make_kernel(layout, settings, options.kernel), context, settings)
            if kernel.device != "cpu":
                rehearse(kernel, answer_dtype(settings, equality=layout.has_equality))
            (most_edges,) = context.group.max(np.array([lp.edges]))
            return State(
                lp=lp,
                settings=settings,
                options=options,
                context=context,
                eased=costs,
                layout=layout,
                kernel=kernel,
                scale=inverse_row_norm(layout),
                hopeless_above=objective_upper_bound(lp, context.group) if layout.has_equality else math.inf,
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
            return infeasible_answer(state.lp)
        with cpu_threads(state.settings.threads, tensors=state.kernel.name == "reference"):
            return HalpernRun(state).solve()
