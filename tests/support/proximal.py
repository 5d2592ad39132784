"""Small instances of every polytope, the full problem of the proximal phase in edge order, and the phase alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from instances import Kind, MatchingLP, PerSource
from solvers.base import Answer, Vector
from solvers.engine.context import SolveContext
from solvers.engine.costs import WorkingCosts
from solvers.engine.iterate import Loop, MethodState, Problem
from solvers.engine.kernel import Pass
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_cells, to_edges
from solvers.engine.polytopes.kinds import ENGINE_KINDS
from solvers.engine.prices import Prices
from solvers.engine.progress import Progress
from solvers.engine.row_bounds import row_bounds
from solvers.engine.rows import Rows
from solvers.proximal.arrays import ProximalStep
from solvers.proximal.compile import compile_loops
from solvers.proximal.constants import Constants
from solvers.proximal.full import SHARED_CELLS, FullProblem
from solvers.proximal.iterates import ProximalIterates
from solvers.proximal.outer import Handover, Inputs, ProximalNewton
from solvers.proximal.subproblem import NewtonSolve, Subproblem, Work
from solvers.settings import Settings

KINDS = tuple(sorted(ENGINE_KINDS))
#: How a Newton system is solved: by conjugate gradients, by elimination of a dense and of a sparse matrix. The last
#: leaves a core for conjugate gradients, and all pairs of entries count as few.
WAYS: tuple[dict[str, int], ...] = (
    {},
    {"cg_products": -1},
    {"cg_products": -1, "dense_rows": -1, "sparse_pairs": 1_000, "sparse_rows": 0},
)
_BOX_CUTS = {Kind.BOX_CUT, Kind.BOX_CUT_EQUALITY}


def mixed_lp(seed: int, kinds: Sequence[Kind] = KINDS, sources: int = 30, destinations: int = 5) -> MatchingLP:
    """Limits from 0.3 to 2, costs of both signs, some edges without load, budgets that can be met."""
    rng = np.random.default_rng(seed)
    degree = rng.integers(1, min(destinations, 6) + 1, sources)
    destination = np.concatenate([np.sort(rng.choice(destinations, n, replace=False)) for n in degree])
    a = rng.lognormal(0, 0.7, destination.size) * (rng.uniform(size=destination.size) < 0.95)
    radius = rng.uniform(0.3, 2, sources)
    even = np.repeat(radius / degree, degree)
    c = rng.normal(-0.5, 1, a.size)
    b = np.bincount(destination, a * even, destinations) * rng.uniform(1.01, 1.3, destinations)
    kind = rng.choice([int(k) for k in kinds], sources).astype(np.uint8)
    # u leaves room for the whole sum; a third of the sources have z = 2 u, whose solutions are vertices
    upper = np.where(rng.uniform(size=sources) < 1 / 3, radius / 2, radius / degree * rng.uniform(1, 3, sources))
    upper = np.maximum(upper, radius / degree)
    params = [radius] if not _BOX_CUTS & set(kinds) else [radius, np.where(np.isin(kind, list(_BOX_CUTS)), upper, 0.0)]
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degree))),
        destination=destination.astype(np.int32),
        a=a,
        c=c,
        b=b,
        polytope=PerSource(kind=kind, params=params),
    )


class InEdges:
    """A `FullProblem` in the edge order of the instance: centre[E], and x[E] and margin[I] of the last pass."""

    def __init__(
        self,
        lp: MatchingLP,
        dtype: str = "float64",
        threads: int = 1,
        context: SolveContext | None = None,
        shared_cells: int = SHARED_CELLS,
    ) -> None:
        self.lp = lp
        self.context = context or SolveContext()
        self.layout = build_layout(lp, dtype)
        self.rows = Rows(lp, self.context.group)
        self.full = FullProblem(
            self.layout, row_bounds(lp), self.rows, self.context, threads=threads, shared_cells=shared_cells
        )
        self._cells = np.zeros(self.layout.cells, dtype)
        self.x: npt.NDArray[np.float64] = np.zeros(lp.edges)
        self.margin: npt.NDArray[np.float64] = np.full(lp.sources, np.inf)

    def at(self, centre: Vector, step: float, price: Prices) -> ProximalStep:
        return ProximalStep(centre=to_cells(self.layout, self.lp, centre), step=step, price=price)

    def evaluate(self, centre: Vector, step: float, price: Prices) -> Pass:
        result = self.full.evaluate(self.at(centre, step, price), self._cells)
        self.x = np.asarray(to_edges(self.layout, self.lp, self._cells, "float64"), dtype=np.float64)
        source = self.layout.source
        self.margin = np.full(self.lp.sources, np.inf)
        self.margin[source[source >= 0]] = self.full.margin[source >= 0]
        return result

    def newton(
        self, centre: Vector, step: float, price: Prices, radius: float, constants: Constants | None = None
    ) -> NewtonSolve:
        """On the subproblem within `radius` of the last pass, which was at the same point."""
        sub = self.subproblem(centre, step, price, radius)
        return NewtonSolve(sub, self.rows, constants or Constants(), Work())

    def subproblem(self, centre: Vector, step: float, price: Prices, radius: float) -> Subproblem:
        loads = self.context.group.sum(activity(self.lp, self.x))
        return self.full.subproblem(self.at(centre, step, price), loads, radius)


def activity(lp: MatchingLP, x: Vector) -> npt.NDArray[np.float64]:
    """A x of all families, float64[R]."""
    return np.concatenate([family.activity(x) for family in lp.rows])


@dataclass(frozen=True, kw_only=True, eq=False)
class Ended:
    """A run of the phase alone."""

    answer: Answer
    progress: Progress
    gap: float
    """As certified."""


def run_phase(lp: MatchingLP, *, dtype: str = "float64", x: Vector | None = None, **settings: Any) -> Ended:
    """Newton's method from x, 0 by default, and prices of 0, without PDHG before it."""
    compile_loops(lp, dtype)
    loop, problem, method = start_phase(lp, dtype=dtype, x=x, **settings)
    answer = loop.solve(method)
    return Ended(answer=answer, progress=loop.progress, gap=problem.context.certificate.get("gap", np.inf))


