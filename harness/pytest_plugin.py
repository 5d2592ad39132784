"""Cases of a suite as tests of pytest-benchmark; harness/dualbench_pytest has the hooks and the option.

Each case is one benchmark: prepare outside the clock, run inside it, the referee after. The case row of
harness/records.py is in extra_info["record"] before anything can fail, and the environment row in machine_info.
Other projects can use it too, with a test that takes the fixtures `benchmark` and `dualbench_case`:

    from harness.pytest_plugin import run_case

    def test_case(benchmark, dualbench_case):
        run_case(benchmark, dualbench_case)
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import pytest

from harness.case import Case
from harness.environment import environment
from harness.recording import case_record
from harness.records import as_row
from harness.result import ArrayFacts
from harness.solve import execute
from harness.suite_file import load_suite
from instances import InputError, MatchingLP, generate, parse_spec
from solvers import Status
from solvers.registry import load

#: A benchmark that ends like this fails.
_WRONG = (Status.INACCURATE, Status.ERROR, Status.MEMORY_LIMIT, Status.INFEASIBLE)


def cases(name: str) -> list[Case]:
    """The cases of a suite but for those that it excludes; a pytest.UsageError where there is no such suite."""
    try:
        suite = load_suite(name)
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    return [case for case in suite.cases() if not suite.excluded(case)]


def run_case(benchmark: Any, case: Case) -> None:
    """Benchmark one case; fails where the solver claims success and the referee disagrees, or where it failed."""
    solver = load(case.card)
    able = solver.available()
    if not able.ok:
        pytest.skip(f"{able.reason}; {able.remedy}")

    lp = _instance(case.spec, case.settings.threads)
    result = execute(
        lp, solver, case.settings, call=lambda run: benchmark.pedantic(run, rounds=1, iterations=1, warmup_rounds=0)
    )
    if result.status is Status.SKIPPED:
        pytest.skip(result.reason)

    result = replace(result, arrays=ArrayFacts.of(lp, result.answer))
    record = case_record(case, result, environment=environment()["id"])
    benchmark.extra_info["record"] = as_row(record)
    assert result.status not in _WRONG, f"{case.id}: {result.status}: {result.reason}"


@lru_cache(maxsize=1)
def _instance(spec: str, threads: int) -> MatchingLP:
    return generate(parse_spec(spec), threads=threads)
