"""When Newton takes over."""

from __future__ import annotations

from collections.abc import Sequence

from solvers.proximal.switch import Switch

SLOW = [0.99**k for k in range(300)]


def first_due(gaps: Sequence[float], *, slack: bool = False, edges: int = 1000) -> tuple[int | None, int]:
    """The iteration at which Newton takes over, None if it never does; and how often slack sources were counted."""
    asked = 0

    def many_slack() -> bool:
        nonlocal asked
        asked += 1
        return slack

    switch = Switch()
    for iteration, gap in enumerate(gaps, start=1):
        if switch.due(iteration, gap, edges, many_slack):
            return iteration, asked
    return None, asked


def test_a_fast_rate_keeps_pdhg() -> None:
    assert first_due([0.7**k for k in range(100)]) == (None, 0)


def test_a_slow_rate_is_left_at_the_first_look() -> None:
    assert first_due(SLOW) == (20, 1)


def test_a_rate_that_falls_later_is_left_within_one_look() -> None:
    assert first_due([0.7**k for k in range(23)] + [0.7**23] * 50) == (30, 1)


def test_an_instance_with_many_slack_sources_is_left_later() -> None:
    assert first_due(SLOW, slack=True) == (40, 1)
    assert first_due([0.9**k for k in range(100)], slack=True)[0] is None


def test_a_large_instance_with_many_slack_sources_stays_with_pdhg() -> None:
    assert first_due(SLOW, slack=True, edges=10**8)[0] is None
