"""The cases of a suite through pytest-benchmark: `pytest tests/benchmarks --dualbench-suite smoke`."""

from __future__ import annotations

from typing import Any

from harness.case import Case
from harness.pytest_plugin import run_case


def test_case(benchmark: Any, dualbench_case: Case) -> None:
    run_case(benchmark, dualbench_case)
