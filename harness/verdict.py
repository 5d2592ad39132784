"""The status of a case: the solver's claim, checked against the referee's certificate."""

from __future__ import annotations

from harness.accuracy import WITHIN_TOLERANCE
from harness.certificate import Certificate
from harness.infeasible import refutation
from instances import MatchingLP
from solvers import Answer, Status


def verdict(
    answer: Answer, certificate: Certificate, tolerance: float, lp: MatchingLP | None = None, *, threads: int = 1
) -> tuple[Status, str]:
    """The status of a case and one line for anything but solved: a claim counts only when the referee agrees.

    lp: the instance, by which a claim that no x is feasible is judged; without it such a claim is not proved.
    """
    if min(certificate.certified_gap or 0.0, certificate.priced_gap or 0.0) < 0:
        return Status.ERROR, contradiction(certificate)  # both sides carry their rounding: one of the proofs is wrong

    if answer.status is Status.INFEASIBLE:
        against = "nothing proves it" if lp is None else refutation(lp, answer, certificate, threads=threads)
        said = f" ({answer.raw_status})" if answer.raw_status else ""
        return (
            (Status.INACCURATE, f"claimed infeasible{said}, {against}")
            if against
            else (answer.status, answer.raw_status)
        )

    if answer.status is not Status.SOLVED:
        return answer.status, answer.raw_status
    if certificate.accuracy is None:
        return Status.INACCURATE, f"claimed {tolerance:g}, nothing certified: {certificate.reason}"
    if not certificate.meets(tolerance):  # a gap that is not a number certifies nothing
        return Status.INACCURATE, f"claimed {tolerance:g}, {_reached(certificate)}"
    feasible = certificate.certified_gap is not None and certificate.certified_gap <= tolerance
    return Status.SOLVED, "" if feasible else WITHIN_TOLERANCE


def _reached(certificate: Certificate) -> str:
    if certificate.certified_gap is not None:
        return f"the certified gap is {certificate.certified_gap:.2e}"
    return f"the priced gap is {certificate.priced_gap:.2e}, a hard row is violated by {certificate.row_violation:.2e}"


def contradiction(certificate: Certificate) -> str:
    """One line for a bound above the cost of a feasible point, which is a fault of the referee."""
    return (
        f"a contradiction in the referee: the bound {certificate.dual_bound!r} is above the cost "
        f"{certificate.feasible_objective!r} of a feasible point, or above that of a point with its violations priced "
        f"({certificate.priced_objective!r}); please report it"
    )
