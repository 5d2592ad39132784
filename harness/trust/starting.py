"""What a start has to change in the runs of a solver that takes one, for the conformance kit."""

from __future__ import annotations

import numpy as np

from harness.trust.trials import answered, attempt, larger, plainest_probe, require
from instances import MatchingLP
from solvers import Solver, Start, Status

#: The tolerance of a warm start, and the iterations that are few whatever a cold run takes: SCS looks every 25.
_COARSE = 1e-2
_FEW = 25
#: The iterations after which a solver that claims nothing is compared, few enough that one without a start is far off.
_BRIEF = 3
#: Seconds for one run.
_PATIENCE = 20.0


def begins_from_its_own_answer(solver: Solver) -> str:
    """It claims within fewer iterations than without a start; one that claims nothing is nearer after a few."""
    lp = larger(solver)
    cold = attempt(solver, lp, tolerance=_COARSE, time_limit=_PATIENCE)
    answer = answered(cold)
    own = Start(**{part: getattr(answer, part) for part in solver.warm_starts})
    if cold.status is not Status.SOLVED:
        return _is_nearer_at_once(solver, lp, own)

    warm = attempt(solver, lp, start=own, tolerance=_COARSE, time_limit=_PATIENCE)
    again = answered(warm)
    require(warm.status is cold.status, f"{warm.status} from its own answer, {cold.status} without a start")
    counted = again.iterations is not None and answer.iterations is not None
    require(counted, "takes a start but counts no iterations: nothing shows that it uses the start")
    said = f"{again.iterations} iterations from its own answer, {answer.iterations} without a start"
    require(again.iterations < answer.iterations and again.iterations <= max(_FEW, answer.iterations // 2), said)
    return said


def certifies_from_nonsense(solver: Solver) -> None:
    """From random numbers, some outside their limits, the answer is certified and no claim is false.

    NaN comes to no solver: a Start does not hold it.
    """
    probe = plainest_probe(solver)
    rng = np.random.default_rng(0)
    nonsense = {"x": rng.uniform(-3.0, 3.0, probe.lp.edges), "dual": rng.uniform(-50.0, 50.0, probe.lp.row_count)}
    found = attempt(solver, probe.lp, start=Start(**{part: nonsense[part] for part in solver.warm_starts}))
    require(found.status is not Status.INACCURATE, f"a false claim from nonsense: {found.reason}")
    certificate = found.certificate
    require(certificate is not None and certificate.accuracy is not None, f"nothing is certified: {found.reason}")


def _is_nearer_at_once(solver: Solver, lp: MatchingLP, own: Start) -> str:
    """After a few iterations its certified gap is smaller from `own` than without a start."""
    gaps = []
    for start in (own, None):
        result = attempt(solver, lp, start=start, tolerance=_COARSE, time_limit=_PATIENCE, iteration_limit=_BRIEF)
        gap = None if result.certificate is None else result.certificate.accuracy
        gaps.append(np.inf if gap is None else gap)
    said = f"a gap of {gaps[0]:.1e} after {_BRIEF} iterations from its own answer, {gaps[1]:.1e} without a start"
    require(gaps[0] < gaps[1], said)
    return said
