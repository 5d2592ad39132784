"""Exponents of growth by family, and dollars to a gap, by hand."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import reports
from harness.cli import invoke
from harness.records import CaseRecord, Seconds
from reports import costs, growth, outcomes
from reports.figures import sizes_of
from reports.load import Loaded, load

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


def sized(make_case: Make, edges: int, seconds: float, **changes: Any) -> CaseRecord:
    """A solved case of the family dualip with 100 sources a destination."""
    name = f"dualip-{edges}"
    return make_case(
        **{
            "instance": name,
            "spec_hash": name,
            "edges": edges,
            "sources": edges // 10,
            "destinations": edges // 1000,
            "seconds": Seconds(prepare=0.0, run=seconds),
            **changes,
        }
    )


def exponents(folder: Path) -> list[dict[str, Any]]:
    cases = load([folder]).cases
    found = growth.growth(outcomes.outcomes(cases), sizes_of(cases))
    return [{str(k): v for k, v in row.items()} for row in found.to_dict("records")]


def test_the_exponent_is_the_slope_with_the_range_between_neighbours(make_case: Make, write_records: Write) -> None:
    rows = [sized(make_case, 10**k, seconds) for k, seconds in ((4, 1.0), (5, 10.0), (6, 1000.0))]
    (found,) = exponents(write_records(*rows))
    assert found["exponent"] == pytest.approx(1.5)
    assert (found["least"], found["most"]) == (pytest.approx(1.0), pytest.approx(2.0))
    assert (found["points"], found["smallest"], found["largest"]) == (3, 10**4, 10**6)


def test_one_size_and_two_families_have_no_exponent(make_case: Make, write_records: Write) -> None:
    other = sized(make_case, 10**5, 9.0, family="unit", instance="unit", spec_hash="unit")
    assert exponents(write_records(sized(make_case, 10**4, 1.0), other)) == []


def test_what_did_not_reach_the_gap_is_no_point(
    make_case: Make, write_records: Write, certificate: Callable[[float | None], dict[str, Any]]
) -> None:
    missed = sized(make_case, 10**5, 60.0, certificate=certificate(0.1), status="time_limit")
    assert exponents(write_records(sized(make_case, 10**4, 1.0), missed)) == []


def priced(
    make_case: Make, write_records: Write, environment: dict[str, Any], *, second: float | None
) -> tuple[Path, Loaded]:
    """One instance on two machines: 36 s at $1 an hour, and 3.6 s on one at `second` dollars."""
    other = environment | {"id": "env-2", "gpu": "A GPU"}
    run = {"kind": "run", "schema": 1, "suite": "s", "command": "c", "time": ""}
    runs = [run | {"environment": "env-1", "price_per_hour": 1.0}]
    runs += [run | {"environment": "env-2", "price_per_hour": second}]
    slow = make_case(seconds=Seconds(prepare=6.0, run=30.0))
    fast = replace(slow, case="two", environment="env-2", seconds=Seconds(prepare=0.6, run=3.0))
    folder = write_records(slow, fast, rows=(environment, other, *runs))
    return folder, load([folder])


def test_dollars_are_of_prepare_and_run_at_the_price_of_the_machine(
    make_case: Make, write_records: Write, environment: dict[str, Any], tmp_path: Path
) -> None:
    folder, loaded = priced(make_case, write_records, environment, second=20.0)
    price_of = costs.prices(loaded.runs, loaded.environments)
    assert sorted(price_of.values()) == [1.0, 20.0]
    found = costs.dollars(outcomes.outcomes(loaded.cases), price_of).set_index("machine")
    by_price = {price_of[str(machine)]: row["dollars"] for machine, row in found.iterrows()}
    assert by_price == {1.0: pytest.approx(10.0), 20.0: pytest.approx(20.0)}
    assert "Dollars to a gap" in reports.build([folder], tmp_path / "report").page.read_text()


def test_the_command_line_prices_machines_by_their_letter(
    make_case: Make, write_records: Write, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_records(make_case(seconds=Seconds(prepare=6.0, run=30.0))))
    out = tmp_path / "report"
    assert invoke(["report", folder, "--out", str(out), "--price", "A=2"]) == 0
    table = pd.read_csv(out / "tables" / "dollars-to-1e-4.csv")
    assert table["dollars"].tolist() == [pytest.approx(20.0)]
    for wrong in ("A", "A=dear", "=3", "A=-1", "A=nan"):
        assert invoke(["report", folder, "--out", str(out), "--price", wrong]) == 2
        assert "such as A=0.25" in capsys.readouterr().err


def test_a_machine_without_a_price_has_no_dollars(
    make_case: Make, write_records: Write, environment: dict[str, Any]
) -> None:
    _, loaded = priced(make_case, write_records, environment, second=None)
    price_of = costs.prices(loaded.runs, loaded.environments)
    assert list(price_of.values()) == [1.0]
    assert len(costs.dollars(outcomes.outcomes(loaded.cases), price_of)) == 1
    assert all(map(math.isfinite, price_of.values()))
