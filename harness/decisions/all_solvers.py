"""`dualbench run --problem`: which solver is fastest on this problem, asked of all that can run here."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from harness import cards
from harness.suite import Suite
from instances.tables import Problem

_TOLERANCES = (1e-2, 1e-4)
_TIME_LIMIT = 60.0  # seconds of a case
#: Solvers without a stopping rule of their own get so many iterations, as in the suite "smoke".
_ITERATIONS = {"dualip": 2000, "dualip-restarted": 2000}


def suite_of(path: Path) -> Suite:
    """Every solver that is available here on the problem.toml at `path`, under the same limits.

    One that cannot take the LP, for its rows or its size, is skipped with its reason. Raises InputError for what is no
    problem.
    """
    Problem.read(path)
    listed = cards.listing().cards.values()
    able = [card.id for card in listed if card.availability.ok or card.availability.apart]
    content = json.dumps([path.read_text("utf-8-sig"), able])
    return Suite(
        name=path.stem,
        digest=hashlib.sha256(content.encode()).hexdigest()[:16],
        description=f"All solvers that run here on {path.name}.",
        instances=(f"problem:path={path}",),
        solvers=tuple(able),
        tolerances=_TOLERANCES,
        time_limit=_TIME_LIMIT,
        iteration_limits={name: limit for name, limit in _ITERATIONS.items() if name in able},
    )
