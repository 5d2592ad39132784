"""Verify believes nothing but the spec and the stored dual."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.cli import invoke
from harness.trust.verify import Outcome, verify

SPECS = ["unit:sources=100,destinations=10,degree=3,seed=1", "dualip:sources=100,destinations=10,degree=3,seed=2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    suite = folder / "mine.toml"
    suite.write_text(
        f'instances = {json.dumps(SPECS)}\nsolvers = ["ortools-pdlp", "scipy-highs-ds"]\ntolerances = [1e-2, 1e-4]\n'
        f'threads = 1\n[[exclude]]\ninstance = "{SPECS[0]}"\nsolver = "scipy-highs-ds"\nreason = "no"\n'
    )
    assert invoke(["run", str(suite), "--in-process", "--out", str(folder / "out")]) == 0
    return folder / "out"


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """Records and duals of the finished run, to be tampered with."""
    folder = tmp_path / "copy"
    (folder / "duals").mkdir(parents=True)
    for path in (*finished.glob("*.jsonl"), *finished.glob("duals/*")):
        (folder / path.relative_to(finished)).write_bytes(path.read_bytes())
    return folder


def change(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    """Edit the first case that has a bound."""
    file = folder / "records.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    edit(next(row for row in rows if (row.get("certificate") or {}).get("dual_bound") is not None))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))


def outcomes(folder: Path) -> list[Outcome]:
    return [found.outcome for found in verify(folder)]


def test_every_bound_of_a_run_is_derived_again(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert sorted(outcomes(finished)) == [Outcome.AGREES] * 5 + [Outcome.NOTHING]
    assert invoke(["verify", str(finished)]) == 0
    assert "5 agrees, 1 nothing" in capsys.readouterr().out
    assert invoke(["verify", str(finished / "records.jsonl")]) == 0


@pytest.mark.parametrize("factor", [1 + 1e-7, 0.5])
def test_a_bound_that_was_changed_is_found(copy: Path, factor: float, capsys: pytest.CaptureFixture[str]) -> None:
    change(copy, lambda row: row["certificate"].update(dual_bound=row["certificate"]["dual_bound"] * factor))
    assert outcomes(copy).count(Outcome.DIFFERS) == 1
    assert invoke(["verify", str(copy)]) == 1
    assert "recorded" in capsys.readouterr().out


def test_a_spec_that_was_changed_is_found(copy: Path) -> None:
    change(copy, lambda row: row.update(spec=row["spec"].replace("seed=", "seed=4")))
    (found,) = [one for one in verify(copy) if one.outcome is Outcome.DIFFERS]
    assert "spec_hash" in found.detail


def test_a_dual_of_the_wrong_length_or_content_is_found(copy: Path) -> None:
    files = sorted(copy.glob("duals/*.npy"))
    np.save(files[0], np.zeros(3))
    np.save(files[1], np.full(10, np.nan))
    assert outcomes(copy).count(Outcome.DIFFERS) == 2


def test_missing_and_unreadable_duals_are_said(copy: Path) -> None:
    files = sorted(copy.glob("duals/*.npy"))
    files[0].unlink()
    files[1].write_bytes(b"not an array")
    np.save(files[2], np.array([object()]), allow_pickle=True)
    found = [one for one in verify(copy) if one.outcome is Outcome.MISSING]
    assert len(found) == 3
    assert any("keep its folder beside the records" in one.detail for one in found)
    assert any("pickle" in one.detail.lower() for one in found)
    assert invoke(["verify", str(copy)]) == 1


@pytest.mark.parametrize("name", ["../outside.npy", "/etc/hostname", "duals/../../outside.npy", "", None, 7])
def test_a_dual_outside_the_folder_is_refused(copy: Path, name: Any) -> None:
    np.save(copy.parent / "outside.npy", np.zeros(10))
    change(copy, lambda row: row.update(dual_file=name))
    (found,) = [one for one in verify(copy) if one.outcome is Outcome.MISSING]
    assert "refused" in found.detail or "names no dual_file" in found.detail


def test_a_link_out_of_the_folder_is_refused(copy: Path) -> None:
    np.save(copy.parent / "outside.npy", np.zeros(10))
    (copy / "duals" / "link.npy").symlink_to(copy.parent / "outside.npy")
    change(copy, lambda row: row.update(dual_file="duals/link.npy"))
    assert outcomes(copy).count(Outcome.MISSING) == 1


def test_no_records_is_bad_input(tmp_path: Path) -> None:
    assert invoke(["verify", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda row: row["certificate"].update(certified_gap=1e-12), "certified_gap is 1e-12, its bound and"),
        (
            lambda row: row["certificate"].update(feasible_objective=row["certificate"]["dual_bound"]),
            "certified_gap is",
        ),
        (lambda row: row["certificate"].update(certified_gap=None), "certified_gap is None"),
        (lambda row: row.update(status="inaccurate"), "status is inaccurate, with a certified gap"),
        (lambda row: row["settings"].update(tolerance=1e-15), "status is solved, with a certified gap"),
        (lambda row: row["seconds"].update(run=0), "status is solved, with 0 s of run"),
        (lambda row: row["seconds"].update(run=None), "status is solved, with None s of run"),
        (
            lambda row: row.update(trace={"seconds": [1.0, 9.0], "iteration": [1, 2], "gap": [1, 0]}),
            "its trace goes on",
        ),
        (lambda row: row.update(cpu_seconds={"prepare": 1.0, "run": 99.0}), "99.0 s of CPU time"),
        (lambda row: row.update(edges=row["edges"] + 1), "edges is"),
        (lambda row: row.update(cells=7), "cells is 7"),
        (lambda row: row.update(content_hash="0" * 64), "content_hash 000000000000 is not that of"),
    ],
)
def test_a_row_that_was_edited_by_hand_is_named(
    copy: Path, edit: Callable[[dict[str, Any]], Any], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change(copy, edit)
    (found,) = [one for one in verify(copy) if one.outcome is Outcome.DIFFERS]
    assert words in found.detail
    assert invoke(["verify", str(copy)]) == 1
    assert "4 agrees, 1 differs" in capsys.readouterr().out


def test_a_row_of_the_past_with_a_gap_of_rounding_shown_as_0_agrees(copy: Path) -> None:
    def rounded(row: dict[str, Any]) -> None:
        bound = row["certificate"]["dual_bound"]
        row["certificate"].update(feasible_objective=bound - 1e-14, certified_gap=0.0)

    change(copy, rounded)
    assert Outcome.DIFFERS not in outcomes(copy)


def test_the_feasible_objective_is_derived_where_x_was_kept(finished: Path, tmp_path: Path) -> None:
    suite, out = finished.parent / "mine.toml", tmp_path / "out"
    assert invoke(["run", str(suite), "--in-process", "--keep-x", "--instance", SPECS[1], "--out", str(out)]) == 0
    found = list(verify(out))
    assert {(one.outcome, one.detail) for one in found} == {(Outcome.AGREES, "bound and feasible objective derived")}

    def better(row: dict[str, Any]) -> None:
        """Objective and gap changed so that they agree with each other."""
        bound = row["certificate"]["dual_bound"]
        row["certificate"].update(feasible_objective=bound, certified_gap=0.0)

    change(out, better)
    (wrong,) = [one for one in verify(out) if one.outcome is Outcome.DIFFERS]
    assert "feasible_objective: recorded" in wrong.detail
    kept = sorted(out.glob("x/*.npy"))
    np.save(kept[0], np.load(kept[0]) * 0.5)
    kept[1].unlink()
    details = "; ".join(one.detail for one in verify(out))
    assert "x_hash is not that of the stored x" in details
    assert "x file" in details


def test_what_verified_nothing_is_no_success(copy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [json.loads(line) for line in (copy / "records.jsonl").read_text().splitlines()]
    cases = [row for row in rows if row["kind"] == "case"]
    for row in cases:
        row.update(certificate=None, status="error", reason="why")
    (copy / "records.jsonl").write_text("".join(json.dumps(row) + "\n" for row in cases))
    assert invoke(["verify", str(copy)]) == 1
    assert "nothing was verified" in capsys.readouterr().out
    (tmp_path / "records.jsonl").write_text("")
    assert invoke(["verify", str(tmp_path)]) == 1
    (tmp_path / "some.json").write_text('{"a": 1}')
    assert invoke(["verify", str(tmp_path / "some.json")]) == 2


def test_a_benchmark_file_is_checked_by_arithmetic_and_says_so(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [json.loads(line) for line in (finished / "records.jsonl").read_text().splitlines()]
    cases = [row for row in rows if row["kind"] == "case" and row["status"] == "solved"]
    benchmarks = [{"extra_info": {"record": row}, "stats": {"data": [0.5]}} for row in cases]
    file = tmp_path / "out.json"
    file.write_text(json.dumps({"machine_info": {}, "benchmarks": benchmarks}))
    assert [found.outcome for found in verify(file)] == [Outcome.ARITHMETIC] * 5
    assert invoke(["verify", str(file)]) == 1
    assert "5 arithmetic" in capsys.readouterr().out


def test_runs_over_ranks_are_derived_from_spec_and_dual_too(tmp_path: Path) -> None:
    spec, out = "dualip:sources=33000,destinations=20,degree=3,seed=5", tmp_path / "out"
    assert invoke(["scale", spec, "--ranks", "2", "--no-probe", "--keep-x", "--out", str(out)]) == 0
    (found,) = verify(out)
    assert (found.outcome, found.case) == (Outcome.AGREES, f"{spec}|blockpdhg|2 ranks")
    assert found.detail == "bound and feasible objective derived"
    file = out / "records.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[-1]["certificate"]["dual_bound"] *= 0.9
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert [one.outcome for one in verify(out)] == [Outcome.DIFFERS]
