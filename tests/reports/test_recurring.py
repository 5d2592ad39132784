"""The report shows series of days from records alone: warm beside cold, and churn against what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import reports
from harness import records

#: Churn, effort against a cold solve, and the share of the objective that is lost.
CHAINS = {
    "cold": (0.10, 1.0, 0.0),
    "warm": (0.09, 0.5, 0.0),
    "stay 0.001": (0.04, 0.6, 0.005),
    "stay 0.1": (0.01, 0.9, 0.2),
}


def solved(day: int, chain: str, **changed: Any) -> dict[str, Any]:
    """A day on which the best objective is -100 and a cold solve takes 2 s and 40 iterations."""
    churn, effort, lost = CHAINS[chain]
    row = {"schema": 2, "kind": "recurring", "case": f"{day} {chain}", "suite": "days", "instance": "unit",
           "peak_memory": {}, "spec": f"s{day}", "spec_hash": "h", "family": "unit", "sources": 10, "destinations": 2,
           "edges": 30, "cells": 20, "solver": "blockpdhg", "solver_version": "1", "repeat": 0, "status": "solved",
           "settings": {"tolerance": 1e-4, "stay": float(chain.partition(" ")[2] or 0)}, "day": day, "drift": 0.05,
           "chain": chain, "churn": churn if day else None, "seconds": {"run": 2.0 * effort},
           "iterations": round(40 * effort),
           "certificate": {"feasible_objective": -100.0 * (1 - lost), "dual_bound": -100.0}}  # fmt: skip
    return row | changed


def built(tmp_path: Path, rows: list[dict[str, Any]]) -> tuple[str, set[str]]:
    file = tmp_path / "records.jsonl"
    records.append(file, {"schema": 2, "kind": "environment", "id": "e", "cpu": "a processor"})
    for row in rows:
        records.append(file, row)
    made = reports.build([tmp_path], tmp_path / "report")
    return (tmp_path / "report" / "report.md").read_text(), {path.name for path in made.files}


def test_a_series_of_days_makes_a_report(tmp_path: Path) -> None:
    text, files = built(tmp_path, [solved(day, chain) for day in range(3) for chain in (CHAINS if day else ["cold"])])
    assert "# The same problem day after day" in text
    assert "blockpdhg on unit, drift 5 % to 1e-4: churn falls from 0.100 to 0.0400 (stay 0.001) where 0.500 %" in text
    assert "| unit, drift 5 % | blockpdhg (1e-4) | warm | 1.00 | 0.500× | 20 | 0.500× | 0.0900 | 0 % |" in text
    assert {"recurring.csv"} <= files
    assert any(name.startswith("churn-") and name.endswith(".svg") for name in files)


def test_days_that_were_not_solved_are_counted(tmp_path: Path) -> None:
    rows = [solved(0, "cold"), solved(1, "cold"), solved(2, "cold", status="time_limit", churn=None, certificate=None)]
    text, files = built(tmp_path, rows)
    assert "cold (1 of 2 not solved)" in text
    assert not any(name.startswith("churn-") for name in files)


@pytest.mark.parametrize("unsolved", ["cold", "warm"])
def test_a_chain_without_an_answer_has_no_ratio(tmp_path: Path, unsolved: str) -> None:
    rows = [solved(0, "cold"), *(solved(1, chain) for chain in CHAINS)]
    for row in rows:
        if row["chain"] == unsolved and row["day"]:
            row |= {"status": "crashed", "seconds": {}, "iterations": None, "churn": None, "certificate": None}
    text, _ = built(tmp_path, rows)
    (line,) = [
        line for line in text.splitlines() if line.startswith(f"| unit, drift 5 % | blockpdhg (1e-4) | {unsolved}")
    ]
    assert line.count("–") >= 5
