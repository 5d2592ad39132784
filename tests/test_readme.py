"""What the README says can be typed: its Python runs, its commands and files exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import cli, invoke
from harness.records import read
from harness.suite_file import suite_names
from tests.support.campaigns import edges, write_tables

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def blocks(language: str, text: str = README) -> list[str]:
    """The fenced blocks of a language, "" for those without one."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return [block for kind, block in fenced if kind == language]


def test_the_python_example_runs_as_written() -> None:
    program = "".join(block for block in blocks("python") if "certify(" in block or "Rows(" in block)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    solved, objective, certified, families = done.stdout.splitlines()
    assert solved.startswith("solved ")
    assert float(objective) == pytest.approx(-963.8, rel=1e-3)
    # Without prices the bound is -5.5; row 1 holds one unit, so both sources get what they want.
    assert [float(word) for word in certified.split()] == [-5.5, -5.5, 0.0]
    assert families == "-4.15 [0. 0.]"  # half a unit below the floor of the second creator costs 0.1


def test_the_example_from_the_disk_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUALBENCH_CACHE", str(tmp_path))
    (program,) = [block for block in blocks("python") if "stored(" in block]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "'host'" in done.stdout


def test_the_loop_of_three_days_runs_as_written() -> None:
    (program,) = [block for block in blocks("python") if "Session(" in block]
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    cold, *warm = [line.split() for line in done.stdout.splitlines()]
    assert (cold[0], cold[2:]) == ("solved", ["None"])
    for status, iterations, _, churn in warm:
        assert status == "solved"
        assert int(iterations) < int(cold[1])
        assert 0 < float(churn) < 0.5


def own_lp(folder: Path) -> list[list[str]]:
    """The tables and problem.toml of the section "Your own LP" in `folder`; the words of its commands."""
    section = README.split("## Your own LP")[1].split("\n## ")[0]
    write_tables(folder, edges())
    edges(users=5, seed=1).to_parquet(folder / "new.parquet")
    (statement,) = blocks("toml", section)
    (folder / "problem.toml").write_text(statement)
    (commands,) = blocks("", section)
    (program,) = blocks("python", section)
    (folder / "program.py").write_text(program + "print(len(decisions), decisions['x'].max(), len(prices))\n")
    return [line.partition("#")[0].split()[1:] for line in commands.splitlines()]


def test_an_own_lp_runs_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    *of_decisions, run = own_lp(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert [command[0] for command in of_decisions] == ["solve", "solve", "solve", "decide", "verify"]
    assert [invoke(command) for command in of_decisions] == [0, 0, 0, 0, 0]
    assert json.loads(Path("decisions/summary.json").read_text())["status"] == "solved"
    fewer = ["--solver", "scipy-highs-ds", "--solver", "ortools-pdlp", "--tolerance", "1e-4"]
    assert invoke([*run, *fewer, "--strict"]) == 0
    assert {row["solver"] for row in read(Path("results/mine")).cases} == {"scipy-highs-ds", "ortools-pdlp"}

    done = subprocess.run([sys.executable, "program.py"], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    status, shape = done.stdout.splitlines()
    assert status.startswith("solved ")
    largest, rows = shape.split()[1:]
    assert (float(largest), rows) == (pytest.approx(1.0, abs=1e-6), "8")


def test_every_command_and_option_exists() -> None:
    lines = [line for block in blocks("") for line in block.splitlines()]
    commands = [line.partition("#")[0].split() for line in lines if line.startswith("dualbench ")]
    assert len(commands) >= 10
    for _, name, *words in commands:
        options = {option for parameter in cli.commands[name].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, name
        if name == "run" and words[0] != "--problem":
            assert words[0] in suite_names()


def test_every_file_it_points_to_is_there() -> None:
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


def test_published_bounds_can_be_derived_again() -> None:
    for folder in sorted((ROOT / "reports" / "published").glob("*/smoke")):
        assert invoke(["verify", str(folder)]) == 0


def test_published_smoke_run_holds_together() -> None:
    """HiGHS twice and PDLP agree on every optimum to 1e-6; no gap is negative, no bound above the optimum."""
    for folder in sorted((ROOT / "reports" / "published").glob("*/smoke")):
        rows = [row for row in read(folder).cases if row["certificate"] is not None]
        for instance in {row["instance"] for row in rows}:
            here = [row for row in rows if row["instance"] == instance]
            tight = {row["solver"]: row["certificate"] for row in here if row["settings"]["tolerance"] == 1e-6}
            optimum = tight["scipy-highs-ds"]["feasible_objective"]
            for solver in ("scipy-highs-ipm", "ortools-pdlp", "blockpdhg"):
                assert tight[solver]["feasible_objective"] == pytest.approx(optimum, rel=1e-6)
            for row in here:
                assert row["certificate"]["certified_gap"] >= 0
                assert row["certificate"]["dual_bound"] <= optimum + 1e-9 * abs(optimum)
