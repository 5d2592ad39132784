"""Streams that are closed or unread, names that are not text, and lists with an entry twice."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import invoke
from harness.records import read

ROOT = Path(__file__).resolve().parents[2]
SPEC = "unit:sources=60,destinations=6,degree=2,seed=1"
SUITE = f'instances = ["{SPEC}"]\nsolvers = ["scipy-highs-ds", "scipy-highs-ipm"]\ntolerances = [1e-4]\nthreads = 1\n'
COMMAND = f"{sys.executable} -m harness"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(SUITE)
    return file


def shell(line: str, place: Path, **chosen: str) -> subprocess.CompletedProcess[bytes]:
    env = os.environ | {"PYTHONPATH": str(ROOT)} | chosen
    return subprocess.run(["bash", "-c", line], cwd=place, env=env, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_cost_nothing(suite: Path, tmp_path: Path, closed: str) -> None:
    done = shell(f"{COMMAND} run {suite} --out out {closed}", tmp_path)
    assert done.returncode == 0, done.stderr
    assert [row["status"] for row in read(tmp_path / "out").cases] == ["solved", "solved"]
    assert (tmp_path / "out" / "report" / "report.html").is_file()


def test_where_nobody_reads_a_run_ends_quietly_as_others_do_and_goes_on_later(suite: Path, tmp_path: Path) -> None:
    done = shell(f"{COMMAND} run {suite} --out out | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.returncode, done.stderr) == (141, b"")
    assert len(read(tmp_path / "out").cases) >= 1
    assert shell(f"{COMMAND} run {suite} --out out --resume", tmp_path).returncode == 0
    assert len(read(tmp_path / "out").cases) == 2


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_paths_that_are_no_text_are_taken(suite: Path, tmp_path: Path, locale: dict[str, str]) -> None:
    folder = r"$'x\xff\u00fc'"
    first = shell(f"{COMMAND} run {suite} --out {folder}", tmp_path, **locale)
    assert first.returncode == 0, first.stderr
    again = shell(f"{COMMAND} run {suite} --out {folder} --resume && {COMMAND} verify {folder}", tmp_path, **locale)
    assert again.returncode == 0, again.stderr
    assert b"2 cases are recorded" in again.stdout
    assert b", 0 are to be run" in again.stdout


def test_a_suite_file_may_begin_with_a_mark_and_end_in_capitals(tmp_path: Path) -> None:
    file = tmp_path / "MINE.TOML"
    file.write_text(SUITE, encoding="utf-8-sig")
    assert invoke(["run", str(file), "--in-process", "--out", str(tmp_path / "out")]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--solver", "scipy-highs-ds", "--solver", "scipy-highs-ds"], "solvers lists 'scipy-highs-ds' twice: leave"),
        (["--tolerance", "1e-4", "--tolerance", "0.0001"], "tolerances lists 0.0001 twice"),
        (
            ["--instance", "unit-5k", "--instance", "unit:sources=5000,destinations=50,degree=10,seed=42"],
            "twice (as 'unit-5k')",
        ),
    ],
)
def test_an_entry_that_is_listed_twice_is_refused_by_name(
    suite: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert invoke(["run", str(suite), *arguments, "--out", str(tmp_path / "out")]) == 2
    assert words in capsys.readouterr().err


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke([]) == 0
    assert "Usage: dualbench [OPTIONS] COMMAND" in capsys.readouterr().out
