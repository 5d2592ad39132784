"""What the figures draw and what they leave out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import reports
from harness.records import CaseRecord, Seconds
from reports import figures, runs, scaling_figures, steps
from reports.palette import styles
from reports.rankings import Ranking

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]
SOLVERS = styles({"a": "a", "b": "b"})
ALL = Ranking("A", "default", "")


@pytest.mark.parametrize(("instances", "drawn"), [(4, False), (5, True)])
def test_a_profile_needs_five_instances(instances: int, *, drawn: bool) -> None:
    times = pd.DataFrame({"a": np.arange(1.0, instances + 1), "b": 2.0})
    assert (figures.profile(times, 1e-4, SOLVERS, ALL) is not None) == drawn


def test_a_disturbed_time_carries_its_mark_and_repeats_their_range(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    cases = [
        make_case(instance=name, spec_hash=name, edges=edges, repeat=k, disturbed=mark, seconds=Seconds(run=run))
        for name, edges, mark in (("small", 10, ""), ("large", 1000, "swapped"))
        for k, run in enumerate((1.0, 2.0, 4.0))
    ]
    built = reports.build([write_records(*cases)], tmp_path / "report")
    drawn = {path.stem: path.read_text() for path in built.files if path.suffix == ".svg"}
    by_size = drawn["time-by-size-dualip-1e-4"]
    assert by_size.count(">~</text>") == 1
    assert by_size.count("fill-opacity: 0.15") == 1


def test_one_size_alone_is_no_curve(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    """The larger instance was not reached, so nothing is known of how the time grows."""
    failed = make_case(instance="large", spec_hash="l", edges=1000, status="time_limit", certificate=None)
    built = reports.build([write_records(make_case(edges=10), failed)], tmp_path / "report")
    assert {path.stem for path in built.files if path.stem.startswith("time-by")} == {"time-by-instance-1e-4"}


@pytest.mark.parametrize(("asked", "furthest"), [(None, 8.0), (32, 32.0)])
def test_the_model_ends_at_four_times_the_ranks_measured_unless_more_is_asked_for(
    asked: int | None, furthest: float
) -> None:
    curve = [[float(ranks), 1.0 / ranks] for ranks in (1, 2, 4, 8, 16, 32, 64)]
    line = pd.DataFrame({"ranks": [1, 2], "shared": False, "curve": [curve, curve]})
    found = scaling_figures._curve(line, asked)
    assert found is not None
    assert found[0].max() == furthest


def test_a_bar_has_the_steps_of_the_fastest_run_that_reached_the_gap() -> None:
    rows = pd.DataFrame(
        {
            "instance": "one",
            "competitor": ["a", "a", "b"],
            "accuracy": [1e-5, 1e-3, 1e-5],
            **{step: [1.0, 9.0, 2.0] for step in steps.STEPS},
            "end_to_end": [5.0, 45.0, 10.0],
            "cut": False,
        }
    )
    (panel,) = steps.drawings(rows, 1e-4, most=3)
    assert set(steps.STEPS) == set(runs.STEPS)
    assert panel.instance == "one"
    assert all(f">{name}</text>" in panel.svg for name in ("a", "b", "generate or read", "warm-up", "referee"))
    assert steps.drawings(rows[:2], 1e-4, most=3) == []
