"""No word on the page that was not earned: wins, times beside prepare, marks, and gaps up to a violation."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd

import reports
from harness.records import CaseRecord, Seconds, as_row

Make = Callable[..., CaseRecord]
Write = Callable[..., Path]


def page_of(folder: Path, tmp_path: Path) -> str:
    """The text of the page without its script: tags are spaces, and so is every kind of space."""
    page = reports.build([folder], tmp_path / "report").page.read_text().partition("<script")[0]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_prepare_stands_at_the_number_where_it_takes_longer_than_run(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    """A win stays one while it is one with prepare."""
    ours = make_case(seconds=Seconds(prepare=0.2, run=0.001))
    text = page_of(write_records(ours, make_case(solver="dualip")), tmp_path)
    assert "blockpdhg 0.00100 s + 0.200 s prepare 500× faster than dualip, with prepare 3.48×" in text
    assert "blockpdhg is fastest on 1 of 1 instance" in text
    assert "0.00100 + 0.200 prepare" in text
    assert "0.500 + " not in text


def test_nobody_wins_by_what_was_done_in_prepare(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    """A solver that solves in prepare is the fastest by run alone."""
    ours = make_case(seconds=Seconds(prepare=2.0, run=0.001))
    text = page_of(write_records(ours, make_case(solver="dualip")), tmp_path)
    assert "blockpdhg 0.00100 s + 2.00 s prepare 500× faster than dualip; with prepare dualip is faster" in text
    assert "the fastest on 1 is slower than another with prepare" in text
    assert "is fastest on" not in text


def test_no_win_without_a_rival_that_was_asked(write_records: Write, make_case: Make, tmp_path: Path) -> None:
    loose = {**make_case().settings, "tolerance": 1e-2}
    poor = {**make_case().certificate, "certified_gap": 5e-3}  # type: ignore[dict-item]  # a case that is judged
    cases = {
        "level": [{"seconds": Seconds(run=1.0)}, {"seconds": Seconds(run=1.05), "solver": "dualip"}],
        "alone": [{}, {"solver": "dualip", "settings": loose, "certificate": poor}],
        "neither": [{"settings": loose, "certificate": poor}],
    }
    rows = [make_case(instance=name, spec_hash=name, **case) for name, every in cases.items() for case in every]
    text = page_of(write_records(*rows), tmp_path)
    assert ": level on 1; one solver alone was asked on 1; nobody was asked on 1; 2 solvers were asked." in text
    assert "level with dualip" in text
    assert "no other was asked" in text
    assert "is fastest on" not in text.partition("To 1e-4")[2].partition("Defined below")[0]


def test_a_negative_gap_is_a_fault_and_reaches_nothing(
    write_records: Write, make_case: Make, certificate: Callable[[float | None], dict[str, Any]], tmp_path: Path
) -> None:
    """A bound above a feasible objective: however small the number, it wins nothing."""
    rows = [make_case(certificate=certificate(-0.5), seconds=Seconds(run=1e-3)), make_case(solver="dualip")]
    text = page_of(write_records(*rows), tmp_path)
    assert "A fault: 1 case with a bound above the objective of a feasible point (blockpdhg on dualip-1e5)" in text
    assert "dualip is fastest on 1 of 1 instance, where no other reaches it; 2 solvers were asked." in text


def test_a_gap_that_is_proved_up_to_a_violation_is_shown_with_it(
    write_records: Write, make_case: Make, certificate: Callable[[float | None], dict[str, Any]], tmp_path: Path
) -> None:
    nearly = certificate(5e-5) | {"feasible_violation": 3e-13, "bound_error": 1e-12, "objective_error": 2e-12}
    whole = certificate(5e-5) | {"feasible_violation": 0.0}
    rows = [make_case(certificate=nearly), make_case(certificate=whole, solver="dualip", seconds=Seconds(run=9.0))]
    text = page_of(write_records(*rows), tmp_path)
    assert text.count("feasible up to 3.00e-13") == 3  # in the list, beside the winner, and in its row
    table = pd.read_csv(tmp_path / "report" / "tables" / "cases.csv").set_index("solver")
    assert table.loc["blockpdhg", ["bound_error", "objective_error"]].tolist() == [1e-12, 2e-12]


def test_a_time_too_short_to_tell_is_marked_and_explained(
    write_records: Write, make_case: Make, tmp_path: Path
) -> None:
    short = make_case(seconds=Seconds(run=0.02), disturbance={"seconds": 0.021, "cores": 2, "other_load": 0.0})
    text = page_of(write_records(short, make_case(solver="dualip")), tmp_path)
    assert "blockpdhg 0.0200° s" in text
    assert "°: too short to tell" in text


def test_a_machine_has_an_answer_of_its_own(
    write_records: Write, make_case: Make, environment: dict[str, Any], tmp_path: Path
) -> None:
    other = environment | {"id": "env-2", "cpu": "Another CPU"}
    rows = [make_case(), make_case(solver="dualip", environment="env-2")]
    text = page_of(write_records(*rows, rows=(environment, other)), tmp_path)
    assert "To 1e-4 (machine B): blockpdhg, the only solver asked, on 1 of 1 instance." in text
    assert "To 1e-4 (machine A): dualip, the only solver asked, on 1 of 1 instance." in text
    assert "faster than dualip" not in text


def test_more_cores_than_threads_are_told_at_the_top(
    write_records: Write, make_case: Make, environment: dict[str, Any], tmp_path: Path
) -> None:
    """Two threads for half a second: 0.9 s of CPU time are theirs, 4 s are not."""
    honest = as_row(make_case()) | {"cpu_seconds": {"prepare": 0.1, "run": 0.9}}
    greedy = as_row(make_case(solver="dualip")) | {"cpu_seconds": {"prepare": 0.1, "run": 4.0}}
    text = page_of(write_records(rows=(environment, honest, greedy)), tmp_path)
    told = (
        "1 case used more cores than the threads given: dualip on dualip-1e5 took 4.00 s of CPU time in 0.500 s of run"
    )
    assert told in text
    assert text.index(told) < text.index("Fastest solver")
    table = pd.read_csv(tmp_path / "report" / "tables" / "cases.csv").set_index("solver")
    assert table.loc["blockpdhg", ["cpu_prepare", "cpu_run"]].tolist() == [0.1, 0.9]
