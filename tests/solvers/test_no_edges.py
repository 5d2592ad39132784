"""An instance without sources, edges or rows is answered, or skipped in one line, by every solver that is here."""

from __future__ import annotations

import json
import subprocess
import sys

#: In a process of its own: HiGHS and OR-Tools cannot be loaded beside each other.
PROGRAM = """
import json
import numpy as np
from harness import solve
from instances import MatchingLP, Simplex
from solvers import registry

def without_edges(sources, rows, **kind):
    none = np.zeros(0)
    return MatchingLP(
        offsets=np.zeros(sources + 1, np.int64), destination=none.astype(np.int32), a=none, c=none, b=np.ones(rows),
        polytope=Simplex(**kind),
    )

lps = [without_edges(0, 2), without_edges(3, 2), without_edges(0, 0), without_edges(2, 1, equality=True)]
found = {}
for name, solver in registry().items():
    if solver.available().ok and "cpu" in solver.devices:
        results = [solve(lp, name, time_limit=20.0) for lp in lps]
        found[name] = [(result.status.value, result.reason) for result in results]
print(json.dumps(found))
"""


def test_every_solver_answers_an_instance_without_edges_or_is_skipped_in_one_line() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"blockpdhg", "dualip", "dualip-restarted", "ortools-glop", "ortools-pdlp"} <= set(found)

    for name, (*feasible, infeasible) in found.items():
        for status, reason in feasible:
            assert status == "solved" or (status == "skipped" and "no edges" in reason), (name, status, reason)
        assert infeasible[0] in ("infeasible", "skipped"), (name, infeasible)

    own = [found[name] for name in ("blockpdhg", "dualip", "dualip-restarted")]
    assert [[status for status, _ in results] for results in own] == [["solved"] * 3 + ["infeasible"]] * 3
