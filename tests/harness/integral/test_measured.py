"""Records of whole decisions and of serving: what they measure on small instances, derived again and reported."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import instances
from harness import records
from harness.cli import invoke
from harness.serving.sample import part_of
from instances import generate, parse_spec

DATA = Path(instances.__file__).parent / "data" / "gap"
UNIT = "unit:sources=3000,destinations=10,degree=4,seed=2"
SERVING = ["serving", UNIT, "--share", "0.01", "--share", "0.3", "--solver", "scipy-highs-ds", "--out"]


@pytest.fixture(scope="module")
def gap(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records of whole decisions of two assignment problems."""
    folder = tmp_path_factory.mktemp("gap")
    (folder / "bounds.csv").write_text("Path,Best known solution value\nchu1997/a05100,1698\nchu1997/c10100,1402\n")
    for name in ("a05100", "c10100"):
        shutil.copy(DATA / f"{name}.gz", folder)
    assert invoke(whole_command(folder)) == 0
    return folder


def whole_command(folder: Path, *more: str) -> list[str]:
    command = ["whole", "--gap", str(folder), "--solver", "scipy-highs-ds", "--effort", "1000"]
    return [*command, "--out", str(folder / "out"), *more]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("served") / "out"
    assert invoke([*SERVING, str(out)]) == 0
    return out


def test_assignment_problems_stand_beside_their_best_known_values(gap: Path) -> None:
    first, second = records.read(gap / "out").whole
    assert (first["instance"], second["instance"]) == ("a05100", "c10100")
    assert first["spec"] == "gap:file=a05100"  # which the package holds: the row can be derived again anywhere
    for row in (first, second):
        assert row["kept"]
        assert 0 <= row["above_best"] == row["certificate"]["objective"] / row["best_known"] - 1


def test_larger_samples_overrun_the_budgets_of_the_others_less(served: Path) -> None:
    small, large = records.read(served).serving
    assert small["overrun"] > large["overrun"] >= 0
    assert small["lost"] > large["lost"] >= 0
    assert (small["sampled"], large["sampled"]) == (30, 900)


def test_the_report_shows_both(gap: Path, served: Path, tmp_path: Path) -> None:
    assert invoke(["report", str(gap / "out"), str(served), "--out", str(tmp_path)]) == 0
    text = (tmp_path / "report.md").read_text()
    assert "Of 2 instances with a best known value, 2 keep every limit and 2 end within 1 % of it." in text
    assert "Serving from the prices of a sample" in text
    assert {"whole.csv", "serving.csv"} <= {path.name for path in (tmp_path / "tables").iterdir()}


def test_a_killed_command_goes_on_with_what_is_missing(
    gap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(gap, tmp_path / "gap")
    file = tmp_path / "gap" / "out" / "records.jsonl"
    file.write_bytes(file.read_bytes()[:-700])  # the last row is cut off
    command = [word.replace(str(gap), str(tmp_path / "gap")) for word in whole_command(gap)]
    assert invoke(command) == 2
    assert "add --resume" in capsys.readouterr().err
    before = records.read(file).whole
    command[2] = str(gap)
    assert invoke([*command, "--resume"]) == 0
    after = records.read(file).whole
    assert [row["instance"] for row in after] == ["a05100", "c10100"]
    assert after[0] == before[0]
    assert invoke([*command, "--resume", "--effort", "2"]) == 2
    assert "another command" in capsys.readouterr().err


def test_every_figure_of_both_is_derived_again(gap: Path, served: Path) -> None:
    assert invoke(["verify", str(gap / "out")]) == 0
    assert invoke(["verify", str(served)]) == 0


@pytest.mark.parametrize(
    ("kind", "change", "words"),
    [
        ("whole", {"gap": 0.0}, "gap: recorded 0.0"),
        ("whole", {"above_best": -0.1}, "above_best: recorded -0.1"),
        ("whole", {"decided": 3}, "decided: recorded 3"),
        ("whole", {"x_hash": "another"}, "x_hash: recorded 'another'"),
        ("whole", {"dual_file": None}, "names no dual_file"),
        ("serving", {"overrun": 0.0}, "overrun: recorded 0.0"),
        ("serving", {"objective": 1.0}, "objective: recorded 1.0"),
        ("serving", {"seed": 1}, "recorded"),
    ],
)
def test_a_row_that_was_changed_is_found(
    gap: Path, served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, change: dict[str, Any],
    words: str,
) -> None:  # fmt: skip
    folder = shutil.copytree(gap / "out" if kind == "whole" else served, tmp_path / "records")
    file = folder / "records.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    next(row for row in rows if row["kind"] == kind).update(change)
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert invoke(["verify", str(folder)]) == 1
    assert words in " ".join(capsys.readouterr().out.split())


def test_whole_decisions_that_were_changed_are_found(
    gap: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(gap / "out", tmp_path / "records")
    file = folder / records.read(folder).whole[0]["x_file"]
    x = np.load(file)
    np.save(file, np.roll(x, 1))
    assert invoke(["verify", str(folder)]) == 1
    assert "kept: recorded True, derived False" in " ".join(capsys.readouterr().out.split())


def test_a_folder_without_best_known_values_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["whole", "--gap", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "bounds.csv" in capsys.readouterr().err


def test_a_part_has_its_share_of_the_budgets_and_the_edges_of_its_sources() -> None:
    lp = generate(parse_spec("slots:sources=40,destinations=4,degree=3,seed=1"))
    chosen = np.array([3, 4, 30])
    part = part_of(lp, chosen)
    edges = np.concatenate([np.arange(lp.offsets[i], lp.offsets[i + 1]) for i in chosen])
    assert np.array_equal(part.c, lp.c[edges])
    assert np.array_equal(part.destination, lp.destination[edges])
    assert part.b == pytest.approx(lp.b * 3 / 40)
    assert np.array_equal(part.per_source.params, lp.per_source.params[:, chosen])


def test_rows_without_budgets_cannot_be_scaled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ["serving", "exposure:sources=40,destinations=4,degree=3,seed=1", "--solver", "scipy-highs-ds"]
    assert invoke([*command, "--out", str(tmp_path / "out")]) == 2
    assert "budgets are scaled" in capsys.readouterr().err
