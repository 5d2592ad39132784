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
    assert invoke(["run", str(suite), "--out", str(folder / "out")]) == 0
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
    assert any("keep the folder duals beside the records" in one.detail for one in found)
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
