"""Numbers at the ends of float64: the engine's solvers take them or say in one line why not."""

from __future__ import annotations

import numpy as np
import pytest

from harness import solve
from instances import MatchingLP, Simplex
from solvers import Status

SOLVERS = ("blockpdhg", "dualip", "dualip-restarted")


def scaled(*, a: float = 1.0, c: float = 1.0, b: float = 1.0, z: float = 1.0) -> MatchingLP:
    """20 sources of 3 edges each, 5 rows; the optimum is some -15 in units of c z."""
    rng = np.random.default_rng(3)
    return MatchingLP(
        offsets=np.arange(0, 61, 3),
        destination=np.concatenate([rng.choice(5, 3, replace=False) for _ in range(20)]),
        a=np.full(60, a),
        c=-c * rng.uniform(0.5, 1, 60),
        b=np.full(5, 3.0 * b),
        polytope=Simplex(z=z),
    )


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize(
    ("name", "lp"),
    [
        ("a", scaled(a=1e-300, b=1e-300)),
        ("a", scaled(a=1e300, b=1e300)),
        ("c", scaled(c=1e300)),
        ("c", scaled(c=5e-324)),
        ("b", scaled(b=1e300, z=1e300)),
    ],
)
def test_what_leaves_float64_is_refused_by_name(solver: str, name: str, lp: MatchingLP) -> None:
    result = solve(lp, solver, time_limit=1.0)
    assert result.status is Status.SKIPPED
    assert result.reason.startswith(f"the largest number of {name} is ")


@pytest.mark.parametrize("solver", SOLVERS)
def test_a_limit_that_means_none_is_no_magnitude(solver: str) -> None:
    assert solve(scaled(b=1e300), solver, time_limit=5.0).status is Status.SOLVED
    assert solve(scaled(z=1e300), solver, time_limit=5.0, tolerance=1e-1).status is Status.SOLVED
