"""The solver `blockpdhg`: the adapter of solvers/halpern.py."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from instances import MatchingLP
from solvers.alike import Merged, merge_alike
from solvers.base import Answer, Availability
from solvers.engine.availability import available
from solvers.engine.context import SolveContext
from solvers.engine.costs import costs_as_they_are, working_costs
from solvers.engine.instance import answer_without_edges, infeasible_answer, is_repairable, tightened
from solvers.engine.iterate import Loop
from solvers.engine.kernels import make_kernel
from solvers.engine.operator_norm import norm_bound
from solvers.engine.placement import choose_storage
from solvers.engine.precision import answer_dtype, with_working_dtype
from solvers.engine.rays import objective_upper_bound
from solvers.engine.row_bounds import row_bounds
from solvers.engine.shared import SharedKernel
from solvers.engine.shared_layout import inverse_row_norm, reduce_norms
from solvers.engine.storage import RAM, check_memory_option
from solvers.engine.threads import cpu_threads
from solvers.engine.warm_up import loops_of, rehearse, warm_up
from solvers.engine.workspace import first_use, layout_of_solve
from solvers.halpern import Halpern
from solvers.iterates import StartPoint
from solvers.near_start import near_start
from solvers.pdhg_state import STEP, State
from solvers.proximal.compile import compile_loops
from solvers.restarts import RestartRules
from solvers.settings import OptionError, Settings, check_fields, parse_options
from solvers.sharded import ShardedSolver
from solvers.start import Start, summable
from solvers.upper_rows import UpperRowsState, prepared_by_rows


@dataclass(frozen=True, kw_only=True)
class Options:
    """The defaults are those of PDLP and r2HPDHG."""

    restart_sufficient: float = 0.2
    """Restart when the fixed-point residual r falls to this share of r_0, its value right after the last restart."""

    restart_necessary: float = 0.8
    """Restart when r is at most this share of r_0 and grows."""

    restart_artificial: float = 0.2
    """Restart when the iterations since the last restart pass this share of all."""

    initial_weight: float = 2.0
    """The primal weight w starts at this times ||c|| / ||b||."""

    warm_weight: float = 0.03
    """The primal weight of a warm start, in units of a cold run's: prices that are nearly right have little way to go,
    and x, which jumps from edge to edge, has far."""

    weight_smoothing: float = 0.4
    """Exponent of the new primal weight in its geometric mean with the old."""

    kernel: str = "auto"
    """auto, reference, cpu or cuda."""

    finish: str = "newton"
    """newton: where the rate falls, Newton's method goes on (solvers.proximal; on the CPU, in memory; after passes on
    one GPU as well). none: never."""

    memory: str = "auto"
    """Where cells and vectors lie, see solvers.engine.storage."""

    def __post_init__(self) -> None:
        shares = ("restart_sufficient", "restart_necessary", "restart_artificial", "weight_smoothing")
        checks = (
            *((name, 0 <= getattr(self, name) <= 1, "a number between 0 and 1") for name in shares),
            ("initial_weight", 0 < self.initial_weight < math.inf, "a number > 0"),
            ("warm_weight", 0 < self.warm_weight < math.inf, "a number > 0"),
            ("finish", self.finish in ("newton", "none"), "newton or none"),
        )
        check_fields(self, checks)
        check_memory_option(self.memory)

    @property
    def rules(self) -> RestartRules:
        return RestartRules(
            sufficient=self.restart_sufficient,
            necessary=self.restart_necessary,
            artificial=self.restart_artificial,
            smoothing=self.weight_smoothing,
            initial_weight=self.initial_weight,
            warm_weight=self.warm_weight,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Prepared(State):
    """What `prepare` made: the state of the LP that is iterated on."""

    merged: Merged | None = None
    """How that LP stands for the instance, where the instance has sources that are alike."""


class BlockPDHG(ShardedSolver):
    """The tolerance is the certified gap, proved in float64 before a run ends as solved."""

    id = "blockpdhg"
    title = "Block-projected restarted Halpern PDHG"
    citation = "Applegate et al., PDLP, NeurIPS 2021; Lu and Yang, Restarted Halpern PDHG, 2024"
    devices = ("cpu", "cuda")
    bytes_per_edge: ClassVar[float] = 25.0
    streams = True
    warm_starts = ("x", "dual")
    stays = True
    vectors: ClassVar[int] = 2
    Options: ClassVar[type[Any]] = Options

    def available(self) -> Availability:
        return available()

    def prepare(
        self, lp: MatchingLP, settings: Settings, context: SolveContext | None = None
    ) -> Prepared | UpperRowsState | Answer:
        """Layout, upload and compilation. Tolerances below 1e-7 work in float64 whatever the settings.

        The answer itself where there are no edges.
        """
        options = parse_options(Options, settings)
        if lp.edge_upper is not None:
            return prepared_by_rows(self, lp, settings, context)
        context = context or SolveContext()
        lp = tightened(lp, context)
        if context.group.size == 1 and lp.edges == 0:
            return answer_without_edges(lp)
        # A checkpoint, and an x to stay near, hold the edges of the instance itself.
        merged = None if context.checkpoints is not None or settings.stay else merge_alike(lp)
        if merged is not None:
            lp = merged.lp
        costs = costs_as_they_are(lp, context.group) if settings.stay else working_costs(lp, context.group)
        settings = with_working_dtype(settings, costs, context)
        storage = choose_storage(lp, settings, options.memory, context, self.id, vectors=self.vectors)
        one_device = settings.device == "cpu" or (context.group.size == 1 and storage is RAM)
        newton = options.finish == "newton" and one_device and not storage.on_disk
        if settings.stay and not newton:
            raise OptionError("stay needs Newton's method and memory for all edges: leave finish and memory alone")
        with cpu_threads(settings.threads):
            if first_use((newton, loops_of(costs.lp, settings, options.kernel))):
                warm_up(costs.lp, settings, options.kernel)
                if newton:
                    compile_loops(costs.lp, settings.dtype)
            layout = reduce_norms(layout_of_solve(costs.lp, settings, storage), context.group)
            kernel = SharedKernel(make_kernel(layout, settings, options.kernel), context, settings)
            if kernel.device != "cpu":
                rehearse(
                    kernel,
                    answer_dtype(settings, equality=layout.has_equality),
                    short_form=lp.is_short_form,
                )
            repairable = is_repairable(lp, context, has_equality=layout.has_equality)
            scale = inverse_row_norm(layout)
            (most_edges,) = context.group.max(np.array([lp.edges]))
            return Prepared(
                lp=lp,
                costs=costs,
                settings=settings,
                context=context,
                bounds=row_bounds(lp),
                has_equality=layout.has_equality,
                repairable=repairable,
                objective_upper_bound=math.inf if repairable else objective_upper_bound(lp, context.group),
                layout=layout,
                kernel=kernel,
                scale=scale,
                step=STEP / norm_bound(lp, scale, context.group),
                rules=options.rules,
                newton=newton,
                most_edges=int(most_edges),
                merged=merged,
            )

    def warm_start(self, state: Prepared | UpperRowsState | Answer, start: Start) -> Prepared | UpperRowsState | Answer:
        if isinstance(state, Answer):
            return state
        if isinstance(state, UpperRowsState):
            return state.started(self, start)
        dtype = answer_dtype(state.settings, equality=state.has_equality)  # the loops are compiled for it
        x = None if start.x is None else summable(start.x, dtype).astype(dtype, copy=False)
        if x is not None and state.merged is not None:
            x = state.merged.together(x)
        dual = np.zeros(state.lp.row_count) if start.dual is None else summable(start.dual, dtype).astype(np.float64)
        return dataclasses.replace(state, start=StartPoint(x=x, dual=state.bounds.clip(dual)))

    def run(self, state: Prepared | UpperRowsState | Answer) -> Answer:
        if isinstance(state, Answer):
            return state
        if isinstance(state, UpperRowsState):
            return state.run(self)
        if state.layout.infeasible:
            return infeasible_answer(state.lp)
        with cpu_threads(state.settings.threads, tensors=state.kernel.name == "reference"):
            loop = Loop(state, kernel=state.kernel.name)
            method = near_start(state, loop.progress) if state.settings.stay else Halpern(state, loop.progress).begin()
            answer = loop.solve(method)
        if state.merged is None or answer.x is None:
            return answer
        return dataclasses.replace(answer, x=state.merged.of_each(answer.x))
