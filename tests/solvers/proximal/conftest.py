"""Small instances of every polytope, and a proximal phase on them from a cold start."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from instances import Kind, MatchingLP, PerSource
from solvers.base import Answer, Settings, Vector
from solvers.engine.context import SolveContext
from solvers.engine.costs import Eased
from solvers.engine.iterate import Loop, MethodState, Problem
from solvers.engine.kernel import Pass
from solvers.engine.layout_builder import build_layout
from solvers.engine.points import to_cells, to_edges
from solvers.engine.progress import Progress
from solvers.engine.rows import Rows
from solvers.proximal.compile import compile_loops
from solvers.proximal.constants import Constants
from solvers.proximal.full import Whole
from solvers.proximal.outer import Handover, ProximalNewton
from solvers.proximal.subproblem import NewtonSolve, Subproblem, Work

Recipe = Callable[..., MatchingLP]


def _mixed(seed: int, kinds: tuple[Kind, ...] = tuple(Kind), sources: int = 30, destinations: int = 5) -> MatchingLP:
    """Radii from 0.3 to 2, costs of both signs, some edges without load, budgets that can be met."""
    rng = np.random.default_rng(seed)
    degree = rng.integers(1, min(destinations, 6) + 1, sources)
    destination = np.concatenate([np.sort(rng.choice(destinations, n, replace=False)) for n in degree])
    a = rng.lognormal(0, 0.7, destination.size) * (rng.uniform(size=destination.size) < 0.95)
    radius = rng.uniform(0.3, 2, sources)
    even = np.repeat(radius / degree, degree)
    return MatchingLP(
        offsets=np.concatenate(([0], np.cumsum(degree))),
        destination=destination.astype(np.int32),
        a=a,
        c=rng.normal(-0.5, 1, a.size),
        b=np.bincount(destination, a * even, destinations) * rng.uniform(1.01, 1.3, destinations),
        polytope=PerSource(kind=rng.choice([int(k) for k in kinds], sources).astype(np.uint8), radius=radius),
    )


class _InEdges:
    """`Whole` in the edge order of the instance: centre[E], x[E] of the last pass, margin[I]."""

    def __init__(
        self, lp: MatchingLP, dtype: str = "float64", threads: int = 1, context: SolveContext | None = None
    ) -> None:
        self.lp = lp
        self.context = context or SolveContext()
        self._layout = build_layout(lp, dtype)
        self.whole = Whole(self._layout, lp.b, self.context, threads)
        self._x = np.zeros(self._layout.cells, dtype)

    def evaluate(self, centre: Vector, step: float, price: Vector) -> Pass:
        result = self.whole.evaluate(to_cells(self._layout, self.lp, centre), step, price, self._x)
        self.x = to_edges(self._layout, self.lp, self._x, "float64")
        source = self._layout.source
        self.margin = np.full(self.lp.sources, np.inf)
        self.margin[source[source >= 0]] = self.whole.margin[source >= 0]
        return result

    def newton(
        self, centre: Vector, step: float, price: Vector, reach: float, constants: Constants | None = None
    ) -> NewtonSolve:
        """On the subproblem within `reach` of the last pass, which was at the same point."""
        sub = self.subproblem(centre, step, price, reach)
        return NewtonSolve(sub, Rows(self.lp, self.context.group), constants or Constants(), Work())

    def subproblem(self, centre: Vector, step: float, price: Vector, reach: float) -> Subproblem:
        group = self.context.group
        loads = group.sum(np.bincount(self.lp.destination, self.lp.a * self.x, self.lp.destinations))
        return self.whole.subproblem(to_cells(self._layout, self.lp, centre), step, price, loads, reach)


def _finish(
    lp: MatchingLP, *, dtype: str = "float64", x: Vector | None = None, **settings: Any
) -> tuple[Answer, Progress, SolveContext]:
    layout = build_layout(lp, dtype)
    compile_loops(lp, dtype)
    problem = Problem(
        lp=lp,
        eased=Eased(lp=lp, offset=0.0, norm=None, usual=1.0, largest=1.0),
        settings=Settings(**settings),
        context=SolveContext(),
        has_equality=layout.has_equality,
        objective_upper_bound=np.inf,
    )
    loop = Loop(problem, kernel="cpu")
    phase = ProximalNewton(
        problem,
        Whole(layout, lp.b, problem.context),
        Rows(lp),
        loop.progress,
        Handover(
            x=to_cells(layout, lp, np.zeros(lp.edges, dtype=dtype) if x is None else x),
            spare=np.zeros(layout.cells, dtype),
            price=np.zeros(lp.destinations),
            weight=float(np.linalg.norm(lp.c) / max(1e-30, np.linalg.norm(lp.b))),
            iteration=0,
        ),
        to_edges=lambda cells: to_edges(layout, lp, cells, "float64"),
        snapshot=lambda price, loads: MethodState(numbers={}, shared={"price": price, "loads": loads}),
    )
    return loop.solve(phase), loop.progress, problem.context


@pytest.fixture(scope="session")
def mixed() -> Recipe:
    return _mixed


@pytest.fixture(scope="session")
def in_edges() -> type[_InEdges]:
    return _InEdges


@pytest.fixture(scope="session")
def finish() -> Callable[..., tuple[Answer, Progress, SolveContext]]:
    return _finish
