"""Limits that limit: time, memory and output of solvers that respect none of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from harness.case import Case
from harness.isolation.limits import Limits, parse_bytes
from harness.isolation.output import Output
from harness.steps import Step
from instances import InputError

from .conftest import Place

MEMORY = Limits(grace=60.0, memory=parse_bytes("600MiB"))
SHORT = Limits(grace=0.2)
#: Longer than its limit of a second, a third of it at work: as a compilation on a machine that others use too.
SLOWLY = """
until = time.monotonic() + 1.5
while time.monotonic() < until:
    worked = time.process_time() + 0.02
    while time.process_time() < worked:
        pass
    time.sleep(0.04)
"""


@dataclass(frozen=True, kw_only=True)
class SecondOfWarmUp(Limits):
    def seconds(self, case: Case, step: Step) -> float:
        return 1.0 if step is Step.WARM_UP else super().seconds(case, step)


def test_a_solver_that_sleeps_in_c_and_holds_the_interpreter_is_ended(place: Place) -> None:
    outcome = place.run("ctypes.PyDLL(None).sleep(600)", SHORT)
    assert outcome.status == "time_limit"
    assert outcome.reason.startswith("ended by the harness after")
    assert outcome.reason.endswith("s of run")


def test_a_solver_that_ignores_the_gentle_signal_is_killed(place: Place) -> None:
    body = "NOTES.write_text(str(os.getpid())); signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    outcome = place.run(body, SHORT)
    assert outcome.status == "time_limit"
    assert not psutil.pid_exists(int(place.notes.read_text()))


def test_a_warm_up_that_computes_slowly_is_left_alone(place: Place) -> None:
    assert place.run(SLOWLY, SecondOfWarmUp(), in_warm_up=True).status == "iteration_limit"


@pytest.mark.parametrize("body", ["time.sleep(600)", "while True: pass"], ids=["still", "at work"])
def test_a_warm_up_without_end_is_ended(place: Place, body: str) -> None:
    outcome = place.run(body, SecondOfWarmUp(), in_warm_up=True)
    assert outcome.status == "time_limit"
    assert outcome.reason.endswith("s of warm-up")


def test_a_solver_within_its_grace_is_left_alone(place: Place) -> None:
    outcome = place.run("time.sleep(0.5); said = 'late'", Limits(grace=60.0))
    assert (outcome.status, outcome.raw_status) == ("iteration_limit", "late")


@pytest.mark.parametrize(
    "body",
    [
        "kept = []\nwhile True: kept.append(np.ones(1 << 21)); time.sleep(0.002)",
        "subprocess.run([sys.executable, '-c', 'import time\\nkept = []\\nwhile 1: kept.append(b\"1\" * (1 << 24)); "
        "time.sleep(0.002)'])",
    ],
    ids=["itself", "in a process that it started"],
)
def test_a_solver_that_allocates_without_end_reaches_the_limit(place: Place, body: str) -> None:
    outcome = place.run(body, MEMORY)
    assert outcome.status == "memory_limit"
    assert "of memory, the limit is 0.59 GiB, during run" in outcome.reason
    assert MEMORY.memory is not None
    assert outcome.peak_memory["host"] is not None
    assert outcome.peak_memory["host"] > MEMORY.memory


def test_an_allocation_far_beyond_the_limit_is_refused_at_once(place: Place) -> None:
    outcome = place.run("np.ones(1 << 30)", MEMORY)
    assert outcome.status == "memory_limit"
    assert "Unable to allocate" in outcome.reason


def test_memory_within_the_limit_is_given_and_recorded(place: Place) -> None:
    outcome = place.run("kept = np.ones(1 << 24); said = str(kept.sum())", MEMORY)
    assert outcome.status == "iteration_limit"
    assert outcome.peak_memory["host"] is not None
    assert outcome.peak_memory["host"] > 2**27


def test_output_without_end_is_bounded(place: Place) -> None:
    place.log.unlink(missing_ok=True)
    outcome = place.run("while True: os.write(1, b'x' * 100 + b'\\n')", Limits(grace=0.5))
    assert outcome.status == "time_limit"
    kept = place.log.read_bytes()
    assert len(kept) < 400_000
    assert b"bytes left out" in kept


def test_output_that_fits_is_kept_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    output = Output(log, "a case")
    for _ in range(10):
        output.write(b"abcdefghi\n" * 2930)
    output.close()
    assert log.read_bytes() == b"=== a case\n" + b"abcdefghi\n" * 29300


@pytest.mark.parametrize(
    ("text", "size"),
    [("", None), ("4GiB", 2**32), ("1.5 GB", 1_500_000_000), ("4294967296", 2**32), ("700mib", 734003200)],
)
def test_sizes_are_read(text: str, size: int | None) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["4 gigs", "-1GiB", "GiB", "1KiB", "nan", "4GiB 5"])
def test_sizes_that_make_no_sense_are_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="memory_limit="):
        parse_bytes(text)