def start_phase(
    lp: MatchingLP, *, dtype: str = "float64", x: Vector | None = None, **settings: Any
) -> tuple[Loop, Problem, ProximalNewton]:
    """The phase before its first pass, and the loop that may run it."""
    layout = build_layout(lp, dtype)
    problem = Problem(
        lp=lp,
        costs=WorkingCosts(lp=lp, offset=0.0, norm=None, usual=1.0, largest=1.0),
        settings=Settings(**settings),
        context=SolveContext(),
        bounds=row_bounds(lp),
        has_equality=layout.has_equality,
        repairable=not layout.has_equality,
        objective_upper_bound=np.inf,
    )
    loop = Loop(problem, kernel="cpu")
    inputs = Inputs(
        problem=problem,
        full=FullProblem(layout, row_bounds(lp), Rows(lp), problem.context),
        rows=Rows(lp),
        progress=loop.progress,
        to_edges=lambda cells: to_edges(layout, lp, cells, "float64"),
        snapshot=lambda price, loads: MethodState(numbers={}, shared={"price": price, "loads": loads}),
    )
    start = Handover(
        iterates=ProximalIterates(
            centre=to_cells(layout, lp, np.zeros(lp.edges, dtype=dtype) if x is None else x),
            spare=np.zeros(layout.cells, dtype),
        ),
        price=np.zeros(lp.row_count),
        weight=float(np.linalg.norm(lp.c) / max(1e-30, np.linalg.norm(problem.bounds.sizes))),
        iteration=0,
    )
    return loop, problem, ProximalNewton(inputs, start)


def matrix_of(lp: MatchingLP) -> npt.NDArray[np.float64]:
    """A of all families, dense [R, E]."""
    return np.asarray(lp.to_explicit().matrix[: lp.row_count, : lp.edges].toarray())


def dense_hessian(lp: MatchingLP, x: Vector) -> npt.NDArray[np.float64]:
    """sum_i A_i P_i A_i' from the definition."""
    matrix, limits = matrix_of(lp), lp.per_source.limits()
    total = np.zeros((lp.row_count, lp.row_count))
    for i in range(lp.sources):
        own = np.arange(lp.offsets[i], lp.offsets[i + 1])
        free = own[(x[own] > 0) & (x[own] < limits.upper[i])]
        tight = limits.equality[i] or x[own].sum() > limits.at_most[i] * (1 - 1e-12)
        if free.size:
            inside = np.eye(free.size) - (1 / free.size if tight else 0)
            total += matrix[:, free] @ inside @ matrix[:, free].T
    return total
