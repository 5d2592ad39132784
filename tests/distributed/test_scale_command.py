"""`dualbench scale` and `dualbench plan` as a user calls them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness import records
from harness.cli import invoke
from harness.referee import certify
from instances import generate, parse_spec

ROOT = Path(__file__).resolve().parents[2]
SPEC = "dualip:sources=33000,destinations=20,degree=3,seed=5"


def test_a_series_is_recorded_and_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert invoke(["scale", SPEC, "--mode", "weak", "--ranks", "1,2", "--strict", "--out", str(out)]) == 0
    one, two = records.read(out).scaling
    assert (one["ranks"], two["ranks"]) == (1, 2)
    assert two["sources"] == 2 * one["sources"]
    assert two["model"]["curve"][-1][0] == 1024
    judged = certify(generate(parse_spec(two["spec"])), dual=np.load(out / two["dual_file"]))
    assert judged.dual_bound == pytest.approx(two["certificate"]["dual_bound"], rel=1e-10)
    assert all(rank["peak_memory"]["host"] > 0 for rank in two["per_rank"])
    assert "2 ranks  solved" in capfd.readouterr().out
    assert invoke(["report", str(out), "--out", str(tmp_path / "report")]) == 0
    assert list((tmp_path / "report" / "figures").glob("scaling-weak*.svg"))


def test_ranks_of_a_rendezvous_that_exists_join_it(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "harness"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NUMBA_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    chosen = ["scale", SPEC, "--no-probe", "--out", str(tmp_path)]
    done = subprocess.run(
        [*command, *chosen], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    (row,) = records.read(tmp_path).scaling
    assert (row["ranks"], row["status"]) == (2, "solved")
    assert len(row["per_rank"]) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--ranks", "one"], "write whole numbers such as 1,2,4"),
        (["--resume"], "--resume needs --checkpoint"),
        (["--option", "gamma"], "write NAME=VALUE"),
        (["--ranks", "9"], "9 ranks for 3 blocks of sources"),
        (["--solver", "scipy-highs-ds"], "works in one process only"),
    ],
)
def test_bad_input_is_one_line(
    arguments: list[str], message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["scale", SPEC, *arguments, "--out", str(tmp_path)]) == 2
    (line,) = capfd.readouterr().err.strip().splitlines()
    assert message in line


def test_a_plan_says_whether_it_fits_and_what_it_needs(capsys: pytest.CaptureFixture[str]) -> None:
    tera = "dualip:sources=100000000000,destinations=10000,degree=10"
    assert invoke(["plan", tera, "--device", "h200", "--ranks", "8"]) == 0
    told = capsys.readouterr().out
    assert "does not fit one h200" in told
    needed = next(line for line in told.splitlines() if line.startswith("needs")).split()[1]
    assert invoke(["plan", tera, "--find-ranks"]) == 0
    assert f"{needed} x h200" in capsys.readouterr().out
