"""How near an answer stayed to the x that its run was started from, and what proves that it is the best such answer.

F(x) = c'x + (rho / 2) ||x - p||^2, p the x of the start, is convex, so for each feasible z and each feasible x

    F(z) >= F(x) + (c + rho (x - p))'(z - x)

and the gap of x in the LP with the costs c + rho (x - p) is one of x in F, with the same dual (the Frank-Wolfe gap:
Jaggi 2013). The referee judges that LP like any other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from harness.certificate import Certificate
from harness.referee import certify
from harness.repair import repaired_point
from harness.starts import start_hash
from instances import MatchingLP
from solvers import Answer, Settings, Start, Status

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Started:
    """What is known of a run that was started."""

    hash: str
    """SHA-256 of the arrays that it was started from."""

    parts: str
    """Which there were: "x", "dual" or "x and dual"."""

    churn: float | None = None
    """sum |x - x_start| / (2 sum x) of the answer's x; null without one of both, or where the answer is 0."""

    stay_gap: float | None = None
    """With settings.stay = rho > 0, the proved gap in c'x + (rho / 2) ||x - x_start||^2, over max(1, |dual_bound|)."""


def started_of(start: Start | None) -> Started | None:
    """Before there is an answer."""
    return None if start is None else Started(hash=start_hash(start), parts=" and ".join(start.parts))


def judged_start(lp: MatchingLP, answer: Answer, certificate: Certificate, settings: Settings, start: Start) -> Started:
    """With what the answer shows."""
    found = started_of(start)
    assert found is not None
    if start.x is None or answer.x is None or certificate.dual_bound is None:
        return found
    gap = _stay_gap(lp, answer, certificate, settings, start.x) if settings.stay else None
    return replace(found, churn=churn(answer.x, start.x), stay_gap=gap)


def churn(x: npt.NDArray[np.floating], before: npt.NDArray[np.floating]) -> float | None:
    """sum |x - before| / (2 sum x), None where x is 0."""
    total = float(x.sum(dtype=np.float64))
    return float(np.abs(x - before).sum(dtype=np.float64)) / (2 * total) if total > 0 else None


def stay_verdict(answer: Answer, started: Started, settings: Settings) -> tuple[Status, str]:
    """What a claim to have solved the problem of staying is worth."""
    assert answer.status is Status.SOLVED
    gap = started.stay_gap
    if gap is None or gap > settings.tolerance:
        proved = "nothing is certified" if gap is None else f"its certified gap is {gap:.2e}"
        return Status.INACCURATE, f"claimed {settings.tolerance:g} with stay={settings.stay:g}, {proved}"
    return Status.SOLVED, ""


def _stay_gap(
    lp: MatchingLP, answer: Answer, certificate: Certificate, settings: Settings, before: npt.NDArray[np.floating]
) -> float | None:
    x = repaired_point(lp, answer.x)
    if x is None:
        return None
    costs = lp.c + settings.stay * (x - np.maximum(before, 0.0))
    staying = replace(lp, c=costs)
    judged = certify(staying, x, answer.dual, threads=settings.threads)
    objective = judged.feasible_objective if judged.feasible_objective is not None else judged.priced_objective
    if objective is None or judged.dual_bound is None or certificate.dual_bound is None:
        return None
    gap = (objective - judged.dual_bound) / max(1.0, abs(certificate.dual_bound))
    return max(gap, judged.row_violation or 0.0) if judged.feasible_objective is None else gap
