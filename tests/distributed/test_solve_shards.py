"""`dualbench solve --shards`: ranks of torchrun solve a problem over tables and write their own decisions by key."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pyarrow import compute, parquet

from harness.cli import invoke
from harness.decisions.again import read_decisions
from harness.decisions.folder import read_summary
from harness.referee import certify
from instances import Problem
from tests.support.campaigns import edges, write_problem, write_volume
from tests.support.shards import write_shards_apart

ROOT = Path(__file__).resolve().parents[2]


def as_a_process(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """A process of its own, because a rank takes cores for as long as it lives."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=500, check=False
    )


def test_two_ranks_write_what_verify_derives_again(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    problem = write_volume(tmp_path / "tables", edges(1500, 12))
    shards, out = tmp_path / "shards", tmp_path / "out"
    write_shards_apart(problem, shards, ["clicks"])
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "harness"]
    done = as_a_process([*launcher, "solve", "--shards", str(shards), "--strict", "--out", str(out)])
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].startswith("solved: gap ")

    parts = sorted(file.name for file in (out / "decisions.parquet").iterdir())
    assert parts == ["part-00000.parquet", "part-00001.parquet"]
    decisions = parquet.read_table(out / "decisions.parquet")
    assert decisions.column_names == ["user_id", "item_id", "clicks", "x"]
    assert compute.min(decisions["x"]).as_py() > 0
    assert invoke(["verify", str(out)]) == 0
    assert "6 agrees" in capfd.readouterr().out

    stated = Problem.read(problem).build()
    summary = read_summary(out)
    assert summary is not None
    found = certify(stated.lp, read_decisions(out, stated))
    assert found.feasible_objective == pytest.approx(-summary["objective"], rel=1e-9)
    assert "2 ranks on the shards" in summary["solver"]["why"]
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]

    *launcher, module = launcher
    arguments = ["solve", "--shards", str(shards), "--start", str(out), "--out", str(out)]
    begun = as_a_process([*launcher, "--", module, *arguments])  # torchrun takes --start for its --start-method else
    assert begun.returncode == 0, begun.stderr
    assert f"began from {out} of " in begun.stderr
    again = read_summary(out)
    assert again is not None
    assert again["status"] == "solved"
    assert again["solver"]["iterations"] < summary["solver"]["iterations"] / 2
    start = again["start"]
    assert (start["decisions"], start["decisions_vanished"]) == (summary["decisions"]["edges_used"], 0)
    assert (start["prices"], start["prices_new"], start["notes"]) == (stated.lp.row_count, 0, [])
    assert start["churn"] < 0.01
    assert invoke(["verify", str(out)]) == 0


def test_one_process_is_one_rank_and_the_judge_reads_all(tmp_path: Path) -> None:
    problem = write_volume(tmp_path / "tables", edges(1500, 12))
    shards, out = tmp_path / "shards", tmp_path / "out"
    write_shards_apart(problem, shards)
    spec = (shards / "spec.json").read_text()
    other = {**json.loads(spec), "content": "0" * 64}  # ranks check the pieces, the judge the whole
    (shards / "spec.json").write_text(json.dumps(other))
    arguments = ["solve", "--shards", str(shards), "--all", "--quiet", "--threads", "1", "--out", str(out)]
    refused = as_a_process(["-m", "harness", *arguments])
    assert refused.returncode == 2
    assert "is damaged, its content is not what was written" in refused.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"tables", "shards"}

    (shards / "spec.json").write_text(spec)
    done = as_a_process(["-m", "harness", *arguments])
    assert done.returncode == 0, done.stderr
    decisions = parquet.read_table(out / "decisions.parquet")
    assert decisions.num_rows == 9000
    stated = Problem.read(problem).build()
    np.testing.assert_array_equal(decisions["x"].to_numpy(), read_decisions(out, stated))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "solve needs a PROBLEM.TOML, or --shards"),
        (["problem.toml", "--shards", "shards"], "solve needs a PROBLEM.TOML, or --shards"),
        (["--shards", "shards", "--columns", "clicks"], "--columns goes with a PROBLEM.TOML, not with --shards"),
        (["--shards", "shards", "--stay", "0.1"], "--stay goes with a PROBLEM.TOML, not with --shards"),
        (["--shards", "shards", "--start", "none"], "none holds no output of `dualbench solve`: give the --out folder"),
        (["--shards", "nothing"], "nothing holds no shards with keys: give a folder that"),
        (["--shards", "shards", "--solver", "scipy-highs-ds"], "works in one process only"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    write_shards_apart(write_problem(tmp_path / "tables"), tmp_path / "shards")
    monkeypatch.chdir(tmp_path)
    assert invoke(["solve", *arguments, "--quiet", "--out", "out"]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()
