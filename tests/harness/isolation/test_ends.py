"""However a case ends, it costs one row and leaves nothing: no process, no file, no shared memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.isolation.limits import Limits
from harness.result import Result
from instances import content_hash, generate, parse_spec

from .conftest import SPEC, Place

SHORT = Limits(grace=0.2)
HANG = "time.sleep(600)"
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - where POSIX has it
DAEMON = """
import os, time
os.fork() and os._exit(0)
os.setsid()
open({notes!r}, "w").write(str(os.getpid()))
time.sleep(600)
"""
#: A harness in a process of its own, whose solver says who it is and hangs.
HARNESS = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from conftest import Place
body = "NOTES.write_text(json.dumps([os.getpid(), os.getppid(), tempfile.gettempdir()])); time.sleep(600)"
Place(Path({folder!r})).run(body, time_limit=600.0)
"""


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the process died during run: signal SIGSEGV"),
        ("ctypes.string_at(0)", "the process died during run: signal SIGSEGV"),
        ("os.write(2, b'assertion failed: x >= 0\\n'); os.abort()", "signal SIGABRT (assertion failed: x >= 0)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "the process died during run: signal SIGKILL"),
        ("os._exit(7)", "the process died during run: exit status 7"),
    ],
)
def test_a_crash_is_a_row_with_its_signal_and_the_next_case_runs(place: Place, body: str, reason: str) -> None:
    outcome = place.run(body)
    assert outcome.status == "crashed"
    assert outcome.reason.endswith(reason)
    assert outcome.arrays.content_hash == content_hash(generate(parse_spec(SPEC)))
    assert place.run("said = 'fine'").raw_status == "fine"


def test_threads_that_a_solver_leaves_do_not_hold_the_case(place: Place) -> None:
    outcome = place.run("threading.Thread(target=time.sleep, args=(600,)).start()")
    assert outcome.status == "iteration_limit"


@pytest.mark.parametrize("hang", [False, True], ids=["it returned", "it was ended"])
@pytest.mark.parametrize("daemon", [False, True], ids=["a child", "a daemon in a session of its own"])
def test_processes_that_a_solver_leaves_are_ended(place: Place, *, hang: bool, daemon: bool) -> None:
    program = DAEMON.format(notes=str(place.notes)) if daemon else "import time; time.sleep(600)"
    body = f"left = subprocess.Popen([sys.executable, '-c', {program!r}])\n"
    body += (
        "while not (NOTES.exists() and NOTES.read_text()): time.sleep(0.01)\n"
        if daemon
        else "NOTES.write_text(str(left.pid))\n"
    )
    outcome = place.run(body + (HANG if hang else ""), Limits(grace=2.0) if hang else None)
    assert outcome.status == ("time_limit" if hang else "iteration_limit")
    assert not psutil.pid_exists(int(place.notes.read_text()))


@pytest.mark.parametrize("end", ["", HANG, "os.kill(os.getpid(), signal.SIGKILL)"])
def test_temporary_files_are_removed(place: Place, end: str) -> None:
    body = f"file = tempfile.mkstemp()[1]; Path(file).write_text('x'); NOTES.write_text(file)\n{end}"
    outcome = place.run(body, SHORT)
    file = Path(place.notes.read_text())
    assert outcome.status in ("iteration_limit", "time_limit", "crashed")
    assert not file.exists()
    assert not file.parent.exists()


@pytest.mark.parametrize("end", [HANG, "time.sleep(2); os._exit(1)"], ids=["it was ended", "it died"])
def test_shared_memory_is_removed(place: Place, end: str) -> None:
    body = f"""
segment = SharedMemory(create=True, size=4096)
from multiprocessing.resource_tracker import unregister
unregister('/' + segment.name, 'shared_memory')
key = ctypes.CDLL(None).shmget(0, 4096, 0o1600)
NOTES.write_text(json.dumps([segment.name, key]))
{end}"""
    place.run(body, Limits(grace=2.0))
    name, key = json.loads(place.notes.read_text())
    assert not (SHARED_MEMORY / name).exists()
    assert str(key) not in [line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()]


def test_shared_memory_of_others_is_left_alone(place: Place) -> None:
    mine = SHARED_MEMORY / f"dualbench-test-{os.getpid()}"
    mine.write_text("mine")
    try:
        place.run(HANG, SHORT)
        assert mine.exists()
    finally:
        mine.unlink()


def test_an_instance_that_cannot_be_made_costs_its_cases(place: Place) -> None:
    outcome = place.run("pass", spec="parquet:path=/nowhere")
    assert outcome.status == "error"
    assert place.run("said = 'fine'").raw_status == "fine"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_survives_the_harness(tmp_path: Path, number: int) -> None:
    program = HARNESS.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    harness = subprocess.Popen([sys.executable, "-c", program])
    notes = tmp_path / "notes"
    while not (notes.exists() and notes.read_text()):
        assert harness.poll() is None
        time.sleep(0.05)
    child, holder, folder = json.loads(notes.read_text())
    server = psutil.Process(holder).ppid()
    harness.send_signal(number)
    harness.wait()
    _, alive = psutil.wait_procs([psutil.Process(p) for p in (child, holder, server) if psutil.pid_exists(p)], 30)
    assert alive == []
    assert not Path(folder).parent.exists()


def test_a_harness_that_is_killed_while_its_server_starts_leaves_no_folder(tmp_path: Path) -> None:
    program = HARNESS.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    (tmp_path / "tmp").mkdir()
    harness = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "TMPDIR": str(tmp_path / "tmp")})
    while not (started := psutil.Process(harness.pid).children()):
        time.sleep(0.001)
    harness.kill()
    harness.wait()
    assert psutil.wait_procs(started, 60)[1] == []
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("above", [1, 2], ids=["the holder of the instance", "the server"])
def test_a_server_that_is_killed_costs_one_row(place: Place, above: int) -> None:
    process = "psutil.Process()" + ".parent()" * above
    outcome = place.run(f"import psutil; {process}.kill(); time.sleep(600)")
    assert outcome.status == "crashed"
    assert "the server process was lost" in outcome.reason
    assert place.run("said = 'fine'").raw_status == "fine"


def test_stopping_leaves_no_process_and_no_folder(place: Place) -> None:
    def seen() -> Result:
        return place.run("said = json.dumps([os.getppid(), tempfile.gettempdir()])")

    holder, folder = json.loads(seen().raw_status)
    place.isolated.stop()
    assert not psutil.pid_exists(holder)
    assert not Path(folder).parent.exists()
    assert seen().status == "iteration_limit"
