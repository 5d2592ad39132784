"""What pip builds works without the checkout: `solve` and `run smoke` from the files of the wheel alone."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.campaigns import write_problem

ROOT = Path(__file__).resolve().parent.parent
BUILT_OF = ("harness", "instances", "solvers", "reports", "pyproject.toml", "README.md", "LICENSE")
#: Of [build-system] in pyproject.toml.
OLDEST_SETUPTOOLS = 77
UNIT = "unit:sources=100,destinations=10,degree=3,seed=1"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the wheel holds."""
    if int(importlib.metadata.version("setuptools").partition(".")[0]) < OLDEST_SETUPTOOLS:
        pytest.skip(f"setuptools here is older than {OLDEST_SETUPTOOLS}, and a test downloads nothing")
    folder = tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns("__pycache__", "published")
    for name in BUILT_OF:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / "source" / name, ignore=left_out)
        else:
            shutil.copy(ROOT / name, folder / "source" / name)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, folder / "source"], check=True, timeout=300)
    (wheel,) = folder.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "site")
    return folder / "site"


def run(site: Path, folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(site), "DUALBENCH_CACHE": str(folder / "cache")}
    command = [sys.executable, "-P", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_packages_are_those_of_the_wheel(installed: Path, tmp_path: Path) -> None:
    program = "import harness, instances, reports, solvers; print(harness.__file__, reports.__file__)"
    assert run(installed, tmp_path, "-c", program).count(str(installed)) == 2


def test_decisions_from_tables(installed: Path, tmp_path: Path) -> None:
    problem = write_problem(tmp_path / "tables")
    solve = ["solve", str(problem), "--solver", "scipy-highs-ds", "--quiet", "--strict", "--out", "out"]
    assert run(installed, tmp_path, "-m", "harness", *solve).startswith("solved: gap ")


def test_a_suite_with_its_report(installed: Path, tmp_path: Path) -> None:
    smoke = ["run", "smoke", "--instance", UNIT, "--solver", "scipy-highs-ds", "--tolerance", "1e-2", "--out", "out"]
    run(installed, tmp_path, "-m", "harness", *smoke)
    assert UNIT.partition(":")[0] in (tmp_path / "out" / "report" / "report.html").read_text()
    assert (tmp_path / "out" / "report" / "figures").is_dir()


def test_the_job_of_spark_says_where_it_is(installed: Path, tmp_path: Path) -> None:
    path = Path(run(installed, tmp_path, "-m", "instances.spark", "--path").strip())
    assert path.is_relative_to(installed)
    assert (path.parent / "SPARK.md").is_file()
