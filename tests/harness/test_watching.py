"""A solve says that it compiles, once and only where it does, and tells a callback how far it is."""

from __future__ import annotations

import numba
import pytest

from harness import solve
from harness.records import Seconds
from harness.watching import booked, watch_for
from instances import MatchingLP, generate, parse_spec
from solvers import Status, get_solver
from solvers.base import TracePoint
from solvers.engine import compiled  # noqa: F401 - tells the current watch when Numba compiles
from solvers.watching import watched

#: Takes `dualip` many iterations at this tolerance.
LONG = {"tolerance": 1e-9, "time_limit": 10.0}


@pytest.fixture(scope="module")
def lp() -> MatchingLP:
    return generate(parse_spec("unit:sources=2000,destinations=50,degree=5,seed=1"))


@pytest.mark.parametrize("quiet", [False, True])
def test_what_is_compiled_is_said_once_and_booked_as_warm_up(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: bool
) -> None:
    monkeypatch.delenv("DUALBENCH_QUIET", raising=False)

    @numba.njit
    def plus(a: float, b: float) -> float:
        return a + b

    watch = watch_for(get_solver("dualip"), None, verbose=False, quiet=quiet)
    with watched(watch):
        plus(1.0, 2.0)
        plus(1, 2)  # other types: compiled again
        both = watch.compiling
        plus(3, 4)
    assert capsys.readouterr().err.count("compiling the loops") == (0 if quiet else 1)
    assert both == watch.compiling > 0
    seconds = booked(Seconds(prepare=both + 1.0), both)
    assert (seconds.warm_up, seconds.prepare) == (both, pytest.approx(1.0))
    assert booked(Seconds(prepare=1.0), 0.0) == Seconds(prepare=1.0)


def test_a_callback_sees_progress_and_can_end_the_run(lp: MatchingLP) -> None:
    seen: list[TracePoint] = []

    def third(point: TracePoint) -> bool:
        seen.append(point)
        return len(seen) == 3

    result = solve(lp, "dualip", callback=third, **LONG)
    assert result.status is Status.TIME_LIMIT
    assert len(seen) == 3
    assert seen[0].seconds < seen[1].seconds < seen[2].seconds
    assert result.certificate is not None
    assert result.certificate.dual_bound is not None


def test_verbose_prints_gap_and_seconds_on_standard_error(lp: MatchingLP, capsys: pytest.CaptureFixture[str]) -> None:
    solve(lp, "dualip", verbose=True, tolerance=1e-9, iteration_limit=50)
    shown = capsys.readouterr()
    assert "iteration" in shown.err
    assert "gap" in shown.err
    assert shown.out == ""


def test_a_solver_that_tells_nothing_says_so_once(lp: MatchingLP, capsys: pytest.CaptureFixture[str]) -> None:
    solve(lp, "scipy-highs-ds", verbose=True)
    assert capsys.readouterr().err.splitlines() == [
        "dualbench: scipy-highs-ds reports no progress: there are no calls of the callback and no lines"
    ]
