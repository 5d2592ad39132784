"""What a series of runs over ranks records: sizes, efficiency, and a model that is what its formula says."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from harness.scaling.launch import Launched
from harness.scaling.model import Speeds, curve, measured_speeds, seconds_per_iteration
from harness.scaling.recording import scaling_record
from harness.scaling.series import Series
from harness.scaling.sharded import ShardedCase
from instances import InputError
from solvers import Settings, Status

JUDGED = {"status": "solved", "reason": "", "certificate": {"certified_gap": 0.0}, "content_hash": "c", "x_hash": "x"}
SPEC = "dualip:sources=50000,destinations=20,degree=4,seed=1"
CASE = ShardedCase(spec=SPEC, solver="blockpdhg", settings=Settings(), ranks=1)


def result(ranks: int, per_iteration: float, *, cores: list[list[int]] | None = None) -> dict[str, Any]:
    """What harness.scaling.sharded hands back, with invented times."""
    each = {"host": "one", "seconds": {"generate": 1.0, "prepare": 2.0, "run": 3.0}, "compute": per_iteration,
            "communication": 0.0, "waiting": 0.0, "peak_memory": {"host": 1000, "device": None},
            "edges": 200000 // ranks,
            "edges_per_second": 1e8, "latency": 1e-4 if ranks > 1 else None, "bytes_per_second": 1e9}  # fmt: skip
    places = cores or [[k] for k in range(ranks)]
    return {"edges": 200000, "digest": "d", "iterations": 30, "certificate": {}, "bytes_per_iteration": 104,
            "wire": "float32", "notes": [], "checkpoints": 0, "restarts": 0, "status": "solved",
            "raw_status": "", "trace": {}, "per_iteration": per_iteration,
            "per_rank": [{**each, "cores": c} for c in places]}  # fmt: skip


def record(mode: str, ranks: int, per_iteration: float, before: list[Any], **chosen: Any) -> dict[str, Any]:
    case = Series(case=CASE, mode=mode, ranks=(ranks,)).at(ranks)
    launched = Launched(result=result(ranks, per_iteration, **chosen), judged=JUDGED)
    return scaling_record(mode, case, launched, before=before, environment_id="e")


def test_strong_efficiency_is_against_the_smallest_number_of_ranks() -> None:
    one = record("strong", 1, 0.8, [])
    assert one["efficiency"]["value"] == 1.0
    assert record("strong", 4, 0.25, [one])["efficiency"]["value"] == pytest.approx(0.8)


def test_weak_efficiency_compares_equal_parts() -> None:
    one = record("weak", 1, 0.8, [])
    assert record("weak", 4, 1.0, [one])["efficiency"]["value"] == pytest.approx(0.8)


def test_ranks_that_share_a_core_have_no_efficiency() -> None:
    one = record("strong", 1, 0.8, [])
    shared = record("strong", 2, 0.5, [one], cores=[[0, 1], [0, 1]])
    assert shared["shared"]
    assert shared["efficiency"] is None


def test_the_largest_part_and_the_slowest_rank_make_the_prediction() -> None:
    row = record("strong", 2, 2e-3, [])
    expected = 100000 / 1e8 + 1e-4 + 104 / 1e9
    assert row["model"]["per_iteration"] == pytest.approx(expected)
    assert row["model"]["error"] == pytest.approx(expected / 2e-3 - 1)
    assert [ranks for ranks, _ in row["model"]["curve"]] == [2**k for k in range(11)]


def test_a_crash_is_a_record_with_its_reason() -> None:
    ended = Launched(result=None, status=Status.CRASHED, reason="rank 1 of 2 was ended by SIGKILL")
    row = scaling_record("strong", CASE, ended, before=[], environment_id="e")
    assert (row["status"], row["reason"]) == ("crashed", "rank 1 of 2 was ended by SIGKILL")


def test_weak_scaling_grows_the_sources() -> None:
    assert "sources=150000," in Series(case=CASE, mode="weak", ranks=(1, 3)).at(3).spec
    assert Series(case=CASE, mode="strong", ranks=(1, 3)).at(3).spec == SPEC


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"mode": "both"}, "expected strong or weak"), ({"ranks": ()}, "such as 1,2,4"), ({"ranks": (0,)}, "from 1 to")],
)
def test_a_series_that_cannot_run_is_refused(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Series(**{"case": CASE, "mode": "strong", "ranks": (1,), **changed})


def test_a_case_travels_as_text() -> None:
    assert ShardedCase.parse(CASE.text) == CASE


@given(st.integers(0, 10), st.floats(1e3, 1e12), st.floats(8, 1e7))
@hypothesis_settings(deadline=None, derandomize=True)
def test_the_model_follows_its_formula(power: int, edges: float, size: float) -> None:
    speeds, ranks = Speeds(edges_per_second=1e9, latency=1e-5, bytes_per_second=1e10), 2**power
    expected = edges / 1e9 + 1e-5 * power + 2 * (ranks - 1) / ranks * size / 1e10
    assert seconds_per_iteration(speeds, edges=edges, bytes_summed=size, ranks=ranks) == pytest.approx(expected)


def test_strong_curves_fall_to_the_messages_and_weak_ones_rise_by_them() -> None:
    speeds = Speeds(edges_per_second=1e9, latency=1e-5, bytes_per_second=1e10)
    strong, weak = (curve(speeds, mode=mode, edges=1e9, bytes_summed=4e4) for mode in ("strong", "weak"))
    assert strong[0] == weak[0] == (1, 1.0)
    assert strong[-1][1] == pytest.approx(1 / 1024 + 1e-4 + 8e-6, rel=1e-2)
    assert weak[-1][1] == pytest.approx(1 + 1e-4 + 8e-6, rel=1e-6)


def test_speeds_need_a_probe() -> None:
    assert measured_speeds([{"edges": 5}]) is None
    alone = measured_speeds([{"edges_per_second": 2.0, "latency": None, "bytes_per_second": None}])
    assert alone == Speeds(edges_per_second=2.0, latency=0.0, bytes_per_second=math.inf)


def test_the_slowest_rank_and_link_count_and_latency_is_that_of_two() -> None:
    ranks = [{"edges_per_second": 5.0 - k, "latency": 1.0 + k, "bytes_per_second": 9.0 - k} for k in range(4)]
    assert measured_speeds(ranks) == Speeds(edges_per_second=2.0, latency=2.0, bytes_per_second=6.0)


def test_the_curve_of_weak_scaling_starts_from_the_part_of_one_rank() -> None:
    row = record("weak", 2, 2e-3, [])
    assert row["model"]["curve"][0] == (1, pytest.approx(100000 / 1e8))


def test_a_rank_with_fewer_cores_than_threads_shares_them() -> None:
    case = dataclasses.replace(CASE, ranks=2, settings=Settings(threads=2))
    places = [([[0, 1], [2, 3]], False), ([[0, 1], [2]], True)]
    for cores, shared in places:
        launched = Launched(result=result(2, 1.0, cores=cores), judged=JUDGED)
        assert scaling_record("strong", case, launched, before=[], environment_id="e")["shared"] is shared
