"""A process of its own for every case: what it is given, and what it cannot change."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from harness.starts import start_hash, write_start
from instances import generate, parse_spec
from solvers import Start

from .conftest import SPEC, Place


def test_each_case_has_its_own_process_threads_and_core(place: Place) -> None:
    body = """
    names = ('OMP_NUM_THREADS', 'MKL_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'NUMBA_NUM_THREADS')
    import torch, numba
    counts = [torch.get_num_threads(), numba.get_num_threads(), len(os.sched_getaffinity(0))]
    said = json.dumps([os.getpid(), os.getpgid(0), sorted({os.environ[name] for name in names}), counts])
    """
    first, second = (json.loads(place.run(body).raw_status) for _ in range(2))
    assert first[0] != second[0]
    for process, group, variables, counts in (first, second):
        assert process == group
        assert variables == ["1"]
        assert counts == [1, 1, 1]


def test_nothing_that_a_solver_does_reaches_the_next_case(place: Place) -> None:
    body = """
    said = json.dumps([float(lp.c.sum()), 'mark' in os.environ, hasattr(np, 'mark'), os.getcwd()])
    lp.c[:] = 0.0
    os.environ['mark'] = np.mark = 'mine'
    os.chdir('/')
    """
    first, second = (place.run(body) for _ in range(2))
    assert first.raw_status == second.raw_status
    assert first.seconds.generate == second.seconds.generate  # it was made once


def test_libraries_that_exclude_each_other_are_not_loaded_before_a_solver_asks(place: Place) -> None:
    outcome = place.run("said = ' '.join(name for name in ('torch', 'highspy', 'ortools') if name in sys.modules)")
    assert outcome.raw_status == "torch"


def test_the_cost_of_the_process_is_reported_apart(place: Place) -> None:
    seconds = place.run("time.sleep(0.2)", time_limit=1.0).seconds
    assert seconds.isolation is not None
    assert seconds.run is not None
    assert seconds.isolation > 0
    assert seconds.run >= 0.2


def test_a_start_reaches_the_solver_and_the_referee(place: Place, tmp_path: Path) -> None:
    lp = generate(parse_spec(SPEC))
    start = Start(x=np.linspace(0, 1, lp.edges), dual=np.arange(lp.row_count, dtype=np.float32))
    write_start(tmp_path / "start.npz", start)
    body = "said = json.dumps([float(self.start.x.sum()), str(self.start.dual.dtype), float(self.start.dual.sum())])"
    result = place.run(body, start=str(tmp_path / "start.npz"))
    assert json.loads(result.raw_status) == [float(start.x.sum()), "float32", float(start.dual.sum())]
    assert result.started is not None
    assert result.started.hash == start_hash(start)
