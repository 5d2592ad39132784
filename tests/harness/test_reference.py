"""The reference case: what it records between the cases of a run, and what the page says of a machine that drifted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness import records
from harness.cli import invoke
from harness.folder import open_folder
from harness.reference import LEAST_CASES, References
from harness.runner import run_suite
from harness.suite import SuiteError
from harness.suite_file import load_suite, parse_suite, suite_names
from reports.load import load
from reports.notes import drifted
from tests.support.records import Silent

SUITE = f"""
instances = ["unit:sources=60,destinations=5,degree=3,seed=1"]
solvers = ["scipy-highs-ds"]
tolerances = [1e-4]
threads = 1
repeats = {LEAST_CASES}
reference = true
"""


def reference(least: float, moment: str, **changes: Any) -> dict[str, Any]:
    seconds = {"least": least, "median": least * 1.1, "most": least * 2}
    row = {"kind": "reference", "schema": records.SCHEMA, "suite": "s", "moment": moment, "kernel": "numpy"}
    return row | {"seconds": seconds, "environment": "e", "time": "", "machine": "A"} | changes


def test_a_run_measures_the_machine_three_times_and_its_rows_are_no_cases(tmp_path: Path) -> None:
    chosen = parse_suite("mine", SUITE.encode())
    run_suite(chosen, open_folder(chosen, tmp_path / "out", resume=False), Silent(), in_process=True)
    found = records.read(tmp_path / "out")
    assert found.warnings == []
    assert len(found.cases) == LEAST_CASES
    told = [(row["moment"], row["kernel"]) for row in found.references]
    assert told == [(moment, kernel) for moment in ("start", "middle", "end") for kernel in ("numpy", "glop")]
    for row in found.references:
        assert 0 < row["seconds"]["least"] <= row["seconds"]["median"] <= row["seconds"]["most"]
        assert row["environment"] == found.environments[0]["id"]
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "out" / "records.jsonl").read_text().splitlines()]
    assert (kinds[2], kinds[-1], kinds.index("case")) == ("reference", "reference", 4)
    assert invoke(["verify", str(tmp_path / "out")]) == 0
    assert {row["machine"] for row in load([tmp_path / "out"]).references} == {"A"}


def test_a_short_run_measures_nothing(tmp_path: Path) -> None:
    references = References(tmp_path / "records.jsonl", suite="s", environment="e", cases=LEAST_CASES - 1)
    for case in range(LEAST_CASES - 1):
        references.before(case, "")
    assert not (tmp_path / "records.jsonl").exists()


@pytest.mark.parametrize(
    ("least", "said"),
    [((0.100, 0.104, 0.101), False), ((0.100, 0.106, 0.101), True), ((0.106, 0.101, 0.100), True)],
)
def test_a_drift_beyond_five_per_cent_is_said(least: tuple[float, ...], *, said: bool) -> None:
    rows = [reference(value, moment) for value, moment in zip(least, ("start", "middle", "end"), strict=True)]
    lines = drifted(rows)
    assert bool(lines) == said
    if said:
        assert lines[0].startswith("Machine A drifted by 6\N{NO-BREAK SPACE}%: the fixed kernel numpy took 0.100 s (")
        assert lines[0].count("0.106 s (") == 1


def test_kernels_and_machines_are_not_mixed() -> None:
    rows = [reference(0.1, "start"), reference(0.2, "start", kernel="glop"), reference(0.3, "start", machine="B")]
    assert drifted(rows) == []


def test_a_damaged_row_is_left_out_with_its_reason(tmp_path: Path) -> None:
    row = reference(-1.0, "start")
    (tmp_path / "records.jsonl").write_text(json.dumps(row) + "\n")
    found = records.read(tmp_path)
    assert found.references == []
    assert "seconds.least is -1.0" in found.warnings[0]


@pytest.mark.parametrize("name", suite_names())
def test_every_suite_of_the_package_without_days_runs_it(name: str) -> None:
    suite = load_suite(name)
    assert suite.reference or suite.days


def test_a_suite_says_true_or_false() -> None:
    with pytest.raises(SuiteError, match="reference=1 has the wrong type"):
        parse_suite("mine", SUITE.replace("true", "1").encode())
