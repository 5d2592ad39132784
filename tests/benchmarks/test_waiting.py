"""Seconds that a user waits for: the certificate of an answer on full rows, and a run that has reached its time limit.

pytest tests/benchmarks/test_waiting.py --benchmark-columns=median --benchmark-json waiting.json
"""

from __future__ import annotations

from typing import Any

import numpy as np

from harness import certify
from instances import generate, parse_spec
from solvers import Settings, get_solver
from tests.odd_lps import assignment_lp

LIMIT = 0.1


def test_a_certificate_of_a_thousand_persons_with_noise(benchmark: Any) -> None:
    case = assignment_lp(6, 1000, 20)
    noisy = case.witness + 1e-9 * np.random.default_rng(0).random(case.lp.edges)
    found = benchmark.pedantic(lambda: certify(case.lp, noisy, None), rounds=3)
    assert found.feasible_objective is not None


def test_a_run_that_reaches_its_time_limit_in_the_newton_phase(benchmark: Any) -> None:
    lp = generate(parse_spec("independent:sources=5000,destinations=100,degree=10,seed=1"))
    solver = get_solver("blockpdhg")
    state = solver.prepare(lp, Settings(tolerance=1e-15, time_limit=LIMIT))
    solver.run(state)
    benchmark.pedantic(lambda: solver.run(state), rounds=5)
    benchmark.extra_info["beyond_the_limit"] = benchmark.stats["median"] - LIMIT
