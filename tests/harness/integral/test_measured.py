"""The tables of whole decisions and of serving: what they measure, on small instances."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

import instances
from harness.cli import invoke
from harness.serving.sample import part_of, served_from_sample
from instances import InputError, MatchingLP, Rows, generate, parse_spec

DATA = Path(instances.__file__).parent / "data" / "gap"


def rows(file: Path) -> list[dict[str, str]]:
    with file.open() as table:
        return list(csv.DictReader(table))


def test_the_table_of_assignment_problems_stands_beside_their_best_known_values(tmp_path: Path) -> None:
    folder = tmp_path / "gap"
    folder.mkdir()
    (folder / "bounds.csv").write_text("Path,Best known solution value\nchu1997/a05100,1698\nchu1997/c10100,1402\n")
    for name in ("a05100", "c10100"):
        shutil.copy(DATA / f"{name}.gz", folder)
    command = ["whole", "--gap", str(folder), "--solver", "scipy-highs-ds", "--effort", "50", "--out", str(tmp_path)]
    assert invoke(command) == 0
    first, second = rows(tmp_path / "whole.csv")
    assert (first["instance"], second["instance"]) == ("a05100", "c10100")
    for row in (first, second):
        assert row["kept"] == "True"
        assert 0 <= float(row["above_best"]) == float(row["objective"]) / float(row["best_known"]) - 1
    assert "dualbench whole" in (tmp_path / "whole.md").read_text()


def test_a_folder_without_best_known_values_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["whole", "--gap", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "bounds.csv" in capsys.readouterr().err


def test_larger_samples_overrun_the_budgets_of_the_others_less(tmp_path: Path) -> None:
    spec = "unit:sources=3000,destinations=10,degree=4,seed=2"
    command = ["serving", spec, "--share", "0.01", "--share", "0.3", "--solver", "scipy-highs-ds"]
    assert invoke([*command, "--out", str(tmp_path)]) == 0
    small, large = rows(tmp_path / "serving.csv")
    assert float(small["overrun"]) > float(large["overrun"]) >= 0
    assert float(small["lost"]) > float(large["lost"]) >= 0
    assert [small["sources"], large["sources"]] == ["30", "900"]


def test_a_part_has_its_share_of_the_budgets_and_the_edges_of_its_sources() -> None:
    lp = generate(parse_spec("slots:sources=40,destinations=4,degree=3,seed=1"))
    chosen = np.array([3, 4, 30])
    part = part_of(lp, chosen)
    edges = np.concatenate([np.arange(lp.offsets[i], lp.offsets[i + 1]) for i in chosen])
    assert np.array_equal(part.c, lp.c[edges])
    assert np.array_equal(part.destination, lp.destination[edges])
    assert part.b == pytest.approx(lp.b * 3 / 40)
    assert np.array_equal(part.per_source.params, lp.per_source.params[:, chosen])


def test_rows_without_budgets_cannot_be_scaled() -> None:
    lp = MatchingLP(offsets=[0, 1], c=[-1.0], rows=[Rows("floor", row=[0], lower=1.0)])
    with pytest.raises(InputError, match="budgets are scaled"):
        served_from_sample(lp, 0.5, "scipy-highs-ds")
