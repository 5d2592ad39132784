"""A case that stops processes of the harness costs one row, and the next case nothing."""

from __future__ import annotations

import psutil
import pytest

from harness.isolation.limits import Limits
from tests.harness.isolation.cheats import HONEST, in_the_run, run_adapter
from tests.harness.isolation.conftest import SPEC, Place


@pytest.mark.parametrize(
    ("does", "status"),
    [
        ("os.kill(os.getppid(), signal.SIGSTOP)", "crashed"),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "time_limit"),
        ("os.close(3); [os.close(n) for n in range(4, 64) if os.path.exists(f'/proc/self/fd/{n}')]", "error"),
    ],
    ids=["the holder", "itself", "its descriptors closed"],
)
def test_a_process_that_is_stopped_or_cut_off_costs_one_row(place: Place, does: str, status: str) -> None:
    limits = Limits(grace=0.2, reply=3.0)
    outcome = run_adapter(place, in_the_run(does), limits, time_limit=1.0)
    assert outcome.status in (status, "crashed")
    assert run_adapter(place, HONEST).status == "solved"


def test_a_server_that_a_case_has_stopped_costs_the_next_case_nothing(place: Place) -> None:
    server = "import psutil; psutil.Process(os.getppid()).parent().suspend()"
    outcome = run_adapter(place, in_the_run(server), Limits(grace=30.0, reply=3.0))
    assert outcome.status == "inaccurate"
    other = SPEC.replace("seed=1", "seed=2")
    assert run_adapter(place, HONEST, Limits(grace=30.0, reply=3.0), spec=other).status == "solved"
    assert not [p for p in psutil.process_iter() if p.ppid() == psutil.Process().pid and p.status() == "stopped"]
