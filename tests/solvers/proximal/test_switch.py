"""When Newton takes over."""

from solvers.proximal.switch import Switch

SLOW = [0.99**k for k in range(300)]


def first_due(gaps, *, crowded=False, warm=False, edges=1000):
    """The iteration at which Newton takes over, None if it never does; and how often the crowd was looked at."""
    asked = []
    switch = Switch(warm=warm)
    for iteration, gap in enumerate(gaps, start=1):
        if switch.due(iteration, gap, edges, lambda: asked.append(1) or crowded):
            return iteration, len(asked)
    return None, len(asked)


def test_a_fast_rate_keeps_pdhg():
    assert first_due([0.7**k for k in range(100)]) == (None, 0)


def test_a_slow_rate_is_left_at_the_first_look():
    assert first_due(SLOW) == (20, 1)
    assert first_due(SLOW, warm=True) == (6, 1)


def test_a_rate_that_falls_later_is_left_within_one_look():
    assert first_due([0.7**k for k in range(23)] + [0.7**23] * 50) == (30, 1)


def test_a_crowded_instance_is_left_later():
    assert first_due(SLOW, crowded=True) == (40, 1)
    assert first_due([0.9**k for k in range(100)], crowded=True)[0] is None


def test_a_large_crowded_instance_stays_with_pdhg():
    assert first_due(SLOW, crowded=True, edges=10**8)[0] is None
