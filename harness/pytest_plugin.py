"""pytest-benchmark over a suite: `pytest tests/benchmarks --suite smoke --benchmark-json out.json`.

Each case is one benchmark: prepare outside the clock, run inside it, the referee after. The case row of
harness/records.py is in extra_info["record"] before anything can fail, and the environment row in machine_info.
Loaded through the entry point group "pytest11", so that it serves other projects too: a test that takes the fixtures
`benchmark` and `dualbench_case` and calls `run_case` is all they need.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.case import Case
    from instances import MatchingLP


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("dualbench")
    group.addoption("--suite", metavar="NAME", help="run the cases of this dualbench suite as benchmarks")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a case of --suite; without the option a single skipped one."""
    if "dualbench_case" not in metafunc.fixturenames:
        return
    name = metafunc.config.getoption("--suite")
    if not name:
        skip = pytest.mark.skip(reason="give --suite NAME")
        metafunc.parametrize("dualbench_case", [pytest.param(None, marks=skip, id="no-suite")])
        return
    cases = _cases(name)
    metafunc.parametrize("dualbench_case", cases, ids=[case.id for case in cases])


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """Our environment row, without the clock frequency that changes from second to second."""
    from harness.environment import environment

    if config.getoption("--suite"):
        for name in ("hz_actual", "hz_actual_friendly"):
            machine_info.get("cpu", {}).pop(name, None)
        machine_info["dualbench"] = environment()


def run_case(benchmark: Any, case: Case) -> None:
    """Benchmark one case; fails where the solver claims success and the referee disagrees, or where it failed."""
    from harness.environment import environment
    from harness.outcome import case_record, outcome_of
    from harness.records import as_row
    from harness.solve import execute
    from solvers import Status, get_solver

    solver = get_solver(case.solver)
    found = solver.available()
    if not found.ok:
        pytest.skip(f"{found.reason}; {found.remedy}")
    lp = _instance(case.spec, case.settings.threads)
    result = execute(
        lp, solver, case.settings, call=lambda run: benchmark.pedantic(run, rounds=1, iterations=1, warmup_rounds=0)
    )
    record = case_record(case, outcome_of(result, lp.edges), environment=environment()["id"])
    benchmark.extra_info["record"] = as_row(record)
    wrong = (Status.INACCURATE, Status.ERROR, Status.MEMORY_LIMIT, Status.INFEASIBLE)
    assert result.status not in wrong, f"{case.id}: {result.status}: {result.reason}"


def _cases(name: str) -> list[Case]:
    from harness.suite import load_suite
    from instances import InputError

    try:
        suite = load_suite(name)
    except InputError as error:
        raise pytest.UsageError(str(error)) from error
    return [case for case in suite.cases() if not suite.excluded(case)]


@lru_cache(maxsize=1)
def _instance(spec: str, threads: int) -> MatchingLP:
    from instances import generate, parse_spec

    return generate(parse_spec(spec), threads=threads)
