"""When Newton takes over."""

from solvers.proximal.switch import Switch

SLOW = [0.99**k for k in range(300)]


def first_due(gaps, *, slack=False, warm=False, edges=1000):
    """The iteration at which Newton takes over, None if it never does; and how often slack sources were counted."""
    asked = []
    switch = Switch(warm=warm)
    for iteration, gap in enumerate(gaps, start=1):
        if switch.due(iteration, gap, edges, lambda: asked.append(1) or slack):
            return iteration, len(asked)
    return None, len(asked)


def test_a_fast_rate_keeps_pdhg():
    assert first_due([0.7**k for k in range(100)]) == (None, 0)


def test_a_slow_rate_is_left_at_the_first_look():
    assert first_due(SLOW) == (20, 1)
    assert first_due(SLOW, warm=True) == (6, 1)


def test_a_rate_that_falls_later_is_left_within_one_look():
    assert first_due([0.7**k for k in range(23)] + [0.7**23] * 50) == (30, 1)


def test_an_instance_with_many_slack_sources_is_left_later():
    assert first_due(SLOW, slack=True) == (40, 1)
    assert first_due([0.9**k for k in range(100)], slack=True)[0] is None


def test_a_large_instance_with_many_slack_sources_stays_with_pdhg():
    assert first_due(SLOW, slack=True, edges=10**8)[0] is None
