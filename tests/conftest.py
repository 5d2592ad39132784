"""For all tests: hypothesis tries the same examples every time, but new ones where a campaign is asked for."""

from __future__ import annotations

import contextlib
import os

with contextlib.suppress(ImportError):  # the benchmarks of tests/benchmarks need no library for tests
    from hypothesis import settings

    settings.register_profile("tests", derandomize=True, deadline=None)
    settings.register_profile("campaign", deadline=None)
    settings.load_profile("campaign" if os.environ.get("DUALBENCH_CAMPAIGN") else "tests")
