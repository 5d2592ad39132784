"""The pytest plugin in other people's projects: real sessions of pytest in folders of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli import invoke
from harness.suite_file import load_suite

ROOT = Path(__file__).resolve().parents[2]
SPEC = "unit:sources=60,destinations=6,degree=2,seed=1"
BENCH = """
from harness.pytest_plugin import run_case

def test_case(benchmark, dualbench_case):
    run_case(benchmark, dualbench_case)
"""
OWN_OPTION = """
def pytest_addoption(parser):
    parser.addoption("--suite", default="unit")
"""
OWN_TEST = """
def test_mine(request):
    assert request.config.getoption("--suite") == "nightly"
"""


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin alone, as the top-level package that an installation makes of it."""
    folder = tmp_path_factory.mktemp("installed")
    (folder / "dualbench_pytest").symlink_to(ROOT / "harness" / "dualbench_pytest")
    return folder


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    file = tmp_path / "mine.toml"
    file.write_text(f'instances = ["{SPEC}"]\nsolvers = ["ortools-pdlp"]\ntolerances = [1e-2, 1e-4]\n')
    return file


def start(place: Path, installed: Path, *arguments: str, ours: bool = True) -> subprocess.CompletedProcess[str]:
    """pytest in `place` with the plugin; `ours`: dualbench's packages can be imported."""
    paths = [str(installed), *([str(ROOT)] if ours else [])]
    command = [sys.executable, "-m", "pytest", "-p", "no:dualbench", "-p", "dualbench_pytest", *arguments]
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env = inherited | {"PYTHONPATH": os.pathsep.join(paths)}
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, check=False, timeout=180)


def test_a_project_without_pytest_benchmark_runs_its_tests(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n")
    done = start(tmp_path, installed, "-p", "no:benchmark")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout


@pytest.mark.parametrize("words", [("--suite", "nightly"), ("--suite=nightly",)])
def test_a_project_keeps_its_own_option_suite(tmp_path: Path, installed: Path, words: tuple[str, ...]) -> None:
    (tmp_path / "conftest.py").write_text(OWN_OPTION)
    (tmp_path / "test_mine.py").write_text(OWN_TEST)
    done = start(tmp_path, installed, *words)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_plugin_of_the_project_keeps_its_own_option_suite(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "options.py").write_text(OWN_OPTION)
    (tmp_path / "test_mine.py").write_text(OWN_TEST)
    done = start(tmp_path, installed, "-p", "options", "--suite", "nightly")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_project_with_folders_of_our_names_runs_its_tests(tmp_path: Path, installed: Path) -> None:
    for name in ("harness", "instances", "reports", "solvers"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('not yours')\n")
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n")
    done = start(tmp_path, installed, "test_mine.py")
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "test_case.py").write_text("def test_case(dualbench_case): pass\n")
    done = start(tmp_path, installed, "test_case.py", "--dualbench-suite", "smoke")
    assert done.returncode == 4
    assert "dualbench cannot be loaded (not yours)" in done.stdout + done.stderr


def test_the_plugin_loads_nothing_of_ours_where_its_option_is_not_given(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\ndef test_mine():\n    assert not {'harness', 'instances', 'numpy', 'torch'} & set(sys.modules)\n"
    )
    done = start(tmp_path, installed)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("option", ["--dualbench-suite", "--suite"])
def test_with_the_option_only_cases_of_the_suite_are_run(
    tmp_path: Path, installed: Path, suite: Path, option: str
) -> None:
    (tmp_path / "test_bench.py").write_text(BENCH)
    (tmp_path / "test_other.py").write_text("def test_other():\n    raise RuntimeError('too slow')\n")
    output = tmp_path / "out.json"
    done = start(tmp_path, installed, option, str(suite), "--benchmark-json", str(output))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 1 deselected" in done.stdout
    found = json.loads(output.read_text())
    assert found["machine_info"]["dualbench"]["packages"]["ortools"]
    records = [benchmark["extra_info"]["record"] for benchmark in found["benchmarks"]]
    assert [(record["status"], record["settings"]["tolerance"]) for record in records] == [
        ("solved", 1e-2),
        ("solved", 1e-4),
    ]
    for record, benchmark in zip(records, found["benchmarks"], strict=True):
        assert 0 < benchmark["stats"]["mean"] <= record["seconds"]["run"]  # the run is timed, and nothing else
    assert invoke(["report", str(output), "--out", str(tmp_path / "report")]) == 0


def test_the_command_of_the_readme_collects_the_suite_and_nothing_else(installed: Path) -> None:
    done = start(ROOT, installed, "tests/benchmarks", "--suite", "smoke", "--collect-only")
    assert done.returncode == 0, done.stdout + done.stderr
    collected = [line for line in done.stdout.splitlines() if "::" in line]
    suite = load_suite("smoke")
    assert len(collected) == sum(not suite.excluded(case) for case in suite.cases())
    assert all("test_suite.py::test_case[" in line for line in collected)


def test_wrong_uses_of_the_option_are_one_line(tmp_path: Path, installed: Path, suite: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n")
    (tmp_path / "test_bench.py").write_text(BENCH)
    calls = (
        (["test_mine.py", "--suite", str(suite)], "no test here takes the fixture dualbench_case"),
        (["test_bench.py", "--suite", "nosuch"], "unknown suite 'nosuch': use one of"),
        (["test_bench.py", "--suite", str(suite), "-p", "no:benchmark"], "needs pytest-benchmark"),
    )
    for arguments, message in calls:
        done = start(tmp_path, installed, *arguments)
        assert done.returncode == 4, done.stdout + done.stderr
        assert message in done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr


def test_a_case_that_cannot_be_tried_is_skipped_with_its_reason(tmp_path: Path, installed: Path) -> None:
    (tmp_path / "test_bench.py").write_text(BENCH)
    suite = tmp_path / "mine.toml"
    suite.write_text(f'instances = ["{SPEC}"]\nsolvers = ["cupdlpx"]\ntolerances = [1e-4]\ndevice = "cuda"\n')
    done = start(tmp_path, installed, "--suite", str(suite), "-rs", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 skipped" in done.stdout
    assert "install" in done.stdout


def test_the_plugin_is_installed_under_a_name_of_its_own() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    name = project["project"]["entry-points"]["pytest11"]["dualbench"]
    assert name in project["tool"]["setuptools"]["packages"]
    assert (ROOT / project["tool"]["setuptools"]["package-dir"][name] / "__init__.py").is_file()
