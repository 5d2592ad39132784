"""The report draws runs over ranks from records alone, and says what is measured and what is a model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reports
from harness import records


def run(mode: str, ranks: int, per_iteration: float, **changed: Any) -> dict[str, Any]:
    sources = 100000 * (ranks if mode == "weak" else 4)
    each = {"compute": 0.9 * per_iteration, "communication": 0.06 * per_iteration, "waiting": 0.04 * per_iteration,
            "peak_memory": {"host": 4 * 10**8, "device": None}}  # fmt: skip
    curve = [[2**k, per_iteration * ranks / 2**k + 1e-5 * k] for k in range(11)]
    row = {"schema": 1, "kind": "scaling", "mode": mode, "spec": "s", "family": "dualip", "sources": sources,
           "destinations": 100, "edges": 10 * sources, "solver": "blockpdhg", "ranks": ranks, "status": "solved",
           "settings": {"threads": 1, "device": "cpu"}, "iterations": 30, "shared": False, "per_rank": [each] * ranks,
           "seconds": {"generate": 1, "prepare": 1, "run": 2, "per_iteration": per_iteration, "to_gap": 2},
           "efficiency": {"value": 0.93}, "model": {"per_iteration": per_iteration, "error": 0.05, "curve": curve},
           "bytes_per_iteration": 424, "restarts": 0, "environment": "e"}  # fmt: skip
    return row | changed


def built(tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[str, set[str]]:
    file = tmp_path / "records.jsonl"
    records.append(file, {"schema": 1, "kind": "environment", "id": "e", "cpu": "a processor"})
    for row in rows:
        records.append(file, row)
    made = reports.build([tmp_path], tmp_path / "report")
    return (tmp_path / "report" / "report.md").read_text(), {path.name for path in made.files}


def test_runs_over_ranks_alone_make_a_report(tmp_path: Path) -> None:
    rows = [run(mode, ranks, 0.1 / ranks) for mode in ("strong", "weak") for ranks in (1, 2, 4)]
    text, files = built(tmp_path, rows)
    assert "Dashed lines are a model, not a measurement" in text
    assert {"scaling.csv", "scaling-efficiency.svg", "scaling-memory.svg"} <= files
    assert sum(name.startswith(("scaling-strong", "scaling-weak")) and name.endswith(".png") for name in files) == 2
    assert sum(name.startswith("scaling-split-blockpdhg") and name.endswith(".png") for name in files) == 2
    svg = next((tmp_path / "report" / "figures").glob("scaling-strong*.svg")).read_text()
    assert "blockpdhg: model, error +5 %" in svg


def test_shared_cores_claim_no_efficiency(tmp_path: Path) -> None:
    rows = [run("strong", 1, 0.1), run("strong", 2, 0.09, shared=True, efficiency=None)]
    text, files = built(tmp_path, rows)
    assert "cores shared, 1 thread each" in text
    assert "scaling-efficiency.svg" not in files


def test_seconds_grow_with_an_exponent(tmp_path: Path) -> None:
    """Of instances that differ in size alone: another one has fewer sources a destination, and is on no curve."""
    sizes = [{"edges": edges, "sources": edges, "destinations": edges // 1000} for edges in (10**6, 10**7, 10**8)]
    rows = [run("strong", 1, 1e-9 * size["edges"], **size) for size in sizes]
    built(tmp_path, [*rows, run("strong", 1, 5.0, edges=10**8, sources=10**8, destinations=10**7)])
    assert "exponent 1.00" in (tmp_path / "report" / "figures" / "scaling-growth.svg").read_text()


def test_a_crashed_run_is_listed_with_its_reason(tmp_path: Path) -> None:
    kept = ("schema", "kind", "mode", "spec", "family", "sources", "destinations", "solver", "ranks", "settings")
    crashed = {name: run("strong", 2, 0.1)[name] for name in kept}
    reason = "rank 1 of 2 was ended by SIGKILL"
    text, _ = built(tmp_path, [run("strong", 1, 0.1), crashed | {"status": "crashed", "reason": reason}])
    assert reason in text


def test_one_run_draws_no_curve(tmp_path: Path) -> None:
    _, files = built(tmp_path, [run("strong", 1, 0.1)])
    assert "scaling.csv" in files
    assert not [name for name in files if name.startswith("scaling-strong")]


def test_records_without_a_run_are_refused(tmp_path: Path) -> None:
    with pytest.raises(records.InputError, match="no case in"):
        built(tmp_path, [])
