"""LinkedIn's own DuaLip 5.0.1 (PyTorch), where it is installed."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP
from solvers.base import Answer, Availability, Solver, Status, installed
from solvers.engine.threads import cpu_threads
from solvers.settings import Settings, parse_options

_REMEDY = "pip install 'git+https://github.com/linkedin/DuaLip' mlflow (it is not on the package index)"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Names and defaults of the benchmark in DuaLip's repository (benchmark/config.py), where decay is off and jacobi
    (row normalisation) and batching (projections by degree) are off too.
    """

    gamma: float = 1e-3
    max_iter: int = 1000
    initial_step_size: float = 1e-3
    max_step_size: float = 0.1
    jacobi: bool = False
    batching: bool = False
    decay_steps: int = 0
    decay_factor: float = 0.7


class DualipUpstream(Solver):
    """The public package with its published benchmark settings, quiet and with a time limit, otherwise as it is.

    It has no stopping rule and no tolerance: it runs max_iter iterations and never claims anything. x is that of its
    last evaluation. One kind and one radius for all sources, because its code corrupts x with several; no '=' sources,
    because it clips at 0 and pads with 0 before that projection. 143 bytes an edge were measured at its peak.
    """

    id = "dualip-upstream"
    title = "DuaLip (LinkedIn)"
    citation = "Basu et al., ECLIPSE, ICML 2020; github.com/linkedin/DuaLip 5.0.1"
    devices = ("cpu", "cuda")
    bytes_per_edge = 143.0
    no_edges = False
    polytopes = frozenset((Kind.SIMPLEX, Kind.BOX))
    Options = Options

    def available(self) -> Availability:
        installation = installed("dualip", remedy=_REMEDY)
        mlflow = (installed(name, remedy="pip install mlflow") for name in ("mlflow", "mlflow-skinny"))
        needed = [one for one in mlflow if not one.ok]
        return needed[0] if installation.ok and len(needed) == 2 else installation

    def unsuited(self, lp: MatchingLP) -> str:
        refused = super().unsuited(lp)
        if refused:
            return refused
        sources = lp.given.per_source
        if lp.sources and (np.ptp(sources.kind) > 0 or np.ptp(sources.radius) > 0 or sources.radius[0] <= 0):
            return f"{self.id} takes one kind and one radius > 0 for all sources"
        return ""

    def prepare(self, lp: MatchingLP, settings: Settings) -> _Run:
        import torch
        from dualip.objectives.matching import MatchingInputArgs, MatchingSolverDualObjectiveFunction
        from dualip.preprocessing.precondition import jacobi_precondition
        from dualip.projections import create_projection_map

        options = parse_options(Options, settings)
        chosen = {"dtype": getattr(torch, settings.dtype), "device": settings.device}
        budgets = torch.tensor(lp.b, **chosen)
        offsets, destination = torch.from_numpy(lp.offsets), torch.from_numpy(lp.destination.astype(np.int64))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # CSC tensors are "in beta state"
            matrix, costs = (
                torch.sparse_csc_tensor(
                    offsets, destination, torch.tensor(values), size=(lp.destinations, lp.sources), **chosen
                )
                for values in (lp.a, lp.c)
            )
            norms = jacobi_precondition(matrix, budgets).cpu().numpy() if options.jacobi else None
            if norms is not None:
                budgets[torch.from_numpy(norms == 0)] = 0.0  # rows without edges were divided by 0
            box = lp.per_source.kind[:1] == Kind.BOX
            radius = float(lp.given.per_source.radius[0])
            bound = ("box", {"lower": 0.0, "upper": radius}) if box else ("simplex", {"z": radius})
            arguments = MatchingInputArgs(
                A=matrix, c=costs, b_vec=budgets, projection_map=create_projection_map(*bound, lp.sources)
            )
            objective = MatchingSolverDualObjectiveFunction(arguments, options.gamma, options.batching)
        return _Run(objective, budgets, norms, options, settings)

    def run(self, state: _Run) -> Answer:
        with cpu_threads(state.settings.threads):
            return state.solve()


class _TimeIsUp(Exception):  # noqa: N818 - not an error: how the callback ends a loop that has no other way out
    """The time limit has passed."""


class _Run:
    """The peer's objective, in the place of itself: it remembers the last evaluation and ends at the time limit."""

    equality_mask = None

    def __init__(self, objective: Any, budgets: Any, norms: Any, options: Options, settings: Settings) -> None:
        self.settings, self._objective, self._budgets = settings, objective, budgets
        self._norms, self._options = norms, options
        self._deadline, self._evaluations = float("inf"), 0
        self._dual = self._x = None

    def calculate(self, dual_val: Any, **keywords: Any) -> Any:
        if time.perf_counter() > self._deadline:
            raise _TimeIsUp
        result = self._objective.calculate(dual_val, **keywords | {"save_primal": True})
        self._dual, self._x, self._evaluations = dual_val, result.primal_var, self._evaluations + 1
        return result

    def solve(self) -> Answer:
        import torch
        from dualip.optimizers.agd import AcceleratedGradientDescent

        options, settings = self._options, self.settings
        if settings.time_limit is not None:
            self._deadline = time.perf_counter() + settings.time_limit
        decay = {"decay_steps": options.decay_steps, "decay_factor": options.decay_factor}
        ascent = AcceleratedGradientDescent(
            max_iter=settings.iteration_limit or options.max_iter,
            gamma=options.gamma,
            initial_step_size=options.initial_step_size,
            max_step_size=options.max_step_size,
            gamma_decay_type="step" if options.decay_steps else None,
            gamma_decay_params=decay,
            save_primal=True,
            iteration_callback=lambda *_: None,
        )
        try:
            dual, status = ascent.maximize(self, torch.zeros_like(self._budgets)).dual_val, Status.ITERATION_LIMIT
        except _TimeIsUp:
            dual, status = self._dual, Status.TIME_LIMIT
        return Answer(
            x=_numpy(self._x),
            dual=self._unscaled(_numpy(dual)),
            status=status,
            raw_status=f"{self._evaluations} iterations, no stopping rule",
            iterations=self._evaluations,
        )

    def _unscaled(self, dual: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
        """lambda = D y where the rows were divided by their norms."""
        if dual is None or self._norms is None:
            return dual
        used = self._norms > 0
        return np.where(used, dual / np.where(used, self._norms, 1.0), 0.0)


def _numpy(tensor: Any) -> npt.NDArray[Any] | None:
    return None if tensor is None else np.array(tensor.detach().cpu())
