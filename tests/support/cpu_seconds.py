"""`pytest -p tests.support.cpu_seconds TESTS`: CPU seconds of each file with its children, and the loops it compiles.

Unlike --durations it says the same on a busy machine. Children count when they have been waited for; not with -n.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest

from solvers.engine.compile_cache import cache_folder

_SHOWN = 25
_seconds: defaultdict[str, float] = defaultdict(float)
_compiled: Counter[str] = Counter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    seconds, loops = _cpu_seconds(), _loops()
    result = yield
    file = item.nodeid.partition("::")[0]
    _seconds[file] += _cpu_seconds() - seconds
    _compiled[file] += _loops() - loops
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.section(f"CPU seconds, {sum(_seconds.values()):.0f} in all")
    for file, seconds in sorted(_seconds.items(), key=lambda item: -item[1])[:_SHOWN]:
        terminalreporter.write_line(f"{seconds:8.1f} s {_compiled[file]:4d} loops  {file}")


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _loops() -> int:
    """Compiled loops in the cache."""
    return sum(1 for _ in cache_folder().rglob("*.nbc"))
