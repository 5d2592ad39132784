"""For all tests: hypothesis tries the same examples every time, but new ones where a campaign is asked for."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import psutil
import pytest

from tests.support.highs import HighsApart

with contextlib.suppress(ImportError):  # the benchmarks of tests/benchmarks need no library for tests
    from hypothesis import settings

    settings.register_profile("tests", derandomize=True, deadline=None)
    settings.register_profile("campaign", deadline=None)
    settings.load_profile("campaign" if os.environ.get("DUALBENCH_CAMPAIGN") else "tests")


@pytest.fixture
def memory_left(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Let the machine have so many bytes of memory left, as all that ask for them are told."""

    def leave(size: float) -> None:
        machine = psutil.virtual_memory()._replace(available=int(size))
        monkeypatch.setattr(psutil, "virtual_memory", lambda: machine)

    return leave


@pytest.fixture(scope="module")
def highs() -> Iterator[HighsApart]:
    with HighsApart() as apart:
        yield apart
