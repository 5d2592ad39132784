"""Small instances of every polytope, and a proximal phase on them from a cold start."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from instances import Kind, MatchingLP, PerSource
from solvers.base import Settings, Vector
from solvers.engine.certificate import repair
from solvers.engine.job import Job
from solvers.engine.progress import Progress
from solvers.proximal.compile import compile_loops
from solvers.proximal.outer import Ending, ProximalNewton

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


def _finish(
    lp: MatchingLP, *, dtype: str = "float64", x: Vector | None = None, **settings: Any
) -> tuple[Ending, Vector, Progress]:
    wanted, job = Settings(**settings), Job()
    compile_loops(lp, dtype)
    progress = Progress(wanted, lp.b, job, has_equality=bool((lp.per_source.kind == Kind.SIMPLEX_EQUALITY).any()))
    phase = ProximalNewton(
        lp,
        progress,
        np.zeros(lp.edges, dtype=dtype) if x is None else x,
        np.zeros(lp.destinations),
        float(np.linalg.norm(lp.c) / max(1e-30, np.linalg.norm(lp.b))),
        judge=lambda x: repair(lp, x, progress.best_dual).gap,
        tolerance=wanted.tolerance,
        iterations=0,
    )
    return phase.run(), phase.x, progress


@pytest.fixture(scope="session")
def mixed() -> Recipe:
    return _mixed


@pytest.fixture(scope="session")
def finish() -> Callable[..., tuple[Ending, Vector, Progress]]:
    return _finish
