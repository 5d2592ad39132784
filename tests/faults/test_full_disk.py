"""A disk that is full: one clear line, exit status 3, and everything that was recorded is still there.

A limit on the size of files (RLIMIT_FSIZE, the system's EFBIG) works for everyone; a file system of some MB needs a
mount namespace, which not every machine grants.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from harness.cli import invoke
from harness.folder import save_dual
from harness.records import NotWrittenError, append, read
from solvers.engine.checkpoint import CheckpointStore, Snapshot
from solvers.engine.collectives import LOCAL
from tests.support.limits import file_limit

ROOT = Path(__file__).resolve().parents[2]
Command = Callable[..., subprocess.Popen[str]]
SPECS = ("unit:sources=100,destinations=10,degree=3,seed=1", "dualip:sources=100,destinations=10,degree=3,seed=1")
RUN = [
    "run",
    "smoke",
    "--in-process",
    "--solver",
    "scipy-highs-ds",
    *(word for spec in SPECS for word in ("--instance", spec)),
]


def limited(size: int) -> Callable[[], None]:
    """Run in a child before it starts: no file of it grows beyond `size` bytes."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_row_that_fits_in_part_only_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "records.jsonl"
    row = {"schema": 1, "kind": "run", "suite": "s", "digest": "d"}
    append(file, row)
    whole = file.read_bytes()
    for room in range(len(whole)):
        with file_limit(len(whole) + room), pytest.raises(NotWrittenError, match="what was recorded before is kept"):
            append(file, row)
        assert file.read_bytes() == whole
    with file_limit(2 * len(whole)):
        append(file, row)
    assert len(read(file).runs) == 2


def test_a_dual_that_does_not_fit_leaves_the_one_before_or_none(tmp_path: Path) -> None:
    with file_limit(300), pytest.raises(NotWrittenError):
        save_dual(tmp_path, "case", np.zeros(100))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    name = save_dual(tmp_path, "case", np.ones(100))
    with file_limit(300), pytest.raises(NotWrittenError):
        save_dual(tmp_path, "case", np.zeros(100))
    assert name is not None
    assert np.load(tmp_path / name).sum() == 100


@pytest.mark.parametrize("room", [100, 4000])
def test_a_run_ends_with_one_line_and_resume_goes_on(command: Command, room: int, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = [*RUN, "--repeats", "2", "--out", str(out)]
    full = command(*arguments, preexec_fn=limited(room))
    _, errors = full.communicate(timeout=120)
    assert full.returncode == 3
    assert errors == (
        f"dualbench: {out / 'records.jsonl'} cannot be written (File too large); what was recorded before is kept: "
        "free some space, then repeat the command, `run` with --resume\n"
    )
    before = (out / "records.jsonl").read_bytes()
    assert before.endswith(b"\n") or not before
    assert invoke([*arguments, "--resume"]) == 0
    assert (out / "records.jsonl").read_bytes().startswith(before)
    cases = [row["case"] for row in read(out).cases]
    assert len(cases) == len(set(cases)) == 4
    assert invoke(["verify", str(out)]) == 0


def test_a_report_that_does_not_fit_leaves_the_pages_before(command: Command, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert invoke(["report", str(sample), "--out", str(out)]) == 0
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    full = command("report", str(sample), "--out", str(out), preexec_fn=limited(5000))
    _, errors = full.communicate(timeout=120)
    assert full.returncode == 3
    assert errors.count("\n") == 1
    assert "cannot be written (File too large)" in errors
    assert {path: path.read_bytes() for path in out.rglob("*") if path.is_file()} == before


def test_a_checkpoint_that_does_not_fit_is_noted_and_the_one_before_counts(tmp_path: Path) -> None:
    checkpoints = CheckpointStore(tmp_path, LOCAL, identity={}, edges=1000, every=0.0)
    for iteration in (1, 2):
        state = Snapshot(
            iteration=iteration, seconds=0.0, numbers={}, shared={"y": np.zeros(5)}, primal={"x": np.zeros(1000)}
        )
        with file_limit(resource.RLIM_INFINITY if iteration == 1 else 4000):
            checkpoints.save(state)
    assert checkpoints.notes == [
        "checkpoint of iteration 2 was lost (rank 0: no room on the disk (1000 requested and 484 written))"
    ]
    found = CheckpointStore(tmp_path, LOCAL, identity={}, edges=1000).load()
    assert found is not None
    assert found.iteration == 1
    assert [path.name for path in tmp_path.iterdir()] == ["000000001"]


def test_a_file_system_of_some_megabytes(tmp_path: Path, times: Callable[[int, int], int]) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("no unshare here")
    mount = 'mount -t tmpfs -o size=4m none "$1" && exec "$2" "$3" "$1"'
    if subprocess.run(
        ["unshare", "-rm", "sh", "-c", 'mount -t tmpfs none "$1"', "sh", str(tmp_path)], check=False
    ).returncode:
        pytest.skip("no mount namespaces for this user")
    script = Path(__file__).with_name("full_disk.py")
    done = subprocess.run(
        ["unshare", "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    lines = done.stderr.splitlines()
    assert all(line.startswith("dualbench: ") and "No space left on device" in line for line in lines), lines
    assert done.stdout.splitlines()[-1] == f"{times(33, 37)} states of a full disk"
