"""Points and rays of wide LPs: the referee, the engine's proof, HiGHS and exact arithmetic agree."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.conftest import ROOT

#: Seconds for one LP with its six points, on a machine with other work, and for starting and compiling.
_SECONDS = 5.0
_START = 300.0


def test_referee_engine_and_highs_agree_on_points_of_wide_lps(
    times: Callable[[int, int], int], capsys: pytest.CaptureFixture[str]
) -> None:
    total = times(16, 3000)
    kernels = ["kernels"] * times(0, 1)  # tests/solvers/engine compares them on a few LPs, too
    process = subprocess.run(
        [sys.executable, "-m", "tests.faults.wide_campaign", "0", str(total), *kernels],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_START + _SECONDS * total,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    *faults, counts = [json.loads(line) for line in process.stdout.splitlines()]
    with capsys.disabled():
        sys.stdout.write(f"{total} wide LPs: {counts['counts']}\n")
    assert not faults, faults[:20]

    found = Counter(counts["counts"])
    assert found["repaired by the referee"] > found["repaired by the engine"] > total
    assert found["corrected by the engine"] > total / 4
    assert found["rays"] > 0
    assert found["cpu"] == total * len(kernels)
    assert found["cuda"] == math.ceil(total / 20) * len(kernels)
