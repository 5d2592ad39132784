"""Plans: memory and time before anything is made."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.scaling.plan import DEVICES, device_bytes, host_bytes, least_ranks, most_ranks, plan, share_of
from instances import InputError, parse_spec

GIGA = "dualip:sources=100000000,destinations=10000,degree=10"
TERA = "dualip:sources=100000000000,destinations=10000,degree=10"


def test_the_least_number_of_devices_fits_and_one_less_does_not() -> None:
    spec = parse_spec(TERA)
    ranks = least_ranks(spec, solver="blockpdhg", device="h200")
    memory = DEVICES["h200"].memory
    assert device_bytes(spec, share_of(spec, ranks), "blockpdhg") <= memory
    assert device_bytes(spec, share_of(spec, ranks - 1), "blockpdhg") > memory


def test_dual_ascent_needs_less_memory_and_time() -> None:
    spec = parse_spec(GIGA)
    ascent, pdhg = (plan(spec, solver=solver, device="h200", ranks=4) for solver in ("dualip", "blockpdhg"))
    assert ascent.device_bytes < pdhg.device_bytes
    assert ascent.per_iteration < pdhg.per_iteration


def test_more_ranks_hold_less_each_and_are_faster() -> None:
    spec = parse_spec(GIGA)
    one, eight = (plan(spec, solver="blockpdhg", device="h200", ranks=ranks) for ranks in (1, 8))
    assert one.fits
    assert eight.edges_of_rank == pytest.approx(one.edges_of_rank / 8, rel=1e-2)
    assert eight.per_iteration < one.per_iteration / 7


def test_time_to_the_gap_is_only_told_where_iterations_are_known() -> None:
    spec = parse_spec(GIGA.replace("dualip", "uniform"))
    assert plan(spec, solver="blockpdhg", device="h200", ranks=1).to_gap is None
    known = plan(spec, solver="blockpdhg", device="h200", ranks=1, iterations=100)
    assert known.to_gap == pytest.approx(100 * known.per_iteration)


@pytest.mark.parametrize("ranks", [0, 6105])
def test_ranks_beyond_the_blocks_are_refused(ranks: int) -> None:
    assert most_ranks(parse_spec(GIGA)) == 6104
    with pytest.raises(InputError, match="use at most 6104"):
        share_of(parse_spec(GIGA), ranks)


def test_unknown_devices_are_named() -> None:
    with pytest.raises(InputError, match="unknown device 'abacus': use cpu or one of h200, h100, a100"):
        plan(parse_spec(GIGA), solver="dualip", device="abacus", ranks=1)


PEAK = """
import json, os
os.environ["NUMBA_NUM_THREADS"] = "1"
from harness.scaling.sharded import ShardedCase, take_part
from solvers import Settings
settings = Settings(tolerance=1e-5, iteration_limit=10)
case = ShardedCase(spec={spec!r}, solver={solver!r}, settings=settings, ranks=1, probe=False)
print(json.dumps(take_part(case)["per_rank"][0]["peak_memory"]["host"]))
"""


@pytest.mark.parametrize("solver", ["blockpdhg", "dualip"])
def test_memory_is_within_a_tenth_of_the_peak(solver: str) -> None:
    spec = parse_spec("dualip:sources=400000,destinations=200,degree=10,seed=42")
    program = PEAK.format(spec=spec.text, solver=solver)
    subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, timeout=300)  # compiles
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    expected = host_bytes(spec, share_of(spec, 1), solver, on_cpu=True)
    assert expected == pytest.approx(json.loads(done.stdout), rel=0.1)
