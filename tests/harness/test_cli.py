"""The command line: what it prints, and one line with the remedy and exit status 2 for bad input."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import invoke
from instances import parse_spec, read_parquet

SPEC = "unit:sources=100,destinations=10,degree=3,seed=1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "nope"], "unknown suite 'nope': use one of"),
        (["run"], "give SUITE or --problem FILE, one of the two"),
        (["run", "smoke", "--problem", "p.toml"], "give SUITE or --problem FILE, one of the two"),
        (["run", "--problem", "nowhere.toml"], "nowhere.toml cannot be read (No such file or directory)"),
        (["solve", "nowhere.toml", "--out", "x"], "nowhere.toml cannot be read (No such file or directory)"),
        (["run", "smoke", "--solver", "foo"], "unknown solver 'foo': use one of"),
        (["run", "smoke", "--instance", "foo"], "unknown instance 'foo'"),
        (["run", "smoke", "--tolerance", "7"], "tolerance=7.0: expected a number between 0 and 1"),
        (["run", "smoke", "--time-limit", "0"], "time_limit=0.0: expected seconds > 0"),
        (["run", "smoke", "--threads", "0"], "'--threads': 0 is not in the range x>=1"),
        (["run", "smoke", "--device", "tpu"], "device='tpu': expected cpu or cuda"),
        (["run", "smoke", "--bogus"], "No such option '--bogus'"),
        (["run", "smoke", "--resume"], "--resume needs --out"),
        (["run", "smoke", "--rerun-disturbed"], "--rerun-disturbed needs --resume"),
        (["run", "smoke", "--memory-limit", "4 apples"], "memory_limit='4 apples': expected a size such as 4GiB"),
        (["run", "smoke", "--memory-limit", "64KiB"], "expected at least 512MiB"),
        (["run", "smoke", "--grace", "-1"], "grace=-1.0: expected seconds >= 0"),
        (["run", "smoke", "--in-process", "--memory-limit", "4GiB"], "leave out --memory-limit and --grace"),
        (["generate", "unit:sources=0,destinations=1", "--out", "x"], "sources=0: "),
        (["generate", "unit:sources=9,destinations=2,degree=3", "--out", "x"], "at most destinations"),
        (["generate", "unit:sources=9,destinations=2,degree=1,seed=-1", "--out", "x"], "seed=-1"),
        (["generate", "dualip:sources=10_000_000_000,destinations=10_000", "--out", "x"], "GiB of memory"),
        (["generate", "nofamily:sources=9,destinations=2", "--out", "x"], "unknown instance 'nofamily"),
        (["report", "nowhere", "--out", "x"], "no records at nowhere"),
        (["frobnicate"], "No such command 'frobnicate'"),
    ],
)
def test_bad_input_is_one_line_and_exit_status_2(
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert invoke(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("dualbench: ")
    assert message in captured.err
    assert list(tmp_path.iterdir()) == []


def test_run_writes_records_and_report_and_says_where(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "harness", "run", "smoke", "--instance", SPEC, "--solver", "scipy-highs-ds"]
    done = subprocess.run([*command, "--out", str(out)], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert str(out / "records.jsonl") in done.stdout
    assert str(out / "report" / "report.html") in done.stdout
    assert (out / "report" / "report.html").is_file()
    assert "solved" in done.stdout


def test_strict_exits_with_1_where_a_case_is_not_solved(tmp_path: Path) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text(
        f'instances = ["{SPEC}"]\nsolvers = ["scipy-highs-ds"]\ntolerances = [1e-4]\n'
        f'[[exclude]]\ninstance = "{SPEC}"\nsolver = "scipy-highs-ds"\nreason = "not today"\n'
    )
    chosen = ["run", str(suite), "--in-process", "--out"]
    assert invoke([*chosen, str(tmp_path / "a"), "--strict"]) == 1
    assert invoke([*chosen, str(tmp_path / "b")]) == 0


def test_generate_writes_an_instance_that_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "instance"
    assert invoke(["generate", SPEC, "--out", str(out)]) == 0
    lp = read_parquet(out)
    assert f"{lp.edges:,} edges" in capsys.readouterr().out
    assert lp.sources == parse_spec(SPEC).sources


def test_solvers_and_instances_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["solvers"]) == 0
    assert invoke(["instances"]) == 0
    text = capsys.readouterr().out
    for word in ("ortools-pdlp", "scipy-highs-ipm", "movielens", "ladder-50m", "1,000,000,000,000", "independent"):
        assert word in text
