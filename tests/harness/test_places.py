"""Where dualbench is put: folders that cannot be written, a user without a home, a working folder with our names."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import invoke
from harness.records import read

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("harness", "instances", "reports", "solvers")
#: prctl's PR_CAPBSET_DROP, and the rights to write anywhere, to read anywhere and to act as the owner of any file.
CAPBSET_DROP, RIGHTS = 24, (1, 2, 3)
SUITE = """
instances = ["unit:sources=20,destinations=4,degree=2,seed=1"]
solvers = ["scipy-highs-ds"]
tolerances = [1e-2]
threads = 1
"""
COMPILES = """
from solvers.engine.compile_cache import cache_folder
from solvers.engine.compiled import compiled

@compiled()
def twice(number):
    return 2 * number

assert twice(3) == 6
print(cache_folder())
"""


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    """A copy of the packages that nobody can write, and beside it `work`, which everybody can."""
    folder = Path(tempfile.mkdtemp(prefix="dualbench-test-"))
    folder.chmod(0o755)
    (folder / "work").mkdir()
    (folder / "work").chmod(0o777)
    (folder / "work" / "suite.toml").write_text(SUITE)
    for name in PACKAGES:
        shutil.copytree(ROOT / name, folder / "installed" / name, ignore=shutil.ignore_patterns("__pycache__"))
    _make_read_only(folder / "installed")
    yield folder
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o755)
    shutil.rmtree(folder)


def _make_read_only(tree: Path) -> None:
    for place, _, files in os.walk(tree):
        for name in files:
            (Path(place) / name).chmod(0o444)
        Path(place).chmod(0o555)


def as_a_user_without_a_home(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Python with `arguments` in folder/work, on the copy; where root runs the tests, without its rights to files."""
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME", "DUALBENCH_CACHE")}
    environment |= {"PYTHONPATH": str(folder / "installed"), "HOME": "/proc/nowhere", "TMPDIR": str(folder / "work")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder / "work",
        env=environment,
        preexec_fn=_without_the_rights_of_root,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def _without_the_rights_of_root() -> None:
    if os.geteuid() == 0:
        for right in RIGHTS:
            ctypes.CDLL(None).prctl(CAPBSET_DROP, right, 0, 0, 0)


def test_cases_run_where_neither_package_nor_home_can_be_written(elsewhere: Path) -> None:
    process = as_a_user_without_a_home(elsewhere, "-m", "harness", "run", "suite.toml", "--out", "out")
    assert process.returncode == 0, process.stderr
    (row,) = read(elsewhere / "work" / "out").cases
    assert row["status"] == "solved"
    assert not (elsewhere / "work" / "~").exists()


def test_loops_are_compiled_where_neither_package_nor_home_can_be_written(elsewhere: Path) -> None:
    (elsewhere / "work" / "compiles.py").write_text(COMPILES)
    process = as_a_user_without_a_home(elsewhere, "compiles.py")
    assert process.returncode == 0, process.stderr
    cache = Path(process.stdout.strip())
    assert cache.parent == elsewhere / "work"
    assert cache.stat().st_mode & 0o077 == 0
    assert list(cache.rglob("*.nbi"))


def test_packages_of_the_working_folder_with_our_names_are_not_loaded(tmp_path: Path) -> None:
    for name in PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('the wrong package')")
    (tmp_path / "suite.toml").write_text(SUITE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    spec = "unit:sources=200,destinations=10,degree=4,seed=1"
    for command in (["run", "suite.toml", "--out", "out"], ["scale", spec, "--ranks", "1", "--out", "series"]):
        process = subprocess.run(
            [sys.executable, "-P", "-m", "harness", *command],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
    assert [row["status"] for row in read(tmp_path / "out").cases] == ["solved"]
    assert [row["status"] for row in read(tmp_path / "series").scaling] == ["solved"]


def test_a_server_that_cannot_start_ends_the_command_with_one_line_and_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "python").write_text("#!/bin/sh\necho no library here >&2\nexit 1\n")
    (tmp_path / "python").chmod(0o755)
    (tmp_path / "suite.toml").write_text(SUITE)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    assert invoke(["run", str(tmp_path / "suite.toml"), "--out", str(tmp_path / "out")]) == 3
    (line,) = capsys.readouterr().err.splitlines()
    assert line == "dualbench: the server process of the cases cannot start: no library here"
    assert read(tmp_path / "out").cases == []
