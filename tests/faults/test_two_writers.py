"""One process at a time writes into a folder; the lock of a process that was killed is gone with it."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness import records
from harness.cli import invoke
from harness.folder import LOCK, locked
from instances import InputError

Command = Callable[..., subprocess.Popen[str]]
SPEC = "unit:sources=100,destinations=10,degree=3,seed=1"
#: HiGHS needs far longer than the test.
LONG = "unit:sources=100000,destinations=1000,degree=10,seed=1"
HOLDER = "import sys, time; from pathlib import Path; from harness.folder import locked\n" \
    "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(600)"  # fmt: skip


def test_a_second_run_on_the_folder_is_refused_and_changes_nothing(command: Command, tmp_path: Path) -> None:
    out, log = tmp_path / "out", tmp_path / "out" / records.RECORDS_FILE
    arguments = ["run", "smoke", "--solver", "scipy-highs-ds", "--out", str(out)]
    first = command(*arguments, "--instance", LONG, "--time-limit", "300", start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not log.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        before = log.read_bytes()
        second = command(*arguments, "--instance", SPEC, "--resume")
        _, errors = second.communicate(timeout=60)
        assert second.returncode == 2
        assert errors == f"dualbench: process {first.pid} on {os.uname().nodename} is writing into {out}: " \
            "wait for it, or choose another --out\n"  # fmt: skip
        assert log.read_bytes().startswith(before)
        assert invoke(["scale", SPEC, "--ranks", "1", "--out", str(out)]) == 2
    finally:
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert not (out / LOCK).exists()


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(InputError, match=f"process {holder.pid} on "), locked(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    assert (tmp_path / LOCK).exists()
    with locked(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} on "), locked(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_lock_that_its_holder_has_just_removed_is_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the file and locking it the holder may end, and a third may make and lock another."""
    real, waiting = fcntl.flock, [tmp_path / LOCK]

    def flock(file: object, operation: int) -> None:
        if waiting:
            waiting.pop().unlink()
        real(file, operation)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(fcntl, "flock", flock)
    with locked(tmp_path), pytest.raises(InputError, match=f"process {os.getpid()} on "), locked(tmp_path):
        pass


def test_a_dual_that_was_left_half_written_is_removed(tmp_path: Path) -> None:
    (tmp_path / "duals").mkdir()
    (tmp_path / "duals" / f".a.npy{records.PARTIAL}").write_bytes(b"half")
    (tmp_path / "duals" / "b.npy").write_bytes(b"whole")
    with locked(tmp_path):
        assert [file.name for file in (tmp_path / "duals").iterdir()] == ["b.npy"]


def test_of_many_that_start_at_once_one_holds_it_at_a_time(tmp_path: Path) -> None:
    """Each holder takes the lock again and again, finds the folder its own and removes the lock."""
    work = (
        "import sys; from pathlib import Path; from harness.folder import locked; from instances import InputError\n"
        "folder, mine, got = Path(sys.argv[1]), Path(sys.argv[1]) / 'mine', 0\n"
        "while got < 50:\n"
        "    try:\n"
        "        with locked(folder):\n"
        "            mine.touch(exist_ok=False); mine.unlink(); got += 1\n"
        "    except InputError: pass\n"
    )
    rivals = [subprocess.Popen([sys.executable, "-c", work, str(tmp_path)]) for _ in range(3)]
    assert [rival.wait(120) for rival in rivals] == [0, 0, 0]
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_no_output_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(InputError, match="is not a folder"), locked(place):
            pass
